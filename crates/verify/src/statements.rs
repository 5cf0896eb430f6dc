//! Statements of policies as a certificate of the second kind has them, and what is included in what.
//!
//! docs/certificates.md says what the lines mean. Everything here is one-sided: that something is included, or that nothing is of both, is
//! said only where it is so of every request; `false` is "not shown". What the text does not tell how to read (variables, ARNs of less
//! than six fields, conditions) is compared with what is written in the same way only.

use std::borrow::Cow;

use crate::Rejection;
use crate::glob::{self, Budget};
use crate::language::TooMuch;
use crate::read::{Lines, Place, Words};

type Result<T> = std::result::Result<T, TooMuch>;

/// An entry of a list: a text, and what kind of text it is; of a pattern mostly none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry<'t> {
    pub(crate) kind: &'t str,
    pub(crate) text: Cow<'t, str>,
    pub(crate) form: Form,
}

/// How the text of an entry is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As a pattern of the whole text.
    Text,
    /// As a pattern of each of six fields, the first of which is `arn`.
    Arn,
    /// It is read by nothing but the same text.
    Opaque,
}

/// A list of entries, one of which has to fit, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Clause<'t> {
    pub(crate) negated: bool,
    pub(crate) entries: Vec<Entry<'t>>,
}

/// A condition on one key.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// A statement. What is absent matches whatever there is.
#[derive(Clone, Debug)]
pub(crate) struct Statement<'t> {
    pub(crate) effect: Effect,
    pub(crate) principal: Option<Clause<'t>>,
    pub(crate) action: Option<Clause<'t>>,
    pub(crate) resource: Option<Clause<'t>>,
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

/// A key of which a value that is named confines who has it.
#[derive(Clone, Debug)]
pub(crate) struct Trusted<'t> {
    pub(crate) key: Cow<'t, str>,
    /// Whether a request can have several values of it.
    is_list: bool,
    values: Values,
}

/// Which values confine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Values {
    Any,
    NoColon,
    True,
}

/// The kinds of principals.
const PRINCIPALS: [&str; 12] = [
    "all",
    "aws",
    "account",
    "root",
    "user",
    "role",
    "session",
    "federated",
    "id",
    "service",
    "provider",
    "canonical",
];

/// The kinds of principals that have no name.
pub(crate) const NAMELESS: [&str; 2] = ["all", "aws"];

/// The kinds of texts: a pattern, or what has variables or escaped characters.
const TEXTS: [&str; 2] = ["", "$"];

/// A question about statements.
#[derive(Debug)]
pub(crate) struct Question<'t> {
    pub(crate) name: &'t str,
    pub(crate) property: Property,
    pub(crate) policy_type: &'t str,
    /// What confines requests, where the question is whether something does.
    pub(crate) trusted: Vec<Trusted<'t>>,
    /// Services whose name confines nobody.
    deputies: Vec<Cow<'t, str>>,
    /// Each statement that is written out.
    written: Vec<Statement<'t>>,
    /// Of each statement its side, and which of those written out it reads like.
    numbered: Vec<(usize, usize)>,
    /// Whether the last of those may have more lines.
    is_open: bool,
}

