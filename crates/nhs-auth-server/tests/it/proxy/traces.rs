//! The spans of what passes through, with the feature `otel`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use opentelemetry::trace::{SpanKind, Status};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, SpanData, SpanExporter};

use super::platform::Platform;
use super::sidecar::{Sidecar, app, get, request, with_token};
use super::upstream::Upstream;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

/// Keeps what it is given.
#[derive(Clone, Debug, Default)]
struct Recorder(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Recorder {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap().extend(batch);
        Ok(())
    }
}

impl Recorder {
    /// A sidecar whose spans are kept.
    async fn watch(&self, sampler: Sampler) -> Sidecar {
        let (platform, upstream) = (Platform::start().await, Upstream::start().await);
        self.watch_between(platform, upstream, sampler).await
    }

    async fn watch_between(
        &self,
        platform: Platform,
        upstream: Upstream,
        sampler: Sampler,
    ) -> Sidecar {
        let route = with_token("/api", &format!("{}/FHIR/R4", upstream.url()));
        let routes = nhs_auth_server::ProxyRoutes::new(vec![route], vec![app(&platform)]).unwrap();
        let provider = SdkTracerProvider::builder()
            .with_simple_exporter(self.clone())
            .with_sampler(sampler)
            .build();
        Sidecar::of(routes, platform, upstream, |builder| builder.traces(&provider)).await
    }

    /// The spans of one kind, in the order in which they ended. Only after a stop are they all there.
    fn spans(&self, kind: &SpanKind) -> Vec<SpanData> {
        let spans = self.0.lock().unwrap();
        let of_kind = spans.iter().filter(|span| {
            span.span_kind == *kind && (*kind == SpanKind::Server || span.name != "token request")
        });
        of_kind.cloned().collect()
    }

    fn token_requests(&self) -> Vec<SpanData> {
        let spans = self.0.lock().unwrap();
        spans.iter().filter(|span| span.name == "token request").cloned().collect()
    }

    /// Everything, as a text to look for secrets in.
    fn text(&self) -> String {
        format!("{:?}", self.0.lock().unwrap())
    }
}

/// The attributes of a span, none of which is there twice.
#[track_caller]
fn attributes(span: &SpanData) -> BTreeMap<String, String> {
    let told = span.attributes.iter();
    let all: BTreeMap<_, _> = told.map(|it| (it.key.to_string(), it.value.to_string())).collect();
    assert_eq!(all.len(), span.attributes.len(), "{span:?}");
    all
}

#[track_caller]
fn assert_tells(span: &SpanData, expected: &[(&str, &str)]) {
    let expected: BTreeMap<_, _> =
        expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    assert_eq!(attributes(span), expected);
}

/// The span that a request to the API names, and whether it is sampled.
fn parent(value: &str) -> (&str, &str, &str) {
    let parts: Vec<_> = value.split('-').collect();
    let [version, trace, span, flags] = parts[..] else { panic!("{value}") };
    assert_eq!(version, "00");
    (trace, span, flags)
}

#[tokio::test]
async fn a_request_is_a_span_within_its_callers_and_around_the_apis() {
    let recorder = Recorder::default();
    let sidecar = recorder.watch(Sampler::ParentBased(Box::new(Sampler::AlwaysOff))).await;
    let headers = format!(
        "traceparent: 00-{TRACE}-{SPAN}-01\r\ntracestate: vendor=a\r\ntracestate: other=b\r\n"
    );
    let (mut client, mut api, head) =
        sidecar.sent(request("GET", "/api/Patient/9000000009?family=Hush", &headers, "")).await;
    api.send(OK).await;
    assert_eq!(client.message().await.text(), "ok");
    let port = sidecar.upstream.address.port().to_string();
    sidecar.stop().await;

    let (servers, clients) = (recorder.spans(&SpanKind::Server), recorder.spans(&SpanKind::Client));
    let ([server], [attempt]) = (&servers[..], &clients[..]) else { panic!("{recorder:?}") };
    let (trace, span, flags) = parent(head.value("traceparent").unwrap());
    assert_eq!((trace, flags), (TRACE, "01"));
    assert_eq!(span, attempt.span_context.span_id().to_string());
    assert_eq!(head.values("tracestate"), ["vendor=a", "other=b"]);
    assert_eq!(attempt.span_context.trace_id().to_string(), TRACE);
    assert_eq!(attempt.parent_span_id, server.span_context.span_id());
    assert_eq!(server.parent_span_id.to_string(), SPAN);
    assert!(server.parent_span_is_remote && !attempt.parent_span_is_remote);
    assert_eq!(server.span_context.trace_state().header(), "vendor=a,other=b");

    assert_eq!((&*server.name, &*attempt.name), ("GET /api", "GET"));
    assert_tells(
        server,
        &[
            ("http.request.method", "GET"),
            ("http.response.status_code", "200"),
            ("http.route", "/api"),
            ("network.protocol.version", "1.1"),
            ("nhs_auth.outcome", "forwarded"),
            ("url.path", "/api/Patient/*"),
            ("url.scheme", "http"),
        ],
    );
    assert_tells(
        attempt,
        &[
            ("http.request.method", "GET"),
            ("http.response.status_code", "200"),
            ("network.protocol.version", "1.1"),
            ("server.address", "127.0.0.1"),
            ("server.port", &port),
            ("url.path", "/FHIR/R4/Patient/*"),
            ("url.scheme", "http"),
        ],
    );
    assert_eq!((&server.status, &attempt.status), (&Status::Unset, &Status::Unset));
}

