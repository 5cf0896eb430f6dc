//! Jobs, requests and results as JSON: the only place that writes them.
//!
//! The command line, `keyaki batch` and whatever else answers share these types, so that their
//! answers cannot drift apart. `docs/schema.json` is generated from them. Fields may be added;
//! changing or removing one is a major version.

use std::collections::BTreeMap;

use keyaki_analysis::{Evidence, Relation, RelationEvidence};
use keyaki_logic::solver::AttemptResult;
use keyaki_logic::{Attempt, Reason};
use keyaki_policy::request::{self, ContextValue};
use keyaki_policy::{ParseError, PolicyType, Request as PolicyRequest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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

/// The answer to a job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobResult {
    /// The job's id, if it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The job's question, if it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// The answer. Absent only if there is an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<VerdictName>,
    /// For `evaluate`: what the policies decide. Absent if that hangs on what is not modelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<DecisionName>,
    /// For `evaluate`, unless the request is allowed: what kept it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<GateRecord>,
    /// For `evaluate`: why, in words. With `fails` of a job that asks to `explain`: a paragraph. With `holds` of
    /// `keyaki check --explain --json`: what excludes each way to break the property.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// For `evaluate`: every statement that matches, of the policies that apply to the principal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matched: Vec<MatchedStatement>,
    /// The undecided readings on which the verdict hangs, such as `D17`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
    /// The readings under which the witness is one (both are, of two), for those that `depends_on`
    /// lists and those that are not the default or as the job wants them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub witness_under: BTreeMap<String, String>,
    /// With `holds`, if it was asked for: what `keyaki-verify` checks (docs/certificates.md).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// With `holds`, if a certificate was asked for and there is none: why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncertified: Option<String>,
    /// With `certified`, if it was not our own checker: the program that has accepted the solver's proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checker: Option<String>,
    /// Policies that were not given and are read beside those that were: `FullAWSAccess` beside service control policies without
    /// any Allow, and `RCPFullAWSAccess` beside resource control policies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumed: Vec<String>,
    /// With `unknown`: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReasonName>,
    /// With reason `unsupported`: the constructs that the answer hangs on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unsupported: Vec<Construct>,
    /// With `fails` of `equivalent`: what `new` allows is less than what `existing` allows, or more, or
    /// each allows something that the other does not. Absent where that is not known: one direction
    /// was not found out, or each fails under other readings of `depends_on` than the other, so that no
    /// one reading has both. Less and more are said only if the other direction holds under all readings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relation: Option<RelationName>,
    /// How certain the relation is: that nothing breaks the other direction is not replayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relation_evidence: Option<EvidenceName>,
    /// With `fails`: a request that breaks the property. For `equivalent` one that `new` allows and
    /// `existing` does not; absent if none is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<Request>,
    /// With `fails` of `no-public-access`, where only several sets of addresses together are the public: a request for each of the
    /// others, beside the witness. None of them breaks the property alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub companions: Vec<Request>,
    /// With `companions`: how many addresses the policy does not tell from one of those of the witness and its companions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admitted_addresses: Option<AdmittedAddresses>,
    /// With `fails` of `equivalent`: a request that `existing` allows and `new` does not; absent if none
    /// is known. At least one of the two witnesses is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness_reverse: Option<Request>,
    /// With `fails`: the statements that allow the witness, for `disjoint` those of both sides. For `evaluate`: those that decide, which
    /// are the matching Deny statements, or the matching Allow statements of an allowed request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<StatementRef>,
    /// With `fails` of a job that asks to `explain`: what to change so that the property would hold, if something was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<Suggestion>,
    /// Of `custom`: names in the property that are likely to be misspelt, each with its line and column.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// With `fails` of `custom`: the rules that the witness breaks, as JSON pointers into the job.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// With `witness_reverse`: the statements of `existing` that allow it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statements_reverse: Vec<StatementRef>,
    /// Why the verdict is to be believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<EvidenceName>,
    /// Who decided: a solver's name, or, if none had to be asked, `simplifier` (nothing was left to
    /// ask) or `candidates` (a likely request breaks the property).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub solver: Option<String>,
    /// The meaning of "public" in force, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<String>,
    /// The resource type whose meaning of "public" is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// For `bucket`: the parts that the verdict is put together from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<bucket::BucketRecord>,
    /// Wall-clock time from reading the job to its answer, in nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elapsed_ns: Option<u64>,
    /// For `validate`: what was found, in the order of the places. For `findings`: the rows. For `who-can`: the principals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub findings: Option<Vec<findings::Finding>>,
    /// For `findings` and `who-can`: whether the rows cover everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<findings::CoverageRecord>,
    /// Each solver's try at each query.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<AttemptRecord>,
    /// Instead of a verdict: bad input, or a fault of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorRecord>,
    /// With `error` in an audit: the directory that has all that is known of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
}

