//! `tests/vectors`: what another implementation made, to the byte, and what the rules say of it.

use std::fs;
use std::path::Path;

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA512, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nhs_auth::{
    ApiKey, AssertionClaims, ClientAssertion, Kid, LocalSigner, PrivateKey, UnixSeconds,
};
use nhs_auth_rules::{
    ApplicationRecord, Evidence, Inquiry, JtiHistory, Jwk, Jwks, Jwt, KeySetRecord, Quota,
    SignatureAlgorithm, SignatureVerifier, Step, assertion,
};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Vectors {
    private_key_pkcs8_der: String,
    jwks: Value,
    accepted: Vec<Accepted>,
    refused: Vec<Refused>,
}

#[derive(Deserialize)]
struct Accepted {
    name: String,
    now_s: i64,
    lifetime_s: i64,
    api_key: String,
    kid: String,
    token_url: String,
    jti: String,
    assertion: String,
}

#[derive(Deserialize)]
struct Refused {
    name: String,
    rule: String,
    now_s: i64,
    api_key: String,
    token_url: String,
    assertion: String,
}

fn vectors() -> Vectors {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/client-assertions.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[tokio::test]
async fn our_assertions_are_theirs_byte_for_byte() {
    let vectors = vectors();
    let der = STANDARD.decode(&vectors.private_key_pkcs8_der).unwrap();
    let key = PrivateKey::from_bytes("the vectors' key", &der, None).unwrap().key;
    let signer = LocalSigner::new(key);
    for case in vectors.accepted {
        let claims = AssertionClaims {
            api_key: &ApiKey::parse(&case.api_key).unwrap(),
            audience: &case.token_url,
            kid: &Kid::parse(&case.kid).unwrap(),
            jti: case.jti,
            expires_at: UnixSeconds(case.now_s + case.lifetime_s),
        };
        let assertion = ClientAssertion::sign(claims, &signer).await.unwrap();
        assert_eq!(assertion.into_compact().expose_secret(), case.assertion, "{}", case.name);
    }
}

#[test]
fn the_rules_accept_and_refuse_what_they_should() {
    let vectors = vectors();
    let jwks = vectors.jwks.to_string();
    for case in &vectors.accepted {
        let verdict = judge(&case.assertion, &jwks, &case.api_key, &case.token_url, case.now_s);
        assert_eq!(verdict, "accepted", "{}", case.name);
    }
    for case in &vectors.refused {
        let verdict = judge(&case.assertion, &jwks, &case.api_key, &case.token_url, case.now_s);
        assert_eq!(verdict, case.rule, "{}", case.name);
    }
}

fn judge(compact: &str, jwks: &str, api_key: &str, token_url: &str, now_s: i64) -> &'static str {
    let (jwt, key_set) = (Jwt::decode(compact), Jwks::parse(jwks));
    let sub = jwt.payload.content.as_ref().ok().and_then(|payload| payload.get("sub"));
    let is_known = sub.is_some_and(|sub| sub.as_str().as_deref() == Some(api_key));
    let form = nhs_auth_rules::Form::from_iter([
        ("grant_type", "client_credentials"),
        ("client_assertion_type", nhs_auth_rules::CLIENT_ASSERTION_TYPE),
        ("client_assertion", compact),
    ]);
    let application = ApplicationRecord {
        approved: true,
        callback_url: None,
        company_active: true,
        developer_active: true,
        has_key_set: true,
        scopes: Some(vec!["urn:nhsd:apim:app:level3:hello-world".to_owned()]),
    };
    let evidence = Evidence {
        form: Some(&form),
        assertion: Some(&jwt),
        now: Some(UnixSeconds(now_s).to_millis()),
        token_url: Some(token_url),
        jti: Some(JtiHistory::New),
        application: Some(is_known.then_some(&application)),
        quota: Some(Quota::Within),
        key_set: Some(KeySetRecord::Fetched(&key_set)),
        verifier: Some(&Verifier),
        ..Evidence::default()
    };
    match Inquiry::new(assertion::RULES).resume(&evidence) {
        Step::Accepted => "accepted",
        Step::Refused(rule, _) => rule.id.as_str(),
        Step::Needs(rule, need) => panic!("{} needs {need}", rule.id),
    }
}

struct Verifier;

impl SignatureVerifier for Verifier {
    fn verifies(
        &self,
        algorithm: SignatureAlgorithm,
        key: &Jwk,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        assert_eq!(algorithm, SignatureAlgorithm::Rs512);
        let (n, e) = (key.bytes("n").unwrap(), key.bytes("e").unwrap());
        let key = RsaPublicKeyComponents { n: &n, e: &e };
        key.verify(&RSA_PKCS1_2048_8192_SHA512, message, signature).is_ok()
    }
}
