//! `keyaki serve` from outside: a process of its own, and a client that speaks HTTP byte by byte, so that it can misbehave.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::program::{Den, LONG, check_against_schema, wait_until};

mod answers;
mod aws;
mod faults;
mod telemetry;
mod tls;

/// A running service, which is killed in the end.
pub(crate) struct Server {
    pub(crate) den: Den,
    child: Child,
    pub(crate) address: SocketAddr,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// Whether the response ended as it should.
    pub(crate) is_complete: bool,
}

impl Server {
    /// A service with these arguments, divided by spaces.
    #[track_caller]
    pub(crate) fn start(arguments: &str) -> Server {
        Server::start_in(Den::new(), arguments)
    }

    #[track_caller]
    pub(crate) fn start_in(den: Den, arguments: &str) -> Server {
        let words: Vec<&str> = arguments.split_whitespace().collect();
        let mut command =
            den.command(&[&["serve", "--listen", "127.0.0.1:0"], &words[..]].concat());
        let log = std::fs::File::create(den.path().join("log")).unwrap();
        command.stderr(log);
        Server::spawn(den, command)
    }

    #[track_caller]
    pub(crate) fn spawn(den: Den, mut command: Command) -> Server {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit("//").next().and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| panic!("it does not listen: {line:?}"));
        Server { den, child, address }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn log(&self) -> String {
        self.den.read("log")
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.set_write_timeout(Some(LONG)).unwrap();
        stream
    }

    /// Sends a request whose body has a length, and reads the reply.
    #[track_caller]
    pub(crate) fn send(&self, head: &str, headers: &[&str], body: impl AsRef<[u8]>) -> Reply {
        let body = body.as_ref();
        let mut stream = self.connect();
        let mut text = format!("{head} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
        for header in headers {
            text += &format!("{header}\r\n");
        }
        text += &format!("content-length: {}\r\n\r\n", body.len());
        // The service may have said no before it has all of it.
        let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.write_all(body));
        Reply::read(&mut stream)
    }

    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: impl AsRef<[u8]>) -> Reply {
        self.send(&format!("POST {path}"), &[], body)
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Reply {
        self.send(&format!("GET {path}"), &[], "")
    }

    /// The value of a metric without labels, or the sum of those that have them.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").body;
        let values = text.lines().filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            (series.split('{').next()? == name).then(|| value.parse::<f64>().ok())?
        });
        values.sum()
    }

    pub(crate) fn signal(&self, signal: &str) {
        let kill = Command::new("kill").args([signal, &self.pid().to_string()]).status();
        assert!(kill.unwrap().success());
    }

    /// Waits for its end; its exit status.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> Option<i32> {
        wait_until("the service has ended", || self.child.try_wait().unwrap().is_some());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Reply {
    /// Reads to the end of the connection.
    #[track_caller]
    pub(crate) fn read(stream: &mut TcpStream) -> Reply {
        let mut bytes = Vec::new();
        let mut buffer = [0; 1 << 16];
        // A reset after the reply is what a client gets that goes on sending.
        let end = loop {
            match stream.read(&mut buffer) {
                Ok(n @ 1..) => bytes.extend_from_slice(&buffer[..n]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                end => break end,
            }
        };
        let reply = Reply::parse(&bytes);
        reply.unwrap_or_else(|| panic!("{end:?} after {:?}", String::from_utf8_lossy(&bytes)))
    }

    pub(crate) fn parse(bytes: &[u8]) -> Option<Reply> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).ok()?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        let headers: Vec<(String, String)> = lines.filter_map(header).collect();
        let rest = &bytes[end + 4..];
        let has = |name: &str, value: &str| headers.iter().any(|(n, v)| n == name && v == value);
        let (body, is_complete) = if has("transfer-encoding", "chunked") {
            unchunked(rest)?
        } else {
            let length = headers.iter().find(|(name, _)| name == "content-length");
            let length = length.and_then(|(_, length)| length.parse().ok());
            (rest.to_vec(), length.is_none_or(|length: usize| length == rest.len()))
        };
        let body = String::from_utf8(body).ok()?;
        Some(Reply { status, headers, body, is_complete })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The result, as `docs/schema.json` has it.
    #[track_caller]
    pub(crate) fn result(&self) -> Value {
        let value: Value = serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"));
        check_against_schema("JobResult", &value);
        value
    }

    /// The code of the error.
    #[track_caller]
    pub(crate) fn code(&self) -> (u16, String) {
        let result = self.result();
        assert!(result.get("verdict").is_none(), "{result}");
        (self.status, result["error"]["code"].as_str().unwrap_or_default().to_owned())
    }

    /// The verdict.
    #[track_caller]
    pub(crate) fn verdict(&self) -> (u16, String) {
        let result = self.result();
        assert!(result.get("error").is_none(), "{result}");
        (self.status, result["verdict"].as_str().unwrap_or_default().to_owned())
    }
}

fn unchunked(mut rest: &[u8]) -> Option<(Vec<u8>, bool)> {
    let mut body = Vec::new();
    loop {
        let Some(end) = rest.windows(2).position(|two| two == b"\r\n") else {
            return Some((body, false));
        };
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?, 16).ok()?;
        rest = &rest[end + 2..];
        if length == 0 {
            return Some((body, true));
        }
        if rest.len() < length + 2 {
            body.extend_from_slice(rest);
            return Some((body, false));
        }
        body.extend_from_slice(&rest[..length]);
        rest = &rest[length + 2..];
    }
}
