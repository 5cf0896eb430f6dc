//! Single steps: each is accepted if it holds and rejected if not, by all values of few variables.
//!
//! The formulas have truth values, texts or numbers of few bits. Their values are tried one by one, with the evaluator that belongs to the
//! checker, and a step holds if no values make all its literals false. Tables of certificates were not enough: what a checker accepts too much of
//! shows only where something false is claimed.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use keyaki_verify::{Query, Value, verify};
use sha2::{Digest, Sha256};

/// A certificate of one part.
fn certificate(query: &str, proof: &str) -> String {
    let query = format!("part \"p\"\n{query}");
    let hash = Sha256::digest(query.as_bytes());
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("keyaki-certificate 1\nquery {hash}\n{query}proof\npart\n{proof}end\n")
}

/// Why the step is rejected, if it is.
fn step(query: &str, step: &str) -> Result<(), String> {
    let rejection = verify(certificate(query, &format!("{step}\n")).as_bytes()).unwrap_err();
    match rejection.to_string().as_str() {
        "part 0, step 1: the empty clause is missing" => Ok(()),
        reason => Err(reason.to_owned()),
    }
}

fn random() -> impl FnMut(usize) -> usize {
    let mut state = 11_u64;
    move |bound| {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        (state >> 33) as usize % bound
    }
}

/// Of each assignment which assertions are true, as bits.
fn models(query: &str, domains: &[(&str, Vec<Value>)]) -> Vec<u64> {
    let mut read = Query::read(&format!("part \"p\"\n{query}")).unwrap();
    let n: usize = domains.iter().map(|(_, values)| values.len()).product();
    let of_assignment = |mut number: usize| {
        let values: Vec<(&str, Value)> = domains
            .iter()
            .map(|(name, values)| {
                let value = values[number % values.len()].clone();
                number /= values.len();
                (*name, value)
            })
            .collect();
        let value = |name: &str| values.iter().find(|(n, _)| *n == name).map(|(_, v)| v.clone());
        let truths = read.truths(0, value).unwrap();
        truths.iter().rev().fold(0, |bits, truth| 2 * bits + u64::from(truth.unwrap()))
    };
    (0..n).map(of_assignment).collect()
}

/// Draws clauses of these terms, which are what is asserted, in their order, and counts what is accepted and what holds.
fn clauses(query: &str, terms: &[usize], rule: &str, domains: &[(&str, Vec<Value>)]) -> [usize; 3] {
    let asserts: String = terms.iter().map(|term| format!("assert {term} \"t\"\n")).collect();
    let query = format!("{query}{asserts}");
    let models = models(&query, domains);
    let mut below = random();
    let (mut n_accepted, mut n_missed, n_drawn) = (0, 0, 4000);
    for _ in 0..n_drawn {
        let mut literals: Vec<(usize, bool)> = Vec::new();
        for _ in 0..1 + below(6) {
            let literal = (below(terms.len()), below(3) == 0);
            if literals.iter().all(|(at, _)| *at != literal.0) {
                literals.push(literal);
            }
        }
        literals.sort_unstable();
        let is_false =
            |bits: &u64| literals.iter().all(|(at, truth)| (bits >> at & 1 == 1) != *truth);
        let holds = !models.iter().any(is_false);
        let words: Vec<String> = literals
            .iter()
            .map(|(at, truth)| format!("{}{}", if *truth { '+' } else { '-' }, terms[*at]))
            .collect();
        let line = format!("{rule} {}", words.join(" "));
        let found = step(&query, &line);
        assert!(holds || found.is_err(), "{line} is accepted\n{query}");
        n_accepted += usize::from(found.is_ok());
        n_missed += usize::from(holds && found.is_err());
    }
    [n_accepted, n_missed, n_drawn]
}

fn texts(texts: &[&str]) -> Vec<Value> {
    texts.iter().map(|text| Value::Text((*text).to_owned())).collect()
}

fn numbers(width: u32) -> Vec<Value> {
    (0..1 << width).map(Value::Bits).collect()
}

