//! RS256 and RS512, in a few lines of our own over the crypto library.

use std::sync::OnceLock;

use aws_lc_rs::signature::{
    ParsedPublicKey, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY, RsaParameters, RsaPublicKeyComponents,
};
use nhs_auth_rules::{Jwk, SignatureAlgorithm, SignatureVerifier};

use crate::state::key_sets::KeySet;

/// A key of a set, made ready for an algorithm when that is first asked for.
#[derive(Default)]
pub(crate) struct PublicKey {
    rs256: OnceLock<Option<ParsedPublicKey>>,
    rs512: OnceLock<Option<ParsedPublicKey>>,
}

impl PublicKey {
    fn verifies(
        &self,
        algorithm: SignatureAlgorithm,
        jwk: &Jwk,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        // From 1024 bits: the platform registers such keys and refuses none.
        let (ready, parameters) = match algorithm {
            SignatureAlgorithm::Rs256 => {
                (&self.rs256, &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY)
            }
            SignatureAlgorithm::Rs512 => {
                (&self.rs512, &RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY)
            }
            _ => return false,
        };
        ready
            .get_or_init(|| read(jwk, parameters))
            .as_ref()
            .is_some_and(|key| key.verify_sig(message, signature).is_ok())
    }
}

impl SignatureVerifier for KeySet {
    fn verifies(
        &self,
        algorithm: SignatureAlgorithm,
        key: &Jwk,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        self.public_key(key)
            .is_some_and(|public_key| public_key.verifies(algorithm, key, message, signature))
    }
}

/// The key in an RSA JWK, if there is one (RFC 7518 §6.3.1).
fn read(jwk: &Jwk, parameters: &'static RsaParameters) -> Option<ParsedPublicKey> {
    if !jwk.is_rsa() {
        return None;
    }
    let (n, e) = (jwk.bytes("n")?, jwk.bytes("e")?);
    RsaPublicKeyComponents { n: without_leading_zeros(&n), e: without_leading_zeros(&e) }
        .to_parsed_public_key(parameters)
        .ok()
}

fn without_leading_zeros(mut bytes: &[u8]) -> &[u8] {
    while let [0, rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}
