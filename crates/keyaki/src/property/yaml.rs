//! YAML as the values that the reader of JSON gives, each with its place.
//!
//! The events are those of `saphyr-parser`, which knows the whole of YAML 1.2 and where each event stands; a reader
//! that fills Rust types does not say where a *key* stood. Plain words are read by the core schema of YAML 1.2, so
//! `on` and `yes` are texts. What has no counterpart in JSON is refused: anchors, tags, several documents, and keys
//! that are no texts. Without anchors no text is large when it is read.

use std::borrow::Cow;

use keyaki_policy::json::{Kind, MAX_DEPTH, MAX_VALUES, Member, Value};
use keyaki_policy::span::{Position, Span};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span as Place};

/// Why a text is no YAML that we read.
#[derive(Debug)]
pub(super) struct Mistake {
    pub(super) message: String,
    pub(super) hint: Option<String>,
    pub(super) position: Position,
}

/// Reads the one document that the text holds.
pub(super) fn read(source: &str) -> Result<Value<'_>, Mistake> {
    let mut starts: Vec<usize> = source.char_indices().map(|(at, _)| at).collect();
    starts.push(source.len());
    Reader { source, starts, events: Parser::new_from_str(source), n_values: 0 }.document()
}

struct Reader<'s, P> {
    source: &'s str,
    /// Where each character begins, in bytes, and where the text ends.
    starts: Vec<usize>,
    events: P,
    n_values: usize,
}

impl<'s, P> Reader<'s, P>
where
    P: Iterator<Item = Result<(Event<'s>, Place), saphyr_parser::ScanError>>,
{
    fn document(mut self) -> Result<Value<'s>, Mistake> {
        let mut found = None;
        while let Some((event, place)) = self.next()? {
            match event {
                Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
                Event::DocumentStart(_) if found.is_none() => {}
                Event::DocumentStart(_) => {
                    return Err(self.wrong(
                        place,
                        "a second document",
                        "a file holds one property",
                    ));
                }
                event => found = Some(self.value(event, place, 0)?),
            }
        }
        found.ok_or_else(|| self.wrong(Place::default(), "the document is empty", ""))
    }

    fn next(&mut self) -> Result<Option<(Event<'s>, Place)>, Mistake> {
        self.events.next().transpose().map_err(|error| Mistake {
            message: error.info().to_owned(),
            hint: None,
            position: position(error.marker()),
        })
    }

    /// The event that has to come, for the document goes on.
    fn inside(&mut self) -> Result<(Event<'s>, Place), Mistake> {
        match self.next()? {
            Some(next) => Ok(next),
            None => Err(self.wrong(Place::default(), "the document ends too early", "")),
        }
    }

    fn value(
        &mut self,
        event: Event<'s>,
        place: Place,
        depth: usize,
    ) -> Result<Value<'s>, Mistake> {
        self.n_values += 1;
        if depth > MAX_DEPTH || self.n_values > MAX_VALUES {
            let message = format!("more than {MAX_DEPTH} levels or {MAX_VALUES} values");
            return Err(self.wrong(place, &message, ""));
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.check_plain(place, anchor, tag.is_some())?;
                Ok(self.scalar(text, style, place))
            }
            Event::SequenceStart(anchor, tag) => {
                self.check_plain(place, anchor, tag.is_some())?;
                let mut elements = Vec::new();
                loop {
                    match self.inside()? {
                        (Event::SequenceEnd, end) => {
                            let span = self.span(Place { start: place.start, end: end.end });
                            return Ok(Value { kind: Kind::Array(elements), span });
                        }
                        (event, place) => elements.push(self.value(event, place, depth + 1)?),
                    }
                }
            }
            Event::MappingStart(anchor, tag) => {
                self.check_plain(place, anchor, tag.is_some())?;
                self.mapping(place, depth)
            }
            Event::Alias(_) => Err(self.wrong(place, "aliases are not read", NO_ANCHORS)),
            _ => Err(self.wrong(place, "a value is expected here", "")),
        }
    }

    fn mapping(&mut self, place: Place, depth: usize) -> Result<Value<'s>, Mistake> {
        let mut members: Vec<Member<'s>> = Vec::new();
        loop {
            let (key, key_place) = match self.inside()? {
                (Event::MappingEnd, end) => {
                    let span = self.span(Place { start: place.start, end: end.end });
                    return Ok(Value { kind: Kind::Object(members), span });
                }
                (Event::Scalar(text, _, anchor, tag), key_place) => {
                    self.check_plain(key_place, anchor, tag.is_some())?;
                    (text, key_place)
                }
                (Event::Alias(_), place) => {
                    return Err(self.wrong(place, "aliases are not read", NO_ANCHORS));
                }
                (_, place) => {
                    return Err(self.wrong(place, "a field's name is a text", ""));
                }
            };
            if members.iter().any(|member| member.key == key) {
                let message = format!("the field `{key}` is there twice");
                return Err(self.wrong(key_place, &message, "remove one of the two"));
            }
            let (event, value_place) = self.inside()?;
            let value = self.value(event, value_place, depth + 1)?;
            members.push(Member { key, key_span: self.span(key_place), value });
        }
    }

    fn check_plain(&self, place: Place, anchor: usize, is_tagged: bool) -> Result<(), Mistake> {
        if anchor != 0 {
            return Err(self.wrong(place, "anchors are not read", NO_ANCHORS));
        }
        if is_tagged {
            return Err(self.wrong(
                place,
                "tags are not read",
                "texts, numbers, lists and objects need none",
            ));
        }
        Ok(())
    }

    /// A plain word is what the core schema says; all else is text.
    fn scalar(&self, text: Cow<'s, str>, style: ScalarStyle, place: Place) -> Value<'s> {
        let span = self.span(place);
        let is_plain = matches!(style, ScalarStyle::Plain);
        let kind = match &*text {
            "" | "~" | "null" | "Null" | "NULL" if is_plain => Kind::Null,
            "true" | "True" | "TRUE" if is_plain => Kind::Bool(true),
            "false" | "False" | "FALSE" if is_plain => Kind::Bool(false),
            word if is_plain && is_number(word) => match self.written(span) {
                Some(written) if written == word => Kind::Number(written),
                _ => Kind::String(text),
            },
            _ => Kind::String(text),
        };
        Value { kind, span }
    }

    fn written(&self, span: Span) -> Option<&'s str> {
        self.source.get(span.start as usize..span.end as usize)
    }

    fn span(&self, place: Place) -> Span {
        let byte = |marker: Marker| {
            let last = self.starts.len() - 1;
            self.starts[marker.index().min(last)]
        };
        let (start, end) = (byte(place.start), byte(place.end));
        Span::new(start, end.max(start))
    }

    fn wrong(&self, place: Place, message: &str, hint: &str) -> Mistake {
        Mistake {
            message: message.to_owned(),
            hint: (!hint.is_empty()).then(|| hint.to_owned()),
            position: Position::of(self.source, self.span(place).start),
        }
    }
}

