//! Health, readiness and metrics; other routes while it runs; and how it stops.

use std::collections::BTreeSet;
use std::time::Duration;

use super::peer::Peer;
use super::platform::Platform;
use super::sidecar::{Sidecar, app, app_named, get, request, route, with_token};
use super::upstream::Upstream;
use nhs_auth_server::{ProxyRoutes, RouteAccess};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

async fn ready(sidecar: &Sidecar) -> (u16, String) {
    let answer = sidecar.operated("/readyz").await;
    (answer.status(), answer.text())
}

#[tokio::test]
async fn it_is_ready_when_a_token_can_be_had() {
    let sidecar = Sidecar::start().await;
    assert_eq!(sidecar.operated("/healthz").await.text(), "ok");
    assert_eq!(ready(&sidecar).await, (200, "ready".to_owned()));
    assert_eq!(ready(&sidecar).await, (200, "ready".to_owned()));
    assert_eq!(sidecar.platform.asked(), 1);
    sidecar.reloader.failed("line 7: what is this?");
    let (status, text) = ready(&sidecar).await;
    assert!(status == 200 && text.starts_with("degraded: ") && text.contains("line 7"), "{text}");
    assert!((sidecar.metric("nhs_auth_proxy_degraded").await - 1.0).abs() < 0.1);
    sidecar.stop().await;
}

#[tokio::test]
async fn it_is_not_ready_without_a_token_and_asks_no_more_often_for_that() {
    let sidecar = Sidecar::start().await;
    sidecar.platform.say(
        "401 Unauthorized",
        "",
        r#"{"error":"invalid_request","error_description":"Missing kid"}"#,
    );
    for _ in 0..10 {
        let (status, text) = ready(&sidecar).await;
        assert!(status == 503 && text.starts_with("app: "), "{text}");
    }
    assert_eq!(sidecar.platform.asked(), 1);
    assert_eq!(sidecar.operated("/healthz").await.status(), 200);
    assert!(sidecar.metric("nhs_auth_proxy_ready").await.abs() < 0.1);
    sidecar.stop().await;
}

