//! Requests that are meant to be read in two ways, or to wear the proxy out.

use std::time::Duration;

use super::sidecar::{Sidecar, get, request};

/// What goes on is one request, framed as it was understood, or nothing at all.
#[tokio::test]
async fn what_two_servers_could_read_in_two_ways_is_refused() {
    let sidecar = Sidecar::start().await;
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for head in [
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5, 6\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 5 5\r\n",
        "Content-Length:\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Content-Length : 5\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding:\u{b}chunked\r\n",
        "Transfer-Encoding: \"chunked\"\r\n",
        "Transfer-Encoding\r\n",
        "X: y\r\n Transfer-Encoding: chunked\r\n",
        "X: y\r\n\tfolded\r\n",
        " Leading: space\r\n",
        "X: a\0b\r\n",
        "X: a\rb\r\n",
        "X\0: a\r\n",
        "X: a\r\rTransfer-Encoding: chunked\r\n",
        "Host: localhost\r\n",
        "Host: other\r\n",
    ] {
        let mut client = sidecar.client().await;
        client.send(request("POST", "/", head, smuggled)).await;
        let answer = client.message().await;
        assert!(matches!(answer.status(), 400 | 413), "{head:?}: {}", answer.status());
        client.rest().await;
    }
    for start in [
        "POST / HTTP/1.1 \r\n",
        "POST  / HTTP/1.1\r\n",
        "POST /\tx HTTP/1.1\r\n",
        "POST /a b HTTP/1.1\r\n",
        "POST /a\0b HTTP/1.1\r\n",
        "POST /a\rb HTTP/1.1\r\n",
        "POST / HTTP/1.2\r\n",
        "POST / HTTP/2.0\r\n",
        "POST / http/1.1\r\n",
        "PO(ST / HTTP/1.1\r\n",
        "POST\r\n",
        "POST /\r\n",
    ] {
        let mut client = sidecar.client().await;
        client.send(format!("{start}Host: localhost\r\n\r\n{smuggled}")).await;
        let answer = client.message().await;
        assert_eq!(answer.status(), 400, "{start:?}");
        client.rest().await;
    }
    assert!(sidecar.upstream.is_left_alone().await);
    sidecar.stop().await;
}

/// hyper takes the chunks for the framing and drops the length, as RFC 9112 §6.3 allows. The API
/// sees one framing.
#[tokio::test]
async fn where_both_framings_are_given_one_goes_on() {
    let sidecar = Sidecar::start().await;
    for headers in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        "Content-Length: 5\r\nContent-Length: 5\r\n",
    ] {
        let body = if headers.contains("chunked") { "5\r\nhello\r\n0\r\n\r\n" } else { "hello" };
        let mut client = sidecar.client().await;
        client.send(request("POST", "/", headers, body)).await;
        let mut api = sidecar.upstream.accept().await;
        let head = api.head().await;
        let lengths = head.values("content-length").len();
        assert_eq!(lengths + head.values("transfer-encoding").len(), 1, "{headers}");
        assert_eq!(api.body_of(head).await.unwrap().text(), "hello");
        api.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").await;
        assert_eq!(client.message().await.status(), 200);
    }
    sidecar.stop().await;
}

#[tokio::test]
async fn chunks_that_are_none_end_the_request() {
    let sidecar = Sidecar::start().await;
    for chunk in [
        "x\r\n",
        "-1\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhelloGET",
        "fffffffffffffffff\r\n",
        "5;\nx\r\nhello\r\n0\r\n\r\n",
        "\r\n5\r\nhello\r\n0\r\n\r\n",
    ] {
        let mut client = sidecar.client().await;
        client.send(request("POST", "/", "Transfer-Encoding: chunked\r\n", chunk)).await;
        let mut api = sidecar.upstream.accept().await;
        assert_eq!(client.message().await.status(), 400, "{chunk:?}");
        let sent = String::from_utf8(api.rest().await).unwrap();
        assert!(!sent.ends_with("0\r\n\r\n"), "{chunk:?}: {sent:?}");
    }
    sidecar.stop().await;
}

#[tokio::test]
async fn chunk_extensions_go_no_further() {
    let sidecar = Sidecar::start().await;
    let body = "5;name=\"value\"\r\nhello\r\n0;last\r\n\r\n";
    let (_client, mut api, head) =
        sidecar.sent(request("POST", "/", "Transfer-Encoding: chunked\r\n", body)).await;
    assert_eq!(api.body_of(head).await.unwrap().text(), "hello");
    sidecar.stop().await;
}

#[tokio::test]
async fn heads_that_are_too_long_are_refused() {
    let sidecar = Sidecar::start().await;
    for (head, status) in [
        (request("GET", "/", &format!("A: {}\r\n", "x".repeat(70_000)), ""), 431),
        (request("GET", "/", &"A: x\r\n".repeat(97), ""), 431),
        (request("GET", "/", &"A: x\r\n".repeat(2000), ""), 431),
        (request("GET", &format!("/{}", "x".repeat(66_000)), "", ""), 414),
    ] {
        let answer = sidecar.own_answer(&head).await;
        assert!(matches!(answer.status(), 414 | 431), "{}: {status}", answer.status());
    }
    let many = "A: x\r\n".repeat(95);
    let (_, _, head) = sidecar.sent(request("GET", "/", &many, "")).await;
    assert_eq!(head.values("a").len(), 95);
    sidecar.stop().await;
}

