//! One key of a ring: its name, where its private half is, and where in its life it is.

use std::fmt;

use nhs_auth_rules::Kid;
use nhs_auth_rules::rotation::Freshness;

use super::moment::Moment;
use crate::{KeyUri, PublicKey};

/// A key of a ring.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RingKey {
    /// Its name, in the key set and in assertions. No other key of the ring ever had it.
    pub kid: Kid,
    /// Its public half.
    pub public_key: PublicKey,
    /// Where its private half is.
    pub place: KeyPlace,
    /// When it came into the ring.
    pub made: Moment,
    /// Where in its life it is.
    pub state: KeyState,
    /// Whether somebody else may have it.
    pub leaked: bool,
}

/// Where the private half of a key is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyPlace {
    /// In a file of the ring's folder, of this name.
    File(String),
    /// Elsewhere.
    Uri(KeyUri),
}

/// Where in its life a key is, and since when. It goes one way.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyState {
    /// In the key set, and not signing yet: the platform may still have the set without it.
    Announced {
        /// When it came into the ring.
        since: Moment,
        /// Since when the platform can see it, if it can.
        published: Option<Published>,
    },
    /// In the key set, and signing. One key at most is.
    Active {
        /// When it began to sign.
        since: Moment,
    },
    /// In the key set, and no longer signing: somebody may still need it to check a signature.
    Retiring {
        /// When it stopped signing.
        since: Moment,
    },
    /// Gone from the key set. Only its name is kept, so that no other key gets it.
    Retired {
        /// When it went.
        since: Moment,
    },
}

/// Since when the platform can see a key, and how it looks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Published {
    /// Since when, at the latest.
    pub since: Moment,
    /// Whether it may have looked at the same URL before.
    pub freshness: Freshness,
}

impl KeyState {
    /// The name in the ring's file.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Announced { .. } => "announced",
            Self::Active { .. } => "active",
            Self::Retiring { .. } => "retiring",
            Self::Retired { .. } => "retired",
        }
    }

    /// Since when it has been so.
    pub const fn since(&self) -> &Moment {
        match self {
            Self::Announced { since, .. }
            | Self::Active { since }
            | Self::Retiring { since }
            | Self::Retired { since } => since,
        }
    }
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl RingKey {
    /// Whether it belongs in the key set.
    pub fn is_in_the_set(&self) -> bool {
        !matches!(self.state, KeyState::Retired { .. })
    }

    /// Whether it signs.
    pub fn is_active(&self) -> bool {
        matches!(self.state, KeyState::Active { .. })
    }

    /// Whether it is yet to sign.
    pub fn is_announced(&self) -> bool {
        matches!(self.state, KeyState::Announced { .. })
    }
}

impl fmt::Display for KeyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(name) => f.write_str(name),
            Self::Uri(uri) => write!(f, "{uri}"),
        }
    }
}
