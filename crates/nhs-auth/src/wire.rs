//! How this crate talks with an authorization server: forms posted and documents fetched, within
//! bounds, by the time that the server has.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AGE, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use nhs_auth_rules::UnixMillis;
use zeroize::Zeroizing;

use crate::http_client::{self, HttpClients};
use crate::{AccessToken, Clock, ClockSkew, Entropy};

/// How long an attempt may take unless told otherwise.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);

/// A body is read up to here, in bytes.
const MOST_BYTES: usize = 1024 * 1024;

/// The connections to authorization servers, and what their answers said of our clock.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) http: HttpClients,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    /// Milliseconds; what the last answer's `Date` said.
    skew: AtomicI64,
    /// Whether the server has told its time yet.
    has_told: AtomicBool,
    /// How long an attempt may take.
    pub(crate) bound: Duration,
}

/// An answer, whatever it says.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) is_html: bool,
    /// How long the server asks to wait.
    pub(crate) retry_after: Option<Duration>,
    /// It may hold tokens, so its memory is wiped; or why there is no whole one.
    pub(crate) body: Result<Zeroizing<Vec<u8>>, NoBody>,
    /// When the request was sent, by our clock.
    pub(crate) sent: UnixMillis,
}

/// Why an answer has no whole body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoBody {
    TooLarge,
    Truncated,
}

/// Why there is no answer.
pub(crate) enum NoAnswer {
    NoHttpClient(String),
    Unreachable {
        reason: String,
        /// Whether the request may have arrived.
        sent: bool,
    },
}

impl Wire {
    pub(crate) fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            http: HttpClients::default(),
            clock,
            entropy,
            skew: AtomicI64::new(0),
            has_told: AtomicBool::new(false),
            bound: ATTEMPT_TIMEOUT,
        }
    }

    /// How far our clock is from the server's, as its last answer showed.
    pub(crate) fn skew(&self) -> ClockSkew {
        ClockSkew::from_millis(self.skew.load(Ordering::Relaxed))
    }

    /// Takes another server's word for how far our clock is off, until this one has told its time.
    pub(crate) fn suppose(&self, skew: ClockSkew) {
        if !self.has_told.load(Ordering::Relaxed) {
            self.skew.store(skew.millis(), Ordering::Relaxed);
        }
    }

    /// The time by our clock or by what was learned of the server's, whichever is earlier: what was
    /// learned may be of before a clock was set right. What has expired by it surely has.
    pub(crate) fn earliest_now(&self) -> UnixMillis {
        self.now().min(self.clock.now())
    }

    /// The time, as the server has it.
    pub(crate) fn now(&self) -> UnixMillis {
        self.skew().applied_to(self.clock.now())
    }

    pub(crate) async fn post(
        &self,
        url: &str,
        form: Zeroizing<Vec<u8>>,
    ) -> Result<Answer, NoAnswer> {
        let http = self.http.reaching(url).map_err(NoAnswer::NoHttpClient)?;
        let request = http
            .post(url)
            .header(CONTENT_TYPE, nhs_auth_rules::request::FORM_CONTENT_TYPE)
            .body(Bytes::from_owner(form));
        self.exchange(request).await
    }

    pub(crate) async fn get(
        &self,
        url: &str,
        bearer: Option<&AccessToken>,
    ) -> Result<Answer, NoAnswer> {
        let http = self.http.reaching(url).map_err(NoAnswer::NoHttpClient)?;
        let request = http.get(url);
        self.exchange(match bearer {
            Some(token) => request.header(AUTHORIZATION, token.to_header_value()),
            None => request,
        })
        .await
    }

    async fn exchange(&self, request: reqwest::RequestBuilder) -> Result<Answer, NoAnswer> {
        let sent = self.clock.now();
        let request = request.header(ACCEPT, HeaderValue::from_static("application/json"));
        let response = request.send().await.map_err(|error| NoAnswer::Unreachable {
            reason: http_client::causes(&error),
            sent: !error.is_connect(),
        })?;
        self.learn_skew(response.headers(), sent);
        Ok(Answer {
            status: response.status(),
            is_html: is_html(response.headers()),
            retry_after: retry_after(response.headers(), self.now()),
            body: bounded_body(response).await,
            sent,
        })
    }

    fn learn_skew(&self, headers: &HeaderMap, sent: UnixMillis) {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let age_s = text(AGE).and_then(|age| age.trim().parse().ok()).unwrap_or(0);
        let now = self.clock.now();
        let learned = text(DATE).and_then(|date| ClockSkew::learn_aged(date, age_s, sent, now));
        if let Some(skew) = learned {
            if skew.is_remarkable() && !skew.is_about(self.skew()) {
                tracing::warn!("{skew}; tokens are asked for by the platform's clock");
            }
            self.skew.store(skew.millis(), Ordering::Relaxed);
            self.has_told.store(true, Ordering::Relaxed);
        }
    }
}

async fn bounded_body(mut response: reqwest::Response) -> Result<Zeroizing<Vec<u8>>, NoBody> {
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await.map_err(|_| NoBody::Truncated)? {
        if body.len() + chunk.len() > MOST_BYTES {
            return Err(NoBody::TooLarge);
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
