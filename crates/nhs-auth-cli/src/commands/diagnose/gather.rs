//! What the diagnosis is given: values, files, standard input, or whatever it is by its look.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use jiff::Timestamp;
use nhs_auth::{Clock as _, Environment, KeyError, LoadedKey, PrivateKey, SystemClock, UnixMillis};
use nhs_auth_rules::diagnosis::{
    Inputs, JwksInput, PrivateKeyInput, Profile, Recognised, recognise,
};
use secrecy::ExposeSecret as _;

use crate::arguments::Diagnose;
use crate::console::Console;
use crate::failure::Failure;
use crate::{identity, private_key, secret};

/// What is read of an input at most, in bytes.
const MOST_BYTES: u64 = 1024 * 1024;

/// Everything that was given, as text.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) assertions: Vec<String>,
    pub(super) private_key: Option<Result<LoadedKey, KeyError>>,
    pub(super) jwks: Option<String>,
    pub(super) api_key: Option<String>,
    pub(super) environment: Option<Environment>,
    pub(super) token_url: Option<String>,
    pub(super) subject_token: Option<String>,
    pub(super) error: Option<String>,
    pub(super) request: Option<String>,
    pub(super) at: Option<UnixMillis>,
    pub(super) profile: Profile,
}

impl Gathered {
    /// The URL of the key set, where that is what was given.
    pub(super) fn jwks_url(&self) -> Option<&str> {
        match jwks_input(self.jwks.as_deref()?) {
            JwksInput::Url(url) => Some(url),
            JwksInput::Document(_) => None,
        }
    }

    pub(super) fn inputs(&self) -> Inputs<'_> {
        Inputs {
            assertions: self.assertions.iter().map(String::as_str).collect(),
            private_key: self.private_key.as_ref().map(key_input),
            jwks: self.jwks.as_deref().map(jwks_input),
            api_key: self.api_key.as_deref(),
            environment: self.environment,
            token_url: self.token_url.as_deref(),
            subject_token: self.subject_token.as_deref(),
            error: self.error.as_deref(),
            request: self.request.as_deref(),
            at: self.at,
            now: SystemClock::default().now(),
            profile: self.profile,
        }
    }
}

fn key_input(loaded: &Result<LoadedKey, KeyError>) -> PrivateKeyInput<'_> {
    match loaded {
        Ok(loaded) => PrivateKeyInput::Facts {
            modulus: loaded.key.public().modulus(),
            exponent: loaded.key.public().exponent(),
            bits: loaded.key.public().bits(),
        },
        Err(error) => {
            PrivateKeyInput::Unreadable { message: error.to_string(), hints: error.hints() }
        }
    }
}

fn jwks_input(text: &str) -> JwksInput<'_> {
    let trimmed = text.trim();
    if is_url(trimmed) && !trimmed.contains(char::is_whitespace) {
        JwksInput::Url(trimmed)
    } else {
        JwksInput::Document(text)
    }
}

pub(super) fn gather(arguments: &Diagnose, console: Console) -> Result<Gathered, Failure> {
    let mut gathered = Gathered {
        environment: arguments.env.as_deref().map(identity::environment).transpose()?,
        token_url: arguments.token_url.clone(),
        at: arguments.at.as_deref().map(time).transpose()?,
        profile: profile(&arguments.profile),
        ..Gathered::default()
    };
    for value in &arguments.assertion {
        gathered.assertions.push(text("--assertion", value, is_token_like)?);
    }
    if let Some(value) = &arguments.private_key {
        gathered.private_key = Some(private_key(value, arguments)?);
    }
    if let Some(value) = &arguments.jwks {
        gathered.jwks = Some(text("--jwks", value, is_json_or_url)?);
    }
    if let Some(value) = &arguments.api_key {
        gathered.api_key = Some(secret::read("--api-key", value)?.expose_secret().to_owned());
    }
    if let Some(value) = &arguments.subject_token {
        gathered.subject_token = Some(text("--subject-token", value, is_token_like)?);
    }
    if let Some(value) = &arguments.error {
        gathered.error = Some(text("--error", value, is_no_path)?);
    }
    if let Some(value) = &arguments.request {
        gathered.request = Some(text("--request", value, is_prose)?);
    }
    for value in &arguments.input {
        take_by_its_look(&mut gathered, value, arguments, console)?;
    }
    if gathered.is_empty() {
        return Err(Failure::usage("there is nothing to diagnose").hint(
            "give what you have: --assertion, --jwks, --private-key, --error, --request, or a file",
        ));
    }
    Ok(gathered)
}

impl Gathered {
    fn is_empty(&self) -> bool {
        self.assertions.is_empty()
            && self.private_key.is_none()
            && self.jwks.is_none()
            && self.api_key.is_none()
            && self.subject_token.is_none()
            && self.error.is_none()
            && self.request.is_none()
    }
}

