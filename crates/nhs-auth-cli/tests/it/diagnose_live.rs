//! `nhs-auth diagnose --live`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::scene::{Run, binary_in, run};

/// A server of key sets, good ones and others, that counts its requests.
struct Host {
    _runtime: Runtime,
    origin: String,
    requests: Arc<AtomicUsize>,
    folder: TempDir,
}

impl Host {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        run(binary_in(folder.path()).arg("generate-keys"), "").exits(0);
        let jwks = std::fs::read_to_string(folder.path().join("int-1.json")).unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&requests);
        let answer = move |uri: Uri, headers: HeaderMap| {
            let number = counter.fetch_add(1, Ordering::SeqCst);
            assert!(headers["user-agent"].to_str().unwrap().starts_with("nhs-auth/"));
            assert!(!headers.contains_key("authorization"));
            let answer = answer(uri.path(), number, &jwks);
            async move { answer }
        };
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async move {
            axum::serve(listener, Router::new().fallback(answer)).await.unwrap();
        });
        Self { _runtime: runtime, origin, requests, folder }
    }

    fn run(&self, path: &str, arguments: &[&str]) -> Run {
        let url = format!("{}{path}", self.origin);
        let mut command = binary_in(self.folder.path());
        run(command.args(["diagnose", "--jwks", &url]).args(arguments), "")
    }

    /// As a stand-in on this machine would use it.
    fn json(&self, path: &str, exit: i32) -> Value {
        let token_url = "http://127.0.0.1:9000/oauth2/token";
        let arguments = ["--live", "--token-url", token_url, "--output", "json"];
        let run = self.run(path, &arguments).exits(exit);
        serde_json::from_str(&run.stdout).unwrap()
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

fn answer(path: &str, number: usize, jwks: &str) -> Response {
    let json = [("content-type", "application/json")];
    match path {
        "/good" => (json, jwks.to_owned()).into_response(),
        "/moved" => (StatusCode::FOUND, [("location", "/good?sig=hush")]).into_response(),
        "/page" => ([("content-type", "text/html")], "<!doctype html><p>Log in").into_response(),
        "/changing" => (json, jwks.replacen('}', &format!(",\"x\":{number}}}"), 1)).into_response(),
        "/once" if number.is_multiple_of(2) => (json, jwks.to_owned()).into_response(),
        "/late" => {
            let date = [("date", "Sat, 21 Nov 2020 12:00:00 GMT")];
            (json, date, jwks.to_owned()).into_response()
        }
        "/large" => (json, vec![b' '; 1024 * 1024 + 1]).into_response(),
        "/text" => jwks.to_owned().into_response(),
        "/long" => {
            let cache = [("cache-control", "public, max-age=86400")];
            (json, cache, jwks.to_owned()).into_response()
        }
        "/curly" => (json, jwks.replace('"', "\u{201d}")).into_response(),
        "/private" => {
            (json, jwks.replacen("\"kty\"", "\"d\":\"c2VjcmV0\",\"kty\"", 1)).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn told(report: &Value) -> Vec<(&str, &str, Option<&str>)> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|it| {
            let text = |name: &str| it[name].as_str();
            (text("cause").unwrap(), text("severity").unwrap(), text("rule"))
        })
        .collect()
}

/// What each run here says of a URL on this machine.
const LOCAL: (&str, &str, Option<&str>) = ("jwks-unreachable", "note", None);

#[test]
fn nothing_is_fetched_unless_asked_for() {
    let host = Host::new();
    host.run("/good", &[]).exits(1);
    assert_eq!(host.requests(), 0);
}

#[test]
fn a_good_key_set_is_fetched_twice_and_judged() {
    let host = Host::new();
    let report = host.json("/good", 0);
    assert_eq!(told(&report), [LOCAL], "{report:#}");
    assert_eq!(host.requests(), 2);
    let private = host.json("/private", 1);
    assert!(told(&private).iter().any(|it| it.0 == "jwk-private"), "{private:#}");
}

#[test]
fn an_assertion_is_judged_by_what_was_fetched() {
    let host = Host::new();
    let at = "http://127.0.0.1:9000";
    let key = "aB3d".repeat(8);
    let arguments =
        ["sign-assertion", "--base-url", at, "--api-key", &key, "--private-key", "int-1.pem"];
    let mut sign = binary_in(host.folder.path());
    let signed = run(sign.args(arguments).args(["--kid", "another"]), "").exits(0).stdout;
    let url = format!("{at}/oauth2/token");
    let arguments = ["--live", "--assertion", signed.trim(), "--token-url", &url];
    let judged = host.run("/good", &arguments).exits(1);
    assert!(judged.stdout.contains("A19 kid-mismatch"), "{}", judged.stdout);
}

#[test]
fn a_url_that_only_this_machine_can_reach_is_an_error_for_the_platform() {
    let host = Host::new();
    let run = host.run("/good", &["--live", "--output", "json"]).exits(1);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(told(&report), [("jwks-unreachable", "error", Some("A18"))]);
    assert_eq!(report["findings"][0]["first"], true);
    assert!(run.stderr.contains("fetching http://127.0.0.1:"), "{}", run.stderr);
}

#[test]
fn what_the_platform_could_not_fetch() {
    let host = Host::new();
    for (path, words) in
        [("/nowhere", "answers 404"), ("/moved", "answers 302 and points to `http://127.0.0.1:")]
    {
        let report = host.json(path, 1);
        assert_eq!(told(&report), [("jwks-unreachable", "error", Some("A18")), LOCAL], "{path}");
        let first = &report["findings"][0];
        assert!(first["message"].as_str().unwrap().contains(words), "{first:#}");
        assert_eq!((&first["first"], &first["answer"]["status"]), (&true.into(), &403.into()));
        assert!(!report.to_string().contains("hush"));
    }
    assert_eq!(host.requests(), 4, "a redirect is not followed");

    let large = host.json("/large", 1);
    assert_eq!(told(&large)[0], ("jwks-shape", "error", Some("A18")), "{large:#}");
}

#[test]
fn nobody_there_is_a_finding() {
    let host = Host::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/jwks.json");
    let token_url = "http://127.0.0.1:9000/oauth2/token";
    let mut command = binary_in(host.folder.path());
    let arguments = ["diagnose", &url, "--live", "--token-url", token_url];
    let run = run(command.args(arguments), "").exits(1);
    assert!(run.stdout.contains("the key set can't be fetched: no connection"), "{}", run.stdout);
}

#[test]
fn what_is_no_key_set() {
    let host = Host::new();
    let page = host.json("/page", 1);
    assert_eq!(told(&page), [("jwks-shape", "error", Some("A19")), LOCAL]);
    // Quotes that a forum made typographic are damage in a paste, and a fault at the URL.
    let curly = host.json("/curly", 1);
    assert!(told(&curly).iter().any(|it| (it.0, it.1) == ("jwks-shape", "error")), "{curly:#}");
}

#[test]
fn what_works_today_and_should_not_be_left() {
    let host = Host::new();
    for (path, cause, severity) in [
        ("/changing", "jwks-shape", "warning"),
        ("/once", "jwks-unreachable", "warning"),
        ("/late", "exp-clock", "warning"),
        ("/text", "jwks-shape", "note"),
        ("/long", "jwks-cache", "note"),
    ] {
        if path == "/once" && host.requests() % 2 == 1 {
            host.run("/good", &["--live"]);
        }
        let report = host.json(path, 0);
        let found = told(&report);
        assert!(found.iter().any(|it| (it.0, it.1) == (cause, severity)), "{path}: {report:#}");
        assert_eq!(found.len(), 2, "{path}: {report:#}");
    }
}

#[test]
fn a_look_needs_a_url_without_a_credential() {
    let host = Host::new();
    for arguments in [
        &["diagnose", "--live", "--jwks", "int-1.json"][..],
        &["diagnose", "--live", "--error", "JWT has expired"],
        &["diagnose", "--live", "--jwks", "https://me:hush@127.0.0.1:1/a"],
    ] {
        let failed = run(binary_in(host.folder.path()).args(arguments), "").exits(2);
        assert!(failed.stdout.is_empty() && failed.stderr.contains("URL"), "{failed:?}");
        assert!(!failed.stderr.contains("hush"), "{failed:?}");
    }
}

#[test]
fn a_bundle_has_what_was_seen() {
    let host = Host::new();
    host.run("/late?sig=hush-hush-1", &["--live", "--bundle", "bundle.json"]).exits(1);
    let text = std::fs::read_to_string(host.folder.path().join("bundle.json")).unwrap();
    let bundle: Value = serde_json::from_str(&text).unwrap();
    let live = &bundle["live"];
    assert_eq!(
        (&live["same_bytes_twice"], &live["url"]["host"]),
        (&true.into(), &"loopback".into())
    );
    assert_eq!(live["looks"][1]["status"], 200);
    assert!(live["skew_ms"].as_i64().unwrap() < -60_000, "{live:#}");
    assert_eq!(bundle["jwks"]["keys"][0]["kid"], "int-1");
    assert!(!text.contains("hush"), "{text}");
}
