//! The identity providers of the box, and where each of them lives.

use std::fmt;

use nhs_auth_rules::IdentityProvider;
use nhs_auth_rules::environment::{self, Environment};

/// Where CIS2 has its OpenID provider.
const CIS2: &str = "/openam/oauth2/realms/root/realms/NHSIdentity/realms/Healthcare";

/// Where CIS2's deployment environment is, in the box: before the path that it has there.
const DEPLOYMENT: &str = "/deployment";

/// Where NHS login is, in the box. The real one has a host of its own.
const NHS_LOGIN: &str = "/nhs-login";

/// Where the platform's hosted mocks are.
const HOSTED: &str = "/realms/";

/// An OpenID provider: one of the box's own, in the shape of the real ones or of their hosted mocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Realm {
    pub(crate) provider: IdentityProvider,
    pub(crate) likeness: Likeness,
}

/// Which of a provider's environments a realm is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Likeness {
    /// The provider itself.
    Real,
    /// CIS2's deployment environment.
    Deployment,
    /// The platform's hosted mock of that environment.
    Hosted(Environment),
}

/// What a realm answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Authorize,
    Discovery,
    Jwks,
    SignIn,
    Token,
    UserInfo,
}

impl Realm {
    pub(crate) const CIS2: Self =
        Self { provider: IdentityProvider::Cis2, likeness: Likeness::Real };

    pub(crate) const NHS_LOGIN: Self =
        Self { provider: IdentityProvider::NhsLogin, likeness: Likeness::Real };

    /// The hosted mock of that provider for that environment.
    pub(crate) const fn hosted(provider: IdentityProvider, environment: Environment) -> Self {
        Self { provider, likeness: Likeness::Hosted(environment) }
    }

    /// The realm that stands for what an environment's base path trusts.
    pub(crate) const fn standing_for(
        provider: IdentityProvider,
        kind: environment::Provider,
        environment: Environment,
    ) -> Self {
        let likeness = match kind {
            environment::Provider::Deployment => Likeness::Deployment,
            environment::Provider::Mock => Likeness::Hosted(environment),
            _ => Likeness::Real,
        };
        Self { provider, likeness }
    }

