//! Which requests can happen: the relations R1 to R35 on one concrete request.
//!
//! The relations in force are the certain ones of section 8, and of the others those which the
//! readings say (`switched`). What a policy does not mention is not recorded in a request, so a
//! relation that asks for the presence of a key is in force only if some condition mentions it.
//! Relations about principals (R2 to R6, R31, the principal's part of R19) hold for root users,
//! users, role sessions and federated users; the keys of other kinds are free but for R1 and R8
//! (Q1.2, D31).
//!
//! Not in force: upper bounds on lengths, and the clock (R20).

mod organizations;
mod switched;

use std::cmp::Ordering;
use std::fmt::Display;
use std::net::IpAddr;

use keyaki_policy::ast::PrincipalKind;
use keyaki_policy::catalogue::{self, Cardinality, KeySort};
use keyaki_policy::evaluate::{is_base64, seconds};
use keyaki_policy::request::{ContextValue, Principal, Request};
use keyaki_policy::{PolicyType, Readings};

use crate::question::{Place, Question};
use crate::zone::Zone;

/// Keys that are present only on a request through a VPC endpoint (R12, R14).
const ENDPOINT_KEYS: [&str; 7] = [
    "aws:SourceVpc",
    "aws:SourceVpce",
    "aws:VpcSourceIp",
    "aws:SourceVpcArn",
    "aws:VpceAccount",
    "aws:VpceOrgID",
    "aws:VpceOrgPaths",
];

/// Keys that only sessions have (7.2). Not those of multi-factor authentication, which are soft
/// (R22), nor `aws:FederatedProvider`, which has a rule of its own (R24).
const SESSION_KEYS: [&str; 15] = [
    "aws:AssumedRoot",
    "aws:SignInSessionArn",
    "aws:ChatbotSourceArn",
    "aws:Ec2InstanceSourceVpc",
    "aws:Ec2InstanceSourcePrivateIPv4",
    "aws:SourceIdentity",
    "ec2:RoleDelivery",
    "ec2:SourceInstanceArn",
    "glue:RoleAssumedBy",
    "glue:CredentialIssuingService",
    "codebuild:BuildArn",
    "codebuild:ProjectArn",
    "lambda:SourceFunctionArn",
    "ssm:SourceInstanceArn",
    "identitystore:UserId",
];

/// Keys that tell through which services a call was made (R17).
const CALLED_VIA_KEYS: [&str; 3] = ["aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast"];

/// The relations in force that the request violates, in words; none if it can happen.
pub fn violations(question: &Question, request: &Request, readings: Readings) -> Vec<String> {
    violations_of(question, &Mentioned::by(question), request, readings)
}

/// The same, if it is known what the question mentions.
pub(super) fn violations_of(
    question: &Question,
    mentioned: &Mentioned<'_>,
    request: &Request,
    readings: Readings,
) -> Vec<String> {
    let mut check = Check { request, readings, mentioned, violations: vec![] };
    check.question(question);
    check.principal();
    check.action();
    check.resource();
    check.values();
    check.clock();
    check.anonymous();
    check.account_principal();
    check.service();
    check.sessions();
    check.network();
    check.called_via();
    check.always_present();
    check.organizations();
    check.accounts();
    check.switched();
    check.violations
}

/// The keys that conditions mention, sorted and each once, whatever the case.
pub(super) struct Mentioned<'q>(Vec<&'q str>);

impl<'q> Mentioned<'q> {
    /// What the policies of the question mention.
    pub(super) fn by(question: &'q Question) -> Mentioned<'q> {
        let mut mentioned = Vec::new();
        for statement in question.policies().flat_map(|(_, policy)| &policy.statements) {
            mentioned.extend(statement.conditions.iter().map(|test| test.key.as_str()));
            mentioned.extend(statement.variables());
            let mut principals = statement.principal.iter().flat_map(|clause| &clause.entries);
            if principals.any(|entry| matches!(entry.kind, PrincipalKind::UniqueId(_))) {
                // Unique ids are looked for in the user id (2.4).
                mentioned.push("aws:userid");
            }
        }
        mentioned.sort_unstable_by(|a, b| compare_keys(a, b));
        mentioned.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
        Mentioned(mentioned)
    }

    fn has(&self, key: &str) -> bool {
        !self.0.is_empty() && self.0.binary_search_by(|known| compare_keys(known, key)).is_ok()
    }
}

struct Check<'r> {
    request: &'r Request,
    readings: Readings,
    mentioned: &'r Mentioned<'r>,
    violations: Vec<String>,
}

impl<'r> Check<'r> {
    /// Whom the policies can be attached to (5.2), and what else a set of policies implies.
    fn question(&mut self, question: &Question) {
        for (at, policy) in question.policies() {
            match (at.place, policy.policy_type) {
                (Place::Set(_), _) => {}
                (_, PolicyType::Identity | PolicyType::Boundary) => self.has_identity_policies(),
                (_, PolicyType::Session) => self.is_session(),
                (_, PolicyType::Scp) => self.is_of_account(),
                _ => {}
            }
        }
        for set in question.sets() {
            match set.resource {
                Some(_) => self.owner(),
                None => self.has_identity_policies(),
            }
            if set.session.is_some() {
                let principal = &self.request.principal;
                self.require(
                    !matches!(principal, Principal::User { .. }),
                    "who was given a session policy is a session, not a user",
                );
            }
            if !set.vpc_endpoint.is_empty() {
                self.is_absent("aws:SourceIp", "R12, the policies of the endpoint");
            }
        }
        for zone in question.zones() {
            self.owner();
            self.zone(zone);
        }
    }

    /// Whose the resource is, and of which organisation accounts are, as far as the zone of trust
    /// tells.
    fn zone(&mut self, zone: &Zone) {
        let own = self.request.principal.partition_and_account().map(|(_, account)| account);
        if let Some(owner) = &zone.owner {
            let told = self.request.owner().or(own.filter(|own| is_account(own)));
            self.require(
                told == Some(owner),
                format_args!("the owner of the resource is not `{owner}`"),
            );
        }
        if let Some(organization) = &zone.organization {
            self.members(organization, &zone.organization_accounts);
        }
    }

    fn has_identity_policies(&mut self) {
        let principal = &self.request.principal;
        let of_account = principal.partition_and_account().is_some_and(|(_, a)| is_account(a));
        let is_attached_to = match principal {
            Principal::User { .. } => of_account,
            Principal::RoleSession { .. } | Principal::FederatedUser { .. } => true,
            _ => false,
        };
        self.require(
            is_attached_to,
            "identity-based policies apply to users, roles and federated users of an account",
        );
    }

