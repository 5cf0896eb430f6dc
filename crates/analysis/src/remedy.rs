//! What to change so that a property that fails would hold.
//!
//! A witness says which statements let it in, and of a Deny that does not catch it which of its conditions does not hold.
//! From that a few changes are written down (`remedy/candidates.rs`), the smallest first. A change counts only
//! if whoever asks confirms that the property *holds* of the changed policies, and if the changed statement still lets
//! something in that no Deny stops: a condition that nobody can meet is no remedy but a removal in disguise.
//!
//! One change is tried first; where none does, the first one that at least stops the witness is kept, and the next witness
//! is looked at. What comes out is the smallest of the changes that were thought of, not of all there are: a search for a
//! minimum over all policies was not tried, as nobody would recognise his policy in it.

mod candidates;

use keyaki_policy::access::AccessPattern;
use keyaki_policy::ast::{
    ActionPattern, Clause, Condition, Effect, Operator, ResourcePattern, Statement, Template,
};
use keyaki_policy::{Policy, Readings, parse};

use crate::check::{Evidence, Verdict, Witness};
use crate::question::{PolicyRef, Question, Subject};
use crate::replay::{Replay, breaks};

/// The most changes that make up one remedy.
pub const MAX_CHANGES: usize = 5;

/// The most questions that are asked to find one.
pub const MAX_ASKED: usize = 60;

/// A change of one policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The policy.
    pub at: PolicyRef,
    /// What is changed.
    pub edit: Edit,
}

/// What is changed of a policy. Statements are given by their index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// The statement also asks for these conditions.
    AddConditions {
        /// The statement.
        statement: usize,
        /// The conditions.
        conditions: Vec<Condition>,
    },
    /// One of the statement's conditions has another operator.
    ReplaceOperator {
        /// The statement.
        statement: usize,
        /// Position of the condition.
        condition: usize,
        /// The operator.
        operator: Operator,
    },
    /// The statement does not ask for this condition any more.
    RemoveCondition {
        /// The statement.
        statement: usize,
        /// Position of the condition.
        condition: usize,
    },
    /// The statement loses an entry of one of its elements, which has others.
    RemoveEntry {
        /// The statement.
        statement: usize,
        /// The element.
        element: Element,
        /// Position of the entry.
        entry: usize,
    },
    /// In the place of an entry of `Action` or `Resource` there are others.
    ReplaceEntry {
        /// The statement.
        statement: usize,
        /// Position of the entry.
        entry: usize,
        /// The others.
        by: Entries,
    },
    /// The statement is removed.
    RemoveStatement {
        /// The statement.
        statement: usize,
    },
    /// This statement is put at the end.
    AddStatement(Box<Statement>),
}

/// Entries of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entries {
    /// Of `Action`.
    Actions(Vec<ActionPattern>),
    /// Of `Resource`.
    Resources(Vec<ResourcePattern>),
}

/// An element of a statement that has entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// `Principal` or `NotPrincipal`
    Principal,
    /// `Action` or `NotAction`
    Action,
    /// `Resource` or `NotResource`
    Resource,
}

impl Edit {
    /// The statement that is changed, if it is there already.
    pub fn statement(&self) -> Option<usize> {
        match self {
            Edit::AddConditions { statement, .. }
            | Edit::ReplaceOperator { statement, .. }
            | Edit::RemoveCondition { statement, .. }
            | Edit::RemoveEntry { statement, .. }
            | Edit::ReplaceEntry { statement, .. }
            | Edit::RemoveStatement { statement } => Some(*statement),
            Edit::AddStatement(_) => None,
        }
    }

