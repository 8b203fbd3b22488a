//! What the public listener answers.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONNECTION, HOST};
use http::{HeaderValue, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;

use crate::jwks::endpoint::{JwksEndpoint, Outcome, plain};
use crate::jwks::path::JwksPath;
use crate::serving::{Pulse, Service};

/// The most headers that a request may have.
const MOST_HEADERS: usize = 64;

/// The longest body of an HTTP/2 request that is passed over, in bytes. Nobody needs one.
const LONGEST_BODY: usize = 64 * 1024;

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

    fn respond<B>(&self, request: &Request<B>) -> Response<Bytes> {
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

impl Service for Public {
    type Body = Full<Bytes>;

    fn answer(
        &self,
        request: Request<Incoming>,
        pulse: &Arc<Pulse>,
    ) -> impl Future<Output = Response<Self::Body>> + Send + use<> {
        pulse.answered();
        let response = self.respond(&request).map(Full::new);
        let body = (request.version() == Version::HTTP_2).then(|| request.into_body());
        async {
            // Some clients take an answer that comes before the end of their body for an error.
            if let Some(body) = body {
                pass_over(body).await;
            }
            response
        }
    }
}

/// Reads a request's body, if it is short.
async fn pass_over(mut body: Incoming) {
    let mut left = LONGEST_BODY;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

/// RFC 9112, section 3.2: HTTP/1.1 has just one. Others may have none.
fn has_one_host<B>(request: &Request<B>) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    let first = hosts.next();
    hosts.next().is_none() && (first.is_some() || request.version() != Version::HTTP_11)
}
