//! The job `bucket` and what is told of a bucket.
//!
//! ACLs and settings have the names that AWS's own answers have, so that these can be pasted.

use keyaki_analysis::bucket::{AclState, Left, Settings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::VerdictName;

/// A job that asks for the public status of a bucket: ACL, policy and Block Public Access together.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BucketJob {
    /// Any string; it comes back with the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What is asked.
    pub question: BucketName,
    /// The bucket's policy, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Value>,
    /// A policy that is about to be put, of which it is told whether it is accepted; `policy` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_policy: Option<Value>,
    /// The bucket's ACL as GetBucketAcl tells it, or the name of a canned one; `private` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acl: Option<Value>,
    /// `BucketOwnerEnforced`, under which ACLs grant nothing, `BucketOwnerPreferred` or `ObjectWriter`, which is meant if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_ownership: Option<String>,
    /// The account that owns the bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_account: Option<String>,
    /// The settings of Block Public Access.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_public_access: Option<BlockPublicAccess>,
    /// When to stop, in milliseconds from the start of this job; 30,000 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Names of the solvers to ask; all that are installed if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub solvers: Option<Vec<String>>,
}

/// The word `bucket`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BucketName {
    /// Tell the public status of a bucket.
    Bucket,
}

/// The settings of Block Public Access at each level.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BlockPublicAccess {
    /// Of the bucket, as GetPublicAccessBlock tells them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<Value>,
    /// Of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Value>,
    /// Of the organisation, if it has a policy about that; then what the account says does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationSetting>,
}

/// What an organisation's policy assigns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OrganizationSetting {
    /// All four settings are on.
    All,
    /// All four are off.
    None,
}

/// What is told of a bucket. The verdict beside it is of the property that the bucket grants nothing to the public, its ACL, its policy and the
/// settings in force taken together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BucketRecord {
    /// What becomes of the ACL.
    pub acl: AclName,
    /// The grants of the ACL to the public, such as `READ to AllUsers`, whether they count or not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub public_grants: Vec<String>,
    /// Whether such an ACL can be put on the bucket.
    pub put_acl: AnswerName,
    /// Whether the policy alone grants nothing to the public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<VerdictName>,
    /// What GetBucketPolicyStatus answers; absent without a policy, and where it was not found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_status: Option<PolicyStatus>,
    /// Whether PutBucketPolicy accepts the new policy, or else the policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub put_policy: Option<AnswerName>,
    /// Whether RestrictPublicBuckets is on and the policy is public when a request arrives, which is told from its Allow statements
    /// alone. Absent without a policy, and where it was not found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_restricted: Option<bool>,
    /// Whether the Allow statements of the policy, taken alone, grant nothing to the public: what RestrictPublicBuckets looks at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_run_time: Option<VerdictName>,
    /// For each principal of an Allow statement what is left of what the statement grants it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<LeftRecord>,
    /// The settings in force.
    pub settings: SettingsRecord,
}

/// What becomes of an ACL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AclName {
    /// It grants the public nothing.
    NotPublic,
    /// It grants the public something.
    Public,
    /// It would, but IgnorePublicAcls is on.
    Ignored,
    /// It would, but ACLs are off.
    Disabled,
}

/// What Amazon S3 does with something new.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AnswerName {
    /// It takes it, as far as Block Public Access is concerned.
    Accepted,
    /// It does not.
    Rejected,
    /// That was not found out.
    Unknown,
}

/// The answer of GetBucketPolicyStatus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyStatus {
    /// Whether the policy is public.
    pub is_public: bool,
}

/// What is left to a principal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeftRecord {
    /// The statement's position in the policy, from 0.
    pub index: usize,
    /// The statement's `Sid`, or null.
    pub sid: Option<String>,
    /// The principal as the policy has it.
    pub principal: String,
    /// What is left.
    pub left: LeftName,
    /// What would be left if RestrictPublicBuckets were on.
    pub if_restricted: LeftName,
}

/// What is left to a principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LeftName {
    /// All of it.
    Stays,
    /// What is for the owner's account and services of AWS.
    Narrowed,
    /// Nothing.
    Goes,
    /// That is not known: whose account the principal is of, or the owner's, is not told.
    Unknown,
}

/// The settings of Block Public Access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the names of Amazon S3")]
pub struct SettingsRecord {
    pub block_public_acls: bool,
    pub ignore_public_acls: bool,
    pub block_public_policy: bool,
    pub restrict_public_buckets: bool,
}

impl From<Settings> for SettingsRecord {
    fn from(settings: Settings) -> SettingsRecord {
        SettingsRecord {
            block_public_acls: settings.block_public_acls,
            ignore_public_acls: settings.ignore_public_acls,
            block_public_policy: settings.block_public_policy,
            restrict_public_buckets: settings.restrict_public_buckets,
        }
    }
}

impl From<AclState> for AclName {
    fn from(state: AclState) -> AclName {
        match state {
            AclState::NotPublic => AclName::NotPublic,
            AclState::Public => AclName::Public,
            AclState::Ignored => AclName::Ignored,
            AclState::Disabled => AclName::Disabled,
        }
    }
}

impl From<Left> for LeftName {
    fn from(left: Left) -> LeftName {
        match left {
            Left::Stays => LeftName::Stays,
            Left::Narrowed => LeftName::Narrowed,
            Left::Goes => LeftName::Goes,
            Left::Unknown => LeftName::Unknown,
        }
    }
}
