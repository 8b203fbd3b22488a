//! The threads that answer. Each has a runtime of its own, so that no connection ever moves from
//! one core to another.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use prometheus_client::metrics::counter::Counter;
use tokio::runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::connection::{self, Limits};
use super::listener::Accepted;
use super::seats::Seat;
use super::service::Service;
use super::stop::Stop;

/// What every worker does with a connection.
#[derive(Clone)]
pub(crate) struct Work<S> {
    pub(crate) service: S,
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) limits: Limits,
    pub(crate) failures: Counter,
    pub(crate) stop: Stop,
}

/// The threads.
pub(crate) struct Workers(Vec<Worker>);

struct Worker {
    connections: mpsc::UnboundedSender<Connection>,
    /// How many connections it has.
    load: Arc<AtomicUsize>,
    ended: oneshot::Receiver<()>,
}

struct Connection {
    stream: Accepted,
    _seat: Seat,
    _load: Load,
}

/// Counts as long as it is there.
struct Load(Arc<AtomicUsize>);

impl Workers {
    pub(crate) fn start<S: Service>(name: &str, count: usize, work: &Work<S>) -> io::Result<Self> {
        (0..count)
            .map(|index| Worker::start(format!("{name}-{index}"), work.clone()))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Hands a connection to the worker that has the fewest.
    pub(super) fn hand(&mut self, stream: Accepted, seat: Seat) {
        let worker = self.0.iter().min_by_key(|worker| worker.load.load(Ordering::Relaxed));
        let Some(worker) = worker else { return };
        let connection = Connection { stream, _seat: seat, _load: Load::on(&worker.load) };
        if worker.connections.send(connection).is_err() {
            tracing::error!("a thread of the server is gone: a connection is dropped");
        }
    }

    /// Waits until each has finished what is under way.
    pub(crate) async fn finish(self) {
        for Worker { connections, ended, .. } in self.0 {
            drop(connections);
            // An error says that it ended, too.
            let _: Result<_, _> = ended.await;
        }
    }
}

impl Worker {
    fn start<S: Service>(name: String, work: Work<S>) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let (connections, accepted) = mpsc::unbounded_channel();
        let (end, ended) = oneshot::channel();
        let run = move || {
            runtime.block_on(serve(accepted, work));
            let _: Result<_, _> = end.send(());
        };
        thread::Builder::new().name(name).spawn(run)?;
        Ok(Self { connections, load: Arc::default(), ended })
    }
}

impl Load {
    fn on(load: &Arc<AtomicUsize>) -> Self {
        load.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(load))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn serve<S: Service>(mut accepted: mpsc::UnboundedReceiver<Connection>, work: Work<S>) {
    let work = Work { service: work.service.for_this_thread(), ..work };
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            Some(_) = connections.join_next() => {}
            next = accepted.recv() => match next {
                Some(connection) => {
                    connections.spawn(one(connection, work.clone()));
                }
                None => break,
            },
        }
    }
    let ended = async { while connections.join_next().await.is_some() {} };
    if timeout(work.limits.drain, ended).await.is_err() {
        tracing::warn!(connections = connections.len(), "connections were cut off");
    }
}

async fn one<S: Service>(connection: Connection, work: Work<S>) {
    let Work { service, tls, limits, failures, stop } = work;
    let Connection { stream, _seat, _load } = connection;
    if let Err(error) = connection::serve(stream, tls, service, limits, stop).await {
        failures.inc();
        tracing::debug!(%error, "a connection failed");
    }
}

/// As many threads as there are cores.
pub(crate) fn cores() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
