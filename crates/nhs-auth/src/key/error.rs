//! What can be wrong with a key.

use std::fmt;
use std::io;
use std::path::Path;

/// Why a key could not be made, read or understood.
///
/// No message holds any of a file's content, a passphrase, or a part of a key. `name` is the path,
/// or what the caller called the bytes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The key ends before its end: a PEM block without its `END` line, or fewer bytes than the DER
    /// announces. Mostly a copy that stopped early.
    #[error("can't load a private key from `{name}`: the key is cut off")]
    CutOff {
        /// Where the key came from.
        name: String,
    },

    /// The PEM block holds something that is not base64 (RFC 4648, section 4).
    #[error("can't load a private key from `{name}`: the base64 on line {line} is damaged")]
    DamagedBase64 {
        /// Where the key came from.
        name: String,
        /// The line, counted from 1.
        line: usize,
    },

    /// The base64 is whole, but what it holds is not a sound RSA key: its DER is wrong, or its
    /// numbers don't belong together.
    #[error("can't load a private key from `{name}`: the key inside is damaged")]
    DamagedKey {
        /// Where the key came from.
        name: String,
    },

    /// The path is a directory.
    #[error("can't load a private key from `{name}`: it is a directory")]
    Directory {
        /// The path.
        name: String,
    },

    /// There is nothing in the file but white space.
    #[error("can't load a private key from `{name}`: it is empty")]
    Empty {
        /// Where the key came from.
        name: String,
    },

    /// The file is larger than any key: over 1 MiB.
    #[error("can't load a private key from `{name}`: it is larger than 1 MiB")]
    FileTooLarge {
        /// Where the key came from.
        name: String,
    },

    /// The cryptography library could not make a key.
    #[error("can't generate a private key: the cryptography library failed")]
    Generate,

    /// The line breaks were turned into the two characters `\` and `n`, as happens to a key that
    /// passes through JSON or an environment file.
    #[error(r"can't load a private key from `{name}`: it has a literal `\n` in place of each line break")]
    LiteralLineBreaks {
        /// Where the key came from.
        name: String,
    },

    /// The file holds something well known that is not a private key, or is one in a container
    /// which is not read here.
    #[error("can't load a private key from `{name}`: it holds {found}")]
    NotAPrivateKey {
        /// Where the key should have come from.
        name: String,
        /// What is there.
        found: FoundInstead,
    },

    /// A public key could not be understood as RSA.
    #[error("can't read an RSA public key: {reason}")]
    NotAPublicKey {
        /// What is wrong with it.
        reason: &'static str,
    },

    /// There is no such file.
    #[error("can't load a private key from `{name}`: there is no such file")]
    NotFound {
        /// The path.
        name: String,
    },

    /// A private key for another algorithm than RSA. RS512 signs with RSA alone.
    #[error(
        "can't load a private key from `{name}`: it is a key for {algorithm}, and RS512 needs RSA"
    )]
    NotRsa {
        /// Where the key came from.
        name: String,
        /// The algorithm's usual name, or its object identifier.
        algorithm: String,
    },

    /// The key is encrypted and no passphrase was given. Ask for one and try again.
    #[error("can't load a private key from `{name}`: it is encrypted, and no passphrase was given")]
    PassphraseNeeded {
        /// Where the key came from.
        name: String,
    },

    /// This user may not read the file.
    #[error("can't load a private key from `{name}`: permission denied")]
    PermissionDenied {
        /// The path.
        name: String,
    },

    /// Reading failed for another reason of the system's.
    #[error("can't load a private key from `{name}`: reading failed")]
    Read {
        /// The path.
        name: String,
        /// What the system said.
        source: io::Error,
    },

    /// Which of several private keys is meant can't be known.
    #[error("can't load a private key from `{name}`: it holds {count} private keys")]
    SeveralPrivateKeys {
        /// Where the keys came from.
        name: String,
        /// How many there are.
        count: usize,
    },

    /// The key is encrypted in a way that is too old, too rare or too costly to be read here.
    #[error(
        "can't load a private key from `{name}`: it is encrypted with {scheme}, which is not supported"
    )]
    UnsupportedEncryption {
        /// Where the key came from.
        name: String,
        /// The kind of encryption.
        scheme: &'static str,
        /// Whether OpenSSL 3 reads it only with its `legacy` provider.
        legacy: bool,
    },

    /// The RSA key is too short to be secure, or longer than can be used.
    #[error(
        "can't load a private key from `{name}`: it has {bits} bits, and must have 2048 to 8192"
    )]
    UnsupportedSize {
        /// Where the key came from.
        name: String,
        /// How long the modulus is, in bits.
        bits: usize,
    },

    /// The line that begins or ends the PEM block has not five dashes on both sides (RFC 7468,
    /// section 3).
    #[error(
        "can't load a private key from `{name}`: line {line} must have five dashes on both sides"
    )]
    WrongDashes {
        /// Where the key came from.
        name: String,
        /// The line, counted from 1.
        line: usize,
    },

    /// The passphrase does not open the key.
    #[error("can't load a private key from `{name}`: the passphrase is wrong")]
    WrongPassphrase {
        /// Where the key came from.
        name: String,
    },
}

