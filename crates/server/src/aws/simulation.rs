//! `iam:SimulateCustomPolicy`: requests decided by the evaluator.
//!
//! Every action is tried on every resource. The resource's own policy counts only if one is given, as in the API; a caller that is not named is some user.
//! What hangs on something that is not modelled is an error of its own kind, for the API has no word for a decision that is open.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use keyaki::Cancel;
use keyaki::evaluation::Evaluation;
use keyaki::policy::span::Position;
use keyaki::wire::{DecisionName, EffectName, JobResult};
use serde_json::{Map, Value, json};

use super::error::{AwsError, escaped};
use crate::service::Unsolved;

/// Decisions of one answer, if the request does not want fewer, and the most that it can want (the API's model).
const PAGE: usize = 100;
const PAGE_MAX: usize = 1_000;

/// The most members of one list.
const MEMBERS_MAX: usize = 10_000;

/// Who asks if nobody is named.
const SOMEBODY: &str = "user/simulated";

/// What is to be decided.
#[derive(Debug)]
pub(super) struct Simulation {
    policies: Map<String, Value>,
    has_resource_policy: bool,
    has_boundary: bool,
    caller: String,
    resource_account: Option<String>,
    context: Map<String, Value>,
    /// Each with the resource that it is tried on.
    pairs: Vec<(String, String)>,
    from: usize,
    page: usize,
}

impl Simulation {
    /// Reads a form; `account` is that of a caller who is not named.
    pub(super) fn read(form: &[(String, String)], account: &str) -> Result<Simulation, AwsError> {
        let one = |wanted: &str| {
            let mut all = form.iter().filter(|(name, _)| name == wanted);
            all.next().map(|(_, value)| value.as_str())
        };
        let list = |name: &str| members(form, name);
        let invalid = AwsError::input;
        let (identity, boundary) =
            (list("PolicyInputList")?, list("PermissionsBoundaryPolicyInputList")?);
        let (actions, resources) = (list("ActionNames")?, list("ResourceArns")?);
        if identity.is_empty() || actions.is_empty() {
            return Err(invalid("`PolicyInputList` and `ActionNames` have one member at least"));
        }
        let resource_policy = one("ResourcePolicy");
        if resource_policy.is_some() && one("CallerArn").is_none() {
            return Err(invalid("with a `ResourcePolicy` goes the `CallerArn` that it is about"));
        }
        let texts = |texts: &[&str]| Value::from(texts.to_vec());
        let mut policies = Map::new();
        policies.insert("identity".to_owned(), texts(&identity));
        if !boundary.is_empty() {
            policies.insert("boundary".to_owned(), texts(&boundary));
        }
        if let Some(policy) = resource_policy {
            policies.insert("resource".to_owned(), policy.into());
        }
        let resources = if resources.is_empty() { vec!["*"] } else { resources };
        let pairs = actions.iter().flat_map(|action| {
            resources.iter().map(|resource| ((*action).to_owned(), (*resource).to_owned()))
        });
        let number = |name: &str| match one(name) {
            None => Ok(None),
            Some(text) => match text.parse::<usize>() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(invalid(&format!("`{text}` is no `{name}` of ours"))),
            },
        };
        let owner = one("ResourceOwner").map(|owner| {
            let field = owner.split(':').nth(4).unwrap_or(owner);
            field.to_owned()
        });
        Ok(Simulation {
            has_resource_policy: resource_policy.is_some(),
            has_boundary: !boundary.is_empty(),
            caller: match one("CallerArn") {
                Some(arn) => arn.to_owned(),
                None => format!("arn:aws:iam::{account}:{SOMEBODY}"),
            },
            resource_account: owner,
            context: context(form)?,
            from: number("Marker")?.unwrap_or(0),
            page: number("MaxItems")?.unwrap_or(PAGE).clamp(1, PAGE_MAX),
            pairs: pairs.take(MEMBERS_MAX).collect(),
            policies,
        })
    }

    /// The answer as XML, unless nobody waits for it any more.
    pub(super) fn answer(&self, request_id: &str, cancel: &Cancel) -> Result<String, AwsError> {
        let mut results = String::new();
        for (action, resource) in self.pairs.iter().skip(self.from).take(self.page) {
            if cancel.is_cancelled() {
                return Err(Unsolved::Late.into());
            }
            results.push_str(&self.decided(action, resource)?);
        }
        let next = self.from.saturating_add(self.page);
        let is_truncated = next < self.pairs.len();
        let marker = if is_truncated { format!("<Marker>{next}</Marker>") } else { String::new() };
        Ok(format!(
            "<SimulateCustomPolicyResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><SimulateCustomPolicyResult>\
             <EvaluationResults>{results}</EvaluationResults><IsTruncated>{is_truncated}</IsTruncated>{marker}\
             </SimulateCustomPolicyResult><ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata>\
             </SimulateCustomPolicyResponse>",
            escaped(request_id),
        ))
    }

    /// One decision as XML.
    fn decided(&self, action: &str, resource: &str) -> Result<String, AwsError> {
        let mut request = json!({
            "principal": self.caller, "action": action, "resource": resource, "context": self.context,
        });
        if let Some(owner) = &self.resource_account {
            request["resource_account"] = json!(owner);
        }
        let job = json!({"request": request, "policies": self.policies}).to_string();
        let read = Evaluation::from_file(&job);
        let mut evaluation = read.map_err(|record| AwsError::of_simulation(&record))?;
        if !self.has_resource_policy {
            evaluation.set.resource = None;
        }
        let result = evaluation.answer();
        let Some(decision) = result.decision else {
            let construct = result.unsupported.first().map(|found| found.construct.as_str());
            let construct = construct.unwrap_or("some construct");
            return Err(AwsError::undecided(format!("{construct} is not modelled")));
        };
        let decision = match decision {
            DecisionName::Allow => "allowed",
            DecisionName::ExplicitDeny => "explicitDeny",
            DecisionName::ImplicitDeny => "implicitDeny",
        };
        let mut text = format!(
            "<member><EvalActionName>{}</EvalActionName><EvalResourceName>{}</EvalResourceName><EvalDecision>{decision}</EvalDecision>\
             <MatchedStatements>",
            escaped(action),
            escaped(resource),
        );
        for statement in matched(&evaluation, &result, decision) {
            text.push_str(&statement);
        }
        text.push_str("</MatchedStatements><MissingContextValues>");
        for key in missing(&evaluation) {
            let _ = write!(text, "<member>{}</member>", escaped(&key));
        }
        text.push_str("</MissingContextValues>");
        if self.has_boundary {
            let mut limits = evaluation;
            limits.set.identity = std::mem::take(&mut limits.set.boundary);
            limits.set.resource = None;
            let is_within = limits.answer().decision == Some(DecisionName::Allow);
            let _ = write!(
                text,
                "<PermissionsBoundaryDecisionDetail><AllowedByPermissionsBoundary>{is_within}</AllowedByPermissionsBoundary>\
                 </PermissionsBoundaryDecisionDetail>"
            );
        }
        text.push_str("</member>");
        Ok(text)
    }
}

