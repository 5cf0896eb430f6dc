//! Objects of policies of several kinds, as a `policies` member has them.
//!
//! They are told from policies by their members: those of a policy begin with capitals, and none
//! of them is the name of a kind.

use keyaki_analysis::question::{Place, PolicyRef, Side};
use keyaki_policy::json::{self, Kind, Member, Value};
use keyaki_policy::parse::{parse, parse_value};
use keyaki_policy::policy_set::{self, PolicySet};
use keyaki_policy::span::Position;
use keyaki_policy::{Policy, PolicyType};

use crate::reader::{Fallible, Reader, pointer};
use crate::wire::ErrorRecord;

/// The names of the kinds.
pub const KINDS: [&str; 7] =
    ["identity", "resource", "boundary", "session", "scp", "rcp", "vpc_endpoint"];

/// The most policies that one side of a question, or a request, can have.
pub const MAX_POLICIES: usize = 1_000;

/// What stands for whatever policy somebody attaches: no policy allows more.
pub const ANY: &str = "any";

/// The widest policy that can stand in a place that grants; none if the place does not.
fn widest(place: Place) -> Option<&'static str> {
    match place {
        Place::Set(policy_set::Place::Identity(_)) => Some(
            r#"{"Version": "2012-10-17", "Statement": [{"Sid": "Any", "Effect": "Allow", "Action": "*", "Resource": "*"}]}"#,
        ),
        Place::Set(policy_set::Place::Resource(_)) => Some(
            r#"{"Version": "2012-10-17", "Statement": [{"Sid": "Any", "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}"#,
        ),
        _ => None,
    }
}

/// The text of one policy.
#[derive(Clone, Debug)]
pub struct Document {
    /// Which policy of the question it is.
    pub at: PolicyRef,
    /// JSON pointer into the job.
    pub pointer: String,
    /// The text.
    pub source: String,
    /// Where in its file the text begins; the first line and column for a text of its own.
    pub start: Position,
}

/// A policy that was given, before it is read as one.
#[derive(Clone, Debug)]
pub(crate) struct Source<'s> {
    pub(crate) document: Document,
    /// What the text holds, with its places in that text, where it was read as part of a job.
    value: Option<Value<'s>>,
}

/// What is known of a set of policies besides the policies: a kind that is given without policies
/// is another thing than one that is not given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Whether the resource's side is given.
    pub resource: bool,
    /// Whether session policies are given.
    pub session: bool,
    /// Number of levels of service control policies.
    pub scp: usize,
    /// Number of levels of resource control policies.
    pub rcp: usize,
}

impl Document {
    /// The beginning of a text.
    pub const START: Position = Position { line: 1, column: 1 };

    /// A policy that is a text of its own.
    pub fn new(at: PolicyRef, pointer: String, source: String) -> Document {
        Document { at, pointer, source, start: Document::START }
    }

    /// The place of byte `offset` of the text in its file.
    pub fn position(&self, offset: u32) -> Position {
        self.in_file(Position::of(&self.source, offset))
    }

    /// A place in the text as one in its file.
    pub fn in_file(&self, position: Position) -> Position {
        let column = match position.line {
            1 => self.start.column + position.column - 1,
            _ => position.column,
        };
        Position { line: self.start.line + position.line - 1, column }
    }

    /// Which grammar the policy is read by, if its place says so.
    pub fn policy_type(&self) -> Option<PolicyType> {
        let Place::Set(place) = self.at.place else { return None };
        Some(match place {
            policy_set::Place::Identity(_) => PolicyType::Identity,
            policy_set::Place::Resource(_) => return None,
            policy_set::Place::Boundary(_) => PolicyType::Boundary,
            policy_set::Place::Session(_) => PolicyType::Session,
            policy_set::Place::Scp(..) => PolicyType::Scp,
            policy_set::Place::Rcp(..) => PolicyType::Rcp,
            policy_set::Place::VpcEndpoint(_) => PolicyType::VpcEndpoint,
        })
    }
}

/// Adds the policies of whoever asks from outside: any.
///
/// # Errors
///
/// There are some already: nobody knows those of a stranger.
pub(crate) fn add_strangers_policies(
    sources: &mut Vec<Source<'_>>,
    side: Side,
) -> Result<(), ErrorRecord> {
    use policy_set::Place::{Boundary, Identity, Scp, Session};
    let is_of_requester = |source: &&Source<'_>| {
        let place = source.document.at.place;
        matches!(place, Place::Set(Identity(_) | Boundary(_) | Session(_) | Scp(..)))
    };
    if let Some(source) = sources.iter().find(is_of_requester) {
        let message = "who asks from outside has policies that are not known";
        return Err(ErrorRecord {
            policy: Some(source.document.pointer.clone()),
            hint: Some("give `resource`, `rcp` and `vpc_endpoint` only".to_owned()),
            ..ErrorRecord::new("invalid-job", message)
        });
    }
    let place = Place::Set(Identity(0));
    if let Some(text) = widest(place) {
        let (at, pointer) = (PolicyRef { side, place }, format!("({ANY})"));
        sources.push(Document::new(at, pointer, text.to_owned()).into());
    }
    Ok(())
}

