//! A question as a formula.
//!
//! The formula is satisfiable if and only if some request breaks the property: the *axioms* say
//! what a request is, and `breaks` that it is one that should not be. `breaks` is a disjunction
//! over the Allow statements that could let the request in; each disjunct is a [`Cell`], and cells
//! are decided one by one because a small formula about one statement is far easier than a large
//! one about all (measured, see `docs/encoding.md`).
//!
//! What is not modelled becomes an **opaque** truth value, the same one wherever the same text
//! stands: a condition is a function of the request, whatever it means. If the formula is
//! unsatisfiable although the opaque values are free, the property holds whatever they are. If it
//! has a model that [`without`](keyaki_logic::simplify::without) opaque values still is one, it
//! fails whatever they are. In between we do not know, and say which constructs are to blame.
//!
//! Everything here is written from `docs/semantics.md`, and nothing from the concrete evaluator,
//! which replays the models.

mod access;
mod axioms;
mod base64;
mod comparison;
mod condition;
mod custom;
mod decimal;
mod effective;
mod external;
pub mod instant;
mod lists;
mod pattern;
mod principal;
pub(crate) mod public;
mod rows;
pub mod symbols;
mod usage;
mod variable;

use std::collections::{BTreeMap, BTreeSet};

use keyaki_logic::{Formula, Regex, Sort, Term, Terms, simplify};
use keyaki_policy::ast::{
    ActionPattern, Clause, Effect, PrincipalArn, ResourcePattern, Statement, Template,
};
use keyaki_policy::reading::Switch;
use keyaki_policy::span::Span;
use keyaki_policy::{Policy, PolicyType};

use crate::question::{PolicyRef, Question, Side, Subject};
pub(crate) use condition::positive;
use lists::Lists;
use pattern::{Pattern, Token};
pub(crate) use rows::{Placed, encode_with_patterns};
use symbols::{Key, Symbols};
use usage::Usage;

/// A construct that is not modelled, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// The construct, such as "condition operator `DateLessThan`".
    pub construct: String,
    /// The policy.
    pub policy: PolicyRef,
    /// The statement's index.
    pub statement: usize,
    /// JSON pointer to the statement, from the policy's root.
    pub path: String,
    /// The place in the policy's source.
    pub span: Span,
}

/// A question as terms.
#[derive(Clone, Debug)]
pub struct Encoding {
    /// The arena.
    pub terms: Terms,
    /// What a request is. True of every request that could happen.
    pub axioms: Vec<(String, Term)>,
    /// The ways to break the property.
    pub cells: Vec<Cell>,
    /// The context keys that the question mentions, by their lower-case names.
    pub keys: BTreeMap<String, Key>,
    /// The elements of the keys that can have a list, if some condition looks at them: by the
    /// lower-case names, in the order in which a list uses them.
    pub elements: BTreeMap<String, Vec<Key>>,
    /// For each key of which only the place among its constants is modelled a text for each place,
    /// by the lower-case names.
    pub places: BTreeMap<String, Vec<String>>,
    /// The ARNs of users that a policy names, with the variables that say "the caller of
    /// `GetFederationToken` was this user".
    pub base_users: Vec<(String, PrincipalArn)>,
    /// The canonical user ids that a policy names.
    pub canonical_users: BTreeSet<String>,
    /// Whether R36 is in force, which is asserted as far as models break it ([`crate::compatible`]).
    pub(crate) knows_types: bool,
    unsupported: BTreeMap<String, Vec<Unsupported>>,
}

/// The label of the assertion that is no axiom.
pub const BREAKS: &str = "the request breaks the property";

/// One way to break the property.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The policy whose statement lets the request in, and the statement's index; `None` if the
    /// request needs no statement (the owner's root user).
    pub through: Option<(PolicyRef, usize)>,
    /// A term that some request satisfies, together with the axioms, if and only if that request
    /// breaks the property in this way.
    pub breaks: Term,
}

/// What one side of a question allows.
struct Access {
    ways: Vec<Way>,
    /// True if and only if the side allows the request: in one of the ways.
    allowed: Term,
}

/// One way in which a request comes through.
struct Way {
    /// The Allow statement that lets it in, if it needs one.
    through: Option<(PolicyRef, usize)>,
    /// True if and only if the request comes through this way.
    term: Term,
}

