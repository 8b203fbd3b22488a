//! `nhs-auth generate-keys`.

mod files;

use std::time::Duration;

use indicatif::ProgressBar;
use nhs_auth::{CreatedKey, Environment, KeySet, KeyUri, Kid, PrivateKey, PublicKey, PublishedKey};
use serde_json::json;

use self::files::Files;

use crate::arguments::{GenerateKeys, Global, Output};
use crate::console::{self, Console};
use crate::failure::{Exit, Failure};
use crate::private_key::{self, KeyAt};
use crate::{custody, identity, secret};

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
    let key = match place(arguments, console)? {
        Some(uri) => make_elsewhere(&uri, named.as_deref(), arguments, console)?,
        None => NewKey::Here(make_key(console)?),
    };
    let name = named.unwrap_or_else(|| key.public().thumbprint());
    let kid = kid_of(&name)?;
    let jwks = KeySet::new(vec![PublishedKey::new(kid, key.public().clone())])?.to_json();
    let files = Files::named(folder, &name)?;
    files.write(key.private(), key.public(), &jwks).map_err(|failure| match &key {
        NewKey::Here(_) => failure,
        NewKey::Elsewhere(created) => {
            failure.hint(format!("the key is made already: it is {}", created.uri))
        }
    })?;
    tell(&key, &name, &files, global)?;
    tell_next_steps(console, environment, &name, &files, &key);
    Ok(Exit::Done)
}

/// A key that was made, and where its private half is.
enum NewKey {
    Here(PrivateKey),
    Elsewhere(CreatedKey),
}

impl NewKey {
    fn private(&self) -> Option<&PrivateKey> {
        match self {
            Self::Here(key) => Some(key),
            Self::Elsewhere(_) => None,
        }
    }

    fn public(&self) -> &PublicKey {
        match self {
            Self::Here(key) => key.public(),
            Self::Elsewhere(created) => created.signer.public_key(),
        }
    }
}

fn kid_of(name: &str) -> Result<Kid, Failure> {
    Kid::parse(name).map_err(|error| Failure::identifier("--kid", error))
}

/// Where the key is made, when not here. A path is the configuration's of a key that is there, as a
/// rule: where new ones go is for --output-dir to say.
fn place(arguments: &GenerateKeys, console: Console) -> Result<Option<KeyUri>, Failure> {
    let Some(value) = &arguments.private_key else {
        return Ok(None);
    };
    match private_key::parse("--private-key", value)? {
        KeyAt::Uri(uri) => {
            private_key::warn_of_pin(&uri, console);
            Ok(Some(uri))
        }
        KeyAt::File(path) => {
            console.note(format_args!(
                "{} is not looked at: --private-key says where to make a key by a URI alone",
                path.display()
            ));
            Ok(None)
        }
    }
}

/// A key that is made where a URI says, and never leaves it.
fn make_elsewhere(
    uri: &KeyUri,
    name: Option<&str>,
    arguments: &GenerateKeys,
    console: Console,
) -> Result<NewKey, Failure> {
    // A key can't be named by itself before it is there.
    let name = name.ok_or_else(|| {
        Failure::usage("--kid thumbprint names a key that is there already")
            .hint("give the key a name of its own with --kid")
    })?;
    let kid = kid_of(name)?;
    console.note(format_args!("making an RSA key of 4096 bits at {uri}"));
    let pin = arguments.passphrase.as_deref();
    let pin = pin.map(|value| secret::read("--passphrase", value)).transpose()?;
    let created =
        custody::with_pin_if_needed(uri, pin, async |custody| custody.create(uri, &kid).await)?;
    Ok(NewKey::Elsewhere(created))
}

/// The answer: the files, and the key's URI where it has one.
fn tell(key: &NewKey, name: &str, files: &Files, global: &Global) -> Result<(), Failure> {
    let thumbprint = key.public().thumbprint();
    match (global.output, key) {
        (Output::Human, NewKey::Here(_)) => {
            for path in files.paths() {
                console::answer_line(&path.display().to_string())?;
            }
            Ok(())
        }
        (Output::Human, NewKey::Elsewhere(created)) => {
            console::answer_line(&created.uri.to_string())?;
            for path in files.public_paths() {
                console::answer_line(&path.display().to_string())?;
            }
            Ok(())
        }
        (Output::Json, key) => console::answer_json(&json!({
            "jwks": files.jwks,
            "kid": name,
            "private_key": private_key_of(key, files),
            "public_key": files.public,
            "thumbprint": thumbprint,
        })),
    }
}

/// Its path or its URI, as `--private-key` takes it.
fn private_key_of(key: &NewKey, files: &Files) -> String {
    match key {
        NewKey::Here(_) => files.private.display().to_string(),
        NewKey::Elsewhere(created) => created.uri.to_string(),
    }
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

fn tell_next_steps(
    console: Console,
    environment: Environment,
    kid: &str,
    files: &Files,
    key: &NewKey,
) {
    let portal_name = environment.portal_name.unwrap_or(environment.name);
    console.done(format_args!("made the key pair {kid}"));
    console.heading("next steps");
    console.note(format_args!(
        "  1. in the developer portal, {PORTAL}, open your application of the environment \
         {portal_name:?},\n     then `Manage public key`, and upload {}",
        files.jwks.display()
    ));
    let which = match key {
        NewKey::Here(_) => files.private.display().to_string(),
        NewKey::Elsewhere(created) => format!("'{}' --kid {kid}", created.uri),
    };
    console.note(format_args!(
        "  2. nhs-auth get-token --env {environment} --private-key {which} --api-key <API key>\n     \
         (the portal shows it under `Active API keys`; it is not the application ID)",
    ));
    match key {
        NewKey::Here(_) => console.note(format_args!(
            "  keep {} to yourself: never commit it, send it or paste it anywhere",
            files.private.display()
        )),
        NewKey::Elsewhere(_) => {
            console.note("  the private key is where it was made, and can't be copied from there");
        }
    }
}
