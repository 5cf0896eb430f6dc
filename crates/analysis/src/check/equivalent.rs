//! `equivalent`: the same requests are allowed by both sides.
//!
//! It is `no-new-access` in either direction, of which each is decided with all its short ways; one
//! formula for the difference would have none of them. The readings are shared: a property
//! fails *in both directions* only where one assignment of the switches lets it, and what is said of the
//! two sides is said under that assignment.

use std::time::Instant;

use keyaki_logic::{Attempt, Limits, Reason};
use keyaki_policy::{Readings, Switch};

use super::readings::{Asked, Others, Search, combinations};
use super::{
    Error, Evidence, Prepared, Relation, RelationEvidence, Report, Run, Setting, Verdict, Witness,
    allowing, prepare, rank,
};
use crate::encode::Unsupported;
use crate::question::{PolicyRef, Question, Side};

/// Answers whether both directions hold: that `new` allows nothing that `existing` does not, and the
/// reverse.
pub(super) fn check(
    directions: &[Question; 2],
    base: Readings,
    setting: &Setting<'_>,
    start: Instant,
) -> Result<Report, Error> {
    let [forward, reverse] = directions;
    let prepared = [(forward, false), (reverse, true)]
        .map(|(question, are_exchanged)| prepare(question, are_exchanged, base, setting.options));
    let tables = prepared.each_ref().map(|prepared| match prepared {
        Prepared::Known(Verdict::Holds(_), _, table) => table.as_deref(),
        _ => None,
    });
    let table = match tables {
        [Some(forward), Some(reverse)] => Some([forward, reverse].concat()),
        _ => None,
    };
    // One direction that takes all the time should not hide that the other fails.
    let half = half_of(setting.limits);
    let mut forward = Direction::new(forward, Side::New, &prepared[0], base, setting);
    let mut reverse = Direction::new(reverse, Side::Existing, &prepared[1], base, setting);
    forward.ask(&half)?;
    reverse.ask(setting.limits).map_err(|error| with_attempts(error, &forward))?;
    if matches!(forward.verdict, Verdict::Unknown { reason: Reason::Timeout, .. }) {
        forward.ask(setting.limits)?;
    }
    let told = match (&forward.verdict, &reverse.verdict) {
        (Verdict::Fails(_), Verdict::Holds(evidence)) => {
            let relation = (Relation::Wider, RelationEvidence::Holds(*evidence));
            Told { relation: Some(relation), ..forward.settle()? }
        }
        (Verdict::Holds(evidence), Verdict::Fails(_)) => {
            let relation = (Relation::Narrower, RelationEvidence::Holds(*evidence));
            Told { relation: Some(relation), ..reverse.settle()? }
        }
        (Verdict::Fails(_), _) | (_, Verdict::Fails(_)) => {
            settle_both(&mut forward, &mut reverse, base)?
        }
        (Verdict::Holds(one), Verdict::Holds(other)) => {
            let agreed = [one, other].into_iter().all(|evidence| *evidence == Evidence::Agreed);
            let evidence = if agreed { Evidence::Agreed } else { Evidence::Claimed };
            Told::new(Verdict::Holds(evidence), base)
        }
        (Verdict::Unknown { .. }, _) | (_, Verdict::Unknown { .. }) => {
            Told::new(unknown(&forward, &reverse), base)
        }
    };
    let directions = [&forward, &reverse];
    let solver = match &told.verdict {
        Verdict::Unknown { .. } => None,
        Verdict::Fails(witness) => {
            let of_witness = directions.into_iter().find(|one| one.side == witness.side);
            of_witness.map(Direction::decided_by)
        }
        Verdict::Holds(_) => {
            // The one that more is owed to.
            let names = directions.map(Direction::decided_by);
            let is_solver = |name: &&String| ![super::COVER, "simplifier"].contains(&name.as_str());
            Some(names.iter().find(is_solver).unwrap_or(&names[0]).clone())
        }
    };
    Ok(Report {
        verdict: told.verdict,
        solver,
        attempts: directions.iter().flat_map(|one| one.attempts()).cloned().collect(),
        queries: directions.iter().map(|one| one.run.as_ref().map_or(0, |run| run.queries)).sum(),
        depends_on: told.depends_on,
        witness_under: told.under,
        relation: told.relation,
        reverse: told.reverse,
        companions: Vec::new(),
        table,
        encoding: None,
        wall: start.elapsed(),
    })
}

