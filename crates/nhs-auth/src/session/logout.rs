//! Back-channel logout: CIS2 says that a session is over (OpenID Connect Back-Channel Logout 1.0).

use super::error::SessionError;
use super::sessions::{Sessions, provider_session_of};
use crate::{LogoutToken, LogoutTokenError};

/// What a logout token ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndedSessions {
    /// How many sessions were ended; 0 when the user had none here any more, which is as good.
    pub ended: usize,
    /// How many were left, because they began after the logout token was issued.
    pub newer: usize,
}

impl EndedSessions {
    /// Refuses a logout token that is older than every session that it names, as one is that is
    /// sent again after the user has signed in anew.
    ///
    /// # Errors
    ///
    /// [`LogoutTokenError::Stale`].
    pub fn or_stale(self) -> Result<Self, LogoutTokenError> {
        if self.ended == 0 && self.newer > 0 {
            return Err(LogoutTokenError::Stale(
                "the session began after it was issued".to_owned(),
            ));
        }
        Ok(self)
    }
}

impl Sessions {
    /// Ends the sessions that a validated logout token names
    /// ([`Cis2::logout_token`](crate::Cis2::logout_token)): those of that session at the provider,
    /// and of that user, which began before it was issued.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`]: answer 503, so that the provider tries again.
    pub async fn end_by(&self, token: &LogoutToken) -> Result<EndedSessions, SessionError> {
        let session = provider_session_of(&token.issuer, &token.session_id);
        let mut outcome = EndedSessions::default();
        for key in self.store.of_provider_session(session).await? {
            let Some(opened) = self.opened(key).await? else { continue };
            let Some(id_token) = opened.content.id_token() else { continue };
            let is_users =
                token.subject.as_deref().is_none_or(|subject| subject == id_token.subject());
            if !is_users || id_token.issuer() != token.issuer {
                continue;
            }
            if id_token.issued_at() > token.issued_at {
                outcome.newer += 1;
                continue;
            }
            self.end_key(key).await?;
            outcome.ended += 1;
        }
        Ok(outcome)
    }
}
