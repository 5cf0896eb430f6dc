//! Entries and statements that others cover, so that removing them changes no decision.

use super::Linter;
use super::action::actions_disjoint;
use super::checks::{ALLOW_IS_DENIED, REDUNDANT_ACTION, REDUNDANT_RESOURCE, REDUNDANT_STATEMENT};
use super::pattern::{Pattern, covers, resource_covers, resource_disjoint};
use crate::ast::{
    ActionPattern, Clause, Condition, Effect, PrincipalEntry, PrincipalKind, ResourcePattern,
    Statement,
};
use crate::diagnostic::quoted;
use crate::span::Position;

/// Most entries of one list that are compared with each other.
const MAX_COMPARED_ENTRIES: usize = 600;

/// Most statements that are compared with each other.
const MAX_COMPARED_STATEMENTS: usize = 200;

impl Linter<'_> {
    pub(super) fn redundant(&mut self) {
        for statement in &self.policy.statements {
            self.redundant_actions(statement);
            self.redundant_resources(statement);
        }
        if self.whole {
            self.redundant_statements();
        }
    }

    fn redundant_actions(&mut self, statement: &Statement) {
        let entries = &statement.action.entries;
        let entries = &entries[..entries.len().min(MAX_COMPARED_ENTRIES)];
        let patterns: Vec<_> = entries.iter().map(|e| Pattern::of_action(&e.text)).collect();
        for (n, pattern) in patterns.iter().enumerate() {
            if !self.spend(pattern.tokens.len() * patterns.len() * 4) {
                return;
            }
            let by = patterns.iter().enumerate().find(|(m, other)| {
                *m != n
                    && may_cover(&entries[*m].text, &entries[n].text)
                    && covers(&other.tokens, &pattern.tokens)
                    && (*m < n || !covers(&pattern.tokens, &other.tokens))
            });
            if let Some((m, _)) = by {
                let (text, by) = (&entries[n].text, &entries[m].text);
                let message = format!("{} is covered by {}", quoted(text), quoted(by));
                self.report(&REDUNDANT_ACTION, entries[n].span, message, "remove it".to_owned());
            }
        }
    }

    fn redundant_resources(&mut self, statement: &Statement) {
        let Some(clause) = &statement.resource else { return };
        let entries = &clause.entries[..clause.entries.len().min(MAX_COMPARED_ENTRIES)];
        for (n, entry) in entries.iter().enumerate() {
            let text = entry.template.to_string();
            if !self.spend(text.len() * entries.len() * 50) {
                return;
            }
            let by = entries.iter().enumerate().find(|(m, other)| {
                *m != n
                    // Under one reading a variable without value spoils the statement (D29).
                    && (!entry.template.has_variable() || other.template == entry.template)
                    && resource_covers(&other.template, &entry.template)
                    && (*m < n || !resource_covers(&entry.template, &other.template))
            });
            if let Some((_, by)) = by {
                let by = by.template.to_string();
                let message = format!("{} is covered by {}", quoted(&text), quoted(&by));
                self.report(&REDUNDANT_RESOURCE, entry.span, message, "remove it".to_owned());
            }
        }
    }

    fn redundant_statements(&mut self) {
        let policy = self.policy;
        let statements = &policy.statements[..policy.statements.len().min(MAX_COMPARED_STATEMENTS)];
        for (n, statement) in statements.iter().enumerate() {
            // Of nothing, everything is a cover; that it is nothing has been told.
            if is_empty(statement) {
                continue;
            }
            for (m, other) in statements.iter().enumerate() {
                if m == n || (statement.effect == Effect::Deny && other.effect == Effect::Allow) {
                    continue;
                }
                if !self.spend(cost(statement).saturating_mul(cost(other))) {
                    return;
                }
                let is_same_effect = statement.effect == other.effect;
                if !statement_covers(other, statement)
                    || (is_same_effect && m > n && statement_covers(statement, other))
                {
                    continue;
                }
                let place = Position::of(self.source, other.span.start);
                let (check, message) = if is_same_effect {
                    (&REDUNDANT_STATEMENT, format!("the statement at {place} covers this one"))
                } else {
                    (&ALLOW_IS_DENIED, format!("the statement at {place} denies all of this"))
                };
                self.report(check, statement.span, message, None);
                break;
            }
        }
    }
}

/// Whether one action could cover the other at all: a quick look before the slow one.
fn may_cover(outer: &str, inner: &str) -> bool {
    outer.contains(['*', '?']) || outer.len() == inner.len()
}

/// The number of comparisons in which a statement takes part, in steps.
fn cost(statement: &Statement) -> usize {
    let resources = statement.resource.as_ref().map_or(0, |clause| clause.entries.len());
    4 * (1 + statement.action.entries.len() + resources + statement.conditions.len())
}

