//! Inclusion and disjointness of the parts of statements, read from the syntax.
//!
//! Each answer is one-sided: `true` is shown for every request and every reading of the switches,
//! `false` is "not shown". Where a reading changes what a part says as a whole (D6 empty lists,
//! D14 `NotPrincipal`, D29 unresolved variables), only parts that are written alike are compared.
//!
//! docs/cover.md has the reason for each rule, and what it takes for granted; `soundness.rs` holds
//! each to the evaluator.

use keyaki_policy::ast::{
    ActionPattern, BaseOperator, Clause, Condition, ConditionValue, PrincipalEntry, PrincipalKind,
    ResourcePattern, Segment, Statement, Template,
};
use keyaki_policy::{Policy, PolicyType};

use super::glob::{self, Case};

/// A statement, and the policy in which it stands.
#[derive(Clone, Copy)]
pub(crate) struct Source<'q> {
    /// Its number among all of the question.
    pub(crate) number: usize,
    pub(crate) policy: &'q Policy,
    pub(crate) statement: &'q Statement,
}

/// The text of a template that is nothing else.
pub(crate) fn plain(template: &Template) -> Option<&str> {
    match &template.segments[..] {
        [] => Some(""),
        [Segment::Text(text)] => Some(text),
        _ => None,
    }
}

/// The two fields of an action pattern (2.1); a pattern without colon is about both.
fn action_fields(pattern: &str) -> (&str, &str) {
    pattern.split_once(':').unwrap_or((pattern, pattern))
}

/// Whether `wide` matches every action that `narrow` does.
///
/// An action has one colon, and so has a pattern that is not made of stars: colon meets colon, and
/// service and name are compared each for itself.
pub(crate) fn action_includes(wide: &str, narrow: &str) -> bool {
    if wide == narrow {
        return true;
    }
    // Most pairs end here.
    if glob::begin_differently(wide, narrow, Case::Ignored) {
        return false;
    }
    let ((service, name), (own_service, own_name)) = (action_fields(wide), action_fields(narrow));
    glob::includes(service, own_service, Case::Ignored)
        && glob::includes(name, own_name, Case::Ignored)
}

/// Whether no action matches both: one of the two fields tells them apart, or what all their actions
/// begin with does.
pub(crate) fn actions_are_disjoint(a: &str, b: &str) -> bool {
    // Most pairs end here: where the texts differ, either the services do or the names behind them.
    if glob::begin_differently(a, b, Case::Ignored) {
        return true;
    }
    let ((service, name), (other_service, other_name)) = (action_fields(a), action_fields(b));
    glob::are_disjoint(service, other_service, Case::Ignored)
        || glob::are_disjoint(name, other_name, Case::Ignored)
}

/// Whether `wide` matches whatever action `narrow` matches.
///
/// What is listed is listed there too; what is excluded there is excluded here too; what is listed
/// is not excluded there; all but some is in all. An empty list matches nothing and is in everything.
pub(crate) fn action_clause_includes(
    wide: &Clause<ActionPattern>,
    narrow: &Clause<ActionPattern>,
) -> bool {
    let all_in = |entries: &[ActionPattern], clause: &Clause<ActionPattern>| {
        entries.iter().enumerate().all(|(position, wanted)| {
            // At the same place, as a rule.
            let likely = clause.entries.get(position).into_iter();
            likely.chain(&clause.entries).any(|other| action_includes(&other.text, &wanted.text))
        })
    };
    match (wide.negated, narrow.negated) {
        (false, false) => all_in(&narrow.entries, wide),
        (true, true) => all_in(&wide.entries, narrow),
        (true, false) => action_clauses_are_disjoint_plainly(wide, narrow),
        (false, true) => wide.entries.iter().any(|entry| entry.text == "*" || entry.text == "*:*"),
    }
}

/// Whether no action matches an entry of one and an entry of the other.
fn action_clauses_are_disjoint_plainly(
    a: &Clause<ActionPattern>,
    b: &Clause<ActionPattern>,
) -> bool {
    let pairs = a.entries.iter().flat_map(|a| b.entries.iter().map(move |b| (a, b)));
    pairs.into_iter().all(|(a, b)| actions_are_disjoint(&a.text, &b.text))
}

