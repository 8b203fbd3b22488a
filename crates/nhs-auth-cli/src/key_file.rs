//! Private keys, by the path that a flag gives.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use nhs_auth::{KeyError, Kid, LoadedKey, PrivateKey};
use secrecy::SecretString;

use crate::console::Console;
use crate::failure::Failure;
use crate::secret;

/// How often a passphrase is asked for.
const PROMPTS: usize = 3;

/// The path that a flag's value is; a key itself is refused, and not repeated.
pub(crate) fn path(flag: &str, value: &str) -> Result<PathBuf, Failure> {
    if looks_like_key_material(value) {
        return Err(Failure::usage(format!(
            "the value of {flag} is a key, where its path belongs"
        ))
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

/// The name that a flag gives a key, or else the key file's name less `.pem`.
pub(crate) fn kid(flag: &str, value: Option<&str>, key_file: &Path) -> Result<Kid, Failure> {
    let value = value.map_or_else(
        || {
            let name = key_file.file_name().unwrap_or_default().to_string_lossy();
            name.strip_suffix(".pem").unwrap_or(&name).to_owned()
        },
        ToOwned::to_owned,
    );
    Kid::parse(&value).map_err(|error| Failure::identifier(flag, error))
}

/// The key in a file, by the passphrase that a flag gives, or that is asked for when needed.
pub(crate) fn load(
    path: &Path,
    (flag, passphrase): (&str, Option<&str>),
    console: Console,
) -> Result<PrivateKey, Failure> {
    let passphrase = passphrase.map(|value| secret::read(flag, value)).transpose()?;
    let loaded = match PrivateKey::load(path, passphrase.as_ref()) {
        Err(KeyError::PassphraseNeeded { .. }) if std::io::stdin().is_terminal() => prompted(path)?,
        Err(error @ KeyError::PassphraseNeeded { .. }) => {
            return Err(Failure::from(error)
                .hint(format!("give it with {flag} file:PATH, or {flag} env:NAME")));
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