impl KeyError {
    pub(super) fn from_io(name: &str, path: &Path, source: io::Error) -> Self {
        let name = name.into();
        match source.kind() {
            io::ErrorKind::NotFound => Self::NotFound { name },
            // Windows answers "permission denied" when a directory is opened as a file.
            _ if path.is_dir() => Self::Directory { name },
            io::ErrorKind::PermissionDenied => Self::PermissionDenied { name },
            _ => Self::Read { name, source },
        }
    }
}

/// What was found where a private key should have been.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum FoundInstead {
    /// Base64 without the `BEGIN` and `END` lines of PEM.
    BareBase64,
    /// An X.509 certificate (RFC 5280), which holds a public key alone.
    Certificate,
    /// A PKCS#10 certificate signing request (RFC 2986), which holds a public key alone.
    CertificateRequest,
    /// A Java keystore of the JKS or JCEKS kind.
    JavaKeystore,
    /// One JSON Web Key (RFC 7517, section 4).
    Jwk,
    /// A JSON Web Key Set (RFC 7517, section 5).
    JwkSet,
    /// An RSA private key in OpenSSH's own container.
    OpenSshPrivateKey,
    /// An SSH public key, as in `authorized_keys`.
    OpenSshPublicKey,
    /// A PEM block of a kind that is no key.
    OtherPem,
    /// A PKCS#12 container (RFC 7292): a `.p12` or `.pfx` file.
    Pkcs12,
    /// A public key.
    PublicKey,
    /// A private key in PuTTY's own container.
    PuttyPrivateKey,
    /// Nothing that is known here.
    Unknown,
    /// A key in XML, as .NET writes it.
    XmlKey,
}

impl fmt::Display for FoundInstead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BareBase64 => "base64 without the BEGIN and END lines of PEM",
            Self::Certificate => "a certificate",
            Self::CertificateRequest => "a certificate signing request",
            Self::JavaKeystore => "a Java keystore",
            Self::Jwk => "a JSON Web Key (JWK)",
            Self::JwkSet => "a JSON Web Key Set (JWKS)",
            Self::OpenSshPrivateKey => "a private key in OpenSSH's own format",
            Self::OpenSshPublicKey => "an SSH public key",
            Self::OtherPem => "PEM text that is not a key",
            Self::Pkcs12 => "a PKCS#12 file (.p12 or .pfx)",
            Self::PublicKey => "a public key",
            Self::PuttyPrivateKey => "a private key in PuTTY's own format",
            Self::Unknown => "nothing that looks like a key",
            Self::XmlKey => "a key in XML",
        })
    }
}
