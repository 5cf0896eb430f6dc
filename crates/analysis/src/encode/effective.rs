//! What policies of several kinds allow together: the algorithm of 5.6 as a formula.
//!
//! A request can come through in several *ways*, and each is one disjunct: an Allow statement of an
//! identity policy, with everything that then has to agree; an Allow statement of a resource
//! policy that needs nobody's consent; and, without any statement, being the root user of the
//! account that owns the resource. What may stop a request whatever the way (a Deny, an
//! organisation's policies, an endpoint's policy) is a condition of them all.
//!
//! The kind of principal decides which policies apply (table 5.2), so every policy's part is
//! guarded by it: a guardrail that does not apply does not deny either. The set's policies of the
//! principal are taken to be those of whoever asks, if he can have some, and its resource policies
//! to be those of whatever is asked for (`docs/semantics.md`, "Sets of policies").

use keyaki_logic::{Regex, Sort, Term};
use keyaki_policy::ast::{Clause, Effect, PrincipalEntry, PrincipalKind, Statement};
use keyaki_policy::catalogue;
use keyaki_policy::policy_set::{self, PolicySet};
use keyaki_policy::{Policy, PolicyType, Switch};

use super::axioms::account_id;
use super::symbols::{Kind, name, switch_variable};
use super::{Access, Encoder, Source, Way, in_literal};
use crate::question::{Place, PolicyRef, Side};

/// Kinds that can have identity policies and a permissions boundary.
const ATTACHABLE: [Kind; 3] = [Kind::User, Kind::RoleSession, Kind::FederatedUser];

/// Kinds that can have been given a session policy.
const SESSIONS: [Kind; 2] = [Kind::RoleSession, Kind::FederatedUser];

/// The Allow and the Deny statements of policies that are read together.
#[derive(Default)]
struct Halves {
    allows: Vec<(PolicyRef, usize, Term)>,
    denies: Vec<Term>,
}

/// How an Allow statement of a resource policy covers the principal: the grant classes of 2.4.
/// Each is true only if the statement matches.
struct Grant {
    at: PolicyRef,
    statement: usize,
    /// In whatever way.
    any: Term,
    /// By `*`.
    wildcard: Term,
    /// By the account.
    account: Term,
    /// By the user who asks.
    user: Term,
    /// By the role, or by the user, of whom this is a session.
    principal_of_session: Term,
    /// By the session itself.
    session: Term,
}

/// Terms of which each grant needs some.
struct Parts {
    /// The principal can have identity policies: it has, and they are these.
    attachable: Term,
    /// Each boundary allows, or there is none.
    boundary: Term,
    /// The session policies allow, or there are none to limit the principal.
    session: Term,
    /// As `session`, but that nobody is stopped for want of a session policy.
    session_given: Term,
    /// The principal's account owns the resource.
    same_account: Term,
    /// The resource's policy has to say that identity policies count (5.4).
    explicit_only: Term,
}

impl<'q> Encoder<'q> {
    /// What the set allows, and through what.
    pub(super) fn effective(&mut self, side: Side, set: &'q PolicySet) -> Access {
        let at = |place| PolicyRef { side, place: Place::Set(place) };
        let lists = Lists::new(self, set, &at);
        let grants = self.grants(set, &at);
        let parts = self.parts(set, &lists);

        let mut ways = self.identity_ways(set, &lists, &grants, &parts);
        ways.extend(self.resource_ways(&grants, &parts));
        if set.resource.is_some() {
            let term = self.is_owner_root(parts.same_account, parts.explicit_only);
            ways.push(Way { through: None, term });
        }

        let unstopped = self.nothing_stops(set, &lists, &parts);
        let some_way = self.t.or(ways.iter().map(|way| way.term));
        let allowed = self.t.and([some_way, unstopped]);
        for way in &mut ways {
            way.term = self.t.and([way.term, unstopped]);
        }
        // 6.5: nothing is asked of it, not even that nothing denies it.
        let term = self.is_free();
        ways.push(Way { through: None, term });
        let allowed = self.t.or([allowed, term]);
        Access { ways, allowed }
    }

