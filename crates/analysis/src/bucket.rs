//! Who of the public gets into a bucket by its ACL, and what Block Public Access leaves of that and
//! of the bucket's policy (`docs/semantics.md`, "Buckets").
//!
//! An ACL is a list and the settings are four Booleans at three levels, so nothing here needs a
//! solver. Whether the policy is public is a question ([`Question::NoPublicAccess`]), asked by
//! whoever puts the three together. One formula for all would hide which of them let somebody in.
//!
//! [`Question::NoPublicAccess`]: crate::Question::NoPublicAccess

use keyaki_policy::Policy;
use keyaki_policy::ast::{Effect, PrincipalEntry, PrincipalKind};

/// The four settings of Block Public Access.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// New public ACLs are rejected.
    pub block_public_acls: bool,
    /// Public ACLs grant nothing to the public.
    pub ignore_public_acls: bool,
    /// New public policies are rejected.
    pub block_public_policy: bool,
    /// A bucket with a public policy is open to the owner's account and services of AWS alone.
    pub restrict_public_buckets: bool,
}

/// The settings of all levels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// Of the bucket.
    pub bucket: Settings,
    /// Of the account.
    pub account: Settings,
    /// What the organisation says for all its accounts, if it does: all four on, or all off.
    pub organization: Option<bool>,
}

/// A bucket's access control list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acl {
    /// Who may what.
    pub grants: Vec<Grant>,
    /// Whether it grants nothing, because the bucket's owner owns all objects (`BucketOwnerEnforced`).
    pub is_disabled: bool,
}

/// An entry of an ACL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Who.
    pub grantee: Grantee,
    /// What: `READ`, `WRITE`, `READ_ACP`, `WRITE_ACP` or `FULL_CONTROL`.
    pub permission: String,
}

/// Whom an ACL names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grantee {
    /// Everybody.
    AllUsers,
    /// Everybody with credentials of some account.
    AuthenticatedUsers,
    /// Amazon S3, to write logs.
    LogDelivery,
    /// Somebody in particular, by canonical id or address.
    Somebody(String),
}

/// What becomes of an ACL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AclState {
    /// It grants the public nothing.
    NotPublic,
    /// It grants the public something.
    Public,
    /// It would, but IgnorePublicAcls is on.
    Ignored,
    /// It would, but ACLs are off.
    Disabled,
}

/// What RestrictPublicBuckets leaves of what a statement grants to one of its principals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// All of it.
    Stays,
    /// What it grants to the owner's account and to services of AWS.
    Narrowed,
    /// Nothing.
    Goes,
    /// That is not known: whose account the principal is of, or the owner's, is not told.
    Unknown,
}

impl Settings {
    /// All four alike.
    pub fn all(on: bool) -> Settings {
        Settings {
            block_public_acls: on,
            ignore_public_acls: on,
            block_public_policy: on,
            restrict_public_buckets: on,
        }
    }

    /// What is on in one of the two.
    fn or(self, other: Settings) -> Settings {
        Settings {
            block_public_acls: self.block_public_acls || other.block_public_acls,
            ignore_public_acls: self.ignore_public_acls || other.ignore_public_acls,
            block_public_policy: self.block_public_policy || other.block_public_policy,
            restrict_public_buckets: self.restrict_public_buckets || other.restrict_public_buckets,
        }
    }
}

impl Levels {
    /// The settings in force: the most restrictive of the bucket's and the account's, where the
    /// account has those of its organisation if that says some.
    pub fn effective(&self) -> Settings {
        self.bucket.or(self.organization.map_or(self.account, Settings::all))
    }
}

impl Acl {
    /// The grants to the public.
    pub fn public_grants(&self) -> impl Iterator<Item = &Grant> {
        let is_public = |grant: &&Grant| {
            matches!(grant.grantee, Grantee::AllUsers | Grantee::AuthenticatedUsers)
        };
        self.grants.iter().filter(is_public)
    }

