//! Vectors of trust (RFC 8485), as NHS login has them (its interface specification, §5).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How well the user's identity is proven. A higher one is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum IdentityProofingLevel {
    /// Not at all.
    P0,
    /// By what the user knows.
    P5,
    /// By a document, held against the user.
    P9,
}

/// How the user authenticates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Credential {
    /// `Cm`: an asymmetric key, such as a passkey's.
    AsymmetricKey,
    /// `Cp`: a password.
    Password,
    /// `Cp.Cd`: a password and a registered device.
    PasswordAndDevice,
    /// `Cp.Ck`: a password and a shared key.
    PasswordAndSharedKey,
}

/// One vector: a level of proofing with a way to authenticate, such as `P9.Cp.Cd`. The order of its
/// parts doesn't matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct VectorOfTrust {
    level: IdentityProofingLevel,
    credential: Credential,
}

/// Not a vector that NHS login allows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a vector of trust of NHS login: those are P0, P5 or P9 with Cp, Cp.Cd, Cp.Ck or \
     Cm, such as P9.Cp.Cd"
)]
#[non_exhaustive]
pub struct InvalidVector(pub String);

impl VectorOfTrust {
    /// What NHS login asks for when nothing is said: proven by a document, with two factors.
    pub const HIGH: [Self; 3] = [
        Self::of(IdentityProofingLevel::P9, Credential::PasswordAndDevice),
        Self::of(IdentityProofingLevel::P9, Credential::PasswordAndSharedKey),
        Self::of(IdentityProofingLevel::P9, Credential::AsymmetricKey),
    ];

    const fn of(level: IdentityProofingLevel, credential: Credential) -> Self {
        Self { level, credential }
    }

    /// The level of proofing in it.
    pub const fn level(&self) -> IdentityProofingLevel {
        self.level
    }
}

impl IdentityProofingLevel {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::P0 => "P0",
            Self::P5 => "P5",
            Self::P9 => "P9",
        }
    }
}

impl Credential {
    const fn name(self) -> &'static str {
        match self {
            Self::AsymmetricKey => "Cm",
            Self::Password => "Cp",
            Self::PasswordAndDevice => "Cp.Cd",
            Self::PasswordAndSharedKey => "Cp.Ck",
        }
    }
}

impl FromStr for IdentityProofingLevel {
    type Err = InvalidVector;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [Self::P0, Self::P5, Self::P9]
            .into_iter()
            .find(|level| level.name() == name)
            .ok_or_else(|| InvalidVector(shown(name)))
    }
}

impl FromStr for VectorOfTrust {
    type Err = InvalidVector;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidVector(shown(text));
        let mut parts: Vec<_> = text.split('.').collect();
        parts.sort_unstable();
        let (levels, credentials): (Vec<&str>, Vec<&str>) =
            parts.into_iter().partition(|part| part.starts_with('P'));
        let [level] = levels[..] else { return Err(invalid()) };
        let credential = match credentials[..] {
            ["Cm"] => Credential::AsymmetricKey,
            ["Cp"] => Credential::Password,
            ["Cd", "Cp"] => Credential::PasswordAndDevice,
            ["Ck", "Cp"] => Credential::PasswordAndSharedKey,
            _ => return Err(invalid()),
        };
        Ok(Self { level: level.parse().map_err(|_| invalid())?, credential })
    }
}

impl fmt::Display for IdentityProofingLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for VectorOfTrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.level, self.credential.name())
    }
}

impl From<VectorOfTrust> for String {
    fn from(vector: VectorOfTrust) -> Self {
        vector.to_string()
    }
}

impl TryFrom<String> for VectorOfTrust {
    type Error = InvalidVector;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_twelve_that_there_are() {
        for level in ["P0", "P5", "P9"] {
            for credential in ["Cp", "Cp.Cd", "Cp.Ck", "Cm"] {
                let text = format!("{level}.{credential}");
                let vector: VectorOfTrust = text.parse().unwrap();
                assert_eq!((vector.to_string(), vector.level().name()), (text, level));
            }
        }
        assert_eq!("Cd.P9.Cp".parse::<VectorOfTrust>().unwrap().to_string(), "P9.Cp.Cd");
    }

    #[test]
    fn what_is_none() {
        for text in
            ["", "P9", "P1.Cp", "P9.Cd", "P9.Cp.Cp", "P9.P5.Cp", "“P9.Cp", "P9.Cp.Cm", "p9.cp"]
        {
            assert!(text.parse::<VectorOfTrust>().is_err(), "{text}");
        }
    }
}
