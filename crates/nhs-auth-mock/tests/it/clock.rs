//! One clock moves everything that ages, by whichever way it is moved.

use nhs_auth_mock::NewIdToken;
use serde_json::json;

use crate::assertion::KID;
use crate::combined::{self, NURSE, PATIENT, text};
use crate::exchange::Exchange;
use crate::key::Key;
use crate::provider::Trusting;
use crate::world::World;

const USER: &str = "/hello-world/hello/user";

/// Moves the clock as a test in another language does.
async fn advance(world: &World, seconds: i64) {
    let moved = world.control("POST", "/clock", &json!({"advance_s": seconds})).await;
    assert_eq!(moved.status, 200, "{}", moved.text());
}

#[tokio::test]
async fn what_a_sign_in_gave_ages() {
    let world = combined::world().await;
    let code = combined::code(&world, NURSE).await;
    let tokens = combined::signed_in(&world, PATIENT).await;
    advance(&world, 300).await;
    assert_eq!(combined::redeem(&world, &code).await.status, 400);
    assert_eq!(world.rule(), "C13");
    assert_eq!(world.call(USER, &tokens.access_token).await.status, 200);
    advance(&world, 300).await;
    assert_eq!(world.call(USER, &tokens.access_token).await.status, 401);
    assert_eq!(world.rule(), "G3");
    advance(&world, 3000).await;
    assert_eq!(combined::refresh(&world, &tokens.refresh_token).await.status, 401);
    assert_eq!(world.rule(), "F12");
}

#[tokio::test]
async fn a_clock_that_is_turned_back_makes_young_again() {
    let world = combined::world().await;
    let code = combined::code(&world, NURSE).await;
    let tokens = combined::signed_in(&world, NURSE).await;
    advance(&world, 1000).await;
    assert_eq!(world.call(USER, &tokens.access_token).await.status, 401);
    assert_eq!(combined::redeem(&world, &code).await.status, 400);
    advance(&world, -1000).await;
    assert_eq!(world.call(USER, &tokens.access_token).await.status, 200);
    assert_eq!(combined::redeem(&world, &code).await.status, 200);
}

#[tokio::test]
async fn the_providers_tell_the_same_time() {
    let world = combined::world().await;
    advance(&world, 40_000_000).await;
    let now_s = world.platform.now().0 / 1000;
    for token in [NewIdToken::cis2(), NewIdToken::nhs_login()] {
        let id_token = world.platform.id_token(&token).unwrap();
        let claims = crate::jwt::Jwt::read(&id_token).claims().clone();
        let iat = claims["iat"].as_i64().unwrap();
        assert!((now_s..now_s + 30).contains(&iat), "{iat} is not {now_s}");
    }
    combined::signed_in(&world, NURSE).await;
    advance(&world, -40_000_000).await;
    combined::signed_in(&world, PATIENT).await;
}

#[tokio::test]
async fn id_tokens_jtis_and_key_sets_age() {
    let app = nhs_auth_mock::NewApp::new("test").jwks(Key::usual().jwks(KID));
    let it = Trusting::new(app).await;
    let token = it.cis2_id_token();
    let exchange = |token: &crate::jwt::Jwt| Exchange::new(&it.world, token.clone());
    assert_eq!(exchange(&token).send(&it.world).await.status, 200);
    advance(&it.world, 3601).await;
    exchange(&token).send(&it.world).await;
    assert_eq!(it.world.rule(), "S8");

    let hits = it.cis2.site.hits();
    advance(&it.world, 86_400).await;
    let reply = exchange(&it.cis2_id_token()).send(&it.world).await;
    assert_eq!((reply.status, it.cis2.site.hits()), (200, hits + 1));

    // After thirty days a jti is as good as new, and an expired token forgotten.
    let access_token = text(&reply, "access_token");
    let jti = it.world.assertion().jti();
    let burnt = it.world.assertion().claim("jti", jti.as_str());
    assert_eq!(it.world.ask(burnt).await.status, 200);
    advance(&it.world, 30 * 86_400).await;
    let again = it.world.assertion().claim("jti", jti.as_str());
    assert_eq!(it.world.ask(again).await.status, 200);
    assert_eq!(it.world.call(USER, &access_token).await.status, 401);
    assert_eq!(it.world.rule(), "G2");
}
