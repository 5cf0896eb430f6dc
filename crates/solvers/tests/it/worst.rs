//! Formulas made to be bad: the answer, or a limit by name; never a hang, an abort, a full stack.
//!
//! Each is asked with little time. Nothing is asserted about how long it takes, only that it ends.

use std::time::{Duration, Instant};

use keyaki_logic::{Formula, Limits, Outcome, Reason, Regex, Solver, Sort, Term, Terms};
use keyaki_solvers::Automaton;

use crate::fakes::never;

/// Time that is too little for what is hard.
const TIMEOUT: Duration = Duration::from_millis(300);

/// The answer is whether the formula is satisfiable, or a limit.
#[track_caller]
fn check(formula: &Formula, is_satisfiable: bool) {
    let start = Instant::now();
    let answer = Automaton.solve(formula, &Limits::within(TIMEOUT), &never()).unwrap();
    eprintln!("{:?} {:?}", start.elapsed(), answer.attempts[0].result);
    match answer.outcome {
        Outcome::Sat(_) => assert!(is_satisfiable),
        Outcome::Unsat => assert!(!is_satisfiable),
        Outcome::Unknown(reason) => {
            assert!(matches!(reason, Reason::Timeout | Reason::Memory), "{reason:?}");
        }
    }
}

fn glob(text: &str) -> Regex {
    let parts = text.split('*').map(|part| Regex::Literal(part.to_owned()));
    let mut all: Vec<Regex> = parts.flat_map(|part| [part, Regex::All]).collect();
    all.pop();
    Regex::Concat(all)
}

fn letters() -> Regex {
    Regex::Chars(vec![('a', 'b')])
}

/// All of the positives and none of the negatives is true of `x`.
fn conjunction(positives: Vec<Regex>, negatives: Vec<Regex>) -> Formula {
    let mut t = Terms::new();
    let x = t.var("x", Sort::String);
    let mut terms: Vec<Term> = positives.into_iter().map(|regex| t.in_re(x, regex)).collect();
    for regex in negatives {
        let term = t.in_re(x, regex);
        terms.push(t.not(term));
    }
    let mut formula = Formula::new(t);
    for term in terms {
        formula.assert("", term);
    }
    formula
}

#[test]
fn complements_of_what_has_exponentially_many_states() {
    // `(a|b)*a(a|b)^n`: not among its words, and as long.
    let before_the_end = |n| {
        let any = Regex::Star(Box::new(letters()));
        let rest = Regex::Repeat(Box::new(letters()), n);
        Regex::Concat(vec![any, Regex::Literal("a".to_owned()), rest])
    };
    for n in [4, 30, 60] {
        let words = vec![Regex::plus(letters()), Regex::Repeat(Box::new(Regex::AnyChar), n + 1)];
        check(&conjunction(words, vec![before_the_end(n)]), true);
    }
    let starts =
        Regex::Concat(vec![Regex::Literal("a".to_owned()), Regex::Star(Box::new(letters()))]);
    for n in [4, 30] {
        let long = Regex::Repeat(Box::new(letters()), n + 1);
        check(&conjunction(vec![starts.clone(), long], vec![before_the_end(n)]), false);
        let many = (0..20).map(|i| before_the_end(n + i)).collect();
        check(&conjunction(vec![starts.clone()], many), true);
    }
}

#[test]
fn thousands_of_overlapping_globs() {
    let digits = Regex::plus(Regex::Chars(vec![('0', '9')]));
    let pairs = |n: usize| (0..n).map(|i| glob(&format!("*{}*{}*", i % 50, i / 50))).collect();
    check(&conjunction(vec![glob("arn:*")], pairs(3_000)), true);
    // Without a spare character, and long.
    let long = Regex::Repeat(Box::new(Regex::AnyChar), 30);
    check(&conjunction(vec![digits.clone(), long.clone()], pairs(3_000)), false);
    // Each of these needs a digit up to 5.
    check(&conjunction(vec![digits, long], pairs(300)), true);
}

#[test]
fn thousands_of_globs_in_clauses_of_which_each_is_told_of_each() {
    let mut t = Terms::new();
    let x = t.var("x", Sort::String);
    let mut clauses = Vec::new();
    for i in 0..4_000 {
        let globs = [format!("*{i}*a*"), format!("*{}*b*", i + 1), format!("{i}*")];
        let atoms: Vec<Term> = globs.iter().map(|text| t.in_re(x, glob(text))).collect();
        clauses.push(t.or(atoms));
    }
    let mut formula = Formula::new(t);
    for clause in clauses {
        formula.assert("", clause);
    }
    check(&formula, true);
}

#[test]
fn patterns_of_ten_thousand_stars() {
    let stars = |text: &str| glob(&(text.repeat(10_000) + "*"));
    check(&conjunction(vec![stars("*a*b"), stars("*b*a")], vec![]), true);
    check(&conjunction(vec![stars("*a*b")], vec![stars("*a")]), false);
    // Of which a word is soon found, and long: it has to be read by ten thousand stars.
    check(&conjunction(vec![stars("*a*b")], vec![]), true);
    check(&conjunction(vec![stars("*a*b")], vec![stars("*c")]), true);
    let many = (0..200).map(|i| glob(&format!("*{i}{}*", "*a*b".repeat(5_000)))).collect();
    check(&conjunction(many, vec![stars("*c")]), true);
    // Which are the same up to a character in the middle.
    let middle = |i: usize| glob(&format!("{}*b{}*", "*a".repeat(10_000 - i), "*a".repeat(i)));
    let outside = (0..60).map(middle).collect();
    check(&conjunction(vec![middle(5_000)], outside), true);
}

#[test]
fn strings_that_are_all_different_and_few() {
    let mut t = Terms::new();
    let names: Vec<Term> = (0..60).map(|i| t.var(&format!("x{i}"), Sort::String)).collect();
    let words = Regex::Union((0..59).map(|i| Regex::Literal(format!("w{i}"))).collect());
    let mut terms: Vec<Term> = names.iter().map(|&x| t.in_re(x, words.clone())).collect();
    for (i, &x) in names.iter().enumerate() {
        for &y in &names[..i] {
            let same = t.eq(x, y);
            terms.push(t.not(same));
        }
    }
    let mut formula = Formula::new(t);
    for term in terms {
        formula.assert("", term);
    }
    check(&formula, false);
}
