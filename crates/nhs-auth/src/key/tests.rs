//! What can be tested of keys without another program.

use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use pkcs8::der::Encode;
use proptest::prelude::*;

use super::*;
use crate::jwks::{KeySet, PublishedKey};
use crate::signer::{LocalSigner, Signature};

/// The modulus of the example in RFC 7638, section 3.1.
const RFC_7638_MODULUS: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

fn key() -> &'static PrivateKey {
    static KEY: OnceLock<PrivateKey> = OnceLock::new();
    KEY.get_or_init(|| PrivateKey::generate().unwrap())
}

fn load(bytes: &[u8]) -> Result<LoadedKey, KeyError> {
    PrivateKey::from_bytes("key.pem", bytes, None)
}

#[test]
fn a_thumbprint_is_that_of_the_rfc() {
    let modulus = URL_SAFE_NO_PAD.decode(RFC_7638_MODULUS).unwrap();
    let public = PublicKey::from_components(&modulus, &[1, 0, 1]).unwrap();
    assert_eq!(public.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_eq!(public.bits(), 2048);
}

#[test]
fn numbers_are_minimal_and_bits_are_counted() {
    let public = PublicKey::from_components(&[0, 0, 0x7f, 0xff], &[0, 1, 0]).unwrap();
    assert_eq!(public.modulus(), [0x7f, 0xff]);
    assert_eq!(public.exponent(), [1, 0]);
    assert_eq!(public.bits(), 15);
}

#[test]
fn impossible_numbers_are_refused() {
    for (modulus, exponent, reason) in [
        (vec![0, 0], vec![3], "the modulus is zero"),
        (vec![1], vec![], "the exponent is zero"),
        (vec![1], vec![1, 0], "the exponent is longer than the modulus"),
        (vec![1; 2049], vec![3], "the modulus is longer than 16384 bits"),
    ] {
        let error = PublicKey::from_components(&modulus, &exponent).unwrap_err();
        assert_eq!(error.to_string(), format!("can't read an RSA public key: {reason}"));
        assert_eq!(error.hints().len(), 1);
    }
}

#[test]
fn the_largest_public_key_can_be_written() {
    let public = PublicKey::from_components(&[0xff; 2048], &[0xff; 2048]).unwrap();
    assert_eq!(PublicKey::from_spki_pem(&public.to_spki_pem()).unwrap(), public);
}

#[test]
fn a_generated_key_is_written_and_read_again() {
    let pem = key().to_pkcs8_pem();
    let loaded = load(pem.as_bytes()).unwrap();
    assert_eq!(loaded.key.public(), key().public());
    assert_eq!(loaded.warnings, []);
    assert_eq!(loaded.key.public().bits(), 4096);
    assert_eq!(loaded.key.public().exponent(), [1, 0, 1]);
    assert_eq!(*loaded.key.to_pkcs8_pem(), *pem);
}

#[test]
fn pem_is_written_in_64_columns_with_a_final_line_break() {
    for (text, label) in [
        (key().to_pkcs8_pem().to_string(), "PRIVATE KEY"),
        (key().public().to_spki_pem(), "PUBLIC KEY"),
    ] {
        let lines: Vec<&str> = text.split('\n').collect();
        let (body, rest) = lines[1..].split_at(lines.len() - 3);
        assert_eq!(lines[0], format!("-----BEGIN {label}-----"));
        assert_eq!(rest, [format!("-----END {label}-----").as_str(), ""]);
        assert!(body[..body.len() - 1].iter().all(|line| line.len() == 64));
    }
}

#[test]
fn no_debug_output_holds_a_part_of_a_key() {
    let pem = key().to_pkcs8_pem();
    let loaded = load(pem.as_bytes()).unwrap();
    let signature = Signature::new(loaded.key.sign(SigningAlgorithm::Rs512, b"message").unwrap());
    let public = key().public().clone();
    let published = PublishedKey::new(nhs_auth_rules::Kid::parse("int-1").unwrap(), public.clone());
    let set = KeySet::new(vec![published.clone()]).unwrap();
    let signer = LocalSigner::new(load(pem.as_bytes()).unwrap().key);

    let shown = format!(
        "{:?} {loaded:?} {loaded:#?} {signature:?} {public:?} {published:?} {set:?} {signer:?}",
        key()
    );
    assert_absent(&shown, &pem_bytes(&pem));
    assert_absent(&shown, public.modulus());
    assert_absent(&shown, signature.as_bytes());
}

#[test]
fn no_error_holds_a_part_of_the_file() {
    let pem = key().to_pkcs8_pem();
    let body = pem.lines().nth(5).unwrap();
    let two = format!("{}{}", *pem, *pem);
    for text in [
        &pem[..2000],
        &pem.replace('\n', "\\n"),
        &pem.replace("-----", "----"),
        &pem.replace(body, &format!("{}%", &body[1..])),
        &pem.replace(body, ""),
        &pem.replace("PRIVATE KEY", "SECRET THING"),
        &two,
    ] {
        let error = load(text.as_bytes()).unwrap_err();
        let shown = format!("{error} {error:?} {:?}", error.hints());
        assert_absent(&shown, &pem_bytes(&pem));
    }
}

/// Windows adds what the key may be used for.
#[test]
fn attributes_after_a_key_are_passed_over() {
    let attributes = b"\xa0\x0d\x30\x0b\x06\x03\x55\x1d\x0f\x31\x04\x03\x02\x00\x10";
    let mut der = pem_bytes(&key().to_pkcs8_pem());
    der.extend(attributes);
    let length = u16::try_from(der.len() - 4).unwrap();
    der[2..4].copy_from_slice(&length.to_be_bytes());
    assert_eq!(load(&der).unwrap().key.public(), key().public());
}

#[test]
fn a_key_whose_numbers_do_not_belong_together_is_refused() {
    let mut der = pem_bytes(&key().to_pkcs8_pem());
    // In the middle of the private exponent, which follows the modulus.
    der[700] ^= 1;
    assert!(matches!(load(&der), Err(KeyError::DamagedKey { .. })));
}

#[test]
fn a_file_over_the_limit_is_refused_and_one_at_it_is_read() {
    let mut text = key().to_pkcs8_pem().as_bytes().to_vec();
    text.resize(MAX_FILE_BYTES, b'\n');
    assert!(load(&text).is_ok());
    text.push(b'\n');
    assert!(matches!(load(&text), Err(KeyError::FileTooLarge { .. })));
}

#[test]
fn a_key_too_long_is_named_by_its_bits() {
    let number = pkcs1::UintRef::new(&[0x7f; 1100]).unwrap();
    let der = RsaPrivateKeyRef {
        modulus: number,
        public_exponent: number,
        private_exponent: number,
        prime1: number,
        prime2: number,
        exponent1: number,
        exponent2: number,
        coefficient: number,
        other_prime_infos: None,
    }
    .to_der()
    .unwrap();
    assert!(matches!(load(&der), Err(KeyError::UnsupportedSize { bits: 8799, .. })));
}

#[test]
fn an_encryption_that_costs_too_much_is_refused_before_it_is_tried() {
    use pkcs8::pkcs5::pbes2::Parameters;
    use pkcs8::pkcs5::scrypt::Params;

    let pbkdf2 =
        |rounds| Parameters::generate_pbkdf2_sha256_aes256cbc(rounds, &[1; 16], [2; 16]).unwrap();
    let scrypt = |log_n, r, p| {
        let cost = Params::new(log_n, r, p).unwrap();
        Parameters::generate_scrypt_aes256cbc(cost, &[1; 16], [2; 16]).unwrap()
    };
    for (parameters, refused) in [
        (pbkdf2(10_000_000), None),
        (pbkdf2(10_000_001), Some("PBKDF2 of over 10 million rounds")),
        (scrypt(20, 8, 1), None),
        (scrypt(20, 8, 2), Some("scrypt at a cost of over 1 GiB")),
        (scrypt(40, 8, 1), Some("scrypt at a cost of over 1 GiB")),
    ] {
        let der = pkcs8::EncryptedPrivateKeyInfo {
            encryption_algorithm: parameters.into(),
            encrypted_data: pkcs8::der::asn1::OctetString::new([0; 32]).unwrap(),
        }
        .to_der()
        .unwrap();
        match (load(&der).unwrap_err(), refused) {
            (KeyError::PassphraseNeeded { .. }, None) => {}
            (KeyError::UnsupportedEncryption { scheme, .. }, Some(refused)) => {
                assert_eq!(scheme, refused);
            }
            (other, _) => panic!("{other}"),
        }
    }
}

#[test]
fn what_the_system_refuses_is_told_apart() {
    let refused = |kind: io::ErrorKind| {
        KeyError::from_io("a b.pem", Path::new("/nowhere/a b.pem"), kind.into())
    };
    let denied = refused(io::ErrorKind::PermissionDenied);
    assert_eq!(denied.to_string(), "can't load a private key from `a b.pem`: permission denied");
    assert_eq!(denied.hints(), ["see who may read it with `ls -l 'a b.pem'`"]);
    assert!(matches!(refused(io::ErrorKind::NotFound), KeyError::NotFound { .. }));
    assert!(matches!(refused(io::ErrorKind::TimedOut), KeyError::Read { .. }));
}

fn pem_bytes(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(body).unwrap()
}

/// Looks for any eight bytes of the secret in a row, in the forms in which they may be shown.
fn assert_absent(shown: &str, secret: &[u8]) {
    for part in secret.chunks_exact(9) {
        let hex = part.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        let list = format!("{part:?}");
        let list = list.trim_matches(['[', ']']);
        for form in [&hex, list, &STANDARD.encode(part), &URL_SAFE_NO_PAD.encode(part)] {
            assert!(!shown.contains(form), "{form} in {shown}");
        }
    }
}

/// Text that is nearly PEM, since mere chance never writes a `BEGIN` line.
fn nearly_pem() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        Just(b"-----BEGIN ".to_vec()),
        Just(b"-----END ".to_vec()),
        Just(b"PRIVATE KEY".to_vec()),
        Just(b"ENCRYPTED ".to_vec()),
        Just(b"OPENSSH ".to_vec()),
        Just(b"-----".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"MIIEvgIBADANBgkqhkiG9w0BAQEFAASC".to_vec()),
        prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(part, 0..16).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn no_bytes_make_loading_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        drop(load(&bytes));
    }

    #[test]
    fn no_der_makes_loading_panic(mut bytes in prop::collection::vec(any::<u8>(), 4..512)) {
        let length = u8::try_from(bytes.len() - 2).unwrap_or(0x80);
        bytes[..3].copy_from_slice(&[0x30, length, 0x02]);
        drop(load(&bytes));
    }

    #[test]
    fn no_text_like_pem_makes_loading_panic(text in nearly_pem()) {
        drop(load(&text));
    }

    #[test]
    fn no_change_to_a_key_makes_loading_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        length in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let mut der = pem_bytes(&key().to_pkcs8_pem());
        for (at, byte) in changes {
            // The structure stands at the front; elsewhere there are only numbers.
            let at = at.index(48);
            der[at] = byte;
        }
        if cut {
            der.truncate(length.index(der.len()));
        }
        drop(load(&der));
    }
}
