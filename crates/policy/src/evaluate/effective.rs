//! Policies of several kinds decide one request (5.6).
//!
//! Which kinds apply depends on who asks (5.2), and who else must allow on what a resource-based
//! policy names (5.4). So the policies are first asked one kind at a time, and the answers are
//! then put together by one formula for each kind of principal. Where AWS describes a flow chart
//! with early exits, only the Deny statements of all kinds come first here: the rest is a
//! conjunction whose order matters only for the gate that is named.

use super::principal::{self, GrantClass};
use super::scene::Scene;
use super::{Decision, Truth, Unsupported, decision, matches, matches_whoever_asks, place};
use crate::ast::{Effect, Policy, PrincipalKind, Statement};
use crate::catalogue;
use crate::policy_set::{Place, PolicySet};
use crate::reading::{Readings, Switch};
use crate::request::derive::{fields, is_account};
use crate::request::{Principal, Request};
use std::fmt;

/// What all policies together decide about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    /// The decision, or `None` if it hangs on an answer that is open.
    pub decision: Option<Decision>,
    /// The statements that certainly match, of the policies that apply to the principal.
    pub matched: Vec<Matched>,
    /// The first gate that the request does not pass; `None` if it is allowed or undecided.
    pub failed: Option<Gate>,
    /// What the match of a statement hangs on. There may be some although the decision is certain.
    pub unsupported: Vec<(Place, Unsupported)>,
}

/// A statement that matches a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matched {
    /// Where its policy stands.
    pub place: Place,
    /// Its index in the policy.
    pub statement: usize,
    /// What it says.
    pub effect: Effect,
}

/// What can keep a request out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// A matching Deny statement of the policy at this place.
    ExplicitDeny(Place),
    /// No service control policy of this level, from the root down, allows it.
    Scp(usize),
    /// This policy of a VPC endpoint does not allow it.
    VpcEndpoint(usize),
    /// No policy of the resource allows it, and one has to.
    ResourcePolicy,
    /// No identity-based policy allows it, and one has to.
    Identity,
    /// This permissions boundary does not allow it.
    Boundary(usize),
    /// No session policy allows it, or the session has none and needs one.
    Session,
}

/// Decides `request` against all policies of `set` (5.6).
///
/// The decision is `Allow` if and only if no Deny statement of a policy that applies matches, and
/// every gate lets the request pass.
pub fn decide(set: &PolicySet, request: &Request, readings: Readings) -> Effective {
    if needs_no_permission(request) {
        return Effective {
            decision: Some(Decision::Allow),
            matched: vec![],
            failed: None,
            unsupported: vec![],
        };
    }
    let asker = Asker::of(request);
    let mut scene = Scene::new(request, readings);
    scene.has_boundary = asker.has_boundary && !set.boundary.is_empty();
    let mut tally = Tally::new(scene);

    if asker.has_rcp {
        // Only their Deny statements count: RCPFullAWSAccess, which allows everything, is attached
        // at every level and cannot be detached (5.3).
        for (level, policies) in set.rcp.iter().enumerate() {
            tally.union(policies, |index| Place::Rcp(level, index));
        }
    }
    let scp = if asker.has_scp { set.scp.as_slice() } else { &[] };
    let scp: Vec<_> = scp
        .iter()
        .enumerate()
        .map(|(level, policies)| {
            (Gate::Scp(level), tally.union(policies, |index| Place::Scp(level, index)))
        })
        .collect();
    let endpoint = tally.each(&set.vpc_endpoint, Place::VpcEndpoint, Gate::VpcEndpoint);
    let grants = set.resource.as_ref().map(|policies| tally.grants(policies, asker.rules_bucket));
    let identity = if asker.has_identity { set.identity.as_slice() } else { &[] };
    let identity = tally.union(identity, Place::Identity);
    let boundary = if asker.has_boundary { set.boundary.as_slice() } else { &[] };
    let boundary = tally.each(boundary, Place::Boundary, Gate::Boundary);
    let session = match &set.session {
        Some(policies) if asker.has_session => tally.union(policies, Place::Session),
        // A federated user without session policy has nothing from its user (5.2).
        None if asker.needs_session => Truth::False,
        _ => Truth::True,
    };

    let principal_side = Sides { set, grants, identity, boundary, session };
    let gates =
        scp.into_iter().chain(endpoint).chain(principal_side.gates(&asker, readings, request));
    let gates: Vec<(Gate, Truth)> = gates.collect();
    let allowed = gates.iter().fold(Truth::True, |all, (_, passed)| all.and(*passed));
    let decision = decision(allowed, tally.deny);
    let failed = match decision {
        Some(Decision::ExplicitDeny) => tally.denying.map(Gate::ExplicitDeny),
        Some(Decision::ImplicitDeny) => {
            gates.iter().find(|(_, passed)| *passed == Truth::False).map(|(gate, _)| *gate)
        }
        Some(Decision::Allow) | None => None,
    };
    Effective { decision, matched: tally.matched, failed, unsupported: tally.unsupported }
}

