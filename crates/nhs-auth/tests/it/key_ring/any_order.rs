//! Whatever happens, and in whatever order: no token request is ever refused for a key.
//!
//! The platform in a box keeps a key set for an hour, as the platform does. Against it, a ring is
//! rotated, cut short at any write, followed by programs that start anew, kept by a machine whose
//! clock is set, and published to a page that fails.
//!
//! The programs run: each has looked at the ring before the ring's store fails. One that has slept
//! through a rotation, and wakes when the ring can't be read, has a key that may be gone, and nothing
//! to tell it so.

use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::routing::get;
use nhs_auth::{
    ApiKey, Application, Clock, ClockSkew, FollowedKeyRing, LeakedKey, OsEntropy, PublishTo,
    RotationOrders, TokenEndpoint, UnixMillis, echo_url,
};
use nhs_auth_mock::{App, MockPlatform, NewApp};
use nhs_auth_rules::CLIENT_ASSERTION_TYPE;
use proptest::prelude::*;
use secrecy::ExposeSecret as _;
use serde_json::json;
use tokio::time::Instant;

use super::world::{Fate, Page, World};
use crate::box_control::patch;

#[derive(Clone, Debug)]
enum Event {
    Time { s: u64 },
    Rotate { start: bool, cut_short: Option<(usize, Fate)>, page: Fate },
    Leak,
    NewUrl,
    ByHand,
    Request,
    Restart,
    ClockIsWrongBy { s: i64 },
    Boot,
    StoreFails(bool),
    VaultFails(bool),
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![8 => Just(Fate::Fine), 1 => Just(Fate::Before), 1 => Just(Fate::After)]
}

fn event() -> impl Strategy<Value = Event> {
    let rotate = (
        proptest::bool::weighted(0.5),
        proptest::option::weighted(0.3, (0..3_usize, fate())),
        fate(),
    );
    prop_oneof![
        5 => (0..5000_u64).prop_map(|s| Event::Time { s }),
        6 => rotate.prop_map(|(start, cut_short, page)| Event::Rotate { start, cut_short, page }),
        1 => Just(Event::Leak),
        1 => Just(Event::NewUrl),
        3 => Just(Event::ByHand),
        7 => Just(Event::Request),
        1 => Just(Event::Restart),
        1 => Just(Event::Boot),
        1 => any::<bool>().prop_map(Event::StoreFails),
        1 => any::<bool>().prop_map(Event::VaultFails),
    ]
}

/// On a machine that runs on, a clock may be wrong by any amount: its uptime tells. One that is
/// started anew has nothing but its clock, which then may be wrong by the margin.
fn events() -> impl Strategy<Value = Vec<Event>> {
    let wrong = |most: i64| (-most..most).prop_map(|s| Event::ClockIsWrongBy { s });
    let runs_on = prop_oneof![12 => event(), 1 => wrong(1_000_000)]
        .prop_filter("it runs on", |event| !matches!(event, Event::Boot));
    let is_started_anew = prop_oneof![12 => event(), 1 => wrong(140)];
    prop_oneof![
        proptest::collection::vec(runs_on, 20..60),
        proptest::collection::vec(is_started_anew, 20..60),
    ]
}

