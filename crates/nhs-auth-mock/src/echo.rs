//! `/mock-jwks/<base64>`: the platform's echo of uploaded key sets. The URL is the document.

use base64::Engine as _;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::NO_PAD;
use http::header::{HeaderValue, X_CONTENT_TYPE_OPTIONS};
use http::{Method, StatusCode};

use crate::answer::Reply;
use crate::call::Call;

const PREFIX: &str = "/mock-jwks/";

/// Lenient at the end, where encoders differ.
const LENIENT: GeneralPurpose =
    GeneralPurpose::new(&base64::alphabet::URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));

/// The document in the path, if there is one.
pub(crate) fn answer(call: &Call) -> Option<Reply> {
    if call.method != Method::GET && call.method != Method::HEAD {
        return None;
    }
    let document = decode(call.path().strip_prefix(PREFIX)?)?;
    Some(
        Reply::new(StatusCode::OK, "application/json", document)
            .with_header(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    )
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
