//! SMT-LIB in and out: `encode`, `solve`, and the scripts that `--save-smt` keeps.

use std::fs;
use std::process::{Command, Stdio};

use keyaki::smtlib::Dialect;
use keyaki::solvers::{Config, Definition};

use crate::program::{Den, PRIVATE, PUBLIC, has_solver, installed};

const SAT: &str = "(set-logic ALL)(declare-const x String)(assert (= x \"a\"))(check-sat)\n";
const UNSAT: &str = "(set-logic ALL)(declare-const x Bool)(assert (and x (not x)))(check-sat)\n";

#[track_caller]
fn check_solve(den: &Den, arguments: &str, status: i32, stdout: &str) {
    let run = den.keyaki(arguments);
    assert_eq!((run.status, run.stdout.as_str()), (status, stdout), "{}", run.stderr);
}

/// Writes `fake.toml`, with a solver of that name that reads a script and gives that answer.
fn always_answers(den: &Den, name: &str, answer: &str) {
    let definition = format!(
        r#"
        [[solver]]
        name = "{name}"
        command = "sh"
        arguments = ["-c", "cat >/dev/null; echo {answer}"]
        dialect = "smtlib-2.6"
        "#
    );
    den.write("fake.toml", &definition);
}

/// Runs a command of the shell and returns the first line that it prints.
#[track_caller]
fn first_line(den: &Den, shell: &str) -> String {
    let output = Command::new("sh").args(["-c", shell]).current_dir(den.path()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().next().unwrap_or_else(|| panic!("{shell} prints nothing")).to_owned()
}

/// What a solver answers when it is called as configured and given `script`.
#[track_caller]
fn answer(solver: &Definition, script: &str) -> String {
    let den = Den::with("script.smt2", script);
    let output = Command::new(&solver.command)
        .args(&solver.arguments)
        .stdin(Stdio::from(fs::File::open(den.path().join("script.smt2")).unwrap()))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    // After `unsat` there is no model, and saying so is all right.
    text.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn every_solver_accepts_what_encode_prints() {
    if !has_solver() {
        return;
    }
    let den = Den::with("old.json", PRIVATE);
    den.write("new.json", PUBLIC);
    let config = Config::builtin();
    for name in installed() {
        let solver = config.get(name).unwrap();
        let dialect = if solver.dialect == Dialect::Cvc4 { "cvc4" } else { "smtlib-2.6" };
        for (question, expected) in [
            ("no-public-access new.json", "sat"),
            ("no-public-access old.json", "unsat"),
            ("no-new-access old.json new.json", "sat"),
            ("no-new-access new.json old.json", "unsat"),
        ] {
            let run = den.keyaki(&format!("encode {question} --dialect {dialect}"));
            assert_eq!((run.status, run.stderr.as_str()), (0, ""));
            assert_eq!(answer(solver, &run.stdout), expected, "{name}, {question}");
        }
    }
}

#[test]
fn encode_needs_no_solver_and_says_the_same_every_time() {
    let den = Den::with("p.json", PUBLIC);
    let once = den.keyaki("encode no-public-access p.json");
    let twice = den.keyaki("encode no-public-access p.json");
    assert_eq!(once.stdout, twice.stdout);
    assert_eq!(once.stdout.matches("(check-sat)").count(), 1);
    let standard_input = den.keyaki_reading("encode no-public-access -", PUBLIC);
    assert_eq!(once.stdout, standard_input.stdout);
}

#[test]
fn a_saved_script_is_replayed_by_its_first_line() {
    if !has_solver() {
        return;
    }
    let den = Den::with("p.json", PUBLIC);
    // A name that a shell would take apart.
    let mut command = den.command(&["check", "no-public-access", "p.json", "--audit", "--json"]);
    let output = command.args(["--save-smt", "my scripts; #1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    // The embedded solver is sent no script.
    let attempts = result["attempts"].as_array().unwrap().iter();
    let attempts: Vec<_> = attempts.filter(|attempt| attempt["solver"] != "automaton").collect();
    assert_eq!(attempts.len(), installed().len());
    for attempt in &attempts {
        let script = attempt["script"].as_str().unwrap();
        let text = fs::read_to_string(script).unwrap();
        let replay = text.lines().next().unwrap().strip_prefix("; replay: ").unwrap();
        assert_eq!(first_line(&den, replay), attempt["result"], "{replay}");
    }
    let scripts = fs::read_dir(den.path().join("my scripts; #1")).unwrap();
    let n_scripts = scripts.filter(|f| f.as_ref().unwrap().path().extension().is_some()).count();
    assert_eq!(n_scripts, attempts.len(), "one script an attempt");
}

#[test]
fn scripts_of_two_runs_do_not_overwrite_each_other() {
    if !has_solver() {
        return;
    }
    let den = Den::with("p.json", PUBLIC);
    let solver = installed()[0];
    for number in ["0001", "0002"] {
        den.keyaki(&format!("check no-public-access p.json --save-smt smt --solver {solver}"));
        assert!(den.read(&format!("smt/{number}-{solver}.smt2")).contains("(check-sat)"));
    }
}

#[test]
fn a_saved_script_can_be_solved_again() {
    if !has_solver() {
        return;
    }
    let den = Den::with("p.json", PUBLIC);
    let solver = installed()[0];
    den.keyaki(&format!("check no-public-access p.json --save-smt smt --solver {solver}"));
    let again = format!("solve smt/0001-{solver}.smt2 --solver {solver}");
    check_solve(&den, &again, 0, "sat\n");
}

#[test]
fn solve_answers_sat_or_unsat() {
    if !has_solver() {
        return;
    }
    let den = Den::with("sat.smt2", SAT);
    den.write("unsat.smt2", UNSAT);
    check_solve(&den, "solve sat.smt2", 0, "sat\n");
    check_solve(&den, "solve unsat.smt2 --audit", 0, "unsat\n");
    for solver in installed() {
        check_solve(&den, &format!("solve sat.smt2 --solver {solver}"), 0, "sat\n");
        check_solve(&den, &format!("solve unsat.smt2 --solver {solver}"), 0, "unsat\n");
    }
    let run = den.keyaki_reading("solve -", UNSAT);
    assert_eq!((run.status, run.stdout.as_str()), (0, "unsat\n"));
}

#[test]
fn solve_answers_unknown_with_status_3() {
    let den = Den::with("sat.smt2", SAT);
    always_answers(&den, "shrugs", "unknown");
    check_solve(&den, "solve sat.smt2 --config fake.toml --solver shrugs", 3, "unknown\n");
}

#[test]
fn a_script_that_no_solver_understands_is_an_error() {
    if !has_solver() {
        return;
    }
    let den = Den::with("bad.smt2", "(set-logic ALL)(assert (frobnicate))(check-sat)\n");
    let run = den.keyaki("solve bad.smt2");
    assert_eq!((run.status, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
}

#[test]
fn the_embedded_solver_reads_scripts_and_says_what_it_does_not_read() {
    let den = Den::with("sat.smt2", SAT);
    den.write("unsat.smt2", UNSAT);
    check_solve(&den, "solve unsat.smt2 --solver automaton", 0, "unsat\n");
    check_solve(&den, "solve sat.smt2 --solver automaton", 0, "sat\n");
    let model = "sat\n(\n  (define-fun x () String \"a\")\n)\n";
    check_solve(&den, "solve sat.smt2 --solver automaton --model", 0, model);
    check_solve(&den, "solve unsat.smt2 --solver automaton --model", 0, "unsat\n");
    den.write("less.smt2", "(declare-const x String)\n(assert (str.< x \"b\"))\n(check-sat)");
    let run = den.keyaki("solve less.smt2 --solver automaton");
    assert_eq!((run.status, run.stdout.as_str()), (3, "unknown\n"));
    assert!(run.stderr.contains("reason: unsupported"), "{}", run.stderr);
    assert!(run.stderr.contains("the function `str.<`\n  --> less.smt2:2:9\n"), "{}", run.stderr);
}

#[test]
fn a_broken_script_is_an_error_with_a_place() {
    let den =
        Den::with("bad.smt2", "(declare-const x String)\n  (assert (= x \"a))\n(check-sat)\n");
    for solver in ["", " --solver automaton"] {
        let run = den.keyaki(&format!("solve bad.smt2{solver}"));
        assert_eq!((run.status, run.stdout.as_str()), (2, ""));
        let beginning = "error: a string without its closing quote\n  --> bad.smt2:2:16\nhint: ";
        assert!(run.stderr.starts_with(beginning), "{}", run.stderr);
    }
    den.write("twice.smt2", "(check-sat)(check-sat)");
    let run = den.keyaki("solve twice.smt2 --solver automaton");
    assert_eq!((run.status, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.contains("2 commands `(check-sat)`"), "{}", run.stderr);
}

#[test]
fn an_answer_that_the_script_contradicts_is_an_error() {
    let script = "(set-info :status unsat)(declare-const x String)(assert (= x \"a\"))(check-sat)";
    let den = Den::with("liar.smt2", script);
    always_answers(&den, "yes", "sat");
    for (arguments, by) in
        [("--solver automaton", "automaton"), ("--solver yes", "yes"), ("", "automaton")]
    {
        let run = den.keyaki(&format!("solve liar.smt2 --config fake.toml {arguments}"));
        assert_eq!((run.status, run.stdout.as_str()), (2, ""));
        let message =
            format!("error: {by} answered sat, and the script says that its status is unsat\n");
        assert!(run.stderr.starts_with(&message), "{}", run.stderr);
    }
}
