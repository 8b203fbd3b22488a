//! One thread's connections to APIs, kept for later requests.
//!
//! A connection that speaks HTTP/1.1 belongs to one request at a time, and is driven by the task
//! that the request is answered in: no other task has to be woken, on the way there or back. While
//! nobody uses it nobody drives it, so it is looked at when it is taken out. One that speaks HTTP/2
//! is driven by a task of its own, and shared.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::header::HOST;
use http::{HeaderValue, Request, Response, Uri};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::time::{Instant, interval};

use super::api_body::ApiBody;
use super::connector::{ApiStream, ConnectError, Connector};
use super::sent_body::SentBody;

/// How long a connection that nobody uses is kept. The platform closes its own after a minute.
const IDLE: Duration = Duration::from_secs(55);

/// How often those are looked for that were kept too long.
const SWEEP: Duration = Duration::from_secs(10);

/// The most connections to one place that are kept.
const MOST_IDLE: usize = 1024;

/// Whether an HTTP/2 connection still answers is asked so often.
const PING: Duration = Duration::from_secs(20);

/// Connections to APIs.
#[derive(Clone)]
pub(super) struct ApiConnections {
    connector: Connector,
    kept: Arc<Mutex<Kept>>,
}

/// By scheme and authority.
#[derive(Default)]
struct Kept {
    idle: HashMap<Arc<str>, Vec<Idle>>,
    shared: HashMap<Arc<str>, http2::SendRequest<SentBody>>,
}

struct Idle {
    connection: Box<OneAtATime>,
    since: Instant,
}

/// A connection of one request at a time.
struct OneAtATime {
    sender: http1::SendRequest<SentBody>,
    driver: http1::Connection<TokioIo<ApiStream>, SentBody>,
}

/// A connection whose answer is still being passed on. It is kept for others when that is done.
pub(super) struct InUse {
    connection: Box<OneAtATime>,
    place: Arc<str>,
    kept: Weak<Mutex<Kept>>,
}

/// A place to send requests to.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Scheme and authority.
    pub(super) name: Arc<str>,
    pub(super) host: HeaderValue,
}

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("{source}")]
    Http {
        source: hyper::Error,
        /// Whether the connection had been used before.
        was_kept: bool,
    },
}

impl SendError {
    fn http(source: hyper::Error, was_kept: bool) -> Self {
        Self::Http { source, was_kept }
    }
}

impl ApiConnections {
    /// None yet. What makes them runs on the thread that this is called on.
    pub(super) fn new(connector: Connector) -> Self {
        let kept = Arc::default();
        if tokio::runtime::Handle::try_current().is_ok() {
            tokio::spawn(sweep(Arc::downgrade(&kept)));
        }
        Self { connector, kept }
    }

    /// Sends a request to a place. One that a kept connection could not take any more goes over
    /// another.
    pub(super) async fn send(
        &self,
        place: &Place,
        mut request: Request<SentBody>,
    ) -> Result<Response<ApiBody>, SendError> {
        loop {
            if let Some(sender) = self.shared(place) {
                return Ok(shared_send(sender, request).await?.map(ApiBody::shared));
            }
            let kept = self.idle(place);
            let was_kept = kept.is_some();
            let connection = match kept {
                Some(connection) => connection,
                None => match self.connect(place, request.uri()).await? {
                    Some(connection) => connection,
                    None => continue, // it is a shared one
                },
            };
            let uri = request.uri().clone();
            request = match connection.send(place, request).await {
                Ok((answer, connection)) => {
                    let (place, kept) = (Arc::clone(&place.name), Arc::downgrade(&self.kept));
                    let in_use = InUse { connection, place, kept };
                    return Ok(answer.map(|body| ApiBody::owned(body, in_use)));
                }
                Err(mut error) => match error.take_message().filter(|_| was_kept) {
                    Some(mut unsent) => {
                        *unsent.uri_mut() = uri;
                        unsent
                    }
                    None => return Err(SendError::http(error.into_error(), was_kept)),
                },
            };
        }
    }

    fn shared(&self, place: &Place) -> Option<http2::SendRequest<SentBody>> {
        let mut kept = lock(&self.kept);
        if kept.shared.is_empty() {
            return None;
        }
        let sender = kept.shared.get(&place.name)?;
        if sender.is_closed() {
            kept.shared.remove(&place.name);
            return None;
        }
        Some(sender.clone())
    }

