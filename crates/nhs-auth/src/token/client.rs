//! Asking for a token, attempt by attempt.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::failure::Failure;
use super::grant::{ClientCredentials, Grant, Means};
use super::response::{self, Refusal};
use super::{Backoff, IssuedToken, TokenError, TokenErrorKind};
use crate::http_client::InvalidCertificates;
use crate::wire::Wire;
use crate::{Application, Clock, ClockSkew, Entropy, OsEntropy, SystemClock};

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

/// Asks token endpoints for tokens (RFC 6749, RFC 7523 §2.2, RFC 8693).
///
/// Every attempt has an assertion of its own. Faults that pass (5xx, 429, no connection, no answer
/// in 30 s) are tried three times at most, with growing pauses or the server's `Retry-After`. A
/// refusal is final, but for one: when the assertion may be what is wrong (the platform says so of
/// `exp`, CIS2 and NHS login say `invalid_client`) and the answer's `Date` differs from what we took
/// for the server's time by more than 10 s, one more attempt is made with the time corrected. A code
/// and a refresh token work once, so a request with one is made again only when the first surely
/// did nothing.
#[derive(Debug)]
pub struct TokenClient {
    wire: Wire,
}

impl TokenClient {
    /// A client by the machine's clock.
    pub fn new() -> Self {
        Self::with(Arc::new(SystemClock), Arc::new(OsEntropy))
    }

    /// A client by another clock, with other randomness.
    pub fn with(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { wire: Wire::new(clock, entropy) }
    }

    /// The same with another bound on how long an attempt may take. 30 s is the default.
    pub fn with_attempt_timeout(mut self, timeout: Duration) -> Self {
        self.wire.bound = timeout;
        self
    }

    /// The same, believing these certificate authorities (PEM) alone, and not the machine's: for a
    /// network whose proxy looks into TLS, or a stand-in of one's own.
    ///
    /// # Errors
    ///
    /// [`InvalidCertificates`].
    pub fn with_root_certificates(mut self, pem: &[u8]) -> Result<Self, InvalidCertificates> {
        self.wire.http = std::mem::take(&mut self.wire.http).with_roots(pem)?;
        Ok(self)
    }

    /// How far our clock is from the platform's, as its last answer showed.
    pub fn clock_skew(&self) -> ClockSkew {
        self.wire.skew()
    }

    /// Where the time comes from.
    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.wire.clock
    }

    /// Where randomness comes from.
    pub(crate) fn entropy(&self) -> &Arc<dyn Entropy> {
        &self.wire.entropy
    }

    /// The connections, for what else is asked of the same server.
    pub(crate) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Gets an access token for the application.
    ///
    /// # Errors
    ///
    /// [`TokenError`], which says how often it was tried and what the last answer was.
    pub async fn request(&self, application: &Application) -> Result<IssuedToken, TokenError> {
        self.ask(&ClientCredentials(application)).await
    }

    /// Asks for what a grant describes, attempt by attempt.
    pub(crate) async fn ask(&self, grant: &dyn Grant) -> Result<IssuedToken, TokenError> {
        let mut attempts = 0;
        let mut clock_corrected = false;
        loop {
            attempts += 1;
            let supposed = self.clock_skew();
            let failure = match self.attempt(grant).await {
                Ok(token) => return Ok(token),
                Err(failure) => failure,
            };
            tracing::debug!(attempts, kind = failure.name(), "token request failed");
            let may_repeat = !grant.works_once() || failure.is_undone();
            let wait = if failure.is_passing() && may_repeat && attempts < MOST_ATTEMPTS {
                let backoff = || BACKOFF.after(attempts, &*self.wire.entropy);
                failure.retry_after.unwrap_or_else(backoff)
            } else if (failure.is_about_exp() || failure.is_about_the_client())
                && self.clock_skew().is_far_from(supposed)
                && !clock_corrected
            {
                clock_corrected = true;
                Duration::ZERO
            } else {
                return Err(failure.into_error(grant.url(), attempts));
            };
            if wait > LONGEST_WAIT {
                return Err(failure.into_error(grant.url(), attempts));
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Signs and sends, within one attempt's time: a signer may be far away too.
    async fn attempt(&self, grant: &dyn Grant) -> Result<IssuedToken, Failure> {
        let means = Means {
            clock: &*self.wire.clock,
            skew: self.wire.skew(),
            entropy: &*self.wire.entropy,
        };
        let attempt = async {
            let form = grant.form(means).await;
            self.send(
                grant.url(),
                form.map_err(|error| Failure::unsent(TokenErrorKind::Sign(error)))?,
            )
            .await
        };
        let attempted = tokio::time::timeout(self.wire.bound, attempt).await;
        attempted.unwrap_or_else(|_| {
            let kind = TokenErrorKind::TimedOut { after: self.wire.bound };
            Err(Failure { refusal: kind.into(), retry_after: None, sent: true })
        })
    }

    /// Sends a form, which is the end of it.
    async fn send(&self, url: &str, form: Zeroizing<Vec<u8>>) -> Result<IssuedToken, Failure> {
        tracing::debug!(url, "token request");
        let answer = self.wire.post(url, form).await?;
        let read = match answer.body {
            Ok(body) => response::read(answer.status, answer.is_html, &body, answer.sent),
            Err(none) => Err(Refusal::from(TokenErrorKind::from(none))),
        };
        let retry_after = answer.retry_after;
        read.map_err(|refusal| Failure { refusal, retry_after, sent: true })
    }
}

impl Default for TokenClient {
    fn default() -> Self {
        Self::new()
    }
}
