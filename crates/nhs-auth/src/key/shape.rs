//! What kind of thing a piece of DER is, by its outermost structure.

use pkcs8::der::asn1::AnyRef;
use pkcs8::der::{Decode, Header, Reader, SliceReader, Tag};

/// The structures that a file about keys may hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shape {
    Certificate,
    CertificateRequest,
    /// Fewer bytes than the DER announces.
    CutOff,
    /// The old `DSAPrivateKey` of OpenSSL.
    DsaPrivateKey,
    /// `ECPrivateKey` of RFC 5915.
    EcPrivateKey,
    /// `EncryptedPrivateKeyInfo` of RFC 5958, section 3.
    EncryptedPkcs8,
    /// `RSAPrivateKey` of RFC 8017, appendix A.1.2.
    Pkcs1,
    /// `RSAPublicKey` of RFC 8017, appendix A.1.1.
    Pkcs1Public,
    /// `PFX` of RFC 7292, section 4.
    Pkcs12,
    /// `OneAsymmetricKey` of RFC 5958, section 2.
    Pkcs8,
    /// `SubjectPublicKeyInfo` of RFC 5280, section 4.1.
    PublicKey,
    Unknown,
}

impl Shape {
    pub(super) fn of(der: &[u8]) -> Self {
        if is_cut_off(der) {
            return Self::CutOff;
        }
        // BER with an indefinite length, as some tools write PKCS#12: no DER reader takes it.
        if der.starts_with(b"\x30\x80\x02\x01\x03") {
            return Self::Pkcs12;
        }
        children_of(der).map_or(Self::Unknown, |children| Self::of_children(&children))
    }

    fn of_children(children: &[AnyRef<'_>]) -> Self {
        use Tag::{BitString, Integer, OctetString, Sequence};
        use pkcs8::der::Tagged;

        let tags: Vec<Tag> = children.iter().map(Tagged::tag).collect();
        // The least significant byte is enough: versions are below 4.
        let version = children.first().and_then(|first| first.value().last().copied());
        let integers = tags.iter().take_while(|tag| **tag == Integer).count();
        match (tags.as_slice(), version) {
            _ if integers >= 9 => Self::Pkcs1,
            (_, Some(0)) if integers == 6 => Self::DsaPrivateKey,
            ([Integer, Integer], _) => Self::Pkcs1Public,
            ([Integer, Sequence, OctetString, ..], Some(0 | 1)) => Self::Pkcs8,
            ([Integer, Sequence, ..], Some(3)) => Self::Pkcs12,
            ([Integer, OctetString, ..], Some(1)) => Self::EcPrivateKey,
            ([Sequence, OctetString], _) => Self::EncryptedPkcs8,
            ([Sequence, BitString], _) => Self::PublicKey,
            ([Sequence, Sequence, BitString], _) => Self::of_signed(&children[0]),
            _ => Self::Unknown,
        }
    }

    /// A certificate has six fields or more to sign, a request for one has four at most.
    fn of_signed(content: &AnyRef<'_>) -> Self {
        match elements(content.value()).map(|fields| fields.len()) {
            Some(0..=4) => Self::CertificateRequest,
            Some(_) => Self::Certificate,
            None => Self::Unknown,
        }
    }
}

/// Whether this is binary and not text: a `SEQUENCE`, whose tag `0` is as a character, followed soon
/// by a byte that no text has.
pub(super) fn is_der(bytes: &[u8]) -> bool {
    bytes.first() == Some(&0x30) && bytes.iter().take(8).any(|byte| *byte < 0x09 || *byte >= 0x80)
}

fn is_cut_off(der: &[u8]) -> bool {
    let Ok(mut reader) = SliceReader::new(der) else {
        return false;
    };
    Header::decode(&mut reader).is_ok_and(|header| header.length() > reader.remaining_len())
}

fn children_of(der: &[u8]) -> Option<Vec<AnyRef<'_>>> {
    let sequence = AnyRef::from_der(der).ok()?;
    (der.first() == Some(&0x30)).then(|| elements(sequence.value()))?
}

fn elements(value: &[u8]) -> Option<Vec<AnyRef<'_>>> {
    let mut reader = SliceReader::new(value).ok()?;
    let mut elements = Vec::new();
    while !reader.is_finished() {
        elements.push(AnyRef::decode(&mut reader).ok()?);
    }
    Some(elements)
}
