//! What goes into a store is encrypted before the store sees it.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use aws_lc_rs::hmac;
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::Entropy;

/// The least length of a secret, in bytes.
const LEAST_SECRET: usize = 32;

/// The key that what is kept in a store is encrypted with (AES-256-GCM): sessions, and the tokens
/// of a fleet, each with a key of its own and bound to its own name. Who can read the store reads no
/// token, and who can write to it can't put one thing in place of another.
pub struct SealingKey {
    keys: Keys,
    opens_too: Vec<Keys>,
}

/// A secret that is too short to make a key of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secret has fewer than {LEAST_SECRET} bytes; `openssl rand -base64 32` makes one")]
#[non_exhaustive]
pub struct ShortSecret;

/// What is sealed: a thing of one kind can't be opened as one of another.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    Session,
    Token,
}

/// What one secret gives.
struct Keys {
    sessions: RandomizedNonceKey,
    tokens: RandomizedNonceKey,
    token_names: hmac::Key,
}

struct Bytes32;

impl KeyType for Bytes32 {
    fn len(&self) -> usize {
        32
    }
}

impl SealingKey {
    /// A key that is forgotten with the process: for a store in memory.
    pub fn random(entropy: &dyn Entropy) -> Self {
        Self::of(Zeroizing::new(entropy.bytes()).as_slice())
    }

    /// A key of a secret that all instances share (HKDF with SHA-256, RFC 5869).
    ///
    /// # Errors
    ///
    /// [`ShortSecret`] for fewer than 32 bytes.
    pub fn derived_from(secret: &SecretString) -> Result<Self, ShortSecret> {
        let secret = secret.expose_secret().as_bytes();
        if secret.len() < LEAST_SECRET {
            return Err(ShortSecret);
        }
        Ok(Self::of(secret))
    }

    fn of(secret: &[u8]) -> Self {
        Self { keys: Keys::of(secret), opens_too: Vec::new() }
    }

    /// The same, which also opens what an older key has sealed: for as long as a session lasts
    /// after a change of the secret. Tokens need no such thing: those of another secret are at
    /// other names, and live minutes.
    pub fn and_opens(mut self, older: Self) -> Self {
        self.opens_too.push(older.keys);
        self.opens_too.extend(older.opens_too);
        self
    }

    pub(crate) fn seal(&self, purpose: Purpose, name: &[u8; 32], content: &[u8]) -> Vec<u8> {
        let mut sealed = content.to_vec();
        let nonce = self
            .keys
            .of_purpose(purpose)
            .seal_in_place_append_tag(Aad::from(name), &mut sealed)
            .expect("what is kept is shorter than what AES-GCM takes");
        sealed.extend_from_slice(nonce.as_ref());
        sealed
    }

    /// `None` when it was sealed by another key, under another name, for another purpose, or was
    /// changed.
    pub(crate) fn open(
        &self,
        purpose: Purpose,
        name: &[u8; 32],
        sealed: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let mut keys = std::iter::once(&self.keys).chain(&self.opens_too);
        keys.find_map(|it| open(it.of_purpose(purpose), name, sealed))
    }

    /// The name of the token that these parts stand for. It depends on the secret: it shows nothing
    /// of the parts, not even to who guesses them, and fleets of different secrets keep apart.
    pub(crate) fn token_name(&self, parts: &[&str]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.keys.token_names);
        for part in parts {
            // With its length before it, so that no two lists of parts are the same bytes.
            context.update(&part.len().to_be_bytes());
            context.update(part.as_bytes());
        }
        context.sign().as_ref().try_into().expect("SHA-256 has 32 bytes")
    }
}

impl Keys {
    fn of(secret: &[u8]) -> Self {
        let extracted = Salt::new(HKDF_SHA256, b"nhs-auth").extract(secret);
        let sealing = |purpose| {
            let key = expanded(&extracted, purpose);
            RandomizedNonceKey::new(&AES_256_GCM, &*key).expect("the key has 32 bytes")
        };
        Self {
            sessions: sealing(b"session"),
            tokens: sealing(b"token"),
            token_names: hmac::Key::new(hmac::HMAC_SHA256, &*expanded(&extracted, b"token name")),
        }
    }

    fn of_purpose(&self, purpose: Purpose) -> &RandomizedNonceKey {
        match purpose {
            Purpose::Session => &self.sessions,
            Purpose::Token => &self.tokens,
        }
    }
}

fn expanded(extracted: &Prk, purpose: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    let expanded = extracted.expand(&[purpose], Bytes32).and_then(|it| it.fill(&mut *key));
    expanded.expect("32 bytes are within what HKDF gives");
    key
}

fn open(by: &RandomizedNonceKey, name: &[u8; 32], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (content, nonce) = sealed.split_at_checked(sealed.len().checked_sub(NONCE_LEN)?)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut content = Zeroizing::new(content.to_vec());
    let opened = by.open_in_place(nonce, Aad::from(name), &mut content).ok()?;
    let length = opened.len();
    content.truncate(length);
    Some(content)
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OsEntropy;

    const NAME: [u8; 32] = [1; 32];
    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn derived_from(secret: &str) -> SealingKey {
        SealingKey::derived_from(&secret.into()).unwrap()
    }

    #[test]
    fn only_the_same_key_name_and_purpose_open() {
        let key = SealingKey::random(&OsEntropy);
        for (purpose, other) in
            [(Purpose::Session, Purpose::Token), (Purpose::Token, Purpose::Session)]
        {
            let sealed = key.seal(purpose, &NAME, b"tokens");
            assert_eq!(key.open(purpose, &NAME, &sealed).unwrap().as_slice(), b"tokens");
            assert!(key.open(other, &NAME, &sealed).is_none());
            assert!(key.open(purpose, &[2; 32], &sealed).is_none());
            assert!(SealingKey::random(&OsEntropy).open(purpose, &NAME, &sealed).is_none());
            assert!(!sealed.windows(6).any(|window| window == b"tokens"));
            for at in 0..sealed.len() {
                let mut changed = sealed.clone();
                changed[at] ^= 1;
                assert!(key.open(purpose, &NAME, &changed).is_none(), "{at}");
                assert!(key.open(purpose, &NAME, &sealed[..at]).is_none(), "{at}");
            }
        }
    }

    #[test]
    fn instances_that_share_a_secret_share_the_key() {
        let sealed = derived_from(SECRET).seal(Purpose::Session, &NAME, b"tokens");
        assert!(derived_from(SECRET).open(Purpose::Session, &NAME, &sealed).is_some());
        let newer = derived_from("fedcba9876543210fedcba9876543210");
        assert!(newer.open(Purpose::Session, &NAME, &sealed).is_none());
        let both = newer.and_opens(derived_from(SECRET));
        assert!(both.open(Purpose::Session, &NAME, &sealed).is_some());
        let error = SealingKey::derived_from(&"short".into()).unwrap_err();
        assert_eq!(error, ShortSecret);
    }

    #[test]
    fn a_tokens_name_is_one_for_the_same_secret_and_parts() {
        let key = derived_from(SECRET);
        let name = key.token_name(&["endpoint", "api-key"]);
        assert_eq!(derived_from(SECRET).token_name(&["endpoint", "api-key"]), name);
        assert_ne!(key.token_name(&["endpointapi", "-key"]), name);
        let other = derived_from("fedcba9876543210fedcba9876543210");
        assert_ne!(other.token_name(&["endpoint", "api-key"]), name);
    }
}
