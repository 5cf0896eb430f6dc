//! `Principal` and `NotPrincipal` (1.4).
//!
//! A principal is one of the forms of [`PrincipalKind`] or a mistake: AWS refuses to save a policy
//! that names a principal it does not know, so a text that can name nobody is refused here too.
//! Names within an ARN are taken as they are; only what could be mistaken for a pattern (wildcards,
//! policy variables) is not, because it would look as if it matched many.

use super::{Context, is_negated};
use crate::ast::{Clause, PrincipalArn, PrincipalEntry, PrincipalKind};
use crate::diagnostic::{Code, ParseError, quoted};
use crate::json::{Kind, Member, Value};

/// The members of a `Principal` object.
const TYPES: [&str; 4] = ["AWS", "Service", "Federated", "CanonicalUser"];

/// Why a text is no principal, and what to do.
struct Refusal {
    reason: &'static str,
    hint: &'static str,
}

impl Context<'_> {
    /// Reads the value of `Principal` or `NotPrincipal`.
    pub(super) fn principals(
        &self,
        member: &Member<'_>,
    ) -> Result<Clause<PrincipalEntry>, ParseError> {
        let entries = match &member.value.kind {
            Kind::String(text) => vec![self.bare_principal(text, member)?],
            Kind::Object(members) => self.typed_principals(members)?,
            _ => {
                let what = quoted(&member.key);
                return Err(self.wrong_type(&member.value, &what, "`\"*\"` or an object"));
            }
        };
        self.check_not_empty(member, entries.len())?;
        Ok(Clause { negated: is_negated(member), entries, span: member.value.span })
    }

    /// Reads a principal that stands without a type, which only `*` may.
    fn bare_principal(
        &self,
        text: &str,
        member: &Member<'_>,
    ) -> Result<PrincipalEntry, ParseError> {
        if text == "*" {
            let kind = PrincipalKind::Everyone;
            return Ok(PrincipalEntry { kind, text: text.to_owned(), span: member.value.span });
        }
        let message = format!("{} without a type of principal", quoted(text));
        let typed = if text.ends_with(".amazonaws.com") { "Service" } else { "AWS" };
        Err(self
            .error(Code::InvalidPrincipal, member.value.span, message)
            .with_hint(format!("only `*` stands alone; write `{{\"{typed}\": …}}`")))
    }

    fn typed_principals(&self, members: &[Member<'_>]) -> Result<Vec<PrincipalEntry>, ParseError> {
        let mut entries = Vec::new();
        for member in members {
            let read = match &*member.key {
                "AWS" => aws,
                "Service" => service,
                "Federated" => federated,
                "CanonicalUser" => canonical_user,
                _ => {
                    let unknown = self.unknown_element(member, &TYPES, &"a principal");
                    self.recover::<()>(Err(unknown))?;
                    continue;
                }
            };
            let texts = self.recover(self.texts(&member.value, &quoted(&member.key)))?;
            for (text, value) in texts.unwrap_or_default() {
                let kind = read(text).map_err(|refusal| self.refused(text, value, &refusal));
                entries.extend(self.recover(kind)?.map(|kind| PrincipalEntry {
                    kind,
                    text: text.to_owned(),
                    span: value.span,
                }));
            }
        }
        Ok(entries)
    }

    fn refused(&self, text: &str, value: &Value<'_>, refusal: &Refusal) -> ParseError {
        let message = format!("{} {}", quoted(text), refusal.reason);
        self.error(Code::InvalidPrincipal, value.span, message).with_hint(refusal.hint)
    }
}

/// Reads a value under `AWS`.
fn aws(text: &str) -> Result<PrincipalKind, Refusal> {
    if text == "*" {
        return Ok(PrincipalKind::EveryAwsPrincipal);
    }
    check_no_pattern(text)?;
    if is_account(text) {
        return Ok(PrincipalKind::Account { partition: None, account: text.to_owned() });
    }
    if text.starts_with("arn:") {
        return arn(text);
    }
    if is_unique_id(text) {
        return Ok(PrincipalKind::UniqueId(text.to_owned()));
    }
    let hint = if text.trim() != text {
        "remove the white space around it"
    } else if text.ends_with(".amazonaws.com") {
        "a service stands under `Service`"
    } else if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        "a canonical user id stands under `CanonicalUser`"
    } else if text.bytes().all(|b| b.is_ascii_digit()) {
        "an account id has twelve digits"
    } else {
        "`AWS` takes `*`, an account id, the ARN of an account, user, role or session, or a unique id"
    };
    Err(Refusal { reason: "is not an AWS principal", hint })
}

