//! The public half of a key: two numbers, and the forms in which they are published.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pkcs1::RsaPublicKeyRef;
use pkcs8::der::asn1::{BitStringRef, UintRef};
use pkcs8::der::{Decode, Encode};
use pkcs8::{Document, LineEnding, SubjectPublicKeyInfoRef};

use super::KeyError;

/// An RSA public key: a modulus and an exponent (RFC 8017, section 3.1).
///
/// Any size is taken, since keys that are too short must be described, too.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct PublicKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl PublicKey {
    /// Takes both numbers as big-endian bytes. Leading zeros are dropped.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotAPublicKey`] if a number is zero, the exponent is longer than the modulus, or
    /// the modulus is longer than 16,384 bits.
    pub fn from_components(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyError> {
        let modulus = without_leading_zeros(modulus);
        let exponent = without_leading_zeros(exponent);
        let refuse = |reason| Err(KeyError::NotAPublicKey { reason });
        match (modulus.len(), exponent.len()) {
            (0, _) => refuse("the modulus is zero"),
            (_, 0) => refuse("the exponent is zero"),
            (n, _) if n > MAX_MODULUS_BYTES => refuse("the modulus is longer than 16384 bits"),
            (n, e) if e > n => refuse("the exponent is longer than the modulus"),
            _ => Ok(Self { modulus: modulus.to_vec(), exponent: exponent.to_vec() }),
        }
    }

    /// Reads a `SubjectPublicKeyInfo` in DER (RFC 5280, section 4.1), as key management services
    /// give it.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotAPublicKey`] if it is something else, or not for RSA.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, KeyError> {
        let info = SubjectPublicKeyInfoRef::from_der(der)
            .map_err(|_| KeyError::NotAPublicKey { reason: "it is not a SubjectPublicKeyInfo" })?;
        if info.algorithm.oid != pkcs1::ALGORITHM_OID {
            return Err(KeyError::NotAPublicKey { reason: "it is for another algorithm" });
        }
        Self::from_pkcs1_der(info.subject_public_key.raw_bytes())
    }

    /// Reads what [`to_spki_pem`](Self::to_spki_pem) writes.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotAPublicKey`] if it is something else, or not for RSA.
    pub fn from_spki_pem(pem: &str) -> Result<Self, KeyError> {
        match Document::from_pem(pem) {
            Ok(("PUBLIC KEY", document)) => Self::from_spki_der(document.as_bytes()),
            Ok(_) => Err(KeyError::NotAPublicKey { reason: "the PEM holds something else" }),
            Err(_) => Err(KeyError::NotAPublicKey { reason: "it is not PEM" }),
        }
    }

    /// Reads an `RSAPublicKey` (RFC 8017, appendix A.1.1).
    pub(super) fn from_pkcs1_der(der: &[u8]) -> Result<Self, KeyError> {
        let key = RsaPublicKeyRef::from_der(der)
            .map_err(|_| KeyError::NotAPublicKey { reason: "its two numbers can't be read" })?;
        Self::from_components(key.modulus.as_bytes(), key.public_exponent.as_bytes())
    }

    /// The modulus `n` as big-endian bytes, without leading zeros.
    pub fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    /// The public exponent `e` as big-endian bytes, without leading zeros.
    pub fn exponent(&self) -> &[u8] {
        &self.exponent
    }

    /// How long the modulus is, in bits: the size by which keys are known. A "4096-bit" key whose
    /// first bit is zero has 4095.
    pub fn bits(&self) -> usize {
        let unused = self.modulus.first().map_or(0, |first| first.leading_zeros());
        self.modulus.len() * 8 - unused as usize
    }

    /// The key as a `SubjectPublicKeyInfo` in PEM (RFC 7468, section 13): lines of 64 columns ended
    /// by LF, the last one too.
    pub fn to_spki_pem(&self) -> String {
        self.to_spki()
            .and_then(|document| document.to_pem("PUBLIC KEY", LineEnding::LF))
            .expect("two numbers whose sizes were checked can be written")
    }

    /// The SHA-256 thumbprint (RFC 7638) in base64url without padding: 43 characters that name the
    /// key by its content.
    pub fn thumbprint(&self) -> String {
        // RFC 7638, section 3.2: the required members alone, in the order of their names, and no
        // white space.
        let json = format!(
            r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#,
            base64url(&self.exponent),
            base64url(&self.modulus)
        );
        base64url(digest(&SHA256, json.as_bytes()).as_ref())
    }

    fn to_spki(&self) -> pkcs8::der::Result<Document> {
        let key = RsaPublicKeyRef {
            modulus: UintRef::new(&self.modulus)?,
            public_exponent: UintRef::new(&self.exponent)?,
        }
        .to_der()?;
        Document::encode_msg(&SubjectPublicKeyInfoRef {
            algorithm: pkcs1::ALGORITHM_ID,
            subject_public_key: BitStringRef::from_bytes(&key)?,
        })
    }
}

/// Shows the size and the thumbprint, which is what a person can compare.
impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey")
            .field("bits", &self.bits())
            .field("thumbprint", &self.thumbprint())
            .finish_non_exhaustive()
    }
}

/// The base64url of RFC 7515, section 2: without padding.
pub(crate) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

const MAX_MODULUS_BYTES: usize = 16_384 / 8;

fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}
