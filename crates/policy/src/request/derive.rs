//! Reading a request that a person wrote: principals as text, and the context keys that follow.
//!
//! Only what follows is filled in (R1–R6, R8, R25, R31). The unique id of a user or role, its tags
//! and its organisation are facts about an account that nobody gave us, so they stay absent
//! unless they are given; and the keys of services, of identities of providers and of canonical
//! users are mostly free. A key that contradicts what follows is an error rather than overruled:
//! one of the two is a mistake, and an answer about either would be about another request than
//! was meant.

use super::{Context, ContextValue, Principal, Request};

/// What is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// A member that has not the form it must have.
    #[error("`{member}`: {message}")]
    Malformed {
        /// The member's name in the JSON of a request, such as `principal`.
        member: &'static str,
        /// What is wrong, lower case, the text in backticks.
        message: String,
        /// What would be right.
        hint: &'static str,
    },
    /// A value that is at odds with what principal, action and resource imply.
    #[error("`{key}` is {}, but {} follows from the rest of the request", shown(.given), shown(.follows))]
    Contradiction {
        /// The context key, or `resource_account`.
        key: &'static str,
        /// What the request gives.
        given: Option<ContextValue>,
        /// What follows; `None` if the key must be absent.
        follows: Option<ContextValue>,
    },
}

/// The identity providers that have a host name rather than an ARN (1.4). The first is under
/// `amazonaws.com` as service principals are.
const PROVIDER_HOSTS: [&str; 4] = [
    "cognito-identity.amazonaws.com",
    "www.amazon.com",
    "graph.facebook.com",
    "accounts.google.com",
];