    fn is_session(&mut self) {
        let principal = &self.request.principal;
        self.require(
            matches!(principal, Principal::RoleSession { .. } | Principal::FederatedUser { .. }),
            "session policies apply to sessions",
        );
    }

    fn is_of_account(&mut self) {
        let account = self.request.principal.partition_and_account().map(|(_, account)| account);
        self.require(
            account.is_some_and(is_account),
            "service control policies apply to the principals of an account",
        );
    }

    /// Who owns the resource: an account, that of the ARN (R25) and of `aws:ResourceAccount`, and
    /// the caller's where there is no resource (2.3).
    fn owner(&mut self) {
        // Where nothing says whose it is, it is the caller's.
        let Some(owner) = self.request.owner() else { return };
        let named = fields(&self.request.resource).map(|[_, _, _, _, account, _]| account);
        let is_owner = is_account(owner) || (named == Some(owner) && !owner.is_empty());
        self.require(is_owner, format_args!("owner `{owner}`"));
        if let Some(account) = self.account_of_arn() {
            self.require(account == owner, format_args!("R25: the owner is not `{account}`"));
        }
        self.is_if_present("aws:ResourceAccount", owner, "R25, the owner");
        let own = self.request.principal.partition_and_account().map(|(_, account)| account);
        if let (Some(own), "*") = (own.filter(|own| is_account(own)), &*self.request.resource) {
            self.require(own == owner, "2.3: `*` is of the caller's account");
        }
    }

    /// Who asks is well formed.
    fn principal(&mut self) {
        match &self.request.principal {
            Principal::Root { partition, account, .. } => {
                self.require(is_partition(partition), format_args!("partition `{partition}`"));
                self.require(is_account(account), format_args!("account `{account}`"));
            }
            Principal::User { arn, .. } => {
                let well_formed =
                    principal_arn(arn, "iam", "user/").is_some_and(|(account, name)| {
                        (is_account(account) || account == "cloudfront") && is_path_and_name(name)
                    });
                self.require(well_formed, format_args!("R2: `{arn}` is no user"));
            }
            Principal::RoleSession { role_arn, session_name } => {
                let well_formed = principal_arn(role_arn, "iam", "role/")
                    .is_some_and(|(account, name)| is_account(account) && is_path_and_name(name));
                self.require(well_formed, format_args!("R2: `{role_arn}` is no role"));
                self.require(
                    is_session_name(session_name),
                    format_args!("R5: `{session_name}` is no name of a session"),
                );
            }
            Principal::FederatedUser { arn, base } => {
                let well_formed = principal_arn(arn, "sts", "federated-user/")
                    .is_some_and(|(account, name)| is_account(account) && is_federated_name(name));
                self.require(well_formed, format_args!("R2: `{arn}` is no federated user"));
                self.base_user(base.as_deref());
            }
            Principal::Service { name: id }
            | Principal::Federated { provider: id }
            | Principal::CanonicalUser { id } => {
                self.require(!id.is_empty(), "the principal has no name");
            }
            Principal::Anonymous => {}
        }
    }

    /// The user who called `GetFederationToken` is of the session's account.
    fn base_user(&mut self, base: Option<&str>) {
        let Some(base) = base else { return };
        let well_formed =
            principal_arn(base, "iam", "user/").is_some_and(|(_, name)| is_path_and_name(name));
        let user = Principal::User { arn: base.to_owned(), canonical_user: None };
        let same_account =
            user.partition_and_account() == self.request.principal.partition_and_account();
        self.require(
            well_formed && same_account,
            format_args!("`{base}` is no user of the federated user's account"),
        );
    }

    fn action(&mut self) {
        let action = self.request.action.to_ascii_lowercase();
        let well_formed = action.split_once(':').is_some_and(|(service, name)| {
            let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            let is_in_service = |byte| is_word(byte) || byte == b'-';
            let is_in_name = |byte| is_word(byte) || byte == b'-' || byte == b'_';
            is_made_of(service, is_in_service) && is_made_of(name, is_in_name)
        });
        self.require(well_formed, format_args!("`{action}` is no action"));
    }

    /// The resource is well formed, or the pseudo-resource of an action that may have it (Q1.4).
    fn resource(&mut self) {
        let Request { action, resource, .. } = self.request;
        if resource == "*" {
            self.require(
                catalogue::has_resource_types(action) != Some(true),
                format_args!("`{action}` is about a resource, not about `*`"),
            );
            return;
        }
        let Some([arn, partition, service, region, account, name]) = fields(resource) else {
            return self.require(false, format_args!("`{resource}` is no resource"));
        };
        let well_formed = arn == "arn"
            && is_partition(partition)
            && (service.is_empty() || is_service(service))
            && (region.is_empty() || is_partition(region))
            && (account.is_empty() || is_partition(account))
            && !name.is_empty();
        self.require(well_formed, format_args!("`{resource}` is no resource"));
        if let Some((own, _)) = self.request.principal.partition_and_account() {
            self.require(
                own == partition,
                format_args!("R34: `{resource}` is not in the principal's partition `{own}`"),
            );
        }
    }

    /// Sort and cardinality of each value are those of the catalogue (Q1.1, R33).
    fn values(&mut self) {
        for (key, value) in self.request.context.iter() {
            let Some(info) = catalogue::key(key) else { continue };
            let (value, is_list) = match value {
                ContextValue::One(value) => (std::slice::from_ref(value), false),
                // An empty list is the same as an absent key (D23).
                ContextValue::Many(values) if values.is_empty() => continue,
                ContextValue::Many(values) => (values.as_slice(), true),
            };
            self.require(
                is_list == (info.cardinality == Cardinality::Multi),
                format_args!("`{key}` is {}a list", if is_list { "not " } else { "" }),
            );
            for value in value {
                let well_formed = match info.sort {
                    KeySort::Bool => value == "true" || value == "false",
                    KeySort::Arn => is_arn(value),
                    KeySort::Address => value.parse::<IpAddr>().is_ok(),
                    KeySort::Number => is_number(value),
                    KeySort::Date => is_date(key, value),
                    KeySort::Binary => is_base64(value),
                    KeySort::String => true,
                };
                let sort = info.sort;
                self.require(well_formed, format_args!("`{key}` cannot be `{value}` ({sort:?})"));
            }
        }
    }

    /// R20: two names for one instant.
    fn clock(&mut self) {
        let instant = |key: &str| self.one(key).and_then(seconds);
        let times = [instant("aws:CurrentTime"), instant("aws:EpochTime")];
        if let [Some(current), Some(epoch)] = times {
            let agree = current == epoch;
            self.require(agree, "R20: `aws:EpochTime` is not `aws:CurrentTime`");
        }
    }

