//! Writes the key set that the platform reads: a JSON Web Key Set (RFC 7517, section 5).

use std::collections::HashSet;

use aws_lc_rs::digest::{SHA256, digest};
use nhs_auth_rules::Kid;
use serde::Serialize;

use crate::key::PublicKey;
use crate::key::base64url;

/// One public key under its name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PublishedKey {
    kid: Kid,
    public_key: PublicKey,
}

impl PublishedKey {
    /// Publishes `public_key` under the key id `kid` (RFC 7517, section 4.5), which an assertion's
    /// header must repeat to the letter.
    pub fn new(kid: Kid, public_key: PublicKey) -> Self {
        Self { kid, public_key }
    }

    /// The key id.
    pub fn kid(&self) -> &Kid {
        &self.kid
    }

    /// The key.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }
}

/// The keys that one application publishes, each for checking RS512 signatures.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeySet {
    keys: Vec<PublishedKey>,
}

impl KeySet {
    /// A set of these keys, in this order. It may be empty.
    ///
    /// # Errors
    ///
    /// [`JwksError::DuplicateKid`] if two keys have one key id: which of them checks a signature
    /// would be chance.
    pub fn new(keys: Vec<PublishedKey>) -> Result<Self, JwksError> {
        let mut seen = HashSet::new();
        match keys.iter().find(|key| !seen.insert(key.kid())) {
            Some(twice) => Err(JwksError::DuplicateKid { kid: twice.kid.clone() }),
            None => Ok(Self { keys }),
        }
    }

    /// The keys, in their order.
    pub fn keys(&self) -> &[PublishedKey] {
        &self.keys
    }

    /// A short mark of the set, by which a person says which one was published: ten hexadecimal
    /// digits.
    pub fn mark(&self) -> String {
        let hash = digest(&SHA256, self.to_json().as_bytes());
        let first = hash.as_ref().iter().take(5);
        let number = first.fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        format!("{number:010x}")
    }

    /// The set as JSON on one line, without white space: the same bytes for the same keys.
    ///
    /// Each key has `kty`, `n`, `e`, `alg`, `use` and `kid`, in that order, and nothing else
    /// (RFC 7517, section 4; RFC 7518, section 6.3.1).
    pub fn to_json(&self) -> String {
        let document = Document { keys: self.keys.iter().map(Jwk::from).collect() };
        serde_json::to_string(&document).expect("strings alone can always be written as JSON")
    }
}

#[derive(Serialize)]
struct Document<'k> {
    keys: Vec<Jwk<'k>>,
}

/// The members in the order in which they are written.
#[derive(Serialize)]
struct Jwk<'k> {
    kty: &'static str,
    n: String,
    e: String,
    alg: &'static str,
    r#use: &'static str,
    kid: &'k str,
}

impl<'k> From<&'k PublishedKey> for Jwk<'k> {
    fn from(key: &'k PublishedKey) -> Self {
        Self {
            kty: "RSA",
            n: base64url(key.public_key.modulus()),
            e: base64url(key.public_key.exponent()),
            alg: "RS512",
            r#use: "sig",
            kid: key.kid.as_str(),
        }
    }
}

/// Why a key set can't be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JwksError {
    /// Two keys have the same key id.
    #[error("can't make a key set: two keys have the key id `{kid}`")]
    DuplicateKid {
        /// The key id.
        kid: Kid,
    },
}

impl JwksError {
    /// What to do next, one sentence each, the best first.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::DuplicateKid { .. } => vec![
                "give each key an id of its own, and never use one again for another key: the platform caches keys by it"
                    .into(),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> PublicKey {
        PublicKey::from_components(&[0xc1, 0x02, 0x03], &[1, 0, 1]).unwrap()
    }

    fn kid(name: &str) -> Kid {
        Kid::parse(name).unwrap()
    }

    #[test]
    fn the_members_are_exact_and_in_order() {
        let set = KeySet::new(vec![PublishedKey::new(kid("int-1"), key())]).unwrap();
        let json = r#"{"keys":[{"kty":"RSA","n":"wQID","e":"AQAB","alg":"RS512","use":"sig","kid":"int-1"}]}"#;
        assert_eq!(set.to_json(), json);
        assert_eq!(set.clone().to_json(), json);
        assert_eq!(KeySet::new(Vec::new()).unwrap().to_json(), r#"{"keys":[]}"#);
    }

    #[test]
    fn a_kid_is_escaped() {
        let name = "a\"b\\c\u{e9}";
        let set = KeySet::new(vec![PublishedKey::new(kid(name), key())]).unwrap();
        let json: serde_json::Value = serde_json::from_str(&set.to_json()).unwrap();
        assert_eq!(json["keys"][0]["kid"], name);
    }

    #[test]
    fn one_kid_for_two_keys_is_refused() {
        let keys = vec![
            PublishedKey::new(kid("a"), key()),
            PublishedKey::new(kid("b"), key()),
            PublishedKey::new(kid("a"), key()),
        ];
        let error = KeySet::new(keys).unwrap_err();
        assert_eq!(error.to_string(), "can't make a key set: two keys have the key id `a`");
        assert_eq!(error.hints().len(), 1);
    }
}
