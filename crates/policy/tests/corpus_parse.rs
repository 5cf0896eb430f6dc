//! The parser on real policies that nobody here wrote.
//!
//! The corpus lies beside the repository, not in it. Where it is absent these tests say so and
//! check nothing. Run with `--nocapture` to see the counts and, of each rejected policy, the
//! message.

use std::collections::BTreeMap;
use std::path::PathBuf;

use keyaki_policy::json::{self, Kind};
use keyaki_policy::{ParseError, PolicyType, parse};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus/policies");

/// One line of a corpus file.
struct Record {
    id: String,
    /// The policy, exactly as in the file.
    policy: String,
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
        let Kind::String(id) = &member("id").value.kind else { panic!("an id is a string") };
        let span = member("policy").value.span;
        let policy = line[span.start as usize..span.end as usize].to_owned();
        Record { id: id.to_string(), policy }
    };
    Some(text.lines().map(record).collect())
}

/// Parses all records of a file and prints what became of them; returns the rejected ones.
fn rejected(name: &str, policy_type: Option<PolicyType>) -> Vec<(Record, ParseError)> {
    let Some(records) = records(name) else { return Vec::new() };
    let n_records = records.len();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut rejected = Vec::new();
    for record in records {
        if let Err(error) = parse(&record.policy, policy_type) {
            *counts.entry(error.code.as_str()).or_default() += 1;
            println!("{name} {} {} {error}", record.id, error.path);
            rejected.push((record, error));
        }
    }
    println!("{name}: {n_records} policies, {} rejected: {counts:?}", rejected.len());
    rejected
}

#[test]
fn all_managed_policies_of_aws_parse_as_identity_policies() {
    for name in ["aws_managed.jsonl", "aws_managed_history.jsonl"] {
        let rejected = rejected(name, Some(PolicyType::Identity));
        assert!(rejected.is_empty(), "{} of {name} rejected", rejected.len());
    }
}

#[test]
fn other() {
    rejected("identity.jsonl", Some(PolicyType::Identity));
    rejected("resource.jsonl", Some(PolicyType::Resource));
    rejected("org.jsonl", None);
    for record in records("nonconforming.jsonl").unwrap_or_default() {
        match parse(&record.policy, None) {
            Ok(_) => println!("NC OK {} {}", record.id, record.policy),
            Err(e) => println!("NC ERR {} {} {e}", record.id, e.path),
        }
    }
}
