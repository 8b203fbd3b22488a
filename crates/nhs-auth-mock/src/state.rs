//! Everything that the platform remembers.

pub(crate) mod apps;
pub(crate) mod expiring;
pub(crate) mod faults;
pub(crate) mod jtis;
pub(crate) mod key_sets;
pub(crate) mod provider_key_sets;
pub(crate) mod quota;
pub(crate) mod requests;
pub(crate) mod sessions;
pub(crate) mod tokens;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::app::KeySource;
use crate::call::Call;
use crate::clock::Clock;
use crate::identity::Identity;
use crate::identity::realm::Realm;
use crate::settings::Settings;
use apps::Apps;
use faults::Faults;
use jtis::Jtis;
use key_sets::{KeySet, KeySets};
use provider_key_sets::{ProviderKeySets, Source};
use requests::Requests;
use sessions::Sessions;
use tokens::Tokens;

/// Everything that the platform remembers.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) apps: Apps,
    pub(crate) faults: Faults,
    pub(crate) identity: Identity,
    pub(crate) jtis: Jtis,
    pub(crate) key_sets: KeySets,
    pub(crate) provider_key_sets: ProviderKeySets,
    pub(crate) requests: Requests,
    pub(crate) sessions: Sessions,
    pub(crate) tokens: Tokens,
    /// How many requests may have changed something.
    changes: AtomicU64,
}

impl State {
    pub(crate) fn new(
        settings: Settings,
        clock: Clock,
        apps: Apps,
        faults: Faults,
        identity: Identity,
    ) -> Self {
        Self {
            settings,
            clock,
            apps,
            faults,
            identity,
            jtis: Jtis::default(),
            key_sets: KeySets::default(),
            provider_key_sets: ProviderKeySets::default(),
            requests: Requests::default(),
            sessions: Sessions::default(),
            tokens: Tokens::default(),
            changes: AtomicU64::new(0),
        }
    }

    /// Back to the start: the apps that were there then, and nothing that happened since.
    pub(crate) fn reset(&self) {
        self.faults.reset();
        self.clock.reset();
        self.apps.reset();
        self.identity.reset();
        self.sessions.clear();
        self.tokens.clear();
        self.jtis.clear();
        self.key_sets.clear();
        self.provider_key_sets.clear();
        self.requests.clear();
    }

    /// Notes that something may have changed.
    pub(crate) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::Relaxed);
    }

    /// How often something may have changed.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    /// The URL as it was called, without the query: what an audience is compared with.
    pub(crate) fn url_as_called(&self, call: &Call) -> String {
        match &self.settings.public_url {
            Some(url) => [url, call.path()].concat(),
            None => ["http://", call.host(), call.path()].concat(),
        }
    }

    /// Scheme and host as this caller knows them.
    pub(crate) fn origin_of(&self, call: &Call) -> String {
        self.settings.origin(call.host())
    }

    /// A client's key set, as it was uploaded or as its URL has it.
    pub(crate) async fn key_set_of(
        &self,
        source: &KeySource,
        uploaded: Option<&Arc<KeySet>>,
    ) -> Option<Arc<KeySet>> {
        match source {
            KeySource::Nowhere => None,
            KeySource::Uploaded(_) => uploaded.cloned(),
            KeySource::Url(url) => self.key_sets.fetch(url, self.clock.now()).await,
        }
    }

    /// An identity provider's key set as the platform has it.
    pub(crate) async fn provider_key_set(&self, source: &Source, kid: &str) -> Option<Arc<KeySet>> {
        self.provider_key_sets.fetch(source, kid, &self.identity.keys, self.clock.now()).await
    }

    /// An issuer of the box in its own spelling, where a text differs from it in case alone.
    pub(crate) fn spelt_as_an_issuer_is(&self, iss: &str) -> Option<String> {
        let lower = iss.to_ascii_lowercase();
        let own = self.settings.cis2_issuer.clone();
        if let Some(own) = own.filter(|own| own.to_ascii_lowercase() == lower) {
            return Some(own);
        }
        let path = self.settings.own_path(&lower)?;
        let origin = lower.strip_suffix(path)?;
        let realm = Realm::all().find(|realm| realm.path().to_ascii_lowercase() == path)?;
        Some([origin, &realm.path()].concat())
    }
}

/// What is locked here stays whole between any two statements, so a panic of another thread is no
/// reason to stop.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
