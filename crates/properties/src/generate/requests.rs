//! Requests about the keys that a question mentions.
//!
//! Requests are drawn so that most of them can happen: what follows from the principal is filled in, and presence is drawn by what
//! the request is said to be (through a VPC endpoint, on somebody's behalf). Some are then spoiled in one place.

use std::collections::BTreeSet;

use arbitrary::{Result, Unstructured};
use keyaki_analysis::Question;
use keyaki_policy::ast::PrincipalKind;
use keyaki_policy::catalogue::{self, Cardinality};
use keyaki_policy::request::{ContextValue, Principal};
use keyaki_policy::{PolicyType, Readings, Request, Switch, evaluate};

use super::words::{A, KEYS, REQUESTED_ACTIONS, REQUESTED_RESOURCES};

/// A random request about the keys that the question mentions.
pub fn request(
    u: &mut Unstructured<'_>,
    question: &Question,
    readings: Readings,
) -> Result<Request> {
    let is_identity =
        question.policies().any(|(_, policy)| policy.policy_type == PolicyType::Identity);
    let action = (*u.choose(REQUESTED_ACTIONS)?).to_owned();
    let mut resource = (*u.choose(REQUESTED_RESOURCES)?).to_owned();
    if resource == "*" && catalogue::has_resource_types(&action) == Some(true) {
        resource = "arn:aws:s3:::b/k".to_owned();
    }
    let principal = principal(u, is_identity)?;
    let mut request =
        Request { principal, action, resource, resource_account: None, ..Request::default() };
    if let Some(("aws-cn", _)) = request.principal.partition_and_account() {
        request.resource = request.resource.replace("arn:aws:", "arn:aws-cn:");
    }
    if let Some(zone) = question.zones().next() {
        // Somebody owns the resource, and the requests of a model say who.
        let known = zone.owner.as_deref().or_else(|| request.owner());
        let owner = known.unwrap_or(if u.arbitrary()? { A } else { "444455556666" }).to_owned();
        request.resource_account = Some(owner);
    }

    let facts = Facts {
        second: u.int_in_range(0..=2)?,
        through_endpoint: u.ratio(1, 2)?,
        called_via: u.ratio(1, 3)? && !matches!(request.principal, Principal::Service { .. }),
        in_organization: u.ratio(1, 2)?,
        has_token: u.ratio(1, 2)?,
        organization: u.choose(&["o-a", "o-b"])?,
        services: {
            let names: [&str; 2] = ["athena.amazonaws.com", "glue.amazonaws.com"];
            let mut services = vec![];
            for _ in 0..u.int_in_range(1..=3)? {
                services.push((*u.choose(&names)?).to_owned());
            }
            services
        },
        has_source: u.ratio(1, 2)?
            && (readings.is_alternative(Switch::R9)
                || matches!(request.principal, Principal::Service { .. })),
    };
    // Tag keys follow from the tags.
    let (tag_keys, others): (Vec<_>, Vec<_>) =
        mentioned(question).into_iter().partition(|key| key == "aws:tagkeys");
    for key in others.into_iter().chain(tag_keys) {
        let (spelling, words) = KEYS
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(&key))
            .copied()
            .unwrap_or((&key, &[]));
        if let Some(value) = value_in_request(u, &request, &facts, spelling, words)? {
            request.context.insert(spelling, value);
        }
    }
    if u.ratio(1, 4)? {
        spoil(u, &mut request, question)?;
    }
    Ok(request)
}

/// The keys that the question mentions, lower case.
fn mentioned(question: &Question) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for statement in question.policies().flat_map(|(_, policy)| &policy.statements) {
        keys.extend(statement.conditions.iter().map(|test| test.key.to_ascii_lowercase()));
        keys.extend(statement.variables().map(str::to_ascii_lowercase));
        let mut entries = statement.principal.iter().flat_map(|clause| &clause.entries);
        if entries.any(|entry| matches!(entry.kind, PrincipalKind::UniqueId(_))) {
            keys.insert("aws:userid".to_owned());
        }
    }
    keys
}

