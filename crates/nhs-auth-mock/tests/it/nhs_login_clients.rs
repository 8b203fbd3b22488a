//! NHS login's token endpoint: how a client shows who it is, codes and refresh tokens. Every
//! refusal is a 400.

use nhs_auth_mock::NewClient;
use serde_json::json;

use crate::http::Reply;
use crate::jwt::{self, Jwt};
use crate::key::Key;
use crate::relying_party::{CLIENT_KID, REDIRECT_URI, RelyingParty, with_assertion};
use crate::world::World;

const PATIENT: &str = "9912003071";

fn assert_refused(reply: &Reply, error: &str) {
    assert_eq!((reply.status, reply.error().0.as_str()), (400, error), "{}", reply.text());
}

#[tokio::test]
async fn an_assertion_that_does_not_verify() {
    let world = World::new().await;
    let client = RelyingParty::nhs_login(&world).await;
    let code = client.code(PATIENT, &[]).await;
    let good = || client.assertion();
    let token_endpoint = client.endpoint("token_endpoint");
    let now_s = world.platform.now().0 / 1000;
    let api_key = world.app.api_key();
    let cases: Vec<(&str, Jwt)> = vec![
        ("API key", good().claim("iss", api_key).claim("sub", api_key)),
        ("differ", good().claim("sub", "another")),
        ("missing", good().without_claim("iss")),
        ("aud", good().claim("aud", world.platform.nhs_login_url())),
        ("aud", good().claim("aud", json!(["another"]))),
        ("aud", good().claim("aud", format!("{token_endpoint}/"))),
        ("exp", good().without_claim("exp")),
        ("exp", good().claim("exp", now_s - 5)),
        ("alg", good().header("alg", "RS256")),
        ("kid", good().header("kid", "unknown")),
    ];
    for (remark, assertion) in cases {
        let told = format!("{assertion:?}");
        let reply = client.redeem_by(&code, &assertion.sign(Key::usual())).await;
        assert_refused(&reply, "invalid_client");
        let said = world.latest().remark.expect("a remark");
        assert!(said.contains(remark), "{told}: {said}");
    }
    for forged in [
        good().sign(Key::other()),
        jwt::damaged(&good().sign(Key::usual())),
        good().unsigned(),
        "not a JWT".to_owned(),
    ] {
        assert_refused(&client.redeem_by(&code, &forged).await, "invalid_client");
    }
    // `kid`, `jti` and `typ` are not asked for by name, an hour is known to be taken, and `aud`
    // has to contain the endpoint.
    for assertion in [
        good().without_header("kid").without_header("typ").without_claim("jti"),
        good().claim("exp", now_s + 3500),
        good().claim("aud", json!(["another", token_endpoint])),
    ] {
        let code = client.code(PATIENT, &[]).await;
        let reply = client.redeem_by(&code, &assertion.sign(Key::usual())).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
}

#[tokio::test]
async fn a_secret_will_not_do() {
    let world = World::new().await;
    let client = RelyingParty::nhs_login(&world).await;
    let code = client.code(PATIENT, &[]).await;
    assert_refused(&client.redeem_by_secret(&code).await, "invalid_client");
    assert_refused(&client.redeem(&code, &[]).await, "invalid_client");
    let issuer = world.platform.nhs_login_url();
    let keyless = RelyingParty::register(&world, &issuer, NewClient::nhs_login()).await;
    let code = keyless.code(PATIENT, &[]).await;
    assert_refused(&keyless.redeem_by_secret(&code).await, "invalid_client");
    let signed = keyless.assertion().sign(Key::usual());
    assert_refused(&keyless.redeem_by(&code, &signed).await, "invalid_client");
}

#[tokio::test]
async fn a_code_is_good_once_for_ten_minutes_and_its_redirect_uri() {
    let world = World::new().await;
    let client = RelyingParty::nhs_login(&world).await;
    let signed = || client.assertion().sign(Key::usual());
    let code = client.code(PATIENT, &[]).await;
    assert_eq!(client.redeem_by(&code, &signed()).await.status, 200);
    assert_refused(&client.redeem_by(&code, &signed()).await, "invalid_grant");
    assert_refused(&client.redeem_by("unknown", &signed()).await, "invalid_grant");

    let code = client.code(PATIENT, &[]).await;
    let signed_once = signed();
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", "https://clinic.example/elsewhere"),
    ];
    form.extend(with_assertion(&signed_once));
    assert_refused(&client.ask(&form).await, "invalid_grant");

    for (seconds, status) in [(590, 200), (600, 400)] {
        let code = client.code(PATIENT, &[]).await;
        world.advance(seconds);
        assert_eq!(client.redeem_by(&code, &signed()).await.status, status, "{seconds} s");
    }
    let other = NewClient::nhs_login().jwks(Key::usual().jwks(CLIENT_KID));
    let other = RelyingParty::register(&world, &world.platform.nhs_login_url(), other).await;
    let code = client.code(PATIENT, &[]).await;
    let signed = other.assertion().sign(Key::usual());
    assert_refused(&other.redeem_by(&code, &signed).await, "invalid_grant");
}

