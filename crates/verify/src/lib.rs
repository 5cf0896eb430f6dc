//! Checks certificates of Keyaki: that formulas have no model, or that statements of policies include others.
//!
//! A certificate of the first kind holds formulas and, for each, clauses that end with the empty one, each with the reason for which it holds.
//! One of the second kind holds statements, and a table that says which of them includes which.
//! [`verify`] takes both apart by itself and believes none of the reasons. It shares no code with what made them: the
//! arguments about texts are derivatives of regular expressions here and automata there. What a certificate says of
//! policies rests on the translation of these into the formulas or statements; `docs/trust.md` says on what else.
//!
//! Checking is bounded in time and memory: [`MAX_BYTES`], and a budget of steps that grows with the text.

#![forbid(unsafe_code)]

mod clauses;
mod cover;
mod evaluate;
mod glob;
mod language;
mod lemma;
mod meaning;
mod read;
mod statements;

use std::collections::HashMap;
use std::fmt;

use sha2::{Digest, Sha256};

use clauses::Facts;
pub use evaluate::{Query, Value};
use language::{Languages, TooMuch};
pub use meaning::{Answer, Asked, Entries, Statements};
use read::{Lines, Part, Rule};
use statements::Question;

/// The first lines of a certificate of formulas, and of one of statements.
const HEADERS: [&str; 2] = ["keyaki-certificate 1", "keyaki-certificate 2"];

/// The longest text that is looked at, in bytes.
pub const MAX_BYTES: u64 = 256 << 20;

/// The same of statements and their table, of which each byte may take more memory.
pub const MAX_BYTES_OF_STATEMENTS: u64 = 16 << 20;

/// The steps that may be spent whatever the length.
const BASE_BUDGET: u64 = 1 << 22;

/// The steps for each byte.
const BUDGET_PER_BYTE: u64 = 64;

/// What a certificate has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// SHA-256 of the formulas, or of the question and its statements, as they are written, in hexadecimal digits.
    pub query: String,
    /// What each formula is about, as the certificate calls it.
    pub parts: Vec<String>,
    /// The name of the property, if it is one of statements.
    pub property: Option<String>,
    /// The clauses, or rows of the table, in all.
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

impl From<TooMuch> for Rejection {
    fn from(_: TooMuch) -> Rejection {
        Rejection::new("the table takes more than this checker spends")
    }
}

/// Whether the text shows that none of its formulas has a model, or that no request breaks its property. There may be no formula: then
/// nothing was to be shown.
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
    let Sections { is_of_statements, claimed, query, proof } = sections(text)?;
    if is_of_statements {
        fits(text.len())?;
    }
    let hash = hash(query.text);
    if hash != claimed {
        return Err(Rejection::new(format!("line 2: the query has the hash {hash}")));
    }
    if is_of_statements {
        return of_statements(&query, &proof, hash);
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
        property: None,
    })
}

/// A certificate of the second kind, of its two texts, if it is one: what it has shown, and all of it. Whoever has them apart need not
/// have the hash.
///
/// # Errors
///
/// [`Rejection`]: it is none, and which line or statement is why.
pub fn certificate(query: &str, table: &str) -> Result<(Verified, String), Rejection> {
    fits(query.len() + table.len())?;
    let first = query.matches('\n').count() + 4;
    let lines = (Lines { text: query, first: 3 }, Lines { text: table, first });
    let verified = of_statements(&lines.0, &lines.1, hash(query))?;
    let text =
        [HEADERS[1], "\nquery ", &verified.query, "\n", query, "proof\n", table, "end\n"].concat();
    Ok((verified, text))
}

/// Whether statements and a table of so many bytes are looked at.
fn fits(n_bytes: usize) -> Result<(), Rejection> {
    match n_bytes as u64 <= MAX_BYTES_OF_STATEMENTS {
        true => Ok(()),
        false => Err(Rejection::new(format!("longer than {MAX_BYTES_OF_STATEMENTS} bytes"))),
    }
}

/// What statements and a table show.
fn of_statements(
    query: &Lines<'_>,
    table: &Lines<'_>,
    hash: String,
) -> Result<Verified, Rejection> {
    let length = query.text.len() + table.text.len();
    let budget = glob::Budget::new(BASE_BUDGET + BUDGET_PER_BYTE * length as u64);
    let question = Question::read(query)?;
    let n_steps = cover::check(&question, table, &budget)?;
    let property = Some(question.name.to_owned());
    Ok(Verified { query: hash, parts: Vec::new(), property, n_steps })
}

struct Sections<'t> {
    is_of_statements: bool,
    claimed: &'t str,
    query: Lines<'t>,
    proof: Lines<'t>,
}

/// The header, the hash, the query and the steps.
fn sections(text: &str) -> Result<Sections<'_>, Rejection> {
    let [formulas, statements] = HEADERS;
    let (version, rest) = text.split_once('\n').unwrap_or((text, ""));
    let rest = rest.strip_prefix("query ").filter(|_| HEADERS.contains(&version));
    let rest = rest.ok_or_else(|| {
        let wanted = format!("`{formulas}` or `{statements}`, and `query`");
        Rejection::new(format!("begins with `{version:.40}`, not with {wanted}"))
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
        is_of_statements: version == statements,
        claimed,
        query: Lines { text: query, first: 3 },
        proof: Lines { text: proof, first },
    })
}

/// SHA-256 of a text, in hexadecimal digits.
fn hash(text: &str) -> String {
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    Sha256::digest(text).iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Whether each step holds and the last is empty; otherwise which does not, and why.
fn check(part: &Part, languages: &mut Languages) -> Result<(), (usize, String)> {
    // Most assertions are axioms that nothing is taken from.
    let mut clauses = HashMap::new();
    let mut facts = Facts::of(part);
    for (number, step) in part.steps.iter().enumerate() {
        let holds = match &step.rule {
            Rule::From(number) => match part.assertions.get(*number) {
                None => Err(format!("there is no assertion {number}")),
                Some(&assertion) => {
                    let of = || clauses::of_assertion(part, assertion);
                    match clauses.entry(*number).or_insert_with(of).contains(&step.clause) {
                        true => Ok(()),
                        false => Err(format!("assertion {number} has no such part")),
                    }
                }
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
