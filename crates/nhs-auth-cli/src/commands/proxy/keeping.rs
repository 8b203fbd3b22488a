//! How the sidecar asks for tokens, and where it keeps them: in a fleet's store, or in files.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nhs_auth::{SealingKey, TokenCache, TokenClient, TokenStore};
use nhs_auth_custody::{ValkeyServer, ValkeyTokenStore};
use nhs_auth_server::ProxyMetrics;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::arguments::{Proxy, Tokens};
use crate::console::Console;
use crate::failure::Failure;
use crate::{identity, secret};

/// What is the same for all applications.
pub(super) struct Keeping {
    store: Option<Shared>,
    /// A file of certificates, and what it holds.
    roots: Option<(PathBuf, Vec<u8>)>,
    console: Console,
}

struct Shared {
    store: Arc<dyn TokenStore>,
    secret: SecretString,
}

impl Keeping {
    pub(super) fn of(
        arguments: &Proxy,
        metrics: &ProxyMetrics,
        console: Console,
    ) -> Result<Self, Failure> {
        let store = match &arguments.token_store {
            Some(url) => {
                Some(Shared::at(url, arguments.token_store_secret.as_deref(), metrics, console)?)
            }
            None => None,
        };
        let roots = arguments.ca_file.as_deref().map(roots).transpose()?;
        Ok(Self { store, roots, console })
    }

    /// What asks the platform for an application's tokens.
    pub(super) fn client(&self, tokens: &Tokens) -> Result<TokenClient, Failure> {
        let client = identity::token_client(tokens.timeout);
        match &self.roots {
            Some((path, roots)) => client.with_root_certificates(roots).map_err(|error| {
                Failure::usage(format!("--ca-file {} can't be used: {error}", path.display()))
            }),
            None => Ok(client),
        }
    }

    /// Where an application's tokens are kept beside memory.
    pub(super) fn keep(&self, cache: TokenCache, tokens: &Tokens) -> TokenCache {
        match &self.store {
            Some(shared) => cache.with_store(Arc::clone(&shared.store), shared.key()),
            None => identity::kept(cache, tokens, self.console),
        }
    }
}

impl Shared {
    fn at(
        url: &str,
        secret: Option<&str>,
        metrics: &ProxyMetrics,
        console: Console,
    ) -> Result<Self, Failure> {
        let url = secret::read("--token-store", url)?;
        let server = ValkeyServer::parse(url.expose_secret().trim())
            .map_err(|error| Failure::usage(format!("--token-store can't be used: {error}")))?;
        let Some(secret) = secret else {
            return Err(Failure::usage("there is no secret for --token-store").hint(
                "give all instances the same with --token-store-secret file:PATH; `openssl rand \
                 -base64 32` makes one",
            ));
        };
        let secret = secret::read("--token-store-secret", secret)?;
        SealingKey::derived_from(&secret).map_err(|error| {
            Failure::usage(format!("--token-store-secret can't be used: {error}"))
        })?;
        if is_open_to_others(url.expose_secret()) {
            console.warn(format_args!(
                "{server} is spoken to without TLS: let the URL begin with rediss://"
            ));
        }
        let store = metrics.counting(Arc::new(ValkeyTokenStore::connect_lazily(&server)));
        Ok(Self { store, secret })
    }

    fn key(&self) -> SealingKey {
        SealingKey::derived_from(&self.secret).expect("it was long enough a moment ago")
    }
}

/// Whether what is said to the server could be read on the way.
fn is_open_to_others(url: &str) -> bool {
    let Ok(url) = Url::parse(url.trim()) else { return false };
    let is_here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    matches!(url.scheme(), "redis" | "valkey") && !is_here
}

fn roots(path: &Path) -> Result<(PathBuf, Vec<u8>), Failure> {
    let pem = fs::read(path).map_err(|error| {
        Failure::usage(format!("can't read --ca-file {}: {error}", path.display()))
    })?;
    Ok((path.to_owned(), pem))
}
