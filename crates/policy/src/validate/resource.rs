//! `Resource` and `NotResource` (1.6, 2.2, 2.3).

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Linter;
use super::checks::{
    ACCOUNT_NOT_ALLOWED, ALLOW_NOT_RESOURCE, ARN_SERVICE_CASE, EMPTY_RESOURCE, INVALID_ACCOUNT,
    INVALID_ARN_SERVICE, INVALID_PARTITION, INVALID_REGION, MISSING_ARN_FIELD, MISSING_REGION,
    REGION_NOT_ALLOWED, UNKNOWN_RESOURCE_TYPE, WILDCARD_IN_ARN_SERVICE,
};
use super::pattern::{Pattern, Token, disjoint};
use crate::ast::{Effect, PolicyType, ResourcePattern, Statement, Template};
use crate::catalogue;
use crate::diagnostic::{closest, quoted};

/// The partitions that AWS has.
const PARTITIONS: [&str; 8] =
    ["aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f"];

/// The types of resources by the service in their ARNs, which is not always the one whose actions
/// are about them. Made when the first ARN is looked up: 2,300 patterns, in a few milliseconds.
static FORMATS: LazyLock<HashMap<&str, Vec<Pattern>>> = LazyLock::new(|| {
    let mut formats: HashMap<&str, Vec<Pattern>> = HashMap::new();
    for format in catalogue::all_resource_types() {
        let service = format.split(':').nth(2).unwrap_or_default();
        let pattern = Pattern::with_wildcards(&Template::text(format));
        formats.entry(service).or_default().push(pattern);
    }
    formats
});

