//! What a provider says of itself (OpenID Connect Discovery 1.0 §3), and documents fetched from it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use nhs_auth_rules::Jwks;
use serde_json::{Map, Value};
use tokio::time::Instant;
use url::Url;

use super::issuer::Issuer;
use crate::token::Backoff;
use crate::wire::{Answer, NoAnswer, NoBody, Wire};
use crate::{AccessToken, ErrorClass};

/// How long a discovery document is used: CIS2's guidance says an hour at most.
const KEPT_FOR: Duration = Duration::from_hours(1);

/// How long nobody asks again after a fetch that failed.
pub(super) const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// How often a document is asked for, where a provider fails at once.
const MOST_ATTEMPTS: u32 = 3;

const BACKOFF: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(2));

/// The endpoints of a provider, and its habits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Metadata {
    /// `iss` of its tokens, to the letter.
    pub(super) issuer: String,
    pub(super) authorization_endpoint: Url,
    /// To the letter, since it is `aud` of the client's assertions.
    pub(super) token_endpoint: String,
    pub(super) userinfo_endpoint: Option<String>,
    pub(super) jwks_uri: String,
    /// Whether it takes PKCE by SHA-256 (RFC 7636).
    pub(super) takes_pkce: bool,
    /// Whether it names itself when it sends the browser back (RFC 9207).
    pub(super) names_itself: bool,
}

/// A provider's discovery document, fetched when it is needed.
///
/// While it can't be had, nobody waits for longer than one attempt takes.
#[derive(Debug, Default)]
pub(super) struct Discovery(tokio::sync::Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    metadata: Option<(Arc<Metadata>, Instant)>,
    failure: Option<(DiscoveryError, Instant)>,
}

impl Discovery {
    pub(super) async fn metadata(
        &self,
        issuer: &Issuer,
        wire: &Wire,
    ) -> Result<Arc<Metadata>, DiscoveryError> {
        let mut kept = self.0.lock().await;
        let now = wire.clock.steady();
        let is_younger = |since: Instant, than| now.saturating_duration_since(since) < than;
        if let Some((metadata, since)) = &kept.metadata
            && is_younger(*since, KEPT_FOR)
        {
            return Ok(Arc::clone(metadata));
        }
        if let Some((failure, since)) = &kept.failure
            && is_younger(*since, AFTER_FAILURE)
        {
            return Err(failure.clone());
        }
        match fetch(issuer, wire).await {
            Ok(metadata) => {
                *kept = Kept { metadata: Some((Arc::clone(&metadata), now)), failure: None };
                Ok(metadata)
            }
            Err(failure) => {
                kept.failure = Some((failure.clone(), wire.clock.steady()));
                Err(failure)
            }
        }
    }
}

async fn fetch(issuer: &Issuer, wire: &Wire) -> Result<Arc<Metadata>, DiscoveryError> {
    let url = issuer.discovery_url();
    tracing::debug!(url, "discovery");
    let document = fetch_json(wire, &url, None).await?;
    let metadata = Metadata::read(&document, issuer)
        .map_err(|reason| DiscoveryError::Unusable { url, reason })?;
    Ok(Arc::new(metadata))
}

impl Metadata {
    fn read(document: &Value, issuer: &Issuer) -> Result<Self, String> {
        let text = |name: &str| {
            document[name].as_str().map(str::to_owned).ok_or_else(|| format!("it has no `{name}`"))
        };
        let has = |name: &str, member: &str| {
            document[name]
                .as_array()
                .is_some_and(|all| all.iter().any(|one| one.as_str() == Some(member)))
        };
        let own = text("issuer")?;
        if !issuer.is_named(&own) {
            return Err(format!("its issuer is `{own}`, and not `{issuer}`"));
        }
        let endpoint = |name: &str| {
            let url = text(name)?;
            let parsed = Url::parse(&url).map_err(|_| format!("its `{name}` is not a URL"))?;
            if is_at(&parsed, issuer) {
                Ok((url, parsed))
            } else {
                Err(format!("its `{name}`, `{url}`, is not at the issuer's own host"))
            }
        };
        let userinfo = document.get("userinfo_endpoint").filter(|value| !value.is_null());
        Ok(Self {
            issuer: own,
            authorization_endpoint: endpoint("authorization_endpoint")?.1,
            token_endpoint: endpoint("token_endpoint")?.0,
            userinfo_endpoint: userinfo
                .map(|_| endpoint("userinfo_endpoint").map(|(url, _)| url))
                .transpose()?,
            jwks_uri: endpoint("jwks_uri")?.0,
            takes_pkce: has("code_challenge_methods_supported", "S256"),
            names_itself: document["authorization_response_iss_parameter_supported"]
                .as_bool()
                .unwrap_or(false),
        })
    }
}

