//! The loop around the solver: question in, verdict out.
//!
//! What the texts of the policies tell is told first, then likely requests are tried, and what both
//! leave open is encoded and put to the solver, cell by cell (`run.rs`).

mod addresses;
mod equivalent;
pub(crate) mod readings;
mod report;
pub(crate) mod rows;
mod run;
mod templates;

use std::time::Instant;

use keyaki_logic::{Cancel, Limits, Reason, Solver};
use keyaki_policy::{Readings, Switch};

use crate::certify;
use crate::cover;
use crate::encode::{Encoding, encode, encode_part};
use crate::guess;
use crate::question::{Question, Side};
pub use report::{Error, Evidence, Options, Relation, RelationEvidence, Report, Verdict, Witness};
pub(crate) use run::MAX_REFINEMENTS;
use run::{Run, allowing};

/// Answers a question.
///
/// # Errors
///
/// [`Error`] if the solver broke, or if a counterexample does not replay.
pub fn check(
    question: &Question,
    solver: &dyn Solver,
    options: Options,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Report, Error> {
    let start = Instant::now();
    let base = readings::base(&options.decisions);
    if let Some(stopped) = stopped(limits, cancel) {
        return Ok(Report { solver: None, ..Report::at_once(stopped, "", base, start) });
    }
    let setting = Setting { solver, options: &options, limits, cancel };
    if let Some(directions) = question.directions() {
        return equivalent::check(&directions, base, &setting, start);
    }
    check_one(question, base, &setting, start)
}

/// Answers a question of one direction.
fn check_one(
    question: &Question,
    base: Readings,
    setting: &Setting<'_>,
    start: Instant,
) -> Result<Report, Error> {
    let (mut encoding, free, mut is_whole) = match prepare(question, false, base, setting.options) {
        Prepared::Known(verdict, by, table) => {
            return Ok(Report { table, ..Report::at_once(verdict, by, base, start) });
        }
        Prepared::Encoded { encoding, free, is_whole } => (encoding, free, is_whole),
    };
    let mut run = Run::new(question, (&encoding, &free), base, setting);
    let mut verdict = run.verdict()?;
    if matches!(verdict, Verdict::Unknown { reason: Reason::Unsupported, .. })
        && encoding.counts_addresses()
    {
        let (attempts, queries) = (std::mem::take(&mut run.attempts), run.queries);
        let counted = addresses::count(question, base, setting)?;
        if let addresses::Counted::Many(report) = counted {
            let attempts = [attempts, report.attempts].concat();
            let queries = queries + report.queries;
            return Ok(Report { attempts, queries, wall: start.elapsed(), ..*report });
        }
        if let addresses::Counted::Few { all_agreed } = counted {
            encoding.settle_addresses();
            is_whole = false;
            run = Run::new(question, (&encoding, &free), base, setting);
            (run.queries, run.all_agreed) = (queries, all_agreed);
            verdict = run.verdict()?;
        }
        run.attempts = [attempts, run.attempts].concat();
    }
    let mut depends_on = Vec::new();
    let mut witness_under = base;
    if let Verdict::Fails(witness) = verdict {
        let settled = run.settle(witness)?;
        verdict = Verdict::Fails(settled.witness);
        (witness_under, depends_on) = (settled.under, settled.depends_on);
    }
    let Run { decided_by, attempts, queries, .. } = run;
    let is_wanted = setting.options.table && is_whole && matches!(verdict, Verdict::Holds(_));
    Ok(Report {
        solver: match verdict {
            Verdict::Unknown { .. } => None,
            _ => Some(decided_by.unwrap_or_else(|| "simplifier".to_owned())),
        },
        verdict,
        attempts,
        queries,
        depends_on,
        witness_under,
        relation: None,
        reverse: None,
        companions: Vec::new(),
        table: None,
        encoding: is_wanted.then(|| Box::new(encoding)),
        wall: start.elapsed(),
    })
}

/// Whether the question hangs on the number of addresses of several sets together, and these are
/// few.
///
/// # Errors
///
/// As of [`check`].
pub(crate) fn addresses_are_few(
    question: &Question,
    solver: &dyn Solver,
    options: &Options,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<bool, Error> {
    let base = readings::base(&options.decisions);
    let counted = addresses::count(question, base, &Setting { solver, options, limits, cancel })?;
    Ok(matches!(counted, addresses::Counted::Few { .. }))
}

/// Who has decided where the texts of the policies tell that the property holds.
pub const COVER: &str = "cover";

/// Whom to ask, and within which limits.
struct Setting<'a> {
    solver: &'a dyn Solver,
    options: &'a Options,
    limits: &'a Limits,
    cancel: &'a Cancel,
}

/// A question before any solver is asked.
enum Prepared {
    /// The answer, under all readings, who gave it, and the rows of a certificate if there are some.
    Known(Verdict, &'static str, Option<String>),
    /// A formula.
    Encoded {
        encoding: Encoding,
        /// The switches that it leaves open.
        free: Vec<Switch>,
        /// Whether it is that of the question, and not of what the texts leave open of it.
        is_whole: bool,
    },
}

/// Looks at the texts of the policies and at likely requests, if the caller wants that, and encodes
/// what they leave open. The question may be one with its sides exchanged.
fn prepare(
    question: &Question,
    are_exchanged: bool,
    base: Readings,
    options: &Options,
) -> Prepared {
    let mut encoding = None;
    let mut is_whole = true;
    let mut table = cover::Table::default();
    if options.table {
        table = cover::Table::written(certify::first_numbers(question, are_exchanged));
    }
    if options.candidates
        && let Some(open) = cover::open_statements(question, &mut table)
    {
        if open.is_empty() {
            return Prepared::Known(Verdict::Holds(Evidence::Claimed), COVER, table.rows());
        }
        let is_decided = |switch| options.decisions.contains_key(&switch);
        if let Some((request, statements)) = guess::witness(question, &open, base, &is_decided) {
            let side = allowing_side(question);
            let witness = Witness { request, side, statements };
            return Prepared::Known(Verdict::Fails(witness), "candidates", None);
        }
        // An optional relation may ask for any key that the question mentions.
        let adds_relation =
            options.decisions.iter().any(|(switch, holds)| *holds && !switch.is_undecided());
        if !adds_relation {
            let part = cover::slice(question, &open);
            encoding = cover::keys_beside(&part, question).map(|keys| encode_part(&part, &keys));
            is_whole = encoding.is_none() || cover::is_whole(&part, question);
        }
    }
    let mut encoding = encoding.unwrap_or_else(|| encode(question));
    let free = encoding.decide(&options.decisions);
    Prepared::Encoded { encoding, free, is_whole }
}

/// The side that allows what breaks the property.
fn allowing_side(question: &Question) -> Side {
    match question {
        Question::NoPublicAccess { .. }
        | Question::NoExternalAccess { .. }
        | Question::AccessNotGranted { .. }
        | Question::Custom { .. } => Side::Policy,
        Question::NoNewAccess { .. } | Question::Equivalent { .. } | Question::Disjoint { .. } => {
            Side::New
        }
    }
}

/// The least of several is told: a construct that we lack is worth naming before a limit that was hit.
fn rank(reason: Reason) -> (bool, Reason) {
    (reason != Reason::Unsupported, reason)
}

/// Why not to go on, if so.
fn stopped(limits: &Limits, cancel: &Cancel) -> Option<Verdict> {
    let reason = if cancel.is_cancelled() {
        Reason::Cancelled
    } else if Instant::now() >= limits.deadline {
        Reason::Timeout
    } else {
        return None;
    };
    Some(Verdict::Unknown { reason, unsupported: Vec::new() })
}
