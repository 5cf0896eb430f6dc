//! Certificates with one thing wrong, and what may come of them.
//!
//! A byte, a step or a term, a literal, an index, or a hint is changed, dropped, doubled, or exchanged with another of its kind; or the opposite of what
//! is shown is claimed. A checker has to reject it, or it is a certificate still: of the same formulas, or of others, which then
//! have no model. That a wrong text is read at all depends on the hash of the formulas, so that can be set right.

use std::collections::BTreeSet;
use std::ops::Range;

use keyaki_logic::certificate::hash;
use keyaki_verify::{Query, Value, verify};

/// Values of the variables of formulas that are tried for each certificate that shows something else than it did.
const N_VALUES: usize = 400;

/// What is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A byte anywhere.
    Byte,
    /// A line of the proof.
    Step,
    /// A line of the formulas.
    Term,
    /// A literal of a step.
    Literal,
    /// A number that is no hint: of a term, an assertion, a width, a character, a repetition.
    Index,
    /// A step that another names.
    Hint,
}

/// All of them.
pub const WHAT: [What; 6] =
    [What::Byte, What::Step, What::Term, What::Literal, What::Index, What::Hint];

/// How it is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// A bit of a byte is flipped, the sign of a literal turned, a number made one more or less.
    Flip,
    /// It is left out.
    Drop,
    /// It stands there twice.
    Double,
    /// It stands in the place of another of its kind, and that in its place.
    Swap,
}

impl How {
    /// All of them.
    pub const ALL: [How; 4] = [How::Flip, How::Drop, How::Double, How::Swap];
}

/// What became of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It is none any more.
    Rejected,
    /// It is one of the same formulas, by the same or another proof.
    ShowsTheSame,
    /// It is one of other formulas, of which no model was found.
    ShowsAnother,
}

/// The formulas of a certificate.
pub(crate) fn formulas(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("\nquery ")?;
    let (_, rest) = rest.split_once('\n')?;
    rest.split_once("proof\n").map(|(query, _)| query)
}

/// The text with the hash of what its formulas are, if it has some.
pub fn with_hash(text: &str) -> String {
    match formulas(text) {
        Some(query) => {
            let at = query.as_ptr() as usize - text.as_ptr() as usize;
            format!("keyaki-certificate 1\nquery {}\n{}", hash(query), &text[at..])
        }
        None => text.to_owned(),
    }
}

/// The certificate with one thing wrong; `None` if it has nothing of this kind. `below` draws a number below another.
pub fn damaged(
    text: &str,
    what: What,
    how: How,
    below: &mut dyn FnMut(usize) -> usize,
) -> Option<Vec<u8>> {
    let all = places(text, what);
    let (at, other) = (below(all.len().max(1)), below(all.len().max(1)));
    let (place, other) = (all.get(at)?.clone(), all.get(other)?.clone());
    let (bytes, own) = (text.as_bytes(), &text.as_bytes()[place.clone()]);
    let with = |new: &[u8]| [&bytes[..place.start], new, &bytes[place.end..]].concat();
    Some(match how {
        How::Flip => with(&flipped(own, what, below)),
        How::Drop => with(b""),
        How::Double => with(&[own, own].concat()),
        How::Swap => {
            let (first, second) =
                if place.start <= other.start { (place, other) } else { (other, place) };
            if first.start == second.start {
                return Some(bytes.to_vec());
            }
            [
                &bytes[..first.start],
                &bytes[second.clone()],
                &bytes[first.end..second.start],
                &bytes[first],
                &bytes[second.end..],
            ]
            .concat()
        }
    })
}

fn flipped(own: &[u8], what: What, below: &mut dyn FnMut(usize) -> usize) -> Vec<u8> {
    let text = String::from_utf8_lossy(own);
    match what {
        What::Byte => own.iter().map(|byte| byte ^ (1 << below(8))).collect(),
        What::Literal => match text.strip_prefix('+') {
            Some(rest) => format!("-{rest}").into_bytes(),
            None => text.replacen('-', "+", 1).into_bytes(),
        },
        What::Index | What::Hint => {
            let number: u128 = text.trim().parse().unwrap_or(0);
            let number = match below(2) {
                0 => number.saturating_add(1),
                _ => number.saturating_sub(1),
            };
            text.replacen(text.trim(), &number.to_string(), 1).into_bytes()
        }
        // The words in the opposite order.
        What::Step | What::Term => {
            let words: Vec<&str> = text.trim_end_matches('\n').split(' ').rev().collect();
            format!("{}\n", words.join(" ")).into_bytes()
        }
    }
}

/// Where there is something of the kind, with the space or the line feed behind it.
fn places(text: &str, what: What) -> Vec<Range<usize>> {
    if what == What::Byte {
        return (0..text.len()).map(|at| at..at + 1).collect();
    }
    let proof = text.find("proof\n").unwrap_or(text.len());
    let (mut found, mut at) = (Vec::new(), 0);
    for line in text.split_inclusive('\n') {
        let is_proof = at > proof;
        match what {
            What::Step if is_proof && line != "end\n" => found.push(at..at + line.len()),
            What::Term if !is_proof && at < proof => found.push(at..at + line.len()),
            What::Literal | What::Index | What::Hint => {
                let (mut start, mut is_hint) = (at, false);
                for word in line.split_inclusive([' ', '\n']) {
                    let bare = word.trim_end();
                    let is_number = !bare.is_empty() && bare.bytes().all(|b| b.is_ascii_digit());
                    let is_literal = is_proof && bare.len() > 1 && bare.starts_with(['+', '-']);
                    if match what {
                        What::Literal => is_literal,
                        What::Hint => is_hint,
                        _ => is_number && !is_hint,
                    } {
                        // The line feed stays where it is.
                        let end = start + word.trim_end_matches('\n').len();
                        found.push(start..end);
                    }
                    is_hint |= is_proof && bare == ":";
                    start += word.len();
                }
            }
            _ => {}
        }
        at += line.len();
    }
    found
}