    /// What becomes of it under these settings.
    pub fn state(&self, settings: Settings) -> AclState {
        match self.public_grants().next() {
            None => AclState::NotPublic,
            Some(_) if self.is_disabled => AclState::Disabled,
            Some(_) if settings.ignore_public_acls => AclState::Ignored,
            Some(_) => AclState::Public,
        }
    }

    /// Whether such an ACL can be put on the bucket.
    pub fn is_accepted(&self, settings: Settings) -> bool {
        let is_public = self.public_grants().next().is_some();
        !(is_public && (self.is_disabled || settings.block_public_acls))
    }
}

/// For each principal of an Allow statement of a policy under restriction, with the statement's
/// index, what is left; `owner` is the account of the bucket.
pub fn left<'p>(
    policy: &'p Policy,
    owner: Option<&'p str>,
) -> impl Iterator<Item = (usize, &'p PrincipalEntry, Left)> {
    let allows = policy.statements.iter().filter(|statement| statement.effect == Effect::Allow);
    allows.flat_map(move |statement| {
        statement.principal.iter().flat_map(move |clause| {
            clause.entries.iter().map(move |entry| {
                let left = match clause.negated {
                    true => Left::Narrowed,
                    false => left_to(&entry.kind, owner),
                };
                (statement.index, entry, left)
            })
        })
    })
}

fn left_to(principal: &PrincipalKind, owner: Option<&str>) -> Left {
    let account = match principal {
        PrincipalKind::Service(_) => return Left::Stays,
        PrincipalKind::Everyone | PrincipalKind::EveryAwsPrincipal => return Left::Narrowed,
        PrincipalKind::UniqueId(_)
        | PrincipalKind::Federated(_)
        | PrincipalKind::CanonicalUser(_) => return Left::Unknown,
        PrincipalKind::Account { account, .. } | PrincipalKind::RoleSession { account, .. } => {
            account
        }
        PrincipalKind::User(arn) | PrincipalKind::Role(arn) | PrincipalKind::FederatedUser(arn) => {
            &arn.account
        }
    };
    // An origin access identity is of CloudFront and of no account.
    let is_account = account.bytes().all(|byte| byte.is_ascii_digit());
    match owner {
        Some(owner) if is_account && owner == account => Left::Stays,
        Some(_) if is_account => Left::Goes,
        _ => Left::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BITS: u32 = 4;

    fn settings(bits: u32) -> Settings {
        let is_on = |bit: u32| bits & (1 << bit) != 0;
        Settings {
            block_public_acls: is_on(0),
            ignore_public_acls: is_on(1),
            block_public_policy: is_on(2),
            restrict_public_buckets: is_on(3),
        }
    }

    fn all_levels() -> impl Iterator<Item = Levels> {
        (0..1 << (2 * BITS)).flat_map(|bits| {
            [None, Some(false), Some(true)].map(|organization| Levels {
                bucket: settings(bits),
                account: settings(bits >> BITS),
                organization,
            })
        })
    }

    #[test]
    fn the_most_restrictive_combination_is_in_force() {
        for levels in all_levels() {
            let effective = levels.effective();
            let parts: [fn(Settings) -> bool; 4] = [
                |s| s.block_public_acls,
                |s| s.ignore_public_acls,
                |s| s.block_public_policy,
                |s| s.restrict_public_buckets,
            ];
            for part in parts {
                let of_account = match levels.organization {
                    Some(organization) => organization,
                    None => part(levels.account),
                };
                assert_eq!(part(effective), part(levels.bucket) || of_account, "{levels:?}");
            }
        }
    }

    #[test]
    fn a_further_setting_never_opens_a_bucket() {
        let grants = vec![Grant { grantee: Grantee::AllUsers, permission: "READ".to_owned() }];
        let acl = Acl { grants, is_disabled: false };
        for (a, b) in (0..16).flat_map(|a| (0..16).map(move |b| (a, b))) {
            let (few, more) = (settings(a), settings(a | b));
            let is_open = |settings| acl.state(settings) == AclState::Public;
            assert!(is_open(few) || !is_open(more), "{few:?} {more:?}");
            assert!(acl.is_accepted(few) || !acl.is_accepted(more), "{few:?} {more:?}");
        }
    }
}
