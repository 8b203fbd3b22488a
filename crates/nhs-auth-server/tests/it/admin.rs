//! Health and metrics.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::certificates::Files;
use crate::key_sets;
use crate::raw::{Answer, Client, ask};
use crate::running::{PATH, Running};

async fn get(running: &Running, path: &str) -> Answer {
    ask(running.admin, &format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")).await
}

/// The values of all metrics, by their names and labels.
async fn metrics(running: &Running) -> BTreeMap<String, f64> {
    let answer = get(running, "/metrics").await;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(answer.header("content-type"), Some(kind));
    assert!(answer.body.ends_with("# EOF\n"), "{}", answer.body);
    let lines = answer.body.lines().filter(|line| !line.starts_with('#'));
    let value = |line: &str| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        (name.strip_prefix("nhs_auth_jwks_").unwrap().to_owned(), value.parse().unwrap())
    };
    lines.map(value).collect()
}

/// The metrics, once the server has noticed that all connections but one are closed: a client
/// has its answer before the server has done with the connection.
async fn metrics_with_one_open_connection(running: &Running) -> BTreeMap<String, f64> {
    let deadline = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            let metrics = metrics(running).await;
            if (metrics["open_connections"] - 1.0).abs() < 0.1 {
                return metrics;
            }
            tokio::task::yield_now().await;
        }
    });
    deadline.await.expect("one connection stays open, and the others are closed")
}

#[tokio::test]
async fn it_is_healthy_and_ready_only_with_a_key_set() {
    let running = Running::start_empty_with(|builder| builder).await;
    let ready = async || {
        let answer = get(&running, "/readyz").await;
        (answer.status(), answer.body)
    };
    assert_eq!(ready().await, (503, "there is no key set yet".to_owned()));
    running.endpoint.publish(&key_sets::of(&["int-1"])).unwrap();
    assert_eq!(ready().await, (200, "ready".to_owned()));
    running.endpoint.withdraw("the disk is gone");
    assert_eq!(ready().await, (503, "the disk is gone".to_owned()));

    let healthy = get(&running, "/healthz").await;
    assert_eq!((healthy.status(), healthy.body.as_str()), (200, "ok"));
    assert_eq!(healthy.header("cache-control"), Some("no-store"));
    running.stop().await;
}

#[tokio::test]
async fn there_is_nothing_else() {
    let running = Running::start().await;
    assert_eq!(get(&running, PATH).await.status(), 404);
    let refused = ask(running.admin, "POST /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!((refused.status(), refused.header("allow")), (405, Some("GET, HEAD")));
    let head = ask(running.admin, "HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!((head.status(), head.header("content-length")), (200, Some("2")));
    running.stop().await;
}

#[tokio::test]
async fn what_happens_is_counted() {
    let running = Running::start().await;
    let etag = running.endpoint.state().served().unwrap().etag.clone();
    let mut client = Client::connect(running.address).await;
    for (line, headers) in [
        (format!("GET {PATH} HTTP/1.1"), "Host: x\r\n".to_owned()),
        (format!("GET {PATH} HTTP/1.1"), "Host: x\r\n".to_owned()),
        (format!("GET {PATH} HTTP/1.1"), format!("Host: x\r\nIf-None-Match: {etag}\r\n")),
        ("GET / HTTP/1.1".to_owned(), "Host: x\r\n".to_owned()),
        (format!("PUT {PATH} HTTP/1.1"), "Host: x\r\n".to_owned()),
        (format!("GET {PATH} HTTP/1.1"), "Host: x\r\n".to_owned() + &"A: b\r\n".repeat(64)),
    ] {
        client.send(&format!("{line}\r\n{headers}\r\n")).await;
        client.answer().await.unwrap();
    }
    assert_eq!(ask(running.address, "GET / HTTP/1.1\r\n\r\n").await.status(), 400);
    assert_eq!(ask(running.address, "nonsense\r\n\r\n").await.status(), 400);
    running.endpoint.withdraw("x");
    running.endpoint.reload_failed("y");
    client.send(&format!("GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n")).await;
    client.answer().await.unwrap();

    let metrics = metrics_with_one_open_connection(&running).await;
    let count = |outcome, class| {
        metrics[&format!("requests_total{{outcome=\"{outcome}\",class=\"{class}\"}}")]
    };
    for (outcome, class, expected) in [
        ("served", "2xx", 2.0),
        ("not_modified", "3xx", 1.0),
        ("malformed", "4xx", 1.0),
        ("not_found", "4xx", 1.0),
        ("method_not_allowed", "4xx", 1.0),
        ("too_many_headers", "4xx", 1.0),
        ("unavailable", "5xx", 1.0),
    ] {
        assert!((count(outcome, class) - expected).abs() < 0.1, "{outcome}: {metrics:?}");
    }
    for (name, expected) in [
        ("serving", 0.0),
        ("keys", 0.0),
        ("publications_total", 1.0),
        ("withdrawals_total", 1.0),
        ("reload_failures_total", 1.0),
        ("connection_failures_total", 1.0),
    ] {
        assert!((metrics[name] - expected).abs() < 0.1, "{name}: {metrics:?}");
    }
    assert!(!metrics.keys().any(|name| name.contains("certificate")), "{metrics:?}");

    running.endpoint.publish(&key_sets::of(&["a", "b", "c"])).unwrap();
    let metrics = self::metrics(&running).await;
    assert!((metrics["serving"] - 1.0).abs() < 0.1 && (metrics["keys"] - 3.0).abs() < 0.1);
    assert!(metrics["key_set_age_seconds"] < 5.0, "{metrics:?}");
    running.stop().await;
}

#[tokio::test]
async fn the_certificate_s_end_is_told() {
    let files = Files::new();
    let for_server = files.for_server();
    let running = Running::start_with(|builder| builder.tls(for_server)).await;
    let end = 4_102_444_800.0; // 2100-01-01
    let name = "certificate_expires_timestamp_seconds";
    assert!((metrics(&running).await[name] - end).abs() < 1.0);

    std::fs::remove_file(files.key()).unwrap();
    running.reloader.as_ref().unwrap().reload().await.unwrap_err();
    assert!((metrics(&running).await["tls_reload_failures_total"] - 1.0).abs() < 0.1);
    running.stop().await;
}
