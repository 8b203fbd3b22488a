//! The identity providers' key sets, as the platform has them: kept for a day by issuer, and
//! fetched again for a `kid` that isn't there.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use nhs_auth_rules::limits::PROVIDER_JWKS_CACHE_S;
use nhs_auth_rules::{IdentityProvider, UnixMillis};
use tokio::sync::Mutex;

use super::key_sets::{self, KeySet};
use crate::identity::keys::Keys;

/// Where a provider's key set is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    /// Here.
    Own(IdentityProvider),
    /// At that URL.
    Url(String),
}

/// The key sets that were fetched. Held while one is being fetched, so that a crowd fetches it
/// once.
#[derive(Default)]
pub(crate) struct ProviderKeySets(Mutex<HashMap<Source, (UnixMillis, Arc<KeySet>)>>);

impl ProviderKeySets {
    /// The key set, kept or fetched; `None` when it can't be had.
    pub(crate) async fn fetch(
        &self,
        source: &Source,
        kid: &str,
        own: &Keys,
        now: UnixMillis,
    ) -> Option<Arc<KeySet>> {
        let mut all = self.0.lock().await;
        let kept = all.get(source).filter(|(at, _)| is_fresh(*at, now)).map(|(_, set)| set);
        if let Some(kept) = kept.filter(|kept| kept.jwks.named(kid).next().is_some()) {
            return Some(Arc::clone(kept));
        }
        let document = match source {
            Source::Own(provider) => Some(own.current(*provider).jwks().to_string()),
            Source::Url(url) => key_sets::get(url).await,
        };
        let Some(document) = document else {
            return kept.cloned();
        };
        let key_set = Arc::new(KeySet::parse(&document));
        all.insert(source.clone(), (now, Arc::clone(&key_set)));
        Some(key_set)
    }

    /// Forgets them, but for one that is just being fetched.
    pub(crate) fn clear(&self) {
        if let Ok(mut all) = self.0.try_lock() {
            all.clear();
        }
    }
}

fn is_fresh(fetched_at: UnixMillis, now: UnixMillis) -> bool {
    now.0.saturating_sub(fetched_at.0) < PROVIDER_JWKS_CACHE_S * 1000
}

impl fmt::Debug for ProviderKeySets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderKeySets").finish_non_exhaustive()
    }
}
