//! Who issues ID tokens, and which base path of the platform trusts them.

use crate::environment::{OAUTH2, Provider};
use crate::quotable::quotable;
use crate::{Environment, IdentityProvider};

/// Who issued an ID token, by its `iss`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Issuer {
    /// NHS CIS2 Authentication, and which environment of it.
    Cis2(&'static str),
    /// NHS login, and which environment of it.
    NhsLogin(&'static str),
    /// The platform's own simulation of either.
    Mock(IdentityProvider),
}

impl Issuer {
    pub(crate) fn of(iss: &str) -> Option<Self> {
        let (host, path) = host_and_path(iss);
        Some(match host.to_ascii_lowercase().as_str() {
            "am.nhsidentity.spineservices.nhs.uk" => Self::Cis2("production"),
            "am.nhsint.auth-ptl.cis2.spineservices.nhs.uk" => Self::Cis2("integration"),
            "am.nhsdev.auth-ptl.cis2.spineservices.nhs.uk" => Self::Cis2("development"),
            "am.nhsdep.auth-ptl.cis2.spineservices.nhs.uk" => Self::Cis2("deployment"),
            "am.nhsint.ptl.nhsd-esa.net" | "am.nhsdev.ptl.nhsd-esa.net" => Self::Cis2("retired"),
            "auth.login.nhs.uk" => Self::NhsLogin("production"),
            "auth.aos.signin.nhs.uk" => Self::NhsLogin("aos"),
            "auth.sandpit.signin.nhs.uk" => Self::NhsLogin("sandpit"),
            "auth.ext.signin.nhs.uk" => Self::NhsLogin("ext"),
            host if host.starts_with("identity.") && host.ends_with("api.platform.nhs.uk") => {
                Self::Mock(simulated(path)?)
            }
            _ => return None,
        })
    }

    /// Whose token it is, or simulates.
    pub(crate) const fn provider(self) -> IdentityProvider {
        match self {
            Self::Cis2(_) => IdentityProvider::Cis2,
            Self::NhsLogin(_) => IdentityProvider::NhsLogin,
            Self::Mock(provider) => provider,
        }
    }
}

/// What a base path makes of an issuer.
#[derive(Clone, Debug)]
pub(crate) enum Trust {
    /// It compares `iss` with its own two issuers, and this is neither.
    Refused {
        message: String,
        fix: String,
    },
    Trusted(IdentityProvider),
    /// Which base path it is, or what that trusts, isn't known here.
    Unknown,
}

impl Trust {
    /// What the platform behind that URL, or in that environment, makes of the issuer.
    pub(crate) fn of(iss: &str, environment: Option<Environment>, token_url: Option<&str>) -> Self {
        let Some(issuer) = Issuer::of(iss) else {
            // A mock on a laptop may be anywhere, and the platform's own hosts are known.
            if environment.is_none() {
                return Self::Unknown;
            }
            return Self::Refused {
                message: format!("`{}` is no issuer of CIS2 or NHS login", quotable(iss)),
                fix: "send the ID token of CIS2 or NHS login, as it was issued".to_owned(),
            };
        };
        if let Issuer::Cis2(_) = issuer
            && !iss.contains(":443/")
        {
            return Self::Refused {
                message: "the issuer of the subject token lacks the port `:443` that CIS2 writes"
                    .to_owned(),
                fix: "send the ID token as CIS2 issued it".to_owned(),
            };
        }
        let Some(environment) = environment else { return Self::Unknown };
        let path = token_url
            .and_then(|url| url.strip_prefix(environment.origin))
            .and_then(|path| path.strip_suffix("/token"))
            .unwrap_or(OAUTH2);
        let Some(base) = environment.base_paths.iter().find(|base| base.path == path) else {
            return Self::Unknown;
        };
        let trusted = match issuer.provider() {
            IdentityProvider::Cis2 => base.cis2,
            IdentityProvider::NhsLogin => base.nhs_login,
        };
        if is_that(trusted, issuer, environment) {
            return Self::Trusted(issuer.provider());
        }
        Self::Refused {
            message: format!(
                "the subject token is of {}, which {environment}'s `{path}` doesn't trust",
                named(issuer)
            ),
            fix: pairing(environment),
        }
    }
}

fn host_and_path(iss: &str) -> (&str, &str) {
    let rest = iss.split_once("://").map_or(iss, |(_, rest)| rest);
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    (authority.split(':').next().unwrap_or_default(), path)
}

/// Which provider a realm of the platform's own simulation stands in for.
fn simulated(path: &str) -> Option<IdentityProvider> {
    let realm = path.strip_prefix("realms/")?;
    if realm.starts_with("Cis2-mock-") {
        Some(IdentityProvider::Cis2)
    } else if realm.starts_with("NHS-Login-mock-") {
        Some(IdentityProvider::NhsLogin)
    } else {
        None
    }
}

fn is_that(trusted: Provider, issuer: Issuer, environment: Environment) -> bool {
    match (trusted, issuer) {
        (Provider::Mock, Issuer::Mock(_)) | (Provider::Deployment, Issuer::Cis2("deployment")) => {
            true
        }
        (Provider::Real, Issuer::Cis2("deployment" | "retired")) => false,
        (Provider::Real, Issuer::Cis2(which) | Issuer::NhsLogin(which)) => {
            (which == "production") == (environment == Environment::PROD)
        }
        _ => false,
    }
}

fn named(issuer: Issuer) -> String {
    match issuer {
        Issuer::Mock(_) => "the platform's mock of a sign-in service".to_owned(),
        Issuer::Cis2(which) => format!("CIS2's {which} environment"),
        Issuer::NhsLogin(which) => format!("NHS login's {which} environment"),
    }
}

fn pairing(environment: Environment) -> String {
    if environment == Environment::PROD {
        return "production trusts the live CIS2 and NHS login alone".to_owned();
    }
    let paths: Vec<_> = environment
        .base_paths
        .iter()
        .map(|base| format!("`{}{}`", environment.origin, base.path))
        .collect();
    format!("pair token and base path: this environment has {}", paths.join(", "))
}
