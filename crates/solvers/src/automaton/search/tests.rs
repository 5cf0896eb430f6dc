//! What a search does that its answers do not show: what it learns, forgets and decides next, and how long that takes.
//!
//! It is deterministic, so that it takes the same way each time, and what makes it longer is seen in the number of its conflicts. A change of
//! heuristics on purpose changes the numbers. To measure time was not taken: a test asserts no time.

use expect_test::{Expect, expect};
use keyaki_logic::{Cancel, Formula, Limits, Piece, Regex, Sort, Term, Terms};

use super::*;

#[test]
fn the_restart_intervals_are_the_luby_sequence() {
    let sequence: Vec<u64> = (1..=15).map(luby).collect();
    assert_eq!(sequence, [1, 1, 2, 1, 1, 2, 4, 1, 1, 2, 1, 1, 2, 4, 8]);
}

/// The way of a search: what was found after how many conflicts, and what is kept of what was learnt.
fn way(formula: &Formula, learnt_max: usize) -> String {
    let problem = Problem::new(formula).unwrap();
    let (limits, cancel) = (Limits::within(std::time::Duration::from_secs(600)), Cancel::new());
    let watch = Watch::new(&limits, &cancel);
    let mut search = Search::new(&problem, &watch, None);
    search.learnt_max = learnt_max;
    let found = match search.run() {
        Found::Values(_) => "values",
        Found::Nothing => "nothing",
        Found::Unknown(_) => "unknown",
    };
    let n_learnt = search.clauses.iter().filter(|clause| clause.glue > 0).count();
    assert_eq!(n_learnt, search.learnt, "learnt clauses are counted");
    let glues: u32 = search.clauses.iter().map(|clause| clause.glue).sum();
    let (n_conflicts, n_literals) = (search.conflicts, search.literals.len());
    // Whoever forgets may learn more each time.
    let n_rounds = (search.learnt_max - learnt_max) / LEARNT_GROWTH;
    format!(
        "{found}: {n_conflicts} conflicts, {n_learnt} learnt, {n_literals} literals, levels {glues}, forgot {n_rounds} times"
    )
}

fn formula(terms: Terms, asserted: Vec<Term>) -> Formula {
    let mut formula = Formula::new(terms);
    for term in asserted {
        formula.assert("", term);
    }
    formula
}

/// So many pigeons and one hole fewer.
fn pigeons(n: usize) -> Formula {
    let mut t = Terms::new();
    let sits: Vec<Vec<Term>> = (0..n)
        .map(|one| (1..n).map(|hole| t.var(&format!("{one} in {hole}"), Sort::Bool)).collect())
        .collect();
    let mut asserted: Vec<Term> = sits.iter().map(|holes| t.or(holes.clone())).collect();
    for hole in 0..n - 1 {
        let in_hole: Vec<Term> = sits.iter().map(|holes| holes[hole]).collect();
        for (one, sits) in in_hole.iter().enumerate() {
            for other in &in_hole[..one] {
                let both = t.and([*sits, *other]);
                asserted.push(t.not(both));
            }
        }
    }
    formula(t, asserted)
}

fn below(state: &mut u64, bound: usize) -> usize {
    *state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
    (*state >> 33) as usize % bound
}

/// So many clauses of three of so many variables, drawn.
fn clauses(n_variables: usize, n_clauses: usize, mut seed: u64) -> Formula {
    let mut t = Terms::new();
    let variables: Vec<Term> =
        (0..n_variables).map(|n| t.var(&format!("v{n}"), Sort::Bool)).collect();
    let mut asserted = Vec::new();
    for _ in 0..n_clauses {
        let literals: Vec<Term> = (0..3)
            .map(|_| {
                let variable = variables[below(&mut seed, n_variables)];
                if below(&mut seed, 2) == 0 { t.not(variable) } else { variable }
            })
            .collect();
        asserted.push(t.or(literals));
    }
    formula(t, asserted)
}

