//! One request, decided against policies of several kinds: the task `evaluate`.

use std::time::Instant;

use keyaki_analysis::question::{Place, PolicyRef, Side};
use keyaki_policy::ast::Effect;
use keyaki_policy::evaluate::{Decision, Effective, Gate, decide};
use keyaki_policy::json::{self, Kind, Member};
use keyaki_policy::policy_set::{self, PolicySet};
use keyaki_policy::{PolicyType, Request};

use crate::decisions::Decisions;
use crate::job::{EVALUATE, in_job};
use crate::policies::{Document, Shape, type_of_resource_policy};
use crate::reader::{Fallible, Reader, pointer};
use crate::wire::{
    Construct, DecisionName, EffectName, ErrorRecord, GateKind, GateRecord, JobResult,
    MatchedStatement, ReasonName, StatementRef, VerdictName, nanoseconds,
};

/// A request and the policies that decide it.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The request, complete.
    pub request: Request,
    /// The policies.
    pub set: PolicySet,
    /// Their texts.
    pub documents: Vec<Document>,
    /// The readings that are asked for; the others are the defaults.
    pub decisions: Decisions,
}

impl Evaluation {
    /// Reads a job from a file. Its `question` may be left out.
    ///
    /// # Errors
    ///
    /// The first mistake, with its place in the file.
    pub fn from_file(text: &str) -> Result<Evaluation, Box<ErrorRecord>> {
        let job = json::read(text).map_err(in_job)?;
        let reader = Reader { source: text, is_file: true };
        let Kind::Object(members) = job.kind else {
            return Err(reader.wrong_at(job.span, "", "a job is an object"));
        };
        if let Some(Member { value, .. }) = members.iter().find(|m| m.key == "question")
            && reader.string(value, "/question")? != EVALUATE
        {
            let message = format!("the job's `question` is not `{EVALUATE}`");
            let hint = "ask other questions with `keyaki check` or `keyaki batch`";
            return Err(reader.wrong_with_hint(value, "/question", &message, hint));
        }
        Evaluation::read(reader, members)
    }

