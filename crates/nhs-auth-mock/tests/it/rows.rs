//! Every row of the assertion's rules over the wire, and their order.

use nhs_auth_mock::{Fault, FaultKind, MockPlatform, NewApp};
use nhs_auth_rules::{ID_TOKEN_TYPE, explain};
use serde_json::json;

use crate::assertion::{Assertion, KID};
use crate::http::Reply;
use crate::key::Key;
use crate::world::{FORM, World, form};

/// The answer is the rule's to the letter, and the rule is on record.
fn assert_refused(world: &World, reply: &Reply, rule: &str) {
    let answer = explain(rule).unwrap().answer;
    assert_eq!(world.rule(), rule, "{}", reply.text());
    assert_eq!(reply.status, answer.status, "{rule}");
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.error(), (answer.error.to_owned(), answer.error_description.to_owned()));
    let latest = world.latest();
    assert_eq!(latest.status, answer.status);
    assert_eq!(latest.error.as_deref(), Some(answer.error));
    assert_eq!(latest.error_description.as_deref(), Some(answer.error_description));
    let message_id = reply.json()["message_id"].as_str().unwrap().to_owned();
    assert!(message_id.starts_with("rrt-"), "{message_id}");
    assert_eq!(latest.message_id, Some(message_id));
}

#[tokio::test]
async fn each_row_that_a_form_breaks() {
    let world = World::new().await;
    let good = world.assertion().sign(Key::usual());
    let with = |name, value| {
        let mut form = form(&good).to_vec();
        form.retain(|(other, _)| *other != name);
        form.push((name, value));
        form
    };
    let without = |name| {
        let mut form = form(&good).to_vec();
        form.retain(|(other, _)| *other != name);
        form
    };
    for (form, rule) in [
        (with("client_assertion_type", "jwt-bearer"), "A1"),
        (without("client_assertion_type"), "A1"),
        (with("subject_token_type", ID_TOKEN_TYPE), "A1b"),
        (without("client_assertion"), "A2"),
        (with("client_assertion", "not a JWT"), "A3"),
        (with("client_assertion", ""), "A3"),
        (with("grant_type", "password"), "R7"),
        (without("grant_type"), "R7b"),
        (with("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"), "R6"),
    ] {
        assert_refused(&world, &world.post(&form).await, rule);
    }
    assert_eq!(world.present(&good).await.status, 200, "nothing was burnt");
}

#[tokio::test]
async fn each_row_that_a_claim_breaks() {
    let world = World::new().await;
    let now = world.platform.now().0 / 1000;
    let good = || world.assertion();
    let cases: Vec<(Assertion, &str)> = vec![
        (good().header("alg", "RS256"), "A4"),
        (good().without_header("alg"), "A4"),
        (good().claim("exp", now - 2), "A5"),
        (good().claim("exp", json!(null)), "A5"),
        (good().without_header("kid"), "A6"),
        (good().header("kid", ""), "A6"),
        (good().without_header("typ"), "A7"),
        (good().header("typ", "at+jwt"), "A7"),
        (good().without_claim("exp"), "A8"),
        (good().claim("exp", (now + 150).to_string()), "A9"),
        (good().claim("iss", "another"), "A10"),
        (good().without_claim("sub"), "A10"),
        (good().without_claim("jti"), "A11"),
        (good().claim("jti", 7), "A12"),
        (good().claim("exp", now + 320), "A14"),
        (good().claim("exp", (now + 150) * 1000), "A14"),
        (
            good()
                .claim("iss", world.app.application_id())
                .claim("sub", world.app.application_id()),
            "A15",
        ),
        (good().header("kid", "Test-1"), "A19"),
        (good().claim("nbf", now + 60), "A20b"),
        (good().without_claim("aud"), "A21"),
        (good().claim("aud", "https://int.api.service.nhs.uk/oauth2/token"), "A21"),
    ];
    for (assertion, rule) in cases {
        assert_refused(&world, &world.ask(assertion).await, rule);
    }
}

