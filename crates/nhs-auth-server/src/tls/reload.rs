//! Reading the files again.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;

use super::{Tls, TlsFilesError};

/// How often the files are looked at.
const PERIOD: Duration = Duration::from_mins(1);

/// Reads a server's certificate and key again: after they were renewed, on a signal, or whenever
/// you like. The server does so itself every minute. Connections that are open stay open.
#[derive(Clone)]
pub struct TlsReloader {
    tls: Arc<Tls>,
}

/// What came of reading the files again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Reloaded {
    /// New connections get the new certificate.
    Changed,
    /// The files hold what they held before.
    Same,
}

impl TlsReloader {
    pub(crate) fn new(tls: Arc<Tls>) -> Self {
        Self { tls }
    }

    /// Reads the files again.
    ///
    /// # Errors
    ///
    /// [`TlsFilesError`] if they can't be used. The server goes on with what it had.
    pub async fn reload(&self) -> Result<Reloaded, TlsFilesError> {
        let tls = Arc::clone(&self.tls);
        spawn_blocking(move || tls.reload()).await.expect("reading the files does not panic")
    }

    /// Reads the files again and again.
    pub(crate) async fn watch(&self) -> Infallible {
        loop {
            tokio::time::sleep(PERIOD).await;
            // What goes wrong is logged and counted, and tried again.
            let _: Result<_, _> = self.reload().await;
        }
    }
}

impl Tls {
    fn reload(&self) -> Result<Reloaded, TlsFilesError> {
        let loaded = self.files.load().inspect_err(|error| {
            self.reload_failures.inc();
            tracing::warn!(%error, "the certificate was not renewed; the last one is still shown");
        })?;
        loaded.warn_if_not_valid(&self.files, self.clock.now());
        if loaded.fingerprint == self.current.load().fingerprint {
            return Ok(Reloaded::Same);
        }
        tracing::info!(
            path = %self.files.certificates().display(),
            expires = loaded.valid.until.0,
            "the certificate was renewed"
        );
        self.current.store(Arc::new(loaded));
        Ok(Reloaded::Changed)
    }
}

impl fmt::Debug for TlsReloader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsReloader").field("files", &self.tls.files).finish_non_exhaustive()
    }
}
