//! The jobs: which policies are asked what, under which id, in which order.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::draw::hash;
use super::{edits, json_lines, text_of};

/// The questions asked, in the order in which they are reported.
pub(super) const QUESTIONS: [&str; 6] = [
    "no-public-access",
    "no-new-access",
    "access-not-granted",
    "no-external-access",
    "equivalent",
    "disjoint",
];

/// The table for the service of a resource policy, as records name it. The others have none of their own.
const RESOURCE_TYPES: [(&str, &str); 20] = [
    ("trust", "AWS::IAM::AssumeRolePolicyDocument"),
    ("resource:s3", "AWS::S3::Bucket"),
    ("resource:s3express", "AWS::S3Express::DirectoryBucket"),
    ("resource:s3-outposts", "AWS::S3Outposts::Bucket"),
    ("resource:s3tables", "AWS::S3Tables::TableBucket"),
    ("resource:glacier", "AWS::S3::Glacier"),
    ("resource:sqs", "AWS::SQS::Queue"),
    ("resource:sns", "AWS::SNS::Topic"),
    ("resource:kms", "AWS::KMS::Key"),
    ("resource:es", "AWS::OpenSearchService::Domain"),
    ("resource:lambda", "AWS::Lambda::Function"),
    ("resource:execute-api", "AWS::ApiGateway::RestApi"),
    ("resource:elasticfilesystem", "AWS::EFS::FileSystem"),
    ("resource:secretsmanager", "AWS::SecretsManager::Secret"),
    ("resource:backup", "AWS::Backup::BackupVault"),
    ("resource:cloudtrail-data", "AWS::CloudTrail::EventDataStore"),
    ("resource:kinesis", "AWS::Kinesis::Stream"),
    ("resource:dynamodb", "AWS::DynamoDB::Table"),
    ("resource:dsql", "AWS::DSQL::Cluster"),
    ("resource:codeartifact", "AWS::CodeArtifact::Domain"),
];

/// The account that owns resources of which no policy says whose they are.
const OWNER: &str = "111122223333";

/// The files whose policies are compared with edits of themselves and asked what they grant, in the
/// order of reports.
pub(super) const EDITED_FILES: [&str; 4] = ["aws_managed", "org", "resource", "identity"];

/// Actions by which somebody can get more rights than they have, as AWS lists them.
/// Source: aws-samples/iam-access-analyzer-custom-policy-check-samples,
/// `identity-policies/check-for-privilege-escalation/via-iam-and-sts.md` at 1aaa7370.
const ESCALATION: [&str; 17] = [
    "iam:AddUserToGroup",
    "iam:AttachGroupPolicy",
    "iam:AttachRolePolicy",
    "iam:AttachUserPolicy",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:CreatePolicyVersion",
    "iam:CreateRole",
    "iam:CreateUser",
    "iam:PassRole",
    "iam:PutGroupPolicy",
    "iam:PutRolePolicy",
    "iam:PutUserPolicy",
    "iam:SetDefaultPolicyVersion",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateLoginProfile",
    "sts:AssumeRole",
];

/// What is done with the objects of a bucket, and the bucket. Source: the same, those actions of
/// `identity-policies/check-access-to-sensitive-resource/s3-object.md` at a99c0f4c that read, write
/// or delete an object.
const OBJECT_ACTIONS: [&str; 6] = [
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:GetObject",
    "s3:GetObjectVersion",
    "s3:PutObject",
    "s3:RestoreObject",
];
const OBJECTS: [&str; 1] = ["arn:aws:s3:::my-sensitive-bucket/*"];

/// Ready properties that need nothing but a tag, as `keyaki properties` lists them.
const PROPERTIES: [&str; 8] = [
    "mfa-for-deletion",
    "no-anonymous",
    "no-privilege-escalation",
    "no-public-acl",
    "no-wildcard-principal",
    "read-only",
    "tag-isolation",
    "tls-only",
];

