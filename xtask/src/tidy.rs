//! Rules about the sources that no compiler checks, as tests: `cargo test -p xtask tidy`.
//!
//! Each test reads the files of the working copy and lists every place that breaks its rule,
//! with what to do about it. Files that git ignores are not looked at as long as they are in a
//! folder named `target…` or begin with a dot.
//!
//! Rules are checked on code without comments and literals ([`Source`]), so a rule can be named
//! in a comment. A regular expression over the raw text was tried first and kept finding itself.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

/// Which of our crates each crate may depend on. Tests may depend on any (dev-dependencies).
const EDGES: &[(&str, &[&str])] = &[
    ("keyaki-automata", &[]),
    ("keyaki-policy", &[]),
    ("keyaki-logic", &[]),
    ("keyaki-solvers", &["keyaki-automata", "keyaki-logic"]),
    ("keyaki-analysis", &["keyaki-logic", "keyaki-policy", "keyaki-verify"]),
    (
        "keyaki",
        &["keyaki-analysis", "keyaki-logic", "keyaki-policy", "keyaki-solvers", "keyaki-verify"],
    ),
    ("keyaki-cli", &["keyaki", "keyaki-server"]),
    ("keyaki-server", &["keyaki"]),
    (
        "keyaki-properties",
        &[
            "keyaki-analysis",
            "keyaki-automata",
            "keyaki-logic",
            "keyaki-policy",
            "keyaki-solvers",
            "keyaki-verify",
        ],
    ),
    (
        "keyaki-compare",
        &[
            "keyaki",
            "keyaki-analysis",
            "keyaki-bench",
            "keyaki-logic",
            "keyaki-properties",
            "keyaki-solvers",
            "keyaki-throughput",
            "keyaki-verify",
        ],
    ),
    ("keyaki-bench", &[]),
    ("keyaki-throughput", &["keyaki"]),
    ("keyaki-testing", &[]),
    ("keyaki-verify", &[]),
    ("xtask", &[]),
];

#[test]
fn crates_depend_on_each_other_only_as_designed() {
    let found = edges_of_the_workspace();
    let mut violations = Vec::new();
    for (name, dependencies) in &found {
        match EDGES.iter().find(|(listed, _)| listed == name) {
            None => violations.push(format!("`{name}` is a new crate")),
            Some((_, listed)) if listed != dependencies => {
                violations.push(format!("`{name}` depends on {dependencies:?}, not on {listed:?}"));
            }
            Some(_) => {}
        }
    }
    for (listed, _) in EDGES.iter().filter(|(listed, _)| !found.iter().any(|(n, _)| n == listed)) {
        violations.push(format!("`{listed}` is not in the workspace"));
    }
    check(
        violations,
        "The edges between our crates are part of the design: `policy` is the oracle and knows no \
         logic, `logic` knows no policies, `analysis` knows no solver.\nMove the code to the crate \
         that may see what it needs, or make the edge a dev-dependency if only tests need it. If \
         the design has changed, change EDGES in xtask/src/tidy.rs with it.",
    );
}

#[test]
fn every_source_file_opens_with_what_it_is() {
    let lacks_comment =
        |source: &&Source| source.path.contains("/src/") && !source.text.starts_with("//!");
    let violations =
        sources().iter().filter(lacks_comment).map(|source| source.path.clone()).collect();
    check(
        violations,
        "Every file under src/ begins with a module comment (`//!`) in its first line.\nSay in two \
         to fifteen lines what the module is, what to know before trusting it, and which road was \
         not taken.",
    );
}

#[test]
fn nothing_is_left_unfinished() {
    check(
        places(&["todo!", "unimplemented!", "dbg!", "#[ignore"]),
        "No `todo!`, `unimplemented!`, `dbg!` or `#[ignore]` is committed.\nReturn an error or \
         `unknown` where something is not supported. Instead of ignoring a test, assert the wrong \
         answer with a `FIXME` and notice the day it changes.",
    );
}

