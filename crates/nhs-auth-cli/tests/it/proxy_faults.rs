//! What goes wrong while calls pass through the sidecar. The failed ones are counted, and there are
//! none where there was a valid token.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use nhs_auth_mock::{Fault, FaultKind, NewApp, RecordedRequest};
use serde_json::{Value, json};

use crate::load::Load;
use crate::running_proxy::{RunningProxy, command_as_app, get, pause};
use crate::scene::{Scene, run};
use crate::serve_jwks::Server;

const HELLO: &str = "/hello-world/hello/application";
const TOKEN: &str = "/oauth2/token";

fn load(scene: &Scene, proxy: &RunningProxy) -> Load {
    Load::start(&scene.runtime, &format!("{}{HELLO}", proxy.url), 8, 10)
}

fn at_the_box(scene: &Scene, path: &str, status: u16) -> Vec<RecordedRequest> {
    let requests = scene.requests().into_iter();
    requests.filter(|request| request.path == path && request.status == status).collect()
}

fn token_requests(proxy: &RunningProxy, outcome: &str) -> u64 {
    let labels = format!("{{app=\"default\",outcome=\"{outcome}\"}}");
    proxy.count(&format!("nhs_auth_proxy_token_requests_total{labels}"))
}

/// The file that keeps the application's token.
fn token_file(scene: &Scene) -> PathBuf {
    let files = fs::read_dir(scene.path("cache/nhs-auth/tokens")).unwrap();
    let mut files = files.map(|file| file.unwrap().path());
    files.find(|path| path.extension().is_some_and(|ending| ending == "json")).unwrap()
}

/// Makes the kept token look as if it had been asked for so much earlier. (The platform's view of it
/// is another: there it is as young as it is.)
fn age_token(scene: &Scene, seconds: i64) {
    let path = token_file(scene);
    let mut kept: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let then = kept["requested_at_ms"].as_i64().unwrap() - seconds * 1000;
    kept["requested_at_ms"] = json!(then);
    fs::write(&path, kept.to_string()).unwrap();
}

/// A real minute, within which the token becomes due: renewals are due after 76 to 80 % of 599 s.
#[test]
fn a_minute_without_the_token_server_fails_no_call() {
    let scene = Scene::new();
    scene.run_as_app(&["get-token"]).exits(0);
    age_token(&scene, 452);
    let proxy = RunningProxy::as_app(&scene, &[]);
    let load = load(&scene, &proxy);
    load.goes_on(10);
    assert_eq!(token_requests(&proxy, "issued"), 0);
    let mut fault = scene.platform.add_fault(Fault::new(FaultKind::Unavailable).path(TOKEN));
    pause(20_000);
    for kind in [FaultKind::Reset, FaultKind::Hang] {
        // With no gap between them.
        let next = scene.platform.add_fault(Fault::new(kind).path(TOKEN));
        scene.platform.remove_fault(fault);
        fault = next;
        pause(20_000);
    }
    proxy.becomes("degraded: default: the token can't be renewed");
    assert_eq!(token_requests(&proxy, "issued"), 0);
    scene.platform.clear_faults();
    // A failure is remembered for 30 s at most, and an attempt that hangs ends after 30 s.
    proxy.becomes("ready");
    load.goes_on(100);
    load.finish(&scene.runtime).is_all_good();
    assert_eq!(token_requests(&proxy, "issued"), 1);
    assert!(token_requests(&proxy, "unavailable") > 0);
}

