//! A session of somebody who has signed in.

use std::fmt;

use nhs_auth_rules::UnixMillis;
use serde_json::{Map, Value};

use super::content::SignedIn;
use super::limits::SessionLimits;
use crate::relying_party::{Cis2User, NhsLoginUser, Role, RoleChoice, roles_in};
use crate::{IdToken, UserTokens};

/// A user of one of the providers, of whom a session can be begun.
pub trait SessionUser: sealed::Sealed {
    /// What is kept of them: the user info.
    fn kept_claims(&self) -> &Map<String, Value>;

    /// The role that they have chosen by now, or that is their only one.
    fn settled_role(&self) -> Option<Role>;
}

mod sealed {
    pub trait Sealed {}

    impl Sealed for crate::Cis2User {}
    impl Sealed for crate::NhsLoginUser {}
}

impl SessionUser for Cis2User {
    fn kept_claims(&self) -> &Map<String, Value> {
        self.claims()
    }

    fn settled_role(&self) -> Option<Role> {
        match self.role_choice() {
            RoleChoice::Settled(role) => Some(role),
            RoleChoice::Choose(_) | RoleChoice::None => None,
        }
    }
}

impl SessionUser for NhsLoginUser {
    fn kept_claims(&self) -> &Map<String, Value> {
        self.claims()
    }

    fn settled_role(&self) -> Option<Role> {
        None
    }
}

/// What is kept of a user who has signed in. `Debug` shows nothing of them.
#[derive(Clone)]
pub struct Session {
    id_token: IdToken,
    tokens: Option<UserTokens>,
    user_info: Map<String, Value>,
    role: Option<Role>,
    began: UnixMillis,
    ends: UnixMillis,
}

impl Session {
    pub(super) fn read(content: &SignedIn, limits: SessionLimits) -> Option<Self> {
        Some(Self {
            id_token: content.id_token()?,
            tokens: content.tokens(),
            user_info: content.user_info.clone(),
            role: content.role.clone(),
            began: content.began(),
            ends: limits.end(content.began(), content.last_seen()),
        })
    }

    /// The provider's ID token.
    pub fn id_token(&self) -> &IdToken {
        &self.id_token
    }

    /// The user's tokens at the platform, once there are some. Ask
    /// [`Sessions::access_token`](crate::Sessions::access_token) for one that is fresh.
    pub fn tokens(&self) -> Option<&UserTokens> {
        self.tokens.as_ref()
    }

    /// `name` of the user info.
    pub fn name(&self) -> Option<&str> {
        self.user_info.get("name")?.as_str()
    }

    /// Every claim of the user info.
    pub fn user_info(&self) -> &Map<String, Value> {
        &self.user_info
    }

    /// Every role of a healthcare worker.
    pub fn roles(&self) -> Vec<Role> {
        roles_in(&self.user_info)
    }

    /// The role that the user has chosen.
    pub fn role(&self) -> Option<&Role> {
        self.role.as_ref()
    }

    /// When the user signed in.
    pub fn began(&self) -> UnixMillis {
        self.began
    }

    /// When the session ends, if it is not used until then.
    pub fn ends(&self) -> UnixMillis {
        self.ends
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("began", &self.began)
            .field("ends", &self.ends)
            .finish_non_exhaustive()
    }
}
