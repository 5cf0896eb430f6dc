//! Sets of policies: the formula of 5.6 and the evaluator's `decide` say the same of every request.
//!
//! Both were written from the specification, one as terms over all requests, one as a procedure
//! for one request. A set stands on the side in question, and nothing or another set on the other,
//! so that the formula is what the set allows and the other does not; the readings are drawn as
//! well. The request of the assignment, read back as a witness is, must be decided alike.

use keyaki_analysis::public::Table;
use keyaki_analysis::question::Subject as Side;
use keyaki_policy::ast::{Effect, Statement};
use keyaki_policy::evaluate::{decide, is_resource_controlled};
use keyaki_policy::request::{ContextValue, Principal};
use keyaki_policy::{PolicySet, Switch};
use keyaki_properties::case;

use super::*;

/// How long a round takes, in milliseconds.
const ROUND_MS: u64 = 1_000;

/// Requests that are compared at least, of which some have each outcome.
const MIN_REQUESTS: usize = 4_000;

/// Rounds after which a slow machine is asked no more.
const MAX_ROUNDS: usize = 60;

/// One in so many requests has each outcome.
const MIN_SHARE: usize = 100;

/// Requests for one set, because encoding is what takes the time.
const REQUESTS: usize = 16;

/// Random bytes for one set with its requests.
const MIN_BYTES: u32 = 1 << 14;

/// An identity policy that allows everything, and a resource policy that lets everybody in.
const ANYTHING: &str = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
const EVERYBODY: &str = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}"#;

const ACCOUNTS: [&str; 3] = ["111122223333", "111122223333", "444455556666"];

/// Entries of each grant class (5.4), for principals that requests often have.
const PRINCIPALS: &[&str] = &[
    r#""*""#,
    r#"{"AWS": "111122223333"}"#,
    r#"{"AWS": "arn:aws:iam::111122223333:user/a"}"#,
    r#"{"AWS": "arn:aws:iam::111122223333:role/r"}"#,
    r#"{"AWS": "arn:aws:iam::111122223333:role/p/r"}"#,
    r#"{"AWS": "arn:aws:sts::111122223333:assumed-role/r/sess"}"#,
    r#"{"AWS": "arn:aws:sts::111122223333:federated-user/f"}"#,
    r#"{"AWS": ["arn:aws:iam::111122223333:role/r", "111122223333"]}"#,
    r#"{"Service": "sns.amazonaws.com"}"#,
];

#[test]
fn what_a_set_of_policies_allows_is_agreed_on() {
    let draw = |u: &mut Unstructured<'_>| {
        let (mut texts, set) = random_set(u)?;
        let existing = if u.ratio(1, 3)? {
            let (of_existing, existing) = random_set(u)?;
            texts.extend(of_existing.iter().map(|text| format!("existing {text}")));
            existing
        } else {
            PolicySet { resource: set.resource.as_ref().map(|_| vec![]), ..PolicySet::default() }
        };
        let compared =
            *u.choose(&[Compared::New, Compared::New, Compared::Either, Compared::Both])?;
        Ok(Sets::new(texts, existing, set, compared))
    };
    check_agreement(draw, compare, &["allowed", "denied explicitly", "denied implicitly"]);
}

/// Whom the policies of a resource let in from outside a zone of trust is what the evaluator lets in of those who are outside by
/// the predicate of a policy that lets everybody in.
#[test]
fn whom_a_set_of_policies_lets_in_from_outside_is_agreed_on() {
    let draw = |u: &mut Unstructured<'_>| {
        let (texts, mut set) = random_set_of_resource(u)?;
        set.identity = vec![parsed(ANYTHING, PolicyType::Identity)];
        let mut zone = generate::zone(u)?;
        zone.insert("resource_account".to_owned(), "444455556666".into());
        // Whoever is named is of the other account.
        if u.ratio(3, 4)? {
            zone.remove("trust");
        }
        let everybody = case::question(&case::of_zone(EVERYBODY, &zone)).unwrap();
        Ok(Sets::outside(texts, set, everybody))
    };
    check_agreement(draw, breaks_alike, &["breaks", "does not break"]);
}

