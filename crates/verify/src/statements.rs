//! Certificates of statements: a table says which statement is included in which, so that nothing is left that breaks the property.
//!
//! [`read`] has the statements, [`inclusion`] when one includes another, which are comparisons of [`patterns`], [`trust`] what confines
//! requests, and [`table`] the rows and what they have to show.

pub(crate) mod inclusion;
pub(crate) mod patterns;
pub(crate) mod read;
pub(crate) mod table;
pub(crate) mod trust;

use crate::budget::Budget;
use crate::words::Lines;
use crate::{Result, Verified};
use read::Question;

/// What the table shows of the statements, but for the hash.
pub(crate) fn check(query: &Lines<'_>, table: &Lines<'_>, budget: Budget) -> Result<Verified> {
    let question = Question::read(query)?;
    let n_steps = table::check(&question, table, &budget)?;
    Ok(Verified { property: Some(question.name.to_owned()), n_steps, ..Verified::default() })
}
