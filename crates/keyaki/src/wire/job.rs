//! Jobs: what is asked, of which policies.
//!
//! Tasks that take other members have jobs of their own, beside this: one type for all would not say which member belongs to what.

use std::collections::BTreeMap;

use keyaki_policy::PolicyType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{GivenRequest, findings};

/// A question about policies, one line of `keyaki batch`.
///
/// Policies are JSON objects, or strings that hold JSON. `existing` and `new` may be lists: the
/// union of several policies of one kind.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// Any string; it comes back with the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What is asked.
    pub question: TaskName,
    /// The policy, for questions about one.
    ///
    /// Here and in `existing` and `new` an object of policies of several kinds may stand, as in
    /// `policies`: then the question is about what they allow together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Value>,
    /// The policy or policies of reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub existing: Option<Value>,
    /// The policy or policies in question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
    /// For `access-not-granted`: the accesses of which none should be granted, at most 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<Vec<AccessEntry>>,
    /// For `custom`: what is demanded. An object with `never` or `always` (docs/custom.md), an object with `use`, the
    /// name of a property that comes with the program, and `with`, the values of its parameters; or such a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property: Option<Value>,
    /// For `no-external-access`: whom the owner of the resource trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<Trust>,
    /// For `no-external-access`: the account that owns the resource, which is always trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_account: Option<String>,
    /// For `no-external-access`: what is made of requests by AWS services; `ignore` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_principals: Option<ServicePrincipalsName>,
    /// For `who-can`: the users and roles of the account, at most 1,000. `policies` has what applies to all of them, and the resource's
    /// policies; `resource_account` is their account, and the owner of the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principals: Option<Vec<findings::Holder>>,
    /// For `findings`: whether every precise row is wanted, instead of the fewest that cover everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all: Option<bool>,
    /// For `evaluate`: the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<GivenRequest>,
    /// For `evaluate`: the policies that decide it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<Policies>,
    /// Readings of the language that are asked for, such as `{"D17": "differs"}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub decisions: BTreeMap<String, String>,
    /// What the policies are attached to; guessed from their `Principal` elements if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_type: Option<PolicyTypeName>,
    /// CloudFormation name of the resource's type, which says what is public. If absent, that of a key for a `policy_type` of `kms`,
    /// that of a trust policy for `trust`, else `AWS::S3::Bucket`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// For `no-public-access`: which meaning of "public"; `documented` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<Reading>,
    /// Whether a property that fails is explained, with what to change.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub explain: bool,
    /// When to stop, in milliseconds from the start of this job; 30,000 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Names of the solvers to ask; all that are installed if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub solvers: Option<Vec<String>>,
    /// Whether a certificate is wanted, if the property holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<bool>,
}

/// What a job can want.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum TaskName {
    /// A question about all requests.
    Question(QuestionName),
    /// To decide one request.
    Evaluate(EvaluateName),
    /// To list who breaks a property.
    Findings(findings::FindingsName),
    /// To list who can do something.
    WhoCan(findings::WhoCanName),
}

/// The word `evaluate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EvaluateName {
    /// Decide the request of the job against its policies.
    Evaluate,
}

/// Policies of several kinds that decide together. A kind that is absent or null does not apply;
/// an empty list of `resource` policies says that the resource has none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policies {
    /// Attached to the principal: a policy or a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Value>,
    /// Attached to the resource: a policy or a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<Value>,
    /// Permissions boundaries: a policy or a list, each of which must allow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary: Option<Value>,
    /// Passed when the session was made: a policy or a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Value>,
    /// Service control policies of the principal's account: one list for each level, from the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scp: Option<Vec<Vec<Value>>>,
    /// Resource control policies of the owner's account: one list for each level, from the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rcp: Option<Vec<Vec<Value>>>,
    /// Policies of the VPC endpoints passed: a policy or a list, each of which must allow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc_endpoint: Option<Value>,
}

/// Any of the actions on any of the resources. Either list may be absent, which means any, but not
/// both; a list that is there has between 1 and 1,000 entries.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessEntry {
    /// Actions: `*`, or `service:Name`; `*` and `?` are wildcards, case does not matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actions: Option<Vec<String>>,
    /// Resources: `*`, or ARNs of six fields; `*` and `?` are wildcards within a field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Vec<String>>,
}

