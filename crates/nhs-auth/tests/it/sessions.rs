//! Sessions of a web server, against the platform in a box.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nhs_auth::{
    Access, ApiClient, Cis2SignIn, Destinations, MemorySessionStore, OsEntropy, ProviderSession,
    SealingKey, SessionError, SessionId, SessionKey, SessionLimits, SessionRecord, SessionStore,
    Sessions, StoreError, StoreFuture,
};
use nhs_auth_mock::{Fault, FaultKind};
use serde_json::json;

use crate::user_tokens::UserScene;

/// A store that can be told to fail, and that tests can look into.
#[derive(Clone, Debug)]
struct TestStore {
    memory: Arc<MemorySessionStore>,
    fails_to_save: Arc<AtomicBool>,
    seen: Arc<std::sync::Mutex<Vec<u8>>>,
}

impl TestStore {
    fn new(scene: &UserScene) -> Self {
        let clock = Arc::clone(&scene.clock) as _;
        Self {
            memory: Arc::new(MemorySessionStore::with_capacity(1000, clock)),
            fails_to_save: Arc::default(),
            seen: Arc::default(),
        }
    }
}

impl SessionStore for TestStore {
    fn load(&self, key: SessionKey) -> StoreFuture<'_, Option<SessionRecord>> {
        self.memory.load(key)
    }

    fn save(
        &self,
        key: SessionKey,
        record: SessionRecord,
        replaces: Option<u64>,
    ) -> StoreFuture<'_, bool> {
        if self.fails_to_save.load(Ordering::SeqCst) {
            return Box::pin(async { Err(StoreError::new("test", "it was told to fail")) });
        }
        self.seen.lock().unwrap().extend_from_slice(&record.content);
        self.memory.save(key, record, replaces)
    }

    fn take(&self, key: SessionKey) -> StoreFuture<'_, Option<SessionRecord>> {
        self.memory.take(key)
    }

    fn of_provider_session(&self, session: ProviderSession) -> StoreFuture<'_, Vec<SessionKey>> {
        self.memory.of_provider_session(session)
    }
}

fn sessions(scene: &UserScene, store: TestStore) -> Sessions {
    let secret = "a secret that all instances share, and nobody else".to_owned();
    let seal = SealingKey::derived_from(&secret.into()).unwrap();
    let entropy = Arc::new(OsEntropy::default());
    Sessions::new(store, seal, SessionLimits::CIS2).with(Arc::clone(&scene.clock) as _, entropy)
}

async fn started(scene: &UserScene, sessions: &Sessions) -> SessionId {
    sessions.start(&scene.signed_in("656005750104").await).await.unwrap()
}

#[tokio::test]
async fn a_sign_in_under_way_is_found_once_and_by_its_browser_alone() {
    let scene = UserScene::new().await;
    let sessions = sessions(&scene, TestStore::new(&scene));
    let begun = scene.users.provider().begin(&Cis2SignIn::new()).await.unwrap();
    let state = begun.pending.state().to_owned();
    let id = sessions.begin(begun.pending).await.unwrap();
    let stranger: SessionId = "A".repeat(43).parse().unwrap();
    assert!(sessions.take_pending(&stranger).await.unwrap().is_none());
    assert!(sessions.find(&id).await.unwrap().is_none(), "nobody has signed in yet");
    assert_eq!(sessions.take_pending(&id).await.unwrap().unwrap().state(), state);
    assert!(sessions.take_pending(&id).await.unwrap().is_none());
}

#[tokio::test]
async fn a_session_has_its_user_and_role_until_it_ends() {
    let scene = UserScene::new().await;
    let sessions = sessions(&scene, TestStore::new(&scene));
    let id = sessions.start(&scene.signed_in("two-roles").await).await.unwrap();
    let session = sessions.find(&id).await.unwrap().unwrap();
    assert_eq!(session.name(), Some("Two Roles"));
    assert_eq!(session.roles().len(), 2);
    let other = session.roles().into_iter().find(|role| Some(role) != session.role()).unwrap();
    sessions.choose_role(&id, &other.person_roleid).await.unwrap();
    assert_eq!(sessions.find(&id).await.unwrap().unwrap().role(), Some(&other));
    let error = sessions.choose_role(&id, "somebody else's").await.unwrap_err();
    assert!(matches!(error, SessionError::NoSuchRole), "{error:?}");
    assert!(sessions.take_pending(&id).await.unwrap().is_none(), "it is no sign-in under way");
    sessions.end(&id).await.unwrap();
    assert!(sessions.find(&id).await.unwrap().is_none());
    sessions.end(&id).await.unwrap();
}

