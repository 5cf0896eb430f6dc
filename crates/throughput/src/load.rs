//! Clients that ask one by one over connections that they keep, all in one thread.
//!
//! A client is a task: a thread for each was tried, and more than a hundred of them take the processors from the service, which neighbours on the
//! same machine would not. One thread uses one processor at most, whatever the number of clients. Due times are kept to the millisecond, which is the
//! clock of the runtime, so requests come in small bursts, and up to a millisecond of each time is the generator's.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{sleep, sleep_until, timeout};

/// The longest that an answer may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Connections that are made without a pause. More than the system queues would wait for a second.
const AT_ONCE: usize = 50;

/// When requests are sent, and from when they count.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// Again at once.
    AtOnce,
    /// So many a second; each counts from when it was due.
    Due(f64),
    /// So many a second; each counts from when it was sent, since that no client was free or the generator too slow is not the service's doing.
    Sent(f64),
}

impl Pace {
    fn rate(self) -> Option<f64> {
        match self {
            Pace::AtOnce => None,
            Pace::Due(rate) | Pace::Sent(rate) => Some(rate),
        }
    }
}

/// What came of requests at one rate.
#[derive(Clone, Debug, Default)]
pub struct Load {
    /// What was measured.
    pub name: &'static str,
    /// Requests a second that were due; none where clients ask again at once.
    pub offered: Option<f64>,
    /// From the first to the last.
    pub wall: Duration,
    /// How long each answered request took.
    pub answered: Vec<Duration>,
    /// How long each refusal took.
    pub refused: Vec<Duration>,
    /// Requests that were neither answered nor refused in words, with the first of them.
    pub lost: u64,
    /// What the first of these got.
    pub first_lost: Option<String>,
}

impl Load {
    /// Answered requests a second.
    pub fn rate(&self) -> f64 {
        self.answered.len() as f64 / self.wall.as_secs_f64()
    }

    /// Requests that were sent a second.
    pub fn sent(&self) -> f64 {
        let n = self.answered.len() as u64 + self.refused.len() as u64 + self.lost;
        n as f64 / self.wall.as_secs_f64()
    }

    /// The time within which this share of the answers came.
    pub fn quantile(&self, share: f64) -> Duration {
        let mut sorted = self.answered.clone();
        sorted.sort_unstable();
        let at = (share * sorted.len() as f64).ceil() as usize;
        sorted
            .get(at.saturating_sub(1).min(sorted.len().saturating_sub(1)))
            .copied()
            .unwrap_or_default()
    }
}

/// Asks for so long, with so many clients.
///
/// # Errors
///
/// There is no runtime.
pub(crate) fn ask(
    address: SocketAddr,
    requests: Vec<Vec<u8>>,
    name: &'static str,
    n_clients: usize,
    pace: Pace,
    time: Duration,
) -> Result<Load, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
    let mut all = Load { name, offered: pace.rate(), ..Load::default() };
    let tasks = LocalSet::new();
    tasks.block_on(&runtime, async {
        // A thousand new connections at once would measure how the system makes them.
        let mut connections = Vec::new();
        for number in 0..n_clients {
            connections.push(Connection::new(address).await.ok());
            if number % AT_ONCE == 0 {
                sleep(Duration::from_millis(10)).await;
            }
        }
        let start = Instant::now();
        let plan = Rc::new(Plan { address, requests, pace, time, start, next: Cell::new(0) });
        let mut clients = JoinSet::new();
        for connection in connections {
            clients.spawn_local(Rc::clone(&plan).client(connection));
        }
        let mut connections = Vec::new();
        while let Some(client) = clients.join_next().await {
            let Ok((load, connection)) = client else { continue };
            // To close thousands is work for the service, while others still wait for their answers.
            connections.push(connection);
            all.answered.extend(load.answered);
            all.refused.extend(load.refused);
            all.lost += load.lost;
            all.first_lost = all.first_lost.take().or(load.first_lost);
        }
        all.wall = start.elapsed();
    });
    Ok(all)
}

/// What all clients share.
struct Plan {
    address: SocketAddr,
    requests: Vec<Vec<u8>>,
    pace: Pace,
    time: Duration,
    start: Instant,
    /// The number of the next request.
    next: Cell<u64>,
}

