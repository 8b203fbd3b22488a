//! How the identity providers say no.

use http::header::{CACHE_CONTROL, HeaderValue, LOCATION, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use percent_encoding::{CONTROLS, utf8_percent_encode};
use serde_json::json;

use super::realm::Realm;
use crate::answer::Reply;

/// A refusal at a token endpoint (RFC 6749 §5.2), and what the box saw, which the provider
/// wouldn't say.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) error: &'static str,
    pub(crate) description: String,
    pub(crate) remark: Option<String>,
}

impl Refusal {
    pub(super) fn new(error: &'static str, description: impl Into<String>) -> Self {
        Self { error, description: description.into(), remark: None }
    }

    /// CIS2's one text for everything that is wrong with a client assertion; NHS login tells as
    /// little.
    pub(super) fn bad_assertion(remark: impl Into<String>) -> Self {
        Self { remark: Some(remark.into()), ..Self::new("invalid_client", "JWT is not valid") }
    }

    /// The answer. NHS login answers 400 to everything (its interface specification, table 10);
    /// elsewhere a client that isn't known is answered 401 (by inference).
    pub(super) fn into_reply(self, realm: Realm) -> Reply {
        let is_client_fault =
            matches!(self.error, "invalid_client" | "unauthorized_client") && !realm.is_nhs_login();
        let is_hosted_client = self.error == "invalid_client" && realm.is_hosted();
        let status = if is_client_fault || is_hosted_client {
            StatusCode::UNAUTHORIZED
        } else {
            StatusCode::BAD_REQUEST
        };
        let mut reply = Reply::json(
            status,
            &json!({"error_description": self.description, "error": self.error}),
        );
        reply.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        reply.note.error = Some(self.error.into());
        reply.note.error_description = Some(self.description.into());
        reply.note.remark = self.remark;
        reply
    }
}

/// A refusal of user info (RFC 6750 §3).
pub(super) fn invalid_token() -> Reply {
    let description = "the access token is unknown, has expired or was revoked";
    let mut reply = Reply::json(
        StatusCode::UNAUTHORIZED,
        &json!({"error_description": description, "error": "invalid_token"}),
    )
    .with_header(WWW_AUTHENTICATE, HeaderValue::from_static(r#"Bearer error="invalid_token""#));
    reply.note.error = Some("invalid_token".into());
    reply.note.error_description = Some(description.into());
    reply
}

/// Sends the browser to that place with these parameters behind what is there already; `None`
/// where that can't be a header.
pub(crate) fn redirect(uri: &str, parameters: &[(&str, &str)]) -> Option<Reply> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    let (uri, fragment) = uri.split_once('#').map_or((uri, None), |(uri, rest)| (uri, Some(rest)));
    let separator = match uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    let mut location = format!("{uri}{separator}{}", query.finish());
    if let Some(fragment) = fragment {
        location = format!("{location}#{fragment}");
    }
    // What a header or a URL can't have as it is: control characters, and all beyond ASCII.
    let location = utf8_percent_encode(&location, CONTROLS).to_string();
    let location = HeaderValue::from_str(&location).ok()?;
    let mut headers = HeaderMap::with_capacity(2);
    headers.insert(LOCATION, location);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let mut reply = Reply::new(StatusCode::FOUND, "text/plain", "");
    reply.headers.extend(headers);
    Some(reply)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_keeps_what_is_there() {
        let to = |uri| {
            let reply = redirect(uri, &[("code", "a b")]).unwrap();
            reply.headers[LOCATION].to_str().unwrap().to_owned()
        };
        assert_eq!(to("https://a.test/cb"), "https://a.test/cb?code=a+b");
        assert_eq!(to("https://a.test/cb?"), "https://a.test/cb?code=a+b");
        assert_eq!(to("https://a.test/cb?x=1"), "https://a.test/cb?x=1&code=a+b");
        assert_eq!(to("https://a.test/cb#a?b"), "https://a.test/cb?code=a+b#a?b");
        assert_eq!(to("https://a.test/é\r\nX: y"), "https://a.test/%C3%A9%0D%0AX: y?code=a+b");
    }
}
