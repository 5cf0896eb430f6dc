//! The member `property` of a job: a property, a text that holds one, or which one of those that come with the program.

use keyaki_policy::diagnostic::quoted;
use keyaki_policy::json::{Kind, Member, Value};

use super::parameters::Values;
use super::{MAX_PROPERTY_BYTES, Written, from_text, from_value, library};
use crate::reader::{Fallible, Reader, pointer};

impl<'s> Reader<'s> {
    /// The value of `property` in a job: a property, or which one of those that come with the program.
    pub(crate) fn property(&self, mut value: Value<'s>, path: &str) -> Fallible<Written> {
        let none = Values::new();
        match &value.kind {
            Kind::String(text) if text.trim_start().starts_with('{') => from_text(text, &none),
            Kind::String(name) => self.named(name, &none, &value, path),
            Kind::Object(members) if members.iter().any(|member| member.key == "use") => {
                let mut values = Values::new();
                let mut name = None;
                for Member { key, value, .. } in members {
                    let path = pointer(path, key);
                    match &**key {
                        "use" => name = Some(self.string(value, &path)?),
                        "with" => values = self.values(value, &path)?,
                        other => {
                            let message = format!("unknown field {} beside `use`", quoted(other));
                            let hint = "`with` holds the values of the parameters";
                            return Err(self.wrong_with_hint(value, &path, &message, hint));
                        }
                    }
                }
                self.named(name.unwrap_or_default(), &values, &value, path)
            }
            Kind::Object(_) => {
                let text = self.text(&value);
                value.move_back(value.span.start);
                if text.len() > MAX_PROPERTY_BYTES {
                    let message = format!(
                        "a property of {} bytes; the limit is {MAX_PROPERTY_BYTES}",
                        text.len()
                    );
                    return Err(self.wrong(&value, path, &message));
                }
                from_value(text, value, &none)
            }
            _ => {
                let message =
                    format!("a property is an object or a name, not {}", value.describe());
                Err(self.wrong(&value, path, &message))
            }
        }
    }

    fn named(
        &self,
        name: &str,
        values: &Values,
        value: &Value<'_>,
        path: &str,
    ) -> Fallible<Written> {
        let ready = library::by_name(name).map_err(|hint| {
            let message = format!("there is no property {}", quoted(name));
            self.wrong_with_hint(value, path, &message, &hint)
        })?;
        from_text(ready.text, values)
    }

    /// The values of parameters: a text or a list of texts for each.
    fn values(&self, value: &Value<'_>, path: &str) -> Fallible<Values> {
        let Kind::Object(members) = &value.kind else {
            let message = format!("`with` is an object, not {}", value.describe());
            return Err(self.wrong(value, path, &message));
        };
        let mut values = Values::new();
        for Member { key, value, .. } in members {
            let path = pointer(path, key);
            let texts = match &value.kind {
                Kind::Array(texts) => &texts[..],
                _ => std::slice::from_ref(value),
            };
            let texts = texts.iter().map(|text| Ok(self.string(text, &path)?.to_owned()));
            values.insert(key.to_string(), texts.collect::<Fallible<_>>()?);
        }
        Ok(values)
    }
}
