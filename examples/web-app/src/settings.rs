//! What the application is told from outside; or the platform in a box, when it is told nothing.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use nhs_auth::{
    ApiKey, Cis2ClientId, ClientSecret, Environment, IdentityProvider, Issuer, Kid, LocalSigner,
    PrivateKey, ProviderEnvironment, TokenEndpoint,
};
use nhs_auth_mock::{MockPlatform, NewApp, NewClient};

/// Where the browser is, and who the application is at the platform and at CIS2.
pub(crate) struct Settings {
    pub(crate) public_url: String,
    pub(crate) api_origin: String,
    pub(crate) token_endpoint: TokenEndpoint,
    pub(crate) cis2: Issuer,
    pub(crate) api_key: ApiKey,
    pub(crate) client_secret: Option<ClientSecret>,
    pub(crate) client_id: Cis2ClientId,
    pub(crate) kid: Kid,
    pub(crate) key: Arc<LocalSigner>,
    platform: Option<MockPlatform>,
}

/// The address to listen at: `WEB_APP_LISTEN`, or 127.0.0.1:3000.
pub(crate) fn listen() -> Result<SocketAddr, Box<dyn Error>> {
    Ok(variable("WEB_APP_LISTEN").as_deref().unwrap_or("127.0.0.1:3000").parse()?)
}

impl Settings {
    /// From the environment, when it has an API key, and else with the platform in a box.
    pub(crate) async fn read(listening: SocketAddr) -> Result<Self, Box<dyn Error>> {
        let public_url =
            variable("WEB_APP_PUBLIC_URL").unwrap_or_else(|| format!("http://{listening}"));
        let public_url = public_url.trim_end_matches('/').to_owned();
        match variable("NHS_AUTH_API_KEY") {
            Some(api_key) => Self::from_environment(public_url, &api_key),
            None => Self::with_a_box(public_url).await,
        }
    }

    fn from_environment(public_url: String, api_key: &str) -> Result<Self, Box<dyn Error>> {
        let needed = |name: &str| variable(name).ok_or_else(|| format!("{name} is not set"));
        let (token_endpoint, api_origin, cis2) = match variable("NHS_AUTH_BASE_URL") {
            Some(base) => (
                TokenEndpoint::at(&base, None)?,
                base.clone(),
                Issuer::in_the_box(IdentityProvider::Cis2, &base)?,
            ),
            None => (
                TokenEndpoint::of(Environment::INT),
                Environment::INT.origin.to_owned(),
                Issuer::of(ProviderEnvironment::CIS2_INTEGRATION),
            ),
        };
        let key = PrivateKey::load(needed("NHS_AUTH_PRIVATE_KEY")?.as_ref(), None)?.key;
        Ok(Self {
            public_url,
            api_origin,
            token_endpoint,
            cis2,
            api_key: ApiKey::parse(api_key)?,
            client_secret: variable("NHS_AUTH_API_SECRET").map(ClientSecret::new),
            client_id: Cis2ClientId::parse(&needed("NHS_AUTH_CLIENT_ID")?)?,
            kid: Kid::parse(&needed("NHS_AUTH_KID")?)?,
            key: Arc::new(LocalSigner::new(key)),
            platform: None,
        })
    }

    /// Registers the application in a box of its own, by the URL of its key set.
    async fn with_a_box(public_url: String) -> Result<Self, Box<dyn Error>> {
        let platform = MockPlatform::start().await?;
        let keys = format!("{public_url}/.well-known/jwks.json");
        let app = platform.create_app(NewApp::new("web-app").jwks_url(&keys));
        let client = NewClient::cis2().jwks_uri(&keys);
        let client = client.redirect_uri(format!("{public_url}/callback"));
        let client = platform.create_client(client).ok_or("the box takes no more clients")?;
        let kid = Kid::parse("web-app-1")?;
        Ok(Self {
            public_url,
            api_origin: platform.base_url(),
            token_endpoint: TokenEndpoint::at(&platform.base_url(), None)?,
            cis2: Issuer::parse(&platform.cis2_url())?,
            api_key: ApiKey::parse(app.api_key())?,
            client_secret: Some(ClientSecret::new(app.client_secret())),
            client_id: Cis2ClientId::parse(client.client_id())?,
            kid,
            key: Arc::new(LocalSigner::new(PrivateKey::generate()?)),
            platform: Some(platform),
        })
    }

    /// The box, when there is one.
    pub(crate) fn in_a_box(&self) -> Option<&MockPlatform> {
        self.platform.as_ref()
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where settings come in")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
