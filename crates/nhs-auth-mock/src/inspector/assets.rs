//! The files that the pages load.

use http::StatusCode;

use crate::answer::Reply;

/// One sheet, in the order in which its parts build on each other.
const STYLE: &str = concat!(
    include_str!("style/base.css"),
    include_str!("style/page.css"),
    include_str!("style/controls.css"),
    include_str!("style/list.css"),
    include_str!("style/request.css"),
);

/// The file of that name, if there is one.
pub(super) fn answer(name: &str) -> Option<Reply> {
    let (content_type, content) = match name {
        "style.css" => ("text/css; charset=utf-8", STYLE),
        "live.js" => ("text/javascript; charset=utf-8", include_str!("live.js")),
        "icon.svg" => ("image/svg+xml", include_str!("icon.svg")),
        _ => return None,
    };
    Some(Reply::new(StatusCode::OK, content_type, content))
}
