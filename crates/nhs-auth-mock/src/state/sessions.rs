//! What a user's sign-in gives an application: a session, and the codes and tokens that stand for
//! it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use nhs_auth_rules::{IdentityProvider, UnixMillis};

use super::expiring::Expiring;
use crate::identity::realm::Realm;
use crate::identity::signed_in::SignedIn;

/// The most that are remembered of each kind.
const MOST: usize = 131_072;

/// A user's access by an application, from sign-in to the last refresh.
pub(crate) struct Session {
    pub(crate) application_id: Arc<str>,
    pub(crate) provider: IdentityProvider,
    /// The scopes of the user's level.
    pub(crate) scopes: Vec<String>,
    /// When its first access token was issued, in milliseconds; until then, when it was made.
    first_issued_ms: AtomicI64,
    /// The sign-in, where it was combined; a token exchange knows the ID token alone.
    pub(crate) signed_in: Option<Arc<SignedIn>>,
    ended: AtomicBool,
}

impl Session {
    pub(crate) fn new(
        application_id: &str,
        provider: IdentityProvider,
        scopes: Vec<String>,
        first_issued: UnixMillis,
        signed_in: Option<Arc<SignedIn>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            application_id: Arc::from(application_id),
            provider,
            scopes,
            first_issued_ms: AtomicI64::new(first_issued.0),
            signed_in,
            ended: AtomicBool::new(false),
        })
    }

    pub(crate) fn first_issued(&self) -> UnixMillis {
        UnixMillis(self.first_issued_ms.load(Ordering::Relaxed))
    }

    /// Its first access token is issued now: what is left of its window is told from here.
    pub(crate) fn begin(&self, now: UnixMillis) {
        self.first_issued_ms.store(now.0, Ordering::Relaxed);
    }

    /// From now on none of its tokens works.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Release);
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }
}

/// A combined sign-in that has gone to the identity provider.
#[derive(Clone)]
pub(crate) struct SignIn {
    pub(crate) application_id: String,
    /// The application's.
    pub(crate) redirect_uri: String,
    /// The application's.
    pub(crate) state: String,
    pub(crate) realm: Realm,
    /// Where the provider sends the browser back to.
    pub(crate) callback: String,
}

/// An authorization code (RFC 6749 §4.1.2).
#[derive(Clone)]
pub(crate) struct Code {
    pub(crate) session: Arc<Session>,
    pub(crate) redirect_uri: String,
}

/// A refresh token (RFC 6749 §1.5).
#[derive(Clone)]
pub(crate) struct Refresh {
    pub(crate) session: Arc<Session>,
    pub(crate) expires_at: UnixMillis,
    /// How often the session has been refreshed.
    pub(crate) count: u64,
}

/// Everything that stands for users' sessions.
pub(crate) struct Sessions {
    pub(crate) sign_ins: Expiring<SignIn>,
    pub(crate) codes: Expiring<Code>,
    pub(crate) refresh_tokens: Expiring<Refresh>,
    /// Combined sign-ins by the provider's name for the session.
    pub(crate) by_sid: Expiring<Arc<Session>>,
}

impl Sessions {
    pub(crate) fn clear(&self) {
        self.sign_ins.clear();
        self.codes.clear();
        self.refresh_tokens.clear();
        self.by_sid.clear();
    }
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            sign_ins: Expiring::new(MOST),
            codes: Expiring::new(MOST),
            refresh_tokens: Expiring::new(MOST),
            by_sid: Expiring::new(MOST),
        }
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").finish_non_exhaustive()
    }
}
