//! What is added to a request's headers and an answer's, what is taken away, and what stays.

use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use nhs_auth::APIKEY;

use super::sidecar::{Sidecar, get, request};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

#[tokio::test]
async fn a_request_gets_a_token_and_an_id_and_nothing_else() {
    let sidecar = Sidecar::start().await;
    let (mut client, mut api, head) = sidecar.sent(get("/")).await;
    let mut names: Vec<_> = head.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["authorization", "host", "x-request-id"]);
    let id = head.value("x-request-id").unwrap();
    assert_eq!((id.len(), id.as_bytes()[14]), (36, b'4'), "{id}");
    api.send(OK).await;
    client.message().await;
    sidecar.stop().await;
}

#[tokio::test]
async fn what_the_caller_sends_is_kept() {
    let sidecar = Sidecar::start().await;
    let headers = "X-Request-ID: mine\r\nX-Correlation-ID: theirs\r\nX-Many: 1\r\nAccept: a/b\r\n\
                   X-Many: 2, 3\r\nX-Many:\r\nX-Latin: \u{e9}\r\nCookie: a=b\r\nX-Many: 4\r\n\
                   User-Agent: old\r\nVia: 1.1 before\r\nForwarded: for=x\r\n";
    let (mut client, mut api, head) = sidecar.sent(request("GET", "/", headers, "")).await;
    for (name, values) in [
        ("x-request-id", &["mine"][..]),
        ("x-correlation-id", &["theirs"]),
        ("x-many", &["1", "2, 3", "", "4"]),
        ("x-latin", &["\u{e9}"]),
        ("cookie", &["a=b"]),
        ("user-agent", &["old"]),
        ("via", &["1.1 before"]),
        ("forwarded", &["for=x"]),
    ] {
        assert_eq!(head.values(name), values, "{name}");
    }
    api.send(
        "HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nX-Correlation-ID: theirs\r\nSet-Cookie: b\r\n\
         Content-Length: 0\r\nServer: old\r\nProxy-Status: edge; error=dns_error\r\n\r\n",
    )
    .await;
    let answer = client.message().await.head;
    assert_eq!(answer.values("set-cookie"), ["a", "b"]);
    assert_eq!(answer.values("proxy-status"), ["edge; error=dns_error"]);
    assert_eq!((answer.value("server"), answer.value("x-request-id")), (Some("old"), None));
    sidecar.stop().await;
}

#[tokio::test]
async fn credentials_of_callers_are_dropped_unless_a_route_passes_them() {
    let sent = "Authorization: Bearer theirs\r\nApikey: theirs\r\nAuthorization: Basic eA==\r\n";
    let sidecar = Sidecar::start().await;
    let (_, _, head) = sidecar.sent(request("GET", "/", sent, "")).await;
    assert_eq!(
        (head.values("authorization"), head.values("apikey")),
        (vec!["Bearer token-1"], vec![])
    );
    sidecar.stop().await;

    let passing =
        Sidecar::start_with(|builder| builder, |route| route.passing(APIKEY).unwrap()).await;
    let (_, _, head) = passing.sent(request("GET", "/", sent, "")).await;
    assert_eq!(
        (head.values("authorization"), head.values("apikey")),
        (vec!["Bearer token-1"], vec!["theirs"])
    );
    passing.stop().await;

    let passing =
        Sidecar::start_with(|builder| builder, |route| route.passing(AUTHORIZATION).unwrap()).await;
    let one = "Authorization: Bearer theirs\r\nApikey: theirs\r\n";
    let (mut client, mut api, head) = passing.sent(request("GET", "/", one, "")).await;
    assert_eq!(
        (head.values("authorization"), head.values("apikey")),
        (vec!["Bearer theirs"], vec![])
    );
    // What is not our token is none of our business.
    api.send("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer error=\"invalid_token\"\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(client.message().await.status(), 401);
    passing.platform.until_asked(1).await;
    assert_eq!(passing.platform.asked(), 1, "none but the first, which it asks for at its start");
    client.send(get("/")).await;
    assert_eq!(api.head().await.values("authorization"), ["Bearer token-1"]);
    passing.stop().await;
}

#[tokio::test]
async fn what_belongs_to_a_connection_ends_with_it_and_takes_nothing_of_ours_along() {
    let sidecar = Sidecar::start().await;
    let headers = "Connection: keep-alive, X-Mine, Authorization, X-Request-ID, Host, Content-Length\r\n\
                   Connection: nhs-auth-secret\r\nX-Mine: 1\r\nX-Request-ID: mine\r\nKeep-Alive: timeout=5\r\n\
                   Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic eA==\r\nUpgrade: h2c\r\n\
                   HTTP2-Settings: AAMAAABkAAQAAP__\r\nTE: gzip\r\nContent-Length: 2\r\nX-Stays: 1\r\n";
    let mut client = sidecar.client().await;
    client.send(request("POST", "/", headers, "hi")).await;
    let mut api = sidecar.upstream.accept().await;
    let sent = api.message().await;
    assert_eq!(sent.text(), "hi");
    let mut names: Vec<_> = sent.head.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["authorization", "content-length", "host", "x-request-id", "x-stays"]);
    assert_ne!(sent.head.value("x-request-id"), Some("mine"));
    api.send(
        "HTTP/1.1 200 OK\r\nConnection: X-Theirs\r\nX-Theirs: 1\r\nKeep-Alive: timeout=5\r\n\
         Proxy-Authenticate: Basic\r\nUpgrade: h2c\r\nX-Stays: 1\r\nContent-Length: 2\r\n\r\nok",
    )
    .await;
    let answer = client.message().await;
    let mut names: Vec<_> = answer.head.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.retain(|name| *name != "date");
    names.sort_unstable();
    assert_eq!((answer.text().as_str(), names), ("ok", vec!["content-length", "x-stays"]));
    sidecar.stop().await;
}

