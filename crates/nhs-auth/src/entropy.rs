//! Randomness comes in through a trait, so that tests decide it.

use std::fmt;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use uuid::Uuid;

/// Where random values come from.
pub trait Entropy: fmt::Debug + Send + Sync {
    /// A random UUID (RFC 9562 §5.4): a `jti`, a request's id.
    fn uuid(&self) -> Uuid;

    /// A number from 0 up to and without 1: jitter.
    fn fraction(&self) -> f64;
}

/// The operating system's random numbers.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    #[expect(clippy::disallowed_methods, reason = "this is where randomness comes in")]
    fn uuid(&self) -> Uuid {
        Uuid::new_v4()
    }

    fn fraction(&self) -> f64 {
        let mut bytes = [0; 4];
        // Jitter that is missing harms nobody, so a failure needs no answer.
        let _ = SystemRandom::new().fill(&mut bytes);
        f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
    }
}
