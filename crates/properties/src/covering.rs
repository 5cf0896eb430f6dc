//! What is told of a question from the texts of its policies is what the formula says.
//!
//! Of two random policies one hardly ever includes the other. So the reference is the policy in
//! question with some edits, of the kind that versions of a policy differ by, or with a change that some
//! rule of the comparison has to see through ([`versions`]).

mod versions;

use arbitrary::{Result, Unstructured};
use keyaki_analysis::check::COVER;
use keyaki_analysis::{Options, Report};
use keyaki_policy::{PolicyType, parse};
use keyaki_solvers::Automaton;
use serde_json::{Map, Value, json};

use crate::questions::{ask, assert_witness, word};
use crate::{NoCase, case, generate};

/// The most edits between the two.
const MAX_EDITS: usize = 4;

/// A random policy, and the same with edits, in either order.
pub(crate) fn draw(u: &mut Unstructured<'_>) -> Result<Value> {
    let (policy_type, text) = policy(u)?;
    let drawn: Value = serde_json::from_str(&text).expect("a generated policy is JSON");
    if policy_type == PolicyType::Resource && u.ratio(1, 3)? {
        let mut confined = drawn.clone();
        if u.ratio(3, 4)? {
            versions::confine(u, &mut confined)?;
        }
        let text = accepted(policy_type, confined, drawn).to_string();
        return Ok(match u.arbitrary()? {
            true => case::of_table(&text, generate::table(u)?),
            false => case::of_zone(&text, &generate::zone(u)?),
        });
    }
    if u.ratio(1, 10)? {
        return Ok(case::of_accesses(policy_type, &text, &generate::accesses(u)?));
    }
    let question = *u.choose(&case::COMPARISONS)?;
    let (mut one, mut other) = (drawn.clone(), drawn);
    let way = u.int_in_range(0..=7)?;
    match way {
        _ if question == "disjoint" && way < 6 => {
            let (mut a, mut b) = (one.clone(), other.clone());
            versions::part(u, &mut a, &mut b)?;
            (one, other) = (accepted(policy_type, a, one), accepted(policy_type, b, other));
        }
        0 => {
            let mut met = one.clone();
            if let Some(narrowed) = versions::met(u, &mut met)? {
                (one, other) =
                    (accepted(policy_type, met, one), accepted(policy_type, narrowed, other));
            }
        }
        1..=4 => {
            for _ in 0..u.int_in_range(1..=2)? {
                let mut wider = one.clone();
                versions::widen(u, &mut wider)?;
                one = accepted(policy_type, wider, one);
            }
        }
        _ => {}
    }
    let least = usize::from(one == other);
    let most = if least == 0 && u.ratio(3, 4)? { 0 } else { MAX_EDITS };
    for _ in 0..u.int_in_range(least..=most.max(least))? {
        let mut edited = other.clone();
        edit(u, &mut edited)?;
        other = accepted(policy_type, edited, other);
    }
    let (existing, new) = if u.ratio(1, 4)? { (other, one) } else { (one, other) };
    let (existing, new) = (in_policies(u, &existing)?, in_policies(u, &new)?);
    Ok(case::of_texts(question, policy_type, &existing, &new))
}

/// The text of a policy, mostly of those types of which questions are asked most.
fn policy(u: &mut Unstructured<'_>) -> Result<(PolicyType, String)> {
    use PolicyType::*;
    const OTHERS: [PolicyType; 6] = [Boundary, Session, Scp, Trust, Kms, VpcEndpoint];
    let drawn = *u.choose(&[Identity, Resource, Resource])?;
    let text = generate::policy(u, drawn)?;
    if u.ratio(7, 8)? {
        return Ok((drawn, text));
    }
    let policy_type = *u.choose(&OTHERS)?;
    let mut policy: Value = serde_json::from_str(&text).expect("a generated policy is JSON");
    if policy_type == Trust || policy_type == Kms {
        versions::of_type(u, &mut policy, policy_type == Trust)?;
    }
    let other = policy.to_string();
    Ok(match parse(&other, Some(policy_type)) {
        Ok(_) => (policy_type, other),
        Err(_) => (drawn, text),
    })
}

