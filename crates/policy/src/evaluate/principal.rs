//! Which entries of `Principal` cover which callers (2.4).
//!
//! Names are compared exactly, also those of roles (D11): a request carries its session's role
//! ARN, so nothing has to be guessed from the session's own ARN, which has lost the path.

use crate::ast::{PrincipalArn, PrincipalEntry, PrincipalKind};
use crate::reading::{Readings, Switch};
use crate::request::derive::is_account;
use crate::request::{ContextValue, Principal, Request};

/// In what way an entry of `Principal` grants (2.4), which decides who else must allow (5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GrantClass {
    /// `*`
    Wildcard,
    /// The caller's whole account, also by its canonical user id.
    Account,
    /// The user who calls.
    User,
    /// The user behind a federated user.
    FederatedBase,
    /// The role of the calling session.
    Role,
    /// The very session, of a role or a federated user.
    Session,
    /// The calling service, identity provider or canonical user.
    Other,
}

/// In what way an entry of this form grants to the principal of `request`; none if it does not
/// cover it.
pub(super) fn grants(
    kind: &PrincipalKind,
    request: &Request,
    readings: Readings,
) -> Option<GrantClass> {
    let class = match (kind, &request.principal) {
        (PrincipalKind::Everyone | PrincipalKind::EveryAwsPrincipal, _) => GrantClass::Wildcard,
        (PrincipalKind::Account { .. }, _) => GrantClass::Account,
        (PrincipalKind::User(_), Principal::FederatedUser { .. }) => GrantClass::FederatedBase,
        (PrincipalKind::User(_), _) => GrantClass::User,
        (PrincipalKind::Role(_), _) => GrantClass::Role,
        (PrincipalKind::RoleSession { .. } | PrincipalKind::FederatedUser(_), _) => {
            GrantClass::Session
        }
        (PrincipalKind::UniqueId(_), Principal::RoleSession { .. }) => GrantClass::Role,
        (PrincipalKind::UniqueId(_), _) => GrantClass::User,
        (PrincipalKind::CanonicalUser(_), Principal::Root { .. } | Principal::User { .. }) => {
            GrantClass::Account
        }
        (
            PrincipalKind::Service(_)
            | PrincipalKind::Federated(_)
            | PrincipalKind::CanonicalUser(_),
            _,
        ) => GrantClass::Other,
    };
    covers(kind, request, readings).then_some(class)
}

/// Whether the entries of a `NotPrincipal` exempt the principal of `request`: any entry that
/// covers it does, or else it takes the whole chain (D14): a user and its account; a session, its
/// role and their account; a federated user and its account. A star exempts alone, and so does the
/// entry of anybody who is in no such chain.
pub(super) fn exempts(entries: &[PrincipalEntry], request: &Request, readings: Readings) -> bool {
    let has = |wanted: &dyn Fn(GrantClass) -> bool| {
        entries.iter().filter_map(|entry| grants(&entry.kind, request, readings)).any(wanted)
    };
    let links: &[GrantClass] = match request.principal {
        _ if !readings.is_alternative(Switch::D14) => &[],
        // An origin access identity of CloudFront is of no account that could be listed.
        _ if !request.principal.partition_and_account().is_some_and(|(_, a)| is_account(a)) => &[],
        Principal::User { .. } => &[GrantClass::User, GrantClass::Account],
        Principal::RoleSession { .. } => {
            &[GrantClass::Session, GrantClass::Role, GrantClass::Account]
        }
        Principal::FederatedUser { .. } => &[GrantClass::Session, GrantClass::Account],
        _ => &[],
    };
    match links {
        [] => has(&|_| true),
        links => {
            has(&|class| class == GrantClass::Wildcard)
                || links.iter().all(|link| has(&|class| class == *link))
        }
    }
}

