//! Patterns of texts in which `*` is any text and `?` one character: what one includes, and which have no text in common.
//!
//! One pattern includes another if it matches the other read as a text, of whose wildcards `*` is read by `*` alone and `?` by both:
//! whatever stands in their places is then read by the same. That is not all there is to find, but all that is said is so. Bytes stand for
//! characters; `?` reads none beyond ASCII here. Automata were not taken: a table of a thousand entries is to be checked in
//! microseconds.

use crate::Result;
use crate::budget::Budget;

/// So many steps of one comparison are taken before they are counted.
const STEPS_AT_ONCE: usize = 1 << 12;

fn is_wildcard(byte: u8) -> bool {
    matches!(byte, b'*' | b'?')
}

/// Whether the pattern is of more than one text.
pub(crate) fn is_pattern(pattern: &str) -> bool {
    pattern.bytes().any(is_wildcard)
}

/// True only if every text of `narrow` is one of `wide`; if `narrow` is an ASCII text without wildcards, if and only if.
pub(crate) fn includes(wide: &str, narrow: &str, budget: &Budget) -> Result<bool> {
    if wide == "*" || wide == narrow {
        return Ok(true);
    }
    let (wide, narrow) = (wide.as_bytes(), narrow.as_bytes());
    let (mut w, mut n, mut n_steps) = (0, 0, 0);
    // Behind the last star of `wide`, and up to where in `narrow` it reads.
    let mut star = None;
    let found = loop {
        n_steps += 1;
        if n_steps == STEPS_AT_ONCE {
            budget.spend(n_steps)?;
            n_steps = 0;
        }
        match (wide.get(w), narrow.get(n)) {
            (None, None) => break true,
            (Some(b'*'), _) => {
                w += 1;
                star = Some((w, n));
                continue;
            }
            (Some(b'?'), Some(read)) if *read != b'*' && read.is_ascii() => {}
            (Some(own), Some(read)) if own == read && *own != b'?' => {}
            _ => match star {
                Some((behind, upto)) if upto < narrow.len() => {
                    star = Some((behind, upto + 1));
                    (w, n) = (behind, upto + 1);
                    continue;
                }
                _ => break false,
            },
        }
        (w, n) = (w + 1, n + 1);
    };
    budget.spend(n_steps)?;
    Ok(found)
}

/// Whether bytes differ before one is a wildcard.
fn differ(mut pairs: impl Iterator<Item = (u8, u8)>) -> bool {
    let first = pairs.find(|(a, b)| a != b || is_wildcard(*a));
    first.is_some_and(|(a, b)| !is_wildcard(a) && !is_wildcard(b))
}

