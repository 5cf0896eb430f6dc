//! One corpus, every engine: each case of `corpus/cases` has the verdict that stands in it, whoever
//! is asked.
//!
//! Asked are the portfolio, the embedded solver and each installed one alone, and all of them to the end on the formulas
//! as the encoder writes them (audit), so that neither the simplifier nor a race decides what a
//! case shows. A witness is replayed here once more, and run through the evaluator, although the
//! engine has done so: this test must not rely on what it tests.
//!
//! With `KEYAKI_CASE=NAME` only the cases whose names, or those of their files, contain NAME are run, and reported.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, Once};
use std::time::{Duration, Instant};

use keyaki::audit::{statements, translation};
use keyaki::decisions::Decisions;
use keyaki::job::Inquiry;
use keyaki::policy::evaluate::{Decision, decide, evaluate};
use keyaki::property::library;
use keyaki::question::{Side, Subject};
use keyaki::solvers::{Automaton, Config};
use keyaki::wire::{EvidenceName, QuestionName};
use keyaki::{Cancel, Engine, EngineOptions, Policy, Question, Reason, Request, Verdict};
use keyaki_analysis::Relation;
use keyaki_analysis::check::Witness;
use keyaki_analysis::property::Demand;
use keyaki_analysis::remedy::remedy;
use keyaki_analysis::replay::{Replay, replay, replay_together};
use keyaki_analysis::translation::Tally;
use keyaki_logic::certificate::{Certificate, Part};
use keyaki_policy::Readings;
use keyaki_properties::damage::{Fate, How, WHAT, What, damaged, fate, opposite, with_hash};

use case::{Case, Policies, cases};

mod case;

/// Time for one question and one engine. The cases are small; the machine may be busy.
const TIMEOUT: Duration = Duration::from_secs(180);

/// The requests of each kind of which formulas and policies are compared, for each case.
const N_REQUESTS: usize = 24;

/// Damages of each kind for each certificate.
const N_DAMAGES: usize = 8;

/// The longest certificate that is damaged, in bytes.
const MAX_DAMAGED: usize = 1 << 16;

/// A case slower than this by any engine is named in the output.
const SLOW: Duration = Duration::from_secs(5);

#[test]
fn every_property_of_the_library_has_a_policy_that_obeys_it_and_one_that_does_not() {
    let cases = cases();
    for ready in library::ALL {
        for verdict in ["holds", "fails"] {
            let is_example = |(_, case): &(String, Case)| {
                case.property.as_deref() == Some(ready.name) && case.verdict == verdict
            };
            assert!(cases.iter().any(is_example), "no case where `{}` {verdict}", ready.name);
        }
    }
}

#[test]
fn every_case_has_its_verdict_by_the_portfolio() {
    check_all(&[("portfolio".to_owned(), EngineOptions::default())]);
}

#[test]
fn every_case_has_its_verdict_by_each_solver_alone() {
    check_all(&installed().into_iter().map(alone).collect::<Vec<_>>());
}

#[test]
fn every_case_has_its_verdict_by_the_embedded_solver_alone() {
    check_all(&[alone(Automaton::NAME)]);
}

#[test]
fn every_case_has_its_verdict_by_the_embedded_solver_on_plain_formulas() {
    let (name, options) = alone(Automaton::NAME);
    check_all(&[(name, EngineOptions { audit: true, ..options })]);
}

fn alone(name: &str) -> (String, EngineOptions) {
    let solvers = vec![name.to_owned()];
    (name.to_owned(), EngineOptions { solvers, ..EngineOptions::default() })
}

#[test]
fn every_case_has_its_verdict_by_all_solvers_on_plain_formulas() {
    let options = EngineOptions { audit: true, ..EngineOptions::default() };
    check_all(&[("audit".to_owned(), options)]);
}

