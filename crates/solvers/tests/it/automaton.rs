//! The embedded solver at its limits. What it says of random formulas is in `crates/properties`.

use std::time::{Duration, Instant};

use keyaki_logic::proof::{Rule, Theory};
use keyaki_logic::{
    Cancel, Formula, Limits, Outcome, Piece, Reason, Regex, Solver, Sort, Term, Terms, eval,
};
use keyaki_solvers::Automaton;

use crate::fakes::{long, never};

#[test]
fn a_deadline_or_a_cancellation_ends_the_search() {
    let formula = pigeons(11);
    let start = Instant::now();
    let limits = Limits::within(Duration::from_millis(200));
    let answer = Automaton.solve(&formula, &limits, &never()).unwrap();
    assert_eq!(answer.outcome, Outcome::Unknown(Reason::Timeout));
    assert!(start.elapsed() < Duration::from_secs(60));
    let cancel = Cancel::new();
    cancel.cancel();
    let answer = Automaton.solve(&formula, &long(), &cancel).unwrap();
    assert_eq!(answer.outcome, Outcome::Unknown(Reason::Cancelled));
}

#[test]
fn few_pigeons_do_not_fit_either() {
    let answer = Automaton.solve(&pigeons(5), &long(), &never()).unwrap();
    assert_eq!(answer.outcome, Outcome::Unsat);
    assert_eq!(answer.by, ["automaton"]);
}

#[test]
fn a_proof_of_what_took_a_search_ends_with_the_empty_clause() {
    let (answer, proof) = Automaton.explain(&pigeons(6), &long(), &never()).unwrap();
    assert_eq!(answer.outcome, Outcome::Unsat);
    let proof = proof.unwrap();
    assert!(proof.steps.last().unwrap().clause.is_empty());
    assert!(proof.steps.iter().filter(|s| matches!(s.rule, Rule::Propagation(_))).count() > 10);
    assert_eq!(proof.core().lemmas, [0; 0]);
    assert_eq!(proof.core().assertions.len(), pigeons(6).assertions().len(), "each is needed");
}

/// A lemma for each pair of patterns, and what it is about.
#[test]
fn a_lemma_says_what_it_is_about() {
    let mut t = Terms::new();
    let [x, y] = ["x", "y"].map(|name| t.var(name, Sort::String));
    let [bits, other] = ["bits", "other"].map(|name| t.var(name, Sort::Bits(2)));
    let all = || Regex::Star(Box::new(Regex::AnyChar));
    let starts = |text: &str| Regex::Concat(vec![Regex::Literal(text.to_owned()), all()]);
    let [a, ab, b] = ["a", "ab", "b"].map(|text| t.in_re(x, starts(text)));
    let same = t.eq(x, y);
    let [y_in_a, y_in_b] = ["a", "b"].map(|text| t.in_re(y, starts(text)));
    let [low, high] = [0, 1].map(|bit| t.has_prefix(bits, bit, 1));
    let same_bits = t.eq(bits, other);
    let one = t.bits(1, 2);
    let [bits_one, other_one] = [bits, other].map(|name| t.eq(name, one));
    let template = t.matches(x, [Piece::text("b"), Piece::Value(y)]);
    let check = |terms: &Terms, positives: &[Term], negatives: &[Term], expected: &[Theory]| {
        let mut terms = terms.clone();
        let negatives: Vec<Term> = negatives.iter().map(|&term| terms.not(term)).collect();
        let mut formula = Formula::new(terms);
        for &term in positives.iter().chain(&negatives) {
            formula.assert("", term);
        }
        let (answer, proof) = Automaton.explain(&formula, &long(), &never()).unwrap();
        assert_eq!(answer.outcome, Outcome::Unsat);
        let proof = proof.unwrap();
        let kinds = proof.core().lemmas.into_iter().map(|lemma| match proof.steps[lemma].rule {
            Rule::Theory(kind) => kind,
            _ => unreachable!("a lemma"),
        });
        assert_eq!(kinds.collect::<Vec<_>>(), expected);
    };
    check(&t, &[ab], &[a], &[Theory::Included]);
    check(&t, &[a, b], &[], &[Theory::Apart]);
    check(&t, &[same, a, y_in_b], &[], &[Theory::Empty]);
    check(&t, &[same, ab], &[y_in_a], &[Theory::Empty]);
    check(&t, &[], &[low, high], &[Theory::Bits]);
    check(&t, &[bits_one, same_bits], &[other_one], &[Theory::Bits]);
    check(&t, &[bits_one, other_one], &[same_bits], &[Theory::Distinct]);
    check(&t, &[template, a], &[], &[Theory::Template]);
    let z = t.var("z", Sort::String);
    let [same_as_z, y_is_z] = [t.eq(x, z), t.eq(y, z)];
    check(&t, &[same, same_as_z], &[y_is_z], &[Theory::Equality]);
    let narrow = t.matches(x, [Piece::text("b"), Piece::Value(y), Piece::text("c")]);
    let wide = t.matches(x, [Piece::text("b"), Piece::Value(y), Piece::Any]);
    check(&t, &[narrow], &[wide], &[Theory::Template]);
}

