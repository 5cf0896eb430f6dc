//! JSON (RFC 8259) with positions: text to [`Value`]s that know where they stand.
//!
//! We read JSON ourselves because no reader we know does all that a policy needs: spans of values
//! and of member names, members in order, repeated names found rather than dropped (1.1), the
//! source text of numbers kept (D1), and messages for people who write policies by hand.
//!
//! The grammar is exactly that of RFC 8259; nothing is repaired. Two things are narrower than the
//! RFC, which allows both: a name must not repeat within an object, and there are limits
//! ([`MAX_SOURCE_BYTES`], [`MAX_VALUES`], [`MAX_DEPTH`]). Numbers have none, because nothing here
//! computes with them. The differential tests at the end hold us to `serde_json` in all else.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;

use crate::diagnostic::{BYTE_ORDER_MARK, Code, ParseError, quoted};
use crate::span::{Position, Span};

/// Longest document, in bytes. AWS's largest policies are 32 KiB; this leaves room for generated
/// ones and keeps a span in 32 bits.
pub const MAX_SOURCE_BYTES: usize = 16 << 20;

/// Deepest nesting of objects and lists, in levels. A policy needs seven; the reader recurses, so
/// this also bounds its stack.
pub const MAX_DEPTH: usize = 64;

/// Most values of one document, as many as fit into some 100 MB of memory: `[0,0,0…]` grows twenty
/// times when it is read.
pub const MAX_VALUES: usize = 1_000_000;

/// A JSON value and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value<'s> {
    /// The value.
    pub kind: Kind<'s>,
    /// Its place, quotes and brackets included.
    pub span: Span,
}

/// What a [`Value`] is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind<'s> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as written.
    Number(&'s str),
    /// A string, decoded; borrowed if it has no escapes.
    String(Cow<'s, str>),
    /// A list.
    Array(Vec<Value<'s>>),
    /// An object: its members in the order written, no name twice.
    Object(Vec<Member<'s>>),
}

/// A member of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member<'s> {
    /// The name, decoded.
    pub key: Cow<'s, str>,
    /// The name's place, quotes included.
    pub key_span: Span,
    /// The value.
    pub value: Value<'s>,
}

/// Reads the one value that `source` holds, surrounded by optional white space. A byte order mark
/// before it is skipped.
///
/// # Errors
///
/// [`Code::InvalidJson`] with the place where the text stops being JSON, [`Code::DuplicateKey`] or
/// [`Code::TooLarge`].
pub fn read(source: &str) -> Result<Value<'_>, ParseError> {
    Reader::new(source, None)?.document().map(|(value, _)| value)
}

/// As [`read`], but of an object with repeated names all members are kept, and the repetitions are
/// told beside the value, the first of each object.
pub(crate) fn read_repeated(source: &str) -> Result<(Value<'_>, Vec<ParseError>), ParseError> {
    Reader::new(source, Some(Vec::new()))?.document()
}

/// Reads the one value that `bytes` hold, as [`read`] does.
///
/// # Errors
///
/// As of [`read`] and [`decode`].
pub fn read_bytes(bytes: &[u8]) -> Result<Value<'_>, ParseError> {
    read(decode(bytes)?)
}

/// The text that `bytes` encode in UTF-8, the only encoding of JSON between systems.
///
/// # Errors
///
/// [`Code::InvalidJson`] with the place of the first byte that is not UTF-8, [`Code::TooLarge`] for
/// more than [`MAX_SOURCE_BYTES`].
pub fn decode(bytes: &[u8]) -> Result<&str, ParseError> {
    check_size(bytes.len())?;
    std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let valid = std::str::from_utf8(&bytes[..at]).expect("valid up to here");
        let span = Span::new(at, at + error.error_len().unwrap_or(bytes.len() - at));
        let message = match error.error_len() {
            Some(_) => format!("the byte 0x{:02X} at offset {at} is not UTF-8", bytes[at]),
            None => format!("the document ends inside the UTF-8 character at offset {at}"),
        };
        let error = ParseError::new(Code::InvalidJson, valid, span, message);
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            error.with_hint("the document looks like UTF-16: save it as UTF-8")
        } else {
            error.with_hint("save the document as UTF-8")
        }
    })
}

