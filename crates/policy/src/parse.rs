//! JSON values to the syntax tree: the grammar of section 1, with a message for everything that is
//! not in it.
//!
//! The parser refuses what AWS refuses as malformed, and nothing that AWS merely reports: such a
//! policy is in force somewhere, and its meaning is what we are asked for. Where the grammar leaves
//! a reading open the decisions say which (D1, D2, D5). What has no bearing on the meaning is for
//! [`validate`](mod@crate::validate) even where AWS refuses it: sizes, repeated `Sid`s, a missing
//! `Version`.
//!
//! Element names keep their case, operator and key names do not matter in theirs. For [`parse`] the
//! first mistake ends the reading: a policy with a mistake has no meaning. [`parse_all`] runs the
//! same code and goes on after a mistake, with the element that has it left out; see
//! `Context::recover`.
//!
//! Errors carry spans only; [`Value::pointer_to`] finds the path from the span at the very end, so
//! that no function here has to know where in the document it is.

mod condition;
mod pattern;
mod principal;

use std::cell::RefCell;
use std::fmt;

use crate::ast::{
    ActionPattern, Clause, Effect, Policy, PolicyType, PrincipalEntry, PrincipalKind,
    ResourcePattern, Statement, Template, Version,
};
use crate::diagnostic::{Code, ParseError, closest, quoted};
use crate::json::{self, Kind, Member, Value};
use crate::span::{Position, Span};

/// Most statements of one policy. The largest real policies have a few hundred.
pub const MAX_STATEMENTS: usize = 20_000;

/// Most entries of one list, and most members of one object of a condition. AWS's own size limits
/// end below 10,000.
pub const MAX_ENTRIES: usize = 100_000;

/// Longest text of a principal, an action, a resource, or a key or value of a condition, in
/// characters. ARNs end at 2,048; encoded condition values can be longer.
pub const MAX_PATTERN_CHARS: usize = 16_384;

/// Most wildcards, as written, of one action, one resource, or one value of an operator that has
/// wildcards. Automata grow with them; people write fewer than ten.
pub const MAX_WILDCARDS: usize = 1_000;

/// Most mistakes that [`parse_all`] collects; nobody reads more, and each costs a walk through the
/// document.
pub const MAX_ERRORS: usize = 100;

/// Reads a policy. Without a type, it is resource-based if some statement has a `Principal` or
/// `NotPrincipal`, and identity-based otherwise (1.8); a resource-based one is a key policy if
/// it could be none but that (1.6).
///
/// # Errors
///
/// [`ParseError`] for the first thing that is wrong.
pub fn parse(source: &str, policy_type: Option<PolicyType>) -> Result<Policy, ParseError> {
    parse_value(source, &json::read(source)?, policy_type)
}

/// Reads a policy as [`parse`] does, where its JSON has been read already. `root` is the value that `source` holds, with
/// its places in that text.
///
/// # Errors
///
/// As of [`parse`].
pub fn parse_value(
    source: &str,
    root: &Value<'_>,
    policy_type: Option<PolicyType>,
) -> Result<Policy, ParseError> {
    policy(source, root, policy_type, None).map_err(|mut error| {
        error.path = root.pointer_to(error.span);
        error
    })
}

/// What can be read of a document that may have mistakes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The policy without the statements that have mistakes; none if there are no statements to
    /// read. It is what the document says if, and only if, there are no mistakes.
    pub policy: Option<Policy>,
    /// The mistakes in the order of their places, at most [`MAX_ERRORS`]. Empty if, and only if,
    /// [`parse`] reads the document, and then the first is the one that it gives or stands before
    /// that in the document.
    pub errors: Vec<ParseError>,
}

