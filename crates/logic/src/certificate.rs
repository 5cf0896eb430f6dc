//! Proofs as text that somebody else can check: certificates.
//!
//! docs/certificates.md describes the text, and `keyaki-verify` checks it without any code of this crate. The formulas
//! come first; their hash names the query. Of the terms of a formula only those are written that an assertion or a step has, in the order in
//! which they are met, children first.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::proof::{Literal, Proof, Rule, Theory};
use crate::regex::Regex;
use crate::template::Piece;
use crate::term::{Formula, Node, Sort, Term, TermMap, Terms};

/// A formula and the proof that it has no model, and what the formula is about, in words.
#[derive(Clone, Debug)]
pub struct Part {
    /// The words.
    pub label: String,
    /// The formula.
    pub formula: Formula,
    /// The proof.
    pub proof: Proof,
}

/// Formulas that have no model, and why, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The text.
    pub text: String,
    /// SHA-256 of the formulas as they are written in it, in hexadecimal digits.
    pub query: String,
}

impl Certificate {
    /// The certificate of these parts, in their order.
    ///
    /// # Panics
    ///
    /// If a proof speaks of a term that its formula does not have, so that it is none of that formula.
    pub fn new(parts: &[Part]) -> Certificate {
        let (mut query, mut proof) = (String::new(), String::new());
        for Part { label, formula, proof: steps } in parts {
            let mut writer = Writer::of(label, formula, query);
            // A lemma may be about an atom of an assertion that was dropped.
            for literal in steps.steps.iter().flat_map(|step| &step.clause) {
                writer.define(literal.term);
            }
            proof.push_str("part\n");
            writer.steps(steps, &mut proof);
            query = writer.out;
        }
        let hash = hash(&query);
        let text = format!("keyaki-certificate 1\nquery {hash}\n{query}proof\n{proof}end\n");
        Certificate { text, query: hash }
    }
}

/// Formulas as certificates write them, each after its label.
pub fn query<'f>(formulas: impl IntoIterator<Item = (&'f str, &'f Formula)>) -> String {
    let written = formulas.into_iter();
    written.fold(String::new(), |query, (label, formula)| Writer::of(label, formula, query).out)
}

/// The name of a query: SHA-256 of its text, in hexadecimal digits.
pub fn hash(query: &str) -> String {
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or_default();
    Sha256::digest(query).iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Writes the terms of one formula.
struct Writer<'t> {
    terms: &'t Terms,
    numbers: TermMap<usize>,
    out: String,
}

impl<'t> Writer<'t> {
    /// Writes a formula behind others.
    fn of(label: &str, formula: &'t Formula, mut out: String) -> Writer<'t> {
        let _ = writeln!(out, "part {}", quoted(label));
        let mut writer = Writer { terms: &formula.terms, numbers: TermMap::default(), out };
        for (label, assertion) in formula.assertions() {
            writer.define(*assertion);
            let number = writer.numbers[assertion];
            let _ = writeln!(writer.out, "assert {number} {}", quoted(label));
        }
        writer
    }

    /// Writes a term after its children, unless it is written.
    fn define(&mut self, term: Term) {
        let mut open = vec![(term, false)];
        while let Some((term, are_children_written)) = open.pop() {
            if self.numbers.contains_key(&term) {
                continue;
            }
            if !are_children_written {
                open.push((term, true));
                open.extend(
                    children(self.terms.node(term)).into_iter().rev().map(|child| (child, false)),
                );
                continue;
            }
            self.write(term);
            self.numbers.insert(term, self.numbers.len());
        }
    }

    fn write(&mut self, term: Term) {
        let number = |term: &Term| self.numbers[term];
        let out = &mut self.out;
        let _ = match self.terms.node(term) {
            Node::Bool(value) => writeln!(out, "{value}"),
            Node::String(text) => writeln!(out, "text {}", quoted(text)),
            Node::Bits { value, width } => writeln!(out, "bits {width} {value}"),
            Node::Var(index) => {
                let (name, sort) = self.terms.variable(*index);
                let sort = match sort {
                    Sort::Bool => "truth".to_owned(),
                    Sort::String => "text".to_owned(),
                    Sort::Bits(width) => format!("bits {width}"),
                };
                writeln!(out, "var {sort} {}", quoted(name))
            }
            Node::Not(inner) => writeln!(out, "not {}", number(inner)),
            node @ (Node::And(children) | Node::Or(children)) => {
                out.push_str(if matches!(node, Node::And(_)) { "and" } else { "or" });
                for child in children {
                    let _ = write!(out, " {}", number(child));
                }
                writeln!(out)
            }
            Node::Eq(a, b) => writeln!(out, "eq {} {}", number(a), number(b)),
            Node::InRe(string, regex) => {
                let _ = write!(out, "in {}", number(string));
                language(regex, out);
                writeln!(out)
            }
            Node::Matches(string, pieces) => {
                let _ = write!(out, "match {}", number(string));
                for piece in pieces {
                    let _ = match piece {
                        Piece::Text(text) => write!(out, " {}", quoted(text)),
                        Piece::AnyChar => write!(out, " char"),
                        Piece::Any => write!(out, " all"),
                        Piece::Value(value) => write!(out, " {}", number(value)),
                    };
                }
                writeln!(out)
            }
            Node::HasPrefix { bits, prefix, length } => {
                writeln!(out, "prefix {} {length} {prefix}", number(bits))
            }
        };
    }

    /// Writes the clauses of a proof.
    fn steps(&self, proof: &Proof, out: &mut String) {
        for step in &proof.steps {
            let _ = match &step.rule {
                Rule::Asserted(assertion) => write!(out, "from {assertion}"),
                Rule::Connective => write!(out, "def"),
                Rule::Theory(theory) => write!(out, "lemma {}", name(*theory)),
                Rule::Propagation(_) => write!(out, "rup"),
            };
            let literal = |Literal { term, truth }: &Literal| (self.numbers[term], *truth);
            let mut clause: Vec<(usize, bool)> = step.clause.iter().map(literal).collect();
            clause.sort_unstable();
            for (number, truth) in clause {
                let _ = write!(out, " {}{number}", if truth { '+' } else { '-' });
            }
            if let Rule::Propagation(hints) = &step.rule {
                out.push_str(" :");
                for hint in hints {
                    let _ = write!(out, " {hint}");
                }
            }
            out.push('\n');
        }
    }
}

fn name(theory: Theory) -> &'static str {
    match theory {
        Theory::Included => "included",
        Theory::Apart => "apart",
        Theory::Empty => "empty",
        Theory::Equality => "equality",
        Theory::Bits => "bits",
        Theory::Distinct => "distinct",
        Theory::Template => "template",
    }
}