#[test]
fn lemmas_of_texts_are_accepted_if_and_only_if_they_hold() {
    let query = r#"var text "x"
var text "y"
var text "z"
text "a"
text "b"
eq 0 3
eq 0 4
eq 1 3
eq 4 2
eq 0 1
eq 1 2
eq 0 2
in 0 or 2 "a" "b"
in 1 or 2 "a" "b"
in 2 or 2 "b" "a"
in 0 cat 2 "a" all
in 1 cat 3 all "b" all
in 2 loop 1 2 set 1 97 97
in 0 or 3 "a" "b" "c"
in 1 or 3 "a" "b" "c"
in 2 or 3 "a" "b" "c"
"#;
    let domain = texts(&["", "a", "b", "c", "d", "aa", "ab", "bb", "abc", "q", "bab"]);
    let domains = [("x", domain.clone()), ("y", domain.clone()), ("z", domain)];
    let terms: Vec<usize> = (5..21).collect();
    let [n_accepted, n_missed, n_drawn] = clauses(query, &terms, "lemma equality", &domains);
    assert_eq!(n_missed, 0);
    assert!(n_accepted > n_drawn / 8, "{n_accepted}");
}

#[test]
fn lemmas_of_numbers_are_accepted_if_and_only_if_they_hold() {
    let query = r#"var bits 2 "k"
var bits 2 "l"
var bits 2 "m"
bits 2 0
bits 2 3
eq 0 3
eq 4 0
eq 1 3
eq 2 4
eq 0 1
eq 1 2
eq 2 0
prefix 0 1 0
prefix 0 1 1
prefix 1 1 1
prefix 2 2 2
prefix 1 2 1
prefix 2 1 0
"#;
    let domains = ["k", "l", "m"].map(|name| (name, numbers(2)));
    let terms: Vec<usize> = (5..18).collect();
    let [n_accepted, n_missed, n_drawn] = clauses(query, &terms, "lemma bits", &domains);
    assert_eq!(n_missed, 0);
    assert!(n_accepted > n_drawn / 8, "{n_accepted}");
}

/// Of patterns not all that holds is seen; what is seen is a number that may grow.
#[test]
fn lemmas_of_patterns_hold() {
    let query = r#"var text "x"
var text "y"
text "a"
eq 0 2
eq 1 2
eq 0 1
match 0 1
match 0 "a" 1
match 0 "a" 1 all
match 0 1 "b"
match 0 1 char all
match 0 "a" all
match 1 0 all
match 0 1 1
match 2 1
in 0 cat 2 "a" set 1 97 98
in 1 set 1 97 98
in 1 loop 1 1 set 1 97 98
in 0 ""
"#;
    let domain = texts(&["", "a", "b", "c", "aa", "ab", "ba", "aab", "aba", "abc", "bb", "cb"]);
    let domains = [("x", domain.clone()), ("y", domain)];
    let terms: Vec<usize> = (3..19).collect();
    let [n_accepted, ..] = clauses(query, &terms, "lemma template", &domains);
    assert!(n_accepted >= 1188, "{n_accepted} are seen");
}

