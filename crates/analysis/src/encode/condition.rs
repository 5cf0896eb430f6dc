//! Conditions (3): operators, presence, and the values of derived keys.
//!
//! One policy value is first read as a [`Test`] of one request value, by its operator; the test is
//! then put to the key, by the key's sort. Keys that follow from the principal (7.1, R3–R6) have
//! no variable of their own for the kinds from which they follow: the test is put to what they
//! follow from.

use keyaki_logic::term::Node;
use keyaki_logic::{Regex, Sort, Term};
use keyaki_policy::ast::{
    BaseOperator, Condition, ConditionValue, Segment, SetOperator, Statement, Template,
};
use keyaki_policy::catalogue::{Cardinality, KeySort};
use keyaki_policy::reading::Switch;
use keyaki_policy::span::Span;

use super::decimal::{self, Comparison, Decimal, Form};
use super::pattern::{self, Bounds, Part, Token};
use super::symbols::{ARN_FIELDS, Key, Kind, address_field, instant_field, number_field};
use super::usage::PLACE_BITS;
use super::{Encoder, Source, base64, instant};
use crate::addresses::{Family, Network};

/// What one policy value asks of one request value.
#[derive(Clone, Debug)]
pub(super) enum Test {
    /// The whole text matches.
    Text(Vec<Token>),
    /// Each of the six fields matches (3.10).
    Arn([Vec<Token>; 6]),
    /// It is this truth value, in any case (3.7).
    Bool(bool),
    /// It is a number that compares so with this one (3.5).
    Number(Comparison, Decimal),
    /// It is a date that compares so with this one, in seconds since 1970 (3.6).
    Date(Comparison, i64),
    /// It lies in this range (3.9).
    Address(Network),
    /// It is of this type at all (D17).
    Typed(Type),
}

/// A type that a request value must have for the operator to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// Of the numeric operators.
    Number,
    /// Of the date operators.
    Date,
    /// Of the address operators.
    Address,
}

impl Type {
    /// The type of which the operator's values must be; `None` if it takes any text.
    pub(super) fn of(base: BaseOperator) -> Option<Type> {
        use BaseOperator::*;
        match base {
            NumericEquals
            | NumericNotEquals
            | NumericLessThan
            | NumericLessThanEquals
            | NumericGreaterThan
            | NumericGreaterThanEquals => Some(Type::Number),
            DateEquals
            | DateNotEquals
            | DateLessThan
            | DateLessThanEquals
            | DateGreaterThan
            | DateGreaterThanEquals => Some(Type::Date),
            IpAddress | NotIpAddress => Some(Type::Address),
            _ => None,
        }
    }
}

/// The kinds of principal for which the keys of the principal are free (`docs/semantics.md`, "The
/// universe").
pub(super) const FREE: [Kind; 3] = [Kind::Service, Kind::Federated, Kind::CanonicalUser];

/// R1, R4 (4.5): the values of `aws:PrincipalType`.
pub(super) const PRINCIPAL_TYPES: [(Kind, &str); 5] = [
    (Kind::Anonymous, "Anonymous"),
    (Kind::Root, "Account"),
    (Kind::User, "User"),
    (Kind::RoleSession, "AssumedRole"),
    (Kind::FederatedUser, "FederatedUser"),
];

