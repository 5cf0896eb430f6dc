//! The encoder's lists are long enough: if some list breaks the property, then one does that has no
//! more elements than the encoder has slots for the key.
//!
//! Conditions are random, over one key and three values; lists are all those of up to three
//! elements. Whether a list breaks the property is asked of the evaluator, and whether one that
//! fits the slots does, of the formula.

use keyaki_policy::Switch;
use keyaki_policy::request::{ContextValue, Principal};

use super::*;

const VALUES: [&str; 3] = ["", "a", "b"];

/// The most elements of a list, and as many as there are values.
const MAX_LENGTH: usize = 3;

#[test]
fn the_slots_of_a_list_are_enough() {
    let counts = RefCell::new(BTreeMap::<(bool, bool), usize>::new());
    let property = |u: &mut Unstructured<'_>| {
        let key = *u.choose(&["aws:TagKeys", "aws:CalledVia", "x:custom"])?;
        // What nothing allows has to pay for every element itself.
        let existing = if u.arbitrary()? { vec![policy(u, key)?] } else { vec![] };
        let new = vec![policy(u, key)?];
        let subject = Subject::no_new_access(PolicyType::Resource, existing, new);
        let readings = readings(u)?;
        let outcome = compare_lists(&subject, key, readings);
        *counts.borrow_mut().entry(outcome).or_default() += 1;
        Ok(())
    };
    // Both outcomes, and lists that do not fit, however slow the machine is.
    let wanted = [(true, true), (true, false), (false, true), (false, false)];
    let has_all = || wanted.iter().all(|outcome| counts.borrow().contains_key(outcome));
    for round in 0..MAX_ROUNDS {
        if round > 0 && has_all() {
            break;
        }
        arbtest(property).size_min(600).budget_ms(2 * ROUND_MS).run();
    }
    assert!(has_all(), "{counts:?}");
}

/// For each list, conditions that no shorter one satisfies.
#[test]
fn no_slot_is_too_many() {
    let check = |key: &str, condition: &str, readings: Readings, n_slots: usize| {
        let text = statement("Allow", condition);
        let subject = Subject::no_new_access(PolicyType::Resource, vec![], vec![document(&text)]);
        assert_eq!(compare_lists(&subject, key, readings), (true, n_slots >= MAX_LENGTH));
        assert_eq!(subject.encoding.elements[&key.to_ascii_lowercase()].len(), n_slots, "{text}");
    };
    let (tags, default) = ("aws:TagKeys", Readings::DEFAULT);
    let two = r#""ForAnyValue:StringEquals": {"aws:TagKeys": "a"},
        "ForAnyValue:StringLike": {"aws:TagKeys": "b"}"#;
    check(tags, two, default, 2);
    let tagged = r#""Null": {"aws:RequestTag/a": "false", "aws:RequestTag/b": "false"}"#;
    let empty = r#""ForAnyValue:StringEquals": {"aws:TagKeys": ""}"#;
    check(tags, &format!("{tagged}, {empty}"), default, 3);
    // One element to be found, and one for the list not to be of empty strings only.
    check(tags, empty, default.with(Switch::D23, true), 2);
    let ends = r#""StringEquals": {"aws:CalledViaFirst": "a", "aws:CalledViaLast": "b"},
        "ForAnyValue:StringEquals": {"aws:CalledVia": ""}"#;
    check("aws:CalledVia", ends, default, 3);
}

/// Compares what all lists come to with what those that fit come to; returns it, and whether some
/// list does not fit.
#[track_caller]
fn compare_lists(subject: &Subject, key: &str, readings: Readings) -> (bool, bool) {
    let free = subject.encoding.whole(Opaque::Free);
    let (mut some_breaks, mut some_fitting_breaks, mut all_fit) = (false, false, true);
    for request in requests(key) {
        if some_breaks && some_fitting_breaks && !all_fit {
            break;
        }
        let breaks = || match breaks(&subject.question, &request, readings) {
            Replay::Confirmed { .. } => true,
            Replay::Refuted(_) => false,
            Replay::Undecided(constructs) => panic!("{constructs:?}"),
        };
        let can_happen = violations(&subject.question, &request, readings).is_empty();
        some_breaks |= can_happen && breaks();
        if embed::is_too_long(&subject.encoding, &request) {
            all_fit = false;
        } else if let Some(model) = embed::model(&subject.encoding, &request, readings) {
            some_fitting_breaks |= eval::holds_partially(&free, &model) == Some(true);
        }
    }
    let texts = subject.texts.join("\n");
    assert_eq!(some_fitting_breaks, some_breaks, "{key} {readings:?}\n{texts}");
    (some_breaks, all_fit)
}