    /// A connection that is kept, and that the other side has not closed.
    fn idle(&self, place: &Place) -> Option<Box<OneAtATime>> {
        loop {
            let mut kept = lock(&self.kept);
            let Idle { mut connection, since } = kept.idle.get_mut(&place.name)?.pop()?;
            drop(kept);
            if since.elapsed() < IDLE && connection.is_ready() {
                return Some(connection);
            }
        }
    }

    /// Connects; `None` when the connection can be shared, and is.
    async fn connect(
        &self,
        place: &Place,
        uri: &Uri,
    ) -> Result<Option<Box<OneAtATime>>, SendError> {
        let stream = Box::pin(self.connector.connect(uri.clone())).await?;
        if !stream.speaks_http2() {
            let made = http1::handshake(TokioIo::new(stream)).await;
            let (sender, driver) = made.map_err(|error| SendError::http(error, false))?;
            return Ok(Some(Box::new(OneAtATime { sender, driver })));
        }
        let (sender, driver) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(PING)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| SendError::http(error, false))?;
        tokio::spawn(async {
            if let Err(error) = driver.await {
                tracing::debug!(%error, "a shared connection to an API failed");
            }
        });
        lock(&self.kept).shared.insert(Arc::clone(&place.name), sender);
        Ok(None)
    }
}

async fn shared_send(
    mut sender: http2::SendRequest<SentBody>,
    request: Request<SentBody>,
) -> Result<Response<Incoming>, SendError> {
    let lost = |error| SendError::http(error, true);
    sender.ready().await.map_err(lost)?;
    sender.send_request(request).await.map_err(lost)
}

type Unsent = hyper::client::conn::TrySendError<Request<SentBody>>;

impl OneAtATime {
    /// Sends a request, and waits for the head of its answer.
    async fn send(
        mut self: Box<Self>,
        place: &Place,
        mut request: Request<SentBody>,
    ) -> Result<(Response<Incoming>, Box<Self>), Unsent> {
        if let Some(target) = request.uri().path_and_query() {
            *request.uri_mut() = Uri::from(target.clone());
        }
        request.headers_mut().insert(HOST, place.host.clone());
        let answer = {
            let Self { sender, driver } = &mut *self;
            let mut answer = pin!(sender.try_send_request(request));
            poll_fn(|cx| {
                // What drives it has the answer, or knows that there will be none.
                let _: Poll<_> = Pin::new(&mut *driver).poll(cx);
                answer.as_mut().poll(cx)
            })
            .await?
        };
        Ok((answer, self))
    }

    /// Whether another request can be sent.
    fn is_ready(&mut self) -> bool {
        let mut nobody = Context::from_waker(Waker::noop());
        Pin::new(&mut self.driver).poll(&mut nobody).is_pending() && self.sender.is_ready()
    }
}

impl InUse {
    /// Drives the connection on. Returns whether it has ended.
    pub(super) fn drive(&mut self, cx: &mut Context<'_>) -> bool {
        Pin::new(&mut self.connection.driver).poll(cx).is_ready()
    }

    /// Keeps the connection for others, if it is of any use.
    pub(super) fn keep(mut self) {
        let Some(kept) = self.kept.upgrade() else { return };
        if !self.connection.is_ready() {
            return;
        }
        let idle = Idle { connection: self.connection, since: Instant::now() };
        let mut kept = lock(&kept);
        match kept.idle.get_mut(&self.place) {
            Some(of_place) if of_place.len() < MOST_IDLE => of_place.push(idle),
            Some(_) => {}
            None => {
                kept.idle.insert(self.place, vec![idle]);
            }
        }
    }
}

/// Closes those that nobody has used for long, as long as there is somebody who may.
async fn sweep(kept: Weak<Mutex<Kept>>) {
    let mut ticks = interval(SWEEP);
    loop {
        ticks.tick().await;
        let Some(kept) = kept.upgrade() else { return };
        let mut kept = lock(&kept);
        kept.idle.retain(|_, of_place| {
            of_place.retain_mut(|idle| idle.since.elapsed() < IDLE && idle.connection.is_ready());
            !of_place.is_empty()
        });
        kept.shared.retain(|_, sender| !sender.is_closed());
    }
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