/// The policy, if it is one, or else the other.
fn accepted(policy_type: PolicyType, policy: Value, other: Value) -> Value {
    if parse(&policy.to_string(), Some(policy_type)).is_ok() { policy } else { other }
}

/// The policy, or its statements in two.
fn in_policies(u: &mut Unstructured<'_>, policy: &Value) -> Result<Vec<String>> {
    match policy["Statement"].as_array() {
        Some(statements) if statements.len() > 1 && u.ratio(1, 6)? => {
            let (first, rest) = statements.split_at(1);
            let of = |statements: &[Value]| {
                json!({"Version": policy["Version"], "Statement": statements}).to_string()
            };
            Ok(vec![of(first), of(rest)])
        }
        _ => Ok(vec![policy.to_string()]),
    }
}

/// Changes one thing somewhere in the policy.
fn edit(u: &mut Unstructured<'_>, value: &mut Value) -> Result<()> {
    match value {
        Value::Object(members) => edit_object(u, members),
        Value::Array(items) if items.is_empty() => Ok(()),
        Value::Array(items) => {
            let at = u.choose_index(items.len())?;
            match u.int_in_range(0..=5)? {
                0 => drop(items.remove(at)),
                1 => items.push(items[at].clone()),
                2 => items.swap(0, at),
                _ => edit(u, &mut items[at])?,
            }
            Ok(())
        }
        Value::String(text) => {
            *text = generate::edited(u, text)?;
            Ok(())
        }
        _ => Ok(()),
    }
}

fn edit_object(u: &mut Unstructured<'_>, members: &mut Map<String, Value>) -> Result<()> {
    let names: Vec<String> = members.keys().cloned().collect();
    if names.is_empty() {
        return Ok(());
    }
    let name = u.choose(&names)?;
    let is_condition = name == "Condition" || !name.starts_with(char::is_uppercase);
    let renamed = match name.as_str() {
        "StringEquals" => Some("StringLike"),
        "StringLike" => Some("StringEquals"),
        "Bool" => Some("BoolIfExists"),
        "IpAddress" => Some("NotIpAddress"),
        _ => None,
    };
    if is_condition && u.ratio(1, 3)? {
        members.remove(name);
    } else if let Some(renamed) = renamed.filter(|new| !members.contains_key(*new))
        && u.ratio(1, 2)?
    {
        let value = members.remove(name).unwrap_or_default();
        members.insert(renamed.to_owned(), value);
    } else if let Some(value) = members.get_mut(name) {
        edit(u, value)?;
    }
    Ok(())
}

/// The answer with all short ways is the answer without, and hangs on readings only if that does. It may
/// hang on none where that does: a request that is a witness under all readings is found more often
/// when it is looked for than when a solver chooses one. And where one of two readings suffices, either
/// may be named.
pub(crate) fn check(case: &Value) -> std::result::Result<Vec<&'static str>, NoCase> {
    let question = case::question(case)?;
    let answer = |options: Options| {
        let report = ask(&question, &Automaton, options).unwrap_or_else(|error| panic!("{error}"));
        assert_witness(&question, &report);
        report
    };
    let short = answer(Options::default());
    let long = answer(Options { candidates: false, ..Options::default() });
    let verdicts = [&short, &long].map(|report: &Report| word(&report.verdict));
    if !verdicts.contains(&"unknown") {
        assert_eq!(verdicts[0], verdicts[1], "{:?} and {:?}", short.solver, long.solver);
        let hangs = |report: &Report| !report.depends_on.is_empty();
        assert!(!hangs(&short) || hangs(&long), "{short:?}\n{long:?}");
    }
    let relations = [&short, &long].map(|report: &Report| report.relation.map(|(r, _)| r));
    if let [Some(one), Some(other)] = relations {
        assert_eq!(one, other, "{short:?}\n{long:?}");
    }
    Ok(vec![match short.solver.as_deref() {
        Some(COVER) => "covered",
        _ => verdicts[0],
    }])
}