#[tokio::test]
async fn what_is_missing_and_what_is_not_supported() {
    let world = World::new().await;
    let client = RelyingParty::nhs_login(&world).await;
    for (form, error) in [
        (&[][..], "invalid_request"),
        (&[("grant_type", "password")][..], "unsupported_grant_type"),
        (&[("grant_type", "client_credentials")][..], "unsupported_grant_type"),
        (
            &[("grant_type", "authorization_code"), ("redirect_uri", REDIRECT_URI)][..],
            "invalid_request",
        ),
    ] {
        let signed = client.assertion().sign(Key::usual());
        let mut form = form.to_vec();
        form.extend(with_assertion(&signed));
        assert_refused(&client.ask(&form).await, error);
    }
}

/// A refresh with an assertion of the client's.
async fn refresh(client: &RelyingParty<'_>, refresh_token: &str) -> Reply {
    let signed = client.assertion().sign(Key::usual());
    let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
    form.extend(with_assertion(&signed));
    client.ask(&form).await
}

#[tokio::test]
async fn only_the_latest_refresh_token_works_and_it_brings_no_id_token() {
    let world = World::new().await;
    let client = RelyingParty::nhs_login(&world).await;
    let signed_in = client.sign_in(PATIENT, &[]).await;
    let first = signed_in.body["refresh_token"].as_str().unwrap();
    let form = [("grant_type", "refresh_token"), ("refresh_token", first)];
    assert_refused(&client.ask(&form).await, "invalid_client");

    let reply = refresh(&client, first).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let body = reply.json();
    assert_eq!(body.get("id_token"), None);
    assert_eq!(body["expires_in"], 300);
    let info = client.user_info(body["access_token"].as_str().unwrap()).await;
    assert_eq!(&info.json()["sub"], signed_in.claim("sub"));
    assert_refused(&refresh(&client, first).await, "invalid_grant");

    let second = body["refresh_token"].as_str().unwrap();
    world.advance(30 * 86_400 - 5);
    let reply = refresh(&client, second).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let third = reply.json()["refresh_token"].as_str().unwrap().to_owned();
    world.advance(30 * 86_400);
    assert_refused(&refresh(&client, &third).await, "invalid_grant");
}

#[tokio::test]
async fn a_refresh_token_is_of_one_client_alone() {
    let world = World::new().await;
    let client = RelyingParty::nhs_login(&world).await;
    let other = RelyingParty::nhs_login(&world).await;
    let signed_in = client.sign_in(PATIENT, &[]).await;
    let token = signed_in.body["refresh_token"].as_str().unwrap();
    assert_refused(&refresh(&other, token).await, "invalid_grant");
    let reply = refresh(&client, token).await;
    assert_eq!(reply.status, 200, "another's try has not used it up: {}", reply.text());
}

#[tokio::test]
async fn a_client_notes_something_of_its_user() {
    let world = World::new().await;
    let client = RelyingParty::nhs_login(&world).await;
    let noted = async |scope: &str, method: &str, body: &str| {
        let code = client.code(PATIENT, &[("scope", scope)]).await;
        let tokens = client.redeem_by(&code, &client.assertion().sign(Key::usual())).await.json();
        let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
        let headers = [("Authorization", bearer.as_str())];
        world.send(method, "/nhs-login/userinfo", &headers, body.as_bytes()).await
    };
    let scope = "openid profile client_metadata";
    let note = |text: &str| json!({"client_user_metadata": text}).to_string();
    assert_eq!(noted(scope, "PATCH", &note("hello")).await.status, 204);
    assert_eq!(noted(scope, "GET", "").await.json()["client_user_metadata"], "hello");
    assert_eq!(noted(scope, "PATCH", &note("auto")).await.status, 204);
    let made = noted(scope, "GET", "").await.json()["client_user_metadata"].clone();
    assert_eq!(made.as_str().unwrap().len(), 36);
    assert_eq!(noted(scope, "PATCH", &note("")).await.status, 204);
    assert!(noted(scope, "GET", "").await.json().get("client_user_metadata").is_none());

    assert_eq!(noted("openid profile", "PATCH", &note("x")).await.status, 403);
    for wrong in ["", "{}", &note(&"x".repeat(1025))] {
        assert_eq!(noted(scope, "PATCH", wrong).await.status, 400, "{wrong}");
    }
}