/// Whether resource control policies apply to the request (5.3).
pub fn is_resource_controlled(request: &Request) -> bool {
    Asker::of(request).has_rcp
}

/// Which kinds of policies bear on who asks (5.2), and which rules do.
struct Asker<'r> {
    /// Twelve digits; none for those who belong to no account.
    account: Option<&'r str>,
    has_identity: bool,
    has_boundary: bool,
    has_session: bool,
    /// Whether nothing passes the session gate without a session policy.
    needs_session: bool,
    has_scp: bool,
    has_rcp: bool,
    /// Whether the resource is of the asker's account.
    is_owner: bool,
    /// Whether the Deny statements of the bucket's policy do not count (6.3).
    rules_bucket: bool,
}

impl<'r> Asker<'r> {
    fn of(request: &'r Request) -> Asker<'r> {
        let principal = &request.principal;
        let account = principal.partition_and_account().map(|(_, account)| account);
        let account = account.filter(|account| is_account(account));
        let is_root = matches!(principal, Principal::Root { .. });
        let is_role = matches!(principal, Principal::RoleSession { .. });
        let is_federated_user = matches!(principal, Principal::FederatedUser { .. });
        let is_service_linked = is_role && request.service_linked_role;
        // Where nobody knows the owner it is the asker's account. What belongs to no account, but
        // to AWS, such as a managed policy, is open to everybody's own policies.
        let owns = |owner| Some(owner) == account || !is_account(owner);
        let is_owner = account.is_some() && request.owner().is_none_or(owns);
        let has_identity = account.is_some() && !is_root;
        let retires_grant = request.action.eq_ignore_ascii_case("kms:RetireGrant");
        let owner_is_exempt = request.management_account && is_owner;
        let service = request.action.split(':').next().unwrap_or_default();
        let is_governed = catalogue::is_resource_controlled(service);
        Asker {
            account,
            has_identity,
            has_boundary: has_identity && !is_service_linked,
            has_session: is_federated_user || (is_role && !is_service_linked),
            needs_session: is_federated_user,
            has_scp: account.is_some() && !request.management_account && !is_service_linked,
            has_rcp: is_governed && !is_service_linked && !retires_grant && !owner_is_exempt,
            is_owner,
            rules_bucket: is_root && is_owner && is_about_bucket_policy(&request.action),
        }
    }
}

/// The answers of the policies of the two sides.
struct Sides<'s> {
    set: &'s PolicySet,
    /// None if the resource's side is left out.
    grants: Option<Grants>,
    identity: Truth,
    boundary: Vec<(Gate, Truth)>,
    session: Truth,
}

impl Sides<'_> {
    /// The gates of identity, boundary, session and resource. The first that is false is the one
    /// to be named.
    fn gates(
        &self,
        asker: &Asker<'_>,
        readings: Readings,
        request: &Request,
    ) -> Vec<(Gate, Truth)> {
        let Some(grants) = &self.grants else {
            return match (&request.principal, asker.account) {
                (Principal::Root { .. }, _) => vec![],
                (_, Some(_)) => self.principal_gates(),
                // They have nothing but what a resource grants.
                (_, None) => vec![(Gate::ResourcePolicy, Truth::False)],
            };
        };
        let needs = |truth| vec![(Gate::ResourcePolicy, truth)];
        let is_explicit = is_explicit_only(request);
        match (&request.principal, asker.account) {
            // Services, anonymous callers, identities of providers, canonical users, and origin
            // access identities of CloudFront.
            (_, None) => needs(grants.any()),
            (Principal::Root { .. }, Some(_)) => match (asker.is_owner, is_explicit) {
                (true, false) => vec![],
                (true, true) => needs(grants.account.or(grants.wildcard)),
                (false, _) => needs(grants.any()),
            },
            (_, Some(_)) if asker.is_owner => self.same_account(grants, is_explicit, readings),
            (_, Some(_)) => {
                let mut gates = needs(grants.any());
                gates.extend(self.principal_gates());
                gates
            }
        }
    }

    /// What a grant of the own account's resource policy spares (5.4).
    fn same_account(
        &self,
        grants: &Grants,
        is_explicit: bool,
        readings: Readings,
    ) -> Vec<(Gate, Truth)> {
        let direct = grants.wildcard.or(grants.session).or(grants.user);
        // Whether a session policy limits such a grant too (D30).
        let is_limited = readings.is_alternative(Switch::D30) && self.set.session.is_some();
        let direct_gates = if is_limited { vec![(Gate::Session, self.session)] } else { vec![] };
        let role_gates: Vec<_> =
            self.boundary.iter().copied().chain([(Gate::Session, self.session)]).collect();
        let mut identity_gates = self.principal_gates();
        if is_explicit {
            identity_gates.insert(0, (Gate::ResourcePolicy, grants.account));
        }
        let paths =
            [(direct, direct_gates), (grants.role, role_gates), (Truth::True, identity_gates)];
        let passes = |(open, gates): &(Truth, Vec<(Gate, Truth)>)| {
            gates.iter().fold(*open, |all, (_, passed)| all.and(*passed))
        };
        let passed = paths.iter().map(passes).fold(Truth::False, Truth::or);
        if passed != Truth::False {
            // Which gate it hangs on plays no part.
            return vec![(Gate::Identity, passed)];
        }
        // The gates of the first path that is open: the others were never tried.
        let path = paths.into_iter().find(|(open, _)| *open == Truth::True);
        path.map(|(_, gates)| gates).unwrap_or_default()
    }

    /// Identity, boundaries and session, all of which must allow.
    fn principal_gates(&self) -> Vec<(Gate, Truth)> {
        let mut gates = vec![(Gate::Identity, self.identity)];
        gates.extend(&self.boundary);
        gates.push((Gate::Session, self.session));
        gates
    }
}

