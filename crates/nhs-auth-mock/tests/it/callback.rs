//! `/callback`: the provider sends the browser back, and the platform sends it on.

use nhs_auth_mock::{Fault, FaultKind, MockConfig, MockPlatform, User};
use serde_json::{Value, json};

use crate::browser::{self, Form, Redirect};
use crate::combined::{self, CALLBACK, NURSE, PATIENT, Person, STATE};
use crate::http::Reply;
use crate::key::Key;
use crate::refusal::Refusal;
use crate::site::Site;
use crate::world::World;

const UNKNOWN_STATE: Refusal = Refusal::bad_request("I1", "Invalid state parameter.");
const WRONG_AUDIENCE: Refusal =
    Refusal::bad_request("I3", "Invalid 'aud' claim in external ID token JWT");
const WRONG_ISSUER: Refusal =
    Refusal::bad_request("I4", "Invalid iss claim in external ID token JWT");

#[tokio::test]
async fn the_browser_goes_on_to_the_application_with_a_code_and_its_own_state() {
    let world = combined::world().await;
    for person in [NURSE, PATIENT] {
        let back = combined::back_from_provider(&world, person).await;
        assert_eq!(back.to, world.platform.base_url() + "/oauth2/callback");
        let reply = browser::open(&world, &back.url).await;
        assert_eq!(world.latest().application_id.as_deref(), Some(world.app.application_id()));
        let on = browser::redirect(&reply);
        assert_eq!(on.to, CALLBACK);
        assert_eq!(on.parameters.keys().collect::<Vec<_>>(), ["code", "state"]);
        assert_eq!(on.parameter("state"), STATE);
        assert_ne!(on.parameter("code"), back.parameter("code"), "the provider's stays here");
    }
}

#[tokio::test]
async fn a_state_is_good_once_and_has_to_be_one_of_here() {
    let world = combined::world().await;
    let back = combined::back_from_provider(&world, NURSE).await;
    let code = back.parameter("code");
    for query in [
        String::new(),
        format!("?code={code}"),
        format!("?code={code}&state="),
        format!("?code={code}&state=unknown"),
    ] {
        let reply = world.get(&format!("/oauth2/callback{query}"), &[]).await;
        UNKNOWN_STATE.assert(&world, &reply);
    }
    assert_eq!(browser::open(&world, &back.url).await.status, 302);
    let reply = browser::open(&world, &back.url).await;
    UNKNOWN_STATE.assert(&world, &reply);
}

#[tokio::test]
async fn a_state_that_was_refused_is_used_up_too() {
    let world = combined::world().await;
    world.platform.add_fault(Fault::new(FaultKind::WrongIssuerIdToken).path("/oauth2/callback"));
    let back = combined::back_from_provider(&world, NURSE).await;
    WRONG_ISSUER.assert(&world, &browser::open(&world, &back.url).await);
    world.platform.clear_faults();
    UNKNOWN_STATE.assert(&world, &browser::open(&world, &back.url).await);
}

/// What `/callback` answers to somebody whose ID token has that claim.
async fn with_claim(world: &World, person: Person, name: &str, value: Value) -> Reply {
    let user = match person.scope {
        "nhs-login" => User::nhs_login(person.username, "P9"),
        _ => User::cis2(person.username, 3),
    };
    world.platform.create_user(user.claim(name, value));
    let back = combined::back_from_provider(world, person).await;
    browser::open(world, &back.url).await
}

#[tokio::test]
async fn the_id_token_has_to_be_for_the_platform() {
    let world = combined::world().await;
    let own = "123456789012.apps.national";
    // An array is compared as the text that JavaScript makes of it.
    for wrong in [
        json!("000000000000.111111111111.apps.supplier"),
        json!(["a"]),
        json!(["another", own]),
        json!(null),
    ] {
        WRONG_AUDIENCE.assert(&world, &with_claim(&world, NURSE, "aud", wrong).await);
    }
    let reply = with_claim(&world, NURSE, "aud", json!([own])).await;
    assert_eq!(reply.status, 302, "{}", reply.text());
}

