//! A request on its way out.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use http::HeaderValue;
use http::request::Parts;
use hyper::body::{Body as _, Frame};
use tokio::io::AsyncWrite as _;

use super::error::ExchangeError;
use super::request::{self, Framing};
use crate::proxy::connector::ApiStream;
use crate::proxy::sent_body::SentBody;

/// Up to how many bytes pieces are gathered, so that a head and a short body are one write.
const GATHERED: usize = 16 * 1024;

/// Up to how many bytes a piece is copied to others rather than written on its own.
const COPIED: usize = 8 * 1024;

/// What of a request is not written yet.
pub(super) struct Sending {
    unwritten: BytesMut,
    /// A long piece of the body, which comes behind that.
    piece: Bytes,
    /// `None` when all of it is gathered.
    body: Option<SentBody>,
    framing: Framing,
    has_written: bool,
    is_flushed: bool,
}

impl Sending {
    /// Nothing.
    pub(super) fn nothing() -> Self {
        Self {
            unwritten: BytesMut::new(),
            piece: Bytes::new(),
            body: None,
            framing: Framing::None,
            has_written: false,
            is_flushed: true,
        }
    }

    /// Another request, in the memory of the last.
    pub(super) fn begin(&mut self, head: &Parts, host: &HeaderValue, body: SentBody) {
        self.framing = match (body.is_end_stream(), body.size_hint().exact()) {
            (true, _) => Framing::None,
            (false, Some(length)) => Framing::Length(length),
            (false, None) => Framing::Chunked,
        };
        request::write(head, host, self.framing, &mut self.unwritten);
        self.body = (self.framing != Framing::None).then_some(body);
        self.has_written = false;
    }

    /// Keeps at most so much memory for the next.
    pub(super) fn rest(&mut self, most: usize) {
        if self.unwritten.capacity() > most {
            self.unwritten = BytesMut::new();
        }
    }

    /// Whether all is sent.
    pub(super) fn is_over(&self) -> bool {
        self.body.is_none() && self.is_written() && self.is_flushed
    }

    fn is_written(&self) -> bool {
        self.unwritten.is_empty() && self.piece.is_empty()
    }

    /// Sends what can be sent now. After an error there is no use in going on.
    pub(super) fn go_on(
        &mut self,
        stream: &mut ApiStream,
        cx: &mut Context<'_>,
    ) -> Result<(), ExchangeError> {
        loop {
            let gathered = self.gather(cx)?;
            let written = self.write(stream, cx).map_err(|error| {
                let failed =
                    if self.has_written { ExchangeError::Io } else { ExchangeError::Unsent };
                failed(error)
            })?;
            if written.is_pending() || gathered.is_pending() || self.body.is_none() {
                break;
            }
        }
        if !self.is_flushed
            && let Poll::Ready(flushed) = Pin::new(stream).poll_flush(cx)
        {
            flushed?;
            self.is_flushed = true;
        }
        Ok(())
    }

    /// Takes of the body what is there. Ready when that is enough for a while.
    fn gather(&mut self, cx: &mut Context<'_>) -> Result<Poll<()>, ExchangeError> {
        while self.unwritten.len() < GATHERED && self.piece.is_empty() {
            let Some(body) = &mut self.body else { break };
            let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) else {
                return Ok(Poll::Pending);
            };
            match frame.transpose()?.map(Frame::into_data) {
                Some(Ok(data)) => self.data(data)?,
                Some(Err(frame)) => self.last(frame.into_trailers().ok().as_ref())?,
                None => self.last(None)?,
            }
        }
        Ok(Poll::Ready(()))
    }

    fn data(&mut self, data: Bytes) -> Result<(), ExchangeError> {
        if data.is_empty() {
            return Ok(()); // a chunk of no bytes would be the last
        }
        match &mut self.framing {
            Framing::Length(left) => {
                *left = left.checked_sub(data.len() as u64).ok_or(ExchangeError::Length)?;
            }
            _ => self.unwritten.put_slice(format!("{:x}\r\n", data.len()).as_bytes()),
        }
        if data.len() > COPIED {
            self.piece = data;
            return Ok(());
        }
        self.unwritten.put_slice(&data);
        if self.framing == Framing::Chunked {
            self.unwritten.put_slice(b"\r\n");
        }
        Ok(())
    }

    fn last(&mut self, trailers: Option<&http::HeaderMap>) -> Result<(), ExchangeError> {
        self.body = None;
        match self.framing {
            Framing::Length(0) | Framing::None => return Ok(()),
            Framing::Length(_) => return Err(ExchangeError::Length),
            Framing::Chunked => {}
        }
        self.unwritten.put_slice(b"0\r\n");
        for (name, value) in trailers.into_iter().flatten() {
            request::line(name.as_str(), value.as_bytes(), &mut self.unwritten);
        }
        self.unwritten.put_slice(b"\r\n");
        Ok(())
    }

    /// Ready when all that is gathered is written.
    fn write(&mut self, stream: &mut ApiStream, cx: &mut Context<'_>) -> io::Result<Poll<()>> {
        while !self.is_written() {
            let from = if self.unwritten.is_empty() { &self.piece[..] } else { &self.unwritten };
            let Poll::Ready(count) = Pin::new(&mut *stream).poll_write(cx, from)? else {
                return Ok(Poll::Pending);
            };
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            (self.has_written, self.is_flushed) = (true, false);
            if !self.unwritten.is_empty() {
                self.unwritten.advance(count);
                continue;
            }
            self.piece.advance(count);
            if self.piece.is_empty() && self.framing == Framing::Chunked {
                self.unwritten.put_slice(b"\r\n");
            }
        }
        Ok(Poll::Ready(()))
    }
}
