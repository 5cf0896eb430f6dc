//! What a request is: shapes of the primary variables, and the relations R1–R35 between the keys
//! that the question mentions (section 8 of the specification, as narrowed by "The universe" in
//! `docs/semantics.md`). A relation that is not certain is in force under one reading of its switch.
//!
//! With an axiom too few we report a request that cannot happen; with one too many we prove a
//! falsehood. Each is checked on witnesses by [`crate::replay`], which states it a second time.

mod elements;
mod organisations;
mod switched;

use keyaki_logic::{Regex, Sort, Term};
use keyaki_policy::catalogue::{Cardinality, KeySort};

use super::decimal::{self, Comparison};
use super::symbols::{ARN_FIELDS, Key, Kind};
use super::{Encoder, base64, instant};

/// Keys of a request through a VPC endpoint (7.3).
const ENDPOINT_KEYS: [&str; 7] = [
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:vpcsourceip",
    "aws:sourcevpcarn",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:vpceorgpaths",
];

/// Keys of a role session's credentials (7.2), which come with `aws:TokenIssueTime` (R21).
const ROLE_SESSION_KEYS: [&str; 15] = [
    "aws:assumedroot",
    "aws:signinsessionarn",
    "aws:chatbotsourcearn",
    "aws:ec2instancesourcevpc",
    "aws:ec2instancesourceprivateipv4",
    "aws:sourceidentity",
    "ec2:roledelivery",
    "ec2:sourceinstancearn",
    "glue:roleassumedby",
    "glue:credentialissuingservice",
    "codebuild:buildarn",
    "codebuild:projectarn",
    "lambda:sourcefunctionarn",
    "ssm:sourceinstancearn",
    "identitystore:userid",
];

/// Keys that an anonymous request lacks (R1), besides tags and role session keys.
const ABSENT_WITHOUT_CREDENTIALS: [&str; 15] = [
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalisawsservice",
    "aws:principalservicename",
    "aws:principalservicenameslist",
    "aws:username",
    "aws:tokenissuetime",
    "aws:multifactorauthpresent",
    "aws:multifactorauthage",
    "aws:calledvia",
    "aws:calledviafirst",
    "aws:calledvialast",
    "aws:calledviaawsmcp",
    // R31: it follows from the account.
    "kms:calleraccount",
];

/// Keys that every request has (R19), but for `aws:UserAgent`, of which that is not certain.
const ALWAYS_PRESENT: [&str; 5] = [
    "aws:currenttime",
    "aws:epochtime",
    "aws:securetransport",
    "aws:requestedregion",
    "aws:viaawsservice",
];