    /// Every realm that there is.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let deployment = Self { provider: IdentityProvider::Cis2, likeness: Likeness::Deployment };
        let hosted = Environment::ALL
            .iter()
            .filter(|environment| **environment != Environment::PROD)
            .flat_map(|environment| {
                [IdentityProvider::Cis2, IdentityProvider::NhsLogin]
                    .map(|provider| Self::hosted(provider, *environment))
            });
        [Self::CIS2, Self::NHS_LOGIN, deployment].into_iter().chain(hosted)
    }

    /// The path of its issuer, such as `/nhs-login`.
    pub(crate) fn path(self) -> String {
        match (self.likeness, self.provider) {
            (Likeness::Hosted(environment), provider) => {
                format!("{HOSTED}{}-{}", hosted_prefix(provider), environment.name)
            }
            (Likeness::Deployment, _) => [DEPLOYMENT, CIS2].concat(),
            (Likeness::Real, IdentityProvider::NhsLogin) => NHS_LOGIN.to_owned(),
            (Likeness::Real, _) => CIS2.to_owned(),
        }
    }

    pub(crate) fn is_hosted(self) -> bool {
        matches!(self.likeness, Likeness::Hosted(_))
    }

    pub(crate) fn is_nhs_login(self) -> bool {
        self.provider == IdentityProvider::NhsLogin
    }

    /// The path of an endpoint behind the issuer's.
    pub(crate) fn endpoint_path(self, endpoint: Endpoint) -> &'static str {
        let hosted = self.is_hosted();
        match (endpoint, hosted, self.is_nhs_login()) {
            (Endpoint::Discovery, ..) => "/.well-known/openid-configuration",
            (Endpoint::SignIn, ..) => "/login-actions/authenticate",
            (Endpoint::Authorize, true, _) => "/protocol/openid-connect/auth",
            (Endpoint::Jwks, true, _) => "/protocol/openid-connect/certs",
            (Endpoint::Token, true, _) => "/protocol/openid-connect/token",
            (Endpoint::UserInfo, true, _) => "/protocol/openid-connect/userinfo",
            (Endpoint::Authorize, ..) => "/authorize",
            (Endpoint::UserInfo, ..) => "/userinfo",
            (Endpoint::Jwks, _, true) => "/.well-known/jwks.json",
            (Endpoint::Jwks, ..) => "/connect/jwk_uri",
            (Endpoint::Token, _, true) => "/token",
            (Endpoint::Token, ..) => "/access_token",
        }
    }

    /// The realm and the endpoint at that path.
    pub(crate) fn at(path: &str) -> Option<(Self, Endpoint)> {
        const ENDPOINTS: [Endpoint; 6] = [
            Endpoint::Authorize,
            Endpoint::Discovery,
            Endpoint::Jwks,
            Endpoint::SignIn,
            Endpoint::Token,
            Endpoint::UserInfo,
        ];
        let (realm, rest) = Self::of_path(path)?;
        let endpoint =
            ENDPOINTS.into_iter().find(|endpoint| realm.endpoint_path(*endpoint) == rest)?;
        Some((realm, endpoint))
    }

    /// The realm whose issuer's path this begins with, and what comes behind it.
    fn of_path(path: &str) -> Option<(Self, &str)> {
        let deployment = path.strip_prefix(DEPLOYMENT).and_then(|rest| rest.strip_prefix(CIS2));
        if let Some(rest) = deployment {
            let likeness = Likeness::Deployment;
            return Some((Self { provider: IdentityProvider::Cis2, likeness }, rest));
        }
        if let Some(rest) = path.strip_prefix(CIS2) {
            return Some((Self::CIS2, rest));
        }
        if let Some(rest) = path.strip_prefix(NHS_LOGIN) {
            return Some((Self::NHS_LOGIN, rest));
        }
        let path = path.strip_prefix(HOSTED)?;
        let end = path.find('/').unwrap_or(path.len());
        let (name, rest) = path.split_at(end);
        Some((Self::named(name)?, rest))
    }

    /// The hosted mock of that name, such as `Cis2-mock-int`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [IdentityProvider::Cis2, IdentityProvider::NhsLogin].into_iter().find_map(|provider| {
            let environment = name.strip_prefix(hosted_prefix(provider))?.strip_prefix('-')?;
            let environment = Environment::named(environment)?;
            (environment != Environment::PROD).then(|| Self::hosted(provider, environment))
        })
    }

    /// The realm whose issuer has that path, to the letter.
    pub(crate) fn with_issuer_path(path: &str) -> Option<Self> {
        Self::of_path(path).filter(|(_, rest)| rest.is_empty()).map(|(realm, _)| realm)
    }
}

/// What people read on the sign-in page.
impl fmt::Display for Realm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_nhs_login() { "NHS login" } else { "NHS CIS2 Authentication" })
    }
}

fn hosted_prefix(provider: IdentityProvider) -> &'static str {
    match provider {
        IdentityProvider::NhsLogin => "NHS-Login-mock",
        IdentityProvider::Cis2 => "Cis2-mock",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_endpoint_of_every_realm_leads_back() {
        let mut seen = std::collections::BTreeSet::new();
        for realm in Realm::all() {
            assert_eq!(Realm::with_issuer_path(&realm.path()), Some(realm));
            for endpoint in [
                Endpoint::Authorize,
                Endpoint::Discovery,
                Endpoint::Jwks,
                Endpoint::SignIn,
                Endpoint::Token,
                Endpoint::UserInfo,
            ] {
                let path = realm.path() + realm.endpoint_path(endpoint);
                assert_eq!(Realm::at(&path), Some((realm, endpoint)), "{path}");
                assert!(seen.insert(path));
            }
        }
        assert_eq!(seen.len(), (3 + 2 * 8) * 6);
    }

    #[test]
    fn what_is_nearly_a_realm_is_none() {
        for path in [
            "/realms/Cis2-mock-prod/protocol/openid-connect/auth",
            "/realms/Cis2-mock-moon/protocol/openid-connect/auth",
            "/realms/Cis2-mock-int/protocol/openid-connect/auth/",
            "/realms/cis2-mock-int/protocol/openid-connect/auth",
            "/realms/Cis2-mock-int",
            "/nhs-login/authorise",
            "/nhs-loginauthorize",
            "/openam/oauth2/authorize",
        ] {
            assert_eq!(Realm::at(path), None, "{path}");
        }
        assert_eq!(Realm::with_issuer_path("/nhs-login/"), None);
    }
}
