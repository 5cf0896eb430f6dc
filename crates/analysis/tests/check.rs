//! The loop around the solver, with solvers that say what the test wants.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::sync::Mutex;
use std::time::Duration;

use keyaki_analysis::question::{PolicyRef, Side};
use keyaki_analysis::{Error, Evidence, Options, Question, Report, Verdict, check, encode, public};
use keyaki_logic::{
    Answer, Cancel, Formula, Limits, Model, Outcome, Reason, Solver, SolverError, Value, eval,
};
use keyaki_policy::{Readings, Switch, parse};

const PUBLIC: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
    "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}]}"#;

const NAMED: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
    "Principal": {"AWS": "111122223333"}, "Action": "s3:*", "Resource": "*"}]}"#;

const DATED: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
    "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*",
    "Condition": {"StringLike": {"aws:CurrentTime": "2026-*"}}}]}"#;

/// Answers with a list of outcomes in order, and keeps what it was asked.
struct Scripted {
    outcomes: Mutex<Vec<Result<Outcome, SolverError>>>,
    by: Vec<String>,
    asked: Mutex<Vec<Formula>>,
}

impl Scripted {
    fn new(mut outcomes: Vec<Result<Outcome, SolverError>>) -> Scripted {
        outcomes.reverse();
        let by = vec!["scripted".to_owned()];
        Scripted { outcomes: Mutex::new(outcomes), by, asked: Mutex::new(vec![]) }
    }
}

impl Solver for Scripted {
    fn name(&self) -> &str {
        "scripted"
    }

    fn solve(&self, formula: &Formula, _: &Limits, _: &Cancel) -> Result<Answer, SolverError> {
        self.asked.lock().unwrap().push(formula.clone());
        let outcome = self.outcomes.lock().unwrap().pop().expect("no more questions")?;
        Ok(Answer { outcome, by: self.by.clone(), attempts: vec![] })
    }
}

fn no_public_access(policy: &str) -> Question {
    Question::no_public_access(parse(policy, None).unwrap(), &public::S3)
}

fn ask(question: &Question, solver: &Scripted) -> Result<Report, Error> {
    let limits = Limits::within(Duration::from_secs(10));
    check(
        question,
        solver,
        Options { candidates: false, ..Options::default() },
        &limits,
        &Cancel::new(),
    )
}

/// A model with these strings, an anonymous principal, and the current time.
fn model(strings: &[(&str, &str)]) -> Model {
    let mut model: Model = strings
        .iter()
        .map(|(name, text)| ((*name).to_owned(), Value::String((*text).to_owned())))
        .collect();
    model.insert("principal.kind", Value::Bits { value: 0, width: 3 });
    model.insert("has aws:currenttime", Value::Bool(true));
    model
}

/// An anonymous request for an object of the bucket `b`.
fn anonymous_get() -> Model {
    model(&[
        ("partition", "aws"),
        ("principal.account", "111122223333"),
        ("action.service", "s3"),
        ("action.name", "getobject"),
        ("resource.service", "s3"),
        ("resource.id", "b/key"),
    ])
}

#[test]
fn a_model_becomes_a_replayed_witness() {
    let solver = Scripted::new(vec![Ok(Outcome::Sat(anonymous_get()))]);
    let report = ask(&no_public_access(PUBLIC), &solver).unwrap();
    let Verdict::Fails(witness) = report.verdict else { panic!("{report:?}") };
    assert_eq!(witness.request.action, "s3:GetObject");
    assert_eq!(witness.statements, [(PolicyRef::of_union(Side::Policy, 0), 0)]);
    assert_eq!(report.solver.as_deref(), Some("scripted"));
}

/// Whoever allows everybody to read fails on an example, and no solver has to find it.
#[test]
fn a_likely_request_is_tried_before_a_solver_is_asked() {
    let question = no_public_access(PUBLIC);
    let limits = Limits::within(Duration::from_secs(10));
    let check = |candidates| {
        let solver = Scripted::new(vec![Ok(Outcome::Sat(anonymous_get()))]);
        let options = Options { candidates, ..Options::default() };
        let report = check(&question, &solver, options, &limits, &Cancel::new()).unwrap();
        let Verdict::Fails(witness) = report.verdict else { panic!("{report:?}") };
        (witness, report.solver, report.queries)
    };
    let (tried, by, queries) = check(true);
    assert_eq!((by.as_deref(), queries), (Some("candidates"), 0));
    // It is the witness that a solver's model would have become.
    assert_eq!(check(false), (tried, Some("scripted".to_owned()), 1));
}