impl Encoder<'_> {
    /// A term that is true if and only if the condition holds of the request.
    pub(super) fn condition(&mut self, source: Source<'_>, condition: &Condition) -> Term {
        let key = self.key(&condition.key);
        let operator = condition.operator;
        let present = self.present(&key);
        if let Some(set) = operator.set {
            let holds = self.set_condition(source, condition, &key, set);
            return holds.unwrap_or_else(|| self.unmodelled(source, condition, present));
        }
        let holds = self.condition_on_one(source, condition, &key, present);
        if !condition.values.is_empty() {
            return holds;
        }
        // 1.7 and D6: a list without values is matched by nothing, or is no test.
        if operator.if_exists {
            return self.t.not(present);
        }
        let no_test = self.t.bool(true);
        self.by_reading(Switch::D6, holds, no_test)
    }

    /// A condition without set operator.
    fn condition_on_one(
        &mut self,
        source: Source<'_>,
        condition: &Condition,
        key: &Key,
        present: Term,
    ) -> Term {
        let operator = condition.operator;
        let absent = self.t.not(present);
        if operator.base == BaseOperator::Null {
            let absent = self.is_null(key, present);
            let present = self.t.not(absent);
            // The parser lets only truth values through.
            let tests = condition.values.iter().filter_map(truth);
            let tests: Vec<Term> =
                tests.map(|is_null| if is_null { absent } else { present }).collect();
            return self.t.or(tests);
        }
        let matches = self.passes(source, condition, key);
        let list = self.is_list(key, present);
        let single = self.t.not(list);
        let passes = self.t.and([single, matches]);
        let as_list = self.passes_as_list(condition, list);
        let as_list = self.unless_unresolved(condition, as_list);
        let passes = self.t.or([passes, as_list]);
        if operator.if_exists || operator.base.is_negated() {
            self.t.or([absent, passes])
        } else {
            self.t.and([present, passes])
        }
    }

    /// A term that is true if and only if the value of `key`, taken to be present and single, passes
    /// the condition's operator, the set operator and `IfExists` left aside: one of the values
    /// listed matches, or none does if the operator is negated (3.13).
    pub(super) fn passes(&mut self, source: Source<'_>, condition: &Condition, key: &Key) -> Term {
        let values = condition.values.iter();
        let tests: Vec<Term> =
            values.map(|value| self.value(source, condition, key, value)).collect();
        let some = self.t.or(tests);
        let passes = if condition.operator.base.is_negated() {
            self.negated(source, condition, key, some)
        } else {
            some
        };
        self.unless_unresolved(condition, passes)
    }

    /// D29: an unresolved value matches nothing, or spoils the whole condition.
    fn unless_unresolved(&mut self, condition: &Condition, passes: Term) -> Term {
        let unresolved = self.unresolved(condition);
        let resolved = self.t.not(unresolved);
        let all_resolved = self.t.and([passes, resolved]);
        self.by_reading(Switch::D29, passes, all_resolved)
    }

    /// What a negated operator says where `some` tells whether a value matches. Ill-typed values
    /// fail it, or differ (D17).
    fn negated(
        &mut self,
        source: Source<'_>,
        condition: &Condition,
        key: &Key,
        some: Term,
    ) -> Term {
        let none = self.t.not(some);
        let Some(of_type) = Type::of(condition.operator.base) else { return none };
        let typed = self.test(key, &Test::Typed(of_type));
        let name = format!("{} is of type {of_type:?}", key.value());
        let typed = self.settle(source, condition, &name, typed, condition.key_span);
        let typed_none = self.t.and([typed, none]);
        let ill_typed = self.t.not(typed);
        let differs = self.t.or([ill_typed, none]);
        self.by_reading(Switch::D17, typed_none, differs)
    }

    /// True if and only if some policy variable in the values has neither value nor default.
    fn unresolved(&mut self, condition: &Condition) -> Term {
        let mut unresolved = Vec::new();
        for value in &condition.values {
            if takes_variables(condition.operator.base) {
                unresolved.push(self.cases(&value.template, false).unresolved);
            }
        }
        self.t.or(unresolved)
    }

    /// `default`, or `alternative` if that reading of the switch is in force.
    pub(super) fn by_reading(&mut self, switch: Switch, default: Term, alternative: Term) -> Term {
        if default == alternative {
            return default;
        }
        let switch = self.alternative(switch);
        let default_holds = self.t.not(switch);
        let default = self.t.and([default_holds, default]);
        let alternative = self.t.and([switch, alternative]);
        self.t.or([default, alternative])
    }

    /// The most that is known of a condition whose operator is not modelled: what it says of an
    /// absent key (3.3, 3.13).
    fn unmodelled(&mut self, source: Source<'_>, condition: &Condition, present: Term) -> Term {
        let operator = condition.operator;
        let values: Vec<String> =
            condition.values.iter().map(|value| value.template.to_string()).collect();
        let name = format!(
            "{operator} {} {values:?} {:?}",
            condition.key.to_ascii_lowercase(),
            source.policy.version
        );
        let without_values = if condition.values.is_empty() { " without values" } else { "" };
        let construct = format!("condition operator `{operator}`{without_values}");
        let opaque = self.opaque(source, &name, construct, condition.operator_span);
        let true_if_absent = match operator.set {
            // D24 is undecided, and so are we.
            Some(SetOperator::ForAnyValue) if operator.if_exists => return opaque,
            Some(SetOperator::ForAnyValue) => false,
            Some(SetOperator::ForAllValues) => true,
            None => operator.if_exists || operator.base.is_negated(),
        };
        // `ForAllValues:Null` and `ForAnyValue:Null` do not depend on the key (3.12).
        if operator.base == BaseOperator::Null {
            return opaque;
        }
        if true_if_absent {
            let absent = self.t.not(present);
            self.t.or([absent, opaque])
        } else {
            self.t.and([present, opaque])
        }
    }

    /// A term that is true if and only if the value of `key`, taken to be present and single,
    /// matches the policy value.
    pub(super) fn value(
        &mut self,
        source: Source<'_>,
        condition: &Condition,
        key: &Key,
        value: &ConditionValue,
    ) -> Term {
        let base = condition.operator.base;
        let bounds = self.asked(base, key, &value.template);
        if bounds.is_exact() {
            return bounds.certain;
        }
        if let Some((comparison, number)) = number(base, &value.template) {
            return self.ordered(source, condition, key, bounds, comparison, &number);
        }
        let name = format!(
            "{} {} `{}` {:?}",
            positive(base).name(),
            key.value(),
            value.template,
            source.policy.version
        );
        self.settle(source, condition, &name, bounds, value.span)
    }

    /// A term for what is known within bounds: where it is not known, it is an opaque value of that
    /// name.
    fn settle(
        &mut self,
        source: Source<'_>,
        condition: &Condition,
        name: &str,
        bounds: Bounds,
        span: Span,
    ) -> Term {
        if bounds.is_exact() {
            return bounds.certain;
        }
        let values = condition.values.iter();
        let value = values.clone().find(|value| value.span == span);
        let construct = match value {
            Some(value) if value.template.has_variable() => {
                format!("policy variable in `{}`", value.template)
            }
            Some(value) if positive(condition.operator.base) == BaseOperator::ArnLike => {
                format!("value `{}` of `{}`", value.template, condition.operator)
            }
            _ => format!("operator `{}` on the key `{}`", condition.operator, condition.key),
        };
        let opaque = self.opaque(source, name, construct, span);
        let open = self.t.and([opaque, bounds.possible]);
        self.t.or([bounds.certain, open])
    }

    /// A comparison with a number that not every value is known to pass: a text with an exponent
    /// stands somewhere among the constants that the key is compared with, and it is not known
    /// where, but in one place.
    fn ordered(
        &mut self,
        source: Source<'_>,
        condition: &Condition,
        key: &Key,
        bounds: Bounds,
        comparison: Comparison,
        number: &Decimal,
    ) -> Term {
        let constants: Vec<Decimal> = self.usage.numbers(key).cloned().collect();
        let position = constants.iter().filter(|constant| *constant < number).count();
        let span = condition.key_span;
        // Below the first constant, at most it, below the second …: each includes those before.
        let up_to = |encoder: &mut Self, last: usize| {
            let reached: Vec<Term> = (0..=last)
                .map(|place| {
                    let name = format!("{} as a number, place {place}", key.value());
                    let at = Bounds::unknown(&mut encoder.t);
                    encoder.settle(source, condition, &name, at, span)
                })
                .collect();
            encoder.t.or(reached)
        };
        let below = up_to(self, 2 * position);
        let at_most = up_to(self, 2 * position + 1);
        let holds = match comparison {
            Comparison::Less => below,
            Comparison::LessOrEqual => at_most,
            Comparison::Greater => self.t.not(at_most),
            Comparison::GreaterOrEqual => self.t.not(below),
            Comparison::Equal => {
                let not_below = self.t.not(below);
                self.t.and([at_most, not_below])
            }
        };
        let typed = self.test(key, &Test::Typed(Type::Number));
        let name = format!("{} is of type {:?}", key.value(), Type::Number);
        let typed = self.settle(source, condition, &name, typed, span);
        let open = self.t.and([bounds.possible, typed, holds]);
        self.t.or([bounds.certain, open])
    }

    /// What is known of whether the value of `key`, taken to be present and single, matches the
    /// policy value under the operator.
    pub(super) fn asked(&mut self, base: BaseOperator, key: &Key, value: &Template) -> Bounds {
        let wildcards = matches!(positive(base), BaseOperator::StringLike | BaseOperator::ArnLike);
        if !takes_variables(base) {
            return self.asked_plainly(base, key, value);
        }
        let mut ways = Vec::new();
        for case in self.cases(value, wildcards).cases {
            let mut bounds = match positive(base) {
                BaseOperator::ArnLike => self.arn_like(key, &case.tokens),
                BaseOperator::Bool => self.bool(key, &case.tokens),
                BaseOperator::StringEqualsIgnoreCase => {
                    let test = self.test(key, &Test::Text(pattern::folded(&case.tokens)));
                    match pattern::has_value(&case.tokens) {
                        true => Bounds::at_most(&mut self.t, test.possible),
                        false => test,
                    }
                }
                _ => self.test(key, &Test::Text(case.tokens)),
            };
            if case.widened {
                // What a variable stands for is literal text (D27), so the pattern with a star in
                // its place has to match.
                bounds = Bounds::at_most(&mut self.t, bounds.possible);
            }
            ways.push(bounds.and(&mut self.t, case.when));
        }
        Bounds::any(&mut self.t, &ways)
    }

    /// The same of an operator that takes neither wildcards nor variables. What it cannot read
    /// matches nothing (D17).
    fn asked_plainly(&mut self, base: BaseOperator, key: &Key, value: &Template) -> Bounds {
        let text = plain_text(value);
        let text = text.as_deref();
        let test = match Type::of(base) {
            Some(Type::Number) => match text.and_then(Decimal::parse) {
                None => None,
                Some(Some(number)) => Some(Test::Number(comparison(base), number)),
                // Too many digits: any number may pass.
                Some(None) => {
                    let typed = self.test(key, &Test::Typed(Type::Number));
                    return Bounds::at_most(&mut self.t, typed.possible);
                }
            },
            Some(Type::Date) => {
                let date = text.and_then(instant::parse);
                date.map(|seconds| Test::Date(comparison(base), seconds))
            }
            Some(Type::Address) => text.and_then(Network::parse).map(Test::Address),
            // D20: both texts are strict base64, of which equal bytes have one.
            None => text
                .filter(|text| base64::shape().matches(text))
                .map(|text| Test::Text(pattern::literal(text))),
        };
        match test {
            Some(test) => self.test(key, &test),
            None => Bounds::exactly(self.t.bool(false)),
        }
    }

    /// `ArnLike`: the values of variables are put in before the text is split into fields, so a
    /// value with a colon makes fields of its own.
    fn arn_like(&mut self, key: &Key, tokens: &[Token]) -> Bounds {
        let fields = pattern::arn_fields(tokens);
        let before_sixth = fields.iter().take(5).flat_map(|field| field.iter());
        let values: Vec<Term> = before_sixth
            .filter_map(|token| match token {
                Token::Value { term, colon_free: false } => Some(*term),
                _ => None,
            })
            .collect();
        if values.is_empty() {
            return self.arn_by_fields(key, tokens);
        }
        if let [Token::Value { term, .. }] = *tokens {
            // The value is the whole ARN (D22: or the whole text).
            let equal = self.test(key, &Test::Text(tokens.to_vec()));
            let arn = self.t.in_re(term, any_arn());
            let default = equal.and(&mut self.t, arn);
            return self.bounds_by_reading(Switch::D22, default, equal);
        }
        let no_colon = Regex::Star(Box::new(Regex::NotChar(':')));
        let stay: Vec<Term> =
            values.into_iter().map(|value| self.t.in_re(value, no_colon.clone())).collect();
        let stay = self.t.and(stay);
        let by_fields = self.arn_by_fields(key, tokens).and(&mut self.t, stay);
        let spread = self.t.not(stay);
        let wider = self.test(key, &Test::Text(pattern::widened(tokens)));
        let wider = Bounds::at_most(&mut self.t, wider.possible).and(&mut self.t, spread);
        Bounds::any(&mut self.t, &[by_fields, wider])
    }

    /// `ArnLike` of a pattern whose fields are known. What is not an ARN matches nothing, or as
    /// `StringLike` does (D22).
    fn arn_by_fields(&mut self, key: &Key, tokens: &[Token]) -> Bounds {
        let nothing = Bounds::exactly(self.t.bool(false));
        let fields: Vec<Vec<Token>> =
            pattern::arn_fields(tokens).iter().map(|field| field.to_vec()).collect();
        let fields: Result<[Vec<Token>; 6], _> = fields.try_into();
        let text = self.test(key, &Test::Text(tokens.to_vec()));
        let Ok(fields) = fields else {
            return self.bounds_by_reading(Switch::D22, nothing, text);
        };
        let arn = self.t.string("arn");
        let is_arn = pattern::test(&mut self.t, arn, &fields[0]);
        let is_none = self.t.not(is_arn);
        let by_fields = self.test(key, &Test::Arn(fields)).and(&mut self.t, is_arn);
        let otherwise = self.bounds_by_reading(Switch::D22, nothing, text);
        let otherwise = otherwise.and(&mut self.t, is_none);
        Bounds::any(&mut self.t, &[by_fields, otherwise])
    }

    fn bounds_by_reading(
        &mut self,
        switch: Switch,
        default: Bounds,
        alternative: Bounds,
    ) -> Bounds {
        Bounds {
            certain: self.by_reading(switch, default.certain, alternative.certain),
            possible: self.by_reading(switch, default.possible, alternative.possible),
        }
    }

    /// `Bool`: a word that is no truth value matches nothing (3.7).
    fn bool(&mut self, key: &Key, tokens: &[Token]) -> Bounds {
        if !pattern::has_value(tokens) && !tokens.contains(&Token::Many) {
            return match spelled(tokens) {
                Some(wanted) => self.test(key, &Test::Bool(wanted)),
                None => Bounds::exactly(self.t.bool(false)),
            };
        }
        let mut ways = Vec::new();
        for wanted in [true, false] {
            let test = self.test(key, &Test::Bool(wanted));
            let way = if let [Token::Value { term, .. }] = *tokens {
                let spelled = self.t.in_re(term, truth_value(wanted));
                test.and(&mut self.t, spelled)
            } else {
                let word = if wanted { "true" } else { "false" };
                let fits = pattern::matches(&pattern::folded(tokens), word);
                let fits = self.t.bool(fits);
                let possible = self.t.and([fits, test.possible]);
                Bounds::at_most(&mut self.t, possible)
            };
            ways.push(way);
        }
        Bounds::any(&mut self.t, &ways)
    }

    /// What is known of whether the value of `key`, taken to be present and single, passes the test.
    pub(super) fn test(&mut self, key: &Key, test: &Test) -> Bounds {
        match key.lower.as_str() {
            "aws:principalarn" => self.principal_arn(key, test),
            "aws:principalaccount" => self.principal_account(key, test),
            "aws:principaltype" => self.principal_type(key, test),
            "aws:userid" => self.user_id(key, test),
            "aws:username" => self.user_name(key, test),
            "aws:principalisawsservice" => {
                let service = self.symbols.is(&mut self.t, Kind::Service);
                self.test_bool(service, test)
            }
            "aws:principalservicename" => self.test_string(self.symbols.service, test),
            _ => match key.organisation() {
                Some(id) => self.organisation_path(key, &id, test),
                None => self.test_own(key, test),
            },
        }
    }

    /// The test of a value that does not follow from anything else.
    fn test_own(&mut self, key: &Key, test: &Test) -> Bounds {
        match key.sort {
            KeySort::String | KeySort::Number if self.usage.is_place(key) => {
                self.test_only_number(key, test)
            }
            KeySort::String if self.usage.is_instant(key) => self.test_only_date(key, test),
            KeySort::String if self.usage.is_address(key) => self.test_only_address(key, test),
            KeySort::String => {
                let value = self.t.var(&key.value(), Sort::String);
                self.test_string(value, test)
            }
            KeySort::Number => self.test_digits(key, test, true),
            KeySort::Binary => self.test_digits(key, test, false),
            KeySort::Arn => self.test_arn(key, test),
            KeySort::Bool => {
                let value = self.t.var(&key.value(), Sort::Bool);
                self.test_bool(value, test)
            }
            KeySort::Date => self.test_date(key, test),
            KeySort::Address => self.test_address(key, test),
        }
    }

    /// The test of a text. Whether it is a date or an address is not modelled.
    fn test_string(&mut self, value: Term, test: &Test) -> Bounds {
        let exactly = match test {
            Test::Text(tokens) => pattern::test(&mut self.t, value, tokens),
            Test::Arn(fields) => return self.arn_text(value, fields),
            Test::Bool(wanted) => self.t.in_re(value, truth_value(*wanted)),
            Test::Number(..) | Test::Typed(Type::Number) => {
                let plain = match test {
                    Test::Number(comparison, number) => number.language(*comparison, Form::Number),
                    _ => Form::Number.language(),
                };
                let certain = self.t.in_re(value, plain);
                let exponent = self.t.in_re(value, decimal::with_exponent());
                return Bounds { certain, possible: self.t.or([certain, exponent]) };
            }
            Test::Date(..) | Test::Address(_) | Test::Typed(_) => {
                return match self.t.node(value) {
                    Node::String(text) => {
                        let passes = passes(text, test);
                        Bounds::exactly(self.t.bool(passes))
                    }
                    _ => Bounds::unknown(&mut self.t),
                };
            }
        };
        Bounds::exactly(exactly)
    }

    /// A text as an ARN. What does not begin with `arn:` is none (D22).
    fn arn_text(&mut self, value: Term, fields: &[Vec<Token>; 6]) -> Bounds {
        let whole = self.t.in_re(value, whole_arn(fields));
        if !fields.iter().any(|field| pattern::has_value(field)) {
            return Bounds::exactly(whole);
        }
        let mut tokens = pattern::literal("arn");
        for field in &fields[1..] {
            tokens.push(Token::Char(':'));
            tokens.extend(field);
        }
        let matches = pattern::test(&mut self.t, value, &tokens);
        let both = self.t.and([whole, matches]);
        let is_wild = |token: &Token| matches!(token, Token::One | Token::Many);
        if fields[1..5].iter().flatten().any(is_wild) {
            // A wildcard of the text could cross a colon that one of a field cannot.
            return Bounds::at_most(&mut self.t, both);
        }
        Bounds::exactly(both)
    }

    /// The test of a value about which nothing is asked but where it stands among the constants:
    /// below the first is place 0, the first is place 1, and so on.
    fn test_only_number(&mut self, key: &Key, test: &Test) -> Bounds {
        let is_number = match key.sort {
            KeySort::Number => self.t.bool(true),
            _ => self.t.var(&key.field(number_field::IS_NUMBER), Sort::Bool),
        };
        let exactly = match test {
            Test::Number(comparison, number) => {
                let below = self.usage.numbers(key).filter(|constant| *constant < number).count();
                let equal = 2 * below as u128 + 1;
                let place = self.t.var(&key.field(number_field::PLACE), Sort::Bits(PLACE_BITS));
                let t = &mut self.t;
                let passes = match comparison {
                    Comparison::Equal => t.has_prefix(place, equal, PLACE_BITS),
                    Comparison::Less | Comparison::GreaterOrEqual => {
                        instant::below(t, place, equal, PLACE_BITS)
                    }
                    Comparison::LessOrEqual | Comparison::Greater => {
                        instant::below(t, place, equal + 1, PLACE_BITS)
                    }
                };
                let passes = match comparison {
                    Comparison::Greater | Comparison::GreaterOrEqual => t.not(passes),
                    _ => passes,
                };
                t.and([is_number, passes])
            }
            Test::Typed(Type::Number) => is_number,
            _ => return self.test_emptiness(key, is_number, test),
        };
        Bounds::exactly(exactly)
    }

    /// The test of a text about which nothing is asked but its date.
    fn test_only_date(&mut self, key: &Key, test: &Test) -> Bounds {
        let is_date = self.t.var(&key.field(instant_field::IS_DATE), Sort::Bool);
        let exactly = match test {
            Test::Date(comparison, seconds) => {
                let instant = self.t.var(&key.instant(), Sort::Bits(instant::BITS));
                let passes = instant::compare(&mut self.t, instant, *comparison, *seconds);
                self.t.and([is_date, passes])
            }
            Test::Typed(Type::Date) => is_date,
            _ => return self.test_emptiness(key, is_date, test),
        };
        Bounds::exactly(exactly)
    }

    /// The test of a text about which nothing is asked but its address.
    fn test_only_address(&mut self, key: &Key, test: &Test) -> Bounds {
        let is_address = self.t.var(&key.field(address_field::IS_ADDRESS), Sort::Bool);
        let exactly = match test {
            Test::Address(network) => {
                let inside = self.in_network(key, *network);
                self.t.and([is_address, inside])
            }
            Test::Typed(Type::Address) => is_address,
            _ => return self.test_emptiness(key, is_address, test),
        };
        Bounds::exactly(exactly)
    }

    /// The test of a text of which it is known only whether it is empty, which a typed text is not
    /// (D23).
    fn test_emptiness(&mut self, key: &Key, typed: Term, test: &Test) -> Bounds {
        match test {
            Test::Text(tokens) if tokens.is_empty() => {
                let is_empty = self.t.var(&key.field(instant_field::IS_EMPTY), Sort::Bool);
                let untyped = self.t.not(typed);
                Bounds::exactly(self.t.and([is_empty, untyped]))
            }
            _ => Bounds::unknown(&mut self.t),
        }
    }

    /// The test of a number (`number` set) or of base64: texts without colon, of which only whole
    /// numbers are dates (D18).
    fn test_digits(&mut self, key: &Key, test: &Test, number: bool) -> Bounds {
        let value = self.t.var(&key.value(), Sort::String);
        let language = match test {
            Test::Typed(Type::Number) if number => return Bounds::exactly(self.t.bool(true)),
            Test::Number(comparison, constant) if number => {
                constant.language(*comparison, Form::Number)
            }
            Test::Date(comparison, seconds) => {
                Decimal::of_integer(*seconds).language(*comparison, Form::Integer)
            }
            Test::Typed(Type::Date) => Form::Integer.language(),
            Test::Arn(_) | Test::Address(_) | Test::Typed(Type::Address) => {
                return Bounds::exactly(self.t.bool(false));
            }
            Test::Bool(_) if number => return Bounds::exactly(self.t.bool(false)),
            Test::Text(_) | Test::Bool(_) | Test::Number(..) | Test::Typed(Type::Number) => {
                return self.test_string(value, test);
            }
        };
        Bounds::exactly(self.t.in_re(value, language))
    }

    /// R33: the value is exactly `true` or `false`.
    fn test_bool(&mut self, value: Term, test: &Test) -> Bounds {
        let not_value = self.t.not(value);
        let mut ways = Vec::new();
        for (value, text) in [(value, "true"), (not_value, "false")] {
            let text = self.t.string(text);
            let passes = self.test_string(text, test);
            ways.push(passes.and(&mut self.t, value));
        }
        Bounds::any(&mut self.t, &ways)
    }

    /// The test of a date. Its spelling is not modelled.
    fn test_date(&mut self, key: &Key, test: &Test) -> Bounds {
        let instant = self.t.var(&key.instant(), Sort::Bits(instant::BITS));
        let is_digits = key.lower == EPOCH_TIME;
        let exactly = match test {
            Test::Date(comparison, seconds) => {
                instant::compare(&mut self.t, instant, *comparison, *seconds)
            }
            Test::Typed(Type::Date) => self.t.bool(true),
            Test::Number(comparison, number) if is_digits => {
                instant::compare_number(&mut self.t, instant, *comparison, number)
            }
            Test::Typed(Type::Number) if is_digits => self.t.bool(true),
            Test::Number(..) | Test::Typed(Type::Number) => return Bounds::unknown(&mut self.t),
            Test::Text(tokens) => return self.date_text(instant, tokens),
            Test::Arn(_) | Test::Bool(_) | Test::Address(_) | Test::Typed(Type::Address) => {
                self.t.bool(false)
            }
        };
        Bounds::exactly(exactly)
    }

    /// What is known of a date whose text matches the pattern: a pattern without wildcards is one
    /// text, which has to be a date, and this date.
    fn date_text(&mut self, instant: Term, tokens: &[Token]) -> Bounds {
        if *tokens == [Token::Many] {
            return Bounds::exactly(self.t.bool(true));
        }
        let Some(text) = pattern::only_word(tokens) else { return Bounds::unknown(&mut self.t) };
        match instant::parse(&text) {
            Some(seconds) => {
                let equal = instant::compare(&mut self.t, instant, Comparison::Equal, seconds);
                Bounds::at_most(&mut self.t, equal)
            }
            None => Bounds::exactly(self.t.bool(false)),
        }
    }

    fn test_arn(&mut self, key: &Key, test: &Test) -> Bounds {
        let fields = ARN_FIELDS.map(|field| self.t.var(&key.field(field), Sort::String));
        match test {
            Test::Text(tokens) => {
                let [partition, service, region, account, resource] = fields;
                let parts = [
                    Part::Const("arn:"),
                    Part::Field(partition),
                    Part::Const(":"),
                    Part::Field(service),
                    Part::Const(":"),
                    Part::Field(region),
                    Part::Const(":"),
                    Part::Field(account),
                    Part::Const(":"),
                    Part::Rest(resource),
                ];
                pattern::concat_test(&mut self.t, &parts, tokens)
            }
            Test::Arn(patterns) => {
                let tests: Vec<Term> = fields
                    .into_iter()
                    .zip(&patterns[1..])
                    .map(|(field, tokens)| pattern::test(&mut self.t, field, tokens))
                    .collect();
                Bounds::exactly(self.t.and(tests))
            }
            _ => Bounds::exactly(self.t.bool(false)),
        }
    }

    /// The test of an address. An IPv4 address has one text; of the texts of an IPv6 address none
    /// is modelled.
    fn test_address(&mut self, key: &Key, test: &Test) -> Bounds {
        match test {
            Test::Address(network) => Bounds::exactly(self.in_network(key, *network)),
            Test::Typed(Type::Address) => Bounds::exactly(self.t.bool(true)),
            Test::Text(tokens) => self.address_text(key, tokens),
            _ => Bounds::exactly(self.t.bool(false)),
        }
    }

    fn address_text(&mut self, key: &Key, tokens: &[Token]) -> Bounds {
        if *tokens == [Token::Many] {
            return Bounds::exactly(self.t.bool(true));
        }
        if let Some(network) = dotted_beginning(tokens) {
            return Bounds::exactly(self.in_network(key, network));
        }
        let Some(text) = pattern::only_word(tokens) else { return Bounds::unknown(&mut self.t) };
        let address = Network::parse(&text).filter(|_| !text.contains('/'));
        let Some(address) = address else { return Bounds::exactly(self.t.bool(false)) };
        let equal = self.in_network(key, address);
        match address.family {
            Family::V4 => Bounds::exactly(equal),
            Family::V6 => Bounds::at_most(&mut self.t, equal),
        }
    }

    fn in_network(&mut self, key: &Key, network: Network) -> Term {
        let is_v6 = self.t.var(&key.field(address_field::IS_V6), Sort::Bool);
        let (family, field) = match network.family {
            Family::V4 => (self.t.not(is_v6), address_field::V4),
            Family::V6 => (is_v6, address_field::V6),
        };
        let bits = self.t.var(&key.field(field), Sort::Bits(network.family.width()));
        let inside = self.t.has_prefix(bits, network.prefix, network.length);
        self.t.and([family, inside])
    }

    /// R2–R4: for the kinds with an account the ARN is made of the principal's fields; for the
    /// others it is free (D31).
    fn principal_arn(&mut self, key: &Key, test: &Test) -> Bounds {
        let (partition, account) = (self.symbols.partition, self.symbols.account);
        let resource = self.symbols.principal;
        let mut ways = Vec::new();
        let by_service: [(&str, &str, &[Kind]); 2] = [
            ("iam", ":iam::", &[Kind::Root, Kind::User, Kind::RoleSession]),
            ("sts", ":sts::", &[Kind::FederatedUser]),
        ];
        for (service, separator, kinds) in by_service {
            let kind = self.symbols.is_one_of(&mut self.t, kinds);
            let passes = match test {
                Test::Text(tokens) => {
                    let parts = [
                        Part::Const("arn:"),
                        Part::Field(partition),
                        Part::Const(separator),
                        Part::Field(account),
                        Part::Const(":"),
                        Part::Rest(resource),
                    ];
                    pattern::concat_test(&mut self.t, &parts, tokens)
                }
                Test::Arn(fields) => {
                    let (service, region) = (self.t.string(service), self.t.string(""));
                    let strings = [partition, service, region, account, resource];
                    let tests: Vec<Term> = strings
                        .into_iter()
                        .zip(&fields[1..])
                        .map(|(string, tokens)| pattern::test(&mut self.t, string, tokens))
                        .collect();
                    Bounds::exactly(self.t.and(tests))
                }
                _ => Bounds::exactly(self.t.bool(false)),
            };
            ways.push(passes.and(&mut self.t, kind));
        }
        ways.push(self.if_free(key, test));
        Bounds::any(&mut self.t, &ways)
    }

    /// R1, R3: the account field of the ARN; `anonymous` without credentials.
    fn principal_account(&mut self, key: &Key, test: &Test) -> Bounds {
        let iam = self.symbols.is_one_of(&mut self.t, &Kind::IAM);
        let account = self.test_string(self.symbols.account, test).and(&mut self.t, iam);
        let anonymous = self.if_constant(Kind::Anonymous, "anonymous", test);
        let free = self.if_free(key, test);
        Bounds::any(&mut self.t, &[account, anonymous, free])
    }

    /// R1, R4 (4.5).
    fn principal_type(&mut self, key: &Key, test: &Test) -> Bounds {
        let mut ways = vec![self.if_free(key, test)];
        for (kind, name) in PRINCIPAL_TYPES {
            ways.push(self.if_constant(kind, name, test));
        }
        Bounds::any(&mut self.t, &ways)
    }

    /// R1, R5: the account id of a root user; `ACCOUNT:NAME` of a federated user, whose ARN has
    /// both; `anonymous`; a value of its own for the rest.
    fn user_id(&mut self, key: &Key, test: &Test) -> Bounds {
        let anonymous = self.if_constant(Kind::Anonymous, "anonymous", test);
        let root = self.symbols.is(&mut self.t, Kind::Root);
        let root = self.test_string(self.symbols.account, test).and(&mut self.t, root);
        let federated = self.symbols.is(&mut self.t, Kind::FederatedUser);
        let passes = match test {
            Test::Text(tokens) => {
                let name = Part::Behind("federated-user/", self.symbols.principal);
                let parts = [Part::Field(self.symbols.account), Part::Const(":"), name];
                pattern::concat_test(&mut self.t, &parts, tokens)
            }
            // Twelve digits and a colon begin no number, date, address, ARN or truth value.
            _ => Bounds::exactly(self.t.bool(false)),
        };
        let federated = passes.and(&mut self.t, federated);
        let own =
            [Kind::User, Kind::RoleSession, Kind::Service, Kind::Federated, Kind::CanonicalUser];
        let own = self.symbols.is_one_of(&mut self.t, &own);
        let own = self.test_own(key, test).and(&mut self.t, own);
        Bounds::any(&mut self.t, &[anonymous, root, federated, own])
    }

    /// R6: the last component of a user's ARN. Only federated identities and canonical users
    /// besides can have the key, and then it is free.
    fn user_name(&mut self, key: &Key, test: &Test) -> Bounds {
        let user = self.symbols.is(&mut self.t, Kind::User);
        let passes = match test {
            Test::Text(tokens) if !pattern::has_value(tokens) => {
                let name = last_component("user/", tokens);
                Bounds::exactly(self.t.in_re(self.symbols.principal, name))
            }
            Test::Bool(wanted) => {
                let name = after_last_slash("user/", truth_value(*wanted));
                Bounds::exactly(self.t.in_re(self.symbols.principal, name))
            }
            _ => {
                let name = self.name();
                self.test_string(name, test)
            }
        };
        let user = passes.and(&mut self.t, user);
        let free = self.if_free(key, test);
        Bounds::any(&mut self.t, &[user, free])
    }

    fn if_constant(&mut self, kind: Kind, text: &str, test: &Test) -> Bounds {
        let kind = self.symbols.is(&mut self.t, kind);
        let constant = self.t.string(text);
        self.test_string(constant, test).and(&mut self.t, kind)
    }

    /// The test of a key of the principal for the kinds for which it is free.
    fn if_free(&mut self, key: &Key, test: &Test) -> Bounds {
        let free = self.symbols.is_one_of(&mut self.t, &FREE);
        self.test_own(key, test).and(&mut self.t, free)
    }

    /// True if and only if the key has a list: always or never where the catalogue knows.
    pub(super) fn is_list(&mut self, key: &Key, present: Term) -> Term {
        match key.cardinality {
            Some(Cardinality::Single) => self.t.bool(false),
            Some(Cardinality::Multi) => present,
            None => self.t.var(&key.list(), Sort::Bool),
        }
    }

    /// All conditions of a statement.
    pub(super) fn conditions(&mut self, source: Source<'_>, statement: &Statement) -> Term {
        let tests: Vec<Term> = statement
            .conditions
            .iter()
            .map(|condition| self.condition(source, condition))
            .collect();
        self.t.and(tests)
    }
}

