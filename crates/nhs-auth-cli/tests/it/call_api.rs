//! `nhs-auth call-api`.

use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value, json};

use crate::scene::{Run, Scene};

/// An API that answers with what it was sent.
fn echo(scene: &Scene) -> String {
    async fn answer(
        method: Method,
        uri: Uri,
        headers: HeaderMap,
        body: Bytes,
    ) -> (StatusCode, String) {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())))
            .collect();
        let status = uri.path().trim_start_matches('/').parse().ok();
        let status =
            status.and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(StatusCode::OK);
        let body = String::from_utf8_lossy(&body);
        let told = json!({"method": method.as_str(), "uri": uri.to_string(), "headers": headers, "body": body});
        (status, told.to_string())
    }
    scene.runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
        url
    })
}

fn told(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap()
}

fn header(told: &Value, name: &str) -> Vec<String> {
    let pairs = told["headers"].as_array().unwrap().iter();
    let named = pairs.filter(|pair| pair[0] == name);
    named.map(|pair| pair[1].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_body_alone_on_standard_output() {
    let scene = Scene::new();
    let url = format!("{}/hello-world/hello/application", scene.platform.base_url());
    let called = scene.run_as_app(&["call-api", "--url", &url]).exits(0);
    assert_eq!(called.stdout, r#"{"message":"Hello Application!"}"#);
    assert!(called.stderr.contains("answered 200 OK"), "{}", called.stderr);
    let quiet = scene.run_as_app(&["call-api", "--url", &url, "--quiet"]).exits(0);
    assert_eq!(quiet.stderr, "");
}

#[test]
fn what_is_sent() {
    let scene = Scene::new();
    let url = format!("{}/a/b?c=d%20e&f", echo(&scene));
    let called = scene.run_as_app(&[
        "call-api",
        "--url",
        &url,
        "--header",
        "X-One: 1",
        "--header",
        "X-One:2",
        "--header",
        "Accept: a:b",
        "--nhs-number",
        "9434765919",
        "--product-id",
        "P.1A2",
    ]);
    let told = told(&called.exits(0));
    assert_eq!((&told["method"], &told["uri"]), (&"GET".into(), &"/a/b?c=d%20e&f".into()));
    assert_eq!(header(&told, "x-one"), ["1", "2"]);
    assert_eq!(header(&told, "accept"), ["a:b"]);
    assert_eq!(header(&told, "nhs-login-nhs-number"), ["9434765919"]);
    assert_eq!(header(&told, "nhse-product-id"), ["P.1A2"]);
    assert_eq!(header(&told, "authorization")[0].len(), "Bearer ".len() + 28);
    assert_eq!(header(&told, "x-request-id")[0].len(), 36);
}

#[test]
fn bodies() {
    let scene = Scene::new();
    let url = echo(&scene);
    scene.write("body.json", "{\"a\": 1}\n");
    let call = |arguments: &[&str], stdin| {
        told(
            &scene
                .run_as_app_with(&[&["call-api", "--url", &url], arguments].concat(), stdin)
                .exits(0),
        )
    };
    let text = call(&["--data", "a=b"], "");
    assert_eq!((&text["method"], &text["body"]), (&"POST".into(), &"a=b".into()));
    assert!(header(&text, "content-type").is_empty());
    assert_eq!(call(&["--data", "@-"], "from standard input\n")["body"], "from standard input\n");
    let json = call(&["--json", "@body.json", "--method", "put"], "");
    assert_eq!((&json["method"], &json["body"]), (&"PUT".into(), &"{\"a\": 1}\n".into()));
    assert_eq!(header(&json, "content-type"), ["application/json"]);
    let fhir = call(&["--json", "{}", "--header", "Content-Type: application/fhir+json"], "");
    assert_eq!(header(&fhir, "content-type"), ["application/fhir+json"]);
}

#[test]
fn an_answer_of_400_and_more_exits_1_with_its_body() {
    let scene = Scene::new();
    let url = echo(&scene);
    for (status, exit) in
        [(200, 0), (204, 0), (304, 0), (302, 0), (400, 1), (404, 1), (429, 1), (500, 1), (503, 1)]
    {
        let called =
            scene.run_as_app(&["call-api", "--url", &format!("{url}/{status}")]).exits(exit);
        assert_eq!(called.stdout.is_empty(), matches!(status, 204 | 304), "{status}");
    }
}

#[test]
fn a_token_that_has_gone_is_replaced_once() {
    let scene = Scene::new();
    let url = format!("{}/hello-world/hello/application", scene.platform.base_url());
    scene.run_as_app(&["call-api", "--url", &url]).exits(0);
    scene.platform.advance(Duration::from_secs(700));
    scene.run_as_app(&["call-api", "--url", &url]).exits(0);
    let refused =
        scene.run_as_app(&["call-api", "--url", &url.replace("application", "user")]).exits(1);
    assert!(refused.stdout.contains("fault"), "{refused:?}");
}

#[test]
fn the_other_access_modes() {
    let scene = Scene::new();
    let base_url = scene.platform.base_url();
    let url = |path| format!("{base_url}/hello-world/hello/{path}");
    let with_key = ["--auth", "api-key", "--api-key", "file:api-key.txt", "--base-url", &base_url];
    let called = scene.run(&[&["call-api", "--url", &url("application")], &with_key[..]].concat());
    assert_eq!(called.exits(0).stdout, r#"{"message":"Hello Application!"}"#);
    let open = scene.run(&["call-api", "--url", &url("world"), "--auth", "none"]).exits(0);
    assert_eq!(open.stdout, r#"{"message":"Hello World!"}"#);
    let closed = scene.run(&["call-api", "--url", &url("application"), "--auth", "none"]).exits(1);
    assert!(closed.stdout.contains("oauth.v2.InvalidAccessToken"), "{closed:?}");
    assert!(closed.stderr.contains("(G1)"), "{closed:?}");
    assert!(scene.requests().iter().all(|request| !request.path.ends_with("/token")));
}

#[test]
fn the_sandbox_takes_its_token_from_int_and_says_so() {
    let scene = Scene::new();
    let url = format!("{}/hello-world/hello/application", scene.platform.base_url());
    let called = scene.run_as_app(&["call-api", "--env", "sandbox", "--url", &url]).exits(0);
    assert!(called.stderr.contains("taken from int"), "{}", called.stderr);
    let chosen = scene.run_as_app(&[
        "call-api",
        "--env",
        "sandbox",
        "--token-env",
        "sandbox",
        "--url",
        &url,
    ]);
    assert!(!chosen.exits(0).stderr.contains("taken from int"));
}

#[test]
fn as_json() {
    let scene = Scene::new();
    let url = format!("{}/hello-world/hello/application", scene.platform.base_url());
    let called = scene.run_as_app(&["call-api", "--url", &url, "--output", "json"]).exits(0);
    let answer: Value = serde_json::from_str(&called.stdout).unwrap();
    assert_eq!(
        (&answer["status"], &answer["body"]["message"]),
        (&200.into(), &"Hello Application!".into())
    );
    assert_eq!(answer["headers"]["content-type"], "application/json");
}

#[test]
fn what_is_wrong_exits_2_and_sends_nothing() {
    let scene = Scene::new();
    let good = format!("{}/hello-world/hello/application", scene.platform.base_url());
    for (arguments, said) in [
        (vec![], "there is no URL"),
        (vec!["--url", "nonsense"], "no scheme"),
        (vec!["--url", "/path"], "no scheme"),
        (vec!["--url", "file:///etc/passwd"], "is not a URL that can be called"),
        (vec!["--url", "https://example.org/"], "not an NHS API host"),
        (vec!["--url", "http://int.api.service.nhs.uk/"], "plain http to another machine"),
        (vec!["--url", "https://user:hush@int.api.service.nhs.uk/"], "a password in it"),
        (vec!["--url", &good, "--header", "no colon"], "no colon"),
        (vec!["--url", &good, "--header", "a b: c"], "not the name of a header"),
        (vec!["--url", &good, "--header", "A: b\r\nC: d"], "no header can carry"),
        (vec!["--url", &good, "--header", "Authorization: x"], "sent by this command itself"),
        (vec!["--url", &good, "--header", "content-length: 5"], "follows from the body"),
        (vec!["--url", &good, "--nhs-number", "1\n2"], "no header can carry"),
        (vec!["--url", &good, "--json", "{"], "not JSON"),
        (vec!["--url", &good, "--data", "@nowhere"], "can't read --data from `nowhere`"),
        (vec!["--url", &good, "--data", "a", "--json", "{}"], "cannot be used with"),
        (vec!["--url", &good, "--method", "G E T"], "not an HTTP method"),
    ] {
        let failed = scene.run_as_app(&[&["call-api"], &arguments[..]].concat()).exits(2);
        assert!(failed.stderr.contains(said), "{arguments:?}: {}", failed.stderr);
        assert!(failed.stdout.is_empty() && !failed.stderr.contains("hush"), "{failed:?}");
    }
    assert!(scene.requests().is_empty());
}

#[test]
fn nobody_there_exits_3() {
    let scene = Scene::new();
    let called = scene.run_as_app(&["call-api", "--url", "http://127.0.0.1:1/"]).exits(3);
    assert!(called.stderr.contains("can't reach http://127.0.0.1:1/"), "{}", called.stderr);
}
