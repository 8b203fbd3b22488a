//! `serve-jwks` beside `rotate-keys`.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::scene::{Scene, binary_in, run};

/// A server, which ends with the test.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = binary_in(folder);
        command.args(["serve-jwks", "--listen", "127.0.0.1:0", "--admin", "off"]).args(arguments);
        let piped = command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = piped.spawn().unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut url).unwrap();
        Self { child, url: url.trim_end().to_owned() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "this is a tester's own client")]
fn client() -> reqwest::Client {
    reqwest::Client::builder().tls_certs_only(Vec::new()).build().unwrap()
}

async fn get(client: &reqwest::Client, url: &str) -> (u16, String) {
    let answer = client.get(url).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Waits until it is so, for ten seconds and a little at most.
async fn until<F: Future<Output = bool>>(mut is_so: impl FnMut() -> F) {
    for _ in 0..200 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it did not become so");
}

fn rotate(folder: &Path, arguments: &[&str]) {
    let mut command = binary_in(folder);
    run(command.args(["rotate-keys", "--key-ring", "keys"]).args(arguments), "").exits(0);
}

#[tokio::test]
async fn a_ring_is_served_and_followed() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--key-ring", "keys"]);
    let (client, url) = (client(), server.url.as_str());
    assert!(url.ends_with("/.well-known/jwks.json"), "{url}");
    assert_eq!(get(&client, url).await.0, 503);

    rotate(folder.path(), &[]);
    until(async || get(&client, url).await.0 == 200).await;
    rotate(folder.path(), &["--start"]);
    until(async || get(&client, url).await.1.contains("int-2")).await;
    let (_, body) = get(&client, url).await;
    let keys: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2);

    // Never a part of it, and never an empty one.
    let file = folder.path().join("keys/key-ring.json");
    let whole = fs::read(&file).unwrap();
    fs::write(&file, b"").unwrap();
    until(async || get(&client, url).await.0 == 503).await;
    fs::write(&file, whole).unwrap();
    until(async || get(&client, url).await.0 == 200).await;
}

/// Requests without a pause while the ring changes at every moment: each gets a whole key set.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_the_ring_rotates() {
    let folder = tempfile::tempdir().unwrap();
    rotate(folder.path(), &[]);
    let server = Server::start(folder.path(), &["--key-ring", "keys"]);
    let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let load: Vec<_> = (0..16)
        .map(|_| {
            let (url, stop, count) = (server.url.clone(), Arc::clone(&stop), Arc::clone(&count));
            tokio::spawn(async move {
                let client = client();
                while !stop.load(Ordering::Relaxed) {
                    let (status, body) = get(&client, &url).await;
                    assert_eq!(status, 200, "{body}");
                    let keys: Value = serde_json::from_str(&body).unwrap();
                    assert!((1..=2).contains(&keys["keys"].as_array().unwrap().len()), "{body}");
                    count.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    // An announced key that leaks goes at once, and the next takes its place.
    for n in 2..14 {
        let folder = folder.path().to_owned();
        tokio::task::spawn_blocking(move || {
            rotate(&folder, &["--start"]);
            rotate(&folder, &["--emergency", "--leaked-kid", &format!("int-{n}")]);
        })
        .await
        .unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    for task in load {
        task.await.unwrap();
    }
    assert!(count.load(Ordering::Relaxed) > 1000, "{count:?}");
}

/// The whole way: the platform fetches what is served, and gives a token to who follows the ring.
#[test]
fn the_platform_takes_what_is_served() {
    let scene = Scene::new();
    scene.run(&["rotate-keys", "--key-ring", "keys"]).exits(0);
    let server = Server::start(scene.path("").as_path(), &["--key-ring", "keys"]);
    let app = scene.platform.create_app(nhs_auth_mock::NewApp::new("mine").jwks_url(&server.url));
    scene.write("mine.txt", app.api_key());
    let base_url = scene.platform.base_url();
    let who = ["--base-url", &base_url, "--api-key", "file:mine.txt", "--key-ring", "keys"];
    scene.run(&[&["get-token"][..], &who].concat()).exits(0);
}

#[test]
fn a_file_is_served_as_it_stands() {
    let scene = Scene::new();
    let server = Server::start(scene.path("").as_path(), &["--jwks", "int-1.json", "--path", "/k"]);
    assert!(server.url.ends_with("/k"), "{}", server.url);
    let file = fs::read_to_string(scene.path("int-1.json")).unwrap();
    let (status, body) = scene.runtime.block_on(async { get(&client(), &server.url).await });
    assert_eq!((status, body.as_str()), (200, file.trim_end()));
}

#[test]
fn what_cannot_be_served_is_told() {
    let scene = Scene::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (arguments, says) in [
        (&["serve-jwks"][..], "there is no key ring"),
        (&["serve-jwks", "--key-ring", "k", "--path", "jwks"], "--path"),
        (&["serve-jwks", "--key-ring", "k", "--jwks", "int-1.json"], "one of them is served"),
        (&["serve-jwks", "--key-ring", "k", "--admin", "here"], "--admin"),
        (&["serve-jwks", "--key-ring", "k", "--tls-cert", "a.pem"], "--tls-key"),
        (&["serve-jwks", "--key-ring", "k", "--tls-cert", "a.pem", "--tls-key", "b.pem"], "a.pem"),
        (&["serve-jwks", "--jwks", "int-1.json", "--listen", &taken], &taken),
    ] {
        let run = scene.run(arguments).exits(2);
        assert!(run.stderr.contains(says) && run.stdout.is_empty(), "{run:?}");
    }
}

#[test]
fn an_interruption_is_a_good_end() {
    let scene = Scene::new();
    let mut server = Server::start(scene.path("").as_path(), &["--jwks", "int-1.json"]);
    let id = server.child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    let mut rest = String::new();
    server.child.stdout.take().unwrap().read_to_string(&mut rest).unwrap();
    assert!(rest.is_empty(), "{rest}");
}
