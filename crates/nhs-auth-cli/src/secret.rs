//! Secrets given as `file:PATH` or `env:NAME`, because other users of the machine can read a
//! command line, or by what they are called in AWS Secrets Manager or Azure Key Vault.

use std::fs::File;
use std::io::{self, Read as _};

use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use crate::custody;
use crate::failure::Failure;

/// What is read of a file at most, in bytes.
const MOST_BYTES: u64 = 64 * 1024;

/// The secret that a flag's value is, or names. Line breaks at its end are not part of it.
pub(crate) fn read(flag: &str, value: &str) -> Result<SecretString, Failure> {
    if let Some(path) = value.strip_prefix("file:") {
        return read_file(flag, path);
    }
    if let Some(name) = value.strip_prefix("env:") {
        return read_variable(flag, name);
    }
    if value.starts_with("awssecret:") || value.starts_with("azurekeyvault:") {
        return custody::secret(flag, value);
    }
    Ok(value.into())
}

/// The same of a token, which can also be a file's path, or `-` for standard input.
pub(crate) fn read_token(flag: &str, value: &str) -> Result<SecretString, Failure> {
    if is_key_material(value) {
        return Err(a_key(flag));
    }
    let token = if value == "-" {
        let mut text = Zeroizing::new(String::new());
        let read = io::stdin().take(MOST_BYTES).read_to_string(&mut text);
        read.map_err(|error| cannot_read(flag, "-", &error))?;
        SecretString::from(text.trim())
    } else if names_a_file(value) {
        read_file(flag, value)?
    } else {
        read(flag, value)?
    };
    if is_key_material(token.expose_secret()) {
        return Err(a_key(flag));
    }
    Ok(token)
}

/// Whether a value is meant to be a path: it is there, or looks like one and not like a token.
fn names_a_file(value: &str) -> bool {
    if value.starts_with("file:") || value.starts_with("env:") {
        return false;
    }
    // A JWT ends with a signature, and an opaque token has no ending.
    let has_ending = value
        .rsplit_once('.')
        .is_some_and(|(_, ending)| ["txt", "jwt", "json", "token"].contains(&ending));
    let looks_like_a_path = (value.contains('/') || has_ending) && !could_be_secret(value);
    looks_like_a_path || std::path::Path::new(value).exists()
}

fn is_key_material(text: &str) -> bool {
    text.contains("-----BEGIN") || text.contains("PRIVATE KEY")
}

fn a_key(flag: &str) -> Failure {
    Failure::usage(format!("the value of {flag} is a key, where a token belongs")).hint(
        "a key that was on a command line may have been read by others: replace it if it is in use",
    )
}

/// Whether a text could be a token that was pasted where a path or a name belongs.
fn could_be_secret(text: &str) -> bool {
    let is_run_of_one = |run: &str| {
        let has = |is: fn(&char) -> bool| run.chars().any(|c| is(&c));
        run.len() >= 16
            && has(char::is_ascii_uppercase)
            && has(char::is_ascii_lowercase)
            && has(char::is_ascii_digit)
    };
    text.contains("eyJ")
        || is_key_material(text)
        || text.chars().any(char::is_control)
        || text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).any(is_run_of_one)
}

fn read_file(flag: &str, path: &str) -> Result<SecretString, Failure> {
    let failed = |error| cannot_read(flag, path, &error);
    let mut text = Zeroizing::new(String::new());
    let file = File::open(path).map_err(failed)?;
    file.take(MOST_BYTES).read_to_string(&mut text).map_err(failed)?;
    Ok(text.trim_end_matches(['\r', '\n']).into())
}

/// What stands where a path belongs may be the secret itself, and is then not repeated.
fn cannot_read(flag: &str, path: &str, error: &io::Error) -> Failure {
    let shown = if could_be_secret(path) { "(a value that is not shown)" } else { path };
    let failure = Failure::usage(format!("can't read {flag} from `{shown}`: {error}"));
    match error.kind() {
        io::ErrorKind::InvalidData => failure.hint("save it as plain text, in UTF-8"),
        _ => failure.hint("check the path"),
    }
}

#[expect(clippy::disallowed_methods, reason = "`env:` names the variable to read")]
fn read_variable(flag: &str, name: &str) -> Result<SecretString, Failure> {
    if let Ok(value) = std::env::var(name) {
        return Ok(value.into());
    }
    let shown = if could_be_secret(name) { "(a value that is not shown)" } else { name };
    Err(Failure::usage(format!("can't read {flag}: the variable `{shown}` is not set"))
        .hint("export it, or give the value as file:PATH"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_a_secret_is_not_taken_for_a_path() {
        for value in [
            "eyJhbGciOiJSUzI1NiJ9.e30.a/b",
            "./eyJhbGciOiJSUzI1NiJ9",
            "9SrRLS/XxM65UGJRlXR_6lqf604",
            "https://x.example/cb?id_token=eyJ",
        ] {
            assert!(could_be_secret(value) && !names_a_file(value), "{value}");
        }
        for path in ["id-token.txt", "/run/secrets/id-token", "./tokens/cis2", "a/b.jwt"] {
            assert!(!could_be_secret(path) && names_a_file(path), "{path}");
        }
    }
}
