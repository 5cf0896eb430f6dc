//! Why a property fails, in a paragraph, and what to change.
//!
//! The paragraph is made of facts that were checked one by one: the statements that let the witness in, the Deny statements
//! that miss it by conditions, and a change that the engine was asked about again. Nothing is said that is merely likely.

use std::time::Instant;

use keyaki_analysis::check::Witness;
use keyaki_analysis::property::Demand;
use keyaki_analysis::question::{PolicyRef, Side};
use keyaki_analysis::remedy::{self, Change, Edit, Element, Entries, Remedy, near_misses};
use keyaki_analysis::replay::broken_rules;
use keyaki_analysis::{Question, Report, Verdict};
use keyaki_logic::Cancel;
use keyaki_policy::Readings;
use keyaki_policy::ast::{Condition, ResourcePattern, Statement};
use keyaki_policy::request::{ContextValue, Request as PolicyRequest};

use crate::engine::Engine;
use crate::job::Inquiry;
use crate::wire::{ChangeRecord, EvidenceName, Principal, Request, Suggestion};

/// Deny statements that are told of because they miss the request.
const MAX_NEAR_MISSES: usize = 3;

/// The paragraph, and the change if one was found, of a property that fails.
pub(crate) fn of(
    inquiry: &Inquiry,
    report: &Report,
    engine: &Engine,
    cancel: &Cancel,
) -> Option<(String, Option<Suggestion>)> {
    let question = &inquiry.question;
    let Verdict::Fails(witness) = &report.verdict else { return None };
    let deadline = Instant::now() + inquiry.timeout;
    let mut ask = |question: &Question| {
        let left = deadline.checked_duration_since(Instant::now())?;
        let report = engine.check_within(question, &inquiry.decisions, left, cancel).ok()?;
        Some(report.verdict)
    };
    let remedy = remedy::remedy(question, witness, report.witness_under, &mut ask);
    let teller = Teller { inquiry };
    let mut sentences = vec![teller.allowed(witness)];
    sentences.extend(teller.breaks(witness, report.witness_under));
    sentences.extend(teller.missed(witness, report.witness_under));
    let suggestion = remedy.map(|remedy| teller.suggestion(&remedy));
    sentences.push(match &suggestion {
        Some(suggestion) => suggestion.words.clone(),
        None => "No small change was found after which it would hold.".to_owned(),
    });
    Some((sentences.join(" "), suggestion))
}

/// Who asks, in words.
pub fn principal(principal: &Principal) -> String {
    match principal {
        Principal::Anonymous => "anonymous".to_owned(),
        Principal::Root { account, partition, .. } => {
            let partition = partition.as_deref().unwrap_or("aws");
            format!("arn:{partition}:iam::{account}:root (the root user)")
        }
        Principal::User { arn, .. } | Principal::FederatedUser { arn } => arn.clone(),
        Principal::RoleSession { role_arn, session_name } => {
            format!("{role_arn}, session `{session_name}`")
        }
        Principal::Service { name } => format!("the service {name}"),
        Principal::Federated { provider } => format!("an identity of the provider {provider}"),
        Principal::CanonicalUser { id } => format!("the canonical user {id}"),
    }
}

struct Teller<'i> {
    inquiry: &'i Inquiry,
}

