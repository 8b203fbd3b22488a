//! `grant_type=authorization_code`: what it gives for a code, once, and what it refuses.

use serde_json::json;

use crate::client_rows::{self, Request, Row, application_rows, rate_limit_row};
use crate::combined::{self, CALLBACK, NURSE, PATIENT, redemption, text};
use crate::refusal::Refusal;
use crate::world::World;

const APPLICATION: &str = "/hello-world/hello/application";
const USER: &str = "/hello-world/hello/user";

const INVALID_CODE: Refusal =
    Refusal::new("C13", 400, "invalid_grant", "authorization_code is invalid");

const INVALID_CLIENT: &str = "client_id or client_secret is invalid";

/// The rows in the platform's order.
const ROWS: &[Row] = &{
    let [not_approved, no_developer, no_company, no_product] =
        application_rows(["C3", "C4", "C5", "C6"]);
    [
        (
            Refusal::new("C1", 401, "invalid_request", "client_id is missing"),
            |request: &mut Request| request.remove("client_id"),
        ),
        (Refusal::new("C2", 401, "invalid_client", INVALID_CLIENT), |request| {
            request.set("client_id", "5d0b7c1e-93a4-4f6e-8a21-c47f0e9b6d35");
        }),
        not_approved,
        no_developer,
        no_company,
        no_product,
        (Refusal::new("C7", 401, "invalid_request", "client_secret is missing"), |request| {
            request.remove("client_secret");
        }),
        (Refusal::new("C8", 401, "invalid_client", INVALID_CLIENT), |request| {
            request.set("client_secret", "another");
        }),
        rate_limit_row("C9"),
        (Refusal::bad_request("C10", "redirect_uri is missing"), |request| {
            request.remove("redirect_uri");
        }),
        (Refusal::bad_request("C11", "redirect_uri is invalid"), |request| {
            request.set("redirect_uri", "https://app.example/callback/");
        }),
        (Refusal::bad_request("C12", "authorization_code is missing"), |request| {
            request.remove("code");
        }),
        (INVALID_CODE, |request| request.set("code", "unknown")),
    ]
};

#[tokio::test]
async fn each_row_alone_and_before_every_later_one() {
    let world = client_rows::world().await;
    let code = combined::code(&world, NURSE).await;
    let good = Request::new(redemption(&world, &code));
    let send = async |request: &Request| combined::post(&world, &request.parameters()).await;
    client_rows::assert_in_order(&world, ROWS, &good, send, |refusal, _, reply| {
        client_rows::assert_answer(&world, refusal, reply);
    })
    .await;
    assert_eq!(send(&good).await.status, 200, "a refusal has not used the code up");
}

