//! Answers, made once and given often.

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use nhs_auth::KEY_SET_MAX_AGE_S;

use super::{EntityTag, Outcome};

/// How soon it is worth asking again for a key set that is not there, in seconds.
const RETRY_AFTER_S: HeaderValue = HeaderValue::from_static("5");

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const PLAIN_TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// The answer to GET, and what follows from it for other requests.
#[derive(Clone)]
pub(super) struct Prepared {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    validator: Option<Validator>,
}

/// What lets a client ask whether its copy is still good.
#[derive(Clone)]
struct Validator {
    tag: EntityTag,
    /// The headers of 304.
    headers: HeaderMap,
}

impl Prepared {
    pub(super) fn key_set(document: String, tag: &EntityTag) -> Self {
        let etag = HeaderValue::from_str(tag.as_str()).expect("base64url can stand in a header");
        let max_age = HeaderValue::from_str(&format!("public, max-age={KEY_SET_MAX_AGE_S}"))
            .expect("a number can stand in a header");
        let body = Bytes::from(document);

        let mut not_modified = HeaderMap::new();
        not_modified.insert(ETAG, etag);
        not_modified.insert(CACHE_CONTROL, max_age);

        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        headers.extend(not_modified.clone());
        headers.insert(X_CONTENT_TYPE_OPTIONS, NO_SNIFF);

        let validator = Some(Validator { tag: tag.clone(), headers: not_modified });
        Self { status: StatusCode::OK, headers, body, validator }
    }

    pub(super) fn unavailable(text: &'static str) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let (mut parts, body) = plain(&Method::GET, status, text).into_parts();
        parts.headers.insert(RETRY_AFTER, RETRY_AFTER_S);
        Self { status, headers: parts.headers, body, validator: None }
    }

    pub(super) fn respond(
        &self,
        method: &Method,
        headers: &HeaderMap,
    ) -> (Outcome, Response<Bytes>) {
        let is_head = method == Method::HEAD;
        if !is_head && method != Method::GET {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            let mut response = plain(method, status, "only GET and HEAD are allowed here");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return (Outcome::MethodNotAllowed, response);
        }
        match &self.validator {
            Some(validator) if validator.tag.is_known_to(headers) => {
                let headers = validator.headers.clone();
                (Outcome::NotModified, response(StatusCode::NOT_MODIFIED, headers, Bytes::new()))
            }
            validator => {
                let served = validator.is_some();
                let outcome = if served { Outcome::Served } else { Outcome::Unavailable };
                let body = if is_head { Bytes::new() } else { self.body.clone() };
                (outcome, response(self.status, self.headers.clone(), body))
            }
        }
    }
}

/// An answer in a line of text, which nobody may keep.
pub(crate) fn plain(method: &Method, status: StatusCode, text: &'static str) -> Response<Bytes> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, PLAIN_TEXT);
    headers.insert(CONTENT_LENGTH, HeaderValue::from(text.len()));
    headers.insert(CACHE_CONTROL, NO_STORE);
    headers.insert(X_CONTENT_TYPE_OPTIONS, NO_SNIFF);
    let text = if method == Method::HEAD { "" } else { text };
    response(status, headers, Bytes::from_static(text.as_bytes()))
}

fn response(status: StatusCode, headers: HeaderMap, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
