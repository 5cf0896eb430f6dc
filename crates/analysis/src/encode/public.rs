//! When a request is public: what confines it, and what does not (`docs/semantics.md`, "Public").
//!
//! Which values are fixed is told from the text of the policy; that a request has one is a test of
//! the formula. A list of fixed values for the whole policy would be shorter and let one statement
//! confine another.

use keyaki_logic::{Regex, Sort, Term};
use keyaki_policy::Policy;
use keyaki_policy::ast::{
    BaseOperator, Condition, ConditionValue, Effect, Operator, PrincipalKind, Segment, Template,
};
use keyaki_policy::reading::Switch;

use super::pattern::{self, Pattern, Token};
use super::symbols::{Key, address_field};
use super::{Cell, Encoder, Encoding, OPAQUE, Source, condition};
use crate::addresses::{self, Class, Family, Network, RFC_1918};
use crate::public::{ADDRESS_KEY, Fixed, Part, Table, TrustedKey};
use crate::question::{PolicyRef, Question, Side};

/// The name of the opaque value "the sets of addresses that are small are many together".
const MANY_ADDRESSES: &str = "many addresses";

impl Encoding {
    /// Whether it hangs on the number of addresses of several sets together.
    pub(crate) fn counts_addresses(&self) -> bool {
        self.unsupported.contains_key(&many_addresses())
    }

    /// Asserts that those are few, as somebody has counted them.
    pub(crate) fn settle_addresses(&mut self) {
        let many = self.terms.var(&many_addresses(), Sort::Bool);
        let few = self.terms.not(many);
        self.axioms.push(("addresses: counted, and few".to_owned(), few));
    }
}

fn many_addresses() -> String {
    format!("{OPAQUE}{MANY_ADDRESSES}")
}

impl<'q> Encoder<'q> {
    /// The cells of: some Allow statement lets in a public request.
    pub(super) fn no_public_access(&mut self, table: &Table) -> Vec<Cell> {
        let question = self.question;
        let denies = self.denies(question);
        let denied: Vec<Term> = denies
            .iter()
            .map(|deny| {
                let matches = self.statement(deny.source);
                self.t.and([deny.applies, matches])
            })
            .collect();
        let denied = self.t.or(denied);
        let not_denied = self.t.not(denied);
        let spread = self.spread_over_addresses(question, table);
        let spared = self.spared_by_a_deny(&denies, table);
        let not_spared = self.t.not(spared);
        let idle = self.is_without_effect(table);
        let effective = self.t.not(idle);
        let mut cells = Vec::new();
        for allow in sources(question.resource_policies(Side::Policy), Effect::Allow) {
            let (at, statement) = (allow.at, allow.statement);
            let matches = self.statement(allow);
            let named = statement.principal.iter().filter(|clause| !clause.negated);
            let named = named.flat_map(|clause| &clause.entries);
            let covered = self.covered_by(named.filter(|e| is_fixed_principal(&e.kind, table)));
            let not_covered = self.t.not(covered);
            let mut parts = vec![matches, not_denied, not_covered, not_spared, spread, effective];
            for key in &table.trusted_keys {
                let fixed = self.has_fixed_value(&denies, allow, key);
                parts.push(self.t.not(fixed));
            }
            let breaks = self.t.and(parts);
            cells.push(Cell { through: Some((at, statement.index)), breaks });
        }
        cells
    }