/// Changes after which a property holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Suggestion {
    /// The changes, in a sentence.
    pub words: String,
    /// The changes, to be made together.
    pub changes: Vec<ChangeRecord>,
    /// How certain it is that the property holds of the changed policies, which were asked about again.
    pub evidence: EvidenceName,
}

/// A change of one policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeRecord {
    /// JSON pointer into the job, to the policy.
    pub policy: String,
    /// Position of the statement, from 0; none of one that is added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
    /// The statement's `Sid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// `add-conditions`, `replace-operator`, `remove-condition`, `remove-entry`, `replace-entry`, `remove-statement` or `add-statement`.
    pub change: String,
    /// The change, as the end of "it would hold if".
    pub words: String,
    /// What is added or removed, as it stands in a policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

/// The answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum VerdictName {
    /// No request breaks the property; proved.
    Holds,
    /// A request breaks it.
    Fails,
    /// Undecided. Never safe.
    Unknown,
}

/// How what `new` allows stands to what `existing` allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RelationName {
    /// It is less: `new` allows nothing that `existing` does not.
    Narrower,
    /// It is more: `new` allows all that `existing` does.
    Wider,
    /// Each allows something that the other does not.
    Incomparable,
}

/// Numbers of addresses, in decimal digits: those of IPv6 are too large for numbers of JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdmittedAddresses {
    /// Of IPv4, outside RFC 1918.
    pub ipv4: String,
    /// Of IPv6.
    pub ipv6: String,
}

impl From<[u128; 2]> for AdmittedAddresses {
    fn from([ipv4, ipv6]: [u128; 2]) -> AdmittedAddresses {
        AdmittedAddresses { ipv4: ipv4.to_string(), ipv6: ipv6.to_string() }
    }
}

/// What policies decide about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DecisionName {
    /// It is allowed.
    Allow,
    /// A statement denies it.
    ExplicitDeny,
    /// Something that has to allow it does not.
    ImplicitDeny,
}

/// What kept a request out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GateRecord {
    /// The kind of policies that denies the request or has to allow it and does not.
    pub kind: GateKind,
    /// JSON pointer into the job, to the policy or level, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
}

/// The kinds of policies that can keep a request out; the names are those of the members
/// of `policies`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is the member of `Policies` of that name")]
pub enum GateKind {
    Identity,
    Resource,
    Boundary,
    Session,
    Scp,
    Rcp,
    VpcEndpoint,
}

/// A statement that matches a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MatchedStatement {
    /// `Allow` or `Deny`.
    pub effect: EffectName,
    /// The statement.
    #[serde(flatten)]
    pub statement: StatementRef,
}

/// What a statement says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the words of the policy language")]
pub enum EffectName {
    Allow,
    Deny,
}

/// Why an answer is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReasonName {
    /// The deadline passed.
    Timeout,
    /// The memory limit was reached.
    Memory,
    /// The input uses something that is not modelled.
    Unsupported,
    /// No solver found out.
    SolverGaveUp,
    /// Somebody cancelled.
    Cancelled,
}

/// How certain a verdict is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EvidenceName {
    /// A concrete predicate confirmed that the witness breaks the property.
    Replayed,
    /// An independent checker accepted a certificate.
    Certified,
    /// At least two solvers said so.
    Agreed,
    /// One solver said so.
    Claimed,
}

/// A construct that is not modelled, and its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Construct {
    /// The construct.
    pub construct: String,
    /// JSON pointer into the job, to the policy.
    pub policy: String,
    /// JSON pointer into the policy, to the statement.
    pub path: String,
    /// Line in the policy's text, from 1.
    pub line: u32,
    /// Column in the policy's text, in characters, from 1.
    pub column: u32,
}

/// A statement of a policy of the job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatementRef {
    /// JSON pointer into the job, or the name of a policy that was `assumed`.
    pub policy: String,
    /// Position in the policy, from 0.
    pub index: usize,
    /// The statement's `Sid`, or null.
    pub sid: Option<String>,
}

/// One solver's try at one query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AttemptRecord {
    /// The solver.
    pub solver: String,
    /// `sat`, `unsat`, `error`, or why it is unknown.
    pub result: String,
    /// What went wrong, with `error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Wall-clock time, in nanoseconds.
    pub wall_ns: u64,
    /// The script, where scripts are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
}

