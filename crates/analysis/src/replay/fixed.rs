//! Which values that a policy names are fixed, told from their texts.
//!
//! Whether a request has such a value is asked in [`super::public`]. The texts are read character by
//! character, not as patterns: what a pattern means is the evaluator's business.

use keyaki_policy::ast::{BaseOperator, ConditionValue, Operator, Segment, Template};

use crate::public::{Fixed, Part, TrustedKey};

/// Whether whoever has the value is confined: it is fixed, or a part of it that is enough is.
pub(super) fn confines(value: &ConditionValue, operator: Operator, trusted: &TrustedKey) -> bool {
    is_fixed(&value.template, trusted.fixed)
        || trusted.part.is_some_and(|part| part_is_fixed(&value.template, operator, part))
}

/// Whether a value that is named for a trusted key is fixed: no wildcard, whatever the operator, no
/// variable, and none of the values that everybody has. `${*}` is the character.
fn is_fixed(template: &Template, fixed: Fixed) -> bool {
    // Wildcards are kept apart from the characters that they are written with.
    let mut text = String::new();
    let mut has_wildcard = false;
    for segment in &template.segments {
        match segment {
            Segment::Text(piece) => {
                has_wildcard |= piece.contains(['*', '?']);
                text.push_str(piece);
            }
            Segment::Escaped(c) => text.push(*c),
            Segment::Variable { .. } => return false,
        }
    }
    let is_literal = !text.is_empty() && text != "anonymous" && !has_wildcard;
    match fixed {
        Fixed::Literal => is_literal,
        Fixed::NoColon => is_literal && !text.contains(':'),
        Fixed::AccountOfArn => is_literal || has_fixed_account(&text),
        // Whatever is named, it is the request's value that counts.
        Fixed::True => false,
    }
}

/// Whether that part of the value is one that is the same for everybody who has the value.
fn part_is_fixed(template: &Template, operator: Operator, part: Part) -> bool {
    // One character for each variable, and the wildcards, which texts cannot have otherwise.
    const OWNER: char = '\u{e000}';
    const OWNERS_ORGANIZATION: char = '\u{e001}';
    const VARIABLE: char = '\u{e002}';
    const ESCAPED: char = '\u{e003}';
    let mut text = String::new();
    for segment in &template.segments {
        match segment {
            Segment::Text(piece) => text.push_str(piece),
            Segment::Escaped(_) => text.push(ESCAPED),
            Segment::Variable { key, default } => text.push(match key.to_lowercase().as_str() {
                "aws:resourceaccount" if default.is_none() => OWNER,
                "aws:resourceorgid" if default.is_none() => OWNERS_ORGANIZATION,
                _ => VARIABLE,
            }),
        }
    }
    let is_open = |c: char| ['*', '?', VARIABLE, OWNER, OWNERS_ORGANIZATION].contains(&c);
    match part {
        Part::Owner => text == OWNER.to_string(),
        Part::OwnersOrganization => text == OWNERS_ORGANIZATION.to_string(),
        Part::Organization => {
            let id = text.split_once('/').map(|(id, _)| id);
            id.is_some_and(|id| !id.is_empty() && !id.contains(is_open))
        }
        Part::Account => {
            let fields: Vec<&str> = text.splitn(6, ':').collect();
            let ["arn", before @ .., account, _] = fields.as_slice() else { return false };
            let is_of_arns = matches!(
                operator.base,
                BaseOperator::ArnEquals
                    | BaseOperator::ArnLike
                    | BaseOperator::ArnNotEquals
                    | BaseOperator::ArnNotLike
            );
            // A wildcard of an ARN operator stays in its field; a variable's value need not.
            let may_shift = |c: char| match c {
                '*' | '?' => !is_of_arns,
                other => is_open(other) && other != OWNER,
            };
            before.len() == 3
                && !before.iter().any(|field| field.contains(may_shift))
                && (*account == OWNER.to_string()
                    || (account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())))
        }
    }
}

