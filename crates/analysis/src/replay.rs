//! Does this request really break the property? The check that every counterexample passes.
//!
//! Written from the specification (`docs/semantics.md`, "Questions" and section 8), apart from the
//! encoder: nothing here sees a formula, and [`mod@crate::encode`] and [`crate::addresses`] are not
//! used. Two sides that can only agree by both being right are the point; a shared helper for, say,
//! the shape of an ARN would be wrong twice and never noticed. What the two share is the syntax
//! tree, the catalogue and the table of what is public.
//!
//! Statements are matched by the concrete evaluator, in three values. Where the answer hangs on a
//! construct that is not modelled, the request is neither confirmed nor refuted. Axioms are never
//! undecided: a concrete request has them or not.

mod access;
mod addresses;
mod axioms;
mod comparison;
mod custom;
mod external;
mod fixed;
mod public;

use keyaki_policy::ast::Effect;
use keyaki_policy::evaluate::{
    Decision, Truth, Unsupported, decide, effective::Matched, statement_matches,
};
use keyaki_policy::policy_set::{self, PolicySet};
use keyaki_policy::request::Request;
use keyaki_policy::{Policy, Readings};

use crate::question::{Place, PolicyRef, Question, Side, Subject};
pub use axioms::violations;
use axioms::{Mentioned, violations_of};
pub use custom::broken_rules;

/// What became of a request that is said to break a property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replay {
    /// The request can happen and breaks the property.
    Confirmed {
        /// The Allow statements that let it in: policy, and index of the statement.
        allowing: Vec<(PolicyRef, usize)>,
    },
    /// The request can happen; whether it breaks the property hangs on these constructs, which are
    /// not modelled. There is at least one.
    Undecided(Vec<(PolicyRef, Unsupported)>),
    /// The request cannot happen or does not break the property, and why, in words.
    Refuted(String),
}

/// Whether `request` is one that can happen (no [`violations`]) and breaks the property
/// ([`breaks`]).
pub fn replay(question: &Question, request: &Request, readings: Readings) -> Replay {
    Replayer::new(question).replay(request, readings)
}

/// Replays many requests of one question.
pub struct Replayer<'q> {
    question: &'q Question,
    mentioned: Mentioned<'q>,
}

impl<'q> Replayer<'q> {
    /// For this question.
    pub fn new(question: &'q Question) -> Replayer<'q> {
        Replayer { question, mentioned: Mentioned::by(question) }
    }

    /// As [`replay`] does.
    pub fn replay(&self, request: &Request, readings: Readings) -> Replay {
        let violations = violations_of(self.question, &self.mentioned, request, readings);
        if violations.is_empty() {
            breaks(self.question, request, readings)
        } else {
            Replay::Refuted(violations.join("; "))
        }
    }
}

/// The same of a request with companions: several requests that break `no-public-access` by the
/// number of their addresses (`docs/semantics.md`, "Public"). Without companions it is [`replay`].
pub fn replay_together(
    question: &Question,
    request: &Request,
    companions: &[Request],
    readings: Readings,
) -> Replay {
    let Question::NoPublicAccess { table, .. } = question else {
        return replay(question, request, readings);
    };
    if companions.is_empty() {
        return replay(question, request, readings);
    }
    let requests: Vec<&Request> = std::iter::once(request).chain(companions).collect();
    let violations: Vec<String> =
        requests.iter().flat_map(|request| violations(question, request, readings)).collect();
    if !violations.is_empty() {
        return Replay::Refuted(violations.join("; "));
    }
    public::breaks_together(question, table, &requests, readings)
}

/// How many addresses of IPv4 and of IPv6 the policy of a question does not tell from one of those
/// of the requests.
pub fn admitted_addresses(question: &Question, requests: &[&Request]) -> Option<[u128; 2]> {
    match question {
        Question::NoPublicAccess { .. } => Some(public::admitted(question, requests)),
        _ => None,
    }
}

/// Whether `request` breaks the property, if it can happen.
pub fn breaks(question: &Question, request: &Request, readings: Readings) -> Replay {
    match question {
        Question::NoPublicAccess { table, .. } => {
            public::breaks(question, table, request, readings)
        }
        Question::NoExternalAccess { zone, .. } => {
            external::breaks(question, zone, request, readings)
        }
        Question::NoNewAccess { .. } => {
            comparison::exceeds(question, [Side::New, Side::Existing], request, readings)
        }
        Question::Equivalent { .. } => comparison::differs(question, request, readings),
        Question::Disjoint { .. } => comparison::is_common(question, request, readings),
        Question::AccessNotGranted { accesses, .. } => {
            access::breaks(question, accesses, request, readings)
        }
        Question::Custom { property, .. } => custom::breaks(question, property, request, readings),
    }
}

/// What one side of a question says of a request.
struct Access {
    /// Whether it is allowed.
    allowed: Truth,
    /// Whether a Deny statement certainly matches.
    is_denied: bool,
    /// The Allow statements that certainly match, of policies that grant.
    allowing: Vec<(PolicyRef, usize)>,
    /// What the match of a statement hangs on.
    hangs_on: Vec<(PolicyRef, Unsupported)>,
}

impl Access {
    fn on(question: &Question, side: Side, request: &Request, readings: Readings) -> Access {
        match question.subject(side) {
            Some(Subject::Set(set)) => Access::of_set(side, set, request, readings),
            Some(Subject::Union(_)) | None => {
                Access::of_union(&question.side(side), request, readings)
            }
        }
    }