    /// R1: anonymous callers, and nobody else, are called so; and what they do not have.
    fn anonymous(&mut self) {
        let called = [
            ("aws:PrincipalType", "Anonymous"),
            ("aws:PrincipalAccount", "anonymous"),
            ("aws:userid", "anonymous"),
        ];
        if self.request.principal != Principal::Anonymous {
            for (key, value) in called {
                self.require(
                    self.one(key) != Some(value),
                    format_args!("R1: `{key}` is `{value}` but the principal is not anonymous"),
                );
            }
            return;
        }
        for (key, value) in called {
            self.is(key, value, "R1");
        }
        for key in [
            "aws:PrincipalArn",
            "aws:PrincipalOrgID",
            "aws:PrincipalOrgPaths",
            "aws:PrincipalIsAWSService",
            "aws:PrincipalServiceName",
            "aws:PrincipalServiceNamesList",
            "aws:username",
            "aws:TokenIssueTime",
            "aws:MultiFactorAuthPresent",
            "aws:MultiFactorAuthAge",
        ] {
            self.is_absent(key, "R1");
        }
        // It follows from the account.
        self.is_absent("kms:CallerAccount", "R1, R31");
        self.has_none_with_prefix("aws:PrincipalTag/", "R1");
        self.has_none_with_prefix("aws:CalledVia", "R1");
    }

    /// R2 to R6: what a principal of an account is called.
    fn account_principal(&mut self) {
        let request = self.request;
        let Some((partition, account)) = request.principal.partition_and_account() else { return };
        self.is("aws:PrincipalAccount", account, "R3");
        let (arn, kind) = match &request.principal {
            Principal::Root { .. } => (format!("arn:{partition}:iam::{account}:root"), "Account"),
            Principal::User { arn, .. } => (arn.clone(), "User"),
            Principal::RoleSession { role_arn, .. } => (role_arn.clone(), "AssumedRole"),
            Principal::FederatedUser { arn, .. } => (arn.clone(), "FederatedUser"),
            _ => return,
        };
        self.is("aws:PrincipalArn", &arn, "R2");
        self.is("aws:PrincipalType", kind, "R4");
        let name = arn.rsplit('/').next().unwrap_or_default();
        self.is_present("aws:userid", "R19");
        if let Some(id) = self.one("aws:userid") {
            let well_formed = match &request.principal {
                Principal::Root { .. } => id == account,
                Principal::User { .. } => is_unique_id(id),
                Principal::RoleSession { session_name, .. } => id
                    .split_once(':')
                    .is_some_and(|(id, session)| is_unique_id(id) && session == session_name),
                _ => id == format!("{account}:{name}"),
            };
            self.require(well_formed, format_args!("R5: `{id}` is not the user id of a {kind}"));
        }
        if kind == "User" {
            self.is("aws:username", name, "R6");
        } else {
            self.is_absent("aws:username", "R6");
        }
    }

    /// R8: services that call on their own behalf, and nobody else, are called so.
    fn service(&mut self) {
        let request = self.request;
        match &request.principal {
            Principal::Service { name } => {
                self.is("aws:PrincipalIsAWSService", "true", "R8");
                self.is("aws:PrincipalServiceName", name, "R8");
                self.is_present("aws:PrincipalServiceNamesList", "R8");
                self.is_absent("aws:username", "R8");
                self.has_none_with_prefix("aws:PrincipalTag/", "R8");
                self.is_if_present("aws:ViaAWSService", "false", "R8");
                CALLED_VIA_KEYS.into_iter().for_each(|key| self.is_absent(key, "R8, R17"));
            }
            // Without the key, which R1 asks for.
            Principal::Anonymous => {}
            Principal::Root { .. }
            | Principal::User { .. }
            | Principal::RoleSession { .. }
            | Principal::FederatedUser { .. } => {
                // All signed requests have the key (7.1).
                self.is("aws:PrincipalIsAWSService", "false", "R8");
                self.has_no_service_name();
            }
            Principal::Federated { .. } | Principal::CanonicalUser { .. } => {
                self.is_if_present("aws:PrincipalIsAWSService", "false", "R8");
                self.has_no_service_name();
            }
        }
    }

    fn has_no_service_name(&mut self) {
        for key in ["aws:PrincipalServiceName", "aws:PrincipalServiceNamesList"] {
            self.is_absent(key, "R8");
        }
    }

    /// R21 and R24: temporary credentials.
    fn sessions(&mut self) {
        let is_role_session = matches!(self.request.principal, Principal::RoleSession { .. });
        let is_federated_user = matches!(self.request.principal, Principal::FederatedUser { .. });
        let is_anonymous = self.request.principal == Principal::Anonymous;
        if is_role_session || is_federated_user {
            self.is_present("aws:TokenIssueTime", "R21");
        }
        for key in self.present(&SESSION_KEYS) {
            self.is_present("aws:TokenIssueTime", format_args!("R21, `{key}`"));
            self.require(
                !is_anonymous,
                format_args!("R21, R1: `{key}` is present on an anonymous request"),
            );
        }
        // Of the calls that make a role session of a federated identity, `AssumeRoleWithWebIdentity`
        // is not the only one in whose trust policy the key can stand: `TagSession` goes with it.
        let is_federated = matches!(self.request.principal, Principal::Federated { .. });
        self.require(
            !self.has("aws:FederatedProvider") || is_role_session || is_federated,
            "R24: `aws:FederatedProvider` is present but the principal is no role session",
        );
    }

    /// R12 and R14: the ways of the network.
    fn network(&mut self) {
        for key in self.present(&ENDPOINT_KEYS) {
            self.is_absent("aws:SourceIp", format_args!("R12, `{key}`"));
        }
        let of_endpoint =
            ["aws:SourceVpcArn", "aws:VpceAccount", "aws:VpceOrgID", "aws:VpceOrgPaths"];
        for key in self.present(&of_endpoint) {
            self.is_present("aws:SourceVpce", format_args!("R14, `{key}`"));
        }
        for key in self.present(&["aws:VpceOrgID", "aws:VpceOrgPaths"]) {
            self.is_present("aws:VpceAccount", format_args!("R14, `{key}`"));
        }
        let arn = self.one("aws:SourceVpcArn").and_then(fields);
        if let (Some([.., resource]), Some(vpc)) = (arn, self.one("aws:SourceVpc")) {
            self.require(
                resource.strip_prefix("vpc/") == Some(vpc),
                format_args!("R14: `aws:SourceVpcArn` is not of `{vpc}`"),
            );
        }
    }

