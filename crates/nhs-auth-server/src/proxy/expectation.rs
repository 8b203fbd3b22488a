//! `Expect: 100-continue` (RFC 9110 §10.1.1), passed on from end to end: the caller is told to go
//! ahead when the API says so.

use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::EXPECT;
use http::{HeaderMap, Request, StatusCode};
use tokio::sync::oneshot;
use tokio::time::{Sleep, sleep};

/// How long an API that knows nothing of the expectation is waited for. So long curl waits, too.
const PATIENCE: Duration = Duration::from_secs(1);

/// Ready when the body is wanted, or no word came in time.
pub(super) struct GoAhead {
    /// `None` once it is certain that no word comes.
    said: Option<oneshot::Receiver<()>>,
    patience: Pin<Box<Sleep>>,
}

/// The API's word. Dropped, it says that none will come.
pub(super) struct Word(oneshot::Sender<()>);

/// A word, and who waits for it.
pub(super) fn word() -> (Word, GoAhead) {
    let (say, said) = oneshot::channel();
    (Word(say), GoAhead { said: Some(said), patience: Box::pin(sleep(PATIENCE)) })
}

impl Word {
    pub(super) fn go_ahead(self) {
        // Who doesn't listen any more has got an answer.
        let _: Result<_, _> = self.0.send(());
    }

    /// Says it when the API answers so to a request over HTTP/2.
    pub(super) fn of<B>(self, request: &mut Request<B>) {
        let word = Mutex::new(Some(self));
        hyper::ext::on_informational(request, move |answer| {
            if answer.status() == StatusCode::CONTINUE
                && let Some(word) = word.lock().ok().and_then(|mut word| word.take())
            {
                word.go_ahead();
            }
        });
    }
}

impl Future for GoAhead {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // An error says that there is an answer, and nobody wants the body; or that the connection
        // is gone, with which the body goes.
        if let Some(said) = &mut self.said
            && let Poll::Ready(word) = Pin::new(said).poll(cx)
        {
            self.said = None;
            if word.is_ok() {
                return Poll::Ready(());
            }
        }
        self.patience.as_mut().poll(cx)
    }
}

/// Whether a caller waits to be told to go ahead.
pub(super) fn is_in(headers: &HeaderMap) -> bool {
    let value = headers.get(EXPECT).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.trim().eq_ignore_ascii_case("100-continue"))
}