impl Value<'_> {
    /// What kind of value this is, in words: `a string`, `null`.
    pub fn describe(&self) -> &'static str {
        match self.kind {
            Kind::Null => "null",
            Kind::Bool(_) => "a Boolean",
            Kind::Number(_) => "a number",
            Kind::String(_) => "a string",
            Kind::Array(_) => "a list",
            Kind::Object(_) => "an object",
        }
    }

    /// Moves the value's place and those of all in it by so many bytes towards the beginning: a value that was read
    /// as part of a text then stands as in its own text, if that began there.
    pub fn move_back(&mut self, n_bytes: u32) {
        let back = |span: &mut Span| {
            span.start = span.start.saturating_sub(n_bytes);
            span.end = span.end.saturating_sub(n_bytes);
        };
        back(&mut self.span);
        match &mut self.kind {
            Kind::Array(elements) => {
                elements.iter_mut().for_each(|element| element.move_back(n_bytes));
            }
            Kind::Object(members) => {
                for member in members {
                    back(&mut member.key_span);
                    member.value.move_back(n_bytes);
                }
            }
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => {}
        }
    }

    /// JSON pointer (RFC 6901) from this value to the innermost value or member name around `span`.
    pub fn pointer_to(&self, span: Span) -> String {
        let holds = |outer: Span| outer.start <= span.start && span.end <= outer.end;
        let mut pointer = String::new();
        let mut value = self;
        loop {
            match &value.kind {
                Kind::Array(elements) => {
                    let Some(index) = elements.iter().position(|element| holds(element.span))
                    else {
                        return pointer;
                    };
                    write!(pointer, "/{index}").expect("writing to a String cannot fail");
                    value = &elements[index];
                }
                Kind::Object(members) => {
                    let around =
                        |member: &&Member<'_>| holds(member.key_span) || holds(member.value.span);
                    let Some(member) = members.iter().find(around) else { return pointer };
                    push_segment(&mut pointer, &member.key);
                    if holds(member.key_span) {
                        return pointer;
                    }
                    value = &member.value;
                }
                _ => return pointer,
            }
        }
    }
}

/// The first member whose name an earlier one has, after that earlier one.
pub(crate) fn repeated_key<'m, 's>(
    members: &'m [Member<'s>],
    ignore_ascii_case: bool,
) -> Option<(&'m Member<'s>, &'m Member<'s>)> {
    /// Up to here comparing all pairs is faster than hashing.
    const FEW: usize = 8;

    if members.len() <= FEW {
        let same = |left: &str, right: &str| {
            if ignore_ascii_case { left.eq_ignore_ascii_case(right) } else { left == right }
        };
        return members.iter().enumerate().find_map(|(n, second)| {
            let first = members[..n].iter().find(|first| same(&first.key, &second.key))?;
            Some((first, second))
        });
    }
    let mut seen: HashMap<Cow<'_, str>, &Member<'_>> = HashMap::with_capacity(members.len());
    for second in members {
        let key = if ignore_ascii_case {
            Cow::Owned(second.key.to_ascii_lowercase())
        } else {
            Cow::Borrowed(&*second.key)
        };
        if let Some(first) = seen.insert(key, second) {
            return Some((first, second));
        }
    }
    None
}

/// The error that `second` repeats the name of `first`.
pub(crate) fn duplicate_key(source: &str, first: &Member<'_>, second: &Member<'_>) -> ParseError {
    let place = Position::of(source, first.key_span.start);
    let message = if first.key == second.key {
        format!("{} stands twice in one object, first at {place}", quoted(&second.key))
    } else {
        let (first, second) = (quoted(&first.key), quoted(&second.key));
        format!("{second} differs only in case from {first} at {place}")
    };
    ParseError::new(Code::DuplicateKey, source, second.key_span, message)
        .with_hint("remove one of the two, or make them one")
}

fn check_size(n_bytes: usize) -> Result<(), ParseError> {
    if n_bytes <= MAX_SOURCE_BYTES {
        return Ok(());
    }
    let message = format!("the document has {n_bytes} bytes; the limit is {MAX_SOURCE_BYTES}");
    Err(ParseError::new(Code::TooLarge, "", Span::default(), message))
}

