//! Small edits of a policy, so that every policy can be compared with something that is nearly
//! itself.
//!
//! An edit changes one thing in one place. Which edit a policy gets, and where, follows from the
//! record's id and the seed, as a draw does ([`super::draw`]), so that a run can be repeated and a
//! new record changes no other's edit. Edits that a policy has no place for are passed over; one
//! of [`EDITS`] fits every policy with a statement.

use serde_json::{Map, Value, json};

use super::draw::{draw, hash};

/// An edit by name: whether it does what, to which element.
struct Edit {
    name: &'static str,
    /// Changes the policy, by a number that says where. False, and nothing changed, if the policy has no
    /// place for it.
    apply: fn(&mut Statements, Place<'_>) -> bool,
}

/// Where an edit is made.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// Chooses among the candidates.
    number: u64,
    policy_type: &'a str,
}

/// The edits, as docs/corpus-review.md lists them.
const EDITS: &[Edit] = &[
    Edit { name: "drop-statement", apply: drop_statement },
    Edit { name: "drop-condition", apply: drop_condition },
    Edit { name: "widen-resource", apply: widen_resource },
    Edit { name: "add-action", apply: add_action },
    Edit { name: "drop-action", apply: drop_action },
    Edit { name: "drop-resource", apply: drop_resource },
    Edit { name: "swap-effect", apply: swap_effect },
    Edit { name: "change-value", apply: change_value },
    Edit { name: "drop-value", apply: drop_value },
];

/// The statements of a policy, whether or not the policy has them in a list.
type Statements = Vec<Map<String, Value>>;

/// The edited policy with the edit's name; none if the policy has no statement that can be read.
pub(super) fn edited(
    policy: &Value,
    policy_type: &str,
    id: &str,
    seed: &str,
) -> Option<(&'static str, Value)> {
    let listed = match policy.get("Statement")? {
        Value::Array(statements) => statements.clone(),
        statement => vec![statement.clone()],
    };
    let statements: Statements =
        listed.into_iter().map(|value| value.as_object().cloned()).collect::<Option<_>>()?;
    let keys: Vec<(String, &Edit)> =
        EDITS.iter().map(|edit| (format!("{id}/{}", edit.name), edit)).collect();
    for (key, edit) in draw(keys, |(key, _)| key, seed, EDITS.len()) {
        let mut statements = statements.clone();
        let place = Place { number: hash(seed, &format!("{key}/place")), policy_type };
        if (edit.apply)(&mut statements, place) {
            let mut edited = policy.clone();
            edited["Statement"] = statements.into_iter().map(Value::Object).collect();
            return Some((edit.name, edited));
        }
    }
    None
}

fn drop_statement(statements: &mut Statements, place: Place<'_>) -> bool {
    if statements.len() < 2 {
        return false;
    }
    statements.remove(chosen(statements.len(), place.number));
    true
}

fn drop_condition(statements: &mut Statements, place: Place<'_>) -> bool {
    let has = |statement: &Map<String, Value>| {
        let condition = statement.get("Condition").and_then(Value::as_object);
        condition.is_some_and(|condition| !condition.is_empty())
    };
    one_statement(statements, place, has, |statement| {
        statement.remove("Condition");
    })
}

fn widen_resource(statements: &mut Statements, place: Place<'_>) -> bool {
    let is_narrow = |statement: &Map<String, Value>| {
        let resource = statement.get("Resource").or(statement.get("NotResource"));
        resource.is_some_and(|value| *value != json!("*") && *value != json!(["*"]))
    };
    one_statement(statements, place, is_narrow, |statement| {
        statement.remove("NotResource");
        statement.insert("Resource".to_owned(), json!("*"));
    })
}

fn add_action(statements: &mut Statements, place: Place<'_>) -> bool {
    // A trust policy has no other actions.
    let action =
        if place.policy_type == "trust" { "sts:SetSourceIdentity" } else { "s3:GetObject" };
    let lacks = |statement: &Map<String, Value>| {
        let actions = statement.get("Action").map(texts).unwrap_or_default();
        !actions.is_empty() && !actions.iter().any(|text| text == "*" || *text == json!(action))
    };
    one_statement(statements, place, lacks, |statement| {
        let mut actions = statement.get("Action").map(texts).unwrap_or_default();
        actions.push(json!(action));
        statement.insert("Action".to_owned(), Value::Array(actions));
    })
}

