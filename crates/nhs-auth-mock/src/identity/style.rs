//! The sign-in pages' style sheet.

use http::header::{CACHE_CONTROL, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::{Method, StatusCode};

use crate::answer::Reply;
use crate::call::Call;

/// Where it is.
pub(super) const PATH: &str = "/_mock/sign-in/style.css";

/// The style sheet, if that is its path. Anybody may have it: nothing in it is anybody's.
pub(crate) fn answer(call: &Call) -> Option<Reply> {
    let is_read = call.method == Method::GET || call.method == Method::HEAD;
    if call.path() != PATH || !is_read {
        return None;
    }
    let reply = Reply::new(StatusCode::OK, "text/css; charset=utf-8", include_str!("style.css"))
        .with_header(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))
        .with_header(CACHE_CONTROL, HeaderValue::from_static("max-age=300"));
    Some(reply)
}
