//! The requests that were answered, for tests to look at.

use std::collections::VecDeque;
use std::sync::Mutex;

use super::lock;
use crate::recorded::RecordedRequest;

/// The most that are remembered.
const MOST: usize = 10_000;

/// The latest requests, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Requests(Mutex<VecDeque<RecordedRequest>>);

impl Requests {
    pub(crate) fn add(&self, request: RecordedRequest) {
        let mut requests = lock(&self.0);
        // The one that is forgotten is dropped after the lock is.
        let _forgotten = (requests.len() >= MOST).then(|| requests.pop_front());
        requests.push_back(request);
        drop(requests);
    }

    pub(crate) fn all(&self) -> Vec<RecordedRequest> {
        lock(&self.0).iter().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        lock(&self.0).clear();
    }
}
