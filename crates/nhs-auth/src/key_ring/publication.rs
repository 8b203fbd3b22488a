//! Where a ring's key set is published.

use std::fmt;

use nhs_auth_rules::rotation::Freshness;

use crate::KeySet;
use crate::key::base64url;

/// Where the platform gets a ring's key set from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublishTo {
    /// From a server that reads the ring itself: what is in the ring is published.
    #[default]
    Served,
    /// From a file or an object, to which the key set is written: a path, or `s3://`, `az://`,
    /// `gs://` or `file://`.
    Location(String),
    /// From an upload in the developer portal, which a person makes.
    Portal,
    /// From the platform's echo, at a URL that holds the key set itself, and that a person enters
    /// in the developer portal.
    Echo,
}

/// The platform's echo: it answers with what its own path says.
const ECHO: &str = "https://api.service.nhs.uk/mock-jwks/";

/// The URL at which the platform's echo answers with this key set. It needs no hosting, and is new
/// to the platform's cache whenever the key set is new.
pub fn echo_url(key_set: &KeySet) -> String {
    format!("{ECHO}{}", base64url(key_set.to_json().as_bytes()))
}

impl PublishTo {
    /// Takes `serve`, `portal`, `echo`, or a location.
    pub fn parse(text: &str) -> Self {
        match text {
            "serve" => Self::Served,
            "portal" => Self::Portal,
            "echo" => Self::Echo,
            location => Self::Location(location.to_owned()),
        }
    }

    /// Whether a person has to do it.
    pub const fn is_by_hand(&self) -> bool {
        matches!(self, Self::Portal | Self::Echo)
    }

    /// Whether the platform may have looked there before, when the key set changes.
    pub(super) const fn freshness(&self) -> Freshness {
        match self {
            Self::Echo => Freshness::NewUrl,
            // What becomes of an upload is the portal's affair: it may stay at its URL.
            Self::Served | Self::Location(_) | Self::Portal => Freshness::KnownUrl,
        }
    }
}

impl fmt::Display for PublishTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Served => "serve",
            Self::Location(location) => location,
            Self::Portal => "portal",
            Self::Echo => "echo",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_echo_holds_the_key_set() {
        let url = echo_url(&KeySet::new(Vec::new()).unwrap());
        assert_eq!(url, "https://api.service.nhs.uk/mock-jwks/eyJrZXlzIjpbXX0");
    }

    #[test]
    fn names_come_back() {
        for name in ["serve", "portal", "echo", "s3://bucket/jwks.json", "/srv/keys"] {
            assert_eq!(PublishTo::parse(name).to_string(), name);
        }
    }
}
