//! Proofs of external solvers count if and only if their checker accepts them.
//!
//! The proof in corpus/proofs was written by cvc5 1.4.2 (`produce-proofs`, `proof-granularity=dsl-rewrite`, `proof-print-reference`, CPC) for the script beside it. It is checked for real where Ethos is
//! installed and `KEYAKI_CPC` names the file of the rules, `Cpc.eo` of cvc5's sources; neither is in a registry.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

use keyaki_logic::smtlib::{Dialect, read};
use keyaki_logic::{Cancel, Formula, Limits, Outcome, Reason, Solver, SolverError};
use keyaki_solvers::{Definition, ProofChecker, Proved, locate};

use crate::fakes::{Den, LONG};

fn recorded(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/proofs").join(name)
}

/// What the recorded proof is about, without the lines that have this.
fn formula_without(what: &str) -> Formula {
    let text = fs::read_to_string(recorded("template.smt2")).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.contains(what)).collect();
    read::script(&lines.join("\n")).unwrap().formula
}

fn formula() -> Formula {
    formula_without("no such line")
}

/// A solver that says `unsat` and writes `proof` if it is asked for one, and a checker.
fn proved(proof: &Path, checker: &[&str]) -> Proved {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let writes = format!("cat >/dev/null; echo unsat; cat '{}'", proof.display());
    Proved::new(Definition {
        name: "fake".to_owned(),
        command: "sh".to_owned(),
        arguments: words(&["-c", "cat >/dev/null; echo unsat"]),
        version_arguments: Vec::new(),
        dialect: Dialect::Standard,
        memory_bytes: None,
        persistent: None,
        persistent_arguments: Vec::new(),
        proof_checker: Some(ProofChecker {
            solver_arguments: words(&["-c", &writes]),
            command: checker[0].to_owned(),
            arguments: words(&checker[1..]),
        }),
        enabled: true,
    })
    .unwrap()
}

fn outcome(proved: &Proved) -> Result<Outcome, SolverError> {
    let limits = Limits::within(LONG);
    proved.solve(&formula(), &limits, &Cancel::new()).map(|answer| answer.outcome)
}

#[test]
fn what_the_checker_does_not_accept_is_unknown() {
    let proof = recorded("template.cpc");
    let says = |script: &str| outcome(&proved(&proof, &["sh", "-c", script, "{script}"]));
    // It gets the assertions, without what a checker has no use for, and the proof without what is around it.
    let looks = "grep -q '^(step .* false ' && grep -q '^(assert' $0 && ! grep -q get-value $0 && echo correct";
    assert_eq!(says(looks), Ok(Outcome::Unsat));
    for script in [
        "grep -q '^(assert' $0 && echo correct; exit 1",
        "grep -q '^(assert' $0 && echo incorrect",
        "grep -q '^(assert' $0 && echo it is correct",
        // Whatever the script asserts.
        "echo correct",
        "true",
        "kill -SEGV $$",
        "yes correct",
    ] {
        let said = says(script);
        assert_eq!(said, Ok(Outcome::Unknown(Reason::SolverGaveUp)), "{script}");
    }
    let limits = Limits::within(Duration::from_millis(300));
    let hangs = proved(&proof, &["sh", "-c", "sleep 1000", "{script}"]);
    let said = hangs.solve(&formula(), &limits, &Cancel::new()).unwrap().outcome;
    assert_eq!(said, Outcome::Unknown(Reason::Timeout));
    let missing = proved(&proof, &["keyaki-no-such-program", "{script}"]);
    assert!(matches!(outcome(&missing), Err(SolverError::NotFound { .. })));
    let none = proved(Path::new("/dev/null"), &["sh", "-c", looks, "{script}"]);
    assert_eq!(outcome(&none), Ok(Outcome::Unknown(Reason::SolverGaveUp)));
}

#[test]
fn a_recorded_proof_is_accepted_by_ethos_and_a_damaged_one_is_not() {
    let (Some(_), Some(rules)) = (locate("ethos"), env::var_os("KEYAKI_CPC")) else {
        eprintln!(
            "SKIPPED: no `ethos`, or no KEYAKI_CPC; the recorded proof is not checked for real"
        );
        return;
    };
    let rules = format!("--include={}", rules.to_string_lossy());
    let checker = ["ethos", "--require-proof-of-false", &rules, "--reference={script}"];
    let proof = recorded("template.cpc");
    assert_eq!(outcome(&proved(&proof, &checker)), Ok(Outcome::Unsat));
    // The same proof says nothing of fewer assertions.
    for without in ["(assert (= ", "(assert (or", "(assert (not"] {
        let (fewer, limits) = (formula_without(without), Limits::within(LONG));
        let answer = proved(&proof, &checker).solve(&fewer, &limits, &Cancel::new()).unwrap();
        assert_eq!(answer.outcome, Outcome::Unknown(Reason::SolverGaveUp), "{without}");
    }
    let text = fs::read_to_string(proof).unwrap();
    let den = Den::new();
    let lines: Vec<&str> = text.lines().collect();
    let steps = (0..lines.len()).filter(|at| lines[*at].starts_with("(step"));
    for dropped in steps {
        let mut damaged = lines.clone();
        damaged.remove(dropped);
        let path = den.path().join("damaged");
        fs::write(&path, damaged.join("\n")).unwrap();
        let said = outcome(&proved(&path, &checker));
        assert_eq!(said, Ok(Outcome::Unknown(Reason::SolverGaveUp)), "{}", lines[dropped]);
    }
}
