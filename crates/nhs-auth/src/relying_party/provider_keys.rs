//! A provider's key set: fetched, kept, and looked at again for a key that it didn't have.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use nhs_auth_rules::{Jwk, Jwks};
use tokio::time::Instant;

use super::discovery::{AFTER_FAILURE, FetchError, fetch_key_set};
use crate::wire::Wire;

/// How long a key set is used before it is fetched again.
const KEPT_FOR: Duration = Duration::from_hours(1);

/// How long it is still used while the provider can't give it: as long as the platform does.
const SERVES_FOR: Duration = Duration::from_hours(24);

/// How often, at most, an unknown `kid` makes us look again. Whoever sends us tokens can make up
/// names of keys, and each would otherwise be a request to the provider.
const LOOKS_AGAIN_EVERY: Duration = Duration::from_mins(2);

/// A provider's keys. A look-up of a known key takes no lock and waits for nobody's fetch.
#[derive(Debug, Default)]
pub(super) struct ProviderKeys {
    kept: ArcSwapOption<Kept>,
    fetching: tokio::sync::Mutex<Fetches>,
}

#[derive(Debug)]
struct Kept {
    keys: Jwks,
    since: Instant,
}

#[derive(Debug, Default)]
struct Fetches {
    looked_again: Option<Instant>,
    failed: Option<(FetchError, Instant)>,
}

/// Why there is no key to verify with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoKey {
    Unavailable(FetchError),
    Unknown,
}

impl ProviderKeys {
    /// The keys that may have made a signature: those of that name, or all when it has none.
    pub(super) async fn candidates(
        &self,
        kid: Option<&str>,
        jwks_uri: &str,
        wire: &Wire,
    ) -> Result<Vec<Jwk>, NoKey> {
        let now = wire.clock.steady();
        if let Some(kept) = self.fresh(now) {
            let found = named(&kept.keys, kid);
            if !found.is_empty() {
                return Ok(found);
            }
        }
        let kept = self.fetched(kid, jwks_uri, wire).await?;
        let found = named(&kept.keys, kid);
        if found.is_empty() { Err(NoKey::Unknown) } else { Ok(found) }
    }

    fn fresh(&self, now: Instant) -> Option<Arc<Kept>> {
        let kept = self.kept.load_full()?;
        (now.saturating_duration_since(kept.since) < KEPT_FOR).then_some(kept)
    }

    /// A key set that was fetched just now, or the kept one where it is too early to look again.
    async fn fetched(
        &self,
        kid: Option<&str>,
        jwks_uri: &str,
        wire: &Wire,
    ) -> Result<Arc<Kept>, NoKey> {
        let mut fetches = self.fetching.lock().await;
        let now = wire.clock.steady();
        let fresh = self.fresh(now);
        if let Some(kept) = &fresh
            && (!named(&kept.keys, kid).is_empty() || !fetches.may_look_again(now))
        {
            // Somebody may have fetched it while we waited.
            return Ok(Arc::clone(kept));
        }
        match self.fetch(&mut fetches, jwks_uri, wire).await {
            Ok(kept) => {
                if fresh.is_some() {
                    fetches.looked_again = Some(now);
                }
                Ok(kept)
            }
            // A key that the kept set has serves on; of one that it hasn't nothing is known.
            Err(error) => match self.still_serving(now) {
                Some(kept) if !named(&kept.keys, kid).is_empty() => Ok(kept),
                _ => Err(NoKey::Unavailable(error)),
            },
        }
    }

    async fn fetch(
        &self,
        fetches: &mut Fetches,
        jwks_uri: &str,
        wire: &Wire,
    ) -> Result<Arc<Kept>, FetchError> {
        if let Some((error, at)) = &fetches.failed
            && wire.clock.steady().saturating_duration_since(*at) < AFTER_FAILURE
        {
            return Err(error.clone());
        }
        tracing::debug!(url = jwks_uri, "provider's key set");
        let keys = fetch_key_set(wire, jwks_uri).await;
        let since = wire.clock.steady();
        match keys {
            Ok(keys) => {
                fetches.failed = None;
                let kept = Arc::new(Kept { keys, since });
                self.kept.store(Some(Arc::clone(&kept)));
                Ok(kept)
            }
            Err(error) => {
                fetches.failed = Some((error.clone(), since));
                Err(error)
            }
        }
    }

    fn still_serving(&self, now: Instant) -> Option<Arc<Kept>> {
        let kept = self.kept.load_full()?;
        (now.saturating_duration_since(kept.since) < SERVES_FOR).then_some(kept)
    }
}

impl Fetches {
    fn may_look_again(&self, now: Instant) -> bool {
        self.looked_again
            .is_none_or(|last| now.saturating_duration_since(last) >= LOOKS_AGAIN_EVERY)
    }
}

fn named(keys: &Jwks, kid: Option<&str>) -> Vec<Jwk> {
    match kid {
        Some(kid) => keys.named(kid).cloned().collect(),
        None => keys.keys.clone(),
    }
}