fn publish_to() -> impl Strategy<Value = PublishTo> {
    prop_oneof![
        Just(PublishTo::Served),
        Just(PublishTo::Location("the page".to_owned())),
        Just(PublishTo::Echo),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, max_shrink_iters: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_request_is_refused_for_a_key(publish_to in publish_to(), events in events()) {
        RUNTIME.block_on(async {
            let mut trial = Trial::new(publish_to).await;
            for event in &events {
                trial.happens(event).await;
            }
            trial.all_is_well_again().await;
        });
    }
}

static RUNTIME: LazyLock<tokio::runtime::Runtime> =
    LazyLock::new(|| tokio::runtime::Runtime::new().unwrap());

/// Where each trial's key set is to be had, by its number: from its ring or from its page.
static SITE: Mutex<Vec<Arc<World>>> = Mutex::new(Vec::new());

struct Trial {
    platform: Arc<MockPlatform>,
    app: App,
    world: Arc<World>,
    application: Application,
    urls: usize,
    number: usize,
    site: String,
}

/// Time as it is, for assertions: a wrong clock is another test's matter.
#[derive(Debug)]
struct TrueTime(UnixMillis);

impl Clock for TrueTime {
    fn now(&self) -> UnixMillis {
        self.0
    }

    fn steady(&self) -> Instant {
        Instant::now()
    }
}

impl Trial {
    async fn new(publish_to: PublishTo) -> Self {
        static PLATFORM: tokio::sync::OnceCell<(Arc<MockPlatform>, String)> =
            tokio::sync::OnceCell::const_new();
        let (platform, site) = PLATFORM.get_or_init(start).await;
        let world = Arc::new(World::at(platform.now()));
        let number = {
            let mut site = SITE.lock().unwrap();
            site.push(Arc::clone(&world));
            site.len() - 1
        };
        world.ring.create(World::settings(publish_to)).await.unwrap();
        let url = format!("{site}/{number}/0");
        let app = platform.create_app(NewApp::new("trial").jwks_url(url).rate_limit(100_000));
        let application = follow(platform, &app, &world);
        Self {
            platform: Arc::clone(platform),
            app,
            world,
            application,
            urls: 0,
            number,
            site: site.clone(),
        }
    }

    async fn happens(&mut self, event: &Event) {
        match event {
            Event::Time { s } => {
                self.platform.advance(Duration::from_secs(*s));
                self.world.time.pass(Duration::from_secs(*s));
            }
            Event::Rotate { start, cut_short, page } => {
                if let Some((after, fate)) = cut_short {
                    self.world.shelf.doom(*after, *fate);
                }
                self.world.page.doom(*page);
                self.rotate(RotationOrders { start: *start, ..Default::default() }).await;
                self.world.shelf.doom(0, Fate::Fine);
                self.world.page.doom(Fate::Fine);
            }
            Event::Leak => {
                self.rotate(RotationOrders {
                    leaked: Some(LeakedKey::Active),
                    ..Default::default()
                })
                .await;
            }
            Event::NewUrl => self.move_to_new_url().await,
            Event::ByHand => self.publish_by_hand().await,
            Event::Request => self.request().await,
            Event::Restart => self.application = follow(&self.platform, &self.app, &self.world),
            Event::ClockIsWrongBy { s } => self.world.time.set_wrong_by(*s),
            Event::Boot => self.world.time.boot(),
            Event::StoreFails(fails) => {
                self.request().await;
                self.world.shelf.is_unreadable.store(*fails, Ordering::SeqCst);
            }
            Event::VaultFails(fails) => self.world.vault.is_out.store(*fails, Ordering::SeqCst),
        }
    }

    /// Whether it succeeds is not the question.
    async fn rotate(&self, orders: RotationOrders) {
        let _ = self.world.ring.rotate(&orders, Some(&self.world.page)).await;
    }

    /// A person registers another URL of the same key set, and says so.
    async fn move_to_new_url(&mut self) {
        let is_by_url = self.publish_to().await.is_some_and(|to| !to.is_by_hand());
        if !is_by_url || self.is_pending().await {
            return;
        }
        self.urls += 1;
        let url = format!("{}/{}/{}", self.site, self.number, self.urls);
        self.register(&url).await;
        self.rotate(RotationOrders { new_url: true, ..Default::default() }).await;
    }

    /// A person enters the echo's URL in the portal, and says so.
    async fn publish_by_hand(&self) {
        let Ok(content) = self.world.ring.content().await else { return };
        if content.settings().publish_to != PublishTo::Echo || content.key_set().keys().is_empty() {
            return;
        }
        let echo = echo_url(&content.key_set());
        let path = echo.strip_prefix("https://api.service.nhs.uk").unwrap();
        self.register(&format!("{}{path}", self.platform.base_url())).await;
        let _ = self.world.ring.published_by_hand(&content.mark()).await;
    }

    async fn register(&self, url: &str) {
        let path = format!("apps/{}", self.app.application_id());
        patch(&self.platform, &path, &json!({ "jwks_url": url })).await;
    }

    async fn publish_to(&self) -> Option<PublishTo> {
        Some(self.world.ring.content().await.ok()?.settings().publish_to.clone())
    }

    async fn is_pending(&self) -> bool {
        self.world.ring.content().await.is_ok_and(|content| content.is_to_be_published())
    }

    async fn request(&self) {
        let answer = self.ask_for_a_token().await;
        let is_about_a_key = |text: &String| {
            ["no matching public key", "signature", "public_key", "JWKS", "unknown_error"]
                .iter()
                .any(|sign| text.contains(sign))
        };
        assert!(!answer.as_ref().is_some_and(is_about_a_key), "{answer:?}");
    }

    /// What the platform answers; `None` when there is no key to sign with.
    async fn ask_for_a_token(&self) -> Option<String> {
        let (now, skew, entropy) =
            (TrueTime(self.platform.now()), ClockSkew::default(), OsEntropy::default());
        let assertion = self.application.sign_assertion(&now, skew, &entropy).await.ok()?;
        let compact = assertion.into_compact();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", CLIENT_ASSERTION_TYPE),
            ("client_assertion", compact.expose_secret()),
        ];
        let url = self.application.endpoint().url();
        let answer = crate::box_control::client().post(url).form(&form).send().await.unwrap();
        Some(answer.text().await.unwrap())
    }

    /// When nothing fails any more, the next runs bring everything in order.
    async fn all_is_well_again(&mut self) {
        self.world.shelf.is_unreadable.store(false, Ordering::SeqCst);
        self.world.vault.is_out.store(false, Ordering::SeqCst);
        self.world.time.set_wrong_by(0);
        for _ in 0..4 {
            self.rotate(RotationOrders::default()).await;
            self.publish_by_hand().await;
            self.rotate(RotationOrders::default()).await;
            self.happens(&Event::Time { s: 2 * 3600 }).await;
        }
        let answer = self.ask_for_a_token().await;
        assert!(answer.as_ref().is_some_and(|text| text.contains("access_token")), "{answer:?}");
        let content = self.world.ring.content().await.unwrap();
        let in_the_set = content.key_set().keys().len();
        assert!((1..=2).contains(&in_the_set), "{in_the_set} keys in the set");
    }
}

