//! The token cache, with time and the platform in our hands.

use std::sync::Arc;
use std::time::Duration;

use nhs_auth::{
    CustodyError, CustodyErrorKind, IssuedToken, RefusalBody, SignError, TokenCache,
    TokenErrorKind, TokenSource,
};
use tokio::time::{advance, sleep};

use crate::stand_ins::{Fixed, TestClock, TestIssuer, application, application_named};

struct Scene {
    clock: Arc<TestClock>,
    issuer: Arc<TestIssuer>,
    cache: TokenCache,
    source: TokenSource,
}

fn scene_with(takes: Duration, jitter: f64) -> Scene {
    let clock = Arc::new(TestClock::new());
    let issuer = Arc::new(TestIssuer::new(Arc::clone(&clock), takes));
    let cache = TokenCache::with(issuer.clone(), clock.clone(), Arc::new(Fixed(jitter)));
    let source = cache.source(&application());
    Scene { clock, issuer, cache, source }
}

fn scene() -> Scene {
    scene_with(Duration::from_millis(50), 0.0)
}

async fn token(source: &TokenSource) -> String {
    source.token().await.unwrap().expose().to_owned()
}

fn refused() -> TokenErrorKind {
    TokenErrorKind::Refused { status: 401, body: RefusalBody::default() }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_of_an_empty_cache_make_one_request() {
    let scene = scene();
    let callers: Vec<_> = (0..1000)
        .map(|_| {
            let source = scene.source.clone();
            tokio::spawn(async move { token(&source).await })
        })
        .collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), "token-1");
    }
    assert_eq!(scene.issuer.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_hour_of_steady_traffic_makes_eight_requests_at_most() {
    for jitter in [0.0, 0.999] {
        let scene = scene_with(Duration::from_millis(50), jitter);
        for _ in 0..3600 {
            token(&scene.source).await;
            sleep(Duration::from_secs(1)).await;
        }
        assert!((7..=8).contains(&scene.issuer.requests()), "{}", scene.issuer.requests());
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_cannot_be_reached_stops_nobody_who_has_a_token() {
    let scene = scene();
    assert_eq!(token(&scene.source).await, "token-1");
    for kind in [CustodyErrorKind::Unreachable, CustodyErrorKind::Denied] {
        let error = CustodyError::new(kind, "awskms:alias/nhs", "out");
        scene.issuer.fail_next(TokenErrorKind::Sign(SignError::Custody(error)));
    }
    advance(Duration::from_mins(8)).await;
    assert_eq!(token(&scene.source).await, "token-1");
    tokio::task::yield_now().await;
    assert_eq!(scene.issuer.requests(), 2, "a renewal was tried");
    for _ in 0..100 {
        token(&scene.source).await;
        sleep(Duration::from_secs(1)).await;
    }
    assert!(scene.issuer.requests() >= 4, "and tried again");
}

#[tokio::test(start_paused = true)]
async fn renewal_is_in_the_background_and_the_old_token_serves_meanwhile() {
    let scene = scene_with(Duration::from_secs(20), 0.0);
    assert_eq!(token(&scene.source).await, "token-1");
    advance(Duration::from_secs(458)).await;
    assert_eq!(token(&scene.source).await, "token-1");
    assert_eq!(scene.issuer.requests(), 1, "four fifths of 599 s are not over");
    advance(Duration::from_secs(2)).await;
    assert_eq!(token(&scene.source).await, "token-1");
    tokio::task::yield_now().await;
    assert_eq!(scene.issuer.requests(), 2);
    for _ in 0..10 {
        assert_eq!(token(&scene.source).await, "token-1");
    }
    sleep(Duration::from_secs(21)).await;
    assert_eq!(token(&scene.source).await, "token-2");
    assert_eq!(scene.issuer.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_a_minute_fails_no_call() {
    let scene = scene();
    token(&scene.source).await;
    for second in 0..1200 {
        if second == 470 {
            scene.issuer.be_down_for(Duration::from_mins(1));
        }
        assert!(scene.source.token().await.is_ok(), "second {second}");
        sleep(Duration::from_secs(1)).await;
    }
    assert!(scene.issuer.requests() < 20, "{}", scene.issuer.requests());
}

#[tokio::test(start_paused = true)]
async fn an_expired_token_is_never_handed_out() {
    let scene = scene();
    token(&scene.source).await;
    advance(Duration::from_secs(599)).await;
    assert_eq!(token(&scene.source).await, "token-2");
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_slept_knows_by_the_wall_clock_that_its_token_is_old() {
    let scene = scene();
    token(&scene.source).await;
    scene.clock.jump(Duration::from_hours(1));
    assert_eq!(token(&scene.source).await, "token-2");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_remembered_and_shared_and_forgotten() {
    let scene = scene();
    scene.issuer.fail_next(refused());
    for _ in 0..100 {
        assert!(scene.source.token().await.unwrap_err().is_permanent());
    }
    assert_eq!(scene.issuer.requests(), 1);
    sleep(Duration::from_secs(11)).await;
    assert_eq!(token(&scene.source).await, "token-2");
}

#[tokio::test(start_paused = true)]
async fn how_things_stand_is_told_without_asking_for_anything() {
    let scene = scene();
    let state = scene.source.state();
    assert!(state.held.is_none() && state.failure.is_none() && scene.issuer.requests() == 0);
    token(&scene.source).await;
    let held = scene.source.state().held.unwrap();
    assert_eq!(held.access_token.expose(), "token-1");

    scene.issuer.fail_next(refused());
    sleep(Duration::from_secs(500)).await;
    token(&scene.source).await;
    sleep(Duration::from_secs(1)).await;
    let state = scene.source.state();
    assert!(state.held.is_some() && state.failure.unwrap().is_permanent());
    sleep(Duration::from_secs(100)).await;
    let state = scene.source.state();
    assert!(state.held.is_none() && state.failure.is_some());
    token(&scene.source).await;
    assert!(scene.source.state().failure.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_refusal_again_and_again_is_asked_for_less_and_less() {
    let scene = scene();
    for _ in 0..100 {
        scene.issuer.fail_next(refused());
    }
    for _ in 0..600 {
        let _ = scene.source.token().await;
        sleep(Duration::from_secs(1)).await;
    }
    assert!(scene.issuer.requests() <= 10, "{}", scene.issuer.requests());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_for_a_pause_gets_it() {
    let scene = scene();
    scene.issuer.ask_to_wait(Duration::from_mins(2));
    scene.issuer.fail_next(TokenErrorKind::RateLimited);
    for _ in 0..119 {
        assert!(scene.source.token().await.is_err());
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(scene.issuer.requests(), 1);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(token(&scene.source).await, "token-2");
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_panics_has_failed_and_is_not_asked_over_and_over() {
    let scene = scene();
    scene.issuer.panic_next(usize::MAX);
    for _ in 0..100 {
        let error = scene.source.token().await.unwrap_err();
        assert!(matches!(error.kind, TokenErrorKind::Abandoned), "{error:?}");
    }
    assert!(scene.issuer.requests() <= 2, "{}", scene.issuer.requests());
    scene.issuer.panic_next(0);
    sleep(Duration::from_mins(1)).await;
    token(&scene.source).await;
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_is_refused_is_not_begun_again_at_every_call() {
    let scene = scene();
    token(&scene.source).await;
    advance(Duration::from_secs(500)).await;
    for _ in 0..100 {
        scene.issuer.fail_next(refused());
    }
    for _ in 0..900 {
        assert_eq!(token(&scene.source).await, "token-1");
        sleep(Duration::from_millis(100)).await;
    }
    assert!(scene.issuer.requests() <= 6, "{}", scene.issuer.requests());
}

#[tokio::test(start_paused = true)]
async fn a_person_who_asks_again_is_heard() {
    let scene = scene();
    scene.issuer.fail_next(refused());
    scene.source.token().await.unwrap_err();
    scene.source.forget_failure();
    assert_eq!(token(&scene.source).await, "token-2");
}

#[tokio::test(start_paused = true)]
async fn a_rejected_token_is_dropped_and_no_other() {
    let scene = scene();
    let first = scene.source.token().await.unwrap();
    assert!(scene.source.reject(&first));
    let second = scene.source.token().await.unwrap();
    assert_eq!(second.expose(), "token-2");
    // A late caller rejects the first once more: the second stays.
    assert!(scene.source.reject(&first));
    assert_eq!(token(&scene.source).await, "token-2");
    assert_eq!(scene.issuer.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn when_new_tokens_do_not_help_none_are_asked_for_on_that_account() {
    let scene = scene();
    let first = scene.source.token().await.unwrap();
    assert!(scene.source.reject(&first));
    let second = scene.source.token().await.unwrap();
    scene.source.renewal_was_in_vain();
    assert!(!scene.source.reject(&second));
    assert_eq!(scene.issuer.requests(), 2);
    sleep(Duration::from_secs(31)).await;
    assert!(scene.source.reject(&second));
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_gives_up_leaves_the_request_to_the_others() {
    let scene = scene_with(Duration::from_secs(5), 0.0);
    let gave_up = tokio::time::timeout(Duration::from_secs(1), scene.source.token()).await;
    assert!(gave_up.is_err());
    assert_eq!(token(&scene.source).await, "token-1");
    assert_eq!(scene.issuer.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn each_identity_has_a_slot_of_its_own() {
    let scene = scene();
    let same = scene.cache.source(&application());
    let other = scene.cache.source(&application_named("int-2"));
    assert_eq!(token(&scene.source).await, "token-1");
    assert_eq!(token(&same).await, "token-1");
    assert_eq!(token(&other).await, "token-2");
}

#[tokio::test(start_paused = true)]
async fn what_came_with_the_token_costs_no_request_of_its_own() {
    let scene = scene();
    let issued: Arc<IssuedToken> = scene.source.issued().await.unwrap();
    assert_eq!(issued.access_token.expose(), "token-1");
    scene.source.issued().await.unwrap();
    assert_eq!(scene.issuer.requests(), 1);
}

#[test]
fn a_request_whose_runtime_has_gone_is_begun_anew() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap()
    };
    let first = runtime();
    let scene = first.block_on(async { scene_with(Duration::from_secs(5), 0.0) });
    first.block_on(async {
        let _ = tokio::time::timeout(Duration::from_secs(1), scene.source.token()).await;
    });
    drop(first);
    runtime().block_on(async {
        scene.source.token().await.unwrap();
    });
    assert_eq!(scene.issuer.requests(), 2);
}
