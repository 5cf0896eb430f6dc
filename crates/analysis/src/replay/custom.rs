//! Whether a request breaks a rule of a property that somebody wrote himself.
//!
//! A rule speaks of the request if the statement that says whom and what it is about matches, no exemption does, and
//! nothing places the request inside the zone, if the rule has one. The statements are matched one by one by
//! the concrete evaluator; that they are written as a policy does not make them one here.

use keyaki_policy::Readings;
use keyaki_policy::ast::Effect;
use keyaki_policy::evaluate::{Truth, Unsupported, statement_matches};
use keyaki_policy::request::Request;

use super::external::Seen;
use super::{Access, Replay};
use crate::property::{Demand, Property, Rule};
use crate::question::{PolicyRef, Question, Side};

/// Whether the request breaks a rule.
pub(super) fn breaks(
    question: &Question,
    property: &Property,
    request: &Request,
    readings: Readings,
) -> Replay {
    let policy = Access::on(question, Side::Policy, request, readings);
    let mut broken = Truth::False;
    let mut by_always = false;
    let (mut reasons, mut hangs_on) = (vec![], vec![]);
    for (index, rule) in property.rules.iter().enumerate() {
        let (speaks, open) = speaks_of(rule, request, readings);
        let offends = match rule.demand {
            Demand::Never => policy.allowed,
            Demand::Always => !policy.allowed,
        };
        let is_broken = speaks.and(offends);
        by_always |= rule.demand == Demand::Always && is_broken == Truth::True;
        reasons.push(match (speaks, rule.demand) {
            (Truth::False, _) => format!("rule {index} is not about it"),
            (_, Demand::Never) => format!("rule {index} forbids it, and it is not allowed"),
            (_, Demand::Always) => format!("rule {index} demands it, and it is allowed"),
        });
        let at = PolicyRef::of_union(Side::Property, index);
        hangs_on.extend(open.into_iter().map(|construct| (at, construct)));
        broken = broken.or(is_broken);
    }
    match broken {
        // What a rule demands and nobody allows has no statement that allows it.
        Truth::True if by_always => Replay::Confirmed { allowing: Vec::new() },
        Truth::True => Replay::Confirmed { allowing: policy.allowing },
        Truth::False => Replay::Refuted(reasons.join("; ")),
        Truth::Unknown => {
            hangs_on.extend(policy.hangs_on);
            Replay::Undecided(hangs_on)
        }
    }
}

/// The rules that the request certainly breaks, by their positions.
pub fn broken_rules(
    question: &Question,
    property: &Property,
    request: &Request,
    readings: Readings,
) -> Vec<usize> {
    let policy = Access::on(question, Side::Policy, request, readings);
    let is_broken = |rule: &Rule| {
        let offends = match rule.demand {
            Demand::Never => policy.allowed,
            Demand::Always => !policy.allowed,
        };
        speaks_of(rule, request, readings).0.and(offends) == Truth::True
    };
    let rules = property.rules.iter().enumerate();
    rules.filter(|(_, rule)| is_broken(rule)).map(|(index, _)| index).collect()
}

/// Whether the rule is about the request, and what that hangs on.
fn speaks_of(rule: &Rule, request: &Request, readings: Readings) -> (Truth, Vec<Unsupported>) {
    let (mut listed, mut exempt) = (Truth::False, Truth::False);
    let mut hangs_on = Vec::new();
    for statement in &rule.scope.statements {
        let (truth, open) = statement_matches(&rule.scope, statement, request, readings);
        match statement.effect {
            Effect::Allow => listed = listed.or(truth),
            Effect::Deny => exempt = exempt.or(truth),
        }
        hangs_on.extend(open);
    }
    let is_outside = match &rule.outside {
        Some(zone) if (Seen { zone, request }).placed_inside().is_some() => Truth::False,
        _ => Truth::True,
    };
    (listed.and(!exempt).and(is_outside), hangs_on)
}
