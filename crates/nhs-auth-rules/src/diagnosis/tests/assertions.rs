//! The assertion by itself, and beside its key set.

use serde_json::json;

use super::fixture::*;
use crate::diagnosis::RootCause as Cause;
use crate::diagnosis::{Inputs, JwksInput, PrivateKeyInput};
use crate::{Environment, SignatureAlgorithm, UnixMillis};

#[test]
fn a_good_assertion_has_no_finding() {
    let report = judge_assertion(&good().signed());
    assert!(report.findings.is_empty() && report.repairs.is_empty(), "{report:#?}");
    assert!(!report.platform_only.is_empty());
}

#[test]
fn what_is_not_a_fault_is_not_reported() {
    for assertion in [
        good().claim("jti", "~a~b~"),
        good().claim("iat", NOW),
        good().claim("scope", "x").claim("extra", json!({"a": [1]})),
        good().header("typ", "jwt"),
        good().claim("aud", json!([TOKEN_URL])),
        good().claim("exp", NOW + 290),
    ] {
        assert_clean(&judge_assertion(&assertion.signed()));
    }
    let jwks = Key::usual().jwks("b/O6Ov+y0=");
    let signed = good().header("kid", "b/O6Ov+y0=").signed();
    let document = Some(JwksInput::Document(&jwks));
    assert_clean(&judge(&Inputs { assertions: vec![&signed], jwks: document, ..inputs() }));
}

#[test]
fn each_value_that_is_wrong_by_itself() {
    for (assertion, cause, rule) in [
        (good().without("kid"), Cause::KidMissing, "A6"),
        (good().header("kid", ""), Cause::KidMissing, "A6"),
        (good().header("kid", "Test-1"), Cause::KidMismatch, "A19"),
        (good().header("kid", "test_1"), Cause::KidMismatch, "A19"),
        (good().header("kid", "other"), Cause::KidMismatch, "A19"),
        (good().without("typ"), Cause::Typ, "A7"),
        (good().header("typ", "at+jwt"), Cause::Typ, "A7"),
        (good().without("exp"), Cause::ExpMissing, "A8"),
        (good().claim("exp", json!(null)), Cause::ExpMissing, "A5"),
        (good().claim("exp", 0), Cause::ExpMissing, "A5"),
        (good().claim("exp", (NOW + 150).to_string()), Cause::ExpType, "A9"),
        (good().claim("exp", (NOW - 150).to_string()), Cause::ExpType, "A5"),
        (good().claim("exp", "2027-01-15T08:02:30Z"), Cause::ExpType, "A9"),
        (good().claim("exp", (NOW + 150) * 1000), Cause::ExpUnit, "A14"),
        (good().claim("exp", (NOW + 150) * 1_000_000), Cause::ExpUnit, "A14"),
        (good().claim("exp", 300), Cause::ExpUnit, "A5"),
        (good().claim("exp", NOW - 900), Cause::ExpExpired, "A5"),
        (good().claim("exp", NOW - 86_250).claim("iat", NOW - 86_400), Cause::ExpExpired, "A5"),
        (good().claim("exp", NOW - 30).claim("iat", NOW - 180), Cause::ExpClock, "A5"),
        (good().claim("exp", NOW + 400).claim("iat", NOW + 250), Cause::ExpClock, "A14"),
        (good().claim("exp", NOW + 3750).claim("iat", NOW + 3600), Cause::ExpTz, "A14"),
        (good().claim("exp", NOW - 3450).claim("iat", NOW - 3600), Cause::ExpTz, "A5"),
        (good().claim("exp", NOW + 3600), Cause::ExpLong, "A14"),
        (good().claim("exp", NOW + 3600).claim("iat", NOW), Cause::ExpLong, "A14"),
        (good().without("iss"), Cause::SubMissing, "A10"),
        (good().without("sub"), Cause::SubMissing, "A10"),
        (good().claim("iss", "z".repeat(32)), Cause::SubMissing, "A10"),
        (good().without("jti"), Cause::JtiMissing, "A11"),
        (good().claim("jti", 7), Cause::JtiType, "A12"),
        (good().claim("nbf", NOW + 60), Cause::NbfFuture, "A20b"),
        (good().without("aud"), Cause::Aud, "A21"),
        (good().claim("aud", format!("{TOKEN_URL}/")), Cause::Aud, "A21"),
        (good().claim("aud", "http://int.api.service.nhs.uk/oauth2/token"), Cause::Aud, "A21"),
        (good().claim("aud", json!(["https://int.api.service.nhs.uk/oauth2"])), Cause::Aud, "A21"),
        (good().claim("aud", "https://api.service.nhs.uk/oauth2/token"), Cause::EnvMismatch, "A21"),
    ] {
        assert_one(&judge_assertion(&assertion.signed()), cause, rule);
    }
}

