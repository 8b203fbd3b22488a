//! `nhs-auth sign-assertion`.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use nhs_auth::{ClockSkew, OsEntropy, SystemClock};
use nhs_auth_rules::CLIENT_ASSERTION_TYPE;
use secrecy::ExposeSecret as _;
use serde_json::json;
use tempfile::NamedTempFile;

use crate::arguments::{Global, Output, SignAssertion};
use crate::commands::rfc3339;
use crate::console::{self, Console};
use crate::failure::{Exit, Failure};
use crate::{commands, identity};

pub(crate) fn run(
    arguments: &SignAssertion,
    global: &Global,
    console: Console,
) -> Result<Exit, Failure> {
    let application = identity::application(&arguments.identity, console)?
        .with_assertion_lifetime(arguments.lifetime);
    let (clock, skew, entropy) =
        (SystemClock::default(), ClockSkew::default(), OsEntropy::default());
    let signing = application.sign_assertion(&clock, skew, &entropy);
    let assertion = commands::small_runtime()?.block_on(signing)?;
    let (jti, expires_at) = (assertion.jti().to_owned(), assertion.expires_at());
    let url = application.endpoint().url();
    let compact = assertion.into_compact();

    if let Some(path) = &arguments.out {
        write_private(path, compact.expose_secret().as_bytes())?;
    }
    if arguments.curl {
        let value = match &arguments.out {
            Some(path) => format!("client_assertion@{}", path.display()),
            None => format!("client_assertion={}", compact.expose_secret()),
        };
        console::answer_line(&curl(url, &value))?;
    } else if global.output == Output::Json {
        console::answer_json(&json!({
            "client_assertion": compact.expose_secret(),
            "client_assertion_type": CLIENT_ASSERTION_TYPE,
            "expires_at": rfc3339(expires_at.to_millis()),
            "jti": jti,
            "token_url": url,
        }))?;
    } else if arguments.out.is_none() {
        console::answer_line(compact.expose_secret())?;
    }
    console.note(format_args!(
        "for {url}, once, within {} s; the platform remembers it even when it refuses it",
        arguments.lifetime
    ));
    Ok(Exit::Done)
}

fn curl(url: &str, assertion: &str) -> String {
    [
        format!("curl --request POST {}", quoted(url)),
        "  --data-urlencode 'grant_type=client_credentials'".to_owned(),
        format!(
            "  --data-urlencode {}",
            quoted(&format!("client_assertion_type={CLIENT_ASSERTION_TYPE}"))
        ),
        format!("  --data-urlencode {}", quoted(assertion)),
    ]
    .join(" \\\n")
}

/// For a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Whole or not at all, and readable by its owner alone from the first byte. What is there already
/// goes only if it is an assertion of before: a private key above all stays.
fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error| Failure::usage(format!("can't write {}: {error}", path.display()));
    // Through a link to what it leads to.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    match path.metadata() {
        Ok(there) if !there.is_file() => {
            // A pipe or a device takes what it is given.
            return fs::OpenOptions::new()
                .write(true)
                .open(&path)
                .and_then(|mut file| file.write_all(bytes))
                .map_err(failed);
        }
        Ok(_) if !is_assertion(&path) => {
            return Err(Failure::usage(format!(
                "{} is there already and is no assertion, so it is not overwritten",
                path.display()
            )));
        }
        _ => {}
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.persist(&path).map_err(|error| failed(error.error))?;
    Ok(())
}

fn is_assertion(path: &Path) -> bool {
    fs::read_to_string(path).is_ok_and(|text| {
        let text = text.trim();
        text.is_empty() || (text.starts_with("eyJ") && text.split('.').count() == 3)
    })
}
