//! What can be told of a question from the texts of its policies, before anything is encoded.
//!
//! In a comparison nearly every statement of one policy is included in a statement of the other,
//! part by part; a pattern of a statement is included in one other pattern or not at all, but for
//! `?` and finite domains ([`glob`]). So of an Allow statement of the policy in question it is
//! looked up which actions statements of the reference cover, on all resources, under its
//! conditions and for its principals; what remains is *open*, and only that is encoded
//! ([`slice()`]). If nothing is open the property holds. Everything here is one-sided: what is
//! covered is so for every request and under every reading of the switches, and what is open is
//! merely not shown to be covered.
//!
//! Nothing is shared with the evaluator or with the encoder but the syntax tree, so that a `holds`
//! from here can be checked with either (`crates/properties`, `cover_agrees_with_formula`).

pub(crate) mod glob;
mod index;
pub(crate) mod parts;
mod slice;

use std::cell::OnceCell;

use keyaki_policy::Policy;
use keyaki_policy::ast::{
    ActionPattern, BaseOperator, Clause, Condition, Effect, Operator, PrincipalKind, SetOperator,
    Statement,
};
use keyaki_policy::catalogue::{self, Cardinality};

use crate::addresses::{Family, Network};
use crate::public::{ADDRESS_KEY, Fixed, Table, TrustedKey};
use crate::question::{PolicyRef, Question, Side, Subject};
use index::{Index, Patterns};
use parts::Source;
pub(crate) use slice::{keys_beside, slice};

/// An Allow statement through which the property may break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) at: PolicyRef,
    pub(crate) statement: usize,
    /// Positions of the entries of `Action` that are open; all of them if the clause is negated.
    pub(crate) actions: Vec<usize>,
}

/// Statements up to this number are asked one by one; of more there is an index.
const MAX_UNINDEXED: usize = 16;

/// The most statements that are compared for one question. What is not reached stays open.
const MAX_COMPARISONS: usize = 1 << 20;

/// The resources of a statement that are told apart; of more entries only all together are asked
/// for.
const MAX_RESOURCES: usize = 64;

/// The statements of a question through which its property may break; `None` if nothing is known
/// of questions of its kind.
///
/// If there is none, the property holds.
pub(crate) fn open_statements(question: &Question) -> Option<Vec<Open>> {
    match question {
        Question::NoNewAccess { existing: Subject::Union(existing), new: Subject::Union(new) } => {
            Some(new_access(existing, new))
        }
        Question::NoPublicAccess { policy, table } => Some(public_access(policy, table)),
        _ => None,
    }
}

/// All statements of that effect.
fn statements(policies: &[Policy], effect: Effect) -> Vec<Source<'_>> {
    let sources = policies.iter().flat_map(|policy| {
        policy.statements.iter().map(move |statement| Source { policy, statement })
    });
    sources.filter(|source| source.statement.effect == effect).collect()
}

fn new_access(existing: &[Policy], new: &[Policy]) -> Vec<Open> {
    let mut allows = Statements::new(statements(existing, Effect::Allow));
    let mut new_denies = Statements::new(statements(new, Effect::Deny));
    // What another Deny denies as well plays no part.
    let denies = statements(existing, Effect::Deny);
    let own_denies: Vec<Source<'_>> =
        denies.into_iter().filter(|deny| !new_denies.some_includes(*deny)).collect();
    let own_denies = Denies::new(own_denies);
    let mut open = Vec::new();
    for (index, policy) in new.iter().enumerate() {
        for statement in policy.statements.iter().filter(|s| s.effect == Effect::Allow) {
            let source = Source { policy, statement };
            let denies = own_denies.touching(source);
            let is_denied =
                |entry: Option<&ActionPattern>| denies.iter().any(|deny| !deny.is_outside(entry));
            let actions = allows.uncovered(source, &is_denied);
            if let Some(actions) = actions {
                let at = PolicyRef::of_union(Side::New, index);
                open.push(Open { at, statement: statement.index, actions });
            }
        }
    }
    open
}

/// Deny statements of the reference that no Deny in question includes.
struct Denies<'q>(Vec<Deny<'q>>);

struct Deny<'q> {
    source: Source<'q>,
    /// Its actions, where they are many and not negated; the positions of those with wildcards.
    words: OnceCell<(Patterns, Vec<usize>)>,
}

