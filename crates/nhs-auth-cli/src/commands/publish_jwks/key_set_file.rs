//! A key set out of a file, such as `generate-keys` writes.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nhs_auth::{KeySet, Kid, PublicKey, PublishedKey};
use serde::Deserialize;

use crate::failure::Failure;

/// What is read of a file at most, in bytes.
const MOST_BYTES: u64 = 1024 * 1024;

/// A key set as it may be published: RSA keys for signatures, each with a name, and no private
/// member.
pub(crate) fn read(path: &Path) -> Result<KeySet, Failure> {
    let in_file = |what: String| {
        Failure::usage(format!("can't use the key set {}: {what}", path.display()))
            .hint(format!("`nhs-auth diagnose {}` looks it over", path.display()))
    };
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MOST_BYTES).read_to_string(&mut text))
        .map_err(|error| Failure::usage(format!("can't read {}: {error}", path.display())))?;
    // serde's words may repeat a value, and the value may be a private one.
    let document: Document = serde_json::from_str(&text)
        .map_err(|error| in_file(format!("it is no key set, at line {}", error.line())))?;
    let keys = document.keys.iter().map(Jwk::published).collect::<Result<Vec<_>, _>>();
    let keys = keys.map_err(in_file)?;
    if keys.is_empty() {
        return Err(in_file("it has no key".to_owned()));
    }
    Ok(KeySet::new(keys)?)
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    #[serde(default)]
    kty: String,
    #[serde(default)]
    kid: String,
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
    d: Option<serde::de::IgnoredAny>,
    p: Option<serde::de::IgnoredAny>,
}

impl Jwk {
    fn published(&self) -> Result<PublishedKey, String> {
        if self.d.is_some() || self.p.is_some() {
            return Err("it holds a private key".to_owned());
        }
        let kid = Kid::parse(&self.kid).map_err(|error| format!("a kid can't be used: {error}"))?;
        if self.kty != "RSA" {
            return Err(format!("the key `{kid}` is no RSA key"));
        }
        let number = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
        let key = number(&self.n)
            .zip(number(&self.e))
            .and_then(|(n, e)| PublicKey::from_components(&n, &e).ok());
        let key = key.ok_or_else(|| format!("the `n` and `e` of `{kid}` are no public key"))?;
        Ok(PublishedKey::new(kid, key))
    }
}
