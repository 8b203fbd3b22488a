//! How old keys are, of applications that sign by a key ring.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use nhs_auth::{KeyRing, Moment};
use tokio::time::sleep;

use super::app;
use super::route::Table;

/// How often the rings are looked at.
const PERIOD: Duration = Duration::from_mins(1);

/// What was found when they were looked at last.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyAges(Arc<Mutex<HashMap<String, Since>>>);

/// When an application's active key was made, and its key set last changed, in milliseconds since
/// 1970.
#[derive(Clone, Copy, Debug, Default)]
struct Since {
    key: Option<i64>,
    jwks: Option<i64>,
}

/// Ages in seconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct KeyAgesOf {
    pub(super) key_s: Option<f64>,
    pub(super) jwks_s: Option<f64>,
}

impl KeyAges {
    /// Looks at the rings again and again.
    pub(super) async fn follow(&self, table: &ArcSwap<Table>) -> Infallible {
        loop {
            let apps = table.load().apps.clone();
            let mut found = HashMap::new();
            for app in &apps {
                if let Some(ring) = app.ring() {
                    found.insert(app.name().to_owned(), look_at(ring).await);
                }
            }
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = found;
            sleep(PERIOD).await;
        }
    }

    pub(super) fn of(&self, app: &str) -> KeyAgesOf {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = found.get(app).copied().unwrap_or_default();
        let now = app::now().0;
        #[expect(clippy::cast_precision_loss, reason = "ages are far below 2^52 ms")]
        let age = |then: i64| now.saturating_sub(then).max(0) as f64 / 1000.0;
        KeyAgesOf { key_s: since.key.map(age), jwks_s: since.jwks.map(age) }
    }
}

async fn look_at(ring: &KeyRing) -> Since {
    // That it can't be read is told by whoever signs with it.
    let Ok(content) = ring.content().await else { return Since::default() };
    let millis = |moment: &Moment| moment.at().to_millis().0;
    Since {
        key: content.active().map(|key| millis(&key.made)),
        jwks: content.keys().iter().map(|key| millis(key.state.since())).max(),
    }
}
