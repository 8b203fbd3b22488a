//! RSA keys: made here, or read from whatever file a person has.
//!
//! A key is parsed once, when it is loaded, and signs from then on without parsing again. Reading is
//! forgiving about the wrapping (PKCS#1 or PKCS#8, PEM or DER, encrypted or not, text around it) and
//! strict about the key: RSA (RFC 8017), 2048 bits or more.

mod decrypt;
mod error;
mod foreign;
mod hints;
mod pem;
mod public;
mod read;
mod shape;
mod text;

#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512};
use pkcs1::RsaPrivateKeyRef;
use pkcs8::der::Decode;
use pkcs8::{LineEnding, SecretDocument};
use secrecy::SecretString;
use zeroize::Zeroizing;

pub use self::error::{FoundInstead, KeyError};
pub use self::public::PublicKey;
pub(crate) use self::public::base64url;
use crate::SigningAlgorithm;
use crate::signer::SignError;

/// An RSA private key, parsed once and ready to sign.
///
/// It can't be cloned; share it behind an `Arc`. The memory that holds it is wiped when it is
/// dropped, and its `Debug` shows the public half's size and thumbprint alone.
pub struct PrivateKey {
    pair: KeyPair,
    public: PublicKey,
}

impl PrivateKey {
    /// Makes a new RSA key of 4096 bits, with the public exponent 65537.
    ///
    /// Takes between a fifth of a second and a second or two.
    ///
    /// # Errors
    ///
    /// [`KeyError::Generate`] if the cryptography library fails, as it does without a source of
    /// random bytes.
    pub fn generate() -> Result<Self, KeyError> {
        let pair = KeyPair::generate(KeySize::Rsa4096).map_err(|_| KeyError::Generate)?;
        let public = PublicKey::from_pkcs1_der(pair.public_key().as_ref())?;
        Ok(Self { pair, public })
    }

    /// Reads a private key from a file of at most 1 MiB.
    ///
    /// Understands PKCS#8 (RFC 5958) and PKCS#1 (RFC 8017, appendix A.1.2), as PEM (RFC 7468) or
    /// DER, and PKCS#8 encrypted with PBES2 (RFC 8018, section 6.2). Certificates and other text
    /// around the key are passed over.
    ///
    /// # Errors
    ///
    /// A [`KeyError`] that says what the file holds instead; its [`hints`](KeyError::hints) say how
    /// to mend it. [`KeyError::PassphraseNeeded`] if the key is encrypted and `passphrase` is
    /// `None`, so that the caller can ask for one and try again.
    pub fn load(path: &Path, passphrase: Option<&SecretString>) -> Result<LoadedKey, KeyError> {
        let name = path.display().to_string();
        let bytes = read_file(path).map_err(|source| KeyError::from_io(&name, path, source))?;
        Self::from_bytes(&name, &bytes, passphrase)
    }

    /// Reads a private key as [`load`](Self::load) does, from bytes that came from elsewhere.
    ///
    /// `name` is what messages call the bytes, and what hints put into their command lines: a path,
    /// where there is one.
    ///
    /// # Errors
    ///
    /// As for [`load`](Self::load).
    pub fn from_bytes(
        name: &str,
        bytes: &[u8],
        passphrase: Option<&SecretString>,
    ) -> Result<LoadedKey, KeyError> {
        if bytes.len() > MAX_FILE_BYTES {
            return Err(KeyError::FileTooLarge { name: name.into() });
        }
        read::private_key(name, bytes, passphrase)
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The key as unencrypted PKCS#8 in PEM (RFC 7468, section 10): lines of 64 columns ended by LF,
    /// the last one too. The text is wiped from memory when dropped.
    pub fn to_pkcs8_pem(&self) -> Zeroizing<String> {
        let der: Pkcs8V1Der<'_> =
            self.pair.as_der().expect("a key that the library holds can be written by it");
        SecretDocument::try_from(der.as_ref())
            .and_then(|document| document.to_pem("PRIVATE KEY", LineEnding::LF))
            .expect("a key that the library wrote is DER")
    }

    /// Signs `message`. The signature is as long as the modulus, and the same each time.
    pub(crate) fn sign(
        &self,
        algorithm: SigningAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, SignError> {
        let encoding = match algorithm {
            SigningAlgorithm::Rs256 => &RSA_PKCS1_SHA256,
            SigningAlgorithm::Rs512 => &RSA_PKCS1_SHA512,
        };
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(encoding, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| SignError::LocalKey)?;
        Ok(signature)
    }

    /// Takes an `RSAPrivateKey` (RFC 8017, appendix A.1.2).
    fn from_pkcs1_der(name: &str, der: &[u8]) -> Result<Self, KeyError> {
        let damaged = || KeyError::DamagedKey { name: name.into() };
        let numbers = RsaPrivateKeyRef::from_der(der).map_err(|_| damaged())?;
        let public = PublicKey::from_components(
            numbers.modulus.as_bytes(),
            numbers.public_exponent.as_bytes(),
        )
        .map_err(|_| damaged())?;
        // Counted here, since the library's refusal would not say how many bits there are.
        if !(MIN_BITS..=MAX_BITS).contains(&public.bits()) {
            return Err(KeyError::UnsupportedSize { name: name.into(), bits: public.bits() });
        }
        if numbers.other_prime_infos.is_some() {
            return Err(KeyError::NotRsa {
                name: name.into(),
                algorithm: "multi-prime RSA".into(),
            });
        }
        let pair = KeyPair::from_der(der).map_err(|_| damaged())?;
        Ok(Self { pair, public })
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// A private key that was read, and what was odd about the way it came.
#[derive(Debug)]
#[non_exhaustive]
pub struct LoadedKey {
    /// The key.
    pub key: PrivateKey,
    /// What a person should hear about it, in the order in which it was found.
    pub warnings: Vec<KeyWarning>,
}

/// Something odd about a key that works all the same.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyWarning {
    /// A UTF-8 byte order mark stood before the key; most other tools refuse such a file.
    #[error("a UTF-8 byte order mark was found before the private key and skipped")]
    ByteOrderMark,

    /// A passphrase was given for a key that is not encrypted.
    #[error("a passphrase was given, but the private key is not encrypted")]
    PassphraseNotNeeded,

    /// The key's size is allowed (RFC 7518, section 3.3), but is not the one that the platform asks
    /// for.
    #[error(
        "the private key has {bits} bits, and not the {RECOMMENDED_BITS} that the platform asks for"
    )]
    SizeNotRecommended {
        /// How long the modulus is, in bits.
        bits: usize,
    },

    /// The file is UTF-16, as PowerShell's `>` writes it; most other tools refuse such a file.
    #[error("the private key was stored as UTF-16 text and was converted")]
    Utf16,
}

/// The most that is read of a file: a key with a chain of certificates fits hundreds of times.
const MAX_FILE_BYTES: usize = 1024 * 1024;
/// The least that RFC 7518, section 3.3, allows.
const MIN_BITS: usize = 2048;
/// The most that the cryptography library takes.
const MAX_BITS: usize = 8192;
/// What the platform's guide asks for.
const RECOMMENDED_BITS: usize = 4096;

/// Reads one byte more than is allowed at most, so that the caller can tell.
fn read_file(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = File::open(path)?;
    let limit = MAX_FILE_BYTES + 1;
    // All of the room at once: a buffer that grows leaves copies of the key behind it. A pipe does
    // not tell its length.
    let expected = usize::try_from(file.metadata()?.len()).unwrap_or(limit);
    let mut bytes = Zeroizing::new(Vec::with_capacity(expected.clamp(64 * 1024, limit) + 1));
    file.take(limit as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}
