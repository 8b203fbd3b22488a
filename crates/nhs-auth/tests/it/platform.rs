//! Token requests and calls, against the platform in a box.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use nhs_auth::{
    Access, ApiClient, ApiKey, ApiResponse, Application, CallError, Destinations, ErrorClass,
    KeySet, Kid, LocalSigner, PrivateKey, PublishedKey, TokenCache, TokenClient, TokenEndpoint,
    TokenError, TokenErrorKind, TokenSource,
};
use nhs_auth_mock::{App, Fault, FaultKind, MockPlatform, NewApp};

/// The platform, an application there, and its software.
pub(crate) struct Scene {
    pub(crate) platform: MockPlatform,
    pub(crate) app: App,
    pub(crate) application: Application,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let platform = MockPlatform::start().await.unwrap();
        let app = platform.create_app(NewApp::new("test").jwks(jwks()));
        let application = application(&platform, &app, "int-1");
        Self { platform, app, application }
    }

    fn fail(&self, fault: Fault) {
        self.platform.add_fault(fault.path("/oauth2"));
    }

    async fn request(&self) -> Result<nhs_auth::IssuedToken, TokenError> {
        client().request(&self.application).await
    }

    fn source(&self) -> TokenSource {
        TokenCache::new(client()).source(&self.application)
    }

    pub(crate) fn api(&self, source: TokenSource) -> ApiClient {
        let here = Destinations::nhs_only().and(&self.platform.base_url()).unwrap();
        ApiClient::new(Access::SignedJwt(source), here)
    }

    pub(crate) fn hello(&self, path: &str) -> Request<Bytes> {
        let url = format!("{}/hello-world/hello/{path}", self.platform.base_url());
        Request::get(url).body(Bytes::new()).unwrap()
    }
}

fn client() -> TokenClient {
    TokenClient::new().with_attempt_timeout(Duration::from_millis(500))
}

/// One key for all tests: making it takes a moment.
pub(crate) fn key() -> Arc<LocalSigner> {
    static KEY: OnceLock<Arc<LocalSigner>> = OnceLock::new();
    let make = || Arc::new(LocalSigner::new(PrivateKey::generate().unwrap()));
    Arc::clone(KEY.get_or_init(make))
}

pub(crate) fn jwks() -> String {
    use nhs_auth::Signer as _;
    let kid = Kid::parse("int-1").unwrap();
    KeySet::new(vec![PublishedKey::new(kid, key().public_key().clone())]).unwrap().to_json()
}

fn application(platform: &MockPlatform, app: &App, kid: &str) -> Application {
    Application::new(
        TokenEndpoint::at(&platform.base_url(), None).unwrap(),
        ApiKey::parse(app.api_key()).unwrap(),
        Kid::parse(kid).unwrap(),
        key(),
    )
}

pub(crate) async fn body(mut response: ApiResponse) -> String {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.unwrap() {
        body.extend_from_slice(&chunk);
    }
    String::from_utf8(body).unwrap()
}

#[tokio::test]
async fn a_token_as_the_platform_issues_it() {
    let scene = Scene::new().await;
    let issued = scene.request().await.unwrap();
    assert_eq!(issued.expires_in, Some(Duration::from_secs(599)));
    assert_eq!(issued.token_type, "Bearer");
    assert!(issued.others.contains_key("issued_at"), "what else was sent is kept");
    assert_eq!(scene.platform.requests().len(), 1);
}

#[tokio::test]
async fn every_attempt_has_an_assertion_of_its_own() {
    for kind in [
        FaultKind::InternalError,
        FaultKind::TooManyRequests,
        FaultKind::Reset,
        FaultKind::Hang,
        FaultKind::Unavailable,
        FaultKind::BadGateway,
        FaultKind::Truncated,
    ] {
        let scene = Scene::new().await;
        scene.fail(Fault::new(kind).times(2).retry_after_s(0));
        scene.request().await.unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        let seen = scene.platform.requests();
        let jtis: HashSet<_> = seen.iter().map(|request| request.jti.clone().unwrap()).collect();
        assert_eq!((seen.len(), jtis.len()), (3, 3), "{kind:?}");
    }
}

