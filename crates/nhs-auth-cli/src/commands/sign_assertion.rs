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

/// An assertion of before may go. Anything else, a private key above all, may not.
fn must_be_replaceable(path: &Path) -> Result<(), Failure> {
    let is_there = path.symlink_metadata().is_ok();
    let is_assertion = fs::read_to_string(path)
        .is_ok_and(|text| text.trim().starts_with("eyJ") && text.trim().split('.').count() == 3);
    if is_there && !is_assertion {
        return Err(Failure::usage(format!(
            "{} is there already and is no assertion, so it is not overwritten",
            path.display()
        )));
    }
    Ok(())
}

/// Whole or not at all, and readable by its owner alone from the first byte.
fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error| Failure::usage(format!("can't write {}: {error}", path.display()));
    must_be_replaceable(path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}
