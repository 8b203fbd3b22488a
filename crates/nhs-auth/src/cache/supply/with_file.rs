//! Tokens that processes of one user share by a file.

use std::time::Duration;

use tokio::time::timeout;

use super::{Held, Supplied, Supply};
use crate::AccessToken;
use crate::cache::{TokenFile, TokenFileError};

/// How long a process that has just begun waits for a new token while the file has one that still
/// serves. It then begins with that one, and the next request is made behind its callers' backs: a
/// token server that hangs keeps nobody waiting for three attempts.
const PATIENCE: Duration = Duration::from_secs(5);

impl Supply {
    pub(super) async fn obtain_with_file(
        &self,
        file: &TokenFile,
        held: Option<&Held>,
        is_rejected: impl Fn(&AccessToken) -> bool,
    ) -> Supplied {
        let kept = || {
            let token = file.read(self.means.clock.now())?;
            (!is_rejected(&token.access_token)).then_some(token)
        };
        let fresh = || {
            let token = kept().filter(|token| token.is_fresh(self.means.clock.now()))?;
            (!held.is_some_and(|held| held.is(&token.access_token))).then_some(token)
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
        let has_one = held.is_some_and(|held| held.serves);
        let requested = if has_one || kept().is_none() {
            self.request().await
        } else {
            match timeout(PATIENCE, self.request()).await {
                Ok(requested) => requested,
                Err(_) => match kept() {
                    Some(token) => return Supplied::Old(token, None),
                    None => self.request().await,
                },
            }
        };
        match requested {
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
}

fn warn(error: &TokenFileError) {
    tracing::warn!("tokens are not kept from run to run: {error}");
}
