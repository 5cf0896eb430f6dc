//! What the text of a certificate says of a request, for who asks whether that is what policies say of it.
//!
//! Nothing of this is needed to check a certificate. It reads the same text as the checker does, and evaluates [`formulas`] and
//! [`statements`] by itself. A part of the checker was not made of it: what is open here must be rejected there.

mod formulas;
mod statements;

pub use formulas::{Query, Value};
#[cfg(test)]
pub(crate) use statements::matches_pattern;
pub use statements::{Answer, Asked, Entries, Statements};
