//! Truth of a formula under a model.
use crate::{Formula, Model};
/// Whether `model` satisfies every assertion of `formula`.
///
/// # Errors
///
/// A description, if a variable has no value or one of another sort.
pub fn holds(formula: &Formula, model: &Model) -> Result<bool, String> {
    let _ = (formula, model);
    unimplemented!()
}
