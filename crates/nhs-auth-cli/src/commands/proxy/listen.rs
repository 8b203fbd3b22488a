//! Where the sidecar listens, as a flag has it or systemd gives it.

use listenfd::ListenFd;
use nhs_auth_server::ProxyListen;

use crate::failure::Failure;

/// What systemd has opened already goes before the flag: a socket unit is there to say where.
pub(super) fn parse(value: &str) -> Result<ProxyListen, Failure> {
    if let Some(given) = given()? {
        return Ok(given);
    }
    if let Some(path) = value.strip_prefix("unix:") {
        if path.is_empty() {
            return Err(unusable(value));
        }
        return Ok(ProxyListen::Unix(path.into()));
    }
    let address = value.replacen("localhost:", "127.0.0.1:", 1);
    address.parse().map(ProxyListen::Tcp).map_err(|_| unusable(value))
}

fn unusable(value: &str) -> Failure {
    Failure::usage(format!("the value of --listen can't be used: `{value}`"))
        .hint("give an address and a port, such as 127.0.0.1:8081, or unix:PATH")
}

/// A socket that was opened before this program began (`LISTEN_FDS`).
fn given() -> Result<Option<ProxyListen>, Failure> {
    let mut given = ListenFd::from_env();
    if given.len() > 1 {
        return Err(Failure::usage(format!(
            "{} sockets were given, and one can be used",
            given.len()
        ))
        .hint("let the socket unit have one ListenStream"));
    }
    if given.len() == 0 {
        return Ok(None);
    }
    if let Ok(Some(listener)) = given.take_tcp_listener(0) {
        return Ok(Some(ProxyListen::Given(listener)));
    }
    #[cfg(unix)]
    if let Ok(Some(listener)) = given.take_unix_listener(0) {
        return Ok(Some(ProxyListen::GivenUnix(listener)));
    }
    Err(Failure::usage("the socket that was given is no stream that can be listened at"))
}
