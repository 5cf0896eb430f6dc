//! Random formulas as JSON, and what they mean over few values.
//!
//! A term is a text, the truth variable of that name, or a list that begins with what it is:
//! `["or", ["is", "x", "ab"], ["not", ["in", "y", ["concat", "a", ["all"]]]]]`. A regular
//! expression is a text or such a list. Strings are made from few letters and few words, so that
//! complements run out of values, and variables that have to differ do too.

use arbitrary::{Result, Unstructured};
use keyaki_logic::{Formula, Model, Piece, Regex, Sort, Term, Terms, Value as Constant};
use serde_json::{Value, json};

use crate::{NoCase, case};

const BOOLS: [&str; 2] = ["p", "q"];
const STRINGS: [&str; 3] = ["x", "y", "z"];
const BITS: [&str; 2] = ["m", "n"];

/// The width of the bit vectors.
const WIDTH: u32 = 2;

/// The words that strings are tried with; those of which formulas speak, and a few more.
const WORDS: [&str; 9] = ["", "a", "b", "aa", "ab", "ba", "bb", "c", "abc"];

/// The terms of a case may be nested so deep; what is drawn is less.
const MAX_DEPTH: u32 = 100;

/// The most repetitions that a case may ask for.
const MAX_REPETITIONS: u64 = 100;

/// What a formula may contain.
#[derive(Clone, Copy)]
struct Mix {
    n_strings: usize,
    n_bits: usize,
    templates: bool,
}

/// A formula over strings, bits, or strings that are related by templates.
pub(crate) fn draw(u: &mut Unstructured<'_>) -> Result<Value> {
    let mix = match u.int_in_range(0..=5)? {
        0 | 1 => Mix { n_strings: 3, n_bits: 0, templates: false },
        2 | 3 => Mix { n_strings: 1, n_bits: 2, templates: false },
        4 => Mix { n_strings: 2, n_bits: 1, templates: false },
        _ => Mix { n_strings: 3, n_bits: 0, templates: true },
    };
    let mut assertions = Vec::new();
    for name in &STRINGS[..mix.n_strings] {
        // Few words, so that disequalities and complements can run out of them.
        if u.ratio(1, 2)? {
            let mut words = vec![json!("union")];
            for _ in 0..u.int_in_range(1..=3)? {
                words.push(json!(u.choose(&WORDS)?));
            }
            assertions.push(json!(["in", name, words]));
        }
    }
    for _ in 0..u.int_in_range(1..=5)? {
        let depth = u.int_in_range(0..=3)?;
        assertions.push(draw_term(u, mix, depth)?);
    }
    Ok(json!({ "assertions": assertions }))
}

fn draw_term(u: &mut Unstructured<'_>, mix: Mix, depth: u32) -> Result<Value> {
    let negated = |term: Value, is_negated: bool| match is_negated {
        true => json!(["not", term]),
        false => term,
    };
    if depth == 0 || u.ratio(1, 5)? {
        let atom = draw_atom(u, mix)?;
        return Ok(negated(atom, u.arbitrary()?));
    }
    let mut term = vec![json!(if u.arbitrary()? { "and" } else { "or" })];
    for _ in 0..u.int_in_range(1..=4)? {
        term.push(draw_term(u, mix, depth - 1)?);
    }
    Ok(negated(json!(term), u.ratio(1, 3)?))
}

fn draw_atom(u: &mut Unstructured<'_>, mix: Mix) -> Result<Value> {
    let string = |u: &mut Unstructured<'_>| u.choose(&STRINGS[..mix.n_strings]).copied();
    Ok(match u.int_in_range(0..=9)? {
        0 => json!(u.choose(&BOOLS)?),
        1 | 2 => json!(["is", string(u)?, u.choose(&WORDS)?]),
        3 => json!(["same", string(u)?, string(u)?]),
        4 | 5 if mix.templates => {
            let text = if u.ratio(1, 6)? { json!({"text": "ab"}) } else { json!(string(u)?) };
            let mut pieces = Vec::new();
            for _ in 0..u.int_in_range(1..=4)? {
                pieces.push(match u.int_in_range(0..=5)? {
                    i @ 0..=3 => json!(["?", "*", "a", "b"][i]),
                    _ => json!(["value", string(u)?]),
                });
            }
            json!(["matches", text, pieces])
        }
        6..=8 if mix.n_bits > 0 => {
            let name = u.choose(&BITS[..mix.n_bits])?;
            if mix.n_bits > 1 && u.ratio(1, 4)? {
                json!(["same-bits", name, u.choose(&BITS)?])
            } else {
                let length = u.int_in_range(1..=WIDTH)?;
                json!(["first", name, u.int_in_range(0..=(1 << length) - 1)?, length])
            }
        }
        _ => json!(["in", string(u)?, draw_language(u, 2)?]),
    })
}