#[test]
fn names_of_other_kinds_in_iss_and_sub() {
    for wrong in [
        "0f5e1c5a-68a0-4a9c-8c6e-0a4a7b1f7f10",
        "123456789012.123456789012.apps.supplier",
        "{{api_key}}",
        "YOUR_API_KEY",
        " abcdefghijklmnopqrstuvwxyz012345",
        "\"abcdefghijklmnopqrstuvwxyz012345\"",
    ] {
        let assertion = good().claim("iss", wrong).claim("sub", wrong);
        assert_one(&judge_assertion(&assertion.signed()), Cause::IsssubWrongid, "A15");
    }
    let jwks = Key::usual().jwks(KID);
    let signed = good().signed();
    let given = "zbcdefghijklmnopqrstuvwxyz012345";
    let report = judge(&Inputs {
        assertions: vec![&signed],
        jwks: Some(JwksInput::Document(&jwks)),
        api_key: Some(given),
        ..inputs()
    });
    assert_one(&report, Cause::IsssubWrongid, "A15");
    let report = judge(&Inputs {
        assertions: vec![&signed],
        jwks: Some(JwksInput::Document(&jwks)),
        api_key: Some("0f5e1c5a-68a0-4a9c-8c6e-0a4a7b1f7f10"),
        ..inputs()
    });
    assert_one(&report, Cause::IsssubWrongid, "A15");
}

#[test]
fn an_hour_of_summer_time() {
    // 2027-07-15.
    let summer = NOW + 181 * 86_400;
    let jwks = Key::usual().jwks(KID);
    for exp in [summer - 3600 + 150, summer + 3600 + 150] {
        let signed = good().claim("exp", exp).signed();
        let report = judge(&Inputs {
            assertions: vec![&signed],
            jwks: Some(JwksInput::Document(&jwks)),
            at: Some(UnixMillis(summer * 1000)),
            ..inputs()
        });
        assert_eq!(errors(&report)[0].cause, Cause::ExpTz, "{report:#?}");
        assert!(errors(&report)[0].why.contains("British Summer Time"));
    }
}

#[test]
fn what_works_today_is_a_warning() {
    for (assertion, cause) in [
        (good().claim("exp", NOW + 305), Cause::ExpLong),
        (good().claim("exp", NOW + 300), Cause::ExpLong),
        (good().claim("exp", NOW + 300).claim("iat", NOW), Cause::ExpLong),
        (good().claim("exp", 1_800_000_150.5), Cause::ExpType),
        (good().claim("iat", NOW + 60), Cause::ExpClock),
        (
            good().header("x5t", crate::diagnosis::modulus::base64url(&[b'a'; 40])),
            Cause::Thumbprint,
        ),
    ] {
        assert_warning(&judge_assertion(&assertion.signed()), cause);
    }
    let mut key = Key::usual().jwk(KID);
    key["alg"] = json!("RS256");
    let jwks = json!({"keys": [key]}).to_string();
    let signed = good().signed();
    let document = Some(JwksInput::Document(&jwks));
    let report = judge(&Inputs { assertions: vec![&signed], jwks: document, ..inputs() });
    assert_warning(&report, Cause::AlgJwk);
    let jwks = Key::usual().jwks(KID);
    let signed = good().claim("aud", Environment::PROD.token_url()).signed();
    let report = judge(&Inputs {
        assertions: vec![&signed],
        jwks: Some(JwksInput::Document(&jwks)),
        environment: Some(Environment::PROD),
        ..inputs()
    });
    assert_warning(&report, Cause::EnvMismatch);
}

#[test]
fn who_made_the_signature() {
    let usual = Key::usual();
    let by = |key: &Key, algorithm| good().signed_by(key, algorithm);
    let cases = [
        // Header RS512, signed as RS256.
        (by(usual, SignatureAlgorithm::Rs256), Cause::Alg, "A20"),
        (by(usual, SignatureAlgorithm::Ps512), Cause::Alg, "A20"),
        (by(Key::other(), SignatureAlgorithm::Rs512), Cause::KeyMismatch, "A20"),
        (
            good().header("alg", "RS256").signed_by(usual, SignatureAlgorithm::Rs256),
            Cause::Alg,
            "A4",
        ),
        (format!("{}.c2ln", good().header("alg", "HS256").message()), Cause::Alg, "A4"),
        (format!("{}.", good().message()), Cause::Trunc, "A20"),
    ];
    for (signed, cause, rule) in cases {
        assert_one(&judge_assertion(&signed), cause, rule);
    }
    let signed = good().signed();
    let cut = &signed[..signed.len() - 8];
    assert_one(&judge_assertion(cut), Cause::Trunc, "A20");
}

#[test]
fn the_other_key_of_the_set_made_it() {
    let jwks = json!({"keys": [Key::usual().jwk(KID), Key::other().jwk("test-2")]}).to_string();
    let signed = good().signed_by(Key::other(), SignatureAlgorithm::Rs512);
    let document = Some(JwksInput::Document(&jwks));
    let report = judge(&Inputs { assertions: vec![&signed], jwks: document, ..inputs() });
    assert_one(&report, Cause::KidMismatch, "A20");
    assert!(errors(&report)[0].message.contains("`test-2`"), "{report:#?}");
    let patch = errors(&report)[0].fixes[0].patch.as_ref().unwrap();
    assert_eq!(patch.replacement, "\"test-2\"");
    assert_eq!(&report.source(patch.source).text[patch.span.start..patch.span.end], "\"test-1\"");
}

