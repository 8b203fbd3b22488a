//! What to do about each [`KeyError`]: where there is a command that mends the file, that command.

use std::path::Path;

use super::{FoundInstead, KeyError};

impl KeyError {
    /// What to do next, one sentence or command line each, the best first.
    ///
    /// Commands are for a POSIX shell and stand between backticks. They never overwrite the file that
    /// they read, and what they write can be read by its owner alone.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::CutOff { name }
            | Self::DamagedBase64 { name, .. }
            | Self::DamagedKey { name } => damaged(name),
            Self::Directory { name } => {
                vec![format!("give one file of it, such as `{}`", word(&inside(name, "key.pem")))]
            }
            Self::Empty { name } | Self::FileTooLarge { name } | Self::NotFound { name } => {
                vec!["check the path of the private key".into(), new_key(name)]
            }
            Self::Generate => vec!["check that the system has a source of random bytes".into()],
            Self::LiteralLineBreaks { name } => vec![format!(
                r#"put the line breaks back with `(umask 077; awk '{{gsub(/\\r/,"");gsub(/\\n/,"\n")}}1' {} > {})`"#,
                word(name),
                word(&beside(name, "mended.pem"))
            )],
            Self::NotAPrivateKey { name, found } => instead(name, *found),
            Self::NotAPublicKey { .. } => {
                vec![
                    "give an RSA public key, as `openssl pkey -in key.pem -pubout` prints it"
                        .into(),
                ]
            }
            Self::NotRsa { name, .. } | Self::UnsupportedSize { name, .. } => {
                vec![new_key(name), register_public_half(name)]
            }
            Self::PassphraseNeeded { name } => vec![
                "give the passphrase of the private key".into(),
                format!(
                    "or take the encryption off with `openssl pkey -in {} -out {}`",
                    word(name),
                    word(&beside(name, "plain.pem"))
                ),
            ],
            Self::PermissionDenied { name } => {
                vec![format!("see who may read it with `ls -l {}`", word(name))]
            }
            Self::Read { name, .. } => vec![format!("see what it is with `ls -l {}`", word(name))],
            Self::SeveralPrivateKeys { name, .. } => vec![
                "put each private key into a file of its own".into(),
                format!(
                    "take out the first with `openssl pkey -in {} -out {}`",
                    word(name),
                    word(&beside(name, "first.pem"))
                ),
            ],
            Self::UnsupportedEncryption { name, legacy, .. } => vec![encrypt_anew(name, *legacy)],
            Self::WrongDashes { name, .. } => vec![format!(
                r"put them right with `(umask 077; sed -E 's/^[^A-Z]*((BEGIN|END) [A-Z ]*KEY)[^A-Z]*$/-----\1-----/' {} > {})`",
                word(name),
                word(&beside(name, "mended.pem"))
            )],
            Self::WrongPassphrase { name } => vec![
                "a passphrase that was read from a file may have a line break at its end".into(),
                format!("try the passphrase with `openssl pkey -in {} -noout`", word(name)),
            ],
        }
    }
}

