//! The platform's environments and their OAuth base paths, as data.

use std::fmt;
use std::str::FromStr;

/// One environment of the API platform: a host, and what answers there.
///
/// Source: the platform's published configuration. `https://<name>.api.service.nhs.uk`, and
/// production without the label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Environment {
    /// The name, as in `--env`.
    pub name: &'static str,
    /// Scheme and host, with no slash at the end.
    pub origin: &'static str,
    /// The portal's name of the environment; `None` for one that only NHS England's own teams use.
    pub portal_name: Option<&'static str>,
    /// The OAuth base paths that are deployed, the usual one first.
    pub base_paths: &'static [BasePath],
    /// What a caller should know before choosing it.
    pub note: &'static str,
}

/// Where an OAuth server of an environment lives, and which sign-in stands behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct BasePath {
    /// The path, with a slash in front and none behind, such as `/oauth2`.
    pub path: &'static str,
    /// Whose healthcare workers' ID tokens it takes.
    pub cis2: Provider,
    /// Whose patients' ID tokens it takes.
    pub nhs_login: Provider,
}

/// Which identity provider stands behind a base path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Provider {
    /// The platform's own simulation.
    Mock,
    /// The provider itself: for tests its integration environment, in production the live one.
    Real,
    /// CIS2's deployment environment.
    Deployment,
}

/// The usual base path of an environment's OAuth server.
pub const OAUTH2: &str = "/oauth2";

const fn base_path(path: &'static str, cis2: Provider, nhs_login: Provider) -> BasePath {
    BasePath { path, cis2, nhs_login }
}

const MOCK_ONLY: &[BasePath] = &[
    base_path(OAUTH2, Provider::Mock, Provider::Mock),
    base_path("/oauth2-mock", Provider::Mock, Provider::Mock),
];

impl Environment {
    /// Portal "Development": few APIs live there.
    pub const DEV: Self = Self {
        name: "dev",
        origin: "https://dev.api.service.nhs.uk",
        portal_name: Some("Development"),
        base_paths: &[
            base_path(OAUTH2, Provider::Mock, Provider::Real),
            base_path("/oauth2-mock-dep", Provider::Mock, Provider::Mock),
            base_path("/oauth2-dep", Provider::Deployment, Provider::Mock),
        ],
        note: "limited to specific APIs; most testing belongs in int",
    };

    /// Portal "Integration test": every API.
    pub const INT: Self = Self {
        name: "int",
        origin: "https://int.api.service.nhs.uk",
        portal_name: Some("Integration test"),
        base_paths: &[
            base_path(OAUTH2, Provider::Real, Provider::Real),
            base_path("/oauth2-mock", Provider::Mock, Provider::Mock),
        ],
        note: "formal integration testing, with all APIs",
    };

    /// Portal "Production": after onboarding.
    pub const PROD: Self = Self {
        name: "prod",
        origin: "https://api.service.nhs.uk",
        portal_name: Some("Production"),
        base_paths: &[base_path(OAUTH2, Provider::Real, Provider::Real)],
        note: "live; applications are approved by onboarding",
    };

    /// Portal "Sandbox": simulations, mostly open access.
    pub const SANDBOX: Self = Self {
        name: "sandbox",
        origin: "https://sandbox.api.service.nhs.uk",
        portal_name: Some("Sandbox"),
        base_paths: MOCK_ONLY,
        note: "simulated APIs, mostly without access control; Hello World does check",
    };

    /// Every environment: the portal's four first, then the internal ones.
    pub const ALL: &'static [Self] = &[
        Self::DEV,
        Self::INT,
        Self::PROD,
        Self::SANDBOX,
        Self::internal("ref", "https://ref.api.service.nhs.uk", MOCK_ONLY),
        Self::internal("internal-dev", "https://internal-dev.api.service.nhs.uk", MOCK_ONLY),
        Self::internal(
            "internal-dev-sandbox",
            "https://internal-dev-sandbox.api.service.nhs.uk",
            MOCK_ONLY,
        ),
        Self::internal(
            "internal-qa",
            "https://internal-qa.api.service.nhs.uk",
            &[
                base_path(OAUTH2, Provider::Mock, Provider::Mock),
                base_path("/oauth2-mock", Provider::Mock, Provider::Mock),
                base_path("/oauth2-int", Provider::Real, Provider::Real),
            ],
        ),
        Self::internal(
            "internal-qa-sandbox",
            "https://internal-qa-sandbox.api.service.nhs.uk",
            MOCK_ONLY,
        ),
    ];

    const fn internal(
        name: &'static str,
        origin: &'static str,
        base_paths: &'static [BasePath],
    ) -> Self {
        Self { name, origin, portal_name: None, base_paths, note: "internal to NHS England" }
    }

    /// The environment of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|environment| environment.name == name)
    }

    /// The environment whose host this is, if it is one of the platform's.
    pub fn of_host(host: &str) -> Option<Self> {
        let is_its_host = |environment: &Self| {
            environment
                .origin
                .strip_prefix("https://")
                .is_some_and(|own| own.eq_ignore_ascii_case(host))
        };
        Self::ALL.iter().copied().find(is_its_host)
    }

    /// The token endpoint under the usual base path: where to post, and what `aud` must be.
    pub fn token_url(&self) -> String {
        format!("{}{OAUTH2}/token", self.origin)
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A name that no environment has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownEnvironment(String);

impl fmt::Display for UnknownEnvironment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = Environment::ALL.iter().map(|environment| environment.name).collect();
        write!(f, "`{}` is not an environment; there are {}", self.0, names.join(", "))
    }
}

impl std::error::Error for UnknownEnvironment {}

impl FromStr for Environment {
    type Err = UnknownEnvironment;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::named(name).ok_or_else(|| UnknownEnvironment(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_portals_four() {
        for (name, token_url) in [
            ("dev", "https://dev.api.service.nhs.uk/oauth2/token"),
            ("int", "https://int.api.service.nhs.uk/oauth2/token"),
            ("prod", "https://api.service.nhs.uk/oauth2/token"),
            ("sandbox", "https://sandbox.api.service.nhs.uk/oauth2/token"),
        ] {
            assert_eq!(name.parse::<Environment>().unwrap().token_url(), token_url);
        }
    }

    #[test]
    fn only_production_has_no_mock() {
        for environment in Environment::ALL {
            let has_mock = environment.base_paths.iter().any(|base| base.cis2 == Provider::Mock);
            assert_eq!(has_mock, *environment != Environment::PROD, "{environment}");
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = "live".parse::<Environment>().unwrap_err().to_string();
        assert!(
            error.starts_with("`live` is not an environment; there are dev, int, prod, sandbox"),
            "{error}"
        );
    }

    #[test]
    fn hosts_lead_back() {
        assert_eq!(Environment::of_host("API.service.nhs.uk"), Some(Environment::PROD));
        assert_eq!(Environment::of_host("api.service.nhs.uk.example.org"), None);
    }
}
