//! What came back: verdicts by kind, and whether the same job has the same verdict under all its names.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::mix::KINDS;

/// Answers to questions, counted.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// By kind, then `holds`, `fails`, `unknown`, input errors, and faults.
    pub counts: [[usize; 5]; 3],
    /// The first fault, as it was answered.
    pub fault: Option<String>,
    /// Bytes of the answers.
    pub n_bytes: usize,
    /// The definite verdicts of each job, by its id: how often it held and failed.
    verdicts: BTreeMap<String, [usize; 2]>,
}

/// The names of the counts.
pub const COLUMNS: [&str; 5] = ["holds", "fails", "unknown", "input-error", "fault"];

/// Codes of errors that are about the input.
const OF_INPUT: [&str; 3] = ["invalid-policy", "wrong-policy-type", "invalid-access"];

impl Answers {
    /// Counts the answer to a job that [`Mix`](crate::mix::Mix) made.
    pub fn add(&mut self, line: &str) {
        self.n_bytes += line.len() + 1;
        let result: Value = serde_json::from_str(line).unwrap_or_default();
        let text = |name: &str| result[name].as_str().unwrap_or_default();
        let column = match text("verdict") {
            "holds" => 0,
            "fails" => 1,
            "unknown" => 2,
            _ if is_of_input(&result["error"]) => 3,
            _ => 4,
        };
        let (number, base) = text("id").split_once(':').unwrap_or_default();
        let kind = number.parse::<usize>().map_or(0, |number| number % KINDS.len());
        self.counts[kind][column] += 1;
        if column == 4 && self.fault.is_none() {
            self.fault = Some(line.to_owned());
        }
        if column < 2 {
            self.verdicts.entry(base.to_owned()).or_default()[column] += 1;
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.counts.iter().flatten().sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many are in a column.
    pub fn total(&self, column: usize) -> usize {
        self.counts.iter().map(|counts| counts[column]).sum()
    }

    /// How much of all held.
    pub fn share_of_holds(&self) -> f64 {
        self.total(0) as f64 / self.len().max(1) as f64
    }

    /// How many jobs were answered under several names, and the ids of those that held under some and failed
    /// under others: one of the two is wrong.
    pub fn under_several_names(&self) -> (usize, Vec<&str>) {
        let several = self.verdicts.iter().filter(|(_, [holds, fails])| holds + fails > 1);
        let opposite = several.clone().filter(|(_, [holds, fails])| *holds > 0 && *fails > 0);
        (several.count(), opposite.map(|(base, _)| base.as_str()).collect())
    }
}

/// Some policies of the corpus are not of the type that their record names.
fn is_of_input(error: &Value) -> bool {
    error["code"].as_str().is_some_and(|code| OF_INPUT.contains(&code) || error["line"].is_u64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_by_kind_and_opposite_ones_are_told() {
        let mut answers = Answers::default();
        for line in [
            r#"{"id":"0:a","verdict":"holds"}"#,
            r#"{"id":"3:a","verdict":"fails"}"#,
            r#"{"id":"1:b","verdict":"holds"}"#,
            r#"{"id":"4:b","verdict":"holds"}"#,
            r#"{"id":"2:c","verdict":"unknown"}"#,
            r#"{"id":"5:d","error":{"code":"invalid-policy","line":1}}"#,
            r#"{"id":"8:d","error":{"code":"unsound"}}"#,
            "rubbish",
        ] {
            answers.add(line);
        }
        assert_eq!(answers.counts, [[1, 1, 0, 0, 1], [2, 0, 0, 0, 0], [0, 0, 1, 1, 1]]);
        assert_eq!(answers.under_several_names(), (2, vec!["a"]));
        assert_eq!(answers.share_of_holds(), 3.0 / 8.0);
        assert!(answers.fault.unwrap().contains("unsound"));
    }
}
