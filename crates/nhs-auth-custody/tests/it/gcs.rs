//! A small stand-in for the XML API of Google Cloud Storage, as its documentation has it: objects
//! of one bucket, their generations, and `x-goog-if-generation-match`.
//!
//! No stand-in of other people's that could be had looks at that header, so what is proven here is
//! that we ask as the documentation wants it, and not how Google answers.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use percent_encoding::percent_decode_str;

pub(crate) const BUCKET: &str = "nhs-keys";

#[derive(Clone, Default)]
struct Objects(Arc<Mutex<HashMap<String, Object>>>);

#[derive(Clone)]
struct Object {
    generation: u64,
    headers: HeaderMap,
    body: Bytes,
}

/// Starts one that goes with the test, and gives its port.
pub(crate) async fn start() -> u16 {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let router = Router::new().fallback(answer).with_state(Objects::default());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    port
}

async fn answer(
    State(objects): State<Objects>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = percent_decode_str(uri.path()).decode_utf8().unwrap().into_owned();
    if !path.starts_with(&format!("/{BUCKET}/")) {
        return error(StatusCode::NOT_FOUND, "NoSuchBucket");
    }
    let mut objects = objects.0.lock().unwrap();
    match method {
        Method::GET => match objects.get(&path) {
            Some(object) => object.answer(object.body.clone()),
            None => error(StatusCode::NOT_FOUND, "NoSuchKey"),
        },
        Method::PUT => {
            let generation = objects.get(&path).map_or(0, |object| object.generation);
            let wanted = headers.get("x-goog-if-generation-match");
            if wanted.is_some_and(|wanted| wanted != &generation.to_string()) {
                return error(StatusCode::PRECONDITION_FAILED, "PreconditionFailed");
            }
            let object = Object { generation: generation + 1, headers, body };
            let answer = object.answer(Bytes::new());
            objects.insert(path, object);
            answer
        }
        _ => error(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
    }
}

impl Object {
    fn answer(&self, body: Bytes) -> Response {
        let generation = self.generation.to_string();
        let mut headers = HeaderMap::new();
        for name in ["content-type", "cache-control"] {
            if let Some(value) = self.headers.get(name) {
                headers.insert(name, value.clone());
            }
        }
        headers.insert("etag", format!("\"{generation}\"").parse().unwrap());
        headers.insert("x-goog-generation", generation.parse().unwrap());
        let date = httpdate::fmt_http_date(SystemTime::now());
        headers.insert("last-modified", date.parse().unwrap());
        (headers, body).into_response()
    }
}

fn error(status: StatusCode, code: &str) -> Response {
    (status, format!("<?xml version='1.0'?><Error><Code>{code}</Code></Error>")).into_response()
}