/// What is told of both directions together.
struct Told {
    verdict: Verdict,
    reverse: Option<Witness>,
    relation: Option<(Relation, RelationEvidence)>,
    under: Readings,
    depends_on: Vec<Switch>,
}

impl Told {
    fn new(verdict: Verdict, under: Readings) -> Told {
        Told { verdict, reverse: None, relation: None, under, depends_on: Vec::new() }
    }
}

/// One direction: one side allows nothing that the other does not.
struct Direction<'a> {
    question: &'a Question,
    /// The side in question, which is `new` for the question of this direction.
    side: Side,
    /// None if the answer was known before anything was encoded.
    run: Option<Run<'a>>,
    /// Who knew it.
    known_by: &'static str,
    verdict: Verdict,
    /// The readings under which a witness is one.
    under: Readings,
}

impl<'a> Direction<'a> {
    fn new(
        question: &'a Question,
        side: Side,
        prepared: &'a Prepared,
        base: Readings,
        setting: &Setting<'a>,
    ) -> Direction<'a> {
        let not_asked = Verdict::Unknown { reason: Reason::Timeout, unsupported: Vec::new() };
        let (verdict, known_by, run) = match prepared {
            Prepared::Known(verdict, by, _) => (verdict.clone(), *by, None),
            Prepared::Encoded { encoding, free, .. } => {
                (not_asked, "", Some(Run::new(question, (encoding, free), base, setting)))
            }
        };
        Direction { question, side, run, known_by, verdict, under: base }
    }

    fn ask(&mut self, limits: &'a Limits) -> Result<(), Error> {
        if let Some(run) = &mut self.run {
            run.limits = limits;
            self.verdict = run.verdict()?;
            self.under = run.witness_under;
        }
        Ok(())
    }

    /// The switches that the formula leaves open.
    fn free(&self) -> &'a [Switch] {
        self.run.as_ref().map_or(&[], |run| run.free)
    }

    fn decided_by(&self) -> String {
        match &self.run {
            None => self.known_by.to_owned(),
            Some(run) => run.decided_by.clone().unwrap_or_else(|| "simplifier".to_owned()),
        }
    }

    fn attempts(&self) -> &[Attempt] {
        self.run.as_ref().map_or(&[], |run| &run.attempts)
    }

    /// What is told if this direction fails and the other holds under all readings.
    fn settle(&mut self) -> Result<Told, Error> {
        let Verdict::Fails(witness) = &self.verdict else {
            return Ok(Told::new(self.verdict.clone(), self.under));
        };
        let first = witness.clone();
        let Some(run) = &mut self.run else {
            return Ok(Told::new(Verdict::Fails(self.named(first)), self.under));
        };
        let settled = run.settle(first)?;
        let verdict = Verdict::Fails(self.named(settled.witness));
        Ok(Told { depends_on: settled.depends_on, ..Told::new(verdict, settled.under) })
    }

    /// What the question comes to under these readings.
    fn asked(&mut self, readings: Readings) -> Result<Asked<Witness>, Error> {
        match (&mut self.run, &self.verdict) {
            (_, Verdict::Holds(_)) => Ok(Asked::Holds),
            (Some(run), _) => run.ask_under(readings),
            (None, Verdict::Fails(witness)) => Ok(Asked::Fails(witness.clone())),
            (None, Verdict::Unknown { .. }) => Ok(Asked::Unknown),
        }
    }

    /// A witness as one of the question about both: the sides of this direction's question are
    /// those of the other where `existing` is in question.
    fn named(&self, witness: Witness) -> Witness {
        let statements = witness.statements.into_iter();
        let statements = statements.map(|(at, index)| (self.place(at), index)).collect();
        Witness { side: self.side, statements, ..witness }
    }

    fn place(&self, at: PolicyRef) -> PolicyRef {
        let side = match (self.side, at.side) {
            (Side::Existing, Side::New) => Side::Existing,
            (Side::Existing, Side::Existing) => Side::New,
            (_, side) => side,
        };
        PolicyRef { side, ..at }
    }
}