#[test]
fn unsafe_is_in_one_file_of_solvers() {
    let mut violations = places(&["unsafe"]);
    let first = violations.first().and_then(|place| place.split(':').next()).map(str::to_owned);
    if let Some(file) = first.filter(|file| file.starts_with("crates/solvers/src/")) {
        violations.retain(|place| !place.starts_with(&format!("{file}:")));
    }
    check(
        violations,
        "All `unsafe` of the project is in one file of crates/solvers, the one that starts and \
         stops child processes, so that one file is all there is to audit.\nUse a safe interface \
         of the standard library, or add a safe function to that file and call it.",
    );
}

/// The most lines that have to be read to trust a certificate of formulas, and one of statements: those of the checker's sources, with what
/// both kinds share and the program, without tests, comments and empty lines. `docs/certificates.md` tells these numbers.
const CHECKERS: [(&str, usize); 2] = [("formulas", 1_140), ("statements", 1_040)];

#[test]
fn each_checker_of_certificates_is_short_enough_to_be_read() {
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
    let is_of = |path: &str, kind: &str| match path.strip_prefix("crates/verify/src/") {
        Some("lib.rs" | "main.rs" | "budget.rs" | "words.rs") => true,
        Some(path) => path.strip_prefix(kind).is_some_and(|rest| rest.starts_with(['/', '.'])),
        None => false,
    };
    let docs = fs::read_to_string(crate::root().join("docs/certificates.md")).unwrap_or_default();
    let mut violations = Vec::new();
    for (kind, most) in CHECKERS {
        let of_kind = sources().into_iter().filter(|source| is_of(&source.path, kind));
        let n_lines: usize = of_kind
            .map(|source| {
                let without_tests = source.text.split("\n#[cfg(test)]").next();
                without_tests.map_or(0, |text| text.lines().filter(is_code).count())
            })
            .sum();
        assert!(n_lines > 500, "the sources of `{kind}` are not where they were: {n_lines} lines");
        if n_lines > most {
            violations.push(format!("the checker of `{kind}` has {n_lines} lines, {most} at most"));
        }
        let told = format!("{},{:03}", most / 1_000, most % 1_000);
        if !docs.contains(&told) {
            violations.push(format!("docs/certificates.md does not tell `{told}` of `{kind}`"));
        }
    }
    check(
        violations,
        "Whoever trusts a certificate has to be able to read all that checks it.\nSay it more \
         shortly, or leave it to what is not needed to check (`requests`). Lines are not packed: \
         rustfmt decides. If a rule that certificates need takes more, change CHECKERS in \
         xtask/src/tidy.rs and what docs/certificates.md tells.",
    );
}

#[test]
fn no_file_names_a_path_outside_the_repository() {
    let outside = |source: &Source| -> Vec<String> {
        let names_one = |(at, literal): &&(usize, String)| {
            leaves_repository(&source.path, literal) && !source.may_name(*at, literal)
        };
        let place = |(at, literal): &(usize, String)| format!("{}: {literal}", source.place(*at));
        source.literals.iter().filter(names_one).map(place).collect()
    };
    check(
        sources().iter().flat_map(outside).collect(),
        "A clone alone builds and passes its tests, on any machine.\nCopy what is needed into the \
         repository (`corpus/`), or use `std::env::temp_dir()`. Only tests and chores may read \
         `../shared`, and they skip with a message where it is not there.",
    );
}