fn children(node: &Node) -> Vec<Term> {
    match node {
        Node::Bool(_) | Node::String(_) | Node::Bits { .. } | Node::Var(_) => vec![],
        Node::Not(inner) => vec![*inner],
        Node::And(children) | Node::Or(children) => children.to_vec(),
        Node::Eq(a, b) => vec![*a, *b],
        Node::InRe(string, _) => vec![*string],
        Node::HasPrefix { bits, .. } => vec![*bits],
        Node::Matches(string, pieces) => {
            let values = pieces.iter().filter_map(|piece| match piece {
                Piece::Value(value) => Some(*value),
                _ => None,
            });
            [*string].into_iter().chain(values).collect()
        }
    }
}

/// Writes a language, operators before operands.
fn language(regex: &Regex, out: &mut String) {
    let mut several = |operator: &str, parts: &[Regex]| {
        let _ = write!(out, " {operator} {}", parts.len());
        parts.iter().for_each(|part| language(part, out));
    };
    let _ = match regex {
        Regex::Literal(text) => write!(out, " {}", quoted(text)),
        Regex::AnyChar => write!(out, " char"),
        Regex::All => write!(out, " all"),
        Regex::Chars(ranges) => {
            let _ = write!(out, " set {}", ranges.len());
            for (low, high) in ranges {
                let _ = write!(out, " {} {}", u32::from(*low), u32::from(*high));
            }
            return;
        }
        Regex::NotChar(c) => write!(out, " but {}", u32::from(*c)),
        Regex::Concat(parts) => return several("cat", parts),
        Regex::Union(parts) => return several("or", parts),
        Regex::Intersection(parts) => return several("and", parts),
        Regex::Star(inner) => {
            out.push_str(" loop 0 -");
            return language(inner, out);
        }
        Regex::Repeat(inner, times) => {
            let _ = write!(out, " loop {times} {times}");
            return language(inner, out);
        }
        Regex::Loop(inner, least, most) => {
            let _ = match most {
                Some(most) => write!(out, " loop {least} {most}"),
                None => write!(out, " loop {least} -"),
            };
            return language(inner, out);
        }
        Regex::Complement(inner) => {
            out.push_str(" not");
            return language(inner, out);
        }
    };
}

/// A text in quotes, without spaces and control characters.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    push_quoted(text, &mut quoted);
    quoted
}

/// Writes a text in quotes, without spaces and control characters.
pub fn push_quoted(text: &str, out: &mut String) {
    out.reserve(text.len() + 3);
    out.push('"');
    let is_plain = |byte: u8| !matches!(byte, b'"' | b'\\' | 0..=32 | 127..);
    if text.bytes().all(is_plain) {
        out.push_str(text);
    } else {
        for c in text.chars() {
            if matches!(c, ' ' | '"' | '\\') || c.is_control() {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            } else {
                out.push(c);
            }
        }
    }
    out.push('"');
}
