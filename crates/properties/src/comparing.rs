//! Laws of questions: what two answers have to do with each other.
//!
//! `equivalent` is `no-new-access` in both directions, and its relation tells which of them fails.
//! `disjoint` does not care which side is which; and no policy is disjoint from itself but one that
//! allows nothing, of which `access-not-granted` knows as well. And whoever trusts more people finds
//! no more strangers.

use arbitrary::{Result, Unstructured};
use keyaki_analysis::check::Witness;
use keyaki_analysis::question::{Side, Subject};
use keyaki_analysis::replay::{Replay, replay};
use keyaki_analysis::zone::{ServicePrincipals, Zone};
use keyaki_analysis::{Options, Question, Relation, Report, Verdict};
use keyaki_policy::{AccessPattern, Readings, access};
use keyaki_solvers::Automaton;
use serde_json::Value;

use crate::questions::{ask, assert_witness, word};
use crate::{NoCase, case, covering, enumeration, questions};

/// Two policies that differ by a few edits, or hardly have anything to do with each other; or those
/// of a question about requests of few words.
pub(crate) fn draw(u: &mut Unstructured<'_>) -> Result<Value> {
    let mut drawn = match u.int_in_range(0..=2)? {
        0 => questions::draw(u)?,
        1 => enumeration::draw(u)?,
        _ => covering::draw(u)?,
    };
    if drawn.get("existing").is_some() {
        drawn["question"] = "equivalent".into();
    }
    Ok(drawn)
}

/// Asks all questions of the laws about the two sides.
pub(crate) fn check(case: &Value) -> std::result::Result<Vec<&'static str>, NoCase> {
    let (existing, new) = match case::question(case)? {
        Question::Equivalent { existing, new } => (existing, new),
        Question::NoExternalAccess { policy, zone } => {
            check_trust(&policy, &zone);
            return Ok(vec!["a zone"]);
        }
        _ => return Ok(vec!["about one policy"]),
    };
    let equivalent = Question::Equivalent { existing: existing.clone(), new: new.clone() };
    let outcome = check_equivalent(&equivalent);
    check_disjoint(&existing, &new);
    check_with_itself(&new);
    Ok(vec![outcome])
}

fn check_equivalent(question: &Question) -> &'static str {
    let report = asked(question);
    let [forward, reverse] = question.directions().expect("it is `equivalent`");
    let (wider, narrower) = (asked(&forward), asked(&reverse));
    let words = [word(&wider.verdict), word(&narrower.verdict)];
    let relation = report.relation.map(|(relation, _)| relation);
    let told = || format!("{words:?} {relation:?}: {report:?}");
    match words {
        ["holds", "holds"] => assert_eq!(word(&report.verdict), "holds", "{}", told()),
        ["fails", _] | [_, "fails"] => assert_eq!(word(&report.verdict), "fails", "{}", told()),
        _ => assert_eq!(word(&report.verdict), "unknown", "{}", told()),
    }
    match words {
        ["fails", "holds"] => assert_eq!(relation, Some(Relation::Wider), "{}", told()),
        ["holds", "fails"] => assert_eq!(relation, Some(Relation::Narrower), "{}", told()),
        // Not where each fails under readings of its own.
        ["fails", "fails"] => {
            let is_apart = relation.is_none() && fails_apart(&forward, &wider, &reverse, &narrower);
            assert!(relation == Some(Relation::Incomparable) || is_apart, "{}", told());
        }
        _ => assert_eq!(relation, None, "{}", told()),
    }
    match relation {
        Some(Relation::Wider) => "wider",
        Some(Relation::Narrower) => "narrower",
        Some(Relation::Incomparable) => "incomparable",
        None => word(&report.verdict),
    }
}

/// Whether each direction hangs on a reading, and neither witness is one under the other's readings.
fn fails_apart(forward: &Question, wider: &Report, reverse: &Question, narrower: &Report) -> bool {
    let breaks = |question: &Question, witness: &Witness, readings: Readings| {
        matches!(replay(question, &witness.request, readings), Replay::Confirmed { .. })
    };
    let (Verdict::Fails(one), Verdict::Fails(other)) = (&wider.verdict, &narrower.verdict) else {
        return false;
    };
    !wider.depends_on.is_empty()
        && !narrower.depends_on.is_empty()
        && !breaks(forward, one, narrower.witness_under)
        && !breaks(reverse, other, wider.witness_under)
}

/// Who trusts more people is not in more danger: what holds of a zone holds of a larger one.
fn check_trust(policy: &Subject, zone: &Zone) {
    let verdict = |zone: &Zone| {
        let question = Question::NoExternalAccess { policy: policy.clone(), zone: zone.clone() };
        word(&asked(&question).verdict)
    };
    let mut larger = zone.clone();
    larger.accounts.insert("444455556666".to_owned());
    let ignoring = Zone { services: ServicePrincipals::Ignored, ..zone.clone() };
    let of_owner = Zone { owner: Some("111122223333".to_owned()), ..zone.clone() };
    if verdict(zone) == "holds" {
        for larger in [&larger, &ignoring, &of_owner] {
            let is_first_owner = zone.owner.is_none() || zone.owner == larger.owner;
            assert!(
                !is_first_owner || verdict(larger) != "fails",
                "{zone:?} holds, {larger:?} not"
            );
        }
    }
}

fn check_disjoint(existing: &Subject, new: &Subject) {
    let disjoint = |existing: &Subject, new: &Subject| {
        asked(&Question::Disjoint { existing: existing.clone(), new: new.clone() })
    };
    let (one, other) = (disjoint(existing, new), disjoint(new, existing));
    let words = [word(&one.verdict), word(&other.verdict)];
    let is_known = !words.contains(&"unknown");
    assert!(!is_known || words[0] == words[1], "{one:?}\n{other:?}");
}

fn check_with_itself(policy: &Subject) {
    let question = Question::Disjoint { existing: policy.clone(), new: policy.clone() };
    let of_itself = asked(&question);
    let everything = AccessPattern::new(access::action("*").ok().map(|action| vec![action]), None);
    let granted =
        asked(&Question::AccessNotGranted { policy: policy.clone(), accesses: vec![everything] });
    let words = [word(&of_itself.verdict), word(&granted.verdict)];
    let is_known = !words.contains(&"unknown");
    assert!(!is_known || words[0] == words[1], "{of_itself:?}\n{granted:?}");
    if let Verdict::Fails(witness) = &of_itself.verdict {
        assert_eq!(witness.side, Side::New);
    }
}

fn asked(question: &Question) -> Report {
    let report = ask(question, &Automaton, Options::default());
    let report = report.unwrap_or_else(|error| panic!("{error}"));
    assert_witness(question, &report);
    report
}
