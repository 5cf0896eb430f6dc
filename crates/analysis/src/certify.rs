//! That a property holds, as formulas and proofs that somebody else can check.
//!
//! Of what the comparison of texts decides ([`mod@crate::check`], `cover`) it has written down why, and a certificate has the statements and that table.
//!
//! Else the formulas are those of [`mod@crate::encode`], one for each way to break the property, without the axioms that its proof does not
//! use. The simplifier gives no proofs, so what it decides is decided again here, and a certificate costs a solver's time for each
//! way where the verdict may have cost none.

mod statements;

use std::time::Instant;

use keyaki_logic::{Cancel, Formula, Limits, Outcome, Proof, Solver, SolverError, relax};

use crate::check::MAX_REFINEMENTS;
use crate::encode::{BREAKS, Encoding, Opaque, encode};
use crate::question::{PolicyRef, Question, Side};
use crate::{Options, compatible};
use keyaki_verify::Rejection;
pub use statements::query;

/// A way to break a property, and why it is none.
#[derive(Clone, Debug)]
pub struct Refuted {
    /// The policy whose statement would let the request in, and the statement's index; `None` if
    /// the request would need no statement.
    pub through: Option<(PolicyRef, usize)>,
    /// What a request through it satisfies, and the proof that none does.
    pub formula: Formula,
    /// The proof.
    pub proof: Proof,
}

/// The numbers that the statements of a comparison's sides begin with in the query of a certificate, or in that of one whose sides are
/// exchanged.
pub(crate) fn first_numbers(question: &Question, are_exchanged: bool) -> [usize; 2] {
    match are_exchanged {
        false => [0, statements::n_statements(question, Side::Existing)],
        true => [statements::n_statements(question, Side::New), 0],
    }
}

/// The certificate that statements are included in others, as a table says that came with an answer; `None` if no
/// certificate can be about such a question.
///
/// # Errors
///
/// [`Rejection`]: the checker does not accept it.
pub fn of_statements(question: &Question, table: &str) -> Result<Option<String>, Rejection> {
    let Some(query) = query(question) else { return Ok(None) };
    keyaki_verify::certificate(&query, table).map(|(_, text)| Some(text))
}

/// Every way to break the property with the proof that it is none; `None` if some way has no such proof: it may
/// be one, it was not found out within the limits, or the property holds by more than formulas without a model.
///
/// # Errors
///
/// [`SolverError`] if the solver broke.
pub fn certify(
    question: &Question,
    solver: &dyn Solver,
    options: &Options,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Option<Vec<Refuted>>, SolverError> {
    let mut encoding = encode(question);
    encoding.decide(&options.decisions);
    certify_encoded(&encoding, solver, limits, cancel)
}

/// The same of a question that is encoded, with its decisions.
///
/// # Errors
///
/// [`SolverError`] if the solver broke.
pub fn certify_encoded(
    encoding: &Encoding,
    solver: &dyn Solver,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Option<Vec<Refuted>>, SolverError> {
    let mut refuted = Vec::with_capacity(encoding.cells.len());
    for cell in &encoding.cells {
        if cancel.is_cancelled() || Instant::now() >= limits.deadline {
            return Ok(None);
        }
        let formula = encoding.plain(cell.breaks, Opaque::Free);
        match refute(encoding, formula, solver, limits, cancel)? {
            Some((mut formula, mut proof)) => {
                // A stronger claim, and most axioms are about what is of no account here.
                proof.trim(&mut formula, BREAKS);
                refuted.push(Refuted { through: cell.through, formula, proof });
            }
            None => return Ok(None),
        }
    }
    Ok(Some(refuted))
}

/// The formula, with as much of the lazy axiom as that takes, and a proof that it has no model; `None` if it has one, or
/// if that was not found out.
pub(crate) fn refute(
    encoding: &Encoding,
    mut formula: Formula,
    solver: &dyn Solver,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Option<(Formula, Proof)>, SolverError> {
    for _ in 0..MAX_REFINEMENTS {
        let (answer, proof) = solver.explain(&formula, limits, cancel)?;
        match answer.outcome {
            Outcome::Unsat => return Ok(proof.map(|proof| (formula, proof))),
            Outcome::Sat(model) => match compatible::service_to_refine(encoding, &model) {
                Some(service) => formula = compatible::refined(encoding, &formula, &service),
                None => return Ok(None),
            },
            Outcome::Unknown(_) if relax::has_templates(&formula) => {
                formula = relax::relax(&formula);
            }
            Outcome::Unknown(_) => return Ok(None),
        }
    }
    Ok(None)
}
