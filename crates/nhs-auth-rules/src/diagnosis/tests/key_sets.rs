//! What is wrong with key sets, and what only looks so.

use serde_json::{Value, json};

use super::fixture::*;
use crate::diagnosis::RootCause as Cause;
use crate::diagnosis::modulus::base64url;
use crate::diagnosis::{Inputs, JwksInput, PrivateKeyInput, Report};

fn lint(document: &str) -> Report {
    judge(&Inputs { jwks: Some(JwksInput::Document(document)), ..inputs() })
}

fn key_with(name: &str, value: impl Into<Value>) -> Value {
    let mut key = Key::usual().jwk(KID);
    key[name] = value.into();
    json!({"keys": [key]})
}

#[test]
fn what_is_not_a_fault_is_not_reported() {
    assert_clean(&lint(&Key::usual().jwks(KID)));
    assert_clean(&lint(&Key::usual().jwks("b/O6Ov+y0=")));
    assert_clean(&lint(&key_with("e", "JQ").to_string()));
    let mut bare = Key::usual().jwk(KID);
    for name in ["alg", "use"] {
        bare.as_object_mut().unwrap().remove(name);
    }
    assert_clean(&lint(&json!({"keys": [bare]}).to_string()));
    // 4095 bits: 512 bytes, the first bit zero.
    let mut modulus = vec![0x7f; 512];
    modulus[511] = 1;
    assert_clean(&lint(&key_with("n", base64url(&modulus)).to_string()));
}

#[test]
fn documents_that_are_no_key_set() {
    let key = Key::usual().jwk(KID);
    for document in [
        key.to_string(),
        json!({"keys": {"keys": [key]}}).to_string(),
        json!({"keys": [{"keys": [key]}]}).to_string(),
        json!({"keys": []}).to_string(),
        json!({"keys": "todo"}).to_string(),
        json!([key]).to_string(),
        "{}".to_owned(),
        "<html></html>".to_owned(),
        "-----BEGIN PUBLIC KEY-----".to_owned(),
        key_with("n", "a\nb").to_string().replace("\\n", "\n"),
        Key::usual().jwks(KID)[..100].to_owned(),
    ] {
        assert_one(&lint(&document), Cause::JwksShape, "A19");
    }
    assert_one(&lint(&key_with("n", "todo").to_string()), Cause::JwksShape, "A20");
}

#[test]
fn an_n_that_is_not_the_modulus() {
    let modulus = Key::usual().modulus();
    let text = base64url(&modulus);
    let padded = format!("{text}==");
    let spaced = format!("{} {}", &text[..50], &text[50..]);
    let hexadecimal: Vec<String> = modulus.iter().map(|byte| format!("{byte:02x}")).collect();
    let hexadecimal = hexadecimal.concat();
    let list: Vec<String> = modulus.iter().map(u8::to_string).collect();
    let list = list.join(",");
    let standard = base64_standard(&modulus);
    let spki = base64url(&Key::usual().spki());
    for n in [&padded, &spaced, &hexadecimal, &list, &standard, &spki] {
        let document = key_with("n", n.as_str()).to_string();
        let report = lint(&document);
        assert_one(&report, Cause::JwkN, "A20");
        // What was meant is known, so the patch puts the modulus there.
        let patch = errors(&report)[0].fixes[0].patch.clone().unwrap();
        assert_eq!(patch.replacement, format!("\"{text}\""));
        // And beside an assertion it is the one error.
        let signed = good().signed();
        let document = Some(JwksInput::Document(&document));
        let report = judge(&Inputs { assertions: vec![&signed], jwks: document, ..inputs() });
        assert_one(&report, Cause::JwkN, "A20");
    }
}

fn base64_standard(bytes: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    assert!(text.contains(['+', '/', '=']));
    text
}

#[test]
fn a_lost_character_is_found_with_the_private_key_and_without() {
    let text = base64url(&Key::usual().modulus());
    let lost = format!("{}{}", &text[..100], &text[101..]);
    let document = key_with("n", lost).to_string();
    let report = lint(&document);
    assert_one(&report, Cause::JwkN, "A20");
    let (modulus, exponent) = (Key::usual().modulus(), Key::usual().exponent());
    let report = judge(&Inputs {
        jwks: Some(JwksInput::Document(&document)),
        private_key: Some(PrivateKeyInput::Facts {
            modulus: &modulus,
            exponent: &exponent,
            bits: 2048,
        }),
        ..inputs()
    });
    assert_one(&report, Cause::JwkN, "A20");
    assert!(errors(&report)[0].message.contains("a character got lost"), "{report:#?}");
}

