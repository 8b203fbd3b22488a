//! Calling an API with the credential that it wants.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderName};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use nhs_auth_rules::ApiKey;

use crate::http_client::{self, HttpClients};
use crate::{
    AccessToken, DestinationError, Destinations, Entropy, OsEntropy, TokenError, TokenSource,
};

/// Identifies a request, on the platform and for whoever asks about it later; the same over a
/// retry.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The header of access by API key.
pub const APIKEY: HeaderName = HeaderName::from_static("apikey");

/// How long an API may keep silent, before its answer and within it.
const SILENCE: Duration = Duration::from_secs(30);

/// How an API lets callers in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Access {
    /// Application-restricted, by API key alone: the header `apikey`.
    ApiKey(ApiKey),
    /// Open access: no credential.
    Open,
    /// Application-restricted, by signed JWT: an access token from this source.
    SignedJwt(TokenSource),
}

/// Calls APIs: adds the credential and `X-Request-ID`, passes everything else through, and follows
/// no redirect.
///
/// When an API answers 401 to a token, that token is dropped and the request sent once more with a
/// new one.
#[derive(Debug)]
pub struct ApiClient {
    http: HttpClients,
    access: Access,
    destinations: Destinations,
    entropy: Arc<dyn Entropy>,
}

impl ApiClient {
    /// A client with this access, that sends credentials to these destinations alone.
    pub fn new(access: Access, destinations: Destinations) -> Self {
        Self {
            http: HttpClients::with_silence(SILENCE),
            access,
            destinations,
            entropy: Arc::new(OsEntropy),
        }
    }

    /// The same with other randomness.
    pub fn with_entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = entropy;
        self
    }

    /// Sends a request, with a whole URL in it.
    ///
    /// The header of this client's own credential replaces one of the caller's. Everything else is
    /// passed through, an `apikey` beside a token included, which some APIs are called with. An `X-Request-ID` of the caller's own stays.
    ///
    /// # Errors
    ///
    /// [`CallError`]. An answer of any status is no error.
    pub async fn send(&self, mut request: Request<Bytes>) -> Result<ApiResponse, CallError> {
        let url = request.uri().to_string();
        if !matches!(self.access, Access::Open) {
            self.destinations.check(&url)?;
        }
        say_that_it_is_empty(&mut request);
        self.name(request.headers_mut());
        match &self.access {
            Access::Open => self.exchange(request).await,
            Access::ApiKey(api_key) => {
                let mut value = HeaderValue::try_from(api_key.as_str())
                    .map_err(|_| CallError::ApiKeyNotSendable)?;
                value.set_sensitive(true);
                request.headers_mut().insert(APIKEY, value);
                self.exchange(request).await
            }
            Access::SignedJwt(tokens) => self.send_with_token(tokens, request).await,
        }
    }

    /// Sends a request as a user, with that user's access token in place of this client's own
    /// credential: for APIs with user-restricted access. [`Sessions::send`](crate::Sessions::send)
    /// also renews it when the API doesn't take it.
    ///
    /// # Errors
    ///
    /// [`CallError`]. An answer of any status is no error.
    pub async fn send_as(
        &self,
        user: &AccessToken,
        mut request: Request<Bytes>,
    ) -> Result<ApiResponse, CallError> {
        self.destinations.check(&request.uri().to_string())?;
        say_that_it_is_empty(&mut request);
        self.name(request.headers_mut());
        self.exchange(authorized(request, user)).await
    }

    async fn send_with_token(
        &self,
        tokens: &TokenSource,
        request: Request<Bytes>,
    ) -> Result<ApiResponse, CallError> {
        let token = tokens.token().await.map_err(CallError::Token)?;
        let response = self.exchange(authorized(request.clone(), &token)).await?;
        if response.status() != StatusCode::UNAUTHORIZED || !tokens.reject(&token) {
            return Ok(response);
        }
        tracing::debug!("the API answered 401: one more attempt with a new token");
        match tokens.token().await {
            Ok(token) => {
                let response = self.exchange(authorized(request, &token)).await?;
                if response.status() == StatusCode::UNAUTHORIZED {
                    tokens.renewal_was_in_vain();
                }
                Ok(response)
            }
            // The API's own answer tells more than that there is no other token.
            Err(_) => Ok(response),
        }
    }

    pub(crate) fn name(&self, headers: &mut HeaderMap) {
        headers.entry(X_REQUEST_ID).or_insert_with(|| {
            HeaderValue::try_from(self.entropy.uuid().to_string()).expect("a UUID is ASCII")
        });
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<ApiResponse, CallError> {
        let url = request.uri().to_string();
        let request_id = request.headers().get(X_REQUEST_ID).cloned();
        let request = reqwest::Request::try_from(request).map_err(|error| lost(&url, &error))?;
        tracing::debug!(url = without_query(&url), method = %request.method(), "request");
        let http = self.http.reaching(&url).map_err(CallError::NoHttpClient)?;
        let response = http.execute(request).await.map_err(|error| lost(&url, &error))?;
        tracing::debug!(status = response.status().as_u16(), "answer");
        Ok(ApiResponse { response, url, request_id })
    }
}

