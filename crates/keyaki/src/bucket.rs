//! The task `bucket`: the public status of a bucket, from its ACL, its policy and Block Public Access.
//!
//! The policy is asked about twice, as S3 looks at it twice: all of it when it is put and for
//! GetBucketPolicyStatus, its Allow statements alone when a request arrives and RestrictPublicBuckets
//! is on.

use std::time::{Duration, Instant};

use keyaki_analysis::bucket::{self, Acl, AclState, Grant, Grantee, Levels, Settings};
use keyaki_analysis::public::Reading;
use keyaki_analysis::question::{PolicyRef, Side};
use keyaki_logic::Cancel;
use keyaki_policy::json::{self, Kind, Member, Value};
use keyaki_policy::span::Position;

use crate::job::{EngineMaker, Inquiry, Setting, in_job};
use crate::policies::Document;
use crate::reader::{Fallible, Reader, pointer};
use crate::wire::bucket::{AnswerName, BucketRecord, LeftName, LeftRecord, PolicyStatus};
use crate::wire::{ErrorRecord, JobResult, QuestionName, VerdictName, nanoseconds};

/// The name of the task of telling the public status of a bucket.
pub const BUCKET: &str = "bucket";

/// The most grants that an ACL has, as in Amazon S3.
const MAX_GRANTS: usize = 100;

const ALL_USERS: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
const AUTHENTICATED_USERS: &str = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
const LOG_DELIVERY: &str = "http://acs.amazonaws.com/groups/s3/LogDelivery";

const PERMISSIONS: [&str; 5] = ["FULL_CONTROL", "READ", "WRITE", "READ_ACP", "WRITE_ACP"];

/// Canned ACLs with their grants to groups.
const CANNED: [(&str, &[(Group, &str)]); 8] = [
    ("private", &[]),
    ("public-read", &[(Group::All, "READ")]),
    ("public-read-write", &[(Group::All, "READ"), (Group::All, "WRITE")]),
    ("authenticated-read", &[(Group::Authenticated, "READ")]),
    ("aws-exec-read", &[]),
    ("bucket-owner-read", &[]),
    ("bucket-owner-full-control", &[]),
    ("log-delivery-write", &[(Group::Logs, "WRITE"), (Group::Logs, "READ_ACP")]),
];

#[derive(Clone, Copy)]
enum Group {
    All,
    Authenticated,
    Logs,
}

/// A bucket whose public status is wanted.
#[derive(Clone, Debug)]
pub struct BucketTask {
    /// Its policy, as a question under each of the two readings.
    policy: Option<(Inquiry, Inquiry)>,
    /// A policy that is about to be put.
    new_policy: Option<Inquiry>,
    acl: Acl,
    levels: Levels,
    owner: Option<String>,
}

impl BucketTask {
    /// Reads a job in a file of its own. `timeout` is for a job that names none.
    ///
    /// # Errors
    ///
    /// The first mistake.
    pub fn from_file(text: &str, timeout: Duration) -> Result<BucketTask, Box<ErrorRecord>> {
        let job = json::read(text).map_err(in_job)?;
        let reader = Reader { source: text, is_file: true };
        let Kind::Object(members) = &job.kind else {
            return Err(reader.wrong_at(job.span, "", "a job is an object"));
        };
        if let Some(Member { value, .. }) = members.iter().find(|m| m.key == "question")
            && reader.string(value, "/question")? != BUCKET
        {
            let message = format!("the job's `question` is not `{BUCKET}`");
            let hint = "ask other questions with `keyaki check` or `keyaki batch`";
            return Err(reader.wrong_with_hint(value, "/question", &message, hint));
        }
        BucketTask::read(reader, members, timeout)
    }

    /// Lowers the time limits to `most`.
    pub(crate) fn limit(&mut self, most: Duration) {
        let inquiries = self.policy.iter_mut().flat_map(|(first, second)| [first, second]);
        inquiries.chain(&mut self.new_policy).for_each(|inquiry| inquiry.limit(most));
    }

