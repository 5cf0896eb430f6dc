//! Changes that may make a property hold, written down from a witness and the statements around it.
//!
//! Nothing here has to be right: whoever asks confirms each. It has to be something that can be written down, which is seen to in
//! the end. The order is that of how little a change takes away.

use keyaki_policy::ast::{
    ActionPattern, BaseOperator, Clause, Condition, ConditionValue, Effect, Operator,
    PrincipalEntry, PrincipalKind, ResourcePattern, Statement, Template,
};
use keyaki_policy::evaluate::{Truth, statement_matches};
use keyaki_policy::request::Request;
use keyaki_policy::span::Span;
use keyaki_policy::{Policy, Readings};

use super::{Change, Edit, Element, Entries};
use crate::check::Witness;
use crate::cover::parts;
use crate::property::{Demand, Rule};
use crate::question::{PolicyRef, Question, Side};
use crate::zone::Zone;

/// An account that stands for the owner's where no policy names one.
const SOME_ACCOUNT: &str = "111122223333";

/// The most statements of the reference, and entries of each, that are looked at.
const MAX_REFERENCES: usize = 6;

/// The most values of a condition that is suggested.
const MAX_VALUES: usize = 20;

/// The changes to try, in this order; whole statements are removed, and entries exchanged for others, only if `removes`.
pub(super) fn of(
    question: &Question,
    witness: &Witness,
    readings: Readings,
    removes: bool,
) -> Vec<Change> {
    let mut changes = Vec::new();
    denies_that_catch_more(question, witness, readings, &mut changes);
    if let Question::Custom { property, .. } = question
        && witness.statements.is_empty()
    {
        demanded(question, &property.rules, witness, readings, &mut changes);
        return changes;
    }
    for &(at, index) in &witness.statements {
        let Some((policy, statement)) = find(question, at, index) else { continue };
        let own = |edit| Change { at, edit };
        for (position, condition) in statement.conditions.iter().enumerate() {
            if condition.operator.if_exists {
                let operator = Operator { if_exists: false, ..condition.operator };
                let edit =
                    Edit::ReplaceOperator { statement: index, condition: position, operator };
                changes.push(own(edit));
            }
        }
        for (entry, by) in reference_entries(question, policy, statement, removes) {
            let edit = Edit::ReplaceEntry { statement: index, entry, by };
            changes.push(own(edit));
        }
        for conditions in missing_conditions(question, statement, witness, readings) {
            changes.push(own(Edit::AddConditions { statement: index, conditions }));
        }
        for (element, n_entries) in lists(statement) {
            for entry in (0..n_entries).filter(|_| n_entries > 1) {
                let edit = Edit::RemoveEntry { statement: index, element, entry };
                let mut cut = policy.clone();
                edit.apply(&mut cut);
                let still = cut.statements.iter().find(|s| s.index == index);
                let matches = still.is_some_and(|statement| {
                    statement_matches(&cut, statement, &witness.request, readings).0 != Truth::False
                });
                if !matches {
                    changes.push(own(edit));
                }
            }
        }
    }
    denies(question, witness, &mut changes);
    if removes {
        let removed = witness.statements.iter();
        changes.extend(
            removed
                .map(|&(at, statement)| Change { at, edit: Edit::RemoveStatement { statement } }),
        );
    }
    // The reference is not what is to be changed.
    changes.retain(|change| change.at.side != Side::Existing);
    changes.retain(|change| {
        let changed = super::changed(question, change);
        changed.policy(change.at).is_some_and(super::can_be_written)
    });
    changes
}

fn find(question: &Question, at: PolicyRef, index: usize) -> Option<(&Policy, &Statement)> {
    let policy = question.policy(at)?;
    let statement = policy.statements.iter().find(|statement| statement.index == index)?;
    Some((policy, statement))
}

/// The elements of a statement in which an entry may be one too many, with how many entries they have.
fn lists(statement: &Statement) -> Vec<(Element, usize)> {
    let mut lists = Vec::new();
    let mut list = |element, negated: bool, n: usize| {
        if !negated {
            lists.push((element, n));
        }
    };
    if let Some(clause) = &statement.principal {
        list(Element::Principal, clause.negated, clause.entries.len());
    }
    list(Element::Action, statement.action.negated, statement.action.entries.len());
    if let Some(clause) = &statement.resource {
        list(Element::Resource, clause.negated, clause.entries.len());
    }
    lists
}

