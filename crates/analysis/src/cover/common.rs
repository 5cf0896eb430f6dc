//! Which statements may let in a request that the other side lets in as well.

use keyaki_policy::Policy;
use keyaki_policy::ast::{ActionPattern, Clause, Effect, PrincipalEntry, PrincipalKind};

use super::parts::{self, Source};
use super::statements::Statements;
use super::{Budget, Open, Table, by_policy, n_resource_pairs, statements};
use crate::question::{PolicyRef, Side};

/// The Allow statements of `new` that no Deny includes, with those of their actions that an Allow
/// statement of `existing` may match, on the same resources and for the same principals.
pub(super) fn common_access(
    existing: &[Policy],
    new: &[Policy],
    table: &mut Table,
) -> Vec<Open<'static>> {
    let budget = Budget::new();
    let [of_existing, of_new] = table.first;
    let denies =
        |policies, first| Statements::new(statements(policies, first, Effect::Deny), &budget);
    let denies = [denies(new, of_new), denies(existing, of_existing)];
    let denies = denies.each_ref();
    let mut others = statements(existing, of_existing, Effect::Allow);
    others.retain(|other| !table.is_denied(*other, &denies));
    let n_actions: usize = others.iter().map(|other| other.statement.action.entries.len()).sum();
    let mut open = Vec::new();
    for (index, of_policy) in by_policy(new, of_new) {
        for source in of_policy.filter(|source| source.statement.effect == Effect::Allow) {
            let statement = source.statement;
            if table.is_denied(source, &denies) {
                continue;
            }
            let n_resource_pairs =
                others.iter().map(|other| n_resource_pairs(other.statement, statement)).sum();
            let n_action_pairs = n_actions.saturating_mul(statement.action.entries.len());
            let actions = match budget.allows(n_action_pairs.saturating_add(n_resource_pairs)) {
                true => shared_actions(source, &others),
                false => Some((0..statement.action.entries.len()).collect()),
            };
            if let Some(actions) = actions {
                let at = PolicyRef::of_union(Side::New, index);
                open.push(Open { at, statement: statement.index, actions, denies: Vec::new() });
            }
        }
    }
    open
}

/// The positions of the statement's actions that one of the others may match, for the same
/// principals and on the same resources; `None` if there are none.
fn shared_actions(source: Source<'_>, others: &[Source<'_>]) -> Option<Vec<usize>> {
    let clause = &source.statement.action;
    let met = others.iter().filter(|other| may_meet(**other, source));
    let met: Vec<&Clause<ActionPattern>> = met.map(|other| &other.statement.action).collect();
    let n_entries = clause.entries.len();
    if clause.negated {
        let is_met = |other: &&Clause<ActionPattern>| {
            let is_in = |entry: &ActionPattern| !parts::action_is_outside(&entry.text, clause);
            other.negated || other.entries.iter().any(is_in)
        };
        return met.iter().any(is_met).then(|| (0..n_entries).collect());
    }
    let is_met = |position: &usize| {
        let entry = &clause.entries[*position].text;
        met.iter().any(|other| !parts::action_is_outside(entry, other))
    };
    let actions: Vec<usize> = (0..n_entries).filter(is_met).collect();
    (!actions.is_empty()).then_some(actions)
}

/// False only if no request of some principal for some resource matches both statements.
fn may_meet(a: Source<'_>, b: Source<'_>) -> bool {
    let resources = match (&a.statement.resource, &b.statement.resource) {
        (Some(a), Some(b)) => !parts::resource_clauses_are_disjoint(a, b),
        _ => true,
    };
    resources
        && !principals_are_apart(a.statement.principal.as_ref(), b.statement.principal.as_ref())
}

/// Whether nobody is covered by both clauses, as far as accounts and services tell.
pub(super) fn principals_are_apart(
    a: Option<&Clause<PrincipalEntry>>,
    b: Option<&Clause<PrincipalEntry>>,
) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return false };
    let apart = |a: &PrincipalEntry, b: &PrincipalEntry| are_apart(&a.kind, &b.kind);
    !a.negated && !b.negated && a.entries.iter().all(|a| b.entries.iter().all(|b| apart(a, b)))
}

/// Whether nobody is covered by both entries (2.4): a principal has one kind, and one account at
/// most. Of two services it is not known: one can have several names (R8).
fn are_apart(a: &PrincipalKind, b: &PrincipalKind) -> bool {
    use PrincipalKind::*;
    match (a, b) {
        (Service(_), Account { .. } | User(_) | Role(_) | RoleSession { .. })
        | (Account { .. } | User(_) | Role(_) | RoleSession { .. }, Service(_)) => true,
        (Account { account: a, .. }, Account { account: b, .. }) => a != b,
        _ => false,
    }
}
