//! What a person is told who gives something else.

use nhs_auth::PrivateKey;

use super::{PASSOUT, PASSPHRASE, PUBLIC_ONLY, assert_told, command, load, load_with, refusal};
use crate::openssl::Workshop;

const NEW_KEY: &str = "make a new key with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:4096 -out file.rsa4096.pem`";
const REGISTER: &str =
    "register its public half, which `openssl pkey -in file.rsa4096.pem -pubout` prints";

#[test]
fn what_holds_a_public_key_alone() {
    let workshop = Workshop::with_key();
    let compare = |print: &str| {
        format!(
            "a private key belongs to it if `openssl pkey -in key.pem -pubout` prints the same as `{print}`"
        )
    };
    for (make, problem, print) in [
        ("pkey -in key.pem -pubout", "a public key", "openssl pkey -pubin -in file"),
        ("rsa -in key.pem -RSAPublicKey_out", "a public key", "openssl pkey -pubin -in file"),
        ("x509 -in cert.pem", "a certificate", "openssl x509 -in file -noout -pubkey"),
        (
            "req -new -key key.pem -subj /CN=test",
            "a certificate signing request",
            "openssl req -in file -noout -pubkey",
        ),
    ] {
        for form in ["PEM", "DER"] {
            workshop.openssl(&format!("{make} -outform {form} -out file"));
            let hints = [PUBLIC_ONLY, &compare(print)];
            assert_told(&refusal(&workshop, "file"), &format!("it holds {problem}"), &hints);
        }
        workshop.openssl(&format!("{make} -out file"));
        assert_eq!(workshop.shell(print), workshop.openssl("pkey -in key.pem -pubout"));
    }
}

#[test]
fn keys_for_other_algorithms() {
    let workshop = Workshop::new();
    workshop.openssl("dsaparam -out dsa.params 1024");
    for (make, algorithm) in [
        ("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256", "EC (P-256)"),
        ("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384", "EC (P-384)"),
        ("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521", "EC (P-521)"),
        ("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1", "EC (secp256k1)"),
        ("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:prime239v1", "EC"),
        ("ecparam -genkey -name prime256v1", "EC"),
        ("genpkey -algorithm ED25519", "Ed25519"),
        ("genpkey -algorithm ED448", "Ed448"),
        ("genpkey -algorithm X25519", "X25519"),
        ("genpkey -algorithm X448", "X448"),
        ("genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048", "RSA-PSS"),
        ("genpkey -paramfile dsa.params", "DSA"),
        ("dsaparam -genkey -in dsa.params", "DSA"),
    ] {
        workshop.openssl(&format!("{make} -out file"));
        assert_told(
            &refusal(&workshop, "file"),
            &format!("it is a key for {algorithm}, and RS512 needs RSA"),
            &[NEW_KEY, REGISTER],
        );
    }
}

#[test]
fn an_encrypted_key_for_another_algorithm() {
    let workshop = Workshop::new();
    workshop.write("passphrase", PASSPHRASE);
    workshop.openssl("genpkey -algorithm ED25519 -out plain");
    workshop.openssl(&format!("pkcs8 -topk8 -in plain {PASSOUT} -out file"));
    let error = load_with(&workshop, "file", PASSPHRASE).unwrap_err();
    assert!(error.to_string().ends_with("it is a key for Ed25519, and RS512 needs RSA"));
}

#[test]
fn a_key_too_short() {
    let workshop = Workshop::new();
    workshop.openssl("genrsa -traditional -out file 1024");
    assert_told(
        &refusal(&workshop, "file"),
        "it has 1024 bits, and must have 2048 to 8192",
        &[NEW_KEY, REGISTER],
    );
    workshop.shell(command(NEW_KEY));
    assert_eq!(load(&workshop, "file.rsa4096.pem").unwrap().warnings, []);
}

