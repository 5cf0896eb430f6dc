//! The default asks the embedded solver, and starts no process for what it decides; processes are kept only where that is asked for.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs, process};

use keyaki::job::{Task, engines};
use keyaki::solvers::{Automaton, Config};
use keyaki::{Cancel, EngineOptions};
use serde_json::{Value, json};

/// Longer than any of the questions takes.
const LONG: Duration = Duration::from_secs(60);

/// A configuration whose only external solver writes into `trace` when it is started and says `unknown`.
fn config(trace: &Path) -> Config {
    let script = format!("echo started >>'{}'; cat >/dev/null; echo unknown", trace.display());
    only(&script, "")
}

/// A configuration whose only external solver is this script for `sh`.
fn only(script: &str, fields: &str) -> Config {
    let mut config = Config::builtin();
    let disabled = config
        .solvers
        .iter()
        .map(|s| format!("[[solver]]\nname = \"{}\"\nenabled = false\n", s.name));
    let fake = format!(
        "[[solver]]\nname = \"fake\"\ncommand = \"sh\"\ndialect = \"smtlib-2.6\"\n\
         arguments = [\"-c\", {script:?}]\n{fields}"
    );
    let text = disabled.chain([fake]).collect::<String>();
    config.merge("test.toml", &text).unwrap();
    config
}

/// Answers a job by an engine with these options; returns the tries.
fn tries(config: &Config, job: &Value, options: &EngineOptions) -> Vec<String> {
    let engines = engines(config, options);
    let line = job.to_string();
    let (_, task) = Task::from_json(line.as_bytes(), LONG).unwrap();
    let result = task.answer(&engines, &Cancel::new());
    assert!(result.error.is_none(), "{:?}", result.error);
    result.attempts.into_iter().map(|attempt| attempt.solver).collect()
}

/// Pairs of versions of `corpus/policies` in both directions, and patterns that cover patterns, which only a
/// solver can tell.
fn jobs() -> Vec<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = fs::read_to_string(root.join("corpus/policies/managed_pairs.jsonl")).unwrap();
    let real =
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["policy"].take());
    let of_actions = |actions: &[&str]| {
        json!({"Version": "2012-10-17",
            "Statement": {"Effect": "Allow", "Action": actions, "Resource": "*"}})
    };
    let patterns = [
        of_actions(&["s3:Get*", "s3:*Object"]),
        of_actions(&["s3:GetBucket*", "s3:PutObject", "s3:?et*Object"]),
    ];
    let policies: Vec<Value> = real.chain(patterns).collect();
    let job = |existing: &Value, new: &Value| {
        json!({"question": "no-new-access", "policy_type": "identity", "existing": existing,
            "new": new})
    };
    let both = |pair: &[Value]| [job(&pair[0], &pair[1]), job(&pair[1], &pair[0])];
    policies.chunks_exact(2).flat_map(both).collect()
}

#[test]
fn the_default_starts_no_process_for_what_the_embedded_solver_decides() {
    let trace: PathBuf = env::temp_dir().join(format!("keyaki-hedge-{}", process::id()));
    let _ = fs::remove_file(&trace);
    let config = config(&trace);
    let mut n_asked = 0;
    for job in jobs() {
        let tries = tries(&config, &job, &EngineOptions::default());
        assert!(tries.iter().all(|solver| solver == Automaton::NAME), "{tries:?}");
        n_asked += tries.len();
    }
    assert!(n_asked > 0, "some question needs a solver");
    assert!(!trace.exists(), "a process was started");
    // The same questions do start it where it is asked for.
    let options = EngineOptions { solvers: vec!["fake".to_owned()], ..EngineOptions::default() };
    let n_fake: usize = jobs().iter().map(|job| tries(&config, job, &options).len()).sum();
    assert!(n_fake > 0 && trace.exists());
    fs::remove_file(&trace).unwrap();
}

/// Says `unsat` to every query and repeats what it is told to.
const ANSWERS_ON: &str = r#"
while read -r line; do
    case "$line" in
        *check-sat*) echo unsat ;;
        *echo*) line="${line#*\"}"; echo "${line%%\"*}" ;;
    esac
done
"#;

#[test]
fn a_process_is_kept_from_question_to_question_if_its_definition_says_how_it_forgets() {
    let trace: PathBuf = env::temp_dir().join(format!("keyaki-kept-{}", process::id()));
    let script = format!("echo started >>'{}'\n{ANSWERS_ON}", trace.display());
    let solvers = vec!["fake".to_owned()];
    let usual = EngineOptions { solvers, ..EngineOptions::default() };
    let audit = EngineOptions { audit: true, ..usual.clone() };
    let n_starts = |fields: &str, options: &EngineOptions| {
        let _ = fs::remove_file(&trace);
        let config = only(&script, fields);
        let engines = engines(&config, options);
        let mut n_queries = 0;
        for job in jobs() {
            let (_, task) = Task::from_json(job.to_string().as_bytes(), LONG).unwrap();
            let result = task.answer(&engines, &Cancel::new());
            assert!(result.error.is_none(), "{:?}", result.error);
            n_queries += result.attempts.len();
        }
        (fs::read_to_string(&trace).unwrap().lines().count(), n_queries)
    };
    let (kept, n_queries) = n_starts("persistent = \"reset\"\n", &usual);
    assert!(kept == 1 && n_queries > 1, "{kept} starts, {n_queries} queries");
    for (fields, options) in [("", &usual), ("persistent = \"reset\"\n", &audit)] {
        let (fresh, n_queries) = n_starts(fields, options);
        assert_eq!(fresh, n_queries, "{fields}");
    }
    fs::remove_file(&trace).unwrap();
}
