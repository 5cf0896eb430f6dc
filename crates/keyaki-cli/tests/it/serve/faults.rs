//! Whatever goes wrong around the service: after it, the right answers again, nobody left running, no descriptor and no memory kept.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::{Reply, Server};
use crate::fakes::{HANGS, check_nobody_is_left, den, pids};
use crate::program::{Den, LONG, PRIVATE, PUBLIC, UNLIKELY, has_solver, wait_until};

const CHECK: &str = "/v1/check/no-public-access";

/// What memory may have grown by when all is over, in bytes: an allocator keeps some of what it was given.
const KEPT_BYTES: u64 = 96 << 20;

/// On one line.
fn job(policy: &str) -> String {
    format!(r#"{{"policy":{policy}}}"#).replace('\n', " ")
}

/// What a process holds.
#[derive(Debug)]
struct Holdings {
    descriptors: usize,
    children: Vec<u32>,
    memory_bytes: u64,
}

fn holdings(server: &Server) -> Holdings {
    let folder = format!("/proc/{}", server.pid());
    let status = fs::read_to_string(format!("{folder}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    Holdings {
        descriptors: fs::read_dir(format!("{folder}/fd")).unwrap().count(),
        children: children(server),
        memory_bytes: kib << 10,
    }
}

/// The processes that a thread of the service started, and that have not been waited for.
fn children(server: &Server) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{}/task", server.pid())).unwrap();
    let of_task = |task: fs::DirEntry| fs::read_to_string(task.path().join("children")).ok();
    let lists = tasks.filter_map(Result::ok).filter_map(of_task).collect::<Vec<_>>();
    lists
        .iter()
        .flat_map(|list| list.split_whitespace())
        .filter_map(|pid| pid.parse().ok())
        .collect()
}

/// A service that has answered, so that what it makes once is made, and what it holds then.
fn started(den: Den, arguments: &str) -> (Server, Holdings) {
    let server = Server::start_in(den, arguments);
    check_right(&server);
    wait_until("it is at rest", || server.metric("keyaki_running") == 0.0);
    let before = holdings(&server);
    (server, before)
}

/// The right answers.
#[track_caller]
fn check_right(server: &Server) {
    for (policy, verdict) in [(PUBLIC, "fails"), (PRIVATE, "holds")] {
        assert_eq!(server.post(CHECK, job(policy)).verdict(), (200, verdict.to_owned()));
    }
}

/// All is as it was before.
#[track_caller]
fn check_recovered(server: &Server, before: &Holdings) {
    check_right(server);
    wait_until("nothing runs", || server.metric("keyaki_running") == 0.0);
    assert_eq!(server.metric("keyaki_queue_jobs"), 0.0);
    let is_over = |now: &Holdings| {
        now.descriptors <= before.descriptors
            && now.children.is_empty()
            && now.memory_bytes <= before.memory_bytes + KEPT_BYTES
    };
    wait_until(&format!("it holds no more than {before:?}"), || is_over(&holdings(server)));
}

/// Says that it is over.
struct OnDrop<'a>(&'a AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Solvers of the system alone, so that they have to be asked.
fn only_installed() -> Den {
    Den::with("solvers.toml", "[[solver]]\nname = \"automaton\"\nenabled = false\n")
}

#[test]
fn solvers_that_are_killed_cost_an_attempt() {
    if !has_solver() {
        return;
    }
    let (server, before) = started(only_installed(), "--config solvers.toml --deadline 20");
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                for child in children(&server) {
                    let mut kill = Command::new("kill");
                    let _ = kill.args(["-KILL", &child.to_string()]).stderr(Stdio::null()).status();
                }
                thread::sleep(Duration::from_millis(40));
            }
        });
        // Also if a client finds something wrong.
        let _end = OnDrop(&is_over);
        let clients: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..5 {
                        let reply = server.post(CHECK, job(UNLIKELY));
                        let result = reply.result();
                        // If all of them were killed, or there was no time, nobody knows, and it says so.
                        match reply.status {
                            200 if result["verdict"] == "unknown" => {
                                assert_eq!(result["reason"], "timeout", "{result}");
                            }
                            200 => assert_eq!(result["verdict"], "fails", "{result}"),
                            500 => assert_eq!(result["error"]["code"], "solver-failed", "{result}"),
                            _ => panic!("{reply:?}"),
                        }
                    }
                })
            })
            .collect();
        clients.into_iter().for_each(|client| client.join().unwrap());
    });
    let is_right = || server.post(CHECK, job(UNLIKELY)).result()["verdict"] == "fails";
    wait_until("it is answered again", is_right);
    check_recovered(&server, &before);
}

