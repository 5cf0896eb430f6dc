//! Which statements may let the public in.

use keyaki_policy::Policy;
use keyaki_policy::ast::{BaseOperator, Condition, Effect, PrincipalKind, SetOperator, Statement};
use keyaki_policy::catalogue::{self, Cardinality};

use super::parts::{self, Source};
use super::statements::Statements;
use super::{Budget, Open, Table as Rows, glob, n_pairs, statements};
use crate::addresses::{Family, Network};
use crate::public::{ADDRESS_KEY, Fixed, Table, TrustedKey};
use crate::question::{Question, Side, Subject};

/// The Allow statements that may let the public in (Q2): those that neither name whom they let in
/// nor ask, themselves or by a Deny of their own policy that covers them, for a fixed value of a trusted key, and that no Deny includes.
pub(super) fn public_access(
    question: &Question,
    table: &Table,
    rows: &mut Rows,
) -> Vec<Open<'static>> {
    let budget = Budget::new();
    let few_addresses = names_few_addresses(question, table);
    let denies = match question {
        Question::NoPublicAccess { policy: Subject::Union(policies), .. } => {
            statements(policies, 0, Effect::Deny)
        }
        _ => Vec::new(),
    };
    let denies = Statements::new(denies, &budget);
    let mut number = 0;
    let mut is_confined = |policy: &Policy, statement: &Statement, first: usize| {
        let of_addresses = |condition: &Condition| few_addresses && asks_for_address(condition);
        if names_principals(statement, table)
            || statement.conditions.iter().any(|condition| asks_for_fixed_value(condition, table))
        {
            return true;
        }
        let number = first + position(policy, statement);
        if let Some(deny) = confining_deny(policy, statement, table, &budget) {
            rows.spared(number, first + position(policy, deny));
            return true;
        }
        if rows.is_denied(Source { number, policy, statement }, &[&denies]) {
            return true;
        }
        let is_confined = statement.conditions.iter().any(of_addresses);
        if is_confined {
            // Addresses are counted over all statements together.
            rows.give_up();
        }
        is_confined
    };
    let mut open = Vec::new();
    for (at, policy) in question.resource_policies(Side::Policy) {
        let first = number;
        number += policy.statements.len();
        let allows = policy.statements.iter().filter(|statement| statement.effect == Effect::Allow);
        let unconfined = allows.filter(|statement| !is_confined(policy, statement, first));
        open.extend(unconfined.map(|statement| {
            let actions = (0..statement.action.entries.len()).collect();
            Open { at, statement: statement.index, actions, denies: Vec::new() }
        }));
    }
    open
}

/// Whether every principal that the statement matches is covered by an entry that names somebody in
/// particular.
fn names_principals(statement: &Statement, table: &Table) -> bool {
    let Some(clause) = &statement.principal else { return false };
    !clause.negated
        && clause.entries.iter().all(|entry| match &entry.kind {
            PrincipalKind::Everyone
            | PrincipalKind::EveryAwsPrincipal
            | PrincipalKind::Federated(_) => false,
            PrincipalKind::Service(name) => !table.deputies.contains(name),
            _ => true,
        })
}

/// Whether every request that satisfies the condition has a fixed value of a key that the table
/// trusts. Only conditions of which that is plain are looked at: some value is present, and equal to
/// one of the texts listed.
fn asks_for_fixed_value(condition: &Condition, table: &Table) -> bool {
    let operator = condition.operator;
    use BaseOperator::*;
    let is_equality =
        matches!(operator.base, StringEquals | StringLike | ArnEquals | ArnLike | Bool);
    let fits = match cardinality(&condition.key) {
        // One value is also a set of one.
        Some(Cardinality::Single) => operator.set != Some(SetOperator::ForAllValues),
        Some(Cardinality::Multi) => operator.set == Some(SetOperator::ForAnyValue),
        None => false,
    };
    is_equality && fits && !operator.if_exists && has_fixed_values_only(condition, table)
}

