//! Does this request pass? The concrete evaluator, three-valued.
//!
//! Every counterexample is replayed through this module, so it must never guess: where an answer
//! takes more steps than one evaluation has, it is [`Truth::Unknown`] and names the limit. It
//! sees the syntax tree and one request, and shares nothing with the encoder: no patterns compiled
//! once for both, no normal form between them. A mistake in a shared step would be made twice and
//! never noticed.
//!
//! Rules are those of `docs/semantics.md`: what matches (2), conditions (3), variables (4), and
//! the union of policies of one kind (5.1). How policies of several kinds combine (5.6) is decided
//! in [`effective`].

mod address;
mod answer;
mod bytes;
mod condition;
mod date;
pub mod effective;
mod number;
mod pattern;
mod principal;
mod scene;

use crate::access::AccessPattern;
use crate::ast::{
    ActionPattern, Clause, Effect, Policy, PolicyType, PrincipalEntry, ResourcePattern, Statement,
};
use crate::reading::{Readings, Switch};
use crate::request::Request;
use crate::span::Span;
use answer::Answer;
pub use bytes::is_base64;
pub use date::seconds;
pub use effective::{Effective, Gate, decide, is_resource_controlled};
pub use number::{MAX_EXPONENT, compare as compare_numbers};
pub use scene::MAX_MATCHING_STEPS;
use scene::{Scene, ShortArn};

/// What policies decide about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Some statement allows it and none denies it.
    Allow,
    /// Some statement denies it.
    ExplicitDeny,
    /// No statement allows or denies it.
    ImplicitDeny,
}

/// A truth value of Kleene's three-valued logic: `Unknown` where the answer hangs on what takes
/// too long to find out ([`MAX_MATCHING_STEPS`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Truth {
    /// Certainly true.
    True,
    /// Certainly false.
    False,
    /// True or false, depending on something that was not found out.
    Unknown,
}

/// What kept an answer open, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Unsupported {
    /// The limit, such as "an evaluation of more than 20000000 matching steps".
    pub construct: String,
    /// Index of the statement.
    pub statement: usize,
    /// Its place in the policy's source.
    pub span: Span,
}

/// What policies of one kind decide about a request, and which statements say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// The decision, or `None` if it hangs on an answer that is open.
    pub decision: Option<Decision>,
    /// The Allow statements that certainly match: (index of the policy, index of the statement).
    pub allowing: Vec<(usize, usize)>,
    /// The Deny statements that certainly match.
    pub denying: Vec<(usize, usize)>,
    /// The constructs on which a statement's match hangs, with the index of the policy. There may
    /// be some although the decision is certain: another statement may have settled it.
    pub unsupported: Vec<(usize, Unsupported)>,
}

/// Decides `request` against the union of `policies`, all of one kind (5.1).
///
/// A matching Deny wins over everything, also over what is unknown. A Deny that may match leaves
/// no decision, even if nothing allows the request: it is denied either way, but whether
/// explicitly or implicitly is open.
pub fn evaluate(policies: &[Policy], request: &Request, readings: Readings) -> Evaluation {
    let scene = Scene::new(request, readings);
    let (mut allow, mut deny) = (Truth::False, Truth::False);
    let (mut allowing, mut denying, mut unsupported) = (vec![], vec![], vec![]);
    for (index, policy) in policies.iter().enumerate() {
        for statement in &policy.statements {
            let (truth, hangs_on) = matches(policy, statement, &scene);
            let (sum, matching) = match statement.effect {
                Effect::Allow => (&mut allow, &mut allowing),
                Effect::Deny => (&mut deny, &mut denying),
            };
            *sum = sum.or(truth);
            if truth == Truth::True {
                matching.push((index, statement.index));
            }
            unsupported.extend(hangs_on.into_iter().map(|construct| (index, construct)));
        }
    }
    Evaluation { decision: decision(allow, deny), allowing, denying, unsupported }
}

