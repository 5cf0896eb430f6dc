//! What both a statement and a list of accesses name.

use std::borrow::Cow;

use keyaki_policy::access::AccessPattern;
use keyaki_policy::ast::{Clause, Effect, Statement};
use keyaki_policy::catalogue;

use super::context::Resource;
use super::{MAX_ACTIONS, MAX_RESOURCES, MAX_SEARCHED_ENTRIES};
use crate::cover::glob::{Case, has_wildcard, includes, literal_prefix};
use crate::cover::parts;
use crate::question::{Question, Side};

/// The most statements of one side that are tried as accesses.
const MAX_STATEMENTS: usize = 8;

/// The most pairs of actions that are looked at.
const MAX_PAIRS: usize = 1 << 20;

/// What a request has to be besides what a statement lets in: one of the listed accesses, or what
/// some statement of the other side lets in as well.
pub(super) fn wanted(question: &Question) -> Cow<'_, [AccessPattern]> {
    if !matches!(question, Question::Disjoint { .. }) {
        return Cow::Borrowed(question.accesses());
    }
    let statements = question.side(Side::Existing).into_iter().flat_map(|(_, p)| &p.statements);
    let allows = statements.filter(|statement| statement.effect == Effect::Allow);
    let accesses = allows.take(MAX_STATEMENTS).map(|statement| AccessPattern {
        action: listed(&statement.action),
        resource: statement.resource.as_ref().and_then(listed),
    });
    Cow::Owned(accesses.collect())
}

/// The clause, if it lists what it matches.
fn listed<T: Clone>(clause: &Clause<T>) -> Option<Clause<T>> {
    (!clause.negated).then(|| clause.clone())
}

/// Actions of the statement's entries at these positions that are listed.
pub(super) fn actions(
    statement: &Statement,
    positions: &[usize],
    accesses: &[AccessPattern],
) -> Vec<String> {
    let mut actions: Vec<String> = Vec::new();
    let mut add = |action: String| {
        let action = catalogue::action(&action).map_or(action, str::to_owned);
        if !actions.contains(&action) {
            actions.push(action);
        }
        actions.len() < MAX_ACTIONS
    };
    for access in accesses {
        let Some(listed) = &access.action else {
            let named = super::actions(statement, positions, &|_| false, &[]);
            if !named.into_iter().all(&mut add) {
                return actions;
            }
            continue;
        };
        let pairs = listed.entries.iter().flat_map(|listed| {
            let entries = positions.iter().filter_map(|at| statement.action.entries.get(*at));
            entries.map(move |entry| (entry, listed))
        });
        let mut common =
            pairs.take(MAX_PAIRS).filter_map(|(entry, listed)| match statement.action.negated {
                true => Some(listed.text.clone()).filter(|text| !has_wildcard(text)),
                false => common(&entry.text, &listed.text),
            });
        if !common.all(&mut add) {
            return actions;
        }
    }
    actions
}

/// An action that both patterns match.
fn common(entry: &str, listed: &str) -> Option<String> {
    // Most pairs end here.
    if parts::actions_are_disjoint(entry, listed) {
        return None;
    }
    let word = |word: &str, pattern: &str| {
        (!has_wildcard(word) && parts::action_includes(pattern, word)).then(|| word.to_owned())
    };
    let longer = || {
        let prefixes = [literal_prefix(entry), literal_prefix(listed)];
        let prefix = if prefixes[0].len() > prefixes[1].len() { prefixes[0] } else { prefixes[1] };
        let mut known = catalogue::actions_with_prefix(prefix).take(MAX_SEARCHED_ENTRIES);
        let is_both =
            |a: &&str| parts::action_includes(entry, a) && parts::action_includes(listed, a);
        known.find(is_both).map(str::to_owned)
    };
    word(listed, entry).or_else(|| word(entry, listed)).or_else(longer)
}

/// Texts that stand for stars, until one is found that both patterns match.
const FILLERS: [&str; 4] = ["example", "example/example", "", "example/"];

/// Puts resources that statement and list share before those of the statement alone.
pub(super) fn prefer(
    resources: &mut Vec<Resource<'_>>,
    statement: &Statement,
    action: &str,
    accesses: &[AccessPattern],
) {
    let lists_action = |access: &&AccessPattern| {
        access.action.as_ref().is_none_or(|listed| !parts::action_is_outside(action, listed))
    };
    let listed = accesses.iter().filter(lists_action).flat_map(|access| access.resources());
    let listed = listed.filter_map(|entry| parts::plain(&entry.template));
    let own = statement.resource.iter().filter(|clause| !clause.negated);
    let own = own.flat_map(|clause| &clause.entries).map(|entry| parts::plain(&entry.template));
    let own: Vec<&str> = own.flatten().take(MAX_SEARCHED_ENTRIES).collect();
    let mut shared = Vec::new();
    for listed in listed.filter(|text| *text != "*").take(MAX_SEARCHED_ENTRIES) {
        let with_own = own.iter().find_map(|own| in_both(own, listed));
        shared.extend(with_own.or_else(|| super::arn(listed)).map(Resource::Is));
        if shared.len() == MAX_RESOURCES {
            break;
        }
    }
    resources.splice(0..0, shared);
}

/// A resource that both patterns match.
fn in_both(a: &str, b: &str) -> Option<String> {
    let word = |from: &str, in_pattern: &str| {
        let words = FILLERS.into_iter().filter_map(|star| super::arn_with(from, star));
        words.into_iter().find(|word| {
            let fields = word.splitn(6, ':').zip(in_pattern.splitn(6, ':'));
            in_pattern == "*"
                || fields.into_iter().all(|(word, field)| includes(field, word, Case::Sensitive))
        })
    };
    word(a, b).or_else(|| word(b, a))
}
