//! From flags to an application: who asks, where, and with which key.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use etcetera::BaseStrategy as _;
use nhs_auth::{
    ApiKey, Application, Environment, KeyError, Kid, LoadedKey, LocalSigner, PrivateKey,
    TokenCache, TokenClient, TokenEndpoint,
};
use secrecy::{ExposeSecret as _, SecretString};

use crate::arguments::{Identity, Tokens};
use crate::console::Console;
use crate::failure::Failure;
use crate::secret;

/// How often a passphrase is asked for.
const PROMPTS: usize = 3;

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
    let key_file = key_file(identity)?;
    let kid = kid(identity, &key_file)?;
    let signer = LocalSigner::new(private_key(&key_file, identity, console)?);
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

/// Tokens, kept from run to run unless that is not wanted.
pub(crate) fn token_cache(arguments: &Tokens, console: Console) -> TokenCache {
    let timeout = Duration::from_secs(arguments.timeout);
    let tokens = TokenCache::new(TokenClient::new().with_attempt_timeout(timeout));
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

fn key_file(identity: &Identity) -> Result<PathBuf, Failure> {
    let Some(value) = &identity.private_key else {
        return Err(Failure::usage("there is no private key").hint(
            "give its path with --private-key, NHS_AUTH_PRIVATE_KEY or `private-key` in \
             nhs-auth.toml; `nhs-auth generate-keys` makes one",
        ));
    };
    key_path(value)
}

/// The path that a flag's value is; a key itself is refused, and not repeated.
pub(crate) fn key_path(value: &str) -> Result<PathBuf, Failure> {
    if looks_like_key_material(value) {
        return Err(Failure::usage("the value of --private-key is a key, where its path belongs")
            .hint(
                "save the key to a file that only you can read, and give the file's path; a key \
                 that was on a command line may have been read by others, so replace it if it is \
                 in use",
            ));
    }
    match value.split_once(':') {
        Some(("file", path)) => Ok(path.strip_prefix("//").unwrap_or(path).into()),
        Some((scheme, _)) if is_uri_scheme(scheme) && !Path::new(value).exists() => {
            Err(Failure::usage(format!("keys at `{scheme}:` are not supported by this build"))
                .hint("give the path of a PEM or DER file"))
        }
        _ => Ok(value.into()),
    }
}

fn looks_like_key_material(value: &str) -> bool {
    let is_long_base64 = value.len() > 255
        && value.chars().all(|c| c.is_ascii_alphanumeric() || "+/=-_ \r\n".contains(c));
    ["-----", "PRIVATE KEY", "\"kty\""].iter().any(|sign| value.contains(sign))
        || value.contains(['\n', '\r'])
        || is_long_base64
        || looks_like_a_line_of_a_key(value)
}

/// A line of base64, which by chance alone would be a name: long, mixed, and no path.
fn looks_like_a_line_of_a_key(value: &str) -> bool {
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
    let count = |is: fn(&char) -> bool| value.chars().filter(is).count();
    value.len() >= 40
        && value.chars().all(is_base64)
        && !value.starts_with('/')
        && count(char::is_ascii_uppercase) > 4
        && count(char::is_ascii_lowercase) > 4
        && count(char::is_ascii_digit) > 1
        && !Path::new(value).exists()
}

/// More than one letter: one is a drive on Windows.
fn is_uri_scheme(scheme: &str) -> bool {
    scheme.len() > 1 && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c))
}

fn kid(identity: &Identity, key_file: &Path) -> Result<Kid, Failure> {
    let value = identity.kid.clone().unwrap_or_else(|| {
        let name = key_file.file_name().unwrap_or_default().to_string_lossy();
        name.strip_suffix(".pem").unwrap_or(&name).to_owned()
    });
    Kid::parse(&value).map_err(|error| Failure::identifier("--kid", error))
}

fn private_key(path: &Path, identity: &Identity, console: Console) -> Result<PrivateKey, Failure> {
    let passphrase = identity.passphrase.as_deref();
    let passphrase = passphrase.map(|value| secret::read("--passphrase", value)).transpose()?;
    let loaded = match PrivateKey::load(path, passphrase.as_ref()) {
        Err(KeyError::PassphraseNeeded { .. }) if std::io::stdin().is_terminal() => prompted(path)?,
        Err(error @ KeyError::PassphraseNeeded { .. }) => {
            return Err(Failure::from(error)
                .hint("give it with --passphrase file:PATH, or --passphrase env:NAME"));
        }
        other => other?,
    };
    for warning in &loaded.warnings {
        console.warn(format_args!("{}: {warning}", path.display()));
    }
    Ok(loaded.key)
}

fn prompted(path: &Path) -> Result<LoadedKey, Failure> {
    let mut tries = 0;
    loop {
        tries += 1;
        let prompt = format!("passphrase of {}: ", path.display());
        let passphrase: SecretString = rpassword::prompt_password(prompt)
            .map_err(|error| Failure::usage(format!("can't ask for the passphrase: {error}")))?
            .into();
        match PrivateKey::load(path, Some(&passphrase)) {
            Err(KeyError::WrongPassphrase { .. }) if tries < PROMPTS => {}
            other => return Ok(other?),
        }
    }
}
