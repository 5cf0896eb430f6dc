//! What the parser says of documents that are not policies: kind, place and words of each mistake.
//!
//! The expectations are whole messages, because the message is the feature. To accept changed ones
//! run the tests with `UPDATE_EXPECT=1` and read the difference.

#![expect(clippy::unwrap_used, reason = "this is a test")]

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use keyaki_policy::json::{MAX_DEPTH, MAX_SOURCE_BYTES};
use keyaki_policy::parse::{MAX_ENTRIES, MAX_STATEMENTS, parse_bytes};
use keyaki_policy::span::Position;
use keyaki_policy::{Code, ParseError, PolicyType, parse};

/// Checks what is said of a document whose type is inferred.
#[track_caller]
fn check(source: &str, expected: Expect) {
    expected.assert_eq(&render(&parse(source, None).unwrap_err()));
}

/// Place, kind and path in the first line, then message and hint.
fn render(error: &ParseError) -> String {
    let ParseError { position, path, message, .. } = error;
    let mut text = format!("{position} {} {path:?}\n{message}\n", error.code.as_str());
    if let Some(hint) = &error.hint {
        writeln!(text, "hint: {hint}").unwrap();
    }
    text
}

// JSON.

#[test]
fn an_empty_document() {
    check(
        "",
        expect![[r#"
            1:1 invalid-json ""
            the document is empty
        "#]],
    );
}

#[test]
fn a_document_of_white_space() {
    check(
        " \n\t",
        expect![[r#"
            1:1 invalid-json ""
            the document is empty
        "#]],
    );
}

#[test]
fn text_that_is_not_json() {
    check(
        r#"Allow everything"#,
        expect![[r#"
            1:1 invalid-json ""
            expected a value, found `Allow`
            hint: strings and names stand in double quotes
        "#]],
    );
}

#[test]
fn a_trailing_comma() {
    check(
        r#"{"Version": "2012-10-17",
  "Statement": [],
}"#,
        expect![[r#"
            2:18 invalid-json ""
            trailing comma before `}`
            hint: remove the comma
        "#]],
    );
}

#[test]
fn a_trailing_comma_in_a_list() {
    check(
        r#"{"Statement": [ {"Effect": "Deny", "Action": ["a:b", ], "Resource": "*"} ]}"#,
        expect![[r#"
            1:52 invalid-json "/Statement/0/Action"
            trailing comma before `]`
            hint: remove the comma
        "#]],
    );
}

#[test]
fn single_quotes() {
    check(
        r#"{'Version': '2012-10-17'}"#,
        expect![[r#"
            1:2 invalid-json ""
            expected a member name in double quotes, found `'`
            hint: strings and names stand in double quotes
        "#]],
    );
}

#[test]
fn a_value_in_single_quotes() {
    check(
        r#"{"Version": '2012-10-17'}"#,
        expect![[r#"
            1:13 invalid-json "/Version"
            expected a value, found `'`
            hint: strings and names stand in double quotes
        "#]],
    );
}

#[test]
fn a_comment() {
    check(
        r#"{
  // allow nothing
  "Statement": []
}"#,
        expect![[r#"
            2:3 invalid-json ""
            expected a member name in double quotes, found `/`
            hint: JSON has no comments
        "#]],
    );
}

#[test]
fn a_comment_after_a_value() {
    check(
        r#"{"Statement": [] # none
}"#,
        expect![[r#"
            1:18 invalid-json ""
            expected `,` or `}`, found `#`
            hint: JSON has no comments
        "#]],
    );
}

#[test]
fn a_name_without_quotes() {
    check(
        r#"{Version: "2012-10-17"}"#,
        expect![[r#"
            1:2 invalid-json ""
            expected a member name in double quotes, found `Version`
            hint: strings and names stand in double quotes
        "#]],
    );
}

#[test]
fn a_missing_comma() {
    check(
        r#"{"Version": "2012-10-17" "Statement": []}"#,
        expect![[r#"
            1:26 invalid-json ""
            expected `,` or `}`, found `"`
            hint: a comma may be missing
        "#]],
    );
}

#[test]
fn a_missing_colon() {
    check(
        r#"{"Version" "2012-10-17"}"#,
        expect![[r#"
            1:12 invalid-json "/Version"
            expected `:` after the member name `Version`, found `"`
        "#]],
    );
}

#[test]
fn a_line_break_in_a_string() {
    check(
        r#"{"Version": "2012-
10-17"}"#,
        expect![[r#"
            1:19 invalid-json "/Version"
            control character U+000A inside a string
            hint: a string must end on its line; a line break in it is written `\n`
        "#]],
    );
}

#[test]
fn an_unknown_escape() {
    check(
        r#"{"Version": "2012\-10-17"}"#,
        expect![[r#"
            1:18 invalid-json "/Version"
            unknown escape `\-`
            hint: a backslash itself is written `\\`
        "#]],
    );
}

#[test]
fn a_short_unicode_escape() {
    check(
        r#"{"Id": "\u12"}"#,
        expect![[r#"
            1:9 invalid-json "/Id"
            `\u` must be followed by four hexadecimal digits
        "#]],
    );
}

#[test]
fn half_a_surrogate_pair() {
    check(
        r#"{"Id": "a\ud83d!"}"#,
        expect![[r#"
            1:10 invalid-json "/Id"
            `\ud83d` is one half of a surrogate pair
            hint: write the character itself, or both halves (high half first) in a row
        "#]],
    );
}

#[test]
fn a_python_literal() {
    check(
        r#"{"Statement": None}"#,
        expect![[r#"
            1:15 invalid-json "/Statement"
            expected a value, found `None`
            hint: JSON writes `null`
        "#]],
    );
}

#[test]
fn a_capital_literal() {
    check(
        r#"{"Statement": True}"#,
        expect![[r#"
            1:15 invalid-json "/Statement"
            expected a value, found `True`
            hint: write `true` in lower case
        "#]],
    );
}

#[test]
fn a_number_with_a_leading_zero() {
    check(
        r#"{"Statement": 007}"#,
        expect![[r#"
            1:15 invalid-json "/Statement"
            malformed number `007`
            hint: remove the leading zero
        "#]],
    );
}

#[test]
fn an_incomplete_number() {
    check(
        r#"{"Statement": [1.]}"#,
        expect![[r#"
            1:16 invalid-json "/Statement/0"
            malformed number `1.`
        "#]],
    );
}

#[test]
fn a_document_that_ends_in_an_object() {
    check(
        r#"{"Version": "2012-10-17",
 "Statement": [{"Effect": "Allow""#,
        expect![[r#"
            2:34 invalid-json "/Statement/0"
            the document ends inside the object that begins at 2:16
            hint: close it with `}`
        "#]],
    );
}

#[test]
fn a_document_that_ends_after_a_name() {
    check(
        r#"{"Version""#,
        expect![[r#"
            1:11 invalid-json "/Version"
            the document ends inside the object that begins at 1:1
            hint: close it with `}`
        "#]],
    );
}

#[test]
fn a_document_that_ends_in_a_list() {
    check(
        r#"{"Statement": [{}, "#,
        expect![[r#"
            1:20 invalid-json "/Statement"
            the document ends inside the list that begins at 1:15
            hint: close it with `]`
        "#]],
    );
}

#[test]
fn a_document_that_ends_in_a_string() {
    check(
        r#"{"Version": "2012-1"#,
        expect![[r#"
            1:20 invalid-json "/Version"
            the document ends inside the string that begins at 1:13
            hint: close it with `"`
        "#]],
    );
}

#[test]
fn a_wrong_closing_bracket() {
    check(
        r#"{"Statement": [{"Effect": "Allow"]}"#,
        expect![[r#"
            1:34 invalid-json "/Statement/0"
            expected `,` or `}`, found `]`
            hint: the object that begins at 1:16 is still open
        "#]],
    );
}

#[test]
fn text_after_the_document() {
    check(
        r#"{"Statement": []}
{"Statement": []}"#,
        expect![[r#"
            2:1 invalid-json ""
            text after the end of the document: `{`
            hint: give one document at a time
        "#]],
    );
}

#[test]
fn a_bracket_too_many() {
    check(
        r#"{"Statement": []}}"#,
        expect![[r#"
            1:18 invalid-json ""
            text after the end of the document: `}`
            hint: there is one closing bracket too many
        "#]],
    );
}

#[test]
fn an_error_after_a_byte_order_mark() {
    check(
        "\u{feff}{\"Version\": 2012}",
        expect![[r#"
            1:13 wrong-type "/Version"
            `Version` must be a string, found a number
            hint: put it in double quotes
        "#]],
    );
}

#[test]
fn an_error_after_characters_of_several_bytes() {
    check(
        r#"{"Id": "éü😀", "Version": 2012}"#,
        expect![[r#"
            1:26 wrong-type "/Version"
            `Version` must be a string, found a number
            hint: put it in double quotes
        "#]],
    );
}

// The document.

#[test]
fn a_document_that_is_no_object() {
    check(
        r#"[{"Statement": []}]"#,
        expect![[r#"
            1:1 wrong-type ""
            a policy must be an object, found a list
        "#]],
    );
}

#[test]
fn a_repeated_element() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "*", "Resource": "*", "Effect": "Deny"}]}"#,
        expect![[r#"
            2:55 duplicate-key "/Statement/0/Effect"
            `Effect` stands twice in one object, first at 2:4
            hint: remove one of the two, or make them one
        "#]],
    );
}

#[test]
fn a_repeated_element_with_escapes() {
    check(
        r#"{"Statement": [], "\u0053tatement": []}"#,
        expect![[r#"
            1:19 duplicate-key "/Statement"
            `Statement` stands twice in one object, first at 1:2
            hint: remove one of the two, or make them one
        "#]],
    );
}

#[test]
fn a_policy_without_statements() {
    check(
        r#"{"Version": "2012-10-17"}"#,
        expect![[r#"
            1:1 missing-element ""
            the policy has no `Statement`
        "#]],
    );
}

#[test]
fn an_unknown_version() {
    check(
        r#"{"Version": "2012-10-18", "Statement": []}"#,
        expect![[r#"
            1:13 invalid-version "/Version"
            unknown version `2012-10-18`
            hint: `Version` is `2012-10-17`, or `2008-10-17` for the old language
        "#]],
    );
}

#[test]
fn a_version_that_is_no_string() {
    check(
        r#"{"Version": 2012, "Statement": []}"#,
        expect![[r#"
            1:13 wrong-type "/Version"
            `Version` must be a string, found a number
            hint: put it in double quotes
        "#]],
    );
}

#[test]
fn an_element_of_the_wrong_case() {
    check(
        r#"{"version": "2012-10-17", "Statement": []}"#,
        expect![[r#"
            1:2 unknown-element "/version"
            unknown element `version` in a policy
            hint: write `Version`: element names are case-sensitive
        "#]],
    );
}

#[test]
fn a_misspelt_element() {
    check(
        r#"{"Statements": []}"#,
        expect![[r#"
            1:2 unknown-element "/Statements"
            unknown element `Statements` in a policy
            hint: did you mean `Statement`?
        "#]],
    );
}

#[test]
fn a_wrapped_policy() {
    check(
        r#"{"PolicyDocument": {"Statement": []}}"#,
        expect![[r#"
            1:2 unknown-element "/PolicyDocument"
            unknown element `PolicyDocument` in a policy
            hint: give the policy itself, without the `PolicyDocument` around it
        "#]],
    );
}

#[test]
fn a_statement_without_its_policy() {
    check(
        r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#,
        expect![[r#"
            1:2 unknown-element "/Effect"
            unknown element `Effect` in a policy
            hint: `Effect` belongs into a statement
        "#]],
    );
}

#[test]
fn a_statement_that_is_no_object() {
    check(
        r#"{"Statement": ["Allow"]}"#,
        expect![[r#"
            1:16 wrong-type "/Statement/0"
            a statement must be an object, found a string
        "#]],
    );
}

#[test]
fn a_null() {
    check(
        r#"{"Id": null, "Statement": []}"#,
        expect![[r#"
            1:8 wrong-type "/Id"
            `Id` must be a string, found null
            hint: remove it, or give it a value
        "#]],
    );
}

// Statements.

#[test]
fn an_unknown_element() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Comment": "x"}]}"#,
        expect![[r#"
            2:66 unknown-element "/Statement/0/Comment"
            unknown element `Comment` in a statement
            hint: the elements of a statement are Sid, Effect, Principal, NotPrincipal, Action, NotAction, Resource, NotResource, Condition
        "#]],
    );
}

#[test]
fn a_misspelt_element_of_a_statement() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Actions": "*", "Resource": "*"}]}"#,
        expect![[r#"
            2:23 unknown-element "/Statement/0/Actions"
            unknown element `Actions` in a statement
            hint: did you mean `Action`?
        "#]],
    );
}

#[test]
fn an_element_of_the_policy_in_a_statement() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Version": "2012-10-17"}]}"#,
        expect![[r#"
            2:66 unknown-element "/Statement/0/Version"
            unknown element `Version` in a statement
            hint: `Version` belongs to the policy, not into a statement
        "#]],
    );
}

#[test]
fn a_statement_without_effect() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Action": "*", "Resource": "*"}]}"#,
        expect![[r#"
            2:3 missing-element "/Statement/0"
            the statement has no `Effect`
            hint: `Effect` is `Allow` or `Deny`
        "#]],
    );
}

#[test]
fn an_unknown_effect() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "allow", "Action": "*", "Resource": "*"}]}"#,
        expect![[r#"
            2:14 invalid-effect "/Statement/0/Effect"
            unknown effect `allow`
            hint: did you mean `Allow`?
        "#]],
    );
}

#[test]
fn an_effect_that_is_no_string() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": true, "Action": "*", "Resource": "*"}]}"#,
        expect![[r#"
            2:14 wrong-type "/Statement/0/Effect"
            `Effect` must be a string, found a Boolean
        "#]],
    );
}

#[test]
fn a_sid_that_is_no_string() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Sid": 1}]}"#,
        expect![[r#"
            2:73 wrong-type "/Statement/0/Sid"
            `Sid` must be a string, found a number
            hint: put it in double quotes
        "#]],
    );
}

#[test]
fn a_statement_without_action() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Resource": "*"}]}"#,
        expect![[r#"
            2:3 missing-element "/Statement/0"
            the statement has neither `Action` nor `NotAction`
        "#]],
    );
}

#[test]
fn both_action_and_not_action() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "NotAction": "a:b", "Action": "*", "Resource": "*"}]}"#,
        expect![[r#"
            2:43 conflicting-elements "/Statement/0/Action"
            both `Action` and `NotAction` in one statement
            hint: write two statements, or remove one of the two
        "#]],
    );
}

#[test]
fn a_statement_without_resource() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "*"}]}"#,
        expect![[r#"
            2:3 missing-element "/Statement/0"
            the statement has neither `Resource` nor `NotResource`
        "#]],
    );
}

#[test]
fn a_statement_that_alone_has_no_resource() {
    check(
        r#"{"Statement": [
  {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"},
  {"Effect": "Allow", "Principal": "*", "Action": "*"}]}"#,
        expect![[r#"
            3:3 missing-element "/Statement/1"
            the statement has neither `Resource` nor `NotResource`, but the one at 2:3 has
            hint: only trust policies have no `Resource`, and then in no statement
        "#]],
    );
}

#[test]
fn a_statement_that_alone_has_no_principal() {
    check(
        r#"{"Statement": [
  {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"},
  {"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#,
        expect![[r#"
            3:3 missing-element "/Statement/1"
            the statement has neither `Principal` nor `NotPrincipal`
            hint: each statement of a resource-based policy says whom it is about
        "#]],
    );
}

// Principals.

#[test]
fn a_principal_without_type() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "111122223333"}]}"#,
        expect![[r#"
            2:68 invalid-principal "/Statement/0/Principal"
            `111122223333` without a type of principal
            hint: only `*` stands alone; write `{"AWS": …}`
        "#]],
    );
}

#[test]
fn a_service_without_type() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "lambda.amazonaws.com"}]}"#,
        expect![[r#"
            2:68 invalid-principal "/Statement/0/Principal"
            `lambda.amazonaws.com` without a type of principal
            hint: only `*` stands alone; write `{"Service": …}`
        "#]],
    );
}

#[test]
fn a_list_of_principals_without_type() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": ["*"]}]}"#,
        expect![[r#"
            2:68 wrong-type "/Statement/0/Principal"
            `Principal` must be `"*"` or an object, found a list
        "#]],
    );
}

#[test]
fn an_unknown_type_of_principal() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": {"aws": "*"}}]}"#,
        expect![[r#"
            2:69 unknown-element "/Statement/0/Principal/aws"
            unknown element `aws` in a principal
            hint: write `AWS`: element names are case-sensitive
        "#]],
    );
}

#[test]
fn a_wildcard_in_a_principal() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": {"AWS": ["111122223333", "arn:aws:iam::111122223333:role/app-*"]}}]}"#,
        expect![[r#"
            2:93 invalid-principal "/Statement/0/Principal/AWS/1"
            `arn:aws:iam::111122223333:role/app-*` has a wildcard, which a principal must not have
            hint: name the account, or `*`, and add a condition on `aws:PrincipalArn`
        "#]],
    );
}

#[test]
fn a_wildcard_service() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": {"Service": "*"}}]}"#,
        expect![[r#"
            2:80 invalid-principal "/Statement/0/Principal/Service"
            `*` is not allowed here
            hint: to mean everyone, write `"Principal": "*"`
        "#]],
    );
}

#[test]
fn a_service_under_aws() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": {"AWS": "lambda.amazonaws.com"}}]}"#,
        expect![[r#"
            2:76 invalid-principal "/Statement/0/Principal/AWS"
            `lambda.amazonaws.com` is not an AWS principal
            hint: a service stands under `Service`
        "#]],
    );
}

#[test]
fn a_group_as_principal() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": {"AWS": "arn:aws:iam::111122223333:group/admins"}}]}"#,
        expect![[r#"
            2:76 invalid-principal "/Statement/0/Principal/AWS"
            `arn:aws:iam::111122223333:group/admins` is not the ARN of a principal
            hint: a group cannot be a principal: name its users or the account
        "#]],
    );
}

#[test]
fn an_account_placeholder() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": {"AWS": "arn:aws:iam::AccountB-ID:root"}}]}"#,
        expect![[r#"
            2:76 invalid-principal "/Statement/0/Principal/AWS"
            `arn:aws:iam::AccountB-ID:root` is not the ARN of a principal
            hint: the account, its fifth field, must be twelve digits
        "#]],
    );
}

#[test]
fn an_account_id_of_eleven_digits() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": {"AWS": "11112222333"}}]}"#,
        expect![[r#"
            2:76 invalid-principal "/Statement/0/Principal/AWS"
            `11112222333` is not an AWS principal
            hint: an account id has twelve digits
        "#]],
    );
}

#[test]
fn an_account_id_with_a_space() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": {"AWS": "111122223333 "}}]}"#,
        expect![[r#"
            2:76 invalid-principal "/Statement/0/Principal/AWS"
            `111122223333 ` is not an AWS principal
            hint: remove the white space around it
        "#]],
    );
}

#[test]
fn an_unquoted_account_id() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": {"AWS": 111122223333}}]}"#,
        expect![[r#"
            2:76 wrong-type "/Statement/0/Principal/AWS"
            `AWS` must be a string or a list of strings, found a number
            hint: put it in double quotes
        "#]],
    );
}

#[test]
fn an_empty_not_principal() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Deny", "Action": "*", "Resource": "*", "NotPrincipal": {"AWS": []}}]}"#,
        expect![[r#"
            2:70 empty-list "/Statement/0/NotPrincipal"
            `NotPrincipal` without entries
            hint: to mean everything, write `*` under `Principal`
        "#]],
    );
}

// Actions and resources.

#[test]
fn an_action_without_service() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": ["s3:GetObject", "GetObject"], "Resource": "*"}]}"#,
        expect![[r#"
            2:50 invalid-action "/Statement/0/Action/1"
            `GetObject` is not an action
            hint: an action is `*` or `service:Name`, such as `s3:GetObject`
        "#]],
    );
}

#[test]
fn an_arn_as_action() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "arn:aws:s3:::bucket", "Resource": "*"}]}"#,
        expect![[r#"
            2:33 invalid-action "/Statement/0/Action"
            `arn:aws:s3:::bucket` is not an action
            hint: this looks like an ARN, which belongs under `Resource`
        "#]],
    );
}

#[test]
fn an_empty_action() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "", "Resource": "*"}]}"#,
        expect![[r#"
            2:33 invalid-action "/Statement/0/Action"
            `` is not an action
            hint: an action is `*` or `service:Name`, such as `s3:GetObject`
        "#]],
    );
}

#[test]
fn an_action_that_is_an_object() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": {"s3": "*"}, "Resource": "*"}]}"#,
        expect![[r#"
            2:33 wrong-type "/Statement/0/Action"
            `Action` must be a string or a list of strings, found an object
        "#]],
    );
}

#[test]
fn a_null_in_a_list_of_actions() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": ["s3:GetObject", null], "Resource": "*"}]}"#,
        expect![[r#"
            2:50 wrong-type "/Statement/0/Action/1"
            `Action` must be a list of strings, found null
            hint: remove it, or give it a value
        "#]],
    );
}

#[test]
fn an_empty_not_action() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "NotAction": [], "Resource": "*"}]}"#,
        expect![[r#"
            2:36 empty-list "/Statement/0/NotAction"
            `NotAction` without entries
            hint: to mean everything, write `*` under `Action`
        "#]],
    );
}

#[test]
fn a_resource_that_is_no_arn() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "*", "Resource": ["arn:aws:s3:::b", "my-bucket/*"]}]}"#,
        expect![[r#"
            2:69 invalid-resource "/Statement/0/Resource/1"
            `my-bucket/*` is not a resource
            hint: a resource is `*` or an ARN, such as `arn:aws:s3:::bucket/*`
        "#]],
    );
}

#[test]
fn a_variable_in_the_account_of_a_resource() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:iam::${aws:PrincipalAccount}:user/${aws:username}"}]}"#,
        expect![[r#"
            2:64 invalid-variable "/Statement/0/Resource"
            `${aws:PrincipalAccount}` before the fifth colon of an ARN
            hint: policy variables are allowed in the last field of an ARN only; the other fields take `*`
        "#]],
    );
}

#[test]
fn an_empty_variable() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::b/${}/*"}]}"#,
        expect![[r#"
            2:66 invalid-variable "/Statement/0/Resource"
            `${}` names no condition key
            hint: the form is `${key}` or `${key, 'default'}`
        "#]],
    );
}

#[test]
fn white_space_in_a_variable() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::b/${ aws:username }"}]}"#,
        expect![[r#"
            2:66 invalid-variable "/Statement/0/Resource"
            white space around the name in `${ aws:username }`
            hint: the form is `${key}` or `${key, 'default'}`
        "#]],
    );
}

#[test]
fn a_default_without_quotes() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::b/${aws:username, none}"}]}"#,
        expect![[r#"
            2:66 invalid-variable "/Statement/0/Resource"
            expected one space and a quoted default after `${aws:username,`
            hint: the form is `${key}` or `${key, 'default'}`
        "#]],
    );
}

#[test]
fn a_default_without_closing_quote() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::b/${aws:username, 'none}"}]}"#,
        expect![[r#"
            2:66 invalid-variable "/Statement/0/Resource"
            the default after `${aws:username,` has no closing quote
            hint: the form is `${key}` or `${key, 'default'}`
        "#]],
    );
}

#[test]
fn text_after_a_default() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::b/${aws:username, 'none' }"}]}"#,
        expect![[r#"
            2:66 invalid-variable "/Statement/0/Resource"
            expected `}` after `${aws:username, 'none'`
            hint: the form is `${key}` or `${key, 'default'}`
        "#]],
    );
}

#[test]
fn a_variable_in_a_variable() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::b/${a${b}}"}]}"#,
        expect![[r#"
            2:66 invalid-variable "/Statement/0/Resource"
            `${a${b}` is not a policy variable
            hint: a policy variable cannot stand inside another one
        "#]],
    );
}

#[test]
fn a_variable_after_an_escape() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::\u0062/${}"}]}"#,
        expect![[r#"
            2:50 invalid-variable "/Statement/0/Resource"
            `${}` names no condition key
            hint: the form is `${key}` or `${key, 'default'}`
        "#]],
    );
}

// Conditions.

#[test]
fn a_condition_that_is_no_object() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": []}]}"#,
        expect![[r#"
            2:79 wrong-type "/Statement/0/Condition"
            `Condition` must be an object, found a list
        "#]],
    );
}

#[test]
fn a_misspelt_operator() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": {"StringLikes": {"s3:prefix": "home/*"}}}]}"#,
        expect![[r#"
            2:80 unknown-operator "/Statement/0/Condition/StringLikes"
            unknown condition operator `StringLikes`
            hint: did you mean `StringLike`?
        "#]],
    );
}

#[test]
fn a_misspelt_operator_with_affixes() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": {"ForAnyValues:StringEqualIfExists": {"k": "v"}}}]}"#,
        expect![[r#"
            2:80 unknown-operator "/Statement/0/Condition/ForAnyValues:StringEqualIfExists"
            unknown condition operator `ForAnyValues:StringEqualIfExists`
            hint: did you mean `ForAnyValue:StringEqualsIfExists`?
        "#]],
    );
}

#[test]
fn an_unknown_operator() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": {"Matches": {"k": "v"}}}]}"#,
        expect![[r#"
            2:80 unknown-operator "/Statement/0/Condition/Matches"
            unknown condition operator `Matches`
        "#]],
    );
}

#[test]
fn an_operator_without_keys() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": {"StringLike": "v"}}]}"#,
        expect![[r#"
            2:94 wrong-type "/Statement/0/Condition/StringLike"
            `StringLike` must be an object, found a string
        "#]],
    );
}

#[test]
fn null_with_if_exists() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": {"NullIfExists": {"k": "true"}}}]}"#,
        expect![[r#"
            2:80 unknown-operator "/Statement/0/Condition/NullIfExists"
            `Null` cannot take `IfExists`
            hint: `Null` asks whether the key is present; remove `IfExists`
        "#]],
    );
}

#[test]
fn an_operator_twice_in_different_case() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": {"StringLike": {"a": "x"}, "stringlike": {"b": "x"}}}]}"#,
        expect![[r#"
            2:106 duplicate-key "/Statement/0/Condition/stringlike"
            `stringlike` differs only in case from `StringLike` at 2:80
            hint: remove one of the two, or make them one
        "#]],
    );
}

#[test]
fn a_key_twice_in_different_case() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": {"StringLike": {"aws:SourceVpc": "x", "aws:sourceVpc": "y"}}}]}"#,
        expect![[r#"
            2:117 duplicate-key "/Statement/0/Condition/StringLike/aws:sourceVpc"
            `aws:sourceVpc` differs only in case from `aws:SourceVpc` at 2:95
            hint: remove one of the two, or make them one
        "#]],
    );
}

#[test]
fn a_null_value() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": {"StringLike": {"k": null}}}]}"#,
        expect![[r#"
            2:100 wrong-type "/Statement/0/Condition/StringLike/k"
            a value of `k` must be a string, a number or a Boolean, found null
            hint: remove it, or give it a value
        "#]],
    );
}

#[test]
fn an_object_as_value() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": {"StringLike": {"k": [{}]}}}]}"#,
        expect![[r#"
            2:101 wrong-type "/Statement/0/Condition/StringLike/k/0"
            a value of `k` must be a string, a number or a Boolean, found an object
        "#]],
    );
}

#[test]
fn a_null_test_that_is_no_boolean() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": {"Null": {"k": ["true", "${x}"]}}}]}"#,
        expect![[r#"
            2:103 invalid-condition-value "/Statement/0/Condition/Null/k/1"
            `Null` cannot read `${x}`
            hint: `Null` takes `true` (absent) or `false` (present)
        "#]],
    );
}

#[test]
fn an_address_that_is_none() {
    check(
        r#"{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "203.0.113.0/33"]}}}]}"#,
        expect![[r#"
            2:129 invalid-condition-value "/Statement/0/Condition/IpAddress/aws:SourceIp/1"
            `IpAddress` cannot read `203.0.113.0/33`
            hint: an address is like `203.0.113.7` or `2001:db8::1`, a range like `203.0.113.0/24`
        "#]],
    );
}

// The type of the policy.

#[test]
fn a_principal_in_an_identity_policy() {
    let source =
        r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}"#;
    assert!(parse(source, None).is_ok());
    let error = parse(source, Some(PolicyType::Identity)).unwrap_err();
    expect![[r#"
        1:35 forbidden-element "/Statement/Principal"
        `Principal` in an identity-based policy
        hint: an identity-based policy applies to whoever it is attached to; if this is a resource-based policy, give its type as `resource`
    "#]].assert_eq(&render(&error));
}

#[test]
fn an_identity_policy_as_a_resource_policy() {
    let source = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
    assert!(parse(source, None).is_ok());
    let error = parse(source, Some(PolicyType::Resource)).unwrap_err();
    expect![[r#"
        1:15 missing-element "/Statement"
        the statement has neither `Principal` nor `NotPrincipal`
        hint: each statement of a resource-based policy says whom it is about
    "#]]
    .assert_eq(&render(&error));
}

// Bytes.

#[test]
fn bytes_that_are_not_utf_8() {
    let error = parse_bytes(b"{\"Id\":\n \"\xc3\xa9 \xff\"}", None).unwrap_err();
    expect![[r#"
        2:5 invalid-json ""
        the byte 0xFF at offset 12 is not UTF-8
        hint: save the document as UTF-8
    "#]]
    .assert_eq(&render(&error));
    let error = parse_bytes(b"{\"Id\": \"\xc3", None).unwrap_err();
    expect![[r#"
        1:9 invalid-json ""
        the document ends inside the UTF-8 character at offset 8
        hint: save the document as UTF-8
    "#]]
    .assert_eq(&render(&error));
}

#[test]
fn a_document_in_utf_16() {
    let error = parse_bytes(b"\xff\xfe{\0}\0", None).unwrap_err();
    expect![[r#"
        1:1 invalid-json ""
        the byte 0xFF at offset 0 is not UTF-8
        hint: the document looks like UTF-16: save it as UTF-8
    "#]]
    .assert_eq(&render(&error));
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_document() {
    let policy = parse_bytes(b"\xef\xbb\xbf{\"Statement\": []}", None).unwrap();
    assert_eq!(policy.statements, []);
}

// Sizes.

/// A policy with one statement, in which `element` has `value`.
fn policy_with(element: &str, value: &str) -> String {
    let mut elements = vec![("Effect", r#""Allow""#), ("Action", r#""*""#), ("Resource", r#""*""#)];
    elements.retain(|(name, _)| *name != element);
    elements.push((element, value));
    let members: Vec<_> =
        elements.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
    format!("{{\"Version\": \"2012-10-17\", \"Statement\": {{{}}}}}", members.join(", "))
}

#[test]
fn ten_megabytes_of_nesting() {
    let mut error = parse(&"[".repeat(10 << 20), None).unwrap_err();
    error.path.truncate(12);
    expect![[r#"
        1:65 too-large "/0/0/0/0/0/0"
        nested more than 64 levels deep
    "#]]
    .assert_eq(&render(&error));
    let mut error = parse(&"{\"\":".repeat(2 << 20), None).unwrap_err();
    error.path.truncate(12);
    expect![[r#"
        1:257 too-large "////////////"
        nested more than 64 levels deep
    "#]]
    .assert_eq(&render(&error));
}

#[test]
fn the_deepest_nesting_is_read() {
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(parse(&nested(MAX_DEPTH), None).unwrap_err().code, Code::WrongType);
    assert_eq!(parse(&nested(MAX_DEPTH + 1), None).unwrap_err().code, Code::TooLarge);
}

#[test]
fn a_document_above_the_limit() {
    let error = parse(&" ".repeat(MAX_SOURCE_BYTES + 1), None).unwrap_err();
    expect![[r#"
        1:1 too-large ""
        the document has 16777217 bytes; the limit is 16777216
    "#]]
    .assert_eq(&render(&error));
}

#[test]
fn a_hundred_thousand_statements() {
    let policy = |n| {
        let statement = r#"{"Effect":"Allow","Action":"a:b","Resource":"*"}"#;
        format!("{{\"Statement\":[{}]}}", vec![statement; n].join(","))
    };
    check(
        &policy(100_000),
        expect![[r#"
            1:2 too-large "/Statement"
            the policy has 100000 statements; the limit is 20000
        "#]],
    );
    assert_eq!(parse(&policy(MAX_STATEMENTS), None).unwrap().statements.len(), MAX_STATEMENTS);
}

#[test]
fn a_document_with_too_many_values() {
    let mut error = parse(&format!("[{}0]", "0,".repeat(2_000_000)), None).unwrap_err();
    error.path.truncate(12);
    expect![[r#"
        1:2000000 too-large "/999999"
        the document has more than 1000000 values
    "#]]
    .assert_eq(&render(&error));
}

#[test]
fn a_list_with_too_many_entries() {
    let list = |n| format!("[{}]", vec![r#""a:b""#; n].join(","));
    check(
        &policy_with("Action", &list(MAX_ENTRIES + 1)),
        expect![[r#"
            1:87 too-large "/Statement/Action"
            `Action` has 100001 entries; the limit is 100000
        "#]],
    );
    assert!(parse(&policy_with("Action", &list(MAX_ENTRIES)), None).is_ok());
}

#[test]
fn ten_thousand_stars() {
    let stars = "*".repeat(10_000);
    check(
        &policy_with("Action", &format!("\"s3:{stars}\"")),
        expect![[r#"
            1:87 too-large "/Statement/Action"
            a pattern with 10000 wildcards; the limit is 1000
        "#]],
    );
    check(
        &policy_with("Resource", &format!("[\"*\", \"{stars}\"]")),
        expect![[r#"
            1:93 too-large "/Statement/Resource/1"
            a pattern with 10000 wildcards; the limit is 1000
        "#]],
    );
    let condition = |operator: &str| format!("{{\"{operator}\": {{\"k\": \"{stars}\"}}}}");
    check(
        &policy_with("Condition", &condition("StringLike")),
        expect![[r#"
            1:126 too-large "/Statement/Condition/StringLike/k"
            a pattern with 10000 wildcards; the limit is 1000
        "#]],
    );
    // Where `*` is no wildcard there is no limit on it.
    assert!(parse(&policy_with("Condition", &condition("StringEquals")), None).is_ok());
}

#[test]
fn a_value_that_is_too_long() {
    let value = format!("{{\"StringEquals\": {{\"k\": \"{}\"}}}}", "é".repeat(20_000));
    check(
        &policy_with("Condition", &value),
        expect![[r#"
            1:128 too-large "/Statement/Condition/StringEquals/k"
            a text of 20000 characters in a condition; the limit is 16384
        "#]],
    );
    let resource = format!("\"arn:aws:s3:::{}\"", "x".repeat(20_000));
    check(
        &policy_with("Resource", &resource),
        expect![[r#"
            1:87 too-large "/Statement/Resource"
            a text of 20013 characters in `Resource`; the limit is 16384
        "#]],
    );
}

#[test]
fn a_message_stays_short_whatever_it_quotes() {
    let resource = format!("\"{}\"", "x".repeat(10_000));
    check(
        &policy_with("Resource", &resource),
        expect![[r#"
            1:87 invalid-resource "/Statement/Resource"
            `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…` is not a resource
            hint: a resource is `*` or an ARN, such as `arn:aws:s3:::bucket/*`
        "#]],
    );
}

// What is accepted, though it looks odd.

#[test]
fn odd_policies_that_have_a_meaning_are_read() {
    for (element, value) in [
        ("Action", "[]"),
        ("Resource", "[]"),
        ("Principal", "{}"),
        ("Principal", r#"{"AWS": []}"#),
        ("Action", r#""s3:""#),
        ("Action", r#""**""#),
        ("Action", r#"["*:Get*", "s3: x,"]"#),
        ("Resource", r#""arn:aws:s3""#),
        ("Resource", r#""execute-api:/*""#),
        ("Condition", "{}"),
        ("Condition", r#"{"stringequals": {}}"#),
        ("Condition", r#"{"StringEquals": {"k": []}}"#),
        ("Condition", r#"{"StringEquals": {"k": "x"}, "StringEqualsIfExists": {"K": "x"}}"#),
        ("Condition", r#"{"Bool": {"k": "${aws:SecureTransport}"}}"#),
        ("Condition", r#"{"NotIpAddress": {"k": "${aws:SourceIp}"}}"#),
        ("Condition", r#"{"NumericLessThan": {"k": "many"}}"#),
        ("Sid", r#""""#),
    ] {
        let source = policy_with(element, value);
        assert_eq!(parse(&source, None).map(|_| ()), Ok(()), "{source}");
    }
}

// Whatever the input.

const PIECES: [&str; 34] = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\\",
    " ",
    "\n",
    "null",
    "0",
    "\"*\"",
    "\"Statement\"",
    "\"Effect\"",
    "\"Allow\"",
    "\"Deny\"",
    "\"Action\"",
    "\"NotAction\"",
    "\"Resource\"",
    "\"Principal\"",
    "\"AWS\"",
    "\"Condition\"",
    "\"StringLike\"",
    "\"IpAddress\"",
    "\"arn:aws:s3:::b\"",
    "\"s3:Get*\"",
    "${",
    "${x, 'y'}",
    "'",
    "é",
    "\u{feff}",
    "\\u00",
    "*",
];

const POLICY: &str = r#"{"Version": "2012-10-17", "Id": "é", "Statement": [{"Sid": "a",
    "Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::111122223333:role/x", "111122223333"],
    "Service": "s3.amazonaws.com"}, "Action": ["s3:Get*", "s3:Put?"],
    "Resource": "arn:aws:s3:::b/${aws:username, 'none'}/${*}", "Condition": {
    "ForAnyValue:StringLike": {"aws:TagKeys": ["a*", "b"]}, "Bool": {"aws:SecureTransport": true},
    "NotIpAddressIfExists": {"aws:SourceIp": "203.0.113.0/24"}, "NumericLessThan": {"n": 5.0}}}]}"#;

/// Checks what is true of every outcome: no panic, and an error's place is in the text.
#[track_caller]
fn check_any(source: &str) {
    for policy_type in [None, Some(PolicyType::Identity), Some(PolicyType::Resource)] {
        let Err(error) = parse(source, policy_type) else { continue };
        let (start, end) = (error.span.start as usize, error.span.end as usize);
        assert!(start <= end, "{error:?} in {source:?}");
        assert!(source.get(start..end).is_some(), "{error:?} in {source:?}");
        assert!(
            error.position <= Position::of(source, error.span.start),
            "{error:?} in {source:?}"
        );
        assert!(!error.message.ends_with('.') && !error.message.contains('\n'), "{error:?}");
    }
}

#[test]
fn no_sequence_of_pieces_makes_the_parser_panic() {
    keyaki_testing::arbtest(|u| {
        let mut source = String::new();
        for _ in 0..u.int_in_range(0..=40)? {
            source.push_str(u.choose(&PIECES)?);
        }
        check_any(&source);
        Ok(())
    });
}

#[test]
fn no_damage_to_a_policy_makes_the_parser_panic() {
    assert!(parse(POLICY, None).is_ok());
    keyaki_testing::arbtest(|u| {
        let mut chars: Vec<char> = POLICY.chars().collect();
        for _ in 0..u.int_in_range(1..=4)? {
            let (left, right) = (u.choose_index(chars.len())?, u.choose_index(chars.len())?);
            match u.int_in_range(0..=3)? {
                0 => drop(chars.remove(left)),
                1 => chars.swap(left, right),
                2 => drop(chars.splice(left..left, u.choose(&PIECES)?.chars())),
                _ => drop(chars.drain(left.min(right)..(left.min(right) + 9).min(left.max(right)))),
            }
        }
        check_any(&chars.into_iter().collect::<String>());
        Ok(())
    });
}

#[test]
fn no_bytes_make_the_parser_panic() {
    keyaki_testing::arbtest(|u| {
        let bytes: Vec<u8> = u.arbitrary()?;
        if let Err(error) = parse_bytes(&bytes, None) {
            assert!(error.span.end as usize <= bytes.len(), "{error:?} in {bytes:?}");
        }
        Ok(())
    });
}
