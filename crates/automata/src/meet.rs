//! The intersection of two patterns, as a union of patterns.
//!
//! Let `a*X` and `b*Y` be two patterns that begin with stars. Whichever star ends first, both have
//! eaten the same until then: `a*X ∩ b*Y = (a∩b)*((X ∩ b*Y) ∪ (a*X ∩ Y))`. A star against a single
//! item either ends or eats it. So the patterns of the union are the paths through the pairs of
//! places: one or two for anchored patterns, exponentially many for words that float between
//! stars, which is why there is a limit and why the product of automata is there for the rest.

use std::borrow::Cow;

use crate::language::{Language, Shape};
use crate::pattern::{Item, Pattern};

/// Pairs of places looked at for one query; beyond, the product is likely to be quicker.
const MAX_STEPS: usize = 2_048;
/// Pairs of items compared to see if one pattern subsumes another, for the price of one step; most
/// comparisons end at the first pair.
const ITEM_PAIRS_PER_STEP: usize = 4_096;
/// Patterns in the union at any time.
const MAX_PATTERNS: usize = 32;

/// The intersection of those positives that are unions of patterns.
pub(crate) struct Meet<'q> {
    /// A union of these patterns.
    pub(crate) patterns: Vec<Cow<'q, Pattern>>,
    /// Which positives it is the intersection of.
    pub(crate) of: Vec<usize>,
}

impl<'q> Meet<'q> {
    /// `None` if no positive is a union of patterns or there are too many. Without `wants_all` it
    /// is some part of the intersection, and empty only if that is.
    pub(crate) fn new(positives: &'q [Language], wants_all: bool) -> Option<Meet<'q>> {
        let mut meet: Option<Meet<'q>> = None;
        let mut budget = Budget { n_steps: MAX_STEPS, n_patterns: usize::MAX };
        for (i, positive) in positives.iter().enumerate() {
            let Shape::Patterns(alternatives) = positive.shape() else { continue };
            if !wants_all && i + 1 == positives.len() {
                budget.n_patterns = 1;
            }
            match &mut meet {
                None => {
                    let patterns = alternatives.iter().map(Cow::Borrowed).collect();
                    meet = Some(Meet { patterns, of: vec![i] });
                }
                Some(meet) => meet.restrict(i, alternatives, &mut budget)?,
            }
            if meet.as_ref().is_some_and(|meet| meet.patterns.is_empty()) {
                break;
            }
        }
        meet.filter(|meet| meet.patterns.len() <= MAX_PATTERNS)
    }

    /// Intersects with positive `i`, a union of `alternatives`.
    fn restrict(
        &mut self,
        i: usize,
        alternatives: &'q [Pattern],
        budget: &mut Budget,
    ) -> Option<()> {
        let n_items = |p: &Pattern| p.items().len();
        let a: usize = alternatives.iter().map(n_items).sum();
        let p: usize = self.patterns.iter().map(|p| n_items(p)).sum();
        // All that is subsumed below; what is computed makes a step each.
        budget.n_steps = budget.n_steps.checked_sub(a.saturating_mul(p) / ITEM_PAIRS_PER_STEP)?;
        let is_within = |p: &Cow<'_, Pattern>| alternatives.iter().any(|a| a.subsumes(p));
        if self.patterns.iter().all(is_within) {
            return Some(());
        }
        self.of.push(i);
        let mut patterns: Vec<Cow<'q, Pattern>> = Vec::new();
        for pattern in std::mem::take(&mut self.patterns) {
            if is_within(&pattern) {
                add(&mut patterns, pattern);
                continue;
            }
            for alternative in alternatives {
                if pattern.subsumes(alternative) {
                    add(&mut patterns, Cow::Borrowed(alternative));
                } else {
                    meet(&pattern, alternative, &mut patterns, budget)?;
                }
                if patterns.len() >= budget.n_patterns {
                    self.patterns = patterns;
                    return Some(());
                }
            }
            if patterns.len() > MAX_PATTERNS {
                return None;
            }
        }
        self.patterns = patterns;
        Some(())
    }
}

/// What a meet may cost, and how many patterns of it are enough.
struct Budget {
    n_steps: usize,
    n_patterns: usize,
}

/// Adds a pattern to a union, unless it adds nothing.
fn add<'q>(patterns: &mut Vec<Cow<'q, Pattern>>, pattern: Cow<'q, Pattern>) {
    if !patterns.iter().any(|other| other.subsumes(&pattern)) {
        patterns.retain(|other| !pattern.subsumes(other));
        patterns.push(pattern);
    }
}

