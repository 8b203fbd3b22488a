//! `grant_type=refresh_token`: each token once, and none beyond the time since the sign-in.

use crate::client_rows::{self, Request, Row, application_rows, rate_limit_row};
use crate::combined::{self, NURSE, PATIENT, refreshing, text};
use crate::exchange::Exchange;
use crate::http::Reply;
use crate::provider::Trusting;
use crate::refusal::Refusal;
use crate::world::World;

const USER: &str = "/hello-world/hello/user";

const INVALID: Refusal = Refusal::new("F11", 401, "invalid_grant", "refresh_token is invalid");
const PERIOD_IS_OVER: Refusal =
    Refusal::new("F12", 401, "invalid_grant", "refresh token refresh period has expired");

const INVALID_CLIENT: &str = "client_id or client_secret is invalid";

/// The rows in the platform's order.
const ROWS: &[Row] = &{
    let [not_approved, no_developer, no_company, no_product] =
        application_rows(["F3", "F4", "F5", "F6"]);
    [
        (
            Refusal::new("F1", 401, "invalid_request", "client_id is missing"),
            |request: &mut Request| request.remove("client_id"),
        ),
        (Refusal::new("F2", 401, "invalid_client", INVALID_CLIENT), |request| {
            request.set("client_id", "5d0b7c1e-93a4-4f6e-8a21-c47f0e9b6d35");
        }),
        not_approved,
        no_developer,
        no_company,
        no_product,
        (Refusal::new("F7", 401, "invalid_request", "client_secret is missing"), |request| {
            request.remove("client_secret");
        }),
        (Refusal::new("F8", 401, "invalid_client", INVALID_CLIENT), |request| {
            request.set("client_secret", "another");
        }),
        rate_limit_row("F9"),
        (Refusal::bad_request("F10", "refresh_token is missing"), |request| {
            request.remove("refresh_token");
        }),
        (INVALID, |request| request.set("refresh_token", "unknown")),
        (PERIOD_IS_OVER, |request| request.set("_refresh_tokens_validity_ms", "0")),
    ]
};

#[tokio::test]
async fn each_row_alone_and_before_every_later_one() {
    let world = client_rows::world().await;
    let tokens = combined::signed_in(&world, NURSE).await;
    let good = Request::new(refreshing(&world, &tokens.refresh_token));
    let send = async |request: &Request| combined::post(&world, &request.parameters()).await;
    client_rows::assert_in_order(&world, ROWS, &good, send, |refusal, _, reply| {
        client_rows::assert_answer(&world, refusal, reply);
    })
    .await;
    assert_eq!(send(&good).await.status, 200, "a refusal has not used the token up");
}

#[tokio::test]
async fn tokens_are_given_as_the_platform_gives_them() {
    let world = combined::world().await;
    let tokens = combined::signed_in(&world, NURSE).await;
    let mut latest = tokens.refresh_token;
    for count in 1..=3 {
        let reply = combined::refresh(&world, &latest).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.header("content-type"), Some("application/json"));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        let recorded = world.latest();
        assert_eq!(recorded.application_id.as_deref(), Some(world.app.application_id()));
        let expected = format!(
            r#"{{"access_token":"{}","expires_in":"599","refresh_token":"{}","#,
            text(&reply, "access_token"),
            text(&reply, "refresh_token"),
        ) + &format!(
            r#""refresh_token_expires_in":"{}","refresh_count":"{count}","token_type":"Bearer"}}"#,
            text(&reply, "refresh_token_expires_in"),
        );
        assert_eq!(reply.text(), expected);
        assert_ne!(text(&reply, "refresh_token"), latest);
        assert_eq!(world.call(USER, &text(&reply, "access_token")).await.status, 200);
        latest = text(&reply, "refresh_token");
    }
    assert_eq!(world.call(USER, &tokens.access_token).await.status, 200, "the first lives on");
}

#[tokio::test]
async fn a_refresh_token_works_once() {
    let world = combined::world().await;
    let first = combined::signed_in(&world, NURSE).await.refresh_token;
    let second = text(&combined::refresh(&world, &first).await, "refresh_token");
    INVALID.assert(&world, &combined::refresh(&world, &first).await);
    assert_eq!(combined::refresh(&world, &second).await.status, 200, "its heir is good");
    INVALID.assert(&world, &combined::refresh(&world, &second).await);
}