fn cardinality(key: &str) -> Option<Cardinality> {
    catalogue::key(key).map(|info| info.cardinality)
}

/// Whether all values listed, of which there are some, are fixed values of a trusted key.
fn has_fixed_values_only(condition: &Condition, table: &Table) -> bool {
    let is_it = |trusted: &&TrustedKey| trusted.key.includes(&condition.key);
    let Some(trusted) = table.trusted_keys.iter().find(is_it) else { return false };
    let is_fixed = |text: &str| {
        !text.is_empty()
            && text != "anonymous"
            && !glob::has_wildcard(text)
            && match trusted.fixed {
                Fixed::Literal | Fixed::AccountOfArn => true,
                Fixed::NoColon => !text.contains(':'),
                Fixed::True => text == "true",
            }
    };
    // What `Bool` takes for true can be spelt in several ways.
    (condition.operator.base != BaseOperator::Bool || trusted.fixed == Fixed::True)
        && !condition.values.is_empty()
        && condition.values.iter().all(|v| parts::plain(&v.template).is_some_and(is_fixed))
}

/// Where the statement stands in the policy, which may lack some.
fn position(policy: &Policy, statement: &Statement) -> usize {
    policy.statements.iter().position(|other| other.index == statement.index).unwrap_or(0)
}

/// A Deny statement that covers all that the statement is about and spares only requests with a
/// fixed value of a trusted key.
fn confining_deny<'p>(
    policy: &'p Policy,
    statement: &Statement,
    table: &Table,
    budget: &Budget,
) -> Option<&'p Statement> {
    let spares_fixed_values_only = |deny: &&Statement| match &deny.conditions[..] {
        // An absent key satisfies a negated operator, so it is denied.
        [condition] => {
            let operator = condition.operator;
            matches!(operator.base, BaseOperator::StringNotEquals | BaseOperator::StringNotLike)
                && operator.set.is_none()
                && cardinality(&condition.key) == Some(Cardinality::Single)
                && has_fixed_values_only(condition, table)
        }
        _ => false,
    };
    let covers = |deny: &&Statement| {
        let [wide, narrow] =
            [*deny, statement].map(|statement| Source { number: 0, policy, statement });
        budget.allows(n_pairs(deny, statement)) && parts::is_about_all_of(wide, narrow)
    };
    let denies = policy.statements.iter().filter(|statement| statement.effect == Effect::Deny);
    denies.filter(spares_fixed_values_only).find(covers)
}

/// Whether the condition asks for an address in one of the ranges listed. If none is, that may be no test (D6).
fn asks_for_address(condition: &Condition) -> bool {
    let Condition { operator, key, values, .. } = condition;
    operator.base == BaseOperator::IpAddress
        && operator.set.is_none()
        && !operator.if_exists
        && key.eq_ignore_ascii_case(ADDRESS_KEY)
        && !values.is_empty()
}

/// Whether all ranges that the policy names for the caller's address together are no more addresses
/// than the table allows.
fn names_few_addresses(question: &Question, table: &Table) -> bool {
    let Some(max) = table.addresses else { return false };
    let policies = question.side(Side::Policy).into_iter();
    let statements = policies.flat_map(|(_, policy)| &policy.statements);
    let conditions = statements.flat_map(|statement| &statement.conditions);
    let of_addresses =
        conditions.filter(|condition| condition.key.eq_ignore_ascii_case(ADDRESS_KEY));
    let (mut n_v4, mut n_v6) = (0u128, 0u128);
    for value in of_addresses.flat_map(|condition| &condition.values) {
        let network = parts::plain(&value.template).and_then(Network::parse);
        let Some(network) = network else { return false };
        let (sum, width) = match network.family {
            Family::V4 => (&mut n_v4, 32),
            Family::V6 => (&mut n_v6, 128),
        };
        let size = 1u128.checked_shl(width - network.length).unwrap_or(u128::MAX);
        *sum = sum.saturating_add(size);
    }
    n_v4 <= max.ipv4 && n_v6 <= max.ipv6
}
