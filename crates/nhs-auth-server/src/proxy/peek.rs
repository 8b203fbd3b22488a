//! The beginning of an answer's body, read to see what it says, and passed on with the rest.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::Response;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Frame};
use tokio::time::timeout;

use super::api_body::{ApiBody, ApiBodyError};

/// How much is read, in bytes, and for how long.
const MOST: usize = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(5);

/// A body, and what was read of it.
pub(super) struct Peeked {
    read: Bytes,
    end: End,
    rest: ApiBody,
}

/// What came behind the bytes that were read: trailers, or why there are no more.
pub(super) type End = Option<Result<Frame<Bytes>, ApiBodyError>>;

impl Peeked {
    /// A body that nothing was read of.
    pub(super) fn unread(body: ApiBody) -> Self {
        Self { read: Bytes::new(), end: None, rest: body }
    }

    pub(super) fn read(&self) -> &[u8] {
        &self.read
    }

    /// What was read, if anything was, and the rest.
    pub(super) fn into_parts(self) -> (Option<Bytes>, End, ApiBody) {
        (Some(self.read).filter(|read| !read.is_empty()), self.end, self.rest)
    }
}

/// Reads the beginning of a body. What goes wrong is kept for whoever reads on.
pub(super) async fn beginning_of(answer: Response<ApiBody>) -> Response<Peeked> {
    let (parts, mut rest) = answer.into_parts();
    let (mut read, mut end) = (BytesMut::new(), None);
    let reading = async {
        while read.len() < MOST && !rest.is_end_stream() {
            let frame = match rest.frame().await {
                Some(Ok(frame)) => frame,
                other => {
                    end = other;
                    return;
                }
            };
            match frame.into_data() {
                Ok(data) => read.extend_from_slice(&data),
                Err(trailers) => {
                    end = Some(Ok(trailers));
                    return;
                }
            }
        }
    };
    // What came in time is judged.
    let _: Result<_, _> = timeout(PATIENCE, reading).await;
    Response::from_parts(parts, Peeked { read: read.freeze(), end, rest })
}
