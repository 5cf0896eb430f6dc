//! What can be told of a question from the texts of its policies, before anything is encoded.
//!
//! In a comparison nearly every statement of one policy is included in a statement of the other,
//! part by part; a pattern of a statement is included in one other pattern or not at all, but for
//! `?` and finite domains ([`glob`]). So of an Allow statement of the policy in question it is
//! looked up which actions statements of the reference cover, on all resources, under its
//! conditions and for its principals; what remains is *open*, and only that is encoded
//! ([`slice()`]). If nothing is open the property holds. Everything here is one-sided: what is
//! covered is so for every request and under every reading of the switches, and what is open is
//! merely not shown to be covered.
//!
//! Nothing is shared with the evaluator or with the encoder but the syntax tree, so that a `holds`
//! from here can be checked with either (`crates/properties`, `cover_agrees_with_formula`).

mod access;
mod common;
mod denies;
mod external;
pub(crate) mod glob;
mod index;
pub(crate) mod parts;
mod public;
mod slice;
#[cfg(test)]
mod soundness;
mod statements;
mod table;

use std::cell::Cell;

use keyaki_policy::Policy;
use keyaki_policy::ast::{ActionPattern, Effect, Statement};

use crate::question::{PolicyRef, Question, Side, Subject};
use access::granted_access;
use common::common_access;
use denies::Denies;
use external::external_access;
use parts::Source;
use public::public_access;
pub(crate) use slice::{is_whole, keys_beside, slice};
use statements::Statements;
pub(crate) use table::Table;

/// An Allow statement through which the property may break.
#[derive(Clone, Debug)]
pub(crate) struct Open<'q> {
    pub(crate) at: PolicyRef,
    pub(crate) statement: usize,
    /// Positions of the entries of `Action` that are open; all of them if the clause is negated.
    pub(crate) actions: Vec<usize>,
    /// Deny statements of the reference alone that may be why it is open.
    pub(crate) denies: Vec<&'q Statement>,
}

/// Statements up to this number are asked one by one; of more there is an index.
const MAX_UNINDEXED: usize = 16;

/// The most pairs of entries that are compared for one question. What is not reached stays open.
const MAX_COMPARISONS: usize = 1 << 22;

/// The resources of a statement that are told apart; of more entries only all together are asked
/// for.
const MAX_RESOURCES: usize = 64;

/// The most Deny statements that are named for one that is open.
const MAX_OPEN_DENIES: usize = 4;

/// The number of actions from which on those of a statement are indexed.
const MANY_ACTIONS: usize = 16;

/// How many pairs of entries may still be compared.
struct Budget(Cell<usize>);

impl Budget {
    fn new() -> Budget {
        Budget(Cell::new(MAX_COMPARISONS))
    }

    /// Whether so many pairs may be compared; they are counted.
    fn allows(&self, n_pairs: usize) -> bool {
        let left = self.0.get().checked_sub(n_pairs.max(1));
        self.0.set(left.unwrap_or(0));
        left.is_some()
    }
}

/// How many pairs of resource entries the statements have.
fn n_resource_pairs(a: &Statement, b: &Statement) -> usize {
    let n_entries = |s: &Statement| s.resource.as_ref().map_or(1, |clause| clause.entries.len());
    n_entries(a).saturating_mul(n_entries(b))
}

/// How many pairs of entries of resources and actions they have.
fn n_pairs(a: &Statement, b: &Statement) -> usize {
    let n_action_pairs = a.action.entries.len().saturating_mul(b.action.entries.len());
    n_resource_pairs(a, b).saturating_add(n_action_pairs)
}

/// The statements of a question through which its property may break; `None` if nothing is known
/// of questions of its kind.
///
/// If there is none, the property holds, and the table says why where it can.
pub(crate) fn open_statements<'q>(
    question: &'q Question,
    table: &mut Table,
) -> Option<Vec<Open<'q>>> {
    match question {
        Question::NoNewAccess { existing: Subject::Union(existing), new: Subject::Union(new) } => {
            Some(new_access(existing, new, table))
        }
        Question::Disjoint { existing: Subject::Union(existing), new: Subject::Union(new) } => {
            Some(common_access(existing, new, table))
        }
        Question::NoExternalAccess { policy: Subject::Union(policies), zone } => {
            Some(external_access(policies, zone))
        }
        Question::NoPublicAccess { table: of_service, .. } => {
            Some(public_access(question, of_service, table))
        }
        Question::AccessNotGranted { policy: Subject::Union(policies), accesses } => {
            Some(granted_access(policies, accesses, table))
        }
        _ => None,
    }
}

