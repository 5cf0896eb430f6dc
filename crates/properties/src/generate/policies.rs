//! Statements and conditions.

use std::collections::BTreeMap;

use arbitrary::{Result, Unstructured};
use keyaki_policy::PolicyType;
use keyaki_policy::catalogue::{self, Cardinality};

use super::words::{
    ACTIONS, BASE64, DATE_OPERATORS, DATES, KEYS, NUMBERS, NUMERIC_OPERATORS, OTHER_OPERATORS,
    RANGES, RESOURCES, TEXT_OPERATORS, VARIABLES,
};
use super::{odd, principals};

pub(super) fn statement(u: &mut Unstructured<'_>, policy_type: PolicyType) -> Result<String> {
    let effect = if u.ratio(2, 3)? { "Allow" } else { "Deny" };
    let mut members = vec![format!(r#""Effect": "{effect}""#)];
    if policy_type == PolicyType::Resource {
        let element = negatable(u, "Principal")?;
        members.push(format!(r#""{element}": {}"#, principals(u)?));
    }
    for (element, words) in [("Action", ACTIONS), ("Resource", RESOURCES)] {
        // Half of the time only the other elements decide.
        let words = if u.arbitrary()? { words } else { &["*"] };
        let n_words = u.int_in_range(1..=2)?;
        let mut list = vec![];
        for _ in 0..n_words {
            let word = match words.len() > 1 && u.ratio(1, 3)? {
                true if element == "Action" => odd::action(u, policy_type)?,
                true => odd::resource(u, policy_type)?,
                false => (*u.choose(words)?).to_owned(),
            };
            list.push(quoted(&word));
        }
        let element = if words.len() > 1 { negatable(u, element)? } else { element.to_owned() };
        members.push(format!(r#""{element}": [{}]"#, list.join(", ")));
    }
    members.push(format!(r#""Condition": {{{}}}"#, conditions(u)?));
    Ok(format!("{{{}}}", members.join(", ")))
}

fn negatable(u: &mut Unstructured<'_>, element: &str) -> Result<String> {
    Ok(if u.ratio(1, 7)? { format!("Not{element}") } else { element.to_owned() })
}

fn conditions(u: &mut Unstructured<'_>) -> Result<String> {
    let mut operators: BTreeMap<String, String> = BTreeMap::new();
    for _ in 0..u.int_in_range(0..=2)? {
        let (key, words) = u.choose(KEYS)?;
        let operator = operator(u, key)?;
        let key = &*odd::cased(u, key)?;
        // One name in two cases would be given twice.
        let is_again = operators.keys().any(|other| other.eq_ignore_ascii_case(&operator));
        let written = if is_again { operator.clone() } else { odd::cased(u, &operator)? };
        let mut values = vec![];
        for _ in 0..u.int_in_range(0..=8)?.min(2).max(u8::from(u.ratio(15, 16)?)) {
            values.push(quoted(&value(u, &operator, words)?));
        }
        operators.retain(|other, _| !other.eq_ignore_ascii_case(&written));
        operators.insert(written, format!("{}: [{}]", quoted(key), values.join(", ")));
    }
    let members: Vec<_> =
        operators.iter().map(|(operator, test)| format!(r#""{operator}": {{{test}}}"#)).collect();
    Ok(members.join(", "))
}

fn operator(u: &mut Unstructured<'_>, key: &str) -> Result<String> {
    use catalogue::KeySort;
    let any = [TEXT_OPERATORS, NUMERIC_OPERATORS, DATE_OPERATORS, OTHER_OPERATORS];
    let fitting: &[&str] = match catalogue::key(key).map(|info| info.sort) {
        _ if u.ratio(1, 5)? => u.choose(&any)?,
        Some(KeySort::Address) => &["IpAddress", "IpAddress", "NotIpAddress", "Null"],
        Some(KeySort::Date) => DATE_OPERATORS,
        Some(KeySort::Number) => NUMERIC_OPERATORS,
        Some(KeySort::Bool) => &["Bool", "Bool", "Null", "StringEquals", "StringLike"],
        _ if key.ends_with("/level") => NUMERIC_OPERATORS,
        _ if key.ends_with("/when") => DATE_OPERATORS,
        _ if key.ends_with("/from") => &["IpAddress", "NotIpAddress", "Null"],
        _ if key.ends_with("/bytes") => &["BinaryEquals"],
        None => u.choose(&any)?,
        _ => TEXT_OPERATORS,
    };
    let operator = u.choose(fitting)?;
    let if_exists = *operator != "Null" && u.ratio(1, 4)?;
    let is_single = catalogue::key(key).is_some_and(|key| key.cardinality == Cardinality::Single);
    let set = if is_single && u.ratio(5, 6)? || u.ratio(1, 4)? {
        ""
    } else {
        u.choose(&["ForAnyValue:", "ForAllValues:"])?
    };
    Ok(format!("{set}{operator}{}", if if_exists { "IfExists" } else { "" }))
}

fn value(u: &mut Unstructured<'_>, operator: &str, words: &[&str]) -> Result<String> {
    let is = |base: &str| operator.contains(base);
    let words: &[&str] = if is("Null") {
        &["true", "false"]
    } else if is("Bool") {
        &["true", "false", "False"]
    } else if is("IpAddress") {
        RANGES
    } else if is("Numeric") {
        NUMBERS
    } else if is("Date") {
        DATES
    } else if is("Binary") {
        BASE64
    } else {
        words
    };
    let word = match is("Arn") && u.ratio(1, 3)? {
        true => odd::arn(u)?,
        false => (*u.choose(words)?).to_owned(),
    };
    if ["IpAddress", "Null"].into_iter().any(is) {
        return Ok(word);
    }
    if u.ratio(1, 8)? {
        return with_variable(u, &word);
    }
    Ok(match u.int_in_range(0..=30)? {
        0 => format!("{word}${{*}}"),
        1..=4 if is("IgnoreCase") => word.to_uppercase(),
        5..=8 if is("IgnoreCase") => word.replace('k', "\u{212a}"),
        _ => word,
    })
}

/// A word with a variable in it, before it or instead of it.
pub(super) fn with_variable(u: &mut Unstructured<'_>, word: &str) -> Result<String> {
    let key = u.choose(VARIABLES)?;
    let variable = match u.choose(&["", "", "", "a", "*", "10"])? {
        &"" => format!("${{{key}}}"),
        default => format!("${{{key}, '{default}'}}"),
    };
    let middle = word.find(':').unwrap_or(word.len());
    let (start, end) = word.split_at(middle);
    Ok(match u.int_in_range(0..=5)? {
        0 | 1 => variable,
        2 => format!("{word}{variable}"),
        3 => format!("{variable}{word}"),
        4 => format!("{start}{variable}{end}"),
        // A field of an ARN.
        _ => {
            let mut fields: Vec<&str> = word.split(':').collect();
            let place = u.int_in_range(0..=fields.len() - 1)?;
            fields[place] = &variable;
            fields.join(":")
        }
    })
}

pub(super) fn quoted(text: &str) -> String {
    format!("{text:?}")
}
