//! The syntax tree of a policy: what was written, with places, and nothing about what it means.
//!
//! This is all that the concrete evaluator and the encoder share, so nothing here interprets: a
//! `*` in a [`Template`] is still a character, and only the reader (a `Like` operator, a resource
//! pattern) knows whether it is a wildcard.
//!
//! Element names and rules are those of the IAM User Guide, "Grammar of the IAM JSON policy
//! language"; section numbers below are those of `docs/semantics.md`.

use crate::span::Span;

/// One policy document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Which of the grammar's variants the document was read as.
    pub policy_type: PolicyType,
    /// The language version; `2008-10-17` when the document has none.
    pub version: Version,
    /// The document's `Id`. It has no meaning.
    pub id: Option<String>,
    /// The statements in the order written.
    pub statements: Vec<Statement>,
    /// Whether `Statement` is one object rather than a list.
    pub single_statement: bool,
}

/// What a policy is attached to (1.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PolicyType {
    /// Attached to a user, group or role: no `Principal`, always a `Resource`.
    Identity,
    /// The permissions boundary of a user or role; the same document type.
    Boundary,
    /// Passed when a session is made.
    Session,
    /// A service control policy of an organisation: no `Principal`.
    Scp,
    /// A resource control policy of an organisation: its `Principal` is `*`.
    Rcp,
    /// Attached to a resource: always a `Principal`. `Resource` is in every statement, or in none
    /// (role trust policies), and then the statements are about the resource itself.
    Resource,
    /// The trust policy of a role: no `Resource`.
    Trust,
    /// The policy of a KMS key.
    Kms,
    /// Attached to a VPC endpoint.
    VpcEndpoint,
}

/// The version of the policy language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// `2008-10-17`, also when absent: `${…}` is plain text.
    V2008,
    /// `2012-10-17`: `${…}` is a policy variable.
    V2012,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Position in [`Policy::statements`], from 0.
    pub index: usize,
    /// The statement's `Sid`. It has no meaning beyond naming the statement in answers.
    pub sid: Option<String>,
    /// Whether a match allows or denies.
    pub effect: Effect,
    /// `Principal` or `NotPrincipal`; `None` in identity-based policies.
    pub principal: Option<Clause<PrincipalEntry>>,
    /// `Action` or `NotAction`.
    pub action: Clause<ActionPattern>,
    /// `Resource` or `NotResource`; `None` where the policy stands for its resource (role trust
    /// policies).
    pub resource: Option<Clause<ResourcePattern>>,
    /// One entry for each (operator, key) pair; all must hold.
    pub conditions: Vec<Condition>,
    /// The whole statement object.
    pub span: Span,
}

/// Whether a matching statement allows or denies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// `Allow`
    Allow,
    /// `Deny`
    Deny,
}

/// An element that comes in a plain and a `Not…` form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause<T> {
    /// True for `NotPrincipal`, `NotAction` and `NotResource`.
    pub negated: bool,
    /// The entries; a plain clause matches if one of them does, a negated one if none does.
    pub entries: Vec<T>,
    /// The element's value.
    pub span: Span,
}

/// One value of `Principal` or `NotPrincipal`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrincipalEntry {
    /// What the value names.
    pub kind: PrincipalKind,
    /// The value as written.
    pub text: String,
    /// The value's place.
    pub span: Span,
}

/// The forms that a principal value can have (1.4).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PrincipalKind {
    /// `"*"`
    Everyone,
    /// `{"AWS": "*"}`, which may differ from `"*"` (D12).
    EveryAwsPrincipal,
    /// A whole account: twelve digits, or the account's `root` ARN, which alone fixes a partition.
    Account {
        /// The partition, where an ARN gave one.
        partition: Option<String>,
        /// Twelve digits.
        account: String,
    },
    /// `arn:PARTITION:iam::ACCOUNT:user/[PATH/]NAME`. The account of a CloudFront origin access
    /// identity is `cloudfront`.
    User(PrincipalArn),
    /// `arn:PARTITION:iam::ACCOUNT:role/[PATH/]NAME`
    Role(PrincipalArn),
    /// `arn:PARTITION:sts::ACCOUNT:assumed-role/ROLE/SESSION`
    RoleSession {
        /// The partition.
        partition: String,
        /// Twelve digits.
        account: String,
        /// The role's name, without path.
        role: String,
        /// The session's name.
        session: String,
    },
    /// `arn:PARTITION:sts::ACCOUNT:federated-user/NAME`
    FederatedUser(PrincipalArn),
    /// A unique id such as `AIDA…` or `AROA…`
    UniqueId(String),
    /// A service principal such as `lambda.amazonaws.com`
    Service(String),
    /// An identity provider, by ARN or host name
    Federated(String),
    /// A canonical user id
    CanonicalUser(String),
}

