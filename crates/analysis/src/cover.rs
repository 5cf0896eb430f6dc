//! What can be told of a question from the texts of its policies, before anything is encoded.
//!
//! In a comparison nearly every statement of one policy is included in a statement of the other,
//! part by part; a pattern of a statement is included in one other pattern or not at all, but for
//! `?` and finite domains ([`glob`]). So of an Allow statement of the policy in question it is
//! looked up which actions statements of the reference cover, on all resources, under its
//! conditions and for its principals; what remains is *open*, and only that is encoded
//! ([`slice()`]). If nothing is open the property holds. Everything here is one-sided: what is
//! covered is so for every request and under every reading of the switches, and what is open is
//! merely not shown to be covered.
//!
//! Nothing is shared with the evaluator or with the encoder but the syntax tree, so that a `holds`
//! from here can be checked with either (`crates/properties`, `cover_agrees_with_formula`).

mod access;
mod denies;
pub(crate) mod glob;
mod index;
pub(crate) mod parts;
mod public;
mod slice;
mod statements;

use keyaki_policy::Policy;
use keyaki_policy::ast::{ActionPattern, Effect};

use crate::question::{PolicyRef, Question, Side, Subject};
use access::granted_access;
use denies::Denies;
use parts::Source;
use public::public_access;
pub(crate) use slice::{keys_beside, slice};
use statements::Statements;

/// An Allow statement through which the property may break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) at: PolicyRef,
    pub(crate) statement: usize,
    /// Positions of the entries of `Action` that are open; all of them if the clause is negated.
    pub(crate) actions: Vec<usize>,
}

/// Statements up to this number are asked one by one; of more there is an index.
const MAX_UNINDEXED: usize = 16;

/// The most statements that are compared for one question. What is not reached stays open.
const MAX_COMPARISONS: usize = 1 << 20;

/// The resources of a statement that are told apart; of more entries only all together are asked
/// for.
const MAX_RESOURCES: usize = 64;

/// The number of actions from which on those of a statement are indexed.
const MANY_ACTIONS: usize = 16;

/// The statements of a question through which its property may break; `None` if nothing is known
/// of questions of its kind.
///
/// If there is none, the property holds.
pub(crate) fn open_statements(question: &Question) -> Option<Vec<Open>> {
    match question {
        Question::NoNewAccess { existing: Subject::Union(existing), new: Subject::Union(new) } => {
            Some(new_access(existing, new))
        }
        Question::NoPublicAccess { policy, table } => Some(public_access(policy, table)),
        Question::AccessNotGranted { policy: Subject::Union(policies), accesses } => {
            Some(granted_access(policies, accesses))
        }
        _ => None,
    }
}

/// All statements of that effect.
fn statements(policies: &[Policy], effect: Effect) -> Vec<Source<'_>> {
    let sources = policies.iter().flat_map(|policy| {
        policy.statements.iter().map(move |statement| Source { policy, statement })
    });
    sources.filter(|source| source.statement.effect == effect).collect()
}

fn new_access(existing: &[Policy], new: &[Policy]) -> Vec<Open> {
    let mut allows = Statements::new(statements(existing, Effect::Allow));
    let mut new_denies = Statements::new(statements(new, Effect::Deny));
    // What another Deny denies as well plays no part.
    let denies = statements(existing, Effect::Deny);
    let own_denies: Vec<Source<'_>> =
        denies.into_iter().filter(|deny| !new_denies.some_includes(*deny)).collect();
    let own_denies = Denies::new(own_denies);
    let mut open = Vec::new();
    for (index, policy) in new.iter().enumerate() {
        for statement in policy.statements.iter().filter(|s| s.effect == Effect::Allow) {
            let source = Source { policy, statement };
            if new_denies.some_includes(source) {
                continue;
            }
            let denies = own_denies.touching(source);
            let is_denied =
                |entry: Option<&ActionPattern>| denies.iter().any(|deny| !deny.is_outside(entry));
            let actions = allows.uncovered(source, &is_denied);
            if let Some(actions) = actions {
                let at = PolicyRef::of_union(Side::New, index);
                open.push(Open { at, statement: statement.index, actions });
            }
        }
    }
    open
}
