//! The part of a question that is left when covered statements are set aside.

use std::collections::BTreeSet;

use keyaki_policy::Policy;
use keyaki_policy::ast::{ActionPattern, Clause, Effect, Statement};

use super::{Open, parts};
use crate::public::ADDRESS_KEY;
use crate::question::{Place, Question, Subject};

/// The most pairs of entries that are compared to find out which statements matter. Of larger
/// questions all statements do.
const MAX_PAIRS: usize = 1 << 18;

/// The question of whether the property breaks through one of the open statements, with no
/// statement that cannot match a request which one of them matches. It holds if and only if the
/// question does. Statements keep their indices and places.
///
/// Keys that only other statements mention are not mentioned any more; whoever makes a request of
/// a model has to see to them.
pub(crate) fn slice(question: &Question, open: &[Open<'_>]) -> Question {
    match question {
        Question::NoNewAccess { existing: Subject::Union(existing), new: Subject::Union(new) } => {
            let (existing, new) = slice_sides(question, open, existing, new);
            Question::NoNewAccess { existing, new }
        }
        Question::Disjoint { existing: Subject::Union(existing), new: Subject::Union(new) } => {
            let (existing, new) = slice_sides(question, open, existing, new);
            Question::Disjoint { existing, new }
        }
        Question::AccessNotGranted { policy: Subject::Union(policies), accesses } => {
            let through: Vec<Statement> =
                open.iter().filter_map(|open| narrowed(question, open)).collect();
            let policies = Relevant::to(&through, question).beside_denies(policies, open);
            Question::AccessNotGranted { policy: policies.into(), accesses: accesses.clone() }
        }
        // Addresses are counted in classes that the whole policy tells apart.
        Question::NoPublicAccess { .. } if names_addresses(question) => question.clone(),
        Question::NoPublicAccess { policy: Subject::Union(policies), table } => {
            let is_open = |statement: &&Statement| {
                statement.effect == Effect::Deny
                    || open.iter().any(|open| open.statement == statement.index)
            };
            let sliced = policies.iter().map(|policy| {
                let statements = policy.statements.iter().filter(is_open).cloned().collect();
                Policy { statements, ..bare(policy) }
            });
            Question::NoPublicAccess { policy: Subject::Union(sliced.collect()), table }
        }
        other => other.clone(),
    }
}

/// Of the policies in question the open statements, and of both sides what matters to these.
fn slice_sides(
    question: &Question,
    open: &[Open],
    existing: &[Policy],
    new: &[Policy],
) -> (Subject, Subject) {
    let through: Vec<Statement> = open.iter().filter_map(|open| narrowed(question, open)).collect();
    let narrow = Relevant::to(&through, question);
    let both = [Effect::Allow, Effect::Deny];
    let existing: Vec<Policy> = existing.iter().map(|policy| narrow.of(policy, &both)).collect();
    (existing.into(), narrow.beside_denies(new, open).into())
}

/// Whether nothing was set aside: the part has as many statements as the whole, each with as many actions.
pub(crate) fn is_whole(part: &Question, whole: &Question) -> bool {
    let sizes = |question: &Question| -> Vec<Vec<usize>> {
        let n_actions = |statement: &Statement| statement.action.entries.len();
        let policies = question.policies();
        policies.map(|(_, policy)| policy.statements.iter().map(n_actions).collect()).collect()
    };
    sizes(part) == sizes(whole)
}

fn names_addresses(question: &Question) -> bool {
    let statements = question.policies().flat_map(|(_, policy)| &policy.statements);
    let mut conditions = statements.flat_map(|statement| &statement.conditions);
    conditions.any(|condition| condition.key.eq_ignore_ascii_case(ADDRESS_KEY))
}

/// The policy without its statements.
fn bare(policy: &Policy) -> Policy {
    Policy {
        policy_type: policy.policy_type,
        version: policy.version,
        id: None,
        statements: Vec::new(),
        single_statement: policy.single_statement,
    }
}

/// The open statement with those of its actions only that are open.
fn narrowed(question: &Question, open: &Open<'_>) -> Option<Statement> {
    let policy = question.policy(open.at)?;
    let statement = policy.statement(open.statement)?;
    Some(with_actions(statement, |position, _| open.actions.binary_search(&position).is_ok()))
}

/// The statement with those entries of `Action` that are wanted; with all, if the clause is negated.
fn with_actions(
    statement: &Statement,
    is_wanted: impl Fn(usize, &ActionPattern) -> bool,
) -> Statement {
    let Clause { negated, entries, span } = &statement.action;
    let wanted = entries.iter().enumerate().filter(|(i, entry)| *negated || is_wanted(*i, entry));
    let entries = wanted.map(|(_, entry)| entry.clone()).collect();
    Statement {
        index: statement.index,
        sid: None,
        effect: statement.effect,
        principal: statement.principal.clone(),
        action: Clause { negated: *negated, entries, span: *span },
        resource: statement.resource.clone(),
        conditions: statement.conditions.clone(),
        span: statement.span,
    }
}

/// Which statements can match a request that one of some statements matches.
struct Relevant<'a> {
    through: &'a [Statement],
    is_small: bool,
}

