//! The sidecar's traces as a collector gets them, with the feature `otel`.

use std::fs;
use std::process::Command;

use crate::collector::{Collector, attribute};
use crate::running_proxy::{RunningProxy, command_as_app};
use crate::scene::{Scene, run};
use crate::upstream::Upstream;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

/// The sidecar, told about its collector by these variables.
fn start(scene: &Scene, upstream: &Upstream, variables: &[(&str, &str)]) -> RunningProxy {
    let mut command = command_as_app(scene, &["--upstream", &upstream.url]);
    RunningProxy::start(command.envs(variables.iter().copied()))
}

/// The status of a call.
fn call(proxy: &RunningProxy, path: &str, headers: &[&str]) -> String {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--output", "/dev/null", "--write-out", "%{http_code}"]);
    for header in headers {
        curl.args(["--header", header]);
    }
    run(curl.arg(format!("{}{path}", proxy.url)), "").exits(0).stdout
}

#[test]
fn a_collector_gets_a_request_within_its_callers_trace() {
    let scene = Scene::new();
    let (upstream, collector) = (Upstream::start(&scene), Collector::start(&scene));
    let proxy = start(
        &scene,
        &upstream,
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-collector=knock%20knock"),
            ("OTEL_SERVICE_NAME", "the-sidecar"),
            ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=int,service.name=not-me"),
        ],
    );
    let headers = [
        &format!("traceparent: 00-{TRACE}-{SPAN}-01"),
        "tracestate: vendor=a",
        "Authorization: Bearer of-the-caller",
    ];
    let path = "/personal/Patient/9000000009?identifier=9000000009";
    assert_eq!(call(&proxy, path, &headers), "200");
    proxy.signal("TERM");
    proxy.ends().exits(0);

    let spans = collector.spans();
    let named = |name: &str| {
        let mut named = spans.iter().filter(|span| span["name"] == name);
        let (Some(span), None) = (named.next(), named.next()) else { panic!("{spans:#?}") };
        span
    };
    let (server, attempt, token) = (named("GET /"), named("GET"), named("token request"));
    assert_eq!((&server["traceId"], &attempt["traceId"]), (&TRACE.into(), &TRACE.into()));
    assert_eq!(
        (&server["parentSpanId"], &attempt["parentSpanId"]),
        (&SPAN.into(), &server["spanId"])
    );
    assert_eq!(
        (&server["kind"], &attempt["kind"], &token["kind"]),
        (&2.into(), &3.into(), &3.into())
    );
    assert_eq!(server["traceState"], "vendor=a");
    assert_ne!(token["traceId"], TRACE);

    let of = |span: &serde_json::Value, key: &str| attribute(&span["attributes"], key);
    for (span, key, value) in [
        (server, "http.route", "/"),
        (server, "url.path", "/personal/Patient/*"),
        (server, "http.response.status_code", "200"),
        (server, "nhs_auth.outcome", "forwarded"),
        (attempt, "server.address", "127.0.0.1"),
        (attempt, "http.request.method", "GET"),
        (token, "nhs_auth.outcome", "issued"),
    ] {
        assert_eq!(of(span, key).as_deref(), Some(value), "{key}");
    }
    let resource = |key| attribute(&server["resource"], key);
    assert_eq!(resource("service.name").as_deref(), Some("the-sidecar"));
    assert_eq!(resource("deployment.environment.name").as_deref(), Some("int"));
    assert_eq!(resource("service.version").as_deref(), Some(env!("CARGO_PKG_VERSION")));

    let seen = upstream.seen().remove(0);
    let parent = format!("00-{TRACE}-{}-01", attempt["spanId"].as_str().unwrap());
    assert_eq!(seen.header("traceparent"), [parent]);
    assert_eq!(seen.header("tracestate"), ["vendor=a"]);

    let api_key = fs::read_to_string(scene.path("api-key.txt")).unwrap();
    let token = seen.header("authorization")[0].strip_prefix("Bearer ").unwrap();
    for batch in collector.batches() {
        assert_eq!(
            (batch.path.as_str(), batch.headers["x-collector"].to_str().unwrap()),
            ("/v1/traces", "knock knock")
        );
        let text = String::from_utf8(batch.body.to_vec()).unwrap();
        for secret in [token, api_key.trim(), "of-the-caller", "9000000009", "identifier"] {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }
}

