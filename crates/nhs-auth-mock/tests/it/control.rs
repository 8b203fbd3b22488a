//! The control API.

use serde_json::{Value, json};

use crate::assertion::KID;
use crate::key::Key;
use crate::world::{World, form};

const NONE: Value = Value::Null;

#[tokio::test]
async fn an_app_is_made_shown_changed_and_removed() {
    let world = World::new().await;
    let jwks = json!({"keys": [Key::usual().jwk(KID)]});
    let made = world.control("POST", "/apps", &json!({"name": "made here", "jwks": jwks})).await;
    assert_eq!(made.status, 201);
    let made = made.json();
    let members: Vec<_> = made.as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, ["api_key", "application_id", "client_secret"]);
    let (id, api_key) =
        (made["application_id"].as_str().unwrap(), made["api_key"].as_str().unwrap());
    assert!(nhs_auth_rules::ApplicationId::parse(id).is_ok());
    assert!(api_key.len() == 32 && api_key.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let assertion = world.assertion().claim("iss", api_key).claim("sub", api_key);
    assert_eq!(world.ask(assertion).await.status, 200);

    let path = format!("/apps/{id}");
    let shown = world.control("GET", &path, &NONE).await.json();
    assert_eq!(shown["jwks"], jwks);
    assert_eq!(shown["name"], "made here");
    assert_eq!(shown["approved"], true);
    assert_eq!(shown["scopes"].as_array().unwrap().len(), 8);
    assert!(shown.get("jwks_url").is_none());
    let all = world.control("GET", "/apps", &NONE).await.json();
    assert_eq!(all["apps"].as_array().unwrap().len(), 2);
    assert_eq!(all["apps"][0], shown);

    let change = json!({"approved": false, "scopes": null, "callback_url": "https://a.test/cb"});
    let changed = world.control("PATCH", &path, &change).await;
    assert_eq!(changed.status, 200);
    let changed = changed.json();
    assert_eq!(changed["approved"], false);
    assert_eq!(changed["scopes"], NONE);
    assert_eq!(changed["callback_url"], "https://a.test/cb");
    assert_eq!(changed["name"], "made here");
    assert_eq!(changed["jwks"], jwks);
    let change = json!({"callback_url": null, "jwks": null, "jwks_url": "https://a.test/k"});
    let changed = world.control("PATCH", &path, &change).await.json();
    assert!(changed.get("callback_url").is_none() && changed.get("jwks").is_none());
    assert_eq!(changed["jwks_url"], "https://a.test/k");
    let changed = world.control("PATCH", &path, &json!({"jwks": null})).await.json();
    assert_eq!(changed["jwks_url"], "https://a.test/k", "there was no upload");
    let changed = world.control("PATCH", &path, &json!({"jwks_url": null})).await.json();
    assert!(changed.get("jwks_url").is_none());

    assert_eq!(world.control("DELETE", &path, &NONE).await.status, 204);
    for (method, body) in [("GET", NONE), ("PATCH", json!({})), ("DELETE", NONE)] {
        let reply = world.control(method, &path, &body).await;
        assert_eq!(reply.status, 404, "{method}");
        assert_eq!(reply.error().0, "not_found");
    }
}

