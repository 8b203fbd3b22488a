//! The listener for those who run a server.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::task::JoinSet;

use super::accept::PAUSE;
use super::connection::{self, Limits};
use super::listener::{Accepted, Listener};
use super::pulse::{Patience, Pulse};
use super::service::Service;
use super::stop::Stop;

/// The most connections at once.
const CONNECTIONS: usize = 64;

const PLAIN_TEXT: &str = "text/plain; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

const SECONDS: fn(u64) -> Duration = Duration::from_secs;

/// What is told of a server to those who run it.
pub(crate) trait Operated: Send + Sync + 'static {
    /// Whether it should get requests.
    fn readiness(&self) -> Pin<Box<dyn Future<Output = Readiness> + Send + '_>>;

    /// Its metrics, as OpenMetrics text.
    fn metrics(&self) -> String;
}

/// Whether a server should get requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// It should, though something is wrong.
    Degraded(String),
    /// It should not, and why.
    NotReady(String),
    /// It should.
    Ready,
}

/// Serves until it is told to stop.
pub(crate) async fn serve(listener: Listener, operated: Arc<dyn Operated>, mut stop: Stop) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = stop.said() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                Ok(stream) => {
                    connections.spawn(one(stream, Admin(Arc::clone(&operated)), stop.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection for health or metrics was not accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    // They are told to stop, too.
    while connections.join_next().await.is_some() {}
}

async fn one(stream: Accepted, admin: Admin, stop: Stop) {
    let limits = Limits {
        patience: Patience { head: SECONDS(10), idle: SECONDS(75), stuck: SECONDS(10) },
        handshake: SECONDS(10),
        drain: SECONDS(1),
        head: 16 * 1024,
        buffer: 32 * 1024,
        streams: 1,
        half_close: true,
        plain_http2: false,
    };
    if let Err(error) = connection::serve(stream, None, admin, limits, stop).await {
        tracing::debug!(%error, "a connection for health or metrics failed");
    }
}

#[derive(Clone)]
struct Admin(Arc<dyn Operated>);

impl Service for Admin {
    type Body = Full<Bytes>;

    fn answer(
        &self,
        request: Request<Incoming>,
        pulse: &Arc<Pulse>,
    ) -> impl Future<Output = Response<Self::Body>> + Send + use<> {
        let (operated, under_way) = (Arc::clone(&self.0), pulse.begin());
        async move {
            let answer = answer(&*operated, &request).await;
            drop(under_way);
            answer
        }
    }
}

async fn answer<B>(operated: &dyn Operated, request: &Request<B>) -> Response<Full<Bytes>> {
    let get = request.method() == Method::GET;
    let plain = |status, text: &str| (status, PLAIN_TEXT, text.to_owned());
    let (status, content_type, text) = match request.uri().path() {
        "/healthz" | "/readyz" | "/metrics" if !get && request.method() != Method::HEAD => {
            plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are allowed here")
        }
        "/healthz" => plain(StatusCode::OK, "ok"),
        "/readyz" => match operated.readiness().await {
            Readiness::Ready => plain(StatusCode::OK, "ready"),
            Readiness::Degraded(why) => plain(StatusCode::OK, &format!("degraded: {why}")),
            Readiness::NotReady(why) => plain(StatusCode::SERVICE_UNAVAILABLE, &why),
        },
        "/metrics" => (StatusCode::OK, OPEN_METRICS, operated.metrics()),
        _ => plain(StatusCode::NOT_FOUND, "there is nothing here"),
    };
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(text.len()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    if request.method() != Method::HEAD {
        *response.body_mut() = Full::from(text);
    }
    response
}
