//! The three checks: what they ask, as a job, and its result in their words.
//!
//! A policy may be of any size and is handed on as it is, so that places in messages are places in what the client sent.

use keyaki::wire::{JobResult, ReasonName, StatementRef, VerdictName};
use serde_json::{Map, Value, json};

use super::error::AwsError;

/// The most actions, and the most resources, of `access` (the API's model).
const ACCESS_ITEMS_MAX: usize = 100;

/// The longest resource of `access`, in bytes (the API's model).
const RESOURCE_BYTES_MAX: usize = 2_048;

/// A check that can be answered.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) question: &'static str,
    job: Map<String, Value>,
    /// Where the job has the policies, and what the API calls them.
    members: &'static [(&'static str, &'static str)],
    words: Words,
}

/// What a check says.
#[derive(Debug)]
struct Words {
    pass: &'static str,
    fail: &'static str,
    /// What a statement did, before its name.
    reason: &'static str,
    /// What was not found out.
    open: &'static str,
}

/// Reads the body of `CheckNoNewAccess`.
pub(super) fn no_new_access(body: &[u8]) -> Result<Check, AwsError> {
    let body = object(body)?;
    let mut job = Map::new();
    job.insert("existing".to_owned(), text(&body, "existingPolicyDocument")?.into());
    job.insert("new".to_owned(), text(&body, "newPolicyDocument")?.into());
    add_policy_type(&body, &mut job)?;
    Ok(Check {
        question: "no-new-access",
        job,
        members: &[("/existing", "existingPolicyDocument"), ("/new", "newPolicyDocument")],
        words: Words {
            pass: "The modified permissions do not grant new access compared to your existing policy.",
            fail: "The modified permissions grant new access compared to your existing policy.",
            reason: "New access in the statement",
            open: "whether the modified permissions grant new access compared to your existing policy",
        },
    })
}

/// Reads the body of `CheckAccessNotGranted`.
pub(super) fn access_not_granted(body: &[u8]) -> Result<Check, AwsError> {
    let body = object(body)?;
    let mut job = Map::new();
    job.insert("policy".to_owned(), text(&body, "policyDocument")?.into());
    add_policy_type(&body, &mut job)?;
    let access = match body.get("access") {
        Some(Value::Array(access)) => access,
        Some(_) => return Err(AwsError::field("access", "`access` is a list")),
        None => return Err(missing("access")),
    };
    let [access] = &access[..] else {
        let message = "`access` has one element, with `actions`, `resources` or both";
        return Err(AwsError::field("access", message));
    };
    let list = |name: &str| -> Result<Vec<String>, AwsError> {
        let path = format!("access.{name}");
        let wrong = |message: String| AwsError::field(&path, message);
        let items = match access.get(name) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(wrong(format!("`{name}` is a list"))),
        };
        if items.len() > ACCESS_ITEMS_MAX {
            let n = items.len();
            return Err(wrong(format!("{n} {name}; the limit is {ACCESS_ITEMS_MAX}")));
        }
        let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
        texts.collect::<Option<_>>().ok_or_else(|| wrong(format!("`{name}` is a list of texts")))
    };
    let (actions, resources) = (list("actions")?, list("resources")?);
    if actions.is_empty() && resources.is_empty() {
        return Err(AwsError::field("access", "neither `actions` nor `resources` are given"));
    }
    for resource in &resources {
        is_resource(resource)?;
    }
    let mut asked = Map::new();
    for (name, texts) in [("actions", actions), ("resources", resources)] {
        if !texts.is_empty() {
            asked.insert(name.to_owned(), texts.into());
        }
    }
    job.insert("access".to_owned(), json!([asked]));
    Ok(Check {
        question: "access-not-granted",
        job,
        members: &[("/policy", "policyDocument")],
        words: Words {
            pass: "The policy document does not grant access to perform the listed actions or resources.",
            fail: "The policy document grants access to perform one or more of the listed actions or resources.",
            reason: "One or more of the listed actions or resources in the statement",
            open: "whether the policy document grants access to perform one of the listed actions or resources",
        },
    })
}

/// Reads the body of `CheckNoPublicAccess`.
pub(super) fn no_public_access(body: &[u8]) -> Result<Check, AwsError> {
    let body = object(body)?;
    let mut job = Map::new();
    job.insert("policy".to_owned(), text(&body, "policyDocument")?.into());
    let resource_type = text(&body, "resourceType")?;
    // Ours are more than the API's: the others are asked for by our own routes.
    let is_of_api = keyaki::public::tables(keyaki::public::Reading::Documented)
        .any(|table| table.is_listed && table.resource_type == resource_type);
    if !is_of_api {
        let message = format!("`{resource_type}` is no type of resource that can be checked");
        return Err(AwsError::field("resourceType", message));
    }
    job.insert("resource_type".to_owned(), resource_type.into());
    Ok(Check {
        question: "no-public-access",
        job,
        members: &[("/policy", "policyDocument")],
        words: Words {
            pass: "The resource policy does not grant public access for the given resource type.",
            fail: "The resource policy grants public access for the given resource type.",
            reason: "Public access granted in the following statement",
            open: "whether the resource policy grants public access for the given resource type",
        },
    })
}

