//! `nhs-auth serve-jwks`.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nhs_auth::KeyRing;
use nhs_auth_server::{JwksEndpoint, JwksPath, JwksServer, JwksState, TlsFiles};

use crate::arguments::{Global, ServeJwks};
use crate::commands::publish_jwks::read_key_set;
use crate::console::{self, Console};
use crate::failure::{Exit, Failure};
use crate::{commands, key_ring};

/// How often a key set's file is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

pub(crate) fn run(arguments: &ServeJwks, _: &Global, console: Console) -> Result<Exit, Failure> {
    let source = Source::of(arguments)?;
    let path = JwksPath::parse(&arguments.path)
        .map_err(|error| Failure::usage(format!("--path can't be used: {error}")))?;
    let admin = commands::admin_address(&arguments.admin)?;
    let tls = arguments.tls_cert.as_ref().zip(arguments.tls_key.as_ref());
    let scheme = if tls.is_some() { "https" } else { "http" };
    let runtime = commands::small_runtime()?;
    let served = runtime.block_on(async {
        let endpoint = JwksEndpoint::new();
        source.look(&endpoint).await;
        let builder = JwksServer::builder(endpoint.clone())
            .listen(arguments.listen)
            .admin(admin)
            .path(path)
            .tls(tls.map(|(certificates, key)| TlsFiles::new(certificates, key)));
        let server = builder.bind().await?;
        let stop = commands::interrupted()?;
        if let JwksState::Withdrawn { reason, .. } = endpoint.state() {
            console.warn(format_args!("503 is answered for now: {reason}"));
        }
        if let Some(admin) = server.admin_addr() {
            console.note(format_args!(
                "health and metrics: http://{admin}/healthz, /readyz, /metrics"
            ));
        }
        console::answer_line(&format!("{scheme}://{}{}", server.local_addr(), arguments.path))?;
        console.note("ready: interrupt to stop");
        tokio::select! {
            () = server.run_until(stop) => {}
            never = source.follow(&endpoint) => match never {},
        }
        Ok(Exit::Done)
    });
    // A read that hangs, of a folder of another machine, keeps nobody from ending.
    runtime.shutdown_background();
    served
}

/// Where the key set comes from.
enum Source {
    File(PathBuf),
    Ring(KeyRing),
}

impl Source {
    fn of(arguments: &ServeJwks) -> Result<Self, Failure> {
        match (&arguments.jwks, &arguments.ring.key_ring) {
            (Some(file), Some(ring)) => Err(Failure::usage(format!(
                "--jwks {} and --key-ring {ring} are given: one of them is served",
                file.display()
            ))),
            (Some(file), None) => Ok(Self::File(file.clone())),
            (None, _) => Ok(Self::Ring(key_ring::named(&arguments.ring)?)),
        }
    }

    async fn look(&self, endpoint: &JwksEndpoint) {
        match self {
            Self::File(file) => look_at(file, endpoint),
            Self::Ring(ring) => endpoint.follow_once(ring).await,
        }
    }

    async fn follow(&self, endpoint: &JwksEndpoint) -> Infallible {
        match self {
            Self::File(file) => loop {
                tokio::time::sleep(LOOK_AGAIN).await;
                look_at(file, endpoint);
            },
            Self::Ring(ring) => endpoint.follow(ring).await,
        }
    }
}

fn look_at(file: &Path, endpoint: &JwksEndpoint) {
    match read_key_set(file) {
        Ok(key_set) if endpoint.publish(&key_set).is_ok() => {}
        Ok(_) => endpoint.withdraw(format!("{} has no key", file.display())),
        Err(failure) => endpoint.withdraw(failure.message),
    }
}
