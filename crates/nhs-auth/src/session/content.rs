//! What is kept of a session, as it goes into the store.

use nhs_auth_rules::{IdentityProvider, UnixMillis};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::relying_party::{PendingSignIn, Role};
use crate::user_token::KeptTokens;
use crate::{IdToken, UserTokens};

/// A session before it is encrypted.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Content {
    /// The provider has ended a session of its own, by a logout token of that time, in seconds.
    Ended(i64),
    /// The user is at the provider.
    Pending(PendingSignIn),
    /// The user has signed in.
    SignedIn(Box<SignedIn>),
}

#[derive(Serialize, Deserialize)]
pub(super) struct SignedIn {
    provider: String,
    id_token: Zeroizing<String>,
    pub(super) user_info: Map<String, Value>,
    tokens: Option<KeptTokens>,
    pub(super) role: Option<Role>,
    began_ms: i64,
    last_seen_ms: i64,
}

impl Content {
    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let json = serde_json::to_vec(self);
        Zeroizing::new(json.expect("strings, numbers and JSON can always be written"))
    }

    /// The bytes of [`Content::SignedIn`], of content that is only borrowed.
    pub(super) fn signed_in_bytes(content: &SignedIn) -> Zeroizing<Vec<u8>> {
        #[derive(Serialize)]
        #[serde(rename_all = "kebab-case")]
        enum Borrowed<'a> {
            SignedIn(&'a SignedIn),
        }
        let json = serde_json::to_vec(&Borrowed::SignedIn(content));
        Zeroizing::new(json.expect("strings, numbers and JSON can always be written"))
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

impl SignedIn {
    pub(super) fn new(
        id_token: &IdToken,
        user_info: Map<String, Value>,
        role: Option<Role>,
        now: UnixMillis,
    ) -> Self {
        Self {
            provider: id_token.provider().name().to_owned(),
            id_token: Zeroizing::new(id_token.expose().to_owned()),
            user_info,
            tokens: None,
            role,
            began_ms: now.0,
            last_seen_ms: now.0,
        }
    }

    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Content::signed_in_bytes(self)
    }

    pub(super) fn id_token(&self) -> Option<IdToken> {
        IdToken::kept(IdentityProvider::named(&self.provider)?, &self.id_token)
    }

    pub(super) fn tokens(&self) -> Option<UserTokens> {
        UserTokens::of_kept(self.tokens.as_ref()?)
    }

    pub(super) fn set_tokens(&mut self, tokens: &UserTokens) {
        self.tokens = Some(tokens.to_kept());
    }

    pub(super) fn began(&self) -> UnixMillis {
        UnixMillis(self.began_ms)
    }

    pub(super) fn last_seen(&self) -> UnixMillis {
        UnixMillis(self.last_seen_ms)
    }

    pub(super) fn see(&mut self, now: UnixMillis) {
        self.last_seen_ms = self.last_seen_ms.max(now.0);
    }
}
