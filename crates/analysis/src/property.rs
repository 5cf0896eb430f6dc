//! A property that somebody wrote himself: rules about requests, each with the requests that it is about.
//!
//! The requests of a rule are written down as a policy is: one Allow statement says who may do what on what
//! and when, and each Deny statement is an exemption. So one encoder and one evaluator of conditions do for
//! policies and for properties, and a property can say whatever a policy can. An algebra of formulas of its own was
//! thought of; people would have had to learn it, and every operator of it would have been written twice.

use keyaki_policy::Policy;

use crate::zone::Zone;

/// Rules of which none may be broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// The rules, in the order in which they were written.
    pub rules: Vec<Rule>,
}

/// What is demanded of some requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What is demanded.
    pub demand: Demand,
    /// The requests that the rule is about: those that this policy allows (5.1), and, if there is a zone, that nothing
    /// places inside it. It is read as a resource-based policy of the version 2012-10-17.
    pub scope: Policy,
    /// Whom the rule is not about.
    pub outside: Option<Zone>,
}

/// What is demanded of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// None of them is allowed.
    Never,
    /// Each of them is allowed.
    Always,
}

impl Demand {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Demand::Never => "never",
            Demand::Always => "always",
        }
    }
}
