//! The public status of a bucket in words.

use std::path::Path;

use keyaki::bucket::BucketTask;
use keyaki::wire::bucket::{AclName, AnswerName, BucketRecord, LeftName};
use keyaki::wire::{JobResult, VerdictName};

use super::{line, place, provenance, reading, request, shown, unknown, visible};
use crate::commands::FileNames;

/// The answer to `bucket`.
pub(crate) fn bucket(
    task: &BucketTask,
    job: &Path,
    files: &FileNames,
    result: &JobResult,
) -> String {
    let mut out = String::new();
    let sentence = match result.verdict {
        Some(VerdictName::Holds) => "holds: the bucket of FILE is not public",
        Some(VerdictName::Fails) => "fails: the bucket of FILE is public",
        Some(VerdictName::Unknown) | None => "unknown: whether the bucket of FILE is public",
    };
    line(&mut out, format_args!("{}", sentence.replace("FILE", &shown(job))));
    if let Some(record) = &result.bucket {
        out.push('\n');
        parts(&mut out, record);
    }
    if let Some(witness) = &result.witness {
        out.push('\n');
        request(&mut out, witness);
        out.push('\n');
        for statement in &result.statements {
            let place = task.policy().map(|inquiry| place(inquiry, files, statement));
            line(&mut out, format_args!("  allowed by {}", place.unwrap_or_default()));
        }
    }
    if result.verdict == Some(VerdictName::Unknown) {
        out.push('\n');
        unknown(&mut out, files, result);
    }
    out.push('\n');
    if let Some(reading) = reading(result) {
        line(&mut out, format_args!("  {reading}"));
    }
    line(&mut out, format_args!("  {}", provenance(result)));
    out
}

fn parts(out: &mut String, record: &BucketRecord) {
    let acl = match record.acl {
        AclName::NotPublic => "grants the public nothing".to_owned(),
        AclName::Public => format!("public: {}", visible(&record.public_grants.join(", "))),
        AclName::Ignored => "public, but IgnorePublicAcls is on".to_owned(),
        AclName::Disabled => "public, but ACLs are off".to_owned(),
    };
    line(out, format_args!("  ACL       {acl}"));
    let policy = match (record.policy, record.is_restricted) {
        (None, _) => "there is none",
        (Some(VerdictName::Fails), Some(true)) => "public, but RestrictPublicBuckets is on",
        (Some(VerdictName::Fails), _) => "public",
        (Some(VerdictName::Holds), Some(true)) => {
            "not public, but its Allow statements alone are, and RestrictPublicBuckets is on"
        }
        (Some(VerdictName::Holds), _) => "not public",
        (Some(VerdictName::Unknown), _) => "not found out",
    };
    line(out, format_args!("  policy    {policy}"));
    if let Some(status) = record.policy_status {
        line(out, format_args!("  status    GetBucketPolicyStatus answers {}", status.is_public));
    }
    if let Some(put_policy) = record.put_policy {
        line(out, format_args!("  put       PutBucketPolicy is {}", answer(put_policy)));
    }
    line(out, format_args!("            PutBucketAcl is {}", answer(record.put_acl)));
    let settings = &record.settings;
    let all = [
        (settings.block_public_acls, "BlockPublicAcls"),
        (settings.ignore_public_acls, "IgnorePublicAcls"),
        (settings.block_public_policy, "BlockPublicPolicy"),
        (settings.restrict_public_buckets, "RestrictPublicBuckets"),
    ];
    let on: Vec<&str> = all.into_iter().filter(|(is_on, _)| *is_on).map(|(_, name)| name).collect();
    let on = if on.is_empty() { "none".to_owned() } else { on.join(", ") };
    line(out, format_args!("  settings  in force: {on}"));
    if record.is_restricted == Some(true) {
        out.push('\n');
        line(out, format_args!("  what is left by RestrictPublicBuckets:"));
        for left in &record.left {
            let words = match left.left {
                LeftName::Stays => "all",
                LeftName::Narrowed => "the owner\'s account and services of AWS",
                LeftName::Goes => "nothing",
                LeftName::Unknown => "not known, as it is not told whose account that is",
            };
            let principal = visible(&left.principal);
            line(out, format_args!("    statement {}, {principal}: {words}", left.index));
        }
    }
}

fn answer(answer: AnswerName) -> &'static str {
    match answer {
        AnswerName::Accepted => "accepted",
        AnswerName::Rejected => "rejected",
        AnswerName::Unknown => "accepted or rejected: not found out",
    }
}
