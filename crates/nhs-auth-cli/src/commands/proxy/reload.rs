//! Reading the configuration again: when it changes, and on `SIGHUP`.

use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use nhs_auth_server::{ProxyReloader, ProxyRoutes};
use tokio::task::spawn_blocking;

use super::apps::Apps;
use super::{routes, supervisor};
use crate::arguments::Verb;
use crate::console::Console;
use crate::failure::Failure;
use crate::layers;

/// How often the file is looked at.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Reads the configuration again whenever its file has changed, or somebody says so.
pub(super) fn on_change(
    reloader: ProxyReloader,
    mut apps: Apps,
    file: Option<PathBuf>,
) -> Result<impl Future<Output = Infallible>, Failure> {
    let mut hangup = hangup()?;
    Ok(async move {
        let mut seen = file.as_deref().and_then(stamp);
        loop {
            let is_told = tokio::select! {
                () = hangup.next() => true,
                () = tokio::time::sleep(LOOK_AGAIN) => false,
            };
            let now = file.as_deref().and_then(stamp);
            if !is_told && now == seen {
                continue;
            }
            seen = now;
            supervisor::reloading();
            let (routes, kept) = match spawn_blocking(move || read(apps)).await {
                Ok(read) => read,
                // A fault of ours, told already: there are no applications to go on with.
                Err(_) => std::future::pending().await,
            };
            apps = kept;
            match routes {
                Ok(routes) => reloader.replace(routes),
                Err(failure) => reloader.failed(failure.message),
            }
            supervisor::ready();
        }
    })
}

/// The routes, by the same flags and what the environment and the file say now.
fn read(mut apps: Apps) -> (Result<ProxyRoutes, Failure>, Apps) {
    let routes = match layers::parse(std::env::args_os()) {
        Ok(Some((cli, _))) => match &cli.verb {
            Verb::Proxy(arguments) => {
                routes::of(arguments, &cli.global.file, &mut apps, Console::default().hushed())
            }
            _ => Err(Failure::fault("the verb has changed")),
        },
        Ok(None) => Err(Failure::fault("help was asked for")),
        Err(failure) => Err(failure),
    };
    (routes, apps)
}

/// What shows that a file has changed.
fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

#[cfg(unix)]
struct Hangup(tokio::signal::unix::Signal);

#[cfg(unix)]
fn hangup() -> Result<Hangup, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    signal(SignalKind::hangup())
        .map(Hangup)
        .map_err(|error| Failure::fault(format!("can't wait for SIGHUP: {error}")))
}

#[cfg(unix)]
impl Hangup {
    async fn next(&mut self) {
        self.0.recv().await;
    }
}

#[cfg(not(unix))]
struct Hangup;

#[cfg(not(unix))]
fn hangup() -> Result<Hangup, Failure> {
    Ok(Hangup)
}

#[cfg(not(unix))]
impl Hangup {
    async fn next(&mut self) {
        std::future::pending().await
    }
}
