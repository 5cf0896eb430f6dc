//! What is looked for: one line for each check.

use std::fmt::Write as _;

use super::Level;

/// A kind of finding.
#[derive(Debug, PartialEq, Eq)]
pub struct Check {
    /// How grave its findings are.
    pub level: Level,
    /// Its name, stable for programs.
    pub code: &'static str,
    /// IAM Access Analyzer's name of the check, if it has it.
    pub analyzer: Option<&'static str>,
    /// What is found, for the documentation.
    pub about: &'static str,
}

macro_rules! checks {
    ($($name:ident: $level:ident, $code:literal, $analyzer:expr, $about:literal;)*) => {
        $(pub(super) static $name: Check = Check {
            level: Level::$level,
            code: $code,
            analyzer: $analyzer,
            about: $about,
        };)*
        /// All checks, in the order of the elements that they are about.
        pub static CHECKS: &[&Check] = &[$(&$name),*];
    };
}

checks! {
    MISSING_VERSION: Warning, "missing-version", Some("Missing version"),
        "no `Version`: the policy is read as `2008-10-17`, in which variables are plain text";
    VERSION_REQUIRED: Error, "version-required", None,
        "a policy of an organisation that is not of version `2012-10-17`";
    ID_NOT_ALLOWED: Warning, "id-not-allowed", None,
        "`Id` in an identity-based policy, where the grammar has none";
    NO_STATEMENTS: Suggestion, "no-statements", None, "a policy without statements";
    DUPLICATE_SID: Error, "duplicate-sid", Some("Unique Sids required"),
        "a `Sid` that an earlier statement has, in a policy of IAM or of an organisation";
    REPEATED_SID: Warning, "repeated-sid", Some("Unique Sids recommended"),
        "a `Sid` that an earlier statement has, in another policy";
    INVALID_SID: Error, "invalid-sid", Some("Unsupported Sid"),
        "a `Sid` with other characters than letters and digits, where only those are allowed";
    EMPTY_SID: Suggestion, "empty-sid", Some("Empty Sid value"), "an empty `Sid`";
    UNSUPPORTED_CHARACTER: Error, "unsupported-character", None,
        "a character above U+00FF, which IAM refuses";
    POLICY_TOO_LARGE: Warning, "policy-too-large", None,
        "more characters than AWS stores of such a policy by default (1.9)";

    ALLOW_NOT_PRINCIPAL: SecurityWarning, "allow-with-not-principal", Some("Allow with NotPrincipal"),
        "`NotPrincipal` with `Allow`: everybody else is allowed, anonymous too (D13)";
    NOT_PRINCIPAL_ACCOUNT: Warning, "not-principal-without-account", None,
        "`NotPrincipal` that names a user, role or session and not its account (D14)";
    EMPTY_PRINCIPAL: Suggestion, "empty-principal", Some("Empty array principal"),
        "a principal without entries: the statement is about nobody";
    REDUNDANT_PRINCIPAL: Suggestion, "redundant-principal", None,
        "a principal that stands twice in one list";
    INVALID_SERVICE_PRINCIPAL: Error, "invalid-service-principal",
        Some("Invalid service principal format"), "a service principal that is no host name";
    FEDERATED_PRINCIPAL: Error, "federated-principal-not-supported",
        Some("Federated principal not supported"), "an identity provider outside a trust policy";
    UNSUPPORTED_PRINCIPAL: Error, "unsupported-principal", Some("Unsupported principal"),
        "a canonical user where only S3 has them";
    TRUST_EVERYONE: Warning, "trust-everyone",
        Some("Role trust policy unsupported wildcard in principal"),
        "a role that everyone may assume";
    MISMATCHED_TRUST_ACTION: Error, "mismatched-action-for-principal",
        Some("Mismatched action for principal"),
        "a trust policy whose principals cannot call the action that they are allowed";
    OIDC_WITHOUT_CONDITION: SecurityWarning, "oidc-without-condition",
        Some("Missing condition key for oidc principal"),
        "a role for an OIDC provider, with no condition on who of its users (`sub`, `aud`, …)";
    GITHUB_WITHOUT_REPOSITORY: SecurityWarning, "github-without-repository",
        Some("Missing github repo condition key"),
        "a role for GitHub's workflows, with no condition on `sub`";
    GITHUB_WIDE: Warning, "github-repository-not-specific",
        Some("Specific github repo and branch recommended"),
        "a role for GitHub's workflows, with a wildcard for organisation or repository";
    SERVICE_WITHOUT_SOURCE: Warning, "service-without-source",
        Some("Recommended condition key for service principal"),
        "a service that is allowed, with no condition on the account or resource it acts for";

    UNKNOWN_SERVICE: Error, "unknown-service", Some("Invalid service in action"),
        "an action of a service that the catalogue does not know";
    UNKNOWN_ACTION: Error, "unknown-action", Some("Invalid action"),
        "an action that the catalogue does not know, of a service that it knows";
    NO_SUCH_ACTION: Warning, "pattern-without-action", None,
        "a pattern that no known action matches";
    WILDCARD_IN_SERVICE: Suggestion, "wildcard-in-service", Some("Wildcard in service name"),
        "a wildcard in the service of an action (D3)";
    VARIABLE_IN_ACTION: Error, "variable-in-action", Some("Variable unsupported in element"),
        "`${…}` in an action, where it is plain text";
    EMPTY_ACTION: Suggestion, "empty-action", Some("Empty array action"),
        "a statement without actions";
    INCOMPLETE_STATEMENT: Warning, "incomplete-statement", None,
        "a statement of a key policy without action or resource: KMS ignores it (1.6)";
    REDUNDANT_ACTION: Suggestion, "redundant-action", Some("Redundant action"),
        "an action that another one of the list covers";
    ALLOW_NOT_ACTION: SecurityWarning, "allow-with-not-action", None,
        "`NotAction` with `Allow`: everything else is allowed, of every service, future ones too";
    TRUST_ACTION: Warning, "unsupported-action-in-trust", Some("Unsupported action in policy"),
        "an action that is not about assuming roles, in a trust policy";
    KMS_ACTION: Warning, "unsupported-action-in-key-policy", Some("Unsupported action in policy"),
        "an action of another service in a key policy";
    RCP_STAR: Error, "rcp-action-wildcard", None,
        "`*` alone as action in a resource control policy that denies";
    RCP_SERVICE: Warning, "unsupported-service-in-rcp", Some("Unsupported action in policy"),
        "an action of a service that resource control policies do not cover";
    SCP_GRAMMAR: Suggestion, "scp-before-2025", None,
        "what service control policies could not hold before 2025-09-19 (D7)";
    PASS_ROLE_STAR: SecurityWarning, "pass-role-to-everything",
        Some("Pass role with star in resource"),
        "`iam:PassRole` on all roles, with no condition on `iam:PassedToService`";
    PASS_ROLE_STAR_STAR: SecurityWarning, "pass-role-in-star-to-everything",
        Some("Pass role with star in action and resource"),
        "the same, by an action pattern";
    PASS_ROLE_NOT_ACTION: SecurityWarning, "pass-role-by-not-action",
        Some("Pass role with star in resource and NotAction"), "the same, by `NotAction`";
    PASS_ROLE_NOT_RESOURCE: SecurityWarning, "pass-role-with-not-resource",
        Some("Pass role with NotResource"), "`iam:PassRole` on all roles but some";
    CREATE_SLR_STAR: Warning, "create-service-role-for-everything",
        Some("Create SLR with star in resource"),
        "`iam:CreateServiceLinkedRole` on everything, with no condition on `iam:AWSServiceName`";

    ALLOW_NOT_RESOURCE: SecurityWarning, "allow-with-not-resource", None,
        "`NotResource` with `Allow`: all other resources are allowed, future ones too";
    EMPTY_RESOURCE: Suggestion, "empty-resource", Some("Empty array resource"),
        "a statement without resources";
    REDUNDANT_RESOURCE: Suggestion, "redundant-resource", Some("Redundant resource"),
        "a resource that another one of the list covers";
    MISSING_ARN_FIELD: Error, "missing-arn-field", Some("Missing ARN field"),
        "an ARN of fewer than six fields (D9)";
    INVALID_PARTITION: Error, "invalid-partition", Some("Invalid partition"),
        "an ARN whose partition AWS does not have";
    INVALID_ARN_SERVICE: Warning, "invalid-arn-service", Some("Invalid service"),
        "an ARN of a service that the catalogue does not know";
    ARN_SERVICE_CASE: Error, "arn-service-case", Some("Invalid ARN service case"),
        "capitals in the service of an ARN";
    WILDCARD_IN_ARN_SERVICE: Warning, "wildcard-in-arn-service", None,
        "a wildcard in the service of an ARN (D4)";
    INVALID_REGION: Error, "invalid-arn-region", Some("Invalid ARN Region"),
        "an ARN whose region does not look like one";
    INVALID_ACCOUNT: Error, "invalid-arn-account", Some("Invalid ARN account"),
        "an ARN whose account is not twelve digits";
    REGION_NOT_ALLOWED: Error, "arn-region-not-allowed", Some("ARN Region not allowed"),
        "a region in the ARN of a resource that has none";
    ACCOUNT_NOT_ALLOWED: Error, "arn-account-not-allowed", Some("ARN account not allowed"),
        "an account in the ARN of a resource that has none";
    MISSING_REGION: Error, "missing-arn-region", Some("Missing ARN Region"),
        "no region in the ARN of a resource that has one";
    UNKNOWN_RESOURCE_TYPE: Warning, "unknown-resource-type", Some("Invalid ARN resource"),
        "an ARN that is of no known type of the service's resources";
    NEEDS_ALL_RESOURCES: Warning, "needs-all-resources", None,
        "actions that are authorized against `*` only, in a statement without it";
    ACTION_RESOURCE: Warning, "action-does-not-fit-resources", None,
        "actions that no resource of the statement is of a type for";

    MISSING_BRACE: Error, "missing-brace-in-variable", Some("Missing brace in variable"),
        "`${` without its `}`: it is plain text";
    VARIABLE_IN_OLD_VERSION: Error, "variable-in-old-version", Some("Variable unsupported in version"),
        "`${…}` in a policy of version `2008-10-17`, where it is plain text";
    VARIABLE_FOR_OPERATOR: Error, "variable-for-operator", Some("Invalid variable for operator"),
        "`${…}` under an operator that has no variables";
    VARIABLE_IN_KEY: Error, "variable-in-key", Some("Variable unsupported in element"),
        "`${…}` in a condition key, where it is plain text";
    UNKNOWN_VARIABLE: Warning, "unknown-variable", None, "a variable of an unknown condition key";
    MULTIVALUED_VARIABLE: Warning, "multivalued-variable", None,
        "a variable of a condition key that has many values: it has none (4.1)";

    EMPTY_CONDITION: Suggestion, "empty-condition", Some("Empty object condition"),
        "a condition or an operator without keys: it always holds";
    EMPTY_VALUES: Suggestion, "empty-condition-values", Some("Empty array condition"),
        "a condition key without values (D6)";
    OPERATOR_CASE: Suggestion, "operator-case", None,
        "an operator in other letters than the documented ones (D5)";
    KEY_FORMAT: Error, "invalid-key-format", Some("Invalid condition key format"),
        "a condition key that is not `prefix:name`";
    UNKNOWN_GLOBAL_KEY: Error, "unknown-global-key", Some("Invalid global condition key"),
        "an `aws:` key that the catalogue does not know";
    UNKNOWN_SERVICE_KEY: Error, "unknown-service-key", Some("Invalid service condition key"),
        "a key that the catalogue does not know, of a service that it knows";
    UNKNOWN_KEY: Warning, "unknown-key", None, "a key of a service that the catalogue does not know";
    DEPRECATED_KEY: Warning, "deprecated-key", Some("Deprecated global condition key"),
        "a key that newer services do not set";
    MISSING_TAG_KEY: Error, "missing-tag-key", Some("Missing tag key in condition"),
        "a key such as `aws:RequestTag` without the tag that it is about";
    UNSUPPORTED_KEY: Warning, "unsupported-key-for-actions",
        Some("Unsupported action for condition key"),
        "a service's key that none of the statement's actions has";
    TAG_KEY_DENY: SecurityWarning, "deny-with-unsupported-tag-key",
        Some("Deny with unsupported tag condition key for service"),
        "a tag key that none of the denied services has";
    TAG_KEY_ALLOW: Suggestion, "allow-with-unsupported-tag-key",
        Some("Allow with unsupported tag condition key for service"),
        "a tag key that none of the allowed services has";
    MISSING_QUALIFIER: Error, "missing-qualifier", Some("Missing qualifier"),
        "a key of many values without `ForAllValues:` or `ForAnyValue:` (D26)";
    FOR_ALL_SINGLE: SecurityWarning, "for-all-values-with-single-valued-key",
        Some("ForAllValues with single valued key"),
        "`ForAllValues:`, which an absent key satisfies, with a key of one value";
    MISSING_PAIRED: SecurityWarning, "for-all-values-without-null", Some("Missing paired condition keys"),
        "`Allow` with `ForAllValues:` on `aws:TagKeys`, which no tags at all satisfy";
    UNDECIDED_IF_EXISTS: Warning, "for-any-value-if-exists", None,
        "`ForAnyValue:…IfExists`: what an absent key does is undocumented (D24)";
    NULL_QUALIFIER: Suggestion, "null-with-qualifier", Some("Null with qualifier"),
        "`Null` with a set operator: it is always true, or never";
    SEVERAL_BOOLEANS: Error, "several-booleans", Some("Invalid condition multiple Boolean"),
        "both `true` and `false` for one key";
    TYPE_MISMATCH: Warning, "type-mismatch", Some("Type mismatch"),
        "an operator that is not for values of the key's type";
    WILDCARD_WITHOUT_LIKE: Warning, "wildcard-without-like", Some("Wildcard without like operator"),
        "`*` or `?` where it is no wildcard";
    INVALID_NUMBER: Error, "invalid-number", Some("Type mismatch number"),
        "a value of a numeric operator that is no decimal number";
    INVALID_DATE: Warning, "invalid-date", Some("Invalid date value"),
        "a value of a date operator that is no date, or an ambiguous one (D18)";
    INVALID_BOOLEAN: Error, "invalid-boolean", Some("Type mismatch Boolean"),
        "a value of `Bool` that is neither `true` nor `false`";
    INVALID_BASE64: Error, "invalid-base64", None, "a value of `BinaryEquals` that is no base64";
    INVALID_ARN_VALUE: Warning, "invalid-arn-value", None,
        "a value of an ARN operator that is not of six fields (D22)";
    PRIVATE_ADDRESS: Error, "private-address", Some("Private IP address"),
        "a private address for `aws:SourceIp`, which is a public one";
    HOST_BITS: Suggestion, "host-bits", Some("Improve IP range"),
        "an address range with bits that its length ignores";
    INVALID_VPC: Error, "invalid-vpc", Some("Invalid vpc format"), "a VPC's id of another form";
    INVALID_VPCE: Error, "invalid-vpce", Some("Invalid vpce format"),
        "a VPC endpoint's id of another form";
    INVALID_ACCOUNT_VALUE: Warning, "invalid-account-value", None,
        "an account's id that is not twelve digits";
    INVALID_ORGANIZATION: Warning, "invalid-organization-value", None,
        "an organisation's id of another form";
    REDUNDANT_VALUE: Suggestion, "redundant-value", Some("Redundant condition value num"),
        "a value that another one of the list covers";

    NEVER_MATCHES: Warning, "never-matches", None,
        "a statement whose conditions exclude each other: it matches no request";
    ALLOW_IS_DENIED: Warning, "allow-is-denied", None,
        "an `Allow` of which a `Deny` of the same policy covers everything";
    REDUNDANT_STATEMENT: Suggestion, "redundant-statement", Some("Redundant statement"),
        "a statement that another one of the same policy covers";
}

/// The checks as a Markdown table, for the documentation.
pub fn markdown() -> String {
    let mut table =
        "| code | level | found | Access Analyzer's name |\n|---|---|---|---|\n".to_owned();
    for Check { level, code, analyzer, about } in CHECKS.iter().copied() {
        let (level, analyzer) = (level.as_str(), analyzer.unwrap_or(""));
        writeln!(table, "| `{code}` | {level} | {about} | {analyzer} |")
            .expect("writing to a String cannot fail");
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct() {
        let mut codes: Vec<_> = CHECKS.iter().map(|check| check.code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), CHECKS.len());
    }
}
