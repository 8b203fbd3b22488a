//! What a store of tokens keeps to, on a server.

use std::time::Duration;

use nhs_auth::{FleetName, KeptToken, LeaseHolder, StoreError, TokenStore};
use nhs_auth_custody::{ValkeyServer, ValkeyTokenStore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::proxy::Proxy;
use crate::server::{Server, free_port};

const NAME: FleetName = FleetName::from_bytes([1; 32]);
const OTHER_NAME: FleetName = FleetName::from_bytes([2; 32]);
const LEASE: Duration = Duration::from_secs(8);

const fn holder(number: u8) -> LeaseHolder {
    LeaseHolder::from_bytes([number; 16])
}

fn kept(content: &[u8]) -> KeptToken {
    KeptToken { content: content.to_vec(), left: Some(Duration::from_mins(10)) }
}

async fn content(store: &dyn TokenStore) -> Option<Vec<u8>> {
    store.load(NAME).await.unwrap().map(|kept| kept.content)
}

async fn failures_of_all_questions(store: &ValkeyTokenStore) -> Vec<StoreError> {
    let questions = async {
        [
            store.load(NAME).await.unwrap_err(),
            store.save(NAME, kept(b"new"), None).await.unwrap_err(),
            store.remove(NAME, b"new".to_vec()).await.unwrap_err(),
            store.lease(NAME, holder(1), LEASE).await.unwrap_err(),
            store.release(NAME, holder(1)).await.unwrap_err(),
        ]
    };
    timeout(Duration::from_secs(10), questions).await.expect("it takes too long").into()
}

#[tokio::test]
async fn a_token_replaces_the_one_that_was_read_and_no_other() {
    let server = Server::start().await;
    let (one, other) = (server.token_store(), server.token_store());
    assert!(one.load(NAME).await.unwrap().is_none());
    assert!(!one.save(NAME, kept(b"second"), Some(b"first".to_vec())).await.unwrap());
    assert!(one.save(NAME, kept(b"first"), None).await.unwrap());
    assert!(!other.save(NAME, kept(b"second"), None).await.unwrap());
    assert!(!other.save(NAME, kept(b"second"), Some(b"zeroth".to_vec())).await.unwrap());
    assert_eq!(content(&other).await.unwrap(), b"first");
    assert!(other.save(NAME, kept(b"\0 \xFF"), Some(b"first".to_vec())).await.unwrap());
    assert_eq!(content(&one).await.unwrap(), b"\0 \xFF");
    assert!(one.load(OTHER_NAME).await.unwrap().is_none());
    assert!(!one.remove(NAME, b"first".to_vec()).await.unwrap());
    assert!(one.remove(NAME, b"\0 \xFF".to_vec()).await.unwrap());
    assert!(!one.remove(NAME, b"\0 \xFF".to_vec()).await.unwrap());
    assert_eq!(server.names().await, Vec::<String>::new());
}

#[tokio::test]
async fn of_many_who_save_one_does() {
    let server = Server::start().await;
    let mut savers = JoinSet::new();
    for number in 0..20_u8 {
        let store = server.token_store();
        savers.spawn(async move { store.save(NAME, kept(&[number]), None).await.unwrap() });
    }
    assert_eq!(savers.join_all().await.into_iter().filter(|saved| *saved).count(), 1);
}

#[tokio::test]
async fn what_is_left_is_by_the_servers_clock_and_then_it_is_gone() {
    let server = Server::start().await;
    let store = server.token_store();
    let short = KeptToken { left: Some(Duration::from_millis(1500)), ..kept(b"short") };
    assert!(store.save(NAME, short, None).await.unwrap());
    let left = store.load(NAME).await.unwrap().unwrap().left.unwrap();
    assert!(left <= Duration::from_millis(1500), "{left:?}");
    sleep(Duration::from_millis(1550)).await;
    assert!(store.load(NAME).await.unwrap().is_none());
    assert!(store.save(NAME, kept(b"new"), None).await.unwrap());
    let left: i64 = server.ask(&[b"PTTL", format!("nhs-auth:token:{NAME}").as_bytes()]).await;
    assert!((500_000..=600_000).contains(&left), "{left}");
}

#[tokio::test]
async fn a_lease_is_ones_until_it_is_given_back_or_lapses() {
    let server = Server::start().await;
    let (one, other) = (server.token_store(), server.token_store());
    assert_eq!(one.lease(NAME, holder(1), LEASE).await.unwrap(), holder(1));
    assert_eq!(other.lease(NAME, holder(2), LEASE).await.unwrap(), holder(1));
    assert_eq!(other.lease(OTHER_NAME, holder(2), LEASE).await.unwrap(), holder(2));
    other.release(NAME, holder(2)).await.unwrap();
    assert_eq!(other.lease(NAME, holder(2), LEASE).await.unwrap(), holder(1), "it isn't theirs");
    one.release(NAME, holder(1)).await.unwrap();
    assert_eq!(other.lease(NAME, holder(2), Duration::from_millis(300)).await.unwrap(), holder(2));
    // Kept up, it goes on.
    assert_eq!(other.lease(NAME, holder(2), Duration::from_millis(300)).await.unwrap(), holder(2));
    sleep(Duration::from_millis(350)).await;
    assert_eq!(one.lease(NAME, holder(1), LEASE).await.unwrap(), holder(1));
    let lease = format!("nhs-auth:token-lease:{NAME}");
    let left: i64 = server.ask(&[b"PTTL", lease.as_bytes()]).await;
    assert!((1..=8000).contains(&left), "{left}");
}

#[tokio::test]
async fn of_many_who_want_the_lease_one_gets_it() {
    let server = Server::start().await;
    let mut wanting = JoinSet::new();
    for number in 0..20 {
        let store = server.token_store();
        wanting.spawn(async move {
            store.lease(NAME, holder(number), LEASE).await.unwrap() == holder(number)
        });
    }
    assert_eq!(wanting.join_all().await.into_iter().filter(|got| *got).count(), 1);
}

#[tokio::test]
async fn what_is_no_token_and_no_lease_is_replaced() {
    let server = Server::start().await;
    let store = server.token_store();
    let token = format!("nhs-auth:token:{NAME}");
    let lease = format!("nhs-auth:token-lease:{NAME}");
    let long = vec![b'x'; 100_000];
    let others: [&[&[u8]]; 4] = [
        &[b"RPUSH", token.as_bytes(), b"member"],
        &[b"HSET", token.as_bytes(), b"field", b"value"],
        &[b"SET", token.as_bytes(), &long],
        &[b"SET", token.as_bytes(), b""],
    ];
    for other in others {
        let _: redis::Value = server.ask(&[b"DEL", token.as_bytes()]).await;
        let _: redis::Value = server.ask(other).await;
        let found = store.load(NAME).await.unwrap().unwrap();
        assert_eq!((found.content.as_slice(), found.left), (&b""[..], None));
        assert!(!store.save(NAME, kept(b"new"), None).await.unwrap());
        assert!(store.save(NAME, kept(b"new"), Some(found.content)).await.unwrap());
        assert_eq!(content(&store).await.unwrap(), b"new");
    }
    let leases: [&[&[u8]]; 4] = [
        &[b"RPUSH", lease.as_bytes(), b"member"],
        &[b"SET", lease.as_bytes(), &[9; 16]],
        &[b"SET", lease.as_bytes(), &[9; 16], b"EX", b"3600"],
        &[b"SET", lease.as_bytes(), b"somebody", b"EX", b"5"],
    ];
    for other in leases {
        let _: redis::Value = server.ask(&[b"DEL", lease.as_bytes()]).await;
        let _: redis::Value = server.ask(other).await;
        store.release(NAME, holder(1)).await.unwrap();
        assert_eq!(store.lease(NAME, holder(1), LEASE).await.unwrap(), holder(1), "{other:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_yet_is_used_when_it_is() {
    let mut server = Server::start().await;
    server.stop().await;
    let store = server.token_store();
    for error in failures_of_all_questions(&store).await {
        let named = format!("the store 127.0.0.1:{} failed: ", server.port());
        assert!(error.to_string().starts_with(&named), "{error}");
    }
    server.start_again_with(&[]).await;
    assert!(store.save(NAME, kept(b"new"), None).await.unwrap());
    server.stop().await;
    failures_of_all_questions(&store).await;
    server.start_again_with(&[]).await;
    assert!(store.load(NAME).await.unwrap().is_none(), "it is empty, and its scripts are gone");
}

#[tokio::test]
async fn a_connection_that_has_gone_silent_is_left_though_nobody_waits_for_it() {
    let server = Server::start().await;
    let proxy = Proxy::to(server.port()).await;
    let store = ValkeyTokenStore::connect_lazily(&ValkeyServer::parse(&proxy.url()).unwrap());
    assert!(store.save(NAME, kept(b"new"), None).await.unwrap());
    proxy.silence();
    // As the cache does: it waits for half a second.
    let found_again =
        async { while timeout(Duration::from_millis(500), store.load(NAME)).await.is_err() {} };
    timeout(Duration::from_secs(10), found_again).await.expect("the connection is kept");
    assert_eq!(content(&store).await.unwrap(), b"new");
}

#[tokio::test]
async fn stores_of_different_prefixes_share_nothing() {
    let server = Server::start().await;
    let (one, other) = (server.token_store(), server.token_store().with_prefix("other:"));
    assert!(one.save(NAME, kept(b"new"), None).await.unwrap());
    assert!(other.load(NAME).await.unwrap().is_none());
    assert_eq!(one.lease(NAME, holder(1), LEASE).await.unwrap(), holder(1));
    assert_eq!(other.lease(NAME, holder(2), LEASE).await.unwrap(), holder(2));
}

#[tokio::test]
async fn the_password_is_shown_nowhere() {
    let url = format!("redis://:open-sesame@127.0.0.1:{}", free_port());
    let store = ValkeyTokenStore::connect_lazily(&ValkeyServer::parse(&url).unwrap());
    let errors = failures_of_all_questions(&store).await;
    let shown = format!("{store:?} {errors:?} {}", errors[0]);
    assert!(shown.contains("127.0.0.1") && !shown.contains("sesame"), "{shown}");
}
