//! Secrets given as `file:PATH` or `env:NAME`, because other users of the machine can read a
//! command line.

use std::fs::File;
use std::io::Read as _;

use secrecy::SecretString;
use zeroize::Zeroizing;

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
    Ok(value.into())
}

/// The same of a token, which can also be a file's path, or `-` for standard input.
pub(crate) fn read_token(flag: &str, value: &str) -> Result<SecretString, Failure> {
    if value == "-" {
        let mut text = Zeroizing::new(String::new());
        let read = std::io::stdin().take(MOST_BYTES).read_to_string(&mut text);
        read.map_err(|error| Failure::usage(format!("can't read {flag} from `-`: {error}")))?;
        return Ok(text.trim().into());
    }
    let looks_like_a_path = value.contains('/')
        || value.rsplit_once('.').is_some_and(|(_, end)| {
            // A JWT ends with a signature.
            ["txt", "jwt", "json", "token"].contains(&end)
        });
    let names_a_source = value.starts_with("file:") || value.starts_with("env:");
    if !names_a_source && (looks_like_a_path || std::path::Path::new(value).is_file()) {
        return read_file(flag, value);
    }
    read(flag, value)
}

fn read_file(flag: &str, path: &str) -> Result<SecretString, Failure> {
    let failed = |error| Failure::usage(format!("can't read {flag} from `{path}`: {error}"));
    let mut text = Zeroizing::new(String::new());
    let file = File::open(path).map_err(failed)?;
    file.take(MOST_BYTES).read_to_string(&mut text).map_err(failed)?;
    Ok(text.trim_end_matches(['\r', '\n']).into())
}

#[expect(clippy::disallowed_methods, reason = "`env:` names the variable to read")]
fn read_variable(flag: &str, name: &str) -> Result<SecretString, Failure> {
    match std::env::var(name) {
        Ok(value) => Ok(value.into()),
        Err(_) => {
            Err(Failure::usage(format!("can't read {flag}: the variable `{name}` is not set")))
        }
    }
}
