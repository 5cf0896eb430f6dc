//! What is inside of a product and cannot be seen from outside but by what it costs: numbered lists, and which states are followed.
//!
//! What products say is tested in `tests/algebra`. To test by time what keeps them small was not taken: a test asserts no time.

use std::collections::BTreeSet;

use super::{Antichain, Sets, Status, hash, possible};
use crate::language::Operation::{And, Not, Operand, Or};

#[test]
fn lists_are_numbered_in_the_order_in_which_they_were_seen_first() {
    let mut sets = Sets::default();
    let list = |n: u32| -> Vec<u32> { (0..n % 4).map(|item| item * 64 + n).collect() };
    let mut known: Vec<Vec<u32>> = Vec::new();
    for n in (0..2_000).chain(0..2_000) {
        let before = known.iter().position(|known| *known == list(n));
        let number = before.unwrap_or(known.len()) as u32;
        assert_eq!(sets.number(&list(n)), (number, before.is_none()));
        if before.is_none() {
            known.push(list(n));
        }
    }
    for (number, known) in known.iter().enumerate() {
        assert_eq!(sets.get(number as u32), known);
    }
    assert!(sets.table.len().is_power_of_two() && sets.table.len() >= 2 * known.len());
}

#[test]
fn the_memory_of_lists_is_that_of_their_items_and_tables() {
    let mut sets = Sets::default();
    assert_eq!(sets.bytes(), 0);
    for list in [&[1, 2][..], &[3], &[1, 2]] {
        sets.number(list);
    }
    assert_eq!(sets.bytes(), 4 * (3 + 64) + 8 * 2);
}

/// A table takes the low bits of a hash.
#[test]
fn lists_that_differ_in_high_bits_alone_are_told_apart_by_low_bits_of_their_hashes() {
    for shift in [0, 8, 16, 22] {
        let low: BTreeSet<u64> = (0..1024).map(|n| hash(&[n << shift]) % 1024).collect();
        assert!(low.len() > 250, "{} by {shift}", low.len());
    }
}

/// Of states below 10 here none is of a negative.
#[test]
fn what_has_the_same_positives_and_more_negatives_is_not_followed() {
    let mut sets = Sets::default();
    let mut antichain = Antichain::default();
    let mut admits = |set: &[u32]| {
        let (number, _) = sets.number(set);
        antichain.admits(number, &sets, 10)
    };
    assert!(admits(&[1, 10, 12]));
    assert!(!admits(&[1, 10, 11, 12]));
    // It is no more than itself.
    assert!(!admits(&[1, 10, 12]));
    assert!(admits(&[1, 10, 11]), "12 is not among them");
    assert!(admits(&[2, 10, 11, 12]), "another positive");
    assert!(admits(&[1, 12]), "fewer are followed");
    assert!(!admits(&[1, 11, 12]));
    // A bit stands for several negatives.
    assert!(admits(&[3, 10]));
    assert!(admits(&[3, 74]));
    assert!(!admits(&[3, 74, 138]));
}

/// Whatever the open ones come to be.
#[test]
fn a_formula_is_settled_if_and_only_if_its_open_operands_make_no_difference() {
    let (yes, no, open) = (Status::Universal, Status::Dead, Status::Open(false));
    let check = |operations: &[_], statuses: [Status; 2], expected: Option<bool>| {
        assert_eq!(possible(operations, |operand| statuses[operand as usize]), expected);
    };
    let [first, second] = [0, 1].map(Operand);
    for (statuses, and, or) in [
        ([no, open], Some(false), None),
        ([yes, open], None, Some(true)),
        ([open, no], Some(false), None),
        ([open, open], None, None),
        ([yes, no], Some(false), Some(true)),
        ([yes, yes], Some(true), Some(true)),
        ([no, no], Some(false), Some(false)),
    ] {
        check(&[first, second, And(2)], statuses, and);
        check(&[first, second, Or(2)], statuses, or);
        check(&[first, second, And(2), Not], statuses, and.map(|truth| !truth));
    }
}
