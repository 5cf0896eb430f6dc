//! Requests on both sides of what policies say: words of their patterns and their neighbours.
//!
//! A request that a statement is likely to match is changed in one to three things, each to something that stands in the
//! policies or is a character away from it. Which ones is drawn with a fixed seed: the same question has the same requests. All
//! combinations were not taken, which are too many, nor random texts, which seldom come near a pattern.

use std::net::IpAddr;

use keyaki_policy::ast::{Condition, Statement};
use keyaki_policy::catalogue::{self, Cardinality, KeySort};
use keyaki_policy::evaluate::seconds;
use keyaki_policy::request::{ContextValue, Principal, Request};

use super::context::{Context, Resource, evading, likely_value, put};
use super::{FILLER_ACCOUNT, WELL_KNOWN_ACTIONS, arn_with, requests, who};
use crate::cover::{glob, parts};
use crate::encode::instant;
use crate::question::Question;
use crate::witness::STRANGERS;

/// The most statements that requests are made for.
const MAX_STATEMENTS: usize = 24;

/// The most requests that are made for a statement before any is changed.
const MAX_PER_STATEMENT: usize = 3;

/// The most entries of actions, of resources and of a condition that are looked at.
const MAX_ENTRIES: usize = 64;

/// What requests are made of.
pub(crate) struct Boundary<'q> {
    context: Context<'q>,
    bases: Vec<Request>,
    actions: Vec<String>,
    resources: Vec<String>,
    principals: Vec<Principal>,
    /// Values of the keys that conditions mention.
    values: Vec<(&'q str, Vec<ContextValue>)>,
    state: u64,
    next: usize,
}

impl<'q> Boundary<'q> {
    pub(crate) fn of(question: &'q Question) -> Boundary<'q> {
        let context = Context::new(question);
        let all: Vec<_> = question
            .policies()
            .flat_map(|(_, policy)| policy.statements.iter().map(move |s| (policy, s)))
            .collect();
        let step = all.len().div_ceil(MAX_STATEMENTS).max(1);
        let mut bases: Vec<Request> = Vec::new();
        for (policy, statement) in all.iter().step_by(step) {
            let positions: Vec<usize> = (0..statement.action.entries.len()).collect();
            let made = requests(policy, statement, &positions, &[], &context);
            let made: Vec<Request> = made.take(MAX_PER_STATEMENT).collect();
            bases.extend(made.iter().flat_map(|request| evading(request, statement)));
            bases.extend(made);
        }
        let statements: Vec<&'q Statement> = all.iter().map(|(_, statement)| *statement).collect();
        let mut boundary = Boundary {
            actions: actions(question, &statements),
            resources: resources(question, &statements),
            principals: principals(&statements),
            values: values(&statements),
            bases,
            context,
            state: 1,
            next: 0,
        };
        if boundary.bases.is_empty() {
            let principal = boundary.principals[0].clone();
            let mut request = Request {
                principal,
                action: WELL_KNOWN_ACTIONS[0].to_owned(),
                resource: format!("arn:aws:s3:::example/{FILLER_ACCOUNT}"),
                ..Request::default()
            };
            boundary.context.derive(&mut request);
            boundary.bases.push(request);
        }
        boundary
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.state =
            self.state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (self.state >> 33) as usize % bound.max(1)
    }

    fn change(&mut self, request: &mut Request) {
        let n_keys = self.values.len().min(4);
        match self.below(3 + n_keys) {
            0 => {
                let at = self.below(self.actions.len());
                request.action.clone_from(&self.actions[at]);
            }
            1 => {
                let at = self.below(self.resources.len());
                request.resource.clone_from(&self.resources[at]);
            }
            2 => {
                let at = self.below(self.principals.len());
                request.principal = self.principals[at].clone();
                // Now and then the keys contradict who asks, which no request does.
                if self.below(8) > 0 {
                    self.context.derive(request);
                }
            }
            _ => {
                let key = self.below(self.values.len());
                let at = self.below(self.values[key].1.len() + 1);
                let (key, values) = &self.values[key];
                match values.get(at) {
                    Some(value) => drop(request.context.insert(key, value.clone())),
                    None => drop(request.context.remove(key)),
                }
            }
        }
    }
}

/// Requests without end.
impl Iterator for Boundary<'_> {
    type Item = Request;