#[tokio::test]
async fn three_attempts_and_no_more() {
    let scene = Scene::new().await;
    scene.fail(Fault::new(FaultKind::InternalError));
    let error = scene.request().await.unwrap_err();
    assert!(matches!(error.kind, TokenErrorKind::ServerFailed { status: 500, .. }), "{error:?}");
    assert_eq!((error.attempts, scene.platform.requests().len()), (3, 3));
    assert!(error.message_id.unwrap().starts_with("rrt-"));
}

#[tokio::test]
async fn a_long_retry_after_is_told_and_not_waited_for() {
    let scene = Scene::new().await;
    scene.fail(Fault::new(FaultKind::TooManyRequests).retry_after_s(31));
    let error = scene.request().await.unwrap_err();
    assert!(matches!(error.kind, TokenErrorKind::RateLimited));
    assert_eq!((error.attempts, error.retry_after), (1, Some(Duration::from_secs(31))));
    assert!(error.to_string().ends_with("it asks to wait 31 s"), "{error}");
}

#[tokio::test]
async fn answers_that_are_no_answers_each_by_their_name() {
    type Check = fn(&TokenErrorKind) -> bool;
    let cases: &[(FaultKind, Check)] = &[
        (FaultKind::Empty, |kind| matches!(kind, TokenErrorKind::Empty { status: 200 })),
        (FaultKind::CaptivePortal, |kind| matches!(kind, TokenErrorKind::Html { status: 200 })),
        (FaultKind::BadGateway, |kind| matches!(kind, TokenErrorKind::Html { status: 502 })),
        (FaultKind::Oversized, |kind| matches!(kind, TokenErrorKind::TooLarge)),
        (FaultKind::Truncated, |kind| matches!(kind, TokenErrorKind::Truncated)),
        (FaultKind::Hang, |kind| matches!(kind, TokenErrorKind::TimedOut { .. })),
        (FaultKind::Reset, |kind| matches!(kind, TokenErrorKind::Unreachable { .. })),
    ];
    for (fault, is_right) in cases {
        let scene = Scene::new().await;
        scene.fail(Fault::new(*fault));
        let error = scene.request().await.unwrap_err();
        assert!(is_right(&error.kind), "{fault:?}: {error:?}");
        assert_eq!(error.class(), ErrorClass::Unavailable, "{fault:?}");
    }
}

#[tokio::test]
async fn a_refusal_is_final_and_names_its_rule() {
    let scene = Scene::new().await;
    let misnamed = application(&scene.platform, &scene.app, "int1");
    let error = client().request(&misnamed).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Refused);
    assert_eq!(error.rules()[0].id.as_str(), "A19");
    assert!(error.hints().iter().any(|hint| hint.ends_with("(A19)")), "{:?}", error.hints());
    assert_eq!(scene.platform.requests().len(), 1);
    assert!(error.message_id.is_some());
}

#[tokio::test]
async fn a_wrong_clock_is_learned_and_corrected_at_once() {
    for seconds in [3600, 240, -240, -7200] {
        let scene = Scene::new().await;
        scene.fail(Fault::clock_off_by_ms(seconds * 1000));
        let client = client();
        client.request(&scene.application).await.unwrap();
        assert_eq!(scene.platform.requests().len(), 2, "{seconds}");
        assert!((client.clock_skew().millis() - seconds * 1000).abs() < 2000, "{seconds}");
        // The next assertion is right at once.
        client.request(&scene.application).await.unwrap();
        assert_eq!(scene.platform.requests().len(), 3, "{seconds}");
    }
}

#[tokio::test]
async fn a_clock_within_the_window_needs_no_correction() {
    for seconds in [120, -120] {
        let scene = Scene::new().await;
        scene.fail(Fault::clock_off_by_ms(seconds * 1000));
        scene.request().await.unwrap();
        assert_eq!(scene.platform.requests().len(), 1, "{seconds}");
    }
}

