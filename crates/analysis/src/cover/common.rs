//! Which statements may let in a request that the other side lets in as well.

use keyaki_policy::Policy;
use keyaki_policy::ast::{ActionPattern, Clause, Effect, PrincipalEntry, PrincipalKind};

use super::parts::{self, Source};
use super::statements::Statements;
use super::{Budget, Open, n_resource_pairs, statements};
use crate::question::{PolicyRef, Side};

/// The Allow statements of `new` that no Deny includes, with those of their actions that an Allow
/// statement of `existing` may match, on the same resources and for the same principals.
pub(super) fn common_access(existing: &[Policy], new: &[Policy]) -> Vec<Open<'static>> {
    let budget = Budget::new();
    let denies = |policies| Statements::new(statements(policies, Effect::Deny), &budget);
    let (own_denies, other_denies) = (denies(new), denies(existing));
    let mut others = statements(existing, Effect::Allow);
    others.retain(|other| !other_denies.some_includes(*other) && !own_denies.some_includes(*other));
    let n_actions: usize = others.iter().map(|other| other.statement.action.entries.len()).sum();
    let mut open = Vec::new();
    for (index, policy) in new.iter().enumerate() {
        for statement in policy.statements.iter().filter(|s| s.effect == Effect::Allow) {
            let source = Source { policy, statement };
            if own_denies.some_includes(source) || other_denies.some_includes(source) {
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
fn principals_are_apart(
    a: Option<&Clause<PrincipalEntry>>,
    b: Option<&Clause<PrincipalEntry>>,
) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return false };
    let apart = |a: &PrincipalEntry, b: &PrincipalEntry| are_apart(&a.kind, &b.kind);
    !a.negated && !b.negated && a.entries.iter().all(|a| b.entries.iter().all(|b| apart(a, b)))
}

/// Whether nobody is covered by both entries (2.4). Of two services it is not known: one can have
/// several names (R8).
fn are_apart(a: &PrincipalKind, b: &PrincipalKind) -> bool {
    use PrincipalKind::*;
    match (a, b) {
        (Service(_), Account { .. } | User(_) | Role(_) | RoleSession { .. })
        | (Account { .. } | User(_) | Role(_) | RoleSession { .. }, Service(_)) => true,
        (Account { account: a, .. }, Account { account: b, .. }) => a != b,
        _ => false,
    }
}
