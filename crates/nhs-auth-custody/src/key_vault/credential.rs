//! Who asks: the identity that the environment gives this program.

mod sources;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions};
use azure_core::error::ErrorKind;
use azure_core::time::OffsetDateTime;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use sources::Sources;

/// How long a source may take where another comes after it.
const ONE_SOURCE: Duration = Duration::from_secs(4);

/// Nothing in the environment gave a token. What each source said may hold anything, and is not
/// passed on.
#[derive(Debug, thiserror::Error)]
#[error(
    "nothing here says who asks: set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, run \
     where a workload identity or a managed identity is, or sign in with `az login`"
)]
pub(super) struct NobodyAsks;

/// The credential that the environment's variables name; where they name none, the machine's
/// managed identity, and then whoever has signed in with the Azure CLI.
#[derive(Default)]
pub(super) struct EnvironmentCredential {
    sources: OnceCell<Vec<Arc<dyn TokenCredential>>>,
    /// The source that gave the last token, which is asked first.
    last: AtomicUsize,
}

impl EnvironmentCredential {
    async fn sources(&self) -> azure_core::Result<&[Arc<dyn TokenCredential>]> {
        let made = self.sources.get_or_try_init(async || Sources::of_process().credentials());
        Ok(made.await?)
    }
}

impl fmt::Debug for EnvironmentCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvironmentCredential").finish_non_exhaustive()
    }
}

#[async_trait]
impl TokenCredential for EnvironmentCredential {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let sources = self.sources().await?;
        if let [only] = sources {
            return only.get_token(scopes, options).await;
        }
        let last = self.last.load(Ordering::Relaxed);
        for at in (last..sources.len()).chain(0..last) {
            let asked = timeout(ONE_SOURCE, sources[at].get_token(scopes, options.clone()));
            if let Ok(Ok(token)) = asked.await {
                self.last.store(at, Ordering::Relaxed);
                return Ok(token);
            }
        }
        Err(azure_core::Error::new(ErrorKind::Credential, NobodyAsks))
    }
}

/// For a stand-in that is spoken to without TLS: no real token is sent there.
#[derive(Debug)]
pub(super) struct NoCredential;

#[async_trait]
impl TokenCredential for NoCredential {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let expires_on = OffsetDateTime::now_utc() + Duration::from_hours(1);
        Ok(AccessToken::new(Secret::new("anonymous"), expires_on))
    }
}