    /// The owner's root user asks for something that is not closed to it unless a policy says
    /// otherwise (5.4).
    fn is_owner_root(&mut self, same_account: Term, explicit_only: Term) -> Term {
        let root = self.symbols.is(&mut self.t, Kind::Root);
        let ordinary = self.t.not(explicit_only);
        self.t.and([root, same_account, ordinary])
    }

    /// The request is not allowed where there is no policy at all. In questions about unions
    /// every request needs one.
    pub(super) fn needs_policy(&mut self) -> Term {
        if self.question.sets().next().is_none() {
            return self.t.bool(true);
        }
        let mut free = vec![self.is_free()];
        if self.knows_owner() {
            let (same_account, explicit_only) = (self.same_account(), self.is_explicit_only());
            free.push(self.is_owner_root(same_account, explicit_only));
        }
        let free = self.t.or(free);
        self.t.not(free)
    }

    /// Nothing denies the request and every gate is passed.
    fn nothing_stops(&mut self, set: &PolicySet, lists: &Lists, parts: &Parts) -> Term {
        let sessions = self.symbols.is_one_of(&mut self.t, &SESSIONS);
        let has_scp = self.has_scp();
        let has_rcp = self.has_rcp();
        let mut stops = Vec::new();

        for halves in std::iter::once(&lists.identity).chain(&lists.boundary) {
            let denied = self.t.or(halves.denies.iter().copied());
            stops.push(self.t.and([parts.attachable, denied]));
        }
        let denied = self.t.or(lists.session.denies.iter().copied());
        stops.push(self.t.and([sessions, denied]));

        let denied = self.t.or(lists.resource.denies.iter().copied());
        let exempt = self.is_owner_of_bucket_policy(parts.same_account);
        let not_exempt = self.t.not(exempt);
        let denied = self.t.and([denied, not_exempt]);
        stops.push(if set.resource.is_some() { denied } else { self.t.bool(false) });

        for level in &lists.scp {
            let stopped = self.stopped_by(level);
            stops.push(self.t.and([has_scp, stopped]));
        }
        // Every level allows everything beside them, and cannot be made not to (5.3).
        for level in &lists.rcp {
            let denied = self.t.or(level.denies.iter().copied());
            stops.push(self.t.and([has_rcp, denied]));
        }
        for policy in &lists.vpc_endpoint {
            stops.push(self.stopped_by(policy));
        }
        let stopped = self.t.or(stops);
        self.t.not(stopped)
    }

    /// Some Deny statement matches, or no Allow statement does.
    fn stopped_by(&mut self, halves: &Halves) -> Term {
        let allowed = self.allows(halves);
        let not_allowed = self.t.not(allowed);
        self.t.or(halves.denies.iter().copied().chain([not_allowed]))
    }

    fn allows(&mut self, halves: &Halves) -> Term {
        self.t.or(halves.allows.iter().map(|(_, _, term)| *term))
    }

    /// The ways through the principal's own policies.
    fn identity_ways(
        &mut self,
        set: &PolicySet,
        lists: &Lists,
        grants: &[Grant],
        parts: &Parts,
    ) -> Vec<Way> {
        let consent = if set.resource.is_some() {
            let any = self.t.or(grants.iter().map(|grant| grant.any));
            let account = self.t.or(grants.iter().map(|grant| grant.account));
            let ordinary = self.t.not(parts.explicit_only);
            let delegated = self.t.or([ordinary, account]);
            let within = self.t.and([parts.same_account, delegated]);
            let other_account = self.t.not(parts.same_account);
            let across = self.t.and([other_account, any]);
            self.t.or([within, across])
        } else {
            self.t.bool(true)
        };
        let allows = lists.identity.allows.iter().map(|&(at, statement, matches)| {
            let needs = [matches, parts.attachable, parts.boundary, parts.session, consent];
            Way { through: Some((at, statement)), term: self.t.and(needs) }
        });
        allows.collect()
    }

