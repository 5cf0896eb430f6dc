//! What is odd, idle or dangerous in a policy, told to its author.
//!
//! [`validate`] says everything that can be said of a document without knowing an account: the
//! mistakes for which [`parse`](mod@crate::parse) refuses it, and findings about what it says. The
//! findings are those of IAM Access Analyzer's policy checks where it has one, under its name
//! ([`Check::analyzer`]); [`CHECKS`] lists them all, and `docs/validation.md` is made from it.
//!
//! Three rules keep findings worth reading. A finding that rests on a name being absent from the
//! catalogue says so by its level: an unknown name is an error only where the catalogue knows the
//! service. What a statement *means* is claimed only if it follows from the syntax by `validate/pattern.rs`,
//! which shares nothing with the evaluator nor the encoder: "never matches" and "redundant" hold of
//! every request, whatever the readings of undecided rules. And where an undecided rule is touched,
//! the hint names it.
//!
//! A statement with a mistake gets no findings but its mistakes.

mod action;
mod checks;
mod condition;
mod document;
mod never;
mod pattern;
mod principal;
mod redundant;
mod resource;
mod value;

use std::cmp::Ordering;

pub use checks::{CHECKS, Check, markdown};

use crate::ast::{Policy, PolicyType, Statement};
use crate::diagnostic::{Code, ParseError};
use crate::json::{self, Kind, Member, Value};
use crate::parse::parse_all;
use crate::span::{Position, Span};

/// Most findings about one document. Nobody reads more.
pub const MAX_FINDINGS: usize = 1_000;

/// How much work goes into comparing patterns with each other and with names, in steps of a few
/// nanoseconds: some tenths of a second. Policies that AWS accepts need a hundredth of it; in larger
/// ones, what is found late is not found.
const MAX_STEPS: u64 = 20_000_000;

/// How grave a finding is, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// A part of the policy does not work.
    Error,
    /// The policy allows what is risky to allow.
    SecurityWarning,
    /// The policy may not do what it seems to.
    Warning,
    /// The policy could be shorter or clearer.
    Suggestion,
}

impl Level {
    /// The level as it stands in JSON output.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::SecurityWarning => "security-warning",
            Level::Warning => "warning",
            Level::Suggestion => "suggestion",
        }
    }
}

/// Something found in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How grave it is.
    pub level: Level,
    /// What kind of finding it is, stable for programs.
    pub code: &'static str,
    /// IAM Access Analyzer's name of the check, if it has it.
    pub check: Option<&'static str>,
    /// What was found, lower case, user text in backticks, no full stop.
    pub message: String,
    /// What to do about it, or what it hangs on.
    pub hint: Option<String>,
    /// JSON pointer (RFC 6901) to the value in question.
    pub path: String,
    /// Where in the source.
    pub span: Span,
    /// Line and column of the span's start.
    pub position: Position,
}

/// Everything found in a document, in the order of the places, the graver first at one place; at
/// most [`MAX_FINDINGS`]. Without a type, that is guessed as by [`parse`](crate::parse()).
///
/// There is a finding of level error if, but not only if, [`parse`](crate::parse()) refuses the
/// document.
pub fn validate(source: &str, policy_type: Option<PolicyType>) -> Vec<Finding> {
    let read = parse_all(source, policy_type);
    let mut findings: Vec<Finding> = read.errors.iter().map(Finding::of_mistake).collect();
    if let (Some(policy), Ok((root, _))) = (&read.policy, json::read_repeated(source)) {
        let whole = read.errors.is_empty();
        let mut linter = Linter::new(source, &root, policy, whole);
        linter.run();
        findings.extend(linter.into_findings());
    }
    let by_place = |left: &Finding, right: &Finding| -> Ordering {
        let key = |finding: &Finding| (finding.span.start, finding.level, finding.code);
        key(left).cmp(&key(right)).then_with(|| left.message.cmp(&right.message))
    };
    findings.sort_by(by_place);
    findings.truncate(MAX_FINDINGS);
    findings
}

impl Finding {
    fn of_mistake(error: &ParseError) -> Finding {
        Finding {
            level: Level::Error,
            code: error.code.as_str(),
            check: analyzer_name(error),
            message: error.message.clone(),
            hint: error.hint.clone(),
            path: error.path.clone(),
            span: error.span,
            position: error.position,
        }
    }
}

