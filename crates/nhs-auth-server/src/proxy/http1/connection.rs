//! One connection, and the exchange that is on it.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead as _, AsyncReadExt as _, ReadBuf};

use super::answer::{self, Answer, Framing};
use super::chunks::{Chunks, Piece};
use super::error::ExchangeError;
use super::sending::Sending;
use crate::proxy::connector::ApiStream;
use crate::proxy::expectation::Word;
use crate::proxy::sent_body::SentBody;

/// How much is read at once, in bytes: of what is short, and of what goes on and on.
const SHORT: usize = 8 * 1024;
const LONG: usize = 64 * 1024;

/// Up to how many bytes a piece is copied, so that the memory it was read into is of use again.
const COPIED: usize = 4 * 1024;

/// A connection to an API.
pub(in crate::proxy) struct Connection {
    stream: ApiStream,
    /// What was read and is of no use yet.
    read: BytesMut,
    /// How much is read next.
    read_next: usize,
    sending: Sending,
    /// Why no more is sent.
    unsent: Option<ExchangeError>,
    /// Whom to tell that the body is wanted.
    word: Option<Word>,
    awaited: Awaited,
    /// Whether it can be used again after this exchange.
    persists: bool,
}

/// What is to come from the API.
enum Awaited {
    Nothing,
    /// The head of the answer to a request of this method.
    Head(Method),
    Body(Left),
}

/// How much of a body is to come.
enum Left {
    Length(u64),
    Chunks(Chunks),
    /// All until the connection is closed.
    Closing,
}

impl Connection {
    pub(in crate::proxy) fn new(stream: ApiStream) -> Self {
        Self {
            stream,
            read: BytesMut::new(),
            read_next: SHORT,
            sending: Sending::nothing(),
            unsent: None,
            word: None,
            awaited: Awaited::Nothing,
            persists: true,
        }
    }

    /// Begins an exchange. Nothing is sent before its answer is asked for.
    pub(in crate::proxy) fn begin(
        &mut self,
        head: &Parts,
        host: &HeaderValue,
        body: SentBody,
        word: Option<Word>,
    ) {
        self.sending.begin(head, host, body);
        self.word = word;
        self.awaited = Awaited::Head(head.method.clone());
    }

    /// Whether another exchange can begin: the last is over, and the API has neither said more nor
    /// closed the connection.
    pub(in crate::proxy) fn is_ready(&mut self) -> bool {
        let is_over = self.is_over() && self.sending.is_over() && self.unsent.is_none();
        if !is_over || !self.persists || !self.read.is_empty() {
            return false;
        }
        let mut byte = [0];
        let mut nobody = Context::from_waker(Waker::noop());
        Pin::new(&mut self.stream).poll_read(&mut nobody, &mut ReadBuf::new(&mut byte)).is_pending()
    }

    /// Gives back what a long body took: nobody knows when the next will come.
    pub(in crate::proxy) fn rest(&mut self) {
        self.read_next = SHORT;
        if self.read.capacity() > SHORT {
            self.read = BytesMut::new();
        }
        self.sending.rest(SHORT);
    }

    /// Whether the answer has come to its end.
    pub(in crate::proxy) fn is_over(&self) -> bool {
        matches!(self.awaited, Awaited::Nothing)
    }

    /// How much of the answer's body is to come.
    pub(in crate::proxy) fn size_hint(&self) -> SizeHint {
        match self.awaited {
            Awaited::Nothing => SizeHint::with_exact(0),
            Awaited::Body(Left::Length(left)) => SizeHint::with_exact(left),
            _ => SizeHint::default(),
        }
    }