/// A zone of trust: accounts, an organisation, or both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trust {
    /// Accounts, at most 50,000.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<String>,
    /// The id of an organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// Accounts that are known to be of that organisation. Nobody is taken to be outside because he is
    /// not of one of them, nor inside: then the request has to tell the organisation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub organization_accounts: Vec<String>,
}

/// What is made of requests by AWS services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ServicePrincipalsName {
    /// They are not external, as IAM Access Analyzer sees it.
    Ignore,
    /// They are external unless the resource for which they call is of the zone of trust.
    Deputy,
}

/// The questions that can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum QuestionName {
    /// The resource policy grants nothing to the public.
    NoPublicAccess,
    /// `new` allows no request that `existing` does not.
    NoNewAccess,
    /// `policy` allows none of the accesses.
    AccessNotGranted,
    /// `existing` and `new` allow the same requests.
    Equivalent,
    /// `existing` and `new` allow no request in common.
    Disjoint,
    /// The resource policy grants nothing to anybody outside the zone of trust.
    NoExternalAccess,
    /// The policy breaks no rule of a property that somebody wrote himself.
    Custom,
}

impl QuestionName {
    /// All questions, with their names.
    pub const ALL: [(QuestionName, &'static str); 7] = [
        (QuestionName::NoPublicAccess, "no-public-access"),
        (QuestionName::NoNewAccess, "no-new-access"),
        (QuestionName::AccessNotGranted, "access-not-granted"),
        (QuestionName::Equivalent, "equivalent"),
        (QuestionName::Disjoint, "disjoint"),
        (QuestionName::NoExternalAccess, "no-external-access"),
        (QuestionName::Custom, "custom"),
    ];

    /// The name.
    pub fn as_str(self) -> &'static str {
        QuestionName::ALL[self as usize].1
    }

    /// The question of that name.
    pub fn by_name(name: &str) -> Option<QuestionName> {
        QuestionName::ALL.iter().find(|(_, known)| *known == name).map(|(question, _)| *question)
    }
}

/// What a policy is attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PolicyTypeName {
    /// A user, group or role.
    Identity,
    /// A resource; role trust policies too.
    Resource,
    /// A role, as its trust policy.
    Trust,
    /// A KMS key.
    Kms,
    /// An organisation, as a service control policy.
    Scp,
    /// An organisation, as a resource control policy.
    Rcp,
    /// A user or role, as its permissions boundary.
    Boundary,
    /// A session.
    Session,
    /// A VPC endpoint.
    Vpce,
}

impl PolicyTypeName {
    /// All types, with their names.
    pub const ALL: [(PolicyTypeName, &'static str, PolicyType); 9] = [
        (PolicyTypeName::Identity, "identity", PolicyType::Identity),
        (PolicyTypeName::Resource, "resource", PolicyType::Resource),
        (PolicyTypeName::Trust, "trust", PolicyType::Trust),
        (PolicyTypeName::Kms, "kms", PolicyType::Kms),
        (PolicyTypeName::Scp, "scp", PolicyType::Scp),
        (PolicyTypeName::Rcp, "rcp", PolicyType::Rcp),
        (PolicyTypeName::Boundary, "boundary", PolicyType::Boundary),
        (PolicyTypeName::Session, "session", PolicyType::Session),
        (PolicyTypeName::Vpce, "vpce", PolicyType::VpcEndpoint),
    ];

    /// The type of that name.
    pub fn by_name(name: &str) -> Option<PolicyTypeName> {
        let find = |(_, known, _): &&(PolicyTypeName, &str, PolicyType)| *known == name;
        PolicyTypeName::ALL.iter().find(find).map(|(policy_type, ..)| *policy_type)
    }

    /// The names, for a hint.
    pub fn names() -> String {
        PolicyTypeName::ALL.map(|(_, name, _)| name).join(", ")
    }
}

impl From<PolicyTypeName> for PolicyType {
    fn from(name: PolicyTypeName) -> PolicyType {
        PolicyTypeName::ALL[name as usize].2
    }
}

/// Which meaning of "public" is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// As the service documents it: only fixed values of trusted keys confine a request.
    Documented,
    /// Fixed parts of values confine as well: the account in an ARN, the organisation of a path.
    Semantic,
    /// As `documented`, of the Allow statements alone: how S3's RestrictPublicBuckets tells a public policy.
    RestrictPublicBuckets,
}
