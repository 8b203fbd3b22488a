//! `/mock-jwks/…`: the platform's echo of uploaded key sets, whose URL is the document, and the
//! clients of the hosted identity providers.

use base64::Engine as _;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::NO_PAD;
use http::header::{HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::{Method, StatusCode};

use nhs_auth_rules::IdentityProvider;
use serde_json::{Value, json};

use crate::answer::Reply;
use crate::call::Call;
use crate::identity::client::HOSTED_CLIENT_ID;
use crate::state::State;

const PREFIX: &str = "/mock-jwks/";

/// Lenient at the end, where encoders differ.
const LENIENT: GeneralPurpose =
    GeneralPurpose::new(&base64::alphabet::URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));

/// The document in the path, or the hosted clients.
pub(crate) fn answer(state: &State, call: &Call) -> Option<Reply> {
    if call.method != Method::GET && call.method != Method::HEAD {
        return None;
    }
    let rest = call.path().strip_prefix(PREFIX)?;
    match rest {
        "keycloak-client-credentials" => return Some(hosted_clients(state, call)),
        "status-endpoint-api-key" => return status_key(state, call),
        _ => {}
    }
    let document = decode(rest)?;
    Some(
        Reply::new(StatusCode::OK, "application/json", document)
            .with_header(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    )
}

/// What a client of the hosted providers is to call itself there, for whoever has an API key.
fn hosted_clients(state: &State, call: &Call) -> Reply {
    let app = call.header("apikey").and_then(|key| state.apps.by_key(key));
    let Some(app) = app.filter(|app| app.record.approved) else {
        return Reply::new(StatusCode::UNAUTHORIZED, "text/plain", "");
    };
    let client = |provider: IdentityProvider| -> Value {
        let client = state.identity.clients.find(provider, HOSTED_CLIENT_ID);
        client.map_or(Value::Null, |client| {
            json!({
                "client_id": client.id,
                "client_secret": client.secret,
                // Any other will do too.
                "redirect_uri": "https://example.org/callback",
            })
        })
    };
    let mut reply = Reply::json(
        StatusCode::OK,
        &json!({
            "cis2": client(IdentityProvider::Cis2),
            "nhs-login": client(IdentityProvider::NhsLogin),
        }),
    );
    reply.note.application_id = Some(app.identity.application_id().to_owned());
    reply
}

/// What `/_status` wants, for whoever has an API key; nothing where nothing will do.
fn status_key(state: &State, call: &Call) -> Option<Reply> {
    let key = state.settings.status_key.clone()?;
    let app = call.header("apikey").and_then(|key| state.apps.by_key(key));
    Some(match app {
        Some(_) => Reply::new(StatusCode::OK, "text/plain", key),
        None => Reply::new(StatusCode::UNAUTHORIZED, "text/plain", ""),
    })
}

/// Base64 of either alphabet, padded or not, percent-encoded or not.
fn decode(encoded: &str) -> Option<String> {
    let plain = encoded
        .replace("%2B", "-")
        .replace("%2b", "-")
        .replace("%2F", "_")
        .replace("%2f", "_")
        .replace("%3D", "=")
        .replace("%3d", "=")
        .replace('+', "-")
        .replace('/', "_");
    let document = LENIENT.decode(plain.trim_end_matches('=')).ok()?;
    let document = String::from_utf8(document).ok()?;
    (!document.is_empty()).then_some(document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_one_document() {
        let document = r#"{"keys":[{"kid":"ü?>~"}]}"#;
        let padded = base64::engine::general_purpose::STANDARD.encode(document);
        let url_safe = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(document);
        let escaped = padded.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        for spelling in [padded, url_safe, escaped] {
            assert_eq!(decode(&spelling).as_deref(), Some(document), "{spelling}");
        }
        assert_eq!(decode("keycloak-client-credentials"), None);
        assert_eq!(decode(""), None);
        assert_eq!(decode("%%%"), None);
    }
}