    /// The Deny statements: the resource's own, and those of the resource control policies.
    fn denies(&mut self, question: &'q Question) -> Vec<Deny<'q>> {
        let always = self.t.bool(true);
        let own = sources(question.resource_policies(Side::Policy), Effect::Deny);
        let mut denies: Vec<Deny<'_>> =
            own.into_iter().map(|source| Deny { source, applies: always }).collect();
        let controls = sources(question.resource_controls(Side::Policy), Effect::Deny);
        if !controls.is_empty() {
            let applies = self.has_rcp();
            denies.extend(controls.into_iter().map(|source| Deny { source, applies }));
        }
        denies
    }

    /// True if and only if the action is a known one that cannot be granted to other accounts.
    fn is_without_effect(&mut self, table: &Table) -> Term {
        let mut names_by_service: Vec<(&str, Vec<Regex>)> = Vec::new();
        for action in &table.without_effect {
            let Some((service, name)) = action.split_once(':') else { continue };
            let name = pattern::regex(&pattern::literal(name));
            match names_by_service.iter_mut().find(|(other, _)| *other == service) {
                Some((_, names)) => names.push(name),
                None => names_by_service.push((service, vec![name])),
            }
        }
        let services = names_by_service.into_iter().map(|(service, names)| {
            let is_service = self
                .t
                .in_re(self.symbols.action_service, pattern::regex(&pattern::literal(service)));
            let is_name = self.t.in_re(self.symbols.action_name, Regex::Union(names));
            self.t.and([is_service, is_name])
        });
        let services: Vec<Term> = services.collect();
        self.t.or(services)
    }

    /// True if and only if a Deny statement's `NotPrincipal` covers the principal.
    fn spared_by_a_deny(&mut self, denies: &[Deny<'_>], table: &Table) -> Term {
        let mut spared = Vec::new();
        for Deny { source, applies } in denies {
            let clause = source.statement.principal.iter().filter(|clause| clause.negated);
            let entries = clause.flat_map(|clause| &clause.entries);
            let fixed = entries.filter(|entry| is_fixed_principal(&entry.kind, table));
            let covered = self.covered_by(fixed);
            spared.push(self.t.and([*applies, covered]));
        }
        self.t.or(spared)
    }

    /// True if and only if the request has a fixed value of the key, named in the statement or in
    /// a Deny statement.
    fn has_fixed_value(
        &mut self,
        denies: &[Deny<'_>],
        allow: Source<'_>,
        trusted: &TrustedKey,
    ) -> Term {
        let always = self.t.bool(true);
        let denies = denies.iter().map(|deny| (deny.source, deny.applies));
        let mut tests = Vec::new();
        for (source, applies) in denies.chain([(allow, always)]) {
            for condition in &source.statement.conditions {
                let operator = condition.operator;
                if trusted.key.includes(&condition.key) && operator.base != BaseOperator::Null {
                    let key = self.key(&condition.key);
                    if trusted.fixed == Fixed::True {
                        let is_true = self.is_true(&key);
                        tests.push(self.t.and([applies, is_true]));
                        continue;
                    }
                    for value in &condition.values {
                        if is_fixed(&value.template, operator, trusted) {
                            let test = self.fixed_value(source, condition, &key, value);
                            tests.push(self.t.and([applies, test]));
                        }
                    }
                }
            }
        }
        self.t.or(tests)
    }

    /// True if and only if the key is present and true.
    fn is_true(&mut self, key: &Key) -> Term {
        let present = self.present(key);
        let truth = self.asked(BaseOperator::Bool, key, &Template::text("true")).certain;
        self.t.and([present, truth])
    }

    /// True if and only if the key is present and some element of it is this fixed value.
    fn fixed_value(
        &mut self,
        source: Source<'_>,
        condition: &Condition,
        key: &Key,
        value: &ConditionValue,
    ) -> Term {
        let name = format!("fixed value {} {} `{}`", condition.operator, key.lower, value.template);
        let construct = format!("fixed value `{}` of `{}`", value.template, key.spelling);
        let opaque = self.opaque(source, &name, construct, value.span);
        let is_modelled = !matches!(
            condition.operator.base,
            BaseOperator::StringEqualsIgnoreCase | BaseOperator::StringNotEqualsIgnoreCase
        );
        // The elements of a list may be too many to look at.
        let slots = self.slots(key).filter(|_| is_modelled).unwrap_or_default();
        let mut is_opaque = slots.is_empty();
        let equal = self.some_element(&slots, |encoder, slot| {
            let test = encoder.asked(condition.operator.base, slot, &value.template);
            is_opaque |= !test.is_exact();
            test.certain
        });
        let present = self.present(key);
        let equal = if is_opaque { opaque } else { equal };
        self.t.and([present, equal])
    }

    /// True if and only if addresses do not confine the request: it has none, or the policy
    /// cannot tell its address from more addresses than the table allows. Opaque where only several
    /// small sets together could exceed that number: those are counted apart
    /// ([`Encoding::settle_addresses`]).
    fn spread_over_addresses(&mut self, question: &Question, table: &Table) -> Term {
        let Some(max) = table.addresses else { return self.t.bool(true) };
        let naming = naming_addresses(question);
        let Some(&(source, condition)) = naming.first() else { return self.t.bool(true) };
        let networks = named_networks(question);
        let key = self.key(ADDRESS_KEY);
        let present = self.present(&key);
        let mut ways = vec![self.t.not(present)];
        let mut together = Vec::new();
        for (family, limit) in [(Family::V4, max.ipv4), (Family::V6, max.ipv6)] {
            let classes = addresses::classes(family, &networks, &RFC_1918);
            let (large, small): (Vec<_>, Vec<_>) =
                classes.into_iter().partition(|class| class.size > limit);
            let total = small.iter().fold(0u128, |sum, class| sum.saturating_add(class.size));
            let inside = |class: &Class| self.in_class(&key, &networks, family, &class.signature);
            let mut inside = inside;
            ways.extend(large.iter().map(&mut inside));
            if total > limit {
                together.extend(small.iter().map(&mut inside));
            }
        }
        if !together.is_empty() {
            let construct =
                format!("the number of addresses that `{}` admits in all", key.spelling);
            let many = self.opaque(source, MANY_ADDRESSES, construct, condition.key_span);
            // D32: or no two sets of addresses are counted together.
            let no = self.t.bool(false);
            let many = self.by_reading(Switch::D32, many, no);
            let in_one = self.t.or(together);
            ways.push(self.t.and([in_one, many]));
        }
        self.t.or(ways)
    }

    /// True if and only if the address is of this family, in exactly the ranges of the signature,
    /// and not private.
    fn in_class(
        &mut self,
        key: &Key,
        networks: &[Network],
        family: Family,
        signature: &[bool],
    ) -> Term {
        let is_v6 = self.t.var(&key.field(address_field::IS_V6), Sort::Bool);
        let mut parts = vec![if family == Family::V6 { is_v6 } else { self.t.not(is_v6) }];
        let ranges = networks.iter().copied().zip(signature.iter().copied());
        for (network, inside) in ranges.chain(RFC_1918.map(|network| (network, false))) {
            if network.family == family {
                let test = self.test(key, &condition::Test::Address(network)).certain;
                parts.push(if inside { test } else { self.t.not(test) });
            }
        }
        self.t.and(parts)
    }
}

/// A Deny statement, and when the policy that it is of applies.
#[derive(Clone, Copy)]
struct Deny<'q> {
    source: Source<'q>,
    applies: Term,
}

/// The statements of that effect.
fn sources<'q>(policies: Vec<(PolicyRef, &'q Policy)>, effect: Effect) -> Vec<Source<'q>> {
    let statements = policies.into_iter().flat_map(|(at, policy)| {
        policy.statements.iter().map(move |statement| Source { at, policy, statement })
    });
    statements.filter(|source| source.statement.effect == effect).collect()
}