/// What is public below resource control policies is what is public of a policy that has their statements for its own, if they
/// apply.
#[test]
fn what_is_public_below_resource_control_policies_is_agreed_on() {
    let draw = |u: &mut Unstructured<'_>| {
        let (texts, mut set) = random_set_of_resource(u)?;
        set.vpc_endpoint.clear();
        Ok(Sets::public(texts, set, generate::table(u)?))
    };
    check_agreement(draw, breaks_alike, &["breaks", "does not break"]);
}

/// Tries questions about sets and requests, and sees to it that all these outcomes occurred.
#[track_caller]
fn check_agreement(
    draw: impl Fn(&mut Unstructured<'_>) -> Result<Sets>,
    compare: impl Fn(&Sets, &Request, Readings) -> &'static str,
    outcomes: &[&str],
) {
    let counts = RefCell::new(BTreeMap::<&str, usize>::new());
    let property = |u: &mut Unstructured<'_>| {
        let subject = draw(u)?;
        for _ in 0..REQUESTS {
            let readings = readings(u)?;
            let request = request(u, &subject.question, readings)?;
            let outcome = compare(&subject, &request, readings);
            *counts.borrow_mut().entry(outcome).or_default() += 1;
        }
        Ok(())
    };
    let total = || counts.borrow().values().sum::<usize>();
    for _ in 0..MAX_ROUNDS {
        if total() >= MIN_REQUESTS {
            break;
        }
        arbtest(&property).size_min(MIN_BYTES).budget_ms(ROUND_MS).run();
    }
    for outcome in outcomes {
        let n = counts.borrow().get(outcome).copied().unwrap_or_default();
        assert!(n > 0 && n * MIN_SHARE >= total(), "`{outcome}` is too rare: {counts:?}");
    }
}

/// What of two sets allows the requests that are asked for.
#[derive(Clone, Copy)]
enum Compared {
    /// The new one alone.
    New,
    /// One of them alone.
    Either,
    /// Both.
    Both,
}

/// Which requests break the property, told without its replay.
enum Asked {
    /// What the sets allow, compared with what this one does.
    Allowed(Compared, PolicySet),
    /// Those that the set allows and that break this question about a policy for everybody.
    Outside(Question),
    /// Those that break the first of these questions about one policy, if resource control policies apply, or else the second.
    Public(Box<[Question; 2]>),
}

/// A question about sets, with the texts of their policies.
struct Sets {
    texts: Vec<String>,
    new: PolicySet,
    asked: Asked,
    question: Question,
    encoding: Encoding,
}

impl Sets {
    fn new(texts: Vec<String>, existing: PolicySet, new: PolicySet, compared: Compared) -> Sets {
        let side = |set: &PolicySet| Side::Set(Box::new(set.clone()));
        let sides = (side(&existing), side(&new));
        let question = match (compared, sides) {
            (Compared::New, (existing, new)) => Question::NoNewAccess { existing, new },
            (Compared::Either, (existing, new)) => Question::Equivalent { existing, new },
            (Compared::Both, (existing, new)) => Question::Disjoint { existing, new },
        };
        Sets::with(texts, new, Asked::Allowed(compared, existing), question)
    }

    /// Whom the set lets in from outside the zone of trust of a question about everybody.
    fn outside(texts: Vec<String>, new: PolicySet, everybody: Question) -> Sets {
        let zone = everybody.zones().next().expect("it has a zone").clone();
        let policy = Side::Set(Box::new(new.clone()));
        let question = Question::NoExternalAccess { policy, zone };
        Sets::with(texts, new, Asked::Outside(everybody), question)
    }