/// Reads an ARN under `AWS`.
fn arn(text: &str) -> Result<PrincipalKind, Refusal> {
    const FORM: &str =
        "the form is `arn:aws:iam::ACCOUNT:user/NAME`, likewise `role/NAME` or `root`";
    const SESSION_FORM: &str = "the form is `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`";
    let malformed = |hint| Err(Refusal { reason: "is not the ARN of a principal", hint });

    let fields: Vec<_> = text.splitn(6, ':').collect();
    let &[_, partition, service, region, account, resource] = fields.as_slice() else {
        return malformed("an ARN has six fields: `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`");
    };
    let (kind, name) = resource.split_once('/').unwrap_or((resource, ""));
    let is_origin_access_identity = account == "cloudfront" && service == "iam" && kind == "user";
    if !is_account(account) && !is_origin_access_identity {
        return malformed("the account, its fifth field, must be twelve digits");
    }
    if partition.is_empty() {
        return malformed("the partition, its second field, is empty");
    }
    if !region.is_empty() {
        return malformed("the region, its fourth field, must be empty");
    }
    let named = PrincipalArn {
        partition: partition.to_owned(),
        account: account.to_owned(),
        resource: resource.to_owned(),
    };
    let has_name = !name.is_empty() && !name.ends_with('/');
    match (service, kind) {
        ("iam", "root") if resource == "root" => Ok(PrincipalKind::Account {
            partition: Some(partition.to_owned()),
            account: account.to_owned(),
        }),
        ("iam", "user") if has_name => Ok(PrincipalKind::User(named)),
        ("iam", "role") if has_name => Ok(PrincipalKind::Role(named)),
        ("sts", "federated-user") if has_name => Ok(PrincipalKind::FederatedUser(named)),
        ("sts", "assumed-role") => match name.split_once('/') {
            Some((role, session))
                if !role.is_empty() && !session.is_empty() && !session.contains('/') =>
            {
                Ok(PrincipalKind::RoleSession {
                    partition: partition.to_owned(),
                    account: account.to_owned(),
                    role: role.to_owned(),
                    session: session.to_owned(),
                })
            }
            _ => malformed(SESSION_FORM),
        },
        ("iam", "group") => {
            malformed("a group cannot be a principal: name its users or the account")
        }
        ("iam", "instance-profile") => {
            malformed("an instance profile cannot be a principal: name its role")
        }
        ("iam", "saml-provider" | "oidc-provider") => {
            malformed("an identity provider stands under `Federated`")
        }
        ("sts", "user" | "role" | "root") => malformed("users, roles and accounts are of `iam`"),
        ("iam", "assumed-role" | "federated-user") => malformed("sessions are of `sts`"),
        _ => malformed(FORM),
    }
}

/// Reads a value under `Service`.
fn service(text: &str) -> Result<PrincipalKind, Refusal> {
    check_named(text)?;
    if text.starts_with("arn:") || is_account(text) {
        return Err(Refusal {
            reason: "is not a service principal",
            hint: "an account, user or role stands under `AWS`",
        });
    }
    Ok(PrincipalKind::Service(text.to_owned()))
}

/// Reads a value under `Federated`.
fn federated(text: &str) -> Result<PrincipalKind, Refusal> {
    check_named(text)?;
    let well_formed = match text.splitn(6, ':').collect::<Vec<_>>().as_slice() {
        ["arn", partition, "iam", "", account, resource] => {
            let name = resource
                .strip_prefix("saml-provider/")
                .or_else(|| resource.strip_prefix("oidc-provider/"));
            !partition.is_empty()
                && is_account(account)
                && name.is_some_and(|name| !name.is_empty())
        }
        ["arn", ..] => false,
        _ => true,
    };
    if well_formed {
        return Ok(PrincipalKind::Federated(text.to_owned()));
    }
    Err(Refusal {
        reason: "is not the ARN of an identity provider",
        hint: "the form is `arn:aws:iam::ACCOUNT:saml-provider/NAME`, likewise `oidc-provider/HOST`",
    })
}

/// Reads a value under `CanonicalUser`.
fn canonical_user(text: &str) -> Result<PrincipalKind, Refusal> {
    check_named(text)?;
    Ok(PrincipalKind::CanonicalUser(text.to_owned()))
}

/// Refuses what cannot be the name of anything: no text, white space, wildcards.
fn check_named(text: &str) -> Result<(), Refusal> {
    if text == "*" {
        return Err(Refusal {
            reason: "is not allowed here",
            hint: "to mean everyone, write `\"Principal\": \"*\"`",
        });
    }
    if text.is_empty() || text.contains(char::is_whitespace) {
        return Err(Refusal {
            reason: "is not a principal",
            hint: "the name of a principal is not empty and has no white space",
        });
    }
    check_no_pattern(text)
}

