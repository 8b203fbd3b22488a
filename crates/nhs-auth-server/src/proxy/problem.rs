//! Answers of the proxy's own (RFC 9457). They say whose they are, so that nobody takes them for
//! the API's.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use nhs_auth::{ErrorClass, RefusalBody, TokenError, TokenErrorKind, X_REQUEST_ID};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::answer_body::AnswerBody;

/// Says which intermediary an answer is of, and why (RFC 9209).
pub(super) const PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");

/// What went wrong in the proxy, or on its way to the API.
#[derive(Debug)]
pub(super) struct Problem(Box<Details>);

#[derive(Debug)]
struct Details {
    status: StatusCode,
    /// Its name, for programs.
    kind: &'static str,
    title: &'static str,
    detail: String,
    /// The error type of RFC 9209, section 2.3.
    proxy_error: &'static str,
    hints: Vec<String>,
    token_error: Option<Value>,
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
        Self(Box::new(Details {
            status,
            kind,
            title,
            detail: detail.into(),
            proxy_error: "http_request_denied",
            hints: Vec::new(),
            token_error: None,
            retry_after_s: None,
            closes: false,
        }))
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
        let asked_for = error.retry_after.map(|pause| pause.as_secs().max(1));
        let retry_after_s =
            (status == StatusCode::SERVICE_UNAVAILABLE).then(|| asked_for.unwrap_or(2));
        let proxy_error = match error.class() {
            ErrorClass::Refused | ErrorClass::Local => "proxy_configuration_error",
            _ => "destination_unavailable",
        };
        let mut problem =
            Self::new(status, kind, title, error.to_string()).proxy_error(proxy_error);
        problem.0.hints = error.hints();
        problem.0.token_error = Some(token_error(error));
        problem.0.retry_after_s = retry_after_s;
        problem
    }

    pub(super) fn proxy_error(mut self, name: &'static str) -> Self {
        self.0.proxy_error = name;
        self
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }

    /// The same, after which the connection ends: who speaks like that isn't understood any more.
    pub(super) fn closing(mut self) -> Self {
        self.0.closes = true;
        self
    }

    pub(super) fn status(&self) -> StatusCode {
        self.0.status
    }

    pub(super) fn kind(&self) -> &'static str {
        self.0.kind
    }

    pub(super) fn detail(&self) -> &str {
        &self.0.detail
    }

    pub(super) fn into_response(
        self,
        method: &Method,
        request_id: Option<&HeaderValue>,
    ) -> Response<AnswerBody> {
        let kind = format!("nhs-auth:{}", self.0.kind);
        let told = Told {
            kind: &kind,
            title: self.0.title,
            status: self.0.status.as_u16(),
            detail: &self.0.detail,
            source: "nhs-auth",
            hints: &self.0.hints,
            request_id: request_id.and_then(|id| id.to_str().ok()),
            token_error: self.0.token_error.as_ref(),
        };
        let text = serde_json::to_string(&told).expect("texts can always be written as JSON");
        let mut response = Response::new(AnswerBody::own(Bytes::new()));
        *response.status_mut() = self.0.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(text.len()));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let status = format!("nhs-auth; error={}", self.0.proxy_error);
        headers.extend(HeaderValue::try_from(status).ok().map(|value| (PROXY_STATUS, value)));
        if let Some(seconds) = self.0.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(id) = request_id {
            headers.insert(X_REQUEST_ID, id.clone());
        }
        if self.0.closes {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if method != Method::HEAD {
            *response.body_mut() = AnswerBody::own(text);
        }
        response
    }
}

/// The document, in the order in which people read it.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    /// Tells it from an API's own.
    source: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    hints: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_error: Option<&'a Value>,
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
