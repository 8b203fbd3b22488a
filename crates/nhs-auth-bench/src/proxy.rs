//! The sidecar beside nginx and haproxy that forward with a fixed `Authorization`, on the same cores
//! and in turns: requests a second, how long they take, and memory.

use std::fs;
use std::io::{BufReader, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use nhs_auth::{KeySet, Kid, PrivateKey, PublishedKey};

use crate::mock::{RunningMock, read_answer};
use crate::peer::Server;
use crate::wrk::{CONNECTIONS, Load, load};
use crate::{Bar, Figure, Setting, median};

/// Rounds of each, in turns: the slowest of a hundred differ much from one to the next.
const ROUNDS: usize = 11;

/// A token is as long.
const TOKEN: &str = "0123456789abcdefghijklmnopqr";

const SILENCE: Duration = Duration::from_secs(3);

/// How many connections are idle at once. haproxy wants two descriptors for each.
const IDLE: usize = 10_000;
const IDLE_OF_HAPROXY: usize = 8_000;

pub(crate) fn measure(setting: &Setting) -> Vec<Figure> {
    let over_tls = [
        "sidecar's requests a second over TLS",
        "sidecar's p50 over TLS",
        "sidecar's p99 over TLS",
    ];
    let plain =
        ["sidecar's requests a second, no TLS", "sidecar's p50, no TLS", "sidecar's p99, no TLS"];
    let mut figures = Vec::new();
    // APIs are reached by TLS; without it, what is the sidecar's own stands out.
    for (link, names) in [(Link::Tls, over_tls), (Link::Plain, plain)] {
        let bench = Bench::start(setting, link);
        let loads = bench.load();
        for (index, name) in names.into_iter().enumerate() {
            figures.push(compared(name, &loads, index));
        }
        if link == Link::Tls {
            figures.extend(memory(&bench));
        }
    }
    figures
}

/// How the API is reached.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    Tls,
    Plain,
}

/// The sidecar, nginx and haproxy, before one API.
struct Bench {
    ours: Server,
    nginx: Server,
    haproxy: Server,
    _api: Server,
    _mock: RunningMock,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn start(setting: &Setting, link: Link) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let api = api(folder.path(), link);
        let mock = RunningMock::start(&setting.binary);
        let api_key = mock.register(&key_set(folder.path()));
        let ours = ours(&setting.binary, folder.path(), &api, &mock, &api_key);
        let nginx = Server::nginx(folder.path(), &nginx(&api, folder.path()));
        let haproxy = Server::haproxy(folder.path(), &haproxy(&api, folder.path()));
        Self { ours, nginx, haproxy, _api: api, _mock: mock, _folder: folder }
    }

    /// Loads them in turns.
    fn load(&self) -> [Vec<Load>; 3] {
        let mut loads = [const { Vec::new() }; 3];
        for _ in 0..ROUNDS {
            for (loads, server) in loads.iter_mut().zip([&self.ours, &self.nginx, &self.haproxy]) {
                loads.push(load(&server.url));
            }
        }
        loads
    }
}

/// Requests a second, p50 or p99, in this order.
fn compared(name: &'static str, loads: &[Vec<Load>; 3], index: usize) -> Figure {
    let of = |load: &Load| [load.requests_a_second, load.p50_ms, load.p99_ms][index];
    let medians = |loads: &Vec<Load>| median(loads.iter().map(of).collect());
    let [ours, nginx, haproxy] = loads.each_ref().map(medians);
    let from = |unit, digits| {
        format!(
            "{ours:.digits$}{unit} against nginx's {nginx:.digits$} and haproxy's {haproxy:.digits$}"
        )
    };
    if index == 0 {
        let (value, from) = (ours / nginx.max(haproxy), from("", 0));
        let from = format!("{from}, {CONNECTIONS} connections");
        return Figure { name, value, unit: "of the rate", bar: Bar::AtLeast(0.9), from };
    }
    let (value, from) = (ours / nginx.min(haproxy), from(" ms", 2));
    Figure { name, value, unit: "of the time", bar: Bar::AtMost(1.1), from }
}

fn memory(Bench { ours, nginx, haproxy, .. }: &Bench) -> [Figure; 2] {
    let mib = |bytes: u64| kib(bytes) / 1024.0;
    let busy = [ours, nginx, haproxy].map(Server::memory_bytes);
    let idle = [idle(ours, IDLE), idle(nginx, IDLE), idle(haproxy, IDLE_OF_HAPROXY)];
    [
        Figure {
            name: "sidecar's memory after the load",
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
            bar: Bar::AtMost(16.0),
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
pub(crate) fn api(folder: &Path, link: Link) -> Server {
    let body = "x".repeat(1024);
    let tls = match link {
        Link::Plain => String::new(),
        Link::Tls => {
            let made =
                rcgen::generate_simple_self_signed(["localhost", "127.0.0.1"].map(str::to_owned));
            let rcgen::CertifiedKey { cert, signing_key } = made.unwrap();
            fs::write(certificate(folder), cert.pem()).unwrap();
            fs::write(folder.join("api.key"), signing_key.serialize_pem()).unwrap();
            let here = folder.display();
            format!(" ssl; ssl_certificate {here}/api.pem; ssl_certificate_key {here}/api.key")
        }
    };
    let http = format!(
        "server {{ listen 127.0.0.1:{{port}}{tls}; location / {{ return 200 \"{body}\"; }} }}"
    );
    let mut server = Server::nginx(folder, &http);
    if link == Link::Tls {
        server.url = server.url.replace("http:", "https:");
    }
    server
}

/// Where the certificate of an API is that is reached by TLS.
fn certificate(folder: &Path) -> PathBuf {
    folder.join("api.pem")
}

fn nginx(api: &Server, folder: &Path) -> String {
    let (scheme, address) = api.url.split_once("://").unwrap();
    let tls = if scheme == "https" {
        let certificate = certificate(folder);
        format!(
            "proxy_ssl_verify on; proxy_ssl_name localhost; proxy_ssl_trusted_certificate {};",
            certificate.display()
        )
    } else {
        String::new()
    };
    format!(
        "upstream api {{ server {address}; keepalive 64; keepalive_requests 1000000000; }}\nserver \
         {{ listen 127.0.0.1:{{port}}; location / {{ proxy_pass {scheme}://api; {tls} \
         proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_set_header Authorization \
         \"Bearer {TOKEN}\"; }} }}"
    )
}

fn haproxy(api: &Server, folder: &Path) -> String {
    let (scheme, address) = api.url.split_once("://").unwrap();
    let tls = if scheme == "https" {
        let certificate = certificate(folder);
        format!(" ssl verify required verifyhost localhost ca-file {}", certificate.display())
    } else {
        String::new()
    };
    format!(
        "defaults\n mode http\n timeout connect 5s\n timeout client 75s\n timeout server 60s\n \
         http-reuse always\nfrontend callers\n bind 127.0.0.1:{{port}}\n http-request set-header \
         Authorization \"Bearer {TOKEN}\"\n default_backend api\nbackend api\n server api \
         {address}{tls}\n"
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
    let certificate = certificate(folder);
    let trust = ["--ca-file", certificate.to_str().unwrap()];
    let trust = if api.url.starts_with("https:") { &trust[..] } else { &[] };
    Server::ours(binary, &[&arguments[..], &given, &key, trust].concat(), &[("KEY", api_key)])
}