/// Whether `statement`, which is of `policy`, matches `request`: its principal, action, resource
/// and condition parts all do (2). The effect plays no part.
///
/// The constructs are those that the answer hangs on: none unless it is [`Truth::Unknown`].
pub fn statement_matches(
    policy: &Policy,
    statement: &Statement,
    request: &Request,
    readings: Readings,
) -> (Truth, Vec<Unsupported>) {
    matches(policy, statement, &Scene::new(request, readings))
}

/// Whether the request is one of these accesses: its action and its resource match as those of a
/// statement would, whoever asks. An ARN with fewer than six fields matches nothing.
///
/// The limits are those that the answer hangs on: none unless it is [`Truth::Unknown`].
pub fn is_access(
    access: &AccessPattern,
    request: &Request,
    readings: Readings,
) -> (Truth, Vec<String>) {
    let scene = Scene::new(request, readings);
    let action = access.action.iter().map(|clause| action_part(clause, &scene));
    let resource =
        access.resource.iter().map(|clause| listed(clause, ShortArn::Nothing, false, &scene));
    let Answer { truth, hangs_on } = Answer::all(action.chain(resource));
    (truth, hangs_on.into_iter().map(|(limit, _)| limit).collect())
}

/// Whether `entry`, alone, covers the principal of `request` (2.4).
///
/// An entry for a whole account covers every principal of that account, and the entry of a role
/// every session of it.
pub fn principal_covers(entry: &PrincipalEntry, request: &Request, readings: Readings) -> bool {
    principal::covers(&entry.kind, request, readings)
}

impl Truth {
    /// True if both are true, false if one of them is false.
    #[must_use]
    pub fn and(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::False, _) | (_, Truth::False) => Truth::False,
            (Truth::True, Truth::True) => Truth::True,
            _ => Truth::Unknown,
        }
    }

    /// True if one of them is true, false if both are false.
    #[must_use]
    pub fn or(self, other: Truth) -> Truth {
        !(!self).and(!other)
    }
}

impl std::ops::Not for Truth {
    type Output = Truth;

    fn not(self) -> Truth {
        match self {
            Truth::True => Truth::False,
            Truth::False => Truth::True,
            Truth::Unknown => Truth::Unknown,
        }
    }
}

impl From<bool> for Truth {
    fn from(certain: bool) -> Truth {
        if certain { Truth::True } else { Truth::False }
    }
}

fn decision(allow: Truth, deny: Truth) -> Option<Decision> {
    match (deny, allow) {
        (Truth::True, _) => Some(Decision::ExplicitDeny),
        (Truth::False, Truth::True) => Some(Decision::Allow),
        (Truth::False, Truth::False) => Some(Decision::ImplicitDeny),
        (Truth::Unknown, _) | (Truth::False, Truth::Unknown) => None,
    }
}

fn matches(policy: &Policy, statement: &Statement, scene: &Scene<'_>) -> (Truth, Vec<Unsupported>) {
    let of_principal = principal_part(policy, statement, scene);
    if !of_principal {
        return (Truth::False, vec![]);
    }
    place(statement, matches_whoever_asks(policy, statement, scene))
}

/// Whether the parts of the statement match that are not about the principal, but for its
/// conditions, which may be.
fn matches_whoever_asks(policy: &Policy, statement: &Statement, scene: &Scene<'_>) -> Answer {
    let action = action_part(&statement.action, scene);
    if action.truth == Truth::False {
        return action;
    }
    let resource = resource_part(policy, statement, scene);
    if resource.truth == Truth::False {
        return resource;
    }
    let conditions = statement.conditions.iter().map(|test| condition::holds(test, scene));
    Answer::all([action, resource].into_iter().chain(conditions))
}

fn place(statement: &Statement, answer: Answer) -> (Truth, Vec<Unsupported>) {
    let Answer { truth, hangs_on } = answer;
    let index = statement.index;
    let place = |(construct, span)| Unsupported { construct, statement: index, span };
    (truth, hangs_on.into_iter().map(place).collect())
}

