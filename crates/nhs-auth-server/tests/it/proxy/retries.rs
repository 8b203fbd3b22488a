//! What happens when an API says 401.

use tokio::task::JoinSet;

use super::peer::{Message, Peer};
use super::sidecar::{Sidecar, get, request};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

const EXPIRED: &str = r#"{"fault":{"faultstring":"Access Token expired","detail":{"errorcode":"keymanagement.service.access_token_expired"}}}"#;
const UNKNOWN: &str = r#"{"fault":{"faultstring":"Invalid access token","detail":{"errorcode":"keymanagement.service.invalid_access_token"}}}"#;
const NO_PRODUCT: &str = r#"{"fault":{"faultstring":"Invalid API call as no apiproduct match found","detail":{"errorcode":"keymanagement.service.InvalidAPICallAsNoApiProductMatchFound"}}}"#;
const OUTCOME: &str = r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"forbidden","diagnostics":"Invalid access token - Access token missing, invalid or expired"}]}"#;

fn refusal(headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 401 Unauthorized\r\n{headers}X-Own: 1\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

fn token(message: &Message) -> String {
    message.head.value("authorization").unwrap().to_owned()
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_once_and_the_same_request_sent_again() {
    let challenge = "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n";
    for (headers, body) in
        [("", EXPIRED), ("", UNKNOWN), ("", OUTCOME), (challenge, "{}"), ("", "")]
    {
        for (framing, sent) in [
            ("Content-Length: 5\r\n", "hello"),
            ("Transfer-Encoding: chunked\r\n", "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"),
        ] {
            let sidecar = Sidecar::start().await;
            let mut client = sidecar.client().await;
            client.send(request("POST", "/a?b", framing, sent)).await;
            let mut api = sidecar.upstream.accept().await;
            let first = api.message().await;
            api.send(refusal(headers, body)).await;
            let second = sidecar.next(&mut api).await;
            assert_eq!(
                (token(&first), token(&second)),
                ("Bearer token-1".into(), "Bearer token-2".into())
            );
            assert_eq!((first.text().as_str(), second.text().as_str()), ("hello", "hello"));
            assert_eq!(first.head.first, second.head.first);
            for name in ["x-request-id", "content-length", "transfer-encoding"] {
                assert_eq!(first.head.value(name), second.head.value(name));
            }
            api.send(OK).await;
            assert_eq!(client.message().await.text(), "ok");
            assert_eq!(sidecar.platform.asked(), 2);
            assert!(
                (sidecar.metric("nhs_auth_proxy_retries_total{route=\"/\"}").await - 1.0).abs()
                    < 0.1
            );
            sidecar.stop().await;
        }
    }
}

#[tokio::test]
async fn a_long_body_is_not_sent_again_and_the_next_request_has_a_new_token() {
    let sidecar = Sidecar::start().await;
    let mut client = sidecar.client().await;
    let length = 70_000;
    let body = "x".repeat(length);
    client.send(request("POST", "/", &format!("Content-Length: {length}\r\n"), &body)).await;
    let mut api = sidecar.upstream.accept().await;
    assert_eq!(token(&sidecar.next(&mut api).await), "Bearer token-1");
    api.send(refusal("WWW-Authenticate: Bearer\r\n", EXPIRED)).await;
    let answer = client.message().await;
    assert_eq!((answer.status(), answer.text().as_str()), (401, EXPIRED));
    assert_eq!((answer.head.value("x-own"), answer.head.value("proxy-status")), (Some("1"), None));
    client.send(get("/")).await;
    assert_eq!(token(&sidecar.next(&mut api).await), "Bearer token-2");
    sidecar.stop().await;
}

#[tokio::test]
async fn a_401_of_another_kind_is_passed_on_and_the_token_stays() {
    let sidecar = Sidecar::start().await;
    let (mut client, mut api, _) = sidecar.sent(get("/")).await;
    for body in [NO_PRODUCT, r#"{"error":"you can't do that"}"#] {
        api.send(refusal("Content-Type: application/json\r\n", body)).await;
        let answer = client.message().await;
        assert_eq!((answer.status(), answer.text().as_str()), (401, body));
        assert_eq!(answer.head.value("x-own"), Some("1"));
        client.send(get("/")).await;
        assert_eq!(token(&sidecar.next(&mut api).await), "Bearer token-1");
    }
    assert_eq!(sidecar.platform.asked(), 1);
    sidecar.stop().await;
}

#[tokio::test]
async fn a_second_401_is_passed_on_and_nobody_is_hammered() {
    let sidecar = Sidecar::start().await;
    let (mut client, mut api, _) = sidecar.sent(get("/")).await;
    api.send(refusal("", EXPIRED)).await;
    assert_eq!(token(&sidecar.next(&mut api).await), "Bearer token-2");
    api.send(refusal("", UNKNOWN)).await;
    let answer = client.message().await;
    assert_eq!((answer.status(), answer.text().as_str()), (401, UNKNOWN));
    for _ in 0..5 {
        client.send(get("/")).await;
        sidecar.next(&mut api).await;
        api.send(refusal("", EXPIRED)).await;
        assert_eq!(client.message().await.text(), EXPIRED);
    }
    assert_eq!(sidecar.platform.asked(), 2);
    sidecar.stop().await;
}

#[tokio::test]
async fn when_there_is_no_other_token_the_apis_own_answer_is_passed_on() {
    let sidecar = Sidecar::start().await;
    let (mut client, mut api, _) = sidecar.sent(get("/")).await;
    sidecar.platform.say("503 Service Unavailable", "Retry-After: 60\r\n", "");
    api.send(refusal("", EXPIRED)).await;
    let answer = client.message().await;
    assert_eq!((answer.status(), answer.text().as_str()), (401, EXPIRED));
    sidecar.stop().await;
}

async fn serve_second_token(mut api: Peer) {
    while let Some(head) = api.try_head().await {
        assert_eq!(head.value("authorization"), Some("Bearer token-2"));
        if api.try_send(OK).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn many_401s_of_one_token_bring_one_new_one() {
    let sidecar = Sidecar::start().await;
    let mut clients = Vec::new();
    let mut apis = Vec::new();
    for _ in 0..10 {
        let (client, api, head) = sidecar.sent(get("/")).await;
        assert_eq!(head.value("authorization"), Some("Bearer token-1"));
        clients.push(client);
        apis.push(api);
    }
    let mut serving = JoinSet::new();
    for mut api in apis {
        api.send(refusal("", EXPIRED)).await;
        serving.spawn(serve_second_token(api));
    }
    let others = async {
        loop {
            serving.spawn(serve_second_token(sidecar.upstream.accept().await));
        }
    };
    let answers = async {
        for client in &mut clients {
            assert_eq!(client.message().await.text(), "ok");
        }
    };
    tokio::select! {
        () = answers => {}
        () = others => {}
    }
    assert_eq!(sidecar.platform.asked(), 2);
    sidecar.stop().await;
}

/// It is read to see what it says, and passed on as if it had not been.
#[tokio::test]
async fn a_401_that_is_read_keeps_its_trailers_and_its_cut() {
    let sidecar = Sidecar::start().await;
    let (mut client, mut api, _) = sidecar.sent(request("GET", "/", "TE: trailers\r\n", "")).await;
    let head = "HTTP/1.1 401 Unauthorized\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nnope\r\n";
    api.send(format!("{head}0\r\nX-Sum: 1\r\n\r\n")).await;
    let answer = client.message().await;
    assert_eq!(
        (answer.text().as_str(), answer.trailers),
        ("nope", vec![("x-sum".into(), "1".into())])
    );

    drop(api);
    let (mut client, mut api, _) = sidecar.sent(get("/")).await;
    api.send(head).await;
    drop(api);
    client.try_message().await.expect_err("a cut answer is no whole one");

    // One that goes on for longer than is read comes whole.
    let (mut client, mut api, _) = sidecar.sent(get("/")).await;
    let long = "no ".repeat(60_000);
    let answer = refusal("", &long);
    let ((), answer) = tokio::join!(api.send(answer), client.message());
    assert_eq!((answer.status(), answer.text() == long), (401, true));
    sidecar.stop().await;
}
