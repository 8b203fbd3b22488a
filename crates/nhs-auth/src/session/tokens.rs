//! A session's access token, kept fresh.

use std::sync::Arc;

use super::error::SessionError;
use super::id::SessionId;
use super::sessions::{MOST_TRIES, Opened, Sessions};
use super::store::SessionKey;
use crate::user_token::Failures;
use crate::{AccessToken, RelyingParty, RenewError, UserApplication, UserTokens};

/// What is known of one session's renewals, in this process.
#[derive(Debug, Default)]
pub(crate) struct Renewals {
    failures: Failures<RenewError>,
    /// Tokens that were got and that the store did not take: the ones in the store may be used up.
    unsaved: Option<UserTokens>,
    /// A token that an API has answered with 401.
    rejected: Option<AccessToken>,
}

impl Renewals {
    fn takes(&self, tokens: &UserTokens) -> bool {
        !self.rejected.as_ref().is_some_and(|it| it.is_same_as(tokens.access_token()))
    }
}

impl Sessions {
    /// A fresh access token of the session's user: exchanged at first, and renewed when most of its
    /// life is over. However many requests wait for it, one is made; and what it brings is in the
    /// store before anything is dropped. While a renewal fails, the old token serves until it
    /// expires.
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
        let slot = self.renewals.of(*key.as_bytes());
        let mut renewals = slot.lock().await;
        let opened = self.opened(key).await?.ok_or(SessionError::NoSession)?;
        let unsaved = renewals.unsaved.take();
        if let Some(tokens) = &unsaved {
            self.keep(key, tokens, &mut renewals).await?;
        }
        let held = unsaved.or_else(|| opened.content.tokens());
        let now = self.clock.now();
        let usable = held.as_ref().filter(|tokens| renewals.takes(tokens) && tokens.serves(now));
        if let Some(tokens) = usable.filter(|tokens| tokens.is_fresh(now)) {
            return Ok(tokens.access_token().clone());
        }
        let serving = || usable.map(|tokens| tokens.access_token().clone());
        if let Some(error) = renewals.failures.remembered(&*self.clock) {
            return serving().ok_or(SessionError::Renew(error));
        }
        match self.renewed(&opened, held.as_ref(), application).await {
            Ok(tokens) => {
                renewals.failures.forget();
                self.keep(key, &tokens, &mut renewals).await?;
                Ok(tokens.access_token().clone())
            }
            Err(error) => {
                if let Some(theirs) = self.renewed_by_others(key, held.as_ref()).await? {
                    return Ok(theirs);
                }
                let error = Arc::new(error);
                let (clock, entropy) = (&*self.clock, &*self.entropy);
                renewals.failures.remember(Arc::clone(&error), clock, entropy);
                serving().ok_or(SessionError::Renew(error))
            }
        }
    }

    /// Takes back a token that an API answered with 401: the next that is asked for is another. One
    /// that has taken its place by now is kept.
    pub async fn reject(&self, id: &SessionId, token: &AccessToken) {
        let slot = self.renewals.of(*id.key().as_bytes());
        slot.lock().await.rejected = Some(token.clone());
    }

    async fn renewed<P: RelyingParty>(
        &self,
        opened: &Opened,
        held: Option<&UserTokens>,
        application: &UserApplication<P>,
    ) -> Result<UserTokens, RenewError> {
        let Some(id_token) = opened.content.id_token() else { return Err(RenewError::SignInAgain) };
        match held {
            Some(tokens) => application.renew(tokens, &id_token).await,
            None => Ok(application.exchange(&id_token).await?),
        }
    }

    /// Puts new tokens into the session. A store that fails just now is no reason to lose them:
    /// they stay here, and are put there next time.
    async fn keep(
        &self,
        key: SessionKey,
        tokens: &UserTokens,
        renewals: &mut Renewals,
    ) -> Result<(), SessionError> {
        for _ in 0..MOST_TRIES {
            let kept = async {
                let Some(mut opened) = self.opened(key).await? else {
                    return Err(SessionError::NoSession);
                };
                opened.content.set_tokens(tokens);
                opened.content.see(self.clock.now());
                self.write_back(key, &opened).await
            };
            match kept.await {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(SessionError::Store(error)) => {
                    tracing::warn!(
                        "{error}; a user's new tokens are kept in memory until it works"
                    );
                    renewals.unsaved = Some(tokens.clone());
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        renewals.unsaved = Some(tokens.clone());
        Ok(())
    }

    /// A refresh token works once: where ours was refused, another instance may have redeemed it,
    /// and put the next one into the session.
    async fn renewed_by_others(
        &self,
        key: SessionKey,
        ours: Option<&UserTokens>,
    ) -> Result<Option<AccessToken>, SessionError> {
        let opened = self.opened(key).await?.ok_or(SessionError::NoSession)?;
        let theirs = opened.content.tokens().filter(|tokens| {
            let is_same = ours.is_some_and(|ours| ours.has_same_access_token(tokens));
            !is_same && tokens.serves(self.clock.now())
        });
        Ok(theirs.map(|tokens| tokens.access_token().clone()))
    }
}
