//! The one place where HTTP clients are made.

use std::error::Error as _;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::redirect::Policy;
use url::Url;

use crate::endpoint::is_loopback;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// HTTP clients, each made when it is first needed: loading a machine's certificate authorities
/// takes time, can fail, and is of no use for plain HTTP to the same machine.
#[derive(Debug)]
pub(crate) struct HttpClients {
    connect_timeout: Duration,
    /// How long a server may keep silent; `None` when whoever asks has a bound of its own.
    silence: Option<Duration>,
    /// Certificate authorities in place of the machine's.
    roots: Option<Vec<reqwest::Certificate>>,
    loopback: OnceLock<reqwest::Client>,
    network: OnceLock<reqwest::Client>,
}

/// What was given as certificate authorities is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no certificate in PEM, or one that can't be read")]
#[non_exhaustive]
pub struct InvalidCertificates;

impl Default for HttpClients {
    fn default() -> Self {
        Self::with_connect_timeout(CONNECT_TIMEOUT)
    }
}

impl HttpClients {
    /// Clients that wait for so long for a connection.
    pub(crate) fn with_connect_timeout(connect_timeout: Duration) -> Self {
        Self {
            connect_timeout,
            silence: None,
            roots: None,
            loopback: OnceLock::new(),
            network: OnceLock::new(),
        }
    }

    /// Clients that give up on a server that keeps silent for so long.
    pub(crate) fn with_silence(silence: Duration) -> Self {
        Self { silence: Some(silence), ..Self::default() }
    }

    /// The same, believing these certificate authorities (PEM) alone, and not the machine's.
    pub(crate) fn with_roots(self, pem: &[u8]) -> Result<Self, InvalidCertificates> {
        let roots = reqwest::Certificate::from_pem_bundle(pem).ok();
        let roots = roots.filter(|roots| !roots.is_empty()).ok_or(InvalidCertificates)?;
        Ok(Self { roots: Some(roots), ..self })
    }

    /// The client to reach this URL with. The error is a text for people.
    pub(crate) fn reaching(&self, url: &str) -> Result<&reqwest::Client, String> {
        let is_local =
            url.starts_with("http:") && Url::parse(url).is_ok_and(|url| is_loopback(&url));
        let slot = if is_local { &self.loopback } else { &self.network };
        if let Some(client) = slot.get() {
            return Ok(client);
        }
        let client = self.make(is_local)?;
        Ok(slot.get_or_init(|| client))
    }

    /// TLS 1.2 or later, redirects not followed, nothing retried.
    ///
    /// A redirect would carry a credential to wherever it points; a retry below the assertion would
    /// send a burnt `jti` again.
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    fn make(&self, is_local: bool) -> Result<reqwest::Client, String> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("nhs-auth/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(self.connect_timeout)
            .tls_version_min(reqwest::tls::Version::TLS_1_2);
        if let Some(silence) = self.silence {
            builder = builder.read_timeout(silence);
        }
        if let Some(roots) = &self.roots {
            builder = builder.tls_certs_only(roots.clone());
        }
        if is_local {
            builder = builder.no_proxy().tls_certs_only(Vec::new());
        }
        builder.build().map_err(|error| causes(&error))
    }
}

/// An error's causes, without the URL, which the caller names.
pub(crate) fn causes(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut source = error.source();
    while let Some(cause) = source {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    if text.is_empty() { "the request failed".to_owned() } else { text }
}
