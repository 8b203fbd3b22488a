//! How requests go out: the SDK's pipelines, over HTTP clients that are made here.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::error::ErrorKind;
use azure_core::http::{
    AsyncRawResponse, ClientOptions, HttpClient, Request, RetryOptions, Transport,
};
use reqwest::redirect::Policy;

const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// A machine's identity service is on the same host or nowhere.
const CONNECT_TO_METADATA_WITHIN: Duration = Duration::from_secs(1);

/// For vaults and for Microsoft Entra ID. What is tried again is decided by who calls.
pub(super) fn network() -> azure_core::Result<ClientOptions> {
    let client = client(reqwest::ClientBuilder::connect_timeout, CONNECT_WITHIN)?;
    Ok(ClientOptions { retry: RetryOptions::none(), ..options(Arc::new(client)) })
}

/// For a stand-in for a vault, on this machine and without TLS.
pub(super) fn plain_loopback() -> azure_core::Result<ClientOptions> {
    let client = Plain(client(local, CONNECT_WITHIN)?);
    Ok(ClientOptions { retry: RetryOptions::none(), ..options(Arc::new(client)) })
}

/// For the identity service of a machine in Azure, which is asked again as the SDK sees fit.
pub(super) fn metadata() -> azure_core::Result<ClientOptions> {
    Ok(options(Arc::new(Metadata(client(local, CONNECT_TO_METADATA_WITHIN)?))))
}

fn options(client: Arc<dyn HttpClient>) -> ClientOptions {
    ClientOptions { transport: Some(Transport::new(client)), ..ClientOptions::default() }
}

fn local(builder: reqwest::ClientBuilder, connect_within: Duration) -> reqwest::ClientBuilder {
    builder.connect_timeout(connect_within).no_proxy().tls_certs_only(Vec::new())
}

/// Without redirects, each of which would carry a token to wherever it points.
#[expect(clippy::disallowed_methods, reason = "the one place of this crate")]
fn client(
    set: impl FnOnce(reqwest::ClientBuilder, Duration) -> reqwest::ClientBuilder,
    connect_within: Duration,
) -> azure_core::Result<reqwest::Client> {
    let builder = reqwest::Client::builder()
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .tls_version_min(reqwest::tls::Version::TLS_1_2);
    set(builder, connect_within).build().map_err(|error| {
        azure_core::Error::with_error(ErrorKind::Other, error, "no certificate authorities")
    })
}

/// The SDK sends no token without TLS, and is right. To a loopback address no TLS is needed: it is
/// told `https`, and this takes the `s` away again. It is used for URIs that say so alone.
#[derive(Debug)]
struct Plain(reqwest::Client);

#[async_trait]
impl HttpClient for Plain {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let mut request = request.clone();
        let url = request.url_mut();
        let port = url.port_or_known_default();
        if url.set_scheme("http").and_then(|()| url.set_port(port)).is_err() {
            return Err(azure_core::Error::with_message(ErrorKind::Other, "no URL of HTTP"));
        }
        self.0.execute_request(&request).await
    }
}

/// Where nobody listens there is no identity service, and waiting for one is no use.
#[derive(Debug)]
struct Metadata(reqwest::Client);

#[async_trait]
impl HttpClient for Metadata {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let answer = self.0.execute_request(request).await;
        answer.map_err(|error| match error.kind() {
            ErrorKind::Connection => azure_core::Error::with_message(
                ErrorKind::Credential,
                "this machine has no identity service",
            ),
            _ => error,
        })
    }
}
