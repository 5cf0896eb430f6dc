//! The patterns of which rows are made: what the policies of a question name, and what lies within what.
//!
//! For the principal, the action, the resource and each condition key there is a *dimension*: a node that
//! says nothing, and one for each entry or value that some statement has there. What lies strictly within a node is read
//! from the texts, one-sided as in [`crate::cover`]. An inclusion that is missed makes a row wider than it need be, and no
//! row wrong: whether rows cover everything is put to a solver.
//!
//! The patterns of the policy are all that there is. Finer ones, such as the accounts of a range of ARNs, would have to be
//! made up.

use std::collections::{BTreeMap, BTreeSet};

use keyaki_policy::ast::{
    ActionPattern, BaseOperator, Clause, Condition, Effect, Operator, PrincipalEntry,
    PrincipalKind, ResourcePattern, SetOperator, Statement, Template, Version,
};
use keyaki_policy::evaluate::{Truth, statement_matches};
use keyaki_policy::request::Request;
use keyaki_policy::span::Span;
use keyaki_policy::{Policy, PolicyType, Readings};

use crate::addresses::Network;
use crate::cover::glob::{self, Case};
use crate::cover::parts;
use crate::encode::positive;
use crate::question::{PolicyRef, Question};

/// The most patterns of one dimension. With more of them rows are the statements as they stand.
const MAX_NODES: usize = 256;

/// What a row says in one dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// Nothing.
    Any,
    /// The principal is covered by this entry.
    Principal(PrincipalEntry),
    /// The action matches.
    Action(ActionPattern),
    /// The resource matches.
    Resource(ResourcePattern),
    /// The condition, of one value and a positive operator, holds.
    Condition(Condition),
}

/// A pattern, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) pattern: Pattern,
    /// The policies and the indices of the statements in which it stands; none of [`Pattern::Any`].
    pub(crate) places: BTreeSet<(PolicyRef, usize)>,
    /// A policy of one statement that matches whatever the pattern does.
    probe: Policy,
    /// The nodes of the dimension that lie strictly within this one.
    pub(crate) within: Vec<usize>,
}

/// What patterns there are for one thing that a request has. The first says nothing.
#[derive(Clone, Debug)]
pub(crate) struct Dimension {
    pub(crate) nodes: Vec<Node>,
}

/// All dimensions: principal, action, resource, and then the keys in the order in which they are named.
#[derive(Clone, Debug)]
pub(crate) struct Lattice {
    pub(crate) dimensions: Vec<Dimension>,
    /// Whether a dimension has more patterns than are told apart.
    pub(crate) is_cut: bool,
}

/// A node of each dimension.
pub(crate) type Tuple = Vec<usize>;

impl Lattice {
    /// The patterns that the policies of the question name.
    pub(crate) fn of(question: &Question) -> Lattice {
        let mut builder = Builder::default();
        for (at, policy) in question.policies() {
            for statement in &policy.statements {
                builder.statement(at, policy, statement);
            }
        }
        let is_cut = builder.dimensions.iter().any(|d| d.nodes.len() > MAX_NODES);
        for dimension in builder.dimensions.iter_mut().filter(|_| !is_cut) {
            dimension.order();
        }
        Lattice { dimensions: builder.dimensions, is_cut }
    }

    /// The statement of whatever matches one of these nodes in each dimension.
    pub(crate) fn statement(&self, nodes: &[Vec<usize>]) -> Statement {
        let mut statement = everything();
        for (dimension, nodes) in self.dimensions.iter().zip(nodes) {
            for (position, node) in nodes.iter().enumerate() {
                set(&mut statement, &dimension.nodes[*node].pattern, position > 0);
            }
        }
        statement
    }

    /// Whether every request that is of `narrow` is of `wide`, as far as the texts tell.
    pub(crate) fn contains(&self, wide: &[usize], narrow: &[usize]) -> bool {
        let dimensions = self.dimensions.iter().zip(wide.iter().zip(narrow));
        dimensions.into_iter().all(|(dimension, (w, n))| dimension.contains(*w, *n))
    }
}

impl Dimension {
    /// Whether `narrow` lies within `wide` or is it.
    pub(crate) fn contains(&self, wide: usize, narrow: usize) -> bool {
        wide == narrow || self.nodes[wide].within.contains(&narrow)
    }

    fn order(&mut self) {
        for wide in 0..self.nodes.len() {
            let within = (0..self.nodes.len()).filter(|&narrow| {
                narrow != wide
                    && includes(&self.nodes[wide], &self.nodes[narrow])
                    && !includes(&self.nodes[narrow], &self.nodes[wide])
            });
            self.nodes[wide].within = within.collect();
        }
    }

