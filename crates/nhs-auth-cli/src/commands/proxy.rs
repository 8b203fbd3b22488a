//! `nhs-auth proxy`.

mod apps;
mod keeping;
mod listen;
mod reload;
mod routes;
mod supervisor;
mod traces;

use std::time::Duration;

use nhs_auth_server::{ProxyMetrics, ProxyServer};
use secrecy::{ExposeSecret as _, SecretString};

use self::apps::Apps;
use self::keeping::Keeping;
use self::traces::Traces;
use crate::arguments::{Global, LogForm, Proxy};
use crate::console::{self, Console};
use crate::failure::{Exit, Failure};
use crate::{commands, secret};

pub(crate) fn run(arguments: &Proxy, global: &Global, console: Console) -> Result<Exit, Failure> {
    let console = if arguments.log == LogForm::Json { console.hushed() } else { console };
    let listen = listen::parse(&arguments.listen)?;
    let admin = commands::admin_address(&arguments.admin)?;
    let caller_secret = arguments.caller_secret.as_deref().map(caller_secret).transpose()?;
    let metrics = ProxyMetrics::new();
    let mut apps = Apps::new(Keeping::of(arguments, &metrics, console)?, console);
    let routes = routes::of(arguments, &global.file, &mut apps, console)?;
    let config = global.file.path.clone();

    let runtime = commands::server_runtime()?;
    let traces = Traces::of_environment(runtime.handle(), console)?;
    let served = runtime.block_on(async {
        let mut builder = ProxyServer::builder(routes)
            .listen(listen)
            .admin(admin)
            .allow_remote(arguments.allow_remote)
            .caller_secret(caller_secret)
            .ca_file(arguments.ca_file.clone())
            .upstream_timeout(Duration::from_secs(arguments.upstream_timeout))
            .drain(Duration::from_secs(arguments.drain))
            .metrics(metrics);
        for name in &arguments.server_name {
            builder = builder.server_name(name);
        }
        let server = traces.told_by(builder).bind().await?;
        if server.address().is_remote() && arguments.caller_secret.is_none() {
            console.warn(
                "whoever can reach this address uses the application's access: --caller-secret \
                 keeps strangers out",
            );
        }
        let (stop, impatient) = (commands::interrupted()?, commands::interrupted_times(2)?);
        let reloading = reload::on_change(server.reloader(), apps, config)?;
        if let Some(admin) = server.admin_addr() {
            console.note(format_args!(
                "health and metrics: http://{admin}/healthz, /readyz, /metrics"
            ));
        }
        console::answer_line(&server.address().to_string())?;
        console.note("ready: interrupt to stop");
        supervisor::ready();
        let stop = async {
            tokio::select! {
                () = stop => {}
                never = reloading => match never {},
            }
            supervisor::stopping();
        };
        tokio::select! {
            () = server.run_until(stop) => {}
            () = impatient => console.note("requests that were under way are cut off"),
        }
        Ok(Exit::Done)
    });
    traces.finish();
    // What hangs, a look at a file of another machine say, keeps nobody from ending.
    runtime.shutdown_background();
    served
}

/// An empty one, of a file that nothing was put into say, would let everyone in who says nothing.
fn caller_secret(value: &str) -> Result<SecretString, Failure> {
    let secret = secret::read("--caller-secret", value)?;
    if secret.expose_secret().is_empty() {
        return Err(Failure::usage("the value of --caller-secret is empty")
            .hint("leave the flag out, if all of this machine's programs may use the sidecar"));
    }
    Ok(secret)
}
