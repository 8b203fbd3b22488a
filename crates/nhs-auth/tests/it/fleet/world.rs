//! A fleet in one process: instances with a memory, a clock and randomness of their own, and one
//! platform that counts.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nhs_auth::{
    AccessToken, Application, Clock, Entropy, IssuedToken, SealingKey, TokenCache, TokenError,
    TokenErrorKind, TokenIssuer, TokenSource, TokenStore, UnixMillis,
};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::store::FaultyStore;
use crate::stand_ins::application;

pub(crate) const SECRET: &str = "a secret that all instances of it share";

/// How long after a fault of the store something may still be under way because of it: the store is
/// waited for, and then the platform.
const AFTERMATH: Duration = Duration::from_secs(2);

/// How long a token of the platform lives.
pub(crate) const LIFETIME: Duration = Duration::from_secs(599);

pub(crate) struct World {
    pub(crate) platform: Arc<Platform>,
    pub(crate) store: Arc<FaultyStore>,
    instances: AtomicU64,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { platform: Arc::default(), store: Arc::default(), instances: AtomicU64::new(0) }
    }

    /// One more instance, as if it had just been started.
    pub(crate) fn instance(&self) -> TokenSource {
        self.instance_with(0, &application(), SECRET)
    }

    /// One whose clock is wrong, of this application, with this secret.
    pub(crate) fn instance_with(
        &self,
        wrong_by_ms: i64,
        application: &Application,
        secret: &str,
    ) -> TokenSource {
        let store: Arc<dyn TokenStore> = self.store.clone();
        self.cache(wrong_by_ms)
            .with_store(store, SealingKey::derived_from(&secret.into()).unwrap())
            .source(application)
    }

    fn cache(&self, wrong_by_ms: i64) -> TokenCache {
        let number = self.instances.fetch_add(1, Ordering::SeqCst);
        let clock = Arc::new(WrongClock { platform: self.platform.clone(), wrong_by_ms });
        let (platform, store) = (self.platform.clone(), self.store.clone());
        let issuer = Asking { platform, store, clock: clock.clone() };
        TokenCache::with(Arc::new(issuer), clock, Arc::new(Seeded(AtomicU64::new(number))))
    }
}

/// The platform: when it was asked, and which tokens it takes.
pub(crate) struct Platform {
    began: Instant,
    takes: Mutex<Duration>,
    requests: AtomicUsize,
    under_way: Mutex<Vec<Instant>>,
    most_under_way: AtomicUsize,
    stampedes: AtomicUsize,
    ends: Mutex<HashMap<String, Instant>>,
    down_until: Mutex<Option<Instant>>,
    answer: Mutex<Option<Answer>>,
    limit: Mutex<Option<Limit>>,
}

/// 300 tokens in each minute of the clock; what is refused doesn't count.
struct Limit {
    minute: u64,
    counted: u32,
}

impl Limit {
    const A_MINUTE: u32 = 300;

    fn refuses(&mut self, minute: u64) -> bool {
        if self.minute != minute {
            (self.minute, self.counted) = (minute, 0);
        }
        let refuses = self.counted >= Self::A_MINUTE;
        self.counted += u32::from(!refuses);
        refuses
    }
}

/// What the platform says to all: the fault, and how long to wait.
type Answer = (fn() -> TokenErrorKind, Option<Duration>);

impl Default for Platform {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            takes: Mutex::new(Duration::from_millis(300)),
            requests: AtomicUsize::new(0),
            under_way: Mutex::default(),
            most_under_way: AtomicUsize::new(0),
            stampedes: AtomicUsize::new(0),
            ends: Mutex::default(),
            down_until: Mutex::default(),
            answer: Mutex::default(),
            limit: Mutex::default(),
        }
    }
}

impl Platform {
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// The most requests that were under way at a time.
    pub(crate) fn most_under_way(&self) -> usize {
        self.most_under_way.load(Ordering::SeqCst)
    }

    pub(crate) fn take(&self, time: Duration) {
        *self.takes.lock().unwrap() = time;
    }

    pub(crate) fn be_down_for(&self, time: Duration) {
        *self.down_until.lock().unwrap() = Some(Instant::now() + time);
    }

    /// When it was down last, as far as it is known.
    pub(crate) fn down_until(&self) -> Option<Instant> {
        *self.down_until.lock().unwrap()
    }

    /// Answers all so, from now on.
    pub(crate) fn answer(&self, kind: fn() -> TokenErrorKind, retry_after: Option<Duration>) {
        *self.answer.lock().unwrap() = Some((kind, retry_after));
    }

    /// Keeps to the platform's limit from now on.
    pub(crate) fn limit(&self) {
        let limit = Limit { minute: 0, counted: 0 };
        *self.limit.lock().unwrap() = Some(limit);
    }

