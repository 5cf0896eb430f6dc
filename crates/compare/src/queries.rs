//! The formulas that are put to solvers: those that the engine asks for on real questions.
//!
//! A question is answered by the embedded solver with a recorder in between, once with the cells as
//! the encoder writes them (what `--audit` sends) and once simplified, in both without likely
//! requests being tried first. Most questions are decided before any solver is asked; a sample of
//! the formulas that the default would send would be a sample of what is left over. So both forms are
//! taken and told apart.
//!
//! A query is published as its recipe, `JOB#FORM/NUMBER`: the number of the formula among those
//! asked for when the job is answered in that form, with its fingerprint to tell whether it is still the
//! same one.

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use keyaki::job::Task;
use keyaki_analysis::{Options, Question, check};
use keyaki_logic::smtlib::{Dialect, Encoding, pieces};
use keyaki_logic::{Answer, Cancel, Formula, Limits, Solver, SolverError};
use keyaki_solvers::{Automaton, Checked};
use serde_json::Value;

/// How long a question may take while its formulas are collected. The slowest of the corpus takes seven seconds on a busy
/// machine. One that takes longer is an error, as what is asked until then would depend on the machine.
const COLLECT_TIMEOUT: Duration = Duration::from_secs(600);

/// How many formulas one job may contribute in one form. A policy of two thousand statements would
/// otherwise be most of a sample.
const PER_JOB_MAX: usize = 4;

/// Whether the engine simplified a formula before it asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    /// As the encoder wrote it.
    Plain,
    /// After propagation and splitting.
    Simplified,
}

impl Form {
    pub(crate) const ALL: [Form; 2] = [Form::Plain, Form::Simplified];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Form::Plain => "plain",
            Form::Simplified => "simplified",
        }
    }
}

/// A formula, and where it is from.
pub(crate) struct Query {
    /// Its recipe.
    pub(crate) id: String,
    /// The kind of question, and of policies.
    pub(crate) family: String,
    pub(crate) form: Form,
    /// A hash of its text.
    pub(crate) fingerprint: u64,
    pub(crate) formula: Formula,
}

/// The formulas that the engine asks for when it answers `question`, at most `PER_JOB_MAX`, which
/// depend on `id` and `seed` alone.
///
/// # Errors
///
/// A witness that does not replay, the embedded solver broke, or there was no end within `COLLECT_TIMEOUT`.
pub(crate) fn of_question(
    question: &Question,
    id: &str,
    form: Form,
    seed: &str,
) -> Result<Vec<Query>, String> {
    let recorder = Recorder {
        id: format!("{id}#{}", form.name()),
        seed,
        inner: Checked::new(Automaton),
        kept: Mutex::default(),
    };
    let simplify = form == Form::Simplified;
    let options = Options { simplify, candidates: false, ..Options::default() };
    let limits = Limits::within(COLLECT_TIMEOUT);
    check(question, &recorder, options, &limits, &Cancel::new())
        .map_err(|error| error.to_string())?;
    if Instant::now() >= limits.deadline {
        return Err(format!("no end within {} s", COLLECT_TIMEOUT.as_secs()));
    }
    let kept = recorder.kept.into_inner().expect("nobody panics with the lock");
    let query = |(id, formula): (String, Formula)| {
        let script = pieces(&formula, Dialect::Standard, Encoding::Separate).ok()?;
        let fingerprint = hash("", &script.body);
        Some(Query { id, family: family(&recorder.id), form, fingerprint, formula })
    };
    Ok(kept.formulas.into_values().filter_map(query).collect())
}

/// The question of a job, or none if the job is about something else or is one that we do not have.
pub(crate) fn question(job: &str) -> Option<(String, Question)> {
    let (id, task) = Task::from_json(job.as_bytes(), COLLECT_TIMEOUT).ok()?;
    let Task::Question(inquiry) = task else { return None };
    Some((id?, inquiry.question))
}

/// Formulas of which one has been seen already are dropped.
#[derive(Default)]
pub(crate) struct Distinct(HashSet<u64>);

impl Distinct {
    pub(crate) fn is_new(&mut self, query: &Query) -> bool {
        self.0.insert(query.fingerprint)
    }
}

/// At most so many of each family and form, in the order of their hashes.
pub(crate) struct Sample {
    strata: BTreeMap<(String, Form), BTreeMap<u64, Query>>,
    per_stratum: usize,
    /// How many there were.
    pub(crate) n_offered: usize,
}

impl Sample {
    pub(crate) fn new(per_stratum: usize) -> Sample {
        Sample { strata: BTreeMap::new(), per_stratum, n_offered: 0 }
    }

