//! Two versions of a policy of which one includes the other, or nearly, by one rule of the comparison of texts or another.
//!
//! Edits at random are such that a rule seldom decides: of what is edited in a condition, say, hardly anything is implied by what it
//! was. So each rule has a change here that it has to see through (docs/cover.md), and edits at random come on top now and then, so that it
//! is nearly what the rule says. What does not fit a policy leaves it as it is.

use arbitrary::{Result, Unstructured};
use serde_json::{Map, Value, json};

/// Operators that hold of an absent key or of what is not listed.
fn is_negated(operator: &str) -> bool {
    operator.contains("Not")
}

/// The value as a list.
fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items.clone(),
        one => vec![one.clone()],
    }
}

fn statements(policy: &mut Value) -> Option<&mut Vec<Value>> {
    policy.get_mut("Statement")?.as_array_mut()
}

fn is_allow(statement: &Value) -> bool {
    statement["Effect"] == "Allow"
}

/// Makes the policy allow more, in one place.
pub(super) fn widen(u: &mut Unstructured<'_>, policy: &mut Value) -> Result<()> {
    let Some(statements) = statements(policy).filter(|all| !all.is_empty()) else { return Ok(()) };
    if u.ratio(1, 10)? {
        return split(u, statements);
    }
    if u.ratio(1, 8)? {
        statements.push(deny_elsewhere(u, &statements[0])?);
        return Ok(());
    }
    let at = u.choose_index(statements.len())?;
    if !is_allow(&statements[at]) {
        drop(statements.remove(at));
        return Ok(());
    }
    let Some(members) = statements[at].as_object_mut() else { return Ok(()) };
    let names: Vec<String> = members
        .iter()
        .filter(|(name, value)| {
            *name != "Effect" && **value != json!(["*"]) && **value != json!({})
        })
        .map(|(name, _)| name.clone())
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    // Of conditions there is the most to see through.
    let has_condition = names.iter().any(|name| name == "Condition") && u.arbitrary()?;
    let name = if has_condition { "Condition" } else { u.choose(&names)?.as_str() };
    match name {
        "Condition" => widen_condition(u, &mut members[name]),
        "Principal" => widen_principal(u, &mut members[name]),
        "NotAction" | "NotResource" => {
            let mut entries = list(&members[name]);
            if u.ratio(1, 4)? || entries.len() < 2 {
                let plain = name.trim_start_matches("Not").to_owned();
                members.remove(name);
                members.insert(plain, json!("*"));
                return Ok(());
            }
            entries.remove(u.choose_index(entries.len())?);
            members[name] = json!(entries);
            Ok(())
        }
        "Action" | "Resource" => {
            let mut entries = list(&members[name]);
            // All but what it does not list.
            if u.ratio(1, 3)? {
                let other = match name {
                    "Action" => json!(["iam:*", "ec2:Run*"]),
                    _ => json!(["arn:aws:kms:*:*:key/*", "arn:aws:s3:::other"]),
                };
                members.remove(name);
                members.insert(format!("Not{name}"), other);
                return Ok(());
            }
            let at = u.choose_index(entries.len().max(1))?;
            if let Some(entry) = entries.get_mut(at) {
                *entry = json!(wider(u, entry.as_str().unwrap_or_default())?);
            }
            members[name] = json!(entries);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// A pattern that includes the text.
fn wider(u: &mut Unstructured<'_>, text: &str) -> Result<String> {
    let mut fields: Vec<String> = text.split(':').map(str::to_owned).collect();
    let at = u.choose_index(fields.len())?;
    let field = &mut fields[at];
    if at == 0 && field == "arn" || field.contains("${") {
        return Ok(format!("{text}*"));
    }
    let places: Vec<usize> = field.char_indices().map(|(at, _)| at).chain([field.len()]).collect();
    let (from, upto) = (*u.choose(&places)?, *u.choose(&places)?);
    let (from, upto) = (from.min(upto), from.max(upto));
    field.replace_range(from..upto, "*");
    Ok(fields.join(":"))
}

fn widen_condition(u: &mut Unstructured<'_>, condition: &mut Value) -> Result<()> {
    let Some(operators) = condition.as_object_mut() else { return Ok(()) };
    let names: Vec<String> = operators.keys().cloned().collect();
    if names.is_empty() {
        return Ok(());
    }
    let name = u.choose(&names)?.clone();
    if u.ratio(1, 12)? {
        operators.remove(&name);
        return Ok(());
    }
    let mut rename = |to: String| {
        if let Some(tests) = operators.remove(&name) {
            operators.entry(to).or_insert(tests);
        }
    };
    let is_plain = !name.to_lowercase().ends_with("ifexists") && name != "Null";
    match u.int_in_range(0..=4)? {
        0 if is_plain => rename(format!("{name}IfExists")),
        1 | 2 if name.to_lowercase().contains("stringequals") && !name.contains("Ignore") => {
            rename(name.replace("StringEquals", "StringLike"));
        }
        _ => {
            let Some(tests) = operators.get_mut(&name).and_then(Value::as_object_mut) else {
                return Ok(());
            };
            for values in tests.values_mut() {
                let mut all = list(values);
                let at = u.choose_index(all.len().max(1))?;
                match is_negated(&name) {
                    true if all.len() > 1 => drop(all.remove(at)),
                    true => {}
                    false if u.arbitrary()? && name.contains("Like") && !all.is_empty() => {
                        all[at] = json!(wider(u, all[at].as_str().unwrap_or_default())?);
                    }
                    false => all.insert(0, all.first().cloned().unwrap_or(json!("other"))),
                }
                if let (false, Some(first)) = (is_negated(&name), all.first_mut())
                    && u.ratio(1, 3)?
                {
                    // Doubled above, so the old one is there still.
                    *first = match first.as_str() {
                        Some(text) if text.parse::<f64>().is_ok() => json!("7"),
                        Some(text) if text.contains(['.', ':']) && name.contains("Ip") => {
                            json!("192.0.2.0/24")
                        }
                        _ => json!("other"),
                    };
                }
                *values = json!(all);
            }
        }
    }
    Ok(())
}

fn widen_principal(u: &mut Unstructured<'_>, principal: &mut Value) -> Result<()> {
    let Some(members) = principal.as_object_mut() else { return Ok(()) };
    match u.int_in_range(0..=5)? {
        0 => *principal = json!("*"),
        1 => drop(members.insert("AWS".to_owned(), json!("*"))),
        2 => drop(members.insert("Service".to_owned(), json!("sns.amazonaws.com"))),
        _ => {
            let Some(entries) = members.get("AWS").map(list) else { return Ok(()) };
            let of_account = |entry: &Value| {
                let account = entry.as_str()?.split(':').nth(4)?;
                (account.len() == 12).then(|| json!(account))
            };
            let wider: Vec<Value> =
                entries.iter().map(|entry| of_account(entry).unwrap_or(entry.clone())).collect();
            members["AWS"] = json!(wider);
        }
    }
    Ok(())
}

/// Puts one statement as two, each with some of its actions or resources.
fn split(u: &mut Unstructured<'_>, statements: &mut Vec<Value>) -> Result<()> {
    let at = u.choose_index(statements.len())?;
    let name = *u.choose(&["Action", "Resource"])?;
    let entries = list(&statements[at][name]);
    if entries.len() < 2 {
        return Ok(());
    }
    let mut other = statements[at].clone();
    statements[at][name] = json!(entries[..1]);
    other[name] = json!(entries[1..]);
    statements.push(other);
    Ok(())
}

/// A Deny that hardly meets the statement.
fn deny_elsewhere(u: &mut Unstructured<'_>, statement: &Value) -> Result<Value> {
    let mut deny = json!({
        "Effect": "Deny",
        "Action": u.choose(&["ec2:Run*", "s3:Delete*", "*"])?,
        "Resource": u.choose(&["*", "arn:aws:s3:::elsewhere/*", "arn:aws:ec2:*:*:instance/*"])?,
    });
    if statement.get("Principal").or(statement.get("NotPrincipal")).is_some() {
        deny["Principal"] = json!("*");
    }
    Ok(deny)
}

/// A statement of an Allow, a Deny that may meet it, and the same Deny with parts of the Allow in place of its own: the first two are the
/// reference, the first and the last are in question.
pub(super) fn met(u: &mut Unstructured<'_>, policy: &mut Value) -> Result<Option<Value>> {
    let Some(all) = statements(policy).filter(|all| !all.is_empty()) else { return Ok(None) };
    let mut allow = u.choose(all)?.clone();
    let mut deny = u.choose(all)?.clone();
    deny["Effect"] = json!("Deny");
    for name in ["Action", "Resource"] {
        if u.arbitrary()? && deny.get(name).is_some() {
            deny[name] = json!(
                u.choose(&[["*", "*"], ["s3:*", "arn:aws:s3:::*"]])?
                    [usize::from(name == "Resource")]
            );
        }
    }
    let (Some(own), Some(narrow)) = (allow.as_object().cloned(), deny.as_object().cloned()) else {
        return Ok(None);
    };
    let mut narrowed: Map<String, Value> = narrow.clone();
    for name in ["Principal", "Action", "Resource"] {
        let not = format!("Not{name}");
        if u.arbitrary()? && (own.contains_key(name) || own.contains_key(&not)) {
            narrowed.remove(name);
            narrowed.remove(&not);
            let part = if own.contains_key(name) { name } else { &not };
            narrowed.insert(part.to_owned(), own[part].clone());
        }
    }
    // Of the Deny only those entries are left that the Allow can meet, which has others besides.
    for (name, shared, own, others) in MET {
        if u.ratio(1, 3)? && allow.get(name).is_some() && narrowed.contains_key(name) {
            allow[name] = json!([shared, own]);
            deny[name] = json!([shared, others]);
            narrowed.insert(name.to_owned(), json!([shared]));
        }
    }
    // Conditions of both.
    if u.arbitrary()? {
        for condition in [own.get("Condition"), narrow.get("Condition")].into_iter().flatten() {
            for (operator, tests) in condition.as_object().into_iter().flatten() {
                narrowed["Condition"][operator] = tests.clone();
            }
        }
    }
    let mut other = policy.clone();
    *statements(policy).expect("there are some") = vec![allow.clone(), deny];
    *statements(&mut other).expect("there are some") = vec![allow, Value::Object(narrowed)];
    Ok(Some(other))
}

/// An entry that an Allow and a Deny have, and one that each has alone.
const MET: [(&str, &str, &str, &str); 2] = [
    ("Action", "s3:GetObject", "kms:Decrypt", "sqs:SendMessage"),
    ("Resource", "arn:aws:s3:::b/*", "arn:aws:s3:::c", "arn:aws:sqs:us-east-1:111122223333:q"),
];

/// Parts of statements that have nothing in common, or nearly.
const APART: [(&str, &[&str], &[&str]); 5] = [
    ("Action", &["s3:GetObject", "s3:Get*", "*:getobject"], &["s3:Put*", "sqs:*", "s3:?utObject"]),
    (
        "Resource",
        &["arn:aws:s3:::a/*", "arn:aws:s3:::a"],
        &["arn:aws:s3:::b*", "arn:aws:sqs:*:*:a", "arn:aws-cn:s3:::a"],
    ),
    ("AWS", &["111122223333"], &["444455556666", "arn:aws:iam::444455556666:root"]),
    ("Service", &["sns.amazonaws.com"], &[]),
    ("Excluded", &["s3:*"], &["s3:Get*"]),
];

/// Makes the two policies allow different requests, or nearly.
pub(super) fn part(u: &mut Unstructured<'_>, one: &mut Value, other: &mut Value) -> Result<()> {
    let (name, of_one, of_other) = u.choose(&APART)?;
    for (policy, words, is_first) in [(one, of_one, true), (other, of_other, false)] {
        let Some(all) = statements(policy) else { return Ok(()) };
        for members in all.iter_mut().filter_map(Value::as_object_mut) {
            let mut put = |name: &str, value: Value| {
                members.remove(&format!("Not{name}"));
                members.remove(name);
                members.insert(name.to_owned(), value);
            };
            let words: Vec<&str> = match words {
                [] => vec![],
                words => vec![*u.choose(words)?],
            };
            let has_principal =
                |put: &mut dyn FnMut(&str, Value), value: Value| put("Principal", value);
            match *name {
                "AWS" => has_principal(&mut put, json!({"AWS": words})),
                "Service" if is_first => has_principal(&mut put, json!({"Service": words})),
                "Service" => has_principal(&mut put, json!({"AWS": "111122223333"})),
                "Excluded" if is_first => {
                    members.remove("Action");
                    members.insert("NotAction".to_owned(), json!(words));
                }
                "Excluded" => put("Action", json!(words)),
                name => put(name, json!(words)),
            }
        }
    }
    Ok(())
}

/// Tests that place a request inside a zone or tell who it is, and some that nearly do.
const TESTS: [(&str, &[&str]); 13] = [
    ("aws:PrincipalAccount", &["111122223333", "444455556666", "1111*", "anonymous"]),
    ("kms:CallerAccount", &["111122223333", "444455556666"]),
    ("aws:PrincipalOrgID", &["o-a", "o-b", "o-*", ""]),
    (
        "aws:PrincipalArn",
        &[
            "arn:aws:iam::111122223333:*",
            "arn:aws:iam::444455556666:role/r",
            "arn:*:iam::111122223333:user/a",
            "*",
            "arn:aws:iam:*",
        ],
    ),
    ("aws:PrincipalOrgPaths", &["o-a/r-1/", "o-a/*"]),
    ("aws:SourceVpc", &["vpc-1", "vpc-*", ""]),
    ("aws:userid", &["AIDA1", "AROA1:s", "anonymous"]),
    ("aws:PrincipalIsAWSService", &["true", "false"]),
    ("elasticfilesystem:AccessedViaMountTarget", &["true", "true", "false", "True"]),
    ("aws:SourceArn", &["arn:aws:sns:us-east-1:111122223333:t", "no-arn", "arn:aws:sns:*:*:t"]),
    ("aws:SourceIp", &["203.0.113.0/24", "10.0.0.0/8", "0.0.0.0/1", "2001:db8::/32"]),
    ("aws:SourceAccount", &["111122223333", "${aws:PrincipalAccount}", "1${*}"]),
    ("aws:PrincipalServiceNamesList", &["sns.amazonaws.com"]),
];

/// Gives statements a test of who asks, or puts a Deny of everybody else beside them.
pub(super) fn confine(u: &mut Unstructured<'_>, policy: &mut Value) -> Result<()> {
    let Some(all) = statements(policy) else { return Ok(()) };
    all.truncate(2);
    let mut denies = Vec::new();
    for statement in all.iter_mut().filter(|statement| is_allow(statement)) {
        let (key, words) = u.choose(&TESTS)?;
        let mut values = vec![*u.choose(words)?];
        if u.ratio(1, 3)? {
            values.push(u.choose(words)?);
        }
        values.truncate(if u.ratio(1, 30)? { 0 } else { 2 });
        let is_deny = u.ratio(2, 5)?;
        let operators: &[&str] = match (*key, is_deny) {
            ("aws:SourceIp", false) => &["IpAddress", "IpAddress", "IpAddressIfExists"],
            ("aws:SourceIp", true) => &["NotIpAddress"],
            ("aws:PrincipalIsAWSService" | "elasticfilesystem:AccessedViaMountTarget", false) => {
                &["Bool", "StringEquals", "StringLike"]
            }
            ("aws:PrincipalOrgPaths" | "aws:PrincipalServiceNamesList", false) => &[
                "ForAnyValue:StringEquals",
                "ForAnyValue:StringLike",
                "ForAllValues:StringEquals",
                "StringEquals",
            ],
            (_, false) => &[
                "StringEquals",
                "StringLike",
                "ArnLike",
                "ArnEquals",
                "StringEqualsIfExists",
                "ForAllValues:StringEquals",
                "ForAnyValue:StringLike",
            ],
            (_, true) => &[
                "StringNotEquals",
                "StringNotLike",
                "ArnNotLike",
                "StringNotEqualsIfExists",
                "ForAnyValue:StringNotEquals",
            ],
        };
        let test = json!({(*u.choose(operators)?): {*key: values}});
        if u.ratio(3, 4)? {
            statement["Principal"] = json!("*");
            statement.as_object_mut().map(|members| members.remove("NotPrincipal"));
        }
        if is_deny {
            let mut deny = statement.clone();
            deny["Effect"] = json!("Deny");
            deny["Condition"] = test;
            if u.arbitrary()? {
                deny["Action"] = json!("*");
                deny.as_object_mut().map(|members| members.remove("NotAction"));
            }
            denies.push(deny);
        } else {
            statement["Condition"] = test;
        }
    }
    all.extend(denies);
    Ok(())
}

/// What the policy says as one of another type, as far as that goes.
pub(super) fn of_type(u: &mut Unstructured<'_>, policy: &mut Value, is_trust: bool) -> Result<()> {
    for members in statements(policy).into_iter().flatten().filter_map(Value::as_object_mut) {
        if is_trust || u.ratio(1, 8)? {
            members.remove("Resource");
            members.remove("NotResource");
        }
    }
    Ok(())
}