/// What is drawn once for a request, because several keys follow from it.
struct Facts {
    /// Which of three instants it is.
    second: u8,
    through_endpoint: bool,
    called_via: bool,
    in_organization: bool,
    has_token: bool,
    organization: &'static str,
    /// Those through which the request was called, in order.
    services: Vec<String>,
    has_source: bool,
}

fn principal(u: &mut Unstructured<'_>, is_identity: bool) -> Result<Principal> {
    let partition = if u.ratio(1, 12)? { "aws-cn" } else { "aws" };
    let account = *u.choose(&[A, A, "444455556666"])?;
    let canonical_user = u.choose(&[None, Some("c1"), Some("c2")])?.map(str::to_owned);
    let kind = if is_identity { u.int_in_range(0..=2)? } else { u.int_in_range(0..=8)? };
    Ok(match kind {
        0 => {
            let name = u.choose(&["a", "p/a", "b1"])?;
            Principal::User {
                arn: format!("arn:{partition}:iam::{account}:user/{name}"),
                canonical_user,
            }
        }
        1 => Principal::RoleSession {
            role_arn: format!("arn:{partition}:iam::{account}:role/{}", u.choose(&["r", "p/r"])?),
            session_name: (*u.choose(&["sess", "s2"])?).to_owned(),
        },
        2 => {
            let base = u.choose(&[None, Some("a"), Some("p/a")])?;
            Principal::FederatedUser {
                arn: format!("arn:{partition}:sts::{account}:federated-user/f"),
                base: base.map(|name| format!("arn:{partition}:iam::{account}:user/{name}")),
            }
        }
        3 => Principal::Root {
            partition: partition.to_owned(),
            account: account.to_owned(),
            canonical_user,
        },
        4 => Principal::Service {
            name: (*u.choose(&["sns.amazonaws.com", "sqs.amazonaws.com"])?).to_owned(),
        },
        5 => Principal::Federated {
            provider: (*u.choose(&["accounts.google.com", "x"])?).to_owned(),
        },
        6 => Principal::CanonicalUser { id: (*u.choose(&["c1", "c2"])?).to_owned() },
        7 => Principal::User {
            arn: "arn:aws:iam::cloudfront:user/a".to_owned(),
            canonical_user: None,
        },
        _ => Principal::Anonymous,
    })
}

