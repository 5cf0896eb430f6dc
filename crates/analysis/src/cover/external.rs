//! Which statements may let somebody in from outside the zone of trust.

use keyaki_policy::Policy;
use keyaki_policy::ast::{BaseOperator, Condition, Effect, PrincipalKind, SetOperator, Statement};

use super::parts::{self, Source};
use super::{Budget, Open, by_policy, glob, n_pairs, statements};
use crate::question::{PolicyRef, Side};
use crate::zone::{ServicePrincipals, Zone};

/// The Allow statements that may let in a stranger: those that neither name insiders only, nor ask,
/// themselves or by a Deny that covers them, for a key that places the request inside.
pub(super) fn external_access(policies: &[Policy], zone: &Zone) -> Vec<Open<'static>> {
    let budget = Budget::new();
    let denies = statements(policies, 0, Effect::Deny);
    let mut open = Vec::new();
    for (index, of_policy) in by_policy(policies, 0) {
        for source in of_policy.filter(|source| source.statement.effect == Effect::Allow) {
            let statement = source.statement;
            let is_confined = names_insiders(statement, zone)
                || statement.conditions.iter().any(|condition| asks_for_insider(condition, zone))
                || denies.iter().any(|deny| {
                    budget.allows(n_pairs(deny.statement, statement))
                        && spares_insiders_only(*deny, source, zone)
                });
            if !is_confined {
                let at = PolicyRef::of_union(Side::Policy, index);
                let actions = (0..statement.action.entries.len()).collect();
                open.push(Open { at, statement: statement.index, actions, denies: Vec::new() });
            }
        }
    }
    open
}

/// Whether every principal that the statement matches is named, as one of an account of the zone.
fn names_insiders(statement: &Statement, zone: &Zone) -> bool {
    let Some(clause) = &statement.principal else { return false };
    !clause.negated && clause.entries.iter().all(|entry| is_insider(&entry.kind, zone))
}

fn is_insider(entry: &PrincipalKind, zone: &Zone) -> bool {
    use PrincipalKind::*;
    match entry {
        Account { account, .. } | RoleSession { account, .. } => is_known(account, zone),
        User(arn) | Role(arn) | FederatedUser(arn) => is_known(&arn.account, zone),
        Service(_) => zone.services == ServicePrincipals::Ignored,
        Everyone | EveryAwsPrincipal | UniqueId(_) | Federated(_) | CanonicalUser(_) => false,
    }
}

fn is_known(account: &str, zone: &Zone) -> bool {
    zone.known_accounts().any(|known| known == account)
}

/// Whether every request that satisfies the condition is placed inside by the key. Only conditions
/// of which that is plain are looked at: the key is present, and equal to one of the texts listed, or
/// like it.
fn asks_for_insider(condition: &Condition, zone: &Zone) -> bool {
    let operator = condition.operator;
    use BaseOperator::*;
    let is_test = matches!(operator.base, StringEquals | StringLike | ArnEquals | ArnLike);
    // All keys that are looked at have one value, which is also a set of one.
    is_test
        && !operator.if_exists
        && operator.set != Some(SetOperator::ForAllValues)
        && has_insiders_only(condition, zone)
}

/// Whether the Deny statement covers all that the other is about, and spares only whom a key places
/// inside. An absent key satisfies a negated operator, so it is denied.
fn spares_insiders_only(deny: Source<'_>, other: Source<'_>, zone: &Zone) -> bool {
    let [condition] = &deny.statement.conditions[..] else { return false };
    use BaseOperator::*;
    let operator = condition.operator;
    matches!(operator.base, StringNotEquals | StringNotLike | ArnNotEquals | ArnNotLike)
        && operator.set.is_none()
        && has_insiders_only(condition, zone)
        && parts::is_about_all_of(deny, other)
}

/// Whether all values listed, of which there are some, are such that a request whose key has one is
/// inside.
fn has_insiders_only(condition: &Condition, zone: &Zone) -> bool {
    let is = |key: &str| condition.key.eq_ignore_ascii_case(key);
    let of_arns = is("aws:PrincipalArn");
    let is_trusted = |text: &str| {
        if of_arns {
            account_of(text).is_some_and(|account| is_known(account, zone))
        } else if is("aws:PrincipalAccount") || is("kms:CallerAccount") {
            is_known(text, zone)
        } else {
            is("aws:PrincipalOrgID") && zone.organization.as_deref() == Some(text)
        }
    };
    !condition.values.is_empty()
        && condition.values.iter().all(|value| {
            parts::plain(&value.template)
                .is_some_and(|text| (of_arns || !glob::has_wildcard(text)) && is_trusted(text))
        })
}

/// The account of every ARN that the pattern matches: its fifth field, if no wildcard stands before
/// the sixth.
fn account_of(pattern: &str) -> Option<&str> {
    let mut fields = pattern.splitn(6, ':');
    let mut plain = || fields.next().filter(|field| !glob::has_wildcard(field));
    let [arn, _, _, _, account] = [plain()?, plain()?, plain()?, plain()?, plain()?];
    (arn == "arn" && fields.next().is_some()).then_some(account)
}
