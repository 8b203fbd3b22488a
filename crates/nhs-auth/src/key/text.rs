//! What Windows puts before the text of a key.

use zeroize::Zeroizing;

use super::KeyWarning;

/// The text without a UTF-8 byte order mark.
pub(super) fn without_mark(bytes: &[u8]) -> (&[u8], Option<KeyWarning>) {
    match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => (rest, Some(KeyWarning::ByteOrderMark)),
        None => (bytes, None),
    }
}

/// UTF-16 with its byte order mark, as PowerShell's `>` writes it, turned into ASCII.
///
/// `None` if it is something else. PEM is ASCII (RFC 7468, section 2); any other character becomes
/// a `?`, which the reader of the PEM then finds where it matters.
pub(super) fn from_utf16(bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (rest, unit): (_, fn([u8; 2]) -> u16) = if let Some(rest) = bytes.strip_prefix(b"\xff\xfe")
    {
        (rest, u16::from_le_bytes)
    } else {
        (bytes.strip_prefix(b"\xfe\xff")?, u16::from_be_bytes)
    };
    let mut text = Zeroizing::new(Vec::with_capacity(rest.len() / 2));
    text.extend(
        rest.as_chunks()
            .0
            .iter()
            .map(|pair| u8::try_from(unit(*pair)).ok().filter(u8::is_ascii).unwrap_or(b'?')),
    );
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_byte_orders_of_utf16_are_read() {
        assert_eq!(from_utf16(b"\xff\xfeP\0E\0").unwrap().as_slice(), b"PE");
        assert_eq!(from_utf16(b"\xfe\xff\0P\0E\x20\x13").unwrap().as_slice(), b"PE?");
        assert!(from_utf16(b"PEM").is_none());
    }
}
