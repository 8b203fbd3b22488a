//! The listener for those who run the server.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::accept::PAUSE;
use super::connection::{self, Limits};
use super::{Metrics, Stop};

/// The most connections at once.
const CONNECTIONS: usize = 64;

const PLAIN_TEXT: &str = "text/plain; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Serves until it is told to stop.
pub(super) async fn serve(listener: TcpListener, metrics: Metrics, mut stop: Stop) {
    let metrics = Arc::new(metrics);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = stop.said() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(one(stream, Arc::clone(&metrics), stop.clone()));
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

async fn one(stream: TcpStream, metrics: Arc<Metrics>, stop: Stop) {
    let answer = |request: &Request<_>| answer(&metrics, request);
    let patience = Limits::default().patience;
    if let Err(error) = connection::http1(stream, answer, patience, stop).await {
        tracing::debug!(%error, "a connection for health or metrics failed");
    }
}

fn answer<B>(metrics: &Metrics, request: &Request<B>) -> Response<Bytes> {
    let get = request.method() == Method::GET;
    let (status, content_type, text) = match request.uri().path() {
        "/healthz" | "/readyz" | "/metrics" if !get && request.method() != Method::HEAD => {
            let text = "only GET and HEAD are allowed here".to_owned();
            (StatusCode::METHOD_NOT_ALLOWED, PLAIN_TEXT, text)
        }
        "/healthz" => (StatusCode::OK, PLAIN_TEXT, "ok".to_owned()),
        "/readyz" => match metrics.not_ready() {
            None => (StatusCode::OK, PLAIN_TEXT, "ready".to_owned()),
            Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, PLAIN_TEXT, reason),
        },
        "/metrics" => (StatusCode::OK, OPEN_METRICS, metrics.text()),
        _ => (StatusCode::NOT_FOUND, PLAIN_TEXT, "there is nothing here".to_owned()),
    };
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(text.len()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    if request.method() != Method::HEAD {
        *response.body_mut() = Bytes::from(text);
    }
    response
}
