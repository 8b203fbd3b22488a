//! Users' tokens at the platform in a box: exchanged, refreshed, kept.

use std::sync::Arc;
use std::time::Duration;

use nhs_auth::{
    Access, ApiClient, ApiKey, Application, Callback, Cis2, Cis2SignIn, ClientSecret,
    CombinedError, CombinedSignIn, CombinedWith, Destinations, Environment, ExchangeError, IdToken,
    Issuer, Kid, NhsLoginSignIn, OsEntropy, PendingCombined, ProviderEnvironment, RedirectUri,
    RefreshError, RenewError, SubjectToken, TokenClient, TokenEndpoint, UserApplication,
    UserTokenCache, UserTokens,
};
use nhs_auth_mock::{App, Fault, FaultKind, MockPlatform, NewApp};

use crate::box_browser::sign_in;
use crate::platform::{body, jwks, key};
use crate::sign_in::{REDIRECT_URI, cis2, nhs_login, redirect_uri};
use crate::stand_ins::MovedClock;

/// The box, an application there with both its identities, and a user who has signed in.
pub(crate) struct UserScene {
    pub(crate) platform: MockPlatform,
    pub(crate) app: App,
    pub(crate) users: UserApplication<Cis2>,
    pub(crate) clock: Arc<MovedClock>,
}

impl UserScene {
    pub(crate) async fn new() -> Self {
        let platform = MockPlatform::start().await.unwrap();
        let app = NewApp::new("test").jwks(jwks()).callback_url(REDIRECT_URI);
        let app = platform.create_app(app);
        let clock = Arc::new(MovedClock::default());
        let tokens = TokenClient::with(Arc::clone(&clock) as _, Arc::new(OsEntropy::default()));
        let tokens = tokens.with_attempt_timeout(Duration::from_secs(2));
        let users = UserApplication::new(application(&platform, &app), cis2(&platform)).unwrap();
        let users = users
            .with_client_secret(ClientSecret::new(app.client_secret()))
            .with_token_client(Arc::new(tokens));
        Self { platform, app, users, clock }
    }

    pub(crate) async fn signed_in(&self, username: &str) -> nhs_auth::SignIn<nhs_auth::Cis2User> {
        let cis2 = self.users.provider();
        let begun = cis2.begin(&Cis2SignIn::new()).await.unwrap();
        let callback = sign_in(&begun.url, username).await;
        cis2.complete(begun.pending, &callback).await.unwrap()
    }

    async fn id_token(&self) -> IdToken {
        self.signed_in("656005750104").await.id_token
    }

    pub(crate) fn token_requests(&self) -> usize {
        let requests = self.platform.requests();
        requests.iter().filter(|request| request.path == "/oauth2/token").count()
    }

    async fn refresh(&self, tokens: &UserTokens) -> Result<UserTokens, RefreshError> {
        let application = self.users.application();
        TokenClient::new()
            .with_attempt_timeout(Duration::from_secs(2))
            .refresh(
                application.endpoint(),
                application.api_key(),
                &ClientSecret::new(self.app.client_secret()),
                tokens.refresh_token().unwrap(),
            )
            .await
    }

    fn api(&self) -> ApiClient {
        let here = Destinations::nhs_only().and(&self.platform.base_url()).unwrap();
        ApiClient::new(Access::Open, here)
    }

    fn hello_user(&self) -> http::Request<bytes::Bytes> {
        let url = format!("{}/hello-world/hello/user", self.platform.base_url());
        http::Request::get(url).body(bytes::Bytes::new()).unwrap()
    }
}

fn application(platform: &MockPlatform, app: &App) -> Application {
    Application::new(
        TokenEndpoint::at(&platform.base_url(), None).unwrap(),
        ApiKey::parse(app.api_key()).unwrap(),
        Kid::parse("int-1").unwrap(),
        key(),
    )
}