fn principal_part(policy: &Policy, statement: &Statement, scene: &Scene<'_>) -> bool {
    let (request, readings) = (scene.request, scene.readings);
    match &statement.principal {
        Some(clause) if clause.negated => {
            // Whoever has a permissions boundary is denied, whatever is listed (2.5).
            (scene.has_boundary && statement.effect == Effect::Deny)
                || !principal::exempts(&clause.entries, request, readings)
        }
        Some(clause) => {
            clause.entries.iter().any(|entry| principal_covers(entry, request, readings))
        }
        // The parser rejects a resource-based statement without principal; it names nobody (1.8).
        None => !policy.policy_type.names_principals(),
    }
}

fn action_part(clause: &Clause<ActionPattern>, scene: &Scene<'_>) -> Answer {
    let action = &scene.request.action;
    clause_matches(clause, |entry| {
        let matched = pattern::action_matches(&entry.text, action, &scene.budget);
        matched.map_or_else(|e| Answer::unknown(e.construct(), entry.span), Answer::from)
    })
}

fn resource_part(policy: &Policy, statement: &Statement, scene: &Scene<'_>) -> Answer {
    let Some(clause) = &statement.resource else {
        // Only in a key policy is a statement without resource about nothing (1.6).
        return (policy.policy_type != PolicyType::Kms).into();
    };
    let may_abbreviate = policy.policy_type == PolicyType::Resource;
    listed(clause, ShortArn::of(policy.policy_type), may_abbreviate, scene)
}

/// Whether the clause matches the request's resource (2.2, 2.3).
fn listed(
    clause: &Clause<ResourcePattern>,
    short: ShortArn,
    may_abbreviate: bool,
    scene: &Scene<'_>,
) -> Answer {
    let resolve =
        |entry: &ResourcePattern| pattern::resolve(&entry.template, true, scene).is_some();
    if scene.reads(Switch::D29) && !clause.entries.iter().all(resolve) {
        return false.into();
    }
    clause_matches(clause, |entry| {
        // An entry with an unresolved variable matches no resource (4.4, D29).
        let Some(pieces) = pattern::resolve(&entry.template, true, scene) else {
            return false.into();
        };
        let matched = pattern::resource_matches(&pieces, short, may_abbreviate, scene);
        matched.map_or_else(|e| Answer::unknown(e.construct(), entry.span), Answer::from)
    })
}

/// A plain clause needs one matching entry, so an empty one matches nothing (D2); a negated clause
/// needs that none matches.
fn clause_matches<T>(clause: &Clause<T>, matches: impl Fn(&T) -> Answer) -> Answer {
    let some = Answer::any(clause.entries.iter().map(matches));
    if clause.negated { !some } else { some }
}

#[cfg(test)]
mod tests {
    use super::Truth::{False, True, Unknown};
    use super::*;
    use crate::ast::*;
    use crate::request::{Context, ContextValue, Principal};

    #[test]
    fn nothing_is_allowed_by_default() {
        check(&[], Some(Decision::ImplicitDeny));
        check(&[(Effect::Allow, False)], Some(Decision::ImplicitDeny));
        check(&[(Effect::Deny, False)], Some(Decision::ImplicitDeny));
    }

    #[test]
    fn a_deny_beats_every_allow() {
        check(&[(Effect::Allow, True)], Some(Decision::Allow));
        check(&[(Effect::Allow, True), (Effect::Deny, True)], Some(Decision::ExplicitDeny));
        check(&[(Effect::Deny, True), (Effect::Allow, True)], Some(Decision::ExplicitDeny));
    }

    #[test]
    fn what_is_settled_stays_settled_beside_the_unknown() {
        check(&[(Effect::Allow, True), (Effect::Allow, Unknown)], Some(Decision::Allow));
        check(&[(Effect::Deny, True), (Effect::Deny, Unknown)], Some(Decision::ExplicitDeny));
        check(&[(Effect::Deny, True), (Effect::Allow, Unknown)], Some(Decision::ExplicitDeny));
    }

