//! Values without a name, by their look; and the codes of the root causes.

use super::fixture::*;
use crate::diagnosis::{Recognised, RootCause, recognise};

#[test]
fn by_their_look() {
    let signed = good().signed();
    let jwks = Key::usual().jwks(KID);
    let id_token = good().claim("iss", "https://auth.login.nhs.uk").claim("sub", "1").signed();
    for (text, expected) in [
        (signed.as_str(), Recognised::Assertion),
        (&format!("Bearer {signed}"), Recognised::Assertion),
        (&format!("b'{signed}'\n"), Recognised::Assertion),
        (&id_token, Recognised::IdToken),
        (&jwks, Recognised::KeySet),
        (&jwks[8..jwks.len() - 1], Recognised::KeySet),
        ("-----BEGIN PRIVATE KEY-----\nMII", Recognised::Pem),
        (r#"{"error":"invalid_request","error_description":"x"}"#, Recognised::ErrorBody),
        (r#"{"fault":{"faultstring":"x"}}"#, Recognised::ErrorBody),
        ("Missing 'kid' header in client_assertion JWT", Recognised::ErrorText),
        ("grant_type=client_credentials&client_assertion=x", Recognised::Request),
        ("POST /oauth2/token HTTP/1.1\nHost: x\n\n", Recognised::Request),
        ("curl https://example.org", Recognised::Request),
        (TOKEN_URL, Recognised::TokenUrl),
        ("https://example.org/jwks.json", Recognised::KeySetUrl),
        (API_KEY, Recognised::ApiKey),
        ("0f5e1c5a-68a0-4a9c-8c6e-0a4a7b1f7f10", Recognised::ApplicationId),
        ("123456789012.apps.supplier", Recognised::Cis2ClientId),
    ] {
        assert_eq!(recognise(text), Some(expected), "{text}");
    }
    assert_eq!(recognise(""), None);
    assert_eq!(recognise("hello"), None);
}

#[test]
fn codes_are_lower_case_unique_and_lead_back() {
    let mut seen = std::collections::BTreeSet::new();
    for cause in RootCause::ALL {
        let code = cause.code();
        assert!(
            code.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        );
        assert!(seen.insert(code), "{code} stands twice");
        assert_eq!(RootCause::named(code), Some(*cause));
        assert!(!cause.title().is_empty() && !cause.title().ends_with('.'));
    }
}