/// Codes, tokens and the client's credentials go to these addresses: they must be the provider's.
fn is_at(url: &Url, issuer: &Issuer) -> bool {
    Url::parse(&issuer.to_string()).is_ok_and(|issuer| issuer.origin() == url.origin())
}

/// Gets a JSON document of at most 1 MiB.
pub(super) async fn fetch_json(
    wire: &Wire,
    url: &str,
    bearer: Option<&AccessToken>,
) -> Result<Value, FetchError> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        match fetch_once(wire, url, bearer).await {
            Err(reason) if reason.is_passing() && attempts < MOST_ATTEMPTS => {
                tracing::debug!(url, attempts, ?reason, "no document");
                tokio::time::sleep(BACKOFF.after(attempts, &*wire.entropy)).await;
            }
            fetched => {
                return fetched.map_err(|reason| FetchError { url: url.to_owned(), reason });
            }
        }
    }
}

async fn fetch_once(wire: &Wire, url: &str, bearer: Option<&AccessToken>) -> Result<Value, Reason> {
    let fetched = tokio::time::timeout(wire.bound, wire.get(url, bearer)).await;
    let answer = fetched.map_err(|_| Reason::TimedOut(wire.bound))?;
    json_of(answer.map_err(|none| Reason::None(none_text(&none)))?)
}

/// Gets a key set. One without a key is none: it is what a provider answers that can't read its own.
pub(super) async fn fetch_key_set(wire: &Wire, url: &str) -> Result<Jwks, FetchError> {
    let keys = Jwks::parse(&fetch_json(wire, url, None).await?.to_string());
    if keys.keys.is_empty() {
        return Err(FetchError { url: url.to_owned(), reason: Reason::NoKeys });
    }
    Ok(keys)
}

/// Gets a JSON object that is for whoever has an access token.
pub(crate) async fn fetch_object(
    wire: &Wire,
    url: &str,
    bearer: &AccessToken,
) -> Result<Map<String, Value>, FetchError> {
    match fetch_json(wire, url, Some(bearer)).await? {
        Value::Object(members) => Ok(members),
        _ => Err(FetchError { url: url.to_owned(), reason: Reason::NotAnObject }),
    }
}

fn json_of(answer: Answer) -> Result<Value, Reason> {
    if !answer.status.is_success() {
        return Err(Reason::Status(answer.status.as_u16()));
    }
    let body = answer.body.map_err(|none| match none {
        NoBody::TooLarge => Reason::TooLarge,
        NoBody::Truncated => Reason::Truncated,
    })?;
    serde_json::from_slice(&body).map_err(|_| Reason::NotJson)
}

fn none_text(none: &NoAnswer) -> String {
    match none {
        NoAnswer::NoHttpClient(reason) => format!("no HTTP client can be made: {reason}"),
        NoAnswer::Unreachable { reason, .. } => reason.clone(),
    }
}

/// A document that could not be got from a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchError {
    url: String,
    reason: Reason,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Reason {
    None(String),
    NoKeys,
    NotAnObject,
    NotJson,
    Status(u16),
    TimedOut(Duration),
    TooLarge,
    Truncated,
}

impl Reason {
    /// Whether it may be gone at the next attempt. Nobody waits twice for one that kept silent.
    fn is_passing(&self) -> bool {
        match self {
            Self::None(_) | Self::Truncated => true,
            Self::Status(status) => *status >= 500,
            _ => false,
        }
    }
}