/// The conditions that name ranges of the caller's address, with their statements.
fn naming_addresses(question: &Question) -> Vec<(Source<'_>, &Condition)> {
    let policies = question.resource_policies(Side::Policy).into_iter();
    let policies = policies.chain(question.resource_controls(Side::Policy));
    let statements = policies.flat_map(|(at, policy)| {
        policy.statements.iter().map(move |statement| Source { at, policy, statement })
    });
    let conditions = statements.flat_map(|source| {
        source.statement.conditions.iter().map(move |condition| (source, condition))
    });
    let names_addresses = |condition: &Condition| {
        let base = condition.operator.base;
        matches!(base, BaseOperator::IpAddress | BaseOperator::NotIpAddress)
            && condition.key.eq_ignore_ascii_case(ADDRESS_KEY)
    };
    conditions.filter(|(_, condition)| names_addresses(condition)).collect()
}

/// The ranges that these conditions name. What is no range matches nothing, and names none.
pub(crate) fn named_networks(question: &Question) -> Vec<Network> {
    let naming = naming_addresses(question).into_iter();
    let values = naming.flat_map(|(_, condition)| &condition.values);
    values.filter_map(|value| Network::parse(&value.template.to_string())).collect()
}

/// Whether the entry names someone in particular: neither everybody nor an identity provider, nor a
/// service that acts for anybody.
fn is_fixed_principal(entry: &PrincipalKind, table: &Table) -> bool {
    match entry {
        PrincipalKind::Everyone
        | PrincipalKind::EveryAwsPrincipal
        | PrincipalKind::Federated(_) => false,
        PrincipalKind::Service(name) => !table.deputies.contains(name),
        _ => true,
    }
}

