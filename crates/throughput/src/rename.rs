//! Other names for the accounts, resources and principals of a job, so that no text repeats and no answer changes.
//!
//! A permutation of the letters and one of the digits are drawn for a job and used in all its policies. Characters
//! are replaced one by one, so whatever two patterns have in common they still have: wildcards match the same
//! names under their new spelling. That is why words are not replaced by other words: `buck*` would no longer match
//! what was `bucket`. What is replaced:
//!
//! * the digits of account ids: the fifth field of an ARN, and a text of twelve digits under a principal or
//!   under a string operator;
//! * the names in ARNs (names of buckets, queues and topics; otherwise what follows the first `/` or `:` of
//!   the last field, so that `role` and `table` stay what they are);
//! * `Sid`s. That of the first statement also gets the number of the question, which is what makes every text another.
//!
//! Of actions, operators, keys, services, regions, tags, and of what a federated provider is called nothing is replaced, as it
//! means something. Where it cannot be told what in an ARN is a name (a wildcard stands before the name begins,
//! fields are missing, a text beside ARNs is none), only the `Sid`s of the job are replaced; [`rename`] tells.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::{Map, Value};

use crate::random::Random;

/// The members of a job in which a policy stands.
const POLICIES: [&str; 3] = ["policy", "existing", "new"];

/// Services whose ARNs end in a name and nothing else.
const NAME_ONLY: [&str; 3] = ["s3", "sns", "sqs"];

/// What a text of a policy is.
#[derive(Clone, Copy)]
enum Place<'p> {
    /// The `Sid` of a statement, and whether the statement is the policy's first.
    Sid(bool),
    Principal,
    Resource,
    /// A value under this operator and key.
    Value(&'p str, &'p str),
}

/// Gives the job's policies other names, which depend on seed and number alone. Returns whether more than `Sid`s were
/// replaced.
pub fn rename(job: &mut Value, seed: &str, number: u64) -> bool {
    let alphabet = Alphabet::new(seed, number);
    let with_names = !is_ambiguous(job);
    let mut is_changed = false;
    visit(job, &mut |place, text| {
        let renamed = match place {
            Place::Sid(is_first) => {
                let mut sid = alphabet.replaced(text);
                if is_first {
                    sid += &format!("Q{number}");
                }
                *text = sid;
                return;
            }
            _ if !with_names => return,
            _ => alphabet.renamed(place, text),
        };
        if let Some(renamed) = renamed {
            is_changed |= renamed != *text;
            *text = renamed;
        }
    });
    is_changed
}

/// Other letters, in either case, and other digits.
struct Alphabet {
    letters: [u8; 26],
    digits: [u8; 10],
}

impl Alphabet {
    fn new(seed: &str, number: u64) -> Alphabet {
        let mut random = Random::new(seed, number);
        let mut letters = *b"abcdefghijklmnopqrstuvwxyz";
        let mut digits = *b"0123456789";
        random.shuffle(&mut letters);
        random.shuffle(&mut digits);
        Alphabet { letters, digits }
    }

    fn other(&self, c: char) -> char {
        match c {
            'a'..='z' => self.letters[c as usize - 'a' as usize] as char,
            'A'..='Z' => {
                let letter = self.letters[c as usize - 'A' as usize] as char;
                letter.to_ascii_uppercase()
            }
            '0'..='9' => self.digits[c as usize - '0' as usize] as char,
            c => c,
        }
    }

    /// The text with every letter and digit replaced that is in no policy variable.
    fn replaced(&self, text: &str) -> String {
        let mut in_variable = Variables::default();
        text.chars().map(|c| if in_variable.is_in(c) { c } else { self.other(c) }).collect()
    }

    /// The text with its names replaced, or none if it has none.
    fn renamed(&self, place: Place<'_>, text: &str) -> Option<String> {
        if !may_have_names(place) {
            return None;
        }
        if is_account(text) && !matches!(place, Place::Resource) {
            return Some(self.replaced(text));
        }
        let fields = fields(text)?;
        let mut renamed = String::with_capacity(text.len());
        for (number, field) in fields.iter().enumerate() {
            let part = &text[field.clone()];
            match number {
                4 if part.bytes().all(|b| b.is_ascii_digit() || b == b'*' || b == b'?') => {
                    renamed += &self.replaced(part);
                }
                5 => {
                    let (head, name) = part.split_at(name_start(text, &fields));
                    renamed += head;
                    renamed += &self.replaced(name);
                }
                _ => renamed += part,
            }
            if number < 5 {
                renamed.push(':');
            }
        }
        Some(renamed)
    }
}

/// Whether a text of twelve digits.
fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Numbers and dates have digits that mean something.
fn may_have_names(place: Place<'_>) -> bool {
    let Place::Value(operator, _) = place else { return true };
    let operator = operator.to_ascii_lowercase();
    operator.contains("string") || operator.contains("arn")
}

