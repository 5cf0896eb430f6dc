//! Which statements may grant one of some accesses.

use keyaki_policy::Policy;
use keyaki_policy::access::AccessPattern;
use keyaki_policy::ast::{ActionPattern, Clause, Effect, ResourcePattern};

use super::parts;
use super::statements::Statements;
use super::{Budget, Open, Table, by_policy, statements};
use crate::question::{PolicyRef, Side};

/// The Allow statements that no Deny includes, with those of their actions that may be among the
/// accesses.
pub(super) fn granted_access(
    policies: &[Policy],
    accesses: &[AccessPattern],
    table: &mut Table,
) -> Vec<Open<'static>> {
    let budget = Budget::new();
    let denies = Statements::new(statements(policies, 0, Effect::Deny), &budget);
    let mut open = Vec::new();
    for (index, of_policy) in by_policy(policies, 0) {
        for source in of_policy.filter(|source| source.statement.effect == Effect::Allow) {
            let statement = source.statement;
            let resource = statement.resource.as_ref();
            let named = accesses.iter().filter(|access| {
                may_be_on(access, resource) && !are_excluded(access, &statement.action)
            });
            let named: Vec<&AccessPattern> = named.collect();
            if named.is_empty() || table.is_denied(source, &[&denies]) {
                continue;
            }
            let clause = &statement.action;
            let may_match = |position: &usize| {
                let entry = &clause.entries[*position].text;
                clause.negated || named.iter().any(|access| may_be(access, entry))
            };
            let actions: Vec<usize> = (0..clause.entries.len()).filter(may_match).collect();
            if clause.negated || !actions.is_empty() {
                let at = PolicyRef::of_union(Side::Policy, index);
                open.push(Open { at, statement: statement.index, actions, denies: Vec::new() });
            }
        }
    }
    open
}

/// False only if no resource of the access is one that the clause matches.
fn may_be_on(access: &AccessPattern, clause: Option<&Clause<ResourcePattern>>) -> bool {
    match (&access.resource, clause) {
        (Some(listed), Some(clause)) => !parts::resource_clauses_are_disjoint(listed, clause),
        _ => true,
    }
}

/// Whether `NotAction` lists all actions of the access.
fn are_excluded(access: &AccessPattern, clause: &Clause<ActionPattern>) -> bool {
    let Some(listed) = access.action.as_ref().filter(|listed| !listed.negated) else {
        return false;
    };
    clause.negated
        && listed.entries.iter().all(|entry| parts::action_is_outside(&entry.text, clause))
}

/// False only if no action of the access is one that the entry matches.
fn may_be(access: &AccessPattern, entry: &str) -> bool {
    access.action.as_ref().is_none_or(|listed| !parts::action_is_outside(entry, listed))
}
