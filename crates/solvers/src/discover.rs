//! Which of the configured solvers are installed, in which version, and whether they work.
//!
//! "Installed" is not believed: a solver works if it decides two tiny formulas in its dialect, and
//! its model of the first is one. That finds the library that does not load, the option that this
//! version does not know and the dialect that was set wrongly, before a verdict depends on them.

use std::env;
use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use keyaki_logic::{Cancel, Formula, Limits, Outcome, Reason, Regex, Solver, Sort, Terms};

use crate::automaton::Automaton;
use crate::checked::Checked;
use crate::child::{self, Job, Listener, Program};
use crate::config::{Config, Definition};
use crate::process::Process;

/// How long a solver may take for its version or a tiny formula. Each takes milliseconds, unless
/// the disk is asleep.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// How much of a version text is read, in bytes. cvc5 writes two kilobytes of licences.
const VERSION_BYTES_MAX: usize = 64 << 10;

/// A configured solver, and what became of it on this machine.
#[derive(Clone, Debug)]
pub struct Found {
    /// How it is called.
    pub definition: Definition,
    /// Where its program is.
    pub path: Option<PathBuf>,
    /// Its version, if it tells.
    pub version: Option<String>,
    /// Whether it can be used.
    pub status: Status,
}

/// Whether a solver can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It decided two tiny formulas.
    Works,
    /// It did not, for this reason.
    Broken(String),
    /// Its program is not there.
    Missing,
    /// The configuration says not to use it. It was not started.
    Disabled,
}

/// Looks for every solver of `config`, in its order, and tries those that are enabled. Takes a few
/// seconds at most.
pub fn find(config: &Config) -> Vec<Found> {
    let look = |definition: &Definition| {
        let path = locate(&definition.command);
        let (version, status) = match &path {
            _ if !definition.enabled => (None, Status::Disabled),
            None => (None, Status::Missing),
            Some(_) => (version(definition), status(definition)),
        };
        Found { definition: definition.clone(), path, version, status }
    };
    // Beside each other, because one that hangs takes its whole time.
    thread::scope(|scope| {
        let start = |definition| {
            let thread = thread::Builder::new().spawn_scoped(scope, move || look(definition));
            (definition, thread)
        };
        let looks: Vec<_> = config.solvers.iter().map(start).collect();
        let finish = |(definition, thread): (_, io::Result<thread::ScopedJoinHandle<'_, _>>)| {
            // No thread to be had, or a bug: look here, where a bug is seen.
            thread.ok().and_then(|thread| thread.join().ok()).unwrap_or_else(|| look(definition))
        };
        looks.into_iter().map(finish).collect()
    })
}

/// The program that `command` starts: itself if it has a slash, or else the first on `PATH`.
pub fn locate(command: &str) -> Option<PathBuf> {
    if command.contains('/') {
        let path = PathBuf::from(command);
        return is_program(&path).then_some(path);
    }
    // An empty entry means the current directory, which nobody wants searched.
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .filter(|directory| !directory.as_os_str().is_empty())
        .map(|directory| directory.join(command))
        .find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// Whether the embedded solver can be used. It decides the same two formulas as the others.
pub fn embedded(config: &Config) -> Status {
    if config.automaton { tried(&Checked::new(Automaton)) } else { Status::Disabled }
}

fn status(definition: &Definition) -> Status {
    tried(&Checked::new(Process::new(definition.clone())))
}

fn tried(solver: &impl Solver) -> Status {
    let expected_sat = |outcome: &Outcome| matches!(outcome, Outcome::Sat(_));
    let expected_unsat = |outcome: &Outcome| *outcome == Outcome::Unsat;
    let broken = try_formula(solver, &satisfiable(), expected_sat)
        .and_then(|()| try_formula(solver, &unsatisfiable(), expected_unsat));
    match broken {
        Ok(()) => Status::Works,
        Err(reason) => Status::Broken(reason),
    }
}

fn try_formula(
    solver: &impl Solver,
    formula: &Formula,
    is_expected: impl Fn(&Outcome) -> bool,
) -> Result<(), String> {
    let limits = Limits::within(PROBE_TIMEOUT);
    let answer =
        solver.solve(formula, &limits, &Cancel::new()).map_err(|error| error.to_string())?;
    if is_expected(&answer.outcome) {
        return Ok(());
    }
    Err(match answer.outcome {
        Outcome::Sat(_) => "answered sat where unsat is right".to_owned(),
        Outcome::Unsat => "answered unsat where sat is right".to_owned(),
        Outcome::Unknown(reason) => {
            format!("did not decide a tiny formula ({})", reason_text(reason))
        }
    })
}

fn reason_text(reason: Reason) -> &'static str {
    match reason {
        Reason::Timeout => "timeout",
        Reason::Memory => "memory",
        Reason::Unsupported => "unsupported",
        Reason::SolverGaveUp => "it gave up",
        Reason::Cancelled => "cancelled",
    }
}

/// A string that matches one pattern and is not a given one, and an address in a block.
fn satisfiable() -> Formula {
    let mut terms = Terms::new();
    let resource = terms.var("resource", Sort::String);
    let address = terms.var("address", Sort::Bits(32));
    let matches = terms.in_re(resource, starting_with("arn:aws:s3:::"));
    let taken = terms.string("arn:aws:s3:::");
    let equal = terms.eq(resource, taken);
    let differs = terms.not(equal);
    let inside = terms.has_prefix(address, 10, 8);
    let mut formula = Formula::new(terms);
    formula.assert("pattern", matches);
    formula.assert("not taken", differs);
    formula.assert("10.0.0.0/8", inside);
    formula
}

