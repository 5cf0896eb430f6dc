//! A pattern with variables, said without quantifiers and exactly.
//!
//! A pattern is cut at its stars into segments. The first has to stand at the beginning of the
//! string, the last at the end, and of those between each may as well stand where it occurs first
//! behind the one before it: every other choice leaves less room for the rest. Where a
//! single character stands is known from the segment's beginning or, in the last segment,
//! from its end, so [`Piece::AnyChar`] is `str.at` of that position. Between two stars that position
//! is not known before the segment is found: characters behind the last text of a
//! segment only shift where the next may begin, but one between two texts cannot be said with
//! `str.indexof`. Such a pattern is refused.

use std::fmt::Write as _;

use super::string;
use crate::template::Piece;
use crate::term::Term;

/// True if and only if the string `x` matches the pieces. `symbol` gives the text of a string term.
///
/// # Errors
///
/// What cannot be said.
pub(super) fn formula(
    x: &str,
    pieces: &[Piece],
    symbol: &dyn Fn(Term) -> String,
) -> Result<String, String> {
    let mut segments: Vec<Vec<Part>> = vec![vec![]];
    for piece in pieces {
        let part = match piece {
            Piece::Any => {
                segments.push(vec![]);
                continue;
            }
            Piece::AnyChar => Part::AnyChar,
            Piece::Text(text) => Part::Text { text: string(text), n_chars: text.chars().count() },
            Piece::Value(term) => Part::Value(symbol(*term)),
        };
        segments.last_mut().expect("there is a first segment").push(part);
    }
    match (segments.pop(), segments.is_empty()) {
        (Some(only), true) => Ok(whole(x, &only)),
        (Some(last), false) => with_stars(x, &segments[0], &segments[1..], &last),
        (None, _) => unreachable!("there is a first segment"),
    }
}

/// What a segment is made of.
enum Part {
    Text { text: String, n_chars: usize },
    Value(String),
    AnyChar,
}

/// True if and only if `x` is an instance of the segment.
fn whole(x: &str, segment: &[Part]) -> String {
    let equal = format!("(= {x} {})", from_start(x, segment));
    if has_any_char(segment) {
        // Past the end `str.at` is empty, hence the length.
        format!("(and (= (str.len {x}) {}) {equal})", length(segment))
    } else {
        equal
    }
}

/// True if and only if `x` is an instance of `first`, then for each of `middle` any text and an
/// instance of it, then any text and an instance of `last`.
fn with_stars(
    x: &str,
    first: &[Part],
    middle: &[Vec<Part>],
    last: &[Part],
) -> Result<String, String> {
    if let ([], [only], []) = (first, middle, last)
        && !has_any_char(only)
    {
        return Ok(format!("(str.contains {x} {})", from_start(x, only)));
    }
    let mut tests = Vec::new();
    if !first.is_empty() {
        tests.push(format!("(str.prefixof {} {x})", from_start(x, first)));
    }
    if !last.is_empty() {
        tests.push(format!("(str.suffixof {} {x})", from_end(x, last)));
    }
    let mut end = length(first);
    let mut open = String::new();
    for (number, segment) in middle.iter().enumerate() {
        let behind = segment.iter().rev().take_while(|part| matches!(part, Part::AnyChar)).count();
        let core = &segment[..segment.len() - behind];
        if has_any_char(core) {
            return Err("a single-character wildcard between two stars, beside a variable".into());
        }
        let found = format!("$found{number}");
        let text = from_start(x, core);
        write!(open, "(let (({found} (str.indexof {x} {text} {end}))) (and (>= {found} 0) ")
            .expect("writing to a string cannot fail");
        end = plus(&found, &length(segment));
    }
    // The texts of the two ends must not overlap, and each wildcard needs its character. One text
    // alone at one end cannot but fit.
    let one_end = first.is_empty() != last.is_empty();
    let fits = middle.is_empty() && one_end && !has_any_char(first) && !has_any_char(last);
    if !fits {
        let close = "))".repeat(middle.len());
        let end = plus(&end, &length(last));
        tests.push(format!("{open}(<= {end} (str.len {x})){close}"));
    }
    Ok(and(&tests))
}

fn has_any_char(segment: &[Part]) -> bool {
    segment.iter().any(|part| matches!(part, Part::AnyChar))
}

/// The text of the segment if it stands at the beginning of `x`.
fn from_start(x: &str, segment: &[Part]) -> String {
    concat(segment.iter().enumerate().map(|(i, part)| match part {
        Part::AnyChar => format!("(str.at {x} {})", length(&segment[..i])),
        Part::Text { text, .. } | Part::Value(text) => text.clone(),
    }))
}

