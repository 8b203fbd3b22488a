//! The token endpoint beside its rules: what it gives, and what it isn't.

use proptest::prelude::*;
use serde_json::json;

use crate::key::Key;
use crate::world::{FORM, World, encoded, form};

#[tokio::test]
async fn a_token_is_given_as_the_platform_gives_it() {
    let world = World::new().await;
    let before = world.platform.now().0;
    let assertion = world.assertion();
    let jti = assertion.jti();
    let reply = world.ask(assertion).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let body = reply.json();
    let members: Vec<_> = body.as_object().unwrap().keys().collect();
    assert_eq!(members, ["access_token", "expires_in", "issued_at", "token_type"]);
    assert_eq!(body["expires_in"], "599");
    assert_eq!(body["token_type"], "Bearer");
    let issued_at: i64 = body["issued_at"].as_str().unwrap().parse().unwrap();
    assert!((before..=world.platform.now().0).contains(&issued_at));
    let token = body["access_token"].as_str().unwrap();
    assert!(token.len() == 28 && token.bytes().all(|byte| byte.is_ascii_alphanumeric()));

    let recorded = world.latest();
    assert_eq!(
        serde_json::to_value(&recorded).unwrap(),
        json!({
            "id": 1,
            "at": serde_json::to_value(&recorded).unwrap()["at"],
            "method": "POST",
            "path": "/oauth2/token",
            "application_id": world.app.application_id(),
            "status": 200,
            "jti": jti,
        })
    );
}

#[tokio::test]
async fn a_shorter_lifetime_is_given_and_a_longer_one_is_not() {
    let world = World::new().await;
    for (wanted, given) in [("5000", "4"), ("500", "0"), ("9999999", "599"), ("soon", "599")] {
        let signed = world.assertion().sign(Key::usual());
        let mut form = form(&signed).to_vec();
        form.push(("_access_token_expiry_ms", wanted));
        let reply = world.post(&form).await;
        assert_eq!(reply.json()["expires_in"], given, "{wanted}");
    }
}

#[tokio::test]
async fn the_date_is_the_platforms() {
    let world = World::new().await;
    world.platform.advance(std::time::Duration::from_secs(40_000_000));
    for path in ["/oauth2/token", "/hello-world/hello/world", "/_mock/clock"] {
        let reply = world.get(path, &[]).await;
        let date = httpdate::parse_http_date(reply.header("date").unwrap()).unwrap();
        let date = date.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let here = u64::try_from(world.platform.now().0 / 1000).unwrap();
        assert!(here - date < 5, "{path}: {date} is not {here}");
    }
}

#[tokio::test]
async fn another_method_is_answered_by_405_and_nothing_else() {
    let world = World::new().await;
    for method in ["GET", "PUT", "DELETE", "HEAD"] {
        let reply = world.send(method, "/oauth2/token", &[], b"").await;
        assert_eq!(reply.status, 405, "{method}");
        assert_eq!(reply.header("allow"), Some("POST"));
        assert_eq!(reply.header("content-type"), Some("text/plain"));
        assert!(reply.body.is_empty());
        assert_eq!(world.rule(), "R8");
        assert_eq!(world.latest().error, None);
    }
}

#[tokio::test]
async fn another_content_type_is_answered_by_415() {
    let world = World::new().await;
    let body = encoded(&form(&world.assertion().sign(Key::usual())));
    for content_type in ["application/json", "application/x-www-form-urlencoded; charset=utf-8", ""]
    {
        let headers = [("Content-Type", content_type)];
        let reply = world.send("POST", "/oauth2/token", &headers, body.as_bytes()).await;
        assert_eq!(reply.status, 415, "{content_type}");
        assert_eq!(world.rule(), "R1");
    }
    let reply = world.send("POST", "/oauth2/token", &[], b"").await;
    assert_eq!(reply.error().1, "Content-Type header must be application/x-www-form-urlencoded");
}

#[tokio::test]
async fn what_is_not_there_is_answered_by_404() {
    let world = World::new().await;
    for path in [
        "/oauth2",
        "/oauth2/",
        "/oauth2/tokens",
        "/oauth2/token/",
        "/oauth2-dep/token",
        "/oauth2/authorized",
        "/hello-world/hello",
        "/mock-jwks/!",
        "/_mockery",
    ] {
        let reply = world.get(path, &[]).await;
        assert_eq!(reply.status, 404, "{path}");
        assert_eq!(reply.error(), ("invalid_request".to_owned(), "Not Found".to_owned()), "{path}");
        assert!(reply.json()["message_id"].is_string());
    }
}

