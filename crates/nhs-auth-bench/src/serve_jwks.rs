//! `serve-jwks` beside nginx, which serves the same bytes with the same headers, on the same cores and
//! in turns: requests a second, and the slowest of a hundred.

use std::fs;
use std::path::Path;
use std::process::Command;

use nhs_auth::{KeySet, Kid, PrivateKey, PublishedKey};

use crate::peer::Server;
use crate::wrk::{CONNECTIONS, Load, load};
use crate::{Bar, Figure, Setting, median};

/// Rounds of each, in turns.
const ROUNDS: usize = 7;

pub(crate) fn measure(setting: &Setting) -> Vec<Figure> {
    let folder = tempfile::tempdir().unwrap();
    write_key_set(&folder.path().join("jwks.json"));
    let jwks = folder.path().join("jwks.json");
    let arguments =
        ["serve-jwks", "--quiet", "--listen", "127.0.0.1:0", "--admin", "off", "--jwks"];
    let arguments = [&arguments[..], &[jwks.to_str().unwrap()]].concat();
    let ours = Server::ours(&setting.binary, &arguments, &[]);
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

fn nginx(folder: &Path) -> Server {
    let here = folder.display();
    let http = format!(
        "sendfile on; tcp_nopush on; open_file_cache max=10; server {{ listen 127.0.0.1:{{port}}; \
         location = /.well-known/jwks.json {{ alias {here}/jwks.json; default_type \
         application/jwk-set+json; add_header Cache-Control \"public, max-age=300\"; add_header \
         X-Content-Type-Options nosniff; }} }}"
    );
    let mut nginx = Server::nginx(folder, &http);
    nginx.url.push_str("/.well-known/jwks.json");
    nginx
}

fn body(url: &str) -> Vec<u8> {
    let answer = Command::new("curl").args(["--silent", "--fail", url]).output().unwrap();
    assert!(answer.status.success(), "{url}");
    answer.stdout
}
