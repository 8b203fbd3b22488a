//! The sidecar: a reverse proxy beside an application, which turns each request into an authorised
//! one.

mod alarm;
mod answer_body;
mod answer_head;
mod api_body;
mod app;
mod builder;
mod connections;
mod connector;
mod counted_store;
mod egress;
mod expectation;
mod failure;
mod forward;
mod gate;
mod hop;
mod http1;
mod key_ages;
mod listen;
mod metrics;
mod outgoing;
mod peek;
mod problem;
mod readiness;
mod route;
mod sent_body;
mod server;
mod silence;
mod token_endpoint;
mod trace;
mod trust;
mod upstream;
mod user_tokens;

pub use self::app::ProxyApp;
pub use self::builder::{ProxyMetrics, ProxyServerBuilder};
pub use self::egress::EgressProxies;
pub use self::listen::{ProxyAddress, ProxyListen};
pub use self::route::{InvalidRoutes, ProxyRoutes, Route, RouteAccess};
pub use self::server::{ProxyReloader, ProxyServer};
pub use self::trust::TrustError;
pub use self::upstream::{InvalidUpstream, Upstream};
