//! The platform in a box under load for minutes: whether its memory stays where it should.
//!
//! It remembers burnt `jti`s, which grow to a bound as all that it keeps. Memory grows by what they
//! cost until they have reached it, and by nothing else once the smaller stores are full.
#![expect(clippy::disallowed_methods, reason = "it waits for minutes to pass, which is its job")]

use std::io::{BufReader, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA512};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nhs_auth::{Clock as _, SystemClock};
use serde_json::json;

use crate::mock::{RunningMock, read_answer};

/// What one `jti` may cost, in bytes: 24, in a table that is at least half full after it has grown.
const JTI_BYTES: u64 = 64;

/// How many `jti`s it remembers at the most.
const MOST_JTIS: u64 = 917_504;

/// What the allocator may keep beside, in bytes.
const SLACK: u64 = 4 * 1024 * 1024;

const CONNECTIONS: usize = 2;

/// Loads the mock for so many minutes. Whether its memory was flat from the middle on, but for
/// `jti`s that it still had room for.
pub(crate) fn run(binary: &Path, minutes: u64) -> bool {
    let mock = RunningMock::start(binary);
    // Small, so that signing isn't what is measured. The platform takes any size.
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let api_key = mock.register(&jwks(&key));
    let (done, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let mut samples = Vec::new();
    thread::scope(|scope| {
        for number in 0..CONNECTIONS {
            let (mock, key, api_key, done, stop) = (&mock, &key, &api_key, &done, &stop);
            scope.spawn(move || load(mock, key, api_key, number, done, stop));
        }
        let start = Instant::now();
        for half_minute in 1..=minutes * 2 {
            let until = Duration::from_secs(half_minute * 30);
            thread::sleep(until.saturating_sub(start.elapsed()));
            let sample = (done.load(Ordering::Relaxed), resident_bytes(mock.process_id()));
            println!(
                "{:>4} s {:>9} token requests {:>6} KiB resident",
                until.as_secs(),
                sample.0,
                sample.1 / 1024
            );
            samples.push(sample);
        }
        stop.store(true, Ordering::Relaxed);
    });
    let (middle, end) = (samples[(samples.len() - 1) / 2], samples[samples.len() - 1]);
    let new_jtis = end.0.min(MOST_JTIS).saturating_sub(middle.0);
    let allowed = new_jtis * JTI_BYTES + SLACK;
    let grown = end.1.saturating_sub(middle.1);
    let is_flat = grown <= allowed;
    println!(
        "{} from the middle on it grew by {} KiB (at most {}; {new_jtis} jtis more to remember)",
        if is_flat { "ok    " } else { "MISSED" },
        grown / 1024,
        allowed / 1024
    );
    is_flat
}

fn load(
    mock: &RunningMock,
    key: &KeyPair,
    api_key: &str,
    number: usize,
    done: &AtomicU64,
    stop: &AtomicBool,
) {
    let stream = TcpStream::connect(mock.address()).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let token_url = format!("{}/oauth2/token", mock.base_url());
    let mut count = 0;
    while !stop.load(Ordering::Relaxed) {
        count += 1;
        let assertion = assertion(key, api_key, &token_url, &format!("{number}-{count}"));
        let body = format!(
            "grant_type=client_credentials&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3A\
             client-assertion-type%3Ajwt-bearer&client_assertion={assertion}"
        );
        let request = format!(
            "POST /oauth2/token HTTP/1.1\r\nHost: {}\r\nContent-Type: \
             application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            mock.address(),
            body.len()
        );
        (&stream).write_all(request.as_bytes()).unwrap();
        let (status, body) = read_answer(&mut reader);
        assert_eq!(status, "200", "{body}");
        done.fetch_add(1, Ordering::Relaxed);
    }
}

fn assertion(key: &KeyPair, api_key: &str, token_url: &str, jti: &str) -> String {
    let exp = SystemClock::default().now().to_seconds().0 + 150;
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = [
        part(json!({"alg": "RS512", "typ": "JWT", "kid": "soak"})),
        part(json!({"iss": api_key, "sub": api_key, "aud": token_url, "jti": jti, "exp": exp})),
    ]
    .join(".");
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA512, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn jwks(key: &KeyPair) -> String {
    let public = key.public_key();
    let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    json!({"keys": [{
        "kty": "RSA",
        "kid": "soak",
        "n": number(public.modulus().big_endian_without_leading_zero()),
        "e": number(public.exponent().big_endian_without_leading_zero()),
    }]})
    .to_string()
}

/// What the process has in memory, as Linux accounts for it.
fn resident_bytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kibibytes * 1024
}
