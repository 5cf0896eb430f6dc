//! The rows of `findings`, as jobs and results have them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::validate::FindingRecord;
use super::{Construct, EvidenceName, ReasonName, Request, StatementRef, VerdictName};

/// The word `findings`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FindingsName {
    /// List who breaks the property: with `policy` and `trust` who gets in from outside, with `existing` and `new` what
    /// `new` allows beyond `existing`.
    Findings,
}

/// One of the `findings`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Finding {
    /// Of `validate`.
    Validation(FindingRecord),
    /// Of `findings`.
    Access(Box<RowRecord>),
}

/// Requests that break the property, or may.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RowRecord {
    /// Who: `AWS`, `Service`, `Federated` or `CanonicalUser`, and the entry of the policy; `{"AWS": "*"}` is anybody. Absent if
    /// no policy names principals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<BTreeMap<String, OneOrMany>>,
    /// Actions, in patterns of the policy.
    pub action: Vec<String>,
    /// Resources, in patterns of the policy.
    pub resource: Vec<String>,
    /// For each key the pattern that its value has to match; all have to.
    pub condition: BTreeMap<String, OneOrMany>,
    /// For each key of `condition` the operator by which its pattern is read.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub operators: BTreeMap<String, String>,
    /// Whether some request of the row is public. Absent where that was not asked for or not found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_public: Option<bool>,
    /// The statements that allow the witness; without one the statement that may let somebody in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<StatementRef>,
    /// A request of the row that breaks the property; it was replayed. Absent if that was not found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<Request>,
    /// Of `who-can`: the roles that the principal assumes one after the other, the last of which makes the request of the witness.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub through: Vec<StepRecord>,
    /// The undecided readings on which the row hangs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
    /// The readings under which the witness is one, as in [`super::JobResult`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub witness_under: BTreeMap<String, String>,
    /// Without a witness: why it was not found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReasonName>,
    /// Without a witness: the constructs that the answer hangs on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unsupported: Vec<Construct>,
}

/// A role that is assumed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepRecord {
    /// Its ARN.
    pub role: String,
    /// The request that assumes it, by the principal or the role before; it was replayed.
    pub witness: Request,
    /// The statements that allow it.
    pub statements: Vec<StatementRef>,
}

/// The word `who-can`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WhoCanName {
    /// List the principals of an account that have one of the accesses, by role chains too.
    WhoCan,
}

/// A user or role of the account, with its policies.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Holder {
    /// Its ARN.
    pub arn: String,
    /// Attached to it: a policy or a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<serde_json::Value>,
    /// Its permissions boundaries: a policy or a list, each of which must allow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary: Option<serde_json::Value>,
    /// Of a role: its trust policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<serde_json::Value>,
}

/// A text, or several of which one is enough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

/// Whether the rows cover everything that breaks the property.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CoverageRecord {
    /// `holds` if they do, `unknown` if that was not found out.
    pub verdict: VerdictName,
    /// How many precise rows there are, those that are shown in one counted each.
    pub precise_rows: usize,
    /// Whether no fewer precise rows cover everything.
    pub is_least: bool,
    /// With `holds`: why that is to be believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<EvidenceName>,
    /// With `unknown`: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<ReasonName>,
    /// With reason `unsupported`: the constructs that the answer hangs on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unsupported: Vec<Construct>,
}
