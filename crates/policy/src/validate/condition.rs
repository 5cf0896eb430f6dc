//! `Condition` and policy variables (1.7, 3, 4).

use super::checks::{
    DEPRECATED_KEY, EMPTY_CONDITION, EMPTY_VALUES, FOR_ALL_SINGLE, HOST_BITS,
    INVALID_ACCOUNT_VALUE, INVALID_ARN_VALUE, INVALID_BASE64, INVALID_BOOLEAN, INVALID_DATE,
    INVALID_NUMBER, INVALID_ORGANIZATION, INVALID_VPC, INVALID_VPCE, KEY_FORMAT, MISSING_BRACE,
    MISSING_PAIRED, MISSING_QUALIFIER, MISSING_TAG_KEY, MULTIVALUED_VARIABLE, NULL_QUALIFIER,
    OPERATOR_CASE, PRIVATE_ADDRESS, REDUNDANT_VALUE, SEVERAL_BOOLEANS, TAG_KEY_ALLOW, TAG_KEY_DENY,
    TYPE_MISMATCH, UNDECIDED_IF_EXISTS, UNKNOWN_GLOBAL_KEY, UNKNOWN_KEY, UNKNOWN_SERVICE_KEY,
    UNKNOWN_VARIABLE, UNSUPPORTED_KEY, VARIABLE_FOR_OPERATOR, VARIABLE_IN_KEY,
    VARIABLE_IN_OLD_VERSION, WILDCARD_WITHOUT_LIKE,
};
use super::pattern::{Pattern, covers};
use super::value::{self, Date, Range};
use super::{Check, Linter};
use crate::ast::{
    BaseOperator, Condition, ConditionValue, Effect, Segment, SetOperator, Statement, Template,
    Version,
};
use crate::catalogue::{self, Cardinality, KeySort};
use crate::diagnostic::{closest, quoted};
use crate::json::Kind;
use crate::span::Span;

/// Most values of one list that are compared with each other.
const MAX_COMPARED: usize = 500;

/// Keys about a tag that follows them.
const TAG_KEYS: [&str; 3] = ["aws:PrincipalTag", "aws:RequestTag", "aws:ResourceTag"];

/// What an operator compares, as far as types go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    String,
    Number,
    Date,
    Bool,
    Binary,
    Address,
    Arn,
    Null,
}

pub(super) fn family(operator: BaseOperator) -> Family {
    use BaseOperator::*;
    match operator {
        StringEquals
        | StringNotEquals
        | StringEqualsIgnoreCase
        | StringNotEqualsIgnoreCase
        | StringLike
        | StringNotLike => Family::String,
        NumericEquals
        | NumericNotEquals
        | NumericLessThan
        | NumericLessThanEquals
        | NumericGreaterThan
        | NumericGreaterThanEquals => Family::Number,
        DateEquals
        | DateNotEquals
        | DateLessThan
        | DateLessThanEquals
        | DateGreaterThan
        | DateGreaterThanEquals => Family::Date,
        Bool => Family::Bool,
        BinaryEquals => Family::Binary,
        IpAddress | NotIpAddress => Family::Address,
        ArnEquals | ArnNotEquals | ArnLike | ArnNotLike => Family::Arn,
        Null => Family::Null,
    }
}

