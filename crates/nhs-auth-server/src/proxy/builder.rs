//! The proxy's settings.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use nhs_auth::{OsEntropy, TokenStore};
use secrecy::SecretString;

use super::connector::Connector;
use super::counted_store::CountedStore;
use super::egress::EgressProxies;
use super::forward::{Bounds, Forward, Shared};
use super::gate::{CallerSecret, Gate};
use super::key_ages::KeyAges;
use super::listen::ProxyListen;
use super::metrics::Metrics;
use super::readiness::Troubles;
use super::route::{ProxyRoutes, Table};
use super::server::ProxyServer;
use super::trace::Traces;
use super::{token_endpoint, trust};
use crate::serving::{
    Limits, Listener, Patience, Seats, ServeError, StopSwitch, Work, Workers, cores,
};

/// The most connections at once, unless told otherwise.
const CONNECTIONS: usize = 20_000;

const LIMITS: Limits = Limits {
    patience: Patience {
        head: Duration::from_secs(10),
        idle: Duration::from_secs(75),
        stuck: Duration::from_mins(1),
    },
    handshake: Duration::from_secs(10),
    drain: Duration::from_secs(25),
    head: 64 * 1024,
    buffer: 256 * 1024,
    streams: 256,
    half_close: false,
    plain_http2: true,
};

/// A [`ProxyServer`] to be.
#[derive(Debug)]
pub struct ProxyServerBuilder {
    routes: ProxyRoutes,
    listen: ProxyListen,
    remote: bool,
    admin: Option<SocketAddr>,
    names: Vec<String>,
    caller_secret: Option<SecretString>,
    ca_file: Option<PathBuf>,
    egress: Option<EgressProxies>,
    upstream_timeout: Duration,
    caller_timeout: Duration,
    workers: Option<NonZeroUsize>,
    connections: usize,
    limits: Limits,
    metrics: ProxyMetrics,
    traces: Traces,
}

/// The counters of a proxy that is not there yet, for what is made before it.
#[derive(Clone)]
pub struct ProxyMetrics(pub(super) Arc<Metrics>);

impl ProxyMetrics {
    /// Counters, all at zero.
    pub fn new() -> Self {
        Self(Arc::new(Metrics::new()))
    }

    /// The same store, with what it is asked counted.
    pub fn counting(&self, store: Arc<dyn TokenStore>) -> Arc<dyn TokenStore> {
        Arc::new(CountedStore::new(store, Arc::clone(&self.0)))
    }
}

impl Default for ProxyMetrics {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for ProxyMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProxyMetrics").finish_non_exhaustive()
    }
}

impl ProxyServerBuilder {
    pub(super) fn new(routes: ProxyRoutes) -> Self {
        Self {
            routes,
            listen: ProxyListen::default(),
            remote: false,
            admin: None,
            names: Vec::new(),
            caller_secret: None,
            ca_file: None,
            egress: None,
            upstream_timeout: Duration::from_mins(1),
            caller_timeout: Duration::from_mins(1),
            workers: None,
            connections: CONNECTIONS,
            limits: LIMITS,
            metrics: ProxyMetrics::new(),
            traces: Traces::none(),
        }
    }

    /// Where to listen: 127.0.0.1:8081 unless told otherwise.
    pub fn listen(mut self, listen: ProxyListen) -> Self {
        self.listen = listen;
        self
    }

    /// Lets other machines in, to requests and to health and metrics, where those addresses are
    /// theirs to reach. There is no TLS: whoever can reach the address uses the
    /// application's access to patients' data, so without a network of its own or a caller secret
    /// this is of no good.
    pub fn allow_remote(mut self, allow: bool) -> Self {
        self.remote = allow;
        self
    }

    /// Where to listen for `/healthz`, `/readyz` and `/metrics`: nowhere unless told otherwise.
    pub fn admin(mut self, address: impl Into<Option<SocketAddr>>) -> Self {
        self.admin = address.into();
        self
    }

