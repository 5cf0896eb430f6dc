//! Damaged certificates are rejected, or show what is so.
//!
//! Bytes, words and lines of a certificate are flipped, dropped, doubled and exchanged, everywhere one by one or at random: literals,
//! hints and indices of steps are words. In half of what is tried the hash is set right, so that formulas are
//! damaged too. What is accepted all the same has to be a certificate still: of the same formulas, or of others, which then have no
//! model among all values of a small universe.

use keyaki_logic::certificate::{self, Certificate, Part};
use keyaki_logic::{Cancel, Limits, Model, Solver, Value as Constant};
use keyaki_solvers::Automaton;
use keyaki_verify::{Query, verify};
use serde_json::Value;

use crate::NoCase;
use crate::certificates::Random;
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
        let Some(damaged) = damaged(&text, &mut random) else { continue };
        let damaged = match random.below(2) == 0 {
            true => with_hash(damaged),
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

/// The formulas of a certificate.
fn formulas(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("\nquery ")?;
    let (_, rest) = rest.split_once('\n')?;
    rest.split_once("proof\n").map(|(query, _)| query)
}

/// The text with the hash of what its formulas are, if it has some.
fn with_hash(text: String) -> String {
    match formulas(&text) {
        Some(query) => {
            let hash = certificate::hash(query);
            let at = query.as_ptr() as usize - text.as_ptr() as usize;
            format!("keyaki-certificate 1\nquery {hash}\n{}", &text[at..])
        }
        None => text,
    }
}

/// The text with one thing changed; `None` if what came out is no text.
fn damaged(text: &str, random: &mut Random) -> Option<String> {
    let mut below = |n: usize| random.below(n.max(1) as u64) as usize;
    let mut bytes = text.as_bytes().to_vec();
    let (at, other) = (below(bytes.len()), below(bytes.len()));
    match below(4) {
        0 => {
            match below(4) {
                0 => bytes[at] ^= 1 << below(7),
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, bytes[at]),
                _ => bytes.swap(at, other),
            }
            return String::from_utf8(bytes).ok();
        }
        // A step or a term.
        1 => return Some(changed(text, "\n", &mut below)),
        // A literal, a hint, an index, a kind: mostly of the proof.
        _ => {}
    }
    let start = if below(4) == 0 { 0 } else { text.find("proof\n")? };
    let lines: Vec<&str> = text[start..].split('\n').collect();
    let line = below(lines.len());
    let mut new: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    new[line] = match below(3) {
        0 => turned(lines[line], &mut below),
        _ => changed(lines[line], " ", &mut below),
    };
    Some(format!("{}{}", &text[..start], new.join("\n")))
}

/// The pieces with one dropped, doubled, or exchanged with another.
fn changed(text: &str, between: &str, below: &mut dyn FnMut(usize) -> usize) -> String {
    let mut pieces: Vec<&str> = text.split(between).collect();
    let (at, other) = (below(pieces.len()), below(pieces.len()));
    match below(3) {
        0 => drop(pieces.remove(at)),
        1 => pieces.insert(at, pieces[at]),
        _ => pieces.swap(at, other),
    }
    pieces.join(between)
}

/// The line with a literal turned around or a number a little different.
fn turned(line: &str, below: &mut dyn FnMut(usize) -> usize) -> String {
    let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    let at = below(words.len());
    let word = &words[at];
    words[at] = match (word.strip_prefix('+'), word.strip_prefix('-'), word.parse::<u64>()) {
        (Some(term), _, _) => format!("-{term}"),
        (_, Some(term), _) => format!("+{term}"),
        (_, _, Ok(number)) => (number + 1).saturating_sub(2 * below(2) as u64).to_string(),
        _ => word.clone(),
    };
    words.join(" ")
}
