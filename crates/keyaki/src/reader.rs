//! Values of a job, each mistake with its place.

use std::time::Duration;

use keyaki_policy::PolicyType;
use keyaki_policy::json::{Kind, Member, Value};
use keyaki_policy::span::{Position, Span};

use crate::wire::{ErrorRecord, PolicyTypeName};

pub(crate) type Fallible<T> = Result<T, Box<ErrorRecord>>;

/// The text of a job, for the places of mistakes in it.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'s> {
    pub(crate) source: &'s str,
    /// Whether places in policies are to be places in this text, as people who wrote it into a
    /// file expect. In a job they are places in the policy.
    pub(crate) is_file: bool,
}

impl<'s> Reader<'s> {
    /// A mistake at a value. `path` is a JSON pointer into the job.
    pub(crate) fn wrong(&self, value: &Value<'_>, path: &str, message: &str) -> Box<ErrorRecord> {
        self.wrong_at(value.span, path, message)
    }

    /// The same, where the value stood.
    pub(crate) fn wrong_at(&self, span: Span, path: &str, message: &str) -> Box<ErrorRecord> {
        let position = Position::of(self.source, span.start);
        Box::new(ErrorRecord {
            path: Some(path.to_owned()),
            line: Some(position.line),
            column: Some(position.column),
            ..ErrorRecord::new("invalid-job", message)
        })
    }

    /// As [`Reader::wrong`], with what to do about it.
    pub(crate) fn wrong_with_hint(
        &self,
        value: &Value<'_>,
        path: &str,
        message: &str,
        hint: &str,
    ) -> Box<ErrorRecord> {
        let mut record = self.wrong(value, path, message);
        record.hint = Some(hint.to_owned());
        record
    }

    /// A value that names a type of policy.
    pub(crate) fn policy_type(&self, value: &Value<'_>, path: &str) -> Fallible<PolicyType> {
        let name = self.string(value, path)?;
        let known = PolicyTypeName::by_name(name).ok_or_else(|| {
            let message = format!("`{name}` is no type of policy");
            let hint = format!("the types are {}", PolicyTypeName::names());
            self.wrong_with_hint(value, path, &message, &hint)
        })?;
        Ok(known.into())
    }

    pub(crate) fn string<'v>(&self, value: &'v Value<'_>, path: &str) -> Fallible<&'v str> {
        match &value.kind {
            Kind::String(text) => Ok(text),
            _ => {
                let message = format!("`{}` is a string, not {}", last(path), value.describe());
                Err(self.wrong(value, path, &message))
            }
        }
    }

    pub(crate) fn boolean(&self, value: &Value<'_>, path: &str) -> Fallible<bool> {
        match &value.kind {
            Kind::Bool(value) => Ok(*value),
            _ => {
                let name = last(path);
                let message = format!("`{name}` is `true` or `false`, not {}", value.describe());
                Err(self.wrong(value, path, &message))
            }
        }
    }

    pub(crate) fn object<'v>(
        &self,
        value: &'v Value<'s>,
        path: &str,
    ) -> Fallible<&'v [Member<'s>]> {
        match &value.kind {
            Kind::Object(members) => Ok(members),
            _ => {
                let message = format!("`{}` is an object, not {}", last(path), value.describe());
                Err(self.wrong(value, path, &message))
            }
        }
    }

    pub(crate) fn milliseconds(&self, value: &Value<'_>, path: &str) -> Fallible<Duration> {
        let milliseconds = match &value.kind {
            Kind::Number(digits) => digits.parse().ok(),
            _ => None,
        };
        let message = "`timeout_ms` is a whole number of milliseconds";
        milliseconds.map(Duration::from_millis).ok_or_else(|| self.wrong(value, path, message))
    }

    /// The text of a value, as it stands in the job.
    pub(crate) fn text(&self, value: &Value<'_>) -> &'s str {
        &self.source[value.span.start as usize..value.span.end as usize]
    }
}

/// A member's JSON pointer: `~` and `/` are escaped.
pub(crate) fn pointer(parent: &str, member: &str) -> String {
    format!("{parent}/{}", member.replace('~', "~0").replace('/', "~1"))
}

/// The last name of a pointer, as it was written.
fn last(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~")
}