impl Linter<'_> {
    pub(super) fn conditions(&mut self, statement: &Statement) {
        self.empty_objects(statement);
        let mut told: Option<Span> = None;
        for condition in &statement.conditions {
            if told != Some(condition.operator_span) {
                self.operator_case(condition);
                told = Some(condition.operator_span);
            }
            self.key(statement, condition);
            self.set_operator(statement, condition);
            self.values(condition);
        }
    }

    fn empty_objects(&mut self, statement: &Statement) {
        let condition = self.written(statement).iter().find(|member| member.key == "Condition");
        let Some(Kind::Object(operators)) = condition.map(|member| &member.value.kind) else {
            return;
        };
        if let Some(member) = condition.filter(|_| operators.is_empty()) {
            let message = "the condition is empty, and always holds";
            self.report(&EMPTY_CONDITION, member.value.span, message, "remove it".to_owned());
        }
        for operator in operators {
            if matches!(&operator.value.kind, Kind::Object(keys) if keys.is_empty()) {
                let message = format!("{} has no keys, and always holds", quoted(&operator.key));
                self.report(&EMPTY_CONDITION, operator.key_span, message, "remove it".to_owned());
            }
        }
    }

    fn operator_case(&mut self, condition: &Condition) {
        let span = condition.operator_span;
        let written = &self.source[span.start as usize..span.end as usize];
        let documented = condition.operator.to_string();
        let written = written.trim_matches('"');
        if written != documented && written.eq_ignore_ascii_case(&documented) {
            let message = format!("{} is documented as `{documented}`", quoted(written));
            let hint = "that case does not matter is undocumented (D5)".to_owned();
            self.report(&OPERATOR_CASE, span, message, hint);
        }
    }

    fn key(&mut self, statement: &Statement, condition: &Condition) {
        let (key, span) = (condition.key.as_str(), condition.key_span);
        if key.contains("${") {
            let message = format!("{} has no variables: it is plain text", quoted(key));
            self.report(&VARIABLE_IN_KEY, span, message, None);
            return;
        }
        let Some((prefix, _)) = key.split_once(':') else {
            let message = format!("{} is not a condition key", quoted(key));
            let hint = "a key is like `aws:SourceIp` or `s3:prefix`".to_owned();
            self.report(&KEY_FORMAT, span, message, hint);
            return;
        };
        let bare = key.trim_end_matches('/');
        if let Some(tag_key) = TAG_KEYS.iter().find(|known| known.eq_ignore_ascii_case(bare)) {
            let message = format!("{} does not say which tag", quoted(key));
            self.report(&MISSING_TAG_KEY, span, message, format!("write `{tag_key}/NAME`"));
            return;
        }
        if key.eq_ignore_ascii_case("aws:SourceOwner") {
            let message = format!("{} is set by few services", quoted(key));
            let hint = "use `aws:SourceAccount`".to_owned();
            self.report(&DEPRECATED_KEY, span, message, hint);
        }
        let Some(info) = catalogue::key(key) else {
            return self.unknown_key(prefix, condition);
        };
        self.type_of_key(condition, info.sort);
        self.key_of_actions(statement, condition);
    }

    fn unknown_key(&mut self, prefix: &str, condition: &Condition) {
        let key = condition.key.as_str();
        // The catalogue knows the keys of services better than their types.
        if catalogue::keys_of_service(prefix).any(|known| catalogue::is_same_key(known, key)) {
            return;
        }
        let (check, candidates): (_, Vec<&str>) = if prefix.eq_ignore_ascii_case("aws") {
            (&UNKNOWN_GLOBAL_KEY, catalogue::keys_with_prefix("aws:").collect())
        } else if catalogue::service(prefix).is_some() {
            (&UNKNOWN_SERVICE_KEY, catalogue::keys_of_service(prefix).collect())
        } else if prefix.contains(['.', '/']) {
            // An identity provider has the claims that it likes.
            return;
        } else {
            (&UNKNOWN_KEY, Vec::new())
        };
        let message = format!("there is no condition key {} known", quoted(key));
        let affordable = self.spend(key.len() * 10_000);
        let hint = affordable.then(|| closest(key, candidates)).flatten();
        let hint = hint.map(|key| format!("did you mean `{key}`?"));
        self.report(check, condition.key_span, message, hint);
    }

    /// Whether the operator is for values of the key's sort.
    fn type_of_key(&mut self, condition: &Condition, sort: KeySort) {
        let family = family(condition.operator.base);
        let is_epoch = condition.key.eq_ignore_ascii_case("aws:EpochTime");
        let fits = match (family, sort) {
            (Family::Null, _) | (Family::String, KeySort::String | KeySort::Arn) => true,
            // Text and ARNs are told apart by nobody, and the reference confuses them.
            (Family::Arn, KeySort::Arn | KeySort::String) => true,
            (Family::Number, KeySort::Number) | (Family::Date, KeySort::Date) => true,
            (Family::Number, KeySort::Date) => is_epoch,
            (Family::Bool, KeySort::Bool) | (Family::Address, KeySort::Address) => true,
            (Family::Binary, KeySort::Binary) => true,
            // `true` is the only way to write true.
            (Family::String, KeySort::Bool) => true,
            _ => false,
        };
        if !fits {
            let key = quoted(&condition.key);
            let message = format!("`{}` is not for {key}", condition.operator);
            let hint = match sort {
                KeySort::String => "its values are text: use a string operator",
                KeySort::Arn => "its values are ARNs: use `ArnLike`",
                KeySort::Number => "its values are numbers: use a numeric operator",
                KeySort::Date => "its values are dates: use a date operator",
                KeySort::Bool => "its values are `true` and `false`: use `Bool`",
                KeySort::Address => "its values are addresses: use `IpAddress`",
                KeySort::Binary => "its values are bytes: use `BinaryEquals`",
            };
            self.report(&TYPE_MISMATCH, condition.operator_span, message, hint.to_owned());
        }
    }

    /// Whether some of the statement's actions has the key, as far as the catalogue knows.
    fn key_of_actions(&mut self, statement: &Statement, condition: &Condition) {
        let key = condition.key.as_str();
        let lower = key.to_ascii_lowercase();
        let is_tag_key = ["aws:requesttag/", "aws:resourcetag/", "aws:tagkeys"]
            .iter()
            .any(|tag_key| lower.starts_with(tag_key));
        let is_global = lower.starts_with("aws:");
        if (is_global && !is_tag_key) || statement.action.negated {
            return;
        }
        let mut services: Vec<&str> = Vec::new();
        for entry in &statement.action.entries {
            match entry.text.split_once(':').map(|(service, _)| catalogue::service(service)) {
                Some(Some(service)) => services.push(service),
                _ => return,
            }
        }
        services.dedup();
        // Keys of roles, sessions and federation go with every action.
        if is_session_key(&lower) {
            return;
        }
        if !self.spend(services.len() * 10_000) {
            return;
        }
        let is_known = |service: &&str| {
            let tag = lower.split_once(':').map_or("", |(_, name)| name);
            catalogue::keys_of_service(service).any(|known| {
                catalogue::is_same_key(known, key)
                    || is_tag_key
                        && known
                            .split_once(':')
                            .is_some_and(|(_, name)| catalogue::is_same_key(name, tag))
            })
        };
        if services.iter().any(is_known) || services.is_empty() {
            if !is_global {
                self.key_of_each_action(statement, condition);
            }
            return;
        }
        let message = format!("no service of the actions has the key {}", quoted(key));
        let hint = Some("as far as the service reference knows, the key is absent".to_owned());
        let check: &'static Check = match (is_global, statement.effect) {
            (false, _) => &UNSUPPORTED_KEY,
            (true, Effect::Deny) => &TAG_KEY_DENY,
            (true, Effect::Allow) => &TAG_KEY_ALLOW,
        };
        self.report(check, condition.key_span, message, hint);
    }

    fn key_of_each_action(&mut self, statement: &Statement, condition: &Condition) {
        for entry in &statement.action.entries {
            // A pattern of all actions of the service has those that have the key.
            if entry.text.contains(['*', '?']) || !self.spend(20_000) {
                return;
            }
            match catalogue::details(&entry.text) {
                None => return,
                Some(details) => {
                    let same = |known: &&str| catalogue::is_same_key(known, &condition.key);
                    if details.keys.iter().any(same) {
                        return;
                    }
                }
            }
        }
        if statement.action.entries.is_empty() {
            return;
        }
        let message = format!("none of the actions has the key {}", quoted(&condition.key));
        let hint = "as far as the service reference knows, the key is absent".to_owned();
        self.report(&UNSUPPORTED_KEY, condition.key_span, message, hint);
    }

    fn set_operator(&mut self, statement: &Statement, condition: &Condition) {
        let operator = condition.operator;
        let key = quoted(&condition.key).to_string();
        if operator.base == BaseOperator::Null {
            if let Some(set) = operator.set {
                let always = match set {
                    SetOperator::ForAllValues => "always true",
                    SetOperator::ForAnyValue => "never true",
                };
                let message = format!("`{operator}` is {always}");
                self.report(&NULL_QUALIFIER, condition.operator_span, message, None);
            }
            return;
        }
        if operator.set == Some(SetOperator::ForAnyValue) && operator.if_exists {
            let message = format!("whether `{operator}` holds of an absent key is undocumented");
            let hint = "it is read as false (D24): remove `IfExists`".to_owned();
            self.report(&UNDECIDED_IF_EXISTS, condition.operator_span, message, hint);
        }
        let cardinality = catalogue::key(&condition.key).map(|info| info.cardinality);
        match (cardinality, operator.set) {
            (Some(Cardinality::Multi), None) => {
                let message = format!("{key} has many values, and `{operator}` is for one");
                let hint = "it holds of no list (D26): add `ForAnyValue:` or `ForAllValues:`";
                self.report(&MISSING_QUALIFIER, condition.key_span, message, hint.to_owned());
            }
            (Some(Cardinality::Single), Some(SetOperator::ForAllValues)) => {
                let message =
                    format!("{key} has one value, and `ForAllValues:` holds if it is absent");
                let hint = "remove `ForAllValues:`".to_owned();
                self.report(&FOR_ALL_SINGLE, condition.key_span, message, hint);
            }
            (_, Some(SetOperator::ForAllValues)) => self.missing_null(statement, condition),
            _ => {}
        }
    }

    /// `ForAllValues:` on `aws:TagKeys` in an `Allow`, with nothing that asks for a tag.
    fn missing_null(&mut self, statement: &Statement, condition: &Condition) {
        let is_about_tags = |condition: &Condition| {
            let key = condition.key.to_ascii_lowercase();
            key == "aws:tagkeys" || key.starts_with("aws:requesttag/")
        };
        if statement.effect != Effect::Allow
            || !condition.key.eq_ignore_ascii_case("aws:TagKeys")
            || condition.operator.base.is_negated()
        {
            return;
        }
        let asks = statement.conditions.iter().any(|other| {
            let operator = other.operator;
            is_about_tags(other)
                && operator.set != Some(SetOperator::ForAllValues)
                && !operator.base.is_negated()
                && !operator.if_exists
        });
        if !asks {
            let message = format!("`{}` holds if there are no tags at all", condition.operator);
            let hint =
                "if tags are meant to be required, add `\"Null\": {\"aws:TagKeys\": \"false\"}`";
            self.report(&MISSING_PAIRED, condition.key_span, message, hint.to_owned());
        }
    }

    fn values(&mut self, condition: &Condition) {
        if condition.values.is_empty() {
            let holds = match (condition.operator.set, condition.operator.if_exists) {
                (Some(SetOperator::ForAllValues), _) | (_, true) => "holds only if it is absent",
                (Some(SetOperator::ForAnyValue), _) => "never holds",
                (None, _) => "is of undocumented meaning (D6)",
            };
            let key = quoted(&condition.key);
            let message = format!("{key} has no values, and `{}` {holds}", condition.operator);
            self.report(&EMPTY_VALUES, condition.key_span, message, None);
        }
        for value in &condition.values {
            self.variables(&value.template, value.span);
            self.value(condition, value);
        }
        self.several_booleans(condition);
        self.redundant_values(condition);
    }

    fn value(&mut self, condition: &Condition, value: &ConditionValue) {
        let text = value.template.to_string();
        let (shown, span) = (quoted(&text).to_string(), value.span);
        let family = family(condition.operator.base);
        if value.template.has_variable() {
            if !matches!(family, Family::String | Family::Arn | Family::Bool) {
                let message = format!("`{}` has no variables", condition.operator);
                self.report(&VARIABLE_FOR_OPERATOR, span, message, None);
            }
            return;
        }
        match family {
            Family::Number if !value::is_number(&text) => {
                let message = format!("{shown} is not a number");
                self.report(&INVALID_NUMBER, span, message, None);
            }
            Family::Date => match value::date(&text) {
                Date::Fine => {}
                Date::Ambiguous => {
                    let message = format!("{shown} is read as seconds, not as a year");
                    let hint = format!("write `{text}-01-01` for the year (D18)");
                    self.report(&INVALID_DATE, span, message, hint);
                }
                Date::Invalid => {
                    let message = format!("{shown} is not a date");
                    let hint = "a date is like `2026-01-31` or `2026-01-31T12:00:00Z`".to_owned();
                    self.report(&INVALID_DATE, span, message, hint);
                }
            },
            Family::Bool if !is_boolean(&text) => {
                let message = format!("{shown} is neither `true` nor `false`, and matches nothing");
                self.report(&INVALID_BOOLEAN, span, message, None);
            }
            Family::Binary if !value::is_base64(&text) => {
                let message = format!("{shown} is not base64, and matches nothing");
                self.report(&INVALID_BASE64, span, message, None);
            }
            Family::Address => self.address(condition, &text, span),
            Family::Arn if Pattern::with_wildcards(&value.template).fields().is_none() => {
                let message = format!("{shown} is not an ARN of six fields");
                let hint = "it is read as matching nothing (D22)".to_owned();
                self.report(&INVALID_ARN_VALUE, span, message, hint);
            }
            Family::String => self.text(condition, value, &text),
            _ => {}
        }
    }

    fn address(&mut self, condition: &Condition, text: &str, span: Span) {
        let Some(range) = Range::read(text) else { return };
        if condition.key.eq_ignore_ascii_case("aws:SourceIp") && range.is_private() {
            let message = format!("{} is private, and `aws:SourceIp` is public", quoted(text));
            let hint = "private addresses are in `aws:VpcSourceIp`".to_owned();
            self.report(&PRIVATE_ADDRESS, span, message, hint);
        }
        if range.has_host_bits() {
            let message = format!("{} has bits that its length ignores", quoted(text));
            self.report(&HOST_BITS, span, message, format!("write `{}`", range.cleaned()));
        }
    }

    fn text(&mut self, condition: &Condition, value: &ConditionValue, text: &str) {
        use BaseOperator::{StringLike, StringNotLike};
        let is_like = matches!(condition.operator.base, StringLike | StringNotLike);
        let plain = value.template.segments.iter().filter_map(|segment| match segment {
            Segment::Text(text) => Some(text),
            _ => None,
        });
        let has_wildcard = plain.clone().any(|text| text.contains(['*', '?']));
        if has_wildcard && !is_like {
            let message = format!("{} has a wildcard, which is plain text here", quoted(text));
            let hint = "use `StringLike` or `StringNotLike`".to_owned();
            // `?` alone stands in real texts, such as URLs.
            if plain.clone().any(|text| text.contains('*')) {
                self.report(&WILDCARD_WITHOUT_LIKE, value.span, message, hint);
            }
        }
        if has_wildcard && is_like {
            return;
        }
        let is_account = |text: &str| {
            text == "anonymous" || (text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()))
        };
        let key = condition.key.to_ascii_lowercase();
        let (fits, check, form): (fn(&str) -> bool, _, _) = match key.as_str() {
            "aws:sourcevpc" | "aws:ec2instancesourcevpc" => {
                (|text| is_id(text, "vpc-"), &INVALID_VPC, "`vpc-` and 8 or 17 hexadecimal digits")
            }
            "aws:sourcevpce" => (
                |text| is_id(text, "vpce-"),
                &INVALID_VPCE,
                "`vpce-` and 8 or 17 hexadecimal digits",
            ),
            "aws:principalaccount"
            | "aws:resourceaccount"
            | "aws:sourceaccount"
            | "aws:vpceaccount"
            | "kms:calleraccount"
            | "s3:resourceaccount" => (is_account, &INVALID_ACCOUNT_VALUE, "twelve digits"),
            "aws:principalorgid" | "aws:resourceorgid" | "aws:sourceorgid" | "aws:vpceorgid" => (
                is_organization,
                &INVALID_ORGANIZATION,
                "`o-` and 10 to 32 lower-case letters and digits",
            ),
            _ => return,
        };
        if !has_wildcard && !fits(text) {
            let message = format!("{} can be no value of {}", quoted(text), quoted(&condition.key));
            self.report(check, value.span, message, format!("the form is {form}"));
        }
    }

    fn several_booleans(&mut self, condition: &Condition) {
        if !matches!(condition.operator.base, BaseOperator::Bool | BaseOperator::Null) {
            return;
        }
        let has = |word: &str| {
            condition.values.iter().any(|v| v.template.to_string().eq_ignore_ascii_case(word))
        };
        if has("true") && has("false") {
            let message = format!("both `true` and `false` for {}", quoted(&condition.key));
            self.report(&SEVERAL_BOOLEANS, condition.key_span, message, "choose one".to_owned());
        }
    }

    /// Values that another one of the list covers.
    fn redundant_values(&mut self, condition: &Condition) {
        let values = &condition.values[..condition.values.len().min(MAX_COMPARED)];
        for (n, value) in values.iter().enumerate() {
            let length: usize = value.template.to_string().len() + 1;
            if !self.spend(length * values.len() * 30) {
                return;
            }
            let by = values.iter().enumerate().find(|(m, other)| {
                *m != n
                    && value_covers(condition.operator.base, &other.template, &value.template)
                    // Of two that cover each other, the later one goes.
                    && (*m < n
                        || !value_covers(condition.operator.base, &value.template, &other.template))
            });
            if let Some((_, by)) = by {
                let message = format!(
                    "{} is covered by {}",
                    quoted(&value.template.to_string()),
                    quoted(&by.template.to_string())
                );
                self.report(&REDUNDANT_VALUE, value.span, message, "remove it".to_owned());
            }
        }
    }

    /// What is odd about the `${…}` of a text.
    pub(super) fn variables(&mut self, template: &Template, span: Span) {
        for segment in &template.segments {
            match segment {
                Segment::Text(text) if text.contains("${") => match self.policy.version {
                    Version::V2012 => {
                        let message = format!("{} has a `${{` without its `}}`", quoted(text));
                        self.report(&MISSING_BRACE, span, message, "it is plain text".to_owned());
                    }
                    Version::V2008 => {
                        let message =
                            format!("{} has no variables: it is plain text", quoted(text));
                        let hint = "variables need `\"Version\": \"2012-10-17\"`".to_owned();
                        self.report(&VARIABLE_IN_OLD_VERSION, span, message, hint);
                    }
                },
                Segment::Variable { key, .. } => match catalogue::key(key) {
                    None if !key.split(':').next().unwrap_or_default().contains(['.', '/']) => {
                        let message = format!("there is no condition key {} known", quoted(key));
                        let hint = "an unknown variable has no value, and matches nothing (D29)";
                        self.report(&UNKNOWN_VARIABLE, span, message, hint.to_owned());
                    }
                    Some(info) if info.cardinality == Cardinality::Multi => {
                        let message = format!("{} has many values", quoted(key));
                        let hint = "a variable needs a key of one value (4.1)".to_owned();
                        self.report(&MULTIVALUED_VARIABLE, span, message, hint);
                    }
                    _ => {}
                },
                Segment::Text(_) | Segment::Escaped(_) => {}
            }
        }
    }
}

