//! Damaged certificates are rejected, or show what is so.
//!
//! Bytes, lines, literals, indices and hints of a certificate are changed, dropped, doubled and exchanged at random. In half of what is tried the hash is set right, so that formulas are
//! damaged too. What is accepted all the same has to be a certificate still: of the same formulas, or of others, which then have no
//! model among all values of a small universe.

use keyaki_logic::certificate::{Certificate, Part};
use keyaki_logic::{Cancel, Limits, Model, Solver, Value as Constant};
use keyaki_solvers::Automaton;
use keyaki_verify::{Query, verify};
use serde_json::Value;

use crate::NoCase;
use crate::certificates::Random;
use crate::damage::{How, WHAT, damaged, formulas, with_hash};
use crate::formulas::{formula, models};
use crate::solving::TIMEOUT;

/// Damages for each certificate.
const N_DAMAGES: usize = 64;

/// The longest certificate that is damaged, in bytes.
const MAX_BYTES: usize = 1 << 14;

/// Nothing is accepted of which a model is known.
pub(crate) fn check(case: &Value) -> Result<Vec<&'static str>, NoCase> {
    let formula = formula(case)?;
    let explained = Automaton.explain(&formula, &Limits::within(TIMEOUT), &Cancel::new());
    let Some(proof) = explained.ok().and_then(|(_, proof)| proof) else { return Ok(vec!["sat"]) };
    let part = Part { label: "case".to_owned(), formula: formula.clone(), proof };
    let Certificate { text, query } = Certificate::new(&[part]);
    if text.len() > MAX_BYTES {
        return Ok(vec![]);
    }
    let mut random = Random::of(case);
    let mut outcomes = Vec::new();
    for _ in 0..N_DAMAGES {
        let what = WHAT[random.below(WHAT.len() as u64) as usize];
        let how = How::ALL[random.below(4) as usize];
        let damaged = damaged(&text, what, how, &mut |bound| random.below(bound as u64) as usize);
        // What is no text any more is seen to be none.
        let Some(damaged) = damaged.and_then(|bytes| String::from_utf8(bytes).ok()) else {
            continue;
        };
        let damaged = match random.below(2) == 0 {
            true => with_hash(&damaged),
            false => damaged,
        };
        if damaged == text {
            continue;
        }
        outcomes.push(match verify(damaged.as_bytes()) {
            Err(_) => "rejected",
            Ok(verified) if verified.query == query => "shows the same",
            Ok(_) => {
                let mut query = Query::read(formulas(&damaged).expect("it was accepted")).unwrap();
                for model in models(&formula) {
                    for part in 0..query.n_parts() {
                        let truths = query.truths(part, |name| value(&model, name));
                        // Of another sort, a variable is another variable.
                        let Ok(truths) = truths else { continue };
                        let is_model = truths.iter().all(|truth| *truth == Some(true));
                        assert!(!is_model, "{model:?} is a model:\n{damaged}");
                    }
                }
                "shows another"
            }
        });
    }
    Ok(outcomes)
}

fn value(model: &Model, name: &str) -> Option<keyaki_verify::Value> {
    Some(match model.get(name)? {
        Constant::Bool(truth) => keyaki_verify::Value::Truth(*truth),
        Constant::String(text) => keyaki_verify::Value::Text(text.clone()),
        Constant::Bits { value, .. } => keyaki_verify::Value::Bits(*value),
    })
}