fn value_in_request(
    u: &mut Unstructured<'_>,
    request: &Request,
    facts: &Facts,
    key: &str,
    words: &[&str],
) -> Result<Option<ContextValue>> {
    let principal = &request.principal;
    let account = principal.partition_and_account().map(|(_, account)| account);
    let is_service = matches!(principal, Principal::Service { .. });
    let is_anonymous = *principal == Principal::Anonymous;
    let is_named_by_key = account.is_some() || is_anonymous;
    let is_drawn = u.ratio(3, 5)?;

    if let Some(value) = derived(u, request, facts, key, is_drawn)? {
        return Ok(Some(ContextValue::One(value)));
    }

    let lower = key.to_ascii_lowercase();
    let is_present = match key {
        "aws:PrincipalArn" | "aws:PrincipalAccount" | "aws:PrincipalType" | "aws:userid" => {
            is_drawn && !is_named_by_key
        }
        "aws:username" => is_drawn && !is_named_by_key && !is_service,
        "aws:PrincipalIsAWSService" => {
            let is_present = is_drawn && !is_anonymous;
            return Ok(is_present.then(|| ContextValue::One("false".to_owned())));
        }
        "aws:PrincipalServiceName" | "aws:PrincipalServiceNamesList" => is_service,
        "aws:SourceIp" => is_drawn && !facts.through_endpoint,
        "aws:SourceVpce" => facts.through_endpoint,
        "aws:VpceAccount" | "aws:VpceOrgID" | "aws:VpceOrgPaths" => {
            facts.through_endpoint && facts.in_organization
        }
        "aws:ResourceOrgID" | "aws:ResourceOrgPaths" => facts.in_organization,
        "aws:SourceVpc" | "aws:VpcSourceIp" | "aws:SourceVpcArn" => {
            is_drawn && facts.through_endpoint
        }
        "aws:SourceArn" | "aws:SourceAccount" | "aws:SourceOrgID" | "aws:SourceOrgPaths" => {
            facts.has_source
        }
        "aws:UserAgent" => u.ratio(3, 4)?,
        "aws:TagKeys" => u.ratio(3, 4)?,
        "aws:CalledVia" | "aws:CalledViaFirst" | "aws:CalledViaLast" => {
            facts.called_via && !is_anonymous
        }
        "aws:PrincipalOrgID" | "aws:PrincipalOrgPaths" => facts.in_organization && !is_anonymous,
        "aws:TokenIssueTime" => {
            let is_session = matches!(
                principal,
                Principal::RoleSession { .. } | Principal::FederatedUser { .. }
            );
            is_session || (facts.has_token && !is_anonymous)
        }
        "aws:SourceIdentity" | "identitystore:UserId" | "ec2:RoleDelivery" => {
            is_drawn && facts.has_token && !is_anonymous
        }
        "aws:MultiFactorAuthPresent" | "aws:CalledViaAWSMCP" | "kms:CallerAccount" => {
            is_drawn && !is_anonymous
        }
        "aws:FederatedProvider" => {
            is_drawn
                && matches!(principal, Principal::RoleSession { .. } | Principal::Federated { .. })
        }
        "aws:SecureTransport" => true,
        _ => is_drawn && !(lower.starts_with("aws:principaltag/") && (is_service || is_anonymous)),
    };
    if !is_present || words.is_empty() {
        return Ok(None);
    }
    let info = catalogue::key(key);
    if let Some(value) = of_facts(facts, key, u)? {
        return Ok(Some(value));
    }
    let words: Vec<&&str> = words.iter().filter(|word| fits(key, word)).collect();
    if words.is_empty() {
        return Ok(None);
    }
    let is_list = match info {
        Some(info) => info.cardinality == Cardinality::Multi,
        None => u.ratio(1, 3)?,
    };
    if !is_list {
        return Ok(Some(ContextValue::One((**u.choose(&words)?).to_owned())));
    }
    let mut elements = vec![];
    for _ in 0..*u.choose(&[1, 1, 2, 3])? {
        elements.push((**u.choose(&words)?).to_owned());
    }
    if let (true, Principal::Service { name }) =
        (key == "aws:PrincipalServiceNamesList" && u.ratio(3, 4)?, principal)
    {
        elements[0].clone_from(name);
    }
    if key == "aws:TagKeys" && u.ratio(2, 3)? {
        for tag in ["aws:RequestTag/Team", "aws:RequestTag/cost"] {
            if request.context.get(tag).is_some() {
                let (_, tag) = tag.split_once('/').unwrap_or_default();
                elements.push(if u.arbitrary()? { tag.to_uppercase() } else { tag.to_owned() });
            }
        }
    }
    Ok(Some(ContextValue::Many(elements)))
}

