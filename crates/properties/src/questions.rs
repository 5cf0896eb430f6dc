//! Questions that the embedded solver answers, and others with it where they are installed.

use std::time::Duration;

use arbitrary::{Result, Unstructured};
use keyaki_analysis::question::Side;
use keyaki_analysis::replay::{Replay, replay, replay_together};
use keyaki_analysis::{Error, Options, Question, Relation, Report, Verdict, check};
use keyaki_logic::{Cancel, Limits, Solver};
use keyaki_policy::PolicyType;
use keyaki_solvers::{Automaton, Checked, Config, Process, locate};
use serde_json::Value;

use crate::{NoCase, case, generate};

/// Time for one question and one solver. Whoever needs more leaves it undecided, which is no
/// disagreement.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);

/// Random policies with a question about them.
pub(crate) fn draw(u: &mut Unstructured<'_>) -> Result<Value> {
    if u.ratio(1, 3)? {
        let policy = generate::policy(u, PolicyType::Resource)?;
        return Ok(match u.arbitrary()? {
            true => case::of_table(&policy, generate::table(u)?),
            false => case::of_zone(&policy, &generate::zone(u)?),
        });
    }
    let policy_type = *u.choose(&[PolicyType::Identity, PolicyType::Resource])?;
    if u.ratio(1, 3)? {
        let policy = generate::policy(u, policy_type)?;
        return Ok(case::of_accesses(policy_type, &policy, &generate::accesses(u)?));
    }
    let mut texts = Vec::new();
    for _ in 0..u.int_in_range(1..=3)? {
        texts.push(generate::policy(u, policy_type)?);
    }
    let new = texts.pop().into_iter().collect::<Vec<_>>();
    let question = u.choose(&case::COMPARISONS)?;
    Ok(case::of_texts(question, policy_type, &texts, &new))
}

/// A property that fails has a witness, and the witness is replayed; no model is one of a request
/// that does not break the property.
pub(crate) fn check_witness(case: &Value) -> std::result::Result<Vec<&'static str>, NoCase> {
    let question = case::question(case)?;
    // Without likely requests, so that it is a solver's model that becomes the witness.
    let options = Options { candidates: false, ..Options::default() };
    let report = ask(&question, &Automaton, options).unwrap_or_else(|error| panic!("{error}"));
    assert_witness(&question, &report);
    Ok(vec![word(&report.verdict)])
}

/// The embedded solver says the same with and without simplifier, with and without likely
/// requests; and all solvers that are installed say the same, unless they do not know.
pub(crate) fn check_solvers(case: &Value) -> std::result::Result<Vec<&'static str>, NoCase> {
    let question = case::question(case)?;
    let mut answers: Vec<(String, &'static str)> = Vec::new();
    let mut ask_too = |name: String, solver: &dyn Solver, options: Options| {
        let report = ask(&question, solver, options);
        match report {
            Ok(report) => {
                assert_witness(&question, &report);
                answers.push((name, word(&report.verdict)));
            }
            // One that broke has said nothing.
            Err(error @ Error::Unsound { .. }) => panic!("{name}: {error}"),
            Err(Error::Solver { .. }) => {}
        }
    };
    let plain = Options { simplify: false, candidates: false, ..Options::default() };
    ask_too("automaton".to_owned(), &Automaton, Options::default());
    ask_too("automaton, plain formulas".to_owned(), &Automaton, plain.clone());
    let config = Config::builtin();
    let installed = config.enabled().filter(|solver| locate(&solver.command).is_some());
    for definition in installed.filter(|definition| definition.name != Automaton::NAME) {
        let solver = Checked::new(Process::new(definition.clone()));
        ask_too(definition.name.clone(), &solver, plain.clone());
    }
    let definite: Vec<_> = answers.iter().filter(|(_, word)| *word != "unknown").collect();
    assert!(definite.windows(2).all(|two| two[0].1 == two[1].1), "{answers:?}");
    Ok(vec![definite.first().map_or("unknown", |(_, word)| word)])
}

/// Answers a question within the time of a case.
pub(crate) fn ask(
    question: &Question,
    solver: &dyn Solver,
    options: Options,
) -> std::result::Result<Report, Error> {
    check(question, solver, options, &Limits::within(TIMEOUT), &Cancel::new())
}

/// The witness of a report, if it has one, breaks the property; and so do both, if it has two, each in
/// its direction.
#[track_caller]
pub(crate) fn assert_witness(question: &Question, report: &Report) {
    let Verdict::Fails(witness) = &report.verdict else { return };
    for witness in std::iter::once(witness).chain(&report.reverse) {
        let (request, companions) = (&witness.request, &report.companions);
        let replayed = replay_together(question, request, companions, report.witness_under);
        assert!(matches!(replayed, Replay::Confirmed { .. }), "{replayed:?}: {witness:?}");
        if let Some([forward, reverse]) = question.directions() {
            let direction = if witness.side == Side::Existing { reverse } else { forward };
            let replayed = replay(&direction, &witness.request, report.witness_under);
            assert!(matches!(replayed, Replay::Confirmed { .. }), "{replayed:?}: {witness:?}");
        }
    }
    let of_both = report.relation.map(|(relation, _)| relation) == Some(Relation::Incomparable);
    assert_eq!(report.reverse.is_some(), of_both, "{report:?}");
}

/// The verdict in one word.
pub(crate) fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Holds(_) => "holds",
        Verdict::Fails(_) => "fails",
        Verdict::Unknown { .. } => "unknown",
    }
}
