//! The encoder and the concrete side say the same of one request.
//!
//! A request is turned into an assignment to the encoder's variables. Three things must agree:
//! whether the request can happen (the axioms against [`violations`](unexcused_violations)), whether it breaks
//! no-new-access, and whether it breaks no-public-access (the cells against [`breaks`]). Where nothing
//! opaque is involved they agree exactly. With opaque values neither side may be certain of what
//! the other is certain is not so, and what the encoder fails for sure must be confirmed, because
//! `check` takes anything else for a fault of ours.
//!
//! The model is decoded again, as a counterexample would be, and must mean the same.
//!
//! The rule of the pseudo-resource is asserted lazily elsewhere and no axiom of the encoding.

use arbitrary::Unstructured;
use keyaki_analysis::encode::{Encoding, Opaque};
use keyaki_analysis::public::Table;
use keyaki_analysis::replay::{Replay, breaks};
use keyaki_analysis::translation::{Agreed, Said, Translation, embed};
pub use keyaki_analysis::translation::{decoded, unexcused_violations};
use keyaki_analysis::{Question, encode, question};
use keyaki_logic::{Formula, Model, eval};
use keyaki_policy::{Decision, Policy, PolicyType, Readings, Request, evaluate, parse};
use serde_json::{Value, json};

use crate::{NoCase, case, generate};

/// Requests for one question, because encoding is what takes the time.
const REQUESTS: usize = 16;

/// Random policies, and requests with the readings under which they are compared.
pub(crate) fn draw(u: &mut Unstructured<'_>) -> arbitrary::Result<Value> {
    let mut drawn = crate::questions::draw(u)?;
    let question = case::question(&drawn).expect("what was drawn is a question");
    let mut tries = Vec::new();
    for _ in 0..REQUESTS {
        let readings = generate::readings(u)?;
        let request = generate::request(u, &question, readings)?;
        let (readings, request) = (case::of_readings(readings), case::of_request(&request));
        tries.push(json!({"readings": readings, "request": request}));
    }
    drawn["tries"] = Value::Array(tries);
    Ok(drawn)
}

/// Compares on each request.
pub(crate) fn check(drawn: &Value) -> Result<Vec<&'static str>, NoCase> {
    let subject = Subject::new(case::texts(drawn), case::question(drawn)?);
    let compare = |tried: &Value| {
        let (request, readings) = (case::request(&tried["request"])?, case::readings(tried)?);
        // The formula says nothing of keys that the question does not mention.
        let is_mentioned =
            |key: &str| subject.encoding.keys.contains_key(&key.to_ascii_lowercase());
        if let Some((key, _)) = request.context.iter().find(|(key, _)| !is_mentioned(key)) {
            return Err(NoCase(format!("the question does not mention `{key}`")));
        }
        Ok(compare(&subject, &request, readings))
    };
    case::list(drawn, "tries")?.iter().map(compare).collect()
}

/// A question with the texts that it was parsed from, for the message of a failure.
pub struct Subject {
    /// The texts.
    pub texts: Vec<String>,
    /// The question.
    pub question: Question,
    /// Its encoding.
    pub encoding: Encoding,
}

impl Subject {
    /// Of policies of one type.
    pub fn no_new_access(
        policy_type: PolicyType,
        existing: Vec<String>,
        new: Vec<String>,
    ) -> Subject {
        let parse = |texts: &[String]| -> Vec<Policy> {
            texts.iter().map(|text| parsed(text, policy_type)).collect()
        };
        let question =
            Question::NoNewAccess { existing: parse(&existing).into(), new: parse(&new).into() };
        Subject::new(existing.into_iter().chain(new).collect(), question)
    }

    /// Of a resource policy.
    pub fn no_public_access(text: String, table: &'static Table) -> Subject {
        let policy = parsed(&text, PolicyType::Resource);
        Subject::new(vec![text], Question::no_public_access(policy, table))
    }

