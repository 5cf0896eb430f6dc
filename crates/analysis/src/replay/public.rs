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
    PrincipalEntry, PrincipalKind, Statement, Version,
};
use keyaki_policy::evaluate::{
    Truth, Unsupported, is_resource_controlled, principal_covers, statement_matches,
};
use keyaki_policy::request::{Context, ContextValue, Principal, Request};
use keyaki_policy::{Readings, Switch};

use super::fixed::confines;
use super::{Replay, addresses};
use crate::public::{ADDRESS_KEY, Fixed, Table, TrustedKey};
use crate::question::{PolicyRef, Question, Side};

/// A truth value and what it hangs on, if it is unknown.
type Answer = (Truth, Vec<(PolicyRef, Unsupported)>);

/// A statement with its policy.
type Placed<'p> = (PolicyRef, &'p Policy, &'p Statement);

/// Whether the policy of a question lets the request in as a public one.
pub(super) fn breaks(
    question: &Question,
    table: &Table,
    request: &Request,
    readings: Readings,
) -> Replay {
    match spread_over_addresses(question, table, request, readings) {
        Ok(spread) => lets_in(question, table, request, readings, spread),
        Err(reason) => Replay::Refuted(reason),
    }
}

/// Whether the policy lets all these requests in, none is confined by something else than its
/// address, and of one family their addresses stand for more than the table allows: each for those
/// that the policy does not tell from it (D32).
pub(super) fn breaks_together(
    question: &Question,
    table: &Table,
    requests: &[&Request],
    readings: Readings,
) -> Replay {
    let mut allowing = vec![];
    for request in requests {
        match lets_in(question, table, request, readings, (Truth::True, vec![])) {
            Replay::Confirmed { allowing: more } if allowing.is_empty() => allowing = more,
            Replay::Confirmed { .. } => {}
            other => return other,
        }
    }
    let n_addresses = admitted(question, requests);
    let max = table.addresses.map(|max| [max.ipv4, max.ipv6]).unwrap_or([u128::MAX; 2]);
    let is_many = n_addresses[0] > max[0] || n_addresses[1] > max[1];
    match is_many && !readings.is_alternative(Switch::D32) {
        true => Replay::Confirmed { allowing },
        false => Replay::Refuted(format!(
            "addresses: the requests stand for {} of IPv4 and {} of IPv6",
            n_addresses[0], n_addresses[1]
        )),
    }
}

/// How many addresses, of IPv4 and of IPv6, the policy does not tell from one of those of the
/// requests.
pub(super) fn admitted(question: &Question, requests: &[&Request]) -> [u128; 2] {
    let ranges = addresses::named_ranges(&policies(question));
    let addresses = requests.iter().filter_map(|request| match request.context.get(ADDRESS_KEY) {
        Some(ContextValue::One(text)) => text.parse::<IpAddr>().ok(),
        _ => None,
    });
    let (ipv6, ipv4): (Vec<IpAddr>, Vec<IpAddr>) = addresses.partition(|a| a.is_ipv6());
    [ipv4, ipv6].map(|family| match family.first() {
        Some(first) => addresses::Classes::of_family(*first, &ranges).size_around_all(&family),
        None => 0,
    })
}