/// Whether some text of the job has names that cannot be told from what is no name.
fn is_ambiguous(job: &mut Value) -> bool {
    // Of each key, whether it has ARNs and whether it has other texts.
    let mut keys: BTreeMap<String, [bool; 2]> = BTreeMap::new();
    let mut found = false;
    visit(job, &mut |place, text| {
        let is_arn = text.starts_with("arn:") || text.starts_with("arn*");
        match place {
            Place::Sid(_) => {}
            Place::Resource => {
                found |= if is_arn { has_vague_name(text) } else { has_letters(text) };
            }
            Place::Principal => found |= is_arn && has_vague_name(text),
            Place::Value(_, key) if is_arn => {
                found |= has_vague_name(text) || !may_have_names(place);
                keys.entry(key.to_ascii_lowercase()).or_default()[0] = true;
            }
            Place::Value(_, key) if has_letters(text) => {
                keys.entry(key.to_ascii_lowercase()).or_default()[1] = true;
            }
            // Part of an account id, next to whole ones.
            Place::Value(_, key) => {
                let is_partial = !is_account(text) && text.contains(|c: char| c.is_ascii_digit());
                found |= is_partial && key.to_ascii_lowercase().ends_with("account");
            }
        }
    });
    found || keys.values().any(|&[has_arns, has_others]| has_arns && has_others)
}

/// Whether it is open where the name in an ARN begins.
fn has_vague_name(text: &str) -> bool {
    let Some(fields) = fields(text) else { return true };
    let last = &text[fields[5].clone()];
    if !has_letters(last) {
        return false;
    }
    let service = &text[fields[2].clone()];
    if is_wild(service) {
        return true;
    }
    if NAME_ONLY.contains(&service) {
        let is_of_account = service == "s3" && !(fields[3].is_empty() && fields[4].is_empty());
        return is_of_account && (is_wild(&text[fields[3].start..fields[4].end]));
    }
    let start = name_start(text, &fields);
    if last[start..].starts_with('$') {
        return true;
    }
    let head = &last[..start];
    // A wildcard at the end of all hides no name.
    let head = if start == last.len() { head.strip_suffix('*').unwrap_or(head) } else { head };
    is_wild(head)
}

fn has_letters(text: &str) -> bool {
    let mut variables = Variables::default();
    text.chars().any(|c| !variables.is_in(c) && c.is_ascii_alphanumeric())
}

fn is_wild(text: &str) -> bool {
    text.contains(['*', '?', '$'])
}

/// Where in the last field the name begins.
fn name_start(text: &str, fields: &[Range<usize>; 6]) -> usize {
    let service = &text[fields[2].clone()];
    let last = &text[fields[5].clone()];
    let is_of_account = service == "s3" && !(fields[3].is_empty() && fields[4].is_empty());
    if NAME_ONLY.contains(&service) && !is_of_account {
        return 0;
    }
    // The name of a provider is part of the names of its keys.
    if service == "iam" && (last.starts_with("oidc-provider") || last.starts_with("saml-provider"))
    {
        return last.len();
    }
    last.find(['/', ':', '$']).unwrap_or(last.len())
}

/// The six fields of an ARN; a colon in a policy variable ends none.
fn fields(text: &str) -> Option<[Range<usize>; 6]> {
    if !text.starts_with("arn:") {
        return None;
    }
    let mut variables = Variables::default();
    let mut fields = [const { 0..0 }; 6];
    let (mut number, mut start) = (0, 0);
    for (at, c) in text.char_indices() {
        if !variables.is_in(c) && c == ':' && number < 5 {
            fields[number] = start..at;
            (number, start) = (number + 1, at + 1);
        }
    }
    fields[number] = start..text.len();
    (number == 5).then_some(fields)
}

/// Tells, character by character, what stands in a policy variable, `${…}`.
#[derive(Default)]
struct Variables {
    after_dollar: bool,
    inside: bool,
}

impl Variables {
    fn is_in(&mut self, c: char) -> bool {
        self.inside |= self.after_dollar && c == '{';
        self.after_dollar = c == '$';
        let is_in = self.inside;
        self.inside &= c != '}';
        is_in
    }
}

/// Shows every text of the job's policies that may have names. A first statement without `Sid` gets an empty one.
fn visit(job: &mut Value, see: &mut dyn FnMut(Place<'_>, &mut String)) {
    for member in POLICIES {
        let Some(statements) = job.get_mut(member).and_then(|policy| policy.get_mut("Statement"))
        else {
            continue;
        };
        let statements = match statements {
            Value::Array(statements) => statements.as_mut_slice(),
            statement => std::slice::from_mut(statement),
        };
        let statements = statements.iter_mut().filter_map(Value::as_object_mut);
        statements.enumerate().for_each(|(number, one)| statement(one, number == 0, see));
    }
    for access in job.get_mut("access").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(resources) = access.get_mut("resources") {
            texts(resources, &mut |text| see(Place::Resource, text));
        }
    }
}