#[test]
fn a_leading_zero_and_what_works_today_are_warnings() {
    let mut modulus = vec![0];
    modulus.extend(Key::usual().modulus());
    assert_warning(&lint(&key_with("n", base64url(&modulus)).to_string()), Cause::JwkN);
    assert_warning(&lint(&key_with("kid", " test-1").to_string()), Cause::KidMismatch);
    assert_warning(&lint(&key_with("alg", "RS256").to_string()), Cause::AlgJwk);
    assert_warning(&lint(&key_with("use", "enc").to_string()), Cause::JwksShape);
    assert_warning(&lint(&key_with("key_ops", json!(["sign"])).to_string()), Cause::JwksShape);
    let two = json!({"keys": [Key::usual().jwk(KID), Key::other().jwk(KID)]});
    assert_warning(&lint(&two.to_string()), Cause::JwkDupkid);
    let mut weak = vec![0xc1; 128];
    weak[127] = 3;
    assert_warning(&lint(&key_with("n", base64url(&weak)).to_string()), Cause::JwkWeak);
}

#[test]
fn a_key_of_512_bits_and_one_without_a_name() {
    let mut weak = vec![0xc1; 64];
    weak[63] = 3;
    let report = lint(&key_with("n", base64url(&weak)).to_string());
    assert_one(&report, Cause::JwkWeak, "A20");
    let mut nameless = Key::usual().jwk(KID);
    nameless.as_object_mut().unwrap().remove("kid");
    let report = lint(&json!({"keys": [nameless]}).to_string());
    assert_one(&report, Cause::KidMissing, "A19");
    assert_one(&lint(&key_with("e", 65537).to_string()), Cause::JwkN, "A20");
}

#[test]
fn a_published_private_key_is_an_emergency_wherever_it_stands() {
    let secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQ";
    let set = key_with("d", secret);
    let report = lint(&set.to_string());
    assert_one(&report, Cause::JwkPrivate, "");
    assert!(errors(&report)[0].fixes.len() >= 4);
    for document in [set["keys"][0].to_string(), json!({"keys": set}).to_string()] {
        let report = lint(&document);
        assert!(errors(&report).iter().any(|f| f.cause == Cause::JwkPrivate), "{document}");
        assert!(!format!("{report:?}").contains(secret));
    }
}

#[test]
fn a_fault_of_a_key_that_is_not_used_is_no_error() {
    let mut broken = Key::other().jwk("old");
    broken["n"] = json!("todo");
    let jwks = json!({"keys": [broken, Key::usual().jwk(KID)]}).to_string();
    let signed = good().signed();
    let document = Some(JwksInput::Document(&jwks));
    let report = judge(&Inputs { assertions: vec![&signed], jwks: document, ..inputs() });
    assert_warning(&report, Cause::JwksShape);
}

#[test]
fn urls_by_their_shape_and_the_echo_by_its_content() {
    let judged = |url: &str| judge(&Inputs { jwks: Some(JwksInput::Url(url)), ..inputs() });
    for url in [
        "https://example.org",
        "http://example.org/jwks.json",
        "https://localhost/jwks.json",
        "https://10.0.0.1/jwks.json",
        "example.org/jwks.json",
        "https://intranet.local/jwks.json",
        "https://github.com/a/b/blob/main/jwks.json",
    ] {
        assert_one(&judged(url), Cause::JwksUnreachable, "A18");
    }
    assert_clean(&judged("https://example.org/"));
    assert_clean(&judged("https://raw.githubusercontent.com/a/b/main/jwks.json"));
    let echo = |document: &str| {
        format!("https://api.service.nhs.uk/mock-jwks/{}", base64url(document.as_bytes()))
    };
    assert_clean(&judged(&echo(&Key::usual().jwks(KID))));
    let url = echo(&Key::usual().jwks(KID));
    let signed = good().header("kid", "tset-1").signed();
    let set = Some(JwksInput::Url(&url));
    let report = judge(&Inputs { assertions: vec![&signed], jwks: set, ..inputs() });
    assert_one(&report, Cause::KidMismatch, "A19");
    assert_one(&judged(&echo(&Key::usual().jwk(KID).to_string())), Cause::JwksShape, "A19");
}
