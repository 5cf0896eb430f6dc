//! Numbers about numbers: quantiles, means of ratios, and how sure they are.
//!
//! Intervals of ratios are by the bootstrap, resampling *queries* and keeping both times of each together (paired), so
//! that what is uncertain is which queries we have; the noise of the machine is in it as far as it differs from query to query. Those of
//! shares are exact (Clopper and Pearson, 1934), also where nothing was lost: of 300 queries without a loss one still
//! cannot say that fewer than 1 in 100 is lost. A normal approximation was not taken: the counts that matter are near 0.

use crate::hash::Random;

/// How often queries are drawn again.
const RESAMPLES: usize = 2_000;

/// The confidence of all intervals.
pub const CONFIDENCE: f64 = 0.95;

/// How exactly the bounds of shares are found: this many halvings.
const HALVINGS: usize = 60;

/// A number and its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The value below which a share of the sorted values lies, between two of them by proportion; NaN of none.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let at = share.clamp(0.0, 1.0) * last as f64;
    let (below, rest) = (at.floor() as usize, at.fract());
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * rest
}

/// The median; NaN of none.
pub fn median(values: &[f64]) -> f64 {
    quantile(&sorted(values), 0.5)
}

/// The values in ascending order.
pub fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// The geometric mean; NaN of none.
pub fn geometric_mean(values: &[f64]) -> f64 {
    let sum: f64 = values.iter().map(|value| value.ln()).sum();
    (sum / values.len() as f64).exp()
}

/// What `of` says of the values, with the interval of what it says of values drawn again; the draw is always the same.
pub fn bootstrap(values: &[f64], of: impl Fn(&[f64]) -> f64) -> Estimate {
    let value = of(values);
    if values.len() < 2 {
        return Estimate { value, low: f64::NAN, high: f64::NAN };
    }
    let mut random = Random::new("bootstrap");
    let mut drawn = vec![0.0; values.len()];
    let mut results: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            drawn.iter_mut().for_each(|place| *place = values[random.below(values.len())]);
            of(&drawn)
        })
        .collect();
    results.sort_by(f64::total_cmp);
    let tail = (1.0 - CONFIDENCE) / 2.0;
    Estimate { value, low: quantile(&results, tail), high: quantile(&results, 1.0 - tail) }
}

/// The share `k` of `n`, with its exact interval; if `k` is 0 the upper end is one-sided.
pub fn share(k: usize, n: usize) -> Estimate {
    if n == 0 {
        return Estimate { value: f64::NAN, low: 0.0, high: 1.0 };
    }
    let value = k as f64 / n as f64;
    let is_extreme = k == 0 || k == n;
    let tail = if is_extreme { 1.0 - CONFIDENCE } else { (1.0 - CONFIDENCE) / 2.0 };
    let low = if k == 0 { 0.0 } else { solve(|p| 1.0 - at_most(k - 1, n, p) - tail) };
    let high = if k == n { 1.0 } else { solve(|p| tail - at_most(k, n, p)) };
    Estimate { value, low, high }
}

/// Where a function that rises from below zero to above it between 0 and 1 is zero.
fn solve(rises: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let middle = (low + high) / 2.0;
        if rises(middle) < 0.0 { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// The probability of at most `k` of `n` where each has probability `p`.
fn at_most(k: usize, n: usize, p: f64) -> f64 {
    if p <= 0.0 {
        return 1.0;
    }
    if p >= 1.0 {
        return if k >= n { 1.0 } else { 0.0 };
    }
    // In logarithms, term by term from the term before.
    let mut term = n as f64 * (1.0 - p).ln();
    let mut sum = term.exp();
    for i in 1..=k {
        term += ((n - i + 1) as f64 / i as f64).ln() + (p / (1.0 - p)).ln();
        sum += term.exp();
    }
    sum.min(1.0)
}

/// How likely a split of `a` against `b`, or a more lopsided one, is if both sides are equally likely (`McNemar`'s test,
/// exact, two-sided).
pub fn lopsided(a: usize, b: usize) -> f64 {
    (2.0 * at_most(a.min(b), a + b, 0.5)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-4
    }

    #[test]
    fn quantiles_are_between_neighbours() {
        let values = [1.0, 2.0, 4.0];
        assert_eq!(quantile(&values, 0.5), 2.0);
        assert_eq!(quantile(&values, 0.75), 3.0);
        assert!(quantile(&[], 0.5).is_nan());
        assert!(near(geometric_mean(&[1.0, 4.0]), 2.0));
    }

    #[test]
    fn shares_have_the_intervals_of_tables() {
        // Clopper-Pearson, 95 %: 5 of 50 is 3.33 % to 21.81 %; 0 of 300, one-sided, is below 0.9936 %.
        let share_5 = share(5, 50);
        assert!(near(share_5.low, 0.033_28) && near(share_5.high, 0.218_14), "{share_5:?}");
        let none = share(0, 300);
        assert!(none.low == 0.0 && near(none.high, 0.009_936), "{none:?}");
        assert!(share(7, 7).high == 1.0);
    }

    #[test]
    fn a_split_is_tested_exactly() {
        assert!(near(lopsided(0, 5), 0.0625));
        assert!(near(lopsided(3, 3), 1.0));
        assert!(near(lopsided(0, 0), 1.0));
    }

    #[test]
    fn an_interval_is_the_same_each_time_and_holds_the_value() {
        let values: Vec<f64> = (1..50).map(f64::from).collect();
        let one = bootstrap(&values, median);
        assert_eq!(one, bootstrap(&values, median));
        assert!(one.low < 25.0 && one.high > 25.0 && one.value == 25.0, "{one:?}");
    }
}
