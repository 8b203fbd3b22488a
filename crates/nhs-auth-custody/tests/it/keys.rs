//! Private keys of the stand-ins, made once: making one takes a second or more.

use std::sync::{Arc, LazyLock};

use aws_lc_rs::digest::{Digest, SHA256, SHA512};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RsaKeyPair};
use nhs_auth::PublicKey;

pub(crate) fn new_4096() -> Arc<RsaKeyPair> {
    Arc::new(RsaKeyPair::generate(KeySize::Rsa4096).unwrap())
}

/// The same for all tests.
pub(crate) fn of_4096() -> Arc<RsaKeyPair> {
    static KEY: LazyLock<Arc<RsaKeyPair>> = LazyLock::new(new_4096);
    Arc::clone(&KEY)
}

pub(crate) fn of_2048() -> Arc<RsaKeyPair> {
    static KEY: LazyLock<Arc<RsaKeyPair>> =
        LazyLock::new(|| Arc::new(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()));
    Arc::clone(&KEY)
}

/// A PKCS#1 v1.5 signature of a hash of 32 bytes (SHA-256) or 64 (SHA-512).
pub(crate) fn sign(key: &RsaKeyPair, hash: &[u8]) -> Vec<u8> {
    let mut signature = vec![0; key.public_modulus_len()];
    if hash.len() == 32 {
        let hash = Digest::import_less_safe(hash, &SHA256).unwrap();
        key.sign_digest(&RSA_PKCS1_SHA256, &hash, &mut signature).unwrap();
    } else {
        let hash = Digest::import_less_safe(hash, &SHA512).unwrap();
        key.sign_digest(&RSA_PKCS1_SHA512, &hash, &mut signature).unwrap();
    }
    signature
}

pub(crate) fn public(key: &RsaKeyPair) -> PublicKey {
    let key = key.public_key();
    let (n, e) = (key.modulus(), key.exponent());
    PublicKey::from_components(
        n.big_endian_without_leading_zero(),
        e.big_endian_without_leading_zero(),
    )
    .unwrap()
}
