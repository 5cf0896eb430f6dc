//! Rows of findings: the cases of `corpus/findings`. How many rows there are of policies made to have many is a test of crates/throughput.
//!
//! A case is asked as a job, so that reading, answer and JSON are what a user has. Each row is held once more against the question
//! that it comes from: its witness breaks the property, and with a Deny of every row the property holds. The latter knows
//! nothing of how rows were found.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use keyaki::job::{Task, engines};
use keyaki::solvers::Config;
use keyaki::wire::findings::{Finding, RowRecord};
use keyaki::wire::{JobResult, Trust, VerdictName};
use keyaki::{Cancel, EngineOptions};
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Case>,
}

/// See corpus/README.md.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    why: String,
    trust: Option<Trust>,
    resource_account: Option<String>,
    service_principals: Option<String>,
    policy_type: Option<String>,
    policy: Option<String>,
    existing: Option<String>,
    new: Option<String>,
    #[serde(default)]
    all: bool,
    rows: Vec<Value>,
    source: String,
}

#[test]
fn every_case_has_its_rows() {
    let wanted = std::env::var("KEYAKI_CASE").unwrap_or_default();
    let mut wrong = Vec::new();
    let cases = cases();
    for case in cases.iter().filter(|case| case.name.contains(&wanted)) {
        if let Err(what) = case.check() {
            wrong.push(format!("{}: {what}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn cases_are_complete_and_half_of_them_have_rows() {
    let cases = cases();
    for case in &cases {
        assert!(!case.why.is_empty() && !case.source.is_empty(), "{}", case.name);
        assert_eq!(
            cases.iter().filter(|other| other.name == case.name).count(),
            1,
            "{}",
            case.name
        );
    }
    let with_rows = cases.iter().filter(|case| !case.rows.is_empty()).count();
    assert!(with_rows * 3 >= cases.len() && with_rows * 3 <= cases.len() * 2, "{with_rows}");
}

/// Of policies that nobody made for this: everything that they let in is of some row.
#[test]
fn rows_of_real_policies_cover_everything() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/policies/resource.jsonl");
    let (mut n_rows, mut n_policies) = (0, 0);
    for line in fs::read_to_string(path).unwrap().lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let policy = &record["policy"];
        let policy = json!({"Version": policy["Version"], "Statement": list(&policy["Statement"])});
        let is_trust = policy["Statement"][0].get("Resource").is_none();
        let case = Case {
            name: record["id"].to_string(),
            why: String::new(),
            trust: serde_json::from_value(json!({"accounts": ["111122223333"]})).unwrap(),
            resource_account: None,
            service_principals: Some("deputy".to_owned()),
            policy_type: Some(if is_trust { "trust" } else { "resource" }.to_owned()),
            policy: Some(policy.to_string()),
            existing: None,
            new: None,
            all: false,
            rows: Vec::new(),
            source: String::new(),
        };
        let result = answer(&case.job("findings"));
        let Some(coverage) = &result.coverage else { continue };
        assert_eq!(coverage.verdict, VerdictName::Holds, "{}", case.name);
        let rows: Vec<RowRecord> = result.findings.iter().flatten().map(row).cloned().collect();
        case.check_denied(&rows).unwrap_or_else(|what| panic!("{}: {what}", case.name));
        (n_rows, n_policies) = (n_rows + rows.len(), n_policies + 1);
    }
    assert!(n_policies >= 20 && n_rows >= 20, "{n_rows} rows of {n_policies} policies");
}

/// The value as a list.
fn list(value: &Value) -> Value {
    if value.is_array() { value.clone() } else { json!([value]) }
}

impl Case {
    fn job(&self, question: &str) -> Value {
        let mut job = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                job.insert(name.to_owned(), value);
            }
        };
        put("question", Some(json!(question)));
        put("trust", self.trust.as_ref().map(|trust| json!(trust)));
        put("resource_account", self.resource_account.as_ref().map(|account| json!(account)));
        put("service_principals", self.service_principals.as_ref().map(|name| json!(name)));
        put("policy_type", self.policy_type.as_ref().map(|name| json!(name)));
        put("policy", self.policy.as_ref().map(|text| json!(text)));
        put("existing", self.existing.as_deref().map(side));
        put("new", self.new.as_deref().map(side));
        put("all", (question == "findings" && self.all).then_some(json!(true)));
        Value::Object(job)
    }

    fn check(&self) -> Result<(), String> {
        let result = answer(&self.job("findings"));
        if let Some(error) = &result.error {
            return Err(error.message.clone());
        }
        let rows: Vec<RowRecord> = result.findings.iter().flatten().map(row).cloned().collect();
        let mut found: Vec<Value> = rows.iter().map(shown).collect();
        let mut expected = self.rows.clone();
        for list in [&mut found, &mut expected] {
            list.sort_by_key(Value::to_string);
        }
        if found != expected {
            return Err(format!("expected {}, found {}", json!(expected), json!(found)));
        }
        let verdict = if expected.is_empty() { VerdictName::Holds } else { VerdictName::Fails };
        let coverage = result.coverage.ok_or("no coverage")?;
        if result.verdict != Some(verdict) || coverage.verdict != VerdictName::Holds {
            return Err(format!("{:?} and {coverage:?}", result.verdict));
        }
        self.check_denied(&rows)
    }

    /// With a Deny of each row the property holds. A set of policies has several places for one.
    fn check_denied(&self, rows: &[RowRecord]) -> Result<(), String> {
        if self.new.as_deref().is_some_and(|new| side(new).is_object()) {
            return Ok(());
        }
        let side = if self.policy.is_some() { "policy" } else { "new" };
        let question = if self.policy.is_some() { "no-external-access" } else { "no-new-access" };
        let mut job = self.job(question);
        let text = job[side].as_str().unwrap_or_default().to_owned();
        let mut policy: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let statements = policy["Statement"].as_array_mut().ok_or("a list of statements")?;
        let is_trust = self.policy_type.as_deref() == Some("trust");
        statements.extend(rows.iter().map(|row| deny(row, is_trust)));
        job[side] = policy;
        match answer(&job).verdict {
            Some(VerdictName::Holds) => Ok(()),
            other => Err(format!("with its rows denied the property is {other:?}")),
        }
    }
}

