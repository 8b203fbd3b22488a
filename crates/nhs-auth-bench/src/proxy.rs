//! The sidecar beside nginx and haproxy that forward with a fixed `Authorization`, on the same cores
//! and in turns: requests a second, how long they take, and memory.

use std::fs;
use std::io::{BufReader, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::thread;
use std::time::Duration;

use nhs_auth::{KeySet, Kid, PrivateKey, PublishedKey};

use crate::mock::{RunningMock, read_answer};
use crate::peer::Server;
use crate::wrk::{CONNECTIONS, Load, load};
use crate::{Bar, Figure, Setting, median};

/// Rounds of each, in turns.
const ROUNDS: usize = 7;

/// A token is as long.
const TOKEN: &str = "0123456789abcdefghijklmnopqr";

const SILENCE: Duration = Duration::from_secs(3);

/// How many connections are idle at once. haproxy wants two descriptors for each.
const IDLE: usize = 10_000;
const IDLE_OF_HAPROXY: usize = 8_000;

pub(crate) fn measure(setting: &Setting) -> Vec<Figure> {
    let folder = tempfile::tempdir().unwrap();
    let api = Server::nginx(folder.path(), &api());
    let mock = RunningMock::start(&setting.binary);
    let api_key = mock.register(&key_set(folder.path()));
    let ours = ours(&setting.binary, folder.path(), &api, &mock, &api_key);
    let nginx = Server::nginx(folder.path(), &nginx(&api));
    let haproxy = Server::haproxy(folder.path(), &haproxy(&api));

    let (mut by_us, mut by_nginx, mut by_haproxy) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        by_us.push(load(&ours.url));
        by_nginx.push(load(&nginx.url));
        by_haproxy.push(load(&haproxy.url));
    }
    let rate = |loads: &[Load]| median(loads.iter().map(|load| load.requests_a_second).collect());
    let p50 = |loads: &[Load]| median(loads.iter().map(|load| load.p50_ms).collect());
    let p99 = |loads: &[Load]| median(loads.iter().map(|load| load.p99_ms).collect());
    let rates = [rate(&by_us), rate(&by_nginx), rate(&by_haproxy)];
    let mut figures = vec![Figure {
        name: "sidecar's requests a second, against the better",
        value: rates[0] / rates[1].max(rates[2]),
        unit: "of the rate",
        bar: Bar::AtLeast(0.9),
        from: format!(
            "{:.0} against nginx's {:.0} and haproxy's {:.0}, {CONNECTIONS} connections",
            rates[0], rates[1], rates[2]
        ),
    }];
    for (name, times) in [
        ("sidecar's p50, against the better", [p50(&by_us), p50(&by_nginx), p50(&by_haproxy)]),
        ("sidecar's p99, against the better", [p99(&by_us), p99(&by_nginx), p99(&by_haproxy)]),
    ] {
        figures.push(Figure {
            name,
            value: times[0] / times[1].min(times[2]),
            unit: "of the time",
            bar: Bar::AtMost(1.1),
            from: format!(
                "{:.2} ms against nginx's {:.2} and haproxy's {:.2}",
                times[0], times[1], times[2]
            ),
        });
    }
    figures.extend(memory(&ours, &nginx, &haproxy));
    figures
}

fn memory(ours: &Server, nginx: &Server, haproxy: &Server) -> [Figure; 2] {
    let mib = |bytes: u64| kib(bytes) / 1024.0;
    let busy = [ours, nginx, haproxy].map(Server::memory_bytes);
    let idle = [idle(ours, IDLE), idle(nginx, IDLE), idle(haproxy, IDLE_OF_HAPROXY)];
    [
        Figure {
            name: "sidecar's memory after the load, against the better",
            value: mib(busy[0]) / mib(busy[1].min(busy[2])),
            unit: "of the bytes",
            bar: Bar::AtMost(1.1),
            from: format!(
                "{:.1} MiB against nginx's {:.1} and haproxy's {:.1}",
                mib(busy[0]),
                mib(busy[1]),
                mib(busy[2])
            ),
        },
        Figure {
            name: "an idle connection of the sidecar",
            value: idle[0],
            unit: "KiB",
            bar: Bar::AtMost(8.0),
            from: format!("with {IDLE} of them; nginx's {:.1}, haproxy's {:.1}", idle[1], idle[2]),
        },
    ]
}

