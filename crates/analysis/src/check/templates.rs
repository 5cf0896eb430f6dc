//! Values to try in the place of policy variables.

use std::collections::BTreeMap;

use keyaki_logic::{Formula, Model, Value, eval, relax};

use crate::encode::symbols::presence_of;
use crate::witness;

/// Assignments of values to the variables that occur in the templates of `formula`, likely ones
/// first: those of `relaxed`, a model of the relaxed formula; the same with the keys absent
/// whose values they are; words that occur nowhere else, where they may.
pub(super) fn instances(formula: &Formula, relaxed: Option<Model>) -> Vec<Model> {
    let variables = relax::value_variables(formula);
    let mut instances = Vec::new();
    let mut values = Model::new();
    if let Some(model) = relaxed {
        for name in &variables {
            let value = model.get(name).cloned().unwrap_or(Value::String(String::new()));
            values.insert(*name, value);
        }
        instances.push(values.clone());
    }
    let known: BTreeMap<&str, _> = formula.variables().into_iter().collect();
    let mut absent = values;
    for name in &variables {
        let presence = presence_of(name).filter(|presence| known.contains_key(presence.as_str()));
        if let Some(presence) = presence {
            absent.insert(*name, Value::String(String::new()));
            absent.insert(presence, Value::Bool(false));
        }
    }
    if absent.iter().any(|(_, value)| *value == Value::Bool(false)) {
        instances.push(absent);
    }
    instances.push(fresh(formula, &variables));
    instances
}

/// A word for each variable, one after the other: its own if that does not make the formula
/// false, otherwise one that the formula mentions for it.
fn fresh(formula: &Formula, variables: &[&str]) -> Model {
    let words = witness::words(formula);
    let mut values = Model::new();
    for (number, name) in variables.iter().enumerate() {
        let fresh = format!("u{}", number + 1);
        let mentioned = words.iter().filter(|(variable, _)| variable == name);
        let mentioned = mentioned.flat_map(|(_, words)| words);
        let with = |word: &String| {
            let mut values = values.clone();
            values.insert(*name, Value::String(word.clone()));
            values
        };
        let may_hold = |values: &Model| eval::holds_partially(formula, values) != Some(false);
        let candidate = std::iter::once(&fresh).chain(mentioned).map(with).find(may_hold);
        values = candidate.unwrap_or_else(|| with(&fresh));
    }
    values
}

#[cfg(test)]
mod tests {
    use keyaki_logic::{Piece, Regex, Sort, Terms};

    use super::*;

    fn text(model: &Model, name: &str) -> String {
        match model.get(name) {
            Some(Value::String(text)) => text.clone(),
            other => panic!("{name}: {other:?}"),
        }
    }

    /// `x` is `home/${key aws:username}`; the key is present or not, `account` has digits only.
    fn formula() -> Formula {
        let mut t = Terms::new();
        let x = t.var("x", Sort::String);
        let name = t.var("key aws:username", Sort::String);
        let account = t.var("principal.account", Sort::String);
        let present = t.var("has aws:username", Sort::Bool);
        let home = t.matches(x, [Piece::text("home/"), Piece::Value(name)]);
        let absent = t.not(present);
        let either = t.or([absent, home]);
        let own = t.matches(x, [Piece::Any, Piece::Value(account)]);
        let digits = Regex::Repeat(Box::new(Regex::Chars(vec![('0', '9')])), 12);
        let is_account = t.in_re(account, digits);
        let mut formula = Formula::new(t);
        for term in [either, own, is_account] {
            formula.assert("", term);
        }
        formula
    }

    #[test]
    fn the_relaxed_models_values_come_first_then_absence_then_fresh_words() {
        let mut relaxed = Model::new();
        relaxed.insert("key aws:username", Value::String("~".to_owned()));
        relaxed.insert("principal.account", Value::String("0".repeat(12)));
        let instances = instances(&formula(), Some(relaxed));
        assert_eq!(instances.len(), 3);
        assert_eq!(text(&instances[0], "key aws:username"), "~");
        assert_eq!(instances[0].get("has aws:username"), None);
        assert_eq!(instances[1].get("has aws:username"), Some(&Value::Bool(false)));
        assert_eq!(text(&instances[1], "principal.account"), "0".repeat(12));
        assert_eq!(text(&instances[2], "key aws:username"), "u1");
    }

    #[test]
    fn a_word_that_its_variable_cannot_be_is_not_tried() {
        let instances = instances(&formula(), None);
        let account = text(instances.last().unwrap(), "principal.account");
        assert_eq!(account.len(), 12, "{account}");
        assert!(account.bytes().all(|b| b.is_ascii_digit()));
    }
}
