//! What can go wrong on purpose, by name.

use std::fmt;
use std::time::Duration;

use nhs_auth_rules::environment::OAUTH2;

use crate::clock;

/// How long `slow` waits unless told otherwise.
const SLOW: Duration = Duration::from_secs(2);

/// A fault: what goes wrong, and for which requests. Without a limit it stays until it is
/// removed, and meets every request but those of the control API.
///
/// `slow`, `clock`, `lost-answer`, `unreachable-jwks` and those of the identity providers change how
/// a request is served; every other fault answers before any rule is looked at, so it burns no `jti`. Of several that answer, the first
/// that was added does.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    pub(crate) kind: FaultKind,
    pub(crate) path: Option<String>,
    pub(crate) application_id: Option<String>,
    pub(crate) times: Option<u64>,
    pub(crate) share: f64,
    pub(crate) delay: Option<Duration>,
    pub(crate) retry_after_s: Option<u64>,
    pub(crate) offset_ms: i64,
}

/// The name of an added fault, by which it is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FaultId(pub(crate) u64);

impl FaultId {
    /// The number that the control API knows it by.
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// The faults there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultKind {
    /// `502` with an HTML page, as a proxy in between answers.
    BadGateway,
    /// `200` with an HTML page, as a captive portal answers.
    CaptivePortal,
    /// The platform's clock is off, for these requests: the `Date` header and the judgement.
    Clock,
    /// `200` with nothing in it.
    Empty,
    /// The identity provider's ID tokens have expired when they are issued.
    ExpiredIdToken,
    /// No answer until the client gives up.
    Hang,
    /// `500` with the platform's `unknown_error`.
    InternalError,
    /// The request does its work, and the connection is reset before the answer: a `jti` is burnt,
    /// a code is used, and the client doesn't know.
    LostAnswer,
    /// `200` with JSON that isn't.
    MalformedJson,
    /// `200` with a body of more than 1 MiB.
    Oversized,
    /// The connection is reset, with no answer.
    Reset,
    /// The identity provider has other keys from now on: the old ones are gone. It happens once,
    /// at the next request, unless it is told to happen more often.
    RotatedProviderKeys,
    /// A late answer.
    Slow,
    /// `429`.
    TooManyRequests,
    /// `Content-Length` says more than is sent, and then the connection ends.
    Truncated,
    /// `503`.
    Unavailable,
    /// No key set can be fetched, even when it has been: the client's, or in a combined sign-in
    /// the identity provider's.
    UnreachableJwks,
    /// The identity provider's key set can't be fetched, even when it has been.
    UnreachableProviderJwks,
    /// `200` with good JSON that says it is plain text. The token in it is not a live one.
    WrongContentType,
    /// The identity provider's ID tokens name another issuer.
    WrongIssuerIdToken,
}

/// What is wrong with an ID token on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IdTokenFault {
    Expired,
    WrongIssuer,
}

/// Every fault, with its name first and its other names behind.
const NAMES: [(FaultKind, &[&str]); 20] = [
    (FaultKind::Slow, &["slow"]),
    (FaultKind::Hang, &["hang", "timeout"]),
    (FaultKind::Reset, &["reset", "connection-reset"]),
    (FaultKind::TooManyRequests, &["429", "rate-limited", "too-many-requests"]),
    (FaultKind::InternalError, &["500", "internal-error"]),
    (FaultKind::BadGateway, &["502", "502-html", "html", "bad-gateway"]),
    (FaultKind::Unavailable, &["503", "unavailable"]),
    (FaultKind::Truncated, &["truncated", "truncated-json"]),
    (FaultKind::MalformedJson, &["malformed-json", "malformed"]),
    (FaultKind::WrongContentType, &["wrong-content-type"]),
    (FaultKind::Empty, &["empty"]),
    (FaultKind::Oversized, &["oversized"]),
    (FaultKind::CaptivePortal, &["captive-portal", "html-200"]),
    (FaultKind::LostAnswer, &["lost-answer"]),
    (FaultKind::UnreachableJwks, &["unreachable-jwks", "jwks-unreachable"]),
    (FaultKind::UnreachableProviderJwks, &["unreachable-provider-jwks"]),
    (FaultKind::ExpiredIdToken, &["expired-id-token"]),
    (FaultKind::WrongIssuerIdToken, &["wrong-issuer-id-token", "wrong-issuer"]),
    (FaultKind::RotatedProviderKeys, &["rotated-provider-keys", "rotated-keys"]),
    (FaultKind::Clock, &["clock", "clock-off"]),
];

