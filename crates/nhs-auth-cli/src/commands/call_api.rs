//! `nhs-auth call-api`.

mod answer;
mod request;

use nhs_auth::{Access, ApiClient, Destinations, Environment};
use nhs_auth_rules::environment::OAUTH2;

use crate::arguments::{Auth, CallApi, Global, Output};
use crate::console::Console;
use crate::failure::{Exit, Failure};
use crate::{commands, identity};

pub(crate) fn run(arguments: &CallApi, global: &Global, console: Console) -> Result<Exit, Failure> {
    let url = request::url(arguments)?;
    let destinations = destinations(arguments)?;
    if arguments.auth != Auth::None {
        destinations.check(&url.text())?;
    }
    let request = request::build(&url, arguments)?;
    let access = access(arguments, &url, console)?;
    let client = ApiClient::new(access, destinations);

    commands::small_runtime()?.block_on(async {
        let answered = client.send(request).await?;
        match global.output {
            Output::Human => answer::stream(answered, console).await,
            Output::Json => answer::as_json(answered, console).await,
        }
    })
}

/// The platform's own hosts, the one that stands in for it, and those that were named.
fn destinations(arguments: &CallApi) -> Result<Destinations, Failure> {
    let mut destinations = Destinations::nhs_only();
    if let Some(base_url) = &arguments.identity.base_url {
        let endpoint = nhs_auth::TokenEndpoint::at(base_url, None)?;
        destinations = destinations.and(base_url)?;
        if endpoint.is_loopback() {
            // A stand-in's token is of no use to anyone, and its neighbours are tests.
            destinations = destinations.and_loopback();
        }
    }
    for host in &arguments.allow_host {
        destinations = destinations.and(host)?;
    }
    Ok(destinations)
}

fn access(arguments: &CallApi, url: &request::Target, console: Console) -> Result<Access, Failure> {
    match arguments.auth {
        Auth::None => Ok(Access::Open),
        Auth::ApiKey => {
            let api_key = identity::api_key(arguments.identity.api_key.as_deref(), console)?;
            Ok(Access::ApiKey(api_key))
        }
        Auth::SignedJwt => {
            let environment = token_environment(arguments, url, console)?;
            let application = identity::application_in(&arguments.identity, environment, console)?;
            Ok(Access::SignedJwt(
                identity::token_cache(&arguments.tokens, console).source(&application),
            ))
        }
    }
}

/// Sandbox APIs take tokens of the integration environment, unless told otherwise.
fn token_environment(
    arguments: &CallApi,
    url: &request::Target,
    console: Console,
) -> Result<Environment, Failure> {
    let called = identity::environment(&arguments.identity.env)?;
    let chosen = match &arguments.token_env {
        Some(name) => identity::environment(name)?,
        None if called == Environment::SANDBOX => {
            let stand_in = &arguments.identity.base_url;
            let place = stand_in.as_ref().map_or_else(
                || Environment::INT.token_url(),
                |base_url| format!("{}{OAUTH2}/token", base_url.trim_end_matches('/')),
            );
            console.note(format_args!(
                "the token for the sandbox is taken from int ({place}); --token-env chooses another"
            ));
            Environment::INT
        }
        None => called,
    };
    if let Some(host) = url.environment()
        && host != called
        && host != chosen
    {
        console.warn(format_args!(
            "the URL is in {host} and the token from {chosen}: a token is good in its own \
             environment alone"
        ));
    }
    Ok(chosen)
}
