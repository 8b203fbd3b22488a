//! What is said at the start and never changes.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use nhs_auth_rules::IdentityProvider;
use nhs_auth_rules::environment::{self, Environment};

use crate::identity::realm::Realm;

/// What is said at the start and never changes.
#[derive(Clone)]
pub(crate) struct Settings {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Names, with their ports, by which the control API may be called beside the loopback's own.
    pub(crate) allowed_hosts: Vec<String>,
    /// Scheme and host by which the platform is reached, where that isn't what `Host` says.
    pub(crate) public_url: Option<String>,
    /// What `/_status` wants in its `apikey` header; without it nothing will do.
    pub(crate) status_key: Option<String>,
    /// The issuer that CIS2 says it is, where that isn't its own address.
    pub(crate) cis2_issuer: Option<String>,
    /// Where the authorization server is, and whom it trusts there.
    pub(crate) base_paths: Vec<BasePath>,
}

/// A base path of the authorization server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BasePath {
    /// With a slash in front and none behind, such as `/oauth2`.
    pub(crate) path: String,
    pub(crate) cis2: Trust,
    pub(crate) nhs_login: Trust,
}

/// Whose ID tokens a base path takes for one of the two providers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Those of every realm of the box. Combined sign-in goes to this one.
    EveryOwn(Realm),
    /// Those of this realm.
    Realm(Realm),
    /// Those of an issuer elsewhere.
    Elsewhere { issuer: String, jwks_url: String },
}

impl Settings {
    /// Whether this is a loopback name with the platform's port, the address that it listens on,
    /// or a name that was allowed.
    pub(crate) fn is_own(&self, authority: &str) -> bool {
        let is_allowed = self.allowed_hosts.iter().any(|host| host.eq_ignore_ascii_case(authority));
        let is_bound = authority.parse() == Ok(self.address) && !self.address.ip().is_unspecified();
        if is_allowed || is_bound {
            return true;
        }
        let (name, port) = match authority.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
            _ => (authority, Some(80)),
        };
        port == Some(self.address.port()) && is_loopback(name)
    }

    /// Scheme and host as a client sees them that called by that `Host`.
    pub(crate) fn origin(&self, host: &str) -> String {
        match &self.public_url {
            Some(url) => url.clone(),
            None if self.is_own(host) => format!("http://{host}"),
            None => self.base_url(),
        }
    }

    /// The URL by which this machine reaches the platform.
    pub(crate) fn base_url(&self) -> String {
        let address = match self.address {
            any if any.ip().is_unspecified() => {
                SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), any.port())
            }
            address => address,
        };
        format!("http://{address}")
    }

    /// The URL by which clients reach the platform: what tokens are for, and who issues them.
    pub(crate) fn public_url(&self) -> String {
        self.public_url.clone().unwrap_or_else(|| self.base_url())
    }

    /// What follows scheme and host in a URL of this platform's own.
    pub(crate) fn own_path<'a>(&self, url: &'a str) -> Option<&'a str> {
        let is_public = |own: &str| {
            let (origin, path) = url.split_at_checked(own.len())?;
            origin.eq_ignore_ascii_case(own).then_some(path)
        };
        self.public_url.as_deref().and_then(is_public).or_else(|| {
            let rest = url.strip_prefix("http://")?;
            let end = rest.find('/').unwrap_or(rest.len());
            let (authority, path) = rest.split_at(end);
            self.is_own(authority).then_some(path)
        })
    }
}

impl BasePath {
    /// The two that are there when nothing else is said. Both trust all of the box's own.
    pub(crate) fn usual() -> Vec<Self> {
        let hosted = |provider| Trust::EveryOwn(Realm::hosted(provider, Environment::INT));
        vec![
            Self {
                path: environment::OAUTH2.to_owned(),
                cis2: Trust::EveryOwn(Realm::CIS2),
                nhs_login: Trust::EveryOwn(Realm::NHS_LOGIN),
            },
            Self {
                path: "/oauth2-mock".to_owned(),
                cis2: hosted(IdentityProvider::Cis2),
                nhs_login: hosted(IdentityProvider::NhsLogin),
            },
        ]
    }

    /// Those of one environment of the platform, each with the trust that it has there.
    pub(crate) fn of(environment: Environment) -> Vec<Self> {
        let trust = |provider, kind| Trust::Realm(Realm::standing_for(provider, kind, environment));
        environment
            .base_paths
            .iter()
            .map(|base| Self {
                path: base.path.to_owned(),
                cis2: trust(IdentityProvider::Cis2, base.cis2),
                nhs_login: trust(IdentityProvider::NhsLogin, base.nhs_login),
            })
            .collect()
    }

