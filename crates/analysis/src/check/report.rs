//! What is told of a question, and how it is to be gone about.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use keyaki_logic::{Attempt, Reason, SolverError};
use keyaki_policy::{Readings, Request, Switch};

use crate::encode::{Encoding, Unsupported};
use crate::question::{PolicyRef, Side};

/// What is known about a question, and how it came to be known.
#[derive(Clone, Debug)]
pub struct Report {
    /// The answer.
    pub verdict: Verdict,
    /// The solver whose answer decided; if no solver had to be asked `cover`, because what the
    /// statements in question allow is covered by others, `simplifier`, because nothing was left of
    /// the formula, or `candidates`, because a likely request breaks the property.
    pub solver: Option<String>,
    /// Each solver's try at each query, in the order asked.
    pub attempts: Vec<Attempt>,
    /// How many queries went to the solver.
    pub queries: usize,
    /// The undecided switches that it hangs on that the property fails: it holds if these are read
    /// the other way than in `witness_under`, or that could not be found out within limits.
    /// Empty if the property fails under all readings of the undecided switches, and for other
    /// verdicts: a property that holds does so under all of them.
    pub depends_on: Vec<Switch>,
    /// The readings under which the witness breaks the property; those that the caller wants, with
    /// the defaults of the others, unless it breaks it under alternatives only.
    pub witness_under: Readings,
    /// Where `equivalent` fails: how what `new` allows stands to what `existing` allows. None if that
    /// is not known of both directions under the same readings.
    pub relation: Option<(Relation, RelationEvidence)>,
    /// With [`Relation::Incomparable`]: a request that only the existing policies allow, beside the
    /// witness of the verdict, which only the new ones do.
    pub reverse: Option<Witness>,
    /// Requests that break the property only together with the witness: each stands for addresses
    /// that are few alone. They were replayed together. Mostly there are none.
    pub companions: Vec<Request>,
    /// With [`Options::table`], of a property that holds and that `cover` decided: rows of a certificate ([`mod@crate::certify`]).
    pub table: Option<String>,
    /// With [`Options::table`], of a property that holds and that solvers were asked about as a whole: its formulas, of which a certificate can
    /// be made.
    pub encoding: Option<Box<Encoding>>,
    /// From call to return.
    pub wall: Duration,
}

/// How what `new` allows stands to what `existing` allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// It is less: `new` allows nothing that `existing` does not, under any readings.
    Narrower,
    /// It is more: `new` allows all that `existing` does, under any readings.
    Wider,
    /// Each allows something that the other does not.
    Incomparable,
}

/// Why a relation is believed to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelationEvidence {
    /// Both requests were replayed.
    Replayed,
    /// One was; that there is none for the other direction is known in this way.
    Holds(Evidence),
}

/// An answer.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// No request breaks the property.
    Holds(Evidence),
    /// This request breaks it.
    Fails(Witness),
    /// It was not found out. Never safe.
    Unknown {
        /// Why.
        reason: Reason,
        /// The constructs that the answer hangs on, if the reason is [`Reason::Unsupported`].
        unsupported: Vec<Unsupported>,
    },
}

/// Why a property is believed to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// At least two solvers said so.
    Agreed,
    /// One solver, or the simplifier, said so.
    Claimed,
}

/// A request that breaks the property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The request. It was replayed.
    pub request: Request,
    /// The side that allows it; of a request that both should not allow, [`Side::New`].
    pub side: Side,
    /// The Allow statements that let it in; of a request that both should not allow those of both
    /// sides.
    pub statements: Vec<(PolicyRef, usize)>,
}

/// Why there is no verdict.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The solver broke, or solvers contradicted each other.
    #[error("{error}")]
    Solver {
        /// How.
        #[source]
        error: SolverError,
        /// The tries so far.
        attempts: Vec<Attempt>,
    },
    /// A model does not replay: a fault of ours, in the encoder or in the evaluator.
    #[error("unsound: the counterexample of `{solver}` does not replay: {detail}")]
    Unsound {
        /// Whose model it was.
        solver: String,
        /// What the replay found.
        detail: String,
        /// The request.
        request: Box<Request>,
        /// The tries so far.
        attempts: Vec<Attempt>,
    },
}

/// How to go about a question.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether formulas are simplified before they are sent. Off where solvers are to confirm an
    /// answer without relying on the simplifier.
    pub simplify: bool,
    /// Whether what the texts of the policies tell, and likely requests, are tried before a solver
    /// is asked. Off where it is the solvers' answer that is wanted.
    pub candidates: bool,
    /// Whether what the texts tell is written down for a certificate.
    pub table: bool,
    /// The switches to which the caller gives a reading: true for the alternative. An undecided
    /// switch that is not among them is asked both ways.
    pub decisions: BTreeMap<Switch, bool>,
}

impl Default for Options {
    fn default() -> Options {
        Options { simplify: true, candidates: true, table: false, decisions: BTreeMap::new() }
    }
}

impl Report {
    /// An answer for which nobody had to be asked.
    pub(super) fn at_once(
        verdict: Verdict,
        by: &str,
        readings: Readings,
        start: Instant,
    ) -> Report {
        Report {
            verdict,
            solver: Some(by.to_owned()),
            attempts: Vec::new(),
            queries: 0,
            depends_on: Vec::new(),
            witness_under: readings,
            relation: None,
            reverse: None,
            companions: Vec::new(),
            table: None,
            encoding: None,
            wall: start.elapsed(),
        }
    }
}
