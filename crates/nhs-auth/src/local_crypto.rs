//! The diagnosis's crypto, by the library that signs here too.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::signature::{
    RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_2048_8192_SHA384, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
    RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
};
use nhs_auth_rules::SignatureAlgorithm;
use nhs_auth_rules::diagnosis::Crypto;

/// Checks signatures and makes thumbprints, for [`nhs_auth_rules::diagnosis`].
///
/// Keys of 1024 bits are used too, where the platform uses them; smaller ones verify nothing.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct LocalCrypto;

impl Crypto for LocalCrypto {
    fn verifies(
        &self,
        algorithm: SignatureAlgorithm,
        modulus: &[u8],
        exponent: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let key = RsaPublicKeyComponents { n: modulus, e: exponent };
        key.verify(parameters(algorithm), message, signature).is_ok()
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

fn parameters(algorithm: SignatureAlgorithm) -> &'static RsaParameters {
    match algorithm {
        SignatureAlgorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
        SignatureAlgorithm::Ps384 => &RSA_PSS_2048_8192_SHA384,
        SignatureAlgorithm::Ps512 => &RSA_PSS_2048_8192_SHA512,
        SignatureAlgorithm::Rs256 => &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        SignatureAlgorithm::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
        SignatureAlgorithm::Rs512 => &RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PrivateKey, SigningAlgorithm};

    #[test]
    fn only_the_algorithm_that_signed_verifies() {
        let key = PrivateKey::generate().unwrap();
        let signature = key.sign(SigningAlgorithm::Rs512, b"message").unwrap();
        let (n, e) = (key.public().modulus(), key.public().exponent());
        for algorithm in SignatureAlgorithm::ALL {
            let verifies = LocalCrypto.verifies(*algorithm, n, e, b"message", &signature);
            assert_eq!(verifies, *algorithm == SignatureAlgorithm::Rs512, "{algorithm}");
        }
        assert!(!LocalCrypto.verifies(SignatureAlgorithm::Rs512, &[], &[], b"", b""));
    }
}
