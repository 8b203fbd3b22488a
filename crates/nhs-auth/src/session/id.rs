//! The name of a session: all that the browser has of it.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use secrecy::{ExposeSecret as _, SecretString};

use super::store::SessionKey;
use crate::Entropy;
use crate::entropy::unguessable;

/// 32 bytes in base64url.
const LENGTH: usize = 43;

/// A session's name, which nobody can guess: the value of a cookie. Whoever has it is the user, so
/// `Debug` doesn't show it, and the store only ever sees a hash of it.
#[derive(Clone)]
pub struct SessionId(SecretString);

/// A text that is no session's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a session's name")]
#[non_exhaustive]
pub struct InvalidSessionId;

impl SessionId {
    pub(super) fn new(entropy: &dyn Entropy) -> Self {
        Self(unguessable(entropy).into())
    }

    /// The name itself, for the cookie.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// What the store knows it by.
    pub(super) fn key(&self) -> SessionKey {
        let hash = digest(&SHA256, self.expose().as_bytes());
        SessionKey(hash.as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }
}

impl FromStr for SessionId {
    type Err = InvalidSessionId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if text.len() == LENGTH && text.bytes().all(is_base64url) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidSessionId)
        }
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OsEntropy;

    #[test]
    fn a_name_leads_back_and_no_two_are_alike() {
        let id = SessionId::new(&OsEntropy);
        let again: SessionId = id.expose().parse().unwrap();
        assert_eq!(again.key(), id.key());
        assert_ne!(SessionId::new(&OsEntropy).key(), id.key());
        assert!(!format!("{id:?}").contains(id.expose()));
    }

    #[test]
    fn what_is_none() {
        for text in
            ["", "short", &"a".repeat(42), &"a".repeat(44), &"=".repeat(43), &"é".repeat(21)]
        {
            assert!(text.parse::<SessionId>().is_err(), "{text}");
        }
    }
}
