//! A caller's trace context, while the sidecar tells no traces of its own: with the feature `otel`
//! and without.

use super::peer::Head;
use super::sidecar::{Sidecar, request};

#[tokio::test]
async fn it_is_passed_on_as_it_is() {
    let sidecar = Sidecar::start().await;
    for (parent, state) in [
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "vendor=a,other=b"),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", ""),
        ("no context at all", "nor=a;state,"),
    ] {
        let headers = format!("Traceparent: {parent}\r\nTracestate: {state}\r\n");
        let head = passed_on(&sidecar, &headers).await;
        assert_eq!(head.values("traceparent"), [parent]);
        assert_eq!(head.values("tracestate"), [state]);
    }
    let head = passed_on(&sidecar, "").await;
    assert_eq!((head.value("traceparent"), head.value("tracestate")), (None, None));
}

async fn passed_on(sidecar: &Sidecar, headers: &str) -> Head {
    let (mut client, mut api, head) = sidecar.sent(request("GET", "/", headers, "")).await;
    api.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(client.message().await.status(), 200);
    head
}
