//! Whether the proxy should get requests, and what is told of it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use super::app::{self, ProxyApp};
use super::forward::Shared;
use super::key_ages::{KeyAges, KeyAgesOf};
use super::metrics::{AppAges, Standing};
use crate::serving::admin::{Operated, Readiness};
use crate::serving::{Seats, Stop};

/// How long a token is waited for when somebody asks whether one can be had.
const PATIENCE: Duration = Duration::from_secs(5);

/// The proxy, as those see it who run it.
pub(super) struct Watch {
    pub(super) shared: Arc<Shared>,
    pub(super) seats: Seats,
    pub(super) stop: Stop,
    pub(super) troubles: Troubles,
    pub(super) key_ages: KeyAges,
}

/// What is wrong beside tokens: a configuration that can't be read, say.
#[derive(Clone, Debug, Default)]
pub(super) struct Troubles(Arc<Mutex<Option<String>>>);

impl Troubles {
    pub(super) fn set(&self, trouble: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Watch {
    async fn judge(&self) -> Readiness {
        if self.stop.is_said() {
            return Readiness::NotReady("the proxy stops".to_owned());
        }
        let apps = self.shared.table.load().apps.clone();
        let (mut without, mut wrong) = (Vec::new(), Vec::new());
        let mut asked = JoinSet::new();
        for app in &apps {
            let app = app.clone();
            asked.spawn(async move { standing_of(&app).await });
        }
        for standing in asked.join_all().await {
            match standing {
                Readiness::Ready => {}
                Readiness::Degraded(why) => wrong.push(why),
                Readiness::NotReady(why) => without.push(why),
            }
        }
        // One application's trouble is not that of the others.
        if !without.is_empty() && without.len() == apps.len() {
            return Readiness::NotReady(without.join("; "));
        }
        wrong.extend(without);
        wrong.extend(self.troubles.get());
        if wrong.is_empty() { Readiness::Ready } else { Readiness::Degraded(wrong.join("; ")) }
    }

    /// The same without asking for anything.
    fn judge_by_what_is_known(&self) -> (bool, bool) {
        let table = self.shared.table.load();
        let states: Vec<_> = table.apps.iter().map(|app| app.tokens().state()).collect();
        let is_without =
            |state: &nhs_auth::TokenState| state.held.is_none() && state.failure.is_some();
        let without = states.iter().filter(|state| is_without(state)).count();
        let ready = !self.stop.is_said() && (states.is_empty() || without < states.len());
        let failing = states.iter().any(|state| state.failure.is_some());
        (ready, failing || self.troubles.get().is_some())
    }
}

/// How one application's tokens stand. Where nobody has asked for one, this does.
async fn standing_of(app: &ProxyApp) -> Readiness {
    let named = |text: String| format!("{}: {text}", app.name());
    let state = app.tokens().state();
    match (state.held, state.failure) {
        (Some(_), None) => Readiness::Ready,
        (Some(held), Some(error)) => {
            let left = held.expires_at().map_or(0, |end| end.0.saturating_sub(app::now().0).max(0));
            let left = left / 1000;
            Readiness::Degraded(named(format!(
                "the token can't be renewed, and serves for {left} s more: {error}"
            )))
        }
        (None, _) => match timeout(PATIENCE, app.tokens().token()).await {
            Ok(Ok(_)) => Readiness::Ready,
            Ok(Err(error)) => Readiness::NotReady(named(error.to_string())),
            Err(_) => {
                Readiness::NotReady(named(format!("no token came within {} s", PATIENCE.as_secs())))
            }
        },
    }
}

impl Operated for Watch {
    fn readiness(&self) -> Pin<Box<dyn Future<Output = Readiness> + Send + '_>> {
        Box::pin(self.judge())
    }

    fn metrics(&self) -> String {
        let table = self.shared.table.load();
        let now = app::now();
        let seconds = |millis: i64| {
            #[expect(clippy::cast_precision_loss, reason = "ages are far below 2^52 ms")]
            let seconds = millis as f64 / 1000.0;
            seconds
        };
        let ages = |app: &ProxyApp| {
            let held = app.tokens().state().held;
            let end = held.as_ref().and_then(|held| held.expires_at());
            let KeyAgesOf { key_s, jwks_s } = self.key_ages.of(app.name());
            AppAges {
                app: app.name().to_owned(),
                token_age_s: held.as_ref().map(|held| seconds(now.0 - held.requested_at.0)),
                token_expires_in_s: end.map(|end| seconds(end.0 - now.0)),
                key_age_s: key_s,
                jwks_age_s: jwks_s,
            }
        };
        let skew = table.apps.first().map_or(0, |app| app.client().clock_skew().millis());
        let (ready, degraded) = self.judge_by_what_is_known();
        self.shared.metrics.text(&Standing {
            apps: table.apps.iter().map(ages).collect(),
            clock_skew_s: seconds(skew),
            open_connections: self.seats.taken(),
            ready,
            degraded,
        })
    }
}
