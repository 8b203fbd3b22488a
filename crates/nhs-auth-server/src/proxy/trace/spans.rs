//! Spans, by OpenTelemetry's conventions for HTTP. No token, key, header's value or query is ever
//! told, and of a path only its words.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use http::request::Parts;
use http::{Method, Request, Response, StatusCode, Version};
use nhs_auth::TokenError;
use opentelemetry::trace::{
    Span as _, SpanKind, Status, TraceContextExt as _, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span};

use super::shown_path::shown;
use super::w3c;
use crate::proxy::app;
use crate::proxy::failure::Failure;
use crate::proxy::metrics::Outcome;

const OUTCOME: &str = "nhs_auth.outcome";
const ERROR_TYPE: &str = "error.type";
const STATUS: &str = "http.response.status_code";

/// Where spans go.
#[derive(Clone, Debug)]
pub(in crate::proxy) struct Traces(Option<SdkTracer>);

/// A request's span, until its last copy is dropped.
#[derive(Clone)]
pub(in crate::proxy) struct RequestTrace(Option<Arc<Told>>);

struct Told {
    tracer: SdkTracer,
    context: Context,
    /// Whether the trace is the caller's.
    continues: bool,
    attempts: AtomicU32,
    /// What is known of its end. A span can't take a word back, so it is told last.
    fate: Mutex<Fate>,
}

struct Fate {
    outcome: Outcome,
    status: Option<StatusCode>,
}

/// The span of one attempt at the API, until the head of its answer.
pub(in crate::proxy) struct AttemptTrace(Unended);

/// Where an application's token requests are told.
#[derive(Clone, Debug)]
pub(in crate::proxy) struct AppTraces(Option<(SdkTracer, String)>);

/// The span of one token request.
pub(in crate::proxy) struct TokenTrace(Unended);

/// A span that nobody has said the end of. If that is never said, whoever waited has gone away.
struct Unended(Option<Span>);

impl Traces {
    pub(in crate::proxy) fn none() -> Self {
        Self(None)
    }

    pub(in crate::proxy) fn to(provider: &SdkTracerProvider) -> Self {
        let scope = InstrumentationScope::builder(env!("CARGO_PKG_NAME"))
            .with_version(env!("CARGO_PKG_VERSION"))
            .build();
        Self(Some(provider.tracer_with_scope(scope)))
    }

    /// Begins the span of a caller's request, within the caller's own if there is one.
    pub(in crate::proxy) fn request<B>(&self, request: &Request<B>, route: &str) -> RequestTrace {
        let Some(tracer) = &self.0 else { return RequestTrace(None) };
        let parent = w3c::parent(request.headers());
        let continues = parent.is_some();
        let parent = parent
            .map_or_else(Context::new, |parent| Context::new().with_remote_span_context(parent));
        let method = method(request.method());
        let span = tracer
            .span_builder(format!("{} {route}", name(method)))
            .with_kind(SpanKind::Server)
            .with_attributes([
                KeyValue::new("http.request.method", method),
                KeyValue::new("http.route", route.to_owned()),
                KeyValue::new("url.scheme", "http"),
                KeyValue::new("url.path", shown(request.uri().path())),
                KeyValue::new("network.protocol.version", version(request.version())),
            ])
            .start_with_context(tracer, &parent);
        RequestTrace(Some(Arc::new(Told {
            tracer: tracer.clone(),
            context: Context::new().with_span(span),
            continues,
            attempts: AtomicU32::new(0),
            fate: Mutex::new(Fate { outcome: Outcome::Cancelled, status: None }),
        })))
    }

    pub(in crate::proxy) fn of_app(&self, app: &str) -> AppTraces {
        AppTraces(self.0.as_ref().map(|tracer| (tracer.clone(), app.to_owned())))
    }
}

impl RequestTrace {
    /// Begins the span of an attempt at the API, and names it in the request.
    pub(in crate::proxy) fn attempt(&self, request: &mut Parts) -> AttemptTrace {
        let Some(told) = &self.0 else { return AttemptTrace(Unended(None)) };
        let method = method(&request.method);
        let uri = &request.uri;
        let scheme = if uri.scheme() == Some(&http::uri::Scheme::HTTP) { "http" } else { "https" };
        let port = uri.port_u16().unwrap_or(if scheme == "http" { 80 } else { 443 });
        let mut attributes = vec![
            KeyValue::new("http.request.method", method),
            KeyValue::new("server.address", uri.host().unwrap_or_default().to_owned()),
            KeyValue::new("server.port", i64::from(port)),
            KeyValue::new("url.scheme", scheme),
            KeyValue::new("url.path", shown(uri.path())),
        ];
        let before = told.attempts.fetch_add(1, Ordering::Relaxed);
        if before > 0 {
            attributes.push(KeyValue::new("nhs_auth.retry", true));
            attributes.push(KeyValue::new("http.request.resend_count", i64::from(before)));
        }
        let span = told
            .tracer
            .span_builder(name(method))
            .with_kind(SpanKind::Client)
            .with_attributes(attributes)
            .start_with_context(&told.tracer, &told.context);
        w3c::tell(span.span_context(), told.continues, &mut request.headers);
        AttemptTrace(Unended(Some(span)))
    }