    /// Makes the change. What is removed keeps its place, so that indices stay what they are: a statement without
    /// actions is about nothing (D2).
    fn apply(&self, policy: &mut Policy) {
        let index = self.statement();
        let statement = policy.statements.iter_mut().find(|s| Some(s.index) == index);
        match (self, statement) {
            (Edit::AddStatement(added), _) => {
                let index = policy.statements.len();
                policy.statements.push(Statement { index, ..(**added).clone() });
                policy.single_statement = false;
            }
            (Edit::AddConditions { conditions, .. }, Some(statement)) => {
                statement.conditions.extend(conditions.iter().cloned());
            }
            (Edit::ReplaceOperator { condition, operator, .. }, Some(statement)) => {
                if let Some(condition) = statement.conditions.get_mut(*condition) {
                    condition.operator = *operator;
                }
            }
            (Edit::RemoveCondition { condition, .. }, Some(statement)) => {
                if *condition < statement.conditions.len() {
                    statement.conditions.remove(*condition);
                }
            }
            (Edit::RemoveEntry { element, entry, .. }, Some(statement)) => match element {
                Element::Principal => {
                    statement.principal.iter_mut().for_each(|c| remove(c, *entry));
                }
                Element::Action => remove(&mut statement.action, *entry),
                Element::Resource => statement.resource.iter_mut().for_each(|c| remove(c, *entry)),
            },
            (Edit::ReplaceEntry { entry, by, .. }, Some(statement)) => match by {
                Entries::Actions(by) => replace(&mut statement.action, *entry, by),
                Entries::Resources(by) => {
                    statement.resource.iter_mut().for_each(|clause| replace(clause, *entry, by));
                }
            },
            (Edit::RemoveStatement { .. }, Some(statement)) => {
                statement.action.negated = false;
                statement.action.entries.clear();
            }
            (_, None) => {}
        }
    }
}

fn remove<T>(clause: &mut Clause<T>, entry: usize) {
    if entry < clause.entries.len() {
        clause.entries.remove(entry);
    }
}

fn replace<T: Clone>(clause: &mut Clause<T>, entry: usize, by: &[T]) {
    if entry < clause.entries.len() {
        clause.entries.splice(entry..=entry, by.iter().cloned());
    }
}

/// The question about the changed policy.
pub fn changed(question: &Question, change: &Change) -> Question {
    let mut question = question.clone();
    if let Some(policy) = question.policy_mut(change.at) {
        change.edit.apply(policy);
    }
    question
}

/// Whether the policy, written down, is read as the same one. An operator has a key once, and what is a variable in one version of
/// the language is text in another.
fn can_be_written(policy: &Policy) -> bool {
    type Tests = Vec<(String, String, Vec<Template>)>;
    let conditions = |statement: &Statement| -> Tests {
        let test = |condition: &Condition| {
            let values = condition.values.iter().map(|value| value.template.clone()).collect();
            (condition.operator.to_string(), condition.key.clone(), values)
        };
        let mut tests: Tests = statement.conditions.iter().map(test).collect();
        // What is written has those of one operator together.
        tests.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        tests
    };
    let resources = |statement: &Statement| -> Vec<Template> {
        let entries = statement.resource.iter().flat_map(|clause| &clause.entries);
        entries.map(|entry| entry.template.clone()).collect()
    };
    let texts = |policy: &Policy| -> Vec<(Vec<Template>, Tests)> {
        policy.statements.iter().map(|s| (resources(s), conditions(s))).collect()
    };
    let read = parse(&policy.to_string(), Some(policy.policy_type));
    read.is_ok_and(|read| texts(&read) == texts(policy))
}

/// Changes after which a property holds.
#[derive(Clone, Debug)]
pub struct Remedy {
    /// The changes, to be made one after the other. Indices are those of the unchanged policies.
    pub changes: Vec<Change>,
    /// The question about the changed policies.
    pub question: Question,
    /// How certain it is that the property holds of them.
    pub evidence: Evidence,
}

/// A few changes of the policies after which `ask` says that the property holds; none if nothing that was thought of makes
/// it hold. `witness` breaks the property under `readings`. A statement is removed as a whole only if nothing else helps.
pub fn remedy(
    question: &Question,
    witness: &Witness,
    readings: Readings,
    ask: &mut dyn FnMut(&Question) -> Option<Verdict>,
) -> Option<Remedy> {
    let mut search = |removes| search(question, witness, readings, removes, ask);
    search(false).or_else(|| search(true))
}