    /// The ways through a statement of the resource's policy alone.
    fn resource_ways(&mut self, grants: &[Grant], parts: &Parts) -> Vec<Way> {
        grants
            .iter()
            .map(|grant| {
                let term = self.granted_directly(grant, parts);
                Way { through: Some((grant.at, grant.statement)), term }
            })
            .collect()
    }

    /// The statement lets the principal in and no policy of his is needed (5.4, 5.6).
    fn granted_directly(&mut self, grant: &Grant, parts: &Parts) -> Term {
        let root = self.symbols.is(&mut self.t, Kind::Root);
        let t = &mut self.t;
        let other_account = t.not(parts.same_account);

        let others = t.or([parts.attachable, root]);
        let others = t.not(others);
        let outsider = t.and([others, grant.any]);

        let to_account = t.or([grant.account, grant.wildcard]);
        let from_outside = t.and([other_account, grant.any]);
        // Of an ordinary resource the owner's root user needs no statement.
        let to_root = t.and([parts.same_account, parts.explicit_only, to_account]);
        let to_root = t.or([from_outside, to_root]);
        let to_root = t.and([root, to_root]);

        let unlimited = t.or([grant.wildcard, grant.session]);
        let unlimited = t.and([unlimited, parts.session_given]);
        let limited = t.and([grant.principal_of_session, parts.boundary, parts.session]);
        let to_own = t.or([unlimited, grant.user, limited]);
        let to_own = t.and([parts.attachable, parts.same_account, to_own]);

        t.or([outsider, to_root, to_own])
    }

    fn parts(&mut self, set: &PolicySet, lists: &Lists) -> Parts {
        let attachable = self.is_attachable();
        let sessions = self.symbols.is_one_of(&mut self.t, &SESSIONS);
        let boundaries: Vec<Term> =
            lists.boundary.iter().map(|boundary| self.allows(boundary)).collect();
        let boundary = self.t.and(boundaries);
        let no_session = self.t.not(sessions);
        let (session, limits) = match set.session {
            // A federated user without session policy is let in by nothing of his own (5.2).
            None => {
                let federated = self.symbols.is(&mut self.t, Kind::FederatedUser);
                (self.t.not(federated), self.t.bool(true))
            }
            Some(_) => {
                let allowed = self.allows(&lists.session);
                let unlimited = self.t.or([no_session, allowed]);
                (unlimited, unlimited)
            }
        };
        // D30
        let always = self.t.var(&switch_variable(Switch::D30), Sort::Bool);
        let session_given = self.t.implies(always, limits);
        let (same_account, explicit_only) = match set.resource {
            Some(_) => (self.same_account(), self.is_explicit_only()),
            None => (self.t.bool(true), self.t.bool(false)),
        };
        Parts { attachable, boundary, session, session_given, same_account, explicit_only }
    }

    /// How each Allow statement of the resource's policies covers the principal.
    fn grants(
        &mut self,
        set: &'q PolicySet,
        at: &impl Fn(policy_set::Place) -> PolicyRef,
    ) -> Vec<Grant> {
        let mut grants = Vec::new();
        for (index, policy) in set.resource.iter().flatten().enumerate() {
            let at = at(policy_set::Place::Resource(index));
            for statement in policy.statements.iter().filter(|s| s.effect == Effect::Allow) {
                grants.push(self.grant(Source { at, policy, statement }));
            }
        }
        grants
    }

