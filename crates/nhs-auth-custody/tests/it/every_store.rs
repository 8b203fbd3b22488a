//! What every store has to do, of each of them.

use std::sync::Arc;
use std::time::Duration;

use nhs_auth::{
    Clock as _, MemorySessionStore, ProviderSession, SessionKey, SessionRecord, SessionStore,
    SystemClock, UnixMillis,
};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::server::Server;

/// How many come at once.
const CROWD: u64 = 50;

const AT_PROVIDER: ProviderSession = ProviderSession::from_bytes([7; 32]);
const ELSEWHERE: ProviderSession = ProviderSession::from_bytes([8; 32]);

pub(crate) const fn key(name: u8) -> SessionKey {
    SessionKey::from_bytes([name; 32])
}

pub(crate) fn ends_in(millis: i64) -> UnixMillis {
    SystemClock::default().now().plus(millis)
}

/// A session that lasts, of no provider's.
pub(crate) fn record(version: u64) -> SessionRecord {
    SessionRecord {
        version,
        content: version.to_be_bytes().repeat(40),
        provider_session: None,
        expires_at: ends_in(60_000),
    }
}

pub(crate) fn of(session: ProviderSession, version: u64) -> SessionRecord {
    SessionRecord { provider_session: Some(session), ..record(version) }
}

async fn keys_of(store: &dyn SessionStore, session: ProviderSession) -> Vec<SessionKey> {
    let mut keys = store.of_provider_session(session).await.unwrap();
    keys.sort();
    keys
}

/// Each function is a test of either store.
macro_rules! of_every_store {
    ($($name:ident)*) => {
        mod in_memory {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(std::sync::Arc::new(super::MemorySessionStore::new())).await;
            })*
        }

        mod in_valkey {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let server = super::Server::start().await;
                super::$name(std::sync::Arc::new(server.store().await)).await;
            })*
        }
    };
}

of_every_store! {
    what_is_saved_is_loaded
    a_new_session_is_saved_only_where_there_is_none
    a_session_is_replaced_only_in_the_version_that_was_read
    versions_are_told_apart_to_the_last_bit
    of_many_who_replace_the_same_version_one_does
    of_many_who_take_one_gets_it
    a_session_is_gone_when_it_ends
    a_session_that_is_over_by_now_is_not_kept
    sessions_are_found_by_the_providers_until_they_are_gone
    a_session_that_is_saved_again_is_found_by_what_it_belongs_to_now
    the_providers_session_is_known_for_as_long_as_its_longest
}

async fn what_is_saved_is_loaded(store: Arc<dyn SessionStore>) {
    let empty = SessionRecord { content: Vec::new(), ..record(1) };
    let never_ends = SessionRecord { expires_at: UnixMillis(i64::MAX), ..record(u64::MAX) };
    let records = [record(1), of(AT_PROVIDER, 3), empty, never_ends];
    for (name, record) in (1..).zip(records) {
        assert!(store.save(key(name), record.clone(), None).await.unwrap());
        assert_eq!(store.load(key(name)).await.unwrap(), Some(record.clone()));
        assert_eq!(store.take(key(name)).await.unwrap(), Some(record));
        assert_eq!(store.load(key(name)).await.unwrap(), None);
    }
    assert_eq!(store.take(key(9)).await.unwrap(), None);
}

async fn a_new_session_is_saved_only_where_there_is_none(store: Arc<dyn SessionStore>) {
    let first = record(1);
    assert!(store.save(key(1), first.clone(), None).await.unwrap());
    assert!(!store.save(key(1), record(2), None).await.unwrap());
    assert_eq!(store.load(key(1)).await.unwrap(), Some(first));
}

async fn a_session_is_replaced_only_in_the_version_that_was_read(store: Arc<dyn SessionStore>) {
    assert!(!store.save(key(1), record(2), Some(1)).await.unwrap(), "none is there");
    assert!(store.load(key(1)).await.unwrap().is_none());
    assert!(store.save(key(1), record(1), None).await.unwrap());
    assert!(store.save(key(1), record(2), Some(1)).await.unwrap());
    assert!(!store.save(key(1), record(2), Some(1)).await.unwrap(), "another came first");
    assert!(!store.save(key(1), record(4), Some(3)).await.unwrap(), "there is no such version");
    assert_eq!(store.load(key(1)).await.unwrap().unwrap().version, 2);
    store.take(key(1)).await.unwrap().unwrap();
    assert!(!store.save(key(1), record(3), Some(2)).await.unwrap(), "it has ended");
    assert!(store.load(key(1)).await.unwrap().is_none());
}

async fn versions_are_told_apart_to_the_last_bit(store: Arc<dyn SessionStore>) {
    let high = (1 << 53) + 1; // one more than what a double can tell apart
    assert!(store.save(key(1), record(high), None).await.unwrap());
    assert!(!store.save(key(1), record(high + 1), Some(high - 1)).await.unwrap());
    assert!(store.save(key(1), record(high + 1), Some(high)).await.unwrap());
}

async fn of_many_who_replace_the_same_version_one_does(store: Arc<dyn SessionStore>) {
    assert!(store.save(key(1), record(1), None).await.unwrap());
    let mut savers = JoinSet::new();
    for number in 0..CROWD {
        let store = Arc::clone(&store);
        savers.spawn(async move {
            let ours = SessionRecord { content: vec![u8::try_from(number).unwrap()], ..record(2) };
            store.save(key(1), ours.clone(), Some(1)).await.unwrap().then_some(ours)
        });
    }
    let won: Vec<_> = savers.join_all().await.into_iter().flatten().collect();
    assert_eq!(won.len(), 1);
    assert_eq!(store.load(key(1)).await.unwrap().as_ref(), won.first());
}

