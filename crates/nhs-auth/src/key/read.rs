//! From any bytes to a private key: find it, decode it, open it, and look at what it is.

use pkcs1::ALGORITHM_OID as RSA;
use pkcs8::der::Decode;
use pkcs8::{AlgorithmIdentifierRef, ObjectIdentifier, PrivateKeyInfoRef};
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::pem::{Block, Fault};
use super::shape::{self, Shape};
use super::{
    FoundInstead, KeyError, KeyWarning, LoadedKey, PrivateKey, RECOMMENDED_BITS, decrypt, foreign,
    pem, text,
};

pub(super) fn private_key(
    name: &str,
    bytes: &[u8],
    passphrase: Option<&SecretString>,
) -> Result<LoadedKey, KeyError> {
    let converted = text::from_utf16(bytes);
    let (text, mark) = text::without_mark(converted.as_deref().map_or(bytes, Vec::as_slice));
    let mut warnings: Vec<_> =
        converted.is_some().then_some(KeyWarning::Utf16).into_iter().collect();
    warnings.extend(mark);

    let der = der(name, text)?;
    if passphrase.is_some() && Shape::of(&der) != Shape::EncryptedPkcs8 {
        warnings.push(KeyWarning::PassphraseNotNeeded);
    }
    let key = open(name, &der, passphrase)?;
    let bits = key.public().bits();
    if bits != RECOMMENDED_BITS {
        warnings.push(KeyWarning::SizeNotRecommended { bits });
    }
    Ok(LoadedKey { key, warnings })
}

/// The DER of the one private key in the text, or the bytes themselves if they are DER.
fn der(name: &str, text: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    if text.trim_ascii().is_empty() {
        return Err(KeyError::Empty { name: name.into() });
    }
    if shape::is_der(text) {
        return Ok(Zeroizing::new(text.to_vec()));
    }
    let blocks = pem::blocks(text);
    let private: Vec<_> = blocks.iter().filter(|block| block.is_private_key()).collect();
    match private.as_slice() {
        [block] => decode(name, block),
        [] => {
            let found = blocks.first().map_or_else(|| foreign::recognise(text), by_label);
            Err(KeyError::NotAPrivateKey { name: name.into(), found })
        }
        several => Err(KeyError::SeveralPrivateKeys { name: name.into(), count: several.len() }),
    }
}

fn decode(name: &str, block: &Block<'_>) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let decoded = block.decode();
    if block.label == "OPENSSH PRIVATE KEY" {
        let algorithm = decoded.ok().and_then(|container| foreign::openssh_algorithm(&container));
        return Err(match algorithm {
            Some(algorithm) => KeyError::NotRsa { name: name.into(), algorithm: algorithm.into() },
            None => not_a_private_key(name, FoundInstead::OpenSshPrivateKey),
        });
    }
    decoded.map_err(|fault| match fault {
        Fault::Base64(line) => KeyError::DamagedBase64 { name: name.into(), line },
        Fault::CutOff => KeyError::CutOff { name: name.into() },
        Fault::Dashes(line) => KeyError::WrongDashes { name: name.into(), line },
        Fault::LiteralLineBreaks => KeyError::LiteralLineBreaks { name: name.into() },
        Fault::ProcType => KeyError::UnsupportedEncryption {
            name: name.into(),
            scheme: "the old `Proc-Type: 4,ENCRYPTED`",
            legacy: false,
        },
    })
}

fn by_label(block: &Block<'_>) -> FoundInstead {
    match block.label {
        "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => FoundInstead::Certificate,
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => FoundInstead::CertificateRequest,
        label if label.ends_with("PUBLIC KEY") => FoundInstead::PublicKey,
        _ => FoundInstead::OtherPem,
    }
}

/// The content decides, whatever the label of its PEM said.
fn open(name: &str, der: &[u8], passphrase: Option<&SecretString>) -> Result<PrivateKey, KeyError> {
    let not_rsa =
        |algorithm: &str| KeyError::NotRsa { name: name.into(), algorithm: algorithm.into() };
    Err(match Shape::of(der) {
        Shape::Pkcs1 => return PrivateKey::from_pkcs1_der(name, der),
        Shape::Pkcs8 => return from_pkcs8(name, der),
        Shape::EncryptedPkcs8 => {
            return from_pkcs8(name, &decrypt::decrypt(name, der, passphrase)?);
        }
        Shape::Certificate => not_a_private_key(name, FoundInstead::Certificate),
        Shape::CertificateRequest => not_a_private_key(name, FoundInstead::CertificateRequest),
        Shape::CutOff => KeyError::CutOff { name: name.into() },
        Shape::DsaPrivateKey => not_rsa("DSA"),
        Shape::EcPrivateKey => not_rsa("EC"),
        Shape::Pkcs12 => not_a_private_key(name, FoundInstead::Pkcs12),
        Shape::Pkcs1Public | Shape::PublicKey => not_a_private_key(name, FoundInstead::PublicKey),
        Shape::Unknown => KeyError::DamagedKey { name: name.into() },
    })
}

fn from_pkcs8(name: &str, der: &[u8]) -> Result<PrivateKey, KeyError> {
    let info =
        PrivateKeyInfoRef::from_der(der).map_err(|_| KeyError::DamagedKey { name: name.into() })?;
    if info.algorithm.oid != RSA {
        return Err(KeyError::NotRsa { name: name.into(), algorithm: algorithm(&info.algorithm) });
    }
    PrivateKey::from_pkcs1_der(name, info.private_key.as_bytes())
}

/// The name by which people know an algorithm.
fn algorithm(identifier: &AlgorithmIdentifierRef<'_>) -> String {
    match identifier.oid.to_string().as_str() {
        "1.2.840.10040.4.1" => "DSA".into(),
        "1.2.840.10045.2.1" => curve(identifier.parameters_oid().ok()),
        "1.2.840.113549.1.1.7" => "RSA-OAEP".into(),
        "1.2.840.113549.1.1.10" => "RSA-PSS".into(),
        "1.2.840.113549.1.3.1" => "Diffie-Hellman".into(),
        "1.3.101.110" => "X25519".into(),
        "1.3.101.111" => "X448".into(),
        "1.3.101.112" => "Ed25519".into(),
        "1.3.101.113" => "Ed448".into(),
        oid => format!("the algorithm {oid}"),
    }
}

fn curve(oid: Option<ObjectIdentifier>) -> String {
    match oid.map(|oid| oid.to_string()).as_deref() {
        Some("1.2.840.10045.3.1.7") => "EC (P-256)".into(),
        Some("1.3.132.0.10") => "EC (secp256k1)".into(),
        Some("1.3.132.0.34") => "EC (P-384)".into(),
        Some("1.3.132.0.35") => "EC (P-521)".into(),
        _ => "EC".into(),
    }
}

fn not_a_private_key(name: &str, found: FoundInstead) -> KeyError {
    KeyError::NotAPrivateKey { name: name.into(), found }
}
