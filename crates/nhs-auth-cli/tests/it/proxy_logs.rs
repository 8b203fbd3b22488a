//! What the sidecar prints and logs, and what it never does; and where its settings come from.

use std::fs;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::running_proxy::{RunningProxy, command_as_app, get};
use crate::scene::{Scene, run};
use crate::upstream::Upstream;

const HELLO: &str = "/hello-world/hello/application";
const CALLER_SECRET: &str = "nobody-may-see-this";

fn curl(arguments: &[&str], url: &str) -> String {
    let mut curl = Command::new("curl");
    run(curl.args(["--silent", "--show-error"]).args(arguments).arg(url), "").exits(0).stdout
}

#[test]
fn standard_output_has_the_url_alone() {
    let scene = Scene::new();
    let proxy = RunningProxy::as_app(&scene, &[]);
    assert!(proxy.url.starts_with("http://127.0.0.1:"), "{}", proxy.url);
    proxy.tells("ready: interrupt to stop");
    assert_eq!(proxy.admin("/healthz"), "ok");
    assert_eq!(get(&format!("{}{HELLO}", proxy.url)), r#"{"message":"Hello Application!"}"#);
    proxy.signal("INT");
    let ended = proxy.ends().exits(0);
    assert_eq!(ended.stdout, "");
    assert_eq!(ended.stderr.lines().count(), 2, "{}", ended.stderr);
}

#[test]
fn quiet_it_tells_errors_alone() {
    let scene = Scene::new();
    let proxy = RunningProxy::as_app(&scene, &["--quiet"]);
    get(&format!("{}{HELLO}", proxy.url));
    get(&format!("{}/nothing", proxy.url));
    proxy.signal("TERM");
    assert_eq!(proxy.ends().exits(0).stderr, "");
}

/// At its loudest, with what goes wrong beside what goes well.
#[test]
fn no_secret_is_logged() {
    for form in ["json", "human"] {
        let scene = Scene::new();
        scene.write("caller.txt", &format!("{CALLER_SECRET}\n"));
        let arguments = ["--log", form, "-vvv", "--caller-secret", "file:caller.txt"];
        let proxy = RunningProxy::as_app(&scene, &arguments);
        let shown = format!("NHS-Auth-Secret: {CALLER_SECRET}");
        let own = "Authorization: Bearer callers-own-token";
        let call = |path: &str| {
            curl(&["--header", &shown, "--header", own], &format!("{}{path}", proxy.url))
        };
        assert!(call(&format!("{HELLO}?nhs-number=9434765919")).contains("Hello"));
        let mut tokens = vec![token(&proxy, &shown)];
        // Refused, and tried again.
        scene.platform.advance(Duration::from_secs(700));
        assert!(call(HELLO).contains("Hello"));
        tokens.push(token(&proxy, &shown));
        assert_ne!(tokens[0], tokens[1]);
        assert!(call("/nowhere").contains("404") || !call("/nowhere").is_empty());
        // Kept out.
        let kept_out = get(&format!("{}{HELLO}", proxy.url));
        assert!(kept_out.contains("nhs-auth:no-secret"), "{kept_out}");
        // A user's token that is none.
        let exchange = ["--header", &shown, "--data", "subject_token=eyJhbGciOiJub25lIn0.e30."];
        assert!(curl(&exchange, &format!("{}/token", proxy.url)).contains("error"));
        proxy.signal("HUP");
        proxy.tells("other routes are in service");
        proxy.signal("TERM");
        let told = proxy.ends().exits(0).stderr;

        let api_key = fs::read_to_string(scene.path("api-key.txt")).unwrap();
        let secrets = [api_key.trim(), CALLER_SECRET, "callers-own-token", "eyJ", "9434765919"];
        for secret in secrets.into_iter().chain(tokens.iter().map(String::as_str)) {
            assert!(!told.contains(secret), "{secret} is in {told}");
        }
        assert!(told.contains("one more attempt with a new one"), "{told}");
        if form == "json" {
            for line in told.lines() {
                let event: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
                for member in ["timestamp", "level", "target", "message"] {
                    assert!(event[member].is_string(), "{line}");
                }
            }
        }
    }
}

fn token(proxy: &RunningProxy, shown: &str) -> String {
    let token = curl(&["--request", "POST", "--header", shown], &format!("{}/token", proxy.url));
    let token: Value = serde_json::from_str(&token).unwrap();
    token["access_token"].as_str().unwrap().to_owned()
}

/// An error before it runs is for whoever starts it, in whatever form the log is.
#[test]
fn why_it_does_not_start_is_told_as_json_too() {
    let scene = Scene::new();
    let mut command = command_as_app(&scene, &["--log", "json", "--ca-file", "nowhere.pem"]);
    let refused = run(&mut command, "").exits(2);
    assert!(refused.stderr.contains("nowhere.pem") && refused.stdout.is_empty(), "{refused:?}");
}

#[test]
fn callers_show_the_secret_and_the_api_does_not_see_it() {
    let scene = Scene::new();
    let upstream = Upstream::start(&scene);
    scene.write("caller.txt", &format!("{CALLER_SECRET}\n"));
    let secret = ["--upstream", &upstream.url, "--caller-secret", "file:caller.txt"];
    let proxy = RunningProxy::as_app(&scene, &secret);
    for path in ["/x", "/token"] {
        let url = format!("{}{path}", proxy.url);
        assert!(curl(&["--request", "POST"], &url).contains("nhs-auth:no-secret"));
        let wrong = ["--request", "POST", "--header", "NHS-Auth-Secret: wrong"];
        assert!(curl(&wrong, &url).contains("nhs-auth:wrong-secret"));
    }
    assert!(upstream.seen().is_empty());
    let shown = ["--header", &format!("NHS-Auth-Secret: {CALLER_SECRET}")];
    curl(&shown, &format!("{}/x", proxy.url));
    let [seen] = &upstream.seen()[..] else { panic!("one call") };
    assert!(seen.header("nhs-auth-secret").is_empty(), "{seen:?}");
}

#[test]
fn every_setting_can_be_a_variable() {
    let scene = Scene::new();
    let upstream = Upstream::start(&scene);
    let mut command = scene.binary();
    command.arg("proxy");
    for (name, value) in [
        ("UPSTREAM", upstream.url.as_str()),
        ("BASE_URL", &scene.platform.base_url()),
        ("LISTEN", "127.0.0.1:0"),
        ("ADMIN", "off"),
        ("API_KEY", "file:api-key.txt"),
        ("PRIVATE_KEY", "int-1.pem"),
        ("CALLER_SECRET", "env:THE_SECRET"),
        ("PRODUCT_ID", "P.1A2"),
        ("HEADER", "X-Team: blue"),
        ("SERVER_NAME", "sidecar"),
        ("NO_CACHE", "true"),
    ] {
        command.env(format!("NHS_AUTH_{name}"), value);
    }
    let proxy = RunningProxy::start(command.env("THE_SECRET", CALLER_SECRET));
    let shown = format!("NHS-Auth-Secret: {CALLER_SECRET}");
    let call = |host: &str| {
        let host = format!("Host: {host}");
        curl(&["--header", &shown, "--header", &host], &format!("{}/x", proxy.url))
    };
    assert!(call("sidecar").contains("sha256"));
    assert!(call("another").contains("nhs-auth:wrong-host"));
    let [seen] = &upstream.seen()[..] else { panic!("one call") };
    assert_eq!(seen.header("nhse-product-id"), ["P.1A2"]);
    assert_eq!(seen.header("x-team"), ["blue"]);
    assert!(!scene.path("cache").exists());
}