impl<'t> Question<'t> {
    /// Reads the lines of a query.
    pub(crate) fn read(query: &Lines<'t>) -> std::result::Result<Question<'t>, Rejection> {
        let mut lines = query.each();
        let mut named = |wanted: &str| {
            let next = lines.next();
            let (line, mut words) =
                next.ok_or_else(|| Rejection::new(format!("the query has no line `{wanted}`")))?;
            match words.word()? == wanted {
                true => words.last().map(|word| (line, word)),
                false => Err(line.rejects(format!("the line does not begin with `{wanted}`"))),
            }
        };
        let (line, name) = named("question")?;
        let (_, property, sides) = PROPERTIES
            .into_iter()
            .find(|(known, ..)| *known == name)
            .ok_or_else(|| line.rejects(format!("`{name}` is no question about statements")))?;
        let (_, policy_type) = named("type")?;
        let mut question = Question {
            name,
            property,
            policy_type,
            trusted: Vec::new(),
            deputies: Vec::new(),
            written: Vec::new(),
            numbered: Vec::new(),
            is_open: false,
        };
        let mut side = None;
        for (line, mut words) in lines {
            let first = words.word()?;
            if first == "side" {
                let next = side.map_or(0, |side: usize| side + 1);
                let name = words.last()?;
                if sides.get(next) != Some(&name) {
                    return Err(line.rejects(format!("`{name}` is not the side that is due")));
                }
                (side, question.is_open) = (Some(next), false);
                continue;
            }
            match side {
                Some(side) => question.line(line, first, words, side)?,
                None => question.trust(line, first, words)?,
            }
        }
        if side.map_or(0, |side| side + 1) != sides.len() {
            return Err(Rejection::new(format!("`{name}` has the sides {}", sides.join(", "))));
        }
        Ok(question)
    }

    /// A line of what the question takes for public.
    fn trust(
        &mut self,
        line: Place,
        first: &str,
        mut words: Words<'t>,
    ) -> std::result::Result<(), Rejection> {
        match (self.property, first) {
            (Property::NoPublicAccess, "deputy") => {
                self.deputies.push(words.entry(&[""], |_| Form::Text)?.text);
            }
            (Property::NoPublicAccess, "trusted") => {
                let is_list = match words.word()? {
                    "one" => false,
                    "many" => true,
                    other => return Err(line.rejects(format!("`{other}` is no number of values"))),
                };
                let values = match words.word()? {
                    "any" => Values::Any,
                    "no-colon" => Values::NoColon,
                    "true" => Values::True,
                    other => return Err(line.rejects(format!("`{other}` is no kind of values"))),
                };
                let key = words.entry(&[""], |_| Form::Text)?.text;
                self.trusted.push(Trusted { key, is_list, values });
            }
            _ => return Err(line.rejects("this stands before the first side")),
        }
        words.end()
    }

    fn line(
        &mut self,
        line: Place,
        first: &str,
        mut words: Words<'t>,
        side: usize,
    ) -> std::result::Result<(), Rejection> {
        let effect = match first {
            "allow" => Some(Effect::Allow),
            "deny" => Some(Effect::Deny),
            "access" => Some(Effect::Access),
            _ => None,
        };
        if let Some(effect) = effect {
            words.end()?;
            self.numbered.push((side, self.written.len()));
            let (principal, action, resource, conditions) = (None, None, None, Vec::new());
            self.written.push(Statement { effect, principal, action, resource, conditions });
            self.is_open = true;
            return Ok(());
        }
        if first == "as" {
            let number: usize = words.number()?;
            let above = self.numbered.get(number);
            let (_, at) =
                above.ok_or_else(|| line.rejects(format!("no statement {number} is above")))?;
            self.numbered.push((side, *at));
            self.is_open = false;
            return words.end();
        }
        let statement = self.written.last_mut().filter(|_| self.is_open);
        let statement = statement.ok_or_else(|| line.rejects("this is a line of no statement"))?;
        if first == "when" {
            let (operator, key) = (words.word()?, words.entry(&[""], |_| Form::Text)?.text);
            let values = words.entries(&TEXTS, |_| Form::Text)?;
            statement.conditions.push(Condition { operator, key, values });
            return Ok(());
        }
        let (name, negated) = match first.strip_prefix("not-") {
            Some(name) => (name, true),
            None => (first, false),
        };
        let (clause, kinds, form): (_, &[&str], fn(&str) -> Form) = match name {
            "principal" => (&mut statement.principal, &PRINCIPALS, |_| Form::Text),
            "action" => (&mut statement.action, &[""], |_| Form::Text),
            "resource" => (&mut statement.resource, &TEXTS, form_of_resource),
            _ => return Err(line.rejects(format!("`{first}` is no line of a statement"))),
        };
        if clause.is_some() {
            return Err(line.rejects(format!("the statement has `{name}` twice")));
        }
        *clause = Some(Clause { negated, entries: words.entries(kinds, form)? });
        Ok(())
    }

    /// How many statements there are.
    pub(crate) fn len(&self) -> usize {
        self.numbered.len()
    }

    /// The statement of a number, and its side.
    pub(crate) fn get(&self, number: usize) -> Option<(usize, &Statement<'t>)> {
        let (side, at) = self.numbered.get(number)?;
        Some((*side, &self.written[*at]))
    }

    /// Whether everybody whom the list means is somebody in particular.
    pub(crate) fn is_particular(&self, entry: &Entry<'_>) -> bool {
        match entry.kind {
            "all" | "aws" | "provider" => false,
            "service" => !self.deputies.contains(&entry.text),
            _ => true,
        }
    }

    /// Whether whoever satisfies the condition, or escapes it as the only one of a Deny, has a value that confines.
    pub(crate) fn confines(&self, condition: &Condition<'_>, of_deny: bool) -> bool {
        let (set, base, if_exists) = parts_of(condition.operator);
        let trusted = self.trusted.iter().find(|trusted| trusted.key == condition.key);
        let Some(trusted) = trusted else { return false };
        let fits = match (of_deny, base) {
            // An absent key satisfies the condition of a Deny.
            (true, "StringNotEquals" | "StringNotLike") => set.is_empty() && !trusted.is_list,
            (false, "StringEquals" | "StringLike" | "ArnEquals" | "ArnLike") => {
                set != "ForAllValues"
            }
            (false, "Bool") => set != "ForAllValues" && trusted.values == Values::True,
            _ => false,
        };
        fits && !if_exists
            && !condition.values.is_empty()
            && condition.values.iter().all(|value| trusted.confines(value))
    }

    /// Whether two statements of these numbers read the same.
    pub(crate) fn are_alike(&self, a: usize, b: usize) -> bool {
        self.numbered[a].1 == self.numbered[b].1
    }

    /// The statements of a side with this effect, with their numbers.
    pub(crate) fn of(
        &self,
        side: usize,
        effect: Effect,
    ) -> impl Iterator<Item = (usize, &Statement<'t>)> {
        let all = self.numbered.iter().enumerate().filter(move |(_, (own, _))| *own == side);
        let all = all.map(|(number, (_, at))| (number, &self.written[*at]));
        all.filter(move |(_, statement)| statement.effect == effect)
    }
}

impl Trusted<'_> {
    /// Whether a value that is named is none that everybody has: a text without wildcards and variables.
    pub(crate) fn confines(&self, value: &Entry<'_>) -> bool {
        let text = &*value.text;
        let is_plain = value.form == Form::Text && !glob::is_pattern(text);
        is_plain
            && !matches!(text, "" | "anonymous")
            && match self.values {
                Values::Any => true,
                Values::NoColon => !text.contains(':'),
                Values::True => text == "true",
            }
    }
}

