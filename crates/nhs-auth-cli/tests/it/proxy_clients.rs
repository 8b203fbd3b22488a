//! Clients that nobody here wrote, calling APIs through the sidecar: curl, Python's requests, Node's
//! fetch, Java's `HttpClient`. They are told another address, and nothing else.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::installed::{node, project, python};
use crate::running_proxy::RunningProxy;
use crate::scene::{Scene, run};
use crate::upstream::{Seen, Upstream, data, sha256, sha256_of_data};

/// How long the long bodies are.
const MIB: usize = 64;

/// How much the sidecar's memory may grow, in KiB, while several of them pass through it at once.
const MOST_GROWTH: u64 = 24 * 1024;

/// The box behind `/`, and an API of the test's own behind `/files`.
struct Beside {
    upstream: Upstream,
    proxy: RunningProxy,
    scene: Scene,
}

impl Beside {
    fn start() -> Self {
        let scene = Scene::new();
        let upstream = Upstream::start(&scene);
        let base_url = scene.platform.base_url();
        scene.write(
            "nhs-auth.toml",
            &format!(
                "api-key = \"file:api-key.txt\"\nprivate-key = \"int-1.pem\"\n\
                 base-url = \"{base_url}\"\n\
                 [[proxy.routes]]\nprefix = \"/\"\nupstream = \"{base_url}\"\n\
                 [[proxy.routes]]\nprefix = \"/files\"\nupstream = \"{}\"\n",
                upstream.url
            ),
        );
        let proxy = RunningProxy::by_file(&scene, &[]);
        Self { upstream, proxy, scene }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.proxy.url)
    }

    /// Has a program do its whole round, and judges what it, the API and the sidecar tell of it.
    fn round(&self, mut program: Command, kinds: &[&str]) {
        let before = self.proxy.memory();
        let round = run(program.args([&self.proxy.url, &MIB.to_string()]), "").exits(0);
        let round: Value = serde_json::from_str(&round.stdout).unwrap();
        assert_eq!(round["greeting"], r#"{"message":"Hello Application!"}"#);
        let token = &round["token"];
        assert_eq!(token["token_type"], "Bearer");
        assert_eq!(token["access_token"].as_str().map(str::len), Some(28));
        assert!((1..=599).contains(&token["expires_in"].as_i64().unwrap()), "{token}");
        assert_eq!(round["downloaded"], sha256_of_data(MIB));
        assert_eq!(round["at_once"], json!(vec![sha256_of_data(4); 8]));
        let seen = self.upstream.seen();
        for kind in kinds {
            let of = |seen: &&Seen| seen.target == format!("/upload/{kind}");
            let [seen] = seen.iter().filter(of).collect::<Vec<_>>()[..] else {
                panic!("{kind}: {seen:#?}");
            };
            let sent = &round["uploads"][kind];
            assert_eq!(seen.length, MIB * 1024 * 1024, "{kind}");
            assert_eq!((&sent["sent"], &sent["told"]), (&json!(seen.sha256), &json!(seen.sha256)));
            was_framed_as(kind, seen);
        }
        assert_eq!(round["uploads"].as_object().unwrap().len(), kinds.len());
        // The token that the round was given is the one that was put in.
        let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
        assert!(seen.iter().all(|seen| seen.header("authorization") == [bearer.as_str()]));
        self.was_flat(before.now);
    }

    #[expect(clippy::print_stdout, reason = "the memory is what is reported")]
    fn was_flat(&self, before: u64) {
        let after = self.proxy.memory();
        println!("memory: {before} KiB before, {after:?}");
        assert!(after.most < before + MOST_GROWTH, "{before} KiB before, {after:?}");
    }
}

/// A body goes on in the form in which it came, and an expectation goes with it.
fn was_framed_as(kind: &str, seen: &Seen) {
    let is_chunked = seen.header("transfer-encoding") == ["chunked"];
    let has_length = !seen.header("content-length").is_empty();
    assert_eq!((is_chunked, has_length), (kind == "chunked", kind != "chunked"), "{seen:?}");
    assert_eq!(seen.header("expect").len(), usize::from(kind == "expect"), "{seen:?}");
}

