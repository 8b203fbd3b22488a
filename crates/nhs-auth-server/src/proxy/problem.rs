//! Answers of the proxy's own (RFC 9457). They say whose they are, so that nobody takes them for
//! the API's.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use nhs_auth::{ErrorClass, RefusalBody, TokenError, TokenErrorKind, X_REQUEST_ID};
use serde_json::{Map, Value, json};

use super::answer_body::AnswerBody;

/// Says which intermediary an answer is of, and why (RFC 9209).
pub(super) const PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");

/// What went wrong in the proxy, or on its way to the API.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    /// Its name, for programs.
    kind: &'static str,
    title: &'static str,
    detail: String,
    /// The error type of RFC 9209, section 2.3.
    proxy_error: &'static str,
    hints: Vec<String>,
    more: Map<String, Value>,
    retry_after_s: Option<u64>,
    closes: bool,
}

impl Problem {
    pub(super) fn new(
        status: StatusCode,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            status,
            kind,
            title,
            detail: detail.into(),
            proxy_error: "http_request_denied",
            hints: Vec::new(),
            more: Map::new(),
            retry_after_s: None,
            closes: false,
        }
    }

    /// The platform, or this side of it, gave no token; nothing was sent to the API.
    pub(super) fn no_token(error: &TokenError) -> Self {
        let (status, kind, title) = match error.class() {
            ErrorClass::Refused => (
                StatusCode::BAD_GATEWAY,
                "token-refused",
                "the platform refused the token request; nothing was sent to the API",
            ),
            ErrorClass::Local => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "token-not-requested",
                "the proxy can't ask for a token; nothing was sent to the API",
            ),
            _ => (
                StatusCode::SERVICE_UNAVAILABLE,
                "no-token",
                "there is no token for now; nothing was sent to the API",
            ),
        };
        let mut more = Map::new();
        more.insert("token_error".to_owned(), token_error(error));
        let asked_for = error.retry_after.map(|pause| pause.as_secs().max(1));
        let retry_after_s =
            (status == StatusCode::SERVICE_UNAVAILABLE).then(|| asked_for.unwrap_or(2));
        let proxy_error = match error.class() {
            ErrorClass::Refused | ErrorClass::Local => "proxy_configuration_error",
            _ => "destination_unavailable",
        };
        Self {
            proxy_error,
            hints: error.hints(),
            more,
            retry_after_s,
            ..Self::new(status, kind, title, error.to_string())
        }
    }

    pub(super) fn proxy_error(mut self, name: &'static str) -> Self {
        self.proxy_error = name;
        self
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same, after which the connection ends: who speaks like that isn't understood any more.
    pub(super) fn closing(mut self) -> Self {
        self.closes = true;
        self
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn kind(&self) -> &'static str {
        self.kind
    }

    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    pub(super) fn into_response(
        self,
        method: &Method,
        request_id: Option<&HeaderValue>,
    ) -> Response<AnswerBody> {
        let mut body = json!({
            "type": format!("nhs-auth:{}", self.kind),
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": self.detail,
            "source": "nhs-auth",
        });
        if let Value::Object(members) = &mut body {
            if !self.hints.is_empty() {
                members.insert("hints".to_owned(), json!(self.hints));
            }
            if let Some(id) = request_id.and_then(|id| id.to_str().ok()) {
                members.insert("request_id".to_owned(), json!(id));
            }
            members.extend(self.more);
        }
        let text = body.to_string();
        let mut response = Response::new(AnswerBody::own(Bytes::new()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(text.len()));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let status = format!("nhs-auth; error={}", self.proxy_error);
        headers.extend(HeaderValue::try_from(status).ok().map(|value| (PROXY_STATUS, value)));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(id) = request_id {
            headers.insert(X_REQUEST_ID, id.clone());
        }
        if self.closes {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if method != Method::HEAD {
            *response.body_mut() = AnswerBody::own(text);
        }
        response
    }
}

/// What is known of a token that could not be had, for programs.
fn token_error(error: &TokenError) -> Value {
    let mut told = Map::new();
    told.insert("url".to_owned(), json!(error.url));
    told.insert("attempts".to_owned(), json!(error.attempts));
    if let TokenErrorKind::Refused { status, body }
    | TokenErrorKind::ServerFailed { status, body } = &error.kind
    {
        told.insert("status".to_owned(), json!(status));
        if let RefusalBody::OAuth { error, description } = body {
            told.insert("error".to_owned(), json!(error));
            told.insert("error_description".to_owned(), json!(description));
        }
    }
    if let Some(message_id) = &error.message_id {
        told.insert("message_id".to_owned(), json!(message_id));
    }
    let rules: Vec<_> = error.rules().iter().map(|rule| rule.id.as_str()).collect();
    if !rules.is_empty() {
        told.insert("rules".to_owned(), json!(rules));
    }
    Value::Object(told)
}