#[tokio::test]
async fn fifteen_minutes_idle_and_twelve_hours_in_all() {
    let scene = UserScene::new().await;
    let sessions = sessions(&scene, TestStore::new(&scene));
    let used = started(&scene, &sessions).await;
    let mut minutes = 0;
    while sessions.find(&used).await.unwrap().is_some() {
        scene.clock.advance(Duration::from_mins(14));
        minutes += 14;
        assert!(minutes < 800);
    }
    assert_eq!(minutes, 728, "the first multiple of 14 that is over 720");
    let idle = started(&scene, &sessions).await;
    scene.clock.advance(Duration::from_secs(15 * 60 - 1));
    assert!(sessions.find(&idle).await.unwrap().is_some());
    scene.clock.advance(Duration::from_mins(15));
    assert!(sessions.find(&idle).await.unwrap().is_none());
}

#[tokio::test]
async fn one_request_a_session_however_many_wait_for_it() {
    let scene = UserScene::new().await;
    let sessions = sessions(&scene, TestStore::new(&scene));
    let id = started(&scene, &sessions).await;
    for expected in [1, 2] {
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let (sessions, id, users) = (sessions.clone(), id.clone(), scene.users.clone());
            waiting.spawn(async move { sessions.access_token(&id, &users).await.unwrap() });
        }
        assert_eq!(waiting.join_all().await.len(), 100);
        assert_eq!(scene.token_requests(), expected);
        let tokens = sessions.find(&id).await.unwrap().unwrap().tokens().unwrap().clone();
        let count = (expected - 1).to_string();
        assert_eq!(tokens.issued().others["refresh_count"], count.as_str());
        scene.clock.advance(Duration::from_secs(601));
    }
}

#[tokio::test]
async fn a_browser_that_goes_away_takes_no_tokens_with_it() {
    let scene = UserScene::new().await;
    let sessions = sessions(&scene, TestStore::new(&scene));
    let id = started(&scene, &sessions).await;
    let slow = Fault::new(FaultKind::Slow).path("/oauth2").delay(Duration::from_millis(300));
    for expected in ["0", "1"] {
        scene.platform.add_fault(slow.clone().times(1));
        let waiting = sessions.access_token(&id, &scene.users);
        let left = tokio::time::timeout(Duration::from_millis(50), waiting).await;
        assert!(left.is_err(), "it went away before the answer came");
        let mut count = None;
        while count.as_deref() != Some(expected) {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let session = sessions.find(&id).await.unwrap().unwrap();
            let counted = |tokens: &nhs_auth::UserTokens| {
                tokens.issued().others["refresh_count"].as_str().unwrap().to_owned()
            };
            count = session.tokens().map(counted);
        }
        // Now the token has expired, and nothing serves meanwhile.
        scene.clock.advance(Duration::from_secs(601));
        sessions.find(&id).await.unwrap();
    }
    assert_eq!(scene.token_requests(), 2);
}

#[tokio::test]
async fn an_outage_is_no_reason_to_send_users_away() {
    let scene = UserScene::new().await;
    let sessions = sessions(&scene, TestStore::new(&scene));
    let id = started(&scene, &sessions).await;
    sessions.access_token(&id, &scene.users).await.unwrap();
    for _ in 0..6 {
        scene.clock.advance(Duration::from_mins(12));
        scene.platform.advance(Duration::from_mins(12));
        sessions.find(&id).await.unwrap().unwrap();
    }
    // The ID token has expired: there is only the refresh token.
    let outage = scene.platform.add_fault(Fault::new(FaultKind::BadGateway).path("/oauth2"));
    let error = sessions.access_token(&id, &scene.users).await.unwrap_err();
    assert!(matches!(error, SessionError::Renew(_)) && !error.needs_sign_in(), "{error:?}");
    scene.platform.remove_fault(outage);
    scene.clock.advance(Duration::from_secs(40));
    sessions.access_token(&id, &scene.users).await.unwrap();
}

