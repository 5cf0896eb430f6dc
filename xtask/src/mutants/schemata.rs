//! All mutants of some files in one build, each chosen when a test starts (Untch, "Mutation-based software testing using program
//! schemata", 1992).
//!
//! The body of a function becomes a `match` on the number of the mutant that is tried, with one changed copy of the body for each of its
//! mutants and the body itself for all other numbers. So a crate is built once for hundreds of mutants, and one costs what its tests take.
//! What this cannot say is built alone: what stands outside of a function or in one within another, functions of constants, and
//! those whose type is `impl` of something, as every copy would have a type of its own.
//! Building each mutant, as `cargo mutants` does, was not kept: most of the time went into the linker.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::Value;

/// The variable that says which mutant is tried; none if it is not set.
pub(super) const VARIABLE: &str = "KEYAKI_MUTANT";

/// What the root of a crate gets.
const TRIED: &str = r#"
#[doc(hidden)]
pub(crate) fn mutant_that_is_tried() -> usize {
    static TRIED: std::sync::LazyLock<usize> = std::sync::LazyLock::new(|| {
        let set = std::env::var("KEYAKI_MUTANT").ok();
        set.and_then(|number| number.parse().ok()).unwrap_or(0)
    });
    *TRIED
}
"#;

/// One small mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mutant {
    /// What cargo-mutants calls it, with the how-many-eth of that name it is in place of line and column: so it keeps its name when
    /// something else is edited.
    pub(super) name: String,
    /// From the root of the workspace.
    pub(super) file: String,
    /// The bytes that are replaced.
    pub(super) place: Range<usize>,
    pub(super) replacement: String,
    /// The bytes of the function, if it is in one.
    pub(super) function: Option<Range<usize>>,
}

/// The mutants of the JSON that cargo-mutants lists, in its order, with the texts of their files.
pub(super) fn read(
    json: &str,
    source: impl Fn(&str) -> Result<String, String>,
) -> Result<Vec<Mutant>, String> {
    let json: Value = serde_json::from_str(json).map_err(|e| format!("no list: {e}"))?;
    let all = json.as_array().ok_or("the list is none")?;
    let (mut mutants, mut counts, mut sources) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
    for value in all {
        let wrong = || format!("cannot read the mutant {value}");
        let of = |what: &str| value[what].as_str().ok_or_else(wrong);
        let (file, name) = (of("file")?, of("name")?);
        // FILE:LINE:COLUMN: what is done
        let rest = name.strip_prefix(file).and_then(|rest| rest.strip_prefix(':'));
        let what = rest.and_then(|rest| rest.splitn(3, ':').nth(2)).ok_or_else(wrong)?;
        if !sources.contains_key(file) {
            sources.insert(file, source(file)?);
        }
        let text = &sources[file];
        let short = format!("{file}:{what}");
        let count = counts.entry(short.clone()).or_insert(0);
        *count += 1;
        mutants.push(Mutant {
            name: format!("{short} #{count}"),
            file: file.to_owned(),
            place: bytes(text, &value["span"]).ok_or_else(wrong)?,
            replacement: of("replacement")?.to_owned(),
            function: bytes(text, &value["function"]["span"]),
        });
    }
    Ok(mutants)
}

/// Lines and columns, in characters from 1, as bytes.
fn bytes(text: &str, span: &Value) -> Option<Range<usize>> {
    let at = |end: &str| {
        let number = |what: &str| span[end][what].as_u64()?.checked_sub(1);
        let (line, column) = (number("line")? as usize, number("column")? as usize);
        let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
        let rest = text.get(start..)?;
        Some(start + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at))
    };
    Some(at("start")?..at("end")?)
}

/// The text with the mistake made.
pub(super) fn alone(text: &str, mutant: &Mutant) -> String {
    [&text[..mutant.place.start], &mutant.replacement, &text[mutant.place.end..]].concat()
}

/// The bytes of the body of a function between its braces, if mutants can be chosen there.
fn body(text: &str, function: &Range<usize>) -> Option<Range<usize>> {
    let (mut depth, mut at, mut signature) = (0_u32, function.start, String::new());
    loop {
        let rest = text.get(at..function.end)?;
        let c = rest.chars().next()?;
        if rest.starts_with("//") {
            at += rest.find('\n')?;
            continue;
        }
        match c {
            '{' if depth == 0 => break,
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.checked_sub(1)?,
            _ if depth == 0 => signature.push(c),
            _ => {}
        }
        at += c.len_utf8();
    }
    let words: Vec<&str> = signature.split_whitespace().collect();
    let result = signature.split_once("->").map_or("", |(_, result)| result);
    let cannot = words.contains(&"const") || result.contains("impl ") || result.contains("impl<");
    let body = at + 1..function.end.checked_sub(1)?;
    (!cannot && text.get(body.end..function.end) == Some("}")).then_some(body)
}

