//! The lease by which one instance of a fleet renews the token.

use std::convert::Infallible;
use std::time::Duration;

use super::{Fleet, Shared};
use crate::LeaseHolder;

/// How long a lease lasts that nobody keeps up: the longest that an instance which dies with it keeps
/// the others from renewing.
const LASTS: Duration = Duration::from_secs(8);

/// How often it is kept up while the request is under way. Three in a row may fail.
const KEPT_UP_EVERY: Duration = Duration::from_secs(2);

/// How often at most: the longest that a token request may take is three attempts of 30 s and two
/// pauses of 30 s.
const KEPT_UP_AT_MOST: u32 = 75;

/// How long nobody asks after a request that failed, so that the instances don't each find out for
/// themselves, one right after another.
const AFTER_FAILURE: Duration = Duration::from_secs(2);

/// The same for a server that asks for more.
const AFTER_FAILURE_AT_MOST: Duration = Duration::from_secs(30);

/// The right to renew, while it is kept up. Dropped, it lapses by itself.
#[derive(Debug)]
pub(in crate::cache) struct Lease {
    fleet: Fleet,
    holder: LeaseHolder,
}

impl Fleet {
    /// The lease: `Some(None)` when another instance has it, `None` when the store can't be asked.
    pub(in crate::cache) async fn lease(&self) -> Option<Option<Lease>> {
        let holder = LeaseHolder::from_bytes(self.0.means.entropy.uuid().into_bytes());
        let lease = Lease { fleet: self.clone(), holder };
        Some(lease.take_for(LASTS).await?.then_some(lease))
    }
}

impl Lease {
    /// Does what the lease is for, and keeps it up meanwhile. Where that fails, or the lease is lost,
    /// the request goes on: it may be answered any moment, and what it brings is good.
    pub(in crate::cache) async fn keep_up_during<T>(&self, request: impl Future<Output = T>) -> T {
        let keeping_up = async {
            for _ in 0..KEPT_UP_AT_MOST {
                tokio::time::sleep(KEPT_UP_EVERY).await;
                self.take_for(LASTS).await;
            }
            std::future::pending::<Infallible>().await
        };
        tokio::select! {
            answer = request => answer,
            never = keeping_up => match never {},
        }
    }

    /// Lets another instance have it, in the background: nobody waits for that.
    pub(in crate::cache) fn give_back(self) {
        tokio::spawn(async move {
            let Shared { store, name, .. } = &*self.fleet.0;
            store.ask(store.tokens.release(*name, self.holder)).await;
        });
    }

    /// Keeps all instances from asking for a while, in the background.
    pub(in crate::cache) fn let_nobody_ask_for(self, asked_for: Option<Duration>) {
        let pause = asked_for.unwrap_or_default().clamp(AFTER_FAILURE, AFTER_FAILURE_AT_MOST);
        tokio::spawn(async move { self.take_for(pause).await });
    }

    /// Whether it is ours for so long from now.
    async fn take_for(&self, lasts: Duration) -> Option<bool> {
        let Shared { store, name, .. } = &*self.fleet.0;
        let holder = store.ask(store.tokens.lease(*name, self.holder, lasts)).await?;
        Some(holder == self.holder)
    }
}