/// Whether the policy lets the request in, and nothing confines it but perhaps its address, of
/// which `spread` says whether it does not.
fn lets_in(
    question: &Question,
    table: &Table,
    request: &Request,
    readings: Readings,
    spread: Answer,
) -> Replay {
    let denies = denies(question, request);
    let mut denied = (Truth::False, vec![]);
    for &deny in &denies {
        let (truth, hangs_on) = matches(deny, request, readings);
        if truth == Truth::True {
            let (_, _, statement) = deny;
            return Replay::Refuted(format!("statement {} denies the request", statement.index));
        }
        denied = or(denied, (truth, hangs_on));
    }
    if let Some(reason) = idle(table, request) {
        return Replay::Refuted(reason);
    }

    let (mut allowing, mut hangs_on, mut is_allowed) = (vec![], vec![], false);
    for allow in statements(question.resource_policies(Side::Policy), Effect::Allow) {
        let matched = matches(allow, request, readings);
        is_allowed |= matched.0 != Truth::False;
        let (truth, constructs) =
            and(matched, not(confined(&denies, allow, table, request, readings)));
        if truth == Truth::True {
            let (at, _, statement) = allow;
            allowing.push((at, statement.index));
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
        (_, hangs_on) => Replay::Undecided(hangs_on),
    }
}

/// The resource's policies, and the resource control policies.
fn policies(question: &Question) -> Vec<(PolicyRef, &Policy)> {
    let own = question.resource_policies(Side::Policy);
    own.into_iter().chain(question.resource_controls(Side::Policy)).collect()
}

/// The Deny statements of the policies that apply.
fn denies<'p>(question: &'p Question, request: &Request) -> Vec<Placed<'p>> {
    let mut denies = statements(question.resource_policies(Side::Policy), Effect::Deny);
    if is_resource_controlled(request) {
        denies.extend(statements(question.resource_controls(Side::Policy), Effect::Deny));
    }
    denies
}

fn matches((at, policy, statement): Placed<'_>, request: &Request, readings: Readings) -> Answer {
    let (truth, hangs_on) = statement_matches(policy, statement, request, readings);
    (truth, hangs_on.into_iter().map(|construct| (at, construct)).collect())
}

/// Why nobody of another account gets anything by this action, if so.
fn idle(table: &Table, request: &Request) -> Option<String> {
    let action = &request.action;
    let is_idle = table.without_effect.iter().any(|idle| idle.eq_ignore_ascii_case(action));
    is_idle.then(|| format!("`{action}` cannot be granted to other accounts"))
}