    /// R17: calls that a service makes for a principal.
    fn called_via(&mut self) {
        let Some(witness) = self.present(&CALLED_VIA_KEYS).first().copied() else { return };
        self.is("aws:ViaAWSService", "true", "R17");
        for key in CALLED_VIA_KEYS {
            self.is_present(key, format_args!("R17, `{witness}`"));
        }
        let services = self.elements("aws:CalledVia");
        let ends =
            [("aws:CalledViaFirst", services.first()), ("aws:CalledViaLast", services.last())];
        for (key, end) in ends {
            if let (Some(end), Some(own)) = (end, self.one(key)) {
                self.require(end == own, format_args!("R17: `{key}` is not `{end}`"));
            }
        }
    }

    /// R19, but for `aws:UserAgent`, whose presence is soft (Q1.3).
    fn always_present(&mut self) {
        for key in [
            "aws:CurrentTime",
            "aws:EpochTime",
            "aws:SecureTransport",
            "aws:RequestedRegion",
            "aws:ViaAWSService",
        ] {
            self.is_present(key, "R19");
        }
    }

    /// R25 and R31: keys that name the account of the resource or of the principal.
    fn accounts(&mut self) {
        if let Some(account) = self.account_of_arn() {
            self.is_if_present("aws:ResourceAccount", account, "R25");
        }
        let owner = self.one("aws:ResourceAccount").unwrap_or_default();
        self.require(!owner.contains(':'), "R25: `aws:ResourceAccount` has a colon");
        let is_kms = self.request.action.to_ascii_lowercase().starts_with("kms:");
        if let (true, Some((_, account))) = (is_kms, self.request.principal.partition_and_account())
        {
            self.is_if_present("kms:CallerAccount", account, "R31");
        }
    }

    /// The account that the resource's ARN says it is of. An access point and a connection to a
    /// cluster may be of another account than what they lead to (Q1.3).
    fn account_of_arn(&self) -> Option<&'r str> {
        self.named_owner().filter(|owner| is_account(owner))
    }

    /// What the resource's ARN names as its account, if anything.
    fn named_owner(&self) -> Option<&'r str> {
        let [_, _, service, _, account, name] = fields(&self.request.resource)?;
        let leads_elsewhere = (service == "s3" && name.starts_with("accesspoint"))
            || (service == "kafka" && name.starts_with("vpc-connection"));
        (!account.is_empty() && !leads_elsewhere).then_some(account)
    }

    /// The key's value, if it has one and only one.
    fn one(&self, key: &str) -> Option<&'r str> {
        match self.request.context.get(key) {
            Some(ContextValue::One(value)) => Some(value),
            _ => None,
        }
    }

    /// The key's values; none if it is absent.
    fn elements(&self, key: &str) -> &'r [String] {
        match self.request.context.get(key) {
            None => &[],
            Some(ContextValue::One(value)) => std::slice::from_ref(value),
            Some(ContextValue::Many(values)) => values,
        }
    }

    /// Those of the keys that are present.
    fn present<'k>(&self, keys: &[&'k str]) -> Vec<&'k str> {
        keys.iter().copied().filter(|key| self.has(key)).collect()
    }

    fn has(&self, key: &str) -> bool {
        self.request.context.get(key).is_some()
    }

    /// Whether conditions mention the key.
    fn mentions(&self, key: &str) -> bool {
        self.mentioned.has(key)
    }

    /// The key, if conditions mention it, is present.
    fn is_present(&mut self, key: &str, rule: impl Display) {
        let is_missing = self.mentions(key) && !self.has(key);
        self.require(!is_missing, format_args!("{rule}: `{key}` is absent"));
    }

    fn is_absent(&mut self, key: &str, rule: impl Display) {
        self.require(!self.has(key), format_args!("{rule}: `{key}` is present"));
    }

    fn is_if_present(&mut self, key: &str, value: &str, rule: impl Display) {
        self.require(
            !self.has(key) || self.one(key) == Some(value),
            format_args!("{rule}: `{key}` is not `{value}`"),
        );
    }

    /// The key, if conditions mention it, is present; and it has this value.
    fn is(&mut self, key: &str, value: &str, rule: impl Display) {
        self.is_present(key, &rule);
        self.is_if_present(key, value, rule);
    }

    fn has_none_with_prefix(&mut self, prefix: &str, rule: impl Display) {
        let starts = |key: &str| {
            key.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        for (key, _) in self.request.context.iter().filter(|(key, _)| starts(key)) {
            self.is_absent(key, &rule);
        }
    }

    fn require(&mut self, holds: bool, violation: impl Display) {
        if !holds {
            self.violations.push(violation.to_string());
        }
    }
}

/// The order of keys, which are compared without regard to case.
fn compare_keys(a: &str, b: &str) -> Ordering {
    let lower = |byte: u8| byte.to_ascii_lowercase();
    a.bytes().map(lower).cmp(b.bytes().map(lower))
}

/// The six fields of an ARN; colons past the fifth are part of the last.
fn fields(arn: &str) -> Option<[&str; 6]> {
    arn.splitn(6, ':').collect::<Vec<_>>().try_into().ok()
}

/// The account and what follows `prefix` in the sixth field, of an ARN of a principal.
fn principal_arn<'a>(arn: &'a str, service: &str, prefix: &str) -> Option<(&'a str, &'a str)> {
    let [start, partition, own_service, region, account, name] = fields(arn)?;
    let fits = start == "arn" && is_partition(partition) && own_service == service;
    (fits && region.is_empty()).then_some((account, name.strip_prefix(prefix)?))
}

/// Whether the text can be a partition; a Region or an owner has the same letters, so that
/// placeholders in policies stand for something.
fn is_partition(text: &str) -> bool {
    is_made_of(text, |byte| byte.is_ascii_graphic() && byte != b':')
}

fn is_service(text: &str) -> bool {
    is_made_of(text, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the text is a name, with a path before it or without.
fn is_path_and_name(text: &str) -> bool {
    is_made_of(text, |byte| byte.is_ascii_graphic() || byte == b' ') && !text.ends_with('/')
}

fn is_federated_name(text: &str) -> bool {
    is_made_of(text, |byte| byte.is_ascii_graphic() && byte != b'/' && byte != b':')
}

/// Whether the text is like `AIDA…` or `AROA…`. Which letters begin it is soft (R5).
fn is_unique_id(text: &str) -> bool {
    is_made_of(text, |byte| byte.is_ascii_graphic() && byte != b':')
}

fn is_session_name(text: &str) -> bool {
    text.len() >= 2
        && is_made_of(text, |byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte))
}

fn is_arn(text: &str) -> bool {
    fields(text).is_some_and(|[arn, between @ .., _]| {
        arn == "arn" && between.iter().all(|field| field.bytes().all(|b| b.is_ascii_graphic()))
    })
}

/// Whether the text is not empty and all its bytes are such.
/// A decimal number as AWS writes it (D16).
fn is_number(text: &str) -> bool {
    let digits = |text: &str| is_made_of(text, |byte| byte.is_ascii_digit());
    let magnitude = text.strip_prefix('-').unwrap_or(text);
    match magnitude.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(magnitude),
    }
}