/// True only if no text is one of both.
pub(crate) fn are_disjoint(a: &str, b: &str, budget: &Budget) -> Result<bool> {
    budget.spend(1 + a.len().min(b.len()) / 16)?;
    if differ(a.bytes().zip(b.bytes())) || differ(a.bytes().rev().zip(b.bytes().rev())) {
        return Ok(true);
    }
    match (is_pattern(a), is_pattern(b)) {
        (false, false) => Ok(a != b),
        (false, true) => Ok(a.is_ascii() && !includes(b, a, budget)?),
        (true, false) => Ok(b.is_ascii() && !includes(a, b, budget)?),
        (true, true) => Ok(false),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use super::*;
    use crate::Rejection;

    /// All texts of up to so many of these characters.
    fn texts(letters: &[char], length: usize) -> Vec<String> {
        let mut all = vec![String::new()];
        let mut from = 0;
        for _ in 0..length {
            let upto = all.len();
            for at in from..upto {
                all.extend(letters.iter().map(|c| format!("{}{c}", all[at])).collect::<Vec<_>>());
            }
            from = upto;
        }
        all
    }

    /// Written as the definition is: a star is nothing, or a character and a star.
    fn reads(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), None) => reads(rest, text),
            (Some(('*', rest)), Some((_, behind))) => reads(rest, text) || reads(pattern, behind),
            (Some((wanted, rest)), Some((c, behind))) => {
                (*wanted == '?' || wanted == c) && reads(rest, behind)
            }
            _ => false,
        }
    }

    /// Every pair of patterns of up to four tokens over two letters, and every text of up to five of three letters, one of them
    /// of two bytes: what is said is so, and of patterns without `?` inclusion is found whenever it is so.
    #[test]
    fn what_is_said_of_patterns_is_true_of_all_texts() {
        let budget = Budget::new(u64::MAX);
        let texts = texts(&['a', 'b', 'é'], 4);
        let chars = |text: &str| text.chars().collect::<Vec<char>>();
        let patterns: Vec<(String, Vec<bool>)> = self::texts(&['a', 'b', '*', '?'], 4)
            .into_iter()
            .map(|pattern| {
                let own = chars(&pattern);
                let of = texts.iter().map(|text| reads(&own, &chars(text))).collect();
                (pattern, of)
            })
            .collect();
        for (pattern, of) in patterns.iter().step_by(7) {
            for (text, is_one) in texts.iter().zip(of) {
                assert_eq!(
                    crate::requests::matches_pattern(pattern, text),
                    *is_one,
                    "{pattern} {text}"
                );
            }
        }
        let mut n_found = [0; 2];
        for (wide, of_wide) in &patterns {
            for (narrow, of_narrow) in &patterns {
                let is_in = of_wide.iter().zip(of_narrow).all(|(w, n)| *w || !*n);
                let is_said = includes(wide, narrow, &budget).unwrap();
                assert!(!is_said || is_in, "{narrow} in {wide}");
                assert!(is_said || !is_in || wide.contains('?'), "{narrow} in {wide}");
                let is_apart = !of_wide.iter().zip(of_narrow).any(|(w, n)| *w && *n);
                let is_said_apart = are_disjoint(wide, narrow, &budget).unwrap();
                assert!(!is_said_apart || is_apart, "{narrow} and {wide}");
                n_found =
                    [n_found[0] + usize::from(is_said), n_found[1] + usize::from(is_said_apart)];
            }
        }
        assert!(n_found.iter().all(|n| *n > 10_000), "{n_found:?}");
    }

    #[test]
    fn steps_are_counted() {
        let (wide, narrow) = ("*a".repeat(40) + "*b", "a".repeat(80));
        assert!(includes(&wide, &narrow, &Budget::new(10)).is_err());
        assert!(!includes(&wide, &narrow, &Budget::new(1 << 20)).unwrap());
        assert!(are_disjoint("a", "a", &Budget::new(0)).is_err());
    }

    /// What is compared byte by byte costs a step each, and what is looked at from both ends a sixteenth.
    #[test]
    fn comparisons_cost_what_they_read() {
        let check = |cost: u64, compare: &dyn Fn(&Budget) -> Result<bool>, found: bool| {
            for more in [0, 1, 5_000] {
                let budget = Budget::new(cost + more);
                assert_eq!(compare(&budget), Ok(found));
                assert_eq!(budget.left(), more);
            }
            assert_eq!(
                compare(&Budget::new(cost - 1)),
                Err(Rejection::new("it takes more than this checker spends"))
            );
        };
        check(3, &|budget| includes("abc", "abd", budget), false);
        check(4, &|budget| includes("a?c", "abc", budget), true);
        // The star, each letter that it reads, and the end.
        let long = "a".repeat(5_000);
        check(5_002, &|budget| includes("*b", &long, budget), false);
        assert_eq!(
            includes("*b", &long, &Budget::new(1)),
            Err(Rejection::new("it takes more than this checker spends"))
        );
        assert_eq!(includes("*", &long, &Budget::new(0)), Ok(true));
        let other = "b".repeat(163);
        check(1 + 163 / 16, &|budget| are_disjoint(&long, &other, budget), true);
        check(1 + 163 / 16, &|budget| are_disjoint(&other, &long, budget), true);
        check(1, &|budget| are_disjoint("*b", &long, budget), true);
        check(1 + 5_002, &|budget| are_disjoint("*b*", &long, budget), true);
    }
}
