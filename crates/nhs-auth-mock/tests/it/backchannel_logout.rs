//! `/backchannel_logout`: CIS2 ends a session.

use serde_json::{Map, Value, json};

use crate::combined::{self, NURSE, PATIENT, text};
use crate::exchange::Exchange;
use crate::http::Reply;
use crate::jwt::{self, Jwt};
use crate::key::Key;
use crate::refusal::Refusal;
use crate::world::World;

const LOGOUT: &str = "/oauth2/backchannel_logout";
const USER: &str = "/hello-world/hello/user";

const UNVERIFIED: &str = "Unable to verify JWT";
const NO_SESSION: Refusal = Refusal::new("L10", 501, "not_implemented", "SID not found");

/// A logout before it is sent.
#[derive(Clone)]
struct Logout {
    sid: String,
    claims: Map<String, Value>,
    /// What is done to the token afterwards, one after the other.
    spoil: Vec<fn(String) -> String>,
    is_left_out: bool,
}

impl Logout {
    fn of(sid: &str) -> Self {
        let (claims, spoil) = (Map::new(), Vec::new());
        Self { sid: sid.to_owned(), claims, spoil, is_left_out: false }
    }

    /// A claim in place of its own; null leaves it out.
    fn claim(&mut self, name: &str, value: Value) {
        self.claims.insert(name.to_owned(), value);
    }

    async fn send(self, world: &World) -> Reply {
        let body = json!({"sid": self.sid, "claims": self.claims});
        let made = world.control("POST", "/logout-tokens", &body).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let token = self.spoil.iter().fold(text(&made, "logout_token"), |it, spoil| spoil(it));
        let name = if self.is_left_out { "token" } else { "logout_token" };
        world.post_to(LOGOUT, &[(name, &token)]).await
    }
}

/// A row: what is answered, and what breaks it in a good request.
type Row = (Refusal, fn(&mut Logout));

/// The rows in the platform's order.
const ROWS: &[Row] = &[
    (Refusal::bad_request("L1", "Missing client_assertion"), |it| it.is_left_out = true),
    (Refusal::bad_request("L2", "Malformed JWT in logout_token"), |it| {
        it.spoil.push(|_| "not a JWT".to_owned());
    }),
    (Refusal::bad_request("L3", "Missing/invalid aud claim in JWT"), |it| {
        it.claim("aud", json!("000000000000.111111111111.apps.supplier"));
    }),
    (Refusal::bad_request("L4", "Missing/invalid iss claim in JWT"), |it| {
        it.claim("iss", json!("https://auth.login.nhs.uk"));
    }),
    (Refusal::bad_request("L5", "Missing sid claim in JWT"), |it| it.claim("sid", Value::Null)),
    (Refusal::bad_request("L6", "Missing/invalid events claim in JWT"), |it| {
        it.claim("events", json!({"http://schemas.openid.net/event/logout": {}}));
    }),
    (Refusal::bad_request("L7", "Prohibited nonce claim in JWT"), |it| {
        it.claim("nonce", json!("n-0S6"));
    }),
    (Refusal::new("L8", 400, "bad_request", UNVERIFIED), |it| {
        it.spoil.push(|token| Jwt::read(&token).header("kid", "unknown").sign(Key::other()));
    }),
    (Refusal::new("L9", 400, "bad_request", UNVERIFIED), |it| {
        it.spoil.push(|token| jwt::damaged(&token));
    }),
    (NO_SESSION, |it| it.claim("sid", json!("no-such-session"))),
];

#[tokio::test]
async fn each_row_alone_and_before_every_later_one() {
    let world = combined::world().await;
    let tokens = combined::signed_in(&world, NURSE).await;
    for (at, (earlier, spoil)) in ROWS.iter().enumerate() {
        let nothing: fn(&mut Logout) = |_| {};
        let later = ROWS[at + 1..].iter().map(|(later, spoil)| (later.rule, *spoil));
        for (later, spoil_too) in [("nothing", nothing)].into_iter().chain(later) {
            let mut logout = Logout::of(&tokens.sid);
            // The earlier fault last: it wins where both are of one value.
            spoil_too(&mut logout);
            spoil(&mut logout);
            let reply = logout.send(&world).await;
            assert_eq!(world.rule(), earlier.rule, "{later} hides it: {}", reply.text());
            earlier.assert(&world, &reply);
        }
    }
    assert_eq!(world.call(USER, &tokens.access_token).await.status, 200, "nothing has ended");
    assert_eq!(Logout::of(&tokens.sid).send(&world).await.status, 200);
}

