//! The evaluator against the shared vectors of IAM decisions (`shared/semantics`, section 12).
//!
//! Only those vectors are run in which the union of the policies' statements (5.1) is the whole
//! story (5.6): identity-based policies alone, for a user or a role session and a resource of the
//! same account; and a resource-based policy alone, for a principal that belongs to no account. In
//! both, an answer may be missing where the evaluator says why, and must never be wrong. The call
//! that is allowed whatever policies say, `sts:GetCallerIdentity` (6.5), is left out.

#![expect(clippy::unwrap_used, reason = "helpers of a test; clippy exempts test functions only")]

use keyaki_policy::evaluate::{Decision, evaluate};
use keyaki_policy::request::{Context, ContextValue, Principal};
use keyaki_policy::{ParseError, Policy, PolicyType, Readings, Request, parse};
use serde_json::Value;
use std::path::Path;

/// The vectors lie beside the workspace, not in it: a clone without them runs nothing here.
const VECTORS: &str = "../../../shared/semantics/iam-vectors.jsonl";

/// How many vectors must be decided, so that an evaluator that never answers cannot pass.
const MIN_DECIDED: usize = 196;

#[test]
fn no_vector_is_decided_wrongly() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(VECTORS);
    let Ok(source) = std::fs::read_to_string(&path) else {
        println!("SKIPPED: there are no vectors at {}", path.display());
        return;
    };
    let (mut decided, mut undecided, mut skipped) = (0, 0, 0);
    let (mut wrong, mut refused) = (vec![], vec![]);
    for line in source.lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let Some(request) = request_of_union(&vector) else {
            skipped += 1;
            continue;
        };
        let id = text(&vector["id"]);
        let Ok(policies) = policies(&vector) else {
            refused.push(id);
            continue;
        };
        let evaluation = evaluate(&policies, &request, Readings::DEFAULT);
        match evaluation.decision {
            None => {
                assert!(!evaluation.unsupported.is_empty(), "{id} is undecided without a reason");
                undecided += 1;
            }
            Some(decision) if decision == expected(&vector) => decided += 1,
            Some(decision) => wrong.push(format!("{id}: {decision:?}, {}", vector["note"])),
        }
    }
    println!("{decided} decided, {undecided} undecided, {skipped} skipped");
    assert!(refused.is_empty(), "refused by the parser: {refused:?}");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(decided >= MIN_DECIDED, "only {decided} are decided");
}

/// The request of a vector that the union of statements decides, else `None`.
fn request_of_union(vector: &Value) -> Option<Request> {
    let policies = vector["policies"].as_array().unwrap();
    let only = |wanted| policies.iter().all(|policy| policy["type"] == wanted);
    let request = request(&vector["request"]);
    let union = match &request.principal {
        Principal::User { .. } | Principal::RoleSession { .. } => {
            let (_, own_account) = request.principal.partition_and_account().unwrap();
            let owner = request.resource_account.as_deref();
            only("identity") && owner.is_none_or(|owner| owner == own_account)
        }
        Principal::Anonymous | Principal::Service { .. } | Principal::Federated { .. } => {
            !policies.is_empty() && (only("resource") || only("trust"))
        }
        _ => false,
    };
    (union && request.action != "sts:GetCallerIdentity").then_some(request)
}

fn request(value: &Value) -> Request {
    let action = text(&value["action"]);
    let resource = text(&value["resource"]);
    let owner = value["resource_account"].as_str().map(str::to_owned);
    let owner_in_arn =
        || resource.split(':').nth(4).filter(|field| !field.is_empty()).map(str::to_owned);
    let mut context = Context::default();
    for (key, value) in value["context"].as_object().unwrap() {
        let value = match value {
            Value::Array(values) => ContextValue::Many(values.iter().map(text).collect()),
            value => ContextValue::One(text(value)),
        };
        context.insert(key, value);
    }
    Request {
        principal: principal(value),
        resource_account: owner.or_else(owner_in_arn),
        action,
        resource,
        context,
        ..Request::default()
    }
}

fn principal(request: &Value) -> Principal {
    let name = text(&request["principal"]);
    let fields: Vec<&str> = name.splitn(6, ':').collect();
    match fields[..] {
        ["anonymous"] => Principal::Anonymous,
        [_, partition, "iam", _, account, "root"] => Principal::Root {
            partition: partition.to_owned(),
            account: account.to_owned(),
            canonical_user: None,
        },
        [_, _, "iam", _, _, resource] if resource.starts_with("user/") => {
            Principal::User { arn: name, canonical_user: None }
        }
        [_, partition, "sts", _, account, resource] => match resource.split_once('/').unwrap() {
            ("assumed-role", rest) => {
                let (role, session) = rest.split_once('/').unwrap();
                let role_arn = format!("arn:{partition}:iam::{account}:role/{role}");
                Principal::RoleSession {
                    role_arn: request["role_arn"].as_str().unwrap_or(&role_arn).to_owned(),
                    session_name: session.to_owned(),
                }
            }
            _ => {
                let base = request["federated_base"].as_str().map(str::to_owned);
                Principal::FederatedUser { arn: name, base }
            }
        },
        // A host name is that of a provider in the two calls that only federated identities make.
        [host] if !text(&request["action"]).contains("AssumeRoleWith") => {
            Principal::Service { name: host.to_owned() }
        }
        _ => Principal::Federated { provider: name },
    }
}

fn policies(vector: &Value) -> Result<Vec<Policy>, ParseError> {
    let policy = |entry: &Value| {
        let policy_type = match entry["type"].as_str() {
            Some("identity") => PolicyType::Identity,
            _ => PolicyType::Resource,
        };
        parse(&entry["document"].to_string(), Some(policy_type))
    };
    vector["policies"].as_array().unwrap().iter().map(policy).collect()
}

fn expected(vector: &Value) -> Decision {
    match vector["expected"].as_str().unwrap() {
        "Allow" => Decision::Allow,
        "ExplicitDeny" => Decision::ExplicitDeny,
        "ImplicitDeny" => Decision::ImplicitDeny,
        other => panic!("unknown decision {other}"),
    }
}

/// The text of a string, or the source of an unquoted number or Boolean (D1).
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
