//! Which parts of a statement are included in statements of a list, alone or together.
//!
//! Together means that each action of the statement on each of its resources is in one of the list,
//! whose principals and conditions include those of the statement as a whole: a request has one
//! action and one resource, so the one that covers this pair matches it.

use std::cell::OnceCell;

use keyaki_policy::ast::{ActionPattern, Clause};

use super::index::{Index, Patterns};
use super::parts::{self, Source};
use super::{Budget, MANY_ACTIONS, MAX_RESOURCES, MAX_UNINDEXED, Table, n_resource_pairs};

/// Statements of which some may include others.
pub(super) struct Statements<'q> {
    all: Vec<Source<'q>>,
    index: OnceCell<Index>,
    /// The actions of each statement, where they are many.
    actions: Vec<OnceCell<Patterns>>,
    budget: &'q Budget,
}

impl<'q> Statements<'q> {
    pub(super) fn new(all: Vec<Source<'q>>, budget: &'q Budget) -> Statements<'q> {
        let actions = all.iter().map(|_| OnceCell::new()).collect();
        Statements { all, index: OnceCell::new(), actions, budget }
    }

    /// Numbers of statements, among them those of all that include an entry of each part of the
    /// given one. The one that stands at the same place comes first.
    fn candidates(&self, narrow: Source<'_>) -> Vec<u32> {
        let mut numbers = if self.all.len() <= MAX_UNINDEXED {
            (0..).take(self.all.len()).collect()
        } else {
            self.index.get_or_init(|| Index::new(&self.all)).including(narrow)
        };
        let same_place =
            |number: &u32| self.all[*number as usize].statement.index == narrow.statement.index;
        if let Some(position) = numbers.iter().position(same_place) {
            numbers[..=position].rotate_right(1);
        }
        numbers
    }

    /// The number of a statement here that matches every request that the given one matches.
    pub(super) fn including(&self, narrow: Source<'_>) -> Option<usize> {
        let includes = |number: &u32| {
            let wide = self.all[*number as usize];
            parts::principal_clause_includes(
                wide.statement.principal.as_ref(),
                narrow.statement.principal.as_ref(),
            ) && parts::conditions_include(wide.statement, narrow.statement)
                && parts::resource_clause_includes(wide, narrow)
                && self.includes_actions(*number as usize, &narrow.statement.action)
        };
        let mut numbers = self.candidates(narrow).into_iter();
        let is_allowed = |number: &u32| {
            let wide = self.all[*number as usize].statement;
            self.budget.allows(n_resource_pairs(wide, narrow.statement))
        };
        let found = numbers.by_ref().take_while(is_allowed).find(includes);
        found.map(|number| self.all[number as usize].number)
    }

    /// Whether the statement of that number is about every action that the clause is about.
    fn includes_actions(&self, number: usize, narrow: &Clause<ActionPattern>) -> bool {
        let wide = &self.all[number].statement.action;
        if wide.negated || narrow.negated {
            let n_pairs = wide.entries.len().saturating_mul(narrow.entries.len());
            return self.budget.allows(n_pairs) && parts::action_clause_includes(wide, narrow);
        }
        narrow.entries.iter().all(|entry| self.position_including(number, wide, entry).is_some())
    }

    /// The positions of the actions of the statement that no statements here include together, on
    /// all its resources; `None` if all are included. An action for which `is_open` holds stays
    /// open anyway; it is asked of the whole clause as well (`None`), if that is negated.
    pub(super) fn uncovered(
        &self,
        narrow: Source<'_>,
        is_open: &dyn Fn(Option<&ActionPattern>) -> bool,
        table: &mut Table,
    ) -> Option<Vec<usize>> {
        let entries = &narrow.statement.action.entries;
        if narrow.statement.action.negated {
            let by = if is_open(None) { None } else { self.including(narrow) };
            return match by {
                Some(by) => {
                    table.begin(narrow.number, by, None);
                    table.end(true);
                    None
                }
                None => Some((0..entries.len()).collect()),
            };
        }
        let n_resources = match &narrow.statement.resource {
            Some(clause) if !clause.negated && clause.entries.len() <= MAX_RESOURCES => {
                clause.entries.len()
            }
            _ => 1,
        };
        let all_resources = u64::MAX >> (64 - n_resources.max(1));
        let mut covered: Vec<u64> =
            entries.iter().map(|entry| if is_open(Some(entry)) { u64::MAX } else { 0 }).collect();
        let stays_open: Vec<bool> = covered.iter().map(|mask| *mask != 0).collect();
        for number in self.candidates(narrow) {
            let wide = self.all[number as usize];
            if !self.budget.allows(n_resource_pairs(wide.statement, narrow.statement)) {
                break;
            }
            let resources = resources_in(wide, narrow);
            if resources != 0 {
                let some = (resources & all_resources != all_resources).then_some(resources);
                table.begin(narrow.number, wide.number, some);
                self.note_actions(number as usize, entries, resources, &mut covered, table);
                table.end(false);
                if covered.iter().all(|mask| mask & all_resources == all_resources) {
                    break;
                }
            }
        }
        let is_covered =
            |at: &usize| !stays_open[*at] && covered[*at] & all_resources == all_resources;
        let open: Vec<usize> = (0..entries.len()).filter(|at| !is_covered(at)).collect();
        (!open.is_empty()).then_some(open)
    }

    /// Notes for each of the entries that the statement includes that these resources are covered.
    fn note_actions(
        &self,
        number: usize,
        entries: &[ActionPattern],
        resources: u64,
        covered: &mut [u64],
        table: &mut Table,
    ) {
        let clause = &self.all[number].statement.action;
        if clause.negated && !self.budget.allows(clause.entries.len().saturating_mul(entries.len()))
        {
            return;
        }
        // Versions of a policy list nearly the same actions in the same order.
        let mut next = 0;
        for (at, (entry, mask)) in entries.iter().zip(covered).enumerate() {
            if *mask & resources == resources {
                continue;
            }
            if !clause.negated && clause.entries.get(next).is_some_and(|e| e.text == entry.text) {
                table.action(at, next);
                next += 1;
                *mask |= resources;
            } else if let Some(position) = self.position_including(number, clause, entry) {
                table.action(at, if clause.negated { at } else { position });
                next = position + 1;
                *mask |= resources;
            }
        }
    }

    /// The position of an entry of the clause that includes the given one, or 0 if the clause is
    /// negated and includes it.
    fn position_including(
        &self,
        number: usize,
        clause: &Clause<ActionPattern>,
        entry: &ActionPattern,
    ) -> Option<usize> {
        if clause.negated {
            let excluded =
                |other: &ActionPattern| !parts::actions_are_disjoint(&other.text, &entry.text);
            return (!clause.entries.iter().any(excluded)).then_some(0);
        }
        let includes =
            |position: &usize| parts::action_includes(&clause.entries[*position].text, &entry.text);
        if clause.entries.len() <= MANY_ACTIONS {
            return (0..clause.entries.len()).find(includes);
        }
        let actions = self.actions[number].get_or_init(|| {
            let mut actions = Patterns::default();
            for (position, entry) in (0..).zip(&clause.entries) {
                actions.insert(&entry.text, position);
            }
            actions
        });
        let mut found = None;
        actions.including(&entry.text, |positions| {
            found = found.or_else(|| positions.iter().map(|p| *p as usize).find(includes));
        });
        found
    }
}