/// How many of them each policy is asked.
const PROPERTIES_EACH: usize = 2;

/// A job for `keyaki batch`.
#[derive(Clone, Debug)]
pub(super) struct Job {
    /// `public/RECORD`, or `history/NAME/OLD->NEW/forward`, or the same with `backward`, where NEW
    /// is the policy of reference and OLD the one in question, or `edit/FILE/RECORD/EDIT/forward` or
    /// `backward`, where OLD is the record and NEW the edited one, or `access/FILE/RECORD/` and the
    /// name of a list of accesses, or `external/RECORD`, or `equivalent/FILE/RECORD/EDIT` or `disjoint/…` of the policy and
    /// the edited one.
    pub(super) id: String,
    /// The question.
    pub(super) question: &'static str,
    /// The job.
    pub(super) job: Value,
}

impl Job {
    fn rename(&mut self, id: String) {
        self.job["id"] = id.clone().into();
        self.id = id;
    }
}

/// All jobs of the corpus: public access in the order of the record ids, then the histories in the
/// order of names and versions, then the edits in the order of files and record ids, forward
/// before backward, then the lists of accesses in the same order, then what is let in from outside, then again the edits.
pub(super) fn all(folder: &Path, seed: &str) -> Result<Vec<Job>, String> {
    let read = |file: &str| json_lines(&folder.join(format!("{file}.jsonl")));
    let mut jobs = measured(folder, seed)?;
    jobs.extend(external(read("resource")?));
    for file in EDITED_FILES {
        jobs.extend(both(file, read(file)?, seed));
    }
    Ok(jobs)
}

/// All jobs of the corpus, and for the queries of a suite also further edits of each policy, up to `rounds`, and ready
/// properties: whatever makes another formula.
pub(super) fn suite(folder: &Path, seed: &str, rounds: usize) -> Result<Vec<Job>, String> {
    let read = |file: &str| json_lines(&folder.join(format!("{file}.jsonl")));
    let mut jobs = all(folder, seed)?;
    for round in 1..rounds {
        for file in EDITED_FILES {
            let mut of_round = edited(file, read(file)?, &format!("{seed}/{round}"));
            of_round.iter_mut().for_each(|job| job.rename(format!("{}~{round}", job.id)));
            jobs.extend(of_round);
        }
    }
    for file in EDITED_FILES {
        jobs.extend(properties(file, read(file)?, seed));
    }
    Ok(jobs)
}

/// Each policy and [`PROPERTIES_EACH`] of the ready properties, drawn for it. What does not suit the type of a policy is
/// an error of that job.
fn properties(file: &str, records: Vec<Value>, seed: &str) -> Vec<Job> {
    let of_record = |record: &Value| {
        let id = text_of(record, "id");
        let ranked = |name: &&&str| hash(seed, &format!("{id}/{name}"));
        let mut names: Vec<&&str> = PROPERTIES.iter().collect();
        names.sort_by_key(ranked);
        names.truncate(PROPERTIES_EACH);
        let job = |name: &&&str| {
            let id = format!("custom/{file}/{id}/{name}");
            let property = match **name {
                "tag-isolation" => json!({"use": name, "with": {"tag": "team"}}),
                name => json!(name),
            };
            let job = json!({
                "id": id, "question": "custom", "policy": record["policy"], "property": property,
                "policy_type": policy_type(file, text_of(record, "policy_type")),
            });
            Job { id, question: "custom", job }
        };
        names.iter().map(job).collect::<Vec<_>>()
    };
    records.iter().flat_map(of_record).collect()
}

/// Those of the first three questions, which is what is measured.
pub(super) fn measured(folder: &Path, seed: &str) -> Result<Vec<Job>, String> {
    let read = |file: &str| json_lines(&folder.join(format!("{file}.jsonl")));
    let mut jobs = public(read("resource")?);
    jobs.extend(histories(read("aws_managed_history")?, read("aws_managed")?)?);
    for file in EDITED_FILES {
        jobs.extend(edited(file, read(file)?, seed));
    }
    for file in EDITED_FILES {
        jobs.extend(accesses(file, read(file)?));
    }
    Ok(jobs)
}

