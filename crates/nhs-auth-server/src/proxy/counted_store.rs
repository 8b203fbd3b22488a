//! A store of tokens, with what it is asked counted.

use std::sync::Arc;
use std::time::Duration;

use nhs_auth::{FleetName, KeptToken, LeaseHolder, StoreFuture, TokenStore};

use super::metrics::Metrics;

pub(super) struct CountedStore {
    store: Arc<dyn TokenStore>,
    metrics: Arc<Metrics>,
}

impl CountedStore {
    pub(super) fn new(store: Arc<dyn TokenStore>, metrics: Arc<Metrics>) -> Self {
        Self { store, metrics }
    }

    /// Counts a question when it is answered; one that is given up has failed.
    fn counted<'a, T: Send + 'a>(
        &'a self,
        operation: &'static str,
        asked: StoreFuture<'a, T>,
    ) -> StoreFuture<'a, T> {
        Box::pin(async move {
            let mut question = Question { metrics: &self.metrics, operation, went_well: false };
            let answer = asked.await;
            question.went_well = answer.is_ok();
            answer
        })
    }
}

struct Question<'a> {
    metrics: &'a Metrics,
    operation: &'static str,
    went_well: bool,
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        self.metrics.store_operated(self.operation, self.went_well);
    }
}

impl TokenStore for CountedStore {
    fn load(&self, name: FleetName) -> StoreFuture<'_, Option<KeptToken>> {
        self.counted("load", self.store.load(name))
    }

    fn save(
        &self,
        name: FleetName,
        token: KeptToken,
        replaces: Option<Vec<u8>>,
    ) -> StoreFuture<'_, bool> {
        self.counted("save", self.store.save(name, token, replaces))
    }

    fn remove(&self, name: FleetName, content: Vec<u8>) -> StoreFuture<'_, bool> {
        self.counted("remove", self.store.remove(name, content))
    }

    fn lease(
        &self,
        name: FleetName,
        holder: LeaseHolder,
        lasts: Duration,
    ) -> StoreFuture<'_, LeaseHolder> {
        self.counted("lease", self.store.lease(name, holder, lasts))
    }

    fn release(&self, name: FleetName, holder: LeaseHolder) -> StoreFuture<'_, ()> {
        self.counted("release", self.store.release(name, holder))
    }
}

impl std::fmt::Debug for CountedStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.store.fmt(f)
    }
}
