//! Certificates of statements, those of `corpus/certificates/statements`: right ones are accepted, and damaged ones only if they still show the same.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use keyaki_verify::{MAX_BYTES_OF_STATEMENTS, certificate, verify};

/// Damages that are tried of each certificate.
const DAMAGES: usize = 2000;

fn certificates() -> Vec<(String, String)> {
    let all = common::certificates("certificates/statements");
    assert!(all.len() >= 4, "one for each question");
    all
}

/// The query and the table of a certificate.
fn parts(text: &str) -> (&str, &str) {
    let (_, rest) = text.split_once("\nquery ").unwrap();
    let (_, rest) = rest.split_once('\n').unwrap();
    let (query, rest) = rest.split_once("proof\n").unwrap();
    (query, rest.strip_suffix("end\n").unwrap())
}

/// A comparison of statements, by the lines of `existing`, of `new` and of the table.
fn compared(question: &str, existing: &str, new: &str, table: &str) -> Result<usize, String> {
    let sides = format!("side existing\n{existing}side new\n{new}");
    let found = certificate(&format!("question {question}\ntype resource\n{sides}"), table);
    found.map(|(verified, _)| verified.n_steps).map_err(|rejection| rejection.to_string())
}

/// Whether one Allow statement is shown to be covered by another, whose actions are `"s3:*"` unless they are named.
#[track_caller]
fn covered(existing: &str, new: &str, expected: bool) {
    let allow = |lines: &str| match lines.contains("action") {
        true => format!("allow\n{lines}"),
        false => format!("allow\naction \"s3:*\"\n{lines}"),
    };
    let found = compared("no-new-access", &allow(existing), &allow(new), "covered 1 0 *\n");
    assert_eq!(found.is_ok(), expected, "{new} by {existing}: {found:?}");
}

#[test]
fn right_ones_are_accepted() {
    for (name, text) in certificates() {
        let verified = verify(text.as_bytes()).unwrap_or_else(|r| panic!("{name}: {r}"));
        assert!(text.contains(&verified.query) && verified.parts.is_empty(), "{name}");
        let question = text.lines().nth(2).unwrap().strip_prefix("question ");
        assert_eq!(verified.property.as_deref(), question, "{name}");
        let (query, table) = parts(&text);
        assert_eq!(certificate(query, table).unwrap(), (verified, text.clone()), "{name}");
    }
}

/// A change of the query has another hash; a change of the table shows the same of it, or is rejected.
#[test]
fn damaged_ones_are_rejected_or_show_the_same() {
    let (mut n_rejected, mut n_accepted) = (0, 0);
    let mut state = 1_u64;
    let mut below = |bound: usize| {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (state >> 33) as usize % bound
    };
    for (name, text) in certificates() {
        let query = verify(text.as_bytes()).unwrap().query;
        for _ in 0..DAMAGES {
            let (at, other) = (below(text.len()), below(text.len()));
            let mut bytes = text.clone().into_bytes();
            match below(4) {
                0 => bytes[at] ^= 1 << below(7),
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, bytes[at]),
                _ => bytes.swap(at, other),
            }
            if bytes == text.as_bytes() {
                continue;
            }
            match verify(&bytes) {
                Err(_) => n_rejected += 1,
                Ok(verified) => {
                    assert_eq!(verified.query, query, "{name}");
                    n_accepted += 1;
                }
            }
        }
        for (at, _) in text.char_indices() {
            assert!(verify(&text.as_bytes()[..at]).is_err(), "{name}: up to byte {at}");
        }
    }
    assert!(20 * n_accepted < n_rejected, "{n_accepted} accepted, {n_rejected} rejected");
}

#[test]
fn every_row_counts_and_is_of_one_query() {
    let all = certificates();
    for (name, text) in &all {
        let (query, table) = parts(text);
        let rows: Vec<&str> = table.split_inclusive('\n').collect();
        assert!(certificate(query, "").is_err(), "{name}");
        for at in 0..rows.len() {
            let others = [&rows[..at], &rows[at + 1..]].concat().concat();
            let is_needed = certificate(query, &others).is_err();
            // That a statement is denied may be more than has to be known.
            assert!(is_needed || rows[at].starts_with("denied"), "{name} without {}", rows[at]);
        }
        for (other, text) in all.iter().filter(|(other, _)| other != name) {
            let table = parts(text).1;
            // Nothing has to be shown of what has nothing in common with anything.
            assert!(table.is_empty() || certificate(query, table).is_err(), "{name} by {other}");
        }
    }
}

