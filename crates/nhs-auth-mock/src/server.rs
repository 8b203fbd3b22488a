//! The connections: accepted, served, and ended.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::connection::{Connection, ResetSwitch};
use crate::exchange::Exchange;
use crate::state::State;

/// The most connections at once; the next wait.
const CONNECTIONS: usize = 2048;

/// How long a request's head may take, and how long a connection may be idle.
const HEAD_TIMEOUT: Duration = Duration::from_mins(1);

/// How long requests that have begun may take when the platform stops.
const GRACE: Duration = Duration::from_secs(5);

/// Tells every part of the server when to stop.
pub(crate) type Stop = watch::Receiver<bool>;

/// Serves until it is told to stop.
pub(crate) async fn serve(listener: TcpListener, state: Arc<State>, stop: Stop) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = stopped(stop.clone()) => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&state), stop.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
        }
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, ended).await.is_err() {
        connections.shutdown().await;
    }
}

async fn connection(stream: TcpStream, state: Arc<State>, stop: Stop) {
    // Answers are whole when they are written; waiting for more would only delay them.
    let _ = stream.set_nodelay(true);
    let switch = ResetSwitch::default();
    let io = TokioIo::new(Connection::new(stream, switch.clone()));
    let exchange = Exchange { state, switch, stop: stop.clone() };
    let service = service_fn(move |request| exchange.clone().run(request));
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(128 * 1024)
            .auto_date_header(false)
            .serve_connection(io, service)
    );
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = stopped(stop.clone()) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Ends when the platform is to stop, or is gone.
pub(crate) async fn stopped(mut stop: Stop) {
    let _: Result<_, _> = stop.wait_for(|stop| *stop).await;
}