    /// Of any question.
    pub fn new(texts: Vec<String>, question: Question) -> Subject {
        Subject { texts, encoding: encode(&question), question }
    }
}

/// A policy that has no mistake.
///
/// # Panics
///
/// It has one.
pub fn parsed(text: &str, policy_type: PolicyType) -> Policy {
    parse(text, Some(policy_type)).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

/// Compares the two sides on one request; returns the outcome.
///
/// # Panics
///
/// They disagree.
#[track_caller]
pub fn compare(subject: &Subject, request: &Request, readings: Readings) -> &'static str {
    let Subject { texts, question, encoding } = subject;
    let context = || format!("{}\n{request:?}\n{readings:?}", texts.join("\n"));
    let partially = |model: &Model, term| {
        let mut formula = Formula::new(encoding.terms.clone());
        formula.assert("", term);
        eval::holds_partially(&formula, model)
    };
    let mut reader = |model: &Model| {
        let mut terms = encoding.terms.clone();
        let axioms = terms.and(encoding.axioms.iter().map(|(_, axiom)| *axiom));
        let mut formula = Formula::new(terms);
        formula.assert("all axioms", axioms);
        let can_happen = eval::holds_partially(&formula, model);
        let breaks = eval::holds_partially(&encoding.whole(Opaque::Free), model);
        Ok(Said { can_happen, breaks })
    };
    let translation = Translation::new(question, encoding);
    let is_exact = translation.is_exact();
    let agreed = translation.compare(request, readings, &mut reader);
    let agreed = agreed.unwrap_or_else(|mismatch| {
        let model = embed::model(encoding, request, readings).unwrap_or_default();
        let axioms = encoding.axioms.iter();
        let wrong: Vec<_> = axioms.filter(|(_, a)| partially(&model, *a) != Some(true)).collect();
        panic!("{}, axioms {wrong:?}: {}", mismatch.detail, context())
    });
    match agreed {
        Agreed::IsTooLong => return "too long",
        Agreed::HasNoModel => return "has no model",
        Agreed::CannotHappen => return "cannot happen",
        Agreed::Breaks | Agreed::DoesNotBreak | Agreed::Hangs => {}
    }
    let model = embed::model(encoding, request, readings).expect("what agreed has a model");
    let free = eval::holds_partially(&encoding.whole(Opaque::Free), &model);
    let fails = eval::holds_partially(&encoding.whole(Opaque::Adverse), &model);
    let replay = breaks(question, request, readings);
    let is_confirmed = |replay: &Replay| matches!(replay, Replay::Confirmed { .. });
    assert!(is_confirmed(&replay) || fails == Some(false), "fails {fails:?}: {}", context());
    let decoded = decoded(encoding, model);
    assert_eq!(
        unexcused_violations(question, &decoded, readings),
        [""; 0],
        "{decoded:?}: {}",
        context()
    );
    if is_exact || fails == Some(true) {
        // Other statements may match: the evaluator reads more than the encoder does.
        let again = breaks(question, &decoded, readings);
        assert_eq!(is_confirmed(&again), is_confirmed(&replay), "{decoded:?}: {}", context());
    }
    let sides = [question::Side::Existing, question::Side::New].map(|side| question.subject(side));
    if let ([Some(existing), Some(new)], true) = (sides, is_exact) {
        let allows = |subject: &question::Subject| {
            let question::Subject::Union(policies) = subject else { panic!("a set: see `sets`") };
            evaluate(policies, request, readings).decision == Some(Decision::Allow)
        };
        let (was, is) = (allows(existing), allows(new));
        let breaks = match question {
            Question::Equivalent { .. } => was != is,
            Question::Disjoint { .. } => was && is,
            _ => is && !was,
        };
        assert_eq!(free, Some(breaks), "{}", context());
    }
    match agreed {
        Agreed::Breaks => "breaks",
        Agreed::DoesNotBreak => "does not break",
        _ => "hangs",
    }
}
