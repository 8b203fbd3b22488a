//! Sessions are encrypted before any store sees them.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::store::SessionKey;
use crate::Entropy;

/// The least length of a secret, in bytes.
const LEAST_SECRET: usize = 32;

/// The key that sessions are encrypted with (AES-256-GCM), each bound to its own name: who can
/// read the store reads no token, and who can write to it can't put one user's session in place of
/// another's.
pub struct SealingKey {
    seals: RandomizedNonceKey,
    opens_too: Vec<RandomizedNonceKey>,
}

/// A secret that is too short to make a key of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secret has fewer than {LEAST_SECRET} bytes; `openssl rand -base64 32` makes one")]
#[non_exhaustive]
pub struct ShortSecret;

struct Aes256;

impl KeyType for Aes256 {
    fn len(&self) -> usize {
        32
    }
}

impl SealingKey {
    /// A key that is forgotten with the process: for a store in memory.
    pub fn random(entropy: &dyn Entropy) -> Self {
        Self::of(&Zeroizing::new(entropy.bytes()))
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
        let extracted = Salt::new(HKDF_SHA256, b"nhs-auth").extract(secret);
        let mut key = Zeroizing::new([0; 32]);
        let expanded = extracted.expand(&[b"session"], Aes256).and_then(|it| it.fill(&mut *key));
        expanded.expect("32 bytes are within what HKDF gives");
        Ok(Self::of(&key))
    }

    fn of(bytes: &[u8; 32]) -> Self {
        let seals = RandomizedNonceKey::new(&AES_256_GCM, bytes).expect("the key has 32 bytes");
        Self { seals, opens_too: Vec::new() }
    }

    /// The same, which also opens what an older key has sealed: for as long as a session lasts
    /// after a change of the secret.
    pub fn and_opens(mut self, older: Self) -> Self {
        self.opens_too.push(older.seals);
        self.opens_too.extend(older.opens_too);
        self
    }

    pub(super) fn seal(&self, key: SessionKey, content: &[u8]) -> Vec<u8> {
        let mut sealed = content.to_vec();
        let nonce = self
            .seals
            .seal_in_place_append_tag(Aad::from(key.as_bytes()), &mut sealed)
            .expect("a session is shorter than what AES-GCM takes");
        sealed.extend_from_slice(nonce.as_ref());
        sealed
    }

    /// `None` when it was sealed by another key, under another name, or was changed.
    pub(super) fn open(&self, key: SessionKey, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut keys = std::iter::once(&self.seals).chain(&self.opens_too);
        keys.find_map(|it| open(it, key, sealed))
    }
}

fn open(by: &RandomizedNonceKey, key: SessionKey, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (content, nonce) = sealed.split_at_checked(sealed.len().checked_sub(NONCE_LEN)?)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut content = Zeroizing::new(content.to_vec());
    let opened = by.open_in_place(nonce, Aad::from(key.as_bytes()), &mut content).ok()?;
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

    const NAME: SessionKey = SessionKey([1; 32]);

    #[test]
    fn only_the_same_key_and_name_open() {
        let key = SealingKey::random(&OsEntropy);
        let sealed = key.seal(NAME, b"tokens");
        assert_eq!(key.open(NAME, &sealed).unwrap().as_slice(), b"tokens");
        assert!(key.open(SessionKey([2; 32]), &sealed).is_none());
        assert!(SealingKey::random(&OsEntropy).open(NAME, &sealed).is_none());
        assert!(!sealed.windows(6).any(|window| window == b"tokens"));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key.open(NAME, &changed).is_none(), "{at}");
            assert!(key.open(NAME, &sealed[..at]).is_none(), "{at}");
        }
    }

    #[test]
    fn instances_that_share_a_secret_share_the_key() {
        let secret: SecretString = "0123456789abcdef0123456789abcdef".into();
        let sealed = SealingKey::derived_from(&secret).unwrap().seal(NAME, b"tokens");
        assert!(SealingKey::derived_from(&secret).unwrap().open(NAME, &sealed).is_some());
        let newer: SecretString = "fedcba9876543210fedcba9876543210".into();
        let newer = SealingKey::derived_from(&newer).unwrap();
        assert!(newer.open(NAME, &sealed).is_none());
        let both = newer.and_opens(SealingKey::derived_from(&secret).unwrap());
        assert!(both.open(NAME, &sealed).is_some());
        let error = SealingKey::derived_from(&"short".into()).unwrap_err();
        assert_eq!(error, ShortSecret);
    }
}