    /// Reads the members of a job whose `question`, if it has one, is `bucket`.
    pub(crate) fn read(
        reader: Reader<'_>,
        members: &[Member<'_>],
        timeout: Duration,
    ) -> Fallible<BucketTask> {
        let (mut policy, mut new_policy, mut owner) = (None, None, None);
        let (mut acl, mut levels) = (Acl::default(), Levels::default());
        let mut setting = Setting { timeout, ..Setting::default() };
        let mut is_disabled = false;
        for Member { key, value, .. } in members {
            let path = pointer("", key);
            match &**key {
                "id" | "question" => {}
                "policy" => policy = Some(reader.bucket_policy(value, &path)?),
                "new_policy" => new_policy = Some(reader.bucket_policy(value, &path)?),
                "acl" => acl = reader.acl(value, &path)?,
                "object_ownership" => {
                    is_disabled = match reader.string(value, &path)? {
                        "BucketOwnerEnforced" => true,
                        "BucketOwnerPreferred" | "ObjectWriter" => false,
                        other => {
                            let message = format!("`{other}` is no object ownership");
                            let hint =
                                "it is BucketOwnerEnforced, BucketOwnerPreferred or ObjectWriter";
                            return Err(reader.wrong_with_hint(value, &path, &message, hint));
                        }
                    };
                }
                "resource_account" => owner = Some(reader.account(value, &path)?),
                "block_public_access" => levels = reader.block_public_access(value, &path)?,
                "timeout_ms" => setting.timeout = reader.milliseconds(value, &path)?,
                "solvers" => setting.solvers = reader.names(value, &path)?,
                other => {
                    let message = format!("a `{BUCKET}` job has no member `{other}`");
                    let hint = "its members are id, question, policy, new_policy, acl, object_ownership, \
                                resource_account, block_public_access, timeout_ms and solvers";
                    return Err(reader.wrong_with_hint(value, &path, &message, hint));
                }
            }
        }
        acl.is_disabled = is_disabled;
        let ask = |document: &Document, reading| {
            let setting = Setting { reading, ..setting.clone() };
            let question = QuestionName::NoPublicAccess.as_str();
            Inquiry::new(question, vec![document.clone()], setting).map_err(Box::new)
        };
        let policy = match policy {
            None => None,
            Some(policy) => Some((
                ask(&policy, Reading::Documented)?,
                ask(&policy, Reading::RestrictPublicBuckets)?,
            )),
        };
        let new_policy = new_policy.map(|policy| ask(&policy, Reading::Documented));
        Ok(BucketTask { policy, new_policy: new_policy.transpose()?, acl, levels, owner })
    }

    /// The question about the policy, if there is one.
    pub fn policy(&self) -> Option<&Inquiry> {
        self.policy.as_ref().map(|(documented, _)| documented)
    }

    /// All questions that are asked.
    pub(crate) fn inquiries(&self) -> impl Iterator<Item = &Inquiry> {
        let of_policy = self.policy.iter().flat_map(|(first, second)| [first, second]);
        of_policy.chain(&self.new_policy)
    }

    /// Tells the status. Engines are made by `engine` from the names of solvers.
    pub fn answer(&self, engine: &EngineMaker<'_>, cancel: &Cancel) -> JobResult {
        let start = Instant::now();
        let settings = self.levels.effective();
        let ask = |inquiry: &Inquiry| inquiry.answer(engine, cancel);
        let policy = self.policy.as_ref().map(|(documented, _)| ask(documented));
        let at_run_time = self.policy.as_ref().map(|(_, at_run_time)| ask(at_run_time));
        let new_policy = self.new_policy.as_ref().map(ask);
        let broken = [&policy, &at_run_time, &new_policy]
            .into_iter()
            .flatten()
            .find(|result| result.error.is_some())
            .cloned();
        if let Some(JobResult { error, incident, attempts, .. }) = broken {
            let question = Some(BUCKET.to_owned());
            return JobResult { question, error, incident, attempts, ..JobResult::default() };
        }
        let verdict_of = |result: &Option<JobResult>| result.as_ref().and_then(|r| r.verdict);
        let run_time = verdict_of(&at_run_time);
        let is_restricted = match (run_time, settings.restrict_public_buckets) {
            (None | Some(VerdictName::Unknown), true) => None,
            (Some(_), false) => Some(false),
            (None, false) => None,
            (Some(verdict), true) => Some(verdict == VerdictName::Fails),
        };
        let put_policy = verdict_of(&new_policy).or(verdict_of(&policy)).map(|verdict| {
            match (verdict, settings.block_public_policy) {
                (_, false) | (VerdictName::Holds, true) => AnswerName::Accepted,
                (VerdictName::Fails, true) => AnswerName::Rejected,
                (VerdictName::Unknown, true) => AnswerName::Unknown,
            }
        });
        let acl = self.acl.state(settings);
        let record = BucketRecord {
            acl: acl.into(),
            public_grants: self.acl.public_grants().map(in_words).collect(),
            put_acl: match self.acl.is_accepted(settings) {
                true => AnswerName::Accepted,
                false => AnswerName::Rejected,
            },
            policy: verdict_of(&policy),
            policy_status: match verdict_of(&policy) {
                Some(VerdictName::Fails) => Some(PolicyStatus { is_public: true }),
                Some(VerdictName::Holds) => Some(PolicyStatus { is_public: false }),
                Some(VerdictName::Unknown) | None => None,
            },
            put_policy,
            is_restricted,
            at_run_time: run_time,
            left: self.left(settings, run_time),
            settings: settings.into(),
        };
        // Whether the policy counts hangs on what was not found out.
        let policy = match (is_restricted, settings.restrict_public_buckets, at_run_time) {
            (None, true, Some(at_run_time)) if verdict_of(&policy) == Some(VerdictName::Fails) => {
                Some(at_run_time)
            }
            _ => policy,
        };
        let mut result = together(acl, policy, is_restricted);
        result.question = Some(BUCKET.to_owned());
        result.bucket = Some(record);
        result.elapsed_ns = Some(nanoseconds(start.elapsed()));
        result
    }

    fn left(&self, settings: Settings, run_time: Option<VerdictName>) -> Vec<LeftRecord> {
        let Some((documented, _)) = &self.policy else { return Vec::new() };
        let at = PolicyRef::of_union(Side::Policy, 0);
        let Some(policy) = documented.question.policy(at) else {
            return Vec::new();
        };
        let left = bucket::left(policy, self.owner.as_deref());
        let record = left.map(|(index, principal, left)| {
            let if_restricted = match run_time {
                Some(VerdictName::Fails) => left.into(),
                Some(VerdictName::Holds) => LeftName::Stays,
                Some(VerdictName::Unknown) | None => LeftName::Unknown,
            };
            let is_on = settings.restrict_public_buckets;
            LeftRecord {
                index,
                sid: policy.statement(index).and_then(|statement| statement.sid.clone()),
                principal: principal.text.clone(),
                left: if is_on { if_restricted } else { LeftName::Stays },
                if_restricted,
            }
        });
        record.collect()
    }
}

/// The verdict of all three together, with the witness of the policy if it is the policy's.
fn together(acl: AclState, policy: Option<JobResult>, is_restricted: Option<bool>) -> JobResult {
    let policy = policy
        .unwrap_or_else(|| JobResult { verdict: Some(VerdictName::Holds), ..JobResult::default() });
    let alone = |verdict| JobResult {
        verdict: Some(verdict),
        reading: policy.reading.clone(),
        resource_type: policy.resource_type.clone(),
        ..JobResult::default()
    };
    match (acl, policy.verdict, is_restricted) {
        // A policy that is cut off lets in nobody of the public, whatever it says.
        (AclState::Public, _, Some(true)) => alone(VerdictName::Fails),
        (_, _, Some(true)) => alone(VerdictName::Holds),
        (AclState::Public, Some(VerdictName::Holds | VerdictName::Unknown), _) => {
            alone(VerdictName::Fails)
        }
        _ => policy,
    }
}

fn in_words(grant: &Grant) -> String {
    let grantee = match &grant.grantee {
        Grantee::AllUsers => "AllUsers",
        Grantee::AuthenticatedUsers => "AuthenticatedUsers",
        Grantee::LogDelivery => "LogDelivery",
        Grantee::Somebody(name) => name,
    };
    format!("{} to {grantee}", grant.permission)
}

impl Reader<'_> {
    /// A policy, which is an object or a string of JSON, as a text of its own.
    fn bucket_policy(&self, value: &Value<'_>, path: &str) -> Fallible<Document> {
        let text = match &value.kind {
            Kind::Object(_) => self.text(value),
            Kind::String(text) => text,
            _ => {
                let message = "a policy is an object, or a string that holds JSON";
                return Err(self.wrong(value, path, message));
            }
        };
        let at = PolicyRef::of_union(Side::Policy, 0);
        let mut document = Document::new(at, path.to_owned(), text.to_owned());
        if self.is_file && matches!(value.kind, Kind::Object(_)) {
            document.start = Position::of(self.source, value.span.start);
        }
        Ok(document)
    }