#[test]
fn a_model_that_does_not_replay_is_never_a_verdict() {
    let mut model = anonymous_get();
    model.insert("resource.id", Value::String("other/key".to_owned()));
    let solver = Scripted::new(vec![Ok(Outcome::Sat(model))]);
    let error = ask(&no_public_access(PUBLIC), &solver).unwrap_err();
    assert!(matches!(error, Error::Unsound { .. }), "{error:?}");
}

#[test]
fn no_solver_is_asked_when_propagation_decides() {
    let solver = Scripted::new(vec![]);
    let report = ask(&no_public_access(NAMED), &solver).unwrap();
    assert!(matches!(report.verdict, Verdict::Holds(Evidence::Claimed)), "{report:?}");
    assert_eq!(report.solver.as_deref(), Some("simplifier"));
}

#[test]
fn unsat_is_claimed_by_one_and_agreed_by_two() {
    for (by, evidence) in [(vec!["a"], Evidence::Claimed), (vec!["a", "b"], Evidence::Agreed)] {
        let mut solver = Scripted::new(vec![Ok(Outcome::Unsat)]);
        solver.by = by.into_iter().map(str::to_owned).collect();
        let report = ask(&no_public_access(PUBLIC), &solver).unwrap();
        assert!(matches!(report.verdict, Verdict::Holds(e) if e == evidence), "{report:?}");
    }
}

/// One statement is decided by propagation, the other by two solvers.
#[test]
fn what_no_solver_has_seen_is_not_agreed() {
    let statements = [PUBLIC, NAMED].map(|text| {
        let start = text.find("[{").unwrap() + 1;
        &text[start..text.rfind(']').unwrap()]
    });
    let policy = format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(","));
    let mut solver = Scripted::new(vec![Ok(Outcome::Unsat)]);
    solver.by = vec!["a".to_owned(), "b".to_owned()];
    let report = ask(&no_public_access(&policy), &solver).unwrap();
    assert!(matches!(report.verdict, Verdict::Holds(Evidence::Claimed)), "{report:?}");
    assert_eq!(report.queries, 1);
}

#[test]
fn giving_up_is_unknown_and_breaking_is_an_error() {
    let solver = Scripted::new(vec![Ok(Outcome::Unknown(Reason::Timeout))]);
    let report = ask(&no_public_access(PUBLIC), &solver).unwrap();
    assert!(
        matches!(report.verdict, Verdict::Unknown { reason: Reason::Timeout, .. }),
        "{report:?}"
    );
    assert_eq!(report.solver, None);
    let solver = Scripted::new(vec![Err(SolverError::NoSolver)]);
    let error = ask(&no_public_access(PUBLIC), &solver).unwrap_err();
    assert!(matches!(error, Error::Solver { error: SolverError::NoSolver, .. }), "{error:?}");
}

#[test]
fn past_the_deadline_nothing_is_claimed() {
    let question = no_public_access(NAMED);
    let solver = Scripted::new(vec![]);
    let limits = Limits::within(Duration::ZERO);
    let report = check(
        &question,
        &solver,
        Options { candidates: false, ..Options::default() },
        &limits,
        &Cancel::new(),
    )
    .unwrap();
    assert!(
        matches!(report.verdict, Verdict::Unknown { reason: Reason::Timeout, .. }),
        "{report:?}"
    );
    let (limits, cancel) = (Limits::within(Duration::from_secs(10)), Cancel::new());
    cancel.cancel();
    let report = check(
        &question,
        &solver,
        Options { candidates: false, ..Options::default() },
        &limits,
        &cancel,
    )
    .unwrap();
    assert!(
        matches!(report.verdict, Verdict::Unknown { reason: Reason::Cancelled, .. }),
        "{report:?}"
    );
}