    /// Issues tokens again.
    pub(crate) fn recover(&self) {
        *self.answer.lock().unwrap() = None;
    }

    pub(crate) fn takes(&self, token: &str) -> bool {
        self.ends.lock().unwrap().get(token).is_some_and(|end| Instant::now() < *end)
    }

    /// How many requests began while another was under way, and nothing had been wrong with the
    /// store for a while.
    pub(crate) fn stampedes(&self) -> usize {
        self.stampedes.load(Ordering::SeqCst)
    }

    fn begin(&self, store: &FaultyStore) -> Instant {
        let began = Instant::now();
        let mut under_way = self.under_way.lock().unwrap();
        if let Some(first) = under_way.first() {
            let since = first.checked_sub(AFTERMATH).unwrap_or(*first);
            self.stampedes.fetch_add(store.was_sound_since(since).into(), Ordering::SeqCst);
        }
        under_way.push(began);
        self.most_under_way.fetch_max(under_way.len(), Ordering::SeqCst);
        began
    }

    fn end(&self, began: Instant) {
        let mut under_way = self.under_way.lock().unwrap();
        let at = under_way.iter().position(|it| *it == began).unwrap();
        under_way.remove(at);
    }

    fn failure(&self, application: &Application) -> Option<TokenError> {
        let is_down = self.down_until().is_some_and(|until| Instant::now() < until);
        let answer = *self.answer.lock().unwrap();
        let down = || TokenErrorKind::Unreachable { reason: "down".to_owned() };
        let minute = self.began.elapsed().as_secs() / 60;
        let is_beyond = self.limit.lock().unwrap().as_mut().is_some_and(|it| it.refuses(minute));
        let (kind, retry_after) = match answer {
            _ if is_down => (down(), None),
            _ if is_beyond => (TokenErrorKind::RateLimited, None),
            Some((kind, retry_after)) => (kind(), retry_after),
            None => return None,
        };
        let mut error = TokenError::new(kind, application.endpoint());
        error.retry_after = retry_after;
        Some(error)
    }
}

struct Asking {
    platform: Arc<Platform>,
    store: Arc<FaultyStore>,
    clock: Arc<WrongClock>,
}

impl fmt::Debug for Asking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asking").finish_non_exhaustive()
    }
}

impl TokenIssuer for Asking {
    fn issue<'a>(
        &'a self,
        application: &'a Application,
    ) -> Pin<Box<dyn Future<Output = Result<IssuedToken, TokenError>> + Send + 'a>> {
        Box::pin(async move {
            let platform = &*self.platform;
            let number = platform.requests.fetch_add(1, Ordering::SeqCst) + 1;
            let requested_at = self.clock.now();
            let began = platform.begin(&self.store);
            let takes = *platform.takes.lock().unwrap();
            sleep(takes).await;
            platform.end(began);
            if let Some(error) = platform.failure(application) {
                return Err(error);
            }
            let token = format!("token-{number}");
            platform.ends.lock().unwrap().insert(token.clone(), Instant::now() + LIFETIME);
            let token = AccessToken::new(token).unwrap();
            Ok(IssuedToken::new(token, Some(LIFETIME), requested_at))
        })
    }
}

#[derive(Debug)]
struct WrongClock {
    platform: Arc<Platform>,
    wrong_by_ms: i64,
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Platform").finish_non_exhaustive()
    }
}

impl Clock for WrongClock {
    fn now(&self) -> UnixMillis {
        let elapsed = i64::try_from(self.platform.began.elapsed().as_millis()).unwrap();
        UnixMillis(1_800_000_000_000 + elapsed + self.wrong_by_ms)
    }

    fn steady(&self) -> Instant {
        Instant::now()
    }
}

/// Randomness that is another for each instance, and the same each time.
#[derive(Debug)]
struct Seeded(AtomicU64);

impl Seeded {
    fn next(&self) -> u64 {
        // SplitMix64.
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        let next = self.0.fetch_add(STEP, Ordering::SeqCst).wrapping_add(STEP);
        let next = (next ^ (next >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let next = (next ^ (next >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        next ^ (next >> 31)
    }
}

impl Entropy for Seeded {
    fn uuid(&self) -> Uuid {
        Uuid::from_u64_pair(self.next(), self.next())
    }

    fn bytes(&self) -> [u8; 32] {
        [self.next().to_be_bytes(); 4].concat().try_into().unwrap()
    }

    fn fraction(&self) -> f64 {
        f64::from(u32::try_from(self.next() >> 32).unwrap()) / (f64::from(u32::MAX) + 1.0)
    }
}