    fn names(&self, value: &Value<'_>, path: &str) -> Fallible<Vec<String>> {
        let Kind::Array(names) = &value.kind else {
            return Err(self.wrong(value, path, "`solvers` is a list of names"));
        };
        names.iter().map(|name| Ok(self.string(name, path)?.to_owned())).collect()
    }

    /// The settings of all levels.
    fn block_public_access(&self, value: &Value<'_>, path: &str) -> Fallible<Levels> {
        let mut levels = Levels::default();
        for Member { key, value, .. } in self.object(value, path)? {
            let path = pointer(path, key);
            match &**key {
                "bucket" => levels.bucket = self.settings(value, &path)?,
                "account" => levels.account = self.settings(value, &path)?,
                "organization" => {
                    levels.organization = match self.string(value, &path)? {
                        "all" => Some(true),
                        "none" => Some(false),
                        other => {
                            let message = format!("an organisation assigns no `{other}`");
                            let hint = "it assigns `all` or `none`";
                            return Err(self.wrong_with_hint(value, &path, &message, hint));
                        }
                    };
                }
                other => {
                    let message = format!("there is no level `{other}`");
                    let hint = "the levels are bucket, account and organization";
                    return Err(self.wrong_with_hint(value, &path, &message, hint));
                }
            }
        }
        Ok(levels)
    }

