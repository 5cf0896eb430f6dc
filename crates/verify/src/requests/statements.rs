//! What statements of a certificate say of one request.
//!
//! What the text leaves to the policy language (who is meant by a list of
//! principals, conditions, variables) whoever asks has to answer, from what is written; the rest is decided here.

use crate::Rejection;
use crate::statements::read::{Effect, Entry, List, Property, Question, Statement};
use crate::words::Lines;

/// The question and the statements of a certificate.
#[derive(Debug)]
pub struct Statements<'t>(Question<'t>);

/// Entries, each a kind and a text.
pub type Entries<'a> = &'a [(&'a str, &'a str)];

/// What is asked about the request.
#[derive(Clone, Copy, Debug)]
pub enum Asked<'a> {
    /// Whether its principal fits the list of a statement that denies or does not.
    Principal {
        /// Whether the list is of those who are not meant.
        negated: bool,
        /// Whether the statement denies.
        denies: bool,
        /// The list.
        entries: Entries<'a>,
    },
    /// Whether its resource fits the list, in a policy of the question's type.
    Resource {
        /// Whether the list is of those that are not meant.
        negated: bool,
        /// The list.
        entries: Entries<'a>,
    },
    /// Whether it satisfies the condition.
    Condition {
        /// The operator.
        operator: &'a str,
        /// The key.
        key: &'a str,
        /// The values listed.
        values: Entries<'a>,
    },
}

/// Whoever answers; `None` is that it is not known.
pub type Answer<'r> = dyn FnMut(Asked<'_>) -> Option<bool> + 'r;

impl<'t> Statements<'t> {
    /// Reads the lines of a certificate of statements between that of the hash and `proof`.
    ///
    /// # Errors
    ///
    /// [`Rejection`]: a line is none of them.
    pub fn read(text: &'t str) -> Result<Statements<'t>, Rejection> {
        Question::read(&Lines { text, first: 1 }).map(Statements)
    }

    /// The name of the type of the policies.
    pub fn policy_type(&self) -> &'t str {
        self.0.policy_type
    }

    /// The number of statements, accesses among them.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the statement of a number denies, and whether it matches a request for this action on this resource; `None` if there is none.
    pub fn matches(
        &self,
        number: usize,
        action: &str,
        resource: &str,
        answer: &mut Answer<'_>,
    ) -> Option<(bool, Option<bool>)> {
        let (_, statement) = self.0.get(number).ok()?;
        let action = action.to_ascii_lowercase();
        let is_matched = matches(statement, (&action, resource), answer);
        Some((statement.effect == Effect::Deny, is_matched))
    }

    /// Whether a request for this action on this resource breaks the property.
    pub fn breaks(&self, action: &str, resource: &str, answer: &mut Answer<'_>) -> Option<bool> {
        let action = action.to_ascii_lowercase();
        let not = |truth: Option<bool>| truth.map(|is| !is);
        let matched = |side: usize, effect: Effect, answer: &mut Answer<'_>| {
            any(self.0.of(side, effect).map(|(_, s)| matches(s, (&action, resource), answer)))
        };
        let mut allowed = |side: usize| {
            let is_denied = matched(side, Effect::Deny, answer);
            and(not(is_denied), matched(side, Effect::Allow, answer))
        };
        match self.0.property {
            Property::NoNewAccess => and(allowed(1), not(allowed(0))),
            Property::Disjoint => and(allowed(0), allowed(1)),
            Property::Equivalent => {
                let (existing, new) = (allowed(0), allowed(1));
                existing.zip(new).map(|(existing, new)| existing != new)
            }
            Property::NoPublicAccess => {
                let is_denied = matched(0, Effect::Deny, answer);
                let allows = self.0.of(0, Effect::Allow).map(|(_, statement)| {
                    let is_matched = matches(statement, (&action, resource), answer);
                    and(is_matched, not(self.confined(statement, answer)))
                });
                and(not(is_denied), any(allows))
            }
            Property::AccessNotGranted => {
                let is_allowed = allowed(0);
                and(is_allowed, matched(0, Effect::Access, answer))
            }
        }
    }
}