/// Reads a policy as [`parse`] does, and goes on after a mistake: each statement, each of its
/// elements and each entry of a list is read for itself. Only where the text stops being JSON
/// nothing more is said.
pub fn parse_all(source: &str, policy_type: Option<PolicyType>) -> Recovered {
    let (root, duplicates) = match json::read_repeated(source) {
        Ok(read) => read,
        Err(error) => {
            // A name that is repeated before the text stops being JSON is told as well.
            let mut errors: Vec<ParseError> = json::read(source).err().into_iter().collect();
            if errors.first() != Some(&error) {
                errors.push(error);
            }
            return Recovered { policy: None, errors };
        }
    };
    let mistakes = RefCell::new(duplicates);
    let read = policy(source, &root, policy_type, Some(&mistakes));
    let mut errors = mistakes.into_inner();
    let mut policy = read.map_err(|error| errors.push(error)).ok();
    if let Some(policy) = &mut policy {
        let holds = |outer: Span, inner: Span| outer.start <= inner.start && inner.end <= outer.end;
        policy
            .statements
            .retain(|statement| !errors.iter().any(|error| holds(statement.span, error.span)));
    }
    for error in &mut errors {
        error.path = root.pointer_to(error.span);
    }
    errors.sort_by_key(|error| error.span);
    errors.truncate(MAX_ERRORS);
    Recovered { policy, errors }
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
    /// Where mistakes are collected; none if the first one ends the reading.
    mistakes: Option<&'s RefCell<Vec<ParseError>>>,
}

/// Reads the document.
fn policy(
    source: &str,
    root: &Value<'_>,
    policy_type: Option<PolicyType>,
    mistakes: Option<&RefCell<Vec<ParseError>>>,
) -> Result<Policy, ParseError> {
    let version = Version::V2008;
    let mut context = Context { source, policy_type: PolicyType::Identity, version, mistakes };
    let members = context.object(root, &"a policy")?;
    let elements = context.elements(members, POLICY_ELEMENTS, &"a policy")?;
    let [version, id, statements] = elements;
    if let Some(member) = version {
        // With a version that there is not, variables are read as in the one that has them.
        let version = context.recover(context.version(&member.value))?;
        context.version = version.unwrap_or(Version::V2012);
    }
    let id = context.optional(id, |member| context.text(&member.value, &"`Id`"))?;
    let id = id.map(str::to_owned);
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
    let mut statements = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        statements.extend(context.recover(context.statement(index, value))?);
    }
    context.recover(context.all_or_none_have_resources(&statements))?;
    let Context { policy_type, version, .. } = context;
    Ok(Policy { policy_type, version, id, statements, single_statement })
}

