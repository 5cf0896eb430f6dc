//! What terms of a script stand for.

use std::rc::Rc;

use super::language::Language;
use crate::template::Piece;
use crate::term::{Sort, Term};

/// What a term stands for.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// A truth value.
    Bool(Term),
    /// A string: a constant, a variable, or a concatenation of both. No wildcards.
    Text(Rc<[Piece]>),
    /// A regular language.
    Language(Language),
    /// A bit vector.
    Bits(Term),
    /// The so many first bits of a bit vector, fewer than all.
    First(Term, u32),
}

impl Value {
    /// The value of a variable.
    pub(super) fn of_variable(term: Term, sort: Sort) -> Value {
        match sort {
            Sort::Bool => Value::Bool(term),
            Sort::String => Value::Text([Piece::Value(term)].into()),
            Sort::Bits(_) => Value::Bits(term),
        }
    }

    /// A constant string.
    pub(super) fn of_text(text: &str) -> Value {
        match text {
            "" => Value::Text([].into()),
            _ => Value::Text([Piece::text(text)].into()),
        }
    }

    /// The text of a constant string.
    pub(super) fn constant(&self) -> Option<&str> {
        match self {
            Value::Text(pieces) => match &pieces[..] {
                [] => Some(""),
                [Piece::Text(text)] => Some(text),
                _ => None,
            },
            _ => None,
        }
    }

    /// What its sort is called.
    pub(super) fn sort_name(&self) -> &'static str {
        match self {
            Value::Bool(_) => "Bool",
            Value::Text(_) => "String",
            Value::Language(_) => "RegLan",
            Value::Bits(_) | Value::First(..) => "a bit vector",
        }
    }
}

/// The concatenation of strings, with neighbouring constants as one.
pub(super) fn concatenation(parts: &[Rc<[Piece]>]) -> Rc<[Piece]> {
    let mut all: Vec<Piece> = Vec::new();
    let mut text = String::new();
    let flush = |text: &mut String, all: &mut Vec<Piece>| {
        if !text.is_empty() {
            all.push(Piece::text(text));
            text.clear();
        }
    };
    for piece in parts.iter().flat_map(|pieces| pieces.iter()) {
        if let Piece::Text(more) = piece {
            text.push_str(more);
        } else {
            flush(&mut text, &mut all);
            all.push(piece.clone());
        }
    }
    flush(&mut text, &mut all);
    all.into()
}

/// A sort that a script can declare constants of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Declarable {
    /// One that formulas have.
    Sort(Sort),
    /// Regular languages, of which a constant is worth something once it is asserted which it is.
    Language,
}
