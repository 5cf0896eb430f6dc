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

/// One answer and what it is about.
fn entry(job: &Job, result: &Value) -> String {
    let mut text = format!("## {}\n\n", job.id);
    for name in ["policy", "existing", "new"] {
        if let Some(policy) = job.job.get(name) {
            let _ = writeln!(text, "{name}: {policy:#}");
        }
    }
    let members = result.as_object().into_iter().flatten();
    for (name, value) in
        members.filter(|(name, _)| !["id", "question", "attempts"].contains(&name.as_str()))
    {
        let _ = writeln!(text, "{name}: {value}");
    }
    text
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
}
