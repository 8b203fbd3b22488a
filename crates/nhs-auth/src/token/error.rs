//! Why there is no token.

use std::fmt;
use std::time::Duration;

use nhs_auth_rules::Rule;
use nhs_auth_rules::diagnosis::{PossibleCause, causes_of_error};

use crate::{SignError, TokenEndpoint};

/// How many possible causes are told of.
const MOST_CAUSES: usize = 5;

/// A token that could not be had: what happened, where, and what the platform said of it.
///
/// It holds no assertion, no token and no body; what the server wrote is cut to a length and freed
/// from control characters.
#[derive(Debug)]
#[non_exhaustive]
pub struct TokenError {
    /// What happened, in the last attempt.
    pub kind: TokenErrorKind,
    /// The token endpoint.
    pub url: String,
    /// How many attempts were made, each with an assertion of its own.
    pub attempts: u32,
    /// What NHS support asks for, when the answer had one.
    pub message_id: Option<String>,
    /// How long the server asked to wait (`Retry-After`), when it did.
    pub retry_after: Option<Duration>,
    /// Whether the last attempt may have reached the server. It then may have done what it was
    /// asked for, even where no answer came.
    pub sent: bool,
}

/// What happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum TokenErrorKind {
    /// The request ended without a result: a fault in this program, or in the signer.
    Abandoned,
    /// An answer with no body.
    Empty {
        /// HTTP status.
        status: u16,
    },
    /// A page for people, such as a proxy between here and the platform writes.
    Html {
        /// HTTP status.
        status: u16,
    },
    /// The HTTP client can't be made: no certificate authorities, as a rule.
    NoHttpClient(String),
    /// The answer is not JSON.
    NotJson {
        /// HTTP status.
        status: u16,
    },
    /// 429, still so after the retries.
    RateLimited,
    /// A redirect, which is not followed: an assertion goes to the token endpoint alone.
    Redirected {
        /// HTTP status.
        status: u16,
    },
    /// 4xx: the answer is no, and asking again would not change it.
    Refused {
        /// HTTP status.
        status: u16,
        /// What the answer says.
        body: RefusalBody,
    },
    /// 5xx, still so after the retries.
    ServerFailed {
        /// HTTP status.
        status: u16,
        /// What the answer says.
        body: RefusalBody,
    },
    /// The assertion could not be signed; nothing was sent.
    Sign(SignError),
    /// The answer took longer than an attempt may.
    TimedOut {
        /// How long an attempt may take.
        after: Duration,
    },
    /// A body over 1 MiB; reading stopped there.
    TooLarge,
    /// The connection ended before the answer did.
    Truncated,
    /// No connection, or one that was lost before an answer came.
    Unreachable {
        /// What the network said.
        reason: String,
    },
    /// A success without a usable token in it.
    Unusable {
        /// What is missing or wrong.
        reason: String,
    },
}

/// The body of an error answer, as far as it says something.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum RefusalBody {
    /// The gateway's own fault: `{"fault": {"faultstring", "detail": {"errorcode"}}}`.
    Fault {
        /// The `faultstring`.
        faultstring: String,
        /// The `errorcode`.
        errorcode: Option<String>,
    },
    /// An OAuth error (RFC 6749 §5.2).
    OAuth {
        /// The `error`.
        error: String,
        /// The `error_description`.
        description: Option<String>,
    },
    /// JSON that is neither.
    #[default]
    Other,
}

/// Who has to act on an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorClass {
    /// The platform said no.
    Refused,
    /// Something on this side: a signer, the machine's certificates.
    Local,
    /// No usable answer.
    Unavailable,
}

impl TokenError {
    /// What happened in the only attempt at this endpoint. For implementations of
    /// [`TokenIssuer`](crate::TokenIssuer).
    pub fn new(kind: TokenErrorKind, endpoint: &TokenEndpoint) -> Self {
        let url = endpoint.url().to_owned();
        Self { kind, url, attempts: 1, message_id: None, retry_after: None, sent: false }
    }

    /// Who has to act.
    pub fn class(&self) -> ErrorClass {
        match self.kind {
            TokenErrorKind::Refused { .. } => ErrorClass::Refused,
            TokenErrorKind::Sign(ref error) if error.is_passing() => ErrorClass::Unavailable,
            TokenErrorKind::Abandoned
            | TokenErrorKind::Sign(_)
            | TokenErrorKind::NoHttpClient(_) => ErrorClass::Local,
            _ => ErrorClass::Unavailable,
        }
    }

    /// Whether asking again, with nothing changed, would get the same answer.
    pub fn is_permanent(&self) -> bool {
        matches!(self.class(), ErrorClass::Refused | ErrorClass::Local)
    }