/// Whether no action matches both the entry and the clause: one entry of a negated clause excludes
/// all that it matches, or each entry of a plain one is apart from it.
pub(crate) fn action_is_outside(entry: &str, clause: &Clause<ActionPattern>) -> bool {
    if clause.negated {
        clause.entries.iter().any(|excluded| action_includes(&excluded.text, entry))
    } else {
        clause.entries.iter().all(|other| actions_are_disjoint(&other.text, entry))
    }
}

/// The six fields of a resource pattern that is one of ARNs. `execute-api:/a:b:c:d:e` has six as well, and is a pattern of
/// what is left out there (2.2).
fn arn_fields(pattern: &str) -> Option<[&str; 6]> {
    if !pattern.starts_with("arn:") {
        return None;
    }
    let mut fields = pattern.splitn(6, ':');
    let mut next = || fields.next();
    Some([next()?, next()?, next()?, next()?, next()?, next()?])
}

/// Whether one resource pattern matches every resource that another does. Wildcards of the first
/// five fields do not cross a colon (D8), so that the fields are compared each for itself. What is
/// shorter means different things in policies of different types (D9).
pub(crate) fn resource_includes(
    (wide_in, wide): (PolicyType, &ResourcePattern),
    (narrow_in, narrow): (PolicyType, &ResourcePattern),
) -> bool {
    if wide.template.has_variable() {
        // An unresolved variable could spoil what else stands in the clause (D29).
        return false;
    }
    let (wide_text, narrow_text) = (plain(&wide.template), plain(&narrow.template));
    // Whatever a variable stands for, and none at all.
    if wide_text == Some("*") || (wide_in == narrow_in && wide.template == narrow.template) {
        return true;
    }
    let (Some(wide_text), Some(narrow_text)) = (wide_text, narrow_text) else { return false };
    if glob::begin_differently(wide_text, narrow_text, Case::Sensitive) {
        return false;
    }
    match (arn_fields(wide_text), arn_fields(narrow_text)) {
        (Some(wide), Some(narrow)) => wide
            .iter()
            .zip(&narrow)
            .all(|(wide, narrow)| glob::includes(wide, narrow, Case::Sensitive)),
        _ => false,
    }
}

/// Whether no resource matches both patterns: ARNs of which one field tells them apart. The
/// pseudo-resource is matched by neither.
fn resources_are_disjoint(a: &ResourcePattern, b: &ResourcePattern) -> bool {
    let (Some(a), Some(b)) = (plain(&a.template), plain(&b.template)) else { return false };
    let (Some(a), Some(b)) = (arn_fields(a), arn_fields(b)) else { return false };
    a.iter().zip(&b).any(|(a, b)| glob::are_disjoint(a, b, Case::Sensitive))
}

fn written_alike<T>(a: &[T], b: &[T], alike: impl Fn(&T, &T) -> bool) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b))
}

/// Whether `wide` matches whatever resource `narrow` matches.
///
/// As of actions. Of a clause with variables only the same is said to be included, since one
/// without value may spoil the whole (D29); a variable in `narrow` does no harm, which then matches
/// less.
pub(crate) fn resource_clause_includes(wide: Source<'_>, narrow: Source<'_>) -> bool {
    let (wide_in, narrow_in) = (wide.policy.policy_type, narrow.policy.policy_type);
    let (wide, narrow) = match (&wide.statement.resource, &narrow.statement.resource) {
        (Some(wide), Some(narrow)) => (wide, narrow),
        // In a key policy such a statement is about nothing (1.6).
        (None, _) => return wide_in != PolicyType::Kms,
        (Some(wide), None) => {
            return narrow_in == PolicyType::Kms || (!wide.negated && has_star(wide));
        }
    };
    let alike = |a: &ResourcePattern, b: &ResourcePattern| a.template == b.template;
    if wide_in == narrow_in
        && wide.negated == narrow.negated
        && written_alike(&wide.entries, &narrow.entries, alike)
    {
        return true;
    }
    if has_variables(wide) {
        return false;
    }
    let includes = |a: (PolicyType, &ResourcePattern), b: (PolicyType, &ResourcePattern)| {
        resource_includes(a, b)
    };
    match (wide.negated, narrow.negated) {
        (false, false) => narrow.entries.iter().all(|entry| {
            wide.entries.iter().any(|other| includes((wide_in, other), (narrow_in, entry)))
        }),
        (true, true) => wide.entries.iter().all(|entry| {
            narrow.entries.iter().any(|other| includes((narrow_in, other), (wide_in, entry)))
        }),
        (true, false) => wide
            .entries
            .iter()
            .all(|excluded| narrow.entries.iter().all(|e| resources_are_disjoint(excluded, e))),
        (false, true) => has_star(wide),
    }
}