#[tokio::test]
async fn a_context_that_is_garbage_is_none_and_its_state_goes_with_it() {
    let recorder = Recorder::default();
    let sidecar = recorder.watch(Sampler::AlwaysOn).await;
    let good = format!("00-{TRACE}-{SPAN}-01");
    for garbage in [
        format!("traceparent: {}\r\n", good.to_uppercase()),
        format!("traceparent: {good}-more\r\n"),
        format!("traceparent: {good}\r\ntraceparent: {good}\r\n"),
        format!("traceparent: 00-{}-{SPAN}-01\r\n", "0".repeat(32)),
        "traceparent: \r\n".to_owned(),
        String::new(),
    ] {
        let headers = format!("{garbage}tracestate: vendor=a\r\n");
        let (mut client, mut api, head) = sidecar.sent(request("GET", "/api", &headers, "")).await;
        api.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
        assert_eq!(client.message().await.status(), 200);
        assert_eq!(head.values("traceparent").len(), 1, "{garbage}");
        let (trace, _, flags) = parent(head.value("traceparent").unwrap());
        assert_eq!((trace == TRACE, flags), (false, "01"), "{garbage}");
        assert_eq!(head.value("tracestate"), None, "{garbage}");
    }
    sidecar.stop().await;
    for span in recorder.spans(&SpanKind::Server) {
        assert_eq!(span.parent_span_id.to_string(), "0000000000000000");
    }
}

#[tokio::test]
async fn what_a_caller_does_not_sample_is_not_told_and_goes_on_so() {
    let recorder = Recorder::default();
    let sidecar = recorder.watch(Sampler::ParentBased(Box::new(Sampler::AlwaysOn))).await;
    let headers = format!("traceparent: 00-{TRACE}-{SPAN}-00\r\ntracestate: vendor=a\r\n");
    let (mut client, mut api, head) = sidecar.sent(request("GET", "/api", &headers, "")).await;
    api.send(OK).await;
    assert_eq!(client.message().await.text(), "ok");
    sidecar.stop().await;
    let (trace, _, flags) = parent(head.value("traceparent").unwrap());
    assert_eq!((trace, flags, head.value("tracestate")), (TRACE, "00", Some("vendor=a")));
    assert!(
        recorder.spans(&SpanKind::Server).is_empty()
            && recorder.spans(&SpanKind::Client).is_empty()
    );
}

#[tokio::test]
async fn a_second_attempt_is_a_span_of_its_own() {
    const EXPIRED: &str = r#"{"fault":{"faultstring":"Access Token expired","detail":{"errorcode":"keymanagement.service.access_token_expired"}}}"#;
    let recorder = Recorder::default();
    let sidecar = recorder.watch(Sampler::AlwaysOn).await;
    let (mut client, mut api, first) = sidecar.sent(get("/api")).await;
    let length = EXPIRED.len();
    let refusal = format!("HTTP/1.1 401 Unauthorized\r\nContent-Length: {length}\r\n\r\n{EXPIRED}");
    api.send(refusal).await;
    let second = sidecar.next(&mut api).await.head;
    api.send(OK).await;
    assert_eq!(client.message().await.text(), "ok");
    sidecar.stop().await;

    let (servers, clients) = (recorder.spans(&SpanKind::Server), recorder.spans(&SpanKind::Client));
    let ([server], [one, two]) = (&servers[..], &clients[..]) else { panic!("{recorder:?}") };
    for (span, head) in [(one, &first), (two, &second)] {
        let (trace, id, _) = parent(head.value("traceparent").unwrap());
        assert_eq!(trace, server.span_context.trace_id().to_string());
        assert_eq!(id, span.span_context.span_id().to_string());
        assert_eq!(span.parent_span_id, server.span_context.span_id());
    }
    assert_ne!(one.span_context.span_id(), two.span_context.span_id());
    let (one, two) = (attributes(one), attributes(two));
    assert_eq!(
        (one["error.type"].as_str(), one["http.response.status_code"].as_str()),
        ("401", "401")
    );
    assert!(!one.contains_key("nhs_auth.retry") && !two.contains_key("error.type"));
    assert_eq!(
        (two["nhs_auth.retry"].as_str(), two["http.request.resend_count"].as_str()),
        ("true", "1")
    );
    assert_eq!(recorder.token_requests().len(), 2);
}

