//! SMT-LIB as nested lists: enough to count what a script has and to leave parts of it out.
//!
//! Words are kept as they are written, so that what is not left out is said to the solver as it was. Sorts and
//! meaning are not known here; a parser that knows them would refuse what some solver reads.

use std::fmt::Write as _;

/// How deep lists may be in one another.
const DEPTH_MAX: usize = 5_000;

/// A word, or a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sexp {
    /// A symbol, a number, or a text with its quotes.
    Word(String),
    /// What stands between two parentheses.
    List(Vec<Sexp>),
}

impl Sexp {
    /// The word, if it is one.
    pub fn word(&self) -> Option<&str> {
        match self {
            Sexp::Word(word) => Some(word),
            Sexp::List(_) => None,
        }
    }

    /// The parts of the list; none of a word.
    pub fn parts(&self) -> &[Sexp] {
        match self {
            Sexp::Word(_) => &[],
            Sexp::List(parts) => parts,
        }
    }

    /// The word that a list begins with.
    pub fn head(&self) -> Option<&str> {
        self.parts().first().and_then(Sexp::word)
    }

    /// The number of words in it.
    pub fn size(&self) -> usize {
        match self {
            Sexp::Word(_) => 1,
            Sexp::List(parts) => parts.iter().map(Sexp::size).sum(),
        }
    }

    fn write(&self, out: &mut String) {
        match self {
            Sexp::Word(word) => out.push_str(word),
            Sexp::List(parts) => {
                out.push('(');
                for (number, part) in parts.iter().enumerate() {
                    if number > 0 {
                        out.push(' ');
                    }
                    part.write(out);
                }
                out.push(')');
            }
        }
    }
}

/// The commands of a script as text, one a line.
pub fn text(commands: &[Sexp]) -> String {
    let mut out = String::new();
    for command in commands {
        command.write(&mut out);
        out.push('\n');
    }
    out
}

/// The words and parentheses of a script, without comments.
///
/// # Errors
///
/// A text or a quoted symbol does not end.
pub fn words(script: &str) -> Result<Vec<&str>, String> {
    let bytes = script.as_bytes();
    let mut words = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        match bytes[at] {
            b' ' | b'\t' | b'\r' | b'\n' => at += 1,
            b';' => at = end_of_line(bytes, at),
            b'(' | b')' => {
                at += 1;
                words.push(&script[start..at]);
            }
            quote @ (b'"' | b'|') => {
                at = closing(bytes, at, quote).ok_or_else(|| unclosed(script, start))?;
                words.push(&script[start..at]);
            }
            _ => {
                let is_end = |byte: &u8| b" \t\r\n;()\"|".contains(byte);
                at += bytes[at..].iter().position(is_end).unwrap_or(bytes.len() - at);
                words.push(&script[start..at]);
            }
        }
    }
    Ok(words)
}

fn end_of_line(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |n| at + n)
}

/// Where the text that begins at `at` ends; two quotes in a text are one that does not end it.
fn closing(bytes: &[u8], at: usize, quote: u8) -> Option<usize> {
    let mut at = at + 1;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == quote)? + 1;
        if quote == b'"' && bytes.get(at) == Some(&b'"') {
            at += 1;
        } else {
            return Some(at);
        }
    }
}

fn unclosed(script: &str, at: usize) -> String {
    let line = script[..at].matches('\n').count() + 1;
    format!("line {line}: what is quoted here does not end")
}

/// The commands of a script.
///
/// # Errors
///
/// It is no list of lists, or one too deep.
pub fn parse(script: &str) -> Result<Vec<Sexp>, String> {
    let mut open: Vec<Vec<Sexp>> = vec![Vec::new()];
    for word in words(script)? {
        match word {
            "(" if open.len() > DEPTH_MAX => {
                return Err(format!("lists are deeper than {DEPTH_MAX}"));
            }
            "(" => open.push(Vec::new()),
            ")" => {
                let list = open.pop().unwrap_or_default();
                match open.last_mut() {
                    Some(outer) => outer.push(Sexp::List(list)),
                    None => return Err("a `)` closes nothing".to_owned()),
                }
            }
            word => {
                if let Some(list) = open.last_mut() {
                    list.push(Sexp::Word(word.to_owned()));
                }
            }
        }
    }
    match (open.pop(), open.is_empty()) {
        (Some(commands), true) => Ok(commands),
        _ => Err("a `(` is not closed".to_owned()),
    }
}

/// A text as SMT-LIB writes it.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    let _ = write!(out, "{}", text.replace('"', "\"\""));
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_read_and_written() {
        let script = "(set-logic ALL) ; (a comment\n(assert (= |a b;| \"x \"\"y\"\" (\"))\n";
        let commands = parse(script).unwrap();
        assert_eq!(text(&commands), "(set-logic ALL)\n(assert (= |a b;| \"x \"\"y\"\" (\"))\n");
        assert_eq!(parse(&text(&commands)).unwrap(), commands);
        assert_eq!((commands[1].head(), commands[1].size()), (Some("assert"), 4));
    }

    #[test]
    fn what_is_no_script_is_told() {
        assert_eq!(parse("(a))").unwrap_err(), "a `)` closes nothing");
        assert_eq!(parse("((a)").unwrap_err(), "a `(` is not closed");
        assert_eq!(parse("(a\n\"b").unwrap_err(), "line 2: what is quoted here does not end");
        assert!(parse(&"(".repeat(DEPTH_MAX + 1)).unwrap_err().contains("deeper"));
    }
}
