//! Reads what a solver says: an answer, and after `sat` one response.
//!
//! The reader works on whatever pieces the pipe delivers and knows at the earliest moment that
//! nothing more is needed; the solver is then killed rather than waited for. Only the shape is
//! read here (lines, and parentheses outside strings, quoted symbols and comments). What a
//! response means is for `keyaki_logic::smtlib`.
//!
//! An `(error …)` before the answer ends the reading, even if an answer follows: z3 goes on after
//! a command that it did not understand, and then answers another question than ours.

use std::ops::{ControlFlow, Range};

use crate::child::Listener;

/// How much a solver may say, in bytes. A model is seldom longer than its formula, and a policy has
/// some kilobytes; what is longer than this is a solver in a loop.
pub(crate) const STDOUT_BYTES_MAX: usize = 64 << 20;

/// What a solver said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// No answer, or not a complete one.
    Nothing,
    /// `sat` and, if it was complete, the response that followed.
    Sat(Option<String>),
    /// `unsat`.
    Unsat,
    /// `unknown`.
    Unknown,
    /// `timeout`, z3's answer at a time limit of its own.
    Timeout,
    /// `(error …)` in place of an answer.
    Error(String),
    /// Something else.
    Rubbish,
    /// More than [`STDOUT_BYTES_MAX`].
    TooMuch,
}

impl Said {
    /// What one item of output says, unless it says nothing about the question.
    pub(crate) fn by(item: &str) -> Option<Said> {
        match item {
            // `success` is said after each command if the script asks for it, and `unsupported`
            // about options that do not change the question.
            "" | "success" | "unsupported" => None,
            "sat" => Some(Said::Sat(None)),
            "unsat" => Some(Said::Unsat),
            "unknown" => Some(Said::Unknown),
            "timeout" => Some(Said::Timeout),
            _ if item.starts_with("(error") => Some(Said::Error(item.to_owned())),
            _ => Some(Said::Rubbish),
        }
    }
}

/// Listens for an answer.
pub(crate) struct AnswerListener {
    items: Items,
    said: Said,
    /// Whether a response follows `sat`.
    wants_response: bool,
    /// Whether nothing more is needed.
    done: bool,
}

impl AnswerListener {
    /// A listener that has heard nothing. With `wants_response`, it listens on after `sat`.
    pub(crate) fn new(wants_response: bool) -> AnswerListener {
        AnswerListener { items: Items::default(), said: Said::Nothing, wants_response, done: false }
    }

    /// What was said, now that no more will come, and everything as it came. A last line without
    /// its end counts only if `ended`, that is, if the solver left it so.
    pub(crate) fn finish(mut self, ended: bool) -> (Said, Vec<u8>) {
        if ended
            && !self.done
            && let Some(line) = self.items.unfinished_line()
        {
            // There is nothing left to stop.
            let _ = self.read_item(line);
        }
        (self.said, self.items.buffer)
    }

    fn read_items(&mut self) -> ControlFlow<()> {
        while let Some(item) = self.items.next() {
            self.read_item(item)?;
        }
        ControlFlow::Continue(())
    }

    fn read_item(&mut self, item: Range<usize>) -> ControlFlow<()> {
        let Ok(text) = str::from_utf8(&self.items.buffer[item]) else {
            self.said = Said::Rubbish;
            return self.enough();
        };
        if let Said::Sat(response @ None) = &mut self.said {
            *response = Some(text.to_owned());
            return self.enough();
        }
        let Some(said) = Said::by(text) else { return ControlFlow::Continue(()) };
        self.said = said;
        if self.said == Said::Sat(None) && self.wants_response {
            return ControlFlow::Continue(());
        }
        self.enough()
    }

    fn enough(&mut self) -> ControlFlow<()> {
        self.done = true;
        ControlFlow::Break(())
    }
}

impl Listener for AnswerListener {
    fn hear(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        if self.items.buffer.len() + bytes.len() > STDOUT_BYTES_MAX {
            self.said = Said::TooMuch;
            return self.enough();
        }
        self.items.buffer.extend_from_slice(bytes);
        self.read_items()
    }
}

/// Splits output into items: a balanced pair of parentheses, or else a line without its blanks.
///
/// Every byte is looked at once, however small the pieces are.
#[derive(Default)]
pub(crate) struct Items {
    pub(crate) buffer: Vec<u8>,
    /// Where the current item starts.
    start: usize,
    /// The next byte to look at.
    position: usize,
    /// How many parentheses are open.
    depth: usize,
    inside: Inside,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Inside {
    #[default]
    Plain,
    /// `"…"`. A doubled quote leaves the string and enters it again, which is as good.
    String,
    /// `|…|`.
    QuotedSymbol,
    /// From `;` to the end of the line.
    Comment,
    /// A line that does not start with a parenthesis.
    Line,
}

impl Items {
    /// The next complete item.
    pub(crate) fn next(&mut self) -> Option<Range<usize>> {
        while let Some(&byte) = self.buffer.get(self.position) {
            let at = self.position;
            self.position += 1;
            if self.ends_at(byte, at) {
                let item = trim(&self.buffer, self.start..self.position);
                self.start = self.position;
                return Some(item);
            }
        }
        None
    }

    /// Drops what the items so far were read from.
    pub(crate) fn forget_read(&mut self) {
        self.buffer.drain(..self.start);
        self.position -= self.start;
        self.start = 0;
    }