impl Statements<'_> {
    /// Whether a request that the statement matches is confined: by whom the statement names, or by a value that it or a Deny names for
    /// a trusted key.
    fn confined(&self, statement: &Statement<'_>, answer: &mut Answer<'_>) -> Option<bool> {
        let listed = statement.principal.entries.iter().filter(|_| !statement.principal.negated);
        let named = listed.filter(|entry| self.0.is_particular(entry));
        let entries: Vec<_> = named.map(|entry| (entry.kind, &*entry.text)).collect();
        let is_named = match entries.is_empty() {
            true => Some(false),
            false => answer(Asked::Principal { negated: false, denies: false, entries: &entries }),
        };
        let denies = self.0.of(0, Effect::Deny).map(|(_, deny)| deny);
        let mut has_value = Some(false);
        for condition in denies.chain([statement]).flat_map(|s| &s.conditions) {
            let (_, base, _) = condition.parts();
            let trusted = self.0.trusted(&condition.key).filter(|_| base != "Null");
            let Some(trusted) = trusted else { continue };
            let operator = format!("ForAnyValue:{}", base.replace("Not", ""));
            for value in condition.values.iter().filter(|value| trusted.confines(value)) {
                let (key, values) = (&*condition.key, [(value.kind, &*value.text)]);
                let has = answer(Asked::Condition { operator: &operator, key, values: &values });
                has_value = any([has_value, has].into_iter());
            }
        }
        any([is_named, has_value].into_iter())
    }
}

fn and(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn any(truths: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let none = truths.map(|truth| truth.map(|is| !is)).fold(Some(true), and);
    none.map(|none| !none)
}

fn matches(
    statement: &Statement<'_>,
    (action, resource): (&str, &str),
    answer: &mut Answer<'_>,
) -> Option<bool> {
    let denies = statement.effect == Effect::Deny;
    let actions = listed(&statement.action, action);
    let resources = listed(&statement.resource, resource).or_else(|| {
        let List { negated, entries, .. } = &statement.resource;
        answer(Asked::Resource { negated: *negated, entries: &pairs(entries) })
    });
    if [actions, resources].contains(&Some(false)) {
        return Some(false);
    }
    let List { is_written, negated, entries } = &statement.principal;
    let principals = match is_written {
        true => answer(Asked::Principal { negated: *negated, denies, entries: &pairs(entries) }),
        false => Some(true),
    };
    let conditions = statement.conditions.iter().map(|condition| {
        let (operator, key, values) = (condition.operator, &*condition.key, &condition.values);
        answer(Asked::Condition { operator, key, values: &pairs(values) })
    });
    [actions, resources, principals].into_iter().chain(conditions).fold(Some(true), and)
}

fn pairs<'a>(entries: &'a [Entry<'_>]) -> Vec<(&'a str, &'a str)> {
    entries.iter().map(|entry| (entry.kind, &*entry.text)).collect()
}

/// Whether a text fits the list, unless an entry is opaque.
fn listed(list: &List<'_>, text: &str) -> Option<bool> {
    let fits = |entry: &Entry<'_>| match entry.n_fields {
        0 => None,
        1 => Some(matches_pattern(&entry.text, text)),
        n => {
            let (own, fields) = (entry.text.splitn(n, ':'), text.splitn(n, ':'));
            let is_arn = text.matches(':').count() >= 5;
            Some(is_arn && own.zip(fields).all(|(own, field)| matches_pattern(own, field)))
        }
    };
    let all: Option<Vec<bool>> = list.entries.iter().map(fits).collect();
    Some(all?.contains(&true) != list.negated)
}