/// What the reference has of a wider entry, or has instead of any if `all`, to stand in its place: for each statement of the
/// reference and each such place.
fn reference_entries(
    question: &Question,
    policy: &Policy,
    statement: &Statement,
    all: bool,
) -> Vec<(usize, Entries)> {
    let policies = question.side(Side::Existing);
    let allows = policies.iter().flat_map(|(_, reference)| {
        reference.statements.iter().map(move |statement| (reference.policy_type, statement))
    });
    let allows = allows.filter(|(_, s)| s.effect == Effect::Allow).take(MAX_REFERENCES);
    let own_type = policy.policy_type;
    let mut entries = Vec::new();
    for (policy_type, reference) in allows {
        if let (Some(own), Some(other)) = (&statement.resource, &reference.resource) {
            let includes = |wide: &ResourcePattern, narrow: &ResourcePattern| {
                wide.template != narrow.template
                    && (all || parts::resource_includes((own_type, wide), (policy_type, narrow)))
            };
            let places = replacements(own, other, includes);
            entries.extend(places.into_iter().map(|(at, by)| (at, Entries::Resources(by))));
        }
        let includes = |wide: &ActionPattern, narrow: &ActionPattern| {
            !wide.text.eq_ignore_ascii_case(&narrow.text)
                && (all || parts::action_includes(&wide.text, &narrow.text))
        };
        let places = replacements(&statement.action, &reference.action, includes);
        entries.extend(places.into_iter().map(|(at, by)| (at, Entries::Actions(by))));
    }
    entries
}

fn replacements<T: Clone>(
    own: &Clause<T>,
    other: &Clause<T>,
    includes: impl Fn(&T, &T) -> bool,
) -> Vec<(usize, Vec<T>)> {
    if own.negated || other.negated {
        return Vec::new();
    }
    let places = own.entries.iter().enumerate().take(MAX_REFERENCES);
    let places = places.map(|(position, wide)| {
        let narrow = other.entries.iter().filter(|narrow| includes(wide, narrow));
        (position, narrow.take(MAX_VALUES).cloned().collect::<Vec<T>>())
    });
    places.filter(|(_, by)| !by.is_empty()).collect()
}

/// Deny statements that would catch the request but for conditions: with another operator, or without one of them.
fn denies_that_catch_more(
    question: &Question,
    witness: &Witness,
    readings: Readings,
    changes: &mut Vec<Change>,
) {
    let mut removals = Vec::new();
    for miss in super::near_misses(question, witness, readings) {
        let Some((_, statement)) = find(question, miss.at, miss.statement) else { continue };
        let (at, index) = (miss.at, miss.statement);
        for &position in &miss.conditions {
            let operator = statement.conditions[position].operator;
            if !operator.if_exists && operator.base != BaseOperator::Null {
                let operator = Operator { if_exists: true, ..operator };
                let edit =
                    Edit::ReplaceOperator { statement: index, condition: position, operator };
                changes.push(Change { at, edit });
            }
            if let [position] = miss.conditions[..] {
                let edit = Edit::RemoveCondition { statement: index, condition: position };
                removals.push(Change { at, edit });
            }
        }
    }
    changes.append(&mut removals);
}

/// The positions of the conditions that do not hold, of a statement that matches without them.
pub(super) fn unmet_conditions(
    policy: &Policy,
    statement: &Statement,
    request: &Request,
    readings: Readings,
) -> Option<Vec<usize>> {
    let matches = |conditions: Vec<Condition>| {
        let statement = Statement { conditions, ..statement.clone() };
        statement_matches(policy, &statement, request, readings).0 == Truth::True
    };
    if statement.conditions.is_empty() || !matches(Vec::new()) {
        return None;
    }
    let unmet: Vec<usize> = (0..statement.conditions.len())
        .filter(|&position| !matches(vec![statement.conditions[position].clone()]))
        .collect();
    (!unmet.is_empty()).then_some(unmet)
}

