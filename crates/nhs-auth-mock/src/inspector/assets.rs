//! The files that the pages load.

use http::StatusCode;

use crate::answer::Reply;

/// The file of that name, if there is one.
pub(super) fn answer(name: &str) -> Option<Reply> {
    let (content_type, content) = match name {
        "style.css" => ("text/css; charset=utf-8", include_str!("style.css")),
        "live.js" => ("text/javascript; charset=utf-8", include_str!("live.js")),
        "icon.svg" => ("image/svg+xml", include_str!("icon.svg")),
        _ => return None,
    };
    Some(Reply::new(StatusCode::OK, content_type, content))
}
