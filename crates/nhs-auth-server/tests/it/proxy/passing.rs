//! What goes through unchanged: methods, paths, queries, statuses, and how connections are used.

use super::sidecar::{Sidecar, get, request, route, with_token};
use super::upstream::Upstream;
use super::{platform::Platform, sidecar};
use nhs_auth_server::{ProxyRoutes, RouteAccess};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[tokio::test]
async fn methods_paths_and_queries_arrive_byte_for_byte() {
    let sidecar = Sidecar::start().await;
    let mut client = sidecar.client().await;
    let mut api = None;
    let long = format!("/{}?{}", "a".repeat(30_000), "b".repeat(30_000));
    for (method, path) in [
        ("GET", "/"),
        ("DELETE", "/a%2Fb//c/../d;x=y/%zz/./e?x=%20+&&y=%2F"),
        ("PATCH", "/?"),
        ("PROPFIND", "/a?"),
        ("MADE-UP", "//token"),
        ("GET", "/é?ü"),
        ("OPTIONS", "/token/"),
        ("GET", "/a?b?c=d&e='(){}|^`"),
        ("GET", &long),
    ] {
        client.send(request(method, path, "", "")).await;
        let api = match &mut api {
            Some(api) => api,
            none => none.insert(sidecar.upstream.accept().await),
        };
        let head = tokio::select! {
            head = api.head() => head,
            answer = client.message() => panic!("{method} {path}: {}", answer.text()),
        };
        assert_eq!(head.first, format!("{method} {path} HTTP/1.1"));
        assert_eq!(head.values("host"), [sidecar.upstream.address.to_string()]);
        assert_eq!(head.values("authorization"), ["Bearer token-1"]);
        api.send(OK).await;
        assert_eq!(client.message().await.text(), "ok", "{method} {path}");
    }
    assert_eq!(sidecar.platform.asked(), 1);
    sidecar.stop().await;
}

#[tokio::test]
async fn the_longest_prefix_decides_and_what_is_behind_it_goes_on() {
    let (platform, upstream) = (Platform::start().await, Upstream::start().await);
    let base = format!("{}/base/", upstream.url());
    let routes = vec![
        route("/open", &upstream.url(), RouteAccess::Open),
        with_token("/open/pds", &base),
        route(
            "/key",
            &base,
            RouteAccess::ApiKey(
                nhs_auth::ApiKey::parse("ExampleApiKeyExampleApiKey000002").unwrap(),
            ),
        ),
    ];
    let routes = ProxyRoutes::new(routes, vec![sidecar::app(&platform)]).unwrap();
    let sidecar = Sidecar::of(routes, platform, upstream, |builder| builder).await;
    for (path, sent, authorization, apikey) in [
        ("/open", "/", None, None),
        ("/open?x", "/?x", None, None),
        ("/open/pdsx", "/pdsx", None, None),
        ("/open//pds", "//pds", None, None),
        ("/open/pds", "/base", Some("Bearer token-1"), None),
        ("/open/pds/a%2F?", "/base/a%2F?", Some("Bearer token-1"), None),
        ("/key/x", "/base/x", None, Some("ExampleApiKeyExampleApiKey000002")),
    ] {
        let (mut client, mut api, head) = sidecar.sent(get(path)).await;
        assert_eq!(head.first, format!("GET {sent} HTTP/1.1"), "{path}");
        assert_eq!((head.value("authorization"), head.value("apikey")), (authorization, apikey));
        api.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok").await;
        assert_eq!(client.message().await.text(), "ok");
    }
    for path in ["/", "/ope", "/opened", "/OPEN", "/%6fpen"] {
        let answer = sidecar.own_answer(get(path)).await;
        assert_eq!((answer.status(), &answer.json()["type"]), (404, &"nhs-auth:no-route".into()));
    }
    sidecar.stop().await;
}

