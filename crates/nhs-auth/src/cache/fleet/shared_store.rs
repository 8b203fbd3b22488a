//! The store, asked for no longer than is good for anybody.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::timeout;

use crate::{SealingKey, StoreFuture, TokenStore};

/// How long one answer of the store is waited for. A store in the same region answers within a few
/// milliseconds, and asking the platform instead takes some hundred: who waits longer is worse off
/// than without the store. Only a caller with no token at all waits for it.
const WITHIN: Duration = Duration::from_millis(500);

/// The store of a cache, for all of its identities.
#[derive(Debug)]
pub(in crate::cache) struct SharedStore {
    pub(super) tokens: Arc<dyn TokenStore>,
    pub(super) key: SealingKey,
    is_away: AtomicBool,
    has_unreadable: AtomicBool,
}

impl SharedStore {
    pub(in crate::cache) fn new(tokens: Arc<dyn TokenStore>, key: SealingKey) -> Self {
        let (is_away, has_unreadable) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { tokens, key, is_away, has_unreadable }
    }

    /// The store's answer; `None` when there is none in time, of which is told once.
    pub(super) async fn ask<T>(&self, question: StoreFuture<'_, T>) -> Option<T> {
        let why = match timeout(WITHIN, question).await {
            Ok(Ok(answer)) => {
                if self.is_away.swap(false, Ordering::Relaxed) {
                    tracing::info!("the token store is back");
                }
                return Some(answer);
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} ms", WITHIN.as_millis()),
        };
        if !self.is_away.swap(true, Ordering::Relaxed) {
            tracing::warn!("tokens are not shared with other instances for now: {why}");
        }
        None
    }

    /// Tells once of a token that can't be opened, until one can.
    pub(super) fn note_unreadable(&self, is_unreadable: bool) {
        if !self.has_unreadable.swap(is_unreadable, Ordering::Relaxed) && is_unreadable {
            tracing::warn!("the token in the store can't be opened, and will be replaced");
        }
    }
}
