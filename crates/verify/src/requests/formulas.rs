//! The formulas of a certificate under given values of their variables.
//!
//! A variable without a value leaves open what hangs on it (Kleene, "Introduction to Metamathematics", 1952, section 64).

use std::collections::BTreeSet;

use crate::budget::Budget;
use crate::formulas::language::Languages;
use crate::formulas::read::{Node, Part, Piece, Sort, Term, parts, symbols_of};
use crate::words::Lines;
use crate::{MAX_BYTES, Rejection, Result, require_at_most};

/// The steps for each value of a variable that is looked at.
const BUDGET_PER_VALUE: u64 = 1 << 16;

/// A value of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Of one that is true or false.
    Truth(bool),
    /// Of a text.
    Text(String),
    /// Of bits.
    Bits(u128),
}

/// The formulas of a certificate.
pub struct Query {
    parts: Vec<Part>,
    languages: Languages,
}

/// What a term is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Known {
    Truth(bool),
    /// A text or, as symbols, bits.
    Text(Vec<u32>),
}

impl Query {
    /// Reads formulas: the lines of a certificate between that of the hash and `proof`.
    ///
    /// # Errors
    ///
    /// [`Rejection`]: a line is none of them.
    pub fn read(text: &str) -> Result<Query, Rejection> {
        require_at_most(text.len(), MAX_BYTES)?;
        let mut languages = Languages::new(Budget::of(text.len()));
        let without_steps =
            "part\n".repeat(text.lines().filter(|l| l.starts_with("part ")).count());
        let proof = Lines { text: &without_steps, first: 0 };
        let parts = parts(&Lines { text, first: 1 }, &proof, &mut languages)?;
        Ok(Query { parts, languages })
    }

    /// The number of formulas.
    pub fn n_parts(&self) -> usize {
        self.parts.len()
    }

    /// Of each assertion of a formula whether it is true, as far as the values tell that `value` has for
    /// names of variables.
    ///
    /// # Errors
    ///
    /// [`Rejection`]: a value is of another sort than its variable, or it takes too long.
    ///
    /// # Panics
    ///
    /// If there is no formula of that number.
    pub fn truths(
        &mut self,
        part: usize,
        value: impl Fn(&str) -> Option<Value>,
    ) -> Result<Vec<Option<bool>>, Rejection> {
        let part = &self.parts[part];
        let mut known: Vec<Option<Known>> = vec![None; part.terms.len()];
        for (name, &term) in &part.variables {
            known[term] = match (value(name), &part.terms[term]) {
                (None, _) => None,
                (Some(value), Node::Var(sort)) => Some(value.of(*sort).ok_or_else(|| {
                    Rejection::new(format!("the value of `{name}` does not fit"))
                })?),
                (Some(_), _) => None,
            };
        }
        self.languages.budget.grant(BUDGET_PER_VALUE * part.terms.len() as u64);
        for term in 0..part.terms.len() {
            if known[term].is_none() {
                known[term] = known_of(part, term, &known, &mut self.languages)?;
            }
        }
        let truth = |term: &Term| match known[*term] {
            Some(Known::Truth(truth)) => Some(truth),
            _ => None,
        };
        Ok(part.assertions.iter().map(truth).collect())
    }
}

impl Value {
    fn of(self, sort: Sort) -> Option<Known> {
        match (self, sort) {
            (Value::Truth(truth), Sort::Truth) => Some(Known::Truth(truth)),
            (Value::Text(text), Sort::Text) => {
                Some(Known::Text(text.chars().map(u32::from).collect()))
            }
            (Value::Bits(value), Sort::Bits(width)) => symbols_of(value, width).map(Known::Text),
            _ => None,
        }
    }
}

