//! Several solvers, some of which misbehave.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use keyaki_logic::solver::AttemptResult;
use keyaki_logic::{Answer, Cancel, Formula, Limits, Outcome, Reason, Solver, SolverError};
use keyaki_solvers::{Automaton, Checked, Mode, Portfolio, Process, RawAnswer};

use crate::fakes::{Den, long, never, short, starts_with_a};

const BOTH: [Mode; 2] = [Mode::Race, Mode::All];

fn checked(members: Vec<Process>) -> Vec<Box<dyn Solver>> {
    members.into_iter().map(|member| Box::new(Checked::new(member)) as Box<dyn Solver>).collect()
}

fn solve(mode: Mode, members: Vec<Process>, limits: &Limits) -> Result<Answer, SolverError> {
    Portfolio::new(mode, checked(members)).solve(&starts_with_a(), limits, &never())
}

/// What each solver did, in the order in which they were done.
fn attempts(answer: &Answer) -> Vec<(&str, AttemptResult)> {
    answer.attempts.iter().map(|a| (a.solver.as_str(), a.result.clone())).collect()
}

#[test]
fn the_first_definite_answer_wins_and_the_others_are_stopped() {
    let den = Den::new();
    let members =
        vec![den.fake("hangs", &[]), den.fake("slow", &[]), den.fake("ignores_signals", &[])];
    let answer = solve(Mode::Race, members, &long()).unwrap();
    assert_eq!(answer.outcome, Outcome::Unsat);
    assert_eq!(answer.by, ["slow"]);
    let mut attempts = attempts(&answer);
    assert_eq!(attempts[0], ("slow", AttemptResult::Unsat));
    attempts.sort_by_key(|(name, _)| *name);
    let cancelled = AttemptResult::Unknown(Reason::Cancelled);
    assert_eq!(attempts[0], ("hangs", cancelled.clone()));
    assert_eq!(attempts[1], ("ignores_signals", cancelled));
    den.check_nothing_runs();
}

#[test]
fn an_audit_waits_for_all() {
    let den = Den::new();
    let members = vec![den.fake("slow", &[]), den.answering("quick", &["unsat"])];
    let answer = solve(Mode::All, members, &long()).unwrap();
    assert_eq!(answer.outcome, Outcome::Unsat);
    assert_eq!(answer.by, ["quick", "slow"], "the fastest first");
}

#[test]
fn whoever_breaks_does_not_stop_the_others() {
    for mode in BOTH {
        let den = Den::new();
        let members = vec![
            den.fake("crashes", &[]),
            den.answering("rubbish", &["hello"]),
            den.answering("liar", &["sat", "((x \"b\"))"]),
            den.answering("modest", &["unknown"]),
            den.fake("slow", &[]),
        ];
        let answer = solve(mode, members, &long()).unwrap();
        assert_eq!(answer.outcome, Outcome::Unsat, "{mode:?}");
        assert_eq!(answer.by, ["slow"]);
        let broken = |name: &str| {
            let mut attempts = attempts(&answer).into_iter();
            let found = attempts.find(|(solver, _)| *solver == name);
            matches!(found, Some((_, AttemptResult::Error(_))))
        };
        assert!(broken("crashes") && broken("rubbish") && broken("liar"));
        assert_eq!(answer.attempts.len(), 5);
        den.check_nothing_runs();
    }
}

#[test]
fn contradictory_answers_are_an_error() {
    let den = Den::new();
    let members = vec![
        den.answering("one", &["unsat"]),
        den.answering("two", &["sat", "((x \"a\"))"]),
        den.answering("three", &["unknown"]),
    ];
    let error = solve(Mode::All, members, &long()).unwrap_err();
    assert_eq!(error.to_string(), "contradictory answers: sat by two, unsat by one");
}

