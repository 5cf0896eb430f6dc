//! A long-lived service asks millions of times. What each call leaves behind adds up.
//!
//! Alone in its program, because it counts what the program has.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use keyaki_logic::smtlib::Dialect;
use keyaki_logic::{Cancel, Formula, Limits, Solver, Terms};
use keyaki_solvers::{Definition, Forget, Mode, Persistent, Portfolio, Process};

/// Rounds of the portfolio below, with a file for each pipe and a thread for each of those.
const ROUNDS: usize = 20;

/// Longer than anything takes that ends by itself.
const LONG: Duration = Duration::from_secs(120);

fn definition(name: &str, command: &str, arguments: &[&str]) -> Definition {
    Definition {
        name: name.to_owned(),
        command: command.to_owned(),
        arguments: arguments.iter().map(|word| (*word).to_owned()).collect(),
        version_arguments: Vec::new(),
        dialect: Dialect::Standard,
        memory_bytes: None,
        persistent: Some(Forget::Reset),
        persistent_arguments: Vec::new(),
        proof_checker: None,
        enabled: true,
    }
}

fn shell(name: &str, command: &str) -> Box<dyn Solver> {
    Box::new(Process::new(definition(name, "sh", &["-c", command])))
}

fn kept(name: &str, command: &str, arguments: &[&str]) -> Box<dyn Solver> {
    Box::new(Persistent::new(definition(name, command, arguments)).unwrap())
}

fn missing() -> Box<dyn Solver> {
    Box::new(Process::new(definition("missing", "keyaki-no-such-program", &[])))
}

/// Solvers that are kept running, as they end here: one is cancelled, one cannot be started.
fn kept_ones() -> Portfolio {
    let proves = "while read -r x; do case $x in
        '(check-sat)') echo unsat;;
        '(echo '*) x=${x#'(echo \"'}; echo \"${x%'\")'}\";;
        esac; done";
    let members = vec![
        kept("proves", "sh", &["-c", proves]),
        kept("hangs", "sh", &["-c", "sleep 1000 & wait"]),
        kept("missing", "keyaki-no-such-program", &[]),
    ];
    Portfolio::new(Mode::Race, members)
}

fn n_entries(directory: &str) -> usize {
    fs::read_dir(directory).unwrap().count()
}

/// The children of this program, the dead that nobody has reaped included.
fn n_children() -> usize {
    let own = std::process::id().to_string();
    let is_child = |entry: &fs::DirEntry| {
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // After the name in parentheses come the state and the parent.
        stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)) == Some(own.as_str())
    };
    fs::read_dir("/proc").unwrap().flatten().filter(is_child).count()
}

#[test]
fn a_call_leaves_no_process_no_thread_and_no_file() {
    let resources = || (n_children(), n_entries("/proc/self/task"), n_entries("/proc/self/fd"));
    let members = vec![
        missing(),
        shell("rubbish", "echo hello"),
        shell("crashes", "kill -SEGV $$"),
        shell("hangs", "sleep 1000 & wait"),
        shell("proves", "cat >/dev/null; sleep 0.02; echo unsat"),
    ];
    let race = Portfolio::new(Mode::Race, members);
    let hopeless = Portfolio::new(Mode::All, vec![shell("hangs", "sleep 1000 & sleep 1000")]);
    let formula = Formula::new(Terms::new());
    let cancel = Cancel::new();
    let before = resources();
    let persistent = kept_ones();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    race.solve(&formula, &Limits::within(LONG), &cancel).unwrap();
                    let soon = Limits::within(Duration::from_millis(20));
                    hopeless.solve(&formula, &soon, &cancel).unwrap();
                    persistent.solve(&formula, &Limits::within(LONG), &cancel).unwrap();
                }
            });
        }
    });
    assert!(n_children() > before.0, "some are kept");
    drop(persistent);
    assert_eq!(n_children(), before.0);
    // A thread that has been joined may be listed a moment longer.
    let start = Instant::now();
    while resources() != before {
        assert!(start.elapsed() < LONG, "{before:?} before, {:?} after", resources());
        thread::sleep(Duration::from_millis(5));
    }
}