    #[test]
    fn an_unknown_statement_that_could_turn_the_decision_leaves_none() {
        check(&[(Effect::Allow, Unknown)], None);
        check(&[(Effect::Allow, True), (Effect::Deny, Unknown)], None);
        check(&[(Effect::Deny, Unknown)], None);
        check(&[(Effect::Deny, False), (Effect::Allow, Unknown)], None);
    }

    #[test]
    fn an_evaluation_names_the_statements_and_the_constructs() {
        let first = policy(vec![statement(0, Effect::Deny, False)]);
        let second = policy(vec![
            statement(0, Effect::Allow, True),
            statement(1, Effect::Deny, True),
            statement(2, Effect::Deny, Unknown),
        ]);
        let evaluation = evaluate(&[first, second], &request(), Readings::DEFAULT);
        assert_eq!(evaluation.allowing, [(1, 0)]);
        assert_eq!(evaluation.denying, [(1, 1)]);
        let construct = "an evaluation of more than 20000000 matching steps".to_owned();
        let expected = Unsupported { construct, statement: 2, span: Span::new(5, 6) };
        assert_eq!(evaluation.unsupported, [(1, expected)]);
    }

    #[test]
    fn an_access_is_an_action_of_one_list_on_a_resource_of_the_other() {
        let check = |actions: Option<&[&str]>, resources: Option<&[&str]>, expected: Truth| {
            let actions = actions.map(|texts| {
                texts.iter().map(|text| crate::access::action(text).unwrap()).collect()
            });
            let resources = resources.map(|texts| {
                texts.iter().map(|text| crate::access::resource(text).unwrap()).collect()
            });
            let access = AccessPattern::new(actions, resources);
            assert_eq!(is_access(&access, &request(), Readings::DEFAULT), (expected, vec![]));
        };
        let (action, resource) = (request().action, request().resource);
        check(None, None, True);
        check(Some(&["iam:*", &action.to_uppercase()]), None, True);
        check(Some(&["iam:*"]), None, False);
        check(None, Some(&["*"]), True);
        check(None, Some(&[&resource]), True);
        check(
            None,
            Some(&[&resource.to_uppercase().replacen("ARN:AWS:S3", "arn:aws:s3", 1)]),
            False,
        );
        check(Some(&[&action]), Some(&["arn:aws:sqs:*:*:*"]), False);
        check(Some(&["iam:*"]), Some(&[&resource]), False);
        check(Some(&[]), None, False);
    }

    #[test]
    fn a_statement_that_fails_elsewhere_does_not_hang_on_its_condition() {
        let mut statement = statement(0, Effect::Allow, Unknown);
        statement.action = action(false, &["sqs:*"]);
        check_statement(&statement, False);
        statement.action = action(false, &["sqs:*", "s3:*"]);
        check_statement(&statement, Unknown);
    }

    #[test]
    fn one_false_condition_fails_the_statement_beside_the_unknown() {
        let mut statement = statement(0, Effect::Allow, Unknown);
        statement.conditions.insert(0, condition(BaseOperator::StringEquals, "other"));
        check_statement(&statement, False);
        statement.conditions[0] = condition(BaseOperator::StringEquals, "here");
        check_statement(&statement, Unknown);
    }

    #[test]
    fn not_action_matches_what_no_entry_does() {
        let mut statement = statement(0, Effect::Allow, True);
        statement.action = action(true, &["s3:Put*", "sqs:*"]);
        check_statement(&statement, True);
        statement.action = action(true, &["s3:Put*", "S3:get*"]);
        check_statement(&statement, False);
    }

    #[test]
    fn an_empty_list_of_actions_matches_nothing() {
        let mut statement = statement(0, Effect::Allow, True);
        statement.action = action(false, &[]);
        check_statement(&statement, False);
    }

