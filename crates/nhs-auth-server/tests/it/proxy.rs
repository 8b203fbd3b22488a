//! The sidecar from outside: callers, the platform and the APIs are all played by the tests, down
//! to the last byte.

mod bodies;
mod cuts;
mod doors;
mod hardening;
mod headers;
mod http2;
mod operating;
mod own_answers;
mod passing;
mod peer;
mod platform;
mod retries;
mod secure;
mod sidecar;
mod tokens;
mod trace_context;
#[cfg(feature = "otel")]
mod traces;
mod upstream;