fn is_empty(statement: &Statement) -> bool {
    statement.action.entries.is_empty()
        || statement.resource.as_ref().is_some_and(|clause| clause.entries.is_empty())
        || statement.principal.as_ref().is_some_and(|clause| clause.entries.is_empty())
}

/// True only if every request that `inner` matches is matched by `outer`.
pub(super) fn statement_covers(outer: &Statement, inner: &Statement) -> bool {
    conditions_cover(&outer.conditions, &inner.conditions)
        && principals_cover(outer.principal.as_ref(), inner.principal.as_ref())
        && actions_cover(&outer.action, &inner.action)
        && resources_cover(outer.resource.as_ref(), inner.resource.as_ref())
}

/// Whether each condition of `outer` is one of `inner`, word by word.
fn conditions_cover(outer: &[Condition], inner: &[Condition]) -> bool {
    outer.iter().all(|needed| {
        inner.iter().any(|given| {
            given.operator == needed.operator
                && given.key.eq_ignore_ascii_case(&needed.key)
                && given.values.len() == needed.values.len()
                && given.values.iter().zip(&needed.values).all(|(l, r)| l.template == r.template)
        })
    })
}

/// Whether `outer` names everyone that `inner` does, by the same words or as everyone. An account
/// is no cover for its users: what they are allowed by name needs no policy of their own (5.4).
fn principals_cover(
    outer: Option<&Clause<PrincipalEntry>>,
    inner: Option<&Clause<PrincipalEntry>>,
) -> bool {
    let (Some(outer), Some(inner)) = (outer, inner) else {
        return outer.is_none() == inner.is_none();
    };
    let has = |clause: &Clause<PrincipalEntry>, kind: &PrincipalKind| {
        clause.entries.iter().any(|entry| entry.kind == *kind)
    };
    match (outer.negated, inner.negated) {
        (false, false) => {
            has(outer, &PrincipalKind::Everyone)
                || inner.entries.iter().all(|entry| has(outer, &entry.kind))
        }
        (false, true) => has(outer, &PrincipalKind::Everyone),
        (true, true) => outer.entries.iter().all(|entry| has(inner, &entry.kind)),
        (true, false) => false,
    }
}

fn actions_cover(outer: &Clause<ActionPattern>, inner: &Clause<ActionPattern>) -> bool {
    let all_covered = |by: &[ActionPattern], entries: &[ActionPattern]| {
        let by: Vec<_> = by.iter().map(|entry| (entry, Pattern::of_action(&entry.text))).collect();
        entries.iter().all(|entry| {
            let pattern = Pattern::of_action(&entry.text);
            by.iter().any(|(outer, by)| {
                may_cover(&outer.text, &entry.text) && covers(&by.tokens, &pattern.tokens)
            })
        })
    };
    let is_star =
        |clause: &Clause<ActionPattern>| clause.entries.iter().any(|entry| entry.text == "*");
    match (outer.negated, inner.negated) {
        (false, false) => all_covered(&outer.entries, &inner.entries),
        (true, true) => all_covered(&inner.entries, &outer.entries),
        (false, true) => is_star(outer),
        (true, false) => actions_disjoint(&outer.entries, &inner.entries),
    }
}

fn resources_cover(
    outer: Option<&Clause<ResourcePattern>>,
    inner: Option<&Clause<ResourcePattern>>,
) -> bool {
    let (outer, inner) = match (outer, inner) {
        (Some(outer), Some(inner)) => (outer, inner),
        (None, None) => return true,
        _ => return false,
    };
    let all_covered = |by: &[ResourcePattern], entries: &[ResourcePattern]| {
        entries
            .iter()
            .all(|entry| by.iter().any(|outer| resource_covers(&outer.template, &entry.template)))
    };
    // Under one reading a variable without value spoils the statement (D29): then `inner` has to be
    // spoiled with `outer`.
    let spoils_both = |entry: &ResourcePattern| {
        !entry.template.has_variable()
            || inner.entries.iter().any(|other| other.template == entry.template)
    };
    if !outer.entries.iter().all(spoils_both) {
        return false;
    }
    let is_star = |clause: &Clause<ResourcePattern>| {
        let is_star =
            |entry: &ResourcePattern| Pattern::with_wildcards(&entry.template).is_everything();
        clause.entries.iter().any(is_star)
    };
    match (outer.negated, inner.negated) {
        (false, false) => all_covered(&outer.entries, &inner.entries),
        (true, true) => all_covered(&inner.entries, &outer.entries),
        (false, true) => is_star(outer),
        (true, false) => inner.entries.iter().all(|inner| {
            outer.entries.iter().all(|outer| resource_disjoint(&outer.template, &inner.template))
        }),
    }
}
