//! Why a property holds: for each way to break it, which constraints exclude each other.
//!
//! A solver that can explain gives a proof of each cell's formula; what people want to see of it is
//! which patterns, values and ranges of which variable have nothing in common, and which rules
//! about requests were used. The formulas are those of [`mod@crate::encode`] as they are: the simplifier
//! decides most of them itself, and gives no reasons.
//!
//! This is no certificate: it is what a person reads, in words of the encoding's variables.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Instant;

pub use keyaki_logic::proof::Theory;
use keyaki_logic::proof::{Literal, Proof, Rule};
use keyaki_logic::term::Node;
use keyaki_logic::{Cancel, Formula, Limits, Piece, Regex, Solver, SolverError, Term, Terms};

use crate::Options;
use crate::certify::refute;
use crate::check::{Error, addresses_are_few};
use crate::encode::symbols::{Kind, name};
use crate::encode::{BREAKS, Opaque, encode};
use crate::question::{PolicyRef, Question};

/// Characters of a pattern that are shown.
const MAX_SHOWN_CHARS: usize = 80;

/// Why one way to break the property is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excluded {
    /// The policy whose statement would let the request in, and the statement's index; `None` if
    /// the request would need no statement.
    pub through: Option<(PolicyRef, usize)>,
    /// Why; `None` if the solver did not find out or cannot tell.
    pub why: Option<Why>,
}

/// What excludes each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Why {
    /// Constraints on one variable, or on some that are related, that no values satisfy together:
    /// shortest first.
    pub conflicts: Vec<Conflict>,
    /// What one part of the formula demands and another excludes in the same words: ascending.
    pub opposed: Vec<Constraint>,
    /// The rules about requests that were used, by their labels.
    pub axioms: Vec<String>,
}

/// Constraints that no values satisfy together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The argument.
    pub theory: Theory,
    /// The constraints; first those that must be, then those that must not.
    pub constraints: Vec<Constraint>,
}

/// Something that is said of a variable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Constraint {
    /// Whether it must not be so.
    pub negated: bool,
    /// The variable, as in `keyaki encode`.
    pub variable: String,
    /// What it is: a pattern, a value, a range of addresses, another variable; true, if empty.
    pub is: String,
}

