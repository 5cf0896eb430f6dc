//! Is an allowed request public? Q2 of the questions, for one concrete request.
//!
//! A request is public if some Allow statement matches it, no Deny matches it, and nothing
//! confines it: no entry of that statement names its principal, no key that the service trusts has
//! a *fixed value* named in that statement or in a Deny, and its address is none that belongs to a
//! class small enough. Absent keys never confine. What is fixed is asked for each Allow statement
//! alone; a list for the whole policy would let one statement confine another.
//!
//! Whether an element of a key is in the language of a named value is asked of the evaluator, with
//! a condition of that one value: a second reading of the operators here would have to be kept in
//! step with the first.

use std::net::IpAddr;

use keyaki_policy::ast::{
    BaseOperator, Clause, Condition, ConditionValue, Effect, Operator, Policy, PolicyType,
    PrincipalEntry, PrincipalKind, Segment, Statement, Template, Version,
};
use keyaki_policy::evaluate::{Truth, Unsupported, principal_covers, statement_matches};
use keyaki_policy::request::{Context, ContextValue, Principal, Request};

use super::{Replay, addresses};
use crate::public::{ADDRESS_KEY, Fixed, Table, TrustedKey};
use crate::question::{PolicyRef, Side};

/// A truth value and what it hangs on, if it is unknown.
type Answer = (Truth, Vec<Unsupported>);

/// Whether the policy lets the request in as a public one.
pub(super) fn breaks(policy: &Policy, table: &Table, request: &Request) -> Replay {
    let mut denied = (Truth::False, vec![]);
    for statement in statements(policy, Effect::Deny) {
        let (truth, hangs_on) = statement_matches(policy, statement, request);
        if truth == Truth::True {
            return Replay::Refuted(format!("statement {} denies the request", statement.index));
        }
        denied = or(denied, (truth, hangs_on));
    }
    let spread = match spread_over_addresses(policy, table, request) {
        Ok(spread) => spread,
        Err(reason) => return Replay::Refuted(reason),
    };

    let place = PolicyRef { side: Side::Policy, index: 0 };
    let (mut allowing, mut hangs_on, mut is_allowed) = (vec![], vec![], false);
    for statement in statements(policy, Effect::Allow) {
        let matched = statement_matches(policy, statement, request);
        is_allowed |= matched.0 != Truth::False;
        let (truth, constructs) = and(matched, not(confined(policy, statement, table, request)));
        if truth == Truth::True {
            allowing.push((place, statement.index));
        }
        hangs_on.extend(constructs);
    }

    let some_statement = match (allowing.is_empty(), hangs_on.is_empty()) {
        (false, _) => (Truth::True, vec![]),
        (true, false) => (Truth::Unknown, hangs_on),
        (true, true) if is_allowed => {
            let reason = "a named principal or a fixed value of a trusted key confines the request";
            return Replay::Refuted(reason.to_owned());
        }
        (true, true) => return Replay::Refuted("no statement allows the request".to_owned()),
    };
    match and(and(some_statement, not(denied)), spread) {
        (Truth::True, _) => Replay::Confirmed { allowing },
        (_, hangs_on) => {
            Replay::Undecided(hangs_on.into_iter().map(|construct| (place, construct)).collect())
        }
    }
}

/// Whether `statement` lets the request in only by what it, or a Deny, names.
fn confined(policy: &Policy, statement: &Statement, table: &Table, request: &Request) -> Answer {
    if names_principal(policy, statement, request) {
        return (Truth::True, vec![]);
    }
    let naming = || statements(policy, Effect::Deny).chain([statement]);
    table.trusted_keys.iter().fold((Truth::False, vec![]), |confined, trusted| {
        or(confined, has_fixed_value(trusted, naming(), request))
    })
}