/// What a template says of a text that is known, and what the text says of the template.
#[test]
fn a_known_text_is_held_against_a_template() {
    let check = |text: &str, is_matched: bool, expected: Option<bool>| {
        let mut t = Terms::new();
        let [x, y] = ["x", "y"].map(|name| t.var(name, Sort::String));
        let text = t.string(text);
        let is_text = t.eq(x, text);
        let matched = t.matches(x, [Piece::text("a"), Piece::Value(y), Piece::text("c")]);
        let is_matched = if is_matched { matched } else { t.not(matched) };
        let formula = Formula::new(t);
        // In both orders: the one that is told first is asked what follows.
        for order in [[is_text, is_matched], [is_matched, is_text]] {
            let mut formula = formula.clone();
            order.into_iter().for_each(|term| formula.assert("", term));
            let is_sat = match Automaton.solve(&formula, &long(), &never()).unwrap().outcome {
                Outcome::Sat(_) => Some(true),
                Outcome::Unsat => Some(false),
                Outcome::Unknown(_) => None,
            };
            assert_eq!(is_sat, expected, "{order:?}");
        }
    };
    check("abc", true, Some(true));
    check("ac", true, Some(true));
    check("abc", false, Some(true));
    check("bbc", true, Some(false));
    check("bbc", false, Some(true));
    check("a", true, Some(false));
}

/// Whether there is a model, which then is one.
#[track_caller]
fn has_model(t: &Terms, assertions: &[Term]) -> bool {
    let mut formula = Formula::new(t.clone());
    assertions.iter().for_each(|term| formula.assert("", *term));
    match Automaton.solve(&formula, &long(), &never()).unwrap().outcome {
        Outcome::Sat(model) => {
            assert_eq!(eval::holds(&formula, &model), Ok(true), "{model:?}");
            true
        }
        outcome => {
            assert_eq!(outcome, Outcome::Unsat);
            false
        }
    }
}

/// Words that differ as first chosen are chosen again when templates want theirs.
#[test]
fn texts_that_stand_in_templates_differ_where_they_have_to() {
    let mut t = Terms::new();
    let [x, y, z, w] = ["x", "y", "z", "w"].map(|name| t.var(name, Sort::String));
    let few = || Regex::Union(["a", "b"].map(|text| Regex::Literal(text.to_owned())).to_vec());
    let starts = || Regex::Concat(vec![Regex::Chars(vec![('a', 'c')]), Regex::All]);
    for (language, other) in [(few(), few()), (starts(), starts()), (few(), starts())] {
        for [one, two] in [[x, y], [y, x]] {
            let same = t.eq(one, two);
            let differ = t.not(same);
            let among = [t.in_re(x, language.clone()), t.in_re(y, other.clone())];
            let of_x = t.matches(z, [Piece::text("p"), Piece::Value(x), Piece::Any]);
            let of_y = t.matches(w, [Piece::text("p"), Piece::Value(y), Piece::Any]);
            assert!(has_model(&t, &[among[0], among[1], differ, of_x, of_y]));
            assert!(has_model(&t, &[of_y, of_x, among[1], differ, among[0]]));
        }
    }
}