/// The ARN of a user, role or federated user, in the fields that vary.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PrincipalArn {
    /// The partition, such as `aws`.
    pub partition: String,
    /// The account: twelve digits, or `cloudfront`.
    pub account: String,
    /// The sixth field, such as `user/ops/alice`.
    pub resource: String,
}

/// One entry of `Action` or `NotAction`: `*`, or `prefix:name` with wildcards `*` and `?`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionPattern {
    /// The pattern as written. Matching ignores case.
    pub text: String,
    /// The pattern's place.
    pub span: Span,
}

/// One entry of `Resource` or `NotResource`: `*`, or a pattern of an ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourcePattern {
    /// The pattern.
    pub template: Template,
    /// The pattern's place.
    pub span: Span,
}

/// One test of a condition: an operator, a key and the values listed for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The operator.
    pub operator: Operator,
    /// The key as written. Keys are compared without regard to case.
    pub key: String,
    /// The values listed.
    pub values: Vec<ConditionValue>,
    /// Place of the operator's name.
    pub operator_span: Span,
    /// Place of the key.
    pub key_span: Span,
}

/// One value of a condition. Unquoted numbers and Booleans keep their source text (D1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionValue {
    /// The value.
    pub template: Template,
    /// The value's place.
    pub span: Span,
}

/// A condition operator with its affixes: `[ForAllValues:|ForAnyValue:]Base[IfExists]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Operator {
    /// The set operator, if any.
    pub set: Option<SetOperator>,
    /// The comparison.
    pub base: BaseOperator,
    /// Whether the name ends in `IfExists`.
    pub if_exists: bool,
}

/// A set operator (3.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SetOperator {
    /// `ForAllValues:`
    ForAllValues,
    /// `ForAnyValue:`
    ForAnyValue,
}

/// The comparisons of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the operator of that name, see docs/semantics.md")]
pub enum BaseOperator {
    StringEquals,
    StringNotEquals,
    StringEqualsIgnoreCase,
    StringNotEqualsIgnoreCase,
    StringLike,
    StringNotLike,
    NumericEquals,
    NumericNotEquals,
    NumericLessThan,
    NumericLessThanEquals,
    NumericGreaterThan,
    NumericGreaterThanEquals,
    DateEquals,
    DateNotEquals,
    DateLessThan,
    DateLessThanEquals,
    DateGreaterThan,
    DateGreaterThanEquals,
    Bool,
    BinaryEquals,
    IpAddress,
    NotIpAddress,
    ArnEquals,
    ArnNotEquals,
    ArnLike,
    ArnNotLike,
    Null,
}

/// Text that may hold policy variables: a resource pattern or a condition value.
///
/// In a `2008-10-17` policy there is at most one segment, and it is [`Segment::Text`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Template {
    /// The segments in order. Two [`Segment::Text`]s are never neighbours, and none is empty; the
    /// empty template is the empty text.
    pub segments: Vec<Segment>,
}

/// A piece of a [`Template`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Segment {
    /// Plain text, in which `*` and `?` are wildcards if the reader has wildcards.
    Text(String),
    /// `${*}`, `${?}` or `${$}`: this character, never a wildcard.
    Escaped(char),
    /// `${key}` or `${key, 'default'}`.
    Variable {
        /// The key, as written.
        key: String,
        /// The default value, if given.
        default: Option<String>,
    },
}

impl PolicyType {
    /// All types, with their names on the command line and in jobs.
    pub const ALL: [(PolicyType, &'static str); 9] = [
        (PolicyType::Identity, "identity"),
        (PolicyType::Boundary, "boundary"),
        (PolicyType::Session, "session"),
        (PolicyType::Scp, "scp"),
        (PolicyType::Rcp, "rcp"),
        (PolicyType::Resource, "resource"),
        (PolicyType::Trust, "trust"),
        (PolicyType::Kms, "kms"),
        (PolicyType::VpcEndpoint, "vpce"),
    ];

    /// The type's name on the command line and in jobs.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(known, _)| *known == self).expect("ALL lists every type").1
    }

    /// The type of that name.
    pub fn by_name(name: &str) -> Option<PolicyType> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(policy_type, _)| *policy_type)
    }

    /// Whether the statements of such a policy say whom they are about.
    pub fn names_principals(self) -> bool {
        match self {
            PolicyType::Identity | PolicyType::Boundary | PolicyType::Session | PolicyType::Scp => {
                false
            }
            PolicyType::Rcp
            | PolicyType::Resource
            | PolicyType::Trust
            | PolicyType::Kms
            | PolicyType::VpcEndpoint => true,
        }
    }
}

