//! The beginning of an answer's body, read to see what it says, and passed on with the rest.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::Response;
use http_body_util::BodyExt as _;
use hyper::body::Body as _;
use tokio::time::timeout;

use super::api_body::ApiBody;

/// How much is read, in bytes, and for how long.
const MOST: usize = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(5);

/// A body, and what was read of it.
pub(super) struct Peeked {
    read: Bytes,
    rest: ApiBody,
}

impl Peeked {
    /// A body that nothing was read of.
    pub(super) fn unread(body: ApiBody) -> Self {
        Self { read: Bytes::new(), rest: body }
    }

    pub(super) fn read(&self) -> &[u8] {
        &self.read
    }

    /// What was read, if anything was, and the rest.
    pub(super) fn into_parts(self) -> (Option<Bytes>, ApiBody) {
        (Some(self.read).filter(|read| !read.is_empty()), self.rest)
    }
}

/// Reads the beginning of a body. What goes wrong shows to whoever reads on.
pub(super) async fn beginning_of(answer: Response<ApiBody>) -> Response<Peeked> {
    let (parts, mut rest) = answer.into_parts();
    let mut read = BytesMut::new();
    let reading = async {
        while read.len() < MOST && !rest.is_end_stream() {
            match rest.frame().await {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => read.extend_from_slice(&data),
                    Err(_) => return, // trailers, and so the end
                },
                _ => return,
            }
        }
    };
    // What came in time is judged.
    let _: Result<_, _> = timeout(PATIENCE, reading).await;
    Response::from_parts(parts, Peeked { read: read.freeze(), rest })
}
