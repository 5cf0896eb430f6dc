//! The context keys of a guessed request: those that conditions ask for, and those that every
//! request of its kind has.

use std::collections::HashSet;

use keyaki_policy::Policy;
use keyaki_policy::ast::{
    BaseOperator, Condition, ConditionValue, Effect, Segment, SetOperator, Statement, Template,
};
use keyaki_policy::catalogue::{self, Cardinality, KeySort};
use keyaki_policy::request::{self, ContextValue, Principal, Request};

use crate::cover::glob;
use crate::cover::parts::{self, plain};
use crate::question::{Question, Side};
use crate::witness::likely;

use super::FILLER_ACCOUNT;

/// 2026-01-01T00:00:00Z, as date and in seconds.
const NOW: [&str; 2] = ["2026-01-01T00:00:00Z", "1767225600"];

/// A region in which policies seldom allow anything.
const OTHER_REGION: &str = "eu-south-2";

const REQUEST_TAG: &str = "aws:RequestTag/";

/// The keys that the policies of a question mention: in no particular order, each once in some
/// spelling.
pub(super) struct Context<'q> {
    question: &'q Question,
    mentioned: Vec<&'q str>,
    listed: Listed<'q>,
    /// Actions that the reference excludes, by `NotAction` or a Deny.
    pub(super) excluded: Vec<String>,
}

/// The policies that allow what a request should not be; none if it should be allowed by both
/// sides.
fn reference(question: &Question) -> impl Iterator<Item = &Policy> {
    let is_reference = !matches!(question, Question::Disjoint { .. });
    let policies = question.side(Side::Existing).into_iter().filter(move |_| is_reference);
    policies.map(|(_, policy)| policy)
}

/// Actions that the reference excludes, a few.
fn excluded(question: &Question) -> Vec<String> {
    let statements = reference(question).flat_map(|policy| &policy.statements);
    let excluding = statements.filter(|statement| match statement.effect {
        Effect::Allow => statement.action.negated,
        Effect::Deny => !statement.action.negated,
    });
    let entries = excluding.flat_map(|statement| &statement.action.entries);
    let actions = entries.filter_map(|entry| match glob::has_wildcard(&entry.text) {
        false => Some(entry.text.clone()),
        true => {
            let known = catalogue::actions_with_prefix(glob::literal_prefix(&entry.text));
            let is_in = |action: &&str| parts::action_includes(&entry.text, action);
            known.take(MAX_EXCLUDED).find(is_in).map(str::to_owned)
        }
    });
    actions.take(MAX_EXCLUDED).collect()
}

/// The most excluded actions that are looked at.
const MAX_EXCLUDED: usize = 16;

/// What a request is for.
#[derive(Clone)]
pub(super) enum Resource<'q> {
    Is(String),
    /// An ARN that this pattern matches.
    Of(&'q Template),
}

/// Values that the Allow statements of the reference list for keys.
struct Listed<'q>(HashSet<(String, &'q Template)>);

