//! What a configuration file says of the identity providers' clients.

use std::fmt;
use std::path::{Path, PathBuf};

use nhs_auth_rules::SigningAlgorithm;
use serde::Deserialize;

use super::{ConfigError, read};
use crate::app::KeySource;
use crate::identity::client::{AuthMethod, NewClient, platform_client_id};
use crate::identity::provider_named;

/// A client at an identity provider.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ClientConfig {
    /// `cis2` or `nhs-login`.
    pub provider: String,
    /// Its client id; a random one when nothing is said.
    pub client_id: Option<String>,
    /// Its client secret; a random one when nothing is said.
    pub client_secret: Option<String>,
    /// Where the browser may be sent back to; anywhere when nothing is said.
    pub redirect_uris: Option<Vec<String>>,
    /// `client_secret_post` or `private_key_jwt`; what follows from the keys when nothing is said.
    pub token_endpoint_auth_method: Option<String>,
    /// Its key set: as a table, or as text.
    pub jwks: Option<serde_json::Value>,
    /// A file with its key set.
    pub jwks_file: Option<PathBuf>,
    /// The URL of its key set.
    pub jwks_uri: Option<String>,
    /// `RS512` (when nothing is said) or `RS256`.
    pub jwks_uri_signing_algorithm: Option<String>,
}

impl ClientConfig {
    pub(super) fn new_client(&self, directory: &Path) -> Result<NewClient, ConfigError> {
        let keys = match (&self.jwks, &self.jwks_file, &self.jwks_uri) {
            (None, None, None) => KeySource::Nowhere,
            (Some(serde_json::Value::String(text)), None, None) => {
                KeySource::Uploaded(text.clone())
            }
            (Some(document), None, None) => KeySource::Uploaded(document.to_string()),
            (None, Some(file), None) => KeySource::Uploaded(read(&directory.join(file))?),
            (None, None, Some(url)) => KeySource::Url(url.clone()),
            _ => return Err(self.wrong("only one of jwks, jwks_file and jwks_uri can be given")),
        };
        self.registration(keys).map_err(|message| self.wrong(&message))
    }

    /// The client with that key set.
    pub(crate) fn registration(&self, keys: KeySource) -> Result<NewClient, String> {
        let provider = provider_named(&self.provider)?;
        if self.client_id.as_deref() == Some(platform_client_id(provider)) {
            return Err("client_id must be another: this is the platform's own there".to_owned());
        }
        let method = self.token_endpoint_auth_method.as_deref().map(|name| {
            AuthMethod::named(name)
                .ok_or("token_endpoint_auth_method must be client_secret_post or private_key_jwt")
        });
        let algorithm = match self.jwks_uri_signing_algorithm.as_deref() {
            None => SigningAlgorithm::default(),
            Some(name) => SigningAlgorithm::named(name)
                .ok_or("jwks_uri_signing_algorithm must be RS512 or RS256")?,
        };
        Ok(NewClient {
            provider,
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.clone(),
            redirect_uris: self.redirect_uris.clone(),
            keys,
            algorithm,
            method: method.transpose()?,
        })
    }

    fn wrong(&self, message: &str) -> ConfigError {
        let name = self.client_id.as_ref().unwrap_or(&self.provider).clone();
        ConfigError::Client { name, message: message.to_owned() }
    }
}

impl fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientConfig")
            .field("provider", &self.provider)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
