//! What is written, as `openssl` sees it.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use nhs_auth::{
    KeySet, LocalSigner, PrivateKey, PublishedKey, Signature, Signer, SigningAlgorithm,
};

use super::{load, public_of};
use crate::openssl::Workshop;

#[test]
fn both_halves_are_what_openssl_writes() {
    let workshop = Workshop::with_key();
    let key = load(&workshop, "key.pem").unwrap().key;
    assert_eq!(*key.to_pkcs8_pem(), workshop.openssl("pkey -in key.pem"));
    assert_eq!(key.public().to_spki_pem(), workshop.openssl("pkey -in key.pem -pubout"));
}

#[test]
fn a_generated_key_is_sound() {
    let workshop = Workshop::new();
    let key = PrivateKey::generate().unwrap();
    workshop.write("ours.pem", key.to_pkcs8_pem().as_bytes());
    workshop.write("ours.pub", key.public().to_spki_pem());
    assert_eq!(workshop.openssl("pkey -in ours.pem -check -noout"), "Key is valid\n");
    let shown = workshop.openssl("rsa -pubin -in ours.pub -noout -text");
    assert!(shown.contains("(4096 bit)") && shown.contains("Exponent: 65537"), "{shown}");
    assert_eq!(&public_of(&workshop, "ours.pem"), key.public());
}

#[test]
fn signatures_are_verified_by_openssl() {
    let workshop = Workshop::with_key();
    let signer: Arc<dyn Signer> =
        Arc::new(LocalSigner::new(load(&workshop, "key.pem").unwrap().key));
    workshop.write("key.pub", signer.public_key().to_spki_pem());
    for message in [&b""[..], b"header.claims", &[0; 5000]] {
        let signature = sign(&signer, message);
        workshop.write("message", message);
        workshop.write("signature", signature.as_bytes());
        assert_eq!(
            workshop.openssl("dgst -sha512 -verify key.pub -signature signature message"),
            "Verified OK\n"
        );
        workshop.openssl("dgst -sha512 -sign key.pem -out theirs message");
        assert_eq!(signature.as_bytes(), workshop.read("theirs"));
    }
}

#[test]
fn a_signature_is_as_long_as_the_modulus() {
    let workshop = Workshop::new();
    for (bits, bytes) in [(2048, 256), (2052, 257)] {
        workshop.rsa(bits, "key.pem");
        let signer = LocalSigner::from(load(&workshop, "key.pem").unwrap().key);
        assert_eq!(sign(&signer, b"message").as_bytes().len(), bytes);
    }
}

#[test]
fn a_key_set_holds_the_numbers_that_openssl_shows() {
    let workshop = Workshop::with_key();
    let public = public_of(&workshop, "key.pem");
    let shown = workshop.openssl("rsa -in key.pem -noout -modulus");
    let modulus =
        public.modulus().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02X}"));
    assert_eq!(shown.trim_end(), format!("Modulus={modulus}"));
    let set = KeySet::new(vec![PublishedKey::new(nhs_auth::Kid::parse("int-1").unwrap(), public)])
        .unwrap();
    assert!(set.to_json().starts_with(r#"{"keys":[{"kty":"RSA","n":""#));
    assert!(set.to_json().ends_with(r#"","e":"AQAB","alg":"RS512","use":"sig","kid":"int-1"}]}"#));
}

fn sign(signer: &dyn Signer, message: &[u8]) -> Signature {
    match pin!(signer.sign(SigningAlgorithm::Rs512, message))
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(signature) => signature.unwrap(),
        Poll::Pending => panic!("a key in this process never waits"),
    }
}
