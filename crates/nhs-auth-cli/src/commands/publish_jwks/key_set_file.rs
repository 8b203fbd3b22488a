//! A key set out of a file, such as `generate-keys` writes.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use nhs_auth::{KeySet, Kid, PublicKey, PublishedKey};
use nhs_auth_rules::{Jwk, Jwks, JwksShape};

use crate::failure::Failure;

/// What is read of a file at most, in bytes.
const MOST_BYTES: u64 = 1024 * 1024;

/// A key set as it may be published: RSA keys, each with a name, and no private member. No message
/// repeats a value of the file.
pub(crate) fn read(path: &Path) -> Result<KeySet, Failure> {
    let in_file = |what: String| {
        Failure::usage(format!("can't use the key set {}: {what}", path.display()))
            .hint(format!("`nhs-auth diagnose {}` looks it over", path.display()))
    };
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MOST_BYTES).read_to_string(&mut text))
        .map_err(|error| Failure::usage(format!("can't read {}: {error}", path.display())))?;
    let set = Jwks::parse(&text);
    if !matches!(set.shape, JwksShape::Set) {
        return Err(in_file("it is no key set".to_owned()));
    }
    if set.keys.is_empty() {
        return Err(in_file("it has no key".to_owned()));
    }
    let keys = set.keys.iter().map(published).collect::<Result<_, _>>().map_err(in_file)?;
    Ok(KeySet::new(keys)?)
}

fn published(key: &Jwk) -> Result<PublishedKey, String> {
    if !key.private_members().is_empty() {
        return Err("it holds a private key".to_owned());
    }
    let kid = Kid::parse(&key.text("kid").unwrap_or_default())
        .map_err(|error| format!("a kid can't be used: {error}"))?;
    if !key.is_rsa() {
        return Err(format!("the key `{kid}` is no RSA key"));
    }
    let numbers = key.bytes("n").zip(key.bytes("e"));
    let public_key = numbers.and_then(|(n, e)| PublicKey::from_components(&n, &e).ok());
    let public_key =
        public_key.ok_or_else(|| format!("the `n` and `e` of `{kid}` are no public key"))?;
    Ok(PublishedKey::new(kid, public_key))
}