    pub(crate) fn offer(&mut self, query: Query, seed: &str) {
        self.n_offered += 1;
        let stratum = self.strata.entry((query.family.clone(), query.form)).or_default();
        stratum.insert(hash(seed, &query.id), query);
        if stratum.len() > self.per_stratum {
            stratum.pop_last();
        }
    }

    /// `size` in all, the same number of each stratum as far as there are so many.
    pub(crate) fn into_shares(self, size: usize) -> Vec<Query> {
        let mut ranked: Vec<(usize, Query)> = Vec::new();
        for stratum in self.strata.into_values() {
            ranked.extend(stratum.into_values().enumerate());
        }
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked.truncate(size);
        ranked.into_iter().map(|(_, query)| query).collect()
    }

    pub(crate) fn into_queries(self) -> Vec<Query> {
        self.strata.into_values().flat_map(BTreeMap::into_values).collect()
    }
}

/// The first part of an id; of edits the file too.
fn family(id: &str) -> String {
    let n_parts = if id.starts_with("edit/") { 2 } else { 1 };
    id.split('/').take(n_parts).collect::<Vec<_>>().join("/")
}

/// The jobs of a file, one a line.
pub(crate) fn jobs(options: &crate::options::Options) -> Result<Vec<String>, String> {
    let text = std::fs::read_to_string(&options.jobs)
        .map_err(|error| format!("cannot read `{}`: {error}", options.jobs.display()))?;
    let is_json = |line: &&str| serde_json::from_str::<Value>(line).is_ok();
    Ok(text.lines().filter(is_json).map(str::to_owned).collect())
}

/// Answers like the embedded solver, and keeps some of what it is asked.
struct Recorder<'a> {
    id: String,
    seed: &'a str,
    inner: Checked<Automaton>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    n_asked: usize,
    formulas: BTreeMap<u64, (String, Formula)>,
}

impl Solver for Recorder<'_> {
    fn name(&self) -> &str {
        Automaton::NAME
    }

    fn solve(
        &self,
        formula: &Formula,
        limits: &Limits,
        cancel: &Cancel,
    ) -> Result<Answer, SolverError> {
        let mut kept = self.kept.lock().expect("nobody panics with the lock");
        kept.n_asked += 1;
        let id = format!("{}/{}", self.id, kept.n_asked);
        let rank = hash(self.seed, &id);
        let is_among = kept.formulas.len() < PER_JOB_MAX
            || kept.formulas.last_key_value().is_some_and(|(last, _)| rank < *last);
        if is_among {
            kept.formulas.insert(rank, (id, formula.clone()));
            if kept.formulas.len() > PER_JOB_MAX {
                kept.formulas.pop_last();
            }
        }
        drop(kept);
        self.inner.solve(formula, limits, cancel)
    }
}

/// FNV-1a, 64 bits, of the seed, a zero byte and the text, finished as in `SplitMix64`, as the draws
/// of `cargo xtask corpus` are made.
pub(crate) fn hash(seed: &str, text: &str) -> u64 {
    let bytes = seed.bytes().chain([0]).chain(text.bytes());
    let mut hash = bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: &str = r#"{"id": "edit/x/r", "question": "no-new-access", "policy_type": "identity",
        "existing": {"Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}},
        "new": {"Statement": {"Effect": "Allow", "Action": ["s3:GetO*", "s3:GetB*"], "Resource": "*"}}}"#;

    fn queries(form: Form) -> Vec<Query> {
        let (id, question) = question(JOB).unwrap();
        of_question(&question, &id, form, "s").unwrap()
    }

    #[test]
    fn the_formulas_of_a_question_are_those_that_solvers_are_asked() {
        for form in Form::ALL {
            let queries = queries(form);
            assert!(!queries.is_empty(), "{}", form.name());
            for query in &queries {
                assert!(
                    query.id.starts_with(&format!("edit/x/r#{}/", form.name())),
                    "{}",
                    query.id
                );
                assert_eq!(query.family, "edit/x");
            }
        }
    }

    #[test]
    fn a_sample_depends_on_ids_and_seed_alone() {
        let drawn = |reversed: bool| {
            let mut all = queries(Form::Plain);
            for (number, query) in all.iter_mut().enumerate() {
                query.id = format!("{}{number}", query.id);
            }
            if reversed {
                all.reverse();
            }
            let mut sample = Sample::new(1);
            all.into_iter().for_each(|query| sample.offer(query, "s"));
            sample.into_queries().into_iter().map(|query| query.id).collect::<Vec<_>>()
        };
        assert_eq!(drawn(false), drawn(true));
        assert_eq!(drawn(false).len(), 1);
    }
}
