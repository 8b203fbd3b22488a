//! The ten most common mistakes of integrations with CIS2, NHS login and token exchange, and what
//! becomes of each here: it does not compile (those are `compile_fail` examples in the library's
//! documentation), it is refused before anything is sent, or it is diagnosed from the answer.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nhs_auth::{
    ApiKey, Application, AssuranceError, Callback, Cis2, Cis2Client, Cis2ClientId, Cis2SignIn,
    ClientKey, ClockSkew, ExchangeError, IdTokenError, IdentifierError, Issuer, Kid,
    NhsLoginClientId, NhsLoginSignIn, OsEntropy, RoleChoice, SignInError, SigningAlgorithm,
    SubjectToken, SystemClock, TokenClient, TokenEndpoint,
};
use nhs_auth_mock::{MockPlatform, NewApp, NewIdToken, SelectedRole, User};
use nhs_auth_rules::diagnosis::RootCause;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::box_browser::sign_in;
use crate::platform::{jwks, key};
use crate::sign_in::{cis2, nhs_login, redirect_uri};
use crate::user_tokens::UserScene;

/// A provider that only takes note of what it is sent, and says that its token endpoint is at a
/// URL that most libraries would write another way.
struct Noting {
    issuer: String,
    token_endpoint: String,
    forms: Arc<Mutex<Vec<String>>>,
}

impl Noting {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let issuer = format!("http://localhost:{port}/realm");
        let token_endpoint = format!("http://LocalHost:{port}/realm/./access_token");
        let document = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": token_endpoint,
            "userinfo_endpoint": format!("{issuer}/userinfo"),
            "jwks_uri": format!("{issuer}/keys"),
        });
        let forms = Arc::new(Mutex::new(Vec::new()));
        let note = async |State(forms): State<Arc<Mutex<Vec<String>>>>, form: String| {
            forms.lock().unwrap().push(form);
            r#"{"error":"invalid_client","error_description":"JWT is not valid"}"#
        };
        let router = Router::new()
            .route(
                "/realm/.well-known/openid-configuration",
                get(async move || document.to_string()),
            )
            .route("/realm/access_token", post(note))
            .with_state(Arc::clone(&forms));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { issuer, token_endpoint, forms }
    }

    /// The header and the claims of the assertion that a sign-in sends.
    async fn assertion(&self, algorithm: SigningAlgorithm) -> (Value, Value) {
        let id = Cis2ClientId::parse("123456789012.apps.supplier").unwrap();
        let key = ClientKey::new(Kid::parse("int-1").unwrap(), key()).with_algorithm(algorithm);
        let client = Cis2Client::with_key(id, redirect_uri(), key);
        let cis2 = Cis2::new(Issuer::parse(&self.issuer).unwrap(), client);
        let begun = cis2.begin(&Cis2SignIn::new()).await.unwrap();
        let query = format!("code=c&state={}", begun.pending.state());
        let callback = Callback::parse(&query).unwrap();
        let error = cis2.complete(begun.pending, &callback).await.unwrap_err();
        assert!(matches!(error, SignInError::Code(_)), "{error:?}");
        let form = self.forms.lock().unwrap().pop().unwrap();
        let parameters: Vec<(String, String)> =
            form_urlencoded::parse(form.as_bytes()).into_owned().collect();
        let value = |name: &str| parameters.iter().find(|it| it.0 == name).unwrap().1.clone();
        assert!(parameters.iter().all(|(name, _)| name != "client_secret"));
        let assertion = value("client_assertion");
        let mut parts = assertion.split('.').map(|part| {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap_or_default()
        });
        (parts.next().unwrap(), parts.next().unwrap())
    }
}

#[test]
fn mistake_1_the_api_key_at_the_provider_or_the_client_id_at_the_platform() {
    let api_key = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1eF";
    assert_eq!(Cis2ClientId::parse(api_key), Err(IdentifierError::ApiKeyAsClientId));
    let uuid = "0f5e1c5a-68a0-4a9c-8c6e-0a4a7b1f7f10";
    assert_eq!(Cis2ClientId::parse(uuid), Err(IdentifierError::ApplicationIdAsClientId));
    let cis2 = "123456789012.apps.supplier";
    assert_eq!(ApiKey::parse(cis2), Err(IdentifierError::Cis2ClientIdAsApiKey));
    assert_eq!(NhsLoginClientId::parse(cis2), Err(IdentifierError::Cis2ClientIdAtNhsLogin));
}

