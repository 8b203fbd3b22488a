//! Keeping tokens: one request for however many callers, ahead of need, and never twice for the
//! same refusal.

mod file;
mod requests;
mod source;
mod supply;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

pub use file::{TokenFile, TokenFileError, TokenFileLock};
pub use source::{TokenSource, TokenState};

use crate::cache::supply::{Kept, Supply};
use crate::{Application, Clock, Entropy, TokenClient, TokenIssuer};

/// The tokens of this process, one slot for each identity: whatever changes which token is issued
/// (endpoint, API key, kid, key) makes another.
///
/// Cloning shares it.
#[derive(Clone, Debug)]
pub struct TokenCache {
    means: Means,
    folder: Option<PathBuf>,
    sources: Arc<Mutex<HashMap<String, TokenSource>>>,
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
        Self { means, folder: None, sources: Arc::default() }
    }

    /// The same, with the tokens also kept in files of `folder`, for programs that are run again
    /// and again: see [`TokenFile`].
    pub fn with_files(mut self, folder: PathBuf) -> Self {
        self.folder = Some(folder);
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
        let in_file = |folder: &PathBuf| Kept::InFile(TokenFile::new(folder, application));
        self.folder.as_ref().map_or(Kept::Nowhere, in_file)
    }
}
