//! Every form of key that is read.

use nhs_auth::{KeyError, KeyWarning, PrivateKey};
use secrecy::SecretString;

use super::{PASSOUT, PASSPHRASE, load, load_with, public_of};
use crate::openssl::Workshop;

#[test]
fn unencrypted_keys_of_every_form() {
    let workshop = Workshop::with_key();
    for make in [
        "pkey -in key.pem -out form",
        "pkcs8 -topk8 -nocrypt -in key.pem -outform DER -out form",
        "rsa -in key.pem -traditional -out form",
        "rsa -in key.pem -traditional -outform DER -out form",
    ] {
        workshop.openssl(make);
        let loaded = load(&workshop, "form").unwrap();
        assert_eq!(loaded.key.public(), &public_of(&workshop, "key.pem"), "{make}");
        assert_eq!(loaded.warnings, [], "{make}");
    }
}

#[test]
fn encrypted_keys_of_every_form() {
    let workshop = Workshop::with_key();
    workshop.write("passphrase", PASSPHRASE);
    for kind in [
        "-v2 aes-128-cbc",
        "-v2 aes-192-cbc",
        "-v2 aes-256-cbc",
        "-v2 aes-256-cbc -outform DER",
        "-v2 aes-256-cbc -v2prf hmacWithSHA1",
        "-v2 aes-256-cbc -v2prf hmacWithSHA512 -iter 10000",
        "-v2 des3",
        "-v2 des3 -v2prf hmacWithSHA1 -outform DER",
        "-scrypt",
    ] {
        workshop.openssl(&format!("pkcs8 -topk8 {kind} -in key.pem {PASSOUT} -out form"));
        let loaded = load_with(&workshop, "form", PASSPHRASE).unwrap();
        assert_eq!(loaded.key.public(), &public_of(&workshop, "key.pem"), "{kind}");
        assert_eq!(loaded.warnings, [], "{kind}");
        assert!(
            matches!(load(&workshop, "form"), Err(KeyError::PassphraseNeeded { .. })),
            "{kind}"
        );
        assert!(
            matches!(load_with(&workshop, "form", "wrong"), Err(KeyError::WrongPassphrase { .. })),
            "{kind}"
        );
    }
}

/// One wrong passphrase in 256 leaves padding that looks right.
#[test]
fn a_wrong_passphrase_is_never_taken_for_damage() {
    let workshop = Workshop::with_key();
    workshop.write("passphrase", PASSPHRASE);
    workshop.openssl(&format!("pkcs8 -topk8 -iter 1 -in key.pem {PASSOUT} -out form"));
    let bytes = workshop.read("form");
    for wrong in 0..600 {
        let passphrase = SecretString::from(wrong.to_string());
        let error = PrivateKey::from_bytes("form", &bytes, Some(&passphrase)).unwrap_err();
        assert!(matches!(error, KeyError::WrongPassphrase { .. }), "{wrong}: {error}");
    }
}

#[test]
fn text_in_any_wrapping() {
    let workshop = Workshop::with_key();
    let key = workshop.read_text("key.pem");
    let certificate = workshop.read_text("cert.pem");
    let utf16 = key.encode_utf16().flat_map(u16::to_le_bytes);
    workshop.write("passphrase", PASSPHRASE);
    workshop.openssl(&format!(
        "pkcs12 -export -inkey key.pem -in cert.pem -name test {PASSOUT} -out key.p12"
    ));
    let bags = workshop.openssl("pkcs12 -in key.p12 -passin file:passphrase -nodes");
    assert!(bags.starts_with("Bag Attributes"), "{bags}");

    for (case, text, warnings) in [
        ("CRLF", key.replace('\n', "\r\n").into_bytes(), vec![]),
        ("one line", key.replace('\n', "").into_bytes(), vec![]),
        ("spaces for lines", key.replace('\n', " ").into_bytes(), vec![]),
        ("indented", key.replace('\n', "\n    ").into_bytes(), vec![]),
        ("bag attributes", bags.into_bytes(), vec![]),
        ("certificate first", format!("{certificate}{key}").into_bytes(), vec![]),
        ("certificate last", format!("{key}{certificate}").into_bytes(), vec![]),
        ("prose around", format!("the key - it's secret:\n{key}END\n").into_bytes(), vec![]),
        ("BOM", format!("\u{feff}{key}").into_bytes(), vec![KeyWarning::ByteOrderMark]),
        ("UTF-16", [0xff, 0xfe].into_iter().chain(utf16).collect(), vec![KeyWarning::Utf16]),
    ] {
        workshop.write("form", text);
        let loaded = load(&workshop, "form").unwrap_or_else(|error| panic!("{case}: {error}"));
        assert_eq!(loaded.key.public(), &public_of(&workshop, "key.pem"), "{case}");
        assert_eq!(loaded.warnings, warnings, "{case}");
    }
}

#[test]
fn a_key_of_another_size_with_a_warning() {
    let workshop = Workshop::new();
    for bits in [2048, 2056, 3072] {
        workshop.rsa(bits, "key.pem");
        let loaded = load(&workshop, "key.pem").unwrap();
        assert_eq!(loaded.warnings, [KeyWarning::SizeNotRecommended { bits }]);
        assert_eq!(
            loaded.warnings[0].to_string(),
            format!("the private key has {bits} bits, and not the 4096 that the platform asks for")
        );
    }
}

#[test]
fn a_passphrase_for_nothing_with_a_warning() {
    let workshop = Workshop::with_key();
    let loaded = load_with(&workshop, "key.pem", PASSPHRASE).unwrap();
    assert_eq!(loaded.warnings, [KeyWarning::PassphraseNotNeeded]);
}
