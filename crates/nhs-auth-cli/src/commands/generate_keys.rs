//! `nhs-auth generate-keys`.

mod files;

use std::time::Duration;

use indicatif::ProgressBar;
use nhs_auth::{Environment, KeySet, Kid, PrivateKey, PublishedKey};
use serde_json::json;

use self::files::Files;

use crate::arguments::{GenerateKeys, Global, Output};
use crate::console::{self, Console};
use crate::failure::{Exit, Failure};
use crate::identity;

/// The developer portal.
pub(super) const PORTAL: &str = "https://onboarding.prod.api.platform.nhs.uk/";

pub(crate) fn run(
    arguments: &GenerateKeys,
    global: &Global,
    console: Console,
) -> Result<Exit, Failure> {
    if let Some(api_key) = &arguments.api_key {
        identity::api_key(Some(api_key), console)?;
    }
    let environment = identity::environment(&arguments.env)?;
    let folder = &arguments.output_dir;
    let named = match arguments.kid.as_deref() {
        Some("thumbprint") => None,
        Some(kid) => Some(kid.to_owned()),
        None => Some(format!("{environment}-1")),
    };
    if let Some(name) = &named {
        Files::named(folder, name)?.must_be_new()?;
    }

    let key = make_key(console)?;
    let name = named.unwrap_or_else(|| key.public().thumbprint());
    let kid = Kid::parse(&name).map_err(|error| Failure::identifier("--kid", error))?;
    let jwks = KeySet::new(vec![PublishedKey::new(kid, key.public().clone())])?.to_json();
    let files = Files::named(folder, &name)?;
    files.write(&key, &jwks)?;

    match global.output {
        Output::Human => {
            for path in files.paths() {
                console::answer_line(&path.display().to_string())?;
            }
        }
        Output::Json => console::answer_json(&json!({
            "jwks": files.jwks,
            "kid": name,
            "private_key": files.private,
            "public_key": files.public,
            "thumbprint": key.public().thumbprint(),
        }))?,
    }
    tell_next_steps(console, environment, &name, &files);
    Ok(Exit::Done)
}

pub(crate) fn make_key(console: Console) -> Result<PrivateKey, Failure> {
    if !console.is_interactive() {
        console.note("making an RSA key of 4096 bits");
        return Ok(PrivateKey::generate()?);
    }
    let progress = ProgressBar::new_spinner().with_message("making an RSA key of 4096 bits");
    progress.enable_steady_tick(Duration::from_millis(100));
    let key = PrivateKey::generate();
    progress.finish_and_clear();
    Ok(key?)
}

fn tell_next_steps(console: Console, environment: Environment, kid: &str, files: &Files) {
    let portal_name = environment.portal_name.unwrap_or(environment.name);
    console.done(format_args!("made the key pair {kid}"));
    console.heading("next steps");
    console.note(format_args!(
        "  1. in the developer portal, {PORTAL}, open your application of the environment \
         {portal_name:?},\n     then `Manage public key`, and upload {}",
        files.jwks.display()
    ));
    console.note(format_args!(
        "  2. nhs-auth get-token --env {environment} --private-key {} --api-key <API key>\n     \
         (the portal shows it under `Active API keys`; it is not the application ID)",
        files.private.display()
    ));
    console.note(format_args!(
        "  keep {} to yourself: never commit it, send it or paste it anywhere",
        files.private.display()
    ));
}
