//! What is odd in a property without being a mistake: names that nobody knows and that are near to known ones.
//!
//! Every well-formed name is an action, future ones included, so a misspelt one cannot be refused; but a rule about it is about
//! nothing, and every policy obeys that. So it is told beside the answer.

use keyaki_policy::Policy;
use keyaki_policy::catalogue;
use keyaki_policy::diagnostic::closest;
use keyaki_policy::span::{Position, Span};

/// The most notes about one property.
const MAX_NOTES: usize = 20;

/// The most known names with which one is compared.
const MAX_COMPARED: usize = 2_000;

/// Notes about the requests of a rule, each with its place in the text.
pub(super) fn of(source: &str, scope: &Policy, notes: &mut Vec<String>) {
    let mut note = |span: Span, what: &str, name: &str, near: Option<&str>| {
        let Some(near) = near.filter(|_| notes.len() < MAX_NOTES) else { return };
        let place = Position::of(source, span.start);
        notes.push(format!(
            "{place}: {what} `{name}` is not known, and then the rule may be about nothing; did you mean `{near}`?"
        ));
    };
    for statement in &scope.statements {
        for entry in &statement.action.entries {
            let Some((service, _)) = entry.text.split_once(':') else { continue };
            let is_literal = !entry.text.contains(['*', '?']);
            if is_literal && catalogue::action(&entry.text).is_none() {
                let prefix = format!("{service}:");
                let known = catalogue::actions_with_prefix(&prefix);
                note(
                    entry.span,
                    "the action",
                    &entry.text,
                    closest(&entry.text, known.take(MAX_COMPARED)),
                );
            }
        }
        for condition in &statement.conditions {
            let prefix = condition.key.split_once(':').map_or("", |(prefix, _)| prefix);
            if !prefix.is_empty() && catalogue::key(&condition.key).is_none() {
                let prefix = format!("{prefix}:");
                let known = catalogue::keys_with_prefix(&prefix);
                let near = closest(&condition.key, known.take(MAX_COMPARED));
                note(condition.key_span, "the key", &condition.key, near);
            }
        }
    }
}
