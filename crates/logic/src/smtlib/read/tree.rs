//! Text as S-expressions, in an arena: neither reading, walking nor dropping one recurses.

use std::fmt;
use std::ops::Range;

/// How deep parentheses may be nested. A `let` of a `let` of a `let` is a level each, and programs write
/// thousands.
const MAX_NESTING: usize = 50_000;

/// What separates, and a mark at the beginning of some files.
const BLANKS: [char; 5] = [' ', '\t', '\r', '\n', '\u{feff}'];

/// A mistake in the syntax of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The mistake, in words.
    pub message: String,
    /// What to do about it.
    pub hint: String,
    /// Where it is.
    pub place: Place,
}

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl Place {
    /// The place of a byte of `text`.
    pub(super) fn of(text: &str, offset: usize) -> Place {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before[start..].chars().count() + 1;
        let number = |n| u32::try_from(n).unwrap_or(u32::MAX);
        Place { line: number(line), column: number(column) }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}:{}", self.message, self.place.line, self.place.column)
    }
}

impl std::error::Error for SyntaxError {}

/// An expression of a [`Tree`].
pub(crate) type Id = usize;

/// What an expression is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expression<'t, 'x> {
    /// A symbol, without its bars if it has any.
    Symbol(&'x str),
    /// A keyword, with its colon.
    Keyword(&'x str),
    /// A string literal, with its escapes, without the quotes around it.
    String(&'x str),
    /// A numeral, decimal, hexadecimal or binary, as it is written.
    Number(&'x str),
    /// A list.
    List(&'t [Id]),
}

/// One S-expression, with what is in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree<'x> {
    nodes: Vec<Node<'x>>,
    children: Vec<Id>,
}

#[derive(Clone, Debug)]
struct Node<'x> {
    offset: usize,
    kind: Kind<'x>,
}

#[derive(Clone, Debug)]
enum Kind<'x> {
    Symbol(&'x str),
    Keyword(&'x str),
    String(&'x str),
    Number(&'x str),
    List(Range<usize>),
}

impl<'x> Tree<'x> {
    /// The whole expression.
    pub(crate) fn root(&self) -> Id {
        // A list comes after what is in it.
        self.nodes.len() - 1
    }

    /// What an expression is.
    pub(crate) fn get(&self, id: Id) -> Expression<'_, 'x> {
        match &self.nodes[id].kind {
            Kind::Symbol(name) => Expression::Symbol(name),
            Kind::Keyword(name) => Expression::Keyword(name),
            Kind::String(text) => Expression::String(text),
            Kind::Number(text) => Expression::Number(text),
            Kind::List(range) => Expression::List(&self.children[range.clone()]),
        }
    }

    /// The symbol that an expression is, if it is one.
    pub(crate) fn symbol(&self, id: Id) -> Option<&'x str> {
        match self.get(id) {
            Expression::Symbol(name) => Some(name),
            _ => None,
        }
    }

    /// The parts of a list; none of an atom.
    pub(crate) fn parts(&self, id: Id) -> Option<&[Id]> {
        match self.get(id) {
            Expression::List(parts) => Some(parts),
            _ => None,
        }
    }

    /// Where an expression begins, as a byte of the text.
    pub(crate) fn offset(&self, id: Id) -> usize {
        self.nodes[id].offset
    }

    fn push(&mut self, offset: usize, kind: Kind<'x>) -> Id {
        self.nodes.push(Node { offset, kind });
        self.nodes.len() - 1
    }
}

/// Reads one expression after the other.
pub(crate) struct Reader<'x> {
    text: &'x str,
    at: usize,
}

impl<'x> Reader<'x> {
    pub(crate) fn new(text: &'x str) -> Reader<'x> {
        Reader { text, at: 0 }
    }

    /// The next expression; `None` at the end of the text.
    pub(crate) fn next(&mut self) -> Result<Option<Tree<'x>>, SyntaxError> {
        let mut tree = Tree::default();
        // What is read and whose list is not closed yet; of each open list, where it began.
        let mut pending: Vec<Id> = Vec::new();
        let mut open: Vec<(usize, usize)> = Vec::new();
        loop {
            self.skip_blanks();
            let offset = self.at;
            let Some(first) = self.text[offset..].chars().next() else {
                return match open.last() {
                    None => Ok(None),
                    Some(&(_, start)) => Err(self.error(
                        start,
                        "a parenthesis is never closed",
                        "each `(` needs its `)`; perhaps a quote or a bar is missing before",
                    )),
                };
            };
            match first {
                '(' => {
                    self.at += 1;
                    if open.len() >= MAX_NESTING {
                        let message =
                            format!("parentheses are nested more than {MAX_NESTING} deep");
                        return Err(self.error(offset, &message, "name parts by `define-fun`"));
                    }
                    open.push((pending.len(), offset));
                    continue;
                }
                ')' => {
                    self.at += 1;
                    let Some((start, begin)) = open.pop() else {
                        let hint = "remove it, or open a list before";
                        return Err(self.error(offset, "a parenthesis too many", hint));
                    };
                    let first = tree.children.len();
                    tree.children.extend(pending.drain(start..));
                    let range = first..tree.children.len();
                    pending.push(tree.push(begin, Kind::List(range)));
                }
                _ => {
                    let kind = self.atom(first)?;
                    pending.push(tree.push(offset, kind));
                }
            }
            if open.is_empty() {
                return Ok(Some(tree));
            }
        }
    }

    /// Past blanks and comments.
    fn skip_blanks(&mut self) {
        loop {
            let rest = &self.text[self.at..];
            let blank = rest.trim_start_matches(BLANKS);
            self.at += rest.len() - blank.len();
            if !blank.starts_with(';') {
                return;
            }
            self.at += blank.find(['\n', '\r']).unwrap_or(blank.len());
        }
    }

    fn atom(&mut self, first: char) -> Result<Kind<'x>, SyntaxError> {
        let start = self.at;
        match first {
            '"' => self.string(),
            '|' => match self.text[start + 1..].find('|') {
                Some(length) => {
                    let symbol = &self.text[start + 1..start + 1 + length];
                    if symbol.contains('\\') {
                        let hint = "no symbol of SMT-LIB has one; leave it out";
                        return Err(self.error(start, "a backslash in a symbol", hint));
                    }
                    self.at = start + length + 2;
                    Ok(Kind::Symbol(symbol))
                }
                None => Err(self.error(start, "a symbol without its closing `|`", "add the `|`")),
            },
            _ => {
                let rest = &self.text[start..];
                let is_end =
                    |c: char| BLANKS.contains(&c) || matches!(c, '(' | ')' | '"' | '|' | ';');
                let length = rest.find(is_end).unwrap_or(rest.len());
                let word = &rest[..length];
                self.at += length;
                if let Some(stranger) = word.chars().find(|&c| !is_of_symbols(c)) {
                    let message =
                        format!("the character `{}` in a symbol", stranger.escape_debug());
                    let hint = "put the symbol between bars, as in `|my symbol|`";
                    return Err(self.error(start, &message, hint));
                }
                Ok(match first {
                    ':' => Kind::Keyword(word),
                    '0'..='9' | '#' => Kind::Number(word),
                    _ => Kind::Symbol(word),
                })
            }
        }
    }

    /// A string literal: a quote within is written twice.
    fn string(&mut self) -> Result<Kind<'x>, SyntaxError> {
        let start = self.at;
        let mut end = start + 1;
        loop {
            let Some(length) = self.text[end..].find('"') else {
                let hint = "a quote within a string is written twice";
                return Err(self.error(start, "a string without its closing quote", hint));
            };
            end += length + 1;
            if !self.text[end..].starts_with('"') {
                self.at = end;
                return Ok(Kind::String(&self.text[start + 1..end - 1]));
            }
            end += 1;
        }
    }

    fn error(&self, offset: usize, message: &str, hint: &str) -> SyntaxError {
        SyntaxError {
            message: message.to_owned(),
            hint: hint.to_owned(),
            place: Place::of(self.text, offset),
        }
    }
}

/// Whether a symbol, keyword or number without bars may have the character.
pub(super) fn is_of_symbols(c: char) -> bool {
    c.is_ascii_alphanumeric() || "~!@$%^&*_-+=<>.?/:#".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(tree: &Tree<'_>, id: Id) -> String {
        match tree.get(id) {
            Expression::Symbol(text) => format!("s:{text}"),
            Expression::Keyword(text) => format!("k{text}"),
            Expression::String(text) => format!("'{text}'"),
            Expression::Number(text) => format!("n:{text}"),
            Expression::List(parts) => {
                let parts: Vec<String> = parts.iter().map(|&part| show(tree, part)).collect();
                format!("[{}]", parts.join(" "))
            }
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let mut reader = Reader::new(text);
        let mut shown = Vec::new();
        while let Some(tree) = reader.next().unwrap() {
            shown.push(show(&tree, tree.root()));
        }
        assert_eq!(shown, expected, "{text}");
    }

    #[track_caller]
    fn check_error(text: &str, expected: &str) {
        let mut reader = Reader::new(text);
        let error = loop {
            match reader.next() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("{text} is all right"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn expressions_are_read_one_after_the_other() {
        check("", &[]);
        check("; only a comment", &[]);
        check("(a (b) () :k |x y| 12 #b01 1.5)", &["[s:a [s:b] [] k:k s:x y n:12 n:#b01 n:1.5]"]);
        check("(a); (b\r(c) ; d\n e", &["[s:a]", "[s:c]", "s:e"]);
        check(r#"("" "a""b" "a;(b" "|")"#, &[r#"['' 'a""b' 'a;(b' '|']"#]);
        check("|a\nb;(|", &["s:a\nb;("]);
        check("(a\"b\"c)", &["[s:a 'b' s:c]"]);
    }

    #[test]
    fn what_is_broken_has_a_place() {
        check_error("(a\n  (b)", "a parenthesis is never closed at 1:1");
        check_error("(a (b\n", "a parenthesis is never closed at 1:4");
        check_error("(a)\n  )", "a parenthesis too many at 2:3");
        check_error("(a \"b)", "a string without its closing quote at 1:4");
        check_error("(\u{e9} |b)", "the character `\u{e9}` in a symbol at 1:2");
        check_error(r"(|a\b|)", "a backslash in a symbol at 1:2");
        check_error("(|\u{e9}| |b)", "a symbol without its closing `|` at 1:6");
        let deep = "(".repeat(MAX_NESTING + 1);
        check_error(&deep, "parentheses are nested more than 50000 deep at 1:50001");
    }

    /// A form feed is no blank of SMT-LIB; once it was neither that nor part of a word, and reading had no
    /// end.
    #[test]
    fn other_blanks_are_characters_of_no_symbol() {
        check_error("(\u{c})", "the character `\\u{c}` in a symbol at 1:2");
    }

    #[test]
    fn what_is_deep_is_read_and_forgotten_without_recursion() {
        let deep = format!("{}{}", "(".repeat(MAX_NESTING), ")".repeat(MAX_NESTING));
        assert!(Reader::new(&deep).next().unwrap().is_some());
    }
}
