//! An application: as it is made, and as its owner knows it.

use std::fmt;

use nhs_auth_rules::ApplicationRecord;
use serde::{Deserialize, Serialize};

use crate::random;

/// The API product that is always there.
pub(crate) const HELLO_WORLD: &str = "hello-world";

/// What it allows: Hello World at every level.
pub(crate) const EVERY_LEVEL: [&str; 8] = [
    "urn:nhsd:apim:app:level0:hello-world",
    "urn:nhsd:apim:app:level3:hello-world",
    "urn:nhsd:apim:user-nhs-cis2:aal1:hello-world",
    "urn:nhsd:apim:user-nhs-cis2:aal2:hello-world",
    "urn:nhsd:apim:user-nhs-cis2:aal3:hello-world",
    "urn:nhsd:apim:user-nhs-login:P0:hello-world",
    "urn:nhsd:apim:user-nhs-login:P5:hello-world",
    "urn:nhsd:apim:user-nhs-login:P9:hello-world",
];

/// What an application's owner knows of it.
#[derive(Clone, Serialize, Deserialize)]
pub struct App {
    application_id: String,
    api_key: String,
    client_secret: String,
}

impl App {
    /// The application ID: a UUID, which is never part of an assertion.
    pub fn application_id(&self) -> &str {
        &self.application_id
    }

    /// The API key: 32 letters and digits, `iss` and `sub` of an assertion.
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// The client secret, for combined sign-in.
    pub fn client_secret(&self) -> &str {
        &self.client_secret
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("application_id", &self.application_id).finish_non_exhaustive()
    }
}

/// Where the platform gets an application's key set.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum KeySource {
    /// No public key is registered.
    Nowhere,
    /// The document was uploaded. The platform gives each upload a URL that is the document
    /// itself, so a new one is seen at once.
    Uploaded(String),
    /// The application's owner serves it.
    Url(String),
}

/// An application to be made. Approved, active, subscribed to Hello World at every level, and
/// without a public key, unless told otherwise.
#[derive(Clone, Serialize, Deserialize)]
pub struct NewApp {
    pub(crate) name: String,
    pub(crate) application_id: Option<String>,
    pub(crate) api_key: Option<String>,
    pub(crate) client_secret: Option<String>,
    pub(crate) callback_url: Option<String>,
    pub(crate) keys: KeySource,
    pub(crate) approved: bool,
    pub(crate) company_active: bool,
    pub(crate) developer_active: bool,
    pub(crate) scopes: Option<Vec<String>>,
    /// The API products that it is subscribed to beside, by name.
    pub(crate) products: Vec<String>,
    pub(crate) rate_limit: Option<u32>,
}

impl NewApp {
    /// An application of that name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            application_id: None,
            api_key: None,
            client_secret: None,
            callback_url: None,
            keys: KeySource::Nowhere,
            approved: true,
            company_active: true,
            developer_active: true,
            scopes: Some(EVERY_LEVEL.map(str::to_owned).to_vec()),
            products: Vec::new(),
            rate_limit: None,
        }
    }

    /// Uploads a key set: the text of the document, which is kept and served as it is, whatever
    /// it holds.
    pub fn jwks(mut self, document: impl Into<String>) -> Self {
        self.keys = KeySource::Uploaded(document.into());
        self
    }

    /// Registers the URL of a key set in place of an upload.
    pub fn jwks_url(mut self, url: impl Into<String>) -> Self {
        self.keys = KeySource::Url(url.into());
        self
    }

    /// What its APIs allow, in the form `urn:nhsd:apim:app:level3:hello-world`. Empty is
    /// subscribed to APIs that allow nothing.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Subscribes it to API products, by name, and to nothing else; what they allow is theirs to
    /// say ([`MockPlatform::create_product`](crate::MockPlatform::create_product)). `hello-world`
    /// is always there.
    pub fn products<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.products = names.into_iter().map(Into::into).collect();
        self.scopes = Some(Vec::new());
        self
    }

    /// Subscribes it to no API.
    pub fn not_subscribed(mut self) -> Self {
        self.products.clear();
        self.scopes = None;
        self
    }

    /// Where combined sign-in sends the browser back to.
    pub fn callback_url(mut self, url: impl Into<String>) -> Self {
        self.callback_url = Some(url.into());
        self
    }

    /// Whether it is approved and not revoked.
    pub fn approved(mut self, approved: bool) -> Self {
        self.approved = approved;
        self
    }

    /// Whether the company that it belongs to is active.
    pub fn company_active(mut self, active: bool) -> Self {
        self.company_active = active;
        self
    }

    /// Whether the developer who made it is active.
    pub fn developer_active(mut self, active: bool) -> Self {
        self.developer_active = active;
        self
    }

    /// How many token requests it may make in a minute, in place of the platform's limit.
    pub fn rate_limit(mut self, requests_a_minute: u32) -> Self {
        self.rate_limit = Some(requests_a_minute);
        self
    }

    /// Its application ID, in place of a random one.
    pub fn application_id(mut self, id: impl Into<String>) -> Self {
        self.application_id = Some(id.into());
        self
    }

    /// Its API key, in place of a random one.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// Its client secret, in place of a random one.
    pub fn client_secret(mut self, secret: impl Into<String>) -> Self {
        self.client_secret = Some(secret.into());
        self
    }

    /// The identifiers that were given, and random ones for the rest.
    pub(crate) fn identity(&self) -> App {
        self.identity_or(App {
            application_id: random::uuid(),
            api_key: random::alphanumeric(32),
            client_secret: random::alphanumeric(16),
        })
    }

    /// The identifiers that were given, and those for the rest.
    pub(crate) fn identity_or(&self, other: App) -> App {
        App {
            application_id: self.application_id.clone().unwrap_or(other.application_id),
            api_key: self.api_key.clone().unwrap_or(other.api_key),
            client_secret: self.client_secret.clone().unwrap_or(other.client_secret),
        }
    }

    /// What the rules look at, with what its products allow.
    pub(crate) fn record(&self, allowed_by: impl Fn(&str) -> Vec<String>) -> ApplicationRecord {
        let mut scopes = self.scopes.clone();
        for product in &self.products {
            let all = scopes.get_or_insert_default();
            all.extend(allowed_by(product).into_iter().filter(|scope| !self.has(scope)));
        }
        ApplicationRecord {
            approved: self.approved,
            company_active: self.company_active,
            developer_active: self.developer_active,
            has_key_set: !matches!(self.keys, KeySource::Nowhere),
            scopes,
            callback_url: self.callback_url.clone(),
        }
    }

    fn has(&self, scope: &String) -> bool {
        self.scopes.as_ref().is_some_and(|scopes| scopes.contains(scope))
    }
}

impl fmt::Debug for NewApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewApp")
            .field("name", &self.name)
            .field("approved", &self.approved)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}