#[tokio::test]
async fn a_refresh_token_is_of_one_application_alone() {
    let world = combined::world().await;
    let refresh_token = combined::signed_in(&world, NURSE).await.refresh_token;
    let other = world.platform.create_app(combined::app());
    let mut request = Request::new(refreshing(&world, &refresh_token));
    request.set("client_id", other.api_key());
    request.set("client_secret", other.client_secret());
    let reply = combined::post(&world, &request.parameters()).await;
    INVALID.assert(&world, &reply);
    assert_eq!(combined::refresh(&world, &refresh_token).await.status, 200);
}

#[tokio::test]
async fn an_access_token_is_no_refresh_token() {
    let world = combined::world().await;
    let tokens = combined::signed_in(&world, NURSE).await;
    INVALID.assert(&world, &combined::refresh(&world, &tokens.access_token).await);
    let reply = world.call(USER, &tokens.refresh_token).await;
    assert_eq!((reply.status, world.rule()), (401, "G2"));
}

/// What `refresh_token_expires_in` may say of a window that ends then, when the answer came
/// between those two moments.
fn told(window_end_ms: i64, from_ms: i64, to_ms: i64) -> std::ops::RangeInclusive<i64> {
    let left_s = |now_ms: i64| (window_end_ms - now_ms + 999) / 1000 - 1;
    left_s(to_ms)..=left_s(from_ms)
}

#[tokio::test]
async fn each_refresh_leaves_less_by_exactly_what_has_passed() {
    let world = combined::world().await;
    for person in [NURSE, PATIENT] {
        let window_ms = i64::try_from(person.window_s).unwrap() * 1000;
        let before = world.platform.now().0;
        let tokens = combined::signed_in(&world, person).await;
        let after = world.platform.now().0;
        let mut latest = tokens.refresh_token;
        for _ in 0..3 {
            world.advance(777);
            let from = world.platform.now().0;
            let reply = combined::refresh(&world, &latest).await;
            let to = world.platform.now().0;
            let expires_in: i64 = text(&reply, "refresh_token_expires_in").parse().unwrap();
            let earliest = *told(before + window_ms, from, to).start();
            let latest_possible = *told(after + window_ms, from, to).end();
            assert!(
                (earliest..=latest_possible).contains(&expires_in),
                "{expires_in} is not in {earliest}..={latest_possible}"
            );
            latest = text(&reply, "refresh_token");
        }
    }
}

#[tokio::test]
async fn the_window_since_the_sign_in_can_not_be_outlived() {
    let world = combined::world().await;
    for person in [NURSE, PATIENT] {
        let unused = combined::signed_in(&world, person).await.refresh_token;
        let mut latest = combined::signed_in(&world, person).await.refresh_token;
        // In small steps, each within the life of the token before.
        for _ in 0..9 {
            world.advance(person.window_s / 10);
            latest = text(&combined::refresh(&world, &latest).await, "refresh_token");
        }
        world.advance(person.window_s / 10 - 10);
        latest = text(&combined::refresh(&world, &latest).await, "refresh_token");
        world.advance(10);
        PERIOD_IS_OVER.assert(&world, &combined::refresh(&world, &latest).await);
        PERIOD_IS_OVER.assert(&world, &combined::refresh(&world, &unused).await);
    }
}

#[tokio::test]
async fn a_refreshed_access_token_may_outlive_the_window() {
    let world = combined::world().await;
    let refresh_token = combined::signed_in(&world, PATIENT).await.refresh_token;
    world.advance(PATIENT.window_s - 60);
    let access_token = text(&combined::refresh(&world, &refresh_token).await, "access_token");
    world.advance(300);
    assert_eq!(world.call(USER, &access_token).await.status, 200);
}

/// A refresh with one more parameter.
async fn refresh_with(world: &World, token: &str, name: &'static str, value: &str) -> Reply {
    let mut form = refreshing(world, token).to_vec();
    form.push((name, value.to_owned()));
    combined::post(world, &form).await
}

#[tokio::test]
async fn lifetimes_may_be_shortened_and_not_lengthened() {
    let world = combined::world().await;
    let access = "_access_token_expiry_ms";
    let refresh = "_refresh_token_expiry_ms";
    let mut token = combined::signed_in(&world, NURSE).await.refresh_token;
    for (name, value, member, given) in [
        (access, "60000", "expires_in", "59"),
        (access, "600001", "expires_in", "599"),
        (refresh, "120000", "refresh_token_expires_in", "119"),
    ] {
        let reply = refresh_with(&world, &token, name, value).await;
        assert_eq!(text(&reply, member), given, "{name}={value}");
        token = text(&reply, "refresh_token");
    }
    let reply = refresh_with(&world, &token, refresh, "999999999").await;
    let expires_in: u64 = text(&reply, "refresh_token_expires_in").parse().unwrap();
    assert!((43_000..=43_199).contains(&expires_in), "{expires_in}");
}

