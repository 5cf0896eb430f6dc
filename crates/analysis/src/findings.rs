//! Findings: a few rows that cover everything that breaks a property.
//!
//! A row says who may do what on what under which condition, in patterns that the policies name. [`findings()`] looks for the
//! *precise* rows first: each is a choice of patterns such that some request that breaks the property is of these and of
//! none that lie strictly within them, and none lies within another. Of these it takes the fewest that cover every such
//! request, which the solver is asked to confirm: what breaks the property and is of no row must be nothing. The idea is that of
//! *stratified abstraction* (CAV 2020), the choice that of AccessRefinery (FSE 2026). Other than there the patterns are not
//! refined from the top, which visits all combinations above a row: each statement is asked for the combinations that its own
//! request leaves possible, and a request that is found shows all rows that it is of.
//!
//! Any question will do whose answer is a list of cells; what it is about does not matter here.

pub(crate) mod cover;
pub(crate) mod lattice;

use std::time::Duration;

use keyaki_logic::{Attempt, Reason};
use keyaki_policy::ast::Statement;
use keyaki_policy::{Readings, Switch};

pub use crate::check::rows::findings;
use crate::check::{Evidence, Witness};
use crate::encode::Unsupported;
use crate::public::Table;

/// What is wanted of findings.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// Every precise row, instead of the fewest that cover everything.
    pub all: bool,
    /// What the resource's service takes for public, if it is to be told which rows are.
    pub table: Option<&'static Table>,
}

/// Who breaks a property, as a list of rows.
#[derive(Clone, Debug)]
pub struct Findings {
    /// The rows; none if the property holds.
    pub rows: Vec<Row>,
    /// How many rows are precise: those shown, if all were wanted.
    pub n_precise: usize,
    /// Whether no choice of fewer precise rows covers everything.
    pub is_least: bool,
    /// Whether the rows cover everything that breaks the property.
    pub coverage: Coverage,
    /// The solver whose answer decided that nothing breaks the property beside the rows; see [`crate::Report::solver`].
    pub solver: Option<String>,
    /// Each solver's try at each query, in the order asked.
    pub attempts: Vec<Attempt>,
    /// How many queries went to the solver.
    pub queries: usize,
    /// From call to return.
    pub wall: Duration,
}

/// Whether rows cover everything that breaks a property.
#[derive(Clone, Debug)]
pub enum Coverage {
    /// They do: no request breaks it that is of none of them.
    Complete(Evidence),
    /// It was not found out.
    Unknown {
        /// Why.
        reason: Reason,
        /// The constructs that the answer hangs on, if the reason is [`Reason::Unsupported`].
        unsupported: Vec<Unsupported>,
    },
}

/// Requests that break a property, or may.
#[derive(Clone, Debug)]
pub struct Row {
    /// The requests, as an Allow statement that matches them; a part that says nothing is `*`.
    pub statement: Statement,
    /// Why the row is there.
    pub cause: Cause,
    /// Whether some request of the row is public, where that was asked for and found out.
    pub is_public: Option<bool>,
}

/// Why a row is there.
#[derive(Clone, Debug)]
pub enum Cause {
    /// Some request of it breaks the property.
    Shown {
        /// The request. It was replayed, and is of the row.
        witness: Box<Witness>,
        /// The readings under which it breaks the property.
        under: Readings,
        /// The switches on which it hangs that some request of the row does; see [`crate::Report::depends_on`].
        depends_on: Vec<Switch>,
    },
    /// It was not found out whether one does.
    Undecided {
        /// Why.
        reason: Reason,
        /// The constructs that the answer hangs on.
        unsupported: Vec<Unsupported>,
    },
}
