//! Whether an allowed request is from outside the zone of trust. Q3 of the questions, for one concrete
//! request.
//!
//! What places a request inside is looked for in this order: who asks, the keys that tell of him, and the
//! keys that tell for whose resource a service calls. Nothing else does; in particular no key that the
//! policy merely compares with a fixed value.

use keyaki_policy::Readings;
use keyaki_policy::evaluate::Truth;
use keyaki_policy::request::{ContextValue, Principal, Request};

use super::comparison::needs_no_policy;
use super::{Access, Replay};
use crate::question::{Question, Side};
use crate::zone::{ServicePrincipals, Zone};

/// Whether the policy allows the request and nothing places it in the zone.
pub(super) fn breaks(
    question: &Question,
    zone: &Zone,
    request: &Request,
    readings: Readings,
) -> Replay {
    if let Some(fact) = (Seen { zone, request }).placed_inside() {
        return Replay::Refuted(format!("{fact}, which is inside the zone of trust"));
    }
    if needs_no_policy(question, Side::Policy, request, readings) {
        return Replay::Refuted("the request is allowed without any policy".to_owned());
    }
    let policy = Access::on(question, Side::Policy, request, readings);
    match policy.allowed {
        Truth::True => Replay::Confirmed { allowing: policy.allowing },
        Truth::False if policy.is_denied => Replay::Refuted("the policy denies it".to_owned()),
        Truth::False => Replay::Refuted("the policy does not allow it".to_owned()),
        Truth::Unknown => Replay::Undecided(policy.hangs_on),
    }
}

/// A request as the zone sees it.
pub(super) struct Seen<'r> {
    pub(super) zone: &'r Zone,
    pub(super) request: &'r Request,
}

impl<'r> Seen<'r> {
    /// A fact that places the request inside, in words.
    pub(super) fn placed_inside(&self) -> Option<String> {
        let Request { principal, .. } = self.request;
        if let Some((_, account)) = principal.partition_and_account()
            && self.trusts(account)
        {
            return Some(format!("who asks is of account {account}"));
        }
        for key in ["aws:PrincipalAccount", "kms:CallerAccount"] {
            if let Some(account) = self.one(key).filter(|account| self.trusts(account)) {
                return Some(format!("`{key}` is {account}"));
            }
        }
        if let Some(account) = self.trusted_account_in_arn("aws:PrincipalArn") {
            return Some(format!("`aws:PrincipalArn` is of account {account}"));
        }
        if self.tells_organization("aws:PrincipalOrgID", "aws:PrincipalOrgPaths") {
            return Some("who asks is of the organisation".to_owned());
        }
        if !matches!(principal, Principal::Service { .. }) {
            return None;
        }
        if self.zone.services == ServicePrincipals::Ignored {
            return Some("who asks is a service".to_owned());
        }
        if let Some(account) = self.one("aws:SourceAccount").filter(|one| self.trusts(one)) {
            return Some(format!("`aws:SourceAccount` is {account}"));
        }
        if let Some(account) = self.trusted_account_in_arn("aws:SourceArn") {
            return Some(format!("`aws:SourceArn` is of account {account}"));
        }
        self.tells_organization("aws:SourceOrgID", "aws:SourceOrgPaths")
            .then(|| "the service calls for a resource of the organisation".to_owned())
    }

    /// Whether the account is of the zone.
    fn trusts(&self, account: &str) -> bool {
        let Zone { accounts, organization_accounts, .. } = self.zone;
        accounts.contains(account)
            || organization_accounts.contains(account)
            || self.owner() == Some(account)
    }

    /// The account that owns the resource. Where nothing says which, it is the caller's.
    fn owner(&self) -> Option<&'r str> {
        let own = self.request.principal.partition_and_account().map(|(_, account)| account);
        let told = self.zone.owner.as_deref().or_else(|| self.request.owner()).or(own);
        told.filter(|owner| owner.len() == 12 && owner.bytes().all(|byte| byte.is_ascii_digit()))
    }

    fn one(&self, key: &str) -> Option<&'r str> {
        match self.request.context.get(key)? {
            ContextValue::One(value) => Some(value),
            ContextValue::Many(_) => None,
        }
    }

    /// The account field of the ARN that the key has, if the zone trusts the account.
    fn trusted_account_in_arn(&self, key: &str) -> Option<&'r str> {
        let mut fields = self.one(key)?.splitn(6, ':');
        let account = fields.nth(4).filter(|account| self.trusts(account))?;
        // An ARN has six fields.
        fields.next().map(|_| account)
    }

    /// Whether the id is that of the trusted organisation, or a path begins with it.
    fn tells_organization(&self, id: &str, paths: &str) -> bool {
        let Some(organization) = self.zone.organization.as_deref() else { return false };
        let begins =
            |path: &str| path.strip_prefix(organization).is_some_and(|rest| rest.starts_with('/'));
        let of_paths = match self.request.context.get(paths) {
            Some(ContextValue::One(path)) => begins(path),
            Some(ContextValue::Many(all)) => all.iter().any(|path| begins(path)),
            None => false,
        };
        self.one(id) == Some(organization) || of_paths
    }
}

