//! Does this request pass? The concrete evaluator, three-valued.
//!
//! Every counterexample is replayed through this module, so it must never guess: where the answer
//! hangs on a construct that is not modelled, it is [`Truth::Unknown`] and names the construct. It
//! sees the syntax tree and one request, and shares nothing with the encoder: no patterns compiled
//! once for both, no normal form between them. A mistake in a shared step would be made twice and
//! never noticed.
//!
//! Rules are those of `docs/semantics.md`: what matches (2), conditions (3), variables (4), and
//! the union of policies of one kind (5.1). How policies of several kinds combine (5.6) is not
//! decided here.

mod answer;
mod condition;
mod pattern;
mod principal;

use crate::ast::{Clause, Effect, Policy, PolicyType, PrincipalEntry, Statement};
use crate::request::Request;
use crate::span::Span;
use answer::Answer;

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
    /// The constructs on which a statement's match hangs, with the index of the policy. There may
    /// be some although the decision is certain: another statement may have settled it.
    pub unsupported: Vec<(usize, Unsupported)>,
}

/// Decides `request` against the union of `policies`, all of one kind (5.1).
///
/// A matching Deny wins over everything, also over what is unknown. A Deny that may match leaves
/// no decision, even if nothing allows the request: it is denied either way, but whether
/// explicitly or implicitly is open.
pub fn evaluate(policies: &[Policy], request: &Request) -> Evaluation {
    let (mut allow, mut deny) = (Truth::False, Truth::False);
    let (mut allowing, mut denying, mut unsupported) = (vec![], vec![], vec![]);
    for (index, policy) in policies.iter().enumerate() {
        for statement in &policy.statements {
            let (truth, hangs_on) = statement_matches(policy, statement, request);
            let (sum, matching) = match statement.effect {
                Effect::Allow => (&mut allow, &mut allowing),
                Effect::Deny => (&mut deny, &mut denying),
            };
            *sum = sum.or(truth);
            if truth == Truth::True {
                matching.push((index, statement.index));
            }
            unsupported.extend(hangs_on.into_iter().map(|construct| (index, construct)));
        }
    }
    Evaluation { decision: decide(allow, deny), allowing, denying, unsupported }
}

/// Whether `statement`, which is of `policy`, matches `request`: its principal, action, resource
/// and condition parts all do (2). The effect plays no part.
///
/// The constructs are those that the answer hangs on: none unless it is [`Truth::Unknown`].
pub fn statement_matches(
    policy: &Policy,
    statement: &Statement,
    request: &Request,
) -> (Truth, Vec<Unsupported>) {
    let parts = [
        principal_part(policy, statement, request),
        action_part(statement, request),
        resource_part(policy, statement, request),
        Answer::all(
            statement.conditions.iter().map(|test| condition::holds(test, &request.context)),
        ),
    ];
    let Answer { truth, hangs_on } = Answer::all(parts);
    let index = statement.index;
    let place = |(construct, span)| Unsupported { construct, statement: index, span };
    (truth, hangs_on.into_iter().map(place).collect())
}

/// Whether `entry`, alone, covers the principal of `request` (2.4).
///
/// An entry for a whole account covers every principal of that account, and the entry of a role
/// every session of it.
pub fn principal_covers(entry: &PrincipalEntry, request: &Request) -> bool {
    principal::covers(&entry.kind, request)
}

impl Truth {
    /// True if both are true, false if one of them is false.
    #[must_use]
    pub fn and(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::False, _) | (_, Truth::False) => Truth::False,
            (Truth::True, Truth::True) => Truth::True,
            _ => Truth::Unknown,
        }
    }

    /// True if one of them is true, false if both are false.
    #[must_use]
    pub fn or(self, other: Truth) -> Truth {
        !(!self).and(!other)
    }
}

impl std::ops::Not for Truth {
    type Output = Truth;

    fn not(self) -> Truth {
        match self {
            Truth::True => Truth::False,
            Truth::False => Truth::True,
            Truth::Unknown => Truth::Unknown,
        }
    }
}

impl From<bool> for Truth {
    fn from(certain: bool) -> Truth {
        if certain { Truth::True } else { Truth::False }
    }
}

fn decide(allow: Truth, deny: Truth) -> Option<Decision> {
    match (deny, allow) {
        (Truth::True, _) => Some(Decision::ExplicitDeny),
        (Truth::False, Truth::True) => Some(Decision::Allow),
        (Truth::False, Truth::False) => Some(Decision::ImplicitDeny),
        (Truth::Unknown, _) | (Truth::False, Truth::Unknown) => None,
    }
}

fn principal_part(policy: &Policy, statement: &Statement, request: &Request) -> Answer {
    match &statement.principal {
        Some(clause) => clause_matches(clause, |entry| principal_covers(entry, request).into()),
        // The parser rejects a resource-based statement without principal; it names nobody (1.8).
        None => (policy.policy_type == PolicyType::Identity).into(),
    }
}

fn action_part(statement: &Statement, request: &Request) -> Answer {
    clause_matches(&statement.action, |entry| {
        Answer::of(pattern::action_matches(&entry.text, &request.action), entry.span)
    })
}

fn resource_part(policy: &Policy, statement: &Statement, request: &Request) -> Answer {
    let Some(clause) = &statement.resource else { return true.into() };
    clause_matches(clause, |entry| {
        let matched =
            pattern::resource_matches(&entry.template, policy.policy_type, &request.resource);
        Answer::of(matched, entry.span)
    })
}

/// A plain clause needs one matching entry, so an empty one matches nothing (D2); a negated clause
/// needs that none matches (D13, D14).
fn clause_matches<T>(clause: &Clause<T>, matches: impl Fn(&T) -> Answer) -> Answer {
    let some = Answer::any(clause.entries.iter().map(matches));
    if clause.negated { !some } else { some }
}
