//! An application that the proxy gets tokens for.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use nhs_auth::{
    Application, Clock, ErrorClass, IssuedToken, KeyRing, OsEntropy, SystemClock, TokenCache,
    TokenClient, TokenError, TokenErrorKind, TokenIssuer, TokenSource,
};

use super::metrics::AppCounts;
use super::user_tokens::UserTokenShelf;

/// An application of the developer portal, by the name that routes know it by.
///
/// Cloning shares its tokens.
#[derive(Clone)]
pub struct ProxyApp(Arc<App>);

struct App {
    name: String,
    tokens: TokenSource,
    client: Arc<CountingClient>,
    users: UserTokenShelf,
    ring: Option<KeyRing>,
}

impl ProxyApp {
    /// An application whose tokens `client` asks for. `keep` says how they are kept beside memory:
    /// in files, or in a store that a fleet shares; `|cache| cache` for neither.
    pub fn new(
        name: impl Into<String>,
        application: &Application,
        client: TokenClient,
        keep: impl FnOnce(TokenCache) -> TokenCache,
    ) -> Self {
        let client = Arc::new(CountingClient { client, counts: OnceLock::new() });
        let (clock, entropy) = (Arc::new(SystemClock::default()), Arc::new(OsEntropy::default()));
        let cache = keep(TokenCache::with(Arc::clone(&client) as _, clock, entropy));
        Self(Arc::new(App {
            name: name.into(),
            tokens: cache.source(application),
            client,
            users: UserTokenShelf::new(),
            ring: None,
        }))
    }

    /// The same, whose keys' ages are told from this ring, which it signs by.
    pub fn with_key_ring(self, ring: KeyRing) -> Self {
        let app = &*self.0;
        Self(Arc::new(App {
            name: app.name.clone(),
            tokens: app.tokens.clone(),
            client: Arc::clone(&app.client),
            users: UserTokenShelf::new(),
            ring: Some(ring),
        }))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Where its tokens come from.
    pub fn tokens(&self) -> &TokenSource {
        &self.0.tokens
    }

    pub(super) fn users(&self) -> &UserTokenShelf {
        &self.0.users
    }

    pub(super) fn client(&self) -> &TokenClient {
        &self.0.client.client
    }

    /// A token that nobody else gets: the one that is kept stays.
    pub(super) async fn new_token(&self) -> Result<IssuedToken, TokenError> {
        self.0.client.issue(self.0.tokens.application()).await
    }

    pub(super) fn ring(&self) -> Option<&KeyRing> {
        self.0.ring.as_ref()
    }

    /// Has its token requests counted. The first who does so counts them.
    pub(super) fn count(&self, counts: AppCounts) {
        // One who counts already goes on.
        let _: Result<_, _> = self.0.client.counts.set(counts);
    }

    pub(super) fn counts(&self) -> Option<&AppCounts> {
        self.0.client.counts.get()
    }
}

impl fmt::Debug for ProxyApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyApp").field("name", &self.0.name).finish_non_exhaustive()
    }
}

/// Asks for tokens, and counts what comes of it.
#[derive(Debug)]
struct CountingClient {
    client: TokenClient,
    counts: OnceLock<AppCounts>,
}

impl TokenIssuer for CountingClient {
    fn issue<'a>(
        &'a self,
        application: &'a Application,
    ) -> Pin<Box<dyn Future<Output = Result<IssuedToken, TokenError>> + Send + 'a>> {
        Box::pin(async move {
            let issued = self.client.request(application).await;
            if let Some(counts) = self.counts.get() {
                count(counts, issued.as_ref().err());
            }
            issued
        })
    }
}

/// Counts what came of a token request.
pub(super) fn count(counts: &AppCounts, failure: Option<&TokenError>) {
    let Some(error) = failure else { return counts.requested("issued") };
    counts.requested(match error.class() {
        ErrorClass::Refused => "refused",
        ErrorClass::Local => "local",
        _ => "unavailable",
    });
    if matches!(error.kind, TokenErrorKind::Refused { .. }) {
        // One text can stand for several rules: the platform meets the first of them first.
        let rule = error.rules().first().map_or("unknown", |rule| rule.id.as_str());
        counts.refused(rule.to_owned());
    }
}

/// The time, for what is kept by it.
pub(super) fn now() -> nhs_auth::UnixMillis {
    SystemClock::default().now()
}
