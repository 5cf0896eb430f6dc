//! Questions, requests and readings as JSON and back.
//!
//! Requests are written as jobs have them, but read without any check: cases are also about
//! requests that cannot happen, which `keyaki` would not take.

use std::collections::BTreeSet;

use keyaki_analysis::property::{Demand, Property, Rule};
use keyaki_analysis::public::{self, DEFAULT_RESOURCE_TYPE, Reading, Table};
use keyaki_analysis::zone::{ServicePrincipals, Zone};
use keyaki_analysis::{Options, Question};
use keyaki_policy::request::{Context, ContextValue, Principal, Request};
use keyaki_policy::{AccessPattern, Policy, PolicyType, Readings, Switch, access, parse};
use serde_json::{Map, Value, json};

use crate::NoCase;

/// The questions about what two sides allow.
pub const COMPARISONS: [&str; 3] = ["no-new-access", "equivalent", "disjoint"];

/// A question about two sides, from the texts of their policies.
///
/// # Panics
///
/// A text is not JSON.
pub fn of_texts(
    question: &str,
    policy_type: PolicyType,
    existing: &[String],
    new: &[String],
) -> Value {
    let values = |texts: &[String]| -> Vec<Value> {
        texts.iter().map(|text| serde_json::from_str(text).expect("a policy is JSON")).collect()
    };
    json!({
        "question": question, "policy_type": policy_type.name(),
        "existing": values(existing), "new": values(new),
    })
}

/// The same for a question about one policy.
///
/// # Panics
///
/// The text is not JSON.
pub fn of_text(text: &str) -> Value {
    let policy: Value = serde_json::from_str(text).expect("a policy is JSON");
    json!({"question": "no-public-access", "policy": policy})
}

/// The same for a question about what the service of that table takes for public.
///
/// # Panics
///
/// The text is not JSON.
pub fn of_table(text: &str, table: &Table) -> Value {
    let mut case = of_text(text);
    case["resource_type"] = json!(table.resource_type);
    case["reading"] = json!(table.reading.name());
    case
}

/// The same for a question whether a policy lets somebody in from outside a zone of trust, whose
/// members are those of a job.
///
/// # Panics
///
/// The text is not JSON.
pub fn of_zone(text: &str, zone: &Map<String, Value>) -> Value {
    let mut case = of_text(text);
    case["question"] = json!("no-external-access");
    for (name, member) in zone {
        case[name] = member.clone();
    }
    case
}

/// The same for a question whether a policy grants one of these accesses, each of some actions on
/// some resources; a list without entries is no restriction.
///
/// # Panics
///
/// The text is not JSON.
pub fn of_accesses(policy_type: PolicyType, text: &str, accesses: &[[Vec<&str>; 2]]) -> Value {
    let policy: Value = serde_json::from_str(text).expect("a policy is JSON");
    let access = |lists: &[Vec<&str>; 2]| {
        let members = ["actions", "resources"].into_iter().zip(lists);
        let members = members.filter(|(_, texts)| !texts.is_empty());
        members.map(|(name, texts)| (name, json!(texts))).collect::<Value>()
    };
    let accesses: Vec<Value> = accesses.iter().map(access).collect();
    json!({
        "question": "access-not-granted", "policy_type": policy_type.name(),
        "policy": policy, "access": accesses,
    })
}

/// The question of a case.
///
/// # Errors
///
/// The case has none.
pub fn question(case: &Value) -> Result<Question, NoCase> {
    match string(case, "question")? {
        "no-public-access" => {
            let policy = policy(&case["policy"], PolicyType::Resource)?;
            Ok(Question::no_public_access(policy, table(case)?))
        }
        "no-external-access" => {
            let policy = vec![policy(&case["policy"], PolicyType::Resource)?].into();
            Ok(Question::NoExternalAccess { policy, zone: zone(case)? })
        }
        name @ ("no-new-access" | "equivalent" | "disjoint") => {
            let policy_type = policy_type(case)?;
            let side = |side: &str| -> Result<Vec<Policy>, NoCase> {
                list(case, side)?.iter().map(|value| policy(value, policy_type)).collect()
            };
            let (existing, new) = (side("existing")?.into(), side("new")?.into());
            Ok(match name {
                "equivalent" => Question::Equivalent { existing, new },
                "disjoint" => Question::Disjoint { existing, new },
                _ => Question::NoNewAccess { existing, new },
            })
        }
        "access-not-granted" => {
            let policy = vec![policy(&case["policy"], policy_type(case)?)?].into();
            let accesses = list(case, "access")?.iter().map(access).collect::<Result<_, _>>()?;
            Ok(Question::AccessNotGranted { policy, accesses })
        }
        "custom" => {
            let policy = vec![policy(&case["policy"], policy_type(case)?)?].into();
            let rules = list(case, "rules")?.iter().map(rule).collect::<Result<_, _>>()?;
            Ok(Question::Custom { policy, property: Property { rules } })
        }
        _ => Err(no_case("question")),
    }
}