    /// The rules whose answer this is. One text can stand for several.
    pub fn rules(&self) -> Vec<&'static Rule> {
        match &self.kind {
            TokenErrorKind::Refused {
                status,
                body: RefusalBody::OAuth { description: Some(description), .. },
            } => nhs_auth_rules::answered_with(*status, description).collect(),
            _ => Vec::new(),
        }
    }

    /// What the answer's text may stand for, the likeliest first: one text can have several causes.
    pub fn causes(&self) -> Vec<PossibleCause> {
        match &self.kind {
            TokenErrorKind::Refused {
                body: RefusalBody::OAuth { description: Some(text), .. },
                ..
            }
            | TokenErrorKind::Refused {
                body: RefusalBody::Fault { faultstring: text, .. }, ..
            } => causes_of_error(text),
            _ => Vec::new(),
        }
    }

    /// What to do next, the best first.
    pub fn hints(&self) -> Vec<String> {
        let mut hints = self.hints_of_kind();
        hints.extend(self.causes().iter().take(MOST_CAUSES).map(|cause| {
            let rule = cause.rule.map(|rule| format!(" ({})", rule.id)).unwrap_or_default();
            format!("{}: {}; {}{rule}", cause.confidence.name(), cause.message, cause.fix)
        }));
        if let Some(message_id) = &self.message_id {
            hints.push(format!("if you ask NHS support, give them the message id {message_id}"));
        }
        hints
    }

    fn hints_of_kind(&self) -> Vec<String> {
        let hint = match &self.kind {
            TokenErrorKind::Html { .. } | TokenErrorKind::NotJson { .. } => {
                "something between here and the platform may have answered: a proxy, a firewall \
                 or a sign-in page"
            }
            TokenErrorKind::NoHttpClient(_) => {
                "install the package ca-certificates, or name a file of certificate authorities \
                 with SSL_CERT_FILE"
            }
            TokenErrorKind::RateLimited if !self.url.ends_with("/token") => return Vec::new(),
            TokenErrorKind::RateLimited => {
                "the platform allows an application 300 token requests a minute: keep a token for its \
                 ten minutes and share it"
            }
            TokenErrorKind::Redirected { .. } => {
                "check the base URL: a token endpoint redirects nobody"
            }
            TokenErrorKind::Sign(error) => return error.hints(),
            TokenErrorKind::TimedOut { .. } | TokenErrorKind::Unreachable { .. } => {
                "check the network, a proxy (HTTPS_PROXY) and the environment or base URL"
            }
            _ => return Vec::new(),
        };
        vec![hint.to_owned()]
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, .. } = self;
        match &self.kind {
            TokenErrorKind::Abandoned => write!(f, "the request to {url} ended without a result")?,
            TokenErrorKind::Empty { status } => write!(f, "{url} answered {status} with no body")?,
            TokenErrorKind::Html { status } => {
                write!(f, "{url} answered {status} with an HTML page and not with JSON")?;
            }
            TokenErrorKind::NoHttpClient(reason) => {
                write!(f, "can't make an HTTP client: {reason}")?;
            }
            TokenErrorKind::NotJson { status } => {
                write!(f, "{url} answered {status} with a body that is not JSON")?;
            }
            TokenErrorKind::RateLimited => {
                write!(f, "{url} answered 429: too many token requests")?;
            }
            TokenErrorKind::Redirected { status } => {
                write!(f, "{url} answered {status}, a redirect, which is not followed")?;
            }
            TokenErrorKind::Refused { status, body } => {
                write!(f, "{url} refused with {status}{body}")?;
            }
            TokenErrorKind::ServerFailed { status, body } => {
                write!(f, "{url} failed with {status}{body}")?;
            }
            TokenErrorKind::Sign(error) => write!(f, "{error}")?,
            TokenErrorKind::TimedOut { after } => {
                write!(f, "{url} did not answer within {} s", after.as_secs())?;
            }
            TokenErrorKind::TooLarge => write!(f, "{url} answered with more than 1 MiB")?,
            TokenErrorKind::Truncated => write!(f, "the answer of {url} was cut off")?,
            TokenErrorKind::Unreachable { reason } => write!(f, "can't reach {url}: {reason}")?,
            TokenErrorKind::Unusable { reason } => {
                write!(f, "{url} answered with no usable token: {reason}")?;
            }
        }
        if self.attempts > 1 {
            write!(f, " (after {} attempts)", self.attempts)?;
        }
        if let Some(retry_after) = self.retry_after {
            write!(f, "; it asks to wait {} s", retry_after.as_secs())?;
        }
        Ok(())
    }
}

impl fmt::Display for RefusalBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault { faultstring, errorcode: None } => write!(f, ": {faultstring}"),
            Self::Fault { faultstring, errorcode: Some(code) } => {
                write!(f, ": {faultstring} ({code})")
            }
            Self::OAuth { error, description: None } => write!(f, " {error}"),
            Self::OAuth { error, description: Some(text) } => write!(f, " {error}: {text}"),
            Self::Other => Ok(()),
        }
    }
}

impl std::error::Error for TokenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            TokenErrorKind::Sign(error) => std::error::Error::source(error),
            _ => None,
        }
    }
}