/// Whether an entry of `Principal` in the statement, or of `NotPrincipal` in a Deny, that names
/// somebody in particular covers the request's principal.
fn names_principal(policy: &Policy, statement: &Statement, request: &Request) -> bool {
    let of_statement = statement.principal.iter().filter(|clause| !clause.negated);
    let of_denies = statements(policy, Effect::Deny)
        .filter_map(|deny| deny.principal.as_ref())
        .filter(|clause| clause.negated);
    of_statement
        .chain(of_denies)
        .flat_map(|clause| &clause.entries)
        .any(|entry| is_particular(entry) && principal_covers(entry, request))
}

/// Whether the entry names somebody in particular. An identity provider lets in whoever has an
/// account there.
fn is_particular(entry: &PrincipalEntry) -> bool {
    match entry.kind {
        PrincipalKind::Everyone | PrincipalKind::Federated(_) => false,
        PrincipalKind::Account { .. }
        | PrincipalKind::User(_)
        | PrincipalKind::Role(_)
        | PrincipalKind::RoleSession { .. }
        | PrincipalKind::FederatedUser(_)
        | PrincipalKind::UniqueId(_)
        | PrincipalKind::Service(_)
        | PrincipalKind::CanonicalUser(_) => true,
    }
}

/// Whether some element of the key is in the language of a fixed value that one of the statements
/// names for it.
///
/// A list is unknown unless it has such an element: what else its elements may be hangs on
/// relations that are not modelled for lists (R7).
fn has_fixed_value<'p>(
    trusted: &TrustedKey,
    naming: impl Iterator<Item = &'p Statement>,
    request: &Request,
) -> Answer {
    let (elements, is_list) = match request.context.get(trusted.key) {
        None => return (Truth::False, vec![]),
        Some(ContextValue::One(element)) => (std::slice::from_ref(element), false),
        Some(ContextValue::Many(elements)) => (elements.as_slice(), true),
    };
    let mut sum = (Truth::False, vec![]);
    for statement in naming {
        let tests = statement.conditions.iter().filter(|test| {
            test.key.eq_ignore_ascii_case(trusted.key) && test.operator.base != BaseOperator::Null
        });
        for test in tests {
            for value in test.values.iter().filter(|value| is_fixed(&value.template, trusted.fixed))
            {
                for element in elements {
                    sum = or(sum, in_language(statement.index, test, value, element));
                }
                if is_list {
                    let construct = format!("list `{}` as a trusted key", test.key);
                    let span = test.key_span;
                    let statement = statement.index;
                    let unmodelled = Unsupported { construct, statement, span };
                    sum = or(sum, (Truth::Unknown, vec![unmodelled]));
                }
            }
        }
    }
    sum
}

/// Whether a value that is named for a trusted key is fixed: no wildcard, whatever the operator, no
/// variable, and none of the values that everybody has. `${*}` is the character.
fn is_fixed(template: &Template, fixed: Fixed) -> bool {
    // Wildcards are kept apart from the characters that they are written with.
    let mut text = String::new();
    let mut has_wildcard = false;
    for segment in &template.segments {
        match segment {
            Segment::Text(piece) => {
                has_wildcard |= piece.contains(['*', '?']);
                text.push_str(piece);
            }
            Segment::Escaped(c) => text.push(*c),
            Segment::Variable { .. } => return false,
        }
    }
    let is_literal = !text.is_empty() && text != "anonymous" && !has_wildcard;
    match fixed {
        Fixed::Literal => is_literal,
        Fixed::LiteralWithoutColon => is_literal && !text.contains(':'),
        Fixed::AccountOfArn => is_literal || has_fixed_account(&text),
    }
}

/// Whether the text is an ARN pattern of one account: its wildcards, if any, are all behind the
/// fifth colon.
fn has_fixed_account(text: &str) -> bool {
    let fields: Vec<_> = text.splitn(6, ':').collect();
    let [arn, partition, service, region, account, _] = fields.as_slice() else { return false };
    *arn == "arn"
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && ![partition, service, region].iter().any(|field| field.contains(['*', '?']))
}

