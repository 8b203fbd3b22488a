//! What a provider knows once a user has signed in.

use std::sync::Arc;

use nhs_auth_rules::UnixMillis;

use super::realm::Realm;
use crate::random;
use crate::user::User;

/// A request to sign a user in (OpenID Connect Core §3.1.2.1), accepted.
#[derive(Clone)]
pub(crate) struct AuthorizationRequest {
    pub(crate) realm: Realm,
    /// Scheme and host by which the provider was called; the issuer begins with it.
    pub(crate) origin: String,
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) scope: String,
    pub(crate) state: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) acr_values: Option<String>,
    /// The vectors of trust that are asked for, at NHS login.
    pub(crate) vectors: Vec<String>,
    pub(crate) challenge: Option<Challenge>,
}

/// PKCE (RFC 7636), where a client uses it.
#[derive(Clone)]
pub(crate) struct Challenge {
    pub(crate) is_hashed: bool,
    pub(crate) text: String,
}

/// A user who has signed in.
pub(crate) struct SignedIn {
    pub(crate) request: AuthorizationRequest,
    pub(crate) user: User,
    /// `person_roleid` of the role that was chosen.
    pub(crate) role: Option<String>,
    pub(crate) at: UnixMillis,
    pub(crate) sid: String,
}

impl AuthorizationRequest {
    pub(crate) fn has_scope(&self, name: &str) -> bool {
        self.scope.split(' ').any(|scope| scope == name)
    }

    /// Whether CIS2 is to ask for a role.
    pub(crate) fn wants_role(&self) -> bool {
        self.has_scope("selectedrole") || self.has_scope("changedrole")
    }
}

impl SignedIn {
    pub(crate) fn new(
        request: AuthorizationRequest,
        user: User,
        role: Option<String>,
        at: UnixMillis,
    ) -> Arc<Self> {
        Arc::new(Self { request, user, role, at, sid: random::uuid() })
    }
}
