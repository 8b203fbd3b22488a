//! Keys, from and to the `openssl` command.

mod mended;
mod read;
mod refused;
mod written;

use nhs_auth::{KeyError, LoadedKey, PrivateKey, PublicKey};
use secrecy::SecretString;

use crate::openssl::Workshop;

const PASSPHRASE: &str = "correct horse";
/// How `openssl` is told of [`PASSPHRASE`].
const PASSOUT: &str = "-passout file:passphrase";

const PUBLIC_ONLY: &str =
    "give the private key that it was made from: it can't be worked out from this";

fn load(workshop: &Workshop, name: &str) -> Result<LoadedKey, KeyError> {
    PrivateKey::load(&workshop.path(name), None)
}

fn load_with(workshop: &Workshop, name: &str, passphrase: &str) -> Result<LoadedKey, KeyError> {
    PrivateKey::load(&workshop.path(name), Some(&SecretString::from(passphrase)))
}

/// The public half of `key.pem`, as `openssl` sees it.
fn public_of(workshop: &Workshop, key: &str) -> PublicKey {
    PublicKey::from_spki_pem(&workshop.openssl(&format!("pkey -in {key} -pubout"))).unwrap()
}

fn refusal(workshop: &Workshop, name: &str) -> KeyError {
    // The name alone, so that the commands in the hints work in the workshop.
    PrivateKey::from_bytes(name, &workshop.read(name), None).unwrap_err()
}

fn assert_told(error: &KeyError, problem: &str, hints: &[&str]) {
    let text = error.to_string();
    let (act, told) = text.split_once("`: ").unwrap();
    assert!(act.starts_with("can't load a private key from `"), "{text}");
    assert_eq!(told, problem);
    assert_eq!(error.hints(), hints, "{problem}");
}

/// The command in a hint: all between its backticks.
fn command(hint: &str) -> &str {
    hint.split_once('`').and_then(|(_, rest)| rest.rsplit_once('`')).unwrap().0
}
