//! The verbs, a file each.

pub(crate) mod call_api;
pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod diagnose;
pub(crate) mod exchange_token;
pub(crate) mod explain;
pub(crate) mod generate_keys;
pub(crate) mod get_token;
pub(crate) mod man;
pub(crate) mod mock;
pub(crate) mod proxy;
pub(crate) mod publish_jwks;
pub(crate) mod rotate_keys;
pub(crate) mod serve_jwks;
pub(crate) mod sign_assertion;
pub(crate) mod sign_in;
mod token_answer;

use std::net::SocketAddr;

use jiff::{Timestamp, Unit};
use nhs_auth::UnixMillis;

use crate::failure::Failure;

/// A time for people and programs alike, in whole seconds.
fn rfc3339(time: UnixMillis) -> String {
    let timestamp = Timestamp::from_millisecond(time.0).unwrap_or(Timestamp::MAX);
    timestamp.round(Unit::Second).unwrap_or(timestamp).to_string()
}

/// The address that a flag has for those who run a server, unless it is `off`.
fn admin_address(value: &str) -> Result<Option<SocketAddr>, Failure> {
    if value == "off" {
        return Ok(None);
    }
    let address = value.replacen("localhost:", "127.0.0.1:", 1);
    let address = address.parse().map_err(|_| {
        Failure::usage(format!("the value of --admin can't be used: `{value}`"))
            .hint("give an address and a port, such as 127.0.0.1:8090, or `off`")
    });
    address.map(Some)
}

/// A runtime for a verb that waits for one thing at a time.
pub(crate) fn small_runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().map_err(no_runtime)
}

/// A runtime for a server.
fn server_runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(no_runtime)
}

/// Ends when the process is asked to end.
fn interrupted() -> Result<impl Future<Output = ()>, Failure> {
    interrupted_times(1)
}

/// Ends when the process has been asked to end so often.
#[cfg(unix)]
fn interrupted_times(times: u32) -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let cannot_wait = |error| Failure::fault(format!("can't wait to be interrupted: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot_wait)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot_wait)?;
    Ok(async move {
        for _ in 0..times {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
    })
}

#[cfg(not(unix))]
fn interrupted_times(times: u32) -> Result<impl Future<Output = ()>, Failure> {
    Ok(async move {
        for _ in 0..times {
            let _ = tokio::signal::ctrl_c().await;
        }
    })
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn no_runtime(error: std::io::Error) -> Failure {
    Failure::fault(format!("can't start: {error}"))
}
