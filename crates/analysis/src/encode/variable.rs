//! Policy variables (4): what stands in the place of `${key}`.
//!
//! A variable is the text of a single-valued key, taken literally (D27). The text of a key can be
//! a variable of ours, several of them with constants between (an ARN), or a constant, and which
//! it is can depend on the request; so a template with variables becomes a few [`Case`]s, in each
//! of which it is one pattern. Where a text is not modelled (the spelling of a date) the pattern
//! gets a star, and is wider than what was meant.

use keyaki_logic::{Piece, Regex, Sort, Term};
use keyaki_policy::ast::{Segment, Template};
use keyaki_policy::catalogue::KeySort;
use keyaki_policy::reading::Switch;

use super::Encoder;
use super::pattern::{self, Pattern, Token};
use super::symbols::{ARN_FIELDS, Key, Kind, name};

/// What a template is in some requests.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// In which.
    pub(super) when: Term,
    /// The pattern.
    pub(super) tokens: Vec<Token>,
    /// Whether the pattern matches more than what was meant.
    pub(super) widened: bool,
}

/// The cases of a template. At most one of them is of a given request, and none if a variable is
/// unresolved.
pub(super) struct Cases {
    pub(super) cases: Vec<Case>,
    /// Whether some variable has neither a value nor a default.
    pub(super) unresolved: Term,
}

/// The most cases of a template that are told apart: a few kinds of principal for each of two or
/// three variables. Of more, all variables are stars.
const MAX_CASES: usize = 64;

