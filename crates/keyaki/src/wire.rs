//! Jobs, requests and results as JSON: the only place that writes them.
//!
//! The command line, `keyaki batch` and whatever else answers share these types, so that their
//! answers cannot drift apart. `docs/schema.json` is generated from them. Fields may be added;
//! changing or removing one is a major version.

mod error;
mod job;
mod request;

pub mod bucket;
pub mod findings;
pub mod validate;

use std::collections::BTreeMap;

use keyaki_analysis::{Evidence, Relation, RelationEvidence};
use keyaki_logic::Reason;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use error::{AttemptRecord, ErrorRecord};
pub use job::{
    AccessEntry, EvaluateName, Job, Policies, PolicyTypeName, QuestionName, Reading,
    ServicePrincipalsName, TaskName, Trust,
};
pub use request::{GivenPrincipal, GivenRequest, GivenValue, Principal, Request};

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
