//! Key pairs, each made once for all tests.

use std::sync::OnceLock;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RsaEncoding};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// A key pair, and what it is called.
pub(crate) struct Key {
    pair: KeyPair,
}

impl Key {
    /// The key that applications here have.
    pub(crate) fn usual() -> &'static Self {
        static KEY: OnceLock<Key> = OnceLock::new();
        KEY.get_or_init(|| Self::generate(KeySize::Rsa2048))
    }

    /// Another.
    pub(crate) fn other() -> &'static Self {
        static KEY: OnceLock<Key> = OnceLock::new();
        KEY.get_or_init(|| Self::generate(KeySize::Rsa2048))
    }

    /// The key that identity providers here sign with.
    pub(crate) fn provider() -> &'static Self {
        static KEY: OnceLock<Key> = OnceLock::new();
        KEY.get_or_init(|| Self::generate(KeySize::Rsa2048))
    }

    /// One of the size that the platform's guide asks for.
    pub(crate) fn of_4096_bits() -> &'static Self {
        static KEY: OnceLock<Key> = OnceLock::new();
        KEY.get_or_init(|| Self::generate(KeySize::Rsa4096))
    }

    fn generate(size: KeySize) -> Self {
        Self { pair: KeyPair::generate(size).unwrap() }
    }

    /// The public key as a JWK of that name.
    pub(crate) fn jwk(&self, kid: &str) -> Value {
        let key = self.pair.public_key();
        json!({
            "kty": "RSA",
            "n": URL_SAFE_NO_PAD.encode(key.modulus().big_endian_without_leading_zero()),
            "e": URL_SAFE_NO_PAD.encode(key.exponent().big_endian_without_leading_zero()),
            "alg": "RS512",
            "use": "sig",
            "kid": kid,
        })
    }

    /// The public key as PEM (RFC 7468 §13).
    pub(crate) fn pem(&self) -> String {
        let der = self.pair.public_key().as_der().unwrap();
        let encoded = STANDARD.encode(der.as_ref());
        format!("-----BEGIN PUBLIC KEY-----\n{encoded}\n-----END PUBLIC KEY-----\n")
    }

    /// A key set with this key alone.
    pub(crate) fn jwks(&self, kid: &str) -> String {
        json!({"keys": [self.jwk(kid)]}).to_string()
    }

    /// RSASSA-PKCS1-v1_5 with SHA-512.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.sign_by(&RSA_PKCS1_SHA512, message)
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256.
    pub(crate) fn sign_rs256(&self, message: &[u8]) -> Vec<u8> {
        self.sign_by(&RSA_PKCS1_SHA256, message)
    }

    fn sign_by(&self, encoding: &'static dyn RsaEncoding, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
        signature
    }
}