/// In which ways the resource's policies grant the request (2.4).
#[derive(Clone, Copy, Debug)]
struct Grants {
    wildcard: Truth,
    account: Truth,
    user: Truth,
    /// The role, or the user behind a federated user: the two are treated alike.
    role: Truth,
    session: Truth,
    other: Truth,
}

impl Grants {
    const NONE: Grants = Grants {
        wildcard: Truth::False,
        account: Truth::False,
        user: Truth::False,
        role: Truth::False,
        session: Truth::False,
        other: Truth::False,
    };

    fn any(&self) -> Truth {
        let Grants { wildcard, account, user, role, session, other } = *self;
        [wildcard, account, user, role, session, other].into_iter().fold(Truth::False, Truth::or)
    }

    fn add(&mut self, class: GrantClass, truth: Truth) {
        let sum = match class {
            GrantClass::Wildcard => &mut self.wildcard,
            GrantClass::Account => &mut self.account,
            GrantClass::User => &mut self.user,
            GrantClass::FederatedBase | GrantClass::Role => &mut self.role,
            GrantClass::Session => &mut self.session,
            GrantClass::Other => &mut self.other,
        };
        *sum = sum.or(truth);
    }
}

/// What the statements looked at so far say.
struct Tally<'r> {
    scene: Scene<'r>,
    deny: Truth,
    /// The policy of the first Deny statement that certainly matches.
    denying: Option<Place>,
    matched: Vec<Matched>,
    unsupported: Vec<(Place, Unsupported)>,
}

