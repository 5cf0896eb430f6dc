//! Random expressions, their meaning by an oracle, and small words.

use keyaki_automata::{CharClass, Expr, Language, Limits};
use keyaki_testing::arbitrary::{Result, Unstructured};
use regex_automata::dfa::dense;
use regex_automata::dfa::{Automaton, StartKind};
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};

/// The characters that expressions are made from.
pub(crate) const NAMED: [char; 4] = ['a', 'b', ':', 'é'];
/// Those and two that no expression names.
pub(crate) const LETTERS: [char; 6] = ['a', 'b', ':', 'é', 'x', '漢'];

/// Every word over [`LETTERS`] up to this length.
pub(crate) fn words(length: usize) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut from = 0;
    for _ in 0..length {
        let to = words.len();
        for i in from..to {
            for c in LETTERS {
                words.push(format!("{}{c}", words[i]));
            }
        }
        from = to;
    }
    words
}

pub(crate) fn class(u: &mut Unstructured<'_>) -> Result<CharClass> {
    let mut chars = Vec::new();
    for c in NAMED {
        if u.arbitrary()? {
            chars.push((c, c));
        }
    }
    let class = CharClass::new(chars);
    Ok(if u.arbitrary()? { class.complement() } else { class })
}

pub(crate) fn text(u: &mut Unstructured<'_>) -> Result<String> {
    let length = u.int_in_range(0..=3)?;
    (0..length).map(|_| Ok(*u.choose(&NAMED)?)).collect()
}

/// A glob with stars of every character or, with `is_typed`, of a class for each star.
pub(crate) fn glob(u: &mut Unstructured<'_>, is_typed: bool, has_marks: bool) -> Result<Expr> {
    let mut parts = Vec::new();
    for _ in 0..u.int_in_range(0..=5)? {
        let class = if is_typed { class(u)? } else { CharClass::ANY };
        parts.push(match u.int_in_range(0..=if has_marks { 4 } else { 3 })? {
            0 | 1 => Expr::Chars(class).star(),
            2 | 3 => Expr::literal(*u.choose(&["a", "b", ":", "ab", "aa"])?),
            _ => Expr::Chars(class),
        });
    }
    Ok(Expr::Concat(parts))
}

/// An expression without complement and intersection.
pub(crate) fn regular(u: &mut Unstructured<'_>, depth: usize) -> Result<Expr> {
    let parts = |u: &mut Unstructured<'_>| {
        let n = u.int_in_range(0..=3)?;
        (0..n).map(|_| regular(u, depth - 1)).collect::<Result<Vec<Expr>>>()
    };
    if depth == 0 {
        return Ok(match u.int_in_range(0..=5)? {
            0 => Expr::Empty,
            1 | 2 => Expr::Literal(text(u)?),
            3 => Expr::Chars(class(u)?),
            4 => Expr::AnyChar,
            _ => Expr::All,
        });
    }
    Ok(match u.int_in_range(0..=6)? {
        0 | 1 => Expr::Concat(parts(u)?),
        2 | 3 => Expr::Union(parts(u)?),
        4 => regular(u, depth - 1)?.star(),
        5 => {
            let min = u.int_in_range(0..=2)?;
            let max = if u.arbitrary()? { Some(u.int_in_range(0..=3)?) } else { None };
            Expr::Repeat { inner: Box::new(regular(u, depth - 1)?), min, max }
        }
        _ => glob(u, true, true)?,
    })
}

/// A Boolean combination of expressions, at the top.
pub(crate) fn boolean(u: &mut Unstructured<'_>, depth: usize) -> Result<Expr> {
    if depth == 0 || u.ratio(1, 3)? {
        return regular(u, 2);
    }
    let n = u.int_in_range(0..=3)?;
    let mut parts = (0..n).map(|_| boolean(u, depth - 1)).collect::<Result<Vec<Expr>>>()?;
    Ok(match u.int_in_range(0..=2)? {
        0 => Expr::Intersection(parts),
        1 => Expr::Union(parts),
        _ => parts.pop().unwrap_or(Expr::Empty).complement(),
    })
}

pub(crate) fn compile(expr: &Expr) -> Language {
    Language::new(expr, &Limits::default()).unwrap()
}

/// The meaning of an expression without complement and intersection, by another engine.
pub(crate) struct Oracle(pub(crate) dense::DFA<Vec<u32>>);

impl Oracle {
    pub(crate) fn new(expr: &Expr) -> Oracle {
        let mut text = String::from("(?s)(?:");
        write(expr, &mut text);
        text.push_str(")\\z");
        let dfa = dense::Builder::new()
            .configure(dense::Config::new().start_kind(StartKind::Anchored))
            .syntax(syntax::Config::new().unicode(true).utf8(true))
            .build(&text)
            .unwrap();
        Oracle(dfa)
    }

    pub(crate) fn matches(&self, word: &str) -> bool {
        let input = Input::new(word).anchored(Anchored::Yes);
        self.0.try_search_fwd(&input).unwrap().is_some()
    }
}

/// In the syntax of the other engine. It has no empty language but the class of nothing.
fn write(expr: &Expr, text: &mut String) {
    let many = |parts: &[Expr], separator: &str, text: &mut String| {
        text.push_str("(?:");
        for (i, part) in parts.iter().enumerate() {
            text.push_str(if i > 0 { separator } else { "" });
            write(part, text);
        }
        text.push(')');
    };
    match expr {
        Expr::Empty => text.push_str("[a&&b]"),
        Expr::Literal(word) => {
            text.push_str("(?:");
            word.chars().for_each(|c| text.push_str(&format!("\\x{{{:x}}}", c as u32)));
            text.push(')');
        }
        Expr::Chars(class) if class.is_empty() => text.push_str("[a&&b]"),
        Expr::Chars(class) => {
            text.push('[');
            for (low, high) in class.ranges() {
                text.push_str(&format!("\\x{{{:x}}}-\\x{{{:x}}}", *low as u32, *high as u32));
            }
            text.push(']');
        }
        Expr::AnyChar => text.push('.'),
        Expr::All => text.push_str(".*"),
        Expr::Concat(parts) => many(parts, "", text),
        Expr::Union(parts) if parts.is_empty() => text.push_str("[a&&b]"),
        Expr::Union(parts) => many(parts, "|", text),
        Expr::Star(inner) => {
            many(std::slice::from_ref(inner), "", text);
            text.push('*');
        }
        Expr::Repeat { min, max: Some(max), .. } if max < min => text.push_str("[a&&b]"),
        Expr::Repeat { inner, min, max } => {
            many(std::slice::from_ref(inner), "", text);
            let max = max.map(|max| max.to_string()).unwrap_or_default();
            text.push_str(&format!("{{{min},{max}}}"));
        }
        Expr::Intersection(_) | Expr::Complement(_) => unreachable!("not of this syntax"),
    }
}

/// Whether a word is in a Boolean combination, by the meaning of the connectives.
pub(crate) fn means(expr: &Expr, word: &str) -> bool {
    match expr {
        Expr::Intersection(parts) => parts.iter().all(|part| means(part, word)),
        Expr::Complement(inner) => !means(inner, word),
        Expr::Union(parts) => parts.iter().any(|part| means(part, word)),
        _ => Oracle::new(expr).matches(word),
    }
}
