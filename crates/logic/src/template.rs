//! Patterns that depend on other strings: `b/${aws:username}/*`.
//!
//! A pattern without variables is a regular language and an [`in_re`](Terms::in_re). With
//! variables it relates strings to one another, which no regular expression can say. The atom
//! [`Node::Matches`] keeps it in one piece, so that whoever finds a value for a variable can
//! put it in and is left with a language again.

use crate::regex::Regex;
use crate::term::{Node, Sort, Term, Terms};

/// A piece of a pattern. A string matches the pattern if and only if it is the concatenation of
/// strings that match the pieces in their order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Piece {
    /// Exactly this text.
    Text(Box<str>),
    /// Any one character.
    AnyChar,
    /// Any text, the empty one included.
    Any,
    /// The value of this string term.
    Value(Term),
}

impl Piece {
    /// This text.
    pub fn text(text: &str) -> Piece {
        Piece::Text(text.into())
    }
}

/// The language of the pieces if a value may be any text. Every string that matches the pieces,
/// whatever the values, is in it.
pub fn widened(pieces: &[Piece]) -> Regex {
    let mut parts: Vec<Regex> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let part = match piece {
            Piece::Text(text) => Regex::Literal(text.to_string()),
            Piece::AnyChar => Regex::AnyChar,
            Piece::Any | Piece::Value(_) => Regex::All,
        };
        if part != Regex::All || parts.last() != Some(&Regex::All) {
            parts.push(part);
        }
    }
    match (parts.pop(), parts.is_empty()) {
        (None, _) => Regex::Literal(String::new()),
        (Some(only), true) => only,
        (Some(last), false) => {
            parts.push(last);
            Regex::Concat(parts)
        }
    }
}

impl Terms {
    /// True if and only if the string `term` is the concatenation of strings that match `pieces`
    /// in their order.
    ///
    /// # Panics
    ///
    /// If `term` or the term of a [`Piece::Value`] is not a string.
    pub fn matches(&mut self, term: Term, pieces: impl IntoIterator<Item = Piece>) -> Term {
        assert_eq!(self.sort(term), Sort::String, "a pattern is matched by a string");
        let pieces = self.normal(pieces);
        if !pieces.iter().any(|piece| matches!(piece, Piece::Value(_))) {
            return self.in_re(term, widened(&pieces));
        }
        if let [Piece::Value(value)] = pieces[..] {
            return self.eq(term, value);
        }
        if let Node::String(text) = self.node(term) {
            if !widened(&pieces).matches(text) {
                return self.bool(false);
            }
            if let Some((value, text)) = only_solution(text, &pieces) {
                let text = self.string(&text);
                return self.eq(value, text);
            }
        }
        self.intern(Node::Matches(term, pieces.into()))
    }

    /// The same pattern with constants as text, neighbouring texts in one, and in each run of
    /// wildcards the single characters first and one star at most.
    fn normal(&self, pieces: impl IntoIterator<Item = Piece>) -> Vec<Piece> {
        let mut normal: Vec<Piece> = Vec::new();
        for piece in pieces {
            let piece = match piece {
                Piece::Value(value) => {
                    assert_eq!(self.sort(value), Sort::String, "the value is of a string");
                    match self.node(value) {
                        Node::String(text) => Piece::Text(text.clone()),
                        _ => piece,
                    }
                }
                _ => piece,
            };
            match (normal.last_mut(), piece) {
                (_, Piece::Text(text)) if text.is_empty() => {}
                (Some(Piece::Text(before)), Piece::Text(text)) => {
                    *before = format!("{before}{text}").into();
                }
                (Some(Piece::Any), Piece::Any) => {}
                (Some(last @ Piece::Any), Piece::AnyChar) => {
                    *last = Piece::AnyChar;
                    normal.push(Piece::Any);
                }
                (_, piece) => normal.push(piece),
            }
        }
        normal
    }
}

/// The value that the only variable must have for `text` to match, if there is one variable, once,
/// between nothing but texts. The text is one that matches for some value.
fn only_solution(text: &str, pieces: &[Piece]) -> Option<(Term, String)> {
    let (before, value, after) = match pieces {
        [Piece::Text(before), Piece::Value(value)] => (&**before, value, ""),
        [Piece::Value(value), Piece::Text(after)] => ("", value, &**after),
        [Piece::Text(before), Piece::Value(value), Piece::Text(after)] => {
            (&**before, value, &**after)
        }
        _ => return None,
    };
    Some((*value, text.strip_prefix(before)?.strip_suffix(after)?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms() -> (Terms, Term, Term) {
        let mut t = Terms::new();
        let (x, v) = (t.var("x", Sort::String), t.var("v", Sort::String));
        (t, x, v)
    }

    #[test]
    fn equal_patterns_are_one_term() {
        let (mut t, x, v) = terms();
        let b = t.string("b");
        let written = [
            Piece::text("a"),
            Piece::Value(b),
            Piece::text(""),
            Piece::Value(v),
            Piece::Any,
            Piece::AnyChar,
            Piece::Any,
        ];
        let short = [Piece::text("ab"), Piece::Value(v), Piece::AnyChar, Piece::Any];
        assert_eq!(t.matches(x, written), t.matches(x, short.clone()));
        let same = t.matches(x, short.clone());
        assert_eq!(t.node(same), &Node::Matches(x, short.into()));
    }

    #[test]
    fn a_pattern_without_variables_is_a_language() {
        let (mut t, x, v) = terms();
        let ab = t.string("ab");
        let is_ab = t.eq(x, ab);
        assert_eq!(t.matches(x, [Piece::text("a"), Piece::text("b")]), is_ab);
        let empty = t.string("");
        let is_empty = t.eq(x, empty);
        assert_eq!(t.matches(x, []), is_empty);
        let yes = t.bool(true);
        assert_eq!(t.matches(x, [Piece::Any, Piece::Any]), yes);
        let language = t.in_re(x, Regex::Concat(vec![Regex::Literal("a".into()), Regex::All]));
        assert_eq!(t.matches(x, [Piece::text("a"), Piece::Any]), language);
        assert_eq!(t.matches(x, [Piece::Value(v)]), t.eq(x, v));
    }

    #[test]
    fn a_known_string_leaves_a_value_or_nothing() {
        let (mut t, _, v) = terms();
        let text = t.string("home/omar/");
        let (home, slash) = (Piece::text("home/"), Piece::text("/"));
        let omar = t.string("omar");
        let is_omar = t.eq(v, omar);
        assert_eq!(t.matches(text, [home.clone(), Piece::Value(v), slash.clone()]), is_omar);
        let no = t.bool(false);
        assert_eq!(t.matches(text, [Piece::text("b"), Piece::Value(v)]), no);
        let short = t.string("home/");
        assert_eq!(t.matches(short, [home.clone(), Piece::Value(v), slash]), no);
        // Several values may fit.
        let open = t.matches(text, [home, Piece::Value(v), Piece::Any]);
        assert!(matches!(t.node(open), Node::Matches(..)));
    }
}
