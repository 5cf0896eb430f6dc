//! The certificates of `corpus/certificates`: right ones are accepted, and damaged ones only if they still show that the same
//! formulas have no model.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use keyaki_verify::{MAX_BYTES, Query, Value, verify};
use sha2::{Digest, Sha256};

/// Damaged certificates of each kind are tried so often for each file.
const DAMAGES: usize = 400;

fn certificates() -> Vec<(String, String)> {
    let all = common::certificates("certificates");
    assert!(all.len() >= 7, "one for each kind of lemma");
    all
}

/// The text with the right hash for its formulas.
fn with_hash(text: &str) -> String {
    let (head, rest) = text.split_once("\nquery ").unwrap();
    let (_, rest) = rest.split_once('\n').unwrap();
    let query = &rest[..rest.find("proof\n").unwrap()];
    let hash = Sha256::digest(query.as_bytes());
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{head}\nquery {hash}\n{rest}")
}

#[track_caller]
fn rejected(text: &str, reason: &str) {
    let rejection = verify(text.as_bytes()).expect_err(reason).to_string();
    assert!(rejection.contains(reason), "{rejection}");
}

fn of(name: &str) -> String {
    certificates().into_iter().find(|(known, _)| known == name).unwrap().1
}

#[test]
fn right_ones_are_accepted() {
    for (name, text) in certificates() {
        let verified =
            verify(text.as_bytes()).unwrap_or_else(|rejection| panic!("{name}: {rejection}"));
        assert!(text.contains(&verified.query) && verified.n_steps > 0, "{name}");
        assert_eq!(with_hash(&text), text, "{name}");
    }
}

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
            let at = below(text.len());
            let mut bytes = text.clone().into_bytes();
            let mut lines: Vec<&str> = text.lines().collect();
            let line = below(lines.len());
            let damaged = match below(7) {
                0 => {
                    bytes[at] ^= 1 << below(7);
                    bytes
                }
                1 => {
                    bytes.remove(at);
                    bytes
                }
                2 => {
                    bytes.insert(at, bytes[at]);
                    bytes
                }
                3 => {
                    let other = below(bytes.len());
                    bytes.swap(at, other);
                    bytes
                }
                4 => {
                    lines.remove(line);
                    lines.join("\n").into_bytes()
                }
                5 => {
                    lines.insert(line, lines[line]);
                    lines.join("\n").into_bytes()
                }
                _ => {
                    let other = below(lines.len());
                    lines.swap(line, other);
                    lines.join("\n").into_bytes()
                }
            };
            // A swap of two that are alike is no damage, and a missing line feed at the end is not what was meant.
            let damaged = match damaged.ends_with(b"\n") || text.as_bytes() == damaged {
                true => damaged,
                false => [damaged, b"\n".to_vec()].concat(),
            };
            match verify(&damaged) {
                Err(_) => n_rejected += 1,
                Ok(verified) => {
                    assert_eq!(verified.query, query, "{name}");
                    n_accepted += usize::from(damaged != text.as_bytes());
                }
            }
        }
    }
    // A step twice, or another kind of lemma, is a certificate still.
    assert!(20 * n_accepted < n_rejected, "{n_accepted} accepted, {n_rejected} rejected");
}

#[test]
fn every_literal_and_every_hint_counts() {
    for (name, text) in certificates() {
        let proof = text.find("proof\n").unwrap();
        let words: Vec<(usize, &str)> = text[proof..]
            .split_inclusive([' ', '\n'])
            .scan(proof, |at, word| {
                let start = *at;
                *at += word.len();
                Some((start, word.trim_end()))
            })
            .filter(|(_, word)| word.starts_with(['+', '-']) && word.len() > 1)
            .collect();
        for (at, word) in words {
            let turned = if word.starts_with('+') { "-" } else { "+" };
            let damaged = [&text[..at], turned, &text[at + 1..]].concat();
            assert!(verify(damaged.as_bytes()).is_err(), "{name}: `{word}` turned around");
        }
    }
}