#[tokio::test]
async fn endpoints_asked_by_another_method_are_not_there() {
    let world = World::new().await;
    for (method, endpoint) in
        [("POST", "/callback"), ("POST", "/userinfo"), ("GET", "/backchannel_logout")]
    {
        let reply = world.send(method, &format!("/oauth2{endpoint}"), &[FORM], b"").await;
        assert_eq!((reply.status, reply.error().1.as_str()), (404, "Not Found"), "{endpoint}");
    }
}

#[tokio::test]
async fn the_authorization_endpoint_is_asked_by_get_alone() {
    let world = World::new().await;
    for method in ["POST", "PUT", "HEAD"] {
        let reply = world.send(method, "/oauth2/authorize", &[], b"").await;
        assert_eq!((reply.status, reply.header("allow")), (405, Some("GET")), "{method}");
    }
}

#[tokio::test]
async fn a_body_over_a_mebibyte_is_refused() {
    let world = World::new().await;
    let reply = world.send("POST", "/oauth2/token", &[FORM], &vec![b'a'; 1024 * 1024 + 1]).await;
    assert_eq!(reply.status, 413);
    let reply = world.send("POST", "/oauth2/token", &[FORM], &vec![b'a'; 1024 * 1024]).await;
    assert_eq!(reply.status, 400);
}

#[tokio::test]
async fn monitoring_answers_as_the_platforms() {
    let world = World::with(nhs_auth_mock::MockPlatform::builder().status_key("key-1")).await;
    let ping = world.get("/oauth2/_ping", &[]).await;
    assert_eq!(ping.status, 200);
    let members: Vec<_> = ping.json().as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, ["commitId", "releaseId", "revision", "version"]);
    assert_eq!(world.send("HEAD", "/oauth2/_ping", &[], b"").await.status, 200);

    for headers in [&[][..], &[("apikey", "key-2")][..]] {
        let reply = world.get("/oauth2/_status", headers).await;
        assert_eq!(reply.status, 401);
        assert_eq!(reply.error().0, "Access Denied");
    }
    let status = world.get("/oauth2/_status", &[("apikey", "key-1")]).await;
    assert_eq!(status.json()["status"], "pass");
    let world = World::new().await;
    assert_eq!(world.get("/oauth2/_status", &[]).await.status, 401);
}

#[tokio::test]
async fn a_connection_serves_several_requests_and_ends_with_the_platform() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let world = World::new().await;
    let address = world.platform.address();
    let mut used = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut unused = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut answer = [0; 4096];
    for _ in 0..3 {
        let request = format!("GET /hello-world/hello/world HTTP/1.1\r\nHost: {address}\r\n\r\n");
        used.write_all(request.as_bytes()).await.unwrap();
        let read = used.read(&mut answer).await.unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 200"));
    }
    let started = tokio::time::Instant::now();
    world.platform.shutdown().await.unwrap();
    assert!(started.elapsed().as_secs() < 3, "{:?}", started.elapsed());
    assert_eq!(used.read(&mut answer).await.unwrap(), 0);
    assert!(matches!(unused.read(&mut answer).await, Ok(0) | Err(_)));
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[test]
fn whatever_arrives_is_answered() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let world = runtime.block_on(World::new());
    let api_key = world.app.api_key().to_owned();
    let payload = prop_oneof![
        ".*",
        r#"\{("exp":(null|[0-9]{1,12}|"[0-9]*"|\[\]),)?("iss":"a",)?"sub":("a"|1|\{\})\}"#,
    ];
    let body = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        (".*", payload, "[A-Za-z0-9_-]{0,8}").prop_map(move |(header, payload, signature)| {
            use base64::Engine as _;
            let encode = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
            let payload = payload.replace("\"a\"", &format!("{api_key:?}"));
            let assertion = format!("{}.{}.{signature}", encode(&header), encode(&payload));
            encoded(&form(&assertion)).into_bytes()
        }),
    ];
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner
        .run(&body, |body| {
            let reply = runtime.block_on(world.send("POST", "/oauth2/token", &[FORM], &body));
            prop_assert!((400..500).contains(&reply.status), "{}", reply.status);
            prop_assert!(reply.json()["message_id"].is_string());
            Ok(())
        })
        .unwrap();
}
