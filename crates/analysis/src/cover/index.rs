//! Which of many statements may include a given one, without asking each of them.
//!
//! A glob includes a pattern only if its literal prefix is a prefix of the pattern's. So globs are
//! filed under the hash of their prefixes, texts without wildcard under that of the whole, and a
//! pattern is looked up under each of its own prefixes. What is found is a superset: hashes can
//! collide, and nothing but the beginning was looked at.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use keyaki_policy::ast::{Condition, ConditionValue};

use super::glob::{has_wildcard, literal_prefix};
use super::parts::{Source, has_variables, plain};

/// A statement with more entries is not looked up by them: every entry would be a search.
const MAX_LOOKUPS: usize = 8;

/// A hash of some text that is already one.
#[derive(Clone, Copy, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = step(self.0, byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        // The low bits of a product depend on low bits only.
        self.0 = hash ^ (hash >> 32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

type Map<V> = HashMap<u64, V, BuildHasherDefault<Hashed>>;

/// The hash of a text with one byte more, in any case.
fn step(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte.to_ascii_lowercase()) ^ 0x100).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ (hash >> 29)
}

fn hash(text: &str) -> u64 {
    text.bytes().fold(0, step)
}

/// Numbers filed under patterns.
#[derive(Default)]
pub(super) struct Patterns {
    words: Map<Vec<u32>>,
    globs: Map<Vec<u32>>,
    /// The lengths of the globs' prefixes.
    lengths: BTreeSet<usize>,
}

impl Patterns {
    pub(super) fn insert(&mut self, pattern: &str, number: u32) {
        if has_wildcard(pattern) {
            let prefix = literal_prefix(pattern);
            self.lengths.insert(prefix.len());
            self.globs.entry(hash(prefix)).or_default().push(number);
        } else {
            self.words.entry(hash(pattern)).or_default().push(number);
        }
    }

    /// Calls `visit` with lists of numbers, among which are those of all patterns that include the
    /// given one.
    pub(super) fn including<'a>(&'a self, pattern: &str, mut visit: impl FnMut(&'a [u32])) {
        let prefix = literal_prefix(pattern);
        if prefix.len() == pattern.len()
            && let Some(numbers) = self.words.get(&hash(pattern))
        {
            visit(numbers);
        }
        let mut lengths = self.lengths.iter().copied().peekable();
        let mut hash = 0;
        for length in 0..=prefix.len() {
            if lengths.next_if_eq(&length).is_some()
                && let Some(numbers) = self.globs.get(&hash)
            {
                visit(numbers);
            }
            if lengths.peek().is_none() {
                break;
            }
            hash = prefix.as_bytes().get(length).map_or(hash, |&byte| step(hash, byte));
        }
    }
}

/// The statements of a list by their actions, resources and conditions.
#[derive(Default)]
pub(super) struct Index {
    actions: Patterns,
    /// Statements that no action finds.
    any_action: Vec<u32>,
    resources: Patterns,
    any_resource: Vec<u32>,
    /// By the key of the first condition.
    values: Map<Patterns>,
    any_condition: Vec<u32>,
}

impl Index {
    pub(super) fn new(statements: &[Source<'_>]) -> Index {
        let mut index = Index::default();
        for (number, source) in (0u32..).zip(statements) {
            index.insert(number, source);
        }
        index
    }

    fn insert(&mut self, number: u32, source: &Source<'_>) {
        let statement = source.statement;
        if statement.action.negated {
            self.any_action.push(number);
        } else {
            for entry in &statement.action.entries {
                self.actions.insert(&entry.text, number);
            }
        }
        match &statement.resource {
            Some(clause) if !clause.negated && !has_variables(clause) => {
                for entry in &clause.entries {
                    match plain(&entry.template) {
                        Some(text) => self.resources.insert(text, number),
                        None => self.any_resource.push(number),
                    }
                }
            }
            _ => self.any_resource.push(number),
        }
        match statement.conditions.first() {
            Some(condition) if is_filed(condition) => {
                let key = hash(&condition.key);
                for value in filed_values(condition) {
                    self.values.entry(key).or_default().insert(value, number);
                }
            }
            _ => self.any_condition.push(number),
        }
    }

    /// Numbers of statements, among them those of all that include an entry of each part of the
    /// given one; ascending.
    pub(super) fn including(&self, narrow: Source<'_>) -> Vec<u32> {
        let mut best = self.by_conditions(&narrow.statement.conditions);
        let action = &narrow.statement.action;
        if !action.negated && action.entries.len() <= MAX_LOOKUPS {
            let mut lists = vec![self.any_action.as_slice()];
            for entry in &action.entries {
                self.actions.including(&entry.text, |numbers| lists.push(numbers));
            }
            best = shorter(best, lists);
        }
        if let Some(clause) = &narrow.statement.resource
            && !clause.negated
            && clause.entries.len() <= MAX_LOOKUPS
        {
            let mut lists = vec![self.any_resource.as_slice()];
            let mut is_plain = true;
            for entry in &clause.entries {
                match plain(&entry.template) {
                    Some(text) => self.resources.including(text, |numbers| lists.push(numbers)),
                    None => is_plain = false,
                }
            }
            if is_plain {
                best = shorter(best, lists);
            }
        }
        let mut numbers = best.concat();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    fn by_conditions(&self, conditions: &[Condition]) -> Vec<&[u32]> {
        let mut lists = vec![self.any_condition.as_slice()];
        for condition in conditions {
            if let Some(patterns) = self.values.get(&hash(&condition.key)) {
                for value in condition.values.iter().filter_map(text_of) {
                    patterns.including(value, |numbers| lists.push(numbers));
                }
            }
        }
        lists
    }
}

/// The lists that have fewer numbers in all.
fn shorter<'a>(a: Vec<&'a [u32]>, b: Vec<&'a [u32]>) -> Vec<&'a [u32]> {
    let size = |lists: &[&[u32]]| lists.iter().map(|list| list.len()).sum::<usize>();
    if size(&b) < size(&a) { b } else { a }
}

/// Whether a statement can be filed under the values of this condition.
fn is_filed(condition: &Condition) -> bool {
    !condition.values.is_empty() && condition.values.iter().all(|value| text_of(value).is_some())
}

/// The values under which a statement is filed: whatever implies the condition has, for a positive
/// operator, values that are all among them, and for a negated one all of them.
fn filed_values(condition: &Condition) -> impl Iterator<Item = &str> {
    let upto = if condition.operator.base.is_negated() { 1 } else { condition.values.len() };
    condition.values.iter().take(upto).filter_map(text_of)
}

fn text_of(value: &ConditionValue) -> Option<&str> {
    plain(&value.template)
}
