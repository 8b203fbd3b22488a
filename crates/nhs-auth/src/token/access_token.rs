//! What the platform issues.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::HeaderValue;
use nhs_auth_rules::UnixMillis;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

/// An access token (RFC 6750 §1.2): opaque, and a secret while it lives.
///
/// Cloning shares it. `Debug` shows its length alone.
#[derive(Clone)]
pub struct AccessToken(Arc<Held>);

struct Held {
    value: SecretString,
    /// What every request shares that is sent with it.
    header: OnceLock<HeaderValue>,
}

impl AccessToken {
    /// Takes a token of visible ASCII characters; `None` for anything else, which could not be
    /// sent in a header.
    pub fn new(value: String) -> Option<Self> {
        let sendable = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic());
        sendable.then(|| Self(Arc::new(Held { value: value.into(), header: OnceLock::new() })))
    }

    /// The token itself.
    pub fn expose(&self) -> &str {
        self.0.value.expose_secret()
    }

    /// The value of an `Authorization` header (RFC 6750 §2.1), marked sensitive.
    pub fn to_header_value(&self) -> HeaderValue {
        let made = || {
            let mut value = HeaderValue::try_from(format!("Bearer {}", self.expose()))
                .expect("a token is visible ASCII");
            value.set_sensitive(true);
            value
        };
        self.0.header.get_or_init(made).clone()
    }

    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.expose() == other.expose()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessToken({} characters)", self.expose().len())
    }
}

/// A token response (RFC 6749 §5.1).
#[derive(Clone)]
#[non_exhaustive]
pub struct IssuedToken {
    /// The token.
    pub access_token: AccessToken,
    /// How it is to be sent: `Bearer`.
    pub token_type: String,
    /// How long it lives from when it was asked for. `None` when the answer didn't say.
    pub expires_in: Option<Duration>,
    /// When it was asked for, by our clock.
    pub requested_at: UnixMillis,
    /// What else the platform sent, unchanged. Refresh tokens are among it: a secret.
    pub others: Map<String, Value>,
}

impl IssuedToken {
    /// A Bearer token that was asked for at `requested_at`.
    pub fn new(
        access_token: AccessToken,
        expires_in: Option<Duration>,
        requested_at: UnixMillis,
    ) -> Self {
        let token_type = "Bearer".to_owned();
        Self { access_token, token_type, expires_in, requested_at, others: Map::new() }
    }

    /// When it expires, by our clock: counted from before the request was sent, so never late.
    pub fn expires_at(&self) -> Option<UnixMillis> {
        let lifetime = i64::try_from(self.expires_in?.as_millis()).unwrap_or(i64::MAX);
        Some(self.requested_at.plus(lifetime))
    }

    /// Whether it has more than the last fifth of its lifetime before it.
    pub(crate) fn is_fresh(&self, now: UnixMillis) -> bool {
        let age = u64::try_from(now.0.saturating_sub(self.requested_at.0)).unwrap_or(0);
        self.expires_in.is_some_and(|lifetime| u128::from(age) * 10 < lifetime.as_millis() * 8)
    }
}

impl fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedToken")
            .field("access_token", &self.access_token)
            .field("expires_in", &self.expires_in)
            .field("requested_at", &self.requested_at)
            .field("others", &self.others.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
