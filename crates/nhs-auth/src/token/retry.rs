//! How long to wait before the next attempt.

use std::time::Duration;

use crate::Entropy;

/// Exponential backoff with jitter: attempt after attempt twice as long, up to a bound, and each
/// time somewhere between half of that and all of it, so that a crowd spreads out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    most: Duration,
}

impl Backoff {
    /// Starts at `first`, and never waits longer than `most`.
    pub(crate) const fn new(first: Duration, most: Duration) -> Self {
        Self { first, most }
    }

    /// How long to wait after so many failures; the first failure is 1.
    pub(crate) fn after(self, failures: u32, entropy: &dyn Entropy) -> Duration {
        let doublings = failures.saturating_sub(1).min(20);
        let whole = self.first.saturating_mul(1 << doublings).min(self.most);
        whole.mul_f64(0.5 + entropy.fraction() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Fixed(f64);

    impl Entropy for Fixed {
        fn uuid(&self) -> uuid::Uuid {
            uuid::Uuid::nil()
        }

        fn bytes(&self) -> [u8; 32] {
            [7; 32]
        }

        fn fraction(&self) -> f64 {
            self.0
        }
    }

    #[test]
    fn doubles_up_to_its_bound() {
        let backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(3));
        let millis = |failures| backoff.after(failures, &Fixed(0.0)).as_millis();
        assert_eq!([1, 2, 3, 4, 99].map(millis), [250, 500, 1000, 1500, 1500]);
    }

    #[test]
    fn jitter_never_makes_it_longer_than_its_bound() {
        let backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(1));
        assert!(backoff.after(1, &Fixed(0.999)) < Duration::from_secs(1));
    }
}
