//! Where a credential may be sent.

use url::{Host, Url};

use crate::endpoint::is_loopback;

/// The domain of the platform's APIs, in every environment.
const NHS_API_DOMAIN: &str = "api.service.nhs.uk";

/// The places that a credential may be sent to: the platform's own hosts over https, and those
/// that the caller names.
#[derive(Clone, Debug, Default)]
pub struct Destinations {
    named: Vec<Origin>,
    loopback: bool,
}

/// Scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: Host,
    port: u16,
}

/// Why a credential is not sent somewhere. Nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DestinationError {
    /// Plain HTTP to another machine.
    #[error(
        "`{url}` is plain http to another machine, where anyone between could read the credential"
    )]
    Insecure {
        /// The URL, without a password in it.
        url: String,
    },
    /// Neither an NHS API host nor one that was named.
    #[error("`{host}` is not an NHS API host, so the credential is not sent there")]
    NotNamed {
        /// The host, with its port where that is not the usual one.
        host: String,
    },
    /// Not a URL that can be called.
    #[error("`{url}` is not a URL that can be called: {reason}")]
    NotAUrl {
        /// The text.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl DestinationError {
    /// What to do next.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Insecure { .. } => vec!["use https".to_owned()],
            Self::NotNamed { host } => vec![format!(
                "NHS API hosts end in `.{NHS_API_DOMAIN}`; if you mean to send the credential to \
                 `{host}`, name that host"
            )],
            Self::NotAUrl { .. } => vec![
                "give a whole URL, such as \
                 `https://sandbox.api.service.nhs.uk/hello-world/hello/application`"
                    .to_owned(),
            ],
        }
    }
}

impl Destinations {
    /// The platform's own hosts alone.
    pub fn nhs_only() -> Self {
        Self::default()
    }

    /// Adds an origin, such as `https://proxy.example.org` or `http://127.0.0.1:9000`. A bare host,
    /// with a port or without, is taken for https.
    ///
    /// # Errors
    ///
    /// [`DestinationError`] when it is no origin, or plain http to another machine.
    pub fn and(mut self, origin: &str) -> Result<Self, DestinationError> {
        let url =
            if origin.contains("://") { origin.to_owned() } else { format!("https://{origin}") };
        let url = parse(&url)?;
        refuse_insecure(&url)?;
        self.named.extend(Origin::of(&url));
        Ok(self)
    }

    /// Adds this machine, at any port: for stand-ins and tests.
    pub fn and_loopback(mut self) -> Self {
        self.loopback = true;
        self
    }

    /// Whether a credential may go to this URL.
    ///
    /// # Errors
    ///
    /// [`DestinationError`] when it may not.
    pub fn check(&self, url: &str) -> Result<(), DestinationError> {
        let url = parse(url)?;
        refuse_insecure(&url)?;
        let is_named = Origin::of(&url).is_some_and(|origin| self.named.contains(&origin));
        if is_nhs_api(&url) || is_named || (self.loopback && is_loopback(&url)) {
            return Ok(());
        }
        let host = url.host_str().unwrap_or_default();
        let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Err(DestinationError::NotNamed { host })
    }
}

impl Origin {
    fn of(url: &Url) -> Option<Self> {
        Some(Self {
            scheme: url.scheme().to_owned(),
            host: url.host()?.to_owned(),
            port: url.port_or_known_default()?,
        })
    }
}

fn is_nhs_api(url: &Url) -> bool {
    let Some(Host::Domain(host)) = url.host() else {
        return false;
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    let is_below = host.strip_suffix(NHS_API_DOMAIN).is_some_and(|front| front.ends_with('.'));
    url.scheme() == "https" && url.port().is_none() && (host == NHS_API_DOMAIN || is_below)
}

fn parse(text: &str) -> Result<Url, DestinationError> {
    let error = |reason: &str| DestinationError::NotAUrl {
        url: text.chars().filter(|c| !c.is_control()).take(200).collect(),
        reason: reason.to_owned(),
    };
    let url = Url::parse(text).map_err(|cause| error(&cause.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(error("its scheme is neither https nor http"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(DestinationError::NotAUrl {
            url: format!("{}://…@{}", url.scheme(), url.host_str().unwrap_or_default()),
            reason: "it has a user name or a password in it".to_owned(),
        });
    }
    Ok(url)
}

fn refuse_insecure(url: &Url) -> Result<(), DestinationError> {
    if url.scheme() == "https" || is_loopback(url) {
        return Ok(());
    }
    Err(DestinationError::Insecure { url: url.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_platforms_own_hosts() {
        let nhs = Destinations::nhs_only();
        for url in [
            "https://api.service.nhs.uk/x",
            "https://int.api.service.nhs.uk/x?y#z",
            "https://SANDBOX.api.service.nhs.uk:443/",
            "https://internal-dev.api.service.nhs.uk",
        ] {
            assert_eq!(nhs.check(url), Ok(()), "{url}");
        }
    }

    #[test]
    fn what_looks_like_them_and_is_not() {
        let nhs = Destinations::nhs_only();
        for url in [
            "https://api.service.nhs.uk.example.org/",
            "https://evilapi.service.nhs.uk/",
            "https://example.org/api.service.nhs.uk",
            "https://api.service.nhs.uk:8443/",
            "https://127.0.0.1/",
            "http://localhost/",
            "https://service.nhs.uk/",
        ] {
            assert!(matches!(nhs.check(url), Err(DestinationError::NotNamed { .. })), "{url}");
        }
        assert!(matches!(
            nhs.check("https://int.api.service.nhs.uk@example.org/"),
            Err(DestinationError::NotAUrl { .. })
        ));
        assert!(matches!(
            nhs.check("http://int.api.service.nhs.uk/"),
            Err(DestinationError::Insecure { .. })
        ));
        for url in ["", "int.api.service.nhs.uk", "file:///etc/passwd", "https://"] {
            assert!(matches!(nhs.check(url), Err(DestinationError::NotAUrl { .. })), "{url}");
        }
    }

    #[test]
    fn a_named_origin_is_that_origin_alone() {
        let named = Destinations::nhs_only().and("http://127.0.0.1:9000").unwrap();
        assert_eq!(named.check("http://127.0.0.1:9000/a"), Ok(()));
        assert!(named.check("http://127.0.0.1:9001/a").is_err());
        assert!(named.check("https://127.0.0.1:9000/a").is_err());
        let host = Destinations::nhs_only().and("proxy.example.org:8443").unwrap();
        assert_eq!(host.check("https://proxy.example.org:8443/"), Ok(()));
        assert!(Destinations::nhs_only().and("http://example.org").is_err());
    }
}
