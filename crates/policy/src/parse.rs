//! JSON values to the syntax tree: the grammar of section 1, with a message for everything that is
//! not in it.
//!
//! The parser refuses what AWS refuses as malformed, and nothing that AWS merely reports: such a
//! policy is in force somewhere, and its meaning is what we are asked for. Where the grammar leaves
//! a reading open the decisions say which (D1, D2, D5). What a service asks beyond the grammar (a
//! key policy's size, the conditions an organisation's policy may have) is for the linter.
//!
//! Element names keep their case, operator and key names do not matter in theirs. The first mistake
//! ends the reading: a policy with a mistake has no meaning that later messages could build on.
//!
//! Errors carry spans only; [`Value::pointer_to`] finds the path from the span at the very end, so
//! that no function here has to know where in the document it is.

mod condition;
mod pattern;
mod principal;

use std::fmt;

use crate::ast::{Effect, Policy, PolicyType, Statement, Version};
use crate::diagnostic::{Code, ParseError, closest, quoted};
use crate::json::{self, Kind, Member, Value};
use crate::span::{Position, Span};

/// Most statements of one policy. The largest real policies have a few hundred.
pub const MAX_STATEMENTS: usize = 10_000;

/// Most entries of one list, and most members of one object of a condition. AWS's own size limits
/// end below 10,000.
pub const MAX_ENTRIES: usize = 100_000;

/// Longest text of a principal, an action, a resource, or a key or value of a condition, in
/// characters. ARNs end at 2,048; encoded condition values can be longer.
pub const MAX_PATTERN_CHARS: usize = 16_384;

/// Most wildcards, as written, of one action, one resource, or one value of an operator that has
/// wildcards. Automata grow with them; people write fewer than ten.
pub const MAX_WILDCARDS: usize = 1_000;

/// Reads a policy. Without a type, it is resource-based if some statement has a `Principal` or
/// `NotPrincipal`, and identity-based otherwise (1.8).
///
/// # Errors
///
/// [`ParseError`] for the first thing that is wrong.
pub fn parse(source: &str, policy_type: Option<PolicyType>) -> Result<Policy, ParseError> {
    let root = json::read(source)?;
    policy(source, &root, policy_type).map_err(|mut error| {
        error.path = root.pointer_to(error.span);
        error
    })
}

/// Reads a policy as [`parse`] does, from the bytes of a file.
///
/// # Errors
///
/// As of [`parse`], and where the bytes are not UTF-8.
pub fn parse_bytes(bytes: &[u8], policy_type: Option<PolicyType>) -> Result<Policy, ParseError> {
    parse(json::decode(bytes)?, policy_type)
}

/// The members of a policy document (1.1).
const POLICY_ELEMENTS: [&str; 3] = ["Version", "Id", "Statement"];

/// The members of a statement.
const STATEMENT_ELEMENTS: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

/// Names under which tools wrap a policy document.
const WRAPPERS: [&str; 5] =
    ["PolicyDocument", "AssumeRolePolicyDocument", "PolicyVersion", "Policy", "Document"];

/// What the parsing of a statement needs to know of the document around it.
#[derive(Clone, Copy)]
struct Context<'s> {
    source: &'s str,
    policy_type: PolicyType,
    version: Version,
}

/// Reads the document.
fn policy(
    source: &str,
    root: &Value<'_>,
    policy_type: Option<PolicyType>,
) -> Result<Policy, ParseError> {
    let mut context =
        Context { source, policy_type: PolicyType::Identity, version: Version::V2008 };
    let members = context.object(root, &"a policy")?;
    let elements = context.elements(members, POLICY_ELEMENTS, &"a policy")?;
    let [version, id, statements] = elements;
    if let Some(member) = version {
        context.version = context.version(&member.value)?;
    }
    let id = id.map(|member| context.text(&member.value, &"`Id`")).transpose()?.map(str::to_owned);
    let Some(statements) = statements else {
        let message = "the policy has no `Statement`";
        return Err(context.error(Code::MissingElement, root.span, message));
    };
    let (values, single_statement) = match &statements.value.kind {
        Kind::Array(values) => (values.as_slice(), false),
        _ => (std::slice::from_ref(&statements.value), true),
    };
    if values.len() > MAX_STATEMENTS {
        let n = values.len();
        let message = format!("the policy has {n} statements; the limit is {MAX_STATEMENTS}");
        return Err(context.error(Code::TooLarge, statements.key_span, message));
    }
    context.policy_type = policy_type.unwrap_or_else(|| infer_type(values));
    let statements = values
        .iter()
        .enumerate()
        .map(|(index, value)| context.statement(index, value))
        .collect::<Result<Vec<_>, _>>()?;
    context.all_or_none_have_resources(&statements)?;
    let Context { policy_type, version, .. } = context;
    Ok(Policy { policy_type, version, id, statements, single_statement })
}

