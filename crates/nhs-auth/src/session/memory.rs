//! Sessions in the memory of one process.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nhs_auth_rules::UnixMillis;

use super::store::{ProviderSession, SessionKey, SessionRecord, SessionStore};
use crate::{Clock, StoreFuture, SystemClock};

/// As many sessions as are kept unless told otherwise.
const MOST_SESSIONS: usize = 100_000;

/// Keeps sessions in memory: for one process, and until it ends.
///
/// Their number is bounded. Beyond it a sign-in that is under way goes, and when there is none the
/// session that would end first.
pub struct MemorySessionStore {
    sessions: Mutex<Kept>,
    most: usize,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct Kept {
    records: HashMap<SessionKey, SessionRecord>,
    ends: BTreeSet<(UnixMillis, SessionKey)>,
    /// Those of sign-ins that are under way: anybody can begin one.
    pending_ends: BTreeSet<(UnixMillis, SessionKey)>,
    of_provider: HashMap<ProviderSession, BTreeSet<SessionKey>>,
}

impl Default for MemorySessionStore {
    fn default() -> Self {
        Self::with_capacity(MOST_SESSIONS, Arc::new(SystemClock))
    }
}

impl MemorySessionStore {
    /// An empty store for 100,000 sessions.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store for so many sessions, by that clock.
    pub fn with_capacity(sessions: usize, clock: Arc<dyn Clock>) -> Self {
        Self { sessions: Mutex::default(), most: sessions.max(1), clock }
    }

    /// How many sessions there are, less those that have expired.
    pub fn len(&self) -> usize {
        let mut kept = self.kept();
        kept.forget_expired(self.clock.now());
        kept.records.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn insert(&mut self, key: SessionKey, record: SessionRecord) {
        self.remove(key);
        self.ends_like(&record).insert((record.expires_at, key));
        if let Some(session) = record.provider_session {
            self.of_provider.entry(session).or_default().insert(key);
        }
        self.records.insert(key, record);
    }

    fn remove(&mut self, key: SessionKey) -> Option<SessionRecord> {
        let record = self.records.remove(&key)?;
        self.ends_like(&record).remove(&(record.expires_at, key));
        if let Some(session) = record.provider_session
            && let Some(keys) = self.of_provider.get_mut(&session)
        {
            keys.remove(&key);
            if keys.is_empty() {
                self.of_provider.remove(&session);
            }
        }
        Some(record)
    }

    fn forget_expired(&mut self, now: UnixMillis) {
        for of_pending in [true, false] {
            let first = |kept: &Self| {
                let ends = if of_pending { &kept.pending_ends } else { &kept.ends };
                ends.first().copied()
            };
            while let Some((end, key)) = first(self)
                && end <= now
            {
                self.remove(key);
            }
        }
    }

    fn make_room(&mut self) {
        let first = self.pending_ends.first().or_else(|| self.ends.first()).copied();
        if let Some((_, key)) = first {
            self.remove(key);
        }
    }

    fn ends_like(&mut self, record: &SessionRecord) -> &mut BTreeSet<(UnixMillis, SessionKey)> {
        if record.version == 0 { &mut self.pending_ends } else { &mut self.ends }
    }
}

impl fmt::Debug for MemorySessionStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySessionStore").field("most", &self.most).finish_non_exhaustive()
    }
}

impl SessionStore for MemorySessionStore {
    fn load(&self, key: SessionKey) -> StoreFuture<'_, Option<SessionRecord>> {
        Box::pin(async move {
            let mut kept = self.kept();
            kept.forget_expired(self.clock.now());
            Ok(kept.records.get(&key).cloned())
        })
    }

    fn save(
        &self,
        key: SessionKey,
        record: SessionRecord,
        replaces: Option<u64>,
    ) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            let mut kept = self.kept();
            kept.forget_expired(self.clock.now());
            if kept.records.get(&key).map(|there| there.version) != replaces {
                return Ok(false);
            }
            if replaces.is_none() && kept.records.len() >= self.most {
                kept.make_room();
            }
            kept.insert(key, record);
            Ok(true)
        })
    }

    fn take(&self, key: SessionKey) -> StoreFuture<'_, Option<SessionRecord>> {
        Box::pin(async move {
            let mut kept = self.kept();
            kept.forget_expired(self.clock.now());
            Ok(kept.remove(key))
        })
    }

    fn of_provider_session(&self, session: ProviderSession) -> StoreFuture<'_, Vec<SessionKey>> {
        Box::pin(async move {
            let mut kept = self.kept();
            kept.forget_expired(self.clock.now());
            Ok(kept.of_provider.get(&session).into_iter().flatten().copied().collect())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(expires_at: i64) -> SessionRecord {
        SessionRecord {
            version: 1,
            content: Vec::new(),
            provider_session: Some(ProviderSession([7; 32])),
            expires_at: UnixMillis(expires_at),
        }
    }

    #[tokio::test]
    async fn the_number_is_bounded_and_the_first_to_end_goes() {
        let store = MemorySessionStore::with_capacity(3, Arc::new(SystemClock));
        for (name, end) in
            [(1, i64::MAX - 9), (2, i64::MAX - 3), (3, i64::MAX - 2), (4, i64::MAX - 1)]
        {
            assert!(store.save(SessionKey([name; 32]), record(end), None).await.unwrap());
        }
        assert_eq!(store.len(), 3);
        assert!(store.load(SessionKey([1; 32])).await.unwrap().is_none());
        let left = store.of_provider_session(ProviderSession([7; 32])).await.unwrap();
        assert_eq!(left.len(), 3);
    }

    #[tokio::test]
    async fn nothing_is_left_of_what_has_expired_or_was_taken() {
        let store = MemorySessionStore::new();
        assert!(store.save(SessionKey([1; 32]), record(0), None).await.unwrap());
        assert!(store.save(SessionKey([2; 32]), record(i64::MAX), None).await.unwrap());
        let left = store.of_provider_session(ProviderSession([7; 32])).await.unwrap();
        assert_eq!(left, [SessionKey([2; 32])]);
        assert!(store.load(SessionKey([1; 32])).await.unwrap().is_none());
        assert!(store.take(SessionKey([2; 32])).await.unwrap().is_some());
        assert!(store.take(SessionKey([2; 32])).await.unwrap().is_none());
        let kept = store.kept();
        assert!(kept.records.is_empty() && kept.ends.is_empty() && kept.of_provider.is_empty());
    }

    #[tokio::test]
    async fn sign_ins_that_anybody_begins_put_nobody_out() {
        let store = MemorySessionStore::with_capacity(3, Arc::new(SystemClock));
        let signed_in = SessionKey([255; 32]);
        assert!(store.save(signed_in, record(i64::MAX - 9), None).await.unwrap());
        for name in 0..100 {
            let pending = SessionRecord { version: 0, ..record(i64::MAX) };
            assert!(store.save(SessionKey([name; 32]), pending, None).await.unwrap());
        }
        assert!(store.load(signed_in).await.unwrap().is_some());
        assert_eq!(store.len(), 3);
    }
}