    fn grant(&mut self, source: Source<'_>) -> Grant {
        let Source { at, statement, .. } = source;
        let any = self.statement(source);
        let asked_for = self.asked_for(source);
        let mut covered = |kinds: fn(&PrincipalKind) -> bool| match &statement.principal {
            Some(clause) if !clause.negated => {
                let entries = clause.entries.iter().filter(|entry| kinds(&entry.kind));
                let covered = self.covered_by(entries);
                self.t.and([covered, asked_for])
            }
            _ => self.t.bool(false),
        };
        use PrincipalKind::*;
        let everyone = covered(|kind| matches!(kind, Everyone | EveryAwsPrincipal));
        let account = covered(|kind| matches!(kind, Account { .. } | CanonicalUser(_)));
        let named = covered(|kind| matches!(kind, User(_) | Role(_) | UniqueId(_)));
        let session = covered(|kind| matches!(kind, RoleSession { .. } | FederatedUser(_)));
        // D13: whom `NotPrincipal` does not list, it allows like everybody.
        let negated = statement.principal.as_ref().is_some_and(|clause| clause.negated);
        let wildcard = if negated { any } else { everyone };
        let is_user = self.symbols.is(&mut self.t, Kind::User);
        let not_user = self.t.not(is_user);
        let user = self.t.and([named, is_user]);
        let principal_of_session = self.t.and([named, not_user]);
        let statement = statement.index;
        Grant { at, statement, any, wildcard, account, user, principal_of_session, session }
    }