fn rule(value: &Value) -> Result<Rule, NoCase> {
    let demand = match string(value, "demand")? {
        "never" => Demand::Never,
        "always" => Demand::Always,
        _ => return Err(no_case("demand")),
    };
    let scope = policy(&value["scope"], PolicyType::Resource)?;
    let outside = value.get("outside").map(zone).transpose()?;
    Ok(Rule { demand, scope, outside })
}

fn table(case: &Value) -> Result<&'static Table, NoCase> {
    let name = case.get("resource_type").and_then(Value::as_str).unwrap_or(DEFAULT_RESOURCE_TYPE);
    let reading = case.get("reading").and_then(Value::as_str).unwrap_or_default();
    let reading = Reading::by_name(reading).unwrap_or_default();
    public::table(name, reading).map_err(|error| NoCase(error.to_string()))
}

fn zone(case: &Value) -> Result<Zone, NoCase> {
    let trust = &case["trust"];
    let accounts = |name: &str| -> Result<_, NoCase> {
        let Some(accounts) = trust.get(name) else { return Ok(BTreeSet::new()) };
        let accounts = accounts.as_array().ok_or_else(|| no_case(name))?.iter();
        let account = |value: &Value| value.as_str().map(str::to_owned);
        accounts.map(account).collect::<Option<_>>().ok_or_else(|| no_case(name))
    };
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    Ok(Zone {
        accounts: accounts("accounts")?,
        organization: text(trust.get("organization")),
        organization_accounts: accounts("organization_accounts")?,
        owner: text(case.get("resource_account")),
        services: match case.get("service_principals").and_then(Value::as_str) {
            None | Some("ignore") => ServicePrincipals::Ignored,
            Some("deputy") => ServicePrincipals::Deputies,
            Some(_) => return Err(no_case("service_principals")),
        },
    })
}

fn policy_type(case: &Value) -> Result<PolicyType, NoCase> {
    PolicyType::by_name(string(case, "policy_type")?).ok_or_else(|| no_case("policy_type"))
}

fn access(value: &Value) -> Result<AccessPattern, NoCase> {
    let members = value.as_object().ok_or_else(|| no_case("access"))?;
    let actions =
        members.contains_key("actions").then(|| read_all(value, "actions", access::action));
    let resources =
        members.contains_key("resources").then(|| read_all(value, "resources", access::resource));
    Ok(AccessPattern::new(actions.transpose()?, resources.transpose()?))
}

fn read_all<T>(
    value: &Value,
    name: &str,
    read: fn(&str) -> Result<T, access::Mistake>,
) -> Result<Vec<T>, NoCase> {
    let text = |value: &Value| value.as_str().map(read).ok_or_else(|| no_case(name));
    let texts = list(value, name)?.iter().map(text);
    texts.map(|read| read?.map_err(|mistake| NoCase(mistake.to_string()))).collect()
}

/// The texts of the policies of a case.
pub fn texts(case: &Value) -> Vec<String> {
    let lists = ["existing", "new"].into_iter().filter_map(|side| case[side].as_array()).flatten();
    case.get("policy").into_iter().chain(lists).map(Value::to_string).collect()
}

fn policy(value: &Value, policy_type: PolicyType) -> Result<Policy, NoCase> {
    parse(&value.to_string(), Some(policy_type)).map_err(|error| NoCase(error.to_string()))
}

/// Readings, as the names of the switches that are read the other way.
pub fn of_readings(readings: Readings) -> Value {
    let switches = Switch::ALL.into_iter().filter(|(switch, ..)| readings.is_alternative(*switch));
    switches.map(|(_, name, _)| name).collect()
}

/// The readings of a case.
///
/// # Errors
///
/// Something else stands there.
pub fn readings(case: &Value) -> Result<Readings, NoCase> {
    let mut readings = Readings::DEFAULT;
    for name in list(case, "readings")? {
        let switch = name.as_str().and_then(Switch::by_name).ok_or_else(|| no_case("readings"))?;
        readings = readings.with(switch, true);
    }
    Ok(readings)
}

/// The options of a question that is asked under these readings alone.
pub fn options(readings: Readings) -> Options {
    let decisions =
        Switch::ALL.into_iter().map(|(switch, ..)| (switch, readings.is_alternative(switch)));
    Options { decisions: decisions.collect(), ..Options::default() }
}

