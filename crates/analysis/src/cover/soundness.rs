//! What the rules say of texts is so of requests: statements are drawn, one an edit of the other, and whatever a rule says of the two is
//! held to the evaluator, part by part, on requests that are made of their words, under readings of all kinds.
//!
//! The property `cover_agrees_with_formula` holds whole answers to the formula. A mistake of one rule seldom shows there, since all other
//! parts have to be included as well; here each rule is alone, in policies of all types.

mod drawing;

use std::cell::OnceCell;
use std::collections::BTreeMap;

use keyaki_policy::ast::{
    BaseOperator, Clause, Condition, PrincipalEntry, PrincipalKind, ResourcePattern, Template,
};
use keyaki_policy::evaluate::{Truth, statement_matches};
use keyaki_policy::request::Request;
use keyaki_policy::span::Span;
use keyaki_policy::{PolicyType, Readings, Switch};
use keyaki_testing::arbitrary::{Result, Unstructured};
use keyaki_testing::arbtest;

use super::common::principals_are_apart;
use super::denies::including_both;
use super::statements::Statements;
use super::*;
use drawing::{Draft, draft, edit, focused, policy, principal, request, resource, some};

/// Requests for each pair of statements.
const N_REQUESTS: usize = 12;

/// The most edits between two statements.
const MAX_EDITS: usize = 3;

/// Cases that are the same each time.
const N_FIXED: usize = 4_000;

/// Behind the four parts of a statement, all of them.
const WHOLE: usize = 4;

fn readings(u: &mut Unstructured<'_>) -> Result<Readings> {
    let mut readings = Readings::DEFAULT;
    if u.ratio(2, 3)? {
        for (switch, ..) in Switch::ALL {
            readings = readings.with(switch, u.arbitrary()?);
        }
    }
    Ok(readings)
}

/// The statement with only one of its parts: 0 for the principal, then action, resource and conditions.
fn alone(policy: &Policy, part: usize) -> Statement {
    let span = Span::default();
    let everyone = PrincipalEntry { kind: PrincipalKind::Everyone, text: "*".to_owned(), span };
    let everyone = Clause { negated: false, entries: vec![everyone], span };
    let any = Clause {
        negated: false,
        entries: vec![ActionPattern { text: "*".to_owned(), span }],
        span,
    };
    let star = ResourcePattern { template: Template::text("*"), span };
    let star = Clause { negated: false, entries: vec![star], span };
    let own = policy.statements[0].clone();
    Statement {
        principal: match part {
            0 => own.principal,
            _ => policy.policy_type.names_principals().then_some(everyone),
        },
        action: if part == 1 { own.action } else { any },
        resource: if part == 2 { own.resource } else { Some(star) },
        conditions: if part == 3 { own.conditions } else { Vec::new() },
        ..own
    }
}

/// Which parts of the statements match a request; each is found out when it is asked for.
struct Facts<'p> {
    policies: &'p [Policy; 3],
    request: Request,
    readings: Readings,
    known: [[OnceCell<bool>; 5]; 3],
}

impl Facts<'_> {
    /// Whether the part of that statement matches: its principal, action, resource, conditions, or all of it.
    fn is(&self, statement: usize, part: usize) -> bool {
        *self.known[statement][part].get_or_init(|| {
            let policy = &self.policies[statement];
            let whole = &policy.statements[0];
            let statement = if part == WHOLE { whole.clone() } else { alone(policy, part) };
            let (truth, _) = statement_matches(policy, &statement, &self.request, self.readings);
            assert_ne!(truth, Truth::Unknown);
            truth == Truth::True
        })
    }
}

