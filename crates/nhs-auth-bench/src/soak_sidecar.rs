//! The sidecar under load for minutes: whether its memory stays where it is.
#![expect(clippy::disallowed_methods, reason = "it waits for minutes to pass, which is its job")]

use std::io::{BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::mock::{RunningMock, read_answer};
use crate::proxy;

/// By how much it may grow from the middle on, in bytes: the allocator's own affairs.
const SLACK: u64 = 4 * 1024 * 1024;

const CALLERS: usize = 3;

/// A body that is kept for another attempt, in bytes, and one that is too long for that.
const KEPT: usize = 8 * 1024;
const TOO_LONG: usize = 512 * 1024;

/// Loads the sidecar for so many minutes: short and long bodies, tokens, and callers that go away.
/// Whether its memory was flat from the middle on.
pub(crate) fn run(binary: &Path, minutes: u64) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let api = proxy::api(folder.path(), proxy::Link::Tls);
    let mock = RunningMock::start(binary);
    let api_key = mock.register(&proxy::key_set(folder.path()));
    let sidecar = proxy::ours(binary, folder.path(), &api, &mock, &api_key);
    let address = sidecar.url.strip_prefix("http://").unwrap();

    let (done, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let mut samples = Vec::new();
    thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    done.fetch_add(one_caller(address), Ordering::Relaxed);
                    long_body(address);
                }
            });
        }
        let start = Instant::now();
        for half_minute in 1..=minutes * 2 {
            let until = Duration::from_secs(half_minute * 30);
            thread::sleep(until.saturating_sub(start.elapsed()));
            let (requests, bytes) = (done.load(Ordering::Relaxed), sidecar.memory_bytes());
            println!("{:>4} s {requests:>9} requests {:>6} KiB", until.as_secs(), bytes / 1024);
            samples.push(bytes);
        }
        stop.store(true, Ordering::Relaxed);
    });
    let middle = samples[(samples.len() - 1) / 2..].iter().min().unwrap();
    let grown = samples[samples.len() - 1].saturating_sub(*middle);
    let is_flat = grown <= SLACK;
    println!(
        "{} from the middle on it grew by {} KiB (at most {})",
        if is_flat { "ok    " } else { "MISSED" },
        grown / 1024,
        SLACK / 1024
    );
    is_flat
}

/// A body that the API doesn't wait for: its answer ends the connection.
fn long_body(address: &str) {
    let stream = TcpStream::connect(address).unwrap();
    let head =
        format!("POST /thing HTTP/1.1\r\nHost: {address}\r\nContent-Length: {TOO_LONG}\r\n\r\n");
    (&stream).write_all(head.as_bytes()).unwrap();
    // Who has its answer may be cut off from sending the rest.
    let _ = (&stream).write_all(&vec![b'x'; TOO_LONG]);
    let mut answer = [0; 12];
    (&stream).read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
}

/// A connection's requests. The last is not waited for. Returns how many were answered.
fn one_caller(address: &str) -> u64 {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut ask = |head: &str, body: &[u8]| {
        let head =
            format!("{head} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\n\r\n", body.len());
        (&stream).write_all(head.as_bytes()).unwrap();
        (&stream).write_all(body).unwrap();
        let (status, text) = read_answer(&mut reader);
        assert_eq!(status, "200", "{text}");
    };
    let mut count = 0;
    for _ in 0..200 {
        ask("GET /thing?a=b", b"");
        count += 1;
    }
    ask("POST /token", b"");
    ask("POST /thing", &[b'x'; KEPT]);
    let cut_short =
        format!("POST /thing HTTP/1.1\r\nHost: {address}\r\nContent-Length: 9\r\n\r\n123");
    (&stream).write_all(cut_short.as_bytes()).unwrap();
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let _ = (&stream).take(1).read(&mut [0]);
    count + 2
}