#[test]
fn the_private_key_beside_the_key_set() {
    let (modulus, exponent) = (Key::other().modulus(), Key::other().exponent());
    let key = || PrivateKeyInput::Facts { modulus: &modulus, exponent: &exponent, bits: 2048 };
    let jwks = Key::usual().jwks(KID);
    let report = judge(&Inputs {
        private_key: Some(key()),
        jwks: Some(JwksInput::Document(&jwks)),
        ..inputs()
    });
    assert_one(&report, Cause::KeyMismatch, "A20");
    let signed = good().signed_by(Key::other(), SignatureAlgorithm::Rs512);
    let report = judge(&Inputs {
        assertions: vec![&signed],
        private_key: Some(key()),
        jwks: Some(JwksInput::Document(&jwks)),
        ..inputs()
    });
    assert_one(&report, Cause::KeyMismatch, "A20");
    assert!(errors(&report)[0].message.contains("of another pair"), "{report:#?}");
    let good_jwks = Key::other().jwks(KID);
    let report = judge(&Inputs {
        private_key: Some(key()),
        jwks: Some(JwksInput::Document(&good_jwks)),
        ..inputs()
    });
    assert_clean(&report);
    let unreadable = PrivateKeyInput::Unreadable {
        message: "can't load a private key from `key.pem`: it is empty".to_owned(),
        hints: vec!["check the path".to_owned()],
    };
    let report = judge(&Inputs { private_key: Some(unreadable), ..inputs() });
    assert_one(&report, Cause::Pem, "");
}

#[test]
fn a_jti_that_is_used_twice() {
    let signed = good().signed();
    let jwks = Key::usual().jwks(KID);
    let document = Some(JwksInput::Document(&jwks));
    let twice = judge(&Inputs { assertions: vec![&signed, &signed], jwks: document, ..inputs() });
    assert_one(&twice, Cause::JtiReuse, "A13");
    let other = good().claim("jti", "another").signed();
    let fresh = judge(&Inputs { assertions: vec![&signed, &other], jwks: document, ..inputs() });
    assert_clean(&fresh);
    // One that row 7 refused has burnt nothing.
    let refused = good().without("typ").signed();
    let after = judge(&Inputs { assertions: vec![&refused, &signed], jwks: document, ..inputs() });
    assert_clean(&after);
}

#[test]
fn without_a_time_or_a_key_set_it_says_so() {
    let signed = good().claim("exp", NOW - 900).signed();
    let report = judge(&Inputs { assertions: vec![&signed], at: None, ..inputs() });
    assert_one(&report, Cause::ExpExpired, "A5");
    assert!(errors(&report)[0].why.contains("isn't known"));
    let missing: Vec<_> =
        report.unchecked.iter().map(|unchecked| unchecked.rule.id.as_str()).collect();
    assert!(missing.contains(&"A19") && missing.contains(&"A20"), "{missing:?}");
}

#[test]
fn several_faults_are_shown_at_once_and_the_first_is_marked() {
    let signed = good()
        .without("typ")
        .header("kid", "tset-1")
        .claim("aud", format!("{TOKEN_URL}/"))
        .claim("exp", NOW + 3600)
        .signed();
    let report = judge_assertion(&signed);
    let rules: Vec<_> =
        errors(&report).iter().map(|finding| finding.rule.unwrap().id.as_str()).collect();
    assert_eq!(rules, ["A7", "A14", "A19", "A21"]);
    assert_eq!(report.first().unwrap().cause, Cause::Typ);
}

#[test]
fn an_ecdsa_signature_in_der_and_a_key_of_512_bits() {
    let mut der = vec![0x30, 0x45];
    der.resize(71, 1);
    let signature = crate::diagnosis::modulus::base64url(&der);
    let signed = format!("{}.{signature}", good().header("alg", "ES256").message());
    let report = judge(&Inputs { assertions: vec![&signed], ..inputs() });
    assert!(errors(&report).iter().any(|f| f.cause == Cause::EcdsaDer), "{report:#?}");
    let signature = crate::diagnosis::modulus::base64url(&[1; 64]);
    let signed = format!("{}.{signature}", good().message());
    let report = judge(&Inputs { assertions: vec![&signed], ..inputs() });
    assert_one(&report, Cause::JwkWeak, "A20");
}

#[test]
fn no_secret_stands_in_a_report() {
    let signed = good().claim("aud", "x").header("kid", "x").signed();
    let mut key = Key::usual().jwk(KID);
    key["d"] = json!("c2VjcmV0LXNlY3JldC1zZWNyZXQ");
    let jwks = json!({"keys": [key]}).to_string();
    let document = Some(JwksInput::Document(&jwks));
    let report = judge(&Inputs {
        assertions: vec![&signed],
        jwks: document,
        subject_token: Some(&signed),
        ..inputs()
    });
    let shown = format!("{report:?}");
    for part in signed.split('.') {
        assert!(!shown.contains(part) && !shown.contains(&part[part.len() - 24..]));
    }
    assert!(!shown.contains("c2VjcmV0LXNlY3JldC1zZWNyZXQ"));
}
