//! Measures Keyaki on questions about real policies: `cargo xtask bench`.
//!
//! Here jobs are drawn, and the program of `crates/throughput` is built and started on them, because chores depend on no
//! crate of ours. benchmarks/README.md tells what is measured, benchmarks/BIAS.md why to doubt it.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{env, fs};

use crate::corpus;

/// How many edits of each policy are drawn.
const ROUNDS: usize = 4;

/// Runs the chore. Arguments that it does not know go to the program.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let seed = value_of(arguments, "--seed").unwrap_or("keyaki");
    let folder = crate::shared("corpus/policies");
    if folder.is_none() {
        eprintln!(
            "the corpus is not beside this working copy; the policies of the repository are few"
        );
    }
    let jobs = jobs(folder, seed)?;
    let target = crate::root().join("target/bench");
    let file = target.join("jobs.jsonl");
    fs::create_dir_all(&target)
        .and_then(|()| fs::write(&file, jobs))
        .map_err(|error| format!("cannot write `{}`: {error}", file.display()))?;
    cargo(&["build", "--release", "--locked", "-p", "keyaki-cli", "-p", "keyaki-throughput"])?;
    let mut command = Command::new(crate::root().join("target/release/keyaki-throughput"));
    command.arg("--jobs").arg(&file).args(arguments).current_dir(crate::root());
    let status =
        command.stdin(Stdio::null()).status().map_err(|error| format!("no program: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("the benchmark ended with {status}")) }
}

/// The jobs, one a line.
fn jobs(folder: Option<PathBuf>, seed: &str) -> Result<String, String> {
    let jobs = corpus::jobs_in_rounds(folder.as_deref(), seed, ROUNDS)?;
    Ok(jobs.iter().map(|job| format!("{job}\n")).collect())
}

fn value_of<'a>(arguments: &'a [String], flag: &str) -> Option<&'a str> {
    let at = arguments.iter().position(|argument| argument == flag)?;
    arguments.get(at + 1).map(String::as_str)
}

fn cargo(arguments: &[&str]) -> Result<(), String> {
    let program = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let status = Command::new(program).args(arguments).current_dir(crate::root()).status();
    let status = status.map_err(|error| format!("cargo does not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`cargo build` ended with {status}")) }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};
    use std::time::Duration;

    use keyaki::job::{Task, engines};
    use keyaki::solvers::Config;
    use keyaki::{Cancel, EngineOptions};
    use keyaki_throughput::answers::Answers;
    use keyaki_throughput::mix::{Mix, PASS};

    use super::*;

    /// How many questions of each pass are asked.
    const QUESTIONS: u64 = 300;

    /// How many passes, each with other names.
    const PASSES: u64 = 3;

    const TIMEOUT: Duration = Duration::from_secs(30);

    #[test]
    fn questions_are_new_and_their_answers_do_not_depend_on_names() {
        let jobs = jobs(None, "test").unwrap();
        let mix = Mix::new(jobs.lines().map(str::to_owned), "test").unwrap();
        let (config, options) = (Config::builtin(), EngineOptions::default());
        let engines = engines(&config, &options);
        let mut answers = Answers::default();
        let mut verdicts: BTreeMap<String, HashSet<String>> = BTreeMap::new();
        let mut texts = HashSet::new();
        let mut n_renamed = 0;
        for number in 0..QUESTIONS * PASSES {
            let drawn = mix.question(number / QUESTIONS * PASS + number % QUESTIONS);
            n_renamed += u64::from(drawn.is_renamed);
            for (_, policy) in drawn.policies() {
                assert!(texts.insert(policy.to_string()), "{} is asked again", drawn.job["id"]);
            }
            let job = drawn.job.to_string();
            let result = match Task::from_json(job.as_bytes(), TIMEOUT) {
                Ok((id, task)) => {
                    keyaki::wire::JobResult { id, ..task.answer(&engines, &Cancel::new()) }
                }
                Err(result) => *result,
            };
            let result = serde_json::to_value(&result).unwrap();
            answers.add(&result.to_string());
            assert!(answers.fault.is_none(), "{result}");
            let code = result["error"]["code"].as_str();
            let answer = result["verdict"].as_str().or(code).unwrap_or_default().to_owned();
            verdicts.entry(drawn.base).or_default().insert(answer);
        }
        for (base, of_job) in &verdicts {
            assert_eq!(of_job.len(), 1, "{base} is answered {of_job:?} under other names");
        }
        let by_kind = answers.counts.map(|counts| counts.iter().sum::<usize>() as u64);
        assert_eq!(by_kind, [QUESTIONS * PASSES / 3; 3]);
        assert!(answers.share_of_holds() >= 0.5, "{:?}", answers.counts);
        assert!(2 * n_renamed >= QUESTIONS * PASSES, "{n_renamed} have other names");
    }

    #[test]
    fn a_draw_depends_on_the_seed_alone_and_has_several_edits_of_a_policy() {
        let drawn = jobs(None, "test").unwrap();
        assert_eq!(drawn, jobs(None, "test").unwrap());
        assert_ne!(drawn, jobs(None, "other").unwrap());
        for round in 0..ROUNDS {
            assert!(drawn.contains(&format!("/forward#{round}\"")), "round {round}");
        }
    }
}
