//! Where connections come from: a port, or a socket in the file system.

use std::io;
use std::net::SocketAddr;
#[cfg(unix)]
use std::os::unix::net as unix;

use tokio::net::TcpListener;

/// A door.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(tokio::net::UnixListener),
}

/// A connection that has come through it.
#[derive(Debug)]
pub(crate) enum Accepted {
    Tcp(std::net::TcpStream),
    #[cfg(unix)]
    Unix(unix::UnixStream),
}

impl Listener {
    /// Listens at that address, and says which it is: port 0 becomes one that was free.
    pub(crate) async fn at(address: SocketAddr) -> io::Result<(Self, SocketAddr)> {
        let listener = TcpListener::bind(address).await?;
        let local = listener.local_addr()?;
        Ok((Self::Tcp(listener), local))
    }

    /// The next connection. It doesn't block.
    pub(crate) async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Tcp(listener) => Ok(Accepted::Tcp(listener.accept().await?.0.into_std()?)),
            #[cfg(unix)]
            Self::Unix(listener) => Ok(Accepted::Unix(listener.accept().await?.0.into_std()?)),
        }
    }

    /// Those that have come and are not accepted yet; then it is closed.
    pub(crate) fn rest(self) -> impl Iterator<Item = Accepted> {
        let mut closing = match self {
            Self::Tcp(listener) => listener.into_std().map(Closing::Tcp).ok(),
            #[cfg(unix)]
            Self::Unix(listener) => listener.into_std().map(Closing::Unix).ok(),
        };
        std::iter::from_fn(move || closing.as_mut()?.accept().ok())
    }
}

enum Closing {
    Tcp(std::net::TcpListener),
    #[cfg(unix)]
    Unix(unix::UnixListener),
}

impl Closing {
    fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept()?;
                stream.set_nonblocking(true)?;
                Ok(Accepted::Tcp(stream))
            }
            #[cfg(unix)]
            Self::Unix(listener) => {
                let (stream, _) = listener.accept()?;
                stream.set_nonblocking(true)?;
                Ok(Accepted::Unix(stream))
            }
        }
    }
}
