//! Cross-origin requests (the Fetch standard, §3.2), which browsers ask about first. That the
//! platform answers them is published; with which headers isn't, so these are the ones that its
//! gateway's maker proposes.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, HeaderName, HeaderValue, ORIGIN,
};
use http::{Method, StatusCode};

use crate::answer::Reply;
use crate::call::Call;

const HEADERS: [(HeaderName, HeaderValue); 3] = [
    (
        ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("origin, x-requested-with, accept, content-type"),
    ),
    (ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, PUT, POST, DELETE")),
    (ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3628800")),
];

/// The answer to a browser that asks first.
pub(super) fn preflight(call: &Call) -> Option<Reply> {
    let asks = call.method == Method::OPTIONS
        && call.headers.contains_key(ORIGIN)
        && call.headers.contains_key("access-control-request-method");
    asks.then(|| allowed(call, Reply::new(StatusCode::OK, "text/plain", "")))
}

/// The answer, for a page of that origin to read.
pub(super) fn allowed(call: &Call, mut reply: Reply) -> Reply {
    if let Some(origin) = call.headers.get(ORIGIN) {
        reply.headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        reply.headers.extend(HEADERS);
    }
    reply
}
