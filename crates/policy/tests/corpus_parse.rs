//! The parser on real policies that nobody here wrote.
//!
//! The corpus lies beside the repository, not in it. Where it is absent these tests say so and
//! check nothing. Run with `--nocapture` to see the counts and, of each rejected policy, the
//! message.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "this is a test")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use keyaki_policy::json::{self, Kind, Value};
use keyaki_policy::validate::Level;
use keyaki_policy::{PolicyType, parse, parse_all, validate};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus/policies");

/// One line of a corpus file.
struct Record {
    id: String,
    /// What the collectors took it for; none where they did not know.
    policy_type: Option<PolicyType>,
    /// What the collectors think is wrong with it.
    problems: Vec<String>,
    /// The policy, exactly as in the file.
    policy: String,
}

/// The type that the collectors' word stands for.
fn policy_type(word: &str) -> Option<PolicyType> {
    match word {
        "resource:kms" => Some(PolicyType::Kms),
        word if word.starts_with("resource:") => Some(PolicyType::Resource),
        word => PolicyType::by_name(word),
    }
}

/// The records of a corpus file, or `None`, loudly, if the corpus is not there.
fn records(name: &str) -> Option<Vec<Record>> {
    let path = PathBuf::from(CORPUS).join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("SKIPPED: there is no {}", path.display());
        return None;
    };
    let record = |line: &str| {
        let value = json::read(line).unwrap();
        let Kind::Object(members) = value.kind else { panic!("a record is an object") };
        let member = |key| members.iter().find(|member| member.key == key).unwrap();
        let text = |key| match &member(key).value.kind {
            Kind::String(text) => text.to_string(),
            _ => panic!("`{key}` is a string"),
        };
        let problems = members.iter().find(|member| member.key == "problems");
        let problems = match problems.map(|member| &member.value.kind) {
            Some(Kind::Array(problems)) => problems
                .iter()
                .map(|problem| match &problem.kind {
                    Kind::String(text) => text.to_string(),
                    _ => panic!("a problem is a string"),
                })
                .collect(),
            _ => Vec::new(),
        };
        let span = member("policy").value.span;
        let policy = line[span.start as usize..span.end as usize].to_owned();
        Record { id: text("id"), policy_type: policy_type(&text("policy_type")), problems, policy }
    };
    Some(text.lines().map(record).collect())
}

/// Parses all records of a file, prints what became of them, and returns how many were rejected by
/// kind of mistake; `None` if the corpus is not there.
fn rejections(name: &str) -> Option<BTreeMap<&str, usize>> {
    let records = records(name)?;
    let n_records = records.len();
    let mut counts = BTreeMap::new();
    for record in records {
        if let Err(error) = parse(&record.policy, record.policy_type) {
            println!("{name} {} {} {error}", record.id, error.path);
            *counts.entry(error.code.as_str()).or_default() += 1;
        }
    }
    let n_rejected: usize = counts.values().sum();
    println!("{name}: {n_records} policies, {n_rejected} rejected: {counts:?}");
    Some(counts)
}

/// Checks that these many policies of the file are rejected, by kind of mistake, and all others
/// parse. The message of each rejection was read: see the comment at the call.
#[track_caller]
fn check(name: &str, expected: &[(&str, usize)]) {
    if let Some(rejections) = rejections(name) {
        assert_eq!(rejections, expected.iter().copied().collect(), "in {name}");
    }
}

#[test]
fn all_managed_policies_of_aws_parse_as_identity_policies() {
    check("aws_managed.jsonl", &[]);
    check("aws_managed_history.jsonl", &[]);
}

#[test]
fn identity_policies_parse_unless_they_have_placeholders_or_mistakes() {
    // Resources that are placeholders (`<RESOURCE>`, `%{Destination.Arn}`, `SecretARN`) or the
    // stuff of other tools' tests (`foo`, `s3`); statements without resource; a variable of a
    // deployment tool in the region of an ARN; lists and objects for `Sid` and `Id`.
    check(
        "identity.jsonl",
        &[
            ("invalid-condition-value", 1),
            ("invalid-resource", 58),
            ("invalid-variable", 1),
            ("missing-element", 13),
            ("wrong-type", 3),
        ],
    );
}

