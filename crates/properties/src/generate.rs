//! Small random policies and requests, from vocabularies in which things meet often.
//!
//! Each sort of thing is a file; what needs no more than the words is here.

mod odd;
mod policies;
mod requests;
mod words;

use std::collections::BTreeMap;

use arbitrary::{Result, Unstructured};
use keyaki_analysis::public::{self, Reading, Table};
use keyaki_policy::{PolicyType, Readings, Switch};
use serde_json::{Map, Value, json};

pub use requests::request;
use words::{A, LISTED_ACTIONS, LISTED_RESOURCES, PRINCIPALS};

/// One of the tables of what is public, under one of its readings; a bucket's as often as all others together.
///
/// # Errors
///
/// The data is exhausted.
pub fn table(u: &mut Unstructured<'_>) -> Result<&'static Table> {
    if u.ratio(1, 4)? {
        return Ok(&public::S3);
    }
    let reading = u.choose(&Reading::ALL)?.0;
    let tables: Vec<&Table> = public::tables(reading).collect();
    Ok(*u.choose(&tables)?)
}

/// Another text, such as a version of a policy might have, or such as tells apart what is cut short, what has a field more and what is
/// written in another case.
///
/// # Errors
///
/// The data is exhausted.
pub fn edited(u: &mut Unstructured<'_>, text: &str) -> Result<String> {
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let at = if places.is_empty() { 0 } else { *u.choose(&places)? };
    let (before, behind) = text.split_at(at);
    let rest = behind.get(behind.chars().next().map_or(0, char::len_utf8)..).unwrap_or_default();
    Ok(match u.int_in_range(0..=10)? {
        0 => "*".to_owned(),
        1 => format!("{before}*"),
        2 => text.replacen('*', "a", 1),
        3 => format!("{text}a"),
        4 => format!("{before}?{rest}"),
        5 => format!("{before}*{rest}"),
        6 => format!("{before}:{behind}"),
        7 => before.to_owned() + &behind.replacen(':', "", 1),
        8 => before.to_owned() + &behind.to_uppercase(),
        9 => {
            let mut fields: Vec<&str> = text.split(':').collect();
            let field = u.choose_index(fields.len())?;
            fields[field] = *u.choose(&["*", "", "?*", "a"])?;
            fields.join(":")
        }
        _ => format!("{before}{rest}"),
    })
}

/// The text of a random policy.
pub fn policy(u: &mut Unstructured<'_>, policy_type: PolicyType) -> Result<String> {
    let n_statements = u.int_in_range(1..=3)?;
    let mut statements = vec![];
    for _ in 0..n_statements {
        statements.push(policies::statement(u, policy_type)?);
    }
    let version = if u.ratio(7, 8)? { "2012-10-17" } else { "2008-10-17" };
    Ok(format!(r#"{{"Version": "{version}", "Statement": [{}]}}"#, statements.join(", ")))
}

/// Accesses that no policy should grant, as lists of actions and of resources of which not both are
/// empty.
pub fn accesses(u: &mut Unstructured<'_>) -> Result<Vec<[Vec<&'static str>; 2]>> {
    let mut accesses = vec![];
    for _ in 0..u.int_in_range(1..=2)? {
        let mut lists = [vec![], vec![]];
        let kinds = u.int_in_range(1..=3)?;
        for (kind, words) in [LISTED_ACTIONS, LISTED_RESOURCES].into_iter().enumerate() {
            if kinds & (1 << kind) != 0 {
                for _ in 0..u.int_in_range(1..=2)? {
                    lists[kind].push(*u.choose(words)?);
                }
            }
        }
        accesses.push(lists);
    }
    Ok(accesses)
}

/// A random value of `Principal`, as JSON.
pub fn principals(u: &mut Unstructured<'_>) -> Result<String> {
    if u.ratio(2, 5)? {
        return Ok(r#""*""#.to_owned());
    }
    let mut by_type: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for _ in 0..u.int_in_range(1..=2)? {
        let (member, text) = u.choose(PRINCIPALS)?;
        by_type.entry(member).or_default().push(policies::quoted(text));
    }
    let members: Vec<_> = by_type
        .iter()
        .map(|(name, texts)| format!(r#""{name}": [{}]"#, texts.join(", ")))
        .collect();
    Ok(format!("{{{}}}", members.join(", ")))
}

/// The switches of which both readings are modelled.
const SWITCHES: [Switch; 23] = {
    use Switch::*;
    [
        D6, D12, D14, D17, D22, D28, D29, D23, D24, D26, R9, R25, R29, R19, R10, R11, R12, R13,
        R18, R22, R23, R31, R35,
    ]
};

/// The defaults, or readings of which many are alternatives.
pub fn readings(u: &mut Unstructured<'_>) -> Result<Readings> {
    let mut readings = Readings::DEFAULT;
    if u.arbitrary()? {
        for switch in SWITCHES {
            readings = readings.with(switch, u.arbitrary()?);
        }
    }
    Ok(readings)
}

/// A zone of trust, as the members of a job.
pub fn zone(u: &mut Unstructured<'_>) -> Result<Map<String, Value>> {
    let mut trust = Map::new();
    for name in ["accounts", "organization_accounts"] {
        let accounts: &[&str] =
            u.choose(&[&[][..], &[A], &["444455556666"], &[A, "444455556666"]])?;
        trust.insert(name.to_owned(), json!(accounts));
    }
    if u.ratio(2, 3)? {
        trust.insert("organization".to_owned(), json!(u.choose(&["o-a", "o-b"])?));
    }
    let mut zone = Map::new();
    zone.insert("trust".to_owned(), Value::Object(trust));
    if u.ratio(1, 4)? {
        zone.insert("resource_account".to_owned(), json!(u.choose(&[A, "444455556666"])?));
    }
    if u.arbitrary()? {
        zone.insert("service_principals".to_owned(), json!("deputy"));
    }
    Ok(zone)
}
