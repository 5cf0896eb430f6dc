//! Statements in pieces that can be edited, and requests that are made of their words.
//!
//! Texts at random were not taken: of two of them hardly ever one includes the other.

use std::collections::BTreeMap;

use keyaki_policy::ast::BaseOperator;
use keyaki_policy::request::{Context, ContextValue, Principal, Request};
use keyaki_policy::{Policy, PolicyType, parse};
use keyaki_properties::generate::edited;
use keyaki_testing::arbitrary::{Result, Unstructured};

use super::WHOLE;

const ACCOUNT: &str = "111122223333";

const SERVICES: &[&str] =
    &["s3", "S3", "s*", "?3", "*", "sqs", "s3*", "execute-api", "k\u{212a}", ""];

const NAMES: &[&str] = &[
    "*",
    "**",
    "GetObject",
    "get*",
    "*Object",
    "?etObject",
    "G*t*t",
    "PutObject",
    "",
    "?",
    "k",
    "\u{212a}",
];

const FIELDS: [&[&str]; 6] = [
    &["arn", "arn", "arn", "arn", "ar?", "*", "a*n", "arn*"],
    &["aws", "aws", "*", "aws*", "a?s", "aws-cn", "", "?*"],
    &["s3", "s3", "sqs", "execute-api", "*", "s*", "?3", ""],
    &["", "", "*", "us-east-1", "us-*", "?"],
    &["", "", ACCOUNT, "*", "1111*", "????????????", "aws"],
    &[
        "*",
        "?",
        "**",
        "?*",
        "q",
        "b",
        "b/k",
        "b/*",
        "b*",
        "*k",
        "q:x",
        "*:x",
        ":",
        "",
        "k",
        "\u{212a}",
        "b/\u{1f600}?",
        "api/prod/GET",
        "*/GET",
        "${aws:username}",
        "b/${aws:username}",
        "b${*}",
        "b*${*}",
        "${x:custom, '*'}",
        "${aws:username",
        "${x:custom, ''}*",
    ],
];

const WHOLES: &[&str] = &[
    "*",
    "**",
    "arn:",
    "arn:*",
    "arn:aws:s3",
    "arn:aws:s*",
    "arn:aws:s?",
    "arn:aws:s3:::",
    "execute-api:/*",
    "execute-api:/prod/GET",
    "execute-api:/a:b:c:d:e",
    "execute-api:/*:b:c:d:*",
    "execute-api:/${aws:username}",
    "execute-api:/prod/${*}",
];

const KEYS: &[(&str, &[&str])] = &[
    ("aws:PrincipalTag/team", TEXTS),
    ("x:custom", TEXTS),
    ("x:custom", TEXTS),
    ("aws:TagKeys", TEXTS),
    ("aws:TagKeys", TEXTS),
    ("aws:PrincipalArn", ARNS),
    ("aws:SourceArn", ARNS),
    (
        "aws:SourceIp",
        &["10.0.0.0/8", "10.1.2.3", "::/0", "2001:DB8::1", "2001:db8::/32", "10.*", "1*", "no", ""],
    ),
    (
        "aws:CurrentTime",
        &["2026-01-01", "2026-01-01T00:00:00Z", "1767225600", "2026*", "2027", "no", ""],
    ),
    ("aws:MultiFactorAuthPresent", &["true", "false", "True", "t*", "1", ""]),
    ("ebs:VolumeSize", &["10", "10.0", "1e1", "9", "abc", "1?", "010", ""]),
];

const TEXTS: &[&str] = &[
    "a",
    "A",
    "a*",
    "*",
    "?",
    "ab",
    "a?",
    "*b",
    "",
    "a*b",
    "\u{e9}",
    "a\u{e9}",
    "\u{212a}",
    "k",
    "K",
    "a${*}",
    "${*}",
    "${?}",
    "${aws:username}",
    "a${aws:username}",
    "${x:custom, 'a'}",
    "${aws:PrincipalTag/team, '*'}",
    "10",
    "true",
    "arn:aws:s3:::b",
    "${",
    "Zm8=",
    "10.0.0.1",
    "2026-01-01",
];

