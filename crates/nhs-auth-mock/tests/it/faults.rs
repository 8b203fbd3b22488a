//! What goes wrong on purpose.

use std::io::ErrorKind;
use std::time::Duration;

use nhs_auth_mock::{Fault, FaultKind, MockPlatform, NewApp};
use serde_json::json;

use crate::assertion::KID;
use crate::http;
use crate::key::Key;
use crate::world::{FORM, World, encoded, form};

const WORLD: &str = "/hello-world/hello/world";

async fn with(kind: FaultKind) -> World {
    let world = World::new().await;
    world.platform.add_fault(Fault::new(kind).times(1));
    world
}

/// The fault answers a token request; the assertion is good afterwards, for no jti was burnt.
async fn answered(kind: FaultKind) -> http::Reply {
    let world = with(kind).await;
    let signed = world.assertion().sign(Key::usual());
    let reply = world.present(&signed).await;
    let latest = world.latest();
    assert_eq!(latest.fault, Some(kind.name()));
    assert_eq!(latest.status, reply.status);
    assert_eq!(latest.rule, None);
    assert_eq!(world.present(&signed).await.status, 200, "{kind}");
    assert_eq!(world.latest().fault, None);
    reply
}

#[tokio::test]
async fn statuses() {
    let reply = answered(FaultKind::TooManyRequests).await;
    assert_eq!((reply.status, reply.header("retry-after")), (429, None));
    assert_eq!(reply.json()["policy"], "quota");
    let reply = answered(FaultKind::InternalError).await;
    assert_eq!((reply.status, reply.error().0.as_str()), (500, "unknown_error"));
    assert!(reply.json()["message_id"].is_string());
    let reply = answered(FaultKind::BadGateway).await;
    assert_eq!(reply.status, 502);
    assert!(reply.header("content-type").unwrap().starts_with("text/html"));
    let reply = answered(FaultKind::Unavailable).await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, None));
}

#[tokio::test]
async fn retry_after_is_said_when_it_was_given() {
    let world = World::new().await;
    for (kind, status) in [(FaultKind::TooManyRequests, 429), (FaultKind::Unavailable, 503)] {
        let fault = Fault::new(kind).times(1).retry_after_s(7);
        world.platform.add_fault(fault);
        let reply = world.get(WORLD, &[]).await;
        assert_eq!((reply.status, reply.header("retry-after")), (status, Some("7")));
    }
}

#[tokio::test]
async fn bodies() {
    let reply = answered(FaultKind::Empty).await;
    assert!(reply.status == 200 && reply.body.is_empty());
    let reply = answered(FaultKind::MalformedJson).await;
    assert!(
        reply.status == 200 && serde_json::from_slice::<serde_json::Value>(&reply.body).is_err()
    );
    let reply = answered(FaultKind::WrongContentType).await;
    assert_eq!(reply.header("content-type"), Some("text/plain"));
    assert!(reply.json()["access_token"].is_string());
    let reply = answered(FaultKind::Oversized).await;
    assert!(reply.status == 200 && reply.body.len() > 1024 * 1024);
    let reply = answered(FaultKind::CaptivePortal).await;
    assert!(reply.status == 200 && reply.text().starts_with("<!DOCTYPE html>"));
    let reply = answered(FaultKind::Truncated).await;
    let promised: usize = reply.header("content-length").unwrap().parse().unwrap();
    assert_eq!(reply.status, 200);
    assert!(!reply.body.is_empty() && reply.body.len() < promised);
}

#[tokio::test]
async fn a_reset_connection() {
    let world = with(FaultKind::Reset).await;
    let error = http::send(&world.platform.base_url(), "GET", WORLD, &[], b"").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let latest = world.latest();
    assert_eq!((latest.status, latest.fault), (0, Some("reset")));
    assert_eq!(world.get(WORLD, &[]).await.status, 200);
}

#[tokio::test]
async fn no_answer_at_all_until_the_platform_ends() {
    let world = with(FaultKind::Hang).await;
    let base_url = world.platform.base_url();
    let waiting = tokio::spawn(async move { http::send(&base_url, "GET", WORLD, &[], b"").await });
    while world.platform.requests().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(world.get(WORLD, &[]).await.status, 200, "only the one hangs");
    assert!(!waiting.is_finished());
    world.platform.shutdown().await.unwrap();
    assert!(waiting.await.unwrap().is_err());
}

