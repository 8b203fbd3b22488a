//! A collector of OpenTelemetry's of a test's own, which keeps what it is sent.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::http::HeaderMap;
use serde_json::Value;

use crate::running_proxy::pause;
use crate::scene::Scene;

/// The running collector. It ends with the scene's runtime.
pub(crate) struct Collector {
    pub(crate) url: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    hangs: bool,
    has_given_up: AtomicBool,
    batches: Mutex<Vec<Batch>>,
}

/// What came at once.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Collector {
    pub(crate) fn start(scene: &Scene) -> Self {
        Self::with(scene, State::default())
    }

    /// One that takes what comes, and doesn't answer for two minutes.
    pub(crate) fn that_hangs(scene: &Scene) -> Self {
        Self::with(scene, State { hangs: true, ..State::default() })
    }

    fn with(scene: &Scene, state: State) -> Self {
        let state = Arc::new(state);
        let shared = Arc::clone(&state);
        let router = Router::new().fallback(move |request| {
            let state = Arc::clone(&shared);
            async move { take(request, &state).await }
        });
        let url = scene.runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            tokio::spawn(async move { axum::serve(listener, router).await });
            url
        });
        Self { url, state }
    }

    /// All that came, in order.
    pub(crate) fn batches(&self) -> Vec<Batch> {
        self.state.batches.lock().unwrap().clone()
    }

    /// Waits until something came.
    pub(crate) fn is_sent_something(&self) {
        for _ in 0..400 {
            if !self.batches().is_empty() {
                return;
            }
            pause(25);
        }
        panic!("nothing was sent to the collector");
    }

    /// Whether one that hangs has answered after all.
    pub(crate) fn has_given_up(&self) -> bool {
        self.state.has_given_up.load(Ordering::Relaxed)
    }

    /// The spans that came as JSON, each with its resource's attributes under `resource`.
    pub(crate) fn spans(&self) -> Vec<Value> {
        let mut spans = Vec::new();
        for batch in self.batches() {
            let body: Value = serde_json::from_slice(&batch.body).unwrap();
            for of_resource in body["resourceSpans"].as_array().unwrap() {
                let scopes = of_resource["scopeSpans"].as_array().unwrap();
                for span in scopes.iter().flat_map(|scope| scope["spans"].as_array().unwrap()) {
                    let mut span = span.clone();
                    span["resource"] = of_resource["resource"]["attributes"].clone();
                    spans.push(span);
                }
            }
        }
        spans
    }
}

async fn take(request: Request, state: &State) {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else { return };
    let batch = Batch { path: parts.uri.path().to_owned(), headers: parts.headers, body };
    state.batches.lock().unwrap().push(batch);
    if state.hangs {
        tokio::time::sleep(Duration::from_mins(2)).await;
        state.has_given_up.store(true, Ordering::Relaxed);
    }
}

/// The value of an attribute, as a text.
pub(crate) fn attribute(attributes: &Value, key: &str) -> Option<String> {
    let found = attributes.as_array().unwrap().iter().find(|it| it["key"] == key)?;
    let value = found["value"].as_object().unwrap().values().next().unwrap();
    Some(value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned))
}
