//! An application, as an identity provider has it registered.

use std::fmt;
use std::sync::Arc;

use nhs_auth_rules::{Cis2ClientId, Kid, NhsLoginClientId};
use secrecy::{ExposeSecret as _, SecretString};

use super::redirect_uri::{RedirectUri, RedirectUriError};
use crate::signing_key::KeySource;
use crate::{FollowedKeyRing, Signer, SigningAlgorithm};

/// A client secret (RFC 6749 §2.3.1). `Debug` doesn't show it.
#[derive(Clone, Debug)]
pub struct ClientSecret(Arc<SecretString>);

impl ClientSecret {
    /// Takes a secret.
    pub fn new(secret: impl Into<SecretString>) -> Self {
        Self(Arc::new(secret.into()))
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// The key with which a client shows a provider who it is, under the name that it is registered
/// with there (`private_key_jwt`, OpenID Connect Core 1.0 §9).
#[derive(Clone, Debug)]
pub struct ClientKey {
    pub(super) keys: KeySource,
    pub(super) algorithm: SigningAlgorithm,
}

impl ClientKey {
    /// A key that signs with RS512.
    pub fn new(kid: Kid, signer: impl Signer + 'static) -> Self {
        Self { keys: KeySource::one(kid, signer), algorithm: SigningAlgorithm::Rs512 }
    }

    /// Whichever key of the ring is active, which signs with RS512. The ring's key set has to be
    /// the one that is registered at the provider.
    pub fn following(ring: FollowedKeyRing) -> Self {
        Self { keys: KeySource::Ring(ring), algorithm: SigningAlgorithm::Rs512 }
    }

    /// The same with another algorithm: at CIS2 it must be the one that the client is registered
    /// with (`jwks_uri_signing_algorithm`).
    pub fn with_algorithm(mut self, algorithm: SigningAlgorithm) -> Self {
        self.algorithm = algorithm;
        self
    }
}

/// How a client shows who it is.
#[derive(Clone)]
pub(super) enum Authentication {
    Key(ClientKey),
    Secret(ClientSecret),
}

/// What a provider knows of a client: what the two kinds have in common.
#[derive(Clone)]
pub(super) struct Registration {
    pub(super) client_id: String,
    pub(super) redirect_uri: RedirectUri,
    pub(super) authentication: Authentication,
}

/// An application, as it is registered with CIS2: by its CIS2 client id, never by the API key.
///
/// ```compile_fail
/// use nhs_auth::{ApiKey, Cis2Client, ClientSecret, RedirectUri};
///
/// let api_key = ApiKey::parse("abcdefghijklmnopqrstuvwxyz012345").unwrap();
/// let redirect_uri = RedirectUri::parse("https://app.example.org/callback").unwrap();
/// Cis2Client::with_secret(api_key, redirect_uri, ClientSecret::new("…"));
/// ```
#[derive(Clone)]
pub struct Cis2Client(pub(super) Registration);

impl Cis2Client {
    /// A client that signs (`private_key_jwt`), as CIS2 recommends.
    pub fn with_key(client_id: Cis2ClientId, redirect_uri: RedirectUri, key: ClientKey) -> Self {
        Self(Registration {
            client_id: client_id.into_string(),
            redirect_uri,
            authentication: Authentication::Key(key),
        })
    }

    /// A client with a secret (`client_secret_post`). CIS2 registers one or the other.
    pub fn with_secret(
        client_id: Cis2ClientId,
        redirect_uri: RedirectUri,
        secret: ClientSecret,
    ) -> Self {
        Self(Registration {
            client_id: client_id.into_string(),
            redirect_uri,
            authentication: Authentication::Secret(secret),
        })
    }
}

/// An application, as it is registered with NHS login, which takes `private_key_jwt` alone, by
/// RS512.
///
/// ```compile_fail
/// use nhs_auth::{ClientSecret, NhsLoginClient, NhsLoginClientId, RedirectUri};
///
/// let client_id = NhsLoginClientId::parse("my-client").unwrap();
/// let redirect_uri = RedirectUri::parse("https://app.example.org/callback").unwrap();
/// NhsLoginClient::new(client_id, redirect_uri, ClientSecret::new("…"));
/// ```
#[derive(Clone)]
pub struct NhsLoginClient(pub(super) Registration);

impl NhsLoginClient {
    /// A client that signs with RS512 under that key's name.
    ///
    /// # Errors
    ///
    /// [`RedirectUriError::Query`] for a redirect URI that NHS login doesn't allow.
    pub fn new(
        client_id: NhsLoginClientId,
        redirect_uri: RedirectUri,
        kid: Kid,
        signer: impl Signer + 'static,
    ) -> Result<Self, RedirectUriError> {
        Self::with_key(client_id, redirect_uri, ClientKey::new(kid, signer))
    }

    /// The same with a key as CIS2 takes it. NHS login takes RS512, and so it is signed with,
    /// whatever the key says.
    ///
    /// # Errors
    ///
    /// [`RedirectUriError::Query`] for a redirect URI that NHS login doesn't allow.
    pub fn with_key(
        client_id: NhsLoginClientId,
        redirect_uri: RedirectUri,
        key: ClientKey,
    ) -> Result<Self, RedirectUriError> {
        Ok(Self(Registration {
            client_id: client_id.into_string(),
            redirect_uri: redirect_uri.for_nhs_login()?,
            authentication: Authentication::Key(key.with_algorithm(SigningAlgorithm::Rs512)),
        }))
    }

    /// The platform's hosted mock of NHS login, whose clients have a secret.
    ///
    /// # Errors
    ///
    /// [`RedirectUriError::Query`] for a redirect URI that NHS login doesn't allow.
    pub fn of_hosted_mock(
        client_id: NhsLoginClientId,
        redirect_uri: RedirectUri,
        secret: ClientSecret,
    ) -> Result<Self, RedirectUriError> {
        Ok(Self(Registration {
            client_id: client_id.into_string(),
            redirect_uri: redirect_uri.for_nhs_login()?,
            authentication: Authentication::Secret(secret),
        }))
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authentication = match &self.authentication {
            Authentication::Key(_) => "private_key_jwt",
            Authentication::Secret(_) => "client_secret_post",
        };
        f.debug_struct("Registration")
            .field("client_id", &self.client_id)
            .field("redirect_uri", &self.redirect_uri)
            .field("authentication", &authentication)
            .finish()
    }
}

impl fmt::Debug for Cis2Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cis2Client").field(&self.0).finish()
    }
}

impl fmt::Debug for NhsLoginClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NhsLoginClient").field(&self.0).finish()
    }
}