/// What follows from the principal, the resource or the facts.
fn derived(
    u: &mut Unstructured<'_>,
    request: &Request,
    facts: &Facts,
    key: &str,
    is_drawn: bool,
) -> Result<Option<String>> {
    let principal = &request.principal;
    let account = principal.partition_and_account().map(|(_, account)| account);
    let is_service = matches!(principal, Principal::Service { .. });
    Ok(match (key, principal) {
        ("aws:PrincipalArn", Principal::Root { partition, account, .. }) => {
            Some(format!("arn:{partition}:iam::{account}:root"))
        }
        (
            "aws:PrincipalArn",
            Principal::User { arn, .. } | Principal::FederatedUser { arn, .. },
        ) => Some(arn.clone()),
        ("aws:PrincipalArn", Principal::RoleSession { role_arn, .. }) => Some(role_arn.clone()),
        ("aws:PrincipalAccount" | "aws:userid", Principal::Anonymous) => {
            Some("anonymous".to_owned())
        }
        ("aws:PrincipalAccount", _) if account.is_some() => account.map(str::to_owned),
        ("aws:PrincipalType", Principal::Anonymous) => Some("Anonymous".to_owned()),
        ("aws:PrincipalType", Principal::Root { .. }) => Some("Account".to_owned()),
        ("aws:PrincipalType", Principal::User { .. }) => Some("User".to_owned()),
        ("aws:PrincipalType", Principal::RoleSession { .. }) => Some("AssumedRole".to_owned()),
        ("aws:PrincipalType", Principal::FederatedUser { .. }) => Some("FederatedUser".to_owned()),
        ("aws:userid", Principal::Root { account, .. }) => Some(account.clone()),
        ("aws:userid", Principal::User { .. }) => {
            Some((*u.choose(&["AIDA1", "AIDA1AAAAAAAAAAAAAAAA"])?).to_owned())
        }
        ("aws:userid", Principal::RoleSession { session_name, .. }) => {
            Some(format!("{}:{session_name}", u.choose(&["AROA1", "AROA1AAAAAAAAAAAAAAAA"])?))
        }
        ("aws:userid", Principal::FederatedUser { .. }) => {
            account.map(|account| format!("{account}:f"))
        }
        ("aws:username", Principal::User { arn, .. }) => arn.rsplit('/').next().map(str::to_owned),
        ("aws:PrincipalIsAWSService", _) if is_service || account.is_some() => {
            Some(is_service.to_string())
        }
        ("aws:PrincipalServiceName", Principal::Service { name }) => Some(name.clone()),
        ("aws:ViaAWSService", _) => Some(facts.called_via.to_string()),
        ("kms:CallerAccount", _) if account.is_some() => account.map(str::to_owned),
        ("aws:ResourceAccount", _) if is_drawn && request.resource.contains(A) => {
            Some(A.to_owned())
        }
        ("aws:CurrentTime", _) => Some(
            match facts.second {
                0 => "2026-01-01T00:00:00Z",
                1 => "2026-01-01T01:00:01+01:00",
                _ => "2026-01-02",
            }
            .to_owned(),
        ),
        ("aws:EpochTime", _) => Some(
            match facts.second {
                0 => "1767225600",
                1 => "1767225601",
                _ => "1767312000",
            }
            .to_owned(),
        ),
        _ => None,
    })
}

/// The values of keys that are drawn together, most of the time.
fn of_facts(facts: &Facts, key: &str, u: &mut Unstructured<'_>) -> Result<Option<ContextValue>> {
    if u.ratio(1, 10)? {
        return Ok(None);
    }
    let organization = facts.organization;
    Ok(match key {
        "aws:CalledVia" => Some(ContextValue::Many(facts.services.clone())),
        "aws:CalledViaFirst" => facts.services.first().cloned().map(ContextValue::One),
        "aws:CalledViaLast" => facts.services.last().cloned().map(ContextValue::One),
        key if key.ends_with("OrgID") => Some(ContextValue::One(organization.to_owned())),
        key if key.ends_with("OrgPaths") => {
            let mut paths = vec![];
            for _ in 0..u.int_in_range(1..=2)? {
                paths.push(format!("{organization}/{}", u.choose(&["r-1/", "r-1/ou-2/"])?));
            }
            Some(ContextValue::Many(paths))
        }
        _ => None,
    })
}

/// Whether the word has the sort of the key.
fn fits(key: &str, word: &str) -> bool {
    match catalogue::key(key).map(|info| info.sort) {
        Some(catalogue::KeySort::Arn) => word.starts_with("arn:") && word.matches(':').count() >= 5,
        Some(catalogue::KeySort::Bool) => word == "true" || word == "false",
        Some(catalogue::KeySort::Number) => {
            !word.is_empty()
                && word.trim_start_matches('-').chars().all(|c| c == '.' || c.is_ascii_digit())
                && !word.ends_with('.')
        }
        Some(catalogue::KeySort::Date) => evaluate::seconds(word).is_some_and(|s| s < 1 << 37),
        Some(catalogue::KeySort::Address) => word.parse::<std::net::IpAddr>().is_ok(),
        _ => word != "anonymous" && word != "Anonymous",
    }
}

