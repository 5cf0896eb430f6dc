//! The text of statements as a certificate has them, and what is asked of them.
//!
//! docs/certificates.md says what the lines mean. Policies in JSON were not taken: what is compared here is what is left when they are
//! read, and each line of it says one thing.

use std::borrow::Cow;
use std::rc::Rc;

use super::trust::Trusted;
use crate::words::{self, Lines, Words};
use crate::{Rejection, Result, require};

/// An entry of a list: a text, and what kind of text it is; of a pattern mostly none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry<'t> {
    pub(crate) kind: &'t str,
    pub(crate) text: Cow<'t, str>,
    /// How many fields it has, with colons between them, each of which is a pattern; of what is read by nothing but the same text none.
    pub(crate) n_fields: usize,
}

/// A list of entries, one of which has to fit, or none.
#[derive(Debug)]
pub(crate) struct List<'t> {
    /// Whether the statement has it. If not, it is one of which nothing must fit, so it matches whatever there is.
    pub(crate) is_written: bool,
    pub(crate) negated: bool,
    pub(crate) entries: Vec<Entry<'t>>,
}

/// A condition on one key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Condition<'t> {
    pub(crate) operator: &'t str,
    pub(crate) key: Cow<'t, str>,
    pub(crate) values: Vec<Entry<'t>>,
}

/// What a statement does with the requests that it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Allow,
    Deny,
    /// Nothing: it stands for requests that the question asks about.
    Access,
}

/// A statement.
#[derive(Debug)]
pub(crate) struct Statement<'t> {
    pub(crate) effect: Effect,
    pub(crate) principal: List<'t>,
    pub(crate) action: List<'t>,
    pub(crate) resource: List<'t>,
    pub(crate) conditions: Vec<Condition<'t>>,
}

/// What is asked of the statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Property {
    NoNewAccess,
    Equivalent,
    Disjoint,
    AccessNotGranted,
    NoPublicAccess,
}

/// The properties by their names, and the sides that they have.
const PROPERTIES: [(&str, Property, &[&str]); 5] = [
    ("no-new-access", Property::NoNewAccess, &["existing", "new"]),
    ("equivalent", Property::Equivalent, &["existing", "new"]),
    ("disjoint", Property::Disjoint, &["existing", "new"]),
    ("access-not-granted", Property::AccessNotGranted, &["policy"]),
    ("no-public-access", Property::NoPublicAccess, &["policy"]),
];

/// Whether it is a kind of principals.
fn is_principal(kind: &str) -> bool {
    is_nameless(kind)
        || matches!(kind, "account" | "root" | "user" | "role" | "session" | "federated")
        || matches!(kind, "id" | "service" | "provider" | "canonical")
}

/// Whether principals of this kind have no name.
fn is_nameless(kind: &str) -> bool {
    matches!(kind, "all" | "aws")
}

/// Whether it is a kind of other texts: a pattern, or what has variables or escaped characters.
fn is_text(kind: &str) -> bool {
    matches!(kind, "" | "$")
}

/// A question about statements.
#[derive(Debug)]
pub(crate) struct Question<'t> {
    pub(crate) name: &'t str,
    pub(crate) property: Property,
    #[cfg_attr(not(feature = "requests"), allow(dead_code, reason = "it is for who evaluates"))]
    pub(crate) policy_type: &'t str,
    /// What confines requests, where the question is whether something does.
    pub(crate) trusted: Vec<Trusted<'t>>,
    /// Services whose name confines nobody.
    pub(crate) deputies: Vec<Cow<'t, str>>,
    /// Each statement with its side; those that read like another are that.
    statements: Vec<(usize, Rc<Statement<'t>>)>,
}

