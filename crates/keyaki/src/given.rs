//! From parsed policies to the question about them: which sides it has, and what may stand there.

use keyaki_analysis::Question;
use keyaki_analysis::public::{self, DEFAULT_RESOURCE_TYPE, NoTable, Reading, Table};
use keyaki_analysis::question::{Place, Side, Subject};
use keyaki_policy::{Policy, PolicySet, PolicyType};

use crate::job::{Document, Setting};
use crate::policies::Shape;
use crate::trust;
use crate::wire::{ErrorRecord, QuestionName};

/// What a question is made of.
pub(crate) struct Given<'g> {
    pub(crate) documents: &'g [Document],
    /// One for each document.
    pub(crate) policies: &'g [Policy],
    pub(crate) setting: &'g Setting,
}

impl Given<'_> {
    /// The question.
    pub(crate) fn question(&self, name: QuestionName) -> Result<Question, ErrorRecord> {
        if name != QuestionName::AccessNotGranted && !self.setting.accesses.is_empty() {
            let hint = "`access-not-granted` asks whether one of these accesses is granted";
            let message = "only `access-not-granted` takes a list of accesses";
            return Err(ErrorRecord { hint: Some(hint.to_owned()), ..missing(message) });
        }
        if name != QuestionName::NoExternalAccess && self.setting.zone.is_some() {
            return Err(missing("only `no-external-access` takes a zone of trust"));
        }
        if name != QuestionName::Custom && self.setting.property.is_some() {
            return Err(missing("only `custom` takes a property"));
        }
        if name != QuestionName::NoPublicAccess && self.setting.reading != Reading::default() {
            return Err(missing("only `no-public-access` takes a `reading` of what is public"));
        }
        self.no_stray_policy(name)?;
        match name {
            QuestionName::NoPublicAccess => self.no_public_access(),
            QuestionName::NoExternalAccess => self.no_external_access(),
            QuestionName::NoNewAccess | QuestionName::Equivalent | QuestionName::Disjoint => {
                self.comparison(name)
            }
            QuestionName::AccessNotGranted => self.access_not_granted(),
            QuestionName::Custom => self.custom(),
        }
    }

    /// A policy that the question does not look at is a mistake, not a detail.
    fn no_stray_policy(&self, name: QuestionName) -> Result<(), ErrorRecord> {
        let sides: &[Side] = match name {
            QuestionName::NoPublicAccess
            | QuestionName::NoExternalAccess
            | QuestionName::AccessNotGranted
            | QuestionName::Custom => &[Side::Policy],
            QuestionName::NoNewAccess | QuestionName::Equivalent | QuestionName::Disjoint => {
                &[Side::Existing, Side::New]
            }
        };
        let stray = self.documents.iter().find(|document| !sides.contains(&document.at.side));
        let Some(document) = stray else { return Ok(()) };
        let names = sides.iter().map(|side| format!("`{}`", side_name(*side)));
        let names = names.collect::<Vec<_>>().join(" and ");
        let message =
            format!("`{}` takes {names}, not `{}`", name.as_str(), side_name(document.at.side));
        Err(ErrorRecord { policy: Some(document.pointer.clone()), ..missing(&message) })
    }

    /// The policy of a question about one policy of a resource.
    fn resource_policy(&self, question: &str, access: &str) -> Result<&Policy, ErrorRecord> {
        let [(document, policy)] = self.on(Side::Policy)[..] else {
            return Err(missing(&format!("`{question}` takes one policy")));
        };
        // A policy without statements looks like one of an identity, and grants nothing.
        if !policy.policy_type.names_principals() && !policy.statements.is_empty() {
            let error = ErrorRecord {
                hint: Some(format!("{access} access is a question about resource policies")),
                policy: Some(document.pointer.clone()),
                ..ErrorRecord::new(
                    "wrong-policy-type",
                    "the policy has no `Principal`: it is attached to an identity, not to a \
                     resource",
                )
            };
            return Err(error);
        }
        Ok(policy)
    }

    fn no_external_access(&self) -> Result<Question, ErrorRecord> {
        let zone = || trust::of_somebody(self.setting.zone.clone().unwrap_or_default());
        if self.setting.sets.is_empty() {
            let policy = self.resource_policy("no-external-access", "external")?.clone();
            return Ok(Question::NoExternalAccess { policy: vec![policy].into(), zone: zone()? });
        }
        let policy = self.set_of_resource("no-external-access")?;
        let zone = zone()?;
        // To what belongs to nobody, but to AWS, everybody has access by policies of his own.
        if zone.owner.is_none() {
            let hint = "give `resource_account`, or `--resource-account`";
            let message =
                "the owner of the resource decides which policies it takes, and is not known";
            return Err(ErrorRecord { hint: Some(hint.to_owned()), ..missing(message) });
        }
        Ok(Question::NoExternalAccess { policy, zone })
    }

    /// The policies of a question about a set of those of a resource.
    fn set_of_resource(&self, question: &str) -> Result<Subject, ErrorRecord> {
        match self.subject(Side::Policy)? {
            Some(Subject::Set(set)) if set.resource.is_some() => Ok(Subject::Set(set)),
            _ => Err(missing(&format!("`{question}` takes the policies of a resource"))),
        }
    }

    fn no_public_access(&self) -> Result<Question, ErrorRecord> {
        let table = self.table()?;
        if self.setting.sets.is_empty() {
            let policy = self.resource_policy("no-public-access", "public")?;
            return Ok(Question::no_public_access(policy.clone(), table));
        }
        let is_about_resource = |place| {
            use keyaki_policy::policy_set::Place::{Rcp, Resource};
            matches!(place, Place::Set(Resource(_) | Rcp(..)))
        };
        if let Some(stray) = self.documents.iter().find(|d| !is_about_resource(d.at.place)) {
            let hint = "what is public hangs on the policies of the resource: give `resource` and `rcp` only";
            let message = "`no-public-access` does not ask about policies of this kind";
            let (policy, hint) = (Some(stray.pointer.clone()), Some(hint.to_owned()));
            return Err(ErrorRecord { policy, hint, ..missing(message) });
        }
        if table.reading == Reading::RestrictPublicBuckets {
            let message = "`restrict-public-buckets` looks at the bucket policy alone";
            let hint = "give one policy, without `rcp`";
            return Err(ErrorRecord { hint: Some(hint.to_owned()), ..missing(message) });
        }
        Ok(Question::NoPublicAccess { policy: self.set_of_resource("no-public-access")?, table })
    }

    /// What the service of the resource takes for public. Without a resource type, a key policy and
    /// a trust policy tell theirs; everything else is taken to be a bucket's.
    fn table(&self) -> Result<&'static Table, ErrorRecord> {
        let of_policy = match self.setting.policy_type {
            Some(PolicyType::Kms) => "AWS::KMS::Key",
            Some(PolicyType::Trust) => "AWS::IAM::AssumeRolePolicyDocument",
            _ => DEFAULT_RESOURCE_TYPE,
        };
        let name = self.setting.resource_type.as_deref().unwrap_or(of_policy);
        public::table(name, self.setting.reading).map_err(|error| {
            let types = || public::tables(Reading::Documented).map(|t| t.resource_type.as_str());
            let (code, hint) = match &error {
                NoTable::UnknownType { similar, .. } => {
                    let guess = similar.map(|name| format!("did you mean `{name}`? "));
                    let types = types().collect::<Vec<_>>().join(", ");
                    let hint = format!("{}the types are {types}", guess.unwrap_or_default());
                    ("unknown-resource-type", hint)
                }
                NoTable::OtherReading { types, .. } => {
                    ("unsupported-reading", format!("it is about {}", types.join(", ")))
                }
            };
            ErrorRecord { hint: Some(hint), ..ErrorRecord::new(code, error.to_string()) }
        })
    }

    fn comparison(&self, name: QuestionName) -> Result<Question, ErrorRecord> {
        let (existing, new) = (self.subject(Side::Existing)?, self.subject(Side::New)?);
        let (Some(existing), Some(new)) = (existing, new) else {
            return Err(missing(&format!("`{}` takes `existing` and `new`", name.as_str())));
        };
        let (existing, new) = alike(existing, new)?;
        Ok(match name {
            QuestionName::Equivalent => Question::Equivalent { existing, new },
            QuestionName::Disjoint => Question::Disjoint { existing, new },
            _ => Question::NoNewAccess { existing, new },
        })
    }

    fn access_not_granted(&self) -> Result<Question, ErrorRecord> {
        let policy = self.subject(Side::Policy)?;
        let policy = policy.ok_or_else(|| missing("`access-not-granted` takes one `policy`"))?;
        let accesses = self.setting.accesses.clone();
        if accesses.is_empty() {
            let hint = r#"`access` is a list such as `[{"actions": ["s3:PutObject"]}]`"#;
            let message = "`access-not-granted` takes a list of accesses, and has none";
            return Err(ErrorRecord { hint: Some(hint.to_owned()), ..missing(message) });
        }
        Ok(Question::AccessNotGranted { policy, accesses })
    }

    fn custom(&self) -> Result<Question, ErrorRecord> {
        let policy = self.subject(Side::Policy)?;
        let policy = policy.ok_or_else(|| missing("`custom` takes one `policy`"))?;
        let Some(written) = &self.setting.property else {
            let hint = "it is an object such as `{\"never\": {\"may\": \"s3:DeleteBucket\"}}`";
            let message = "`custom` takes a `property`, and has none";
            return Err(ErrorRecord { hint: Some(hint.to_owned()), ..missing(message) });
        };
        Ok(Question::Custom { policy, property: written.property.clone() })
    }

    fn on(&self, side: Side) -> Vec<(&Document, &Policy)> {
        let given = self.documents.iter().zip(self.policies);
        given.filter(|(document, _)| document.at.side == side).collect()
    }

    fn subject(&self, side: Side) -> Result<Option<Subject>, ErrorRecord> {
        subject(side, self.on(side), &self.setting.sets)
    }
}

