//! Many users' tokens, in the memory of one process.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};

use super::application::{RenewError, UserApplication};
use super::slots::{Slot, Slots, Standing};
use crate::{AccessToken, IdToken, RelyingParty};

/// As many users as are remembered unless told otherwise.
const MOST_USERS: u64 = 10_000;

/// The access tokens of many users, for those who keep the ID tokens themselves: a bounded number,
/// one request a user however many wait for it, and none any more after a logout.
///
/// When most of a token's life is over it is renewed in the background, and serves until it
/// expires. With [`Sessions`](crate::Sessions) this is not needed: they keep the tokens too.
///
/// Cloning shares it. It needs a Tokio runtime.
#[derive(Clone, Debug)]
pub struct UserTokenCache<P>(Arc<Kept<P>>);

#[derive(Debug)]
struct Kept<P> {
    application: UserApplication<P>,
    users: Slots,
}

impl<P: RelyingParty> UserTokenCache<P> {
    /// An empty cache for 10,000 users.
    pub fn new(application: UserApplication<P>) -> Self {
        Self::with_capacity(application, MOST_USERS)
    }

    /// An empty cache for so many users. Beyond them, whoever was not seen for the longest time is
    /// forgotten, and costs one more exchange.
    pub fn with_capacity(application: UserApplication<P>, users: u64) -> Self {
        Self(Arc::new(Kept { application, users: Slots::new(users) }))
    }

    /// A token of the user who signed in with this ID token.
    ///
    /// Dropping the future abandons nothing: a request that is under way serves the next caller.
    ///
    /// # Errors
    ///
    /// The [`RenewError`] of the request that was made, shared by all who waited for it, or one
    /// that is a few seconds old.
    pub async fn token(&self, id_token: &IdToken) -> Result<AccessToken, Arc<RenewError>> {
        let session = id_token.session_id().map(|sid| (id_token.issuer(), sid));
        let slot = self.0.users.of(key(id_token), session);
        match self.0.standing(&slot) {
            Standing::Fresh(token) => return Ok(token),
            Standing::Serving(token) => {
                if let Some(turn) = slot.turn_if_free() {
                    let (kept, id_token) = (Arc::clone(&self.0), id_token.clone());
                    tokio::spawn(async move {
                        // Whoever asks next gets what came of it.
                        let _ = kept.renewed(&slot, &id_token).await;
                        drop(turn);
                    });
                }
                return Ok(token);
            }
            Standing::Nothing => {}
        }
        let (kept, id_token) = (Arc::clone(&self.0), id_token.clone());
        let renewal = tokio::spawn(async move {
            let _turn = slot.turn().await;
            match kept.standing(&slot) {
                Standing::Fresh(token) | Standing::Serving(token) => Ok(token),
                Standing::Nothing => kept.renewed(&slot, &id_token).await,
            }
        });
        renewal.await.unwrap_or_else(|_| Err(Arc::new(RenewError::Abandoned)))
    }

    /// Forgets the tokens of a sign-in, as at a logout: those that are on their way too.
    pub fn forget(&self, id_token: &IdToken) {
        self.0.users.end(&key(id_token));
    }

    /// Forgets the tokens of a session that the provider has ended, those that are on their way
    /// too, and returns of how many sign-ins they were.
    pub fn forget_session(&self, issuer: &str, sid: &str) -> usize {
        self.0.users.end_session(issuer, sid)
    }
}

impl<P: RelyingParty> Kept<P> {
    fn standing(&self, slot: &Slot) -> Standing {
        let known = slot.known();
        known.standing(known.tokens.as_ref(), &*self.application.token_client().wire().clock)
    }

    /// Whoever has the turn gets the next token.
    async fn renewed(
        &self,
        slot: &Slot,
        id_token: &IdToken,
    ) -> Result<AccessToken, Arc<RenewError>> {
        let wire = self.application.token_client().wire();
        if slot.is_over() {
            return Err(Arc::new(RenewError::SignInAgain));
        }
        let held = {
            let known = slot.known();
            if let Some(error) = known.failure(&*wire.clock) {
                return Err(error);
            }
            known.tokens.clone()
        };
        let renewed = match &held {
            Some(tokens) => self.application.renew(tokens, id_token).await,
            None => self.application.exchange(id_token).await.map_err(RenewError::from),
        };
        let mut known = slot.known();
        if slot.is_over() {
            // The user has signed out in the meantime.
            return Err(Arc::new(RenewError::SignInAgain));
        }
        match renewed {
            Ok(tokens) => {
                let access_token = tokens.access_token().clone();
                known.tokens = Some(tokens);
                known.succeeded();
                Ok(access_token)
            }
            Err(error) => {
                let error = Arc::new(error);
                known.failed(Arc::clone(&error), &*wire.clock, &*wire.entropy);
                Err(error)
            }
        }
    }
}

/// The same user who signs in anew is another: whoever has an old ID token gets nothing of it.
fn key(id_token: &IdToken) -> [u8; 32] {
    let hash = digest(&SHA256, id_token.expose().as_bytes());
    hash.as_ref().try_into().expect("SHA-256 has 32 bytes")
}
