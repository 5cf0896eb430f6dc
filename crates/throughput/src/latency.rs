//! How long one question takes in this process, from policy text in memory to the replayed verdict, and how long
//! `serde_json` takes to read the same text.
//!
//! One thread, question after question, each text new. What is measured of ours begins with the policies' texts and ends with
//! the result; what is measured of `serde_json` is `from_str::<Value>` of the same texts, right before or
//! right after, in turns. Taking down what was built is in neither.

use std::fmt::Write as _;
use std::hint::black_box;
use std::ops::Range;
use std::time::{Duration, Instant};

use keyaki::job::{Document, Inquiry, Setting, engines};
use keyaki::question::{PolicyRef, Side};
use keyaki::solvers::Config;
use keyaki::wire::{JobResult, VerdictName};
use keyaki::{Cancel, EngineOptions, PolicyType, access};
use serde_json::Value;

use crate::mix::{Drawn, KINDS, Mix};

/// The quantiles that are told.
const QUANTILES: [(&str, f64); 6] =
    [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("p99.99", 0.9999), ("max", 1.0)];

/// How many of the slowest are named.
const LISTED: usize = 20;

/// What was measured of one question.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Its id.
    pub id: String,
    /// Index of its kind.
    pub kind: usize,
    /// Bytes of its policies.
    pub n_bytes: usize,
    /// A word for the answer.
    pub answer: &'static str,
    /// From texts to the result.
    pub whole: Duration,
    /// What `serde_json` takes for the same texts.
    pub json: Duration,
}

/// Measures the questions of these numbers.
pub fn measure(mix: &Mix, numbers: Range<u64>) -> Vec<Sample> {
    let (config, options) = (Config::builtin(), EngineOptions::default());
    let engines = engines(&config, &options);
    let cancel = Cancel::new();
    let mut samples = Vec::new();
    for number in numbers {
        let drawn = mix.question(number);
        let asked = Asked::of(&drawn);
        let texts: Vec<&str> = asked.documents.iter().map(|(_, text)| text.as_str()).collect();
        let n_bytes = texts.iter().map(|text| text.len()).sum();
        let mut json = if number % 2 == 0 { read_all(&texts) } else { Duration::ZERO };
        let given = asked.clone();
        let start = Instant::now();
        let inquiry = given.inquiry();
        let result = inquiry.as_ref().ok().map(|inquiry| inquiry.answer(&engines, &cancel));
        let whole = start.elapsed();
        let answer = word(result.as_ref());
        drop(black_box((inquiry, result)));
        if number % 2 == 1 {
            json = read_all(&texts);
        }
        let id = drawn.job["id"].as_str().unwrap_or_default().to_owned();
        samples.push(Sample { id, kind: drawn.kind, n_bytes, answer, whole, json });
    }
    samples
}

/// How long `serde_json` takes for these texts.
fn read_all(texts: &[&str]) -> Duration {
    let mut time = Duration::ZERO;
    for text in texts {
        let start = Instant::now();
        let value = serde_json::from_str::<Value>(black_box(text));
        time += start.elapsed();
        drop(black_box(value));
    }
    time
}

/// A question as texts and what else it has.
#[derive(Clone)]
struct Asked {
    question: &'static str,
    documents: Vec<(PolicyRef, String)>,
    policy_type: Option<PolicyType>,
    /// Texts of actions and of resources.
    accesses: Vec<[Vec<String>; 2]>,
}

impl Asked {
    fn of(drawn: &Drawn) -> Asked {
        let place = |name| match name {
            "policy" => PolicyRef::of_union(Side::Policy, 0),
            "existing" => PolicyRef::of_union(Side::Existing, 0),
            _ => PolicyRef::of_union(Side::New, 0),
        };
        let texts = |value: &Value| -> Vec<String> {
            let texts = value.as_array().into_iter().flatten();
            texts.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let accesses = drawn.job["access"].as_array().into_iter().flatten();
        Asked {
            question: KINDS[drawn.kind],
            documents: drawn.policies().map(|(name, p)| (place(name), p.to_string())).collect(),
            policy_type: drawn.job["policy_type"].as_str().and_then(PolicyType::by_name),
            accesses: accesses.map(|a| [texts(&a["actions"]), texts(&a["resources"])]).collect(),
        }
    }

    fn inquiry(self) -> Result<Inquiry, ()> {
        let accesses = self.accesses.iter();
        let accesses = accesses.map(|[actions, resources]| access::from_texts(actions, resources));
        let setting = Setting {
            policy_type: self.policy_type,
            accesses: accesses.collect::<Result<_, _>>().map_err(|_| ())?,
            ..Setting::default()
        };
        let documents = self.documents.into_iter();
        let documents = documents.map(|(at, text)| Document::new(at, String::new(), text));
        Inquiry::new(self.question, documents.collect(), setting).map_err(|_| ())
    }
}

fn word(result: Option<&JobResult>) -> &'static str {
    match result {
        None => "input-error",
        Some(JobResult { error: Some(_), .. }) => "fault",
        Some(result) => match result.verdict {
            Some(VerdictName::Holds) => "holds",
            Some(VerdictName::Fails) => "fails",
            _ => "unknown",
        },
    }
}

