//! What happened, counted.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// How a request ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    Served,
    NotModified,
    Malformed,
    NotFound,
    MethodNotAllowed,
    TooManyHeaders,
    Unavailable,
}

/// The labels of each, at its place.
const LABELS: [[(&str, &str); 2]; 7] = [
    [("outcome", "served"), ("class", "2xx")],
    [("outcome", "not_modified"), ("class", "3xx")],
    [("outcome", "malformed"), ("class", "4xx")],
    [("outcome", "not_found"), ("class", "4xx")],
    [("outcome", "method_not_allowed"), ("class", "4xx")],
    [("outcome", "too_many_headers"), ("class", "4xx")],
    [("outcome", "unavailable"), ("class", "5xx")],
];

/// The counters, found once, so that a request only adds.
pub(crate) struct Counts {
    requests: Family<[(&'static str, &'static str); 2], Counter>,
    by_outcome: [Counter; LABELS.len()],
    pub(crate) publications: Counter,
    pub(crate) withdrawals: Counter,
    pub(crate) reload_failures: Counter,
}

impl Counts {
    pub(crate) fn count(&self, outcome: Outcome) {
        self.by_outcome[outcome as usize].inc();
    }

    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register("requests", "Requests, by what came of them", self.requests.clone());
        let help = "Key sets that were published, the same ones again too";
        registry.register("publications", help, self.publications.clone());
        let help = "How often the key set was withdrawn";
        registry.register("withdrawals", help, self.withdrawals.clone());
        let help = "How often the keys could not be read again";
        registry.register("reload_failures", help, self.reload_failures.clone());
    }
}

impl Default for Counts {
    fn default() -> Self {
        let requests = Family::<_, Counter>::default();
        Self {
            by_outcome: LABELS.map(|labels| requests.get_or_create_owned(&labels)),
            requests,
            publications: Counter::default(),
            withdrawals: Counter::default(),
            reload_failures: Counter::default(),
        }
    }
}
