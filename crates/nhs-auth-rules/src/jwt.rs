//! A JWT in compact form (RFC 7519 §3, RFC 7515 §7.1), decoded as far as it can be.
//!
//! A damaged part doesn't hide the others: each is decoded by itself, and says what is wrong with
//! it and where. Nothing here judges; that is the rules' work.

use std::fmt;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, URL_SAFE_NO_PAD};

use crate::Span;
use crate::json::{Object, SyntaxError};

/// A JWT in compact form, taken apart. Spans of the parts count in the compact text; spans inside
/// [`Jwt::header`] and [`Jwt::payload`] count in their decoded JSON.
#[derive(Clone)]
#[non_exhaustive]
pub struct Jwt<'a> {
    /// The text that was given.
    pub compact: &'a str,
    /// How many parts the dots make. A JWS has three.
    pub part_count: usize,
    /// The first part: the JOSE header.
    pub header: Part<Object>,
    /// The second part: the claims.
    pub payload: Part<Object>,
    /// The third part: the signature's bytes.
    pub signature: Part<Vec<u8>>,
}

/// One of a JWT's parts: where it stands, and what it holds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Part<T> {
    /// The part in the compact text, without its dots.
    pub span: Span,
    /// What it decodes to.
    pub content: Result<T, Damage>,
}

/// What is wrong with a part.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Damage {
    /// A character that base64url has not (RFC 4648 §5), with its offset in the compact text.
    Character {
        /// Offset of the character's first byte in the compact text.
        offset: usize,
        /// The character.
        found: char,
    },
    /// A number of characters that no base64 has (one more than a multiple of four).
    Length,
    /// The part isn't there.
    Missing,
    /// The decoded bytes are not JSON, or not a JSON object.
    NotJson(SyntaxError),
    /// The decoded bytes are not UTF-8.
    NotUtf8 {
        /// Offset of the first wrong byte in the decoded part.
        offset: usize,
    },
    /// `=` at the end, which base64url in a JWT has not (RFC 7515 §2).
    Padding,
    /// Bits behind the last byte that are not zero: no encoder writes that.
    TrailingBits,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Character { offset, found } => write!(
                f,
                "{found:?} (U+{:04X}) at byte {offset} is not a base64url character",
                u32::from(*found)
            ),
            Self::Length => f.write_str("its length is one that base64 can't have"),
            Self::Missing => f.write_str("it is missing"),
            Self::NotJson(error) => write!(f, "it does not hold a JSON object: {error}"),
            Self::NotUtf8 { offset } => write!(f, "it does not hold UTF-8 at byte {offset}"),
            Self::Padding => f.write_str("it is padded with `=`, which a JWT never is"),
            Self::TrailingBits => f.write_str("its last character has bits that no encoder writes"),
        }
    }
}

impl<'a> Jwt<'a> {
    /// Takes a text apart. There is no text that this refuses: what is wrong with it stands in
    /// the parts.
    pub fn decode(compact: &'a str) -> Self {
        let mut spans = part_spans(compact);
        let part_count = spans.len();
        spans.resize(part_count.max(3), Span::new(compact.len(), compact.len()));
        Self {
            compact,
            part_count,
            header: part(compact, spans[0], 0 < part_count, object),
            payload: part(compact, spans[1], 1 < part_count, object),
            signature: signature(compact, spans[2], 2 < part_count),
        }
    }

    /// The bytes that the signature is over: the first two parts and the dot between them
    /// (RFC 7515 §5.2).
    pub fn signing_input(&self) -> &'a [u8] {
        &self.compact.as_bytes()[..self.payload.span.end]
    }

    /// The first part that is damaged or missing, and what is wrong with it.
    pub fn damage(&self) -> Option<(Span, &Damage)> {
        [
            (self.header.span, self.header.content.as_ref().err()),
            (self.payload.span, self.payload.content.as_ref().err()),
            (self.signature.span, self.signature.content.as_ref().err()),
        ]
        .into_iter()
        .find_map(|(span, damage)| Some((span, damage?)))
    }

    /// Whether it is three parts that all decode.
    pub fn is_well_formed(&self) -> bool {
        self.part_count == 3 && self.damage().is_none()
    }
}

impl fmt::Debug for Jwt<'_> {
    /// Without the text: a JWT that verifies is a credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwt")
            .field("length", &self.compact.len())
            .field("part_count", &self.part_count)
            .field("damage", &self.damage())
            .finish_non_exhaustive()
    }
}

/// The parts between the dots. An empty text has one empty part, as a split has.
fn part_spans(compact: &str) -> Vec<Span> {
    let mut start = 0;
    let mut spans = Vec::with_capacity(3);
    for part in compact.split('.') {
        spans.push(Span::new(start, start + part.len()));
        start += part.len() + 1;
    }
    spans
}

fn part<T>(
    compact: &str,
    span: Span,
    present: bool,
    read: impl FnOnce(Vec<u8>) -> Result<T, Damage>,
) -> Part<T> {
    let content = if present {
        decode_base64url(&compact[span.start..span.end], span.start).and_then(read)
    } else {
        Err(Damage::Missing)
    };
    Part { span, content }
}

