//! Signing with whichever key is active.

use std::sync::atomic::Ordering;
use std::time::Duration;

use nhs_auth::{
    ApiKey, Application, ClockSkew, FollowedKeyRing, OsEntropy, PublishTo, RotationOrders,
    SignError, TokenEndpoint,
};
use secrecy::ExposeSecret as _;

use super::world::World;

fn application(world: &World) -> Application {
    Application::following(
        TokenEndpoint::at("http://127.0.0.1:9", None).unwrap(),
        ApiKey::parse("abcdefghijklmnopqrstuvwxyz012345").unwrap(),
        FollowedKeyRing::new(world.ring.clone()),
    )
}

/// The kid with which the application signs now.
async fn kid(world: &World, application: &Application) -> Result<String, SignError> {
    let (skew, entropy) = (ClockSkew::default(), OsEntropy::default());
    let assertion = application.sign_assertion(&*world.time, skew, &entropy).await?;
    let compact = assertion.into_compact();
    let header = compact.expose_secret().split('.').next().unwrap().to_owned();
    Ok(base64_url(&header)["kid"].as_str().unwrap().to_owned())
}

fn base64_url(part: &str) -> serde_json::Value {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

async fn change_keys(world: &World) {
    for orders in [RotationOrders { start: true, ..Default::default() }, RotationOrders::default()]
    {
        world.ring.rotate(&orders, None).await.unwrap();
        world.time.pass(Duration::from_hours(2));
    }
}

#[tokio::test]
async fn the_next_key_signs_with_no_restart() {
    let world = World::new();
    world.ring.create(World::settings(PublishTo::Served)).await.unwrap();
    let application = application(&world);
    let none = kid(&world, &application).await.unwrap_err();
    assert!(none.to_string().contains("no key of the key ring a shelf signs yet"), "{none}");

    world.ring.rotate(&RotationOrders::default(), None).await.unwrap();
    assert_eq!(kid(&world, &application).await.unwrap(), "int-1");
    change_keys(&world).await;
    assert_eq!(kid(&world, &application).await.unwrap(), "int-2");
}

#[tokio::test]
async fn a_ring_that_cannot_be_read_stops_nobody() {
    let world = World::new();
    world.ring.create(World::settings(PublishTo::Served)).await.unwrap();
    world.ring.rotate(&RotationOrders::default(), None).await.unwrap();
    let application = application(&world);
    assert_eq!(kid(&world, &application).await.unwrap(), "int-1");
    world.shelf.is_unreadable.store(true, Ordering::SeqCst);
    assert_eq!(kid(&world, &application).await.unwrap(), "int-1");
}

#[tokio::test]
async fn a_next_key_that_cannot_be_opened_leaves_the_one_before() {
    let world = World::new();
    world.ring.create(World::settings(PublishTo::Served)).await.unwrap();
    world.ring.rotate(&RotationOrders::default(), None).await.unwrap();
    let application = application(&world);
    assert_eq!(kid(&world, &application).await.unwrap(), "int-1");
    change_keys(&world).await;
    world.vault.is_out.store(true, Ordering::SeqCst);
    assert_eq!(kid(&world, &application).await.unwrap(), "int-1");
    world.vault.is_out.store(false, Ordering::SeqCst);
    assert_eq!(kid(&world, &application).await.unwrap(), "int-2");
}

#[tokio::test]
async fn a_key_that_has_left_is_forgotten() {
    let world = World::new();
    world.ring.create(World::settings(PublishTo::Served)).await.unwrap();
    world.ring.rotate(&RotationOrders::default(), None).await.unwrap();
    let application = application(&world);
    assert_eq!(kid(&world, &application).await.unwrap(), "int-1");
    change_keys(&world).await;
    world.ring.rotate(&RotationOrders::default(), None).await.unwrap();
    // int-1 is gone, int-2 can't be opened, and then the ring can't be read either.
    world.vault.is_out.store(true, Ordering::SeqCst);
    kid(&world, &application).await.unwrap_err();
    world.shelf.is_unreadable.store(true, Ordering::SeqCst);
    kid(&world, &application).await.unwrap_err();
}
