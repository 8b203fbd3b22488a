//! Asking for a token, attempt by attempt.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use nhs_auth_rules::UnixMillis;
use zeroize::Zeroizing;

use super::response::{self, MOST_BYTES, Refusal};
use super::{Backoff, IssuedToken, RefusalBody, TokenError, TokenErrorKind};
use crate::assertion::ClientAssertion;
use crate::http_client::{self, HttpClients};
use crate::{Application, Clock, ClockSkew, Entropy, OsEntropy, SystemClock};

/// How long one attempt may take.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);

/// How many attempts there are for faults that pass.
const MOST_ATTEMPTS: u32 = 3;

/// A server that asks for a longer wait than this is told of, and not waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

const BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(10));

/// Gets tokens from somewhere. [`TokenClient`] is the one that asks the platform.
pub trait TokenIssuer: fmt::Debug + Send + Sync {
    /// Gets an access token for the application.
    ///
    /// # Errors
    ///
    /// The future gives a [`TokenError`] when there is none.
    fn issue<'a>(
        &'a self,
        application: &'a Application,
    ) -> Pin<Box<dyn Future<Output = Result<IssuedToken, TokenError>> + Send + 'a>>;
}

impl TokenIssuer for TokenClient {
    fn issue<'a>(
        &'a self,
        application: &'a Application,
    ) -> Pin<Box<dyn Future<Output = Result<IssuedToken, TokenError>> + Send + 'a>> {
        Box::pin(self.request(application))
    }
}

/// Asks token endpoints for tokens (RFC 6749 §4.4, RFC 7523 §2.2).
///
/// Every attempt has an assertion of its own. Faults that pass (5xx, 429, no connection, no answer
/// in 30 s) are tried three times at most, with growing pauses or the server's `Retry-After`. A
/// refusal is final, but for one: when the platform finds `exp` wrong and its `Date` differs from
/// our clock by more than 10 s, one more attempt is made with the time corrected.
#[derive(Debug)]
pub struct TokenClient {
    http: HttpClients,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    attempt_timeout: Duration,
    /// Milliseconds; what the last answer's `Date` said.
    skew: AtomicI64,
}

impl TokenClient {
    /// A client by the machine's clock.
    pub fn new() -> Self {
        Self::with(Arc::new(SystemClock), Arc::new(OsEntropy))
    }

