//! Products of two of the oracle's dense automata against ours.

use std::collections::HashSet;

use keyaki_automata::{Limits, find, includes};
use keyaki_testing::arbtest;
use regex_automata::dfa::Automaton;
use regex_automata::util::primitives::StateID;
use regex_automata::{Anchored, Input};

use crate::generate::{Oracle, compile, regular};

/// Whether some word is accepted by `a` and, as wanted, accepted or not by `b`. Only words that are
/// UTF-8: a third automaton runs along.
fn has_word(a: &Oracle, b: &Oracle, wants_b: bool) -> bool {
    let utf8 = Oracle::new(&keyaki_automata::Expr::All);
    let input = Input::new("").anchored(Anchored::Yes);
    let start = |oracle: &Oracle| oracle.0.start_state_forward(&input).unwrap();
    let mut open = vec![[start(a), start(b), start(&utf8)]];
    let mut seen: HashSet<[StateID; 3]> = open.iter().copied().collect();
    while let Some([x, y, z]) = open.pop() {
        let accepts = |oracle: &Oracle, state| {
            let last = oracle.0.next_eoi_state(state);
            oracle.0.is_match_state(last)
        };
        if accepts(a, x) && accepts(b, y) == wants_b && accepts(&utf8, z) {
            return true;
        }
        for byte in 0..=255 {
            let next =
                [a.0.next_state(x, byte), b.0.next_state(y, byte), utf8.0.next_state(z, byte)];
            let is_dead = a.0.is_dead_state(next[0]) || utf8.0.is_dead_state(next[2]);
            if !is_dead && seen.insert(next) {
                open.push(next);
            }
        }
    }
    false
}

#[test]
fn products_agree_with_dense_products() {
    arbtest(|u| {
        let (a, b) = (regular(u, 2)?, regular(u, 2)?);
        let (oracle_a, oracle_b) = (Oracle::new(&a), Oracle::new(&b));
        let (x, y) = (compile(&a), compile(&b));
        let limits = Limits::default();
        let both = find(&[x.clone(), y.clone()], &[], &limits).unwrap();
        assert_eq!(both.is_some(), has_word(&oracle_a, &oracle_b, true), "{both:?}: {a:?} {b:?}");
        let is_within = includes(&y, &x, &limits).unwrap();
        assert_eq!(!is_within, has_word(&oracle_a, &oracle_b, false), "{a:?} {b:?}");
        Ok(())
    })
    .budget_ms(3_000);
}
