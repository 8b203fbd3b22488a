//! What it takes to be handed a token that is there already.

use std::sync::Arc;
use std::time::Duration;

use nhs_auth::{
    AccessToken, ApiKey, Application, Clock as _, IssuedToken, Kid, LocalSigner, OsEntropy,
    PrivateKey, SystemClock, TokenCache, TokenEndpoint, TokenError, TokenIssuer, TokenSource,
};

use crate::{Bar, Figure, Setting, median};

const FETCHES: u32 = 1_000_000;

pub(crate) fn measure(_: &Setting) -> Vec<Figure> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let source = source();
        source.token().await.unwrap();
        let mut rounds = Vec::new();
        for _ in 0..5 {
            rounds.push(nanoseconds_a_fetch(&source).await);
        }
        let allocations = allocations(&source);
        vec![
            Figure {
                name: "a cached token",
                value: median(rounds),
                unit: "ns",
                bar: Bar::AtMost(100.0),
                from: format!("median of 5 rounds of {FETCHES}"),
            },
            Figure {
                name: "a cached token",
                value: allocations,
                unit: "allocations",
                bar: Bar::AtMost(0.0),
                from: "in 1,000 fetches".to_owned(),
            },
        ]
    })
}

async fn nanoseconds_a_fetch(source: &TokenSource) -> f64 {
    let start = SystemClock::default().steady();
    for _ in 0..FETCHES {
        std::hint::black_box(source.token().await.unwrap());
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(FETCHES)
}

#[expect(clippy::cast_precision_loss, reason = "a count of allocations")]
fn allocations(source: &TokenSource) -> f64 {
    let measured = allocation_counter::measure(|| {
        for _ in 0..1000 {
            let mut fetch = std::pin::pin!(source.token());
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(fetch.as_mut().poll(&mut context).is_ready());
        }
    });
    measured.count_total as f64
}

fn source() -> TokenSource {
    let application = Application::new(
        TokenEndpoint::at("http://127.0.0.1:9", None).unwrap(),
        ApiKey::parse("abcdefghijklmnopqrstuvwxyz012345").unwrap(),
        Kid::parse("int-1").unwrap(),
        LocalSigner::new(PrivateKey::generate().unwrap()),
    );
    let (clock, entropy) = (SystemClock::default(), OsEntropy::default());
    TokenCache::with(Arc::new(AtOnce), Arc::new(clock), Arc::new(entropy)).source(&application)
}

/// Issues a token at once.
#[derive(Debug)]
struct AtOnce;

impl TokenIssuer for AtOnce {
    fn issue<'a>(
        &'a self,
        _: &'a Application,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<IssuedToken, TokenError>> + Send + 'a>> {
        Box::pin(async {
            let token = AccessToken::new("aB3d".repeat(7)).unwrap();
            let lifetime = Some(Duration::from_secs(599));
            Ok(IssuedToken::new(token, lifetime, SystemClock::default().now()))
        })
    }
}