/// Whether an entry of this form covers the principal of `request`.
pub(super) fn covers(kind: &PrincipalKind, request: &Request, readings: Readings) -> bool {
    let principal = &request.principal;
    match kind {
        // Anonymous callers and services included.
        PrincipalKind::Everyone => true,
        // The same, or not services and what is yet to assume a role (D12).
        PrincipalKind::EveryAwsPrincipal => {
            !readings.is_alternative(Switch::D12)
                || !matches!(principal, Principal::Service { .. } | Principal::Federated { .. })
        }
        PrincipalKind::Account { partition, account } => {
            principal.partition_and_account().is_some_and(|(own_partition, own_account)| {
                own_account == account
                    && partition.as_deref().is_none_or(|partition| partition == own_partition)
            })
        }
        PrincipalKind::User(entry) => covers_user(entry, principal),
        PrincipalKind::Role(entry) => matches!(
            principal,
            Principal::RoleSession { role_arn, .. } if is_named(role_arn, "iam", entry)
        ),
        PrincipalKind::RoleSession { partition, account, role, session } => match principal {
            Principal::RoleSession { session_name, .. } => {
                principal.partition_and_account() == Some((partition, account))
                    && principal.role_name() == Some(role)
                    && session_name == session
            }
            _ => false,
        },
        PrincipalKind::FederatedUser(entry) => matches!(
            principal,
            Principal::FederatedUser { arn, .. } if is_named(arn, "sts", entry)
        ),
        PrincipalKind::UniqueId(id) => covers_unique_id(id, request),
        PrincipalKind::Service(entry) => {
            matches!(principal, Principal::Service { name } if name == entry)
        }
        PrincipalKind::Federated(entry) => {
            matches!(principal, Principal::Federated { provider } if provider == entry)
        }
        PrincipalKind::CanonicalUser(entry) => match principal {
            Principal::CanonicalUser { id } => id == entry,
            Principal::Root { canonical_user, .. } | Principal::User { canonical_user, .. } => {
                canonical_user.as_ref() == Some(entry)
            }
            _ => false,
        },
    }
}

/// A user's ARN covers the user, and the sessions that the user got by `GetFederationToken`.
fn covers_user(entry: &PrincipalArn, principal: &Principal) -> bool {
    match principal {
        Principal::User { arn, .. } | Principal::FederatedUser { base: Some(arn), .. } => {
            is_named(arn, "iam", entry)
        }
        _ => false,
    }
}

/// The unique id of a user is its `aws:userid`; that of a role is what its sessions' `aws:userid`
/// has before the first colon (4.5).
fn covers_unique_id(id: &str, request: &Request) -> bool {
    let Some(ContextValue::One(userid)) = request.context.get("aws:userid") else { return false };
    match request.principal {
        Principal::User { .. } => userid == id,
        Principal::RoleSession { .. } => {
            userid.strip_prefix(id).is_some_and(|rest| rest.starts_with(':'))
        }
        _ => false,
    }
}

