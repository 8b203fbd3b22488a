//! An answer that is there at once, or comes from the service inside.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Response;
use pin_project_lite::pin_project;

use super::JwksBody;

pin_project! {
    /// The answer of a [`JwksService`](super::JwksService).
    #[derive(Debug)]
    pub struct JwksFuture<F> {
        #[pin]
        kind: Kind<F>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = Projected]
    enum Kind<F> {
        Ready { response: Option<Response<Bytes>> },
        Inner { #[pin] future: F },
    }
}

impl<F> JwksFuture<F> {
    pub(super) fn ready(response: Response<Bytes>) -> Self {
        Self { kind: Kind::Ready { response: Some(response) } }
    }

    pub(super) fn inner(future: F) -> Self {
        Self { kind: Kind::Inner { future } }
    }
}

impl<F, B, E> Future for JwksFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<JwksBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = match self.project().kind.project() {
            Projected::Ready { response } => {
                let response = response.take().expect("a future is not polled once it is done");
                response.map(JwksBody::whole)
            }
            Projected::Inner { future } => ready!(future.poll(cx))?.map(JwksBody::inner),
        };
        Poll::Ready(Ok(response))
    }
}
