//! Requests: those that results show, and those that somebody writes.
//!
//! They are two types, since what is shown has everything and what is written may leave out what follows from the rest.

use std::collections::BTreeMap;

use keyaki_policy::Request as PolicyRequest;
use keyaki_policy::request::{self, ContextValue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One concrete request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Request {
    /// Who asks.
    pub principal: Principal,
    /// `service:Name`.
    pub action: String,
    /// The resource's ARN, or `*`.
    pub resource: String,
    /// Who owns the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_account: Option<String>,
    /// ARN of the user behind a federated user's session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub federated_base: Option<String>,
    /// Condition keys: a string is one value, a list a multivalued key.
    pub context: Map<String, Value>,
    /// Whether keys that are not listed are absent, also those that follow from the principal.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub context_complete: bool,
    /// Whether the principal's account is the management account of its organisation.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub management_account: bool,
    /// Whether the principal is a session of a service-linked role.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub service_linked_role: bool,
}

/// A request as somebody writes it. What follows from its principal and resource may be left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GivenRequest {
    /// Who asks.
    pub principal: GivenPrincipal,
    /// ARN of the role of a role session that is given as a text, if the role has a path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// ARN of the user behind a federated user's session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub federated_base: Option<String>,
    /// `service:Name`.
    pub action: String,
    /// The resource's ARN, or `*`.
    pub resource: String,
    /// Who owns the resource, where its ARN does not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_account: Option<String>,
    /// Condition keys: a string is one value, a list a multivalued key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub context: BTreeMap<String, GivenValue>,
    /// Whether keys that are not listed are absent, also those that follow from the principal.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub context_complete: bool,
    /// Whether the principal's account is the management account of its organisation.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub management_account: bool,
    /// Whether the principal is a session of a service-linked role.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub service_linked_role: bool,
}

/// Who asks, as somebody writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum GivenPrincipal {
    /// An ARN of a user, root user, role session or federated user, a service principal, a
    /// provider's ARN or host, a canonical user id, `anonymous` or `*`.
    Text(String),
    /// A principal with its type.
    Typed(Principal),
}

/// The value of a condition key, as somebody writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum GivenValue {
    /// One value.
    One(String),
    /// The values of a multivalued key.
    Many(Vec<String>),
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is the principal of keyaki_policy of that name")]
pub enum Principal {
    Anonymous,
    Root {
        account: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        partition: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        canonical_user: Option<String>,
    },
    User {
        arn: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        canonical_user: Option<String>,
    },
    RoleSession {
        role_arn: String,
        session_name: String,
    },
    FederatedUser {
        arn: String,
    },
    Service {
        name: String,
    },
    Federated {
        provider: String,
    },
    CanonicalUser {
        id: String,
    },
}

impl From<&PolicyRequest> for Request {
    fn from(request: &PolicyRequest) -> Request {
        let context = request.context.iter().map(|(key, value)| {
            let value = match value {
                ContextValue::One(value) => Value::from(value.as_str()),
                ContextValue::Many(values) => Value::from(values.as_slice()),
            };
            (key.to_owned(), value)
        });
        let federated_base = match &request.principal {
            request::Principal::FederatedUser { base, .. } => base.clone(),
            _ => None,
        };
        Request {
            federated_base,
            principal: Principal::from(&request.principal),
            action: request.action.clone(),
            resource: request.resource.clone(),
            resource_account: request.resource_account.clone(),
            context: context.collect(),
            context_complete: true,
            management_account: request.management_account,
            service_linked_role: request.service_linked_role,
        }
    }
}

impl From<&request::Principal> for Principal {
    fn from(principal: &request::Principal) -> Principal {
        use request::Principal as From;
        match principal.clone() {
            From::Anonymous => Principal::Anonymous,
            From::Root { partition, account, canonical_user } => {
                let partition = Some(partition).filter(|partition| partition != "aws");
                Principal::Root { account, partition, canonical_user }
            }
            From::User { arn, canonical_user } => Principal::User { arn, canonical_user },
            From::RoleSession { role_arn, session_name } => {
                Principal::RoleSession { role_arn, session_name }
            }
            From::FederatedUser { arn, base: _ } => Principal::FederatedUser { arn },
            From::Service { name } => Principal::Service { name },
            From::Federated { provider } => Principal::Federated { provider },
            From::CanonicalUser { id } => Principal::CanonicalUser { id },
        }
    }
}