/// A file with some of its mutants in it.
#[derive(Debug, Default)]
pub(super) struct Schema {
    pub(super) text: String,
    /// Where the mutants stand, by their numbers.
    pub(super) places: Vec<(usize, Range<usize>)>,
}

/// The text of a file with those of the numbered mutants, all of this file, that can be chosen when it runs.
pub(super) fn together(text: &str, mutants: &[(usize, &Mutant)]) -> Schema {
    let mut functions: BTreeMap<(usize, usize), Vec<(usize, &Mutant)>> = BTreeMap::new();
    for (number, mutant) in mutants {
        if let Some(function) = &mutant.function {
            functions.entry((function.start, function.end)).or_default().push((*number, mutant));
        }
    }
    let (mut schema, mut done) = (Schema::default(), 0);
    for ((start, end), mutants) in functions {
        let Some(body) = body(text, &(start..end)) else { continue };
        if body.start < done {
            continue;
        }
        schema.text += &text[done..body.start];
        schema.text += " match crate::mutant_that_is_tried() {\n";
        for (number, mutant) in mutants {
            let place = &mutant.place;
            if place.start < body.start || place.end > body.end {
                continue;
            }
            let from = schema.text.len();
            schema.text += &format!(
                "{number} => {{{}{}{}}}\n",
                &text[body.start..place.start],
                mutant.replacement,
                &text[place.end..body.end]
            );
            schema.places.push((number, from..schema.text.len()));
        }
        schema.text += &format!("_ => {{{}}}\n}} ", &text[body.clone()]);
        done = body.end;
    }
    schema.text += &text[done..];
    schema
}

/// The text of the root of a crate, in whose functions mutants are chosen.
pub(super) fn root(text: &str) -> String {
    format!("{text}{TRIED}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use super::*;

    const SOURCE: &str = "//! é\nimpl A {\n    /// {\n    fn a(x: [u8; 2]) -> bool {\n        1 < 2\n    }\n}\nconst fn b() -> u8 { 1 + 1 }\n";

    fn mutants() -> Vec<Mutant> {
        let span = |line: u32, from: u32, end: u32, upto: u32| {
            let place = |line, column| format!(r#"{{"line":{line},"column":{column}}}"#);
            format!(r#"{{"start":{},"end":{}}}"#, place(line, from), place(end, upto))
        };
        let one = |name: &str, replacement: &str, place: String, function: String| {
            format!(
                r#"{{"file":"a.rs","name":"a.rs:{name}","replacement":"{replacement}","span":{place},
                "function":{{"span":{function}}}}}"#
            )
        };
        let json = format!(
            "[{},{},{}]",
            one("5:11: replace < with > in A::a", ">", span(5, 11, 5, 12), span(3, 5, 6, 6)),
            one("5:11: replace < with == in A::a", "==", span(5, 11, 5, 12), span(3, 5, 6, 6)),
            one("8:24: replace + with - in b", "-", span(8, 24, 8, 25), span(8, 1, 8, 29)),
        );
        read(&json, |_| Ok(SOURCE.to_owned())).unwrap()
    }

    #[test]
    fn names_have_counts_in_place_of_lines() {
        let names: Vec<String> = mutants().into_iter().map(|mutant| mutant.name).collect();
        let [first, second, third] = &names[..] else { panic!("{names:?}") };
        assert_eq!(first, "a.rs: replace < with > in A::a #1");
        assert_eq!(second, "a.rs: replace < with == in A::a #1");
        assert_eq!(third, "a.rs: replace + with - in b #1");
    }

    #[test]
    fn bodies_are_chosen_and_what_cannot_be_is_left() {
        let mutants = mutants();
        let numbered: Vec<(usize, &Mutant)> = (1..).zip(&mutants).collect();
        let schema = together(SOURCE, &numbered);
        let numbers: Vec<usize> = schema.places.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [1, 2], "a function of constants is built alone");
        assert!(schema.text.contains("-> bool { match crate::mutant_that_is_tried() {\n1 => {\n"));
        for (number, what) in [(0, "1 > 2"), (1, "1 == 2")] {
            assert!(schema.text[schema.places[number].1.clone()].contains(what));
        }
        assert!(schema.text.contains("_ => {\n        1 < 2\n    }\n} }\n}\n"), "{}", schema.text);
        assert_eq!(alone(SOURCE, &mutants[2]), SOURCE.replace("1 + 1", "1 - 1"));
    }
}
