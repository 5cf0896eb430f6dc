//! Does this request pass? The concrete evaluator, three-valued.
//!
//! Every counterexample is replayed through this module, so it must never guess: where the answer
//! hangs on a construct that is not modelled, it is [`Truth::Unknown`] and names the construct. It
//! sees the syntax tree and one request, and shares nothing with the encoder: no patterns compiled
//! once for both, no normal form between them. A mistake in a shared step would be made twice and
//! never noticed.
//!
//! Rules are those of `docs/semantics.md`: what matches (2), conditions (3), variables (4), and
//! the union of policies of one kind (5.1). How policies of several kinds combine (5.6) is not
//! decided here.

mod answer;
mod condition;
mod pattern;
mod principal;

use crate::ast::{Clause, Effect, Policy, PrincipalEntry, Statement};
use crate::reading::Readings;
use crate::request::Request;
use crate::span::Span;
use answer::Answer;

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

/// A truth value of Kleene's three-valued logic: `Unknown` where the answer hangs on a construct
/// that is not modelled yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Truth {
    /// Certainly true.
    True,
    /// Certainly false.
    False,
    /// True or false, depending on something that is not modelled.
    Unknown,
}

/// A construct that is not modelled, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Unsupported {
    /// The construct, such as "operator `DateLessThan`".
    pub construct: String,
    /// Index of the statement.
    pub statement: usize,
    /// Its place in the policy's source.
    pub span: Span,
}

/// What policies of one kind decide about a request, and which statements say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// The decision, or `None` if it hangs on a construct that is not modelled.
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
    let (mut allow, mut deny) = (Truth::False, Truth::False);
    let (mut allowing, mut denying, mut unsupported) = (vec![], vec![], vec![]);
    for (index, policy) in policies.iter().enumerate() {
        for statement in &policy.statements {
            let (truth, hangs_on) = statement_matches(policy, statement, request, readings);
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
    Evaluation { decision: decide(allow, deny), allowing, denying, unsupported }
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
    let parts = [
        principal_part(policy, statement, request),
        action_part(statement, request),
        resource_part(policy, statement, request),
        Answer::all(
            statement.conditions.iter().map(|test| condition::holds(test, &request.context)),
        ),
    ];
    let Answer { truth, hangs_on } = Answer::all(parts);
    let index = statement.index;
    let place = |(construct, span)| Unsupported { construct, statement: index, span };
    (truth, hangs_on.into_iter().map(place).collect())
}

/// Whether `entry`, alone, covers the principal of `request` (2.4).
///
/// An entry for a whole account covers every principal of that account, and the entry of a role
/// every session of it.
pub fn principal_covers(entry: &PrincipalEntry, request: &Request) -> bool {
    principal::covers(&entry.kind, request)
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

fn decide(allow: Truth, deny: Truth) -> Option<Decision> {
    match (deny, allow) {
        (Truth::True, _) => Some(Decision::ExplicitDeny),
        (Truth::False, Truth::True) => Some(Decision::Allow),
        (Truth::False, Truth::False) => Some(Decision::ImplicitDeny),
        (Truth::Unknown, _) | (Truth::False, Truth::Unknown) => None,
    }
}

fn principal_part(policy: &Policy, statement: &Statement, request: &Request) -> Answer {
    match &statement.principal {
        Some(clause) => clause_matches(clause, |entry| principal_covers(entry, request).into()),
        // The parser rejects a resource-based statement without principal; it names nobody (1.8).
        None => (!policy.policy_type.names_principals()).into(),
    }
}

fn action_part(statement: &Statement, request: &Request) -> Answer {
    clause_matches(&statement.action, |entry| {
        Answer::of(pattern::action_matches(&entry.text, &request.action), entry.span)
    })
}

fn resource_part(policy: &Policy, statement: &Statement, request: &Request) -> Answer {
    let Some(clause) = &statement.resource else { return true.into() };
    clause_matches(clause, |entry| {
        let matched =
            pattern::resource_matches(&entry.template, policy.policy_type, &request.resource);
        Answer::of(matched, entry.span)
    })
}

/// A plain clause needs one matching entry, so an empty one matches nothing (D2); a negated clause
/// needs that none matches (D13, D14).
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
        let construct = "operator `DateLessThan`".to_owned();
        let expected = Unsupported { construct, statement: 2, span: Span::new(5, 6) };
        assert_eq!(evaluation.unsupported, [(1, expected)]);
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
        statement.conditions.push(condition(BaseOperator::StringEquals, "other"));
        check_statement(&statement, False);
        statement.conditions.pop();
        statement.conditions.push(condition(BaseOperator::StringEquals, "here"));
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
    fn not_resource_excludes_what_it_lists_and_may_hang_on_a_variable() {
        let mut statement = statement(0, Effect::Deny, True);
        let variable = Segment::Variable { key: "aws:username".to_owned(), default: None };
        let prefix = Segment::Text("arn:aws:s3:::b/".to_owned());
        let open = Template { segments: vec![prefix, variable] };
        let mut check = |negated, templates: &[&Template], expected| {
            let entry =
                |&t: &&Template| ResourcePattern { template: t.clone(), span: Span::new(3, 4) };
            let entries = templates.iter().map(entry).collect();
            statement.resource = Some(Clause { negated, entries, span: Span::new(3, 4) });
            check_statement(&statement, expected);
        };
        check(true, &[&Template::text("arn:aws:s3:::b/*")], False);
        check(true, &[&Template::text("arn:aws:s3:::c/*")], True);
        check(true, &[&open], Unknown);
        check(true, &[&open, &Template::text("arn:aws:s3:::b/*")], False);
        check(false, &[&open, &Template::text("arn:aws:s3:::b/*")], True);
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
            Unknown => vec![condition(BaseOperator::DateLessThan, "here")],
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

    fn request() -> Request {
        let mut context = Context::default();
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
