//! Checks certificates of Keyaki: that formulas have no model, or that statements of policies include others.
//!
//! A certificate of the first kind (`formulas`) holds formulas and, for each, clauses that end with the empty one, each with the reason
//! for which it holds. One of the second kind (`statements`) holds statements, and a table that says which of them includes which.
//! [`verify`] takes both apart by itself and believes none of the reasons. It shares no code with what made them: the
//! arguments about texts are derivatives of regular expressions here and automata there. What a certificate says of
//! policies rests on the translation of these into the formulas or statements; `docs/trust.md` says on what else.
//!
//! To trust a certificate of one kind, nothing has to be read of the other, nor of what the feature `requests` adds: that is for who asks
//! what a certificate's text says of a request, and the program is built without it.
//!
//! Checking is bounded in time and memory: [`MAX_BYTES`], and a budget of steps that grows with the text.

#![forbid(unsafe_code)]

mod budget;
mod formulas;
#[cfg(feature = "requests")]
mod requests;
mod statements;
mod words;

use std::fmt;

use sha2::{Digest, Sha256};

use budget::Budget;
#[cfg(feature = "requests")]
pub use requests::{Answer, Asked, Entries, Query, Statements, Value};
use words::Lines;

/// The first lines of a certificate of formulas, and of one of statements.
const HEADERS: [&str; 2] = ["keyaki-certificate 1", "keyaki-certificate 2"];

/// The longest text that is looked at, in bytes.
pub const MAX_BYTES: u64 = 256 << 20;

/// The same of statements and their table, of which each byte may take more memory.
pub const MAX_BYTES_OF_STATEMENTS: u64 = 16 << 20;

/// What a certificate has shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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

type Result<T, E = Rejection> = std::result::Result<T, E>;

impl Rejection {
    fn new(reason: impl Into<String>) -> Rejection {
        Rejection(reason.into())
    }

    /// The same with its place.
    fn at(self, place: impl fmt::Display) -> Rejection {
        Rejection(format!("{place}: {}", self.0))
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Rejection {}

/// Rejects what is not so.
fn require(is_so: bool, reason: impl FnOnce() -> String) -> Result<()> {
    if is_so { Ok(()) } else { Err(Rejection(reason())) }
}

/// Whether the text shows that none of its formulas has a model, or that no request breaks its property. There may be no formula: then
/// nothing was to be shown.
///
/// # Errors
///
/// [`Rejection`]: it does not, and which line or step is why.
pub fn verify(text: &[u8]) -> Result<Verified, Rejection> {
    require_at_most(text.len(), MAX_BYTES)?;
    let text = std::str::from_utf8(text)
        .map_err(|error| Rejection::new(format!("no UTF-8 after byte {}", error.valid_up_to())))?;
    let (version, claimed, query, proof) = sections(text)?;
    let check = match version == HEADERS[0] {
        true => formulas::check,
        false => {
            require_at_most(text.len(), MAX_BYTES_OF_STATEMENTS).map(|()| statements::check)?
        }
    };
    let hash = hash(query.text);
    require(hash == claimed, || format!("line 2: the query has the hash {hash}"))?;
    Ok(Verified { query: hash, ..check(&query, &proof, Budget::of(text.len()))? })
}

/// A certificate of the second kind, of its two texts, if it is one: what it has shown, and all of it. Whoever has them apart need not
/// have the hash.
///
/// # Errors
///
/// [`Rejection`]: it is none, and which line or statement is why.
pub fn certificate(query: &str, table: &str) -> Result<(Verified, String), Rejection> {
    let n_bytes = query.len() + table.len();
    require_at_most(n_bytes, MAX_BYTES_OF_STATEMENTS)?;
    let first = query.matches('\n').count() + 4;
    let lines = (Lines { text: query, first: 3 }, Lines { text: table, first });
    let shown = statements::check(&lines.0, &lines.1, Budget::of(n_bytes))?;
    let hash = hash(query);
    let text = [HEADERS[1], "\nquery ", &hash, "\n", query, "proof\n", table, "end\n"].concat();
    Ok((Verified { query: hash, ..shown }, text))
}

fn require_at_most(n_bytes: usize, most: u64) -> Result<()> {
    require(n_bytes as u64 <= most, || format!("longer than {most} bytes"))
}

/// The header, the hash, the query and the proof.
fn sections(text: &str) -> Result<(&str, &str, Lines<'_>, Lines<'_>)> {
    let is_whole = |lines: &str| lines.is_empty() || lines.ends_with('\n');
    let (version, rest) = text.split_once('\n').unwrap_or((text, ""));
    let rest = rest.strip_prefix("query ").filter(|_| HEADERS.contains(&version));
    let rest = rest.ok_or_else(|| {
        let wanted = HEADERS.join("` or `");
        Rejection::new(format!("begins with `{version:.40}`, not with `{wanted}`, and `query`"))
    })?;
    let (claimed, rest) =
        rest.split_once('\n').ok_or_else(|| Rejection::new("ends after the hash of the query"))?;
    let (query, rest) = rest
        .split_once("proof\n")
        .filter(|(query, _)| is_whole(query))
        .ok_or_else(|| Rejection::new("has no line `proof`"))?;
    let proof = rest.strip_suffix("end\n").filter(|proof| is_whole(proof));
    let proof = proof.ok_or_else(|| Rejection::new("does not end with the line `end`"))?;
    let first = 3 + query.matches('\n').count() + 1;
    Ok((version, claimed, Lines { text: query, first: 3 }, Lines { text: proof, first }))
}

/// SHA-256 of a text, in hexadecimal digits.
fn hash(text: &str) -> String {
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    Sha256::digest(text).iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