/// Requests with all lists of the key and what goes with it.
fn requests(key: &str) -> Vec<Request> {
    let mut lists: Vec<Vec<String>> = vec![vec![]];
    for length in 0..MAX_LENGTH {
        let longest: Vec<_> = lists.iter().filter(|list| list.len() == length).cloned().collect();
        for list in longest {
            lists.extend(VALUES.map(|value| [list.clone(), vec![value.to_owned()]].concat()));
        }
    }
    let mut requests = vec![];
    for list in lists {
        for tags in [&[][..], &["a"], &["b"], &["a", "b"]] {
            if key != "aws:TagKeys" && !tags.is_empty() {
                continue;
            }
            let mut request = plain_request();
            if key == "aws:CalledVia" && !list.is_empty() {
                let ends =
                    [("aws:CalledViaFirst", list.first()), ("aws:CalledViaLast", list.last())];
                for (end, service) in ends {
                    let service = ContextValue::One(service.cloned().unwrap_or_default());
                    request.context.insert(end, service);
                }
            }
            for tag in tags {
                let tag = format!("aws:RequestTag/{tag}");
                request.context.insert(&tag, ContextValue::One("x".to_owned()));
            }
            request.context.insert(key, ContextValue::Many(list.clone()));
            requests.push(request);
        }
        if key == "x:custom" {
            for value in VALUES {
                let mut request = plain_request();
                request.context.insert(key, ContextValue::One(value.to_owned()));
                requests.push(request);
            }
        }
    }
    requests
}

fn plain_request() -> Request {
    Request {
        principal: Principal::User {
            arn: "arn:aws:iam::111122223333:user/ines".to_owned(),
            canonical_user: None,
        },
        action: "sqs:SendMessage".to_owned(),
        resource: "arn:aws:sqs:eu-west-3:111122223333:q".to_owned(),
        ..Request::default()
    }
}

fn readings(u: &mut Unstructured<'_>) -> Result<Readings> {
    let mut readings = Readings::DEFAULT;
    for switch in [Switch::D23, Switch::D24, Switch::D26, Switch::R29] {
        readings = readings.with(switch, u.arbitrary()?);
    }
    Ok(readings)
}

fn policy(u: &mut Unstructured<'_>, key: &str) -> Result<String> {
    let mut statements = vec![];
    for index in 0..u.int_in_range(1..=2)? {
        let effect = if index == 0 || u.arbitrary()? { "Allow" } else { "Deny" };
        let mut operators = BTreeMap::new();
        for _ in 0..u.int_in_range(1..=4)? {
            let (operator, test) = test(u, key)?;
            operators.insert(operator, test);
        }
        let tests: Vec<_> =
            operators.iter().map(|(operator, test)| format!(r#""{operator}": {test}"#)).collect();
        statements.push(statement(effect, &tests.join(", ")));
    }
    Ok(document(&statements.join(", ")))
}

fn document(statements: &str) -> String {
    format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#)
}

fn statement(effect: &str, condition: &str) -> String {
    format!(
        r#"{{"Effect": "{effect}", "Principal": "*", "Action": "*", "Resource": "*",
            "Condition": {{{condition}}}}}"#
    )
}

fn test(u: &mut Unstructured<'_>, key: &str) -> Result<(String, String)> {
    if u.ratio(1, 5)? {
        let companions: &[&str] = match key {
            "aws:TagKeys" => &["aws:RequestTag/a", "aws:RequestTag/b", key],
            "aws:CalledVia" => &["aws:CalledViaFirst", "aws:CalledViaLast", key],
            _ => &[key],
        };
        let (companion, null) = (u.choose(companions)?, u.choose(&["true", "false"])?);
        return Ok(("Null".to_owned(), format!(r#"{{"{companion}": "{null}"}}"#)));
    }
    let set = u.choose(&["ForAnyValue:", "ForAnyValue:", "ForAnyValue:", "ForAllValues:", ""])?;
    let bases = ["StringEquals", "StringEquals", "StringLike", "StringLike", "StringNotLike"];
    let base = u.choose(&bases)?;
    let if_exists = if u.ratio(1, 4)? { "IfExists" } else { "" };
    let mut values = vec![];
    for _ in 0..*u.choose(&[1, 1, 1, 2])? {
        values.push(*u.choose(&["", "", "a", "a", "b", "b", "a*", "*", "?"])?);
    }
    Ok((format!("{set}{base}{if_exists}"), format!(r#"{{"{key}": {values:?}}}"#)))
}