#[test]
fn actions_are_compared_as_whole_texts() {
    covered(r#"action "s3:*""#.trim(), "action \"s3:get*\"\n", false);
    covered("action \"s3:*\"\n", "action \"s3:get*\" \"s3:p?t\"\n", true);
    covered("action \"s3:get*\"\n", "action \"s3:*\"\n", false);
    covered("action \"*\"\n", "not-action \"s3:*\"\n", true);
    covered("not-action \"s3:*\"\n", "action \"sqs:*\"\n", true);
    covered("not-action \"s3:*\"\n", "action \"s*:*\"\n", false);
    covered("not-action \"s3:get*\"\n", "not-action \"s3:*\" \"sqs:*\"\n", true);
    covered("not-action \"s3:*\" \"sqs:*\"\n", "not-action \"s3:*\"\n", false);
    covered("action\n", "action \"s3:*\"\n", false);
    covered("action \"s3:*\"\n", "action\n", true);
}

#[test]
fn resources_are_compared_field_by_field() {
    let check = |wide: &str, narrow: &str, expected: bool| {
        covered(&format!("resource {wide}\n"), &format!("resource {narrow}\n"), expected);
    };
    check(r#""arn:aws:sqs:*:1:q*""#, r#""arn:aws:sqs:us:1:q:r""#, true);
    check(r#""arn:aws:sqs:*:1:q""#, r#""arn:aws:sqs:us:1:1:q""#, false);
    check(r#""arn:aws:s3:::a?""#, r#""arn:aws:s3:::a*""#, false);
    check(r#""*""#, r#""arn:aws:s3:::a" "*""#, true);
    check(r#""arn:*:*:*:*:*""#, r#""*""#, false);
    // Case counts, and what has less than six fields is read by nothing but the same.
    check(r#""arn:aws:s3:::A*""#, r#""arn:aws:s3:::a""#, false);
    check(r#""arn:aws:s3*""#, r#""arn:aws:s3:::a""#, false);
    check(r#""arn:aws:s3*""#, r#""arn:aws:s3*""#, true);
    check(r#""arn:aws:s3*" "arn:aws:s3:::a""#, r#""arn:aws:s3:::a""#, false);
    check(r#""execute-api:/a:b:c:d:*""#, r#""execute-api:/a:b:c:d:e""#, false);
    // Variables are texts, and spoil what stands beside them.
    let variable = r#"$"arn:aws:s3:::${aws:username}""#;
    check(variable, variable, true);
    check(r#""arn:aws:s3:::*""#, variable, false);
    check(&format!(r#"{variable} "arn:aws:s3:::a""#), r#""arn:aws:s3:::a""#, false);
    check(r#""*""#, variable, true);
    covered("", "resource \"*\"\n", true);
    covered("resource \"*\"\n", "", true);
    covered("resource \"arn:aws:s3:::*\"\n", "", false);
    covered("not-resource \"arn:aws:s3:::a\"\n", "resource \"arn:aws:s3:::b\"\n", true);
    covered("not-resource \"arn:aws:s3:::a*\"\n", "resource \"arn:aws:s3:::*b\"\n", false);
    covered("not-resource \"arn:aws:s3:::a\"\n", &format!("resource {variable}\n"), false);
}

#[test]
fn principals_are_compared_by_kind_and_account() {
    let check = |wide: &str, narrow: &str, expected: bool| {
        covered(&format!("principal {wide}\n"), &format!("principal {narrow}\n"), expected);
    };
    let user = r#"user"arn:aws:iam::111122223333:user/a""#;
    let of_account = r#"account"111122223333""#;
    check("all", user, true);
    check("all", "aws", true);
    check("aws", "all", false);
    check("aws", of_account, true);
    check("aws", r#"service"a.amazonaws.com""#, false);
    check("aws", r#"provider"a""#, false);
    check(of_account, user, true);
    check(of_account, r#"root"arn:aws:iam::111122223333:root""#, true);
    let root = r#"root"arn:aws:iam::111122223333:root""#;
    check(root, user, true);
    check(root, r#"session"arn:aws:sts::111122223333:assumed-role/r/s""#, true);
    check(root, r#"user"arn:aws-cn:iam::111122223333:user/a""#, false);
    check(root, r#"user"arn:aws:iam::111122223334:user/a""#, false);
    check(root, of_account, false);
    check(root, r#"id"AIDA111122223333""#, false);
    check(root, r#"service"111122223333""#, false);
    // What is no ARN is of no account.
    check(r#"root"a""#, r#"service"a""#, false);
    check(r#"root"a""#, r#"user"a""#, false);
    check(r#"account"a""#, r#"user"a""#, false);
    check(of_account, r#"user"arn:aws:iam::111122223334:user/a""#, false);
    check(of_account, r#"id"AIDA111122223333""#, false);
    check(user, user, true);
    check(user, &format!("{user} all"), false);
    check(&format!("all {user}"), user, true);
    covered(&format!("not-principal {user}\n"), &format!("not-principal {user}\n"), true);
    covered(&format!("not-principal {user}\n"), &format!("principal {of_account}\n"), false);
    covered("not-principal all\n", &format!("principal {user}\n"), false);
    covered("", &format!("principal {user}\n"), true);
    covered(&format!("principal {user}\n"), "", false);
    covered("principal all\n", "", true);
}

#[test]
fn conditions_are_implied_one_by_one() {
    let check = |wide: &str, narrow: &str, expected: bool| {
        covered(&format!("when {wide}\n"), &format!("when {narrow}\n"), expected);
    };
    check(r#"StringEquals "k" "a" "b""#, r#"StringEquals "k" "b""#, true);
    check(r#"StringEquals "k" "a""#, r#"StringEquals "k" "a" "b""#, false);
    check(r#"StringNotEquals "k" "a""#, r#"StringNotEquals "k" "b" "a""#, true);
    check(r#"StringNotEquals "k" "a" "b""#, r#"StringNotEquals "k" "a""#, false);
    check(r#"StringLike "k" "a*""#, r#"StringLike "k" "ab*""#, true);
    check(r#"StringLike "k" "a*""#, r#"StringEquals "k" "ab""#, true);
    check(r#"StringLike "k" "a*""#, r#"StringEquals "k" "a*""#, false);
    check(r#"StringEquals "k" "ab""#, r#"StringLike "k" "ab""#, false);
    check(r#"StringNotLike "k" "ab*""#, r#"StringNotLike "k" "a*""#, false);
    check(r#"ArnLike "k" "arn:*""#, r#"ArnLike "k" "arn:a""#, false);
    check(r#"NumericLessThan "k" "1" "2""#, r#"NumericLessThan "k" "2""#, true);
    check(r#"StringEqualsIfExists "k" "a""#, r#"StringEquals "k" "a""#, true);
    check(r#"StringEquals "k" "a""#, r#"StringEqualsIfExists "k" "a""#, false);
    check(r#"StringNotEqualsIfExists "k" "a""#, r#"StringNotEquals "k" "a""#, false);
    check(
        r#"ForAnyValue:StringEqualsIfExists "k" "a""#,
        r#"ForAnyValue:StringEquals "k" "a""#,
        false,
    );
    check(r#"ForAllValues:StringLike "k" "*a""#, r#"ForAllValues:StringLike "k" "ba""#, true);
    check(r#"ForAllValues:StringLike "k" "*a""#, r#"ForAnyValue:StringLike "k" "ba""#, false);
    check(r#"Null "k" "true" "false""#, r#"Null "k" "true""#, false);
    check(r#"Null "k" "true""#, r#"Null "k" "true""#, true);
    check(r#"StringEquals "k""#, r#"StringEquals "k""#, true);
    check(r#"StringEquals "k" "a""#, r#"StringEquals "k""#, false);
    check(r#"StringEquals "k" "a""#, r#"StringEquals "l" "a""#, false);
    check(r#"StringEquals "k" "a" $"${v}""#, r#"StringEquals "k" "a""#, false);
    check(r#"StringNotEquals "k" "a""#, r#"StringNotEquals "k" "a" $"${v}""#, false);
    check(r#"StringEquals "k" $"${v}""#, r#"StringEquals "k" $"${v}""#, true);
    covered("", "when StringEquals \"k\" \"a\"\n", true);
    covered("when StringEquals \"k\" \"a\"\n", "", false);
}

#[test]
fn a_condition_has_no_negation_but_in_its_operator() {
    let found = compared("no-new-access", "", "deny\nnot-when Null \"k\" \"true\"\n", "");
    assert_eq!(found.unwrap_err(), "line 8: `not-when` is no line of a statement");
}

/// A statement with an empty list matches nothing; one that excludes an empty list matches whatever there is.
#[test]
fn what_matches_nothing_needs_no_row_and_stands_in_no_way() {
    for list in ["principal", "action", "resource"] {
        let void = compared("no-new-access", "", &format!("allow\n{list}\n"), "");
        assert_eq!(void, Ok(0), "{list}");
        let all = compared("no-new-access", "", &format!("allow\nnot-{list}\n"), "");
        assert!(all.unwrap_err().contains("statement 0 is not covered by the rows"));
        let denied = |list: &str| {
            let existing = format!("allow\ndeny\n{list}\n");
            compared("no-new-access", &existing, "allow\n", "covered 2 0 *\n").is_ok()
        };
        assert!(denied(list) && !denied(&format!("not-{list}")), "{list}");
    }
}

/// Of a list that excludes, a row of single actions says that none of its entries has anything in common with them.
#[test]
fn single_actions_are_covered_by_a_list_that_excludes_others() {
    let row = |action: &str| {
        let (existing, new) =
            ("allow\nnot-action \"s3:get*\"\n", format!("allow\naction \"{action}\"\n"));
        compared("no-new-access", existing, &new, "covered 1 0 * 0-0@0\n").is_ok()
    };
    assert!(row("sqs:*") && row("s3:list*"));
    assert!(!row("s3:getobject") && !row("s3:get*") && !row("s3:*"));
}

const GET: &str = "allow\naction \"s3:getobject\" \"s3:listbucket\"\nresource \"arn:aws:s3:::a\" \"arn:aws:s3:::b\"\n";

#[test]
fn several_statements_cover_one_if_each_pair_is_in_some_row() {
    let of = |action: &str, resource: &str| {
        format!("allow\naction \"s3:{action}\"\nresource \"arn:aws:s3:::{resource}\"\n")
    };
    let existing = [of("get*", "*"), of("list*", "a"), of("*", "b")].concat();
    let check = |table: &str, reason: &str| match compared("no-new-access", &existing, GET, table) {
        Ok(_) => assert_eq!(reason, "", "{table}"),
        Err(rejection) => assert!(!reason.is_empty() && rejection.contains(reason), "{rejection}"),
    };
    check("covered 3 0 * 0-0@0\ncovered 3 1 0 1-1@0\ncovered 3 2 1 1-1@0\n", "");
    check("covered 3 0 0,1 0-0@0\ncovered 3 1 0 1-1@0\ncovered 3 2 1 1-1@0\n", "");
    check("covered 3 0 * 0-0@0\ncovered 3 1 0 1-1@0\n", "statement 3 is not covered by the rows");
    check("covered 3 0 * 0-1@0\n", "action 1 of statement 3 is not there in 0");
    check("covered 3 0 * 0-0@1\n", "action 0 of statement 3 is not there in 0");
    check("covered 3 1 1 1-1@0\n", "1 has not these resources of statement 3");
    check("covered 3 1 2 1-1@0\n", "1 has not these resources of statement 3");
    check("covered 3 1 0,64 1-1@0\n", "1 has not these resources of statement 3");
    check("covered 3 1 * 1-1@0\n", "1 has not these resources of statement 3");
    check("covered 3 0 *\n", "0 has not all actions of statement 3");
    check("covered 3 0 * 0-1@18446744073709551615\n", "action 0 of statement 3 is not there in 0");
    check("covered 3 0 * 0-2@0\n", "statement 3 has no such actions");
    check("covered 3 0 * 1-0@0\n", "statement 3 has no such actions");
    check("covered 3 0 * 0\n", "`0` is no run of actions");
    check("covered 3 3 *\n", "3 covers nothing of statement 3");
    check("covered 0 3 *\n", "3 has not these resources of statement 0");
    check("covered 3 9 *\n", "line 20: there is no statement 9");
    check("given 3\n", "`given` is no row");
    // A variable without a value may spoil the list that it stands in.
    let spoilt = GET.replace("\"arn:aws:s3:::b\"", "$\"${a}\"");
    let row = compared("no-new-access", &spoilt, GET, "covered 1 0 0 0-1@0\n");
    assert!(row.unwrap_err().contains("0 has not these resources of statement 1"));
    // More than 64 resources are not told apart: a row about each of these says nothing of the last.
    let resources: String = (0..65).map(|n| format!(" \"arn:aws:s3:::{n}\"")).collect();
    let all_but_last = resources.rsplit_once(' ').unwrap().0;
    let of = |resources: &str| format!("allow\naction \"s3:*\"\nresource{resources}\n");
    let places = (0..64).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let many = |table: &str| compared("no-new-access", &of(all_but_last), &of(&resources), table);
    let reason = "0 has not these resources of statement 1";
    assert!(many(&format!("covered 1 0 {places} 0-0@0\n")).unwrap_err().contains(reason));
    assert!(many("covered 1 0 * 0-0@0\n").unwrap_err().contains(reason));
    // Rows count together only while they stand together.
    let equivalent = |table: &str| compared("equivalent", GET, "as 0\n", table);
    let (one, other, whole) = ("covered 1 0 0 0-1@0\n", "covered 1 0 1 0-1@0\n", "covered 0 1 *\n");
    assert_eq!(equivalent(&[one, other, whole].concat()), Ok(3));
    let apart = equivalent(&[one, whole, other].concat());
    assert!(apart.unwrap_err().contains("statement 1 is not covered by the rows"));
}

#[test]
fn a_deny_of_the_other_side_has_to_be_denied_as_well_or_to_be_about_something_else() {
    let deny = |action: &str, resource: &str| {
        format!("deny\naction \"s3:{action}\"\nresource \"arn:aws:s3:::{resource}\"\n")
    };
    let check = |denies: &str, more: &str, table: &str, expected: bool| {
        let found = compared(
            "no-new-access",
            &format!("{GET}{denies}"),
            &format!("as 0\n{more}"),
            &format!("covered 2 0 *\n{table}"),
        );
        assert_eq!(found.is_ok(), expected, "{denies} {found:?}");
    };
    check(&deny("get*", "a"), "", "", false);
    check(&deny("put*", "a"), "", "", true);
    check(&deny("get*", "c"), "", "", true);
    check(&deny("*", "c*"), "", "", true);
    check(&deny("*", "*c"), "", "", true);
    check(&deny("l*", "?"), "", "", false);
    check("deny\naction\n", "", "", true);
    check("deny\nnot-action \"s3:*\"\n", "", "", true);
    check("deny\nnot-action \"s3:get*\"\n", "", "", false);
    let (narrow, wide) = (deny("get*", "a"), deny("g*", "a*"));
    check(&narrow, &wide, "denied 1 3\n", true);
    check(&wide, &narrow, "denied 1 3\n", false);
    check(&narrow, &wide, "denied 1 2\n", false);
    check(&narrow, &wide, "", false);
    // It is enough that a Deny includes what the statement and the other Deny both match.
    let all = "deny\naction \"s3:*\"\n";
    let (a, b) =
        ("resource \"arn:aws:s3:::a\" \"arn:aws:s3:::b\"\n", "resource \"arn:aws:s3:::a\"\n");
    let when = "when Null \"k\" \"true\"\n";
    check(all, &format!("{all}{a}"), "denied 2 3 1\n", true);
    check(all, &format!("{all}{a}"), "", false);
    check(all, &format!("{all}{b}"), "denied 2 3 1\n", false);
    check(all, &format!("{all}{a}{when}"), "denied 2 3 1\n", false);
    check(&format!("{all}{when}"), &format!("{all}{a}{when}"), "denied 2 3 1\n", true);
    check(all, &format!("{all}{a}"), "denied 0 3 1\n", false);
    // What includes both has to be a Deny.
    check(all, "as 0\n", "covered 3 0 *\ndenied 2 3 1\ndenied 3 2 1\n", false);
    check(all, &format!("{all}{a}"), "denied 2 1 3\n", false);
    check(all, &format!("{all}{a}"), "denied 1 3 2\n", false);
    check(all, &format!("deny\nprincipal aws\naction \"s3:*\"\n{a}"), "denied 2 3 1\n", false);
    // Whom it covers is enough if it is so of either, as is what it is about.
    let by = "principal account\"1\"\n";
    check(&format!("{all}{by}"), &format!("{all}{by}"), "denied 2 3 1\n", true);
    check(all, &format!("{all}{by}"), "denied 2 3 1\n", false);
    // A list with variables is apart from what it lists, and from nothing else.
    let [one, other] = ["a", "b"].map(|name| format!("resource $\"arn:aws:s3:::${{{name}}}\"\n"));
    for (listed, expected) in [(&one, true), (&other, false)] {
        let found = compared(
            "no-new-access",
            &format!("allow\n{listed}deny\nnot-{one}"),
            &format!("allow\n{listed}"),
            "covered 2 0 *\n",
        );
        assert_eq!(found.is_ok(), expected, "{found:?}");
    }
    // Or, of its entries, those that the statement may meet.
    let of = |actions: &str, resources: &str| format!("deny\naction \"s3:{actions}\n{resources}");
    let more = r#"resource "arn:aws:s3:::a" "arn:aws:sqs:::q""#.to_owned() + "\n";
    let met = |met: &str, wide: &str, expected: bool| check(met, wide, "denied 2 3 1\n", expected);
    met(&of("g*\" \"sqs:*\"", b), &of("get*\"", ""), false);
    met(&of("getobject\" \"sqs:*\"", b), &of("g*\"", ""), true);
    met(&of("getobject\" \"s*:*\"", b), &of("g*\"", ""), false);
    met(&of("getobject\"", &more), &of("g*\"", b), true);
    met(&of("getobject\"", &more.replace("sqs:::q", "s?:::?")), &of("g*\"", b), false);
    met(&of("g*\"", &more), &of("*\"", &b.replace("\n", " $\"${x}\"\n")), false);
    met(&of("g*\"", &more), &of("*\"", &format!("not-{b}")), false);
    met(&of("g*\"", &format!("not-{more}")), &of("*\"", b), false);
    // What is denied grants nothing, whatever there is on the other side.
    let all = "deny\naction \"s3:*\"\n";
    let found = compared("no-new-access", all, &format!("{GET}{all}"), "denied 1 2\n");
    assert_eq!(found, Ok(1));
    let found = compared("no-new-access", all, GET, "denied 1 0\n");
    assert!(found.unwrap_err().contains("0 settles nothing of statement 1"));
}

#[test]
fn of_equivalent_and_disjoint_both_sides_count() {
    let one = "allow\naction \"s3:getobject\"\nresource \"arn:aws:s3:::a\"\n";
    assert_eq!(compared("equivalent", one, "as 0\n", "covered 1 0 *\ncovered 0 1 *\n"), Ok(2));
    let half = compared("equivalent", one, "as 0\n", "covered 1 0 *\n");
    assert!(half.unwrap_err().contains("statement 0 is not covered"));
    let half = compared("equivalent", GET, one, "covered 1 0 *\ncovered 0 1 *\n");
    assert!(half.unwrap_err().contains("1 has not these resources of statement 0"));
    let apart = |other: &str, table: &str| compared("disjoint", one, other, table).is_ok();
    assert!(apart("allow\naction \"s3:put*\"\n", ""));
    assert!(apart("allow\naction \"s3:*\"\nresource \"arn:aws:s3:::b\"\n", ""));
    assert!(!apart("allow\naction \"s3:*\"\n", ""));
    assert!(apart("allow\naction \"s3:*\"\ndeny\naction \"s3:get*\"\n", "denied 0 2\n"));
    assert!(!apart("allow\naction \"s3:*\"\ndeny\naction \"s3:get*\"\n", ""));
    let by = |principal: &str| format!("allow\nprincipal {principal}\naction \"s3:*\"\n");
    let apart = |a: &str, b: &str| compared("disjoint", &by(a), &by(b), "").is_ok();
    let (account, user) = (r#"account"1""#, r#"user"arn:aws:iam::2:user/a""#);
    assert!(apart(account, r#"account"2""#) && apart(account, r#"root"arn:aws:iam::2:root""#));
    assert!(apart(user, r#"service"a""#) && apart(r#"service"a""#, account));
    assert!(!apart(account, account) && !apart("all", account));
    assert!(!apart(r#"service"a""#, r#"service"b""#) && !apart(r#"id"a""#, account));
    assert!(!apart(r#"canonical"a""#, r#"service"a""#) && !apart(&format!("{account} all"), user));
}

#[test]
fn accesses_are_not_granted_by_what_is_about_something_else() {
    let granted = |policy: &str, access: &str, table: &str| {
        let query = format!(
            "question access-not-granted\ntype identity\nside policy\n{policy}access\n{access}"
        );
        certificate(&query, table).is_err()
    };
    assert!(!granted(GET, "action \"sqs:*\"\n", ""));
    assert!(granted(GET, "action \"s3:*\"\n", ""));
    assert!(!granted(GET, "action \"s3:*\"\nresource \"arn:aws:s3:::c\"\n", ""));
    assert!(granted(GET, "resource \"*\"\n", ""));
    assert!(granted(GET, "", ""));
    assert!(granted("allow\nnot-action \"s3:*\"\n", "action \"sqs:*\"\n", ""));
    assert!(!granted("allow\nnot-action \"s3:*\"\n", "action \"s3:get*\"\n", ""));
    let denied = format!("{GET}deny\naction \"s3:*\"\n");
    assert!(!granted(&denied, "action \"s3:*\"\n", "denied 0 1\n"));
    assert!(granted(&denied, "action \"s3:*\"\n", ""));
    assert!(granted(&denied, "action \"s3:*\"\n", "denied 2 1\n"));
    assert!(granted(&denied, "action \"s3:*\"\n", "denied 0 2\n"));
}

#[test]
fn who_is_let_in_is_confined_by_names_or_values() {
    let trust = "deputy \"s3.amazonaws.com\"\ntrusted one any \"k\"\ntrusted many any \"l\"\ntrusted one no-colon \"id\"\ntrusted one true \"is\"\n";
    let confined = |policy: &str, table: &str| {
        let query = format!(
            "question no-public-access\ntype resource\n{trust}side policy\nallow\n{policy}"
        );
        certificate(&query, table).is_ok()
    };
    let by = |principal: &str| confined(&format!("principal {principal}\n"), "");
    assert!(by(r#"account"1""#) && by(r#"id"a" canonical"b" service"sns.amazonaws.com""#));
    assert!(!by("all") && !by("aws") && !by(r#"provider"a""#) && !by(r#"account"1" all"#));
    assert!(
        !by(r#"service"s3.amazonaws.com""#) && !confined("", "") && confined("principal\n", "")
    );
    assert!(!confined("not-principal account\"1\"\n", ""));
    let when = |condition: &str| confined(&format!("principal all\nwhen {condition}\n"), "");
    for condition in [
        r#"StringEquals "k" "a" "b""#,
        r#"StringLike "k" "a""#,
        r#"ArnLike "k" "arn:a""#,
        r#"ForAnyValue:StringEquals "l" "a""#,
        r#"StringEquals "id" "a""#,
        r#"StringEquals "is" "true""#,
        r#"Bool "is" "true""#,
        r#"ForAnyValue:Bool "is" "true""#,
    ] {
        assert!(when(condition), "{condition}");
    }
    for condition in [
        r#"StringEquals "m" "a""#,
        r#"StringLike "k" "a*""#,
        r#"StringLike "k" "a" "b?""#,
        r#"StringEquals "k" "a" $"${v}""#,
        r#"StringEquals "k""#,
        r#"StringEquals "k" """#,
        r#"StringEquals "k" "anonymous""#,
        r#"StringEqualsIfExists "k" "a""#,
        r#"ForAllValues:StringEquals "l" "a""#,
        r#"StringNotEquals "k" "a""#,
        r#"NumericEquals "k" "1""#,
        r#"Null "k" "false""#,
        r#"StringEquals "id" "a:b""#,
        r#"StringEquals "is" "false""#,
        r#"Bool "is" "false""#,
        r#"Bool "k" "true""#,
        r#"BoolIfExists "is" "true""#,
        r#"ForAllValues:Bool "is" "true""#,
    ] {
        assert!(!when(condition), "{condition}");
    }
    let spared = |deny: &str, condition: &str, table: &str| {
        let policy = "principal all\naction \"s3:get*\"\nresource \"*\"\n";
        confined(&format!("{policy}deny\n{deny}when {condition}\n"), table)
    };
    let all = "principal all\naction \"s3:*\"\nresource \"*\"\n";
    let not_equal = r#"StringNotEquals "k" "a""#;
    assert!(spared(all, not_equal, "spared 0 1\n"));
    assert!(!spared(all, not_equal, "") && !spared(all, not_equal, "spared 0 0\n"));
    assert!(!spared("principal aws\naction \"s3:*\"\n", not_equal, "spared 0 1\n"));
    assert!(!spared("principal all\naction \"s3:getobject\"\n", not_equal, "spared 0 1\n"));
    for condition in [
        r#"StringNotEquals "l" "a""#,
        r#"StringNotEqualsIfExists "k" "a""#,
        r#"ForAllValues:StringNotEquals "k" "a""#,
        r#"StringEquals "k" "a""#,
        r#"StringNotLike "k" "a*""#,
        "StringNotEquals \"k\" \"a\"\nwhen Bool \"b\" \"true\"",
    ] {
        assert!(!spared(all, condition, "spared 0 1\n"), "{condition}");
    }
    assert!(spared(all, r#"StringNotLike "k" "a""#, "spared 0 1\n"));
    // What is denied lets nobody in.
    let denied = |deny: &str| {
        let policy = "principal all\naction \"s3:get*\"\nresource \"*\"\n";
        confined(&format!("{policy}deny\n{deny}"), "denied 0 1\n")
    };
    assert!(denied(all) && !denied("principal aws\naction \"s3:*\"\n"));
}

#[test]
fn bad_input_is_told_with_its_place() {
    let check = |query: &str, reason: &str| {
        let rejection = certificate(query, "").expect_err(reason).to_string();
        assert!(rejection.contains(reason), "{rejection}");
    };
    check("", "line 3: the line does not begin with `question`");
    check("question no-new-access\n", "line 4: the line does not begin with `type`");
    let two = "question no-new-access\ntype identity resource\n";
    check(two, "line 4: the line does not begin with `type`, one word behind it");
    check("type identity\n", "line 3: the line does not begin with `question`");
    check("question who-can\n", "line 3: `who-can` is no question about statements");
    let head = "question no-new-access\ntype identity\n";
    check(head, "`no-new-access` has the sides existing, new");
    check(&format!("{head}allow\n"), "line 5: this stands before the first side");
    check(&format!("{head}side new\n"), "line 5: `new` is not the side that is due");
    check(&format!("{head}trusted one any \"k\"\n"), "line 5: this stands before the first side");
    let public =
        |line: &str| format!("question no-public-access\ntype resource\n{line}\nside policy\n");
    check(&public("trusted two any \"k\""), "line 5: `two` is no number of values");
    check(&public("trusted one all \"k\""), "line 5: `all` is no kind of values");
    check(&public("trusted one any \"k\" \"l\""), "line 5: `\"l\"` is too much");
    let with = |lines: &str| format!("{head}side existing\n{lines}side new\n");
    check(&with("side existing\n"), "line 6: `existing` is not the side that is due");
    check(&with("action \"a\"\n"), "line 6: this is a line of no statement");
    check(&with("as 0\n"), "line 6: there is no statement 0");
    check(&with("allow\nas 0\naction \"a\"\n"), "line 8: this is a line of no statement");
    check(&format!("{}action \"a\"\n", with("allow\n")), "line 8: this is a line of no statement");
    check(&with("allow 1\n"), "line 6: `1` is too much");
    check(
        &with("allow\naction \"a\"\nnot-action \"b\"\n"),
        "line 8: the statement has `action` twice",
    );
    check(&with("allow\nactions \"a\"\n"), "line 7: `actions` is no line of a statement");
    check(&with("allow\naction a\n"), "line 7: `a` is of no kind that fits here");
    check(&with("allow\naction $\"a\"\n"), "line 7: `$\"a\"` is of no kind that fits here");
    check(&with("allow\nprincipal \"a\"\n"), "line 7: `\"a\"` is of no kind that fits here");
    check(&with("allow\nprincipal account\n"), "is no text in quotes");
    check(&with("allow\nresource \"\n"), "is no text in quotes");
    check(&with("allow\nresource \"a\" \n"), "line 7: `` is no text in quotes");
    check(&with("allow\nresource \"\\u{20\"\n"), "has an escape that is none");
    check(&with("allow\nwhen StringEquals\n"), "line 7: the line is too short");
    check(&format!("{}allow\n", with("")), "statement 0 is not covered by the rows");
}

/// Each row of these takes as long as it can, and there are many.
#[test]
fn checking_that_would_take_forever_ends() {
    let allow = |text: &str| format!("allow\naction \"{text}\"\n");
    let forever = |wide: &str, narrow: &str, rows: &str| {
        let found = compared("no-new-access", &allow(wide), &allow(narrow), rows);
        let rejection = found.unwrap_err();
        assert!(rejection.contains("takes more than this checker spends"), "{rejection:.200}");
    };
    let (wide, narrow) = (format!("*{}b", "a".repeat(30_000)), "a".repeat(60_000));
    forever(&wide, &narrow, "covered 1 0 *\n");
    // What is the same is no less to be looked at, if it is long and there are many rows.
    let same = "a".repeat(300_000);
    forever(&same, &same, &"covered 1 0 * 0-0@0\n".repeat(40_000));
    let list = format!("{same}\" \"{same}\" \"b");
    forever(&list, &list, &"covered 1 0 *\n".repeat(40_000));
    let long = format!("question no-new-access\n{}", "\n".repeat(MAX_BYTES_OF_STATEMENTS as usize));
    let rejection = certificate(&long, "").unwrap_err().to_string();
    assert_eq!(rejection, format!("longer than {MAX_BYTES_OF_STATEMENTS} bytes"));
}
