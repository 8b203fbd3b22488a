//! Whatever arrives, nothing panics, and spans stay inside.

use proptest::prelude::*;

use super::fixture::{check, inputs};
use crate::diagnosis::modulus::base64url;
use crate::diagnosis::{Crypto, Inputs, JwksInput, Profile, diagnose, recognise};
use crate::{Environment, SignatureAlgorithm, UnixMillis};

/// Verifies nothing, at no cost.
struct Nothing;

impl Crypto for Nothing {
    fn verifies(&self, _: SignatureAlgorithm, _: &[u8], _: &[u8], _: &[u8], _: &[u8]) -> bool {
        false
    }

    fn sha256(&self, _: &[u8]) -> [u8; 32] {
        [0; 32]
    }

    fn sha1(&self, _: &[u8]) -> [u8; 20] {
        [0; 20]
    }
}

fn json() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_map(|n| format!("{n:e}"))
    ];
    let value = prop_oneof![
        number,
        "\\PC{0,12}".prop_map(|text| serde_json::to_string(&text).unwrap()),
        Just("null".to_owned()),
        Just("[]".to_owned()),
        Just("{\"a\":[{}]}".to_owned()),
    ];
    let name = prop::sample::select(vec![
        "alg",
        "kid",
        "typ",
        "exp",
        "iat",
        "nbf",
        "iss",
        "sub",
        "aud",
        "jti",
        "kty",
        "n",
        "e",
        "d",
        "use",
        "keys",
        "x5t",
        "act",
        "nhs_number",
        "crv",
        "x",
        "key_ops",
    ]);
    prop::collection::vec((name, value), 0..8).prop_map(|members| {
        let members: Vec<_> =
            members.iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
        format!("{{{}}}", members.join(","))
    })
}

proptest! {
    #[test]
    fn any_text_in_every_input(text in "\\PC*", other in "[ -~\\n–“”]*", at in any::<i64>()) {
        for profile in Profile::ALL {
            let report = diagnose(&Inputs {
                assertions: vec![&text, &other],
                jwks: Some(JwksInput::Document(&other)),
                api_key: Some(&text),
                token_url: Some(&text),
                subject_token: Some(&other),
                error: Some(&text),
                request: Some(&other),
                at: Some(UnixMillis(at)),
                profile: *profile,
                ..inputs()
            }, &Nothing);
            check(&report);
            let url = Some(JwksInput::Url(&text));
            check(&diagnose(&Inputs { jwks: url, request: Some(&text), profile: *profile, ..inputs() }, &Nothing));
        }
        let _ = recognise(&text);
        let _ = recognise(&other);
    }

    #[test]
    fn any_members_in_tokens_and_keys(header in json(), payload in json(), key in json(), at in any::<i64>()) {
        let part = |json: &String| base64url(json.as_bytes());
        let token = format!("{}.{}.c2ln", part(&header), part(&payload));
        let jwks = format!("{{\"keys\":[{key},{header}]}}");
        for profile in Profile::ALL {
            let report = diagnose(&Inputs {
                assertions: vec![&token, &token],
                jwks: Some(JwksInput::Document(&jwks)),
                subject_token: Some(&token),
                environment: Some(Environment::PROD),
                at: Some(UnixMillis(at)),
                profile: *profile,
                ..inputs()
            }, &Nothing);
            check(&report);
            let shown = format!("{report:?}");
            prop_assert!(!shown.contains(&token));
        }
    }

    #[test]
    fn any_shell_words_and_http(text in "(curl |POST /token |GET https://x |\\{\"request\":)[ -~\\n\\\\'\"\\r–]*") {
        check(&diagnose(&Inputs { request: Some(&text), ..inputs() }, &Nothing));
    }
}

#[test]
fn deep_nesting_and_long_texts() {
    let deep = format!("{{\"keys\":{}1{}}}", "[".repeat(50_000), "]".repeat(50_000));
    let long = "eyJ–".repeat(20_000);
    let report = diagnose(
        &Inputs {
            assertions: vec![&long],
            jwks: Some(JwksInput::Document(&deep)),
            error: Some(&deep),
            request: Some(&deep),
            ..inputs()
        },
        &Nothing,
    );
    check(&report);
}