#[tokio::test]
async fn mistake_2_an_audience_that_is_not_the_token_endpoint_to_the_letter() {
    let provider = Noting::start().await;
    let (_, claims) = provider.assertion(SigningAlgorithm::Rs512).await;
    assert_eq!(claims["aud"], provider.token_endpoint.as_str());
    assert_eq!(claims["iss"], "123456789012.apps.supplier");
    assert_eq!(claims["sub"], claims["iss"]);
}

#[tokio::test]
async fn mistake_3_an_assertion_that_lives_too_long() {
    let (_, claims) = Noting::start().await.assertion(SigningAlgorithm::Rs512).await;
    let lives = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert_eq!(lives, 150);
    // At the platform it can be asked for, and is brought into the range.
    let platform = MockPlatform::start().await.unwrap();
    let app = platform.create_app(NewApp::new("test").jwks(jwks()));
    let application = Application::new(
        TokenEndpoint::at(&platform.base_url(), None).unwrap(),
        ApiKey::parse(app.api_key()).unwrap(),
        Kid::parse("int-1").unwrap(),
        key(),
    )
    .with_assertion_lifetime(3600);
    TokenClient::new().request(&application).await.unwrap();
}

#[tokio::test]
async fn mistake_4_a_key_set_that_is_not_the_registered_one() {
    let provider = Noting::start().await;
    for algorithm in [SigningAlgorithm::Rs256, SigningAlgorithm::Rs512] {
        let (header, _) = provider.assertion(algorithm).await;
        assert_eq!(header, json!({"alg": algorithm.name(), "typ": "JWT", "kid": "int-1"}));
    }
    // CIS2 names no cause, so the likeliest are told.
    let platform = MockPlatform::start().await.unwrap();
    let other = nhs_auth_mock::NewClient::cis2().jwks(r#"{"keys":[]}"#);
    let party = platform.create_client(other).unwrap();
    let id = Cis2ClientId::parse(party.client_id()).unwrap();
    let key = ClientKey::new(Kid::parse("int-1").unwrap(), key());
    let client = Cis2Client::with_key(id, redirect_uri(), key);
    let cis2 = Cis2::new(Issuer::parse(&platform.cis2_url()).unwrap(), client);
    let begun = cis2.begin(&Cis2SignIn::new()).await.unwrap();
    let callback = sign_in(&begun.url, "656005750104").await;
    let error = cis2.complete(begun.pending, &callback).await.unwrap_err();
    let SignInError::Code(error) = error else { panic!("{error:?}") };
    let causes: Vec<_> = error.causes().iter().map(|cause| cause.cause).collect();
    assert!(causes.contains(&RootCause::IsssubWrongid), "{causes:?}");
    assert!(causes.contains(&RootCause::Aud), "{causes:?}");
}

#[tokio::test]
async fn mistake_5_something_other_than_the_id_token() {
    let scene = UserScene::new().await;
    let application = scene.users.application();
    let application_token = TokenClient::new().request(application).await.unwrap();
    for token in [application_token.access_token.expose(), "", "eyJhbGciOiJSUzUxMiJ9"] {
        let subject_token = SubjectToken::new(token);
        let error = TokenClient::new().exchange(application, &subject_token).await.unwrap_err();
        let ExchangeError::Preflight(error) = error else { panic!("{error:?}") };
        assert!(!error.hints().is_empty(), "{error}");
    }
    assert_eq!(scene.token_requests(), 1);
}

#[tokio::test]
async fn mistake_6_an_id_token_of_another_environment() {
    let platform =
        MockPlatform::builder().environment(nhs_auth::Environment::INT).start().await.unwrap();
    let app = platform.create_app(NewApp::new("test").jwks(jwks()));
    let application = Application::new(
        TokenEndpoint::at(&platform.base_url(), Some("/oauth2-mock")).unwrap(),
        ApiKey::parse(app.api_key()).unwrap(),
        Kid::parse("int-1").unwrap(),
        key(),
    );
    // A stand-in can't be known beforehand, so there the answer is explained.
    let token = platform.id_token(&NewIdToken::cis2()).unwrap();
    let client = TokenClient::new();
    let error = client.exchange(&application, &SubjectToken::new(&token)).await.unwrap_err();
    let ExchangeError::Token(error) = error else { panic!("{error:?}") };
    assert_eq!(error.rules()[0].id.as_str(), "S11");
    assert!(error.causes().iter().any(|cause| cause.cause == RootCause::SubjectToken));
}

#[tokio::test]
async fn mistake_7_an_assertion_sent_again() {
    let scene = UserScene::new().await;
    let application = scene.users.application();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..3 {
        let (clock, entropy) = (SystemClock::default(), OsEntropy::default());
        let signing = application.sign_assertion(&clock, ClockSkew::default(), &entropy);
        // Sending consumes it, and there is no way to copy it.
        assert!(seen.insert(signing.await.unwrap().jti().to_owned()));
    }
}

#[tokio::test]
async fn mistake_8_a_refresh_token_used_twice() {
    let scene = UserScene::new().await;
    let signed_in = scene.signed_in("656005750104").await;
    let first = scene.users.exchange(&signed_in.id_token).await.unwrap();
    scene.users.renew(&first, &signed_in.id_token).await.unwrap();
    // The old one again: refused, recognised, and made good by the ID token.
    let again = scene.users.renew(&first, &signed_in.id_token).await.unwrap();
    assert_eq!(again.issued().others["refresh_count"], "0");
    let requests = scene.platform.requests();
    let refused: Vec<_> = requests.iter().filter_map(|request| request.rule).collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0], "F11");
}