#[test]
fn a_solver_that_hangs_costs_its_deadline_and_no_other_request() {
    let (server, before) = started(den(&[("hangs", HANGS)]), "--config fakes.toml");
    let ask =
        || server.send(&format!("POST {CHECK}"), &["keyaki-deadline-ms: 8000"], job(UNLIKELY));
    thread::scope(|scope| {
        // More than there are processors.
        let hanging: Vec<_> = (0..6).map(|_| scope.spawn(ask)).collect();
        wait_until("all of them wait", || pids(&server.den).len() == 6);
        check_right(&server);
        for reply in hanging {
            let reply = reply.join().unwrap();
            assert_eq!(reply.verdict(), (200, "unknown".to_owned()));
            assert_eq!(reply.result()["reason"], "timeout");
        }
    });
    check_nobody_is_left(&server.den);
    check_recovered(&server, &before);
}

#[test]
fn the_work_of_a_client_that_goes_away_is_stopped() {
    let (server, before) = started(den(&[("hangs", HANGS)]), "--config fakes.toml --deadline 59");
    let text = job(UNLIKELY);
    let request = |path: &str, kind: &str, body: &str| {
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: {kind}\r\n");
        let mut stream = server.connect();
        stream
            .write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes())
            .unwrap();
        stream
    };
    let line = format!("{}\n", text.replacen('{', r#"{"question":"no-public-access","#, 1));
    let streams = [
        request(CHECK, "application/json", &text),
        request("/v1/jobs", "application/x-ndjson", &line.repeat(3)),
    ];
    wait_until("both wait", || pids(&server.den).len() >= 2);
    drop(streams);
    check_nobody_is_left(&server.den);
    check_recovered(&server, &before);
    // The deadline is far away: nothing but the clients' going has stopped it. What had not begun was not.
    let text = server.get("/metrics").body;
    assert!(text.contains("keyaki_unknown_total{reason=\"cancelled\"} 2\n"), "{text}");
    assert_eq!(server.metric("keyaki_unknown_total"), 2.0);
}

#[test]
fn a_full_disk_loses_lines_of_the_log_and_nothing_else() {
    let den = Den::new();
    let mut command = den.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.stderr(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let mut server = Server::spawn(den, command);
    for _ in 0..20 {
        check_right(&server);
    }
    wait_until("lines are lost", || server.metric("keyaki_log_lines_lost_total") >= 40.0);
    server.signal("-TERM");
    assert_eq!(server.wait(), Some(0));
}

#[test]
fn without_descriptors_connections_wait_and_then_are_answered() {
    let den = Den::new();
    let program = env!("CARGO_BIN_EXE_keyaki");
    let mut command = Command::new("sh");
    let script = format!("ulimit -n 40; exec {program} serve --listen 127.0.0.1:0 --log off");
    command.args(["-c", &script]).current_dir(den.path()).stderr(Stdio::null());
    let server = Server::spawn(den, command);
    check_right(&server);
    let before = holdings(&server);
    let mut first = server.connect();
    let idle: Vec<TcpStream> = (0..60).map(|_| server.connect()).collect();
    // Whoever got in before is served.
    let body = job(PUBLIC);
    let head = format!("POST {CHECK} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
    first
        .write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes())
        .unwrap();
    assert_eq!(Reply::read(&mut first).verdict(), (200, "fails".to_owned()));
    drop(idle);
    assert!(server.metric("keyaki_accept_failures_total") > 0.0);
    check_recovered(&server, &before);
}

/// Says that it is any time within some seventy years of which a program asks, whenever it asks; the clock that only goes forward is left alone.
const CLOCK: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*real)(clockid_t, struct timespec *);
    static unsigned jump;
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, time);
    if (clock == CLOCK_REALTIME) time->tv_sec = (__sync_add_and_fetch(&jump, 1) * 2654435761u) >> 1;
    return result;
}
"#;

#[test]
fn connections_beyond_the_limit_are_told_so() {
    let den = Den::new();
    den.write("few.toml", "connections_max = 3\n");
    let (server, before) = started(den, "--settings few.toml");
    let idle: Vec<TcpStream> = (0..3).map(|_| server.connect()).collect();
    wait_until("there are too many", || {
        let reply = server.send(&format!("POST {CHECK}"), &[], job(PUBLIC));
        reply.status == 503 && reply.body.contains("too many connections")
    });
    drop(idle);
    wait_until("there is room again", || {
        server.send(&format!("POST {CHECK}"), &[], job(PUBLIC)).status == 200
    });
    assert!(server.metric("keyaki_shed_total") > 0.0);
    check_recovered(&server, &before);
}

