//! What has to be unguessable, or at least different each time.

/// Random bytes.
///
/// # Panics
///
/// When the operating system has no randomness to give, which nothing here could go on without.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system's random number generator works");
    bytes
}

/// Text of that many letters and digits, each as likely as the other.
pub(crate) fn alphanumeric(length: usize) -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    // Bytes from 248 on would favour the first letters.
    const FAIR: u8 = 248;
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let drawn = bytes::<40>();
        let fair = drawn.iter().filter(|byte| **byte < FAIR);
        text.extend(
            fair.take(length - text.len()).map(|byte| char::from(ALPHABET[usize::from(byte % 62)])),
        );
    }
    text
}

/// That many decimal digits.
pub(crate) fn digits(length: usize) -> String {
    // Bytes from 250 on would favour the first digits.
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let drawn = bytes::<16>();
        let fair = drawn.iter().filter(|byte| **byte < 250);
        text.extend(fair.take(length - text.len()).map(|byte| char::from(b'0' + byte % 10)));
    }
    text
}

/// A random UUID (RFC 9562 §5.4), as application IDs are.
pub(crate) fn uuid() -> String {
    uuid::Builder::from_random_bytes(bytes()).into_uuid().to_string()
}

/// True in that share of the cases.
pub(crate) fn happens(share: f64) -> bool {
    f64::from(u32::from_le_bytes(bytes())) < share * (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_the_wanted_length_and_alphabet() {
        for length in [0, 1, 28, 32, 200] {
            let text = alphanumeric(length);
            assert_eq!(text.len(), length);
            assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        }
        assert_ne!(alphanumeric(28), alphanumeric(28));
    }

    #[test]
    fn never_and_always_are_kept_to() {
        for _ in 0..1000 {
            assert!(happens(1.0));
            assert!(!happens(0.0));
        }
    }
}
