//! Why a key that is kept elsewhere can't be used.

use std::fmt;

use super::KeyUri;

/// A key that is kept elsewhere could not be opened, made or used. It holds no secret.
#[derive(Clone, Debug, thiserror::Error)]
pub struct CustodyError {
    kind: CustodyErrorKind,
    key: String,
    detail: String,
}

/// What is the matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CustodyErrorKind {
    /// There is a key of that name, where a new one was to be made.
    AlreadyThere,
    /// The one who asks may not.
    Denied,
    /// Something else went wrong there.
    Failed,
    /// The URI is not one of a key.
    InvalidUri,
    /// There is no such key.
    NotFound,
    /// A PIN is needed, and there is none.
    PinNeeded,
    /// Too many wrong PINs were given: the token takes none any more.
    PinLocked,
    /// The PIN is wrong.
    PinWrong,
    /// Who asks has to sign in anew: its session or its credential has expired.
    SessionExpired,
    /// Too many requests: later.
    Throttled,
    /// No answer within the time that there is.
    TimedOut,
    /// No connection, or the device is not plugged in.
    Unreachable,
    /// The key is not for this: no RSA key, too short, or not allowed to sign so.
    Unsuitable,
    /// This build, or this program, does not know that kind of URI.
    Unsupported,
}

impl CustodyError {
    /// An error of the key that `key` names, a URI as a rule. `detail` is what the place said of
    /// it, in words that may be logged.
    pub fn new(kind: CustodyErrorKind, key: impl fmt::Display, detail: impl Into<String>) -> Self {
        Self { kind, key: key.to_string(), detail: detail.into() }
    }

    /// A URI of a kind that nobody here opens.
    pub fn unsupported(uri: &KeyUri) -> Self {
        Self::new(CustodyErrorKind::Unsupported, uri, format!("`{}:`", uri.scheme()))
    }

    /// What is the matter.
    pub fn kind(&self) -> CustodyErrorKind {
        self.kind
    }

    /// Which key it is about.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether it may be gone when asked again, with nothing changed.
    pub fn is_passing(&self) -> bool {
        use CustodyErrorKind as Kind;
        matches!(self.kind, Kind::Throttled | Kind::TimedOut | Kind::Unreachable)
    }

    /// What to do next, one sentence each, the best first.
    pub fn hints(&self) -> Vec<String> {
        use CustodyErrorKind as Kind;
        let hint = match self.kind {
            Kind::AlreadyThere => "choose another name with --kid, or use the key that is there",
            Kind::Denied => {
                "check that this program's identity may read the public key and sign with it"
            }
            Kind::Failed => return Vec::new(),
            Kind::InvalidUri => "see `Private keys by URI` in docs/guides/custody.md",
            Kind::NotFound => "check the URI's name and version, and the account, region or token",
            Kind::PinNeeded => "name a file that holds it: pin-source=file:PATH in the URI",
            Kind::PinLocked => "have the token's security officer set a new PIN",
            Kind::PinWrong => "check it before you try again: a token locks after a few wrong PINs",
            Kind::SessionExpired => "sign in anew, or give this program a fresh credential",
            Kind::Throttled => {
                "ask for fewer signatures, or for a higher limit; a token is good for ten minutes"
            }
            Kind::TimedOut | Kind::Unreachable => {
                "check the network, a proxy (HTTPS_PROXY), and that the device is plugged in"
            }
            Kind::Unsuitable => {
                "it has to be an RSA key of 4096 bits that may sign with PKCS#1 v1.5 and SHA-512"
            }
            Kind::Unsupported => {
                "known are a path, file:, pkcs11:, awskms:, azurekeyvault: and gcpkms:, as far as \
                 the build has them"
            }
        };
        vec![hint.to_owned()]
    }
}

impl fmt::Display for CustodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, key, detail } = self;
        let what = kind.what();
        write!(f, "can't use the key `{key}`: {what}")?;
        if detail.is_empty() { Ok(()) } else { write!(f, ": {detail}") }
    }
}

impl CustodyErrorKind {
    const fn what(self) -> &'static str {
        match self {
            Self::AlreadyThere => "a key of that name is there already",
            Self::Denied => "access is denied",
            Self::Failed => "it failed",
            Self::InvalidUri => "the URI can't be read",
            Self::NotFound => "it is not there",
            Self::PinNeeded => "a PIN is needed",
            Self::PinLocked => "the PIN is locked",
            Self::PinWrong => "the PIN is wrong",
            Self::SessionExpired => "the session or credential has expired",
            Self::Throttled => "there were too many requests",
            Self::TimedOut => "there was no answer in time",
            Self::Unreachable => "it can't be reached",
            Self::Unsuitable => "it is not a key for this",
            Self::Unsupported => "keys of that kind are not supported by this build",
        }
    }
}
