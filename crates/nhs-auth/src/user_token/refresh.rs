//! A refresh token, which works once (RFC 6749 §6).

use std::fmt;
use std::sync::Arc;

use nhs_auth_rules::ApiKey;
use secrecy::{ExposeSecret as _, SecretString};

use super::tokens::UserTokens;
use crate::token::{Body, Form, Grant, Means};
use crate::{ClientSecret, ErrorClass, TokenClient, TokenEndpoint, TokenError, TokenErrorKind};

/// A refresh token of the platform. `Debug` shows its length alone.
///
/// It works once: its answer brings the next one, which is to be stored in its place before
/// anything else is done. Keep the old one until then.
#[derive(Clone)]
pub struct RefreshToken(Arc<SecretString>);

impl RefreshToken {
    /// Takes a token; `None` for an empty text.
    pub fn new(token: String) -> Option<Self> {
        (!token.is_empty()).then(|| Self(Arc::new(token.into())))
    }

    /// The token itself.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RefreshToken({} characters)", self.expose().len())
    }
}

/// Why a refresh token brought no tokens, and what has become of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RefreshError {
    /// The request may have arrived, and no answer came: the refresh token may be used up, and the
    /// tokens that it brought are lost.
    #[error("the answer to a refresh was lost, so the refresh token may be used up: {0}")]
    AnswerLost(TokenError),
    /// The platform refused. It says whether that is for the token's sake.
    #[error(transparent)]
    Refused(TokenError),
    /// Nothing was sent, or nothing was done: the refresh token is as good as before.
    #[error("the refresh token is as good as before: {0}")]
    Unused(TokenError),
}

impl RefreshError {
    fn of(error: TokenError) -> Self {
        let is_undone = !error.sent || matches!(error.kind, TokenErrorKind::RateLimited);
        match error.class() {
            ErrorClass::Refused => Self::Refused(error),
            _ if is_undone => Self::Unused(error),
            _ => Self::AnswerLost(error),
        }
    }

    /// Whether the refresh token can't be redeemed any more, or perhaps not. After a lost answer
    /// the next attempt tells.
    pub fn is_used_up(&self) -> bool {
        matches!(self, Self::AnswerLost(_)) || self.was_refused_as_used()
    }

    /// Whether the platform said that the token was redeemed before, or that its time is over.
    pub(crate) fn was_refused_as_used(&self) -> bool {
        let Self::Refused(error) = self else { return false };
        error.rules().iter().any(|rule| matches!(rule.id.as_str(), "F11" | "F12"))
    }

    /// What happened at the token endpoint.
    pub fn token_error(&self) -> &TokenError {
        match self {
            Self::AnswerLost(error) | Self::Refused(error) | Self::Unused(error) => error,
        }
    }
}

impl TokenClient {
    /// Redeems a refresh token: with the client secret that the portal shows beside the API key,
    /// and without an assertion. It is sent once: a second time only when the first surely did
    /// nothing.
    ///
    /// # Errors
    ///
    /// [`RefreshError`], which says what has become of the refresh token.
    pub async fn refresh(
        &self,
        endpoint: &TokenEndpoint,
        api_key: &ApiKey,
        client_secret: &ClientSecret,
        refresh_token: &RefreshToken,
    ) -> Result<UserTokens, RefreshError> {
        let grant = Refresh { endpoint, api_key, client_secret, token: refresh_token };
        self.ask(&grant).await.map(UserTokens::of).map_err(RefreshError::of)
    }
}

struct Refresh<'a> {
    endpoint: &'a TokenEndpoint,
    api_key: &'a ApiKey,
    client_secret: &'a ClientSecret,
    token: &'a RefreshToken,
}

impl Grant for Refresh<'_> {
    fn url(&self) -> &str {
        self.endpoint.url()
    }

    fn works_once(&self) -> bool {
        true
    }

    fn form<'a>(&'a self, _: Means<'a>) -> Body<'a> {
        Box::pin(async move {
            tracing::debug!("refresh");
            Ok(Form::of_grant("refresh_token")
                .with("client_id", self.api_key.as_str())
                .with("client_secret", self.client_secret.expose())
                .with("refresh_token", self.token.expose())
                .into_bytes())
        })
    }
}
