//! The text of a certificate of formulas: parts, each with terms, assertions and steps.
//!
//! docs/certificates.md describes it. What is named was defined above, so nothing can be cyclic. What is read is bounded by the length of
//! the text, but for repetitions, which are never unrolled.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use super::language::{ALL, BIT, EMPTY, Id, Languages, MAX_CHAR, ONE_CHAR};
use crate::words::{self, Lines, Words};
use crate::{Rejection, Result, require};

/// How deep expressions for languages may be.
const MAX_DEPTH: u32 = 200;

/// What lemmas are about, for people.
const KINDS: [&str; 7] = ["included", "apart", "empty", "equality", "bits", "distinct", "template"];

/// A term of a part, by its number.
pub(crate) type Term = usize;

/// What a term is.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Truth(bool),
    /// A text or, as symbols, bits.
    Constant(Sort, Vec<u32>),
    Var(Sort),
    Not(Term),
    And(Vec<Term>),
    Or(Vec<Term>),
    Eq(Term, Term),
    In(Term, Id),
    Match(Term, Vec<Piece>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    Truth,
    Text,
    Bits(u32),
}

/// A piece of a pattern.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    Text(Vec<u32>),
    OneChar,
    Any,
    Value(Term),
}

/// A term and its truth.
pub(crate) type Literal = (Term, bool);

/// Why a clause is said to hold.
#[derive(Debug)]
pub(crate) enum Rule {
    /// It is a part of this assertion.
    From(usize),
    /// By what a connective means.
    Def,
    /// By what atoms mean.
    Lemma,
    /// It follows from these steps by unit propagation.
    Rup(Vec<usize>),
}

/// A clause, ascending, and why it holds.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) clause: Vec<Literal>,
    pub(crate) rule: Rule,
}

/// A formula and why it has no model.
#[derive(Debug, Default)]
pub(crate) struct Part {
    pub(crate) label: String,
    pub(crate) terms: Vec<Node>,
    /// The variables by their names.
    pub(crate) variables: HashMap<String, Term>,
    pub(crate) assertions: Vec<Term>,
    pub(crate) steps: Vec<Step>,
}

/// Reads the parts; the second text is that of their steps.
pub(crate) fn parts(
    query: &Lines<'_>,
    proof: &Lines<'_>,
    languages: &mut Languages,
) -> Result<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    query.each(|first, words| {
        if first == "part" {
            parts.push(Part { label: words.text()?.into_owned(), ..Part::default() });
            return Ok(());
        }
        let part = parts.last_mut();
        let part = part.ok_or_else(|| Rejection::new("a term stands before the first `part`"))?;
        if first == "assert" {
            part.assertions.push(part.named(words.word()?, Sort::Truth)?);
            return words.text().map(drop);
        }
        let node = part.node(first, words, languages)?;
        part.terms.push(node);
        Ok(())
    })?;
    let mut n_parts = 0;
    proof.each(|first, words| {
        if first == "part" {
            n_parts += 1;
            return Ok(());
        }
        let part = usize::checked_sub(n_parts, 1).and_then(|at| parts.get_mut(at));
        let outside = || Rejection::new("a step stands outside of the parts of the query");
        let part = part.ok_or_else(outside)?;
        part.steps.push(part.step(first, words)?);
        Ok(())
    })?;
    let n = parts.len();
    require(n_parts == n, || format!("the query has {n} parts and the proof {n_parts}"))?;
    Ok(parts)
}

impl Part {
    fn sort_of(&self, term: Term) -> Result<Sort> {
        match self.terms.get(term) {
            None => Err(Rejection::new(format!("term {term} is not defined above"))),
            Some(Node::Constant(sort, _) | Node::Var(sort)) => Ok(*sort),
            Some(_) => Ok(Sort::Truth),
        }
    }

    /// The term of a number, which is of this sort.
    fn named(&self, number: &str, sort: Sort) -> Result<Term> {
        let term = words::number(number)?;
        let is_wanted = self.sort_of(term)? == sort;
        require(is_wanted, || format!("term {term} is of another sort than is wanted here"))?;
        Ok(term)
    }

    fn node(
        &mut self,
        first: &str,
        words: &mut Words<'_>,
        languages: &mut Languages,
    ) -> Result<Node> {
        Ok(match first {
            "true" | "false" => Node::Truth(first == "true"),
            "text" => Node::Constant(Sort::Text, symbols(words.word()?)?),
            "bits" => {
                let width = number(words, "width", 1..=128)?;
                Node::Constant(Sort::Bits(width), bits(words, width)?)
            }
            "var" => {
                let sort = match words.word()? {
                    "truth" => Sort::Truth,
                    "text" => Sort::Text,
                    "bits" => Sort::Bits(number(words, "width", 1..=128)?),
                    other => return Err(Rejection::new(format!("`{other}` is no sort"))),
                };
                let before = self.variables.insert(words.text()?.into_owned(), self.terms.len());
                require(before.is_none(), || "there is a variable of this name".to_owned())?;
                Node::Var(sort)
            }
            "not" => Node::Not(self.named(words.word()?, Sort::Truth)?),
            "and" | "or" => {
                let children = words.map(|word| self.named(word, Sort::Truth));
                let children = children.collect::<Result<_>>()?;
                if first == "and" { Node::And(children) } else { Node::Or(children) }
            }
            "eq" => {
                let a = words.number()?;
                let sort = self.sort_of(a)?;
                require(sort != Sort::Truth, || "truth values are not compared".to_owned())?;
                Node::Eq(a, self.named(words.word()?, sort)?)
            }
            "in" => {
                let term = self.named(words.word()?, Sort::Text)?;
                Node::In(term, language(words, languages, 0)?)
            }
            "match" => {
                let term = self.named(words.word()?, Sort::Text)?;
                let pieces = words.map(|word| match word {
                    "char" => Ok(Piece::OneChar),
                    "all" => Ok(Piece::Any),
                    _ if word.starts_with('"') => symbols(word).map(Piece::Text),
                    _ => self.named(word, Sort::Text).map(Piece::Value),
                });
                Node::Match(term, pieces.collect::<Result<_>>()?)
            }
            "prefix" => {
                let term = words.number()?;
                let Sort::Bits(width) = self.sort_of(term)? else {
                    return Err(Rejection::new(format!("term {term} is no number of bits")));
                };
                let length = number(words, "length of a prefix", 1..=width)?;
                let first = languages.text(&bits(words, length)?)?;
                let rest = languages.bits(width - length)?;
                Node::In(term, languages.cat(first, rest)?)
            }
            other => return Err(Rejection::new(format!("`{other}` is no kind of term"))),
        })
    }

