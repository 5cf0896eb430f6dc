//! Lines of a certificate and their words: numbers, texts in quotes.
//!
//! Every line is read in one way only. Whoever reads a line tells what is wrong with it, and the number of the line is put to it here.

use std::borrow::Cow;
use std::str::FromStr;

use crate::{Rejection, Result};

/// Lines of the text, with the number of the first.
pub(crate) struct Lines<'t> {
    pub(crate) text: &'t str,
    pub(crate) first: usize,
}

impl<'t> Lines<'t> {
    /// Has each line read, its first word apart, up to its end.
    pub(crate) fn each(
        &self,
        mut read: impl FnMut(&'t str, &mut Words<'t>) -> Result<()>,
    ) -> Result<()> {
        for (at, line) in self.text.split_terminator('\n').enumerate() {
            let mut words = Words(Some(line));
            let first = words.word()?;
            let read = read(first, &mut words).and_then(|()| match words.next() {
                None => Ok(()),
                Some(word) => Err(Rejection::new(format!("`{word}` is too much"))),
            });
            read.map_err(|reason| reason.at(format!("line {}", self.first + at)))?;
        }
        Ok(())
    }

    /// What stands behind this word in the first line, and the other lines.
    pub(crate) fn named(&self, name: &str) -> Result<(&'t str, Lines<'t>)> {
        let (line, text) = self.text.split_once('\n').unwrap_or((self.text, ""));
        match line.split_once(' ').filter(|(_, named)| !named.contains(' ')) {
            Some((word, named)) if word == name => {
                Ok((named, Lines { text, first: self.first + 1 }))
            }
            _ => {
                let reason = format!("the line does not begin with `{name}`, one word behind it");
                Err(Rejection::new(reason).at(format!("line {}", self.first)))
            }
        }
    }
}

/// The words of a line that are left, one space between them.
pub(crate) struct Words<'t>(Option<&'t str>);

impl<'t> Iterator for Words<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        let rest = self.0?;
        let end = rest.bytes().position(|byte| byte == b' ');
        self.0 = end.map(|end| &rest[end + 1..]);
        Some(&rest[..end.unwrap_or(rest.len())])
    }
}

impl<'t> Words<'t> {
    pub(crate) fn word(&mut self) -> Result<&'t str> {
        self.next().ok_or_else(|| Rejection::new("the line is too short"))
    }

    pub(crate) fn number<N: FromStr>(&mut self) -> Result<N> {
        number(self.word()?)
    }

    pub(crate) fn text(&mut self) -> Result<Cow<'t, str>> {
        text(self.word()?)
    }
}

/// A number as it is written, without sign or needless zeros.
pub(crate) fn number<N: FromStr>(word: &str) -> Result<N> {
    let is_canonical = word == "0" || !word.starts_with(['0', '+', '-']);
    let number = word.parse().ok().filter(|_| is_canonical);
    number.ok_or_else(|| Rejection::new(format!("`{word}` is no number that fits here")))
}

/// A text in quotes, in which `\u{…}` is a character by its code.
pub(crate) fn text(word: &str) -> Result<Cow<'_, str>> {
    let wrong = |what: &str| Rejection::new(format!("`{word}` {what}"));
    let inner = word.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let inner = inner.ok_or_else(|| wrong("is no text in quotes"))?;
    if inner.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\') {
        return Ok(Cow::Borrowed(inner));
    }
    if inner.contains(|c: char| c == '"' || c.is_control()) {
        return Err(wrong("has a character that has to be escaped"));
    }
    let mut parts = inner.split('\\');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.strip_prefix("u{").and_then(|rest| rest.split_once('}'));
        let (code, behind) = code.ok_or_else(|| wrong("has an escape that is none"))?;
        let c = u32::from_str_radix(code, 16).ok().and_then(char::from_u32);
        text.push(c.ok_or_else(|| wrong("has an escape of no character"))?);
        text += behind;
    }
    Ok(Cow::Owned(text))
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn a_text_has_neither_quotes_nor_escapes_that_are_none() {
        for (word, expected) in [
            (r#""""#, Some("")),
            (r#""a b""#, Some("a b")),
            (r#""\u{61}b\u{22}""#, Some("ab\"")),
            (r#"""""#, None),
            (r#""""""#, None),
            (r#""a"b""#, None),
            (r#""\""#, None),
            (r#""\\""#, None),
            (r#""\u{d800}""#, None),
            (r#"""#, None),
            ("a", None),
        ] {
            assert_eq!(text(word).ok().as_deref(), expected, "{word}");
        }
    }
}
