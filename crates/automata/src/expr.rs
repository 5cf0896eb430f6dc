//! Regular expressions with all Boolean operations: the syntax that languages are made from.

use crate::class::CharClass;

/// A regular expression over Unicode scalar values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// No word.
    Empty,
    /// Exactly this word.
    Literal(String),
    /// The words of one character of the class.
    Chars(CharClass),
    /// Every word of one character.
    AnyChar,
    /// Every word.
    All,
    /// Concatenations; the empty list is the empty word.
    Concat(Vec<Expr>),
    /// The union; the empty list is the empty language.
    Union(Vec<Expr>),
    /// The intersection; the empty list is every word.
    Intersection(Vec<Expr>),
    /// Every word that is not in the language.
    Complement(Box<Expr>),
    /// Any number of repetitions, none included.
    Star(Box<Expr>),
    /// From `min` to `max` repetitions, without end if `max` is `None`. Empty if `max < min`.
    Repeat {
        /// What is repeated.
        inner: Box<Expr>,
        /// How often at least.
        min: u32,
        /// How often at most.
        max: Option<u32>,
    },
}

impl Expr {
    /// Exactly this word.
    pub fn literal(text: impl Into<String>) -> Expr {
        Expr::Literal(text.into())
    }

    /// The words of one character within these inclusive ranges.
    pub fn chars(ranges: impl IntoIterator<Item = (char, char)>) -> Expr {
        Expr::Chars(CharClass::new(ranges))
    }

    /// The words of one character outside these inclusive ranges.
    pub fn not_chars(ranges: impl IntoIterator<Item = (char, char)>) -> Expr {
        Expr::Chars(CharClass::new(ranges).complement())
    }

    /// Any number of repetitions of this, none included.
    pub fn star(self) -> Expr {
        Expr::Star(Box::new(self))
    }

    /// One or more repetitions of this.
    pub fn plus(self) -> Expr {
        Expr::Repeat { inner: Box::new(self), min: 1, max: None }
    }

    /// Exactly so many repetitions of this.
    pub fn times(self, n: u32) -> Expr {
        Expr::Repeat { inner: Box::new(self), min: n, max: Some(n) }
    }

    /// This or the empty word.
    pub fn optional(self) -> Expr {
        Expr::Repeat { inner: Box::new(self), min: 0, max: Some(1) }
    }

    /// Every word that is not in this.
    pub fn complement(self) -> Expr {
        Expr::Complement(Box::new(self))
    }

    /// The pattern in which `*` is any word and `?` any character.
    pub fn glob(pattern: &str) -> Expr {
        Expr::glob_with(pattern, &CharClass::ANY)
    }

    /// The pattern in which `*` is any word over `class` and `?` any character of it.
    pub fn glob_with(pattern: &str, class: &CharClass) -> Expr {
        let mut parts = Vec::new();
        let mut text = String::new();
        for c in pattern.chars() {
            if !matches!(c, '*' | '?') {
                text.push(c);
                continue;
            }
            if !text.is_empty() {
                parts.push(Expr::Literal(std::mem::take(&mut text)));
            }
            let one = Expr::Chars(class.clone());
            parts.push(if c == '*' { one.star() } else { one });
        }
        parts.push(Expr::Literal(text));
        Expr::Concat(parts)
    }

    /// The words that differ from `text` at most in the case of ASCII letters.
    pub fn ascii_case_insensitive(text: &str) -> Expr {
        let either = |c: char| Expr::Chars(CharClass::ignoring_ascii_case(c));
        Expr::Concat(text.chars().map(either).collect())
    }

    /// Takes its direct parts out, leaving something without parts.
    fn take_parts(&mut self, into: &mut Vec<Expr>) {
        match self {
            Expr::Concat(parts) | Expr::Union(parts) | Expr::Intersection(parts) => {
                into.append(parts);
            }
            Expr::Complement(inner) | Expr::Star(inner) | Expr::Repeat { inner, .. } => {
                into.push(std::mem::replace(&mut **inner, Expr::Empty));
            }
            Expr::Empty | Expr::Literal(_) | Expr::Chars(_) | Expr::AnyChar | Expr::All => {}
        }
    }

    fn has_parts(&self) -> bool {
        !matches!(self, Expr::Empty | Expr::Literal(_) | Expr::Chars(_) | Expr::AnyChar | Expr::All)
    }
}

impl Drop for Expr {
    /// Without recursion, so that no nesting can exhaust the stack.
    fn drop(&mut self) {
        if !self.has_parts() {
            return;
        }
        let mut parts = Vec::new();
        self.take_parts(&mut parts);
        while let Some(mut part) = parts.pop() {
            part.take_parts(&mut parts);
        }
    }
}
