//! Users' tokens that were exchanged, kept while they live.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use moka::sync::Cache;
use nhs_auth::{Clock as _, SubjectToken, SystemClock, TokenClient, TokenError, UserTokens};
use tokio::sync::Mutex;

use crate::proxy::app::ProxyApp;

/// The most users whose tokens are kept. Beyond them, whoever was not seen for the longest time
/// costs one more exchange.
const MOST_USERS: u64 = 10_000;

/// Tokens live ten minutes.
const LONGEST: Duration = Duration::from_mins(10);

/// One place for each subject token: one exchange, however many ask with the same.
#[derive(Clone)]
pub(super) struct UserTokenShelf(Cache<[u8; 32], Arc<Mutex<Option<UserTokens>>>>);

impl UserTokenShelf {
    pub(super) fn new() -> Self {
        Self(Cache::builder().max_capacity(MOST_USERS).time_to_idle(LONGEST).build())
    }

    /// The token of whom `subject_token` is of: the one that is kept, while it has a fifth of its
    /// life before it, unless a new one is wanted.
    pub(super) async fn token(
        &self,
        app: &ProxyApp,
        subject_token: &str,
        renew: bool,
    ) -> Result<UserTokens, TokenError> {
        let hash = digest(&SHA256, subject_token.as_bytes());
        let key = hash.as_ref().try_into().expect("SHA-256 has 32 bytes");
        let place = self.0.get_with(key, Arc::default);
        let mut kept = place.lock().await;
        if let Some(tokens) = kept.as_ref().filter(|tokens| !renew && is_fresh(tokens)) {
            return Ok(tokens.clone());
        }
        let told = app.token_request();
        let exchanged = exchange(app.client(), app, subject_token).await;
        told.ended(exchanged.as_ref().err());
        let tokens = exchanged?;
        *kept = Some(tokens.clone());
        Ok(tokens)
    }
}

/// The platform judges the subject token, so that its own words can be passed on.
async fn exchange(
    client: &TokenClient,
    app: &ProxyApp,
    subject_token: &str,
) -> Result<UserTokens, TokenError> {
    let subject_token = SubjectToken::new(subject_token);
    client.exchange_unchecked(app.tokens().application(), &subject_token).await
}

fn is_fresh(tokens: &UserTokens) -> bool {
    let issued = tokens.issued();
    let (Some(end), Some(life)) = (issued.expires_at(), issued.expires_in) else { return false };
    let left = end.0.saturating_sub(SystemClock::default().now().0);
    u64::try_from(left).is_ok_and(|left| u128::from(left) * 5 > life.as_millis())
}

impl fmt::Debug for UserTokenShelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserTokenShelf").finish_non_exhaustive()
    }
}
