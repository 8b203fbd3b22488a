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

#[cfg(test)]
mod tests {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    use aws_lc_rs::signature::{
        KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RsaEncoding,
    };
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    const MESSAGE: &[u8] = b"header.payload";

    #[test]
    fn rs256_and_rs512_verify_by_their_own_hash_and_nothing_else_does() {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let key_set = key_set_of(&pair);
        let verifies = |algorithm, signature: &[u8]| {
            key_set.verifies(algorithm, &key_set.jwks.keys[0], MESSAGE, signature)
        };
        let signatures = [
            (SignatureAlgorithm::Rs256, sign(&pair, &RSA_PKCS1_SHA256), true),
            (SignatureAlgorithm::Rs512, sign(&pair, &RSA_PKCS1_SHA512), true),
            (SignatureAlgorithm::Rs384, sign(&pair, &RSA_PKCS1_SHA384), false),
        ];
        for (made_by, signature, is_taken) in &signatures {
            for algorithm in SignatureAlgorithm::ALL {
                let expected = *is_taken && algorithm == made_by;
                assert_eq!(verifies(*algorithm, signature), expected, "{made_by} as {algorithm}");
            }
        }
    }

    fn key_set_of(pair: &KeyPair) -> KeySet {
        let public = pair.public_key();
        let n = URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero());
        let e = URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero());
        KeySet::parse(&format!(r#"{{"keys":[{{"kty":"RSA","kid":"1","n":"{n}","e":"{e}"}}]}}"#))
    }

    fn sign(pair: &KeyPair, encoding: &'static dyn RsaEncoding) -> Vec<u8> {
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(encoding, &SystemRandom::new(), MESSAGE, &mut signature).unwrap();
        signature
    }
}
