//! CIS2's token endpoint: how a client shows who it is, and what its code is worth.

use nhs_auth_mock::{NewClient, SigningAlgorithm};
use serde_json::{Value, json};

use crate::http::Reply;
use crate::jwt::{self, Jwt};
use crate::key::Key;
use crate::relying_party::{CLIENT_KID, RelyingParty, with_assertion};
use crate::site::Site;
use crate::world::World;

const NURSE: &str = "656005750105";

#[tokio::test]
async fn an_assertion_by_the_algorithm_that_is_registered() {
    let world = World::new().await;
    let issuer = world.platform.cis2_url();
    for (algorithm, other) in
        [(SigningAlgorithm::Rs512, "RS256"), (SigningAlgorithm::Rs256, "RS512")]
    {
        let client =
            NewClient::cis2().jwks(Key::usual().jwks(CLIENT_KID)).signing_algorithm(algorithm);
        let client = RelyingParty::register(&world, &issuer, client).await;
        let code = client.code(NURSE, &[]).await;
        let wrong = client.assertion().header("alg", other).sign(Key::usual());
        assert_not_valid(&world, &client.redeem_by(&code, &wrong).await);
        let right = client.assertion().header("alg", algorithm.name()).sign(Key::usual());
        let reply = client.redeem_by(&code, &right).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        // `typ` is left out by some, and CIS2 doesn't ask for it.
        let code = client.code(NURSE, &[]).await;
        let untyped = client.assertion().header("alg", algorithm.name()).without_header("typ");
        let reply = client.redeem_by(&code, &untyped.sign(Key::usual())).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
}

/// CIS2's one answer, which names no cause; the box remarks on it.
fn assert_not_valid(world: &World, reply: &Reply) -> String {
    let text = r#"{"error_description":"JWT is not valid","error":"invalid_client"}"#;
    let expected: Value = serde_json::from_str(text).unwrap();
    assert_eq!(reply.json(), expected);
    let latest = world.latest();
    assert_eq!(latest.error.as_deref(), Some("invalid_client"));
    assert_eq!(latest.error_description.as_deref(), Some("JWT is not valid"));
    latest.remark.expect("a remark")
}

#[tokio::test]
async fn whatever_is_wrong_with_an_assertion_has_one_answer_and_a_remark() {
    let world = World::new().await;
    let issuer = world.platform.cis2_url();
    let client = NewClient::cis2().jwks(Key::usual().jwks(CLIENT_KID));
    let client = RelyingParty::register(&world, &issuer, client).await;
    let other = RelyingParty::cis2(&world).await;
    let code = client.code(NURSE, &[]).await;
    let good = || client.assertion();
    let token_endpoint = client.endpoint("token_endpoint");
    let api_key = world.app.api_key();
    let now_s = world.platform.now().0 / 1000;
    let cases: Vec<(&str, Jwt)> = vec![
        ("API key", good().claim("iss", api_key).claim("sub", api_key)),
        ("no client id", good().claim("iss", "1.apps.supplier").claim("sub", "1.apps.supplier")),
        ("differ", good().claim("sub", other.client_id.as_str())),
        ("missing", good().without_claim("sub")),
        ("aud", good().claim("aud", issuer.as_str())),
        ("aud", good().claim("aud", format!("{token_endpoint}/"))),
        ("aud", good().claim("aud", token_endpoint.replace("http:", "https:"))),
        ("aud", good().claim("aud", world.platform.token_url())),
        ("aud", good().without_claim("aud")),
        ("exp", good().claim("exp", now_s + 1900)),
        ("exp", good().claim("exp", now_s + 3600)),
        ("exp", good().claim("exp", now_s - 5)),
        ("exp", good().without_claim("exp")),
        ("alg", good().header("alg", "RS256")),
        ("alg", good().without_header("alg")),
        ("kid", good().header("kid", "client-2")),
        ("kid", good().without_header("kid")),
    ];
    for (remark, assertion) in cases {
        let told = format!("{assertion:?}");
        let reply = client.redeem_by(&code, &assertion.sign(Key::usual())).await;
        let said = assert_not_valid(&world, &reply);
        assert!(said.contains(remark), "{told}: {said}");
    }
    for forged in [
        good().sign(Key::other()),
        jwt::damaged(&good().sign(Key::usual())),
        good().unsigned(),
        good().sign_hs256(&Key::usual().pem()),
        "not a JWT".to_owned(),
    ] {
        assert_not_valid(&world, &client.redeem_by(&code, &forged).await);
    }
    let mut form = with_assertion("").to_vec();
    let signed = good().sign(Key::usual());
    form[1].1 = &signed;
    form[0].1 = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer";
    assert_not_valid(&world, &client.redeem(&code, &form).await);

    // An exp of nearly half an hour is good, and an array of audiences too; nothing has used up
    // the code.
    let far = good().claim("exp", now_s + 1700).claim("aud", json!([token_endpoint, "another"]));
    let reply = client.redeem_by(&code, &far.sign(Key::usual())).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[tokio::test]
async fn an_assertion_of_a_client_whose_key_set_can_not_be_fetched() {
    let world = World::new().await;
    let issuer = world.platform.cis2_url();
    let site = Site::new("503 Service Unavailable", "").await;
    let client = NewClient::cis2().jwks_uri(&site.url);
    let client = RelyingParty::register(&world, &issuer, client).await;
    let code = client.code(NURSE, &[]).await;
    let signed = || client.assertion().sign(Key::usual());
    let remark = assert_not_valid(&world, &client.redeem_by(&code, &signed()).await);
    assert!(remark.contains("key set"), "{remark}");
    site.serve("200 OK", &Key::usual().jwks(CLIENT_KID));
    assert_eq!(client.redeem_by(&code, &signed()).await.status, 200);
}

#[tokio::test]
async fn a_client_uses_the_method_that_is_registered() {
    let world = World::new().await;
    let issuer = world.platform.cis2_url();
    let with_key = NewClient::cis2().jwks(Key::usual().jwks(CLIENT_KID));
    let with_key = RelyingParty::register(&world, &issuer, with_key).await;
    let with_secret = RelyingParty::cis2(&world).await;

    let code = with_key.code(NURSE, &[]).await;
    let reply = with_key.redeem_by_secret(&code).await;
    assert_eq!(reply.error().0, "invalid_client");
    assert_eq!(reply.error().1, "Invalid authentication method for accessing this endpoint.");

    let code = with_secret.code(NURSE, &[]).await;
    let signed = with_secret.assertion().sign(Key::usual());
    assert_eq!(with_secret.redeem_by(&code, &signed).await.error().0, "invalid_client");
    for credentials in [
        &[][..],
        &[("client_id", with_secret.client_id.as_str())][..],
        &[("client_id", with_secret.client_id.as_str()), ("client_secret", "another")][..],
        &[("client_id", "unknown"), ("client_secret", with_secret.client_secret.as_str())][..],
    ] {
        let reply = with_secret.redeem(&code, credentials).await;
        assert_eq!(reply.error().0, "invalid_client", "{}", reply.text());
    }
    assert_eq!(with_secret.redeem_by_secret(&code).await.status, 200);
}

#[tokio::test]
async fn a_code_is_good_once_for_its_client_and_its_redirect_uri() {
    const INVALID: &str = "The provided access grant is invalid, expired, or revoked.";
    let world = World::new().await;
    let client = RelyingParty::cis2(&world).await;
    let other = RelyingParty::cis2(&world).await;
    let assert_invalid = |reply: &Reply| {
        assert_eq!(reply.status, 400);
        assert_eq!(reply.error(), ("invalid_grant".to_owned(), INVALID.to_owned()));
    };
    let code = client.code(NURSE, &[]).await;
    assert_eq!(client.redeem_by_secret(&code).await.status, 200);
    assert_invalid(&client.redeem_by_secret(&code).await);
    assert_invalid(&client.redeem_by_secret("unknown").await);

    let code = client.code(NURSE, &[]).await;
    assert_invalid(&other.redeem_by_secret(&code).await);

    let code = client.code(NURSE, &[]).await;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", "https://clinic.example/elsewhere"),
        ("client_id", &client.client_id),
        ("client_secret", &client.client_secret),
    ];
    assert_invalid(&client.ask(&form).await);

    let code = client.code(NURSE, &[]).await;
    world.advance(600);
    assert_invalid(&client.redeem_by_secret(&code).await);
}

#[tokio::test]
async fn other_grants_are_not_there() {
    let world = World::new().await;
    let client = RelyingParty::cis2(&world).await;
    let credentials =
        [("client_id", client.client_id.as_str()), ("client_secret", &client.client_secret)];
    for grant in ["refresh_token", "client_credentials", "password"] {
        let mut form = vec![("grant_type", grant), ("refresh_token", "x")];
        form.extend(credentials);
        let reply = client.ask(&form).await;
        assert_eq!((reply.status, reply.error().0.as_str()), (400, "unsupported_grant_type"));
    }
    let reply = client.ask(&credentials).await;
    assert_eq!((reply.status, reply.error().0.as_str()), (400, "invalid_request"));
}
