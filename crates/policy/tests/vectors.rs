//! The evaluator against the shared vectors of IAM decisions (`shared/semantics`, section 12).
//!
//! Every vector is decided by all policies together (5.6), under the default readings. The request
//! is taken as it stands: a context key that a vector does not list is absent.

#![expect(clippy::unwrap_used, reason = "helpers of a test; clippy exempts test functions only")]

use keyaki_policy::evaluate::{Decision, decide};
use keyaki_policy::request::{Context, ContextValue, Principal};
use keyaki_policy::{Code, Policy, PolicySet, PolicyType, Readings, Request, parse};
use serde_json::Value;
use std::path::Path;

/// The vectors lie beside the workspace, not in it: a clone without them runs nothing here.
const VECTORS: &str = "../../../shared/semantics/iam-vectors.jsonl";

/// Vectors with a policy that cannot be saved (1.4, 1.8) and that the parser refuses. It grants
/// nothing, so the others decide.
const REFUSED: [(&str, Code); 3] = [
    ("PRI-08", Code::InvalidPrincipal),
    ("PRI-09", Code::InvalidPrincipal),
    ("PRI-28", Code::MissingElement),
];

#[test]
fn every_vector_is_decided_as_expected() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(VECTORS);
    let Ok(source) = std::fs::read_to_string(&path) else {
        println!("SKIPPED: there are no vectors at {}", path.display());
        return;
    };
    let (mut count, mut wrong) = (0, vec![]);
    for line in source.lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let id = text(&vector["id"]);
        let policies = policies(&vector);
        let effective = decide(&policies, &request(&vector["request"]), Readings::DEFAULT);
        if effective.decision != Some(expected(&vector)) {
            wrong.push(format!("{id}: {effective:?}, {}", vector["note"]));
        }
        let is_allowed = effective.decision == Some(Decision::Allow);
        assert_eq!(effective.failed.is_none(), is_allowed, "{id}: {effective:?}");
        count += 1;
    }
    assert!(wrong.is_empty(), "{} of {count} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 403, "only {count} vectors");
}

fn request(value: &Value) -> Request {
    let mut context = Context::default();
    for (key, value) in value["context"].as_object().unwrap() {
        let value = match value {
            Value::Array(values) => ContextValue::Many(values.iter().map(text).collect()),
            value => ContextValue::One(text(value)),
        };
        context.insert(key, value);
    }
    let flag = |name: &str| value[name].as_bool().unwrap_or_default();
    let request = Request {
        principal: principal(value),
        resource_account: value["resource_account"].as_str().map(str::to_owned),
        action: text(&value["action"]),
        resource: text(&value["resource"]),
        context,
        management_account: flag("management_account"),
        service_linked_role: flag("service_linked_role"),
    };
    request.check().unwrap();
    request
}

fn principal(request: &Value) -> Principal {
    let mut principal = Principal::from_text(request["principal"].as_str().unwrap()).unwrap();
    if let Some(role_arn) = request["role_arn"].as_str() {
        principal = principal.with_role_arn(role_arn).unwrap();
    }
    if let Some(user_arn) = request["federated_base"].as_str() {
        principal = principal.with_federated_base(user_arn).unwrap();
    }
    principal
}

/// A vector's policies. It always says what the resource has: nothing, if it lists nothing.
fn policies(vector: &Value) -> PolicySet {
    let mut set = PolicySet { resource: Some(vec![]), ..PolicySet::default() };
    // The names of the levels met so far, in their order.
    let (mut scp, mut rcp) = (vec![], vec![]);
    for entry in vector["policies"].as_array().unwrap() {
        let policy_type = PolicyType::by_name(entry["type"].as_str().unwrap()).unwrap();
        let id = vector["id"].as_str().unwrap();
        let refusal = REFUSED.iter().find(|(refused, _)| *refused == id);
        let policy = match (parse(&entry["document"].to_string(), Some(policy_type)), refusal) {
            (Ok(policy), None) => policy,
            (Err(error), Some((_, code))) if error.code == *code => continue,
            (parsed, _) => panic!("{id}: {parsed:?}"),
        };
        match policy_type {
            PolicyType::Identity => set.identity.push(policy),
            PolicyType::Boundary => set.boundary.push(policy),
            PolicyType::Session => set.session.get_or_insert_default().push(policy),
            PolicyType::Scp => at_level(&mut set.scp, &mut scp, &entry["level"], policy),
            PolicyType::Rcp => at_level(&mut set.rcp, &mut rcp, &entry["level"], policy),
            PolicyType::VpcEndpoint => set.vpc_endpoint.push(policy),
            PolicyType::Resource | PolicyType::Trust | PolicyType::Kms => {
                set.resource.get_or_insert_default().push(policy);
            }
        }
    }
    set
}

fn at_level(levels: &mut Vec<Vec<Policy>>, names: &mut Vec<String>, name: &Value, policy: Policy) {
    let name = text(name);
    let level = names.iter().position(|known| *known == name).unwrap_or_else(|| {
        names.push(name);
        levels.push(vec![]);
        levels.len() - 1
    });
    levels[level].push(policy);
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
