//! Deny statements of the reference that what is in question does not deny as well: what one of them
//! may match is not covered. One that is about other resources than an Allow statement, or about
//! other actions than the one in question, or of which a Deny in question includes whatever it has in
//! common with the Allow, plays no part.

use std::cell::OnceCell;

use keyaki_policy::ast::{ActionPattern, Clause, Statement};

use super::index::Patterns;
use super::parts::{self, Source};
use super::{Budget, MANY_ACTIONS, glob, n_pairs, n_resource_pairs};

/// Deny statements of the reference that no Deny in question includes.
pub(super) struct Denies<'q, 'b> {
    all: Vec<Deny<'q>>,
    budget: &'b Budget,
}

/// One of them.
pub(super) struct Deny<'q> {
    source: Source<'q>,
    /// Its actions, where they are many and not negated; the positions of those with wildcards.
    words: OnceCell<(Patterns, Vec<usize>)>,
}

impl<'q, 'b> Denies<'q, 'b> {
    pub(super) fn new(denies: Vec<Source<'q>>, budget: &'b Budget) -> Denies<'q, 'b> {
        let deny = |source| Deny { source, words: OnceCell::new() };
        Denies { all: denies.into_iter().map(deny).collect(), budget }
    }

    /// Those that may match a resource that the statement matches.
    pub(super) fn touching(&self, source: Source<'_>) -> Vec<&Deny<'q>> {
        let is_outside = |deny: &Deny<'_>| {
            let (own, other) = (source.statement, deny.source.statement);
            match (&own.resource, &other.resource) {
                (Some(a), Some(b)) => {
                    self.budget.allows(n_resource_pairs(own, other))
                        && parts::resource_clauses_are_disjoint(a, b)
                }
                _ => false,
            }
        };
        self.all.iter().filter(|deny| !is_outside(deny)).collect()
    }

    /// False only if none of these matches an action of the entry; for none in particular it is
    /// true if there is one.
    pub(super) fn may_match(&self, touching: &[&Deny<'q>], entry: Option<&ActionPattern>) -> bool {
        touching
            .iter()
            .any(|deny| !self.budget.allows(deny.n_comparisons()) || !deny.is_outside(entry))
    }
}

/// The number of a statement that matches whatever both others match: of each of its parts one of the two is included in it, or each entry of
/// the second that the first has anything in common with.
pub(super) fn including_both(
    a: Source<'_>,
    b: Source<'_>,
    by: &[Source<'_>],
    budget: &Budget,
) -> Option<usize> {
    let includes = |wide: &&Source<'_>| {
        let of = wide.statement;
        let both = [a, b];
        let some = |part: &dyn Fn(Source<'_>) -> bool| both.into_iter().any(part);
        budget.allows(n_pairs(of, a.statement).saturating_add(n_pairs(of, b.statement)))
            && some(&|narrow| {
                let narrow = narrow.statement.principal.as_ref();
                parts::principal_clause_includes(of.principal.as_ref(), narrow)
            })
            && (some(&|narrow| parts::resource_clause_includes(**wide, narrow))
                || parts::resource_clause_includes_met(**wide, a, b))
            && (some(&|narrow| parts::action_clause_includes(&of.action, &narrow.statement.action))
                || action_clause_includes_met(&of.action, &a.statement.action, &b.statement.action))
            && parts::conditions_include_both(of, a.statement, b.statement)
    };
    by.iter().find(includes).map(|wide| wide.number)
}

/// Whether a clause lists every action of `met` that `narrow` may match.
fn action_clause_includes_met(
    wide: &Clause<ActionPattern>,
    narrow: &Clause<ActionPattern>,
    met: &Clause<ActionPattern>,
) -> bool {
    let has = |wanted: &ActionPattern| {
        wide.entries.iter().any(|entry| parts::action_includes(&entry.text, &wanted.text))
    };
    let is_met =
        |entry: &ActionPattern| parts::action_is_outside(&entry.text, narrow) || has(entry);
    !wide.negated && !met.negated && met.entries.iter().all(is_met)
}

impl<'q> Deny<'q> {
    pub(super) fn source(&self) -> Source<'q> {
        self.source
    }

    pub(super) fn statement(&self) -> &'q Statement {
        self.source.statement
    }

    /// How many entries it takes at most to find out whether it is outside.
    fn n_comparisons(&self) -> usize {
        match self.words.get() {
            Some((_, globs)) => globs.len(),
            None => self.source.statement.action.entries.len(),
        }
    }

    /// True only if it matches no action of the entry; for none in particular it is false.
    fn is_outside(&self, entry: Option<&ActionPattern>) -> bool {
        let Some(ActionPattern { text, .. }) = entry else { return false };
        let clause = &self.source.statement.action;
        if clause.negated || clause.entries.len() <= MANY_ACTIONS || glob::has_wildcard(text) {
            return parts::action_is_outside(text, clause);
        }
        let (words, globs) = self.words.get_or_init(|| {
            let (mut words, mut globs) = (Patterns::default(), Vec::new());
            for (position, entry) in clause.entries.iter().enumerate() {
                match glob::has_wildcard(&entry.text) {
                    true => globs.push(position),
                    false => words.insert(&entry.text, 0),
                }
            }
            (words, globs)
        });
        let mut is_listed = false;
        words.including(text, |_| is_listed = true);
        let is_apart = |at: &usize| parts::actions_are_disjoint(&clause.entries[*at].text, text);
        !is_listed && globs.iter().all(is_apart)
    }
}