    /// The statements of policies that are read together, each as a term.
    fn halves<'p>(&mut self, policies: impl Iterator<Item = (PolicyRef, &'p Policy)>) -> Halves {
        let mut halves = Halves::default();
        for (at, policy) in policies {
            for statement in &policy.statements {
                let matches = self.statement(Source { at, policy, statement });
                match statement.effect {
                    Effect::Allow => halves.allows.push((at, statement.index, matches)),
                    Effect::Deny => halves.denies.push(matches),
                }
            }
        }
        halves
    }

    /// As [`Encoder::halves`], but that a Deny with `NotPrincipal` matches everybody who has a
    /// permissions boundary (2.5).
    fn halves_with_boundary<'p>(
        &mut self,
        policies: impl Iterator<Item = (PolicyRef, &'p Policy)>,
        has_boundary: bool,
    ) -> Halves {
        let policies: Vec<_> = policies.collect();
        let mut halves = self.halves(policies.iter().copied());
        if has_boundary {
            let attachable = self.is_attachable();
            let denies_others = |statement: &&Statement| {
                let negated = |clause: &Clause<PrincipalEntry>| clause.negated;
                statement.effect == Effect::Deny
                    && statement.principal.as_ref().is_some_and(negated)
            };
            for (at, policy) in policies {
                for statement in policy.statements.iter().filter(denies_others) {
                    let asked_for = self.asked_for(Source { at, policy, statement });
                    halves.denies.push(self.t.and([attachable, asked_for]));
                }
            }
        }
        halves
    }

    /// The principal can have identity policies and a boundary: users, role sessions and federated
    /// users of an account. Origin access identities have the form of users.
    fn is_attachable(&mut self) -> Term {
        let kind = self.symbols.is_one_of(&mut self.t, &ATTACHABLE);
        let cloudfront = in_literal(&mut self.t, self.symbols.account, "cloudfront");
        let of_account = self.t.not(cloudfront);
        self.t.and([kind, of_account])
    }

    /// The principal is of an account, so that service control policies apply (5.2).
    fn has_scp(&mut self) -> Term {
        let root = self.symbols.is(&mut self.t, Kind::Root);
        let attachable = self.is_attachable();
        self.t.or([root, attachable])
    }

    /// Resource control policies apply to the action (5.3).
    pub(super) fn has_rcp(&mut self) -> Term {
        let covered = catalogue::services().filter(|s| catalogue::is_resource_controlled(s));
        let services = covered.map(|s| Regex::Literal(s.to_owned()));
        let services = Regex::Union(services.collect());
        let service = self.t.in_re(self.symbols.action_service, services);
        let retire = self.is_action("kms", "retiregrant");
        let other = self.t.not(retire);
        self.t.and([service, other])
    }

    fn is_action(&mut self, service: &str, action: &str) -> Term {
        let service = in_literal(&mut self.t, self.symbols.action_service, service);
        let name = in_literal(&mut self.t, self.symbols.action_name, action);
        self.t.and([service, name])
    }

    /// A call that nobody with credentials is refused (6.5).
    fn is_free(&mut self) -> Term {
        let unsigned = self.symbols.is_one_of(&mut self.t, &[Kind::Anonymous, Kind::Federated]);
        let signed = self.t.not(unsigned);
        let actions = ["getcalleridentity", "getsessiontoken"];
        let actions = actions.map(|action| self.is_action("sts", action));
        let action = self.t.or(actions);
        self.t.and([signed, action])
    }

    /// The owner's root user reads or changes a bucket's policy, whatever that policy denies (6.3).
    fn is_owner_of_bucket_policy(&mut self, same_account: Term) -> Term {
        let root = self.symbols.is(&mut self.t, Kind::Root);
        let actions = ["get", "put", "delete"]
            .map(|verb| self.is_action("s3", &format!("{verb}bucketpolicy")));
        let action = self.t.or(actions);
        self.t.and([root, same_account, action])
    }

    /// The account that owns the resource is the principal's, or none owns it but AWS itself: an
    /// AWS managed policy is read with an identity-based policy alone.
    fn same_account(&mut self) -> Term {
        let owner = self.owner();
        let equal = self.t.eq(owner, self.symbols.account);
        let is_account = self.t.in_re(owner, account_id());
        let of_aws = self.t.not(is_account);
        let open = self.t.or([equal, of_aws]);
        let has_account = self.t.in_re(self.symbols.account, account_id());
        let iam = self.symbols.is_one_of(&mut self.t, &Kind::IAM);
        self.t.and([iam, has_account, open])
    }

    /// Whether requests have an owner of their resource: whether a set has the resource's side, or
    /// there is a zone of trust, of which the owner is.
    pub(super) fn knows_owner(&self) -> bool {
        self.question.zones().next().is_some()
            || self.question.sets().any(|set| set.resource.is_some())
    }

    /// Whether principals of this kind are among those that the question is about (5.2).
    pub(super) fn can_ask(&self, kind: Kind) -> bool {
        let of_union = |policy_type| match policy_type {
            PolicyType::Identity | PolicyType::Boundary => ATTACHABLE.contains(&kind),
            PolicyType::Session => SESSIONS.contains(&kind),
            PolicyType::Scp => Kind::IAM.contains(&kind),
            PolicyType::Resource
            | PolicyType::Rcp
            | PolicyType::Trust
            | PolicyType::Kms
            | PolicyType::VpcEndpoint => true,
        };
        // What the principal's side lets through is a question about those who have one; who was
        // given a session policy is a session.
        let of_set = |set: &PolicySet| {
            (set.resource.is_some() || ATTACHABLE.contains(&kind))
                && (set.session.is_none() || kind != Kind::User)
        };
        self.question.policies().all(|(at, policy)| match at.place {
            Place::Union(_) => of_union(policy.policy_type),
            Place::Set(_) => true,
        }) && self.question.sets().all(of_set)
    }

    /// What requests are that sets decide: facts about owners and endpoints.
    pub(super) fn facts_about_sets(&mut self) -> Vec<(&'static str, Term)> {
        let mut facts = Vec::new();
        if self.knows_owner() {
            let owner = self.owner();
            let equal = self.t.eq(owner, self.symbols.resource_account);
            let account = self.t.in_re(owner, account_id());
            let empty = in_literal(&mut self.t, owner, "");
            let some = self.t.not(empty);
            // Nothing but an ARN names an account.
            let is_arn = self.t.not(self.symbols.is_star);
            let as_named = self.t.and([is_arn, equal, some]);
            // What belongs to AWS has `aws` for its account.
            let shape = self.t.or([account, as_named]);
            facts.push(("the owner of the resource is an account", shape));
            let named = self.arn_names_owner();
            facts.push(("R25: the ARN names the owner", self.t.implies(named, equal)));
            if let Some((present, account)) = self.account_in("aws:resourceaccount") {
                let equal = self.t.eq(owner, account);
                facts.push(("aws:ResourceAccount is the owner", self.t.implies(present, equal)));
            }
            // Such an action is about the caller's account (2.3).
            let has_account = self.has_scp();
            let premise = self.t.and([self.symbols.is_star, has_account]);
            let equal = self.t.eq(owner, self.symbols.account);
            facts.push(("`*` stands for the caller's account", self.t.implies(premise, equal)));
        }
        if self.question.sets().any(|set| !set.vpc_endpoint.is_empty()) {
            let address = self.presence_if_mentioned("aws:sourceip");
            facts.push(("R12: the request came through an endpoint", self.t.not(address)));
        }
        facts
    }

    /// The account that owns the resource.
    pub(super) fn owner(&mut self) -> Term {
        self.t.var(name::OWNER, Sort::String)
    }

    /// A KMS key, or a role that is to be assumed (5.6): identity policies count only if the
    /// resource's policy says so.
    fn is_explicit_only(&mut self) -> Term {
        let s = self.symbols.clone();
        let t = &mut self.t;
        let begins =
            |prefix: &str| Regex::Concat(vec![Regex::Literal(prefix.to_owned()), Regex::All]);
        let is_kms = in_literal(t, s.resource_service, "kms");
        let is_key = t.in_re(s.resource_id, begins("key/"));
        let key = t.and([is_kms, is_key]);
        let sts = in_literal(t, s.action_service, "sts");
        let about_trust = Regex::Union(vec![
            begins("assumerole"),
            Regex::Literal("tagsession".to_owned()),
            Regex::Literal("setsourceidentity".to_owned()),
        ]);
        let about_trust = t.in_re(s.action_name, about_trust);
        let is_iam = in_literal(t, s.resource_service, "iam");
        let is_role = t.in_re(s.resource_id, begins("role/"));
        let role = t.and([sts, about_trust, is_iam, is_role]);
        let either = t.or([key, role]);
        let is_arn = t.not(s.is_star);
        t.and([is_arn, either])
    }
}

