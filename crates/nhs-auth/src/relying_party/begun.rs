//! The beginning of a sign-in, and its end.

use super::id_token::IdToken;
use super::pending::PendingSignIn;

/// A sign-in that has begun: where the browser goes, and what is remembered until it comes back.
#[derive(Debug)]
#[non_exhaustive]
pub struct BegunSignIn {
    /// Where the browser is sent to (302, or 303 after a form).
    pub url: String,
    /// What the server remembers, for this browser alone.
    pub pending: PendingSignIn,
}

/// Somebody who has signed in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SignIn<U> {
    /// The provider's ID token, validated: what the platform exchanges.
    pub id_token: IdToken,
    /// Who it is.
    pub user: U,
}