/// What stands on a side, or nothing if nothing was given.
fn subject(
    side: Side,
    policies: Vec<(&Document, &Policy)>,
    sets: &[(Side, Shape)],
) -> Result<Option<Subject>, ErrorRecord> {
    let Some((_, shape)) = sets.iter().find(|(of, _)| *of == side) else {
        let policies: Vec<Policy> =
            policies.into_iter().map(|(_, policy)| policy.clone()).collect();
        return Ok((!policies.is_empty()).then_some(Subject::Union(policies)));
    };
    let set = shape.set(policies.into_iter().map(|(d, policy)| (d, policy.clone())));
    if set.identity.is_empty() && set.resource.is_none() {
        let message = "the set grants nothing: it has neither `identity` nor `resource` policies";
        let hint = "guardrails only limit: give the policies that grant, or compare the guardrails \
                    alone as policies of one `policy_type`";
        return Err(ErrorRecord { hint: Some(hint.to_owned()), ..missing(message) });
    }
    Ok(Some(Subject::Set(Box::new(set))))
}

/// Both sides as subjects that can be compared: a set beside a set, either with the resource's
/// side or both without.
fn alike(existing: Subject, new: Subject) -> Result<(Subject, Subject), ErrorRecord> {
    let (existing, new) = match (existing, new) {
        (Subject::Union(existing), Subject::Set(new)) => {
            (Subject::Set(Box::new(as_set(existing)?)), Subject::Set(new))
        }
        (Subject::Set(existing), Subject::Union(new)) => {
            (Subject::Set(existing), Subject::Set(Box::new(as_set(new)?)))
        }
        sides => sides,
    };
    if let (Subject::Set(one), Subject::Set(other)) = (&existing, &new)
        && one.resource.is_some() != other.resource.is_some()
    {
        let message = "one side has `resource`, the other has not";
        let hint = "give both the resource's policy; that of a resource without policy is `[]`";
        return Err(ErrorRecord { hint: Some(hint.to_owned()), ..missing(message) });
    }
    Ok((existing, new))
}

/// Policies of one kind as a set of nothing else.
fn as_set(policies: Vec<Policy>) -> Result<PolicySet, ErrorRecord> {
    let policy_type = policies.first().map(|policy| policy.policy_type);
    match policy_type {
        Some(PolicyType::Identity) => Ok(PolicySet { identity: policies, ..PolicySet::default() }),
        Some(PolicyType::Resource | PolicyType::Trust | PolicyType::Kms) => {
            Ok(PolicySet { resource: Some(policies), ..PolicySet::default() })
        }
        _ => {
            let message = "policies that only limit cannot be compared with a set";
            Err(missing(message))
        }
    }
}

fn side_name(side: Side) -> &'static str {
    match side {
        Side::Policy => "policy",
        Side::Existing => "existing",
        Side::New => "new",
        Side::Property => "property",
    }
}

fn missing(message: &str) -> ErrorRecord {
    ErrorRecord::new("invalid-job", message)
}