    /// Takes `byte` in; whether an item ends with it.
    fn ends_at(&mut self, byte: u8, at: usize) -> bool {
        match (self.inside, byte) {
            (Inside::Line, b'\n') => {
                self.inside = Inside::Plain;
                return true;
            }
            (Inside::String, b'"') | (Inside::QuotedSymbol, b'|') | (Inside::Comment, b'\n') => {
                self.inside = Inside::Plain;
                if self.depth == 0 {
                    // A comment between items.
                    self.start = self.position;
                }
            }
            (Inside::Plain, b';') => self.inside = Inside::Comment,
            (Inside::Plain, b'(') => {
                if self.depth == 0 {
                    self.start = at;
                }
                self.depth += 1;
            }
            (Inside::Plain, b')') if self.depth > 0 => {
                self.depth -= 1;
                return self.depth == 0;
            }
            (Inside::Plain, b'"') if self.depth > 0 => self.inside = Inside::String,
            (Inside::Plain, b'|') if self.depth > 0 => self.inside = Inside::QuotedSymbol,
            (Inside::Plain, _) if self.depth == 0 && !byte.is_ascii_whitespace() => {
                self.start = at;
                self.inside = Inside::Line;
            }
            _ => {}
        }
        false
    }

    /// The last line, if the output ended within it.
    fn unfinished_line(&self) -> Option<Range<usize>> {
        (self.inside == Inside::Line).then(|| trim(&self.buffer, self.start..self.buffer.len()))
    }
}

fn trim(buffer: &[u8], range: Range<usize>) -> Range<usize> {
    let text = &buffer[range.clone()];
    let leading = text.len() - text.trim_ascii_start().len();
    let start = range.start + leading;
    start..start + text.trim_ascii().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(output: &str, expected: Said) {
        // In one piece, and in the smallest.
        for piece in [output.len().max(1), 1] {
            let mut listener = AnswerListener::new(true);
            for bytes in output.as_bytes().chunks(piece) {
                if listener.hear(bytes).is_break() {
                    break;
                }
            }
            assert_eq!(listener.finish(true).0, expected, "in pieces of {piece} bytes");
        }
    }

    /// Whether the listener needs to hear more after `output`.
    #[track_caller]
    fn check_wants_more(output: &str, expected: bool) {
        let flow = AnswerListener::new(true).hear(output.as_bytes());
        assert_eq!(flow.is_continue(), expected, "{output:?}");
    }

    #[test]
    fn the_first_answer_counts() {
        check("unsat\n(error \"no model\")\n", Said::Unsat);
        check("unknown\nsat\n", Said::Unknown);
        check("\n  \n; hello\nunsat\n", Said::Unsat);
        check("success\nsuccess\nunsupported\nunsat\n", Said::Unsat);
        check("timeout\n", Said::Timeout);
        check("unsat\r\n", Said::Unsat);
    }

    #[test]
    fn an_answer_without_a_newline_counts_once_the_output_has_ended() {
        check("unsat", Said::Unsat);
        check("sat", Said::Sat(None));
        check_wants_more("unsat", true);
        check_wants_more("unsat\n", false);
        let mut cut_off = AnswerListener::new(true);
        assert!(cut_off.hear(b"unsat").is_continue());
        assert_eq!(cut_off.finish(false).0, Said::Nothing);
    }

    #[test]
    fn without_a_response_sat_is_all() {
        let mut listener = AnswerListener::new(false);
        assert!(listener.hear(b"sat\n((x true))\n").is_break());
        assert_eq!(listener.finish(true).0, Said::Sat(None));
    }

    #[test]
    fn a_response_ends_with_its_last_parenthesis() {
        check("sat\n((x \"a\")\n (y #b0))\n", Said::Sat(Some("((x \"a\")\n (y #b0))".into())));
        check("sat\n((x \"a", Said::Sat(None));
        check_wants_more("sat\n", true);
        check_wants_more("sat\n((x true)", true);
        check_wants_more("sat\n((x true))", false);
    }

    #[test]
    fn parentheses_in_strings_symbols_and_comments_do_not_count() {
        for response in [
            r#"((x ")))(("))"#,
            r#"((x "a"")b"))"#,
            "((|a)(| true))",
            "((x ; ) \" |\n true))",
            r#"((x "|") (y "|"))"#,
            "((x \"caf\u{e9};\"))",
        ] {
            check(&format!("sat\n{response}"), Said::Sat(Some(response.to_owned())));
        }
    }

    #[test]
    fn an_error_before_an_answer_hides_the_answer() {
        check("(error \"line 1\")\nsat\n((x true))\n", Said::Error("(error \"line 1\")".into()));
        check("sat\n(error \"no\")\n", Said::Sat(Some("(error \"no\")".into())));
    }

    #[test]
    fn everything_else_is_rubbish() {
        for output in
            ["hello\n", "satisfiable\n", "(sat)\n", ")\n", "sat unsat\n", "SAT\n", "\"sat\"\n"]
        {
            check(output, Said::Rubbish);
        }
        let mut listener = AnswerListener::new(true);
        assert!(listener.hear(b"\xff\xfe\n").is_break());
        assert_eq!(listener.said, Said::Rubbish);
    }

    #[test]
    fn silence_is_no_answer() {
        check("", Said::Nothing);
        check("\n\n", Said::Nothing);
        check("; only a comment", Said::Nothing);
        check("((x true)", Said::Nothing);
    }

    #[test]
    fn too_much_is_cut_off() {
        let mut listener = AnswerListener::new(true);
        let piece = vec![b'x'; 1 << 20];
        let heard = (0..=64).take_while(|_| listener.hear(&piece).is_continue()).count();
        assert_eq!((heard, listener.said), (64, Said::TooMuch));
    }
}
