//! Sign-ins at an OpenID provider that nobody here wrote: the npm package `oidc-provider`.

mod process;
mod scene;

use nhs_auth::{
    AssuranceError, CallbackError, IdTokenError, LogoutTokenError, NhsLoginSignIn, PendingSignIn,
    RefusalBody, SelectedRole, SignInError, SignedJwtError, SigningAlgorithm, TokenErrorKind,
    UserInfoError,
};
use serde_json::json;

use self::scene::{CIS2_CLIENT, Cis2Scene, callback, nhs_login};

/// What the provider said of a code that it did not take.
#[track_caller]
fn refusal(error: SignInError) -> (u16, String) {
    let SignInError::Code(error) = error else { panic!("{error:?}") };
    assert_eq!(error.attempts, 1, "a refusal is final");
    match error.kind {
        TokenErrorKind::Refused { status, body: RefusalBody::OAuth { error, .. } } => {
            (status, error)
        }
        kind => panic!("{kind:?}"),
    }
}

#[track_caller]
fn id_token_error(error: SignInError) -> IdTokenError {
    match error {
        SignInError::IdToken(error) => error,
        error => panic!("{error:?}"),
    }
}

#[track_caller]
fn callback_error(error: SignInError) -> CallbackError {
    match error {
        SignInError::Callback(error) => error,
        error => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn a_worker_signs_in_whichever_way_the_client_shows_who_it_is() {
    for mut scene in [
        Cis2Scene::signing(SigningAlgorithm::Rs512),
        Cis2Scene::signing(SigningAlgorithm::Rs256),
        Cis2Scene::with_secret(),
    ] {
        let signed_in = scene.sign_in("nurse").await.unwrap();
        assert_eq!(signed_in.id_token.issuer(), scene.provider.issuer());
        assert_eq!(signed_in.id_token.subject(), "nurse");
        assert_eq!(signed_in.id_token.level().as_deref(), Some("aal3"));
        assert_eq!(signed_in.user.name(), Some("Nia Nurse"));
        let SelectedRole::Role(role) = signed_in.user.selected_role() else {
            panic!("{:?}", signed_in.user.selected_role())
        };
        assert_eq!(role.org_code.as_deref(), Some("A83003"));
    }
}

#[tokio::test]
async fn a_patient_signs_in() {
    let (mut provider, nhs_login) = nhs_login("RS512");
    let begun = nhs_login.begin(&NhsLoginSignIn::new()).await.unwrap();
    let query = provider.sign_in(&begun.url, "patient");
    let signed_in = nhs_login.complete(begun.pending, &callback(&query)).await.unwrap();
    assert_eq!(signed_in.id_token.level().as_deref(), Some("P9"));
    assert_eq!(signed_in.user.nhs_number(), Some("9912003071"));
}

#[tokio::test]
async fn what_nhs_login_never_signs_with_is_refused() {
    let (mut provider, nhs_login) = nhs_login("RS256");
    let begun = nhs_login.begin(&NhsLoginSignIn::new()).await.unwrap();
    let query = provider.sign_in(&begun.url, "patient");
    let error = nhs_login.complete(begun.pending, &callback(&query)).await.unwrap_err();
    assert_eq!(id_token_error(error), algorithm_error("`RS256`", "RS512"));
}

#[tokio::test]
async fn pkce_where_it_is_required() {
    let mut scene = Cis2Scene::requiring_pkce();
    scene.sign_in("nurse").await.unwrap();

    // Without it, this provider would refuse: the parameter is taken out on its way.
    let begun = scene.begin().await;
    let (before, after) = begun.url.split_once("&code_challenge=").unwrap();
    assert!(after.ends_with("&code_challenge_method=S256"), "{after}");
    let query = scene.provider.sign_in(before, "nurse");
    let error = scene.cis2.complete(begun.pending, &callback(&query)).await.unwrap_err();
    assert!(matches!(&error, SignInError::Refused { error, .. } if error == "invalid_request"));
}

#[tokio::test]
async fn a_code_of_another_sign_in_is_refused_by_the_provider() {
    let mut scene = Cis2Scene::new();
    let (mine, theirs) = (scene.begin().await, scene.begin().await);
    let query = scene.provider.sign_in(&theirs.url, "nurse");
    // Injected with the state of my browser: the code's PKCE challenge is theirs.
    let query = query.replace(theirs.pending.state(), mine.pending.state());
    let error = scene.cis2.complete(mine.pending, &callback(&query)).await.unwrap_err();
    assert_eq!(refusal(error), (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn a_replayed_code_is_refused_by_the_provider() {
    let mut scene = Cis2Scene::new();
    let begun = scene.begin().await;
    let again = PendingSignIn::from_json(&begun.pending.to_json()).unwrap();
    let query = scene.provider.sign_in(&begun.url, "nurse");
    scene.cis2.complete(begun.pending, &callback(&query)).await.unwrap();
    let error = scene.cis2.complete(again, &callback(&query)).await.unwrap_err();
    assert_eq!(refusal(error), (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn an_assertion_by_another_algorithm_than_is_registered_is_refused_by_the_provider() {
    let error = Cis2Scene::signing_with_another().sign_in("nurse").await.unwrap_err();
    assert_eq!(refusal(error), (401, "invalid_client".to_owned()));
}

#[tokio::test]
async fn a_user_who_cancels_has_not_signed_in() {
    let mut scene = Cis2Scene::new();
    let begun = scene.begin().await;
    let query = scene.provider.cancel(&begun.url);
    let error = scene.cis2.complete(begun.pending, &callback(&query)).await.unwrap_err();
    let SignInError::Refused { error, description } = error else { panic!("{error:?}") };
    assert_eq!(
        (error.as_str(), description.as_deref()),
        ("access_denied", Some("the user cancelled"))
    );
}

#[tokio::test]
async fn a_callback_with_another_state_is_refused() {
    let mut scene = Cis2Scene::new();
    let error = scene.sign_in_with(|query| query.replace("&state=", "&state=x")).await;
    assert_eq!(callback_error(error), CallbackError::State);
    let error = scene.sign_in_with(|query| query.replace("&state=", "&x=")).await;
    assert_eq!(callback_error(error), CallbackError::State);
}

#[tokio::test]
async fn a_callback_of_another_issuer_or_of_none_is_refused() {
    let mut scene = Cis2Scene::new();
    let expected = scene.provider.issuer().to_owned();
    for iss in ["&iss=https%3A%2F%2Fevil.example.org", ""] {
        let error = scene.sign_in_with(|query| {
            let (before, own) = query.split_once("&iss=").unwrap();
            assert!(own.starts_with("http%3A%2F%2F127.0.0.1"), "{own}");
            [before, iss].concat()
        });
        let found = if iss.is_empty() { "" } else { "https://evil.example.org" }.to_owned();
        let expected = expected.clone();
        assert_eq!(
            callback_error(error.await),
            CallbackError::OtherIssuer { found, expected },
            "{iss}"
        );
    }
}

#[tokio::test]
async fn claims_that_are_not_of_this_sign_in_are_refused_each_by_its_name() {
    let mut scene = Cis2Scene::new();
    let expected = scene.provider.issuer().to_owned();
    let found = "https://evil.example.org".to_owned();
    let another = "333333333333.444444444444.apps.supplier";
    for (claims, error) in [
        (json!({"nonce": "another"}), IdTokenError::Nonce),
        (json!({"aud": another}), IdTokenError::Audience(json!(another).to_string())),
        (json!({"azp": another}), IdTokenError::AuthorizedParty(json!(another).to_string())),
        (json!({"iss": found}), IdTokenError::Issuer { found, expected }),
        (json!({"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"}), IdTokenError::Hash("at_hash")),
        (json!({"sub": ""}), IdTokenError::Missing("sub")),
    ] {
        let forged = scene.forged(json!({"claims": claims})).await;
        assert_eq!(id_token_error(forged), error, "{claims}");
    }
    let expired = id_token_error(scene.forged(json!({"claims": {"exp": 1_700_000_000}})).await);
    assert!(matches!(expired, IdTokenError::Expired(_)), "{expired}");
}

#[tokio::test]
async fn the_id_token_of_another_sign_in_is_refused() {
    let mut scene = Cis2Scene::new();
    scene.sign_in("nurse").await.unwrap();
    let error = scene.forged(json!({"earlier": "id_token"})).await;
    assert_eq!(id_token_error(error), IdTokenError::Nonce);
}

#[tokio::test]
async fn the_access_token_of_another_user_is_refused() {
    let mut scene = Cis2Scene::new();
    scene.sign_in("doctor").await.unwrap();
    let error = scene.forged(json!({"earlier": "access_token"})).await;
    assert!(
        matches!(error, SignInError::UserInfo(UserInfoError::OtherSubject { .. })),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_level_below_the_one_that_was_asked_for_is_refused() {
    let mut scene = Cis2Scene::new();
    let error = id_token_error(scene.sign_in("clerk").await.unwrap_err());
    let too_low = AssuranceError::LevelTooLow {
        claim: "authentication_assurance_level",
        found: "2".to_owned(),
        least: "3".to_owned(),
    };
    assert_eq!(error, IdTokenError::Assurance(too_low));
}

#[tokio::test]
async fn a_password_that_was_given_before_the_sign_in_began_is_refused() {
    let mut scene = Cis2Scene::new();
    let begun = scene.begin().await;
    let query = scene.provider.sign_in_of_old(&begun.url, "nurse", 60);
    let error = scene.cis2.complete(begun.pending, &callback(&query)).await.unwrap_err();
    let error = id_token_error(error);
    assert!(matches!(error, IdTokenError::Assurance(AssuranceError::NotFresh(_))), "{error}");
}

#[tokio::test]
async fn another_algorithm_than_the_agreed_ones_is_refused() {
    let mut scene = Cis2Scene::new();
    for (forgery, found) in [
        (json!({"alg": "none"}), "`none`"),
        (json!({"alg": "HS256", "secret": "pem"}), "`HS256`"),
        (json!({"alg": "HS256", "secret": "jwk"}), "`HS256`"),
    ] {
        let error = id_token_error(scene.forged(forgery.clone()).await);
        assert_eq!(error, algorithm_error(found, "RS256 or RS512"), "{forgery}");
    }
    // The provider's own key by the other of the two that CIS2 has.
    scene.provider.forge_next(&json!({"alg": "RS512"}));
    scene.sign_in("nurse").await.unwrap();
}

fn algorithm_error(found: &str, taken: &str) -> IdTokenError {
    let (found, taken) = (found.to_owned(), taken.to_owned());
    IdTokenError::Signature(SignedJwtError::Algorithm { found, taken })
}

#[tokio::test]
async fn a_key_that_the_provider_does_not_have_is_refused() {
    let mut scene = Cis2Scene::new();
    let error = id_token_error(scene.forged(json!({"kid": "another"})).await);
    assert_eq!(error, IdTokenError::Signature(SignedJwtError::UnknownKey("another".to_owned())));
}

#[tokio::test]
async fn a_new_key_of_the_provider_makes_us_look_once_more() {
    let mut scene = Cis2Scene::new();
    for _ in 0..2 {
        scene.sign_in("nurse").await.unwrap();
        assert_eq!(scene.provider.jwks_fetches(), 1);
    }
    scene.provider.rotate();
    for _ in 0..2 {
        scene.sign_in("nurse").await.unwrap();
        assert_eq!(scene.provider.jwks_fetches(), 2);
    }
}

#[tokio::test]
async fn a_session_ends_by_the_providers_logout_token() {
    let mut scene = Cis2Scene::new();
    let id_token = scene.sign_in("nurse").await.unwrap().id_token;
    let sid = id_token.session_id().unwrap();
    let compact = scene.provider.logout_token(CIS2_CLIENT, "nurse", sid);
    let token = scene.cis2.logout_token(&compact).await.unwrap();
    assert_eq!((token.session_id.as_str(), token.subject.as_deref()), (sid, Some("nurse")));

    let error = scene.cis2.logout_token(id_token.expose()).await.unwrap_err();
    assert_eq!(error, LogoutTokenError::Event);
}

#[tokio::test]
async fn a_flood_of_unknown_keys_makes_us_look_once_more() {
    let mut scene = Cis2Scene::new();
    scene.sign_in("nurse").await.unwrap();
    let tokens = scene.provider.logout_tokens_of_unknown_keys(200);
    let mut flood = tokio::task::JoinSet::new();
    for compact in tokens {
        let cis2 = scene.cis2.clone();
        flood.spawn(async move { cis2.logout_token(&compact).await.unwrap_err() });
    }
    for error in flood.join_all().await {
        assert!(
            matches!(error, LogoutTokenError::Signature(SignedJwtError::UnknownKey(_))),
            "{error}"
        );
    }
    assert_eq!(scene.provider.jwks_fetches(), 2);
    scene.sign_in("nurse").await.unwrap();
}