fn drop_action(statements: &mut Statements, place: Place<'_>) -> bool {
    drop_of(statements, place, ["Action", "NotAction"])
}

fn drop_resource(statements: &mut Statements, place: Place<'_>) -> bool {
    drop_of(statements, place, ["Resource", "NotResource"])
}

fn drop_of(statements: &mut Statements, place: Place<'_>, elements: [&str; 2]) -> bool {
    let list = |statement: &Map<String, Value>| {
        elements.into_iter().find(|element| {
            let list = statement.get(*element).and_then(Value::as_array);
            list.is_some_and(|list| list.len() > 1)
        })
    };
    one_statement(
        statements,
        place,
        |statement| list(statement).is_some(),
        |statement| {
            let list = list(statement).and_then(|element| statement.get_mut(element));
            if let Some(list) = list.and_then(Value::as_array_mut) {
                list.remove(chosen(list.len(), place.number >> 16));
            }
        },
    )
}

fn swap_effect(statements: &mut Statements, place: Place<'_>) -> bool {
    // A resource control policy denies only.
    let may = |statement: &Map<String, Value>| {
        place.policy_type != "rcp"
            && statement.get("Effect").is_some_and(|effect| effect == "Allow" || effect == "Deny")
    };
    one_statement(statements, place, may, |statement| {
        let is_allow = statement.get("Effect").is_some_and(|effect| effect == "Allow");
        statement.insert("Effect".to_owned(), json!(if is_allow { "Deny" } else { "Allow" }));
    })
}

fn change_value(statements: &mut Statements, place: Place<'_>) -> bool {
    let mut places = Vec::new();
    for (operator, values) in tests(statements) {
        let values = match values {
            Value::Array(values) => values.iter_mut().collect(),
            value => vec![value],
        };
        for value in values {
            if let Some(other) = another(&operator, value) {
                places.push((value, other));
            }
        }
    }
    if places.is_empty() {
        return false;
    }
    let (value, other) = places.swap_remove(chosen(places.len(), place.number));
    *value = other;
    true
}

fn drop_value(statements: &mut Statements, place: Place<'_>) -> bool {
    let lists = tests(statements).into_iter().filter_map(|(_, values)| values.as_array_mut());
    let mut lists: Vec<_> = lists.filter(|list| list.len() > 1).collect();
    if lists.is_empty() {
        return false;
    }
    let list = lists.swap_remove(chosen(lists.len(), place.number));
    list.remove(chosen(list.len(), place.number >> 16));
    true
}

/// Another value of the same sort, or none where the sort is not one that the edit knows.
fn another(operator: &str, value: &Value) -> Option<Value> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Bool(value) => return Some(json!(!value)),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let is = |part: &str| operator.to_ascii_lowercase().contains(part);
    let other = if is("binary") {
        return None;
    } else if is("ipaddress") {
        if text == "203.0.113.0/24" { "198.51.100.0/24" } else { "203.0.113.0/24" }.to_owned()
    } else if is("date") {
        if text.starts_with("2030") { "2031-01-01T00:00:00Z" } else { "2030-01-01T00:00:00Z" }
            .to_owned()
    } else if is("numeric") {
        format!("{text}0")
    } else if text.eq_ignore_ascii_case("true") {
        "false".to_owned()
    } else if text.eq_ignore_ascii_case("false") {
        "true".to_owned()
    } else {
        format!("{text}-x")
    };
    Some(Value::String(other))
}

/// Each operator with the values of each of its keys.
fn tests(statements: &mut Statements) -> Vec<(String, &mut Value)> {
    let conditions = statements.iter_mut().filter_map(|statement| statement.get_mut("Condition"));
    let operators = conditions.filter_map(Value::as_object_mut).flatten();
    operators
        .filter_map(|(operator, tests)| Some((operator, tests.as_object_mut()?)))
        .flat_map(|(operator, tests)| {
            tests.iter_mut().map(|(_, values)| (operator.clone(), values))
        })
        .collect()
}

