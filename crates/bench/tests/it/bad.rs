//! Each way to be bad has its own word.

use std::process::Command;

use crate::world::{World, runs};

/// Outcome, end and what was left of a solver that is bad in this way.
#[track_caller]
fn check(how: &str, outcome: &str, end: &str, leaves_some: impl Into<Option<bool>>) {
    let world = World::new(&[("a", "(check-sat)")], &[("it", how)]);
    if end != "walltime" {
        world.rewrite("solvers.toml", "wall_ms = 1500", "wall_ms = 300000");
    }
    let record = world.measure(&[]);
    let [row] = runs(&record)[..] else { panic!("{record:?}") };
    let found = (row.outcome.to_string(), row.end.to_string());
    assert_eq!(found, (outcome.to_owned(), end.to_owned()), "{row:?}");
    if let Some(leaves_some) = leaves_some.into() {
        assert_eq!(row.strays > 0, leaves_some, "{row:?}");
    }
    let left: Vec<_> = std::fs::read_dir(&world.folder).unwrap().flatten().collect();
    let left = left
        .iter()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("keyaki-bench-"));
    assert_eq!(left.count(), 0, "a run's folder is left");
}

#[test]
fn an_answer_is_a_word_and_a_good_end() {
    check("unsat", "unsat", "exit", false);
}

#[test]
fn sat_and_unsat_is_both() {
    check("both", "both", "exit", false);
}

#[test]
fn an_answer_with_a_bad_exit_status_is_failed() {
    check("fails", "sat", "failed", false);
}

#[test]
fn a_crash_is_a_signal() {
    check("crashes", "silent", "signal", false);
}

#[test]
fn whoever_ignores_signals_is_killed_at_the_limit() {
    check("hangs", "silent", "walltime", true);
}

#[test]
fn an_answer_without_an_end_is_walltime() {
    check("answers-and-hangs", "sat", "walltime", false);
}

#[test]
fn what_forks_is_answered_and_what_it_leaves_is_counted_and_gone() {
    check("forks", "sat", "exit", true);
}

#[test]
fn a_fork_bomb_is_stopped() {
    check("bomb", "silent", "processes", true);
}

#[test]
fn processor_time_has_a_limit_of_its_own() {
    check("spins", "silent", "cputime", false);
}

#[test]
fn whoever_ends_well_when_its_processor_time_is_over_has_met_the_limit() {
    check("spins-and-ends-well", "silent", "cputime", false);
}

#[test]
fn memory_has_a_limit() {
    check("eats", "silent", "memory", None);
}

#[test]
fn output_has_a_limit() {
    check("shouts", "sat", "output", false);
}

#[test]
fn one_large_file_is_disk() {
    check("fills", "silent", "disk", false);
}

#[test]
fn many_small_files_are_disk() {
    check("fills-many", "silent", "disk", None);
}

#[test]
fn nothing_runs_on_when_the_harness_is_killed() {
    let world = World::new(&[("a", "(check-sat)")], &[("it", "hangs")]);
    world.rewrite("solvers.toml", "wall_ms = 1500", "wall_ms = 900000");
    let words =
        ["measure", "--suite", "suite", "--solvers", "solvers.toml", "--record", "record.csv"];
    let mut child = world.command(&words).spawn().unwrap();
    // The fake has a path in our folder as its last argument.
    let is_running = || {
        let pattern = format!("hangs .*{}/it", world.folder.display());
        let found = Command::new("pgrep").args(["-f", &pattern]).output().unwrap();
        !found.stdout.is_empty()
    };
    while !is_running() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    while is_running() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
