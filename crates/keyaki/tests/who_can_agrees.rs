//! Who can do something in accounts of few words, against trying every request.
//!
//! Each request of a principal is decided by the evaluator, with the policies that the job says apply to it, and chains are closed one
//! step at a time. Every value that a policy can tell apart is tried, so whoever is not found cannot: the list has to be
//! the same, and so has the length of each chain.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use keyaki::job::{Task, engines};
use keyaki::solvers::Config;
use keyaki::wire::VerdictName;
use keyaki::wire::findings::{Finding, OneOrMany};
use keyaki::{Cancel, EngineOptions};
use keyaki_policy::evaluate::decide;
use keyaki_policy::request::{Context, ContextValue, Principal, Request};
use keyaki_policy::{Decision, Policy, PolicySet, PolicyType, Readings, parse};
use keyaki_testing::arbitrary::{Result, Unstructured};
use keyaki_testing::arbtest;
use serde_json::{Value, json};

/// How long a round of accounts takes, in milliseconds.
const ROUND_MS: u64 = 1_000;

/// Accounts that are tried at least.
const MIN_ACCOUNTS: usize = 40;

/// Rounds after which a slow machine is asked no more.
const MAX_ROUNDS: usize = 60;

/// Random bytes for one account.
const MIN_BYTES: u32 = 1 << 12;

const ACCOUNT: &str = "111122223333";
const OBJECT: &str = "arn:aws:s3:::b/k";
const ROOT: &str = "arn:aws:iam::111122223333:root";

const PRINCIPALS: [&str; 4] = [
    "arn:aws:iam::111122223333:user/a",
    "arn:aws:iam::111122223333:user/b",
    "arn:aws:iam::111122223333:role/r",
    "arn:aws:iam::111122223333:role/s",
];

const ACTIONS: [&str; 6] =
    ["s3:GetObject", "sts:AssumeRole", "sts:AssumeRole", "sts:*", "s3:PutObject", "*"];

const RESOURCES: [&str; 6] = [
    "*",
    "arn:aws:s3:::b/*",
    "arn:aws:s3:::c/*",
    "arn:aws:iam::111122223333:role/r",
    "arn:aws:iam::111122223333:role/s",
    "arn:aws:iam::111122223333:role/*",
];

/// Whom a resource policy or trust policy names.
const NAMED: [&str; 9] = [
    r#"{"AWS": "arn:aws:iam::111122223333:user/a"}"#,
    r#"{"AWS": "arn:aws:iam::111122223333:user/b"}"#,
    r#"{"AWS": "arn:aws:iam::111122223333:role/r"}"#,
    r#"{"AWS": "arn:aws:iam::111122223333:role/s"}"#,
    r#"{"AWS": "111122223333"}"#,
    r#"{"AWS": "444455556666"}"#,
    r#"{"AWS": "arn:aws:sts::111122223333:assumed-role/r/sess"}"#,
    r#"{"Service": "ec2.amazonaws.com"}"#,
    r#""*""#,
];

const CONDITIONS: [&str; 5] = [
    r#"{"Bool": {"aws:SecureTransport": "true"}}"#,
    r#"{"Bool": {"aws:SecureTransport": "false"}}"#,
    r#"{"StringEquals": {"aws:PrincipalTag/team": "x"}}"#,
    r#"{"StringNotEquals": {"aws:PrincipalTag/team": "x"}}"#,
    r#"{"Null": {"aws:PrincipalTag/team": "true"}}"#,
];

#[test]
fn whoever_some_request_of_a_chain_lets_in_is_listed_and_nobody_else() {
    let counts = RefCell::new(BTreeMap::<&str, usize>::new());
    let property = |u: &mut Unstructured<'_>| {
        let account = account(u)?;
        let expected = Tried::of(&account).distances();
        let listed = listed(&account);
        assert_eq!(listed, expected, "{account}");
        let outcome = match (listed.is_empty(), listed.values().max()) {
            (true, _) => "nobody",
            (_, Some(0)) => "directly",
            (_, Some(1)) => "by one role",
            _ => "by two roles",
        };
        *counts.borrow_mut().entry(outcome).or_default() += 1;
        if listed.contains_key(ROOT) {
            *counts.borrow_mut().entry("the root user").or_default() += 1;
        }
        Ok(())
    };
    let outcomes = ["nobody", "directly", "by one role", "by two roles", "the root user"];
    let is_enough = || {
        let counts = counts.borrow();
        counts.values().sum::<usize>() >= MIN_ACCOUNTS
            && outcomes.iter().all(|outcome| counts.contains_key(outcome))
    };
    for _ in 0..MAX_ROUNDS {
        if is_enough() {
            break;
        }
        arbtest(property).size_min(MIN_BYTES).budget_ms(ROUND_MS).run();
    }
    assert!(is_enough(), "some outcome never came: {counts:?}");
}

