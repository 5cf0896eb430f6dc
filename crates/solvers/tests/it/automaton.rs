//! The embedded solver against trying all values, and against the installed solvers.
//!
//! By hand it was run for minutes in a release build (the counts are in `docs/automata.md`).

use std::time::{Duration, Instant};

use keyaki_logic::{
    Cancel, Formula, Limits, Model, Outcome, Piece, Reason, Regex, Solver, Sort, Term, Terms,
    Value, eval,
};
use keyaki_solvers::{Automaton, Checked};
use keyaki_testing::arbitrary::{self, Unstructured};
use keyaki_testing::arbtest;

use crate::fakes::{long, never};
use crate::real::installed;

const BOOLS: [&str; 2] = ["p", "q"];
const STRINGS: [&str; 3] = ["x", "y", "z"];
const BITS: [&str; 2] = ["m", "n"];

/// The width of the bit vectors.
const WIDTH: u32 = 2;

/// The words that strings are tried with; those of which formulas speak, and a few more.
const WORDS: [&str; 9] = ["", "a", "b", "aa", "ab", "ba", "bb", "c", "abc"];

/// What a formula may contain.
#[derive(Clone, Copy)]
struct Mix {
    strings: usize,
    bits: usize,
    templates: bool,
}

/// How long a property makes formulas up every day, in milliseconds.
const BUDGET_MS: u64 = 1_500;

/// A definite answer is the one that trying all values gives, and the answer is definite.
#[track_caller]
fn check_against_all_values(mix: Mix) {
    let mut n = 0;
    let (mut n_sat, mut n_unknown) = (0, 0);
    arbtest(|u| {
        let formula = random_formula(u, mix)?;
        let answer = Automaton.solve(&formula, &long(), &never()).unwrap();
        n += 1;
        match answer.outcome {
            Outcome::Sat(model) => {
                n_sat += 1;
                assert_eq!(eval::holds(&formula, &model), Ok(true), "{formula:#?}");
            }
            Outcome::Unsat => {
                let model = models(&formula).find(|model| eval::holds(&formula, model) == Ok(true));
                assert_eq!(model, None, "{formula:#?}");
            }
            Outcome::Unknown(reason) => {
                n_unknown += 1;
                assert!(mix.templates, "{reason:?} {formula:#?}");
                assert_eq!(reason, Reason::Unsupported);
            }
        }
        Ok(())
    })
    .budget_ms(BUDGET_MS);
    eprintln!("{n} formulas, {n_sat} satisfiable, {n_unknown} unknown");
}

#[test]
fn automaton_agrees_with_brute_force_on_strings() {
    check_against_all_values(Mix { strings: 3, bits: 0, templates: false });
}

#[test]
fn automaton_agrees_with_brute_force_on_bits() {
    check_against_all_values(Mix { strings: 1, bits: 2, templates: false });
}

#[test]
fn automaton_agrees_with_brute_force_on_templates() {
    check_against_all_values(Mix { strings: 3, bits: 0, templates: true });
}

#[test]
fn solvers_agree() {
    let solvers: Vec<_> = installed().into_iter().map(Checked::new).collect();
    if solvers.is_empty() {
        return;
    }
    arbtest(|u| {
        let templates = u.ratio(1, 4)?;
        let formula = random_formula(u, Mix { strings: 2, bits: 1, templates })?;
        let ours = Automaton.solve(&formula, &long(), &never()).unwrap().outcome;
        let solver = u.choose(&solvers)?;
        let limits = Limits::within(Duration::from_secs(5));
        let theirs = solver.solve(&formula, &limits, &never()).unwrap().outcome;
        let contradiction = matches!(
            (&ours, &theirs),
            (Outcome::Sat(_), Outcome::Unsat) | (Outcome::Unsat, Outcome::Sat(_))
        );
        assert!(!contradiction, "{} says {theirs:?}, we {ours:?}\n{formula:#?}", solver.name());
        Ok(())
    })
    .budget_ms(3 * BUDGET_MS);
}

#[test]
fn the_same_formula_has_the_same_model() {
    arbtest(|u| {
        let formula = random_formula(u, Mix { strings: 3, bits: 1, templates: true })?;
        let solve = || Automaton.solve(&formula, &long(), &never()).unwrap().outcome;
        assert_eq!(solve(), solve());
        Ok(())
    })
    .budget_ms(300);
}

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

fn random_formula(u: &mut Unstructured<'_>, mix: Mix) -> arbitrary::Result<Formula> {
    let mut t = Terms::new();
    let mut roots = Vec::new();
    for name in &STRINGS[..mix.strings] {
        // Few words, so that disequalities and complements can run out of them.
        if u.ratio(1, 2)? {
            let mut words = Vec::new();
            for _ in 0..u.int_in_range(1..=3)? {
                words.push(Regex::Literal((*u.choose(&WORDS)?).to_owned()));
            }
            let variable = t.var(name, Sort::String);
            roots.push(t.in_re(variable, Regex::Union(words)));
        }
    }
    for _ in 0..u.int_in_range(1..=5)? {
        let depth = u.int_in_range(0..=3)?;
        roots.push(random_term(u, &mut t, mix, depth)?);
    }
    let mut formula = Formula::new(t);
    for root in roots {
        formula.assert("", root);
    }
    Ok(formula)
}

