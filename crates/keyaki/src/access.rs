//! Lists of accesses, as the `access` member of a job and the flags of the command line have them.

use keyaki_policy::access::{self, AccessPattern, Mistake};
use keyaki_policy::json::{Kind, Member, Value};

use crate::reader::{Fallible, Reader, pointer};
use crate::wire::ErrorRecord;

/// The most entries of a list of accesses.
pub const MAX_ACCESSES: usize = 100;

/// The most actions, and the most resources, of one entry.
pub const MAX_LISTED: usize = 1_000;

const FORM: &str =
    r#"such as `[{"actions": ["s3:PutObject"], "resources": ["arn:aws:s3:::b/*"]}]`"#;

/// One access from the texts of its actions and its resources; a list without texts is no
/// restriction.
///
/// # Errors
///
/// The first text that names nothing, or no text is given, or too many.
pub fn from_texts(actions: &[String], resources: &[String]) -> Result<AccessPattern, ErrorRecord> {
    if actions.is_empty() && resources.is_empty() {
        let hint = "name actions with `--action`, resources with `--resource`, or both";
        return Err(usage("no access is named", hint));
    }
    for (texts, name) in [(actions, "actions"), (resources, "resources")] {
        if texts.len() > MAX_LISTED {
            let message = format!("{} {name}; the limit is {MAX_LISTED}", texts.len());
            return Err(usage(&message, "a pattern with a `*` names several"));
        }
    }
    Ok(AccessPattern::new(
        read_all(actions, access::action)?,
        read_all(resources, access::resource)?,
    ))
}

/// What the texts name; none if there are no texts.
fn read_all<T>(
    texts: &[String],
    read: fn(&str) -> Result<T, Mistake>,
) -> Result<Option<Vec<T>>, ErrorRecord> {
    let read = |text: &String| read(text).map_err(|error| usage(&error.message, error.hint));
    let read: Vec<T> = texts.iter().map(read).collect::<Result<_, _>>()?;
    Ok((!read.is_empty()).then_some(read))
}

fn usage(message: &str, hint: &str) -> ErrorRecord {
    ErrorRecord { hint: Some(hint.to_owned()), ..ErrorRecord::new("invalid-access", message) }
}

impl Reader<'_> {
    /// The value of `access`.
    pub(crate) fn accesses(&self, value: &Value<'_>, path: &str) -> Fallible<Vec<AccessPattern>> {
        let Kind::Array(entries) = &value.kind else {
            return Err(self.wrong_access(value, path, "`access` is a list", FORM));
        };
        if entries.is_empty() {
            return Err(self.wrong_access(value, path, "`access` names no access", FORM));
        }
        if entries.len() > MAX_ACCESSES {
            let message =
                format!("`access` has {} entries; the limit is {MAX_ACCESSES}", entries.len());
            return Err(self.wrong_access(value, path, &message, FORM));
        }
        let entries = entries.iter().enumerate();
        entries.map(|(index, entry)| self.access(entry, &format!("{path}/{index}"))).collect()
    }

    fn access(&self, value: &Value<'_>, path: &str) -> Fallible<AccessPattern> {
        let Kind::Object(members) = &value.kind else {
            let message = "an access is an object with `actions`, `resources`, or both";
            return Err(self.wrong_access(value, path, message, FORM));
        };
        let mut read = AccessPattern { action: None, resource: None };
        for Member { key, value, .. } in members {
            let path = pointer(path, key);
            let known = AccessPattern::new;
            let one = match &**key {
                "actions" => known(Some(self.listed(value, &path, access::action)?), None),
                "resources" => known(None, Some(self.listed(value, &path, access::resource)?)),
                other => {
                    let message = format!("an access has no member `{other}`");
                    return Err(self.wrong_access(value, &path, &message, FORM));
                }
            };
            read.action = one.action.or(read.action);
            read.resource = one.resource.or(read.resource);
        }
        if read.action.is_none() && read.resource.is_none() {
            let message = "the access names neither `actions` nor `resources`";
            let hint = r#"any access at all is `{"actions": ["*"]}`"#;
            return Err(self.wrong_access(value, path, message, hint));
        }
        Ok(read)
    }

    /// A list of actions or of resources.
    fn listed<T>(
        &self,
        value: &Value<'_>,
        path: &str,
        read: fn(&str) -> Result<T, Mistake>,
    ) -> Fallible<Vec<T>> {
        let wrong = |message: &str| {
            Err(self.wrong_access(value, path, message, "leave the member out to mean any"))
        };
        let Kind::Array(texts) = &value.kind else {
            return wrong(&format!("a list of strings is expected, not {}", value.describe()));
        };
        match texts.len() {
            0 => return wrong("the list is empty"),
            n if n > MAX_LISTED => {
                return wrong(&format!("the list has {n} entries; the limit is {MAX_LISTED}"));
            }
            _ => {}
        }
        let read = |(index, value): (usize, &Value<'_>)| {
            let path = format!("{path}/{index}");
            let text = self.string(value, &path)?;
            read(text).map_err(|error| self.wrong_access(value, &path, &error.message, error.hint))
        };
        texts.iter().enumerate().map(read).collect()
    }

    fn wrong_access(
        &self,
        value: &Value<'_>,
        path: &str,
        message: &str,
        hint: &str,
    ) -> Box<ErrorRecord> {
        let mut record = self.wrong_with_hint(value, path, message, hint);
        record.code = "invalid-access".to_owned();
        record
    }
}
