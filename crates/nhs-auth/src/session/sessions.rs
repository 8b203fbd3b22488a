//! The sessions of a web server.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use nhs_auth_rules::UnixMillis;

use super::content::{Content, SignedIn};
use super::error::SessionError;
use super::id::SessionId;
use super::limits::SessionLimits;
use super::signed_in::{Session, SessionUser};
use super::store::{ProviderSession, SessionKey, SessionRecord, SessionStore};
use crate::relying_party::{PATIENCE_MIN, PendingSignIn};
use crate::sealing::Purpose;
use crate::user_token::Slots;
use crate::{Clock, Entropy, IdToken, OsEntropy, SealingKey, SignIn, SystemClock};

/// How often a session's use is noted at most, in milliseconds: a page makes many requests.
const NOTED_EVERY_MS: i64 = 10_000;

/// How many users' renewals are remembered.
const MOST_RENEWALS: u64 = 100_000;

/// The version of a sign-in that is under way.
const PENDING: u64 = 0;

/// How often a change is tried again that another one has come before.
pub(super) const MOST_TRIES: usize = 8;

/// The sessions of a web server. The browser has a session's name, in one cookie that is
/// `HttpOnly`, `Secure` and `SameSite=Lax`; the tokens stay here.
///
/// Cloning shares them.
#[derive(Clone, Debug)]
pub struct Sessions {
    pub(super) store: Arc<dyn SessionStore>,
    seal: Arc<SealingKey>,
    limits: SessionLimits,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) renewals: Arc<Slots>,
}

/// A session as it was read: to be changed, and written back in its place.
pub(super) struct Opened {
    pub(super) content: SignedIn,
    version: u64,
    provider_session: Option<ProviderSession>,
}

impl Sessions {
    /// Sessions in that store, encrypted with that key, that last so long.
    pub fn new(
        store: impl SessionStore + 'static,
        seal: SealingKey,
        limits: SessionLimits,
    ) -> Self {
        Self {
            store: Arc::new(store),
            seal: Arc::new(seal),
            limits,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
            renewals: Arc::new(Slots::new(MOST_RENEWALS)),
        }
    }

    /// The same by another clock and randomness.
    pub fn with(mut self, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        (self.clock, self.entropy) = (clock, entropy);
        self
    }

    /// Keeps a sign-in that has begun, for the browser that gets this name as its cookie.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`].
    pub async fn begin(&self, pending: PendingSignIn) -> Result<SessionId, SessionError> {
        let ends = self.clock.now().plus(PATIENCE_MIN * 60_000);
        self.put_new(&Content::Pending(pending), PENDING, None, ends).await
    }

    /// Takes out the sign-in that this browser has begun: once, so that a callback that comes twice
    /// finds nothing. `None` when there is none.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`].
    pub async fn take_pending(
        &self,
        id: &SessionId,
    ) -> Result<Option<PendingSignIn>, SessionError> {
        let key = id.key();
        // A session of somebody who has signed in is left where it is.
        let is_pending =
            |record: &SessionRecord| matches!(self.open(key, record), Some(Content::Pending(_)));
        if !self.store.load(key).await?.as_ref().is_some_and(is_pending) {
            return Ok(None);
        }
        let taken = self.store.take(key).await?;
        Ok(match taken.and_then(|record| self.open(key, &record)) {
            Some(Content::Pending(pending)) => Some(pending),
            _ => None,
        })
    }

    /// Starts the session of somebody who has signed in. Its name is a new one, whatever the
    /// browser had before.
    ///
    /// # Errors
    ///
    /// [`SessionError::EndedByProvider`] when the provider has ended the user's session since the
    /// ID token was issued, or [`SessionError::Store`].
    pub async fn start<U: SessionUser>(
        &self,
        sign_in: &SignIn<U>,
    ) -> Result<SessionId, SessionError> {
        let now = self.clock.now();
        let (id_token, user) = (&sign_in.id_token, &sign_in.user);
        let content = SignedIn::new(id_token, user.kept_claims().clone(), user.settled_role(), now);
        let ends = self.limits.end(now, now);
        let content = Content::SignedIn(Box::new(content));
        let id = self.put_new(&content, 1, provider_session(id_token), ends).await?;
        // Looked for after the session is there: whichever comes second finds the other.
        if self.was_ended_already(id_token).await? {
            self.end(&id).await?;
            return Err(SessionError::EndedByProvider);
        }
        Ok(id)
    }

    /// The session of that name, which counts as used now. `None` when it has ended, or never was.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`].
    pub async fn find(&self, id: &SessionId) -> Result<Option<Session>, SessionError> {
        let key = id.key();
        let Some(mut opened) = self.opened(key).await? else { return Ok(None) };
        let now = self.clock.now();
        if now.0.saturating_sub(opened.content.last_seen().0) >= NOTED_EVERY_MS {
            opened.content.see(now);
            // Where another request came first, that one has noted it.
            self.write_back(key, &opened).await?;
        }
        Ok(Session::read(&opened.content, self.limits))
    }