impl<'a> Relevant<'a> {
    fn to(through: &'a [Statement], question: &Question) -> Relevant<'a> {
        let n_open: usize = through.iter().map(|s| s.action.entries.len()).sum();
        let statements = question.policies().flat_map(|(_, policy)| &policy.statements);
        let n_others: usize = statements.map(|s| s.action.entries.len()).sum();
        Relevant { through, is_small: n_open.saturating_mul(n_others) <= MAX_PAIRS }
    }

    /// The policy with its relevant statements of these effects, and of their actions the relevant
    /// ones.
    fn of(&self, policy: &Policy, effects: &[Effect]) -> Policy {
        let wanted = policy.statements.iter().filter(|s| effects.contains(&s.effect));
        let statements: Vec<Statement> = if self.is_small {
            wanted.filter_map(|statement| self.part_of(statement)).collect()
        } else {
            wanted.cloned().collect()
        };
        Policy { statements, ..bare(policy) }
    }

    /// The policies with the statements themselves, which are those of `open`, and the relevant Deny
    /// statements.
    fn beside_denies(&self, policies: &[Policy], open: &[Open<'_>]) -> Vec<Policy> {
        let mut parts: Vec<Policy> =
            policies.iter().map(|policy| self.of(policy, &[Effect::Deny])).collect();
        for (open, statement) in open.iter().zip(self.through) {
            if let Place::Union(index) = open.at.place {
                parts[index].statements.push(statement.clone());
            }
        }
        for part in &mut parts {
            part.statements.sort_by_key(|statement| statement.index);
        }
        parts
    }

    fn part_of(&self, statement: &Statement) -> Option<Statement> {
        let resources = |open: &Statement| match (&open.resource, &statement.resource) {
            (Some(a), Some(b)) => !parts::resource_clauses_are_disjoint(a, b),
            _ => true,
        };
        let through: Vec<&Statement> = self.through.iter().filter(|open| resources(open)).collect();
        if statement.action.negated {
            let whole = with_actions(statement, |_, _| true);
            return (!through.is_empty()).then_some(whole);
        }
        let is_relevant = |_: usize, entry: &ActionPattern| {
            let outside = |open: &&Statement| parts::action_is_outside(&entry.text, &open.action);
            !through.iter().all(outside)
        };
        let part = with_actions(statement, is_relevant);
        (!part.action.entries.is_empty()).then_some(part)
    }
}

/// Keys that certain requests always have.
const PRESENT_FOR_SOME: [&str; 15] = [
    "aws:currenttime",
    "aws:epochtime",
    "aws:securetransport",
    "aws:requestedregion",
    "aws:viaawsservice",
    "aws:useragent",
    "aws:principalarn",
    "aws:principalaccount",
    "aws:principaltype",
    "aws:userid",
    "aws:username",
    "aws:principalisawsservice",
    "aws:principalservicename",
    "aws:principalservicenameslist",
    "aws:tokenissuetime",
];

/// Parts of the names of keys that relations tie to each other.
const TIED: [&[&str]; 4] = [
    &["org", "vpc", "aws:sourcea", "aws:resourceaccount"],
    &["aws:calledvia", "aws:viaawsservice"],
    &["aws:tagkeys", "aws:requesttag/"],
    &["aws:multifactor", "aws:tokenissuetime"],
];

/// The keys that requests have to speak of besides those of the part, since the whole question
/// mentions them and some requests always have them; `None` if others of the keys that only the
/// whole mentions are tied to keys of the part, so that the part alone does not tell what its
/// requests are.
pub(crate) fn keys_beside<'q>(part: &Question, whole: &'q Question) -> Option<Vec<&'q str>> {
    let own: BTreeSet<String> = part.keys().map(str::to_ascii_lowercase).collect();
    let mut beside = Vec::new();
    for key in whole.keys() {
        let lower = key.to_ascii_lowercase();
        if own.contains(&lower) {
            continue;
        }
        let is_of = |group: &[&str], key: &str| group.iter().any(|name| key.contains(name));
        let tied = TIED.iter().filter(|group| is_of(group, &lower));
        if tied.into_iter().any(|group| own.iter().any(|own| is_of(group, own))) {
            return None;
        }
        if PRESENT_FOR_SOME.contains(&&*lower) && !beside.contains(&key) {
            beside.push(key);
        }
    }
    Some(beside)
}
