//! Entity tags (RFC 9110, section 8.8.3), and the condition that asks for another one (section
//! 13.1.2).

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::IF_NONE_MATCH;

/// A strong entity tag, with its quotes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct EntityTag(String);

impl EntityTag {
    /// The tag of these bytes: the same for the same bytes, on every server.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(format!("\"{}\"", URL_SAFE_NO_PAD.encode(digest(&SHA256, bytes))))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a request says that it has this already. Where that can't be read, it has not.
    pub(crate) fn is_known_to(&self, headers: &HeaderMap) -> bool {
        headers.get_all(IF_NONE_MATCH).iter().any(|value| self.is_in(value.as_bytes()))
    }

    /// Whether a list of tags has this one, be it weak or strong there.
    fn is_in(&self, list: &[u8]) -> bool {
        let mut rest = list.trim_ascii();
        if rest == b"*" {
            return true;
        }
        while let Some((tag, behind)) = next_tag(rest) {
            if tag == self.0.as_bytes() {
                return true;
            }
            rest = behind;
        }
        false
    }
}

/// The first tag of a list, with its quotes and without its `W/`, and what stands behind it.
fn next_tag(list: &[u8]) -> Option<(&[u8], &[u8])> {
    let start = list.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b','))?;
    let tag = &list[start..];
    let tag = tag.strip_prefix(b"W/").unwrap_or(tag);
    let inner = tag.strip_prefix(b"\"")?;
    let end = inner.iter().position(|byte| *byte == b'"')? + 2;
    Some(tag.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_hash_of_the_bytes() {
        let empty = "\"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU\"";
        assert_eq!(EntityTag::of(b"").as_str(), empty);
        assert_ne!(EntityTag::of(b"{}").as_str(), empty);
    }

    #[test]
    fn a_list_has_it_or_has_it_not() {
        let tag = EntityTag("\"abc\"".to_owned());
        for list in [
            "\"abc\"",
            "W/\"abc\"",
            "*",
            "  *\t",
            "\"x\", \"abc\"",
            "\"x\",W/\"abc\",\"y\"",
            ",, ,\"abc\"",
            "\"a,b\", \"abc\"",
            "\"\"\t,\"abc\"",
        ] {
            assert!(tag.is_in(list.as_bytes()), "{list}");
        }
        for list in [
            "",
            ",",
            "abc",
            "\"abc",
            "abc\"",
            "\"ab\"",
            "\"abcd\"",
            "w/\"abc\"",
            "W/ \"abc\"",
            "*, \"x\"",
            "\"x, \"abc\"",
            "'abc'",
            "W/abc",
            "\"",
            "W/",
        ] {
            assert!(!tag.is_in(list.as_bytes()), "{list}");
        }
    }
}