    /// Notes the role that the user has chosen.
    ///
    /// # Errors
    ///
    /// [`SessionError::NoSuchRole`] when it isn't one of the user's, [`SessionError::NoSession`],
    /// or [`SessionError::Store`].
    pub async fn choose_role(
        &self,
        id: &SessionId,
        person_roleid: &str,
    ) -> Result<(), SessionError> {
        let key = id.key();
        for _ in 0..MOST_TRIES {
            let mut opened = self.opened(key).await?.ok_or(SessionError::NoSession)?;
            let roles = crate::relying_party::roles_in(&opened.content.user_info);
            let chosen = roles.into_iter().find(|role| role.person_roleid == person_roleid);
            opened.content.role = Some(chosen.ok_or(SessionError::NoSuchRole)?);
            opened.content.see(self.clock.now());
            if self.write_back(key, &opened).await? {
                return Ok(());
            }
        }
        Err(SessionError::Contended)
    }

    /// Ends a session, as at a sign-out. One that has ended already is no error.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`].
    pub async fn end(&self, id: &SessionId) -> Result<(), SessionError> {
        self.end_key(id.key()).await
    }

    pub(super) async fn end_key(&self, key: SessionKey) -> Result<(), SessionError> {
        self.renewals.end(key.as_bytes());
        self.store.take(key).await?;
        Ok(())
    }

    /// The session of somebody who has signed in, if it has not ended.
    pub(super) async fn opened(&self, key: SessionKey) -> Result<Option<Opened>, SessionError> {
        let Some(record) = self.store.load(key).await? else { return Ok(None) };
        let Some(Content::SignedIn(content)) = self.open(key, &record) else { return Ok(None) };
        // A store forgets when it gets to it; here it is exact.
        if self.clock.now() >= self.limits.end(content.began(), content.last_seen()) {
            return Ok(None);
        }
        let (version, provider_session) = (record.version, record.provider_session);
        Ok(Some(Opened { content: *content, version, provider_session }))
    }

    /// Writes a changed session in the place of the one that was read. `false` when another change
    /// came first, or the session has ended.
    pub(super) async fn write_back(
        &self,
        key: SessionKey,
        opened: &Opened,
    ) -> Result<bool, SessionError> {
        let ends = self.limits.end(opened.content.began(), opened.content.last_seen());
        let bytes = opened.content.to_bytes();
        let record = SessionRecord {
            version: opened.version + 1,
            content: self.sealed(key, &bytes),
            provider_session: opened.provider_session,
            expires_at: ends,
        };
        Ok(self.store.save(key, record, Some(opened.version)).await?)
    }

    async fn put_new(
        &self,
        content: &Content,
        version: u64,
        provider_session: Option<ProviderSession>,
        expires_at: UnixMillis,
    ) -> Result<SessionId, SessionError> {
        let id = SessionId::new(&*self.entropy);
        let key = id.key();
        let content = self.sealed(key, &content.to_bytes());
        let record = SessionRecord { version, content, provider_session, expires_at };
        if !self.store.save(key, record, None).await? {
            return Err(SessionError::Contended);
        }
        tracing::debug!(lives_ms = expires_at.0 - self.clock.now().0, "session");
        Ok(id)
    }

    fn sealed(&self, key: SessionKey, content: &[u8]) -> Vec<u8> {
        self.seal.seal(Purpose::Session, key.as_bytes(), content)
    }

    pub(super) fn seal(&self, key: SessionKey, content: &Content) -> Vec<u8> {
        self.sealed(key, &content.to_bytes())
    }

    pub(super) fn open(&self, key: SessionKey, record: &SessionRecord) -> Option<Content> {
        let content = self.seal.open(Purpose::Session, key.as_bytes(), &record.content);
        let content = content.and_then(|bytes| Content::from_bytes(&bytes));
        if content.is_none() {
            tracing::warn!("a session in the store can't be read: was it kept by another key?");
        }
        content
    }
}

/// What a provider's session is found by: its issuer and `sid`.
fn provider_session(id_token: &IdToken) -> Option<ProviderSession> {
    Some(provider_session_of(id_token.issuer(), id_token.session_id()?))
}

pub(super) fn provider_session_of(issuer: &str, sid: &str) -> ProviderSession {
    let mut context = Context::new(&SHA256);
    for part in [issuer, sid] {
        context.update(&part.len().to_be_bytes());
        context.update(part.as_bytes());
    }
    ProviderSession(context.finish().as_ref().try_into().expect("SHA-256 has 32 bytes"))
}
