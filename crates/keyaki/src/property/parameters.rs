//! Parameters of a property: `<name>` in its texts stands for what whoever uses it gives.
//!
//! Values are put in before anything is read, so what comes of them is read and refused as if it had been written there,
//! at the place of the parameter. A text that is nothing but a parameter can become a list.

use std::borrow::Cow;
use std::collections::BTreeMap;

use keyaki_policy::diagnostic::{closest, quoted};
use keyaki_policy::json::{Kind, Member, Value};
use keyaki_policy::span::Span;

/// The most texts of one value.
pub const MAX_TEXTS: usize = 1_000;

/// What parameters stand for: one text, or several.
pub type Values = BTreeMap<String, Vec<String>>;

/// A parameter that cannot be replaced.
pub(super) struct Mistake {
    pub(super) message: String,
    pub(super) hint: String,
    pub(super) span: Span,
}

/// Whether a text can be the name of a parameter.
pub fn is_name(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.starts_with(|first: char| first.is_ascii_lowercase()) && text.bytes().all(is_letter)
}

/// Puts values in the places of parameters, of which each that is declared is needed and no other is known. A
/// property that declares none has none.
pub(super) fn substitute(
    property: &mut Value<'_>,
    declared: &[(String, String)],
    values: &Values,
) -> Result<(), Mistake> {
    let span = property.span;
    let wrong = |message, hint| Err(Mistake { message, hint, span });
    let names = || declared.iter().map(|(name, _)| name.as_str());
    for (name, texts) in values {
        if !names().any(|known| known == name) {
            let hint = match closest(name, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if declared.is_empty() => "it has none".to_owned(),
                None => format!("its parameters are {}", names().collect::<Vec<_>>().join(", ")),
            };
            return wrong(format!("the property has no parameter {}", quoted(name)), hint);
        }
        if texts.is_empty() || texts.len() > MAX_TEXTS {
            let message = format!("{} values for {}", texts.len(), quoted(name));
            return wrong(message, format!("1 to {MAX_TEXTS} are given"));
        }
    }
    for (name, what) in declared {
        if !values.contains_key(name) {
            let message = format!("the parameter `{name}` has no value");
            let hint = format!(
                "it is {what}; give it as `--set {name}=…`, or in `with` beside `use` in a job"
            );
            return wrong(message, hint);
        }
    }
    if declared.is_empty() {
        return Ok(());
    }
    let Kind::Object(members) = &mut property.kind else { return Ok(()) };
    let is_rule = |member: &&mut Member<'_>| member.key == "never" || member.key == "always";
    members.iter_mut().filter(is_rule).try_for_each(|member| replace(&mut member.value, values))
}

fn replace(value: &mut Value<'_>, values: &Values) -> Result<(), Mistake> {
    let span = value.span;
    match &mut value.kind {
        Kind::String(text) => {
            let kind = match whole(text, values) {
                Some(texts) => match texts {
                    [text] => Kind::String(Cow::Owned(text.clone())),
                    texts => Kind::Array(texts.iter().map(|text| owned(text, span)).collect()),
                },
                None => Kind::String(Cow::Owned(filled(text, values, span)?)),
            };
            value.kind = kind;
        }
        Kind::Array(elements) => {
            let mut all = Vec::with_capacity(elements.len());
            for mut element in std::mem::take(elements) {
                let texts = match &element.kind {
                    Kind::String(text) => whole(text, values),
                    _ => None,
                };
                if let Some(texts) = texts {
                    all.extend(texts.iter().map(|text| owned(text, element.span)));
                    continue;
                }
                replace(&mut element, values)?;
                all.push(element);
            }
            *elements = all;
        }
        Kind::Object(members) => {
            for member in members {
                member.key = Cow::Owned(filled(&member.key, values, member.key_span)?);
                replace(&mut member.value, values)?;
            }
        }
        Kind::Null | Kind::Bool(_) | Kind::Number(_) => {}
    }
    Ok(())
}

fn owned<'s>(text: &str, span: Span) -> Value<'s> {
    Value { kind: Kind::String(Cow::Owned(text.to_owned())), span }
}

/// What the text stands for if it is nothing but a parameter.
fn whole<'v>(text: &str, values: &'v Values) -> Option<&'v [String]> {
    let name = text.strip_prefix('<')?.strip_suffix('>')?;
    values.get(name).map(Vec::as_slice)
}

/// The text with a value in the place of each parameter.
fn filled(text: &str, values: &Values, span: Span) -> Result<String, Mistake> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        filled.push_str(before);
        let name = after.split_once('>').filter(|(name, _)| is_name(name));
        let Some((name, after)) = name else {
            filled.push('<');
            rest = after;
            continue;
        };
        match values.get(name).map(Vec::as_slice) {
            Some([value]) => filled.push_str(value),
            Some(texts) => {
                let message =
                    format!("`<{name}>` is a part of a text, and has {} values", texts.len());
                let hint = "several values stand where the parameter is the whole text".to_owned();
                return Err(Mistake { message, hint, span });
            }
            None => {
                let message = format!("`<{name}>` is no parameter of the property");
                let hint = match closest(name, values.keys().map(String::as_str)) {
                    Some(near) => format!("did you mean `<{near}>`?"),
                    None => "declare it under `parameters`".to_owned(),
                };
                return Err(Mistake { message, hint, span });
            }
        }
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}