#[test]
fn the_opposite_of_an_assertion_has_models() {
    for (name, text) in certificates() {
        let mut n_turned = 0;
        let proof = text.find("proof\n").unwrap();
        for (at, _) in text[..proof].match_indices("\nassert ") {
            let at = at + "\nassert ".len();
            let (term, rest) = text[at..].split_once(' ').unwrap();
            let number: usize = text[..at].lines().filter(|line| is_term(line)).count();
            let damaged =
                format!("{}not {term}\nassert {number} {rest}", &text[..at - "assert ".len()]);
            let damaged = with_hash(&damaged);
            // What the assertion was not needed for is shown still.
            n_turned += usize::from(verify(damaged.as_bytes()).is_err());
        }
        assert!(n_turned > 0, "{name}");
    }
}

fn is_term(line: &str) -> bool {
    let word = line.split(' ').next().unwrap_or_default();
    !["keyaki-certificate", "query", "part", "assert", ""].contains(&word)
}

#[test]
fn bad_input_is_told_with_its_place() {
    let right = of("empty");
    rejected("", "begins with ``");
    rejected(&right.replace("certificate 1", "certificate 3"), "`keyaki-certificate 3`");
    // Of the other kind it is none.
    rejected(&right.replace("certificate 1", "certificate 2"), "does not begin with `question`");
    rejected(&right[..right.len() / 2], "has no line `proof`");
    rejected(&right[..right.len() - 4], "does not end with the line `end`");
    rejected(
        &right.replace("cat 2 \"a\" all", "cat 2 \"b\" all"),
        "line 2: the query has the hash",
    );
    let wrong = |from: &str, to: &str, reason: &str| {
        assert!(right.contains(from), "{from}");
        rejected(&with_hash(&right.replace(from, to)), reason);
    };
    wrong("not 3\n", "not 4\n", "line 8: term 4 is not defined above");
    wrong("not 3\n", "not 0\n", "line 8: term 0 is of another sort");
    wrong("in 0 cat 2 \"a\" all", "in 0 cat 3 \"a\" all", "line 5: the line is too short");
    wrong("in 0 cat 2 \"a\" all", "in 0 \"a\" all", "line 5: `all` is too much");
    wrong("in 0 cat 2 \"a\" all", "in 0 glob \"a\"", "line 5: `glob` is no language");
    wrong("in 0 cat 2 \"a\" all", "in 0 \"a\\u{110000}\"", "escape of no character");
    wrong(
        "var text \"x\"",
        "var text \"x\"\nvar text \"x\"",
        "line 5: there is a variable of this name",
    );
    wrong("assert 1 \"begins\"", "assert 01 \"begins\"", "`01` is no number");
    let line = 1 + right.lines().position(|line| line.starts_with("lemma")).unwrap();
    wrong("lemma empty", "lemma guess", &format!("line {line}: `guess` is no kind of lemma"));
    wrong("lemma empty -1 -2", "lemma empty -2 -1", "do not ascend");
    wrong("rup : 0 1 2 3", "rup : 0 1 2 4", "step 4: hint 4 is no earlier step");
    wrong("rup : 0 1 2 3", "rup : 3 0 1 2", "step 4: hint 3 has two literals");
    wrong("rup : 0 1 2 3", "rup : 0 1 2", "step 4: the hints come to no end");
    wrong("rup : 0 1 2 3\n", "", "step 4: the empty clause is missing");
    wrong("from 2 -3", "from 3 -3", "there is no assertion 3");
    wrong("from 2 -3", "from 1 -3", "assertion 1 has no such part");
    wrong("from 2 -3", "def -3", "no connective means this");
    wrong("lemma empty -1 -2 +3", "lemma empty -1 +3", "some values make all of it false");
    wrong(
        "proof\npart\n",
        "proof\npart\npart\n",
        "a step stands outside of the parts of the query",
    );
}

#[test]
fn what_is_nested_or_takes_forever_is_rejected() {
    let right = of("empty");
    let deep = format!("in 0 {}all", "not ".repeat(100_000));
    rejected(&with_hash(&right.replace("in 0 cat 2 \"a\" all", &deep)), "deeper than 200");
    // The automaton of either has 2^61 states, and one is the other.
    let one = "in 0 cat 3 loop 0 - set 1 97 98 \"a\" loop 60 60 set 1 97 98";
    let other = "in 0 cat 4 loop 0 - set 1 97 98 \"a\" set 1 97 98 loop 59 59 set 1 97 98";
    let hard =
        right.replace("in 0 cat 2 \"a\" all", one).replace("in 0 cat 3 \"a\" all \"b\"", other);
    rejected(&with_hash(&hard), "takes more than this checker spends");
    let many = format!("in 0 loop 4000000000 - {}", "\"a\"");
    let text = with_hash(&right.replace("in 0 cat 2 \"a\" all", &many));
    assert!(verify(text.as_bytes()).is_err());
    assert!(verify(&[0xff; 100]).unwrap_err().to_string().contains("no UTF-8 after byte 0"));
}