#[test]
fn pythons_requests() {
    let beside = Beside::start();
    let mut program = python();
    program.arg(project("tests/interop/sidecar.py"));
    beside.round(program, &["length", "chunked", "expect"]);
}

#[test]
fn nodes_fetch() {
    let beside = Beside::start();
    let mut program = node();
    program.arg(project("tests/interop/sidecar.mjs"));
    // It has no `Expect`.
    beside.round(program, &["length", "chunked"]);
}

/// It offers HTTP/2 by `Upgrade` with its first request, and goes on without.
#[test]
fn javas_http_client() {
    let beside = Beside::start();
    let mut program = Command::new("java");
    program.arg(project("tests/interop/Sidecar.java"));
    beside.round(program, &["length", "chunked", "expect"]);
}

#[test]
fn curl_over_http_1() {
    let beside = Beside::start();
    curls_round(&beside, &["--http1.1"]);
    let seen = beside.upstream.seen();
    let uploads: Vec<_> = seen.iter().filter(|seen| seen.method == "PUT").collect();
    let [whole, piped] = uploads[..] else { panic!("{seen:#?}") };
    // Beyond a megabyte curl asks first.
    was_framed_as("expect", whole);
    assert_eq!(piped.header("transfer-encoding"), ["chunked"]);
}

#[test]
fn curl_over_http_2() {
    let beside = Beside::start();
    curls_round(&beside, &["--http2-prior-knowledge"]);
    let seen = beside.upstream.seen();
    let uploads: Vec<_> = seen.iter().filter(|seen| seen.method == "PUT").collect();
    let [whole, piped] = uploads[..] else { panic!("{seen:#?}") };
    was_framed_as("length", whole);
    // The API speaks HTTP/1.1, where a body of unknown length has to be chunked.
    was_framed_as("chunked", piped);
}

fn curls_round(beside: &Beside, protocol: &[&str]) {
    let curl = |arguments: &[&str]| {
        let mut curl = Command::new("curl");
        curl.current_dir(beside.scene.path("")).args(["--silent", "--show-error", "--fail"]);
        run(curl.args(protocol).args(arguments), "").exits(0).stdout
    };
    let before = beside.proxy.memory();
    let greeting = curl(&[&beside.url("/hello-world/hello/application")]);
    assert_eq!(greeting, r#"{"message":"Hello Application!"}"#);
    let token: Value =
        serde_json::from_str(&curl(&["--request", "POST", &beside.url("/token")])).unwrap();
    assert_eq!(token["token_type"], "Bearer");

    std::fs::write(beside.scene.path("sent"), data()).unwrap();
    let upload = beside.url("/files/upload");
    let told = json!({"length": MIB * 1024 * 1024, "sha256": sha256_of_data(MIB)}).to_string();
    assert_eq!(curl(&["--upload-file", "sent", &upload]), told);
    let mut piped = Command::new("sh");
    piped.current_dir(beside.scene.path("")).env("URL", &upload).env("PROTOCOL", protocol[0]);
    piped.args(["-c", "cat sent | curl --silent --fail $PROTOCOL --upload-file - \"$URL\""]);
    assert_eq!(run(&mut piped, "").exits(0).stdout, told);

    curl(&["--output", "got", &beside.url(&format!("/files/data/{MIB}"))]);
    let got = std::fs::read(beside.scene.path("got")).unwrap();
    assert_eq!(sha256(&got), sha256_of_data(MIB));
    // Several programs at once: curl 7.88 can't have several streams of HTTP/2 in the clear.
    let small = beside.url("/files/data/4");
    let several = (0..8).map(|_| {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--fail"]).args(protocol).arg(&small);
        curl.stdout(Stdio::piped()).spawn().unwrap()
    });
    for curl in several.collect::<Vec<_>>() {
        let got = curl.wait_with_output().unwrap();
        assert!(got.status.success());
        assert_eq!(sha256(&got.stdout), sha256_of_data(4));
    }
    beside.was_flat(before.now);
}