#[tokio::test]
async fn one_application_without_a_token_is_no_reason_to_stay_away() {
    let (platform, other, upstream) =
        (Platform::start().await, Platform::start().await, Upstream::start().await);
    other.say("401 Unauthorized", "", r#"{"error":"invalid_request"}"#);
    let routes = vec![with_token("/", &upstream.url())];
    let apps = vec![app(&platform), app_named("other", &other)];
    let routes = ProxyRoutes::new(routes, apps).unwrap();
    let sidecar = Sidecar::of(routes, platform, upstream, |builder| builder).await;
    let (status, text) = ready(&sidecar).await;
    assert!(status == 200 && text.starts_with("degraded: other: "), "{text}");
    sidecar.stop().await;
}

#[tokio::test]
async fn routes_without_a_token_are_always_ready() {
    let (platform, upstream) = (Platform::start().await, Upstream::start().await);
    let routes = vec![route("/", &upstream.url(), RouteAccess::Open)];
    let routes = ProxyRoutes::new(routes, Vec::new()).unwrap();
    let sidecar = Sidecar::of(routes, platform, upstream, |builder| builder).await;
    assert_eq!(ready(&sidecar).await, (200, "ready".to_owned()));
    assert_eq!(sidecar.platform.asked(), 0);
    sidecar.stop().await;
}

#[tokio::test]
async fn what_happens_is_counted() {
    let sidecar = Sidecar::start().await;
    for answer in ["200 OK", "200 OK", "404 Not Found", "503 Late"] {
        let (mut client, mut api, _) = sidecar.sent(get("/")).await;
        api.send(format!("HTTP/1.1 {answer}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"))
            .await;
        client.message().await;
    }
    sidecar.own_answer("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n").await;
    let (mut client, api, _) = sidecar.sent(request("POST", "/", "", "")).await;
    drop(api);
    client.message().await;
    sidecar.own_answer("nonsense\r\n\r\n").await;
    let answer = sidecar.operated("/metrics").await;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(answer.head.value("content-type"), Some(kind));
    for (name, value) in [
        (r#"requests_total{route="/",outcome="forwarded",class="2xx"}"#, 2.0),
        (r#"requests_total{route="/",outcome="forwarded",class="4xx"}"#, 1.0),
        (r#"requests_total{route="/",outcome="forwarded",class="5xx"}"#, 1.0),
        (r#"requests_total{route="/",outcome="unreachable",class="5xx"}"#, 1.0),
        (r#"requests_total{route="",outcome="refused",class="4xx"}"#, 1.0),
        (r#"request_duration_seconds_count{route="/"}"#, 4.0),
        (r#"upstream_duration_seconds_count{route="/"}"#, 4.0),
        (r#"token_requests_total{app="app",outcome="issued"}"#, 1.0),
        (r#"retries_total{route="/"}"#, 0.0),
        ("connection_failures_total", 1.0),
        ("ready", 1.0),
        ("degraded", 0.0),
    ] {
        sidecar.until_metric(&format!("nhs_auth_proxy_{name}"), value).await;
    }
    let age = sidecar.metric(r#"nhs_auth_proxy_token_age_seconds{app="app"}"#).await;
    let left = sidecar.metric(r#"nhs_auth_proxy_token_expires_in_seconds{app="app"}"#).await;
    assert!((age + left - 599.0).abs() < 1.0, "{age} {left}");
    sidecar.stop().await;
}

/// By the rules of OpenMetrics: families in one piece, each with its type, and an end. What never
/// happened is not there: refusals, keys of a ring, a shared store.
#[tokio::test]
async fn metrics_are_well_formed() {
    let sidecar = Sidecar::start().await;
    assert_eq!(ready(&sidecar).await.0, 200);
    sidecar.reloader.failed("why");
    let text = sidecar.operated("/metrics").await.text();
    let lines = text.strip_suffix("# EOF\n").expect("an end");
    let mut families = BTreeSet::new();
    let mut now = String::new();
    for line in lines.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            let mut words = rest.splitn(3, ' ');
            let (word, name) = (words.next().unwrap(), words.next().unwrap());
            assert!(["HELP", "TYPE", "UNIT"].contains(&word), "{line}");
            if name != now {
                assert!(families.insert(name.to_owned()), "`{name}` in two pieces");
                name.clone_into(&mut now);
            }
        } else {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(name.starts_with(&now), "{line} in {now}");
            value.parse::<f64>().unwrap();
        }
    }
    for name in [
        "requests",
        "request_duration_seconds",
        "upstream_duration_seconds",
        "retries",
        "token_requests",
        "token_age_seconds",
        "token_expires_in_seconds",
        "clock_skew_seconds",
        "open_connections",
        "ready",
        "degraded",
        "config_reloads",
        "connection_failures",
        "build_info",
    ] {
        assert!(families.contains(&format!("nhs_auth_proxy_{name}")), "{name}: {families:?}");
    }
    assert!(text.contains("nhs_auth_proxy_config_reloads_total{outcome=\"failed\"} 1"));
    sidecar.stop().await;
}

#[tokio::test]
async fn refusals_are_counted_by_their_rules() {
    let sidecar = Sidecar::start().await;
    let refusal =
        r#"{"error":"invalid_request","error_description":"Missing 'kid' header in JWT"}"#;
    sidecar.platform.say("400 Bad Request", "", refusal);
    assert_eq!(ready(&sidecar).await.0, 503);
    sidecar
        .until_metric(r#"nhs_auth_proxy_token_requests_total{app="app",outcome="refused"}"#, 1.0)
        .await;
    let text = sidecar.operated("/metrics").await.text();
    assert!(text.contains("nhs_auth_proxy_token_refusals_total{app=\"app\",rule=\""), "{text}");
    sidecar.stop().await;
}

#[tokio::test]
async fn other_routes_serve_the_next_request_and_what_is_under_way_goes_on() {
    let sidecar = Sidecar::start().await;
    let (mut client, mut api, _) = sidecar.sent(get("/under/way")).await;
    let other = Upstream::start().await;
    let routes = vec![with_token("/new", &other.url())];
    let routes = ProxyRoutes::new(routes, vec![app(&sidecar.platform)]).unwrap();
    sidecar.reloader.failed("not yet");
    sidecar.reloader.replace(routes);
    assert_eq!(ready(&sidecar).await, (200, "ready".to_owned()));
    api.send(OK).await;
    assert_eq!(client.message().await.text(), "ok");
    client.send(get("/new/x")).await;
    let mut new = other.accept().await;
    assert_eq!(new.head().await.first, "GET /x HTTP/1.1");
    new.send(OK).await;
    assert_eq!(client.message().await.text(), "ok");
    client.send(get("/under/way")).await;
    assert_eq!(client.message().await.status(), 404);
    assert!(
        (sidecar.metric(r#"nhs_auth_proxy_config_reloads_total{outcome="ok"}"#).await - 1.0).abs()
            < 0.1
    );
    sidecar.stop().await;
}

#[tokio::test]
async fn changing_routes_under_load_drops_nothing() {
    let sidecar = Sidecar::start().await;
    let (platform, address, reloader) =
        (sidecar.platform.clone(), sidecar.address, sidecar.reloader.clone());
    let url = sidecar.upstream.url();
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        callers.spawn(async move {
            let mut client = Peer::connect(address).await;
            for _ in 0..50 {
                client.send(get("/")).await;
                assert_eq!(client.message().await.text(), "ok");
            }
        });
    }
    let serving = async {
        let mut served = tokio::task::JoinSet::new();
        loop {
            let mut api = sidecar.upstream.accept().await;
            served.spawn(async move {
                while api.try_head().await.is_some() {
                    if api.try_send(OK).await.is_err() {
                        return;
                    }
                }
            });
        }
    };
    let shared = app(&platform);
    let changing = async {
        while let Some(done) = tokio::select! {
            done = callers.join_next() => done,
            () = tokio::time::sleep(Duration::from_millis(5)) => Some(Ok(())),
        } {
            done.unwrap();
            let routes = vec![with_token("/", &url), with_token("/other", &url)];
            reloader.replace(ProxyRoutes::new(routes, vec![shared.clone()]).unwrap());
        }
    };
    tokio::select! {
        () = changing => {}
        () = serving => {}
    }
    sidecar.stop().await;
}

#[tokio::test]
async fn what_is_under_way_is_finished_before_it_stops() {
    let mut sidecar = Sidecar::start().await;
    let mut idle = sidecar.client().await;
    idle.send(request("TRACE", "/", "", "")).await;
    idle.message().await;
    let (mut client, mut api, _) = sidecar.sent(get("/answered")).await;
    let (mut uploading, mut taking, _) =
        sidecar.sent(request("PUT", "/upload", "Content-Length: 10\r\n", "")).await;
    api.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345").await;
    assert_eq!(client.head().await.status(), 200);

    sidecar.begin_to_stop();
    assert!(idle.is_closed().await);
    let not_ready = sidecar.operated("/readyz").await;
    assert_eq!((not_ready.status(), not_ready.text().as_str()), (503, "the proxy stops"));
    assert_eq!(sidecar.operated("/healthz").await.status(), 200);
    tokio::net::TcpStream::connect(sidecar.address).await.expect_err("the door is closed");

    for piece in ["01", "23", "45", "67", "89"] {
        uploading.send(piece).await;
        assert_eq!(taking.take(2).await.unwrap(), piece.as_bytes());
    }
    taking.send(OK).await;
    let answer = uploading.message().await;
    assert_eq!((answer.text().as_str(), answer.head.value("connection")), ("ok", Some("close")));
    assert!(uploading.is_closed().await);
    api.send("67890").await;
    assert_eq!(client.take(10).await.unwrap(), b"1234567890");
    assert!(client.is_closed().await);
    sidecar.stopped().await;
}

#[tokio::test]
async fn it_does_not_wait_longer_than_it_was_told() {
    let bound = Duration::from_millis(500);
    let sidecar = Sidecar::start_with(|builder| builder.drain(bound), |route| route).await;
    let (mut client, mut api, _) = sidecar.sent(get("/")).await;
    sidecar.stop().await;
    assert!(api.is_closed().await);
    assert!(client.is_closed().await);
}

/// A request whose bytes are there when the proxy is told to stop is answered.
#[tokio::test]
async fn a_request_that_has_just_come_is_answered() {
    for _ in 0..10 {
        let mut sidecar = Sidecar::start().await;
        let mut client = sidecar.client().await;
        client.send(get("/")).await;
        sidecar.begin_to_stop();
        let mut api = sidecar.upstream.accept().await;
        api.head().await;
        api.send(OK).await;
        assert_eq!(client.message().await.text(), "ok");
        drop((client, api));
        sidecar.stopped().await;
    }
}
