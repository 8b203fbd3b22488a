//! A session's access token, kept fresh.

use std::sync::Arc;
use std::time::Duration;

use super::error::SessionError;
use super::id::SessionId;
use super::sessions::{MOST_TRIES, Opened, Sessions};
use super::store::SessionKey;
use crate::user_token::{Slot, Standing};
use crate::{AccessToken, RelyingParty, RenewError, UserApplication, UserTokens};

/// How often, and how far apart, the store is looked at for what another instance got for a refresh
/// token that had been used when we came with it.
const LOOKS: u32 = 8;
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

impl Sessions {
    /// A fresh access token of the session's user: exchanged at first, and renewed in the background
    /// when most of its life is over; the old one serves until it expires. However many requests
    /// wait for it, one is made; and what it brings is in the store before anything is dropped.
    ///
    /// It doesn't count as the user's own activity, as [`Sessions::find`] does. Dropping the future
    /// abandons nothing. It needs a Tokio runtime.
    ///
    /// # Errors
    ///
    /// [`SessionError`]; its [`needs_sign_in`](SessionError::needs_sign_in) says whether only a new
    /// sign-in helps.
    pub async fn access_token<P: RelyingParty>(
        &self,
        id: &SessionId,
        application: &UserApplication<P>,
    ) -> Result<AccessToken, SessionError> {
        let key = id.key();
        let opened = self.opened(key).await?.ok_or(SessionError::NoSession)?;
        let slot = self.renewals.of(*key.as_bytes(), None);
        match self.standing(&slot, &opened) {
            Standing::Fresh(token) => {
                if slot.known().tokens.is_some() {
                    // The store did not take them, and may do so now.
                    self.renew_in_background(key, &slot, application);
                }
                Ok(token)
            }
            Standing::Serving(token) => {
                self.renew_in_background(key, &slot, application);
                Ok(token)
            }
            Standing::Nothing => {
                // In a task of its own: a browser that goes away must not take with it what a
                // refresh token was redeemed for.
                let (sessions, application) = (self.clone(), application.clone());
                let renewal = tokio::spawn(async move {
                    let _turn = slot.turn().await;
                    sessions.renewed(key, &slot, &application).await
                });
                let abandoned = |_| Err(SessionError::Renew(Arc::new(RenewError::Abandoned)));
                renewal.await.unwrap_or_else(abandoned)
            }
        }
    }

    /// Unless somebody is at it already.
    fn renew_in_background<P: RelyingParty>(
        &self,
        key: SessionKey,
        slot: &Arc<Slot>,
        application: &UserApplication<P>,
    ) {
        let Some(turn) = slot.turn_if_free() else { return };
        let (sessions, slot, application) = (self.clone(), Arc::clone(slot), application.clone());
        tokio::spawn(async move {
            // Whoever asks next gets what came of it.
            let _ = sessions.renewed(key, &slot, &application).await;
            drop(turn);
        });
    }

    /// Takes back a token that an API answered with 401: the next that is asked for is another.
    /// Returns whether that is worth it: not for a while after
    /// [`Sessions::renewal_was_in_vain`].
    pub fn reject(&self, id: &SessionId, token: &AccessToken) -> bool {
        let slot = self.renewals.of(*id.key().as_bytes(), None);
        slot.known().reject(token, &*self.clock)
    }

    /// Says that an API answered 401 to a new token too: then the token is not what is wrong, and
    /// no more are asked for on that account for a while.
    pub fn renewal_was_in_vain(&self, id: &SessionId) {
        let slot = self.renewals.of(*id.key().as_bytes(), None);
        slot.known().was_in_vain(&*self.clock);
    }

    /// Tokens that the store did not take go before those that it has.
    fn standing(&self, slot: &Slot, opened: &Opened) -> Standing {
        let known = slot.known();
        let kept = if known.tokens.is_some() { None } else { opened.content.tokens() };
        known.standing(known.tokens.as_ref().or(kept.as_ref()), &*self.clock)
    }

    /// Whoever has the turn gets the next token, and puts it into the session.
    async fn renewed<P: RelyingParty>(
        &self,
        key: SessionKey,
        slot: &Slot,
        application: &UserApplication<P>,
    ) -> Result<AccessToken, SessionError> {
        let opened = self.opened(key).await?.ok_or(SessionError::NoSession)?;
        let unsaved = slot.known().tokens.clone();
        if let Some(tokens) = &unsaved {
            self.keep(key, tokens, slot).await?;
        }
        let held = unsaved.or_else(|| opened.content.tokens());
        let (serving, failure) = {
            let known = slot.known();
            match known.standing(held.as_ref(), &*self.clock) {
                Standing::Fresh(token) => return Ok(token),
                Standing::Serving(token) => (Some(token), known.failure(&*self.clock)),
                Standing::Nothing => (None, known.failure(&*self.clock)),
            }
        };
        if let Some(error) = failure {
            return serving.ok_or(SessionError::Renew(error));
        }
        let renewed = match (&held, opened.content.id_token()) {
            (_, None) => Err(RenewError::SignInAgain),
            (Some(tokens), Some(id_token)) => application.renew(tokens, &id_token).await,
            (None, Some(id_token)) => application.exchange(&id_token).await.map_err(Into::into),
        };
        let error = match renewed {
            Ok(tokens) => {
                slot.known().succeeded();
                self.keep(key, &tokens, slot).await?;
                return Ok(tokens.access_token().clone());
            }
            Err(error) => error,
        };
        if error.refresh_token_was_used()
            && let Some(theirs) = self.renewed_by_others(key, held.as_ref()).await?
        {
            return Ok(theirs);
        }
        let error = Arc::new(error);
        slot.known().failed(Arc::clone(&error), &*self.clock, &*self.entropy);
        serving.ok_or(SessionError::Renew(error))
    }

    /// Puts new tokens into the session. A store that fails just now is no reason to lose them:
    /// they stay here, and are put there next time.
    async fn keep(
        &self,
        key: SessionKey,
        tokens: &UserTokens,
        slot: &Slot,
    ) -> Result<(), SessionError> {
        // Until they are in the store they are here, whatever becomes of this.
        slot.known().tokens = Some(tokens.clone());
        for _ in 0..MOST_TRIES {
            let kept = async {
                let Some(mut opened) = self.opened(key).await? else {
                    return Err(SessionError::NoSession);
                };
                opened.content.set_tokens(tokens);
                self.write_back(key, &opened).await
            };
            match kept.await {
                Ok(true) => {
                    slot.known().tokens = None;
                    return Ok(());
                }
                Ok(false) => {}
                Err(SessionError::Store(error)) => {
                    tracing::warn!(
                        "{error}; a user's new tokens are kept in memory until it works"
                    );
                    return Ok(());
                }
                Err(error) => {
                    slot.known().tokens = None;
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// A refresh token works once: where ours was refused, another instance may have redeemed it,
    /// and be about to put the next one into the session.
    async fn renewed_by_others(
        &self,
        key: SessionKey,
        ours: Option<&UserTokens>,
    ) -> Result<Option<AccessToken>, SessionError> {
        for look in 0..LOOKS {
            if look > 0 {
                tokio::time::sleep(BETWEEN_LOOKS).await;
            }
            let opened = self.opened(key).await?.ok_or(SessionError::NoSession)?;
            let theirs = opened.content.tokens().filter(|tokens| {
                let is_same = ours.is_some_and(|ours| ours.has_same_access_token(tokens));
                !is_same && tokens.serves(self.clock.now())
            });
            if let Some(tokens) = theirs {
                return Ok(Some(tokens.access_token().clone()));
            }
        }
        Ok(None)
    }
}