impl<'q> Denies<'q> {
    fn new(denies: Vec<Source<'q>>) -> Denies<'q> {
        Denies(denies.into_iter().map(|source| Deny { source, words: OnceCell::new() }).collect())
    }

    /// Those that may match a resource that the statement matches.
    fn touching(&self, source: Source<'_>) -> Vec<&Deny<'q>> {
        let is_outside = |deny: &Deny<'_>| {
            let resources = (&source.statement.resource, &deny.source.statement.resource);
            matches!(resources, (Some(a), Some(b)) if parts::resource_clauses_are_disjoint(a, b))
        };
        self.0.iter().filter(|deny| !is_outside(deny)).collect()
    }
}

impl Deny<'_> {
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

/// Statements of which some may include others.
struct Statements<'q> {
    all: Vec<Source<'q>>,
    index: OnceCell<Index>,
    /// The actions of each statement, where they are many.
    actions: Vec<OnceCell<Patterns>>,
    comparisons_left: usize,
}

/// The number of actions from which on those of a statement are indexed.
const MANY_ACTIONS: usize = 16;

impl<'q> Statements<'q> {
    fn new(all: Vec<Source<'q>>) -> Statements<'q> {
        let actions = all.iter().map(|_| OnceCell::new()).collect();
        Statements { all, index: OnceCell::new(), actions, comparisons_left: MAX_COMPARISONS }
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

    fn some_includes(&mut self, narrow: Source<'_>) -> bool {
        for number in self.candidates(narrow) {
            let Some(left) = self.comparisons_left.checked_sub(1) else { return false };
            self.comparisons_left = left;
            if parts::statement_includes(self.all[number as usize], narrow) {
                return true;
            }
        }
        false
    }

    /// The positions of the actions of the statement that no statements here include together, on
    /// all its resources; `None` if all are included. An action for which `is_open` holds stays
    /// open anyway; it is asked of the whole clause as well (`None`), if that is negated.
    fn uncovered(
        &mut self,
        narrow: Source<'_>,
        is_open: &dyn Fn(Option<&ActionPattern>) -> bool,
    ) -> Option<Vec<usize>> {
        let entries = &narrow.statement.action.entries;
        if narrow.statement.action.negated {
            let is_covered = !is_open(None) && self.some_includes(narrow);
            return (!is_covered).then(|| (0..entries.len()).collect());
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
            let Some(left) = self.comparisons_left.checked_sub(1) else { break };
            self.comparisons_left = left;
            let resources = resources_in(self.all[number as usize], narrow);
            if resources != 0 {
                self.note_actions(number as usize, entries, resources, &mut covered);
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
    ) {
        let clause = &self.all[number].statement.action;
        // Versions of a policy list nearly the same actions in the same order.
        let mut next = 0;
        for (entry, mask) in entries.iter().zip(covered) {
            if *mask & resources == resources {
                continue;
            }
            if !clause.negated && clause.entries.get(next).is_some_and(|e| e.text == entry.text) {
                next += 1;
                *mask |= resources;
            } else if let Some(position) = self.position_including(number, clause, entry) {
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

/// The Allow statements that may let the public in (Q2): those that neither name whom they let in
/// nor ask, themselves or by a Deny that covers them, for a fixed value of a trusted key.
fn public_access(policy: &Policy, table: &Table) -> Vec<Open> {
    let at = PolicyRef::of_union(Side::Policy, 0);
    let few_addresses = names_few_addresses(policy, table);
    let is_confined = |statement: &Statement| {
        let confines = |condition: &Condition| {
            asks_for_fixed_value(condition, table)
                || (few_addresses && asks_for_address(condition.operator, &condition.key))
        };
        names_principals(statement)
            || statement.conditions.iter().any(confines)
            || is_confined_by_deny(policy, statement, table)
    };
    let allows = policy.statements.iter().filter(|statement| statement.effect == Effect::Allow);
    let open = allows.filter(|statement| !is_confined(statement));
    open.map(|statement| {
        let actions = (0..statement.action.entries.len()).collect();
        Open { at, statement: statement.index, actions }
    })
    .collect()
}

/// Whether every principal that the statement matches is covered by an entry that names somebody in
/// particular.
fn names_principals(statement: &Statement) -> bool {
    let Some(clause) = &statement.principal else { return false };
    !clause.negated
        && clause.entries.iter().all(|entry| {
            !matches!(
                entry.kind,
                PrincipalKind::Everyone
                    | PrincipalKind::EveryAwsPrincipal
                    | PrincipalKind::Federated(_)
            )
        })
}

/// Whether every request that satisfies the condition has a fixed value of a key that the table
/// trusts. Only conditions of which that is plain are looked at: some value is present, and equal to
/// one of the texts listed.
fn asks_for_fixed_value(condition: &Condition, table: &Table) -> bool {
    let operator = condition.operator;
    let is_equality =
        matches!(operator.base, BaseOperator::StringEquals | BaseOperator::StringLike);
    let fits = match cardinality(&condition.key) {
        Some(Cardinality::Single) => operator.set.is_none(),
        Some(Cardinality::Multi) => operator.set == Some(SetOperator::ForAnyValue),
        None => false,
    };
    is_equality && fits && !operator.if_exists && has_fixed_values_only(condition, table)
}

fn cardinality(key: &str) -> Option<Cardinality> {
    catalogue::key(key).map(|info| info.cardinality)
}

/// Whether all values listed, of which there are some, are fixed values of a trusted key.
fn has_fixed_values_only(condition: &Condition, table: &Table) -> bool {
    let is_it = |trusted: &&TrustedKey| trusted.key.eq_ignore_ascii_case(&condition.key);
    let Some(trusted) = table.trusted_keys.iter().find(is_it) else { return false };
    let is_fixed = |text: &str| {
        !text.is_empty()
            && text != "anonymous"
            && !glob::has_wildcard(text)
            && (trusted.fixed != Fixed::LiteralWithoutColon || !text.contains(':'))
    };
    !condition.values.is_empty()
        && condition.values.iter().all(|v| parts::plain(&v.template).is_some_and(is_fixed))
}

/// Whether a Deny statement that covers all that the statement is about spares only requests with a
/// fixed value of a trusted key.
fn is_confined_by_deny(policy: &Policy, statement: &Statement, table: &Table) -> bool {
    let spares_fixed_values_only = |deny: &&Statement| match &deny.conditions[..] {
        // An absent key satisfies a negated operator, so it is denied.
        [condition] => {
            let operator = condition.operator;
            matches!(operator.base, BaseOperator::StringNotEquals | BaseOperator::StringNotLike)
                && operator.set.is_none()
                && cardinality(&condition.key) == Some(Cardinality::Single)
                && has_fixed_values_only(condition, table)
        }
        _ => false,
    };
    let covers = |deny: &Statement| {
        let (wide, narrow) = (Source { policy, statement: deny }, Source { policy, statement });
        parts::principal_clause_includes(deny.principal.as_ref(), statement.principal.as_ref())
            && parts::action_clause_includes(&deny.action, &statement.action)
            && parts::resource_clause_includes(wide, narrow)
    };
    let denies = policy.statements.iter().filter(|statement| statement.effect == Effect::Deny);
    denies.filter(spares_fixed_values_only).any(covers)
}

/// Whether the condition asks for an address in one of the ranges listed.
fn asks_for_address(operator: Operator, key: &str) -> bool {
    operator.base == BaseOperator::IpAddress
        && operator.set.is_none()
        && !operator.if_exists
        && key.eq_ignore_ascii_case(ADDRESS_KEY)
}

/// Whether all ranges that the policy names for the caller's address together are no more addresses
/// than the table allows.
fn names_few_addresses(policy: &Policy, table: &Table) -> bool {
    let conditions = policy.statements.iter().flat_map(|statement| &statement.conditions);
    let of_addresses =
        conditions.filter(|condition| condition.key.eq_ignore_ascii_case(ADDRESS_KEY));
    let (mut n_v4, mut n_v6) = (0u128, 0u128);
    for value in of_addresses.flat_map(|condition| &condition.values) {
        let network = parts::plain(&value.template).and_then(Network::parse);
        let Some(network) = network else { return false };
        let (sum, width) = match network.family {
            Family::V4 => (&mut n_v4, 32),
            Family::V6 => (&mut n_v6, 128),
        };
        let size = 1u128.checked_shl(width - network.length).unwrap_or(u128::MAX);
        *sum = sum.saturating_add(size);
    }
    n_v4 <= table.max_ipv4_addresses && n_v6 <= table.max_ipv6_addresses
}