/// The type of a policy with these statements, by whether one of them names principals.
fn infer_type(statements: &[Value<'_>]) -> PolicyType {
    let names_principals = statements.iter().any(|statement| match &statement.kind {
        Kind::Object(members) => {
            members.iter().any(|member| matches!(&*member.key, "Principal" | "NotPrincipal"))
        }
        _ => false,
    });
    if names_principals { PolicyType::Resource } else { PolicyType::Identity }
}

impl Context<'_> {
    fn statement(&self, index: usize, value: &Value<'_>) -> Result<Statement, ParseError> {
        let members = self.object(value, &"a statement")?;
        let [
            sid,
            effect,
            principal,
            not_principal,
            action,
            not_action,
            resource,
            not_resource,
            condition,
        ] = self.elements(members, STATEMENT_ELEMENTS, &"a statement")?;
        let Some(effect) = effect else {
            let message = "the statement has no `Effect`";
            return Err(self
                .error(Code::MissingElement, value.span, message)
                .with_hint("`Effect` is `Allow` or `Deny`"));
        };
        let principal = self.one_of(principal, not_principal)?;
        self.check_principal(principal, value)?;
        let Some(action) = self.one_of(action, not_action)? else {
            let message = "the statement has neither `Action` nor `NotAction`";
            return Err(self.error(Code::MissingElement, value.span, message));
        };
        let resource = self.one_of(resource, not_resource)?;
        if resource.is_none() && self.policy_type == PolicyType::Identity {
            let message = "the statement has neither `Resource` nor `NotResource`";
            return Err(self.error(Code::MissingElement, value.span, message));
        }
        Ok(Statement {
            index,
            sid: sid.map(|sid| self.text(&sid.value, &"`Sid`")).transpose()?.map(str::to_owned),
            effect: self.effect(&effect.value)?,
            principal: principal.map(|member| self.principals(member)).transpose()?,
            action: self.actions(action)?,
            resource: resource.map(|member| self.resources(member)).transpose()?,
            conditions: match condition {
                Some(member) => self.conditions(&member.value)?,
                None => Vec::new(),
            },
            span: value.span,
        })
    }

    /// Checks that the statement names principals if, and only if, its policy is resource-based.
    fn check_principal(
        &self,
        principal: Option<&Member<'_>>,
        statement: &Value<'_>,
    ) -> Result<(), ParseError> {
        match (self.policy_type, principal) {
            (PolicyType::Identity, Some(member)) => {
                let message = format!("{} in an identity-based policy", quoted(&member.key));
                Err(self.error(Code::ForbiddenElement, member.key_span, message).with_hint(
                    "an identity-based policy applies to whoever it is attached to; \
                     if this is a resource-based policy, give its type as `resource`",
                ))
            }
            (PolicyType::Resource, None) => {
                let message = "the statement has neither `Principal` nor `NotPrincipal`";
                Err(self
                    .error(Code::MissingElement, statement.span, message)
                    .with_hint("each statement of a resource-based policy says whom it is about"))
            }
            _ => Ok(()),
        }
    }

    /// Checks that `Resource` is in every statement or in none: a trust policy stands for its role,
    /// and is that role's whole policy (1.8).
    fn all_or_none_have_resources(&self, statements: &[Statement]) -> Result<(), ParseError> {
        let without = statements.iter().find(|statement| statement.resource.is_none());
        let with = statements.iter().find(|statement| statement.resource.is_some());
        let (Some(without), Some(with)) = (without, with) else { return Ok(()) };
        let place = Position::of(self.source, with.span.start);
        let message = format!(
            "the statement has neither `Resource` nor `NotResource`, but the one at {place} has"
        );
        Err(self
            .error(Code::MissingElement, without.span, message)
            .with_hint("only trust policies have no `Resource`, and then in no statement"))
    }

    fn version(&self, value: &Value<'_>) -> Result<Version, ParseError> {
        match self.text(value, &"`Version`")? {
            "2012-10-17" => Ok(Version::V2012),
            "2008-10-17" => Ok(Version::V2008),
            other => {
                let message = format!("unknown version {}", quoted(other));
                Err(self
                    .error(Code::InvalidVersion, value.span, message)
                    .with_hint("`Version` is `2012-10-17`, or `2008-10-17` for the old language"))
            }
        }
    }

    fn effect(&self, value: &Value<'_>) -> Result<Effect, ParseError> {
        match self.text(value, &"`Effect`")? {
            "Allow" => Ok(Effect::Allow),
            "Deny" => Ok(Effect::Deny),
            other => {
                let message = format!("unknown effect {}", quoted(other));
                let hint = match closest(other, ["Allow", "Deny"]) {
                    Some(effect) => format!("did you mean `{effect}`?"),
                    None => "`Effect` is `Allow` or `Deny`".to_owned(),
                };
                Err(self.error(Code::InvalidEffect, value.span, message).with_hint(hint))
            }
        }
    }

    /// The members of an object in the order of `known`; any other member is an error.
    fn elements<'v, 's, const N: usize>(
        &self,
        members: &'v [Member<'s>],
        known: [&str; N],
        what: &dyn fmt::Display,
    ) -> Result<[Option<&'v Member<'s>>; N], ParseError> {
        let mut elements = [None; N];
        for member in members {
            match known.iter().position(|name| *name == member.key) {
                Some(n) => elements[n] = Some(member),
                None => return Err(self.unknown_element(member, &known, what)),
            }
        }
        Ok(elements)
    }

    fn unknown_element(
        &self,
        member: &Member<'_>,
        known: &[&str],
        what: &dyn fmt::Display,
    ) -> ParseError {
        let message = format!("unknown element {} in {what}", quoted(&member.key));
        let error = self.error(Code::UnknownElement, member.key_span, message);
        let key = &*member.key;
        if let Some(name) = known.iter().find(|name| name.eq_ignore_ascii_case(key)) {
            return error.with_hint(format!("write `{name}`: element names are case-sensitive"));
        }
        if let Some(name) = closest(key, known.iter().copied()) {
            return error.with_hint(format!("did you mean `{name}`?"));
        }
        if known == POLICY_ELEMENTS && WRAPPERS.contains(&key) {
            return error
                .with_hint(format!("give the policy itself, without the `{key}` around it"));
        }
        if known == POLICY_ELEMENTS && STATEMENT_ELEMENTS.contains(&key) {
            return error.with_hint(format!("`{key}` belongs into a statement"));
        }
        if known == STATEMENT_ELEMENTS && POLICY_ELEMENTS.contains(&key) {
            return error.with_hint(format!("`{key}` belongs to the policy, not into a statement"));
        }
        error.with_hint(format!("the elements of {what} are {}", known.join(", ")))
    }

    /// The one of two members that is there; both at once are an error.
    fn one_of<'v, 's>(
        &self,
        plain: Option<&'v Member<'s>>,
        negated: Option<&'v Member<'s>>,
    ) -> Result<Option<&'v Member<'s>>, ParseError> {
        let (Some(first), Some(second)) = (plain, negated) else { return Ok(plain.or(negated)) };
        let message = format!("both `{}` and `{}` in one statement", first.key, second.key);
        let later = first.key_span.max(second.key_span);
        Err(self
            .error(Code::ConflictingElements, later, message)
            .with_hint("write two statements, or remove one of the two"))
    }

    fn object<'v, 's>(
        &self,
        value: &'v Value<'s>,
        what: &dyn fmt::Display,
    ) -> Result<&'v [Member<'s>], ParseError> {
        match &value.kind {
            Kind::Object(members) => Ok(members),
            _ => Err(self.wrong_type(value, what, "an object")),
        }
    }

    /// A value that must be a string.
    fn text<'v>(
        &self,
        value: &'v Value<'_>,
        what: &dyn fmt::Display,
    ) -> Result<&'v str, ParseError> {
        match &value.kind {
            Kind::String(text) => Ok(text),
            _ => Err(self.wrong_type(value, what, "a string")),
        }
    }

    /// A value that must be a string or a list of strings, as strings with their values.
    fn texts<'v, 's>(
        &self,
        value: &'v Value<'s>,
        what: &dyn fmt::Display,
    ) -> Result<Vec<(&'v str, &'v Value<'s>)>, ParseError> {
        let text = |value: &'v Value<'s>, expected| match &value.kind {
            Kind::String(text) => {
                self.check_length(text, value.span, what)?;
                Ok((&**text, value))
            }
            _ => Err(self.wrong_type(value, what, expected)),
        };
        match &value.kind {
            Kind::Array(values) => {
                self.check_entries(values.len(), value.span, what)?;
                values.iter().map(|value| text(value, "a list of strings")).collect()
            }
            _ => Ok(vec![text(value, "a string or a list of strings")?]),
        }
    }

    /// Refuses a `Not…` element without entries: it would match everything (D2).
    fn check_not_empty(&self, member: &Member<'_>, n_entries: usize) -> Result<(), ParseError> {
        if n_entries > 0 || !is_negated(member) {
            return Ok(());
        }
        let message = format!("`{}` without entries", member.key);
        Err(self
            .error(Code::EmptyList, member.value.span, message)
            .with_hint(format!("to mean everything, write `*` under `{}`", &member.key[3..])))
    }

    fn check_entries(
        &self,
        n: usize,
        span: Span,
        what: &dyn fmt::Display,
    ) -> Result<(), ParseError> {
        if n <= MAX_ENTRIES {
            return Ok(());
        }
        let message = format!("{what} has {n} entries; the limit is {MAX_ENTRIES}");
        Err(self.error(Code::TooLarge, span, message))
    }

    fn check_length(
        &self,
        text: &str,
        span: Span,
        what: &dyn fmt::Display,
    ) -> Result<(), ParseError> {
        // Counting the characters of every text would be slow, and bytes are never fewer.
        if text.len() <= MAX_PATTERN_CHARS {
            return Ok(());
        }
        let n = text.chars().count();
        if n <= MAX_PATTERN_CHARS {
            return Ok(());
        }
        let message =
            format!("a text of {n} characters in {what}; the limit is {MAX_PATTERN_CHARS}");
        Err(self.error(Code::TooLarge, span, message))
    }

    fn check_wildcards(&self, text: &str, span: Span) -> Result<(), ParseError> {
        let n = text.bytes().filter(|b| matches!(b, b'*' | b'?')).count();
        if n <= MAX_WILDCARDS {
            return Ok(());
        }
        let message = format!("a pattern with {n} wildcards; the limit is {MAX_WILDCARDS}");
        Err(self.error(Code::TooLarge, span, message))
    }

    fn wrong_type(&self, value: &Value<'_>, what: &dyn fmt::Display, expected: &str) -> ParseError {
        let message = format!("{what} must be {expected}, found {}", value.describe());
        let error = self.error(Code::WrongType, value.span, message);
        match value.kind {
            Kind::Number(_) => error.with_hint("put it in double quotes"),
            Kind::Null => error.with_hint("remove it, or give it a value"),
            _ => error,
        }
    }

    fn error(&self, code: Code, span: Span, message: impl Into<String>) -> ParseError {
        ParseError::new(code, self.source, span, message)
    }
}

/// Whether the member is a `Not…` element.
fn is_negated(member: &Member<'_>) -> bool {
    member.key.starts_with("Not")
}