    /// Reads the members of a job whose `question`, if it has one, is `evaluate`.
    pub(crate) fn read<'s>(reader: Reader<'s>, members: Vec<Member<'s>>) -> Fallible<Evaluation> {
        let mut request = None;
        let mut policies = None;
        let mut resource_type = None;
        let mut decisions = Decisions::default();
        let mut sources = Vec::new();
        for Member { key, mut value, .. } in members {
            let path = pointer("", &key);
            match &*key {
                "id" | "question" => {}
                "request" => request = Some(reader.request(&value, &path)?),
                "policies" => {
                    policies = Some(reader.set(&mut value, &path, Side::Policy, &mut sources)?);
                }
                "resource_type" => resource_type = Some(reader.string(&value, &path)?.to_owned()),
                "decisions" => decisions = reader.decisions(&value, &path)?,
                "timeout_ms" => drop(reader.milliseconds(&value, &path)?),
                other => {
                    let message = format!("an `{EVALUATE}` job has no member `{other}`");
                    let hint = "its members are id, question, request, policies, resource_type, \
                                decisions and timeout_ms";
                    return Err(reader.wrong_with_hint(&value, &path, &message, hint));
                }
            }
        }
        let missing = |member: &str| {
            let message = format!("an `{EVALUATE}` job needs a member `{member}`");
            Box::new(ErrorRecord::new("invalid-job", message))
        };
        let request = request.ok_or_else(|| missing("request"))?;
        // Without a policy given the resource has none (5.6), which is not to leave it out.
        let shape = Shape { resource: true, ..policies.ok_or_else(|| missing("policies"))? };
        let of_resource = resource_policy_type(resource_type.as_deref(), &request.resource);
        let mut parsed = Vec::new();
        for source in &sources {
            let policy_type = source.document.policy_type().unwrap_or(of_resource);
            parsed.push((&source.document, source.parse(Some(policy_type))?));
        }
        let set = shape.set(parsed.into_iter());
        let documents = sources.into_iter().map(|source| source.document).collect();
        Ok(Evaluation { request, set, documents, decisions })
    }

    /// Decides.
    pub fn answer(&self) -> JobResult {
        let start = Instant::now();
        let effective = decide(&self.set, &self.request, self.decisions.readings());
        let mut result = JobResult {
            question: Some(EVALUATE.to_owned()),
            matched: self.matched(&effective),
            ..JobResult::default()
        };
        match effective.decision {
            Some(decision) => {
                result.decision = Some(decision.into());
                result.explanation = Some(self.explanation(decision, effective.failed));
                result.gate = effective.failed.map(|gate| self.gate(gate));
                result.statements = deciding(decision, &result.matched);
            }
            None => {
                result.verdict = Some(VerdictName::Unknown);
                result.reason = Some(ReasonName::Unsupported);
                result.unsupported = self.unsupported(&effective);
            }
        }
        result.elapsed_ns = Some(nanoseconds(start.elapsed()));
        result
    }

    /// The text of a policy.
    pub fn document(&self, place: policy_set::Place) -> Option<&Document> {
        let at = PolicyRef { side: Side::Policy, place: Place::Set(place) };
        self.documents.iter().find(|document| document.at == at)
    }

    fn pointer(&self, place: policy_set::Place) -> String {
        self.document(place).map(|document| document.pointer.clone()).unwrap_or_default()
    }

    fn matched(&self, effective: &Effective) -> Vec<MatchedStatement> {
        let sid = |place, index: usize| {
            let (_, policy) = self.set.policies().find(|(known, _)| *known == place)?;
            policy.statements.get(index)?.sid.clone()
        };
        let matched = effective.matched.iter().map(|matched| MatchedStatement {
            effect: match matched.effect {
                Effect::Allow => EffectName::Allow,
                Effect::Deny => EffectName::Deny,
            },
            statement: StatementRef {
                policy: self.pointer(matched.place),
                index: matched.statement,
                sid: sid(matched.place, matched.statement),
            },
        });
        matched.collect()
    }

    fn unsupported(&self, effective: &Effective) -> Vec<Construct> {
        let construct = |(place, item): &(policy_set::Place, _)| {
            let keyaki_policy::evaluate::Unsupported { construct, statement, span } = item;
            let document = self.document(*place);
            let position = document.map_or(Document::START, |d| d.position(span.start));
            let policy = self.set.policies().find(|(known, _)| known == place);
            Construct {
                construct: construct.clone(),
                policy: self.pointer(*place),
                path: policy.map(|(_, p)| p.statement_path(*statement)).unwrap_or_default(),
                line: position.line,
                column: position.column,
            }
        };
        effective.unsupported.iter().map(construct).collect()
    }

    fn gate(&self, gate: Gate) -> GateRecord {
        use policy_set::Place as At;
        let level = |kind: &str, level: usize| Some(format!("/policies/{kind}/{level}"));
        let (kind, policy) = match gate {
            Gate::ExplicitDeny(place) => {
                let kind = match place {
                    At::Identity(_) => GateKind::Identity,
                    At::Resource(_) => GateKind::Resource,
                    At::Boundary(_) => GateKind::Boundary,
                    At::Session(_) => GateKind::Session,
                    At::Scp(..) => GateKind::Scp,
                    At::Rcp(..) => GateKind::Rcp,
                    At::VpcEndpoint(_) => GateKind::VpcEndpoint,
                };
                (kind, Some(self.pointer(place)))
            }
            Gate::Scp(index) => (GateKind::Scp, level("scp", index)),
            Gate::VpcEndpoint(index) => {
                (GateKind::VpcEndpoint, Some(self.pointer(At::VpcEndpoint(index))))
            }
            Gate::Boundary(index) => (GateKind::Boundary, Some(self.pointer(At::Boundary(index)))),
            Gate::ResourcePolicy => (GateKind::Resource, None),
            Gate::Identity => (GateKind::Identity, None),
            Gate::Session => (GateKind::Session, None),
        };
        GateRecord { kind, policy }
    }

    /// Why, in a sentence.
    fn explanation(&self, decision: Decision, gate: Option<Gate>) -> String {
        let what = format!("{} on {}", self.request.action, self.request.resource);
        match (decision, gate) {
            (Decision::Allow, _) => format!("nothing denies {what}, and all that has to allows it"),
            (_, Some(Gate::ExplicitDeny(place))) => {
                format!("{} denies {what}", a_policy_of(place))
            }
            (_, Some(gate)) => format!("{} {what}", self.no_allow(gate)),
            (_, None) => format!("nothing allows {what}"),
        }
    }

    /// Who has to allow and does not.
    fn no_allow(&self, gate: Gate) -> String {
        let set = &self.set;
        match gate {
            Gate::Scp(level) => {
                let of = set.scp.len();
                format!(
                    "no statement of the service control policies of level {} of {of} allows",
                    level + 1
                )
            }
            Gate::VpcEndpoint(_) => "no statement of the VPC endpoint's policy allows".to_owned(),
            Gate::Boundary(_) => "no statement of the permissions boundary allows".to_owned(),
            Gate::Session if set.session.is_none() => {
                "the session was made without a policy, which would have to allow".to_owned()
            }
            Gate::Session => "no statement of the session policies allows".to_owned(),
            Gate::Identity if set.identity.is_empty() => {
                "there is no identity policy, which would have to allow".to_owned()
            }
            Gate::Identity => "no statement of the identity policies allows".to_owned(),
            Gate::ResourcePolicy if set.resource.as_ref().is_none_or(Vec::is_empty) => {
                "the resource has no policy, which would have to allow".to_owned()
            }
            Gate::ResourcePolicy | Gate::ExplicitDeny(_) => {
                "no statement of the resource's policy that covers the principal as it must allows"
                    .to_owned()
            }
        }
    }
}