#[test]
fn protobuf_is_what_is_sent_unless_told_otherwise() {
    let scene = Scene::new();
    let (upstream, collector) = (Upstream::start(&scene), Collector::start(&scene));
    let endpoint = format!("{}/of/traces", collector.url);
    let proxy = start(&scene, &upstream, &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &endpoint)]);
    assert_eq!(call(&proxy, "/", &[]), "200");
    proxy.signal("TERM");
    proxy.ends().exits(0);
    let batches = collector.batches();
    assert!(!batches.is_empty());
    for batch in &batches {
        assert_eq!(batch.path, "/of/traces");
        assert_eq!(batch.headers["content-type"], "application/x-protobuf");
    }
    // Texts stand in it as they are.
    let bytes = batches.iter().map(|batch| &batch.body[..]).collect::<Vec<_>>().concat();
    for text in ["nhs-auth-proxy", "token request", "http.route"] {
        assert!(bytes.windows(text.len()).any(|part| part == text.as_bytes()), "{text}");
    }
}

#[test]
fn nothing_is_sent_where_nobody_asked_for_it() {
    let scene = Scene::new();
    let (upstream, collector) = (Upstream::start(&scene), Collector::start(&scene));
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str());
    let parent = format!("00-{TRACE}-{SPAN}-01");
    for (variables, passes) in [
        (&[("OTEL_SERVICE_NAME", "x")][..], true),
        (&[("OTEL_EXPORTER_OTLP_ENDPOINT", "")], true),
        (&[endpoint, ("OTEL_SDK_DISABLED", "true")], true),
        (&[endpoint, ("OTEL_TRACES_EXPORTER", "none")], true),
        (&[endpoint, ("OTEL_TRACES_SAMPLER", "always_off")], false),
    ] {
        let proxy = start(&scene, &upstream, variables);
        assert_eq!(call(&proxy, "/", &[&format!("traceparent: {parent}")]), "200");
        proxy.signal("TERM");
        proxy.ends().exits(0);
        let seen = upstream.seen().remove(0);
        assert_eq!(seen.header("traceparent") == [&parent], passes, "{variables:?}: {seen:?}");
        assert!(collector.batches().is_empty(), "{variables:?}");
    }
}

#[test]
fn a_collector_that_is_away_or_hangs_holds_nobody_up() {
    let scene = Scene::new();
    let (upstream, collector) = (Upstream::start(&scene), Collector::that_hangs(&scene));
    let nobody = "http://127.0.0.1:9";
    for endpoint in [nobody, &collector.url] {
        let proxy = start(
            &scene,
            &upstream,
            &[
                ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
                ("OTEL_EXPORTER_OTLP_TIMEOUT", "600000"),
                ("OTEL_BSP_SCHEDULE_DELAY", "10"),
                ("OTEL_BSP_MAX_QUEUE_SIZE", "8"),
                ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4"),
            ],
        );
        assert_eq!(call(&proxy, "/", &[]), "200");
        if endpoint == nobody {
            proxy.tells("the collector takes no traces");
        } else {
            collector.is_sent_something();
        }
        // More than can wait for the collector.
        for _ in 0..20 {
            assert_eq!(call(&proxy, "/", &[]), "200");
        }
        proxy.signal("TERM");
        let end = proxy.ends().exits(0);
        let warnings = end.stderr.matches("the collector takes no traces").count();
        assert!(warnings <= 1, "{}", end.stderr);
    }
    assert!(!collector.has_given_up());
}

#[test]
fn what_cannot_be_used_is_told() {
    let scene = Scene::new();
    for (variable, value, said) in [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "no http or https URL"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "not a url", "no http or https URL"),
    ] {
        let mut command = Command::new("timeout");
        let proxy = command_as_app(&scene, &[]);
        command.arg("60").arg(proxy.get_program()).args(proxy.get_args());
        command
            .current_dir(scene.path(""))
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");
        let refused = run(command.env(variable, value), "").exits(2);
        assert!(refused.stderr.contains(said), "{refused:?}");
    }
}