/// A random account, as a job.
fn account(u: &mut Unstructured<'_>) -> Result<Value> {
    let mut principals = Vec::new();
    for arn in PRINCIPALS {
        let mut principal = json!({"arn": arn, "identity": policy(u, false)?});
        if u.ratio(1, 4)? {
            principal["boundary"] = policy(u, false)?;
        }
        if arn.contains(":role/") && u.ratio(7, 8)? {
            let mut statements = Vec::new();
            for _ in 0..u.int_in_range(1..=2)? {
                statements.push(statement(u, Some("sts:AssumeRole"), None)?);
            }
            principal["trust"] = document(&statements);
        }
        principals.push(principal);
    }
    if u.ratio(1, 4)? {
        principals.push(json!({"arn": ROOT}));
    }
    let mut policies = json!({});
    if u.ratio(1, 4)? {
        policies["scp"] = json!([[policy(u, true)?]]);
    }
    if u.ratio(1, 6)? {
        let action = *u.choose(&["s3:GetObject", "sts:AssumeRole", "s3:PutObject"])?;
        policies["rcp"] = json!([[document(&[json!({
            "Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*",
            "Condition": condition(u)?,
        })])]]);
    }
    if u.ratio(1, 3)? {
        let resource = *u.choose(&["*", "arn:aws:s3:::b/*", "arn:aws:s3:::b/other"])?;
        policies["resource"] = document(&[statement(u, Some("s3:GetObject"), Some(resource))?]);
    }
    Ok(json!({
        "question": "who-can", "resource_account": ACCOUNT, "principals": principals,
        "policies": policies, "access": [{"actions": ["s3:GetObject"], "resources": [OBJECT]}],
    }))
}

