//! The job `validate` and its findings.

use keyaki_policy::validate::{Finding, Level};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::PolicyTypeName;

/// A job that asks for everything that is wrong with or odd in a policy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValidateJob {
    /// Any string; it comes back with the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What is asked.
    pub question: ValidateName,
    /// The policy: an object, or a string whose mistakes in JSON are found too.
    pub policy: Value,
    /// What the policy is attached to; guessed from its `Principal` elements if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_type: Option<PolicyTypeName>,
    /// Accepted as in every job; validation needs no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// The word `validate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ValidateName {
    /// Tell what is wrong with the policy.
    Validate,
}

/// Something found in a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindingRecord {
    /// How grave it is.
    pub level: LevelName,
    /// What kind of finding it is, stable for programs; `docs/validation.md` lists them.
    pub code: String,
    /// IAM Access Analyzer's name of the check, if it has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// What was found, in words.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// JSON pointer into the policy.
    pub path: String,
    /// Line in the policy's text, from 1.
    pub line: u32,
    /// Column in the policy's text, in characters, from 1.
    pub column: u32,
}

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LevelName {
    /// A part of the policy does not work.
    Error,
    /// The policy allows what is risky to allow.
    SecurityWarning,
    /// The policy may not do what it seems to.
    Warning,
    /// The policy could be shorter or clearer.
    Suggestion,
}

impl From<Level> for LevelName {
    fn from(level: Level) -> LevelName {
        match level {
            Level::Error => LevelName::Error,
            Level::SecurityWarning => LevelName::SecurityWarning,
            Level::Warning => LevelName::Warning,
            Level::Suggestion => LevelName::Suggestion,
        }
    }
}

impl From<Finding> for FindingRecord {
    fn from(finding: Finding) -> FindingRecord {
        FindingRecord {
            level: finding.level.into(),
            code: finding.code.to_owned(),
            check: finding.check.map(str::to_owned),
            message: finding.message,
            hint: finding.hint,
            path: finding.path,
            line: finding.position.line,
            column: finding.position.column,
        }
    }
}
