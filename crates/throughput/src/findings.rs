//! Policies made to have many findings, and how long it takes to list them.
//!
//! The shape is that of the policies `Scalability_05Keys` of AccessRefinery (FSE 2026, Apache-2.0): of `n` statements any two have a
//! principal in common and no two a source, so there are `n²` precise rows, of which `n` cover everything. Up to 15 statements
//! the policies are those; beyond, the word of whose letters each statement leaves one open is longer.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use keyaki::job::{Task, engines};
use keyaki::solvers::{Automaton, Config};
use keyaki::wire::VerdictName;
use keyaki::{Cancel, EngineOptions};
use serde_json::{Value, json};

/// The letters of the word. A user's name has at most 64.
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// The length of the word of the published policies.
const PUBLISHED: usize = 15;

/// How many statements the policies have that are measured.
pub const SIZES: [usize; 17] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 30, 60];

/// How often each is measured.
const REPETITIONS: usize = 5;

const TIMEOUT: Duration = Duration::from_secs(120);

/// What was measured of one policy.
#[derive(Clone, Debug)]
pub struct Point {
    /// Number of statements.
    pub n: usize,
    /// Number of precise rows.
    pub n_precise: usize,
    /// Number of rows that cover everything.
    pub n_rows: usize,
    /// From the job's text to its result, in the order measured.
    pub times: Vec<Duration>,
}

impl Point {
    /// The time in the middle.
    pub fn median(&self) -> Duration {
        let mut times = self.times.clone();
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or_default()
    }
}

/// The policy of `n` statements.
///
/// # Panics
///
/// There are more statements than letters.
pub fn policy(n: usize) -> Value {
    let word = &LETTERS[..n.max(PUBLISHED)];
    let statements = (1..=n).map(|number| {
        let user = format!("{}*{}", &word[..number - 1], &word[number..]);
        json!({
            "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "s3:ListBucket",
            "Resource": "arn:aws:s3:::antsknmath",
            "Condition": {
                "StringLike": {"aws:PrincipalArn": format!("arn:aws:iam::123456789012:user/{user}")},
                "ArnLike": {"aws:SourceArn":
                    format!("arn:aws:sns:ap-northeast-1:123456789012:{word}{number}")},
            },
        })
    });
    json!({"Version": "2012-10-17", "Statement": statements.collect::<Vec<_>>()})
}

/// Measures policies of these sizes, by the embedded solver in this process.
///
/// # Errors
///
/// The rows are not shown to cover everything, or are not as many as there should be.
pub fn measure(sizes: &[usize]) -> Result<Vec<Point>, String> {
    sizes.iter().map(|n| point(*n, REPETITIONS)).collect()
}

fn point(n: usize, repetitions: usize) -> Result<Point, String> {
    // R9 would have it that only services tell a source.
    let job = json!({
        "question": "findings", "policy": policy(n), "decisions": {"R9": "may-fail"},
        "trust": {"accounts": ["111122223333"]},
    })
    .to_string();
    let mut config = Config::builtin();
    config.solvers.retain(|solver| solver.name == Automaton::NAME);
    let options = EngineOptions::default();
    let engines = engines(&config, &options);
    let mut point = Point { n, n_precise: 0, n_rows: 0, times: Vec::new() };
    for _ in 0..repetitions {
        let start = Instant::now();
        let (_, task) = Task::from_json(job.as_bytes(), TIMEOUT).map_err(|e| format!("{e:?}"))?;
        let result = task.answer(&engines, &Cancel::new());
        point.times.push(start.elapsed());
        let coverage = result.coverage.ok_or_else(|| format!("{n}: {:?}", result.error))?;
        let rows = result.findings.unwrap_or_default();
        (point.n_precise, point.n_rows) = (coverage.precise_rows, rows.len());
        if coverage.verdict != VerdictName::Holds || !coverage.is_least {
            return Err(format!("{n}: {coverage:?}"));
        }
        if (point.n_precise, point.n_rows) != (n * n, n) {
            return Err(format!("{n}: {} of {} rows", point.n_rows, point.n_precise));
        }
    }
    Ok(point)
}

/// A line for each measurement.
pub fn csv(points: &[Point]) -> String {
    let mut text = "statements,precise rows,rows,repetition,ns\n".to_owned();
    for Point { n, n_precise, n_rows, times } in points {
        for (repetition, time) in times.iter().enumerate() {
            let _ = writeln!(text, "{n},{n_precise},{n_rows},{repetition},{}", time.as_nanos());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_policies_have_as_many_rows_as_published() {
        for n in [1, 2, 5, 10, 15] {
            let point = point(n, 1).unwrap();
            assert_eq!((point.n_precise, point.n_rows), (n * n, n));
        }
    }

    #[test]
    fn the_policies_are_those_of_the_publication() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../../shared/corpus/findings/Scalability_05Keys");
        if !folder.is_dir() {
            eprintln!("SKIPPED: the published policies are not beside this working copy");
            return;
        }
        for n in 1..=PUBLISHED {
            let text = std::fs::read_to_string(folder.join(format!("{n:02}_allow.json"))).unwrap();
            let published: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(policy(n), published, "{n}");
        }
    }
}
