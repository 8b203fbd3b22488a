//! Why a session can't be used.

use std::sync::Arc;

use crate::{RenewError, StoreError};

/// Why a session can't be used.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// Others changed the session each time that it was about to be changed here.
    #[error("the session is being changed by others: try again")]
    Contended,
    /// The provider has ended the session of the user who was signing in.
    #[error("the provider has ended the user's session while they were signing in")]
    EndedByProvider,
    /// There is no such session: it has ended, or never was.
    #[error("there is no such session: it has ended, or never was")]
    NoSession,
    /// The user has no such role.
    #[error("the user has no such role")]
    NoSuchRole,
    /// There is no access token for the user.
    #[error("there is no access token for the user: {0}")]
    Renew(Arc<RenewError>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SessionError {
    /// Whether only a new sign-in helps.
    pub fn needs_sign_in(&self) -> bool {
        match self {
            Self::EndedByProvider | Self::NoSession => true,
            Self::Renew(error) => error.needs_sign_in(),
            Self::Contended | Self::NoSuchRole | Self::Store(_) => false,
        }
    }
}