#[tokio::test]
async fn tokens_are_given_as_the_platform_gives_them() {
    let world = combined::world().await;
    for (person, refresh_token_expires_in) in [(NURSE, "43199"), (PATIENT, "3599")] {
        let code = combined::code(&world, person).await;
        let reply = combined::redeem(&world, &code).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.header("content-type"), Some("application/json"));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        let latest = world.latest();
        assert_eq!(latest.application_id.as_deref(), Some(world.app.application_id()));
        let (access_token, refresh_token) =
            (text(&reply, "access_token"), text(&reply, "refresh_token"));
        let expected = format!(
            r#"{{"access_token":"{access_token}","expires_in":"599","refresh_token":"{refresh_token}","#
        ) + &format!(
            r#""refresh_token_expires_in":"{refresh_token_expires_in}","refresh_count":"0","#
        ) + &format!(r#""token_type":"Bearer","sid":"{}"}}"#, text(&reply, "sid"));
        assert_eq!(reply.text(), expected);
        assert!(access_token.len() == 28);
        assert!(access_token.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }
}

#[tokio::test]
async fn a_users_token_opens_what_is_for_users_and_nothing_else() {
    let world = combined::world().await;
    for person in [NURSE, PATIENT] {
        let tokens = combined::signed_in(&world, person).await;
        assert_eq!(world.call(USER, &tokens.access_token).await.status, 200);
        assert_eq!(world.call(APPLICATION, &tokens.access_token).await.status, 401);
        assert_eq!(world.rule(), "G5");
        world.advance(600);
        assert_eq!(world.call(USER, &tokens.access_token).await.status, 401);
        assert_eq!(world.rule(), "G3");
    }
}

#[tokio::test]
async fn a_code_works_once() {
    let world = combined::world().await;
    let code = combined::code(&world, NURSE).await;
    assert_eq!(combined::redeem(&world, &code).await.status, 200);
    for _ in 0..2 {
        INVALID_CODE.assert(&world, &combined::redeem(&world, &code).await);
    }
}

#[tokio::test]
async fn a_code_lives_for_five_minutes() {
    let world = combined::world().await;
    let code = combined::code(&world, NURSE).await;
    world.advance(290);
    assert_eq!(combined::redeem(&world, &code).await.status, 200);
    let code = combined::code(&world, NURSE).await;
    world.advance(300);
    INVALID_CODE.assert(&world, &combined::redeem(&world, &code).await);
}

#[tokio::test]
async fn a_sign_in_whose_code_waited_still_begins_with_a_whole_refresh_token() {
    let world = combined::world().await;
    for (person, expires_in) in [(NURSE, "43199"), (PATIENT, "3599")] {
        let code = combined::code(&world, person).await;
        world.advance(200);
        let reply = combined::redeem(&world, &code).await;
        assert_eq!(text(&reply, "refresh_token_expires_in"), expires_in);
    }
}

#[tokio::test]
async fn a_code_is_of_one_application_alone() {
    let world = combined::world().await;
    let code = combined::code(&world, NURSE).await;
    let other = world.platform.create_app(combined::app());
    let mut request = Request::new(redemption(&world, &code));
    request.set("client_id", other.api_key());
    request.set("client_secret", other.client_secret());
    let reply = combined::post(&world, &request.parameters()).await;
    INVALID_CODE.assert(&world, &reply);
    assert_eq!(combined::redeem(&world, &code).await.status, 200, "it is not used up by that");
}

#[tokio::test]
async fn a_code_is_redeemed_with_the_redirect_uri_of_its_sign_in() {
    let world = combined::world().await;
    let code = combined::code(&world, NURSE).await;
    let path = format!("/apps/{}", world.app.application_id());
    let elsewhere = "https://app.example/another";
    world.control("PATCH", &path, &json!({"callback_url": elsewhere})).await;
    let mut request = Request::new(redemption(&world, &code));
    request.set("redirect_uri", elsewhere);
    let reply = combined::post(&world, &request.parameters()).await;
    INVALID_CODE.assert(&world, &reply);
    world.control("PATCH", &path, &json!({"callback_url": CALLBACK})).await;
    assert_eq!(combined::redeem(&world, &code).await.status, 200);
}

#[tokio::test]
async fn the_providers_own_code_is_none_of_the_platforms() {
    let world = combined::world().await;
    let back = combined::back_from_provider(&world, NURSE).await;
    let reply = combined::redeem(&world, back.parameter("code")).await;
    INVALID_CODE.assert(&world, &reply);
}

#[tokio::test]
async fn lifetimes_may_be_shortened_and_not_lengthened() {
    let world = combined::world().await;
    for (access, refresh, expires_in, refresh_expires_in) in [
        ("60000", "120000", "59", "119"),
        ("600001", "43200001", "599", "43199"),
        ("soon", "-1", "599", "43199"),
    ] {
        let code = combined::code(&world, NURSE).await;
        let mut form = redemption(&world, &code).to_vec();
        form.push(("_access_token_expiry_ms", access.to_owned()));
        form.push(("_refresh_token_expiry_ms", refresh.to_owned()));
        let reply = combined::post(&world, &form).await;
        assert_eq!(text(&reply, "expires_in"), expires_in);
        assert_eq!(text(&reply, "refresh_token_expires_in"), refresh_expires_in);
    }
}

#[tokio::test]
async fn a_shortened_access_token_ends_sooner() {
    let world = combined::world().await;
    let code = combined::code(&world, NURSE).await;
    let mut form = redemption(&world, &code).to_vec();
    form.push(("_access_token_expiry_ms", "60000".to_owned()));
    let access_token = text(&combined::post(&world, &form).await, "access_token");
    world.advance(55);
    assert_eq!(world.call(USER, &access_token).await.status, 200);
    world.advance(5);
    assert_eq!(world.call(USER, &access_token).await.status, 401);
    assert_eq!(world.rule(), "G3");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_those_who_redeem_a_code_at_once_one_gets_tokens() {
    let world: World = client_rows::world().await;
    for _ in 0..20 {
        let code = combined::code(&world, NURSE).await;
        let replies = tokio::join!(
            combined::redeem(&world, &code),
            combined::redeem(&world, &code),
            combined::redeem(&world, &code),
            combined::redeem(&world, &code)
        );
        let replies = [replies.0, replies.1, replies.2, replies.3];
        let (won, lost): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 200);
        assert_eq!(won.len(), 1);
        for reply in lost {
            INVALID_CODE.assert_answer(reply);
        }
    }
}