/// A request, member by member.
pub fn of_request(request: &Request) -> Value {
    let mut value = json!({
        "principal": of_principal(&request.principal),
        "action": request.action, "resource": request.resource,
    });
    if let Some(account) = &request.resource_account {
        value["resource_account"] = json!(account);
    }
    let context = request.context.iter().map(|(key, value)| {
        let value = match value {
            ContextValue::One(value) => json!(value),
            ContextValue::Many(values) => json!(values),
        };
        (key.to_owned(), value)
    });
    value["context"] = Value::Object(context.collect());
    for (name, is_set) in [
        ("management_account", request.management_account),
        ("service_linked_role", request.service_linked_role),
    ] {
        if is_set {
            value[name] = json!(true);
        }
    }
    value
}

fn of_principal(principal: &Principal) -> Value {
    let (kind, members): (&str, Vec<(&str, Option<&String>)>) = match principal {
        Principal::Anonymous => ("anonymous", vec![]),
        Principal::Root { partition, account, canonical_user } => (
            "root",
            vec![
                ("partition", Some(partition)),
                ("account", Some(account)),
                ("canonical_user", canonical_user.as_ref()),
            ],
        ),
        Principal::User { arn, canonical_user } => {
            ("user", vec![("arn", Some(arn)), ("canonical_user", canonical_user.as_ref())])
        }
        Principal::RoleSession { role_arn, session_name } => (
            "role-session",
            vec![("role_arn", Some(role_arn)), ("session_name", Some(session_name))],
        ),
        Principal::FederatedUser { arn, base } => {
            ("federated-user", vec![("arn", Some(arn)), ("base", base.as_ref())])
        }
        Principal::Service { name } => ("service", vec![("name", Some(name))]),
        Principal::Federated { provider } => ("federated", vec![("provider", Some(provider))]),
        Principal::CanonicalUser { id } => ("canonical-user", vec![("id", Some(id))]),
    };
    let mut value = Map::from_iter([("type".to_owned(), json!(kind))]);
    for (name, member) in members {
        if let Some(member) = member {
            value.insert(name.to_owned(), json!(member));
        }
    }
    Value::Object(value)
}

/// The request that was written so.
///
/// # Errors
///
/// A member is missing or of another type.
pub fn request(value: &Value) -> Result<Request, NoCase> {
    let mut context = Context::default();
    for (key, value) in value["context"].as_object().ok_or_else(|| no_case("context"))? {
        let value = match value {
            Value::String(text) => ContextValue::One(text.clone()),
            Value::Array(values) => {
                let texts = values.iter().map(|value| value.as_str().map(str::to_owned));
                let texts: Option<_> = texts.collect();
                ContextValue::Many(texts.ok_or_else(|| no_case(key))?)
            }
            _ => return Err(no_case(key)),
        };
        context.insert(key, value);
    }
    let is_set = |name: &str| value.get(name).is_some_and(|value| *value == json!(true));
    Ok(Request {
        principal: principal(&value["principal"])?,
        action: string(value, "action")?.to_owned(),
        resource: string(value, "resource")?.to_owned(),
        resource_account: value["resource_account"].as_str().map(str::to_owned),
        context,
        management_account: is_set("management_account"),
        service_linked_role: is_set("service_linked_role"),
    })
}

fn principal(value: &Value) -> Result<Principal, NoCase> {
    let needed = |name: &str| string(value, name).map(str::to_owned);
    let optional = |name: &str| value[name].as_str().map(str::to_owned);
    Ok(match string(value, "type")? {
        "anonymous" => Principal::Anonymous,
        "root" => Principal::Root {
            partition: needed("partition")?,
            account: needed("account")?,
            canonical_user: optional("canonical_user"),
        },
        "user" => {
            Principal::User { arn: needed("arn")?, canonical_user: optional("canonical_user") }
        }
        "role-session" => Principal::RoleSession {
            role_arn: needed("role_arn")?,
            session_name: needed("session_name")?,
        },
        "federated-user" => {
            Principal::FederatedUser { arn: needed("arn")?, base: optional("base") }
        }
        "service" => Principal::Service { name: needed("name")? },
        "federated" => Principal::Federated { provider: needed("provider")? },
        "canonical-user" => Principal::CanonicalUser { id: needed("id")? },
        _ => return Err(no_case("type")),
    })
}

/// A member that is a string.
///
/// # Errors
///
/// It is missing or something else.
pub fn string<'v>(value: &'v Value, name: &str) -> Result<&'v str, NoCase> {
    value.get(name).and_then(Value::as_str).ok_or_else(|| no_case(name))
}

/// A member that is a list.
///
/// # Errors
///
/// It is missing or something else.
pub fn list<'v>(value: &'v Value, name: &str) -> Result<&'v [Value], NoCase> {
    let list = value.get(name).and_then(Value::as_array).ok_or_else(|| no_case(name))?;
    Ok(list)
}

fn no_case(member: &str) -> NoCase {
    NoCase(format!("there is no fitting `{member}`"))
}
