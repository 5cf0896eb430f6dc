//! Multivalued keys: lists as finite sets of elements, and the set operators (3.13).
//!
//! A list is a handful of *slots*, each of which the list uses or not. Slot 0 has the variables that
//! a single value would have and is used if and only if the key is present: an empty list is an
//! absent key (D23). The others have variables of their own, and the used ones come first. A
//! single-valued key is one slot, so that a set operator sees one element; a key of which nobody
//! knows whether it has a list uses further slots only if it has one.
//!
//! **How many slots are enough.** A question sees a list only through *atoms*, statements "some
//! element is such": `ForAnyValue` is one, `ForAllValues` the negation of one, and so is what the
//! relations say of elements (R7, R8, R17, R29), but for those that hold of every element by
//! themselves. Let a request satisfy the formula. Choose an element for each atom that is true of
//! its list, and throw the others away, but keep at least one. True atoms stay true, because what
//! was chosen is there; false ones stay false, because nothing was added; what holds of every
//! element still does. Hence every atom keeps its truth value and so does the formula, and no list
//! is longer than there are atoms on it. Those which occur only as "no element is such" in the
//! whole question (fixed values of trusted keys) need no element.
//!
//! Under the reading in which empty strings are nothing (D23), "some element is not empty" is an
//! atom more, but costs no slot beyond the second: if a chosen element is not empty, it serves; if
//! none is, all of them are the same empty string, for which one slot is enough.
//!
//! The order of a list matters to no operator. R17 speaks of the first and the last element: they
//! are elements, and [`crate::witness`] puts them at the ends.

use std::collections::{BTreeMap, BTreeSet};

use keyaki_logic::{Sort, Term};
use keyaki_policy::ast::{BaseOperator, Condition, SetOperator, Template, Version};
use keyaki_policy::catalogue::{Cardinality, KeySort};
use keyaki_policy::reading::Switch;

use super::condition::Test;
use super::pattern::{self, Bounds, Part, Pattern};
use super::symbols::{BEFORE_ROOT, Key, ROOT, switch_variable};
use super::{Encoder, Source};
use crate::question::Question;

/// The most elements of one list that are told apart. Policies ask for one or two; each costs a copy
/// of every condition on the key. With more of them the set operators on the key are opaque.
const MAX_ELEMENTS: usize = 32;

/// The prefix of the keys of R29, lower case.
pub(super) const REQUEST_TAG: &str = "aws:requesttag/";

/// The lists of a question.
#[derive(Clone, Debug, Default)]
pub(super) struct Lists {
    /// For each key whose elements some condition looks at, how many of them suffice. Keys that
    /// never have a list are not here.
    sizes: BTreeMap<String, usize>,
    /// The tags in the request of which the question speaks (R29), lower case.
    pub(super) tags: BTreeSet<String>,
}

impl Lists {
    /// The lists of which the question speaks, and these conditions beside it, on keys that it mentions.
    pub(super) fn of<'c>(
        question: &Question,
        beside: impl Iterator<Item = (&'c Condition, Version)>,
    ) -> Lists {
        let mut atoms: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (condition, version) in beside.filter(|(condition, _)| condition.operator.set.is_some())
        {
            let key = condition.key.to_ascii_lowercase();
            atoms.entry(key).or_default().insert(atom(condition, version));
        }
        let mut mentioned = BTreeSet::new();
        for (_, policy) in question.policies() {
            for statement in &policy.statements {
                mentioned.extend(statement.variables().map(str::to_ascii_lowercase));
                for condition in &statement.conditions {
                    let key = condition.key.to_ascii_lowercase();
                    mentioned.insert(key.clone());
                    if condition.operator.base == BaseOperator::Null {
                        continue;
                    }
                    let atoms = atoms.entry(key).or_default();
                    if condition.operator.set.is_some() {
                        atoms.insert(atom(condition, policy.version));
                    }
                }
            }
        }
        let is_tag = |key: &&String| key.starts_with(REQUEST_TAG) && key.is_ascii();
        let tags: BTreeSet<String> = mentioned.iter().filter(is_tag).cloned().collect();
        let of_relations = |key: &str| match key {
            "aws:tagkeys" => tags.len(),
            "aws:principalservicenameslist" => 1,
            "aws:calledvia" => ["aws:calledviafirst", "aws:calledvialast"]
                .into_iter()
                .filter(|key| mentioned.contains(*key))
                .count(),
            _ => 0,
        };
        let size = |(key, atoms): (String, BTreeSet<String>)| {
            let cardinality = Key::new(&key).cardinality;
            // Two for the reading in which empty strings are nothing.
            let least = if atoms.is_empty() { 1 } else { 2 };
            let size = (atoms.len() + of_relations(&key)).max(least);
            (cardinality != Some(Cardinality::Single)).then_some((key, size))
        };
        Lists { sizes: atoms.into_iter().filter_map(size).collect(), tags }
    }
}