const ARNS: &[&str] = &[
    "arn:aws:iam::111122223333:user/a",
    "arn:aws:iam::*:user/*",
    "arn:*:iam::111122223333:*",
    "arn:aws:iam:*",
    "arn:aws:iam::111122223333:user/${aws:username}",
    "*",
    "arn:*",
    "no",
    "",
    "*:user/a",
    "ar?:aws:iam::1:x",
    "urn:aws:iam::111122223333:user/a",
    "arn:aws:s3:::b:c",
    "arn:aws:s3:::${*}",
];

const AWS: &[&str] = &[
    "*",
    "*",
    ACCOUNT,
    "444455556666",
    "arn:aws:iam::111122223333:root",
    "arn:aws-cn:iam::111122223333:root",
    "arn:aws:iam::111122223333:user/a",
    "arn:aws:iam::111122223333:user/p/a",
    "arn:aws:iam::cloudfront:user/a",
    "arn:aws:iam::111122223333:role/p/r",
    "arn:aws:sts::111122223333:assumed-role/r/sess",
    "arn:aws:sts::111122223333:federated-user/f",
    "AIDA1AAAAAAAAAAAAAAAA",
    "AROA1AAAAAAAAAAAAAAAA",
];

const OTHERS: &[(&str, &str)] = &[
    ("Service", "sns.amazonaws.com"),
    ("Service", "s3.amazonaws.com"),
    ("Federated", "accounts.google.com"),
    ("CanonicalUser", "c1"),
];

/// A statement as it is written, in parts that can be edited.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) effect: &'static str,
    /// With the member of a `Principal` object under which each stands, of which `*` has none.
    pub(super) principal: Option<(bool, Vec<(String, String)>)>,
    pub(super) action: (bool, Vec<String>),
    pub(super) resource: Option<(bool, Vec<String>)>,
    /// Operator, key and values.
    pub(super) conditions: Vec<(String, String, Vec<String>)>,
}

fn word(u: &mut Unstructured<'_>, words: &[&str]) -> Result<String> {
    Ok((*u.choose(words)?).to_owned())
}

