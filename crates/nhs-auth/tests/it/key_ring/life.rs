//! A key's life, step by step.

use std::time::Duration;

use nhs_auth::{
    Clock as _, Due, KeyRingError, Kid, LeakedKey, Moment, PublishTo, RingContent, Rotation,
    RotationOrders, Step, UnixSeconds,
};
use nhs_auth_rules::rotation::{
    BEFORE_REMOVAL_OF_A_LEAKED_KEY_S, BEFORE_REMOVAL_S, Freshness, REGISTERED_URL_CACHE_S,
};

use super::world::World;

const HOUR_AND_MORE: i64 = Freshness::KnownUrl.before_signing_s();

fn kid(name: &str) -> Kid {
    Kid::parse(name).unwrap()
}

fn seconds(seconds: i64) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap())
}

/// Each key with its state, as in `int-1 active`.
fn states(content: &RingContent) -> Vec<String> {
    content.keys().iter().map(|key| format!("{} {}", key.kid, key.state)).collect()
}

async fn rotate(world: &World, orders: &RotationOrders) -> Rotation {
    world.ring.rotate(orders, Some(&world.page)).await.unwrap()
}

async fn nothing_ordered(world: &World) -> Rotation {
    rotate(world, &RotationOrders::default()).await
}

const START: RotationOrders =
    RotationOrders { start: true, kid: None, leaked: None, new_url: false };
const LEAKED: RotationOrders =
    RotationOrders { start: false, kid: None, leaked: Some(LeakedKey::Active), new_url: false };

#[tokio::test]
async fn a_key_is_announced_active_retiring_and_retired() {
    let world = World::new();
    world.ring.create(World::settings(PublishTo::Served)).await.unwrap();
    let first = nothing_ordered(&world).await;
    assert_eq!(states(&first.content), ["int-1 active"]);

    // The same again does nothing, for 30 days.
    world.time.pass(Duration::from_hours(30 * 24) - Duration::from_secs(1));
    let idle = nothing_ordered(&world).await;
    assert!(idle.done.is_empty(), "{:?}", idle.done);
    assert_eq!(idle.due[0].step, Step::Announce);

    world.time.pass(Duration::from_secs(1));
    let begun = nothing_ordered(&world).await;
    assert_eq!(states(&begun.content), ["int-1 active", "int-2 announced"]);
    assert_eq!(begun.done, [(Step::Announce, Some(kid("int-2")))]);
    let activation = UnixSeconds(1_800_000_000 + 30 * 24 * 3600 + HOUR_AND_MORE);
    let [Due { step, at, .. }] = &begun.due[..] else { panic!("{:?}", begun.due) };
    assert_eq!((step, *at), (&Step::Activate(kid("int-2")), activation));

    world.time.pass(seconds(HOUR_AND_MORE - 1));
    assert!(nothing_ordered(&world).await.done.is_empty());
    world.time.pass(Duration::from_secs(1));
    let changed = nothing_ordered(&world).await;
    assert_eq!(states(&changed.content), ["int-1 retiring", "int-2 active"]);
    assert_eq!(changed.content.key_set().keys().len(), 2);

    world.time.pass(seconds(BEFORE_REMOVAL_S - 1));
    assert!(nothing_ordered(&world).await.done.is_empty());
    world.time.pass(Duration::from_secs(1));
    let over = nothing_ordered(&world).await;
    assert_eq!(states(&over.content), ["int-1 retired", "int-2 active"]);
    assert_eq!(over.content.key_set().keys().len(), 1);
}

#[tokio::test]
async fn a_person_can_begin_at_any_time_and_twice_is_once() {
    let world = World::new();
    world.ring.create(World::settings(PublishTo::Served)).await.unwrap();
    nothing_ordered(&world).await;
    assert_eq!(rotate(&world, &START).await.done.len(), 1);
    assert!(rotate(&world, &START).await.done.is_empty());
}

#[tokio::test]
async fn a_clock_set_forward_makes_no_key_sign_early() {
    let world = World::new();
    world.ring.create(World::settings(PublishTo::Served)).await.unwrap();
    nothing_ordered(&world).await;
    rotate(&world, &START).await;
    world.time.set_wrong_by(7 * 24 * 3600);
    assert!(nothing_ordered(&world).await.done.is_empty());
    world.time.pass(seconds(HOUR_AND_MORE));
    assert_eq!(
        nothing_ordered(&world).await.done,
        [(Step::Activate(kid("int-2")), Some(kid("int-2")))]
    );
}

