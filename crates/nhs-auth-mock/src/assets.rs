//! The files that pages bring with them.

use http::header::{CACHE_CONTROL, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::{Method, StatusCode};

use crate::answer::Reply;
use crate::call::Call;

/// The sign-in pages' style sheet.
pub(crate) const SIGN_IN_STYLE: &str = "/_mock/assets/sign-in.css";

/// The file at that path. Anybody may have it: nothing in it is anybody's.
pub(crate) fn answer(call: &Call) -> Option<Reply> {
    if call.method != Method::GET && call.method != Method::HEAD {
        return None;
    }
    let text = match call.path() {
        SIGN_IN_STYLE => include_str!("assets/sign-in.css"),
        _ => return None,
    };
    let reply = Reply::new(StatusCode::OK, "text/css; charset=utf-8", text)
        .with_header(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))
        .with_header(CACHE_CONTROL, HeaderValue::from_static("max-age=300"));
    Some(reply)
}
