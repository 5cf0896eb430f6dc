//! Patterns that are put together from pieces, most of which nobody would write: what has to be told from what is cut short, from
//! wildcards that span fields, and from other services' ways of writing an ARN.
//!
//! A reader saw what no word of a list had shown (`execute-api:/…` with colons); so no list of such words is kept.

use arbitrary::{Result, Unstructured};
use keyaki_policy::{PolicyType, parse};

use super::policies::{quoted, with_variable};
use super::words::A;

/// How often something that the parser refuses is drawn again, before a star is taken.
const MAX_TRIES: usize = 4;

/// What stands in each field of an ARN; what is last may have colons.
const FIELDS: [&[&str]; 6] = [
    &["arn", "arn", "arn", "arn", "arn", "ar?", "*", "a*n", "arn*"],
    &["aws", "aws", "aws", "*", "aws*", "a?s", "aws-cn", "", "?*", "*:*"],
    &[
        "s3",
        "s3",
        "sqs",
        "sns",
        "rds",
        "secretsmanager",
        "iam",
        "execute-api",
        "*",
        "s*",
        "s?",
        "?3",
        "",
    ],
    &["", "", "*", "us-east-1", "us-*", "??-east-?", "?"],
    &["", "", A, A, "*", "1111*", "????????????", "*3", "aws", "444455556666"],
    LASTS,
];

const LASTS: &[&str] = &[
    "*",
    "?",
    "**",
    "?*",
    "*?",
    "q",
    "b",
    "b/k",
    "b/*",
    "b*",
    "*k",
    "b?k",
    "q:x",
    "q:*",
    "*:x",
    ":",
    "",
    "t:s:u",
    "cluster:c",
    "cluster:*",
    "secret:n-??????",
    "secret:n-*",
    "user/a",
    "role/*",
    "\u{212a}",
    "k",
    "K",
    "\u{17f}",
    "s",
    "\u{130}",
    "\u{df}",
    "SS",
    "?\u{df}",
    "b/\u{1f600}?",
    "api/prod/GET",
    "*/GET",
    "a b",
    "b**k",
    "*b*",
    "*/*/*",
];

/// Pieces of a path of API Gateway, and what they are joined by.
const PATHS: &[&str] =
    &["*", "prod", "GET", "?", "a", "x:x", ":", "", "us-east-1", A, "k", "**", "${x:custom, '*'}"];

const SERVICES: &[&str] =
    &["s3", "S3", "s*", "?3", "*", "sqs", "kms", "s3*", "*3", "execute-api", "z?"];

const NAMES: &[&str] = &[
    "*",
    "**",
    "?*",
    "GetObject",
    "get*",
    "GET*",
    "*Object",
    "?etObject",
    "Get?bject",
    "G*t*t",
    "PutObject",
    "",
    "?",
    "Foo-1_x",
    "*-*",
    "Decrypt",
    "Object",
    "*o*",
];

/// A pattern of actions.
pub(super) fn action(u: &mut Unstructured<'_>, policy_type: PolicyType) -> Result<String> {
    for _ in 0..MAX_TRIES {
        let text = format!("{}:{}", u.choose(SERVICES)?, u.choose(NAMES)?);
        if is_accepted("Action", &text, policy_type) {
            return Ok(text);
        }
    }
    Ok("*".to_owned())
}

/// A pattern of resources.
pub(super) fn resource(u: &mut Unstructured<'_>, policy_type: PolicyType) -> Result<String> {
    for _ in 0..MAX_TRIES {
        let text = match u.int_in_range(0..=9)? {
            0 | 1 => path(u)?,
            2 => {
                let arn = arn(u)?;
                with_variable(u, &arn)?
            }
            _ => arn(u)?,
        };
        if is_accepted("Resource", &text, policy_type) {
            return Ok(text);
        }
    }
    Ok("*".to_owned())
}

/// What may be a pattern of ARNs, of as many fields as come.
pub(super) fn arn(u: &mut Unstructured<'_>) -> Result<String> {
    let n_fields = *u.choose(&[6, 6, 6, 6, 6, 6, 1, 2, 3, 4, 5])?;
    let mut fields = Vec::new();
    for words in FIELDS.iter().take(n_fields) {
        fields.push(*u.choose(words)?);
    }
    let mut text = fields.join(":");
    match u.int_in_range(0..=11)? {
        0 => text.push('*'),
        1 => text.push('?'),
        2 => text.push(':'),
        3 => text = format!("{text}:{}", u.choose(LASTS)?),
        4 => text = text.replacen(':', "*", 1),
        5 => text = text.replace("::", "*"),
        6 if u.ratio(1, 8)? => text.push_str(&"k*".repeat(64)),
        7 => text.push_str("${*}"),
        _ => {}
    }
    Ok(text)
}

fn path(u: &mut Unstructured<'_>) -> Result<String> {
    let mut pieces = Vec::new();
    for _ in 0..u.int_in_range(1..=4)? {
        pieces.push(*u.choose(PATHS)?);
    }
    let separator = u.choose(&["/", "/", ":", ""])?;
    Ok(format!("execute-api:/{}", pieces.join(separator)))
}

/// The name as it is, or in another case.
pub(super) fn cased(u: &mut Unstructured<'_>, name: &str) -> Result<String> {
    Ok(match u.int_in_range(0..=15)? {
        0 => name.to_uppercase(),
        1 => name.to_lowercase(),
        _ => name.to_owned(),
    })
}

/// Whether a policy with the word in this element is one.
fn is_accepted(element: &str, word: &str, policy_type: PolicyType) -> bool {
    let other = if element == "Action" { "Resource" } else { "Action" };
    let principal = if policy_type.names_principals() { r#""Principal": "*", "# } else { "" };
    let text = format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", {principal}"{element}": {}, "{other}": "*"}}]}}"#,
        quoted(word)
    );
    parse(&text, Some(policy_type)).is_ok()
}
