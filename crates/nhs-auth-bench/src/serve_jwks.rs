//! `serve-jwks` beside nginx, which serves the same bytes with the same headers, on the same cores and
//! in turns: requests a second, and the slowest of a hundred.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use nhs_auth::{KeySet, Kid, PrivateKey, PublishedKey};

use crate::{Bar, Figure, Setting, median};

/// Rounds of each, in turns.
const ROUNDS: usize = 7;
const CONNECTIONS: &str = "32";
const SECONDS: &str = "3s";

pub(crate) fn measure(setting: &Setting) -> Vec<Figure> {
    let folder = tempfile::tempdir().unwrap();
    write_key_set(&folder.path().join("jwks.json"));
    let ours = ours(&setting.binary, folder.path());
    let nginx = nginx(folder.path());
    assert_eq!(body(&ours.url), body(&nginx.url), "both serve the same bytes");

    let (mut by_us, mut by_nginx) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        by_us.push(load(&ours.url));
        by_nginx.push(load(&nginx.url));
    }
    let rate = |loads: &[Load]| median(loads.iter().map(|load| load.requests_a_second).collect());
    let slow = |loads: &[Load]| median(loads.iter().map(|load| load.p99_ms).collect());
    let (our_rate, nginx_rate) = (rate(&by_us), rate(&by_nginx));
    let (our_slow, nginx_slow) = (slow(&by_us), slow(&by_nginx));
    vec![
        Figure {
            name: "serve-jwks's requests a second, against nginx",
            value: our_rate / nginx_rate,
            unit: "of the rate",
            bar: Bar::AtLeast(0.9),
            from: format!("{our_rate:.0} against {nginx_rate:.0}, {CONNECTIONS} connections"),
        },
        Figure {
            name: "serve-jwks's p99, against nginx",
            value: our_slow / nginx_slow,
            unit: "of the time",
            bar: Bar::AtMost(1.1),
            from: format!("{our_slow:.2} ms against {nginx_slow:.2} ms"),
        },
    ]
}

/// Two keys, as in the middle of a rotation.
fn write_key_set(path: &Path) {
    let published = |name: &str| {
        let key = PrivateKey::generate().unwrap();
        PublishedKey::new(Kid::parse(name).unwrap(), key.public().clone())
    };
    let key_set = KeySet::new(vec![published("int-1"), published("int-2")]).unwrap();
    fs::write(path, key_set.to_json()).unwrap();
}

/// A server, which ends with the measurement.
struct Server {
    process: Child,
    url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn ours(binary: &Path, folder: &Path) -> Server {
    let mut process = Command::new(binary)
        .args(["serve-jwks", "--quiet", "--listen", "127.0.0.1:0", "--admin", "off", "--jwks"])
        .arg(folder.join("jwks.json"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    Server { process, url: line.trim_end().to_owned() }
}

/// As its own guide has it for static files, with as many workers as there are cores.
#[expect(clippy::disallowed_methods, reason = "a server's start is waited for")]
fn nginx(folder: &Path) -> Server {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let here = folder.display();
    let workers = thread::available_parallelism().unwrap();
    let text = format!(
        "daemon off; master_process on; worker_processes {workers}; pid {here}/pid; error_log \
         stderr crit;\nevents {{ worker_connections 1024; }}\nhttp {{\n access_log off; sendfile \
         on; tcp_nopush on; tcp_nodelay on; keepalive_requests 1000000000; open_file_cache \
         max=10;\n client_body_temp_path {here}; proxy_temp_path {here}; fastcgi_temp_path {here}; \
         uwsgi_temp_path {here}; scgi_temp_path {here};\n server {{ listen 127.0.0.1:{port}; \
         location = /.well-known/jwks.json {{ alias {here}/jwks.json; default_type \
         application/jwk-set+json; add_header Cache-Control \"public, max-age=300\"; add_header \
         X-Content-Type-Options nosniff; }} }}\n}}\n"
    );
    fs::write(folder.join("nginx.conf"), text).unwrap();
    // Its workers need not be root, and the folder is this user's alone.
    let user = if cfg!(unix) { "user root; " } else { "" };
    let process = Command::new("nginx")
        .args(["-g", user, "-c"])
        .arg(folder.join("nginx.conf"))
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let url = format!("http://127.0.0.1:{port}/.well-known/jwks.json");
    for _ in 0..100 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            break;
        }
        thread::sleep(Duration::from_millis(50));
    }
    Server { process, url }
}

fn body(url: &str) -> Vec<u8> {
    let answer = Command::new("curl").args(["--silent", "--fail", url]).output().unwrap();
    assert!(answer.status.success(), "{url}");
    answer.stdout
}

struct Load {
    requests_a_second: f64,
    p99_ms: f64,
}

fn load(url: &str) -> Load {
    let wrk = Command::new("wrk")
        .args(["--threads", "1", "--connections", CONNECTIONS, "--duration", SECONDS])
        .args(["--latency", url])
        .output()
        .unwrap();
    let told = String::from_utf8(wrk.stdout).unwrap();
    assert!(!told.contains("Non-2xx") && !told.contains("Socket errors"), "{told}");
    let behind = |label: &str| {
        let line = told.lines().find(|line| line.trim_start().starts_with(label));
        line.unwrap().split_whitespace().last().unwrap().to_owned()
    };
    Load {
        requests_a_second: behind("Requests/sec:").parse().unwrap(),
        p99_ms: millis(&behind("99%")),
    }
}

/// A duration as wrk tells it, in milliseconds.
fn millis(text: &str) -> f64 {
    for (unit, millis) in [("us", 0.001), ("ms", 1.0), ("s", 1000.0)] {
        if let Some(number) = text.strip_suffix(unit) {
            return number.parse::<f64>().unwrap() * millis;
        }
    }
    panic!("{text} is no duration");
}
