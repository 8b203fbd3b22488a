//! JWTs, made and signed with the crypto library itself (RFC 7515 §5.1), and read.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA512, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::key::Key;

/// A JWT before it is signed.
#[derive(Clone, Debug)]
pub(crate) struct Jwt {
    header: Value,
    payload: Value,
}

impl Jwt {
    pub(crate) fn new(header: Value, payload: Value) -> Self {
        Self { header, payload }
    }

    /// What a compact JWT holds. Its signature isn't looked at.
    pub(crate) fn read(compact: &str) -> Self {
        let mut parts = compact.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
        let mut object = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
        Self { header: object(), payload: object() }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header[name] = value.into();
        self
    }

    pub(crate) fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.payload[name] = value.into();
        self
    }

    pub(crate) fn without_header(mut self, name: &str) -> Self {
        self.header.as_object_mut().unwrap().remove(name);
        self
    }

    pub(crate) fn without_claim(mut self, name: &str) -> Self {
        self.payload.as_object_mut().unwrap().remove(name);
        self
    }

    pub(crate) fn headers(&self) -> &Value {
        &self.header
    }

    pub(crate) fn claims(&self) -> &Value {
        &self.payload
    }

    pub(crate) fn jti(&self) -> String {
        self.payload["jti"].as_str().unwrap().to_owned()
    }

    /// Signed with SHA-256 where the header says RS256, and with SHA-512 whatever else it says.
    pub(crate) fn sign(&self, key: &Key) -> String {
        let message = self.signing_input();
        let signature = match self.header["alg"].as_str() {
            Some("RS256") => key.sign_rs256(message.as_bytes()),
            _ => key.sign(message.as_bytes()),
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// With no signature, as `alg: none` has it (RFC 7519 §6).
    pub(crate) fn unsigned(self) -> String {
        self.header("alg", "none").signing_input() + "."
    }

    /// By HS256, with that text for the secret: the forgery by a public key.
    pub(crate) fn sign_hs256(self, secret: &str) -> String {
        let message = self.header("alg", "HS256").signing_input();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let tag = hmac::sign(&key, message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
    }

    fn signing_input(&self) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}", part(&self.header), part(&self.payload))
    }
}

/// Whether the key set's key of the header's `kid` made the signature, by the header's `alg`.
pub(crate) fn verifies(compact: &str, key_set: &Value) -> bool {
    let Jwt { header, .. } = Jwt::read(compact);
    let keys = key_set["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["kid"] == header["kid"]).expect("a key of that kid");
    let number = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    let parameters = match header["alg"].as_str() {
        Some("RS256") => &RSA_PKCS1_2048_8192_SHA256,
        Some("RS512") => &RSA_PKCS1_2048_8192_SHA512,
        other => panic!("the algorithm is {other:?}"),
    };
    let (message, signature) = compact.rsplit_once('.').unwrap();
    RsaPublicKeyComponents { n: number("n"), e: number("e") }
        .verify(parameters, message.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
        .is_ok()
}

/// The same text with the last character but one of its signature changed.
pub(crate) fn damaged(compact: &str) -> String {
    let (head, tail) = compact.split_at(compact.len() - 2);
    let other = if tail.starts_with('A') { 'B' } else { 'A' };
    format!("{head}{other}{}", &tail[1..])
}
