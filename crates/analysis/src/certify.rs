//! That a property holds, as formulas and proofs that somebody else can check.
//!
//! The formulas are those of [`mod@crate::encode`] as they are, one for each way to break the property. Neither the simplifier nor the
//! comparison of texts gives proofs, so what they decide is decided again here, and a certificate costs a solver's time for each
//! way where the verdict may have cost none.

use std::time::Instant;

use keyaki_logic::{Cancel, Formula, Limits, Outcome, Proof, Solver, SolverError, relax};

use crate::check::MAX_REFINEMENTS;
use crate::encode::{Encoding, Opaque, encode};
use crate::question::{PolicyRef, Question};
use crate::{Options, compatible};

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
    let mut refuted = Vec::with_capacity(encoding.cells.len());
    for cell in &encoding.cells {
        if cancel.is_cancelled() || Instant::now() >= limits.deadline {
            return Ok(None);
        }
        let formula = encoding.plain(cell.breaks, Opaque::Free);
        match refute(&encoding, formula, solver, limits, cancel)? {
            Some((formula, proof)) => {
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