/// The operator that is not negated: values are read alike under both.
pub(crate) fn positive(base: BaseOperator) -> BaseOperator {
    use BaseOperator::*;
    match base {
        StringNotEquals => StringEquals,
        StringNotEqualsIgnoreCase => StringEqualsIgnoreCase,
        StringNotLike => StringLike,
        NumericNotEquals => NumericEquals,
        DateNotEquals => DateEquals,
        NotIpAddress => IpAddress,
        ArnNotEquals | ArnNotLike | ArnEquals => ArnLike,
        other => other,
    }
}

/// Whether `${…}` in the operator's values is a variable (4.1, D19).
fn takes_variables(base: BaseOperator) -> bool {
    Type::of(base).is_none() && !matches!(base, BaseOperator::BinaryEquals | BaseOperator::Null)
}

/// How a numeric or date operator compares.
fn comparison(base: BaseOperator) -> Comparison {
    use BaseOperator::*;
    match base {
        NumericLessThan | DateLessThan => Comparison::Less,
        NumericLessThanEquals | DateLessThanEquals => Comparison::LessOrEqual,
        NumericGreaterThan | DateGreaterThan => Comparison::Greater,
        NumericGreaterThanEquals | DateGreaterThanEquals => Comparison::GreaterOrEqual,
        _ => Comparison::Equal,
    }
}

