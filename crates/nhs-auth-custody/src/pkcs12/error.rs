//! Why there is no key out of a PKCS#12 file.

use nhs_auth::{FoundInstead, KeyError};
use p12_keystore::error::Error as Refused;
use pkcs8::der::ErrorKind;

/// Why a private key could not be read from a PKCS#12 file.
///
/// No message holds any of the file's content but the names of its keys, nor a passphrase. `name`
/// is the path, or what the caller called the bytes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Pkcs12Error {
    /// The file ends before its end.
    #[error("can't load a private key from `{name}`: the PKCS#12 file is cut off")]
    CutOff {
        /// Where the key should have come from.
        name: String,
    },

    /// Its structure is wrong.
    #[error("can't load a private key from `{name}`: the PKCS#12 file is damaged")]
    Damaged {
        /// Where the key should have come from.
        name: String,
    },

    /// The file could be opened, and the key inside is not one that can be used; or the file is
    /// empty, or too large.
    #[error(transparent)]
    Key(#[from] KeyError),

    /// There are certificates alone in it, or nothing.
    #[error("can't load a private key from `{name}`: the PKCS#12 file has no private key in it")]
    NoPrivateKey {
        /// Where the key should have come from.
        name: String,
    },

    /// It has no private key of that alias.
    #[error(
        "can't load a private key from `{name}`: it has no private key called `{}`; it has {}",
        shown(alias),
        listed(aliases)
    )]
    NoSuchAlias {
        /// Where the key should have come from.
        name: String,
        /// The alias that was asked for.
        alias: String,
        /// Those that there are.
        aliases: Vec<String>,
    },

    /// It is something else.
    #[error("can't load a private key from `{name}`: it is not a PKCS#12 file")]
    NotPkcs12 {
        /// Where the key should have come from.
        name: String,
    },

    /// The file is encrypted and no passphrase was given. Ask for one and try again.
    #[error(
        "can't load a private key from `{name}`: the PKCS#12 file is encrypted, and no passphrase \
         was given"
    )]
    PassphraseNeeded {
        /// Where the key should have come from.
        name: String,
    },

    /// Which of several private keys is meant can't be known.
    #[error(
        "can't load a private key from `{name}`: it holds {} private keys: {}",
        aliases.len(),
        listed(aliases)
    )]
    SeveralPrivateKeys {
        /// Where the keys came from.
        name: String,
        /// What they are called, in the order of the file.
        aliases: Vec<String>,
    },

    /// It is written or encrypted in a way that is not read here.
    #[error("can't load a private key from `{name}`: {what} is not supported")]
    Unsupported {
        /// Where the key should have come from.
        name: String,
        /// What it is.
        what: &'static str,
    },

    /// The passphrase does not open the file. Or the file was damaged without its structure being
    /// so: its checksum knows no difference.
    #[error("can't load a private key from `{name}`: the passphrase of the PKCS#12 file is wrong")]
    WrongPassphrase {
        /// Where the key should have come from.
        name: String,
    },
}

impl Pkcs12Error {
    pub(super) fn of(name: &str, bytes: &[u8], has_passphrase: bool, refused: &Refused) -> Self {
        let name = name.into();
        match refused {
            Refused::MacError(_) | Refused::Pkcs5Error(_) | Refused::UnpadError => {
                Self::wrong_or_missing(name, has_passphrase)
            }
            // BER, as old Java and some smart card tools write it.
            _ if bytes.get(1) == Some(&0x80) => {
                Self::Unsupported { name, what: "PKCS#12 with lengths that are left open" }
            }
            Refused::UnsupportedEncryptionScheme | Refused::UnsupportedMacAlgorithm => {
                Self::Unsupported { name, what: "the way in which the PKCS#12 file is encrypted" }
            }
            Refused::DerError(error) if matches!(error.kind(), ErrorKind::OidUnknown { .. }) => {
                Self::Unsupported { name, what: "the cipher of the PKCS#12 file" }
            }
            Refused::InvalidParameters => Self::Unsupported {
                name,
                what: "a PKCS#12 file that takes over a million rounds to open",
            },
            Refused::UnsupportedContentType => Self::Unsupported {
                name,
                what: "a PKCS#12 file that is sealed for a certificate and not by a passphrase",
            },
            _ => Self::Damaged { name },
        }
    }

    pub(super) fn wrong_or_missing(name: String, has_passphrase: bool) -> Self {
        if has_passphrase {
            Self::WrongPassphrase { name }
        } else {
            Self::PassphraseNeeded { name }
        }
    }

    /// What to do next, one sentence or command line each, the best first.
    ///
    /// Commands are for a POSIX shell and stand between backticks.
    pub fn hints(&self) -> Vec<String> {
        let take_out = |name: &str| {
            let found = FoundInstead::Pkcs12;
            KeyError::NotAPrivateKey { name: name.into(), found }.hints()
        };
        match self {
            Self::CutOff { name } | Self::Damaged { name } => {
                let mut hints = vec![
                    "copy the file again from where it was made: every byte counts".to_owned(),
                ];
                hints.extend(take_out(name));
                hints
            }
            Self::Key(error) => error.hints(),
            Self::NoPrivateKey { .. } => vec![
                "export it anew together with its private key: the certificate alone can't sign"
                    .into(),
            ],
            Self::NoSuchAlias { .. } => vec!["choose one of the aliases that it has".into()],
            Self::NotPkcs12 { .. } => vec!["check the path of the private key".into()],
            Self::PassphraseNeeded { .. } => {
                vec!["give the passphrase with which the file was exported".into()]
            }
            Self::SeveralPrivateKeys { .. } => {
                vec!["choose one by its alias, or export each into a file of its own".into()]
            }
            Self::Unsupported { name, .. } => take_out(name),
            Self::WrongPassphrase { name } => {
                let mut hints = vec![
                    "a passphrase that was read from a file may have a line break at its end"
                        .into(),
                    "if it is right, the file is damaged: copy it again from where it was made"
                        .into(),
                ];
                hints.extend(take_out(name).into_iter().take(1));
                hints
            }
        }
    }
}

/// The names in a file are anyone's: they are cut, and can't move a terminal's cursor.
fn listed(aliases: &[String]) -> String {
    let mut names: Vec<_> =
        aliases.iter().take(MOST_LISTED).map(|alias| format!("`{}`", shown(alias))).collect();
    if aliases.len() > MOST_LISTED {
        names.push("…".to_owned());
    }
    names.join(", ")
}

fn shown(alias: &str) -> String {
    alias.chars().take(MOST_SHOWN).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

const MOST_LISTED: usize = 20;
const MOST_SHOWN: usize = 100;
