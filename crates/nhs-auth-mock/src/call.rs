//! A request, wholly read.

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};
use nhs_auth_rules::{Form, UnixMillis};

use crate::fault::IdTokenFault;

/// A request, wholly read, and the circumstances under which it is judged.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The time that this request is judged by: the platform's, unless a fault says otherwise.
    pub(crate) now: UnixMillis,
    /// Whether a fault keeps the platform from fetching this client's key set.
    pub(crate) key_sets_unreachable: bool,
    /// Whether a fault keeps the platform from fetching the identity provider's.
    pub(crate) provider_key_sets_unreachable: bool,
    /// Whether a fault takes the answer away when the work is done.
    pub(crate) loses_answer: bool,
    /// What a fault makes of ID tokens that are issued for this request.
    pub(crate) id_token_fault: Option<IdTokenFault>,
}

impl Call {
    pub(crate) fn path(&self) -> &str {
        self.uri.path()
    }

    /// The header's text; empty where it has other bytes than text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap_or_default())
    }

    /// The host as it was called, with its port.
    pub(crate) fn host(&self) -> &str {
        self.header("host")
            .or_else(|| self.uri.authority().map(http::uri::Authority::as_str))
            .unwrap_or_default()
    }

    /// The parameters of the query.
    pub(crate) fn query(&self) -> Form {
        Form::parse(self.uri.query().unwrap_or_default().as_bytes())
    }

    #[expect(clippy::cast_precision_loss, reason = "milliseconds until the year 287396 are exact")]
    pub(crate) fn now_in_seconds(&self) -> f64 {
        self.now.0 as f64 / 1000.0
    }

    /// The token behind `Bearer`; an empty text where there is none.
    pub(crate) fn bearer_token(&self) -> &str {
        let authorization = self.header("authorization").unwrap_or_default();
        match authorization.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            _ => "",
        }
    }
}
