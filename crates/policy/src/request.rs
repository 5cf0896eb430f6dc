//! One concrete request: who asks for what, on which resource, in which context.

use std::collections::BTreeMap;

pub(crate) mod derive;

pub use derive::RequestError;

/// A request, complete: a context key that is not in [`Request::context`] is absent.
///
/// Keys that follow from principal and resource (`aws:PrincipalArn`, `aws:username` …) are ordinary
/// members of the context here; [`Request::complete`] puts them in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Who asks.
    pub principal: Principal,
    /// `service:Name`; case is ignored.
    pub action: String,
    /// The resource's ARN, or `*` for actions without a resource type.
    pub resource: String,
    /// The account that owns the resource, where known.
    pub resource_account: Option<String>,
    /// The context keys that are present.
    pub context: Context,
    /// Whether the principal's account is the management account of its organisation (5.2).
    pub management_account: bool,
    /// Whether the principal is a session of a service-linked role (5.2).
    pub service_linked_role: bool,
}

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Principal {
    /// A request without credentials.
    #[default]
    Anonymous,
    /// The root user of an account.
    Root {
        /// The partition, such as `aws`.
        partition: String,
        /// Twelve digits.
        account: String,
        /// The account's canonical user id, where known.
        canonical_user: Option<String>,
    },
    /// An IAM user.
    User {
        /// `arn:PARTITION:iam::ACCOUNT:user/[PATH/]NAME`
        arn: String,
        /// The canonical user id of the user's account, where known.
        canonical_user: Option<String>,
    },
    /// A session of a role.
    RoleSession {
        /// `arn:PARTITION:iam::ACCOUNT:role/[PATH/]NAME`
        role_arn: String,
        /// The session's name.
        session_name: String,
    },
    /// A session got by `GetFederationToken`.
    FederatedUser {
        /// `arn:PARTITION:sts::ACCOUNT:federated-user/NAME`
        arn: String,
        /// ARN of the user who called `GetFederationToken`, where known.
        base: Option<String>,
    },
    /// An AWS service that calls on its own behalf.
    Service {
        /// The service principal, such as `cloudtrail.amazonaws.com`.
        name: String,
    },
    /// An identity of a SAML or OpenID Connect provider, before it has assumed a role.
    Federated {
        /// The provider's ARN or host name.
        provider: String,
    },
    /// A principal that is known by its canonical user id only.
    CanonicalUser {
        /// The canonical user id.
        id: String,
    },
}

/// The values of the context keys that are present. Key names are compared without regard to case.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Lower-cased key to its spelling and value.
    entries: BTreeMap<String, (String, ContextValue)>,
    /// A bit for each length that a key has or had: most look-ups are for keys that are absent.
    lengths: u64,
}

/// The value of a context key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContextValue {
    /// The value of a single-valued key.
    One(String),
    /// The values of a multivalued key. An empty list is the same as an absent key (D23).
    Many(Vec<String>),
}

/// The bit of a key's length in [`Context::lengths`]; lengths that differ by 64 share one.
fn length_bit(key: &str) -> u64 {
    1 << (key.len() % 64)
}

impl Principal {
    /// The partition and the account that the principal belongs to, if it belongs to one.
    pub fn partition_and_account(&self) -> Option<(&str, &str)> {
        let arn = match self {
            Principal::Root { partition, account, .. } => return Some((partition, account)),
            Principal::User { arn, .. } | Principal::FederatedUser { arn, .. } => arn,
            Principal::RoleSession { role_arn, .. } => role_arn,
            Principal::Anonymous
            | Principal::Service { .. }
            | Principal::Federated { .. }
            | Principal::CanonicalUser { .. } => return None,
        };
        let mut fields = arn.splitn(6, ':');
        Some((fields.nth(1)?, fields.nth(2)?))
    }

    /// The name, without path, of the role that a session is of.
    pub fn role_name(&self) -> Option<&str> {
        let Principal::RoleSession { role_arn, .. } = self else { return None };
        role_arn.splitn(6, ':').nth(5)?.strip_prefix("role/")?.rsplit('/').next()
    }
}

impl PartialEq for Context {
    fn eq(&self, other: &Context) -> bool {
        self.entries == other.entries
    }
}

impl Eq for Context {}

impl Context {
    /// Makes `key` present with `value`; returns the value it had.
    pub fn insert(&mut self, key: &str, value: ContextValue) -> Option<ContextValue> {
        self.lengths |= length_bit(key);
        self.entries.insert(key.to_ascii_lowercase(), (key.to_owned(), value)).map(|old| old.1)
    }

    /// Makes `key` absent; returns the value it had.
    pub fn remove(&mut self, key: &str) -> Option<ContextValue> {
        self.entries.remove(&key.to_ascii_lowercase()).map(|old| old.1)
    }

    /// The value of `key`, or `None` if it is absent.
    pub fn get(&self, key: &str) -> Option<&ContextValue> {
        if self.lengths & length_bit(key) == 0 {
            return None;
        }
        // Keys are short, and an allocation for every look-up would be most of its cost.
        let mut buffer = [0; 64];
        let entry = match buffer.get_mut(..key.len()) {
            None => self.entries.get(&key.to_ascii_lowercase()),
            Some(lower) => {
                lower.copy_from_slice(key.as_bytes());
                lower.make_ascii_lowercase();
                std::str::from_utf8(lower).ok().and_then(|lower| self.entries.get(lower))
            }
        };
        match entry {
            Some((_, ContextValue::Many(values))) if values.is_empty() => None,
            entry => entry.map(|(_, value)| value),
        }
    }

    /// The keys, as spelled when they were put in, with their values, ordered without regard to
    /// case.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ContextValue)> {
        self.entries.values().map(|(key, value)| (key.as_str(), value))
    }
}
