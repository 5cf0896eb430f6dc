//! `Condition` (1.7).
//!
//! Values are refused only where their operator could never read them, whatever the request: a
//! Boolean that is neither true nor false, an address that is none. Numbers, dates and encoded
//! bytes are left to the evaluator, which must have a reading for ill-typed values anyway (D16 to
//! D20). Nothing is said of keys: any text may be one.

use std::net::IpAddr;

use super::Context;
use super::pattern::VariablesFrom;
use crate::ast::{BaseOperator, Condition, ConditionValue, Operator, SetOperator, Template};
use crate::diagnostic::{Code, ParseError, closest, quoted};
use crate::json::{Kind, Member, Value, duplicate_key, repeated_key};

impl Context<'_> {
    /// Reads the value of `Condition`: operators, under each its keys, under each its values.
    pub(super) fn conditions(&self, value: &Value<'_>) -> Result<Vec<Condition>, ParseError> {
        let operators = self.object(value, &"`Condition`")?;
        let mut conditions = Vec::new();
        for member in operators {
            let read = self.conditions_of_operator(member, &mut conditions);
            self.recover(read)?;
        }
        self.recover(self.check_distinct(operators))?;
        Ok(conditions)
    }

    fn conditions_of_operator(
        &self,
        member: &Member<'_>,
        conditions: &mut Vec<Condition>,
    ) -> Result<(), ParseError> {
        let operator = self.operator(member)?;
        let keys = self.object(&member.value, &quoted(&member.key))?;
        self.check_entries(keys.len(), member.value.span, &quoted(&member.key))?;
        for key in keys {
            self.check_length(&key.key, key.key_span, &"a condition key")?;
            let values = self.recover(self.condition_values(operator, key))?;
            conditions.extend(values.map(|values| Condition {
                operator,
                key: key.key.clone().into_owned(),
                values,
                operator_span: member.key_span,
                key_span: key.key_span,
            }));
        }
        self.recover(self.check_distinct(keys))?;
        Ok(())
    }

    /// Refuses names that differ only in case: both mean the same operator or key (1.1, D5).
    fn check_distinct(&self, members: &[Member<'_>]) -> Result<(), ParseError> {
        match repeated_key(members, true) {
            Some((first, second)) => Err(duplicate_key(self.source, first, second)),
            None => Ok(()),
        }
    }

    /// Reads an operator's name, in any case (D5).
    fn operator(&self, member: &Member<'_>) -> Result<Operator, ParseError> {
        let name = &*member.key;
        let unknown = || {
            let message = format!("unknown condition operator {}", quoted(name));
            let error = self.error(Code::UnknownOperator, member.key_span, message);
            match suggestion(name) {
                Some(operator) => error.with_hint(format!("did you mean `{operator}`?")),
                None => error,
            }
        };
        let (set, rest) = match name.split_once(':') {
            None => (None, name),
            Some((set, rest)) => (Some(set_operator(set).ok_or_else(unknown)?), rest),
        };
        let (base, if_exists) = match strip_suffix_ignore_case(rest, "IfExists") {
            None => (rest, false),
            Some(base) => (base, true),
        };
        let base = BaseOperator::ALL
            .iter()
            .find(|(_, known)| known.eq_ignore_ascii_case(base))
            .map(|&(base, _)| base)
            .ok_or_else(unknown)?;
        if base == BaseOperator::Null && if_exists {
            let message = "`Null` cannot take `IfExists`";
            return Err(self
                .error(Code::UnknownOperator, member.key_span, message)
                .with_hint("`Null` asks whether the key is present; remove `IfExists`"));
        }
        Ok(Operator { set, base, if_exists })
    }

    /// Reads the values under a key. An empty list is allowed and has a meaning (D6).
    fn condition_values(
        &self,
        operator: Operator,
        key: &Member<'_>,
    ) -> Result<Vec<ConditionValue>, ParseError> {
        match &key.value.kind {
            Kind::Array(values) => {
                self.check_entries(values.len(), key.value.span, &quoted(&key.key))?;
                let mut read = Vec::with_capacity(values.len());
                for value in values {
                    read.extend(self.recover(self.condition_value(operator, key, value))?);
                }
                Ok(read)
            }
            _ => Ok(vec![self.condition_value(operator, key, &key.value)?]),
        }
    }

    fn condition_value(
        &self,
        operator: Operator,
        key: &Member<'_>,
        value: &Value<'_>,
    ) -> Result<ConditionValue, ParseError> {
        let text = match &value.kind {
            Kind::String(text) => &**text,
            Kind::Number(lexeme) => lexeme,
            Kind::Bool(true) => "true",
            Kind::Bool(false) => "false",
            Kind::Null | Kind::Array(_) | Kind::Object(_) => {
                let what = format_args!("a value of {}", quoted(&key.key));
                return Err(self.wrong_type(value, &what, "a string, a number or a Boolean"));
            }
        };
        self.check_length(text, value.span, &"a condition")?;
        if has_wildcards(operator.base) {
            self.check_wildcards(text, value.span)?;
        }
        let template = self.template(text, value, VariablesFrom::Start)?;
        self.check_readable(operator.base, text, &template, value)?;
        Ok(ConditionValue { template, span: value.span })
    }

    /// Refuses a value that its operator can read in no request.
    fn check_readable(
        &self,
        operator: BaseOperator,
        text: &str,
        template: &Template,
        value: &Value<'_>,
    ) -> Result<(), ParseError> {
        use BaseOperator::{IpAddress, NotIpAddress, Null};
        let is_boolean = || ["true", "false"].iter().any(|b| b.eq_ignore_ascii_case(text));
        // `Bool` with another word is a lint: it matches nothing (3.7), and AWS saves it.
        let hint = match operator {
            Null if !is_boolean() => "`Null` takes `true` (absent) or `false` (present)",
            IpAddress | NotIpAddress if !template.has_variable() && !is_address_range(text) => {
                "an address is like `203.0.113.7` or `2001:db8::1`, a range like `203.0.113.0/24`"
            }
            _ => return Ok(()),
        };
        let message = format!("`{}` cannot read {}", operator.name(), quoted(text));
        Err(self.error(Code::InvalidConditionValue, value.span, message).with_hint(hint))
    }
}