/// Whether each resource policy lets somebody in from outside its own account: that of the first ARN in its resources that has one.
fn external(mut records: Vec<Value>) -> Vec<Job> {
    records.sort_by(|a, b| text_of(a, "id").cmp(text_of(b, "id")));
    let job = |record: &Value| {
        let id = format!("external/{}", text_of(record, "id"));
        let owner = owner(&record["policy"]).unwrap_or(OWNER);
        let mut job = resource_job(&id, QUESTIONS[3], record);
        job["resource_account"] = owner.into();
        job["trust"] = json!({"accounts": [owner]});
        Job { id, question: QUESTIONS[3], job }
    };
    records.iter().map(job).collect()
}

/// The account in the first ARN of a policy's resources that has one.
fn owner(policy: &Value) -> Option<&str> {
    let statements = policy["Statement"]
        .as_array()
        .map_or(std::slice::from_ref(&policy["Statement"]), Vec::as_slice);
    let texts = statements.iter().flat_map(|statement| {
        let resource = &statement["Resource"];
        resource.as_array().map_or(std::slice::from_ref(resource), Vec::as_slice)
    });
    let account =
        |arn: &'_ str| -> bool { arn.len() == 12 && arn.bytes().all(|b| b.is_ascii_digit()) };
    texts
        .filter_map(Value::as_str)
        .filter_map(|arn| arn.split(':').nth(4))
        .find(|field| account(field))
}

/// A job about a resource policy.
fn resource_job(id: &str, question: &str, record: &Value) -> Value {
    let of_record = text_of(record, "policy_type");
    let mut job = json!({
        "id": id, "question": question, "policy_type": policy_type("resource", of_record),
        "policy": record["policy"],
    });
    if let Some((_, resource_type)) = RESOURCE_TYPES.iter().find(|(known, _)| *known == of_record) {
        job["resource_type"] = (*resource_type).into();
    }
    job
}

/// Each policy and an edit of itself: whether they are the same, and whether they have nothing in common.
fn both(file: &str, records: Vec<Value>, seed: &str) -> Vec<Job> {
    with_edits(records, file, seed, |id, policy_type, policy, other| {
        [QUESTIONS[4], QUESTIONS[5]].map(|question| {
            comparison(format!("{question}/{id}"), question, policy_type, policy, other)
        })
    })
}

/// Each policy with each list of accesses.
fn accesses(file: &str, mut records: Vec<Value>) -> Vec<Job> {
    let lists = [
        ("escalation", json!([{"actions": ESCALATION}])),
        ("objects", json!([{"actions": OBJECT_ACTIONS, "resources": OBJECTS}])),
    ];
    records.sort_by(|a, b| text_of(a, "id").cmp(text_of(b, "id")));
    let of_record = |record: &Value| {
        lists.each_ref().map(|(name, access)| {
            let id = format!("access/{file}/{}/{name}", text_of(record, "id"));
            let question = QUESTIONS[2];
            let job = json!({
                "id": id, "question": question, "policy": record["policy"], "access": access,
                "policy_type": policy_type(file, text_of(record, "policy_type")),
            });
            Job { id, question, job }
        })
    };
    records.iter().flat_map(of_record).collect()
}

/// The jobs about a folder that has only resource and identity policies.
pub(super) fn of_the_repository(folder: &Path, seed: &str) -> Result<Vec<Job>, String> {
    let read = |file: &str| json_lines(&folder.join(format!("{file}.jsonl")));
    let mut jobs = public(read("resource")?);
    for file in ["resource", "identity"] {
        jobs.extend(edited(file, read(file)?, seed));
        jobs.extend(accesses(file, read(file)?));
    }
    Ok(jobs)
}