    /// Another name that callers may use for the proxy, beside `localhost` and addresses.
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.names.push(name.into());
        self
    }

    /// What callers have to send as `NHS-Auth-Secret`. It is not passed on.
    pub fn caller_secret(mut self, secret: impl Into<Option<SecretString>>) -> Self {
        self.caller_secret = secret.into();
        self
    }

    /// Believes the certificate authorities of this file (PEM) alone, and not the machine's.
    pub fn ca_file(mut self, path: impl Into<Option<PathBuf>>) -> Self {
        self.ca_file = path.into();
        self
    }

    /// Reaches APIs through these proxies. Unless told otherwise, those of the environment.
    pub fn egress(mut self, proxies: EgressProxies) -> Self {
        self.egress = Some(proxies);
        self
    }

    /// How long an API may keep silent, before its answer and within it: 60 seconds unless told
    /// otherwise.
    pub fn upstream_timeout(mut self, bound: Duration) -> Self {
        self.upstream_timeout = bound;
        self
    }

    /// How long a caller may keep silent within its request, and take nothing of an answer: 60
    /// seconds unless told otherwise.
    pub fn caller_timeout(mut self, bound: Duration) -> Self {
        self.caller_timeout = bound;
        self.limits.patience.stuck = bound;
        self
    }

    /// How long a caller may take for a request's head: 10 seconds unless told otherwise.
    pub fn head_timeout(mut self, bound: Duration) -> Self {
        self.limits.patience.head = bound;
        self
    }

    /// How long a connection may be idle between two requests: 75 seconds unless told otherwise.
    pub fn idle_timeout(mut self, bound: Duration) -> Self {
        self.limits.patience.idle = bound;
        self
    }

    /// How long requests that have begun may take once the proxy stops: 25 seconds unless told
    /// otherwise.
    pub fn drain(mut self, bound: Duration) -> Self {
        self.limits.drain = bound;
        self
    }

    /// How many threads pass requests on: as many as there are cores unless told otherwise.
    pub fn workers(mut self, count: NonZeroUsize) -> Self {
        self.workers = Some(count);
        self
    }

    /// How many connections of callers may be open at once: 20,000 unless told otherwise. Further
    /// ones wait until one is closed.
    pub fn max_connections(mut self, count: NonZeroUsize) -> Self {
        self.connections = count.get();
        self
    }

    /// Counts by these counters.
    pub fn metrics(mut self, metrics: ProxyMetrics) -> Self {
        self.metrics = metrics;
        self
    }

    /// Tells each request, each attempt at an API and each token request as a span to this
    /// provider, and what it calls APIs with goes on as `traceparent`. Without a provider, a caller's
    /// `traceparent` is passed on as it is. Whoever made the provider shuts it down, after the proxy.
    #[cfg(feature = "otel")]
    pub fn traces(mut self, provider: &opentelemetry_sdk::trace::SdkTracerProvider) -> Self {
        self.traces = Traces::to(provider);
        self
    }

    /// Listens, and starts the threads.
    ///
    /// # Errors
    ///
    /// [`ServeError`] if an address is taken, not of this machine, or another machine's to reach
    /// without [`allow_remote`](Self::allow_remote); if the certificate authorities can't be used,
    /// or no thread can be started.
    pub async fn bind(self) -> Result<ProxyServer, ServeError> {
        if self.listen.is_remote() && !self.remote {
            let address = format!("{:?}", self.listen);
            return Err(ServeError::Remote { address: shown(&self.listen).unwrap_or(address) });
        }
        if let Some(address) = self.admin.filter(|it| !it.ip().is_loopback() && !self.remote) {
            return Err(ServeError::Remote { address: address.to_string() });
        }
        let metrics = self.metrics.0;
        let tls = trust::client_config(self.ca_file.as_deref())?;
        let is_unix = !matches!(self.listen, ProxyListen::Tcp(_) | ProxyListen::Given(_));
        let table = in_service(self.routes, &metrics, &self.traces);
        let stop = StopSwitch::new();
        let shared = Arc::new(Shared {
            table: ArcSwap::from_pointee(table),
            gate: Gate {
                names: self.names,
                any_name: is_unix,
                secret: self.caller_secret.as_ref().map(CallerSecret::new),
            },
            connector: Connector::new(
                tls,
                self.egress.unwrap_or_else(EgressProxies::from_environment),
            ),
            entropy: Arc::new(OsEntropy::default()),
            bounds: Bounds { upstream: self.upstream_timeout, caller: self.caller_timeout },
            nowhere: metrics.of_none(""),
            tokens: metrics.of_none(token_endpoint::PATH),
            metrics,
            traces: self.traces,
        });
        let admin = match self.admin {
            Some(address) => Some(
                Listener::at(address)
                    .await
                    .map_err(|source| ServeError::Listen { address, source })?,
            ),
            None => None,
        };
        let socket = self.listen.own_socket();
        let (listener, address) = self.listen.bind().await?;
        let work = Work {
            service: Forward::new(Arc::clone(&shared)),
            tls: None,
            limits: self.limits,
            failures: shared.metrics.connection_failures.clone(),
            stop: stop.watch(),
        };
        let count = self.workers.unwrap_or_else(cores).get();
        let workers = Workers::start("proxy", count, &work)
            .map_err(|source| ServeError::Thread { source })?;
        Ok(ProxyServer {
            shared,
            listener,
            address,
            socket,
            admin,
            seats: Seats::new(self.connections),
            workers,
            stop,
            troubles: Troubles::default(),
            key_ages: KeyAges::default(),
        })
    }
}

fn shown(listen: &ProxyListen) -> Option<String> {
    match listen {
        ProxyListen::Tcp(address) => Some(address.to_string()),
        ProxyListen::Given(listener) => listener.local_addr().ok().map(|it| it.to_string()),
        _ => None,
    }
}

/// Routes with their counters and traces.
pub(super) fn in_service(routes: ProxyRoutes, metrics: &Metrics, traces: &Traces) -> Table {
    for app in routes.apps() {
        app.tell(metrics.of_app(app.name()), traces.of_app(app.name()));
    }
    Table::new(routes, |prefix| metrics.of_route(prefix))
}
