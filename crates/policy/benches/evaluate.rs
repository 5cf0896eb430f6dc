//! What it costs to read a policy and to decide one request by it, beside what `serde_json` takes
//! to read the same text: `cargo bench -p keyaki-policy --bench evaluate`.
//!
//! The sample is the shipped AWS managed policies. The two sides take turns on each policy, many
//! times, and the fastest turn of each counts, so that the ratio is of one run and one machine
//! state. A benchmark framework would measure the two one after the other and leave the division
//! to the reader.

#![expect(clippy::print_stdout, reason = "the numbers are the program's purpose")]
#![expect(clippy::unwrap_used, reason = "the sample is checked by the corpus tests")]

use keyaki_policy::request::{Context, ContextValue, Principal};
use keyaki_policy::{Policy, PolicyType, Readings, Request, evaluate, parse};
use serde_json::Value;
use std::hint::black_box;
use std::time::{Duration, Instant};

const SAMPLE: &str = include_str!("../../../corpus/policies/managed_pairs.jsonl");

/// Turns of each side on each policy.
const TURNS: usize = 2_000;

/// Turns under `cargo test`, which only sees that everything runs.
const TEST_TURNS: usize = 2;

/// The fastest turn of each step on one policy, or sums of these.
#[derive(Clone, Copy, Default)]
struct Times {
    serde_json: Duration,
    parse: Duration,
    evaluate: Duration,
}

fn main() {
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let turns = if is_bench { TURNS } else { TEST_TURNS };
    let request = request();
    let (mut sum, mut bytes, mut ratios) = (Times::default(), 0, vec![]);
    let texts: Vec<String> = SAMPLE.lines().map(text).collect();
    for text in &texts {
        let times = measure(text, &request, turns);
        sum.serde_json += times.serde_json;
        sum.parse += times.parse;
        sum.evaluate += times.evaluate;
        bytes += text.len();
        ratios.push(times.ratio());
    }
    ratios.sort_by(f64::total_cmp);
    println!("{} managed policies, {bytes} bytes, fastest of {turns} turns each", texts.len());
    println!("serde_json to Value   {:>9.1?}", sum.serde_json);
    println!("parse                 {:>9.1?}", sum.parse);
    println!("evaluate one request  {:>9.1?}", sum.evaluate);
    println!(
        "parse + evaluate : serde_json = {:.2} (all together), {:.2} to {:.2} (each), median {:.2}",
        sum.ratio(),
        ratios[0],
        ratios[ratios.len() - 1],
        ratios[ratios.len() / 2],
    );
}

impl Times {
    fn ratio(&self) -> f64 {
        (self.parse + self.evaluate).as_secs_f64() / self.serde_json.as_secs_f64()
    }
}

fn measure(text: &str, request: &Request, turns: usize) -> Times {
    let mut best =
        Times { serde_json: Duration::MAX, parse: Duration::MAX, evaluate: Duration::MAX };
    for _ in 0..turns {
        let start = Instant::now();
        let value: Value = black_box(serde_json::from_str(black_box(text)).unwrap());
        best.serde_json = best.serde_json.min(start.elapsed());
        drop(value);

        let start = Instant::now();
        let policy: Policy = black_box(parse(black_box(text), Some(PolicyType::Identity)).unwrap());
        best.parse = best.parse.min(start.elapsed());

        let policies = std::slice::from_ref(&policy);
        let start = Instant::now();
        let evaluation = black_box(evaluate(policies, black_box(request), Readings::DEFAULT));
        best.evaluate = best.evaluate.min(start.elapsed());
        assert!(evaluation.decision.is_some(), "undecided");
    }
    best
}

fn text(line: &str) -> String {
    let record: Value = serde_json::from_str(line).unwrap();
    serde_json::to_string_pretty(&record["policy"]).unwrap()
}

fn request() -> Request {
    let mut context = Context::default();
    for (key, value) in [
        ("aws:SourceIp", "203.0.113.7"),
        ("aws:SecureTransport", "true"),
        ("aws:RequestedRegion", "eu-west-3"),
        ("aws:CurrentTime", "2026-09-26T12:00:00Z"),
        ("aws:PrincipalTag/team", "harvest"),
    ] {
        context.insert(key, ContextValue::One(value.to_owned()));
    }
    let principal = Principal::from_text("arn:aws:iam::111122223333:user/ops/ines").unwrap();
    let request = Request {
        principal,
        action: "s3:GetObject".to_owned(),
        resource: "arn:aws:s3:::quarry-logs/2026/a.json".to_owned(),
        resource_account: Some("111122223333".to_owned()),
        context,
        ..Request::default()
    };
    request.complete().unwrap()
}
