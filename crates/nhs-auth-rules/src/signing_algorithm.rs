//! What clients sign their assertions with.

use std::fmt;

/// What an assertion is signed with: RSASSA-PKCS1-v1_5 (RFC 7518, section 3.3; RFC 8017, section
/// 8.2).
///
/// The API platform and NHS login take RS512 alone. At CIS2 it is the one that the client is
/// registered with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "whoever signs or verifies has to know each of them")]
pub enum SigningAlgorithm {
    /// With SHA-256.
    Rs256,
    /// With SHA-512.
    #[default]
    Rs512,
}

impl SigningAlgorithm {
    /// The one of that name, compared as JOSE does.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Rs256, Self::Rs512].into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The name in a header (`alg`).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs512 => "RS512",
        }
    }
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
