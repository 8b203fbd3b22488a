//! Why a server can't be started.

use std::io;
use std::net::SocketAddr;

use crate::tls::TlsFilesError;

/// The server can't be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// An address can't be listened on.
    #[error("can't listen on {address}")]
    Listen {
        /// Which address.
        address: SocketAddr,
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
            Self::Thread { .. } => Vec::new(),
            Self::Tls(error) => error.hints(),
        }
    }
}