#[tokio::test]
async fn an_id_token_becomes_a_users_access_token() {
    let scene = UserScene::new().await;
    let tokens = scene.users.exchange(&scene.id_token().await).await.unwrap();
    assert_eq!(tokens.issued().expires_in, Some(Duration::from_secs(599)));
    assert!(tokens.refresh_token().is_some());
    let lives = tokens.refresh_until().unwrap().0 - tokens.issued().requested_at.0;
    assert_eq!(lives, 43_199_000, "CIS2's refresh tokens live for twelve hours");
    let response = scene.api().send_as(tokens.access_token(), scene.hello_user()).await.unwrap();
    assert_eq!(body(response).await, r#"{"message":"Hello User!"}"#);
}

#[tokio::test]
async fn what_the_platform_would_refuse_is_not_sent() {
    let scene = UserScene::new().await;
    let client = TokenClient::new();
    let application = scene.users.application();
    let opaque = SubjectToken::new("9xQTz0kP4hVbW2mDs8LcY1uRfJ6");
    let error = client.exchange(application, &opaque).await.unwrap_err();
    assert!(matches!(error, ExchangeError::Preflight(_)), "{error:?}");
    assert!(error.hints()[0].contains("`id_token`"), "{:?}", error.hints());

    let expired = nhs_auth_mock::NewIdToken::cis2().claim("exp", 1_000_000.into());
    let expired = scene.platform.id_token(&expired).unwrap();
    let error = client.exchange(application, &SubjectToken::new(&expired)).await.unwrap_err();
    assert!(error.to_string().contains("expired"), "{error}");
    assert_eq!(scene.token_requests(), 0);
}

#[tokio::test]
async fn a_clock_that_is_set_right_again_keeps_nobody_out() {
    let scene = UserScene::new().await;
    let hour_and_more = Duration::from_secs(4300);
    scene.platform.advance(hour_and_more);
    scene.users.exchange(&scene.id_token().await).await.unwrap();
    scene.platform.turn_back(hour_and_more);
    scene.users.exchange(&scene.id_token().await).await.unwrap();
}

#[tokio::test]
async fn another_providers_id_token_is_not_exchanged() {
    let scene = UserScene::new().await;
    let nhs_login = nhs_login(&scene.platform);
    let begun = nhs_login.begin(&NhsLoginSignIn::new()).await.unwrap();
    let callback = sign_in(&begun.url, "9912003071").await;
    let patient = nhs_login.complete(begun.pending, &callback).await.unwrap();
    let error = scene.users.exchange(&patient.id_token).await.unwrap_err();
    assert!(matches!(error, ExchangeError::OtherProvider { .. }), "{error:?}");
    assert_eq!(scene.token_requests(), 0);
}

#[tokio::test]
async fn environments_that_do_not_trust_each_other_are_not_paired() {
    let scene = UserScene::new().await;
    let at = |environment| {
        let api_key = ApiKey::parse(scene.app.api_key()).unwrap();
        let kid = Kid::parse("int-1").unwrap();
        Application::new(TokenEndpoint::of(environment), api_key, kid, key())
    };
    let cis2 = |of| {
        let id = nhs_auth::Cis2ClientId::parse("123456789012.apps.supplier").unwrap();
        let secret = ClientSecret::new("hush");
        let client = nhs_auth::Cis2Client::with_secret(id, redirect_uri(), secret);
        Cis2::new(Issuer::of(of), client)
    };
    let integration = ProviderEnvironment::CIS2_INTEGRATION;
    let production = ProviderEnvironment::CIS2_PRODUCTION;
    assert!(UserApplication::new(at(Environment::INT), cis2(integration)).is_ok());
    assert!(UserApplication::new(at(Environment::PROD), cis2(production)).is_ok());
    for (environment, of) in [
        (Environment::INT, production),
        (Environment::PROD, integration),
        (Environment::INT, ProviderEnvironment::CIS2_DEPLOYMENT),
        (Environment::SANDBOX, integration),
    ] {
        let error = UserApplication::new(at(environment), cis2(of)).unwrap_err();
        assert!(error.to_string().contains("would refuse every ID token"), "{error}");
        assert!(!error.hint.is_empty());
    }
}

#[tokio::test]
async fn a_refresh_token_works_once_and_says_so() {
    let scene = UserScene::new().await;
    let first = scene.users.exchange(&scene.id_token().await).await.unwrap();
    let second = scene.refresh(&first).await.unwrap();
    assert_ne!(second.access_token().expose(), first.access_token().expose());
    assert_eq!(second.issued().others["refresh_count"], "1");
    let error = scene.refresh(&first).await.unwrap_err();
    assert!(matches!(error, RefreshError::Refused(_)) && error.is_used_up(), "{error:?}");
    assert_eq!(error.token_error().rules()[0].id.as_str(), "F11");
    scene.refresh(&second).await.unwrap();
}

#[tokio::test]
async fn a_lost_answer_is_told_as_what_it_is_and_nothing_is_sent_twice() {
    for fault in [FaultKind::LostAnswer, FaultKind::Truncated, FaultKind::Hang] {
        let scene = UserScene::new().await;
        let tokens = scene.users.exchange(&scene.id_token().await).await.unwrap();
        scene.platform.add_fault(Fault::new(fault).path("/oauth2"));
        let error = scene.refresh(&tokens).await.unwrap_err();
        assert!(matches!(error, RefreshError::AnswerLost(_)), "{fault:?}: {error:?}");
        assert!(error.is_used_up() && error.token_error().attempts == 1, "{error:?}");
        assert_eq!(scene.token_requests(), 2, "{fault:?}");
    }
}

#[tokio::test]
async fn a_refresh_that_did_nothing_leaves_the_token_as_good_as_before() {
    let scene = UserScene::new().await;
    let tokens = scene.users.exchange(&scene.id_token().await).await.unwrap();
    let limited = Fault::new(FaultKind::TooManyRequests).path("/oauth2").retry_after_s(31);
    let limited = scene.platform.add_fault(limited);
    let error = scene.refresh(&tokens).await.unwrap_err();
    assert!(matches!(error, RefreshError::Unused(_)) && !error.is_used_up(), "{error:?}");
    scene.platform.remove_fault(limited);
    // Once more is tried when the first surely did nothing.
    let once = Fault::new(FaultKind::TooManyRequests).path("/oauth2").times(1).retry_after_s(0);
    scene.platform.add_fault(once);
    let tokens = scene.refresh(&tokens).await.unwrap();
    scene.platform.shutdown().await.unwrap();
    let client = TokenClient::new();
    let endpoint = TokenEndpoint::at("http://127.0.0.1:1", None).unwrap();
    let api_key = ApiKey::parse("abcdefghijklmnopqrstuvwxyz012345").unwrap();
    let secret = ClientSecret::new("hush");
    let refresh_token = tokens.refresh_token().unwrap();
    let error = client.refresh(&endpoint, &api_key, &secret, refresh_token).await.unwrap_err();
    assert!(matches!(error, RefreshError::Unused(_)), "{error:?}");
}

#[tokio::test]
async fn where_a_refresh_brings_nothing_the_id_token_is_exchanged_again_while_it_lives() {
    let scene = UserScene::new().await;
    let id_token = scene.id_token().await;
    let tokens = scene.users.exchange(&id_token).await.unwrap();
    scene.platform.add_fault(Fault::new(FaultKind::LostAnswer).path("/oauth2").times(1));
    let renewed = scene.users.renew(&tokens, &id_token).await.unwrap();
    assert_eq!(renewed.issued().others["refresh_count"], "0", "it was exchanged");
    let renewed = scene.users.renew(&renewed, &id_token).await.unwrap();
    assert_eq!(renewed.issued().others["refresh_count"], "1", "it was refreshed");

    let without_secret =
        UserApplication::new(scene.users.application().clone(), scene.users.provider().clone());
    let exchanged = without_secret.unwrap().renew(&renewed, &id_token).await.unwrap();
    assert_eq!(exchanged.issued().others["refresh_count"], "0");
}

#[tokio::test]
async fn when_nothing_is_left_to_renew_from_the_user_signs_in_again() {
    let scene = UserScene::new().await;
    let id_token = scene.id_token().await;
    let tokens = scene.users.exchange(&id_token).await.unwrap();
    for hours in [2, 11] {
        let by = Duration::from_hours(hours);
        scene.platform.advance(by);
        scene.clock.advance(by);
    }
    let error = scene.users.renew(&tokens, &id_token).await.unwrap_err();
    assert!(matches!(error, RenewError::SignInAgain) && error.needs_sign_in(), "{error:?}");
}

#[tokio::test]
async fn combined_sign_in_gets_the_platforms_tokens_at_once() {
    let scene = UserScene::new().await;
    let application = scene.users.application();
    let combined = CombinedSignIn::new(
        application.endpoint().clone(),
        application.api_key().clone(),
        ClientSecret::new(scene.app.client_secret()),
        RedirectUri::parse(REDIRECT_URI).unwrap(),
    );
    let tokens = TokenClient::new();
    for (with, username) in
        [(CombinedWith::Cis2(None), "656005750104"), (CombinedWith::NhsLogin, "9912003071")]
    {
        let begun = combined.begin(with, &tokens);
        let again =
            || PendingCombined::kept(begun.pending.state(), begun.pending.begun_at()).unwrap();
        let callback = sign_in(&begun.url, username).await;
        let another = PendingCombined::kept(&"A".repeat(43), begun.pending.begun_at()).unwrap();
        let wrong = combined.complete(another, &callback, &tokens).await.unwrap_err();
        assert!(matches!(wrong, CombinedError::Callback(_)), "{wrong:?}");
        let stateless = Callback::parse("code=c").unwrap();
        let wrong = combined.complete(again(), &stateless, &tokens).await.unwrap_err();
        assert!(matches!(wrong, CombinedError::Callback(_)), "{wrong:?}");
        let issued = combined.complete(again(), &callback, &tokens).await.unwrap();
        let response = scene.api().send_as(issued.access_token(), scene.hello_user()).await;
        assert_eq!(response.unwrap().status(), http::StatusCode::OK);
        let twice = combined.complete(again(), &callback, &tokens).await.unwrap_err();
        assert!(twice.to_string().contains("authorization_code is invalid"), "{twice}");
        let refreshed = combined.refresh(issued.refresh_token().unwrap(), &tokens).await.unwrap();
        let user_info = combined.user_info(refreshed.access_token(), &tokens).await;
        assert_eq!(user_info.is_ok(), username == "656005750104", "{user_info:?}");
    }
    assert!(PendingCombined::kept("", nhs_auth::UnixMillis(0)).is_none());
}

#[tokio::test]
async fn one_exchange_a_user_however_many_wait_for_it() {
    let scene = UserScene::new().await;
    let (one, other) = (scene.id_token().await, scene.id_token().await);
    let cache = Arc::new(UserTokenCache::new(scene.users.clone()));
    let mut waiting = tokio::task::JoinSet::new();
    for at in 0..200 {
        let id_token = if at % 2 == 0 { one.clone() } else { other.clone() };
        let cache = Arc::clone(&cache);
        waiting.spawn(async move { cache.token(&id_token).await.unwrap().expose().to_owned() });
    }
    let mut tokens: Vec<_> = waiting.join_all().await;
    tokens.sort_unstable();
    tokens.dedup();
    assert_eq!((tokens.len(), scene.token_requests()), (2, 2));
}

#[tokio::test]
async fn a_crowd_does_not_repeat_a_failure() {
    let scene = UserScene::new().await;
    let id_token = scene.id_token().await;
    let cache = Arc::new(UserTokenCache::new(scene.users.clone()));
    scene.platform.add_fault(Fault::new(FaultKind::InternalError).path("/oauth2"));
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (cache, id_token) = (Arc::clone(&cache), id_token.clone());
        waiting.spawn(async move { cache.token(&id_token).await.unwrap_err() });
    }
    assert_eq!(waiting.join_all().await.len(), 100);
    assert_eq!(scene.token_requests(), 3, "three attempts of one request");
}

