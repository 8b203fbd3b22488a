//! The providers' key sets as the platform keeps them: a day, and fetched again for a `kid` that
//! it doesn't know.

use nhs_auth_mock::{Fault, FaultKind, NewApp, NewIdToken};
use serde_json::json;

use crate::assertion::KID;
use crate::exchange::Exchange;
use crate::jwt::Jwt;
use crate::key::Key;
use crate::provider::Trusting;
use crate::refusal::Refusal;
use crate::world::World;

const DAY_S: u64 = 86_400;

const UNKNOWN_KID: Refusal = Refusal::new(
    "S13",
    401,
    "invalid_request",
    "Invalid 'kid' header in subject_token JWT - no matching public key",
);

async fn trusting() -> Trusting {
    Trusting::new(NewApp::new("test").jwks(Key::usual().jwks(KID))).await
}

/// A CIS2 token that won't expire while a test moves the clock.
fn long_lived(it: &Trusting) -> Jwt {
    it.cis2_id_token().claim("exp", 32_503_680_000_i64)
}

/// The rule that an exchange meets.
async fn rule(it: &Trusting, token: &Jwt, key: &'static Key) -> &'static str {
    Exchange::new(&it.world, token.clone()).subject_by(key).send(&it.world).await;
    it.world.rule()
}

#[tokio::test]
async fn a_key_set_is_kept_for_a_day_for_each_provider() {
    let it = trusting().await;
    let token = long_lived(&it);
    for _ in 0..3 {
        assert_eq!(rule(&it, &token, Key::provider()).await, "none");
    }
    assert_eq!((it.cis2.site.hits(), it.nhs_login.site.hits()), (1, 0));
    it.world.advance(DAY_S - 5);
    assert_eq!(rule(&it, &token, Key::provider()).await, "none");
    assert_eq!(it.cis2.site.hits(), 1);
    it.world.advance(5);
    assert_eq!(rule(&it, &token, Key::provider()).await, "none");
    assert_eq!(it.cis2.site.hits(), 2);
    assert_eq!(rule(&it, &it.nhs_login_id_token(), Key::provider()).await, "none");
    assert_eq!((it.cis2.site.hits(), it.nhs_login.site.hits()), (2, 1));
}

#[tokio::test]
async fn an_unknown_kid_is_looked_for_each_time() {
    let it = trusting().await;
    let unknown = long_lived(&it).header("kid", "provider-2");
    for hits in 1..=3 {
        let reply = Exchange::new(&it.world, unknown.clone()).send(&it.world).await;
        UNKNOWN_KID.assert(&it.world, &reply);
        assert_eq!(it.cis2.site.hits(), hits);
    }
}

#[tokio::test]
async fn after_a_rotation_the_new_key_is_seen_at_once() {
    let it = trusting().await;
    let (old, new) = (long_lived(&it), long_lived(&it).header("kid", "provider-2"));
    assert_eq!(rule(&it, &old, Key::provider()).await, "none");
    it.cis2.site.serve("200 OK", &Key::other().jwks("provider-2"));
    // As long as nobody brings a token of the new key, the copy of the old set is good.
    assert_eq!(rule(&it, &old, Key::provider()).await, "none");
    assert_eq!(it.cis2.site.hits(), 1);
    assert_eq!(rule(&it, &new, Key::other()).await, "none");
    assert_eq!(it.cis2.site.hits(), 2);
}

#[tokio::test]
async fn an_old_key_is_gone_when_the_day_is_over() {
    let it = trusting().await;
    let old = long_lived(&it);
    assert_eq!(rule(&it, &old, Key::provider()).await, "none");
    it.cis2.site.serve("200 OK", &Key::other().jwks("provider-2"));
    it.world.advance(DAY_S - 5);
    assert_eq!(rule(&it, &old, Key::provider()).await, "none");
    it.world.advance(5);
    let reply = Exchange::new(&it.world, old).send(&it.world).await;
    UNKNOWN_KID.assert(&it.world, &reply);
}

#[tokio::test]
async fn a_key_changed_under_its_name_is_not_seen_before_the_day_is_over() {
    let it = trusting().await;
    let token = long_lived(&it);
    assert_eq!(rule(&it, &token, Key::provider()).await, "none");
    it.cis2.site.serve("200 OK", &Key::other().jwks(crate::id_token::PROVIDER_KID));
    assert_eq!(rule(&it, &token, Key::other()).await, "S14");
    it.world.advance(DAY_S);
    assert_eq!(rule(&it, &token, Key::other()).await, "none");
}

#[tokio::test]
async fn what_can_not_be_fetched_is_an_unknown_error_and_not_kept() {
    let it = trusting().await;
    let token = long_lived(&it);
    let keys = Key::provider().jwks(crate::id_token::PROVIDER_KID);
    for status in ["503 Service Unavailable", "404 Not Found", "302 Found"] {
        it.cis2.site.serve(status, &keys);
        let reply = Exchange::new(&it.world, token.clone()).send(&it.world).await;
        Refusal::unknown_error("S12").assert(&it.world, &reply);
    }
    it.cis2.site.serve("200 OK", &keys);
    assert_eq!(rule(&it, &token, Key::provider()).await, "none");
    // What was fetched once stays good while the provider is away.
    it.cis2.site.serve("503 Service Unavailable", "");
    assert_eq!(rule(&it, &token, Key::provider()).await, "none");
    it.world.advance(DAY_S);
    assert_eq!(rule(&it, &token, Key::provider()).await, "S12");
}

#[tokio::test]
async fn the_boxs_own_providers_change_their_keys_by_a_fault() {
    let app = NewApp::new("test").jwks(Key::usual().jwks(KID));
    let world = World::with_app(app).await;
    let exp = json!(32_503_680_000_i64);
    for (token, key_set) in [
        (NewIdToken::cis2(), world.platform.cis2_url() + "/connect/jwk_uri"),
        (NewIdToken::nhs_login(), world.platform.nhs_login_url() + "/.well-known/jwks.json"),
    ] {
        let token = token.claim("exp", exp.clone());
        let exchanged = async |id_token: &str| {
            let subject = Jwt::new(json!({}), json!({}));
            let exchange = Exchange::new(&world, subject).with("subject_token", id_token);
            exchange.send(&world).await;
            world.rule()
        };
        let old = world.platform.id_token(&token).unwrap();
        assert_eq!(exchanged(&old).await, "none");
        let path = key_set.strip_prefix(&world.platform.base_url()).unwrap();
        let before = world.get(path, &[]).await;
        world.platform.add_fault(Fault::new(FaultKind::RotatedProviderKeys).times(1));
        let after = world.get(path, &[]).await;
        assert_eq!(world.latest().fault, Some("rotated-provider-keys"));
        assert_ne!(before.json()["keys"][0]["kid"], after.json()["keys"][0]["kid"]);
        assert_eq!(world.get(path, &[]).await.text(), after.text(), "it was one request's fault");

        assert_eq!(exchanged(&old).await, "none", "the platform still has the old key");
        let new = world.platform.id_token(&token).unwrap();
        assert_eq!(exchanged(&new).await, "none", "and looks for the new one");
        world.advance(DAY_S);
        assert_eq!(exchanged(&old).await, "S13");
        assert_eq!(exchanged(&new).await, "none");
    }
}