    /// Whom the set lets in that is public.
    fn public(texts: Vec<String>, new: PolicySet, table: &'static Table) -> Sets {
        let of = |statements: Vec<Statement>| {
            let policy =
                parsed(r#"{"Version": "2012-10-17", "Statement": []}"#, PolicyType::Resource);
            let mut policy = Policy { statements, ..policy };
            for (index, statement) in policy.statements.iter_mut().enumerate() {
                statement.index = index;
            }
            Question::NoPublicAccess { policy: vec![policy].into(), table }
        };
        let statements = |policies: &[Policy]| -> Vec<Statement> {
            policies.iter().flat_map(|policy| policy.statements.clone()).collect()
        };
        let own = statements(new.resource.as_deref().unwrap_or_default());
        let of_controls = new.rcp.iter().flat_map(|level| statements(level));
        let of_controls: Vec<Statement> = of_controls.collect();
        // Where they do not apply they neither deny nor confine; the addresses that they name are told apart all the same.
        let mut idle = of_controls.clone();
        for statement in &mut idle {
            statement.effect = Effect::Allow;
            for entry in &mut statement.action.entries {
                entry.text = "nobody:Nothing".to_owned();
            }
        }
        let all = own.iter().cloned().chain(of_controls).collect();
        let alone = own.into_iter().chain(idle).collect();
        let asked = Asked::Public(Box::new([of(all), of(alone)]));
        let policy = Side::Set(Box::new(new.clone()));
        Sets::with(texts, new, asked, Question::NoPublicAccess { policy, table })
    }

    fn with(texts: Vec<String>, new: PolicySet, asked: Asked, question: Question) -> Sets {
        let encoding = encode(&question);
        Sets { texts, new, asked, question, encoding }
    }

    /// Whether the request is one that is asked for.
    fn is_asked_for(&self, request: &Request, readings: Readings) -> bool {
        let allows =
            |set: &PolicySet| decide(set, request, readings).decision == Some(Decision::Allow);
        let breaks = |question: &Question| {
            matches!(breaks(question, request, readings), Replay::Confirmed { .. })
        };
        let resource = self.new.resource.as_ref().map(|_| vec![]);
        let none = PolicySet { resource, ..PolicySet::default() };
        match &self.asked {
            Asked::Allowed(Compared::New, existing) => allows(&self.new) && !allows(existing),
            Asked::Allowed(Compared::Either, existing) => allows(&self.new) != allows(existing),
            Asked::Allowed(Compared::Both, existing) => {
                allows(&self.new) && allows(existing) && !allows(&none)
            }
            Asked::Outside(everybody) => allows(&self.new) && !allows(&none) && breaks(everybody),
            Asked::Public(questions) => {
                let [controlled, alone] = &**questions;
                breaks(if is_resource_controlled(request) { controlled } else { alone })
            }
        }
    }
}

/// As [`compare`]; the outcome is whether the property breaks.
#[track_caller]
fn breaks_alike(subject: &Sets, request: &Request, readings: Readings) -> &'static str {
    match compare(subject, request, readings) {
        outcome @ ("has no model" | "cannot happen") => outcome,
        _ if subject.is_asked_for(request, readings) => "breaks",
        _ => "does not break",
    }
}

/// Compares the two sides on one request; returns the outcome.
#[track_caller]
fn compare(subject: &Sets, request: &Request, readings: Readings) -> &'static str {
    let Sets { texts, new, question, encoding, .. } = subject;
    let context = || format!("{}\n{request:?}\n{readings:?}", texts.join("\n"));
    let violations = unexcused_violations(question, request, readings);
    let Some(model) = embed::model(encoding, request, readings) else {
        assert!(!violations.is_empty(), "can happen but has no model: {}", context());
        return "has no model";
    };
    let mut terms = encoding.terms.clone();
    let all = terms.and(encoding.axioms.iter().map(|(_, axiom)| *axiom));
    let mut axioms = Formula::new(terms);
    axioms.assert("all axioms", all);
    let can_happen = eval::holds_partially(&axioms, &model);
    let agrees = can_happen == Some(violations.is_empty());
    assert!(agrees, "axioms {can_happen:?}, violations {violations:?}: {}", context());
    if !violations.is_empty() {
        return "cannot happen";
    }

    let free = encoding.whole(Opaque::Free);
    let is_exact = !free.variables().into_iter().any(|(name, _)| is_opaque(name));
    let free = eval::holds_partially(&free, &model);
    let fails = eval::holds_partially(&encoding.whole(Opaque::Adverse), &model);
    let effective = decide(new, request, readings);
    let is_asked_for = |request: &Request| subject.is_asked_for(request, readings);
    let agrees = match is_asked_for(request) {
        expected if is_exact => free == Some(expected),
        true => free != Some(false),
        false => free != Some(true) && fails == Some(false),
    };
    assert!(agrees, "{effective:?}, free {free:?}, fails {fails:?}: {}", context());
    let decoded = decoded(encoding, model);
    assert_eq!(unexcused_violations(question, &decoded, readings), [""; 0], "{}", context());
    assert_eq!(is_asked_for(&decoded), is_asked_for(request), "{decoded:?}: {}", context());
    let replayed = matches!(breaks(question, request, readings), Replay::Confirmed { .. });
    assert_eq!(replayed, is_asked_for(request), "replayed: {}", context());
    match effective.decision {
        None => "hangs",
        Some(Decision::Allow) => "allowed",
        Some(Decision::ExplicitDeny) => "denied explicitly",
        Some(Decision::ImplicitDeny) => "denied implicitly",
    }
}

