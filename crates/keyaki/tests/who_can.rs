//! Who can do something in an account: the cases of `corpus/who_can`, and each step of a way by the evaluator.
//!
//! That a principal cannot is not replayed; the cases say it of each that is not listed.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use keyaki::job::{Task, engines};
use keyaki::solvers::Config;
use keyaki::wire::findings::{Finding, OneOrMany, RowRecord};
use keyaki::wire::{JobResult, Request, VerdictName};
use keyaki::{Cancel, EngineOptions};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Case>,
}

/// See corpus/README.md.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    why: String,
    job: String,
    can: Vec<Can>,
    source: String,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Can {
    principal: String,
    through: Vec<String>,
}

#[test]
fn every_case_has_its_principals() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/who_can/account.toml");
    let file: File = toml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut n_holding = 0;
    for case in &file.case {
        assert!(!case.why.is_empty() && !case.source.is_empty(), "{}", case.name);
        let job: Value = serde_json::from_str(&case.job).unwrap();
        let result = answer(&job);
        assert!(result.error.is_none(), "{}: {:?}", case.name, result.error);
        let rows: Vec<&RowRecord> = result.findings.iter().flatten().map(row).collect();
        let can: Vec<Can> = rows.iter().map(|row| shown(row)).collect();
        assert_eq!(can, case.can, "{}", case.name);
        let verdict = if can.is_empty() { VerdictName::Holds } else { VerdictName::Fails };
        assert_eq!(result.verdict, Some(verdict), "{}", case.name);
        assert_eq!(result.coverage.unwrap().verdict, VerdictName::Holds, "{}", case.name);
        n_holding += usize::from(can.is_empty());
        for row in rows {
            check_steps(&job, row);
        }
    }
    assert_eq!(n_holding * 2, file.case.len(), "half of the cases hold");
}

/// Each step is allowed by the policies of whoever makes it, by `evaluate`.
fn check_steps(job: &Value, row: &RowRecord) {
    let policies = |who: &str, resource: Value| {
        let own = job["principals"].as_array().unwrap().iter().find(|p| p["arn"] == who).unwrap();
        let mut policies = job.get("policies").cloned().unwrap_or_else(|| json!({}));
        policies["identity"] = own.get("identity").cloned().unwrap_or_else(|| json!([]));
        policies["boundary"] = own.get("boundary").cloned().unwrap_or(Value::Null);
        policies["resource"] = resource;
        policies
    };
    let allows = |policies: Value, request: &Request, resource_type: &str| {
        let job = json!({"question": "evaluate", "request": request, "policies": policies,
            "resource_type": resource_type});
        let result = answer(&job);
        let decision = format!("{:?}", result.decision);
        assert_eq!(decision, "Some(Allow)", "{request:?}: {:?}", result.error);
    };
    let Some(OneOrMany::One(first)) = row.principal.as_ref().unwrap().get("AWS") else {
        panic!("one principal")
    };
    let mut who = first.clone();
    for step in &row.through {
        let roles = job["principals"].as_array().unwrap();
        let role = roles.iter().find(|p| p["arn"] == step.role.as_str()).unwrap();
        let trust = json!([role["trust"].clone()]);
        assert_eq!(step.witness.resource, step.role);
        allows(policies(&who, trust), &step.witness, "AWS::IAM::Role");
        who.clone_from(&step.role);
    }
    let resource = job["policies"].get("resource").cloned().unwrap_or_else(|| json!([]));
    allows(policies(&who, resource), row.witness.as_ref().unwrap(), "AWS::S3::Bucket");
}

fn shown(row: &RowRecord) -> Can {
    let principal = match row.principal.as_ref().unwrap().get("AWS") {
        Some(OneOrMany::One(arn)) => arn.clone(),
        other => panic!("{other:?}"),
    };
    Can { principal, through: row.through.iter().map(|step| step.role.clone()).collect() }
}

fn row(finding: &Finding) -> &RowRecord {
    match finding {
        Finding::Access(row) => row,
        Finding::Validation(record) => panic!("{record:?}"),
    }
}

fn answer(job: &Value) -> JobResult {
    let mut job = job.clone();
    if job.get("question").is_none() {
        job["question"] = json!("who-can");
    }
    let task = match Task::from_json(job.to_string().as_bytes(), Duration::from_secs(60)) {
        Ok((_, task)) => task,
        Err(result) => return *result,
    };
    let (config, options) = (Config::builtin(), EngineOptions::default());
    let engines = engines(&config, &options);
    task.answer(&engines, &Cancel::new())
}