#[test]
fn code_is_told_from_comments_and_literals() {
    let text = r###"a/*b/*c*/d*/e//f
'g'"h\"i"r#"j"k"#br"l"'m '\''n"###;
    let source = Source::new("x.rs".to_owned(), text.to_owned());
    let code: String = source.code.split_whitespace().collect();
    let literals: Vec<_> = source.literals.iter().map(|(_, literal)| literal.as_str()).collect();
    assert_eq!(code, "aeb'mn");
    assert_eq!(literals, ["g", r#"h\"i"#, r#"j"k"#, "l", r"\'"]);
}

#[test]
fn a_path_leaves_the_repository_if_it_climbs_out_or_is_of_one_machine() {
    let file = "crates/policy/src/lib.rs";
    for path in ["../../../../x", "/../../../x", "/home/a/b", "/work/x", "../../shared/x"] {
        assert!(leaves_repository(file, path), "{path}");
    }
    for path in ["../../../x", "/../../x", "a/../b", "home/a", "/dev/null", "..", "a b", "shared"] {
        assert!(!leaves_repository(file, path), "{path}");
    }
}

#[test]
fn only_tests_and_chores_may_name_the_shared_data() {
    let source = |path: &str| {
        let text = r#"f("../shared/x"); #[cfg(test)] g("../shared/x")"#;
        Source::new(path.to_owned(), text.to_owned())
    };
    let named = |source: Source| -> Vec<bool> {
        source.literals.iter().map(|(at, path)| source.may_name(*at, path)).collect()
    };
    assert_eq!(named(source("crates/policy/src/lib.rs")), [false, true]);
    assert_eq!(named(source("crates/policy/tests/all.rs")), [true, true]);
    assert_eq!(named(source("xtask/src/main.rs")), [true, true]);
}

/// Fails with all violations and then the rule, unless there are none.
#[track_caller]
fn check(violations: Vec<String>, rule: &str) {
    assert!(violations.is_empty(), "\n  {}\n\n{rule}\n", violations.join("\n  "));
}

/// Where a word occurs in code, as `file:line: word`. A longer word that ends in it is another.
fn places(words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources() {
        for word in words {
            for (at, _) in source.code.match_indices(word) {
                let alone = |byte: Option<&u8>| byte.is_none_or(|byte| !is_word(*byte));
                let bytes = source.code.as_bytes();
                let before = if at == 0 { None } else { bytes.get(at - 1) };
                if alone(before) && (word.ends_with('!') || alone(bytes.get(at + word.len()))) {
                    found.push(format!("{}: {word}", source.place(at)));
                }
            }
        }
    }
    found
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether the literal, read as a path, is outside the repository or on one particular machine.
/// A path of the system, such as `/dev/null`, is neither. A path is read from the folder of `file`
/// or, where it begins with a slash as after `env!("CARGO_MANIFEST_DIR")`, from that of the crate.
fn leaves_repository(file: &str, literal: &str) -> bool {
    const OF_ONE_MACHINE: [&str; 6] = ["/home/", "/root/", "/tmp/", "/Users/", "/work/", "C:\\"];
    if is_shared(literal) || OF_ONE_MACHINE.iter().any(|start| literal.starts_with(start)) {
        return true;
    }
    let n_folders = match literal.starts_with("/..") {
        true if file.starts_with("crates/") => 2,
        true => 1,
        false => file.matches('/').count(),
    };
    let mut depth = n_folders as i64;
    Path::new(literal).components().any(|component| {
        depth += match component {
            Component::ParentDir => -1,
            Component::Normal(_) => 1,
            _ => 0,
        };
        depth < 0
    })
}

/// Whether the literal is a path to the data beside a working copy, from wherever.
fn is_shared(literal: &str) -> bool {
    let climbs = literal.trim_start_matches('/');
    let rest = climbs.trim_start_matches("../");
    rest.len() < climbs.len() && (rest == "shared" || rest.starts_with("shared/"))
}

/// A Rust file taken apart.
struct Source {
    /// From the root of the repository.
    path: String,
    text: String,
    /// `text` with spaces in the place of comments and of literals, byte for byte.
    code: String,
    /// Text and character literals without their quotes, as written, and where each begins.
    literals: Vec<(usize, String)>,
}

impl Source {
    fn new(path: String, text: String) -> Source {
        let mut code = text.clone().into_bytes();
        let mut literals = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let (skipped, literal) = token(text.as_bytes(), at);
            if skipped == 0 {
                at += 1;
                continue;
            }
            if let Some((from, to)) = literal {
                literals
                    .push((at, String::from_utf8_lossy(&text.as_bytes()[from..to]).into_owned()));
            }
            for byte in &mut code[at..at + skipped] {
                *byte = if *byte == b'\n' { b'\n' } else { b' ' };
            }
            at += skipped;
        }
        Source { path, text, code: String::from_utf8_lossy(&code).into_owned(), literals }
    }

    /// `file:line` of a byte.
    fn place(&self, at: usize) -> String {
        let line = self.text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("{}:{line}", self.path)
    }

    /// Whether the literal at `at` is a path that is allowed because only tests or chores use it.
    fn may_name(&self, at: usize, literal: &str) -> bool {
        let in_tests = ["/tests", "/benches"].iter().any(|folder| self.path.contains(folder))
            || self.path.starts_with("xtask/")
            || self.code.find("#[cfg(test)]").is_some_and(|tests| tests < at);
        (in_tests && is_shared(literal)) || self.path == "xtask/src/tidy.rs"
    }
}

/// The length of the comment or literal that begins at `at`, 0 if it is neither, and from where to
/// where the content of a literal is.
fn token(text: &[u8], at: usize) -> (usize, Option<(usize, usize)>) {
    let rest = &text[at..];
    match rest {
        [b'/', b'/', ..] => (rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len()), None),
        [b'/', b'*', ..] => (block_comment(rest), None),
        [b'"', ..] => quoted(text, at, b'"'),
        [b'r', b'"' | b'#', ..] => raw(text, at).unwrap_or((0, None)),
        [b'\'', b'\\', ..] => quoted(text, at, b'\''),
        // A lifetime has no closing quote after one character.
        [b'\'', first, ..] => {
            let width = first.leading_ones().clamp(1, 4) as usize;
            match rest.get(1 + width) {
                Some(b'\'') => (2 + width, Some((at + 1, at + 1 + width))),
                _ => (0, None),
            }
        }
        _ => (0, None),
    }
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0);
    while at < rest.len() {
        match rest[at..] {
            [b'/', b'*', ..] => (at, depth) = (at + 2, depth + 1),
            [b'*', b'/', ..] => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn quoted(text: &[u8], at: usize, quote: u8) -> (usize, Option<(usize, usize)>) {
    let mut end = at + 1;
    while end < text.len() && text[end] != quote {
        end += if text[end] == b'\\' { 2 } else { 1 };
    }
    let end = end.min(text.len());
    ((end + 1).min(text.len()) - at, Some((at + 1, end)))
}

/// None if the `r` at `at` does not open a raw text literal. A `b` or `c` before it counts as code.
fn raw(text: &[u8], at: usize) -> Option<(usize, Option<(usize, usize)>)> {
    let word = text[..at].iter().rev().take_while(|byte| is_word(**byte)).count();
    if word > 1 || word == 1 && !matches!(text[at - 1], b'b' | b'c') {
        return None;
    }
    let hashes = text[at + 1..].iter().take_while(|byte| **byte == b'#').count();
    let from = at + 2 + hashes;
    if text.get(from - 1) != Some(&b'"') {
        return None;
    }
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let length = text[from..].windows(close.len()).position(|window| window == close)?;
    Some((2 + hashes + length + close.len(), Some((from, from + length))))
}

/// Every Rust file of the working copy, sorted by path.
fn sources() -> Vec<Source> {
    let mut paths = Vec::new();
    collect(crate::root(), &mut paths);
    paths.sort();
    let source = |path: &PathBuf| {
        let name = path.strip_prefix(crate::root()).expect("collected below the root");
        let text = fs::read_to_string(path).expect("a source file is readable UTF-8");
        Source::new(name.to_string_lossy().replace('\\', "/"), text)
    };
    paths.iter().map(source).collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the working copy is readable") {
        let entry = entry.expect("an entry of a readable folder");
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().expect("the type of an entry");
        if kind.is_dir() && !name.starts_with('.') && !name.starts_with("target") {
            collect(&entry.path(), paths);
        } else if kind.is_file() && name.ends_with(".rs") {
            paths.push(entry.path());
        }
    }
}

/// Each crate and, sorted, those of our crates that its code or build script depends on.
fn edges_of_the_workspace() -> Vec<(String, Vec<String>)> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(crate::root())
        .output()
        .expect("cargo starts, as it started this test");
    let stderr = String::from_utf8_lossy(&output.stderr);
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no metadata: {stderr}"));
    let packages = metadata["packages"].as_array().expect("metadata lists packages");
    let names: Vec<&str> = packages.iter().filter_map(|package| package["name"].as_str()).collect();
    let edges = |package: &serde_json::Value| {
        let listed = package["dependencies"].as_array().into_iter().flatten();
        let mut ours: Vec<String> = listed
            .filter(|dependency| dependency["kind"] != "dev")
            .filter_map(|dependency| dependency["name"].as_str())
            .filter(|name| names.contains(name))
            .map(str::to_owned)
            .collect();
        ours.sort();
        (package["name"].as_str().unwrap_or_default().to_owned(), ours)
    };
    packages.iter().map(edges).collect()
}