/// Whether `*` and `?` are wildcards in the operator's values.
fn has_wildcards(operator: BaseOperator) -> bool {
    use BaseOperator::{ArnEquals, ArnLike, ArnNotEquals, ArnNotLike, StringLike, StringNotLike};
    matches!(operator, StringLike | StringNotLike | ArnEquals | ArnLike | ArnNotEquals | ArnNotLike)
}

/// Whether the text is an IPv4 or IPv6 address, or one with a prefix length (3.9).
fn is_address_range(text: &str) -> bool {
    let (address, prefix) = match text.split_once('/') {
        None => (text, None),
        Some((address, prefix)) => (address, Some(prefix)),
    };
    let max_prefix = match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    let Some(prefix) = prefix else { return true };
    // `u8` would also read `+8` and `08`.
    let canonical = prefix == "0" || !prefix.starts_with(['0', '+']);
    canonical && prefix.parse::<u8>().is_ok_and(|prefix| prefix <= max_prefix)
}

const SET_OPERATORS: [(SetOperator, &str); 2] =
    [(SetOperator::ForAllValues, "ForAllValues"), (SetOperator::ForAnyValue, "ForAnyValue")];

fn set_operator(name: &str) -> Option<SetOperator> {
    let (operator, _) = SET_OPERATORS.iter().find(|(_, known)| known.eq_ignore_ascii_case(name))?;
    Some(*operator)
}

/// The operator that `name` may be a misspelling of, with its affixes.
fn suggestion(name: &str) -> Option<String> {
    let (set, rest) = match name.split_once(':') {
        None => ("", name),
        Some((set, rest)) => (closest(set, SET_OPERATORS.iter().map(|(_, known)| *known))?, rest),
    };
    let bases = BaseOperator::ALL.iter().map(|(_, base)| *base);
    let with_suffix: Vec<_> = bases.clone().map(|base| format!("{base}IfExists")).collect();
    let base = closest(rest, bases.chain(with_suffix.iter().map(String::as_str)))?;
    Some(if set.is_empty() { base.to_owned() } else { format!("{set}:{base}") })
}

fn strip_suffix_ignore_case<'t>(text: &'t str, suffix: &str) -> Option<&'t str> {
    let start = text.len().checked_sub(suffix.len())?;
    let end = text.get(start..)?;
    end.eq_ignore_ascii_case(suffix).then(|| &text[..start])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    /// The conditions of a policy whose one statement has this `Condition`.
    #[track_caller]
    fn conditions(condition: &str) -> Vec<Condition> {
        let source = format!(
            r#"{{"Statement": {{"Effect": "Deny", "Action": "*", "Resource": "*",
                "Condition": {condition}}}}}"#
        );
        parse(&source, None).unwrap().statements.remove(0).conditions
    }

    #[test]
    fn every_operator_is_read_in_any_case_with_every_affix() {
        for set in ["", "ForAllValues:", "ForAnyValue:"] {
            for (base, name) in BaseOperator::ALL {
                for suffix in ["", "IfExists"] {
                    if base == BaseOperator::Null && !suffix.is_empty() {
                        continue;
                    }
                    let name = format!("{set}{name}{suffix}");
                    for spelling in [name.clone(), name.to_ascii_lowercase()] {
                        let read = conditions(&format!(r#"{{"{spelling}": {{"k": []}}}}"#));
                        assert_eq!(read[0].operator.to_string(), name);
                    }
                }
            }
        }
    }

    #[test]
    fn unquoted_values_keep_their_text() {
        let read = conditions(r#"{"NumericEquals": {"k": [5.0, 1E2, true, "x"]}}"#);
        let texts: Vec<_> = read[0].values.iter().map(|v| v.template.to_string()).collect();
        assert_eq!(texts, ["5.0", "1E2", "true", "x"]);
    }

    #[test]
    fn each_pair_of_operator_and_key_is_one_condition() {
        let read =
            conditions(r#"{"StringLike": {"a": "1", "b": []}, "Null": {}, "Bool": {"a": "TRUE"}}"#);
        let pairs: Vec<_> = read.iter().map(|c| format!("{} {}", c.operator, c.key)).collect();
        assert_eq!(pairs, ["StringLike a", "StringLike b", "Bool a"]);
        assert_eq!(conditions("{}"), []);
    }

    #[test]
    fn addresses_and_ranges_are_told_from_other_text() {
        for good in [
            "203.0.113.7",
            "0.0.0.0/0",
            "203.0.113.77/24",
            "10.0.0.1/32",
            "::/0",
            "2001:DB8::1/128",
            "::ffff:1.2.3.4",
        ] {
            assert!(is_address_range(good), "{good}");
        }
        for bad in [
            "",
            "*",
            "203.0.113",
            "203.0.113.7/33",
            "203.0.113.7/",
            "203.0.113.7/+8",
            "1.2.3.4/08",
            "::1/129",
            "01.2.3.4",
            "fe80::1%eth0",
            "1.2.3.4/8/8",
            "203.0.113.*",
        ] {
            assert!(!is_address_range(bad), "{bad}");
        }
    }
}
