//! What a service's answer means.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use nhs_auth::CustodyErrorKind as Kind;

use super::Unready;
use crate::said::{cause, innermost, said};

/// What went wrong, in words that may be logged.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    pub(crate) detail: String,
}

impl Failure {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }
}

impl From<Unready> for Failure {
    fn from(error: Unready) -> Self {
        let kind = if error == Unready::Late { Kind::TimedOut } else { Kind::InvalidUri };
        Self::new(kind, error.to_string())
    }
}

/// Reads an error of the SDK. Only its kind, its code and the service's message are taken: the
/// rest has headers in it.
pub(crate) fn failure_of<E>(error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let Some(credentials) = cause::<CredentialsError>(error) {
        return of_credentials(credentials);
    }
    match error {
        SdkError::ServiceError(answer) => {
            let status = answer.raw().status().as_u16();
            of_answer(status, answer.err().code(), answer.err().message())
        }
        SdkError::TimeoutError(_) => Failure::new(Kind::TimedOut, ""),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => {
            Failure::new(Kind::TimedOut, "")
        }
        SdkError::DispatchFailure(_) => Failure::new(Kind::Unreachable, innermost(error)),
        SdkError::ResponseError(answer) => of_answer(answer.raw().status().as_u16(), None, None),
        _ => Failure::new(Kind::Failed, innermost(error)),
    }
}

fn of_answer(status: u16, code: Option<&str>, message: Option<&str>) -> Failure {
    if code.is_none() && status < 400 {
        return Failure::new(Kind::Failed, "its answer can't be read");
    }
    let kind = code.and_then(kind_of).unwrap_or(match status {
        401 | 403 => Kind::Denied,
        429 => Kind::Throttled,
        500.. => Kind::Unreachable,
        _ => Kind::Failed,
    });
    let code = code.map_or_else(|| format!("status {status}"), said);
    match message.map(said).filter(|message| !message.is_empty()) {
        Some(message) => Failure::new(kind, format!("{code}: {message}")),
        None => Failure::new(kind, code),
    }
}

fn kind_of(code: &str) -> Option<Kind> {
    Some(match code {
        "AccessDenied"
        | "AccessDeniedException"
        | "IncompleteSignature"
        | "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "NotAuthorized"
        | "OptInRequired"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => Kind::Denied,
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => Kind::SessionExpired,
        "NotFoundException" | "ResourceNotFoundException" => Kind::NotFound,
        "AlreadyExistsException" => Kind::AlreadyThere,
        "RequestLimitExceeded"
        | "SlowDown"
        | "Throttling"
        | "ThrottlingException"
        | "TooManyRequestsException" => Kind::Throttled,
        "DisabledException"
        | "InvalidKeyUsageException"
        | "KMSInvalidStateException"
        | "UnsupportedOperationException" => Kind::Unsuitable,
        "InvalidArnException" => Kind::InvalidUri,
        "DependencyTimeoutException" => Kind::TimedOut,
        "InternalFailure"
        | "InternalServiceError"
        | "KMSInternalException"
        | "KeyUnavailableException"
        | "ServiceUnavailable" => Kind::Unreachable,
        _ => return None,
    })
}

fn of_credentials(error: &CredentialsError) -> Failure {
    match error {
        CredentialsError::CredentialsNotLoaded(_) => Failure::new(
            Kind::Denied,
            "no AWS credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or \
             AWS_PROFILE, or run it where AWS gives it a role",
        ),
        CredentialsError::ProviderTimedOut(_) => {
            Failure::new(Kind::TimedOut, "the AWS credentials took too long")
        }
        CredentialsError::InvalidConfiguration(_) => {
            Failure::new(Kind::Denied, "the AWS profile with the credentials can't be read")
        }
        // Its cause may have a process's output or a token in it.
        _ => Failure::new(Kind::Denied, "the AWS credentials could not be had"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_says_more_than_a_status() {
        let kind = |status, code| of_answer(status, code, None).kind;
        assert_eq!(kind(400, Some("AccessDeniedException")), Kind::Denied);
        assert_eq!(kind(400, Some("ExpiredTokenException")), Kind::SessionExpired);
        assert_eq!(kind(400, Some("ThrottlingException")), Kind::Throttled);
        assert_eq!(kind(400, Some("KMSInvalidStateException")), Kind::Unsuitable);
        assert_eq!(kind(400, Some("ValidationException")), Kind::Failed);
        assert_eq!(kind(503, Some("Unheard")), Kind::Unreachable);
        assert_eq!(kind(503, None), Kind::Unreachable);
        assert_eq!(kind(429, None), Kind::Throttled);
        assert_eq!(kind(403, None), Kind::Denied);
    }

    #[test]
    fn a_message_is_told_on_one_line_and_cut() {
        let long = format!("first\nsecond\u{1b}[31m{}", "x".repeat(1000));
        let failure = of_answer(400, Some("ValidationException"), Some(&long));
        assert!(failure.detail.starts_with("ValidationException: first second [31mxxx"));
        assert!(failure.detail.chars().count() < 300);
        assert_eq!(of_answer(500, None, Some(" ")).detail, "status 500");
    }
}