/// Each policy against an edit of itself, in both directions.
fn edited(file: &str, records: Vec<Value>, seed: &str) -> Vec<Job> {
    with_edits(records, file, seed, |id, policy_type, policy, other| {
        [("forward", policy, other), ("backward", other, policy)].map(
            |(direction, existing, new)| {
                let id = format!("edit/{id}/{direction}");
                comparison(id, QUESTIONS[1], policy_type, existing, new)
            },
        )
    })
}

/// What `jobs` makes of `FILE/RECORD/EDIT`, the type, the policy and the edited one, in the order of the records. A policy
/// without statements has no edit.
fn with_edits(
    mut records: Vec<Value>,
    file: &str,
    seed: &str,
    jobs: impl Fn(&str, &str, &Value, &Value) -> [Job; 2],
) -> Vec<Job> {
    records.sort_by(|a, b| text_of(a, "id").cmp(text_of(b, "id")));
    let of_record = |record: &Value| {
        let id = text_of(record, "id");
        let policy_type = policy_type(file, text_of(record, "policy_type"));
        let policy = &record["policy"];
        let (edit, other) = edits::edited(policy, policy_type, id, seed)?;
        Some(jobs(&format!("{file}/{id}/{edit}"), policy_type, policy, &other))
    };
    records.iter().filter_map(of_record).flatten().collect()
}

/// The type of a job for the type of a record: a resource's service says only whether it is a key.
fn policy_type<'r>(file: &str, of_record: &'r str) -> &'r str {
    match of_record {
        "resource:kms" => "kms",
        "unknown" if file == "identity" => "identity",
        "unknown" => "resource",
        of_record if of_record.starts_with("resource:") => "resource",
        of_record => of_record,
    }
}

fn public(mut records: Vec<Value>) -> Vec<Job> {
    records.sort_by(|a, b| text_of(a, "id").cmp(text_of(b, "id")));
    let job = |record: Value| {
        let id = format!("public/{}", text_of(&record, "id"));
        let question = QUESTIONS[0];
        let job = resource_job(&id, question, &record);
        Job { id, question, job }
    };
    records.into_iter().map(job).collect()
}

/// Neighbours in the order of versions. The current version is the last one; a name that is
/// current only has no neighbours.
fn histories(earlier: Vec<Value>, current: Vec<Value>) -> Result<Vec<Job>, String> {
    let mut versions: BTreeMap<String, BTreeMap<u32, Value>> = BTreeMap::new();
    for record in earlier.into_iter().chain(current) {
        let (name, version) = (text_of(&record, "name").to_owned(), text_of(&record, "version_id"));
        let number = version.strip_prefix('v').and_then(|digits| digits.parse().ok());
        let number: u32 = number.ok_or_else(|| {
            format!("record `{}` has the version `{version}`", text_of(&record, "id"))
        })?;
        if versions.entry(name.clone()).or_default().insert(number, record).is_some() {
            return Err(format!("`{name}` has two versions {number}"));
        }
    }
    let mut jobs = Vec::new();
    for (name, versions) in &versions {
        for ((old, before), (new, after)) in versions.iter().zip(versions.iter().skip(1)) {
            let pair = format!("history/{name}/v{old}->v{new}");
            let (before, after) = (&before["policy"], &after["policy"]);
            jobs.push(comparison(
                format!("{pair}/forward"),
                QUESTIONS[1],
                "identity",
                before,
                after,
            ));
            jobs.push(comparison(
                format!("{pair}/backward"),
                QUESTIONS[1],
                "identity",
                after,
                before,
            ));
        }
    }
    Ok(jobs)
}

