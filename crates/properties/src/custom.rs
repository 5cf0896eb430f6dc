//! Properties that somebody writes himself, in universes small enough to try every request.
//!
//! Whether a rule is broken is told here by the evaluator alone: it decides the request by the policy, and by the rule's
//! scope as if that were a policy too. Where a rule has a zone, it is the predicate of `no-external-access` that says of the scope
//! whether it lets the request in from outside. Neither knows of rules, and the replay of `custom` is held to them as
//! the verdict is.

use arbitrary::{Result, Unstructured};
use keyaki_analysis::Question;
use keyaki_analysis::property::{Demand, Rule};
use keyaki_analysis::question::Subject;
use keyaki_analysis::replay::{Replay, breaks};
use keyaki_policy::request::Request;
use keyaki_policy::{Decision, Policy, PolicyType, Readings, evaluate};
use keyaki_solvers::Automaton;
use serde_json::{Value, json};

use crate::enumeration::{draw_keys, draw_readings, possible};
use crate::questions::{ask, assert_witness};
use crate::{NoCase, case, enumeration, generate};

/// A policy and one to three rules about it, of few words.
pub(crate) fn draw(u: &mut Unstructured<'_>) -> Result<Value> {
    let keys = draw_keys(u)?;
    let kind = *u.choose(&[PolicyType::Identity, PolicyType::Resource])?;
    let policy = enumeration::policy(u, kind, &keys)?;
    let mut rules = Vec::new();
    for _ in 0..u.int_in_range(1..=3)? {
        let scope = enumeration::policy(u, PolicyType::Resource, &keys)?;
        let demand = if u.ratio(2, 3)? { Demand::Never } else { Demand::Always };
        let scope: Value = serde_json::from_str(&scope).expect("a policy is JSON");
        let mut rule = json!({"demand": demand.as_str(), "scope": scope});
        if u.ratio(1, 3)? {
            let mut zone = generate::zone(u)?;
            // The owner is of the universe.
            zone.remove("resource_account");
            rule["outside"] = Value::Object(zone);
        }
        rules.push(rule);
    }
    let policy: Value = serde_json::from_str(&policy).expect("a policy is JSON");
    let mut drawn = json!({
        "question": "custom", "policy_type": kind.name(), "policy": policy, "rules": rules,
    });
    drawn["keys"] = enumeration::values(&keys);
    drawn["readings"] = case::of_readings(draw_readings(u)?);
    Ok(drawn)
}

/// The embedded solver's verdict and the replay are what trying every request says.
pub(crate) fn check(case: &Value) -> std::result::Result<Vec<&'static str>, NoCase> {
    let question = case::question(case)?;
    let Question::Custom { policy: Subject::Union(policies), property } = &question else {
        return Err(NoCase("it is not about one policy and its rules".to_owned()));
    };
    let readings = case::readings(case)?;
    let report = ask(&question, &Automaton, case::options(readings))
        .unwrap_or_else(|error| panic!("{error}"));
    assert_witness(&question, &report);
    let mut found = None;
    let requests = possible(&question, case, readings)?;
    for request in &requests {
        let broken = property.rules.iter().any(|rule| is_broken(rule, policies, request, readings));
        let replayed = breaks(&question, request, readings);
        let is_confirmed = matches!(replayed, Replay::Confirmed { .. });
        assert_eq!(is_confirmed, broken, "{replayed:?}: {}", case::of_request(request));
        if broken {
            found = found.or(Some(request));
        }
    }
    Ok(vec![enumeration::outcome(&report.verdict, found, &requests)])
}

/// Whether the request breaks the rule.
fn is_broken(rule: &Rule, policies: &[Policy], request: &Request, readings: Readings) -> bool {
    let allows = |policies: &[Policy]| {
        evaluate(policies, request, readings).decision == Some(Decision::Allow)
    };
    let scope = vec![rule.scope.clone()];
    let is_about_it = match &rule.outside {
        None => allows(&scope),
        Some(zone) => {
            let lets_in = Question::NoExternalAccess { policy: scope.into(), zone: zone.clone() };
            matches!(breaks(&lets_in, request, readings), Replay::Confirmed { .. })
        }
    };
    is_about_it && allows(policies) == (rule.demand == Demand::Never)
}