/// Where there is no valid token, calls do fail, and say why.
#[test]
fn without_a_token_that_serves_a_call_fails_and_says_so() {
    let scene = Scene::new();
    scene.run_as_app(&["get-token"]).exits(0);
    age_token(&scene, 600);
    scene.platform.clear_requests();
    scene.platform.add_fault(Fault::new(FaultKind::Unavailable).path(TOKEN));
    let proxy = RunningProxy::as_app(&scene, &[]);
    let load = load(&scene, &proxy);
    let answer: Value = serde_json::from_str(&get(&format!("{}{HELLO}", proxy.url))).unwrap();
    assert_eq!(answer["type"], "nhs-auth:no-token");
    assert_eq!(answer["token_error"]["status"], 503);
    let tally = load.finish(&scene.runtime);
    assert!(tally.good == 0 && tally.unanswered == 0, "{tally:#?}");
    assert!(tally.failed.iter().all(|failure| failure.starts_with("503")), "{tally:#?}");
    // Eight callers and one more, and one request of three attempts: nobody hammers the platform.
    assert_eq!(at_the_box(&scene, TOKEN, 503).len(), 3);
    assert!(at_the_box(&scene, HELLO, 401).is_empty());
    proxy.becomes("default: ");
}

/// The platform takes the token no more, though the sidecar's has most of its life before it.
#[test]
fn a_revoked_token_costs_one_more_attempt_and_no_call() {
    let scene = Scene::new();
    let proxy = RunningProxy::as_app(&scene, &[]);
    let load = load(&scene, &proxy);
    let retries = || proxy.count("nhs_auth_proxy_retries_total{route=\"/\"}");
    for _ in 0..5 {
        load.goes_on(100);
        let before = retries();
        scene.platform.advance(Duration::from_secs(700));
        load.goes_on(100);
        assert!(retries() > before, "nobody noticed");
    }
    load.finish(&scene.runtime).is_all_good();
    let refused = at_the_box(&scene, HELLO, 401).len();
    println!("{refused} times the API refused the token, {} times it was tried again", retries());
    assert!(refused >= 5);
    assert_eq!(usize::try_from(retries()).unwrap(), refused);
}