    #[test]
    fn an_unresolved_variable_spoils_its_resource_or_the_clause() {
        let variable = Segment::Variable { key: "aws:username".to_owned(), default: None };
        let prefix = Segment::Text("arn:aws:s3:::b/".to_owned());
        let open = Template { segments: vec![prefix, variable] };
        let check = |negated, templates: &[&Template], by_value: bool, by_statement: bool| {
            let mut statement = statement(0, Effect::Deny, True);
            let entry =
                |&t: &&Template| ResourcePattern { template: t.clone(), span: Span::new(3, 4) };
            let entries = templates.iter().map(entry).collect();
            statement.resource = Some(Clause { negated, entries, span: Span::new(3, 4) });
            let policy = policy(vec![statement.clone()]);
            for (d29, expected) in [(false, by_value), (true, by_statement)] {
                let readings = Readings::DEFAULT.with(Switch::D29, d29);
                let matched = statement_matches(&policy, &statement, &request(), readings);
                assert_eq!(matched, (expected.into(), vec![]), "{templates:?}");
            }
        };
        let (own, other) = (Template::text("arn:aws:s3:::b/*"), Template::text("arn:aws:s3:::c/*"));
        check(true, &[&own], false, false);
        check(true, &[&other], true, true);
        check(true, &[&open], true, false);
        check(true, &[&open, &own], false, false);
        check(false, &[&open], false, false);
        check(false, &[&open, &own], true, false);
    }

