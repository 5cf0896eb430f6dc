//! Whether statements of a certificate say of requests what the policies say of them.
//!
//! The statements are read and put together by `keyaki-verify`. What their text leaves to the policy language (a list of principals,
//! a condition, a resource with variables) is answered here from that text alone: it is written into a policy of its own, which is parsed and
//! evaluated. So whatever the writer of the statements loses or changes shows in some request, and nothing is
//! shared with the writer. The evaluator is on both sides, and what it says of one condition is not in question here.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Instant;

use keyaki_logic::{Cancel, Limits};
use keyaki_policy::ast::Effect;
use keyaki_policy::evaluate::{Truth, is_access, statement_matches};
use keyaki_policy::{Policy, PolicyType, Readings, Request, Switch, parse};
use keyaki_verify::{Asked, Entries, Statements};

use super::{Agreed, Mismatch, Tally};
use crate::Options;
use crate::check::readings::base;
use crate::guess::Boundary;
use crate::question::{Question, Side};
use crate::replay::{Replay, breaks};

/// A query of statements of which requests are looked at.
pub struct Reading<'t> {
    statements: Statements<'t>,
    policy_type: PolicyType,
    /// Policies of one condition or list, by their texts.
    parsed: HashMap<String, Option<Policy>>,
}

impl<'t> Reading<'t> {
    /// Of the text of a query.
    ///
    /// # Errors
    ///
    /// It is none, and why.
    pub fn of(text: &'t str) -> Result<Reading<'t>, String> {
        let statements = Statements::read(text).map_err(|rejection| rejection.to_string())?;
        let name = statements.policy_type();
        let policy_type = PolicyType::by_name(name).ok_or(format!("there is no type `{name}`"))?;
        Ok(Reading { statements, policy_type, parsed: HashMap::new() })
    }

    /// Whether the request breaks the property, as far as that is known.
    pub fn breaks(&mut self, request: &Request, readings: Readings) -> Option<bool> {
        let Reading { statements, policy_type, parsed } = self;
        let mut answer = |asked: Asked<'_>| answer(asked, *policy_type, parsed, request, readings);
        statements.breaks(&request.action, &request.resource, &mut answer)
    }

    /// In what the statements and those of the policies differ that match the request, if they do.
    fn difference(
        &mut self,
        question: &Question,
        request: &Request,
        readings: Readings,
    ) -> Option<String> {
        let Reading { statements, policy_type, parsed } = self;
        let mut answer = |asked: Asked<'_>| answer(asked, *policy_type, parsed, request, readings);
        let sides = [Side::Policy, Side::Existing, Side::New];
        let policies = sides.into_iter().flat_map(|side| question.side(side));
        let of_policies = policies.flat_map(|(_, policy)| {
            policy.statements.iter().map(move |statement| {
                let denies = statement.effect == Effect::Deny;
                (denies, statement_matches(policy, statement, request, readings).0)
            })
        });
        let accesses = question.accesses().iter();
        let accesses = accesses.map(|access| (false, is_access(access, request, readings).0));
        let all: Vec<(bool, Truth)> = of_policies.chain(accesses).collect();
        if all.len() != statements.len() {
            return Some(format!("the statements say that there are {}", statements.len()));
        }
        all.into_iter().enumerate().find_map(|(number, (denies, truth))| {
            let (action, resource) = (&request.action, &request.resource);
            let (is_deny, said) = statements.matches(number, action, resource, &mut answer)?;
            let differs = is_deny != denies
                || matches!((said, truth), (Some(true), Truth::False) | (Some(false), Truth::True));
            differs.then(|| {
                format!(
                    "the statements say of {number}, a deny: {is_deny}, that it matches: {said:?}; evaluated: {denies}, {truth:?}"
                )
            })
        })
    }

    /// What statements and policies say of the request.
    ///
    /// # Errors
    ///
    /// [`Mismatch`] if they do not say the same.
    pub fn compare(
        &mut self,
        question: &Question,
        request: &Request,
        readings: Readings,
    ) -> Result<Agreed, Box<Mismatch>> {
        if let Some(detail) = self.difference(question, request, readings) {
            return Err(Box::new(Mismatch { request: request.clone(), readings, detail }));
        }
        let said = self.breaks(request, readings);
        let replay = breaks(question, request, readings);
        let is_stronger = matches!(question, Question::NoPublicAccess { .. });
        match (&replay, said) {
            (Replay::Confirmed { .. }, Some(true)) => Ok(Agreed::Breaks),
            (Replay::Refuted(_), Some(false)) => Ok(Agreed::DoesNotBreak),
            // What is not public may be confined by more than statements tell.
            (Replay::Refuted(_), Some(true)) if is_stronger => Ok(Agreed::DoesNotBreak),
            (Replay::Undecided(_), _) | (_, None) => Ok(Agreed::Hangs),
            (_, Some(said)) => {
                let said = if said { "breaks" } else { "does not break" };
                let detail =
                    format!("the statements say that it {said} the property; replayed: {replay:?}");
                Err(Box::new(Mismatch { request: request.clone(), readings, detail }))
            }
        }
    }

    /// Compares on requests that are made of what the policies say, under the readings that are decided, and one after the other those that
    /// are free. Ends early if time is up.
    ///
    /// # Errors
    ///
    /// The first [`Mismatch`].
    pub fn validate(
        &mut self,
        question: &Question,
        options: &Options,
        n_requests: usize,
        limits: &Limits,
        cancel: &Cancel,
    ) -> Result<Tally, Box<Mismatch>> {
        let base = base(&options.decisions);
        let switches = Switch::ALL.map(|(switch, ..)| switch);
        let free: Vec<Switch> =
            switches.into_iter().filter(|switch| switch.is_undecided()).collect();
        let mut tally = Tally::default();
        let mut boundary = Boundary::of(question);
        for number in 0..n_requests {
            if cancel.is_cancelled() || Instant::now() >= limits.deadline {
                break;
            }
            let Some(request) = boundary.next() else { break };
            let readings = match number % 3 {
                2 => base.with(free[number / 3 % free.len()], true),
                _ => base,
            };
            tally.count(self.compare(question, &request, readings)?);
        }
        Ok(tally)
    }
}

impl Reading<'_> {
    /// One of so many requests that breaks the property, by what the statements say. They are made of what the policies of a question say,
    /// which may be another.
    pub fn breaking(&mut self, question: &Question, n_requests: usize) -> Option<Request> {
        let requests: Vec<Request> = Boundary::of(question).take(n_requests).collect();
        requests.into_iter().find(|r| self.breaks(r, Readings::DEFAULT) == Some(true))
    }
}

