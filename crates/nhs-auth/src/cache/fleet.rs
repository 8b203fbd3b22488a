//! The token that the instances of a fleet share: found, published and withdrawn.

mod lease;
mod shared_store;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nhs_auth_rules::UnixMillis;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

pub(super) use lease::Lease;
pub(super) use shared_store::SharedStore;

use super::written::Written;
use super::{FleetName, KeptToken, Means};
use crate::sealing::Purpose;
use crate::token::Backoff;
use crate::{AccessToken, Application, IssuedToken};

/// By how much one token has to outlive another to count as the newer: what a slow answer of the
/// store makes of one and the same is less.
const NEWER_BY_MS: i64 = 1000;

/// How often a token is written again that another was written before.
const MOST_TRIES: u32 = 3;

/// How long to wait before a token is offered once more to a store that was away.
const UNTIL_IT_IS_BACK: Backoff = Backoff::new(Duration::from_secs(5), Duration::from_mins(1));

/// One identity's token in the store. Cloning shares it.
#[derive(Clone, Debug)]
pub(super) struct Fleet(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    store: Arc<SharedStore>,
    name: FleetName,
    means: Means,
    publication: Mutex<Option<Publication>>,
}

/// A token that waits for the store to come back.
#[derive(Debug)]
struct Publication {
    token: AccessToken,
    task: AbortHandle,
}

/// What is in the store.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// As it is kept, whether it is a token or not.
    pub(super) content: Option<Vec<u8>>,
    /// The token in it, with times by our own clock.
    pub(super) token: Option<IssuedToken>,
}

impl Fleet {
    pub(super) fn new(store: Arc<SharedStore>, application: &Application, means: &Means) -> Self {
        let name = FleetName(store.key.token_name(&application.fleet()));
        let means = means.clone();
        Self(Arc::new(Shared { store, name, means, publication: Mutex::default() }))
    }

    /// What is in the store; `None` when it can't be asked.
    pub(super) async fn look(&self) -> Option<Found> {
        // Before it is asked: a slow answer makes a token older than it is, and never younger.
        let asked_at = self.now();
        let Shared { store, name, .. } = &*self.0;
        let Some(kept) = store.ask(store.tokens.load(*name)).await? else {
            return Some(Found::default());
        };
        let token = self.opened(&kept, asked_at);
        store.note_unreadable(token.is_none());
        Some(Found { content: Some(kept.content), token })
    }

    /// The token in what was kept. How long it lives is what the store says: it counts for all
    /// instances, and no two of their clocks have to agree. That it lives longer than it was issued
    /// for is not believed.
    fn opened(&self, kept: &KeptToken, now: UnixMillis) -> Option<IssuedToken> {
        let Shared { store, name, .. } = &*self.0;
        let written = store.key.open(Purpose::Token, name.as_bytes(), &kept.content)?;
        let mut token = Written::token_in(&written)?;
        let lifetime = token.expires_in?;
        let age = lifetime.saturating_sub(kept.left?);
        token.requested_at = now.plus(-millis(age));
        Some(token)
    }

    /// Puts a token into the store, in place of what was found there, unless a newer one has come
    /// between. Answers whether the store could be asked.
    pub(super) async fn publish(&self, token: &IssuedToken, found: Option<Vec<u8>>) -> bool {
        let Shared { store, name, .. } = &*self.0;
        let mut there = found;
        for _ in 0..MOST_TRIES {
            let Some(kept) = self.sealed(token) else { return true };
            match store.ask(store.tokens.save(*name, kept, there)).await {
                Some(false) => {}
                answer => return answer.is_some(),
            }
            let Some(found) = self.look().await else { return false };
            if found.token.is_some_and(|other| !is_newer(token, &other)) {
                return true;
            }
            there = found.content;
        }
        true
    }

    fn sealed(&self, token: &IssuedToken) -> Option<KeptToken> {
        let Shared { store, name, .. } = &*self.0;
        let left = token.expires_at()?.0.saturating_sub(self.now().0);
        let left = Duration::from_millis(u64::try_from(left).ok()?).min(token.expires_in?);
        let content = store.key.seal(Purpose::Token, name.as_bytes(), &Written::bytes_of(token)?);
        (!left.is_zero()).then_some(KeptToken { content, left: Some(left) })
    }

    /// Offers a token, which was got while the store was away, until the store is back or the token
    /// is no longer fresh.
    pub(super) fn publish_when_back(&self, token: &IssuedToken) {
        let shared = Arc::downgrade(&self.0);
        let (offered, access_token) = (token.clone(), token.access_token.clone());
        let entropy = Arc::clone(&self.0.means.entropy);
        let task = tokio::spawn(async move {
            for tries in 1.. {
                tokio::time::sleep(UNTIL_IT_IS_BACK.after(tries, &*entropy)).await;
                let Some(fleet) = shared.upgrade().map(Self) else { return };
                if !offered.is_fresh(fleet.now()) || fleet.offer(&offered).await {
                    return;
                }
            }
        });
        let publication = Publication { token: access_token, task: task.abort_handle() };
        self.replace_publication(Some(publication));
    }

    /// Publishes a token where there is none that is as new. Answers whether the store could be
    /// asked.
    async fn offer(&self, token: &IssuedToken) -> bool {
        let Some(found) = self.look().await else { return false };
        if found.token.is_some_and(|other| !is_newer(token, &other)) {
            return true;
        }
        self.publish(token, found.content).await
    }

    /// Takes a token that an API has rejected out of the store, in the background, so that the other
    /// instances don't get it there. Another token is left where it is.
    pub(super) fn withdraw(&self, token: &AccessToken) {
        let is_offered = |it: &Publication| it.token.is_same_as(token);
        if self.publication().as_ref().is_some_and(is_offered) {
            self.replace_publication(None);
        }
        let (fleet, token) = (self.clone(), token.clone());
        // Without a runtime the token stays, and is not taken from there by this instance.
        let Ok(runtime) = Handle::try_current() else { return };
        runtime.spawn(async move {
            let found = fleet.look().await.unwrap_or_default();
            let is_there = found.token.is_some_and(|it| it.access_token.is_same_as(&token));
            if let (true, Some(content)) = (is_there, found.content) {
                let Shared { store, name, .. } = &*fleet.0;
                store.ask(store.tokens.remove(*name, content)).await;
            }
        });
    }

    fn replace_publication(&self, by: Option<Publication>) {
        if let Some(before) = std::mem::replace(&mut *self.publication(), by) {
            before.task.abort();
        }
    }

    fn publication(&self) -> std::sync::MutexGuard<'_, Option<Publication>> {
        self.0.publication.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> UnixMillis {
        self.0.means.clock.now()
    }
}

/// Whether one token outlives another.
pub(super) fn is_newer(one: &IssuedToken, other: &IssuedToken) -> bool {
    let end = |token: &IssuedToken| token.expires_at().map_or(i64::MIN, |end| end.0);
    end(one).saturating_sub(NEWER_BY_MS) > end(other)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