/// Whether `element` is in the language of the value under the test's operator, read positively
/// and for one element.
fn in_language(
    statement: usize,
    test: &Condition,
    value: &ConditionValue,
    element: &str,
) -> Answer {
    let base = positive(test.operator.base);
    let operator = Operator { set: None, base, if_exists: false };
    let test = Condition { operator, values: vec![value.clone()], ..test.clone() };
    let mut context = Context::default();
    context.insert(&test.key, ContextValue::One(element.to_owned()));
    let request = Request {
        principal: Principal::Anonymous,
        action: String::new(),
        resource: String::new(),
        resource_account: None,
        context,
    };
    let statement = Statement {
        index: statement,
        sid: None,
        effect: Effect::Allow,
        principal: None,
        // `NotAction` of nothing, so that only the condition decides.
        action: Clause { negated: true, entries: vec![], span: value.span },
        resource: None,
        conditions: vec![test],
        span: value.span,
    };
    let policy = Policy {
        policy_type: PolicyType::Identity,
        version: Version::V2012,
        id: None,
        statements: vec![],
        single_statement: false,
    };
    statement_matches(&policy, &statement, &request)
}

/// The operator of which a negated one is the negation.
fn positive(base: BaseOperator) -> BaseOperator {
    use BaseOperator::*;
    match base {
        StringNotEquals => StringEquals,
        StringNotEqualsIgnoreCase => StringEqualsIgnoreCase,
        StringNotLike => StringLike,
        NumericNotEquals => NumericEquals,
        DateNotEquals => DateEquals,
        NotIpAddress => IpAddress,
        ArnNotEquals => ArnEquals,
        ArnNotLike => ArnLike,
        positive => positive,
    }
}

/// Whether the caller's address is one of too many to confine the request, where the policy names
/// ranges of addresses; if not, why.
///
/// If its class is small, but all small classes together are not, it hangs on which of them are let
/// in, and one request does not tell.
fn spread_over_addresses(
    policy: &Policy,
    table: &Table,
    request: &Request,
) -> Result<Answer, String> {
    let place = addresses::naming_conditions(policy).next();
    let (Some((statement, test)), Some(value)) = (place, request.context.get(ADDRESS_KEY)) else {
        return Ok((Truth::True, vec![]));
    };
    let (text, address) = match value {
        ContextValue::One(text) => (text, text.parse::<IpAddr>()),
        ContextValue::Many(_) => return Err(format!("`{ADDRESS_KEY}` is a list")),
    };
    let Ok(address) = address else { return Err(format!("`{text}` is no address")) };
    let max = if address.is_ipv4() { table.max_ipv4_addresses } else { table.max_ipv6_addresses };
    let classes = addresses::Classes::of_family(address, &addresses::named_ranges(policy));
    let size = classes.size_around(address);
    if size > max {
        return Ok((Truth::True, vec![]));
    }
    if size == 0 || classes.size_of_small(max) <= max {
        return Err(format!(
            "addresses: `{text}` is one of {size} outside RFC 1918 that the policy treats alike, \
             and {max} are not public"
        ));
    }
    let construct = format!("the number of addresses that `{}` admits in all", test.key);
    Ok((Truth::Unknown, vec![Unsupported { construct, statement, span: test.key_span }]))
}

fn statements(policy: &Policy, effect: Effect) -> impl Iterator<Item = &Statement> {
    policy.statements.iter().filter(move |statement| statement.effect == effect)
}

fn and(a: Answer, b: Answer) -> Answer {
    not(or(not(a), not(b)))
}

fn or((a, mut hangs_on): Answer, (b, more): Answer) -> Answer {
    let truth = a.or(b);
    hangs_on.extend(more);
    if truth != Truth::Unknown {
        hangs_on.clear();
    }
    (truth, hangs_on)
}

fn not((truth, hangs_on): Answer) -> Answer {
    (!truth, hangs_on)
}