/// As RFC 9110 §10.1.4 wants it said: in `TE`, which `Connection` names.
#[tokio::test]
async fn that_trailers_are_welcome_reaches_the_api() {
    let sidecar = Sidecar::start().await;
    for connection in ["", "Connection: TE\r\n", "Connection: keep-alive, te\r\n"] {
        let headers = format!("{connection}TE: trailers, deflate;q=0.5\r\n");
        let (mut client, mut api, head) = sidecar.sent(request("GET", "/", &headers, "")).await;
        assert_eq!(head.values("te"), ["trailers"], "{connection}");
        api.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").await;
        client.message().await;
    }
    sidecar.stop().await;
}

#[tokio::test]
async fn a_route_sets_its_own_headers_in_place_of_a_callers() {
    let name = HeaderName::from_static("nhsd-product-id");
    let sidecar = Sidecar::start_with(
        |builder| builder,
        |route| {
            let route = route.with_header(name.clone(), HeaderValue::from_static("P1")).unwrap();
            route.with_header(name, HeaderValue::from_static("P2")).unwrap()
        },
    )
    .await;
    let headers = "NHSD-Product-ID: theirs\r\nConnection: nhsd-product-id\r\n";
    let (_, _, head) = sidecar.sent(request("GET", "/", headers, "")).await;
    assert_eq!(head.values("nhsd-product-id"), ["P1", "P2"]);
    sidecar.stop().await;
}

#[tokio::test]
async fn the_callers_secret_is_wanted_and_goes_no_further() {
    let sidecar =
        Sidecar::start_with(|builder| builder.caller_secret(Some("hush".into())), |route| route)
            .await;
    let (mut client, mut api, head) =
        sidecar.sent(request("GET", "/", "NHS-Auth-Secret: hush\r\n", "")).await;
    assert!(!head.headers.iter().any(|(_, value)| value.contains("hush")), "{head:?}");
    api.send(OK).await;
    client.message().await;
    for headers in
        ["", "NHS-Auth-Secret: wrong\r\n", "NHS-Auth-Secret: hush\r\nNHS-Auth-Secret: hush\r\n"]
    {
        for path in ["/", "/token"] {
            let answer = sidecar.own_answer(request("POST", path, headers, "")).await;
            assert_eq!(answer.status(), 403, "{headers}");
            assert!(!answer.text().contains("hush"));
        }
    }
    let token =
        sidecar.own_answer(request("POST", "/token", "NHS-Auth-Secret: hush\r\n", "")).await;
    assert_eq!(token.status(), 200);
    sidecar.stop().await;
}