fn readings(u: &mut Unstructured<'_>) -> Result<Readings> {
    Ok(generate::readings(u)?.with(Switch::D30, u.ratio(1, 4)?))
}

/// A random set of the policies of a resource, its controls and the endpoint, with the texts of its policies.
fn random_set_of_resource(u: &mut Unstructured<'_>) -> Result<(Vec<String>, PolicySet)> {
    let mut texts = Vec::new();
    let mut draw = |u: &mut Unstructured<'_>, policy_type, most: usize| -> Result<Vec<Policy>> {
        let n = u.int_in_range(0..=most)?;
        (0..n).map(|_| policy(u, policy_type, &mut texts)).collect()
    };
    let set = PolicySet {
        resource: Some(draw(u, PolicyType::Resource, 3)?),
        rcp: vec![draw(u, PolicyType::Rcp, 1)?, draw(u, PolicyType::Rcp, 1)?],
        vpc_endpoint: if u.ratio(1, 8)? { draw(u, PolicyType::VpcEndpoint, 1)? } else { vec![] },
        ..PolicySet::default()
    };
    Ok((texts, set))
}

/// A random set, with the texts of its policies.
fn random_set(u: &mut Unstructured<'_>) -> Result<(Vec<String>, PolicySet)> {
    let mut texts = Vec::new();
    let mut draw = |u: &mut Unstructured<'_>, policy_type, most: usize| -> Result<Vec<Policy>> {
        let n = u.int_in_range(0..=most)?;
        (0..n).map(|_| policy(u, policy_type, &mut texts)).collect()
    };
    let set = PolicySet {
        identity: draw(u, PolicyType::Identity, 2)?,
        resource: match u.int_in_range(0..=4)? {
            0 => None,
            1 => Some(vec![]),
            2 => Some(draw(u, PolicyType::Kms, 1)?),
            _ => Some(draw(u, PolicyType::Resource, 2)?),
        },
        boundary: match u.ratio(1, 2)? {
            true => draw(u, PolicyType::Boundary, 2)?,
            false => vec![],
        },
        session: match u.ratio(1, 3)? {
            true => Some(draw(u, PolicyType::Session, 1)?),
            false => None,
        },
        scp: match u.ratio(1, 5)? {
            true => vec![draw(u, PolicyType::Scp, 2)?, draw(u, PolicyType::Scp, 1)?],
            false => vec![],
        },
        rcp: match u.ratio(1, 5)? {
            true => vec![draw(u, PolicyType::Rcp, 2)?],
            false => vec![],
        },
        vpc_endpoint: match u.ratio(1, 8)? {
            true => draw(u, PolicyType::VpcEndpoint, 2)?,
            false => vec![],
        },
    };
    Ok((texts, set))
}

fn policy(
    u: &mut Unstructured<'_>,
    policy_type: PolicyType,
    texts: &mut Vec<String>,
) -> Result<Policy> {
    let mut statements = Vec::new();
    for _ in 0..u.int_in_range(1..=2)? {
        statements.push(statement(u, policy_type)?);
    }
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(", "));
    texts.push(format!("{policy_type:?} {text}"));
    Ok(parsed(&text, policy_type))
}

