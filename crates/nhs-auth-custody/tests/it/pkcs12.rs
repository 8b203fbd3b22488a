//! Private keys out of PKCS#12 files that OpenSSL and Java made.

use std::process::{Command, Stdio};

use nhs_auth::{KeyError, KeyWarning, PrivateKey, PublicKey};
use nhs_auth_custody::{
    Pkcs12Error, is_pkcs12, private_key_from_pkcs12, private_key_from_pkcs12_by_alias,
};
use secrecy::SecretString;
use tempfile::TempDir;

const PASSPHRASE: &str = "correct horse";

/// A folder with a key, its certificate, and one of a certificate authority.
struct Made {
    folder: TempDir,
    public: PublicKey,
}

impl Made {
    fn new() -> Self {
        let key = PrivateKey::generate().unwrap();
        let made = Self { folder: tempfile::tempdir().unwrap(), public: key.public().clone() };
        std::fs::write(made.folder.path().join("key.pem"), key.to_pkcs8_pem().as_bytes()).unwrap();
        made.openssl("req -x509 -key key.pem -subj /CN=app -days 2 -out certificate.pem");
        made.openssl(
            "req -x509 -newkey rsa:2048 -nodes -keyout ca-key.pem -subj /CN=ca -days 2 -out ca.pem",
        );
        made
    }

    fn openssl(&self, arguments: &str) {
        self.run("openssl", arguments);
    }

    fn run(&self, program: &str, arguments: &str) {
        let ran = Command::new(program)
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .expect("`cargo xtask test` installs openssl and a JDK");
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{program} {arguments}: {said}");
    }

    /// The file that `openssl pkcs12 -export` makes of the key with these further arguments.
    fn exported(&self, arguments: &str) -> Vec<u8> {
        self.openssl(&format!(
            "pkcs12 -export -inkey key.pem -in certificate.pem -out it.p12 {arguments}"
        ));
        self.read("it.p12")
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.path().join(name)).unwrap()
    }

    fn protected(&self, arguments: &str) -> Vec<u8> {
        std::fs::write(self.folder.path().join("passphrase"), PASSPHRASE).unwrap();
        self.exported(&format!("-passout file:passphrase {arguments}"))
    }
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

fn read(bytes: &[u8], passphrase: Option<&str>) -> Result<nhs_auth::LoadedKey, Pkcs12Error> {
    let passphrase = passphrase.map(secret);
    private_key_from_pkcs12("app.p12", bytes, passphrase.as_ref())
}

#[test]
fn whatever_openssl_exports_is_read() {
    let made = Made::new();
    for arguments in [
        "-name app",
        "-certfile ca.pem",
        "-legacy",
        "-legacy -certfile ca.pem -name app",
        "-keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1",
        "-keypbe AES-128-CBC -certpbe NONE -macalg sha512",
        "-keypbe NONE -certpbe NONE",
        "-nomac",
        "-nocerts",
    ] {
        let file = made.protected(arguments);
        assert!(is_pkcs12(&file), "{arguments}");
        let loaded = read(&file, Some(PASSPHRASE)).unwrap();
        assert_eq!(*loaded.key.public(), made.public, "{arguments}");
        assert_eq!(loaded.warnings, [], "{arguments}");
    }
}

#[test]
fn an_empty_passphrase_and_none_are_the_same() {
    let made = Made::new();
    for arguments in ["", "-legacy", "-keypbe NONE -certpbe NONE", "-nomac"] {
        let file = made.exported(&format!("-passout pass: {arguments}"));
        for passphrase in [None, Some("")] {
            let loaded = read(&file, passphrase).unwrap();
            assert_eq!(*loaded.key.public(), made.public, "{arguments}");
        }
    }
    let open = made.exported("-passout pass: -keypbe NONE -certpbe NONE -nomac");
    assert_eq!(read(&open, None).unwrap().warnings, []);
    let loaded = read(&open, Some("needless")).unwrap();
    assert_eq!(loaded.warnings, [KeyWarning::PassphraseNotNeeded]);
}

