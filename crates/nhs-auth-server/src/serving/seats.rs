//! How many connections may be open at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places for connections.
#[derive(Clone)]
pub(crate) struct Seats {
    free: Arc<Semaphore>,
    all: usize,
}

/// One of them. It is free again when this is dropped.
pub(crate) struct Seat {
    _permit: OwnedSemaphorePermit,
}

impl Seats {
    pub(crate) fn new(all: usize) -> Self {
        let all = all.clamp(1, Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(all)), all }
    }

    /// Returns when there is a free one.
    pub(crate) async fn wait(&self) {
        drop(self.free.acquire().await);
    }

    /// One that is free now.
    pub(crate) fn try_take(&self) -> Option<Seat> {
        let permit = Arc::clone(&self.free).try_acquire_owned().ok()?;
        Some(Seat { _permit: permit })
    }

    /// How many are taken.
    pub(crate) fn taken(&self) -> usize {
        self.all.saturating_sub(self.free.available_permits())
    }
}