fn statement(
    statement: &mut Map<String, Value>,
    is_first: bool,
    see: &mut dyn FnMut(Place<'_>, &mut String),
) {
    if is_first && !statement.contains_key("Sid") {
        statement.insert("Sid".to_owned(), Value::String(String::new()));
    }
    for (name, value) in statement {
        match name.as_str() {
            "Sid" => texts(value, &mut |text| see(Place::Sid(is_first), text)),
            "Principal" | "NotPrincipal" => match value {
                Value::Object(kinds) => {
                    for (kind, value) in kinds {
                        if kind == "AWS" || kind == "Federated" {
                            texts(value, &mut |text| see(Place::Principal, text));
                        }
                    }
                }
                value => texts(value, &mut |text| see(Place::Principal, text)),
            },
            "Resource" | "NotResource" => texts(value, &mut |text| see(Place::Resource, text)),
            "Condition" => {
                for (operator, tests) in value.as_object_mut().into_iter().flatten() {
                    for (key, values) in tests.as_object_mut().into_iter().flatten() {
                        texts(values, &mut |text| see(Place::Value(operator, key), text));
                    }
                }
            }
            _ => {}
        }
    }
}

fn texts(value: &mut Value, see: &mut dyn FnMut(&mut String)) {
    match value {
        Value::String(text) => see(text),
        Value::Array(values) => values.iter_mut().for_each(|value| texts(value, see)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn renamed(statement: &Value, number: u64) -> (bool, Value) {
        let mut job = json!({"id": "x", "policy": {"Statement": statement}});
        let is_changed = rename(&mut job, "s", number);
        (is_changed, job["policy"]["Statement"].take())
    }

    /// What the alphabet of question 7 makes of a text.
    fn other(text: &str) -> String {
        Alphabet::new("s", 7).replaced(text)
    }

    #[test]
    fn names_are_replaced_and_what_means_something_is_not() {
        let statement = json!({
            "Sid": "Read1", "Effect": "Allow",
            "Principal": {"AWS": ["arn:aws:iam::111122223333:role/ops", "444455556666"],
                          "Service": "ec2.amazonaws.com"},
            "Action": "s3:Get*",
            "Resource": ["arn:aws:s3:::logs-111122223333/${aws:username}/*", "*"],
            "Condition": {
                "StringEquals": {"aws:SourceAccount": "111122223333", "aws:RequestedRegion": "eu-west-1"},
                "NumericLessThan": {"s3:max-keys": "111122223333"},
            },
        });
        let (is_changed, found) = renamed(&statement, 7);
        let expected = json!({
            "Sid": format!("{}Q7", other("Read1")), "Effect": "Allow",
            "Principal": {"AWS": [format!("arn:aws:iam::{}:role/{}", other("111122223333"), other("ops")),
                                  other("444455556666")],
                          "Service": "ec2.amazonaws.com"},
            "Action": "s3:Get*",
            "Resource": [format!("arn:aws:s3:::{}/${{aws:username}}/*", other("logs-111122223333")), "*"],
            "Condition": {
                "StringEquals": {"aws:SourceAccount": other("111122223333"), "aws:RequestedRegion": "eu-west-1"},
                "NumericLessThan": {"s3:max-keys": "111122223333"},
            },
        });
        assert!(is_changed);
        assert_eq!(found, expected);
        assert_ne!(other("ops"), "ops");
    }

    #[test]
    fn where_names_cannot_be_told_only_sids_are_replaced() {
        for resource in [
            "arn:aws:iam::111122223333:*/admin",
            "arn:aws:*:::bucket",
            "arn:aws:s3:*:*:bucket",
            "arn:aws:s3*",
            "execute-api:/prod/*",
            "arn:aws:lambda:::f*n",
            "arn:aws:iam:::${aws:PrincipalTag/kind}/x",
        ] {
            let (is_changed, found) = renamed(&json!({"Resource": resource}), 7);
            assert!(!is_changed, "{resource}");
            assert_eq!(found, json!({"Resource": resource, "Sid": "Q7"}));
        }
        for resource in ["arn:aws:iam::*:*", "arn:aws:lambda:*:*:function:*", "arn:aws:lambda:::f*"]
        {
            let statement = json!([{"Resource": resource}, {"Resource": "arn:aws:s3:::b"}]);
            let (is_changed, found) = renamed(&statement, 7);
            assert!(is_changed, "{resource}");
            assert_eq!(found[0]["Resource"], resource);
        }
    }

    #[test]
    fn texts_beside_arns_leave_a_key_as_it_is() {
        let condition = |other: &str| json!({"Condition": {"StringLike": {"aws:PrincipalArn": ["arn:aws:iam::1:role/a", other]}}});
        assert!(renamed(&condition("*"), 7).0);
        assert!(!renamed(&condition("*:role/a*"), 7).0);
    }

    #[test]
    fn a_case_stays_what_it_is() {
        let (_, found) = renamed(&json!({"Resource": "arn:aws:s3:::aAbB"}), 7);
        let name: Vec<char> = found["Resource"].as_str().unwrap()[13..].chars().collect();
        assert!(name[0].is_ascii_lowercase() && name[1] == name[0].to_ascii_uppercase());
        assert!(name[2].is_ascii_lowercase() && name[3] == name[2].to_ascii_uppercase());
    }
}