/// Access Analyzer's name for a mistake, where it has one for exactly this.
fn analyzer_name(error: &ParseError) -> Option<&'static str> {
    let is_about = |word: &str| error.message.contains(word);
    match error.code {
        Code::InvalidJson => Some("Json syntax error"),
        Code::DuplicateKey if is_about("differs only in case") => {
            Some("Duplicate keys with different case")
        }
        Code::UnknownElement if is_about("a principal") => Some("Invalid principal key"),
        Code::UnknownElement => Some("Invalid policy element"),
        Code::MissingElement => [
            ("`Statement`", "Missing statement"),
            ("`Effect`", "Missing effect"),
            ("`Principal`", "Missing principal"),
            ("`Action`", "Missing action"),
            ("`Resource`", "Missing resource"),
        ]
        .iter()
        .find(|(element, _)| is_about(element))
        .map(|(_, name)| *name),
        Code::ConflictingElements => Some("Unsupported element combination"),
        Code::ForbiddenElement if is_about("`Principal` in a service control policy") => {
            Some("SCP syntax error principal")
        }
        Code::ForbiddenElement if is_about("`NotPrincipal` in a trust policy") => {
            Some("Role trust policy syntax error notprincipal")
        }
        Code::ForbiddenElement if is_about("in a trust policy") => {
            Some("Role trust policy syntax error resource")
        }
        Code::ForbiddenElement if is_about("names a principal") => Some("Unsupported principal"),
        Code::WrongType => Some("Data type mismatch"),
        Code::InvalidVersion => Some("Invalid version"),
        Code::InvalidEffect => Some("Invalid effect"),
        Code::InvalidPrincipal if is_about("wildcard") => Some("Unsupported wildcard in principal"),
        Code::InvalidPrincipal => Some("Invalid principal format"),
        Code::InvalidAction => Some("Invalid action"),
        Code::InvalidResource => Some("Invalid ARN prefix"),
        Code::UnknownOperator if is_about("`IfExists`") => Some("Null with if exists"),
        Code::UnknownOperator => Some("Invalid condition operator"),
        Code::InvalidVariable if is_about("names no condition key") => Some("Empty variable"),
        Code::InvalidVariable if is_about("white space") => Some("Unsupported space in variable"),
        Code::InvalidVariable if is_about("closing quote") => Some("Missing quote in variable"),
        Code::InvalidVariable if is_about("fifth colon") => Some("Variable unsupported in element"),
        _ => None,
    }
}

/// A finding without what follows from its place.
struct Raw {
    check: &'static Check,
    span: Span,
    message: String,
    hint: Option<String>,
}

/// A document and what has been found in it so far.
struct Linter<'a> {
    source: &'a str,
    root: &'a Value<'a>,
    policy: &'a Policy,
    /// Whether all statements of the document are in `policy`.
    whole: bool,
    steps_left: u64,
    found: Vec<Raw>,
}

impl<'a> Linter<'a> {
    fn new(source: &'a str, root: &'a Value<'a>, policy: &'a Policy, whole: bool) -> Self {
        Linter { source, root, policy, whole, steps_left: MAX_STEPS, found: Vec::new() }
    }

    fn run(&mut self) {
        self.document();
        for statement in &self.policy.statements {
            if self.found.len() >= MAX_FINDINGS {
                return;
            }
            self.principal(statement);
            self.actions(statement);
            self.resources(statement);
            self.conditions(statement);
            self.never(statement);
        }
        self.redundant();
    }

    fn report(
        &mut self,
        check: &'static Check,
        span: Span,
        message: impl Into<String>,
        hint: impl Into<Option<String>>,
    ) {
        if self.found.len() < MAX_FINDINGS {
            self.found.push(Raw { check, span, message: message.into(), hint: hint.into() });
        }
    }

    /// Takes `steps` from what may still be spent; false if there is not so much left.
    fn spend(&mut self, steps: usize) -> bool {
        let steps = steps as u64;
        let enough = self.steps_left >= steps;
        self.steps_left = self.steps_left.saturating_sub(steps);
        enough
    }

    /// The statement as it was written.
    fn written(&self, statement: &Statement) -> &'a [Member<'a>] {
        let statements = member(self.root, "Statement").map(|member| &member.value);
        let value = match statements.map(|value| &value.kind) {
            Some(Kind::Array(values)) => values.get(statement.index),
            _ => statements,
        };
        match value.map(|value| &value.kind) {
            Some(Kind::Object(members)) => members,
            _ => &[],
        }
    }

    fn into_findings(mut self) -> Vec<Finding> {
        self.found.sort_by_key(|raw| raw.span);
        let mut places = Places::new(self.source);
        let root = self.root;
        let finding = |raw: Raw| Finding {
            level: raw.check.level,
            code: raw.check.code,
            check: raw.check.analyzer,
            message: raw.message,
            hint: raw.hint,
            path: root.pointer_to(raw.span),
            span: raw.span,
            position: places.of(raw.span.start),
        };
        self.found.into_iter().map(finding).collect()
    }
}

fn member<'v, 's>(value: &'v Value<'s>, name: &str) -> Option<&'v Member<'s>> {
    match &value.kind {
        Kind::Object(members) => members.iter().find(|member| member.key == name),
        _ => None,
    }
}

/// Positions of ascending offsets, in one walk through the source.
struct Places<'s> {
    source: &'s str,
    /// Where the line of the last position begins, and the number of lines before it.
    line_start: usize,
    lines_before: usize,
}

impl<'s> Places<'s> {
    fn new(source: &'s str) -> Self {
        Places { source, line_start: 0, lines_before: 0 }
    }

    /// The position of `offset`, which is not below that of the last call.
    fn of(&mut self, offset: u32) -> Position {
        let offset = offset as usize;
        let passed = &self.source[self.line_start..offset];
        if let Some(newline) = passed.rfind('\n') {
            self.lines_before += passed.bytes().filter(|&byte| byte == b'\n').count();
            self.line_start += newline + 1;
        }
        let line = &self.source[self.line_start..offset];
        let line = line.strip_prefix(crate::diagnostic::BYTE_ORDER_MARK).unwrap_or(line);
        Position { line: self.lines_before as u32 + 1, column: line.chars().count() as u32 + 1 }
    }
}