#[test]
fn what_connectives_mean_is_accepted_and_nothing_else() {
    let query = "var truth \"a\"\nvar truth \"b\"\nvar truth \"c\"\nand 0 1\nor 0 1 2\nnot 0\nand 5 2\n\
                 or 5\nand\nor\nor 3 2\nnot 4\nand 11 1\n";
    let domains = ["a", "b", "c"].map(|name| (name, vec![Value::Truth(false), Value::Truth(true)]));
    let terms: Vec<usize> = vec![0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 12];
    let [n_accepted, ..] = clauses(query, &terms, "def", &domains);
    assert!(n_accepted > 50, "{n_accepted}");
    let asserted = format!("{query}assert 0 \"a\"\n");
    for right in [
        "-3 +0",
        "-3 +1",
        "-0 -1 +3",
        "-0 +4",
        "-2 +4",
        "+0 +1 +2 -4",
        "-0 -6",
        "+0 -2 +6",
        "+0 +7",
        "-0 -7",
        "+8",
        "-9",
        "-3 +10",
        "+2 +3 -10",
        "-4 -12",
        "+1 -12",
        "-1 +4 +12",
    ] {
        let mut words: Vec<&str> = right.split_whitespace().collect();
        words.sort_by_key(|word| word[1..].parse::<usize>().unwrap());
        let line = format!("def {}", words.join(" "));
        assert_eq!(step(&asserted, &line), Ok(()), "{line}");
    }
    for wrong in
        ["-3 +4", "-0 +3", "+0", "-3", "-0 -1", "-0 +7", "+2 -3", "-0 -1 -2 +3", "-0 -1 +4"]
    {
        let mut words: Vec<&str> = wrong.split_whitespace().collect();
        words.sort_by_key(|word| word[1..].parse::<usize>().unwrap());
        let line = format!("def {}", words.join(" "));
        assert_eq!(
            step(&asserted, &line).unwrap_err(),
            "part 0, step 0: no connective means this",
            "{line}"
        );
    }
}

#[test]
fn assertions_fall_into_their_parts() {
    let query = "var truth \"a\"\nvar truth \"b\"\ntrue\nfalse\nnot 2\nand 0 1\nor 0 1\nnot 5\nnot 6\n\
                 and 5 6 2\nor 5 7\nnot 3\nnot 0\nor 12 1\n";
    for (asserted, right, wrong) in [
        (0, &["+0"][..], &["", "-0", "+1"][..]),
        (2, &[], &["", "+2", "-2"]),
        (3, &[""], &["+3", "-3"]),
        (4, &[""], &["-2", "+2", "+4"]),
        (5, &["+0", "+1"], &["+0 +1", "", "+5"]),
        (6, &["+0 +1"], &["+0", "+1", ""]),
        (7, &["-0 -1"], &["-0", "-1", "-5"]),
        (8, &["-0", "-1"], &["-0 -1", "-6"]),
        (9, &["+0", "+1", "+0 +1"], &["", "+5", "+2"]),
        (10, &["-5 +5"], &["+0", ""]),
        (11, &[], &["", "-3"]),
        (13, &["-0 +1"], &["-0", "+1", "+0 +1", "+1 +12"]),
    ] {
        let query = format!("{query}assert {asserted} \"t\"\n");
        let line = |clause: &str| format!("from 0 {clause}").trim_end().to_owned();
        for clause in right {
            let found = verify(certificate(&query, &format!("{}\n", line(clause))).as_bytes());
            let is_taken = match (found, clause.is_empty()) {
                (Ok(_), is_empty) => is_empty,
                (Err(rejection), _) => {
                    rejection.to_string().contains("the empty clause is missing")
                }
            };
            assert!(is_taken, "{asserted}: {clause}");
        }
        for clause in wrong {
            let reason = step(&query, &line(clause)).unwrap_err();
            assert_eq!(
                reason, "part 0, step 0: assertion 0 has no such part",
                "{asserted}: {clause}"
            );
        }
    }
}

