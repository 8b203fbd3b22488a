//! Why an API gave no answer.

use std::error::Error;
use std::time::Duration;

use super::connections::SendError;
use super::connector::{ConnectError, causes};
use super::http1::ExchangeError;
use super::metrics::Outcome;
use super::problem::Problem;
use super::sent_body::BodyFault;
use http::{StatusCode, Uri};

/// One attempt's failure.
#[derive(Debug)]
pub(super) enum Failure {
    /// The caller's body was not all there.
    Caller(BodyFault),
    /// There was no connection.
    Connect { reason: String, kind: &'static str, is_late: bool },
    /// The connection was lost, or what came over it was no answer.
    Lost {
        reason: String,
        /// Whether nothing was taken of the request.
        is_unsent: bool,
        /// Whether the API may have closed a connection just as it was used again.
        is_stale: bool,
    },
    /// No answer in time.
    Late { after: Duration },
}

impl Failure {
    pub(super) fn of(error: &SendError, fault: Option<BodyFault>) -> Self {
        match (error, fault) {
            (_, Some(fault)) => Self::Caller(fault),
            (SendError::Connect(error), _) => {
                let kind = kind_of(error);
                let is_late = kind == "connection_timeout";
                Self::Connect { reason: causes(error), kind, is_late }
            }
            (SendError::Http1 { source, was_kept }, _) => Self::Lost {
                reason: causes(source),
                is_unsent: *was_kept && matches!(source, ExchangeError::Unsent(_)),
                is_stale: *was_kept && source.is_before_the_answer(),
            },
            (SendError::Http2 { source, was_kept }, _) => {
                let is_incomplete = source.is_incomplete_message()
                    || source.is_closed()
                    || source.is_canceled()
                    || find::<std::io::Error>(source).is_some();
                let is_stale = *was_kept && is_incomplete;
                Self::Lost { reason: causes(source), is_unsent: false, is_stale }
            }
        }
    }

    /// Whether the API can't have seen the request, for the connection had been closed before.
    pub(super) fn is_unsent(&self) -> bool {
        matches!(self, Self::Lost { is_unsent: true, .. })
    }

    /// Whether the connection may have been closed by the API before it saw the request.
    pub(super) fn is_a_stale_connection(&self) -> bool {
        matches!(self, Self::Lost { is_stale: true, .. })
    }

    /// What the caller is told of it.
    pub(super) fn told(self, uri: &Uri) -> (Problem, Outcome) {
        let place = uri.authority().map(ToString::to_string).unwrap_or_default();
        match self {
            Self::Caller(fault) => {
                let (status, detail) = match fault {
                    BodyFault::CutOff => {
                        (StatusCode::BAD_REQUEST, "the request's body was cut off")
                    }
                    BodyFault::Silent => {
                        (StatusCode::REQUEST_TIMEOUT, "the request's body took too long")
                    }
                };
                let title = "the request didn't come whole";
                let problem = Problem::new(status, "request-body", title, detail);
                (problem.proxy_error("http_request_error").closing(), Outcome::Refused)
            }
            Self::Connect { reason, kind, is_late } => {
                let (status, outcome) = if is_late {
                    (StatusCode::GATEWAY_TIMEOUT, Outcome::TimedOut)
                } else {
                    (StatusCode::BAD_GATEWAY, Outcome::Unreachable)
                };
                let problem = Problem::new(
                    status,
                    "unreachable",
                    "the API can't be reached",
                    format!("can't reach {place}: {reason}"),
                );
                let hint = "check the upstream's URL, the network and the egress proxy (HTTPS_PROXY, NO_PROXY)";
                (problem.proxy_error(kind).hint(hint), outcome)
            }
            Self::Lost { reason, .. } => (
                Problem::new(
                    StatusCode::BAD_GATEWAY,
                    "no-answer",
                    "the API gave no answer",
                    format!("{place} gave no answer that can be passed on: {reason}"),
                )
                .proxy_error("http_response_incomplete")
                .hint("whether it did what was asked isn't known"),
                Outcome::Unreachable,
            ),
            Self::Late { after } => (
                Problem::new(
                    StatusCode::GATEWAY_TIMEOUT,
                    "timed-out",
                    "the API did not answer in time",
                    format!("{place} kept silent for {} s", after.as_secs_f64()),
                )
                .proxy_error("http_response_timeout")
                .hint(
                    "whether it did what was asked isn't known; --upstream-timeout allows for more",
                ),
                Outcome::TimedOut,
            ),
        }
    }
}

fn kind_of(error: &ConnectError) -> &'static str {
    match error {
        ConnectError::Connect(source) => {
            let text = causes(&**source);
            if text.contains("dns") {
                "dns_error"
            } else if text.contains("refused") {
                "connection_refused"
            } else if text.contains("deadline") || text.contains("timed out") {
                "connection_timeout"
            } else {
                "destination_unavailable"
            }
        }
        ConnectError::EgressKind { .. } => "proxy_configuration_error",
        ConnectError::Egress { .. } => "destination_unavailable",
        ConnectError::Late { .. } => "connection_timeout",
        ConnectError::Name => "tls_certificate_error",
        ConnectError::Tls(error) => {
            if error.to_string().contains("certificate") {
                "tls_certificate_error"
            } else {
                "tls_protocol_error"
            }
        }
    }
}

fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}