/// Appends one segment to a JSON pointer.
fn push_segment(pointer: &mut String, segment: &str) {
    pointer.push('/');
    for c in segment.chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c => pointer.push(c),
        }
    }
}

/// One pass over the text. Every method starts at its first byte and stops after its last.
struct Reader<'s> {
    source: &'s str,
    bytes: &'s [u8],
    /// Offset of the next byte. Between two calls it is on a character boundary.
    at: usize,
    /// How many values have begun.
    n_values: usize,
    /// Repeated names so far; none if the first one ends the reading.
    repetitions: Option<Vec<ParseError>>,
}

/// Most repeated names that are collected.
const MAX_REPETITIONS: usize = 100;

impl<'s> Reader<'s> {
    fn new(source: &'s str, repetitions: Option<Vec<ParseError>>) -> Result<Self, ParseError> {
        check_size(source.len())?;
        let start =
            if source.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
        Ok(Reader { source, bytes: source.as_bytes(), at: start, n_values: 0, repetitions })
    }

    /// Reads the whole text.
    fn document(mut self) -> Result<(Value<'s>, Vec<ParseError>), ParseError> {
        self.skip_whitespace();
        if self.peek().is_none() {
            let message = "the document is empty";
            let span = Span::default();
            return Err(ParseError::new(Code::InvalidJson, self.source, span, message));
        }
        let value = self.value(0)?;
        self.skip_whitespace();
        match self.peek() {
            None => Ok((value, self.repetitions.unwrap_or_default())),
            Some(_) => Err(self.trailing_text()),
        }
    }

