//! The solvers of the built-in configuration, as far as they are installed. With `REQUIRE_SOLVERS`
//! set, one that is missing is a failure.

use std::env;
use std::time::Duration;

use keyaki_logic::{Formula, Limits, Outcome, Reason, Regex, Solver, Sort, Terms};
use keyaki_solvers::{
    Checked, Config, Mode, Portfolio, Process, RawAnswer, ScriptSolver, Status, find,
};

use crate::fakes::{long, never};

/// The installed solvers of the built-in configuration.
pub(crate) fn installed() -> Vec<Process> {
    let mut processes = Vec::new();
    for found in find(&Config::builtin()) {
        let name = &found.definition.name;
        match found.status {
            Status::Works => {
                assert!(found.version.is_some(), "`{name}` tells no version");
                processes.push(Process::new(found.definition));
            }
            Status::Missing if env::var_os("REQUIRE_SOLVERS").is_none() => {
                eprintln!("SKIPPED: `{name}` is not installed");
            }
            status => panic!("`{name}`: {status:?}"),
        }
    }
    processes
}

/// `resource` matches `arn:*:é?`, is not `arn:aws:éa` and, if `empty`, starts with `b`.
fn formula(empty: bool) -> Formula {
    let mut terms = Terms::new();
    let resource = terms.var("resource name", Sort::String);
    let address = terms.var("address", Sort::Bits(128));
    let secure = terms.var("secure", Sort::Bool);
    let literal = |text: &str| Regex::Literal(text.to_owned());
    let pattern =
        Regex::Concat(vec![literal("arn:"), Regex::All, literal(":\u{e9}"), Regex::AnyChar]);
    let matches = terms.in_re(resource, pattern);
    let taken = terms.string("arn:aws:\u{e9}a");
    let equal = terms.eq(resource, taken);
    let differs = terms.not(equal);
    let block = terms.has_prefix(address, 0x2001_0db8, 32);
    let starts_with_b = terms.in_re(resource, Regex::Concat(vec![literal("b"), Regex::All]));
    let mut formula = Formula::new(terms);
    formula.assert("pattern", matches);
    formula.assert("differs", differs);
    formula.assert("block", block);
    formula.assert("secure", secure);
    if empty {
        formula.assert("starts with b", starts_with_b);
    }
    formula
}

#[test]
fn each_decides_small_formulas() {
    for process in installed() {
        let solver = Checked::new(process);
        let solve = |empty| solver.solve(&formula(empty), &long(), &never()).unwrap().outcome;
        assert!(matches!(solve(false), Outcome::Sat(_)), "{}", solver.name());
        assert_eq!(solve(true), Outcome::Unsat, "{}", solver.name());
    }
}

#[test]
fn each_answers_scripts() {
    for process in installed() {
        let run = |script| process.run_script(script, &long(), &never()).unwrap();
        let name = process.definition().name.clone();
        assert_eq!(run("(set-logic QF_S)(check-sat)"), RawAnswer::Sat(String::new()), "{name}");
        assert_eq!(run("(set-logic QF_S)(assert false)(check-sat)"), RawAnswer::Unsat, "{name}");
    }
}

#[test]
fn each_reports_a_mistake_in_a_script() {
    for process in installed() {
        let script = "(set-logic QF_S)\n(assert nobody)\n(check-sat)\n";
        let error = process.run_script(script, &long(), &never()).unwrap_err().to_string();
        let expected = "stopped without an answer (error message): (error ";
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn all_agree() {
    let members: Vec<Box<dyn Solver>> = installed()
        .into_iter()
        .map(|process| Box::new(Checked::new(process)) as Box<dyn Solver>)
        .collect();
    let n = members.len();
    if n == 0 {
        return;
    }
    let audit = Portfolio::new(Mode::All, members);
    for empty in [false, true] {
        let answer = audit.solve(&formula(empty), &long(), &never()).unwrap();
        assert_eq!(answer.by.len(), n, "{answer:?}");
    }
}

#[test]
fn memory_is_limited() {
    for process in installed() {
        // Enough to start, not enough to double a string this often.
        let mut script = "(set-logic ALL)\n(declare-const x0 (_ BitVec 64))\n".to_owned();
        for i in 0..200 {
            script += &format!(
                "(define-fun x{} () (_ BitVec 64) (bvudiv (bvmul x{i} x{i}) (bvadd x{i} #x000000000000000{:x})))\n",
                i + 1,
                i % 16
            );
        }
        script += "(assert (= x200 #x0123456789abcdef))\n(check-sat)\n";
        let limits = Limits { memory_bytes: 192 << 20, ..Limits::within(Duration::from_secs(60)) };
        let answer = process.run_script(&script, &limits, &never());
        eprintln!("{}: {answer:?}", process.definition().name);
        assert_eq!(answer, Ok(RawAnswer::Unknown(Reason::Memory)), "{}", process.definition().name);
    }
}
