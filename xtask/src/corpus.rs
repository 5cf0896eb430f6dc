//! Asks `keyaki batch` questions about the policies of the corpus, and counts the answers.
//!
//! Every resource policy is asked `no-public-access`; every two versions of an AWS managed policy
//! that follow each other are asked `no-new-access`, in both directions, and so is every policy
//! and a small edit of it; and every policy is asked `access-not-granted` with two lists of accesses
//! that AWS published. Every resource policy is also asked `no-external-access`, with the account that it names first as the owner, and
//! every policy and its edit `equivalent` and `disjoint`. The program is used as
//! anybody would use it, a command that reads jobs and writes results, so a crash costs one job
//! and is reported with its id.
//!
//! Jobs, their ids and their order depend on the corpus alone, and a draw ([`draw`]) on the ids
//! and a seed: whoever repeats a run or a review sees the same.

mod draw;
mod edits;
mod jobs;
mod review;
mod table;
mod worker;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use jobs::Job;
use serde_json::Value;
use worker::Worker;

/// Runs the chore.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let options = Options::read(arguments)?;
    let Some(folder) = crate::shared("corpus/policies") else {
        return Err("the corpus is not beside this working copy (../shared/corpus)".to_owned());
    };
    let mut jobs = jobs::all(&folder, &options.seed)?;
    if let Some(results) = &options.review {
        print!("{}", review::text(&jobs, &json_lines(results)?, &options.seed)?);
        return Ok(());
    }
    if let Some(family) = &options.family {
        jobs.retain(|job| job.id.starts_with(&format!("{family}/")));
    }
    let jobs = match options.sample {
        Some(size) => draw::of_each_question(jobs, &options.seed, size),
        None => jobs,
    };
    let results = answer(&jobs, &options)?;
    if let Some(path) = &options.out {
        write_results(path, &results)?;
    }
    println!(
        "{} jobs, {} at a time, at most {} s each.\n\n{}",
        jobs.len(),
        options.workers,
        options.timeout.as_secs(),
        table::text(&results)
    );
    match table::faults(&results) {
        0 => Ok(()),
        count => Err(format!("{count} jobs met a fault of ours, see above")),
    }
}

/// Jobs of each family, as many as `size` of each, in the order of the corpus. Which, depends on `seed` alone.
///
/// # Errors
///
/// The corpus cannot be read.
pub(crate) fn jobs_of_each_family(
    folder: &Path,
    seed: &str,
    size: usize,
) -> Result<Vec<Value>, String> {
    let jobs = jobs::measured(folder, seed)?;
    Ok(draw::of_each_family(jobs, seed, size).into_iter().map(|job| job.job).collect())
}

/// Every job of the corpus, in an order that depends on `seed` alone, with `rounds` edits of each policy instead of
/// one; or, without a folder, every job of the repository.
///
/// # Errors
///
/// The corpus cannot be read.
pub(crate) fn jobs_in_rounds(
    folder: Option<&Path>,
    seed: &str,
    rounds: usize,
) -> Result<Vec<Value>, String> {
    let repository = crate::root().join("corpus/policies");
    let mut drawn = Vec::new();
    for round in 0..rounds {
        let of_round = format!("{seed}/{round}");
        let jobs = match folder {
            Some(folder) => jobs::measured(folder, &of_round)?,
            None => jobs::of_the_repository(&repository, &of_round)?,
        };
        let size = jobs.len();
        for mut job in draw::draw(jobs, |job| &job.id, &of_round, size) {
            // Nothing but the edits depends on the round.
            if round == 0 || job.id.starts_with("edit/") {
                job.job["id"] = format!("{}#{round}", job.id).into();
                drawn.push(job.job);
            }
        }
    }
    Ok(drawn)
}

/// Every job whose formulas are queries of a suite, with `rounds` edits of each policy.
///
/// # Errors
///
/// The corpus cannot be read.
pub(crate) fn jobs_of_suite(
    folder: &Path,
    seed: &str,
    rounds: usize,
) -> Result<Vec<Value>, String> {
    Ok(jobs::suite(folder, seed, rounds)?.into_iter().map(|job| job.job).collect())
}

/// What can be asked about the policies of `corpus/policies`: whether each resource policy is public, and each
/// policy and an edit of itself.
///
/// # Errors
///
/// The files cannot be read.
pub(crate) fn jobs_of_the_repository(seed: &str) -> Result<Vec<Value>, String> {
    let jobs = jobs::of_the_repository(&crate::root().join("corpus/policies"), seed)?;
    Ok(jobs.into_iter().map(|job| job.job).collect())
}