    /// Reads a value inside `depth` open objects and lists. White space before it has been skipped.
    fn value(&mut self, depth: usize) -> Result<Value<'s>, ParseError> {
        let start = self.at;
        self.n_values += 1;
        if self.n_values > MAX_VALUES {
            let message = format!("the document has more than {MAX_VALUES} values");
            return Err(self.error(Code::TooLarge, Span::new(start, start), message));
        }
        let kind = match self.peek() {
            Some(b'"') => Kind::String(self.string()?),
            Some(b'{') => self.object(depth + 1)?,
            Some(b'[') => self.array(depth + 1)?,
            Some(b'-' | b'0'..=b'9') => Kind::Number(self.number()?),
            Some(b't') if self.literal("true") => Kind::Bool(true),
            Some(b'f') if self.literal("false") => Kind::Bool(false),
            Some(b'n') if self.literal("null") => Kind::Null,
            _ => return Err(self.not_a_value()),
        };
        Ok(Value { kind, span: Span::new(start, self.at) })
    }

    fn object(&mut self, depth: usize) -> Result<Kind<'s>, ParseError> {
        let open = self.open(depth)?;
        let mut members = Vec::new();
        if self.close(b'}') {
            return Ok(Kind::Object(members));
        }
        loop {
            let key_start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.not_a_member_name(open));
            }
            let key = self.string()?;
            let key_span = Span::new(key_start, self.at);
            let value = match self.member_value(&key, depth, open) {
                Ok(value) => value,
                Err(error) => return Err(within(error, &key)),
            };
            members.push(Member { key, key_span, value });
            if self.close_or_comma(b'}', open)? {
                break;
            }
        }
        match repeated_key(&members, false) {
            None => Ok(Kind::Object(members)),
            Some((first, second)) => {
                let error = within(duplicate_key(self.source, first, second), &second.key);
                match &mut self.repetitions {
                    Some(repetitions) if repetitions.len() < MAX_REPETITIONS => {
                        repetitions.push(error);
                        Ok(Kind::Object(members))
                    }
                    _ => Err(error),
                }
            }
        }
    }

    /// Reads `: value` after a member's name.
    fn member_value(
        &mut self,
        key: &str,
        depth: usize,
        open: usize,
    ) -> Result<Value<'s>, ParseError> {
        self.skip_whitespace();
        match self.peek() {
            Some(b':') => self.at += 1,
            None => return Err(self.unexpected_end("object", open)),
            Some(_) => {
                let message = format!(
                    "expected `:` after the member name {}, found {}",
                    quoted(key),
                    self.found()
                );
                return Err(self.error_here(message));
            }
        }
        self.skip_whitespace();
        if self.peek().is_none() {
            return Err(self.unexpected_end("object", open));
        }
        self.value(depth)
    }

    fn array(&mut self, depth: usize) -> Result<Kind<'s>, ParseError> {
        let open = self.open(depth)?;
        let mut elements = Vec::new();
        if self.close(b']') {
            return Ok(Kind::Array(elements));
        }
        loop {
            if self.peek().is_none() {
                return Err(self.unexpected_end("list", open));
            }
            match self.value(depth) {
                Ok(element) => elements.push(element),
                Err(error) => return Err(within(error, &elements.len().to_string())),
            }
            if self.close_or_comma(b']', open)? {
                return Ok(Kind::Array(elements));
            }
        }
    }

    /// Steps over an opening bracket and the white space after it; returns the bracket's offset.
    fn open(&mut self, depth: usize) -> Result<usize, ParseError> {
        let open = self.at;
        if depth > MAX_DEPTH {
            let message = format!("nested more than {MAX_DEPTH} levels deep");
            return Err(self.error(Code::TooLarge, Span::new(open, open + 1), message));
        }
        self.at += 1;
        self.skip_whitespace();
        Ok(open)
    }

    /// Steps over the closing bracket if it comes next.
    fn close(&mut self, bracket: u8) -> bool {
        let closes = self.peek() == Some(bracket);
        self.at += usize::from(closes);
        closes
    }

    /// After a member or element: steps over the closing bracket (true), or over the comma and the
    /// white space after it (false).
    fn close_or_comma(&mut self, bracket: u8, open: usize) -> Result<bool, ParseError> {
        self.skip_whitespace();
        if self.close(bracket) {
            return Ok(true);
        }
        let comma = self.at;
        match self.peek() {
            Some(b',') => self.at += 1,
            None => return Err(self.unexpected_end(container(bracket), open)),
            Some(_) => return Err(self.not_a_separator(bracket, open)),
        }
        self.skip_whitespace();
        if self.peek() == Some(bracket) {
            let message = format!("trailing comma before `{}`", bracket as char);
            return Err(self
                .error(Code::InvalidJson, Span::new(comma, comma + 1), message)
                .with_hint("remove the comma"));
        }
        Ok(false)
    }

    /// Reads a string. Runs without escapes are borrowed or copied whole.
    fn string(&mut self) -> Result<Cow<'s, str>, ParseError> {
        let open = self.at;
        self.at += 1;
        let mut decoded: Option<String> = None;
        loop {
            let run_start = self.at;
            self.skip_plain_text();
            let run = &self.source[run_start..self.at];
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(match decoded {
                        None => Cow::Borrowed(run),
                        Some(text) => Cow::Owned(text + run),
                    });
                }
                Some(b'\\') => {
                    let text = decoded.get_or_insert_default();
                    text.push_str(run);
                    text.push(self.escape(open)?);
                }
                Some(control) => return Err(self.control_character(control)),
                None => return Err(self.unexpected_end("string", open)),
            }
        }
    }

    /// Skips to the next quote, backslash or control character.
    fn skip_plain_text(&mut self) {
        let rest = &self.bytes[self.at..];
        let ends = |&b: &u8| b == b'"' || b == b'\\' || b < 0x20;
        self.at += rest.iter().position(ends).unwrap_or(rest.len());
    }

    /// Reads an escape sequence of the string that begins at `open`.
    fn escape(&mut self, open: usize) -> Result<char, ParseError> {
        let start = self.at;
        let c = match self.bytes.get(start + 1) {
            Some(&c @ (b'"' | b'\\' | b'/')) => c as char,
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(),
            Some(_) => {
                self.at += 1;
                let c = self.source[self.at..].chars().next().expect("not at the end");
                let message = format!("unknown escape {}", quoted(&format!("\\{c}")));
                let span = Span::new(start, start + 1 + c.len_utf8());
                return Err(self
                    .error(Code::InvalidJson, span, message)
                    .with_hint("a backslash itself is written `\\\\`"));
            }
            None => {
                self.at += 1;
                return Err(self.unexpected_end("string", open));
            }
        };
        self.at += 2;
        Ok(c)
    }

    /// Reads `\uXXXX`, or two of them where they are a surrogate pair.
    fn unicode_escape(&mut self) -> Result<char, ParseError> {
        let start = self.at;
        let unit = self.utf16_unit()?;
        let mut units = vec![unit];
        if (0xd800..0xdc00).contains(&unit) && self.bytes[self.at..].starts_with(b"\\u") {
            units.push(self.utf16_unit()?);
        }
        let mut decoded = char::decode_utf16(units);
        match (decoded.next(), decoded.next()) {
            (Some(Ok(c)), None) => Ok(c),
            _ => {
                let span = Span::new(start, start + 6);
                let lexeme = &self.source[start..start + 6];
                let message = format!("`{lexeme}` is one half of a surrogate pair");
                Err(self.error(Code::InvalidJson, span, message).with_hint(
                    "write the character itself, or both halves (high half first) in a row",
                ))
            }
        }
    }

    /// Reads `\uXXXX`.
    fn utf16_unit(&mut self) -> Result<u16, ParseError> {
        let start = self.at;
        let digits = self.bytes.get(start + 2..start + 6).unwrap_or_default();
        let mut unit = 0;
        for &digit in digits {
            let Some(digit) = (digit as char).to_digit(16) else { break };
            unit = unit << 4 | digit as u16;
            self.at += 1;
        }
        if self.at - start < 4 {
            let span = Span::new(start, self.at + 2);
            let message = "`\\u` must be followed by four hexadecimal digits";
            return Err(self.error(Code::InvalidJson, span, message));
        }
        self.at = start + 6;
        Ok(unit)
    }

    /// Reads a number and returns its text.
    fn number(&mut self) -> Result<&'s str, ParseError> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let integer_start = self.at;
        let n_integer = self.digits();
        let leading_zero = n_integer > 1 && self.bytes[integer_start] == b'0';
        let mut complete = n_integer > 0;
        if complete && self.peek() == Some(b'.') {
            self.at += 1;
            complete = self.digits() > 0;
        }
        if complete && matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            complete = self.digits() > 0;
        }
        if complete && !leading_zero {
            return Ok(&self.source[start..self.at]);
        }
        let rest = &self.bytes[self.at..];
        let more = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'+' | b'-');
        self.at += rest.iter().take_while(|b| more(b)).count();
        let message = format!("malformed number {}", quoted(&self.source[start..self.at]));
        let error = self.error(Code::InvalidJson, Span::new(start, self.at), message);
        Err(if leading_zero { error.with_hint("remove the leading zero") } else { error })
    }

    /// Skips digits; returns how many.
    fn digits(&mut self) -> usize {
        let n_digits = self.bytes[self.at..].iter().take_while(|b| b.is_ascii_digit()).count();
        self.at += n_digits;
        n_digits
    }

    /// Steps over `word` if it is the whole word that comes next.
    fn literal(&mut self, word: &str) -> bool {
        let is_next = self.word() == word;
        self.at += if is_next { word.len() } else { 0 };
        is_next
    }

    /// The letters, digits and underscores that come next.
    fn word(&self) -> &'s str {
        let rest = &self.source[self.at..];
        let in_word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
        &rest[..rest.bytes().take_while(in_word).count()]
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_whitespace(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }
}