#[test]
fn a_clock_that_jumps_changes_neither_answers_nor_deadlines() {
    let den = den(&[("hangs", HANGS)]);
    den.write("clock.c", CLOCK);
    let mut compile = Command::new("cc");
    compile.args(["-shared", "-fPIC", "-o", "clock.so", "clock.c", "-ldl"]).current_dir(den.path());
    if !compile.stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
        drop(std::io::stderr().write_all(b"SKIPPED: there is no compiler of C\n"));
        return;
    }
    let mut command = den.command(&["serve", "--listen", "127.0.0.1:0", "--config", "fakes.toml"]);
    command.env("LD_PRELOAD", den.path().join("clock.so"));
    command.stderr(fs::File::create(den.path().join("log")).unwrap());
    let server = Server::spawn(den, command);
    for _ in 0..10 {
        check_right(&server);
    }
    let reply = server.send(&format!("POST {CHECK}"), &["keyaki-deadline-ms: 1000"], job(UNLIKELY));
    assert_eq!(reply.verdict(), (200, "unknown".to_owned()));
    check_nobody_is_left(&server.den);
    // The clock did jump: lines of the log are years apart.
    let log = server.log();
    let mut years: Vec<&str> = log.lines().filter_map(|line| line.get(..4)).collect();
    years.dedup();
    assert!(years.len() > 3, "{log}");
}