/// Whether `statement` lets the request in only by what it, or a Deny, names.
fn confined(
    denies: &[Placed<'_>],
    allow: Placed<'_>,
    table: &Table,
    request: &Request,
    readings: Readings,
) -> Answer {
    if names_principal(denies, allow, table, request, readings) {
        return (Truth::True, vec![]);
    }
    let naming = || denies.iter().copied().chain([allow]);
    table.trusted_keys.iter().fold((Truth::False, vec![]), |confined, trusted| {
        or(confined, has_fixed_value(trusted, naming(), request, readings))
    })
}

/// Whether an entry of `Principal` in the statement, or of `NotPrincipal` in a Deny, that names
/// somebody in particular covers the request's principal.
fn names_principal(
    denies: &[Placed<'_>],
    (_, _, allow): Placed<'_>,
    table: &Table,
    request: &Request,
    readings: Readings,
) -> bool {
    let of_statement = allow.principal.iter().filter(|clause| !clause.negated);
    let of_denies = denies
        .iter()
        .filter_map(|(_, _, deny)| deny.principal.as_ref())
        .filter(|clause| clause.negated);
    of_statement
        .chain(of_denies)
        .flat_map(|clause| &clause.entries)
        .any(|entry| is_particular(entry, table) && principal_covers(entry, request, readings))
}

/// Whether the entry names somebody in particular. An identity provider lets in whoever has an
/// account there, and a deputy acts for whoever asks it.
fn is_particular(entry: &PrincipalEntry, table: &Table) -> bool {
    match &entry.kind {
        PrincipalKind::Service(name) => !table.deputies.iter().any(|deputy| deputy == name),
        PrincipalKind::Everyone
        | PrincipalKind::EveryAwsPrincipal
        | PrincipalKind::Federated(_) => false,
        PrincipalKind::Account { .. }
        | PrincipalKind::User(_)
        | PrincipalKind::Role(_)
        | PrincipalKind::RoleSession { .. }
        | PrincipalKind::FederatedUser(_)
        | PrincipalKind::UniqueId(_)
        | PrincipalKind::CanonicalUser(_) => true,
    }
}

/// Whether some element of the key is in the language of a fixed value that one of the statements
/// names for it.
fn has_fixed_value<'p>(
    trusted: &TrustedKey,
    naming: impl Iterator<Item = Placed<'p>>,
    request: &Request,
    readings: Readings,
) -> Answer {
    let mut sum = (Truth::False, vec![]);
    for (at, _, statement) in naming {
        let tests = statement.conditions.iter().filter(|test| {
            trusted.key.includes(&test.key) && test.operator.base != BaseOperator::Null
        });
        for test in tests {
            let elements = match request.context.get(&test.key) {
                None => continue,
                Some(ContextValue::One(element)) => std::slice::from_ref(element),
                Some(ContextValue::Many(elements)) => elements.as_slice(),
            };
            if trusted.fixed == Fixed::True {
                let is_true = elements.iter().any(|element| element.to_lowercase() == "true");
                sum = or(sum, (if is_true { Truth::True } else { Truth::False }, vec![]));
                continue;
            }
            for value in test.values.iter().filter(|value| confines(value, test.operator, trusted))
            {
                for element in elements {
                    let (truth, hangs_on) =
                        in_language(statement.index, test, value, element, request, readings);
                    let hangs_on = hangs_on.into_iter().map(|construct| (at, construct)).collect();
                    sum = or(sum, (truth, hangs_on));
                }
            }
        }
    }
    sum
}

/// Whether `element` is in the language of the value under the test's operator, read positively
/// and for one element; variables stand for what the request has.
fn in_language(
    statement: usize,
    test: &Condition,
    value: &ConditionValue,
    element: &str,
    request: &Request,
    readings: Readings,
) -> (Truth, Vec<Unsupported>) {
    let base = positive(test.operator.base);
    let operator = Operator { set: None, base, if_exists: false };
    let test = Condition { operator, values: vec![value.clone()], ..test.clone() };
    let mut context =
        if value.template.has_variable() { request.context.clone() } else { Context::default() };
    context.insert(&test.key, ContextValue::One(element.to_owned()));
    let request = Request {
        principal: Principal::Anonymous,
        action: String::new(),
        resource: String::new(),
        resource_account: None,
        context,
        ..Request::default()
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
    statement_matches(&policy, &statement, &request, readings)
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
    question: &Question,
    table: &Table,
    request: &Request,
    readings: Readings,
) -> Result<Answer, String> {
    let Some(max) = table.addresses else { return Ok((Truth::True, vec![])) };
    let policies = policies(question);
    let naming = addresses::naming_conditions(&policies);
    let (Some(&(at, statement, test)), Some(value)) =
        (naming.first(), request.context.get(ADDRESS_KEY))
    else {
        return Ok((Truth::True, vec![]));
    };
    let (text, address) = match value {
        ContextValue::One(text) => (text, text.parse::<IpAddr>()),
        ContextValue::Many(_) => return Err(format!("`{ADDRESS_KEY}` is a list")),
    };
    let Ok(address) = address else { return Err(format!("`{text}` is no address")) };
    let max = if address.is_ipv4() { max.ipv4 } else { max.ipv6 };
    let classes = addresses::Classes::of_family(address, &addresses::named_ranges(&policies));
    let size = classes.size_around(address);
    if size > max {
        return Ok((Truth::True, vec![]));
    }
    let is_alone = readings.is_alternative(Switch::D32);
    if size == 0 || is_alone || classes.size_of_small(max) <= max {
        return Err(format!(
            "addresses: `{text}` is one of {size} outside RFC 1918 that the policy treats alike, \
             and {max} are not public"
        ));
    }
    let construct = format!("the number of addresses that `{}` admits in all", test.key);
    let hangs_on = Unsupported { construct, statement, span: test.key_span };
    Ok((Truth::Unknown, vec![(at, hangs_on)]))
}

fn statements<'p>(policies: Vec<(PolicyRef, &'p Policy)>, effect: Effect) -> Vec<Placed<'p>> {
    let all = policies.into_iter().flat_map(|(at, policy)| {
        policy.statements.iter().map(move |statement| (at, policy, statement))
    });
    all.filter(|(_, _, statement)| statement.effect == effect).collect()
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

#[cfg(test)]
mod tests {
    use keyaki_policy::{PolicySet, parse};

    use super::*;
    use crate::public::S3;
    use crate::question::Subject;

