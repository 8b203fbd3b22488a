//! Who the application is: at the platform, at CIS2, and to its users.

use std::error::Error;
use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use nhs_auth::{
    Access, ApiClient, Application, Cis2, Cis2Client, ClientKey, Destinations, KeySet,
    MemorySessionStore, OsEntropy, PublishedKey, RedirectUri, SealingKey, SessionLimits, Sessions,
    Signer as _, TokenCache, TokenClient, UserApplication,
};

use crate::settings::Settings;

/// Everything that a request may need.
pub(crate) struct WebApp {
    /// Where browsers find it.
    pub(crate) public_url: String,
    /// The API that it calls.
    pub(crate) api_url: String,
    /// Its two identities: the API key at the platform, and the client id at CIS2.
    pub(crate) users: UserApplication<Cis2>,
    /// What it keeps of its users.
    pub(crate) sessions: Sessions,
    /// What calls APIs: as itself, unless it is told a user.
    pub(crate) api: ApiClient,
    key_set: String,
}

impl WebApp {
    pub(crate) fn new(settings: &Settings) -> Result<Self, Box<dyn Error>> {
        let key = &settings.key;
        let application = Application::new(
            settings.token_endpoint.clone(),
            settings.api_key.clone(),
            settings.kid.clone(),
            Arc::clone(key),
        );
        let client = Cis2Client::with_key(
            settings.client_id.clone(),
            RedirectUri::parse(&format!("{}/callback", settings.public_url))?,
            ClientKey::new(settings.kid.clone(), Arc::clone(key)),
        );
        let cis2 = Cis2::new(settings.cis2.clone(), client);
        let mut users = UserApplication::new(application.clone(), cis2)?;
        if let Some(secret) = &settings.client_secret {
            users = users.with_client_secret(secret.clone());
        }
        let tokens = TokenCache::new(TokenClient::new()).source(&application);
        let destinations = Destinations::nhs_only().and(&settings.api_origin)?;
        let published = PublishedKey::new(settings.kid.clone(), key.public_key().clone());
        Ok(Self {
            public_url: settings.public_url.clone(),
            api_url: format!("{}/hello-world/hello", settings.api_origin),
            users,
            // For several instances: `ValkeySessionStore`, and a key derived from a secret.
            sessions: Sessions::new(
                MemorySessionStore::new(),
                SealingKey::random(&OsEntropy::default()),
                SessionLimits::CIS2,
            ),
            api: ApiClient::new(Access::SignedJwt(tokens), destinations),
            key_set: KeySet::new(vec![published])?.to_json(),
        })
    }
}

/// The public keys, for the platform and for CIS2 alike.
pub(crate) async fn key_set(State(app): State<Arc<WebApp>>) -> impl IntoResponse {
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "public, max-age=300")];
    (headers, app.key_set.clone())
}
