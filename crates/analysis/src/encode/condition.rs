//! Conditions (3): operators, presence, and the values of derived keys.
//!
//! One policy value is first read as a [`Test`] of one request value, by its operator; the test is
//! then put to the key, by the key's sort. Keys that follow from the principal (7.1, R3–R6) have
//! no variable of their own for the kinds from which they follow: the test is put to what they
//! follow from.

use keyaki_logic::{Regex, Sort, Term};
use keyaki_policy::ast::{BaseOperator, Condition, ConditionValue, SetOperator, Statement};
use keyaki_policy::catalogue::{Cardinality, KeySort};

use super::pattern::{self, Part, Pattern, Token};
use super::symbols::{ARN_FIELDS, Key, Kind, address_field};
use super::{Encoder, Source};
use crate::addresses::{Family, Network};

/// What one policy value asks of one request value.
pub(super) enum Test {
    /// The whole text matches.
    Text(Vec<Token>),
    /// Each of the six fields matches (3.10).
    Arn([Vec<Token>; 6]),
    /// It is this truth value, in any case (3.7).
    Bool(bool),
    /// It lies in this range (3.9).
    Address(Network),
    /// Nothing matches.
    Never,
}

impl Encoder<'_> {
    /// A term that is true if and only if the condition holds of the request.
    pub(super) fn condition(&mut self, source: Source<'_>, condition: &Condition) -> Term {
        let key = self.key(&condition.key);
        let operator = condition.operator;
        let present = self.present(&key);
        let absent = self.t.not(present);
        // What an empty list means is undecided (D6).
        let is_modelled = is_modelled(operator.base) && !condition.values.is_empty();
        if operator.set.is_some() || !is_modelled {
            return self.unmodelled(source, condition, present);
        }
        if operator.base == BaseOperator::Null {
            // The parser lets only truth values through.
            let tests = condition.values.iter().filter_map(truth);
            let tests: Vec<Term> =
                tests.map(|is_null| if is_null { absent } else { present }).collect();
            return self.t.or(tests);
        }
        let matches = self.passes(source, condition, &key);
        // D26: a list fails every test that has no set operator.
        let list = self.is_list(&key, present);
        let single = self.t.not(list);
        let passes = self.t.and([single, matches]);
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
        if condition.operator.base.is_negated() { self.t.not(some) } else { some }
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
        let (read, widened) = read(condition.operator.base, value);
        let is_readable = read.is_some();
        let test = read.and_then(|test| self.test(key, &test));
        if let (Some(test), false) = (test, widened) {
            return test;
        }
        let construct = if value.template.has_variable() {
            format!("policy variable in `{}`", value.template)
        } else if is_readable && key.sort != KeySort::Arn {
            format!("operator `{}` on the key `{}`", condition.operator, key.spelling)
        } else {
            // No ARN under an ARN operator (D22), or too many wildcards for one.
            format!("value `{}` of `{}`", value.template, condition.operator)
        };
        let base = positive(condition.operator.base);
        let name = format!(
            "{} {} `{}` {:?}",
            base.name(),
            key.lower,
            value.template,
            source.policy.version
        );
        let opaque = self.opaque(source, &name, construct, value.span);
        match test {
            // What a variable stands for is literal text (D27), so the pattern with a star in its
            // place has to match.
            Some(wider) => self.t.and([opaque, wider]),
            None => opaque,
        }
    }

    /// A term that is true if and only if the value of `key`, taken to be present and single,
    /// passes the test; `None` if the test is not modelled for the key's sort.
    pub(super) fn test(&mut self, key: &Key, test: &Test) -> Option<Term> {
        if matches!(test, Test::Never) {
            return Some(self.t.bool(false));
        }
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
            _ => self.test_own(key, test),
        }
    }

    /// The test of a value that does not follow from anything else.
    fn test_own(&mut self, key: &Key, test: &Test) -> Option<Term> {
        match key.sort {
            KeySort::String => {
                let value = self.t.var(&key.value(), Sort::String);
                // An address is only looked for where the catalogue says that there is one.
                self.test_string(value, test)
            }
            KeySort::Arn => self.test_arn(key, test),
            KeySort::Bool => {
                let value = self.t.var(&key.value(), Sort::Bool);
                self.test_bool(value, test)
            }
            KeySort::Address => match test {
                Test::Address(network) => Some(self.in_network(key, *network)),
                _ => None,
            },
            KeySort::Number | KeySort::Date | KeySort::Binary => None,
        }
    }

    fn test_string(&mut self, value: Term, test: &Test) -> Option<Term> {
        let regex = match test {
            Test::Text(tokens) => pattern::regex(tokens),
            Test::Arn(fields) => whole_arn(fields),
            Test::Bool(wanted) => truth_value(*wanted),
            Test::Never => Regex::Union(vec![]),
            Test::Address(_) => return None,
        };
        Some(self.t.in_re(value, regex))
    }

    /// R33: the value is exactly `true` or `false`.
    fn test_bool(&mut self, value: Term, test: &Test) -> Option<Term> {
        let (if_true, if_false) = match test {
            Test::Text(tokens) => {
                (pattern::matches(tokens, "true"), pattern::matches(tokens, "false"))
            }
            Test::Bool(wanted) => (*wanted, !*wanted),
            Test::Arn(_) | Test::Never => (false, false),
            Test::Address(_) => return None,
        };
        let not_value = self.t.not(value);
        let (if_true, if_false) = (self.t.bool(if_true), self.t.bool(if_false));
        let yes = self.t.and([value, if_true]);
        let no = self.t.and([not_value, if_false]);
        Some(self.t.or([yes, no]))
    }

    fn test_arn(&mut self, key: &Key, test: &Test) -> Option<Term> {
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
                let mut tests = vec![self.t.bool(pattern::matches(&patterns[0], "arn"))];
                for (field, pattern) in fields.into_iter().zip(&patterns[1..]) {
                    tests.push(self.t.in_re(field, pattern::regex(pattern)));
                }
                Some(self.t.and(tests))
            }
            Test::Bool(_) | Test::Never => Some(self.t.bool(false)),
            Test::Address(_) => None,
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
    fn principal_arn(&mut self, key: &Key, test: &Test) -> Option<Term> {
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
                    pattern::concat_test(&mut self.t, &parts, tokens)?
                }
                Test::Arn(fields) => {
                    let fixed = [(0, "arn"), (2, service), (3, "")];
                    let fixed = fixed.iter().all(|&(i, text)| pattern::matches(&fields[i], text));
                    let fixed = self.t.bool(fixed);
                    let partition = self.t.in_re(partition, pattern::regex(&fields[1]));
                    let account = self.t.in_re(account, pattern::regex(&fields[4]));
                    let resource = self.t.in_re(resource, pattern::regex(&fields[5]));
                    self.t.and([fixed, partition, account, resource])
                }
                Test::Bool(_) | Test::Never => self.t.bool(false),
                Test::Address(_) => return None,
            };
            ways.push(self.t.and([kind, passes]));
        }
        let free = self.test_own(key, test)?;
        ways.push(self.if_free(free));
        Some(self.t.or(ways))
    }

    /// R1, R3: the account field of the ARN; `anonymous` without credentials.
    fn principal_account(&mut self, key: &Key, test: &Test) -> Option<Term> {
        let iam = self.symbols.is_one_of(&mut self.t, &Kind::IAM);
        let account = self.test_string(self.symbols.account, test)?;
        let account = self.t.and([iam, account]);
        let anonymous = self.if_constant(Kind::Anonymous, "anonymous", test)?;
        let free = self.test_own(key, test)?;
        let free = self.if_free(free);
        Some(self.t.or([account, anonymous, free]))
    }

    /// R1, R4 (4.5).
    fn principal_type(&mut self, key: &Key, test: &Test) -> Option<Term> {
        let names = [
            (Kind::Anonymous, "Anonymous"),
            (Kind::Root, "Account"),
            (Kind::User, "User"),
            (Kind::RoleSession, "AssumedRole"),
            (Kind::FederatedUser, "FederatedUser"),
        ];
        let mut ways = Vec::new();
        for (kind, name) in names {
            ways.push(self.if_constant(kind, name, test)?);
        }
        let free = self.test_own(key, test)?;
        ways.push(self.if_free(free));
        Some(self.t.or(ways))
    }

    /// R1, R5: the account id of a root user; `ACCOUNT:NAME` of a federated user, whose ARN has
    /// both; `anonymous`; a value of its own for the rest.
    fn user_id(&mut self, key: &Key, test: &Test) -> Option<Term> {
        let anonymous = self.if_constant(Kind::Anonymous, "anonymous", test)?;
        let root = self.symbols.is(&mut self.t, Kind::Root);
        let account = self.test_string(self.symbols.account, test)?;
        let root = self.t.and([root, account]);
        let federated = self.symbols.is(&mut self.t, Kind::FederatedUser);
        let passes = match test {
            Test::Text(tokens) => {
                let name = Part::Behind("federated-user/", self.symbols.principal);
                let parts = [Part::Field(self.symbols.account), Part::Const(":"), name];
                pattern::concat_test(&mut self.t, &parts, tokens)?
            }
            _ => self.t.bool(false),
        };
        let federated = self.t.and([federated, passes]);
        let own =
            [Kind::User, Kind::RoleSession, Kind::Service, Kind::Federated, Kind::CanonicalUser];
        let own = self.symbols.is_one_of(&mut self.t, &own);
        let value = self.test_own(key, test)?;
        let own = self.t.and([own, value]);
        Some(self.t.or([anonymous, root, federated, own]))
    }

    /// R6: the last component of a user's ARN. Only federated identities and canonical users
    /// besides can have the key, and then it is free.
    fn user_name(&mut self, key: &Key, test: &Test) -> Option<Term> {
        let user = self.symbols.is(&mut self.t, Kind::User);
        let name = match test {
            Test::Text(tokens) => last_component("user/", tokens),
            Test::Bool(wanted) => after_last_slash("user/", truth_value(*wanted)),
            Test::Arn(_) | Test::Never => Regex::Union(vec![]),
            Test::Address(_) => return None,
        };
        let name = self.t.in_re(self.symbols.principal, name);
        let user = self.t.and([user, name]);
        let free = self.test_own(key, test)?;
        let free = self.if_free(free);
        Some(self.t.or([user, free]))
    }

    fn if_constant(&mut self, kind: Kind, text: &str, test: &Test) -> Option<Term> {
        let kind = self.symbols.is(&mut self.t, kind);
        let constant = self.t.string(text);
        let passes = self.test_string(constant, test)?;
        Some(self.t.and([kind, passes]))
    }

    /// For services, federated identities and canonical users the keys of the principal are free
    /// (`docs/semantics.md`, "The universe").
    fn if_free(&mut self, test: Term) -> Term {
        let free = [Kind::Service, Kind::Federated, Kind::CanonicalUser];
        let free = self.symbols.is_one_of(&mut self.t, &free);
        self.t.and([free, test])
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

/// Whether the operator is encoded; the others are opaque.
fn is_modelled(base: BaseOperator) -> bool {
    use BaseOperator::*;
    matches!(
        base,
        StringEquals
            | StringNotEquals
            | StringLike
            | StringNotLike
            | Bool
            | Null
            | IpAddress
            | NotIpAddress
            | ArnEquals
            | ArnNotEquals
            | ArnLike
            | ArnNotLike
    )
}

/// The operator that is not negated: values are read alike under both.
fn positive(base: BaseOperator) -> BaseOperator {
    use BaseOperator::*;
    match base {
        StringNotEquals => StringEquals,
        StringNotLike => StringLike,
        NotIpAddress => IpAddress,
        ArnNotEquals | ArnNotLike | ArnEquals => ArnLike,
        other => other,
    }
}

/// What a modelled operator reads in a policy value, and whether a variable made it wider than
/// written; `None` if a variable stands where none can be read.
pub(super) fn read(base: BaseOperator, value: &ConditionValue) -> (Option<Test>, bool) {
    let template = &value.template;
    let has_variable = template.has_variable();
    let test = match positive(base) {
        BaseOperator::StringEquals => Some(Test::Text(Pattern::new(template, false).tokens)),
        BaseOperator::StringLike => Some(Test::Text(Pattern::new(template, true).tokens)),
        // A variable's text may hold colons, so its fields are not known.
        BaseOperator::ArnLike | BaseOperator::Bool | BaseOperator::IpAddress if has_variable => {
            None
        }
        BaseOperator::ArnLike => {
            let tokens = Pattern::new(template, true).tokens;
            let is_short = pattern::arn_fields(&tokens).len() < 6;
            if is_short && tokens.iter().any(|token| !matches!(token, Token::Char(_))) {
                // D22 is undecided: `*` may well be meant to match every ARN.
                return (None, has_variable);
            }
            // D22: what is not an ARN matches nothing.
            let fields: Option<[Vec<Token>; 6]> = pattern::arn_fields(&tokens)
                .iter()
                .map(|f| f.to_vec())
                .collect::<Vec<_>>()
                .try_into()
                .ok();
            Some(fields.map_or(Test::Never, Test::Arn))
        }
        // A word that is no truth value matches nothing (3.7).
        BaseOperator::Bool => Some(truth(value).map_or(Test::Never, Test::Bool)),
        BaseOperator::IpAddress => {
            Some(Network::parse(&template.to_string()).map_or(Test::Never, Test::Address))
        }
        _ => None,
    };
    (test, has_variable)
}

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

/// The ARNs whose fields match, as whole texts. What does not begin with `arn:` is none (D22).
fn whole_arn(fields: &[Vec<Token>; 6]) -> Regex {
    if !pattern::matches(&fields[0], "arn") {
        return Regex::Union(vec![]);
    }
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