/// What tells one atom from another.
fn atom(condition: &Condition, version: Version) -> String {
    let values: BTreeSet<String> =
        condition.values.iter().map(|value| value.template.to_string()).collect();
    format!("{:?} {:?} {values:?} {version:?}", condition.operator.set, condition.operator.base)
}

impl Encoder<'_> {
    /// The slots of a key; none if they are too many, or if nothing looks at the elements of its
    /// list.
    pub(super) fn slots(&self, key: &Key) -> Option<Vec<Key>> {
        if key.cardinality == Some(Cardinality::Single) {
            return Some(vec![key.clone()]);
        }
        let size = *self.lists.sizes.get(&key.lower)?;
        (size <= MAX_ELEMENTS).then(|| (0..size).map(|slot| key.element(slot)).collect())
    }

    /// The slots of all keys that can have a list and are represented.
    pub(super) fn elements(&self) -> BTreeMap<String, Vec<Key>> {
        let lists = self.lists.sizes.keys().filter_map(|lower| self.keys.get(lower));
        lists.filter_map(|key| Some((key.lower.clone(), self.slots(key)?))).collect()
    }

    /// True if and only if the alternative reading is in force.
    pub(super) fn alternative(&mut self, switch: Switch) -> Term {
        self.t.var(&switch_variable(switch), Sort::Bool)
    }

    /// The slots that are used come first, and a key without list uses slot 0 alone.
    pub(super) fn packed(&mut self, key: &Key) -> Term {
        let slots = self.slots(key).unwrap_or_default();
        let mut parts = Vec::new();
        for pair in slots.windows(2) {
            let (used, next) = (self.present(&pair[0]), self.present(&pair[1]));
            parts.push(self.t.implies(next, used));
        }
        if let (None, Some(second)) = (key.cardinality, slots.get(1)) {
            let list = self.t.var(&key.list(), Sort::Bool);
            let second = self.present(second);
            parts.push(self.t.implies(second, list));
        }
        self.t.and(parts)
    }

    /// A term that is true if and only if some element of the key has the property.
    pub(super) fn some_element(
        &mut self,
        slots: &[Key],
        mut property: impl FnMut(&mut Self, &Key) -> Term,
    ) -> Term {
        let mut ways = Vec::new();
        for slot in slots {
            let used = self.present(slot);
            let has = property(self, slot);
            ways.push(self.t.and([used, has]));
        }
        self.t.or(ways)
    }

    /// A term that is true if and only if every element of the key has the property; true of an
    /// absent key.
    pub(super) fn every_element(
        &mut self,
        slots: &[Key],
        mut property: impl FnMut(&mut Self, &Key) -> Term,
    ) -> Term {
        let mut parts = Vec::new();
        for slot in slots {
            let used = self.present(slot);
            let has = property(self, slot);
            parts.push(self.t.implies(used, has));
        }
        self.t.and(parts)
    }

    /// A term that is true if and only if a condition with a set operator holds of the request;
    /// none if its key has too many elements.
    pub(super) fn set_condition(
        &mut self,
        source: Source<'_>,
        condition: &Condition,
        key: &Key,
        operator: SetOperator,
    ) -> Option<Term> {
        let all = operator == SetOperator::ForAllValues;
        if condition.operator.base == BaseOperator::Null {
            // These two depend on nothing (3.12).
            return Some(self.t.bool(all));
        }
        let slots = self.slots(key)?;
        // A list without values passes nothing, under a negated operator neither (1.7).
        let is_empty = condition.values.is_empty();
        let passes = |encoder: &mut Self, slot: &Key| {
            if is_empty { encoder.t.bool(false) } else { encoder.passes(source, condition, slot) }
        };
        let holds = if all {
            self.every_element(&slots, passes)
        } else {
            self.some_element(&slots, passes)
        };
        let null = self.is_null_set(key, condition, &slots, all);
        if all {
            return Some(self.t.or([holds, null]));
        }
        let not_null = self.t.not(null);
        let holds = self.t.and([holds, not_null]);
        if !condition.operator.if_exists {
            return Some(holds);
        }
        // D24: whether an absent key satisfies `ForAnyValue:…IfExists`.
        let present = self.present(key);
        let absent = self.t.not(present);
        let nothing = self.t.or([absent, null]);
        let alternative = self.alternative(Switch::D24);
        let spared = self.t.and([nothing, alternative]);
        Some(self.t.or([holds, spared]))
    }

    /// A term that is true if and only if the key is present but nothing for the condition, because
    /// all its elements are empty strings (D23, D25); false where that makes no difference.
    fn is_null_set(&mut self, key: &Key, condition: &Condition, slots: &[Key], all: bool) -> Term {
        if !empty_string_matters(key, condition, all) {
            return self.t.bool(false);
        }
        let alternative = self.alternative(Switch::D23);
        let present = self.present(key);
        let only_empty = self.every_element(slots, Self::is_empty_string);
        self.t.and([alternative, present, only_empty])
    }

    /// A term that is true if and only if the element is the empty string.
    pub(super) fn is_empty_string(&mut self, slot: &Key) -> Term {
        match slot.sort {
            KeySort::String => self.test(slot, &Test::Text(Vec::new())).certain,
            _ => self.t.bool(false),
        }
    }

    /// The test of a path in the organisation of which the variable `id` is the id (R7).
    pub(super) fn organisation_path(&mut self, key: &Key, id: &str, test: &Test) -> Bounds {
        let Test::Text(tokens) = test else {
            // A path begins with an id without colon, and has a slash: it is no ARN, and of no
            // other type.
            return Bounds::exactly(self.t.bool(false));
        };
        let id = self.t.var(id, Sort::String);
        let root = self.t.var(&key.field(ROOT), Sort::String);
        let parts = [Part::Field(id), Part::Const(BEFORE_ROOT), Part::Rest(root)];
        pattern::concat_test(&mut self.t, &parts, tokens)
    }

    /// A term that is true if and only if the key is null, for the operator `Null` (3.12): it is
    /// absent or, in the alternative, a single empty string (D23).
    pub(super) fn is_null(&mut self, key: &Key, present: Term) -> Term {
        let absent = self.t.not(present);
        let empty = self.is_empty_string(key);
        if key.cardinality == Some(Cardinality::Multi) || self.t.as_bool(empty) == Some(false) {
            return absent;
        }
        let list = self.is_list(key, present);
        let single = self.t.not(list);
        let alternative = self.alternative(Switch::D23);
        let null = self.t.and([alternative, present, single, empty]);
        self.t.or([absent, null])
    }

    /// What a list does to an operator without set operator (D26): it fails it, but in the
    /// alternative passes a negated one.
    pub(super) fn passes_as_list(&mut self, condition: &Condition, list: Term) -> Term {
        if self.t.as_bool(list) == Some(false) || !condition.operator.base.is_negated() {
            return self.t.bool(false);
        }
        let alternative = self.alternative(Switch::D26);
        self.t.and([list, alternative])
    }
}

/// Whether it could make a difference to the condition that empty strings are nothing (D23, D25):
/// a list of empty strings passes `ForAllValues` then, and `ForAnyValue` only with `IfExists`
/// (D24).
fn empty_string_matters(key: &Key, condition: &Condition, all: bool) -> bool {
    use BaseOperator::*;
    if key.sort != KeySort::String {
        return false;
    }
    if !all && condition.operator.if_exists {
        return true;
    }
    let wildcards = match condition.operator.base {
        StringEquals | StringNotEquals | StringEqualsIgnoreCase | StringNotEqualsIgnoreCase => {
            false
        }
        StringLike | StringNotLike => true,
        _ => return true,
    };
    let mut values = condition.values.iter().map(|value| &value.template);
    if values.clone().any(Template::has_variable) {
        return true;
    }
    let matches = values.any(|value| pattern::matches(&Pattern::new(value, wildcards).tokens, ""));
    let passes = matches != condition.operator.base.is_negated() && !condition.values.is_empty();
    passes != all
}