impl Statement {
    /// The keys of the policy variables in the statement's resources and condition values.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        let resources = self.resource.iter().flat_map(|clause| &clause.entries);
        let values = self.conditions.iter().flat_map(|condition| &condition.values);
        let resources = resources.map(|entry| &entry.template);
        let templates = resources.chain(values.map(|value| &value.template));
        templates.flat_map(|template| &template.segments).filter_map(|segment| match segment {
            Segment::Variable { key, .. } => Some(key.as_str()),
            Segment::Text(_) | Segment::Escaped(_) => None,
        })
    }
}

impl Policy {
    /// The statement of that index, which is its position unless statements were left out.
    pub fn statement(&self, index: usize) -> Option<&Statement> {
        let at_its_position = self.statements.get(index).filter(|s| s.index == index);
        at_its_position.or_else(|| self.statements.iter().find(|s| s.index == index))
    }

    /// JSON pointer (RFC 6901) to the statement of that index, from the document's root.
    pub fn statement_path(&self, index: usize) -> String {
        if self.single_statement { "/Statement".to_owned() } else { format!("/Statement/{index}") }
    }
}

impl BaseOperator {
    /// All operators with the documented spelling of their names.
    pub const ALL: [(BaseOperator, &'static str); 27] = {
        use BaseOperator::*;
        [
            (StringEquals, "StringEquals"),
            (StringNotEquals, "StringNotEquals"),
            (StringEqualsIgnoreCase, "StringEqualsIgnoreCase"),
            (StringNotEqualsIgnoreCase, "StringNotEqualsIgnoreCase"),
            (StringLike, "StringLike"),
            (StringNotLike, "StringNotLike"),
            (NumericEquals, "NumericEquals"),
            (NumericNotEquals, "NumericNotEquals"),
            (NumericLessThan, "NumericLessThan"),
            (NumericLessThanEquals, "NumericLessThanEquals"),
            (NumericGreaterThan, "NumericGreaterThan"),
            (NumericGreaterThanEquals, "NumericGreaterThanEquals"),
            (DateEquals, "DateEquals"),
            (DateNotEquals, "DateNotEquals"),
            (DateLessThan, "DateLessThan"),
            (DateLessThanEquals, "DateLessThanEquals"),
            (DateGreaterThan, "DateGreaterThan"),
            (DateGreaterThanEquals, "DateGreaterThanEquals"),
            (Bool, "Bool"),
            (BinaryEquals, "BinaryEquals"),
            (IpAddress, "IpAddress"),
            (NotIpAddress, "NotIpAddress"),
            (ArnEquals, "ArnEquals"),
            (ArnNotEquals, "ArnNotEquals"),
            (ArnLike, "ArnLike"),
            (ArnNotLike, "ArnNotLike"),
            (Null, "Null"),
        ]
    };

    /// The documented spelling of the operator's name.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(operator, _)| *operator == self)
            .expect("ALL lists every operator")
            .1
    }

    /// Whether the operator is one of those that a missing key satisfies (3.3).
    pub fn is_negated(self) -> bool {
        use BaseOperator::*;
        matches!(
            self,
            StringNotEquals
                | StringNotEqualsIgnoreCase
                | StringNotLike
                | NumericNotEquals
                | DateNotEquals
                | ArnNotEquals
                | ArnNotLike
                | NotIpAddress
        )
    }
}

impl std::fmt::Display for Operator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let set = match self.set {
            None => "",
            Some(SetOperator::ForAllValues) => "ForAllValues:",
            Some(SetOperator::ForAnyValue) => "ForAnyValue:",
        };
        write!(f, "{set}{}{}", self.base.name(), if self.if_exists { "IfExists" } else { "" })
    }
}

impl Template {
    /// The template of a text without variables.
    pub fn text(text: &str) -> Template {
        let segments = if text.is_empty() { vec![] } else { vec![Segment::Text(text.to_owned())] };
        Template { segments }
    }

    /// Whether some segment is a policy variable.
    pub fn has_variable(&self) -> bool {
        self.segments.iter().any(|segment| matches!(segment, Segment::Variable { .. }))
    }
}

impl std::fmt::Display for Template {
    /// Writes the template as it could stand in a policy.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for segment in &self.segments {
            match segment {
                Segment::Text(text) => f.write_str(text)?,
                Segment::Escaped(c) => write!(f, "${{{c}}}")?,
                Segment::Variable { key, default: None } => write!(f, "${{{key}}}")?,
                Segment::Variable { key, default: Some(default) } => {
                    write!(f, "${{{key}, '{default}'}}")?;
                }
            }
        }
        Ok(())
    }
}