/// Of a property that fails, some way to break it cannot be excluded.
#[test]
fn what_holds_is_explained_and_what_fails_is_not() {
    let mut wrong = Vec::new();
    for (file, case) in cases().iter().filter(|(_, case)| case.verdict != "unknown") {
        let inquiry = case.inquiry().unwrap();
        let question = &inquiry.question;
        let ways = Engine::explain(question, &inquiry.decisions, TIMEOUT, &Cancel::new());
        let is_explained = ways.unwrap().iter().all(|way| way.why.is_some());
        if is_explained != (case.verdict == "holds") {
            wrong.push(format!("{file}: {}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// What is suggested was found to hold by the engine that answers; here the embedded solver says so again, of formulas
/// that nobody simplified, and the witness is replayed on the changed policies.
#[test]
fn what_is_suggested_holds() {
    let engine = Engine::new(&Config::builtin(), alone(Automaton::NAME).1).unwrap();
    let (name, options) = alone(Automaton::NAME);
    let options = EngineOptions { audit: true, ..options };
    let plain = Engine::new(&Config::builtin(), options).unwrap();
    let ask = |engine: &Engine, question: &Question| {
        let decisions = Decisions::default();
        engine.check_within(question, &decisions, TIMEOUT, &Cancel::new()).map(|r| r.verdict)
    };
    let (mut n_fails, mut without) = (0, Vec::new());
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let wanted = std::env::var("KEYAKI_CASE").unwrap_or_default();
    for (file, case) in cases() {
        let is_asked = case.verdict == "fails" && !case.too_hard_for.contains(&name);
        if !is_asked || !format!("{file}: {}", case.name).contains(&wanted) {
            continue;
        }
        let inquiry = case.inquiry().unwrap();
        let question = &inquiry.question;
        let decisions = Decisions::default();
        let report = engine.check_within(question, &decisions, TIMEOUT, &Cancel::new()).unwrap();
        let Verdict::Fails(witness) = report.verdict else { continue };
        n_fails += 1;
        let under = report.witness_under;
        let mut asked = |question: &Question| ask(&engine, question).ok();
        let Some(remedy) = remedy(question, &witness, under, &mut asked) else {
            without.push(case.name);
            continue;
        };
        for change in &remedy.changes {
            let kind = format!("{:?}", change.edit);
            let kind = kind.split([' ', '(']).next().unwrap_or_default().to_owned();
            *kinds.entry(kind).or_default() += 1;
        }
        let verdict = ask(&plain, &remedy.question).unwrap();
        let place = format!("{file}: {}: {:?}", case.name, remedy.changes);
        assert!(!matches!(verdict, Verdict::Fails(_)), "{place}");
        let replayed = replay(&remedy.question, &witness.request, under);
        assert!(matches!(replayed, Replay::Refuted(_)), "{place}: {replayed:?}");
    }
    eprintln!(
        "{} of {n_fails} cases that fail have no suggestion: {without:?}; the others: {kinds:?}",
        without.len()
    );
    // The share is one of all cases.
    let are_all = wanted.is_empty();
    assert!(!are_all || 10 * without.len() <= 3 * n_fails, "of {n_fails} none for {without:?}");
}

/// A key is shown only if without it the request would be no witness, or could not happen.
#[test]
fn every_key_of_a_witness_matters() {
    let engine = Engine::embedded();
    let (mut n_witnesses, mut n_keys, mut idle) = (0, 0, Vec::new());
    for (file, case) in cases() {
        if case.verdict != "fails" {
            continue;
        }
        let inquiry = case.inquiry().unwrap();
        let question = &inquiry.question;
        let report = engine.check(question).unwrap();
        let Verdict::Fails(witness) = report.verdict else { continue };
        n_witnesses += 1;
        for (key, _) in witness.request.context.iter() {
            n_keys += 1;
            let mut request = witness.request.clone();
            request.context.remove(key);
            let replayed =
                replay_together(question, &request, &report.companions, report.witness_under);
            if matches!(replayed, Replay::Confirmed { .. }) {
                idle.push(format!("{file}: {}: {key}", case.name));
            }
        }
    }
    eprintln!("{n_keys} keys of {n_witnesses} witnesses");
    assert!(n_keys > 0 && idle.is_empty(), "{} of {n_keys} are idle: {idle:#?}", idle.len());
}

/// Certificates of what holds, whole and way by way, with one thing wrong: none shows anything that is not so, and none shows the
/// opposite. With `KEYAKI_CERTIFICATES=N` so many are damaged in place of a few.
#[test]
fn damaged_certificates_of_what_holds_are_rejected_or_still_right() {
    let mut all = Vec::new();
    // What is compared with itself holds whatever it says.
    let with_itself = |case: &Case, policies: &Option<Policies>| Case {
        question: "no-new-access".to_owned(),
        existing: policies.clone(),
        new: policies.clone(),
        verdict: "holds".to_owned(),
        ..case.clone()
    };
    let cases: Vec<Case> = cases().into_iter().map(|(_, case)| case).collect();
    let compared = cases
        .iter()
        .filter(|case| case.question == "no-new-access")
        .flat_map(|case| [with_itself(case, &case.new), with_itself(case, &case.existing)]);
    for case in cases.iter().cloned().chain(compared).filter(|case| case.verdict == "holds") {
        let Inquiry { question, decisions, .. } = case.inquiry().unwrap();
        let ways = Engine::certify(&question, &decisions, TIMEOUT, &Cancel::new()).unwrap();
        let parts: Vec<Part> = ways
            .into_iter()
            .flatten()
            .map(|way| Part { label: "way".to_owned(), formula: way.formula, proof: way.proof })
            .collect();
        all.push(Certificate::new(&parts));
        if parts.len() > 1 {
            all.extend(parts.chunks(1).map(Certificate::new));
        }
    }
    all.retain(|Certificate { text, .. }| text.contains("\nassert ") && text.len() < MAX_DAMAGED);
    let (n_all, wanted) = (all.len(), std::env::var("KEYAKI_CERTIFICATES"));
    let wanted: usize = wanted.ok().map_or(24, |n| n.parse().unwrap());
    let mut state = 20_261_129_u64;
    let mut below = |bound: usize| {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (state >> 33) as usize % bound
    };
    let mut fates: BTreeMap<(String, String, Fate), usize> = BTreeMap::new();
    let mut n_opposite = 0;
    for n in 0..wanted.min(n_all) {
        let other = n + below(n_all - n);
        all.swap(n, other);
        let Certificate { text, query } = &all[n];
        for (what, how) in WHAT.iter().flat_map(|what| How::ALL.map(|how| (*what, how))) {
            for _ in 0..N_DAMAGES {
                let Some(bytes) = damaged(text, what, how, &mut below) else { continue };
                // The formulas are read with their damage only if their hash is right.
                let bytes = match String::from_utf8(bytes) {
                    Ok(text) if what == What::Term || below(2) == 0 => {
                        with_hash(&text).into_bytes()
                    }
                    Ok(text) => text.into_bytes(),
                    Err(error) => error.into_bytes(),
                };
                if bytes != text.as_bytes() {
                    let fate = fate(&bytes, query, &mut below);
                    *fates.entry((format!("{what:?}"), format!("{how:?}"), fate)).or_default() += 1;
                }
            }
        }
        let opposite = opposite(text).unwrap();
        assert_eq!(fate(opposite.as_bytes(), query, &mut below), Fate::Rejected, "{opposite}");
        n_opposite += 1;
    }
    let n =
        |fate: Fate| fates.iter().filter(|(key, _)| key.2 == fate).map(|(_, n)| n).sum::<usize>();
    let (same, another) = (n(Fate::ShowsTheSame), n(Fate::ShowsAnother));
    for ((what, how, fate), n) in &fates {
        eprintln!("{what} {how} {fate:?}: {n}");
    }
    eprintln!(
        "{n_opposite} of {n_all} certificates: {} damages are rejected, {same} show the same, {another} others",
        n(Fate::Rejected)
    );
    assert!(n(Fate::Rejected) > 5 * (same + another), "{same}, {another}");
}

#[test]
fn cases_are_complete_and_have_names_of_their_own() {
    let mut names = BTreeSet::new();
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (file, case) in cases() {
        assert!(names.insert(case.name.clone()), "{file}: `{}` is there twice", case.name);
        assert!(!case.why.is_empty() && !case.source.is_empty(), "{file}: {}", case.name);
        let is_unknown = case.verdict == "unknown";
        assert_eq!(case.reason.is_some(), is_unknown, "{file}: {}: a reason", case.name);
        *counts.entry((case.question, case.verdict)).or_default() += 1;
    }
    for (_, question) in QuestionName::ALL {
        for verdict in ["holds", "fails", "unknown"] {
            let n = counts.get(&(question.to_owned(), verdict.to_owned()));
            assert!(n.is_some_and(|n| *n >= 3), "few cases of {question} {verdict}");
        }
    }
}

/// The formulas of every case say what its policies say of requests near what these say.
#[test]
fn formulas_and_policies_say_the_same_of_requests() {
    let wanted = std::env::var("KEYAKI_CASE").unwrap_or_default();
    let (mut wrong, mut n_asked) = (Vec::new(), [0; 4]);
    for (file, case) in cases() {
        if !format!("{file}: {}", case.name).contains(&wanted) {
            continue;
        }
        let inquiry = case.inquiry().unwrap();
        match translation(
            &inquiry.question,
            &inquiry.decisions,
            N_REQUESTS,
            TIMEOUT,
            &Cancel::new(),
        ) {
            Ok(Tally { n_breaking, n_harmless, n_impossible, n_open }) => {
                for (n, more) in
                    n_asked.iter_mut().zip([n_breaking, n_harmless, n_impossible, n_open])
                {
                    *n += more;
                }
            }
            Err(mismatch) => wrong.push(format!("{file}: {}: {mismatch:?}", case.name)),
        }
    }
    eprintln!("{n_asked:?} requests break a property, do not, cannot happen and are left open");
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(n_asked[..3].iter().all(|n| *n > 0));
}

/// What certificates have of the policies of every case is what these say, of requests near what they say.
#[test]
fn statements_and_policies_say_the_same_of_requests() {
    let (mut wrong, mut n_asked) = (Vec::new(), [0; 4]);
    for (file, case) in cases() {
        let inquiry = case.inquiry().unwrap();
        let Inquiry { question, decisions, .. } = &inquiry;
        match statements(question, decisions, 8 * N_REQUESTS, TIMEOUT, &Cancel::new()) {
            Ok(tally) => {
                let Tally { n_breaking, n_harmless, n_open, .. } = tally.unwrap_or_default();
                let more = [n_breaking, n_harmless, n_open, usize::from(tally.is_some())];
                n_asked.iter_mut().zip(more).for_each(|(n, more)| *n += more);
            }
            Err(mismatch) => wrong.push(format!("{file}: {}: {mismatch:?}", case.name)),
        }
    }
    eprintln!("{n_asked:?} requests break a property, do not, are left open; cases");
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(n_asked[..2].iter().all(|n| *n > 0));
}

/// Of what the texts of policies tell, the checker of certificates sees why in the texts as well.
#[test]
fn what_texts_tell_has_a_certificate_of_statements() {
    let engine = std::sync::Arc::new(Engine::embedded());
    let (mut n_told, mut others) = (0, Vec::new());
    for (file, case) in cases() {
        let mut inquiry = case.inquiry().unwrap();
        inquiry.certificate = Some(TIMEOUT);
        let result = inquiry.answer(&|_| Ok(engine.clone()), &Cancel::new());
        if result.solver.as_deref() != Some("cover") || result.evidence.is_none() {
            continue;
        }
        let certificate = result.certificate.unwrap_or_default();
        let place = format!("{file}: {}", case.name);
        if !certificate.is_empty() {
            assert_eq!(result.evidence, Some(EvidenceName::Certified), "{place}");
            assert!(keyaki_verify::verify(certificate.as_bytes()).is_ok(), "{place}");
        }
        match certificate.starts_with("keyaki-certificate 2\n") {
            true => n_told += 1,
            false => others.push(place),
        }
    }
    eprintln!("{n_told} cases; of formulas or none: {others:#?}");
    assert!(n_told >= 170 && others.len() <= 35, "{n_told}, {}", others.len());
}

/// Runs all cases with each of the engines and tells all that are wrong at once.
#[track_caller]
fn check_all(engines: &[(String, EngineOptions)]) {
    let embedded = |(name, _): &(String, EngineOptions)| name == Automaton::NAME;
    if !engines.iter().all(embedded) && !has_solver() {
        return;
    }
    let wanted = std::env::var("KEYAKI_CASE").unwrap_or_default();
    let mut cases = cases();
    cases.retain(|(file, case)| format!("{file}: {}", case.name).contains(&wanted));
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let n_threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    std::thread::scope(|scope| {
        for _ in 0..n_threads {
            scope.spawn(|| {
                while let Some((file, case)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    for (name, options) in engines {
                        if case.too_hard_for.contains(name) {
                            eprintln!("SKIPPED: {} by {name}: too hard for it", case.name);
                            continue;
                        }
                        let start = Instant::now();
                        let tries_requests = !options.audit && options.solvers.is_empty();
                        let outcome = match case.is_guessed && tries_requests {
                            true => run(&case.as_guessed(), options),
                            false => run(case, options),
                        };
                        let time = start.elapsed();
                        if time > SLOW || !wanted.is_empty() {
                            eprintln!("{} by {name}: {:.1} s", case.name, time.as_secs_f64());
                        }
                        if let Err(what) = outcome {
                            let place = format!("{file}: {} by {name}", case.name);
                            wrong.lock().unwrap().push(format!("{place}: {what}"));
                        }
                    }
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().unwrap();
    wrong.sort();
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Whether the case has its verdict; if not, what it has.
fn run(case: &Case, options: &EngineOptions) -> Result<(), String> {
    let inquiry = case.inquiry()?;
    let question = &inquiry.question;
    let engine = Engine::new(&Config::builtin(), options.clone()).map_err(|e| e.to_string())?;
    let report = engine
        .check_within(question, &inquiry.decisions, TIMEOUT, &Cancel::new())
        .map_err(|error| error.to_string())?;
    match report.verdict {
        Verdict::Holds(_) => case.compare("holds", None, ""),
        Verdict::Fails(witness) => {
            case.compare("fails", None, &format!("{:?}", witness.request))?;
            case.compare_switches(&report.depends_on)?;
            case.compare_relation(report.relation.map(|(relation, _)| relation))?;
            let of_both = report.reverse.is_some();
            if of_both != (report.relation.map(|(r, _)| r) == Some(Relation::Incomparable)) {
                return Err("two witnesses are for what is incomparable".to_owned());
            }
            for witness in std::iter::once(&witness).chain(&report.reverse) {
                check_witness(question, witness, &report.companions, report.witness_under)?;
            }
            Ok(())
        }
        Verdict::Unknown { reason, unsupported } => {
            let constructs: Vec<_> = unsupported.into_iter().map(|item| item.construct).collect();
            let reason = match reason {
                Reason::Timeout => "timeout",
                Reason::Memory => "memory",
                Reason::Unsupported => "unsupported",
                Reason::SolverGaveUp => "solver-gave-up",
                Reason::Cancelled => "cancelled",
            };
            case.compare("unknown", Some(reason), &constructs.join(", "))
        }
    }
}

/// A witness breaks the property for the replay, and has the decisions that it should have for the
/// evaluator alone.
fn check_witness(
    question: &Question,
    Witness { request, side, .. }: &Witness,
    companions: &[Request],
    readings: Readings,
) -> Result<(), String> {
    match replay_together(question, request, companions, readings) {
        Replay::Confirmed { .. } => {}
        other => return Err(format!("{request:?} does not replay: {other:?}")),
    }
    let decision = |side| {
        if let Some(Subject::Set(set)) = question.subject(side) {
            return decide(set, request, readings).decision;
        }
        let policies: Vec<Policy> =
            question.side(side).into_iter().map(|(_, policy)| policy.clone()).collect();
        evaluate(&policies, request, readings).decision
    };
    let allow = Some(Decision::Allow);
    let is_right = match question {
        Question::NoPublicAccess { .. }
        | Question::NoExternalAccess { .. }
        | Question::AccessNotGranted { .. } => decision(Side::Policy) == allow,
        Question::Custom { property, .. } => {
            let is_allowed = decision(Side::Policy) == allow;
            property.rules.iter().any(|rule| {
                let scope = std::slice::from_ref(&rule.scope);
                let is_about_it = evaluate(scope, request, readings).decision == allow;
                is_about_it && is_allowed == (rule.demand == Demand::Never)
            })
        }
        Question::Disjoint { .. } => {
            decision(Side::Existing) == allow && decision(Side::New) == allow
        }
        Question::NoNewAccess { .. } | Question::Equivalent { .. } => {
            let [own, other] = match side {
                Side::Existing => [Side::Existing, Side::New],
                _ => [Side::New, Side::Existing],
            };
            decision(own) == allow && decision(other).is_some_and(|other| Some(other) != allow)
        }
    };
    if is_right { Ok(()) } else { Err(format!("{request:?} is decided otherwise")) }
}

fn installed() -> Vec<&'static str> {
    let there = |name: &&str| {
        let mut command = Command::new(name);
        command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    ["z3", "cvc4", "cvc5"].into_iter().filter(there).collect()
}

fn has_solver() -> bool {
    let installed = installed();
    let required = std::env::var("REQUIRE_SOLVERS").is_ok_and(|value| value == "1");
    assert!(!required || installed.len() == 3, "REQUIRE_SOLVERS is set, and only {installed:?}");
    if installed.is_empty() {
        skip();
    }
    !installed.is_empty()
}

/// Says that tests were skipped, once, and past the harness, which keeps the output of tests that
/// pass to itself.
fn skip() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        let message = "SKIPPED: no solver is installed (apt-get install z3 cvc4 cvc5)\n";
        drop(std::io::stderr().write_all(message.as_bytes()));
    });
}
