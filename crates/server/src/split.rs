//! Jobs of a body, while it comes: lines, or the elements of a JSON array.
//!
//! An element is cut out by its brackets and quotes alone; whether it is JSON is for the reader of jobs to say, so a mistake in one costs that one.
//! Only what comes between elements can end the batch. `keyaki batch` reads lines from a reader that blocks; here somebody else
//! hands over what has come.

use std::collections::VecDeque;

use keyaki::wire::ErrorRecord;

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Item {
    /// The text of a job.
    Job(Vec<u8>),
    /// One that is longer than the limit, which was not kept.
    TooLong,
    /// Why nothing comes after it.
    Error(Box<ErrorRecord>),
}

impl Item {
    /// How much is held of it, in bytes.
    pub(crate) fn n_bytes(&self) -> usize {
        match self {
            Item::Job(text) => text.len(),
            Item::TooLong | Item::Error(_) => 0,
        }
    }
}

/// The form of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// One job a line.
    Lines,
    /// An array of jobs.
    Array,
}

/// Why nothing after it can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

/// Takes a body apart.
pub(crate) struct Splitter {
    form: Form,
    max_bytes: usize,
    /// What has come of the job that has not ended.
    begun: Vec<u8>,
    is_too_long: bool,
    place: Place,
    /// Brackets that are open within the element.
    depth: u32,
    is_in_string: bool,
    is_escaped: bool,
}

/// Where in an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Before,
    /// At the beginning or after a comma.
    Between {
        after_comma: bool,
    },
    Element,
    After,
}

impl Splitter {
    /// Jobs of at most so many bytes.
    pub(crate) fn new(form: Form, max_bytes: usize) -> Splitter {
        Splitter {
            form,
            max_bytes,
            begun: Vec::new(),
            is_too_long: false,
            place: Place::Before,
            depth: 0,
            is_in_string: false,
            is_escaped: false,
        }
    }

    /// The form of the body.
    pub(crate) fn form(&self) -> Form {
        self.form
    }

    /// Adds to `found` the jobs that end in `bytes`.
    ///
    /// # Errors
    ///
    /// [`Malformed`]; what was found before is there.
    pub(crate) fn push(
        &mut self,
        bytes: &[u8],
        found: &mut VecDeque<Item>,
    ) -> Result<(), Malformed> {
        match self.form {
            Form::Lines => {
                self.lines(bytes, found);
                Ok(())
            }
            Form::Array => self.array(bytes, found),
        }
    }

    /// Adds the last job, which the end of the body ends.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if the array has not ended.
    pub(crate) fn finish(&mut self, found: &mut VecDeque<Item>) -> Result<(), Malformed> {
        match (self.form, self.place) {
            (Form::Lines, _) => {
                self.end(found);
                Ok(())
            }
            (Form::Array, Place::After) => Ok(()),
            (Form::Array, _) => Err(Malformed("the body ends within the array")),
        }
    }

    fn lines(&mut self, mut rest: &[u8], found: &mut VecDeque<Item>) {
        while let Some(end) = memchr::memchr(b'\n', rest) {
            self.extend(&rest[..end]);
            self.end(found);
            rest = &rest[end + 1..];
        }
        self.extend(rest);
    }

    fn array(&mut self, bytes: &[u8], found: &mut VecDeque<Item>) -> Result<(), Malformed> {
        // Where the part of the element begins that is in `bytes`.
        let mut from = 0;
        for (at, byte) in bytes.iter().copied().enumerate() {
            let is_space = matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
            match self.place {
                Place::Element => {
                    if self.is_end(byte) {
                        self.extend(&bytes[from..at]);
                        self.end(found);
                        self.place = match byte {
                            b',' => Place::Between { after_comma: true },
                            _ => Place::After,
                        };
                    }
                }
                _ if is_space => {}
                Place::Before if byte == b'[' => self.place = Place::Between { after_comma: false },
                Place::Between { after_comma: false } if byte == b']' => self.place = Place::After,
                Place::Between { .. } if !matches!(byte, b',' | b']') => {
                    self.place = Place::Element;
                    from = at;
                    self.is_end(byte);
                }
                Place::Before => return Err(Malformed("the body is not an array")),
                Place::Between { .. } => {
                    return Err(Malformed("an element of the array is missing"));
                }
                Place::After => return Err(Malformed("something comes after the array")),
            }
        }
        if self.place == Place::Element {
            self.extend(&bytes[from..]);
        }
        Ok(())
    }

