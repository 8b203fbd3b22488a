//! Callers and APIs that break off, wait, or answer before they have heard all.

use std::time::Duration;

use super::sidecar::{Sidecar, get, request};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

const EXPECTING: &str = "Expect: 100-continue\r\nContent-Length: 5\r\n";

#[tokio::test]
async fn a_caller_is_told_to_go_ahead_when_the_api_says_so() {
    let sidecar = Sidecar::start().await;
    let (mut client, mut api, head) = sidecar.sent(request("PUT", "/", EXPECTING, "")).await;
    assert_eq!(
        (head.value("expect"), head.value("content-length")),
        (Some("100-continue"), Some("5"))
    );
    assert!(client.is_quiet().await);
    api.send("HTTP/1.1 100 Continue\r\n\r\n").await;
    assert_eq!(client.head().await.first, "HTTP/1.1 100 Continue");
    client.send("hello").await;
    assert_eq!(api.take(5).await.unwrap(), b"hello");
    api.send(OK).await;
    assert_eq!(client.message().await.text(), "ok");
    sidecar.stop().await;
}

#[tokio::test]
async fn an_api_that_knows_nothing_of_it_gets_the_body_after_a_while() {
    let sidecar = Sidecar::start().await;
    let (mut client, mut api, _) = sidecar.sent(request("PUT", "/", EXPECTING, "")).await;
    assert_eq!(client.head().await.first, "HTTP/1.1 100 Continue");
    client.send("hello").await;
    assert_eq!(api.take(5).await.unwrap(), b"hello");
    api.send(OK).await;
    assert_eq!(client.message().await.text(), "ok");
    sidecar.stop().await;
}

#[tokio::test]
async fn a_final_answer_in_place_of_a_go_ahead_is_passed_on_and_nothing_is_read() {
    let sidecar = Sidecar::start().await;
    let (mut client, mut api, _) = sidecar.sent(request("PUT", "/", EXPECTING, "")).await;
    api.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno").await;
    let answer = client.message().await;
    assert_eq!((answer.status(), answer.text().as_str()), (413, "no"));
    assert!(client.is_closed().await);
    assert!(api.is_closed().await);
    sidecar.stop().await;
}

#[tokio::test]
async fn a_401_in_place_of_a_go_ahead_is_tried_again_and_the_body_read_once() {
    let sidecar = Sidecar::start().await;
    let (mut client, mut api, _) = sidecar.sent(request("PUT", "/", EXPECTING, "")).await;
    api.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").await;
    let mut api = sidecar.upstream.accept().await;
    let head = api.head().await;
    assert_eq!(
        (head.value("authorization"), head.value("expect")),
        (Some("Bearer token-2"), Some("100-continue"))
    );
    api.send("HTTP/1.1 100 Continue\r\n\r\n").await;
    assert_eq!(client.head().await.first, "HTTP/1.1 100 Continue");
    client.send("hello").await;
    assert_eq!(api.take(5).await.unwrap(), b"hello");
    api.send(OK).await;
    assert_eq!(client.message().await.text(), "ok");
    sidecar.stop().await;
}

#[tokio::test]
async fn an_answer_before_the_end_of_the_body_arrives() {
    let sidecar = Sidecar::start().await;
    for closes in [false, true] {
        let (mut client, mut api, _) =
            sidecar.sent(request("PUT", "/", "Content-Length: 100000000\r\n", "")).await;
        client.send("x".repeat(100_000)).await;
        api.skip(100_000).await;
        api.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno").await;
        let kept = (!closes).then_some(api);
        let answer = client.message().await;
        assert_eq!((answer.status(), answer.text().as_str()), (413, "no"));
        drop(kept);
    }
    sidecar.stop().await;
}

#[tokio::test]
async fn a_caller_that_leaves_before_the_answer_takes_its_request_along() {
    let sidecar = Sidecar::start().await;
    let (client, mut api, _) = sidecar.sent(get("/")).await;
    drop(client);
    assert!(api.is_closed().await);
    let name = r#"nhs_auth_proxy_requests_total{route="/",outcome="cancelled",class="none"}"#;
    sidecar.until_metric(name, 1.0).await;
    sidecar.stop().await;
}

#[tokio::test]
async fn a_caller_that_leaves_within_the_answer_takes_it_along() {
    let sidecar = Sidecar::start().await;
    let (mut client, mut api, _) = sidecar.sent(get("/")).await;
    api.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n").await;
    client.head().await;
    drop(client);
    assert!(api.is_closed().await);
    sidecar.stop().await;
}