/// True only if every value that matches `inner` under the operator matches `outer`. False of the
/// operators that order.
pub(super) fn value_covers(operator: BaseOperator, outer: &Template, inner: &Template) -> bool {
    use BaseOperator::*;
    match family(operator) {
        _ if outer == inner => true,
        Family::String if outer.has_variable() || inner.has_variable() => false,
        Family::String => match operator {
            StringLike | StringNotLike => {
                let (outer, inner) =
                    (Pattern::with_wildcards(outer), Pattern::with_wildcards(inner));
                covers(&outer.tokens, &inner.tokens)
            }
            StringEqualsIgnoreCase | StringNotEqualsIgnoreCase => {
                outer.to_string().eq_ignore_ascii_case(&inner.to_string())
            }
            _ => false,
        },
        Family::Arn => {
            let (outer, inner) = (Pattern::with_wildcards(outer), Pattern::with_wildcards(inner));
            match (outer.fields(), inner.fields()) {
                (Some(left), Some(right)) if !outer.has_variable && !inner.has_variable => {
                    left.iter().zip(right).all(|(outer, inner)| covers(outer, inner))
                }
                _ => false,
            }
        }
        Family::Address => {
            match (Range::read(&outer.to_string()), Range::read(&inner.to_string())) {
                (Some(outer), Some(inner)) => outer.covers(inner),
                _ => false,
            }
        }
        _ => false,
    }
}

/// Whether the key belongs to the requester's session or identity, not to an action.
fn is_session_key(lower: &str) -> bool {
    let prefix = lower.split(':').next().unwrap_or_default();
    prefix.contains(['.', '/'])
        || prefix == "saml"
        || matches!(
            lower,
            "ec2:roledelivery"
                | "ec2:sourceinstancearn"
                | "glue:roleassumedby"
                | "glue:credentialissuingservice"
                | "codebuild:buildarn"
                | "codebuild:projectarn"
                | "lambda:sourcefunctionarn"
                | "ssm:sourceinstancearn"
                | "identitystore:userid"
        )
}

fn is_boolean(text: &str) -> bool {
    ["true", "false"].iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Whether the text is such a prefix and 8 or 17 hexadecimal digits.
fn is_id(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|digits| {
        matches!(digits.len(), 8 | 17)
            && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

fn is_organization(text: &str) -> bool {
    text.strip_prefix("o-").is_some_and(|rest| {
        (10..=32).contains(&rest.len())
            && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    })
}