#[test]
fn a_missing_passphrase_is_told_from_a_wrong_one() {
    let made = Made::new();
    for arguments in ["", "-legacy", "-nomac"] {
        let file = made.protected(arguments);
        let missing = read(&file, None).unwrap_err();
        assert!(matches!(missing, Pkcs12Error::PassphraseNeeded { .. }), "{arguments}: {missing}");
        for wrong in ["correct horse\n", "", "Correct horse", "\u{e4}\u{20ac}"] {
            let error = read(&file, Some(wrong)).unwrap_err();
            assert!(
                matches!(error, Pkcs12Error::WrongPassphrase { .. }),
                "{arguments}, {wrong:?}: {error:?}"
            );
        }
    }
    let file = made.protected("");
    let error = read(&file, Some("\u{1f40e}")).unwrap_err();
    assert!(matches!(error, Pkcs12Error::Unsupported { .. }), "{error:?}");
    let error = read(&file, Some("hush-hush")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "can't load a private key from `app.p12`: the passphrase of the PKCS#12 file is wrong"
    );
    assert!(!format!("{error:?}{:?}", error.hints()).contains("hush"));
    assert!(error.hints()[0].contains("line break"));
}

#[test]
fn a_file_without_a_key_is_told() {
    let made = Made::new();
    std::fs::write(made.folder.path().join("passphrase"), PASSPHRASE).unwrap();
    made.openssl(
        "pkcs12 -export -nokeys -in certificate.pem -passout file:passphrase -out none.p12",
    );
    let file = made.read("none.p12");
    let error = read(&file, Some(PASSPHRASE)).unwrap_err();
    assert!(matches!(error, Pkcs12Error::NoPrivateKey { .. }), "{error}");
    let error =
        private_key_from_pkcs12_by_alias("app.p12", &file, Some(&secret(PASSPHRASE)), "app");
    assert!(matches!(error, Err(Pkcs12Error::NoPrivateKey { .. })));
}

#[test]
fn the_key_inside_has_to_be_one_for_this() {
    let made = Made::new();
    for (algorithm, expected) in [("rsa:1024", "1024 bits"), ("ec:ec.pem", "EC (P-256)")] {
        made.openssl("ecparam -name prime256v1 -out ec.pem");
        made.openssl(&format!(
            "req -x509 -newkey {algorithm} -nodes -keyout key.pem -subj /CN=a -out certificate.pem"
        ));
        let error = read(&made.protected(""), Some(PASSPHRASE)).unwrap_err();
        assert!(matches!(error, Pkcs12Error::Key(_)), "{error:?}");
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.hints()[0].contains("openssl genpkey"), "{:?}", error.hints());
    }
}

#[test]
fn what_is_not_supported_says_how_to_convert_it() {
    let made = Made::new();
    for arguments in
        ["-keypbe camellia-256-cbc", "-legacy -keypbe PBE-SHA1-RC4-128", "-iter 1000001 -nomaciter"]
    {
        let error = read(&made.protected(arguments), Some(PASSPHRASE)).unwrap_err();
        assert!(matches!(error, Pkcs12Error::Unsupported { .. }), "{arguments}: {error:?}");
        assert!(error.hints()[0].contains("openssl pkcs12 -in app.p12"), "{:?}", error.hints());
    }
}

