//! Questions about access-control policies, answered with a proof or a counterexample.
//!
//! ```no_run
//! use keyaki::{Engine, Question, parse, public};
//!
//! let policy = parse(&std::fs::read_to_string("bucket.json")?, None)?;
//! let report = Engine::with_installed_solvers()?.check(&Question::NoPublicAccess { policy, table: &public::S3 })?;
//! println!("{:?}", report.verdict);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`engine`] puts solvers together, [`job`] reads and runs the jobs of `keyaki batch`,
//! [`evaluation`] those about one request, [`findings`] those that list who breaks a property, and [`wire`] is the one place where jobs, requests and
//! results become JSON. [`policies`] is how policies of several kinds are given, [`decisions`] how
//! readings of the language are, [`access`] how lists of accesses are, [`trust`] how zones of trust are. [`script`] is for formulas without
//! policies. [`validation`] needs neither solver nor request.

pub mod access;
mod attached;
pub mod bucket;
pub mod decisions;
pub mod engine;
pub mod evaluation;
pub mod explanation;
pub mod findings;
mod given;
pub mod job;
pub mod policies;
pub mod property;
mod reader;
mod request;
pub mod script;
pub mod trust;
pub mod validation;
pub mod wire;

pub use engine::{Engine, EngineError, EngineOptions};
pub use keyaki_analysis::encode::Opaque;
pub use keyaki_analysis::{
    Error, Evidence, Question, Report, Verdict, encode, explain, public, question, zone,
};
pub use keyaki_logic::{
    Attempt, Cancel, Limits, Reason, SolverError, smtlib, solver::AttemptResult,
};
pub use keyaki_policy as policy;
pub use keyaki_policy::{ParseError, Policy, PolicyType, Request, parse};
pub use keyaki_solvers as solvers;