impl FetchError {
    /// The document's URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The HTTP status, where that is what was wrong.
    pub fn status(&self) -> Option<u16> {
        match self.reason {
            Reason::Status(status) => Some(status),
            _ => None,
        }
    }

    /// Who has to act.
    pub fn class(&self) -> ErrorClass {
        match self.reason {
            Reason::Status(status) if (400..500).contains(&status) && status != 429 => {
                ErrorClass::Refused
            }
            _ => ErrorClass::Unavailable,
        }
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = &self.url;
        match &self.reason {
            Reason::None(reason) => write!(f, "can't reach {url}: {reason}"),
            Reason::NoKeys => write!(f, "{url} answered with a key set without a key"),
            Reason::NotAnObject => {
                write!(f, "{url} answered with JSON that is not what was asked for")
            }
            Reason::NotJson => write!(f, "{url} answered with a body that is not JSON"),
            Reason::Status(status) => write!(f, "{url} answered {status}"),
            Reason::TimedOut(bound) => {
                write!(f, "{url} did not answer within {} s", bound.as_secs())
            }
            Reason::TooLarge => write!(f, "{url} answered with more than 1 MiB"),
            Reason::Truncated => write!(f, "the answer of {url} was cut off"),
        }
    }
}

impl std::error::Error for FetchError {}

/// Why a provider is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// A document could not be got.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The discovery document can't be used.
    #[error("the discovery document at {url} can't be used: {reason}")]
    Unusable {
        /// Where it is.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl DiscoveryError {
    /// Who has to act.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Fetch(error) => error.class(),
            Self::Unusable { .. } => ErrorClass::Unavailable,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> Value {
        json!({
            "issuer": "https://cis2.example.org:443/realm",
            "authorization_endpoint": "https://cis2.example.org:443/realm/authorize",
            "token_endpoint": "https://cis2.example.org:443/realm/access_token",
            "userinfo_endpoint": "https://cis2.example.org:443/realm/userinfo",
            "jwks_uri": "https://cis2.example.org:443/realm/connect/jwk_uri",
        })
    }

    fn read(change: impl FnOnce(&mut Value)) -> Result<Metadata, String> {
        let mut document = document();
        change(&mut document);
        Metadata::read(&document, &Issuer::parse("https://cis2.example.org/realm").unwrap())
    }

    #[test]
    fn what_is_compared_to_the_letter_stays_as_it_is_written() {
        let metadata = read(|_| ()).unwrap();
        assert_eq!(metadata.issuer, "https://cis2.example.org:443/realm");
        assert_eq!(metadata.token_endpoint, "https://cis2.example.org:443/realm/access_token");
        assert!(!metadata.takes_pkce && !metadata.names_itself);
    }

    #[test]
    fn pkce_is_for_providers_that_say_so() {
        let takes_pkce = |methods| {
            read(|document| document["code_challenge_methods_supported"] = methods)
                .unwrap()
                .takes_pkce
        };
        assert!(takes_pkce(json!(["plain", "S256"])));
        assert!(!takes_pkce(json!(["plain"])));
        assert!(!takes_pkce(json!("S256")));
    }

    #[test]
    fn another_issuer_is_refused() {
        let error = read(|it| it["issuer"] = json!("https://cis2.example.org/other")).unwrap_err();
        assert!(error.contains("`https://cis2.example.org/other`"), "{error}");
    }

    #[test]
    fn credentials_go_to_the_issuers_own_host_alone() {
        for (name, url) in [
            ("token_endpoint", "https://evil.example.org/realm/access_token"),
            ("token_endpoint", "http://cis2.example.org/realm/access_token"),
            ("userinfo_endpoint", "https://cis2.example.org:8443/userinfo"),
            ("jwks_uri", "http://127.0.0.1/keys"),
            ("authorization_endpoint", "javascript:alert(1)"),
        ] {
            let error = read(|document| document[name] = json!(url)).unwrap_err();
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = read(|document| document["jwks_uri"] = Value::Null).unwrap_err();
        assert_eq!(error, "it has no `jwks_uri`");
        assert!(read(|document| document["userinfo_endpoint"] = Value::Null).is_ok());
    }
}