#[tokio::test]
async fn a_shortened_refresh_token_ends_sooner() {
    let world = combined::world().await;
    for seconds in [110, 120] {
        let token = combined::signed_in(&world, NURSE).await.refresh_token;
        let reply = refresh_with(&world, &token, "_refresh_token_expiry_ms", "120000").await;
        let shortened = text(&reply, "refresh_token");
        world.advance(seconds);
        let reply = combined::refresh(&world, &shortened).await;
        if seconds < 120 {
            assert_eq!(reply.status, 200, "{}", reply.text());
        } else {
            PERIOD_IS_OVER.assert(&world, &reply);
        }
    }
}

#[tokio::test]
async fn the_window_may_be_shortened() {
    let world = combined::world().await;
    let window = "_refresh_tokens_validity_ms";
    let token = combined::signed_in(&world, NURSE).await.refresh_token;
    PERIOD_IS_OVER.assert(&world, &refresh_with(&world, &token, window, "0").await);
    world.advance(600);
    PERIOD_IS_OVER.assert(&world, &refresh_with(&world, &token, window, "600000").await);

    let reply = refresh_with(&world, &token, window, "1200000").await;
    let expires_in: u64 = text(&reply, "refresh_token_expires_in").parse().unwrap();
    assert!((550..=599).contains(&expires_in), "{expires_in}");
    let token = text(&reply, "refresh_token");
    let reply = refresh_with(&world, &token, window, "99999999999").await;
    let expires_in: u64 = text(&reply, "refresh_token_expires_in").parse().unwrap();
    assert!((42_500..=42_599).contains(&expires_in), "{expires_in}");
}

#[tokio::test]
async fn an_expired_token_is_told_from_one_that_never_was() {
    let world = combined::world().await;
    let token = combined::signed_in(&world, PATIENT).await.refresh_token;
    world.advance(PATIENT.window_s);
    for _ in 0..2 {
        PERIOD_IS_OVER.assert(&world, &combined::refresh(&world, &token).await);
    }
    INVALID.assert(&world, &combined::refresh(&world, "never-was").await);
}

#[tokio::test]
async fn what_a_token_exchange_gave_is_refreshed_with_the_client_secret() {
    let it = Trusting::new(combined::app()).await;
    for person in [NURSE, PATIENT] {
        let window_s = person.window_s;
        let subject = match person.scope {
            "nhs-login" => it.nhs_login_id_token(),
            _ => it.cis2_id_token(),
        };
        let exchanged = Exchange::new(&it.world, subject).send(&it.world).await;
        let mut token = text(&exchanged, "refresh_token");
        let mut by_assertion = crate::world::form("").to_vec();
        by_assertion[0] = ("grant_type", "refresh_token");
        let signed = it.world.assertion().sign(crate::key::Key::usual());
        by_assertion[2].1 = &signed;
        by_assertion
            .extend([("client_id", it.world.app.api_key()), ("refresh_token", token.as_str())]);
        let reply = it.world.post(&by_assertion).await;
        assert_eq!((reply.status, it.world.rule()), (401, "F7"), "no assertion will do");
        for count in ["1", "2"] {
            it.world.advance(window_s / 4);
            let reply = combined::refresh(&it.world, &token).await;
            assert_eq!(text(&reply, "refresh_count"), count);
            assert_eq!(text(&reply, "expires_in"), "599");
            let access_token = text(&reply, "access_token");
            assert_eq!(it.world.call(USER, &access_token).await.status, 200);
            INVALID.assert(&it.world, &combined::refresh(&it.world, &token).await);
            token = text(&reply, "refresh_token");
        }
        it.world.advance(window_s / 2);
        PERIOD_IS_OVER.assert(&it.world, &combined::refresh(&it.world, &token).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_those_who_refresh_at_once_one_gets_tokens() {
    let world = client_rows::world().await;
    let mut token = combined::signed_in(&world, NURSE).await.refresh_token;
    for _ in 0..300 {
        let replies = tokio::join!(
            combined::refresh(&world, &token),
            combined::refresh(&world, &token),
            combined::refresh(&world, &token),
            combined::refresh(&world, &token)
        );
        let replies = [replies.0, replies.1, replies.2, replies.3];
        let (won, lost): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 200);
        assert_eq!(won.len(), 1);
        for reply in lost {
            INVALID.assert_answer(reply);
        }
        token = text(won[0], "refresh_token");
    }
}
