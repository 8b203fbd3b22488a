//! Why a ring can't be read, kept or rotated.

use super::content::UnsoundRing;
use super::format::KeyRingFormatError;
use super::store::KeyRingStoreError;
use crate::{CustodyError, IdentifierError, KeyError};

/// Why a ring can't be used. It holds no secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRingError {
    /// There is no ring there.
    #[error("there is no key ring at {place}")]
    Missing {
        /// Where it was looked for.
        place: String,
    },
    /// There is a ring, where a first one was to be made.
    #[error("there is a key ring at {place} already")]
    Exists {
        /// Where it is.
        place: String,
    },
    /// What is there is no ring.
    #[error("can't use the key ring {place}: {source}")]
    Format {
        /// Where it is.
        place: String,
        /// What is wrong with it.
        source: KeyRingFormatError,
    },
    /// Its file can't be read or written.
    #[error(transparent)]
    Store(#[from] KeyRingStoreError),
    /// A private key of its folder can't be read or made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A key that is kept elsewhere can't be opened or made.
    #[error(transparent)]
    Custody(#[from] CustodyError),
    /// The private key of an entry can't be read.
    #[error("can't open the key `{kid}` of the key ring: {source}")]
    Open {
        /// The entry.
        kid: String,
        /// Why.
        source: KeyError,
    },
    /// A private key is not the one that its entry says.
    #[error("the private key {private_key} is not the one that {place} has as `{kid}`")]
    OtherKey {
        /// Where the ring is.
        place: String,
        /// The entry.
        kid: String,
        /// Where the private key is.
        private_key: String,
    },
    /// The ring is not in a folder, so that its keys have to be elsewhere.
    #[error("the key ring {place} can't hold private keys: it is not in a folder of this machine")]
    NoFolder {
        /// Where it is.
        place: String,
    },
    /// No key signs.
    #[error("no key of the key ring {place} signs yet")]
    NoActiveKey {
        /// Where it is.
        place: String,
    },
    /// The name of a key can't be used.
    #[error("can't name a key `{kid}`: {source}")]
    Kid {
        /// The name.
        kid: String,
        /// Why.
        source: IdentifierError,
    },
    /// The name of a key can't be that of a file.
    #[error("can't name a key `{kid}`: it can't be the name of a file")]
    FileName {
        /// The name.
        kid: String,
    },
    /// The change can't be made.
    #[error("can't change the key ring {place}: {source}")]
    Change {
        /// Where it is.
        place: String,
        /// Why.
        source: UnsoundRing,
    },
    /// A new key has another key's file where its own belongs.
    #[error("{path} is there already, and is no key that this ring could have made")]
    FileInTheWay {
        /// The file.
        path: String,
    },
    /// The key set that was published by hand is not the ring's of today.
    #[error("the key set has changed since `{shown}` was shown: it is `{now}` by now")]
    OtherKeySet {
        /// The mark that was given.
        shown: String,
        /// The mark of the key set as it is.
        now: String,
    },
    /// The key set can't be published.
    #[error("can't publish the key set to {to}: {reason}")]
    Publish {
        /// Where to.
        to: String,
        /// What was said there.
        reason: String,
        /// Whether it may be gone when tried again, with nothing changed.
        passing: bool,
    },
}

impl KeyRingError {
    /// Whether it may be gone when tried again, with nothing changed.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Custody(error) => error.is_passing(),
            Self::Publish { passing, .. }
            | Self::Store(KeyRingStoreError::Unavailable { passing, .. }) => *passing,
            Self::Store(KeyRingStoreError::Locked { .. } | KeyRingStoreError::Conflict { .. }) => {
                true
            }
            _ => false,
        }
    }

    /// What to do next, one sentence each, the best first.
    pub fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Missing { .. } => "`nhs-auth rotate-keys` makes a ring and its first key",
            Self::Exists { .. } => {
                "leave --adopt out: a ring takes a key from before only as its first"
            }
            Self::Format { .. } => {
                "put the file back as it was, from a backup or from version control; the private \
                 keys beside it are untouched"
            }
            Self::Store(KeyRingStoreError::Conflict { .. } | KeyRingStoreError::Locked { .. }) => {
                "run it again: each run does what is due by then"
            }
            Self::Key(error) => return error.hints(),
            Self::Custody(error) => return error.hints(),
            Self::Open { kid, .. } => {
                return vec![format!(
                    "put its file back from a backup, or replace the key: nhs-auth rotate-keys \
                     --emergency --leaked-kid {kid}"
                )];
            }
            Self::OtherKey { .. } => "put the right file back: no key may have another's name",
            Self::NoFolder { .. } => {
                "say where keys are made, with --keys-at and a URI such as `awskms:`"
            }
            Self::NoActiveKey { .. } => {
                "run `nhs-auth rotate-keys`; where the key set is published by hand, publish it first"
            }
            Self::Kid { source, .. } => {
                return source.hint().map(ToOwned::to_owned).into_iter().collect();
            }
            Self::FileName { .. } => "use letters, digits and hyphens",
            Self::FileInTheWay { .. } => "move it away, or name the next key with --kid",
            Self::OtherKeySet { .. } => "publish what `nhs-auth publish-jwks` shows now",
            Self::Publish { passing: true, .. } => {
                "run it again: nothing signs before it is published"
            }
            Self::Publish { passing: false, .. } => {
                "check the target, and that this program's identity may read and write there"
            }
            Self::Store(_) | Self::Change { .. } => return Vec::new(),
        };
        vec![hint.to_owned()]
    }
}
