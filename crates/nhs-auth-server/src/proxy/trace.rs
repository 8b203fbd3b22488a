//! What traces tell of a request (OpenTelemetry), with the feature `otel`.
//!
//! Without the feature the same names stand for nothing, and cost nothing: nobody else has to ask
//! which of the two it is.

#[cfg(not(feature = "otel"))]
mod nothing;
#[cfg(feature = "otel")]
mod shown_path;
#[cfg(feature = "otel")]
mod spans;
#[cfg(feature = "otel")]
mod w3c;

#[cfg(not(feature = "otel"))]
pub(super) use self::nothing::{AppTraces, RequestTrace, TokenTrace, Traces};
#[cfg(feature = "otel")]
pub(super) use self::spans::{AppTraces, RequestTrace, TokenTrace, Traces};
