//! Values, and assignments of values to variables.

use std::collections::BTreeMap;

use crate::term::Sort;

/// A value of some [`Sort`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Value {
    /// A truth value.
    Bool(bool),
    /// A string of Unicode scalar values.
    String(String),
    /// A bit vector.
    Bits {
        /// The number, below 2^`width`.
        value: u128,
        /// The number of bits, at most 128.
        width: u32,
    },
}

impl Value {
    /// The sort of this value.
    pub fn sort(&self) -> Sort {
        match self {
            Value::Bool(_) => Sort::Bool,
            Value::String(_) => Sort::String,
            Value::Bits { width, .. } => Sort::Bits(*width),
        }
    }
}

/// An assignment of values to variables, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    values: BTreeMap<String, Value>,
}

impl Model {
    /// The empty assignment.
    pub fn new() -> Model {
        Model::default()
    }

    /// The value of the variable `name`, if it has one.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// Gives `name` the value `value`; returns the one it had.
    pub fn insert(&mut self, name: impl Into<String>, value: Value) -> Option<Value> {
        self.values.insert(name.into(), value)
    }

    /// Takes the value of `name` away, and returns it.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.values.remove(name)
    }

    /// The variables and their values, ordered by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl FromIterator<(String, Value)> for Model {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(values: I) -> Model {
        Model { values: values.into_iter().collect() }
    }
}
