//! What a fault answers in the platform's place.

use bytes::Bytes;
use http::StatusCode;
use http::header::{self, HeaderValue};
use nhs_auth_rules::request::UNKNOWN_ERROR;
use serde_json::json;

use crate::answer::Reply;
use crate::body::Body;
use crate::fault::{Fault, FaultKind};
use crate::oauth::answer::{error, refusal};
use crate::random;

const HTML: &str = "text/html; charset=utf-8";

const GATEWAY_PAGE: &str = "<!DOCTYPE html>\n<html>\n<head><title>502 Bad Gateway</title></head>\n\
    <body><h1>502 Bad Gateway</h1><p>The proxy server received an invalid response from an \
    upstream server.</p></body>\n</html>\n";

const PORTAL_PAGE: &str = "<!DOCTYPE html>\n<html>\n<head><title>Guest Wi-Fi</title></head>\n\
    <body><h1>Sign in to the network</h1></body>\n</html>\n";

/// The answer to a request to that path; `None` where there is to be none.
pub(crate) fn answer(fault: &Fault, path: &str) -> Option<Reply> {
    let mut reply = match fault.kind {
        FaultKind::BadGateway => Reply::new(StatusCode::BAD_GATEWAY, HTML, GATEWAY_PAGE),
        FaultKind::CaptivePortal => Reply::new(StatusCode::OK, HTML, PORTAL_PAGE),
        FaultKind::Empty => Reply::new(StatusCode::OK, "application/json", ""),
        FaultKind::InternalError => refusal(&UNKNOWN_ERROR),
        FaultKind::MalformedJson => {
            let good = good_body(path);
            Reply::new(
                StatusCode::OK,
                "application/json",
                good.trim_end_matches('}').replace(':', "="),
            )
        }
        FaultKind::Oversized => {
            let padding = " ".repeat(1024 * 1024 + 1);
            Reply::new(StatusCode::OK, "application/json", good_body(path) + &padding)
        }
        FaultKind::TooManyRequests => error(429, "too_many_requests", "Rate limit exceeded".into()),
        FaultKind::Truncated => truncated(good_body(path)),
        FaultKind::Unavailable => {
            error(503, "service_unavailable", "The service is temporarily unavailable".into())
        }
        FaultKind::WrongContentType => Reply::new(StatusCode::OK, "text/plain", good_body(path)),
        FaultKind::Hang
        | FaultKind::Reset
        | FaultKind::Slow
        | FaultKind::Clock
        | FaultKind::ExpiredIdToken
        | FaultKind::LostAnswer
        | FaultKind::RotatedProviderKeys
        | FaultKind::UnreachableJwks
        | FaultKind::UnreachableProviderJwks
        | FaultKind::WrongIssuerIdToken => return None,
    };
    if let Some(seconds) = fault.retry_after_s
        && matches!(fault.kind, FaultKind::TooManyRequests | FaultKind::Unavailable)
    {
        reply.headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    reply.note.fault = Some(fault.kind.name());
    Some(reply)
}

fn truncated(body: String) -> Reply {
    let promised = body.len();
    let half = Bytes::from(body).slice(..promised / 2);
    Reply::new(StatusCode::OK, "application/json", Body::CutOff(half))
        .with_header(header::CONTENT_LENGTH, HeaderValue::from(promised))
}

/// What the platform would say there. The token in it opens nothing.
fn good_body(path: &str) -> String {
    if path.ends_with("/token") {
        let token = random::alphanumeric(28);
        json!({
            "access_token": token,
            "expires_in": "599",
            "token_type": "Bearer",
            "issued_at": "1800000000000",
        })
        .to_string()
    } else {
        json!({"message": "Hello World!"}).to_string()
    }
}
