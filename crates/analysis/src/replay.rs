//! Does this request really break the property? The check that every counterexample passes.
//!
//! Written from the specification (`docs/semantics.md`, "Questions" and section 8), apart from the
//! encoder: nothing here sees a formula, and [`crate::encode`] and [`crate::addresses`] are not
//! used. Two sides that can only agree by both being right are the point; a shared helper for, say,
//! the shape of an ARN would be wrong twice and never noticed. What the two share is the syntax
//! tree, the catalogue and the table of what is public.
//!
//! Statements are matched by the concrete evaluator, in three values. Where the answer hangs on a
//! construct that is not modelled, the request is neither confirmed nor refuted. Axioms are never
//! undecided: a concrete request has them or not.

mod addresses;
mod axioms;
mod public;

use keyaki_policy::Policy;
use keyaki_policy::ast::Effect;
use keyaki_policy::evaluate::{Truth, Unsupported, statement_matches};
use keyaki_policy::request::Request;

use crate::question::{PolicyRef, Question, Side};
pub use axioms::violations;

/// What became of a request that is said to break a property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replay {
    /// The request can happen and breaks the property.
    Confirmed {
        /// The Allow statements that let it in: policy, and index of the statement.
        allowing: Vec<(PolicyRef, usize)>,
    },
    /// The request can happen; whether it breaks the property hangs on these constructs, which are
    /// not modelled. There is at least one.
    Undecided(Vec<(PolicyRef, Unsupported)>),
    /// The request cannot happen or does not break the property, and why, in words.
    Refuted(String),
}

/// Whether `request` is one that can happen (no [`violations`]) and breaks the property
/// ([`breaks`]).
pub fn replay(question: &Question, request: &Request) -> Replay {
    let violations = violations(question, request);
    if violations.is_empty() {
        breaks(question, request)
    } else {
        Replay::Refuted(violations.join("; "))
    }
}

/// Whether `request` breaks the property, if it can happen.
pub fn breaks(question: &Question, request: &Request) -> Replay {
    match question {
        Question::NoPublicAccess { policy, table } => public::breaks(policy, table, request),
        Question::NoNewAccess { existing, new } => exceeds(existing, new, request),
    }
}

/// Whether `new` allows the request and `existing` does not.
fn exceeds(existing: &[Policy], new: &[Policy], request: &Request) -> Replay {
    let new = Access::of(new, Side::New, request);
    let existing = Access::of(existing, Side::Existing, request);
    match (new.allowed(), existing.allowed()) {
        (Truth::False, _) if new.deny == Truth::True => {
            Replay::Refuted("the new policies deny the request".to_owned())
        }
        (Truth::False, _) => {
            Replay::Refuted("the new policies do not allow the request".to_owned())
        }
        (_, Truth::True) => Replay::Refuted("the existing policies allow the request".to_owned()),
        (Truth::True, Truth::False) => Replay::Confirmed { allowing: new.allowing },
        (new_allowed, existing_allowed) => {
            let mut hangs_on = vec![];
            for (access, allowed) in [(new, new_allowed), (existing, existing_allowed)] {
                if allowed == Truth::Unknown {
                    hangs_on.extend(access.hangs_on);
                }
            }
            Replay::Undecided(hangs_on)
        }
    }
}

/// What the union of some policies says of a request.
///
/// [`keyaki_policy::evaluate()`] has no decision where it is open whether a request that nothing
/// allows is denied explicitly. Here only Allow counts, so the two sums are kept apart.
struct Access {
    /// Whether some Allow statement matches.
    allow: Truth,
    /// Whether some Deny statement matches.
    deny: Truth,
    /// The Allow statements that certainly match.
    allowing: Vec<(PolicyRef, usize)>,
    /// What the match of a statement hangs on.
    hangs_on: Vec<(PolicyRef, Unsupported)>,
}

impl Access {
    fn of(policies: &[Policy], side: Side, request: &Request) -> Access {
        let (allow, deny) = (Truth::False, Truth::False);
        let mut access = Access { allow, deny, allowing: vec![], hangs_on: vec![] };
        for (index, policy) in policies.iter().enumerate() {
            let place = PolicyRef { side, index };
            for statement in &policy.statements {
                let (truth, hangs_on) = statement_matches(policy, statement, request);
                match statement.effect {
                    Effect::Allow => access.allow = access.allow.or(truth),
                    Effect::Deny => access.deny = access.deny.or(truth),
                }
                if statement.effect == Effect::Allow && truth == Truth::True {
                    access.allowing.push((place, statement.index));
                }
                access.hangs_on.extend(hangs_on.into_iter().map(|construct| (place, construct)));
            }
        }
        access
    }

    fn allowed(&self) -> Truth {
        self.allow.and(!self.deny)
    }
}