fn search(
    question: &Question,
    witness: &Witness,
    readings: Readings,
    removes: bool,
    ask: &mut dyn FnMut(&Question) -> Option<Verdict>,
) -> Option<Remedy> {
    let mut asked = 0;
    let mut changes = Vec::new();
    let mut question = question.clone();
    let mut witness = witness.clone();
    while changes.len() < MAX_CHANGES {
        let mut progress = None;
        for change in candidates::of(&question, &witness, readings, removes) {
            let next = changed(&question, &change);
            if !matches!(breaks(&next, &witness.request, readings), Replay::Refuted(_)) {
                continue;
            }
            asked += 1;
            if asked > MAX_ASKED {
                return None;
            }
            match ask(&next)? {
                Verdict::Holds(evidence) => {
                    if is_alive(&next, &change, ask) {
                        changes.push(change);
                        return Some(Remedy { changes, question: next, evidence });
                    }
                }
                Verdict::Fails(other)
                    if progress.is_none()
                        && (is_elsewhere(&other, &change) || narrows(&change))
                        && is_alive(&next, &change, ask) =>
                {
                    progress = Some((change, next, other));
                }
                Verdict::Fails(_) | Verdict::Unknown { .. } => {}
            }
        }
        let (change, next, other) = progress?;
        changes.push(change);
        (question, witness) = (next, other);
    }
    None
}

/// Whether the change takes something away that another change of the same statement may complete.
fn narrows(change: &Change) -> bool {
    matches!(change.edit, Edit::RemoveEntry { .. } | Edit::ReplaceEntry { .. })
}

/// Whether the statements that let the witness in are others than the changed one.
fn is_elsewhere(witness: &Witness, change: &Change) -> bool {
    let changed = (change.at, change.edit.statement().unwrap_or(usize::MAX));
    !witness.statements.contains(&changed)
}

/// Whether the change leaves something of what it changes: a statement that is not removed still lets something in.
fn is_alive(
    question: &Question,
    change: &Change,
    ask: &mut dyn FnMut(&Question) -> Option<Verdict>,
) -> bool {
    let narrows = match &change.edit {
        Edit::RemoveStatement { .. } => return true,
        Edit::AddStatement(statement) if statement.effect == Effect::Allow => return true,
        Edit::AddStatement(_) => None,
        edit => edit.statement(),
    };
    let Some(policy) = question.policy(change.at) else { return false };
    let of_deny = narrows.is_some_and(|index| {
        policy.statements.iter().any(|s| s.index == index && s.effect == Effect::Deny)
    });
    let mut policy = policy.clone();
    if let (Some(index), false) = (narrows, of_deny) {
        policy.statements.retain(|s| s.index == index || s.effect == Effect::Deny);
    }
    let everything = AccessPattern { action: None, resource: None };
    let policy = Subject::Union(vec![policy]);
    let lives = Question::AccessNotGranted { policy, accesses: vec![everything] };
    matches!(ask(&lives), Some(Verdict::Fails(_)))
}

/// A Deny statement that would stop the request if some of its conditions did not stand in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearMiss {
    /// The policy.
    pub at: PolicyRef,
    /// The statement's index.
    pub statement: usize,
    /// The positions of the conditions that do not hold.
    pub conditions: Vec<usize>,
}

