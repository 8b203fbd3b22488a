//! The rate limit.

use nhs_auth_mock::{MockPlatform, NewApp};
use serde_json::json;

use crate::assertion::KID;
use crate::key::Key;
use crate::world::World;

#[tokio::test]
async fn the_three_hundred_and_first_in_a_minute_is_one_too_many() {
    let world = World::new().await;
    // What is refused before row 16 isn't counted, and what is refused behind it is.
    for number in 0..300 {
        let assertion = world.assertion();
        assert_eq!(world.ask(assertion.clone().without_header("kid")).await.status, 400);
        let assertion = if number % 2 == 0 { assertion } else { assertion.header("kid", "x") };
        assert_ne!(world.ask(assertion).await.status, 429, "{number}");
    }
    let reply = world.ask(world.assertion()).await;
    assert_eq!(reply.status, 429);
    assert_eq!(world.rule(), "A16");
    let body = reply.json();
    assert_eq!((&body["scope"], &body["policy"]), (&json!("application"), &json!("quota")));
    assert_eq!(body["error"], "too_many_requests");

    // Another app has a minute of its own.
    let other = world.platform.create_app(NewApp::new("other").jwks(Key::usual().jwks(KID)));
    let assertion = world.assertion().claim("iss", other.api_key()).claim("sub", other.api_key());
    assert_eq!(world.ask(assertion).await.status, 200);

    world.advance(60);
    assert_eq!(world.ask(world.assertion()).await.status, 200);
}

#[tokio::test]
async fn the_limit_can_be_raised() {
    let world = World::with(MockPlatform::builder().rate_limit(2)).await;
    let path = format!("/apps/{}", world.app.application_id());
    for status in [200, 200, 429] {
        assert_eq!(world.ask(world.assertion()).await.status, status);
    }
    let raised = json!({"rate_limit": 4});
    assert_eq!(world.control("PATCH", &path, &raised).await.status, 200);
    for status in [200, 200, 429] {
        assert_eq!(world.ask(world.assertion()).await.status, status);
    }
}