impl From<Document> for Source<'_> {
    fn from(document: Document) -> Self {
        Source { document, value: None }
    }
}

impl Source<'_> {
    /// Reads the policy.
    ///
    /// # Errors
    ///
    /// The first mistake in it, with its place in the file.
    pub(crate) fn parse(&self, policy_type: Option<PolicyType>) -> Result<Policy, ErrorRecord> {
        let Document { pointer, source, .. } = &self.document;
        let policy = match &self.value {
            Some(value) => parse_value(source, value, policy_type),
            None => parse(source, policy_type),
        };
        policy.map_err(|mut error| {
            error.position = self.document.in_file(error.position);
            ErrorRecord::in_policy(pointer, &error)
        })
    }
}

/// Whether an object holds policies of several kinds rather than being one policy.
pub fn is_set(value: &Value<'_>) -> bool {
    match &value.kind {
        Kind::Object(members) => members.iter().any(|member| KINDS.contains(&&*member.key)),
        _ => false,
    }
}

/// The policies in a file that holds an object of several kinds; `None` if it holds something else.
/// `pointer` is where the object would stand in a job.
///
/// # Errors
///
/// The first mistake in the object, but not in its policies.
pub fn from_file(
    text: &str,
    side: Side,
    pointer: &str,
) -> Result<Option<(Shape, Vec<Document>)>, Box<ErrorRecord>> {
    // What is no JSON is told better by whoever reads it as a policy.
    let Ok(mut value) = json::read(text) else { return Ok(None) };
    if !is_set(&value) {
        return Ok(None);
    }
    let mut sources = Vec::new();
    let reader = Reader { source: text, is_file: true };
    match reader.set(&mut value, pointer, side, &mut sources) {
        Ok(shape) => {
            let documents = sources.into_iter().map(|source| source.document);
            Ok(Some((shape, documents.collect())))
        }
        Err(record) => Err(Box::new(ErrorRecord { policy: Some(pointer.to_owned()), ..*record })),
    }
}

/// The grammar of the policy of a resource of this type (CloudFormation's name).
pub fn type_of_resource_policy(resource_type: Option<&str>) -> PolicyType {
    match resource_type {
        Some("AWS::KMS::Key") => PolicyType::Kms,
        Some("AWS::IAM::Role" | "AWS::IAM::AssumeRolePolicyDocument") => PolicyType::Trust,
        _ => PolicyType::Resource,
    }
}

impl Shape {
    /// The set of these policies; each goes where its document says.
    pub fn set<'p>(self, policies: impl Iterator<Item = (&'p Document, Policy)>) -> PolicySet {
        let mut set = PolicySet {
            resource: self.resource.then(Vec::new),
            session: self.session.then(Vec::new),
            scp: vec![Vec::new(); self.scp],
            rcp: vec![Vec::new(); self.rcp],
            ..PolicySet::default()
        };
        for (document, policy) in policies {
            let Place::Set(place) = document.at.place else { continue };
            let list = match place {
                policy_set::Place::Identity(_) => &mut set.identity,
                policy_set::Place::Resource(_) => set.resource.get_or_insert_default(),
                policy_set::Place::Boundary(_) => &mut set.boundary,
                policy_set::Place::Session(_) => set.session.get_or_insert_default(),
                policy_set::Place::Scp(level, _) => level_of(&mut set.scp, level),
                policy_set::Place::Rcp(level, _) => level_of(&mut set.rcp, level),
                policy_set::Place::VpcEndpoint(_) => &mut set.vpc_endpoint,
            };
            list.push(policy);
        }
        set
    }
}

fn level_of(levels: &mut Vec<Vec<Policy>>, level: usize) -> &mut Vec<Policy> {
    if levels.len() <= level {
        levels.resize_with(level + 1, Vec::new);
    }
    &mut levels[level]
}

impl<'s> Reader<'s> {
    /// The policies of one kind: one, or a list of them.
    pub(crate) fn policies(
        &self,
        value: &mut Value<'s>,
        path: &str,
        place: &dyn Fn(usize) -> PolicyRef,
        sources: &mut Vec<Source<'s>>,
    ) -> Fallible<()> {
        let Kind::Array(policies) = &mut value.kind else {
            return self.policy(value, path, place(0), sources);
        };
        for (index, policy) in policies.iter_mut().enumerate() {
            self.policy(policy, &format!("{path}/{index}"), place(index), sources)?;
        }
        Ok(())
    }