#[tokio::test]
async fn nobody_there() {
    let scene = Scene::new().await;
    scene.platform.shutdown().await.unwrap();
    let error = client().request(&scene.application).await.unwrap_err();
    assert!(matches!(error.kind, TokenErrorKind::Unreachable { .. }), "{error:?}");
    assert_eq!(error.attempts, 3);
}

#[tokio::test]
async fn a_call_with_a_token_and_a_name() {
    let scene = Scene::new().await;
    let api = scene.api(scene.source());
    let mut request = scene.hello("application");
    request.headers_mut().insert("x-correlation-id", "abc".parse().unwrap());
    let response = api.send(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["x-correlation-id"], "abc");
    let echoed = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(response.request_id(), Some(echoed.as_str()));
    assert_eq!(body(response).await, r#"{"message":"Hello Application!"}"#);
}

#[tokio::test]
async fn a_401_drops_that_token_and_one_more_attempt_is_made_under_the_same_name() {
    let scene = Scene::new().await;
    let source = scene.source();
    let api = scene.api(source.clone());
    let first = source.token().await.unwrap();
    scene.platform.advance(Duration::from_secs(700));
    let mut request = scene.hello("application");
    request.headers_mut().insert("x-request-id", "mine".parse().unwrap());
    let response = api.send(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["x-request-id"], "mine");
    assert_ne!(source.token().await.unwrap().expose(), first.expose());
    let calls = scene.platform.requests();
    let calls = calls.iter().filter(|request| request.path.starts_with("/hello")).count();
    assert_eq!(calls, 2);
}

#[tokio::test]
async fn an_api_that_always_says_401_is_no_reason_to_hammer_the_platform() {
    let scene = Scene::new().await;
    let api = scene.api(scene.source());
    for _ in 0..20 {
        // A user's token is wanted there.
        let response = api.send(scene.hello("user")).await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    }
    let tokens = scene.platform.requests();
    let tokens = tokens.iter().filter(|request| request.path.ends_with("/token")).count();
    assert_eq!(tokens, 2);
}

#[tokio::test]
async fn our_credential_replaces_one_of_its_kind() {
    let scene = Scene::new().await;
    let mut request = scene.hello("application");
    request.headers_mut().insert("apikey", "another".parse().unwrap());
    let here = Destinations::nhs_only().and(&scene.platform.base_url()).unwrap();
    let api_key = Access::ApiKey(ApiKey::parse(scene.app.api_key()).unwrap());
    let response = ApiClient::new(api_key, here).send(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_other_access_modes() {
    let scene = Scene::new().await;
    let here = || Destinations::nhs_only().and(&scene.platform.base_url()).unwrap();
    let api_key = Access::ApiKey(ApiKey::parse(scene.app.api_key()).unwrap());
    let response = ApiClient::new(api_key, here()).send(scene.hello("application")).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let open = ApiClient::new(Access::Open, Destinations::nhs_only());
    assert_eq!(open.send(scene.hello("world")).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_token_goes_nowhere_that_nobody_named() {
    let scene = Scene::new().await;
    let api = ApiClient::new(Access::SignedJwt(scene.source()), Destinations::nhs_only());
    let error = api.send(scene.hello("application")).await.unwrap_err();
    assert!(matches!(error, CallError::Destination(_)), "{error:?}");
    assert!(scene.platform.requests().is_empty(), "not even a token was asked for");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let scene = Scene::new().await;
    let router = axum::Router::new()
        .fallback(|| async { (StatusCode::FOUND, [("location", "/elsewhere")], "moved") });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let elsewhere = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });

    let here = Destinations::nhs_only().and(&elsewhere).unwrap();
    let api = ApiClient::new(Access::SignedJwt(scene.source()), here);
    let response = api.send(Request::get(&elsewhere).body(Bytes::new()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::FOUND);
    assert_eq!(body(response).await, "moved");

    let endpoint = TokenEndpoint::at(&elsewhere, None).unwrap();
    let api_key = ApiKey::parse(scene.app.api_key()).unwrap();
    let application = Application::new(endpoint, api_key, Kid::parse("int-1").unwrap(), key());
    let error = client().request(&application).await.unwrap_err();
    assert!(matches!(error.kind, TokenErrorKind::Redirected { status: 302 }), "{error:?}");
}