/// The comparison that a numeric operator makes with a value; none if the operator is not numeric
/// or the value not a number that can be read.
pub(super) fn number(base: BaseOperator, value: &Template) -> Option<(Comparison, Decimal)> {
    let is_numeric = Type::of(base) == Some(Type::Number);
    let number = is_numeric.then(|| Decimal::parse(&plain_text(value)?)).flatten()??;
    Some((comparison(base), number))
}

/// The text of a value whose operator has neither wildcards nor variables; `None` if `${…}`, which
/// the parser took for a variable, stands in it. Such a text is no number, date, address or base64.
fn plain_text(template: &Template) -> Option<String> {
    let mut text = String::new();
    for segment in &template.segments {
        match segment {
            Segment::Text(piece) => text.push_str(piece),
            Segment::Escaped(c) => text.push(*c),
            Segment::Variable { .. } => return None,
        }
    }
    Some(text)
}

/// The truth value that the tokens spell, in any case.
fn spelled(tokens: &[Token]) -> Option<bool> {
    let folded = pattern::folded(tokens);
    [true, false].into_iter().find(|value| {
        let word = if *value { "true" } else { "false" };
        !folded.contains(&Token::Many) && pattern::matches(&folded, word)
    })
}

/// The truth value that a value of `Null` or `Bool` is.
fn truth(value: &ConditionValue) -> Option<bool> {
    let text = value.template.to_string();
    let is = |word| text.eq_ignore_ascii_case(word);
    if is("true") { Some(true) } else { is("false").then_some(false) }
}