impl<'q> Listed<'q> {
    fn new(question: &'q Question) -> Listed<'q> {
        let statements = reference(question).flat_map(|policy| &policy.statements);
        let allows = statements.filter(|statement| statement.effect == Effect::Allow);
        let conditions = allows.flat_map(|statement| &statement.conditions);
        let positive = conditions.filter(|condition| !condition.operator.base.is_negated());
        let values = positive.flat_map(|condition| {
            let values = condition.values.iter().map(|value| &value.template);
            values.map(|value| (condition.key.to_ascii_lowercase(), value))
        });
        Listed(values.take(MAX_LISTED).collect())
    }

    fn contains(&self, key: &str, value: &'q Template) -> bool {
        !self.0.is_empty() && self.0.contains(&(key.to_ascii_lowercase(), value))
    }
}

/// The most values of which it is noted that they are listed.
const MAX_LISTED: usize = 4096;

impl<'q> Context<'q> {
    pub(super) fn new(question: &'q Question) -> Context<'q> {
        let mut mentioned: Vec<&str> = question.keys().collect();
        mentioned.sort_unstable_by(|a, b| {
            let lower = |text: &'q str| text.bytes().map(|byte| byte.to_ascii_lowercase());
            lower(a).cmp(lower(b))
        });
        mentioned.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
        Context { question, mentioned, listed: Listed::new(question), excluded: excluded(question) }
    }

    /// Whether an Allow statement of the reference lists the action, alone or in a pattern.
    pub(super) fn lists_action(&self, action: &str) -> bool {
        let statements = reference(self.question).flat_map(|policy| &policy.statements);
        let mut allows = statements.filter(|statement| statement.effect == Effect::Allow);
        allows.any(|statement| !parts::action_is_outside(action, &statement.action))
    }

    fn mentions(&self, key: &str) -> bool {
        self.mentioned.iter().any(|known| known.eq_ignore_ascii_case(key))
    }

    /// The request with a context that is likely to satisfy the statement's conditions; `None` if
    /// one of them asks for something that is not tried.
    pub(super) fn request(
        &self,
        statement: &Statement,
        principal: Principal,
        action: &str,
        resource: &Resource<'_>,
    ) -> Option<Request> {
        let mut request = Request { principal, action: action.to_owned(), ..Request::default() };
        for key in &self.mentioned {
            if let Some(value) = always(key, &request) {
                put(&mut request.context, key, value);
            }
        }
        request.resource = match resource {
            Resource::Is(text) => text.clone(),
            Resource::Of(template) => super::arn(&filled(template, &mut request)?)?,
        };
        for condition in &statement.conditions {
            satisfy(&mut request, condition, &self.listed)?;
        }
        self.settle(&mut request);
        Some(request)
    }

    /// Lists the tags, and gives the resource an owner, as far as the question speaks of them.
    pub(super) fn settle(&self, request: &mut Request) {
        if self.mentions("aws:TagKeys") {
            list_tags(&mut request.context);
        }
        if let Some(ContextValue::One(account)) = request.context.get("aws:ResourceAccount") {
            request.resource_account = Some(account.clone());
            request.resource = owned(&request.resource, account);
        }
        if let Some(zone) = self.question.zones().next() {
            let owner = zone.owner.as_deref().or_else(|| request.owner());
            let owner = owner.unwrap_or(FILLER_ACCOUNT).to_owned();
            request.resource = owned(&request.resource, &owner);
            request.resource_account = Some(owner);
        }
    }

    /// Gives the keys that follow from who asks the values that they have for whoever does now.
    pub(super) fn derive(&self, request: &mut Request) {
        for key in &self.mentioned {
            match of_principal(&key.to_ascii_lowercase(), &request.principal) {
                Some(value) => put(&mut request.context, key, value),
                // Some only have a token.
                None if is_one_of(key, &OF_PRINCIPAL)
                    || is_one_of(key, &["aws:TokenIssueTime"]) =>
                {
                    request.context.remove(key);
                }
                None => {}
            }
        }
    }
}

/// Keys whose values follow from who asks.
const OF_PRINCIPAL: [&str; 9] = [
    "aws:PrincipalArn",
    "aws:PrincipalAccount",
    "aws:PrincipalType",
    "aws:userid",
    "aws:username",
    "aws:PrincipalIsAWSService",
    "aws:PrincipalServiceName",
    "aws:PrincipalServiceNamesList",
    "kms:CallerAccount",
];

/// Whether the key is one of those.
fn is_one_of(key: &str, keys: &[&str]) -> bool {
    keys.iter().any(|known| known.eq_ignore_ascii_case(key))
}

/// The ARN with the owner's account, if it has the one that stands for any (R25).
fn owned(resource: &str, owner: &str) -> String {
    let of_any = format!(":{FILLER_ACCOUNT}:");
    resource.replacen(&of_any, &format!(":{owner}:"), 1)
}

/// Whether the request has a tag.
pub(super) fn has_request_tag(context: &request::Context) -> bool {
    context.iter().any(|(key, _)| tag_of(key).is_some())
}

fn tag_of(key: &str) -> Option<&str> {
    let start = key.get(..REQUEST_TAG.len())?;
    start.eq_ignore_ascii_case(REQUEST_TAG).then(|| &key[REQUEST_TAG.len()..])
}

/// R29: the tags are among the tag keys.
fn list_tags(context: &mut request::Context) {
    let mut tags: Vec<String> =
        context.iter().filter_map(|(key, _)| tag_of(key)).map(str::to_owned).collect();
    if tags.is_empty() {
        return;
    }
    if let Some(ContextValue::Many(known)) = context.get("aws:TagKeys") {
        for tag in known {
            if !tags.iter().any(|other| other.eq_ignore_ascii_case(tag)) {
                tags.push(tag.clone());
            }
        }
    }
    context.insert("aws:TagKeys", ContextValue::Many(tags));
}

pub(super) fn put(context: &mut request::Context, key: &str, value: String) {
    match catalogue::key(key) {
        Some(info) => {
            let value = match info.cardinality {
                Cardinality::Multi => ContextValue::Many(vec![value]),
                Cardinality::Single => ContextValue::One(value),
            };
            context.insert(&info.spell(key), value);
        }
        None => {
            context.insert(key, ContextValue::One(value));
        }
    }
}

/// The value that a key has on every such request (R1–R6, R8, R19, R21).
fn always(key: &str, request: &Request) -> Option<String> {
    let lower = key.to_ascii_lowercase();
    let of_request = match lower.as_str() {
        "aws:currenttime" => NOW[0],
        "aws:epochtime" => NOW[1],
        "aws:securetransport" => "true",
        "aws:requestedregion" => "us-east-1",
        "aws:viaawsservice" => "false",
        "aws:useragent" => "example",
        _ => return of_principal(&lower, &request.principal),
    };
    Some(of_request.to_owned())
}

fn of_principal(key: &str, principal: &Principal) -> Option<String> {
    let is_service = matches!(principal, Principal::Service { .. });
    let is_anonymous = *principal == Principal::Anonymous;
    let account = || principal.partition_and_account().map(|(_, account)| account.to_owned());
    let kind = match principal {
        Principal::Anonymous => "Anonymous",
        Principal::User { .. } => "User",
        Principal::RoleSession { .. } => "AssumedRole",
        _ => "",
    };
    match key {
        "aws:principalarn" => match principal {
            Principal::User { arn, .. } => Some(arn.clone()),
            Principal::RoleSession { role_arn, .. } => Some(role_arn.clone()),
            _ => None,
        },
        "aws:principalaccount" if is_anonymous => Some("anonymous".to_owned()),
        "aws:principalaccount" | "kms:calleraccount" => account(),
        "aws:principaltype" => (!kind.is_empty()).then(|| kind.to_owned()),
        "aws:userid" => match principal {
            Principal::Anonymous => Some("anonymous".to_owned()),
            Principal::User { .. } => Some("AIDAEXAMPLEUSERID".to_owned()),
            Principal::RoleSession { session_name, .. } => {
                Some(format!("AROAEXAMPLEROLEID:{session_name}"))
            }
            _ => None,
        },
        "aws:username" => match principal {
            Principal::User { arn, .. } => Some(arn.rsplit('/').next()?.to_owned()),
            _ => None,
        },
        "aws:principalisawsservice" if is_service => Some("true".to_owned()),
        "aws:principalisawsservice" => account().map(|_| "false".to_owned()),
        "aws:principalservicename" | "aws:principalservicenameslist" => match principal {
            Principal::Service { name } => Some(name.clone()),
            _ => None,
        },
        "aws:tokenissuetime" => match principal {
            Principal::RoleSession { .. } => Some(NOW[0].to_owned()),
            _ => None,
        },
        _ => None,
    }
}

/// Gives the request a value that is likely to satisfy the condition, unless it has one; `None` if
/// what the condition asks for is not tried.
fn satisfy(request: &mut Request, condition: &Condition, listed: &Listed<'_>) -> Option<()> {
    let operator = condition.operator;
    let is_absent = request.context.get(&condition.key).is_none();
    let needs_value = match (operator.base, operator.set) {
        (BaseOperator::Null, _) => {
            let value = condition.values.first().and_then(|value| plain(&value.template))?;
            value.eq_ignore_ascii_case("false")
        }
        (base, set) => {
            !base.is_negated() && !operator.if_exists && set != Some(SetOperator::ForAllValues)
        }
    };
    // What is asked of all values is asked of the one that is there.
    let overrides = !is_absent && !is_derived(&condition.key) && !operator.base.is_negated();
    if operator.base == BaseOperator::Null {
        if needs_value && is_absent {
            put(&mut request.context, &condition.key, likely_value(&condition.key)?);
        }
        return Some(());
    }
    if (needs_value && is_absent) || overrides {
        let value = value_for(condition, listed, request)?;
        put(&mut request.context, &condition.key, value);
    }
    Some(())
}

/// Whether the value of the key follows from something else in the request.
fn is_derived(key: &str) -> bool {
    is_one_of(key, &OF_PRINCIPAL) || is_one_of(key, &["aws:CurrentTime", "aws:EpochTime"])
}

pub(super) fn likely_value(key: &str) -> Option<String> {
    let sort = catalogue::key(key).map_or(KeySort::String, |info| info.sort);
    Some(match sort {
        KeySort::String => likely(&key.to_ascii_lowercase()).to_owned(),
        KeySort::Arn => "arn:aws:sns:us-east-1:999988887777:example".to_owned(),
        KeySort::Bool => "true".to_owned(),
        KeySort::Address => "198.51.100.7".to_owned(),
        KeySort::Number => "1".to_owned(),
        KeySort::Date => NOW[0].to_owned(),
        KeySort::Binary => "AA==".to_owned(),
    })
}

/// The pattern with values of the request in the places of its variables; what has none gets a
/// likely one.
pub(super) fn filled(template: &Template, request: &mut Request) -> Option<String> {
    let mut text = String::new();
    for segment in &template.segments {
        match segment {
            Segment::Text(piece) => text.push_str(piece),
            Segment::Escaped(c) => text.push(*c),
            Segment::Variable { key, .. } => {
                if request.context.get(key).is_none() {
                    put(&mut request.context, key, likely_value(key)?);
                }
                match request.context.get(key) {
                    Some(ContextValue::One(value)) => text.push_str(value),
                    _ => return None,
                }
            }
        }
    }
    Some(text)
}

/// A value that one of the condition's values matches: of those that are not listed by others, the
/// first.
fn value_for(condition: &Condition, listed: &Listed<'_>, request: &mut Request) -> Option<String> {
    use BaseOperator::*;
    let is_new = |value: &&ConditionValue| !listed.contains(&condition.key, &value.template);
    let value = condition.values.iter().find(is_new).or(condition.values.first())?;
    let text = filled(&value.template, request)?;
    let text = text.as_str();
    Some(match condition.operator.base {
        StringEquals
        | StringEqualsIgnoreCase
        | BinaryEquals
        | NumericEquals
        | DateEquals
        | NumericLessThanEquals
        | NumericGreaterThanEquals
        | DateLessThanEquals
        | DateGreaterThanEquals => text.to_owned(),
        StringLike | ArnEquals | ArnLike if text == "*" => likely_value(&condition.key)?,
        StringLike => match catalogue::key(&condition.key).map(|info| info.sort) {
            Some(KeySort::Arn) => super::arn(text).unwrap_or_else(|| glob::word(text, "example")),
            _ => glob::word(text, "example"),
        },
        ArnEquals | ArnLike => super::arn(text)?,
        Bool => text.to_ascii_lowercase(),
        NumericLessThan | NumericGreaterThan => beyond(text, condition.operator.base)?,
        IpAddress => address_in(text)?,
        _ => return None,
    })
}

/// A whole number that is less than the number, or greater.
fn beyond(number: &str, base: BaseOperator) -> Option<String> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole: i64 = whole.parse().ok()?;
    let is_whole = fraction.bytes().all(|digit| digit == b'0');
    Some(match base {
        BaseOperator::NumericLessThan if is_whole || whole < 0 => whole.checked_sub(1)?,
        BaseOperator::NumericLessThan => whole,
        _ => whole.checked_add(1)?,
    })
    .map(|number| number.to_string())
}

/// An address of the range, the first that is no network address.
fn address_in(range: &str) -> Option<String> {
    if matches!(range, "0.0.0.0/0" | "::/0") {
        return Some("198.51.100.7".to_owned());
    }
    let (address, length) = range.split_once('/').unwrap_or((range, ""));
    let address: std::net::IpAddr = address.parse().ok()?;
    let is_single = matches!(length, "" | "32" | "128" | "31" | "127");
    Some(match address {
        std::net::IpAddr::V4(v4) => {
            std::net::Ipv4Addr::from_bits(v4.to_bits() | u32::from(!is_single)).to_string()
        }
        std::net::IpAddr::V6(v6) => {
            std::net::Ipv6Addr::from_bits(v6.to_bits() | u128::from(!is_single)).to_string()
        }
    })
}

/// The request changed so that the statement, which matches it, is likely not to match any more:
/// one change for each of its conditions that can be failed.
pub(super) fn evading(request: &Request, statement: &Statement) -> Vec<Request> {
    let changed = statement.conditions.iter().filter_map(|condition| {
        let mut changed = request.clone();
        fail(&mut changed, condition)?;
        Some(changed)
    });
    changed.collect()
}

/// Changes the request so that the condition is likely to fail.
fn fail(request: &mut Request, condition: &Condition) -> Option<()> {
    let operator = condition.operator;
    if is_derived(&condition.key) {
        return None;
    }
    let key = condition.key.as_str();
    if operator.base == BaseOperator::Null {
        return match request.context.get(key) {
            None => {
                put(&mut request.context, key, likely_value(key)?);
                Some(())
            }
            Some(_) => request.context.remove(key).map(|_| ()),
        };
    }
    if operator.base.is_negated() || operator.if_exists {
        let value = match operator.base.is_negated() {
            true => {
                let template = &condition.values.first()?.template;
                glob::word(&filled(template, request)?, "example")
            }
            false => likely_value(key)?,
        };
        let value =
            if operator.base == BaseOperator::NotIpAddress { address_in(&value)? } else { value };
        put(&mut request.context, key, value);
        return Some(());
    }
    match operator.base {
        BaseOperator::Bool => {
            let is_true = matches!(
                request.context.get(key), Some(ContextValue::One(value)) if value == "true"
            );
            put(&mut request.context, key, (!is_true).to_string());
        }
        _ if key.eq_ignore_ascii_case("aws:RequestedRegion") => {
            put(&mut request.context, key, OTHER_REGION.to_owned());
        }
        _ => {
            request.context.remove(key)?;
        }
    }
    Some(())
}
