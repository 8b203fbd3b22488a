//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::listener::Accepted;
use super::pulse::{Patience, Pulse};
use super::service::Service;
use super::stop::Stop;
use super::watched::Watched;

/// How long a client may take to see that a connection has ended, and the most bytes that are read
/// from it meanwhile. Closing at once while it still sends would lose the last answer (RFC 9112,
/// section 9.6).
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 256 * 1024;

/// How long a connection may take once the server stops: what has begun is finished.
const LAST_WORDS: Patience = Patience {
    head: Duration::from_secs(1),
    idle: Duration::from_secs(5),
    stuck: Duration::from_secs(5),
};

/// After how long a connection that says nothing is left with the stream alone. Where many come at
/// once, the memory of the first serves the last.
const QUIET: Duration = Duration::from_millis(250);

/// What an HTTP/2 connection begins with (RFC 9113, section 3.4).
const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The bounds of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// How long things may take.
    pub(crate) patience: Patience,
    /// How long a TLS handshake may take.
    pub(crate) handshake: Duration,
    /// How long requests that have begun may take once the server stops.
    pub(crate) drain: Duration,
    /// The longest head of a request, in bytes.
    pub(crate) head: usize,
    /// The most that is read before it is used, in bytes.
    pub(crate) buffer: usize,
    /// The most requests that one HTTP/2 connection has under way.
    pub(crate) streams: u32,
    /// Whether who has said all still gets an answer; else it is taken for gone, and what was begun
    /// for it is given up.
    pub(crate) half_close: bool,
    /// Whether HTTP/2 is spoken without TLS to those who begin with it.
    pub(crate) plain_http2: bool,
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
    #[error("a request's head took too long, or the connection was idle or stuck")]
    Time,
    #[error(transparent)]
    Http(#[from] hyper::Error),
}

impl ConnectionError {
    /// Whether an answer ended before its end.
    fn is_broken_off(&self) -> bool {
        matches!(self, Self::Http(error) if error.is_user())
    }
}

/// Serves a connection to its end.
pub(super) async fn serve(
    stream: Accepted,
    tls: Option<TlsAcceptor>,
    service: impl Service,
    limits: Limits,
    stop: Stop,
) -> Result<(), ConnectionError> {
    let stream = match stream {
        Accepted::Tcp(stream) => {
            let stream = TcpStream::from_std(stream)?;
            // Answers are whole when they are written; waiting for more would only delay them.
            stream.set_nodelay(true)?;
            stream
        }
        #[cfg(unix)]
        Accepted::Unix(stream) => {
            let stream = tokio::net::UnixStream::from_std(stream)?;
            return plain(stream, service, limits, stop).await;
        }
    };
    let Some(tls) = tls else {
        let mut stream = stream;
        let served = plain(&mut stream, service, limits, stop).await;
        if served.as_ref().is_err_and(ConnectionError::is_broken_off) {
            // An answer of unknown length ends with the connection: a reset is no end (RFC 9112 §8).
            stream.set_zero_linger()?;
        }
        return served;
    };

    // Boxed: whoever speaks without TLS need not keep the room for it.
    Box::pin(secure(stream, tls, service, limits, stop)).await
}

/// Serves a connection with TLS.
async fn secure(
    stream: TcpStream,
    tls: TlsAcceptor,
    service: impl Service,
    limits: Limits,
    stop: Stop,
) -> Result<(), ConnectionError> {
    let stream = timeout(limits.handshake, tls.accept(stream))
        .await
        .map_err(|_| ConnectionError::HandshakeTime)?
        .map_err(ConnectionError::Handshake)?;
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        Box::pin(http2(stream, &[], service, limits, stop)).await
    } else {
        http1(stream, &[], service, limits, stop).await
    }
}

/// Serves a connection without TLS.
pub(super) async fn plain<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    service: impl Service,
    limits: Limits,
    mut stop: Stop,
) -> Result<(), ConnectionError> {
    if !limits.plain_http2 {
        return http1(stream, &[], service, limits, stop).await;
    }
    let mut first = [0; HTTP2_PREFACE.len()];
    // What a request begins with may be there already, and not read yet.
    let last_moment = async {
        stop.said().await;
        sleep(LAST_WORDS.head).await;
    };
    let read = tokio::select! {
        biased;
        read = timeout(limits.patience.head, beginning(&mut stream, &mut first)) => read,
        () = last_moment => return Ok(()), // nothing has begun
    };
    let first = &first[..read.map_err(|_| ConnectionError::Time)??];
    if first == HTTP2_PREFACE {
        Box::pin(http2(stream, first, service, limits, stop)).await
    } else {
        http1(stream, first, service, limits, stop).await
    }
}