/// Steps that are said to follow from others, in all orders of few hints: what is accepted follows, and what follows by unit propagation is
/// accepted.
#[test]
fn what_follows_by_unit_propagation_follows() {
    let query = "var truth \"a\"\nvar truth \"b\"\nvar truth \"c\"\nor 0 1\nnot 0\nor 4 2\nnot 1\nor 6 2\n\
                 assert 3 \"\"\nassert 5 \"\"\nassert 7 \"\"\n";
    // a or b, not a or c, not b or c: so c.
    let given = "from 0 +0 +1\nfrom 1 -0 +2\nfrom 2 -1 +2\n";
    let found = |step: &str| {
        let text = certificate(query, &format!("{given}{step}\n"));
        match verify(text.as_bytes()).unwrap_err().to_string().strip_prefix("part 0, step ") {
            Some("4: the empty clause is missing") => Ok(()),
            reason => Err(reason.unwrap().to_owned()),
        }
    };
    for (step, reason) in [
        ("rup +2 : 1 2 0", None),
        ("rup +2 : 2 1 0", None),
        ("rup +2 : 1 0 2", None),
        ("rup +0 +2 : 0 2", None),
        ("rup +1 +2 : 0 1", None),
        ("rup +1 +2 : 1 0", None),
        ("rup +0 +1 : 0", None),
        ("rup -0 +2 : 1", None),
        ("rup +2 : 0 1 2", Some("3: hint 0 has two literals that are not false")),
        ("rup -2 : 1 2 0", Some("3: hint 1 has two literals that are not false")),
        ("rup +0 : 0 2", Some("3: the hints come to no end")),
        ("rup -0 : 1", Some("3: the hints come to no end")),
        ("rup -0 : 1 0", Some("3: hint 0 has two literals that are not false")),
        ("rup +2 : 1 2", Some("3: the hints come to no end")),
        ("rup +2 : 1 0 2 1", Some("3: there are hints after hint 2, which is false")),
        ("rup +0 +1 : 0 1", Some("3: there are hints after hint 0, which is false")),
        ("rup +2 : 1 2 3", Some("3: hint 3 is no earlier step")),
        ("rup +2 :", Some("3: the hints come to no end")),
        ("rup +2", Some("3: the hints come to no end")),
    ] {
        assert_eq!(found(step).err().as_deref(), reason, "{step}");
    }
    // What is assumed for one step is forgotten for the next.
    let two = certificate(query, &format!("{given}rup +2 : 1 2 0\nrup +0 : 0 2\n"));
    let rejection = verify(two.as_bytes()).unwrap_err().to_string();
    assert_eq!(rejection, "part 0, step 4: the hints come to no end");
    let (mut below, mut n_accepted) = (random(), 0);
    for _ in 0..4000 {
        let mut literals: Vec<(usize, bool)> = Vec::new();
        for term in 0..3 {
            if below(2) == 0 {
                literals.push((term, below(2) == 0));
            }
        }
        let words: Vec<String> = literals
            .iter()
            .map(|(term, truth)| format!("{}{term}", if *truth { '+' } else { '-' }))
            .collect();
        let hints: Vec<String> = (0..1 + below(4)).map(|_| below(4).to_string()).collect();
        let step = format!("rup {}: {}", words.join(" ") + " ", hints.join(" "));
        let step = step.replace("rup  :", "rup :");
        let holds = (0..8).all(|bits: u8| {
            let is = |term: usize| bits >> term & 1 == 1;
            let is_model = (is(0) || is(1)) && (!is(0) || is(2)) && (!is(1) || is(2));
            !is_model || literals.iter().any(|(term, truth)| is(*term) == *truth)
        });
        let is_accepted = found(&step).is_ok();
        assert!(holds || !is_accepted, "{step}");
        n_accepted += usize::from(is_accepted);
    }
    assert!(n_accepted > 30, "{n_accepted}");
}

/// The ends of what may be written and of what is looked at.
#[test]
fn bounds_are_where_they_are_said_to_be() {
    let nested = |word: &str, n: usize| format!("var text \"x\"\nin 0 {}all\n", word.repeat(n));
    for word in ["not ", "cat 1 ", "or 1 ", "loop 0 - "] {
        let reason = step(&nested(word, 200), "def").unwrap_err();
        assert_eq!(reason, "part 0, step 0: no connective means this", "{word}");
        let reason = step(&nested(word, 201), "def").unwrap_err();
        assert_eq!(reason, "line 5: a language is deeper than 200", "{word}");
    }
    for (line, reason) in [
        ("bits 128 340282366920938463463374607431768211455", None),
        ("bits 2 3", None),
        ("bits 2 4", Some("line 5: 4 has more than 2 bits")),
        ("bits 0 0", Some("line 5: 0 is no width, from 1 to 128")),
        ("bits 129 0", Some("line 5: 129 is no width, from 1 to 128")),
        ("in 0 set 1 0 1114111", None),
        ("in 0 set 1 0 1114112", Some("line 5: 1114112 is no character, from 0 to 1114111")),
        ("text \"a\"b\"", Some("line 5: `\"a\"b\"` has a character that has to be escaped")),
        (
            "text \"a\u{7f}b\"",
            Some("line 5: `\"a\u{7f}b\"` has a character that has to be escaped"),
        ),
        ("text \"", Some("line 5: `\"` is no text in quotes")),
    ] {
        let query = format!("var text \"x\"\n{line}\n");
        let found = step(&query, "def").unwrap_err();
        assert_eq!(found, reason.unwrap_or("part 0, step 0: no connective means this"), "{line}");
    }
    let bits = "var bits 4 \"n\"\nprefix 0 2 3\n";
    assert_eq!(step(bits, "def").unwrap_err(), "part 0, step 0: no connective means this");
    let wide = bits.replace("2 3", "2 4");
    assert_eq!(step(&wide, "def").unwrap_err(), "line 5: 4 has more than 2 bits");
}