impl Encoder<'_> {
    /// The axioms, labelled.
    pub(super) fn axioms(&mut self) -> Vec<(String, Term)> {
        // R27 speaks of the resource's account even where no policy does.
        if self.has("aws:principalorgid") && self.has("aws:resourceorgid") {
            self.key("aws:ResourceAccount");
        }
        let mut axioms = Vec::new();
        let mut add = |label: &str, term: Term| axioms.push((label.to_owned(), term));
        add("R2, R4, R5: shapes of the principal", self.principal_shapes());
        add("the kinds that this type of policy speaks of", self.kinds());
        add("R5, R6: the principal's name", self.name_of_principal());
        add("a user's session has one user", self.one_base_user());
        add("shape of the action", self.action_shape());
        add("shape of the resource", self.resource_shape());
        let keys: Vec<Key> = self.keys.values().cloned().collect();
        for key in &keys {
            let shape = self.key_shape(key);
            if self.t.as_bool(shape) != Some(true) {
                add(&format!("shape of {}", key.spelling), shape);
            }
            let elements = self.element_shapes(key);
            if self.t.as_bool(elements) != Some(true) {
                add(&format!("elements of {}", key.spelling), elements);
            }
            let presence = self.presence_of(key);
            if self.t.as_bool(presence) != Some(true) {
                add(&format!("R1, R6, R8, R19, R21: presence of {}", key.spelling), presence);
            }
        }
        add("R7, R26: organisation id and paths come together", self.organisation_pairs());
        add("R7, R26, R28: paths begin with the organisation id", self.organisation_paths());
        add("R12, R14: VPC endpoints", self.endpoints());
        add("R14: the VPC and its ARN", self.vpc_arn());
        add("R17: calls on somebody's behalf", self.called_via());
        add("R17: first and last are among all", self.first_and_last());
        add("R21: keys of sessions come with a token", self.session_keys());
        add("R24: federated providers", self.federated_provider());
        add("R25: owner of the resource", self.resource_owner());
        add("R27, R28: an account is in one organisation", self.one_organisation());
        add("R31: kms:CallerAccount", self.caller_account());
        for (label, term) in self.facts_about_sets() {
            add(label, term);
        }
        for (label, term) in self.facts_about_zone() {
            add(label, term);
        }
        axioms.extend(self.switched());
        axioms.retain(|(_, term)| self.t.as_bool(*term) != Some(true));
        axioms
    }

    fn has(&self, key: &str) -> bool {
        self.keys.contains_key(key)
    }

    /// The presence of a key, or falsehood if the question does not mention it.
    pub(super) fn presence_if_mentioned(&mut self, key: &str) -> Term {
        match self.keys.get(key).cloned() {
            Some(key) => self.present(&key),
            None => self.t.bool(false),
        }
    }

    fn principal_shapes(&mut self) -> Term {
        let s = self.symbols.clone();
        let t = &mut self.t;
        let partition = t.in_re(s.partition, Regex::plus(visible_but_colon()));
        let digits = t.in_re(s.account, account_id());
        let cloudfront = super::in_literal(t, s.account, "cloudfront");
        let user = s.is(t, Kind::User);
        let origin_access_identity = t.and([user, cloudfront]);
        let account = t.or([digits, origin_access_identity]);
        let mut shapes = vec![partition, account];
        let resources = [
            (Kind::Root, Regex::Literal("root".to_owned())),
            (Kind::User, named("user/")),
            (Kind::RoleSession, named("role/")),
            (
                Kind::FederatedUser,
                Regex::Concat(vec![
                    Regex::Literal("federated-user/".to_owned()),
                    Regex::plus(Regex::Chars(vec![('!', '.'), ('0', '9'), (';', '~')])),
                ]),
            ),
        ];
        for (kind, resource) in resources {
            let kind = s.is(t, kind);
            let resource = t.in_re(s.principal, resource);
            shapes.push(t.implies(kind, resource));
        }
        let id = Regex::plus(visible_but_colon());
        let session = Regex::Chars(vec![
            ('+', '.'),
            ('0', '9'),
            ('=', '='),
            ('@', 'Z'),
            ('_', '_'),
            ('a', 'z'),
        ]);
        let session_id = Regex::Concat(vec![
            id.clone(),
            Regex::Literal(":".to_owned()),
            Regex::Repeat(Box::new(session.clone()), 2),
            Regex::Star(Box::new(session)),
        ]);
        for (kind, shape) in [(Kind::User, id), (Kind::RoleSession, session_id)] {
            let kind = s.is(t, kind);
            let shape = t.in_re(s.user_id, shape);
            shapes.push(t.implies(kind, shape));
        }
        let names = [
            (Kind::Service, s.service),
            (Kind::Federated, s.provider),
            (Kind::CanonicalUser, s.canonical),
        ];
        for (kind, variable) in names {
            let kind = s.is(t, kind);
            let empty = super::in_literal(t, variable, "");
            let not_empty = t.not(empty);
            shapes.push(t.implies(kind, not_empty));
        }
        self.t.and(shapes)
    }

    /// Policies without `Principal` are attached to some kinds only (5.2).
    fn kinds(&mut self) -> Term {
        let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| self.can_ask(*kind)).collect();
        if kinds.len() == Kind::ALL.len() {
            return self.t.bool(true);
        }
        let kinds = self.symbols.is_one_of(&mut self.t, &kinds);
        let account = self.t.in_re(self.symbols.account, account_id());
        self.t.and([kinds, account])
    }

    /// A federated user's session was got by at most one user, of the same account and partition.
    fn one_base_user(&mut self) -> Term {
        let users = self.base_users.clone();
        let mut parts = Vec::new();
        let variables: Vec<Term> =
            users.iter().map(|(name, _)| self.t.var(name, Sort::Bool)).collect();
        for (i, (&variable, (_, user))) in variables.iter().zip(&users).enumerate() {
            let kind = self.symbols.is(&mut self.t, Kind::FederatedUser);
            let partition = super::in_literal(&mut self.t, self.symbols.partition, &user.partition);
            let account = super::in_literal(&mut self.t, self.symbols.account, &user.account);
            let consequence = self.t.and([kind, partition, account]);
            parts.push(self.t.implies(variable, consequence));
            for &other in &variables[..i] {
                let both = self.t.and([variable, other]);
                parts.push(self.t.not(both));
            }
        }
        self.t.and(parts)
    }

    fn action_shape(&mut self) -> Term {
        let name = Regex::Chars(vec![('-', '-'), ('0', '9'), ('_', '_'), ('a', 'z')]);
        let service = Regex::plus(lower_digit_hyphen());
        let service = self.t.in_re(self.symbols.action_service, service);
        let name = self.t.in_re(self.symbols.action_name, Regex::plus(name));
        self.t.and([service, name])
    }

    /// Any partition, region and account: no policy is safe because of a placeholder such as
    /// `<region>` in an ARN, or an account of eleven digits.
    fn resource_shape(&mut self) -> Term {
        let s = self.symbols.clone();
        let t = &mut self.t;
        let service = Regex::Star(Box::new(lower_digit_hyphen()));
        let service = t.in_re(s.resource_service, service);
        let any = Regex::Star(Box::new(visible_but_colon()));
        let region = t.in_re(s.resource_region, any.clone());
        let account = t.in_re(s.resource_account, any);
        let empty = super::in_literal(t, s.resource_id, "");
        let not_empty = t.not(empty);
        t.and([service, region, account, not_empty])
    }

    /// The value's variables, whatever the operators made of them.
    fn key_shape(&mut self, key: &Key) -> Term {
        let present = self.present(key);
        let mut shapes = vec![self.value_shape(key)];
        // R1: nobody but the anonymous is called so.
        let reserved = match key.lower.as_str() {
            "aws:principalaccount" | "aws:userid" => Some("anonymous"),
            "aws:principaltype" => Some("Anonymous"),
            _ => None,
        };
        if let Some(reserved) = reserved {
            let value = self.t.var(&key.value(), Sort::String);
            let equal = super::in_literal(&mut self.t, value, reserved);
            shapes.push(self.t.not(equal));
        }
        if key.cardinality.is_none() {
            let list = self.is_list(key, present);
            shapes.push(self.t.implies(list, present));
        }
        self.t.and(shapes)
    }

    /// What holds of the variables of every value of the key, each element of a list included.
    fn value_shape(&mut self, key: &Key) -> Term {
        let mut shapes = Vec::new();
        if key.sort == KeySort::Arn {
            for field in &ARN_FIELDS[..4] {
                let variable = self.t.var(&key.field(field), Sort::String);
                let visible = Regex::Star(Box::new(visible_but_colon()));
                shapes.push(self.t.in_re(variable, visible));
            }
        }
        let present = self.present(key);
        let shape = match key.sort {
            // D16, and no plus sign: what AWS writes.
            KeySort::Number if self.usage.is_place(key) => return self.t.and(shapes),
            KeySort::Number => decimal::shape(),
            KeySort::Binary => base64::shape(),
            KeySort::Date => {
                shapes.push(self.instant_shape(key));
                return self.t.and(shapes);
            }
            KeySort::String | KeySort::Arn | KeySort::Bool | KeySort::Address => {
                return self.t.and(shapes);
            }
        };
        let value = self.t.var(&key.value(), Sort::String);
        let well_formed = self.t.in_re(value, shape);
        shapes.push(self.t.implies(present, well_formed));
        self.t.and(shapes)
    }

    /// A date that can be written.
    fn instant_shape(&mut self, key: &Key) -> Term {
        let present = self.present(key);
        let value = self.t.var(&key.instant(), Sort::Bits(instant::BITS));
        let bounds = [
            (Comparison::GreaterOrEqual, instant::FIRST),
            (Comparison::LessOrEqual, instant::LAST),
        ];
        let bounds = bounds
            .map(|(comparison, bound)| instant::compare(&mut self.t, value, comparison, bound));
        let well_formed = self.t.and(bounds);
        self.t.implies(present, well_formed)
    }

    /// For which kinds of principal the key is certainly there, and for which certainly not.
    fn presence_of(&mut self, key: &Key) -> Term {
        use Kind::*;
        let (always, never): (&[Kind], &[Kind]) = match key.lower.as_str() {
            "aws:principalarn" => (&Kind::IAM, &[Anonymous]),
            "aws:principalaccount" | "aws:principaltype" | "aws:userid" => {
                (&[Anonymous, Root, User, RoleSession, FederatedUser], &[])
            }
            "aws:username" => (&[User], &[Anonymous, Root, RoleSession, FederatedUser, Service]),
            "aws:principalisawsservice" => {
                (&[Root, User, RoleSession, FederatedUser, Service], &[Anonymous])
            }
            // R8: with `aws:PrincipalIsAWSService` true, and only then.
            "aws:principalservicename" | "aws:principalservicenameslist" => (
                &[Service],
                &[Anonymous, Root, User, RoleSession, FederatedUser, Federated, CanonicalUser],
            ),
            "aws:tokenissuetime" => (&[RoleSession, FederatedUser], &[Anonymous]),
            lower if lower.starts_with("aws:principaltag/") => (&[], &[Anonymous, Service]),
            lower if ALWAYS_PRESENT.contains(&lower) => (&Kind::ALL, &[]),
            lower
                if ABSENT_WITHOUT_CREDENTIALS.contains(&lower)
                    || ROLE_SESSION_KEYS.contains(&lower) =>
            {
                (&[], &[Anonymous])
            }
            _ => (&[], &[]),
        };
        let present = self.present(key);
        let absent = self.t.not(present);
        let always = self.symbols.is_one_of(&mut self.t, always);
        let never = self.symbols.is_one_of(&mut self.t, never);
        let there = self.t.implies(always, present);
        let not_there = self.t.implies(never, absent);
        self.t.and([there, not_there])
    }

    /// Each implication is stated for the keys mentioned; between them the list is closed under
    /// what follows through keys that are not.
    fn endpoints(&mut self) -> Term {
        let mut parts = Vec::new();
        let mut implied = |encoder: &mut Self, premise: &str, conclusion: &str, holds: bool| {
            if encoder.has(premise) && encoder.has(conclusion) {
                let premise = encoder.presence_if_mentioned(premise);
                let conclusion = encoder.presence_if_mentioned(conclusion);
                let conclusion = if holds { conclusion } else { encoder.t.not(conclusion) };
                parts.push(encoder.t.implies(premise, conclusion));
            }
        };
        for key in ENDPOINT_KEYS {
            implied(self, key, "aws:sourceip", false);
        }
        for key in &ENDPOINT_KEYS[3..] {
            implied(self, key, "aws:sourcevpce", true);
        }
        for key in ["aws:vpceorgid", "aws:vpceorgpaths"] {
            implied(self, key, "aws:vpceaccount", true);
        }
        self.t.and(parts)
    }

    fn called_via(&mut self) -> Term {
        const KEYS: [&str; 3] = ["aws:calledvia", "aws:calledviafirst", "aws:calledvialast"];
        let mentioned: Vec<Term> = KEYS
            .into_iter()
            .filter(|key| self.has(key))
            .collect::<Vec<_>>()
            .into_iter()
            .map(|key| self.presence_if_mentioned(key))
            .collect();
        let mut parts = Vec::new();
        for pair in mentioned.windows(2) {
            parts.push(self.t.iff(pair[0], pair[1]));
        }
        if let Some(via) = self.keys.get("aws:viaawsservice").cloned() {
            let via = self.t.var(&via.value(), Sort::Bool);
            let some = self.t.or(mentioned);
            parts.push(self.t.implies(some, via));
            // R8: a service calls for itself here.
            let service = self.symbols.is(&mut self.t, Kind::Service);
            let not_via = self.t.not(via);
            parts.push(self.t.implies(service, not_via));
        }
        let service = self.symbols.is(&mut self.t, Kind::Service);
        let not_service = self.t.not(service);
        for key in KEYS {
            // R8 with R17.
            let present = self.presence_if_mentioned(key);
            parts.push(self.t.implies(present, not_service));
        }
        self.t.and(parts)
    }

    fn session_keys(&mut self) -> Term {
        let Some(token) = self.keys.get("aws:tokenissuetime").cloned() else {
            return self.t.bool(true);
        };
        let keys = ROLE_SESSION_KEYS.map(|key| self.presence_if_mentioned(key));
        let some = self.t.or(keys);
        let token = self.present(&token);
        self.t.implies(some, token)
    }

    fn federated_provider(&mut self) -> Term {
        let present = self.presence_if_mentioned("aws:federatedprovider");
        let kinds = [Kind::RoleSession, Kind::Federated];
        let kinds = self.symbols.is_one_of(&mut self.t, &kinds);
        self.t.implies(present, kinds)
    }

    /// The owner's account is the one in the ARN, and has no colon whether it is in there or not.
    fn resource_owner(&mut self) -> Term {
        let Some((present, owner)) = self.account_in("aws:resourceaccount") else {
            return self.t.bool(true);
        };
        let named = self.arn_names_owner();
        let equal = self.t.eq(owner, self.symbols.resource_account);
        let is_named = self.t.implies(named, equal);
        // cvc5 1.0.3 does not come back from the same said as a language of its own.
        let colon = Regex::Concat(vec![Regex::All, Regex::Literal(":".to_owned()), Regex::All]);
        let several_fields = self.t.in_re(owner, colon);
        let one_field = self.t.not(several_fields);
        let shape = self.t.and([is_named, one_field]);
        self.t.implies(present, shape)
    }

    /// True if and only if the account field of the resource's ARN is its owner for certain: twelve
    /// digits, but for what [leads elsewhere](Self::leads_elsewhere).
    pub(super) fn arn_names_owner(&mut self) -> Term {
        let elsewhere = self.leads_elsewhere();
        let own = self.t.not(elsewhere);
        let is_arn = self.t.not(self.symbols.is_star);
        let digits = self.t.in_re(self.symbols.resource_account, account_id());
        self.t.and([is_arn, digits, own])
    }

    /// True if and only if the resource leads to another, which may be of another account: S3
    /// access points and `kafka:vpc-connection` (R25).
    fn leads_elsewhere(&mut self) -> Term {
        let mut ways = Vec::new();
        for (service, id) in [("s3", "accesspoint"), ("kafka", "vpc-connection")] {
            let service = super::in_literal(&mut self.t, self.symbols.resource_service, service);
            let id = Regex::Concat(vec![Regex::Literal(id.to_owned()), Regex::All]);
            let id = self.t.in_re(self.symbols.resource_id, id);
            ways.push(self.t.and([service, id]));
        }
        self.t.or(ways)
    }

    /// The account that a key names, with when it does; none if the question does not mention it.
    pub(super) fn account_in(&mut self, key: &str) -> Option<(Term, Term)> {
        let key = self.keys.get(key).cloned()?;
        Some((self.present(&key), self.t.var(&key.value(), Sort::String)))
    }

    fn caller_account(&mut self) -> Term {
        let Some(key) = self.keys.get("kms:calleraccount").cloned() else {
            return self.t.bool(true);
        };
        debug_assert_ne!(key.cardinality, Some(Cardinality::Multi), "7.6 has it single-valued");
        let present = self.present(&key);
        let iam = self.symbols.is_one_of(&mut self.t, &Kind::IAM);
        let kms = super::in_literal(&mut self.t, self.symbols.action_service, "kms");
        let premise = self.t.and([present, iam, kms]);
        let value = self.t.var(&key.value(), Sort::String);
        let equal = self.t.eq(value, self.symbols.account);
        self.t.implies(premise, equal)
    }
}

fn lower_digit_hyphen() -> Regex {
    Regex::Chars(vec![('-', '-'), ('0', '9'), ('a', 'z')])
}

/// Any visible ASCII character but the colon, which separates the fields of an ARN.
fn visible_but_colon() -> Regex {
    Regex::Chars(vec![('!', '9'), (';', '~')])
}

pub(super) fn account_id() -> Regex {
    Regex::Repeat(Box::new(Regex::Chars(vec![('0', '9')])), 12)
}

/// The prefix, then printable ASCII that does not end in a slash: any path and a name.
fn named(prefix: &str) -> Regex {
    Regex::Concat(vec![
        Regex::Literal(prefix.to_owned()),
        Regex::Star(Box::new(Regex::Chars(vec![(' ', '~')]))),
        Regex::Chars(vec![(' ', '.'), ('0', '~')]),
    ])
}
