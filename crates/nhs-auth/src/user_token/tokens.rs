//! What the platform issues for a user.

use std::fmt;
use std::time::Duration;

use nhs_auth_rules::UnixMillis;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::refresh::RefreshToken;
use crate::token::seconds;
use crate::{AccessToken, IssuedToken};

/// A user's access token, and the refresh token beside it where there is one.
#[derive(Clone)]
pub struct UserTokens {
    issued: IssuedToken,
    refresh_token: Option<RefreshToken>,
    /// By our clock.
    refresh_until: Option<UnixMillis>,
}

impl UserTokens {
    pub(super) fn of(mut issued: IssuedToken) -> Self {
        let refresh_token = match issued.others.remove("refresh_token") {
            Some(Value::String(token)) => RefreshToken::new(token),
            _ => None,
        };
        let lives = issued.others.get("refresh_token_expires_in").and_then(seconds);
        let refresh_until = lives.map(|lives| {
            issued.requested_at.plus(i64::try_from(lives.as_millis()).unwrap_or(i64::MAX))
        });
        Self { issued, refresh_token, refresh_until }
    }

    /// The access token, which APIs with user-restricted access take.
    pub fn access_token(&self) -> &AccessToken {
        &self.issued.access_token
    }

    /// The answer as the platform sent it, less the refresh token.
    pub fn issued(&self) -> &IssuedToken {
        &self.issued
    }

    /// When the access token expires, by our clock.
    pub fn expires_at(&self) -> Option<UnixMillis> {
        self.issued.expires_at()
    }

    /// The refresh token. It works once.
    pub fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh_token.as_ref()
    }

    /// Until when the refresh token can be redeemed, by our clock: 12 hours after a CIS2 sign-in,
    /// an hour after one with NHS login.
    pub fn refresh_until(&self) -> Option<UnixMillis> {
        self.refresh_until
    }

    /// Whether the access token can be sent, at that time.
    pub fn serves(&self, now: UnixMillis) -> bool {
        self.expires_at().is_some_and(|end| now < end)
    }

    /// Whether it should be renewed: most of its lifetime is over.
    pub(crate) fn is_fresh(&self, now: UnixMillis) -> bool {
        self.issued.is_fresh(now)
    }

    pub(crate) fn has_same_access_token(&self, other: &Self) -> bool {
        self.access_token().is_same_as(other.access_token())
    }

    /// The refresh token, if it can be redeemed at that time.
    pub(super) fn refreshable(&self, now: UnixMillis) -> Option<&RefreshToken> {
        let is_over = self.refresh_until.is_some_and(|until| until <= now);
        self.refresh_token.as_ref().filter(|_| !is_over)
    }

    pub(crate) fn to_kept(&self) -> KeptTokens {
        KeptTokens {
            access_token: Zeroizing::new(self.issued.access_token.expose().to_owned()),
            refresh_token: self
                .refresh_token
                .as_ref()
                .map(|token| Zeroizing::new(token.expose().to_owned())),
            token_type: self.issued.token_type.clone(),
            expires_in_s: self.issued.expires_in.map(|lives| lives.as_secs()),
            requested_at_ms: self.issued.requested_at.0,
            others: self.issued.others.clone(),
        }
    }

    pub(crate) fn of_kept(kept: &KeptTokens) -> Option<Self> {
        let refresh_token = kept.refresh_token.as_ref();
        let refresh_token = refresh_token.and_then(|token| RefreshToken::new(token.to_string()));
        let tokens = Self::of(IssuedToken {
            access_token: AccessToken::new(kept.access_token.to_string())?,
            token_type: kept.token_type.clone(),
            expires_in: kept.expires_in_s.map(Duration::from_secs),
            requested_at: UnixMillis(kept.requested_at_ms),
            others: kept.others.clone(),
        });
        Some(Self { refresh_token, ..tokens })
    }
}

impl fmt::Debug for UserTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserTokens")
            .field("issued", &self.issued)
            .field("refresh_until", &self.refresh_until)
            .finish_non_exhaustive()
    }
}

/// A user's tokens as a session keeps them: a secret, whole.
#[derive(Serialize, Deserialize)]
pub(crate) struct KeptTokens {
    access_token: Zeroizing<String>,
    refresh_token: Option<Zeroizing<String>>,
    token_type: String,
    expires_in_s: Option<u64>,
    requested_at_ms: i64,
    others: Map<String, Value>,
}
