//! A stream whose pulse is taken.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::pulse::Pulse;

/// Notes in `pulse` when something is read or can't be written. It is not vectored, so that hyper
/// puts an answer's head and its short body into one piece: one write, and with TLS one record.
pub(super) struct Watched<'c, S> {
    stream: &'c mut S,
    pulse: &'c Pulse,
    /// What was read already, to see what is spoken.
    first: &'c [u8],
    /// Whether what is read is a sign of life.
    hears: bool,
}

impl<'c, S> Watched<'c, S> {
    pub(super) fn new(stream: &'c mut S, pulse: &'c Pulse, first: &'c [u8]) -> Self {
        Self { stream, pulse, first, hears: true }
    }

    /// The same, but that only writing counts: of HTTP/2 anything may come at any time.
    pub(super) fn deaf(stream: &'c mut S, pulse: &'c Pulse, first: &'c [u8]) -> Self {
        Self { hears: false, ..Self::new(stream, pulse, first) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<'_, S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.first.is_empty() {
            let (now, later) = self.first.split_at(self.first.len().min(buffer.remaining()));
            buffer.put_slice(now);
            self.first = later;
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut *self.stream).poll_read(cx, buffer))?;
        if self.hears && buffer.filled().len() > before {
            self.pulse.heard();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<'_, S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut *self.stream).poll_write(cx, bytes);
        self.pulse.took(written.is_ready());
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut *self.stream).poll_flush(cx);
        self.pulse.took(flushed.is_ready());
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_shutdown(cx)
    }
}