/// Which resources of `narrow` the statement `wide` includes, a bit each, if it includes its
/// principals and conditions; of a clause that is not taken apart all or none.
fn resources_in(wide: Source<'_>, narrow: Source<'_>) -> u64 {
    let (a, b) = (wide.statement, narrow.statement);
    if !parts::principal_clause_includes(a.principal.as_ref(), b.principal.as_ref())
        || !parts::conditions_include(a, b)
    {
        return 0;
    }
    let (Some(outer), Some(inner)) = (&a.resource, &b.resource) else {
        return u64::from(parts::resource_clause_includes(wide, narrow));
    };
    let n_entries = inner.entries.len();
    if outer.negated || inner.negated || n_entries > MAX_RESOURCES || parts::has_variables(outer) {
        let is_whole = parts::resource_clause_includes(wide, narrow);
        return if is_whole { u64::MAX } else { 0 };
    }
    let types = (wide.policy.policy_type, narrow.policy.policy_type);
    let is_in = |position: usize| {
        let entry = (types.1, &inner.entries[position]);
        // At the same place, as a rule.
        let own = outer.entries.get(position).into_iter().chain(&outer.entries);
        own.into_iter().any(|other| parts::resource_includes((types.0, other), entry))
    };
    (0..n_entries).filter(|position| is_in(*position)).fold(0, |mask, at| mask | 1 << at)
}
