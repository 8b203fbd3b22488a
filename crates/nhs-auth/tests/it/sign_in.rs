//! Signing in with CIS2 and NHS login, against the platform in a box.

use nhs_auth::{
    Acr, AssuranceError, Callback, CallbackError, Cis2, Cis2Client, Cis2ClientId, Cis2Freshness,
    Cis2SignIn, ClientKey, ClientSecret, DiscoveryError, ErrorClass, IdTokenError,
    IdentityProvider, Issuer, Kid, NhsLogin, NhsLoginClient, NhsLoginClientId, NhsLoginSignIn,
    PendingSignIn, RedirectUri, RoleChoice, SelectedRole, SignInError, SignedJwtError,
    SigningAlgorithm,
};
use nhs_auth_mock::{
    Fault, FaultKind, MockPlatform, NewClient, RelyingParty, SelectedRole as MockSelected, User,
};
use serde_json::json;

use crate::box_browser::{came_back_to, sign_in};
use crate::platform::{jwks, key};

pub(crate) const REDIRECT_URI: &str = "https://app.example.org/callback";

pub(crate) fn redirect_uri() -> RedirectUri {
    RedirectUri::parse(REDIRECT_URI).unwrap()
}

/// A client of the box's CIS2 that signs, by that algorithm.
pub(crate) fn cis2(platform: &MockPlatform) -> Cis2 {
    cis2_signing(platform, SigningAlgorithm::Rs512, SigningAlgorithm::Rs512)
}

fn cis2_signing(
    platform: &MockPlatform,
    algorithm: SigningAlgorithm,
    registered: SigningAlgorithm,
) -> Cis2 {
    let client = NewClient::cis2().redirect_uri(REDIRECT_URI).jwks(jwks());
    let party = platform.create_client(client.signing_algorithm(registered)).unwrap();
    let key = ClientKey::new(Kid::parse("int-1").unwrap(), key()).with_algorithm(algorithm);
    let client = Cis2Client::with_key(cis2_id(&party), redirect_uri(), key);
    Cis2::new(Issuer::parse(&platform.cis2_url()).unwrap(), client)
}

pub(crate) fn nhs_login(platform: &MockPlatform) -> NhsLogin {
    let client = NewClient::nhs_login().redirect_uri(REDIRECT_URI).jwks(jwks());
    let party = platform.create_client(client).unwrap();
    let id = NhsLoginClientId::parse(party.client_id()).unwrap();
    let kid = Kid::parse("int-1").unwrap();
    let client = NhsLoginClient::new(id, redirect_uri(), kid, key()).unwrap();
    NhsLogin::new(Issuer::parse(&platform.nhs_login_url()).unwrap(), client)
}

fn cis2_id(party: &RelyingParty) -> Cis2ClientId {
    Cis2ClientId::parse(party.client_id()).unwrap()
}

/// Signs in, and insists that it can't be completed.
async fn refused(cis2: &Cis2, request: &Cis2SignIn, username: &str) -> SignInError {
    let begun = cis2.begin(request).await.unwrap();
    let callback = sign_in(&begun.url, username).await;
    cis2.complete(begun.pending, &callback).await.unwrap_err()
}

#[tokio::test]
async fn a_healthcare_worker_signs_in_and_has_a_role() {
    let platform = MockPlatform::start().await.unwrap();
    let cis2 = cis2(&platform);
    let begun = cis2.begin(&Cis2SignIn::new()).await.unwrap();
    // What is kept on the server survives being kept.
    let pending = PendingSignIn::from_json(&begun.pending.to_json()).unwrap();
    let callback = sign_in(&begun.url, "656005750105").await;
    let signed_in = cis2.complete(pending, &callback).await.unwrap();

    assert_eq!(signed_in.user.subject(), "656005750105");
    assert_eq!(signed_in.user.name(), Some("Blake Example"));
    assert_eq!(signed_in.id_token.level().as_deref(), Some("aal3"));
    assert_eq!(signed_in.id_token.provider(), IdentityProvider::Cis2);
    assert!(signed_in.id_token.session_id().is_some());
    let RoleChoice::Settled(role) = signed_in.user.role_choice() else { panic!("no role") };
    assert_eq!(role.short_name(), Some("Nurse Access Role"));
    assert!(matches!(signed_in.user.selected_role(), SelectedRole::Role(same) if *same == role));
}

