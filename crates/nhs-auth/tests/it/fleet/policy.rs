//! Rule by rule.

use std::time::Duration;

use nhs_auth::{ApiKey, Application, Kid, RefusalBody, TokenEndpoint, TokenErrorKind, TokenSource};
use tokio::time::{Instant, advance, sleep};

use super::store::Fault;
use super::world::{SECRET, World};
use crate::log::logging_everything;
use crate::stand_ins::{AnySigner, application, application_named};

/// The longest that the store is waited for.
const WITHIN: Duration = Duration::from_millis(500);

async fn token(source: &TokenSource) -> String {
    source.token().await.unwrap().expose().to_owned()
}

/// Lets the background get on.
async fn a_moment() {
    sleep(Duration::from_millis(20)).await;
}

fn refused() -> TokenErrorKind {
    TokenErrorKind::Refused { status: 401, body: RefusalBody::default() }
}

#[tokio::test(start_paused = true)]
async fn instances_of_one_application_share_and_others_do_not() {
    let world = World::new();
    assert_eq!(token(&world.instance()).await, "token-1");
    assert_eq!(token(&world.instance()).await, "token-1");
    // In the midst of a rotation.
    let next_key = world.instance_with(0, &application_named("int-2"), SECRET);
    assert_eq!(token(&next_key).await, "token-1");

    let other_key = Application::new(
        application().endpoint().clone(),
        ApiKey::parse("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345").unwrap(),
        Kid::parse("int-1").unwrap(),
        AnySigner::new(),
    );
    assert_eq!(token(&world.instance_with(0, &other_key, SECRET)).await, "token-2");
    let elsewhere = Application::new(
        TokenEndpoint::at("http://127.0.0.1:10", None).unwrap(),
        application().api_key().clone(),
        Kid::parse("int-1").unwrap(),
        AnySigner::new(),
    );
    assert_eq!(token(&world.instance_with(0, &elsewhere, SECRET)).await, "token-3");
    let other_secret = "another secret, which other instances share";
    let other_fleet = || world.instance_with(0, &application(), other_secret);
    assert_eq!(token(&other_fleet()).await, "token-4");
    assert_eq!(token(&other_fleet()).await, "token-4");
    assert_eq!(token(&world.instance()).await, "token-1", "they are not in each other's way");

    for (name, content) in world.store.contents() {
        let kept = [name.to_string().as_bytes(), &content].concat();
        for text in ["token-", "abcdefgh", "ABCDEFGH"] {
            assert!(!kept.windows(text.len()).any(|it| it == text.as_bytes()), "{text}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn while_one_renews_the_others_go_on_with_what_they_have() {
    let world = World::new();
    let instances: Vec<_> = (0..20).map(|_| world.instance()).collect();
    for source in &instances {
        token(source).await;
    }
    // Longer than a lease lasts that nobody keeps up.
    world.platform.take(Duration::from_secs(25));
    sleep(Duration::from_mins(8)).await;
    for _ in 0..24 {
        for source in &instances {
            let asked_at = Instant::now();
            assert_eq!(token(source).await, "token-1");
            assert_eq!(asked_at.elapsed(), Duration::ZERO);
        }
        sleep(Duration::from_secs(1)).await;
    }
    sleep(Duration::from_secs(10)).await;
    for source in &instances {
        token(source).await;
        a_moment().await;
        assert_eq!(token(source).await, "token-2");
    }
    assert_eq!(world.platform.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn who_has_no_token_waits_for_the_one_that_asks() {
    let world = World::new();
    world.platform.take(Duration::from_secs(29));
    let began = Instant::now();
    let callers: Vec<_> = (0..50)
        .map(|_| {
            let source = world.instance();
            tokio::spawn(async move { token(&source).await })
        })
        .collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), "token-1");
    }
    assert_eq!(world.platform.requests(), 1);
    assert!(began.elapsed() < Duration::from_secs(31), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_ever_for_the_one_that_asks() {
    let world = World::new();
    world.platform.take(Duration::from_hours(1));
    let first = world.instance();
    let _first = tokio::spawn(async move { token(&first).await });
    sleep(Duration::from_secs(1)).await;
    world.platform.take(Duration::from_millis(300));
    let began = Instant::now();
    assert_eq!(token(&world.instance()).await, "token-2");
    let waited = began.elapsed().as_secs();
    assert!((34..=72).contains(&waited), "{waited} s");
}

#[tokio::test(start_paused = true)]
async fn the_lease_of_one_that_died_lapses() {
    let world = World::new();
    let source = world.instance();
    token(&source).await;
    let (name, _) = world.store.contents()[0];
    world.store.lose_all();
    world.store.lease_to_nobody(name, Duration::from_secs(8));
    let began = Instant::now();
    assert_eq!(token(&source).await, "token-1", "who has a token doesn't notice");
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert_eq!(token(&world.instance()).await, "token-2");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_token_that_should_be_renewed_serves_who_has_none() {
    let world = World::new();
    assert_eq!(token(&world.instance()).await, "token-1");
    world.platform.be_down_for(Duration::from_mins(1));
    sleep(Duration::from_secs(590)).await;
    let newcomer = world.instance();
    let began = Instant::now();
    assert_eq!(token(&newcomer).await, "token-1");
    assert!(began.elapsed() < Duration::from_millis(10), "{:?}", began.elapsed());
    sleep(Duration::from_secs(5)).await;
    token(&newcomer).await;
    a_moment().await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(token(&newcomer).await, "token-2", "and is renewed");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_slows_nobody_who_has_a_token_and_others_little() {
    for fault in [Fault::Away, Fault::Silent, Fault::Slow(Duration::from_mins(1))] {
        let world = World::new();
        let source = world.instance();
        token(&source).await;
        world.store.be(fault);
        for _ in 0..1200 {
            let began = Instant::now();
            token(&source).await;
            assert_eq!(began.elapsed(), Duration::ZERO, "{fault:?}");
            sleep(Duration::from_secs(1)).await;
        }
        let began = Instant::now();
        token(&world.instance()).await;
        let bound = WITHIN + Duration::from_millis(301);
        assert!(began.elapsed() <= bound, "{fault:?}: {:?}", began.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_loses_its_answers_costs_no_call() {
    let world = World::new();
    world.store.be(Fault::LosesAnswers);
    let source = world.instance();
    for _ in 0..1200 {
        assert!(world.platform.takes(&token(&source).await));
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(world.platform.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_comes_back_gets_the_token_that_there_is() {
    let world = World::new();
    world.store.be(Fault::Away);
    let instances = [world.instance(), world.instance(), world.instance()];
    for (number, source) in (1..).zip(&instances) {
        assert_eq!(token(source).await, format!("token-{number}"));
        sleep(Duration::from_secs(10)).await;
    }
    sleep(Duration::from_mins(2)).await;
    world.store.be(None);
    sleep(Duration::from_secs(61)).await;
    assert_eq!(token(&world.instance()).await, "token-3", "the newest of them");
    assert_eq!(world.platform.requests(), 3);
    // Those with an older one go over to it when theirs is due.
    sleep(Duration::from_secs(479 - 211)).await;
    for source in &instances {
        token(source).await;
        a_moment().await;
    }
    assert_eq!(token(&instances[0]).await, "token-3");
    assert_eq!(world.platform.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_has_lost_everything_costs_one_request() {
    let world = World::new();
    let first = world.instance();
    token(&first).await;
    world.store.lose_all();
    assert_eq!(token(&world.instance()).await, "token-2");
    assert_eq!(token(&world.instance()).await, "token-2");
    assert_eq!(token(&first).await, "token-1");
    assert_eq!(world.platform.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_opened_is_replaced() {
    let world = World::new();
    token(&world.instance()).await;
    let good = world.store.contents()[0].1.clone();
    let garbage: [&[u8]; 4] = [b"", b"garbage", &[0xFF; 300], &good[..good.len() - 1]];
    for (number, garbage) in (2..).zip(garbage) {
        world.store.garble(garbage);
        let expected = format!("token-{number}");
        assert_eq!(token(&world.instance()).await, expected);
        assert_eq!(token(&world.instance()).await, expected, "it is readable again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rejected_token_is_withdrawn_and_no_other() {
    let world = World::new();
    let (one, other, newcomer) = (world.instance(), world.instance(), world.instance());
    let first = one.token().await.unwrap();
    assert_eq!(token(&other).await, "token-1");
    assert!(one.reject(&first));
    assert_eq!(token(&one).await, "token-2");
    assert_eq!(token(&newcomer).await, "token-2");
    // The other finds out by itself, and takes what there is by now.
    assert!(other.reject(&first));
    assert_eq!(token(&other).await, "token-2");
    a_moment().await;
    assert_eq!(token(&world.instance()).await, "token-2", "a late rejection withdraws nothing");
    assert_eq!(world.platform.requests(), 2);

    // With nobody to replace it yet.
    let second = newcomer.token().await.unwrap();
    assert!(newcomer.reject(&second));
    a_moment().await;
    assert!(world.store.contents().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_rejected_token_is_not_taken_from_the_store_when_it_cannot_be_withdrawn() {
    let world = World::new();
    let source = world.instance();
    let first = source.token().await.unwrap();
    world.store.be(Fault::Away);
    assert!(source.reject(&first));
    a_moment().await;
    world.store.be(None);
    assert_eq!(token(&source).await, "token-2");
    assert_eq!(token(&world.instance()).await, "token-2");
}

#[tokio::test(start_paused = true)]
async fn clocks_that_are_wrong_change_nothing() {
    let world = World::new();
    let hour = 3_600_000;
    let wrong = [0, hour, -hour, 24 * hour, -24 * hour];
    let instances = wrong.map(|by| world.instance_with(by, &application(), SECRET));
    for second in 0..2400 {
        for (source, wrong_by) in instances.iter().zip(wrong) {
            let token = token(source).await;
            assert!(world.platform.takes(&token), "second {second}, wrong by {wrong_by} ms");
        }
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(world.platform.requests(), 6, "as many as one with a good clock would make");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_for_a_pause_gets_it_from_the_whole_fleet() {
    let world = World::new();
    let pause = Duration::from_secs(30);
    world.platform.answer(|| TokenErrorKind::RateLimited, Some(pause));
    for _ in 0..100 {
        let source = world.instance();
        tokio::spawn(async move { source.token().await.unwrap_err() });
    }
    sleep(Duration::from_secs(29)).await;
    assert_eq!(world.platform.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_found_out_by_one_after_the_other() {
    let world = World::new();
    let instances: Vec<_> = (0..100).map(|_| world.instance()).collect();
    for source in &instances {
        token(source).await;
    }
    world.platform.answer(refused, None);
    for _ in 0..540 {
        for source in &instances {
            assert_eq!(token(source).await, "token-1");
        }
        sleep(Duration::from_secs(1)).await;
    }
    let requests = world.platform.requests();
    println!("{requests} requests in a minute and a half of refusals");
    assert!(requests < 50, "{requests}");
    assert_eq!(world.platform.most_under_way(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_was_refused_is_served_as_soon_as_another_has_a_token() {
    let world = World::new();
    world.platform.answer(refused, None);
    let failed = world.instance();
    failed.token().await.unwrap_err();
    world.platform.recover();
    sleep(Duration::from_secs(2)).await;
    failed.token().await.unwrap_err();
    assert_eq!(token(&world.instance()).await, "token-2");
    sleep(Duration::from_secs(1)).await;
    assert_eq!(token(&failed).await, "token-2");
    assert_eq!(world.platform.requests(), 2, "and the refusal is still remembered");
}

#[test]
fn a_store_that_is_away_is_told_of_once() {
    let (log, _guard) = logging_everything();
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().start_paused(true).build().unwrap().block_on(async {
        let world = World::new();
        let source = world.instance();
        for fault in [None, Some(Fault::Away), None, Some(Fault::Silent), None] {
            world.store.be(fault);
            for _ in 0..900 {
                token(&source).await;
                advance(Duration::from_secs(1)).await;
                tokio::task::yield_now().await;
            }
        }
    });
    let text = log.text();
    assert_eq!(text.matches("tokens are not shared with other instances").count(), 2, "{text}");
    assert_eq!(text.matches("the token store is back").count(), 2, "{text}");
}