#[test]
fn what_is_cut_off_anywhere_is_rejected() {
    for (name, text) in certificates() {
        for (at, _) in text.char_indices() {
            assert!(verify(&text.as_bytes()[..at]).is_err(), "{name}: up to byte {at}");
        }
    }
}

#[test]
fn what_is_huge_is_rejected_unread() {
    assert_eq!(MAX_BYTES, 268_435_456, "as docs/certificates.md says");
    let mut text = of("empty").into_bytes();
    text.resize(MAX_BYTES as usize, b' ');
    // As long as it may be it is read, and as the text it is it is none.
    assert!(verify(&text).unwrap_err().to_string().contains("does not end with the line `end`"));
    text.push(b' ');
    let rejection = verify(&text).unwrap_err().to_string();
    assert_eq!(rejection, format!("longer than {MAX_BYTES} bytes"));
    let mut text = String::from_utf8(text).unwrap();
    let rejection = Query::read(&text).err().unwrap().to_string();
    assert_eq!(rejection, format!("longer than {MAX_BYTES} bytes"));
    text.pop();
    let rejection = Query::read(&text).err().unwrap().to_string();
    assert!(rejection.starts_with("line 1: a term stands before the first `part`"), "{rejection}");
    // The program reads no more than it has to of a file of 1 GB, which has no blocks on the disk.
    let path = std::env::temp_dir().join(format!("keyaki-verify-huge-{}", std::process::id()));
    fs::File::create(&path).unwrap().set_len(1 << 30).unwrap();
    let run = |argument: &Path, input: Stdio| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyaki-verify"));
        command.arg(argument).stdin(input).output().unwrap()
    };
    let input = fs::File::open(&path).unwrap();
    let outputs = [run(&path, Stdio::null()), run(Path::new("-"), input.into())];
    fs::remove_file(&path).unwrap();
    for output in outputs {
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(said, format!("rejected: longer than {MAX_BYTES} bytes\n"));
        assert_eq!(output.status.code(), Some(1));
    }
}

/// A query whose languages take a number of steps that grows with its text, beyond what may be spent whatever the length.
fn long_query() -> String {
    let mut query = "part \"p\"\nvar text \"x\"\n".to_owned();
    for n in 0..150 {
        let set = |depth: u32| format!("set 1 {} {}", 1000 * n + depth, 1000 * n + depth + 200);
        let nested: String = (0..198).map(|depth| format!("or 2 {} ", set(depth))).collect();
        query += &format!("in 0 {nested}{}\n", set(198));
    }
    query
}

#[test]
fn the_budget_grows_with_the_text() {
    let text = format!("keyaki-certificate 1\nquery x\n{}proof\npart\nend\n", long_query());
    rejected(&with_hash(&text), "part 0, step 0: the empty clause is missing");
    assert_eq!(Query::read(&long_query()).map(|query| query.n_parts()), Ok(1));
    assert_eq!(Query::read("").map(|query| query.n_parts()), Ok(0));
    assert_eq!(Query::read("part \"p\"\npart \"q\"\n").map(|query| query.n_parts()), Ok(2));
}

/// Each question about values may spend what its terms allow.
#[test]
fn evaluating_may_be_repeated() {
    let hard = "in 0 cat 3 loop 0 - set 1 97 98 \"a\" loop 40 40 set 1 97 98\n";
    let mut query = format!("part \"p\"\nvar text \"x\"\n{hard}");
    query += &"not 1\n".repeat(18);
    query += "assert 1 \"hard\"\n";
    let mut query = Query::read(&query).unwrap();
    let mut state = 1_u64;
    for _ in 0..8 {
        let symbol = |_| {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            if state >> 63 == 0 { 'a' } else { 'b' }
        };
        let text: String = (0..16_000).map(symbol).collect();
        let is_in = text.chars().rev().nth(40) == Some('a');
        let truths = query.truths(0, |_| Some(Value::Text(text.clone())));
        assert_eq!(truths, Ok(vec![Some(is_in)]));
    }
}