    /// A client by another clock, with other randomness.
    pub fn with(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            http: HttpClients::default(),
            clock,
            entropy,
            attempt_timeout: ATTEMPT_TIMEOUT,
            skew: AtomicI64::new(0),
        }
    }

    /// The same with another bound on how long an attempt may take. 30 s is the default.
    pub fn with_attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// How far our clock is from the platform's, as its last answer showed.
    pub fn clock_skew(&self) -> ClockSkew {
        ClockSkew::from_millis(self.skew.load(Ordering::Relaxed))
    }

    /// Where the time comes from.
    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Where randomness comes from.
    pub(crate) fn entropy(&self) -> &Arc<dyn Entropy> {
        &self.entropy
    }

    /// Gets an access token for the application.
    ///
    /// # Errors
    ///
    /// [`TokenError`], which says how often it was tried and what the last answer was.
    pub async fn request(&self, application: &Application) -> Result<IssuedToken, TokenError> {
        let mut attempts = 0;
        let mut clock_corrected = false;
        loop {
            attempts += 1;
            let attempted = self.attempt(application).await;
            let failure = match attempted {
                Ok(token) => return Ok(token),
                Err(failure) => failure,
            };
            tracing::debug!(attempts, kind = failure.name(), "token request failed");
            let wait = if failure.is_passing() && attempts < MOST_ATTEMPTS {
                let backoff = || BACKOFF.after(attempts, &*self.entropy);
                failure.retry_after.unwrap_or_else(backoff)
            } else if failure.is_about_exp()
                && self.clock_skew().is_remarkable()
                && !clock_corrected
            {
                clock_corrected = true;
                Duration::ZERO
            } else {
                return Err(failure.into_error(application, attempts));
            };
            if wait > LONGEST_WAIT {
                return Err(failure.into_error(application, attempts));
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Signs and sends, within one attempt's time: a signer may be far away too.
    async fn attempt(&self, application: &Application) -> Result<IssuedToken, Failure> {
        let attempt = async {
            let signing =
                application.sign_assertion(&*self.clock, self.clock_skew(), &*self.entropy);
            let assertion = signing.await.map_err(TokenErrorKind::Sign)?;
            self.send(application, assertion).await
        };
        match tokio::time::timeout(self.attempt_timeout, attempt).await {
            Ok(result) => result,
            Err(_) => Err(TokenErrorKind::TimedOut { after: self.attempt_timeout }.into()),
        }
    }

    /// Sends an assertion, which is the end of it.
    async fn send(
        &self,
        application: &Application,
        assertion: ClientAssertion,
    ) -> Result<IssuedToken, Failure> {
        let endpoint = application.endpoint();
        tracing::debug!(url = endpoint.url(), jti = assertion.jti(), "token request");
        let http = self.http.reaching(endpoint.url()).map_err(TokenErrorKind::NoHttpClient)?;
        let sent = self.clock.now();
        let response = http
            .post(endpoint.url())
            .header(CONTENT_TYPE, nhs_auth_rules::request::FORM_CONTENT_TYPE)
            .header(http::header::ACCEPT, "application/json")
            .body(Bytes::from_owner(assertion.into_form()))
            .send()
            .await
            .map_err(|error| Failure::from(connection(&error)))?;
        self.learn_skew(response.headers(), sent);
        let retry_after =
            retry_after(response.headers(), self.clock_skew().applied_to(self.clock.now()));
        let status = response.status();
        let is_html = is_html(response.headers());
        let read = match bounded_body(response).await {
            Ok(body) => response::read(status, is_html, &body, sent),
            Err(kind) => Err(Refusal::from(kind)),
        };
        read.map_err(|refusal| Failure { refusal, retry_after })
    }

    fn learn_skew(&self, headers: &HeaderMap, sent: UnixMillis) {
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        let learned = date.and_then(|date| ClockSkew::learn(date, sent, self.clock.now()));
        if let Some(skew) = learned {
            if skew.is_remarkable() && !skew.is_about(self.clock_skew()) {
                tracing::warn!("{skew}; tokens are asked for by the platform's clock");
            }
            self.skew.store(skew.millis(), Ordering::Relaxed);
        }
    }
}

impl Default for TokenClient {
    fn default() -> Self {
        Self::new()
    }
}

/// One attempt's failure.
struct Failure {
    refusal: Refusal,
    retry_after: Option<Duration>,
}

impl Failure {
    /// Whether it may be gone at the next attempt.
    fn is_passing(&self) -> bool {
        match &self.refusal.kind {
            TokenErrorKind::RateLimited
            | TokenErrorKind::ServerFailed { .. }
            | TokenErrorKind::TimedOut { .. }
            | TokenErrorKind::Truncated
            | TokenErrorKind::Unreachable { .. } => true,
            TokenErrorKind::Empty { status }
            | TokenErrorKind::Html { status }
            | TokenErrorKind::NotJson { status } => *status >= 500,
            _ => false,
        }
    }

    /// Whether the platform found `exp` past, or too far away.
    fn is_about_exp(&self) -> bool {
        match &self.refusal.kind {
            TokenErrorKind::Refused {
                status: 400,
                body: RefusalBody::OAuth { description: Some(description), .. },
            } => {
                // A5 and A14, in today's words or older ones.
                description.contains("'exp'")
                    || description.contains("exp claim")
                    || description.contains("has expired")
            }
            _ => false,
        }
    }

    fn name(&self) -> String {
        match &self.refusal.kind {
            TokenErrorKind::Refused { status, .. } => format!("refused {status}"),
            TokenErrorKind::ServerFailed { status, .. } => format!("server failed {status}"),
            TokenErrorKind::Sign(_) => "sign".to_owned(),
            kind => format!("{kind:?}"),
        }
    }

    fn into_error(self, application: &Application, attempts: u32) -> TokenError {
        TokenError {
            attempts,
            message_id: self.refusal.message_id,
            retry_after: self.retry_after,
            ..TokenError::new(self.refusal.kind, application.endpoint())
        }
    }
}

impl From<TokenErrorKind> for Failure {
    fn from(kind: TokenErrorKind) -> Self {
        Self { refusal: kind.into(), retry_after: None }
    }
}

fn connection(error: &reqwest::Error) -> TokenErrorKind {
    TokenErrorKind::Unreachable { reason: http_client::causes(error) }
}

/// The body holds a token, so its memory is wiped.
async fn bounded_body(
    mut response: reqwest::Response,
) -> Result<Zeroizing<Vec<u8>>, TokenErrorKind> {
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await.map_err(|_| TokenErrorKind::Truncated)? {
        if body.len() + chunk.len() > MOST_BYTES {
            return Err(TokenErrorKind::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn is_html(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type
        .is_some_and(|value| value.trim_start().to_ascii_lowercase().starts_with("text/html"))
}

/// `Retry-After` (RFC 9110 §10.2.3): seconds, or a date.
fn retry_after(headers: &HeaderMap, now: UnixMillis) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let until = until.duration_since(std::time::UNIX_EPOCH).ok()?;
    let now = Duration::from_millis(u64::try_from(now.0).ok()?);
    Some(until.saturating_sub(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(value: &str) -> Option<u64> {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
        // Sat, 21 Nov 2026 12:00:00 GMT
        retry_after(&headers, UnixMillis(1_795_262_400_000)).map(|wait| wait.as_secs())
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(wait("7"), Some(7));
        assert_eq!(wait("Sat, 21 Nov 2026 12:01:30 GMT"), Some(90));
        assert_eq!(wait("Sat, 21 Nov 2026 11:00:00 GMT"), Some(0));
        assert_eq!(wait("soon"), None);
        assert_eq!(wait("-1"), None);
    }
}
