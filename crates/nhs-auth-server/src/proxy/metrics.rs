//! What happens, counted.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Seconds: from an API next door to one that takes its time.
const BUCKETS: [f64; 13] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

type Labels<const N: usize> = [(&'static str, String); N];
type RealGauge = Gauge<f64, AtomicU64>;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The caller went away before there was an answer.
    Cancelled,
    /// The API's answer ended before its end.
    CutOff,
    /// The API answered.
    Forwarded,
    /// There was no token.
    NoToken,
    /// The proxy itself said no.
    Refused,
    /// The API did not answer in time.
    TimedOut,
    /// The token endpoint answered.
    Token,
    /// There was no connection, or it was lost.
    Unreachable,
}

impl Outcome {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::CutOff => "cut_off",
            Self::Forwarded => "forwarded",
            Self::NoToken => "no_token",
            Self::Refused => "refused",
            Self::TimedOut => "timed_out",
            Self::Token => "token",
            Self::Unreachable => "unreachable",
        }
    }
}

/// Everything that is told at `/metrics`.
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<Labels<3>, Counter>,
    request_duration: Family<Labels<1>, Histogram, fn() -> Histogram>,
    upstream_duration: Family<Labels<1>, Histogram, fn() -> Histogram>,
    retries: Family<Labels<1>, Counter>,
    token_requests: Family<Labels<2>, Counter>,
    token_refusals: Family<Labels<2>, Counter>,
    store_operations: Family<Labels<2>, Counter>,
    reloads: Family<Labels<1>, Counter>,
    gauges: Gauges,
    pub(super) connection_failures: Counter,
}

/// What is looked at when somebody asks.
#[derive(Clone, Default)]
struct Gauges {
    token_age: Family<Labels<1>, RealGauge>,
    token_expires_in: Family<Labels<1>, RealGauge>,
    key_age: Family<Labels<1>, RealGauge>,
    jwks_age: Family<Labels<1>, RealGauge>,
    clock_skew: RealGauge,
    open_connections: Gauge,
    ready: Gauge,
    degraded: Gauge,
}

/// One application's, for those who ask tokens for it.
#[derive(Clone, Debug, Default)]
pub(super) struct AppCounts {
    requests: Family<Labels<2>, Counter>,
    refusals: Family<Labels<2>, Counter>,
    app: String,
}

/// One route's counters, found once, so that a request only adds.
#[derive(Clone)]
pub(super) struct RouteCounts {
    requests: Family<Labels<3>, Counter>,
    forwarded: [Counter; 5],
    request_duration: Histogram,
    upstream_duration: Histogram,
    pub(super) retries: Counter,
    route: String,
}

/// How an application's tokens and keys stand.
pub(super) struct AppAges {
    pub(super) app: String,
    pub(super) token_age_s: Option<f64>,
    pub(super) token_expires_in_s: Option<f64>,
    pub(super) key_age_s: Option<f64>,
    pub(super) jwks_age_s: Option<f64>,
}

/// How the whole stands.
pub(super) struct Standing {
    pub(super) apps: Vec<AppAges>,
    pub(super) clock_skew_s: f64,
    pub(super) open_connections: usize,
    pub(super) ready: bool,
    pub(super) degraded: bool,
}

fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("nhs_auth_proxy"),
            requests: Family::default(),
            request_duration: Family::new_with_constructor(histogram),
            upstream_duration: Family::new_with_constructor(histogram),
            retries: Family::default(),
            token_requests: Family::default(),
            token_refusals: Family::default(),
            store_operations: Family::default(),
            reloads: Family::default(),
            gauges: Gauges::default(),
            connection_failures: Counter::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("requests", "Requests, by what came of them", self.requests.clone());
        let help = "From a request's head to its answer's, with the wait for a token";
        registry.register("request_duration_seconds", help, self.request_duration.clone());
        let help = "From sending a request to the head of the API's answer";
        registry.register("upstream_duration_seconds", help, self.upstream_duration.clone());
        let help = "Requests that were sent again with a new token, after a 401";
        registry.register("retries", help, self.retries.clone());
        let help = "Token requests, by what came of them";
        registry.register("token_requests", help, self.token_requests.clone());
        let help =
            "Token requests that were refused, by the rule that the platform's text stands for";
        registry.register("token_refusals", help, self.token_refusals.clone());
        let help = "What the shared store of tokens was asked";
        registry.register("store_operations", help, self.store_operations.clone());
        let help = "How often the configuration was read again";
        registry.register("config_reloads", help, self.reloads.clone());
        let help = "Connections that failed: malformed requests, timeouts";
        registry.register("connection_failures", help, self.connection_failures.clone());
        self.gauges.register(registry);
        let build: Family<Labels<1>, Gauge> = Family::default();
        build.get_or_create(&[("version", env!("CARGO_PKG_VERSION").to_owned())]).set(1);
        registry.register("build_info", "Which version this is", build);
    }

    pub(super) fn of_route(&self, route: &str) -> RouteCounts {
        let requests = self.requests.clone();
        let one = [("route", route.to_owned())];
        let class = |class: &str| {
            let labels = labels(route, Outcome::Forwarded, class);
            requests.get_or_create_owned(&labels)
        };
        RouteCounts {
            forwarded: ["1xx", "2xx", "3xx", "4xx", "5xx"].map(class),
            request_duration: self.request_duration.get_or_create_owned(&one),
            upstream_duration: self.upstream_duration.get_or_create_owned(&one),
            retries: self.retries.get_or_create_owned(&one),
            route: route.to_owned(),
            requests,
        }
    }

    /// Counts what no route is for: what goes to the proxy itself, and what is refused.
    pub(super) fn of_none(&self, route: &str) -> RouteCounts {
        RouteCounts {
            requests: self.requests.clone(),
            forwarded: Default::default(),
            request_duration: histogram(),
            upstream_duration: histogram(),
            retries: Counter::default(),
            route: route.to_owned(),
        }
    }

    pub(super) fn of_app(&self, app: &str) -> AppCounts {
        AppCounts {
            requests: self.token_requests.clone(),
            refusals: self.token_refusals.clone(),
            app: app.to_owned(),
        }
    }

    pub(super) fn reloaded(&self, well: bool) {
        let outcome = if well { "ok" } else { "failed" };
        self.reloads.get_or_create(&[("outcome", outcome.to_owned())]).inc();
    }

    pub(super) fn store_operated(&self, operation: &'static str, well: bool) {
        let outcome = if well { "ok" } else { "failed" };
        let labels = [("operation", operation.to_owned()), ("outcome", outcome.to_owned())];
        self.store_operations.get_or_create(&labels).inc();
    }

    /// Everything, as OpenMetrics text.
    pub(super) fn text(&self, standing: &Standing) -> String {
        self.gauges.show(standing);
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a string can always be written to");
        text
    }
}

impl RouteCounts {
    /// An API's answer was passed on.
    pub(super) fn forwarded(&self, status: http::StatusCode, whole: Duration) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        self.forwarded[class].inc();
        self.request_duration.observe(whole.as_secs_f64());
    }

    /// A request ended otherwise, with an answer of our own or none.
    pub(super) fn ended(&self, outcome: Outcome, status: Option<http::StatusCode>) {
        let class = status.map_or("none".to_owned(), |it| format!("{}xx", it.as_u16() / 100));
        self.requests.get_or_create(&labels(&self.route, outcome, &class)).inc();
    }

    /// The API has answered.
    pub(super) fn upstream_answered(&self, after: Duration) {
        self.upstream_duration.observe(after.as_secs_f64());
    }
}

fn labels(route: &str, outcome: Outcome, class: &str) -> Labels<3> {
    [
        ("route", route.to_owned()),
        ("outcome", outcome.name().to_owned()),
        ("class", class.to_owned()),
    ]
}

impl AppCounts {
    pub(super) fn requested(&self, outcome: &'static str) {
        let labels = [("app", self.app.clone()), ("outcome", outcome.to_owned())];
        self.requests.get_or_create(&labels).inc();
    }

    pub(super) fn refused(&self, rule: String) {
        self.refusals.get_or_create(&[("app", self.app.clone()), ("rule", rule)]).inc();
    }
}

impl Gauges {
    fn register(&self, registry: &mut Registry) {
        for (name, help, family) in [
            ("token_age_seconds", "How long ago the token was asked for", &self.token_age),
            ("token_expires_in_seconds", "How long the token still lives", &self.token_expires_in),
            ("key_age_seconds", "How long ago the signing key was made", &self.key_age),
            ("jwks_age_seconds", "How long ago the key set changed last", &self.jwks_age),
        ] {
            registry.register(name, help, family.clone());
        }
        let help = "The platform's clock less this machine's, as its last answer showed";
        registry.register("clock_skew_seconds", help, self.clock_skew.clone());
        for (name, help, gauge) in [
            ("open_connections", "Connections of callers", &self.open_connections),
            ("ready", "1 while a token can be had, 0 otherwise", &self.ready),
            ("degraded", "1 while something is wrong that /readyz tells", &self.degraded),
        ] {
            registry.register(name, help, gauge.clone());
        }
    }

    fn show(&self, standing: &Standing) {
        for (family, value) in [
            (&self.token_age, (|app| app.token_age_s) as fn(&AppAges) -> Option<f64>),
            (&self.token_expires_in, |app| app.token_expires_in_s),
            (&self.key_age, |app| app.key_age_s),
            (&self.jwks_age, |app| app.jwks_age_s),
        ] {
            family.clear();
            for app in &standing.apps {
                if let Some(value) = value(app) {
                    family.get_or_create(&[("app", app.app.clone())]).set(value);
                }
            }
        }
        self.clock_skew.set(standing.clock_skew_s);
        self.open_connections.set(i64::try_from(standing.open_connections).unwrap_or(i64::MAX));
        self.ready.set(i64::from(standing.ready));
        self.degraded.set(i64::from(standing.degraded));
    }
}