/// Whether `arn` is the ARN in `service` whose other fields are those of `entry`.
fn is_named(arn: &str, service: &str, entry: &PrincipalArn) -> bool {
    let PrincipalArn { partition, account, resource } = entry;
    arn.splitn(6, ':').eq(["arn", partition, service, "", account, resource])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_covers_anonymous_callers_and_services() {
        check(&PrincipalKind::Everyone, &Principal::Anonymous, true);
        check(&PrincipalKind::Everyone, &service("sns.amazonaws.com"), true);
        check(&PrincipalKind::Everyone, &user("ops/ines"), true);
    }

    #[test]
    fn a_star_of_aws_may_leave_out_services_and_identities_of_providers() {
        let aws = Readings::DEFAULT.with(Switch::D12, true);
        for (principal, expected) in [
            (Principal::Anonymous, true),
            (root("111122223333"), true),
            (user("ines"), true),
            (session("reader", "night"), true),
            (federated_user("guest", None), true),
            (Principal::CanonicalUser { id: "79a5".to_owned() }, true),
            (service("sns.amazonaws.com"), false),
            (federated("accounts.google.com"), false),
        ] {
            let request = request(&principal);
            let entry = PrincipalKind::EveryAwsPrincipal;
            assert!(covers(&entry, &request, Readings::DEFAULT), "{principal:?}");
            assert_eq!(covers(&entry, &request, aws), expected, "{principal:?}");
            assert!(covers(&PrincipalKind::Everyone, &request, aws), "{principal:?}");
        }
    }

    #[test]
    fn an_exemption_takes_any_entry_or_the_whole_chain() {
        let own = account(None, "111122223333");
        let user_entry = PrincipalKind::User(arn("user/ines"));
        let role = PrincipalKind::Role(arn("role/reader"));
        let night = PrincipalKind::RoleSession {
            partition: "aws".to_owned(),
            account: "111122223333".to_owned(),
            role: "reader".to_owned(),
            session: "night".to_owned(),
        };
        let guest = PrincipalKind::FederatedUser(arn("federated-user/guest"));
        let everyone = PrincipalKind::Everyone;
        let (ines, reader) = (user("ines"), session("reader", "night"));
        let federated = federated_user("guest", Some("ines"));
        for (kinds, principal, by_any, by_chain) in [
            (vec![], &ines, false, false),
            (vec![&user_entry], &ines, true, false),
            (vec![&own], &ines, true, false),
            (vec![&user_entry, &own], &ines, true, true),
            (vec![&everyone], &ines, true, true),
            (vec![&role], &reader, true, false),
            (vec![&role, &own], &reader, true, false),
            (vec![&night, &role], &reader, true, false),
            (vec![&night, &role, &own], &reader, true, true),
            (vec![&guest, &own], &federated, true, true),
            (vec![&user_entry, &own], &federated, true, false),
            (vec![&own], &root("111122223333"), true, true),
            (vec![&own], &root("444455556666"), false, false),
            (vec![&own], &service("sns.amazonaws.com"), false, false),
        ] {
            let entry = |kind: &&PrincipalKind| PrincipalEntry {
                kind: (*kind).clone(),
                text: String::new(),
                span: crate::span::Span::new(0, 1),
            };
            let entries: Vec<_> = kinds.iter().map(entry).collect();
            for (d14, expected) in [(false, by_any), (true, by_chain)] {
                let readings = Readings::DEFAULT.with(Switch::D14, d14);
                let exempt = exempts(&entries, &request(principal), readings);
                assert_eq!(exempt, expected, "{kinds:?} {principal:?}");
            }
        }
    }

    #[test]
    fn an_identity_of_no_account_is_exempt_by_its_own_entry() {
        let identity = "arn:aws:iam::cloudfront:user/E1";
        let principal = Principal::User { arn: identity.to_owned(), canonical_user: None };
        let entry = PrincipalEntry {
            kind: PrincipalKind::User(PrincipalArn {
                account: "cloudfront".to_owned(),
                ..arn("user/E1")
            }),
            text: String::new(),
            span: crate::span::Span::new(0, 1),
        };
        let chain = Readings::DEFAULT.with(Switch::D14, true);
        assert!(exempts(&[entry], &request(&principal), chain));
    }

    #[test]
    fn an_account_covers_all_its_principals_and_no_others() {
        let entry = account(None, "111122223333");
        check(&entry, &root("111122223333"), true);
        check(&entry, &user("ops/ines"), true);
        check(&entry, &session("ops/reader", "night"), true);
        check(&entry, &federated_user("guest", None), true);
        check(&entry, &root("444455556666"), false);
        check(&entry, &Principal::Anonymous, false);
        check(&entry, &service("sns.amazonaws.com"), false);
        check(&account(None, "444455556666"), &user("ines"), false);
    }

    #[test]
    fn a_root_arn_fixes_the_partition() {
        check(&account(Some("aws"), "111122223333"), &user("ines"), true);
        check(&account(Some("aws-cn"), "111122223333"), &user("ines"), false);
    }

    #[test]
    fn a_user_is_matched_by_the_whole_arn() {
        let entry = PrincipalKind::User(arn("user/ops/ines"));
        check(&entry, &user("ops/ines"), true);
        check(&entry, &user("ines"), false);
        check(&entry, &user("ops/Ines"), false);
        check(&entry, &session("ops/ines", "night"), false);
    }

    #[test]
    fn a_user_covers_the_federated_sessions_of_that_user() {
        let entry = PrincipalKind::User(arn("user/ines"));
        check(&entry, &federated_user("guest", Some("ines")), true);
        check(&entry, &federated_user("guest", Some("omar")), false);
        check(&entry, &federated_user("guest", None), false);
    }

    #[test]
    fn a_role_covers_its_sessions_whatever_their_name() {
        let entry = PrincipalKind::Role(arn("role/ops/reader"));
        check(&entry, &session("ops/reader", "night"), true);
        check(&entry, &session("ops/reader", "day"), true);
        check(&entry, &session("reader", "night"), false);
    }

    #[test]
    fn a_session_is_named_without_the_path_of_its_role() {
        let entry = |role: &str, session: &str| PrincipalKind::RoleSession {
            partition: "aws".to_owned(),
            account: "111122223333".to_owned(),
            role: role.to_owned(),
            session: session.to_owned(),
        };
        check(&entry("reader", "night"), &session("ops/reader", "night"), true);
        check(&entry("reader", "night"), &session("reader", "night"), true);
        check(&entry("reader", "night"), &session("reader", "day"), false);
        check(&entry("Reader", "night"), &session("reader", "night"), false);
        check(&entry("ops/reader", "night"), &session("ops/reader", "night"), false);
    }

    #[test]
    fn a_federated_user_is_matched_by_the_whole_arn() {
        let entry = PrincipalKind::FederatedUser(arn("federated-user/guest"));
        check(&entry, &federated_user("guest", None), true);
        check(&entry, &federated_user("guest2", None), false);
        check(&entry, &user("guest"), false);
    }

    #[test]
    fn a_unique_id_is_the_userid_or_what_a_session_has_before_the_colon() {
        let check = |id: &str, principal: Principal, userid: &str, expected: bool| {
            let mut request = request(&principal);
            request.context.insert("AWS:UserID", ContextValue::One(userid.to_owned()));
            let entry = PrincipalKind::UniqueId(id.to_owned());
            assert_eq!(covers(&entry, &request, Readings::DEFAULT), expected);
        };
        check("AIDA1", user("ines"), "AIDA1", true);
        check("AIDA1", user("ines"), "AIDA12", false);
        check("AROA1", session("reader", "night"), "AROA1:night", true);
        check("AROA1", session("reader", "night"), "AROA12:night", false);
        check("AROA1", session("reader", "night"), "AROA1", false);
        check("AIDA1", service("sns.amazonaws.com"), "AIDA1", false);
    }

    #[test]
    fn services_and_providers_are_compared_exactly() {
        let entry = PrincipalKind::Service("sns.amazonaws.com".to_owned());
        check(&entry, &service("sns.amazonaws.com"), true);
        check(&entry, &service("sns.eu-south-1.amazonaws.com"), false);
        check(&entry, &federated("sns.amazonaws.com"), false);
        let entry = PrincipalKind::Federated("accounts.google.com".to_owned());
        check(&entry, &federated("accounts.google.com"), true);
        check(&entry, &federated("www.amazon.com"), false);
    }

    #[test]
    fn a_canonical_id_covers_the_account_s_root_and_users() {
        let entry = PrincipalKind::CanonicalUser("79a5".to_owned());
        let canonical_user = Some("79a5".to_owned());
        check(&entry, &Principal::CanonicalUser { id: "79a5".to_owned() }, true);
        check(&entry, &Principal::CanonicalUser { id: "79a6".to_owned() }, false);
        check(&entry, &Principal::User { arn: String::new(), canonical_user }, true);
        check(&entry, &user("ines"), false);
        check(&entry, &root("111122223333"), false);
    }

    #[test]
    fn a_malformed_arn_in_a_request_is_covered_by_everyone_only() {
        let broken = Principal::User { arn: "arn:aws".to_owned(), canonical_user: None };
        check(&PrincipalKind::Everyone, &broken, true);
        check(&account(None, "111122223333"), &broken, false);
        check(&PrincipalKind::User(arn("user/ines")), &broken, false);
    }

    #[track_caller]
    fn check(kind: &PrincipalKind, principal: &Principal, expected: bool) {
        assert_eq!(
            covers(kind, &request(principal), Readings::DEFAULT),
            expected,
            "{kind:?} {principal:?}"
        );
    }

    fn request(principal: &Principal) -> Request {
        Request {
            principal: principal.clone(),
            action: "s3:GetObject".to_owned(),
            resource: "*".to_owned(),
            resource_account: None,
            ..Request::default()
        }
    }

    fn account(partition: Option<&str>, account: &str) -> PrincipalKind {
        let partition = partition.map(str::to_owned);
        PrincipalKind::Account { partition, account: account.to_owned() }
    }

    fn arn(resource: &str) -> PrincipalArn {
        PrincipalArn {
            partition: "aws".to_owned(),
            account: "111122223333".to_owned(),
            resource: resource.to_owned(),
        }
    }

    fn root(account: &str) -> Principal {
        Principal::Root {
            partition: "aws".to_owned(),
            account: account.to_owned(),
            canonical_user: None,
        }
    }

    fn user(name: &str) -> Principal {
        let arn = format!("arn:aws:iam::111122223333:user/{name}");
        Principal::User { arn, canonical_user: None }
    }

    fn session(role: &str, session: &str) -> Principal {
        let role_arn = format!("arn:aws:iam::111122223333:role/{role}");
        Principal::RoleSession { role_arn, session_name: session.to_owned() }
    }

    fn federated_user(name: &str, base: Option<&str>) -> Principal {
        Principal::FederatedUser {
            arn: format!("arn:aws:sts::111122223333:federated-user/{name}"),
            base: base.map(|base| format!("arn:aws:iam::111122223333:user/{base}")),
        }
    }

    fn federated(provider: &str) -> Principal {
        Principal::Federated { provider: provider.to_owned() }
    }

    fn service(name: &str) -> Principal {
        Principal::Service { name: name.to_owned() }
    }
}
