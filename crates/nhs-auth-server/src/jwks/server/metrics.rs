//! What is told of a server to those who watch it.

use std::pin::Pin;
use std::sync::Arc;

use nhs_auth::UnixMillis;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::jwks::endpoint::{JwksEndpoint, JwksState};
use crate::serving::admin::{Operated, Readiness};
use crate::serving::{Seats, Stop};
use crate::tls::Tls;

/// The counters that are always right, and the gauges that are set when somebody looks.
pub(super) struct Metrics {
    endpoint: JwksEndpoint,
    seats: Seats,
    tls: Option<Arc<Tls>>,
    stop: Stop,
    registry: Registry,
    gauges: Gauges,
}

#[derive(Default)]
struct Gauges {
    serving: Gauge,
    keys: Gauge,
    since_change: Gauge,
    since_confirmed: Gauge,
    connections: Gauge,
    certificate_expires: Gauge,
}

impl Metrics {
    pub(super) fn new(
        endpoint: JwksEndpoint,
        seats: Seats,
        tls: Option<Arc<Tls>>,
        failures: Counter,
        stop: Stop,
    ) -> Self {
        let gauges = Gauges::default();
        let mut registry = Registry::with_prefix("nhs_auth_jwks");
        endpoint.counts().register(&mut registry);
        let help = "Connections that failed: malformed requests, timeouts, TLS handshakes";
        registry.register("connection_failures", help, failures);
        gauges.register(&mut registry);
        if let Some(tls) = &tls {
            let help = "How often the certificate and its key could not be read again";
            registry.register("tls_reload_failures", help, tls.reload_failures.clone());
            let help = "When the certificate expires, in seconds since 1970";
            let gauge = gauges.certificate_expires.clone();
            registry.register("certificate_expires_timestamp_seconds", help, gauge);
        }
        Self { endpoint, seats, tls, stop, registry, gauges }
    }

    /// Why this server should get no requests, if it should not.
    fn not_ready(&self) -> Option<String> {
        if self.stop.is_said() {
            return Some("the server stops".to_owned());
        }
        self.endpoint.state().not_ready().map(str::to_owned)
    }
}

impl Operated for Metrics {
    fn readiness(&self) -> Pin<Box<dyn Future<Output = Readiness> + Send + '_>> {
        let readiness = self.not_ready().map_or(Readiness::Ready, Readiness::NotReady);
        Box::pin(std::future::ready(readiness))
    }

    fn metrics(&self) -> String {
        self.gauges.show(&self.endpoint.state(), self.endpoint.now());
        self.gauges.connections.set(i64::try_from(self.seats.taken()).unwrap_or(i64::MAX));
        if let Some(tls) = &self.tls {
            self.gauges.certificate_expires.set(tls.expires().0);
        }
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a string can always be written to");
        text
    }
}

impl Gauges {
    fn register(&self, registry: &mut Registry) {
        for (name, help, gauge) in [
            ("serving", "1 while a key set is served, 0 otherwise", &self.serving),
            ("keys", "Keys in the set that is served", &self.keys),
            (
                "key_set_unchanged_seconds",
                "For how long just these keys have been served",
                &self.since_change,
            ),
            (
                "key_set_age_seconds",
                "How long ago the keys that are served were published last",
                &self.since_confirmed,
            ),
            ("open_connections", "Connections to the public listener", &self.connections),
        ] {
            registry.register(name, help, gauge.clone());
        }
    }

    fn show(&self, state: &JwksState, now: UnixMillis) {
        let seconds_since = |then: UnixMillis| now.0.saturating_sub(then.0).max(0) / 1000;
        let served = state.served();
        self.serving.set(i64::from(served.is_some()));
        let keys = served.map_or(0, |served| served.key_ids.len());
        self.keys.set(i64::try_from(keys).unwrap_or(i64::MAX));
        self.since_change.set(served.map_or(0, |served| seconds_since(served.since)));
        self.since_confirmed.set(served.map_or(0, |served| seconds_since(served.confirmed)));
    }
}