    fn next(&mut self) -> Option<Request> {
        let at = self.next;
        self.next += 1;
        if at < self.bases.len() {
            return Some(self.bases[at].clone());
        }
        let base = self.below(self.bases.len());
        let mut request = self.bases[base].clone();
        for _ in 0..=self.below(3) {
            self.change(&mut request);
        }
        if self.below(8) > 0 {
            self.context.settle(&mut request);
        }
        Some(request)
    }
}

/// A word of the pattern or two, and texts that differ from one by a character.
fn near(pattern: &str) -> Vec<String> {
    let word = glob::word(pattern, "x");
    let shorter: String = {
        let mut chars = word.chars();
        chars.next_back();
        chars.as_str().to_owned()
    };
    let other_case = word.chars().map(|c| match c.is_ascii_lowercase() {
        true => c.to_ascii_uppercase(),
        false => c.to_ascii_lowercase(),
    });
    let other_case = other_case.collect();
    vec![glob::word(pattern, ""), format!("{word}x"), format!("x{word}"), shorter, other_case, word]
}

fn actions(question: &Question, statements: &[&Statement]) -> Vec<String> {
    let own = statements.iter().flat_map(|statement| &statement.action.entries);
    let accesses = question.accesses().iter().flat_map(|access| access.actions());
    let texts = own.chain(accesses).map(|entry| entry.text.as_str());
    let near = spread(texts).into_iter().flat_map(|text| match text.split_once(':') {
        Some((service, name)) => {
            let service = glob::word(service, "s3");
            near(name).into_iter().map(|name| format!("{service}:{name}")).collect()
        }
        None => vec![],
    });
    near.chain(WELL_KNOWN_ACTIONS.map(str::to_owned)).collect()
}

fn resources(question: &Question, statements: &[&Statement]) -> Vec<String> {
    let own = statements.iter().flat_map(|statement| &statement.resource);
    let own = own.flat_map(|clause| &clause.entries);
    let accesses = question.accesses().iter().flat_map(|access| access.resources());
    let templates = own.chain(accesses).map(|entry| entry.template.to_string());
    let templates: Vec<String> = templates.collect();
    let near = spread(templates.iter().map(String::as_str)).into_iter().flat_map(|text| {
        let filled = ["", "x", "a/b", "a:b"].into_iter().filter_map(|star| arn_with(text, star));
        let filled: Vec<String> = filled.collect();
        let longer = filled.iter().map(|arn| format!("{arn}x")).collect::<Vec<_>>();
        let shorter = filled.iter().map(|arn| {
            let mut characters = arn.chars();
            characters.next_back();
            characters.as_str().to_owned()
        });
        let shorter: Vec<String> = shorter.collect();
        [filled, longer, shorter].concat()
    });
    let likely = ["*", "arn:aws:s3:::example-bucket/example.txt"].map(str::to_owned);
    near.chain(likely).collect()
}

/// Some of the texts, from everywhere.
fn spread<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<&'t str> {
    let texts: Vec<&str> = texts.collect();
    let step = texts.len().div_ceil(MAX_ENTRIES).max(1);
    texts.into_iter().step_by(step).collect()
}

fn principals(statements: &[&Statement]) -> Vec<Principal> {
    let user = |account: &str, name: &str| Principal::User {
        arn: format!("arn:aws:iam::{account}:user/{name}"),
        canonical_user: None,
    };
    let role = |account: &str| Principal::RoleSession {
        role_arn: format!("arn:aws:iam::{account}:role/example"),
        session_name: "session".to_owned(),
    };
    let root = |account: &str| Principal::Root {
        partition: "aws".to_owned(),
        account: account.to_owned(),
        canonical_user: None,
    };
    let mut principals = vec![
        user(STRANGERS[0], "alice"),
        Principal::Anonymous,
        role(STRANGERS[0]),
        root(STRANGERS[0]),
        user(FILLER_ACCOUNT, "alice"),
        role(FILLER_ACCOUNT),
        Principal::Service { name: "cloudtrail.amazonaws.com".to_owned() },
        Principal::Federated { provider: "accounts.google.com".to_owned() },
        Principal::CanonicalUser { id: "example".to_owned() },
        Principal::FederatedUser {
            arn: format!("arn:aws:sts::{}:federated-user/bob", STRANGERS[0]),
            base: None,
        },
    ];
    let clauses = statements.iter().flat_map(|statement| &statement.principal);
    for entry in clauses.flat_map(|clause| &clause.entries).take(MAX_ENTRIES) {
        for who in who(&entry.kind) {
            let of = who.of_partition(&Resource::Is("arn:aws:s3:::x".to_owned()));
            if let Some((_, account)) = of.partition_and_account() {
                principals.extend([root(account), user(account, "bob"), role(account)]);
            }
            principals.push(of);
        }
    }
    principals.dedup();
    principals
}