#[tokio::test]
async fn an_api_whose_answer_is_none_is_said_to_have_given_none() {
    let sidecar = Sidecar::start().await;
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: x\r\n".repeat(200));
    let long = format!("HTTP/1.1 200 OK\r\nA: {}\r\n\r\n", "x".repeat(1_000_000));
    for answer in [
        "nonsense\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA\0: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: x\ry\r\n\r\n",
        &many,
        &long,
    ] {
        let (mut client, mut api, _) = sidecar.sent(request("POST", "/", "", "")).await;
        // It may hang up before it has all.
        let _: Result<_, _> = api.try_send(answer).await;
        let own = client.message().await;
        let whose = own.json()["source"].clone();
        assert_eq!((own.status(), whose), (502, "nhs-auth".into()), "{answer:.60}");
    }
    sidecar.stop().await;
}

#[tokio::test]
async fn a_head_that_drips_is_not_waited_for() {
    let bound = Duration::from_millis(400);
    let sidecar = Sidecar::start_with(|builder| builder.head_timeout(bound), |route| route).await;
    for begun in ["P", "GET /", "PRI * HT"] {
        let mut client = sidecar.client().await;
        client.send(begun).await;
        assert!(client.is_closed().await, "{begun}");
    }
    let mut silent = sidecar.client().await;
    assert!(silent.is_closed().await);
    sidecar.stop().await;
}

#[tokio::test]
async fn tunnels_and_echoes_are_refused() {
    let sidecar = Sidecar::start().await;
    for (start, status) in [
        ("CONNECT api.example.org:443 HTTP/1.1", 501),
        ("CONNECT localhost:443 HTTP/1.1", 501),
        ("TRACE / HTTP/1.1", 501),
        ("OPTIONS * HTTP/1.1", 404),
    ] {
        let answer = sidecar.own_answer(format!("{start}\r\nHost: localhost\r\n\r\n")).await;
        assert_eq!(
            (answer.status(), &answer.json()["source"]),
            (status, &"nhs-auth".into()),
            "{start}"
        );
    }
    sidecar.stop().await;
}

#[tokio::test]
async fn only_names_of_its_own_are_answered_to() {
    let sidecar =
        Sidecar::start_with(|builder| builder.server_name("sidecar.internal"), |route| route).await;
    for (host, path) in [
        ("localhost:1", "/a"),
        ("127.0.0.1", "/a"),
        ("[::1]:80", "/a"),
        ("sidecar.internal", "/a"),
        ("evil.example", "http://localhost/a"), // the target decides, and `Host` is not passed on
    ] {
        let ask = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        let (mut client, mut api, head) = sidecar.sent(ask).await;
        assert_eq!(head.first, "GET /a HTTP/1.1");
        assert_eq!(head.values("host"), [sidecar.upstream.address.to_string()]);
        api.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").await;
        client.message().await;
    }
    for (host, path) in [
        ("evil.example", "/a"),
        ("evil.example", "/token"),
        ("localhost.evil.example:8081", "/a"),
        ("localhost", "http://evil.example/a"),
        ("localhost", "http://localhost@evil.example/a"),
        ("127.0.0.1.evil.example", "/a"),
        ("", "/a"),
    ] {
        let answer =
            sidecar.own_answer(format!("POST {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
        assert!(matches!(answer.status(), 421 | 400), "{host} {path}: {}", answer.status());
        assert!(!answer.text().contains("access_token"));
    }
    sidecar.stop().await;
}

#[tokio::test]
async fn pages_of_other_sites_are_kept_out() {
    let sidecar = Sidecar::start().await;
    for path in ["/", "/token"] {
        for site in ["cross-site", "same-site"] {
            let headers = format!("Sec-Fetch-Site: {site}\r\n");
            let answer = sidecar.own_answer(request("POST", path, &headers, "")).await;
            assert_eq!(
                (answer.status(), answer.head.value("access-control-allow-origin")),
                (403, None)
            );
        }
    }
    let (_, _, head) = sidecar.sent(request("GET", "/", "Sec-Fetch-Site: none\r\n", "")).await;
    assert_eq!(head.value("sec-fetch-site"), Some("none"));
    sidecar.stop().await;
}

#[tokio::test]
async fn a_connection_that_is_idle_is_closed() {
    let bound = Duration::from_millis(300);
    let sidecar = Sidecar::start_with(|builder| builder.idle_timeout(bound), |route| route).await;
    let (mut client, mut api, _) = sidecar.sent(get("/")).await;
    api.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    client.message().await;
    assert!(client.is_closed().await);
    sidecar.stop().await;
}
