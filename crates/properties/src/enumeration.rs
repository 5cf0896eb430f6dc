//! Small universes, in which a question is decided by trying every request.
//!
//! A universe has a few actions, resources and principals, and one or two keys with few values
//! each. The concrete evaluator and the concrete relations say of every request in it whether it can
//! happen and breaks the property; they know no formula. A verdict *holds* is wrong if one does.
//! A verdict *fails* has to be reproduced by its witness, which need not be of the universe: most
//! policies name more than it has. Readings are part of the case and given to the engine as
//! decided, so that both sides speak of the same rules.

use std::collections::BTreeMap;

use arbitrary::{Result, Unstructured};
use keyaki_analysis::replay::{Replay, breaks, violations};
use keyaki_analysis::{Question, Verdict};
use keyaki_policy::request::Request;
use keyaki_policy::{PolicyType, Readings, Switch};
use keyaki_solvers::Automaton;
use serde_json::{Value, json};

use crate::questions::{ask, assert_witness, word};
use crate::{NoCase, case, generate};

const A: &str = "111122223333";

/// A key with the operators that fit it, the texts of conditions, and its values in requests; null
/// is an absent key.
pub(crate) struct Key {
    name: &'static str,
    operators: &'static [&'static str],
    texts: &'static [&'static str],
    /// As JSON.
    values: &'static str,
}

const TEXT_OPERATORS: &[&str] = &[
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIfExists",
    "StringNotEqualsIfExists",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "Null",
];

const LIST_OPERATORS: &[&str] = &[
    "ForAnyValue:StringEquals",
    "ForAnyValue:StringNotEquals",
    "ForAllValues:StringEquals",
    "ForAllValues:StringNotEquals",
    "ForAllValues:StringLikeIfExists",
    "Null",
];

const KEYS: &[Key] = &[
    Key {
        name: "aws:SourceVpc",
        operators: TEXT_OPERATORS,
        texts: &["vpc-1", "VPC-1", "vpc-?", "vpc-2", "*"],
        values: r#"[null, "vpc-1", "vpc-2"]"#,
    },
    Key {
        name: "aws:PrincipalOrgID",
        operators: TEXT_OPERATORS,
        texts: &["o-a", "O-A", "o-*"],
        values: r#"[null, "o-a", "o-b"]"#,
    },
    Key {
        name: "aws:PrincipalTag/t",
        operators: TEXT_OPERATORS,
        texts: &["v", "V", "", "?*"],
        values: r#"[null, "", "v", "w"]"#,
    },
    Key {
        name: "x:custom",
        operators: TEXT_OPERATORS,
        texts: &["v", "${aws:username}", "w*"],
        values: r#"[null, "v", "w", ["v"], ["v", "w"]]"#,
    },
    Key {
        name: "aws:TagKeys",
        operators: LIST_OPERATORS,
        texts: &["a", "A", "b", "*"],
        values: r#"[null, ["a"], ["b"], ["a", "b"], ["A"]]"#,
    },
    Key {
        name: "aws:SourceIp",
        operators: &[
            "IpAddress",
            "NotIpAddress",
            "IpAddressIfExists",
            "NotIpAddressIfExists",
            "Null",
        ],
        texts: &["203.0.113.0/24", "203.0.113.7", "0.0.0.0/0", "2001:db8::/32", "::/0"],
        values: r#"[null, "203.0.113.7", "198.51.100.1", "2001:db8::1"]"#,
    },
    Key {
        name: "aws:SecureTransport",
        operators: &["Bool", "BoolIfExists", "StringEquals"],
        texts: &["true", "false"],
        values: r#"[null, "true", "false"]"#,
    },
    Key {
        name: "s3:max-keys",
        operators: &[
            "NumericEquals",
            "NumericNotEquals",
            "NumericLessThan",
            "NumericGreaterThanEqualsIfExists",
        ],
        texts: &["10", "10.0", "-1", "1000"],
        values: r#"[null, "10", "1000", "0"]"#,
    },
    Key {
        name: "aws:CurrentTime",
        operators: &["DateLessThan", "DateGreaterThanEquals", "DateEquals", "DateNotEquals"],
        texts: &["2026-01-01T00:00:00Z", "2026-01-01", "2030-06-01T12:00:00Z"],
        values: r#"["2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "2031-01-01T00:00:00Z"]"#,
    },
];

const ACTIONS: [&str; 3] = ["s3:GetObject", "s3:PutObject", "sqs:SendMessage"];

const ACTION_PATTERNS: [&str; 6] =
    ["*", "s3:*", "s3:GetObject", "S3:?etobject", "sqs:*", "*:*Object"];