/// What is told if one direction fails and the other does not hold.
fn settle_both(
    forward: &mut Direction<'_>,
    reverse: &mut Direction<'_>,
    base: Readings,
) -> Result<Told, Error> {
    let mut free = [forward.free(), reverse.free()].concat();
    free.sort_unstable();
    free.dedup();
    let known = |direction: &Direction<'_>| match &direction.verdict {
        Verdict::Fails(witness) => vec![(witness.clone(), direction.under)],
        _ => Vec::new(),
    };
    let (of_forward, of_reverse) = (known(forward), known(reverse));
    let both_fail = !of_forward.is_empty() && !of_reverse.is_empty();
    let first_under = of_forward.first().or(of_reverse.first()).map_or(base, |(_, under)| *under);
    let mut candidates = vec![base];
    candidates.extend(of_forward.iter().chain(&of_reverse).map(|(_, under)| *under));
    candidates.extend(combinations(&free, base));

    let questions = [forward.question, reverse.question];
    let is_forward =
        |witness: &Witness, readings| allowing(questions[0], witness, readings).is_some();
    let is_reverse =
        |witness: &Witness, readings| allowing(questions[1], witness, readings).is_some();
    let (under, one, other, depends_on) = {
        let ask_forward = &mut |readings| forward.asked(readings);
        let ask_reverse = &mut |readings| reverse.asked(readings);
        let mut forward = Search::new(&is_forward, ask_forward, of_forward);
        let mut reverse = Search::new(&is_reverse, ask_reverse, of_reverse);
        // An assignment under which both fail; or else one under which one does.
        let mut under = None;
        for readings in candidates.into_iter().filter(|_| both_fail) {
            let fails = Some(true);
            if forward.verdict(readings)? == fails && reverse.verdict(readings)? == fails {
                under = Some(readings);
                break;
            }
        }
        let is_common = under.is_some();
        let mut fails = |readings: Readings| -> Result<Option<bool>, Error> {
            Ok(match forward.verdict(readings)? {
                Some(true) => Some(true),
                of_forward => match reverse.verdict(readings)? {
                    Some(true) => Some(true),
                    Some(false) => of_forward,
                    None => None,
                },
            })
        };
        let others = Others::of(&free, base, &mut fails)?;
        let under = match under {
            Some(under) => under,
            None if fails(base)? == Some(true) => base,
            None => first_under,
        };
        let depends_on = others.hangs_on(&free, under, &mut fails)?;
        let one = forward.witness(under).cloned();
        let other = reverse.witness(under).filter(|_| is_common || one.is_none()).cloned();
        (under, one, other, depends_on)
    };
    let named = |direction: &Direction<'_>, witness: Option<Witness>| {
        let mut witness = witness?;
        witness.statements = allowing(direction.question, &witness, under)?;
        Some(direction.named(witness))
    };
    let (one, other) = (named(forward, one), named(reverse, other));
    Ok(match (one, other) {
        (Some(one), Some(other)) => Told {
            reverse: Some(other),
            relation: Some((Relation::Incomparable, RelationEvidence::Replayed)),
            depends_on,
            ..Told::new(Verdict::Fails(one), under)
        },
        (Some(only), None) | (None, Some(only)) => {
            Told { depends_on, ..Told::new(Verdict::Fails(only), under) }
        }
        (None, None) => Told::new(unknown(forward, reverse), base),
    })
}

/// What is unknown of the two directions.
fn unknown(forward: &Direction<'_>, reverse: &Direction<'_>) -> Verdict {
    let mut reasons = Vec::new();
    let mut constructs: Vec<Unsupported> = Vec::new();
    for direction in [forward, reverse] {
        if let Verdict::Unknown { reason, unsupported } = &direction.verdict {
            reasons.push(*reason);
            constructs.extend(unsupported.iter().map(|construct| Unsupported {
                policy: direction.place(construct.policy),
                ..construct.clone()
            }));
        }
    }
    constructs.sort_by_key(|item| (item.policy, item.span));
    constructs.dedup();
    let reason = reasons.into_iter().min_by_key(|reason| rank(*reason));
    let reason = reason.unwrap_or(Reason::SolverGaveUp);
    Verdict::Unknown { reason, unsupported: constructs }
}

/// Limits that end halfway to those.
fn half_of(limits: &Limits) -> Limits {
    let now = Instant::now();
    let left = limits.deadline.saturating_duration_since(now);
    Limits { deadline: now + left / 2, ..*limits }
}

/// The error with the tries of the direction that was asked before.
fn with_attempts(error: Error, before: &Direction<'_>) -> Error {
    let all = |attempts: Vec<Attempt>| [before.attempts().to_vec(), attempts].concat();
    match error {
        Error::Solver { error, attempts } => Error::Solver { error, attempts: all(attempts) },
        Error::Unsound { solver, detail, request, attempts } => {
            Error::Unsound { solver, detail, request, attempts: all(attempts) }
        }
    }
}
