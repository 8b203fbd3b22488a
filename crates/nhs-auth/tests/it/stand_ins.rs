//! What stands in for time, for randomness, for a key and for the platform.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use nhs_auth::{
    AccessToken, ApiKey, Application, Clock, Entropy, IssuedToken, Kid, PublicKey, SignFuture,
    Signature, Signer, SigningAlgorithm, SystemClock, TokenEndpoint, TokenError, TokenErrorKind,
    TokenIssuer, UnixMillis,
};
use tokio::time::Instant;
use uuid::Uuid;

/// A clock that tests move: by Tokio's paused time, and the wall clock by itself.
#[derive(Debug)]
pub(crate) struct TestClock {
    started: Instant,
    wall_ahead_ms: AtomicI64,
}

impl TestClock {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), wall_ahead_ms: AtomicI64::new(1_800_000_000_000) }
    }

    /// Moves the wall clock alone, as waking from sleep does.
    pub(crate) fn jump(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).unwrap();
        self.wall_ahead_ms.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> UnixMillis {
        let elapsed = i64::try_from(self.started.elapsed().as_millis()).unwrap();
        UnixMillis(elapsed + self.wall_ahead_ms.load(Ordering::SeqCst))
    }

    fn steady(&self) -> Instant {
        Instant::now()
    }
}

/// Randomness that a test decides.
#[derive(Debug)]
pub(crate) struct Fixed(pub(crate) f64);

impl Entropy for Fixed {
    fn uuid(&self) -> Uuid {
        Uuid::from_u128(7)
    }

    fn bytes(&self) -> [u8; 32] {
        [7; 32]
    }

    fn fraction(&self) -> f64 {
        self.0
    }
}

/// A signer for those who look at no signature.
#[derive(Debug)]
pub(crate) struct AnySigner(PublicKey);

impl AnySigner {
    pub(crate) fn new() -> Self {
        Self(PublicKey::from_components(&[0xc1, 2, 3], &[1, 0, 1]).unwrap())
    }
}

impl Signer for AnySigner {
    fn public_key(&self) -> &PublicKey {
        &self.0
    }

    fn sign<'a>(&'a self, _: SigningAlgorithm, _: &'a [u8]) -> SignFuture<'a> {
        Box::pin(async { Ok(Signature::new(vec![0; 256])) })
    }
}

pub(crate) fn application_named(kid: &str) -> Application {
    Application::new(
        TokenEndpoint::at("http://127.0.0.1:9", None).unwrap(),
        ApiKey::parse("abcdefghijklmnopqrstuvwxyz012345").unwrap(),
        Kid::parse(kid).unwrap(),
        AnySigner::new(),
    )
}

pub(crate) fn application() -> Application {
    application_named("int-1")
}

/// Issues `token-1`, `token-2`, … that live 599 s, each after `takes`; or fails as it is told to.
pub(crate) struct TestIssuer {
    clock: std::sync::Arc<TestClock>,
    takes: Duration,
    requests: AtomicUsize,
    failures: Mutex<VecDeque<TokenErrorKind>>,
    retry_after: Mutex<Option<Duration>>,
    panics: AtomicUsize,
    down_until: Mutex<Option<Instant>>,
}

impl TestIssuer {
    pub(crate) fn new(clock: std::sync::Arc<TestClock>, takes: Duration) -> Self {
        Self {
            clock,
            takes,
            requests: AtomicUsize::new(0),
            failures: Mutex::default(),
            retry_after: Mutex::default(),
            panics: AtomicUsize::new(0),
            down_until: Mutex::default(),
        }
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn fail_next(&self, kind: TokenErrorKind) {
        self.failures.lock().unwrap().push_back(kind);
    }

    /// Asks whoever is refused to wait so long.
    pub(crate) fn ask_to_wait(&self, time: Duration) {
        *self.retry_after.lock().unwrap() = Some(time);
    }

    /// Panics so many times.
    pub(crate) fn panic_next(&self, times: usize) {
        self.panics.store(times, Ordering::SeqCst);
    }

    /// Answers nobody for so long.
    pub(crate) fn be_down_for(&self, time: Duration) {
        *self.down_until.lock().unwrap() = Some(Instant::now() + time);
    }

    fn failure(&self) -> Option<TokenErrorKind> {
        let is_down = self.down_until.lock().unwrap().is_some_and(|until| Instant::now() < until);
        let down = || TokenErrorKind::Unreachable { reason: "down".to_owned() };
        is_down.then(down).or_else(|| self.failures.lock().unwrap().pop_front())
    }
}

impl fmt::Debug for TestIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestIssuer").finish_non_exhaustive()
    }
}

impl TokenIssuer for TestIssuer {
    fn issue<'a>(
        &'a self,
        application: &'a Application,
    ) -> Pin<Box<dyn Future<Output = Result<IssuedToken, TokenError>> + Send + 'a>> {
        Box::pin(async move {
            let number = self.requests.fetch_add(1, Ordering::SeqCst) + 1;
            let requested_at = self.clock.now();
            tokio::time::sleep(self.takes).await;
            let panics = self.panics.load(Ordering::SeqCst);
            if panics > 0 {
                self.panics.store(panics - 1, Ordering::SeqCst);
                panic!("as the test wants it");
            }
            if let Some(kind) = self.failure() {
                let retry_after = *self.retry_after.lock().unwrap();
                let mut error = TokenError::new(kind, application.endpoint());
                error.retry_after = retry_after;
                return Err(error);
            }
            Ok(token(number, requested_at))
        })
    }
}

pub(crate) fn token(number: usize, requested_at: UnixMillis) -> IssuedToken {
    let access_token = AccessToken::new(format!("token-{number}")).unwrap();
    IssuedToken::new(access_token, Some(Duration::from_secs(599)), requested_at)
}

/// The machine's clock, which a test moves ahead.
#[derive(Debug, Default)]
pub(crate) struct MovedClock(AtomicI64);

impl MovedClock {
    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for MovedClock {
    fn now(&self) -> UnixMillis {
        SystemClock::default().now().plus(self.0.load(Ordering::SeqCst))
    }

    fn steady(&self) -> Instant {
        Instant::now() + Duration::from_millis(self.0.load(Ordering::SeqCst).try_into().unwrap())
    }
}
