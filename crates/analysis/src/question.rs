//! What can be asked.

use keyaki_policy::Policy;

use crate::public::Table;

/// A question about policies: a property that holds of all requests, or fails on one.
///
/// The property is always the safe side, so that *holds* is good news.
#[derive(Clone, Debug)]
pub enum Question {
    /// No request that the policy allows is public, in the sense of the table
    /// (`docs/semantics.md`, "Public").
    NoPublicAccess {
        /// A resource policy.
        policy: Policy,
        /// What the resource's service takes for public.
        table: &'static Table,
    },
    /// Every request that `new` allows, `existing` allows.
    ///
    /// Each side is the union of its policies; all policies of both sides are of one type.
    NoNewAccess {
        /// The policies of reference.
        existing: Vec<Policy>,
        /// The policies in question.
        new: Vec<Policy>,
    },
}

/// Which policy of a question: a side, and the index on that side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PolicyRef {
    /// The side.
    pub side: Side,
    /// Position in the side's list, from 0.
    pub index: usize,
}

/// The role of a policy in a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// The only policy.
    Policy,
    /// A policy of reference.
    Existing,
    /// A policy in question.
    New,
}

impl Question {
    /// The name of the question on the command line and in jobs.
    pub fn name(&self) -> &'static str {
        match self {
            Question::NoPublicAccess { .. } => "no-public-access",
            Question::NoNewAccess { .. } => "no-new-access",
        }
    }

    /// The policies of one side, none if the question does not have it.
    pub fn side(&self, side: Side) -> &[Policy] {
        match (self, side) {
            (Question::NoPublicAccess { policy, .. }, Side::Policy) => std::slice::from_ref(policy),
            (Question::NoNewAccess { existing, .. }, Side::Existing) => existing,
            (Question::NoNewAccess { new, .. }, Side::New) => new,
            _ => &[],
        }
    }

    /// All policies, with where they stand.
    pub fn policies(&self) -> impl Iterator<Item = (PolicyRef, &Policy)> {
        [Side::Policy, Side::Existing, Side::New].into_iter().flat_map(|side| {
            let policies = self.side(side).iter().enumerate();
            policies.map(move |(index, policy)| (PolicyRef { side, index }, policy))
        })
    }

    /// The side whose Allow statements let a witness in.
    pub fn allowing_side(&self) -> Side {
        match self {
            Question::NoPublicAccess { .. } => Side::Policy,
            Question::NoNewAccess { .. } => Side::New,
        }
    }
}