#[test]
fn resource_policies_parse_unless_they_have_placeholders_or_mistakes() {
    // Accounts that are placeholders (`AccountB-ID`) or of the wrong length, wildcards in ARNs,
    // a service under `AWS`, ARNs with a field too few or too many, spaces around ids; resources
    // that are placeholders; `*` for an address; statements of several kinds of policy in one.
    check(
        "resource.jsonl",
        &[
            ("invalid-condition-value", 1),
            ("invalid-principal", 100),
            ("invalid-resource", 26),
            ("invalid-variable", 1),
            ("missing-element", 2),
            ("wrong-type", 1),
        ],
    );
}

#[test]
fn policies_of_organizations_and_endpoints_parse_unless_they_have_placeholders() {
    // `<my-corporate-cidr>` for an address, `<third-party-resource>`, an account of ten digits;
    // resource control policies with `NotAction`, with a principal, and one that allows (1.8).
    check(
        "org.jsonl",
        &[
            ("forbidden-element", 3),
            ("invalid-condition-value", 5),
            ("invalid-principal", 1),
            ("invalid-resource", 1),
        ],
    );
}

#[test]
fn the_corpus_is_printed_as_what_it_says() {
    for name in ["aws_managed.jsonl", "identity.jsonl", "resource.jsonl", "org.jsonl"] {
        for record in records(name).unwrap_or_default() {
            let Ok(policy) = parse(&record.policy, record.policy_type) else { continue };
            let printed = policy.to_string();
            let again = parse(&printed, Some(policy.policy_type)).unwrap();
            assert_eq!(again.to_string(), printed, "{name} {}", record.id);
            assert_eq!(again.statements.len(), policy.statements.len());
        }
    }
}

/// How many findings of level error the policies of a file have, by code, but for those of the
/// parser.
fn errors(name: &str) -> Option<BTreeMap<&'static str, usize>> {
    let mut counts = BTreeMap::new();
    for record in records(name)? {
        let is_policy = parse(&record.policy, record.policy_type).is_ok();
        for finding in validate(&record.policy, record.policy_type) {
            if is_policy && finding.level == Level::Error {
                *counts.entry(finding.code).or_default() += 1;
            }
        }
    }
    Some(counts)
}

#[test]
fn policies_written_by_aws_have_hardly_any_errors() {
    let Some(errors) = errors("aws_managed.jsonl") else { return };
    // Services that are no more (deepracer, elastic-inference, …), actions and keys that the service
    // reference does not list (`budgets:CreateBudget`, `lakeformation:GlueARN`).
    let expected = [("unknown-action", 28), ("unknown-service", 47), ("unknown-service-key", 1)];
    assert_eq!(errors, BTreeMap::from(expected));
}

#[test]
fn validation_of_the_corpus_never_panics() {
    /// Lines of a file that are tried: what is in the later ones is much the same.
    const MAX_LINES: usize = 40;
    for name in ["identity.jsonl", "resource.jsonl", "org.jsonl"] {
        for record in records(name).unwrap_or_default() {
            let found = validate(&record.policy, record.policy_type);
            let is_refused = parse(&record.policy, record.policy_type).is_err();
            let has_error = found.iter().any(|finding| finding.level == Level::Error);
            assert!(!is_refused || has_error, "{name} {}", record.id);
        }
    }
    let mut n_policies = 0;
    for name in ["templated.jsonl", "cfn.jsonl", "tfplan.jsonl"] {
        let path = PathBuf::from(CORPUS).join(name);
        let text = std::fs::read_to_string(path).unwrap_or_default();
        for line in text.lines().take(MAX_LINES) {
            n_policies += validate_all_within(line, &json::read(line).unwrap());
        }
    }
    println!("{n_policies} policies within templates and plans");
}

/// Validates whatever looks like a policy, as an object or in a string, and returns how many did.
fn validate_all_within(line: &str, value: &Value<'_>) -> usize {
    match &value.kind {
        Kind::Object(members) if members.iter().any(|member| member.key == "Statement") => {
            validate(&line[value.span.start as usize..value.span.end as usize], None);
            1
        }
        Kind::Object(members) => {
            members.iter().map(|member| validate_all_within(line, &member.value)).sum()
        }
        Kind::Array(values) => values.iter().map(|value| validate_all_within(line, value)).sum(),
        Kind::String(text) if text.contains("\"Statement\"") => {
            validate(text, None);
            1
        }
        _ => 0,
    }
}