    /// What came of the request. Its span ends when its answer has been passed on.
    pub(in crate::proxy) fn ended(&self, outcome: Outcome, status: Option<StatusCode>) {
        let Some(told) = &self.0 else { return };
        let mut fate = told.fate.lock().unwrap_or_else(PoisonError::into_inner);
        fate.outcome = outcome;
        fate.status = status.or(fate.status);
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        let Fate { outcome, status } = *self.fate.get_mut().unwrap_or_else(PoisonError::into_inner);
        let span = self.context.span();
        span.set_attribute(KeyValue::new(OUTCOME, outcome.name()));
        if let Some(status) = status {
            span.set_attribute(KeyValue::new(STATUS, i64::from(status.as_u16())));
        }
        let kind = match (outcome, status) {
            (Outcome::Forwarded, Some(status)) if status.is_server_error() => {
                status.as_str().to_owned()
            }
            // What a caller did wrong is no error of a server.
            (Outcome::Forwarded | Outcome::Refused, _) => return,
            _ => outcome.name().to_owned(),
        };
        span.set_attribute(KeyValue::new(ERROR_TYPE, kind));
        span.set_status(Status::error(""));
    }
}

impl AttemptTrace {
    pub(in crate::proxy) fn ended<B>(self, answer: Result<&Response<B>, &Failure>) {
        let Some(mut span) = self.0.said() else { return };
        match answer {
            Ok(answer) => {
                let status = answer.status();
                span.set_attribute(KeyValue::new(STATUS, i64::from(status.as_u16())));
                let version = version(answer.version());
                span.set_attribute(KeyValue::new("network.protocol.version", version));
                if status.is_client_error() || status.is_server_error() {
                    failed(&mut span, status.as_str().to_owned());
                }
            }
            Err(failure) => failed(&mut span, error_type(failure)),
        }
    }
}

impl AppTraces {
    /// Begins the span of a token request. It is a trace of its own: many requests wait for one
    /// token.
    pub(in crate::proxy) fn token_request(&self) -> TokenTrace {
        let span = self.0.as_ref().map(|(tracer, app)| {
            tracer
                .span_builder("token request")
                .with_kind(SpanKind::Client)
                .with_attributes([KeyValue::new("nhs_auth.app", app.clone())])
                .start_with_context(tracer, &Context::new())
        });
        TokenTrace(Unended(span))
    }
}

impl TokenTrace {
    pub(in crate::proxy) fn ended(self, error: Option<&TokenError>) {
        let Some(mut span) = self.0.said() else { return };
        let outcome = app::outcome(error);
        span.set_attribute(KeyValue::new(OUTCOME, outcome));
        let Some(error) = error else { return };
        if let Some(rule) = app::rule(error) {
            span.set_attribute(KeyValue::new("nhs_auth.rule", rule));
        }
        if let Some(id) = &error.message_id {
            span.set_attribute(KeyValue::new("nhs_auth.message_id", id.clone()));
        }
        failed(&mut span, outcome);
    }
}

impl Unended {
    fn said(mut self) -> Option<Span> {
        self.0.take()
    }
}

impl Drop for Unended {
    fn drop(&mut self) {
        if let Some(span) = &mut self.0 {
            failed(span, Outcome::Cancelled.name());
        }
    }
}

fn failed(span: &mut Span, kind: impl Into<opentelemetry::Value>) {
    span.set_attribute(KeyValue::new(ERROR_TYPE, kind));
    span.set_status(Status::error(""));
}

/// As RFC 9209 names them, where it does.
fn error_type(failure: &Failure) -> &'static str {
    match failure {
        Failure::Caller(_) => "http_request_error",
        Failure::Connect { kind, .. } => kind,
        Failure::Lost { .. } => "http_response_incomplete",
        Failure::Late { .. } => "http_response_timeout",
    }
}

/// Methods that nobody knows are a text of the caller's.
fn method(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] =
        ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("_OTHER")
}

/// What a span of that method is called.
fn name(method: &'static str) -> &'static str {
    if method == "_OTHER" { "HTTP" } else { method }
}

fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => "1.1",
    }
}