/// Whether `wide` lists every resource of `met` that `narrow` may match: each entry that is not
/// apart from all of `narrow`.
pub(crate) fn resource_clause_includes_met(
    wide: Source<'_>,
    narrow: Source<'_>,
    met: Source<'_>,
) -> bool {
    let lists = [wide, narrow, met].map(|source| source.statement.resource.as_ref());
    let [Some(outer), Some(inner), Some(listed)] = lists else { return false };
    let (wide_in, met_in) = (wide.policy.policy_type, met.policy.policy_type);
    let is_outside = |entry: &ResourcePattern| {
        !inner.negated && inner.entries.iter().all(|own| resources_are_disjoint(own, entry))
    };
    let has = |entry: &ResourcePattern| {
        outer.entries.iter().any(|own| resource_includes((wide_in, own), (met_in, entry)))
    };
    !outer.negated
        && !listed.negated
        && !has_variables(outer)
        && listed.entries.iter().all(|entry| is_outside(entry) || has(entry))
}

fn has_star(clause: &Clause<ResourcePattern>) -> bool {
    clause.entries.iter().any(|entry| plain(&entry.template) == Some("*")) && !has_variables(clause)
}

/// Whether a policy variable stands in some entry.
pub(crate) fn has_variables(clause: &Clause<ResourcePattern>) -> bool {
    clause.entries.iter().any(|entry| entry.template.has_variable())
}

/// Whether no resource matches both clauses.
pub(crate) fn resource_clauses_are_disjoint(
    a: &Clause<ResourcePattern>,
    b: &Clause<ResourcePattern>,
) -> bool {
    !a.negated
        && !b.negated
        && a.entries.iter().all(|a| b.entries.iter().all(|b| resources_are_disjoint(a, b)))
}

/// Whether `wide` matches every principal that `narrow` does.
///
/// Whom an entry of `NotPrincipal` exempts hangs on the others (D14), so only the same is compared.
pub(crate) fn principal_clause_includes(
    wide: Option<&Clause<PrincipalEntry>>,
    narrow: Option<&Clause<PrincipalEntry>>,
) -> bool {
    // Policies without `Principal` do not ask who it is.
    let Some(wide) = wide else { return true };
    let everyone = |entry: &PrincipalEntry| entry.kind == PrincipalKind::Everyone;
    if !wide.negated && wide.entries.iter().any(everyone) {
        return true;
    }
    let Some(narrow) = narrow else { return false };
    if wide.negated || narrow.negated {
        return wide.negated == narrow.negated
            && written_alike(&wide.entries, &narrow.entries, |a, b| a.kind == b.kind);
    }
    let some = |entry: &PrincipalEntry| {
        wide.entries.iter().any(|other| principal_includes(&other.kind, &entry.kind))
    };
    narrow.entries.iter().all(some)
}

/// Whether one entry covers whomever another does (2.4). The entry of a user, role or session covers
/// principals of its own account only, a federated user's session of a user among them.
pub(crate) fn principal_includes(wide: &PrincipalKind, narrow: &PrincipalKind) -> bool {
    use PrincipalKind::*;
    match (wide, narrow) {
        (Everyone, _) => true,
        // D12: but for services and identities of providers, under both readings.
        (EveryAwsPrincipal, Everyone | Service(_) | Federated(_)) => false,
        (EveryAwsPrincipal, _) => true,
        (Account { partition, account }, narrow) => {
            let of = match narrow {
                Account { partition, account } => Some((partition.as_ref(), account)),
                RoleSession { partition, account, .. } => Some((Some(partition), account)),
                User(arn) | Role(arn) | FederatedUser(arn) => {
                    Some((Some(&arn.partition), &arn.account))
                }
                _ => None,
            };
            of.is_some_and(|(own_partition, own)| {
                own == account && (partition.is_none() || partition.as_ref() == own_partition)
            })
        }
        _ => wide == narrow,
    }
}

