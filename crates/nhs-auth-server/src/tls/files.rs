//! The two files, read.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use nhs_auth::UnixMillis;
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::crypto::aws_lc_rs::sign::any_supported_type;
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{Error, InconsistentKeys};
use zeroize::Zeroizing;

use super::TlsFilesError;
use super::certificate::Validity;

/// The most that is read of a file, in bytes.
const MOST_BYTES: usize = 1024 * 1024;

/// Where a server's certificate and its private key are, both in PEM.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    certificates: PathBuf,
    key: PathBuf,
}

impl TlsFiles {
    /// `certificates` has the server's own certificate first, and then those that lead from it to
    /// one that the platform trusts. `key` has the private key, not encrypted.
    pub fn new(certificates: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self { certificates: certificates.into(), key: key.into() }
    }

    /// The path of the certificates.
    pub fn certificates(&self) -> &Path {
        &self.certificates
    }

    /// The path of the private key.
    pub fn key(&self) -> &Path {
        &self.key
    }

    pub(super) fn load(&self) -> Result<Loaded, TlsFilesError> {
        let chain_pem = read(&self.certificates)?;
        let key_pem = read(&self.key)?;

        let chain = self.chain(&chain_pem)?;
        let valid = Validity::of(&chain[0])
            .map_err(|_| TlsFilesError::BadCertificate { path: self.certificates.clone() })?;
        let key = any_supported_type(&self.private_key(&key_pem)?)
            .map_err(|_| TlsFilesError::BadKey { path: self.key.clone() })?;

        let certified = CertifiedKey::new(chain, key);
        match certified.keys_match() {
            Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(Loaded {
                certified: Arc::new(certified),
                valid,
                fingerprint: fingerprint([&chain_pem, &key_pem]),
            }),
            Err(Error::InconsistentKeys(_)) => Err(TlsFilesError::Mismatch {
                certificates: self.certificates.clone(),
                key: self.key.clone(),
            }),
            Err(_) => Err(TlsFilesError::BadCertificate { path: self.certificates.clone() }),
        }
    }

    fn chain(&self, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsFilesError> {
        let path = || self.certificates.clone();
        let chain = CertificateDer::pem_slice_iter(text).collect::<Result<Vec<_>, _>>();
        match chain {
            Ok(chain) if chain.is_empty() => Err(TlsFilesError::NoCertificate { path: path() }),
            Ok(chain) => Ok(chain),
            Err(error) => Err(TlsFilesError::NotPem { path: path(), reason: reason(&error) }),
        }
    }

    fn private_key(&self, text: &[u8]) -> Result<PrivateKeyDer<'static>, TlsFilesError> {
        let path = self.key.clone();
        if is_encrypted(text) {
            return Err(TlsFilesError::EncryptedKey { path });
        }
        PrivateKeyDer::from_pem_slice(text).map_err(|error| match error {
            pem::Error::NoItemsFound => TlsFilesError::NoKey { path },
            error => TlsFilesError::NotPem { path, reason: reason(&error) },
        })
    }
}

/// What was read.
pub(super) struct Loaded {
    pub(super) certified: Arc<CertifiedKey>,
    pub(super) valid: Validity,
    /// The same as long as both files hold the same.
    pub(super) fingerprint: [u8; 32],
}

impl Loaded {
    /// A certificate that is not valid is served all the same: the clock may be wrong, and no
    /// server at all would be no better.
    pub(super) fn warn_if_not_valid(&self, files: &TlsFiles, now: UnixMillis) {
        let path = files.certificates.display();
        let now = now.0.div_euclid(1000);
        if self.valid.until.0 < now {
            tracing::warn!(%path, "the certificate has expired: clients will refuse it");
        } else if self.valid.from.0 > now {
            tracing::warn!(%path, "the certificate is not valid yet: clients will refuse it");
        }
    }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsFilesError> {
    let unreadable = |source| TlsFilesError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    // All its room at once: a vector that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MOST_BYTES + 1));
    file.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > MOST_BYTES {
        return Err(TlsFilesError::TooLong { path: path.to_owned() });
    }
    Ok(bytes)
}

fn fingerprint(parts: [&[u8]; 2]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(context.finish().as_ref());
    fingerprint
}

/// Whether a private key is encrypted, in PKCS#8's way or in the old one of OpenSSL.
fn is_encrypted(text: &[u8]) -> bool {
    let starts = |line: &[u8], with: &[u8]| line.trim_ascii().starts_with(with);
    text.split(|byte| *byte == b'\n').any(|line| {
        starts(line, b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
            || starts(line, b"Proc-Type: 4,ENCRYPTED")
    })
}

/// What is wrong with the PEM, in words that hold nothing of it.
fn reason(error: &pem::Error) -> &'static str {
    match error {
        pem::Error::MissingSectionEnd { .. } => "a section has no end",
        pem::Error::IllegalSectionStart { .. } => "a section begins with a broken line",
        pem::Error::Base64Decode(_) => "it is not base64",
        _ => "it is broken",
    }
}
