//! The death of the program that asks.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

use keyaki_logic::Solver;
use keyaki_solvers::Process;

use crate::fakes::{Den, definition, is_running, long, never, starts_with_a, wait_until};

const DEN: &str = "KEYAKI_TEST_DEN";

/// Not a test but the program that is killed: this file runs itself with [`DEN`] set.
#[test]
fn the_parent_asks_and_never_hears() {
    let Some(den) = env::var_os(DEN) else { return };
    let solver = Process::new(definition("hangs", Path::new(&den), "hangs_alone", &[]));
    let _ = solver.solve(&starts_with_a(), &long(), &never());
}

#[test]
fn a_solver_dies_with_its_parent() {
    let den = Den::new();
    let mut parent = Command::new(env::current_exe().unwrap())
        .args(["--exact", "parent::the_parent_asks_and_never_hears"])
        .env(DEN, den.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    den.wait_for("pids");
    let pid = den.pids("pids")[0];
    assert!(is_running(pid));
    parent.kill().unwrap();
    parent.wait().unwrap();
    wait_until("the solver is gone", || !is_running(pid));
}
