//! The body of an answer.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::mpsc;

/// What follows the head of an answer.
#[derive(Debug)]
pub(crate) enum Body {
    /// The bytes, all of them.
    Whole(Bytes),
    /// The bytes, and then the connection ends, whatever `Content-Length` said.
    CutOff(Bytes),
    /// Nothing more of a body that is cut off; the flag says whether it was sent.
    Ending {
        /// Whether the connection has had its chance to send what came before.
        flushed: bool,
    },
    /// Whatever is sent, until the sender is gone.
    Stream(mpsc::Receiver<Bytes>),
}

impl Body {
    /// The bytes, as far as they are known beforehand.
    pub(crate) fn bytes(&self) -> Bytes {
        match self {
            Self::Whole(bytes) | Self::CutOff(bytes) => bytes.clone(),
            Self::Ending { .. } | Self::Stream(_) => Bytes::new(),
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::Whole(bytes)
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::Whole(text.into())
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Whole(bytes.into())
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::Whole(Bytes::from_static(text.as_bytes()))
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match &mut *self {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::CutOff(bytes) => {
                let bytes = std::mem::take(bytes);
                *self = Self::Ending { flushed: false };
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            // Waiting once lets the connection send what it has before it learns of the end.
            Self::Ending { flushed } if !*flushed => {
                *flushed = true;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Self::Ending { .. } => Poll::Ready(Some(Err(io::Error::other("cut off on purpose")))),
            Self::Stream(sent) => {
                sent.poll_recv(context).map(|bytes| Some(Ok(Frame::data(bytes?))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::CutOff(_) | Self::Ending { .. } | Self::Stream(_) => SizeHint::default(),
        }
    }
}