async fn of_many_who_take_one_gets_it(store: Arc<dyn SessionStore>) {
    assert!(store.save(key(1), record(1), None).await.unwrap());
    let mut takers = JoinSet::new();
    for _ in 0..CROWD {
        let store = Arc::clone(&store);
        takers.spawn(async move { store.take(key(1)).await.unwrap() });
    }
    assert_eq!(takers.join_all().await.into_iter().flatten().count(), 1);
}

async fn a_session_is_gone_when_it_ends(store: Arc<dyn SessionStore>) {
    let short = SessionRecord { expires_at: ends_in(1000), ..of(AT_PROVIDER, 1) };
    let shortened = SessionRecord { expires_at: short.expires_at, ..record(2) };
    assert!(store.save(key(1), short.clone(), None).await.unwrap());
    assert!(store.save(key(2), record(1), None).await.unwrap());
    assert!(store.save(key(2), shortened, Some(1)).await.unwrap());
    assert!(store.save(key(3), short, None).await.unwrap());
    assert!(store.save(key(3), of(AT_PROVIDER, 2), Some(1)).await.unwrap());
    assert!(store.load(key(1)).await.unwrap().is_some(), "its time has not come");

    sleep(Duration::from_millis(1050)).await;
    // First of all: nothing that came before has tidied up.
    assert_eq!(keys_of(&*store, AT_PROVIDER).await, [key(3)]);
    assert!(store.load(key(1)).await.unwrap().is_none());
    assert!(store.load(key(2)).await.unwrap().is_none(), "its end has come closer");
    assert!(store.load(key(3)).await.unwrap().is_some(), "its end was put off");
    assert!(store.take(key(1)).await.unwrap().is_none());
    assert!(!store.save(key(1), record(2), Some(1)).await.unwrap());
    assert!(store.save(key(1), record(1), None).await.unwrap(), "its name is free");
}

async fn a_session_that_is_over_by_now_is_not_kept(store: Arc<dyn SessionStore>) {
    for end in [UnixMillis(i64::MIN), UnixMillis(-1), UnixMillis(0), ends_in(-1)] {
        let over = SessionRecord { expires_at: end, ..of(AT_PROVIDER, 2) };
        assert!(store.save(key(1), over.clone(), None).await.unwrap());
        assert!(store.load(key(1)).await.unwrap().is_none(), "{end:?}");
        assert!(store.save(key(1), of(AT_PROVIDER, 1), None).await.unwrap());
        assert!(store.save(key(1), over, Some(1)).await.unwrap());
        assert!(store.load(key(1)).await.unwrap().is_none(), "{end:?}");
        assert_eq!(keys_of(&*store, AT_PROVIDER).await, []);
    }
}

async fn sessions_are_found_by_the_providers_until_they_are_gone(store: Arc<dyn SessionStore>) {
    assert_eq!(keys_of(&*store, AT_PROVIDER).await, []);
    for name in 1..=3 {
        assert!(store.save(key(name), of(AT_PROVIDER, 1), None).await.unwrap());
    }
    assert!(store.save(key(4), of(ELSEWHERE, 1), None).await.unwrap());
    assert!(store.save(key(5), record(1), None).await.unwrap());
    assert!(!store.save(key(4), of(AT_PROVIDER, 2), Some(9)).await.unwrap(), "not written");
    assert_eq!(keys_of(&*store, AT_PROVIDER).await, [key(1), key(2), key(3)]);
    assert_eq!(keys_of(&*store, ELSEWHERE).await, [key(4)]);
    store.take(key(2)).await.unwrap().unwrap();
    assert_eq!(keys_of(&*store, AT_PROVIDER).await, [key(1), key(3)]);
    // The same name once more, of another session at the provider.
    assert!(store.save(key(2), of(ELSEWHERE, 1), None).await.unwrap());
    assert_eq!(keys_of(&*store, AT_PROVIDER).await, [key(1), key(3)]);
    for name in [1, 3] {
        store.take(key(name)).await.unwrap().unwrap();
    }
    assert_eq!(keys_of(&*store, AT_PROVIDER).await, []);
}

async fn a_session_that_is_saved_again_is_found_by_what_it_belongs_to_now(
    store: Arc<dyn SessionStore>,
) {
    assert!(store.save(key(1), of(AT_PROVIDER, 1), None).await.unwrap());
    assert!(store.save(key(1), of(AT_PROVIDER, 2), Some(1)).await.unwrap());
    assert_eq!(keys_of(&*store, AT_PROVIDER).await, [key(1)]);
    assert!(store.save(key(1), of(ELSEWHERE, 3), Some(2)).await.unwrap());
    assert_eq!(keys_of(&*store, AT_PROVIDER).await, []);
    assert_eq!(keys_of(&*store, ELSEWHERE).await, [key(1)]);
    assert!(store.save(key(1), record(4), Some(3)).await.unwrap());
    assert_eq!(keys_of(&*store, ELSEWHERE).await, []);
}

async fn the_providers_session_is_known_for_as_long_as_its_longest(store: Arc<dyn SessionStore>) {
    let short = SessionRecord { expires_at: ends_in(300), ..of(AT_PROVIDER, 1) };
    assert!(store.save(key(1), of(AT_PROVIDER, 1), None).await.unwrap());
    assert!(store.save(key(2), short, None).await.unwrap());
    sleep(Duration::from_millis(350)).await;
    assert_eq!(keys_of(&*store, AT_PROVIDER).await, [key(1)]);
}
