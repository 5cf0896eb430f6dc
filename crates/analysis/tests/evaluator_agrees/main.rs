//! The encoder and the concrete side say the same of every request.
//!
//! Random policies go through the parser; random requests are turned into assignments to the
//! encoder's variables. Three things must agree: whether the request can happen (the axioms against
//! [`violations`]), whether it breaks no-new-access, and whether it breaks no-public-access (the
//! cells against [`breaks`]). Where nothing opaque is involved they agree exactly. With opaque
//! values neither side may be certain of what the other is certain is not so, and what the encoder
//! fails for sure must be confirmed, because `check` takes anything else for a fault of ours.
//!
//! The model is decoded again, as a counterexample would be, and must mean the same.
//!
//! The rule of the pseudo-resource is asserted lazily elsewhere and no axiom of the encoding.

mod embed;
mod generate;
mod regressions;
mod sets;
mod small_lists;

use std::cell::RefCell;
use std::collections::BTreeMap;

use arbtest::arbitrary::{Result, Unstructured};
use arbtest::arbtest;
use keyaki_analysis::encode::{Encoding, Opaque, is_opaque};
use keyaki_analysis::public::S3;
use keyaki_analysis::replay::{Replay, breaks, violations};
use keyaki_analysis::{Question, encode, question, witness};
use keyaki_logic::{Formula, Model, eval};
use keyaki_policy::{Decision, Policy, PolicyType, Readings, Request, evaluate, parse};

/// How long a round of questions takes, in milliseconds.
const ROUND_MS: u64 = 1_000;

/// Rounds go on until so many requests were compared: 300 questions or more, of which some have
/// each outcome however slow the machine is.
const MIN_REQUESTS: usize = 2_500;

/// Rounds after which a slow machine is asked no more.
const MAX_ROUNDS: usize = 60;

/// The rarest outcome is one in forty requests; less than one in so many is a broken generator.
const MIN_SHARE: usize = 500;

/// Random bytes for one question with its requests; fewer end in the first word of each list.
const MIN_BYTES: u32 = 1_500;

/// Requests for one question, because encoding is what takes the time.
const REQUESTS: usize = 8;

#[test]
fn what_a_policy_allows_is_agreed_on() {
    check_agreement(|u| {
        let policy_type = *u.choose(&[PolicyType::Identity, PolicyType::Resource])?;
        Ok(Subject::no_new_access(policy_type, vec![], vec![generate::policy(u, policy_type)?]))
    });
}

#[test]
fn what_a_policy_adds_to_another_is_agreed_on() {
    check_agreement(|u| {
        let policy_type = *u.choose(&[PolicyType::Identity, PolicyType::Resource])?;
        let mut texts = vec![];
        for _ in 0..u.int_in_range(2..=3)? {
            texts.push(generate::policy(u, policy_type)?);
        }
        let new = texts.split_off(1);
        Ok(Subject::no_new_access(policy_type, texts, new))
    });
}

#[test]
fn what_is_public_is_agreed_on() {
    check_agreement(|u| Ok(Subject::no_public_access(generate::policy(u, PolicyType::Resource)?)));
}

/// A question with the texts that it was parsed from, for the message of a failure.
struct Subject {
    texts: Vec<String>,
    question: Question,
    encoding: Encoding,
}

impl Subject {
    fn no_new_access(policy_type: PolicyType, existing: Vec<String>, new: Vec<String>) -> Subject {
        let parse = |texts: &[String]| -> Vec<Policy> {
            texts.iter().map(|text| parsed(text, policy_type)).collect()
        };
        let question =
            Question::NoNewAccess { existing: parse(&existing).into(), new: parse(&new).into() };
        Subject::new(existing.into_iter().chain(new).collect(), question)
    }

    fn no_public_access(text: String) -> Subject {
        let policy = parsed(&text, PolicyType::Resource);
        Subject::new(vec![text], Question::NoPublicAccess { policy, table: &S3 })
    }

    fn new(texts: Vec<String>, question: Question) -> Subject {
        Subject { texts, encoding: encode(&question), question }
    }
}

