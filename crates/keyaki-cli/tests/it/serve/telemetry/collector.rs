//! A collector of spans that reads the bytes by itself: HTTP with a length, and as much of protocol buffers as it takes. It shares no code with the
//! exporter.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

/// What it does with what it gets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Manner {
    Takes,
    /// Says 400, which is final.
    Refuses,
    /// Reads, and never answers.
    Hangs,
}

/// A collector, which stays until the tests end.
pub(crate) struct Collector {
    pub(crate) address: SocketAddr,
    got: Arc<Mutex<Vec<Post>>>,
}

/// A request that it got.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

/// A span as it was exported.
#[derive(Clone, Debug, Default)]
pub(crate) struct Span {
    pub(crate) trace: String,
    pub(crate) id: String,
    /// Empty if it has none.
    pub(crate) parent: String,
    pub(crate) name: String,
    pub(crate) kind: u64,
    pub(crate) end_ns: u64,
    pub(crate) attributes: BTreeMap<String, String>,
    /// What is known of the process.
    pub(crate) resource: BTreeMap<String, String>,
    pub(crate) is_error: bool,
}

impl Collector {
    pub(crate) fn start(manner: Manner) -> Collector {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let got = Arc::default();
        let collector = Collector { address, got: Arc::clone(&got) };
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let got = Arc::clone(&got);
                thread::spawn(move || serve(stream, manner, &got));
            }
        });
        collector
    }

    /// An address at which nobody listens.
    pub(crate) fn nowhere() -> SocketAddr {
        TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
    }

    pub(crate) fn posts(&self) -> Vec<Post> {
        lock(&self.got).clone()
    }

    pub(crate) fn spans(&self) -> Vec<Span> {
        self.posts().iter().flat_map(|post| spans(&post.body)).collect()
    }
}

fn lock(got: &Mutex<Vec<Post>>) -> MutexGuard<'_, Vec<Post>> {
    got.lock().unwrap()
}

/// Answers one request, as whoever asks makes a connection for each. A service that ends meanwhile is no mistake.
fn serve(stream: TcpStream, manner: Manner, got: &Mutex<Vec<Post>>) {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).is_ok_and(|n| n > 0) {
            continue;
        }
        return;
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    let mut body = vec![0; length.expect("a request with a length")];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    lock(got).push(Post { head, body });
    let status = match manner {
        Manner::Takes => "200 OK",
        Manner::Refuses => "400 Bad Request",
        Manner::Hangs => {
            let _ = reader.read(&mut [0]);
            return;
        }
    };
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let _ = reader.get_mut().write_all(answer.as_bytes());
}

/// The value of a field.
enum Field<'b> {
    Number(u64),
    Bytes(&'b [u8]),
}

/// The fields of a message, by their numbers, as they come.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let field = match key & 7 {
            0 => Field::Number(varint(&mut bytes)),
            1 => Field::Number(u64::from_le_bytes(take(&mut bytes, 8).try_into().unwrap())),
            2 => {
                let length = varint(&mut bytes);
                Field::Bytes(take(&mut bytes, length as usize))
            }
            5 => {
                let four = take(&mut bytes, 4).try_into().unwrap();
                Field::Number(u64::from(u32::from_le_bytes(four)))
            }
            other => panic!("there is no wire type {other}"),
        };
        fields.push((key >> 3, field));
    }
    fields
}

fn take<'b>(bytes: &mut &'b [u8], length: usize) -> &'b [u8] {
    let (taken, rest) = bytes.split_at(length);
    *bytes = rest;
    taken
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(bytes, 1)[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return value;
        }
    }
    panic!("a number of more than 64 bits");
}

/// The messages in fields of that number.
fn messages(bytes: &[u8], number: u64) -> impl Iterator<Item = &[u8]> {
    fields(bytes).into_iter().filter_map(move |(found, field)| match field {
        Field::Bytes(bytes) if found == number => Some(bytes),
        _ => None,
    })
}

/// `ExportTraceServiceRequest`.
fn spans(bytes: &[u8]) -> Vec<Span> {
    let mut spans = Vec::new();
    for of_resource in messages(bytes, 1) {
        let resource: BTreeMap<String, String> = messages(of_resource, 1)
            .flat_map(|resource| messages(resource, 1))
            .map(attribute)
            .collect();
        let of_scopes = messages(of_resource, 2).flat_map(|scope| messages(scope, 2));
        spans.extend(of_scopes.map(|bytes| Span { resource: resource.clone(), ..span(bytes) }));
    }
    spans
}

fn span(bytes: &[u8]) -> Span {
    let mut span = Span::default();
    for (number, field) in fields(bytes) {
        match (number, field) {
            (1, Field::Bytes(id)) => span.trace = hexadecimal(id),
            (2, Field::Bytes(id)) => span.id = hexadecimal(id),
            (4, Field::Bytes(id)) => span.parent = hexadecimal(id),
            (5, Field::Bytes(name)) => span.name = text(name),
            (6, Field::Number(kind)) => span.kind = kind,
            (8, Field::Number(time)) => span.end_ns = time,
            (9, Field::Bytes(pair)) => span.attributes.extend([attribute(pair)]),
            (15, Field::Bytes(status)) => {
                let is_error = |(number, field)| matches!((number, field), (3, Field::Number(2)));
                span.is_error = fields(status).into_iter().any(is_error);
            }
            _ => {}
        }
    }
    span
}

fn attribute(bytes: &[u8]) -> (String, String) {
    let name = messages(bytes, 1).next().map(text).unwrap_or_default();
    let value = messages(bytes, 2).next().and_then(|value| fields(value).into_iter().next());
    let value = match value {
        Some((1, Field::Bytes(bytes))) => text(bytes),
        Some((3, Field::Number(number))) => number.to_string(),
        _ => panic!("`{name}` is neither text nor a whole number"),
    };
    (name, value)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
