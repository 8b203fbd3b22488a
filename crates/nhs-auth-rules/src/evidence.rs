//! What a judge has to go by.

use std::fmt;

use crate::{Form, IdentityProvider, Jwks, Jwt, SignatureVerifier, UnixMillis};

/// Everything that may be known about a request. The mock knows all of it by the time that a rule
/// asks; a diagnosis knows what it was given. What is `None` isn't known.
#[derive(Clone, Copy, Default)]
#[expect(clippy::exhaustive_structs, reason = "made by its users, with `..Evidence::default()`")]
pub struct Evidence<'a> {
    /// The HTTP method.
    pub method: Option<&'a str>,
    /// The `Content-Type` header: inner `None` when the request has none.
    pub content_type: Option<Option<&'a str>>,
    /// The request's form; of a GET request its query, which is read in the same way.
    pub form: Option<&'a Form>,
    /// The client assertion.
    pub assertion: Option<&'a Jwt<'a>>,
    /// When the platform looked.
    pub now: Option<UnixMillis>,
    /// The URL that the request was posted to.
    pub token_url: Option<&'a str>,
    /// Whether the platform has seen the assertion's `jti` before, for its `sub`.
    pub jti: Option<JtiHistory>,
    /// The application behind `sub` or `client_id`: inner `None` when the platform knows no such API key.
    pub application: Option<Option<&'a ApplicationRecord>>,
    /// Where the application stands with its rate limit.
    pub quota: Option<Quota>,
    /// The key set as the platform has it: fetched, or from its cache.
    pub key_set: Option<KeySetRecord<'a>>,
    /// Checks signatures by the application's keys.
    pub verifier: Option<&'a dyn SignatureVerifier>,
    /// The subject token of a token exchange, or at `/callback` the provider's ID token.
    pub id_token: Option<&'a Jwt<'a>>,
    /// The logout token.
    pub logout_token: Option<&'a Jwt<'a>>,
    /// The provider that the platform finds for the token's `iss`: inner `None` when it trusts no
    /// such issuer. It compares a subject token's as it stands, and without case at `/callback`
    /// and of a logout token.
    pub provider: Option<Option<IdentityProvider>>,
    /// The platform's own client id at that provider.
    pub provider_client_id: Option<&'a str>,
    /// That provider's key set as the platform has it: fetched, or from its cache.
    pub provider_key_set: Option<KeySetRecord<'a>>,
    /// Checks signatures by that provider's keys.
    pub provider_verifier: Option<&'a dyn SignatureVerifier>,
    /// Whether the `client_secret` is the application's.
    pub client_secret: Option<SecretRecord>,
    /// What the platform knows of the authorization code.
    pub authorization_code: Option<CodeRecord>,
    /// What the platform knows of the refresh token.
    pub refresh_token: Option<RefreshTokenRecord>,
    /// What the platform knows of `state` at `/callback`.
    pub sign_in: Option<SignInRecord>,
    /// Whether the platform has a session of the logout token's `sid`.
    pub session: Option<SessionRecord>,
}

impl fmt::Debug for Evidence<'_> {
    /// What is known, and not what it says: assertions are credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evidence")
            .field("method", &self.method)
            .field("content_type", &self.content_type)
            .field("form", &self.form)
            .field("assertion", &self.assertion)
            .field("now", &self.now)
            .field("token_url", &self.token_url)
            .field("jti", &self.jti)
            .field("application", &self.application)
            .field("quota", &self.quota)
            .field("key_set", &self.key_set.is_some())
            .field("verifier", &self.verifier.is_some())
            .field("id_token", &self.id_token)
            .field("logout_token", &self.logout_token)
            .field("provider", &self.provider)
            .field("provider_client_id", &self.provider_client_id)
            .field("provider_key_set", &self.provider_key_set.is_some())
            .field("provider_verifier", &self.provider_verifier.is_some())
            .field("client_secret", &self.client_secret)
            .field("authorization_code", &self.authorization_code)
            .field("refresh_token", &self.refresh_token)
            .field("sign_in", &self.sign_in)
            .field("session", &self.session)
            .finish()
    }
}

/// Whether a `jti` is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it is or it isn't")]
pub enum JtiHistory {
    /// Not seen for this `sub` in the last 30 days.
    New,
    /// Seen.
    Seen,
}

/// Whether one more request is within the application's rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it is or it isn't")]
pub enum Quota {
    /// Too many in the last minute.
    Exceeded,
    /// Within the limit.
    Within,
}

/// An application as the platform knows it. Each `bool` is a condition of rule A15b.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the mock makes these")]
#[expect(clippy::struct_excessive_bools, reason = "the platform has these flags")]
pub struct ApplicationRecord {
    /// Approved and not revoked.
    pub approved: bool,
    /// Where combined sign-in sends the browser back to; `None` when none is registered.
    pub callback_url: Option<String>,
    /// The company that it belongs to is active.
    pub company_active: bool,
    /// The developer who made it is active.
    pub developer_active: bool,
    /// It has a JWKS URL.
    pub has_key_set: bool,
    /// What its products allow; `None` when it isn't subscribed to any.
    pub scopes: Option<Vec<String>>,
}

/// The key set as the platform has it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum KeySetRecord<'a> {
    /// The document that was fetched, whatever it holds.
    Fetched(&'a Jwks),
    /// It could not be fetched.
    Unreachable,
}

/// Whether a client secret is the application's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it is or it isn't")]
pub enum SecretRecord {
    /// It is.
    Right,
    /// It isn't.
    Wrong,
}

/// What the platform knows of an authorization code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it can be redeemed or it can't")]
pub enum CodeRecord {
    /// It can be redeemed.
    Live,
    /// It can't: never issued, redeemed before, expired, or another application's.
    Unknown,
}

/// What the platform knows of a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the platform tells these three apart")]
pub enum RefreshTokenRecord {
    /// Its own lifetime, or the window since the first sign-in, is over.
    Expired,
    /// It can be redeemed.
    Live,
    /// Never issued, redeemed before, or another application's.
    Unknown,
}

/// What the platform knows of a sign-in that a browser comes back from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it waits or it doesn't")]
pub enum SignInRecord {
    /// Never begun here, or finished already.
    Unknown,
    /// It waits for the browser to come back.
    Waiting,
}

/// Whether the platform has a session of some `sid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it has or it hasn't")]
pub enum SessionRecord {
    /// It has.
    Known,
    /// It hasn't.
    Unknown,
}
