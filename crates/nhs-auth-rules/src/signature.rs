//! Signatures, as far as a crate without crypto can speak of them.

use std::fmt;

use crate::Jwk;

/// Checks signatures, so that this crate needs no crypto.
pub trait SignatureVerifier: Sync {
    /// Whether `signature` is a signature by that algorithm over `message` by the key whose modulus
    /// and exponent `key` holds. `false` too when `key` holds none, and when the verifier doesn't
    /// have the algorithm.
    fn verifies(
        &self,
        algorithm: SignatureAlgorithm,
        key: &Jwk,
        message: &[u8],
        signature: &[u8],
    ) -> bool;
}

/// The RSA signature algorithms of RFC 7518 §3.3 and §3.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 7518 has these six")]
pub enum SignatureAlgorithm {
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
}

impl SignatureAlgorithm {
    /// All of them, the platform's own first and then by how often a library signs with it unasked.
    pub const ALL: &'static [Self] =
        &[Self::Rs512, Self::Rs256, Self::Rs384, Self::Ps512, Self::Ps256, Self::Ps384];

    /// The name in a header.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
        }
    }

    /// The algorithm of that name, compared as JOSE does.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|algorithm| algorithm.name() == name)
    }
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