/// Changes one of the statements that are fit for it; false if none is.
fn one_statement(
    statements: &mut Statements,
    place: Place<'_>,
    is_fit: impl Fn(&Map<String, Value>) -> bool,
    change: impl Fn(&mut Map<String, Value>),
) -> bool {
    let mut fit: Vec<_> = statements.iter_mut().filter(|statement| is_fit(statement)).collect();
    if fit.is_empty() {
        return false;
    }
    change(fit.swap_remove(chosen(fit.len(), place.number)));
    true
}

fn texts(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values.clone(),
        value => vec![value.clone()],
    }
}

fn chosen(n: usize, number: u64) -> usize {
    (number % n as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["a:B", "a:C"], "Resource": "arn:aws:s3:::b",
         "Condition": {"StringEquals": {"a:k": ["v", "w"]}}},
        {"Effect": "Deny", "NotAction": "a:B", "Resource": "*"}]}"#;

    /// What the edit makes of the policy, statement by statement; empty if it has no place.
    fn result(name: &str, policy: &str, policy_type: &str) -> String {
        let edit = EDITS.iter().find(|edit| edit.name == name).unwrap();
        let policy: Value = serde_json::from_str(policy).unwrap();
        let statements = policy["Statement"].as_array().unwrap();
        let mut statements: Statements =
            statements.iter().map(|value| value.as_object().unwrap().clone()).collect();
        let before = statements.clone();
        if !(edit.apply)(&mut statements, Place { number: 0, policy_type }) {
            assert_eq!(statements, before);
            return String::new();
        }
        assert_ne!(statements, before);
        Value::from_iter(statements.into_iter().map(Value::Object)).to_string()
    }

    #[test]
    fn each_edit_changes_one_thing() {
        for (name, expected) in [
            ("drop-statement", r#"[{"Effect":"Deny","NotAction":"a:B","Resource":"*"}]"#),
            ("drop-condition", r#""Resource":"arn:aws:s3:::b"},"#),
            ("widen-resource", r#"["a:B","a:C"],"Resource":"*","Condition""#),
            ("add-action", r#"["a:B","a:C","s3:GetObject"]"#),
            ("drop-action", r#""Action":["a:C"]"#),
            ("swap-effect", r#"[{"Effect":"Deny","#),
            ("change-value", r#"["v-x","w"]"#),
            ("drop-value", r#""a:k":["w"]"#),
        ] {
            let found = result(name, POLICY, "identity");
            assert!(found.contains(expected), "{name}: {found}");
        }
        assert_eq!(result("drop-resource", POLICY, "identity"), "");
    }

    #[test]
    fn an_edit_without_a_place_is_passed_over() {
        let bare = r#"{"Statement": [{"Effect": "Deny", "NotAction": "a:B", "Resource": "*"}]}"#;
        for edit in EDITS.iter().filter(|edit| edit.name != "swap-effect") {
            assert_eq!(result(edit.name, bare, "identity"), "", "{}", edit.name);
        }
        assert_eq!(result("swap-effect", bare, "rcp"), "");
        let policy = serde_json::from_str(bare).unwrap();
        let (name, _) = edited(&policy, "identity", "x", "s").unwrap();
        assert_eq!(name, "swap-effect");
        assert!(edited(&policy, "rcp", "x", "s").is_none());
    }

    #[test]
    fn an_edit_follows_from_id_and_seed() {
        let policy: Value = serde_json::from_str(POLICY).unwrap();
        let names = |seed| -> Vec<_> {
            let ids = (0..30).map(|n| n.to_string());
            ids.map(|id| edited(&policy, "identity", &id, seed).unwrap()).collect()
        };
        assert_eq!(names("s"), names("s"));
        assert_ne!(names("s"), names("t"));
    }

    #[test]
    fn a_changed_value_keeps_its_sort() {
        for (operator, value, expected) in [
            ("Bool", json!("true"), json!("false")),
            ("Bool", json!(false), json!(true)),
            ("NotIpAddress", json!("10.0.0.0/8"), json!("203.0.113.0/24")),
            ("DateLessThan", json!("2020-01-01T00:00:00Z"), json!("2030-01-01T00:00:00Z")),
            ("NumericEquals", json!(3), json!("30")),
            ("ForAnyValue:StringLike", json!("a*"), json!("a*-x")),
        ] {
            assert_eq!(another(operator, &value), Some(expected), "{operator}");
        }
        assert_eq!(another("BinaryEquals", &json!("QQ==")), None);
    }
}