#[cfg(test)]
mod tests {
    use keyaki_policy::parse;
    use keyaki_policy::request::Context;

    use super::*;

    const OWN: &str = "111122223333";
    const STRANGER: &str = "999988887777";

    #[test]
    fn who_asks_is_of_an_account_or_not() {
        check(user(OWN), &[], true);
        check(user(STRANGER), &[], false);
        check(user("cloudfront"), &[], false);
        check(Principal::Anonymous, &[("aws:PrincipalAccount", "anonymous")], false);
        let session_name = "session".to_owned();
        let role_arn = format!("arn:aws:iam::{STRANGER}:role/r");
        check(Principal::RoleSession { role_arn, session_name }, &[], false);
        // The owner, whom nobody has to list.
        check(user("777766665555"), &[], true);
    }

    #[test]
    fn keys_tell_the_account_or_the_organisation_of_whoever_has_them() {
        let canonical = || Principal::CanonicalUser { id: "a".repeat(64) };
        check(canonical(), &[], false);
        check(canonical(), &[("aws:PrincipalAccount", OWN)], true);
        check(canonical(), &[("aws:PrincipalArn", "arn:aws:iam::111122223333:user/a")], true);
        check(canonical(), &[("aws:PrincipalArn", "arn:aws:iam::111122223333")], false);
        check(user(STRANGER), &[("aws:PrincipalOrgID", "o-a")], true);
        check(user(STRANGER), &[("aws:PrincipalOrgID", "o-ab")], false);
        check(user(STRANGER), &[("aws:PrincipalOrgPaths", "o-a/r-1/")], true);
        check(user(STRANGER), &[("aws:PrincipalOrgPaths", "o-ab/r-1/")], false);
        check(
            user(STRANGER),
            &[("aws:SourceAccount", OWN), ("aws:ResourceTag/env", "prod")],
            false,
        );
    }

    #[test]
    fn a_deputy_is_inside_by_its_source() {
        let service = || Principal::Service { name: "sns.amazonaws.com".to_owned() };
        let inside = |context: &[(&str, &str)], services| {
            let zone = Zone { services, ..zone() };
            let request = request(service(), context);
            (Seen { zone: &zone, request: &request }).placed_inside().is_some()
        };
        assert!(inside(&[], ServicePrincipals::Ignored));
        for (context, expected) in [
            (("aws:SourceAccount", OWN), true),
            (("aws:SourceAccount", STRANGER), false),
            (("aws:SourceArn", "arn:aws:sns:us-east-1:111122223333:t"), true),
            (("aws:SourceArn", "arn:aws:s3:::111122223333"), false),
            (("aws:SourceOrgID", "o-a"), true),
            (("aws:SourceOrgPaths", "o-a/r-1/"), true),
            (("aws:SourceIp", "203.0.113.7"), false),
        ] {
            assert_eq!(inside(&[context], ServicePrincipals::Deputies), expected, "{context:?}");
        }
    }

    /// Checks whether the request is inside, and so no witness that the policy lets in a stranger.
    #[track_caller]
    fn check(principal: Principal, context: &[(&str, &str)], expected: bool) {
        let allow = r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*",
            "Resource": "*"}}"#;
        let policy = vec![parse(allow, None).unwrap()].into();
        let question = Question::NoExternalAccess { policy, zone: zone() };
        let request = request(principal, context);
        let replay = breaks(&question, &zone(), &request, Readings::DEFAULT);
        let is_inside = matches!(replay, Replay::Refuted(_));
        assert_eq!(is_inside, expected, "{replay:?}");
    }

    fn zone() -> Zone {
        let accounts = [OWN.to_owned()].into();
        Zone { accounts, organization: Some("o-a".to_owned()), ..Zone::default() }
    }

    fn user(account: &str) -> Principal {
        let arn = format!("arn:aws:iam::{account}:user/a");
        Principal::User { arn, canonical_user: None }
    }

    fn request(principal: Principal, keys: &[(&str, &str)]) -> Request {
        let mut context = Context::default();
        for (key, value) in keys {
            let value = match *key {
                "aws:PrincipalOrgPaths" | "aws:SourceOrgPaths" => {
                    ContextValue::Many(vec![(*value).to_owned()])
                }
                _ => ContextValue::One((*value).to_owned()),
            };
            context.insert(key, value);
        }
        Request {
            principal,
            action: "s3:GetObject".to_owned(),
            resource: "arn:aws:s3:::b/k".to_owned(),
            resource_account: Some("777766665555".to_owned()),
            context,
            ..Request::default()
        }
    }
}