#[tokio::test]
async fn what_is_not_published_does_not_sign() {
    let world = World::new();
    let elsewhere = PublishTo::Location("s3://bucket/jwks.json".to_owned());
    world.ring.create(World::settings(elsewhere)).await.unwrap();
    world.page.doom(super::world::Fate::Before);
    let orders = RotationOrders::default();
    let error = world.ring.rotate(&orders, Some(&world.page)).await.unwrap_err();
    assert!(matches!(error, KeyRingError::Publish { .. }), "{error}");
    assert_eq!(states(&world.ring.content().await.unwrap()), ["int-1 announced"]);

    // The next run goes on from there.
    let next = nothing_ordered(&world).await;
    assert_eq!(next.done[0].0, Step::Publish);
    assert_eq!(states(&next.content), ["int-1 active"]);
    let shown = world.page.shown.lock().unwrap().clone();
    assert_eq!(shown.unwrap(), next.content.key_set().to_json());
}

#[tokio::test]
async fn what_is_published_by_hand_waits_for_the_hand() {
    let world = World::new();
    world.ring.create(World::settings(PublishTo::Echo)).await.unwrap();
    let orders = RotationOrders::default();
    let first = world.ring.rotate(&orders, None).await.unwrap();
    assert_eq!(states(&first.content), ["int-1 announced"]);
    assert_eq!(first.due[0].step, Step::Publish);

    world.ring.published_by_hand(&first.content.mark()).await.unwrap();
    world.ring.rotate(&orders, None).await.unwrap();
    let begun = world.ring.rotate(&START, None).await.unwrap();
    assert_eq!(states(&begun.content), ["int-1 active", "int-2 announced"]);

    // The mark of a set that is not the ring's any more says nothing about the one that is.
    let error = world.ring.published_by_hand(&first.content.mark()).await.unwrap_err();
    assert!(matches!(error, KeyRingError::OtherKeySet { .. }), "{error}");

    // At a URL of its own, minutes are enough.
    world.time.pass(Duration::from_hours(3));
    assert!(world.ring.rotate(&orders, None).await.unwrap().done.is_empty());
    world.ring.published_by_hand(&begun.content.mark()).await.unwrap();
    world.time.pass(seconds(REGISTERED_URL_CACHE_S - 1));
    assert!(world.ring.rotate(&orders, None).await.unwrap().done.is_empty());
    world.time.pass(Duration::from_secs(1));
    let changed = world.ring.rotate(&orders, None).await.unwrap();
    assert_eq!(states(&changed.content), ["int-1 retiring", "int-2 active"]);
}

#[tokio::test]
async fn a_leaked_key_leaves_as_soon_as_may_be() {
    let world = World::new();
    world.ring.create(World::settings(PublishTo::Served)).await.unwrap();
    nothing_ordered(&world).await;
    let leaked = rotate(&world, &LEAKED).await;
    assert_eq!(states(&leaked.content), ["int-1 active", "int-2 announced"]);

    // At a URL that the platform knows, nothing makes its hour shorter.
    world.time.pass(seconds(HOUR_AND_MORE - 1));
    assert!(nothing_ordered(&world).await.done.is_empty());
    world.time.pass(Duration::from_secs(1));
    assert_eq!(nothing_ordered(&world).await.done.len(), 1);
    // To say it again is not to say it of the key that has taken its place.
    let again = rotate(&world, &LEAKED).await;
    assert!(again.done.is_empty() && !again.content.active().unwrap().leaked);
    world.time.pass(seconds(BEFORE_REMOVAL_OF_A_LEAKED_KEY_S));
    assert_eq!(states(&nothing_ordered(&world).await.content), ["int-1 retired", "int-2 active"]);
}

#[tokio::test]
async fn a_new_url_saves_the_hour() {
    let world = World::new();
    world.ring.create(World::settings(PublishTo::Served)).await.unwrap();
    nothing_ordered(&world).await;
    rotate(&world, &LEAKED).await;
    rotate(&world, &RotationOrders { new_url: true, ..RotationOrders::default() }).await;
    world.time.pass(seconds(REGISTERED_URL_CACHE_S));
    assert_eq!(states(&nothing_ordered(&world).await.content), ["int-1 retiring", "int-2 active"]);
}