    /// Sends the request, and waits for the head of the answer to it.
    pub(in crate::proxy) fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Response<()>, ExchangeError>> {
        self.send(cx);
        // An API that takes no more may have said why; of all else it knows nothing.
        if let Some(error) = self.unsent.take_if(|error| !matches!(error, ExchangeError::Io(_))) {
            return Poll::Ready(Err(error));
        }
        loop {
            if let Some(head) = self.head()? {
                return Poll::Ready(Ok(head));
            }
            let has_begun = !self.read.is_empty();
            let error = match ready!(self.poll_read(cx)) {
                Ok(count) if count > 0 => continue,
                _ if has_begun => ExchangeError::CutOff,
                Ok(_) => ExchangeError::Closed,
                Err(error) => ExchangeError::Io(error),
            };
            return Poll::Ready(Err(self.unsent.take().unwrap_or(error)));
        }
    }

    /// The next of the answer's body. As it is read, more of the request is sent: an API may answer
    /// before it has heard all.
    pub(in crate::proxy) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ExchangeError>>> {
        loop {
            match self.piece() {
                Ok(Some(frame)) => return Poll::Ready(Some(Ok(frame))),
                Ok(None) if self.is_over() => return Poll::Ready(None),
                Ok(None) => {}
                Err(error) => return Poll::Ready(Some(Err(self.broken(error)))),
            }
            self.send(cx);
            let error = match ready!(self.poll_read(cx)) {
                Ok(0) if matches!(self.awaited, Awaited::Body(Left::Closing)) => {
                    self.awaited = Awaited::Nothing;
                    continue;
                }
                Ok(0) => ExchangeError::CutOff,
                Ok(_) => continue,
                Err(error) => ExchangeError::Io(error),
            };
            return Poll::Ready(Some(Err(self.broken(error))));
        }
    }

    fn send(&mut self, cx: &mut Context<'_>) {
        if self.unsent.is_none() && !self.sending.is_over() {
            self.unsent = self.sending.go_on(&mut self.stream, cx).err();
        }
    }

    /// Nothing comes behind an error.
    fn broken(&mut self, error: ExchangeError) -> ExchangeError {
        self.awaited = Awaited::Nothing;
        self.persists = false;
        error
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.read.reserve(self.read_next);
        let count = ready!(pin!(self.stream.read_buf(&mut self.read)).poll(cx))?;
        self.read_next = if count >= self.read_next { LONG } else { SHORT };
        Poll::Ready(Ok(count))
    }

    /// The head of the answer, if all of it was read.
    fn head(&mut self) -> Result<Option<Response<()>>, ExchangeError> {
        let Awaited::Head(method) = &self.awaited else { return Ok(None) };
        while !self.read.is_empty() {
            let Some(Answer { head, framing, persists, length }) =
                answer::read(&self.read, method)?
            else {
                return Ok(None);
            };
            self.read.advance(length);
            match head.status() {
                StatusCode::CONTINUE => {
                    if let Some(word) = self.word.take() {
                        word.go_ahead();
                    }
                }
                StatusCode::SWITCHING_PROTOCOLS => return Err(ExchangeError::ProtocolChanged),
                status if status.is_informational() => {}
                _ => {
                    self.word = None;
                    self.persists = persists;
                    self.awaited = match framing {
                        Framing::Length(0) => Awaited::Nothing,
                        Framing::Length(length) => Awaited::Body(Left::Length(length)),
                        Framing::Chunked => Awaited::Body(Left::Chunks(Chunks::Size)),
                        Framing::Closing => Awaited::Body(Left::Closing),
                    };
                    return Ok(Some(head));
                }
            }
        }
        Ok(None)
    }

    /// What was read of the body, if anything was.
    fn piece(&mut self) -> Result<Option<Frame<Bytes>>, ExchangeError> {
        let Awaited::Body(left) = &mut self.awaited else { return Ok(None) };
        if self.read.is_empty() {
            return Ok(None);
        }
        let data = match left {
            Left::Chunks(chunks) => match chunks.next(&mut self.read)? {
                Some(Piece::Data(data)) => data,
                Some(Piece::Last(trailers)) => {
                    self.awaited = Awaited::Nothing;
                    return Ok(trailers.map(Frame::trailers));
                }
                None => return Ok(None),
            },
            Left::Closing => taken(&mut self.read, u64::MAX),
            Left::Length(left) => {
                let data = taken(&mut self.read, *left);
                *left -= data.len() as u64;
                if *left == 0 {
                    self.awaited = Awaited::Nothing;
                }
                data
            }
        };
        Ok(Some(Frame::data(data)))
    }
}

