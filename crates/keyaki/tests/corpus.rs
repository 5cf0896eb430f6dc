//! Real policies, the part that the repository ships: what is asked of each, and what is answered.
//!
//! `corpus/policies/verdicts.txt` is golden: `UPDATE_EXPECT=1 cargo test -p keyaki --test corpus`
//! writes it anew. A line that changes from `unknown` to something is progress, and any other
//! change is to be argued. Resource policies are asked whether they are public, pairs of versions of
//! a managed policy are compared both ways, and every policy is compared with itself, which holds
//! whatever it says.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Once;
use std::time::Duration;

use expect_test::expect_file;
use keyaki::job::{Document, Inquiry, Setting, engines};
use keyaki::question::{PolicyRef, Side};
use keyaki::solvers::{Config, Status, find};
use keyaki::wire::{JobResult, VerdictName};
use keyaki::{Cancel, EngineOptions};
use serde_json::Value;

/// Every question here is answered in a second or so by somebody; the machine may be busy.
const TIMEOUT: Duration = Duration::from_secs(180);

#[test]
fn real_policies_have_the_verdicts_that_are_written_down() {
    if !has_solver() {
        return;
    }
    let mut lines = Vec::new();
    for record in records("resource.jsonl") {
        let result = ask("no-public-access", &[(Side::Policy, &record["policy"])]);
        lines.push(line(&name(&record), &result));
    }
    for pair in records("managed_pairs.jsonl").chunks(2) {
        let [old, new] = pair else { panic!("versions come in pairs") };
        assert_eq!(old["name"], new["name"]);
        for (old, new) in [(old, new), (new, old)] {
            let policies = [(Side::Existing, &old["policy"]), (Side::New, &new["policy"])];
            let result = ask("no-new-access", &policies);
            let name = old["name"].as_str().unwrap();
            let versions = [old, new].map(|record| record["version_id"].as_str().unwrap());
            lines.push(line(&format!("{name} {} {}", versions[0], versions[1]), &result));
        }
    }
    expect_file!["../../../corpus/policies/verdicts.txt"].assert_eq(&(lines.join("\n") + "\n"));
}

#[test]
fn no_real_policy_allows_anything_new_against_itself() {
    if !has_solver() {
        return;
    }
    for file in ["resource.jsonl", "identity.jsonl", "managed_pairs.jsonl"] {
        for record in records(file) {
            let policy = &record["policy"];
            let result = ask("no-new-access", &[(Side::Existing, policy), (Side::New, policy)]);
            assert_eq!(result.verdict, Some(VerdictName::Holds), "{}: {result:?}", name(&record));
        }
    }
}

#[test]
fn every_real_policy_says_where_it_comes_from_and_under_which_licence() {
    let licences: Vec<String> = fs::read_dir(corpus().join("licences"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let mut used = vec![false; licences.len()];
    for file in ["resource.jsonl", "identity.jsonl", "managed_pairs.jsonl"] {
        for record in records(file) {
            let repository = record["source"].as_str().unwrap().split(':').next().unwrap();
            let prefix = format!("{}__", repository.replace('/', "__"));
            let mut found = false;
            for (licence, used) in licences.iter().zip(&mut used) {
                *used |= licence.starts_with(&prefix);
                found |= licence.starts_with(&prefix);
            }
            assert!(found && record["licence"].is_string(), "{}", name(&record));
        }
    }
    assert!(used.iter().all(|used| *used), "a licence in corpus/licences belongs to no policy");
}

/// One line of the golden file.
fn line(name: &str, result: &JobResult) -> String {
    if let Some(error) = &result.error {
        return format!("{name}: error {}", error.code);
    }
    match (result.verdict, result.reason) {
        (Some(VerdictName::Holds), _) => format!("{name}: holds"),
        (Some(VerdictName::Fails), _) => format!("{name}: fails"),
        (_, reason) => {
            let reason = reason.map_or("", |reason| reason.as_str());
            let constructs = result.unsupported.iter().map(|item| item.construct.as_str());
            format!("{name}: unknown, {reason}: {}", constructs.collect::<Vec<_>>().join(", "))
        }
    }
}

fn ask(question: &str, policies: &[(Side, &Value)]) -> JobResult {
    let document = |(side, policy): &(Side, &Value)| {
        Document::new(PolicyRef::of_union(*side, 0), format!("{side:?}"), policy.to_string())
    };
    let documents = policies.iter().map(document).collect();
    let setting = Setting { timeout: TIMEOUT, ..Setting::default() };
    match Inquiry::new(question, documents, setting) {
        Ok(inquiry) => {
            let config = Config::builtin();
            inquiry.answer(&engines(&config, &EngineOptions::default()), &Cancel::new())
        }
        Err(error) => JobResult { error: Some(error), ..JobResult::default() },
    }
}

fn records(file: &str) -> Vec<Value> {
    let text = fs::read_to_string(corpus().join("policies").join(file)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn name(record: &Value) -> String {
    record["id"].as_str().unwrap().to_owned()
}

fn corpus() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus")
}

fn has_solver() -> bool {
    let found = find(&Config::builtin());
    let n_working = found.iter().filter(|solver| solver.status == Status::Works).count();
    let required = std::env::var("REQUIRE_SOLVERS").is_ok_and(|value| value == "1");
    assert!(!required || n_working == 3, "REQUIRE_SOLVERS is set, and only {n_working} work");
    if n_working == 0 {
        skip();
    }
    n_working > 0
}

/// Says that tests were skipped, once, and past the harness, which keeps the output of tests that
/// pass to itself.
fn skip() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        let message = "SKIPPED: no solver is installed (apt-get install z3 cvc4 cvc5)\n";
        drop(std::io::stderr().write_all(message.as_bytes()));
    });
}