impl Check {
    /// The job that asks it.
    pub(super) fn job(&self) -> Vec<u8> {
        Value::Object(self.job.clone()).to_string().into_bytes()
    }

    /// The answer in the words of the check: what is not known to pass fails.
    pub(super) fn answer(&self, result: JobResult) -> Result<Value, AwsError> {
        if let Some(error) = &result.error {
            return Err(AwsError::of_job(error, self.members));
        }
        Ok(match result.verdict {
            Some(VerdictName::Holds) => json!({"result": "PASS", "message": self.words.pass}),
            Some(VerdictName::Fails) => {
                let reasons: Vec<Value> =
                    result.statements.iter().take(1).map(|at| self.reason(at)).collect();
                json!({"result": "FAIL", "message": self.words.fail, "reasons": reasons})
            }
            Some(VerdictName::Unknown) | None => {
                let message = format!(
                    "It was not decided {}, so the check fails: {}.",
                    self.words.open,
                    why(&result)
                );
                json!({"result": "FAIL", "message": message, "reasons": []})
            }
        })
    }

    fn reason(&self, at: &StatementRef) -> Value {
        let name = match &at.sid {
            Some(sid) => format!("with sid: {sid}"),
            None => format!("with index: {}", at.index),
        };
        let mut reason = json!({
            "description": format!("{} {name}.", self.words.reason),
            "statementIndex": at.index,
        });
        if let Some(sid) = &at.sid {
            reason["statementId"] = json!(sid);
        }
        reason
    }
}

/// Why a question was not decided.
fn why(result: &JobResult) -> String {
    match (result.reason, result.unsupported.first()) {
        (_, Some(construct)) => {
            let (line, column) = (construct.line, construct.column);
            format!("{} is not modelled (line {line}, column {column})", construct.construct)
        }
        (Some(ReasonName::Timeout), _) => "there was not enough time".to_owned(),
        (Some(reason), _) => {
            let word = serde_json::to_value(reason).unwrap_or_default();
            format!("the solvers gave up ({})", word.as_str().unwrap_or_default())
        }
        (None, None) => "there is no answer".to_owned(),
    }
}

/// The body as an object.
pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>, AwsError> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(AwsError::unreadable("the body is no JSON object")),
        Err(error) => Err(AwsError::unreadable(format!("the body is no JSON: {error}"))),
    }
}

/// A member that has to be there, and a text.
pub(super) fn text<'b>(body: &'b Map<String, Value>, name: &str) -> Result<&'b str, AwsError> {
    match body.get(name) {
        Some(Value::String(text)) => Ok(text),
        Some(Value::Null) | None => Err(missing(name)),
        Some(_) => Err(AwsError::field(name, format!("`{name}` is a text"))),
    }
}

fn missing(name: &str) -> AwsError {
    AwsError::field(name, format!("`{name}` is missing"))
}

fn add_policy_type(
    body: &Map<String, Value>,
    job: &mut Map<String, Value>,
) -> Result<(), AwsError> {
    match text(body, "policyType")? {
        "IDENTITY_POLICY" => drop(job.insert("policy_type".to_owned(), "identity".into())),
        // Trust policies are some, too: `Principal` tells what it is.
        "RESOURCE_POLICY" => {}
        other => {
            let message = format!("`{other}` is neither IDENTITY_POLICY nor RESOURCE_POLICY");
            return Err(AwsError::field("policyType", message));
        }
    }
    Ok(())
}

/// An ARN may have wildcards in its last part only.
fn is_resource(resource: &str) -> Result<(), AwsError> {
    if resource.len() > RESOURCE_BYTES_MAX {
        let message = format!("a resource is longer than {RESOURCE_BYTES_MAX} bytes");
        return Err(AwsError::field("access.resources", message));
    }
    let fields: Vec<&str> = resource.splitn(6, ':').collect();
    let has_wildcard = |field: &&str| field.contains(['*', '?']);
    if resource != "*" && fields.iter().take(5).any(has_wildcard) {
        let message = format!(
            "`{resource}` has a wildcard outside the part of the ARN that is the resource's id"
        );
        return Err(AwsError::parameter(message));
    }
    Ok(())
}