/// The bits behind a signature's last byte are passed over, as most decoders do: whoever changes
/// the last character has spoilt the signature (rule A20), and the JWT is well formed all the same.
fn signature(compact: &str, span: Span, present: bool) -> Part<Vec<u8>> {
    const TOLERANT: GeneralPurpose =
        GeneralPurpose::new(&URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));
    let strict = part(compact, span, present, Ok);
    match strict.content {
        Err(Damage::TrailingBits) => {
            let decoded = TOLERANT.decode(&compact[span.start..span.end]);
            Part { span, content: decoded.map_err(|_| Damage::TrailingBits) }
        }
        _ => strict,
    }
}

fn object(bytes: Vec<u8>) -> Result<Object, Damage> {
    let text = String::from_utf8(bytes)
        .map_err(|error| Damage::NotUtf8 { offset: error.utf8_error().valid_up_to() })?;
    Object::parse(&text).map_err(Damage::NotJson)
}

fn decode_base64url(text: &str, offset: usize) -> Result<Vec<u8>, Damage> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| {
        let outside =
            |c: &(usize, char)| !(c.1.is_ascii_alphanumeric() || matches!(c.1, '-' | '_'));
        match text.trim_end_matches('=').char_indices().find(outside) {
            Some((at, found)) => Damage::Character { offset: offset + at, found },
            None if text.ends_with('=') => Damage::Padding,
            None if text.len() % 4 == 1 => Damage::Length,
            None => Damage::TrailingBits,
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(bytes: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    #[test]
    fn a_good_one() {
        let compact =
            format!("{}.{}.{}", encoded(br#"{"alg":"RS512"}"#), encoded(b"{}"), encoded(b"sig"));
        let jwt = Jwt::decode(&compact);
        assert!(jwt.is_well_formed());
        assert_eq!(jwt.header.content.unwrap().get("alg").unwrap().text(), r#""RS512""#);
        assert_eq!(jwt.signature.content.unwrap(), b"sig");
    }

    #[test]
    fn each_damage_by_its_name() {
        for (part, expected) in [
            ("e3–0", Damage::Character { offset: 2, found: '–' }),
            ("e3 0", Damage::Character { offset: 2, found: ' ' }),
            ("e3+0", Damage::Character { offset: 2, found: '+' }),
            ("e30=", Damage::Padding),
            ("e30ab", Damage::Length),
            ("e31", Damage::TrailingBits),
        ] {
            assert_eq!(Jwt::decode(part).header.content.unwrap_err(), expected, "{part}");
        }
        assert_eq!(Jwt::decode("e30").payload.content.unwrap_err(), Damage::Missing);
        let not_utf8 = encoded(b"{\"a\":\"\xff\"}");
        assert_eq!(
            Jwt::decode(&not_utf8).header.content.unwrap_err(),
            Damage::NotUtf8 { offset: 6 }
        );
        let array = encoded(b"[]");
        assert!(matches!(Jwt::decode(&array).header.content.unwrap_err(), Damage::NotJson(_)));
    }

    #[test]
    fn a_damaged_part_does_not_hide_the_next() {
        let compact = format!("???.{}.", encoded(br#"{"exp":1}"#));
        let jwt = Jwt::decode(&compact);
        assert!(!jwt.is_well_formed());
        assert_eq!(jwt.payload.content.unwrap().get("exp").unwrap().text(), "1");
    }

    #[test]
    fn a_signature_may_have_bits_behind_its_last_byte() {
        let jwt = Jwt::decode("e30.e30.QQ");
        assert_eq!(jwt.signature.content.unwrap(), b"A");
        let jwt = Jwt::decode("e30.e30.QR");
        assert!(jwt.is_well_formed());
        assert_eq!(jwt.signature.content.unwrap(), b"A");
        assert_eq!(Jwt::decode("e30.e30.Q").signature.content.unwrap_err(), Damage::Length);
    }

    #[test]
    fn debug_shows_no_token() {
        let compact = format!("{}.{}.{}", encoded(b"{}"), encoded(b"{}"), encoded(b"secret"));
        let shown = format!("{:?}", Jwt::decode(&compact));
        assert!(!shown.contains(&encoded(b"secret")) && !shown.contains("e30"), "{shown}");
    }

    proptest! {
        #[test]
        fn whatever_arrives_spans_stay_inside(compact in "[a-zA-Z0-9_.=–\\PC-]*") {
            let jwt = Jwt::decode(&compact);
            for span in [jwt.header.span, jwt.payload.span, jwt.signature.span] {
                prop_assert!(compact.get(span.start..span.end).is_some());
            }
            for damage in [jwt.header.content.as_ref().err(), jwt.payload.content.as_ref().err()] {
                if let Some(Damage::Character { offset, found }) = damage {
                    prop_assert!(compact[*offset..].starts_with(*found));
                }
            }
            prop_assert!(jwt.signing_input().len() <= compact.len());
        }

        #[test]
        fn any_claims_in_the_parts(
            noise in any::<Vec<u8>>(),
            claims in proptest::collection::btree_map("\\PC{0,5}", "\\PC{0,5}", 0..4),
        ) {
            let payload = serde_json::to_vec(&claims).unwrap();
            let compact = format!("{}.{}.", encoded(&noise), encoded(&payload));
            let jwt = Jwt::decode(&compact);
            prop_assert_eq!(jwt.part_count, 3);
            let object = jwt.payload.content.unwrap();
            prop_assert_eq!(object.members().len(), claims.len());
            for (name, value) in &claims {
                prop_assert_eq!(&*object.get(name).unwrap().as_str().unwrap(), value);
            }
        }
    }
}
