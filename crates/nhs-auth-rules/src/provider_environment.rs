//! The identity providers' environments, as data, and which of them a base path of the platform
//! trusts.

use crate::environment::{Environment, Provider};
use crate::{IdentityProvider, issuer};

/// One environment of an identity provider, by its issuer.
///
/// Source: the configuration of NHS England's own published clients, and NHS login's interface
/// specification. The path of CIS2's deployment environment is inferred from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ProviderEnvironment {
    /// Whose it is.
    pub provider: IdentityProvider,
    /// What the provider calls it.
    pub name: &'static str,
    /// The `iss` of its ID tokens, to the letter: CIS2 writes the port.
    pub issuer: &'static str,
}

macro_rules! cis2 {
    ($host:literal) => {
        concat!(
            "https://",
            $host,
            ":443/openam/oauth2/realms/root/realms/NHSIdentity/realms/Healthcare"
        )
    };
}

impl ProviderEnvironment {
    /// CIS2, production.
    pub const CIS2_PRODUCTION: Self =
        Self::cis2("production", cis2!("am.nhsidentity.spineservices.nhs.uk"));

    /// CIS2, integration: the path to live.
    pub const CIS2_INTEGRATION: Self =
        Self::cis2("integration", cis2!("am.nhsint.auth-ptl.cis2.spineservices.nhs.uk"));

    /// CIS2, deployment.
    pub const CIS2_DEPLOYMENT: Self =
        Self::cis2("deployment", cis2!("am.nhsdep.auth-ptl.cis2.spineservices.nhs.uk"));

    /// NHS login, production.
    pub const NHS_LOGIN_PRODUCTION: Self =
        Self::nhs_login("production", "https://auth.login.nhs.uk");

    /// NHS login, integration ("aos").
    pub const NHS_LOGIN_AOS: Self = Self::nhs_login("aos", "https://auth.aos.signin.nhs.uk");

    /// NHS login, sandpit.
    pub const NHS_LOGIN_SANDPIT: Self =
        Self::nhs_login("sandpit", "https://auth.sandpit.signin.nhs.uk");

    const fn cis2(name: &'static str, issuer: &'static str) -> Self {
        Self { provider: IdentityProvider::Cis2, name, issuer }
    }

    const fn nhs_login(name: &'static str, issuer: &'static str) -> Self {
        Self { provider: IdentityProvider::NhsLogin, name, issuer }
    }

    /// The provider itself, as the platform's environment trusts it where it trusts the real one.
    /// `None` where that isn't known.
    pub fn real_for(provider: IdentityProvider, environment: Environment) -> Option<Self> {
        match (provider, environment.name) {
            (IdentityProvider::Cis2, "prod") => Some(Self::CIS2_PRODUCTION),
            (IdentityProvider::Cis2, "int" | "internal-qa") => Some(Self::CIS2_INTEGRATION),
            (IdentityProvider::NhsLogin, "prod") => Some(Self::NHS_LOGIN_PRODUCTION),
            (IdentityProvider::NhsLogin, "int" | "internal-qa") => Some(Self::NHS_LOGIN_AOS),
            (IdentityProvider::NhsLogin, "sandbox" | "dev") => Some(Self::NHS_LOGIN_SANDPIT),
            _ => None,
        }
    }
}

/// The issuer whose ID tokens an environment's base path takes, of that provider: the real one, or
/// the platform's hosted mock. `None` for a base path that isn't there.
pub fn trusted_issuer(
    provider: IdentityProvider,
    environment: Environment,
    base_path: &str,
) -> Option<String> {
    let base = environment.base_paths.iter().find(|base| base.path == base_path)?;
    let trusted = match provider {
        IdentityProvider::Cis2 => base.cis2,
        IdentityProvider::NhsLogin => base.nhs_login,
    };
    match trusted {
        Provider::Deployment => Some(ProviderEnvironment::CIS2_DEPLOYMENT.issuer.to_owned()),
        Provider::Mock => Some(hosted_mock(provider, environment)),
        Provider::Real => ProviderEnvironment::real_for(provider, environment)
            .map(|environment| environment.issuer.to_owned()),
    }
}

/// The path of the platform's hosted mock of a provider, such as `/realms/Cis2-mock-int`, behind
/// the host that all of them share.
pub fn hosted_mock_path(provider: IdentityProvider, environment: Environment) -> String {
    let realm = match provider {
        IdentityProvider::Cis2 => "Cis2-mock",
        IdentityProvider::NhsLogin => "NHS-Login-mock",
    };
    format!("/realms/{realm}-{}", environment.name)
}

fn hosted_mock(provider: IdentityProvider, environment: Environment) -> String {
    format!("https://identity.ptl.api.platform.nhs.uk{}", hosted_mock_path(provider, environment))
}

/// Why a token endpoint of the platform doesn't take an issuer's ID tokens (rule S11).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Distrust {
    /// What doesn't fit: lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}

impl Distrust {
    /// Whether the token endpoint at that URL refuses every ID token of the issuer, as far as that
    /// is known: of a host that isn't the platform's nothing is.
    pub fn of(issuer: &str, token_url: &str) -> Option<Self> {
        let host = token_url.split_once("://").map_or(token_url, |(_, rest)| rest);
        let host = host.split(['/', ':']).next().unwrap_or_default();
        let environment = Environment::of_host(host)?;
        match issuer::Trust::of(issuer, Some(environment), Some(token_url)) {
            issuer::Trust::Refused { message, fix } => Some(Self { message, fix }),
            issuer::Trust::Trusted(_) | issuer::Trust::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_base_path_takes_the_issuer_that_is_named_for_it() {
        for environment in Environment::ALL {
            for base in environment.base_paths {
                let token_url = format!("{}{}/token", environment.origin, base.path);
                for provider in [IdentityProvider::Cis2, IdentityProvider::NhsLogin] {
                    let Some(issuer) = trusted_issuer(provider, *environment, base.path) else {
                        panic!("{environment}{} has no {provider}", base.path);
                    };
                    assert_eq!(Distrust::of(&issuer, &token_url), None, "{token_url} {issuer}");
                }
            }
        }
    }

    #[test]
    fn what_belongs_to_another_environment_is_not_taken() {
        let int = Environment::INT.token_url();
        for issuer in [
            ProviderEnvironment::CIS2_PRODUCTION.issuer,
            ProviderEnvironment::CIS2_DEPLOYMENT.issuer,
            ProviderEnvironment::NHS_LOGIN_PRODUCTION.issuer,
            "https://identity.ptl.api.platform.nhs.uk/realms/Cis2-mock-int",
        ] {
            assert!(Distrust::of(issuer, &int).is_some(), "{issuer}");
        }
        let production = Environment::PROD.token_url();
        let distrust =
            Distrust::of(ProviderEnvironment::CIS2_INTEGRATION.issuer, &production).unwrap();
        assert!(distrust.message.contains("integration"), "{}", distrust.message);
    }

    #[test]
    fn of_a_stand_in_nothing_is_known() {
        let issuer = ProviderEnvironment::CIS2_PRODUCTION.issuer;
        assert_eq!(Distrust::of(issuer, "http://127.0.0.1:9000/oauth2/token"), None);
        let dev = Environment::DEV;
        assert_eq!(trusted_issuer(IdentityProvider::Cis2, dev, "/oauth3"), None);
        assert_eq!(
            trusted_issuer(IdentityProvider::Cis2, dev, "/oauth2").as_deref(),
            Some("https://identity.ptl.api.platform.nhs.uk/realms/Cis2-mock-dev")
        );
    }
}
