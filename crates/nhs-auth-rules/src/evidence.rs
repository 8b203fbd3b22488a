//! What a judge has to go by.

use std::fmt;

use crate::{Form, Jwk, Jwks, Jwt, UnixMillis};

/// Everything that may be known about a request. The mock knows all of it by the time that a rule
/// asks; a diagnosis knows what it was given. What is `None` isn't known.
#[derive(Clone, Copy, Default)]
#[expect(clippy::exhaustive_structs, reason = "made by its users, with `..Evidence::default()`")]
pub struct Evidence<'a> {
    /// The HTTP method.
    pub method: Option<&'a str>,
    /// The `Content-Type` header: inner `None` when the request has none.
    pub content_type: Option<Option<&'a str>>,
    /// The request's form.
    pub form: Option<&'a Form>,
    /// The client assertion.
    pub assertion: Option<&'a Jwt<'a>>,
    /// When the platform looked.
    pub now: Option<UnixMillis>,
    /// The URL that the request was posted to.
    pub token_url: Option<&'a str>,
    /// Whether the platform has seen the assertion's `jti` before, for its `sub`.
    pub jti: Option<JtiHistory>,
    /// The application behind `sub`: inner `None` when the platform knows no such API key.
    pub application: Option<Option<&'a ApplicationRecord>>,
    /// Where the application stands with its rate limit.
    pub quota: Option<Quota>,
    /// The key set as the platform has it: fetched, or from its cache.
    pub key_set: Option<KeySetRecord<'a>>,
    /// Checks signatures.
    pub verifier: Option<&'a dyn SignatureVerifier>,
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

/// Checks signatures, so that this crate needs no crypto.
pub trait SignatureVerifier: Sync {
    /// Whether `signature` is RSASSA-PKCS1-v1_5 with SHA-512 (RFC 7518 §3.3) over `message`, by
    /// the key whose modulus and exponent `key` holds. `false` too when `key` holds none.
    fn verifies_rs512(&self, key: &Jwk, message: &[u8], signature: &[u8]) -> bool;
}