fn statement(u: &mut Unstructured<'_>, policy_type: PolicyType) -> Result<String> {
    let is_rcp = policy_type == PolicyType::Rcp;
    let effect = if !is_rcp && u.ratio(5, 7)? { "Allow" } else { "Deny" };
    let principal = match policy_type {
        _ if is_rcp => r#""Principal": "*", "#.to_owned(),
        _ if policy_type.names_principals() => {
            let negated = if u.ratio(1, 6)? { "Not" } else { "" };
            let principals = match u.ratio(1, 4)? {
                true => generate::principals(u)?,
                false => (*u.choose(PRINCIPALS)?).to_owned(),
            };
            format!(r#""{negated}Principal": {principals}, "#)
        }
        _ => String::new(),
    };
    let actions = ["*", "*", "s3:*", "s3:Get*", "kms:*", "sts:*"];
    let actions = if is_rcp { &actions[2..] } else { &actions[..] };
    let resources = ["*", "*", "*", "arn:aws:s3:::b/*", "arn:aws:kms:*:*:key/*"];
    let condition = if u.ratio(1, 6)? {
        *u.choose(&[
            r#"{"StringEquals": {"aws:ResourceAccount": "111122223333"}}"#,
            r#"{"StringEquals": {"aws:PrincipalAccount": "111122223333"}}"#,
            r#"{"StringNotEquals": {"aws:ResourceAccount": "444455556666"}}"#,
            r#"{"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}"#,
            r#"{"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-a"}}"#,
        ])?
    } else {
        "{}"
    };
    Ok(format!(
        r#"{{"Effect": "{effect}", {principal}"Action": "{}", "Resource": "{}", "Condition": {condition}}}"#,
        u.choose(actions)?,
        u.choose(&resources)?,
    ))
}

/// A random request, with the owner of its resource.
fn request(u: &mut Unstructured<'_>, question: &Question, readings: Readings) -> Result<Request> {
    let mut request = generate::request(u, question, readings)?;
    let is_plain = request.context.get("aws:userid").is_none();
    if is_plain && u.ratio(2, 3)? {
        request.principal = named_principal(u)?;
        if request.context.get("aws:PrincipalAccount").is_some() {
            request.context.insert("aws:PrincipalAccount", ContextValue::One(ACCOUNTS[0].into()));
        }
        request.resource = request.resource.replacen("arn:aws-cn:", "arn:aws:", 1);
    }
    if u.ratio(1, 3)? {
        let (action, resource) = *u.choose(&[
            ("kms:Decrypt", "arn:aws:kms:us-east-1:111122223333:key/1"),
            ("kms:Decrypt", "arn:aws:kms:us-east-1:111122223333:alias/a"),
            ("kms:RetireGrant", "arn:aws:kms:us-east-1:444455556666:key/1"),
            ("kms:ListKeys", "*"),
            ("sts:AssumeRole", "arn:aws:iam::111122223333:role/r"),
            ("iam:GetRole", "arn:aws:iam::111122223333:role/r"),
            ("sts:TagSession", "arn:aws:iam::444455556666:role/r"),
            ("sts:GetCallerIdentity", "*"),
            ("sts:getsessiontoken", "*"),
            ("s3:PutBucketPolicy", "arn:aws:s3:::b"),
            ("s3:GetBucketPolicy", "arn:aws:s3:::b"),
            ("ec2:RunInstances", "arn:aws:ec2:us-east-1:111122223333:instance/*"),
        ])?;
        (request.action, request.resource) = (action.to_owned(), resource.to_owned());
        if let Some((partition, _)) = request.principal.partition_and_account() {
            request.resource =
                request.resource.replacen("arn:aws:", &format!("arn:{partition}:"), 1);
        }
    }
    let own = request.principal.partition_and_account().map(|(_, account)| account.to_owned());
    let named = request.resource.split(':').nth(4).filter(|account| account.len() == 12);
    let owner = question.zones().find_map(|zone| zone.owner.clone());
    request.resource_account = match (named, &*request.resource) {
        _ if u.ratio(1, 20)? => {
            u.choose(&[None, Some("1"), Some("444455556666")])?.map(str::to_owned)
        }
        (Some(account), _) => Some(account.to_owned()),
        (None, "*") if own.is_some() => own,
        _ if owner.is_some() => owner,
        _ => Some((*u.choose(&ACCOUNTS)?).to_owned()),
    };
    if let (Some(owner), Some(_)) =
        (request.resource_account.clone(), request.context.get("aws:ResourceAccount"))
    {
        request.context.insert("aws:ResourceAccount", ContextValue::One(owner));
    }
    Ok(request)
}

/// A principal that [`PRINCIPALS`] names, or that is near to one.
fn named_principal(u: &mut Unstructured<'_>) -> Result<Principal> {
    let user = "arn:aws:iam::111122223333:user/a".to_owned();
    let session = |role: &str| Principal::RoleSession {
        role_arn: format!("arn:aws:iam::111122223333:role/{role}"),
        session_name: "sess".to_owned(),
    };
    Ok(match u.int_in_range(0..=4)? {
        0 => Principal::User { arn: user, canonical_user: None },
        1 | 2 => session("r"),
        3 => session("p/r"),
        _ => Principal::FederatedUser {
            arn: "arn:aws:sts::111122223333:federated-user/f".to_owned(),
            base: u.arbitrary::<bool>()?.then_some(user),
        },
    })
}

/// One set and one request, for what was found once.
#[track_caller]
fn check(set: &PolicySet, principal: Principal, action: &str, resource: &str, expected: &str) {
    let existing = PolicySet { resource: Some(vec![]), ..PolicySet::default() };
    let subject = Sets::new(vec![], existing, set.clone(), Compared::New);
    let request = Request {
        principal,
        action: action.to_owned(),
        resource: resource.to_owned(),
        resource_account: Some(ACCOUNTS[0].to_owned()),
        ..Request::default()
    };
    let outcome = compare(&subject, &request, Readings::DEFAULT);
    assert_eq!(outcome, expected);
}

/// The evaluator took every request for one of an explicit-only resource if the set has a key
/// policy or trust policy, so that nobody could list keys or read a role.
#[test]
fn a_key_policy_and_a_trust_policy_say_nothing_of_other_actions() {
    let identity = r#"{"Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
    let key = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal":
        {"Service": "sns.amazonaws.com"}, "Action": "kms:Decrypt", "Resource": "*"}}"#;
    let trust = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal":
        {"Service": "sns.amazonaws.com"}, "Action": "sts:AssumeRole"}}"#;
    let set = |policy| PolicySet {
        identity: vec![parsed(identity, PolicyType::Identity)],
        resource: Some(vec![policy]),
        ..PolicySet::default()
    };
    let user = || Principal::User {
        arn: "arn:aws:iam::111122223333:user/a".to_owned(),
        canonical_user: None,
    };
    let role = "arn:aws:iam::111122223333:role/r";
    let of_role = set(parsed(trust, PolicyType::Trust));
    check(&of_role, user(), "iam:GetRole", role, "allowed");
    check(&of_role, user(), "sts:AssumeRole", role, "denied implicitly");
    let of_key = set(parsed(key, PolicyType::Kms));
    check(&of_key, user(), "kms:ListKeys", "*", "allowed");
    let arn = "arn:aws:kms:us-east-1:111122223333:key/1";
    check(&of_key, user(), "kms:Decrypt", arn, "denied implicitly");
}

