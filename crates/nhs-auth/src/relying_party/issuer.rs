//! Which OpenID provider it is, and where it is found.

use std::fmt;

use nhs_auth_rules::{IdentityProvider, ProviderEnvironment};

use url::Url;

use crate::EndpointError;
use crate::endpoint::parse_base_url;

/// An OpenID provider's issuer identifier (OpenID Connect Core 1.0 §2): its name, and where its
/// discovery document is found.
///
/// CIS2 writes the port in it (`https://am.…:443/openam/…`), and answers without: both forms are
/// the same issuer here. What ID tokens must say, to the letter, is what the discovery document
/// says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Issuer {
    /// Without the scheme's own port, and without a slash at its end.
    base: String,
}

impl Issuer {
    /// CIS2's or NHS login's own, of that environment.
    pub fn of(environment: ProviderEnvironment) -> Self {
        Self::parse(environment.issuer).expect("the environments' issuers are URLs")
    }

    /// A provider at that URL: https, or http on loopback for a stand-in.
    ///
    /// # Errors
    ///
    /// [`EndpointError`] when it is no URL that users could be sent to.
    pub fn parse(url: &str) -> Result<Self, EndpointError> {
        parse_base_url(url).map(|base| Self { base })
    }

    /// The provider of the platform in a box, or of another stand-in in its shape, at that base
    /// URL.
    ///
    /// # Errors
    ///
    /// As [`Issuer::parse`].
    pub fn in_the_box(provider: IdentityProvider, base_url: &str) -> Result<Self, EndpointError> {
        let path = match provider {
            IdentityProvider::Cis2 => {
                "/openam/oauth2/realms/root/realms/NHSIdentity/realms/Healthcare"
            }
            IdentityProvider::NhsLogin => "/nhs-login",
        };
        Self::parse(&[base_url.trim_end_matches('/'), path].concat())
    }

    /// Where the discovery document is (OpenID Connect Discovery 1.0 §4).
    pub(super) fn discovery_url(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.base)
    }

    /// The URL with the scheme's port in it, as CIS2 writes its own.
    pub(crate) fn with_port(&self) -> String {
        let Ok(url) = Url::parse(&self.base) else { return self.base.clone() };
        match (url.port(), url.scheme(), self.base.strip_prefix("https://")) {
            (None, "https", Some(rest)) => {
                let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                format!("https://{host}:443{path}")
            }
            _ => self.base.clone(),
        }
    }

    /// Whether a discovery document's `issuer` is this one. Names of hosts have no case and a
    /// scheme has its port; everything else is compared to the letter.
    pub(crate) fn is_named(&self, iss: &str) -> bool {
        parse_base_url(iss).is_ok_and(|base| base == self.base)
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_that_cis2_writes_is_no_other_issuer() {
        let issuer = Issuer::of(ProviderEnvironment::CIS2_INTEGRATION);
        assert_eq!(
            issuer.discovery_url(),
            "https://am.nhsint.auth-ptl.cis2.spineservices.nhs.uk/openam/oauth2/realms/root/\
             realms/NHSIdentity/realms/Healthcare/.well-known/openid-configuration"
        );
        assert!(issuer.is_named(ProviderEnvironment::CIS2_INTEGRATION.issuer));
        assert!(issuer.is_named(&issuer.to_string()));
        assert_eq!(issuer.with_port(), ProviderEnvironment::CIS2_INTEGRATION.issuer);
        assert!(!issuer.is_named(ProviderEnvironment::CIS2_PRODUCTION.issuer));
        assert!(!issuer.is_named(&issuer.to_string().replace("Healthcare", "healthcare")));
        assert!(!issuer.is_named(&issuer.to_string().replace("uk/", "uk:8443/")));
    }

    #[test]
    fn a_slash_at_the_end_is_no_other_issuer() {
        let issuer = Issuer::of(ProviderEnvironment::NHS_LOGIN_PRODUCTION);
        assert!(issuer.is_named("https://auth.login.nhs.uk/"));
        assert!(!issuer.is_named("http://auth.login.nhs.uk"));
        assert!(!issuer.is_named("https://login.nhs.uk"));
    }

    #[test]
    fn users_are_not_sent_to_another_machine_in_plain_http() {
        assert!(Issuer::parse("http://auth.example.org").is_err());
        let here = Issuer::in_the_box(IdentityProvider::NhsLogin, "http://127.0.0.1:9000/");
        assert_eq!(here.unwrap().to_string(), "http://127.0.0.1:9000/nhs-login");
    }
}
