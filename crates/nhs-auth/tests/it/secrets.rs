//! Nothing secret in any log, at any level, nor in any `Debug`.

use http::Request;
use nhs_auth::{
    Cis2SignIn, ClientAssertion, ClockSkew, MemorySessionStore, OsEntropy, PendingSignIn,
    PrivateKey, SealingKey, SessionLimits, Sessions, SubjectToken, SystemClock, TokenCache,
    TokenClient,
};
use nhs_auth_mock::{Fault, FaultKind};
use secrecy::ExposeSecret as _;

use crate::box_browser::sign_in;
use crate::log::logging_everything;
use crate::platform::Scene;
use crate::user_tokens::UserScene;

async fn sign(scene: &Scene) -> ClientAssertion {
    let (clock, entropy) = (SystemClock::default(), OsEntropy::default());
    scene.application.sign_assertion(&clock, ClockSkew::default(), &entropy).await.unwrap()
}

#[tokio::test(flavor = "current_thread")]
async fn with_everything_logged_no_secret_is() {
    let (log, _guard) = logging_everything();

    let scene = Scene::new().await;
    // Every flow: a token, a call, a failure and a retry, a refusal, an expired token.
    let cache = TokenCache::new(TokenClient::new());
    let source = cache.source(&scene.application);
    let issued = source.issued().await.unwrap();
    let api = scene.api(source.clone());
    api.send(scene.hello("application")).await.unwrap();
    scene.platform.add_fault(Fault::new(FaultKind::InternalError).times(1));
    TokenClient::new().request(&scene.application).await.unwrap();
    scene.platform.advance(std::time::Duration::from_secs(700));
    api.send(scene.hello("application")).await.unwrap();
    let second = source.issued().await.unwrap();
    assert_ne!(issued.access_token.expose(), second.access_token.expose());
    let elsewhere = Request::get("http://127.0.0.1:9/").body(bytes::Bytes::new()).unwrap();
    let refused = api.send(elsewhere).await;

    let assertion = sign(&scene).await;
    let shown = format!(
        "{refused:?} {assertion:?} {issued:?} {second:?} {source:?} {cache:?} {api:?} {:?}",
        scene.application
    );
    let compact = assertion.into_compact();

    let log = log.text();
    assert!(log.contains("token request"), "the log is looked at in earnest: {log}");
    let signature = compact.expose_secret().rsplit('.').next().unwrap();
    for text in [&log, &shown] {
        for secret in [
            issued.access_token.expose(),
            second.access_token.expose(),
            signature,
            "eyJhbGci",
            "client_assertion=",
            scene.app.client_secret(),
            scene.app.api_key(),
        ] {
            assert!(!text.contains(secret), "{secret} is in\n{text}");
        }
    }
}

/// What a browser, a provider and the platform hand over while a user signs in and is called for.
#[tokio::test(flavor = "current_thread")]
async fn with_everything_logged_no_secret_of_a_users_is() {
    let (log, _guard) = logging_everything();

    let scene = UserScene::new().await;
    let cis2 = scene.users.provider();
    let begun = cis2.begin(&Cis2SignIn::new()).await.unwrap();
    let (state, pending) = (begun.pending.state().to_owned(), format!("{:?}", begun.pending));
    let callback = sign_in(&begun.url, "656005750104").await;
    let again = PendingSignIn::from_json(&begun.pending.to_json()).unwrap();
    let signed_in = cis2.complete(begun.pending, &callback).await.unwrap();
    let refused = cis2.complete(again, &callback).await;
    let first = scene.users.exchange(&signed_in.id_token).await.unwrap();
    let second = scene.users.renew(&first, &signed_in.id_token).await.unwrap();
    let used = scene.users.renew(&first, &signed_in.id_token).await;
    let foreign = SubjectToken::new(first.access_token().expose());
    let not_sent = TokenClient::new().exchange(scene.users.application(), &foreign).await;
    let seal = SealingKey::random(&OsEntropy::default());
    let sessions = Sessions::new(MemorySessionStore::new(), seal, SessionLimits::CIS2);
    let id = sessions.start(&signed_in).await.unwrap();
    sessions.access_token(&id, &scene.users).await.unwrap();
    let session = sessions.find(&id).await.unwrap();

    let shown = format!(
        "{pending} {callback:?} {signed_in:?} {refused:?} {first:?} {second:?} {used:?} \
         {not_sent:?} {sessions:?} {id:?} {session:?} {:?}",
        scene.users
    );
    let log = log.text();
    assert!(log.contains("token exchange") && log.contains("refresh"), "{log}");
    for text in [&log, &shown] {
        for secret in [
            &state,
            signed_in.id_token.expose(),
            first.access_token().expose(),
            second.access_token().expose(),
            first.refresh_token().unwrap().expose(),
            second.refresh_token().unwrap().expose(),
            scene.app.client_secret(),
            id.expose(),
            "eyJ",
            "Avery",
        ] {
            assert!(!text.contains(secret), "{secret} is in\n{text}");
        }
    }
}

#[test]
fn a_private_key_shows_its_public_half_alone() {
    let key = PrivateKey::generate().unwrap();
    let pem = key.to_pkcs8_pem();
    let shown = format!("{key:?}");
    assert!(pem.lines().skip(1).all(|line| !shown.contains(line.get(..20).unwrap_or(line))));
}
