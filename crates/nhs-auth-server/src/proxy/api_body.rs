//! The body of an API's answer, with the connection that it comes over.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use super::connections::InUse;

/// Drives its connection while it is read, and leaves it to others when it has been read.
pub(super) struct ApiBody {
    incoming: Incoming,
    /// `None` when another task drives it, or it has been left.
    connection: Option<InUse>,
}

impl ApiBody {
    /// A body that comes over a connection of its own.
    pub(super) fn owned(incoming: Incoming, connection: InUse) -> Self {
        Self { incoming, connection: Some(connection) }
    }

    /// A body that comes over a shared connection.
    pub(super) fn shared(incoming: Incoming) -> Self {
        Self { incoming, connection: None }
    }
}

impl Body for ApiBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let mut frame = Pin::new(&mut self.incoming).poll_frame(cx);
        // It is told that more is wanted, and has it, or will wake this task.
        if frame.is_pending()
            && let Some(connection) = &mut self.connection
        {
            let has_ended = connection.drive(cx);
            frame = Pin::new(&mut self.incoming).poll_frame(cx);
            if has_ended {
                self.connection = None;
            }
        }
        if let Poll::Ready(None) = frame
            && let Some(connection) = self.connection.take()
        {
            connection.keep();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl Drop for ApiBody {
    fn drop(&mut self) {
        // Who knows a body's length doesn't ask whether there is more. One that was not read to its
        // end takes its connection with it, and so the API hears that nobody listens any more.
        if self.incoming.is_end_stream()
            && let Some(connection) = self.connection.take()
        {
            connection.keep();
        }
    }
}