#[tokio::test]
async fn each_row_that_the_application_breaks() {
    let new = || NewApp::new("test").jwks(Key::usual().jwks(KID));
    for (app, rule) in [
        (new().approved(false), "A15b"),
        (new().company_active(false), "A15b"),
        (new().developer_active(false), "A15b"),
        (new().not_subscribed(), "A15b"),
        (new().rate_limit(0), "A16"),
        (NewApp::new("test"), "A17"),
        (new().jwks_url("https://example.org"), "A18"),
        (new().jwks("{}"), "A19"),
        (new().jwks("not JSON"), "A19"),
        (new().jwks(Key::other().jwks(KID)), "A20"),
        (new().scopes::<&str>([]), "A22"),
        (new().scopes(["urn:nhsd:apim:app:level0:hello-world"]), "A22"),
    ] {
        let world = World::with_app(app).await;
        let reply = world.ask(world.assertion()).await;
        assert_refused(&world, &reply, rule);
        let id = world.app.application_id().to_owned();
        assert_eq!(world.latest().application_id, Some(id), "{rule}");
    }
}

#[tokio::test]
async fn a_damaged_signature_and_a_key_that_is_none_fail_row_20() {
    let world = World::new().await;
    let signed = world.assertion().sign(Key::usual());
    let (message, signature) = signed.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { "B" } else { "A" };
    let damaged = format!("{message}.{first}{}", &signature[1..]);
    assert_refused(&world, &world.present(&damaged).await, "A20");

    for broken in [
        json!({"kty": "RSA", "kid": KID}),
        json!({"kty": "RSA", "kid": KID, "n": "", "e": "AQAB"}),
        json!({"kty": "RSA", "kid": KID, "n": "AAAA", "e": ""}),
        json!({"kty": "EC", "kid": KID, "crv": "P-256", "x": "AA", "y": "AA"}),
    ] {
        let document = json!({"keys": [broken]}).to_string();
        let world = World::with_app(NewApp::new("test").jwks(document)).await;
        let reply = world.ask(world.assertion()).await;
        assert_refused(&world, &reply, "A20");
    }
}

#[tokio::test]
async fn a_key_of_4096_bits_and_one_of_several_are_good() {
    let keys = json!({"keys": [
        Key::other().jwk("other"),
        "not a key",
        Key::of_4096_bits().jwk(KID),
    ]});
    let world = World::with_app(NewApp::new("test").jwks(keys.to_string())).await;
    let assertion = world.assertion();
    let reply = world.present(&assertion.sign(Key::of_4096_bits())).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let other = world.assertion().header("kid", "other");
    assert_eq!(world.present(&other.sign(Key::other())).await.status, 200);
}

#[tokio::test]
async fn of_two_faults_the_earlier_answers() {
    let world = World::new().await;
    let now = world.platform.now().0 / 1000;
    let good = || world.assertion();
    let cases: Vec<(Assertion, &str)> = vec![
        (good().header("alg", "none").claim("exp", 0), "A4"),
        (good().claim("exp", 0).without_header("kid"), "A5"),
        (good().without_header("kid").without_header("typ"), "A6"),
        (good().without_header("typ").without_claim("exp"), "A7"),
        (good().without_claim("exp").without_claim("iss"), "A8"),
        (good().without_claim("iss").without_claim("jti"), "A10"),
        (good().claim("jti", 0).claim("exp", now + 999), "A11"),
        (good().claim("jti", 5).claim("exp", now + 999), "A12"),
        (good().claim("exp", now + 999).claim("sub", "x").claim("iss", "x"), "A14"),
        (good().claim("sub", "x").claim("iss", "x").header("kid", "x"), "A15"),
        (good().header("kid", "x").claim("aud", "x"), "A19"),
        (good().claim("nbf", now + 60).claim("aud", "x"), "A20b"),
    ];
    for (assertion, rule) in cases {
        assert_refused(&world, &world.ask(assertion).await, rule);
    }
    let forged = world.assertion().claim("aud", "x").sign(Key::other());
    assert_refused(&world, &world.present(&forged).await, "A20");
}

