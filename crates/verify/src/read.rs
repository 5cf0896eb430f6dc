//! The text of a certificate: parts, each with terms, assertions and steps.
//!
//! docs/certificates.md describes it. Every line is read in one way only, and what is named was defined above, so nothing
//! can be cyclic. What is read is bounded by the length of the text, but for repetitions, which are never unrolled.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::Rejection;
use crate::language::{ALL, BIT, EMPTY, Id, Languages, MAX_CHAR, ONE_CHAR, TooMuch};
use crate::statements::{Entry, Form, NAMELESS};

/// How deep expressions for languages may be.
const MAX_DEPTH: u32 = 200;

/// What lemmas are about, for people.
const KINDS: [&str; 7] = ["included", "apart", "empty", "equality", "bits", "distinct", "template"];

/// A term of a part, by its number.
pub(crate) type Term = usize;

/// What a term is.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(Vec<u32>),
    OneChar,
    Any,
    Value(Term),
}

/// A term and its truth.
pub(crate) type Literal = (Term, bool);

/// Why a clause is said to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) clause: Vec<Literal>,
    pub(crate) rule: Rule,
}

/// A formula and why it has no model.
#[derive(Clone, Debug, Default)]
pub(crate) struct Part {
    pub(crate) label: String,
    pub(crate) terms: Vec<Node>,
    /// The variables by their names.
    pub(crate) variables: HashMap<Vec<u32>, Term>,
    pub(crate) assertions: Vec<Term>,
    pub(crate) steps: Vec<Step>,
}

/// Reads the parts; the second text is that of their steps.
pub(crate) fn parts(
    query: &Lines<'_>,
    proof: &Lines<'_>,
    languages: &mut Languages,
) -> Result<Vec<Part>, Rejection> {
    let mut parts: Vec<Part> = Vec::new();
    for (line, mut words) in query.each() {
        let first = words.word()?;
        if first == "part" {
            parts.push(Part { label: words.text()?, ..Part::default() });
            words.end()?;
            continue;
        }
        let part = parts
            .last_mut()
            .ok_or_else(|| line.rejects("a term stands before the first `part`"))?;
        if first == "assert" {
            let term = words.term(part, Some(Sort::Truth))?;
            words.text()?;
            part.assertions.push(term);
        } else {
            let node = words.node(first, part, languages)?;
            part.terms.push(node);
        }
        words.end()?;
    }
    let mut number = 0;
    for (line, mut words) in proof.each() {
        let first = words.word()?;
        if first == "part" {
            number += 1;
            words.end()?;
            continue;
        }
        let part = (number as usize).checked_sub(1).and_then(|number| parts.get_mut(number));
        let part =
            part.ok_or_else(|| line.rejects("a step stands outside of the parts of the query"))?;
        let step = words.step(first, part)?;
        part.steps.push(step);
    }
    if number as usize != parts.len() {
        return Err(Rejection::new(format!(
            "the query has {} parts and the proof {number}",
            parts.len()
        )));
    }
    Ok(parts)
}

/// A kind, a text in quotes of which nothing is escaped, and what is behind the space after it, if the line begins with that.
fn plain(line: &str) -> Option<(&str, &str, Option<&str>)> {
    let is_plain = |byte: &u8| !matches!(byte, b'"' | b'\\' | 0..=32 | 127..);
    let quote = line.bytes().take_while(is_plain).count();
    let text = line.get(quote + 1..)?;
    let end = text.bytes().take_while(is_plain).count();
    let is_word = line[quote..].starts_with('"')
        && text[end..].starts_with('"')
        && matches!(text.as_bytes().get(end + 1), None | Some(b' '));
    is_word.then(|| (&line[..quote], &text[..end], text.get(end + 2..)))
}

/// The place of a line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place(usize);

impl Place {
    pub(crate) fn rejects(self, reason: impl std::fmt::Display) -> Rejection {
        Rejection::new(format!("line {}: {reason}", self.0))
    }
}

/// Lines of the text, with the number of the first.
pub(crate) struct Lines<'t> {
    pub(crate) text: &'t str,
    pub(crate) first: usize,
}

impl<'t> Lines<'t> {
    pub(crate) fn each(&self) -> impl Iterator<Item = (Place, Words<'t>)> + use<'t> {
        let first = self.first;
        self.text.split_terminator('\n').enumerate().map(move |(at, line)| {
            let place = Place(first + at);
            (place, Words { place, rest: Some(line) })
        })
    }
}

/// The words of a line, one space between them.
pub(crate) struct Words<'t> {
    pub(crate) place: Place,
    rest: Option<&'t str>,
}

