//! Which entries of `Principal` cover which callers (2.4).
//!
//! Names are compared exactly, also those of roles (D11): a request carries its session's role
//! ARN, so nothing has to be guessed from the session's own ARN, which has lost the path.

use crate::ast::{PrincipalArn, PrincipalKind};
use crate::request::{ContextValue, Principal, Request};

/// Whether an entry of this form covers the principal of `request`.
pub(super) fn covers(kind: &PrincipalKind, request: &Request) -> bool {
    let principal = &request.principal;
    match kind {
        // Anonymous callers and services included, however the star is written (D12).
        PrincipalKind::Everyone => true,
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