    const ALLOW_ALL: &str =
        r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}"#;

    #[test]
    fn what_everybody_may_do_is_public() {
        check(&[ALLOW_ALL], &[], Some(true));
        check(&[], &[], Some(false));
        check(
            &[r#"{"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"}"#],
            &[],
            Some(false),
        );
        check(
            &[
                ALLOW_ALL,
                r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}"#,
            ],
            &[],
            Some(false),
        );
    }

    #[test]
    fn a_named_principal_confines_but_an_identity_provider_does_not() {
        let allow = |principal: &str| {
            format!(
                r#"{{"Effect": "Allow", "Principal": {principal}, "Action": "*", "Resource": "*"}}"#
            )
        };
        for (entry, confines) in [
            (r#"{"AWS": "111122223333"}"#, true),
            (r#"{"AWS": "arn:aws:iam::111122223333:user/ines"}"#, true),
            (r#"{"AWS": ["*", "111122223333"]}"#, true),
            (r#"{"AWS": ["*", "444455556666"]}"#, false),
            (r#"{"AWS": ["*", "AIDAAAAAAAAAAAAAAAAAA"]}"#, true),
            (r#"{"AWS": "*", "CanonicalUser": "c1"}"#, true),
        ] {
            check_by(
                ines(),
                &[&allow(entry)],
                &[("aws:userid", "AIDAAAAAAAAAAAAAAAAAA")],
                Some(!confines),
            );
        }
        let sns = Principal::Service { name: "sns.amazonaws.com".to_owned() };
        check_by(sns, &[&allow(r#"{"Service": "sns.amazonaws.com"}"#)], &[], Some(false));
        let google = Principal::Federated { provider: "accounts.google.com".to_owned() };
        check_by(google, &[&allow(r#"{"Federated": "accounts.google.com"}"#)], &[], Some(true));
    }

    #[test]
    fn who_is_named_in_another_statement_is_not_confined() {
        let named = r#"{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "*", "Resource": "*"}"#;
        check_by(ines(), &[named], &[], Some(false));
        check_by(ines(), &[named, ALLOW_ALL], &[], Some(true));
    }

    #[test]
    fn whom_a_deny_spares_by_name_is_confined() {
        let deny = r#"{"Effect": "Deny", "NotPrincipal": {"AWS": "111122223333"}, "Action": "*", "Resource": "*"}"#;
        check_by(ines(), &[ALLOW_ALL, deny], &[], Some(false));
        check(&[ALLOW_ALL, deny], &[], Some(false));
        let spares_all =
            r#"{"Effect": "Deny", "NotPrincipal": "*", "Action": "*", "Resource": "*"}"#;
        check_by(ines(), &[ALLOW_ALL, spares_all], &[], Some(true));
    }

    #[test]
    fn fixed_values_of_trusted_keys_confine() {
        for (test, value, confines) in [
            (r#""StringEquals": {"aws:SourceVpc": "vpc-1"}"#, "vpc-1", true),
            (r#""StringEqualsIfExists": {"AWS:sourcevpc": ["vpc-2", "vpc-1"]}"#, "vpc-1", true),
            (r#""StringLike": {"aws:SourceVpc": "vpc-1"}"#, "vpc-1", true),
            (r#""StringLike": {"aws:SourceVpc": "vpc-*"}"#, "vpc-1", false),
            (r#""StringLike": {"aws:SourceVpc": ["vpc-*", "vpc-2"]}"#, "vpc-1", false),
            (r#""StringLike": {"aws:SourceVpc": ["vpc-*", "vpc-1"]}"#, "vpc-1", true),
            (r#""StringEquals": {"aws:SourceVpc": "vpc-*"}"#, "vpc-*", false),
            (r#""StringLike": {"aws:SourceVpc": "vpc-${*}"}"#, "vpc-*", true),
            (r#""StringEquals": {"aws:SourceVpc": ""}"#, "", false),
            (r#""StringEquals": {"aws:SourceVpc": "anonymous"}"#, "anonymous", false),
            (r#""StringNotEquals": {"aws:SourceVpc": "vpc-2"}"#, "vpc-1", false),
            (r#""Bool": {"aws:SourceVpc": "true"}"#, "TRUE", true),
            (r#""Null": {"aws:SourceVpc": "false"}"#, "false", false),
        ] {
            check(&[&allow_if(test)], &[("aws:SourceVpc", value)], Some(!confines));
        }
    }

    #[test]
    fn keys_that_the_service_does_not_trust_do_not_confine() {
        for key in ["aws:referer", "aws:UserAgent", "aws:PrincipalTag/team", "aws:VpceAccount"] {
            let test = format!(r#""StringEquals": {{"{key}": "x"}}"#);
            check(&[&allow_if(&test)], &[(key, "x")], Some(true));
        }
        let test = r#""Bool": {"aws:PrincipalIsAWSService": "false"}"#;
        check(&[&allow_if(test)], &[("aws:PrincipalIsAWSService", "false")], Some(true));
    }

    #[test]
    fn absence_never_confines() {
        check(
            &[&allow_if(r#""StringEqualsIfExists": {"aws:SourceVpc": "vpc-1"}"#)],
            &[],
            Some(true),
        );
        check(&[&allow_if(r#""StringNotEquals": {"aws:SourceVpc": "vpc-1"}"#)], &[], Some(true));
        check(
            &[&allow_if(r#""ForAllValues:StringEquals": {"aws:PrincipalOrgPaths": "o-a/r-1/"}"#)],
            &[],
            Some(true),
        );
        check(
            &[&allow_if(r#""IpAddressIfExists": {"aws:SourceIp": "203.0.113.0/24"}"#)],
            &[],
            Some(true),
        );
    }

    #[test]
    fn a_deny_of_everything_else_confines_to_its_values() {
        let deny = deny_if(r#""StringNotEquals": {"aws:SourceVpc": "vpc-1"}"#);
        check(&[ALLOW_ALL, &deny], &[("aws:SourceVpc", "vpc-1")], Some(false));
        check(&[ALLOW_ALL, &deny], &[("aws:SourceVpc", "vpc-2")], Some(false));
        check(&[ALLOW_ALL, &deny], &[], Some(false));
        let elsewhere =
            deny_if(r#""StringEquals": {"aws:SourceVpc": "vpc-1", "aws:SourceVpce": "x"}"#);
        check(&[ALLOW_ALL, &elsewhere], &[("aws:SourceVpc", "vpc-1")], Some(false));
        check(&[ALLOW_ALL, &elsewhere], &[("aws:SourceVpc", "vpc-2")], Some(true));
    }

    #[test]
    fn a_deny_that_absence_escapes_does_not_confine() {
        let organisation = deny_if(
            r#""StringNotEquals": {"aws:PrincipalOrgID": "o-a"}, "Bool": {"aws:PrincipalIsAWSService": "false"}"#,
        );
        check(&[ALLOW_ALL, &organisation], &[], Some(true));
        let paths =
            deny_if(r#""ForAnyValue:StringNotEquals": {"aws:PrincipalOrgPaths": "o-a/r-1/"}"#);
        check(&[ALLOW_ALL, &paths], &[], Some(true));
    }

    #[test]
    fn an_account_inside_a_pattern_is_no_fixed_value() {
        let role = "arn:aws:iam::111122223333:role/r";
        let like =
            allow_if(r#""ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/*"}"#);
        check(&[&like], &[("aws:PrincipalArn", role)], Some(true));
        let named = r#"{"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "*", "Resource": "*"}"#;
        check(&[&like, named], &[("aws:PrincipalArn", role)], Some(true));
        let equals =
            allow_if(r#""ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/r"}"#);
        check(&[&equals], &[("aws:PrincipalArn", role)], Some(false));
    }

    #[test]
    fn an_access_point_is_fixed_by_its_account() {
        let point = "arn:aws:s3:eu-west-3:111122223333:accesspoint/ap";
        for (pattern, confines) in [
            (point, true),
            ("arn:aws:s3:eu-west-3:111122223333:accesspoint/*", true),
            ("arn:aws:s3:eu-west-3:111122223333:*", true),
            ("arn:aws:s3:*:111122223333:accesspoint/*", false),
            ("arn:aws:s3:eu-west-3:11112222333?:accesspoint/*", false),
            ("arn:aws:s3:eu-west-3:*:accesspoint/ap", false),
        ] {
            let test = format!(r#""ArnLike": {{"s3:DataAccessPointArn": "{pattern}"}}"#);
            check(&[&allow_if(&test)], &[("s3:DataAccessPointArn", point)], Some(!confines));
        }
        let test = r#""ArnLike": {"s3:DataAccessPointArn": "arn:aws:s3:::x"}"#;
        check(&[&allow_if(test)], &[("s3:DataAccessPointArn", "arn:aws:s3:::x")], Some(false));
    }

    #[test]
    fn a_user_id_of_a_session_is_no_fixed_value() {
        for (value, confines) in [("AIDA1", true), ("AROA1:n1", false), ("AROA1:*", false)] {
            let test = format!(r#""StringLike": {{"aws:userid": "{value}"}}"#);
            check(
                &[&allow_if(&test)],
                &[("aws:userid", &value.replace('*', "x"))],
                Some(!confines),
            );
        }
    }

    #[test]
    fn few_addresses_confine_and_many_do_not() {
        for (range, address, is_public) in [
            ("203.0.113.0/24", "203.0.113.7", false),
            ("11.0.0.0/8", "11.0.0.1", false),
            ("12.0.0.0/7", "12.0.0.1", true),
            ("0.0.0.0/0", "203.0.113.7", true),
            ("0.0.0.0/0", "10.0.0.1", false),
            ("10.0.0.0/7", "11.0.0.1", false),
            ("2001:db8::/32", "2001:db8::1", false),
            ("2001:db8::/31", "2001:db8::1", true),
            ("::/0", "203.0.113.7", false),
        ] {
            let test = format!(r#""IpAddress": {{"aws:SourceIp": "{range}"}}"#);
            check(&[&allow_if(&test)], &[("aws:SourceIp", address)], Some(is_public));
        }
        let deny = deny_if(r#""NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}"#);
        check(&[ALLOW_ALL, &deny], &[("aws:SourceIp", "203.0.113.7")], Some(false));
        check(&[ALLOW_ALL, &deny], &[("aws:SourceIp", "203.0.114.7")], Some(false));
        check(&[ALLOW_ALL], &[("aws:SourceIp", "10.0.0.1")], Some(true));
    }

    #[test]
    fn many_small_ranges_leave_the_answer_open() {
        let test = r#""IpAddress": {"aws:SourceIp": ["11.0.0.0/8", "13.0.0.0/8"]}"#;
        check(&[&allow_if(test)], &[("aws:SourceIp", "11.0.0.1")], None);
        check(&[&allow_if(test)], &[("aws:SourceIp", "10.0.0.1")], Some(false));
    }

    #[test]
    fn what_is_open_stays_open_only_where_it_matters() {
        // Too many steps to find out.
        let pattern = format!("*{}b", "a".repeat(9_000));
        let maybe = format!(r#""StringLike": {{"aws:UserAgent": "{pattern}"}}"#);
        let (agent, other) = (("aws:UserAgent", &*"a".repeat(9_000)), ("aws:UserAgent", "x"));
        check(&[&allow_if(&maybe)], &[agent], None);
        check(&[&allow_if(&maybe), ALLOW_ALL], &[agent], Some(true));
        let deny = deny_if(&format!(r#""Null": {{"aws:username": "false"}}, {maybe}"#));
        check(&[ALLOW_ALL, &deny], &[agent, ("aws:username", "ines")], None);
        check(&[ALLOW_ALL, &deny], &[agent], Some(true));
        check(&[ALLOW_ALL, &deny], &[other, ("aws:username", "ines")], Some(true));
    }

    #[test]
    fn an_element_of_a_list_confines() {
        let question = question(&[
            ALLOW_ALL,
            &deny_if(r#""StringEquals": {"aws:PrincipalOrgPaths": "o-a/r-1/"}"#),
        ]);
        let mut request = request(Principal::Anonymous, &[]);
        let mut check = |elements: &[&str], expected| {
            let elements = elements.iter().map(|&element| element.to_owned()).collect();
            request.context.insert("aws:PrincipalOrgPaths", ContextValue::Many(elements));
            assert_eq!(outcome(&breaks(&question, &S3, &request, Readings::DEFAULT)), expected);
        };
        check(&["x", "o-a/r-1/"], Some(false));
        check(&["x"], Some(true));
        check(&[], Some(true));
    }

    #[test]
    fn each_type_of_resource_has_its_own_keys_actions_and_deputies() {
        let check = |name: &str,
                     principal: &Principal,
                     statement: &str,
                     context: &[(&str, &str)],
                     action: &str,
                     expected| {
            let table = crate::public::table(name, crate::public::Reading::Documented).unwrap();
            let mut request = request(principal.clone(), context);
            request.action = action.to_owned();
            let replay = breaks(&question(&[statement]), table, &request, Readings::DEFAULT);
            assert_eq!(outcome(&replay), Some(expected), "{name}: {replay:?}");
        };
        let ines = &ines();
        let caller = allow_if(r#""StringEquals": {"kms:CallerAccount": "111122223333"}"#);
        let called = [("kms:CallerAccount", "111122223333")];
        check("AWS::KMS::Key", ines, &caller, &called, "kms:Decrypt", false);
        check("AWS::S3::Bucket", ines, &caller, &called, "kms:Decrypt", true);
        check("AWS::KMS::Key", ines, ALLOW_ALL, &[], "KMS:decrypt", true);
        check("AWS::KMS::Key", ines, ALLOW_ALL, &[], "KMS:PutKeyPolicy", false);
        check("AWS::KMS::Key", ines, ALLOW_ALL, &[], "kms:Unheard", true);
        let of_s3 = Principal::Service { name: "s3.amazonaws.com".to_owned() };
        let service = r#"{"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "*", "Resource": "*"}"#;
        check("AWS::Lambda::Function", &of_s3, service, &[], "lambda:InvokeFunction", true);
        check("AWS::SQS::Queue", &of_s3, service, &[], "sqs:SendMessage", false);
        let aws = allow_if(r#""Bool": {"aws:PrincipalIsAWSService": "false"}"#);
        let is_aws = [("aws:PrincipalIsAWSService", "true")];
        check("AWS::DynamoDB::Table", &of_s3, ALLOW_ALL, &is_aws, "dynamodb:GetItem", true);
        check(
            "AWS::DynamoDB::Table",
            ines,
            &aws,
            &[("aws:PrincipalIsAWSService", "false")],
            "dynamodb:GetItem",
            true,
        );
        let office = allow_if(r#""IpAddress": {"aws:SourceIp": "203.0.113.0/24"}"#);
        let from = [("aws:SourceIp", "203.0.113.7")];
        check("AWS::DynamoDB::Table", ines, &office, &from, "dynamodb:GetItem", true);
        check("AWS::EFS::FileSystem", ines, &office, &from, "elasticfilesystem:ClientMount", false);
    }

    #[test]
    fn several_requests_are_counted_together() {
        let test = r#""IpAddress": {"aws:SourceIp": ["11.0.0.0/8", "13.0.0.0/8", "15.0.0.0/9"]}"#;
        let question = question(&[&allow_if(test)]);
        let of = |address: &str| request(Principal::Anonymous, &[("aws:SourceIp", address)]);
        let check = |addresses: &[&str], readings, expected| {
            let requests: Vec<Request> = addresses.iter().map(|address| of(address)).collect();
            let requests: Vec<&Request> = requests.iter().collect();
            let replay = breaks_together(&question, &S3, &requests, readings);
            assert_eq!(outcome(&replay), Some(expected), "{addresses:?}: {replay:?}");
        };
        let default = Readings::DEFAULT;
        check(&["11.0.0.1", "13.0.0.1"], default, true);
        check(&["11.0.0.1", "15.0.0.1"], default, true);
        check(&["11.0.0.1", "11.0.0.2"], default, false);
        check(&["11.0.0.1"], default, false);
        check(&["11.0.0.1", "17.0.0.1"], default, false);
        check(&["11.0.0.1", "13.0.0.1"], default.with(Switch::D32, true), false);
        let n = admitted(&question, &[&of("15.0.0.1"), &of("11.0.0.1"), &of("10.0.0.1")]);
        assert_eq!(n, [(1 << 24) + (1 << 23), 0]);
    }

    #[test]
    fn a_resource_control_policy_denies_and_confines_where_it_applies() {
        let rcp = |statement: &str| {
            let set = PolicySet {
                resource: Some(vec![policy(PolicyType::Resource, &[ALLOW_ALL])]),
                rcp: vec![vec![policy(PolicyType::Rcp, &[statement])]],
                ..PolicySet::default()
            };
            let policy = Subject::Set(Box::new(set));
            Question::NoPublicAccess { policy, table: &S3 }
        };
        let check = |question: &Question, action: &str, context: &[(&str, &str)], expected| {
            let mut request = request(ines(), context);
            request.action = action.to_owned();
            let replay = breaks(question, &S3, &request, Readings::DEFAULT);
            assert_eq!(outcome(&replay), Some(expected), "{action}: {replay:?}");
        };
        let unless = rcp(&deny_if(r#""StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}"#));
        let member = [("aws:PrincipalOrgID", "o-a1b2c3d4e5")];
        check(&unless, "s3:GetObject", &member, false);
        check(&unless, "s3:GetObject", &[("aws:PrincipalOrgID", "o-zzzzzzzzzz")], false);
        check(&unless, "sns:Publish", &member, true);
    }

    #[test]
    fn the_statements_that_let_the_request_in_are_named() {
        let named = r#"{"Effect": "Allow", "Principal": {"AWS": ["*", "111122223333"]}, "Action": "*", "Resource": "*"}"#;
        let question = question(&[named, ALLOW_ALL, ALLOW_ALL]);
        let place = PolicyRef::of_union(Side::Policy, 0);
        let confirmed = Replay::Confirmed { allowing: vec![(place, 1), (place, 2)] };
        assert_eq!(breaks(&question, &S3, &request(ines(), &[]), Readings::DEFAULT), confirmed);
    }

    /// Checks whether an anonymous request with this context is public; `None` is undecided.
    #[track_caller]
    fn check(statements: &[&str], context: &[(&str, &str)], expected: Option<bool>) {
        check_by(Principal::Anonymous, statements, context, expected);
    }

    #[track_caller]
    fn check_by(
        principal: Principal,
        statements: &[&str],
        context: &[(&str, &str)],
        expected: Option<bool>,
    ) {
        let replay =
            breaks(&question(statements), &S3, &request(principal, context), Readings::DEFAULT);
        assert_eq!(outcome(&replay), expected, "{replay:?}");
    }

    #[track_caller]
    fn outcome(replay: &Replay) -> Option<bool> {
        match replay {
            Replay::Confirmed { allowing } => Some(!allowing.is_empty()),
            Replay::Refuted(_) => Some(false),
            Replay::Undecided(constructs) => {
                assert!(!constructs.is_empty());
                None
            }
        }
    }

    fn request(principal: Principal, context: &[(&str, &str)]) -> Request {
        let mut request = Request {
            principal,
            action: "s3:GetObject".to_owned(),
            resource: "arn:aws:s3:::b/k".to_owned(),
            resource_account: None,
            ..Request::default()
        };
        for (key, value) in context {
            request.context.insert(key, ContextValue::One((*value).to_owned()));
        }
        request
    }

    fn ines() -> Principal {
        let arn = "arn:aws:iam::111122223333:user/ines".to_owned();
        Principal::User { arn, canonical_user: Some("c1".to_owned()) }
    }

    fn question(statements: &[&str]) -> Question {
        Question::no_public_access(policy(PolicyType::Resource, statements), &S3)
    }

    fn policy(policy_type: PolicyType, statements: &[&str]) -> Policy {
        let statements = statements.join(", ");
        let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
        parse(&text, Some(policy_type)).unwrap()
    }

    fn allow_if(condition: &str) -> String {
        conditional("Allow", condition)
    }

    fn deny_if(condition: &str) -> String {
        conditional("Deny", condition)
    }

    fn conditional(effect: &str, condition: &str) -> String {
        format!(
            r#"{{"Effect": "{effect}", "Principal": "*", "Action": "*", "Resource": "*",
                "Condition": {{{condition}}}}}"#
        )
    }
}
