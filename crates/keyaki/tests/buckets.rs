//! Each bucket of `corpus/buckets` has the status that stands in it.
//!
//! The jobs are read as `keyaki batch` reads them, so that the names of their members are tested as
//! well. Solvers decide next to nothing here; one engine is enough.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use keyaki::Cancel;
use keyaki::EngineOptions;
use keyaki::job::{Task, engines};
use keyaki::solvers::{Automaton, Config};
use keyaki::wire::JobResult;
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    bucket: Vec<Bucket>,
}

/// See corpus/README.md.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bucket {
    name: String,
    why: String,
    job: String,
    verdict: String,
    acl: Option<String>,
    put_acl: Option<String>,
    put_policy: Option<String>,
    policy_status: Option<bool>,
    is_restricted: Option<bool>,
    left: Option<Vec<String>>,
    source: String,
}

fn buckets() -> Vec<Bucket> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/buckets/status.toml");
    let file: File = toml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    file.bucket
}

fn answer(job: &str) -> JobResult {
    let mut job: Map<String, Value> = serde_json::from_str(job).unwrap();
    job.insert("question".to_owned(), "bucket".into());
    let line = Value::from(job).to_string();
    let options =
        EngineOptions { solvers: vec![Automaton::NAME.to_owned()], ..EngineOptions::default() };
    let config = Config::builtin();
    let engine = engines(&config, &options);
    match Task::from_json(line.as_bytes(), Duration::from_secs(60)) {
        Ok((_, task)) => task.answer(&engine, &Cancel::new()),
        Err(result) => *result,
    }
}

#[test]
fn every_bucket_has_its_status() {
    let mut wrong = Vec::new();
    for bucket in buckets() {
        let result = answer(&bucket.job);
        let record = serde_json::to_value(&result.bucket).unwrap();
        let mut compare = |what: &str, expected: Option<Value>, is: &Value| {
            if expected.as_ref().is_some_and(|expected| expected != is) {
                wrong.push(format!("{}: {what}: expected {expected:?}, is {is}", bucket.name));
            }
        };
        let verdict = serde_json::to_value(result.verdict).unwrap();
        compare("verdict", Some(bucket.verdict.into()), &verdict);
        compare("acl", bucket.acl.map(Value::from), &record["acl"]);
        compare("put_acl", bucket.put_acl.map(Value::from), &record["put_acl"]);
        compare("put_policy", bucket.put_policy.map(Value::from), &record["put_policy"]);
        let status = bucket.policy_status.map(|is_public| json!({"IsPublic": is_public}));
        compare("policy_status", status, &record["policy_status"]);
        compare("is_restricted", bucket.is_restricted.map(Value::from), &record["is_restricted"]);
        let left = record["left"].as_array().into_iter().flatten();
        let left: Vec<Value> = left.map(|record| record["left"].clone()).collect();
        compare("left", bucket.left.map(|left| json!(left)), &json!(left));
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn buckets_are_complete_and_have_names_of_their_own() {
    let mut names = BTreeSet::new();
    let (mut n_holds, mut n_fails) = (0, 0);
    for bucket in buckets() {
        assert!(names.insert(bucket.name.clone()), "`{}` is there twice", bucket.name);
        assert!(!bucket.why.is_empty() && !bucket.source.is_empty(), "{}", bucket.name);
        n_holds += usize::from(bucket.verdict == "holds");
        n_fails += usize::from(bucket.verdict == "fails");
    }
    assert!(n_holds >= 10 && n_fails >= 10, "{n_holds} {n_fails}");
}

/// Of a bucket that fails by its policy the witness is told; of one that is cut off it is not.
#[test]
fn the_witness_is_the_policys() {
    let policy = r#""policy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}]}"#;
    let open = answer(&format!("{{{policy}}}"));
    assert!(open.witness.is_some() && open.evidence.is_some(), "{open:?}");
    let settings = r#""block_public_access": {"bucket": {"RestrictPublicBuckets": true}}"#;
    let closed = answer(&format!("{{{policy}, {settings}}}"));
    assert!(closed.witness.is_none() && closed.statements.is_empty(), "{closed:?}");
}

#[test]
fn what_is_not_understood_is_an_error_with_its_place() {
    for (job, path) in [
        (r#"{"acl": "public"}"#, "/acl"),
        (
            r#"{"acl": {"Grants": [{"Grantee": {"ID": "x"}, "Permission": "LIST"}]}}"#,
            "/acl/Grants/0/Permission",
        ),
        (
            r#"{"acl": {"Grants": [{"Grantee": {"URI": "x"}, "Permission": "READ"}]}}"#,
            "/acl/Grants/0/Grantee/URI",
        ),
        (
            r#"{"acl": {"Grants": [{"Grantee": {}, "Permission": "READ"}]}}"#,
            "/acl/Grants/0/Grantee",
        ),
        (r#"{"acl": {"Owner": {}}}"#, "/acl"),
        (r#"{"object_ownership": "me"}"#, "/object_ownership"),
        (
            r#"{"block_public_access": {"bucket": {"Block": true}}}"#,
            "/block_public_access/bucket/Block",
        ),
        (
            r#"{"block_public_access": {"bucket": {"BlockPublicAcls": 1}}}"#,
            "/block_public_access/bucket/BlockPublicAcls",
        ),
        (
            r#"{"block_public_access": {"organization": "some"}}"#,
            "/block_public_access/organization",
        ),
        (r#"{"block_public_access": {"vpc": {}}}"#, "/block_public_access/vpc"),
        (r#"{"resource_account": "1"}"#, "/resource_account"),
        (r#"{"colour": "red"}"#, "/colour"),
    ] {
        let result = answer(job);
        let error = result.error.unwrap_or_else(|| panic!("{job}"));
        assert_eq!(error.path.as_deref(), Some(path), "{job}: {error:?}");
    }
    let many = vec![r#"{"Grantee": {"ID": "x"}, "Permission": "READ"}"#; 101].join(", ");
    assert!(answer(&format!(r#"{{"acl": {{"Grants": [{many}]}}}}"#)).error.is_some());
}
