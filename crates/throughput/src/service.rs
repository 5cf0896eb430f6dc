//! How many questions a second `keyaki serve` answers on a machine that it shares with whoever asks, and how long one takes.
//!
//! The cache of outcomes is off, the log says only what goes wrong, and connections are kept. In batches: one body of lines, from its
//! first byte to the last result. One by one: first as many as a few clients get answered that ask again at once (the peak), then at a given
//! rate, where a request counts from the moment when it was due and not from when somebody had time to send it, so that a stall is seen by all that
//! were due in it. At twice the peak every request has a short deadline, and must be answered or refused; there are so many connections that all of them
//! together do not wait for the service, which is what would slow them down to what it can do.
//!
//! Those who ask ([`crate::load`]) take a processor from the service, as neighbours do; a generator on another machine would measure its network.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use crate::child;
use crate::load::{self, Load, Pace};
use crate::mix::Mix;

/// Clients that ask one by one, for the peak and at a rate: enough that one is free when a request is due. Sixteen have a higher peak, of which 70 %
/// is more than 64 can be answered at without long queues.
const CLIENTS: usize = 64;

/// Clients that ask for more than can be answered: as many as requests are due in a tenth of a second, at twice the peak of a fast machine.
const OVERLOAD_CLIENTS: usize = 3_000;

/// What is set otherwise than by default: 480 connections could not ask for more than can be answered.
const SETTINGS: &str = "connections_max = 4_096\n";

/// The deadline of requests in the overload.
const DEADLINE: Duration = Duration::from_millis(100);

/// The longest that anything may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A service that was started for the measurement.
struct Service {
    child: Child,
    address: SocketAddr,
}

impl Service {
    fn start(
        keyaki: &Path,
        workers: usize,
        scratch: &Path,
        keeps: bool,
    ) -> Result<Service, String> {
        let settings = scratch.join("service.toml");
        fs::write(&settings, SETTINGS).map_err(|error| format!("no settings: {error}"))?;
        let mut child = Command::new(keyaki)
            .args(["serve", "--listen", "127.0.0.1:0", "--log", "warn"])
            .args((!keeps).then_some("--no-cache"))
            .args(["--workers", &workers.to_string(), "--settings"])
            .arg(&settings)
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

/// All that was measured.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// Questions of the batch, and how long it took.
    pub batches: Vec<(u64, Duration)>,
    /// The same with outcomes that are kept from one repetition to the next.
    pub kept: Vec<(u64, Duration)>,
    /// One by one.
    pub loads: Vec<Load>,
    /// The most memory that the service had, in KiB.
    pub peak_kib: u64,
}

/// Measures with so many questions in a batch, and for so long at each rate; `scratch` is a folder for its file of settings.
///
/// # Errors
///
/// The service does not start, or does not answer at all.
pub fn measure(
    keyaki: &Path,
    mix: &Mix,
    workers: usize,
    scratch: &Path,
    n_questions: u64,
    time: Duration,
) -> Result<Measured, String> {
    let jobs: Vec<String> =
        (0..n_questions).map(|number| mix.question(number).job.to_string()).collect();
    let batches = |service: &Service| -> Result<Vec<(u64, Duration)>, String> {
        // The first is slow for what is made once.
        let mut all = (0..4).map(|_| Ok((n_questions, batch(service.address, &jobs)?)));
        all.next().transpose()?;
        all.collect()
    };
    let kept = batches(&Service::start(keyaki, workers, scratch, true)?)?;
    let service = Service::start(keyaki, workers, scratch, false)?;
    let batches = batches(&service)?;
    let mut measured = Measured { batches, kept, ..Measured::default() };
    let mut at = |name, n_clients, pace, deadline| {
        let requests = jobs.iter().map(|job| request(job, deadline)).collect();
        let load = load::ask(service.address, requests, name, n_clients, pace, time)?;
        let rate = load.rate();
        measured.loads.push(load);
        Ok::<f64, String>(rate)
    };
    let peak = at("peak", CLIENTS, Pace::AtOnce, None)?;
    at("5000 a second", CLIENTS, Pace::Due(5_000.0), None)?;
    at("70 % of the peak", CLIENTS, Pace::Due(0.7 * peak), None)?;
    at("twice the peak", OVERLOAD_CLIENTS, Pace::Sent(2.0 * peak), Some(DEADLINE))?;
    // And as before when it is over.
    at("70 %, after", CLIENTS, Pace::Due(0.7 * peak), None)?;
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

/// All of it.
pub fn csv(measured: &Measured) -> String {
    let mut text = "what,offered_per_second,sent_per_second,wall_ns,answered,refused,lost,answered_per_second,p50_ns,p99_ns,p999_ns,max_ns\n".to_owned();
    for (name, batches) in [("batch", &measured.batches), ("batch with a cache", &measured.kept)] {
        for (n, took) in batches {
            let rate = *n as f64 / took.as_secs_f64();
            let _ = writeln!(text, "{name},,,{},{n},0,0,{rate:.0},,,,", took.as_nanos());
        }
    }
    for load in &measured.loads {
        let offered = load.offered.map(|rate| format!("{rate:.0}")).unwrap_or_default();
        let quantiles =
            [0.5, 0.99, 0.999, 1.0].map(|share| load.quantile(share).as_nanos().to_string());
        let _ = writeln!(
            text,
            "{},{offered},{:.0},{},{},{},{},{:.0},{}",
            load.name,
            load.sent(),
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