    /// Adds the pattern, unless it is there or says nothing.
    fn add(&mut self, pattern: Pattern, at: (PolicyRef, usize), policy: &Policy) {
        if self.nodes.len() > MAX_NODES {
            return;
        }
        let node = Node::new(pattern, Some(at), policy.policy_type, policy.version);
        let is_known = |known: &&mut Node| includes(known, &node) && includes(&node, known);
        match self.nodes.iter_mut().find(is_known) {
            Some(known) if known.pattern == Pattern::Any => {}
            Some(known) => known.places.extend(node.places),
            None => self.nodes.push(node),
        }
    }
}

impl Node {
    fn new(
        pattern: Pattern,
        at: Option<(PolicyRef, usize)>,
        policy_type: PolicyType,
        version: Version,
    ) -> Node {
        let mut statement = everything();
        set(&mut statement, &pattern, false);
        let probe = Policy {
            policy_type,
            version,
            id: None,
            statements: vec![statement],
            single_statement: true,
        };
        Node { pattern, places: at.into_iter().collect(), probe, within: Vec::new() }
    }

    fn top() -> Node {
        Node::new(Pattern::Any, None, PolicyType::Resource, Version::V2012)
    }

    /// Whether it names nobody in particular, as a pattern of principals.
    pub(crate) fn may_be_public(&self) -> bool {
        match &self.pattern {
            Pattern::Principal(entry) => matches!(entry.kind, PrincipalKind::Federated(_)),
            _ => true,
        }
    }

    /// Whether it may stand in a list: an unresolved variable could spoil the list (D29).
    pub(crate) fn may_be_listed(&self) -> bool {
        match &self.pattern {
            Pattern::Resource(entry) => !entry.template.has_variable(),
            _ => true,
        }
    }

    /// Whether the request is of the node, by the concrete evaluator.
    pub(crate) fn matches(&self, request: &Request, readings: Readings) -> Truth {
        match self.pattern {
            Pattern::Any => Truth::True,
            _ => statement_matches(&self.probe, &self.probe.statements[0], request, readings).0,
        }
    }
}

#[derive(Default)]
struct Builder {
    dimensions: Vec<Dimension>,
    keys: BTreeMap<String, usize>,
}

/// Positions of the dimensions that every question has.
pub(crate) const PRINCIPAL: usize = 0;
pub(crate) const ACTION: usize = 1;
pub(crate) const RESOURCE: usize = 2;

impl Builder {
    fn statement(&mut self, at: PolicyRef, policy: &Policy, statement: &Statement) {
        let place = (at, statement.index);
        while self.dimensions.len() <= RESOURCE {
            self.dimensions.push(Dimension { nodes: vec![Node::top()] });
        }
        for entry in statement.principal.iter().flat_map(|clause| &clause.entries) {
            let pattern = Pattern::Principal(entry.clone());
            self.dimensions[PRINCIPAL].add(pattern, place, policy);
        }
        for entry in &statement.action.entries {
            self.dimensions[ACTION].add(Pattern::Action(entry.clone()), place, policy);
        }
        for entry in statement.resource.iter().flat_map(|clause| &clause.entries) {
            self.dimensions[RESOURCE].add(Pattern::Resource(entry.clone()), place, policy);
        }
        for condition in &statement.conditions {
            let next = self.dimensions.len();
            let at = *self.keys.entry(condition.key.to_ascii_lowercase()).or_insert(next);
            if at == next {
                self.dimensions.push(Dimension { nodes: vec![Node::top()] });
            }
            for condition in positive_tests(condition) {
                self.dimensions[at].add(Pattern::Condition(condition), place, policy);
            }
        }
    }
}

/// What the condition asks for, or, if it is negated, what it excludes, one value at a time: that the key is present and has it.
fn positive_tests(condition: &Condition) -> Vec<Condition> {
    let set = condition.operator.set.map(|_| SetOperator::ForAnyValue);
    if condition.operator.base == BaseOperator::Null {
        if set.is_some() {
            return Vec::new();
        }
        let operator = Operator { set: None, base: BaseOperator::Null, if_exists: false };
        let value = condition.values.first().map(|value| keyaki_policy::ast::ConditionValue {
            template: Template::text("false"),
            ..value.clone()
        });
        return value
            .map(|value| Condition { operator, values: vec![value], ..condition.clone() })
            .into_iter()
            .collect();
    }
    let operator = Operator { set, base: positive(condition.operator.base), if_exists: false };
    let one = |value: &keyaki_policy::ast::ConditionValue| Condition {
        operator,
        values: vec![value.clone()],
        ..condition.clone()
    };
    condition.values.iter().map(one).collect()
}

