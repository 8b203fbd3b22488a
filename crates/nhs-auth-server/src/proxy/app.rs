//! An application that the proxy gets tokens for.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use nhs_auth::{
    Application, Clock, ErrorClass, IssuedToken, KeyRing, OsEntropy, SystemClock, TokenCache,
    TokenClient, TokenError, TokenErrorKind, TokenIssuer, TokenSource,
};

use super::metrics::AppCounts;
use super::trace::{AppTraces, TokenTrace};
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
        let client = Arc::new(CountingClient { client, told: OnceLock::new() });
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

    /// Has its token requests told: counted, and traced. The first who does so hears of them.
    pub(super) fn tell(&self, counts: AppCounts, traces: AppTraces) {
        // Who is told already still is.
        let _: Result<_, _> = self.0.client.told.set(Listeners { counts, traces });
    }

    /// Begins a token request.
    pub(super) fn token_request(&self) -> TokenRequest<'_> {
        self.0.client.token_request()
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
    told: OnceLock<Listeners>,
}

/// Who hears of token requests.
#[derive(Debug)]
struct Listeners {
    counts: AppCounts,
    traces: AppTraces,
}

/// A token request under way.
pub(super) struct TokenRequest<'a>(Option<(&'a AppCounts, TokenTrace)>);

impl CountingClient {
    fn token_request(&self) -> TokenRequest<'_> {
        let told = self.told.get();
        TokenRequest(told.map(|told| (&told.counts, told.traces.token_request())))
    }
}

impl TokenRequest<'_> {
    /// Tells what came of it.
    pub(super) fn ended(self, failure: Option<&TokenError>) {
        let Some((counts, trace)) = self.0 else { return };
        counts.requested(outcome(failure));
        if let Some(rule) = failure.and_then(rule) {
            counts.refused(rule);
        }
        trace.ended(failure);
    }
}

impl TokenIssuer for CountingClient {
    fn issue<'a>(
        &'a self,
        application: &'a Application,
    ) -> Pin<Box<dyn Future<Output = Result<IssuedToken, TokenError>> + Send + 'a>> {
        Box::pin(async move {
            let told = self.token_request();
            let issued = self.client.request(application).await;
            told.ended(issued.as_ref().err());
            issued
        })
    }
}

/// What came of a token request, in a word.
pub(super) fn outcome(failure: Option<&TokenError>) -> &'static str {
    match failure.map(TokenError::class) {
        None => "issued",
        Some(ErrorClass::Refused) => "refused",
        Some(ErrorClass::Local) => "local",
        Some(_) => "unavailable",
    }
}

/// The rule by which the platform refused. One text can stand for several: the platform meets the
/// first of them first.
pub(super) fn rule(error: &TokenError) -> Option<String> {
    let TokenErrorKind::Refused { .. } = error.kind else { return None };
    Some(error.rules().first().map_or("unknown", |rule| rule.id.as_str()).to_owned())
}

/// The time, for what is kept by it.
pub(super) fn now() -> nhs_auth::UnixMillis {
    SystemClock::default().now()
}
