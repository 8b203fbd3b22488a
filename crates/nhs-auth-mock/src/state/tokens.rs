//! The access tokens that were issued.

use std::sync::Arc;

use nhs_auth_rules::UnixMillis;

use super::expiring::{Digest, Expiring};
use super::sessions::Session;
use crate::random;

/// The most tokens that are remembered, expired ones included.
const MOST: usize = 262_144;

/// How long an expired token is still known to have been one: a day.
const EXPIRED_MEMORY_MS: i64 = 24 * 60 * 60 * 1000;

/// The length of an access token, as they are seen in practice.
const LENGTH: usize = 28;

/// The access tokens that were issued.
#[derive(Debug)]
pub(crate) struct Tokens(Expiring<Grant>);

/// What a token stands for.
#[derive(Clone)]
pub(crate) struct Grant {
    pub(crate) application_id: Arc<str>,
    pub(crate) expires_at: UnixMillis,
    /// The user on whose behalf the application calls; `None` where it calls as itself.
    pub(crate) user: Option<Arc<Session>>,
}

impl Tokens {
    /// Issues a token.
    pub(crate) fn issue(&self, grant: Grant) -> String {
        let token = random::alphanumeric(LENGTH);
        let forgotten_at = grant.expires_at.plus(EXPIRED_MEMORY_MS);
        self.0.put(&token, grant, forgotten_at);
        token
    }

    /// What that token stands for, or stood for: it may have expired. One whose session has ended
    /// is as unknown as one that never was.
    pub(crate) fn find(&self, token: &str, now: UnixMillis) -> Option<Grant> {
        let grant = self.0.get(token, now)?;
        let has_ended = grant.user.as_ref().is_some_and(|session| session.has_ended());
        (!has_ended).then_some(grant)
    }

    /// All of them, with the moments at which they are forgotten.
    pub(crate) fn all(&self) -> Vec<(Digest, UnixMillis, Grant)> {
        self.0.all()
    }

    /// Takes back one of which the name's digest is known.
    pub(crate) fn restore(&self, digest: Digest, grant: Grant, forgotten_at: UnixMillis) {
        self.0.put_digest(digest, grant, forgotten_at);
    }

    pub(crate) fn clear(&self) {
        self.0.clear();
    }
}

impl Default for Tokens {
    fn default() -> Self {
        Self(Expiring::new(MOST))
    }
}