/// Whether the text is an ARN pattern of one account: its wildcards, if any, are all behind the
/// fifth colon.
fn has_fixed_account(text: &str) -> bool {
    let fields: Vec<_> = text.splitn(6, ':').collect();
    let [arn, partition, service, region, account, _] = fields.as_slice() else { return false };
    *arn == "arn"
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && ![partition, service, region].iter().any(|field| field.contains(['*', '?']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::public::KeyName;

    /// Whether a value, whose variables are written as in a policy, confines under `ArnLike` and under
    /// `StringLike`.
    fn check(text: &str, part: Part, expected: [bool; 2]) {
        let mut segments = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            segments.extend((!before.is_empty()).then(|| Segment::Text(before.to_owned())));
            let (key, after) = after.split_once('}').unwrap();
            segments.push(Segment::Variable { key: key.to_owned(), default: None });
            rest = after;
        }
        segments.extend((!rest.is_empty()).then(|| Segment::Text(rest.to_owned())));
        let template = Template { segments };
        let is_fixed = [BaseOperator::ArnLike, BaseOperator::StringLike].map(|base| {
            part_is_fixed(&template, Operator { set: None, base, if_exists: false }, part)
        });
        assert_eq!(is_fixed, expected, "{text}");
    }

    #[test]
    fn an_account_is_a_fixed_part_unless_something_before_it_may_be_a_colon() {
        for (text, expected) in [
            ("arn:aws:iam::111122223333:role/*", [true, true]),
            ("arn:aws:iam::111122223333:*", [true, true]),
            ("arn:aws:sns:*:111122223333:t", [true, false]),
            ("arn:*:sns:us-?:111122223333:t", [true, false]),
            ("arn:aws:iam::${aws:ResourceAccount}:role/*", [true, true]),
            ("arn:aws:iam::111122223333:user/${aws:username}", [true, true]),
            ("arn:aws:${aws:username}::111122223333:t", [false, false]),
            ("arn:aws:iam::${aws:PrincipalAccount}:role/*", [false, false]),
            ("arn:aws:iam::11112222333?:role/r", [false, false]),
            ("arn:aws:iam::1111222233334:role/r", [false, false]),
            ("arn:aws:iam::*:role/r", [false, false]),
            ("arn:aws:s3:::b*", [false, false]),
            ("*:aws:iam::111122223333:role/r", [false, false]),
            ("arn:aws:iam::111122223333", [false, false]),
            ("", [false, false]),
        ] {
            check(text, Part::Account, expected);
        }
    }

    #[test]
    fn an_organisation_is_a_fixed_part_before_the_first_slash() {
        for (text, is_fixed) in [
            ("o-a/*", true),
            ("o-a/r-1/ou-*/", true),
            ("o-*/r-1/", false),
            ("o-a*", false),
            ("/r-1/", false),
            ("${aws:PrincipalOrgID}/*", false),
            ("*", false),
        ] {
            check(text, Part::Organization, [is_fixed; 2]);
        }
    }

    #[test]
    fn what_stands_for_the_owner_is_fixed_as_a_whole() {
        for (text, of_account, of_organisation) in [
            ("${aws:ResourceAccount}", true, false),
            ("${AWS:resourceaccount}", true, false),
            ("${aws:ResourceOrgID}", false, true),
            ("${aws:ResourceAccount}*", false, false),
            ("${aws:PrincipalAccount}", false, false),
            ("111122223333", false, false),
        ] {
            check(text, Part::Owner, [of_account; 2]);
            check(text, Part::OwnersOrganization, [of_organisation; 2]);
        }
    }

    #[test]
    fn a_part_counts_only_where_the_reading_has_parts() {
        let value = ConditionValue {
            template: Template::text("o-a/*"),
            span: keyaki_policy::span::Span { start: 0, end: 0 },
        };
        let operator = Operator { set: None, base: BaseOperator::StringLike, if_exists: false };
        for (part, expected) in [(None, false), (Some(Part::Organization), true)] {
            let key = KeyName::Is("aws:principalorgpaths".to_owned());
            let trusted = TrustedKey { key, fixed: Fixed::Literal, part };
            assert_eq!(confines(&value, operator, &trusted), expected);
        }
    }
}
