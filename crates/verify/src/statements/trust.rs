//! What confines requests, where the question is whether something does: somebody in particular, or a value of a trusted key.

use std::borrow::Cow;

use super::patterns;
use super::read::{Condition, Entry, Question};
use crate::words::Words;
use crate::{Result, require};

/// A key of which a value that is named confines who has it.
#[derive(Debug)]
pub(crate) struct Trusted<'t> {
    key: Cow<'t, str>,
    /// `many` if a request can have several values of it, else `one`.
    number: &'t str,
    /// Which values confine: `any`, `no-colon`, or `true`.
    kind: &'t str,
}

impl<'t> Trusted<'t> {
    pub(crate) fn read(words: &mut Words<'t>) -> Result<Trusted<'t>> {
        let (number, kind) = (words.word()?, words.word()?);
        let is_number = ["one", "many"].contains(&number);
        require(is_number, || format!("`{number}` is no number of values"))?;
        let is_kind = ["any", "no-colon", "true"].contains(&kind);
        require(is_kind, || format!("`{kind}` is no kind of values"))?;
        Ok(Trusted { key: words.text()?, number, kind })
    }

    /// Whether a value that is named is none that everybody has: a text without wildcards and variables.
    pub(crate) fn confines(&self, value: &Entry<'_>) -> bool {
        let text = &*value.text;
        let is_of_kind = match self.kind {
            "no-colon" => !text.contains(':'),
            "true" => text == "true",
            _ => true,
        };
        let is_plain = value.n_fields == 1 && !patterns::is_pattern(text);
        is_of_kind && is_plain && !matches!(text, "" | "anonymous")
    }
}

impl<'t> Question<'t> {
    /// What is trusted of this key, if something is.
    pub(crate) fn trusted(&self, key: &str) -> Option<&Trusted<'t>> {
        self.trusted.iter().find(|trusted| trusted.key == key)
    }

    /// Whether everybody whom the entry means is somebody in particular.
    pub(crate) fn is_particular(&self, entry: &Entry<'_>) -> bool {
        match entry.kind {
            "all" | "aws" | "provider" => false,
            "service" => !self.deputies.contains(&entry.text),
            _ => true,
        }
    }

    /// Whether whoever satisfies the condition, or escapes it as the only one of a Deny, has a value that confines.
    pub(crate) fn confines(&self, condition: &Condition<'_>, of_deny: bool) -> bool {
        let Some(trusted) = self.trusted(&condition.key) else { return false };
        let (set, base, if_exists) = condition.parts();
        let fits = match (of_deny, base) {
            // An absent key satisfies the condition of a Deny.
            (true, "StringNotEquals" | "StringNotLike") => {
                set.is_empty() && trusted.number == "one"
            }
            (false, "StringEquals" | "StringLike" | "ArnEquals" | "ArnLike") => {
                set != "ForAllValues"
            }
            (false, "Bool") => set != "ForAllValues" && trusted.kind == "true",
            _ => false,
        };
        fits && !if_exists
            && !condition.values.is_empty()
            && condition.values.iter().all(|value| trusted.confines(value))
    }
}