/// Changes one thing, probably for the worse.
fn spoil(u: &mut Unstructured<'_>, request: &mut Request, question: &Question) -> Result<()> {
    let keys: Vec<String> = mentioned(question).into_iter().collect();
    match u.int_in_range(0..=9)? {
        0 => {
            request.action =
                (*u.choose(&["s3", "s3:Get Object", ":x", "s3:x:y", "S 3:x"])?).to_owned();
        }
        1 => {
            let resources = [
                "arn:aws:s3:::",
                "arn:aws:S3:::b",
                "arn:aws:s3:eu west:1:b",
                "arn:aws:s3::12:b",
                "arn:AWS:s3:::b",
                "arn:aws-cn:s3:::b",
                "arn:aws:s3",
                "urn:aws:s3:::b",
            ];
            request.resource = (*u.choose(&resources)?).to_owned();
        }
        2 => spoil_principal(u, &mut request.principal)?,
        3 => request.principal = principal(u, false)?,
        _ => {
            let Some(key) = keys.get(u.int_in_range(0..=keys.len().max(1) - 1)?) else {
                return Ok(());
            };
            let words = KEYS.iter().find(|(known, _)| known.eq_ignore_ascii_case(key));
            let mut words = words.map_or(vec![], |(_, words)| words.to_vec());
            words.extend([
                "true",
                "arn:aws:iam::111122223333:user/a",
                "arn:a b:x:::",
                "x",
                "2026-01-01",
            ]);
            let word = (*u.choose(&words)?).to_owned();
            let is_multi =
                catalogue::key(key).is_some_and(|info| info.cardinality == Cardinality::Multi);
            let value = match u.int_in_range(0..=5)? {
                // An empty list is an absent key.
                0 | 1 => ContextValue::Many(vec![]),
                2 => ContextValue::Many(vec![word]),
                _ if is_multi => ContextValue::Many(vec![word]),
                _ => ContextValue::One(word),
            };
            request.context.insert(key, value);
        }
    }
    Ok(())
}

fn spoil_principal(u: &mut Unstructured<'_>, principal: &mut Principal) -> Result<()> {
    match principal {
        Principal::Anonymous => {}
        Principal::Root { partition, account, .. } => {
            let part = if u.arbitrary()? { partition } else { account };
            part.push('X');
        }
        Principal::User { arn, .. } => {
            *arn = (*u.choose(&[
                "arn:aws:iam::111122223333:user/",
                "arn:aws:iam::111122223333:user/a/",
                "arn:aws:iam::111122223333:user/\u{e9}",
                "arn:aws:iam::111122223333:user/a b",
                "arn:aws:iam::111122223333:role/a",
                "arn:aws:iam::x:user/a",
                "arn:aws:iam:x:111122223333:user/a",
                "arn:aws:sts::111122223333:user/a",
                "nonsense",
            ])?)
            .to_owned();
        }
        Principal::RoleSession { role_arn, session_name } => {
            if u.arbitrary()? {
                *role_arn = (*u.choose(&[
                    "arn:aws:iam::111122223333:role/",
                    "arn:aws:iam::cloudfront:role/r",
                    "arn:aws:sts::111122223333:assumed-role/r/sess",
                ])?)
                .to_owned();
            } else {
                *session_name =
                    (*u.choose(&["s", "", "a b", "a:b", "\u{e9}\u{e9}", "a/b"])?).to_owned();
            }
        }
        Principal::FederatedUser { arn, base } => {
            if u.arbitrary()? {
                *arn = (*u.choose(&[
                    "arn:aws:sts::111122223333:federated-user/",
                    "arn:aws:sts::111122223333:federated-user/a/b",
                    "arn:aws:sts::111122223333:federated-user/a:b",
                    "arn:aws:sts::111122223333:federated-user/a b",
                ])?)
                .to_owned();
            } else {
                *base = Some("arn:aws:iam::444455556666:user/a".to_owned());
            }
        }
        Principal::Service { name: id }
        | Principal::Federated { provider: id }
        | Principal::CanonicalUser { id } => id.clear(),
    }
    Ok(())
}