/// An input without a flag.
fn take_by_its_look(
    gathered: &mut Gathered,
    value: &str,
    arguments: &Diagnose,
    console: Console,
) -> Result<(), Failure> {
    let path = Path::new(value);
    let found = if value == "-" || path.is_file() {
        read_lossy("the input", value)?
    } else if recognise(value).is_some() || is_prose(value) {
        value.to_owned()
    } else {
        return Err(Failure::usage(format!("can't read `{value}`: there is no such file")));
    };
    match recognise(&found) {
        Some(Recognised::Pem) if path.is_file() => {
            gathered.private_key = Some(private_key(value, arguments)?);
        }
        Some(Recognised::Pem) => {
            gathered.private_key =
                Some(PrivateKey::from_bytes("the input", found.as_bytes(), None));
        }
        Some(Recognised::Assertion) => gathered.assertions.push(found),
        Some(Recognised::IdToken) => gathered.subject_token = Some(found),
        Some(Recognised::KeySet | Recognised::KeySetUrl) => gathered.jwks = Some(found),
        Some(Recognised::ErrorBody | Recognised::ErrorText) => gathered.error = Some(found),
        Some(Recognised::Request) => gathered.request = Some(found),
        Some(Recognised::TokenUrl) => gathered.token_url = Some(found.trim().to_owned()),
        Some(Recognised::ApiKey | Recognised::ApplicationId | Recognised::Cis2ClientId) => {
            gathered.api_key = Some(found.trim().to_owned());
        }
        // A token that is damaged or wrapped beyond its look.
        _ if found.contains("eyJ") => gathered.assertions.push(found),
        // A key set that is so wrong that it looks like none.
        _ if path.extension().is_some_and(|it| it.eq_ignore_ascii_case("json")) => {
            gathered.jwks = Some(found);
        }
        // A key in DER: binary, so not as it was when read as text.
        _ if path.is_file() && found.contains('\u{fffd}') => {
            gathered.private_key = Some(private_key(value, arguments)?);
        }
        _ => {
            console.warn(
                "an input looks like nothing that is known, and is taken for an error's text",
            );
            gathered.error = Some(found);
        }
    }
    Ok(())
}

fn private_key(value: &str, arguments: &Diagnose) -> Result<Result<LoadedKey, KeyError>, Failure> {
    let path = private_key::path("--private-key", value)?;
    if let Err(error) = path.metadata() {
        return Err(Failure::usage(format!("can't read {}: {error}", path.display())));
    }
    let passphrase = arguments.passphrase.as_deref();
    let passphrase = passphrase.map(|value| secret::read("--passphrase", value)).transpose()?;
    // An encrypted key without its passphrase is a finding like any other file that can't be read.
    Ok(PrivateKey::load(&path, passphrase.as_ref()))
}

/// A file, standard input, or the value itself where it can't be mistaken for a file.
fn text(flag: &str, value: &str, is_value: fn(&str) -> bool) -> Result<String, Failure> {
    if value == "-" || Path::new(value).is_file() {
        read_lossy(flag, value)
    } else if is_value(value) {
        Ok(value.to_owned())
    } else {
        Err(Failure::usage(format!("can't read {flag}: there is no file `{}`", shortened(value))))
    }
}

fn read_lossy(flag: &str, path: &str) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = match path {
        "-" => io::stdin().lock().take(MOST_BYTES + 1).read_to_end(&mut bytes),
        path => File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes)),
    };
    read.map_err(|error| Failure::usage(format!("can't read {flag} from `{path}`: {error}")))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Failure::usage(format!("{flag} is over 1 MiB, which nothing of this kind is")));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn shortened(value: &str) -> String {
    let short: String = value.chars().filter(|c| !c.is_control()).take(60).collect();
    if short.len() < value.len() { format!("{short}…") } else { short }
}

fn is_url(value: &str) -> bool {
    value.starts_with("https://") || value.starts_with("http://")
}

/// A JWT, damaged or not, or an opaque token: long, and without what a path has.
fn is_token_like(value: &str) -> bool {
    let is_opaque = value.len() >= 20 && !value.contains(['/', '\\', '.']);
    is_opaque
        || value.contains("eyJ")
        || value.len() > 100
        || value.contains(char::is_whitespace)
        || value.split('.').count() == 3 && !value.contains('/')
}

fn is_json_or_url(value: &str) -> bool {
    let value = value.trim_start();
    value.starts_with(['{', '[', '"', '<']) || is_url(value)
}

/// An error may be one word; a path has a folder or an ending.
fn is_no_path(value: &str) -> bool {
    let has_ending = [".json", ".txt", ".log", ".html"].iter().any(|it| value.ends_with(it));
    is_prose(value) || !(value.contains('/') || has_ending)
}

/// Anything with a space, a brace or an equals sign in it is no file's name.
fn is_prose(value: &str) -> bool {
    value.contains(|c: char| c.is_whitespace() || matches!(c, '{' | '=' | '"'))
        || value.contains('_')
}

fn profile(name: &str) -> Profile {
    Profile::ALL.iter().copied().find(|profile| profile.name() == name).unwrap_or_default()
}

/// RFC 3339, an HTTP date, or seconds since 1970.
fn time(value: &str) -> Result<UnixMillis, Failure> {
    let value = value.trim();
    let value = value.strip_prefix("Date:").map_or(value, str::trim);
    if let Ok(seconds) = value.parse::<i64>() {
        // Thirteen digits are milliseconds.
        return Ok(UnixMillis(if seconds.abs() > 100_000_000_000 {
            seconds
        } else {
            seconds * 1000
        }));
    }
    if let Ok(timestamp) = value.parse::<Timestamp>() {
        return Ok(UnixMillis(timestamp.as_millisecond()));
    }
    jiff::fmt::rfc2822::parse(value)
        .map(|zoned| UnixMillis(zoned.timestamp().as_millisecond()))
        .map_err(|_| {
            Failure::usage(format!("`{}` is not a time", shortened(value))).hint(
                "write it as 2026-11-21T12:00:00Z, as a Date header, or in seconds since 1970",
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_each_kind() {
        for text in [
            "2026-11-21T12:00:00Z",
            "2026-11-21T13:00:00+01:00",
            "Sat, 21 Nov 2026 12:00:00 GMT",
            "Date: Sat, 21 Nov 2026 12:00:00 GMT",
            "1795262400",
            "1795262400000",
        ] {
            assert_eq!(time(text).unwrap(), UnixMillis(1_795_262_400_000), "{text}");
        }
        assert!(time("yesterday").is_err());
    }
}
