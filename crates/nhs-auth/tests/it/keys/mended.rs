//! Files that a command from the hints turns into a key that is read.

use nhs_auth::PrivateKey;
use secrecy::SecretString;

use super::{
    PASSOUT, PASSPHRASE, PUBLIC_ONLY, assert_told, command, load, load_with, public_of, refusal,
};
use crate::openssl::Workshop;

/// A space, a quote and a dollar: what a shell must not see bare.
const AWKWARD: &str = "my $key's.pem";

#[test]
fn the_container_of_openssh() {
    let workshop = Workshop::with_key();
    // Without `-m`, ssh-keygen writes its own format.
    workshop.shell("cp key.pem rsa && chmod 600 rsa");
    workshop.ssh_keygen("-p -f rsa");
    workshop.write(AWKWARD, workshop.read("rsa"));
    let error = refusal(&workshop, AWKWARD);
    let (file, out) = (r"'my $key'\''s.pem'", r"'my $key'\''s.pkcs8.pem'");
    let hint = format!(
        "convert a copy with `cp {file} {out} && chmod 600 {out} && ssh-keygen -p -m PKCS8 -f {out}`"
    );
    assert_told(&error, "it holds a private key in OpenSSH's own format", &[&hint]);
    let line = format!("{} -P '' -N ''", command(&hint));
    assert_mended(&workshop, &line, "my $key's.pkcs8.pem", None);

    for (kind, algorithm) in [("ed25519", "Ed25519"), ("ecdsa", "EC")] {
        workshop.ssh_keygen(&format!("-t {kind} -f {kind}"));
        let error = refusal(&workshop, kind);
        assert!(
            error
                .to_string()
                .ends_with(&format!("it is a key for {algorithm}, and RS512 needs RSA"))
        );
    }
    assert_told(&refusal(&workshop, "ed25519.pub"), "it holds an SSH public key", &[PUBLIC_ONLY]);
}

#[test]
fn old_encryption() {
    let workshop = Workshop::with_key();
    workshop.write("passphrase", PASSPHRASE);
    for (make, scheme, provider) in [
        ("rsa -traditional -aes256", "the old `Proc-Type: 4,ENCRYPTED`", ""),
        ("pkcs8 -topk8 -v1 PBE-SHA1-3DES", "PBES1 (SHA-1 and 3DES)", ""),
        ("pkcs8 -topk8 -v1 PBE-SHA1-3DES -outform DER", "PBES1 (SHA-1 and 3DES)", ""),
        (
            "pkcs8 -topk8 -provider legacy -provider default -v1 PBE-MD5-DES",
            "PBES1 (MD5 and DES)",
            " -provider legacy -provider default",
        ),
        (
            "pkcs8 -topk8 -provider legacy -provider default -v2 rc2-cbc",
            "a cipher other than AES and 3DES",
            " -provider legacy -provider default",
        ),
    ] {
        workshop.openssl(&format!("{make} -in key.pem {PASSOUT} -out made"));
        workshop.write(AWKWARD, workshop.read("made"));
        let error = refusal(&workshop, AWKWARD);
        let hint = format!(
            r"encrypt it anew with `openssl pkcs8 -topk8 -v2 aes-256-cbc -in 'my $key'\''s.pem' -out 'my $key'\''s.pkcs8.pem'{provider}`"
        );
        assert_told(
            &error,
            &format!("it is encrypted with {scheme}, which is not supported"),
            &[&hint],
        );
        let line = format!("{} -passin file:passphrase -passout pass:new", command(&hint));
        assert_mended(&workshop, &line, "my $key's.pkcs8.pem", Some("new"));
    }
}

#[test]
fn a_pkcs12_container() {
    let workshop = Workshop::with_key();
    workshop.write("passphrase", PASSPHRASE);
    workshop.openssl(&format!("pkcs12 -export -inkey key.pem -in cert.pem {PASSOUT} -out key.p12"));
    let error = refusal(&workshop, "key.p12");
    assert_told(
        &error,
        "it holds a PKCS#12 file (.p12 or .pfx)",
        &[
            "take the key out with `openssl pkcs12 -in key.p12 -nocerts -out key.pkcs8.pem`",
            "add `-legacy` to it if openssl says that an algorithm is unsupported",
        ],
    );
    let line = format!("{} -passin file:passphrase -passout pass:new", command(&error.hints()[0]));
    assert_mended(&workshop, &line, "key.pkcs8.pem", Some("new"));
}

