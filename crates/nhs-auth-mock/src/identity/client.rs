//! The relying parties: who is registered at the identity providers.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use nhs_auth_rules::{IdentityProvider, SigningAlgorithm};
use serde::{Deserialize, Serialize};

use crate::app::KeySource;
use crate::identity::provider_named;
use crate::random;
use crate::state::key_sets::KeySet;

/// The most clients that can be registered.
const MOST: usize = 10_000;

/// A relying party to be registered at CIS2 or NHS login.
#[derive(Clone)]
pub struct NewClient {
    pub(crate) provider: IdentityProvider,
    pub(crate) client_id: Option<String>,
    pub(crate) client_secret: Option<String>,
    /// Where the browser may be sent back to; `None` is anywhere.
    pub(crate) redirect_uris: Option<Vec<String>>,
    pub(crate) keys: KeySource,
    pub(crate) algorithm: SigningAlgorithm,
    pub(crate) method: Option<AuthMethod>,
}

/// How a client shows who it is at the provider's token endpoint (OpenID Connect Core §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthMethod {
    /// With its secret, in the form.
    ClientSecretPost,
    /// With an assertion that it signed.
    PrivateKeyJwt,
}

impl AuthMethod {
    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::ClientSecretPost, Self::PrivateKeyJwt]
            .into_iter()
            .find(|method| method.name() == name)
    }

    /// The name that OpenID Connect has for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }
}

impl NewClient {
    /// A client of CIS2, with a secret unless it gets keys.
    pub fn cis2() -> Self {
        Self::of(IdentityProvider::Cis2)
    }

    /// A client of NHS login, which takes no secret: it needs keys.
    pub fn nhs_login() -> Self {
        Self::of(IdentityProvider::NhsLogin)
    }

    pub(crate) fn of(provider: IdentityProvider) -> Self {
        Self {
            provider,
            client_id: None,
            client_secret: None,
            redirect_uris: None,
            keys: KeySource::Nowhere,
            algorithm: SigningAlgorithm::default(),
            method: None,
        }
    }

    /// Its client id, in place of a random one.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = Some(id.into());
        self
    }

    /// Its client secret, in place of a random one.
    pub fn client_secret(mut self, secret: impl Into<String>) -> Self {
        self.client_secret = Some(secret.into());
        self
    }

    /// One more place where the browser may be sent back to, compared as text. Without any it may
    /// be sent anywhere.
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uris.get_or_insert_default().push(uri.into());
        self
    }

    /// Its key set: the text of the document.
    pub fn jwks(mut self, document: impl Into<String>) -> Self {
        self.keys = KeySource::Uploaded(document.into());
        self
    }

    /// Where its key set is.
    pub fn jwks_uri(mut self, url: impl Into<String>) -> Self {
        self.keys = KeySource::Url(url.into());
        self
    }

    /// The algorithm that its assertions are registered with: RS512 when nothing is said.
    pub fn signing_algorithm(mut self, algorithm: SigningAlgorithm) -> Self {
        self.algorithm = algorithm;
        self
    }
}

impl fmt::Debug for NewClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewClient")
            .field("provider", &self.provider)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// What a relying party knows of itself.
#[derive(Clone)]
pub struct RelyingParty {
    client_id: String,
    client_secret: String,
}

impl RelyingParty {
    pub(crate) fn of(client: &Client) -> Self {
        Self { client_id: client.id.clone(), client_secret: client.secret.clone() }
    }

    /// The client id: `iss` and `sub` of its assertions.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The client secret, for a client that has no keys.
    pub fn client_secret(&self) -> &str {
        &self.client_secret
    }
}

impl fmt::Debug for RelyingParty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelyingParty").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// A client as it is registered.
pub(crate) struct Client {
    pub(crate) settings: NewClient,
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) method: AuthMethod,
    /// The key set, where it was given as a document.
    pub(crate) uploaded: Option<Arc<KeySet>>,
}

impl Client {
    fn new(settings: NewClient) -> Self {
        let has_keys = !matches!(settings.keys, KeySource::Nowhere);
        let method = settings.method.unwrap_or({
            if has_keys || settings.provider == IdentityProvider::NhsLogin {
                AuthMethod::PrivateKeyJwt
            } else {
                AuthMethod::ClientSecretPost
            }
        });
        Self {
            id: settings.client_id.clone().unwrap_or_else(|| random_id(settings.provider)),
            secret: settings.client_secret.clone().unwrap_or_else(|| random::alphanumeric(32)),
            method,
            uploaded: match &settings.keys {
                KeySource::Uploaded(document) => Some(Arc::new(KeySet::parse(document))),
                KeySource::Nowhere | KeySource::Url(_) => None,
            },
            settings,
        }
    }

    fn name(&self) -> (IdentityProvider, String) {
        (self.settings.provider, self.id.clone())
    }

    pub(crate) fn may_return_to(&self, redirect_uri: &str) -> bool {
        self.settings
            .redirect_uris
            .as_ref()
            .is_none_or(|registered| registered.iter().any(|uri| uri == redirect_uri))
    }
}

/// A client as the state file has it.
#[derive(Serialize, Deserialize)]
pub(crate) struct SavedClient {
    provider: String,
    client_id: String,
    client_secret: String,
    redirect_uris: Option<Vec<String>>,
    keys: KeySource,
    algorithm: String,
    method: String,
}