const IMPOSSIBLE_ACTION: &str = "an action that cannot exist is accepted and never matches (1.5)";
const EMPTY_LIST: &str = "an empty list or object is accepted and matches nothing (D2)";
const REPAIRED: &str = "the second of two equal members was dropped when the corpus was made";

/// The policies that the corpus calls nonconforming and that we accept.
const ACCEPTED: [(&str, &str); 19] = [
    ("bad-077f3d44504f3cc4", IMPOSSIBLE_ACTION),
    ("bad-0a82e3fe8b1e32bc", IMPOSSIBLE_ACTION),
    ("bad-1031400f76987633", REPAIRED),
    ("bad-1f3990b31e869a6d", IMPOSSIBLE_ACTION),
    ("bad-2060dc523bed775c", EMPTY_LIST),
    ("bad-42d6f44fd5f9bd15", IMPOSSIBLE_ACTION),
    ("bad-8709d8352479752a", IMPOSSIBLE_ACTION),
    ("bad-9b830c53c937054a", EMPTY_LIST),
    ("bad-a507880e97cfa8e5", REPAIRED),
    ("bad-a55c3ee103ef95f3", EMPTY_LIST),
    ("bad-a64aab6d1129a623", IMPOSSIBLE_ACTION),
    ("bad-a7dc2b33ce442b5c", EMPTY_LIST),
    ("bad-b1ba4ece4f8ea2e1", IMPOSSIBLE_ACTION),
    ("bad-d4de12ff3ee8e15f", IMPOSSIBLE_ACTION),
    ("bad-d6c4ce7503bf294e", EMPTY_LIST),
    ("bad-dd50c167a8d9f4b6", EMPTY_LIST),
    ("bad-e44f8ffd53895350", EMPTY_LIST),
    ("bad-e5aa040f6d72960f", REPAIRED),
    ("bad-f573ad4673c437e5", IMPOSSIBLE_ACTION),
];

#[test]
fn nonconforming_policies_are_rejected_unless_listed() {
    let Some(records) = records("nonconforming.jsonl") else { return };
    let mut table = String::new();
    let mut accepted = Vec::new();
    for record in &records {
        let read = parse_all(&record.policy, None);
        let reason = ACCEPTED.iter().find(|(id, _)| *id == record.id).map(|(_, reason)| *reason);
        let shown = match read.errors.as_slice() {
            [] => {
                accepted.push(record.id.as_str());
                let found = validate(&record.policy, None);
                let mut codes: Vec<_> = found
                    .iter()
                    .filter(|finding| finding.code != "missing-version")
                    .map(|finding| format!("`{}`", finding.code))
                    .collect();
                codes.dedup();
                let verdict = if codes.is_empty() { "accepted" } else { "reported" };
                format!("{verdict} | {} | {}", codes.join(" "), reason.unwrap_or_default())
            }
            errors => {
                let mut codes: Vec<_> =
                    errors.iter().map(|error| format!("`{}`", error.code.as_str())).collect();
                codes.sort_unstable();
                codes.dedup();
                format!("rejected | {} | ", codes.join(" "))
            }
        };
        let problems = record.problems.join("; ").replace('|', "\\|");
        writeln!(table, "| {} | {problems} | {shown} |", record.id).unwrap();
    }
    assert_eq!(accepted, ACCEPTED.map(|(id, _)| id));
    check_golden("nonconforming.md", &table);
}

/// Checks that the part of the document after its table's head is this.
#[track_caller]
fn check_golden(name: &str, table: &str) {
    const HEAD: &str = "|---|---|---|---|---|\n";
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    let document = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = document.split_once(HEAD).unwrap();
    if std::env::var("UPDATE_EXPECT").is_ok() {
        std::fs::write(&path, format!("{before}{HEAD}{table}")).unwrap();
    } else {
        assert_eq!(rest, table, "docs/{name} is stale: run this test with UPDATE_EXPECT=1");
    }
}
