//! A JWKS (RFC 7517 §5) as somebody wrote it: read leniently, every member optional, everything
//! kept, so that what is wrong with it can be said.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::Span;
use crate::json::{Kind, Object, SyntaxError, Value};

/// A document that should be a key set.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Jwks {
    /// What the document is.
    pub shape: JwksShape,
    /// Its keys, in their order; empty when the shape is not that of a set.
    pub keys: Vec<Jwk>,
}

/// What a document that should be a key set turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JwksShape {
    /// A single JWK, with no `keys` around it.
    BareKey,
    /// `keys` is there and is no array.
    KeysNotAnArray,
    /// An object without `keys`.
    NoKeys,
    /// JSON, and no object.
    NotAnObject,
    /// No JSON.
    NotJson(SyntaxError),
    /// `{"keys": […]}`, as it should be.
    Set,
}

/// One key as it was written. Spans count in the document.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Jwk {
    /// Which key of its set this is, from 0.
    pub index: usize,
    /// The element's place in the document.
    pub span: Span,
    /// Its members; `None` when the element is no JSON object.
    pub object: Option<Object>,
}

impl Jwks {
    /// Reads a document. There is no text that this refuses: see [`Jwks::shape`].
    pub fn parse(document: &str) -> Self {
        let empty = |shape| Self { shape, keys: Vec::new() };
        let value = match Value::parse(document) {
            Ok(value) => value,
            Err(error) => return empty(JwksShape::NotJson(error)),
        };
        let Some(object) = value.as_object() else {
            return empty(JwksShape::NotAnObject);
        };
        match object.get("keys") {
            None if object.get("kty").is_some() => empty(JwksShape::BareKey),
            None => empty(JwksShape::NoKeys),
            Some(keys) => match keys.elements() {
                None => empty(JwksShape::KeysNotAnArray),
                Some(keys) => {
                    let keys = keys.iter().enumerate().map(|(i, key)| Jwk::read(i, key)).collect();
                    Self { shape: JwksShape::Set, keys }
                }
            },
        }
    }

    /// Every key of that name, compared byte by byte.
    pub fn named<'a>(&'a self, kid: &'a str) -> impl Iterator<Item = &'a Jwk> {
        self.keys.iter().filter(move |key| key.text("kid").as_deref() == Some(kid))
    }
}

impl Jwk {
    fn read(index: usize, value: &Value<'_>) -> Self {
        Self { index, span: value.span(), object: value.as_object() }
    }

    /// A member that is a string.
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.object.as_ref()?.get(name)?.as_str()
    }

    /// A member's place, with its quotes.
    pub fn span_of(&self, name: &str) -> Option<Span> {
        Some(self.object.as_ref()?.get(name)?.span())
    }

    /// A member that is bytes in base64url, as `n` and `e` are (RFC 7518 §6.3.1): with leading
    /// zeros if they were written so, which they shouldn't be.
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        URL_SAFE_NO_PAD.decode(self.text(name)?.as_bytes()).ok()
    }

    /// Whether `kty` says RSA.
    pub fn is_rsa(&self) -> bool {
        self.text("kty").as_deref() == Some("RSA")
    }

    /// The members of a private key that are there (RFC 7518 §6.3.2): their publication is an
    /// emergency.
    pub fn private_members(&self) -> Vec<&'static str> {
        const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
        let has = |name: &&str| {
            self.object
                .as_ref()
                .and_then(|object| object.get(name))
                .is_some_and(|value| value.kind() != Kind::Null)
        };
        PRIVATE.into_iter().filter(has).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_shape_by_its_name() {
        for (document, shape) in [
            (r#"{"keys":[]}"#, JwksShape::Set),
            (r#"{"kty":"RSA","n":"todo"}"#, JwksShape::BareKey),
            (r#"{"keys":{"keys":[]}}"#, JwksShape::KeysNotAnArray),
            ("{}", JwksShape::NoKeys),
            ("[]", JwksShape::NotAnObject),
        ] {
            assert_eq!(Jwks::parse(document).shape, shape, "{document}");
        }
        assert!(matches!(Jwks::parse("<html>").shape, JwksShape::NotJson(_)));
    }

    #[test]
    fn keys_are_found_by_their_exact_name() {
        let set =
            Jwks::parse(r#"{"keys":[{"kid":"test-1"},{"kid":" test-1"},7,{"kid":"test-1"}]}"#);
        let found: Vec<_> = set.named("test-1").map(|key| key.index).collect();
        assert_eq!(found, [0, 3]);
        assert_eq!(set.named("Test-1").count(), 0);
    }

    #[test]
    fn private_members_are_seen() {
        let set = Jwks::parse(r#"{"keys":[{"kty":"RSA","d":"AQAB","p":null}]}"#);
        assert_eq!(set.keys[0].private_members(), ["d"]);
    }

    proptest! {
        /// A good set, cut and spliced: often a set still, and often nearly.
        #[test]
        fn whatever_arrives_spans_stay_inside(
            cut in 0_usize..60, length in 0_usize..4, splice in "[\"{}\\[\\],:0-9a-z ]{0,3}",
        ) {
            let mut document = String::from(r#" {"keys": [{"kty":"RSA","n":"AQAB","kid":"a"}, 7, []]} "#);
            let start = cut.min(document.len());
            let end = (start + length).min(document.len());
            document.replace_range(start..end, &splice);
            for key in Jwks::parse(&document).keys {
                prop_assert!(document.get(key.span.start..key.span.end).is_some());
                for name in ["kty", "n", "kid"] {
                    let span = key.span_of(name).unwrap_or_default();
                    prop_assert!(document.get(span.start..span.end).is_some());
                }
            }
        }
    }
}