pub(super) fn some<T>(
    u: &mut Unstructured<'_>,
    upto: usize,
    mut draw: impl FnMut(&mut Unstructured<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let n = if u.ratio(1, 24)? { 0 } else { u.int_in_range(1..=upto)? };
    (0..n).map(|_| draw(u)).collect()
}

fn action(u: &mut Unstructured<'_>) -> Result<String> {
    Ok(match u.ratio(1, 6)? {
        true => "*".to_owned(),
        false => format!("{}:{}", u.choose(SERVICES)?, u.choose(NAMES)?),
    })
}

pub(super) fn resource(u: &mut Unstructured<'_>) -> Result<String> {
    if u.ratio(1, 3)? {
        return word(u, WHOLES);
    }
    let fields: Vec<String> = FIELDS.iter().map(|words| word(u, words)).collect::<Result<_>>()?;
    Ok(fields.join(":"))
}

pub(super) fn principal(u: &mut Unstructured<'_>) -> Result<(String, String)> {
    Ok(match u.ratio(1, 4)? {
        true => {
            let (member, text) = u.choose(OTHERS)?;
            ((*member).to_owned(), (*text).to_owned())
        }
        false => ("AWS".to_owned(), word(u, AWS)?),
    })
}

fn operator(u: &mut Unstructured<'_>) -> Result<String> {
    use BaseOperator::*;
    // What the rules tell apart comes more often than what they do not.
    const LIKELY: [BaseOperator; 8] = [
        StringEquals,
        StringLike,
        StringNotEquals,
        StringNotLike,
        ArnLike,
        NumericLessThan,
        NotIpAddress,
        Bool,
    ];
    let base = match u.ratio(2, 3)? {
        true => u.choose(&LIKELY)?.name(),
        false => u.choose(&BaseOperator::ALL)?.1,
    };
    let set = u.choose(&["", "", "", "ForAllValues:", "ForAnyValue:"])?;
    let if_exists = if base != "Null" && u.ratio(1, 3)? { "IfExists" } else { "" };
    Ok(format!("{set}{base}{if_exists}"))
}

fn condition(u: &mut Unstructured<'_>) -> Result<(String, String, Vec<String>)> {
    let (key, words) = u.choose(KEYS)?;
    let operator = operator(u)?;
    let values = some(u, 3, |u| value(u, &operator, words))?;
    Ok((operator, (*key).to_owned(), values))
}

fn value(u: &mut Unstructured<'_>, operator: &str, words: &[&str]) -> Result<String> {
    word(
        u,
        match () {
            _ if operator.contains("Null") => &["true", "false", "TRUE"],
            _ if operator.contains("IpAddress") => {
                &["10.0.0.0/8", "10.1.2.3", "10.1.2.3/32", "::/0", "2001:db8::/32", "2001:DB8::1"]
            }
            _ => words,
        },
    )
}

pub(super) fn draft(u: &mut Unstructured<'_>, policy_type: PolicyType) -> Result<Draft> {
    let principal = match policy_type.names_principals() {
        true if u.ratio(1, 4)? => Some((false, vec![(String::new(), "*".to_owned())])),
        true => Some((u.ratio(1, 5)?, some(u, 3, principal)?)),
        false => None,
    };
    Ok(Draft {
        effect: if u.ratio(2, 3)? { "Allow" } else { "Deny" },
        principal,
        action: (u.ratio(1, 5)?, some(u, 3, action)?),
        resource: match policy_type {
            PolicyType::Trust => None,
            PolicyType::Kms if u.ratio(1, 4)? => None,
            _ => Some((u.ratio(1, 5)?, some(u, 3, resource)?)),
        },
        conditions: some(u, 2, condition)?,
    })
}

fn json(draft: &Draft, version: &str) -> String {
    let list = |words: &[String]| format!("{words:?}");
    let mut members = vec![format!(r#""Effect": "{}""#, draft.effect)];
    if let Some((negated, entries)) = &draft.principal {
        let not = if *negated { "Not" } else { "" };
        let value = match &entries[..] {
            [(member, star)] if member.is_empty() => format!("{star:?}"),
            entries => {
                let mut by_member: BTreeMap<&str, Vec<String>> = BTreeMap::new();
                for (member, text) in entries {
                    let member = if member.is_empty() { "AWS" } else { member };
                    by_member.entry(member).or_default().push(text.clone());
                }
                let members: Vec<String> = by_member
                    .iter()
                    .map(|(name, texts)| format!("{name:?}: {}", list(texts)))
                    .collect();
                format!("{{{}}}", members.join(", "))
            }
        };
        members.push(format!(r#""{not}Principal": {value}"#));
    }
    let mut part = |name: &str, (negated, words): &(bool, Vec<String>)| {
        let not = if *negated { "Not" } else { "" };
        members.push(format!(r#""{not}{name}": {}"#, list(words)));
    };
    part("Action", &draft.action);
    draft.resource.iter().for_each(|resource| part("Resource", resource));
    let mut operators: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (operator, key, values) in &draft.conditions {
        operators.entry(operator).or_default().push(format!("{key:?}: {}", list(values)));
    }
    let tests: Vec<String> =
        operators.iter().map(|(name, keys)| format!("{name:?}: {{{}}}", keys.join(", "))).collect();
    members.push(format!(r#""Condition": {{{}}}"#, tests.join(", ")));
    format!(r#"{{"Version": "{version}", "Statement": [{{{}}}]}}"#, members.join(", "))
}

/// The draft, or one of which only one part says something: so that it is that part which decides.
pub(super) fn focused(u: &mut Unstructured<'_>, mut draft: Draft) -> Result<Draft> {
    // Of conditions there is the most to say.
    let part = *u.choose(&[0, 1, 2, 2, 3, 3, 3, 3, WHOLE, WHOLE])?;
    let star = || (false, vec!["*".to_owned()]);
    if part != WHOLE {
        if part != 0 {
            draft.principal =
                draft.principal.map(|_| (false, vec![(String::new(), "*".to_owned())]));
        }
        if part != 1 {
            draft.action = star();
        }
        if part != 2 {
            draft.resource = draft.resource.map(|_| star());
        }
        draft.conditions = if part == 3 { vec![condition(u)?] } else { Vec::new() };
    }
    Ok(draft)
}

/// A policy of one statement, if it is one.
pub(super) fn policy(draft: &Draft, policy_type: PolicyType, version: &str) -> Option<Policy> {
    let mut draft = draft.clone();
    if policy_type == PolicyType::Rcp {
        // It denies actions to everybody.
        draft.effect = "Deny";
        draft.principal = Some((false, vec![(String::new(), "*".to_owned())]));
        draft.action.0 = false;
    }
    parse(&json(&draft, version), Some(policy_type)).ok()
}

/// A list with an entry more, less, elsewhere, twice or changed.
fn words<T: Clone>(
    u: &mut Unstructured<'_>,
    list: &mut Vec<T>,
    other: impl FnOnce(&mut Unstructured<'_>, T) -> Result<T>,
    new: impl FnOnce(&mut Unstructured<'_>) -> Result<T>,
) -> Result<()> {
    let n = list.len();
    if n == 0 {
        list.push(new(u)?);
        return Ok(());
    }
    let at = u.choose_index(n)?;
    match u.int_in_range(0..=5)? {
        0 => drop(list.remove(at)),
        1 => list.push(new(u)?),
        2 => list.swap(0, at),
        3 => list.insert(at, list[at].clone()),
        _ => list[at] = other(u, list[at].clone())?,
    }
    Ok(())
}

/// The same of a list that may be negated; or the opposite, or another one.
fn clause(
    u: &mut Unstructured<'_>,
    (negated, entries): &mut (bool, Vec<String>),
    new: fn(&mut Unstructured<'_>) -> Result<String>,
) -> Result<()> {
    match u.int_in_range(0..=9)? {
        0 => *negated = !*negated,
        1 => (*negated, *entries) = (!*negated, some(u, 2, new)?),
        2 => (*negated, *entries) = (false, vec!["*".to_owned()]),
        _ => words(u, entries, |u, text| edited(u, &text), new)?,
    }
    Ok(())
}

/// The same with something else somewhere.
pub(super) fn edit(u: &mut Unstructured<'_>, draft: &mut Draft) -> Result<()> {
    // Stars stay as they are: of a draft that is about one part it is that part which is edited.
    let says_more = |(negated, words): &(bool, Vec<String>)| *negated || *words != ["*"];
    let parts = [
        draft
            .principal
            .as_ref()
            .is_some_and(|(negated, entries)| *negated || entries.iter().any(|e| !e.0.is_empty())),
        says_more(&draft.action),
        draft.resource.as_ref().is_some_and(says_more),
        !draft.conditions.is_empty(),
    ];
    let parts: Vec<usize> =
        (0..4).filter(|part| parts[*part] || u.ratio(1, 8).unwrap_or(true)).collect();
    if parts.is_empty() {
        return Ok(());
    }
    match u.choose(&parts)? {
        0 => {
            if let Some((negated, entries)) = &mut draft.principal {
                match u.int_in_range(0..=9)? {
                    0 => *negated = !*negated,
                    1 => (*negated, *entries) = (false, vec![(String::new(), "*".to_owned())]),
                    _ => words(u, entries, |u, _| principal(u), principal)?,
                }
            }
        }
        1 => clause(u, &mut draft.action, action)?,
        2 => {
            if let Some(clause_of) = &mut draft.resource {
                clause(u, clause_of, resource)?;
            }
        }
        _ if u.ratio(1, 6)? => words(u, &mut draft.conditions, |u, _| condition(u), condition)?,
        _ => {
            if draft.conditions.is_empty() {
                return Ok(());
            }
            let at = u.choose_index(draft.conditions.len())?;
            let (own, key, values) = &mut draft.conditions[at];
            let base = own
                .trim_start_matches("ForAllValues:")
                .trim_start_matches("ForAnyValue:")
                .to_owned();
            match u.int_in_range(0..=7)? {
                0 => *own = operator(u)?,
                1 => *key = key.to_uppercase(),
                2 if own.ends_with("IfExists") => *own = own.replace("IfExists", ""),
                2 | 3 if own != "Null" => {
                    *own = format!("{}IfExists", own.trim_end_matches("IfExists"));
                }
                4 if own.contains("StringEquals") => {
                    *own = own.replace("StringEquals", "StringLike");
                }
                4 if own.contains("StringNotEquals") => {
                    *own = own.replace("StringNotEquals", "StringNotLike");
                }
                4 => *own = own.replace("StringLike", "StringEquals"),
                5 => *own = format!("{}{base}", u.choose(&["", "ForAllValues:", "ForAnyValue:"])?),
                _ => {
                    let own = own.clone();
                    let vocabulary = KEYS.iter().find(|(known, _)| known.eq_ignore_ascii_case(key));
                    let vocabulary = vocabulary.map_or(TEXTS, |(_, words)| words);
                    words(u, values, |u, text| edited(u, &text), |u| value(u, &own, vocabulary))?;
                }
            }
        }
    }
    Ok(())
}

/// A text that the pattern is likely to match.
fn instance(u: &mut Unstructured<'_>, pattern: &str) -> Result<String> {
    let mut instance = String::new();
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        if let Some(inside) = rest.strip_prefix("${")
            && let Some((_, behind)) = inside.split_once('}')
        {
            let value = match inside {
                _ if inside.starts_with("*}") => "*",
                _ if inside.starts_with("?}") => "?",
                _ => u.choose(&["a", "ines", "", "*"])?,
            };
            instance.push_str(value);
            rest = behind;
            continue;
        }
        rest = &rest[c.len_utf8()..];
        match c {
            '*' => instance
                .push_str(u.choose(&["", "", "x", "k", "a:b", "/GET", "*", "\u{e9}", ACCOUNT])?),
            '?' => instance.push_str(u.choose(&["x", "1", ":", "\u{e9}", "?"])?),
            c if u.ratio(1, 64)? => instance.extend(c.to_uppercase()),
            c => instance.push(c),
        }
    }
    Ok(instance)
}

pub(super) fn request(u: &mut Unstructured<'_>, drafts: &[Draft]) -> Result<Request> {
    let of = |arn: &str| format!("arn:aws:{arn}");
    let account = ACCOUNT.to_owned();
    let role_arn = of("iam::111122223333:role/p/r");
    let (principal, user_id) = match u.int_in_range(0..=13)? {
        0 => (Principal::Anonymous, ""),
        1 => (Principal::Root { partition: "aws".into(), account, canonical_user: None }, ""),
        2 => (
            Principal::Root { partition: "aws".into(), account, canonical_user: Some("c1".into()) },
            "",
        ),
        3 => (Principal::Root { partition: "aws-cn".into(), account, canonical_user: None }, ""),
        4 => (Principal::User { arn: of("iam::111122223333:user/a"), canonical_user: None }, ""),
        5 => {
            let arn = of("iam::111122223333:user/p/a");
            (Principal::User { arn, canonical_user: Some("c1".into()) }, "AIDA1AAAAAAAAAAAAAAAA")
        }
        6 => (Principal::User { arn: of("iam::cloudfront:user/a"), canonical_user: None }, ""),
        7 => (
            Principal::RoleSession { role_arn, session_name: "sess".into() },
            "AROA1AAAAAAAAAAAAAAAA:sess",
        ),
        8 => (
            Principal::RoleSession { role_arn, session_name: "other".into() },
            "AROA1AAAAAAAAAAAAAAAA:other",
        ),
        9 => {
            // The user is of the same account as the session, as relations have it.
            let base = Some(of("iam::111122223333:user/a"));
            (Principal::FederatedUser { arn: of("sts::111122223333:federated-user/f"), base }, "")
        }
        10 => {
            (Principal::Service { name: word(u, &["sns.amazonaws.com", "s3.amazonaws.com"])? }, "")
        }
        11 => (Principal::Federated { provider: "accounts.google.com".into() }, ""),
        12 => (Principal::CanonicalUser { id: "c1".into() }, ""),
        _ => (Principal::User { arn: of("iam::444455556666:user/a"), canonical_user: None }, ""),
    };
    let mut context = Context::default();
    if !user_id.is_empty() {
        context.insert("aws:userid", ContextValue::One(user_id.to_owned()));
    }
    let written = u.choose(drafts)?;
    let action = match written.action.1.is_empty() || u.ratio(1, 4)? {
        true => action(u)?,
        false => u.choose(&written.action.1)?.clone(),
    };
    // An action has one colon; the rules rest on that.
    let action = match instance(u, &action)?.split_once(':') {
        Some((service, name)) => format!("{service}:{}", name.replace(':', "")),
        None => "s3:GetObject".to_owned(),
    };
    let written = &u.choose(drafts)?.resource;
    let resource = match written.as_ref().filter(|(_, entries)| !entries.is_empty()) {
        Some((_, entries)) if u.ratio(3, 4)? => u.choose(entries)?.clone(),
        _ => resource(u)?,
    };
    let resource = match resource.strip_prefix("execute-api:") {
        Some(path) => format!("arn:aws:execute-api:us-east-1:{ACCOUNT}:api{}", instance(u, path)?),
        None => instance(u, &resource)?,
    };
    let resource = match resource.split(':').count() {
        _ if u.ratio(1, 12)? => "*".to_owned(),
        n @ 1..6 => resource + &":".repeat(6 - n),
        _ => resource,
    };
    for key in ["aws:username", "aws:PrincipalTag/team", "x:custom"] {
        if u.ratio(2, 3)? {
            let value = word(u, &["a", "ines", "", "*", "k"])?;
            context.insert(key, ContextValue::One(value));
        }
    }
    for (_, key, values) in drafts.iter().flat_map(|draft| &draft.conditions) {
        let words = KEYS.iter().find(|(known, _)| known.eq_ignore_ascii_case(key));
        let one = |u: &mut Unstructured<'_>| match values.is_empty() || u.ratio(1, 4)? {
            true => word(u, words.map_or(TEXTS, |(_, words)| words)),
            false => u.choose(values).cloned().and_then(|value| match value.split_once('/') {
                Some((address, length)) if length.parse::<u8>().is_ok() => Ok(address.to_owned()),
                _ => instance(u, &value),
            }),
        };
        match u.int_in_range(0..=7)? {
            0 | 1 => drop(context.remove(key)),
            2 | 3 => {
                let values = (0..u.int_in_range(0..=3)?).map(|_| one(u)).collect::<Result<_>>()?;
                context.insert(key, ContextValue::Many(values));
            }
            4 => {}
            _ => drop(context.insert(key, ContextValue::One(one(u)?))),
        }
    }
    Ok(Request { principal, action, resource, context, ..Request::default() })
}
