//! Where one identity's tokens come from: its file, if it has one, and then the platform.

use super::{Means, TokenFile, TokenFileError};
use crate::{AccessToken, Application, IssuedToken, TokenError};

/// What an identity needs to get tokens.
#[derive(Debug)]
pub(super) struct Supply {
    pub(super) application: Application,
    pub(super) means: Means,
    pub(super) file: Option<TokenFile>,
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
        held: Option<&AccessToken>,
        is_rejected: impl Fn(&AccessToken) -> bool,
    ) -> Supplied {
        let Some(file) = &self.file else {
            return self.request().await.map_or_else(Supplied::Nothing, Supplied::Fresh);
        };
        let kept = || {
            let token = file.read(self.means.clock.now())?;
            (!is_rejected(&token.access_token)).then_some(token)
        };
        let fresh = || {
            let token = kept().filter(|token| token.is_fresh(self.means.clock.now()))?;
            (!held.is_some_and(|held| held.is_same_as(&token.access_token))).then_some(token)
        };
        // Files are replaced whole, so reading one needs no lock.
        if let Some(token) = fresh() {
            return Supplied::Fresh(token);
        }
        // Of several processes one asks. Those that have a token that serves don't wait for it.
        let lock = match kept() {
            Some(token) => match file.try_lock() {
                Ok(None) => return Supplied::Old(token, None),
                lock => lock,
            },
            None => file.lock().await.map(Some),
        };
        // Held to the end. Without it nothing is written either: what went wrong is told once.
        let lock = lock.inspect_err(warn).ok();
        if let Some(token) = fresh() {
            return Supplied::Fresh(token);
        }
        match self.request().await {
            Ok(token) => {
                if lock.is_some() {
                    file.write(&token).inspect_err(warn).ok();
                }
                Supplied::Fresh(token)
            }
            Err(error) => match kept() {
                Some(token) => {
                    tracing::warn!(
                        "the token can't be renewed, and the old one still serves: {error}"
                    );
                    Supplied::Old(token, Some(error))
                }
                None => Supplied::Nothing(error),
            },
        }
    }

    async fn request(&self) -> Result<IssuedToken, TokenError> {
        self.means.issuer.issue(&self.application).await
    }
}

fn warn(error: &TokenFileError) {
    tracing::warn!("tokens are not kept from run to run: {error}");
}