impl<'r> Tally<'r> {
    fn new(scene: Scene<'r>) -> Tally<'r> {
        Tally { scene, deny: Truth::False, denying: None, matched: vec![], unsupported: vec![] }
    }

    /// Whether some Allow statement of the policies matches.
    fn union(&mut self, policies: &[Policy], place: impl Fn(usize) -> Place) -> Truth {
        let mut allow = Truth::False;
        for (index, policy) in policies.iter().enumerate() {
            for statement in &policy.statements {
                let answer = matches(policy, statement, &self.scene);
                let truth = self.count(place(index), statement, answer);
                if statement.effect == Effect::Allow {
                    allow = allow.or(truth);
                }
            }
        }
        allow
    }

    /// The gates of policies each of which must allow.
    fn each(
        &mut self,
        policies: &[Policy],
        place: impl Fn(usize) -> Place,
        gate: impl Fn(usize) -> Gate,
    ) -> Vec<(Gate, Truth)> {
        let mut gates = vec![];
        for (index, policy) in policies.iter().enumerate() {
            let allowed = self.union(std::slice::from_ref(policy), |_| place(index));
            gates.push((gate(index), allowed));
        }
        gates
    }

    /// In which ways the resource's policies grant.
    fn grants(&mut self, policies: &[Policy], without_denies: bool) -> Grants {
        let mut grants = Grants::NONE;
        for (index, policy) in policies.iter().enumerate() {
            for statement in &policy.statements {
                match statement.effect {
                    Effect::Deny if without_denies => {}
                    Effect::Deny => {
                        let answer = matches(policy, statement, &self.scene);
                        self.count(Place::Resource(index), statement, answer);
                    }
                    Effect::Allow => self.grant(policy, index, statement, &mut grants),
                }
            }
        }
        grants
    }

    fn grant(&mut self, policy: &Policy, index: usize, statement: &Statement, grants: &mut Grants) {
        let classes = self.classes(statement);
        if classes.is_empty() {
            return;
        }
        let answer = place(statement, matches_whoever_asks(policy, statement, &self.scene));
        let truth = self.count(Place::Resource(index), statement, answer);
        for class in classes {
            grants.add(class, truth);
        }
    }

    /// In which ways the principals of an Allow statement cover the asker. `NotPrincipal` grants to
    /// everybody else, as a star does (D13).
    fn classes(&self, statement: &Statement) -> Vec<GrantClass> {
        let (request, readings) = (self.scene.request, self.scene.readings);
        match &statement.principal {
            None => vec![],
            Some(clause) if clause.negated => {
                let star = principal::grants(&PrincipalKind::Everyone, request, readings);
                let is_exempt = principal::exempts(&clause.entries, request, readings);
                star.into_iter().filter(|_| !is_exempt).collect()
            }
            Some(clause) => {
                let entries = clause.entries.iter();
                entries.filter_map(|e| principal::grants(&e.kind, request, readings)).collect()
            }
        }
    }

    fn count(
        &mut self,
        place: Place,
        statement: &Statement,
        (truth, hangs_on): (Truth, Vec<Unsupported>),
    ) -> Truth {
        let effect = statement.effect;
        if effect == Effect::Deny {
            self.deny = self.deny.or(truth);
        }
        if truth == Truth::True {
            self.matched.push(Matched { place, statement: statement.index, effect });
            if effect == Effect::Deny {
                self.denying.get_or_insert(place);
            }
        }
        self.unsupported.extend(hangs_on.into_iter().map(|construct| (place, construct)));
        truth
    }
}

/// Calls that whoever has credentials may make, whatever policies say (6.5).
fn needs_no_permission(request: &Request) -> bool {
    let is_signed =
        !matches!(request.principal, Principal::Anonymous | Principal::Federated { .. });
    let free = ["sts:GetCallerIdentity", "sts:GetSessionToken"];
    is_signed && free.iter().any(|action| request.action.eq_ignore_ascii_case(action))
}

/// The actions that the root user of a bucket's owner always has (6.3).
fn is_about_bucket_policy(action: &str) -> bool {
    let actions = ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"];
    actions.iter().any(|known| action.eq_ignore_ascii_case(known))
}

/// Whether nobody has access but by the resource's policy, not even its owner: KMS keys, and roles
/// that are to be assumed (5.6).
///
/// It is the resource and the action that count, not the type of the policies: to list keys, or to
/// read a role, is for identity policies to allow (6.1, 6.2).
fn is_explicit_only(request: &Request) -> bool {
    let Some([_, _, service, _, _, resource]) = fields(&request.resource) else { return false };
    match service {
        "kms" => resource.starts_with("key/"),
        "iam" => resource.starts_with("role/") && is_about_trust(&request.action),
        _ => false,
    }
}

/// The actions that trust policies are about (6.1).
fn is_about_trust(action: &str) -> bool {
    let Some((service, name)) = action.split_once(':') else { return false };
    let starts = |prefix: &str| {
        name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    service.eq_ignore_ascii_case("sts")
        && (starts("AssumeRole")
            || name.eq_ignore_ascii_case("TagSession")
            || name.eq_ignore_ascii_case("SetSourceIdentity"))
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Gate::ExplicitDeny(place) => {
                let kind = match place {
                    Place::Identity(_) => "an identity-based policy",
                    Place::Resource(_) => "a policy of the resource",
                    Place::Boundary(_) => "a permissions boundary",
                    Place::Session(_) => "a session policy",
                    Place::Scp(..) => "a service control policy",
                    Place::Rcp(..) => "a resource control policy",
                    Place::VpcEndpoint(_) => "a policy of the VPC endpoint",
                };
                write!(f, "{kind} denies it")
            }
            Gate::Scp(level) => {
                write!(f, "no service control policy of level {} allows it", level + 1)
            }
            Gate::VpcEndpoint(_) => f.write_str("the policy of the VPC endpoint does not allow it"),
            Gate::ResourcePolicy => f.write_str("no policy of the resource allows it"),
            Gate::Identity => f.write_str("no identity-based policy allows it"),
            Gate::Boundary(_) => f.write_str("the permissions boundary does not allow it"),
            Gate::Session => f.write_str("no session policy allows it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PolicyType;
    use crate::parse;

    const USER: &str = "arn:aws:iam::111122223333:user/ines";
    const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/reader/night";
    const FEDERATED: &str = "arn:aws:sts::111122223333:federated-user/guest";
    const ROOT: &str = "arn:aws:iam::111122223333:root";
    const SERVICE: &str = "sns.amazonaws.com";
    const ACCOUNT: &str = "111122223333";
    const OTHER_ACCOUNT: &str = "444455556666";

    #[test]
    fn the_first_gate_that_fails_is_named() {
        let all = || policies("Allow", "*");
        let none = || policies("Allow", "sqs:*");
        let mut set = PolicySet {
            identity: all(),
            resource: Some(vec![]),
            boundary: all(),
            scp: vec![all(), all()],
            vpc_endpoint: vec![of_endpoint("*")],
            ..PolicySet::default()
        };
        check(&set, USER, Decision::Allow, None);
        set.identity = none();
        check(&set, USER, Decision::ImplicitDeny, Some(Gate::Identity));
        set.identity = all();
        set.boundary = vec![all().remove(0), none().remove(0)];
        check(&set, USER, Decision::ImplicitDeny, Some(Gate::Boundary(1)));
        set.vpc_endpoint = vec![of_endpoint("sqs:*")];
        check(&set, USER, Decision::ImplicitDeny, Some(Gate::VpcEndpoint(0)));
        set.scp[1] = none();
        check(&set, USER, Decision::ImplicitDeny, Some(Gate::Scp(1)));
        set.scp[0] = vec![];
        check(&set, USER, Decision::ImplicitDeny, Some(Gate::Scp(0)));
        set.scp.push(policies("Deny", "*"));
        let place = Place::Scp(2, 0);
        check(&set, USER, Decision::ExplicitDeny, Some(Gate::ExplicitDeny(place)));
    }

    #[test]
    fn what_a_resource_policy_names_decides_who_else_must_allow() {
        // Identity, boundary and session all let it through, or none of them does.
        for (principal, entry, spares_others) in [
            (USER, r#"{"AWS": "arn:aws:iam::111122223333:user/ines"}"#, true),
            (USER, r#""*""#, true),
            (USER, r#"{"AWS": "111122223333"}"#, false),
            (SESSION, r#"{"AWS": "arn:aws:sts::111122223333:assumed-role/reader/night"}"#, true),
            (SESSION, r#"{"AWS": "arn:aws:iam::111122223333:role/reader"}"#, false),
            (SESSION, r#"{"AWS": "*"}"#, true),
            (SESSION, r#"{"AWS": "arn:aws:iam::111122223333:root"}"#, false),
            (FEDERATED, r#"{"AWS": "arn:aws:sts::111122223333:federated-user/guest"}"#, true),
        ] {
            let resource = Some(vec![of_resource("Allow", entry)]);
            let set = PolicySet {
                resource,
                boundary: policies("Allow", "sqs:*"),
                session: Some(policies("Allow", "sqs:*")),
                ..PolicySet::default()
            };
            let expected = if spares_others { Decision::Allow } else { Decision::ImplicitDeny };
            assert_eq!(decided(&set, principal, None), expected, "{principal} {entry}");
            // In another account nobody is spared.
            let elsewhere = Some(OTHER_ACCOUNT);
            assert_eq!(decided(&set, principal, elsewhere), Decision::ImplicitDeny, "{entry}");
        }
    }

    #[test]
    fn a_role_that_is_named_needs_no_identity_policy_but_is_limited() {
        let entry = r#"{"AWS": "arn:aws:iam::111122223333:role/reader"}"#;
        let mut set = PolicySet {
            resource: Some(vec![of_resource("Allow", entry)]),
            boundary: policies("Allow", "*"),
            session: Some(policies("Allow", "*")),
            ..PolicySet::default()
        };
        check(&set, SESSION, Decision::Allow, None);
        set.session = Some(policies("Allow", "sqs:*"));
        check(&set, SESSION, Decision::ImplicitDeny, Some(Gate::Session));
        set.boundary = policies("Allow", "sqs:*");
        check(&set, SESSION, Decision::ImplicitDeny, Some(Gate::Boundary(0)));
    }

    #[test]
    fn a_session_policy_may_limit_what_a_star_grants() {
        let mut set = PolicySet {
            resource: Some(vec![of_resource("Allow", r#""*""#)]),
            session: Some(policies("Allow", "sqs:*")),
            ..PolicySet::default()
        };
        let limited = Readings::DEFAULT.with(Switch::D30, true);
        let under = |set: &PolicySet, principal: &str, readings| {
            let effective = decide(set, &request(principal, None), readings);
            (effective.decision, effective.failed)
        };
        let denied = (Some(Decision::ImplicitDeny), Some(Gate::Session));
        for principal in [SESSION, FEDERATED] {
            assert_eq!(under(&set, principal, Readings::DEFAULT), (Some(Decision::Allow), None));
            assert_eq!(under(&set, principal, limited), denied);
        }
        assert_eq!(under(&set, USER, limited), (Some(Decision::Allow), None));
        set.session = None;
        assert_eq!(under(&set, SESSION, limited), (Some(Decision::Allow), None));
    }

    #[test]
    fn a_federated_user_without_session_policy_has_nothing_from_its_user() {
        let mut set = PolicySet {
            identity: policies("Allow", "*"),
            resource: Some(vec![]),
            ..PolicySet::default()
        };
        check(&set, FEDERATED, Decision::ImplicitDeny, Some(Gate::Session));
        check(&set, SESSION, Decision::Allow, None);
        set.session = Some(policies("Allow", "*"));
        check(&set, FEDERATED, Decision::Allow, None);
    }

    #[test]
    fn without_the_resource_s_side_the_principal_s_decides() {
        let mut set = PolicySet { identity: policies("Allow", "*"), ..PolicySet::default() };
        for owner in [None, Some(ACCOUNT), Some(OTHER_ACCOUNT)] {
            assert_eq!(decided(&set, USER, owner), Decision::Allow);
            assert_eq!(decided(&set, ROOT, owner), Decision::Allow);
            for principal in [SERVICE, "anonymous", "accounts.google.com"] {
                assert_eq!(decided(&set, principal, owner), Decision::ImplicitDeny);
            }
        }
        set.boundary = policies("Allow", "sqs:*");
        assert_eq!(decided(&set, USER, None), Decision::ImplicitDeny);
        // Root users have neither, but organisations limit them.
        assert_eq!(decided(&set, ROOT, None), Decision::Allow);
        set.scp = vec![policies("Allow", "sqs:*")];
        assert_eq!(decided(&set, ROOT, None), Decision::ImplicitDeny);
    }

    #[test]
    fn the_owner_is_found_in_the_request_the_arn_and_the_context() {
        let set = PolicySet {
            identity: policies("Allow", "*"),
            resource: Some(vec![]),
            ..PolicySet::default()
        };
        let mut asked = request(USER, None);
        let allows = |request: &Request| {
            decide(&set, request, Readings::DEFAULT).decision == Some(Decision::Allow)
        };
        assert!(allows(&asked));
        let value = crate::request::ContextValue::One(OTHER_ACCOUNT.to_owned());
        asked.context.insert("aws:ResourceAccount", value);
        assert!(!allows(&asked));
        let value = crate::request::ContextValue::One("aws".to_owned());
        asked.context.insert("aws:ResourceAccount", value);
        assert!(allows(&asked));
        asked.resource = "arn:aws:sqs:eu-west-3:111122223333:intake".to_owned();
        assert!(allows(&asked));
        asked.resource_account = Some(OTHER_ACCOUNT.to_owned());
        assert!(!allows(&asked));
    }

    #[test]
    fn a_key_and_a_role_to_be_assumed_need_a_policy_that_names_somebody() {
        let mut set = PolicySet {
            identity: policies("Allow", "*"),
            resource: Some(vec![]),
            ..PolicySet::default()
        };
        for (action, resource, is_explicit) in [
            ("kms:Decrypt", "arn:aws:kms:eu-west-3:111122223333:key/1", true),
            ("kms:UpdateAlias", "arn:aws:kms:eu-west-3:111122223333:alias/a", false),
            ("kms:ListKeys", "*", false),
            ("sts:AssumeRole", "arn:aws:iam::111122223333:role/x", true),
            ("STS:assumerolewithsaml", "arn:aws:iam::111122223333:role/x", true),
            ("sts:TagSession", "arn:aws:iam::111122223333:role/x", true),
            ("sts:SetSourceIdentity", "arn:aws:iam::111122223333:role/x", true),
            ("sts:GetFederationToken", "arn:aws:iam::111122223333:role/x", false),
            ("sso:AssumeRole", "arn:aws:iam::111122223333:role/x", false),
            ("iam:GetRole", "arn:aws:iam::111122223333:role/x", false),
            ("s3:GetObject", "arn:aws:s3:::b/k", false),
        ] {
            let mut request = request(USER, None);
            request.action = action.to_owned();
            request.resource = resource.to_owned();
            let effective = decide(&set, &request, Readings::DEFAULT);
            let failed = is_explicit.then_some(Gate::ResourcePolicy);
            assert_eq!(effective.failed, failed, "{action}");
        }
        let delegates = r#"{"AWS": "111122223333"}"#;
        let key = with_type(PolicyType::Kms, &of_resource_text("Allow", delegates));
        set.resource = Some(vec![key]);
        check(&set, USER, Decision::Allow, None);
        set.identity = vec![];
        check(&set, USER, Decision::ImplicitDeny, Some(Gate::Identity));
    }

    #[test]
    fn resource_control_policies_only_deny_and_not_everybody() {
        let deny = || vec![with_type(PolicyType::Rcp, &of_resource_text("Deny", r#""*""#))];
        let set = |rcp| PolicySet {
            identity: policies("Allow", "*"),
            resource: Some(vec![of_resource("Allow", r#""*""#)]),
            rcp,
            ..PolicySet::default()
        };
        // Nothing is listed that allows, and nothing has to be.
        check(&set(vec![vec![], vec![]]), USER, Decision::Allow, None);
        let gate = Some(Gate::ExplicitDeny(Place::Rcp(1, 0)));
        for principal in [USER, ROOT, SERVICE, "anonymous"] {
            check(&set(vec![vec![], deny()]), principal, Decision::ExplicitDeny, gate);
        }
        let set = set(vec![deny()]);
        let decision = |request: &Request| {
            let decision = decide(&set, request, Readings::DEFAULT).decision;
            // Of services without them the set says nothing; those who are spared have none.
            let is_controlled = decision == Some(Decision::ExplicitDeny);
            assert_eq!(is_resource_controlled(request), is_controlled, "{request:?}");
            decision
        };
        let mut linked = request(SESSION, None);
        linked.service_linked_role = true;
        assert_eq!(decision(&linked), Some(Decision::Allow));
        let mut managing = request(USER, None);
        managing.management_account = true;
        assert_eq!(decision(&managing), Some(Decision::Allow));
        managing.resource_account = Some(OTHER_ACCOUNT.to_owned());
        assert_eq!(decision(&managing), Some(Decision::ExplicitDeny));
        let mut other = request(USER, None);
        other.action = "iam:GetUser".to_owned();
        assert_eq!(decision(&other), Some(Decision::Allow));
    }

    #[test]
    fn service_control_policies_are_of_members_accounts() {
        let set = PolicySet {
            identity: policies("Allow", "*"),
            resource: Some(vec![of_resource("Allow", r#""*""#)]),
            scp: vec![policies("Deny", "*")],
            ..PolicySet::default()
        };
        let gate = Some(Gate::ExplicitDeny(Place::Scp(0, 0)));
        for principal in [USER, SESSION, FEDERATED, ROOT] {
            check(&set, principal, Decision::ExplicitDeny, gate);
        }
        for principal in [SERVICE, "anonymous"] {
            check(&set, principal, Decision::Allow, None);
        }
        for flag in ["management", "linked"] {
            let mut request = request(SESSION, None);
            request.management_account = flag == "management";
            request.service_linked_role = flag == "linked";
            let effective = decide(&set, &request, Readings::DEFAULT);
            assert_eq!(effective.decision, Some(Decision::Allow), "{flag}");
        }
    }

    #[test]
    fn a_deny_of_not_principal_hits_whoever_has_a_boundary() {
        let entry = r#"{"AWS": ["111122223333", "arn:aws:iam::111122223333:user/ines"]}"#;
        let deny = of_resource_text("Deny", entry).replace("Principal", "NotPrincipal");
        let mut set = PolicySet {
            identity: policies("Allow", "*"),
            resource: Some(vec![with_type(PolicyType::Resource, &deny)]),
            ..PolicySet::default()
        };
        check(&set, USER, Decision::Allow, None);
        set.boundary = policies("Allow", "*");
        let gate = Some(Gate::ExplicitDeny(Place::Resource(0)));
        check(&set, USER, Decision::ExplicitDeny, gate);
        // Root users have no boundary.
        check(&set, ROOT, Decision::Allow, None);
        // An Allow spares whom it lists, boundary or not.
        let allow = of_resource_text("Allow", entry).replace("Principal", "NotPrincipal");
        set.resource = Some(vec![]);
        set.vpc_endpoint = vec![with_type(PolicyType::VpcEndpoint, &allow)];
        check(&set, USER, Decision::ImplicitDeny, Some(Gate::VpcEndpoint(0)));
    }

    #[test]
    fn whom_a_bucket_policy_denies_its_owner_s_root_may_still_change_it() {
        let set = PolicySet {
            resource: Some(vec![of_resource("Deny", r#""*""#)]),
            ..PolicySet::default()
        };
        let mut request = request(ROOT, Some(ACCOUNT));
        let decision = |request: &Request| decide(&set, request, Readings::DEFAULT).decision;
        assert_eq!(decision(&request), Some(Decision::ExplicitDeny));
        request.action = "S3:putbucketpolicy".to_owned();
        assert_eq!(decision(&request), Some(Decision::Allow));
        request.resource_account = Some(OTHER_ACCOUNT.to_owned());
        assert_eq!(decision(&request), Some(Decision::ExplicitDeny));
    }

    #[test]
    fn whoever_has_credentials_may_ask_who_it_is() {
        let set = PolicySet {
            identity: policies("Deny", "*"),
            resource: Some(vec![]),
            ..PolicySet::default()
        };
        for (principal, action, expected) in [
            (USER, "sts:GetCallerIdentity", Decision::Allow),
            (SESSION, "STS:getsessiontoken", Decision::Allow),
            (USER, "sts:GetFederationToken", Decision::ExplicitDeny),
            ("anonymous", "sts:GetCallerIdentity", Decision::ImplicitDeny),
            ("accounts.google.com", "sts:GetCallerIdentity", Decision::ImplicitDeny),
        ] {
            let mut request = request(principal, None);
            request.action = action.to_owned();
            let effective = decide(&set, &request, Readings::DEFAULT);
            assert_eq!(effective.decision, Some(expected), "{principal} {action}");
        }
    }

    #[test]
    fn an_origin_access_identity_has_only_what_the_bucket_grants() {
        let arn = "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1";
        let allow = of_resource("Allow", &format!(r#"{{"AWS": "{arn}"}}"#));
        let mut set = PolicySet { resource: Some(vec![allow]), ..PolicySet::default() };
        assert_eq!(decided(&set, arn, Some(ACCOUNT)), Decision::Allow);
        set.resource = Some(vec![]);
        check(&set, arn, Decision::ImplicitDeny, Some(Gate::ResourcePolicy));
    }

    #[test]
    fn statements_are_named_with_their_places_and_effects() {
        let set = PolicySet {
            identity: policies("Allow", "*"),
            resource: Some(vec![of_resource("Allow", r#""*""#), of_resource("Deny", r#""*""#)]),
            // Not of a user.
            session: Some(policies("Deny", "*")),
            ..PolicySet::default()
        };
        let effective = decide(&set, &request(USER, None), Readings::DEFAULT);
        let matched = |place, effect| Matched { place, statement: 0, effect };
        let expected = [
            matched(Place::Resource(0), Effect::Allow),
            matched(Place::Resource(1), Effect::Deny),
            matched(Place::Identity(0), Effect::Allow),
        ];
        assert_eq!(effective.matched, expected);
        assert_eq!(effective.failed, Some(Gate::ExplicitDeny(Place::Resource(1))));
        assert_eq!(effective.failed.unwrap().to_string(), "a policy of the resource denies it");
    }

    #[test]
    fn what_takes_too_long_leaves_no_decision_unless_it_cannot_matter() {
        let mut endless = policies("Allow", "*");
        let condition =
            format!(r#"{{"StringLike": {{"aws:UserAgent": "*{}b"}}}}"#, "a".repeat(9_000));
        let text = format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "*",
                "Resource": "*", "Condition": {condition}}}}}"#
        );
        endless[0] = with_type(PolicyType::Identity, &text);
        let mut asked = request(USER, None);
        let agent = crate::request::ContextValue::One("a".repeat(9_000));
        asked.context.insert("aws:UserAgent", agent);
        let mut set =
            PolicySet { identity: endless, resource: Some(vec![]), ..PolicySet::default() };
        let effective = decide(&set, &asked, Readings::DEFAULT);
        assert_eq!((effective.decision, effective.failed), (None, None));
        assert_eq!(effective.unsupported.len(), 1);
        set.scp = vec![policies("Deny", "*")];
        let effective = decide(&set, &asked, Readings::DEFAULT);
        assert_eq!(effective.decision, Some(Decision::ExplicitDeny));
    }

    #[track_caller]
    fn check(set: &PolicySet, principal: &str, decision: Decision, failed: Option<Gate>) {
        let effective = decide(set, &request(principal, None), Readings::DEFAULT);
        assert_eq!((effective.decision, effective.failed), (Some(decision), failed));
    }

    #[track_caller]
    fn decided(set: &PolicySet, principal: &str, owner: Option<&str>) -> Decision {
        decide(set, &request(principal, owner), Readings::DEFAULT).decision.unwrap()
    }

    fn request(principal: &str, owner: Option<&str>) -> Request {
        Request {
            principal: Principal::from_text(principal).unwrap(),
            action: "s3:GetObject".to_owned(),
            resource: "arn:aws:s3:::b/k".to_owned(),
            resource_account: owner.map(str::to_owned),
            ..Request::default()
        }
    }

    /// One policy without principals, about these actions.
    fn policies(effect: &str, action: &str) -> Vec<Policy> {
        let text = format!(
            r#"{{"Version": "2012-10-17", "Statement":
                {{"Effect": "{effect}", "Action": "{action}", "Resource": "*"}}}}"#
        );
        vec![with_type(PolicyType::Identity, &text)]
    }

    fn of_endpoint(action: &str) -> Policy {
        let text = of_resource_text("Allow", r#""*""#);
        with_type(PolicyType::VpcEndpoint, &text.replace("s3:*", action))
    }

    fn of_resource(effect: &str, principal: &str) -> Policy {
        with_type(PolicyType::Resource, &of_resource_text(effect, principal))
    }

    fn of_resource_text(effect: &str, principal: &str) -> String {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "{effect}",
                "Principal": {principal}, "Action": "s3:*", "Resource": "*"}}}}"#
        )
    }

    fn with_type(policy_type: PolicyType, text: &str) -> Policy {
        parse(text, Some(policy_type)).unwrap()
    }
}
