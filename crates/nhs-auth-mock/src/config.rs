//! The platform's configuration file.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::{fmt, fs};

use nhs_auth_rules::Environment;
use serde::Deserialize;

use crate::app::NewApp;
use crate::clock::millis_of_seconds;
use crate::identity::client::NewClient;
use crate::settings::BasePath;
use crate::user::User;

mod base_path;
mod client;
mod error;

pub use base_path::{BasePathConfig, OwnProvider, TrustConfig};
pub use client::ClientConfig;
pub use error::ConfigError;

/// What a configuration file (TOML) says of the platform.
///
/// ```toml
/// listen = "127.0.0.1:9000"
/// rate_limit = 100000          # token requests a minute for an app; the platform's limit is 300
/// clock_offset_s = 0
/// allowed_hosts = ["mock:9000"] # names for the control API, beside the loopback's own
///
/// [[apps]]
/// name = "my application"
/// application_id = "1b671a64-40d5-491e-99b0-da01ff1f3341"
/// api_key = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1eF"
/// jwks_file = "jwks.json"      # or `jwks` (a table, or the document's text) or `jwks_url`
/// products = ["hello-world"]   # or `scopes`, in the form urn:nhsd:apim:app:level3:hello-world
/// callback_url = "https://app.example/callback"
///
/// [[users]]
/// provider = "cis2"            # or "nhs-login"
/// username = "nurse"
/// level = 3                    # a string stays a string in the ID token
/// roles = [{ person_roleid = "1", role_name = "Nurse", role_code = "S8000:G8000:R8001" }]
/// ```
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct MockConfig {
    /// Where to listen.
    pub listen: Option<SocketAddr>,
    /// How many token requests an application may make in a minute.
    #[serde(alias = "rate-limit")]
    pub rate_limit: Option<u32>,
    /// How far the clock is ahead of the machine's, in seconds.
    #[serde(alias = "clock-offset-s")]
    pub clock_offset_s: Option<f64>,
    /// Names, with their ports, by which the control API may be called beside the loopback's own.
    #[serde(default, alias = "allowed-hosts")]
    pub allowed_hosts: Vec<String>,
    /// The `apikey` that `/_status` wants.
    #[serde(alias = "status-key")]
    pub status_key: Option<String>,
    /// Scheme and host by which clients reach the platform, where that isn't what their `Host`
    /// says: behind a proxy that has a certificate, say.
    #[serde(alias = "public-url")]
    pub public_url: Option<String>,
    /// The environment whose base paths are served, each with the trust that it has there. Without
    /// it there are `/oauth2` and `/oauth2-mock`, and both trust all of the box's providers.
    pub environment: Option<String>,
    /// The base paths, in place of the environment's.
    #[serde(default, alias = "base-paths")]
    pub base_paths: Vec<BasePathConfig>,
    /// How CIS2 is like.
    #[serde(default)]
    pub cis2: Cis2Config,
    /// The applications that are there from the start.
    #[serde(default)]
    pub apps: Vec<AppConfig>,
    /// The API products that are there from the start, beside Hello World.
    #[serde(default)]
    pub products: Vec<ProductConfig>,
    /// The clients that are registered at the identity providers from the start.
    #[serde(default)]
    pub clients: Vec<ClientConfig>,
    /// The users who can sign in, beside the documented ones.
    #[serde(default)]
    pub users: Vec<User>,
    /// Where relative paths in it begin.
    #[serde(skip)]
    pub directory: PathBuf,
}

/// What a configuration file says of one application.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AppConfig {
    /// Its name.
    pub name: String,
    /// Its application ID; a random one when nothing is said.
    #[serde(alias = "application-id")]
    pub application_id: Option<String>,
    /// Its API key; a random one when nothing is said.
    #[serde(alias = "api-key")]
    pub api_key: Option<String>,
    /// Its client secret; a random one when nothing is said.
    #[serde(alias = "client-secret")]
    pub client_secret: Option<String>,
    /// Its key set, uploaded: as a table, or as text, which is kept as it is.
    pub jwks: Option<serde_json::Value>,
    /// A file with its key set, uploaded.
    #[serde(alias = "jwks-file")]
    pub jwks_file: Option<PathBuf>,
    /// The URL of its key set.
    #[serde(alias = "jwks-url")]
    pub jwks_url: Option<String>,
    /// What its APIs allow; Hello World at every level when nothing is said.
    pub scopes: Option<Vec<String>>,
    /// The API products that it is subscribed to, by name.
    pub products: Option<Vec<String>>,
    /// Whether it is subscribed to any API.
    #[serde(default = "yes")]
    pub subscribed: bool,
    /// Whether it is approved.
    #[serde(default = "yes")]
    pub approved: bool,
    /// Where combined sign-in sends the browser back to.
    #[serde(alias = "callback-url")]
    pub callback_url: Option<String>,
    /// How many token requests it may make in a minute.
    #[serde(alias = "rate-limit")]
    pub rate_limit: Option<u32>,
}

/// What a configuration file says of one API product.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ProductConfig {
    /// Its name.
    pub name: String,
    /// What it allows.
    pub scopes: Vec<String>,
}

/// What a configuration file says of CIS2.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Cis2Config {
    /// The issuer that it says it is, such as one with the port `:443` that the real one writes,
    /// in place of its own address.
    pub issuer: Option<String>,
}

