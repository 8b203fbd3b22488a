//! A key set that was given, and what can be had from its keys.

use super::Crypto;
use super::modulus::{self, Flaw};
use super::source::{Shown, Sources};
use crate::quotable::quotable;
use crate::{Jwk, Jwks, SignatureAlgorithm};

/// How many keys of a set are looked at. No real set has that many.
const MOST_KEYS: usize = 32;

/// A key set that was given.
#[derive(Debug)]
pub(super) struct KeySet {
    pub(super) jwks: Jwks,
    pub(super) shown: Shown,
    /// For each key, what is wrong with its `n`.
    pub(super) flaws: Vec<Option<Flaw>>,
}

impl KeySet {
    /// Reads it. The modulus of the private key, where there is one, shows what a damaged `n` was.
    pub(super) fn read(document: &str, modulus: Option<&[u8]>, sources: &mut Sources) -> Self {
        let jwks = Jwks::parse(document);
        let shown = sources.key_set("jwks", document);
        let flaw = |key: &Jwk| {
            let n = key.text("n")?;
            modulus::lost_character(&n, modulus).or_else(|| modulus::flaw(&n))
        };
        let flaws = jwks.keys.iter().map(flaw).collect();
        Self { jwks, shown, flaws }
    }

    /// The keys, as far as they are looked at.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Jwk> {
        self.jwks.keys.iter().take(MOST_KEYS)
    }

    /// The two numbers of a key, mended where they can be.
    pub(super) fn numbers(&self, key: &Jwk) -> Option<(Vec<u8>, Vec<u8>)> {
        let mended = self.flaws.get(key.index).and_then(Option::as_ref);
        let n = match mended.and_then(|flaw| flaw.mended.clone()) {
            Some(mended) => mended,
            None => key.bytes("n")?,
        };
        let e = modulus::lenient_bytes(&key.text("e")?)?;
        Some((modulus::significant(&n).to_vec(), modulus::significant(&e).to_vec()))
    }

    /// The first key that made this signature, whatever its name.
    pub(super) fn signer(
        &self,
        crypto: &dyn Crypto,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Option<&Jwk> {
        self.keys().find(|key| {
            self.numbers(key)
                .is_some_and(|(n, e)| crypto.verifies(algorithm, &n, &e, message, signature))
        })
    }

    /// What a person calls a key: its kid, else its number.
    pub(super) fn name(key: &Jwk) -> String {
        match key.text("kid") {
            Some(kid) => format!("`{}`", quotable(&kid)),
            None => format!("number {} of the set, which has no kid", key.index + 1),
        }
    }
}
