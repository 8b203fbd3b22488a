//! From a rotation to a running application that signs with the new key.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nhs_auth::{
    ApiKey, Application, Clock, ClockSkew, FollowedKeyRing, KeyRing, OsEntropy, PublishTo,
    RingSettings, RotationOrders, SystemClock, TokenEndpoint, UnixMillis,
};
use secrecy::ExposeSecret as _;

use crate::{Bar, Figure, Setting, median};

const ROTATIONS: usize = 9;

/// The machine's time, and whatever is added to it: nobody waits for an hour here.
#[derive(Debug, Default)]
struct Ahead(AtomicI64);

impl Clock for Ahead {
    fn now(&self) -> UnixMillis {
        SystemClock::default().now().plus(self.0.load(Ordering::SeqCst))
    }

    fn steady(&self) -> tokio::time::Instant {
        SystemClock::default().steady()
    }
}

pub(crate) fn measure(_: &Setting) -> Vec<Figure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let times = runtime.block_on(rotate_and_sign());
    vec![Figure {
        name: "from rotate-keys to a signature by the new key",
        value: median(times),
        unit: "ms",
        bar: Bar::AtMost(1000.0),
        from: format!("middle of {ROTATIONS}, an application that signs all the while"),
    }]
}

async fn rotate_and_sign() -> Vec<f64> {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(Ahead::default());
    let ring = KeyRing::in_folder(folder.path()).with_clock(Arc::<Ahead>::clone(&clock));
    let settings = RingSettings {
        kid_prefix: "int".to_owned(),
        rotate_every: Duration::from_hours(24),
        publish_to: PublishTo::Served,
        keys_at: None,
    };
    ring.create(settings).await.unwrap();
    ring.rotate(&RotationOrders::default(), None).await.unwrap();
    let application = Application::following(
        TokenEndpoint::at("http://127.0.0.1:9", None).unwrap(),
        ApiKey::parse("abcdefghijklmnopqrstuvwxyz012345").unwrap(),
        FollowedKeyRing::new(ring.clone()),
    );
    let mut times = Vec::new();
    for number in 2..ROTATIONS + 2 {
        let start = RotationOrders { start: true, ..RotationOrders::default() };
        ring.rotate(&start, None).await.unwrap();
        clock.0.fetch_add(2 * 3_600_000, Ordering::SeqCst);
        let signing = tokio::spawn(signs_with(application.clone(), format!("int-{number}")));
        tokio::time::sleep(Duration::from_millis(50)).await;
        let started = SystemClock::default().steady();
        ring.rotate(&RotationOrders::default(), None).await.unwrap();
        let signed = signing.await.unwrap();
        times.push(signed.duration_since(started).as_secs_f64() * 1000.0);
        clock.0.fetch_add(2 * 3_600_000, Ordering::SeqCst);
    }
    times
}

/// Signs one assertion after the other, and says when the first is there that has this kid.
async fn signs_with(application: Application, kid: String) -> tokio::time::Instant {
    loop {
        let (skew, entropy) = (ClockSkew::default(), OsEntropy::default());
        let clock = SystemClock::default();
        let signing = application.sign_assertion(&clock, skew, &entropy);
        let compact = signing.await.unwrap().into_compact();
        let header = compact.expose_secret().split('.').next().unwrap();
        let header = URL_SAFE_NO_PAD.decode(header).unwrap();
        if String::from_utf8(header).unwrap().contains(&format!("\"{kid}\"")) {
            return SystemClock::default().steady();
        }
    }
}
