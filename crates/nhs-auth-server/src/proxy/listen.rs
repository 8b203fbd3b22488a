//! Where callers come in.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use crate::serving::{Listener, ServeError};

/// Where the proxy listens.
#[derive(Debug)]
#[non_exhaustive]
pub enum ProxyListen {
    /// A listener that is there already: systemd's, say.
    Given(std::net::TcpListener),
    /// A Unix socket that is there already.
    #[cfg(unix)]
    GivenUnix(std::os::unix::net::UnixListener),
    /// An address of this machine. Port 0 takes any that is free.
    Tcp(SocketAddr),
    /// A Unix socket, for its owner alone. What a dead process left there is replaced.
    Unix(PathBuf),
}

/// Where it does listen.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyAddress {
    /// An address.
    Tcp(SocketAddr),
    /// A Unix socket; `None` when it has no name in the file system.
    Unix(Option<PathBuf>),
}

impl Default for ProxyListen {
    fn default() -> Self {
        Self::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, 8081)))
    }
}

impl ProxyListen {
    /// Whether another machine could reach it.
    pub(super) fn is_remote(&self) -> bool {
        match self {
            Self::Given(listener) => {
                listener.local_addr().is_ok_and(|address| !address.ip().is_loopback())
            }
            Self::Tcp(address) => !address.ip().is_loopback(),
            _ => false,
        }
    }

    /// The socket that ends with the proxy: one that was given is somebody else's.
    pub(super) fn own_socket(&self) -> OwnSocket {
        match self {
            Self::Unix(path) => OwnSocket(Some(path.clone())),
            _ => OwnSocket(None),
        }
    }

    pub(super) async fn bind(self) -> Result<(Listener, ProxyAddress), ServeError> {
        let given = |source| ServeError::Given { source };
        match self {
            Self::Tcp(address) => {
                let bound = Listener::at(address).await;
                let (listener, local) =
                    bound.map_err(|source| ServeError::Listen { address, source })?;
                Ok((listener, ProxyAddress::Tcp(local)))
            }
            Self::Given(listener) => {
                listener.set_nonblocking(true).map_err(given)?;
                let local = listener.local_addr().map_err(given)?;
                let listener = tokio::net::TcpListener::from_std(listener).map_err(given)?;
                Ok((Listener::Tcp(listener), ProxyAddress::Tcp(local)))
            }
            #[cfg(unix)]
            Self::GivenUnix(listener) => {
                listener.set_nonblocking(true).map_err(given)?;
                let local = listener.local_addr().map_err(given)?;
                let path = local.as_pathname().map(ToOwned::to_owned);
                let listener = tokio::net::UnixListener::from_std(listener).map_err(given)?;
                Ok((Listener::Unix(listener), ProxyAddress::Unix(path)))
            }
            #[cfg(unix)]
            Self::Unix(path) => {
                let listener = unix(&path)
                    .map_err(|source| ServeError::Socket { path: path.clone(), source })?;
                Ok((Listener::Unix(listener), ProxyAddress::Unix(Some(path))))
            }
            #[cfg(not(unix))]
            Self::Unix(path) => {
                Err(ServeError::Socket { path, source: io::ErrorKind::Unsupported.into() })
            }
        }
    }
}

/// Makes the socket under another name, for its owner alone, and then gives it its own: there is no
/// moment in which others could connect.
#[cfg(unix)]
fn unix(path: &Path) -> io::Result<tokio::net::UnixListener> {
    use std::os::unix::fs::{FileTypeExt as _, PermissionsExt};
    match std::fs::symlink_metadata(path) {
        Ok(there) if !there.file_type().is_socket() => {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "there is a file, and no socket",
            ));
        }
        Ok(_) => match std::os::unix::net::UnixStream::connect(path) {
            Ok(_) => return Err(io::ErrorKind::AddrInUse.into()),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {} // nobody's
            Err(error) => return Err(error),
        },
        Err(_) => {}
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}", std::process::id()));
    let beside = path.with_file_name(name);
    let _: Result<_, _> = std::fs::remove_file(&beside); // of one that had this process's number
    let listener = tokio::net::UnixListener::bind(&beside)?;
    let named = std::fs::set_permissions(&beside, PermissionsExt::from_mode(0o600))
        .and_then(|()| std::fs::rename(&beside, path));
    if named.is_err() {
        let _: Result<_, _> = std::fs::remove_file(&beside);
    }
    named.map(|()| listener)
}

/// A Unix socket that the proxy made.
pub(super) struct OwnSocket(Option<PathBuf>);

impl OwnSocket {
    /// Takes its name away. As long as the socket is open nobody else takes that name.
    pub(super) fn forget(self) {
        if let Some(path) = self.0 {
            // Somebody may have removed it.
            let _: Result<_, _> = std::fs::remove_file(path);
        }
    }
}

impl ProxyAddress {
    /// Whether another machine could reach it.
    pub fn is_remote(&self) -> bool {
        matches!(self, Self::Tcp(address) if !address.ip().is_loopback())
    }
}

impl fmt::Display for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "http://{address}"),
            Self::Unix(Some(path)) => write!(f, "unix:{}", path.display()),
            Self::Unix(None) => f.write_str("unix:"),
        }
    }
}