const NO_ANCHORS: &str = "write the value out where it is used";

/// Lines count from 1 in markers, columns from 0.
fn position(marker: &Marker) -> Position {
    let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Position { line: narrow(marker.line().max(1)), column: narrow(marker.col() + 1) }
}

/// Whether the core schema takes the word for a number.
fn is_number(word: &str) -> bool {
    let digits = word.strip_prefix(['-', '+']).unwrap_or(word);
    let is_decimal = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.contains(|c: char| c.is_ascii_digit())
        && word.parse::<f64>().is_ok();
    let is_based =
        word.strip_prefix("0o").is_some_and(|rest| i128::from_str_radix(rest, 8).is_ok())
            || word.strip_prefix("0x").is_some_and(|rest| i128::from_str_radix(rest, 16).is_ok());
    is_decimal || is_based
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The JSON that says the same has the same values.
    #[track_caller]
    fn check(yaml: &str, json: &str) {
        let of_yaml = read(yaml).unwrap_or_else(|mistake| panic!("{}", mistake.message));
        let of_json = keyaki_policy::json::read(json).expect("it is JSON");
        assert_eq!(text(&of_yaml), text(&of_json));
    }

    fn text(value: &Value<'_>) -> String {
        match &value.kind {
            Kind::Array(elements) => {
                let elements: Vec<String> = elements.iter().map(text).collect();
                format!("[{}]", elements.join(","))
            }
            Kind::Object(members) => {
                let member =
                    |member: &Member<'_>| format!("{:?}:{}", member.key, text(&member.value));
                let members: Vec<String> = members.iter().map(member).collect();
                format!("{{{}}}", members.join(","))
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn yaml_says_what_json_says() {
        check("a: 1\nb: [x, 'y', \"z\"]\n", r#"{"a": 1, "b": ["x", "y", "z"]}"#);
        check("on: yes\noff: no\n", r#"{"on": "yes", "off": "no"}"#);
        check("a:\n  - true\n  - null\n  - '1'\n", r#"{"a": [true, null, "1"]}"#);
        check("a: >\n  long\n  text\n", r#"{"a": "long text\n"}"#);
        check("# a comment\n---\n{a: {b: c}}\n", r#"{"a": {"b": "c"}}"#);
    }

    #[test]
    fn what_json_has_not_is_refused_where_it_stands() {
        for (yaml, message, line, column) in [
            ("a: &x 1\n", "anchors are not read", 1, 4),
            ("a: 1\nb: *x\n", "while parsing node, found unknown anchor", 2, 4),
            ("a: !!str 1\n", "tags are not read", 1, 4),
            ("a: 1\na: 2\n", "the field `a` is there twice", 2, 1),
            ("a: 1\n---\nb: 2\n", "a second document", 2, 1),
            ("? [a]\n: 1\n", "a field's name is a text", 1, 3),
            ("", "the document is empty", 1, 1),
            ("a: [1\n", "", 2, 1),
        ] {
            let mistake = read(yaml).expect_err("it is refused");
            let place = (mistake.position.line, mistake.position.column);
            assert!(mistake.message.contains(message), "{yaml:?}: {}", mistake.message);
            assert_eq!(place, (line, column), "{yaml:?}: {}", mistake.message);
        }
    }

    #[test]
    fn places_are_bytes_of_the_text() {
        let source = "é: é\nb: 12\n";
        let value = read(source).expect("it is YAML");
        let Kind::Object(members) = value.kind else { panic!("it is an object") };
        let written = |span: Span| &source[span.start as usize..span.end as usize];
        assert_eq!(written(members[0].key_span), "é");
        assert_eq!(written(members[0].value.span), "é");
        assert_eq!(members[1].value.kind, Kind::Number("12"));
    }

    #[test]
    fn nesting_has_a_limit() {
        let deep = format!("a: {}1{}", "[".repeat(80), "]".repeat(80));
        assert!(read(&deep).err().is_some_and(|mistake| mistake.message.contains("levels")));
    }
}