/// Whether something is so of a request; none if nothing is said of it.
type IsSo = dyn Fn(&Facts<'_>) -> Option<bool>;

/// What a rule said.
struct Claim {
    rule: String,
    is_so: Box<IsSo>,
}

fn claim(rule: impl Into<String>, is_so: impl Fn(&Facts<'_>) -> Option<bool> + 'static) -> Claim {
    Claim { rule: rule.into(), is_so: Box::new(is_so) }
}

/// What the rules say of three statements: `wide`, `narrow` and another.
fn claims(policies: &[Policy; 3]) -> Vec<Claim> {
    let [wide, narrow, other] = [0, 1, 2].map(|n| Source {
        number: n,
        policy: &policies[n],
        statement: &policies[n].statements[0],
    });
    let [a, b, c] = [wide, narrow, other].map(|source| source.statement);
    let mut claims = Vec::new();
    let mut add = |is_said: bool, made: Claim| claims.extend(is_said.then_some(made));
    let part = |part: usize| move |f: &Facts<'_>| f.is(1, part).then(|| f.is(0, part));
    let never = |part: usize| move |f: &Facts<'_>| f.is(1, part).then(|| !f.is(0, part));
    let of_two =
        |part: usize| move |f: &Facts<'_>| (f.is(1, part) && f.is(2, part)).then(|| f.is(0, part));

    let of = parts::principal_clause_includes(a.principal.as_ref(), b.principal.as_ref());
    add(
        of,
        claim(
            format!("principals: {}", shape(a.principal.as_ref(), b.principal.as_ref())),
            part(0),
        ),
    );
    let of = parts::action_clause_includes(&a.action, &b.action);
    add(of, claim(format!("actions: {}", shape(Some(&a.action), Some(&b.action))), part(1)));
    let of = parts::resource_clause_includes(wide, narrow);
    add(
        of,
        claim(format!("resources: {}", shape(a.resource.as_ref(), b.resource.as_ref())), part(2)),
    );
    let of = parts::conditions_include(a, b);
    add(of, claim(format!("conditions: {}", rule_of_conditions(a, b)), part(3)));
    let of = parts::conditions_include_both(a, b, c);
    add(of, claim("conditions of two", of_two(3)));

    let of = b.action.entries.iter().all(|entry| parts::action_is_outside(&entry.text, &a.action));
    let name = format!("actions apart: {}", shape(Some(&a.action), Some(&b.action)));
    add(of && !b.action.negated, claim(name, never(1)));
    if let (Some(one), Some(two)) = (&a.resource, &b.resource) {
        let of = parts::resource_clauses_are_disjoint(one, two);
        add(of, claim("resources apart", never(2)));
    }
    let of = principals_are_apart(a.principal.as_ref(), b.principal.as_ref());
    add(of, claim("principals apart", never(0)));
    let of = parts::resource_clause_includes_met(wide, narrow, other);
    add(of, claim("resources that are met", of_two(2)));

    let budget = Budget::new();
    let of = including_both(narrow, other, &[wide], &budget).is_some();
    add(of, claim("a statement of two", of_two(WHOLE)));
    let list = Statements::new(vec![wide], &budget);
    add(list.including(narrow).is_some(), claim("a statement", part(WHOLE)));
    let all =
        |f: &Facts<'_>| (0..3).all(|part| f.is(1, part)).then(|| (0..3).all(|part| f.is(0, part)));
    add(parts::is_about_all_of(wide, narrow), claim("a statement but for conditions", all));
    let list = Statements::new(vec![wide, other], &budget);
    let open = list.uncovered(narrow, &|_| false, &mut Table::default());
    add(
        open.is_none(),
        claim("statements together", |f| f.is(1, WHOLE).then(|| f.is(0, WHOLE) || f.is(2, WHOLE))),
    );
    claims
}

fn shape<T>(wide: Option<&Clause<T>>, narrow: Option<&Clause<T>>) -> String {
    let one = |clause: Option<&Clause<T>>| match clause {
        None => "none",
        Some(clause) if clause.negated => "not",
        Some(_) => "list",
    };
    format!("{} of {}", one(wide), one(narrow))
}

/// The rule by which one condition alone is implied by another, as far as their operators tell.
fn rule_of_conditions(wide: &Statement, narrow: &Statement) -> &'static str {
    let ([wanted], [own]) = (&wide.conditions[..], &narrow.conditions[..]) else {
        return "several";
    };
    let templates = |c: &Condition| -> Vec<Template> {
        c.values.iter().map(|value| value.template.clone()).collect()
    };
    match (own.operator, wanted.operator) {
        (a, b) if a == b && templates(own) == templates(wanted) => "alike",
        (a, b) if a.base != b.base => "equal is like",
        (a, b) if a.if_exists != b.if_exists => "`IfExists` asks less",
        (a, _) if a.base.is_negated() => "fewer excluded",
        (a, _) if a.base == BaseOperator::StringLike => "patterns",
        _ => "more listed",
    }
}

/// How often each rule said something, and of how many requests what it is about was so.
#[derive(Default)]
struct Tally(BTreeMap<String, [usize; 2]>);

/// Draws three statements and holds what is said of them to requests.
fn try_one(u: &mut Unstructured<'_>, tally: &mut Tally) -> Result<()> {
    let types = PolicyType::ALL.map(|(policy_type, _)| policy_type);
    let first = *u.choose(&types)?;
    let second = if u.ratio(3, 4)? { first } else { *u.choose(&types)? };
    let narrow = draft(u, first)?;
    let narrow = focused(u, narrow)?;
    // Of other types other elements are there.
    let fitted = |u: &mut Unstructured<'_>, draft: &Draft| -> Result<Draft> {
        let mut draft = draft.clone();
        if !second.names_principals() {
            draft.principal = None;
        } else if draft.principal.is_none() {
            draft.principal = Some((false, some(u, 2, principal)?));
        }
        match second {
            PolicyType::Trust => draft.resource = None,
            _ if draft.resource.is_none() => draft.resource = Some((false, some(u, 2, resource)?)),
            _ => {}
        }
        Ok(draft)
    };
    let (mut wide, mut other) = (fitted(u, &narrow)?, fitted(u, &narrow)?);
    for _ in 0..u.int_in_range(0..=MAX_EDITS)? {
        edit(u, &mut wide)?;
    }
    for _ in 0..u.int_in_range(0..=MAX_EDITS)? {
        edit(u, &mut other)?;
    }
    let version =
        |u: &mut Unstructured<'_>| Ok(if u.ratio(7, 8)? { "2012-10-17" } else { "2008-10-17" });
    let versions = [version(u)?, version(u)?, version(u)?];
    // Of what is the same there is nothing to find out.
    if format!("{wide:?}") == format!("{narrow:?}") && u.ratio(3, 4)? {
        return Ok(());
    }
    let drafts = [wide, narrow, other];
    let policies = [
        policy(&drafts[0], second, versions[0]),
        policy(&drafts[1], first, versions[1]),
        policy(&drafts[2], second, versions[2]),
    ];
    let [Some(wide), Some(narrow), Some(other)] = policies else { return Ok(()) };
    let policies = [wide, narrow, other];
    let claims = claims(&policies);
    for claim in &claims {
        tally.0.entry(claim.rule.clone()).or_default()[0] += 1;
    }
    if claims.is_empty() {
        return Ok(());
    }
    for _ in 0..N_REQUESTS {
        let (request, readings) = (request(u, &drafts)?, readings(u)?);
        let facts = Facts { policies: &policies, request, readings, known: Default::default() };
        for Claim { rule, is_so } in &claims {
            let Some(is_so) = is_so(&facts) else { continue };
            tally.0.entry(rule.clone()).or_default()[1] += 1;
            assert!(is_so, "{rule}: {}", shown(&facts));
        }
    }
    Ok(())
}