    #[test]
    fn only_the_policy_of_a_resource_may_abbreviate_its_arn() {
        let text = |principal: &str| {
            format!(
                r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", {principal}
                    "Action": "execute-api:Invoke", "Resource": "execute-api:/prod/*"}}}}"#
            )
        };
        let request = Request {
            action: "execute-api:Invoke".to_owned(),
            resource: "arn:aws:execute-api:eu-west-3:111122223333:a1/prod/GET/pets".to_owned(),
            ..request()
        };
        for (policy_type, principal, expected) in [
            (PolicyType::Resource, r#""Principal": "*","#, True),
            (PolicyType::VpcEndpoint, r#""Principal": "*","#, False),
            (PolicyType::Identity, "", False),
        ] {
            let policy = crate::parse(&text(principal), Some(policy_type)).unwrap();
            let matched =
                statement_matches(&policy, &policy.statements[0], &request, Readings::DEFAULT);
            assert_eq!(matched, (expected, vec![]), "{policy_type:?}");
        }
    }

    #[test]
    fn a_key_policy_s_statement_without_resource_is_about_nothing() {
        let mut statement = statement(0, Effect::Allow, True);
        let everyone = PrincipalEntry {
            kind: PrincipalKind::Everyone,
            text: "*".to_owned(),
            span: Span::new(0, 1),
        };
        let span = Span::new(0, 1);
        statement.principal = Some(Clause { negated: false, entries: vec![everyone], span });
        for (policy_type, expected) in
            [(PolicyType::Kms, False), (PolicyType::Trust, True), (PolicyType::Resource, True)]
        {
            let policy = Policy { policy_type, ..policy(vec![statement.clone()]) };
            let matched = statement_matches(&policy, &statement, &request(), Readings::DEFAULT);
            assert_eq!(matched, (expected, vec![]), "{policy_type:?}");
        }
    }

    #[test]
    fn a_statement_without_resource_is_about_the_resource_itself() {
        let mut statement = statement(0, Effect::Allow, True);
        statement.resource = None;
        check_statement(&statement, True);
    }

    #[test]
    fn not_principal_spares_whom_any_entry_covers() {
        let mut statement = statement(0, Effect::Deny, True);
        let mut check = |negated, kinds: &[PrincipalKind], expected| {
            let entry = |kind: &PrincipalKind| PrincipalEntry {
                kind: kind.clone(),
                text: String::new(),
                span: Span::new(0, 1),
            };
            let entries = kinds.iter().map(entry).collect();
            statement.principal = Some(Clause { negated, entries, span: Span::new(0, 1) });
            check_statement(&statement, expected);
        };
        let sns = PrincipalKind::Service("sns.amazonaws.com".to_owned());
        let sqs = PrincipalKind::Service("sqs.amazonaws.com".to_owned());
        check(false, &[sns.clone(), sqs.clone()], True);
        check(true, &[sns, sqs.clone()], False);
        check(false, std::slice::from_ref(&sqs), False);
        check(true, &[sqs], True);
        check(false, &[], False);
    }

    #[test]
    fn a_resource_based_statement_without_principal_names_nobody() {
        let mut policy = policy(vec![statement(0, Effect::Allow, True)]);
        policy.policy_type = PolicyType::Resource;
        let matched =
            statement_matches(&policy, &policy.statements[0], &request(), Readings::DEFAULT);
        assert_eq!(matched, (False, vec![]));
    }

    #[test]
    fn truth_follows_kleene() {
        assert_eq!(True.and(Unknown), Unknown);
        assert_eq!(False.and(Unknown), False);
        assert_eq!(True.or(Unknown), True);
        assert_eq!(False.or(Unknown), Unknown);
        assert_eq!(!Unknown, Unknown);
    }

    /// Checks a policy of statements that match so.
    #[track_caller]
    fn check(statements: &[(Effect, Truth)], expected: Option<Decision>) {
        let statements = statements.iter().enumerate();
        let statements = statements.map(|(i, &(effect, truth))| statement(i, effect, truth));
        let evaluation = evaluate(&[policy(statements.collect())], &request(), Readings::DEFAULT);
        assert_eq!(evaluation.decision, expected);
    }

    #[track_caller]
    fn check_statement(statement: &Statement, expected: Truth) {
        let policy = policy(vec![statement.clone()]);
        let (truth, hangs_on) =
            statement_matches(&policy, statement, &request(), Readings::DEFAULT);
        assert_eq!(truth, expected);
        assert_eq!(hangs_on.is_empty(), expected != Unknown);
    }

    /// A statement that matches [`request`] so.
    fn statement(index: usize, effect: Effect, truth: Truth) -> Statement {
        let conditions = match truth {
            True => vec![],
            False => vec![condition(BaseOperator::StringEquals, "other")],
            Unknown => vec![endless_condition()],
        };
        Statement {
            index,
            sid: None,
            effect,
            principal: None,
            action: action(false, &["s3:*"]),
            resource: None,
            conditions,
            span: Span::new(0, 9),
        }
    }

    fn policy(statements: Vec<Statement>) -> Policy {
        Policy {
            policy_type: PolicyType::Identity,
            version: Version::V2012,
            id: None,
            statements,
            single_statement: false,
        }
    }

    fn action(negated: bool, entries: &[&str]) -> Clause<ActionPattern> {
        let entry = |&text: &&str| ActionPattern { text: text.to_owned(), span: Span::new(1, 2) };
        Clause { negated, entries: entries.iter().map(entry).collect(), span: Span::new(1, 2) }
    }

    fn condition(base: BaseOperator, value: &str) -> Condition {
        Condition {
            operator: Operator { set: None, base, if_exists: false },
            key: "aws:PrincipalTag/place".to_owned(),
            values: vec![ConditionValue { template: Template::text(value), span: Span::new(7, 8) }],
            operator_span: Span::new(5, 6),
            key_span: Span::new(6, 7),
        }
    }

    /// A condition that takes more steps than one evaluation has.
    fn endless_condition() -> Condition {
        let mut condition =
            condition(BaseOperator::StringLike, &format!("*{}b", "a".repeat(9_000)));
        condition.key = "aws:UserAgent".to_owned();
        condition
    }

    fn request() -> Request {
        let mut context = Context::default();
        context.insert("aws:UserAgent", ContextValue::One("a".repeat(9_000)));
        context.insert("aws:PrincipalTag/Place", ContextValue::One("here".to_owned()));
        Request {
            principal: Principal::Service { name: "sns.amazonaws.com".to_owned() },
            action: "s3:GetObject".to_owned(),
            resource: "arn:aws:s3:::b/k".to_owned(),
            resource_account: None,
            context,
            ..Request::default()
        }
    }
}