#[test]
fn of_javas_several_keys_one_is_chosen_by_its_alias() {
    let made = Made::new();
    std::fs::write(made.folder.path().join("passphrase"), PASSPHRASE).unwrap();
    for alias in ["old", "new"] {
        made.run(
            "keytool",
            &format!(
                "-genkeypair -keyalg RSA -keysize 2048 -dname CN={alias} -alias {alias} \
                 -storetype PKCS12 -keystore it.p12 -storepass:file passphrase"
            ),
        );
    }
    let file = made.read("it.p12");
    let error = read(&file, Some(PASSPHRASE)).unwrap_err();
    let Pkcs12Error::SeveralPrivateKeys { mut aliases, .. } = error else { panic!("{error}") };
    aliases.sort();
    assert_eq!(aliases, ["new", "old"]);

    let passphrase = secret(PASSPHRASE);
    let of = |alias| private_key_from_pkcs12_by_alias("it.p12", &file, Some(&passphrase), alias);
    let (old, new) = (of("old").unwrap(), of("new").unwrap());
    assert_ne!(old.key.public(), new.key.public());
    assert_eq!(new.warnings, [KeyWarning::SizeNotRecommended { bits: 2048 }]);
    made.run(
        "keytool",
        "-exportcert -rfc -alias new -file new.pem -keystore it.p12 -storepass:file passphrase",
    );
    made.openssl("x509 -in new.pem -noout -pubkey -out new.pub");
    let public = String::from_utf8(made.read("new.pub")).unwrap();
    assert_eq!(*new.key.public(), PublicKey::from_spki_pem(&public).unwrap());

    let error = of("next").unwrap_err().to_string();
    assert!(error.contains("called `next`; it has `") && error.contains("`old`"), "{error}");
}

#[test]
fn what_is_no_pkcs12_file_is_told() {
    let made = Made::new();
    for other in ["key.pem", "certificate.pem"] {
        let bytes = made.read(other);
        assert!(!is_pkcs12(&bytes));
        let error = read(&bytes, None).unwrap_err();
        assert!(matches!(error, Pkcs12Error::NotPkcs12 { .. }), "{error}");
    }
    let error = read(b"", None).unwrap_err();
    assert!(matches!(error, Pkcs12Error::Key(KeyError::Empty { .. })), "{error}");
    let mut large = made.protected("");
    large.resize(1024 * 1024 + 1, 0);
    let error = read(&large, None).unwrap_err();
    assert!(matches!(error, Pkcs12Error::Key(KeyError::FileTooLarge { .. })), "{error}");
    let open_ended = [b"\x30\x80\x02\x01\x03".as_slice(), &[0; 40]].concat();
    let error = read(&open_ended, None).unwrap_err();
    assert!(matches!(error, Pkcs12Error::Unsupported { .. }), "{error}");
}

#[test]
fn a_damaged_file_is_an_error_and_never_a_panic() {
    let made = Made::new();
    let file = made.protected("-name app -iter 1 -nomac");
    for end in (0..file.len()).step_by(7) {
        let error = read(&file[..end], Some(PASSPHRASE)).unwrap_err();
        let is_cut_off = matches!(error, Pkcs12Error::CutOff { .. });
        assert!(is_cut_off || end < 5, "{end}: {error:?}");
    }
    // No MAC is in the way, so that the damage gets as far as it can.
    let mut outcomes = std::collections::BTreeSet::new();
    for at in (0..file.len()).step_by(7) {
        let mut damaged = file.clone();
        damaged[at] ^= 1 << (at % 8);
        match read(&damaged, Some(PASSPHRASE)) {
            Ok(loaded) => assert_eq!(*loaded.key.public(), made.public, "{at}"),
            Err(error) => {
                outcomes.insert(format!("{error:?}").split(' ').next().map(str::to_owned));
            }
        }
    }
    assert!(outcomes.len() > 3, "{outcomes:?}");

    let checked = made.protected("");
    for at in (40..checked.len() - 200).step_by(97) {
        let mut damaged = checked.clone();
        damaged[at] ^= 0x10;
        read(&damaged, Some(PASSPHRASE)).expect_err("its MAC knows");
    }
}

#[test]
fn names_in_a_file_cannot_move_a_terminals_cursor() {
    let aliases = vec!["a\u{1b}[2Jb".to_owned(), "c".repeat(5000)];
    let error = Pkcs12Error::SeveralPrivateKeys { name: "it.p12".into(), aliases };
    let text = error.to_string();
    assert!(!text.contains('\u{1b}') && text.len() < 300, "{text}");
}
