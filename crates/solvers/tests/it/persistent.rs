//! Programs that are kept running, however they behave.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use keyaki_logic::{
    Cancel, Formula, Limits, Outcome, Reason, Solver, SolverError, Sort, Terms, Value,
};
use keyaki_solvers::{Checked, Config, Definition, Forget, Persistent, Process, locate};

use crate::fakes::{
    Den, definition, is_running, long, long_formula, never, short, starts_with_a, wait_until,
};

/// The fake `script`, kept running.
fn kept(den: &Path, script: &str, arguments: &[&str]) -> Persistent {
    let persistent = Some(Forget::Pop);
    Persistent::new(Definition { persistent, ..definition(script, den, script, arguments) })
        .unwrap()
}

fn solve(solver: &Persistent, limits: &Limits) -> Result<Outcome, SolverError> {
    solver.solve(&starts_with_a(), limits, &never()).map(|answer| answer.outcome)
}

/// Asks once for each of `expected`, when the program's processes answer with `lines`, each from
/// the beginning, and checks how many there were.
#[track_caller]
fn check(lines: &[&str], expected: &[Result<Outcome, &str>], n_processes: usize) {
    let den = Den::new();
    let solver = kept(den.path(), "talks", lines);
    for (number, expected) in expected.iter().enumerate() {
        let outcome = solve(&solver, &long()).map_err(|error| error.to_string());
        assert_eq!(outcome, expected.clone().map_err(str::to_owned), "query {number}");
    }
    drop(solver);
    assert_eq!(den.pids("pids").len(), n_processes);
    den.check_nothing_runs();
}

/// Whether the fake does what it does in place of an answer.
fn is_asleep(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "sleep\n")
}

fn model() -> Outcome {
    Outcome::Sat([("x".to_owned(), Value::String("ab".to_owned()))].into_iter().collect())
}

#[test]
fn one_process_answers_query_after_query() {
    let expected = [Ok(Outcome::Unsat), Ok(model()), Ok(Outcome::Unsat), Ok(model())];
    check(&["unsat", "sat", "success\nunsat", "sat"], &expected, 1);
}

#[test]
fn a_process_that_gives_up_is_not_asked_again() {
    let gave_up = || Ok(Outcome::Unknown(Reason::SolverGaveUp));
    check(&["unknown", "unsat"], &[gave_up(), gave_up()], 2);
}

#[test]
fn a_break_after_an_answer_may_be_due_to_what_came_before() {
    let unsat = || Ok(Outcome::Unsat);
    check(&["unsat", "crashes"], &[unsat(), unsat()], 2);
    check(&["unsat", "hello"], &[unsat(), unsat()], 2);
    check(&["unsat", "(error \"out of memory\")"], &[unsat(), unsat()], 2);
}

#[test]
fn a_new_process_that_breaks_has_broken() {
    let crashed = || Err("stopped without an answer (signal 11)");
    check(&["crashes", "unsat"], &[crashed(), crashed()], 2);
    check(
        &["(error \"no\")"],
        &[Err("stopped without an answer (error message): (error \"no\")")],
        1,
    );
    check(&["hello"], &[Err("answered something that is not SMT-LIB: hello")], 1);
}

#[test]
fn what_was_said_to_one_query_is_no_answer_to_the_next() {
    // The `sat` that nobody asked for comes in place of the echo.
    check(&["chats", "unsat"], &[Ok(Outcome::Unsat), Ok(Outcome::Unsat)], 2);
}

#[test]
fn a_process_answers_so_many_queries_and_no_more() {
    let den = Den::new();
    let solver = kept(den.path(), "talks", &[]);
    for _ in 0..1_001 {
        assert_eq!(solve(&solver, &long()), Ok(Outcome::Unsat));
    }
    assert_eq!(den.pids("pids").len(), 2);
}

#[test]
fn the_deadline_kills_the_process_and_the_next_query_has_a_new_one() {
    let den = Den::new();
    let solver = kept(den.path(), "talks", &["unsat", "hangs"]);
    assert_eq!(solve(&solver, &long()), Ok(Outcome::Unsat));
    assert_eq!(solve(&solver, &short()), Ok(Outcome::Unknown(Reason::Timeout)));
    den.check_nothing_runs();
    assert_eq!(solve(&solver, &long()), Ok(Outcome::Unsat));
    assert_eq!(den.pids("pids").len(), 2);
    drop(solver);
    den.check_nothing_runs();
}

#[test]
fn a_program_that_does_not_read_is_killed_at_the_deadline() {
    let den = Den::new();
    for script in ["hangs", "ignores_signals"] {
        let solver = kept(den.path(), script, &[]);
        let answer = solver.solve(&long_formula(), &short(), &never()).unwrap();
        assert_eq!(answer.outcome, Outcome::Unknown(Reason::Timeout), "{script}");
        den.check_nothing_runs();
    }
}

