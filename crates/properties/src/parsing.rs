//! Texts that are or resemble policies.

use arbitrary::{Result, Unstructured};
use keyaki_policy::span::{Position, Span};
use keyaki_policy::{Policy, PolicyType, parse, parse::parse_all};
use serde_json::{Value, json};

use crate::{NoCase, case, generate};

/// The most places in which a text is damaged.
const MAX_DAMAGES: usize = 4;

/// What is put into texts.
const PIECES: [&str; 24] = [
    "\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\\",
    "\\u",
    "\\ud800",
    "$",
    "${",
    "*",
    "?",
    "\u{0}",
    "é",
    "😀",
    "null",
    "true",
    "1e999",
    "-0",
    "\"Statement\"",
    "\"Condition\":{\"Null\":",
    "//",
];

/// A text: bytes as they come, a policy, or a policy with damages.
pub(crate) fn draw_damaged(u: &mut Unstructured<'_>) -> Result<Value> {
    let policy_type = u.choose(&PolicyType::ALL)?.1;
    if u.ratio(1, 8)? {
        let bytes: Vec<u8> = u.arbitrary()?;
        let text = String::from_utf8_lossy(&bytes);
        return Ok(json!({"policy_type": policy_type, "text": text}));
    }
    let kind = *u.choose(&[PolicyType::Identity, PolicyType::Resource])?;
    let mut chars: Vec<char> = generate::policy(u, kind)?.chars().collect();
    for _ in 0..u.int_in_range(0..=MAX_DAMAGES)? {
        if chars.is_empty() {
            break;
        }
        let (at, other) = (u.choose_index(chars.len())?, u.choose_index(chars.len())?);
        match u.int_in_range(0..=4)? {
            0 => drop(chars.remove(at)),
            1 => chars.swap(at, other),
            2 => drop(chars.splice(at..at, u.choose(&PIECES)?.chars())),
            3 => chars.truncate(at + 1),
            _ => drop(chars.drain(at.min(other)..(at.min(other) + 9).min(at.max(other)))),
        }
    }
    Ok(json!({"policy_type": policy_type, "text": String::from_iter(chars)}))
}

/// A policy as its text.
pub(crate) fn draw_policy(u: &mut Unstructured<'_>) -> Result<Value> {
    let kind = *u.choose(&[PolicyType::Identity, PolicyType::Resource])?;
    Ok(json!({"policy_type": kind.name(), "text": generate::policy(u, kind)?}))
}

/// The parser comes to an end, with a policy or with errors whose places are in the text, and all
/// errors are the first one and more.
pub(crate) fn check_parses(case: &Value) -> std::result::Result<Vec<&'static str>, NoCase> {
    let source = case::string(case, "text")?;
    let policy_type = Some(policy_type(case)?);
    let read = parse_all(source, policy_type);
    Ok(vec![match parse(source, policy_type) {
        Ok(policy) => {
            assert_eq!((read.policy, read.errors), (Some(policy), vec![]));
            "is a policy"
        }
        Err(error) => {
            let (start, end) = (error.span.start as usize, error.span.end as usize);
            assert!(source.get(start..end).is_some(), "{error:?}");
            assert!(error.position <= Position::of(source, error.span.start), "{error:?}");
            assert!(read.errors[0].span <= error.span, "{error:?}");
            "is refused"
        }
    }])
}

/// A policy that is printed is read as the same policy.
pub(crate) fn check_printed(case: &Value) -> std::result::Result<Vec<&'static str>, NoCase> {
    let source = case::string(case, "text")?;
    let Ok(mut policy) = parse(source, Some(policy_type(case)?)) else {
        return Ok(vec!["is refused"]);
    };
    let printed = policy.to_string();
    let mut again = parse(&printed, Some(policy.policy_type))
        .unwrap_or_else(|error| panic!("it is printed as {printed}, which is refused: {error}"));
    forget_places(&mut policy);
    forget_places(&mut again);
    assert_eq!(policy, again, "it is printed as {printed}");
    Ok(vec!["printed"])
}

fn policy_type(case: &Value) -> std::result::Result<PolicyType, NoCase> {
    let name = case::string(case, "policy_type")?;
    PolicyType::by_name(name).ok_or_else(|| NoCase(format!("`{name}` is no type of policy")))
}

fn forget_places(policy: &mut Policy) {
    let nowhere = Span::default();
    for statement in &mut policy.statements {
        statement.span = nowhere;
        statement.action.span = nowhere;
        statement.action.entries.iter_mut().for_each(|entry| entry.span = nowhere);
        if let Some(clause) = &mut statement.principal {
            clause.span = nowhere;
            clause.entries.iter_mut().for_each(|entry| entry.span = nowhere);
        }
        if let Some(clause) = &mut statement.resource {
            clause.span = nowhere;
            clause.entries.iter_mut().for_each(|entry| entry.span = nowhere);
        }
        for condition in &mut statement.conditions {
            (condition.operator_span, condition.key_span) = (nowhere, nowhere);
            condition.values.iter_mut().for_each(|value| value.span = nowhere);
        }
    }
}