/// What one more connection costs that has been used once and waits, in KiB.
#[expect(clippy::disallowed_methods, reason = "connections have to be idle for a while")]
fn idle(server: &Server, count: usize) -> f64 {
    let address = server.url.strip_prefix("http://").unwrap();
    let before = server.memory_bytes();
    let connections: Vec<_> = (0..count).map(|_| used_once(address)).collect();
    // What they were used with is given back when they have been silent for a while.
    thread::sleep(SILENCE);
    let after = server.memory_bytes();
    drop(connections);
    #[expect(clippy::cast_precision_loss, reason = "thousands")]
    let count = count as f64;
    kib(after.saturating_sub(before)) / count
}

fn used_once(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    let request = format!("GET / HTTP/1.1\r\nHost: {address}\r\n\r\n");
    (&stream).write_all(request.as_bytes()).unwrap();
    let (status, _) = read_answer(&mut BufReader::new(stream.try_clone().unwrap()));
    assert_eq!(status, "200");
    stream
}

#[expect(clippy::cast_precision_loss, reason = "a process has less than 2^52 bytes")]
fn kib(bytes: u64) -> f64 {
    bytes as f64 / 1024.0
}

/// An API that answers with a KiB at once.
pub(crate) fn api() -> String {
    let body = "x".repeat(1024);
    format!("server {{ listen 127.0.0.1:{{port}}; location / {{ return 200 \"{body}\"; }} }}")
}

fn nginx(api: &Server) -> String {
    let address = api.url.strip_prefix("http://").unwrap();
    format!(
        "upstream api {{ server {address}; keepalive 64; keepalive_requests 1000000000; }}\nserver \
         {{ listen 127.0.0.1:{{port}}; location / {{ proxy_pass http://api; proxy_http_version 1.1; \
         proxy_set_header Connection \"\"; proxy_set_header Authorization \"Bearer {TOKEN}\"; }} }}"
    )
}

fn haproxy(api: &Server) -> String {
    let address = api.url.strip_prefix("http://").unwrap();
    format!(
        "defaults\n mode http\n timeout connect 5s\n timeout client 75s\n timeout server 60s\n \
         http-reuse always\nfrontend callers\n bind 127.0.0.1:{{port}}\n http-request set-header \
         Authorization \"Bearer {TOKEN}\"\n default_backend api\nbackend api\n server api \
         {address}\n"
    )
}

/// Writes a private key, and gives its key set.
pub(crate) fn key_set(folder: &Path) -> String {
    let key = PrivateKey::generate().unwrap();
    fs::write(folder.join("int-1.pem"), key.to_pkcs8_pem().as_bytes()).unwrap();
    let key = PublishedKey::new(Kid::parse("int-1").unwrap(), key.public().clone());
    KeySet::new(vec![key]).unwrap().to_json()
}

pub(crate) fn ours(
    binary: &Path,
    folder: &Path,
    api: &Server,
    mock: &RunningMock,
    api_key: &str,
) -> Server {
    let key = folder.join("int-1.pem");
    let arguments = ["proxy", "--quiet", "--no-cache", "--listen", "127.0.0.1:0", "--admin", "off"];
    let given = ["--upstream", &api.url, "--base-url", mock.base_url(), "--api-key", "env:KEY"];
    let key = ["--private-key", key.to_str().unwrap()];
    Server::ours(binary, &[&arguments[..], &given, &key].concat(), &[("KEY", api_key)])
}