impl Linter<'_> {
    pub(super) fn resources(&mut self, statement: &Statement) {
        let Some(clause) = &statement.resource else { return };
        if clause.negated && statement.effect == Effect::Allow && self.grants() {
            let message = "everything but the listed resources is allowed";
            let hint = "list what is meant under `Resource`".to_owned();
            self.report(&ALLOW_NOT_RESOURCE, clause.span, message, hint);
        }
        if clause.entries.is_empty() && clause.span != statement.span {
            let message = "the statement has no resources, and matches nothing (D2)";
            self.report(&EMPTY_RESOURCE, clause.span, message, None);
        }
        for entry in &clause.entries {
            self.variables(&entry.template, entry.span);
            self.arn(entry);
        }
    }

    fn arn(&mut self, entry: &ResourcePattern) {
        let text = entry.template.to_string();
        if !text.starts_with("arn:") {
            return;
        }
        let pattern = Pattern::with_wildcards(&entry.template);
        let Some(fields) = pattern.fields() else {
            return self.short_arn(entry, &text);
        };
        let literal = |field: &[Token]| -> Option<String> {
            field
                .iter()
                .map(|token| match token {
                    Token::Char(c) => Some(*c),
                    Token::One | Token::Many => None,
                })
                .collect()
        };
        let [_, partition, service, region, account, _] = fields.map(literal);
        let span = entry.span;
        if let Some(partition) = partition
            && !PARTITIONS.contains(&partition.as_str())
        {
            let message = format!("there is no partition {}", quoted(&partition));
            let hint = closest(&partition, PARTITIONS).unwrap_or("aws");
            self.report(&INVALID_PARTITION, span, message, format!("did you mean `{hint}`?"));
        }
        let strange_region = region.as_ref().is_some_and(|region| !is_region(region));
        if strange_region {
            let message =
                format!("{} is not a region", quoted(region.as_deref().unwrap_or_default()));
            let hint = "a region is like `eu-west-1`".to_owned();
            self.report(&INVALID_REGION, span, message, hint);
        }
        let strange_account = account.as_ref().is_some_and(|account| !is_account(account));
        if strange_account {
            let account = account.unwrap_or_default();
            let message = format!("{} is not an account", quoted(&account));
            self.report(&INVALID_ACCOUNT, span, message, "an account has twelve digits".to_owned());
        }
        let Some(service) = service else {
            let message = format!("the service of {} is a pattern", quoted(&text));
            let hint = "AWS does not document what that matches (D4): name the service".to_owned();
            if fields[2] != [Token::Many] || fields[5] != [Token::Many] {
                self.report(&WILDCARD_IN_ARN_SERVICE, span, message, hint);
            }
            return;
        };
        if service.bytes().any(|byte| byte.is_ascii_uppercase()) {
            let message = format!("capitals in the service {}", quoted(&service));
            let hint = format!("write `{}`", service.to_ascii_lowercase());
            self.report(&ARN_SERVICE_CASE, span, message, hint);
            return;
        }
        if strange_region || strange_account || !self.spend(1_000 + 200 * text.len()) {
            return;
        }
        self.type_of_resource(entry, &service, &fields);
    }

    /// Compares the ARN with the types of resources of its service.
    fn type_of_resource(&mut self, entry: &ResourcePattern, service: &str, fields: &[&[Token]; 6]) {
        let formats = FORMATS.get(service).map(Vec::as_slice).unwrap_or_default();
        let span = entry.span;
        if formats.is_empty() {
            // Services without resource types are known by their actions only.
            if catalogue::service(service).is_none() {
                let message = format!("there is no service {} known", quoted(service));
                let hint = closest(service, catalogue::services());
                let hint = hint.map(|service| format!("did you mean `{service}`?"));
                self.report(&INVALID_ARN_SERVICE, span, message, hint);
            }
            return;
        }
        let fitting: Vec<_> = formats
            .iter()
            .filter_map(Pattern::fields)
            .filter(|format| !disjoint(format[5], fields[5]))
            .collect();
        if fitting.is_empty() {
            let message =
                format!("{} is of no known type of resource", quoted(&entry.template.to_string()));
            let mut known: Vec<_> = catalogue::resource_types(service).take(3).collect();
            known.dedup();
            let hint = format!("types of `{service}` are like {}", known.join(", "));
            let hint = (!known.is_empty()).then_some(hint);
            self.report(&UNKNOWN_RESOURCE_TYPE, span, message, hint);
            return;
        }
        let all = |field: usize, is_empty: bool| {
            fitting.iter().all(|format| format[field].is_empty() == is_empty)
        };
        let is_given = |field: &[Token]| field.iter().any(|token| matches!(token, Token::Char(_)));
        let what = format!("resources like {}", quoted(&entry.template.to_string()));
        if all(3, true) && is_given(fields[3]) {
            let message = format!("{what} have no region in their ARN");
            self.report(&REGION_NOT_ALLOWED, span, message, "leave the field empty".to_owned());
        }
        if all(4, true) && is_given(fields[4]) {
            let message = format!("{what} have no account in their ARN");
            self.report(&ACCOUNT_NOT_ALLOWED, span, message, "leave the field empty".to_owned());
        }
        if all(3, false) && fields[3].is_empty() {
            let message = format!("{what} have a region in their ARN");
            self.report(&MISSING_REGION, span, message, "write `*` for all".to_owned());
        }
        // An account may be missing: AWS shares resources that have none, such as documents.
    }

    fn short_arn(&mut self, entry: &ResourcePattern, text: &str) {
        let n = text.split(':').count();
        let message = format!("{} has {n} of the six fields of an ARN", quoted(text));
        let hint = match self.policy.policy_type {
            PolicyType::Identity | PolicyType::Boundary => {
                "IAM takes the missing fields for `*` (D9)"
            }
            PolicyType::Session => "AWS refuses it in a session policy (2.3)",
            PolicyType::Scp => "Organizations takes it only if it ends with `*` (D9)",
            _ if text.contains('*') => "the missing fields are taken for `*` (D9)",
            _ => "it matches nothing (D9)",
        };
        self.report(&MISSING_ARN_FIELD, entry.span, message, hint.to_owned());
    }
}

/// Whether a field of an ARN may be a region: nothing, or words with a number at the end.
fn is_region(text: &str) -> bool {
    let mut words: Vec<_> = text.split('-').collect();
    let number = words.pop().unwrap_or_default();
    let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    matches!(text, "" | "global" | "aws-global")
        || (words.len() >= 2
            && words.iter().all(is_word)
            && (1..=2).contains(&number.len())
            && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether a field of an ARN may be an account: nothing, twelve digits, or the lower-case word for
/// one of AWS's own, such as `aws` and `cloudfront`.
fn is_account(text: &str) -> bool {
    let is_word = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    is_word || (text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()))
}