#[test]
fn operators_of_languages_are_what_they_are_called() {
    let contradicts = |language: &str, text: &str| {
        let query = format!("var text \"x\"\nin 0 {language}\ntext \"{text}\"\neq 0 2\n");
        step(&query, "lemma included -1 -3").is_ok()
    };
    for (language, has, has_not) in [
        ("or 2 \"a\" \"b\"", "a", "c"),
        ("and 2 cat 2 \"a\" all cat 2 all \"b\"", "ab", "a"),
        ("cat 2 \"a\" \"b\"", "ab", "b"),
        ("not \"a\"", "b", "a"),
        ("loop 2 3 \"a\"", "aaa", "a"),
        ("loop 2 - \"a\"", "aaaa", "a"),
        ("set 2 97 98 100 100", "d", "c"),
        ("but 97", "b", "a"),
        ("char", "a", "ab"),
    ] {
        assert!(!contradicts(language, has) && contradicts(language, has_not), "{language}");
    }
}

#[test]
fn the_literals_of_a_clause_ascend() {
    let query = "var truth \"a\"\nvar truth \"b\"\n";
    for (clause, ascends) in [("+0 -0", false), ("-0 +0", true), ("-0 -0", false), ("+1 +0", false)]
    {
        let found = step(query, &format!("lemma equality {clause}"));
        let expected = if ascends { Ok(()) } else { Err(()) };
        assert_eq!(found.map_err(|reason| assert!(reason.ends_with("do not ascend"))), expected);
    }
}

#[test]
fn the_last_character_and_values_of_variables_are_no_others() {
    let no =
        Err("part 0, step 0: some values make all of it false, as far as is known here".to_owned());
    let of = |lines: &str, clause: &str| {
        let query = format!("var text \"x\"\nvar text \"y\"\n{lines}\n");
        step(&query, &format!("lemma empty {clause}"))
    };
    for (lines, clause, holds) in [
        ("in 0 set 1 1114111 1114111", "-2", false),
        ("in 0 and 2 char not set 1 0 1114110", "-2", false),
        ("in 0 and 2 char not set 1 0 1114111", "-2", true),
        ("in 0 set 1 55296 57343", "-2", true),
        ("in 0 but 97\ntext \"a\"\neq 0 3", "-2 -4", true),
        ("in 0 but 97\ntext \"b\"\neq 0 3", "-2 -4", false),
        ("in 0 but 97\ntext \"b\"\neq 0 3", "+2 -4", true),
        // The symbol that stands for a value is no character.
        ("match 1 0\nmatch 1 \"\\u{0}\"", "-2 +3", false),
        ("match 1 char\nmatch 1 \"\\u{10fffe}\"", "-2 +3", false),
        ("match 1 char\nmatch 1 \"\\u{10ffff}\"", "-2 +3", false),
        ("match 1 all\nmatch 1 \"\\u{10ffff}\"", "-2 +3", false),
        ("match 1 all\nmatch 1 char", "-2 +3", false),
        // A constant in a pattern is what it is.
        ("text \"b\"\nmatch 0 \"a\" 2\ntext \"ab\"\neq 0 4", "-3 +5", true),
        // One text twice is one text.
        ("text \"a\"\ntext \"a\"\neq 0 2\neq 1 3\neq 0 1", "-4 -5 +6", true),
        ("text \"a\"\ntext \"b\"\neq 0 2\neq 1 3\neq 0 1", "-4 -5 +6", false),
    ] {
        assert_eq!(of(lines, clause), if holds { Ok(()) } else { no.clone() }, "{lines}: {clause}");
    }
    // A short text may take more steps than its length allows, up to what all may spend.
    let set = "set 1 97 98";
    let hard = format!(
        "in 0 cat 3 loop 0 - {set} \"a\" loop 9 9 {set}\nin 0 cat 4 loop 0 - {set} \"a\" {set} loop 8 8 {set}"
    );
    assert_eq!(of(&hard, "-2 +3"), Ok(()));
}

