//! What can be asked.

use keyaki_policy::Policy;
use keyaki_policy::access::AccessPattern;
use keyaki_policy::ast::{Effect, PrincipalKind};
use keyaki_policy::policy_set::{self, PolicySet};

use crate::property::Property;
use crate::public::{Reading, Table};
use crate::zone::Zone;

/// A question about policies: a property that holds of all requests, or fails on one.
///
/// The property is always the safe side, so that *holds* is good news.
#[derive(Clone, Debug)]
pub enum Question {
    /// No request that the policy allows is public, in the sense of the table
    /// (`docs/semantics.md`, "Public").
    NoPublicAccess {
        /// A resource policy, as a union of one; or a set of the policies of a resource and of the resource control policies
        /// above it, whose Deny statements count as the resource policy's own where they apply.
        policy: Subject,
        /// What the resource's service takes for public.
        table: &'static Table,
    },
    /// Every request that `new` allows, `existing` allows.
    NoNewAccess {
        /// What is allowed already.
        existing: Subject,
        /// What is in question.
        new: Subject,
    },
    /// Both sides allow the same requests.
    Equivalent {
        /// What is allowed already.
        existing: Subject,
        /// What is in question.
        new: Subject,
    },
    /// No request is allowed by both sides. Of sets this is said of requests that need some policy:
    /// what is allowed without any is not counted.
    Disjoint {
        /// One side.
        existing: Subject,
        /// The other.
        new: Subject,
    },
    /// No request that the policy allows is from outside the zone (`docs/semantics.md`, "External").
    NoExternalAccess {
        /// A resource policy, as a union of one; or a set of the policies of a resource, in which the identity policies are
        /// those of whoever asks. Of a set this is said of requests that need some policy.
        policy: Subject,
        /// Whom the resource's owner trusts.
        zone: Zone,
    },
    /// No request that the policy allows is one of the accesses.
    AccessNotGranted {
        /// What is in question.
        policy: Subject,
        /// What should not be granted.
        accesses: Vec<AccessPattern>,
    },
    /// No rule of the property is broken.
    Custom {
        /// What is in question.
        policy: Subject,
        /// What is demanded of it.
        property: Property,
    },
}

/// What one side of a question is about: something that allows requests.
#[derive(Clone, Debug)]
pub enum Subject {
    /// The union of policies of one type: a request is allowed if and only if some Allow statement
    /// of them matches it and no Deny statement does.
    Union(Vec<Policy>),
    /// Policies of several kinds: a request is allowed if and only if they allow it together
    /// (5.6; `docs/semantics.md`, "Sets of policies").
    Set(Box<PolicySet>),
}

/// Which policy of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PolicyRef {
    /// The side.
    pub side: Side,
    /// Its place on that side.
    pub place: Place,
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
    /// No policy, but what a rule of a property is about, written as one.
    Property,
}

/// Where a policy stands on its side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// Position in a union, from 0; 0 is also the place of the policy of a question about one.
    Union(usize),
    /// Place in a set.
    Set(policy_set::Place),
}

impl Question {
    /// The question of whether a resource policy grants something to the public. Under
    /// [`Reading::RestrictPublicBuckets`] its Deny statements are left out; the others keep their
    /// indices.
    pub fn no_public_access(policy: Policy, table: &'static Table) -> Question {
        let mut policy = policy;
        if table.reading == Reading::RestrictPublicBuckets {
            policy.statements.retain(|statement| statement.effect == Effect::Allow);
        }
        Question::NoPublicAccess { policy: vec![policy].into(), table }
    }