#[test]
fn cancelling_kills_the_process() {
    let den = Den::new();
    let solver = kept(den.path(), "talks", &["unsat", "hangs"]);
    assert_eq!(solve(&solver, &long()), Ok(Outcome::Unsat));
    let cancel = Cancel::new();
    let answer = thread::scope(|scope| {
        let asked = scope.spawn(|| solver.solve(&starts_with_a(), &long(), &cancel));
        let pid = den.pids("pids")[0];
        wait_until("the second query is under way", || is_asleep(pid));
        cancel.cancel();
        asked.join().unwrap()
    });
    assert_eq!(answer.unwrap().outcome, Outcome::Unknown(Reason::Cancelled));
    drop(solver);
    den.check_nothing_runs();
}

#[test]
fn each_of_several_callers_has_a_process() {
    let den = Den::new();
    let solver = kept(den.path(), "talks", &[]);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert_eq!(solve(&solver, &long()), Ok(Outcome::Unsat));
                }
            });
        }
    });
    assert!(den.pids("pids").len() <= 4);
    drop(solver);
    den.check_nothing_runs();
}

#[test]
fn a_process_is_confined_as_its_query_is() {
    let den = Den::new();
    let solver = kept(den.path(), "talks", &[]);
    let within = |memory_bytes| Limits { memory_bytes, ..long() };
    for memory_bytes in [1 << 30, 1 << 30, 2 << 30] {
        assert_eq!(solve(&solver, &within(memory_bytes)), Ok(Outcome::Unsat));
    }
    assert_eq!(den.pids("pids").len(), 2, "another bound needs another process");
}

#[test]
fn endless_output_is_cut_off_and_a_loud_program_is_heard() {
    for script in ["endless_line", "endless_lines"] {
        let den = Den::new();
        let error = solve(&kept(den.path(), script, &[]), &long()).unwrap_err();
        assert!(matches!(error, SolverError::Rubbish { .. }), "{script}: {error}");
        den.check_nothing_runs();
    }
    let den = Den::new();
    assert_eq!(solve(&kept(den.path(), "loud", &[]), &long()), Ok(Outcome::Unsat));
}

#[test]
fn a_missing_program_is_not_found() {
    let missing = Definition {
        command: "keyaki-no-such-program".to_owned(),
        persistent: Some(Forget::Reset),
        ..definition("missing", &env::temp_dir(), "talks", &[])
    };
    let error = solve(&Persistent::new(missing).unwrap(), &long()).unwrap_err();
    assert!(matches!(error, SolverError::NotFound { .. }), "{error}");
}

/// Two formulas a turn: satisfiable and not, about a variable whose sort is another every turn.
fn turns() -> Vec<Formula> {
    let mut formulas = Vec::new();
    for (sort, sat) in [Sort::String, Sort::Bool].into_iter().flat_map(|s| [(s, true), (s, false)])
    {
        let mut terms = Terms::new();
        let x = terms.var("x", sort);
        let one = match sort {
            Sort::String => {
                let a = terms.string("a");
                terms.eq(x, a)
            }
            _ => x,
        };
        let other = terms.not(one);
        let mut formula = Formula::new(terms);
        formula.assert("one", one);
        if !sat {
            formula.assert("the other", other);
        }
        formulas.push(formula);
    }
    formulas
}

#[test]
fn a_real_solver_forgets_each_query() {
    for definition in Config::builtin().solvers {
        if locate(&definition.command).is_none() {
            eprintln!("SKIPPED: `{}` is not installed", definition.name);
            continue;
        }
        let name = definition.name.clone();
        for forget in [Forget::Pop, Forget::Reset] {
            // z3 always solves incrementally if it is asked to.
            let is_z3 = name == "z3";
            let incremental = if is_z3 { vec![] } else { vec!["--incremental".to_owned()] };
            let definition = Definition {
                persistent: Some(forget),
                persistent_arguments: incremental,
                ..definition.clone()
            };
            let once = Process::new(definition.clone());
            let solver = Checked::new(Persistent::new(definition).unwrap());
            for formula in [turns(), turns()].concat() {
                let expected = once.solve(&formula, &long(), &never()).unwrap().outcome;
                let outcome = solver.solve(&formula, &long(), &never()).unwrap().outcome;
                let is_sat = |outcome| matches!(outcome, Outcome::Sat(_));
                assert_eq!(is_sat(outcome), is_sat(expected), "{name}, {forget:?}");
            }
        }
    }
}

const DEN: &str = "KEYAKI_TEST_DEN";

/// Not a test but the program that is killed: this file runs itself with [`DEN`] set.
#[test]
fn the_parent_of_a_kept_process_never_hears() {
    let Some(den) = env::var_os(DEN) else { return };
    let solver = kept(Path::new(&den), "talks", &["unsat", "hangs"]);
    for _ in 0..2 {
        let _ = solve(&solver, &long());
    }
}

#[test]
fn a_kept_process_dies_with_its_parent() {
    let den = Den::new();
    let mut parent = Command::new(env::current_exe().unwrap())
        .args(["--exact", "persistent::the_parent_of_a_kept_process_never_hears"])
        .env(DEN, den.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    den.wait_for("pids");
    let pid = den.pids("pids")[0];
    wait_until("the second query is under way", || is_asleep(pid));
    parent.kill().unwrap();
    parent.wait().unwrap();
    wait_until("the solver is gone", || !is_running(pid));
}