impl<'t> Words<'t> {
    fn next(&mut self) -> Option<&'t str> {
        let rest = self.rest?;
        let n_bytes = rest.bytes().take_while(|byte| *byte != b' ').count();
        self.rest = rest.get(n_bytes + 1..);
        Some(&rest[..n_bytes])
    }

    pub(crate) fn word(&mut self) -> Result<&'t str, Rejection> {
        self.next().ok_or_else(|| self.place.rejects("the line is too short"))
    }

    pub(crate) fn end(&mut self) -> Result<(), Rejection> {
        match self.next() {
            None => Ok(()),
            Some(word) => Err(self.place.rejects(format!("`{word}` is too much"))),
        }
    }

    /// The only word that is left.
    pub(crate) fn last(&mut self) -> Result<&'t str, Rejection> {
        let word = self.word()?;
        self.end().map(|()| word)
    }

    /// Whether no word is left.
    pub(crate) fn is_over(&self) -> bool {
        self.rest.is_none()
    }

    /// A number as it is written, without sign or needless zeros.
    pub(crate) fn number<N: std::str::FromStr>(&mut self) -> Result<N, Rejection> {
        let word = self.word()?;
        let is_canonical = word == "0" || !word.starts_with(['0', '+', '-']);
        let number = word.parse::<N>().ok().filter(|_| is_canonical);
        number.ok_or_else(|| self.place.rejects(format!("`{word}` is no number that fits here")))
    }

    fn text(&mut self) -> Result<String, Rejection> {
        let symbols = self.symbols()?;
        Ok(symbols.into_iter().filter_map(char::from_u32).collect())
    }

    /// A text, in quotes but for what stands before them.
    pub(crate) fn entry(
        &mut self,
        kinds: &[&str],
        form: impl Fn(&str) -> Form,
    ) -> Result<Entry<'t>, Rejection> {
        let before = self.rest;
        let (kind, text) = match before.and_then(plain) {
            Some((kind, text, rest)) if kinds.contains(&kind) => {
                self.rest = rest;
                (kind, Cow::Borrowed(text))
            }
            _ => {
                let word = self.word()?;
                let kind = word.find('"').map_or(word, |at| &word[..at]);
                if !kinds.contains(&kind) {
                    let reason = format!("`{word}` is of no kind that fits here");
                    return Err(self.place.rejects(reason));
                }
                let rest = before.and_then(|rest| rest.get(kind.len()..));
                match NAMELESS.contains(&word) {
                    true => (word, Cow::Borrowed("")),
                    false => (kind, Cow::Owned(Words { place: self.place, rest }.text()?)),
                }
            }
        };
        let form = if kind == "$" { Form::Opaque } else { form(&text) };
        Ok(Entry { kind, text, form })
    }

    /// The texts that are left.
    pub(crate) fn entries(
        &mut self,
        kinds: &[&str],
        form: impl Fn(&str) -> Form,
    ) -> Result<Vec<Entry<'t>>, Rejection> {
        let mut entries = Vec::new();
        while !self.is_over() {
            entries.push(self.entry(kinds, &form)?);
        }
        Ok(entries)
    }

    /// `FROM-UPTO@PLACE`.
    pub(crate) fn run(&mut self) -> Result<(usize, usize, usize), Rejection> {
        let word = self.word()?;
        let numbers = word.split_once('-').and_then(|(from, rest)| {
            let (upto, at) = rest.split_once('@')?;
            Some((from.parse().ok()?, upto.parse().ok()?, at.parse().ok()?))
        });
        numbers.ok_or_else(|| self.place.rejects(format!("`{word}` is no run of actions")))
    }

    /// The characters of a text in quotes; `\u{…}` is one by its code.
    fn symbols(&mut self) -> Result<Vec<u32>, Rejection> {
        let word = self.word()?;
        let wrong = |what: &str| self.place.rejects(format!("`{word}` {what}"));
        let inner = word.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let mut rest =
            inner.filter(|_| word.len() > 1).ok_or_else(|| wrong("is no text in quotes"))?;
        let mut symbols = Vec::new();
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            if c != '\\' {
                if c == '"' || c.is_control() {
                    return Err(wrong("has a character that has to be escaped"));
                }
                symbols.push(c.into());
                continue;
            }
            let code = rest.strip_prefix("u{").and_then(|rest| rest.split_once('}'));
            let (code, behind) = code.ok_or_else(|| wrong("has an escape that is none"))?;
            let c = u32::from_str_radix(code, 16).ok().and_then(char::from_u32);
            symbols.push(c.ok_or_else(|| wrong("has an escape of no character"))?.into());
            rest = behind;
        }
        Ok(symbols)
    }

    /// A term defined above, of the sort if one is wanted.
    fn term(&mut self, part: &Part, sort: Option<Sort>) -> Result<Term, Rejection> {
        let term: Term = self.number()?;
        match part.terms.get(term) {
            None => Err(self.place.rejects(format!("term {term} is not defined above"))),
            Some(node) if sort.is_some_and(|sort| sort != sort_of(node)) => Err(self
                .place
                .rejects(format!("term {term} is of another sort than is wanted here"))),
            Some(_) => Ok(term),
        }
    }

    fn truths(&mut self, part: &Part) -> Result<Vec<Term>, Rejection> {
        let mut terms = Vec::new();
        while self.rest.is_some() {
            terms.push(self.term(part, Some(Sort::Truth))?);
        }
        Ok(terms)
    }

    fn variable(&mut self, part: &Part, sort: Sort) -> Result<Term, Rejection> {
        let term = self.term(part, Some(sort))?;
        match part.terms[term] {
            Node::Var(_) => Ok(term),
            _ => Err(self.place.rejects(format!("term {term} is no variable"))),
        }
    }

    fn width(&mut self) -> Result<u32, Rejection> {
        let width = self.number()?;
        if (1..=128).contains(&width) {
            Ok(width)
        } else {
            Err(self.place.rejects("a width is from 1 to 128"))
        }
    }

    fn node(
        &mut self,
        first: &str,
        part: &mut Part,
        languages: &mut Languages,
    ) -> Result<Node, Rejection> {
        let node = match first {
            "true" => Node::Truth(true),
            "false" => Node::Truth(false),
            "text" => Node::Constant(Sort::Text, self.symbols()?),
            "bits" => {
                let width = self.width()?;
                Node::Constant(Sort::Bits(width), self.bits(width)?)
            }
            "var" => {
                let sort = match self.word()? {
                    "truth" => Sort::Truth,
                    "text" => Sort::Text,
                    "bits" => Sort::Bits(self.width()?),
                    other => return Err(self.place.rejects(format!("`{other}` is no sort"))),
                };
                if part.variables.insert(self.symbols()?, part.terms.len()).is_some() {
                    return Err(self.place.rejects("there is a variable of this name"));
                }
                Node::Var(sort)
            }
            "not" => Node::Not(self.term(part, Some(Sort::Truth))?),
            "and" => Node::And(self.truths(part)?),
            "or" => Node::Or(self.truths(part)?),
            "eq" => {
                let a = self.term(part, None)?;
                let sort = sort_of(&part.terms[a]);
                if sort == Sort::Truth {
                    return Err(self.place.rejects("truth values are not compared"));
                }
                Node::Eq(a, self.term(part, Some(sort))?)
            }
            "in" => {
                let term = self.variable(part, Sort::Text)?;
                Node::In(term, self.language(languages, 0)?)
            }
            "match" => {
                let term = self.term(part, Some(Sort::Text))?;
                let mut pieces = Vec::new();
                while let Some(rest) = self.rest {
                    pieces.push(match rest.split(' ').next().unwrap_or_default() {
                        "char" => self.next().map(|_| Piece::OneChar).expect("there is a rest"),
                        "all" => self.next().map(|_| Piece::Any).expect("there is a rest"),
                        word if word.starts_with('"') => Piece::Text(self.symbols()?),
                        _ => Piece::Value(self.term(part, Some(Sort::Text))?),
                    });
                }
                Node::Match(term, pieces)
            }
            "prefix" => {
                let bits = self.term(part, None)?;
                let Node::Var(Sort::Bits(width)) = part.terms[bits] else {
                    return Err(self.place.rejects(format!("term {bits} is no variable of bits")));
                };
                let length = self.number()?;
                if !(1..=width).contains(&length) {
                    return Err(self.place.rejects("a prefix is as long as its term at most"));
                }
                let symbols = self.bits(length)?;
                let first = self.within(languages.text(&symbols))?;
                let rest = self.within(languages.bits(width - length))?;
                Node::In(bits, self.within(languages.cat(first, rest))?)
            }
            other => return Err(self.place.rejects(format!("`{other}` is no kind of term"))),
        };
        Ok(node)
    }

    /// A number of so many bits, as symbols.
    fn bits(&mut self, width: u32) -> Result<Vec<u32>, Rejection> {
        let value = self.number()?;
        let symbols = bits(value, width);
        symbols.ok_or_else(|| self.place.rejects(format!("{value} has more than {width} bits")))
    }

    /// A language, operators before operands.
    fn language(&mut self, languages: &mut Languages, depth: u32) -> Result<Id, Rejection> {
        if depth > MAX_DEPTH {
            return Err(self.place.rejects(format!("a language is deeper than {MAX_DEPTH}")));
        }
        if self.rest.is_some_and(|rest| rest.starts_with('"')) {
            let symbols = self.symbols()?;
            return self.within(languages.text(&symbols));
        }
        let made = match self.word()? {
            "all" => Ok(ALL),
            "char" => languages.set(vec![(0, ONE_CHAR)]),
            "set" => {
                let mut ranges = Vec::new();
                for _ in 0..self.number::<usize>()? {
                    ranges.push((self.character()?, self.character()?));
                }
                languages.set(ranges)
            }
            "but" => {
                let code = self.character()?;
                let below = code.checked_sub(1).map(|last| (0, last));
                languages.set(below.into_iter().chain([(code + 1, ONE_CHAR)]).collect())
            }
            "cat" => {
                let mut all = EMPTY;
                for part in self.languages(languages, depth)?.into_iter().rev() {
                    all = self.within(languages.cat(part, all))?;
                }
                Ok(all)
            }
            "or" => {
                let parts = self.languages(languages, depth)?;
                languages.or(parts)
            }
            "and" => {
                let parts = self.languages(languages, depth)?;
                languages.and(parts)
            }
            "not" => {
                let inner = self.language(languages, depth + 1)?;
                languages.not(inner)
            }
            "loop" => {
                let least = self.number()?;
                let most = match self.rest {
                    Some(rest) if rest.starts_with("- ") => self.next().and(None),
                    _ => Some(self.number()?),
                };
                let inner = self.language(languages, depth + 1)?;
                languages.repeat(inner, least, most)
            }
            other => return Err(self.place.rejects(format!("`{other}` is no language"))),
        };
        self.within(made)
    }

    fn languages(&mut self, languages: &mut Languages, depth: u32) -> Result<Vec<Id>, Rejection> {
        let n: usize = self.number()?;
        (0..n).map(|_| self.language(languages, depth + 1)).collect()
    }

    /// The code of a character.
    fn character(&mut self) -> Result<u32, Rejection> {
        let code: u32 = self.number()?;
        if code > MAX_CHAR {
            Err(self.place.rejects(format!("{code} is no character")))
        } else {
            Ok(code)
        }
    }

    fn within<T>(&self, made: Result<T, TooMuch>) -> Result<T, Rejection> {
        made.map_err(|TooMuch| {
            self.place.rejects("the languages take more than this checker spends")
        })
    }

    fn step(&mut self, first: &str, part: &Part) -> Result<Step, Rejection> {
        let mut rule = match first {
            "from" => Rule::From(self.number()?),
            "def" => Rule::Def,
            "lemma" => {
                // Which argument it is does not matter here.
                let kind = self.word()?;
                if !KINDS.contains(&kind) {
                    return Err(self.place.rejects(format!("`{kind}` is no kind of lemma")));
                }
                Rule::Lemma
            }
            "rup" => Rule::Rup(Vec::new()),
            other => return Err(self.place.rejects(format!("`{other}` is no rule"))),
        };
        let mut clause: Vec<Literal> = Vec::new();
        while let Some(word) = self.next() {
            if word == ":" {
                let Rule::Rup(hints) = &mut rule else {
                    return Err(self.place.rejects("only `rup` has hints"));
                };
                while self.rest.is_some() {
                    hints.push(self.number()?);
                }
                break;
            }
            let truth = word.starts_with('+');
            let mut rest = Words { place: self.place, rest: word.get(1..) };
            if !truth && !word.starts_with('-') {
                return Err(self.place.rejects(format!("`{word}` is no literal")));
            }
            let literal = (rest.term(part, Some(Sort::Truth))?, truth);
            if clause.last().is_some_and(|last| *last >= literal) {
                return Err(self.place.rejects("the literals of a clause do not ascend"));
            }
            clause.push(literal);
        }
        Ok(Step { clause, rule })
    }
}

fn sort_of(node: &Node) -> Sort {
    match node {
        Node::Constant(sort, _) | Node::Var(sort) => *sort,
        _ => Sort::Truth,
    }
}

/// A number as so many bits, the most significant first, if it has no more.
pub(crate) fn bits(value: u128, width: u32) -> Option<Vec<u32>> {
    let fits = width == 128 || value >> width == 0;
    fits.then(|| (0..width).rev().map(|at| BIT + (value >> at & 1) as u32).collect())
}