#[test]
fn a_verdict_that_hangs_on_an_unmodelled_construct_is_unknown_and_names_it() {
    let mut model = anonymous_get();
    let question = no_public_access(DATED);
    for (name, _) in encode(&question).terms.variables() {
        if name.starts_with("opaque ") {
            model.insert(name, Value::Bool(true));
        }
    }
    // Satisfiable if the condition may be true; without it the formula is false outright.
    let solver = Scripted::new(vec![Ok(Outcome::Sat(model))]);
    let report = ask(&question, &solver).unwrap();
    let Verdict::Unknown { reason, unsupported } = report.verdict else { panic!("{report:?}") };
    assert_eq!(reason, Reason::Unsupported);
    assert_eq!(unsupported.len(), 1);
    assert_eq!(unsupported[0].construct, "operator `StringLike` on the key `aws:CurrentTime`");
    assert_eq!(unsupported[0].path, "/Statement/0");
}

/// Of two places of one construct that is named which stands in the statement that lets the request in.
#[test]
fn the_construct_that_is_named_is_that_of_the_statement() {
    let policy = |value: &str| {
        let statement = |action: &str| {
            format!(
                r#"{{"Effect": "Allow", "Principal": "*", "Action": "s3:{action}",
                    "Resource": "arn:aws:s3:::b/*", "Condition": {{"StringLike": {{{value}}}}}}}"#
            )
        };
        let statements = [statement("PutObject"), statement("GetObject")].join(",");
        format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#)
    };
    for (value, construct) in [
        (r#""aws:CurrentTime": "2026-*""#, "operator `StringLike` on the key `aws:CurrentTime`"),
        (r#""s3:prefix": "${aws:CurrentTime}""#, "policy variable in `${aws:CurrentTime}`"),
    ] {
        let question = no_public_access(&policy(value));
        let mut model = anonymous_get();
        model.insert("has s3:prefix", Value::Bool(true));
        for (name, _) in encode(&question).terms.variables() {
            if name.starts_with("opaque ") {
                model.insert(name, Value::Bool(true));
            }
        }
        let outcomes = [Outcome::Unsat, Outcome::Sat(model)];
        let solver = Scripted::new(outcomes.into_iter().map(Ok).collect());
        let report = ask(&question, &solver).unwrap();
        let Verdict::Unknown { unsupported, .. } = report.verdict else { panic!("{report:?}") };
        let [named] = &unsupported[..] else { panic!("{unsupported:?}") };
        assert_eq!((&*named.construct, &*named.path), (construct, "/Statement/1"));
    }
}

#[test]
fn an_unmodelled_construct_that_both_sides_share_does_not_matter() {
    let policy = parse(DATED, None).unwrap();
    let question =
        Question::NoNewAccess { existing: vec![policy.clone()].into(), new: vec![policy].into() };
    let report = ask(&question, &Scripted::new(vec![])).unwrap();
    assert!(matches!(report.verdict, Verdict::Holds(_)), "{report:?}");
}

/// The list of a service's actions that need a resource is asserted when a model needs it.
#[test]
fn the_pseudo_resource_is_refused_to_actions_that_have_a_resource_type() {
    let policy = |resource: &str| {
        let text = format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow",
                "Action": "s3:GetObject", "Resource": "{resource}"}}]}}"#
        );
        parse(&text, None).unwrap()
    };
    let existing = vec![policy("arn:*:*:*:*:*")].into();
    let question = Question::NoNewAccess { existing, new: vec![policy("*")].into() };
    let mut model = anonymous_get();
    for (name, text) in [("principal.resource", "user/alice"), ("key aws:userid", "AIDAEXAMPLE")] {
        model.insert(name, Value::String(text.to_owned()));
    }
    model.insert("principal.kind", Value::Bits { value: 2, width: 3 });
    model.insert("resource.is-star", Value::Bool(true));
    let solver = Scripted::new(vec![Ok(Outcome::Sat(model.clone())), Ok(Outcome::Unsat)]);
    let report = ask(&question, &solver).unwrap();
    assert!(matches!(report.verdict, Verdict::Holds(_)), "{report:?}");
    let asked = solver.asked.lock().unwrap();
    model.insert("resource.region", Value::String(String::new()));
    model.insert("resource.account", Value::String(String::new()));
    assert_eq!(eval::holds_partially(&asked[0], &model), Some(true));
    assert_eq!(eval::holds_partially(&asked[1], &model), Some(false));
}

