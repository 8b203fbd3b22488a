//! A credential that the program itself knows.

use std::fmt;

use aws_credential_types::Credentials;
use secrecy::{ExposeSecret as _, SecretString};

/// An access key of AWS that the program was given, for where AWS's own usual places don't have
/// one. `Debug` shows its id alone.
#[derive(Clone)]
pub struct AwsAccessKey {
    id: String,
    secret: SecretString,
    session_token: Option<SecretString>,
}

impl AwsAccessKey {
    /// An access key that stays valid.
    pub fn new(id: impl Into<String>, secret: SecretString) -> Self {
        Self { id: id.into(), secret, session_token: None }
    }

    /// A temporary one, which goes with a session token.
    pub fn with_session_token(self, token: SecretString) -> Self {
        Self { session_token: Some(token), ..self }
    }

    pub(super) fn credentials(&self) -> Credentials {
        let token = self.session_token.as_ref().map(|token| token.expose_secret().to_owned());
        Credentials::new(&self.id, self.secret.expose_secret(), token, None, "nhs-auth")
    }
}

impl fmt::Debug for AwsAccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AwsAccessKey({})", self.id)
    }
}