#[tokio::test]
async fn mistake_9_a_level_that_was_not_asked_for_or_not_checked() {
    let platform = MockPlatform::start().await.unwrap();
    let cis2 = cis2(&platform);
    let begun = cis2.begin(&Cis2SignIn::new()).await.unwrap();
    let callback = sign_in(&begun.url, "656005750109").await;
    let error = cis2.complete(begun.pending, &callback).await.unwrap_err();
    assert!(
        matches!(
            error,
            SignInError::IdToken(IdTokenError::Assurance(AssuranceError::AcrNotAsked { .. }))
        ),
        "{error:?}"
    );
    let begun = nhs_login(&platform).begin(&NhsLoginSignIn::new()).await.unwrap();
    assert!(begun.url.contains("vtr=") && !begun.url.contains("acr_values"), "{}", begun.url);

    // Another level than the product's is the platform's to refuse, and is explained.
    let scopes = ["urn:nhsd:apim:user-nhs-cis2:aal2:hello-world"];
    let app = platform.create_app(NewApp::new("test").jwks(jwks()).scopes(scopes));
    let application = Application::new(
        TokenEndpoint::at(&platform.base_url(), None).unwrap(),
        ApiKey::parse(app.api_key()).unwrap(),
        Kid::parse("int-1").unwrap(),
        key(),
    );
    let token = SubjectToken::new(&platform.id_token(&NewIdToken::cis2()).unwrap());
    let error = TokenClient::new().exchange(&application, &token).await.unwrap_err();
    let ExchangeError::Token(error) = error else { panic!("{error:?}") };
    assert!(error.rules().iter().any(|rule| rule.id.as_str() == "S16"), "{error:?}");
}

#[tokio::test]
async fn mistake_10_a_role_taken_for_granted() {
    let empty = User::cis2("empty", 3).selected_roleid(SelectedRole::Empty);
    let platform = MockPlatform::builder().user(empty).start().await.unwrap();
    let cis2 = cis2(&platform);
    for username in ["no-roles", "empty"] {
        let begun = cis2.begin(&Cis2SignIn::new()).await.unwrap();
        let callback = sign_in(&begun.url, username).await;
        let user = cis2.complete(begun.pending, &callback).await.unwrap().user;
        assert_eq!(user.role_choice(), RoleChoice::None, "{username}");
        assert!(user.organisations().is_empty());
    }
}
