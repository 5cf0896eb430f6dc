//! The words of random policies and requests: few, so that things meet often.
//!
//! Texts at random were not taken: two of them hardly ever have anything to do with each other. What is put together from
//! pieces is in [`super::odd`].

pub(super) const A: &str = "111122223333";

/// Keys, and texts that conditions and requests have for them.
pub(super) const KEYS: &[(&str, &[&str])] = &[
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

pub(super) const CUSTOM: &[&str] = &[
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

pub(super) const NUMBERS: &[&str] = &[
    "10", "10.0", "010", "9.99", "10.01", "-1", "-0", "0", "+10", "1e1", "100E-1", "abc", "", "1.",
    "2", "200", "10*", "1?", "2026", "10 ",
];

pub(super) const DATES: &[&str] = &[
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

pub(super) const ADDRESSES: &[&str] = &[
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

pub(super) const BASE64: &[&str] = &["Zm8=", "Zm9v", "Zm9=", "", "AA==", "true", "2026"];

/// Keys of which the values stand as variables.
pub(super) const VARIABLES: &[&str] = &[
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

pub(super) const PRINCIPAL_ARNS: &[&str] = &[
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

pub(super) const PATHS: &[&str] =
    &["o-a/r-1/", "o-a/r-1/ou-2/", "o-b/r-1/", "o-a/*", "o-*/r-1/", "*"];

pub(super) const TAG_KEYS: &[&str] = &["team", "Team", "TEAM", "cost", "t*", "", "a"];

pub(super) const ARNS: &[&str] = &[
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

pub(super) const RANGES: &[&str] = &[
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

pub(super) const TEXT_OPERATORS: &[&str] = &[
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

pub(super) const NUMERIC_OPERATORS: &[&str] = &[
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
];

pub(super) const DATE_OPERATORS: &[&str] = &[
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
];

pub(super) const OTHER_OPERATORS: &[&str] = &["Bool", "IpAddress", "NotIpAddress", "BinaryEquals"];

pub(super) const PRINCIPALS: &[(&str, &str)] = &[
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

pub(super) const ACTIONS: &[&str] = &[
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

pub(super) const RESOURCES: &[&str] = &[
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

pub(super) const LISTED_ACTIONS: &[&str] =
    &["s3:GetObject", "S3:?et*", "s3:putobject", "kms:*", "*:*", "*", "z?:foo-?_x"];

pub(super) const LISTED_RESOURCES: &[&str] = &[
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

pub(super) const REQUESTED_ACTIONS: &[&str] = &[
    "s3:GetObject",
    "s3:GetObject",
    "S3:putobject",
    "kms:Decrypt",
    "s3:ListAllMyBuckets",
    "zz:Foo-1_x",
];

pub(super) const REQUESTED_RESOURCES: &[&str] = &[
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
