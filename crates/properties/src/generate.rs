//! Small random policies and requests, from vocabularies in which things meet often.
//!
//! Requests are drawn so that most of them can happen: what follows from the principal is filled
//! in, and presence is drawn by what the request is said to be (through a VPC endpoint, on
//! somebody's behalf). Some are then spoiled in one place.

use std::collections::{BTreeMap, BTreeSet};

use arbitrary::{Result, Unstructured};
use keyaki_analysis::Question;
use keyaki_analysis::public::{self, Reading, Table};
use keyaki_policy::ast::PrincipalKind;
use keyaki_policy::catalogue::{self, Cardinality};
use keyaki_policy::request::{ContextValue, Principal};
use keyaki_policy::{PolicyType, Readings, Request, Switch, evaluate};
use serde_json::{Map, Value, json};

const A: &str = "111122223333";

/// One of the tables of what is public, under one of its readings; a bucket's as often as all others together.
///
/// # Errors
///
/// The data is exhausted.
pub fn table(u: &mut Unstructured<'_>) -> Result<&'static Table> {
    if u.ratio(1, 4)? {
        return Ok(&public::S3);
    }
    let reading = u.choose(&Reading::ALL)?.0;
    let tables: Vec<&Table> = public::tables(reading).collect();
    Ok(*u.choose(&tables)?)
}

/// Keys, and texts that conditions and requests have for them.
const KEYS: &[(&str, &[&str])] = &[
    ("aws:PrincipalArn", PRINCIPAL_ARNS),
    ("aws:PrincipalArn", PRINCIPAL_ARNS),
    (
        "aws:PrincipalAccount",
        &[A, "444455556666", "1111*", "????22223333", "anonymous", "cloudfront"],
    ),
    ("aws:PrincipalType", &["User", "AssumedRole", "A*", "Anonymous", "Account", "FederatedUser"]),
    (
        "aws:userid",
        &[
            "AIDA1",
            "AROA1:sess",
            "AROA1:*",
            "*:s2",
            A,
            "111122223333:f",
            "*3:f",
            "anonymous",
            "??DA1",
        ],
    ),
    ("aws:username", &["a", "b1", "b?", "*", "p/a", "?"]),
    ("kms:CallerAccount", &[A, "444455556666", "*"]),
    ("elasticfilesystem:AccessedViaMountTarget", &["true", "false", "TRUE"]),
    ("accounts.google.com:aud", &["app", "app*"]),
    ("oidc.example.com:sub", &["x", "x*", ""]),
    ("aws:PrincipalIsAWSService", &["true", "false", "TRUE", "t*"]),
    ("aws:PrincipalServiceName", &["sns.amazonaws.com", "*.amazonaws.com"]),
    ("aws:PrincipalServiceNamesList", &["sns.amazonaws.com", "sqs.amazonaws.com"]),
    ("aws:SourceIp", ADDRESSES),
    ("aws:SourceIp", ADDRESSES),
    ("aws:SourceVpc", &["vpc-1", "vpc-2", "vpc-*", "anonymous", "", "vpc-?"]),
    ("aws:SourceVpc", &["vpc-1", "vpc-2", "vpc-*", "anonymous", "", "vpc-?"]),
    ("aws:SourceVpce", &["vpce-1", "vpce-*"]),
    ("aws:VpceAccount", &[A, "444455556666"]),
    ("aws:VpceOrgID", &["o-a", "o-b"]),
    ("aws:VpceOrgPaths", PATHS),
    ("aws:SourceOrgPaths", PATHS),
    ("aws:ResourceOrgPaths", PATHS),
    ("aws:VpcSourceIp", &["10.1.2.3", "::1"]),
    (
        "aws:SourceVpcArn",
        &["arn:aws:ec2:us-east-1:111122223333:vpc/vpc-1", "arn:aws:ec2:us-east-1:1:vpc/vpc-2", "*"],
    ),
    ("aws:TagKeys", TAG_KEYS),
    ("aws:TagKeys", TAG_KEYS),
    ("aws:TagKeys", TAG_KEYS),
    ("aws:RequestTag/Team", &["x", "", "x*"]),
    ("aws:RequestTag/cost", &["x", "y"]),
    ("aws:UserAgent", &["curl", ""]),
    ("kms:ViaService", &["s3.us-east-1.amazonaws.com"]),
    ("backup:CopyTargets", ARNS),
    ("apigateway:Request/ApiKeyRequired", &["true", "false"]),
    ("aws:SourceArn", ARNS),
    ("aws:SourceAccount", &[A, "444455556666", "*"]),
    ("aws:SourceOrgID", &["o-a", "o-b"]),
    ("aws:SecureTransport", &["true", "false", "*e"]),
    ("aws:ViaAWSService", &["true", "false"]),
    ("aws:CalledVia", &["athena.amazonaws.com", "glue.amazonaws.com", "*"]),
    ("aws:CalledViaFirst", &["athena.amazonaws.com", "glue.amazonaws.com", "*"]),
    ("aws:CalledViaLast", &["athena.amazonaws.com"]),
    ("aws:ResourceAccount", &[A, "444455556666", "4*"]),
    ("aws:PrincipalOrgID", &["o-a", "o-b", "o-*"]),
    ("aws:ResourceOrgID", &["o-a", "o-b"]),
    ("aws:PrincipalOrgPaths", PATHS),
    ("aws:PrincipalOrgPaths", PATHS),
    ("aws:PrincipalTag/team", &["x", "y", "", "x*"]),
    ("aws:TokenIssueTime", DATES),
    ("aws:MultiFactorAuthAge", NUMBERS),
    ("ebs:VolumeSize", NUMBERS),
    ("ebs:VolumeSize", NUMBERS),
    ("aws:PrincipalTag/level", NUMBERS),
    ("aws:ResourceTag/level", NUMBERS),
    ("aws:ResourceTag/when", DATES),
    ("aws:ResourceTag/when", DATES),
    ("aws:ResourceTag/from", ADDRESSES),
    ("aws:ResourceTag/bytes", BASE64),
    ("aws:SourceIdentity", &["ines", "i*"]),
    ("aws:FederatedProvider", &["accounts.google.com"]),
    ("aws:MultiFactorAuthPresent", &["true", "false"]),
    ("aws:CurrentTime", DATES),
    ("aws:CurrentTime", DATES),
    ("aws:EpochTime", DATES),
    ("aws:CalledViaAWSMCP", &["x"]),
    ("identitystore:UserId", &["u1"]),
    ("ec2:RoleDelivery", NUMBERS),
    ("kms:CallerAccount", &[A, "444455556666"]),
    ("s3:DataAccessPointArn", ARNS),
    ("s3:DataAccessPointAccount", &[A, "1*"]),
    ("x:custom", CUSTOM),
    ("x:custom", CUSTOM),
];

const CUSTOM: &[&str] = &[
    "v",
    "V",
    "v*",
    "*",
    "true",
    "True",
    "arn:aws:s3:::b",
    "arn:aws:s3:::*",
    "urn:aws:s3:::b",
    "10.0.0.1",
    "2026-01-01",
    "1767225600",
    "10",
    "1e1",
    "Zm8=",
    "aws",
    "aws:s3",
    "a",
];

const NUMBERS: &[&str] = &[
    "10", "10.0", "010", "9.99", "10.01", "-1", "-0", "0", "+10", "1e1", "100E-1", "abc", "", "1.",
    "2", "200", "10*", "1?", "2026", "10 ",
];

const DATES: &[&str] = &[
    "2026-01-01T00:00:00Z",
    "2026-01-01T00:00Z",
    "2026-01-01",
    "2026-01-01T01:00:00+01:00",
    "2026-01-01T00:00:00.5Z",
    "1767225600",
    "1767225601",
    "2025-12-31T23:59:59Z",
    "2027",
    "2027-01",
    "2026*",
    "1767225600.5",
    "someday",
    "",
    "-5",
    "99999999999999999999",
    "999999999999999",
];

const ADDRESSES: &[&str] = &[
    "203.0.113.7",
    "10.1.2.3",
    "11.0.0.1",
    "12.0.0.1",
    "2001:db8::1",
    "2001:DB8::1",
    "::1",
    "10.*",
    "10.1.*",
    "10.1.2.*",
    "1*.1.2.3",
    "no",
    "",
];

const BASE64: &[&str] = &["Zm8=", "Zm9v", "Zm9=", "", "AA==", "true", "2026"];

/// Keys of which the values stand as variables.
const VARIABLES: &[&str] = &[
    "aws:username",
    "aws:username",
    "aws:userid",
    "aws:PrincipalArn",
    "aws:PrincipalAccount",
    "aws:PrincipalType",
    "aws:PrincipalTag/team",
    "aws:PrincipalTag/team",
    "aws:PrincipalIsAWSService",
    "aws:PrincipalServiceName",
    "aws:SourceArn",
    "aws:SecureTransport",
    "aws:ResourceAccount",
    "aws:TagKeys",
    "aws:CurrentTime",
    "aws:SourceIp",
    "ebs:VolumeSize",
    "x:custom",
    "x:custom",
    "x:custom",
];

const PRINCIPAL_ARNS: &[&str] = &[
    "arn:aws:iam::111122223333:user/a",
    "arn:aws:iam::111122223333:role/p/r",
    "arn:aws:iam::111122223333:*",
    "arn:aws:iam::*:role/*",
    "arn:aws:iam::*",
    "arn:*:user/?",
    "arn:*",
    "*",
    "*:role/*r",
    "arn:aws*:iam::????????????:root",
    "arn:aws:sts::111122223333:federated-user/f",
    "arn:aws:iam::111122223333:root",
    "arn:aws:iam:*:*:*",
];

const PATHS: &[&str] = &["o-a/r-1/", "o-a/r-1/ou-2/", "o-b/r-1/", "o-a/*", "o-*/r-1/", "*"];

const TAG_KEYS: &[&str] = &["team", "Team", "TEAM", "cost", "t*", "", "a"];

const ARNS: &[&str] = &[
    "arn:aws:s3:::b",
    "arn:aws:sns:us-east-1:111122223333:t",
    "arn:aws:sns:us-east-1:111122223333:t:s",
    "arn:aws:sns:*:*:t*",
    "arn:aws:sns:*:t",
    "arn:aws:s3:us-east-1:111122223333:accesspoint/*",
    "arn:aws:s3:us-east-1:*:accesspoint/ap",
    "arn:aws:s3:us-east-1:111122223333:accesspoint/ap",
    "arn:?ws:s3:::?",
    "*",
    "arn:*",
    "no-arn",
    "",
];

const RANGES: &[&str] = &[
    "203.0.113.0/24",
    "203.0.113.7",
    "11.0.0.0/8",
    "10.0.0.0/7",
    "0.0.0.0/0",
    "12.0.0.0/6",
    "10.0.0.0/8",
    "2001:db8::/32",
    "2000::/8",
    "::/0",
    "::1",
];

const TEXT_OPERATORS: &[&str] = &[
    "StringEquals",
    "StringEquals",
    "StringNotEquals",
    "StringLike",
    "StringLike",
    "StringNotLike",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
    "Null",
];

const NUMERIC_OPERATORS: &[&str] = &[
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
];

const DATE_OPERATORS: &[&str] = &[
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
];

const OTHER_OPERATORS: &[&str] = &["Bool", "IpAddress", "NotIpAddress", "BinaryEquals"];

const PRINCIPALS: &[(&str, &str)] = &[
    ("AWS", "*"),
    ("AWS", "*"),
    ("AWS", A),
    ("AWS", "444455556666"),
    ("AWS", "arn:aws:iam::111122223333:root"),
    ("AWS", "arn:aws-cn:iam::111122223333:root"),
    ("AWS", "arn:aws:iam::111122223333:user/a"),
    ("AWS", "arn:aws:iam::111122223333:user/p/a"),
    ("AWS", "arn:aws:iam::cloudfront:user/a"),
    ("AWS", "arn:aws:iam::111122223333:role/p/r"),
    ("AWS", "arn:aws:iam::444455556666:role/r"),
    ("AWS", "arn:aws:sts::111122223333:assumed-role/r/sess"),
    ("AWS", "arn:aws:sts::111122223333:federated-user/f"),
    ("AWS", "AIDA1AAAAAAAAAAAAAAAA"),
    ("AWS", "AROA1AAAAAAAAAAAAAAAA"),
    ("Service", "sns.amazonaws.com"),
    ("Federated", "accounts.google.com"),
    ("CanonicalUser", "c1"),
];

const ACTIONS: &[&str] = &[
    "s3:GetObject",
    "s3:Get*",
    "S3:*",
    "*",
    "s3:?utObject",
    "kms:Decrypt",
    "*:getobject",
    "s3:",
    "s*:*",
];

const RESOURCES: &[&str] = &[
    "*",
    "**",
    "arn:aws:s3:::b/*",
    "arn:aws:s3:::b",
    "arn:aws:s3:::?/k",
    "arn:aws:s3:::b${*}",
    "arn:aws:sqs:*:*:q",
    "arn:aws:sqs:*:111122223333:*",
    "arn:aws:sqs:*",
    "arn:aws:*:q",
    "arn:aws:s3",
    "arn:aws:s*",
    "arn:aws:s?",
    "arn:*:s3:::b*",
    "arn:*",
    "arn:aws:sqs:us-east-1:*:q:x",
    "arn:aws*:*:*:*:?*",
    "arn:aws:s3:::b/${aws:username}",
    "arn:aws:s3:::${aws:PrincipalTag/team}",
    "arn:aws:s3:::b${x:custom, '*'}",
    "arn:aws:sqs:*:*:${x:custom}:x",
    "arn:aws:s3:::${aws:userid}${x:custom, '/k'}*",
    "execute-api:/*/GET",
    "execute-api:/k/x:x:x:x:k",
];

const LISTED_ACTIONS: &[&str] =
    &["s3:GetObject", "S3:?et*", "s3:putobject", "kms:*", "*:*", "*", "z?:foo-?_x"];

const LISTED_RESOURCES: &[&str] = &[
    "*",
    "arn:aws:s3:::b",
    "arn:aws:s3:::b*",
    "arn:aws:s3:::?/k",
    "arn:*:s3:*:*:*",
    "arn:aws:sqs:*:1111*:q",
    "arn:aws:sqs:us-east-1:111122223333:*:x",
    "arn:aws:*:*:*:?",
    "arn:aws::::q",
];

/// The text of a random policy.
pub fn policy(u: &mut Unstructured<'_>, policy_type: PolicyType) -> Result<String> {
    let n_statements = u.int_in_range(1..=3)?;
    let mut statements = vec![];
    for _ in 0..n_statements {
        statements.push(statement(u, policy_type)?);
    }
    let version = if u.ratio(7, 8)? { "2012-10-17" } else { "2008-10-17" };
    Ok(format!(r#"{{"Version": "{version}", "Statement": [{}]}}"#, statements.join(", ")))
}

/// Accesses that no policy should grant, as lists of actions and of resources of which not both are
/// empty.
pub fn accesses(u: &mut Unstructured<'_>) -> Result<Vec<[Vec<&'static str>; 2]>> {
    let mut accesses = vec![];
    for _ in 0..u.int_in_range(1..=2)? {
        let mut lists = [vec![], vec![]];
        let kinds = u.int_in_range(1..=3)?;
        for (kind, words) in [LISTED_ACTIONS, LISTED_RESOURCES].into_iter().enumerate() {
            if kinds & (1 << kind) != 0 {
                for _ in 0..u.int_in_range(1..=2)? {
                    lists[kind].push(*u.choose(words)?);
                }
            }
        }
        accesses.push(lists);
    }
    Ok(accesses)
}

fn statement(u: &mut Unstructured<'_>, policy_type: PolicyType) -> Result<String> {
    let effect = if u.ratio(2, 3)? { "Allow" } else { "Deny" };
    let mut members = vec![format!(r#""Effect": "{effect}""#)];
    if policy_type == PolicyType::Resource {
        let element = negatable(u, "Principal")?;
        members.push(format!(r#""{element}": {}"#, principals(u)?));
    }
    for (element, words) in [("Action", ACTIONS), ("Resource", RESOURCES)] {
        // Half of the time only the other elements decide.
        let words = if u.arbitrary()? { words } else { &["*"] };
        let n_words = u.int_in_range(1..=2)?;
        let mut list = vec![];
        for _ in 0..n_words {
            list.push(quoted(u.choose(words)?));
        }
        let element = if words.len() > 1 { negatable(u, element)? } else { element.to_owned() };
        members.push(format!(r#""{element}": [{}]"#, list.join(", ")));
    }
    members.push(format!(r#""Condition": {{{}}}"#, conditions(u)?));
    Ok(format!("{{{}}}", members.join(", ")))
}

fn negatable(u: &mut Unstructured<'_>, element: &str) -> Result<String> {
    Ok(if u.ratio(1, 7)? { format!("Not{element}") } else { element.to_owned() })
}

/// A random value of `Principal`, as JSON.
pub fn principals(u: &mut Unstructured<'_>) -> Result<String> {
    if u.ratio(2, 5)? {
        return Ok(r#""*""#.to_owned());
    }
    let mut by_type: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for _ in 0..u.int_in_range(1..=2)? {
        let (member, text) = u.choose(PRINCIPALS)?;
        by_type.entry(member).or_default().push(quoted(text));
    }
    let members: Vec<_> = by_type
        .iter()
        .map(|(name, texts)| format!(r#""{name}": [{}]"#, texts.join(", ")))
        .collect();
    Ok(format!("{{{}}}", members.join(", ")))
}

fn conditions(u: &mut Unstructured<'_>) -> Result<String> {
    let mut operators: BTreeMap<String, String> = BTreeMap::new();
    for _ in 0..u.int_in_range(0..=2)? {
        let (key, words) = u.choose(KEYS)?;
        let operator = operator(u, key)?;
        let mut values = vec![];
        for _ in 0..u.int_in_range(0..=8)?.min(2).max(u8::from(u.ratio(15, 16)?)) {
            values.push(quoted(&value(u, &operator, words)?));
        }
        operators.insert(operator, format!("{}: [{}]", quoted(key), values.join(", ")));
    }
    let members: Vec<_> =
        operators.iter().map(|(operator, test)| format!(r#""{operator}": {{{test}}}"#)).collect();
    Ok(members.join(", "))
}

fn operator(u: &mut Unstructured<'_>, key: &str) -> Result<String> {
    use catalogue::KeySort;
    let any = [TEXT_OPERATORS, NUMERIC_OPERATORS, DATE_OPERATORS, OTHER_OPERATORS];
    let fitting: &[&str] = match catalogue::key(key).map(|info| info.sort) {
        _ if u.ratio(1, 5)? => u.choose(&any)?,
        Some(KeySort::Address) => &["IpAddress", "IpAddress", "NotIpAddress", "Null"],
        Some(KeySort::Date) => DATE_OPERATORS,
        Some(KeySort::Number) => NUMERIC_OPERATORS,
        Some(KeySort::Bool) => &["Bool", "Bool", "Null", "StringEquals", "StringLike"],
        _ if key.ends_with("/level") => NUMERIC_OPERATORS,
        _ if key.ends_with("/when") => DATE_OPERATORS,
        _ if key.ends_with("/from") => &["IpAddress", "NotIpAddress", "Null"],
        _ if key.ends_with("/bytes") => &["BinaryEquals"],
        None => u.choose(&any)?,
        _ => TEXT_OPERATORS,
    };
    let operator = u.choose(fitting)?;
    let if_exists = *operator != "Null" && u.ratio(1, 4)?;
    let is_single = catalogue::key(key).is_some_and(|key| key.cardinality == Cardinality::Single);
    let set = if is_single && u.ratio(5, 6)? || u.ratio(1, 4)? {
        ""
    } else {
        u.choose(&["ForAnyValue:", "ForAllValues:"])?
    };
    Ok(format!("{set}{operator}{}", if if_exists { "IfExists" } else { "" }))
}

fn value(u: &mut Unstructured<'_>, operator: &str, words: &[&str]) -> Result<String> {
    let is = |base: &str| operator.contains(base);
    let words: &[&str] = if is("Null") {
        &["true", "false"]
    } else if is("Bool") {
        &["true", "false", "False"]
    } else if is("IpAddress") {
        RANGES
    } else if is("Numeric") {
        NUMBERS
    } else if is("Date") {
        DATES
    } else if is("Binary") {
        BASE64
    } else {
        words
    };
    let word = (*u.choose(words)?).to_owned();
    if ["IpAddress", "Null"].into_iter().any(is) {
        return Ok(word);
    }
    if u.ratio(1, 8)? {
        return with_variable(u, &word);
    }
    Ok(match u.int_in_range(0..=30)? {
        0 => format!("{word}${{*}}"),
        1..=4 if is("IgnoreCase") => word.to_uppercase(),
        5..=8 if is("IgnoreCase") => word.replace('k', "\u{212a}"),
        _ => word,
    })
}

/// A word with a variable in it, before it or instead of it.
fn with_variable(u: &mut Unstructured<'_>, word: &str) -> Result<String> {
    let key = u.choose(VARIABLES)?;
    let variable = match u.choose(&["", "", "", "a", "*", "10"])? {
        &"" => format!("${{{key}}}"),
        default => format!("${{{key}, '{default}'}}"),
    };
    let middle = word.find(':').unwrap_or(word.len());
    let (start, end) = word.split_at(middle);
    Ok(match u.int_in_range(0..=5)? {
        0 | 1 => variable,
        2 => format!("{word}{variable}"),
        3 => format!("{variable}{word}"),
        4 => format!("{start}{variable}{end}"),
        // A field of an ARN.
        _ => {
            let mut fields: Vec<&str> = word.split(':').collect();
            let place = u.int_in_range(0..=fields.len() - 1)?;
            fields[place] = &variable;
            fields.join(":")
        }
    })
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

const REQUESTED_ACTIONS: &[&str] = &[
    "s3:GetObject",
    "s3:GetObject",
    "S3:putobject",
    "kms:Decrypt",
    "s3:ListAllMyBuckets",
    "zz:Foo-1_x",
];

const REQUESTED_RESOURCES: &[&str] = &[
    "arn:aws:s3:::b",
    "arn:aws:s3:::b/k",
    "arn:aws:s3:::b*",
    "arn:aws:sqs:us-east-1:111122223333:q",
    "arn:aws:sqs:us-east-1:111122223333:q:x",
    "arn:aws:s3:us-east-1:111122223333:accesspoint/ap",
    "arn:aws:iam::aws:policy/x",
    "arn:aws::::q",
    "arn:aws:s3:::x",
    "arn:aws:s3:::b/a",
    "arn:aws:sqs:us-east-1:111122223333:a:x",
    "arn:aws:execute-api:us-east-1:111122223333:api/prod/GET",
    "*",
];

/// The switches of which both readings are modelled.
const SWITCHES: [Switch; 23] = {
    use Switch::*;
    [
        D6, D12, D14, D17, D22, D28, D29, D23, D24, D26, R9, R25, R29, R19, R10, R11, R12, R13,
        R18, R22, R23, R31, R35,
    ]
};

/// The defaults, or readings of which many are alternatives.
pub fn readings(u: &mut Unstructured<'_>) -> Result<Readings> {
    let mut readings = Readings::DEFAULT;
    if u.arbitrary()? {
        for switch in SWITCHES {
            readings = readings.with(switch, u.arbitrary()?);
        }
    }
    Ok(readings)
}

/// A zone of trust, as the members of a job.
pub fn zone(u: &mut Unstructured<'_>) -> Result<Map<String, Value>> {
    let mut trust = Map::new();
    for name in ["accounts", "organization_accounts"] {
        let accounts: &[&str] =
            u.choose(&[&[][..], &[A], &["444455556666"], &[A, "444455556666"]])?;
        trust.insert(name.to_owned(), json!(accounts));
    }
    if u.ratio(2, 3)? {
        trust.insert("organization".to_owned(), json!(u.choose(&["o-a", "o-b"])?));
    }
    let mut zone = Map::new();
    zone.insert("trust".to_owned(), Value::Object(trust));
    if u.ratio(1, 4)? {
        zone.insert("resource_account".to_owned(), json!(u.choose(&[A, "444455556666"])?));
    }
    if u.arbitrary()? {
        zone.insert("service_principals".to_owned(), json!("deputy"));
    }
    Ok(zone)
}

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
