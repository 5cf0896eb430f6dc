//! What is wrong with a policy, in the words of its author.

use std::fmt::{self, Write as _};

use crate::span::{Position, Span};

/// Why a text is not a policy that can be analysed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// The kind of mistake, stable for programs.
    pub code: Code,
    /// The mistake, lower case, user text in backticks, no full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// JSON pointer (RFC 6901) to the offending value; empty for the document itself.
    pub path: String,
    /// Where in the source.
    pub span: Span,
    /// Line and column of the span's start.
    pub position: Position,
}

/// Kinds of [`ParseError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The text is not JSON (RFC 8259).
    InvalidJson,
    /// The same member twice in one object.
    DuplicateKey,
    /// A member that the grammar does not have.
    UnknownElement,
    /// A required member is missing.
    MissingElement,
    /// Two members that exclude each other, such as `Action` and `NotAction`.
    ConflictingElements,
    /// A member that this type of policy must not have.
    ForbiddenElement,
    /// A value of the wrong JSON type.
    WrongType,
    /// `Version` is neither `2012-10-17` nor `2008-10-17`.
    InvalidVersion,
    /// `Effect` is neither `Allow` nor `Deny`.
    InvalidEffect,
    /// A principal value of no known form, or with a wildcard where none may be.
    InvalidPrincipal,
    /// An action entry that is neither `*` nor `prefix:name`.
    InvalidAction,
    /// A resource entry that is neither `*` nor begins like an ARN.
    InvalidResource,
    /// A condition operator that the language does not have.
    UnknownOperator,
    /// A condition value that its operator cannot read.
    InvalidConditionValue,
    /// A malformed `${…}`.
    InvalidVariable,
    /// A `NotPrincipal`, `NotAction` or `NotResource` without entries (D2).
    EmptyList,
    /// A named limit is exceeded.
    TooLarge,
}

impl Code {
    /// The code as it stands in JSON output.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::InvalidJson => "invalid-json",
            Code::DuplicateKey => "duplicate-key",
            Code::UnknownElement => "unknown-element",
            Code::MissingElement => "missing-element",
            Code::ConflictingElements => "conflicting-elements",
            Code::ForbiddenElement => "forbidden-element",
            Code::WrongType => "wrong-type",
            Code::InvalidVersion => "invalid-version",
            Code::InvalidEffect => "invalid-effect",
            Code::InvalidPrincipal => "invalid-principal",
            Code::InvalidAction => "invalid-action",
            Code::InvalidResource => "invalid-resource",
            Code::UnknownOperator => "unknown-operator",
            Code::InvalidConditionValue => "invalid-condition-value",
            Code::InvalidVariable => "invalid-variable",
            Code::EmptyList => "empty-list",
            Code::TooLarge => "too-large",
        }
    }
}

impl ParseError {
    /// The error of that kind at `span` of `source`, without hint and with an empty path.
    ///
    /// A byte order mark at the start of `source` is not counted as a column, as no editor shows
    /// it.
    pub(crate) fn new(code: Code, source: &str, span: Span, message: impl Into<String>) -> Self {
        let mut position = Position::of(source, span.start);
        if position.line == 1 && position.column > 1 && source.starts_with(BYTE_ORDER_MARK) {
            position.column -= 1;
        }
        ParseError {
            code,
            message: message.into(),
            hint: None,
            path: String::new(),
            span,
            position,
        }
    }

    /// The same error with a hint.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// What some editors write before a UTF-8 text. It is no part of the text.
pub(crate) const BYTE_ORDER_MARK: char = '\u{feff}';

/// Characters of user text that a message repeats; the rest is cut, so that a message fits a line.
const MAX_QUOTED_CHARS: usize = 60;

/// User text as it stands in a message: in backticks, cut after `MAX_QUOTED_CHARS` characters, and with
/// control characters spelled as escapes.
pub fn quoted(text: &str) -> Quoted<'_> {
    Quoted(text)
}

/// See [`quoted`].
pub struct Quoted<'t>(&'t str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('`')?;
        for (n, c) in self.0.chars().enumerate() {
            if n == MAX_QUOTED_CHARS {
                f.write_char('…')?;
                break;
            }
            if c.is_control() {
                write!(f, "{}", c.escape_default())?;
            } else {
                f.write_char(c)?;
            }
        }
        f.write_char('`')
    }
}

/// Longest name, in bytes, that is compared with the known ones: nobody misspells more than this.
const MAX_SUGGESTION_BYTES: usize = 64;

/// The candidate that `name` is most likely a misspelling of: the nearest one if at most a third of
/// it is wrong, without regard to case.
pub fn closest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    if name.len() > MAX_SUGGESTION_BYTES {
        return None;
    }
    candidates
        .into_iter()
        .map(|candidate| (edit_distance(name, candidate), candidate))
        .filter(|&(distance, candidate)| distance <= (candidate.len() / 3).max(1))
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, substitutions and swaps of neighbours (each at most once a place) that
/// turn one name into the other, bytewise and without regard to ASCII case.
fn edit_distance(left: &str, right: &str) -> usize {
    let (left, right) = (left.to_ascii_lowercase(), right.to_ascii_lowercase());
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let mut before_last = vec![0; right.len() + 1];
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for i in 1..=left.len() {
        let mut row = vec![i; right.len() + 1];
        for j in 1..=right.len() {
            let substitution = last[j - 1] + usize::from(left[i - 1] != right[j - 1]);
            row[j] = substitution.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                row[j] = row[j].min(before_last[j - 2] + 1);
            }
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_name_is_found_across_case_and_small_slips() {
        let names = ["Principal", "Resource", "Action"];
        assert_eq!(closest("resource", names), Some("Resource"));
        assert_eq!(closest("Resuorce", names), Some("Resource"));
        assert_eq!(closest("Actions", names), Some("Action"));
        assert_eq!(closest("Comment", names), None);
        assert_eq!(closest(&"x".repeat(100_000), names), None);
    }

    #[test]
    fn quoted_text_is_short_and_on_one_line() {
        assert_eq!(quoted("a\nb").to_string(), "`a\\nb`");
        assert_eq!(quoted(&"x".repeat(61)).to_string(), format!("`{}…`", "x".repeat(60)));
    }
}