#[tokio::test]
async fn a_patient_signs_in() {
    let platform = MockPlatform::start().await.unwrap();
    let nhs_login = nhs_login(&platform);
    let begun = nhs_login.begin(&NhsLoginSignIn::new()).await.unwrap();
    let callback = sign_in(&begun.url, "9912003071").await;
    let signed_in = nhs_login.complete(begun.pending, &callback).await.unwrap();
    assert_eq!(signed_in.user.nhs_number(), Some("9912003071"));
    assert_eq!(signed_in.user.vector().unwrap().to_string(), "P9.Cp.Cd");
    assert_eq!(signed_in.id_token.level().as_deref(), Some("P9"));
}

#[tokio::test]
async fn each_way_for_a_client_to_show_who_it_is() {
    let platform = MockPlatform::start().await.unwrap();
    let party = platform.create_client(NewClient::cis2()).unwrap();
    let secret = ClientSecret::new(party.client_secret());
    let with_secret = Cis2Client::with_secret(cis2_id(&party), redirect_uri(), secret);
    let issuer = Issuer::in_the_box(IdentityProvider::Cis2, &platform.base_url()).unwrap();
    for cis2 in [
        Cis2::new(issuer, with_secret),
        cis2_signing(&platform, SigningAlgorithm::Rs256, SigningAlgorithm::Rs256),
        cis2_signing(&platform, SigningAlgorithm::Rs512, SigningAlgorithm::Rs512),
    ] {
        let begun = cis2.begin(&Cis2SignIn::new()).await.unwrap();
        let callback = sign_in(&begun.url, "656005750104").await;
        cis2.complete(begun.pending, &callback).await.unwrap();
    }
}

#[tokio::test]
async fn an_assertion_by_another_algorithm_than_is_registered_is_diagnosed_from_the_answer() {
    let platform = MockPlatform::start().await.unwrap();
    let cis2 = cis2_signing(&platform, SigningAlgorithm::Rs512, SigningAlgorithm::Rs256);
    let error = refused(&cis2, &Cis2SignIn::new(), "656005750104").await;
    assert!(matches!(error, SignInError::Code(_)), "{error:?}");
    assert_eq!(error.class(), ErrorClass::Refused);
    assert!(error.to_string().ends_with("invalid_client: JWT is not valid"), "{error}");
    assert!(error.hints().len() > 2, "the text names no cause: {:?}", error.hints());
}

#[tokio::test]
async fn levels_are_asked_for_and_checked_whether_number_or_string() {
    let platform = MockPlatform::start().await.unwrap();
    let cis2 = cis2(&platform);
    for (username, acr, is_enough) in [
        ("656005750109", Acr::Aal2Any, true),
        ("656005750109", Acr::Aal2OrAal3Any, true),
        ("656005750109", Acr::Aal3Any, false),
        ("656005750110", Acr::Aal2OrAal3Any, false),
        ("656005750110", Acr::Aal1Userpass, true),
        ("empty-role", Acr::Aal3Any, true),
    ] {
        let request = Cis2SignIn::new().acr_values([acr]);
        let begun = cis2.begin(&request).await.unwrap();
        let callback = sign_in(&begun.url, username).await;
        let result = cis2.complete(begun.pending, &callback).await;
        assert_eq!(result.is_ok(), is_enough, "{username} {acr}: {result:?}");
        if let Err(error) = result {
            let is_assurance = matches!(error, SignInError::IdToken(IdTokenError::Assurance(_)));
            assert!(is_assurance, "{error:?}");
        }
    }
}

