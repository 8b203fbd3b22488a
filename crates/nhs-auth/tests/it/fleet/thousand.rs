//! A thousand instances, and what they ask for: the numbers of `docs/concepts/fleets.md`.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::store::Fault;
use super::world::World;

const INSTANCES: u32 = 1000;

/// All instances at work: each calls every five seconds, and no call fails.
async fn work_for(world: &Arc<World>, instances: u32, time: Duration) {
    let until = Instant::now() + time;
    let mut at_work = JoinSet::new();
    for number in 0..instances {
        let (world, source) = (world.clone(), world.instance());
        at_work.spawn(async move {
            loop {
                let token = source.token().await.unwrap();
                assert!(world.platform.takes(token.expose()), "instance {number}");
                let pause = Duration::from_millis(4500 + u64::from(number % 1000));
                if Instant::now() + pause >= until {
                    return;
                }
                sleep(pause).await;
            }
        });
    }
    at_work.join_all().await;
}

#[tokio::test(start_paused = true)]
async fn an_hour_of_a_thousand_instances_makes_eight_requests() {
    let world = Arc::new(World::new());
    work_for(&world, INSTANCES, Duration::from_secs(10)).await;
    assert_eq!(world.platform.requests(), 1, "they all began at once");
    let (began, most) = (world.store.asked(), world.store.most_a_second());
    println!("start: {began:?}, {} in all, {most} in the first second", began.total());
    assert!(began.total() < 8 * INSTANCES as usize, "{began:?}");

    let world = Arc::new(World::new());
    work_for(&world, INSTANCES, Duration::from_hours(1)).await;
    let (asked, requests) = (world.store.asked(), world.platform.requests());
    println!("hour: {requests} requests, {asked:?}, {} in all", asked.total());
    assert!((7..=8).contains(&requests), "{requests}");
    assert_eq!(world.platform.most_under_way(), 1);
    // One look for each token and instance, and what the start took.
    assert!(asked.load < 16 * INSTANCES as usize, "{asked:?}");
    assert!(asked.total() < 20 * INSTANCES as usize, "{asked:?}");
    assert!(asked.save <= 10, "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_spreads_over_the_instances_own_moments() {
    let world = Arc::new(World::new());
    let instances: Vec<_> = (0..INSTANCES).map(|_| world.instance()).collect();
    let mut first = JoinSet::new();
    for source in instances.clone() {
        first.spawn(async move { source.token().await.unwrap() });
    }
    first.join_all().await;
    sleep(Duration::from_mins(1)).await;
    world.store.forget_counts();
    let mut busiest = 0;
    for _ in 60..520 {
        let before = world.store.asked().total();
        for source in &instances {
            source.token().await.unwrap();
        }
        sleep(Duration::from_secs(1)).await;
        busiest = busiest.max(world.store.asked().total() - before);
    }
    let asked = world.store.asked();
    println!("one renewal: {asked:?}, {} in all, {busiest} in its busiest second", asked.total());
    assert_eq!(world.platform.requests(), 2);
    assert!(asked.total() < 2 * INSTANCES as usize, "{asked:?}");
    // 1,000 over the 24 s of jitter are 42 a second.
    assert!(busiest < 150, "{busiest}");
}

#[tokio::test(start_paused = true)]
async fn without_the_store_each_instance_asks_once_a_lifetime() {
    let world = Arc::new(World::new());
    world.store.be(Fault::Away);
    work_for(&world, 50, Duration::from_hours(1)).await;
    let requests = world.platform.requests();
    println!("50 instances without the store: {requests} requests in an hour");
    assert!((50 * 7..=50 * 8).contains(&requests), "{requests}");
    // Whether it is back is asked once a minute or so.
    let asked = world.store.asked();
    println!("and {asked:?}");
    assert!(asked.total() < 50 * 150, "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn a_start_without_the_store_takes_as_long_as_the_limit_makes_it() {
    let world = Arc::new(World::new());
    world.platform.limit();
    world.store.be(Fault::Away);
    let mut starting = JoinSet::new();
    for _ in 0..INSTANCES {
        let source = world.instance();
        starting.spawn(async move {
            while source.token().await.is_err() {
                sleep(Duration::from_secs(1)).await;
            }
        });
    }
    let began = Instant::now();
    starting.join_all().await;
    let requests = world.platform.requests();
    println!("a start without the store: {:?}, {requests} requests", began.elapsed());
    assert!(began.elapsed() < Duration::from_mins(5), "{:?}", began.elapsed());
    assert!(requests < 6 * INSTANCES as usize, "{requests}");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_without_the_store_fits_the_limit_nearly() {
    let world = Arc::new(World::new());
    let instances: Vec<_> = (0..INSTANCES).map(|_| world.instance()).collect();
    for source in &instances {
        source.token().await.unwrap();
    }
    world.platform.limit();
    world.store.be(Fault::Away);
    let (mut failed, mut without) = (0, HashSet::new());
    for _ in 0..1800 {
        for (number, source) in instances.iter().enumerate() {
            if source.state().held.is_none() {
                without.insert(number);
            }
            failed += usize::from(source.token().await.is_err());
        }
        sleep(Duration::from_secs(1)).await;
    }
    let requests = world.platform.requests();
    let without = without.len();
    println!(
        "half an hour without the store: {requests} requests, {failed} calls failed, \
         {without} instances were without a token for a moment"
    );
    assert!(requests < 7 * INSTANCES as usize, "{requests}");
    // 300 a minute are fewer than 1,000 in the two minutes that are left of the token.
    assert!(without < INSTANCES as usize / 4, "{without}");
    assert!(failed < 2 * INSTANCES as usize, "{failed}");
}
