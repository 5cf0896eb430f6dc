//! How many questions a second `keyaki serve` answers on a machine that it shares with whoever asks, and how long one takes.
//!
//! The cache of outcomes is off, the log says only what goes wrong, and connections are kept. In batches: one body of lines, from its
//! first byte to the last result. One by one: first as many as a few clients get answered that ask again at once (the peak), then at a given
//! rate, where a request counts from the moment when it was due and not from when somebody had time to send it, so that a stall is seen by all that
//! were due in it. At twice the peak every request has a short deadline, and must be answered or refused.
//!
//! Clients are threads that block. They take processors from the service, as neighbours do; a generator on another machine would measure its network.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::child;
use crate::mix::Mix;

/// Clients that ask one by one for the peak: two for each thing that has to be done at a time.
const PEAK_CLIENTS: usize = 16;

/// Clients that ask at a rate: enough that one is free when a request is due.
const RATE_CLIENTS: usize = 64;

/// Clients that ask for more than can be answered.
const OVERLOAD_CLIENTS: usize = 256;

/// The deadline of requests in the overload.
const DEADLINE: Duration = Duration::from_millis(100);

/// The longest that anything may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// When requests are sent, and from when they count.
#[derive(Clone, Copy, Debug)]
enum Pace {
    /// Again at once.
    AtOnce,
    /// So many a second; each counts from when it was due.
    Due(f64),
    /// So many a second; each counts from when it was sent, since that clients have none free is not the service's doing.
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

/// A service that was started for the measurement.
struct Service {
    child: Child,
    address: SocketAddr,
}

impl Service {
    fn start(keyaki: &Path, workers: usize) -> Result<Service, String> {
        let mut child = Command::new(keyaki)
            .args(["serve", "--listen", "127.0.0.1:0", "--no-cache", "--log", "warn"])
            .args(["--workers", &workers.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("keyaki does not start: {error}"))?;
        let mut line = String::new();
        let output = child.stdout.take().expect("the pipe was asked for");
        BufReader::new(output).read_line(&mut line).map_err(|error| error.to_string())?;
        let address = line.trim().rsplit("//").next().and_then(|address| address.parse().ok());
        match address {
            Some(address) => Ok(Service { child, address }),
            None => {
                let _ = child.kill();
                let _ = child.wait();
                Err(format!("keyaki does not listen: {line:?}"))
            }
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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

/// All that was measured.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// Questions of the batch, and how long it took.
    pub batches: Vec<(u64, Duration)>,
    /// One by one.
    pub loads: Vec<Load>,
    /// The most memory that the service had, in KiB.
    pub peak_kib: u64,
}

/// Measures with so many questions in a batch, and for so long at each rate.
///
/// # Errors
///
/// The service does not start, or does not answer at all.
pub fn measure(
    keyaki: &Path,
    mix: &Mix,
    workers: usize,
    n_questions: u64,
    time: Duration,
) -> Result<Measured, String> {
    let service = Service::start(keyaki, workers)?;
    let mut measured = Measured::default();
    let jobs: Vec<String> =
        (0..n_questions).map(|number| mix.question(number).job.to_string()).collect();
    // The first is slow for what is made once.
    for repetition in 0..4 {
        let took = batch(service.address, &jobs)?;
        if repetition > 0 {
            measured.batches.push((n_questions, took));
        }
    }
    let requests: Vec<Vec<u8>> = jobs.iter().map(|job| request(job, None)).collect();
    let peak = ask(service.address, &requests, "peak", PEAK_CLIENTS, Pace::AtOnce, time);
    let rate = peak.rate();
    measured.loads.push(peak);
    let steady = ask(
        service.address,
        &requests,
        "70 % of the peak",
        RATE_CLIENTS,
        Pace::Due(0.7 * rate),
        time,
    );
    measured.loads.push(steady);
    let requests: Vec<Vec<u8>> = jobs.iter().map(|job| request(job, Some(DEADLINE))).collect();
    let twice = ask(
        service.address,
        &requests,
        "twice the peak",
        OVERLOAD_CLIENTS,
        Pace::Sent(2.0 * rate),
        time,
    );
    measured.loads.push(twice);
    // And as before when it is over.
    let requests: Vec<Vec<u8>> = jobs.iter().map(|job| request(job, None)).collect();
    let after =
        ask(service.address, &requests, "70 %, after", RATE_CLIENTS, Pace::Due(0.7 * rate), time);
    measured.loads.push(after);
    measured.peak_kib =
        child::peak_kib(&format!("/proc/{}/status", service.child.id())).unwrap_or_default();
    Ok(measured)
}

/// How long a batch takes, from connecting to its last result.
fn batch(address: SocketAddr, jobs: &[String]) -> Result<Duration, String> {
    let told = |error: std::io::Error| format!("the batch: {error}");
    let body: String = jobs.iter().map(|job| format!("{job}\n")).collect();
    let start = Instant::now();
    let stream = TcpStream::connect(address).map_err(told)?;
    stream.set_read_timeout(Some(TIMEOUT)).map_err(told)?;
    let mut writer = stream.try_clone().map_err(told)?;
    let n_results = thread::scope(|scope| {
        let sender = scope.spawn(move || {
            let head = format!(
                "POST /v1/jobs HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/x-ndjson\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            writer.write_all(head.as_bytes()).and_then(|()| writer.write_all(body.as_bytes()))
        });
        // Ends of results; those of chunks have a carriage return before them.
        let mut reader = BufReader::with_capacity(1 << 16, stream);
        let (mut n_results, mut line) = (0, Vec::new());
        while reader.read_until(b'\n', &mut line).map_err(told)? > 0 {
            n_results += usize::from(line.ends_with(b"}\n"));
            line.clear();
        }
        let sent = sender.join().map_err(|_| "the sender panicked".to_owned())?;
        sent.map_err(told)?;
        Ok::<usize, String>(n_results)
    })?;
    if n_results != jobs.len() {
        return Err(format!("a batch of {} questions has {n_results} results", jobs.len()));
    }
    Ok(start.elapsed())
}

fn request(job: &str, deadline: Option<Duration>) -> Vec<u8> {
    let mut head =
        "POST /v1/jobs HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n".to_owned();
    if let Some(deadline) = deadline {
        let _ = write!(head, "keyaki-deadline-ms: {}\r\n", deadline.as_millis());
    }
    let _ = write!(head, "content-length: {}\r\n\r\n{job}", job.len());
    head.into_bytes()
}

/// Asks for so long, at a rate or again at once.
fn ask(
    address: SocketAddr,
    requests: &[Vec<u8>],
    name: &'static str,
    n_clients: usize,
    pace: Pace,
    time: Duration,
) -> Load {
    let next = AtomicU64::new(0);
    let start = Instant::now();
    let client = || {
        let mut load = Load::default();
        let mut connection = None;
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let due = match pace.rate() {
                Some(rate) => start + Duration::from_secs_f64(number as f64 / rate),
                None => Instant::now(),
            };
            if due.duration_since(start) >= time {
                return load;
            }
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let from = if matches!(pace, Pace::Due(_)) { due } else { Instant::now() };
            let request = &requests[number as usize % requests.len()];
            match exchange(address, &mut connection, request) {
                Ok((200, body)) if body.contains("\"verdict\":") => {
                    load.answered.push(from.elapsed());
                }
                Ok((429 | 503, _)) => load.refused.push(from.elapsed()),
                // A job that is wrong is answered too.
                Ok((400, body)) if body.contains("\"error\":") => {
                    load.answered.push(from.elapsed());
                }
                other => {
                    load.lost += 1;
                    load.first_lost.get_or_insert_with(|| format!("{other:?}"));
                    connection = None;
                }
            }
        }
    };
    let mut all = Load { name, offered: pace.rate(), ..Load::default() };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..n_clients).map(|_| scope.spawn(client)).collect();
        for client in clients {
            let Ok(load) = client.join() else { continue };
            all.answered.extend(load.answered);
            all.refused.extend(load.refused);
            all.lost += load.lost;
            all.first_lost = all.first_lost.take().or(load.first_lost);
        }
    });
    all.wall = start.elapsed();
    all
}

/// Sends a request over a connection that is kept, and reads the status and the body.
fn exchange(
    address: SocketAddr,
    connection: &mut Option<BufReader<TcpStream>>,
    request: &[u8],
) -> std::io::Result<(u16, String)> {
    let invalid =
        |what: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, what.to_owned());
    let reader = match connection {
        Some(reader) => reader,
        None => {
            let stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(TIMEOUT))?;
            connection.insert(BufReader::new(stream))
        }
    };
    reader.get_mut().write_all(request)?;
    let (mut status, mut length, mut line) = (0, 0, String::new());
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Err(invalid("the connection was closed"));
        }
        let trimmed = line.trim();
        if trimmed.is_empty() {
            break;
        }
        if status == 0 {
            let word = trimmed.split(' ').nth(1).and_then(|word| word.parse().ok());
            status = word.ok_or_else(|| invalid(trimmed))?;
        } else if let Some((name, value)) = trimmed.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().map_err(|_| invalid(trimmed))?;
        }
    }
    let mut body = vec![0; length];
    std::io::Read::read_exact(reader, &mut body)?;
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

/// All of it.
pub fn csv(measured: &Measured) -> String {
    let mut text = "what,offered_per_second,wall_ns,answered,refused,lost,answered_per_second,p50_ns,p99_ns,p999_ns,max_ns\n".to_owned();
    for (n, took) in &measured.batches {
        let rate = *n as f64 / took.as_secs_f64();
        let _ = writeln!(text, "batch,,{},{n},0,0,{rate:.0},,,,", took.as_nanos());
    }
    for load in &measured.loads {
        let offered = load.offered.map(|rate| format!("{rate:.0}")).unwrap_or_default();
        let quantiles =
            [0.5, 0.99, 0.999, 1.0].map(|share| load.quantile(share).as_nanos().to_string());
        let _ = writeln!(
            text,
            "{},{offered},{},{},{},{},{:.0},{}",
            load.name,
            load.wall.as_nanos(),
            load.answered.len(),
            load.refused.len(),
            load.lost,
            load.rate(),
            quantiles.join(",")
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

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