    /// The four settings of one level, or AWS's answer that holds them.
    fn settings(&self, value: &Value<'_>, path: &str) -> Fallible<Settings> {
        const WRAPPER: &str = "PublicAccessBlockConfiguration";
        let (mut members, mut path) = (self.object(value, path)?, path.to_owned());
        if let [Member { key, value, .. }] = members
            && key == WRAPPER
        {
            path = pointer(&path, WRAPPER);
            members = self.object(value, &path)?;
        }
        let mut settings = Settings::default();
        for Member { key, value, .. } in members {
            let path = pointer(&path, key);
            match &**key {
                "BlockPublicAcls" => settings.block_public_acls = self.boolean(value, &path)?,
                "IgnorePublicAcls" => settings.ignore_public_acls = self.boolean(value, &path)?,
                "BlockPublicPolicy" => settings.block_public_policy = self.boolean(value, &path)?,
                "RestrictPublicBuckets" => {
                    settings.restrict_public_buckets = self.boolean(value, &path)?;
                }
                other => {
                    let message = format!("there is no setting `{other}`");
                    let hint = "the settings are BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy and \
                                RestrictPublicBuckets";
                    return Err(self.wrong_with_hint(value, &path, &message, hint));
                }
            }
        }
        Ok(settings)
    }

    /// An ACL: the name of a canned one, or the answer of GetBucketAcl.
    fn acl(&self, value: &Value<'_>, path: &str) -> Fallible<Acl> {
        if let Kind::String(name) = &value.kind {
            let Some((_, grants)) = CANNED.iter().find(|(known, _)| known == name) else {
                let message = format!("there is no canned ACL `{name}`");
                let hint = format!("they are {}", CANNED.map(|(name, _)| name).join(", "));
                return Err(self.wrong_with_hint(value, path, &message, &hint));
            };
            let grant = |(group, permission): &(Group, &str)| Grant {
                grantee: match group {
                    Group::All => Grantee::AllUsers,
                    Group::Authenticated => Grantee::AuthenticatedUsers,
                    Group::Logs => Grantee::LogDelivery,
                },
                permission: (*permission).to_owned(),
            };
            return Ok(Acl { grants: grants.iter().map(grant).collect(), is_disabled: false });
        }
        let mut grants = None;
        for Member { key, value, .. } in self.object(value, path)? {
            let path = pointer(path, key);
            match (&**key, &value.kind) {
                ("Owner" | "ResponseMetadata", _) => {}
                ("Grants", Kind::Array(list)) if list.len() <= MAX_GRANTS => {
                    let list = list.iter().enumerate();
                    let list = list.map(|(i, grant)| self.grant(grant, &format!("{path}/{i}")));
                    grants = Some(list.collect::<Fallible<Vec<Grant>>>()?);
                }
                ("Grants", Kind::Array(_)) => {
                    let message = format!("an ACL has at most {MAX_GRANTS} grants");
                    return Err(self.wrong(value, &path, &message));
                }
                _ => {
                    let message = "an ACL has the list `Grants` and perhaps an `Owner`";
                    return Err(self.wrong(value, &path, message));
                }
            }
        }
        match grants {
            Some(grants) => Ok(Acl { grants, is_disabled: false }),
            None => Err(self.wrong(value, path, "the ACL has no `Grants`")),
        }
    }

