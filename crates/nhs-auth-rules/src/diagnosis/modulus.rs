//! What stands in a JWK's `n`, where it isn't a modulus in base64url (RFC 7518 §6.3.1.1).

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// What is wrong with an `n`.
#[derive(Clone, Debug)]
pub(super) struct Flaw {
    pub(super) kind: FlawKind,
    pub(super) message: String,
    /// The modulus, where it can be had all the same.
    pub(super) mended: Option<Vec<u8>>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FlawKind {
    /// A well-formed number that verifies nothing, or text that is no base64url.
    Broken,
    /// It verifies, and isn't what the RFC asks for.
    Untidy,
    /// Nothing was put in.
    Placeholder,
}

/// Takes bytes from base64 of either alphabet, padded or not.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Bytes from base64 of either alphabet, padded or not, with white space in it or not.
pub(super) fn lenient_bytes(text: &str) -> Option<Vec<u8>> {
    let plain: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '=')
        .map(|c| match c {
            '+' => '-',
            '/' => '_',
            other => other,
        })
        .collect();
    LENIENT.decode(plain).ok()
}

/// What is wrong with the text of an `n`, if anything.
pub(super) fn flaw(text: &str) -> Option<Flaw> {
    let broken = |message: &str, mended: Option<Vec<u8>>| {
        Some(Flaw { kind: FlawKind::Broken, message: message.to_owned(), mended })
    };
    if text.len() < 20 {
        let message = format!("`n` is {text:?}, a placeholder and not a modulus");
        return Some(Flaw { kind: FlawKind::Placeholder, message, mended: None });
    }
    if text.contains("-----BEGIN") || text.starts_with("ssh-") {
        return broken("`n` holds a whole key file and not the modulus alone", None);
    }
    if let Some(bytes) = byte_list(text) {
        return broken("`n` is a list of byte values and not base64url", Some(bytes));
    }
    if let Some(bytes) = hexadecimal(text) {
        return broken("`n` is in hexadecimal and not in base64url", Some(bytes));
    }
    match URL_SAFE_NO_PAD.decode(text) {
        Ok(bytes) => number(&bytes),
        Err(_) => Some(encoding(text)),
    }
}

/// An `n` that is the given modulus but for a few characters that got lost.
pub(super) fn lost_character(text: &str, modulus: Option<&[u8]>) -> Option<Flaw> {
    let whole = base64url(significant(modulus?));
    let lost = whole.len().checked_sub(text.len()).filter(|lost| (1..=4).contains(lost))?;
    let mut rest = whole.chars();
    // What is left must stand in the whole in the same order.
    let is_part = text.chars().all(|c| rest.any(|other| other == c));
    let what = if lost == 1 { "a character".to_owned() } else { format!("{lost} characters") };
    let message = format!("`n` is the private key's modulus, of which {what} got lost");
    let mended = modulus.map(|modulus| significant(modulus).to_vec());
    is_part.then_some(Flaw { kind: FlawKind::Broken, message, mended })
}

/// What is wrong with the bytes of an `n` that is base64url.
fn number(bytes: &[u8]) -> Option<Flaw> {
    let broken = |message: String, mended: Option<Vec<u8>>| {
        Some(Flaw { kind: FlawKind::Broken, message, mended })
    };
    if let Some(modulus) = modulus_in_der(bytes) {
        let message = "`n` holds a whole DER structure (a SubjectPublicKeyInfo or RSAPublicKey), of \
                       which the modulus is only a part";
        return broken(message.to_owned(), Some(modulus));
    }
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let significant = &bytes[zeros..];
    if significant.is_empty() {
        return broken("`n` is zero".to_owned(), None);
    }
    let short = significant.len().next_multiple_of(64) - significant.len();
    if (1..=3).contains(&short) {
        let message = format!(
            "`n` has {} bytes, where a whole key has {}: a character or two got lost",
            significant.len(),
            significant.len() + short
        );
        return broken(message, None);
    }
    if significant.last().is_some_and(|last| last % 2 == 0) {
        return broken("`n` is an even number, which no RSA modulus is".to_owned(), None);
    }
    if zeros > 0 {
        let message = "`n` begins with a zero byte, which RFC 7518 §6.3.1.1 rules out; some \
                       libraries refuse it";
        let mended = Some(significant.to_vec());
        return Some(Flaw { kind: FlawKind::Untidy, message: message.to_owned(), mended });
    }
    None
}

