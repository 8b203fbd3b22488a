//! The collector, as an HTTP server that may be there or not.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{Request, Response};
use opentelemetry_http::{Bytes, HttpClient, HttpError};
use reqwest::redirect::Policy;
use tokio::runtime::Handle;

/// Sends batches on a runtime that is there already: the thread that asks for it has none.
#[derive(Debug)]
pub(super) struct Collector {
    client: reqwest::Client,
    runtime: Handle,
    /// Whether the last batch was lost.
    is_away: AtomicBool,
}

impl Collector {
    /// A collector that may take so long for each answer. Nothing is sent yet.
    #[expect(clippy::disallowed_methods, reason = "no call of the platform's: its own bounds")]
    pub(super) fn new(
        endpoint: &str,
        patience: Duration,
        runtime: Handle,
    ) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder().timeout(patience).redirect(Policy::none());
        // One that is on plain http needs no certificate authorities of this machine.
        let client = if endpoint.starts_with("http://") {
            client.tls_certs_only(Vec::new())
        } else {
            client
        };
        Ok(Self { client: client.build()?, runtime, is_away: AtomicBool::new(false) })
    }

    /// Tells once that it went away, and once that it is back.
    fn answered(&self, well: bool) {
        let was_away = self.is_away.swap(!well, Ordering::Relaxed);
        match (was_away, well) {
            (false, false) => tracing::warn!("the collector takes no traces: they are lost"),
            (true, true) => tracing::info!("the collector takes traces again"),
            _ => {}
        }
    }
}

#[async_trait::async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sent = self.runtime.spawn(async move {
            let request = reqwest::Request::try_from(request.map(reqwest::Body::from))?;
            let answer = client.execute(request).await?;
            let status = answer.status();
            let body = answer.bytes().await?;
            let mut response = Response::new(body);
            *response.status_mut() = status;
            Ok::<_, reqwest::Error>(response)
        });
        let answer = match sent.await {
            Ok(answer) => answer.map_err(HttpError::from),
            Err(error) => Err(HttpError::from(error)),
        };
        self.answered(answer.as_ref().is_ok_and(|answer| answer.status().is_success()));
        answer
    }
}
