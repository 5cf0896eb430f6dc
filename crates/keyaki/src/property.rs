//! Properties that somebody wrote himself, as JSON or YAML: from a text to rules, each mistake with its place.
//!
//! ```yaml
//! description: only with MFA may anybody delete from the production buckets
//! never:
//!   may: s3:DeleteObject*
//!   on: arn:aws:s3:::prod-*/*
//!   unless:
//!     when: {Bool: {"aws:MultiFactorAuthPresent": true}}
//! ```
//!
//! `who`, `may`, `on` and `when` hold what `Principal`, `Action`, `Resource` and `Condition` of a policy do, and they are read by
//! the reader of policies: a rule becomes the value of a policy document in which everything keeps its place in
//! the property's text. `docs/custom.md` says what a rule means.
//!
//! A mistake in a property is worse than one in a policy: a rule about requests that cannot be holds of every
//! policy. So what is merely odd in a policy, such as the ARN of nothing, is refused here.

mod in_job;
pub mod library;
mod notes;
pub mod parameters;
mod yaml;

use std::borrow::Cow;

use keyaki_analysis::property::{Demand, Property, Rule};
use keyaki_analysis::question::{PolicyRef, Side};
use keyaki_analysis::zone::Zone;
use keyaki_policy::access;
use keyaki_policy::diagnostic::{closest, quoted};
use keyaki_policy::json::{self, Kind, Member, Value};
use keyaki_policy::parse::parse_value;
use keyaki_policy::span::{Position, Span};
use keyaki_policy::{ParseError, Policy, PolicyType};

use crate::policies::Document;
use crate::reader::{Fallible, Reader, pointer};
use crate::trust;
use crate::wire::ErrorRecord;
use library::About;
use parameters::Values;

/// Longest text of a property, in bytes.
pub const MAX_PROPERTY_BYTES: usize = 1 << 18;

/// The most rules of one property.
pub const MAX_RULES: usize = 100;

/// The most exemptions of one rule.
pub const MAX_EXEMPTIONS: usize = 100;

/// The code of mistakes in a property.
const CODE: &str = "invalid-property";

const PROPERTY_FIELDS: [&str; 4] = ["description", "parameters", "never", "always"];
const RULE_FIELDS: [&str; 5] = ["who", "may", "on", "when", "unless"];
const EXEMPTION_FIELDS: [&str; 4] = ["who", "may", "on", "when"];
const OUTSIDE_FIELDS: [&str; 4] =
    ["accounts", "organization", "organization_accounts", "service_principals"];

/// A property, with the text of each of its rules.
#[derive(Clone, Debug)]
pub struct Written {
    /// What it demands.
    pub property: Property,
    /// What it is for, in the words of its author.
    pub description: Option<String>,
    /// The text, once for each rule.
    pub documents: Vec<Document>,
    /// Names in it that are likely to be misspelt, each with its place.
    pub notes: Vec<String>,
}

/// Reads a property from a file: JSON if the text begins with a brace, YAML otherwise.
///
/// # Errors
///
/// The first mistake, with its place in the text.
pub fn from_text(text: &str, values: &Values) -> Result<Written, Box<ErrorRecord>> {
    let value = read(text)?;
    from_value(text, value, values)
}

/// What can be told of a property before its parameters have values.
///
/// # Errors
///
/// The first mistake in these parts.
pub fn about(text: &str) -> Result<About, Box<ErrorRecord>> {
    let value = read(text)?;
    let reader = PropertyReader { source: text, reader: Reader { source: text, is_file: true } };
    let mut about = About::default();
    for Member { key, value, .. } in reader.object(&value, "a property", "")? {
        match &**key {
            "description" => {
                about.description = Some(reader.reader.string(value, "/description")?.to_owned());
            }
            "parameters" => about.parameters = reader.parameters(value)?,
            _ => {}
        }
    }
    Ok(about)
}

/// Reads the JSON or YAML of a text that is not too long.
fn read(text: &str) -> Result<Value<'_>, Box<ErrorRecord>> {
    if text.len() > MAX_PROPERTY_BYTES {
        let message = format!("{} bytes; the limit is {MAX_PROPERTY_BYTES}", text.len());
        return Err(Box::new(ErrorRecord::new(CODE, message)));
    }
    let is_json = text.trim_start_matches('\u{feff}').trim_start().starts_with('{');
    if is_json {
        return json::read(text).map_err(|error| Box::new(ErrorRecord::in_policy(ROOT, &error)));
    }

    yaml::read(text).map_err(|mistake| {
        let record = ErrorRecord::new("invalid-yaml", mistake.message);
        Box::new(ErrorRecord {
            hint: mistake.hint,
            policy: Some(ROOT.to_owned()),
            line: Some(mistake.position.line),
            column: Some(mistake.position.column),
            ..record
        })
    })
}