/// What is wrong with an `n` that isn't base64url.
fn encoding(text: &str) -> Flaw {
    let mut parts = Vec::new();
    if text.contains(['+', '/']) {
        parts.push("is in standard base64 (`+` and `/`) and not in base64url (`-` and `_`)");
    }
    if text.contains('=') {
        parts.push("is padded with `=`, which base64url in a JWK never is");
    }
    if text.contains(char::is_whitespace) {
        parts.push("has white space in it");
    }
    let stranger = text.chars().find(|c| {
        !c.is_ascii_alphanumeric()
            && !matches!(c, '-' | '_' | '+' | '/' | '=')
            && !c.is_whitespace()
    });
    let mended = lenient_bytes(text).and_then(|bytes| match number(&bytes) {
        None => Some(bytes),
        Some(flaw) => flaw.mended,
    });
    let message = match (stranger, parts.is_empty()) {
        (Some(c), _) => {
            format!("`n` has {c:?} (U+{:04X}) in it, which base64url has not", u32::from(c))
        }
        (None, false) => format!("`n` {}", parts.join(", and ")),
        (None, true) => {
            "`n` has a length that base64url can't have: a character got lost".to_owned()
        }
    };
    let mended = if parts.is_empty() { None } else { mended };
    Flaw { kind: FlawKind::Broken, message, mended }
}

fn byte_list(text: &str) -> Option<Vec<u8>> {
    let inside = text.trim().trim_start_matches('[').trim_end_matches(']');
    let numbers: Vec<&str> = inside.split(',').map(str::trim).collect();
    if numbers.len() < 32 {
        return None;
    }
    numbers.into_iter().map(|number| number.parse().ok()).collect()
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | ' ' | '\n')).collect();
    // A base64url text of this length has other letters, too.
    if digits.len() < 128 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let even = if digits.len().is_multiple_of(2) { digits } else { format!("0{digits}") };
    let bytes: Option<Vec<u8>> = (0..even.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&even[at..at + 2], 16).ok())
        .collect();
    bytes.map(|bytes| {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        bytes[zeros..].to_vec()
    })
}

/// The modulus in an `RSAPublicKey` (RFC 8017 §A.1.1) or in a `SubjectPublicKeyInfo` around one
/// (RFC 5280 §4.1).
pub(super) fn modulus_in_der(der: &[u8]) -> Option<Vec<u8>> {
    const SEQUENCE: u8 = 0x30;
    const INTEGER: u8 = 0x02;
    const BIT_STRING: u8 = 0x03;
    let (content, _) = element(der, SEQUENCE)?;
    if let Some((modulus, _)) = element(content, INTEGER) {
        let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
        return (modulus.len() > 32).then(|| modulus[zeros..].to_vec());
    }
    let (_, behind_algorithm) = element(content, SEQUENCE)?;
    let (bits, _) = element(behind_algorithm, BIT_STRING)?;
    modulus_in_der(bits.get(1..)?)
}

/// The content of the DER element that `der` begins with, if it has that tag, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    if found != tag {
        return None;
    }
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        if count == 0 || count > 4 || rest.len() < count {
            return None;
        }
        let length = rest[..count].iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        (length, &rest[count..])
    };
    (rest.len() >= length).then(|| rest.split_at(length))
}

/// A number's length in bits.
pub(super) fn bits(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let significant = &number[zeros..];
    significant.first().map_or(0, |first| significant.len() * 8 - first.leading_zeros() as usize)
}

/// A number without its leading zeros.
pub(super) fn significant(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

/// Base64url, as it stands in a JWK.
pub(super) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