/// The whole rotation, with hours that pass at the platform and in the ring alone: announced, active,
/// and the one before retired. Tokens expire after each step, so that each signs for new ones.
#[test]
fn a_key_that_is_rotated_costs_no_call() {
    let scene = Scene::new();
    scene.run(&["rotate-keys", "--key-ring", "keys", "--adopt", "int-1.pem"]).exits(0);
    let server = Server::start(&scene.path(""), &["--key-ring", "keys"]);
    let app = scene.platform.create_app(NewApp::new("rotating").jwks_url(&server.url));
    scene.write("rotating.txt", app.api_key());
    let base_url = scene.platform.base_url();
    let mut command = scene.binary();
    command.args(["proxy", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--no-cache"]);
    command.args(["--base-url", &base_url, "--upstream", &base_url]);
    command.args(["--api-key", "file:rotating.txt", "--key-ring", "keys"]);
    let proxy = RunningProxy::start(&mut command);
    let load = load(&scene, &proxy);
    load.goes_on(50);
    for (step, states) in [
        ("--start", &["int-1 active", "int-2 announced"][..]),
        ("--quiet", &["int-1 retiring", "int-2 active"]),
        ("--quiet", &["int-1 retired", "int-2 active"]),
    ] {
        let rotate = ["rotate-keys", "--key-ring", "keys", "--output", "json", step];
        let ring: Value = serde_json::from_str(&scene.run(&rotate).exits(0).stdout).unwrap();
        let text = |key: &Value, name: &str| key[name].as_str().unwrap().to_owned();
        let keys = ring["keys"].as_array().unwrap().iter();
        let now: Vec<_> =
            keys.map(|key| format!("{} {}", text(key, "kid"), text(key, "state"))).collect();
        assert_eq!(now, states);
        let tokens = at_the_box(&scene, TOKEN, 200).len();
        load.goes_on(50);
        two_hours_pass(&scene);
        load.goes_on(50);
        assert!(at_the_box(&scene, TOKEN, 200).len() > tokens);
    }
    load.finish(&scene.runtime).is_all_good();
}

/// At the platform, whose copy of the key set and whose tokens expire, and in the ring.
fn two_hours_pass(scene: &Scene) {
    let path = scene.path("keys/key-ring.json");
    let mut ring: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for key in ring["keys"].as_array_mut().unwrap() {
        for pointer in ["/since", "/made", "/published/since"] {
            if let Some(moment) = key.pointer_mut(pointer) {
                *moment = json!({"at": moment["at"].as_i64().unwrap() - 7200});
            }
        }
    }
    let beside = scene.path("keys/aged.json");
    fs::write(&beside, ring.to_string()).unwrap();
    fs::rename(beside, path).unwrap();
    scene.platform.advance(Duration::from_hours(2));
}

#[test]
fn a_slow_api_is_waited_for_and_one_that_hangs_is_told() {
    let scene = Scene::new();
    let proxy = RunningProxy::as_app(&scene, &["--upstream-timeout", "2"]);
    let slow = Fault::new(FaultKind::Slow).path(HELLO).delay(Duration::from_millis(1200));
    let slow = scene.platform.add_fault(slow);
    let load = Load::start(&scene.runtime, &format!("{}{HELLO}", proxy.url), 32, 10);
    load.goes_on(96);
    // Who asks for the token alone doesn't wait with the others.
    let token = run(
        Command::new("curl")
            .args(["-s", "--max-time", "1", "-X", "POST"])
            .arg(format!("{}/token", proxy.url)),
        "",
    );
    assert!(token.exits(0).stdout.contains("access_token"));
    scene.platform.remove_fault(slow);
    load.goes_on(320);
    load.finish(&scene.runtime).is_all_good();

    scene.platform.add_fault(Fault::new(FaultKind::Hang).path(HELLO));
    let late: Value = serde_json::from_str(&get(&format!("{}{HELLO}", proxy.url))).unwrap();
    assert_eq!((&late["status"], &late["type"]), (&json!(504), &json!("nhs-auth:timed-out")));
    scene.platform.clear_faults();
    assert_eq!(get(&format!("{}{HELLO}", proxy.url)), r#"{"message":"Hello Application!"}"#);
}

/// Its token is in a file, and the next sidecar goes on with it, even though the token server is
/// away.
#[test]
fn killed_and_started_again_it_goes_on_with_the_token_that_there_was() {
    let scene = Scene::new();
    let first = RunningProxy::as_app(&scene, &[]);
    let address = first.url.strip_prefix("http://").unwrap().to_owned();
    let load = load(&scene, &first);
    load.goes_on(100);
    scene.platform.add_fault(Fault::new(FaultKind::Unavailable).path(TOKEN));
    let mut proxy = first;
    for _ in 0..5 {
        proxy.signal("KILL");
        assert_eq!(proxy.ends().exit, -1);
        pause(200);
        proxy = again(&scene, &address);
        // Who was refused in between may still be at it.
        load.goes_on(8);
        let in_between = load.so_far().unanswered;
        load.goes_on(100);
        assert_eq!(load.so_far().unanswered, in_between);
    }
    let tally = load.finish(&scene.runtime);
    assert!(tally.failed.is_empty(), "{tally:#?}");
    assert!(tally.unanswered > 0, "nobody noticed that it was away");
    assert_eq!(at_the_box(&scene, TOKEN, 200).len(), 1);
    assert!(at_the_box(&scene, TOKEN, 503).is_empty());
}

/// The token that there was should be renewed by now, and the token server hangs: three attempts of
/// 30 s are not waited for.
#[test]
fn started_again_while_the_token_server_hangs_it_serves_what_there_is() {
    let scene = Scene::new();
    scene.run_as_app(&["get-token"]).exits(0);
    age_token(&scene, 500);
    scene.platform.add_fault(Fault::new(FaultKind::Hang).path(TOKEN));
    let proxy = RunningProxy::as_app(&scene, &[]);
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--max-time", "25"]).arg(format!("{}{HELLO}", proxy.url));
    assert_eq!(run(&mut curl, "").exits(0).stdout, r#"{"message":"Hello Application!"}"#);
}

fn again(scene: &Scene, address: &str) -> RunningProxy {
    let mut command =
        command_as_app(scene, &["proxy", "--listen", address, "--admin", "127.0.0.1:0"]);
    RunningProxy::start(&mut command)
}
