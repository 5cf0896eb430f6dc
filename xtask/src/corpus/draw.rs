//! Drawing some of many, so that anybody draws the same.
//!
//! Ids are put in the order of a hash of the seed and the id, and the first are drawn. Unlike a
//! shuffle by a random generator this does not depend on how many others there are: when the
//! corpus grows or an answer changes, the rest of a draw stays what it was.

use std::collections::BTreeMap;

use super::jobs::{Job, QUESTIONS};

/// The first `size` items in the order of their hashes.
pub(super) fn draw<T>(
    mut items: Vec<T>,
    id: impl Fn(&T) -> &str,
    seed: &str,
    size: usize,
) -> Vec<T> {
    items.sort_by_cached_key(|item| (hash(seed, id(item)), id(item).to_owned()));
    items.truncate(size);
    items
}

/// `size` jobs of each question, in the order of `jobs`.
pub(super) fn of_each_question(jobs: Vec<Job>, seed: &str, size: usize) -> Vec<Job> {
    let mut drawn = Vec::new();
    for question in QUESTIONS {
        let of_question = jobs.iter().enumerate().filter(|(_, job)| job.question == question);
        drawn.extend(draw(of_question.collect(), |(_, job)| &job.id, seed, size));
    }
    drawn.sort_by_key(|(at, _)| *at);
    drawn.into_iter().map(|(_, job)| job.clone()).collect()
}

/// `size` jobs of each family, in the order of `jobs`.
pub(super) fn of_each_family(jobs: Vec<Job>, seed: &str, size: usize) -> Vec<Job> {
    let mut families: BTreeMap<String, Vec<(usize, Job)>> = BTreeMap::new();
    for (at, job) in jobs.into_iter().enumerate() {
        families.entry(family(&job.id)).or_default().push((at, job));
    }
    let drawn = families.into_values().flat_map(|jobs| draw(jobs, |(_, job)| &job.id, seed, size));
    let mut drawn: Vec<_> = drawn.collect();
    drawn.sort_by_key(|(at, _)| *at);
    drawn.into_iter().map(|(_, job)| job).collect()
}

/// The first part of an id; of edits the file too.
fn family(id: &str) -> String {
    let n_parts = if id.starts_with("edit/") { 2 } else { 1 };
    id.split('/').take(n_parts).collect::<Vec<_>>().join("/")
}

/// FNV-1a, 64 bits, of the seed, a zero byte and the id, finished as in `SplitMix64`, since the
/// last bytes of a text hardly reach the upper bits of FNV-1a.
pub(super) fn hash(seed: &str, id: &str) -> u64 {
    let bytes = seed.bytes().chain([0]).chain(id.bytes());
    let mut hash = bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(ids: &[&'static str], seed: &str, size: usize) -> Vec<&'static str> {
        draw(ids.to_vec(), |id| id, seed, size)
    }

    #[test]
    fn a_draw_depends_on_ids_and_seed_alone() {
        let ids = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let mut reversed = ids;
        reversed.reverse();
        assert_eq!(drawn(&ids, "s", 4), drawn(&reversed, "s", 4));
        assert_ne!(drawn(&ids, "s", 4), drawn(&ids, "t", 4));
        // Reviews name this seed, so its order must not change.
        assert_eq!(drawn(&ids, "keyaki", 8), ["a", "c", "d", "e", "b", "g", "f", "h"]);
    }

    #[test]
    fn a_family_is_a_question_and_for_edits_a_file() {
        let ids = ["public/a", "public/b", "edit/org/c/e/forward", "edit/identity/c/e/forward"];
        assert_eq!(ids.map(family), ["public", "public", "edit/org", "edit/identity"]);
    }

    #[test]
    fn without_one_that_was_drawn_the_others_stay() {
        let ids = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let before = drawn(&ids, "s", 4);
        let rest: Vec<_> = ids.into_iter().filter(|id| *id != before[1]).collect();
        let after = drawn(&rest, "s", 4);
        assert_eq!(after[..3], [before[0], before[2], before[3]]);
    }
}