/// Adds the patterns of the intersection; `None` if the steps do not suffice.
fn meet(
    a: &Pattern,
    b: &Pattern,
    into: &mut Vec<Cow<'_, Pattern>>,
    budget: &mut Budget,
) -> Option<()> {
    if !a.may_overlap(b) {
        return Some(());
    }
    let n_common = a.n_common_prefix(b);
    let (a, b) = (a.items(), b.items());
    // Behind the last single item.
    let last = |items: &[Item]| items.iter().rposition(|item| !item.is_star).map_or(0, |i| i + 1);
    let (a_last, b_last) = (last(a), last(b));
    let mut path: Vec<Item> = a[..n_common].to_vec();
    // Places from where to go on, and how much of the path leads there.
    let mut open = vec![(n_common, n_common, n_common)];
    while let Some((mut i, mut j, length)) = open.pop() {
        path.truncate(length);
        loop {
            budget.n_steps = budget.n_steps.checked_sub(1)?;
            let (Some(x), Some(y)) = (a.get(i), b.get(j)) else {
                if i >= a_last && j >= b_last {
                    into_union(&path, into);
                    if into.len() >= budget.n_patterns {
                        return Some(());
                    }
                }
                break;
            };
            let both = x.class.intersect(&y.class);
            match (x.is_star, y.is_star) {
                (false, false) => {
                    if both.is_empty() {
                        break;
                    }
                    path.push(Item::one(both));
                    (i, j) = (i + 1, j + 1);
                }
                (true, true) => {
                    path.push(Item::star(both));
                    if i + 1 < a.len() || j >= b_last {
                        open.push((i + 1, j, path.len()));
                    }
                    j += 1;
                }
                (true, false) => {
                    if both.is_empty() {
                        i += 1;
                        continue;
                    }
                    if i + 1 < a.len() {
                        open.push((i + 1, j, path.len()));
                    }
                    path.push(Item::one(both));
                    j += 1;
                }
                (false, true) => {
                    if both.is_empty() {
                        j += 1;
                        continue;
                    }
                    if j + 1 < b.len() {
                        open.push((i, j + 1, path.len()));
                    }
                    path.push(Item::one(both));
                    i += 1;
                }
            }
        }
    }
    Some(())
}

fn into_union(path: &[Item], into: &mut Vec<Cow<'_, Pattern>>) {
    if let Some(pattern) = Pattern::new(path.iter().cloned()) {
        add(into, Cow::Owned(pattern));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(a: &str, b: &str, expected: &[&str]) {
        let positives = [Language::glob(a), Language::glob(b)];
        let meet = Meet::new(&positives, true).unwrap();
        let mut found: Vec<String> = meet.patterns.iter().map(|p| format!("{p:?}")).collect();
        found.sort_unstable();
        let expected: Vec<String> = expected.iter().map(|p| format!("`{p}`")).collect();
        assert_eq!(found, expected, "{a} {b}");
    }

    #[test]
    fn some_part_is_enough_if_any_word_will_do() {
        let positives = [Language::glob("x/*"), Language::glob("*/y/*")];
        assert_eq!(Meet::new(&positives, false).unwrap().patterns.len(), 1);
        let positives = [Language::glob("x/*"), Language::glob("y/*")];
        assert_eq!(Meet::new(&positives, false).unwrap().patterns.len(), 0);
    }

    #[test]
    fn anchored_patterns_have_few_meets() {
        check("logs/*", "data/*", &[]);
        check("logs/*", "lo*", &["logs/any*"]);
        check("logs/*", "*.json", &["logs/any*.json"]);
        check("a:*", "*/b", &["a:any*/b"]);
        check("x/*", "*/y/*", &["x/any*/y/any*", "x/y/any*"]);
        check("*ab", "ab*", &["ab", "abany*ab"]);
        check("??*", "*?a", &["anya", "anyanyany*a"]);
    }
}