#[tokio::test]
async fn a_failure_beyond_row_14_burns_the_jti_and_one_before_does_not() {
    let world = World::new().await;
    let now = world.platform.now().0 / 1000;

    // Row 14 refuses, and the jti stays good.
    let early = world.assertion();
    let reply = world.ask(early.clone().claim("exp", now + 999)).await;
    assert_refused(&world, &reply, "A14");
    assert_eq!(world.ask(early.clone()).await.status, 200);
    assert_refused(&world, &world.ask(early).await, "A13");

    // The rows behind it burn, the wrong key, the wrong signature and the wrong audience alike.
    for (late, rule) in [
        (world.assertion().header("kid", "x"), "A19"),
        (world.assertion().claim("aud", "x"), "A21"),
    ] {
        let jti = late.jti();
        assert_refused(&world, &world.ask(late).await, rule);
        assert_eq!(world.latest().jti.as_deref(), Some(jti.as_str()));
        let again = world.assertion().claim("jti", jti);
        assert_refused(&world, &world.ask(again).await, "A13");
    }
}

#[tokio::test]
async fn an_unknown_clients_jti_is_burnt_under_its_own_name() {
    let world = World::new().await;
    let stranger = world.assertion().claim("iss", "x").claim("sub", "x");
    let jti = stranger.jti();
    assert_refused(&world, &world.ask(stranger.clone()).await, "A15");
    assert_refused(&world, &world.ask(stranger).await, "A13");
    let own = world.assertion().claim("jti", jti);
    assert_eq!(world.ask(own).await.status, 200);
}

#[tokio::test]
async fn a_jti_is_forgotten_after_thirty_days() {
    let world = World::new().await;
    let jti = world.assertion().jti();
    let again = |world: &World| world.assertion().claim("jti", jti.clone());
    assert_eq!(world.ask(again(&world)).await.status, 200);
    world.advance(30 * 24 * 3600 - 60);
    assert_refused(&world, &world.ask(again(&world)).await, "A13");
    world.advance(60);
    assert_eq!(world.ask(again(&world)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_requests_at_once_with_one_jti_one_passes() {
    let world = World::new().await;
    for _ in 0..10 {
        let signed = world.assertion().sign(Key::usual());
        let form = form(&signed);
        let replies = tokio::join!(
            world.post(&form),
            world.post(&form),
            world.post(&form),
            world.post(&form)
        );
        let statuses = [replies.0, replies.1, replies.2, replies.3].map(|reply| reply.status);
        let passed = statuses.iter().filter(|status| **status == 200).count();
        assert_eq!(passed, 1, "{statuses:?}");
    }
}

#[tokio::test]
async fn the_audience_is_the_url_as_it_was_called() {
    let world = World::new().await;
    let host = world.platform.base_url().replace("127.0.0.1", "localhost");
    let authority = host.strip_prefix("http://").unwrap();
    let url = format!("{host}/oauth2-mock/token");
    let signed = world.assertion().claim("aud", url.clone()).sign(Key::usual());
    let body = crate::world::encoded(&form(&signed));
    let headers = [FORM, ("Host", authority)];
    let reply = world.send("POST", "/oauth2-mock/token?x=y", &headers, body.as_bytes()).await;
    assert_eq!(reply.status, 200, "{}", reply.text());

    let several = world.assertion().claim("aud", json!(["x", world.platform.token_url()]));
    assert_eq!(world.ask(several).await.status, 200);
    let other = world.assertion().claim("aud", url);
    assert_refused(&world, &world.ask(other).await, "A21");
}

#[tokio::test]
async fn the_platforms_clock_decides() {
    let builder = MockPlatform::builder().clock_offset_ms(86_400_000);
    let world = World::with(builder).await;
    assert_eq!(world.ask(world.assertion()).await.status, 200);
    let now = world.platform.now().0 / 1000 - 86_400;
    let behind = world.assertion().claim("exp", now + 150);
    assert_refused(&world, &world.ask(behind).await, "A5");

    world.platform.add_fault(Fault::clock_off_by_ms(-86_400_000));
    let behind = world.assertion().claim("exp", now + 150);
    assert_eq!(world.ask(behind).await.status, 200);
    world.platform.clear_faults();
    world.platform.add_fault(Fault::new(FaultKind::UnreachableJwks));
    let reply = world.ask(world.assertion()).await;
    assert_refused(&world, &reply, "A18");
}