impl Plan {
    /// Takes the next request when it is due, one after the other, until the time is up.
    async fn client(
        self: Rc<Plan>,
        mut connection: Option<Connection>,
    ) -> (Load, Option<Connection>) {
        let mut load = Load::default();
        loop {
            let number = self.next.get();
            self.next.set(number + 1);
            let due = match self.pace.rate() {
                Some(rate) => self.start + Duration::from_secs_f64(number as f64 / rate),
                None => Instant::now(),
            };
            if due.duration_since(self.start) >= self.time {
                return (load, connection);
            }
            // Even a time that has passed takes the runtime a millisecond.
            if due > Instant::now() {
                sleep_until(due.into()).await;
            }
            let from = if matches!(self.pace, Pace::Due(_)) { due } else { Instant::now() };
            let request = &self.requests[number as usize % self.requests.len()];
            let exchange = async {
                let connection = match &mut connection {
                    Some(connection) => connection,
                    None => connection.insert(Connection::new(self.address).await?),
                };
                connection.exchange(request).await
            };
            let response = timeout(TIMEOUT, exchange).await;
            let response = response.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
            if !matches!(&response, Ok((Head { is_last: false, .. }, _))) {
                connection = None;
            }
            match response {
                // A job that is wrong is answered too.
                Ok((Head { status: 200 | 400, .. }, body)) if is_answer(&body) => {
                    load.answered.push(from.elapsed());
                }
                Ok((Head { status: 408 | 429 | 503, .. }, body)) if is_answer(&body) => {
                    load.refused.push(from.elapsed());
                }
                other => {
                    load.lost += 1;
                    let text = other.map(|(head, body)| (head, String::from_utf8(body)));
                    load.first_lost.get_or_insert_with(|| format!("{text:?}"));
                }
            }
        }
    }
}

/// Whether the service has made up its mind in words.
fn is_answer(body: &[u8]) -> bool {
    [&b"\"verdict\":"[..], b"\"error\":"].iter().any(|word| memmem::find(body, word).is_some())
}

/// A connection, and what came over it and has not been looked at.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn new(address: SocketAddr) -> io::Result<Connection> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, buffer: Vec::new() })
    }

    /// Sends a request, and reads the response. A client of a library takes several times as long, and with it the processor that the service shares.
    async fn exchange(&mut self, request: &[u8]) -> io::Result<(Head, Vec<u8>)> {
        self.stream.write_all(request).await?;
        let end = loop {
            if let Some(end) = memmem::find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
            self.read().await?;
        };
        let head = head(&self.buffer[..end]).ok_or(io::ErrorKind::InvalidData)?;
        while self.buffer.len() < end + head.length {
            self.read().await?;
        }
        let body = self.buffer[end..end + head.length].to_vec();
        self.buffer.drain(..end + head.length);
        Ok((head, body))
    }

    async fn read(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// What the head of a response says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    /// Bytes of the body.
    length: usize,
    is_last: bool,
}

fn head(text: &[u8]) -> Option<Head> {
    let mut lines = std::str::from_utf8(text).ok()?.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let mut head = Head { status, length: 0, is_last: false };
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            head.length = value.trim().parse().ok()?;
        } else if name.eq_ignore_ascii_case("connection") {
            head.is_last = value.trim().eq_ignore_ascii_case("close");
        }
    }
    Some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_a_response_says_how_long_it_is() {
        let text =
            b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\nContent-Length: 12\r\n\r\n";
        assert_eq!(head(text), Some(Head { status: 429, length: 12, is_last: false }));
        let last = Head { status: 200, length: 0, is_last: true };
        assert_eq!(head(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"), Some(last));
        assert_eq!(head(b"HTTP/1.1\r\n\r\n"), None);
        assert_eq!(head(b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"), None);
    }

    #[test]
    fn quantiles_are_of_what_was_answered() {
        let answered = (1..=100).map(Duration::from_millis).collect();
        let load = Load { answered, wall: Duration::from_secs(2), ..Load::default() };
        assert_eq!(load.quantile(0.5), Duration::from_millis(50));
        assert_eq!(load.quantile(0.99), Duration::from_millis(99));
        assert_eq!(load.quantile(1.0), Duration::from_millis(100));
        assert!((load.rate() - 50.0).abs() < 1e-9);
        assert_eq!(Load::default().quantile(0.99), Duration::ZERO);
    }
}
