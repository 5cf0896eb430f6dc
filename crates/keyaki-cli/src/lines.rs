//! Lines of a stream, read in large pieces.
//!
//! Each read returns all lines that it completes, so that a caller can hand them on at once; nothing
//! waits for a buffer to be full. `BufRead::read_until` does not tell whether the next line is
//! there already.

use std::io::{self, Read};

/// How much is read at once, at most, in bytes. A pipe of Linux holds 64 KiB.
const READ_BYTES: usize = 256 << 10;

/// A line without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// The line.
    Whole(Vec<u8>),
    /// A line that is longer than the limit, which was not kept.
    TooLong,
}

impl Line {
    /// How much memory the line holds, in bytes.
    pub(crate) fn n_bytes(&self) -> usize {
        match self {
            Line::Whole(text) => text.len(),
            Line::TooLong => 0,
        }
    }
}

/// Reads lines, and leaves out those that are empty or white space.
pub(crate) struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    /// What was read of the line that has not ended.
    begun: Vec<u8>,
    /// Whether that line is too long already; the rest is not kept.
    too_long: bool,
    max_line_bytes: usize,
    ended: bool,
}

impl<R: Read> Lines<R> {
    /// Lines of at most this many bytes.
    pub(crate) fn new(input: R, max_line_bytes: usize) -> Lines<R> {
        let buffer = vec![0; READ_BYTES];
        Lines { input, buffer, begun: Vec::new(), too_long: false, max_line_bytes, ended: false }
    }

    /// The lines that end next, at least one; none at the end of the input. The last line needs no
    /// end.
    ///
    /// # Errors
    ///
    /// The input cannot be read.
    pub(crate) fn next_lines(&mut self) -> io::Result<Vec<Line>> {
        let mut lines = Vec::new();
        while lines.is_empty() && !self.ended {
            let n_read = match self.input.read(&mut self.buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            let buffer = std::mem::take(&mut self.buffer);
            let mut rest = &buffer[..n_read];
            while let Some(end) = memchr::memchr(b'\n', rest) {
                self.extend(&rest[..end]);
                lines.extend(self.end_line());
                rest = &rest[end + 1..];
            }
            self.extend(rest);
            self.buffer = buffer;
            if n_read == 0 {
                self.ended = true;
                lines.extend(self.end_line());
            }
        }
        Ok(lines)
    }

    fn extend(&mut self, part: &[u8]) {
        self.too_long |= self.begun.len() + part.len() > self.max_line_bytes;
        if self.too_long {
            self.begun = Vec::new();
        } else {
            self.begun.extend_from_slice(part);
        }
    }

    fn end_line(&mut self) -> Option<Line> {
        let line = std::mem::take(&mut self.begun);
        if std::mem::take(&mut self.too_long) {
            return Some(Line::TooLong);
        }
        (!line.trim_ascii().is_empty()).then_some(Line::Whole(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(input: &[u8], max_line_bytes: usize, expected: &[Option<&str>]) {
        let mut lines = Lines::new(input, max_line_bytes);
        let mut found = Vec::new();
        loop {
            let read = lines.next_lines().unwrap();
            if read.is_empty() {
                break;
            }
            found.extend(read);
        }
        let expected: Vec<_> = expected
            .iter()
            .map(|line| line.map_or(Line::TooLong, |text| Line::Whole(text.into())))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_last_line_needs_no_end_and_white_space_is_no_line() {
        check(b"", 9, &[]);
        check(b"\n \t\r\n\n", 9, &[]);
        check(b"a\nb\r\n\nc", 9, &[Some("a"), Some("b\r"), Some("c")]);
        check(b"a\n", 9, &[Some("a")]);
    }

    #[test]
    fn of_a_line_beyond_the_limit_nothing_is_kept() {
        check(b"abc\nabcd\nab", 3, &[Some("abc"), None, Some("ab")]);
        check(b"    ", 3, &[None]);
        let long = vec![b'x'; 2 * READ_BYTES];
        check(&[&long[..], b"\nab\n"].concat(), 3, &[None, Some("ab")]);
        check(&long, long.len(), &[std::str::from_utf8(&long).ok()]);
    }
}