const RESOURCES: [&str; 3] =
    ["arn:aws:s3:::b/k", "arn:aws:s3:::b/other", "arn:aws:sqs:us-east-1:111122223333:q"];

const RESOURCE_PATTERNS: [&str; 5] = [
    "*",
    "arn:aws:s3:::b/*",
    "arn:aws:s3:::b/k",
    "arn:aws:sqs:*:*:?",
    "arn:aws:s3:::b/${aws:username}",
];

const PRINCIPALS: [&str; 7] = [
    r#"{"type": "anonymous"}"#,
    r#"{"type": "user", "arn": "arn:aws:iam::111122223333:user/k"}"#,
    r#"{"type": "user", "arn": "arn:aws:iam::444455556666:user/b"}"#,
    r#"{"type": "role-session", "role_arn": "arn:aws:iam::111122223333:role/r", "session_name": "ss"}"#,
    r#"{"type": "root", "partition": "aws", "account": "111122223333"}"#,
    r#"{"type": "service", "name": "sns.amazonaws.com"}"#,
    r#"{"type": "federated-user", "arn": "arn:aws:sts::111122223333:federated-user/f"}"#,
];

const PRINCIPAL_PATTERNS: [&str; 6] = [
    r#""*""#,
    r#"{"AWS": "111122223333"}"#,
    r#"{"AWS": "*"}"#,
    r#"{"AWS": ["arn:aws:iam::111122223333:user/k", "444455556666"]}"#,
    r#"{"AWS": "arn:aws:iam::111122223333:role/r"}"#,
    r#"{"Service": "sns.amazonaws.com"}"#,
];

/// A question about policies of few words, and the keys of its universe.
pub(crate) fn draw(u: &mut Unstructured<'_>) -> Result<Value> {
    let keys = draw_keys(u)?;
    let kind = *u.choose(&[PolicyType::Identity, PolicyType::Resource])?;
    let mut drawn = if u.ratio(2, 5)? {
        let policy = policy(u, PolicyType::Resource, &keys)?;
        match u.arbitrary()? {
            true => case::of_text(&policy),
            false => {
                let mut zone = generate::zone(u)?;
                // The owner of what is in the universe is this account.
                zone.remove("resource_account");
                if u.arbitrary()? {
                    zone.insert("resource_account".to_owned(), json!(A));
                }
                case::of_zone(&policy, &zone)
            }
        }
    } else if u.ratio(1, 3)? {
        case::of_accesses(kind, &policy(u, kind, &keys)?, &accesses(u)?)
    } else {
        let existing = if u.ratio(4, 5)? { vec![policy(u, kind, &keys)?] } else { vec![] };
        let question = u.choose(&case::COMPARISONS)?;
        case::of_texts(question, kind, &existing, &[policy(u, kind, &keys)?])
    };
    drawn["keys"] = values(&keys);
    drawn["readings"] = case::of_readings(draw_readings(u)?);
    Ok(drawn)
}

/// The keys of a universe.
pub(crate) fn draw_keys(u: &mut Unstructured<'_>) -> Result<[&'static Key; 2]> {
    Ok([u.choose(KEYS)?, u.choose(KEYS)?])
}

/// The values that the keys have in requests, as a case has them.
pub(crate) fn values(keys: &[&Key; 2]) -> Value {
    let values: BTreeMap<&str, Value> =
        keys.iter().map(|key| (key.name, serde_json::from_str(key.values).unwrap())).collect();
    json!(values)
}

/// The default readings, or any of the undecided switches.
pub(crate) fn draw_readings(u: &mut Unstructured<'_>) -> Result<Readings> {
    let mut readings = Readings::DEFAULT;
    if u.arbitrary()? {
        for (switch, ..) in Switch::ALL {
            // No session policies here, which D30 is about.
            if switch.is_undecided() && switch != Switch::D30 {
                readings = readings.with(switch, u.arbitrary()?);
            }
        }
    }
    Ok(readings)
}

/// Accesses of one or two of the universe's patterns, as lists of actions and of resources.
fn accesses(u: &mut Unstructured<'_>) -> Result<Vec<[Vec<&'static str>; 2]>> {
    // No variables there.
    let resources = &RESOURCE_PATTERNS[..4];
    let mut accesses = vec![];
    for _ in 0..u.int_in_range(1..=2)? {
        let action = *u.choose(&ACTION_PATTERNS)?;
        let resource = *u.choose(resources)?;
        accesses.push(match u.int_in_range(0..=3)? {
            0 => [vec![action], vec![]],
            1 => [vec![], vec![resource]],
            2 => [vec![action, u.choose(&ACTION_PATTERNS)?], vec![resource]],
            _ => [vec![action], vec![resource, u.choose(resources)?]],
        });
    }
    Ok(accesses)
}