/// A date that can be written with four digits for its year; `aws:EpochTime` is a count of seconds
/// (3.6).
fn is_date(key: &str, text: &str) -> bool {
    const FIRST: &str = "0000-01-01T00:00:00Z";
    const LAST: &str = "9999-12-31T23:59:59Z";
    let is_count = text.parse::<i64>().is_ok();
    let has_form = is_count || !key.eq_ignore_ascii_case("aws:EpochTime");
    has_form && seconds(FIRST) <= seconds(text) && seconds(text) <= seconds(LAST)
}

fn is_made_of(text: &str, is_such: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(is_such)
}

#[cfg(test)]
mod tests {
    use keyaki_policy::{Switch, parse};

    use super::*;

    pub(super) const BUCKET: &str = "arn:aws:s3:::b";
    pub(super) const USER: &str = "arn:aws:iam::111122223333:user/p/ines";
    pub(super) const ROLE: &str = "arn:aws:iam::111122223333:role/p/reader";
    pub(super) const GUEST: &str = "arn:aws:sts::111122223333:federated-user/guest";

    #[test]
    fn partitions_and_accounts_are_well_formed() {
        check(&by(root("aws-cn", "111122223333")).on("arn:aws-cn:s3:::b"), "");
        let of_all = |root| by(root).doing("s3:ListAllMyBuckets").on("*");
        check(&of_all(root("", "111122223333")), "partition");
        check(&of_all(root("a ws", "111122223333")), "partition");
        check(&of_all(root("aws", "11112222333")), "account");
        check(&of_all(root("aws", "11112222333x")), "account");
    }

    #[test]
    fn users_are_named_with_or_without_a_path() {
        for name in ["ines", "p/q/ines", "a:b", "/a", "a b"] {
            check(&by(user(&format!("arn:aws:iam::111122223333:user/{name}"))), "");
        }
        check(&by(user("arn:aws:iam::cloudfront:user/CloudFront")), "");
        for arn in [
            "arn:aws:iam::111122223333:user/",
            "arn:aws:iam::111122223333:user/p/",
            "arn:aws:iam::111122223333:user/\u{e9}",
            "arn:aws:iam::111122223333:role/ines",
            "arn:aws:sts::111122223333:user/ines",
            "arn:aws:iam:eu-west-3:111122223333:user/ines",
            "arn:aws:iam::fastly:user/ines",
        ] {
            check(&by(user(arn)), "R2");
        }
    }

    #[test]
    fn sessions_are_of_a_role_and_have_a_name() {
        check(&by(session(ROLE, "n-1")), "");
        check(&by(session(ROLE, "a_+=,.@-")), "");
        for name in ["", "n", "a b", "a:b", "a/b", "\u{e9}\u{e9}"] {
            check(&by(session(ROLE, name)), "R5");
        }
        check(&by(session("arn:aws:iam::cloudfront:role/r", "n1")), "R2");
        check(&by(session("arn:aws:sts::111122223333:assumed-role/r/n1", "n1")), "R2");
    }

    #[test]
    fn federated_users_have_a_plain_name_and_a_base_of_their_account() {
        check(&by(guest(GUEST, None)), "");
        check(&by(guest(GUEST, Some(USER))), "");
        check(&by(guest(GUEST, Some("arn:aws:iam::444455556666:user/ines"))), "`arn:aws:iam::4444");
        check(&by(guest(GUEST, Some("arn:aws-cn:iam::111122223333:user/x"))), "`arn:aws-cn");
        check(&by(guest(GUEST, Some(ROLE))), "`arn:aws:iam");
        for name in ["", "a/b", "a:b", "a b"] {
            let arn = format!("arn:aws:sts::111122223333:federated-user/{name}");
            check(&by(guest(&arn, None)), "R2");
        }
    }

    #[test]
    fn an_action_is_a_service_and_a_name() {
        for action in ["s3:GetObject", "S3:GETOBJECT", "a-1:b_2-c", "zz:Unheard"] {
            check(&by(Principal::Anonymous).doing(action), "");
        }
        for action in ["", "s3", "s3:", ":x", "s3:Get Object", "s_3:x", "s3:x:y", "s3:*"] {
            check(&by(Principal::Anonymous).doing(action), "`");
        }
    }

    #[test]
    fn a_resource_has_six_fields() {
        for resource in [
            BUCKET,
            "arn:aws-x:sqs:eu-west-3:111122223333:q:r",
            "arn:aws:iam::aws:policy/x",
            "arn:<partition>:s3:<region>:1234:b",
            "arn:aws::::\u{e9} *",
        ] {
            check(&by(Principal::Anonymous).on(resource), "");
        }
        for resource in [
            "",
            "b",
            "arn:aws:s3",
            "arn:aws:s3:::",
            "arn::s3:::b",
            "arn:aws:S3:::b",
            "arn:aws:s3:eu west::b",
            "arn:aws:s3::\u{e9}:b",
            "ARN:aws:s3:::b",
        ] {
            check(&by(Principal::Anonymous).on(resource), "`");
        }
    }

    #[test]
    fn only_an_action_without_resource_types_is_about_the_pseudo_resource() {
        check(&by(user(USER)).doing("s3:ListAllMyBuckets").on("*"), "");
        check(&by(user(USER)).doing("zz:Unheard").on("*"), "");
        check(&by(user(USER)).doing("s3:GetObject").on("*"), "`s3:GetObject`");
        check(&by(user(USER)).doing("s3:ListAllMyBuckets").on(BUCKET), "");
    }

    #[test]
    fn credentials_are_of_the_resource_s_partition() {
        check(&by(user(USER)).on("arn:aws-cn:s3:::b"), "R34");
        check(&by(Principal::Anonymous).on("arn:aws-cn:s3:::b"), "");
        check(&by(service()).on("arn:aws-cn:s3:::b"), "");
    }

    #[test]
    fn an_identity_policy_is_attached_to_users_and_roles() {
        let statement = r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#;
        let question = no_new_access(vec![], vec![policy(statement)]);
        let check = |principal, allowed: bool| {
            let violations = violations(&question, &by(principal).0, Readings::DEFAULT);
            assert_eq!(violations.is_empty(), allowed, "{violations:?}");
        };
        check(user(USER), true);
        check(session(ROLE, "n1"), true);
        check(guest(GUEST, None), true);
        check(root("aws", "111122223333"), false);
        check(user("arn:aws:iam::cloudfront:user/x"), false);
        check(Principal::Anonymous, false);
        check(service(), false);
    }