/// Nothing calls itself for each character of a text.
#[test]
fn texts_may_be_long() {
    let long = "x".repeat(1 << 18);
    let query = format!("part \"p\"\nvar text \"x\"\nin 0 cat 2 \"{long}\" all\n");
    let text = format!("keyaki-certificate 1\nquery x\n{query}proof\npart\nend\n");
    rejected(&with_hash(&text), "part 0, step 0: the empty clause is missing");
}

#[test]
fn nothing_is_cyclic() {
    let right = of("empty");
    let lines: Vec<&str> = right.lines().collect();
    // A term that names itself, and one that names a later one.
    for (from, to) in [("not 3\n", "not 4\n"), ("not 3\n", "not 5\n")] {
        let text = with_hash(&right.replace(from, to));
        assert!(verify(text.as_bytes()).unwrap_err().to_string().contains("is not defined above"));
    }
    // A clause that follows from itself.
    let last = lines.iter().position(|line| line.starts_with("rup")).unwrap();
    let text = right.replace(lines[last], "rup : 4");
    rejected(&text, "part 0, step 4: hint 4 is no earlier step");
}

#[test]
fn the_proof_of_one_query_shows_nothing_of_another() {
    let all = certificates();
    let split = |text: &str| {
        let at = text.find("proof\n").unwrap();
        (text[..at].to_owned(), text[at..].to_owned())
    };
    let mut n_rejected = 0;
    for (name, text) in &all {
        for (other_name, other) in all.iter().filter(|(other, _)| other != name) {
            let mixed = with_hash(&(split(text).0 + &split(other).1));
            let rejection = verify(mixed.as_bytes());
            assert!(rejection.is_err(), "{name} with the proof of {other_name}");
            n_rejected += 1;
        }
    }
    assert!(n_rejected >= 42);
}

/// A lemma whose languages have few nodes and many derivatives takes the checker's whole budget and no more.
#[test]
fn checking_that_would_take_forever_ends() {
    let mut text = "keyaki-certificate 1\nquery x\npart \"p\"\nvar text \"x\"\n".to_owned();
    for n in 2..40 {
        text += &format!("in 0 cat 3 loop 0 - set 1 97 98 \"a\" loop {n} {n} set 1 97 98\n");
    }
    let all: Vec<String> = (1..39).map(|term| term.to_string()).collect();
    text += &format!("and {}\nassert 39 \"all\"\nproof\npart\n", all.join(" "));
    let literals: Vec<String> = all.iter().map(|term| format!("-{term}")).collect();
    text += &format!("lemma empty {}\nrup : 0\nend\n", literals.join(" "));
    rejected(&with_hash(&text), "takes more than this checker spends");
}

#[test]
fn the_program_says_what_was_shown_and_what_is_wrong() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/certificates");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyaki-verify"));
        let output = command.args(arguments).current_dir(&folder).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (status, said) = run(&["empty.txt"]);
    assert_eq!(status, Some(0));
    let first = "verified: none of 1 formulas has a model, in 5 steps\nquery sha256 ";
    assert!(said.starts_with(first) && said.ends_with("\n  three-languages\n"), "{said}");
    let hash = said.lines().nth(1).unwrap().rsplit(' ').next().unwrap();
    assert_eq!(run(&["empty.txt", "--query", hash]).0, Some(0));
    let (status, said) = run(&["apart.txt", "--query", hash]);
    assert!(status == Some(1) && said.starts_with("rejected: it is about another query"), "{said}");
    let (status, said) = run(&["../README.md"]);
    assert!(status == Some(1) && said.starts_with("rejected: begins with `"), "{said}");
    assert_eq!(run(&["missing.txt"]).0, Some(2));
    assert_eq!(run(&[]).0, Some(2));
    for word in ["--help", "-h"] {
        let (status, said) = run(&[word]);
        assert!(status == Some(0) && said.starts_with("usage: keyaki-verify FILE"), "{said}");
    }
}