#[tokio::test]
async fn the_issuer_has_to_be_the_one_that_the_platform_trusts() {
    let world = combined::world().await;
    let issuer = world.platform.cis2_url();
    for wrong in [
        json!(null),
        json!(""),
        json!("https://am.nhsidentity.spineservices.nhs.uk:443/openam/oauth2"),
        json!(format!("{issuer}/")),
        json!(issuer.replace("NHSIdentity", "nhsidentity")),
    ] {
        WRONG_ISSUER.assert(&world, &with_claim(&world, NURSE, "iss", wrong).await);
    }
}

#[tokio::test]
async fn a_provider_whose_keys_can_not_be_fetched_is_an_unknown_error() {
    let world = combined::world().await;
    world.platform.add_fault(Fault::new(FaultKind::UnreachableJwks).path("/oauth2/callback"));
    for person in [NURSE, PATIENT] {
        let back = combined::back_from_provider(&world, person).await;
        let reply = browser::open(&world, &back.url).await;
        Refusal::unknown_error("I5").assert(&world, &reply);
        assert_eq!(world.latest().fault, Some("unreachable-jwks"));
    }
}

#[tokio::test]
async fn keys_that_were_changed_just_now_do_no_harm() {
    let world = combined::world().await;
    for person in [NURSE, PATIENT] {
        combined::signed_in(&world, person).await;
        world.platform.add_fault(
            Fault::new(FaultKind::RotatedProviderKeys).path("/oauth2/callback").times(1),
        );
        combined::signed_in(&world, person).await;
    }
}

/// A platform that trusts a provider elsewhere, while its own signs the users in.
async fn trusting(issuer: &str, site: &Site) -> World {
    let text = format!(
        "[[base_paths]]\n\
         path = '/oauth2'\n\
         cis2 = {{ issuer = '{issuer}', jwks_url = '{}' }}\n\
         nhs_login = 'real'\n",
        site.url
    );
    let config: MockConfig = toml::from_str(&text).unwrap();
    let platform = MockPlatform::builder().config(config).unwrap().start().await.unwrap();
    let app = platform.create_app(combined::app());
    World { platform, app }
}

#[tokio::test]
async fn the_key_and_the_signature_are_the_trusted_providers() {
    const ELSEWHERE: &str = "https://am.cis2.test:443/openam";
    const UNKNOWN_KID: Refusal = Refusal::new(
        "I6",
        401,
        "invalid_request",
        "Invalid 'kid' header in external ID token JWT - no matching public key",
    );
    const BAD_SIGNATURE: Refusal =
        Refusal::new("I7", 401, "public_key error", "JWT signature verification failed");
    let site = Site::new("200 OK", &Key::other().jwks("another")).await;
    let world = trusting(ELSEWHERE, &site).await;
    let reply = with_claim(&world, NURSE, "iss", json!(ELSEWHERE)).await;
    UNKNOWN_KID.assert(&world, &reply);

    let key_set = browser::open(&world, &(world.platform.cis2_url() + "/connect/jwk_uri")).await;
    let kid = key_set.json()["keys"][0]["kid"].as_str().unwrap().to_owned();
    site.serve("200 OK", &Key::other().jwks(&kid));
    let reply = with_claim(&world, NURSE, "iss", json!(ELSEWHERE)).await;
    BAD_SIGNATURE.assert(&world, &reply);

    site.serve("200 OK", key_set.text());
    world.advance(86_400);
    let reply = with_claim(&world, NURSE, "iss", json!(ELSEWHERE)).await;
    assert_eq!(reply.status, 302, "{}", reply.text());
}