fn shown(facts: &Facts<'_>) -> String {
    let alternatives = Switch::ALL.iter().filter(|(s, ..)| facts.readings.is_alternative(*s));
    let alternatives: Vec<&str> = alternatives.map(|(_, name, _)| *name).collect();
    let [wide, narrow, other] = facts.policies;
    format!("wide {wide}\nnarrow {narrow}\nother {other}\n{:?}\n{alternatives:?}", facts.request)
}

/// What has to be said now and then, of requests of which it says something, or else too little is drawn.
const RULES: [&str; 33] = [
    "actions apart: list of list",
    "actions apart: not of list",
    "actions: list of list",
    "actions: list of not",
    "actions: not of list",
    "actions: not of not",
    "conditions: `IfExists` asks less",
    "conditions: alike",
    "conditions: equal is like",
    "conditions: fewer excluded",
    "conditions: more listed",
    "conditions: patterns",
    "conditions: several",
    "conditions of two",
    "principals apart",
    "principals: list of list",
    "principals: list of none",
    "principals: list of not",
    "principals: none of list",
    "principals: none of none",
    "principals: none of not",
    "principals: not of not",
    "resources apart",
    "resources that are met",
    "resources: list of list",
    "resources: list of not",
    "resources: none of list",
    "resources: none of none",
    "resources: not of list",
    "resources: not of not",
    "a statement",
    "a statement of two",
    "statements together",
];

#[test]
fn what_is_said_of_texts_is_so_of_requests() {
    let mut tally = Tally::default();
    arbtest(|u| try_one(u, &mut tally)).size_min(1 << 12).budget_ms(300).run();
}

#[test]
fn every_rule_is_tried() {
    let (mut tally, mut word) = (Tally::default(), 0_u64);
    let mut bytes = vec![0; 1 << 12];
    for _ in 0..N_FIXED {
        for chunk in bytes.chunks_mut(8) {
            // SplitMix64.
            word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes());
        }
        // With too few bytes there is no case.
        let _ = try_one(&mut Unstructured::new(&bytes), &mut tally);
    }
    let untried: Vec<&str> =
        RULES.into_iter().filter(|rule| tally.0.get(*rule).is_none_or(|n| n[1] == 0)).collect();
    assert!(untried.is_empty(), "{untried:?} of {:#?}", tally.0);
}