/// Conditions that the statement lacks, each alternative together.
fn missing_conditions(
    question: &Question,
    statement: &Statement,
    witness: &Witness,
    readings: Readings,
) -> Vec<Vec<Condition>> {
    let mut all = Vec::new();
    match question {
        Question::Custom { property, .. } => {
            for rule in property.rules.iter().filter(|rule| rule.demand == Demand::Never) {
                all.extend(of_rule(rule));
            }
        }
        Question::NoExternalAccess { zone, .. } => all.extend(of_zone(zone)),
        Question::NoPublicAccess { .. } => {
            let policies = question.resource_policies(Side::Policy).into_iter();
            let account = policies.filter_map(|(_, policy)| named_account(policy)).next();
            let account = account.unwrap_or(SOME_ACCOUNT);
            all.push(vec![equals("aws:PrincipalAccount", &[account])]);
        }
        Question::NoNewAccess { .. } | Question::Equivalent { .. } => {
            for (_, policy) in question.side(Side::Existing) {
                for reference in &policy.statements {
                    let unmet = unmet_conditions(policy, reference, &witness.request, readings);
                    match reference.effect {
                        Effect::Allow => all.extend(unmet.map(|positions| {
                            positions.iter().map(|at| reference.conditions[*at].clone()).collect()
                        })),
                        Effect::Deny => {
                            all.extend(
                                reference.conditions.iter().filter_map(opposite).map(|c| vec![c]),
                            );
                        }
                    }
                }
            }
        }
        Question::Disjoint { .. } | Question::AccessNotGranted { .. } => {}
    }
    all.retain(|conditions: &Vec<Condition>| {
        conditions.iter().any(|condition| !has(statement, condition))
    });
    all.dedup();
    all
}

fn has(statement: &Statement, condition: &Condition) -> bool {
    statement.conditions.iter().any(|own| {
        own.operator == condition.operator
            && own.key.eq_ignore_ascii_case(&condition.key)
            && own
                .values
                .iter()
                .map(|v| &v.template)
                .eq(condition.values.iter().map(|v| &v.template))
    })
}

/// What a statement may ask for to let in nothing that the rule is about.
fn of_rule(rule: &Rule) -> Vec<Vec<Condition>> {
    let mut all = Vec::new();
    for statement in &rule.scope.statements {
        match statement.effect {
            Effect::Allow => {
                all.extend(statement.conditions.iter().filter_map(demand).map(|c| vec![c]));
            }
            // An exemption by conditions alone.
            Effect::Deny if is_about_everything(statement) => {
                all.push(statement.conditions.clone());
            }
            Effect::Deny => {}
        }
    }
    all.extend(rule.outside.iter().flat_map(of_zone));
    all.retain(|conditions| !conditions.is_empty());
    all
}

/// Whether nothing but conditions narrows the statement.
fn is_about_everything(statement: &Statement) -> bool {
    let star = Template::text("*");
    let any_principal = statement.principal.as_ref().is_none_or(|clause| {
        !clause.negated && clause.entries.iter().any(|e| e.kind == PrincipalKind::Everyone)
    });
    let any_action =
        !statement.action.negated && statement.action.entries.iter().any(|e| e.text == "*");
    let any_resource = statement
        .resource
        .as_ref()
        .is_none_or(|clause| !clause.negated && clause.entries.iter().any(|e| e.template == star));
    any_principal && any_action && any_resource
}

/// Conditions that place a request inside the zone.
fn of_zone(zone: &Zone) -> Vec<Vec<Condition>> {
    let mut all = Vec::new();
    if let Some(organization) = &zone.organization {
        all.push(vec![equals("aws:PrincipalOrgID", &[organization])]);
    }
    let accounts: Vec<&str> = zone.known_accounts().collect();
    if !accounts.is_empty() && accounts.len() <= MAX_VALUES {
        all.push(vec![equals("aws:PrincipalAccount", &accounts)]);
    }
    all
}

/// An account that the policy names.
fn named_account(policy: &Policy) -> Option<&str> {
    let clauses = policy.statements.iter().filter_map(|statement| statement.principal.as_ref());
    clauses.flat_map(|clause| &clause.entries).find_map(|entry| match &entry.kind {
        PrincipalKind::Account { account, .. } => Some(account.as_str()),
        PrincipalKind::User(arn) | PrincipalKind::Role(arn) | PrincipalKind::FederatedUser(arn) => {
            Some(arn.account.as_str())
        }
        _ => None,
    })
}