#[tokio::test]
async fn of_two_faults_of_an_id_token_the_earlier_answers() {
    let world = combined::world().await;
    let nurse = |user: User| {
        world.platform.create_user(user);
        combined::back_from_provider(&world, NURSE)
    };
    let wrong = json!("https://elsewhere.example");
    let user = || User::cis2(NURSE.username, 3);
    let back = nurse(user().claim("aud", wrong.clone()).claim("iss", wrong.clone())).await;
    WRONG_AUDIENCE.assert(&world, &browser::open(&world, &back.url).await);

    world.platform.add_fault(Fault::new(FaultKind::UnreachableJwks).path("/oauth2/callback"));
    let back = nurse(user().claim("iss", wrong)).await;
    WRONG_ISSUER.assert(&world, &browser::open(&world, &back.url).await);
    let back = nurse(user().claim("authentication_assurance_level", json!(7))).await;
    let reply = browser::open(&world, &back.url).await;
    Refusal::unknown_error("I5").assert(&world, &reply);
}

#[tokio::test]
async fn a_level_that_no_api_of_the_application_allows() {
    for (scope, person, others) in [
        (
            "urn:nhsd:apim:user-nhs-cis2:aal2:hello-world",
            "656005750109",
            ["656005750104", "656005750110"],
        ),
        ("urn:nhsd:apim:user-nhs-login:P5:hello-world", "9912003072", ["9912003071", "9912003073"]),
    ] {
        let world = World::with_app(combined::app().scopes([scope])).await;
        let provider = if scope.contains("login") { PATIENT } else { NURSE };
        for username in others {
            let back = combined::back_from_provider(&world, Person { username, ..provider }).await;
            let reply = browser::open(&world, &back.url).await;
            Refusal::no_scope("I9").assert(&world, &reply);
        }
        let person = Person { username: person, ..provider };
        combined::signed_in(&world, person).await;
    }
    // Without a level there is nothing to compare, or, of NHS login, nothing to take apart.
    let world = combined::world().await;
    let level = "authentication_assurance_level";
    let reply = with_claim(&world, NURSE, level, json!(null)).await;
    Refusal::no_scope("I9").assert(&world, &reply);
    let reply = with_claim(&world, PATIENT, "identity_proofing_level", json!(null)).await;
    Refusal::unknown_error("I8").assert(&world, &reply);
}

#[tokio::test]
async fn a_user_who_gives_up_comes_back_to_the_application() {
    let world = combined::world().await;
    for scope in ["nhs-cis2", "nhs-login"] {
        let parameters = combined::authorization_request(&world, scope);
        let to_provider =
            browser::redirect(&combined::authorize(&world, "/oauth2", &parameters).await);
        let form = Form::on(&browser::open(&world, &to_provider.url).await);
        let back = browser::redirect(&form.submit(&world, &[("cancel", "cancel")]).await);
        let on: Redirect = browser::redirect(&browser::open(&world, &back.url).await);
        assert_eq!(on.to, CALLBACK);
        assert_eq!((on.parameter("error"), on.parameter("state")), ("access_denied", STATE));
        assert_eq!(on.parameters.get("code"), None);
    }
}

#[tokio::test]
async fn a_token_that_is_past_when_it_is_issued_is_refused() {
    let world = combined::world().await;
    let fault = Fault::new(FaultKind::ExpiredIdToken).path("/oauth2/callback").times(1);
    world.platform.add_fault(fault);
    let back = combined::back_from_provider(&world, NURSE).await;
    let reply = browser::open(&world, &back.url).await;
    Refusal::unknown_error("I7b").assert(&world, &reply);
    combined::signed_in(&world, NURSE).await;
}

#[tokio::test]
async fn a_sign_in_ends_at_the_base_path_where_it_began() {
    let world = combined::world().await;
    let back = combined::back_from_provider(&world, NURSE).await;
    let elsewhere = back.url.replace("/oauth2/callback", "/oauth2-mock/callback");
    assert_ne!(elsewhere, back.url);
    assert_eq!(browser::open(&world, &elsewhere).await.error().1, "Invalid state parameter.");
}