/// What a term is, by what those are that it names.
fn known_of(
    part: &Part,
    term: Term,
    known: &[Option<Known>],
    languages: &mut Languages,
) -> Result<Option<Known>> {
    let truth = |term: &Term| match known[*term] {
        Some(Known::Truth(truth)) => Some(truth),
        _ => None,
    };
    // `last` settles it wherever it is; else all have to be known.
    let settled = |children: &[Term], last: bool| {
        let truths = || children.iter().map(truth);
        match truths().any(|truth| truth == Some(last)) {
            true => Some(last),
            false => truths().all(|truth| truth.is_some()).then_some(!last),
        }
    };
    let found = match &part.terms[term] {
        Node::Truth(value) => Some(*value),
        Node::Constant(_, text) => return Ok(Some(Known::Text(text.clone()))),
        Node::Var(_) => None,
        Node::Not(inner) => truth(inner).map(|truth| !truth),
        Node::And(children) => settled(children, false),
        Node::Or(children) => settled(children, true),
        Node::Eq(a, b) => match (&known[*a], &known[*b]) {
            (Some(a), Some(b)) => Some(a == b),
            _ => None,
        },
        Node::In(term, language) => match &known[*term] {
            Some(Known::Text(text)) => Some(languages.has(*language, text.iter().copied())?),
            _ => None,
        },
        Node::Match(term, pieces) => match (&known[*term], filled(pieces, known)) {
            (Some(Known::Text(text)), Some(pieces)) => Some(reads(&pieces, text)),
            _ => None,
        },
    };
    Ok(found.map(Known::Truth))
}

/// The pieces with texts in the places of values, if all are known.
fn filled(pieces: &[Piece], known: &[Option<Known>]) -> Option<Vec<Piece>> {
    let of = |piece: &Piece| match piece {
        Piece::Value(value) => match &known[*value] {
            Some(Known::Text(text)) => Some(Piece::Text(text.clone())),
            _ => None,
        },
        other => Some(other.clone()),
    };
    pieces.iter().map(of).collect()
}

/// Whether pieces without values read the text: how far they may have come, piece by piece.
fn reads(pieces: &[Piece], text: &[u32]) -> bool {
    let mut ends = BTreeSet::from([0]);
    for piece in pieces {
        let first = ends.first().copied();
        ends = match piece {
            Piece::Text(own) => {
                let reads = ends.iter().filter(|at| text[**at..].starts_with(own));
                reads.map(|at| at + own.len()).collect()
            }
            Piece::OneChar => ends.iter().map(|at| at + 1).filter(|at| *at <= text.len()).collect(),
            Piece::Any => first.into_iter().flat_map(|at| at..=text.len()).collect(),
            Piece::Value(_) => BTreeSet::new(),
        };
    }
    ends.contains(&text.len())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use super::*;

    const QUERY: &str = r#"part "p"
var text "x"
var text "y"
in 0 cat 2 "a" all
match 0 "a" 1 char all
var bits 8 "n"
prefix 4 4 3
eq 0 1
or 2 6
var truth "t"
and 8 5
not 9
assert 2 "starts"
assert 3 "template"
assert 5 "prefix"
assert 7 "or"
assert 9 "and"
assert 10 "not"
"#;

    fn truths(values: &[(&str, Value)]) -> Vec<Option<bool>> {
        let mut query = Query::read(QUERY).unwrap();
        assert_eq!(query.n_parts(), 1);
        let value = |name: &str| {
            values.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
        };
        query.truths(0, value).unwrap()
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn what_is_known_is_told_and_the_rest_is_open() {
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(truths(&[]), [None; 6]);
        assert_eq!(truths(&[("x", text("abc"))]), [yes, None, None, yes, None, None]);
        assert_eq!(
            truths(&[("x", text("abc")), ("y", text("b"))]),
            [yes, yes, None, yes, None, None]
        );
        assert_eq!(
            truths(&[("x", text("ab")), ("y", text("b")), ("n", Value::Bits(0x3f))]),
            [yes, no, yes, yes, None, None]
        );
        assert_eq!(
            truths(&[("x", text("b")), ("y", text("b")), ("n", Value::Bits(0x4f))]),
            [no, no, no, yes, no, yes]
        );
        assert_eq!(truths(&[("t", Value::Truth(false))]), [None, None, None, None, no, yes]);
        assert_eq!(
            truths(&[("t", Value::Truth(true)), ("n", Value::Bits(0x30))]),
            [None, None, yes, None, yes, no]
        );
    }

    #[test]
    fn values_of_another_sort_and_lines_that_are_none_are_rejected() {
        let mut query = Query::read(QUERY).unwrap();
        let wide = query.truths(0, |name| (name == "n").then_some(Value::Bits(256)));
        assert!(wide.unwrap_err().to_string().contains("the value of `n` does not fit"));
        assert!(query.truths(0, |_| Some(text("a"))).is_err());
        let rejection = Query::read("part \"p\"\nnot 0\n").err().unwrap();
        assert_eq!(rejection.to_string(), "line 2: term 0 is not defined above");
    }
}