#[tokio::test]
async fn a_token_is_renewed_before_it_expires_and_serves_while_that_fails() {
    let scene = UserScene::new().await;
    let id_token = scene.id_token().await;
    let cache = UserTokenCache::new(scene.users.clone());
    let first = cache.token(&id_token).await.unwrap();
    scene.clock.advance(Duration::from_secs(500));
    let slow = Fault::new(FaultKind::Slow).path("/oauth2").delay(Duration::from_secs(5));
    scene.platform.add_fault(slow.times(1));
    let at_once = tokio::time::timeout(Duration::from_secs(1), cache.token(&id_token)).await;
    assert_eq!(at_once.unwrap().unwrap().expose(), first.expose(), "nobody waits meanwhile");
    scene.platform.clear_faults();
    scene.clock.advance(Duration::from_secs(40));
    while cache.token(&id_token).await.unwrap().expose() == first.expose() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_logout_is_the_end_of_a_users_tokens_those_on_their_way_too() {
    let scene = UserScene::new().await;
    let id_token = scene.id_token().await;
    let cache = Arc::new(UserTokenCache::new(scene.users.clone()));
    cache.token(&id_token).await.unwrap();
    cache.forget(&id_token);
    cache.token(&id_token).await.unwrap();
    assert_eq!(scene.token_requests(), 2);
    assert_eq!(cache.forget_session(id_token.issuer(), "somebody else's"), 0);
    let sid = id_token.session_id().unwrap();
    assert_eq!(cache.forget_session(id_token.issuer(), sid), 1);

    scene.platform.add_fault(
        Fault::new(FaultKind::Slow).path("/oauth2").delay(Duration::from_millis(300)).times(1),
    );
    let on_its_way = {
        let (cache, id_token) = (Arc::clone(&cache), id_token.clone());
        tokio::spawn(async move { cache.token(&id_token).await })
    };
    tokio::time::sleep(Duration::from_millis(100)).await;
    cache.forget(&id_token);
    let error = on_its_way.await.unwrap().unwrap_err();
    assert!(error.needs_sign_in(), "{error}");
    assert_eq!(scene.token_requests(), 3);
    cache.token(&id_token).await.unwrap();
    assert_eq!(scene.token_requests(), 4, "what came after the logout was not kept");
}

#[tokio::test]
async fn the_number_of_users_is_bounded() {
    let scene = UserScene::new().await;
    let cache = UserTokenCache::with_capacity(scene.users.clone(), 2);
    let mut users = Vec::new();
    for _ in 0..4 {
        users.push(scene.id_token().await);
    }
    for id_token in &users {
        cache.token(id_token).await.unwrap();
    }
    cache.token(&users[3]).await.unwrap();
    assert_eq!(scene.token_requests(), 4);
    cache.token(&users[0]).await.unwrap();
    assert_eq!(scene.token_requests(), 5, "the first was forgotten");
}
