//! TLS from two files, which are read again when they change.

mod certificate;
mod error;
mod files;
mod reload;

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use nhs_auth::{Clock, UnixSeconds};
use prometheus_client::metrics::counter::Counter;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{ServerConfig, crypto};

pub use self::error::TlsFilesError;
use self::files::Loaded;
pub use self::files::TlsFiles;
pub use self::reload::{Reloaded, TlsReloader};

/// A certificate and its key, as they are now.
pub(crate) struct Tls {
    files: TlsFiles,
    current: ArcSwap<Loaded>,
    clock: Arc<dyn Clock>,
    pub(crate) reload_failures: Counter,
}

impl Tls {
    /// Reads the files for the first time.
    pub(crate) fn load(files: TlsFiles, clock: Arc<dyn Clock>) -> Result<Arc<Self>, TlsFilesError> {
        let loaded = files.load()?;
        loaded.warn_if_not_valid(&files, clock.now());
        let current = ArcSwap::from_pointee(loaded);
        Ok(Arc::new(Self { files, current, clock, reload_failures: Counter::default() }))
    }

    /// What greets new connections: TLS 1.2 or newer, with HTTP/2 for those who can.
    pub(crate) fn acceptor(self: &Arc<Self>) -> TlsAcceptor {
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has ciphers for TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Resolver(Arc::clone(self))));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }

    /// When the certificate that is shown now expires.
    pub(crate) fn expires(&self) -> UnixSeconds {
        self.current.load().valid.until
    }
}

/// Shows whoever asks the certificate of the moment.
struct Resolver(Arc<Tls>);

impl ResolvesServerCert for Resolver {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.current.load().certified))
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").finish_non_exhaustive()
    }
}