#[tokio::test]
async fn a_key_set_is_kept_as_it_was_given() {
    let world = World::new().await;
    for (jwks, text) in [
        (r#"{"keys" : [ ],"n":1e400,"n":2}"#, r#"{"keys" : [ ],"n":1e400,"n":2}"#),
        (r#""{not JSON""#, r#""{not JSON""#),
        (r#""{\"keys\":[]}""#, r#"{"keys":[]}"#),
        ("[1]", "[1]"),
    ] {
        let body = format!(r#"{{"name":"x","jwks":{jwks}}}"#);
        let made = world.send("POST", "/_mock/apps", &[], body.as_bytes()).await;
        assert_eq!(made.status, 201, "{jwks}");
        let id = made.json()["application_id"].as_str().unwrap().to_owned();
        let shown = world.control("GET", &format!("/apps/{id}"), &NONE).await;
        assert!(shown.text().contains(&format!(r#""jwks":{text}"#)), "{}", shown.text());
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_by_name() {
    let world = World::new().await;
    for (body, says) in [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "object"),
        (r#"{"name": 1}"#, "`name`"),
        (r#"{"scopes": "x"}"#, "`scopes`"),
        (r#"{"scopes": [1]}"#, "`scopes`"),
        (r#"{"approved": "yes"}"#, "`approved`"),
        (r#"{"approved": null}"#, "`approved`"),
        (r#"{"jwks_url": {}}"#, "`jwks_url`"),
        (r#"{"jwks": {}, "jwks_url": "https://a.test/"}"#, "not both"),
        (r#"{"scope": [], "nam": ""}"#, "`nam`, `scope`"),
    ] {
        let reply = world.send("POST", "/_mock/apps", &[], body.as_bytes()).await;
        assert_eq!(reply.status, 400, "{body}");
        let (error, description) = reply.error();
        assert_eq!(error, "invalid_request");
        assert!(description.contains(says), "{body}: {description}");
    }
    let path = format!("/_mock/apps/{}", world.app.application_id());
    let reply = world.send("PATCH", &path, &[], br#"{"colour": 1}"#).await;
    assert_eq!(reply.status, 400);
    assert!(reply.error().1.contains("`colour`"));
}

#[tokio::test]
async fn subscriptions_and_keys_by_their_presence() {
    let world = World::new().await;
    let jwks = json!({"keys": [Key::usual().jwk(KID)]});
    for (body, rule) in [
        (json!({"name": "x", "jwks": jwks, "scopes": null}), "A15b"),
        (json!({"name": "x", "jwks": jwks, "scopes": []}), "A22"),
        (json!({"name": "x", "jwks": jwks, "approved": false}), "A15b"),
        (json!({"name": "x"}), "A17"),
        (json!({"name": "x", "jwks_url": "https://a.test"}), "A18"),
    ] {
        let made = world.control("POST", "/apps", &body).await.json();
        let key = made["api_key"].as_str().unwrap();
        world.ask(world.assertion().claim("iss", key).claim("sub", key)).await;
        assert_eq!(world.rule(), rule, "{body}");
    }
}

#[tokio::test]
async fn the_clock_is_read_and_moved() {
    let world = World::new().await;
    let moved = world.control("POST", "/clock", &json!({"advance_s": 90.5})).await;
    assert_eq!((moved.status, &moved.json()["offset_s"]), (200, &json!(90.5)));
    let moved = world.control("POST", "/clock", &json!({"advance_s": -100})).await;
    assert_eq!(moved.json()["offset_s"], json!(-9.5));
    let clock = world.control("GET", "/clock", &NONE).await.json();
    let now = clock["now"].as_str().unwrap();
    assert!(now.ends_with('Z') && now.len() == 24, "{now}");
    for wrong in [
        json!({}),
        json!({"advance_s": "5"}),
        json!({"advance_s": null}),
        json!({"advance_s": 1e12}),
        json!({"advance_s": 5, "x": 1}),
    ] {
        let reply = world.control("POST", "/clock", &wrong).await;
        assert_eq!(reply.status, 400, "{wrong}");
    }
    assert_eq!(world.control("PUT", "/clock", &NONE).await.status, 405);
}

#[tokio::test]
async fn requests_are_listed_without_the_control_apis_own() {
    let world = World::new().await;
    world.get("/hello-world/hello/world?x=secret", &[]).await;
    world.ask(world.assertion().without_header("typ")).await;
    let listed = world.control("GET", "/requests", &NONE).await.json();
    let listed = listed["requests"].as_array().unwrap();
    assert_eq!(listed.len(), 2);
    let members: Vec<_> = listed[0].as_object().unwrap().keys().collect();
    assert_eq!(members, ["at", "id", "method", "path", "status"]);
    assert_eq!(listed[0]["path"], "/hello-world/hello/world");
    assert_eq!(listed[1]["rule"], "A7");
    assert_eq!(listed[1]["application_id"], world.app.application_id());
    let at = listed[1]["at"].as_str().unwrap();
    assert!(at.ends_with('Z') && at.len() == 24, "{at}");
    assert_eq!(world.control("DELETE", "/requests", &NONE).await.status, 204);
    assert!(world.platform.requests().is_empty());
}

#[tokio::test]
async fn a_reset_brings_back_the_start() {
    let first = nhs_auth_mock::NewApp::new("first").jwks(Key::usual().jwks(KID)).rate_limit(1);
    let platform = nhs_auth_mock::MockPlatform::builder()
        .app(first)
        .clock_offset_ms(5000)
        .start()
        .await
        .unwrap();
    let app = platform.first_apps()[0].clone();
    let world = World { platform, app };
    let assertion = world.assertion();
    let token = {
        let reply = world.ask(assertion.clone()).await;
        reply.json()["access_token"].as_str().unwrap().to_owned()
    };
    let path = format!("/apps/{}", world.app.application_id());
    world.control("DELETE", &path, &NONE).await;
    world.control("POST", "/apps", &json!({"name": "later"})).await;
    world.control("POST", "/faults", &json!({"fault": "500"})).await;
    world.control("POST", "/clock", &json!({"advance_s": 7})).await;

    assert_eq!(world.control("POST", "/reset", &NONE).await.status, 204);
    let apps = world.control("GET", "/apps", &NONE).await.json();
    assert_eq!(apps["apps"].as_array().unwrap().len(), 1);
    assert_eq!(apps["apps"][0]["api_key"], world.app.api_key());
    let faults = world.control("GET", "/faults", &NONE).await.json();
    assert_eq!(faults["faults"], json!([]));
    let clock = world.control("GET", "/clock", &NONE).await.json();
    assert_eq!(clock["offset_s"], json!(5.0));
    assert!(world.platform.requests().is_empty());
    let reply = world.call("/hello-world/hello/application", &token).await;
    assert_eq!((reply.status, world.rule()), (401, "G2"));
    // The jti is new again, and the minute has begun afresh.
    assert_eq!(world.ask(assertion).await.status, 200);
    assert_eq!(world.ask(world.assertion()).await.status, 429);
}

#[tokio::test]
async fn a_page_from_elsewhere_is_refused() {
    let world = World::new().await;
    let base_url = world.platform.base_url();
    let authority = base_url.strip_prefix("http://").unwrap();
    let localhost = authority.replace("127.0.0.1", "localhost");
    let foreign = format!("evil.test:{}", world.platform.address().port());
    for (name, value, status) in [
        ("Origin", base_url.as_str(), 200),
        ("Origin", "https://evil.test", 403),
        ("Origin", "http://127.0.0.1:1", 403),
        ("Origin", "null", 403),
        ("Host", localhost.as_str(), 200),
        ("Host", "evil.test", 403),
        ("Host", foreign.as_str(), 403),
        ("Host", "127.0.0.1", 403),
    ] {
        let reply = world.get("/_mock/apps", &[(name, value)]).await;
        assert_eq!(reply.status, status, "{name}: {value}");
        if status == 403 {
            assert_eq!(reply.error().0, "forbidden");
        }
    }
    // The platform itself is for whoever finds it.
    let reply = world.get("/hello-world/hello/world", &[("Host", "evil.test")]).await;
    assert_eq!(reply.status, 200);

    let named = World::with(nhs_auth_mock::MockPlatform::builder().allow_host("mock:9000")).await;
    let reply = named.get("/_mock/apps", &[("Host", "mock:9000")]).await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn what_the_control_api_has_not() {
    let world = World::new().await;
    for path in ["", "/", "/x", "/id-tokens/x", "/logout-tokens/x", "/apps/a/b", "/reset/x"] {
        let reply = world.control("POST", path, &json!({})).await;
        assert_eq!(reply.status, 404, "{path}");
    }
    for (method, path, allow) in [
        ("PUT", "/apps", "GET, POST"),
        ("POST", "/apps/x", "GET, PATCH, DELETE"),
        ("GET", "/reset", "POST"),
        ("PATCH", "/faults", "GET, POST, DELETE"),
        ("GET", "/faults/1", "DELETE"),
        ("POST", "/requests", "GET, DELETE"),
        ("GET", "/id-tokens", "POST"),
        ("GET", "/logout-tokens", "POST"),
        ("PUT", "/clients", "GET, POST"),
        ("GET", "/clients/cis2/x", "DELETE"),
        ("PUT", "/products", "GET, POST"),
        ("GET", "/products/x", "DELETE"),
        ("DELETE", "/users", "GET, POST"),
    ] {
        let reply = world.control(method, path, &json!({})).await;
        assert_eq!((reply.status, reply.header("allow")), (405, Some(allow)), "{path}");
    }
}

#[tokio::test]
async fn a_refused_form_is_listed_with_its_jti_as_it_was_sent() {
    let world = World::new().await;
    let long = "x".repeat(10_000);
    world.ask(world.assertion().claim("jti", long.clone())).await;
    let jti = world.latest().jti.unwrap();
    assert!(jti.len() < 3000 && long.starts_with(jti.trim_end_matches('…')));
    world.ask(world.assertion().claim("jti", json!({"a": 1}))).await;
    assert_eq!(world.latest().jti.as_deref(), Some(r#"{"a":1}"#));
    world.post(&form("x")[..1]).await;
    assert_eq!(world.latest().jti, None);
}
