//! One thread's connections to APIs, kept for later requests.
//!
//! A connection that speaks HTTP/1.1 belongs to one request at a time, and is driven by the task
//! that the request is answered in. While nobody uses it nobody drives it, so it is looked at when
//! it is taken out. One that speaks HTTP/2 is driven by a task of its own, and shared.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use http::request::Parts;
use http::{HeaderValue, Request, Response, Uri};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::task::yield_now;
use tokio::time::interval;

use super::api_body::ApiBody;
use super::connector::{ConnectError, Connector};
use super::expectation::Word;
use super::http1::{self, ExchangeError};
use super::sent_body::SentBody;

/// How often connections are looked at that nobody uses, and how often before they are closed: after
/// some 50 seconds. The platform closes its own after a minute.
const SWEEP: Duration = Duration::from_secs(10);
const SWEEPS: u8 = 5;

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

/// By scheme and authority: of those there are few.
#[derive(Default)]
struct Kept {
    idle: Vec<(Arc<str>, Vec<Idle>)>,
    shared: Vec<(Arc<str>, http2::SendRequest<SentBody>)>,
}

struct Idle {
    connection: Box<http1::Connection>,
    /// How often it was found unused.
    sweeps: u8,
}

/// A connection whose answer is still being passed on. It is kept for others when that is done.
pub(super) struct InUse {
    pub(super) http1: Box<http1::Connection>,
    place: Arc<str>,
    kept: Weak<Mutex<Kept>>,
}

/// A request that is sent once.
pub(super) struct Sent<'a> {
    pub(super) head: &'a Parts,
    pub(super) body: SentBody,
    /// Whom to tell that the body is wanted, if anybody waits for it.
    pub(super) word: Option<Word>,
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
    Http1 {
        source: ExchangeError,
        /// Whether the connection had been used before.
        was_kept: bool,
    },
    #[error("{source}")]
    Http2 { source: hyper::Error, was_kept: bool },
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

    /// Sends a request to a place, and waits for the head of its answer.
    pub(super) async fn send(
        &self,
        place: &Place,
        sent: Sent<'_>,
    ) -> Result<Response<ApiBody>, SendError> {
        if let Some(sender) = self.shared(place) {
            return shared_send(sender, sent).await;
        }
        let kept = self.idle(place);
        let was_kept = kept.is_some();
        let made = match kept {
            Some(connection) => Made::Own(connection),
            None => Box::pin(self.connect(place, &sent.head.uri)).await?,
        };
        let mut http1 = match made {
            Made::Own(connection) => connection,
            Made::Shared(sender) => return shared_send(sender, sent).await,
        };
        http1.begin(sent.head, &place.host, sent.body, sent.word);
        // Whatever else has come is read before this is written: then the API is woken once for
        // many.
        yield_now().await;
        let answer = poll_fn(|cx| http1.poll_head(cx)).await;
        let head = answer.map_err(|source| SendError::Http1 { source, was_kept })?;
        let (place, kept) = (Arc::clone(&place.name), Arc::downgrade(&self.kept));
        Ok(head.map(|()| ApiBody::own(InUse { http1, place, kept })))
    }

    fn shared(&self, place: &Place) -> Option<http2::SendRequest<SentBody>> {
        let kept = lock(&self.kept);
        let (_, sender) = kept.shared.iter().find(|(name, _)| *name == place.name)?;
        Some(sender.clone()).filter(|sender| !sender.is_closed())
    }

    /// A connection that is kept, and that the other side has not closed.
    fn idle(&self, place: &Place) -> Option<Box<http1::Connection>> {
        loop {
            let mut connection = lock(&self.kept).of(&place.name)?.pop()?.connection;
            if connection.is_ready() {
                return Some(connection);
            }
        }
    }

    async fn connect(&self, place: &Place, uri: &Uri) -> Result<Made, SendError> {
        let stream = self.connector.connect(uri.clone()).await?;
        if !stream.speaks_http2() {
            return Ok(Made::Own(Box::new(http1::Connection::new(stream))));
        }
        let (sender, driver) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(PING)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|source| SendError::Http2 { source, was_kept: false })?;
        tokio::spawn(async {
            if let Err(error) = driver.await {
                tracing::debug!(%error, "a shared connection to an API failed");
            }
        });
        let mut kept = lock(&self.kept);
        kept.shared.retain(|(name, _)| *name != place.name);
        kept.shared.push((Arc::clone(&place.name), sender.clone()));
        drop(kept);
        Ok(Made::Shared(sender))
    }
}

/// A connection, by what is spoken over it.
enum Made {
    Own(Box<http1::Connection>),
    Shared(http2::SendRequest<SentBody>),
}

async fn shared_send(
    mut sender: http2::SendRequest<SentBody>,
    sent: Sent<'_>,
) -> Result<Response<ApiBody>, SendError> {
    let lost = |source| SendError::Http2 { source, was_kept: true };
    let mut request = Request::new(sent.body);
    *request.method_mut() = sent.head.method.clone();
    *request.uri_mut() = sent.head.uri.clone();
    *request.headers_mut() = sent.head.headers.clone();
    if let Some(word) = sent.word {
        word.of(&mut request);
    }
    sender.ready().await.map_err(lost)?;
    Ok(sender.send_request(request).await.map_err(lost)?.map(ApiBody::Shared))
}

impl InUse {
    /// Keeps the connection for others, if it is of any use.
    pub(super) fn keep(mut self) {
        let Some(kept) = self.kept.upgrade() else { return };
        if !self.http1.is_ready() {
            return;
        }
        self.http1.rest();
        let idle = Idle { connection: self.http1, sweeps: 0 };
        let mut kept = lock(&kept);
        match kept.of(&self.place) {
            Some(of_place) if of_place.len() < MOST_IDLE => of_place.push(idle),
            Some(_) => {}
            None => kept.idle.push((self.place, vec![idle])),
        }
    }
}

impl Kept {
    /// Those to one place, if there ever were any.
    fn of(&mut self, place: &str) -> Option<&mut Vec<Idle>> {
        self.idle.iter_mut().find(|(name, _)| **name == *place).map(|(_, of_place)| of_place)
    }

    fn sweep(&mut self) {
        for (_, of_place) in &mut self.idle {
            of_place.retain_mut(|idle| {
                idle.sweeps += 1;
                idle.sweeps <= SWEEPS && idle.connection.is_ready()
            });
        }
        self.idle.retain(|(_, of_place)| !of_place.is_empty());
        self.shared.retain(|(_, sender)| !sender.is_closed());
    }
}

/// Closes those that nobody has used for long, as long as there is somebody who may.
async fn sweep(kept: Weak<Mutex<Kept>>) {
    let mut ticks = interval(SWEEP);
    loop {
        ticks.tick().await;
        let Some(kept) = kept.upgrade() else { return };
        lock(&kept).sweep();
    }
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
