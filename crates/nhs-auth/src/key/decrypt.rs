//! Opens an encrypted PKCS#8 key (RFC 5958, section 3).

use pkcs8::der::asn1::OctetStringRef;
use pkcs8::der::{Decode, Reader, SliceReader};
use pkcs8::pkcs5::pbes2::{Kdf, ScryptParams};
use pkcs8::pkcs5::{self, EncryptionScheme};
use pkcs8::{AlgorithmIdentifierRef, ObjectIdentifier, PrivateKeyInfoRef};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::KeyError;

/// The PKCS#8 key inside, which is known to be DER of that structure.
pub(super) fn decrypt(
    name: &str,
    der: &[u8],
    passphrase: Option<&SecretString>,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let (algorithm, ciphertext) =
        parts(der).ok_or_else(|| KeyError::DamagedKey { name: name.into() })?;
    let scheme = supported(name, &algorithm)?;
    let passphrase = passphrase.ok_or_else(|| KeyError::PassphraseNeeded { name: name.into() })?;

    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let length = scheme
        .decrypt_in_place(passphrase.expose_secret(), &mut buffer)
        .map_err(|error| refused(name, error))?
        .len();
    buffer.truncate(length);
    // One wrong passphrase in 256 leaves good padding behind it, and nonsense before it.
    PrivateKeyInfoRef::from_der(&buffer)
        .map_err(|_| KeyError::WrongPassphrase { name: name.into() })?;
    Ok(buffer)
}

fn parts(der: &[u8]) -> Option<(AlgorithmIdentifierRef<'_>, &[u8])> {
    let mut reader = SliceReader::new(der).ok()?;
    reader
        .sequence(|inside| {
            let algorithm = AlgorithmIdentifierRef::decode(inside)?;
            let ciphertext = <&OctetStringRef>::decode(inside)?;
            Ok::<_, pkcs8::der::Error>((algorithm, ciphertext.as_bytes()))
        })
        .ok()
}

/// The scheme, if it is one that can be opened here for a sane price. Judged before a passphrase is
/// asked for.
fn supported(
    name: &str,
    algorithm: &AlgorithmIdentifierRef<'_>,
) -> Result<EncryptionScheme, KeyError> {
    let unsupported =
        |scheme, legacy| KeyError::UnsupportedEncryption { name: name.into(), scheme, legacy };
    if let Some((scheme, legacy)) = pbes1(algorithm.oid) {
        return Err(unsupported(scheme, legacy));
    }
    let scheme = EncryptionScheme::try_from(*algorithm)
        .map_err(|_| unsupported("a cipher other than AES and 3DES", true))?;
    if let Some(costly) = too_costly(&scheme) {
        return Err(unsupported(costly, false));
    }
    Ok(scheme)
}

/// The password-based schemes of before RFC 8018's PBES2, and whether OpenSSL 3 needs its `legacy`
/// provider for them: PBES1 (RFC 8018, appendix A.3) and those of PKCS#12 (RFC 7292, appendix C).
fn pbes1(oid: ObjectIdentifier) -> Option<(&'static str, bool)> {
    Some(match oid.to_string().as_str() {
        "1.2.840.113549.1.5.1" => ("PBES1 (MD2 and DES)", true),
        "1.2.840.113549.1.5.3" => ("PBES1 (MD5 and DES)", true),
        "1.2.840.113549.1.5.4" => ("PBES1 (MD2 and RC2)", true),
        "1.2.840.113549.1.5.6" => ("PBES1 (MD5 and RC2)", true),
        "1.2.840.113549.1.5.10" => ("PBES1 (SHA-1 and DES)", true),
        "1.2.840.113549.1.12.1.1" | "1.2.840.113549.1.12.1.2" => ("PBES1 (SHA-1 and RC4)", true),
        "1.2.840.113549.1.12.1.3" | "1.2.840.113549.1.12.1.4" => ("PBES1 (SHA-1 and 3DES)", false),
        "1.2.840.113549.1.5.11" | "1.2.840.113549.1.12.1.5" | "1.2.840.113549.1.12.1.6" => {
            ("PBES1 (SHA-1 and RC2)", true)
        }
        _ => return None,
    })
}

/// Names what would take minutes, or more memory than there is: a file that asks for that would
/// bring the process down.
fn too_costly(scheme: &EncryptionScheme) -> Option<&'static str> {
    let EncryptionScheme::Pbes2(parameters) = scheme else {
        return None;
    };
    match &parameters.kdf {
        Kdf::Pbkdf2(pbkdf2) if pbkdf2.iteration_count > MAX_PBKDF2_ROUNDS => {
            Some("PBKDF2 of over 10 million rounds")
        }
        Kdf::Scrypt(scrypt) if scrypt_cost(scrypt) > MAX_SCRYPT_COST => {
            Some("scrypt at a cost of over 1 GiB")
        }
        _ => None,
    }
}

/// The bytes that scrypt goes through, and more than it holds at once: 128 · N · r · p (RFC 7914,
/// section 6).
fn scrypt_cost(scrypt: &ScryptParams) -> u64 {
    let blocks = u64::from(scrypt.block_size) * u64::from(scrypt.parallelization);
    scrypt.cost_parameter.saturating_mul(blocks).saturating_mul(128)
}

/// OpenSSL's default is 2,048; what is advised in 2026 is below a million.
const MAX_PBKDF2_ROUNDS: u32 = 10_000_000;
/// OpenSSL's default costs 16 MiB.
const MAX_SCRYPT_COST: u64 = 1024 * 1024 * 1024;

fn refused(name: &str, error: pkcs5::Error) -> KeyError {
    let name = name.into();
    match error {
        pkcs5::Error::AlgorithmParametersInvalid { .. } => KeyError::DamagedKey { name },
        pkcs5::Error::UnsupportedAlgorithm { .. } | pkcs5::Error::NoPbes1CryptSupport => {
            KeyError::UnsupportedEncryption { name, scheme: "an unknown scheme", legacy: true }
        }
        _ => KeyError::WrongPassphrase { name },
    }
}
