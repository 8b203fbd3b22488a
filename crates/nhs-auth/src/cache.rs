//! Keeping tokens: one request for however many callers, ahead of need, and never twice for the
//! same refusal.

mod file;
mod fleet;
mod requests;
mod source;
mod store;
mod supply;
mod written;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

pub use file::{TokenFile, TokenFileError, TokenFileLock};
pub use source::{TokenSource, TokenState};
pub use store::{FleetName, KeptToken, LeaseHolder, TokenStore};

use crate::cache::fleet::{Fleet, SharedStore};
use crate::cache::supply::{Kept, Supply};
use crate::{Application, Clock, Entropy, SealingKey, TokenClient, TokenIssuer};

/// The tokens of this process, one slot for each identity: whatever changes which token is issued
/// (endpoint, API key, kid, key) makes another.
///
/// Cloning shares it.
#[derive(Clone, Debug)]
pub struct TokenCache {
    means: Means,
    place: Place,
    sources: Arc<Mutex<HashMap<String, TokenSource>>>,
}

/// Where tokens are kept beside memory.
#[derive(Clone, Debug)]
enum Place {
    Nowhere,
    Folder(PathBuf),
    Store(Arc<SharedStore>),
}

/// What a slot needs from outside.
#[derive(Clone, Debug)]
struct Means {
    issuer: Arc<dyn TokenIssuer>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl TokenCache {
    /// An empty cache in memory, filled by `client`, with its clock and its randomness.
    pub fn new(client: TokenClient) -> Self {
        let (clock, entropy) = (Arc::clone(client.clock()), Arc::clone(client.entropy()));
        Self::with(Arc::new(client), clock, entropy)
    }

    /// An empty cache in memory, filled by another issuer.
    pub fn with(
        issuer: Arc<dyn TokenIssuer>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let means = Means { issuer, clock, entropy };
        Self { means, place: Place::Nowhere, sources: Arc::default() }
    }

    /// The same, with the tokens also kept in files of `folder`, for programs that are run again
    /// and again: see [`TokenFile`].
    pub fn with_files(mut self, folder: PathBuf) -> Self {
        self.place = Place::Folder(folder);
        self
    }

    /// The same, with the tokens also kept in a store that all instances of a fleet share, for one
    /// token for all of them. In place of files, if there were to be any.
    ///
    /// What is kept there is sealed with `key`, which all instances derive from the same secret
    /// ([`SealingKey::derived_from`]). Instances of the same endpoint and API key share their token,
    /// whatever key each of them signs with.
    ///
    /// One instance renews, under a lease in the store; the others go on with the token they have,
    /// and find the new one there. The store is asked only when a token is due to be renewed, or
    /// there is none. Where it fails, or takes longer than half a second, this instance asks the
    /// platform itself: no call fails for the store. `docs/concepts/fleets.md` has the whole of it.
    pub fn with_store(mut self, store: Arc<dyn TokenStore>, key: SealingKey) -> Self {
        self.place = Place::Store(Arc::new(SharedStore::new(store, key)));
        self
    }

    /// The source of tokens for this application: the same one for the same identity. Keep it
    /// where tokens are needed often; asking for it takes a lock, asking it for a token doesn't.
    pub fn source(&self, application: &Application) -> TokenSource {
        let make = || {
            TokenSource::new(Supply {
                application: application.clone(),
                means: self.means.clone(),
                kept: self.kept(application),
            })
        };
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        sources.entry(application.identity()).or_insert_with(make).clone()
    }

    fn kept(&self, application: &Application) -> Kept {
        match &self.place {
            Place::Nowhere => Kept::Nowhere,
            Place::Folder(folder) => Kept::InFile(TokenFile::new(folder, application)),
            Place::Store(store) => {
                Kept::WithFleet(Fleet::new(Arc::clone(store), application, &self.means))
            }
        }
    }
}