/// Where a property stands in a job.
const ROOT: &str = "/property";

/// Reads a property whose text has been read. The value's places are places in `source`.
pub(crate) fn from_value(
    source: &str,
    value: Value<'_>,
    values: &Values,
) -> Result<Written, Box<ErrorRecord>> {
    let reader = PropertyReader { source, reader: Reader { source, is_file: true } };
    reader
        .property(value, values)
        .map_err(|record| Box::new(ErrorRecord { policy: Some(ROOT.to_owned()), ..*record }))
}

struct PropertyReader<'s> {
    source: &'s str,
    reader: Reader<'s>,
}

/// The parts of a rule or of an exemption.
struct Parts<'v, 's> {
    who: Who<'v, 's>,
    may: Option<Clause<'v, 's>>,
    on: Option<Clause<'v, 's>>,
    when: Option<&'v Value<'s>>,
    unless: Option<&'v Value<'s>>,
    span: Span,
}

/// A value under a name, or all others.
struct Clause<'v, 's> {
    is_negated: bool,
    value: &'v Value<'s>,
}

enum Who<'v, 's> {
    Anybody,
    Is(&'v Value<'s>),
    IsNot(&'v Value<'s>),
    Outside(Zone),
}

impl<'s> PropertyReader<'s> {
    fn property(&self, mut value: Value<'s>, values: &Values) -> Fallible<Written> {
        let members = self.object(&value, "a property", "")?;
        self.check_fields(members, "a property", "", &PROPERTY_FIELDS)?;
        let parameters = members.iter().find(|member| member.key == "parameters");
        let declared = match parameters {
            None => Vec::new(),
            Some(member) => self.parameters(&member.value)?,
        };
        parameters::substitute(&mut value, &declared, values)
            .map_err(|mistake| self.wrong(mistake.span, "", &mistake.message, &mistake.hint))?;
        let root = &value;
        let mut written = Written {
            property: Property { rules: Vec::new() },
            description: None,
            documents: Vec::new(),
            notes: Vec::new(),
        };
        for Member { key, value, .. } in self.object(root, "a property", "")? {
            let path = pointer("", key);
            match &**key {
                "description" => {
                    written.description = Some(self.reader.string(value, &path)?.to_owned());
                }
                "never" => self.rules(Demand::Never, value, &path, &mut written)?,
                "always" => self.rules(Demand::Always, value, &path, &mut written)?,
                _ => {}
            }
        }
        if written.property.rules.is_empty() {
            let message = "the property demands nothing: it has neither `never` nor `always`";
            let hint = "`never: {may: \"s3:DeleteBucket\"}` says that nobody may delete a bucket";
            return Err(self.wrong(root.span, "", message, hint));
        }
        Ok(written)
    }

    /// The names of the parameters, each with what it is.
    fn parameters(&self, value: &Value<'s>) -> Fallible<Vec<(String, String)>> {
        let members = self.object(value, "`parameters`", "/parameters")?;
        let mut declared = Vec::with_capacity(members.len());
        for Member { key, key_span, value } in members {
            let path = pointer("/parameters", key);
            if !parameters::is_name(key) {
                let message = format!("{} is no name of a parameter", quoted(key));
                let hint = "a name has small letters, digits and hyphens, such as `home-region`";
                return Err(self.wrong(*key_span, &path, &message, hint));
            }
            declared.push((key.to_string(), self.reader.string(value, &path)?.to_owned()));
        }
        Ok(declared)
    }