/// The messages.
impl Reader<'_> {
    fn error(&self, code: Code, span: Span, message: impl Into<String>) -> ParseError {
        ParseError::new(code, self.source, span, message)
    }

    /// An error at the word or character that comes next.
    fn error_here(&self, message: impl Into<String>) -> ParseError {
        let next = self.source[self.at..].chars().next().map_or(0, char::len_utf8);
        let span = Span::new(self.at, self.at + self.word().len().max(next));
        self.error(Code::InvalidJson, span, message)
    }

    /// The word or character that comes next, for a message.
    fn found(&self) -> String {
        match (self.word(), self.source[self.at..].chars().next()) {
            (_, None) => "the end of the document".to_owned(),
            ("", Some(c)) => quoted(c.encode_utf8(&mut [0; 4])).to_string(),
            (word, _) => quoted(word).to_string(),
        }
    }

    /// Something other than a value where one must stand.
    fn not_a_value(&self) -> ParseError {
        let error = self.error_here(format!("expected a value, found {}", self.found()));
        match (self.peek(), self.word().to_ascii_lowercase().as_str()) {
            (_, word @ ("true" | "false" | "null")) => {
                error.with_hint(format!("write `{word}` in lower case"))
            }
            (_, "none" | "nil" | "undefined") => error.with_hint("JSON writes `null`"),
            (_, "nan" | "inf" | "infinity") => error.with_hint("numbers in JSON are finite"),
            (Some(b'\''), _) => error.with_hint(DOUBLE_QUOTES),
            (Some(b'/' | b'#'), _) => error.with_hint(NO_COMMENTS),
            (Some(b'+' | b'.'), _) => {
                error.with_hint("a number begins with a digit or with `-` and a digit")
            }
            (Some(b','), _) => error.with_hint("a value is missing, or a comma is too many"),
            (_, "") => error,
            _ => error.with_hint(DOUBLE_QUOTES),
        }
    }

    /// Something other than a member name in the object that begins at `open`.
    fn not_a_member_name(&self, open: usize) -> ParseError {
        let Some(next) = self.peek() else { return self.unexpected_end("object", open) };
        let message = format!("expected a member name in double quotes, found {}", self.found());
        let error = self.error_here(message);
        match next {
            b'/' | b'#' => error.with_hint(NO_COMMENTS),
            b']' => error.with_hint(self.still_open("object", open)),
            b',' => error.with_hint("a member is missing, or a comma is too many"),
            _ => error.with_hint(DOUBLE_QUOTES),
        }
    }

    /// Neither comma nor closing bracket after a member or element of what begins at `open`.
    fn not_a_separator(&self, bracket: u8, open: usize) -> ParseError {
        let message = format!("expected `,` or `{}`, found {}", bracket as char, self.found());
        let error = self.error_here(message);
        match self.peek() {
            Some(b'/' | b'#') => error.with_hint(NO_COMMENTS),
            Some(b']' | b'}') => error.with_hint(self.still_open(container(bracket), open)),
            Some(b'"' | b'{' | b'[' | b'\'') => error.with_hint("a comma may be missing"),
            _ => error,
        }
    }

    fn trailing_text(&self) -> ParseError {
        let error =
            self.error_here(format!("text after the end of the document: {}", self.found()));
        match self.peek() {
            Some(b'{' | b'[') => error.with_hint("give one document at a time"),
            Some(b']' | b'}') => error.with_hint("there is one closing bracket too many"),
            Some(b'/' | b'#') => error.with_hint(NO_COMMENTS),
            _ => error,
        }
    }

    /// The end of the text inside the `what` that begins at `open`.
    fn unexpected_end(&self, what: &str, open: usize) -> ParseError {
        let place = Position::of(self.source, Span::new(open, open).start);
        let message = format!("the document ends inside the {what} that begins at {place}");
        let end = self.source.len();
        let error = self.error(Code::InvalidJson, Span::new(end, end), message);
        match what {
            "object" => error.with_hint("close it with `}`"),
            "list" => error.with_hint("close it with `]`"),
            _ => error.with_hint("close it with `\"`"),
        }
    }

    fn still_open(&self, what: &str, open: usize) -> String {
        let place = Position::of(self.source, Span::new(open, open).start);
        format!("the {what} that begins at {place} is still open")
    }

    fn control_character(&self, control: u8) -> ParseError {
        let message = format!("control character U+{control:04X} inside a string");
        let span = Span::new(self.at, self.at + 1);
        let hint = match control {
            b'\n' | b'\r' => "a string must end on its line; a line break in it is written `\\n`",
            b'\t' => "a tab in a string is written `\\t`",
            _ => return self.error(Code::InvalidJson, span, message),
        };
        self.error(Code::InvalidJson, span, message).with_hint(hint)
    }
}