#[tokio::test]
async fn a_client_that_gives_up_leaves_nothing_behind() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let world = with(FaultKind::Hang).await;
    let address = world.platform.address();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {WORLD} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    while world.platform.requests().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    stream.shutdown().await.unwrap();
    let end = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut [0; 16])).await;
    assert!(matches!(end, Ok(Ok(0) | Err(_))), "the platform closes its end too: {end:?}");
}

#[tokio::test]
async fn a_late_answer_is_a_good_one() {
    let world = World::new().await;
    let delay = Duration::from_millis(100);
    world.platform.add_fault(Fault::new(FaultKind::Slow).delay(delay).times(1));
    let started = tokio::time::Instant::now();
    assert_eq!(world.ask(world.assertion()).await.status, 200);
    assert!(started.elapsed() >= delay);
}

#[tokio::test]
async fn an_unreachable_key_set_even_when_it_was_reached_before() {
    let world = World::new().await;
    assert_eq!(world.ask(world.assertion()).await.status, 200);
    world.platform.add_fault(Fault::new(FaultKind::UnreachableJwks).times(1));
    assert_eq!(world.ask(world.assertion()).await.status, 403);
    assert_eq!(world.rule(), "A18");
    assert_eq!(world.ask(world.assertion()).await.status, 200);
}

#[tokio::test]
async fn a_clock_that_is_off_shows_in_the_date_and_in_the_judgement() {
    let world = World::new().await;
    let fault = json!({"fault": "clock-off", "offset_s": 400.5, "times": 1});
    assert_eq!(world.control("POST", "/faults", &fault).await.status, 201);
    let reply = world.ask(world.assertion()).await;
    assert_eq!(world.rule(), "A5");
    let date = httpdate::parse_http_date(reply.header("date").unwrap()).unwrap();
    let date = date.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let ahead = i64::try_from(date).unwrap() - world.platform.now().0 / 1000;
    assert!((398..=401).contains(&ahead), "{ahead}");
    assert_eq!(world.ask(world.assertion()).await.status, 200);
}

#[tokio::test]
async fn a_fault_for_one_application_finds_it() {
    let world = World::new().await;
    let other = world.platform.create_app(NewApp::new("other").jwks(Key::usual().jwks(KID)));
    let token = world.token().await;
    world
        .platform
        .add_fault(Fault::new(FaultKind::InternalError).application_id(world.app.application_id()));
    assert_eq!(world.ask(world.assertion()).await.status, 500);
    assert_eq!(world.latest().application_id.as_deref(), Some(world.app.application_id()));
    let path = "/hello-world/hello/application";
    assert_eq!(world.call(path, &token).await.status, 500);
    let keys = [("apikey", other.api_key())];
    assert_eq!(world.get(path, &keys).await.status, 200);
    let assertion = world.assertion().claim("iss", other.api_key()).claim("sub", other.api_key());
    assert_eq!(world.ask(assertion).await.status, 200);
}

#[tokio::test]
async fn a_path_a_share_and_a_number_of_times() {
    let world = World::new().await;
    world.platform.add_fault(Fault::new(FaultKind::InternalError).path("/oauth2").times(2));
    assert_eq!(world.get(WORLD, &[]).await.status, 200);
    for status in [500, 500, 404] {
        assert_eq!(world.get("/oauth2/x", &[]).await.status, status);
    }
    world.platform.add_fault(Fault::new(FaultKind::InternalError).share(0.5));
    let mut failed = 0;
    for _ in 0..100 {
        failed += usize::from(world.get(WORLD, &[]).await.status == 500);
    }
    assert!((20..=80).contains(&failed), "{failed}");
    assert_eq!(world.control("GET", "/clock", &json!(null)).await.status, 200);
}

