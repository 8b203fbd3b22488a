//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::future::ready;
use std::io;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::pulse::{Patience, Pulse};
use super::stop::Stop;
use super::watched::Watched;

/// The longest head of a request, in bytes.
const LONGEST_HEAD: usize = 16 * 1024;

/// The longest body of an HTTP/2 request that is passed over, in bytes. Nobody needs one.
const LONGEST_BODY: usize = 64 * 1024;

/// The most requests that one HTTP/2 connection has under way.
const STREAMS: u32 = 32;

/// How long a client may take to see that a connection has ended, and the most bytes that are read
/// from it meanwhile. Closing at once while it still sends would lose the last answer (RFC 9112,
/// section 9.6).
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 256 * 1024;

/// How long a connection may take once the server stops: what has begun is finished.
const LAST_WORDS: Patience =
    Patience { head: Duration::from_secs(1), idle: Duration::from_secs(5) };

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) patience: Patience,
    pub(super) handshake: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { patience: Patience { head: seconds(10), idle: seconds(75) }, handshake: seconds(10) }
    }
}

/// Why a connection ended before its time.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectionError {
    #[error("it can't be set up: {0}")]
    Setup(#[from] io::Error),
    #[error("no TLS connection was made: {0}")]
    Handshake(io::Error),
    #[error("the TLS handshake took too long")]
    HandshakeTime,
    #[error("a request's head took too long, or the connection was idle")]
    Time,
    #[error(transparent)]
    Http(#[from] hyper::Error),
}

/// Serves a connection to its end.
pub(super) async fn serve<A>(
    stream: std::net::TcpStream,
    tls: Option<TlsAcceptor>,
    answer: A,
    limits: Limits,
    stop: Stop,
) -> Result<(), ConnectionError>
where
    A: Fn(&Request<Incoming>) -> Response<Bytes>,
{
    let stream = TcpStream::from_std(stream)?;
    // Answers are whole when they are written; waiting for more would only delay them.
    stream.set_nodelay(true)?;
    let Some(tls) = tls else { return http1(stream, answer, limits.patience, stop).await };

    let stream = timeout(limits.handshake, tls.accept(stream))
        .await
        .map_err(|_| ConnectionError::HandshakeTime)?
        .map_err(ConnectionError::Handshake)?;
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        http2(stream, answer, limits.patience, stop).await
    } else {
        http1(stream, answer, limits.patience, stop).await
    }
}

/// Serves HTTP/1.1 and HTTP/1.0.
pub(super) async fn http1<S, A>(
    mut stream: S,
    answer: A,
    patience: Patience,
    mut stop: Stop,
) -> Result<(), ConnectionError>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Fn(&Request<Incoming>) -> Response<Bytes>,
{
    let pulse = Pulse::new();
    let served = {
        let io = TokioIo::new(Watched { stream: &mut stream, pulse: &pulse });
        // Of a body hyper passes over what is there already; if there is more, it closes.
        let service = service_fn(|request: Request<Incoming>| {
            pulse.answered();
            ready(Ok::<_, Infallible>(answer(&request).map(Full::new)))
        });
        let mut connection = pin!(
            http1::Builder::new()
                .half_close(true) // who has said all still wants an answer
                .header_read_timeout(None) // the pulse does it, without a timer for each request
                .max_header_size(LONGEST_HEAD)
                .max_buf_size(2 * LONGEST_HEAD)
                .serve_connection(io, service)
        );
        tokio::select! {
            biased;
            served = connection.as_mut() => served,
            () = pulse.ran_out(patience) => return Err(ConnectionError::Time),
            () = stop.said() => {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    biased;
                    served = connection => served,
                    () = pulse.ran_out(LAST_WORDS) => return Ok(()),
                }
            }
        }
    };
    linger(&mut stream).await;
    Ok(served?)
}

/// Serves HTTP/2. Only requests count as signs of life, not pings.
async fn http2<S, A>(
    mut stream: S,
    answer: A,
    patience: Patience,
    mut stop: Stop,
) -> Result<(), ConnectionError>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Fn(&Request<Incoming>) -> Response<Bytes>,
{
    let pulse = Pulse::new();
    let io = TokioIo::new(&mut stream);
    let service = service_fn(|request: Request<Incoming>| {
        pulse.answered();
        let response = answer(&request).map(Full::new);
        async {
            // Some clients take an answer that comes before the end of their body for an error.
            pass_over(request.into_body()).await;
            Ok::<_, Infallible>(response)
        }
    });
    let mut connection = pin!(
        http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(u32::try_from(LONGEST_HEAD).unwrap_or(u32::MAX))
            .serve_connection(io, service)
    );
    tokio::select! {
        biased;
        served = connection.as_mut() => return Ok(served?),
        () = pulse.ran_out(patience) => {}
        () = stop.said() => {}
    }
    connection.as_mut().graceful_shutdown();
    // A client that goes on none the less is cut off.
    timeout(LAST_WORDS.idle, connection).await.map_err(|_| ConnectionError::Time)??;
    Ok(())
}

/// Reads a request's body, if it is short.
async fn pass_over(mut body: Incoming) {
    let mut left = LONGEST_BODY;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

/// Reads what still comes, until the client has seen the end.
async fn linger(stream: &mut (impl AsyncRead + Unpin)) {
    let mut nobody_reads_this = [0; 4096];
    let read = async {
        let mut sum = 0;
        while sum < LINGER_BYTES {
            match stream.read(&mut nobody_reads_this).await {
                Ok(0) | Err(_) => break,
                Ok(count) => sum += count,
            }
        }
    };
    // However it ends, the connection does.
    let _: Result<_, _> = timeout(LINGER, read).await;
}