/// Why each way to break the property is none, for a property that holds.
///
/// # Errors
///
/// [`SolverError`] if the solver broke.
pub fn explain(
    question: &Question,
    solver: &dyn Solver,
    options: &Options,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Vec<Excluded>, SolverError> {
    let mut encoding = encode(question);
    encoding.decide(&options.decisions);
    if encoding.counts_addresses() {
        match addresses_are_few(question, solver, options, limits, cancel) {
            Ok(true) => encoding.settle_addresses(),
            Ok(false) | Err(Error::Unsound { .. }) => {}
            Err(Error::Solver { error, .. }) => return Err(error),
        }
    }
    let mut excluded = Vec::with_capacity(encoding.cells.len());
    for cell in &encoding.cells {
        let is_late = cancel.is_cancelled() || Instant::now() >= limits.deadline;
        let why = match is_late {
            true => None,
            false => refute(
                &encoding,
                encoding.plain(cell.breaks, Opaque::Free),
                solver,
                limits,
                cancel,
            )?
            .map(|(formula, proof)| Why::new(&formula, &proof)),
        };
        excluded.push(Excluded { through: cell.through, why });
    }
    Ok(excluded)
}

impl Why {
    fn new(formula: &Formula, proof: &Proof) -> Why {
        let mut why = Why::default();
        let (mut atoms, mut explained) = (BTreeSet::new(), BTreeSet::new());
        for step in &proof.steps {
            let terms = step.clause.iter().map(|literal| literal.term);
            let Rule::Theory(theory) = step.rule else {
                atoms.extend(terms);
                continue;
            };
            explained.extend(terms);
            let conflict = Conflict::new(&formula.terms, theory, &step.clause);
            if !why.conflicts.contains(&conflict) {
                why.conflicts.push(conflict);
            }
        }
        why.conflicts.sort_by_key(|conflict| conflict.constraints.len());
        // In the end every literal has met its opposite. Where no lemma has it, both are of the
        // formula.
        let opposed = atoms.difference(&explained).filter_map(|&atom| {
            let (variable, is) = said(&formula.terms, atom)?;
            Some(Constraint { negated: false, variable, is })
        });
        why.opposed = opposed.collect::<BTreeSet<_>>().into_iter().collect();
        let labels = proof.core().assertions.into_iter();
        let labels = labels.map(|assertion| formula.assertions()[assertion].0.clone());
        why.axioms = labels.filter(|label| label != BREAKS).collect();
        why
    }
}

impl Conflict {
    /// Of a lemma: that none of its literals is true is what cannot be.
    fn new(terms: &Terms, theory: Theory, lemma: &[Literal]) -> Conflict {
        let mut constraints: Vec<Constraint> = lemma
            .iter()
            .filter_map(|literal| {
                let (variable, is) = said(terms, literal.term)?;
                Some(Constraint { negated: literal.truth, variable, is })
            })
            .collect();
        constraints.sort();
        Conflict { theory, constraints }
    }
}

/// The variable that an atom is about, and what it says of it.
fn said(terms: &Terms, atom: Term) -> Option<(String, String)> {
    let variable = |term: Term| match terms.node(term) {
        Node::Var(index) => terms.variable(*index).0.to_owned(),
        Node::String(text) => quoted(text),
        _ => String::new(),
    };
    Some(match terms.node(atom) {
        Node::Var(_) => (variable(atom), String::new()),
        Node::InRe(string, regex) => (variable(*string), quoted(&pattern(regex))),
        Node::Eq(a, b) => {
            let is = match terms.node(*b) {
                Node::Bits { value, width } => bits(&variable(*a), *value, *width, *width),
                _ => variable(*b),
            };
            (variable(*a), is)
        }
        Node::HasPrefix { bits: of, prefix, length } => {
            let keyaki_logic::Sort::Bits(width) = terms.sort(*of) else { return None };
            let of = variable(*of);
            let is = bits(&of, prefix << (width - length), *length, width);
            (of, is)
        }
        Node::Matches(string, pieces) => {
            let piece = |piece: &Piece| match piece {
                Piece::Text(text) => text.to_string(),
                Piece::AnyChar => "?".to_owned(),
                Piece::Any => "*".to_owned(),
                Piece::Value(value) => format!("${{{}}}", variable(*value)),
            };
            let text: String = pieces.iter().map(piece).collect();
            (variable(*string), quoted(&text))
        }
        _ => return None,
    })
}

/// The numbers that begin as `first` does, in so many bits.
fn bits(variable: &str, first: u128, length: u32, width: u32) -> String {
    let kind = |number: u128| Kind::ALL.into_iter().find(|kind| *kind as u128 == number);
    match width {
        3 if variable == name::KIND && length == width => match kind(first) {
            Some(kind) => format!("{kind:?}"),
            None => first.to_string(),
        },
        32 => format!("{}/{length}", Ipv4Addr::from(first as u32)),
        128 => format!("{}/{length}", Ipv6Addr::from(first)),
        _ => format!("{first} in its first {length} bits"),
    }
}

fn quoted(text: &str) -> String {
    if text.is_empty() {
        return "empty".to_owned();
    }
    let mut shown: String = text.chars().take(MAX_SHOWN_CHARS).collect();
    if text.chars().nth(MAX_SHOWN_CHARS).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// A regular expression as a glob where it is one, and similar where not. No longer than what is
/// shown of it, by and large.
fn pattern(regex: &Regex) -> String {
    let mut text = String::new();
    write(regex, &mut text);
    text
}

fn write(regex: &Regex, text: &mut String) {
    if text.chars().count() > MAX_SHOWN_CHARS {
        return;
    }
    match regex {
        Regex::Literal(literal) => text.push_str(literal),
        Regex::AnyChar => text.push('?'),
        Regex::All => text.push('*'),
        Regex::Chars(ranges) => {
            text.push('[');
            for &(low, high) in ranges {
                text.push(low);
                if low < high {
                    text.push('-');
                    text.push(high);
                }
            }
            text.push(']');
        }
        Regex::NotChar(c) => text.push_str(&format!("[^{c}]")),
        Regex::Concat(parts) => parts.iter().for_each(|part| write(part, text)),
        Regex::Union(parts) => write_list(parts, '|', text),
        Regex::Star(inner) => {
            write_repeated(inner, text);
            text.push('*');
        }
        Regex::Repeat(inner, times) => {
            write_repeated(inner, text);
            text.push_str(&format!("{{{times}}}"));
        }
        Regex::Loop(inner, min, max) => {
            write_repeated(inner, text);
            let max = max.map(|max| max.to_string()).unwrap_or_default();
            text.push_str(&format!("{{{min},{max}}}"));
        }
        Regex::Intersection(parts) => write_list(parts, '&', text),
        Regex::Complement(inner) => {
            text.push('!');
            write_repeated(inner, text);
        }
    }
}

fn write_list(parts: &[Regex], separator: char, text: &mut String) {
    text.push('(');
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            text.push(separator);
        }
        write(part, text);
    }
    text.push(')');
}

fn write_repeated(regex: &Regex, text: &mut String) {
    if matches!(regex, Regex::AnyChar | Regex::Chars(_) | Regex::NotChar(_) | Regex::Union(_)) {
        return write(regex, text);
    }
    text.push('(');
    write(regex, text);
    text.push(')');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_shown_as_people_write_it() {
        let literal = |text: &str| Regex::Literal(text.to_owned());
        let check = |regex: &Regex, expected: &str| assert_eq!(pattern(regex), expected);
        check(&Regex::Concat(vec![literal("get"), Regex::All, Regex::AnyChar]), "get*?");
        check(&Regex::Union(vec![literal("a"), literal("b")]), "(a|b)");
        check(&Regex::plus(Regex::NotChar(':')), "[^:][^:]*");
        check(&Regex::Star(Box::new(literal("ab"))), "(ab)*");
        check(
            &Regex::Repeat(Box::new(Regex::Chars(vec![('0', '9'), ('_', '_')])), 12),
            "[0-9_]{12}",
        );
        let many = Regex::Union((0..1000).map(|i| literal(&i.to_string())).collect());
        assert!(quoted(&pattern(&many)).chars().count() <= MAX_SHOWN_CHARS + 3);
    }

    #[test]
    fn numbers_are_shown_as_what_they_are() {
        assert_eq!(bits(name::KIND, 2, 3, 3), "User");
        assert_eq!(bits("key aws:sourceip", 10 << 24, 8, 32), "10.0.0.0/8");
        assert_eq!(bits("key aws:sourceip", 0x2001_0db8 << 96, 32, 128), "2001:db8::/32");
    }
}
