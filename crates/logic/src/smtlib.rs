//! SMT-LIB 2.6 text.
use crate::{Formula, Model};
/// The variants of SMT-LIB that solvers read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// SMT-LIB 2.6.
    Standard,
    /// As CVC4 1.8 reads it: character ranges end at U+00FF.
    Cvc4,
}
impl Dialect {
    /// The dialect of that name in configuration files: `smtlib-2.6` or `cvc4`.
    pub fn by_name(name: &str) -> Option<Dialect> {
        match name {
            "smtlib-2.6" => Some(Dialect::Standard),
            "cvc4" => Some(Dialect::Cvc4),
            _ => None,
        }
    }
}
/// The script: declarations, assertions, `(check-sat)`, and `(get-value …)` of every variable.
///
/// # Errors
///
/// A description of what the dialect cannot say.
pub fn script(formula: &Formula, dialect: Dialect) -> Result<String, String> {
    let _ = (formula, dialect);
    unimplemented!()
}
/// Reads the response to `(get-value …)`.
///
/// # Errors
///
/// A description of what is not understood.
pub fn read_model(formula: &Formula, response: &str) -> Result<Model, String> {
    let _ = (formula, response);
    unimplemented!()
}