/// What the names of service principals end in.
const SERVICE_SUFFIXES: [&str; 4] =
    [".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".amazon.com"];

/// Actions whose requests have no `aws:ResourceAccount`, lower case, besides all of `ebs` (7.4).
const WITHOUT_RESOURCE_ACCOUNT: [&str; 16] = [
    "auditmanager:updateassessmentframeworkshare",
    "detective:acceptinvitation",
    "ds:acceptshareddirectory",
    "ec2:accepttransitgatewaypeeringattachment",
    "ec2:acceptvpcendpointconnections",
    "ec2:acceptvpcpeeringconnection",
    "ec2:createtransitgatewaypeeringattachment",
    "ec2:createvpcendpoint",
    "ec2:createvpcpeeringconnection",
    "es:acceptinboundconnection",
    "events:putevents",
    "guardduty:acceptadministratorinvitation",
    "macie2:acceptinvitation",
    "route53:associatevpcwithhostedzone",
    "route53:createvpcassociationauthorization",
    "securityhub:acceptadministratorinvitation",
];

/// Keys that only direct calls of services have (R8).
const OF_SERVICES: [&str; 2] = ["aws:PrincipalServiceName", "aws:PrincipalServiceNamesList"];

/// Keys that anonymous requests have not (R1). Tags come on top.
const NOT_OF_ANONYMOUS: [&str; 12] = [
    "aws:PrincipalArn",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:PrincipalIsAWSService",
    "aws:username",
    "aws:TokenIssueTime",
    "aws:MultiFactorAuthAge",
    "aws:MultiFactorAuthPresent",
    "aws:CalledVia",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:SourceIdentity",
];

impl Request {
    /// The request with the context keys that follow from its principal, action and resource, and
    /// with the owner of its resource where that follows.
    ///
    /// # Errors
    ///
    /// Those of [`Request::check`], and a [`RequestError::Contradiction`] where a key that is
    /// given is not what follows.
    pub fn complete(mut self) -> Result<Request, RequestError> {
        self.check()?;
        self.derive_owner()?;
        let follows = Follows { context: &mut self.context };
        follows.of_principal(&self.principal, &self.action)?;
        if let Some(account) = &self.resource_account
            && has_resource_account(&self.action)
        {
            Follows { context: &mut self.context }.one("aws:ResourceAccount", account)?;
        }
        Ok(self)
    }

    /// Checks the forms of principal, action, resource and owner. Actions and context keys may be
    /// unknown ones.
    ///
    /// # Errors
    ///
    /// A [`RequestError::Malformed`] for the first member that has not its form.
    pub fn check(&self) -> Result<(), RequestError> {
        self.principal.check()?;
        let well_formed = |(service, name): (&str, &str)| {
            !service.is_empty() && !name.is_empty() && !name.contains(':')
        };
        if !self.action.split_once(':').is_some_and(well_formed) {
            let message = format!("`{}` is not an action", shorten(&self.action));
            let hint = "an action is `service:Name`, such as `s3:GetObject`, without wildcards";
            return Err(RequestError::Malformed { member: "action", message, hint });
        }
        if self.resource != "*" && fields(&self.resource).is_none() {
            let message = format!("`{}` is not a resource", shorten(&self.resource));
            let hint = "a resource is an ARN of six fields, such as `arn:aws:s3:::bucket/key`, \
                        or `*` for an action without resource type";
            return Err(RequestError::Malformed { member: "resource", message, hint });
        }
        match &self.resource_account {
            Some(account) if !is_account(account) && !self.names_owner(account) => {
                let message = format!("`{}` is not an account", shorten(account));
                let hint =
                    "an account is twelve digits, or what the ARN has in its place, such as `aws`";
                Err(RequestError::Malformed { member: "resource_account", message, hint })
            }
            _ => Ok(()),
        }
    }

    /// Whether the ARN has this text in the place of an account.
    fn names_owner(&self, owner: &str) -> bool {
        !owner.is_empty() && fields(&self.resource).is_some_and(|fields| fields[4] == owner)
    }

    /// The account that owns the resource, where anything says so: the request itself, else twelve
    /// digits in the resource's ARN, else `aws:ResourceAccount`.
    pub fn owner(&self) -> Option<&str> {
        let in_arn = || account_in_arn(&self.resource);
        let in_context = || match self.context.get("aws:ResourceAccount") {
            Some(ContextValue::One(account)) => Some(account.as_str()),
            _ => None,
        };
        self.resource_account.as_deref().or_else(in_arn).or_else(in_context)
    }

    /// Fills in the owner, and refuses one that the ARN contradicts (R25).
    fn derive_owner(&mut self) -> Result<(), RequestError> {
        let in_arn =
            account_in_arn(&self.resource).filter(|_| !names_another_account(&self.resource));
        match (&self.resource_account, in_arn) {
            (Some(given), Some(in_arn)) if given != in_arn => Err(RequestError::Contradiction {
                key: "resource_account",
                given: Some(ContextValue::One(given.clone())),
                follows: Some(ContextValue::One(in_arn.to_owned())),
            }),
            (None, Some(in_arn)) => {
                self.resource_account = Some(in_arn.to_owned());
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl Principal {
    /// Reads a principal from its short form: the ARN of a user, root user, role session
    /// (`arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`) or federated user; a service principal
    /// such as `sns.amazonaws.com`; an identity provider's ARN or host; a canonical user id; and
    /// `anonymous` or `*`.
    ///
    /// The role of a session is taken to have no path, see [`Principal::with_role_arn`].
    ///
    /// # Errors
    ///
    /// A [`RequestError::Malformed`] of member `principal`.
    pub fn from_text(text: &str) -> Result<Principal, RequestError> {
        if text == "anonymous" || text == "*" {
            return Ok(Principal::Anonymous);
        }
        let principal = match fields(text) {
            Some([_, partition, "iam", _, account, "root"]) => Principal::Root {
                partition: partition.to_owned(),
                account: account.to_owned(),
                canonical_user: None,
            },
            Some([_, _, "iam", _, _, resource]) if resource.starts_with("user/") => {
                Principal::User { arn: text.to_owned(), canonical_user: None }
            }
            Some([_, _, "iam", _, _, resource])
                if resource.starts_with("oidc-provider/")
                    || resource.starts_with("saml-provider/") =>
            {
                Principal::Federated { provider: text.to_owned() }
            }
            Some([_, _, "iam", _, _, resource]) if resource.starts_with("role/") => {
                let hint = "a role asks for nothing, its sessions do: \
                            `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`";
                return Err(no_principal(text, hint));
            }
            Some([_, partition, "sts", _, account, resource]) => {
                match resource.split_once('/').zip(resource.strip_prefix("assumed-role/")) {
                    Some((_, rest)) => {
                        let (role, session) =
                            rest.split_once('/').ok_or_else(|| no_principal(text, ARN_FORMS))?;
                        Principal::RoleSession {
                            role_arn: format!("arn:{partition}:iam::{account}:role/{role}"),
                            session_name: session.to_owned(),
                        }
                    }
                    None => Principal::FederatedUser { arn: text.to_owned(), base: None },
                }
            }
            Some(_) => return Err(no_principal(text, ARN_FORMS)),
            None if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) => {
                Principal::CanonicalUser { id: text.to_owned() }
            }
            None if is_host(text) => host(text),
            None => return Err(no_principal(text, ARN_FORMS)),
        };
        principal.check()?;
        Ok(principal)
    }

    /// The session with its role's ARN, which may have a path.
    ///
    /// # Errors
    ///
    /// A [`RequestError::Malformed`] of member `role_arn` if the principal is no role session, or
    /// the ARN is not that of a role of the same partition, account and name.
    pub fn with_role_arn(self, role_arn: &str) -> Result<Principal, RequestError> {
        let malformed = |message: String, hint| {
            Err(RequestError::Malformed { member: "role_arn", message, hint })
        };
        let own = (self.partition_and_account(), self.role_name());
        let Principal::RoleSession { session_name, .. } = &self else {
            let message =
                format!("`{}` is given for a principal that is no role session", shorten(role_arn));
            return malformed(message, "leave it out");
        };
        let session = Principal::RoleSession {
            role_arn: role_arn.to_owned(),
            session_name: session_name.clone(),
        };
        if session.check().is_err() || (session.partition_and_account(), session.role_name()) != own
        {
            let message = format!("`{}` is not the role of the session", shorten(role_arn));
            let hint = "a role is `arn:aws:iam::ACCOUNT:role/[PATH/]NAME`, of the session's \
                        partition, account and name";
            return malformed(message, hint);
        }
        Ok(session)
    }

    /// The federated user with the user who called `GetFederationToken`.
    ///
    /// # Errors
    ///
    /// A [`RequestError::Malformed`] of member `federated_base` if the principal is no federated
    /// user, or the ARN is not that of a user of the same partition and account.
    pub fn with_federated_base(self, user_arn: &str) -> Result<Principal, RequestError> {
        let malformed = |message: String, hint| {
            Err(RequestError::Malformed { member: "federated_base", message, hint })
        };
        let Principal::FederatedUser { arn, .. } = &self else {
            let message = format!(
                "`{}` is given for a principal that is no federated user",
                shorten(user_arn)
            );
            return malformed(message, "leave it out");
        };
        let user = Principal::User { arn: user_arn.to_owned(), canonical_user: None };
        if user.check().is_err() || user.partition_and_account() != self.partition_and_account() {
            let message = format!("`{}` is not a user of the session's account", shorten(user_arn));
            return malformed(message, "a user is `arn:aws:iam::ACCOUNT:user/[PATH/]NAME`");
        }
        Ok(Principal::FederatedUser { arn: arn.clone(), base: Some(user_arn.to_owned()) })
    }

    /// Checks the forms of the principal's parts.
    ///
    /// # Errors
    ///
    /// A [`RequestError::Malformed`] of member `principal`.
    pub fn check(&self) -> Result<(), RequestError> {
        let require = |fine: bool, text: &str, hint| {
            if fine { Ok(()) } else { Err(no_principal(text, hint)) }
        };
        match self {
            Principal::Anonymous => Ok(()),
            Principal::Root { partition, account, .. } => {
                require(is_word(partition), partition, "a partition is a word such as `aws`")?;
                require(is_account(account), account, "an account is twelve digits")
            }
            Principal::User { arn, .. } => {
                let hint = "a user is `arn:aws:iam::ACCOUNT:user/[PATH/]NAME`";
                require(is_named(arn, "iam", "user/"), arn, hint)
            }
            Principal::RoleSession { role_arn, session_name } => {
                let hint = "a role is `arn:aws:iam::ACCOUNT:role/[PATH/]NAME`";
                require(is_named(role_arn, "iam", "role/"), role_arn, hint)?;
                let fine = !session_name.is_empty() && !session_name.contains(['/', ':']);
                require(
                    fine,
                    session_name,
                    "a session's name is not empty and has neither `/` nor `:`",
                )
            }
            Principal::FederatedUser { arn, base } => {
                let hint = "a federated user is `arn:aws:sts::ACCOUNT:federated-user/NAME`";
                require(is_named(arn, "sts", "federated-user/"), arn, hint)?;
                let hint = "the user behind it is `arn:aws:iam::ACCOUNT:user/[PATH/]NAME`";
                let base_is_user = |base: &String| is_named(base, "iam", "user/");
                require(
                    base.as_ref().is_none_or(base_is_user),
                    base.as_deref().unwrap_or_default(),
                    hint,
                )
            }
            Principal::Service { name } => {
                require(is_host(name), name, "a service is named like `sns.amazonaws.com`")
            }
            Principal::Federated { provider } => {
                let is_provider = |[_, partition, service, region, account, resource]: [&str;
                                       6]| {
                    let kind = resource.split_once('/').map(|(kind, _)| kind);
                    is_word(partition)
                        && service == "iam"
                        && region.is_empty()
                        && is_account(account)
                        && matches!(kind, Some("oidc-provider" | "saml-provider"))
                };
                let fine = match fields(provider) {
                    Some(fields) => is_provider(fields),
                    None => is_host(provider),
                };
                let hint = "a provider is `arn:aws:iam::ACCOUNT:oidc-provider/HOST`, \
                            `arn:aws:iam::ACCOUNT:saml-provider/NAME` or a host";
                require(fine, provider, hint)
            }
            Principal::CanonicalUser { id } => {
                require(!id.is_empty(), id, "a canonical user id is 64 hexadecimal digits")
            }
        }
    }
}

/// The context, to which what follows is added.
struct Follows<'c> {
    context: &'c mut Context,
}

impl Follows<'_> {
    fn of_principal(mut self, principal: &Principal, action: &str) -> Result<(), RequestError> {
        match principal {
            Principal::Anonymous => self.of_anonymous()?,
            Principal::Root { account, .. } => {
                self.one("aws:PrincipalType", "Account")?;
                self.one("aws:userid", account)?;
                self.absent("aws:username")?;
            }
            Principal::User { arn, .. } => {
                self.one("aws:PrincipalType", "User")?;
                self.one("aws:username", last_part(arn))?;
            }
            Principal::RoleSession { session_name, .. } => {
                self.one("aws:PrincipalType", "AssumedRole")?;
                self.session_in_userid(session_name)?;
                self.absent("aws:username")?;
            }
            Principal::FederatedUser { arn, .. } => {
                self.one("aws:PrincipalType", "FederatedUser")?;
                let account = account_in_arn(arn).unwrap_or_default();
                self.one("aws:userid", &format!("{account}:{}", last_part(arn)))?;
                self.absent("aws:username")?;
            }
            Principal::Service { name } => {
                self.one("aws:PrincipalIsAWSService", "true")?;
                self.one("aws:PrincipalServiceName", name)?;
                self.one("aws:ViaAWSService", "false")?;
                self.absent("aws:username")?;
            }
            Principal::Federated { .. } | Principal::CanonicalUser { .. } => {}
        }
        let arn = match principal {
            Principal::Root { partition, account, .. } => {
                format!("arn:{partition}:iam::{account}:root")
            }
            Principal::User { arn, .. } | Principal::FederatedUser { arn, .. } => arn.clone(),
            Principal::RoleSession { role_arn, .. } => role_arn.clone(),
            _ => return Ok(()),
        };
        self.one("aws:PrincipalArn", &arn)?;
        self.one("aws:PrincipalIsAWSService", "false")?;
        for key in OF_SERVICES {
            self.absent(key)?;
        }
        if let Some((_, account)) = principal.partition_and_account() {
            self.one("aws:PrincipalAccount", account)?;
            if is_of_service(action, "kms") {
                self.one("kms:CallerAccount", account)?;
            }
        }
        Ok(())
    }

    fn of_anonymous(&mut self) -> Result<(), RequestError> {
        self.one("aws:PrincipalType", "Anonymous")?;
        self.one("aws:PrincipalAccount", "anonymous")?;
        self.one("aws:userid", "anonymous")?;
        for key in OF_SERVICES.into_iter().chain(NOT_OF_ANONYMOUS) {
            self.absent(key)?;
        }
        Ok(())
    }

    /// The user id of a session is its role's unique id, which is not known, and its name (R5).
    fn session_in_userid(&mut self, session_name: &str) -> Result<(), RequestError> {
        let ends_in_name = |userid: &str| {
            userid.split_once(':').is_some_and(|(id, name)| !id.is_empty() && name == session_name)
        };
        match self.context.get("aws:userid") {
            None => Ok(()),
            Some(ContextValue::One(userid)) if ends_in_name(userid) => Ok(()),
            given => Err(RequestError::Contradiction {
                key: "aws:userid",
                given: given.cloned(),
                follows: Some(ContextValue::One(format!("AROA…:{session_name}"))),
            }),
        }
    }

    /// Makes `key` present with `value`, unless it is already.
    fn one(&mut self, key: &'static str, value: &str) -> Result<(), RequestError> {
        let is_boolean = matches!(value, "true" | "false");
        match self.context.get(key) {
            None => drop(self.context.insert(key, ContextValue::One(value.to_owned()))),
            Some(ContextValue::One(given)) if given == value => {}
            Some(ContextValue::One(given)) if is_boolean && given.eq_ignore_ascii_case(value) => {}
            given => {
                return Err(RequestError::Contradiction {
                    key,
                    given: given.cloned(),
                    follows: Some(ContextValue::One(value.to_owned())),
                });
            }
        }
        Ok(())
    }

    fn absent(&self, key: &'static str) -> Result<(), RequestError> {
        match self.context.get(key) {
            None => Ok(()),
            given => Err(RequestError::Contradiction { key, given: given.cloned(), follows: None }),
        }
    }
}

const ARN_FORMS: &str = "a principal is the ARN of a user, root user, role session or federated user, \
     a service such as `sns.amazonaws.com`, a provider's ARN or host, or `anonymous`";

fn no_principal(text: &str, hint: &'static str) -> RequestError {
    let message = format!("`{}` is not a principal", shorten(text));
    RequestError::Malformed { member: "principal", message, hint }
}

/// A principal that is named by a host: a provider if it is a known one, a service if it is
/// Amazon's, else the host of an OpenID Connect provider.
fn host(name: &str) -> Principal {
    let is_service = !PROVIDER_HOSTS.contains(&name)
        && SERVICE_SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
    if is_service {
        Principal::Service { name: name.to_owned() }
    } else {
        Principal::Federated { provider: name.to_owned() }
    }
}

/// The six fields of an ARN; `None` if the text is none.
pub(crate) fn fields(text: &str) -> Option<[&str; 6]> {
    let mut parts = text.splitn(6, ':');
    let mut next = || parts.next();
    let fields = [next()?, next()?, next()?, next()?, next()?, next()?];
    (fields[0] == "arn").then_some(fields)
}

/// The account field of an ARN, if it is twelve digits.
fn account_in_arn(arn: &str) -> Option<&str> {
    fields(arn).map(|fields| fields[4]).filter(|account| is_account(account))
}

/// Whether the account in the ARN need not be the owner's: S3 access points, and MSK's connections
/// to other accounts (R25).
fn names_another_account(arn: &str) -> bool {
    fields(arn).is_some_and(|fields| {
        let (service, resource) = (fields[2], fields[5]);
        matches!(service, "s3" | "s3-outposts" | "s3-object-lambda" | "s3express")
            || (service == "kafka" && resource.starts_with("vpc-connection/"))
    })
}

fn has_resource_account(action: &str) -> bool {
    let action = action.to_ascii_lowercase();
    !is_of_service(&action, "ebs") && !WITHOUT_RESOURCE_ACCOUNT.contains(&action.as_str())
}

/// Whether the action, in any case, is one of `service`.
pub(crate) fn is_of_service(action: &str, service: &str) -> bool {
    action.split_once(':').is_some_and(|(prefix, _)| prefix.eq_ignore_ascii_case(service))
}

pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn is_host(text: &str) -> bool {
    let is_host_char =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/' | b':');
    text.contains('.') && text.bytes().all(is_host_char)
}

/// Whether `arn` is `arn:PARTITION:SERVICE::ACCOUNT:KIND…NAME`. The account of a CloudFront origin
/// access identity is `cloudfront`.
fn is_named(arn: &str, service: &str, kind: &str) -> bool {
    fields(arn).is_some_and(|[_, partition, own_service, region, account, resource]| {
        is_word(partition)
            && own_service == service
            && region.is_empty()
            && (is_account(account) || (kind == "user/" && account == "cloudfront"))
            && resource.strip_prefix(kind).is_some_and(|name| !last_part(name).is_empty())
    })
}

fn last_part(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// The text, cut where it is too long for a message.
fn shorten(text: &str) -> String {
    const MAX_SHOWN_CHARS: usize = 100;
    match text.char_indices().nth(MAX_SHOWN_CHARS) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

fn shown(value: &Option<ContextValue>) -> String {
    match value {
        None => "absence".to_owned(),
        Some(ContextValue::One(text)) => format!("`{}`", shorten(text)),
        Some(ContextValue::Many(_)) => "a list".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: &str = "arn:aws:iam::111122223333:user/ops/ines";
    const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/reader/night";
    const FEDERATED: &str = "arn:aws:sts::111122223333:federated-user/guest";
    const ROOT: &str = "arn:aws-cn:iam::111122223333:root";

    #[test]
    fn principals_are_read_from_their_short_form() {
        let role_arn = "arn:aws:iam::111122223333:role/reader".to_owned();
        let session_name = "night".to_owned();
        check(SESSION, &Principal::RoleSession { role_arn, session_name });
        check(USER, &Principal::User { arn: USER.to_owned(), canonical_user: None });
        check(FEDERATED, &Principal::FederatedUser { arn: FEDERATED.to_owned(), base: None });
        let (partition, account) = ("aws-cn".to_owned(), "111122223333".to_owned());
        check(ROOT, &Principal::Root { partition, account, canonical_user: None });
        for text in ["anonymous", "*"] {
            check(text, &Principal::Anonymous);
        }
        for name in ["sns.amazonaws.com", "s3.ap-east-1.amazonaws.com", "ec2.amazonaws.com.cn"] {
            check(name, &Principal::Service { name: name.to_owned() });
        }
        for provider in [
            "cognito-identity.amazonaws.com",
            "accounts.google.com",
            "token.actions.githubusercontent.com",
            "arn:aws:iam::111122223333:oidc-provider/oidc.example.org/id/7",
            "arn:aws:iam::111122223333:saml-provider/corp",
        ] {
            check(provider, &Principal::Federated { provider: provider.to_owned() });
        }
        let id = "79a5".repeat(16);
        check(&id, &Principal::CanonicalUser { id: id.clone() });
        let identity = "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1";
        check(identity, &Principal::User { arn: identity.to_owned(), canonical_user: None });
    }

    #[test]
    fn other_texts_are_no_principals() {
        for text in [
            "",
            "ines",
            "111122223333",
            "arn:aws:iam::111122223333",
            "arn:aws:iam::1111:user/ines",
            "arn:aws:iam:eu-west-3:111122223333:user/ines",
            "arn:aws:iam::111122223333:user/",
            "arn:aws:iam::111122223333:group/ops",
            "arn:aws:iam::111122223333:role/reader",
            "arn:aws:sts::111122223333:assumed-role/reader",
            "arn:aws:sts::111122223333:assumed-role/reader/",
            "arn:aws:sts::111122223333:assumed-role//night",
            "arn:aws:sts::111122223333:federated-user/",
            "arn:aws:sts::cloudfront:federated-user/x",
            "arn::iam::111122223333:root",
            "arn:aws:s3:::bucket",
        ] {
            let error = Principal::from_text(text).unwrap_err();
            let is_principal = matches!(error, RequestError::Malformed { member: "principal", .. });
            assert!(is_principal, "{text}: {error:?}");
        }
    }

    #[test]
    fn a_role_arn_is_that_of_the_session() {
        let session = || Principal::from_text(SESSION).unwrap();
        let path = "arn:aws:iam::111122223333:role/ops/reader";
        let role_arn = path.to_owned();
        let expected = Principal::RoleSession { role_arn, session_name: "night".to_owned() };
        assert_eq!(session().with_role_arn(path), Ok(expected));
        for other in [
            "arn:aws:iam::111122223333:role/writer",
            "arn:aws:iam::444455556666:role/reader",
            "arn:aws-cn:iam::111122223333:role/reader",
            "arn:aws:iam::111122223333:user/reader",
            "reader",
        ] {
            assert!(session().with_role_arn(other).is_err(), "{other}");
        }
        assert!(Principal::Anonymous.with_role_arn(path).is_err());
    }

    #[test]
    fn a_federated_user_has_its_user() {
        let federated = || Principal::from_text(FEDERATED).unwrap();
        let (arn, base) = (FEDERATED.to_owned(), Some(USER.to_owned()));
        let expected = Principal::FederatedUser { arn, base };
        assert_eq!(federated().with_federated_base(USER), Ok(expected));
        let other = "arn:aws:iam::444455556666:user/ines";
        assert!(federated().with_federated_base(other).is_err());
        assert!(federated().with_federated_base(ROOT).is_err());
        assert!(Principal::Anonymous.with_federated_base(USER).is_err());
    }

    #[test]
    fn what_follows_from_a_principal_is_filled_in() {
        check_keys(
            USER,
            &[
                ("aws:PrincipalArn", USER),
                ("aws:PrincipalAccount", "111122223333"),
                ("aws:PrincipalType", "User"),
                ("aws:PrincipalIsAWSService", "false"),
                ("aws:username", "ines"),
            ],
        );
        check_keys(
            SESSION,
            &[
                ("aws:PrincipalArn", "arn:aws:iam::111122223333:role/reader"),
                ("aws:PrincipalAccount", "111122223333"),
                ("aws:PrincipalType", "AssumedRole"),
                ("aws:PrincipalIsAWSService", "false"),
            ],
        );
        check_keys(
            FEDERATED,
            &[
                ("aws:PrincipalArn", FEDERATED),
                ("aws:PrincipalAccount", "111122223333"),
                ("aws:PrincipalType", "FederatedUser"),
                ("aws:PrincipalIsAWSService", "false"),
                ("aws:userid", "111122223333:guest"),
            ],
        );
        check_keys(
            ROOT,
            &[
                ("aws:PrincipalArn", ROOT),
                ("aws:PrincipalAccount", "111122223333"),
                ("aws:PrincipalType", "Account"),
                ("aws:PrincipalIsAWSService", "false"),
                ("aws:userid", "111122223333"),
            ],
        );
        check_keys(
            "anonymous",
            &[
                ("aws:PrincipalAccount", "anonymous"),
                ("aws:PrincipalType", "Anonymous"),
                ("aws:userid", "anonymous"),
            ],
        );
        check_keys(
            "sns.amazonaws.com",
            &[
                ("aws:PrincipalIsAWSService", "true"),
                ("aws:PrincipalServiceName", "sns.amazonaws.com"),
                ("aws:ViaAWSService", "false"),
            ],
        );
        check_keys("accounts.google.com", &[]);
    }

    #[test]
    fn the_owner_follows_from_the_request_or_the_arn() {
        let owner = |action: &str, resource: &str, given: Option<&str>| {
            let mut request = request(USER, action, resource);
            request.resource_account = given.map(str::to_owned);
            let request = request.complete()?;
            let key = request.context.get("aws:ResourceAccount").cloned();
            assert_eq!(key.is_some(), request.resource_account.is_some() && action != "ebs:X");
            Ok::<_, RequestError>(request.resource_account)
        };
        let account = |text: &str| Ok(Some(text.to_owned()));
        let queue = "arn:aws:sqs:eu-west-3:444455556666:intake";
        assert_eq!(owner("sqs:SendMessage", queue, None), account("444455556666"));
        assert_eq!(owner("ebs:X", queue, None), account("444455556666"));
        assert_eq!(owner("s3:GetObject", "arn:aws:s3:::b/k", None), Ok(None));
        assert_eq!(
            owner("s3:GetObject", "arn:aws:s3:::b/k", Some("444455556666")),
            account("444455556666")
        );
        assert!(owner("sqs:SendMessage", queue, Some("111122223333")).is_err());
        let point = "arn:aws:s3:eu-west-3:444455556666:accesspoint/p";
        assert_eq!(owner("s3:GetObject", point, Some("111122223333")), account("111122223333"));
    }

    #[test]
    fn the_caller_of_kms_has_its_account_in_a_key_of_kms() {
        let caller = |action: &str| {
            let request = request(USER, action, "*").complete().unwrap();
            request.context.get("kms:CallerAccount").is_some()
        };
        assert!(caller("KMS:ListKeys"));
        assert!(!caller("s3:ListAllMyBuckets"));
    }

    #[test]
    fn a_key_that_contradicts_what_follows_is_an_error() {
        check_contradiction(USER, "aws:username", "omar", Some("ines"));
        check_contradiction(USER, "AWS:PRINCIPALTYPE", "user", Some("User"));
        check_contradiction(USER, "aws:PrincipalServiceName", "x.amazonaws.com", None);
        check_contradiction(SESSION, "aws:username", "reader", None);
        check_contradiction(SESSION, "aws:userid", "AROA1:day", Some("AROA…:night"));
        check_contradiction(
            SESSION,
            "aws:PrincipalArn",
            SESSION,
            Some("arn:aws:iam::111122223333:role/reader"),
        );
        check_contradiction(USER, "aws:PrincipalIsAWSService", "true", Some("false"));
        check_contradiction("anonymous", "aws:PrincipalArn", USER, None);
        check_contradiction("anonymous", "aws:PrincipalOrgID", "o-a", None);
        check_contradiction("sns.amazonaws.com", "aws:ViaAWSService", "true", Some("false"));
    }

    #[test]
    fn a_list_contradicts_a_single_value() {
        let mut request = request(USER, "s3:GetObject", "arn:aws:s3:::b/k");
        request.context.insert("aws:username", ContextValue::Many(vec!["ines".to_owned()]));
        let error = request.complete().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`aws:username` is a list, but `ines` follows from the rest of the request"
        );
    }

    #[test]
    fn what_is_given_and_fits_is_kept() {
        let mut given = request(SESSION, "s3:GetObject", "arn:aws:s3:::b/k");
        for (key, value) in [
            ("AWS:UserId", "AROA1:night"),
            ("aws:principalarn", "arn:aws:iam::111122223333:role/reader"),
            ("aws:PrincipalIsAWSService", "False"),
            ("aws:PrincipalTag/team", "harvest"),
            ("nobody:knows", "this"),
        ] {
            given.context.insert(key, ContextValue::One(value.to_owned()));
        }
        let before: Vec<_> = given.context.iter().map(|(k, v)| (k.to_owned(), v.clone())).collect();
        let after = given.complete().unwrap();
        for (key, value) in before {
            assert!(after.context.iter().any(|entry| entry == (&*key, &value)), "{key}");
        }
    }

    #[test]
    fn members_have_their_forms() {
        for (action, resource, owner, member) in [
            ("", "*", None, "action"),
            ("s3GetObject", "*", None, "action"),
            ("s3:", "*", None, "action"),
            (":GetObject", "*", None, "action"),
            ("s3:Get:Object", "*", None, "action"),
            ("s3:GetObject", "", None, "resource"),
            ("s3:GetObject", "bucket/key", None, "resource"),
            ("s3:GetObject", "arn:aws:s3:bucket", None, "resource"),
            ("s3:GetObject", "*", Some("me"), "resource_account"),
            ("s3:GetObject", "*", Some("11112222333٣"), "resource_account"),
        ] {
            let mut request = request(USER, action, resource);
            request.resource_account = owner.map(str::to_owned);
            let error = request.complete().unwrap_err();
            assert!(
                matches!(error, RequestError::Malformed { member: m, .. } if m == member),
                "{error:?}"
            );
        }
    }

    #[test]
    fn messages_are_short_however_long_the_text() {
        let error = Principal::from_text(&"é".repeat(100_000)).unwrap_err();
        assert!(error.to_string().len() < 400);
    }

    #[track_caller]
    fn check(text: &str, expected: &Principal) {
        assert_eq!(Principal::from_text(text).as_ref(), Ok(expected));
    }

    /// Checks which keys a request of this principal has, beside those of the request.
    #[track_caller]
    fn check_keys(principal: &str, expected: &[(&str, &str)]) {
        let request = request(principal, "s3:GetObject", "arn:aws:s3:::b/k").complete().unwrap();
        let mut keys: Vec<_> = request.context.iter().collect();
        keys.sort_by_key(|(key, _)| key.to_ascii_lowercase());
        let values: Vec<_> =
            expected.iter().map(|(_, value)| ContextValue::One((*value).to_owned())).collect();
        let mut expected: Vec<_> = expected.iter().map(|(key, _)| *key).zip(&values).collect();
        expected.sort_by_key(|(key, _)| key.to_ascii_lowercase());
        assert_eq!(keys, expected, "{principal}");
    }

    #[track_caller]
    fn check_contradiction(principal: &str, key: &str, value: &str, expected: Option<&str>) {
        let mut request = request(principal, "s3:GetObject", "arn:aws:s3:::b/k");
        request.context.insert(key, ContextValue::One(value.to_owned()));
        let Err(RequestError::Contradiction { key: own, follows, given }) = request.complete()
        else {
            panic!("no contradiction");
        };
        assert!(own.eq_ignore_ascii_case(key));
        assert_eq!(given, Some(ContextValue::One(value.to_owned())));
        assert_eq!(follows, expected.map(|text| ContextValue::One(text.to_owned())));
    }

    fn request(principal: &str, action: &str, resource: &str) -> Request {
        Request {
            principal: Principal::from_text(principal).unwrap(),
            action: action.to_owned(),
            resource: resource.to_owned(),
            ..Request::default()
        }
    }
}
