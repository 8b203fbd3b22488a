//! Why a server can't be started.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::proxy::TrustError;
use crate::tls::TlsFilesError;

/// The server can't be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// A socket that was given can't be used.
    #[error("the socket that was given can't be used")]
    Given {
        /// Why.
        source: io::Error,
    },
    /// An address can't be listened on.
    #[error("can't listen on {address}")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// Other machines could reach the proxy, and nobody has said that they may.
    #[error("{address} can be reached from other machines")]
    Remote {
        /// Where it would listen.
        address: String,
    },
    /// A Unix socket can't be made.
    #[error("can't listen at {}", path.display())]
    Socket {
        /// Its place.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A thread can't be started.
    #[error("can't start a thread for the server")]
    Thread {
        /// Why.
        source: io::Error,
    },
    /// The certificate or its key can't be used.
    #[error(transparent)]
    Tls(#[from] TlsFilesError),
    /// The certificate authorities can't be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
}

impl ServeError {
    /// What to do next, one sentence each, the best first.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Listen { source, address } => match source.kind() {
                io::ErrorKind::AddrInUse => vec![format!(
                    "another program listens there: choose another port than {}, or stop it",
                    address.port()
                )],
                io::ErrorKind::AddrNotAvailable => {
                    vec!["use an address of this machine, or 0.0.0.0 for all of them".into()]
                }
                io::ErrorKind::PermissionDenied => {
                    vec!["ports under 1024 need a privilege: choose a higher one".into()]
                }
                _ => Vec::new(),
            },
            Self::Remote { .. } => vec![
                "whoever reaches the proxy uses the application's access: listen at 127.0.0.1, or \
                 at a Unix socket"
                    .to_owned(),
                "--allow-remote lets others in; give it a --caller-secret, and a network that is \
                 closed to strangers"
                    .to_owned(),
            ],
            Self::Socket { source, .. } => match source.kind() {
                io::ErrorKind::AddrInUse => {
                    vec!["another program listens there: choose another, or stop it".to_owned()]
                }
                _ => Vec::new(),
            },
            Self::Given { .. } | Self::Thread { .. } => Vec::new(),
            Self::Tls(error) => error.hints(),
            Self::Trust(error) => error.hints(),
        }
    }
}