    /// [`keyaki_policy::evaluate()`] has no decision where it is open whether a request that
    /// nothing allows is denied explicitly. Here only Allow counts, so the two sums are kept apart.
    fn of_union(
        policies: &[(PolicyRef, &Policy)],
        request: &Request,
        readings: Readings,
    ) -> Access {
        let (mut allow, mut deny) = (Truth::False, Truth::False);
        let (mut allowing, mut hanging) = (vec![], vec![]);
        for &(place, policy) in policies {
            for statement in &policy.statements {
                let (truth, hangs_on) = statement_matches(policy, statement, request, readings);
                match statement.effect {
                    Effect::Allow => allow = allow.or(truth),
                    Effect::Deny => deny = deny.or(truth),
                }
                if statement.effect == Effect::Allow && truth == Truth::True {
                    allowing.push((place, statement.index));
                }
                hanging.extend(hangs_on.into_iter().map(|construct| (place, construct)));
            }
        }
        let is_denied = deny == Truth::True;
        Access { allowed: allow.and(!deny), is_denied, allowing, hangs_on: hanging }
    }

    fn of_set(side: Side, set: &PolicySet, request: &Request, readings: Readings) -> Access {
        let effective = decide(set, request, readings);
        let at = |place| PolicyRef { side, place: Place::Set(place) };
        let grants = |matched: &&Matched| {
            let can_grant = policy_set_grants(matched.place);
            can_grant && matched.effect == Effect::Allow
        };
        let allowing = effective.matched.iter().filter(grants);
        Access {
            allowed: match effective.decision {
                Some(Decision::Allow) => Truth::True,
                Some(Decision::ExplicitDeny | Decision::ImplicitDeny) => Truth::False,
                None => Truth::Unknown,
            },
            is_denied: effective.decision == Some(Decision::ExplicitDeny),
            allowing: allowing.map(|matched| (at(matched.place), matched.statement)).collect(),
            hangs_on: effective.unsupported.into_iter().map(|(p, u)| (at(p), u)).collect(),
        }
    }
}

/// Whether policies at this place grant; the others only limit (5.1).
fn policy_set_grants(place: policy_set::Place) -> bool {
    matches!(place, policy_set::Place::Identity(_) | policy_set::Place::Resource(_))
}

#[cfg(test)]
mod tests {
    use keyaki_policy::request::{Context, ContextValue, Principal};
    use keyaki_policy::{PolicyType, parse};

    use super::*;