/// What went wrong, and where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorRecord {
    /// The kind of mistake, stable for programs.
    pub code: String,
    /// The mistake, in words.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// JSON pointer into the job, to the policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// JSON pointer into the policy, or into the job if no policy is concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Column in characters, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// With `unsound`: the request that did not replay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Box<Request>>,
}

impl std::fmt::Display for ErrorRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ErrorRecord {}

/// One concrete request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Request {
    /// Who asks.
    pub principal: Principal,
    /// `service:Name`.
    pub action: String,
    /// The resource's ARN, or `*`.
    pub resource: String,
    /// Who owns the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_account: Option<String>,
    /// ARN of the user behind a federated user's session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub federated_base: Option<String>,
    /// Condition keys: a string is one value, a list a multivalued key.
    pub context: Map<String, Value>,
    /// Whether keys that are not listed are absent, also those that follow from the principal.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub context_complete: bool,
    /// Whether the principal's account is the management account of its organisation.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub management_account: bool,
    /// Whether the principal is a session of a service-linked role.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub service_linked_role: bool,
}

/// A request as somebody writes it. What follows from its principal and resource may be left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GivenRequest {
    /// Who asks.
    pub principal: GivenPrincipal,
    /// ARN of the role of a role session that is given as a text, if the role has a path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// ARN of the user behind a federated user's session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub federated_base: Option<String>,
    /// `service:Name`.
    pub action: String,
    /// The resource's ARN, or `*`.
    pub resource: String,
    /// Who owns the resource, where its ARN does not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_account: Option<String>,
    /// Condition keys: a string is one value, a list a multivalued key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub context: BTreeMap<String, GivenValue>,
    /// Whether keys that are not listed are absent, also those that follow from the principal.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub context_complete: bool,
    /// Whether the principal's account is the management account of its organisation.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub management_account: bool,
    /// Whether the principal is a session of a service-linked role.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub service_linked_role: bool,
}

/// Who asks, as somebody writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum GivenPrincipal {
    /// An ARN of a user, root user, role session or federated user, a service principal, a
    /// provider's ARN or host, a canonical user id, `anonymous` or `*`.
    Text(String),
    /// A principal with its type.
    Typed(Principal),
}

/// The value of a condition key, as somebody writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum GivenValue {
    /// One value.
    One(String),
    /// The values of a multivalued key.
    Many(Vec<String>),
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is the principal of keyaki_policy of that name")]
pub enum Principal {
    Anonymous,
    Root {
        account: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        partition: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        canonical_user: Option<String>,
    },
    User {
        arn: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        canonical_user: Option<String>,
    },
    RoleSession {
        role_arn: String,
        session_name: String,
    },
    FederatedUser {
        arn: String,
    },
    Service {
        name: String,
    },
    Federated {
        provider: String,
    },
    CanonicalUser {
        id: String,
    },
}

impl From<&PolicyRequest> for Request {
    fn from(request: &PolicyRequest) -> Request {
        let context = request.context.iter().map(|(key, value)| {
            let value = match value {
                ContextValue::One(value) => Value::from(value.as_str()),
                ContextValue::Many(values) => Value::from(values.as_slice()),
            };
            (key.to_owned(), value)
        });
        let federated_base = match &request.principal {
            request::Principal::FederatedUser { base, .. } => base.clone(),
            _ => None,
        };
        Request {
            federated_base,
            principal: Principal::from(&request.principal),
            action: request.action.clone(),
            resource: request.resource.clone(),
            resource_account: request.resource_account.clone(),
            context: context.collect(),
            context_complete: true,
            management_account: request.management_account,
            service_linked_role: request.service_linked_role,
        }
    }
}

impl From<&request::Principal> for Principal {
    fn from(principal: &request::Principal) -> Principal {
        use request::Principal as From;
        match principal.clone() {
            From::Anonymous => Principal::Anonymous,
            From::Root { partition, account, canonical_user } => {
                let partition = Some(partition).filter(|partition| partition != "aws");
                Principal::Root { account, partition, canonical_user }
            }
            From::User { arn, canonical_user } => Principal::User { arn, canonical_user },
            From::RoleSession { role_arn, session_name } => {
                Principal::RoleSession { role_arn, session_name }
            }
            From::FederatedUser { arn, base: _ } => Principal::FederatedUser { arn },
            From::Service { name } => Principal::Service { name },
            From::Federated { provider } => Principal::Federated { provider },
            From::CanonicalUser { id } => Principal::CanonicalUser { id },
        }
    }
}

