//! What the conditions of a question ask of its keys, looked at before any is encoded.
//!
//! A key outside the catalogue, or a tag, is a text; but a text about which nothing is asked but
//! its date needs no letters. And of a number it may be enough where it stands among the constants
//! that it is compared with, of which all must be known.

use std::collections::{BTreeMap, BTreeSet};

use keyaki_policy::ast::{BaseOperator, Segment, Template};
use keyaki_policy::catalogue::{self, KeySort};

use super::condition::{self, Type};
use super::decimal::{self, Decimal};
use super::symbols::Key;
use crate::question::Question;

/// The most constants among which places are told apart: two places each fit sixteen bits.
const MAX_CONSTANTS: usize = 30_000;

/// The bits of a place.
pub(super) const PLACE_BITS: u32 = 16;

/// What is asked of each key, by its lower-case name.
#[derive(Clone, Debug, Default)]
pub(super) struct Usage {
    asked: BTreeMap<String, BTreeSet<Aspect>>,
    numbers: BTreeMap<String, BTreeSet<Decimal>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Aspect {
    Text,
    Number,
    Instant,
    Address,
}

impl Usage {
    /// What the question asks.
    pub(super) fn of(question: &Question) -> Usage {
        let mut usage = Usage::default();
        for (_, policy) in question.policies() {
            for statement in &policy.statements {
                for entry in statement.resource.iter().flat_map(|clause| &clause.entries) {
                    usage.variables(&entry.template);
                }
                for condition in &statement.conditions {
                    let base = condition.operator.base;
                    let key = condition.key.to_ascii_lowercase();
                    for value in &condition.values {
                        usage.variables(&value.template);
                        if let Some((_, number)) = condition::number(base, &value.template) {
                            usage.numbers.entry(key.clone()).or_default().insert(number);
                        }
                    }
                    let aspect = match Type::of(base) {
                        _ if base == BaseOperator::Null => continue,
                        Some(Type::Date) => Aspect::Instant,
                        Some(Type::Address) => Aspect::Address,
                        Some(Type::Number) => Aspect::Number,
                        None => Aspect::Text,
                    };
                    usage.asked.entry(key).or_default().insert(aspect);
                }
            }
        }
        usage
    }

    fn variables(&mut self, template: &Template) {
        for segment in &template.segments {
            if let Segment::Variable { key, .. } = segment {
                self.asked.entry(key.to_ascii_lowercase()).or_default().insert(Aspect::Text);
            }
        }
    }

    /// Whether nothing is asked of the key's text but its date.
    pub(super) fn is_instant(&self, key: &Key) -> bool {
        self.is_only(key, Aspect::Instant)
    }

    /// Whether nothing is asked of the key's text but its address.
    pub(super) fn is_address(&self, key: &Key) -> bool {
        self.is_only(key, Aspect::Address)
    }

    /// Whether nothing is asked of the key's value but where it stands among its constants.
    pub(super) fn is_place(&self, key: &Key) -> bool {
        self.is_only(key, Aspect::Number) && self.numbers(key).count() <= MAX_CONSTANTS
    }

    /// Of text keys that relations speak of, the text matters anyway: these are keys of the
    /// catalogue without a variable part.
    fn is_only(&self, key: &Key, aspect: Aspect) -> bool {
        let is_free = key.sort == KeySort::Number
            || key.lower.contains('/')
            || catalogue::key(&key.lower).is_none();
        let asked = self.asked.get(&key.lower);
        is_free && asked.is_some_and(|asked| asked.iter().eq([&aspect]))
    }

    /// For each key of which only the place is modelled a text for each place, by the key's
    /// lower-case name.
    pub(super) fn places(&self) -> BTreeMap<String, Vec<String>> {
        let places =
            self.asked.keys().map(|lower| Key::new(lower)).filter(|key| self.is_place(key));
        let texts = |key: Key| {
            let constants: Vec<&Decimal> = self.numbers(&key).collect();
            (key.lower, decimal::texts_of_places(&constants))
        };
        places.map(texts).collect()
    }

    /// The constants with which the key is compared as a number, in order.
    pub(super) fn numbers(&self, key: &Key) -> impl Iterator<Item = &Decimal> {
        self.numbers.get(&key.lower).into_iter().flatten()
    }
}