/// Whether a value that is named for a trusted key is fixed: no wildcard, whatever the operator, no
/// variable, and none of the values that everybody has; or a part of it that is enough.
fn is_fixed(value: &Template, operator: Operator, trusted: &TrustedKey) -> bool {
    if trusted.part.is_some_and(|part| has_fixed_part(value, operator, part)) {
        return true;
    }
    let pattern = Pattern::new(value, true);
    let has_wildcard = |tokens: &[Token]| tokens.iter().any(|t| !matches!(t, Token::Char(_)));
    if pattern.widened {
        return false;
    }
    let tokens = &pattern.tokens;
    let of_everybody = tokens.is_empty() || *tokens == pattern::literal("anonymous");
    let is_literal = !has_wildcard(tokens) && !of_everybody;
    match trusted.fixed {
        Fixed::Literal => is_literal,
        Fixed::NoColon => is_literal && !tokens.contains(&Token::Char(':')),
        // Of such a key it is not asked which values are named.
        Fixed::True => false,
        Fixed::AccountOfArn => match pattern::arn_fields(tokens)[..] {
            [first, partition, service, region, account, _] if !is_literal => {
                first == pattern::literal("arn")
                    && ![partition, service, region].into_iter().any(has_wildcard)
                    && is_account(account)
            }
            _ => is_literal,
        },
    }
}

fn is_account(tokens: &[Token]) -> bool {
    let digit = |token: &Token| matches!(token, Token::Char('0'..='9'));
    tokens.len() == 12 && tokens.iter().all(digit)
}

/// Whether the part of the value is fixed.
fn has_fixed_part(value: &Template, operator: Operator, part: Part) -> bool {
    use BaseOperator::*;
    let is_variable = |segment: &Segment, name: &str| matches!(segment, Segment::Variable { key, default: None } if key.eq_ignore_ascii_case(name));
    let is_only = |name: &str| matches!(&value.segments[..], [one] if is_variable(one, name));
    match part {
        Part::Owner => is_only("aws:ResourceAccount"),
        Part::OwnersOrganization => is_only("aws:ResourceOrgID"),
        Part::Organization => {
            let pattern = Pattern::new(value, true);
            let end = pattern.tokens.iter().position(|token| *token == Token::Char('/'));
            let id = end.map(|end| &pattern.tokens[..end]);
            id.is_some_and(|id| {
                !id.is_empty() && id.iter().all(|token| matches!(token, Token::Char(_)))
            })
        }
        Part::Account => {
            // Only the operators of ARNs keep a wildcard within its field.
            let by_fields =
                matches!(operator.base, ArnEquals | ArnLike | ArnNotEquals | ArnNotLike);
            // The owner's account is twelve digits, and then that is what stands there. The value of
            // another variable may bring colons of its own, so none may precede the account.
            let mut n_colons = 0;
            let mut segments = Vec::new();
            for segment in &value.segments {
                match segment {
                    owner if is_variable(owner, "aws:ResourceAccount") => {
                        segments.push(Segment::Text("0".repeat(12)));
                    }
                    Segment::Variable { .. } if n_colons < 5 => return false,
                    other => {
                        if let Segment::Text(text) = other {
                            n_colons += text.matches(':').count();
                        }
                        segments.push(other.clone());
                    }
                }
            }
            let pattern = Pattern::new(&Template { segments }, true);
            let fields = pattern::arn_fields(&pattern.tokens);
            let [first, partition, service, region, account, _] = fields[..] else { return false };
            let is_plain = |field: &[Token]| field.iter().all(|t| matches!(t, Token::Char(_)));
            first == pattern::literal("arn")
                && (by_fields || [partition, service, region].into_iter().all(is_plain))
                && is_account(account)
        }
    }
}
