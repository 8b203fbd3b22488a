//! Private keys out of PKCS#12 files (RFC 7292), as Windows, Java and certificate authorities give
//! them.

mod error;

use std::fmt::Write as _;

use nhs_auth::{FoundInstead, KeyError, KeyWarning, LoadedKey, PrivateKey};
use p12_keystore::error::Error as Refused;
use p12_keystore::{Pkcs12Archive, PrivateKeyBag};
use secrecy::{ExposeSecret, SecretString};

pub use error::Pkcs12Error;

/// Whether these bytes are a PKCS#12 file: what [`PrivateKey::from_bytes`] refuses as
/// [`FoundInstead::Pkcs12`].
///
/// A file that was cut off is not known to be one.
pub fn is_pkcs12(bytes: &[u8]) -> bool {
    recognise("", bytes).is_ok()
}

/// Reads the private key of a PKCS#12 file of at most 1 MiB.
///
/// Certificates beside it are passed over. `name` is what messages call the bytes: a path, where
/// there is one. With no passphrase, a file that is not encrypted is read, and one whose
/// passphrase is empty.
///
/// What is encrypted may be so with AES (PBES2), or as of old with 3DES or RC2 of 40 bits. The
/// library that takes the file apart does not wipe its copy of the key from memory.
///
/// # Errors
///
/// A [`Pkcs12Error`]. With [`Pkcs12Error::PassphraseNeeded`] the caller can ask for one and try
/// again; with [`Pkcs12Error::SeveralPrivateKeys`], choose one by
/// [`private_key_from_pkcs12_by_alias`].
pub fn private_key_from_pkcs12(
    name: &str,
    bytes: &[u8],
    passphrase: Option<&SecretString>,
) -> Result<LoadedKey, Pkcs12Error> {
    let opened = open(name, bytes, passphrase)?;
    match opened.keys.as_slice() {
        [] => Err(Pkcs12Error::NoPrivateKey { name: name.into() }),
        [key] => opened.load(name, key),
        several => {
            Err(Pkcs12Error::SeveralPrivateKeys { name: name.into(), aliases: aliases(several) })
        }
    }
}

/// Reads that one of several private keys of a PKCS#12 file whose alias (its `friendlyName`) is
/// `alias`.
///
/// A key without such a name has the alias that is its `localKeyID` in hexadecimal, or else `#`
/// and its number in the file, counted from 1. Of two keys of the same name, the second has its
/// number as its alias, too.
///
/// # Errors
///
/// As for [`private_key_from_pkcs12`], and [`Pkcs12Error::NoSuchAlias`].
pub fn private_key_from_pkcs12_by_alias(
    name: &str,
    bytes: &[u8],
    passphrase: Option<&SecretString>,
    alias: &str,
) -> Result<LoadedKey, Pkcs12Error> {
    let opened = open(name, bytes, passphrase)?;
    let aliases = aliases(&opened.keys);
    match aliases.iter().position(|it| it == alias) {
        Some(at) => opened.load(name, &opened.keys[at]),
        None if aliases.is_empty() => Err(Pkcs12Error::NoPrivateKey { name: name.into() }),
        None => {
            Err(Pkcs12Error::NoSuchAlias { name: name.into(), alias: alias.to_owned(), aliases })
        }
    }
}

struct Opened {
    keys: Vec<PrivateKeyBag>,
    passphrase_was_needless: bool,
}

impl Opened {
    fn load(&self, name: &str, key: &PrivateKeyBag) -> Result<LoadedKey, Pkcs12Error> {
        let mut loaded = PrivateKey::from_bytes(name, key.key.as_der(), None)?;
        if self.passphrase_was_needless {
            loaded.warnings.insert(0, KeyWarning::PassphraseNotNeeded);
        }
        Ok(loaded)
    }
}

fn open(
    name: &str,
    bytes: &[u8],
    passphrase: Option<&SecretString>,
) -> Result<Opened, Pkcs12Error> {
    recognise(name, bytes)?;
    let given = passphrase.map_or("", ExposeSecret::expose_secret);
    let archive =
        Pkcs12Archive::from_pkcs12(bytes, given).map_err(|refused| {
            match Pkcs12Error::of(name, bytes, passphrase.is_some(), &refused) {
                Pkcs12Error::Damaged { .. } if given.chars().any(|c| c > '\u{ffff}') => {
                    let what = "a passphrase with a character beyond U+FFFF";
                    Pkcs12Error::Unsupported { name: name.into(), what }
                }
                Pkcs12Error::Damaged { .. } if was_deciphered_to_nonsense(bytes, given) => {
                    Pkcs12Error::wrong_or_missing(name.into(), passphrase.is_some())
                }
                error => error,
            }
        })?;
    // No passphrase but the right one passes a file's MAC: where two do, there is nothing to open.
    let passphrase_was_needless =
        !given.is_empty() && Pkcs12Archive::from_pkcs12(bytes, "").is_ok();
    Ok(Opened { keys: archive.keys, passphrase_was_needless })
}

/// Of a file without a MAC, one wrong passphrase in 256 leaves good padding behind it, and nonsense
/// before it. Damage looks the same with another passphrase, and this does not.
fn was_deciphered_to_nonsense(bytes: &[u8], passphrase: &str) -> bool {
    let refused = Pkcs12Archive::from_pkcs12(bytes, &format!("{passphrase}."));
    matches!(refused, Err(Refused::Pkcs5Error(_) | Refused::UnpadError))
}

/// By the look that `nhs_auth` takes at any file that should hold a key.
fn recognise(name: &str, bytes: &[u8]) -> Result<(), Pkcs12Error> {
    match PrivateKey::from_bytes(name, bytes, None) {
        Err(KeyError::NotAPrivateKey { found: FoundInstead::Pkcs12, .. }) => Ok(()),
        Err(KeyError::CutOff { .. }) => Err(Pkcs12Error::CutOff { name: name.into() }),
        Err(error @ (KeyError::Empty { .. } | KeyError::FileTooLarge { .. })) => Err(error.into()),
        Ok(_) | Err(_) => Err(Pkcs12Error::NotPkcs12 { name: name.into() }),
    }
}

fn aliases(keys: &[PrivateKeyBag]) -> Vec<String> {
    let mut aliases: Vec<String> = Vec::new();
    for (at, key) in keys.iter().enumerate() {
        let named = key.friendly_name.as_deref().filter(|name| !name.is_empty());
        let named = named.map(str::to_owned).or_else(|| key.local_key_id.as_ref().map(hexadecimal));
        let alias = named.filter(|alias| !aliases.contains(alias));
        aliases.push(alias.unwrap_or_else(|| format!("#{}", at + 1)));
    }
    aliases
}

fn hexadecimal(id: impl AsRef<[u8]>) -> String {
    id.as_ref().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
