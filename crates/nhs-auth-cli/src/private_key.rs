//! Private keys, by the path or the URI that a flag gives.

use std::fs;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nhs_auth::{
    CustodyError, FoundInstead, KeyError, KeyUri, Kid, LoadedKey, LocalSigner, PrivateKey, Signer,
};
use nhs_auth_custody::{Pkcs12Error, private_key_from_pkcs12};
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::console::Console;
use crate::failure::Failure;
use crate::{custody, secret};

/// How often a passphrase is asked for.
const PROMPTS: usize = 3;

/// The kinds of key URI.
const SCHEMES: [&str; 4] = ["pkcs11", "awskms", "azurekeyvault", "gcpkms"];

/// Where a flag says that a private key is.
#[derive(Debug)]
pub(crate) enum KeyAt {
    File(PathBuf),
    Uri(KeyUri),
}

/// What a flag's value says; a key itself is refused, and not repeated.
pub(crate) fn parse(flag: &str, value: &str) -> Result<KeyAt, Failure> {
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
    if let Some(path) = value.strip_prefix("file:") {
        return Ok(KeyAt::File(path.strip_prefix("//").unwrap_or(path).into()));
    }
    let is_of_custody = SCHEMES.iter().any(|scheme| {
        value.split_once(':').is_some_and(|(name, _)| name.eq_ignore_ascii_case(scheme))
    });
    match KeyUri::parse(value) {
        // Not shown: a PIN may stand in it.
        Err(error) if is_of_custody => {
            Err(Failure::usage(format!("the value of {flag} is no key URI: {error}")))
        }
        Ok(uri) if Path::new(value).exists() => Ok(KeyAt::File(uri.expose().into())),
        Ok(uri) if !SCHEMES.contains(&uri.scheme().as_str()) => {
            Err(CustodyError::unsupported(&uri).into())
        }
        Ok(uri) => Ok(KeyAt::Uri(uri)),
        Err(_) => Ok(KeyAt::File(value.into())),
    }
}

/// The same where only a file will do.
pub(crate) fn path(flag: &str, value: &str) -> Result<PathBuf, Failure> {
    match parse(flag, value)? {
        KeyAt::File(path) => Ok(path),
        KeyAt::Uri(uri) => Err(Failure::usage(format!("{flag} has to be a file here: {uri}"))),
    }
}

/// The name that a flag gives a key, or else the key file's name less its ending.
pub(crate) fn kid(flag: &str, value: Option<&str>, key: &KeyAt) -> Result<Kid, Failure> {
    let value = match (value, key) {
        (Some(value), _) => value.to_owned(),
        (None, KeyAt::File(path)) => name_of(path),
        (None, KeyAt::Uri(uri)) => {
            return Err(Failure::usage(format!("the key `{uri}` has no file name to be its kid"))
                .hint(format!("give the name under which it is registered with {flag}")));
        }
    };
    Kid::parse(&value).map_err(|error| Failure::identifier(flag, error))
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let endings = [".pem", ".pfx", ".p12"];
    let less = endings.iter().find_map(|ending| name.strip_suffix(ending));
    less.unwrap_or(&name).to_owned()
}

/// What signs with the key there: by the passphrase or PIN that a flag gives, or that is asked for
/// when needed.
pub(crate) fn signer(
    key: &KeyAt,
    passphrase: (&str, Option<&str>),
    console: Console,
) -> Result<Arc<dyn Signer>, Failure> {
    match key {
        KeyAt::File(path) => Ok(Arc::new(LocalSigner::new(load(path, passphrase, console)?))),
        KeyAt::Uri(uri) => {
            warn_of_pin(uri, console);
            custody::open(uri, passphrase)
        }
    }
}

/// Who gives a PIN so that others can read it should know.
pub(crate) fn warn_of_pin(uri: &KeyUri, console: Console) {
    if uri.holds_a_secret() {
        console.warn(
            "a PIN on a command line can be read by others: name a file that holds it, with \
             pin-source=file:PATH",
        );
    }
}

/// The key in a file, by the passphrase that a flag gives, or that is asked for when needed.
pub(crate) fn load(
    path: &Path,
    (flag, passphrase): (&str, Option<&str>),
    console: Console,
) -> Result<PrivateKey, Failure> {
    let passphrase = passphrase.map(|value| secret::read(flag, value)).transpose()?;
    let loaded = match read(path, passphrase.as_ref()) {
        Err(error) if error.needs_passphrase() && std::io::stdin().is_terminal() => prompted(path)?,
        Err(error) if error.needs_passphrase() => {
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

/// The key in a file that nobody has encrypted, as a ring keeps it.
pub(crate) fn load_unencrypted(path: &Path, console: Console) -> Result<PrivateKey, Failure> {
    match PrivateKey::load(path, None) {
        Err(KeyError::PassphraseNeeded { .. }) => Err(Failure::usage(format!(
            "{} is encrypted, and a ring keeps its keys unencrypted, readable by their owner alone",
            path.display()
        ))
        .hint("decrypt a copy first with `openssl pkey`, or move to a key that is kept elsewhere: --keys-at")),
        Err(error) => Err(error.into()),
        Ok(loaded) => {
            for warning in &loaded.warnings {
                console.warn(format_args!("{}: {warning}", path.display()));
            }
            Ok(loaded.key)
        }
    }
}

fn prompted(path: &Path) -> Result<LoadedKey, Failure> {
    let mut tries = 0;
    loop {
        tries += 1;
        let prompt = format!("passphrase of {}: ", path.display());
        let passphrase: SecretString = rpassword::prompt_password(prompt)
            .map_err(|error| Failure::usage(format!("can't ask for the passphrase: {error}")))?
            .into();
        match read(path, Some(&passphrase)) {
            Err(error) if error.is_wrong_passphrase() && tries < PROMPTS => {}
            other => return Ok(other?),
        }
    }
}

/// What is wrong with a key's file, whichever kind it is of.
enum ReadError {
    Key(KeyError),
    Pkcs12(Pkcs12Error),
}

/// PEM, DER, or PKCS#12, by its look.
fn read(path: &Path, passphrase: Option<&SecretString>) -> Result<LoadedKey, ReadError> {
    match PrivateKey::load(path, passphrase) {
        Err(KeyError::NotAPrivateKey { found: FoundInstead::Pkcs12, .. }) => {
            let bytes = fs::read(path).map(Zeroizing::new).map_err(|source| {
                ReadError::Key(KeyError::Read { name: path.display().to_string(), source })
            })?;
            let name = path.display().to_string();
            private_key_from_pkcs12(&name, &bytes, passphrase).map_err(ReadError::Pkcs12)
        }
        loaded => loaded.map_err(ReadError::Key),
    }
}

impl ReadError {
    fn needs_passphrase(&self) -> bool {
        matches!(
            self,
            Self::Key(KeyError::PassphraseNeeded { .. })
                | Self::Pkcs12(Pkcs12Error::PassphraseNeeded { .. })
        )
    }

    fn is_wrong_passphrase(&self) -> bool {
        matches!(
            self,
            Self::Key(KeyError::WrongPassphrase { .. })
                | Self::Pkcs12(Pkcs12Error::WrongPassphrase { .. })
        )
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Key(error) => error.into(),
            ReadError::Pkcs12(error) => error.into(),
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