    fn grant(&self, value: &Value<'_>, path: &str) -> Fallible<Grant> {
        let (mut grantee, mut permission) = (None, None);
        for Member { key, value, .. } in self.object(value, path)? {
            let path = pointer(path, key);
            match &**key {
                "Grantee" => grantee = Some(self.grantee(value, &path)?),
                "Permission" => {
                    let name = self.string(value, &path)?;
                    if !PERMISSIONS.contains(&name) {
                        let message = format!("there is no permission `{name}`");
                        let hint = format!("the permissions are {}", PERMISSIONS.join(", "));
                        return Err(self.wrong_with_hint(value, &path, &message, &hint));
                    }
                    permission = Some(name.to_owned());
                }
                _ => {
                    let message = "a grant has `Grantee` and `Permission`";
                    return Err(self.wrong(value, &path, message));
                }
            }
        }
        match (grantee, permission) {
            (Some(grantee), Some(permission)) => Ok(Grant { grantee, permission }),
            _ => Err(self.wrong(value, path, "a grant has `Grantee` and `Permission`")),
        }
    }

    fn grantee(&self, value: &Value<'_>, path: &str) -> Fallible<Grantee> {
        let mut grantee = None;
        for Member { key, value, .. } in self.object(value, path)? {
            let path = pointer(path, key);
            match &**key {
                "Type" | "DisplayName" | "xsi:type" => {}
                "ID" | "EmailAddress" => {
                    grantee = Some(Grantee::Somebody(self.string(value, &path)?.to_owned()));
                }
                "URI" => {
                    grantee = Some(match self.string(value, &path)? {
                        ALL_USERS => Grantee::AllUsers,
                        AUTHENTICATED_USERS => Grantee::AuthenticatedUsers,
                        LOG_DELIVERY => Grantee::LogDelivery,
                        other => {
                            let message = format!("there is no group `{other}`");
                            let hint = format!(
                                "the groups are {ALL_USERS}, {AUTHENTICATED_USERS} and {LOG_DELIVERY}"
                            );
                            return Err(self.wrong_with_hint(value, &path, &message, &hint));
                        }
                    });
                }
                other => {
                    let message = format!("a grantee has no member `{other}`");
                    let hint = "its members are Type, ID, URI, EmailAddress and DisplayName";
                    return Err(self.wrong_with_hint(value, &path, &message, hint));
                }
            }
        }
        let message = "a grantee has an `ID`, a `URI` or an `EmailAddress`";
        grantee.ok_or_else(|| self.wrong(value, path, message))
    }
}