#[test]
fn two_private_keys() {
    let workshop = Workshop::with_key();
    workshop.rsa(2048, "second.pem");
    workshop.write("both.pem", [workshop.read("key.pem"), workshop.read("second.pem")].concat());
    let error = refusal(&workshop, "both.pem");
    assert_told(
        &error,
        "it holds 2 private keys",
        &[
            "put each private key into a file of its own",
            "take out the first with `openssl pkey -in both.pem -out both.first.pem`",
        ],
    );
    assert_mended(&workshop, command(&error.hints()[1]), "both.first.pem", None);
}

#[test]
fn text_that_was_mangled() {
    let workshop = Workshop::with_key();
    let key = workshop.read_text("key.pem");
    let body: String = key.lines().filter(|line| !line.starts_with('-')).collect();
    let awk = r#"put the line breaks back with `(umask 077; awk '{gsub(/\\r/,"");gsub(/\\n/,"\n")}1' file > file.mended.pem)`"#;
    let sed = r"put them right with `(umask 077; sed -E 's/^[^A-Z]*((BEGIN|END) [A-Z ]*KEY)[^A-Z]*$/-----\1-----/' file > file.mended.pem)`";
    let decode = "decode it with `(umask 077; tr -d '[:space:]' < file | openssl base64 -d -A -out file.key.der)`";
    let breaks = r"it has a literal `\n` in place of each line break";
    for (text, problem, hint, mended) in [
        (key.replace('\n', r"\n"), breaks, awk, "file.mended.pem"),
        (key.replace('\n', r"\r\n"), breaks, awk, "file.mended.pem"),
        (
            format!(r#"{{"private_key": "{}"}}"#, key.replace('\n', r"\n")),
            breaks,
            awk,
            "file.mended.pem",
        ),
        (
            key.replace("-----", "----"),
            "line 1 must have five dashes on both sides",
            sed,
            "file.mended.pem",
        ),
        (
            key.replace("-----END", "\u{2014}END"),
            &format!("line {} must have five dashes on both sides", key.lines().count()),
            sed,
            "file.mended.pem",
        ),
        (
            body.clone(),
            "it holds base64 without the BEGIN and END lines of PEM",
            decode,
            "file.key.der",
        ),
        (
            key.lines()
                .filter(|line| !line.starts_with('-'))
                .fold(String::new(), |all, line| all + line + "\r\n"),
            "it holds base64 without the BEGIN and END lines of PEM",
            decode,
            "file.key.der",
        ),
    ] {
        workshop.write("file", text);
        let error = refusal(&workshop, "file");
        assert_told(&error, problem, &[hint]);
        assert_mended(&workshop, command(hint), mended, None);
    }
}

#[test]
fn an_encrypted_key_without_its_passphrase() {
    let workshop = Workshop::with_key();
    workshop.write("passphrase", PASSPHRASE);
    workshop.openssl(&format!("pkcs8 -topk8 -in key.pem {PASSOUT} -out file"));
    let error = refusal(&workshop, "file");
    assert_told(
        &error,
        "it is encrypted, and no passphrase was given",
        &[
            "give the passphrase of the private key",
            "or take the encryption off with `openssl pkey -in file -out file.plain.pem`",
        ],
    );
    let line = format!("{} -passin file:passphrase", command(&error.hints()[1]));
    assert_mended(&workshop, &line, "file.plain.pem", None);

    let wrong = SecretString::from("not this");
    let error = PrivateKey::from_bytes("file", &workshop.read("file"), Some(&wrong)).unwrap_err();
    assert_told(
        &error,
        "the passphrase is wrong",
        &[
            "a passphrase that was read from a file may have a line break at its end",
            "try the passphrase with `openssl pkey -in file -noout`",
        ],
    );
    assert!(!format!("{error:?} {error}").contains("not this"));
}

fn assert_mended(workshop: &Workshop, line: &str, mended: &str, passphrase: Option<&str>) {
    workshop.shell(line);
    let listed = workshop.shell(&format!("ls -l \"{}\"", mended.replace('$', r"\$")));
    assert!(listed.starts_with("-rw-------"), "{line}: {listed}");
    let loaded = match passphrase {
        Some(passphrase) => load_with(workshop, mended, passphrase),
        None => load(workshop, mended),
    };
    assert_eq!(loaded.unwrap().key.public(), &public_of(workshop, "key.pem"), "{line}");
}