/// Deny statements that would stop what the property forbids.
fn denies(question: &Question, witness: &Witness, changes: &mut Vec<Change>) {
    let Some(&(at, _)) = witness.statements.first() else { return };
    let Some(policy) = question.policy(at) else { return };
    let mut add = |action, resource, conditions| {
        let principal = policy.policy_type.names_principals().then(everybody);
        let resource = match policy.statements.iter().any(|s| s.resource.is_some()) {
            true => Some(resource),
            false => None,
        };
        let statement = Statement {
            index: 0,
            sid: None,
            effect: Effect::Deny,
            principal,
            action,
            resource,
            conditions,
            span: Span::default(),
        };
        changes.push(Change { at, edit: Edit::AddStatement(Box::new(statement)) });
    };
    let any_action = || clause(vec![ActionPattern { text: "*".to_owned(), span: Span::default() }]);
    let any_resource =
        || clause(vec![ResourcePattern { template: Template::text("*"), span: Span::default() }]);
    match question {
        Question::AccessNotGranted { accesses, .. } => {
            for access in accesses {
                let action = access.action.clone().unwrap_or_else(any_action);
                let resource = access.resource.clone().unwrap_or_else(any_resource);
                add(action, resource, Vec::new());
            }
        }
        Question::Custom { property, .. } => {
            for rule in property.rules.iter().filter(|rule| rule.demand == Demand::Never) {
                let Some(scope) = rule.scope.statements.first() else { continue };
                let mut conditions = scope.conditions.clone();
                for exemption in &rule.scope.statements[1..] {
                    // An exemption by several conditions has no single opposite.
                    if let [condition] = &exemption.conditions[..] {
                        conditions.extend(opposite(condition));
                    }
                }
                for zone in rule.outside.iter().flat_map(of_zone) {
                    conditions.extend(zone.iter().filter_map(opposite));
                }
                let resource = scope.resource.clone().unwrap_or_else(any_resource);
                add(scope.action.clone(), resource, conditions);
            }
        }
        _ => {}
    }
}

/// What would allow what rules demand: the rule's own statement, or less of what denies it.
fn demanded(
    question: &Question,
    rules: &[Rule],
    witness: &Witness,
    readings: Readings,
    changes: &mut Vec<Change>,
) {
    let request = &witness.request;
    for (at, policy) in question.side(Side::Policy) {
        for statement in policy.statements.iter().filter(|s| s.effect == Effect::Deny) {
            if statement_matches(policy, statement, request, readings).0 == Truth::True {
                let edit = Edit::RemoveStatement { statement: statement.index };
                changes.push(Change { at, edit });
            }
        }
    }
    for rule in rules.iter().filter(|rule| rule.demand == Demand::Always) {
        let Some(scope) = rule.scope.statements.first() else { continue };
        for (at, policy) in question.side(Side::Policy) {
            let names = policy.policy_type.names_principals();
            let principal = scope.principal.clone().filter(|_| names);
            let statement = Statement { principal, ..scope.clone() };
            changes.push(Change { at, edit: Edit::AddStatement(Box::new(statement)) });
        }
    }
}

/// A condition that an Allow statement may ask for so that this one does not hold. A truth value is asked for plainly, which is
/// stricter where the key may be absent, and what people write.
fn demand(condition: &Condition) -> Option<Condition> {
    let mut demand = opposite(condition)?;
    demand.operator.if_exists &= demand.operator.base != BaseOperator::Bool;
    Some(demand)
}

/// A condition that holds of a request with a key of the right type if this one does not, and, where a single condition
/// can say that, only if; none if there is no opposite operator.
fn opposite(condition: &Condition) -> Option<Condition> {
    use BaseOperator::*;
    let Operator { set, base, if_exists } = condition.operator;
    if set.is_some() {
        return None;
    }
    // An absent key fails a positive operator and passes a negated one and `IfExists`.
    let passes_if_absent = if_exists || base.is_negated();
    let (base, values) = match base {
        StringEquals => (StringNotEquals, None),
        StringNotEquals => (StringEquals, None),
        StringEqualsIgnoreCase => (StringNotEqualsIgnoreCase, None),
        StringNotEqualsIgnoreCase => (StringEqualsIgnoreCase, None),
        StringLike => (StringNotLike, None),
        StringNotLike => (StringLike, None),
        ArnEquals => (ArnNotEquals, None),
        ArnNotEquals => (ArnEquals, None),
        ArnLike => (ArnNotLike, None),
        ArnNotLike => (ArnLike, None),
        NumericEquals => (NumericNotEquals, None),
        NumericNotEquals => (NumericEquals, None),
        NumericLessThan => (NumericGreaterThanEquals, None),
        NumericLessThanEquals => (NumericGreaterThan, None),
        NumericGreaterThan => (NumericLessThanEquals, None),
        NumericGreaterThanEquals => (NumericLessThan, None),
        DateEquals => (DateNotEquals, None),
        DateNotEquals => (DateEquals, None),
        DateLessThan => (DateGreaterThanEquals, None),
        DateLessThanEquals => (DateGreaterThan, None),
        DateGreaterThan => (DateLessThanEquals, None),
        DateGreaterThanEquals => (DateLessThan, None),
        IpAddress => (NotIpAddress, None),
        NotIpAddress => (IpAddress, None),
        Bool | Null => (base, Some(flipped(condition)?)),
        _ => return None,
    };
    let if_exists = base != Null && !passes_if_absent && !base.is_negated();
    let operator = Operator { set, base, if_exists };
    let values = values.unwrap_or_else(|| condition.values.clone());
    Some(Condition { operator, values, ..condition.clone() })
}