/// Whether the text is one of the pattern, character by character.
pub(crate) fn matches_pattern(pattern: &str, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    // Up to where what was read of the pattern may have read.
    let mut ends = vec![false; text.len() + 1];
    ends[0] = true;
    for wanted in pattern.chars() {
        let before = ends.clone();
        for at in 0..=text.len() {
            let is_read = |at: usize| wanted == '?' || text[at] == wanted;
            ends[at] = match wanted {
                '*' => before[at] || (at > 0 && ends[at - 1]),
                _ => at > 0 && before[at - 1] && is_read(at - 1),
            };
        }
    }
    ends[text.len()]
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use super::*;

    const QUERY: &str = r#"question no-new-access
type resource
side existing
allow
principal all
action "s3:get*" "s3:list?"
resource "arn:aws:s3:*:*:a/*"
deny
not-principal account"1"
not-action "s3:get*"
side new
allow
principal all
action "s3:*"
not-resource "arn:aws:s3:::b"
when StringLike "k" "v*"
"#;

    /// Whether it breaks the property if the condition is satisfied, by somebody of the account.
    fn breaks(action: &str, resource: &str, is_satisfied: Option<bool>) -> Option<bool> {
        let statements = Statements::read(QUERY).unwrap();
        assert_eq!(statements.policy_type(), "resource");
        statements.breaks(action, resource, &mut |asked| match asked {
            Asked::Principal { negated, denies, entries } => {
                assert_eq!(negated, denies);
                Some((entries[0].0 == "all") != negated && !denies)
            }
            Asked::Resource { .. } => panic!("all resources are told"),
            Asked::Condition { operator, key, values } => {
                assert_eq!((operator, key, values), ("StringLike", "k", &[("", "v*")][..]));
                is_satisfied
            }
        })
    }

    #[test]
    fn requests_are_decided_by_what_is_written() {
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(breaks("s3:GetObject", "arn:aws:s3:::a/x", yes), no);
        assert_eq!(breaks("S3:LISTX", "arn:aws:s3:x:y:a/x:z", yes), no);
        assert_eq!(breaks("s3:ListXY", "arn:aws:s3:::a/x", yes), yes);
        assert_eq!(breaks("s3:GetObject", "arn:aws:s3:::b", yes), no);
        assert_eq!(breaks("s3:GetObject", "arn:aws:s3:::c", yes), yes);
        assert_eq!(breaks("s3:GetObject", "arn:aws:s3:::c", no), no);
        assert_eq!(breaks("s3:GetObject", "arn:aws:s3:::c", None), None);
        assert_eq!(breaks("s3:GetObject", "arn:aws:s3:::a/x", None), no);
        assert_eq!(breaks("sqs:GetObject", "arn:aws:s3:::c", yes), no);
        assert_eq!(breaks("s3:GetObject", "*", yes), yes);
    }

    #[test]
    fn what_one_side_allows_breaks_that_both_allow_the_same() {
        let query = QUERY.replace("no-new-access", "equivalent");
        let statements = Statements::read(&query).unwrap();
        let breaks = |action: &str, resource: &str, is_satisfied: Option<bool>| {
            statements.breaks(action, resource, &mut |asked| match asked {
                Asked::Principal { negated, .. } => Some(!negated),
                _ => is_satisfied,
            })
        };
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(breaks("s3:GetObject", "arn:aws:s3:::a/x", yes), no);
        assert_eq!(breaks("s3:GetObject", "arn:aws:s3:::a/x", no), yes);
        assert_eq!(breaks("s3:GetObject", "arn:aws:s3:::c", yes), yes);
        assert_eq!(breaks("s3:GetObject", "arn:aws:s3:::c", no), no);
        assert_eq!(breaks("s3:GetObject", "arn:aws:s3:::c", None), None);
    }

    const PUBLIC: &str = r#"question no-public-access
type resource
deputy "s3.amazonaws.com"
trusted one any "k"
side policy
allow
principal account"1" service"s3.amazonaws.com" all
action "s3:*"
when StringLike "k" "?*" "b"
when Null "k" "false"
deny
action "s3:put*"
when StringNotEquals "k" "c"
"#;

    /// What is so of somebody of this account, or of nobody knows which, whose request has this value of the key.
    fn of<'r>(
        account: Option<&'r str>,
        value: Option<&'r str>,
    ) -> impl FnMut(Asked<'_>) -> Option<bool> + 'r {
        move |asked| match asked {
            Asked::Principal { negated, denies, entries } => {
                assert_eq!((negated, denies), (false, false));
                if entries.iter().any(|(kind, _)| *kind == "all") {
                    return Some(true);
                }
                // Neither everybody nor a deputy is somebody in particular.
                assert_eq!(entries, [("account", "1")]);
                account.map(|account| account == "1")
            }
            Asked::Resource { .. } => panic!("all resources are told"),
            Asked::Condition { operator, key, values } => {
                assert_eq!(key, "k");
                let is = |text: &str| values.contains(&("", text));
                Some(match operator {
                    "Null" => value.is_some() && is("false"),
                    "StringNotEquals" => !value.is_some_and(is),
                    "StringLike" => value.is_some_and(|value| is("?*") && !value.is_empty()),
                    "ForAnyValue:StringEquals" | "ForAnyValue:StringLike" => {
                        assert!(values.len() == 1 && !is("?*"), "a pattern confines nobody");
                        value.is_some_and(is)
                    }
                    _ => panic!("`{operator}` is asked"),
                })
            }
        }
    }

    #[test]
    fn who_is_named_or_has_a_value_that_is_named_is_confined() {
        let statements = Statements::read(PUBLIC).unwrap();
        assert_eq!((statements.len(), statements.is_empty()), (2, false));
        let none = "question no-new-access\ntype identity\nside existing\nside new\n";
        assert!(Statements::read(none).unwrap().is_empty());
        let breaks = |action: &str, account: Option<&str>, value: Option<&str>| {
            statements.breaks(action, "arn:aws:s3:::a", &mut of(account, value))
        };
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(breaks("s3:Get", Some("2"), Some("a")), yes);
        assert_eq!(breaks("s3:Get", Some("1"), Some("a")), no);
        assert_eq!(breaks("s3:Get", Some("2"), Some("b")), no, "the statement names the value");
        assert_eq!(breaks("s3:Get", Some("2"), Some("c")), no, "the Deny names the value");
        assert_eq!(breaks("s3:Get", Some("2"), None), no, "nothing is allowed");
        assert_eq!(breaks("sqs:Get", Some("2"), Some("a")), no);
        assert_eq!(breaks("s3:Put", Some("2"), Some("a")), no, "it is denied");
        assert_eq!(breaks("s3:Get", None, Some("a")), None);
        assert_eq!(breaks("s3:Get", None, Some("b")), no, "whoever it is");
    }

    #[test]
    fn each_statement_tells_whether_it_denies_and_whether_it_matches() {
        let statements = Statements::read(PUBLIC).unwrap();
        let matches = |number: usize, action: &str, value: Option<&str>| {
            statements.matches(number, action, "arn:aws:s3:::a", &mut of(Some("2"), value))
        };
        assert_eq!(matches(0, "S3:Put", Some("a")), Some((false, Some(true))));
        assert_eq!(matches(0, "sqs:Put", Some("a")), Some((false, Some(false))));
        assert_eq!(matches(0, "s3:Put", None), Some((false, Some(false))));
        assert_eq!(matches(1, "S3:Put", Some("a")), Some((true, Some(true))));
        assert_eq!(matches(1, "s3:Put", Some("c")), Some((true, Some(false))));
        assert_eq!(matches(1, "s3:Get", Some("a")), Some((true, Some(false))));
        assert_eq!(matches(2, "s3:Get", Some("a")), None);
    }
}
