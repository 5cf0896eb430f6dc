//! What is counted, as Prometheus reads it.
//!
//! Names of metrics are stable; labels have few values, none of which a client can choose: what is not known is counted as `other`.
//! A crate for this would bring a registry that is global or a lock per series; there are a dozen families, and one lock that is held for
//! some hundred nanoseconds for each job.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keyaki::wire::{JobResult, QuestionName, VerdictName};

use crate::pool::Load;

/// Upper bounds of the buckets of histograms, in seconds.
const BOUNDS: [f64; 16] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0,
    5.0, 10.0, 30.0,
];

/// The most series of a family: more would be a mistake of ours, and are not kept.
const SERIES_MAX: usize = 1_000;

/// Questions that are not among [`QuestionName`].
const FURTHER_QUESTIONS: [&str; 5] = ["evaluate", "findings", "validate", "bucket", "who-can"];

/// What was counted.
#[derive(Debug, Default)]
pub struct Metrics {
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    by_question: Family<Histogram>,
    by_winner: Family<Histogram>,
    requests: Family<Histogram>,
    verdicts: Family<u64>,
    unknowns: Family<u64>,
    errors: Family<u64>,
    attempts: Family<u64>,
    shed: Family<u64>,
    audits: Family<u64>,
    accept_failures: u64,
    batches: u64,
}

/// Series by the text of their labels.
type Family<V> = BTreeMap<String, V>;

#[derive(Clone, Debug, Default)]
struct Histogram {
    /// How many were in each bucket alone; the last is beyond all bounds.
    buckets: [u64; BOUNDS.len() + 1],
    seconds: f64,
}

impl Histogram {
    fn add(&mut self, elapsed: Duration) {
        let seconds = elapsed.as_secs_f64();
        let bucket = BOUNDS.iter().position(|bound| seconds <= *bound).unwrap_or(BOUNDS.len());
        self.buckets[bucket] += 1;
        self.seconds += seconds;
    }
}

impl Metrics {
    /// Counts an answered job.
    pub(crate) fn job(&self, result: &JobResult, elapsed: Duration) {
        let question = result.question.as_deref().map_or("other", known_question);
        let mut counts = self.lock();
        let counts = &mut *counts;
        at(&mut counts.by_question, &[("question", question)]).add(elapsed);
        // Solvers are named by the configuration, and by the job only among those.
        let winner = result.solver.as_deref().unwrap_or("none");
        at(&mut counts.by_winner, &[("winner", winner)]).add(elapsed);
        if let Some(verdict) = result.verdict {
            let labels = [("question", question), ("verdict", verdict_word(verdict))];
            *at(&mut counts.verdicts, &labels) += 1;
        }
        if let Some(reason) = result.reason {
            *at(&mut counts.unknowns, &[("reason", reason.as_str())]) += 1;
        }
        if let Some(error) = &result.error {
            *at(&mut counts.errors, &[("code", &error.code)]) += 1;
        }
        for attempt in &result.attempts {
            let labels = [("solver", attempt.solver.as_str()), ("result", attempt.result.as_str())];
            *at(&mut counts.attempts, &labels) += 1;
        }
    }

    /// Counts a request of whatever kind.
    pub(crate) fn request(&self, path: &str, status: u16, elapsed: Duration) {
        let status = status.to_string();
        at(&mut self.lock().requests, &[("path", path), ("status", &status)]).add(elapsed);
    }

    /// Counts a request or job that was refused because there was too much to do.
    pub(crate) fn shed(&self, why: &str) {
        *at(&mut self.lock().shed, &[("why", why)]) += 1;
    }

    /// Counts an audit.
    pub(crate) fn audit(&self, word: &str) {
        *at(&mut self.lock().audits, &[("result", word)]) += 1;
    }

    /// Counts an answer of `cover` that was put to formulas.
    pub(crate) fn recheck(&self, word: &str) {
        *at(&mut self.lock().audits, &[("of", "cover"), ("result", word)]) += 1;
    }

    /// Counts a connection that could not be accepted.
    pub(crate) fn accept_failed(&self) {
        self.lock().accept_failures += 1;
    }

    /// Counts a batch.
    pub(crate) fn batch(&self) {
        self.lock().batches += 1;
    }