impl SavedClient {
    fn of(client: &Client) -> Self {
        Self {
            provider: client.settings.provider.name().to_owned(),
            client_id: client.id.clone(),
            client_secret: client.secret.clone(),
            redirect_uris: client.settings.redirect_uris.clone(),
            keys: client.settings.keys.clone(),
            algorithm: client.settings.algorithm.name().to_owned(),
            method: client.method.name().to_owned(),
        }
    }

    /// The client to be registered again, or what is wrong with it.
    pub(crate) fn into_new(self) -> Result<NewClient, String> {
        let unknown = |what: &str| format!("client `{}`: {what} isn't known", self.client_id);
        Ok(NewClient {
            provider: provider_named(&self.provider)?,
            redirect_uris: self.redirect_uris.clone(),
            algorithm: SigningAlgorithm::named(&self.algorithm)
                .ok_or_else(|| unknown(&self.algorithm))?,
            method: Some(AuthMethod::named(&self.method).ok_or_else(|| unknown(&self.method))?),
            keys: self.keys,
            client_id: Some(self.client_id),
            client_secret: Some(self.client_secret),
        })
    }
}

/// In the shape that the provider's client ids have.
fn random_id(provider: IdentityProvider) -> String {
    match provider {
        IdentityProvider::NhsLogin => format!("client-{}", random::digits(8)),
        IdentityProvider::Cis2 => {
            format!("{}.{}.apps.supplier", random::digits(12), random::digits(12))
        }
    }
}

/// The clients, by provider and client id.
pub(crate) struct Clients {
    /// The hosted mocks' and the platform's own.
    built_in: Vec<NewClient>,
    first: Vec<NewClient>,
    now: RwLock<Directory>,
}

type Directory = HashMap<(IdentityProvider, String), Arc<Client>>;

impl Clients {
    /// The hosted mocks' two clients and the platform's own, beside the ones that are given.
    pub(crate) fn new(first: Vec<NewClient>) -> Self {
        let built_in = |provider: IdentityProvider, client_id: &str| NewClient {
            method: Some(AuthMethod::ClientSecretPost),
            ..NewClient::of(provider).client_id(client_id).client_secret(random::alphanumeric(32))
        };
        let providers = [IdentityProvider::Cis2, IdentityProvider::NhsLogin];
        let clients = Self {
            built_in: providers
                .into_iter()
                .flat_map(|it| {
                    [HOSTED_CLIENT_ID, platform_client_id(it)].map(|id| built_in(it, id))
                })
                .collect(),
            first,
            now: RwLock::default(),
        };
        clients.reset();
        clients
    }

    /// `None` when there are too many, and for the platform's own client id.
    pub(crate) fn add(&self, settings: NewClient) -> Option<Arc<Client>> {
        let client = Arc::new(Client::new(settings));
        let name = client.name();
        if is_platforms_own(&name) {
            return None;
        }
        let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
        if now.len() >= MOST && !now.contains_key(&name) {
            return None;
        }
        now.insert(name, Arc::clone(&client));
        Some(client)
    }

    pub(crate) fn find(&self, provider: IdentityProvider, client_id: &str) -> Option<Arc<Client>> {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        now.get(&(provider, client_id.to_owned())).cloned()
    }

    pub(crate) fn remove(&self, provider: IdentityProvider, client_id: &str) -> bool {
        let name = (provider, client_id.to_owned());
        let mut now = self.now.write().unwrap_or_else(PoisonError::into_inner);
        !is_platforms_own(&name) && now.remove(&name).is_some()
    }

    /// All of them, by provider and client id, less the platform's own.
    pub(crate) fn all(&self) -> Vec<Arc<Client>> {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = now
            .values()
            .filter(|client| client.id != platform_client_id(client.settings.provider))
            .cloned()
            .collect();
        all.sort_by_key(|client| (client.settings.provider.name(), client.id.clone()));
        all
    }

    /// All of them, as the state file has them.
    pub(crate) fn saved(&self) -> Vec<SavedClient> {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        now.values().map(|client| SavedClient::of(client)).collect()
    }

    /// The clients of the start, and no other.
    pub(crate) fn reset(&self) {
        self.restore(Vec::new());
    }

    /// These clients, and on top of them those of the start.
    pub(crate) fn restore(&self, clients: Vec<NewClient>) {
        let mut directory = Directory::new();
        let others = clients.into_iter().chain(self.first.iter().cloned()).map(Client::new);
        let others = others.filter(|client| !is_platforms_own(&client.name()));
        for client in self.built_in.iter().cloned().map(Client::new).chain(others) {
            directory.insert(client.name(), Arc::new(client));
        }
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = directory;
    }
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").finish_non_exhaustive()
    }
}

/// The client that the hosted mocks have for everybody's tests.
pub(crate) const HOSTED_CLIENT_ID: &str = "test-client";

fn is_platforms_own((provider, client_id): &(IdentityProvider, String)) -> bool {
    client_id == platform_client_id(*provider)
}

/// The client id that the platform itself has at a provider.
pub(crate) const fn platform_client_id(provider: IdentityProvider) -> &'static str {
    match provider {
        IdentityProvider::NhsLogin => "api-platform",
        IdentityProvider::Cis2 => "123456789012.apps.national",
    }
}