const USAGE: &str = "corpus [--keyaki PATH] [--timeout SECONDS] [--workers N] [--solver NAME] \
                     [--out FILE] [--family public|history|edit|access|external|equivalent|disjoint] [--sample N] [--seed TEXT], \
                     or corpus --review FILE [--seed TEXT]";

struct Options {
    keyaki: PathBuf,
    timeout: Duration,
    workers: usize,
    /// The solvers to ask, or the program's own choice.
    solvers: Vec<String>,
    /// Where to keep the results, one a line.
    out: Option<PathBuf>,
    /// How many jobs of each question to answer; all if `None`.
    sample: Option<usize>,
    /// The first part of the ids of the jobs to answer; all if `None`.
    family: Option<String>,
    /// Results of an earlier run, to draw a review from instead of running.
    review: Option<PathBuf>,
    seed: String,
}

impl Options {
    fn read(arguments: &[String]) -> Result<Options, String> {
        let mut options = Options {
            keyaki: crate::root().join("target/release/keyaki"),
            timeout: Duration::from_secs(30),
            workers: 1,
            solvers: Vec::new(),
            out: None,
            sample: None,
            family: None,
            review: None,
            seed: "keyaki".to_owned(),
        };
        let mut rest = arguments.iter();
        while let Some(flag) = rest.next() {
            let value = rest.next().ok_or_else(|| format!("usage: {USAGE}"))?;
            let number =
                || value.parse::<usize>().map_err(|_| format!("`{flag} {value}` is no number"));
            match flag.as_str() {
                "--keyaki" => options.keyaki = PathBuf::from(value),
                "--timeout" => options.timeout = Duration::from_secs(number()? as u64),
                "--workers" => options.workers = number()?.max(1),
                "--solver" => options.solvers.push(value.clone()),
                "--out" => options.out = Some(PathBuf::from(value)),
                "--sample" => options.sample = Some(number()?),
                "--family" => options.family = Some(value.clone()),
                "--review" => options.review = Some(PathBuf::from(value)),
                "--seed" => options.seed = value.clone(),
                _ => return Err(format!("unknown flag `{flag}`\nusage: {USAGE}")),
            }
        }
        if options.review.is_none() && !options.keyaki.is_file() {
            return Err(format!(
                "there is no `{}`\nhint: cargo build --release -p keyaki-cli, or give --keyaki",
                options.keyaki.display()
            ));
        }
        Ok(options)
    }
}

/// The results, in the order of the jobs.
fn answer(jobs: &[Job], options: &Options) -> Result<Vec<Value>, String> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(vec![Value::Null; jobs.len()]);
    let work = || -> Result<(), String> {
        let mut worker =
            Worker::new(options.keyaki.clone(), options.timeout, options.solvers.clone());
        while let Some((at, job)) = take(&next, jobs) {
            let result = worker.answer(job)?;
            results.lock().expect("no worker panics with the lock")[at] = result;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..options.workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker does not panic"))
    })?;
    Ok(results.into_inner().expect("no worker panics with the lock"))
}

/// How many jobs go by between two signs of life.
const JOBS_PER_NOTE: usize = 200;

/// The next job that nobody has taken yet.
fn take<'j>(next: &AtomicUsize, jobs: &'j [Job]) -> Option<(usize, &'j Job)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    let job = jobs.get(at)?;
    if at.is_multiple_of(JOBS_PER_NOTE) {
        eprintln!("{at} of {} jobs: {}", jobs.len(), job.id);
    }
    Some((at, job))
}

fn write_results(path: &Path, results: &[Value]) -> Result<(), String> {
    let mut text = Vec::new();
    for result in results {
        writeln!(text, "{result}").map_err(|error| error.to_string())?;
    }
    fs::write(path, text).map_err(|error| format!("cannot write `{}`: {error}", path.display()))
}

/// The values of a file with one a line.
fn json_lines(path: &Path) -> Result<Vec<Value>, String> {
    let text = fs::read_to_string(path)
        .map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    text.lines()
        .enumerate()
        .map(|(at, line)| {
            serde_json::from_str(line)
                .map_err(|error| format!("`{}`, line {}: {error}", path.display(), at + 1))
        })
        .collect()
}

/// A member that is a string, or the empty string.
fn text_of<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
