//! Where one identity's tokens come from: what is kept outside the process, if anything is, and
//! then the platform.

mod with_file;
mod with_fleet;

use std::sync::Arc;

use super::fleet::Fleet;
use super::{Means, TokenFile};
use crate::{AccessToken, Application, IssuedToken, TokenError};

/// What an identity needs to get tokens.
#[derive(Debug)]
pub(super) struct Supply {
    pub(super) application: Application,
    pub(super) means: Means,
    pub(super) kept: Kept,
}

/// Where tokens are kept beside the memory of the process.
#[derive(Debug)]
pub(super) enum Kept {
    Nowhere,
    InFile(TokenFile),
    WithFleet(Fleet),
}

/// What the process has when it asks.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) token: Arc<IssuedToken>,
    /// Whether it can still be used.
    pub(super) serves: bool,
}

/// What came of it.
pub(super) enum Supplied {
    /// A token with most of its life before it.
    Fresh(IssuedToken),
    /// No token.
    Nothing(TokenError),
    /// A token that should be renewed by now, and serves until it is; and why it wasn't, unless
    /// another process is at it.
    Old(IssuedToken, Option<TokenError>),
}

impl Supply {
    /// A token other than the one that is held and should be renewed, and than one that an API
    /// has rejected.
    pub(super) async fn obtain(
        &self,
        held: Option<&Held>,
        is_rejected: impl Fn(&AccessToken) -> bool,
    ) -> Supplied {
        match &self.kept {
            Kept::Nowhere => self.request().await.map_or_else(Supplied::Nothing, Supplied::Fresh),
            Kept::InFile(file) => self.obtain_with_file(file, held, is_rejected).await,
            Kept::WithFleet(fleet) => self.obtain_with_fleet(fleet, held, is_rejected).await,
        }
    }

    /// Whether other instances have the same token.
    pub(super) fn is_shared(&self) -> bool {
        matches!(self.kept, Kept::WithFleet(_))
    }

    /// A token that another instance has got, for one that has none.
    pub(super) async fn look(
        &self,
        is_rejected: impl Fn(&AccessToken) -> bool,
    ) -> Option<Supplied> {
        let Kept::WithFleet(fleet) = &self.kept else { return None };
        self.of_use(fleet.look().await?.token, None, is_rejected)
    }

    async fn request(&self) -> Result<IssuedToken, TokenError> {
        self.means.issuer.issue(&self.application).await
    }
}

impl Held {
    fn is(&self, token: &AccessToken) -> bool {
        self.token.access_token.is_same_as(token)
    }
}