#[tokio::test]
async fn another_place_is_published_anew() {
    let world = World::new();
    world.ring.create(World::settings(PublishTo::Served)).await.unwrap();
    nothing_ordered(&world).await;
    rotate(&world, &START).await;
    let elsewhere = PublishTo::Location("s3://bucket/jwks.json".to_owned());
    world.ring.set(|settings| settings.publish_to = elsewhere).await.unwrap();
    world.time.pass(Duration::from_hours(5));
    // It is published there only now, and waits from now on.
    assert_eq!(nothing_ordered(&world).await.done, [(Step::Publish, None)]);
    world.time.pass(seconds(HOUR_AND_MORE));
    assert_eq!(nothing_ordered(&world).await.done.len(), 1);
}

#[tokio::test]
async fn a_key_that_cannot_be_opened_does_not_become_active() {
    let world = World::new();
    world.ring.create(World::settings(PublishTo::Served)).await.unwrap();
    nothing_ordered(&world).await;
    rotate(&world, &START).await;
    world.time.pass(seconds(HOUR_AND_MORE));
    world.vault.is_out.store(true, std::sync::atomic::Ordering::SeqCst);
    let error = world.ring.rotate(&RotationOrders::default(), None).await.unwrap_err();
    assert!(error.is_passing(), "{error}");
    assert_eq!(states(&world.ring.content().await.unwrap()), ["int-1 active", "int-2 announced"]);
}

#[tokio::test]
async fn a_plan_is_what_then_happens() {
    let world = World::new();
    world.ring.create(World::settings(PublishTo::Location("a page".to_owned()))).await.unwrap();
    nothing_ordered(&world).await;
    let content = world.ring.content().await.unwrap();
    let plan = content.plan(&Moment::now(&*world.time));
    let steps: Vec<_> = plan.iter().map(|planned| &planned.step).collect();
    let (first, second) = (kid("int-1"), kid("int-2"));
    let expected = [
        &Step::Announce,
        &Step::Publish,
        &Step::Activate(second),
        &Step::Retire(first),
        &Step::Publish,
    ];
    assert_eq!(steps, expected);
    for planned in plan {
        let wait = planned.at.0 - world.time.now().to_seconds().0;
        if wait > 0 {
            world.time.pass(seconds(wait - 1));
            assert!(nothing_ordered(&world).await.done.is_empty(), "{planned:?}");
            world.time.pass(Duration::from_secs(1));
            assert_eq!(nothing_ordered(&world).await.done[0], (planned.step, planned.kid));
        }
    }
}

#[tokio::test]
async fn a_leaked_key_that_does_not_sign_yet_never_will() {
    let world = World::new();
    world.ring.create(World::settings(PublishTo::Served)).await.unwrap();
    nothing_ordered(&world).await;
    rotate(&world, &START).await;
    let leaked = Some(LeakedKey::Named(kid("int-2")));
    let rotation = rotate(&world, &RotationOrders { leaked, ..RotationOrders::default() }).await;
    assert_eq!(states(&rotation.content), ["int-1 active", "int-2 retired"]);
    let leaked = Some(LeakedKey::Named(kid("int-9")));
    let orders = RotationOrders { leaked, ..RotationOrders::default() };
    let error = world.ring.rotate(&orders, None).await.unwrap_err();
    assert!(error.to_string().ends_with("there is no key `int-9` in it"), "{error}");
}

#[tokio::test]
async fn what_is_gone_from_where_it_was_published_is_put_back_and_waits_anew() {
    let world = World::new();
    world.ring.create(World::settings(PublishTo::Location("a page".to_owned()))).await.unwrap();
    nothing_ordered(&world).await;
    let before = world.page.shown.lock().unwrap().clone();
    rotate(&world, &START).await;
    world.time.pass(seconds(HOUR_AND_MORE - 60));
    // A deployment puts the file of before back.
    *world.page.shown.lock().unwrap() = before;
    world.time.pass(seconds(60));
    assert!(nothing_ordered(&world).await.done.is_empty());
    let shown = world.page.shown.lock().unwrap().clone().unwrap();
    assert!(shown.contains("int-2"), "{shown}");
    world.time.pass(seconds(HOUR_AND_MORE));
    assert_eq!(nothing_ordered(&world).await.done.len(), 1);
}
