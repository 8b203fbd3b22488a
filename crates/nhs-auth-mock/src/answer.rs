//! An answer before it is sent, and what is noted of it.

use std::borrow::Cow;

use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use nhs_auth_rules::{Rule, UnixMillis};
use serde::Serialize;

use crate::body::Body;
use crate::clock;

/// An answer before it is sent.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    pub(crate) note: Note,
}

/// What the list of requests says of an answer beside its status.
#[derive(Debug, Default)]
pub(crate) struct Note {
    pub(crate) application_id: Option<String>,
    pub(crate) error: Option<Cow<'static, str>>,
    pub(crate) error_description: Option<Cow<'static, str>>,
    pub(crate) message_id: Option<String>,
    pub(crate) rule: Option<&'static Rule>,
    pub(crate) jti: Option<String>,
    pub(crate) fault: Option<&'static str>,
    /// What an identity provider saw and doesn't say.
    pub(crate) remark: Option<String>,
    /// The groups of rules that were gone through, in their order, to the first that refused.
    pub(crate) judged: Vec<&'static [Rule]>,
}

impl Reply {
    /// An answer of that type.
    pub(crate) fn new(
        status: StatusCode,
        content_type: &'static str,
        body: impl Into<Body>,
    ) -> Self {
        let mut headers = HeaderMap::with_capacity(4);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self { status, headers, body: body.into(), note: Note::default() }
    }

    /// An answer in JSON.
    pub(crate) fn json(status: StatusCode, content: &impl Serialize) -> Self {
        // What is written here are structs and maps with text for names: that can't fail.
        let body = serde_json::to_vec(content).unwrap_or_default();
        Self::new(status, "application/json", body)
    }

    /// An answer with nothing in it.
    pub(crate) fn no_content() -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            headers: HeaderMap::new(),
            body: Body::from(""),
            note: Note::default(),
        }
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    pub(crate) fn with_allow(self, methods: &'static str) -> Self {
        self.with_header(header::ALLOW, HeaderValue::from_static(methods))
    }

    /// The answer as it is sent, at that time.
    pub(crate) fn into_response(mut self, now: UnixMillis) -> Response<Body> {
        self.headers.insert(header::DATE, clock::http_date(now));
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}