#[tokio::test]
async fn an_authentication_that_is_too_old_shows() {
    let old = User::cis2("old", 3).claim("auth_time", json!(1_000_000));
    let platform = MockPlatform::builder().user(old).start().await.unwrap();
    let cis2 = cis2(&platform);
    let max_age = Cis2Freshness::MaxAge(std::time::Duration::from_mins(5));
    for request in [Cis2SignIn::new(), Cis2SignIn::new().freshness(max_age)] {
        let error = refused(&cis2, &request, "old").await;
        assert!(
            matches!(
                error,
                SignInError::IdToken(IdTokenError::Assurance(AssuranceError::NotFresh(_)))
            ),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_vector_that_was_not_asked_for_is_refused() {
    let platform = MockPlatform::start().await.unwrap();
    let nhs_login = nhs_login(&platform);
    let begun = nhs_login.begin(&NhsLoginSignIn::new()).await.unwrap();
    let callback = sign_in(&begun.url, "9912003072").await;
    let error = nhs_login.complete(begun.pending, &callback).await.unwrap_err();
    assert!(
        matches!(
            error,
            SignInError::IdToken(IdTokenError::Assurance(AssuranceError::VectorNotAsked { .. }))
        ),
        "{error:?}"
    );
    let lower = NhsLoginSignIn::new().vectors(["P5.Cp.Cd".parse().unwrap()]);
    let begun = nhs_login.begin(&lower).await.unwrap();
    let callback = sign_in(&begun.url, "9912003072").await;
    let signed_in = nhs_login.complete(begun.pending, &callback).await.unwrap();
    assert_eq!(signed_in.id_token.level().as_deref(), Some("P5"));
}

#[tokio::test]
async fn a_role_may_be_missing_empty_or_one_of_many() {
    let nobody = User::cis2("nobody", 3).selected_roleid(MockSelected::Empty);
    let platform = MockPlatform::builder().user(nobody).start().await.unwrap();
    let cis2 = cis2(&platform);
    for (username, without_role, expected) in [
        ("no-roles", false, "none"),
        ("nobody", false, "none"),
        ("empty-role", false, "settled"),
        ("two-roles", false, "settled"),
        ("two-roles", true, "choose 2"),
        ("656005750104", true, "settled"),
    ] {
        let request = Cis2SignIn::new();
        let request = if without_role { request.without_role() } else { request };
        let begun = cis2.begin(&request).await.unwrap();
        let callback = sign_in(&begun.url, username).await;
        let user = cis2.complete(begun.pending, &callback).await.unwrap().user;
        let found = match user.role_choice() {
            RoleChoice::None => "none".to_owned(),
            RoleChoice::Settled(_) => "settled".to_owned(),
            RoleChoice::Choose(roles) => {
                assert_eq!(user.role(&roles[1].person_roleid), Ok(&roles[1]));
                assert!(user.role("somebody else's").is_err());
                format!("choose {}", roles.len())
            }
        };
        assert_eq!(found, expected, "{username}");
        assert_eq!(user.role_was_asked_for(), !without_role);
    }
}

#[tokio::test]
async fn a_code_works_once() {
    let platform = MockPlatform::start().await.unwrap();
    let cis2 = cis2(&platform);
    let begun = cis2.begin(&Cis2SignIn::new()).await.unwrap();
    let again = PendingSignIn::from_json(&begun.pending.to_json()).unwrap();
    let callback = sign_in(&begun.url, "656005750104").await;
    cis2.complete(begun.pending, &callback).await.unwrap();
    let error = cis2.complete(again, &callback).await.unwrap_err();
    assert!(matches!(error, SignInError::Code(_)), "{error:?}");
    assert!(error.to_string().contains("invalid_grant"), "{error}");
}

#[tokio::test]
async fn a_code_is_not_sent_twice_when_its_answer_is_lost() {
    let platform = MockPlatform::start().await.unwrap();
    let cis2 = cis2(&platform);
    let begun = cis2.begin(&Cis2SignIn::new()).await.unwrap();
    let callback = sign_in(&begun.url, "656005750104").await;
    platform.add_fault(Fault::new(FaultKind::LostAnswer).path("/openam"));
    let error = cis2.complete(begun.pending, &callback).await.unwrap_err();
    let SignInError::Code(error) = error else { panic!("{error:?}") };
    assert_eq!((error.attempts, error.sent), (1, true), "{error:?}");
}

#[tokio::test]
async fn what_the_browser_brings_back_must_be_the_answer_to_this_sign_in() {
    let platform = MockPlatform::start().await.unwrap();
    let (cis2, other) = (cis2(&platform), cis2(&platform));
    let callback_error = async |cis2: &Cis2, change: fn(&mut url::Url)| {
        let begun = cis2.begin(&Cis2SignIn::new()).await.unwrap();
        let mut back = came_back_to(&begun.url, "656005750104").await;
        change(&mut back);
        let callback = Callback::parse(back.query().unwrap()).unwrap();
        match cis2.complete(begun.pending, &callback).await.unwrap_err() {
            SignInError::Callback(error) => error,
            other => panic!("{other:?}"),
        }
    };
    let error = callback_error(&cis2, |back| back.set_query(Some("code=a&state=b"))).await;
    assert_eq!(error, CallbackError::State);
    let error = callback_error(&cis2, |back| back.set_query(Some("code=a"))).await;
    assert_eq!(error, CallbackError::State);
    let error = callback_error(&cis2, |back| {
        back.query_pairs_mut().append_pair("iss", "https://evil.example.org");
    });
    assert!(matches!(error.await, CallbackError::OtherIssuer { .. }));

    // A sign-in that was begun for one client is not completed by another.
    let begun = cis2.begin(&Cis2SignIn::new()).await.unwrap();
    let callback = sign_in(&begun.url, "656005750104").await;
    let error = other.complete(begun.pending, &callback).await.unwrap_err();
    assert!(matches!(error, SignInError::Callback(CallbackError::OtherClient)), "{error:?}");
    assert!(
        platform.requests().iter().all(|request| !request.path.ends_with("/access_token")),
        "no code was redeemed"
    );
}

#[tokio::test]
async fn a_user_who_cancels_is_told_of_by_the_providers_own_words() {
    let platform = MockPlatform::start().await.unwrap();
    let nhs_login = nhs_login(&platform);
    let begun = nhs_login.begin(&NhsLoginSignIn::new()).await.unwrap();
    let state = begun.pending.state().to_owned();
    let query = format!("error=access_denied&error_description=ConsentNotGiven&state={state}");
    let callback = Callback::parse(&query).unwrap();
    let error = nhs_login.complete(begun.pending, &callback).await.unwrap_err();
    assert_eq!(error.to_string(), "the provider answered access_denied: ConsentNotGiven");
    assert_eq!(error.hints(), ["the user cancelled, or did not consent"]);
}

#[tokio::test]
async fn an_id_token_that_was_spoilt_where_it_was_issued_is_refused() {
    type Check = fn(&IdTokenError) -> bool;
    let cases: [(FaultKind, Check); 2] = [
        (FaultKind::ExpiredIdToken, |error| matches!(error, IdTokenError::Expired(_))),
        (FaultKind::WrongIssuerIdToken, |error| matches!(error, IdTokenError::Issuer { .. })),
    ];
    for (fault, is_right) in cases {
        let platform = MockPlatform::start().await.unwrap();
        let cis2 = cis2(&platform);
        platform.add_fault(Fault::new(fault));
        let error = refused(&cis2, &Cis2SignIn::new(), "656005750104").await;
        let SignInError::IdToken(error) = error else { panic!("{error:?}") };
        assert!(is_right(&error), "{error:?}");
    }
}

#[tokio::test]
async fn an_id_token_of_another_client_nonce_or_hash_is_refused() {
    for (claim, value) in [
        ("aud", json!("somebody-else")),
        ("azp", json!("somebody-else")),
        ("nonce", json!("another")),
        ("nonce", json!(null)),
        ("at_hash", json!("AAAAAAAAAAAAAAAAAAAAAA")),
        ("acr", json!(null)),
        ("id_assurance_level", json!(2)),
        ("auth_time", json!(null)),
    ] {
        let user = User::cis2("spoilt", 3).claim(claim, value.clone());
        let platform = MockPlatform::builder().user(user).start().await.unwrap();
        let error = refused(&cis2(&platform), &Cis2SignIn::new(), "spoilt").await;
        assert!(matches!(error, SignInError::IdToken(_)), "{claim} {value}: {error:?}");
        assert_eq!(error.class(), ErrorClass::Refused);
    }
}

#[tokio::test]
async fn keys_that_the_provider_has_changed_are_fetched_once() {
    let platform = MockPlatform::start().await.unwrap();
    let cis2 = cis2(&platform);
    for _ in 0..2 {
        let begun = cis2.begin(&Cis2SignIn::new()).await.unwrap();
        let callback = sign_in(&begun.url, "656005750104").await;
        cis2.complete(begun.pending, &callback).await.unwrap();
        platform.add_fault(Fault::new(FaultKind::RotatedProviderKeys));
    }
    // They have changed again, just now: a name that is not known makes nobody look again so soon.
    let error = refused(&cis2, &Cis2SignIn::new(), "656005750104").await;
    assert!(
        matches!(
            error,
            SignInError::IdToken(IdTokenError::Signature(SignedJwtError::UnknownKey(_)))
        ),
        "{error:?}"
    );
    let fetches = platform.requests();
    let fetches = fetches.iter().filter(|request| request.path.ends_with("/jwk_uri")).count();
    assert_eq!(fetches, 2);
}

#[tokio::test]
async fn a_provider_that_is_not_there_or_is_another_is_told_of() {
    let platform = MockPlatform::start().await.unwrap();
    let party = platform.create_client(NewClient::cis2()).unwrap();
    let client = || {
        let secret = ClientSecret::new(party.client_secret());
        Cis2Client::with_secret(cis2_id(&party), redirect_uri(), secret)
    };
    let nowhere = Issuer::parse(&format!("{}/nowhere", platform.base_url())).unwrap();
    let error = Cis2::new(nowhere, client()).begin(&Cis2SignIn::new()).await.unwrap_err();
    let SignInError::Discovery(DiscoveryError::Fetch(error)) = error else { panic!("{error:?}") };
    assert_eq!(error.status(), Some(404));

    let issuer = "https://cis2.example.org:443/openam/oauth2/realms/root/realms/NHSIdentity";
    let elsewhere = MockPlatform::builder().cis2_issuer(issuer).start().await.unwrap();
    let issuer = Issuer::in_the_box(IdentityProvider::Cis2, &elsewhere.base_url()).unwrap();
    let error = Cis2::new(issuer, client()).begin(&Cis2SignIn::new()).await.unwrap_err();
    assert!(error.to_string().contains("its issuer is `https://cis2.example.org:443"), "{error}");
}

#[tokio::test]
async fn user_info_that_is_cut_off_is_refused() {
    let platform = MockPlatform::start().await.unwrap();
    let cis2 = cis2(&platform);
    let begun = cis2.begin(&Cis2SignIn::new()).await.unwrap();
    let callback = sign_in(&begun.url, "656005750104").await;
    platform.add_fault(
        Fault::new(FaultKind::MalformedJson)
            .path("/openam/oauth2/realms/root/realms/NHSIdentity/realms/Healthcare/userinfo"),
    );
    let error = cis2.complete(begun.pending, &callback).await.unwrap_err();
    assert!(matches!(error, SignInError::UserInfo(_)), "{error:?}");
}