impl MockConfig {
    /// Reads a configuration file.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when it can't be read or is wrong.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = read(path)?;
        let mut config: Self = toml::from_str(&text).map_err(|error| ConfigError::Syntax {
            path: path.to_owned(),
            message: error.to_string(),
        })?;
        config.directory = path.parent().map(Path::to_owned).unwrap_or_default();
        Ok(config)
    }

    /// The applications in it, with their files read.
    pub(crate) fn new_apps(&self) -> Result<Vec<NewApp>, ConfigError> {
        let mut seen = BTreeSet::new();
        self.apps
            .iter()
            .map(|app| {
                for identifier in [&app.application_id, &app.api_key].into_iter().flatten() {
                    if !seen.insert(identifier) {
                        return Err(ConfigError::Duplicate { name: app.name.clone() });
                    }
                }
                app.new_app(&self.directory)
            })
            .collect()
    }
}

impl MockConfig {
    /// The clients in it, with their files read.
    pub(crate) fn new_clients(&self) -> Result<Vec<NewClient>, ConfigError> {
        self.clients.iter().map(|client| client.new_client(&self.directory)).collect()
    }

    /// The base paths, if it says anything of them.
    pub(crate) fn base_paths(&self) -> Result<Option<Vec<BasePath>>, ConfigError> {
        let environment = self.environment.as_deref().map(str::parse::<Environment>).transpose();
        let environment = environment.map_err(|source| ConfigError::Environment { source })?;
        if self.base_paths.is_empty() {
            return Ok(environment.map(BasePath::of));
        }
        let environment = environment.unwrap_or(Environment::INT);
        self.base_paths
            .iter()
            .map(|base| base.base_path(environment))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// How far the clock is ahead, in milliseconds.
    pub(crate) fn clock_offset_ms(&self) -> Result<Option<i64>, ConfigError> {
        let Some(seconds) = self.clock_offset_s else { return Ok(None) };
        millis_of_seconds(seconds).map(Some).ok_or(ConfigError::ClockOffset)
    }

    /// The public URL without a slash behind it.
    pub(crate) fn public_url(&self) -> Result<Option<String>, ConfigError> {
        let Some(url) = &self.public_url else { return Ok(None) };
        let origin = url.strip_suffix('/').unwrap_or(url);
        let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        match host {
            Some(host) if !host.is_empty() && !host.contains(['/', '?', '#', ' ', '@']) => {
                Ok(Some(origin.to_owned()))
            }
            _ => Err(ConfigError::PublicUrl { url: url.clone() }),
        }
    }
}

impl fmt::Debug for MockConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockConfig")
            .field("listen", &self.listen)
            .field("environment", &self.environment)
            .field("apps", &self.apps)
            .finish_non_exhaustive()
    }
}

impl AppConfig {
    fn new_app(&self, directory: &Path) -> Result<NewApp, ConfigError> {
        let mut app = NewApp::new(&self.name).approved(self.approved);
        app.application_id.clone_from(&self.application_id);
        app.api_key.clone_from(&self.api_key);
        app.client_secret.clone_from(&self.client_secret);
        app.callback_url.clone_from(&self.callback_url);
        app.rate_limit = self.rate_limit;
        if let Some(scopes) = &self.scopes {
            app = app.scopes(scopes);
        }
        if let Some(products) = &self.products {
            app = app.products(products);
        }
        if !self.subscribed {
            app = app.not_subscribed();
        }
        match (&self.jwks, &self.jwks_file, &self.jwks_url) {
            (None, None, None) => Ok(app),
            (Some(serde_json::Value::String(text)), None, None) => Ok(app.jwks(text)),
            (Some(document), None, None) => Ok(app.jwks(document.to_string())),
            (None, Some(file), None) => Ok(app.jwks(read(&directory.join(file))?)),
            (None, None, Some(url)) => Ok(app.jwks_url(url)),
            _ => Err(ConfigError::TwoKeySets { name: self.name.clone() }),
        }
    }
}

impl fmt::Debug for AppConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppConfig").field("name", &self.name).finish_non_exhaustive()
    }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::KeySource;

    fn apps(text: &str) -> Result<Vec<NewApp>, ConfigError> {
        toml::from_str::<MockConfig>(text).unwrap().new_apps()
    }

    #[test]
    fn an_app_with_everything_in_it() {
        let apps = apps(
            r#"
            listen = "127.0.0.1:9000"
            rate-limit = 5
            [[apps]]
            name = "a"
            api_key = "k"
            scopes = []
            approved = false
            [apps.jwks]
            keys = [{ kty = "RSA", kid = "x" }]
            [[apps]]
            name = "b"
            subscribed = false
            jwks = "not JSON"
            "#,
        )
        .unwrap();
        assert_eq!(apps[0].scopes.as_deref(), Some(&[][..]));
        assert!(!apps[0].approved);
        assert!(
            matches!(&apps[0].keys, KeySource::Uploaded(text) if text.contains(r#""kid":"x""#))
        );
        assert!(matches!(&apps[1].keys, KeySource::Uploaded(text) if text == "not JSON"));
        assert_eq!(apps[1].scopes, None);
    }

    #[test]
    fn what_excludes_each_other_is_refused() {
        let two = "[[apps]]\nname = 'a'\njwks_url = 'https://example.org/'\njwks = 'x'";
        assert!(matches!(apps(two), Err(ConfigError::TwoKeySets { name }) if name == "a"));
        let same = "[[apps]]\nname = 'a'\napi_key = 'k'\n[[apps]]\nname = 'b'\napi_key = 'k'";
        assert!(matches!(apps(same), Err(ConfigError::Duplicate { name }) if name == "b"));
        let missing = "[[apps]]\nname = 'a'\njwks_file = 'no/such/file.json'";
        assert!(matches!(apps(missing), Err(ConfigError::Read { .. })));
    }

    #[test]
    fn an_unknown_member_is_named() {
        let error = toml::from_str::<MockConfig>("[[apps]]\nname = 'a'\nscope = []").unwrap_err();
        assert!(error.to_string().contains("scope"), "{error}");
    }
}
