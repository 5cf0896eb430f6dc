//! The scripts of `corpus/smtlib`: what the embedded solver answers, and that the installed ones do not say
//! the opposite.
//!
//! The format is in `corpus/README.md`.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use keyaki::script::ScriptError;
use keyaki::solvers::{Automaton, Config, RawAnswer, locate};
use keyaki::{Cancel, Engine, EngineOptions, Reason};

/// Enough for what is decided, and for the limits to be reached.
const TIMEOUT: Duration = Duration::from_secs(20);

struct Case {
    name: String,
    text: String,
}

impl Case {
    /// The words behind a comment that begins so.
    fn comment(&self, beginning: &str) -> Option<&str> {
        self.text.lines().find_map(|line| line.strip_prefix(beginning)).map(str::trim)
    }

    fn is_for(&self, solver: &str) -> bool {
        let not_asked = self.comment("; not asked:").unwrap_or_default();
        let names = not_asked.split(',').next().unwrap_or_default();
        names.split(' ').all(|name| name != solver)
    }

    /// What the script says of itself; a solver that says the opposite is an error.
    fn status(&self) -> &str {
        let (_, rest) = self.text.split_once("(set-info :status ").unwrap();
        rest.split(')').next().unwrap()
    }
}

fn directory(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/smtlib").join(name)
}

fn cases(name: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for entry in fs::read_dir(directory(name)).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        cases.push(Case { name, text: fs::read_to_string(path).unwrap() });
    }
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

fn engine(solver: &str) -> Engine {
    let solvers = vec![solver.to_owned()];
    let options = EngineOptions { solvers, ..EngineOptions::default() };
    Engine::new(&Config::builtin(), options).unwrap()
}

fn word(answer: &RawAnswer) -> String {
    match answer {
        RawAnswer::Unknown(Reason::Unsupported) => "unsupported".to_owned(),
        RawAnswer::Unknown(Reason::Memory) => "memory".to_owned(),
        RawAnswer::Unknown(reason) => format!("{reason:?}"),
        answer => keyaki::engine::word(answer).to_owned(),
    }
}

#[test]
fn the_embedded_solver_decides_what_is_decided_and_nothing_else() {
    let engine = engine(Automaton::NAME);
    let solve = |case: &Case| {
        let solved = engine.solve_script(&case.text, TIMEOUT, &Cancel::new());
        word(&solved.unwrap_or_else(|error| panic!("{}: {error}", case.name)).answer.answer)
    };
    let decided = cases("decided");
    for case in &decided {
        assert_eq!(solve(case), case.status(), "{}", case.name);
    }
    let unknown = cases("unknown");
    for case in &unknown {
        assert_eq!(Some(solve(case).as_str()), case.comment("; unknown:"), "{}", case.name);
    }
    assert!(decided.len() >= 45 && unknown.len() >= 10);
}

#[test]
fn no_solver_says_the_opposite() {
    let config = Config::builtin();
    for solver in config.enabled().filter(|solver| locate(&solver.command).is_some()) {
        let engine = engine(&solver.name);
        for case in [cases("decided"), cases("unknown")].iter().flatten() {
            if case.is_for(&solver.name) {
                let solved = engine.solve_script(&case.text, TIMEOUT, &Cancel::new());
                let name = format!("{}, {}", case.name, solver.name);
                let solved = solved.unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(word(&solved.answer.answer), case.status(), "{name}");
            }
        }
    }
}

#[test]
fn a_script_that_says_the_opposite_of_the_answer_is_an_error() {
    let config = Config::builtin();
    let installed = config.enabled().filter(|solver| locate(&solver.command).is_some());
    let names = installed.map(|solver| solver.name.as_str());
    // cvc4 and cvc5 hold themselves to the status, and abort, which is an error too.
    let names: Vec<&str> = names.filter(|name| !name.starts_with("cvc")).collect();
    for solver in names.into_iter().chain([Automaton::NAME]) {
        for (is, says) in [("sat", "unsat"), ("unsat", "sat")] {
            let body = if is == "sat" { "p" } else { "(and p (not p))" };
            let text = format!(
                "(set-info :status {says})(set-logic ALL)(declare-const p Bool)(assert {body})(check-sat)"
            );
            let error = engine(solver).solve_script(&text, TIMEOUT, &Cancel::new()).unwrap_err();
            let by = solver.to_owned();
            assert_eq!(error, ScriptError::Status { by, answer: is, status: says });
        }
    }
}
