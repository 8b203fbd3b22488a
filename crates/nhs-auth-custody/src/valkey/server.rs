//! Where the server is, and how it is spoken to.

use std::fmt;

use redis::{
    Client, ConnectionAddr, IntoConnectionInfo as _, ProtocolVersion, RedisError, TlsCertificates,
};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// A Valkey or Redis server: its address, and what it takes to be let in. `Debug` and `Display`
/// show the address alone.
#[derive(Clone)]
pub struct ValkeyServer(Client);

/// Why this is no server's URL, or no certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidValkeyServer {
    /// Its scheme is another.
    #[error("the URL of a Valkey server begins with `rediss://`, or `redis://` without TLS")]
    Scheme,
    /// It switches the check of certificates off, or has a fragment that means nothing.
    #[error("the URL of a Valkey server has no `#` and what follows it; certificates are checked")]
    Fragment,
    /// Something else is wrong with it. The URL isn't shown, for the password in it.
    #[error("this is no URL of a Valkey server: {0}")]
    Url(String),
    /// There is no certificate in the PEM text, or it can't be read.
    #[error("there is no certificate in PEM, or one that can't be read")]
    Certificates,
    /// Certificates are of no use without TLS.
    #[error("certificates need TLS: let the URL begin with `rediss://`")]
    CertificatesWithoutTls,
}

impl ValkeyServer {
    /// Reads `rediss://user:password@host:port/database`; `redis://` goes without TLS, for a
    /// server on the same machine. All but the host can be left out.
    ///
    /// TLS is rustls, with the system's root certificates. It needs one crypto provider for the
    /// whole process: where none has been chosen by now, this chooses aws-lc-rs.
    ///
    /// # Errors
    ///
    /// [`InvalidValkeyServer`].
    pub fn parse(url: &str) -> Result<Self, InvalidValkeyServer> {
        let scheme = url.split_once("://").map(|(scheme, _)| scheme);
        let uses_tls = match scheme {
            Some("rediss" | "valkeys") => true,
            Some("redis" | "valkey") => false,
            _ => return Err(InvalidValkeyServer::Scheme),
        };
        if url.contains('#') {
            return Err(InvalidValkeyServer::Fragment);
        }
        let info = url.into_connection_info().map_err(|error| described(&error))?;
        // By which a connection that the server closes is noticed before it is used.
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let info = info.set_redis_settings(settings);
        if uses_tls {
            choose_crypto();
        }
        Client::open(info).map(Self).map_err(|error| described(&error))
    }

    /// The same, trusting these root certificates, in PEM, rather than the system's.
    ///
    /// # Errors
    ///
    /// [`InvalidValkeyServer`].
    pub fn with_root_certificates(self, pem: &[u8]) -> Result<Self, InvalidValkeyServer> {
        let info = self.0.get_connection_info();
        if !matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
            return Err(InvalidValkeyServer::CertificatesWithoutTls);
        }
        if CertificateDer::pem_slice_iter(pem).next().is_none() {
            return Err(InvalidValkeyServer::Certificates);
        }
        let certificates = TlsCertificates { client_tls: None, root_cert: Some(pem.to_vec()) };
        let client = Client::build_with_tls(info.clone(), certificates);
        client.map(Self).map_err(|_| InvalidValkeyServer::Certificates)
    }

    pub(super) fn client(&self) -> &Client {
        &self.0
    }
}

/// What is wrong, without the details, which may have part of the URL in them.
fn described(error: &RedisError) -> InvalidValkeyServer {
    let text = error.to_string();
    InvalidValkeyServer::Url(text.split(" - ").next().unwrap_or_default().to_owned())
}

/// Where two providers are compiled in and none has been chosen, rustls panics.
fn choose_crypto() {
    if CryptoProvider::get_default().is_none() {
        // One that is chosen in between is as good.
        let _ = aws_lc_rs::default_provider().install_default();
    }
}

impl fmt::Display for ValkeyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.get_connection_info().addr().fmt(f)
    }
}

impl fmt::Debug for ValkeyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ValkeyServer({self})")
    }
}