    #[test]
    fn values_have_the_sort_and_cardinality_of_their_key() {
        let anonymous = || by(Principal::Anonymous);
        check(&anonymous().with("aws:SecureTransport", "true"), "");
        check(&anonymous().with("aws:SecureTransport", "True"), "`aws:SecureTransport`");
        check(&by(service()).with("aws:SourceArn", "arn:aws:sns:::t:u \u{e9}"), "");
        check(&by(service()).with("aws:SourceArn", "arn:aws:sns::t"), "`aws:SourceArn`");
        check(&by(service()).with("aws:SourceArn", "arn:a b:sns:::t"), "`aws:SourceArn`");
        check(&anonymous().with("aws:SourceIp", "::1"), "");
        check(&anonymous().with("aws:SourceIp", "10.0.0.0/8"), "`aws:SourceIp`");
        check(&anonymous().with_list("aws:TagKeys", &["a", "b"]), "");
        check(&anonymous().with("aws:TagKeys", "a"), "`aws:TagKeys`");
        check(&anonymous().with_list("aws:SourceVpc", &["vpc-1"]), "`aws:SourceVpc`");
        check(&anonymous().with_list("aws:SourceVpc", &[]), "");
        check(&anonymous().with("x:own", "a"), "");
        check(&anonymous().with_list("x:own", &["a"]), "");
    }

    #[test]
    fn numbers_and_dates_are_well_formed() {
        let values: [(&str, &[&str], &[&str]); 3] = [
            ("ebs:VolumeSize", &["0", "-1.50", "007"], &["", "+1", "1e3", "1.", ".5", "-", "x"]),
            (
                "aws:CurrentTime",
                &["2026-01-01", "1767225600", "9999-12-31T23:59:59Z", "0000-01-01"],
                &["", "2026-13-01", "x", "253402300800", "9999-12-31T23:59:59-01:00"],
            ),
            ("aws:EpochTime", &["0", "-5"], &["2026-01-01", "+5", "1.5", "253402300800"]),
        ];
        for (key, well_formed, others) in values {
            for value in well_formed {
                check(&by(user(USER)).with(key, value), "");
            }
            for value in others {
                check(&by(user(USER)).with(key, value), &format!("`{key}` cannot be `{value}`"));
            }
        }
    }

    #[test]
    fn the_time_is_one_instant() {
        let at = |epoch: &str| {
            by(user(USER)).with("aws:CurrentTime", "1970-01-01T00:01Z").with("aws:EpochTime", epoch)
        };
        check(&at("60"), "");
        check(&at("61"), "R20");
    }

    #[test]
    fn anonymous_callers_are_called_so_and_nobody_else_is() {
        for (key, value) in [
            ("aws:PrincipalType", "Anonymous"),
            ("aws:PrincipalAccount", "anonymous"),
            ("aws:userid", "anonymous"),
        ] {
            check(&by(Principal::Anonymous).with(key, value).mentioning(&[key]), "");
            check(&by(Principal::Anonymous).with(key, "x"), "R1");
            check(&by(Principal::Anonymous).mentioning(&[key]), "R1");
            check(&by(Principal::Anonymous), "");
            check(&by(service()).with(key, value), "R1");
            check(&by(service()).with(key, "x"), "");
        }
        check(&by(user(USER)).with("aws:userid", "anonymous"), "R1");
    }

    #[test]
    fn anonymous_callers_have_no_credentials() {
        for (key, value) in [
            ("aws:PrincipalArn", USER),
            ("aws:PrincipalOrgID", "o-a"),
            ("aws:PrincipalTag/team", "x"),
            ("aws:PrincipalIsAWSService", "false"),
            ("aws:PrincipalServiceName", "x"),
            ("aws:username", "ines"),
            ("aws:TokenIssueTime", "2026-01-01"),
            ("aws:MultiFactorAuthPresent", "false"),
            ("aws:MultiFactorAuthAge", "1"),
            ("aws:CalledViaFirst", "x"),
            ("aws:CalledViaAWSMCP", "x"),
            ("aws:SourceIdentity", "x"),
        ] {
            let violations = violations(
                &question(&[]),
                &by(Principal::Anonymous).with(key, value).0,
                Readings::DEFAULT,
            );
            assert!(violations.iter().any(|v| v.contains("R1")), "{key}: {violations:?}");
        }
        check(&by(Principal::Anonymous).with_list("aws:PrincipalOrgPaths", &["o-a/r-1/"]), "R1");
        check(&by(Principal::Anonymous).with("aws:SourceVpc", "vpc-1"), "");
    }

    #[test]
    fn keys_of_the_principal_say_who_it_is() {
        for (principal, arn, kind, id) in [
            (
                root("aws", "111122223333"),
                "arn:aws:iam::111122223333:root",
                "Account",
                "111122223333",
            ),
            (user(USER), USER, "User", "AIDA1"),
            (session(ROLE, "n1"), ROLE, "AssumedRole", "AROA1:n1"),
            (guest(GUEST, None), GUEST, "FederatedUser", "111122223333:guest"),
        ] {
            let request = |key: &str, value: &str| by(principal.clone()).with(key, value);
            let id_of_another = if kind == "User" { "AIDA1:x" } else { "111122223333:x" };
            for (key, right, wrong, rule) in [
                ("aws:PrincipalArn", arn, "arn:aws:iam::111122223333:user/x", "R2"),
                ("aws:PrincipalAccount", "111122223333", "444455556666", "R3"),
                ("aws:PrincipalType", kind, "x", "R4"),
                ("aws:userid", id, id_of_another, "R5"),
            ] {
                check(&request(key, right).mentioning(&[key]), "");
                check(&request(key, wrong), rule);
                let absent = by(principal.clone()).mentioning(&[key]);
                check(&absent, if key == "aws:userid" { "R19" } else { rule });
            }
        }
    }

    #[test]
    fn user_ids_have_the_form_of_their_kind() {
        for id in ["", "a b", "a:n1"] {
            check(&by(user(USER)).with("aws:userid", id), "R5");
        }
        for id in ["n1", ":n1", "AROA1:n2", "AROA1:n1:n1", "AROA 1:n1"] {
            check(&by(session(ROLE, "n1")).with("aws:userid", id), "R5");
        }
        check(&by(user(USER)).with("aws:userid", "whoever"), "");
    }

