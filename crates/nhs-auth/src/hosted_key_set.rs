//! A key set at its URL, as it looks from outside.

use std::time::Duration;

use nhs_auth_rules::{UnixMillis, limits};
use reqwest::header::{self, HeaderMap, HeaderName};
use url::{Host, Url};

use crate::clock::Clock;
use crate::endpoint::is_loopback;
use crate::http_client::{HttpClients, causes};
use crate::skew::ClockSkew;

/// How long the platform waits for a key set, and so does [`HostedKeySet::look`].
const BOUND: Duration = Duration::from_secs(limits::JWKS_TIMEOUT_S);

/// What is read of an answer at most, in bytes.
const MOST_BYTES: usize = 1024 * 1024;

/// A key set at its URL, looked at twice, as the platform does it once: by a GET that follows no
/// redirect, carries no credential, and waits for 55 seconds at most. Facts alone: what they mean
/// is for a diagnosis to say.
///
/// ```no_run
/// use nhs_auth::{HostedKeySet, SystemClock};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let url = "https://example.org/jwks.json";
/// let hosted = HostedKeySet::look(url, &SystemClock::default()).await?;
/// assert_eq!(hosted.is_stable(), Some(true));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HostedKeySet {
    /// The URL, as it was given.
    pub url: String,
    /// What the URL alone says.
    pub shape: UrlShape,
    /// The first look.
    pub first: Look,
    /// The second look, right behind it.
    pub second: Look,
    /// How far our clock is from that of the answers' `Date` headers, if any had one.
    pub skew: Option<ClockSkew>,
}

/// What a URL says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UrlShape {
    /// Whether it is https.
    pub is_https: bool,
    /// Whether something stands behind the host: the platform can't fetch `https://host` alone.
    pub has_path: bool,
    /// Where the host is.
    pub host: HostKind,
}

/// Where a host is, by its name alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostKind {
    /// This machine.
    Loopback,
    /// A private network's address, or a name that the public internet has not.
    Private,
    /// Anything else.
    Public,
}

/// One look at the URL.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Look {
    /// How long it took, to the end of the body.
    pub took: Duration,
    /// What was served, or why nothing was.
    pub served: Result<Served, Unserved>,
}

