//! The diagnosis's crypto, in a few lines of our own over the crypto library.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::signature::{
    RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_2048_8192_SHA384, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
    RSA_PSS_2048_8192_SHA512, RsaPublicKeyComponents,
};
use nhs_auth_rules::SignatureAlgorithm;
use nhs_auth_rules::diagnosis::Crypto;

/// Checks signatures and makes thumbprints.
pub(super) struct OwnCrypto;

impl Crypto for OwnCrypto {
    fn verifies(
        &self,
        algorithm: SignatureAlgorithm,
        modulus: &[u8],
        exponent: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let parameters = match algorithm {
            SignatureAlgorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
            SignatureAlgorithm::Ps384 => &RSA_PSS_2048_8192_SHA384,
            SignatureAlgorithm::Ps512 => &RSA_PSS_2048_8192_SHA512,
            SignatureAlgorithm::Rs256 => &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
            SignatureAlgorithm::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
            SignatureAlgorithm::Rs512 => &RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        };
        let key = RsaPublicKeyComponents { n: modulus, e: exponent };
        key.verify(parameters, message, signature).is_ok()
    }

    fn sha256(&self, bytes: &[u8]) -> [u8; 32] {
        let hash = digest(&SHA256, bytes);
        hash.as_ref().try_into().expect("SHA-256 has 32 bytes")
    }

    fn sha1(&self, bytes: &[u8]) -> [u8; 20] {
        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes);
        hash.as_ref().try_into().expect("SHA-1 has 20 bytes")
    }
}