fn parsed(text: &str, policy_type: PolicyType) -> Policy {
    parse(text, Some(policy_type)).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

/// Tries questions and requests, and sees to it that all outcomes occurred.
#[track_caller]
fn check_agreement(draw: impl Fn(&mut Unstructured<'_>) -> Result<Subject>) {
    let counts = RefCell::new(BTreeMap::<&str, usize>::new());
    let property = |u: &mut Unstructured<'_>| {
        let subject = draw(u)?;
        for _ in 0..REQUESTS {
            let readings = generate::readings(u)?;
            let request = generate::request(u, &subject.question, readings)?;
            let outcome = compare(&subject, &request, readings);
            *counts.borrow_mut().entry(outcome).or_default() += 1;
        }
        Ok(())
    };
    let total = || counts.borrow().values().sum::<usize>();
    for _ in 0..MAX_ROUNDS {
        if total() >= MIN_REQUESTS {
            break;
        }
        arbtest(property).size_min(MIN_BYTES).budget_ms(ROUND_MS).run();
    }

    // The evaluator itself hangs at its limits only.
    for outcome in ["breaks", "does not break", "cannot happen", "has no model"] {
        let n = counts.borrow().get(outcome).copied().unwrap_or_default();
        assert!(n > 0 && n * MIN_SHARE >= total(), "`{outcome}` is too rare: {counts:?}");
    }
}

/// Compares the two sides on one request; returns the outcome.
#[track_caller]
fn compare(subject: &Subject, request: &Request, readings: Readings) -> &'static str {
    let Subject { texts, question, encoding } = subject;
    let context = || format!("{}\n{request:?}\n{readings:?}", texts.join("\n"));
    if embed::is_too_long(encoding, request) {
        return "too long";
    }
    let violations = unexcused_violations(question, request, readings);
    let Some(model) = embed::model(encoding, request, readings) else {
        assert!(!violations.is_empty(), "can happen but has no model: {}", context());
        return "has no model";
    };

    let holds = |axiom| {
        let mut formula = Formula::new(encoding.terms.clone());
        formula.assert("axiom", axiom);
        eval::holds_partially(&formula, &model)
    };
    let mut terms = encoding.terms.clone();
    let all = terms.and(encoding.axioms.iter().map(|(_, axiom)| *axiom));
    let mut axioms = Formula::new(terms);
    axioms.assert("all axioms", all);
    let can_happen = eval::holds_partially(&axioms, &model).expect("every axiom is decided");
    // What the elements of a list are that nothing looks at is no part of an assignment: those of
    // the decoded request have to be fine instead.
    let is_unseen = || {
        let decoded = decoded(encoding, model.clone());
        can_happen
            && embed::has_unseen_list(encoding, request)
            && unexcused_violations(question, &decoded, readings).is_empty()
    };
    let agrees = can_happen == violations.is_empty() || is_unseen();
    let false_axioms = || {
        let axioms = encoding.axioms.iter();
        axioms.filter(|(_, axiom)| holds(*axiom) != Some(true)).collect::<Vec<_>>()
    };
    assert!(agrees, "axioms {:?}, violations {violations:?}: {}", false_axioms(), context());
    if !violations.is_empty() {
        return "cannot happen";
    }

    let free = encoding.whole(Opaque::Free);
    let is_exact = !free.variables().into_iter().any(|(name, _)| is_opaque(name));
    let free = eval::holds_partially(&free, &model);
    let fails = eval::holds_partially(&encoding.whole(Opaque::Adverse), &model);
    let replay = breaks(question, request, readings);
    let agrees = match &replay {
        Replay::Confirmed { .. } => free != Some(false) && (!is_exact || free == Some(true)),
        Replay::Refuted(_) => {
            free != Some(true) && fails == Some(false) && (!is_exact || free == Some(false))
        }
        Replay::Undecided(constructs) => {
            !is_exact && !constructs.is_empty() && fails == Some(false)
        }
    };
    assert!(agrees, "{replay:?}, free {free:?}, fails {fails:?}: {}", context());
    let decoded = decoded(encoding, model);
    assert_eq!(
        unexcused_violations(question, &decoded, readings),
        [""; 0],
        "{decoded:?}: {}",
        context()
    );
    if is_exact || fails == Some(true) {
        // Other statements may match: the evaluator reads more than the encoder does.
        let is_confirmed = |replay: &Replay| matches!(replay, Replay::Confirmed { .. });
        let again = breaks(question, &decoded, readings);
        assert_eq!(is_confirmed(&again), is_confirmed(&replay), "{decoded:?}: {}", context());
    }
    if let (Question::NoNewAccess { existing, new }, true) = (question, is_exact) {
        let allows = |subject: &question::Subject| {
            let question::Subject::Union(policies) = subject else { panic!("a set: see `sets`") };
            evaluate(policies, request, readings).decision == Some(Decision::Allow)
        };
        assert_eq!(free, Some(allows(new) && !allows(existing)), "{}", context());
    }
    match replay {
        Replay::Confirmed { .. } => "breaks",
        Replay::Refuted(_) => "does not break",
        Replay::Undecided(_) => "hangs",
    }
}

/// The violations but for the rule that is asserted lazily.
fn unexcused_violations(question: &Question, request: &Request, readings: Readings) -> Vec<String> {
    let mut violations = violations(question, request, readings);
    violations.retain(|violation| !violation.ends_with("is about a resource, not about `*`"));
    violations
}

/// The request that would be shown for a model.
fn decoded(encoding: &Encoding, mut model: Model) -> Request {
    witness::complete(encoding, &mut model);
    witness::decode(encoding, &model)
}
