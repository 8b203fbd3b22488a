//! Whose certificates are believed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

/// Why no TLS connection to an API can be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// A file of certificate authorities can't be used.
    #[error("can't use the certificate authorities in {}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The machine's own certificate authorities can't be used.
    #[error("can't use this machine's certificate authorities: {reason}")]
    Machine {
        /// Why.
        reason: String,
    },
}

impl TrustError {
    /// What to do next.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::File { .. } => vec!["give a file of certificates in PEM".to_owned()],
            Self::Machine { .. } => vec![
                "install the package ca-certificates, or name a file of certificate authorities"
                    .to_owned(),
            ],
        }
    }
}

/// TLS 1.2 or later, with the machine's certificate authorities, or with those of a file alone.
pub(super) fn client_config(file: Option<&Path>) -> Result<Arc<ClientConfig>, TrustError> {
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has ciphers for TLS 1.2 and 1.3");
    let builder = match file {
        Some(path) => builder.with_root_certificates(roots(path)?),
        None => builder
            .with_platform_verifier()
            .map_err(|error| TrustError::Machine { reason: error.to_string() })?,
    };
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn roots(path: &Path) -> Result<RootCertStore, TrustError> {
    let unusable = |reason: String| TrustError::File { path: path.to_owned(), reason };
    let pem = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
        roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(unusable("there is no certificate in it".to_owned()));
    }
    Ok(roots)
}
