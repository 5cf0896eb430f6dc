//! Which actions go with which resources: asserted a service at a time, when a model breaks it.
//!
//! The pseudo-resource `*` goes with actions that have no type of resource, and with those that the service reference does not have
//! (Q1.4). With R36 in force more is known of the actions that it has: those with types are asked for of an ARN of one of
//! these, and those without of `*` only. Said in full it is a list of 15,000 names, and hardly any query needs one of them.

use std::collections::BTreeMap;

use keyaki_logic::{Formula, Model, Regex, Sort, Term, Terms, Value};
use keyaki_policy::catalogue;

use crate::cover::glob::{Case, includes};
use crate::encode::symbols::name;
use crate::encode::{Encoding, in_glob};

/// The service whose action a model combines with a resource that it does not go with; `None` if it goes with
/// it, as far as is known.
pub fn service_to_refine(encoding: &Encoding, model: &Model) -> Option<String> {
    let text = |variable: &str| match model.get(variable) {
        Some(Value::String(text)) => text.as_str(),
        _ => "",
    };
    let service = text(name::ACTION_SERVICE);
    let action = || format!("{service}:{}", text(name::ACTION_NAME));
    let goes = if model.get(name::IS_STAR) == Some(&Value::Bool(true)) {
        catalogue::has_resource_types(&action()) != Some(true)
    } else if encoding.knows_types {
        catalogue::details(&action()).is_none_or(|details| {
            details.resources.iter().any(|pattern| {
                let fields = fields(pattern).into_iter();
                fields
                    .into_iter()
                    .all(|(variable, glob)| includes(glob, text(variable), Case::Sensitive))
            })
        })
    } else {
        true
    };
    (!goes).then(|| service.to_owned())
}

/// `formula` with what is known of the actions of `service`.
pub(crate) fn refined(encoding: &Encoding, formula: &Formula, service: &str) -> Formula {
    let mut formula = formula.clone();
    let t = &mut formula.terms;
    let prefix = format!("{service}:");
    let mut by_types: BTreeMap<Vec<&str>, Vec<Regex>> = BTreeMap::new();
    for action in catalogue::actions_with_prefix(&prefix) {
        let types = catalogue::details(action).map(|details| details.resources).unwrap_or_default();
        // Where types do not matter, those that have some are alike.
        let types = if encoding.knows_types || types.is_empty() { types } else { vec!["*"] };
        let name = Regex::Literal(action[prefix.len()..].to_ascii_lowercase());
        by_types.entry(types).or_default().push(name);
    }
    let is_star = t.var(name::IS_STAR, Sort::Bool);
    let service_variable = t.var(name::ACTION_SERVICE, Sort::String);
    let service_text = t.string(service);
    let is_service = t.eq(service_variable, service_text);
    let action_name = t.var(name::ACTION_NAME, Sort::String);
    let label = match encoding.knows_types {
        true => format!("R36: resources of actions of {service}"),
        false => format!("Q1.4: actions of {service} that need a resource"),
    };
    let mut axioms = Vec::new();
    for (types, names) in by_types {
        let goes = match (&types[..], encoding.knows_types) {
            ([], false) => continue,
            ([], true) => is_star,
            (_, false) => t.not(is_star),
            (types, true) => {
                let some: Vec<Term> = types.iter().map(|pattern| is_of(t, pattern)).collect();
                let some = t.or(some);
                let is_arn = t.not(is_star);
                t.and([is_arn, some])
            }
        };
        let listed = t.in_re(action_name, Regex::Union(names));
        let premise = t.and([is_service, listed]);
        axioms.push(t.implies(premise, goes));
    }
    for axiom in axioms {
        formula.assert(label.as_str(), axiom);
    }
    formula
}

/// Whether the resource is an ARN of this shape.
fn is_of(t: &mut Terms, pattern: &str) -> Term {
    let mut tests = Vec::new();
    for (variable, glob) in fields(pattern) {
        let variable = t.var(variable, Sort::String);
        tests.push(in_glob(t, variable, glob));
    }
    t.and(tests)
}

/// The fields of an ARN of the reference but for the first two, with the variables that stand for them. The partition is
/// that of the principal (R34).
fn fields(pattern: &str) -> Vec<(&'static str, &str)> {
    let variables =
        [name::RESOURCE_SERVICE, name::RESOURCE_REGION, name::RESOURCE_ACCOUNT, name::RESOURCE_ID];
    variables.into_iter().zip(pattern.splitn(6, ':').skip(2)).collect()
}