/// For each key that conditions mention values on both sides of what they say.
fn values<'q>(statements: &[&'q Statement]) -> Vec<(&'q str, Vec<ContextValue>)> {
    let mut all: Vec<(&'q str, Vec<ContextValue>)> = Vec::new();
    for condition in statements.iter().flat_map(|statement| &statement.conditions) {
        let key = condition.key.as_str();
        let at = all.iter().position(|(known, _)| known.eq_ignore_ascii_case(key));
        let at = at.unwrap_or_else(|| {
            let likely = likely_value(key).into_iter().map(|value| of_key(key, vec![value]));
            all.push((key, likely.collect()));
            all.len() - 1
        });
        for text in texts(condition) {
            all[at].1.push(of_key(key, vec![text.clone()]));
            if catalogue::key(key).is_none_or(|info| info.cardinality == Cardinality::Multi) {
                let several = [vec![text.clone(), "x".to_owned()], vec![text], vec![]];
                all[at].1.extend(several.map(ContextValue::Many));
            }
        }
    }
    all
}

fn of_key(key: &str, texts: Vec<String>) -> ContextValue {
    let mut request = Request::default();
    for text in texts {
        put(&mut request.context, key, text);
    }
    request.context.get(key).cloned().unwrap_or(ContextValue::Many(vec![]))
}

/// Values about which the condition may say one thing or the other.
fn texts(condition: &Condition) -> Vec<String> {
    let sort = catalogue::key(&condition.key).map_or(KeySort::String, |info| info.sort);
    let values = condition.values.iter().take(MAX_ENTRIES);
    let near = values.filter_map(|value| parts::plain(&value.template)).flat_map(|text| {
        let mut near = match sort {
            KeySort::Arn => {
                let filled = ["", "x", "a/b"].into_iter().filter_map(|star| arn_with(text, star));
                filled.flat_map(|arn| [format!("{arn}x"), arn]).collect()
            }
            KeySort::Bool => ["true", "false"].map(str::to_owned).to_vec(),
            _ => near(text),
        };
        near.extend(around_number(text));
        near.extend(around_date(text));
        near.extend(around_range(text));
        near
    });
    near.collect()
}

fn around_number(text: &str) -> Vec<String> {
    let Ok(number) = text.parse::<i64>() else { return vec![] };
    let around = [number.checked_sub(1), Some(number), number.checked_add(1)];
    around.into_iter().flatten().map(|number| number.to_string()).collect()
}

fn around_date(text: &str) -> Vec<String> {
    let Some(date) = seconds(text) else { return vec![] };
    let is_writable = |date: &i64| (instant::FIRST..=instant::LAST).contains(date);
    let around = [date.checked_sub(1), Some(date), date.checked_add(1)];
    let around = around.into_iter().flatten().filter(is_writable);
    around.flat_map(|date| [instant::display(date), date.to_string()]).collect()
}

/// The first and last address of a range, and those beside it.
fn around_range(text: &str) -> Vec<String> {
    let (address, length) = text.split_once('/').unwrap_or((text, "128"));
    let (Ok(address), Ok(length)) = (address.parse::<IpAddr>(), length.parse::<u32>()) else {
        return vec![];
    };
    let around = |bits: u128, width: u32| {
        let rest = width - length.min(width);
        let free = u128::MAX.checked_shr(128 - rest).unwrap_or(0);
        let (first, last) = (bits & !free, bits | free);
        [first.checked_sub(1), Some(first), Some(last), last.checked_add(1)].into_iter().flatten()
    };
    match address {
        IpAddr::V4(v4) => around(v4.to_bits().into(), 32)
            .filter_map(|bits| u32::try_from(bits).ok())
            .map(|bits| std::net::Ipv4Addr::from_bits(bits).to_string())
            .collect(),
        IpAddr::V6(v6) => around(v6.to_bits(), 128)
            .map(|bits| std::net::Ipv6Addr::from_bits(bits).to_string())
            .collect(),
    }
}