/// Bits are of their width, also if only what they equal or differ from is known, and the first of a prefix is the most significant one.
#[test]
fn bits_are_as_many_as_their_width_says() {
    let unseen = "part 0, step 0: some values make all of it false, as far as is known here";
    let differ = |width: u32, length: u32, n: usize| {
        let variables = (0..n).map(|name| format!("var bits {width} \"{name}\"\n"));
        let mut query: String = variables.collect();
        let (mut equations, mut clause) = (String::new(), String::new());
        let mut term = n;
        for a in 0..n {
            for b in 0..a {
                equations += &format!("eq {a} {b}\n");
                clause += &format!(" +{term}");
                term += 1;
            }
        }
        query += &equations;
        for a in (0..n).filter(|_| length > 0) {
            query += &format!("prefix {a} {length} 1\n");
            clause += &format!(" -{term}");
            term += 1;
        }
        step(&query, &format!("lemma distinct{clause}"))
    };
    // So many values are left: of three bits eight, of a prefix that lacks one two, of a whole one one.
    for (width, length, n) in
        [(1, 0, 3), (2, 0, 5), (2, 1, 3), (3, 1, 5), (128, 127, 3), (128, 128, 2), (128, 126, 5)]
    {
        assert_eq!(differ(width, length, n), Ok(()), "{width} {length} {n}");
        assert_eq!(differ(width, length, n - 1).unwrap_err(), unseen, "{width} {length} {n}");
    }
    assert_eq!(differ(128, 0, 9).unwrap_err(), unseen);
    let query = "var bits 3 \"n\"\nbits 3 6\neq 0 1\nprefix 0 1 1\nprefix 0 2 2\nprefix 0 2 3\nprefix 0 3 6\n\
                 bits 3 3\neq 0 7\n";
    for (clause, holds) in [
        ("-2 +3", true),
        ("-2 +4", false),
        ("-2 +5", true),
        ("-2 -4", true),
        ("-2 +6", true),
        ("+2 -6", true),
        ("+2 -5", false),
        ("-2 -8", true),
        ("+2 +8", false),
        ("-3 -8", true),
        ("+3 -8", false),
    ] {
        let found = step(query, &format!("lemma bits {clause}"));
        assert_eq!(found, if holds { Ok(()) } else { Err(unseen.to_owned()) }, "{clause}");
    }
    // All addresses of 128 bits are in 256 networks, and not in all but one of them.
    let networks = |which: &dyn Fn(&u32) -> bool| {
        let mut query = "var bits 128 \"ip\"\n".to_owned();
        query.extend((0..256).filter(which).map(|network| format!("prefix 0 8 {network}\n")));
        let literals: Vec<String> =
            (1..=(0..256).filter(which).count()).map(|term| format!("+{term}")).collect();
        step(&query, &format!("lemma bits {}", literals.join(" ")))
    };
    assert_eq!(networks(&|_| true), Ok(()));
    assert_eq!(networks(&|network| *network != 77).unwrap_err(), unseen);
}
