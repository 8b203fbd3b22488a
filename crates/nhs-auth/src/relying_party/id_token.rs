//! An ID token that has been validated (OpenID Connect Core 1.0 §2).

use std::fmt;
use std::sync::Arc;

use nhs_auth_rules::json::Object;
use nhs_auth_rules::{IdentityProvider, Jwt, UnixSeconds, assurance_level};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

/// A provider's word on who has signed in. There is none that was not validated: it is the end of
/// a sign-in, or comes out of a session that keeps one.
///
/// It is a credential, which the platform exchanges for an access token: `Debug` doesn't show it.
/// Cloning shares it.
#[derive(Clone)]
pub struct IdToken(Arc<Validated>);

struct Validated {
    provider: IdentityProvider,
    compact: SecretString,
    issuer: String,
    subject: String,
    issued_at: UnixSeconds,
    expires_at: UnixSeconds,
    claims: Map<String, Value>,
}

impl IdToken {
    /// Takes a token whose signature and claims hold. `None` when a claim is missing that every
    /// one has.
    pub(super) fn validated(
        provider: IdentityProvider,
        compact: String,
        claims: Map<String, Value>,
    ) -> Option<Self> {
        let text = |name: &str| claims.get(name)?.as_str().map(str::to_owned);
        let time = |name: &str| Some(UnixSeconds(seconds(claims.get(name)?)?));
        Some(Self(Arc::new(Validated {
            provider,
            issuer: text("iss")?,
            subject: text("sub")?,
            issued_at: time("iat")?,
            expires_at: time("exp")?,
            compact: compact.into(),
            claims,
        })))
    }

    /// Takes a token back that was validated before it was kept.
    pub(crate) fn kept(provider: IdentityProvider, compact: &str) -> Option<Self> {
        let jwt = Jwt::decode(compact);
        let payload = jwt.payload.content.as_ref().ok()?;
        let claims = serde_json::from_str(payload.text()).ok()?;
        Self::validated(provider, compact.to_owned(), claims)
    }

    /// The token itself.
    pub fn expose(&self) -> &str {
        self.0.compact.expose_secret()
    }

    /// Whose it is.
    pub fn provider(&self) -> IdentityProvider {
        self.0.provider
    }

    /// `iss`, to the letter.
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// `sub`: the user, at this provider.
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// `sid`: the user's session at CIS2, which a logout token names.
    pub fn session_id(&self) -> Option<&str> {
        self.0.claims.get("sid")?.as_str()
    }

    /// `iat`.
    pub fn issued_at(&self) -> UnixSeconds {
        self.0.issued_at
    }

    /// `exp`: until then the platform exchanges it.
    pub fn expires_at(&self) -> UnixSeconds {
        self.0.expires_at
    }

    /// The user's level of assurance, as it stands in the scopes that it opens: `aal3`, `P9`.
    pub fn level(&self) -> Option<String> {
        let payload = serde_json::to_string(&self.0.claims).ok()?;
        assurance_level(self.0.provider, &Object::parse(&payload).ok()?)
    }

    /// Every claim.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.0.claims
    }
}

impl fmt::Debug for IdToken {
    /// Without the token, and without what it says of the user.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdToken")
            .field("issuer", &self.0.issuer)
            .field("expires_at", &self.0.expires_at)
            .finish_non_exhaustive()
    }
}

/// A `NumericDate` (RFC 7519 §2), which may have a fraction.
#[expect(clippy::cast_possible_truncation, reason = "whole seconds within the range that is kept")]
pub(super) fn seconds(value: &Value) -> Option<i64> {
    let number = value.as_f64()?;
    (number.abs() < 1e15).then(|| number.floor() as i64)
}
