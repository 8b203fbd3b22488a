//! The proxy, running.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::app::ProxyApp;
use super::builder::{ProxyServerBuilder, in_service};
use super::forward::Shared;
use super::key_ages::KeyAges;
use super::listen::{OwnSocket, ProxyAddress};
use super::readiness::{Troubles, Watch};
use super::route::ProxyRoutes;
use crate::serving::{Listener, Seats, StopSwitch, Workers, accept, admin};

/// A reverse proxy that turns each request into an authorised one.
///
/// It listens from the moment it is bound, and answers once [`run_until`](Self::run_until) is
/// awaited. Requests are passed on by threads of its own; the runtime that it is awaited on only
/// takes connections in, and asks for tokens.
pub struct ProxyServer {
    pub(super) shared: Arc<Shared>,
    pub(super) listener: Listener,
    pub(super) address: ProxyAddress,
    pub(super) socket: OwnSocket,
    pub(super) admin: Option<(Listener, SocketAddr)>,
    pub(super) seats: Seats,
    pub(super) workers: Workers,
    pub(super) stop: StopSwitch,
    pub(super) troubles: Troubles,
    pub(super) key_ages: KeyAges,
}

/// Puts other routes into service while the proxy runs. Requests that are under way go on as they
/// began.
#[derive(Clone)]
pub struct ProxyReloader {
    shared: Arc<Shared>,
    troubles: Troubles,
}

impl ProxyServer {
    /// A proxy of these routes, to be bound.
    pub fn builder(routes: ProxyRoutes) -> ProxyServerBuilder {
        ProxyServerBuilder::new(routes)
    }

    /// Where it listens: with the port that it got, if it was told to take any.
    pub fn address(&self) -> &ProxyAddress {
        &self.address
    }

    /// Where it listens for `/healthz`, `/readyz` and `/metrics`, if it does.
    pub fn admin_addr(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(|(_, address)| *address)
    }

    /// What changes the routes.
    pub fn reloader(&self) -> ProxyReloader {
        ProxyReloader { shared: Arc::clone(&self.shared), troubles: self.troubles.clone() }
    }

    /// Serves until `end` is done. Then it takes no more connections, finishes the requests that
    /// have begun, and returns: after the time to drain at the latest.
    pub async fn run_until(self, end: impl Future<Output = ()>) {
        let Self { shared, listener, address, socket, admin, seats, .. } = self;
        let (mut workers, stop, troubles, key_ages) =
            (self.workers, self.stop, self.troubles, self.key_ages);
        tracing::info!(%address, "the proxy listens");
        let admin_stop = StopSwitch::new();
        let mut admin_task = JoinSet::new();
        if let Some((listener, address)) = admin {
            tracing::info!(%address, "health and metrics are there");
            let watch = Watch {
                shared: Arc::clone(&shared),
                seats: seats.clone(),
                stop: stop.watch(),
                troubles,
                key_ages: key_ages.clone(),
            };
            admin_task.spawn(admin::serve(listener, Arc::new(watch), admin_stop.watch()));
        }
        let mut warming = JoinSet::new();
        for app in &shared.table.load().apps {
            warming.spawn(first_token(app.clone()));
        }
        tokio::select! {
            never = accept::until_gone(&listener, &seats, &mut workers) => match never {},
            never = key_ages.follow(&shared.table) => match never {},
            () = end => {}
        }
        tracing::info!("the proxy stops");
        stop.stop();
        socket.forget();
        accept::rest(listener, &seats, &mut workers);
        workers.finish().await;
        admin_stop.stop();
        while admin_task.join_next().await.is_some() {}
    }
}

/// Asks for a token before anybody needs it, and tells at once when none can be had.
async fn first_token(app: ProxyApp) {
    if let Err(error) = app.tokens().token().await {
        let hint = error.hints().into_iter().next().unwrap_or_default();
        tracing::warn!(app = app.name(), hint, "there is no token yet: {error}");
    }
}

impl ProxyReloader {
    /// Puts these routes into service.
    pub fn replace(&self, routes: ProxyRoutes) {
        let Shared { metrics, traces, .. } = &*self.shared;
        self.shared.table.store(Arc::new(in_service(routes, metrics, traces)));
        metrics.reloaded(true);
        self.troubles.set(None);
        tracing::info!("other routes are in service");
    }

    /// Says that there are others, which can't be used: the old ones go on, and `/readyz` tells so.
    pub fn failed(&self, reason: impl Into<String>) {
        let reason = reason.into();
        tracing::warn!("the configuration can't be used, and the old one goes on: {reason}");
        self.shared.metrics.reloaded(false);
        self.troubles.set(Some(format!("the configuration can't be used: {reason}")));
    }
}

impl fmt::Debug for ProxyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyServer")
            .field("address", &self.address)
            .field("admin_addr", &self.admin_addr())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ProxyReloader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyReloader").finish_non_exhaustive()
    }
}