fn random_term(
    u: &mut Unstructured<'_>,
    t: &mut Terms,
    mix: Mix,
    depth: u32,
) -> arbitrary::Result<Term> {
    if depth == 0 || u.ratio(1, 5)? {
        let atom = random_atom(u, t, mix)?;
        return Ok(if u.arbitrary()? { t.not(atom) } else { atom });
    }
    let mut children = Vec::new();
    for _ in 0..u.int_in_range(1..=4)? {
        children.push(random_term(u, t, mix, depth - 1)?);
    }
    let term = if u.arbitrary()? { t.and(children) } else { t.or(children) };
    Ok(if u.ratio(1, 3)? { t.not(term) } else { term })
}

fn random_atom(u: &mut Unstructured<'_>, t: &mut Terms, mix: Mix) -> arbitrary::Result<Term> {
    let string = |u: &mut Unstructured<'_>, t: &mut Terms| {
        u.choose(&STRINGS[..mix.strings]).map(|name| t.var(name, Sort::String))
    };
    let choice = u.int_in_range(0..=9)?;
    Ok(match choice {
        0 => t.var(u.choose::<&str>(&BOOLS)?, Sort::Bool),
        1 | 2 => {
            let (x, word) = (string(u, t)?, *u.choose(&WORDS)?);
            let word = t.string(word);
            t.eq(x, word)
        }
        3 => {
            let (x, y) = (string(u, t)?, string(u, t)?);
            t.eq(x, y)
        }
        4 | 5 if mix.templates => {
            let mut pieces = Vec::new();
            for _ in 0..u.int_in_range(1..=4)? {
                pieces.push(match u.int_in_range(0..=5)? {
                    0 => Piece::AnyChar,
                    1 => Piece::Any,
                    2 => Piece::text("a"),
                    3 => Piece::text("b"),
                    _ => Piece::Value(string(u, t)?),
                });
            }
            let x = if u.ratio(1, 6)? { t.string("ab") } else { string(u, t)? };
            t.matches(x, pieces)
        }
        6..=8 if mix.bits > 0 => {
            let name = u.choose(&BITS[..mix.bits])?;
            let bits = t.var(name, Sort::Bits(WIDTH));
            if mix.bits > 1 && u.ratio(1, 4)? {
                let other = t.var(u.choose::<&str>(&BITS)?, Sort::Bits(WIDTH));
                t.eq(bits, other)
            } else {
                let length = u.int_in_range(1..=WIDTH)?;
                t.has_prefix(bits, u.int_in_range(0..=(1u128 << length) - 1)?, length)
            }
        }
        _ => {
            let x = string(u, t)?;
            let regex = random_regex(u, 2)?;
            t.in_re(x, regex)
        }
    })
}

fn random_regex(u: &mut Unstructured<'_>, depth: u32) -> arbitrary::Result<Regex> {
    let choice = if depth == 0 { u.int_in_range(0..=5)? } else { u.int_in_range(0..=9)? };
    Ok(match choice {
        0 | 1 => Regex::Literal((*u.choose(&WORDS)?).to_owned()),
        2 => Regex::AnyChar,
        3 => Regex::All,
        4 => Regex::Chars(vec![('a', *u.choose(&['a', 'b', 'z', '\u{10ffff}'])?)]),
        5 => Regex::NotChar(*u.choose(&['a', 'b'])?),
        6 | 7 => {
            let mut parts = Vec::new();
            for _ in 0..u.int_in_range(0..=3)? {
                parts.push(random_regex(u, depth - 1)?);
            }
            Regex::Concat(parts)
        }
        8 => {
            let mut parts = Vec::new();
            for _ in 0..u.int_in_range(0..=3)? {
                parts.push(random_regex(u, depth - 1)?);
            }
            Regex::Union(parts)
        }
        _ => {
            let inner = Box::new(random_regex(u, depth - 1)?);
            if u.arbitrary()? { Regex::Star(inner) } else { Regex::Repeat(inner, 2) }
        }
    })
}

/// All assignments of the words and numbers to the variables of the formula.
fn models(formula: &Formula) -> impl Iterator<Item = Model> {
    let variables: Vec<(String, Vec<Value>)> = formula
        .variables()
        .into_iter()
        .map(|(name, sort)| (name.to_owned(), values(sort)))
        .collect();
    let n: usize = variables.iter().map(|(_, values)| values.len()).product();
    (0..n).map(move |mut i| {
        let pick = |(name, values): &(String, Vec<Value>)| {
            let value = values[i % values.len()].clone();
            i /= values.len();
            (name.clone(), value)
        };
        variables.iter().map(pick).collect()
    })
}

fn values(sort: Sort) -> Vec<Value> {
    match sort {
        Sort::Bool => vec![Value::Bool(false), Value::Bool(true)],
        Sort::String => WORDS.iter().map(|word| Value::String((*word).to_owned())).collect(),
        Sort::Bits(width) => (0..1 << width).map(|value| Value::Bits { value, width }).collect(),
    }
}