const DOUBLE_QUOTES: &str = "strings and names stand in double quotes";
const NO_COMMENTS: &str = "JSON has no comments";

/// What a closing bracket closes.
fn container(bracket: u8) -> &'static str {
    if bracket == b'}' { "object" } else { "list" }
}

/// The error with `segment` put before its path: called while the error travels outwards.
fn within(mut error: ParseError, segment: &str) -> ParseError {
    let mut path = String::new();
    push_segment(&mut path, segment);
    path.push_str(&error.path);
    error.path = path;
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn strings(source: &str) -> Vec<(String, bool)> {
        let Kind::Array(elements) = read(source).unwrap().kind else { panic!("not a list") };
        elements
            .into_iter()
            .map(|element| match element.kind {
                Kind::String(text) => {
                    let borrowed = matches!(text, Cow::Borrowed(_));
                    (text.into_owned(), borrowed)
                }
                kind => panic!("{kind:?} is not a string"),
            })
            .collect()
    }

    #[test]
    fn a_part_of_a_text_that_is_moved_back_stands_as_in_its_own_text() {
        const PARTS: [&str; 4] = [
            r#"{"a": [1, {"é\n": null}], "b": {"c": "😀", "d": true}}"#,
            "{\n  \"a\":\n [ ]\r\n}",
            "[[], 1.5e3, \"\\u00e9\"]",
            "null",
        ];
        for part in PARTS {
            for before in ["{\"x\":", "{\"é\": [1,\n2], \n\t\"x\" : "] {
                let text = format!("{before}{part} , \"y\": 0}}");
                let Kind::Object(mut members) = read(&text).unwrap().kind else { panic!() };
                let at = members.iter().position(|member| member.key == "x").unwrap();
                let mut value = members.swap_remove(at).value;
                assert_eq!(value.span.start as usize, before.len());
                value.move_back(value.span.start);
                assert_eq!(value, read(part).unwrap(), "{text}");
            }
        }
    }

    #[test]
    fn strings_without_escapes_are_borrowed() {
        assert_eq!(
            strings(r#"["é", "", "a\/\u00e9\ud83D\ude00\n"]"#),
            [("é".to_owned(), true), (String::new(), true), ("a/é😀\n".to_owned(), false)]
        );
    }

    #[test]
    fn numbers_keep_their_text() {
        let source = "[5.0, -0, 1e999, 123456789012345678901234567890]";
        let Kind::Array(elements) = read(source).unwrap().kind else { panic!("not a list") };
        let texts: Vec<_> = elements.iter().map(|element| element.kind.clone()).collect();
        let expected = ["5.0", "-0", "1e999", "123456789012345678901234567890"];
        assert_eq!(texts, expected.map(Kind::Number));
    }

    #[test]
    fn spans_cover_quotes_and_brackets_also_after_a_byte_order_mark() {
        let source = "\u{feff} {\"k\": [1]}";
        let value = read(source).unwrap();
        let Kind::Object(members) = &value.kind else { panic!("not an object") };
        let text = |span: Span| &source[span.start as usize..span.end as usize];
        assert_eq!(text(value.span), "{\"k\": [1]}");
        assert_eq!(text(members[0].key_span), "\"k\"");
        assert_eq!(text(members[0].value.span), "[1]");
    }

    #[test]
    fn a_pointer_names_the_innermost_value_around_a_span() {
        let source = r#"{"a/b~": [0, {"c": "text"}]}"#;
        let value = read(source).unwrap();
        let pointer = |text: &str| {
            let start = source.find(text).unwrap();
            value.pointer_to(Span::new(start, start + text.len()))
        };
        assert_eq!(pointer("ext"), "/a~1b~0/1/c");
        assert_eq!(pointer("\"c\""), "/a~1b~0/1/c");
        assert_eq!(pointer("{\"c\": \"text\"}"), "/a~1b~0/1");
        assert_eq!(pointer("0, "), "/a~1b~0");
        assert_eq!(pointer(source), "");
    }

    #[test]
    fn repeated_names_are_found_in_small_and_large_objects() {
        for n in [2, 100] {
            let members: Vec<_> = (0..n).map(|i| format!("\"k{i}\": {i}")).collect();
            let good = format!("{{{}}}", members.join(", "));
            assert!(read(&good).is_ok());
            let bad = format!("{{{}, \"\\u006b1\": 0}}", members.join(", "));
            let error = read(&bad).unwrap_err();
            assert_eq!(error.code, Code::DuplicateKey);
            assert_eq!(error.message, "`k1` stands twice in one object, first at 1:11");
            assert_eq!(error.path, "/k1");
        }
    }

    /// What a value is to `serde_json`; compared by parts, because numbers are text here.
    #[track_caller]
    fn check_same(ours: &Value<'_>, theirs: &serde_json::Value, source: &str) {
        use serde_json::Value as Theirs;
        match (&ours.kind, theirs) {
            (Kind::Null, Theirs::Null) => {}
            (Kind::Bool(ours), Theirs::Bool(theirs)) => assert_eq!(ours, theirs, "in {source:?}"),
            (Kind::Number(lexeme), Theirs::Number(theirs)) => {
                let ours: serde_json::Number = serde_json::from_str(lexeme).unwrap();
                assert_eq!(ours, *theirs, "in {source:?}");
            }
            (Kind::String(ours), Theirs::String(theirs)) => {
                assert_eq!(ours, theirs, "in {source:?}");
            }
            (Kind::Array(ours), Theirs::Array(theirs)) => {
                assert_eq!(ours.len(), theirs.len(), "in {source:?}");
                ours.iter().zip(theirs).for_each(|(ours, theirs)| check_same(ours, theirs, source));
            }
            (Kind::Object(ours), Theirs::Object(theirs)) => {
                assert_eq!(ours.len(), theirs.len(), "in {source:?}");
                for (ours, (key, theirs)) in ours.iter().zip(theirs) {
                    assert_eq!(ours.key, *key, "in {source:?}");
                    check_same(&ours.value, theirs, source);
                }
            }
            (ours, theirs) => panic!("{ours:?} is not {theirs:?} in {source:?}"),
        }
    }

    /// Checks that both readers accept the text and read the same, or that both reject it, except
    /// for what the module's head says.
    #[track_caller]
    fn check_agrees_with_serde(source: &str) {
        match (read(source), serde_json::from_str::<serde_json::Value>(source)) {
            (Ok(ours), Ok(theirs)) => check_same(&ours, &theirs, source),
            (Ok(_), Err(theirs)) => {
                let reason = theirs.to_string();
                assert!(reason.contains("number out of range"), "{reason} in {source:?}");
            }
            (Err(ours), Ok(_)) => {
                let narrower = matches!(ours.code, Code::DuplicateKey | Code::TooLarge);
                assert!(narrower, "{ours} in {source:?}");
            }
            (Err(ours), Err(_)) => {
                assert!(ours.span.end as usize <= source.len(), "{ours} in {source:?}");
            }
        }
    }

    const TOKENS: [&str; 40] = [
        "{", "}", "[", "]", ":", ",", "\"", "\"a\"", "\"b\":", "\"\"", "\\", "\\n", "\\u00e9",
        "\\ud83d", "\\ude00", "\\u", "\\x", "true", "false", "null", "tru", "True", "0", "-", "1",
        "00", ".", "5e3", "E+", "e-", "1e999", " ", "\n", "\t", "\r", "\u{0}", "\u{7f}", "é", "😀",
        "/",
    ];

    #[test]
    fn random_tokens_are_read_as_serde_json_reads_them() {
        keyaki_testing::arbtest(|u| {
            let mut source = String::new();
            for _ in 0..u.int_in_range(0..=12)? {
                source.push_str(u.choose(&TOKENS)?);
            }
            check_agrees_with_serde(&source);
            check_agrees_with_serde(&format!("\"{source}\""));
            check_agrees_with_serde(&format!("[{source}]"));
            Ok(())
        });
    }

    #[test]
    fn damaged_policies_are_read_as_serde_json_reads_them() {
        const POLICY: &str = r#"{"Version": "2012-10-17", "Id": "caf\u00e9 \"x\"", "Statement": [
            {"Effect": "Allow", "Action": ["s3:Get*", "s3:Put?"], "Resource": "*",
             "Condition": {"Bool": {"aws:SecureTransport": true}, "Null": {"k": [false, null]},
                           "NumericLessThan": {"n": [1, -2.50, 3e4]}, "StringLike": {}}}, []]}"#;
        check_agrees_with_serde(POLICY);
        keyaki_testing::arbtest(|u| {
            let mut chars: Vec<char> = POLICY.chars().collect();
            for _ in 0..u.int_in_range(1..=3)? {
                let at = u.choose_index(chars.len())?;
                let token = u.choose(&TOKENS)?.chars();
                match u.int_in_range(0..=2)? {
                    0 => drop(chars.remove(at)),
                    1 => drop(chars.splice(at..at, token)),
                    _ => drop(chars.splice(at..=at, token)),
                }
            }
            check_agrees_with_serde(&chars.into_iter().collect::<String>());
            Ok(())
        });
    }
}
