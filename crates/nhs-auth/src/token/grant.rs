//! What a token endpoint is asked for.

use std::future::Future;
use std::pin::Pin;

use zeroize::Zeroizing;

use super::form::Form;
use crate::{Application, Clock, ClockSkew, Entropy, SignError};

/// What an attempt has at hand to make its form.
#[derive(Clone, Copy)]
pub(crate) struct Means<'a> {
    pub(crate) clock: &'a dyn Clock,
    pub(crate) skew: ClockSkew,
    pub(crate) entropy: &'a dyn Entropy,
}

/// The form of one attempt, on its way.
pub(crate) type Body<'a> =
    Pin<Box<dyn Future<Output = Result<Zeroizing<Vec<u8>>, SignError>> + Send + 'a>>;

/// Something that a token endpoint is asked for, once or more often.
pub(crate) trait Grant: Sync {
    /// The token endpoint.
    fn url(&self) -> &str;

    /// The form for one attempt: with an assertion of its own, where it has one.
    fn form<'a>(&'a self, means: Means<'a>) -> Body<'a>;

    /// Whether it holds something that works once, as a code or a refresh token does. It is then
    /// not sent a second time when the first may have arrived.
    fn works_once(&self) -> bool {
        false
    }
}

/// Client credentials (RFC 6749 §4.4).
pub(crate) struct ClientCredentials<'a>(pub(crate) &'a Application);

impl Grant for ClientCredentials<'_> {
    fn url(&self) -> &str {
        self.0.endpoint().url()
    }

    fn form<'a>(&'a self, means: Means<'a>) -> Body<'a> {
        Box::pin(async move {
            let assertion = self.0.sign_assertion(means.clock, means.skew, means.entropy).await?;
            tracing::debug!(jti = assertion.jti(), "client credentials");
            Ok(Form::of_grant("client_credentials").with_assertion(assertion).into_bytes())
        })
    }
}