/// What opaque values are taken to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opaque {
    /// Whatever suits a model: unsatisfiable only if the property holds for sure.
    Free,
    /// Whatever hinders a model: satisfiable only if the property fails for sure.
    Adverse,
}

/// Encodes a question.
pub fn encode(question: &Question) -> Encoding {
    encode_part(question, &[])
}

/// Encodes a question with some more keys that a request has to speak of, because a larger question
/// mentions them of which this is what is left.
pub(crate) fn encode_part(question: &Question, keys: &[&str]) -> Encoding {
    let mut encoder = Encoder::new(question, &[]);
    for key in keys {
        encoder.key(key);
    }
    let cells = encoder.cells();
    encoder.finish(cells)
}

impl Encoding {
    /// The formula of one cell, simplified.
    pub fn cell(&self, cell: &Cell, opaque: Opaque) -> Formula {
        self.cell_in(&mut self.terms.clone(), cell, opaque)
    }

    /// The formula of one cell, simplified, with room to work in: a copy of the arena, which is
    /// afterwards as it was before.
    pub fn cell_in(&self, terms: &mut Terms, cell: &Cell, opaque: Opaque) -> Formula {
        match opaque {
            Opaque::Free => simplify::simplify_in(terms, self.assertions(cell.breaks)),
            Opaque::Adverse => {
                simplify::simplify(self.plain_in(terms.clone(), cell.breaks, opaque))
            }
        }
    }

    /// The formula of a cell as it is, for evaluation.
    pub fn plain(&self, breaks: Term, opaque: Opaque) -> Formula {
        self.plain_in(self.terms.clone(), breaks, opaque)
    }

    /// The formula of the whole question: all cells at once.
    pub fn whole(&self, opaque: Opaque) -> Formula {
        let mut terms = self.terms.clone();
        let breaks = terms.or(self.cells.iter().map(|cell| cell.breaks));
        self.plain_in(terms, breaks, opaque)
    }

    /// The same with an arena that has all terms of this one, and those of `breaks`.
    pub(crate) fn plain_in(&self, mut terms: Terms, breaks: Term, opaque: Opaque) -> Formula {
        let breaks = match opaque {
            Opaque::Free => breaks,
            Opaque::Adverse => simplify::without(&mut terms, breaks, &is_opaque),
        };
        let mut formula = Formula::new(terms);
        for (label, term) in self.assertions(breaks) {
            formula.assert(label, term);
        }
        formula
    }

    /// The axioms, and that the request breaks the property.
    fn assertions(&self, breaks: Term) -> Vec<(String, Term)> {
        let mut assertions = self.axioms.clone();
        assertions.push((BREAKS.to_owned(), breaks));
        assertions
    }

    /// The constructs behind the opaque variables of the formula of a cell. Of several places of
    /// one text the one in the cell's own statement is named, or else the first.
    pub fn unsupported_in(&self, formula: &Formula, cell: &Cell) -> Vec<Unsupported> {
        let place = |(name, _): &(&str, Sort)| {
            let places = self.unsupported.get(*name)?;
            let own = |place: &&Unsupported| Some((place.policy, place.statement)) == cell.through;
            places.iter().find(own).or(places.first()).cloned()
        };
        formula.variables().iter().filter_map(place).collect()
    }
}

/// Whether this is the name of an opaque variable.
pub fn is_opaque(variable: &str) -> bool {
    variable.starts_with(OPAQUE)
}

const OPAQUE: &str = "opaque ";

/// How the policy of an API abbreviates the ARNs of that API; the parser lets no other pattern
/// without `arn:` through but stars.
const ABBREVIATED_API: &str = "execute-api:/";

/// Where a term comes from.
#[derive(Clone, Copy)]
struct Source<'a> {
    at: PolicyRef,
    policy: &'a Policy,
    statement: &'a Statement,
}

struct Encoder<'q> {
    question: &'q Question,
    t: Terms,
    symbols: Symbols,
    keys: BTreeMap<String, Key>,
    usage: Usage,
    /// Whether the variable of the principal's name is in use.
    uses_name: bool,
    lists: Lists,
    base_users: Vec<(String, PrincipalArn)>,
    canonical_users: BTreeSet<String>,
    unsupported: BTreeMap<String, Vec<Unsupported>>,
}

