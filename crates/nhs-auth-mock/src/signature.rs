//! RS512, in a few lines of our own over the crypto library.

use aws_lc_rs::signature::{
    ParsedPublicKey, RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY, RsaPublicKeyComponents,
};
use nhs_auth_rules::{Jwk, SignatureVerifier};

use crate::state::key_sets::KeySet;

/// A public key that is ready to verify.
pub(crate) struct PublicKey(ParsedPublicKey);

impl PublicKey {
    /// The key in an RSA JWK, if there is one (RFC 7518 §6.3.1).
    pub(crate) fn read(jwk: &Jwk) -> Option<Self> {
        if !jwk.is_rsa() {
            return None;
        }
        let (n, e) = (jwk.bytes("n")?, jwk.bytes("e")?);
        // From 1024 bits: the platform registers such keys and refuses none.
        RsaPublicKeyComponents { n: without_leading_zeros(&n), e: without_leading_zeros(&e) }
            .to_parsed_public_key(&RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY)
            .ok()
            .map(Self)
    }

    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}

impl SignatureVerifier for KeySet {
    fn verifies_rs512(&self, key: &Jwk, message: &[u8], signature: &[u8]) -> bool {
        self.public_key(key).is_some_and(|key| key.verifies(message, signature))
    }
}

fn without_leading_zeros(mut bytes: &[u8]) -> &[u8] {
    while let [0, rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}
