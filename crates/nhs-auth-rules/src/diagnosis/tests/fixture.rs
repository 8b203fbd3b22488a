//! Fresh keys, and assertions that are good until a test breaks them.

use std::sync::OnceLock;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{self as sign, KeyPair as _, RsaPublicKeyComponents};
use serde_json::{Value, json};

use crate::diagnosis::modulus::base64url;
use crate::diagnosis::{
    Crypto, Diagnosed, Inputs, JwksInput, Report, RootCause, Severity, diagnose,
};
use crate::{Environment, SignatureAlgorithm, UnixMillis};

/// 2027-01-15, in winter.
pub(super) const NOW: i64 = 1_800_000_000;
pub(super) const API_KEY: &str = "abcdefghijklmnopqrstuvwxyz012345";
pub(super) const TOKEN_URL: &str = "https://int.api.service.nhs.uk/oauth2/token";
pub(super) const KID: &str = "test-1";

pub(super) struct Key(KeyPair);

impl Key {
    pub(super) fn usual() -> &'static Self {
        static KEY: OnceLock<Key> = OnceLock::new();
        KEY.get_or_init(|| Self(KeyPair::generate(KeySize::Rsa2048).unwrap()))
    }

    pub(super) fn other() -> &'static Self {
        static KEY: OnceLock<Key> = OnceLock::new();
        KEY.get_or_init(|| Self(KeyPair::generate(KeySize::Rsa2048).unwrap()))
    }

    pub(super) fn modulus(&self) -> Vec<u8> {
        self.0.public_key().modulus().big_endian_without_leading_zero().to_vec()
    }

    pub(super) fn exponent(&self) -> Vec<u8> {
        self.0.public_key().exponent().big_endian_without_leading_zero().to_vec()
    }

    pub(super) fn spki(&self) -> Vec<u8> {
        use aws_lc_rs::encoding::AsDer as _;
        self.0.public_key().as_der().unwrap().as_ref().to_vec()
    }

    pub(super) fn jwk(&self, kid: &str) -> Value {
        json!({
            "kty": "RSA", "n": base64url(&self.modulus()), "e": base64url(&self.exponent()),
            "alg": "RS512", "use": "sig", "kid": kid,
        })
    }

    pub(super) fn jwks(&self, kid: &str) -> String {
        json!({"keys": [self.jwk(kid)]}).to_string()
    }

    pub(super) fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Vec<u8> {
        let padding: &dyn sign::RsaEncoding = match algorithm {
            SignatureAlgorithm::Rs256 => &sign::RSA_PKCS1_SHA256,
            SignatureAlgorithm::Rs384 => &sign::RSA_PKCS1_SHA384,
            SignatureAlgorithm::Rs512 => &sign::RSA_PKCS1_SHA512,
            SignatureAlgorithm::Ps256 => &sign::RSA_PSS_SHA256,
            SignatureAlgorithm::Ps384 => &sign::RSA_PSS_SHA384,
            SignatureAlgorithm::Ps512 => &sign::RSA_PSS_SHA512,
        };
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(padding, &SystemRandom::new(), message, &mut signature).unwrap();
        signature
    }
}

/// An assertion in the making.
#[derive(Clone)]
pub(super) struct Assertion {
    pub(super) header: Value,
    pub(super) payload: Value,
}

pub(super) fn good() -> Assertion {
    Assertion {
        header: json!({"alg": "RS512", "typ": "JWT", "kid": KID}),
        payload: json!({
            "iss": API_KEY, "sub": API_KEY, "aud": TOKEN_URL,
            "jti": "3f1c1e9e-31f2-4b54-9d0b-2b7f7e0d5a11", "exp": NOW + 150,
        }),
    }
}

impl Assertion {
    pub(super) fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header[name] = value.into();
        self
    }

    pub(super) fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.payload[name] = value.into();
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.header.as_object_mut().unwrap().remove(name);
        self.payload.as_object_mut().unwrap().remove(name);
        self
    }

    pub(super) fn message(&self) -> String {
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        format!("{}.{}", part(&self.header), part(&self.payload))
    }

    pub(super) fn signed(&self) -> String {
        self.signed_by(Key::usual(), SignatureAlgorithm::Rs512)
    }

    pub(super) fn signed_by(&self, key: &Key, algorithm: SignatureAlgorithm) -> String {
        let message = self.message();
        let signature = base64url(&key.sign(algorithm, message.as_bytes()));
        format!("{message}.{signature}")
    }
}

