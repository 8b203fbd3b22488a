//! The binary from outside: its standard output, its exit codes, its files.

#![expect(clippy::unwrap_used, reason = "a test stops where it can't go on")]

mod browser;
mod call_api;
#[cfg(feature = "otel")]
mod collector;
mod commands_in_docs;
mod configuration;
mod diagnose;
mod diagnose_bundle;
mod diagnose_live;
mod diagnose_reports;
mod examples;
mod exchange_token;
mod explain;
mod generate_keys;
mod get_token;
mod installed;
mod interop;
mod keys_elsewhere;
mod load;
mod mock_and_demo;
mod mock_control;
mod packaging;
mod proxy_clients;
mod proxy_conformance;
mod proxy_faults;
mod proxy_guide;
mod proxy_logs;
mod proxy_refusals;
mod proxy_routes;
mod proxy_supervised;
#[cfg(feature = "otel")]
mod proxy_traces;
mod recipes;
mod rotate_keys;
mod running_mock;
mod running_proxy;
mod scene;
mod serve_jwks;
mod sign_assertion;
mod sign_in;
mod upstream;
mod waiting;