/// Texts of which each is like some patterns and not like others, or equal to another, drawn; and addresses in networks.
fn texts(n: usize, n_clauses: usize, mut seed: u64) -> Formula {
    let mut t = Terms::new();
    let strings: Vec<Term> = (0..n).map(|i| t.var(&format!("s{i}"), Sort::String)).collect();
    let bits: Vec<Term> = (0..n).map(|i| t.var(&format!("b{i}"), Sort::Bits(8))).collect();
    let starts = |text: &str| {
        let all = Regex::Star(Box::new(Regex::AnyChar));
        Regex::Concat(vec![Regex::Literal(text.to_owned()), all])
    };
    let mut asserted = Vec::new();
    for _ in 0..n_clauses {
        let mut literals = Vec::new();
        for _ in 0..3 {
            let (one, other) = (below(&mut seed, n), below(&mut seed, n));
            let text = ["a", "b", "ab", "abc", "ba"][below(&mut seed, 5)];
            let atom = match below(&mut seed, 6) {
                0 => t.string(text),
                1 | 2 => {
                    literals.push(t.in_re(strings[one], starts(text)));
                    continue;
                }
                3 => strings[other],
                4 => {
                    let length = 1 + below(&mut seed, 4) as u32;
                    let prefix = below(&mut seed, 1 << length) as u128;
                    literals.push(t.has_prefix(bits[one], prefix, length));
                    continue;
                }
                _ => {
                    let matched =
                        t.matches(strings[one], [Piece::text("a"), Piece::Value(strings[other])]);
                    literals.push(t.not(matched));
                    continue;
                }
            };
            literals.push(t.eq(strings[one], atom));
        }
        let literals: Vec<Term> = literals
            .into_iter()
            .map(|literal| if below(&mut seed, 2) == 0 { t.not(literal) } else { literal })
            .collect();
        asserted.push(t.or(literals));
    }
    formula(t, asserted)
}

fn check(formula: &Formula, learnt_max: usize, expected: Expect) {
    expected.assert_eq(&way(formula, learnt_max));
}

#[test]
fn the_search_takes_the_same_way_each_time() {
    check(
        &pigeons(5),
        LEARNT_MAX,
        expect!["nothing: 28 conflicts, 23 learnt, 192 literals, levels 63, forgot 0 times"],
    );
    check(
        &pigeons(7),
        LEARNT_MAX,
        expect!["nothing: 858 conflicts, 853 learnt, 10416 literals, levels 6525, forgot 0 times"],
    );
    check(
        &clauses(60, 240, 1),
        LEARNT_MAX,
        expect!["values: 6 conflicts, 6 learnt, 724 literals, levels 20, forgot 0 times"],
    );
    check(
        &clauses(60, 290, 2),
        LEARNT_MAX,
        expect!["nothing: 27 conflicts, 23 learnt, 926 literals, levels 64, forgot 0 times"],
    );
    check(
        &clauses(90, 390, 3),
        LEARNT_MAX,
        expect!["nothing: 309 conflicts, 300 learnt, 2891 literals, levels 1269, forgot 0 times"],
    );
    check(
        &texts(8, 60, 4),
        LEARNT_MAX,
        expect!["unknown: 50 conflicts, 65 learnt, 1516 literals, levels 623, forgot 0 times"],
    );
    check(
        &texts(8, 80, 5),
        LEARNT_MAX,
        expect!["unknown: 92 conflicts, 116 learnt, 1805 literals, levels 607, forgot 0 times"],
    );
    check(
        &texts(10, 200, 6),
        LEARNT_MAX,
        expect![
            "nothing: 1656 conflicts, 1952 learnt, 15007 literals, levels 11198, forgot 0 times"
        ],
    );
}

/// What is forgotten was learnt and can be learnt again.
#[test]
fn what_is_forgotten_changes_no_answer() {
    check(
        &pigeons(7),
        20,
        expect!["nothing: 630 conflicts, 352 learnt, 3751 literals, levels 1907, forgot 2 times"],
    );
    check(
        &clauses(90, 390, 3),
        40,
        expect!["nothing: 311 conflicts, 275 learnt, 2835 literals, levels 1205, forgot 1 times"],
    );
    check(
        &texts(10, 200, 6),
        10,
        expect!["nothing: 1703 conflicts, 1273 learnt, 7875 literals, levels 5167, forgot 3 times"],
    );
}
