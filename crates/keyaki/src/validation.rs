//! The task `validate`: everything that is wrong with or odd in a policy.
//!
//! It needs no solver, so it is no question like the others, and [`answer_line`] takes its jobs out
//! of a batch before they are read as questions.

use std::time::Instant;

use keyaki_policy::json::{self, Kind, Member, Value};
use keyaki_policy::span::Position;
use keyaki_policy::{PolicyType, validate};

use crate::wire::validate::FindingRecord;
use crate::wire::{ErrorRecord, JobResult, PolicyTypeName, nanoseconds};

/// The task's name in jobs and results.
pub const VALIDATE: &str = "validate";

/// Validates the text of a policy; without a type, that is guessed.
pub fn answer(source: &str, policy_type: Option<PolicyType>) -> JobResult {
    let start = Instant::now();
    let findings = validate(source, policy_type).into_iter().map(FindingRecord::from).collect();
    JobResult {
        question: Some(VALIDATE.to_owned()),
        findings: Some(findings),
        elapsed_ns: Some(nanoseconds(start.elapsed())),
        ..JobResult::default()
    }
}

/// The result of a line of a batch, if its `question` is `validate`; none of any other line, also
/// one that is no job.
pub fn answer_line(line: &[u8]) -> Option<JobResult> {
    // Reading a line costs as much as some answers do: most need not be read twice.
    let name = VALIDATE.as_bytes();
    if !line.windows(name.len()).any(|window| window == name) {
        return None;
    }
    let source = json::decode(line).ok()?;
    let job = json::read(source).ok()?;
    let Kind::Object(members) = &job.kind else { return None };
    let question = members.iter().find(|member| member.key == "question")?;
    if !matches!(&question.value.kind, Kind::String(name) if name == VALIDATE) {
        return None;
    }
    Some(answer_job(source, &job, members))
}

fn answer_job(source: &str, job: &Value<'_>, members: &[Member<'_>]) -> JobResult {
    let wrong = |value: &Value<'_>, path: &str, message: String| {
        let position = Position::of(source, value.span.start);
        ErrorRecord {
            path: Some(path.to_owned()),
            line: Some(position.line),
            column: Some(position.column),
            ..ErrorRecord::new("invalid-job", message)
        }
    };
    let mut id = None;
    let mut policy = None;
    let mut policy_type = None;
    let mut error = None;
    for Member { key, value, .. } in members {
        let path = format!("/{}", key.replace('~', "~0").replace('/', "~1"));
        let mistake = match (&**key, &value.kind) {
            ("id", Kind::String(text)) => {
                id = Some(text.to_string());
                continue;
            }
            ("question" | "timeout_ms", _) => continue,
            ("policy", Kind::Object(_)) => {
                let span = value.span;
                policy = Some(source[span.start as usize..span.end as usize].to_owned());
                continue;
            }
            ("policy", Kind::String(text)) => {
                policy = Some(text.to_string());
                continue;
            }
            ("policy_type", Kind::String(name)) => match PolicyTypeName::by_name(name) {
                Some(name) => {
                    policy_type = Some(PolicyType::from(name));
                    continue;
                }
                None => format!("`policy_type` is one of {}", PolicyTypeName::names()),
            },
            ("id" | "policy_type", _) => format!("`{key}` is a string"),
            ("policy", _) => "a policy is an object, or a string that holds JSON".to_owned(),
            _ => format!("a `{VALIDATE}` job has no member `{key}`"),
        };
        error = error.or(Some(wrong(value, &path, mistake)));
    }
    let result = match (error, policy) {
        (Some(error), _) => Err(error),
        (None, None) => Err(wrong(job, "", "the job has no `policy`".to_owned())),
        (None, Some(policy)) => Ok(answer(&policy, policy_type)),
    };
    match result {
        Ok(result) => JobResult { id, ..result },
        Err(error) => JobResult {
            id,
            question: Some(VALIDATE.to_owned()),
            error: Some(error),
            ..JobResult::default()
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &str) {
        let result = answer_line(line.as_bytes()).expect("a validate job");
        let result = JobResult { elapsed_ns: None, ..result };
        assert_eq!(serde_json::to_string(&result).expect("it is JSON"), expected);
    }

    #[test]
    fn findings_have_places_in_the_policy() {
        check(
            r#"{"id":"9","question":"validate","policy_type":"identity","policy":{"Version":"2012-10-17",
 "Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"StringLikes":{"aws:userid":"x"}}}}}"#,
            concat!(
                r#"{"id":"9","question":"validate","findings":[{"level":"error","#,
                r#""code":"unknown-operator","check":"Invalid condition operator","#,
                r#""message":"unknown condition operator `StringLikes`","#,
                r#""hint":"did you mean `StringLike`?","#,
                r#""path":"/Statement/Condition/StringLikes","line":2,"column":84}]}"#
            ),
        );
    }

    #[test]
    fn a_policy_that_is_no_json_has_one_finding() {
        let line = r#"{"question":"validate","policy":"{"}"#;
        let findings = answer_line(line.as_bytes()).and_then(|result| result.findings);
        assert_eq!(findings.map(|findings| findings.len()), Some(1));
    }

    #[test]
    fn a_mistake_in_the_job_is_an_error() {
        for (line, message) in [
            (r#"{"id":"a","question":"validate"}"#, "the job has no `policy`"),
            (
                r#"{"id":"a","question":"validate","policy":1}"#,
                "a policy is an object, or a string that holds JSON",
            ),
            (
                r#"{"id":"a","question":"validate","policy":{},"policy_type":"role"}"#,
                "`policy_type` is one of identity, resource, trust, kms, scp, rcp, boundary, session, vpce",
            ),
            (
                r#"{"id":"a","question":"validate","policy":{},"new":{}}"#,
                "a `validate` job has no member `new`",
            ),
        ] {
            let result = answer_line(line.as_bytes()).expect("a validate job");
            assert_eq!(result.id.as_deref(), Some("a"));
            assert_eq!(result.error.map(|error| error.message).as_deref(), Some(message));
        }
    }

    #[test]
    fn other_lines_are_left_alone() {
        for line in [
            r#"{"question":"no-public-access","id":"validate"}"#,
            r#"{"question":"validates"}"#,
            "validate",
            "",
        ] {
            assert_eq!(answer_line(line.as_bytes()), None, "{line}");
        }
    }
}