/// A resource of less than six fields means what its policy's type says; here it is taken for a text.
fn form_of_resource(text: &str) -> Form {
    match text {
        "*" => Form::Text,
        _ if text.starts_with("arn:") && text.bytes().filter(|byte| *byte == b':').count() >= 5 => {
            Form::Arn
        }
        _ => Form::Opaque,
    }
}

impl Entry<'_> {
    /// How many steps comparing it with another for equality counts.
    fn weight(&self) -> usize {
        1 + self.text.len() / 64
    }

    /// Whether it fits whatever there is.
    fn is_star(&self) -> bool {
        self.form == Form::Text && self.text == "*"
    }

    /// Whether it fits all that the other does.
    pub(crate) fn includes(&self, narrow: &Entry<'_>, budget: &Budget) -> Result<bool> {
        budget.spend(self.weight())?;
        if self.is_star() || self == narrow {
            return Ok(true);
        }
        match (self.form, narrow.form) {
            (Form::Text, Form::Text) => glob::includes(&self.text, &narrow.text, budget),
            (Form::Arn, Form::Arn) => {
                for (wide, narrow) in fields(&self.text).zip(fields(&narrow.text)) {
                    if !glob::includes(wide, narrow, budget)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Whether nothing fits both.
    fn is_disjoint(&self, other: &Entry<'_>, budget: &Budget) -> Result<bool> {
        match (self.form, other.form) {
            (Form::Text, Form::Text) => glob::are_disjoint(&self.text, &other.text, budget),
            (Form::Arn, Form::Arn) => {
                for (one, other) in fields(&self.text).zip(fields(&other.text)) {
                    if glob::are_disjoint(one, other, budget)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            _ => Ok(false),
        }
    }

    /// The account whose principals are among those of the entry, if it is about one.
    fn account(&self) -> Option<&str> {
        match self.kind {
            "account" => Some(&self.text),
            "root" | "user" | "role" | "session" | "federated" => fields(&self.text).nth(4),
            _ => None,
        }
    }

    /// Whether it covers whomever the other does, unless it is `all`.
    fn covers(&self, narrow: &Entry<'_>) -> bool {
        match self.kind {
            "aws" => !matches!(narrow.kind, "all" | "service" | "provider"),
            "account" => narrow.account() == Some(&*self.text),
            // The accounts of both and their partitions are the same.
            "root" if narrow.kind != "account" => {
                narrow.account() == self.account()
                    && fields(&narrow.text).nth(1) == fields(&self.text).nth(1)
            }
            _ => self == narrow,
        }
    }

    /// Whether nobody is covered by both, as far as accounts and services tell.
    fn is_apart(&self, other: &Entry<'_>) -> bool {
        match (self.kind, other.kind) {
            ("service", _) => other.account().is_some(),
            (_, "service") => self.account().is_some(),
            ("account" | "root", "account" | "root") => self.account() != other.account(),
            _ => false,
        }
    }
}

/// The six fields of an ARN.
fn fields(arn: &str) -> impl Iterator<Item = &str> {
    arn.splitn(6, ':')
}

impl Clause<'_> {
    pub(crate) fn is_opaque(&self) -> bool {
        self.entries.iter().any(|entry| entry.form == Form::Opaque)
    }

    fn is_same(&self, other: &Clause<'_>, budget: &Budget) -> Result<bool> {
        budget.spend(weight(&self.entries))?;
        Ok(self == other)
    }

    fn has_star(&self) -> bool {
        !self.negated && self.entries.iter().any(Entry::is_star)
    }

    /// Whether some entry includes the given one; it is likely to be that at `likely`.
    pub(crate) fn has(&self, narrow: &Entry<'_>, likely: usize, budget: &Budget) -> Result<bool> {
        for wide in self.entries.get(likely).into_iter().chain(&self.entries) {
            if wide.includes(narrow, budget)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn has_all(&self, others: &[Entry<'_>], budget: &Budget) -> Result<bool> {
        for (at, entry) in others.iter().enumerate() {
            if !self.has(entry, at, budget)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the entry has nothing in common with any entry here.
    pub(crate) fn avoids(&self, entry: &Entry<'_>, budget: &Budget) -> Result<bool> {
        for own in &self.entries {
            if !own.is_disjoint(entry, budget)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn avoids_all(&self, others: &[Entry<'_>], budget: &Budget) -> Result<bool> {
        for entry in others {
            if !self.avoids(entry, budget)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether a list of actions or resources fits all that another fits.
pub(crate) fn includes(
    wide: Option<&Clause<'_>>,
    narrow: Option<&Clause<'_>>,
    budget: &Budget,
) -> Result<bool> {
    let Some(wide) = wide else { return Ok(true) };
    if wide.has_star() && !wide.is_opaque() {
        return Ok(true);
    }
    let Some(narrow) = narrow else { return Ok(false) };
    if wide.is_same(narrow, budget)? {
        return Ok(true);
    }
    // An entry with a variable that has no value may spoil the others.
    if wide.is_opaque() {
        return Ok(false);
    }
    match (wide.negated, narrow.negated) {
        (false, false) => wide.has_all(&narrow.entries, budget),
        (true, true) => narrow.has_all(&wide.entries, budget),
        (true, false) => wide.avoids_all(&narrow.entries, budget),
        (false, true) => Ok(false),
    }
}

/// Whether a list of actions or resources fits all that two others fit both: it has each entry of the last that the second may meet.
fn includes_met(lists: [&Option<Clause<'_>>; 3], budget: &Budget) -> Result<bool> {
    let [Some(wide), Some(narrow), Some(met)] = lists else { return Ok(false) };
    if wide.negated || wide.is_opaque() || met.negated {
        return Ok(false);
    }
    for (at, entry) in met.entries.iter().enumerate() {
        let is_apart = match narrow.negated {
            true => narrow.has(entry, at, budget)?,
            false => narrow.avoids(entry, budget)?,
        };
        if !is_apart && !wide.has(entry, at, budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether nothing fits both lists of actions or resources.
pub(crate) fn are_disjoint(
    a: Option<&Clause<'_>>,
    b: Option<&Clause<'_>>,
    budget: &Budget,
) -> Result<bool> {
    let (Some(a), Some(b)) = (a, b) else { return Ok(false) };
    match (a.negated, b.negated) {
        (false, false) => a.avoids_all(&b.entries, budget),
        (true, false) => a.has_all(&b.entries, budget),
        (false, true) => b.has_all(&a.entries, budget),
        (true, true) => Ok(false),
    }
}

/// How many steps looking at all entries counts.
fn weight(entries: &[Entry<'_>]) -> usize {
    entries.iter().map(Entry::weight).sum()
}

/// Whether a list of principals covers whomever another covers.
fn covers(wide: Option<&Clause<'_>>, narrow: Option<&Clause<'_>>, budget: &Budget) -> Result<bool> {
    let Some(wide) = wide else { return Ok(true) };
    if !wide.negated && wide.entries.iter().any(|entry| entry.kind == "all") {
        return Ok(true);
    }
    let Some(narrow) = narrow else { return Ok(false) };
    if wide.negated || narrow.negated {
        return wide.is_same(narrow, budget);
    }
    budget.spend(weight(&wide.entries).saturating_mul(narrow.entries.len()))?;
    let is_in = |entry: &Entry<'_>| wide.entries.iter().any(|other| other.covers(entry));
    Ok(narrow.entries.iter().all(is_in))
}

impl Statement<'_> {
    /// Whether it matches no request, since one of its lists is empty.
    pub(crate) fn is_void(&self) -> bool {
        let is_empty = |clause: &Option<Clause<'_>>| {
            clause.as_ref().is_some_and(|clause| !clause.negated && clause.entries.is_empty())
        };
        [&self.principal, &self.action, &self.resource].into_iter().any(is_empty)
    }

    /// Whether it matches whatever the other does, but for actions and resources.
    pub(crate) fn asks_less(&self, narrow: &Statement<'_>, budget: &Budget) -> Result<bool> {
        Ok(covers(self.principal.as_ref(), narrow.principal.as_ref(), budget)?
            && self.is_satisfied_by(&[narrow], budget)?)
    }

    /// Whether each of its conditions is implied by one of the statements.
    fn is_satisfied_by(&self, narrow: &[&Statement<'_>], budget: &Budget) -> Result<bool> {
        for wanted in &self.conditions {
            let mut is_implied = false;
            for own in narrow.iter().flat_map(|narrow| &narrow.conditions) {
                is_implied = is_implied || own.implies(wanted, budget)?;
            }
            if !is_implied {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether it matches whatever both others match: each of its lists includes that of one of them, or each entry of the second that the
    /// first has anything in common with.
    pub(crate) fn includes_both(
        &self,
        a: &Statement<'_>,
        b: &Statement<'_>,
        budget: &Budget,
    ) -> Result<bool> {
        let mut some = [false; 3];
        for narrow in [a, b] {
            some[0] |= covers(self.principal.as_ref(), narrow.principal.as_ref(), budget)?;
            some[1] |= includes(self.resource.as_ref(), narrow.resource.as_ref(), budget)?;
            some[2] |= includes(self.action.as_ref(), narrow.action.as_ref(), budget)?;
        }
        some[1] = some[1] || includes_met([&self.resource, &a.resource, &b.resource], budget)?;
        some[2] = some[2] || includes_met([&self.action, &a.action, &b.action], budget)?;
        Ok(some == [true; 3] && self.is_satisfied_by(&[a, b], budget)?)
    }

    /// Whether it matches whatever the other does.
    pub(crate) fn includes(&self, narrow: &Statement<'_>, budget: &Budget) -> Result<bool> {
        Ok(self.asks_less(narrow, budget)? && self.is_about_all_of(narrow, budget)?)
    }

    /// Whether it matches whatever the other does, but for its conditions.
    pub(crate) fn is_about_all_of(&self, narrow: &Statement<'_>, budget: &Budget) -> Result<bool> {
        Ok(covers(self.principal.as_ref(), narrow.principal.as_ref(), budget)?
            && includes(self.resource.as_ref(), narrow.resource.as_ref(), budget)?
            && includes(self.action.as_ref(), narrow.action.as_ref(), budget)?)
    }

    /// Whether nobody is meant by both, as far as accounts and services tell.
    pub(crate) fn is_of_others(&self, other: &Statement<'_>, budget: &Budget) -> Result<bool> {
        let (Some(a), Some(b)) = (&self.principal, &other.principal) else { return Ok(false) };
        budget.spend(weight(&a.entries).saturating_mul(b.entries.len()))?;
        let apart = |entry: &Entry<'_>| b.entries.iter().all(|other| entry.is_apart(other));
        Ok(!a.negated && !b.negated && a.entries.iter().all(apart))
    }

    /// Whether nothing is matched by both, as actions and resources tell.
    pub(crate) fn is_disjoint(&self, other: &Statement<'_>, budget: &Budget) -> Result<bool> {
        Ok(are_disjoint(self.resource.as_ref(), other.resource.as_ref(), budget)?
            || are_disjoint(self.action.as_ref(), other.action.as_ref(), budget)?)
    }
}

/// The name of an operator without what stands around it: the set operator, and whether an absent key is enough.
pub(crate) fn parts_of(operator: &str) -> (&str, &str, bool) {
    let (set, rest) = match operator.split_once(':') {
        Some((set, rest)) => (set, rest),
        None => ("", operator),
    };
    let base = rest.strip_suffix("IfExists");
    (set, base.unwrap_or(rest), base.is_some())
}

impl Condition<'_> {
    /// Whether every request that satisfies it satisfies the other.
    fn implies(&self, wanted: &Condition<'_>, budget: &Budget) -> Result<bool> {
        let n_steps = weight(&self.values) + wanted.values.len();
        budget.spend(n_steps)?;
        if self == wanted {
            return Ok(true);
        }
        let ((set, base, if_exists), (wanted_set, wanted_base, wanted_if_exists)) =
            (parts_of(self.operator), parts_of(wanted.operator));
        // A variable without value may spoil the others, and an empty list says something else than others.
        let is_odd = |values: &[Entry<'_>]| {
            values.is_empty() || values.iter().any(|value| value.form == Form::Opaque)
        };
        if self.key != wanted.key
            || set != wanted_set
            || base == "Null"
            || is_odd(&self.values)
            || is_odd(&wanted.values)
        {
            return Ok(false);
        }
        let is_negated = base.contains("Not");
        if if_exists != wanted_if_exists && !(set.is_empty() && wanted_if_exists && !is_negated) {
            return Ok(false);
        }
        let like = |value: &Entry<'_>| -> Result<bool> {
            for pattern in &wanted.values {
                if glob::includes(&pattern.text, &value.text, budget)? {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        for value in if is_negated { &wanted.values } else { &self.values } {
            budget.spend(n_steps)?;
            let is_found = match (base, wanted_base) {
                _ if base == wanted_base && is_negated => self.values.contains(value),
                ("StringLike", "StringLike") => like(value)?,
                ("StringEquals", "StringLike") => !glob::is_pattern(&value.text) && like(value)?,
                _ => base == wanted_base && wanted.values.contains(value),
            };
            if !is_found {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