/// A statement that matches every request.
fn everything() -> Statement {
    let span = Span::default();
    let star = PrincipalEntry { kind: PrincipalKind::Everyone, text: "*".to_owned(), span };
    let one = |template| ResourcePattern { template, span };
    Statement {
        index: 0,
        sid: None,
        effect: Effect::Allow,
        principal: Some(Clause { negated: false, entries: vec![star], span }),
        action: Clause {
            negated: false,
            entries: vec![ActionPattern { text: "*".to_owned(), span }],
            span,
        },
        resource: Some(Clause { negated: false, entries: vec![one(Template::text("*"))], span }),
        conditions: Vec::new(),
        span,
    }
}

/// Has the statement say what the pattern does, or, if it says such a thing already, either.
fn set(statement: &mut Statement, pattern: &Pattern, or: bool) {
    fn put<T: Clone>(clause: &mut Option<Clause<T>>, entry: &T, or: bool) {
        match clause {
            Some(clause) if or => clause.entries.push(entry.clone()),
            _ => {
                let entries = vec![entry.clone()];
                *clause = Some(Clause { negated: false, entries, span: Span::default() });
            }
        }
    }
    match pattern {
        Pattern::Any => {}
        Pattern::Principal(entry) => put(&mut statement.principal, entry, or),
        Pattern::Action(entry) if or => statement.action.entries.push(entry.clone()),
        Pattern::Action(entry) => statement.action.entries = vec![entry.clone()],
        Pattern::Resource(entry) => put(&mut statement.resource, entry, or),
        Pattern::Condition(condition) => statement.conditions.push(condition.clone()),
    }
}

/// Whether every request of `narrow` is one of `wide`, as far as the texts tell.
fn includes(wide: &Node, narrow: &Node) -> bool {
    match (&wide.pattern, &narrow.pattern) {
        (Pattern::Any, _) => true,
        (Pattern::Principal(wide), Pattern::Any) => {
            matches!(wide.kind, PrincipalKind::Everyone | PrincipalKind::EveryAwsPrincipal)
        }
        (Pattern::Principal(wide), Pattern::Principal(narrow)) => {
            parts::principal_includes(&wide.kind, &narrow.kind)
        }
        (Pattern::Action(wide), Pattern::Any) => matches!(&*wide.text, "*" | "*:*"),
        (Pattern::Action(wide), Pattern::Action(narrow)) => {
            parts::action_includes(&wide.text, &narrow.text)
        }
        (Pattern::Resource(wide), Pattern::Any) => wide.template == Template::text("*"),
        (Pattern::Resource(one), Pattern::Resource(other)) => {
            let types = [wide, narrow].map(|node| node.probe.policy_type);
            one.template == other.template && types[0] == types[1]
                || parts::resource_includes((types[0], one), (types[1], other))
        }
        (Pattern::Condition(wide), Pattern::Condition(narrow)) => test_includes(wide, narrow),
        _ => false,
    }
}

/// The same of two tests of one value of one key.
fn test_includes(wide: &Condition, narrow: &Condition) -> bool {
    use BaseOperator::*;
    if wide.operator.set != narrow.operator.set {
        return false;
    }
    let value = |condition: &Condition| condition.values.first().map(|v| v.template.clone());
    if wide.operator == narrow.operator && value(wide) == value(narrow) {
        return true;
    }
    if wide.operator.base == Null {
        // Whatever is asked of a value, there has to be one.
        return true;
    }
    let text = |condition: &Condition| {
        let value = condition.values.first()?;
        parts::plain(&value.template).map(str::to_owned)
    };
    let (Some(wide_text), Some(narrow_text)) = (text(wide), text(narrow)) else { return false };
    match (wide.operator.base, narrow.operator.base) {
        (StringLike, StringLike) => glob::includes(&wide_text, &narrow_text, Case::Sensitive),
        (StringLike, StringEquals) => {
            !glob::has_wildcard(&narrow_text)
                && glob::includes(&wide_text, &narrow_text, Case::Sensitive)
        }
        (StringEquals, StringLike) => !glob::has_wildcard(&narrow_text) && wide_text == narrow_text,
        (ArnLike, ArnLike) => arn_includes(&wide_text, &narrow_text),
        (IpAddress, IpAddress) => {
            let (wide, narrow) = (Network::parse(&wide_text), Network::parse(&narrow_text));
            wide.zip(narrow).is_some_and(|(wide, narrow)| wide.includes(narrow))
        }
        _ => false,
    }
}

/// The same of two patterns of ARNs, field by field.
fn arn_includes(wide: &str, narrow: &str) -> bool {
    let fields = |text: &str| text.splitn(6, ':').map(str::to_owned).collect::<Vec<_>>();
    let (wide, narrow) = (fields(wide), fields(narrow));
    wide.len() == 6
        && narrow.len() == 6
        && wide.iter().zip(&narrow).all(|(w, n)| glob::includes(w, n, Case::Sensitive))
}