    const ALLOW: &str = r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}"#;
    const DENY: &str = r#"{"Effect": "Deny", "Action": "s3:Get*", "Resource": "*"}"#;
    /// A statement of which it is open whether it matches: that takes too many steps to find out.
    fn maybe(effect: &str) -> String {
        let pattern = format!("*{}b", "a".repeat(9_000));
        format!(
            r#"{{"Effect": "{effect}", "Action": "*", "Resource": "*",
                "Condition": {{"StringLike": {{"aws:UserAgent": "{pattern}"}}}}}}"#
        )
    }

    #[test]
    fn new_access_is_what_new_allows_and_existing_does_not() {
        check(&[], &[ALLOW], Some(true));
        check(&[ALLOW], &[ALLOW], Some(false));
        check(&[ALLOW, DENY], &[ALLOW], Some(true));
        check(&[], &[], Some(false));
        check(&[], &[ALLOW, DENY], Some(false));
    }

    #[test]
    fn what_is_open_stays_open_only_where_it_could_turn_the_answer() {
        let (deny_maybe, allow_maybe) = (&*maybe("Deny"), &*maybe("Allow"));
        check(&[], &[allow_maybe], None);
        check(&[allow_maybe], &[ALLOW], None);
        check(&[ALLOW], &[allow_maybe], Some(false));
        check(&[], &[ALLOW, deny_maybe], None);
        check(&[ALLOW, deny_maybe], &[ALLOW], None);
        check(&[deny_maybe], &[ALLOW], Some(true));
        check(&[ALLOW, DENY, deny_maybe], &[ALLOW], Some(true));
        check(&[], &[deny_maybe], Some(false));
    }

    #[test]
    fn an_open_answer_names_the_constructs_of_the_side_that_is_open() {
        let allow_maybe = &*maybe("Allow");
        let Replay::Undecided(constructs) =
            replay(&question(&[allow_maybe], &[ALLOW]), &request(), Readings::DEFAULT)
        else {
            panic!("the existing policy may allow it");
        };
        let place = PolicyRef::of_union(Side::Existing, 0);
        assert_eq!(constructs.len(), 1);
        assert_eq!(constructs[0].0, place);
        assert_eq!(constructs[0].1.construct, "an evaluation of more than 20000000 matching steps");
    }

    #[test]
    fn the_statements_that_let_the_request_in_are_named() {
        let other = r#"{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}"#;
        let allowing = vec![(PolicyRef::of_union(Side::New, 0), 1)];
        let question = question(&[other], &[other, ALLOW]);
        assert_eq!(
            replay(&question, &request(), Readings::DEFAULT),
            Replay::Confirmed { allowing }
        );
    }

    #[test]
    fn a_request_that_cannot_happen_is_refuted_with_its_violations() {
        let mut request = request();
        request.context.insert("aws:username", ContextValue::One("omar".to_owned()));
        request.context.insert("aws:SecureTransport", ContextValue::One("yes".to_owned()));
        let Replay::Refuted(reason) = replay(&question(&[], &[ALLOW]), &request, Readings::DEFAULT)
        else {
            panic!("the user's name is another");
        };
        assert!(reason.contains("R6: ") && reason.contains("`aws:SecureTransport`"), "{reason}");
        assert!(matches!(
            breaks(&question(&[], &[ALLOW]), &request, Readings::DEFAULT),
            Replay::Confirmed { .. }
        ));
    }

    /// Checks whether the request is new access; `None` is undecided.
    #[track_caller]
    fn check(existing: &[&str], new: &[&str], expected: Option<bool>) {
        let replay = replay(&question(existing, new), &request(), Readings::DEFAULT);
        let outcome = match replay {
            Replay::Confirmed { .. } => Some(true),
            Replay::Refuted(_) => Some(false),
            Replay::Undecided(_) => None,
        };
        assert_eq!(outcome, expected);
    }

    fn question(existing: &[&str], new: &[&str]) -> Question {
        let policy = |statements: &[&str]| {
            let text = format!(r#"{{"Statement": [{}]}}"#, statements.join(", "));
            parse(&text, Some(PolicyType::Identity)).unwrap()
        };
        let (existing, new) = (vec![policy(existing)], vec![policy(new)]);
        Question::NoNewAccess { existing: existing.into(), new: new.into() }
    }

    fn request() -> Request {
        let arn = "arn:aws:iam::111122223333:user/ines".to_owned();
        let mut context = Context::default();
        context.insert("aws:UserAgent", ContextValue::One("a".repeat(9_000)));
        Request {
            principal: Principal::User { arn, canonical_user: None },
            action: "s3:GetObject".to_owned(),
            resource: "arn:aws:s3:::b/k".to_owned(),
            resource_account: None,
            context,
            ..Request::default()
        }
    }
}
