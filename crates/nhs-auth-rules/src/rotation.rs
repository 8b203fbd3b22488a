//! How long the steps of a key's rotation wait, by what the platform keeps and for how long.
//!
//! The platform keeps a key set for an hour by its URL, and does not look again for a `kid` that it
//! doesn't know (rules A18 and A19). So a new key signs only when every copy of the set without it
//! is gone, and an old one leaves only when nothing that it signed, and no copy of a set without its
//! successor, can still be about.

use crate::limits::{EXP_ENFORCED_S, JWKS_CACHE_S};

/// How long a cache between a key set's host and the platform may keep it, in seconds: what our own
/// endpoint and our own uploads allow (`Cache-Control: max-age`).
pub const KEY_SET_MAX_AGE_S: i64 = 300;

/// What is added to each wait, in seconds: two clocks may differ, and a file takes time to arrive.
pub const MARGIN_S: i64 = 300;

/// How long the gateway may keep an application's registered URL, in seconds. Inferred: the
/// platform's documentation says nothing, and a quarter of an hour is cautious.
pub const REGISTERED_URL_CACHE_S: i64 = 900;

/// How a key set comes to the platform, which decides the waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Freshness {
    /// At a URL at which the platform may have looked before: its copy lives for an hour.
    KnownUrl,
    /// At a URL at which nobody has looked before, such as the platform's echo, whose URL changes
    /// with the key set: there is no copy of it.
    NewUrl,
}

impl Freshness {
    /// How long a key is published before it may sign, in seconds.
    pub const fn before_signing_s(self) -> i64 {
        match self {
            Self::KnownUrl => JWKS_CACHE_S + KEY_SET_MAX_AGE_S + MARGIN_S,
            Self::NewUrl => REGISTERED_URL_CACHE_S,
        }
    }
}

/// How long a key stays published after it has stopped signing, in seconds: longer than anything
/// that it signed, than the token that was got by it, and than any copy of a key set.
pub const BEFORE_REMOVAL_S: i64 = JWKS_CACHE_S + KEY_SET_MAX_AGE_S + MARGIN_S;

/// The same for a key that somebody else has, in seconds: as long as the last assertion that we
/// signed with it can live.
pub const BEFORE_REMOVAL_OF_A_LEAKED_KEY_S: i64 = EXP_ENFORCED_S;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::ACCESS_TOKEN_LIFETIME_MS;

    #[test]
    fn every_wait_is_longer_than_what_it_waits_for() {
        const { assert!(Freshness::KnownUrl.before_signing_s() > JWKS_CACHE_S + KEY_SET_MAX_AGE_S) };
        const { assert!(Freshness::NewUrl.before_signing_s() < JWKS_CACHE_S) };
        const { assert!(BEFORE_REMOVAL_S > JWKS_CACHE_S) };
        const { assert!(BEFORE_REMOVAL_S > EXP_ENFORCED_S) };
        const { assert!(BEFORE_REMOVAL_S > ACCESS_TOKEN_LIFETIME_MS / 1000) };
        const { assert!(BEFORE_REMOVAL_OF_A_LEAKED_KEY_S >= EXP_ENFORCED_S) };
    }
}
