//! Scripts of SMT-LIB 2.6 as formulas: memberships, equalities, prefixes, suffixes and parts of strings, under
//! any Boolean structure.
//!
//! | there | here |
//! |---|---|
//! | `declare-const`, `declare-fun` without arguments | a variable, of `Bool`, `String` or `(_ BitVec n)` |
//! | `define-fun`, `define-const`, `let`, `!` with `:named` | what they stand for |
//! | `not and or => xor = distinct ite` | the Boolean connectives; equality of strings and of bit vectors |
//! | `str.in_re`, `str.prefixof`, `str.suffixof`, `str.contains`, `str.++` | memberships and [templates](crate::template) |
//! | `re.none re.all re.allchar str.to_re re.++ re.union re.inter re.comp re.diff re.* re.+ re.opt re.range re.^ re.loop` | [`Regex`](crate::Regex), flattened |
//! | `(assert (= L r))` of a constant `L` of `RegLan` | the definition of `L` |
//! | `push`, `pop`, `reset` | scopes, as long as there is one `check-sat` |
//! | spellings of before 2.6 (`str.in.re`, `str.to.re`, `re.nostr`, `(re.loop r i j)`) | the same |
//!
//! Read the modules in this order: `tree` (text as S-expressions), `literal` and `chars` (strings),
//! `language` (regular expressions in the making), `value`, `terms` and `apply` (what a term stands for).
//!
//! What is not there is outside of the fragment: an assertion with such a part is left out, and the
//! first is remembered. A formula that lacks assertions and still has no model settles the script;
//! one that has a model does not ([`Script::unsupported`]). What a script means is never guessed:
//! the escapes of SMT-LIB 2.5 beside the names of 2.5, for example, are read differently by different
//! programs, so such a script is outside of the fragment as a whole.

mod apply;
mod chars;
mod commands;
mod language;
pub(crate) mod literal;
mod terms;
pub(crate) mod tree;
mod value;

use std::fmt::Write as _;

pub use tree::{Place, SyntaxError};

use crate::model::{Model, Value};
use crate::term::{Formula, Sort};

/// A script, as far as it is understood.
#[derive(Clone, Debug)]
pub struct Script {
    /// What is asserted where the first `check-sat` stands, but for what is outside of the
    /// fragment.
    pub formula: Formula,
    /// The first thing outside of the fragment that the answer may depend on. If there is one, a
    /// formula without a model is a script without one, and a formula with a model says nothing.
    pub unsupported: Option<Unsupported>,
    /// What the script says of itself: whether it has a model.
    pub status: Option<Status>,
    /// How many times it asks.
    pub n_checks: usize,
    constants: Vec<Constant>,
}

/// Something outside of the fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// What, in words.
    pub what: String,
    /// Where.
    pub place: Place,
}

/// What `(set-info :status …)` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// There is a model.
    Sat,
    /// There is none.
    Unsat,
}

/// A declared constant.
#[derive(Clone, Debug)]
struct Constant {
    symbol: String,
    sort: Sort,
}

/// Reads a script.
///
/// # Errors
///
/// [`SyntaxError`] for what is no script. What is one, and outside of the fragment, is none.
pub fn script(text: &str) -> Result<Script, SyntaxError> {
    commands::read(text)
}

impl Script {
    /// The model as SMT-LIB has it, `(define-fun …)` of each declared constant; `None` if a value has
    /// a character that SMT-LIB lacks, so that this is no model of the script.
    pub fn model(&self, model: &Model) -> Option<String> {
        let mut out = String::from("(\n");
        for Constant { symbol, sort } in &self.constants {
            let value = match (model.get(symbol), sort) {
                (Some(value), _) => value.clone(),
                // Of what does not occur, any value will do.
                (None, Sort::Bool) => Value::Bool(false),
                (None, Sort::String) => Value::String(String::new()),
                (None, Sort::Bits(width)) => Value::Bits { value: 0, width: *width },
            };
            let value = match value {
                Value::Bool(value) => value.to_string(),
                Value::String(text) => literal::write(&text)?,
                Value::Bits { value, width } => super::bits(value, width),
            };
            let (symbol, sort) = (quoted(symbol), super::sort_text(*sort));
            writeln!(out, "  (define-fun {symbol} () {sort} {value})")
                .expect("strings accept writes");
        }
        out.push(')');
        Some(out)
    }
}

/// The symbol, between bars if it needs them.
fn quoted(symbol: &str) -> String {
    let is_simple = symbol.chars().next().is_some_and(|c| !c.is_ascii_digit() && c != ':')
        && symbol.chars().all(tree::is_of_symbols)
        && !symbol.contains(['#', ':'])
        && !matches!(symbol, "_" | "!" | "as" | "let" | "exists" | "forall" | "match" | "par");
    if is_simple { symbol.to_owned() } else { format!("|{symbol}|") }
}

#[cfg(test)]
mod tests;