/// Up to so many bytes of what was read.
pub(super) fn taken(read: &mut BytesMut, most: u64) -> Bytes {
    let length = read.len().min(usize::try_from(most).unwrap_or(usize::MAX));
    if length > COPIED {
        return read.split_to(length).freeze();
    }
    let bytes = Bytes::copy_from_slice(&read[..length]);
    read.advance(length);
    bytes
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use http::Request;
    use tokio::io::AsyncWriteExt as _;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    async fn pair() -> (Connection, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (Connection::new(ApiStream::Plain(stream)), listener.accept().await.unwrap().0)
    }

    fn begin(connection: &mut Connection) {
        let (head, ()) = Request::get("http://api/").body(()).unwrap().into_parts();
        connection.begin(&head, &HeaderValue::from_static("api"), SentBody::none(), None);
    }

    async fn head(connection: &mut Connection) -> Result<Response<()>, ExchangeError> {
        poll_fn(|cx| connection.poll_head(cx)).await
    }

    #[tokio::test]
    async fn what_a_closed_connection_did_not_take_is_told_apart() {
        let (mut connection, api) = pair().await;
        assert!(connection.is_ready());
        api.set_zero_linger().unwrap();
        drop(api);
        begin(&mut connection);
        assert!(matches!(head(&mut connection).await, Err(ExchangeError::Unsent(_))));
        assert!(!connection.is_ready());

        let (mut connection, api) = pair().await;
        begin(&mut connection);
        drop(api);
        assert!(head(&mut connection).await.unwrap_err().is_before_the_answer());

        let (mut connection, mut api) = pair().await;
        begin(&mut connection);
        api.write_all(b"HTTP/1.1 20").await.unwrap();
        drop(api);
        assert!(matches!(head(&mut connection).await, Err(ExchangeError::CutOff)));
    }

    #[tokio::test]
    async fn a_connection_is_of_no_use_while_an_answer_is_to_come() {
        let (mut connection, mut api) = pair().await;
        begin(&mut connection);
        api.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n").await.unwrap();
        head(&mut connection).await.unwrap();
        assert!(!connection.is_ready());
        api.write_all(b"ok").await.unwrap();
        let frame = poll_fn(|cx| connection.poll_frame(cx)).await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), "ok");
        assert!(connection.is_ready());
    }

    #[tokio::test]
    async fn a_connection_that_rests_keeps_nothing_of_a_long_body() {
        let (mut connection, mut api) = pair().await;
        begin(&mut connection);
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", 4 * LONG);
        let body = vec![b'x'; 4 * LONG];
        let sent = async {
            api.write_all(answer.as_bytes()).await.unwrap();
            api.write_all(&body).await.unwrap();
        };
        let taken = async {
            head(&mut connection).await.unwrap();
            let mut taken = 0;
            while let Some(frame) = poll_fn(|cx| connection.poll_frame(cx)).await {
                taken += frame.unwrap().into_data().unwrap().len();
            }
            taken
        };
        let (taken, ()) = tokio::join!(taken, sent);
        assert_eq!((taken, connection.is_ready()), (4 * LONG, true));
        connection.read.reserve(LONG); // however it was cut
        connection.rest();
        assert!(connection.read.capacity() <= SHORT && connection.is_ready());
    }

    #[tokio::test]
    async fn a_connection_is_of_use_again_when_nothing_is_left_on_it() {
        for (answer, is_ready) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", true),
            ("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", true),
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n", false),
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", false),
            ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", false),
        ] {
            let (mut connection, mut api) = pair().await;
            begin(&mut connection);
            api.write_all(answer.as_bytes()).await.unwrap();
            head(&mut connection).await.unwrap();
            while let Some(frame) = poll_fn(|cx| connection.poll_frame(cx)).await {
                frame.unwrap();
            }
            assert_eq!(connection.is_ready(), is_ready, "{answer}");
        }
    }
}