/// A side of a comparison, as a job has it: the text of a policy, or an object of policies of several kinds.
fn side(text: &str) -> Value {
    let value: Value = serde_json::from_str(text).unwrap();
    if value.get("Statement").is_some() { json!(text) } else { value }
}

/// The parts of a row that a case tells.
fn shown(row: &RowRecord) -> Value {
    let mut shown = json!({
        "action": row.action, "resource": row.resource, "condition": row.condition,
    });
    if let Some(principal) = &row.principal {
        shown["principal"] = json!(principal);
    }
    if let Some(is_public) = row.is_public {
        shown["is_public"] = json!(is_public);
    }
    if !row.depends_on.is_empty() {
        shown["depends_on"] = json!(row.depends_on);
    }
    shown
}

/// A statement that denies what a row is about.
fn deny(row: &RowRecord, is_trust: bool) -> Value {
    let mut deny = json!({"Effect": "Deny", "Action": row.action});
    if let Some(principal) = &row.principal {
        let everybody = json!({"AWS": "*"});
        let principal = json!(principal);
        deny["Principal"] = if principal == everybody { json!("*") } else { principal };
    }
    if !is_trust {
        deny["Resource"] = json!(row.resource);
    }
    let mut conditions = Map::new();
    for (key, pattern) in &row.condition {
        let test = conditions.entry(row.operators[key].clone()).or_insert_with(|| json!({}));
        test[key.as_str()] = json!(pattern);
    }
    if !conditions.is_empty() {
        deny["Condition"] = Value::Object(conditions);
    }
    deny
}

fn row(finding: &Finding) -> &RowRecord {
    match finding {
        Finding::Access(row) => row,
        Finding::Validation(record) => panic!("{record:?}"),
    }
}

/// Answers a job by the solvers that are installed.
fn answer(job: &Value) -> JobResult {
    let timeout = Duration::from_secs(60);
    let task = match Task::from_json(job.to_string().as_bytes(), timeout) {
        Ok((_, task)) => task,
        Err(result) => return *result,
    };
    let (config, options) = (Config::builtin(), EngineOptions::default());
    let engines = engines(&config, &options);
    task.answer(&engines, &Cancel::new())
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/findings");
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: &Path| {
        let text = fs::read_to_string(path).unwrap();
        let file: File =
            toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        file.case
    };
    paths.iter().flat_map(|path| read(path)).collect()
}
