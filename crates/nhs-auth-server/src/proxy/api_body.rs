//! The body of an API's answer.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use super::connections::InUse;
use super::http1::ExchangeError;

/// Drives its connection while it is read, and leaves it to others when it has been read. One that
/// was not read to its end takes its connection with it, and so the API hears that nobody listens
/// any more.
pub(super) enum ApiBody {
    /// It comes over a connection of its own; `None` when that has been left.
    Own(Option<InUse>),
    /// It comes over a shared connection, which another task drives.
    Shared(Incoming),
}

/// Why there is no more of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiBodyError {
    #[error(transparent)]
    Http1(ExchangeError),
    #[error(transparent)]
    Http2(hyper::Error),
}

impl ApiBody {
    /// A body that comes over a connection of its own.
    pub(super) fn own(connection: InUse) -> Self {
        Self::Own(kept_if_over(connection))
    }
}

impl Body for ApiBody {
    type Data = Bytes;
    type Error = ApiBodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ApiBodyError>>> {
        match &mut *self {
            Self::Shared(incoming) => {
                Pin::new(incoming).poll_frame(cx).map_err(ApiBodyError::Http2)
            }
            Self::Own(in_use) => {
                let Some(mut connection) = in_use.take() else { return Poll::Ready(None) };
                let frame = connection.http1.poll_frame(cx).map_err(ApiBodyError::Http1);
                *in_use = kept_if_over(connection);
                frame
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(in_use) => in_use.is_none(),
            Self::Shared(incoming) => incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(Some(connection)) => connection.http1.size_hint(),
            Self::Own(None) => SizeHint::with_exact(0),
            Self::Shared(incoming) => incoming.size_hint(),
        }
    }
}

/// A connection is left to others as soon as all has come over it.
fn kept_if_over(connection: InUse) -> Option<InUse> {
    if connection.http1.is_over() {
        connection.keep();
        return None;
    }
    Some(connection)
}