/// A regular expression over the letters of the words, with all operators that scripts have.
fn draw_language(u: &mut Unstructured<'_>, depth: u32) -> Result<Value> {
    if depth == 0 || u.ratio(1, 2)? {
        return draw_regex(u, depth);
    }
    let inner = draw_language(u, depth - 1)?;
    Ok(match u.int_in_range(0..=3)? {
        0 => json!(["complement", inner]),
        1 => json!(["intersection", inner, draw_language(u, depth - 1)?]),
        2 => json!(["loop", inner, u.int_in_range(0..=3)?, u.int_in_range(0..=3)?]),
        _ => json!(["concat", draw_regex(u, depth - 1)?, inner]),
    })
}

/// A regular expression over the letters of the words, as engines for text have it.
pub(crate) fn draw_regex(u: &mut Unstructured<'_>, depth: u32) -> Result<Value> {
    let last = if depth == 0 { 5 } else { 9 };
    Ok(match u.int_in_range(0..=last)? {
        0 | 1 => json!(u.choose(&WORDS)?),
        2 => json!(["any"]),
        3 => json!(["all"]),
        4 => json!(["chars", "a", u.choose(&["a", "b", "z", "\u{10ffff}"])?]),
        5 => json!(["not-char", u.choose(&["a", "b"])?]),
        choice @ 6..=8 => {
            let mut parts = vec![json!(if choice < 8 { "concat" } else { "union" })];
            for _ in 0..u.int_in_range(0..=3)? {
                parts.push(draw_regex(u, depth - 1)?);
            }
            json!(parts)
        }
        _ => {
            let inner = draw_regex(u, depth - 1)?;
            if u.arbitrary()? { json!(["star", inner]) } else { json!(["repeat", inner, 2]) }
        }
    })
}

/// The formula of a case.
///
/// # Errors
///
/// The case has none.
pub(crate) fn formula(case: &Value) -> std::result::Result<Formula, NoCase> {
    let mut t = Terms::new();
    let mut roots = Vec::new();
    for (i, assertion) in case::list(case, "assertions")?.iter().enumerate() {
        roots.push((format!("assertion {i}"), term(&mut t, assertion, 0)?));
    }
    let mut formula = Formula::new(t);
    for (label, root) in roots {
        formula.assert(label, root);
    }
    Ok(formula)
}

fn term(t: &mut Terms, value: &Value, depth: u32) -> std::result::Result<Term, NoCase> {
    if let Value::String(name) = value {
        return variable(t, name, Sort::Bool);
    }
    let children = |t: &mut Terms, parts: &[Value]| {
        let children = parts.iter().map(|part| term(t, part, depth + 1));
        children.collect::<std::result::Result<Vec<Term>, NoCase>>()
    };
    let (head, parts) = head(value, depth)?;
    Ok(match (head, parts) {
        ("and", parts) => {
            let children = children(t, parts)?;
            t.and(children)
        }
        ("or", parts) => {
            let children = children(t, parts)?;
            t.or(children)
        }
        ("not", [inner]) => {
            let inner = term(t, inner, depth + 1)?;
            t.not(inner)
        }
        ("is", [name, Value::String(text)]) => {
            let (name, text) = (variable(t, text_of(name)?, Sort::String)?, t.string(text));
            t.eq(name, text)
        }
        ("same", [a, b]) => equal(t, a, b, Sort::String)?,
        ("same-bits", [a, b]) => equal(t, a, b, Sort::Bits(WIDTH))?,
        ("first", [name, prefix, length]) => {
            let name = variable(t, text_of(name)?, Sort::Bits(WIDTH))?;
            let length = number(length)?;
            let prefix = u128::from(number(prefix)?);
            if !(1..=u64::from(WIDTH)).contains(&length) || prefix >> length != 0 {
                return Err(no_case(value));
            }
            t.has_prefix(name, prefix, length as u32)
        }
        ("in", [name, regex_value]) => {
            let name = variable(t, text_of(name)?, Sort::String)?;
            t.in_re(name, regex(regex_value, depth + 1)?)
        }
        ("matches", [text, Value::Array(pieces)]) => {
            let text = match text {
                Value::Object(_) => t.string(case::string(text, "text")?),
                name => variable(t, text_of(name)?, Sort::String)?,
            };
            let pieces = pieces.iter().map(|p| piece(t, p));
            let pieces = pieces.collect::<std::result::Result<Vec<Piece>, NoCase>>()?;
            t.matches(text, pieces)
        }
        _ => return Err(no_case(value)),
    })
}

fn equal(t: &mut Terms, a: &Value, b: &Value, sort: Sort) -> std::result::Result<Term, NoCase> {
    let (a, b) = (variable(t, text_of(a)?, sort)?, variable(t, text_of(b)?, sort)?);
    Ok(t.eq(a, b))
}