    /// All of it, with what else is known at this moment.
    pub(crate) fn text(&self, load: Load, others: &[Sample]) -> String {
        let counts = self.lock();
        let mut text = String::new();
        histograms(
            &mut text,
            "keyaki_job_seconds",
            "Time from a job to its answer, by question.",
            &counts.by_question,
        );
        let help = "Time from a job to its answer, by who decided.";
        histograms(&mut text, "keyaki_job_seconds_by_winner", help, &counts.by_winner);
        let help = "Time from the head of a request to its response, of a batch to the head of its response.";
        histograms(&mut text, "keyaki_request_seconds", help, &counts.requests);
        for (name, help, family) in [
            ("keyaki_verdicts_total", "Verdicts.", &counts.verdicts),
            ("keyaki_unknown_total", "Verdicts that are unknown, by reason.", &counts.unknowns),
            (
                "keyaki_errors_total",
                "Jobs without a verdict, by code; `contradiction` is a disagreement of solvers.",
                &counts.errors,
            ),
            (
                "keyaki_solver_attempts_total",
                "What came of asking a solver; `error` is a crash.",
                &counts.attempts,
            ),
            (
                "keyaki_shed_total",
                "Requests that were refused because there was too much to do.",
                &counts.shed,
            ),
            (
                "keyaki_audits_total",
                "Answered jobs that were put to all solvers, or, of `cover`, to formulas; `disagreed` is an incident.",
                &counts.audits,
            ),
        ] {
            head(&mut text, name, help, "counter");
            for (labels, count) in family {
                let _ = writeln!(text, "{name}{{{labels}}} {count}");
            }
        }
        let own = [
            Sample::counter(
                "keyaki_accept_failures_total",
                "Connections that could not be accepted.",
                counts.accept_failures,
            ),
            Sample::counter("keyaki_batches_total", "Batches.", counts.batches),
            Sample::gauge("keyaki_queue_jobs", "Jobs that wait.", load.queued as u64),
            Sample::gauge("keyaki_running", "Units of work that run.", load.running as u64),
            Sample::gauge(
                "keyaki_running_slow",
                "Units of work that have run for long.",
                load.slow as u64,
            ),
        ];
        for sample in own.iter().chain(others) {
            head(&mut text, sample.name, sample.help, sample.kind);
            let _ = writeln!(text, "{} {}", sample.name, sample.value);
        }
        text
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number that somebody else counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    name: &'static str,
    help: &'static str,
    kind: &'static str,
    value: u64,
}

impl Sample {
    /// Something that only grows.
    pub(crate) fn counter(name: &'static str, help: &'static str, value: u64) -> Sample {
        Sample { name, help, kind: "counter", value }
    }

    /// Something that goes up and down.
    pub(crate) fn gauge(name: &'static str, help: &'static str, value: u64) -> Sample {
        Sample { name, help, kind: "gauge", value }
    }
}

/// The series of these labels.
fn at<'f, V: Default>(family: &'f mut Family<V>, labels: &[(&str, &str)]) -> &'f mut V {
    let mut text = String::with_capacity(64);
    for (number, (name, value)) in labels.iter().enumerate() {
        let comma = if number == 0 { "" } else { "," };
        let _ = write!(text, "{comma}{name}=\"");
        for character in value.chars() {
            match character {
                '\\' => text.push_str("\\\\"),
                '"' => text.push_str("\\\""),
                '\n' => text.push_str("\\n"),
                other => text.push(other),
            }
        }
        text.push('"');
    }
    if family.len() >= SERIES_MAX && !family.contains_key(&text) {
        text = "other=\"true\"".to_owned();
    }
    family.entry(text).or_default()
}

/// The question, of those that there are.
pub(crate) fn known_question(name: &str) -> &str {
    let is_known = QuestionName::by_name(name).is_some() || FURTHER_QUESTIONS.contains(&name);
    if is_known { name } else { "other" }
}

/// The verdict as results have it.
pub(crate) fn verdict_word(verdict: VerdictName) -> &'static str {
    match verdict {
        VerdictName::Holds => "holds",
        VerdictName::Fails => "fails",
        VerdictName::Unknown => "unknown",
    }
}

fn head(text: &mut String, name: &str, help: &str, kind: &str) {
    let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
}

fn histograms(text: &mut String, name: &str, help: &str, family: &Family<Histogram>) {
    head(text, name, help, "histogram");
    for (labels, histogram) in family {
        let mut total = 0;
        for (count, bound) in histogram.buckets.iter().zip(BOUNDS) {
            total += count;
            let _ = writeln!(text, "{name}_bucket{{{labels},le=\"{bound}\"}} {total}");
        }
        total += histogram.buckets[BOUNDS.len()];
        let _ = writeln!(text, "{name}_bucket{{{labels},le=\"+Inf\"}} {total}");
        let _ = writeln!(text, "{name}_sum{{{labels}}} {}", histogram.seconds);
        let _ = writeln!(text, "{name}_count{{{labels}}} {total}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_add_up_and_labels_cannot_be_forged() {
        let metrics = Metrics::default();
        for milliseconds in [1, 1, 40, 100_000] {
            metrics.request("a\"b\\c\nd", 200, Duration::from_millis(milliseconds));
        }
        let text = metrics.text(Load::default(), &[Sample::gauge("x", "X.", 7)]);
        let labels = r#"path="a\"b\\c\nd",status="200""#;
        for line in [
            format!("keyaki_request_seconds_bucket{{{labels},le=\"0.0005\"}} 0"),
            format!("keyaki_request_seconds_bucket{{{labels},le=\"0.001\"}} 2"),
            format!("keyaki_request_seconds_bucket{{{labels},le=\"30\"}} 3"),
            format!("keyaki_request_seconds_bucket{{{labels},le=\"+Inf\"}} 4"),
            format!("keyaki_request_seconds_count{{{labels}}} 4"),
            "# TYPE x gauge".to_owned(),
            "x 7".to_owned(),
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }

    #[test]
    fn a_question_that_nobody_knows_makes_no_series() {
        let metrics = Metrics::default();
        for number in 0..3 {
            let question = Some(format!("made-up-{number}"));
            let result = JobResult { question, ..JobResult::default() };
            metrics.job(&result, Duration::from_millis(1));
        }
        assert_eq!(metrics.lock().by_question.len(), 1);
    }
}