#[tokio::test]
async fn faults_by_the_control_api() {
    let world = World::new().await;
    let none = json!(null);
    for name in [
        "slow",
        "hang",
        "reset",
        "429",
        "rate-limited",
        "too-many-requests",
        "500",
        "internal-error",
        "502",
        "502-html",
        "html",
        "bad-gateway",
        "503",
        "unavailable",
        "truncated",
        "truncated-json",
        "malformed-json",
        "malformed",
        "wrong-content-type",
        "empty",
        "oversized",
        "html-200",
        "captive-portal",
        "unreachable-jwks",
        "jwks-unreachable",
    ] {
        let reply = world.control("POST", "/faults", &json!({"fault": name})).await;
        assert_eq!(reply.status, 201, "{name}: {}", reply.text());
    }
    assert_eq!(world.control("DELETE", "/faults", &none).await.status, 204);

    let fault = json!({
        "fault": 503, "path": "/oauth2", "times": 2, "share": 1, "delay_ms": 5,
        "retry_after_s": 3, "application_id": "x"
    });
    let id = world.control("POST", "/faults", &fault).await.json()["id"].clone();
    let listed = world.control("GET", "/faults", &none).await.json();
    assert_eq!(
        listed["faults"],
        json!([{
            "id": id, "fault": "503", "path": "/oauth2", "times": 2, "delay_ms": 5,
            "retry_after_s": 3, "application_id": "x"
        }])
    );
    let path = format!("/faults/{id}");
    assert_eq!(world.control("DELETE", &path, &none).await.status, 204);
    assert_eq!(world.control("DELETE", &path, &none).await.status, 404);

    for (wrong, says) in [
        (json!({"fault": "flood"}), "unreachable-jwks"),
        (json!({}), "unreachable-jwks"),
        (json!({"fault": "clock"}), "offset_s"),
        (json!({"fault": "slow", "offset_s": 1}), "offset_s"),
        (json!({"fault": "slow", "share": 1.5}), "share"),
        (json!({"fault": "slow", "times": 0}), "times"),
        (json!({"fault": "slow", "times": -1}), "times"),
        (json!({"fault": "slow", "delay": 1}), "delay"),
        (json!({"fault": "slow", "delay_ms": "1"}), "delay_ms"),
    ] {
        let reply = world.control("POST", "/faults", &wrong).await;
        assert_eq!(reply.status, 400, "{wrong}");
        assert!(reply.error().1.contains(says), "{wrong}: {}", reply.text());
    }
}

#[tokio::test]
async fn a_fault_meets_a_body_that_is_too_long_first() {
    let world = with(FaultKind::InternalError).await;
    let reply = world.send("POST", "/oauth2/token", &[FORM], &vec![b'a'; 1024 * 1024 + 1]).await;
    assert_eq!(reply.status, 500);
    let body = encoded(&form("x"));
    let reply = world.send("POST", "/oauth2/token", &[FORM], body.as_bytes()).await;
    assert_eq!(reply.status, 400);
}

#[tokio::test]
async fn a_fault_of_the_start_is_there_again_after_a_reset() {
    let fault = Fault::new(FaultKind::Unavailable).times(1);
    let world = World::with(MockPlatform::builder().fault(fault)).await;
    let statuses = async || {
        let first = world.get("/hello-world/hello/world", &[]).await.status;
        (first, world.get("/hello-world/hello/world", &[]).await.status)
    };
    assert_eq!(statuses().await, (503, 200));
    world.platform.reset();
    assert_eq!(statuses().await, (503, 200));
}

#[tokio::test]
async fn an_answer_that_is_lost_after_the_work_is_done() {
    let world = World::new().await;
    world.platform.add_fault(Fault::new(FaultKind::LostAnswer).path("/oauth2/token").times(1));
    let assertion = world.assertion().sign(Key::usual());
    let base_url = world.platform.base_url();
    let body = encoded(&form(&assertion));
    let lost = http::send(&base_url, "POST", "/oauth2/token", &[FORM], body.as_bytes()).await;
    lost.unwrap_err();
    assert_eq!((world.latest().status, world.latest().fault), (200, Some("lost-answer")));
    world.present(&assertion).await;
    assert_eq!(world.rule(), "A13", "the jti was burnt");
}

#[tokio::test]
async fn providers_rotate_their_keys_once_and_keep_the_new_ones() {
    let world = World::new().await;
    let kid = async || {
        let reply = world.get("/realms/Cis2-mock-int/protocol/openid-connect/certs", &[]).await;
        reply.json()["keys"][0]["kid"].as_str().unwrap().to_owned()
    };
    let before = kid().await;
    world.platform.add_fault(Fault::new(FaultKind::RotatedProviderKeys));
    let after = kid().await;
    assert_ne!(before, after);
    assert_eq!(kid().await, after);
}