/// The statements of each policy, numbered from `first` on, and the place of the policy.
fn by_policy(
    policies: &[Policy],
    first: usize,
) -> impl Iterator<Item = (usize, impl Iterator<Item = Source<'_>>)> {
    policies.iter().enumerate().scan(first, |next, (index, policy)| {
        let numbered = (*next..).zip(&policy.statements);
        *next += policy.statements.len();
        Some((index, numbered.map(move |(number, statement)| Source { number, policy, statement })))
    })
}

/// All statements of that effect, numbered in the same way.
fn statements(policies: &[Policy], first: usize, effect: Effect) -> Vec<Source<'_>> {
    let all = by_policy(policies, first).flat_map(|(_, of_policy)| of_policy);
    all.filter(|source| source.statement.effect == effect).collect()
}

fn new_access<'q>(existing: &'q [Policy], new: &'q [Policy], table: &mut Table) -> Vec<Open<'q>> {
    let budget = Budget::new();
    let [of_existing, of_new] = table.first;
    let allows = Statements::new(statements(existing, of_existing, Effect::Allow), &budget);
    let all_new_denies = statements(new, of_new, Effect::Deny);
    let new_denies = Statements::new(all_new_denies.clone(), &budget);
    // What another Deny denies as well plays no part.
    let mut denies = statements(existing, of_existing, Effect::Deny);
    denies.retain(|deny| !table.is_denied(*deny, &[&new_denies]));
    let own_denies = Denies::new(denies, &budget);
    let mut open = Vec::new();
    for (index, of_policy) in by_policy(new, of_new) {
        for source in of_policy.filter(|source| source.statement.effect == Effect::Allow) {
            let statement = source.statement;
            if table.is_denied(source, &[&new_denies]) {
                continue;
            }
            let mut denies = own_denies.touching(source);
            denies.retain(|deny| {
                !table.is_denied_together(source, deny.source(), &all_new_denies, &budget)
            });
            let is_denied = |entry: Option<&ActionPattern>| own_denies.may_match(&denies, entry);
            let actions = allows.uncovered(source, &is_denied, table);
            if let Some(actions) = actions {
                let at = PolicyRef::of_union(Side::New, index);
                let denies = denies.iter().take(MAX_OPEN_DENIES).map(|deny| deny.statement());
                let denies = denies.collect();
                open.push(Open { at, statement: statement.index, actions, denies });
            }
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use keyaki_policy::{PolicyType, parse};

    use super::*;

    fn policy(statements: &[&str]) -> Policy {
        let text =
            format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(", "));
        parse(&text, Some(PolicyType::Identity)).unwrap()
    }

    #[test]
    fn a_deny_of_the_reference_is_denied_on_what_a_statement_is_about() {
        let deny = |action: &str, resource: &str, rest: &str| {
            format!(r#"{{"Effect": "Deny", "Action": "{action}", "Resource": "{resource}"{rest}}}"#)
        };
        let get = allow(r#""s3:GetObject""#, r#""arn:aws:s3:::a/*""#);
        let wide = deny("s3:*", "*", "");
        check_open(&[&get, &wide], &[&get, &deny("s3:Get*", "arn:aws:s3:::a/*", "")], false);
        check_open(&[&get, &wide], &[&get, &deny("s3:Get*", "arn:aws:s3:::a/b*", "")], true);
        let condition = r#", "Condition": {"Bool": {"aws:SecureTransport": "false"}}"#;
        let narrow = deny("s3:Get*", "arn:aws:s3:::a/*", condition);
        check_open(&[&get, &wide], &[&get, &narrow], true);
        check_open(&[&get, &deny("s3:*", "*", condition)], &[&get, &narrow], false);
        let other = r#", "Condition": {"Bool": {"aws:SecureTransport": "true"}}"#;
        check_open(&[&get, &deny("s3:*", "*", other)], &[&get, &narrow], true);
        // Entries of it that the statement cannot meet need not be denied.
        let more = allow(r#""s3:GetObject", "sqs:*""#, r#""arn:aws:s3:::a/*", "arn:aws:s3:::b/*""#);
        let more = more.replace("Allow", "Deny");
        let all = allow(r#""s3:*""#, r#""arn:aws:s3:::a/*""#);
        let check = |action: &str, resource: &str, expected: bool| {
            check_open(&[&all, &more], &[&all, &deny(action, resource, "")], expected);
        };
        check("s3:Get*", "arn:aws:s3:::a/*", false);
        check("s3:Get*", "arn:aws:s3:::a/b*", true);
        check("s3:Put*", "arn:aws:s3:::a/*", true);
    }

    #[track_caller]
    fn check_open(existing: &[&str], new: &[&str], expected: bool) {
        assert_eq!(!open(existing, new).is_empty(), expected, "{new:?} by {existing:?}");
    }

    /// The open statements of a comparison, each with the positions of its open actions.
    fn open(existing: &[&str], new: &[&str]) -> Vec<(usize, Vec<usize>)> {
        let (existing, new) = ([policy(existing)], [policy(new)]);
        let open = new_access(&existing, &new, &mut Table::default());
        open.into_iter().map(|open| (open.statement, open.actions)).collect()
    }

    fn allow(actions: &str, resources: &str) -> String {
        format!(r#"{{"Effect": "Allow", "Action": [{actions}], "Resource": [{resources}]}}"#)
    }

    fn under(condition: &str) -> String {
        format!(
            r#"{{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*", "Condition": {condition}}}"#
        )
    }

    #[track_caller]
    fn check_covered(existing: &str, new: &str, expected: bool) {
        assert_eq!(open(&[existing], &[new]).is_empty(), expected, "{new} by {existing}");
    }

    #[test]
    fn actions_are_covered_by_several_statements_each_on_all_resources() {
        let (a, b) = (r#""arn:aws:s3:::a/*""#, r#""arn:aws:s3:::b/*""#);
        let both = format!("{a}, {b}");
        let get = r#""s3:GetObject""#;
        let (of_a, of_b) = (allow(get, a), allow(get, b));
        let new = allow(r#""s3:getobject", "s3:PutObject""#, &both);
        assert_eq!(open(&[&of_a, &of_b], &[&new]), [(0, vec![1])]);
        assert_eq!(open(&[&of_a], &[&new]), [(0, vec![0, 1])]);
        let wide = allow(r#""s3:*""#, r#""arn:aws:s3:::*""#);
        assert_eq!(open(&[&wide], &[&new]), []);
    }

    #[test]
    fn a_star_of_an_early_field_crosses_no_colon() {
        let wide = allow(r#""sqs:*""#, r#""arn:aws:sqs:*:1:q*""#);
        check_covered(&wide, &allow(r#""sqs:*""#, r#""arn:aws:sqs:us:1:q""#), true);
        check_covered(&wide, &allow(r#""sqs:*""#, r#""arn:aws:sqs:us:1:1:q""#), false);
        check_covered(&wide, &allow(r#""sqs:*""#, r#""arn:aws:sqs*""#), false);
    }

    #[test]
    fn a_star_is_whatever_a_variable_stands_for() {
        let own = allow(r#""s3:*""#, r#""arn:aws:s3:::${aws:username}/*""#);
        check_covered(&allow(r#""s3:*""#, r#""*""#), &own, true);
        check_covered(&allow(r#""s3:*""#, r#""arn:aws:s3:::*""#), &own, false);
        check_covered(&own, &allow(r#""s3:*""#, r#""*""#), false);
        // D29: an unresolved variable may spoil the other value.
        let beside = allow(r#""s3:*""#, r#""*", "arn:aws:s3:::${aws:username}/*""#);
        check_covered(&beside, &own, false);
    }

    #[test]
    fn the_root_of_an_account_is_who_belongs_to_it_in_its_partition() {
        let to = |name: &str| {
            format!(
                r#"{{"Effect": "Allow", "Principal": {{"AWS": "arn:{name}"}}, "Action": "sqs:*", "Resource": "*"}}"#
            )
        };
        let policy = |name: &str| {
            let text = format!(r#"{{"Version": "2012-10-17", "Statement": {}}}"#, to(name));
            parse(&text, Some(PolicyType::Resource)).unwrap()
        };
        let check = |wide: &str, narrow: &str, expected: bool| {
            let (existing, new) = ([policy(wide)], [policy(narrow)]);
            let open = new_access(&existing, &new, &mut Table::default());
            assert_eq!(open.is_empty(), expected, "{narrow} by {wide}");
        };
        let root = "aws:iam::111122223333:root";
        check(root, "aws:iam::111122223333:user/a", true);
        check(root, "aws:sts::111122223333:assumed-role/r/s", true);
        check(root, "aws:iam::111122223334:user/a", false);
        check(root, "aws-cn:iam::111122223333:user/a", false);
        check("aws:iam::111122223333:user/a", root, false);
    }

    #[test]
    fn not_action_covers_what_it_does_not_list() {
        let other = r#"{"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"}"#;
        check_covered(other, &allow(r#""s3:*""#, r#""*""#), true);
        check_covered(other, &allow(r#""i*:*""#, r#""*""#), false);
        let fewer = r#"{"Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "Resource": "*"}"#;
        check_covered(other, fewer, true);
        check_covered(fewer, other, false);
    }

    #[test]
    fn conditions_are_implied_by_the_same_key_and_operator() {
        let key = |operator: &str, values: &str| {
            under(&format!(r#"{{"{operator}": {{"aws:PrincipalTag/a": [{values}]}}}}"#))
        };
        let (one, two) = (key("StringEquals", r#""x""#), key("StringEquals", r#""x", "y""#));
        check_covered(&two, &one, true);
        check_covered(&one, &two, false);
        check_covered(&key("StringLike", r#""x*""#), &one, true);
        check_covered(&one, &key("StringLike", r#""x""#), false);
        check_covered(&key("StringEqualsIfExists", r#""x""#), &one, true);
        check_covered(&one, &key("StringEqualsIfExists", r#""x""#), false);
        let not = key("StringNotEquals", r#""x""#);
        check_covered(&not, &key("StringNotEquals", r#""x", "y""#), true);
        check_covered(&key("StringNotEquals", r#""x", "y""#), &not, false);
        check_covered(&allow(r#""s3:*""#, r#""*""#), &one, true);
        check_covered(&one, &under("{}"), false);
        // D29: an unresolved variable may spoil the other value.
        let variable = key("StringEquals", r#""x", "${aws:username}""#);
        check_covered(&variable, &one, false);
        check_covered(&variable, &variable, true);
    }

    #[test]
    fn a_deny_of_the_reference_alone_leaves_open_what_it_may_match() {
        let deny = r#"{"Effect": "Deny", "Action": "s3:Put*", "Resource": "arn:aws:s3:::a/*"}"#;
        let all = allow(r#""s3:Get*", "s3:PutObject""#, r#""*""#);
        assert_eq!(open(&[&all, deny], &[&all]), [(0, vec![1])]);
        assert_eq!(open(&[&all, deny], &[&all, deny]), []);
        let elsewhere = allow(r#""s3:PutObject""#, r#""arn:aws:s3:::b/*""#);
        assert_eq!(open(&[&all, deny], &[&elsewhere]), []);
        let denied = r#"{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}"#;
        assert_eq!(open(&[], &[&all, denied]), [], "what is denied grants nothing");
    }

    #[test]
    fn many_statements_are_found_by_an_index() {
        let statement = |name: String| allow(&format!(r#""s3:Get{name}""#), r#""*""#);
        let texts = |end: &str| -> Vec<String> {
            (0..100).map(|number| statement(format!("{number}x{end}"))).collect()
        };
        let (wide, narrow) = (texts("*"), texts("y*"));
        let text = |texts: &'static [String]| texts.iter().map(String::as_str).collect::<Vec<_>>();
        let (wide, narrow): (&'static [String], &'static [String]) = (wide.leak(), narrow.leak());
        assert_eq!(open(&text(wide), &text(narrow)), []);
        let all: Vec<(usize, Vec<usize>)> = (0..100).map(|number| (number, vec![0])).collect();
        assert_eq!(open(&text(narrow), &text(wide)), all);
    }
}