impl Encoder<'_> {
    /// The cases of the template, in which `*` and `?` are wildcards if `wildcards` is set.
    pub(super) fn cases(&mut self, template: &Template, wildcards: bool) -> Cases {
        let always = self.t.bool(true);
        let never = self.t.bool(false);
        let start = Case { when: always, tokens: Vec::new(), widened: false };
        let mut all = Cases { cases: vec![start], unresolved: never };
        for segment in &template.segments {
            let next = match segment {
                Segment::Variable { key, default } => self.variable(key, default.as_deref()),
                Segment::Text(_) | Segment::Escaped(_) => {
                    let piece = Template { segments: vec![segment.clone()] };
                    let tokens = Pattern::new(&piece, wildcards).tokens;
                    Cases {
                        cases: vec![Case { when: always, tokens, widened: false }],
                        unresolved: never,
                    }
                }
            };
            all.unresolved = self.t.or([all.unresolved, next.unresolved]);
            if all.cases.len() * next.cases.len() > MAX_CASES {
                let tokens = Pattern::new(template, wildcards).tokens;
                let when = self.t.bool(true);
                all.cases = vec![Case { when, tokens, widened: true }];
                return all;
            }
            let mut product = Vec::new();
            for before in &all.cases {
                for after in &next.cases {
                    let when = self.t.and([before.when, after.when]);
                    if self.t.as_bool(when) == Some(false) {
                        continue;
                    }
                    let tokens = pattern::joined(&before.tokens, &after.tokens);
                    let widened = before.widened || after.widened;
                    product.push(Case { when, tokens, widened });
                }
            }
            all.cases = product;
        }
        all
    }

    /// The cases of one variable (4.4).
    fn variable(&mut self, written: &str, default: Option<&str>) -> Cases {
        let key = self.key(written);
        let present = self.present(&key);
        let list = self.is_list(&key, present);
        let single = self.t.not(list);
        let single = self.t.and([present, single]);
        let mut cases = Vec::new();
        let mut empty = Vec::new();
        for (when, tokens, widened) in self.texts(&key) {
            let mut when = self.t.and([single, when]);
            if let (Some(_), [Token::Value { term, .. }]) = (default, &tokens[..]) {
                // D28: an empty value wins over the default, or does not.
                let nothing = self.t.string("");
                let is_empty = self.t.eq(*term, nothing);
                let alternative = self.alternative(Switch::D28);
                let default_wins = self.t.and([when, is_empty, alternative]);
                empty.push(default_wins);
                let value_wins = self.t.not(default_wins);
                when = self.t.and([when, value_wins]);
            }
            cases.push(Case { when, tokens, widened });
        }
        let valueless = self.t.not(single);
        let Some(default) = default else {
            return Cases { cases, unresolved: valueless };
        };
        let empty = self.t.or(empty);
        let when = self.t.or([valueless, empty]);
        cases.push(Case { when, tokens: pattern::literal(default), widened: false });
        Cases { cases, unresolved: self.t.bool(false) }
    }

    /// The text of the value of a key, taken to be present and single: what it is and when, and
    /// whether a star in it stands for what is not modelled.
    fn texts(&mut self, key: &Key) -> Vec<(Term, Vec<Token>, bool)> {
        let constant = |text: &str| pattern::literal(text);
        let s = self.symbols.clone();
        let account = Token::Value { term: s.account, colon_free: true };
        let kind = |encoder: &mut Self, kinds: &[Kind]| s.is_one_of(&mut encoder.t, kinds);
        let mut texts: Vec<(Term, Vec<Token>, bool)> = Vec::new();
        match key.lower.as_str() {
            "aws:principalarn" => {
                let rest = Token::Value { term: s.principal, colon_free: false };
                let partition = Token::Value { term: s.partition, colon_free: true };
                let by_service: [(&str, &[Kind]); 2] = [
                    (":iam::", &[Kind::Root, Kind::User, Kind::RoleSession]),
                    (":sts::", &[Kind::FederatedUser]),
                ];
                for (service, kinds) in by_service {
                    let mut tokens = constant("arn:");
                    tokens.push(partition);
                    tokens.extend(constant(service));
                    tokens.extend([account, Token::Char(':'), rest]);
                    texts.push((kind(self, kinds), tokens, false));
                }
            }
            "aws:principalaccount" => {
                texts.push((kind(self, &Kind::IAM), vec![account], false));
                texts.push((kind(self, &[Kind::Anonymous]), constant("anonymous"), false));
            }
            "aws:principaltype" => {
                for (of, text) in super::condition::PRINCIPAL_TYPES {
                    texts.push((kind(self, &[of]), constant(text), false));
                }
            }
            "aws:userid" => {
                texts.push((kind(self, &[Kind::Anonymous]), constant("anonymous"), false));
                texts.push((kind(self, &[Kind::Root]), vec![account], false));
                let name = Token::Value { term: self.name(), colon_free: false };
                let tokens = vec![account, Token::Char(':'), name];
                texts.push((kind(self, &[Kind::FederatedUser]), tokens, false));
                let own = [
                    Kind::User,
                    Kind::RoleSession,
                    Kind::Service,
                    Kind::Federated,
                    Kind::CanonicalUser,
                ];
                let own = kind(self, &own);
                self.own_texts(key, own, &mut texts);
                return texts;
            }
            "aws:username" => {
                let name = Token::Value { term: self.name(), colon_free: false };
                texts.push((kind(self, &[Kind::User]), vec![name], false));
            }
            "aws:principalisawsservice" => {
                let service = kind(self, &[Kind::Service]);
                let others = self.t.not(service);
                return vec![
                    (service, constant("true"), false),
                    (others, constant("false"), false),
                ];
            }
            "aws:principalservicename" => {
                let value = Token::Value { term: s.service, colon_free: false };
                return vec![(self.t.bool(true), vec![value], false)];
            }
            _ => {
                let always = self.t.bool(true);
                self.own_texts(key, always, &mut texts);
                return texts;
            }
        }
        let free = kind(self, &super::condition::FREE);
        self.own_texts(key, free, &mut texts);
        texts
    }

    /// The text of a value that does not follow from anything else.
    fn own_texts(&mut self, key: &Key, when: Term, texts: &mut Vec<(Term, Vec<Token>, bool)>) {
        match key.sort {
            KeySort::String | KeySort::Number | KeySort::Binary => {
                let term = self.t.var(&key.value(), Sort::String);
                // R25 sees to the owner's account.
                let is_account = key.lower == "aws:resourceaccount";
                let colon_free = key.sort != KeySort::String || is_account;
                texts.push((when, vec![Token::Value { term, colon_free }], false));
            }
            KeySort::Arn => {
                let mut tokens = pattern::literal("arn");
                for field in ARN_FIELDS {
                    let term = self.t.var(&key.field(field), Sort::String);
                    let colon_free = field != "resource";
                    tokens.extend([Token::Char(':'), Token::Value { term, colon_free }]);
                }
                texts.push((when, tokens, false));
            }
            KeySort::Bool => {
                let value = self.t.var(&key.value(), Sort::Bool);
                let not_value = self.t.not(value);
                for (value, text) in [(value, "true"), (not_value, "false")] {
                    texts.push((self.t.and([when, value]), pattern::literal(text), false));
                }
            }
            KeySort::Date | KeySort::Address => texts.push((when, vec![Token::Many], true)),
        }
    }

    /// The name of a user, without path, or of a federated user. Only formulas that use it have
    /// this variable, which [`Encoder::name_of_principal`] ties to the ARN.
    pub(super) fn name(&mut self) -> Term {
        self.uses_name = true;
        self.t.var(name::NAME, Sort::String)
    }

    /// R5, R6: the name is the last component of a user's ARN, and what follows `federated-user/`
    /// in that of a federated user.
    pub(super) fn name_of_principal(&mut self) -> Term {
        if !self.uses_name {
            return self.t.bool(true);
        }
        let value = self.name();
        let principal = self.symbols.principal;
        let (text, t) = (Piece::text, &mut self.t);
        let plain = t.matches(principal, [text("user/"), Piece::Value(value)]);
        let with_path =
            t.matches(principal, [text("user/"), Piece::Any, text("/"), Piece::Value(value)]);
        let either = t.or([plain, with_path]);
        let no_slash = t.in_re(value, Regex::plus(Regex::NotChar('/')));
        let is_last = t.and([either, no_slash]);
        let user = self.symbols.is(t, Kind::User);
        let user = t.implies(user, is_last);
        let whole = t.matches(principal, [text("federated-user/"), Piece::Value(value)]);
        let federated = self.symbols.is(t, Kind::FederatedUser);
        let federated = t.implies(federated, whole);
        t.and([user, federated])
    }
}
