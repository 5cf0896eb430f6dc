//! String literals: SMT-LIB 2.6's escapes, and no others.

use super::chars;
use crate::smtlib;

/// What is between the quotes, as text of ours.
pub(super) struct Literal {
    pub(super) text: String,
    /// Whether a backslash stands before something that SMT-LIB 2.5 took for an escape.
    pub(super) has_old_escape: bool,
}

/// Reads a literal, without the quotes around it.
///
/// # Errors
///
/// What is not a literal of SMT-LIB, or not read alike by everybody.
pub(super) fn read(raw: &str) -> Result<Literal, String> {
    let mut literal = Literal { text: String::new(), has_old_escape: false };
    let mut rest = raw;
    while let Some(c) = rest.chars().next() {
        let mut length = c.len_utf8();
        match c {
            // There are two: the lexer has seen to that.
            '"' => {
                literal.text.push('"');
                length = 2;
            }
            '\\' => match escape(rest)? {
                Some((code, escaped)) => {
                    literal.text.extend(chars::encode(code));
                    length = escaped;
                }
                None => {
                    literal.has_old_escape = true;
                    literal.text.push('\\');
                }
            },
            ' '..='~' | '\t' | '\r' | '\n' => literal.text.push(c),
            _ => {
                let code = u32::from(c);
                return Err(format!(
                    "the character U+{code:04X} in a string; write `\\u{{{code:x}}}`"
                ));
            }
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(literal)
}

/// As [`read`], but taking everything for something, and a surrogate for U+FFFD.
pub(crate) fn read_leniently(raw: &str) -> String {
    let mut text = String::new();
    let mut rest = raw;
    while let Some(c) = rest.chars().next() {
        let (c, length) = match (c, escape(rest)) {
            ('"', _) => (c, "\"\"".len()),
            (_, Ok(Some((code, length)))) => {
                (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), length)
            }
            _ => (c, c.len_utf8()),
        };
        text.push(c);
        rest = rest.get(length..).unwrap_or_default();
    }
    text
}

/// The number of the escape that `text` begins with and its length in bytes, if it begins with one.
fn escape(text: &str) -> Result<Option<(u32, usize)>, String> {
    let Some(after) = text.strip_prefix("\\u") else { return Ok(None) };
    let is_number =
        |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if let Some((digits, _)) = after.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
        if !is_number(digits) || digits.len() > 5 {
            return Ok(None);
        }
        let length = "\\u{}".len() + digits.len();
        return match u32::from_str_radix(digits, 16) {
            Ok(code) if code <= chars::LAST => Ok(Some((code, length))),
            // Not an escape by the letter; some take it for one all the same.
            _ => Err(format!(
                "`\\u{{{digits}}}`, which is beyond the last character, `\\u{{2ffff}}`"
            )),
        };
    }
    let digits = after.get(..4).filter(|digits| is_number(digits));
    Ok(digits.and_then(|digits| Some((u32::from_str_radix(digits, 16).ok()?, 6))))
}

/// The literal of a text of ours; `None` if SMT-LIB lacks one of its characters.
pub(super) fn write(text: &str) -> Option<String> {
    let codes: Option<Vec<u32>> = text.chars().map(chars::decode).collect();
    codes.map(|codes| smtlib::string_of(codes.into_iter()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(raw: &str, expected: &str) {
        assert_eq!(read(raw).map(|literal| literal.text).as_deref(), Ok(expected));
    }

    #[test]
    fn escapes_are_those_of_smt_lib() {
        check(r#"a""b"#, "a\"b");
        check(r"\u{41}\u{0}\u{2fFff}\u0041\u00e9x", "A\0\u{2ffff}A\u{e9}x");
        // None of these is an escape.
        check(r"\u{}\u{123456}\u{x}\u{41", r"\u{}\u{123456}\u{x}\u{41");
        check(r"\u41\u004\u", r"\u41\u004\u");
        check(r"\n\x41\", r"\n\x41\");
        check("a\tb\n", "a\tb\n");
        assert!(read(r"\x41").unwrap().has_old_escape);
        assert!(!read(r"\u{41}").unwrap().has_old_escape);
        for raw in [r"\u{30000}", "\u{e9}", "\u{7f}", "\0"] {
            assert!(read(raw).is_err(), "{raw}");
        }
    }

    #[test]
    fn a_surrogate_is_a_character() {
        let text = read(r"\ud800\u{dfff}").unwrap().text;
        assert_eq!(text.chars().count(), 2);
        assert_eq!(write(&text).as_deref(), Some(r#""\u{d800}\u{dfff}""#));
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["", "a\"b\\u{41}", "\0\u{7f}\u{d7ff}\u{e000}\u{2ffff}\u{30000}"] {
            let raw = write(text).unwrap();
            check(&raw[1..raw.len() - 1], text);
        }
        assert_eq!(write("\u{30800}"), None);
    }
}
