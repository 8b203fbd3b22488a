//! An answer's body on its way to the caller.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};

use super::api_body::{ApiBody, ApiBodyError};
use super::metrics::{Outcome, RouteCounts};
use super::peek::End;
use super::silence::Silence;
use super::trace::RequestTrace;
use crate::serving::UnderWay;

/// An answer of the proxy's own, or an API's.
pub(crate) enum AnswerBody {
    Own(Full<Bytes>),
    /// What was read of it already, and the rest.
    Theirs {
        read: Option<Bytes>,
        rest: Box<Theirs>,
    },
}

pub(crate) struct Theirs {
    /// What was read behind the bytes that were, and comes before the rest.
    end: End,
    incoming: ApiBody,
    silence: Silence,
    /// The request is under way until its answer has been passed on.
    _under_way: UnderWay,
    counts: Arc<RouteCounts>,
    trace: RequestTrace,
}

/// Why an answer ended before its end. The caller sees that the connection does.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AnswerBodyError {
    #[error("the API's answer was cut off: {0}")]
    CutOff(ApiBodyError),
    #[error("the API kept silent within its answer")]
    Silent,
}

impl AnswerBody {
    pub(super) fn own(text: impl Into<Bytes>) -> Self {
        Self::Own(Full::new(text.into()))
    }

    /// An API's answer, which may keep silent for so long. That it ends before its end is
    /// counted, and told.
    pub(super) fn theirs(
        (read, end, incoming): (Option<Bytes>, End, ApiBody),
        silence: Duration,
        under_way: UnderWay,
        (counts, trace): (Arc<RouteCounts>, RequestTrace),
    ) -> Self {
        let silence = Silence::new(silence);
        let rest = Theirs { end, incoming, silence, _under_way: under_way, counts, trace };
        Self::Theirs { read, rest: Box::new(rest) }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = AnswerBodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, AnswerBodyError>>> {
        match &mut *self {
            Self::Own(text) => {
                let Poll::Ready(frame) = Pin::new(text).poll_frame(cx) else {
                    return Poll::Pending;
                };
                Poll::Ready(frame.map(|frame| frame.map_err(|never| match never {})))
            }
            Self::Theirs { read, rest } => match read.take() {
                Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
                None => rest.poll_frame(cx),
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(text) => text.is_end_stream(),
            Self::Theirs { read, rest } => {
                read.is_none() && rest.end.is_none() && rest.incoming.is_end_stream()
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(text) => text.size_hint(),
            Self::Theirs { read, rest } => {
                let read = read.as_ref().map_or(0, Bytes::len) as u64;
                let mut hint = rest.incoming.size_hint();
                match hint.upper() {
                    // What has a length has no trailers, and no end but there.
                    Some(_) if rest.end.is_some() => hint = SizeHint::default(),
                    Some(upper) => hint.set_upper(upper + read),
                    None => {}
                }
                hint.set_lower(hint.lower() + read);
                hint
            }
        }
    }
}

impl Theirs {
    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, AnswerBodyError>>> {
        let next = match self.end.take() {
            Some(end) => Poll::Ready(Some(end)),
            None => Pin::new(&mut self.incoming).poll_frame(cx),
        };
        let frame = match next {
            Poll::Ready(frame) => {
                self.silence.is_broken();
                frame.map(|frame| frame.map_err(AnswerBodyError::CutOff))
            }
            Poll::Pending => {
                ready!(self.silence.poll(cx));
                Some(Err(AnswerBodyError::Silent))
            }
        };
        if let Some(Err(error)) = &frame {
            tracing::warn!(%error, "an answer was not passed on whole");
            self.counts.ended(Outcome::CutOff, None);
            self.trace.ended(Outcome::CutOff, None);
        }
        Poll::Ready(frame)
    }
}