/// Everything about a policy's statements that does not depend on the question.
struct Encoded {
    at: PolicyRef,
    /// Effect, index and match of each statement.
    statements: Vec<(Effect, usize, Term)>,
}

impl<'q> Encoder<'q> {
    fn new(question: &'q Question, patterns: &[Placed<'_>]) -> Encoder<'q> {
        let mut t = Terms::new();
        let symbols = Symbols::new(&mut t);
        Encoder {
            question,
            t,
            symbols,
            keys: BTreeMap::new(),
            usage: Usage::of(question),
            uses_name: false,
            lists: Lists::of(question, rows::conditions(question, patterns)),
            base_users: Vec::new(),
            canonical_users: BTreeSet::new(),
            unsupported: BTreeMap::new(),
        }
    }

    /// The cells of the question.
    fn cells(&mut self) -> Vec<Cell> {
        let question = self.question;
        match question {
            Question::NoPublicAccess { table, .. } => self.no_public_access(table),
            Question::NoExternalAccess { zone, .. } => self.no_external_access(zone),
            Question::NoNewAccess { .. } => self.no_new_access(),
            Question::Equivalent { .. } => self.equivalent(),
            Question::Disjoint { .. } => self.disjoint(),
            Question::AccessNotGranted { accesses, .. } => self.access_not_granted(accesses),
            Question::Custom { property, .. } => self.custom(property),
        }
    }

    /// What was encoded, with the axioms of all that it mentions.
    fn finish(mut self, cells: Vec<Cell>) -> Encoding {
        let axioms = self.axioms();
        let elements = self.elements();
        Encoding {
            knows_types: false,
            terms: self.t,
            axioms,
            cells,
            keys: self.keys,
            elements,
            places: self.usage.places(),
            base_users: self.base_users,
            canonical_users: self.canonical_users,
            unsupported: self.unsupported,
        }
    }

    /// What a side allows.
    fn access(&mut self, side: Side) -> Access {
        let question = self.question;
        match question.subject(side) {
            Some(Subject::Set(set)) => self.effective(side, set),
            Some(Subject::Union(_)) | None => self.union(side),
        }
    }

    /// What the union of the policies on a side allows: what some statement allows and none
    /// denies (5.1).
    fn union(&mut self, side: Side) -> Access {
        let policies = self.side(side);
        let some_allows = self.some_match(&policies, Effect::Allow);
        let denied = self.some_match(&policies, Effect::Deny);
        let not_denied = self.t.not(denied);
        let allowed = self.t.and([some_allows, not_denied]);
        let mut ways = Vec::new();
        for policy in &policies {
            for &(effect, statement, matches) in &policy.statements {
                if effect == Effect::Allow {
                    let term = self.t.and([matches, not_denied]);
                    ways.push(Way { through: Some((policy.at, statement)), term });
                }
            }
        }
        Access { ways, allowed }
    }

    fn side(&mut self, side: Side) -> Vec<Encoded> {
        let question = self.question;
        question.side(side).into_iter().map(|(at, policy)| self.policy(at, policy)).collect()
    }

    fn policy(&mut self, at: PolicyRef, policy: &Policy) -> Encoded {
        let statements = policy.statements.iter().map(|statement| {
            let matches = self.statement(Source { at, policy, statement });
            (statement.effect, statement.index, matches)
        });
        Encoded { at, statements: statements.collect() }
    }

    /// True if and only if some statement of that effect matches.
    fn some_match(&mut self, policies: &[Encoded], effect: Effect) -> Term {
        let statements = policies.iter().flat_map(|policy| &policy.statements);
        self.t.or(statements.filter(|s| s.0 == effect).map(|s| s.2))
    }

    /// True if and only if the statement matches the request: principal, action, resource and
    /// conditions all do.
    fn statement(&mut self, source: Source<'_>) -> Term {
        let principal = match &source.statement.principal {
            Some(clause) => self.principal_clause(clause),
            None => self.t.bool(true),
        };
        let asked_for = self.asked_for(source);
        self.t.and([principal, asked_for])
    }

    /// True if and only if the statement matches what is asked for, whoever asks: action,
    /// resource and conditions do.
    fn asked_for(&mut self, source: Source<'_>) -> Term {
        let statement = source.statement;
        // A key that stands as a variable is mentioned, whatever is made of it.
        for key in statement.variables() {
            self.key(key);
        }
        let action = self.action(&statement.action);
        let resource = match &statement.resource {
            Some(clause) => self.resource(source, clause),
            // In a key policy such a statement is about nothing (1.6).
            None => self.t.bool(source.policy.policy_type != PolicyType::Kms),
        };
        let conditions = self.conditions(source, statement);
        self.t.and([action, resource, conditions])
    }

    /// True if and only if the clause matches the action (2.1). Entries are grouped by service, so
    /// that a known service leaves tests of the name only.
    fn action(&mut self, clause: &Clause<ActionPattern>) -> Term {
        let mut names_by_service: Vec<(Term, Vec<Term>)> = Vec::new();
        for entry in &clause.entries {
            let text = entry.text.to_ascii_lowercase();
            let template = Template::text(&text);
            let tokens = Pattern::new(&template, true).tokens;
            let (service, name) = match tokens.iter().position(|t| *t == Token::Char(':')) {
                Some(colon) => (&tokens[..colon], &tokens[colon + 1..]),
                None => (&tokens[..], &tokens[..]),
            };
            let service = self.t.in_re(self.symbols.action_service, pattern::regex(service));
            let name = self.t.in_re(self.symbols.action_name, pattern::regex(name));
            match names_by_service.iter_mut().find(|(other, _)| *other == service) {
                Some((_, names)) => names.push(name),
                None => names_by_service.push((service, vec![name])),
            }
        }
        let services: Vec<Term> = names_by_service
            .into_iter()
            .map(|(service, names)| {
                let name = self.t.or(names);
                self.t.and([service, name])
            })
            .collect();
        let listed = self.t.or(services);
        if clause.negated { self.t.not(listed) } else { listed }
    }

    /// True if and only if the clause matches the resource (2.2, 2.3).
    fn resource(&mut self, source: Source<'_>, clause: &Clause<ResourcePattern>) -> Term {
        let mut entries = Vec::new();
        let mut unresolved = Vec::new();
        for entry in &clause.entries {
            let (matches, open) = self.resource_entry(source, entry);
            entries.push(matches);
            unresolved.push(open);
        }
        let listed = self.t.or(entries);
        let matches = if clause.negated { self.t.not(listed) } else { listed };
        // D29: an entry with an unresolved variable matches nothing, or spoils the clause.
        let unresolved = self.t.or(unresolved);
        let resolved = self.t.not(unresolved);
        let all_resolved = self.t.and([matches, resolved]);
        self.by_reading(Switch::D29, matches, all_resolved)
    }

    /// Whether the entry matches, and whether a variable in it is unresolved.
    fn resource_entry(&mut self, source: Source<'_>, entry: &ResourcePattern) -> (Term, Term) {
        let pattern = Pattern::new(&entry.template, true);
        let resolved = self.t.bool(false);
        if pattern.tokens == [Token::Many] && !pattern.widened {
            return (self.t.bool(true), resolved);
        }
        let text = entry.template.to_string();
        let name = format!("Resource `{text}` {:?}", source.policy.version);
        let is_star = self.symbols.is_star;
        let is_arn = self.t.not(is_star);
        let cases = self.cases(&entry.template, true);
        let mut ways = Vec::new();
        for case in cases.cases {
            let mut matches = match text.strip_prefix(ABBREVIATED_API) {
                Some(_) => self.abbreviated_api(source.policy.policy_type, &case.tokens),
                None => self.resource_fields(source.policy.policy_type, &case.tokens),
            };
            let is_cut_short = text.starts_with(ABBREVIATED_API);
            if case.widened || (is_cut_short && pattern::has_value(&case.tokens)) {
                // The variable's value is literal text (D27), so the pattern with a star in its
                // place has to match.
                let construct = format!("policy variable in `{text}`");
                let opaque = self.opaque(source, &name, construct, entry.span);
                matches = self.t.and([opaque, matches]);
            }
            ways.push(self.t.and([is_arn, case.when, matches]));
        }
        (self.t.or(ways), cases.unresolved)
    }

    /// Each of the first five fields for itself, no wildcard crossing a colon, and the sixth as a
    /// whole (D8). A short ARN is padded with stars, or matches nothing (D9).
    fn resource_fields(&mut self, policy_type: PolicyType, tokens: &[Token]) -> Term {
        let fields = pattern::arn_fields(tokens);
        let is_padded = match policy_type {
            PolicyType::Identity | PolicyType::Boundary | PolicyType::Session => true,
            PolicyType::Resource
            | PolicyType::Trust
            | PolicyType::Kms
            | PolicyType::VpcEndpoint => tokens.contains(&Token::Many),
            PolicyType::Scp => fields.last().and_then(|field| field.last()) == Some(&Token::Many),
            PolicyType::Rcp => false,
        };
        if fields.len() < 6 && !is_padded {
            return self.t.bool(false);
        }
        let s = &self.symbols;
        let variables =
            [s.partition, s.resource_service, s.resource_region, s.resource_account, s.resource_id];
        let mut tests = vec![self.t.bool(pattern::matches(fields[0], "arn"))];
        for (variable, field) in variables.into_iter().zip(&fields[1..]) {
            tests.push(pattern::test(&mut self.t, variable, field));
        }
        self.t.and(tests)
    }

    /// `execute-api:/STAGE/…` in the policy of an API: the API's id, which is left out, is what
    /// precedes the first slash of the sixth field.
    fn abbreviated_api(&mut self, policy_type: PolicyType, tokens: &[Token]) -> Term {
        let rest = &tokens[ABBREVIATED_API.len() - 1..];
        if policy_type != PolicyType::Resource {
            return self.t.bool(false);
        }
        let id = Regex::Star(Box::new(Regex::NotChar('/')));
        let language = Regex::Concat(vec![id, pattern::regex(rest)]);
        let service = in_literal(&mut self.t, self.symbols.resource_service, "execute-api");
        let id = self.t.in_re(self.symbols.resource_id, language);
        self.t.and([service, id])
    }

    /// The key, which from now on is one that the question mentions.
    fn key(&mut self, written: &str) -> Key {
        let lower = written.to_ascii_lowercase();
        self.keys.entry(lower).or_insert_with(|| Key::new(written)).clone()
    }

    /// True if and only if the key is present.
    fn present(&mut self, key: &Key) -> Term {
        self.t.var(&key.presence(), Sort::Bool)
    }

    /// True if and only if the caller of `GetFederationToken` was this user.
    fn base_user(&mut self, user: &PrincipalArn) -> Term {
        let variable = format!(
            "principal.base arn:{}:iam::{}:{}",
            user.partition, user.account, user.resource
        );
        if !self.base_users.iter().any(|(name, _)| *name == variable) {
            self.base_users.push((variable.clone(), user.clone()));
        }
        self.t.var(&variable, Sort::Bool)
    }

    /// The truth value of something that is not modelled. `name` identifies it: two texts that
    /// could be true of different requests need different names.
    fn opaque(&mut self, source: Source<'_>, name: &str, construct: String, span: Span) -> Term {
        let variable = format!("{OPAQUE}{name}");
        let term = self.t.var(&variable, Sort::Bool);
        let statement = source.statement.index;
        let places = self.unsupported.entry(variable).or_default();
        // One place a statement is enough: the values of a list often share their text.
        if !places.iter().any(|place| (place.policy, place.statement) == (source.at, statement)) {
            let path = source.policy.statement_path(statement);
            places.push(Unsupported { construct, policy: source.at, statement, path, span });
        }
        term
    }
}

/// True if and only if the variable's value is in the language of a text in which `*` and `?` are wildcards.
pub(crate) fn in_glob(t: &mut Terms, variable: Term, glob: &str) -> Term {
    pattern::test(t, variable, &Pattern::new(&Template::text(glob), true).tokens)
}

/// True if and only if the string variable is this text.
fn in_literal(t: &mut Terms, variable: Term, text: &str) -> Term {
    let constant = t.string(text);
    t.eq(variable, constant)
}
