//! Solvers that misbehave, configured by a file of TOML as anybody's would be. Each is a script.
//!
//! What each kind of misbehaviour comes to is pinned in `crates/solvers`; here it is what the user
//! of the program sees, and that nothing is left running.

use std::fs;
use std::process::Command;
use std::time::Instant;

use serde_json::Value;

use crate::program::{
    Den, LONG, PRIVATE, Run, UNLIKELY, has_solver, installed, is_running, wait_until,
};

/// Answers `sat`, with nothing, false or zero for every variable.
pub(crate) const BOGUS: &str = r##"
echo $$ >>pids
awk '
    /^\(declare-const/ {
        name = $2
        if (match($0, /\|[^|]*\|/)) name = substr($0, RSTART, RLENGTH)
        value = "false"
        if ($0 ~ / String\)$/) value = "\"\""
        if (match($0, /BitVec [0-9]+/)) {
            value = "#b"
            for (bits = substr($0, RSTART + 7, RLENGTH - 7); bits > 0; bits--) value = value "0"
        }
        model = model " (" name " " value ")"
    }
    END { print "sat"; print "(" model ")" }
'
"##;

pub(crate) const CLAIMS_UNSAT: &str = "cat >/dev/null; echo unsat";
const SHRUGS: &str = "cat >/dev/null; echo unknown";
const RUBBISH: &str = "cat >/dev/null; echo To be or not to be";
const CRASHES: &str = "cat >/dev/null; echo 'assertion violated' >&2; kill -SEGV $$";
pub(crate) const HANGS: &str = "trap '' TERM INT HUP; echo $$ >>pids; exec sleep 1000";

/// A directory with public and private policies and `fakes.toml`, in which each script is a solver.
/// The embedded solver and those that are installed are disabled, so that only those that are named are asked.
pub(crate) fn den(scripts: &[(&str, &str)]) -> Den {
    let den = Den::with("public.json", UNLIKELY);
    den.write("private.json", PRIVATE);
    let mut config = String::new();
    for known in ["automaton", "z3", "cvc4", "cvc5"] {
        config += &format!("[[solver]]\nname = \"{known}\"\nenabled = false\n");
    }
    for (name, script) in scripts {
        den.write(&format!("{name}.sh"), script);
        config += &format!(
            "[[solver]]\nname = \"{name}\"\ncommand = \"sh\"\narguments = [\"{name}.sh\"]\n\
             dialect = \"smtlib-2.6\"\n"
        );
    }
    den.write("fakes.toml", config);
    den
}

const CHECK: &str = "check no-public-access public.json --config fakes.toml --json";

/// How the attempt of a solver ended.
#[track_caller]
fn attempt<'r>(result: &'r Value, solver: &str) -> &'r str {
    let attempts = result["attempts"].as_array().expect("attempts");
    let attempt = attempts.iter().find(|attempt| attempt["solver"] == solver).expect(solver);
    let word = attempt["result"].as_str().unwrap();
    assert_eq!(word == "error", attempt["message"].is_string(), "{attempt}");
    word
}