/// The type of a policy with these statements: resource-based if one of them names principals, and
/// then a key policy if [`is_key_policy`].
fn infer_type(statements: &[Value<'_>]) -> PolicyType {
    if !statements.iter().any(|statement| has_member(statement, &["Principal", "NotPrincipal"])) {
        PolicyType::Identity
    } else if is_key_policy(statements) {
        PolicyType::Kms
    } else {
        PolicyType::Resource
    }
}

/// Whether a resource-based policy can be nothing but a key policy in which a statement was left
/// incomplete, which KMS saves and ignores (1.6): some statement lacks what it is about and another
/// does not, all actions are of `kms`, and every resource is `*`. A complete key policy needs no
/// telling apart.
fn is_key_policy(statements: &[Value<'_>]) -> bool {
    const ACTION: [&str; 2] = ["Action", "NotAction"];
    const RESOURCE: [&str; 2] = ["Resource", "NotResource"];
    let is_complete =
        |statement: &&Value<'_>| has_member(statement, &ACTION) && has_member(statement, &RESOURCE);
    let n_complete = statements.iter().filter(is_complete).count();
    let of_kms = |text: &str| {
        text.split_once(':').is_some_and(|(prefix, _)| prefix.eq_ignore_ascii_case("kms"))
    };
    0 < n_complete
        && n_complete < statements.len()
        && all_texts(statements, &ACTION, of_kms)
        && all_texts(statements, &RESOURCE, |text| text == "*")
}

fn has_member(value: &Value<'_>, names: &[&str]) -> bool {
    let Kind::Object(members) = &value.kind else { return false };
    members.iter().any(|member| names.contains(&&*member.key))
}

/// Whether every text under members of these names satisfies the test.
fn all_texts(statements: &[Value<'_>], names: &[&str], test: impl Fn(&str) -> bool) -> bool {
    let is_fine = |value: &Value<'_>| matches!(&value.kind, Kind::String(text) if test(text));
    statements.iter().all(|statement| {
        let Kind::Object(members) = &statement.kind else { return false };
        members.iter().filter(|member| names.contains(&&*member.key)).all(|member| {
            match &member.value.kind {
                Kind::Array(values) => values.iter().all(is_fine),
                _ => is_fine(&member.value),
            }
        })
    })
}

impl Context<'_> {
    /// The value, or none if it could not be read and mistakes are collected. Where they are not, or
    /// are too many, the mistake itself.
    fn recover<T>(&self, read: Result<T, ParseError>) -> Result<Option<T>, ParseError> {
        match (read, self.mistakes) {
            (Ok(value), _) => Ok(Some(value)),
            (Err(error), Some(mistakes)) if mistakes.borrow().len() < MAX_ERRORS => {
                mistakes.borrow_mut().push(error);
                Ok(None)
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Reads a member that may be absent.
    fn optional<'v, 's, T>(
        &self,
        member: Option<&'v Member<'s>>,
        read: impl FnOnce(&'v Member<'s>) -> Result<T, ParseError>,
    ) -> Result<Option<T>, ParseError> {
        match member {
            None => Ok(None),
            Some(member) => self.recover(read(member)),
        }
    }

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
        if effect.is_none() {
            let message = "the statement has no `Effect`";
            self.recover::<()>(Err(self
                .error(Code::MissingElement, value.span, message)
                .with_hint("`Effect` is `Allow` or `Deny`")))?;
        }
        let principal = self.recover(self.one_of(principal, not_principal))?.flatten();
        self.recover(self.check_principal(principal, value))?;
        // `Some(None)`: absent; `None`: both at once, which has been told.
        let action = self.recover(self.one_of(action, not_action))?;
        if action == Some(None) && !self.may_be_incomplete() {
            let message = "the statement has neither `Action` nor `NotAction`";
            self.recover::<()>(Err(self.error(Code::MissingElement, value.span, message)))?;
        }
        let resource = self.recover(self.one_of(resource, not_resource))?;
        if let Some(resource) = resource {
            self.recover(self.check_resource_element(resource, value))?;
        }
        let sid = self.optional(sid, |sid| self.text(&sid.value, &"`Sid`"))?.map(str::to_owned);
        let effect = self.optional(effect, |effect| self.effect(&effect.value))?;
        let principal = self.optional(principal, |member| self.principals(member))?;
        let actions = self.optional(action.flatten(), |member| self.actions(member))?;
        let resources = self.optional(resource.flatten(), |member| self.resources(member))?;
        let conditions = self.optional(condition, |member| self.conditions(&member.value))?;
        // What a key policy leaves out matches nothing (1.6).
        let nothing = || Clause { negated: false, entries: Vec::new(), span: value.span };
        let statement = Statement {
            index,
            sid,
            effect: effect.unwrap_or(Effect::Deny),
            principal,
            action: actions.unwrap_or_else(nothing),
            resource: match resources {
                None if self.may_be_incomplete() => {
                    Some(Clause { negated: false, entries: Vec::new(), span: value.span })
                }
                resources => resources,
            },
            conditions: conditions.unwrap_or_default(),
            span: value.span,
        };
        if self.policy_type == PolicyType::Rcp {
            self.recover(self.check_resource_control(&statement))?;
        }
        Ok(statement)
    }

    fn n_mistakes(&self) -> usize {
        self.mistakes.map_or(0, |mistakes| mistakes.borrow().len())
    }

    /// Whether a statement may lack what it is about, and then matches nothing (1.6).
    fn may_be_incomplete(&self) -> bool {
        self.policy_type == PolicyType::Kms
    }

    /// Checks that the statement names principals if, and only if, policies of its type do (1.8).
    fn check_principal(
        &self,
        principal: Option<&Member<'_>>,
        statement: &Value<'_>,
    ) -> Result<(), ParseError> {
        let names_principals = self.policy_type.names_principals();
        match principal {
            Some(member) if !names_principals => {
                let what = self.described();
                let message = format!("{} in {what}", quoted(&member.key));
                Err(self.error(Code::ForbiddenElement, member.key_span, message).with_hint(
                    format!(
                        "{what} applies to whoever it is attached to; \
                     if this is a resource-based policy, give its type as `resource`"
                    ),
                ))
            }
            Some(member)
                if is_negated(member)
                    && matches!(self.policy_type, PolicyType::Trust | PolicyType::Rcp) =>
            {
                let message = format!("{} in {}", quoted(&member.key), self.described());
                Err(self
                    .error(Code::ForbiddenElement, member.key_span, message)
                    .with_hint("name whom the statement is about under `Principal`"))
            }
            None if names_principals => {
                let message = "the statement has neither `Principal` nor `NotPrincipal`";
                Err(self.error(Code::MissingElement, statement.span, message).with_hint(format!(
                    "each statement of {} says whom it is about",
                    self.described()
                )))
            }
            _ => Ok(()),
        }
    }

    /// Checks that the statement says which resources it is about if policies of its type do (1.8).
    fn check_resource_element(
        &self,
        resource: Option<&Member<'_>>,
        statement: &Value<'_>,
    ) -> Result<(), ParseError> {
        match (self.policy_type, resource) {
            (PolicyType::Trust, Some(member)) => {
                let message = format!("{} in a trust policy", quoted(&member.key));
                Err(self
                    .error(Code::ForbiddenElement, member.key_span, message)
                    .with_hint("a trust policy is about its own role: remove the element"))
            }
            (PolicyType::Trust | PolicyType::Kms | PolicyType::Resource, None) | (_, Some(_)) => {
                Ok(())
            }
            (_, None) => {
                let message = "the statement has neither `Resource` nor `NotResource`";
                Err(self.error(Code::MissingElement, statement.span, message))
            }
        }
    }

    /// Checks what only a resource control policy must not have (1.8). `RCPFullAWSAccess`, which AWS
    /// attaches itself, is the one that allows.
    fn check_resource_control(&self, statement: &Statement) -> Result<(), ParseError> {
        let forbidden = |span, message: &str, hint: &str| {
            Err(self.error(Code::ForbiddenElement, span, message).with_hint(hint))
        };
        let is_everyone = |entry: &PrincipalEntry| {
            matches!(entry.kind, PrincipalKind::Everyone | PrincipalKind::EveryAwsPrincipal)
        };
        let principals = statement.principal.iter().flat_map(|clause| &clause.entries);
        if let Some(entry) = principals.into_iter().find(|entry| !is_everyone(entry)) {
            let message = "a resource control policy names a principal";
            let hint = "its `Principal` is `*`: name principals in a condition";
            return forbidden(entry.span, message, hint);
        }
        if statement.action.negated {
            let message = "`NotAction` in a resource control policy";
            return forbidden(statement.action.span, message, "list actions under `Action`");
        }
        if statement.effect == Effect::Allow && !is_full_access(statement) {
            let message = "a resource control policy that allows";
            let hint = "but for `RCPFullAWSAccess`, resource control policies deny";
            return forbidden(statement.span, message, hint);
        }
        Ok(())
    }

    /// The type of the policy being read, in words.
    fn described(&self) -> &'static str {
        match self.policy_type {
            PolicyType::Identity => "an identity-based policy",
            PolicyType::Boundary => "a permissions boundary",
            PolicyType::Session => "a session policy",
            PolicyType::Scp => "a service control policy",
            PolicyType::Rcp => "a resource control policy",
            PolicyType::Resource => "a resource-based policy",
            PolicyType::Trust => "a trust policy",
            PolicyType::Kms => "a key policy",
            PolicyType::VpcEndpoint => "an endpoint policy",
        }
    }

    /// Checks that `Resource` is in every statement or in none: a trust policy stands for its role,
    /// and is that role's whole policy (1.8).
    fn all_or_none_have_resources(&self, statements: &[Statement]) -> Result<(), ParseError> {
        if self.policy_type != PolicyType::Resource || self.n_mistakes() > 0 {
            return Ok(());
        }
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
                None => {
                    self.recover::<()>(Err(self.unknown_element(member, &known, what)))?;
                }
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
                let mut texts = Vec::with_capacity(values.len());
                for value in values {
                    texts.extend(self.recover(text(value, "a list of strings"))?);
                }
                Ok(texts)
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

/// Whether the statement says what that of `RCPFullAWSAccess` does.
fn is_full_access(statement: &Statement) -> bool {
    let is_star = |template: &Template| *template == Template::text("*");
    let Statement { action, resource, conditions, .. } = statement;
    let resources = resource.as_ref().filter(|clause| !clause.negated);
    matches!(&action.entries[..], [ActionPattern { text, .. }] if text == "*")
        && resources.is_some_and(|clause| {
            matches!(&clause.entries[..], [ResourcePattern { template, .. }] if is_star(template))
        })
        && conditions.is_empty()
}

/// Whether the member is a `Not…` element.
fn is_negated(member: &Member<'_>) -> bool {
    member.key.starts_with("Not")
}
