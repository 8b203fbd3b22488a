//! Answers of the proxy's own: they say whose they are, and why.

use super::peer::Message;
use super::platform::Platform;
use super::sidecar::{Sidecar, app, get, request, with_token};
use super::upstream::Upstream;
use nhs_auth_server::ProxyRoutes;

fn is_own(answer: &Message, status: u16, kind: &str, error: &str) {
    let text = answer.text();
    assert_eq!(answer.status(), status, "{text}");
    let head = &answer.head;
    assert_eq!(head.value("content-type"), Some("application/problem+json"));
    assert_eq!(head.value("cache-control"), Some("no-store"));
    assert_eq!(head.value("proxy-status"), Some(format!("nhs-auth; error={error}").as_str()));
    let body = answer.json();
    assert_eq!(body["source"], "nhs-auth");
    assert_eq!(body["type"], format!("nhs-auth:{kind}"));
    assert_eq!(body["status"], status);
    for secret in ["token-1", "client_assertion", "eyJ", "ExampleApiKey"] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[tokio::test]
async fn a_token_that_the_platform_refuses() {
    let sidecar = Sidecar::start().await;
    let refusal = r#"{"error":"invalid_request","error_description":"Missing or invalid kid","message_id":"m-1"}"#;
    sidecar.platform.say("401 Unauthorized", "", refusal);
    let answer = sidecar.own_answer(request("GET", "/", "X-Request-ID: mine\r\n", "")).await;
    is_own(&answer, 502, "token-refused", "proxy_configuration_error");
    let body = answer.json();
    assert_eq!(
        (&body["request_id"], answer.head.value("x-request-id")),
        (&"mine".into(), Some("mine"))
    );
    assert_eq!(body["token_error"]["error"], "invalid_request");
    assert_eq!(body["token_error"]["message_id"], "m-1");
    assert_eq!(body["token_error"]["status"], 401);
    // It is remembered: a crowd doesn't hammer the platform.
    for _ in 0..5 {
        is_own(
            &sidecar.own_answer(get("/")).await,
            502,
            "token-refused",
            "proxy_configuration_error",
        );
    }
    let mut client = sidecar.client().await;
    client.send(request("HEAD", "/", "", "")).await;
    let head = client.head().await;
    assert_eq!(head.status(), 502);
    assert_ne!(head.value("content-length"), Some("0"));
    assert!(client.is_quiet().await, "HEAD has no body");
    assert_eq!(sidecar.platform.asked(), 1);
    assert!(sidecar.upstream.is_left_alone().await);
    let name = r#"nhs_auth_proxy_requests_total{route="/",outcome="no_token",class="5xx"}"#;
    sidecar.until_metric(name, 7.0).await;
    sidecar.stop().await;
}

#[tokio::test]
async fn a_platform_that_is_away() {
    let sidecar = Sidecar::start().await;
    sidecar.platform.say("503 Service Unavailable", "Retry-After: 60\r\n", "");
    let answer = sidecar.own_answer(get("/")).await;
    is_own(&answer, 503, "no-token", "destination_unavailable");
    let pause: u64 = answer.head.value("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&pause), "{pause}");
    assert!(sidecar.upstream.is_left_alone().await);
    sidecar.stop().await;
}

#[tokio::test]
async fn an_api_that_can_not_be_reached() {
    let platform = Platform::start().await;
    let gone = Upstream::start().await.url(); // it is closed again at once
    let (upstream, plain) = (Upstream::start().await, Upstream::start().await);
    let secure = plain.url().replace("http://127.0.0.1", "https://localhost");
    let routes = vec![
        with_token("/refused", &gone),
        with_token("/not-tls", &secure),
        with_token("/", &upstream.url()),
    ];
    let routes = ProxyRoutes::new(routes, vec![app(&platform)]).unwrap();
    let sidecar = Sidecar::of(routes, platform, upstream, |builder| builder).await;
    let answer = sidecar.own_answer(get("/refused")).await;
    is_own(&answer, 502, "unreachable", "connection_refused");
    let name =
        r#"nhs_auth_proxy_requests_total{route="/refused",outcome="unreachable",class="5xx"}"#;
    sidecar.until_metric(name, 1.0).await;

    let mut client = sidecar.client().await;
    client.send(get("/not-tls")).await;
    plain.accept().await.send("HTTP/1.1 400 Bad Request\r\n\r\n").await;
    is_own(&client.message().await, 502, "unreachable", "tls_protocol_error");

    let (mut client, api, _) = sidecar.sent(request("POST", "/", "", "")).await;
    drop(api);
    is_own(&client.message().await, 502, "no-answer", "http_response_incomplete");
    sidecar.stop().await;
}

#[tokio::test]
async fn an_apis_own_errors_are_not_taken_for_the_proxys() {
    let sidecar = Sidecar::start().await;
    for status in [400, 403, 404, 408, 421, 431, 500, 502, 503, 504] {
        let (mut client, mut api, _) = sidecar.sent(get("/")).await;
        api.send(format!(
            "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: 4\r\n\r\nwhy?"
        ))
        .await;
        let answer = client.message().await;
        assert_eq!((answer.status(), answer.text().as_str()), (status, "why?"));
        assert_eq!(
            (answer.head.value("proxy-status"), answer.head.value("content-type")),
            (None, None)
        );
    }
    sidecar.stop().await;
}
