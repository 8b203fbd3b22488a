//! The identity providers' key sets, as the platform has them: kept for a day by issuer, and
//! fetched again for a `kid` that isn't there.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use nhs_auth_rules::limits::PROVIDER_JWKS_CACHE_S;
use nhs_auth_rules::{IdentityProvider, UnixMillis};

use super::key_sets::{self, KeySet};
use super::lock;
use crate::identity::keys::Keys;

/// Where a provider's key set is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    /// Here.
    Own(IdentityProvider),
    /// At that URL.
    Url(String),
}

/// The key sets that were fetched.
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
        if let Some(kept) = self.kept(source, now)
            && kept.jwks.named(kid).next().is_some()
        {
            return Some(kept);
        }
        let document = match source {
            Source::Own(provider) => own.current(*provider).jwks().to_string(),
            Source::Url(url) => key_sets::get(url).await?,
        };
        let key_set = Arc::new(KeySet::parse(&document));
        lock(&self.0).insert(source.clone(), (now, Arc::clone(&key_set)));
        Some(key_set)
    }

    pub(crate) fn clear(&self) {
        lock(&self.0).clear();
    }

    fn kept(&self, source: &Source, now: UnixMillis) -> Option<Arc<KeySet>> {
        let kept = lock(&self.0);
        let (fetched_at, key_set) = kept.get(source)?;
        let age_ms = now.0.saturating_sub(fetched_at.0);
        (age_ms < PROVIDER_JWKS_CACHE_S * 1000).then(|| Arc::clone(key_set))
    }
}

impl fmt::Debug for ProviderKeySets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderKeySets").finish_non_exhaustive()
    }
}