#[test]
fn what_was_accepted_is_answered_when_it_is_stopped() {
    let mut server = Server::start("");
    let line = format!("{}\n", job(PRIVATE).replacen('{', r#"{"question":"no-public-access","#, 1));
    let has_begun = AtomicBool::new(false);
    let server_ = &server;
    thread::scope(|scope| {
        let batch = scope.spawn(|| {
            let lines = line.repeat(3_000);
            server_.send("POST /v1/jobs", &["content-type: application/jsonl"], lines)
        });
        let clients: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    // Until it does not listen any more.
                    while let Ok(mut stream) = TcpStream::connect(server_.address) {
                        let body = job(PUBLIC);
                        let head =
                            format!("POST {CHECK} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
                        let text = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
                        if stream.write_all(text.as_bytes()).is_err() {
                            break;
                        }
                        let mut bytes = Vec::new();
                        let _ = std::io::Read::read_to_end(&mut stream, &mut bytes);
                        // Refused by the system, never by half an answer.
                        if bytes.is_empty() {
                            continue;
                        }
                        let reply = Reply::parse(&bytes).expect("a whole answer");
                        assert!(reply.is_complete, "{reply:?}");
                        assert_eq!(reply.verdict(), (200, "fails".to_owned()));
                        has_begun.store(true, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        wait_until("it is under load", || has_begun.load(Ordering::Relaxed));
        wait_until("the batch is under way", || server_.metric("keyaki_batches_total") == 1.0);
        server_.signal("-TERM");
        let reply = batch.join().unwrap();
        assert!(reply.is_complete, "the batch is answered to its end");
        assert_eq!(reply.body.lines().count(), 3_000);
        assert!(reply.body.lines().all(|line| line.contains(r#""verdict":"holds""#)));
        clients.into_iter().for_each(|client| client.join().unwrap());
    });
    assert_eq!(server.wait(), Some(0));
}

#[test]
fn bodies_of_a_hundred_megabytes_are_refused_and_not_kept() {
    let (server, before) = started(Den::new(), "");
    let large = vec![b'x'; 100 << 20];
    let reply = server.post(CHECK, &large);
    assert_eq!(reply.code(), (413, "too-large".to_owned()));
    // Without a length nobody knows before.
    let mut stream = server.connect();
    let head = format!(
        "POST {CHECK} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    for piece in large.chunks(1 << 20) {
        let sent = stream
            .write_all(format!("{:x}\r\n", piece.len()).as_bytes())
            .and_then(|()| stream.write_all(piece))
            .and_then(|()| stream.write_all(b"\r\n"));
        if sent.is_err() {
            break;
        }
    }
    assert_eq!(Reply::read(&mut stream).code(), (413, "too-large".to_owned()));
    // A line that is too long costs itself.
    let lines = [&large[..20 << 20], b"x\n", job(PRIVATE).as_bytes()].concat();
    let reply = server.send("POST /v1/jobs", &["content-type: application/jsonl"], lines);
    let results: Vec<Value> =
        reply.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(results[0]["error"]["code"], "too-large", "{results:?}");
    assert_eq!(results[1]["error"]["code"], "invalid-job", "{results:?}");
    check_recovered(&server, &before);
}

#[test]
fn deep_json_and_invalid_text_are_refused() {
    let (server, before) = started(Den::new(), "");
    let deep = |open: &str, n: usize| open.repeat(n);
    for (body, status) in [
        (format!(r#"{{"policy":{}"#, deep("[", 1_000_000)), 413),
        (format!(r#"{{"policy":{}"#, deep("{\"a\":", 1_000_000)), 413),
        (format!(r#"{{"policy":"{}"}}"#, deep("[", 100_000)), 413),
        (deep("[", 1_000), 413),
        (r#"{"policy":"\ud800"}"#.to_owned(), 400),
    ] {
        let reply = server.post(CHECK, body);
        assert_eq!(reply.code().0, status, "{reply:?}");
    }
    assert_eq!(server.post(CHECK, b"{\"policy\":\"\xc3\x28\"}").code().0, 400);
    let batch = [b"[{\"id\":\"", &b"\xff"[..], b"\"}, ", deep("[", 70_000).as_bytes()].concat();
    let reply = server.post("/v1/jobs", batch);
    let results: Vec<Value> = serde_json::from_str(&reply.body).unwrap();
    let codes: Vec<&Value> = results.iter().map(|result| &result["error"]["code"]).collect();
    assert_eq!(codes, ["invalid-json", "invalid-batch"]);
    check_recovered(&server, &before);
}

#[test]
fn patterns_that_take_for_ever_are_stopped_at_the_deadline() {
    let (server, before) = started(Den::new(), "");
    // Each asks for a character at a place counted from the end, so that an automaton for all of them has a state for every set of places.
    let patterns: Vec<String> = (0..40)
        .map(|n| format!(r#""*{}{}""#, ["a", "b", "c"][n % 3], "?".repeat(30 + 7 * n)))
        .collect();
    let condition = format!(
        r#"{{"StringLike":{{"aws:UserAgent":"*a*b*c*${{aws:Referer}}*"}},"StringNotLike":{{"aws:UserAgent":[{}]}}}}"#,
        patterns.join(",")
    );
    let policy = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{condition}}}]}}"#
    );
    let start = std::time::Instant::now();
    for _ in 0..3 {
        let reply =
            server.send(&format!("POST {CHECK}"), &["keyaki-deadline-ms: 1000"], job(&policy));
        let (status, verdict) = reply.verdict();
        assert!(status == 200 && verdict != "holds", "{reply:?}");
    }
    assert!(start.elapsed() < LONG, "three deadlines of a second");
    check_recovered(&server, &before);
}

#[test]
fn a_client_that_dawdles_is_put_off() {
    let den = Den::with("settings.toml", "header_seconds = 1\nstall_seconds = 1\n");
    let (server, before) = started(den, "--settings settings.toml");
    let mut heads: Vec<TcpStream> = (0..20).map(|_| server.connect()).collect();
    for stream in &mut heads {
        stream.write_all(b"POST /v1/jobs HTTP/1.1\r\nhost: x\r\nx-").unwrap();
    }
    let mut batch = server.connect();
    batch
        .write_all(b"POST /v1/jobs HTTP/1.1\r\nhost: x\r\ncontent-type: application/jsonl\r\ncontent-length: 999\r\n\r\n{}\n{")
        .unwrap();
    let reply = Reply::read(&mut batch);
    assert!(!reply.is_complete && reply.body.starts_with(r#"{"error""#), "{reply:?}");
    for stream in &mut heads {
        let mut bytes = Vec::new();
        let _ = std::io::Read::read_to_end(stream, &mut bytes);
        assert!(!bytes.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&bytes));
    }
    drop((heads, batch));
    check_recovered(&server, &before);
}

#[test]
fn what_there_is_no_time_for_is_refused_and_comes_later() {
    let den = den(&[("hangs", HANGS)]);
    den.write("settings.toml", "workers = 1\nslow_workers = 0\nqueue_jobs = 2\n");
    let (server, before) = started(den, "--config fakes.toml --settings settings.toml");
    let head = format!("POST {CHECK}");
    thread::scope(|scope| {
        let ask = || server.send(&head, &["keyaki-deadline-ms: 3000"], job(UNLIKELY));
        let first = scope.spawn(ask);
        wait_until("it hangs", || pids(&server.den).len() == 1);
        let others: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        let mut n_refused = 0;
        for reply in others {
            let reply = reply.join().unwrap();
            if reply.status == 200 {
                assert_eq!(reply.verdict().1, "unknown");
                continue;
            }
            assert!(matches!(reply.status, 429 | 503), "{reply:?}");
            let wait: Option<u64> = reply.header("retry-after").and_then(|wait| wait.parse().ok());
            assert!(wait.is_some_and(|wait| wait >= 1), "{reply:?}");
            reply.code();
            n_refused += 1;
        }
        assert!(n_refused >= 6, "{n_refused}");
        assert_eq!(first.join().unwrap().verdict().1, "unknown");
    });
    assert!(server.metric("keyaki_shed_total") >= 6.0);
    check_nobody_is_left(&server.den);
    check_recovered(&server, &before);
}
