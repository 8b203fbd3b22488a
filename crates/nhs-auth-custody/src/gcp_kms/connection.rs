//! Google's client for one endpoint, made anew when its credential has expired.

use google_cloud_auth::credentials::{Credentials, anonymous};
use google_cloud_gax::retry_policy::NeverRetry;
use google_cloud_kms_v1::client::KeyManagementService;
use nhs_auth::CustodyErrorKind;
use tokio::sync::Mutex;

use super::fault::NO_TOKEN;
use super::uri::Endpoint;
use crate::call::{Calls, Fault};

pub(super) struct Connection {
    pub(super) endpoint: Option<Endpoint>,
    /// None for the environment's.
    given: Option<Credentials>,
    client: Mutex<Option<KeyManagementService>>,
}

impl Connection {
    pub(super) fn new(endpoint: Option<Endpoint>, given: Option<Credentials>) -> Self {
        Self { endpoint, given, client: Mutex::default() }
    }

    /// Asks what does no harm when it is carried out twice.
    pub(super) async fn ask<T, F>(
        &self,
        calls: &Calls,
        call: impl Fn(KeyManagementService) -> F,
    ) -> Result<T, Fault>
    where
        F: Future<Output = google_cloud_kms_v1::Result<T>>,
    {
        calls.repeatable(|| self.tried(&call)).await
    }

    /// Asks what must be carried out once at most.
    pub(super) async fn ask_once<T, F>(
        &self,
        calls: &Calls,
        call: impl Fn(KeyManagementService) -> F,
    ) -> Result<T, Fault>
    where
        F: Future<Output = google_cloud_kms_v1::Result<T>>,
    {
        calls.once(|| self.tried(&call)).await
    }

    async fn tried<T, F>(&self, call: &impl Fn(KeyManagementService) -> F) -> Result<T, Fault>
    where
        F: Future<Output = google_cloud_kms_v1::Result<T>>,
    {
        let answer = call(self.client().await?).await.map_err(Fault::from);
        let is_expired =
            answer.as_ref().is_err_and(|fault| fault.kind == CustodyErrorKind::SessionExpired);
        if !is_expired || self.given.is_some() {
            return answer;
        }
        // The library keeps a token to its end, and can't be told that it was refused.
        *self.client.lock().await = None;
        Ok(call(self.client().await?).await?)
    }

    async fn client(&self) -> Result<KeyManagementService, Fault> {
        let mut client = self.client.lock().await;
        if let Some(client) = &*client {
            return Ok(client.clone());
        }
        let made = self.make().await?;
        Ok(client.insert(made).clone())
    }

    async fn make(&self) -> Result<KeyManagementService, Fault> {
        let is_local = self.endpoint.as_ref().is_some_and(|endpoint| endpoint.is_local);
        let builder = KeyManagementService::builder().with_retry_policy(NeverRetry);
        let builder = match &self.given {
            Some(given) => builder.with_credentials(given.clone()),
            None if is_local => builder.with_credentials(anonymous::Builder::new().build()),
            None => builder,
        };
        let builder = match &self.endpoint {
            Some(endpoint) => builder.with_endpoint(endpoint.to_string()),
            None => builder,
        };
        builder.build().await.map_err(|error| {
            if error.is_default_credentials() {
                Fault::new(CustodyErrorKind::SessionExpired, NO_TOKEN)
            } else {
                Fault::failed("the client library could not be set up")
            }
        })
    }
}
