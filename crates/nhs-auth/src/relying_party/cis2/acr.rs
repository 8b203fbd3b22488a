//! Which authenticators CIS2 offers, and which level they reach.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A value of `acr_values`: an authenticator, or any of a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
#[non_exhaustive]
pub enum Acr {
    /// User name and password.
    Aal1Userpass,
    /// Any authenticator of level 2.
    Aal2Any,
    /// NHSmail.
    Aal2Nhsmail,
    /// Any authenticator of level 2 or 3.
    Aal2OrAal3Any,
    /// One-time codes of an app.
    Aal2Totp,
    /// Any authenticator of level 3.
    Aal3Any,
    /// A smartcard, over the internet.
    Aal3Cis2Smartcard,
    /// A security key.
    Aal3Fido2,
    /// An iPad with the NHS's app.
    Aal3Ios,
    /// A smartcard, over HSCN.
    Aal3N3Smartcard,
    /// A smartcard, over either.
    Aal3Smartcard,
}

/// Not a value of `acr_values` that is known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an `acr_values` of CIS2; there are {names}", names = names())]
#[non_exhaustive]
pub struct UnknownAcr(pub String);

impl Acr {
    /// Every one.
    pub const ALL: &'static [Self] = &[
        Self::Aal3Any,
        Self::Aal2OrAal3Any,
        Self::Aal2Any,
        Self::Aal1Userpass,
        Self::Aal3Ios,
        Self::Aal3Fido2,
        Self::Aal3N3Smartcard,
        Self::Aal3Cis2Smartcard,
        Self::Aal3Smartcard,
        Self::Aal2Totp,
        Self::Aal2Nhsmail,
    ];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aal1Userpass => "AAL1_USERPASS",
            Self::Aal2Any => "AAL2_ANY",
            Self::Aal2Nhsmail => "AAL2_NHSMAIL",
            Self::Aal2OrAal3Any => "AAL2_OR_AAL3_ANY",
            Self::Aal2Totp => "AAL2_TOTP",
            Self::Aal3Any => "AAL3_ANY",
            Self::Aal3Cis2Smartcard => "AAL3_CIS2_SMARTCARD",
            Self::Aal3Fido2 => "AAL3_FIDO2",
            Self::Aal3Ios => "AAL3_IOS",
            Self::Aal3N3Smartcard => "AAL3_N3_SMARTCARD",
            Self::Aal3Smartcard => "AAL3_SMARTCARD",
        }
    }

    /// The `authentication_assurance_level` that a sign-in with it has at least.
    pub const fn least_level(self) -> u64 {
        match self {
            Self::Aal1Userpass => 1,
            Self::Aal2Any | Self::Aal2Nhsmail | Self::Aal2OrAal3Any | Self::Aal2Totp => 2,
            Self::Aal3Any
            | Self::Aal3Cis2Smartcard
            | Self::Aal3Fido2
            | Self::Aal3Ios
            | Self::Aal3N3Smartcard
            | Self::Aal3Smartcard => 3,
        }
    }
}

impl fmt::Display for Acr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Acr {
    type Err = UnknownAcr;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.iter().copied().find(|acr| acr.name() == name);
        named.ok_or_else(|| UnknownAcr(name.chars().filter(|c| !c.is_control()).take(40).collect()))
    }
}

impl From<Acr> for String {
    fn from(acr: Acr) -> Self {
        acr.name().to_owned()
    }
}

impl TryFrom<String> for Acr {
    type Error = UnknownAcr;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        name.parse()
    }
}

fn names() -> String {
    Acr::ALL.iter().map(|acr| acr.name()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_leads_back_and_tells_its_level() {
        for acr in Acr::ALL {
            assert_eq!(acr.name().parse(), Ok(*acr));
            let level = acr.name().as_bytes()[3] - b'0';
            assert_eq!(acr.least_level(), u64::from(level), "{acr}");
        }
        assert!("AAL4_ANY".parse::<Acr>().unwrap_err().to_string().contains("AAL3_ANY"));
    }
}