fn comparison(
    id: String,
    question: &'static str,
    policy_type: &str,
    existing: &Value,
    new: &Value,
) -> Job {
    let job = json!({
        "id": id, "question": question, "policy_type": policy_type,
        "existing": existing, "new": new,
    });
    Job { id, question, job }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str, version: &str) -> Value {
        json!({"id": "r", "name": name, "version_id": version, "policy": format!("{name} {version}")})
    }

    #[test]
    fn versions_are_in_the_order_of_their_numbers_and_the_current_one_is_last() {
        let earlier = vec![record("b", "v9"), record("a", "v1"), record("b", "v8")];
        let current = vec![record("b", "v11"), record("c", "v1")];
        let jobs = histories(earlier, current).unwrap();
        let ids: Vec<&str> = jobs.iter().map(|job| job.id.as_str()).collect();
        let expected = [
            "history/b/v8->v9/forward",
            "history/b/v8->v9/backward",
            "history/b/v9->v11/forward",
            "history/b/v9->v11/backward",
        ];
        assert_eq!(ids, expected);
        assert_eq!(jobs[1].job["existing"], "b v9");
        assert_eq!(jobs[1].job["new"], "b v8");
    }

    #[test]
    fn a_version_that_cannot_be_placed_is_an_error() {
        assert!(histories(vec![record("a", "latest")], vec![]).is_err());
        assert!(histories(vec![record("a", "v1")], vec![record("a", "v1")]).is_err());
    }
    #[test]
    fn a_policy_is_compared_with_an_edit_of_itself_in_both_directions() {
        let statement = json!({"Effect": "Allow", "NotAction": "a:B", "Resource": "*"});
        let record = json!({
            "id": "res-1", "policy_type": "resource:kms", "policy": {"Statement": statement},
        });
        let jobs = edited("resource", vec![record], "s");
        let ids: Vec<&str> = jobs.iter().map(|job| job.id.as_str()).collect();
        let pair = "edit/resource/res-1/swap-effect";
        assert_eq!(ids, [format!("{pair}/forward"), format!("{pair}/backward")]);
        assert_eq!(jobs[0].job["policy_type"], "kms");
        assert_eq!(jobs[0].job["new"], jobs[1].job["existing"]);
        assert_eq!(jobs[1].job["new"]["Statement"], statement);
    }

    #[test]
    fn a_policy_is_asked_for_each_list_of_accesses() {
        let record = json!({"id": "res-1", "policy_type": "resource:kms", "policy": "the policy"});
        let jobs = accesses("resource", vec![record]);
        let ids: Vec<&str> = jobs.iter().map(|job| job.id.as_str()).collect();
        assert_eq!(ids, ["access/resource/res-1/escalation", "access/resource/res-1/objects"]);
        assert_eq!(jobs[0].job["access"][0]["actions"][9], "iam:PassRole");
        assert_eq!(jobs[1].job["access"][0]["resources"], json!(OBJECTS));
        assert_eq!(jobs[1].job["policy_type"], "kms");
    }

    #[test]
    fn a_resource_policy_is_judged_by_the_table_of_its_type_and_belongs_to_an_account() {
        let statement = json!([
            {"Effect": "Allow", "Resource": ["*", "arn:aws:sqs:us-east-1:444455556666:q"]},
        ]);
        let record = json!({
            "id": "res-1", "policy_type": "resource:sqs", "policy": {"Statement": statement},
        });
        let job = &external(vec![record.clone()])[0].job;
        assert_eq!(
            (&job["resource_account"], &job["policy_type"]),
            (&json!("444455556666"), &json!("resource"))
        );
        assert_eq!(public(vec![record])[0].job["resource_type"], "AWS::SQS::Queue");
        let other =
            json!({"id": "res-2", "policy_type": "resource:ecr", "policy": {"Statement": {}}});
        let job = &external(vec![other])[0].job;
        assert_eq!(
            (&job["resource_account"], &job["resource_type"]),
            (&json!(OWNER), &Value::Null)
        );
    }

    #[test]
    fn a_record_of_unknown_type_has_that_of_its_file() {
        assert_eq!(policy_type("identity", "unknown"), "identity");
        assert_eq!(policy_type("resource", "unknown"), "resource");
        assert_eq!(policy_type("resource", "resource:s3"), "resource");
        assert_eq!(policy_type("org", "scp"), "scp");
    }
}