#[test]
fn damage() {
    let workshop = Workshop::with_key();
    let key = workshop.read_text("key.pem");
    workshop.openssl("pkey -in key.pem -outform DER -out key.der");
    let der = workshop.read("key.der");
    let hints = [
        "copy the file again from where it was made: every byte of a key counts",
        "see whether openssl reads it with `openssl pkey -in file -noout -check`",
    ];
    let third = key.lines().nth(2).unwrap();
    let mut trailing = der.clone();
    trailing.extend(b"\n");
    let mut corrupt = der.clone();
    corrupt[900] ^= 4;
    for (bytes, problem) in [
        (&key.as_bytes()[..1000], "the key is cut off"),
        (&key.as_bytes()[40..], "the key is cut off"),
        (&der[..1000], "the key is cut off"),
        (key.replace(third, "").as_bytes(), "the key is cut off"),
        (
            key.replace(third, &format!("{}!", &third[1..])).as_bytes(),
            "the base64 on line 3 is damaged",
        ),
        (trailing.as_slice(), "the key inside is damaged"),
        (corrupt.as_slice(), "the key inside is damaged"),
    ] {
        workshop.write("file", bytes);
        assert_told(&refusal(&workshop, "file"), problem, &hints);
    }
}

#[test]
fn what_is_no_key_at_all() {
    let workshop = Workshop::new();
    let jwk =
        "give the PEM file of the private key that was made with it: a key set is for the platform";
    let path = "check the path of the private key";
    let xml = "write it as PEM with .NET's `RSA.FromXmlString` and `RSA.ExportPkcs8PrivateKeyPem`";
    let putty = "convert it with `puttygen file -O private-openssh -o file.openssh.key`";
    let then = "then write it as PKCS#8 with `openssl pkcs8 -topk8 -in file.openssh.key -out file.pkcs8.pem`";
    let keytool = "convert it with `keytool -importkeystore -srckeystore file -destkeystore file.converted.p12 -deststoretype PKCS12`";
    let pkcs12 = "then take the key out with `openssl pkcs12 -in file.converted.p12 -nocerts -out file.pkcs8.pem`";
    for (bytes, problem, hints) in [
        (&b""[..], "it is empty", [path, NEW_KEY]),
        (b" \r\n\t", "it is empty", [path, NEW_KEY]),
        (b"\xef\xbb\xbf\n", "it is empty", [path, NEW_KEY]),
        (br#"{"kty": "RSA", "d": "AQAB"}"#, "it holds a JSON Web Key (JWK)", [jwk, NEW_KEY]),
        (br#" {"keys": [{"kty": "RSA"}]}"#, "it holds a JSON Web Key Set (JWKS)", [jwk, NEW_KEY]),
        (b"{\"other\": 1}", "it holds nothing that looks like a key", [path, NEW_KEY]),
        (b"hunter2", "it holds nothing that looks like a key", [path, NEW_KEY]),
        (
            b"-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n",
            "it holds PEM text that is not a key",
            [path, NEW_KEY],
        ),
        (
            b"PuTTY-User-Key-File-3: ssh-rsa\n",
            "it holds a private key in PuTTY's own format",
            [putty, then],
        ),
        (b"\xfe\xed\xfe\xed\0\0\0\x02", "it holds a Java keystore", [keytool, pkcs12]),
        (b"<RSAKeyValue><Modulus/></RSAKeyValue>", "it holds a key in XML", [xml, ""]),
    ] {
        workshop.write("file", bytes);
        let hints: Vec<&str> = hints.into_iter().filter(|hint| !hint.is_empty()).collect();
        assert_told(&refusal(&workshop, "file"), problem, &hints);
    }
}

#[test]
fn paths_that_lead_nowhere() {
    let workshop = Workshop::new();
    let error = load(&workshop, "missing.pem").unwrap_err();
    let path = workshop.path("missing.pem").display().to_string();
    assert_eq!(
        error.to_string(),
        format!("can't load a private key from `{path}`: there is no such file")
    );
    assert_eq!(error.hints()[0], "check the path of the private key");

    let error = PrivateKey::load(workshop.path("").as_path(), None).unwrap_err();
    assert!(error.to_string().ends_with("`: it is a directory"), "{error}");
    assert!(error.hints()[0].starts_with("give one file of it, such as `"));
}
