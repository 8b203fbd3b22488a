//! A sign-in between its beginning and its end, while the user is at the provider.

use std::fmt;

use nhs_auth_rules::UnixMillis;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::asked::Asked;

/// How long a sign-in may take, in minutes.
pub(crate) const PATIENCE_MIN: i64 = 30;

/// What has to be remembered of a sign-in that is under way, on the server, for the browser that
/// it belongs to. It is used once: completing the sign-in consumes it.
#[derive(Serialize, Deserialize)]
pub struct PendingSignIn {
    pub(super) issuer: String,
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) state: Zeroizing<String>,
    pub(super) nonce: Zeroizing<String>,
    pub(super) code_verifier: Option<Zeroizing<String>>,
    pub(super) asked: Asked,
    /// When, by our clock, in milliseconds since 1970.
    pub(super) begun_at_ms: i64,
}

/// A text that is not a sign-in that was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a sign-in that was kept")]
#[non_exhaustive]
pub struct PendingSignInError;

impl PendingSignIn {
    /// The `state`, which the browser brings back.
    pub fn state(&self) -> &str {
        &self.state
    }

    /// When it was begun, by our clock.
    pub fn begun_at(&self) -> UnixMillis {
        UnixMillis(self.begun_at_ms)
    }

    /// The sign-in as text, for a store on the server. It holds what protects the sign-in, and is
    /// not for the browser.
    pub fn to_json(&self) -> Zeroizing<String> {
        let json = serde_json::to_string(self);
        Zeroizing::new(json.expect("strings and numbers can always be written"))
    }

    /// The sign-in that was kept.
    ///
    /// # Errors
    ///
    /// [`PendingSignInError`] for any other text.
    pub fn from_json(json: &str) -> Result<Self, PendingSignInError> {
        serde_json::from_str(json).map_err(|_| PendingSignInError)
    }
}

impl fmt::Debug for PendingSignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingSignIn")
            .field("issuer", &self.issuer)
            .field("asked", &self.asked)
            .finish_non_exhaustive()
    }
}