/// Random sets meet these too rarely: who else has to agree to a grant of the own account (5.4), and
/// whom a Deny with `NotPrincipal` spares (2.5).
#[test]
fn boundaries_limit_grants_to_roles_and_are_not_spared() {
    let resource = |effect: &str, principal: &str| {
        let text = format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "{effect}", {principal},
                "Action": "*", "Resource": "*"}}]}}"#
        );
        parsed(&text, PolicyType::Resource)
    };
    let limit = |action: &str, policy_type| {
        let text = format!(
            r#"{{"Version": "2012-10-17",
                "Statement": [{{"Effect": "Allow", "Action": "{action}", "Resource": "*"}}]}}"#
        );
        parsed(&text, policy_type)
    };
    let role = r#""Principal": {"AWS": "arn:aws:iam::111122223333:role/r"}"#;
    let session = || Principal::RoleSession {
        role_arn: "arn:aws:iam::111122223333:role/r".to_owned(),
        session_name: "sess".to_owned(),
    };
    let object = "arn:aws:s3:::b/k";
    let get = |set: &PolicySet, expected| check(set, session(), "s3:GetObject", object, expected);

    let mut set =
        PolicySet { resource: Some(vec![resource("Allow", role)]), ..PolicySet::default() };
    get(&set, "allowed");
    set.boundary = vec![limit("sqs:*", PolicyType::Boundary)];
    get(&set, "denied implicitly");
    set.boundary = vec![limit("s3:*", PolicyType::Boundary)];
    get(&set, "allowed");
    set.session = Some(vec![limit("sqs:*", PolicyType::Session)]);
    get(&set, "denied implicitly");
    set.resource = Some(vec![resource("Allow", r#""Principal": "*""#)]);
    get(&set, "allowed");

    let spared = r#""NotPrincipal": {"AWS": "arn:aws:iam::111122223333:role/r"}"#;
    set.resource = Some(vec![resource("Allow", role), resource("Deny", spared)]);
    set.session = None;
    get(&set, "denied explicitly");
    set.boundary = vec![];
    get(&set, "allowed");
}
