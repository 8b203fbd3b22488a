//! Recognises what holds no PEM and no DER: keys in other people's formats.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::FoundInstead;
use super::pem;

/// What a text without any PEM block is.
pub(super) fn recognise(text: &[u8]) -> FoundInstead {
    let text = text.trim_ascii();
    let starts_with = |part: &[u8]| text.starts_with(part);
    if starts_with(b"\xfe\xed\xfe\xed") || starts_with(b"\xce\xce\xce\xce") {
        return FoundInstead::JavaKeystore;
    }
    if starts_with(b"{") {
        return json(text);
    }
    if starts_with(b"<") && text.windows(12).any(|part| part == b"<RSAKeyValue") {
        return FoundInstead::XmlKey;
    }
    if starts_with(b"PuTTY-User-Key-File-") {
        return FoundInstead::PuttyPrivateKey;
    }
    if starts_with(b"ssh-") || starts_with(b"ecdsa-sha2-") {
        return FoundInstead::OpenSshPublicKey;
    }
    // Any structure of DER begins with the tag of a sequence.
    match pem::decode_base64(text) {
        Ok(bytes) if bytes.len() > 64 && bytes[0] == 0x30 => FoundInstead::BareBase64,
        _ => FoundInstead::Unknown,
    }
}

/// The algorithm of a key in OpenSSH's own container, if it is not RSA.
///
/// The container begins with its name, the encryption, and the public key, whose type stands in the
/// clear.
pub(super) fn openssh_algorithm(container: &[u8]) -> Option<&'static str> {
    let start = &container[..container.len().min(256)];
    [
        ("ssh-ed25519", "Ed25519"),
        ("ecdsa-sha2-", "EC"),
        ("sk-ssh-", "Ed25519 on a security key"),
        ("sk-ecdsa-", "EC on a security key"),
        ("ssh-dss", "DSA"),
    ]
    .into_iter()
    .find(|(name, _)| start.windows(name.len()).any(|part| part == name.as_bytes()))
    .map(|(_, algorithm)| algorithm)
}

fn json(text: &[u8]) -> FoundInstead {
    /// The members that tell a key (RFC 7517, section 4) from a set of them (section 5). The values
    /// are passed over, so that no copy is made of a secret one.
    #[derive(Deserialize)]
    struct Members {
        keys: Option<IgnoredAny>,
        kty: Option<IgnoredAny>,
    }

    match serde_json::from_slice(text) {
        Ok(Members { keys: Some(_), .. }) => FoundInstead::JwkSet,
        Ok(Members { kty: Some(_), .. }) => FoundInstead::Jwk,
        _ => FoundInstead::Unknown,
    }
}