fn instead(name: &str, found: FoundInstead) -> Vec<String> {
    let file = word(name);
    let out = word(&beside(name, "pkcs8.pem"));
    let public_only =
        "give the private key that it was made from: it can't be worked out from this";
    let compare = |print: &str| {
        format!(
            "a private key belongs to it if `openssl pkey -in key.pem -pubout` prints the same as `{print}`"
        )
    };
    match found {
        FoundInstead::BareBase64 => vec![format!(
            "decode it with `(umask 077; tr -d '[:space:]' < {file} | openssl base64 -d -A -out {})`",
            word(&beside(name, "key.der"))
        )],
        FoundInstead::Certificate => {
            vec![public_only.into(), compare(&format!("openssl x509 -in {file} -noout -pubkey"))]
        }
        FoundInstead::CertificateRequest => {
            vec![public_only.into(), compare(&format!("openssl req -in {file} -noout -pubkey"))]
        }
        FoundInstead::JavaKeystore => {
            let pkcs12 = word(&beside(name, "converted.p12"));
            vec![
                format!(
                    "convert it with `keytool -importkeystore -srckeystore {file} -destkeystore {pkcs12} -deststoretype PKCS12`"
                ),
                format!("then take the key out with `openssl pkcs12 -in {pkcs12} -nocerts -out {out}`"),
            ]
        }
        FoundInstead::Jwk | FoundInstead::JwkSet => vec![
            "give the PEM file of the private key that was made with it: a key set is for the platform"
                .into(),
            new_key(name),
        ],
        FoundInstead::OpenSshPrivateKey => {
            // ssh-keygen changes the file in place, so it gets a copy, which it wants to be private.
            vec![format!(
                "convert a copy with `cp {file} {out} && chmod 600 {out} && ssh-keygen -p -m PKCS8 -f {out}`"
            )]
        }
        FoundInstead::OpenSshPublicKey => vec![public_only.into()],
        FoundInstead::OtherPem | FoundInstead::Unknown => {
            vec!["check the path of the private key".into(), new_key(name)]
        }
        FoundInstead::Pkcs12 => vec![
            format!("take the key out with `openssl pkcs12 -in {file} -nocerts -out {out}`"),
            "add `-legacy` to it if openssl says that an algorithm is unsupported".into(),
        ],
        FoundInstead::PublicKey => {
            vec![public_only.into(), compare(&format!("openssl pkey -pubin -in {file}"))]
        }
        FoundInstead::PuttyPrivateKey => {
            let openssh = word(&beside(name, "openssh.key"));
            vec![
                format!("convert it with `puttygen {file} -O private-openssh -o {openssh}`"),
                format!("then write it as PKCS#8 with `openssl pkcs8 -topk8 -in {openssh} -out {out}`"),
            ]
        }
        FoundInstead::XmlKey => vec![
            "write it as PEM with .NET's `RSA.FromXmlString` and `RSA.ExportPkcs8PrivateKeyPem`".into(),
        ],
    }
}

fn damaged(name: &str) -> Vec<String> {
    vec![
        "copy the file again from where it was made: every byte of a key counts".into(),
        format!(
            "see whether openssl reads it with `openssl pkey -in {} -noout -check`",
            word(name)
        ),
    ]
}

fn encrypt_anew(name: &str, legacy: bool) -> String {
    let providers = if legacy { " -provider legacy -provider default" } else { "" };
    format!(
        "encrypt it anew with `openssl pkcs8 -topk8 -v2 aes-256-cbc -in {} -out {}{providers}`",
        word(name),
        word(&beside(name, "pkcs8.pem"))
    )
}

fn new_key(name: &str) -> String {
    format!(
        "make a new key with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:4096 -out {}`",
        word(&beside(name, "rsa4096.pem"))
    )
}

fn register_public_half(name: &str) -> String {
    format!(
        "register its public half, which `openssl pkey -in {} -pubout` prints",
        word(&beside(name, "rsa4096.pem"))
    )
}

/// A file next to `name`, with another extension: one of two parts, since the result then never is
/// `name` itself.
fn beside(name: &str, extension: &str) -> String {
    Path::new(name).with_extension(extension).display().to_string()
}

fn inside(directory: &str, file: &str) -> String {
    Path::new(directory).join(file).display().to_string()
}

/// One word for a POSIX shell that no command takes for an option.
fn word(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./+,:@%".contains(c);
    let option = if path.starts_with('-') { "./" } else { "" };
    if !path.is_empty() && path.chars().all(plain) {
        format!("{option}{path}")
    } else {
        format!("'{option}{}'", path.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_when_a_shell_would_split_or_expand_them() {
        assert_eq!(word("keys/int-1.pem"), "keys/int-1.pem");
        assert_eq!(word("my key.pem"), "'my key.pem'");
        assert_eq!(word("it's.pem"), r"'it'\''s.pem'");
        assert_eq!(word("$(x)`y`.pem"), "'$(x)`y`.pem'");
        assert_eq!(word("-in.pem"), "./-in.pem");
        assert_eq!(word("- in.pem"), "'./- in.pem'");
        assert_eq!(word(""), "''");
    }

    #[test]
    fn a_mended_file_never_has_the_name_of_the_broken_one() {
        for name in ["key", "key.pem", "a.b/key", "key.pkcs8.pem", "key.mended.pem"] {
            assert_ne!(beside(name, "pkcs8.pem"), name);
            assert_ne!(beside(name, "mended.pem"), name);
        }
    }
}