fn follow(platform: &MockPlatform, app: &App, world: &World) -> Application {
    Application::following(
        TokenEndpoint::at(&platform.base_url(), None).unwrap(),
        ApiKey::parse(app.api_key()).unwrap(),
        FollowedKeyRing::new(world.ring.clone()),
    )
}

/// The platform, and a web server with every trial's key set.
async fn start() -> (Arc<MockPlatform>, String) {
    let platform = Arc::new(MockPlatform::start().await.unwrap());
    let router = axum::Router::new().route("/{number}/{url}", get(key_set)).with_state(());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (platform, site)
}

async fn key_set(
    Path((number, _)): Path<(usize, usize)>,
    State(()): State<()>,
) -> Result<String, http::StatusCode> {
    let world = Arc::clone(&SITE.lock().unwrap()[number]);
    served(&world).await.ok_or(http::StatusCode::SERVICE_UNAVAILABLE)
}

async fn served(world: &World) -> Option<String> {
    // The site has what it needs, also while the ring's keepers can't reach their store.
    let is_unreadable = world.shelf.is_unreadable.swap(false, Ordering::SeqCst);
    let content = world.ring.content().await;
    world.shelf.is_unreadable.store(is_unreadable, Ordering::SeqCst);
    let content = content.ok()?;
    if content.settings().publish_to == PublishTo::Served {
        return (!content.key_set().keys().is_empty()).then(|| content.key_set().to_json());
    }
    let Page { shown, .. } = &world.page;
    shown.lock().unwrap().clone()
}
