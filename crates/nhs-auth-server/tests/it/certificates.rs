//! Certificates of a test's own.

use std::fs;
use std::path::PathBuf;

use nhs_auth_server::TlsFiles;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tempfile::TempDir;

/// A folder with a certificate for `localhost`, and its key.
pub(crate) struct Files {
    folder: TempDir,
}

impl Files {
    pub(crate) fn new() -> Self {
        let files = Self { folder: tempfile::tempdir().unwrap() };
        files.renew();
        files
    }

    /// A new key and a new certificate, in place of the old ones.
    pub(crate) fn renew(&self) {
        let (certificate, key) = pair(|_| {});
        fs::write(self.certificate(), certificate).unwrap();
        fs::write(self.key(), key).unwrap();
    }

    /// The same with another certificate.
    pub(crate) fn renew_with(&self, set: impl FnOnce(&mut CertificateParams)) {
        let (certificate, key) = pair(set);
        fs::write(self.certificate(), certificate).unwrap();
        fs::write(self.key(), key).unwrap();
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    pub(crate) fn for_server(&self) -> TlsFiles {
        TlsFiles::new(self.certificate(), self.key())
    }
}

/// A certificate that signs itself, and its key, both in PEM.
fn pair(set: impl FnOnce(&mut CertificateParams)) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2100, 1, 1);
    set(&mut params);
    let certificate = params.self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}
