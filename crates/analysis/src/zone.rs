//! The zone of trust: whom `no-external-access` takes for an insider.
//!
//! A zone is data; what places a request inside it is said twice, in [`mod@crate::encode`] and in
//! [`crate::replay`]. The list of an organisation's accounts is never taken to be complete: an account
//! that is in no list is inside only if the request tells that its organisation is the trusted one.

use std::collections::BTreeSet;

/// Whom somebody trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    /// Accounts of their own.
    pub accounts: BTreeSet<String>,
    /// The id of an organisation.
    pub organization: Option<String>,
    /// Accounts that are known to be of that organisation; some, as a rule, not all.
    pub organization_accounts: BTreeSet<String>,
    /// The account that owns the resource, if it is known. The owner is inside anyway.
    pub owner: Option<String>,
    /// What is made of requests by AWS services.
    pub services: ServicePrincipals,
}

/// What is made of requests by AWS services.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ServicePrincipals {
    /// They are inside: AWS is trusted to act for its customers only, as IAM Access Analyzer does.
    #[default]
    Ignored,
    /// A service is outside unless the request tells that the resource for which it calls is inside:
    /// it might be the deputy of a stranger.
    Deputies,
}

impl Zone {
    /// The accounts of all lists, the owner's included if it is known.
    pub fn known_accounts(&self) -> impl Iterator<Item = &str> {
        let listed = self.accounts.iter().chain(&self.organization_accounts);
        listed.chain(&self.owner).map(String::as_str)
    }
}
