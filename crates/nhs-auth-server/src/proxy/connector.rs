//! Connections to APIs: straight or through an egress proxy, with TLS where the URL says so.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Intercept;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;
use tower_service::Service;

use super::egress::EgressProxies;

/// How long each step to a connection may take: the connection itself, the egress proxy's word, and
/// the TLS handshake.
const STEP: Duration = Duration::from_secs(5);

/// Makes connections.
#[derive(Clone)]
pub(super) struct Connector(Arc<Inner>);

struct Inner {
    tcp: HttpConnector,
    tls: TlsConnector,
    egress: EgressProxies,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("can't connect: {0}")]
    Connect(Box<dyn std::error::Error + Send + Sync>),
    #[error("the egress proxy {proxy} can't be used: it is spoken to over http://")]
    EgressKind { proxy: String },
    #[error("the egress proxy {proxy} made no tunnel: {reason}")]
    Egress { proxy: String, reason: String },
    #[error("its host is no name that a certificate could have")]
    Name,
    #[error("no TLS connection was made: {0}")]
    Tls(io::Error),
    #[error("{what} took longer than {} s", STEP.as_secs())]
    Late { what: &'static str },
}

impl Connector {
    pub(super) fn new(tls: Arc<ClientConfig>, egress: EgressProxies) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(STEP));
        tcp.set_keepalive(Some(Duration::from_mins(1)));
        Self(Arc::new(Inner { tcp, tls: TlsConnector::from(tls), egress }))
    }

    /// Connects to where a URL is.
    pub(super) async fn connect(&self, uri: Uri) -> Result<ApiStream, ConnectError> {
        let stream = match self.0.egress.of(&uri) {
            Some(egress) => self.tunnel(&egress, &uri).await?,
            None => self.tcp(uri.clone()).await?,
        };
        if uri.scheme_str() != Some("https") {
            return Ok(ApiStream::Plain(stream));
        }
        let host = uri.host().unwrap_or_default();
        let host = host.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(host);
        let name = ServerName::try_from(host.to_owned()).map_err(|_| ConnectError::Name)?;
        let handshake = timeout(STEP, self.0.tls.connect(name, stream)).await;
        let stream = handshake.map_err(|_| ConnectError::Late { what: "the TLS handshake" })?;
        Ok(ApiStream::Tls(Box::new(stream.map_err(ConnectError::Tls)?)))
    }

    async fn tcp(&self, uri: Uri) -> Result<TcpStream, ConnectError> {
        let connected = self.0.tcp.clone().call(uri).await;
        let stream = connected.map_err(|error| ConnectError::Connect(Box::new(error)))?;
        Ok(stream.into_inner())
    }

    async fn tunnel(&self, egress: &Intercept, uri: &Uri) -> Result<TcpStream, ConnectError> {
        let proxy = shown(egress.uri());
        if egress.uri().scheme_str() != Some("http") {
            return Err(ConnectError::EgressKind { proxy });
        }
        let mut tunnel = Tunnel::new(egress.uri().clone(), self.0.tcp.clone());
        if let Some(auth) = egress.basic_auth() {
            tunnel = tunnel.with_auth(auth.clone());
        }
        let made = timeout(2 * STEP, tunnel.call(uri.clone())).await;
        let made = made.map_err(|_| ConnectError::Late { what: "the egress proxy" })?;
        made.map(TokioIo::into_inner)
            .map_err(|error| ConnectError::Egress { proxy, reason: causes(&error) })
    }
}

/// A proxy's place, without a password.
fn shown(uri: &Uri) -> String {
    let host = uri.host().unwrap_or_default();
    let port = uri.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{host}{port}", uri.scheme_str().unwrap_or_default())
}

/// An error's text with those of its causes.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").finish_non_exhaustive()
    }
}

/// A connection to an API.
pub(super) enum ApiStream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl ApiStream {
    /// Whether HTTP/2 was agreed on.
    pub(super) fn speaks_http2(&self) -> bool {
        matches!(self, Self::Tls(stream) if stream.get_ref().1.alpn_protocol() == Some(b"h2"))
    }
}

impl AsyncRead for ApiStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for ApiStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