/// The statements that decide: of a denied request those that deny, else those that allow.
fn matched(evaluation: &Evaluation, result: &JobResult, decision: &str) -> Vec<String> {
    let wanted = if decision == "explicitDeny" { EffectName::Deny } else { EffectName::Allow };
    let of_effect = result.matched.iter().filter(|found| found.effect == wanted);
    let shown = of_effect.filter_map(|found| {
        let at = &found.statement;
        let document = evaluation.documents.iter().find(|d| d.pointer == at.policy)?;
        let place = match document.at.place {
            keyaki::question::Place::Set(place) => place,
            keyaki::question::Place::Union(_) => return None,
        };
        let (_, policy) = evaluation.set.policies().find(|(at, _)| *at == place)?;
        let span = policy.statement(at.index)?.span;
        let position = |offset| {
            let Position { line, column } = Position::of(&document.source, offset);
            format!("<Line>{line}</Line><Column>{column}</Column>")
        };
        Some(format!(
            "<member><SourcePolicyId>{}</SourcePolicyId><SourcePolicyType>IAM Policy</SourcePolicyType>\
             <StartPosition>{}</StartPosition><EndPosition>{}</EndPosition></member>",
            name_of(&at.policy),
            position(span.start),
            position(span.end),
        ))
    });
    shown.collect()
}

/// What the API calls the policy at a pointer of the job; members are counted from 1.
fn name_of(pointer: &str) -> String {
    let mut steps = pointer.split('/').skip(2);
    let list = match steps.next() {
        Some("identity") => "PolicyInputList",
        Some("boundary") => "PermissionsBoundaryPolicyInputList",
        _ => return "ResourcePolicy".to_owned(),
    };
    let index = steps.next().and_then(|index| index.parse::<usize>().ok()).unwrap_or(0);
    format!("{list}.{}", index + 1)
}

/// The keys that the policies speak of and the request does not have.
fn missing(evaluation: &Evaluation) -> BTreeSet<String> {
    let policies = evaluation.set.policies().flat_map(|(_, policy)| &policy.statements);
    let keys = policies.flat_map(|statement| {
        let of_conditions = statement.conditions.iter().map(|condition| condition.key.as_str());
        of_conditions.chain(statement.variables())
    });
    let context = &evaluation.request.context;
    keys.filter(|key| context.get(key).is_none()).map(str::to_owned).collect()
}

/// The members of a list, in order.
fn members<'f>(form: &'f [(String, String)], name: &str) -> Result<Vec<&'f str>, AwsError> {
    let mut members: Vec<(usize, &str)> = Vec::new();
    for (parameter, value) in form {
        let rest = parameter.strip_prefix(name).and_then(|rest| rest.strip_prefix(".member."));
        let Some(index) = rest else { continue };
        let index = index
            .parse::<usize>()
            .map_err(|_| AwsError::input(&format!("`{parameter}` is no member of a list")))?;
        members.push((index, value.as_str()));
    }
    members.sort_by_key(|(index, _)| *index);
    Ok(members.into_iter().map(|(_, value)| value).collect())
}

/// The keys of the request's context.
fn context(form: &[(String, String)]) -> Result<Map<String, Value>, AwsError> {
    let prefixes: BTreeSet<&str> = form
        .iter()
        .filter_map(|(name, _)| {
            let rest = name.strip_prefix("ContextEntries.member.")?;
            let (index, _) = rest.split_once('.')?;
            name.get(.."ContextEntries.member.".len() + index.len())
        })
        .collect();
    let mut context = Map::new();
    for prefix in prefixes {
        let one = |member: &str| {
            let wanted = format!("{prefix}.{member}");
            form.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.as_str())
        };
        let Some(key) = one("ContextKeyName") else {
            return Err(AwsError::input(&format!("`{prefix}` has no `ContextKeyName`")));
        };
        let values = members(form, &format!("{prefix}.ContextKeyValues"))?;
        let is_list = one("ContextKeyType").is_some_and(|kind| kind.ends_with("List"));
        let value = match (&values[..], is_list) {
            ([value], false) => Value::from(*value),
            (values, true) => Value::from(values.to_vec()),
            (values, false) => {
                let n = values.len();
                let message = format!("`{key}` is of a type with one value, and has {n}");
                return Err(AwsError::input(&message));
            }
        };
        context.insert(key.to_owned(), value);
    }
    Ok(context)
}
