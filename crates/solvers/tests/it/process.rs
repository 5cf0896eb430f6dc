//! One solver, however it behaves.

use std::fs;
use std::process::Command;
use std::thread;

use keyaki_logic::{Cancel, Formula, Limits, Outcome, Reason, Solver, SolverError, Terms, Value};
use keyaki_solvers::{Checked, Definition, Process, RawAnswer, ScriptSolver};

use crate::fakes::{
    Den, definition, is_running, long, long_formula, never, short, starts_with_a, wait_until,
};

/// Asks the fake `script` and returns what it makes of `formula`, with nothing left running.
#[track_caller]
fn ask(
    script: &str,
    arguments: &[&str],
    formula: &Formula,
    limits: &Limits,
) -> Result<Outcome, SolverError> {
    let den = Den::new();
    let solver = Checked::new(den.fake(script, arguments));
    let answer = solver.solve(formula, limits, &never());
    den.check_nothing_runs();
    answer.map(|answer| answer.outcome)
}

#[track_caller]
fn check_outcome(script: &str, arguments: &[&str], expected: Outcome) {
    assert_eq!(ask(script, arguments, &starts_with_a(), &long()), Ok(expected));
}

#[track_caller]
fn check_fails(script: &str, arguments: &[&str], expected: &str) {
    let error = ask(script, arguments, &starts_with_a(), &long()).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

fn model(x: &str) -> Outcome {
    Outcome::Sat([("x".to_owned(), Value::String(x.to_owned()))].into_iter().collect())
}

#[test]
fn answers_are_read() {
    check_outcome("answers", &["unsat"], Outcome::Unsat);
    check_outcome("answers", &["unsat", "(error \"no model\")"], Outcome::Unsat);
    check_outcome("answers", &["sat", "((x \"ab\"))"], model("ab"));
    check_outcome("answers", &["sat", "((x", "\"a)\"\"\"", "))"], model("a)\""));
    check_outcome("answers", &["success", "unsupported", "unsat"], Outcome::Unsat);
    check_outcome("answers", &["unknown"], Outcome::Unknown(Reason::SolverGaveUp));
    check_outcome("answers", &["timeout"], Outcome::Unknown(Reason::Timeout));
    check_outcome("slow", &[], Outcome::Unsat);
}

#[test]
fn an_answer_is_not_kept_waiting_by_a_process_that_does_not_end() {
    check_outcome("answers_and_hangs", &["unsat"], Outcome::Unsat);
    check_outcome("answers_and_hangs", &["sat", "((x \"a\"))"], model("a"));
    check_outcome("answers_and_hangs", &["unknown"], Outcome::Unknown(Reason::SolverGaveUp));
}

#[test]
fn a_formula_without_variables_needs_no_model() {
    let formula = Formula::new(Terms::new());
    let outcome = ask("answers_and_hangs", &["sat"], &formula, &long());
    assert_eq!(outcome, Ok(Outcome::Sat([].into_iter().collect())));
}

#[test]
fn a_missing_program_is_not_found() {
    let den = Den::new();
    let missing = Definition {
        command: "keyaki-no-such-program".to_owned(),
        ..definition("missing", den.path(), "answers", &[])
    };
    let error = Process::new(missing).solve(&starts_with_a(), &long(), &never()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot start `keyaki-no-such-program`: No such file or directory (os error 2)"
    );
}

#[test]
fn an_end_without_an_answer_is_told_by_its_status() {
    check_fails("crashes", &[], "stopped without an answer (signal 11): assertion violated");
    check_fails("silent", &[], "stopped without an answer (exit status 3)");
    check_fails("answers", &["sat"], "stopped without an answer (exit status 0): sat");
    check_fails(
        "answers",
        &["sat", "((x \"a\")"],
        "stopped without an answer (exit status 0): sat\n((x \"a\")",
    );
}

#[test]
fn an_error_message_hides_the_answer_after_it() {
    check_fails(
        "answers",
        &["(error \"unknown function\")", "sat", "((x \"a\"))"],
        "stopped without an answer (error message): (error \"unknown function\")\nsat\n((x \"a\"))",
    );
    check_fails(
        "answers",
        &["sat", "(error \"no model\")"],
        "stopped without an answer (error message instead of a model): sat\n(error \"no model\")",
    );
}

#[test]
fn rubbish_is_rubbish() {
    check_fails("answers", &["hello"], "answered something that is not SMT-LIB: hello");
    check_fails(
        "answers",
        &["sat", "((x true))"],
        "answered something that is not SMT-LIB: no value of `x`'s sort, in ((x true))",
    );
}

#[test]
fn endless_output_is_cut_off() {
    for script in ["endless_line", "endless_lines"] {
        let error = ask(script, &[], &starts_with_a(), &long()).unwrap_err();
        assert!(matches!(error, SolverError::Rubbish { .. }), "{script}: {error}");
        assert!(error.to_string().len() < 10_000, "{script}");
    }
}

#[test]
fn a_wrong_model_is_an_error() {
    check_fails(
        "answers",
        &["sat", "((x \"b\"))"],
        "answered sat with a model that does not satisfy the formula: \
         an assertion is false under it",
    );
}

#[test]
fn running_out_of_memory_is_giving_up() {
    let memory = || Outcome::Unknown(Reason::Memory);
    check_outcome("out_of_memory", &[], memory());
    check_outcome("answers", &["(error \"out of memory\")"], memory());
    check_outcome("answers", &["Out of memory: killed"], memory());
}

#[test]
fn a_program_is_confined() {
    for (own, callers) in [(None, 1 << 30), (Some(1 << 30), 4 << 30), (Some(4 << 30), 1 << 30)] {
        let den = Den::new();
        let definition = Definition {
            memory_bytes: own,
            ..definition("d", den.path(), "knows_its_limits", &[])
        };
        let limits = Limits { memory_bytes: callers, ..long() };
        let answer = Process::new(definition).solve(&starts_with_a(), &limits, &never());
        assert_eq!(answer.map(|answer| answer.outcome), Ok(Outcome::Unsat));
    }
}

#[test]
fn the_deadline_kills_whoever_does_not_answer_and_its_children() {
    for (script, arguments) in [
        ("hangs", &[][..]),
        ("ignores_signals", &[]),
        // The answer is there, but not the model.
        ("answers_and_hangs", &["sat"]),
        ("answers_and_hangs", &["sat", "((x \"a"]),
    ] {
        for formula in [starts_with_a(), long_formula()] {
            let outcome = ask(script, arguments, &formula, &short());
            assert_eq!(outcome, Ok(Outcome::Unknown(Reason::Timeout)), "{script}");
        }
    }
}

#[test]
fn a_deadline_that_has_passed_starts_nothing() {
    let den = Den::new();
    let limits = Limits { deadline: std::time::Instant::now(), ..long() };
    let answer = den.fake("hangs", &[]).solve(&starts_with_a(), &limits, &never()).unwrap();
    assert_eq!(answer.outcome, Outcome::Unknown(Reason::Timeout));
    assert!(!den.path().join("pids").exists());
}

#[test]
fn cancelling_kills_the_program_and_its_children() {
    let den = Den::new();
    let cancel = Cancel::new();
    let answer = thread::scope(|scope| {
        let asked =
            scope.spawn(|| den.fake("hangs", &[]).solve(&starts_with_a(), &long(), &cancel));
        den.wait_for("ready");
        assert!(den.pids("pids").into_iter().all(is_running));
        cancel.cancel();
        asked.join().unwrap()
    });
    assert_eq!(answer.unwrap().outcome, Outcome::Unknown(Reason::Cancelled));
    assert_eq!(den.pids("pids").len(), 3);
    den.check_nothing_runs();
}

#[test]
fn a_call_that_is_cancelled_already_starts_nothing() {
    let den = Den::new();
    let cancel = Cancel::new();
    cancel.cancel();
    let answer = den.fake("hangs", &[]).solve(&starts_with_a(), &long(), &cancel).unwrap();
    assert_eq!(answer.outcome, Outcome::Unknown(Reason::Cancelled));
    assert!(!den.path().join("pids").exists());
}

#[test]
fn pipes_never_fill() {
    assert_eq!(ask("loud", &[], &long_formula(), &long()), Ok(Outcome::Unsat));
    assert_eq!(ask("answers", &["unsat"], &long_formula(), &long()), Ok(Outcome::Unsat));
}

#[test]
fn a_program_may_stop_reading() {
    assert_eq!(ask("closes_stdin", &[], &long_formula(), &long()), Ok(Outcome::Unsat));
}

#[test]
fn a_process_that_escapes_does_not_block_the_caller() {
    let den = Den::new();
    let answer = den.fake("escapes", &[]).solve(&starts_with_a(), &long(), &never());
    assert_eq!(answer.unwrap().outcome, Outcome::Unsat);
    den.check_nothing_runs();
    for pid in den.pids("escaped") {
        Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
        wait_until("the escaped process is gone", || !is_running(pid));
    }
}

#[test]
fn a_formula_that_the_dialect_cannot_say_is_unsupported() {
    let den = Den::new();
    let fake = Definition {
        dialect: keyaki_logic::smtlib::Dialect::Cvc4,
        ..definition("cvc4", den.path(), "answers", &["unsat"])
    };
    let mut terms = Terms::new();
    let x = terms.var("x", keyaki_logic::Sort::String);
    let far = keyaki_logic::Regex::Chars(vec![('\u{4e00}', '\u{9fff}')]);
    let matches = terms.in_re(x, far);
    let mut formula = Formula::new(terms);
    formula.assert("Han", matches);
    let answer = Process::new(fake).solve(&formula, &long(), &never()).unwrap();
    assert_eq!(answer.outcome, Outcome::Unknown(Reason::Unsupported));
    assert!(!den.path().join("pids").exists());
}

#[test]
fn a_script_is_sent_as_it_is() {
    let den = Den::new();
    let received = den.path().join("received");
    let command = format!("cat >'{}'; echo unsat", received.display());
    let definition = Definition {
        arguments: vec!["-c".to_owned(), command],
        ..definition("cat", den.path(), "answers", &[])
    };
    let script = "(check-sat) ; caf\u{e9}";
    let answer = Process::new(definition).run_script(script, &long(), &never());
    assert_eq!(answer, Ok(RawAnswer::Unsat));
    assert_eq!(fs::read_to_string(received).unwrap(), script);
}

#[test]
fn a_script_needs_no_model() {
    let check = |lines: &[&str], expected: &str| {
        let den = Den::new();
        let answer = den.answering("fake", lines).run_script("(check-sat)", &long(), &never());
        assert_eq!(answer, Ok(RawAnswer::Sat(expected.to_owned())));
    };
    check(&["sat"], "");
    check(&["sat", "((x true))"], "((x true))");
    check(&["sat", "(error \"no model\")"], "(error \"no model\")");
}