#[tokio::test]
async fn an_api_that_always_says_401_is_no_reason_to_hammer_the_platform() {
    let scene = UserScene::new().await;
    let sessions = sessions(&scene, TestStore::new(&scene));
    let id = started(&scene, &sessions).await;
    let router = axum::Router::new().fallback(async || http::StatusCode::UNAUTHORIZED);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let api = ApiClient::new(Access::Open, Destinations::nhs_only().and_loopback());
    for _ in 0..10 {
        let request = http::Request::get(&url).body(bytes::Bytes::new()).unwrap();
        let response = sessions.send(&id, &scene.users, &api, request).await.unwrap();
        assert_eq!(response.status(), http::StatusCode::UNAUTHORIZED);
    }
    assert_eq!(scene.token_requests(), 2);
}

#[tokio::test]
async fn instances_that_share_a_store_do_not_take_each_others_refresh_token_for_the_end() {
    let scene = UserScene::new().await;
    let store = TestStore::new(&scene);
    let (one, other) = (sessions(&scene, store.clone()), sessions(&scene, store));
    let id = started(&scene, &one).await;
    one.access_token(&id, &scene.users).await.unwrap();
    for _ in 0..5 {
        scene.clock.advance(Duration::from_secs(601));
        let both = tokio::join!(
            one.access_token(&id, &scene.users),
            other.access_token(&id, &scene.users)
        );
        both.0.unwrap();
        both.1.unwrap();
        assert!(one.find(&id).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn new_tokens_are_not_lost_when_the_store_fails_just_then() {
    let scene = UserScene::new().await;
    let store = TestStore::new(&scene);
    let sessions = sessions(&scene, store.clone());
    let id = started(&scene, &sessions).await;
    let first = sessions.access_token(&id, &scene.users).await.unwrap();
    let count = async || {
        let session = sessions.find(&id).await.unwrap().unwrap();
        session.tokens().unwrap().issued().others["refresh_count"].as_str().unwrap().to_owned()
    };
    scene.clock.advance(Duration::from_secs(601));
    assert_eq!(count().await, "0");
    store.fails_to_save.store(true, Ordering::SeqCst);
    let second = sessions.access_token(&id, &scene.users).await.unwrap();
    assert_ne!(second.expose(), first.expose());
    assert_eq!(sessions.access_token(&id, &scene.users).await.unwrap().expose(), second.expose());
    store.fails_to_save.store(false, Ordering::SeqCst);
    assert_eq!(sessions.access_token(&id, &scene.users).await.unwrap().expose(), second.expose());
    while count().await == "0" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(count().await, "1", "it is in the store now");
    scene.clock.advance(Duration::from_secs(601));
    sessions.access_token(&id, &scene.users).await.unwrap();
    assert_eq!(count().await, "2", "and its refresh token works");
    assert_eq!(scene.token_requests(), 3);
}

#[tokio::test]
async fn a_session_that_ends_while_its_token_is_renewed_stays_ended() {
    let scene = UserScene::new().await;
    let sessions = sessions(&scene, TestStore::new(&scene));
    let id = started(&scene, &sessions).await;
    scene
        .platform
        .add_fault(Fault::new(FaultKind::Slow).path("/oauth2").delay(Duration::from_millis(300)));
    let renewing = {
        let (sessions, id, users) = (sessions.clone(), id.clone(), scene.users.clone());
        tokio::spawn(async move { sessions.access_token(&id, &users).await })
    };
    tokio::time::sleep(Duration::from_millis(100)).await;
    sessions.end(&id).await.unwrap();
    let error = renewing.await.unwrap().unwrap_err();
    assert!(matches!(error, SessionError::NoSession), "{error:?}");
    assert!(sessions.find(&id).await.unwrap().is_none());
}

#[tokio::test]
async fn a_token_that_an_api_does_not_take_is_dropped_and_the_call_made_once_more() {
    let scene = UserScene::new().await;
    let sessions = sessions(&scene, TestStore::new(&scene));
    let id = started(&scene, &sessions).await;
    let here = Destinations::nhs_only().and(&scene.platform.base_url()).unwrap();
    let api = ApiClient::new(Access::Open, here);
    let url = format!("{}/hello-world/hello/user", scene.platform.base_url());
    let request = || http::Request::get(&url).body(bytes::Bytes::new()).unwrap();
    let first = sessions.access_token(&id, &scene.users).await.unwrap();
    // The platform's clock alone goes on: for it the token has expired.
    scene.platform.advance(Duration::from_secs(700));
    let response = sessions.send(&id, &scene.users, &api, request()).await.unwrap();
    assert_eq!(response.status(), http::StatusCode::OK);
    let second = sessions.access_token(&id, &scene.users).await.unwrap();
    assert_ne!(first.expose(), second.expose());
    let calls = scene.platform.requests();
    let calls = calls.iter().filter(|request| request.path.starts_with("/hello-world")).count();
    assert_eq!(calls, 2);
}

#[tokio::test]
async fn a_logout_token_ends_the_right_session_and_no_newer_one() {
    let scene = UserScene::new().await;
    let sessions = sessions(&scene, TestStore::new(&scene));
    let signed_in = scene.signed_in("656005750104").await;
    let (mine, colleagues) =
        (sessions.start(&signed_in).await.unwrap(), started(&scene, &sessions).await);
    let id_token = &signed_in.id_token;
    let logout = async |claims: serde_json::Value| {
        let body = json!({"sid": id_token.session_id().unwrap(), "claims": claims});
        let token = crate::box_control::control(&scene.platform, "logout-tokens", &body).await;
        let compact = token["logout_token"].as_str().unwrap().to_owned();
        scene.users.provider().logout_token(&compact).await
    };
    let issued_before = id_token.issued_at().0 - 30;
    let old = logout(json!({"iat": issued_before})).await.unwrap();
    let outcome = sessions.end_by(&old).await.unwrap();
    assert_eq!((outcome.ended, outcome.newer), (0, 1));
    assert!(outcome.or_stale().is_err());
    let others = logout(json!({"sub": "somebody else"})).await.unwrap();
    assert_eq!(sessions.end_by(&others).await.unwrap().ended, 0);
    assert!(sessions.find(&mine).await.unwrap().is_some());

    let good = logout(json!({})).await.unwrap();
    assert_eq!(sessions.end_by(&good).await.unwrap().ended, 1);
    assert!(sessions.find(&mine).await.unwrap().is_none());
    assert!(sessions.find(&colleagues).await.unwrap().is_some());
    assert_eq!(sessions.end_by(&good).await.unwrap().or_stale().unwrap().ended, 0);
    // A sign-in that was about to end when the logout came doesn't begin a session after it.
    let error = sessions.start(&signed_in).await.unwrap_err();
    assert!(matches!(error, SessionError::EndedByProvider), "{error:?}");
    for claims in [
        json!({"aud": "another"}),
        json!({"iss": "https://evil.example.org"}),
        json!({"nonce": "n"}),
        json!({"events": {}}),
        json!({"iat": 1_000_000}),
    ] {
        assert!(logout(claims.clone()).await.is_err(), "{claims}");
    }
}

#[tokio::test]
async fn the_store_sees_no_token_and_nobodys_name() {
    let scene = UserScene::new().await;
    let store = TestStore::new(&scene);
    let sessions = sessions(&scene, store.clone());
    let begun = scene.users.provider().begin(&Cis2SignIn::new()).await.unwrap();
    let state = begun.pending.state().to_owned();
    sessions.begin(begun.pending).await.unwrap();
    let id = started(&scene, &sessions).await;
    let token = sessions.access_token(&id, &scene.users).await.unwrap();
    let session = sessions.find(&id).await.unwrap().unwrap();
    let seen = store.seen.lock().unwrap();
    let refresh_token = session.tokens().unwrap().refresh_token().unwrap().expose().to_owned();
    for secret in
        [&state, token.expose(), &refresh_token, "eyJ", "Avery", "656005750104", id.expose()]
    {
        let holds = seen.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!holds, "{secret}");
    }
    assert!(seen.len() > 1000);
}