    pub(crate) fn trust(&self, provider: IdentityProvider) -> &Trust {
        match provider {
            IdentityProvider::NhsLogin => &self.nhs_login,
            IdentityProvider::Cis2 => &self.cis2,
        }
    }
}

impl Trust {
    /// Whether ID tokens of that realm of the box are taken.
    pub(crate) fn includes(&self, realm: Realm) -> bool {
        match self {
            Self::EveryOwn(usual) => usual.provider == realm.provider,
            Self::Realm(trusted) => *trusted == realm,
            Self::Elsewhere { .. } => false,
        }
    }

    /// Where combined sign-in goes: to a realm of the box.
    pub(crate) fn sign_in(&self, provider: IdentityProvider) -> Realm {
        match self {
            Self::EveryOwn(realm) | Self::Realm(realm) => *realm,
            Self::Elsewhere { .. } if provider == IdentityProvider::NhsLogin => Realm::NHS_LOGIN,
            Self::Elsewhere { .. } => Realm::CIS2,
        }
    }
}

fn is_loopback(name: &str) -> bool {
    let address = name.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("address", &self.address)
            .field("allowed_hosts", &self.allowed_hosts)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(port: u16) -> Settings {
        Settings {
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            allowed_hosts: vec!["mock:9000".to_owned()],
            public_url: None,
            status_key: None,
            cis2_issuer: None,
            base_paths: BasePath::usual(),
        }
    }

    #[test]
    fn loopback_names_with_the_port_are_own() {
        for name in [
            "127.0.0.1:9000",
            "localhost:9000",
            "LOCALHOST:9000",
            "[::1]:9000",
            "127.8.8.8:9000",
            "mock:9000",
        ] {
            assert!(settings(9000).is_own(name), "{name}");
        }
        assert!(settings(80).is_own("localhost") && settings(80).is_own("[::1]"));
    }

    #[test]
    fn no_other_name_is() {
        for name in [
            "",
            ":9000",
            "127.0.0.1",
            "127.0.0.1:9001",
            "localhost.example.org:9000",
            "example.org:9000",
            "10.0.0.1:9000",
            "0.0.0.0:9000",
            "mock",
            "mock:9001",
            "127.0.0.1:9000@example.org",
            "[::1]",
        ] {
            assert!(!settings(9000).is_own(name), "{name}");
        }
    }

    #[test]
    fn the_address_that_it_listens_on_is_own() {
        let mut settings = settings(9000);
        settings.address = "192.0.2.7:9000".parse().unwrap();
        assert!(settings.is_own("192.0.2.7:9000") && !settings.is_own("192.0.2.7:9001"));
        assert_eq!(settings.base_url(), "http://192.0.2.7:9000");
        settings.address = "0.0.0.0:9000".parse().unwrap();
        assert!(!settings.is_own("0.0.0.0:9000") && settings.is_own("127.0.0.1:9000"));
        assert_eq!(settings.base_url(), "http://127.0.0.1:9000");
    }

    #[test]
    fn urls_of_its_own_by_any_of_its_names() {
        let mut settings = settings(9000);
        assert_eq!(settings.own_path("http://localhost:9000/nhs-login"), Some("/nhs-login"));
        assert_eq!(settings.own_path("http://mock:9000"), Some(""));
        assert_eq!(settings.own_path("https://localhost:9000/nhs-login"), None);
        assert_eq!(settings.own_path("http://localhost:9001/nhs-login"), None);
        settings.public_url = Some("https://mock.example".to_owned());
        assert_eq!(settings.own_path("https://mock.example/nhs-login"), Some("/nhs-login"));
        assert_eq!(settings.origin("localhost:9000"), "https://mock.example");
    }

    #[test]
    fn int_takes_the_real_providers_at_one_path_and_the_mocks_at_another() {
        let paths = BasePath::of(Environment::INT);
        let hosted = Realm::hosted(IdentityProvider::Cis2, Environment::INT);
        let [oauth2, mock] = &paths[..] else { panic!("{paths:?}") };
        assert!(oauth2.cis2.includes(Realm::CIS2) && !oauth2.cis2.includes(hosted));
        assert!(!mock.cis2.includes(Realm::CIS2) && mock.cis2.includes(hosted));
    }
}
