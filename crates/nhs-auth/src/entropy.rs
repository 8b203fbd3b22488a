//! Randomness comes in through a trait, so that tests decide it.

use std::cell::RefCell;
use std::fmt;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use uuid::Uuid;

/// Where random values come from.
pub trait Entropy: fmt::Debug + Send + Sync {
    /// A random UUID (RFC 9562 §5.4): a `jti`, a request's id.
    fn uuid(&self) -> Uuid;

    /// 32 random bytes: what nobody may guess, such as a `state` or a session's name.
    fn bytes(&self) -> [u8; 32];

    /// A number from 0 up to and without 1: jitter.
    fn fraction(&self) -> f64;
}

/// 32 random bytes in base64url: 43 characters.
pub(crate) fn unguessable(entropy: &dyn Entropy) -> String {
    crate::key::base64url(&entropy.bytes())
}

/// How many UUIDs are drawn at once: every request to an API has one, and drawing takes longer than
/// all else that a UUID takes.
const TAKEN_AT_ONCE: usize = 32;

thread_local! {
    /// UUIDs that are drawn and not given out. None is a secret: they are sent as they are.
    static AHEAD: RefCell<Vec<[u8; 16]>> = const { RefCell::new(Vec::new()) };
}

/// The operating system's random numbers.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn uuid(&self) -> Uuid {
        AHEAD.with_borrow_mut(|ahead| {
            if ahead.is_empty() {
                let mut bytes = [0; 16 * TAKEN_AT_ONCE];
                SystemRandom::new()
                    .fill(&mut bytes)
                    .expect("the operating system has random bytes");
                ahead.extend_from_slice(bytes.as_chunks().0);
            }
            let bytes = ahead.pop().expect("there are some now");
            uuid::Builder::from_random_bytes(bytes).into_uuid()
        })
    }

    fn bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes).expect("the operating system has random bytes");
        bytes
    }

    fn fraction(&self) -> f64 {
        let mut bytes = [0; 4];
        // Jitter that is missing harms nobody, so a failure needs no answer.
        let _ = SystemRandom::new().fill(&mut bytes);
        f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::thread;

    use super::*;

    #[test]
    fn no_uuid_is_given_out_twice_on_any_thread() {
        let drawn = || (0..3 * TAKEN_AT_ONCE).map(|_| OsEntropy.uuid()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| thread::spawn(drawn)).collect();
        let all: Vec<_> = threads.into_iter().flat_map(|it| it.join().unwrap()).collect();
        assert!(all.iter().all(|uuid| uuid.get_version_num() == 4));
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), 4 * 3 * TAKEN_AT_ONCE);
    }
}
