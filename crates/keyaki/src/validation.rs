//! The task `validate`: everything that is wrong with or odd in a policy.
//!
//! It asks no solver and no request, and refuses no policy: what is wrong with it is the answer.

use std::time::Instant;

use keyaki_policy::json::{Kind, Member};
use keyaki_policy::span::Span;
use keyaki_policy::{PolicyType, validate};

use crate::reader::{Fallible, Reader, pointer};
use crate::wire::findings::Finding;
use crate::wire::{JobResult, nanoseconds};

/// The name of the task of telling what is wrong with a policy.
pub const VALIDATE: &str = "validate";

/// A policy to validate.
#[derive(Clone, Debug)]
pub struct Validation {
    /// Its text, which may be anything.
    pub source: String,
    /// What it is attached to; guessed if `None`.
    pub policy_type: Option<PolicyType>,
}

impl Validation {
    /// Reads the members of a job whose `question` is `validate`.
    pub(crate) fn read(
        reader: Reader<'_>,
        job: Span,
        members: &[Member<'_>],
    ) -> Fallible<Validation> {
        let mut source = None;
        let mut policy_type = None;
        for Member { key, value, .. } in members {
            let path = pointer("", key);
            match (&**key, &value.kind) {
                ("id" | "question", _) => {}
                ("timeout_ms", _) => drop(reader.milliseconds(value, &path)?),
                ("policy", Kind::Object(_)) => source = Some(reader.text(value).to_owned()),
                ("policy", Kind::String(text)) => source = Some(text.to_string()),
                ("policy", _) => {
                    let message = "a policy is an object, or a string that holds JSON";
                    return Err(reader.wrong(value, &path, message));
                }
                ("policy_type", _) => {
                    policy_type = Some(reader.policy_type(value, &path)?);
                }
                (other, _) => {
                    let message = format!("a `{VALIDATE}` job has no member `{other}`");
                    let hint = "its members are id, question, policy, policy_type and timeout_ms";
                    return Err(reader.wrong_with_hint(value, &path, &message, hint));
                }
            }
        }
        match source {
            Some(source) => Ok(Validation { source, policy_type }),
            None => Err(reader.wrong_at(job, "", "the job has no `policy`")),
        }
    }

    /// Validates.
    pub fn answer(&self) -> JobResult {
        let start = Instant::now();
        let findings = validate(&self.source, self.policy_type);
        JobResult {
            question: Some(VALIDATE.to_owned()),
            findings: Some(
                findings.into_iter().map(|found| Finding::Validation(found.into())).collect(),
            ),
            elapsed_ns: Some(nanoseconds(start.elapsed())),
            ..JobResult::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use keyaki_logic::Cancel;

    use super::*;
    use crate::job::Task;
    use crate::wire::ErrorRecord;

    fn answer(line: &str) -> JobResult {
        let no_engine = |_: &[String]| Err(ErrorRecord::new("no-engine", "none is needed"));
        match Task::from_json(line.as_bytes(), Duration::from_secs(1)) {
            Ok((id, task)) => JobResult { id, ..task.answer(&no_engine, &Cancel::new()) },
            Err(result) => *result,
        }
    }

    #[track_caller]
    fn check(line: &str, expected: &str) {
        let result = JobResult { elapsed_ns: None, ..answer(line) };
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
        assert_eq!(answer(line).findings.map(|findings| findings.len()), Some(1));
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
                "`role` is no type of policy",
            ),
            (
                r#"{"id":"a","question":"validate","policy":{},"new":{}}"#,
                "a `validate` job has no member `new`",
            ),
        ] {
            let result = answer(line);
            assert_eq!(result.id.as_deref(), Some("a"));
            assert_eq!(result.error.map(|error| error.message).as_deref(), Some(message));
        }
    }
}