/// Whether a request with a tag has `aws:TagKeys` is R29, which is undecided.
fn tagging() -> Question {
    let policy = |condition: &str| {
        let text = format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow",
                "Action": "ec2:CreateTags", "Resource": "*", "Condition": {{{condition}}}}}]}}"#
        );
        parse(&text, None).unwrap()
    };
    let existing = policy(r#""Null": {"aws:TagKeys": "false"}"#);
    let new = policy(r#""StringEquals": {"aws:RequestTag/team": "x"}"#);
    Question::NoNewAccess { existing: vec![existing].into(), new: vec![new].into() }
}

/// Asks with the reading of R29 decided or not; the solver, if it is asked, says that nothing
/// satisfies the formula, which is true of those that likely requests do not.
fn ask_tagging(decision: Option<bool>) -> Report {
    let solver = Scripted::new((0..8).map(|_| Ok(Outcome::Unsat)).collect());
    let decisions = decision.map(|alternative| (Switch::R29, alternative)).into_iter().collect();
    let options = Options { decisions, ..Options::default() };
    let limits = Limits::within(Duration::from_secs(10));
    check(&tagging(), &solver, options, &limits, &Cancel::new()).unwrap()
}

#[test]
fn a_failure_under_one_reading_only_names_the_switch() {
    let report = ask_tagging(None);
    assert!(matches!(report.verdict, Verdict::Fails(_)), "{report:?}");
    assert_eq!(report.depends_on, [Switch::R29]);
    assert_eq!(report.witness_under, Readings::DEFAULT.with(Switch::R29, true));
}

#[test]
fn a_decided_switch_is_read_as_the_caller_wants() {
    let report = ask_tagging(Some(false));
    assert!(matches!(report.verdict, Verdict::Holds(_)), "{report:?}");
    let report = ask_tagging(Some(true));
    assert!(matches!(report.verdict, Verdict::Fails(_)), "{report:?}");
    assert_eq!(report.depends_on, []);
    assert_eq!(report.witness_under, Readings::DEFAULT.with(Switch::R29, true));
}

#[test]
fn a_failure_under_all_readings_hangs_on_none() {
    let Question::NoNewAccess { new, .. } = tagging() else { unreachable!() };
    let question = Question::NoNewAccess { existing: vec![].into(), new };
    let limits = Limits::within(Duration::from_secs(10));
    let solver = Scripted::new(vec![]);
    let report = check(&question, &solver, Options::default(), &limits, &Cancel::new()).unwrap();
    assert!(matches!(report.verdict, Verdict::Fails(_)), "{report:?}");
    assert_eq!((report.depends_on, report.witness_under), (vec![], Readings::DEFAULT));
}

/// R23, where a caller wants it, asks for a key that only a statement mentions which changes nothing.
#[test]
fn an_optional_relation_counts_what_covered_statements_mention() {
    let delivered = r#"{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*",
        "Condition": {"StringLike": {"ec2:RoleDelivery": "2*"}}}"#;
    let sourced = r#"{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*",
        "Condition": {"StringLike": {"ec2:SourceInstanceArn": "arn:*"}}}"#;
    let policy = |statements: &str| {
        let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
        vec![parse(&text, None).unwrap()].into()
    };
    let (existing, new) = (policy(delivered), policy(&format!("{delivered}, {sourced}")));
    let question = Question::NoNewAccess { existing, new };
    let decisions = [(Switch::R23, true)].into();
    let options = Options { decisions, ..Options::default() };
    let limits = Limits::within(Duration::from_secs(10));
    let solver = Scripted::new(vec![]);
    let report = check(&question, &solver, options, &limits, &Cancel::new()).unwrap();
    let Verdict::Fails(witness) = report.verdict else { panic!("{report:?}") };
    assert!(witness.request.context.get("ec2:RoleDelivery").is_some(), "{witness:?}");
}