/// Whether a request that satisfies all conditions of `narrow` satisfies those of `wide`.
pub(crate) fn conditions_include(wide: &Statement, narrow: &Statement) -> bool {
    conditions_include_both(wide, narrow, narrow)
}

/// Whether a request that satisfies all conditions of two statements satisfies those of `wide`.
pub(crate) fn conditions_include_both(
    wide: &Statement,
    one: &Statement,
    other: &Statement,
) -> bool {
    let implied_by = |narrow: &Statement, wanted: &Condition| {
        narrow.conditions.iter().any(|own| implies(own, wanted))
    };
    wide.conditions.iter().all(|wanted| implied_by(one, wanted) || implied_by(other, wanted))
}

/// Whether every request that satisfies `narrow` satisfies `wide`.
///
/// Both are tests of one key with one set operator, and each value of the request is compared with
/// the listed ones alone; so more listed values match more, and fewer exclude fewer, of each value
/// and of lists alike. What makes both sides fail or hold as a whole, a list (D26), an empty text
/// (D23) or a value that cannot be read (D17), does so of both.
fn implies(narrow: &Condition, wide: &Condition) -> bool {
    if !narrow.key.eq_ignore_ascii_case(&wide.key) || narrow.operator.set != wide.operator.set {
        return false;
    }
    let alike = |a: &ConditionValue, b: &ConditionValue| a.template == b.template;
    if narrow.operator == wide.operator && written_alike(&narrow.values, &wide.values, alike) {
        return true;
    }
    let (own, wanted) = (narrow.operator, wide.operator);
    let with_variables = |c: &Condition| c.values.iter().any(|v| v.template.has_variable());
    // D6, D29, and the list of truth values of `Null`.
    let is_odd = |c: &Condition| c.values.is_empty() || with_variables(c);
    if is_odd(narrow) || is_odd(wide) || own.base == BaseOperator::Null {
        return false;
    }
    // Where the positive test holds the key is there, and `IfExists` plays no part. A set operator
    // has its own rules for an absent key (D24).
    let if_exists = own.if_exists == wanted.if_exists
        || (own.set.is_none() && wanted.if_exists && !own.base.is_negated());
    let listed = |values: &[ConditionValue], value: &ConditionValue| {
        values.iter().any(|other| alike(other, value))
    };
    if own.base == wanted.base && if_exists {
        return match own.base.is_negated() {
            true => wide.values.iter().all(|value| listed(&narrow.values, value)),
            false if is_glob(own.base) => narrow.values.iter().all(|v| matched(&wide.values, v)),
            false => narrow.values.iter().all(|value| listed(&wide.values, value)),
        };
    }
    // What equals a text is like every pattern that matches it.
    let is_plain =
        |v: &ConditionValue| plain(&v.template).is_some_and(|text| !glob::has_wildcard(text));
    own.base == BaseOperator::StringEquals
        && wanted.base == BaseOperator::StringLike
        && if_exists
        && narrow.values.iter().all(|value| is_plain(value) && matched(&wide.values, value))
}

/// Whether wildcards of the operator's values stand for any text.
fn is_glob(base: BaseOperator) -> bool {
    base == BaseOperator::StringLike
}

/// Whether one of the patterns includes the value.
fn matched(patterns: &[ConditionValue], value: &ConditionValue) -> bool {
    let includes =
        |pattern: &ConditionValue| match (plain(&pattern.template), plain(&value.template)) {
            (Some(wide), Some(narrow)) => glob::includes(wide, narrow, Case::Sensitive),
            _ => pattern.template == value.template,
        };
    patterns.iter().any(includes)
}

/// Whether `wide` matches every request that `narrow` matches, but for its conditions.
pub(crate) fn is_about_all_of(wide: Source<'_>, narrow: Source<'_>) -> bool {
    let (a, b) = (wide.statement, narrow.statement);
    principal_clause_includes(a.principal.as_ref(), b.principal.as_ref())
        && resource_clause_includes(wide, narrow)
        && action_clause_includes(&a.action, &b.action)
}