/// There is no fault of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no fault `{name}`; there are {}", FaultKind::names().collect::<Vec<_>>().join(", "))]
#[non_exhaustive]
pub struct UnknownFault {
    /// The name that was given.
    pub name: String,
}

impl FaultKind {
    /// The fault of that name.
    ///
    /// # Errors
    ///
    /// [`UnknownFault`], which lists the names that there are.
    pub fn parse(name: &str) -> Result<Self, UnknownFault> {
        NAMES
            .iter()
            .find(|(_, names)| names.contains(&name))
            .map(|(kind, _)| *kind)
            .ok_or_else(|| UnknownFault { name: name.to_owned() })
    }

    /// The name, as the control API has it.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(kind, _)| *kind == self).map_or("", |(_, names)| names[0])
    }

    /// Every name, less the other names.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(_, names)| names[0])
    }

    /// Whether a request to that path can meet it. Those that change how an ID token is issued or
    /// judged wait for a request that issues or judges one.
    pub(crate) fn concerns(self, path: &str) -> bool {
        let ends_with_one_of = |ends: &[&str]| ends.iter().any(|end| path.ends_with(end));
        match self {
            Self::ExpiredIdToken | Self::WrongIssuerIdToken => {
                let is_platforms_own = path.starts_with(OAUTH2);
                ends_with_one_of(&["/callback", "/access_token"])
                    || (path.ends_with("/token") && !is_platforms_own)
            }
            Self::UnreachableJwks | Self::UnreachableProviderJwks => {
                ends_with_one_of(&["/token", "/access_token", "/callback", "/backchannel_logout"])
            }
            _ => true,
        }
    }

    /// Whether it answers in the platform's place.
    pub(crate) fn answers(self) -> bool {
        !matches!(
            self,
            Self::Slow
                | Self::Clock
                | Self::LostAnswer
                | Self::UnreachableJwks
                | Self::UnreachableProviderJwks
                | Self::ExpiredIdToken
                | Self::WrongIssuerIdToken
                | Self::RotatedProviderKeys
        )
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Fault {
    /// That fault, for every request, until it is removed (a rotation of keys once).
    pub fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            path: None,
            application_id: None,
            times: (kind == FaultKind::RotatedProviderKeys).then_some(1),
            share: 1.0,
            delay: (kind == FaultKind::Slow).then_some(SLOW),
            retry_after_s: None,
            offset_ms: 0,
        }
    }

    /// The platform's clock is fast by so many milliseconds, or slow when negative.
    pub fn clock_off_by_ms(offset_ms: i64) -> Self {
        Self { offset_ms: clock::bounded(offset_ms), ..Self::new(FaultKind::Clock) }
    }

    /// Only requests whose path begins so.
    pub fn path(mut self, prefix: impl Into<String>) -> Self {
        self.path = Some(prefix.into());
        self
    }

    /// Only requests of that application.
    pub fn application_id(mut self, id: impl Into<String>) -> Self {
        self.application_id = Some(id.into());
        self
    }

    /// Only the next so many requests.
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Only a share of the requests, from 0 to 1, drawn by lot.
    pub fn share(mut self, share: f64) -> Self {
        self.share = share.clamp(0.0, 1.0);
        self
    }

    /// How long to wait first: 2 s for `slow` when nothing is said, no time for any other fault.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = Some(delay);
        self
    }

    /// The `Retry-After` of a 429 or 503. Without it there is no such header.
    pub fn retry_after_s(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_one_faults_name() {
        let mut seen = std::collections::BTreeSet::new();
        for (kind, names) in NAMES {
            for name in names {
                assert!(seen.insert(*name), "{name} stands twice");
                assert_eq!(FaultKind::parse(name), Ok(kind));
            }
            assert_eq!(kind.name(), names[0]);
        }
    }

    #[test]
    fn an_id_token_is_spoilt_where_one_is_issued() {
        for path in [
            "/oauth2/callback",
            "/nhs-login/token",
            "/realms/Cis2-mock-int/protocol/openid-connect/token",
            "/openam/oauth2/realms/root/realms/NHSIdentity/realms/Healthcare/access_token",
        ] {
            assert!(FaultKind::ExpiredIdToken.concerns(path), "{path}");
        }
        for path in ["/oauth2/token", "/oauth2-mock/token", "/nhs-login/authorize"] {
            assert!(!FaultKind::WrongIssuerIdToken.concerns(path), "{path}");
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = FaultKind::parse("flood").unwrap_err().to_string();
        assert!(error.contains("`flood`") && error.contains("unreachable-jwks"), "{error}");
    }
}