/// The certificate as one of the opposite: that it is impossible that not all assertions hold, by the same proof. `None` for
/// one without formulas.
pub fn opposite(text: &str) -> Option<String> {
    let query = formulas(text)?;
    let (mut new, mut n_terms, mut asserted) = (String::new(), 0, Vec::new());
    let close = |new: &mut String, n_terms: usize, asserted: &mut Vec<String>| {
        if !asserted.is_empty() {
            *new += &format!(
                "and {}\nnot {n_terms}\nassert {} \"all\"\n",
                asserted.join(" "),
                n_terms + 1
            );
        }
        asserted.clear();
    };
    for line in query.lines() {
        let mut words = line.split(' ');
        match words.next() {
            Some("part") => {
                close(&mut new, n_terms, &mut asserted);
                n_terms = 0;
                new += &format!("{line}\n");
            }
            Some("assert") => asserted.push(words.next()?.to_owned()),
            _ => {
                n_terms += 1;
                new += &format!("{line}\n");
            }
        }
    }
    let is_any = !asserted.is_empty();
    close(&mut new, n_terms, &mut asserted);
    is_any.then(|| with_hash(&text.replacen(query, &new, 1)))
}

/// What the checker says of a text that was a certificate of these formulas, by their hash.
///
/// # Panics
///
/// It shows that formulas have no model, and one of them is found.
pub fn fate(damaged: &[u8], query: &str, below: &mut dyn FnMut(usize) -> usize) -> Fate {
    match verify(damaged) {
        Err(_) => Fate::Rejected,
        Ok(verified) if verified.query == query => Fate::ShowsTheSame,
        Ok(_) => {
            let text = String::from_utf8_lossy(damaged);
            let model = model(formulas(&text).expect("it was accepted"), below);
            assert_eq!(model, None, "is a model of what is shown to have none:\n{text}");
            Fate::ShowsAnother
        }
    }
}

/// Values under which all assertions of a formula hold, of those that are tried: texts and numbers of the formulas.
fn model<'q>(
    query: &'q str,
    below: &mut dyn FnMut(usize) -> usize,
) -> Option<Vec<(String, Value)>> {
    let words: BTreeSet<&str> = query.split([' ', '\n']).collect();
    let of_word = |word: &&'q str| -> Option<&'q str> { word.strip_prefix('"')?.strip_suffix('"') };
    let mut texts: Vec<String> = words.iter().filter_map(of_word).map(unescaped).collect();
    texts.extend(["".to_owned(), "123456789012".to_owned()]);
    let mut numbers: Vec<u128> = words.iter().filter_map(|word| word.parse().ok()).collect();
    numbers.push(0);
    let variables: Vec<(&str, String)> = query
        .lines()
        .filter_map(|line| {
            let (sort, name) = line.strip_prefix("var ")?.rsplit_once(' ')?;
            Some((sort, unescaped(of_word(&name)?)))
        })
        .collect();
    let mut read = Query::read(query).ok()?;
    for _ in 0..N_VALUES {
        let values: Vec<(String, Value)> = variables
            .iter()
            .map(|(sort, name)| {
                let value = match *sort {
                    "truth" => Value::Truth(below(2) == 0),
                    "text" => {
                        let mut text = texts[below(texts.len())].clone();
                        if below(3) == 0 {
                            text += &texts[below(texts.len())];
                        }
                        Value::Text(text)
                    }
                    bits => {
                        let width = bits.strip_prefix("bits ").and_then(|n| n.parse().ok());
                        let width: u32 = width.unwrap_or(1);
                        let number = numbers[below(numbers.len())];
                        Value::Bits(number & (u128::MAX >> (128 - width)))
                    }
                };
                (name.clone(), value)
            })
            .collect();
        let of = |name: &str| {
            values.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
        };
        for part in 0..read.n_parts() {
            let Ok(truths) = read.truths(part, of) else { continue };
            if truths.iter().all(|truth| *truth == Some(true)) {
                return Some(values);
            }
        }
    }
    None
}

/// A text as it is, from what a certificate writes between quotes.
fn unescaped(text: &str) -> String {
    let mut pieces = text.split("\\u{");
    let mut whole = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (code, rest) = piece.split_once('}').unwrap_or(("", piece));
        whole.extend(u32::from_str_radix(code, 16).ok().and_then(char::from_u32));
        whole += rest;
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: &str = include_str!("../../../corpus/certificates/empty.txt");

    #[test]
    fn every_kind_of_damage_is_one_and_the_model_of_what_is_no_certificate_is_found() {
        let query = verify(RIGHT.as_bytes()).unwrap().query;
        assert_eq!(with_hash(RIGHT), RIGHT);
        let mut state = 1_usize;
        let mut below = |bound: usize| {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            (state >> 33) % bound
        };
        for what in WHAT {
            for how in How::ALL {
                let mut n_changed = 0;
                for _ in 0..20 {
                    let damaged = damaged(RIGHT, what, how, &mut below).unwrap();
                    n_changed += usize::from(damaged != RIGHT.as_bytes());
                    assert_ne!(fate(&damaged, &query, &mut below), Fate::ShowsAnother);
                }
                assert!(n_changed > 0, "{what:?} {how:?}");
            }
        }
        let opposite = opposite(RIGHT).unwrap();
        assert_eq!(fate(opposite.as_bytes(), &query, &mut below), Fate::Rejected);
        assert!(model(formulas(&opposite).unwrap(), &mut below).is_some());
        assert_eq!(model(formulas(RIGHT).unwrap(), &mut below), None);
    }
}