fn authorized(mut request: Request<Bytes>, token: &AccessToken) -> Request<Bytes> {
    request.headers_mut().insert(AUTHORIZATION, token.to_header_value());
    request
}

/// An API's answer, its body still on the way.
#[derive(Debug)]
pub struct ApiResponse {
    response: reqwest::Response,
    url: String,
    request_id: Option<HeaderValue>,
}

impl ApiResponse {
    /// HTTP status.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The URL that was called.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The `X-Request-ID` that was sent.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_ref()?.to_str().ok()
    }

    /// The next piece of the body, as it arrives; `None` at its end.
    ///
    /// # Errors
    ///
    /// [`CallError::CutOff`] when the connection ends before the body does.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, CallError> {
        self.response.chunk().await.map_err(|error| match lost(&self.url, &error) {
            CallError::Unreachable { url, reason } => CallError::CutOff { url, reason },
            other => other,
        })
    }
}

/// A method that has a body by its meaning says so when there is none (RFC 9110 §8.6): some
/// servers answer 411 otherwise.
fn say_that_it_is_empty(request: &mut Request<Bytes>) {
    let expects_body = matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH);
    if expects_body && request.body().is_empty() {
        request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
}

/// Queries of these APIs hold patients' numbers and names, which are not for a log.
fn without_query(url: &str) -> &str {
    url.split_once('?').map_or(url, |(url, _)| url)
}

fn lost(url: &str, error: &reqwest::Error) -> CallError {
    let url = url.to_owned();
    if error.is_timeout() && !error.is_connect() {
        return CallError::TimedOut { url, after: SILENCE };
    }
    CallError::Unreachable { url, reason: http_client::causes(error) }
}

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The API key has characters that no header can carry.
    #[error("the API key has characters that no header can carry")]
    ApiKeyNotSendable,
    /// The body ended before its end.
    #[error("the answer of {url} was cut off: {reason}")]
    CutOff {
        /// The URL.
        url: String,
        /// What the network said.
        reason: String,
    },
    /// The credential may not go there. Nothing was sent.
    #[error(transparent)]
    Destination(#[from] DestinationError),
    /// The HTTP client can't be made.
    #[error("can't make an HTTP client: {0}")]
    NoHttpClient(String),
    /// No token could be had, so nothing was sent to the API.
    #[error(transparent)]
    Token(Arc<TokenError>),
    /// The server kept silent for too long.
    #[error("{url} kept silent for {} s", after.as_secs())]
    TimedOut {
        /// The URL.
        url: String,
        /// For how long.
        after: Duration,
    },
    /// No connection, or one that was lost.
    #[error("can't reach {url}: {reason}")]
    Unreachable {
        /// The URL.
        url: String,
        /// What the network said.
        reason: String,
    },
}
