//! The `jti`s that were burnt (rule A13).

use std::collections::HashMap;
use std::fmt;
use std::sync::Mutex;

use aws_lc_rs::digest;
use nhs_auth_rules::limits::JTI_MEMORY_S;
use nhs_auth_rules::{JtiHistory, UnixMillis};

use super::expiring::Digest;
use super::lock;

/// A shard's two generations hold this many each: seven eighths of a power of two, as full as the
/// table gets before it grows. So the last 458,752 are always remembered, and never more than
/// 917,504: the memory of minutes of full load, after which it grows no more.
const GENERATION: usize = 28_672;

const SHARDS: usize = 16;

/// The burnt `jti`s, each as half a SHA-256 of `sub` and `jti` with the moment at which it is
/// forgotten. When a shard is full it forgets the older half of what it holds.
pub(crate) struct Jtis {
    shards: [Mutex<Shard>; SHARDS],
}

#[derive(Default)]
struct Shard {
    newer: HashMap<Digest, UnixMillis>,
    older: HashMap<Digest, UnixMillis>,
}

impl Jtis {
    /// Tells `judge` whether the `jti` is new for that `sub`, and burns it when `judge` says so.
    /// No other judgement of the same pair comes between the two: of several requests with one
    /// `jti` at most one finds it new and burns it. So `judge` has to be quick.
    pub(crate) fn consult<T>(
        &self,
        sub: &str,
        jti: &str,
        now: UnixMillis,
        judge: impl FnOnce(JtiHistory) -> (T, Burn),
    ) -> T {
        let digest = digest(sub, jti);
        let mut shard = lock(&self.shards[usize::from(digest[0]) % SHARDS]);
        let history = if shard.expiry(&digest).is_some_and(|expiry| now < expiry) {
            JtiHistory::Seen
        } else {
            JtiHistory::New
        };
        let (judgement, burn) = judge(history);
        if burn == Burn::Yes {
            shard.burn(digest, now.plus(JTI_MEMORY_S * 1000));
        }
        judgement
    }

    /// All of them, with the moments at which they are forgotten.
    pub(crate) fn all(&self) -> Vec<(Digest, UnixMillis)> {
        let mut all = Vec::new();
        for shard in &self.shards {
            let shard = lock(shard);
            all.extend(shard.older.iter().map(|(digest, expiry)| (*digest, *expiry)));
            all.extend(shard.newer.iter().map(|(digest, expiry)| (*digest, *expiry)));
        }
        all
    }

    /// Takes back one that was burnt.
    pub(crate) fn restore(&self, digest: Digest, expiry: UnixMillis) {
        lock(&self.shards[usize::from(digest[0]) % SHARDS]).burn(digest, expiry);
    }

    pub(crate) fn clear(&self) {
        for shard in &self.shards {
            *lock(shard) = Shard::default();
        }
    }
}

/// Whether to remember a `jti`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Burn {
    Yes,
    No,
}

impl Shard {
    fn expiry(&self, digest: &Digest) -> Option<UnixMillis> {
        self.newer.get(digest).or_else(|| self.older.get(digest)).copied()
    }

    fn burn(&mut self, digest: Digest, expiry: UnixMillis) {
        if self.newer.len() >= GENERATION {
            std::mem::swap(&mut self.newer, &mut self.older);
            // Its table stays, for those that come.
            self.newer.clear();
        }
        self.newer.insert(digest, expiry);
    }
}

impl Default for Jtis {
    fn default() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::default()) }
    }
}

impl fmt::Debug for Jtis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jtis").finish_non_exhaustive()
    }
}

/// Of both texts, so that no pair is another's.
fn digest(sub: &str, jti: &str) -> Digest {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&(sub.len() as u64).to_le_bytes());
    context.update(sub.as_bytes());
    context.update(jti.as_bytes());
    let whole = context.finish();
    std::array::from_fn(|at| whole.as_ref()[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn burn(jtis: &Jtis, sub: &str, jti: &str, now: i64) -> JtiHistory {
        jtis.consult(sub, jti, UnixMillis(now), |history| (history, Burn::Yes))
    }

    #[test]
    fn a_pair_is_new_once_in_thirty_days() {
        let jtis = Jtis::default();
        assert_eq!(burn(&jtis, "a", "bc", 0), JtiHistory::New);
        assert_eq!(burn(&jtis, "a", "bc", 0), JtiHistory::Seen);
        assert_eq!(burn(&jtis, "ab", "c", 0), JtiHistory::New);
        assert_eq!(burn(&jtis, "a", "d", 0), JtiHistory::New);
        let memory_ms = JTI_MEMORY_S * 1000;
        assert_eq!(burn(&jtis, "a", "d", memory_ms - 1), JtiHistory::Seen);
        assert_eq!(burn(&jtis, "ab", "c", memory_ms), JtiHistory::New);
    }

    #[test]
    fn what_is_not_burnt_stays_new() {
        let jtis = Jtis::default();
        let looked = jtis.consult("a", "b", UnixMillis(0), |history| (history, Burn::No));
        assert_eq!(looked, JtiHistory::New);
        assert_eq!(burn(&jtis, "a", "b", 0), JtiHistory::New);
    }

    #[test]
    fn memory_is_bounded_and_the_newest_stay() {
        let mut shard = Shard::default();
        let digest = |number: usize| {
            let mut digest = [0; 16];
            digest[..8].copy_from_slice(&number.to_le_bytes());
            digest
        };
        for number in 0..GENERATION * 3 {
            shard.burn(digest(number), UnixMillis(1));
        }
        assert!(shard.newer.len() + shard.older.len() <= 2 * GENERATION);
        assert!(shard.expiry(&digest(GENERATION * 3 - 1)).is_some());
        assert!(shard.expiry(&digest(GENERATION * 2)).is_some());
        assert!(shard.expiry(&digest(0)).is_none());
    }
}