    /// A policy as an object, whose text is its part of the job's, or as a string of JSON. An object is taken out of
    /// the job, as it need not be read again.
    pub(crate) fn policy(
        &self,
        value: &mut Value<'s>,
        path: &str,
        at: PolicyRef,
        sources: &mut Vec<Source<'s>>,
    ) -> Fallible<()> {
        let text = match &value.kind {
            Kind::Object(_) if is_set(value) => {
                let message = "policies of several kinds stand here, where one policy is expected";
                return Err(self.wrong(value, path, message));
            }
            Kind::Object(_) => self.text(value).to_owned(),
            Kind::String(text) if text == ANY => match widest(at.place) {
                Some(widest) => widest.to_owned(),
                None => {
                    let message = "`any` stands for `identity` or `resource` policies of a set";
                    return Err(self.wrong(value, path, message));
                }
            },
            Kind::String(text) => text.to_string(),
            _ => {
                let message = format!(
                    "a policy is an object, or a string that holds JSON, not {}",
                    value.describe()
                );
                return Err(self.wrong(value, path, &message));
            }
        };
        if sources.len() >= MAX_POLICIES {
            let message = format!("more than {MAX_POLICIES} policies");
            return Err(self.wrong(value, path, &message));
        }
        let mut source = Source::from(Document::new(at, path.to_owned(), text));
        if matches!(value.kind, Kind::Object(_)) {
            let start = value.span.start;
            if self.is_file {
                source.document.start = Position::of(self.source, start);
            }
            let mut taken = std::mem::replace(value, Value { kind: Kind::Null, span: value.span });
            taken.move_back(start);
            source.value = Some(taken);
        }
        sources.push(source);
        Ok(())
    }

    /// Policies of several kinds, as the set of one side.
    pub(crate) fn set(
        &self,
        value: &mut Value<'s>,
        path: &str,
        side: Side,
        sources: &mut Vec<Source<'s>>,
    ) -> Fallible<Shape> {
        let Kind::Object(members) = &mut value.kind else {
            let message = "`policies` is an object with one member for each kind of policy";
            return Err(self.wrong_with_hint(value, path, message, &kinds_hint()));
        };
        let mut shape = Shape::default();
        for Member { key, value, .. } in members {
            let path = pointer(path, key);
            let at = |place| PolicyRef { side, place: Place::Set(place) };
            let place: fn(usize) -> policy_set::Place = match &**key {
                _ if value.kind == Kind::Null && KINDS.contains(&&**key) => continue,
                "identity" => policy_set::Place::Identity,
                "boundary" => policy_set::Place::Boundary,
                "vpc_endpoint" => policy_set::Place::VpcEndpoint,
                "resource" => {
                    shape.resource = true;
                    policy_set::Place::Resource
                }
                "session" => {
                    shape.session = true;
                    policy_set::Place::Session
                }
                "scp" => {
                    let place = |level, index| at(policy_set::Place::Scp(level, index));
                    shape.scp = self.levels(value, &path, &place, sources)?;
                    continue;
                }
                "rcp" => {
                    let place = |level, index| at(policy_set::Place::Rcp(level, index));
                    shape.rcp = self.levels(value, &path, &place, sources)?;
                    continue;
                }
                other => {
                    let message = format!("`{other}` is no kind of policy");
                    return Err(self.wrong_with_hint(value, &path, &message, &kinds_hint()));
                }
            };
            self.policies(value, &path, &|index| at(place(index)), sources)?;
        }
        Ok(shape)
    }

    /// The levels of an organisation, from the root down; returns their number.
    fn levels(
        &self,
        value: &mut Value<'s>,
        path: &str,
        place: &dyn Fn(usize, usize) -> PolicyRef,
        sources: &mut Vec<Source<'s>>,
    ) -> Fallible<usize> {
        const HINT: &str = "one list for each level from the root of the organisation down to the \
                            account, such as `[[{…}], [{…}, {…}]]`";
        let Kind::Array(levels) = &mut value.kind else {
            let message = "a list of levels is expected";
            return Err(self.wrong_with_hint(value, path, message, HINT));
        };
        for (index, level) in levels.iter_mut().enumerate() {
            let path = format!("{path}/{index}");
            if !matches!(level.kind, Kind::Array(_)) {
                let message = "a level is a list of policies";
                return Err(self.wrong_with_hint(level, &path, message, HINT));
            }
            self.policies(level, &path, &|policy| place(index, policy), sources)?;
        }
        Ok(levels.len())
    }
}

fn kinds_hint() -> String {
    format!("the kinds are {}", KINDS.join(", "))
}