/// A string that matches two patterns that exclude each other.
fn unsatisfiable() -> Formula {
    let mut terms = Terms::new();
    let resource = terms.var("resource", Sort::String);
    let one = terms.in_re(resource, starting_with("arn:aws:s3:::"));
    let other = terms.in_re(resource, starting_with("arn:aws:sqs:"));
    let mut formula = Formula::new(terms);
    formula.assert("one", one);
    formula.assert("other", other);
    formula
}

fn starting_with(literal: &str) -> Regex {
    Regex::Concat(vec![Regex::Literal(literal.to_owned()), Regex::All])
}

fn version(definition: &Definition) -> Option<String> {
    let program = Program {
        command: &definition.command,
        arguments: &definition.version_arguments,
        memory_bytes: definition.memory_bytes.unwrap_or(Limits::DEFAULT_MEMORY_BYTES),
        deadline: Instant::now() + PROBE_TIMEOUT,
    };
    let job = Job { program, input: Arc::from("") };
    let finished = child::run(&job, VersionListener(Vec::new()), &Cancel::new()).ok()?;
    let stdout = finished.listener.map_or_else(Vec::new, |listener| listener.0);
    let find = |output: &[u8]| version_in(&String::from_utf8_lossy(output));
    find(&stdout).or_else(|| find(&finished.stderr))
}

struct VersionListener(Vec<u8>);

impl Listener for VersionListener {
    fn hear(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        let room = VERSION_BYTES_MAX - self.0.len();
        self.0.extend_from_slice(&bytes[..bytes.len().min(room)]);
        if self.0.len() < VERSION_BYTES_MAX {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    }
}

/// The first word with a digit, a dot and a digit.
fn version_in(text: &str) -> Option<String> {
    let edge = |c: char| !c.is_ascii_alphanumeric();
    text.split_whitespace()
        .map(|word| word.trim_matches(edge))
        .find(|word| has_version(word))
        .map(str::to_owned)
}

fn has_version(word: &str) -> bool {
    word.as_bytes()
        .windows(3)
        .any(|three| three[0].is_ascii_digit() && three[1] == b'.' && three[2].is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use keyaki_logic::smtlib::Dialect;

    use super::*;

    #[track_caller]
    fn check_version(text: &str, expected: Option<&str>) {
        assert_eq!(version_in(text).as_deref(), expected);
    }

    #[test]
    fn a_version_is_a_word_with_numbers_around_a_dot() {
        check_version("Z3 version 4.8.12 - 64 bit\n", Some("4.8.12"));
        check_version("This is cvc5 version 1.0.3\ncompiled with GCC 12.2.0", Some("1.0.3"));
        check_version("This is cvc5 version 1.2.1-dev.5+abc [git]", Some("1.2.1-dev.5+abc"));
        check_version("Yices (2.6.4).", Some("2.6.4"));
        check_version("solver v2.0", Some("v2.0"));
        check_version("no version. 7 of them", None);
        check_version("", None);
    }

    fn definition(command: &str, arguments: &[&str]) -> Definition {
        Definition {
            name: "probe".to_owned(),
            command: command.to_owned(),
            arguments: arguments.iter().map(|word| (*word).to_owned()).collect(),
            version_arguments: Vec::new(),
            dialect: Dialect::Standard,
            memory_bytes: None,
            persistent: None,
            persistent_arguments: Vec::new(),
            proof_checker: None,
            enabled: true,
        }
    }

    #[track_caller]
    fn check_status(definition: Definition, expected: Status) {
        let found = find(&Config { automaton: false, solvers: vec![definition] });
        assert_eq!(found[0].status, expected);
    }

    #[test]
    fn a_program_that_is_not_there_is_missing() {
        check_status(definition("keyaki-no-such-program", &[]), Status::Missing);
        check_status(definition("/dev/null", &[]), Status::Missing);
        check_status(definition("/tmp", &[]), Status::Missing);
    }

    #[test]
    fn the_embedded_solver_works_unless_it_is_disabled() {
        let config = Config { automaton: true, solvers: Vec::new() };
        assert_eq!(embedded(&config), Status::Works);
        assert_eq!(embedded(&Config { automaton: false, ..config }), Status::Disabled);
    }

    #[test]
    fn a_disabled_solver_is_not_started() {
        let disabled = Definition { enabled: false, ..definition("sh", &[]) };
        check_status(disabled, Status::Disabled);
    }

    #[test]
    fn a_program_that_answers_at_random_is_broken() {
        let broken = |text: &str| Status::Broken(text.to_owned());
        check_status(
            definition("sh", &["-c", "echo unsat"]),
            broken("answered unsat where sat is right"),
        );
        check_status(
            definition("sh", &["-c", "echo unknown"]),
            broken("did not decide a tiny formula (it gave up)"),
        );
        let model = "echo sat; echo '((resource \"arn:aws:s3:::x\") (address #x0a000000))'";
        check_status(
            definition("sh", &["-c", model]),
            broken(
                "answered something that is not SMT-LIB: a value for `address`, which was not \
                    asked for, in ((resource \"arn:aws:s3:::x\") (address #x0a000000))",
            ),
        );
    }

    #[test]
    fn only_files_that_can_be_executed_are_programs() {
        assert!(locate("sh").is_some());
        assert!(locate("/bin/sh").is_some());
        assert_eq!(locate(""), None);
    }
}
