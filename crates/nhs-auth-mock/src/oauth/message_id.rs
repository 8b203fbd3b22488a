//! `message_id`: what NHS support asks for.

use crate::random;

/// A new one, in the shape that they have: `rrt-5954123490815391235-a-geu2-23480-2345678-1`.
pub(crate) fn new() -> String {
    let bytes = random::bytes::<17>();
    let number = |at: usize| u64::from_le_bytes(std::array::from_fn(|byte| bytes[at + byte]));
    // 19 digits, the first of them not 0.
    let request = 1_000_000_000_000_000_000 + number(0) % 9_000_000_000_000_000_000;
    let process = 1000 + number(8) % 30_000;
    let connection = 1_000_000 + (number(8) >> 32) % 90_000_000;
    let cell = char::from(b'a' + bytes[16] % 4);
    format!("rrt-{request}-{cell}-geu2-{process}-{connection}-1")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_shape_is_the_platforms() {
        for _ in 0..100 {
            let id = super::new();
            let parts: Vec<_> = id.split('-').collect();
            let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            assert_eq!(parts.len(), 7, "{id}");
            assert_eq!((parts[0], parts[3]), ("rrt", "geu2"));
            assert!(parts[1].len() == 19 && digits(parts[1]), "{id}");
            assert!(["a", "b", "c", "d"].contains(&parts[2]), "{id}");
            assert!(parts[4..].iter().all(|part| digits(part)), "{id}");
        }
    }
}
