//! A server's settings.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;

use super::JwksServer;
use super::public::Public;
use crate::jwks::endpoint::JwksEndpoint;
use crate::jwks::path::JwksPath;
use crate::serving::{
    Limits, Listener, Patience, Seats, ServeError, StopSwitch, Work, Workers, cores,
};
use crate::tls::{Tls, TlsFiles};

/// Where the server listens unless it is told otherwise: on this machine alone.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8083);

/// The most connections at once, unless told otherwise.
const CONNECTIONS: usize = 10_000;

const LIMITS: Limits = Limits {
    patience: Patience {
        head: Duration::from_secs(10),
        idle: Duration::from_secs(75),
        stuck: Duration::from_mins(1),
    },
    handshake: Duration::from_secs(10),
    drain: Duration::from_secs(10),
    head: 16 * 1024,
    buffer: 32 * 1024,
    streams: 32,
    half_close: true,
    plain_http2: false,
};

/// A [`JwksServer`] to be.
#[derive(Debug)]
pub struct JwksServerBuilder {
    endpoint: JwksEndpoint,
    path: JwksPath,
    listen: SocketAddr,
    admin: Option<SocketAddr>,
    tls: Option<TlsFiles>,
    workers: Option<NonZeroUsize>,
    connections: usize,
    limits: Limits,
}

impl JwksServerBuilder {
    pub(super) fn new(endpoint: JwksEndpoint) -> Self {
        Self {
            endpoint,
            path: JwksPath::default(),
            listen: LISTEN,
            admin: None,
            tls: None,
            workers: None,
            connections: CONNECTIONS,
            limits: LIMITS,
        }
    }

    /// Where to listen: 127.0.0.1:8083 unless told otherwise. Port 0 takes any that is free.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Where to listen for `/healthz`, `/readyz` and `/metrics`: nowhere unless told otherwise. It
    /// has no TLS, and is not for the public: keep it on this machine, or on a network of your own.
    pub fn admin(mut self, address: impl Into<Option<SocketAddr>>) -> Self {
        self.admin = address.into();
        self
    }

    /// The path of the key set: `/.well-known/jwks.json` unless told otherwise.
    pub fn path(mut self, path: JwksPath) -> Self {
        self.path = path;
        self
    }

    /// Speaks TLS, with this certificate. The platform fetches key sets over https alone, so without
    /// it something in front has to.
    pub fn tls(mut self, files: impl Into<Option<TlsFiles>>) -> Self {
        self.tls = files.into();
        self
    }

    /// How many threads answer: as many as there are cores unless told otherwise.
    pub fn workers(mut self, count: NonZeroUsize) -> Self {
        self.workers = Some(count);
        self
    }

    /// How many connections may be open at once: 10,000 unless told otherwise. Further ones wait
    /// until one is closed.
    pub fn max_connections(mut self, count: NonZeroUsize) -> Self {
        self.connections = count.get();
        self
    }

    /// How long a client may take for a TLS handshake, and again for a request's head: 10 seconds
    /// unless told otherwise.
    pub fn head_timeout(mut self, bound: Duration) -> Self {
        self.limits.patience.head = bound;
        self.limits.handshake = bound;
        self
    }

    /// How long a connection may be idle between two requests: 75 seconds unless told otherwise.
    pub fn idle_timeout(mut self, bound: Duration) -> Self {
        self.limits.patience.idle = bound;
        self
    }

    /// Listens, and starts the threads.
    ///
    /// # Errors
    ///
    /// [`ServeError`] if an address is taken or not of this machine, the certificate or its key
    /// can't be used, or no thread can be started.
    pub async fn bind(self) -> Result<JwksServer, ServeError> {
        let tls = match self.tls {
            Some(files) => Some(Tls::load(files, self.endpoint.clock().clone())?),
            None => None,
        };
        let (listener, local_addr) = bound(self.listen).await?;
        let admin = match self.admin {
            Some(address) => Some(bound(address).await?),
            None => None,
        };
        let stop = StopSwitch::new();
        let work = Work {
            service: Public::new(self.endpoint.clone(), self.path),
            tls: tls.as_ref().map(Tls::acceptor),
            limits: self.limits,
            failures: Counter::default(),
            stop: stop.watch(),
        };
        let count = self.workers.unwrap_or_else(cores).get();
        let workers =
            Workers::start("jwks", count, &work).map_err(|source| ServeError::Thread { source })?;
        Ok(JwksServer {
            endpoint: self.endpoint,
            listener,
            local_addr,
            admin,
            tls,
            seats: Seats::new(self.connections),
            failures: work.failures,
            workers,
            stop,
        })
    }
}

async fn bound(address: SocketAddr) -> Result<(Listener, SocketAddr), ServeError> {
    Listener::at(address).await.map_err(|source| ServeError::Listen { address, source })
}