    /// The name of the question on the command line and in jobs.
    pub fn name(&self) -> &'static str {
        match self {
            Question::NoPublicAccess { .. } => "no-public-access",
            Question::NoExternalAccess { .. } => "no-external-access",
            Question::NoNewAccess { .. } => "no-new-access",
            Question::Equivalent { .. } => "equivalent",
            Question::Disjoint { .. } => "disjoint",
            Question::AccessNotGranted { .. } => "access-not-granted",
            Question::Custom { .. } => "custom",
        }
    }

    /// The policies of one side with where they stand; none if the question does not have the
    /// side.
    pub fn side(&self, side: Side) -> Vec<(PolicyRef, &Policy)> {
        let policies = match (self, side) {
            (Question::Custom { property, .. }, Side::Property) => {
                let rules = property.rules.iter().enumerate();
                rules.map(|(index, rule)| (Place::Union(index), &rule.scope)).collect()
            }
            _ => self.subject(side).map(Subject::policies).unwrap_or_default(),
        };
        policies.into_iter().map(|(place, policy)| (PolicyRef { side, place }, policy)).collect()
    }

    /// What stands on one side, if the question has the side.
    pub fn subject(&self, side: Side) -> Option<&Subject> {
        match (self, side) {
            (
                Question::NoNewAccess { existing, .. }
                | Question::Equivalent { existing, .. }
                | Question::Disjoint { existing, .. },
                Side::Existing,
            ) => Some(existing),
            (
                Question::NoNewAccess { new, .. }
                | Question::Equivalent { new, .. }
                | Question::Disjoint { new, .. },
                Side::New,
            ) => Some(new),
            (
                Question::AccessNotGranted { policy, .. }
                | Question::NoPublicAccess { policy, .. }
                | Question::NoExternalAccess { policy, .. }
                | Question::Custom { policy, .. },
                Side::Policy,
            ) => Some(policy),
            _ => None,
        }
    }

    /// The policies of a side that let somebody in without asking him: those of a union, and the resource policies of a set.
    pub(crate) fn resource_policies(&self, side: Side) -> Vec<(PolicyRef, &Policy)> {
        self.on(side, |place| {
            matches!(place, Place::Union(_) | Place::Set(policy_set::Place::Resource(_)))
        })
    }

    /// The resource control policies of a side.
    pub(crate) fn resource_controls(&self, side: Side) -> Vec<(PolicyRef, &Policy)> {
        self.on(side, |place| matches!(place, Place::Set(policy_set::Place::Rcp(..))))
    }

    fn on(&self, side: Side, is_wanted: impl Fn(Place) -> bool) -> Vec<(PolicyRef, &Policy)> {
        let mut policies = self.side(side);
        policies.retain(|(at, _)| is_wanted(at.place));
        policies
    }

    /// The two questions that `equivalent` comes to: whether `new` allows nothing that `existing`
    /// does not, and the same with the sides exchanged.
    pub fn directions(&self) -> Option<[Question; 2]> {
        let Question::Equivalent { existing, new } = self else { return None };
        let (existing, new) = (existing.clone(), new.clone());
        let forward = Question::NoNewAccess { existing: existing.clone(), new: new.clone() };
        let reverse = Question::NoNewAccess { existing: new, new: existing };
        Some([forward, reverse])
    }

    /// The sets of policies of all sides.
    pub fn sets(&self) -> impl Iterator<Item = &PolicySet> {
        let subjects = Side::ALL.into_iter().filter_map(|side| self.subject(side));
        subjects.filter_map(|subject| match subject {
            Subject::Set(set) => Some(&**set),
            Subject::Union(_) => None,
        })
    }

    /// All policies, with where they stand.
    pub fn policies(&self) -> impl Iterator<Item = (PolicyRef, &Policy)> {
        Side::ALL.into_iter().flat_map(|side| self.side(side))
    }

    /// The policy that stands there, if one does.
    pub fn policy(&self, at: PolicyRef) -> Option<&Policy> {
        let mut policies = self.side(at.side).into_iter();
        policies.find(|(place, _)| *place == at).map(|(_, policy)| policy)
    }

    /// The policy that stands there, to be changed.
    pub(crate) fn policy_mut(&mut self, at: PolicyRef) -> Option<&mut Policy> {
        let subject = match (self, at.side) {
            (
                Question::NoNewAccess { existing: subject, .. }
                | Question::Equivalent { existing: subject, .. }
                | Question::Disjoint { existing: subject, .. },
                Side::Existing,
            )
            | (
                Question::NoNewAccess { new: subject, .. }
                | Question::Equivalent { new: subject, .. }
                | Question::Disjoint { new: subject, .. },
                Side::New,
            )
            | (
                Question::AccessNotGranted { policy: subject, .. }
                | Question::NoPublicAccess { policy: subject, .. }
                | Question::NoExternalAccess { policy: subject, .. }
                | Question::Custom { policy: subject, .. },
                Side::Policy,
            ) => subject,
            _ => return None,
        };
        match (subject, at.place) {
            (Subject::Union(policies), Place::Union(index)) => policies.get_mut(index),
            (Subject::Set(set), Place::Set(place)) => set.get_mut(place),
            _ => None,
        }
    }

    /// The keys that conditions and variables of the policies mention, as they are spelt there and as often; unique ids are
    /// looked for in the user id (2.4).
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        let statements = self.policies().flat_map(|(_, policy)| &policy.statements);
        statements.flat_map(|statement| {
            let conditions = statement.conditions.iter().map(|condition| condition.key.as_str());
            let entries = statement.principal.iter().flat_map(|clause| &clause.entries);
            let ids = entries.filter(|entry| matches!(entry.kind, PrincipalKind::UniqueId(_)));
            conditions.chain(statement.variables()).chain(ids.map(|_| "aws:userid"))
        })
    }

    /// The zones of trust of which the question speaks.
    pub fn zones(&self) -> impl Iterator<Item = &Zone> {
        let (own, rules) = match self {
            Question::NoExternalAccess { zone, .. } => (Some(zone), &[][..]),
            Question::Custom { property, .. } => (None, &property.rules[..]),
            _ => (None, &[][..]),
        };
        own.into_iter().chain(rules.iter().filter_map(|rule| rule.outside.as_ref()))
    }

    /// What the question names besides its policies.
    pub fn accesses(&self) -> &[AccessPattern] {
        match self {
            Question::AccessNotGranted { accesses, .. } => accesses,
            _ => &[],
        }
    }
}

impl Side {
    /// All sides.
    const ALL: [Side; 4] = [Side::Policy, Side::Existing, Side::New, Side::Property];
}

impl Subject {
    /// All its policies, with where they stand.
    pub fn policies(&self) -> Vec<(Place, &Policy)> {
        match self {
            Subject::Union(policies) => {
                let policies = policies.iter().enumerate();
                policies.map(|(index, policy)| (Place::Union(index), policy)).collect()
            }
            Subject::Set(set) => {
                set.policies().map(|(place, policy)| (Place::Set(place), policy)).collect()
            }
        }
    }
}

impl From<Vec<Policy>> for Subject {
    fn from(policies: Vec<Policy>) -> Subject {
        Subject::Union(policies)
    }
}

impl PolicyRef {
    /// The policy at a position of a union.
    pub fn of_union(side: Side, index: usize) -> PolicyRef {
        PolicyRef { side, place: Place::Union(index) }
    }
}
