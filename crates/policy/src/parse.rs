//! JSON values to the syntax tree.

use crate::ast::{Policy, PolicyType};
use crate::diagnostic::ParseError;

/// Reads a policy.
///
/// # Errors
///
/// [`ParseError`] for the first thing that is wrong.
pub fn parse(source: &str, policy_type: Option<PolicyType>) -> Result<Policy, ParseError> {
    let _ = (source, policy_type);
    unimplemented!()
}