/// The text of the segment if it stands at the end of `x`.
fn from_end(x: &str, segment: &[Part]) -> String {
    concat(segment.iter().enumerate().map(|(i, part)| match part {
        Part::AnyChar => format!("(str.at {x} (- (str.len {x}) {}))", length(&segment[i..])),
        Part::Text { text, .. } | Part::Value(text) => text.clone(),
    }))
}

/// The length of the segment.
fn length(segment: &[Part]) -> String {
    let mut known = 0;
    let mut terms = Vec::new();
    for part in segment {
        match part {
            Part::AnyChar => known += 1,
            Part::Text { n_chars, .. } => known += n_chars,
            Part::Value(text) => terms.push(format!("(str.len {text})")),
        }
    }
    if known > 0 || terms.is_empty() {
        terms.push(known.to_string());
    }
    match &terms[..] {
        [only] => only.clone(),
        _ => format!("(+ {})", terms.join(" ")),
    }
}

fn plus(a: &str, b: &str) -> String {
    match (a, b) {
        ("0", sum) | (sum, "0") => sum.to_owned(),
        _ => format!("(+ {a} {b})"),
    }
}

fn concat(parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<String> = parts.collect();
    match &parts[..] {
        [] => string(""),
        [only] => only.clone(),
        _ => format!("(str.++ {})", parts.join(" ")),
    }
}

fn and(tests: &[String]) -> String {
    match tests {
        [only] => only.clone(),
        _ => format!("(and {})", tests.join(" ")),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::term::{Node, Sort, Terms};

    /// Checks the formula for the pattern, in which `v` and `w` are variables.
    #[track_caller]
    fn check(pattern: &str, expected: Option<Expect>) {
        let mut t = Terms::new();
        let x = t.var("x", Sort::String);
        let pieces: Vec<Piece> = pattern
            .chars()
            .map(|c| match c {
                '*' => Piece::Any,
                '?' => Piece::AnyChar,
                'v' | 'w' => Piece::Value(t.var(&c.to_string(), Sort::String)),
                _ => Piece::text(&c.to_string()),
            })
            .collect();
        let term = t.matches(x, pieces);
        let Node::Matches(_, pieces) = t.node(term) else { panic!("{pattern} is a template") };
        let symbol = |term| match t.node(term) {
            Node::Var(index) => t.variable(*index).0.to_owned(),
            node => panic!("{node:?}"),
        };
        match (formula("x", pieces, &symbol), expected) {
            (Ok(text), Some(expected)) => expected.assert_eq(&text),
            (Err(_), None) => {}
            (result, _) => panic!("{pattern}: {result:?}"),
        }
    }

    #[test]
    fn without_stars_a_template_is_a_concatenation() {
        check("ab/v", Some(expect![[r#"(= x (str.++ "ab/" v))"#]]));
        check(
            "v?",
            Some(expect![[
                r#"(and (= (str.len x) (+ (str.len v) 1)) (= x (str.++ v (str.at x (str.len v)))))"#
            ]]),
        );
    }

    #[test]
    fn two_ends_do_not_overlap() {
        check("v*", Some(expect!["(str.prefixof v x)"]));
        check(
            "a/v*/w",
            Some(expect![[
                r#"(and (str.prefixof (str.++ "a/" v) x) (str.suffixof (str.++ "/" w) x) (<= (+ (+ (str.len v) 2) (+ (str.len w) 1)) (str.len x)))"#
            ]]),
        );
        check(
            "v*?/",
            Some(expect![[
                r#"(and (str.prefixof (str.++ v (str.at x (str.len v))) x) (str.suffixof "/" x) (<= (+ (+ (str.len v) 1) 1) (str.len x)))"#
            ]]),
        );
        check(
            "*/v?",
            Some(expect![[
                r#"(and (str.suffixof (str.++ "/" v (str.at x (- (str.len x) 1))) x) (<= (+ (str.len v) 2) (str.len x)))"#
            ]]),
        );
    }

    #[test]
    fn between_stars_the_first_occurrence_is_taken() {
        check("*v*", Some(expect!["(str.contains x v)"]));
        check(
            "a*v*w*",
            Some(expect![[
                r#"(and (str.prefixof "a" x) (let (($found0 (str.indexof x v 1))) (and (>= $found0 0) (let (($found1 (str.indexof x w (+ $found0 (str.len v))))) (and (>= $found1 0) (<= (+ $found1 (str.len w)) (str.len x)))))))"#
            ]]),
        );
        check(
            "*v?*b",
            Some(expect![[
                r#"(and (str.suffixof "b" x) (let (($found0 (str.indexof x v 0))) (and (>= $found0 0) (<= (+ (+ $found0 (+ (str.len v) 1)) 1) (str.len x)))))"#
            ]]),
        );
        check("*v?b*", None);
    }
}
