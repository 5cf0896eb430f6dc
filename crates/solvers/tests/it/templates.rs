//! Patterns with variables, as each installed solver understands them, against trying all values.

use std::time::Duration;

use keyaki_logic::{
    Formula, Limits, Model, Outcome, Piece, Reason, Regex, Solver, Sort, Term, Terms, Value, eval,
};
use keyaki_solvers::Checked;
use keyaki_testing::arbitrary::{self, Unstructured};
use keyaki_testing::arbtest;

use crate::fakes::{long, never};
use crate::real::installed;

const VARIABLES: [&str; 3] = ["x", "y", "z"];

/// The longest value of a variable, in characters.
const MAX_LENGTH: u32 = 3;

/// For how long formulas are made up, each of which starts every solver.
const BUDGET_MS: u64 = 4_000;

/// For how long a solver may think about a formula. Some have no end: seed `0xed102a8c00000096` of this test keeps cvc5 1.0.3 busy
/// for more than two minutes. That is no wrong answer.
const PATIENCE: Duration = Duration::from_secs(5);

#[test]
fn each_agrees_with_trying_all_values() {
    let solvers: Vec<_> = installed().into_iter().map(Checked::new).collect();
    if solvers.is_empty() {
        return;
    }
    let universe = universe();
    arbtest(|u| {
        let formula = random_formula(u)?;
        let satisfiable = models(&universe).any(|model| eval::holds(&formula, &model) == Ok(true));
        for solver in &solvers {
            // `Checked` evaluates a model, so a wrong one is an error here.
            let answer = solver.solve(&formula, &Limits::within(PATIENCE), &never());
            let answer = answer.unwrap_or_else(|e| panic!("{}: {e}\n{formula:#?}", solver.name()));
            match answer.outcome {
                Outcome::Sat(_) => assert!(satisfiable, "{}\n{formula:#?}", solver.name()),
                Outcome::Unsat => assert!(!satisfiable, "{}\n{formula:#?}", solver.name()),
                Outcome::Unknown(Reason::Unsupported | Reason::Timeout) => {}
                Outcome::Unknown(reason) => panic!("{}: {reason:?}\n{formula:#?}", solver.name()),
            }
        }
        Ok(())
    })
    .budget_ms(BUDGET_MS);
}

/// What cannot be said to a solver is not said to it.
#[test]
fn a_character_between_stars_beside_a_variable_is_unsupported() {
    let mut t = Terms::new();
    let (x, y) = (t.var("x", Sort::String), t.var("y", Sort::String));
    let pieces = [
        Piece::Any,
        Piece::text("a"),
        Piece::AnyChar,
        Piece::text("b"),
        Piece::Any,
        Piece::Value(y),
    ];
    let term = t.matches(x, pieces);
    let mut formula = Formula::new(t);
    formula.assert("", term);
    for solver in installed() {
        let outcome = solver.solve(&formula, &long(), &never()).unwrap().outcome;
        assert_eq!(outcome, Outcome::Unknown(Reason::Unsupported), "{}", solver.name());
    }
}

/// Some templates, negated or not, over variables that are confined to the universe.
fn random_formula(u: &mut Unstructured<'_>) -> arbitrary::Result<Formula> {
    let mut t = Terms::new();
    let variables = VARIABLES.map(|name| t.var(name, Sort::String));
    let mut atoms = Vec::new();
    for _ in 0..u.int_in_range(1..=3)? {
        let atom = random_template(u, &mut t, variables)?;
        atoms.push(if u.ratio(1, 3)? { t.not(atom) } else { atom });
    }
    let conjunction = u.arbitrary()?;
    let root = if conjunction { t.and(atoms) } else { t.or(atoms) };
    let letter = || Box::new(Regex::Chars(vec![('a', 'b')]));
    let words = (0..=MAX_LENGTH).map(|length| Regex::Repeat(letter(), length));
    let words = Regex::Union(words.collect());
    let confined = variables.map(|variable| t.in_re(variable, words.clone()));
    let mut formula = Formula::new(t);
    formula.assert("templates", root);
    for term in confined {
        formula.assert("universe", term);
    }
    Ok(formula)
}

fn random_template(
    u: &mut Unstructured<'_>,
    t: &mut Terms,
    variables: [Term; 3],
) -> arbitrary::Result<Term> {
    let mut pieces = Vec::new();
    for _ in 0..u.int_in_range(2..=6)? {
        pieces.push(match u.int_in_range(0..=6)? {
            0 => Piece::text("a"),
            1 => Piece::text("b"),
            2 => Piece::AnyChar,
            3 | 4 => Piece::Any,
            _ => Piece::Value(*u.choose(&variables)?),
        });
    }
    let string = *u.choose(&variables)?;
    Ok(t.matches(string, pieces))
}

/// All words of at most `MAX_LENGTH` letters.
fn universe() -> Vec<String> {
    let mut words = vec![String::new()];
    let mut first = 0;
    for _ in 0..MAX_LENGTH {
        let end = words.len();
        for i in first..end {
            words.push(format!("{}a", words[i]));
            words.push(format!("{}b", words[i]));
        }
        first = end;
    }
    words
}

fn models(universe: &[String]) -> impl Iterator<Item = Model> {
    let n = universe.len();
    (0..n * n * n).map(move |i| {
        let words = [i % n, i / n % n, i / n / n];
        let value = |(name, word): (&&str, usize)| {
            ((*name).to_owned(), Value::String(universe[word].clone()))
        };
        VARIABLES.iter().zip(words).map(value).collect()
    })
}