/// What the written text means of the request, put into a policy of its own.
fn answer(
    asked: Asked<'_>,
    policy_type: PolicyType,
    parsed: &mut HashMap<String, Option<Policy>>,
    request: &Request,
    readings: Readings,
) -> Option<bool> {
    let (text, policy_type) = policy_of(asked, policy_type);
    let parse = |text: &String| parse(text, Some(policy_type)).ok();
    let policy = parsed.entry(text).or_insert_with_key(parse).as_ref()?;
    match statement_matches(policy, policy.statements.first()?, request, readings).0 {
        Truth::True => Some(true),
        Truth::False => Some(false),
        Truth::Unknown => None,
    }
}

/// A policy of a single statement that matches what is asked about, and its type.
fn policy_of(asked: Asked<'_>, policy_type: PolicyType) -> (String, PolicyType) {
    let (effect, mut elements, policy_type) = match asked {
        Asked::Principal { negated, denies, entries } => {
            let effect = if denies { "Deny" } else { "Allow" };
            (effect, principal(negated, entries), PolicyType::Resource)
        }
        Asked::Resource { negated, entries } => {
            let name = if negated { "NotResource" } else { "Resource" };
            let mut elements = format!(r#","{name}":[{}]"#, list(entries));
            if policy_type.names_principals() {
                elements.push_str(r#","Principal":"*""#);
            }
            ("Deny", elements, policy_type)
        }
        Asked::Condition { operator, key, values } => {
            let (operator, key) = (json(operator), json(key));
            let elements = format!(r#","Condition":{{{operator}:{{{key}:[{}]}}}}"#, list(values));
            ("Allow", elements, PolicyType::Identity)
        }
    };
    if !matches!(asked, Asked::Resource { .. }) {
        elements.push_str(r#","Resource":"*""#);
    }
    let statement = format!(r#"{{"Effect":"{effect}","Action":"*"{elements}}}"#);
    (format!(r#"{{"Version":"2012-10-17","Statement":{statement}}}"#), policy_type)
}

fn principal(negated: bool, entries: Entries<'_>) -> String {
    let name = if negated { "NotPrincipal" } else { "Principal" };
    if entries.iter().any(|(kind, _)| *kind == "all") {
        return format!(r#","{name}":"*""#);
    }
    let member = |kind: &str| match kind {
        "service" => "Service",
        "provider" => "Federated",
        "canonical" => "CanonicalUser",
        _ => "AWS",
    };
    let lists = ["AWS", "Service", "Federated", "CanonicalUser"].map(|wanted| {
        let own = entries.iter().filter(|(kind, _)| member(kind) == wanted);
        let texts = own.map(|(kind, text)| json(if *kind == "aws" { "*" } else { text }));
        (wanted, texts.collect::<Vec<_>>().join(","))
    });
    let lists = lists.into_iter().filter(|(name, list)| *name == "AWS" || !list.is_empty());
    let lists: Vec<String> = lists.map(|(name, list)| format!(r#""{name}":[{list}]"#)).collect();
    format!(r#","{name}":{{{}}}"#, lists.join(","))
}

/// Texts as the values of a list. Those of no kind are texts as they are.
fn list(entries: Entries<'_>) -> String {
    let text = |(kind, text): &(&str, &str)| match *kind {
        "$" => json(text),
        _ => json(&text.replace("${", "${$}{")),
    };
    entries.iter().map(text).collect::<Vec<_>>().join(",")
}

fn json(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => drop(write!(out, "\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