/// The statements that a decision rests on.
fn deciding(decision: Decision, matched: &[MatchedStatement]) -> Vec<StatementRef> {
    let effect = match decision {
        Decision::Allow => EffectName::Allow,
        Decision::ExplicitDeny => EffectName::Deny,
        Decision::ImplicitDeny => return Vec::new(),
    };
    let deciding = matched.iter().filter(|matched| matched.effect == effect);
    deciding.map(|matched| matched.statement.clone()).collect()
}

fn a_policy_of(place: policy_set::Place) -> &'static str {
    use policy_set::Place::*;
    match place {
        Identity(_) => "an identity policy",
        Resource(_) => "the resource's policy",
        Boundary(_) => "the permissions boundary",
        Session(_) => "a session policy",
        Scp(..) => "a service control policy",
        Rcp(..) => "a resource control policy",
        VpcEndpoint(_) => "the VPC endpoint's policy",
    }
}

/// The grammar of a resource's policy, by the resource's type or else by its ARN.
fn resource_policy_type(resource_type: Option<&str>, resource: &str) -> PolicyType {
    if resource_type.is_some() {
        return type_of_resource_policy(resource_type);
    }
    let fields: Vec<&str> = resource.splitn(6, ':').collect();
    match fields[..] {
        ["arn", _, "kms", _, _, id] if id.starts_with("key/") => PolicyType::Kms,
        ["arn", _, "iam", _, _, id] if id.starts_with("role/") => PolicyType::Trust,
        _ => PolicyType::Resource,
    }
}

impl From<Decision> for DecisionName {
    fn from(decision: Decision) -> DecisionName {
        match decision {
            Decision::Allow => DecisionName::Allow,
            Decision::ExplicitDeny => DecisionName::ExplicitDeny,
            Decision::ImplicitDeny => DecisionName::ImplicitDeny,
        }
    }
}
