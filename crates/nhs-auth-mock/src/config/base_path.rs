//! What a configuration file says of the authorization server's base paths.

use nhs_auth_rules::environment::Provider;
use nhs_auth_rules::{Environment, IdentityProvider};
use serde::Deserialize;

use super::ConfigError;
use crate::identity::realm::Realm;
use crate::settings::{BasePath, Trust};

/// A base path, and whom it trusts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct BasePathConfig {
    /// Such as `/oauth2`.
    pub path: String,
    /// Whose healthcare workers' ID tokens it takes.
    pub cis2: TrustConfig,
    /// Whose patients' ID tokens it takes.
    #[serde(alias = "nhs-login")]
    pub nhs_login: TrustConfig,
}

/// Whom a base path trusts.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    untagged,
    expecting = "whom a base path trusts is \"any\", \"real\", \"mock\", \"deployment\", or a table with \
                 `issuer` and `jwks_url`"
)]
#[non_exhaustive]
pub enum TrustConfig {
    /// A provider of the box.
    Own(OwnProvider),
    /// A provider elsewhere.
    Elsewhere {
        /// Its issuer, as it stands in its ID tokens.
        issuer: String,
        /// Where its key set is.
        #[serde(alias = "jwks-url")]
        jwks_url: String,
    },
}

/// The providers that the box has.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OwnProvider {
    /// All of them.
    Any,
    /// CIS2's deployment environment.
    Deployment,
    /// The platform's hosted mock.
    Mock,
    /// The one in the shape of the real one.
    Real,
}

impl BasePathConfig {
    pub(super) fn base_path(&self, environment: Environment) -> Result<BasePath, ConfigError> {
        let wrong = |message| ConfigError::BasePath { path: self.path.clone(), message };
        if !self.path.starts_with('/') || self.path.ends_with('/') {
            return Err(wrong("it must begin with a slash, and not end with one"));
        }
        let trust = |config: &TrustConfig, provider| {
            config.trust(provider, environment).ok_or_else(|| {
                wrong("it can't trust that: NHS login has no deployment, and production no mock")
            })
        };
        Ok(BasePath {
            path: self.path.clone(),
            cis2: trust(&self.cis2, IdentityProvider::Cis2)?,
            nhs_login: trust(&self.nhs_login, IdentityProvider::NhsLogin)?,
        })
    }
}

impl TrustConfig {
    /// `None` for a provider that there isn't.
    fn trust(&self, provider: IdentityProvider, environment: Environment) -> Option<Trust> {
        let own = |kind| {
            let realm = Realm::standing_for(provider, kind, environment);
            Realm::all().find(|it| *it == realm)
        };
        Some(match self {
            Self::Own(OwnProvider::Any) => Trust::EveryOwn(own(Provider::Real)?),
            Self::Own(OwnProvider::Deployment) => Trust::Realm(own(Provider::Deployment)?),
            Self::Own(OwnProvider::Mock) => Trust::Realm(own(Provider::Mock)?),
            Self::Own(OwnProvider::Real) => Trust::Realm(own(Provider::Real)?),
            Self::Elsewhere { issuer, jwks_url } => {
                Trust::Elsewhere { issuer: issuer.clone(), jwks_url: jwks_url.clone() }
            }
        })
    }
}