fn piece(t: &mut Terms, value: &Value) -> std::result::Result<Piece, NoCase> {
    Ok(match value {
        Value::String(text) if text == "?" => Piece::AnyChar,
        Value::String(text) if text == "*" => Piece::Any,
        Value::String(text) => Piece::text(text),
        _ => match head(value, 0)? {
            ("value", [name]) => Piece::Value(variable(t, text_of(name)?, Sort::String)?),
            _ => return Err(no_case(value)),
        },
    })
}

/// The regular expression of a JSON value.
pub(crate) fn regex(value: &Value, depth: u32) -> std::result::Result<Regex, NoCase> {
    if let Value::String(text) = value {
        return Ok(Regex::Literal(text.clone()));
    }
    let all = |parts: &[Value]| {
        let parts = parts.iter().map(|part| regex(part, depth + 1));
        parts.collect::<std::result::Result<Vec<Regex>, NoCase>>()
    };
    Ok(match head(value, depth)? {
        ("any", []) => Regex::AnyChar,
        ("all", []) => Regex::All,
        ("chars", [low, high]) => Regex::Chars(vec![(character(low)?, character(high)?)]),
        ("not-char", [c]) => Regex::NotChar(character(c)?),
        ("concat", parts) => Regex::Concat(all(parts)?),
        ("union", parts) => Regex::Union(all(parts)?),
        ("star", [inner]) => Regex::Star(Box::new(regex(inner, depth + 1)?)),
        ("complement", [inner]) => Regex::Complement(Box::new(regex(inner, depth + 1)?)),
        ("intersection", parts) => Regex::Intersection(all(parts)?),
        ("loop", [inner, min, max]) if number(max)?.max(number(min)?) <= MAX_REPETITIONS => {
            let (min, max) = (number(min)? as u32, number(max)? as u32);
            Regex::Loop(Box::new(regex(inner, depth + 1)?), min, Some(max))
        }
        ("repeat", [inner, n]) if number(n)? <= MAX_REPETITIONS => {
            Regex::Repeat(Box::new(regex(inner, depth + 1)?), number(n)? as u32)
        }
        _ => return Err(no_case(value)),
    })
}

/// What a list begins with, and the rest.
pub(crate) fn head(value: &Value, depth: u32) -> std::result::Result<(&str, &[Value]), NoCase> {
    match value.as_array().map(Vec::as_slice) {
        Some([Value::String(head), rest @ ..]) if depth <= MAX_DEPTH => Ok((head, rest)),
        _ => Err(no_case(value)),
    }
}

/// A variable by a name of its sort.
fn variable(t: &mut Terms, name: &str, sort: Sort) -> std::result::Result<Term, NoCase> {
    let names: &[&str] = match sort {
        Sort::Bool => &BOOLS,
        Sort::String => &STRINGS,
        Sort::Bits(_) => &BITS,
    };
    if names.contains(&name) { Ok(t.var(name, sort)) } else { Err(no_case(&json!(name))) }
}

fn text_of(value: &Value) -> std::result::Result<&str, NoCase> {
    value.as_str().ok_or_else(|| no_case(value))
}

fn number(value: &Value) -> std::result::Result<u64, NoCase> {
    value.as_u64().ok_or_else(|| no_case(value))
}

/// The only character of a text.
pub(crate) fn character(value: &Value) -> std::result::Result<char, NoCase> {
    let mut chars = value.as_str().unwrap_or_default().chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => Ok(c),
        _ => Err(no_case(value)),
    }
}

pub(crate) fn no_case(value: &Value) -> NoCase {
    NoCase(format!("`{value}` is nothing"))
}

/// All assignments of the words and numbers to the variables of the formula.
pub(crate) fn models(formula: &Formula) -> impl Iterator<Item = Model> {
    let variables: Vec<(String, Vec<Constant>)> = formula
        .variables()
        .into_iter()
        .map(|(name, sort)| (name.to_owned(), constants(sort)))
        .collect();
    let n: usize = variables.iter().map(|(_, values)| values.len()).product();
    (0..n).map(move |mut i| {
        let pick = |(name, values): &(String, Vec<Constant>)| {
            let value = values[i % values.len()].clone();
            i /= values.len();
            (name.clone(), value)
        };
        variables.iter().map(pick).collect()
    })
}

fn constants(sort: Sort) -> Vec<Constant> {
    match sort {
        Sort::Bool => vec![Constant::Bool(false), Constant::Bool(true)],
        Sort::String => WORDS.iter().map(|word| Constant::String((*word).to_owned())).collect(),
        Sort::Bits(width) => (0..1 << width).map(|value| Constant::Bits { value, width }).collect(),
    }
}