    fn step(&self, first: &str, words: &mut Words<'_>) -> Result<Step> {
        let mut rule = match first {
            "from" => Rule::From(words.number()?),
            "def" => Rule::Def,
            "lemma" => {
                // Which argument it is does not matter here.
                let kind = words.word()?;
                require(KINDS.contains(&kind), || format!("`{kind}` is no kind of lemma"))?;
                Rule::Lemma
            }
            "rup" => Rule::Rup(Vec::new()),
            other => return Err(Rejection::new(format!("`{other}` is no rule"))),
        };
        let mut clause: Vec<Literal> = Vec::new();
        while let Some(word) = words.next() {
            if let (":", Rule::Rup(hints)) = (word, &mut rule) {
                *hints = words.map(words::number).collect::<Result<_>>()?;
                break;
            }
            let term = word.strip_prefix(['+', '-']);
            let term = term.ok_or_else(|| Rejection::new(format!("`{word}` is no literal")))?;
            let literal = (self.named(term, Sort::Truth)?, word.starts_with('+'));
            require(clause.last().is_none_or(|last| *last < literal), || {
                "the literals of a clause do not ascend".to_owned()
            })?;
            clause.push(literal);
        }
        Ok(Step { clause, rule })
    }
}

/// A language, operators before operands.
fn language(words: &mut Words<'_>, languages: &mut Languages, depth: u32) -> Result<Id> {
    require(depth <= MAX_DEPTH, || format!("a language is deeper than {MAX_DEPTH}"))?;
    let character = |words: &mut Words<'_>| number(words, "character", 0..=MAX_CHAR);
    match words.word()? {
        "all" => Ok(ALL),
        "char" => languages.set(vec![(0, ONE_CHAR + 1)]),
        "set" => {
            let n: usize = words.number()?;
            let ranges = (0..n).map(|_| Ok((character(words)?, character(words)? + 1)));
            languages.set(ranges.collect::<Result<_>>()?)
        }
        "but" => {
            let code = character(words)?;
            languages.set(vec![(0, code), (code + 1, ONE_CHAR + 1)])
        }
        operator @ ("cat" | "or" | "and") => {
            let n: usize = words.number()?;
            let parts = (0..n).map(|_| language(words, languages, depth + 1));
            let parts = parts.collect::<Result<Vec<Id>>>()?;
            match operator {
                "cat" => {
                    parts.into_iter().rev().try_fold(EMPTY, |all, part| languages.cat(part, all))
                }
                "or" => languages.or(parts),
                _ => languages.and(parts),
            }
        }
        "not" => {
            let inner = language(words, languages, depth + 1)?;
            languages.not(inner)
        }
        "loop" => {
            let least = words.number()?;
            let most = match words.word()? {
                "-" => None,
                most => Some(words::number(most)?),
            };
            let inner = language(words, languages, depth + 1)?;
            languages.repeat(inner, least, most)
        }
        word if word.starts_with('"') => languages.text(&symbols(word)?),
        other => Err(Rejection::new(format!("`{other}` is no language"))),
    }
}

/// A number within bounds.
fn number(words: &mut Words<'_>, what: &str, bounds: RangeInclusive<u32>) -> Result<u32> {
    let number = words.number()?;
    let (least, most) = bounds.clone().into_inner();
    require(bounds.contains(&number), || format!("{number} is no {what}, from {least} to {most}"))?;
    Ok(number)
}

/// The characters of a text in quotes.
fn symbols(word: &str) -> Result<Vec<u32>> {
    Ok(words::text(word)?.chars().map(u32::from).collect())
}

/// A number of so many bits, as symbols.
fn bits(words: &mut Words<'_>, width: u32) -> Result<Vec<u32>> {
    let value = words.number()?;
    let symbols = symbols_of(value, width);
    symbols.ok_or_else(|| Rejection::new(format!("{value} has more than {width} bits")))
}

/// The bits of a number, the most significant first, if they are no more.
pub(crate) fn symbols_of(value: u128, width: u32) -> Option<Vec<u32>> {
    let fits = width == 128 || value >> width == 0;
    fits.then(|| (0..width).rev().map(|at| BIT + (value >> at & 1) as u32).collect())
}