impl Teller<'_> {
    /// What is allowed, to whom and by what; or what is not, and should be.
    fn allowed(&self, witness: &Witness) -> String {
        let request = Request::from(&witness.request);
        let who = match &request.principal {
            Principal::Anonymous => "Whoever has no credentials".to_owned(),
            other => principal(other),
        };
        let what = format!("`{}` on `{}`", request.action, request.resource);
        let names: Vec<String> =
            witness.statements.iter().map(|&(at, index)| self.statement(at, index)).collect();
        match (&names[..], &self.inquiry.question) {
            ([], Question::Custom { .. }) if self.is_demand(witness) => {
                format!("{who} is not allowed {what}.")
            }
            ([], _) => format!("{who} is allowed {what} without any statement."),
            _ => format!("{who} is allowed {what} by {}.", names.join(" and ")),
        }
    }

    fn is_demand(&self, witness: &Witness) -> bool {
        let Question::Custom { property, .. } = &self.inquiry.question else { return false };
        let always = property.rules.iter().any(|rule| rule.demand == Demand::Always);
        always && witness.statements.is_empty()
    }

    /// Why that breaks the property.
    fn breaks(&self, witness: &Witness, readings: Readings) -> Option<String> {
        Some(match &self.inquiry.question {
            Question::NoPublicAccess { .. } => {
                "That is public: who asks is not named, and no trusted key has a fixed value."
                    .to_owned()
            }
            Question::NoExternalAccess { .. } => {
                "Nothing places who asks inside the zone of trust.".to_owned()
            }
            Question::AccessNotGranted { .. } => {
                "It is one of the accesses that should not be granted.".to_owned()
            }
            Question::Disjoint { .. } => "Both sides allow it.".to_owned(),
            Question::NoNewAccess { .. } | Question::Equivalent { .. } => {
                let other = match witness.side {
                    Side::Existing => "new",
                    _ => "existing",
                };
                format!("The `{other}` side does not allow it.")
            }
            Question::Custom { property, .. } => {
                let broken =
                    broken_rules(&self.inquiry.question, property, &witness.request, readings);
                let rule = *broken.first()?;
                let demand = property.rules[rule].demand;
                let verb = match demand {
                    Demand::Never => "forbids it",
                    Demand::Always => "demands it",
                };
                let pointer = self.pointer(PolicyRef::of_union(Side::Property, rule));
                format!("The rule {pointer} {verb}.")
            }
        })
    }

    /// The Deny statements that miss the request, and why.
    fn missed(&self, witness: &Witness, readings: Readings) -> Vec<String> {
        let misses = near_misses(&self.inquiry.question, witness, readings);
        let told = misses.into_iter().take(MAX_NEAR_MISSES).filter_map(|miss| {
            let policy = self.inquiry.question.policy(miss.at)?;
            let statement = policy.statements.iter().find(|s| s.index == miss.statement)?;
            let condition = statement.conditions.get(*miss.conditions.first()?)?;
            let name = self.statement(miss.at, miss.statement);
            let value = value_in_words(&witness.request, &condition.key);
            let condition = shown(std::slice::from_ref(condition));
            Some(format!(
                "It is not denied by {name}, whose condition `{condition}` does not hold: {value}."
            ))
        });
        told.collect()
    }

    fn suggestion(&self, remedy: &Remedy) -> Suggestion {
        // Each change speaks of what those before it have left.
        let mut question = self.inquiry.question.clone();
        let mut changes: Vec<ChangeRecord> = Vec::with_capacity(remedy.changes.len());
        for change in &remedy.changes {
            changes.push(self.change(&question, change));
            question = remedy::changed(&question, change);
        }
        let parts: Vec<&str> = changes.iter().map(|change| change.words.as_str()).collect();
        let words = format!(
            "It would hold if {}; the changed policy was put to the same question.",
            parts.join(", and if ")
        );
        Suggestion { words, changes, evidence: EvidenceName::from(remedy.evidence) }
    }

    fn change(&self, question: &Question, change: &Change) -> ChangeRecord {
        let index = change.edit.statement();
        let statement = index.and_then(|index| {
            let policy = question.policy(change.at)?;
            policy.statements.iter().find(|statement| statement.index == index)
        });
        let name = match index {
            Some(index) => self.statement(change.at, index),
            None => "a statement".to_owned(),
        };
        let condition = |at: usize| statement.and_then(|statement| statement.conditions.get(at));
        let (kind, words, value) = match &change.edit {
            Edit::AddConditions { conditions, .. } => {
                let mut words = format!("{name} also asked for `{}`", shown(conditions));
                if matches!(&self.inquiry.question, Question::NoPublicAccess { .. }) {
                    words += ", or for another account that is yours";
                }
                ("add-conditions", words, Some(conditions_as_json(conditions)))
            }
            Edit::ReplaceOperator { condition: at, operator, .. } => {
                let (was, key) = condition(*at).map_or_else(Default::default, |condition| {
                    (condition.operator.to_string(), condition.key.clone())
                });
                let words = format!("{name} had `{operator}` in the place of `{was}` on `{key}`");
                ("replace-operator", words, Some(operator.to_string().into()))
            }
            Edit::RemoveCondition { condition: at, .. } => {
                let conditions: Vec<Condition> = condition(*at).cloned().into_iter().collect();
                let words = format!("{name} did not ask for `{}`", shown(&conditions));
                ("remove-condition", words, Some(conditions_as_json(&conditions)))
            }
            Edit::RemoveEntry { element, entry, .. } => {
                let (element, text) = entry_of(statement, *element, *entry);
                let words = format!("{name} had not `{text}` under `{element}`");
                ("remove-entry", words, Some(text.into()))
            }
            Edit::ReplaceEntry { entry, by, .. } => {
                let (element, by): (_, Vec<String>) = match by {
                    Entries::Actions(by) => {
                        (Element::Action, by.iter().map(|entry| entry.text.clone()).collect())
                    }
                    Entries::Resources(by) => {
                        let text = |entry: &ResourcePattern| entry.template.to_string();
                        (Element::Resource, by.iter().map(text).collect())
                    }
                };
                let (element, was) = entry_of(statement, element, *entry);
                let shown = by.join("` and `");
                let words =
                    format!("{name} had `{shown}` in the place of `{was}` under `{element}`");
                ("replace-entry", words, Some(by.into()))
            }
            Edit::RemoveStatement { .. } => {
                ("remove-statement", format!("{name} were not there"), None)
            }
            Edit::AddStatement(statement) => {
                let value = statement_as_json(statement);
                ("add-statement", format!("it had the statement `{value}` as well"), Some(value))
            }
        };
        let sid = statement.and_then(|statement| statement.sid.clone());
        let policy = self.pointer(change.at);
        ChangeRecord { policy, index, sid, change: kind.to_owned(), words, value }
    }

    /// A statement by its name, and by its policy if there are several.
    fn statement(&self, at: PolicyRef, index: usize) -> String {
        let named = self.inquiry.statement(at, index);
        let name = match named.sid.filter(|sid| !sid.is_empty()) {
            Some(sid) => format!("statement {index} (`{sid}`)"),
            None => format!("statement {index}"),
        };
        let n_policies =
            self.inquiry.question.policies().filter(|(at, _)| at.side != Side::Property);
        if n_policies.count() > 1 { format!("{name} of {}", named.policy) } else { name }
    }

    fn pointer(&self, at: PolicyRef) -> String {
        self.inquiry.document(at).map(|document| document.pointer.clone()).unwrap_or_default()
    }
}

