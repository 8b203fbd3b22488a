//! A request's body on its way to the API, kept while it is short, so that it can be sent again.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use super::expectation::GoAhead;
use super::outgoing;
use super::silence::Silence;

/// Up to how many bytes a body is kept.
pub(super) const MOST_KEPT: usize = 64 * 1024;

/// A body that can be sent more than once, as long as it is short: see [`SentBody::again`].
pub(super) struct SentBody {
    source: Option<Arc<Mutex<Source>>>,
    /// Which attempt it belongs to. Only the latest is given anything.
    attempt: u32,
    /// How much it has passed on: bytes, and whether the trailers.
    passed: usize,
    passed_trailers: bool,
    go_ahead: Option<GoAhead>,
}

/// Why a body ended before its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum SentBodyError {
    #[error("the caller's body was cut off: {0}")]
    CutOff(hyper::Error),
    #[error("the caller sent nothing for too long")]
    Silent,
    #[error("another attempt has begun")]
    Superseded,
}

struct Source {
    incoming: Incoming,
    attempt: u32,
    /// `None` when it became too much.
    kept: Option<Vec<u8>>,
    trailers: Option<HeaderMap>,
    ended: bool,
    silence: Silence,
    /// How many pieces have come, to see whether it goes on.
    pieces: u64,
    fault: Option<BodyFault>,
}

/// What the caller did wrong with its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyFault {
    CutOff,
    Silent,
}

impl SentBody {
    /// The body of a request, whose caller may keep silent for so long.
    pub(super) fn new(incoming: Incoming, silence: Duration) -> Self {
        let source = (!incoming.is_end_stream()).then(|| {
            Arc::new(Mutex::new(Source {
                incoming,
                attempt: 0,
                kept: Some(Vec::new()),
                trailers: None,
                ended: false,
                silence: Silence::new(silence),
                pieces: 0,
                fault: None,
            }))
        });
        Self::attempt(source, 0)
    }

    /// No body.
    pub(super) fn none() -> Self {
        Self::attempt(None, 0)
    }

    fn attempt(source: Option<Arc<Mutex<Source>>>, attempt: u32) -> Self {
        Self { source, attempt, passed: 0, passed_trailers: false, go_ahead: None }
    }

    /// The same, that nothing is taken of before the API wants it.
    pub(super) fn after(mut self, go_ahead: GoAhead) -> Self {
        self.go_ahead = Some(go_ahead);
        self
    }

    /// What can be asked of the body while it is sent.
    pub(super) fn watch(&self) -> BodyWatch {
        BodyWatch(self.source.clone())
    }
}

/// A look at a body that is on its way.
#[derive(Clone)]
pub(super) struct BodyWatch(Option<Arc<Mutex<Source>>>);

impl BodyWatch {
    /// The same body from its beginning, for another attempt; the one before gets no more of it.
    /// `None` when it was too long to be kept.
    pub(super) fn again(&self) -> Option<SentBody> {
        let Some(source) = &self.0 else { return Some(SentBody::none()) };
        let mut held = lock(source);
        held.kept.as_ref()?;
        held.attempt += 1;
        let attempt = held.attempt;
        drop(held);
        Some(SentBody::attempt(Some(Arc::clone(source)), attempt))
    }

    /// How many pieces have come so far.
    pub(super) fn pieces(&self) -> u64 {
        self.0.as_ref().map_or(0, |source| lock(source).pieces)
    }

    /// Whether more of it is waited for.
    pub(super) fn is_awaited(&self) -> bool {
        self.0.as_ref().is_some_and(|source| lock(source).silence.is_waiting())
    }

    /// What the caller did wrong, if it did.
    pub(super) fn fault(&self) -> Option<BodyFault> {
        lock(self.0.as_ref()?).fault
    }
}

impl Body for SentBody {
    type Data = Bytes;
    type Error = SentBodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, SentBodyError>>> {
        if let Some(go_ahead) = &mut self.go_ahead {
            ready!(Pin::new(go_ahead).poll(cx));
            self.go_ahead = None;
        }
        let Some(source) = self.source.clone() else { return Poll::Ready(None) };
        let mut source = lock(&source);
        if source.attempt != self.attempt {
            return Poll::Ready(Some(Err(SentBodyError::Superseded)));
        }
        let kept = source.not_passed(self.passed);
        let frame = if kept.is_empty() {
            match source.trailers.clone().filter(|_| !self.passed_trailers) {
                Some(trailers) => Some(Ok(Frame::trailers(trailers))),
                None => ready!(source.poll_next(cx)),
            }
        } else {
            Some(Ok(Frame::data(Bytes::copy_from_slice(kept))))
        };
        if let Some(Ok(frame)) = &frame {
            self.passed += frame.data_ref().map_or(0, Bytes::len);
            self.passed_trailers |= frame.is_trailers();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.source.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            None => SizeHint::with_exact(0),
            Some(source) => {
                let source = lock(source);
                let mut hint = source.incoming.size_hint();
                // What is kept is sent once more, before the rest.
                let kept = source.not_passed(self.passed).len() as u64;
                if let Some(upper) = hint.upper() {
                    hint.set_upper(upper + kept);
                }
                hint.set_lower(hint.lower() + kept);
                hint
            }
        }
    }
}

impl Source {
    /// The next piece from the caller.
    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, SentBodyError>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let Poll::Ready(next) = Pin::new(&mut self.incoming).poll_frame(cx) else {
            ready!(self.silence.poll(cx));
            self.fault = Some(BodyFault::Silent);
            return Poll::Ready(Some(Err(SentBodyError::Silent)));
        };
        self.silence.is_broken();
        match next {
            None => {
                self.ended = true;
                Poll::Ready(None)
            }
            Some(Err(error)) => {
                self.fault = Some(BodyFault::CutOff);
                Poll::Ready(Some(Err(SentBodyError::CutOff(error))))
            }
            Some(Ok(mut frame)) => {
                self.pieces += 1;
                if let Some(trailers) = frame.trailers_mut() {
                    outgoing::clean_trailers(trailers);
                }
                self.keep(&frame);
                Poll::Ready(Some(Ok(frame)))
            }
        }
    }

    /// What is kept behind so many bytes.
    fn not_passed(&self, passed: usize) -> &[u8] {
        self.kept.as_deref().and_then(|kept| kept.get(passed..)).unwrap_or_default()
    }

    fn keep(&mut self, frame: &Frame<Bytes>) {
        let Some(kept) = &mut self.kept else { return };
        if let Some(data) = frame.data_ref() {
            if kept.len() + data.len() <= MOST_KEPT {
                kept.extend_from_slice(data);
            } else {
                self.kept = None;
            }
        } else if let Some(trailers) = frame.trailers_ref() {
            self.trailers = Some(trailers.clone());
        }
    }
}

fn lock(source: &Mutex<Source>) -> MutexGuard<'_, Source> {
    source.lock().unwrap_or_else(PoisonError::into_inner)
}
