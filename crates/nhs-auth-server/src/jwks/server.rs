//! A server of its own.

mod builder;
mod metrics;
mod public;

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use prometheus_client::metrics::counter::Counter;
use tokio::task::JoinSet;

pub use self::builder::JwksServerBuilder;
use self::metrics::Metrics;
use super::endpoint::JwksEndpoint;
use crate::serving::{Listener, Seats, StopSwitch, Workers, accept, admin};
use crate::tls::{Tls, TlsReloader};

/// A web server that serves one key set, over HTTP/1.1, and over HTTP/2 where there is TLS.
///
/// It listens from the moment it is bound, and answers once [`run_until`](Self::run_until) is
/// awaited. Requests are answered on threads of its own; the runtime that it is awaited on only
/// takes connections in.
pub struct JwksServer {
    endpoint: JwksEndpoint,
    listener: Listener,
    local_addr: SocketAddr,
    admin: Option<(Listener, SocketAddr)>,
    tls: Option<Arc<Tls>>,
    seats: Seats,
    failures: Counter,
    workers: Workers,
    stop: StopSwitch,
}

impl JwksServer {
    /// A server of `endpoint`, to be bound.
    pub fn builder(endpoint: JwksEndpoint) -> JwksServerBuilder {
        JwksServerBuilder::new(endpoint)
    }

    /// Where it listens: with the port that it got, if it was told to take any.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Where it listens for `/healthz`, `/readyz` and `/metrics`, if it does.
    pub fn admin_addr(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(|(_, address)| *address)
    }

    /// What reads the certificate and the key again, if there is TLS.
    pub fn tls_reloader(&self) -> Option<TlsReloader> {
        self.tls.clone().map(TlsReloader::new)
    }

    /// Serves until `end` is done. Then it takes no more connections, finishes the requests that
    /// have begun, and returns: after ten seconds at the latest. If it is dropped, it does the same
    /// in the background.
    pub async fn run_until(self, end: impl Future<Output = ()>) {
        let Self { endpoint, listener, local_addr, admin, tls, seats, failures, mut workers, stop } =
            self;
        tracing::info!(address = %local_addr, tls = tls.is_some(), "the key set's server listens");

        let admin_stop = StopSwitch::new();
        let mut admin_task = JoinSet::new();
        if let Some((listener, address)) = admin {
            tracing::info!(%address, "health and metrics are there");
            let (seats, tls) = (seats.clone(), tls.clone());
            let metrics = Metrics::new(endpoint, seats, tls, failures, stop.watch());
            admin_task.spawn(admin::serve(listener, Arc::new(metrics), admin_stop.watch()));
        }

        tokio::select! {
            never = accept::until_gone(&listener, &seats, &mut workers) => match never {},
            never = renewed(tls) => match never {},
            () = end => {}
        }
        tracing::info!("the key set's server stops");
        stop.stop();
        accept::rest(listener, &seats, &mut workers);
        workers.finish().await;
        admin_stop.stop();
        while admin_task.join_next().await.is_some() {}
    }
}

/// Keeps the certificate new, if there is one.
async fn renewed(tls: Option<Arc<Tls>>) -> Infallible {
    match tls {
        Some(tls) => TlsReloader::new(tls).watch().await,
        None => std::future::pending().await,
    }
}

impl fmt::Debug for JwksServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwksServer")
            .field("local_addr", &self.local_addr)
            .field("admin_addr", &self.admin_addr())
            .finish_non_exhaustive()
    }
}
