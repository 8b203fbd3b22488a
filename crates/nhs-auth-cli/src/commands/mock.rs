//! `nhs-auth mock`.

mod announcement;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use announcement::ReadyFile;
use nhs_auth_mock::{MockConfig, MockPlatform, MockPlatformBuilder, StartError, StateFileError};

use crate::arguments::{Global, Mock};
use crate::commands;
use crate::config_file::ConfigFile;
use crate::console::{self, Console};
use crate::failure::{Exit, Failure};

/// Where it listens unless told otherwise.
const USUAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9000);

pub(crate) fn run(arguments: &Mock, global: &Global, console: Console) -> Result<Exit, Failure> {
    let builder = builder(arguments, &global.file)?;
    if let Some(path) = &arguments.ready_file {
        ReadyFile::clear(path)?;
    }
    commands::server_runtime()?.block_on(async {
        let platform = builder.start().await.map_err(|error| not_started(&error))?;
        if !platform.address().ip().is_loopback() {
            console.warn("anyone who can reach this address can use this platform, and control it");
        }
        for app in platform.first_apps() {
            console.note(format_args!("application {}", app.application_id()));
        }
        let stop = commands::interrupted()?;
        let ready = arguments.ready_file.as_deref();
        let _ready = ready.map(|path| ReadyFile::write(path, &platform)).transpose()?;
        console::answer_line(&platform.base_url())?;
        if arguments.print_env {
            console::answer_text(&announcement::variables(&platform))?;
        }
        console.note("ready: a browser shows there what each request did; interrupt to stop");
        let stopped = platform.run_until(stop).await;
        stopped.map_err(|error| Failure::usage(error.to_string()))?;
        Ok(Exit::Done)
    })
}

fn not_started(error: &StartError) -> Failure {
    let failure = Failure::usage(error.to_string());
    match error {
        StartError::Listen { .. } => {
            failure.hint("another program may have that address: choose one with --listen")
        }
        StartError::State(StateFileError::Content { .. }) => {
            failure.hint("to begin with an empty state, move the file away")
        }
        StartError::State(_) => {
            failure.hint("--state names a file in a folder that is there and can be written to")
        }
        _ => failure,
    }
}

/// The flags go before the table `[mock]` of the configuration file.
fn builder(arguments: &Mock, file: &ConfigFile) -> Result<MockPlatformBuilder, Failure> {
    let mut config = config(file)?;
    if arguments.environment.is_some() {
        // The flag goes before all that the file says of base paths.
        config.environment.clone_from(&arguments.environment);
        config.base_paths.clear();
    }
    let listen = arguments.listen.or(config.listen).unwrap_or(USUAL);
    let builder = MockPlatform::builder().config(config);
    let builder = builder.map_err(|error| Failure::usage(error.to_string()))?.listen(listen);
    let builder = match arguments.rate_limit {
        Some(requests_a_minute) => builder.rate_limit(requests_a_minute),
        None => builder,
    };
    Ok(match &arguments.state {
        Some(path) => builder.state_file(path),
        None => builder,
    })
}

fn config(file: &ConfigFile) -> Result<MockConfig, Failure> {
    let (Some(path), Some(table)) = (&file.path, &file.mock) else {
        return Ok(MockConfig::default());
    };
    let mut config: MockConfig = table.clone().try_into().map_err(|error: toml::de::Error| {
        Failure::usage(format!("{}: in `[mock]`: {}", path.display(), error.message()))
    })?;
    config.directory = path.parent().map_or_else(PathBuf::new, ToOwned::to_owned);
    Ok(config)
}