    /// One rule, or a list of them.
    fn rules(
        &self,
        demand: Demand,
        value: &Value<'s>,
        path: &str,
        written: &mut Written,
    ) -> Fallible<()> {
        let rules = match &value.kind {
            Kind::Array(rules) => &rules[..],
            _ => std::slice::from_ref(value),
        };
        for (index, rule) in rules.iter().enumerate() {
            let path = match value.kind {
                Kind::Array(_) => format!("{path}/{index}"),
                _ => path.to_owned(),
            };
            let n_rules = written.property.rules.len();
            if n_rules == MAX_RULES {
                let message = format!("more than {MAX_RULES} rules");
                return Err(self.wrong(rule.span, &path, &message, "write two properties"));
            }
            let (scope, outside) = self.rule(rule, demand, &path)?;
            notes::of(self.source, &scope, &mut written.notes);
            written.property.rules.push(Rule { demand, scope, outside });
            let at = PolicyRef::of_union(Side::Property, n_rules);
            let source = self.source.to_owned();
            written.documents.push(Document::new(at, format!("{ROOT}{path}"), source));
        }
        Ok(())
    }

    /// What a rule is about, and whom it is not about.
    fn rule(
        &self,
        value: &Value<'s>,
        demand: Demand,
        path: &str,
    ) -> Fallible<(Policy, Option<Zone>)> {
        let what = format!("a rule of `{}`", demand.as_str());
        let mut parts = self.parts(value, path, &what, &RULE_FIELDS)?;
        let who = std::mem::replace(&mut parts.who, Who::Anybody);
        let (outside, principal, others) = match who {
            Who::Anybody => (None, None, None),
            Who::Is(principal) => (None, Some(principal), None),
            Who::IsNot(principal) => (None, None, Some(principal)),
            Who::Outside(zone) => (Some(zone), None, None),
        };
        let mut statements = vec![self.statement("Allow", principal, &parts)];
        if let Some(principal) = others {
            let anything = Parts {
                who: Who::Anybody,
                may: None,
                on: None,
                when: None,
                unless: None,
                span: principal.span,
            };
            statements.push(self.statement("Deny", Some(principal), &anything));
        }
        if let Some(unless) = parts.unless {
            let path = pointer(path, "unless");
            let exemptions = match &unless.kind {
                Kind::Array(exemptions) => &exemptions[..],
                _ => std::slice::from_ref(unless),
            };
            if exemptions.is_empty() || exemptions.len() > MAX_EXEMPTIONS {
                let message = format!("{} exemptions", exemptions.len());
                let hint = format!("there are 1 to {MAX_EXEMPTIONS} under an `unless`");
                return Err(self.wrong(unless.span, &path, &message, &hint));
            }
            for (index, exemption) in exemptions.iter().enumerate() {
                let path = match unless.kind {
                    Kind::Array(_) => format!("{path}/{index}"),
                    _ => path.clone(),
                };
                statements.push(self.exemption(exemption, &path)?);
            }
        }
        let document = self.document(statements, value.span);
        let policy = parse_value(self.source, &document, Some(PolicyType::Resource));
        let policy = policy.map_err(|error| self.in_words_of_properties(error, path))?;
        self.check_conditions(&policy, path)?;
        Ok((policy, outside))
    }

    fn exemption(&self, value: &Value<'s>, path: &str) -> Fallible<Value<'s>> {
        let parts = self.parts(value, path, "an exemption", &EXEMPTION_FIELDS)?;
        let principal = match &parts.who {
            Who::Anybody => None,
            Who::Is(principal) => Some(*principal),
            Who::IsNot(_) | Who::Outside(_) => {
                let path = pointer(path, "who");
                let message = "an exemption names whom it is for";
                let hint = "`not` and `outside` belong to the rule: say there whom it is about";
                return Err(self.wrong(value.span, &path, message, hint));
            }
        };
        Ok(self.statement("Deny", principal, &parts))
    }

    /// The fields of a rule or of an exemption, of which there is at least one.
    fn parts<'v>(
        &self,
        value: &'v Value<'s>,
        path: &str,
        what: &str,
        fields: &[&str],
    ) -> Fallible<Parts<'v, 's>> {
        let members = self.object(value, what, path)?;
        self.check_fields(members, what, path, fields)?;
        let find = |name: &str| members.iter().find(|member| member.key == name);
        if !EXEMPTION_FIELDS.into_iter().any(|name| find(name).is_some()) {
            let message = format!("{what} names no requests");
            let hint = "say `who` may do it, what he `may` do, `on` what, and `when`";
            return Err(self.wrong(value.span, path, &message, hint));
        }
        let who = match find("who") {
            None => Who::Anybody,
            Some(member) => self.who(&member.value, &pointer(path, "who"))?,
        };
        let clause = |name: &str, check: fn(&str) -> Result<(), access::Mistake>| {
            let member = find(name);
            let read =
                |member: &'v Member<'s>| self.clause(&member.value, &pointer(path, name), check);
            member.map(read).transpose()
        };
        Ok(Parts {
            who,
            may: clause("may", |text| access::action(text).map(drop))?,
            on: clause("on", check_resource)?,
            when: find("when").map(|member| &member.value),
            unless: find("unless").map(|member| &member.value),
            span: value.span,
        })
    }

