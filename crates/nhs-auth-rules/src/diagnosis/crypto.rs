//! Crypto, as it comes in from outside.

use crate::SignatureAlgorithm;

/// What a diagnosis needs of a crypto library. Nothing secret goes through it.
pub trait Crypto: Sync {
    /// Whether `signature` is a signature over `message` by the RSA public key of this modulus and
    /// exponent (both big-endian). `false` too where the key can't be used.
    fn verifies(
        &self,
        algorithm: SignatureAlgorithm,
        modulus: &[u8],
        exponent: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> bool;

    /// SHA-256, for thumbprints (RFC 7638).
    fn sha256(&self, bytes: &[u8]) -> [u8; 32];

    /// SHA-1, for the old thumbprint of certificates (RFC 7515 §4.1.7).
    fn sha1(&self, bytes: &[u8]) -> [u8; 20];
}
