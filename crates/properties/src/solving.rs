//! What the embedded solver says of random formulas: against all values of a small universe,
//! against the naive checker of proofs, and against the installed solvers.

use std::sync::OnceLock;
use std::time::Duration;

use keyaki_logic::certificate::{Certificate, Part};
use keyaki_logic::proof::Rule;
use keyaki_logic::{Cancel, Formula, Limits, Outcome, Proof, Reason, Solver, eval};
use keyaki_solvers::{Automaton, Checked, Config, Process, locate};
use serde_json::Value;

use crate::formulas::{formula, models};
use crate::{NoCase, proof};

/// Time for the embedded solver, which needs milliseconds.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);

/// Time for an external one; whoever needs more has said nothing.
const EXTERNAL_TIMEOUT: Duration = Duration::from_secs(2);

/// A model is one, and where there is none, trying all values finds none, and the proof is
/// accepted by a naive checker, and as a certificate by `keyaki-verify`. Asked again, it says the same. Only templates are undecided.
pub(crate) fn check_enumeration(case: &Value) -> Result<Vec<&'static str>, NoCase> {
    let formula = formula(case)?;
    let (outcome, proof) = explained(&formula);
    let again = Automaton.solve(&formula, &Limits::within(TIMEOUT), &Cancel::new());
    assert_eq!(again.expect("it does not break").outcome, outcome, "asked again");
    Ok(vec![match outcome {
        Outcome::Sat(model) => {
            assert_eq!(eval::holds(&formula, &model), Ok(true), "no model: {model:?}");
            "sat"
        }
        Outcome::Unsat => {
            let model = models(&formula).find(|model| eval::holds(&formula, model) == Ok(true));
            assert_eq!(model, None, "has a model");
            let proof = proof.expect("unsat comes with a proof");
            assert_eq!(proof::check(&formula, &proof), Ok(()), "proof {proof:#?}");
            let part = Part { label: "case".to_owned(), formula, proof };
            let Certificate { text, query } = Certificate::new(&[part]);
            let verified = keyaki_verify::verify(text.as_bytes());
            assert_eq!(verified.map(|verified| verified.query), Ok(query), "rejected:\n{text}");
            "unsat"
        }
        Outcome::Unknown(reason) => {
            assert_eq!(reason, Reason::Unsupported, "undecided");
            assert!(case.to_string().contains("matches"), "undecided without templates");
            "unknown"
        }
    }])
}

/// One of the installed solvers does not say the opposite: of the formula, and if it is
/// unsatisfiable, of the assertions and of the lemmas that the proof uses.
pub(crate) fn check_smt(case: &Value) -> Result<Vec<&'static str>, NoCase> {
    let formula = formula(case)?;
    let (outcome, proof) = explained(&formula);
    let solvers = installed();
    // The case chooses, so that it is the same one each time.
    let place = case.to_string().bytes().map(usize::from).sum::<usize>();
    let Some(solver) = solvers.get(place % solvers.len().max(1)) else {
        return Ok(vec!["nobody to ask"]);
    };
    let ask = |formula: &Formula, what: &str, ours: &str, wrong: &dyn Fn(&Outcome) -> bool| {
        let limits = Limits::within(EXTERNAL_TIMEOUT);
        let Ok(answer) = solver.solve(formula, &limits, &Cancel::new()) else { return "nothing" };
        let theirs = answer.outcome;
        assert!(!wrong(&theirs), "{} says {theirs:?} of {what}, we {ours}", solver.name());
        match theirs {
            Outcome::Unknown(_) => "nothing",
            _ => "the same",
        }
    };
    let is_sat = |outcome: &Outcome| matches!(outcome, Outcome::Sat(_));
    Ok(match outcome {
        Outcome::Sat(_) => {
            let is_unsat = |outcome: &Outcome| *outcome == Outcome::Unsat;
            vec![ask(&formula, "the formula", "sat", &is_unsat)]
        }
        Outcome::Unsat => {
            let proof = proof.expect("unsat comes with a proof");
            let mut said = vec![ask(&core(&formula, &proof), "the core", "unsat", &is_sat)];
            let lemmas = proof.steps.iter().filter(|step| matches!(step.rule, Rule::Theory(_)));
            // Each costs the start of a process.
            if let Some(lemma) = lemmas.max_by_key(|step| step.clause.len()) {
                let negation = proof::negation(&formula, &lemma.clause);
                said.push(ask(&negation, "what a lemma excludes", "unsat", &is_sat));
            }
            said
        }
        Outcome::Unknown(_) => vec!["we do not know"],
    })
}

fn explained(formula: &Formula) -> (Outcome, Option<Proof>) {
    let explained = Automaton.explain(formula, &Limits::within(TIMEOUT), &Cancel::new());
    let (answer, proof) = explained.unwrap_or_else(|error| panic!("it breaks: {error}"));
    (answer.outcome, proof)
}

/// The assertions that a proof uses.
fn core(formula: &Formula, proof: &Proof) -> Formula {
    let mut core = Formula::new(formula.terms.clone());
    for assertion in proof.core().assertions {
        let (label, term) = &formula.assertions()[assertion];
        core.assert(label.as_str(), *term);
    }
    core
}

/// The solvers of the built-in configuration that are installed.
fn installed() -> &'static [Checked<Process>] {
    static INSTALLED: OnceLock<Vec<Checked<Process>>> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let config = Config::builtin();
        let installed = config.enabled().filter(|solver| locate(&solver.command).is_some());
        installed.map(|definition| Checked::new(Process::new(definition.clone()))).collect()
    })
}
