//! Traces to a collector, by OTLP over HTTP, as OpenTelemetry's own variables of the environment
//! say. Without an endpoint among them there are none.

use std::time::Duration;

use nhs_auth_server::ProxyServerBuilder;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use url::Url;

use super::collector::Collector;
use super::resource;
use crate::console::Console;
use crate::failure::Failure;

/// How long the last traces may take on their way once the sidecar has stopped.
const PARTING: Duration = Duration::from_secs(3);

/// How long a collector may take for an answer, unless the environment says otherwise.
const PATIENCE: Duration = Duration::from_secs(10);

pub(in crate::commands::proxy) struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Traces as the environment wants them. They are sent on `runtime`.
    pub(in crate::commands::proxy) fn of_environment(
        runtime: &Handle,
        console: Console,
    ) -> Result<Self, Failure> {
        let is_off = variable("OTEL_SDK_DISABLED")
            .is_some_and(|it| it.eq_ignore_ascii_case("true"))
            || variable("OTEL_TRACES_EXPORTER").is_some_and(|it| it == "none");
        let Some(endpoint) = of_traces("ENDPOINT").filter(|_| !is_off) else {
            return Ok(Self(None));
        };
        // It may have a password in it, and is not shown.
        if !Url::parse(&endpoint).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
            return Err(unusable(&"the endpoint is no http or https URL"));
        }
        let protocol = protocol()?;
        let patience = of_traces("TIMEOUT").and_then(|millis| millis.parse().ok());
        let patience = patience.map_or(PATIENCE, Duration::from_millis);
        let collector = Collector::new(&endpoint, patience, runtime.clone());
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(collector.map_err(|reason| unusable(&reason))?)
            .with_protocol(protocol)
            .build()
            .map_err(|error| unusable(&error))?;
        let provider = SdkTracerProvider::builder()
            .with_resource(resource::of_environment())
            .with_batch_exporter(exporter)
            .build();
        console.note("traces are sent to the collector of OTEL_EXPORTER_OTLP_ENDPOINT");
        Ok(Self(Some(provider)))
    }

    pub(in crate::commands::proxy) fn told_by(
        &self,
        builder: ProxyServerBuilder,
    ) -> ProxyServerBuilder {
        match &self.0 {
            Some(provider) => builder.traces(provider),
            None => builder,
        }
    }

    /// Sends the last ones, and doesn't wait long for that.
    pub(in crate::commands::proxy) fn finish(self) {
        if let Some(provider) = self.0
            && provider.shutdown_with_timeout(PARTING).is_err()
        {
            tracing::warn!("the last traces could not be sent");
        }
    }
}

fn protocol() -> Result<Protocol, Failure> {
    match of_traces("PROTOCOL").as_deref() {
        None | Some("http/protobuf") => Ok(Protocol::HttpBinary),
        Some("http/json") => Ok(Protocol::HttpJson),
        Some(other) => Err(unusable(&format!("there is no `{other}`"))
            .hint("http/protobuf and http/json are there; the port is 4318 as a rule")),
    }
}

fn unusable(reason: &impl std::fmt::Display) -> Failure {
    Failure::usage(format!("traces can't be sent as OTEL_EXPORTER_OTLP_* say: {reason}"))
}

/// The variable for traces, or the one for all that OpenTelemetry sends.
fn of_traces(what: &str) -> Option<String> {
    variable(&format!("OTEL_EXPORTER_OTLP_TRACES_{what}"))
        .or_else(|| variable(&format!("OTEL_EXPORTER_OTLP_{what}")))
}

/// A variable of OpenTelemetry's. An empty one is none.
#[expect(
    clippy::disallowed_methods,
    reason = "these variables are OpenTelemetry's, for all programs"
)]
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
