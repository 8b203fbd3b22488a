//! What a text is, by its look.

use super::{causes_of_error, request};
use crate::json::{Kind, Object};
use crate::{ApiKey, ApplicationId, Cis2ClientId, Jwt};

/// What a text that came without a name was taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recognised {
    /// 32 letters and digits: an API key.
    ApiKey,
    /// A UUID: an application ID.
    ApplicationId,
    /// A JWT that is a client assertion, or that could be one.
    Assertion,
    /// A client id of CIS2.
    Cis2ClientId,
    /// The body of an error answer.
    ErrorBody,
    /// The text of an error.
    ErrorText,
    /// A JWT that an identity provider issued.
    IdToken,
    /// A JWKS, or a single JWK.
    KeySet,
    /// The URL of a key set, an echo URL included.
    KeySetUrl,
    /// A key or certificate in PEM.
    Pem,
    /// A request: a form, raw HTTP, a curl command, a HAR entry.
    Request,
    /// The URL of a token endpoint.
    TokenUrl,
}

/// What the text is, by its look; `None` when it looks like nothing that is known here.
pub fn recognise(text: &str) -> Option<Recognised> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '\u{200b}');
    if text.is_empty() {
        return None;
    }
    if text.starts_with("--") && text.contains("BEGIN ") || text.starts_with("-----BEGIN") {
        return Some(Recognised::Pem);
    }
    if request::json_kind(text) == Some(Kind::Object) || text.starts_with('{') {
        return json(text);
    }
    if text.starts_with('[') && text.contains("\"kty\"") {
        return Some(Recognised::KeySet);
    }
    if request::is_curl(text) || request::is_raw_http(text) {
        return Some(Recognised::Request);
    }
    if text.starts_with("https://") || text.starts_with("http://") {
        return url(text);
    }
    if let Some(token) = token(text) {
        return Some(token);
    }
    if request::is_form(text) {
        return Some(Recognised::Request);
    }
    if ApplicationId::parse(text).is_ok() {
        return Some(Recognised::ApplicationId);
    }
    if Cis2ClientId::parse(text).is_ok() {
        return Some(Recognised::Cis2ClientId);
    }
    if ApiKey::parse(text).is_ok_and(|key| key.oddity().is_none()) {
        return Some(Recognised::ApiKey);
    }
    if !causes_of_error(text).is_empty() {
        return Some(Recognised::ErrorText);
    }
    if text.contains("-----BEGIN ") {
        return Some(Recognised::Pem);
    }
    (text.contains("curl ") || text.contains("eyJ")).then_some(Recognised::Request)
}

fn json(text: &str) -> Option<Recognised> {
    let straight = text.replace(['\u{201c}', '\u{201d}'], "\"");
    let Ok(object) = Object::parse(&straight) else {
        // A damaged document is recognised by the members that one has.
        let has = |name: &str| straight.contains(&format!("\"{name}\""));
        return if has("keys") || has("kty") {
            Some(Recognised::KeySet)
        } else if has("error") || has("fault") {
            Some(Recognised::ErrorBody)
        } else {
            None
        };
    };
    let has = |name: &str| object.get(name).is_some();
    if has("keys") || has("kty") {
        Some(Recognised::KeySet)
    } else if has("error") || has("fault") || has("error_description") || has("issue") {
        Some(Recognised::ErrorBody)
    } else if has("log") || has("request") || has("grant_type") || (has("method") && has("url")) {
        Some(Recognised::Request)
    } else {
        None
    }
}

fn url(text: &str) -> Option<Recognised> {
    if text.contains(char::is_whitespace) {
        return None;
    }
    let path = text.split(['?', '#']).next().unwrap_or_default();
    if path.ends_with("/token") || path.ends_with("/access_token") {
        return Some(Recognised::TokenUrl);
    }
    Some(Recognised::KeySetUrl)
}

/// A JWT, damaged or not.
fn token(text: &str) -> Option<Recognised> {
    let bare =
        text.trim_start_matches("Bearer ").trim_start_matches(['b', '"', '\'', '“', '‘', '`']);
    if !bare.starts_with("eyJ") || text.contains('&') {
        return None;
    }
    let repaired =
        super::repair::token("", text, |text| u8::from(Jwt::decode(text).is_well_formed()));
    let jwt = Jwt::decode(&repaired.text);
    let Ok(payload) = &jwt.payload.content else { return Some(Recognised::Assertion) };
    let text_of = |name: &str| payload.get(name).map(|value| value.text().to_owned());
    let is_issued = text_of("iss").is_some_and(|iss| iss.contains("://"));
    let by_itself = text_of("iss") == text_of("sub");
    Some(if is_issued && !by_itself { Recognised::IdToken } else { Recognised::Assertion })
}