fn document(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// A policy of an identity, or one that limits.
fn policy(u: &mut Unstructured<'_>, limits: bool) -> Result<Value> {
    let mut statements = Vec::new();
    if limits {
        statements.push(json!({"Effect": "Allow", "Action": "*", "Resource": "*"}));
    }
    for _ in 0..u.int_in_range(0..=2)? {
        let effect = if u.ratio(4, 5)? && !limits { "Allow" } else { "Deny" };
        statements.push(json!({
            "Effect": effect, "Action": u.choose(&ACTIONS)?, "Resource": u.choose(&RESOURCES)?,
            "Condition": condition(u)?,
        }));
    }
    Ok(document(&statements))
}

/// A statement that names principals.
fn statement(
    u: &mut Unstructured<'_>,
    action: Option<&str>,
    resource: Option<&str>,
) -> Result<Value> {
    let named = if u.ratio(2, 3)? { &NAMED[..4] } else { &NAMED[..] };
    let named: Value = serde_json::from_str(u.choose(named)?).unwrap();
    let effect = if u.ratio(5, 6)? { "Allow" } else { "Deny" };
    let mut statement = json!({
        "Effect": effect, "Principal": named, "Action": action, "Condition": condition(u)?,
    });
    if let Some(resource) = resource {
        statement["Resource"] = json!(resource);
    }
    Ok(statement)
}

fn condition(u: &mut Unstructured<'_>) -> Result<Value> {
    let text = if u.ratio(1, 4)? { *u.choose(&CONDITIONS)? } else { "{}" };
    Ok(serde_json::from_str(text).unwrap())
}

/// What is listed: each principal with the number of roles that it passes.
fn listed(account: &Value) -> BTreeMap<String, usize> {
    let timeout = Duration::from_secs(60);
    let (_, task) = Task::from_json(account.to_string().as_bytes(), timeout)
        .unwrap_or_else(|result| panic!("{:?}: {account}", result.error));
    let (config, options) = (Config::builtin(), EngineOptions::default());
    let result = task.answer(&engines(&config, &options), &Cancel::new());
    assert!(result.error.is_none(), "{:?}: {account}", result.error);
    assert_eq!(result.coverage.unwrap().verdict, VerdictName::Holds, "{account}");
    let row = |finding: Finding| match finding {
        Finding::Access(row) => match row.principal.unwrap().remove("AWS") {
            Some(OneOrMany::One(arn)) => (arn, row.through.len()),
            other => panic!("{other:?}"),
        },
        Finding::Validation(record) => panic!("{record:?}"),
    };
    result.findings.unwrap().into_iter().map(row).collect()
}

/// An account, to be asked by trying.
struct Tried {
    principals: Vec<Held>,
    resource: Vec<Policy>,
    scp: Vec<Vec<Policy>>,
    rcp: Vec<Vec<Policy>>,
}

struct Held {
    arn: String,
    identity: Vec<Policy>,
    boundary: Vec<Policy>,
    trust: Vec<Policy>,
}

impl Tried {
    fn of(account: &Value) -> Tried {
        let read = |value: &Value, kind| match value {
            Value::Null => vec![],
            value => vec![parse(&value.to_string(), Some(kind)).unwrap()],
        };
        let levels = |value: &Value, kind| match value {
            Value::Null => vec![],
            value => vec![read(&value[0][0], kind)],
        };
        let held = |principal: &Value| Held {
            arn: principal["arn"].as_str().unwrap().to_owned(),
            identity: read(&principal["identity"], PolicyType::Identity),
            boundary: read(&principal["boundary"], PolicyType::Boundary),
            trust: read(&principal["trust"], PolicyType::Trust),
        };
        let policies = &account["policies"];
        Tried {
            principals: account["principals"].as_array().unwrap().iter().map(held).collect(),
            resource: read(&policies["resource"], PolicyType::Resource),
            scp: levels(&policies["scp"], PolicyType::Scp),
            rcp: levels(&policies["rcp"], PolicyType::Rcp),
        }
    }

    /// Who can, and how many roles away each is.
    fn distances(&self) -> BTreeMap<String, usize> {
        let mut distances = BTreeMap::new();
        for held in &self.principals {
            if self.is_allowed(held, &self.resource, "s3:GetObject", OBJECT) {
                distances.insert(held.arn.clone(), 0);
            }
        }
        for distance in 0..self.principals.len() {
            let near: BTreeSet<String> = distances
                .iter()
                .filter(|(_, d)| **d == distance)
                .map(|(arn, _)| arn.clone())
                .collect();
            let roles = || {
                let roles = self.principals.iter().filter(|held| held.arn.contains(":role/"));
                roles.filter(|held| near.contains(&held.arn))
            };
            for held in &self.principals {
                // The root user cannot call it.
                let may_call = held.arn != ROOT && !distances.contains_key(&held.arn);
                let assumes =
                    |role: &Held| self.is_allowed(held, &role.trust, "sts:AssumeRole", &role.arn);
                if may_call && roles().any(assumes) {
                    distances.insert(held.arn.clone(), distance + 1);
                }
            }
        }
        distances
    }

    /// Whether some request of the principal is allowed.
    fn is_allowed(&self, held: &Held, resource: &[Policy], action: &str, on: &str) -> bool {
        let set = PolicySet {
            identity: held.identity.clone(),
            boundary: held.boundary.clone(),
            resource: Some(resource.to_vec()),
            scp: self.scp.clone(),
            rcp: self.rcp.clone(),
            ..PolicySet::default()
        };
        contexts().into_iter().any(|context| {
            let sessions: &[&str] =
                if held.arn.contains(":role/") { &["sess", "other"] } else { &[""] };
            sessions.iter().any(|session| {
                let request = Request {
                    principal: principal(&held.arn, session),
                    action: action.to_owned(),
                    resource: on.to_owned(),
                    resource_account: Some(ACCOUNT.to_owned()),
                    context: context.clone(),
                    ..Request::default()
                };
                decide(&set, &request, Readings::DEFAULT).decision == Some(Decision::Allow)
            })
        })
    }
}

/// Every context that the conditions tell apart.
fn contexts() -> Vec<Context> {
    let mut contexts = Vec::new();
    for transport in ["true", "false"] {
        for team in [None, Some("x"), Some("y")] {
            let mut context = Context::default();
            context.insert("aws:SecureTransport", ContextValue::One(transport.to_owned()));
            if let Some(team) = team {
                context.insert("aws:PrincipalTag/team", ContextValue::One(team.to_owned()));
            }
            contexts.push(context);
        }
    }
    contexts
}

fn principal(arn: &str, session: &str) -> Principal {
    if arn == ROOT {
        return Principal::Root {
            partition: "aws".to_owned(),
            account: ACCOUNT.to_owned(),
            canonical_user: None,
        };
    }
    match session {
        "" => Principal::User { arn: arn.to_owned(), canonical_user: None },
        session => {
            Principal::RoleSession { role_arn: arn.to_owned(), session_name: session.to_owned() }
        }
    }
}