pub(super) struct Lc;

impl Crypto for Lc {
    fn verifies(
        &self,
        algorithm: SignatureAlgorithm,
        modulus: &[u8],
        exponent: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let parameters = match algorithm {
            SignatureAlgorithm::Rs256 => &sign::RSA_PKCS1_2048_8192_SHA256,
            SignatureAlgorithm::Rs384 => &sign::RSA_PKCS1_2048_8192_SHA384,
            SignatureAlgorithm::Rs512 => &sign::RSA_PKCS1_2048_8192_SHA512,
            SignatureAlgorithm::Ps256 => &sign::RSA_PSS_2048_8192_SHA256,
            SignatureAlgorithm::Ps384 => &sign::RSA_PSS_2048_8192_SHA384,
            SignatureAlgorithm::Ps512 => &sign::RSA_PSS_2048_8192_SHA512,
        };
        RsaPublicKeyComponents { n: modulus, e: exponent }
            .verify(parameters, message, signature)
            .is_ok()
    }

    fn sha256(&self, bytes: &[u8]) -> [u8; 32] {
        digest(&SHA256, bytes).as_ref().try_into().unwrap()
    }

    fn sha1(&self, bytes: &[u8]) -> [u8; 20] {
        digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().try_into().unwrap()
    }
}

/// Inputs at the usual time, in int.
pub(super) fn inputs<'a>() -> Inputs<'a> {
    Inputs {
        at: Some(UnixMillis(NOW * 1000)),
        now: UnixMillis(NOW * 1000),
        environment: Some(Environment::INT),
        ..Inputs::default()
    }
}

pub(super) fn judge(inputs: &Inputs<'_>) -> Report {
    let report = diagnose(inputs, &Lc);
    check(&report);
    report
}

/// An assertion with the usual key set.
pub(super) fn judge_assertion(assertion: &str) -> Report {
    let jwks = Key::usual().jwks(KID);
    judge(&Inputs {
        assertions: vec![assertion],
        jwks: Some(JwksInput::Document(&jwks)),
        ..inputs()
    })
}

/// What holds of every report.
pub(super) fn check(report: &Report) {
    for finding in &report.findings {
        for label in &finding.labels {
            let text = &report.source(label.source).text;
            assert!(text.get(label.span.start..label.span.end).is_some(), "{finding:?}");
            assert!(!label.text.is_empty());
        }
        for patch in finding.fixes.iter().filter_map(|fix| fix.patch.as_ref()) {
            let text = &report.source(patch.source).text;
            assert!(text.get(patch.span.start..patch.span.end).is_some(), "{finding:?}");
        }
        assert!(!finding.message.is_empty() && !finding.message.ends_with('.'), "{finding:?}");
        assert!(!finding.why.is_empty() && !finding.why.ends_with('.'), "{finding:?}");
        assert!(!finding.fixes.is_empty() || finding.severity != Severity::Error, "{finding:?}");
    }
    assert!(report.findings.iter().filter(|finding| finding.first).count() <= 1);
}

pub(super) fn errors(report: &Report) -> Vec<&Diagnosed> {
    report.findings.iter().filter(|finding| finding.severity == Severity::Error).collect()
}

/// Exactly this error, with this rule, and named first.
pub(super) fn assert_one(report: &Report, cause: RootCause, rule: &str) {
    let errors = errors(report);
    let seen: Vec<_> = report.findings.iter().map(|f| (f.cause, f.severity, &f.message)).collect();
    assert_eq!(errors.len(), 1, "{cause} {seen:#?}");
    assert_eq!(errors[0].cause, cause, "{seen:#?}");
    assert_eq!(errors[0].rule.map_or("", |rule| rule.id.as_str()), rule, "{seen:#?}");
    assert_eq!(errors[0].first, !rule.is_empty(), "{seen:#?}");
}

/// Nothing worse than a note.
pub(super) fn assert_clean(report: &Report) {
    let found: Vec<_> = report
        .findings
        .iter()
        .filter(|finding| finding.severity != Severity::Note)
        .map(|finding| (finding.cause, &finding.message))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

pub(super) fn assert_warning(report: &Report, cause: RootCause) {
    let has = report.findings.iter().any(|f| f.cause == cause && f.severity == Severity::Warning);
    let seen: Vec<_> = report.findings.iter().map(|f| (f.cause, f.severity, &f.message)).collect();
    assert!(has, "{cause} {seen:#?}");
    assert!(errors(report).is_empty(), "{seen:#?}");
}