/// A solver in this process.
struct Inner<F>(&'static str, F);

impl<F> Solver for Inner<F>
where
    F: Fn(&Cancel) -> Result<Outcome, SolverError> + Send + Sync,
{
    fn name(&self) -> &str {
        self.0
    }

    fn solve(&self, _: &Formula, _: &Limits, cancel: &Cancel) -> Result<Answer, SolverError> {
        Ok(Answer { outcome: (self.1)(cancel)?, by: Vec::new(), attempts: Vec::new() })
    }
}

#[test]
fn a_race_notices_a_contradiction_that_has_arrived() {
    let barrier = Arc::new(Barrier::new(2));
    let meet = |outcome: Outcome| {
        let barrier = barrier.clone();
        move |_: &Cancel| {
            barrier.wait();
            Ok(outcome.clone())
        }
    };
    let sat = Inner("sat", meet(Outcome::Sat(keyaki_logic::Model::new())));
    let unsat = Inner("unsat", meet(Outcome::Unsat));
    let portfolio: Portfolio = Portfolio::new(Mode::Race, vec![Box::new(sat), Box::new(unsat)]);
    // Outside too, and not as one failure of many.
    let nested: Portfolio = Portfolio::new(
        Mode::Race,
        vec![Box::new(portfolio), Box::new(Inner("modest", |_: &Cancel| Ok(GAVE_UP)))],
    );
    let error = nested.solve(&starts_with_a(), &long(), &never()).unwrap_err();
    assert!(matches!(error, SolverError::Contradiction { .. }), "{error}");
}

const GAVE_UP: Outcome = Outcome::Unknown(Reason::SolverGaveUp);

#[test]
fn a_member_that_panics_is_a_member_that_breaks() {
    let panics = Inner("panics", |_: &Cancel| panic!("a bug that this test has planted"));
    let proves = Inner("proves", |_: &Cancel| Ok(Outcome::Unsat));
    let portfolio: Portfolio = Portfolio::new(Mode::All, vec![Box::new(panics), Box::new(proves)]);
    let answer = portfolio.solve(&starts_with_a(), &long(), &never()).unwrap();
    assert_eq!(answer.outcome, Outcome::Unsat);
    let text = "internal error: a bug that this test has planted".to_owned();
    let error = AttemptResult::Error(SolverError::System(text));
    assert!(attempts(&answer).contains(&("panics", error)));
}

#[test]
fn without_a_definite_answer_the_most_informative_reason_counts() {
    let check = |reasons: &[Reason], expected: Reason| {
        let member = |reason: Reason| -> Box<dyn Solver> {
            Box::new(Inner("member", move |_: &Cancel| Ok(Outcome::Unknown(reason))))
        };
        let mut members: Vec<_> = reasons.iter().map(|reason| member(*reason)).collect();
        let broken = |_: &Cancel| Err(SolverError::System("broken".to_owned()));
        members.push(Box::new(Inner("broken", broken)));
        let portfolio = Portfolio::new(Mode::Race, members);
        let answer = portfolio.solve(&starts_with_a(), &long(), &never()).unwrap();
        assert_eq!(answer.outcome, Outcome::Unknown(expected));
        assert_eq!(answer.by, [""; 0]);
        assert_eq!(answer.attempts.len(), reasons.len() + 1);
    };
    use Reason::{Memory, SolverGaveUp, Timeout, Unsupported};
    check(&[Unsupported], Unsupported);
    check(&[Unsupported, SolverGaveUp], SolverGaveUp);
    check(&[SolverGaveUp, Memory, Unsupported], Memory);
    check(&[Memory, Timeout, SolverGaveUp], Timeout);
}

#[test]
fn the_deadline_ends_a_portfolio() {
    for mode in BOTH {
        let den = Den::new();
        let members = vec![den.fake("hangs", &[]), den.fake("ignores_signals", &[])];
        let answer = solve(mode, members, &short()).unwrap();
        assert_eq!(answer.outcome, Outcome::Unknown(Reason::Timeout));
        den.check_nothing_runs();
    }
}

#[test]
fn the_caller_can_cancel_a_portfolio() {
    for mode in BOTH {
        let den = Den::new();
        let cancel = Cancel::new();
        let members = vec![den.fake("hangs", &[]), den.answering("modest", &["unknown"])];
        let portfolio = Portfolio::new(mode, checked(members));
        let answer = thread::scope(|scope| {
            let asked = scope.spawn(|| portfolio.solve(&starts_with_a(), &long(), &cancel));
            den.wait_for("ready");
            cancel.cancel();
            asked.join().unwrap()
        });
        assert_eq!(answer.unwrap().outcome, Outcome::Unknown(Reason::Cancelled));
        den.check_nothing_runs();
    }
}

#[test]
fn if_everybody_breaks_it_is_told_how() {
    let den = Den::new();
    let members = vec![den.answering("one", &["hello"])];
    let error = solve(Mode::Race, members, &long()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no solver answered: one: answered something that is not SMT-LIB: hello"
    );
    assert_eq!(solve(Mode::Race, Vec::new(), &long()).unwrap_err(), SolverError::NoSolver);
}

#[test]
fn a_portfolio_within_a_portfolio_names_its_members() {
    let den = Den::new();
    let inner: Portfolio =
        Portfolio::new(Mode::All, checked(vec![den.answering("inner", &["unsat"])]));
    let mut members = checked(vec![den.answering("outer", &["unknown"])]);
    members.push(Box::new(inner));
    let answer = Portfolio::new(Mode::All, members);
    let answer = answer.solve(&starts_with_a(), &long(), &never()).unwrap();
    assert_eq!(answer.by, ["inner"]);
    let mut names: Vec<&str> = attempts(&answer).into_iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    assert_eq!(names, ["inner", "outer"]);
}

#[test]
fn scripts_are_raced_like_formulas() {
    let den = Den::new();
    let ask = |mode, members: Vec<Process>| {
        let portfolio = Portfolio::new(mode, members.into_iter().map(Box::new).collect());
        portfolio.solve_script("(check-sat)", &long(), &never())
    };
    let answer = ask(Mode::Race, vec![den.fake("hangs", &[]), den.answering("one", &["sat"])]);
    let answer = answer.unwrap();
    assert_eq!(answer.answer, RawAnswer::Sat(String::new()));
    assert_eq!(answer.by, ["one"]);
    assert_eq!(answer.attempts.len(), 2);
    den.check_nothing_runs();

    let members = vec![den.answering("one", &["sat"]), den.answering("two", &["unsat"])];
    let error = ask(Mode::All, members).unwrap_err();
    assert!(matches!(error, SolverError::Contradiction { .. }), "{error}");
    assert_eq!(ask(Mode::All, Vec::new()).unwrap_err(), SolverError::NoSolver);
}

#[test]
fn a_hedge_starts_nothing_if_the_first_member_answers() {
    let den = Den::new();
    let fake = || -> Box<dyn Solver> { Box::new(den.fake("hangs", &[])) };
    let portfolio: Portfolio =
        Portfolio::new(Mode::Hedged, vec![Box::new(Checked::new(Automaton)), fake(), fake()]);
    let answer = portfolio.solve(&starts_with_a(), &long(), &never()).unwrap();
    assert!(matches!(answer.outcome, Outcome::Sat(_)));
    assert_eq!(attempts(&answer), [(Automaton::NAME, AttemptResult::Sat)]);
    assert!(!den.path().join("pids").exists(), "a process was started");
}

/// Asks a hedge of `first` and the fake `slow`, which answers unsat. Returns what was tried, in
/// the order of the names, and how often `first` was asked.
fn hedge(
    first: impl Fn(&Cancel, usize) -> Result<Outcome, SolverError> + Send + Sync + 'static,
    limits: &Limits,
) -> (Answer, usize) {
    let den = Den::new();
    let n_calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&n_calls);
    let first =
        Inner("first", move |cancel: &Cancel| first(cancel, count.fetch_add(1, Ordering::SeqCst)));
    let members: Vec<Box<dyn Solver>> = vec![Box::new(first), Box::new(den.fake("slow", &[]))];
    let answer = Portfolio::new(Mode::Hedged, members).solve(&starts_with_a(), limits, &never());
    (answer.unwrap(), n_calls.load(Ordering::SeqCst))
}