/// A lone solver that misbehaves concludes nothing: an error whose message has these words.
#[track_caller]
fn check_fault(script: &str, words: &str) {
    let den = den(&[("fake", script)]);
    let run = den.keyaki(CHECK);
    let result = run.result();
    assert_eq!((run.status, &result["error"]["code"]), (2, &"solver-failed".into()), "{result}");
    let message = result["error"]["message"].as_str().unwrap();
    assert!(message.contains("fake: ") && message.contains(words), "{message}");
    // The same in words, on standard error.
    let run = den.keyaki(CHECK.trim_end_matches(" --json"));
    assert_eq!((run.status, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.starts_with("error: ") && run.stderr.contains(words), "{}", run.stderr);
}

/// Beside a solver that misbehaves a real one still concludes, and both are reported.
#[track_caller]
fn check_real_one_concludes(script: &str) {
    if !has_solver() {
        return;
    }
    let den = den(&[("fake", script)]);
    let real = installed()[0];
    // In an audit both run to the end, so both are there to be reported.
    let run = den.keyaki(&format!("{CHECK} --audit --solver fake --solver {real}"));
    let result = run.result();
    assert_eq!((run.status, &result["verdict"]), (1, &"fails".into()), "{result}");
    assert_eq!(result["solver"], real);
    assert_eq!(result["evidence"], "replayed");
    assert_eq!(attempt(&result, "fake"), "error");
    assert_eq!(attempt(&result, real), "sat");
    check_real_one_wins(script);
}

/// The same of a race.
#[track_caller]
fn check_real_one_wins(script: &str) {
    if has_solver() {
        let (den, real) = (den(&[("fake", script)]), installed()[0]);
        let race = den.keyaki(&format!("{CHECK} --solver fake --solver {real}")).result();
        assert_eq!([&race["verdict"], &race["solver"]], ["fails", real]);
    }
}

#[test]
fn a_model_that_does_not_satisfy_the_formula_is_no_answer() {
    check_fault(BOGUS, "a model that does not satisfy the formula");
    // In an audit it is an incident: see `audit`.
    check_real_one_wins(BOGUS);
}

#[test]
fn rubbish_is_no_answer() {
    check_fault(RUBBISH, "To be or not to be");
    check_real_one_concludes(RUBBISH);
}

#[test]
fn a_crash_is_no_answer() {
    check_fault(CRASHES, "signal 11");
    check_real_one_concludes(CRASHES);
}

#[test]
fn a_solver_that_is_missing_is_no_answer() {
    let den = den(&[]);
    den.write(
        "fakes.toml",
        "[[solver]]\nname = \"fake\"\ncommand = \"no-such-program\"\ndialect = \"smtlib-2.6\"\n",
    );
    let run = den.keyaki(&format!("{CHECK} --solver fake"));
    let result = run.result();
    assert_eq!((run.status, &result["error"]["code"]), (2, &"solver-failed".into()));
    assert!(result["error"]["message"].as_str().unwrap().contains("`no-such-program`"), "{result}");
}

#[test]
fn nobody_to_ask_is_an_error_with_a_hint() {
    let run = den(&[]).keyaki(CHECK);
    let error = &run.result()["error"];
    assert_eq!((run.status, &error["code"]), (2, &"no-solver".into()));
    assert!(error["hint"].as_str().unwrap().contains("apt-get install"), "{error}");
}

#[test]
fn a_solver_that_gives_up_leaves_the_answer_unknown() {
    let run = den(&[("fake", SHRUGS)]).keyaki(CHECK);
    let result = run.result();
    assert_eq!((run.status, &result["verdict"]), (3, &"unknown".into()));
    assert_eq!(result["reason"], "solver-gave-up");
}

#[test]
fn if_all_hang_the_answer_is_unknown_in_time_and_nobody_is_left() {
    let den = den(&[("one", HANGS), ("two", HANGS)]);
    let start = Instant::now();
    let run = den.keyaki(&format!("{CHECK} --timeout 1.5"));
    assert!(start.elapsed() < LONG);
    let result = run.result();
    assert_eq!((run.status, &result["verdict"]), (3, &"unknown".into()));
    assert_eq!(result["reason"], "timeout");
    assert_eq!(attempt(&result, "one"), "timeout");
    assert_eq!(pids(&den).len(), 2);
    check_nobody_is_left(&den);
}

#[test]
fn the_losers_of_a_race_are_gone_when_the_answer_is_there() {
    let den = den(&[("hangs", HANGS), ("answers", CLAIMS_UNSAT)]);
    let run = den.keyaki(CHECK);
    let result = run.result();
    assert_eq!((run.status, &result["verdict"]), (0, &"holds".into()));
    assert_eq!((&result["solver"], &result["evidence"]), (&"answers".into(), &"claimed".into()));
    assert_eq!(attempt(&result, "hangs"), "cancelled");
    check_nobody_is_left(&den);
}

#[test]
fn whoever_kills_the_program_kills_its_solvers() {
    for signal in ["-KILL", "-TERM", "-INT"] {
        let den = den(&[("one", HANGS), ("two", HANGS)]);
        let words: Vec<&str> = CHECK.split_whitespace().collect();
        let mut child = den.command(&words).spawn().unwrap();
        wait_until("both solvers run", || pids(&den).len() == 2);
        let kill = Command::new("kill").args([signal, &child.id().to_string()]).status();
        assert!(kill.unwrap().success());
        assert!(!child.wait().unwrap().success());
        check_nobody_is_left(&den);
    }
}

#[test]
fn solvers_lists_whoever_is_configured_and_tries_them() {
    let den = den(&[("rubbish", RUBBISH)]);
    let run: Run = den.keyaki("solvers --config fakes.toml");
    let line = |name: &str| run.stdout.lines().find(|line| line.starts_with(name)).expect("a line");
    assert!(line("rubbish").contains("broken: "), "{}", run.stdout);
    assert!(line("z3").contains("disabled"), "{}", run.stdout);
    assert_eq!(run.status, 2, "none works");
    let run = den.keyaki("solvers");
    assert_eq!(run.stdout.matches(" works ").count(), 1 + installed().len(), "{}", run.stdout);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""), "the embedded solver always works");
}

/// The numbers of the processes that were started and wrote theirs.
pub(crate) fn pids(den: &Den) -> Vec<u32> {
    let text = fs::read_to_string(den.path().join("pids")).unwrap_or_default();
    text.lines().filter_map(|line| line.trim().parse().ok()).collect()
}

#[track_caller]
pub(crate) fn check_nobody_is_left(den: &Den) {
    for pid in pids(den) {
        wait_until(&format!("process {pid} is gone"), || !is_running(pid));
    }
}
