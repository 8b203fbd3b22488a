//! Back-channel logout: CIS2 says that a session is over (OpenID Connect Back-Channel Logout 1.0).

use aws_lc_rs::digest::{Context, SHA256};
use nhs_auth_rules::UnixSeconds;

use super::content::Content;
use super::error::SessionError;
use super::sessions::{MOST_TRIES, Sessions, provider_session_of};
use super::store::{ProviderSession, SessionKey, SessionRecord};
use crate::{IdToken, LogoutToken, LogoutTokenError};

/// How long the end of a provider's session is remembered, in milliseconds: ten minutes. A sign-in
/// may be about to end whose ID token was issued before it.
const NOTED_FOR_MS: i64 = 10 * 60 * 1000;

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
        // Before the sessions are looked for: of a sign-in that is about to end, one of the two
        // finds the other.
        self.note_ended(session, token.issued_at).await?;
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

    /// Remembers for a while that a provider's session is over.
    async fn note_ended(
        &self,
        session: ProviderSession,
        at: UnixSeconds,
    ) -> Result<(), SessionError> {
        let key = note_of(session);
        for _ in 0..MOST_TRIES {
            let there = self.store.load(key).await?;
            let replaces = there.as_ref().map(|record| record.version);
            let noted = there.and_then(|record| match self.open(key, &record) {
                Some(Content::Ended(at_s)) => Some(at_s),
                _ => None,
            });
            let record = SessionRecord {
                version: replaces.unwrap_or(0) + 1,
                content: self.seal(key, &Content::Ended(at.0.max(noted.unwrap_or(i64::MIN)))),
                provider_session: None,
                expires_at: self.clock.now().plus(NOTED_FOR_MS),
            };
            if self.store.save(key, record, replaces).await? {
                return Ok(());
            }
        }
        Err(SessionError::Contended)
    }

    /// Whether the provider has ended the session that an ID token is of, since it was issued.
    pub(super) async fn was_ended_already(&self, id_token: &IdToken) -> Result<bool, SessionError> {
        let Some(sid) = id_token.session_id() else { return Ok(false) };
        let key = note_of(provider_session_of(id_token.issuer(), sid));
        let noted = self.store.load(key).await?.and_then(|record| self.open(key, &record));
        Ok(matches!(noted, Some(Content::Ended(at_s)) if id_token.issued_at().0 <= at_s))
    }
}

/// The name under which the end of a provider's session is noted.
fn note_of(session: ProviderSession) -> SessionKey {
    let mut context = Context::new(&SHA256);
    context.update(b"ended");
    context.update(session.as_bytes());
    SessionKey(context.finish().as_ref().try_into().expect("SHA-256 has 32 bytes"))
}
