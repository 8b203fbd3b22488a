//! An API whose every byte the test decides.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::peer::{PATIENCE, Peer};

pub(crate) struct Upstream {
    listener: TcpListener,
    pub(crate) address: SocketAddr,
}

impl Upstream {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self { listener, address }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next connection that the proxy makes.
    pub(crate) async fn accept(&self) -> Peer {
        Peer::over(self.accept_raw().await)
    }

    /// The same, before anything is said.
    pub(crate) async fn accept_raw(&self) -> TcpStream {
        let accepted = timeout(PATIENCE, self.listener.accept());
        accepted.await.expect("the proxy connects").unwrap().0
    }

    /// Whether nobody connects for a while.
    pub(crate) async fn is_left_alone(&self) -> bool {
        timeout(Duration::from_millis(200), self.listener.accept()).await.is_err()
    }
}