/// The Deny statements of the policies in question that miss the request by conditions only.
pub fn near_misses(question: &Question, witness: &Witness, readings: Readings) -> Vec<NearMiss> {
    let side = witness.side;
    let policies = question.side(side).into_iter();
    let denies = policies.flat_map(|(at, policy)| {
        let of_effect = policy.statements.iter().filter(|s| s.effect == Effect::Deny);
        of_effect.map(move |statement| (at, policy, statement))
    });
    denies
        .filter_map(|(at, policy, statement)| {
            let conditions =
                candidates::unmet_conditions(policy, statement, &witness.request, readings)?;
            Some(NearMiss { at, statement: statement.index, conditions })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use keyaki_policy::{PolicyType, parse};

    use super::*;
    use crate::zone::Zone;

    const ACCOUNT: &str = "111122223333";

    fn statement(version: &str, condition: &str) -> Policy {
        let text = format!(
            r#"{{"Version": "{version}", "Statement": {{"Effect": "Allow", "Principal": "*", "Action": "sqs:*",
                "Resource": "*", "Condition": {condition}}}}}"#
        );
        parse(&text, Some(PolicyType::Resource)).unwrap()
    }

    /// The changes that are thought of where the property fails, each with the policy that it leaves.
    fn changes(question: &Question, statements: &[(PolicyRef, usize)]) -> Vec<(Change, Policy)> {
        let context = [("aws:PrincipalAccount", "999988887777"), ("aws:username", "ines")];
        let mut request = keyaki_policy::Request {
            action: "sqs:SendMessage".to_owned(),
            resource: "arn:aws:sqs:us-east-1:111122223333:q".to_owned(),
            ..Default::default()
        };
        for (key, value) in context {
            let value = keyaki_policy::request::ContextValue::One(value.to_owned());
            request.context.insert(key, value);
        }
        let witness =
            Witness { request, side: statements[0].0.side, statements: statements.to_vec() };
        let all = candidates::of(question, &witness, Readings::DEFAULT, true).into_iter();
        let changed = |change: Change| {
            let policy = changed(question, &change).policy(change.at).unwrap().clone();
            (change, policy)
        };
        all.map(changed).collect()
    }

    #[test]
    fn what_cannot_be_written_is_not_suggested() {
        use crate::question::Side;
        let accounts = [ACCOUNT.to_owned()].into_iter().collect();
        let zone = Zone { accounts, ..Zone::default() };
        // The key has this operator already, and an operator has a key once.
        let both =
            r#"{"StringEquals": {"aws:PrincipalAccount": ["111122223333", "999988887777"]}}"#;
        let policy = vec![statement("2012-10-17", both)].into();
        let question = Question::NoExternalAccess { policy, zone };
        let at = PolicyRef::of_union(Side::Policy, 0);
        for (change, policy) in changes(&question, &[(at, 0)]) {
            assert!(parse(&policy.to_string(), Some(PolicyType::Resource)).is_ok(), "{change:?}");
        }
        // An operator that stands twice among the conditions is written once.
        let apart = r#"{"StringEquals": {"aws:username": "ines"}, "Bool": {"aws:SecureTransport": "true"},
            "StringEqualsIfExists": {"aws:PrincipalAccount": "111122223333"}}"#;
        let Question::NoExternalAccess { zone, .. } = question else { unreachable!() };
        let policy = vec![statement("2012-10-17", apart)].into();
        let question = Question::NoExternalAccess { policy, zone };
        let is_replaced =
            |(change, _): &(Change, Policy)| matches!(change.edit, Edit::ReplaceOperator { .. });
        assert!(changes(&question, &[(at, 0)]).iter().any(is_replaced));
        // What is a variable in one version is text in the other.
        let variable = r#"{"StringEquals": {"aws:PrincipalTag/owner": "${aws:username}"}}"#;
        for (old, new) in [("2012-10-17", "2008-10-17"), ("2008-10-17", "2012-10-17")] {
            let existing = vec![statement(old, variable)].into();
            let new = vec![statement(new, "{}")].into();
            let question = Question::NoNewAccess { existing, new };
            let at = PolicyRef::of_union(Side::New, 0);
            for (change, policy) in changes(&question, &[(at, 0)]) {
                let read = parse(&policy.to_string(), Some(PolicyType::Resource)).unwrap();
                let values = |policy: &Policy| -> Vec<Template> {
                    let conditions = policy.statements.iter().flat_map(|s| &s.conditions);
                    conditions.flat_map(|c| &c.values).map(|v| v.template.clone()).collect()
                };
                assert_eq!(values(&read), values(&policy), "{change:?}");
            }
        }
    }
}
