//! A request, wholly read.

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};
use nhs_auth_rules::UnixMillis;

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
}

impl Call {
    pub(crate) fn path(&self) -> &str {
        self.uri.path()
    }

    /// The header's text; empty where it has other bytes than text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap_or_default())
    }

    /// The URL as it was called: the request's own host, and the path without the query.
    pub(crate) fn url(&self) -> String {
        let host = self
            .header("host")
            .or_else(|| self.uri.authority().map(http::uri::Authority::as_str))
            .unwrap_or_default();
        ["http://", host, self.path()].concat()
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
