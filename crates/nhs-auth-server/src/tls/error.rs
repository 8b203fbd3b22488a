//! Why a certificate and its key can't be used.

use std::io;
use std::path::PathBuf;

/// The files of a certificate and its key can't be used. It holds nothing of what they hold.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsFilesError {
    /// A file can't be read.
    #[error("can't read `{}`", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is far longer than a certificate chain or a key.
    #[error("`{}` is longer than a certificate chain or a key can be", path.display())]
    TooLong {
        /// Which file.
        path: PathBuf,
    },
    /// A file's PEM can't be read.
    #[error("the PEM in `{}` can't be read: {reason}", path.display())]
    NotPem {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// There is no certificate.
    #[error("there is no certificate in `{}`", path.display())]
    NoCertificate {
        /// Which file.
        path: PathBuf,
    },
    /// The server's own certificate can't be read.
    #[error("the first certificate in `{}` can't be read", path.display())]
    BadCertificate {
        /// Which file.
        path: PathBuf,
    },
    /// There is no private key.
    #[error("there is no private key in `{}`", path.display())]
    NoKey {
        /// Which file.
        path: PathBuf,
    },
    /// The private key is encrypted.
    #[error("the private key in `{}` is encrypted", path.display())]
    EncryptedKey {
        /// Which file.
        path: PathBuf,
    },
    /// The private key is of a kind that TLS has no use for, or broken.
    #[error("the private key in `{}` can't be used for TLS", path.display())]
    BadKey {
        /// Which file.
        path: PathBuf,
    },
    /// The two don't belong together.
    #[error(
        "the private key in `{}` does not fit the first certificate in `{}`",
        key.display(),
        certificates.display()
    )]
    Mismatch {
        /// The file of the certificates.
        certificates: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
}

impl TlsFilesError {
    /// What to do next, one sentence each, the best first.
    pub fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Unreadable { .. } => "check the path, and that this program's user may read it",
            Self::TooLong { .. } => "check that the path is right",
            Self::NotPem { .. } => "write the file anew: it may have been cut off or pasted badly",
            Self::NoCertificate { .. } | Self::BadCertificate { .. } => {
                "give a PEM file with the server's certificate first and its issuers' behind it"
            }
            Self::NoKey { .. } => "give a PEM file with the private key of the certificate",
            Self::EncryptedKey { .. } => {
                "decrypt it (`openssl pkey -in KEY -out PLAIN`), and let only this program's user read it"
            }
            Self::BadKey { .. } => {
                "use an RSA key of 2048 bits or more, or one of P-256 or Ed25519"
            }
            Self::Mismatch { .. } => {
                "put the server's own certificate first, and check that the key was not renewed alone"
            }
        };
        vec![hint.to_owned()]
    }
}
