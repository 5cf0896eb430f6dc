//! Scripts that are kept.

use std::fs;
use std::path::Path;
use std::process::Command;

use keyaki_logic::smtlib::{self, Dialect};
use keyaki_logic::{Answer, Cancel, Formula, Limits, Solver, SolverError};
use keyaki_solvers::{Mode, Portfolio, Process};

use crate::fakes::{Den, long, never, starts_with_a};

fn portfolio(den: &Den, directory: &Path) -> Portfolio<Process> {
    let members = [
        den.answering("one", &["unsat"]),
        den.answering("two", &["unsat"]),
        den.fake("crashes", &[]),
    ];
    let members = members.into_iter().map(|member| Box::new(member.save_scripts_to(directory)));
    Portfolio::new(Mode::All, members.collect())
}

fn names(directory: &Path) -> Vec<String> {
    let files = fs::read_dir(directory).unwrap().map(|file| file.unwrap().file_name());
    let mut names: Vec<String> = files.map(|name| name.into_string().unwrap()).collect();
    names.retain(|name| name.ends_with(".smt2"));
    names.sort();
    names
}

#[test]
fn a_query_has_one_number_whoever_is_asked() {
    let den = Den::new();
    let directory = den.path().join("not/there/yet");
    for run in 1..=3 {
        // A new run each time, as far as the solvers know.
        let portfolio = portfolio(&den, &directory);
        let answer = portfolio.solve(&starts_with_a(), &long(), &never()).unwrap();
        assert_eq!(answer.attempts.len(), 3);
        for attempt in &answer.attempts {
            let name = format!("{run:04}-{}.smt2", attempt.solver);
            assert_eq!(attempt.script, Some(directory.join(name)), "even if it broke");
        }
    }
    assert_eq!(names(&directory).len(), 9);
}

/// Asks twice.
struct Twice(Process);

impl Solver for Twice {
    fn name(&self) -> &str {
        "twice"
    }

    fn solve(&self, f: &Formula, limits: &Limits, cancel: &Cancel) -> Result<Answer, SolverError> {
        self.0.solve(f, limits, cancel)?;
        self.0.solve(f, limits, cancel)
    }
}

#[test]
fn a_member_that_asks_more_than_once_keeps_every_script() {
    let den = Den::new();
    let directory = den.path().join("scripts");
    let twice = Twice(den.answering("one", &["unsat"]).save_scripts_to(&directory));
    let portfolio = Portfolio::new(Mode::Race, vec![Box::new(twice)]);
    let answer = portfolio.solve(&starts_with_a(), &long(), &never()).unwrap();
    assert_eq!(names(&directory), ["0001-one.2.smt2", "0001-one.smt2"]);
    assert_eq!(answer.attempts[0].script, Some(directory.join("0001-one.2.smt2")));
}

#[test]
fn scripts_of_others_are_not_overwritten() {
    let den = Den::new();
    let directory = den.path().join("scripts");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("0041-z3.smt2"), "precious").unwrap();
    fs::write(directory.join("notes.txt"), "").unwrap();
    let one = den.answering("one", &["unsat"]).save_scripts_to(&directory);
    one.solve(&starts_with_a(), &long(), &never()).unwrap();
    assert_eq!(names(&directory), ["0041-z3.smt2", "0042-one.smt2"]);
}

#[test]
fn queries_at_the_same_time_have_different_numbers() {
    let den = Den::new();
    let directory = den.path().join("scripts");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let one = den.answering("one", &["unsat"]).save_scripts_to(&directory);
                one.solve(&starts_with_a(), &long(), &never()).unwrap();
            });
        }
    });
    let expected: Vec<String> = (1..=8).map(|number| format!("{number:04}-one.smt2")).collect();
    assert_eq!(names(&directory), expected);
}

#[test]
fn the_first_line_replays_the_rest() {
    let den = Den::new();
    let directory = den.path().join("it's here");
    let one = den.answering("one", &["unsat", "as it was said"]).save_scripts_to(&directory);
    let formula = starts_with_a();
    let answer = one.solve(&formula, &long(), &never()).unwrap();
    let text = fs::read_to_string(answer.attempts[0].script.as_ref().unwrap()).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    assert_eq!(rest, smtlib::script(&formula, Dialect::Standard).unwrap());
    let command = first.strip_prefix("; replay: ").unwrap();
    let output = Command::new("sh").args(["-c", command]).output().unwrap();
    assert_eq!(output.stdout, b"unsat\nas it was said\n");
}

#[test]
fn a_script_that_cannot_be_kept_is_an_error() {
    let den = Den::new();
    let file = den.path().join("file");
    fs::write(&file, "").unwrap();
    let one = den.answering("one", &["unsat"]).save_scripts_to(&file);
    let error = one.solve(&starts_with_a(), &long(), &never()).unwrap_err();
    let expected = format!("cannot keep a script in `{}`: ", file.display());
    assert!(error.to_string().starts_with(&expected), "{error}");
}