    #[test]
    fn a_unique_id_in_a_policy_mentions_the_user_id() {
        let statement = r#"{"Effect": "Allow", "Principal": {"AWS": "AIDAAAAAAAAAAAAAAAAAA"},
            "Action": "*", "Resource": "*"}"#;
        let question = no_new_access(vec![policy(statement)], vec![]);
        assert_eq!(
            violations(&question, &by(user(USER)).0, Readings::DEFAULT),
            ["R19: `aws:userid` is absent"]
        );
    }

    #[test]
    fn only_users_have_a_user_name() {
        check(&by(user(USER)).with("aws:username", "ines").mentioning(&["aws:username"]), "");
        check(&by(user(USER)).with("aws:username", "p/ines"), "R6");
        check(&by(user(USER)).mentioning(&["aws:username"]), "R6");
        check(&by(session(ROLE, "n1")).with("aws:username", "reader"), "R6");
        check(&by(root("aws", "111122223333")).with("aws:username", "root"), "R6");
        check(&by(service()).with("aws:username", "x"), "R8");
        check(&by(federated()).with("aws:username", "x"), "");
    }

    #[test]
    fn keys_of_principals_without_account_are_free() {
        for principal in [service(), federated(), Principal::CanonicalUser { id: "c".to_owned() }] {
            check(&by(principal.clone()).mentioning(&["aws:PrincipalArn", "aws:userid"]), "");
            check(&by(principal.clone()).with("aws:PrincipalArn", "arn:a:b:c:d:e"), "");
            check(&by(principal.clone()).with("aws:PrincipalAccount", "x"), "");
            check(&by(principal).with("kms:CallerAccount", "x").doing("kms:Decrypt"), "");
        }
    }

    #[test]
    fn services_and_nobody_else_are_services() {
        let is_service = "aws:PrincipalIsAWSService";
        let (name, list) = ("aws:PrincipalServiceName", "aws:PrincipalServiceNamesList");
        check(&by(service()).with(is_service, "true").mentioning(&[is_service]), "");
        check(&by(service()).with(is_service, "false"), "R8");
        check(&by(service()).mentioning(&[is_service]), "R8");
        check(&by(service()).with(name, "sns.amazonaws.com").mentioning(&[name]), "");
        check(&by(service()).with(name, "sqs.amazonaws.com"), "R8");
        check(&by(service()).mentioning(&[name]), "R8");
        check(&by(service()).mentioning(&[list]), "R8");
        let names = ["sqs.amazonaws.com", "sns.amazonaws.com"];
        check(&by(service()).with_list(list, &names).mentioning(&[list]), "");
        check(&by(user(USER)).with(is_service, "false").mentioning(&[is_service]), "");
        check(&by(user(USER)).with(is_service, "true"), "R8");
        check(&by(user(USER)).mentioning(&[is_service]), "R8");
        check(&by(user(USER)).with(name, "sns.amazonaws.com"), "R8");
        check(&by(federated()).with(is_service, "true"), "R8");
        check(&by(federated()).with(is_service, "false"), "");
        check(&by(federated()).mentioning(&[is_service]), "");
        check(&by(federated()).with_list(list, &["x"]), "R8");
    }

    #[test]
    fn services_call_for_themselves() {
        check(&by(service()).with("aws:ViaAWSService", "false"), "");
        check(&by(service()).with("aws:ViaAWSService", "true"), "R8");
        check(&by(service()).with("aws:CalledViaFirst", "x"), "R8, R17");
        check(&by(service()).with("aws:PrincipalTag/team", "x"), "R8");
    }

    #[test]
    fn a_request_through_an_endpoint_has_no_public_address() {
        for key in ["aws:SourceVpc", "aws:SourceVpce", "aws:VpcSourceIp", "aws:VpceAccount"] {
            let request = || by(user(USER)).with(key, "10.0.0.1");
            check(&request(), "");
            check(&request().with("aws:SourceIp", "203.0.113.7"), "R12");
        }
        check(&by(user(USER)).with("aws:SourceIp", "203.0.113.7"), "");
    }

    #[test]
    fn what_is_known_of_an_endpoint_comes_with_it() {
        let (endpoint, account) = ("aws:SourceVpce", "aws:VpceAccount");
        for key in ["aws:VpceAccount", "aws:VpceOrgID"] {
            let request = || by(user(USER)).with(key, "111122223333");
            check(&request().mentioning(&[key]), "");
            check(&request().mentioning(&[key, endpoint]), "R14");
            check(&request().with(endpoint, "vpce-1").mentioning(&[key, endpoint]), "");
        }
        let request = || by(user(USER)).with("aws:VpceOrgID", "o-a");
        check(&request().mentioning(&[account]), "R14");
        check(&request().with(account, "111122223333").mentioning(&[account]), "");
        check(&request().mentioning(&["aws:VpceOrgPaths"]), "R14");
        check(&by(user(USER)).with("aws:SourceVpc", "vpc-1").mentioning(&[endpoint]), "");
        let vpc = |id: &str| {
            let arn = "arn:aws:ec2:eu-west-3:111122223333:vpc/vpc-1";
            by(user(USER)).with("aws:SourceVpcArn", arn).with("aws:SourceVpc", id)
        };
        check(&vpc("vpc-1"), "");
        check(&vpc("vpc-2"), "R14");
        check(&vpc("c-1"), "R14");
    }

    #[test]
    fn what_a_call_came_through_is_known_in_whole() {
        let (via, first) = ("aws:ViaAWSService", "aws:CalledViaFirst");
        let request = || by(user(USER)).with(first, "x");
        check(&request(), "");
        check(&request().with(via, "true").mentioning(&[via]), "");
        check(&request().with(via, "false"), "R17");
        check(&request().mentioning(&["aws:CalledViaLast"]), "R17");
        check(&request().mentioning(&["aws:CalledVia"]), "R17");
        check(&by(user(USER)).with(via, "true").mentioning(&[via, first]), "");
        let through = |services: &[&str]| request().with_list("aws:CalledVia", services);
        check(&through(&["x"]), "");
        check(&through(&["x", "y"]), "");
        check(&through(&["y", "x"]), "R17");
        check(&through(&["x", "y"]).with("aws:CalledViaLast", "y"), "");
        check(&through(&["x", "y"]).with("aws:CalledViaLast", "x"), "R17");
    }

    #[test]
    fn some_keys_are_always_present() {
        for (key, value) in [
            ("aws:CurrentTime", "2026-01-01T00:00:00Z"),
            ("aws:EpochTime", "1767225600"),
            ("aws:SecureTransport", "true"),
            ("aws:RequestedRegion", "x"),
            ("aws:ViaAWSService", "false"),
        ] {
            for principal in [user(USER), service(), federated(), Principal::Anonymous] {
                check(&by(principal.clone()).mentioning(&[key]), "R19");
                check(&by(principal.clone()).with(key, value).mentioning(&[key]), "");
                check(&by(principal), "");
            }
        }
        check(&by(user(USER)).mentioning(&["aws:ResourceAccount"]), "");
    }

    #[test]
    fn sessions_have_a_token() {
        let token = "aws:TokenIssueTime";
        for principal in [session(ROLE, "n1"), guest(GUEST, None)] {
            check(&by(principal.clone()).mentioning(&[token]), "R21");
            check(&by(principal).with(token, "2026-01-01").mentioning(&[token]), "");
        }
        check(&by(user(USER)).mentioning(&[token]), "");
        for key in ["aws:SourceIdentity", "identitystore:UserId", "ec2:RoleDelivery"] {
            let keyed = by(user(USER)).with(key, "1").mentioning(&[token]);
            check(&keyed, "R21");
            check(&keyed.with(token, "2026-01-01"), "");
        }
        check(&by(user(USER)).with("aws:MultiFactorAuthPresent", "true").mentioning(&[token]), "");
    }

    #[test]
    fn only_federated_identities_and_their_sessions_have_a_provider() {
        for (principal, rule) in [
            (session(ROLE, "n1"), ""),
            (federated(), ""),
            (user(USER), "R24"),
            (guest(GUEST, None), "R24"),
            (service(), "R24"),
        ] {
            check(&by(principal).with("aws:FederatedProvider", "x"), rule);
        }
    }

    #[test]
    fn an_account_in_the_arn_owns_the_resource() {
        let account = "aws:ResourceAccount";
        let queue = "arn:aws:sqs:eu-west-3:111122223333:q";
        check(&by(user(USER)).on(queue).with(account, "111122223333"), "");
        check(&by(user(USER)).on(queue).with(account, "444455556666"), "R25");
        check(&by(user(USER)).on(BUCKET).with(account, "aws"), "");
        check(&by(user(USER)).on(BUCKET).with(account, "111122223333:role/x"), "R25");
        for resource in [
            BUCKET,
            "arn:aws:s3:eu-west-3:111122223333:accesspoint/ap",
            "arn:aws:kafka:eu-west-3:111122223333:vpc-connection/x",
        ] {
            check(&by(user(USER)).on(resource).with(account, "444455556666"), "");
        }
    }

    #[test]
    fn the_key_service_knows_the_caller_s_account() {
        let request = |account: &str| by(user(USER)).with("kms:CallerAccount", account);
        check(&request("111122223333").doing("kms:Decrypt"), "");
        check(&request("444455556666").doing("KMS:Decrypt"), "R31");
        check(&request("444455556666").doing("s3:GetObject"), "");
        check(&by(Principal::Anonymous).with("kms:CallerAccount", "anonymous"), "R1, R31");
    }

    /// A request, the keys that the question mentions, and the readings in force.
    #[derive(Clone)]
    pub(super) struct Case(Request, Vec<String>, Readings);

    /// A harmless request by this principal.
    pub(super) fn by(principal: Principal) -> Case {
        let request = Request {
            principal,
            action: "s3:PutObject".to_owned(),
            resource: BUCKET.to_owned(),
            resource_account: None,
            ..Request::default()
        };
        Case(request, vec![], Readings::DEFAULT)
    }

    impl Case {
        pub(super) fn doing(mut self, action: &str) -> Case {
            self.0.action = action.to_owned();
            self
        }

        pub(super) fn on(mut self, resource: &str) -> Case {
            self.0.resource = resource.to_owned();
            self
        }

        pub(super) fn with(mut self, key: &str, value: &str) -> Case {
            self.0.context.insert(key, ContextValue::One(value.to_owned()));
            self
        }

        pub(super) fn with_list(mut self, key: &str, values: &[&str]) -> Case {
            let values = values.iter().map(|&value| value.to_owned()).collect();
            self.0.context.insert(key, ContextValue::Many(values));
            self
        }

        /// With the alternative of the switch.
        pub(super) fn under(mut self, switch: Switch) -> Case {
            self.2 = self.2.with(switch, true);
            self
        }

        pub(super) fn mentioning(mut self, keys: &[&str]) -> Case {
            self.1.extend(keys.iter().map(|&key| key.to_owned()));
            self
        }
    }

    /// Checks that there is a violation, and that each begins so; with an empty `expected`, that
    /// there is none.
    #[track_caller]
    pub(super) fn check(case: &Case, expected: &str) {
        let Case(request, keys, readings) = case;
        let keys: Vec<_> = keys.iter().map(String::as_str).collect();
        let violations = violations(&question(&keys), request, *readings);
        assert_eq!(violations.is_empty(), expected.is_empty(), "{violations:?}");
        assert!(violations.iter().all(|v| v.starts_with(expected)), "{expected}: {violations:?}");
    }

    /// A question about resource policies that mention these keys.
    fn question(keys: &[&str]) -> Question {
        let tests: Vec<_> = keys.iter().map(|key| format!(r#""{key}": "true""#)).collect();
        let policy = policy(&format!(
            r#"{{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*",
                "Condition": {{"Null": {{{}}}}}}}"#,
            tests.join(", ")
        ));
        no_new_access(vec![], vec![policy])
    }

    fn no_new_access(
        existing: Vec<keyaki_policy::Policy>,
        new: Vec<keyaki_policy::Policy>,
    ) -> Question {
        Question::NoNewAccess { existing: existing.into(), new: new.into() }
    }

    fn policy(statement: &str) -> keyaki_policy::Policy {
        parse(&format!(r#"{{"Statement": {statement}}}"#), None).unwrap()
    }

    pub(super) fn root(partition: &str, account: &str) -> Principal {
        let (partition, account) = (partition.to_owned(), account.to_owned());
        Principal::Root { partition, account, canonical_user: None }
    }

    pub(super) fn user(arn: &str) -> Principal {
        Principal::User { arn: arn.to_owned(), canonical_user: None }
    }

    pub(super) fn session(role_arn: &str, session_name: &str) -> Principal {
        let (role_arn, session_name) = (role_arn.to_owned(), session_name.to_owned());
        Principal::RoleSession { role_arn, session_name }
    }

    pub(super) fn guest(arn: &str, base: Option<&str>) -> Principal {
        Principal::FederatedUser { arn: arn.to_owned(), base: base.map(str::to_owned) }
    }

    pub(super) fn service() -> Principal {
        Principal::Service { name: "sns.amazonaws.com".to_owned() }
    }

    pub(super) fn federated() -> Principal {
        Principal::Federated { provider: "accounts.google.com".to_owned() }
    }
}
