//! The jobs: which policies are asked what, under which id, in which order.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::{json_lines, text_of};

/// The questions asked, in the order in which they are reported.
pub(super) const QUESTIONS: [&str; 2] = ["no-public-access", "no-new-access"];

/// A job for `keyaki batch`.
#[derive(Clone, Debug)]
pub(super) struct Job {
    /// `public/RECORD`, or `history/NAME/OLD->NEW/forward`, or the same with `backward`, where NEW
    /// is the policy of reference and OLD the one in question.
    pub(super) id: String,
    /// The question.
    pub(super) question: &'static str,
    /// The job.
    pub(super) job: Value,
}

/// All jobs of the corpus: public access in the order of the record ids, then the histories in the
/// order of names and versions, forward before backward.
pub(super) fn all(folder: &Path) -> Result<Vec<Job>, String> {
    let read = |file| json_lines(&folder.join(file));
    let mut jobs = public(read("resource.jsonl")?);
    jobs.extend(histories(read("aws_managed_history.jsonl")?, read("aws_managed.jsonl")?)?);
    Ok(jobs)
}

fn public(mut records: Vec<Value>) -> Vec<Job> {
    records.sort_by(|a, b| text_of(a, "id").cmp(text_of(b, "id")));
    let job = |record: Value| {
        let id = format!("public/{}", text_of(&record, "id"));
        let question = QUESTIONS[0];
        let job = json!({
            "id": id, "question": question, "policy_type": "resource", "policy": record["policy"],
        });
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
            jobs.push(comparison(format!("{pair}/forward"), before, after));
            jobs.push(comparison(format!("{pair}/backward"), after, before));
        }
    }
    Ok(jobs)
}

fn comparison(id: String, existing: &Value, new: &Value) -> Job {
    let question = QUESTIONS[1];
    let job = json!({
        "id": id, "question": question, "policy_type": "identity",
        "existing": existing["policy"], "new": new["policy"],
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
}