/// Refuses wildcards and policy variables, which principals do not have.
fn check_no_pattern(text: &str) -> Result<(), Refusal> {
    if text.contains(['*', '?']) {
        return Err(Refusal {
            reason: "has a wildcard, which a principal must not have",
            hint: "name the account, or `*`, and add a condition on `aws:PrincipalArn`",
        });
    }
    if text.contains("${") {
        return Err(Refusal {
            reason: "has a policy variable, which a principal must not have",
            hint: "name the account, or `*`, and add a condition",
        });
    }
    Ok(())
}

/// Whether the text is an account id.
fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether the text has the form of a unique id: 16 to 128 capitals and digits, the first an `A`
/// (`AIDA…` for users, `AROA…` for roles).
fn is_unique_id(text: &str) -> bool {
    (16..=128).contains(&text.len())
        && text.starts_with('A')
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(partition: Option<&str>) -> PrincipalKind {
        let account = "111122223333".to_owned();
        PrincipalKind::Account { partition: partition.map(str::to_owned), account }
    }

    fn principal_arn(account: &str, resource: &str) -> PrincipalArn {
        let [partition, account, resource] = ["aws-cn", account, resource].map(str::to_owned);
        PrincipalArn { partition, account, resource }
    }

    #[track_caller]
    fn check(text: &str, expected: PrincipalKind) {
        match aws(text) {
            Ok(kind) => assert_eq!(kind, expected),
            Err(refusal) => panic!("{text} {}", refusal.reason),
        }
    }

    #[test]
    fn an_account_is_named_by_id_or_root() {
        check("111122223333", account(None));
        check("arn:aws-cn:iam::111122223333:root", account(Some("aws-cn")));
    }

    #[test]
    fn users_roles_and_sessions_are_named_by_arn() {
        const A: &str = "111122223333";
        let user = principal_arn(A, "user/ops/alice");
        check("arn:aws-cn:iam::111122223333:user/ops/alice", PrincipalKind::User(user));
        let role = principal_arn(A, "role/App");
        check("arn:aws-cn:iam::111122223333:role/App", PrincipalKind::Role(role));
        let federated = principal_arn(A, "federated-user/bob");
        check(
            "arn:aws-cn:sts::111122223333:federated-user/bob",
            PrincipalKind::FederatedUser(federated),
        );
        let [partition, account, role, session] = ["aws-cn", A, "App", "s@1"].map(str::to_owned);
        check(
            "arn:aws-cn:sts::111122223333:assumed-role/App/s@1",
            PrincipalKind::RoleSession { partition, account, role, session },
        );
    }

    #[test]
    fn an_origin_access_identity_is_a_user_of_cloudfront() {
        let name = "user/CloudFront Origin Access Identity E1ABC";
        let user = principal_arn("cloudfront", name);
        check(&format!("arn:aws-cn:iam::cloudfront:{name}"), PrincipalKind::User(user));
        assert!(aws("arn:aws:iam::cloudfront:role/x").is_err());
        assert!(aws("arn:aws:iam::cloudfront:root").is_err());
    }

    #[test]
    fn unique_ids_are_capitals_and_digits() {
        let id = "AROAEXAMPLE1234567890";
        check(id, PrincipalKind::UniqueId(id.to_owned()));
        assert!(aws("AROAshort").is_err());
        assert!(aws("aroaexample1234567890").is_err());
    }

    #[test]
    fn near_misses_are_refused() {
        for text in [
            "",
            "1111222233334",
            "11112222333a",
            "arn:aws:iam::111122223333",
            "arn:aws:iam::1:root",
            "arn::iam::111122223333:root",
            "arn:aws:iam:us-east-1:111122223333:root",
            "arn:aws:iam::111122223333:root/",
            "arn:aws:iam::111122223333:rootx",
            "arn:aws:iam::111122223333:user",
            "arn:aws:iam::111122223333:user/",
            "arn:aws:iam::111122223333:user/path/",
            "arn:aws:iam::111122223333:group/g",
            "arn:aws:iam::111122223333:role/app-?",
            "arn:aws:iam::111122223333:user/${aws:username}",
            "arn:aws:sts::111122223333:assumed-role/App",
            "arn:aws:sts::111122223333:assumed-role/App/",
            "arn:aws:sts::111122223333:assumed-role/p/App/s",
            "arn:aws:sts::111122223333:user/x",
            "arn:aws:s3:::bucket",
            "ARN:aws:iam::111122223333:root",
        ] {
            assert!(aws(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_identity_provider_is_a_host_or_an_arn() {
        let named = |text: &str| matches!(federated(text), Ok(PrincipalKind::Federated(_)));
        assert!(named("accounts.google.com"));
        assert!(named("arn:aws:iam::111122223333:saml-provider/idp"));
        assert!(named("arn:aws:iam::111122223333:oidc-provider/oidc.example.org/id/A:B"));
        assert!(!named("arn:aws:iam::111122223333:oidc-provider/"));
        assert!(!named("arn:aws:iam::111122223333:role/x"));
        assert!(!named("*"));
        assert!(!named(""));
    }
}