#[test]
fn the_longer_of_two_prefixes_counts_whichever_comes_first() {
    let mut t = Terms::new();
    let bits = t.var("bits", Sort::Bits(32));
    let [long, short] = [(0b11, 2), (1, 1)].map(|(value, n)| t.has_prefix(bits, value, n));
    let hole = t.has_prefix(bits, 0b110, 3);
    let outside = t.not(hole);
    for two in [[long, short], [short, long]] {
        assert!(has_model(&t, &two));
        assert!(has_model(&t, &[two[0], two[1], outside]));
    }
    let other = t.has_prefix(bits, 0b111, 3);
    let neither = t.not(other);
    assert!(!has_model(&t, &[short, outside, neither, long]));
}

#[test]
fn the_solver_has_one_name() {
    assert_eq!(Automaton.name(), Automaton::NAME);
}

#[test]
fn a_formula_nested_too_deeply_is_unsupported() {
    let mut t = Terms::new();
    let p = t.var("p", Sort::Bool);
    let q = t.var("q", Sort::Bool);
    let mut term = t.and([p, q]);
    for i in 0..100_000 {
        term = if i % 2 == 0 { t.or([term, p]) } else { t.and([term, q]) };
        term = t.not(term);
    }
    let mut formula = Formula::new(t);
    formula.assert("", term);
    let outcome = Automaton.solve(&formula, &long(), &never()).unwrap().outcome;
    assert_eq!(outcome, Outcome::Unknown(Reason::Unsupported));
}

#[test]
fn a_hard_language_ends_in_unknown_within_the_limits() {
    // `(a|b)*a(a|b){n}` has 2^n states, and two of them differ late.
    let letter = || Regex::Chars(vec![('a', 'b')]);
    let late = |first: &str, n: u32| {
        Regex::Concat(vec![
            Regex::Star(Box::new(letter())),
            Regex::Literal(first.to_owned()),
            Regex::Repeat(Box::new(letter()), n),
        ])
    };
    let mut t = Terms::new();
    let x = t.var("x", Sort::String);
    let words = t.in_re(x, Regex::plus(letter()));
    let mut formula = Formula::new(t);
    formula.assert("words", words);
    for n in 18..40 {
        for first in ["aa", "bb", "aba", "bab"] {
            let term = formula.terms.in_re(x, late(first, n));
            let term = formula.terms.not(term);
            formula.assert("late", term);
        }
    }
    let least = formula.terms.in_re(x, Regex::Repeat(Box::new(Regex::AnyChar), 60));
    formula.assert("long", least);
    let limits = Limits::within(Duration::from_secs(3));
    let start = Instant::now();
    let outcome = Automaton.solve(&formula, &limits, &never()).unwrap().outcome;
    assert!(matches!(outcome, Outcome::Unknown(Reason::Timeout | Reason::Memory)), "{outcome:?}");
    assert!(start.elapsed() < Duration::from_secs(60));
}

/// So many pigeons and one hole fewer: unsatisfiable, and hard for every search of this kind.
fn pigeons(n: usize) -> Formula {
    let mut t = Terms::new();
    let sits = |t: &mut Terms, pigeon: usize, hole: usize| {
        t.var(&format!("{pigeon} in {hole}"), Sort::Bool)
    };
    let mut terms = Vec::new();
    for pigeon in 0..n {
        let holes: Vec<Term> = (1..n).map(|hole| sits(&mut t, pigeon, hole)).collect();
        terms.push(t.or(holes));
    }
    for hole in 1..n {
        for one in 0..n {
            for other in 0..one {
                let both = [sits(&mut t, one, hole), sits(&mut t, other, hole)];
                let both = t.and(both);
                terms.push(t.not(both));
            }
        }
    }
    let mut formula = Formula::new(t);
    for term in terms {
        formula.assert("pigeons", term);
    }
    formula
}
