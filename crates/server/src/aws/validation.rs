//! `ValidatePolicy`: findings as Access Analyzer writes them.

use keyaki::PolicyType;
use keyaki::policy::span::Position;
use keyaki::policy::validate::{Finding, Level, validate};
use serde_json::{Value, json};

use super::check::{object, text};
use super::error::AwsError;

/// Findings of one answer, if the request does not want fewer.
pub(super) const PAGE: usize = 100;

/// Where the checks are described; each finding's own title is there.
const LEARN_MORE: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html";

/// Types of resources that `validatePolicyResourceType` may name (the API's model).
pub(super) const RESOURCE_TYPES: [&str; 6] = [
    "AWS::S3::Bucket",
    "AWS::S3::AccessPoint",
    "AWS::S3::MultiRegionAccessPoint",
    "AWS::S3ObjectLambda::AccessPoint",
    "AWS::IAM::AssumeRolePolicyDocument",
    "AWS::DynamoDB::Table",
];

/// What is asked.
#[derive(Debug)]
pub(super) struct Asked {
    document: String,
    policy_type: PolicyType,
    /// Position of the first finding that is wanted.
    from: usize,
    page: usize,
}

impl Asked {
    pub(super) fn read(query: &str, body: &[u8]) -> Result<Asked, AwsError> {
        let body = object(body)?;
        let document = text(&body, "policyDocument")?.to_owned();
        let resource_type = match body.get("validatePolicyResourceType") {
            None | Some(Value::Null) => None,
            Some(_) => Some(text(&body, "validatePolicyResourceType")?),
        };
        if let Some(name) = resource_type.filter(|name| !RESOURCE_TYPES.contains(name)) {
            let message = format!("`{name}` is none of {}", RESOURCE_TYPES.join(", "));
            return Err(AwsError::field("validatePolicyResourceType", message));
        }
        let is_trust = resource_type == Some("AWS::IAM::AssumeRolePolicyDocument");
        let policy_type = match text(&body, "policyType")? {
            "IDENTITY_POLICY" => PolicyType::Identity,
            "RESOURCE_POLICY" if is_trust => PolicyType::Trust,
            "RESOURCE_POLICY" => PolicyType::Resource,
            "SERVICE_CONTROL_POLICY" => PolicyType::Scp,
            "RESOURCE_CONTROL_POLICY" => PolicyType::Rcp,
            other => {
                let message = format!(
                    "`{other}` is none of IDENTITY_POLICY, RESOURCE_POLICY, SERVICE_CONTROL_POLICY and RESOURCE_CONTROL_POLICY"
                );
                return Err(AwsError::field("policyType", message));
            }
        };
        let parameter = |wanted: &str| {
            let mut all = form_urlencoded::parse(query.as_bytes());
            all.find(|(name, _)| name == wanted).map(|(_, value)| value)
        };
        let number = |name: &str| match parameter(name) {
            None => Ok(None),
            Some(text) => match text.parse::<usize>() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(AwsError::field(name, format!("`{text}` is no `{name}` of ours"))),
            },
        };
        let page = number("maxResults")?.unwrap_or(PAGE).clamp(1, PAGE);
        Ok(Asked { document, policy_type, from: number("nextToken")?.unwrap_or(0), page })
    }

    pub(super) fn answer(&self) -> Value {
        let found = validate(&self.document, Some(self.policy_type));
        let page = found.iter().skip(self.from).take(self.page);
        let findings: Vec<Value> = page.map(|finding| self.finding(finding)).collect();
        let mut answer = json!({"findings": findings});
        let next = self.from.saturating_add(self.page);
        if next < found.len() {
            answer["nextToken"] = json!(next.to_string());
        }
        answer
    }

    fn finding(&self, finding: &Finding) -> Value {
        let kind = match finding.level {
            Level::Error => "ERROR",
            Level::SecurityWarning => "SECURITY_WARNING",
            Level::Warning => "WARNING",
            Level::Suggestion => "SUGGESTION",
        };
        let details = match &finding.hint {
            Some(hint) => format!("{}: {hint}", finding.message),
            None => finding.message.clone(),
        };
        json!({
            "findingType": kind,
            "issueCode": issue_code(finding.check.unwrap_or(finding.code)),
            "findingDetails": details,
            "learnMoreLink": LEARN_MORE,
            "locations": [{
                "path": path(&finding.path),
                "span": {"start": self.place(finding.span.start), "end": self.place(finding.span.end)},
            }],
        })
    }

    /// Lines from 1, columns and offsets from 0; offsets count characters.
    fn place(&self, offset: u32) -> Value {
        let Position { line, column } = Position::of(&self.document, offset);
        let before = self.document.get(..offset as usize).unwrap_or(&self.document);
        json!({"line": line, "column": column - 1, "offset": before.chars().count()})
    }
}

/// `Invalid ARN field` as `INVALID_ARN_FIELD`.
fn issue_code(title: &str) -> String {
    let letter = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { ' ' };
    let spaced: String = title.chars().map(letter).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join("_").to_ascii_uppercase()
}

/// A JSON pointer as a list of steps.
fn path(pointer: &str) -> Vec<Value> {
    let steps = pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"));
    steps
        .map(|step| match step.parse::<usize>() {
            Ok(index) => json!({"index": index}),
            Err(_) => json!({"value": step}),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_titles_in_capitals() {
        assert_eq!(issue_code("Invalid ARN field"), "INVALID_ARN_FIELD");
        assert_eq!(
            issue_code("Pass role with star in resource"),
            "PASS_ROLE_WITH_STAR_IN_RESOURCE"
        );
        assert_eq!(issue_code("duplicate-key"), "DUPLICATE_KEY");
    }

    #[test]
    fn pages_follow_each_other() {
        let statement = r#"{"Effect": "Allow", "Action": "s3:Frob", "Resource": "*"}"#;
        let document = format!(
            r#"{{"Version": "2012-10-17", "Statement": [{statement}, {statement}, {statement}]}}"#
        );
        let body = json!({"policyDocument": document, "policyType": "IDENTITY_POLICY"}).to_string();
        let answer = |query: &str| Asked::read(query, body.as_bytes()).unwrap().answer();
        let all = answer("");
        let all = all["findings"].as_array().unwrap();
        assert!(all.len() > 2, "{all:?}");
        let (mut paged, mut query) = (Vec::new(), "maxResults=2".to_owned());
        for _ in 0..all.len() {
            let page = answer(&query);
            paged.extend(page["findings"].as_array().unwrap().clone());
            match page["nextToken"].as_str() {
                Some(token) => query = format!("maxResults=2&nextToken={token}"),
                None => break,
            }
        }
        assert_eq!(&paged, all);
    }
}