/// What the request has for a key.
fn value_in_words(request: &PolicyRequest, key: &str) -> String {
    match request.context.get(key) {
        None => format!("the request has no `{key}`"),
        Some(ContextValue::One(value)) => format!("`{key}` is `{value}`"),
        Some(ContextValue::Many(values)) => format!("`{key}` is the list of {}", values.join(", ")),
    }
}

fn entry_of(
    statement: Option<&Statement>,
    element: Element,
    entry: usize,
) -> (&'static str, String) {
    let Some(statement) = statement else { return ("", String::new()) };
    match element {
        Element::Principal => {
            let clause = statement.principal.as_ref();
            let text = clause.and_then(|clause| clause.entries.get(entry)).map(|e| e.text.clone());
            ("Principal", text.unwrap_or_default())
        }
        Element::Action => {
            let text = statement.action.entries.get(entry).map(|e| e.text.clone());
            ("Action", text.unwrap_or_default())
        }
        Element::Resource => {
            let clause = statement.resource.as_ref();
            let text = clause.and_then(|clause| clause.entries.get(entry));
            ("Resource", text.map(|e| e.template.to_string()).unwrap_or_default())
        }
    }
}

/// Conditions as they stand in a policy.
fn shown(conditions: &[Condition]) -> String {
    conditions_as_json(conditions).to_string()
}

fn conditions_as_json(conditions: &[Condition]) -> serde_json::Value {
    let mut all = serde_json::Map::new();
    for condition in conditions {
        let mut values: Vec<serde_json::Value> =
            condition.values.iter().map(|value| value.template.to_string().into()).collect();
        let values = if values.len() == 1 { values.remove(0) } else { values.into() };
        let keys = all
            .entry(condition.operator.to_string())
            .or_insert_with(|| serde_json::Value::Object(serde_json::Map::new()));
        keys[condition.key.as_str()] = values;
    }
    all.into()
}

fn statement_as_json(statement: &Statement) -> serde_json::Value {
    // What is printed is JSON.
    serde_json::from_str(&statement.to_string()).unwrap_or_default()
}
