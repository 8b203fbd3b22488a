//! Where callers come in: addresses and Unix sockets.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use nhs_auth_server::{ProxyListen, ProxyRoutes, ProxyServer, ServeError};
use tokio::net::UnixStream;

use super::peer::Peer;
use super::platform::Platform;
use super::sidecar::{Sidecar, app, with_token};
use super::upstream::Upstream;

async fn at(path: &Path) -> Sidecar {
    let listen = ProxyListen::Unix(path.to_owned());
    Sidecar::start_with(|builder| builder.listen(listen), |route| route).await
}

async fn refused(listen: ProxyListen) -> ServeError {
    let platform = Platform::start().await;
    let url = Upstream::start().await.url();
    let routes = ProxyRoutes::new(vec![with_token("/", &url)], vec![app(&platform)]).unwrap();
    ProxyServer::builder(routes).listen(listen).bind().await.unwrap_err()
}

#[tokio::test]
async fn a_unix_socket_is_for_its_owner_and_ends_with_the_proxy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("proxy.sock");
    // One that a dead process left.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let sidecar = at(&path).await;
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);

    let mut client = Peer::over(UnixStream::connect(&path).await.unwrap());
    client.send("GET /a HTTP/1.1\r\nHost: any.example\r\n\r\n").await;
    let mut api = sidecar.upstream.accept().await;
    assert_eq!(api.head().await.first, "GET /a HTTP/1.1");
    api.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    assert_eq!(client.message().await.text(), "ok");

    let error = refused(ProxyListen::Unix(path.clone())).await;
    assert!(error.hints().concat().contains("another program"), "{error}");
    UnixStream::connect(&path).await.expect("the one that lives goes on");
    sidecar.stop().await;
    assert!(!path.exists());
}

#[tokio::test]
async fn what_is_no_socket_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "important").unwrap();
    let error = refused(ProxyListen::Unix(path.clone())).await;
    assert!(error.to_string().contains("notes.txt"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "important");
    let error = refused(ProxyListen::Unix(folder.path().join("missing/proxy.sock"))).await;
    assert!(error.to_string().contains("missing/proxy.sock"), "{error}");
}

/// systemd's, say: the next process gets the same one.
#[tokio::test]
async fn a_socket_that_was_given_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("proxy.sock");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    for _ in 0..2 {
        let listen = ProxyListen::GivenUnix(listener.try_clone().unwrap());
        let sidecar = Sidecar::start_with(|builder| builder.listen(listen), |route| route).await;
        let mut client = Peer::over(UnixStream::connect(&path).await.unwrap());
        client.send("POST /token HTTP/1.0\r\n\r\n").await;
        assert_eq!(client.message().await.status(), 200);
        sidecar.stop().await;
        assert!(path.exists());
    }
}

#[tokio::test]
async fn other_machines_are_let_in_only_where_that_was_said() {
    for address in ["0.0.0.0:0", "[::]:0"] {
        let error = refused(ProxyListen::Tcp(address.parse().unwrap())).await;
        assert!(matches!(error, ServeError::Remote { .. }), "{error}");
        assert!(error.hints().concat().contains("--allow-remote"));
    }
    let given = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
    let error = refused(ProxyListen::Given(given)).await;
    assert!(matches!(error, ServeError::Remote { .. }), "{error}");

    let anywhere = ProxyListen::Tcp("0.0.0.0:0".parse().unwrap());
    let set =
        |builder: nhs_auth_server::ProxyServerBuilder| builder.listen(anywhere).allow_remote(true);
    let sidecar = Sidecar::start_with(set, |route| route).await;
    assert!(sidecar.address.ip().is_unspecified());
    sidecar.stop().await;
}
