//! The AWS IAM policy language: syntax with positions, and a concrete evaluator.
//!
//! Read the modules in this order: [`span`] and [`diagnostic`] (where something is, and what is
//! wrong with it), [`json`] (text to values with positions), [`ast`] (the syntax tree),
//! [`mod@parse`] (values to the tree), [`mod@print`] (the tree to JSON), [`catalogue`] (what is
//! known of condition keys and actions), [`request`] (one concrete request), [`reading`] (where the
//! rules leave a choice), [`policy_set`] (policies of several kinds), [`access`] (lists of
//! actions and resources) and [`mod@evaluate`] (does this request pass?). Apart from these, [`mod@validate`] says what is odd in a policy.
//!
//! This crate knows no logic, no solver, no file and no clock. The evaluator is the oracle that
//! every counterexample is replayed through, so it shares nothing with the encoder of
//! `keyaki-analysis` beyond the syntax tree.

pub mod access;
pub mod ast;
pub mod catalogue;
pub mod diagnostic;
pub mod evaluate;
pub mod json;
pub mod parse;
pub mod policy_set;
pub mod print;
pub mod reading;
pub mod request;
pub mod span;
pub mod validate;

pub use access::AccessPattern;
pub use ast::{Policy, PolicyType};
pub use diagnostic::{Code, ParseError};
pub use evaluate::{Decision, evaluate};
pub use parse::{Recovered, parse, parse_all};
pub use policy_set::PolicySet;
pub use reading::{Readings, Switch};
pub use request::Request;
pub use validate::validate;