/// The words that read as this truth value (3.7).
fn truth_value(value: bool) -> Regex {
    let letters = if value { "true" } else { "false" }.chars();
    Regex::Concat(
        letters
            .map(|c| Regex::Chars(vec![(c.to_ascii_uppercase(), c.to_ascii_uppercase()), (c, c)]))
            .collect(),
    )
}

/// Whether a constant text passes a test of dates or addresses.
fn passes(text: &str, test: &Test) -> bool {
    match test {
        Test::Date(comparison, seconds) => {
            instant::parse(text).is_some_and(|value| comparison.accepts(value.cmp(seconds)))
        }
        Test::Typed(Type::Date) => instant::parse(text).is_some(),
        // No constant of ours is an address.
        _ => false,
    }
}

/// The IPv4 addresses of a pattern like `10.*` or `192.168.*`, all of whose words are such.
fn dotted_beginning(tokens: &[Token]) -> Option<Network> {
    let (star, beginning) = tokens.split_last()?;
    let text = pattern::only_word(beginning).filter(|_| *star == Token::Many)?;
    let octets: Vec<&str> = text.strip_suffix('.')?.split('.').collect();
    if octets.len() > 3 {
        return None;
    }
    let whole = [octets, vec!["0"; 3]].concat()[..4].join(".");
    let length = 8 * u32::try_from(text.matches('.').count()).ok()?;
    Network::parse(&format!("{whole}/{length}")).filter(|network| network.family == Family::V4)
}

