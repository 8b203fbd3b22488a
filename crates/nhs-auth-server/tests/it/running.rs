//! A server that runs for one test.

use std::net::SocketAddr;
use std::num::NonZeroUsize;

use nhs_auth_server::{JwksEndpoint, JwksServer, JwksServerBuilder, TlsReloader};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::key_sets;

pub(crate) const PATH: &str = "/.well-known/jwks.json";

pub(crate) struct Running {
    pub(crate) endpoint: JwksEndpoint,
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) reloader: Option<TlsReloader>,
    end: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Running {
    /// One that serves two keys.
    pub(crate) async fn start() -> Self {
        Self::start_with(|builder| builder).await
    }

    /// The same with other settings.
    pub(crate) async fn start_with(
        set: impl FnOnce(JwksServerBuilder) -> JwksServerBuilder,
    ) -> Self {
        let running = Self::start_empty_with(set).await;
        running.endpoint.publish(&key_sets::of(&["int-1", "int-2"])).unwrap();
        running
    }

    /// One that has no key set yet.
    pub(crate) async fn start_empty_with(
        set: impl FnOnce(JwksServerBuilder) -> JwksServerBuilder,
    ) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let endpoint = JwksEndpoint::new();
        let builder = JwksServer::builder(endpoint.clone())
            .listen(any)
            .admin(any)
            .workers(NonZeroUsize::new(2).unwrap());
        let server = set(builder).bind().await.unwrap();
        let (address, admin) = (server.local_addr(), server.admin_addr().unwrap());
        let reloader = server.tls_reloader();
        let (end, ended) = oneshot::channel::<()>();
        let task = tokio::spawn(server.run_until(async {
            let _: Result<_, _> = ended.await;
        }));
        Self { endpoint, address, admin, reloader, end: Some(end), task }
    }

    /// Tells it to stop, without waiting for that.
    pub(crate) fn begin_to_stop(&mut self) {
        self.end.take().unwrap().send(()).unwrap();
    }

    /// Waits until it has stopped.
    pub(crate) async fn stopped(self) {
        self.task.await.unwrap();
    }

    pub(crate) async fn stop(mut self) {
        self.begin_to_stop();
        self.stopped().await;
    }
}
