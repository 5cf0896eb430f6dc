//! Checks certificates of Keyaki: that formulas have no model.
//!
//! A certificate holds formulas and, for each, clauses that end with the empty one, each with the reason for which it holds.
//! [`verify`] takes the formulas apart by itself and believes none of the reasons. It shares no code with what made them: the
//! arguments about texts are derivatives of regular expressions here and automata there. What a certificate says of
//! policies rests on the translation of these into the formulas; `docs/trust.md` says on what else.
//!
//! Checking is bounded in time and memory: [`MAX_BYTES`], and a budget of steps that grows with the text.

#![forbid(unsafe_code)]

mod clauses;
mod evaluate;
mod language;
mod lemma;
mod read;

use std::fmt;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use clauses::Facts;
pub use evaluate::{Query, Value};
use language::{Languages, TooMuch};
use read::{Lines, Part, Rule};

/// The first line of a certificate.
const HEADER: &str = "keyaki-certificate 1";

/// The longest text that is looked at, in bytes.
pub const MAX_BYTES: u64 = 256 << 20;

/// The steps that may be spent whatever the length.
const BASE_BUDGET: u64 = 1 << 22;

/// The steps for each byte.
const BUDGET_PER_BYTE: u64 = 64;

/// What a certificate has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// SHA-256 of the formulas as they are written, in hexadecimal digits.
    pub query: String,
    /// What each formula is about, as the certificate calls it.
    pub parts: Vec<String>,
    /// The clauses in all.
    pub n_steps: usize,
}

/// Why a text is no certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection(String);

impl Rejection {
    fn new(reason: impl Into<String>) -> Rejection {
        Rejection(reason.into())
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Rejection {}

/// Whether the text shows that none of its formulas has a model. There may be none: then nothing was to be shown.
///
/// # Errors
///
/// [`Rejection`]: it does not, and which line or step is why.
pub fn verify(text: &[u8]) -> Result<Verified, Rejection> {
    if text.len() as u64 > MAX_BYTES {
        return Err(Rejection::new(format!("longer than {MAX_BYTES} bytes")));
    }
    let text = std::str::from_utf8(text)
        .map_err(|error| Rejection::new(format!("no UTF-8 after byte {}", error.valid_up_to())))?;
    let Sections { claimed, query, proof } = sections(text)?;
    let hash = hexadecimal(&Sha256::digest(query.text.as_bytes()));
    if hash != claimed {
        return Err(Rejection::new(format!("line 2: the query has the hash {hash}")));
    }
    let mut languages = Languages::new(BASE_BUDGET + BUDGET_PER_BYTE * text.len() as u64);
    let parts = read::parts(&query, &proof, &mut languages)?;
    for (number, part) in parts.iter().enumerate() {
        check(part, &mut languages).map_err(|(step, reason)| {
            Rejection::new(format!("part {number}, step {step}: {reason}"))
        })?;
    }
    Ok(Verified {
        query: hash,
        n_steps: parts.iter().map(|part| part.steps.len()).sum(),
        parts: parts.into_iter().map(|part| part.label).collect(),
    })
}

struct Sections<'t> {
    claimed: &'t str,
    query: Lines<'t>,
    proof: Lines<'t>,
}

/// The header, the hash, the formulas and the steps.
fn sections(text: &str) -> Result<Sections<'_>, Rejection> {
    let version = text.lines().next().unwrap_or_default();
    let rest = text.strip_prefix(HEADER).and_then(|rest| rest.strip_prefix("\nquery "));
    let rest = rest.ok_or_else(|| {
        Rejection::new(format!("begins with `{version:.40}`, not with `{HEADER}` and `query`"))
    })?;
    let (claimed, rest) =
        rest.split_once('\n').ok_or_else(|| Rejection::new("ends after the hash of the query"))?;
    let (query, rest) = rest
        .split_once("proof\n")
        .filter(|(query, _)| query.is_empty() || query.ends_with('\n'))
        .ok_or_else(|| Rejection::new("has no line `proof`"))?;
    let proof =
        rest.strip_suffix("end\n").filter(|proof| proof.is_empty() || proof.ends_with('\n'));
    let proof = proof.ok_or_else(|| Rejection::new("does not end with the line `end`"))?;
    let first = 3 + query.matches('\n').count() + 1;
    Ok(Sections {
        claimed,
        query: Lines { text: query, first: 3 },
        proof: Lines { text: proof, first },
    })
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Whether each step holds and the last is empty; otherwise which does not, and why.
fn check(part: &Part, languages: &mut Languages) -> Result<(), (usize, String)> {
    let clauses = clauses::of_assertions(part);
    let mut facts = Facts::of(part);
    for (number, step) in part.steps.iter().enumerate() {
        let holds = match &step.rule {
            Rule::From(assertion) => match clauses.get(*assertion) {
                None => Err(format!("there is no assertion {assertion}")),
                Some(clauses) if clauses.contains(&step.clause) => Ok(()),
                Some(_) => Err(format!("assertion {assertion} has no such part")),
            },
            Rule::Def if clauses::is_definition(part, &step.clause) => Ok(()),
            Rule::Def => Err("no connective means this".to_owned()),
            Rule::Lemma => match lemma::holds(part, &step.clause, languages) {
                Ok(true) => Ok(()),
                Ok(false) => {
                    Err("some values make all of it false, as far as is known here".to_owned())
                }
                Err(TooMuch) => Err("takes more than this checker spends".to_owned()),
            },
            Rule::Rup(hints) => facts.follows(part, number, hints),
        };
        holds.map_err(|reason| (number, reason))?;
    }
    match part.steps.last() {
        Some(step) if step.clause.is_empty() => Ok(()),
        _ => Err((part.steps.len(), "the empty clause is missing".to_owned())),
    }
}
