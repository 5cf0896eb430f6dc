//! What is wrong with a policy, in the words of its author.

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
            Code::TooLarge => "too-large",
        }
    }
}
