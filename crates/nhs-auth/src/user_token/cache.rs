//! Many users' tokens, in the memory of one process.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};

use super::application::{RenewError, UserApplication};
use super::slots::{Failures, Slots};
use super::tokens::UserTokens;
use crate::{AccessToken, IdToken, RelyingParty};

/// As many users as are remembered unless told otherwise.
const MOST_USERS: u64 = 10_000;

/// The access tokens of many users, for those who keep the ID tokens themselves: a bounded number,
/// one request a user however many wait for it, and none any more after a logout.
///
/// A token serves until most of its life is over and is then renewed; while that fails, the old one
/// serves until it expires. With [`Sessions`](crate::Sessions) this is not needed: they keep the
/// tokens too.
#[derive(Debug)]
pub struct UserTokenCache<P> {
    application: UserApplication<P>,
    users: Slots<Place>,
}

/// What is known of one sign-in.
#[derive(Debug, Default)]
struct Place {
    tokens: Option<UserTokens>,
    failures: Failures<RenewError>,
    /// The session at the provider: issuer and `sid`.
    session: Option<(String, String)>,
}

impl<P: RelyingParty> UserTokenCache<P> {
    /// An empty cache for 10,000 users.
    pub fn new(application: UserApplication<P>) -> Self {
        Self::with_capacity(application, MOST_USERS)
    }

    /// An empty cache for so many users. Beyond them, whoever was not seen for the longest time is
    /// forgotten, and costs one more exchange.
    pub fn with_capacity(application: UserApplication<P>, users: u64) -> Self {
        Self { application, users: Slots::new(users) }
    }

    /// A token of the user who signed in with this ID token.
    ///
    /// # Errors
    ///
    /// The [`RenewError`] of the request that was made, shared by all who waited for it, or one
    /// that is a few seconds old.
    pub async fn token(&self, id_token: &IdToken) -> Result<AccessToken, Arc<RenewError>> {
        let slot = self.users.of(key(id_token));
        let mut place = slot.lock().await;
        let wire = self.application.token_client().wire();
        let held = place.tokens.clone();
        let now = wire.clock.now();
        if let Some(tokens) = held.as_ref().filter(|tokens| tokens.is_fresh(now)) {
            return Ok(tokens.access_token().clone());
        }
        let serving = held.as_ref().filter(|tokens| tokens.serves(now));
        if let Some(error) = place.failures.remembered(&*wire.clock) {
            return serving.map(|tokens| tokens.access_token().clone()).ok_or(error);
        }
        let renewed = match &held {
            Some(tokens) => self.application.renew(tokens, id_token).await,
            None => self.application.exchange(id_token).await.map_err(RenewError::from),
        };
        match renewed {
            Ok(tokens) => {
                let access_token = tokens.access_token().clone();
                if !slot.is_over() {
                    let sid = id_token.session_id();
                    place.session = sid.map(|sid| (id_token.issuer().to_owned(), sid.to_owned()));
                    place.tokens = Some(tokens);
                    place.failures.forget();
                }
                Ok(access_token)
            }
            Err(error) => {
                let error = Arc::new(error);
                place.failures.remember(Arc::clone(&error), &*wire.clock, &*wire.entropy);
                serving.map(|tokens| tokens.access_token().clone()).ok_or(error)
            }
        }
    }

    /// Forgets the tokens of a sign-in, as at a logout: those that are on their way too.
    pub fn forget(&self, id_token: &IdToken) {
        self.users.end(&key(id_token));
    }

    /// Forgets the tokens of a session that the provider has ended, and returns of how many
    /// sign-ins they were.
    pub fn forget_session(&self, issuer: &str, sid: &str) -> usize {
        self.users.end_where(|place| {
            place.session.as_ref().is_some_and(|(iss, of)| iss == issuer && of == sid)
        })
    }
}

/// The same user who signs in anew is another: whoever has an old ID token gets nothing of it.
fn key(id_token: &IdToken) -> [u8; 32] {
    let hash = digest(&SHA256, id_token.expose().as_bytes());
    hash.as_ref().try_into().expect("SHA-256 has 32 bytes")
}