#[tokio::test]
async fn what_a_claim_may_and_may_not_be() {
    let world = combined::world().await;
    let own = "123456789012.apps.national";
    let event = "http://schemas.openid.net/event/backchannel-logout";
    for (name, value, rule) in [
        ("aud", json!(null), "L3"),
        ("aud", json!([]), "L3"),
        ("aud", json!(["another", own]), "L3"),
        ("aud", json!([own, "another"]), "none"),
        ("iss", json!(null), "L4"),
        ("iss", json!(world.platform.nhs_login_url()), "L4"),
        ("sid", json!(null), "L5"),
        // The proxy asks whether it is there, and then finds no such session.
        ("sid", json!(""), "L10"),
        ("events", json!(null), "L6"),
        ("events", json!([event]), "L6"),
        ("events", json!(event), "L6"),
        ("events", json!({event: {"more": 1}}), "none"),
        ("exp", json!(null), "none"),
        ("sub", json!(null), "none"),
    ] {
        let tokens = combined::signed_in(&world, NURSE).await;
        let mut logout = Logout::of(&tokens.sid);
        logout.claim(name, value.clone());
        let reply = logout.send(&world).await;
        assert_eq!(world.rule(), rule, "{name} {value}: {}", reply.text());
        let goes_on = world.call(USER, &tokens.access_token).await.status == 200;
        assert_eq!(goes_on, rule != "none", "{name} {value}");
    }
}

#[tokio::test]
async fn a_signature_that_is_none_is_refused() {
    let world = combined::world().await;
    let tokens = combined::signed_in(&world, NURSE).await;
    let good = world.platform.logout_token(&tokens.sid);
    let (message, _) = good.rsplit_once('.').unwrap();
    for forged in [
        Jwt::read(&good).unsigned(),
        Jwt::read(&good).sign_hs256(&Key::other().pem()),
        Jwt::read(&good).without_header("kid").sign(Key::other()),
        Jwt::read(&good).without_header("alg").sign(Key::other()),
        Jwt::read(&good).sign(Key::other()),
        format!("{message}."),
    ] {
        let reply = world.post_to(LOGOUT, &[("logout_token", &forged)]).await;
        assert_eq!(reply.status, 400);
        assert_eq!(reply.error(), ("bad_request".to_owned(), UNVERIFIED.to_owned()));
    }
    assert_eq!(world.call(USER, &tokens.access_token).await.status, 200);
}

#[tokio::test]
async fn the_session_ends_and_no_other() {
    let world = combined::world().await;
    let ended = combined::signed_in(&world, NURSE).await;
    let other = combined::signed_in(&world, NURSE).await;
    let patient = combined::signed_in(&world, PATIENT).await;
    assert_ne!(ended.sid, other.sid);
    let exchanged = {
        let subject = Jwt::new(json!({}), json!({}));
        let id_token = world.platform.id_token(&nhs_auth_mock::NewIdToken::cis2()).unwrap();
        Exchange::new(&world, subject).with("subject_token", id_token).send(&world).await
    };
    let refreshed = combined::refresh(&world, &ended.refresh_token).await;

    let reply = Logout::of(&ended.sid).send(&world).await;
    assert_eq!((reply.status, reply.text()), (200, r#"{"success": true}"#));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let latest = world.latest();
    assert_eq!(latest.application_id.as_deref(), Some(world.app.application_id()));

    for access_token in [ended.access_token, text(&refreshed, "access_token")] {
        let reply = world.call(USER, &access_token).await;
        assert_eq!((reply.status, world.rule()), (401, "G2"));
    }
    let reply = combined::refresh(&world, &text(&refreshed, "refresh_token")).await;
    assert_eq!((reply.status, world.rule()), (401, "F11"));

    for access_token in
        [&other.access_token, &patient.access_token, &text(&exchanged, "access_token")]
    {
        assert_eq!(world.call(USER, access_token).await.status, 200);
    }
    for refresh_token in
        [&other.refresh_token, &patient.refresh_token, &text(&exchanged, "refresh_token")]
    {
        let reply = combined::refresh(&world, refresh_token).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    NO_SESSION.assert(&world, &Logout::of(&ended.sid).send(&world).await);
}
