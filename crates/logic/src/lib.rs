//! Terms, formulas and models, SMT-LIB as their concrete syntax, and the contract of a solver.
//!
//! This crate is the waist of the hourglass: above it are policies, below it are solvers, and
//! neither appears here. It is pure: no process, no file, no clock but the [`Instant`]s that
//! [`Limits`] carries.
//!
//! Read the modules in this order: [`regex`], [`template`] and [`term`] (what can be said), [`model`]
//! (what makes it true), [`eval`] (whether it does), [`simplify`] (saying it shorter), [`relax`]
//! (saying less or more of it), [`smtlib`] (saying it to others), [`solver`] (who answers, and how),
//! [`proof`] (why nothing makes it true) and [`canonical`] (by what it is known again).
//!
//! [`Instant`]: std::time::Instant
//! [`Limits`]: solver::Limits

pub mod cancel;
pub mod canonical;
pub mod certificate;
pub mod eval;
pub mod model;
pub mod proof;
pub mod regex;
pub mod relax;
pub mod simplify;
pub mod smtlib;
pub mod solver;
pub mod template;
pub mod term;
#[cfg(test)]
mod testing;

pub use cancel::Cancel;
pub use model::{Model, Value};
pub use proof::Proof;
pub use regex::Regex;
pub use solver::{Answer, Attempt, Limits, Outcome, Reason, Solver, SolverError};
pub use template::Piece;
pub use term::{Formula, Sort, Term, Terms};