#[tokio::test]
async fn answers_arrive_as_they_were_given() {
    let sidecar = Sidecar::start().await;
    for (method, answer, length, body) in [
        ("GET", "200 OK\r\nContent-Length: 3\r\n\r\nabc", Some("3"), "abc"),
        ("GET", "200 OK\r\nContent-Length: 0\r\n\r\n", Some("0"), ""),
        ("HEAD", "200 OK\r\nContent-Length: 1234\r\n\r\n", Some("1234"), ""),
        ("HEAD", "404 Not Found\r\nContent-Length: 5\r\n\r\n", Some("5"), ""),
        ("GET", "204 No Content\r\n\r\n", None, ""),
        ("GET", "304 Not Modified\r\nETag: \"x\"\r\n\r\n", None, ""),
        ("GET", "201 Created\r\nLocation: /a\r\nContent-Length: 1\r\n\r\nx", Some("1"), "x"),
        ("POST", "422 Unprocessable Entity\r\nContent-Length: 2\r\n\r\n{}", Some("2"), "{}"),
        (
            "GET",
            "429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nno",
            Some("2"),
            "no",
        ),
        ("GET", "503 Service Unavailable\r\nContent-Length: 4\r\n\r\nlate", Some("4"), "late"),
        ("GET", "299 Quite Fine\r\nContent-Length: 0\r\n\r\n", Some("0"), ""),
        ("GET", "599 \r\nContent-Length: 0\r\n\r\n", Some("0"), ""),
    ] {
        let (mut client, mut api, _) = sidecar.sent(request(method, "/", "", "")).await;
        api.send(format!("HTTP/1.1 {answer}")).await;
        let head = client.head().await;
        assert_eq!(head.first, format!("HTTP/1.1 {}", answer.lines().next().unwrap()), "{answer}");
        assert_eq!(head.value("content-length"), length, "{answer}");
        assert_eq!(head.value("proxy-status"), None, "{answer}");
        assert_eq!(client.take(body.len()).await.unwrap(), body.as_bytes());
        // The connection serves the next one.
        client.send(get("/next")).await;
        let mut api = match api.try_head().await {
            Some(_) => api,
            None => sidecar.upstream.accept().await,
        };
        api.send(OK).await;
        assert_eq!(client.message().await.text(), "ok", "{answer}");
    }
    sidecar.stop().await;
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let sidecar = Sidecar::start().await;
    let mut client = sidecar.client().await;
    let all: String = (0..20)
        .map(|index| request("PUT", &format!("/{index}"), "Content-Length: 2\r\n", "hi"))
        .collect();
    client.send(all).await;
    let mut api = sidecar.upstream.accept().await;
    for index in 0..20 {
        let sent = api.message().await;
        assert_eq!(
            (sent.head.first, sent.body),
            (format!("PUT /{index} HTTP/1.1"), b"hi".to_vec())
        );
        let text = index.to_string();
        api.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len())).await;
    }
    for index in 0..20 {
        assert_eq!(client.message().await.text(), index.to_string());
    }
    sidecar.stop().await;
}

#[tokio::test]
async fn callers_of_http_1_0_are_served() {
    let sidecar = Sidecar::start().await;
    let (mut client, mut api, head) = sidecar.sent("GET /a HTTP/1.0\r\n\r\n").await;
    assert_eq!(head.first, "GET /a HTTP/1.1");
    api.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n").await;
    let answer = client.head().await;
    assert_eq!((answer.status(), answer.value("transfer-encoding")), (200, None));
    assert_eq!(client.rest().await, b"abc");

    let kept = "POST /b HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi";
    let mut client = sidecar.client().await;
    for _ in 0..2 {
        client.send(kept).await;
        let sent = api.message().await;
        assert_eq!((sent.text().as_str(), sent.head.value("connection")), ("hi", None));
        api.send(OK).await;
        assert_eq!(client.message().await.text(), "ok");
    }
    sidecar.stop().await;
}

#[tokio::test]
async fn an_api_of_http_1_0_is_understood() {
    let sidecar = Sidecar::start().await;
    let (mut client, mut api, _) = sidecar.sent(get("/")).await;
    api.send("HTTP/1.0 200 OK\r\nX-Old: yes\r\n\r\nuntil the end").await;
    drop(api);
    let answer = client.message().await;
    assert_eq!(
        (answer.text().as_str(), answer.head.value("x-old")),
        ("until the end", Some("yes"))
    );
    sidecar.stop().await;
}

/// It has no body, so one more can't hurt: the API may have closed the connection just before.
#[tokio::test]
async fn a_connection_that_the_api_closed_is_made_anew_for_a_request_that_can_be_repeated() {
    let sidecar = Sidecar::start().await;
    let mut client = sidecar.client().await;
    client.send(get("/1")).await;
    let mut api = sidecar.upstream.accept().await;
    api.head().await;
    api.send(OK).await;
    client.message().await;
    client.send(get("/2")).await;
    assert_eq!(api.head().await.first, "GET /2 HTTP/1.1");
    drop(api);
    let mut api = sidecar.upstream.accept().await;
    assert_eq!(api.head().await.first, "GET /2 HTTP/1.1");
    api.send(OK).await;
    assert_eq!(client.message().await.text(), "ok");

    client.send(request("POST", "/3", "Content-Length: 2\r\n", "hi")).await;
    assert_eq!(api.message().await.head.first, "POST /3 HTTP/1.1");
    drop(api);
    let answer = client.message().await;
    assert_eq!((answer.status(), &answer.json()["type"]), (502, &"nhs-auth:no-answer".into()));
    assert!(sidecar.upstream.is_left_alone().await);
    sidecar.stop().await;
}

/// Nobody asked for another protocol, as `Upgrade` isn't passed on.
#[tokio::test]
async fn an_api_that_changes_the_protocol_has_not_answered() {
    let sidecar = Sidecar::start().await;
    let (mut client, mut api, head) = sidecar
        .sent(request("GET", "/", "Connection: upgrade\r\nUpgrade: websocket\r\n", ""))
        .await;
    assert_eq!((head.value("connection"), head.value("upgrade")), (None, None));
    api.send(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    )
    .await;
    assert_eq!(client.message().await.status(), 502);
    sidecar.stop().await;
}