/// A policy of few words about these keys.
pub(crate) fn policy(
    u: &mut Unstructured<'_>,
    kind: PolicyType,
    keys: &[&Key; 2],
) -> Result<String> {
    let mut statements = Vec::new();
    for _ in 0..u.int_in_range(1..=3)? {
        let effect = if u.ratio(2, 3)? { "Allow" } else { "Deny" };
        let principal = if kind == PolicyType::Resource {
            let not = if effect == "Deny" && u.ratio(1, 4)? { "Not" } else { "" };
            format!(r#""{not}Principal": {}, "#, u.choose(&PRINCIPAL_PATTERNS)?)
        } else {
            String::new()
        };
        let action = format!(r#""{}": "{}""#, negatable(u, "Action")?, u.choose(&ACTION_PATTERNS)?);
        let resource =
            format!(r#""{}": "{}""#, negatable(u, "Resource")?, u.choose(&RESOURCE_PATTERNS)?);
        let mut tests = BTreeMap::new();
        for _ in 0..u.int_in_range(0..=2)? {
            let key = u.choose(keys)?;
            let operator = *u.choose(key.operators)?;
            let texts = if operator == "Null" { &["true", "false"] } else { key.texts };
            let mut values = vec![*u.choose(texts)?];
            if u.ratio(1, 3)? {
                values.push(u.choose(texts)?);
            }
            tests.insert(operator, json!({key.name: values}));
        }
        statements.push(format!(
            r#"{{"Effect": "{effect}", {principal}{action}, {resource}, "Condition": {}}}"#,
            json!(tests)
        ));
    }
    Ok(format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(", ")))
}

fn negatable(u: &mut Unstructured<'_>, element: &str) -> Result<String> {
    Ok(if u.ratio(1, 6)? { format!("Not{element}") } else { element.to_owned() })
}

/// What comes out of a verdict and the request that was found to break the property, if any, of all that can happen.
///
/// # Panics
///
/// The property holds, and one was found.
pub(crate) fn outcome(
    verdict: &Verdict,
    found: Option<&Request>,
    requests: &[Request],
) -> &'static str {
    if let (Verdict::Holds(_), Some(request)) = (verdict, found) {
        panic!("it holds, but {} breaks it", case::of_request(request));
    }
    match (word(verdict), found) {
        ("fails", None) => "fails by a request of a larger universe",
        _ if requests.is_empty() => "nothing can happen",
        (word, _) => word,
    }
}

/// The embedded solver's verdict is what trying every request says.
pub(crate) fn check(case: &Value) -> std::result::Result<Vec<&'static str>, NoCase> {
    let question = case::question(case)?;
    let readings = case::readings(case)?;
    let report = ask(&question, &Automaton, case::options(readings))
        .unwrap_or_else(|error| panic!("{error}"));
    assert_witness(&question, &report);
    let is_confirmed = |request: &Request| {
        let replay = breaks(&question, request, readings);
        matches!(replay, Replay::Confirmed { .. })
    };
    let requests = possible(&question, case, readings)?;
    let found = requests.iter().find(|request| is_confirmed(request));
    Ok(vec![outcome(&report.verdict, found, &requests)])
}

/// The requests of the universe that can happen.
pub(crate) fn possible(
    question: &Question,
    case: &Value,
    readings: Readings,
) -> std::result::Result<Vec<Request>, NoCase> {
    let no_keys = || NoCase("there are no `keys`".to_owned());
    let keys = case.get("keys").and_then(Value::as_object).ok_or_else(no_keys)?;
    let mut contexts = vec![json!({})];
    for (key, values) in keys {
        let mut more = Vec::new();
        for (context, value) in contexts
            .iter()
            .flat_map(|context| values.as_array().into_iter().flatten().map(move |v| (context, v)))
        {
            let mut context = context.clone();
            if !value.is_null() {
                context[key] = value.clone();
            }
            more.push(context);
        }
        contexts = more;
    }
    let mut requests = Vec::new();
    for principal in PRINCIPALS {
        let principal: Value = serde_json::from_str(principal).unwrap();
        for (action, resource) in ACTIONS.iter().flat_map(|a| RESOURCES.iter().map(move |r| (a, r)))
        {
            for context in &contexts {
                let request = case::request(&json!({
                    "principal": principal, "action": action, "resource": resource,
                    "resource_account": A, "context": context,
                }))?;
                // What follows from the principal is put in; what contradicts it cannot happen.
                let Ok(request) = request.complete() else { continue };
                if violations(question, &request, readings).is_empty() {
                    requests.push(request);
                }
            }
        }
    }
    Ok(requests)
}