impl From<Evidence> for EvidenceName {
    fn from(evidence: Evidence) -> EvidenceName {
        match evidence {
            Evidence::Agreed => EvidenceName::Agreed,
            Evidence::Claimed => EvidenceName::Claimed,
        }
    }
}

impl From<RelationEvidence> for EvidenceName {
    fn from(evidence: RelationEvidence) -> EvidenceName {
        match evidence {
            RelationEvidence::Replayed => EvidenceName::Replayed,
            RelationEvidence::Holds(evidence) => evidence.into(),
        }
    }
}

impl From<Relation> for RelationName {
    fn from(relation: Relation) -> RelationName {
        match relation {
            Relation::Narrower => RelationName::Narrower,
            Relation::Wider => RelationName::Wider,
            Relation::Incomparable => RelationName::Incomparable,
        }
    }
}

impl From<Reason> for ReasonName {
    fn from(reason: Reason) -> ReasonName {
        match reason {
            Reason::Timeout => ReasonName::Timeout,
            Reason::Memory => ReasonName::Memory,
            Reason::Unsupported => ReasonName::Unsupported,
            Reason::SolverGaveUp => ReasonName::SolverGaveUp,
            Reason::Cancelled => ReasonName::Cancelled,
        }
    }
}

impl ReasonName {
    /// The reason as it stands in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            ReasonName::Timeout => "timeout",
            ReasonName::Memory => "memory",
            ReasonName::Unsupported => "unsupported",
            ReasonName::SolverGaveUp => "solver-gave-up",
            ReasonName::Cancelled => "cancelled",
        }
    }
}

impl From<&Attempt> for AttemptRecord {
    fn from(attempt: &Attempt) -> AttemptRecord {
        let (result, message) = match &attempt.result {
            AttemptResult::Sat => ("sat", None),
            AttemptResult::Unsat => ("unsat", None),
            AttemptResult::Unknown(reason) => (ReasonName::from(*reason).as_str(), None),
            AttemptResult::Error(error) => ("error", Some(error.to_string())),
        };
        AttemptRecord {
            solver: attempt.solver.clone(),
            result: result.to_owned(),
            message,
            wall_ns: nanoseconds(attempt.wall),
            script: attempt.script.as_ref().map(|path| path.display().to_string()),
        }
    }
}

impl ErrorRecord {
    /// An error without a place.
    pub fn new(code: &str, message: impl Into<String>) -> ErrorRecord {
        ErrorRecord {
            code: code.to_owned(),
            message: message.into(),
            hint: None,
            policy: None,
            path: None,
            line: None,
            column: None,
            request: None,
        }
    }

    /// A mistake in the policy at the JSON pointer `policy`.
    pub fn in_policy(policy: &str, error: &ParseError) -> ErrorRecord {
        ErrorRecord {
            hint: error.hint.clone(),
            policy: Some(policy.to_owned()),
            path: Some(error.path.clone()),
            line: Some(error.position.line),
            column: Some(error.position.column),
            ..ErrorRecord::new(error.code.as_str(), error.message.clone())
        }
    }
}

pub mod bucket;
pub mod findings;
pub mod validate;

/// A duration in nanoseconds, at most 584 years.
pub fn nanoseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The schemas of jobs and results by name, each reference to one of them beginning with `place`, such as `/components/schemas`: for
/// descriptions of services that take the one and give the other.
pub fn definitions(place: &'static str) -> Map<String, Value> {
    let mut settings = schemars::generate::SchemaSettings::draft2020_12();
    settings.definitions_path = place.into();
    let mut schemas = settings.into_generator();
    schemas.subschema_for::<Job>();
    schemas.subschema_for::<validate::ValidateJob>();
    schemas.subschema_for::<bucket::BucketJob>();
    schemas.subschema_for::<JobResult>();
    schemas.take_definitions(true)
}

/// The JSON Schema of [`Job`] and [`JobResult`].
pub fn schema() -> Value {
    let mut schemas = schemars::generate::SchemaSettings::draft2020_12().into_generator();
    let job = schemas.subschema_for::<Job>();
    let validate = schemas.subschema_for::<validate::ValidateJob>();
    let bucket = schemas.subschema_for::<bucket::BucketJob>();
    let result = schemas.subschema_for::<JobResult>();
    let definitions = schemas.take_definitions(true);
    serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Keyaki jobs and results, one a line",
        // Not `oneOf`: whoever reads old results must bear new members, so a result may have any
        // member, and a job is one too.
        "anyOf": [job, validate, bucket, result],
        "$defs": definitions,
    })
}