/// The quantile of one kind, or of all; what has no verdict does not count, as it is quicker.
pub fn quantile(samples: &[Sample], kind: Option<usize>, share: f64) -> Duration {
    let mut times: Vec<Duration> = of_kind(samples, kind).map(|sample| sample.whole).collect();
    times.sort_unstable();
    let rank = (times.len() as f64 * share).ceil() as usize;
    times.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

/// The whole time over what `serde_json` took, of one kind or of all.
pub fn ratio(samples: &[Sample], kind: Option<usize>) -> f64 {
    let whole: Duration = of_kind(samples, kind).map(|sample| sample.whole).sum();
    let json: Duration = of_kind(samples, kind).map(|sample| sample.json).sum();
    whole.as_secs_f64() / json.as_secs_f64().max(1e-9)
}

/// The median of the same ratio, question by question.
pub fn median_ratio(samples: &[Sample]) -> f64 {
    let ratio = |sample: &Sample| sample.whole.as_secs_f64() / sample.json.as_secs_f64().max(1e-9);
    let mut ratios: Vec<f64> = of_kind(samples, None).map(ratio).collect();
    ratios.sort_unstable_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).copied().unwrap_or_default()
}

fn of_kind(samples: &[Sample], kind: Option<usize>) -> impl Iterator<Item = &Sample> + Clone {
    let has_verdict = |sample: &&Sample| !matches!(sample.answer, "input-error" | "fault");
    let of_kind = move |sample: &&Sample| kind.is_none_or(|kind| kind == sample.kind);
    samples.iter().filter(has_verdict).filter(of_kind)
}

/// Quantiles of all and of each kind, and the slowest by name.
pub fn csv(samples: &[Sample]) -> String {
    let mut text = "what,kind,id,answer,policy_bytes,whole_ns,serde_json_ns\n".to_owned();
    for kind in [None, Some(0), Some(1), Some(2)] {
        let name = kind.map_or("all", |kind| KINDS[kind]);
        for (label, share) in QUANTILES {
            let time = quantile(samples, kind, share).as_nanos();
            let _ = writeln!(text, "{label},{name},,,,{time},");
        }
        let sum = |of: fn(&Sample) -> u128| of_kind(samples, kind).map(of).sum::<u128>();
        let bytes = sum(|sample| sample.n_bytes as u128);
        let (whole, json) = (sum(|s| s.whole.as_nanos()), sum(|s| s.json.as_nanos()));
        let _ = writeln!(text, "sum,{name},,,{bytes},{whole},{json}");
    }
    let mut slowest: Vec<&Sample> = samples.iter().collect();
    slowest.sort_by_key(|sample| std::cmp::Reverse(sample.whole));
    for sample in slowest.into_iter().take(LISTED) {
        let Sample { id, kind, n_bytes, answer, whole, json } = sample;
        let (kind, whole, json) = (KINDS[*kind], whole.as_nanos(), json.as_nanos());
        let _ = writeln!(text, "slowest,{kind},{id},{answer},{n_bytes},{whole},{json}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_ratios_are_of_the_samples() {
        let sample = |n: u64| Sample {
            id: n.to_string(),
            kind: n as usize % 3,
            n_bytes: 1,
            answer: "holds",
            whole: Duration::from_nanos(10 * n),
            json: Duration::from_nanos(n),
        };
        let samples: Vec<Sample> = (1..=100).map(sample).collect();
        assert_eq!(quantile(&samples, None, 0.99), Duration::from_nanos(990));
        assert_eq!(quantile(&samples, Some(0), 1.0), Duration::from_nanos(990));
        assert_eq!(quantile(&[], None, 0.5), Duration::ZERO);
        assert!((ratio(&samples, None) - 10.0).abs() < 1e-6);
        let csv = csv(&samples);
        assert!(csv.contains("max,all,,,,1000,"), "{csv}");
        assert_eq!(csv.lines().filter(|line| line.starts_with("slowest")).count(), LISTED);
    }
}
