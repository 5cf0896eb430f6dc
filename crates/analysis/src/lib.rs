//! Questions about policies as formulas, and solver outcomes as verdicts.
//!
//! ```text
//! Question ─encode→ Formula ─Solver→ Outcome ─witness→ Request ─replay→ Verdict
//! ```
//!
//! Read the modules in this order: [`question`] (what can be asked), [`mod@encode`] (the formula
//! that is satisfiable if and only if the property breaks), [`witness`] (a model as a request),
//! [`replay`] (does that request really break it? written apart from the encoder) and
//! [`mod@check`] (the loop around it), [`mod@explain`] (why nothing breaks it, for people), [`mod@certify`] (for checkers) and [`remedy`] (what would make it hold). [`translation`] (do formulas mean what
//! policies mean?) stands beside that. [`public`] is the table that says what "public" means, [`bucket`] what ACLs and
//! Block Public Access add to it, [`zone`] whom somebody trusts, [`property`] what somebody demands himself, [`addresses`] the
//! arithmetic of address ranges.
//!
//! This crate does no I/O and knows no particular solver: it takes a `&dyn Solver`.

pub mod addresses;
pub mod bucket;
pub mod certify;
pub mod check;
pub mod compatible;
mod cover;
pub mod encode;
pub mod explain;
pub mod findings;
mod guess;
pub mod property;
pub mod public;
pub mod question;
pub mod remedy;
pub mod replay;
pub mod translation;
pub mod witness;
pub mod zone;

pub use certify::certify;
pub use check::{Error, Evidence, Options, Relation, RelationEvidence, Report, Verdict, check};
pub use encode::{Unsupported, encode};
pub use explain::explain;
pub use findings::{Findings, findings};
pub use property::Property;
pub use question::Question;