    fn who<'v>(&self, value: &'v Value<'s>, path: &str) -> Fallible<Who<'v, 's>> {
        let Kind::Object(members) = &value.kind else { return Ok(Who::Is(value)) };
        match &members[..] {
            [member] if member.key == "not" => Ok(Who::IsNot(&member.value)),
            [member] if member.key == "outside" => {
                let path = pointer(path, "outside");
                Ok(Who::Outside(self.zone(&member.value, &path)?))
            }
            _ => match members.iter().find(|m| m.key == "not" || m.key == "outside") {
                None => Ok(Who::Is(value)),
                Some(member) => {
                    let message = format!("`{}` beside other fields of `who`", member.key);
                    let hint = "it stands alone: write a rule for each";
                    Err(self.wrong(member.key_span, path, &message, hint))
                }
            },
        }
    }

    /// The zone of trust under `outside`.
    fn zone(&self, value: &Value<'s>, path: &str) -> Fallible<Zone> {
        let members = self.object(value, "`outside`", path)?;
        self.check_fields(members, "`outside`", path, &OUTSIDE_FIELDS)?;
        let is_of_trust = |member: &&Member<'s>| member.key != "service_principals";
        let trust: Vec<Member<'s>> = members.iter().filter(is_of_trust).cloned().collect();
        let mut parts = trust::Parts::default();
        let of_trust = Value { kind: Kind::Object(trust), span: value.span };
        self.reader.trust(&of_trust, path, &mut parts)?;
        if let Some(member) = members.iter().find(|member| !is_of_trust(member)) {
            let path = pointer(path, &member.key);
            parts.services = self.reader.services(&member.value, &path)?;
        }
        let zone = parts.zone().map_err(|error| {
            let hint = error.hint.unwrap_or_default();
            self.wrong(value.span, path, &error.message, &hint)
        })?;
        if zone.known_accounts().next().is_none() && zone.organization.is_none() {
            let hint = "name `accounts`, an `organization`, or both";
            return Err(self.wrong(value.span, path, "nobody is inside", hint));
        }
        Ok(zone)
    }

    /// What stands under `may` or `on`: one or several, or what they are not.
    fn clause<'v>(
        &self,
        value: &'v Value<'s>,
        path: &str,
        check: fn(&str) -> Result<(), access::Mistake>,
    ) -> Fallible<Clause<'v, 's>> {
        let clause = match &value.kind {
            Kind::Object(members) => match &members[..] {
                [member] if member.key == "not" => {
                    Clause { is_negated: true, value: &member.value }
                }
                _ => {
                    let message = "this is a text, a list of texts, or `not` with such";
                    return Err(self.wrong(value.span, path, message, "write `{not: …}`"));
                }
            },
            _ => Clause { is_negated: false, value },
        };
        let entries = match &clause.value.kind {
            Kind::Array(entries) => &entries[..],
            _ => std::slice::from_ref(clause.value),
        };
        if entries.is_empty() {
            let hint = "leave the field out to mean any";
            return Err(self.wrong(value.span, path, "the list is empty", hint));
        }
        for entry in entries {
            // What is no text is told by the reader of policies.
            if let Kind::String(text) = &entry.kind {
                check(text)
                    .map_err(|error| self.wrong(entry.span, path, &error.message, error.hint))?;
            }
        }
        Ok(clause)
    }

    /// A statement of a policy that says the parts; what is left out is any.
    fn statement(
        &self,
        effect: &'static str,
        principal: Option<&Value<'s>>,
        parts: &Parts<'_, 's>,
    ) -> Value<'s> {
        let any = Value { kind: Kind::String(Cow::Borrowed("*")), span: parts.span };
        let named = |clause: &Option<Clause<'_, 's>>, names: [&'static str; 2]| match clause {
            None => (names[0], any.clone()),
            Some(clause) => (names[usize::from(clause.is_negated)], clause.value.clone()),
        };
        let effect = Value { kind: Kind::String(Cow::Borrowed(effect)), span: parts.span };
        let mut members = vec![
            ("Effect", effect),
            ("Principal", principal.cloned().unwrap_or_else(|| any.clone())),
            named(&parts.may, ["Action", "NotAction"]),
            named(&parts.on, ["Resource", "NotResource"]),
        ];
        members.extend(parts.when.map(|when| ("Condition", when.clone())));
        let member = |(key, value): (&'static str, Value<'s>)| Member {
            key: Cow::Borrowed(key),
            key_span: value.span,
            value,
        };
        let members = members.into_iter().map(member).collect();
        Value { kind: Kind::Object(members), span: parts.span }
    }

    fn document(&self, statements: Vec<Value<'s>>, span: Span) -> Value<'s> {
        let version = Value { kind: Kind::String(Cow::Borrowed("2012-10-17")), span };
        let statements = Value { kind: Kind::Array(statements), span };
        let members = [("Version", version), ("Statement", statements)];
        let members =
            members.map(|(key, value)| Member { key: Cow::Borrowed(key), key_span: span, value });
        Value { kind: Kind::Object(members.into()), span }
    }

    /// A mistake that the reader of policies found, in the words of the property.
    fn in_words_of_properties(&self, error: ParseError, path: &str) -> Box<ErrorRecord> {
        let say = |text: &str| {
            const WORDS: [(&str, &str); 6] = [
                ("`NotAction`", "`not` of `may`"),
                ("`NotResource`", "`not` of `on`"),
                ("`Principal`", "`who`"),
                ("`Action`", "`may`"),
                ("`Resource`", "`on`"),
                ("`Condition`", "`when`"),
            ];
            WORDS.into_iter().fold(text.to_owned(), |text, (policy, own)| text.replace(policy, own))
        };
        let hint = error.hint.as_deref().map(say).unwrap_or_default();
        self.wrong(error.span, path, &say(&error.message), &hint)
    }

    /// Conditions without any test are a mistake here: they would widen or narrow the rule unseen.
    fn check_conditions(&self, policy: &Policy, path: &str) -> Fallible<()> {
        for condition in policy.statements.iter().flat_map(|statement| &statement.conditions) {
            if condition.values.is_empty() {
                let message = format!("no values for {}", quoted(&condition.key));
                let hint = "name a value, or use `Null` to ask whether the key is there";
                return Err(self.wrong(condition.key_span, path, &message, hint));
            }
        }
        Ok(())
    }

    fn object<'v>(
        &self,
        value: &'v Value<'s>,
        what: &str,
        path: &str,
    ) -> Fallible<&'v [Member<'s>]> {
        match &value.kind {
            Kind::Object(members) => Ok(members),
            _ => {
                let message = format!("{what} is an object, not {}", value.describe());
                let hint = format!("the fields are {}", PROPERTY_FIELDS.join(", "));
                let hint = if path.is_empty() { &hint } else { "" };
                Err(self.wrong(value.span, path, &message, hint))
            }
        }
    }

    fn check_fields(
        &self,
        members: &[Member<'s>],
        what: &str,
        path: &str,
        known: &[&str],
    ) -> Fallible<()> {
        let Some(member) = members.iter().find(|member| !known.contains(&&*member.key)) else {
            return Ok(());
        };
        let message = format!("unknown field {} in {what}", quoted(&member.key));
        let hint = match closest(&member.key, known.iter().copied()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("the fields of {what} are {}", known.join(", ")),
        };
        Err(self.wrong(member.key_span, &pointer(path, &member.key), &message, &hint))
    }

    fn wrong(&self, span: Span, path: &str, message: &str, hint: &str) -> Box<ErrorRecord> {
        let position = Position::of(self.source, span.start);
        Box::new(ErrorRecord {
            hint: (!hint.is_empty()).then(|| hint.to_owned()),
            path: Some(path.to_owned()),
            line: Some(position.line),
            column: Some(position.column),
            ..ErrorRecord::new(CODE, message)
        })
    }
}

/// Checks that a resource can be one: `*`, or an ARN of six fields, of which the last may have policy variables.
fn check_resource(text: &str) -> Result<(), access::Mistake> {
    match text.find("${") {
        None => access::resource(text).map(drop),
        // What is left of the ARN is one if a star stands for the rest.
        Some(variable) => access::resource(&format!("{}*", &text[..variable])).map(drop),
    }
}
