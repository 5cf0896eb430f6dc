//! Does this request pass?

use crate::ast::Policy;
use crate::request::Request;
use crate::span::Span;

/// What policies decide about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Some statement allows it and none denies it.
    Allow,
    /// Some statement denies it.
    ExplicitDeny,
    /// No statement allows or denies it.
    ImplicitDeny,
}

/// A truth value of Kleene's three-valued logic: `Unknown` where the answer hangs on a construct
/// that is not modelled yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Truth {
    /// Certainly true.
    True,
    /// Certainly false.
    False,
    /// True or false, depending on something that is not modelled.
    Unknown,
}

/// A construct that is not modelled, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Unsupported {
    /// The construct, such as "operator `DateLessThan`".
    pub construct: String,
    /// Index of the statement.
    pub statement: usize,
    /// Its place in the policy's source.
    pub span: Span,
}

/// What policies of one kind decide about a request, and which statements say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// The decision, or `None` if it hangs on a construct that is not modelled.
    pub decision: Option<Decision>,
    /// The Allow statements that certainly match: (index of the policy, index of the statement).
    pub allowing: Vec<(usize, usize)>,
    /// The Deny statements that certainly match.
    pub denying: Vec<(usize, usize)>,
    /// The constructs on which a statement's match hangs.
    pub unsupported: Vec<(usize, Unsupported)>,
}

/// Decides `request` against the union of `policies`, all of one kind (5.1).
pub fn evaluate(policies: &[Policy], request: &Request) -> Evaluation {
    let _ = (policies, request);
    unimplemented!()
}
