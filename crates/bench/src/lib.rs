//! Measures SMT solvers on many queries, compares versions, and says whether an upgrade loses an answer.
//!
//! The library of the program `keyaki-bench`. It knows solvers as commands and queries as files, and nothing of
//! policies: whoever runs SMT solvers can use it. Read the modules in this order: [`solvers`] and [`suite`] (what is
//! measured), [`supervise`] and [`run`] (one run), [`measure`] and [`record`] (many), then what reads records.
//!
//! Measuring and reading are different commands, as in `rebar`, and old records stay readable.

pub mod compare;
pub mod explain;
pub mod gate;
pub mod hash;
pub mod learn;
pub mod measure;
pub mod plot;
pub mod rank;
pub mod record;
pub mod report;
pub mod run;
pub mod sexp;
pub mod solvers;
pub mod stats;
pub mod suite;
pub mod supervise;
pub mod table;
pub mod tiers;