#[test]
fn a_hedge_asks_the_others_at_once_if_the_first_gives_up_or_breaks() {
    type First = fn(&Cancel, usize) -> Result<Outcome, SolverError>;
    let unsupported: First = |_, _| Ok(Outcome::Unknown(Reason::Unsupported));
    let breaks: First = |_, _| Err(SolverError::System("broken".to_owned()));
    let panics: First = |_, _| panic!("a bug that this test has planted");
    for first in [unsupported, breaks, panics] {
        let (answer, n_calls) = hedge(first, &long());
        assert_eq!(answer.outcome, Outcome::Unsat);
        assert_eq!((answer.by, n_calls), (vec!["slow".to_owned()], 1), "nobody is asked twice");
        assert_eq!(answer.attempts.len(), 2);
        assert_eq!(answer.attempts[0].solver, "first");
    }
}

#[test]
fn a_hedge_asks_everybody_after_the_grace() {
    let late = Outcome::Unknown(Reason::Timeout);
    // The second time, the first member waits for its defeat.
    let first = move |cancel: &Cancel, call| {
        while call > 0 && !cancel.is_cancelled() {
            thread::yield_now();
        }
        Ok(late.clone())
    };
    let (answer, n_calls) = hedge(first, &long());
    assert_eq!((answer.outcome, n_calls), (Outcome::Unsat, 2));
    assert_eq!(answer.by, ["slow"]);
}

#[test]
fn a_hedge_gives_its_first_member_no_longer_than_the_grace() {
    struct Deadline;
    impl Solver for Deadline {
        fn name(&self) -> &str {
            "deadline"
        }

        fn solve(&self, _: &Formula, limits: &Limits, _: &Cancel) -> Result<Answer, SolverError> {
            assert!(limits.deadline <= std::time::Instant::now() + keyaki_solvers::GRACE);
            Ok(Answer { outcome: Outcome::Unsat, by: Vec::new(), attempts: Vec::new() })
        }
    }
    let other = Inner("other", |_: &Cancel| Ok(GAVE_UP));
    let portfolio: Portfolio =
        Portfolio::new(Mode::Hedged, vec![Box::new(Deadline), Box::new(other)]);
    let answer = portfolio.solve(&starts_with_a(), &long(), &never()).unwrap();
    assert_eq!(answer.by, ["deadline"]);
}
