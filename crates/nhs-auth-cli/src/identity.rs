//! From flags to an application: who asks, where, and with which key.

use std::time::Duration;

use etcetera::BaseStrategy as _;
use nhs_auth::{
    ApiKey, Application, Environment, FollowedKeyRing, TokenCache, TokenClient, TokenEndpoint,
};
use secrecy::ExposeSecret as _;

use crate::arguments::{Identity, Tokens};
use crate::console::Console;
use crate::failure::Failure;
use crate::private_key::{self, KeyAt};
use crate::{key_ring, secret};

/// The application that the flags describe. Nothing is sent anywhere.
pub(crate) fn application(identity: &Identity, console: Console) -> Result<Application, Failure> {
    application_in(identity, environment(&identity.env)?, console)
}

/// The same, with its tokens from another environment than the flags say.
pub(crate) fn application_in(
    identity: &Identity,
    environment: Environment,
    console: Console,
) -> Result<Application, Failure> {
    let api_key = api_key(identity.api_key.as_deref(), console)?;
    let endpoint = endpoint(identity, environment)?;
    if let Some(place) = &identity.key_ring {
        if let Some(path) = &identity.private_key {
            return Err(Failure::usage(format!(
                "--private-key {path} and --key-ring {place} are given: one of them signs"
            ))
            .hint("leave one out, in the configuration file and the environment too"));
        }
        let ring = FollowedKeyRing::new(key_ring::at(place)?);
        return Ok(Application::following(endpoint, api_key, ring));
    }
    let key = private_key(identity)?;
    let kid = private_key::kid("--kid", identity.kid.as_deref(), &key)?;
    let passphrase = ("--passphrase", identity.passphrase.as_deref());
    let signer = private_key::signer(&key, passphrase, console)?;
    Ok(Application::new(endpoint, api_key, kid, signer))
}

/// The API key that a flag gives.
pub(crate) fn api_key(value: Option<&str>, console: Console) -> Result<ApiKey, Failure> {
    let Some(value) = value else {
        return Err(Failure::usage("there is no API key").hint(
            "give it with --api-key, NHS_AUTH_API_KEY or `api-key` in nhs-auth.toml; the portal \
             shows it under `Active API keys`",
        ));
    };
    let value = secret::read("--api-key", value)?;
    let api_key = ApiKey::parse(value.expose_secret().trim())
        .map_err(|error| Failure::identifier("--api-key", error))?;
    if let Some(oddity) = api_key.oddity() {
        console.warn(oddity);
    }
    Ok(api_key)
}

/// The environment of that name.
pub(crate) fn environment(name: &str) -> Result<Environment, Failure> {
    name.parse().map_err(|error| Failure::usage(format!("{error}")))
}

/// Where tokens come from.
fn endpoint(identity: &Identity, environment: Environment) -> Result<TokenEndpoint, Failure> {
    Ok(match (&identity.base_url, &identity.base_path) {
        (Some(base_url), base_path) => TokenEndpoint::at(base_url, base_path.as_deref())?,
        (None, Some(base_path)) => TokenEndpoint::under(environment, base_path)?,
        (None, None) => TokenEndpoint::of(environment),
    })
}

/// What asks token endpoints, with so many seconds for an attempt.
pub(crate) fn token_client(timeout_s: u64) -> TokenClient {
    TokenClient::new().with_attempt_timeout(Duration::from_secs(timeout_s))
}

/// Tokens, kept from run to run unless that is not wanted.
pub(crate) fn token_cache(arguments: &Tokens, console: Console) -> TokenCache {
    kept(TokenCache::new(token_client(arguments.timeout)), arguments, console)
}

/// The same of a cache that is there.
pub(crate) fn kept(tokens: TokenCache, arguments: &Tokens, console: Console) -> TokenCache {
    if arguments.no_cache {
        return tokens;
    }
    match etcetera::choose_base_strategy() {
        Ok(strategy) => tokens.with_files(strategy.cache_dir().join("nhs-auth").join("tokens")),
        Err(error) => {
            console.warn(format_args!("tokens are not kept from run to run: {error}"));
            tokens
        }
    }
}

fn private_key(identity: &Identity) -> Result<KeyAt, Failure> {
    let Some(value) = &identity.private_key else {
        return Err(Failure::usage("there is no private key").hint(
            "give its path with --private-key, NHS_AUTH_PRIVATE_KEY or `private-key` in \
             nhs-auth.toml; `nhs-auth generate-keys` makes one",
        ));
    };
    private_key::parse("--private-key", value)
}
