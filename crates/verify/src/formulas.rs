//! Certificates of formulas: clauses, each of which holds, and the last of which is empty.
//!
//! [`read`] has the terms and the steps, [`clauses`] what holds by connectives and by propagation, [`lemma`] what holds by the meaning of
//! atoms, which are about texts in a [`language`].

pub(crate) mod clauses;
pub(crate) mod language;
pub(crate) mod lemma;
pub(crate) mod read;

use std::collections::{HashMap, HashSet};

use crate::budget::Budget;
use crate::words::Lines;
use crate::{Rejection, Result, Verified, require};
use language::Languages;
use read::{Literal, Part, Rule, Step};

/// What the steps show of the formulas, but for the hash.
pub(crate) fn check(query: &Lines<'_>, proof: &Lines<'_>, budget: Budget) -> Result<Verified> {
    let mut languages = Languages::new(budget);
    let mut verified = Verified::default();
    for (number, part) in read::parts(query, proof, &mut languages)?.into_iter().enumerate() {
        // Most assertions are axioms that nothing is taken from.
        let mut clauses = HashMap::new();
        let place = |at: usize| format!("part {number}, step {at}");
        for (at, step) in part.steps.iter().enumerate() {
            holds(&part, at, step, &mut clauses, &mut languages)
                .map_err(|reason| reason.at(place(at)))?;
        }
        if part.steps.last().is_none_or(|step| !step.clause.is_empty()) {
            return Err(Rejection::new("the empty clause is missing").at(place(part.steps.len())));
        }
        verified.n_steps += part.steps.len();
        verified.parts.push(part.label);
    }
    Ok(verified)
}

/// Whether the step holds. `clauses` are those into which assertions fall, as far as they are known.
fn holds(
    part: &Part,
    at: usize,
    step: &Step,
    clauses: &mut HashMap<usize, HashSet<Vec<Literal>>>,
    languages: &mut Languages,
) -> Result<()> {
    let clause = &step.clause;
    match &step.rule {
        Rule::From(number) => {
            let assertion = part.assertions.get(*number);
            let assertion = *assertion
                .ok_or_else(|| Rejection::new(format!("there is no assertion {number}")))?;
            let of = || clauses::of_assertion(part, assertion);
            let is_part = clauses.entry(*number).or_insert_with(of).contains(clause);
            require(is_part, || format!("assertion {number} has no such part"))
        }
        Rule::Def => {
            require(clauses::is_definition(part, clause), || "no connective means this".to_owned())
        }
        Rule::Lemma => require(lemma::holds(part, clause, languages)?, || {
            "some values make all of it false, as far as is known here".to_owned()
        }),
        Rule::Rup(hints) => clauses::follows(clause, &part.steps[..at], hints),
    }
}
