//! New requests as they come, for a page that is open (server-sent events).
//!
//! A page is woken, and then reads what it has not seen: nothing is made for pages that nobody
//! looks at, and nothing piles up for one that is slow. It skips what is beyond a page's length.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::filter::Filter;
use super::overview::ROWS;
use super::{Asked, row};
use crate::answer::Reply;
use crate::body::Body;
use crate::recorded::RecordedRequest;
use crate::server::{Stop, stopped};
use crate::state::State;

/// How often a page hears that there is nothing new, so that what is in between stays open.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How many requests come together while many come.
const PAUSE: Duration = Duration::from_millis(100);

/// How long a page may take to read what it was sent before it is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a page hears first: when to come back after an interruption.
const RETRY: &str = "retry: 1000\n\n";

/// What a page hears that has seen more than there is: it is of a platform that ran here before.
const BEGIN_AGAIN: &str = "event: begin-again\ndata:\n\n";

/// The stream of what comes after the request that the page saw last.
pub(super) fn answer(state: &Arc<State>, stop: &Stop, asked: &Asked<'_>) -> Reply {
    let Some(latest) = state.requests.watch() else {
        return asked.problem(StatusCode::SERVICE_UNAVAILABLE, "too many pages are open already");
    };
    let seen = asked.call.header("last-event-id").or_else(|| asked.query.get("after"));
    let seen = seen.and_then(|id| id.parse().ok()).unwrap_or_else(|| state.requests.latest());
    let (page, sent) = mpsc::channel(1);
    let feed = Feed {
        state: Arc::clone(state),
        stop: stop.clone(),
        latest,
        filter: Filter::read(&asked.query),
        seen,
        page,
    };
    tokio::spawn(feed.run());
    Reply::new(StatusCode::OK, "text/event-stream", Body::Stream(sent))
}

/// What one open page is sent.
struct Feed {
    state: Arc<State>,
    stop: Stop,
    latest: watch::Receiver<u64>,
    filter: Filter,
    seen: u64,
    page: mpsc::Sender<Bytes>,
}

impl Feed {
    /// Ends when the page is closed or too slow, or the platform stops.
    async fn run(mut self) {
        let is_of_another = self.seen > self.state.requests.latest();
        let mut next = Some(if is_of_another { BEGIN_AGAIN } else { RETRY }.to_owned());
        loop {
            if let Some(text) = next.take()
                && self.page.send_timeout(text.into(), PATIENCE).await.is_err()
            {
                return;
            }
            next = self.news();
            if next.is_some() {
                continue;
            }
            tokio::select! {
                () = stopped(self.stop.clone()) => return,
                () = self.page.closed() => return,
                woken = timeout(HEARTBEAT, self.latest.changed()) => match woken {
                    Ok(Ok(())) => tokio::time::sleep(PAUSE).await,
                    Ok(Err(_)) => return,
                    Err(_) => next = Some(": nothing new\n\n".to_owned()),
                },
            }
        }
    }

    /// The requests that the page has not seen, the oldest first.
    fn news(&mut self) -> Option<String> {
        let latest = *self.latest.borrow_and_update();
        let wanted = |request: &RecordedRequest| self.filter.takes(request);
        let new = self.state.requests.newest(self.seen, u64::MAX, ROWS, wanted);
        let newest = new.first().map_or(0, |newest| newest.id);
        self.seen = self.seen.max(latest).max(newest);
        let mut text = String::new();
        for request in new.iter().rev() {
            let html = row::of(&self.state, request).into_string().replace(['\r', '\n'], " ");
            let _ = write!(text, "id: {}\nevent: request\ndata: {html}\n\n", request.id);
        }
        (!text.is_empty()).then_some(text)
    }
}
