//! What ends a command early: what happened, what to do next, and the exit code.

use nhs_auth::{
    CallError, CustodyError, DestinationError, EndpointError, ErrorClass, ExchangeError,
    IdTokenError, IdentifierError, JwksError, KeyError, KeyRingError, PairingError,
    RedirectUriError, SignError, SignInError, TokenError,
};
use nhs_auth_custody::Pkcs12Error;
use nhs_auth_server::{InvalidRoutes, InvalidUpstream, ServeError};

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Done = 0,
    /// The platform or the API said no.
    No = 1,
    /// Wrong usage, input or files.
    Usage = 2,
    /// No usable answer.
    NoAnswer = 3,
    /// A fault of ours.
    Fault = 4,
}

/// What ends a command early.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// Empty when there is nothing to say, as when a reader has gone.
    pub(crate) message: String,
    pub(crate) hints: Vec<String>,
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into(), hints: Vec::new() }
    }

    pub(crate) fn no_answer(message: impl Into<String>) -> Self {
        Self { exit: Exit::NoAnswer, message: message.into(), hints: Vec::new() }
    }

    /// Something of ours was not to be had: when that may pass, there was no answer.
    pub(crate) fn local(is_passing: bool, message: String) -> Self {
        if is_passing { Self::no_answer(message) } else { Self::usage(message) }
    }

    pub(crate) fn fault(message: impl Into<String>) -> Self {
        Self { exit: Exit::Fault, message: message.into(), hints: Vec::new() }
    }

    /// The reader of standard output has gone, which is its good right.
    pub(crate) fn reader_gone() -> Self {
        Self { exit: Exit::Done, message: String::new(), hints: Vec::new() }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    fn hints(mut self, hints: impl IntoIterator<Item = String>) -> Self {
        self.hints.extend(hints);
        self
    }

    /// An identifier given with `flag` is not what it should be.
    pub(crate) fn identifier(flag: &str, error: IdentifierError) -> Self {
        let failure = Self::usage(format!("the value of {flag} can't be used: {error}"));
        failure.hints(error.hint().map(ToOwned::to_owned))
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        Self::usage(error.to_string()).hints(error.hints())
    }
}

impl From<Pkcs12Error> for Failure {
    fn from(error: Pkcs12Error) -> Self {
        Self::usage(error.to_string()).hints(error.hints())
    }
}

impl From<JwksError> for Failure {
    fn from(error: JwksError) -> Self {
        Self::usage(error.to_string()).hints(error.hints())
    }
}

impl From<EndpointError> for Failure {
    fn from(error: EndpointError) -> Self {
        Self::usage(error.to_string()).hints(error.hints())
    }
}

impl From<DestinationError> for Failure {
    fn from(error: DestinationError) -> Self {
        let failure = Self::usage(error.to_string()).hints(error.hints());
        match error {
            DestinationError::NotNamed { host } => {
                failure.hint(format!("--allow-host {host} names it"))
            }
            _ => failure,
        }
    }
}

impl From<InvalidUpstream> for Failure {
    fn from(error: InvalidUpstream) -> Self {
        match error {
            InvalidUpstream::Destination(error) => error.into(),
            error => Self::usage(error.to_string()).hints(error.hints()),
        }
    }
}

impl From<InvalidRoutes> for Failure {
    fn from(error: InvalidRoutes) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<SignError> for Failure {
    fn from(error: SignError) -> Self {
        Self::local(error.is_passing(), error.to_string()).hints(error.hints())
    }
}

impl From<CustodyError> for Failure {
    fn from(error: CustodyError) -> Self {
        Self::local(error.is_passing(), error.to_string()).hints(error.hints())
    }
}

impl From<KeyRingError> for Failure {
    fn from(error: KeyRingError) -> Self {
        Self::local(error.is_passing(), error.to_string()).hints(error.hints())
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        let message = match &error {
            ServeError::Given { source }
            | ServeError::Listen { source, .. }
            | ServeError::Socket { source, .. }
            | ServeError::Thread { source } => {
                format!("{error}: {source}")
            }
            _ => error.to_string(),
        };
        Self::usage(message).hints(error.hints())
    }
}

impl From<ErrorClass> for Exit {
    fn from(class: ErrorClass) -> Self {
        match class {
            ErrorClass::Refused => Self::No,
            ErrorClass::Local => Self::Usage,
            _ => Self::NoAnswer,
        }
    }
}

impl From<&TokenError> for Failure {
    fn from(error: &TokenError) -> Self {
        Self { exit: error.class().into(), message: error.to_string(), hints: error.hints() }
    }
}

impl From<ExchangeError> for Failure {
    fn from(error: ExchangeError) -> Self {
        Self { exit: error.class().into(), message: error.to_string(), hints: error.hints() }
    }
}

impl From<SignInError> for Failure {
    fn from(error: SignInError) -> Self {
        let failure =
            Self { exit: error.class().into(), message: error.to_string(), hints: error.hints() };
        match error {
            SignInError::IdToken(IdTokenError::Assurance(_)) => failure.hint(
                "what is asked for is chosen with --acr-values (CIS2) or --vtr (NHS login): ask for \
                 the lowest level that will do",
            ),
            _ => failure,
        }
    }
}

impl From<PairingError> for Failure {
    fn from(error: PairingError) -> Self {
        Self::usage(error.to_string()).hint(error.hint)
    }
}

impl From<RedirectUriError> for Failure {
    fn from(error: RedirectUriError) -> Self {
        Self::usage(format!("--redirect-uri can't be used: {error}"))
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Token(error) => Self::from(&*error),
            CallError::Destination(error) => error.into(),
            CallError::ApiKeyNotSendable => Self::usage(error.to_string()),
            CallError::NoHttpClient(_) => Self::usage(error.to_string()).hint(
                "install the package ca-certificates, or name a file of certificate authorities \
                 with SSL_CERT_FILE",
            ),
            _ => Self::no_answer(error.to_string())
                .hint("check the URL, the network, and a proxy (HTTPS_PROXY)"),
        }
    }
}