/// The texts of six fields of which the first is `arn`.
fn any_arn() -> Regex {
    let field = Regex::Star(Box::new(Regex::NotChar(':')));
    let colon = Regex::Literal(":".to_owned());
    let mut parts = vec![Regex::Literal("arn:".to_owned())];
    for _ in 0..4 {
        parts.extend([field.clone(), colon.clone()]);
    }
    parts.push(Regex::All);
    Regex::Concat(parts)
}

/// The key whose dates are written as numbers (3.6).
const EPOCH_TIME: &str = "aws:epochtime";

/// The ARNs whose fields match, as whole texts, with anything in the place of values.
fn whole_arn(fields: &[Vec<Token>; 6]) -> Regex {
    let no_colon = Regex::NotChar(':');
    let run = Regex::Star(Box::new(no_colon.clone()));
    let mut parts = vec![Regex::Literal("arn:".to_owned())];
    for field in &fields[1..5] {
        parts.push(pattern::regex_with(field, &no_colon, &run));
        parts.push(Regex::Literal(":".to_owned()));
    }
    parts.push(pattern::regex(&fields[5]));
    Regex::Concat(parts)
}

/// `prefix`, then any path, then a last component in the pattern's language.
fn last_component(prefix: &str, tokens: &[Token]) -> Regex {
    if tokens.contains(&Token::Char('/')) {
        return Regex::Union(vec![]);
    }
    // Names are printable ASCII (the axioms see to that).
    let one = Regex::Chars(vec![(' ', '.'), ('0', '~')]);
    let many = Regex::Star(Box::new(one.clone()));
    after_last_slash(prefix, pattern::regex_with(tokens, &one, &many))
}

fn after_last_slash(prefix: &str, name: Regex) -> Regex {
    Regex::Union(vec![
        Regex::Concat(vec![Regex::Literal(prefix.to_owned()), name.clone()]),
        Regex::Concat(vec![
            Regex::Literal(prefix.to_owned()),
            Regex::All,
            Regex::Literal("/".to_owned()),
            name,
        ]),
    ])
}
