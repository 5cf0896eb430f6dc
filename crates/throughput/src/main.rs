//! Measures, prints the table, and keeps raw numbers; `cargo xtask bench` starts it.
//!
//! With `grow` or `make` as the first word it is one of its own children, which asks one question of
//! [`growth`].

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a chore talks to the person who started it"
)]

mod options;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use keyaki_throughput::mix::{KINDS, Mix, PASS};
use keyaki_throughput::report::Table;
use keyaki_throughput::throughput::{self, Bench};
use keyaki_throughput::{certificates, findings, growth, latency, record, service, variables};

use options::Options;

/// How many questions the smaller batches have whose memory is measured.
const BATCHES: [u64; 2] = [10_000, 100_000];

/// How many the large one has.
const MILLION: u64 = 1_000_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.split_first() {
        Some((word, rest)) if word == "grow" || word == "make" => {
            growth::ask(rest, word == "make").map(|answer| println!("{answer}"))
        }
        _ => Options::read(&arguments, &record::date()).and_then(|options| run(&options)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    let mix = Mix::read(&options.jobs, &options.seed)?;
    let scratch = options.jobs.parent().unwrap_or(Path::new("."));
    let mut bench = Bench::new(&options.keyaki, &mix, options.workers, scratch);
    let mut table = Table::default();
    let mut files = Vec::new();
    let before = record::machine();
    let n = options.questions;
    if options.has("throughput") {
        throughput(&mut bench, options)?;
        table.questions(&bench);
        table.throughput(&bench.runs);
    }
    if options.has("latency") {
        note("latency");
        // Of the questions of the cold runs, in another process.
        let samples = latency::measure(&mix, 0..n);
        table.latency(&samples);
        files.push(("latency.csv", latency::csv(&samples)));
    }
    if options.has("growth") {
        note("growth");
        let counts = !options.quick && growth::counts_instructions();
        let points = growth::measure(options.doublings, options.cap, counts)?;
        table.growth(&points, counts);
        files.push(("growth.csv", growth::csv(&points, counts)));
    }
    if options.has("memory") && !options.quick {
        let sizes = BATCHES.into_iter().chain(options.million.then_some(MILLION));
        for size in sizes {
            note(&format!("memory of {size}"));
            bench.streamed(size)?;
        }
        table.memory(&bench.runs);
    }
    files.push(("runs.csv", throughput::csv(&bench.runs)));
    files.push(("answers.csv", throughput::answers_csv(&bench.answers)));
    if options.has("variables") {
        note("policy variables");
        let census = variables::Census::of(mix.lines())?;
        table.variables(&census);
        files.push(("variables.csv", census.csv()));
    }
    if options.has("findings") && !options.quick {
        note("findings");
        let points = findings::measure(&findings::SIZES)?;
        table.findings(&points);
        files.push(("findings.csv", findings::csv(&points)));
    }
    if options.has("service") {
        note("service");
        let (n_questions, time) = if options.quick { (6_000, 5) } else { (60_000, 20) };
        let time = Duration::from_secs(time);
        let measured =
            service::measure(&options.keyaki, &mix, options.workers, scratch, n_questions, time)?;
        table.service(&measured);
        files.push(("service.csv", service::csv(&measured)));
    }
    if options.has("certificates") {
        note("certificates");
        let step = if options.quick { 20 } else { 1 };
        let samples = certificates::measure(mix.lines(), step);
        table.certificates(&samples);
        files.push(("certificates.csv", certificates::csv(&samples)));
        files.push(("certificates.txt", format!("{before}\n{}", certificates::table(&samples))));
    }
    let about = format!(
        "{}{before}{}seed `{}`; jobs of each kind to draw from: {:?}\n",
        record::versions(),
        record::machine(),
        options.seed,
        mix.n_jobs()
    );
    let text = format!("{about}\n{}", table.text());
    println!("{text}");
    files.push(("bench.txt", text));
    if let Some(folder) = &options.record {
        let named: Vec<(String, String)> =
            files.into_iter().map(|(name, text)| (named(name), text)).collect();
        record::write(folder, &named)?;
    }
    verdict(&bench)
}

/// Files of other measurements may be in the same folder.
fn named(file: &str) -> String {
    if file.starts_with("bench") { file.to_owned() } else { format!("bench-{file}") }
}

fn throughput(bench: &mut Bench<'_>, options: &Options) -> Result<(), String> {
    let pass = |number: u64| number * PASS..number * PASS + options.questions;
    for repetition in 0..options.repetitions {
        note(&format!("cold run {} of {} questions", repetition + 1, options.questions));
        bench.cold("cold", options.workers, pass(repetition), None)?;
        bench.cold("one-thread", 1, pass(repetition), None)?;
    }
    for (kind, name) in KINDS.iter().enumerate() {
        note(name);
        bench.cold(name, options.workers, pass(0), Some(kind))?;
    }
    note("warm");
    bench.warm([pass(options.repetitions), pass(options.repetitions + 1)])?;
    Ok(())
}

/// What must not be, whatever the times.
fn verdict(bench: &Bench<'_>) -> Result<(), String> {
    if let Some(fault) = &bench.answers.fault {
        return Err(format!("a fault of ours: {fault}"));
    }
    match bench.answers.under_several_names() {
        (_, opposite) if opposite.is_empty() => Ok(()),
        (_, opposite) => Err(format!("opposite answers under other names: {opposite:?}")),
    }
}

fn note(what: &str) {
    eprintln!("{what} ...");
}
