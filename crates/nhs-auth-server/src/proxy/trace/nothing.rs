//! No traces. A caller's `traceparent` and `tracestate` are headers like others, and passed on.

use http::request::Parts;
use http::{Request, Response, StatusCode};
use nhs_auth::TokenError;

use crate::proxy::failure::Failure;
use crate::proxy::metrics::Outcome;

#[derive(Clone, Debug)]
pub(in crate::proxy) struct Traces;

#[derive(Clone)]
pub(in crate::proxy) struct RequestTrace;

pub(in crate::proxy) struct AttemptTrace;

#[derive(Clone, Debug)]
pub(in crate::proxy) struct AppTraces;

pub(in crate::proxy) struct TokenTrace;

#[expect(clippy::unused_self, reason = "with the feature they are something")]
impl Traces {
    pub(in crate::proxy) fn none() -> Self {
        Self
    }

    pub(in crate::proxy) fn request<B>(&self, _: &Request<B>, _: &str) -> RequestTrace {
        RequestTrace
    }

    pub(in crate::proxy) fn of_app(&self, _: &str) -> AppTraces {
        AppTraces
    }
}

#[expect(clippy::unused_self, reason = "with the feature they are something")]
impl RequestTrace {
    pub(in crate::proxy) fn attempt(&self, _: &mut Parts) -> AttemptTrace {
        AttemptTrace
    }

    pub(in crate::proxy) fn ended(&self, _: Outcome, _: Option<StatusCode>) {}
}

#[expect(clippy::unused_self, reason = "with the feature they are something")]
impl AttemptTrace {
    pub(in crate::proxy) fn ended<B>(self, _: Result<&Response<B>, &Failure>) {}
}

#[expect(clippy::unused_self, reason = "with the feature they are something")]
impl AppTraces {
    pub(in crate::proxy) fn token_request(&self) -> TokenTrace {
        TokenTrace
    }
}

#[expect(clippy::unused_self, reason = "with the feature they are something")]
impl TokenTrace {
    pub(in crate::proxy) fn ended(self, _: Option<&TokenError>) {}
}