#[tokio::test]
async fn what_goes_wrong_is_told_by_its_kind() {
    let told = async |end: &str| {
        let recorder = Recorder::default();
        let sidecar = recorder.watch(Sampler::AlwaysOn).await;
        let (mut client, mut api, _) = sidecar
            .sent(request("POST", "/api", "Connection: close\r\nContent-Length: 0\r\n", ""))
            .await;
        if end == "caller leaves" {
            drop(client);
            assert!(api.is_closed().await);
        } else {
            api.send(end).await;
            drop(api);
            client.rest().await;
        }
        sidecar.stop().await;
        let (server, attempt) = (
            recorder.spans(&SpanKind::Server).remove(0),
            recorder.spans(&SpanKind::Client).remove(0),
        );
        let of = |span: &SpanData| {
            let is_error = matches!(span.status, Status::Error { .. });
            let kind = attributes(span).get("error.type").cloned();
            assert_eq!(is_error, kind.is_some(), "{span:?}");
            kind.unwrap_or_default()
        };
        (attributes(&server)["nhs_auth.outcome"].clone(), of(&server), of(&attempt))
    };
    let expected = |outcome: &str, server: &str, attempt: &str| {
        (outcome.to_owned(), server.to_owned(), attempt.to_owned())
    };
    let cancelled = expected("cancelled", "cancelled", "cancelled");
    assert_eq!(told("caller leaves").await, cancelled);
    let close = "Connection: close\r\nContent-Length:";
    let missing = format!("HTTP/1.1 404 Not Found\r\n{close} 0\r\n\r\n");
    assert_eq!(told(&missing).await, expected("forwarded", "", "404"));
    let broken = format!("HTTP/1.1 503 Service Unavailable\r\n{close} 0\r\n\r\n");
    assert_eq!(told(&broken).await, expected("forwarded", "503", "503"));
    let cut_off = format!("HTTP/1.1 200 OK\r\n{close} 9\r\n\r\nok");
    assert_eq!(told(&cut_off).await, expected("cut_off", "cut_off", ""));
    let lost = expected("unreachable", "unreachable", "http_response_incomplete");
    assert_eq!(told("HTTP/1.1 200").await, lost);
}

#[tokio::test]
async fn a_token_request_is_told_with_what_the_platform_said() {
    let recorder = Recorder::default();
    let (platform, upstream) = (Platform::start().await, Upstream::start().await);
    let body = r#"{"error":"public_key error","error_description":"You need to register a public key to use this authentication method - please contact support to configure","message_id":"rrt-1"}"#;
    for _ in 0..2 {
        platform.say("403 Forbidden", "", body);
    }
    let sidecar = recorder.watch_between(platform, upstream, Sampler::AlwaysOn).await;
    let answer = sidecar.own_answer(get("/api")).await;
    assert_eq!(answer.status(), 502);
    sidecar.stop().await;
    let token_requests = recorder.token_requests();
    let told = attributes(&token_requests[0]);
    assert_eq!(told["nhs_auth.app"], "app");
    assert_eq!(
        (told["nhs_auth.outcome"].as_str(), told["error.type"].as_str()),
        ("refused", "refused")
    );
    assert_eq!(told["nhs_auth.message_id"], "rrt-1");
    assert_eq!(told["nhs_auth.rule"], "A17");
    let server = attributes(&recorder.spans(&SpanKind::Server)[0]);
    assert_eq!(
        (server["nhs_auth.outcome"].as_str(), server["error.type"].as_str()),
        ("no_token", "no_token")
    );
    assert!(recorder.spans(&SpanKind::Client).is_empty());
}

#[tokio::test]
async fn no_secret_and_no_patient_is_told() {
    let recorder = Recorder::default();
    let sidecar = recorder.watch(Sampler::AlwaysOn).await;
    let headers = "Authorization: Bearer hush\r\napikey: hush\r\nX-Name: hush\r\nCookie: hush\r\n\
                   User-Agent: hush\r\ntracestate: hush=hush\r\n";
    let path = "/api/Patient/9000000009/hush%2F9000000009?identifier=9000000009&family=hush";
    let (mut client, mut api, _) = sidecar.sent(request("HUSH", path, headers, "")).await;
    api.send("HTTP/1.1 200 OK\r\nX-Name: hush\r\nContent-Length: 4\r\n\r\nhush").await;
    assert_eq!(client.message().await.text(), "hush");
    sidecar.stop().await;
    let text = recorder.text();
    for secret in ["hush", "HUSH", "9000000009", "token-1", "ExampleApiKey", "identifier"] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
    let server = recorder.spans(&SpanKind::Server).remove(0);
    assert_eq!(
        (&*server.name, attributes(&server)["http.request.method"].as_str()),
        ("HTTP /api", "_OTHER")
    );
}
