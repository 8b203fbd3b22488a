//! What the public listener answers.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONNECTION, HOST};
use http::{HeaderValue, Request, Response, StatusCode, Version};

use crate::endpoint::{JwksEndpoint, Outcome, plain};
use crate::path::JwksPath;

/// The most headers that a request may have.
const MOST_HEADERS: usize = 64;

/// The key set at its path, and nothing anywhere else.
#[derive(Clone)]
pub(super) struct Public {
    endpoint: JwksEndpoint,
    path: Arc<JwksPath>,
}

impl Public {
    pub(super) fn new(endpoint: JwksEndpoint, path: JwksPath) -> Self {
        Self { endpoint, path: Arc::new(path) }
    }

    pub(super) fn answer<B>(&self, request: &Request<B>) -> Response<Bytes> {
        let (method, headers) = (request.method(), request.headers());
        let refuse = |outcome, status, text| {
            self.endpoint.counts().count(outcome);
            tracing::debug!(%method, %status, "a request was refused");
            plain(method, status, text)
        };
        if !has_one_host(request) {
            let text = "a request needs one Host header";
            let mut response = refuse(Outcome::Malformed, StatusCode::BAD_REQUEST, text);
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            response
        } else if headers.len() > MOST_HEADERS {
            let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            refuse(Outcome::TooManyHeaders, status, "there are too many headers")
        } else if request.uri().path() != self.path.as_str() {
            refuse(Outcome::NotFound, StatusCode::NOT_FOUND, "there is nothing here")
        } else {
            self.endpoint.respond(method, headers)
        }
    }
}

/// RFC 9112, section 3.2: HTTP/1.1 has just one. Others may have none.
fn has_one_host<B>(request: &Request<B>) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    let first = hosts.next();
    hosts.next().is_none() && (first.is_some() || request.version() != Version::HTTP_11)
}