impl<'t> Question<'t> {
    /// Reads the lines of a query.
    pub(crate) fn read(query: &Lines<'t>) -> Result<Question<'t>> {
        let (name, lines) = query.named("question")?;
        let known = PROPERTIES.into_iter().find(|(known, ..)| *known == name);
        let (_, property, sides) = known.ok_or_else(|| {
            let reason = format!("`{name}` is no question about statements");
            Rejection::new(reason).at(format!("line {}", query.first))
        })?;
        let (policy_type, lines) = lines.named("type")?;
        let (trusted, deputies, statements) = Default::default();
        let mut question = Question { name, property, policy_type, trusted, deputies, statements };
        let mut n_sides = 0;
        lines.each(|first, words| match first {
            "side" => {
                let name = words.word()?;
                require(sides.get(n_sides) == Some(&name), || {
                    format!("`{name}` is not the side that is due")
                })?;
                n_sides += 1;
                Ok(())
            }
            _ if n_sides == 0 => question.trust(first, words),
            _ => question.line(first, words, n_sides - 1),
        })?;
        let has_all = n_sides == sides.len();
        require(has_all, || format!("`{name}` has the sides {}", sides.join(", ")))?;
        Ok(question)
    }

    /// A line of what the question takes for public.
    fn trust(&mut self, first: &str, words: &mut Words<'t>) -> Result<()> {
        match (self.property, first) {
            (Property::NoPublicAccess, "deputy") => self.deputies.push(words.text()?),
            (Property::NoPublicAccess, "trusted") => self.trusted.push(Trusted::read(words)?),
            _ => return Err(Rejection::new("this stands before the first side")),
        }
        Ok(())
    }

    /// A line of a statement of this side.
    fn line(&mut self, first: &str, words: &mut Words<'t>, side: usize) -> Result<()> {
        let statement = match first {
            "allow" => Some(Rc::new(Statement::new(Effect::Allow))),
            "deny" => Some(Rc::new(Statement::new(Effect::Deny))),
            "access" => Some(Rc::new(Statement::new(Effect::Access))),
            "as" => Some(Rc::clone(&self.get(words.number()?)?.1)),
            _ => None,
        };
        if let Some(statement) = statement {
            self.statements.push((side, statement));
            return Ok(());
        }
        // What another reads like has no more lines.
        let last = self.statements.last_mut().filter(|(own, _)| *own == side);
        let statement = last.and_then(|(_, statement)| Rc::get_mut(statement));
        let statement =
            statement.ok_or_else(|| Rejection::new("this is a line of no statement"))?;
        let (negated, name) = match first.strip_prefix("not-") {
            Some(name) => (true, name),
            None => (false, first),
        };
        let (list, is_kind): (_, fn(&str) -> bool) = match name {
            "principal" => (&mut statement.principal, is_principal),
            "action" => (&mut statement.action, str::is_empty),
            "resource" => (&mut statement.resource, is_text),
            "when" if !negated => {
                let (operator, key) = (words.word()?, words.text()?);
                let values = words.map(|word| Entry::read(word, is_text)).collect::<Result<_>>()?;
                statement.conditions.push(Condition { operator, key, values });
                return Ok(());
            }
            _ => return Err(Rejection::new(format!("`{first}` is no line of a statement"))),
        };
        require(!list.is_written, || format!("the statement has `{name}` twice"))?;
        let mut entries =
            words.map(|word| Entry::read(word, is_kind)).collect::<Result<Vec<_>>>()?;
        if name == "resource" {
            entries.iter_mut().for_each(Entry::take_for_resource);
        }
        *list = List { is_written: true, negated, entries };
        Ok(())
    }

    /// How many statements there are.
    pub(crate) fn len(&self) -> usize {
        self.statements.len()
    }

    /// The side and the statement of a number. Those that read the same are the same.
    pub(crate) fn get(&self, number: usize) -> Result<&(usize, Rc<Statement<'t>>)> {
        let known = self.statements.get(number);
        known.ok_or_else(|| Rejection::new(format!("there is no statement {number}")))
    }

    /// The statements of a side with this effect, with their numbers.
    pub(crate) fn of(
        &self,
        side: usize,
        effect: Effect,
    ) -> impl Iterator<Item = (usize, &Statement<'t>)> {
        let all = self.statements.iter().enumerate().filter(move |(_, (own, _))| *own == side);
        let all = all.map(|(number, (_, statement))| (number, &**statement));
        all.filter(move |(_, statement)| statement.effect == effect)
    }
}

impl Statement<'_> {
    fn new(effect: Effect) -> Self {
        let absent = || List { is_written: false, negated: true, entries: Vec::new() };
        let (principal, action, resource) = (absent(), absent(), absent());
        Statement { effect, principal, action, resource, conditions: Vec::new() }
    }
}

impl<'t> Entry<'t> {
    /// A text in quotes but for the kind that stands before them.
    fn read(word: &'t str, is_kind: fn(&str) -> bool) -> Result<Entry<'t>> {
        let (kind, quoted) = word.split_at(word.bytes().take_while(|byte| *byte != b'"').count());
        require(is_kind(kind), || format!("`{word}` is of no kind that fits here"))?;
        let text = match is_nameless(word) {
            true => Cow::Borrowed(""),
            false => words::text(quoted)?,
        };
        Ok(Entry { kind, text, n_fields: usize::from(kind != "$") })
    }

    /// An ARN has six fields, the first of which is `arn`. What else there is means what its policy's type says.
    fn take_for_resource(&mut self) {
        let is_arn = self.text.starts_with("arn:")
            && self.text.bytes().filter(|byte| *byte == b':').count() >= 5;
        self.n_fields = match self.kind == "$" {
            false if is_arn => 6,
            false if self.text == "*" => 1,
            _ => 0,
        };
    }
}
