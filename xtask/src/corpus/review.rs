//! Draws answers to be read by a person, and prints each with the policies that it is about.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use super::jobs::{Job, QUESTIONS};
use super::{draw, text_of};

/// How many answers of each kind are drawn.
const DRAWN: usize = 20;

/// The kinds of answers.
const VERDICTS: [&str; 3] = ["holds", "fails", "unknown"];

/// Twenty answers of each question and verdict, or as many as there are.
///
/// # Errors
///
/// A result belongs to no job of the corpus.
pub(super) fn text(jobs: &[Job], results: &[Value], seed: &str) -> Result<String, String> {
    let jobs: BTreeMap<&str, &Job> = jobs.iter().map(|job| (job.id.as_str(), job)).collect();
    let mut text = String::new();
    for question in QUESTIONS {
        for verdict in VERDICTS {
            let of_kind = results.iter().filter(|result| {
                text_of(result, "question") == question && text_of(result, "verdict") == verdict
            });
            let of_kind: Vec<&Value> = of_kind.collect();
            let count = of_kind.len();
            let drawn = draw::draw(of_kind, |result| text_of(result, "id"), seed, DRAWN);
            let _ = writeln!(text, "# {question}: {verdict} ({} of {count})\n", drawn.len());
            for result in drawn {
                let id = text_of(result, "id");
                let job = jobs.get(id).ok_or_else(|| format!("no job has the id `{id}`"))?;
                let _ = writeln!(text, "{}", entry(job, result));
            }
        }
    }
    Ok(text)
}

/// One answer and what it is about: the answer, where two policies differ, the policies.
fn entry(job: &Job, result: &Value) -> String {
    const NOT_SHOWN: [&str; 3] = ["id", "question", "attempts"];
    let mut text = format!("## {}\n\n", job.id);
    for (name, value) in result.as_object().into_iter().flatten() {
        if !NOT_SHOWN.contains(&name.as_str()) {
            let _ = writeln!(text, "{name}: {value}");
        }
    }
    if let (Some(existing), Some(new)) = (job.job.get("existing"), job.job.get("new")) {
        let (existing, new) = (statements(existing), statements(new));
        for (name, these, others) in [("existing", &existing, &new), ("new", &new, &existing)] {
            for (index, statement) in these.iter().enumerate() {
                if !others.contains(statement) {
                    let _ = writeln!(text, "only in {name}, statement {index}: {statement}");
                }
            }
        }
    }
    for name in ["policy", "existing", "new"] {
        if let Some(policy) = job.job.get(name) {
            let _ = writeln!(text, "{name}: {policy:#}");
        }
    }
    text
}

/// The statements of a policy; a statement that stands alone is a list of one.
fn statements(policy: &Value) -> Vec<&Value> {
    match policy.get("Statement") {
        Some(Value::Array(statements)) => statements.iter().collect(),
        statement => statement.into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_shown_with_its_policy_and_without_its_attempts() {
        let job = json!({"id": "public/a", "policy": {"Statement": []}});
        let jobs = [Job { id: "public/a".to_owned(), question: QUESTIONS[0], job }];
        let result = json!({
            "id": "public/a", "question": QUESTIONS[0], "verdict": "holds", "attempts": [1],
        });
        let text = text(&jobs, &[result], "s").unwrap();
        assert!(text.starts_with("# no-public-access: holds (1 of 1)\n\n## public/a\n"), "{text}");
        assert!(text.contains("\"Statement\": []") && !text.contains("attempts"), "{text}");
        assert!(
            super::text(
                &[],
                &[json!({
                    "id": "x", "question": QUESTIONS[0], "verdict": "fails",
                })],
                "s"
            )
            .is_err()
        );
    }

    #[test]
    fn what_only_one_of_two_policies_has_is_shown_before_them() {
        let job = json!({
            "existing": {"Statement": {"Sid": "a"}},
            "new": {"Statement": [{"Sid": "a"}, {"Sid": "b"}]},
        });
        let job = Job { id: "history/a".to_owned(), question: QUESTIONS[1], job };
        let text = entry(&job, &json!({"verdict": "fails"}));
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("only")).collect();
        assert_eq!(lines, [r#"only in new, statement 1: {"Sid":"b"}"#]);
    }
}