/// An answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Served {
    /// The status code.
    pub status: u16,
    /// Where a redirect points, made absolute. It was not followed.
    pub redirect: Option<String>,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Age`, in seconds: how long ago a cache on the way got it.
    pub age_s: Option<u64>,
    /// `ETag`.
    pub etag: Option<String>,
    /// `Expires`.
    pub expires: Option<String>,
    /// The body, at most 1 MiB.
    pub body: Vec<u8>,
    skew: Option<ClockSkew>,
}

/// Why nothing was served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unserved {
    /// The host's name leads nowhere.
    #[error("its host's name can't be resolved: {reason}")]
    NameNotResolved {
        /// What the resolver said.
        reason: String,
    },
    /// TLS failed: mostly a certificate that expired, is for another name, or came without its
    /// chain.
    #[error("no secure connection can be made: {reason}")]
    Tls {
        /// What the TLS library said.
        reason: String,
    },
    /// No connection.
    #[error("no connection can be made: {reason}")]
    NotConnected {
        /// What the network said.
        reason: String,
    },
    /// No whole answer in time.
    #[error("there is no whole answer after {} s", after.as_secs())]
    TimedOut {
        /// How long was waited.
        after: Duration,
    },
    /// The answer ended early, or is not HTTP.
    #[error("the answer can't be read to its end: {reason}")]
    CutOff {
        /// What was found instead.
        reason: String,
    },
    /// The answer is larger than any key set.
    #[error("the answer is over 1 MiB")]
    TooLarge,
    /// Nothing was sent: no HTTP client could be made here.
    #[error("no HTTP client can be made on this machine: {reason}")]
    NoHttpClient {
        /// Why.
        reason: String,
    },
}

/// Why a URL is not looked at. Nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostedKeySetError {
    /// It is no URL for HTTP.
    #[error("the key set's URL can't be fetched: {reason}")]
    NotAUrl {
        /// What is wrong with it.
        reason: String,
    },
    /// It has a user name or a password in it, which would be sent.
    #[error("the key set's URL has a user name or a password in it")]
    Credential,
}

impl HostedKeySet {
    /// Looks at a key set, twice. Nothing but the two requests is sent.
    ///
    /// # Errors
    ///
    /// [`HostedKeySetError`] when the URL is none that can be fetched. That nothing answers there
    /// is no error but what was seen: [`Look::served`].
    pub async fn look(url: &str, clock: &dyn Clock) -> Result<Self, HostedKeySetError> {
        let given = url.trim();
        let not_a_url = |reason: String| HostedKeySetError::NotAUrl { reason };
        let parsed = Url::parse(given).map_err(|error| not_a_url(error.to_string()))?;
        if !matches!(parsed.scheme(), "https" | "http") {
            return Err(not_a_url(format!("its scheme is `{}`", parsed.scheme())));
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(HostedKeySetError::Credential);
        }
        // A client for each look, so that the second makes a connection of its own.
        let first = look_once(&parsed, clock).await;
        let second = look_once(&parsed, clock).await;
        let skews = [&first, &second].map(|look| look.served.as_ref().ok()?.skew);
        // What the clock is really off by, both answers show; the rest is the way's.
        let skew = skews.into_iter().flatten().min_by_key(|skew| skew.millis().abs());
        Ok(Self { url: given.to_owned(), shape: UrlShape::of(given, &parsed), first, second, skew })
    }

    /// The first answer that has a key set's status, 2xx.
    pub fn good(&self) -> Option<&Served> {
        [&self.first, &self.second]
            .into_iter()
            .filter_map(|look| look.served.as_ref().ok())
            .find(|served| served.is_success())
    }

    /// Whether both looks saw the same bytes; `None` unless both were served with 2xx.
    pub fn is_stable(&self) -> Option<bool> {
        let body = |look: &Look| {
            let served = look.served.as_ref().ok().filter(|served| served.is_success())?;
            Some(served.body.clone())
        };
        Some(body(&self.first)? == body(&self.second)?)
    }

    /// How long the slower look took.
    pub fn slowest(&self) -> Duration {
        self.first.took.max(self.second.took)
    }
}

impl Served {
    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The media type, in lower case and without parameters.
    pub fn media_type(&self) -> Option<String> {
        let essence = self.content_type.as_ref()?.split(';').next()?;
        Some(essence.trim().to_ascii_lowercase())
    }

    /// The seconds that caches may keep it for, by `Cache-Control`.
    pub fn max_age_s(&self) -> Option<u64> {
        let value = |directive: &str| {
            let (name, value) = directive.split_once('=')?;
            name.trim()
                .eq_ignore_ascii_case("max-age")
                .then(|| value.trim().trim_matches('"'))?
                .parse()
                .ok()
        };
        self.cache_control.as_ref()?.split(',').find_map(value)
    }

    fn new(url: &Url, response: &reqwest::Response) -> Self {
        let headers = response.headers();
        let status = response.status();
        let location = text(headers, header::LOCATION).filter(|_| status.is_redirection());
        let redirect = location.map(|location| {
            url.join(&location).map_or(location, |target| target.as_str().to_owned())
        });
        Self {
            status: status.as_u16(),
            redirect,
            content_type: text(headers, header::CONTENT_TYPE),
            cache_control: text(headers, header::CACHE_CONTROL),
            age_s: text(headers, header::AGE).and_then(|age| age.trim().parse().ok()),
            etag: text(headers, header::ETAG),
            expires: text(headers, header::EXPIRES),
            body: Vec::new(),
            skew: None,
        }
    }
}

impl UrlShape {
    fn of(given: &str, parsed: &Url) -> Self {
        let behind_scheme = given.split_once("://").map_or(given, |(_, rest)| rest);
        Self {
            is_https: parsed.scheme() == "https",
            has_path: behind_scheme.contains('/'),
            host: host_kind(parsed),
        }
    }
}

fn host_kind(url: &Url) -> HostKind {
    const PRIVATE: [&str; 6] = [".local", ".internal", ".lan", ".corp", ".test", ".nhsd-esa.net"];
    let is_private = match url.host() {
        _ if is_loopback(url) => return HostKind::Loopback,
        Some(Host::Ipv4(address)) => {
            address.is_private() || address.is_link_local() || address.is_unspecified()
        }
        Some(Host::Ipv6(address)) => {
            address.is_unique_local() || address.is_unicast_link_local() || address.is_unspecified()
        }
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            !name.contains('.') || PRIVATE.iter().any(|suffix| name.ends_with(suffix))
        }
        None => true,
    };
    if is_private { HostKind::Private } else { HostKind::Public }
}

async fn look_once(url: &Url, clock: &dyn Clock) -> Look {
    let started = clock.steady();
    let served = match tokio::time::timeout(BOUND, fetch(url, clock)).await {
        Ok(served) => served,
        Err(_) => Err(Unserved::TimedOut { after: BOUND }),
    };
    Look { took: clock.steady().saturating_duration_since(started), served }
}

async fn fetch(url: &Url, clock: &dyn Clock) -> Result<Served, Unserved> {
    let clients = HttpClients::with_connect_timeout(BOUND);
    let client =
        clients.reaching(url.as_str()).map_err(|reason| Unserved::NoHttpClient { reason })?;
    let sent = clock.now();
    let mut response = client.get(url.clone()).send().await.map_err(|error| unserved(&error))?;
    let mut served = Served::new(url, &response);
    served.skew = skew(response.headers(), served.age_s, sent, clock.now());
    while let Some(chunk) = response.chunk().await.map_err(|error| unserved(&error))? {
        if served.body.len() + chunk.len() > MOST_BYTES {
            return Err(Unserved::TooLarge);
        }
        served.body.extend_from_slice(&chunk);
    }
    Ok(served)
}

fn skew(
    headers: &HeaderMap,
    age_s: Option<u64>,
    sent: UnixMillis,
    received: UnixMillis,
) -> Option<ClockSkew> {
    let date = text(headers, header::DATE)?;
    ClockSkew::learn_aged(&date, age_s.unwrap_or(0), sent, received)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let value = headers.get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// What a failure is, as far as it can be told from its causes' texts.
fn unserved(error: &reqwest::Error) -> Unserved {
    let reason = causes(error);
    let lower = reason.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if error.is_timeout() {
        Unserved::TimedOut { after: BOUND }
    } else if error.is_connect() && says(&["dns error", "failed to lookup"]) {
        Unserved::NameNotResolved { reason }
    } else if error.is_connect() && says(&["certificate", "tls", "handshake", "corrupt message"]) {
        Unserved::Tls { reason }
    } else if error.is_connect() {
        Unserved::NotConnected { reason }
    } else {
        Unserved::CutOff { reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(url: &str) -> UrlShape {
        UrlShape::of(url, &Url::parse(url).unwrap())
    }

    #[test]
    fn what_a_url_says_about_itself() {
        let good = shape("https://example.org/jwks.json");
        assert_eq!((good.is_https, good.has_path, good.host), (true, true, HostKind::Public));
        let bare = shape("http://example.org");
        assert_eq!((bare.is_https, bare.has_path), (false, false));
        for (url, host) in [
            ("https://localhost/a", HostKind::Loopback),
            ("https://127.0.0.9/a", HostKind::Loopback),
            ("https://[::1]/a", HostKind::Loopback),
            ("https://10.1.2.3/a", HostKind::Private),
            ("https://[fd00::1]/a", HostKind::Private),
            ("https://keys/a", HostKind::Private),
            ("https://keys.internal./a", HostKind::Private),
            ("https://8.8.8.8/a", HostKind::Public),
        ] {
            assert_eq!(shape(url).host, host, "{url}");
        }
    }

    #[tokio::test]
    async fn what_is_no_url_is_not_sent_anywhere() {
        let clock = crate::SystemClock::default();
        for url in ["", "jwks.json", "ftp://example.org/a", "https://"] {
            let error = HostedKeySet::look(url, &clock).await.unwrap_err();
            assert!(matches!(error, HostedKeySetError::NotAUrl { .. }), "{url}");
        }
        let error = HostedKeySet::look("https://me:hush@example.org/a", &clock).await.unwrap_err();
        assert_eq!(error, HostedKeySetError::Credential);
    }

    #[tokio::test]
    async fn nothing_at_all_is_a_fact_too() {
        // A port that was free a moment ago, and that nothing listens at.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let url = format!("http://127.0.0.1:{port}/jwks.json");
        let hosted = HostedKeySet::look(&url, &crate::SystemClock::default()).await.unwrap();
        let unserved = hosted.first.served.as_ref().unwrap_err();
        assert!(matches!(unserved, Unserved::NotConnected { .. }), "{unserved}");
        assert!(hosted.good().is_none() && hosted.is_stable().is_none());
    }
}