    /// Takes in a byte of an element; whether it is the one after its end.
    fn is_end(&mut self, byte: u8) -> bool {
        if self.is_in_string {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => self.is_in_string = false,
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' => self.is_in_string = true,
            b'{' | b'[' => self.depth = self.depth.saturating_add(1),
            b'}' | b']' if self.depth > 0 => self.depth -= 1,
            b',' | b']' => return self.depth == 0,
            _ => {}
        }
        false
    }

    fn extend(&mut self, part: &[u8]) {
        self.is_too_long |= self.begun.len() + part.len() > self.max_bytes;
        if self.is_too_long {
            self.begun = Vec::new();
        } else {
            self.begun.extend_from_slice(part);
        }
    }

    fn end(&mut self, found: &mut VecDeque<Item>) {
        let begun = std::mem::take(&mut self.begun);
        if std::mem::take(&mut self.is_too_long) {
            found.push_back(Item::TooLong);
        } else if !begun.trim_ascii().is_empty() {
            found.push_back(Item::Job(begun));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The jobs, `…` for one that is too long, however the body is cut into pieces.
    #[track_caller]
    fn check(form: Form, body: &str, expected: &[&str], end: Result<(), &str>) {
        for size in 1..=body.len().max(1) {
            let mut splitter = Splitter::new(form, 12);
            let mut found = VecDeque::new();
            let mut pieces = body.as_bytes().chunks(size);
            let mut ended = pieces.try_for_each(|piece| splitter.push(piece, &mut found));
            if ended.is_ok() {
                ended = splitter.finish(&mut found);
            }
            let found: Vec<String> = found
                .into_iter()
                .map(|item| match item {
                    Item::Job(text) => String::from_utf8(text).unwrap().trim().to_owned(),
                    Item::TooLong => "…".to_owned(),
                    Item::Error(record) => record.message,
                })
                .collect();
            assert_eq!(found, expected, "{body} in pieces of {size}");
            assert_eq!(ended, end.map_err(|_| ended.unwrap_err()), "{body} in pieces of {size}");
            if let (Err(Malformed(found)), Err(expected)) = (ended, end) {
                assert_eq!(found, expected, "{body} in pieces of {size}");
            }
        }
    }

    #[test]
    fn lines_end_where_they_end() {
        check(Form::Lines, "", &[], Ok(()));
        check(Form::Lines, "{}\n\n {} \r\n[1]", &["{}", "{}", "[1]"], Ok(()));
        check(Form::Lines, "1234567890abc\n1\n", &["…", "1"], Ok(()));
    }

    #[test]
    fn elements_end_at_commas_that_are_not_within() {
        check(Form::Array, "[]", &[], Ok(()));
        check(Form::Array, " [ {} , 1,\"a,]\\\"\" ]\n", &["{}", "1", "\"a,]\\\"\""], Ok(()));
        check(Form::Array, "[[1,{}],{\"a\":1}]", &["[1,{}]", "{\"a\":1}"], Ok(()));
        check(Form::Array, "[\"\\\\\",2]", &["\"\\\\\"", "2"], Ok(()));
        check(Form::Array, "[\"1234567890abc\",2]", &["…", "2"], Ok(()));
    }

    #[test]
    fn what_is_no_array_ends_the_batch_after_what_was_found() {
        check(Form::Array, "{}", &[], Err("the body is not an array"));
        check(Form::Array, "[1,,2]", &["1"], Err("an element of the array is missing"));
        check(Form::Array, "[1,]", &["1"], Err("an element of the array is missing"));
        check(Form::Array, "[1] 2", &["1"], Err("something comes after the array"));
        check(Form::Array, "[1,{", &["1"], Err("the body ends within the array"));
        check(Form::Array, "", &[], Err("the body ends within the array"));
        // A bracket that closes nothing is for the reader of jobs to complain about.
        check(Form::Array, "[}]", &["}"], Ok(()));
    }
}