/// The other truth value.
fn flipped(condition: &Condition) -> Option<Vec<ConditionValue>> {
    let [value] = &condition.values[..] else { return None };
    let other = match value.template.to_string().to_ascii_lowercase().as_str() {
        "true" => "false",
        "false" => "true",
        _ => return None,
    };
    Some(vec![ConditionValue { template: Template::text(other), ..value.clone() }])
}

fn equals(key: &str, values: &[&str]) -> Condition {
    let value =
        |text: &&str| ConditionValue { template: Template::text(text), span: Span::default() };
    Condition {
        operator: Operator { set: None, base: BaseOperator::StringEquals, if_exists: false },
        key: key.to_owned(),
        values: values.iter().map(value).collect(),
        operator_span: Span::default(),
        key_span: Span::default(),
    }
}

fn clause<T>(entries: Vec<T>) -> Clause<T> {
    Clause { negated: false, entries, span: Span::default() }
}

fn everybody() -> Clause<PrincipalEntry> {
    let kind = PrincipalKind::Everyone;
    clause(vec![PrincipalEntry { kind, text: "*".to_owned(), span: Span::default() }])
}

#[cfg(test)]
mod tests {
    use keyaki_policy::parse;
    use keyaki_policy::request::{Context, ContextValue, Principal};

    use super::*;

    /// Of a request whose value has the right type, or that has no value, a condition holds or its opposite.
    #[test]
    fn of_a_condition_and_its_opposite_one_holds() {
        for (operator, value, others) in [
            ("StringEquals", "a", ["a", "b"]),
            ("StringNotEquals", "a", ["a", "b"]),
            ("StringEqualsIgnoreCase", "A", ["a", "b"]),
            ("StringLike", "a*", ["ab", "b"]),
            ("ArnLike", "arn:aws:s3:::b*", ["arn:aws:s3:::b", "arn:aws:s3:::a"]),
            ("NumericLessThan", "5", ["4", "5"]),
            ("NumericGreaterThanEquals", "5", ["4", "5"]),
            ("NumericEquals", "5", ["5.0", "6"]),
            ("DateLessThan", "2026-01-01", ["2025-12-31", "2026-01-02"]),
            ("IpAddress", "203.0.113.0/24", ["203.0.113.7", "198.51.100.1"]),
            ("Bool", "true", ["true", "false"]),
            ("Null", "true", ["", "a"]),
        ] {
            let condition = read(operator, value);
            let other = opposite(&condition).expect("it has one");
            for value in others.map(Some).into_iter().chain([None]) {
                let holds = [&condition, &other].map(|condition| holds(condition, value));
                assert_eq!(holds[0], !holds[1], "{operator} {value:?}: {other:?}");
            }
        }
        assert_eq!(opposite(&read("ForAnyValue:StringEquals", "a")), None);
    }

    fn policy(conditions: &str) -> Policy {
        let text = format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "*", "Resource": "*",
                "Condition": {conditions}}}}}"#
        );
        parse(&text, None).expect("it is a policy")
    }

    fn read(operator: &str, value: &str) -> Condition {
        let policy = policy(&format!(r#"{{"{operator}": {{"x:key": "{value}"}}}}"#));
        policy.statements[0].conditions[0].clone()
    }

    fn holds(condition: &Condition, value: Option<&str>) -> bool {
        let mut policy = policy("{}");
        policy.statements[0].conditions = vec![condition.clone()];
        let mut context = Context::default();
        if let Some(value) = value {
            context.insert("x:key", ContextValue::One(value.to_owned()));
        }
        let request = Request {
            principal: Principal::Anonymous,
            action: "s3:GetObject".to_owned(),
            resource: "arn:aws:s3:::b/k".to_owned(),
            context,
            ..Request::default()
        };
        let statement = &policy.statements[0];
        statement_matches(&policy, statement, &request, Readings::DEFAULT).0 == Truth::True
    }
}