/// Reads on as long as this may be the beginning of HTTP/2.
async fn beginning(
    stream: &mut (impl AsyncRead + Unpin),
    first: &mut [u8; HTTP2_PREFACE.len()],
) -> io::Result<usize> {
    let mut length = 0;
    while length < first.len() && HTTP2_PREFACE.starts_with(&first[..length]) {
        match stream.read(&mut first[length..]).await? {
            0 => break,
            count => length += count,
        }
    }
    Ok(length)
}

/// Serves HTTP/1.1 and HTTP/1.0. While nobody asks for anything, there is nothing but the stream:
/// buffers and all else are made again when something comes.
async fn http1<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    first: &[u8],
    service: impl Service,
    limits: Limits,
    mut stop: Stop,
) -> Result<(), ConnectionError> {
    let pulse = Arc::new(Pulse::new());
    let mut first = Bytes::copy_from_slice(first);
    let served = loop {
        match Box::pin(talk(&mut stream, &first, &service, limits, &mut stop, &pulse)).await {
            Ok(Talk::Quiet(rest)) => first = rest,
            Ok(Talk::Over) => break Ok(()),
            Ok(Talk::CutShort) => return Ok(()),
            Err(error @ ConnectionError::Http(_)) => break Err(error),
            Err(error) => return Err(error),
        }
        if first.is_empty() {
            let mut byte = [0];
            tokio::select! {
                biased;
                read = stream.read(&mut byte) => match read? {
                    0 => return Ok(()),
                    _ => pulse.heard(),
                },
                () = pulse.ran_out(limits.patience) => return Err(ConnectionError::Time),
                () = stop.said() => return Ok(()),
            }
            first = Bytes::copy_from_slice(&byte);
        }
    };
    // Of an answer that is broken off the client hears at once.
    if !served.as_ref().is_err_and(ConnectionError::is_broken_off) {
        Box::pin(linger(&mut stream)).await;
    }
    served
}

/// How requests that came in a row ended.
enum Talk {
    /// With the server, before the client was done.
    CutShort,
    /// With the connection.
    Over,
    /// With a while of silence; and with what has been read of the next, if anything has.
    Quiet(Bytes),
}

/// Serves requests until there is none for a while.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    first: &[u8],
    service: &impl Service,
    limits: Limits,
    stop: &mut Stop,
    pulse: &Arc<Pulse>,
) -> Result<Talk, ConnectionError> {
    let io = TokioIo::new(Watched::new(stream, pulse, first));
    // Of a body hyper passes over what is there already; if there is more, it closes.
    let answers = service_fn(|request: Request<Incoming>| {
        let answer = service.answer(request, pulse);
        async { Ok::<_, Infallible>(answer.await) }
    });
    let mut connection = http1::Builder::new()
        .half_close(limits.half_close)
        .header_read_timeout(None) // the pulse does it, without a timer for each request
        .max_header_size(limits.head)
        .max_buf_size(limits.buffer)
        .serve_connection(io, answers);
    let patience = Patience { idle: limits.patience.idle.min(QUIET), ..limits.patience };
    let served = tokio::select! {
        biased;
        served = &mut connection => served,
        () = pulse.ran_out(patience) => {
            if pulse.is_idle() && limits.patience.idle > QUIET {
                return Ok(Talk::Quiet(connection.into_parts().read_buf));
            }
            return Err(ConnectionError::Time);
        }
        () = stop.said() => {
            Pin::new(&mut connection).graceful_shutdown();
            tokio::select! {
                biased;
                served = &mut connection => served,
                () = pulse.ran_out(LAST_WORDS) => return Ok(Talk::CutShort),
            }
        }
    };
    served?;
    Ok(Talk::Over)
}

/// Serves HTTP/2. Only requests count as signs of life, not pings.
async fn http2<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    first: &[u8],
    service: impl Service,
    limits: Limits,
    mut stop: Stop,
) -> Result<(), ConnectionError> {
    let pulse = Arc::new(Pulse::new());
    let io = TokioIo::new(Watched::deaf(&mut stream, &pulse, first));
    let answers = service_fn(|request: Request<Incoming>| {
        let answer = service.answer(request, &pulse);
        async { Ok::<_, Infallible>(answer.await) }
    });
    let mut connection = pin!(
        http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.streams)
            .max_header_list_size(u32::try_from(limits.head).unwrap_or(u32::MAX))
            .serve_connection(io, answers)
    );
    tokio::select! {
        biased;
        served = connection.as_mut() => return Ok(served?),
        () = pulse.ran_out(limits.patience) => {}
        () = stop.said() => {}
    }
    connection.as_mut().graceful_shutdown();
    // A client that goes on none the less is cut off.
    let bound = if pulse.is_under_way() { limits.drain } else { LAST_WORDS.idle };
    timeout(bound, connection).await.map_err(|_| ConnectionError::Time)??;
    Ok(())
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