/// The statements of a set, by what they are read together with.
struct Lists {
    identity: Halves,
    resource: Halves,
    boundary: Vec<Halves>,
    session: Halves,
    scp: Vec<Halves>,
    rcp: Vec<Halves>,
    vpc_endpoint: Vec<Halves>,
}

impl Lists {
    fn new<'q>(
        encoder: &mut Encoder<'q>,
        set: &'q PolicySet,
        at: &impl Fn(policy_set::Place) -> PolicyRef,
    ) -> Lists {
        use policy_set::Place;
        fn list(
            policies: &[Policy],
            place: impl Fn(usize) -> PolicyRef,
        ) -> Vec<(PolicyRef, &Policy)> {
            policies.iter().enumerate().map(|(index, policy)| (place(index), policy)).collect()
        }
        let has_boundary = !set.boundary.is_empty();
        let resource = set.resource.as_deref().unwrap_or_default();
        let resource = list(resource, |index| at(Place::Resource(index)));
        let boundary = list(&set.boundary, |index| at(Place::Boundary(index)));
        let session = set.session.as_deref().unwrap_or_default();
        let session = list(session, |index| at(Place::Session(index)));
        let identity = list(&set.identity, |index| at(Place::Identity(index)));
        let endpoint = list(&set.vpc_endpoint, |index| at(Place::VpcEndpoint(index)));
        let mut levels = |levels: &[Vec<Policy>], place: fn(usize, usize) -> Place| {
            let levels = levels.iter().enumerate().map(|(level, policies)| {
                encoder.halves(list(policies, |index| at(place(level, index))).into_iter())
            });
            levels.collect::<Vec<Halves>>()
        };
        Lists {
            scp: levels(&set.scp, Place::Scp),
            rcp: levels(&set.rcp, Place::Rcp),
            identity: encoder.halves(identity.into_iter()),
            resource: encoder.halves_with_boundary(resource.into_iter(), has_boundary),
            boundary: boundary.into_iter().map(|p| encoder.halves([p].into_iter())).collect(),
            session: encoder.halves(session.into_iter()),
            vpc_endpoint: endpoint
                .into_iter()
                .map(|p| encoder.halves_with_boundary([p].into_iter(), has_boundary))
                .collect(),
        }
    }
}