#[tokio::test]
async fn a_caller_that_leaves_within_its_body_never_sends_a_whole_request() {
    let sidecar = Sidecar::start().await;
    for framing in
        ["Content-Length: 100\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"]
    {
        let (client, mut api, _) =
            sidecar.sent(format!("POST / HTTP/1.1\r\nHost: localhost\r\n{framing}")).await;
        drop(client);
        let sent = String::from_utf8(api.rest().await).unwrap();
        assert!(!sent.contains("0\r\n\r\n"), "{sent:?}");
    }
    sidecar.stop().await;
}

#[tokio::test]
async fn an_answer_that_is_cut_off_never_looks_whole() {
    let sidecar = Sidecar::start().await;
    for answer in [
        "Content-Length: 100\r\n\r\nhalf",
        "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        "Transfer-Encoding: chunked\r\n\r\n9\r\nhalf",
        "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n",
    ] {
        let (mut client, mut api, _) = sidecar.sent(get("/")).await;
        api.send(format!("HTTP/1.1 200 OK\r\n{answer}")).await;
        drop(api);
        client.try_message().await.expect_err(answer);
    }
    let name = r#"nhs_auth_proxy_requests_total{route="/",outcome="cut_off",class="none"}"#;
    sidecar.until_metric(name, 4.0).await;
    sidecar.stop().await;
}

/// It has no other end than the connection's: only a reset tells a cut.
#[tokio::test]
async fn a_caller_of_http_1_0_sees_the_cut_too() {
    let sidecar = Sidecar::start().await;
    let (mut client, mut api, _) = sidecar.sent("GET / HTTP/1.0\r\n\r\n").await;
    let begun = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n";
    api.send(begun).await;
    assert_eq!(client.head().await.status(), 200);
    drop(api);
    assert!(!client.ends_well().await);

    let (mut client, mut api, _) = sidecar.sent("GET / HTTP/1.0\r\n\r\n").await;
    api.send(format!("{begun}0\r\n\r\n")).await;
    assert_eq!(client.head().await.status(), 200);
    assert!(client.ends_well().await);
    sidecar.stop().await;
}

/// RFC 9112 §6.3: where both are given, the length is wrong.
#[tokio::test]
async fn an_answer_that_is_framed_twice_is_framed_once() {
    let sidecar = Sidecar::start().await;
    let (mut client, mut api, _) = sidecar.sent(get("/")).await;
    api.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nwhole!\r\n0\r\n\r\n").await;
    let answer = client.message().await;
    assert_eq!((answer.text().as_str(), answer.head.value("content-length")), ("whole!", None));
    sidecar.stop().await;
}

#[tokio::test]
async fn a_silent_api_is_given_up() {
    let bound = Duration::from_millis(400);
    let sidecar =
        Sidecar::start_with(|builder| builder.upstream_timeout(bound), |route| route).await;
    let (mut client, mut api, _) = sidecar.sent(get("/")).await;
    let answer = client.message().await;
    assert_eq!((answer.status(), &answer.json()["type"]), (504, &"nhs-auth:timed-out".into()));
    assert!(api.is_closed().await);

    let (mut client, mut api, _) = sidecar.sent(get("/")).await;
    api.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").await;
    let head = client.head().await;
    client.body_of(head).await.expect_err("it kept silent within its answer");
    assert!(api.is_closed().await);

    // One that drips is not silent.
    let (mut client, mut api, _) = sidecar.sent(get("/")).await;
    api.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n").await;
    for _ in 0..10 {
        tokio::time::sleep(bound / 4).await;
        api.send("x").await;
    }
    assert_eq!(client.message().await.text(), "xxxxxxxxxx");
    sidecar.stop().await;
}

#[tokio::test]
async fn a_caller_that_is_silent_within_its_body_is_given_up() {
    let bound = Duration::from_millis(400);
    let set = |builder: nhs_auth_server::ProxyServerBuilder| builder.caller_timeout(bound);
    let sidecar = Sidecar::start_with(set, |route| route).await;
    let (mut client, mut api, _) =
        sidecar.sent(request("POST", "/", "Content-Length: 10\r\n", "half")).await;
    let answer = client.message().await;
    assert_eq!((answer.status(), &answer.json()["type"]), (408, &"nhs-auth:request-body".into()));
    assert!(client.is_closed().await);
    assert_eq!(api.rest().await, b"half");
    sidecar.stop().await;
}

#[tokio::test]
async fn a_caller_that_takes_nothing_is_given_up() {
    let bound = Duration::from_millis(400);
    let set = |builder: nhs_auth_server::ProxyServerBuilder| builder.caller_timeout(bound);
    let sidecar = Sidecar::start_with(set, |route| route).await;
    let (client, mut api, _) = sidecar.sent(get("/")).await;
    api.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n").await;
    api.push(64 * 1024 * 1024).await;
    assert!(api.is_closed().await);
    sidecar.until_metric("nhs_auth_proxy_open_connections", 0.0).await;
    drop(client);
    sidecar.stop().await;
}
