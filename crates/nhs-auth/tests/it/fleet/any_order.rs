//! Whatever happens to the store, and in whatever order: no call fails while there is a valid token,
//! and while the store is sound never more than one request is under way.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use nhs_auth::{AccessToken, TokenSource};
use proptest::prelude::*;
use tokio::time::{Instant, sleep};

use super::store::Fault;
use super::world::World;

const INSTANCES: usize = 6;

/// An outage of the platform is shorter than what is left of a token when its renewal is due, and
/// there are some moments for trying again.
const LONGEST_OUTAGE_S: u64 = 60;

#[derive(Clone, Copy, Debug)]
enum Event {
    /// Something is wrong with the store for so long.
    Store(Fault, u64),
    LosesAll,
    Garbled,
    /// The platform answers nobody for so long.
    Platform(u64),
    /// An instance starts anew, with nothing in its memory.
    Restart(usize),
    /// An API rejects the token that an instance has.
    Reject(usize),
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        Just(Fault::Away),
        Just(Fault::Silent),
        Just(Fault::LosesAnswers),
        (1..2000_u64).prop_map(|ms| Fault::Slow(Duration::from_millis(ms))),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (fault(), 1..900_u64).prop_map(|(fault, s)| Event::Store(fault, s)),
        2 => Just(Event::LosesAll),
        1 => Just(Event::Garbled),
        2 => (1..LONGEST_OUTAGE_S).prop_map(Event::Platform),
        2 => (0..INSTANCES).prop_map(Event::Restart),
        1 => (0..INSTANCES).prop_map(Event::Reject),
    ]
}

/// An instance, and the token that it handed out last.
struct Instance {
    source: TokenSource,
    life: u64,
    last: Option<AccessToken>,
}

impl Instance {
    fn new(world: &World) -> Self {
        Self { source: world.instance(), life: 0, last: None }
    }

    fn start_anew(&mut self, world: &World) {
        *self = Self { life: self.life + 1, ..Self::new(world) };
    }

    /// It has handed out a token, if it has not been started anew meanwhile, or lost one.
    fn had(&mut self, life: u64, token: AccessToken) {
        if self.life == life {
            self.last = Some(token);
        }
    }
}

async fn live_through(events: Vec<(u64, Event)>) {
    let world = Arc::new(World::new());
    let instances: Arc<Vec<_>> =
        Arc::new((0..INSTANCES).map(|_| Mutex::new(Instance::new(&world))).collect());
    let at_work: Vec<_> = (0..INSTANCES)
        .map(|number| tokio::spawn(work(number, world.clone(), instances.clone())))
        .collect();
    for (pause, event) in events {
        sleep(Duration::from_secs(pause)).await;
        bring(event, &world, &instances);
    }
    sleep(Duration::from_mins(12)).await;
    for task in at_work {
        assert!(!task.is_finished(), "{:?}", task.await);
        task.abort();
    }
    assert_eq!(world.platform.stampedes(), 0);
}

fn bring(event: Event, world: &Arc<World>, instances: &[Mutex<Instance>]) {
    match event {
        Event::Store(fault, s) => {
            world.store.be(fault);
            let world = world.clone();
            tokio::spawn(async move {
                sleep(Duration::from_secs(s)).await;
                world.store.be(None);
            });
        }
        Event::LosesAll => world.store.lose_all(),
        Event::Garbled => world.store.garble(b"garbage"),
        Event::Platform(s) => {
            // One after another, as far apart as a renewal needs.
            let until = world.platform.down_until();
            if until.is_none_or(|until| until + Duration::from_mins(3) < Instant::now()) {
                world.platform.be_down_for(Duration::from_secs(s));
            }
        }
        Event::Restart(number) => instances[number].lock().unwrap().start_anew(world),
        Event::Reject(number) => {
            let mut instance = instances[number].lock().unwrap();
            if let Some(token) = instance.last.take() {
                instance.life += 1;
                instance.source.reject(&token);
            }
        }
    }
}

/// Calls every second or two.
async fn work(number: usize, world: Arc<World>, instances: Arc<Vec<Mutex<Instance>>>) {
    loop {
        let (source, life, last) = {
            let instance = instances[number].lock().unwrap();
            (instance.source.clone(), instance.life, instance.last.clone())
        };
        let has_valid = last.is_some_and(|token| world.platform.takes(token.expose()));
        match source.token().await {
            Ok(token) => {
                assert!(world.platform.takes(token.expose()), "instance {number}: it has expired");
                instances[number].lock().unwrap().had(life, token);
            }
            Err(error) => {
                assert!(!has_valid, "instance {number} had a valid token: {error}");
                // It may have none, and then the platform alone can give it one.
                let was_down = world
                    .platform
                    .down_until()
                    .is_some_and(|until| Instant::now() < until + Duration::from_secs(35));
                assert!(was_down, "instance {number}: {error}");
            }
        }
        sleep(Duration::from_millis(1000 + 170 * u64::try_from(number).unwrap())).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn no_call_fails_and_nobody_stampedes(
        events in proptest::collection::vec((0..240_u64, event()), 1..16)
    ) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().start_paused(true).build().unwrap();
        runtime.block_on(live_through(events));
    }
}
