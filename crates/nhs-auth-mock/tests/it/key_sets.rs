//! Key sets, with the platform's habits.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use nhs_auth_mock::NewApp;
use serde_json::json;
use tokio::net::TcpListener;

use crate::assertion::KID;
use crate::key::Key;
use crate::site::Site;
use crate::world::World;

/// A platform and an application whose key set is there.
pub(crate) async fn world_of(site: &Site) -> World {
    World::with_app(NewApp::new("test").jwks_url(&site.url)).await
}

/// The rule that a request of that kid meets.
async fn rule(world: &World, kid: &str) -> &'static str {
    let reply = world.ask(world.assertion().header("kid", kid)).await;
    if reply.status == 200 {
        return "accepted";
    }
    world.rule()
}

#[tokio::test]
async fn a_key_set_is_kept_for_an_hour_and_a_new_kid_is_not_looked_for() {
    let site = Site::new("200 OK", &Key::usual().jwks(KID)).await;
    let world = world_of(&site).await;
    assert_eq!(rule(&world, KID).await, "accepted");
    let head = site.head();
    assert!(head.starts_with("get /jwks.json http/1.1") && head.contains("user-agent: apim\r\n"));

    site.serve("200 OK", &Key::usual().jwks("test-2"));
    assert_eq!(rule(&world, "test-2").await, "A19");
    world.advance(3590);
    assert_eq!(rule(&world, "test-2").await, "A19");
    assert_eq!(rule(&world, KID).await, "accepted");
    assert_eq!(site.hits(), 1);
    world.advance(10);
    assert_eq!(rule(&world, "test-2").await, "accepted");
    assert_eq!(rule(&world, KID).await, "A19");
    assert_eq!(site.hits(), 2);
}

#[tokio::test]
async fn what_can_not_be_reached_is_not_kept() {
    let site = Site::new("500 Internal Server Error", "").await;
    let world = world_of(&site).await;
    for status in ["500 Internal Server Error", "404 Not Found", "302 Found"] {
        site.serve(status, &Key::usual().jwks(KID));
        assert_eq!(rule(&world, KID).await, "A18", "{status}");
    }
    site.serve("200 OK", &"x".repeat(1024 * 1024 + 1));
    assert_eq!(rule(&world, KID).await, "A18");
    assert_eq!(site.hits(), 4);
    site.serve("200 OK", &Key::usual().jwks(KID));
    assert_eq!(rule(&world, KID).await, "accepted");
}

#[tokio::test]
async fn garbage_is_kept_like_anything_else() {
    let site = Site::new("200 OK", "<html>sign in</html>").await;
    let world = world_of(&site).await;
    assert_eq!(rule(&world, KID).await, "A19");
    site.serve("200 OK", &Key::usual().jwks(KID));
    assert_eq!(rule(&world, KID).await, "A19");
    assert_eq!(site.hits(), 1);
    world.advance(3600);
    assert_eq!(rule(&world, KID).await, "accepted");
}

#[tokio::test]
async fn a_url_must_have_a_path_and_somebody_there() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    for url in [
        format!("http://{closed}/jwks.json"),
        format!("http://{closed}"),
        "ftp://127.0.0.1/jwks.json".to_owned(),
        "jwks.json".to_owned(),
    ] {
        let world = World::with_app(NewApp::new("test").jwks_url(&url)).await;
        assert_eq!(rule(&world, KID).await, "A18", "{url}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_fetches_a_key_set_once() {
    let site = Site::new("200 OK", &Key::usual().jwks(KID)).await;
    let world = Arc::new(world_of(&site).await);
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let world = Arc::clone(&world);
        crowd.spawn(async move { world.ask(world.assertion()).await.status });
    }
    while let Some(status) = crowd.join_next().await {
        assert_eq!(status.unwrap(), 200);
    }
    assert_eq!(site.hits(), 1);
}

#[tokio::test]
async fn an_uploaded_key_set_is_seen_at_once() {
    let world = World::new().await;
    assert_eq!(rule(&world, KID).await, "accepted");
    let path = format!("/apps/{}", world.app.application_id());
    let jwks = json!({"keys": [Key::usual().jwk("test-2")]});
    let reply = world.control("PATCH", &path, &json!({"jwks": jwks})).await;
    assert_eq!(reply.status, 200);
    assert_eq!(rule(&world, KID).await, "A19");
    assert_eq!(rule(&world, "test-2").await, "accepted");
    world.control("PATCH", &path, &json!({"jwks": null})).await;
    assert_eq!(rule(&world, "test-2").await, "A17");
}

#[tokio::test]
async fn the_echo_gives_a_document_back_and_serves_as_a_key_set() {
    let world = World::new().await;
    let document = Key::usual().jwks(KID);
    for encoded in [STANDARD.encode(&document), URL_SAFE_NO_PAD.encode(&document)] {
        let path = format!("/mock-jwks/{encoded}");
        let reply = world.get(&path, &[]).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("content-type"), Some("application/json"));
        assert_eq!(reply.text(), document);
        let url = world.platform.base_url() + &path;
        let app = world.platform.create_app(NewApp::new("echo").jwks_url(url));
        let assertion = world.assertion().claim("iss", app.api_key()).claim("sub", app.api_key());
        assert_eq!(world.ask(assertion).await.status, 200);
    }
}
