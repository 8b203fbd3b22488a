//! An application with user-restricted access: its two identities, kept apart.

use std::sync::Arc;

use nhs_auth_rules::Distrust;

use super::exchange::ExchangeError;
use super::preflight::SubjectToken;
use super::refresh::RefreshError;
use super::tokens::UserTokens;
use crate::{
    Application, ClientSecret, ErrorClass, IdToken, RelyingParty, TokenClient, TokenError,
};

/// An application that signs users in with CIS2 or NHS login, and exchanges their ID tokens at the
/// platform.
///
/// It has two identities, each with a signer and a kid of its own: the API key at the platform,
/// which is the [`Application`]'s, and the client id at the provider, which is the relying
/// party's. Each signs for its own server, and neither can stand where the other belongs:
///
/// ```compile_fail
/// # use nhs_auth::*;
/// # fn example(platform: Application, cis2: Cis2) {
/// UserApplication::new(cis2, platform);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct UserApplication<P> {
    application: Application,
    provider: P,
    client_secret: Option<ClientSecret>,
    tokens: Arc<TokenClient>,
}

/// The platform's environment doesn't trust the provider's: every exchange would be refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{token_url} would refuse every ID token of `{issuer}` (S11): {reason}")]
#[non_exhaustive]
pub struct PairingError {
    /// The platform's token endpoint.
    pub token_url: String,
    /// The provider's issuer.
    pub issuer: String,
    /// Why.
    pub reason: String,
    /// What to do about it.
    pub hint: String,
}

/// Why a user has no fresh token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenewError {
    /// The request ended without a result: a fault in this program, or its runtime has ended.
    #[error("the request for a user's token ended without a result")]
    Abandoned,
    /// The ID token was not exchanged again.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// The refresh token brought nothing, and the ID token has expired.
    #[error(transparent)]
    Refresh(#[from] RefreshError),
    /// There is nothing left to renew from.
    #[error(
        "the user has to sign in again: the ID token has expired, and there is no refresh token"
    )]
    SignInAgain,
}

impl RenewError {
    /// Who has to act.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Abandoned => ErrorClass::Local,
            Self::Exchange(error) => error.class(),
            Self::Refresh(error) => error.token_error().class(),
            Self::SignInAgain => ErrorClass::Refused,
        }
    }

    /// Whether only a new sign-in helps.
    pub fn needs_sign_in(&self) -> bool {
        match self {
            Self::Exchange(ExchangeError::Token(error)) => is_about_the_id_token(error),
            Self::Exchange(ExchangeError::Preflight(_)) | Self::SignInAgain => true,
            Self::Abandoned | Self::Exchange(ExchangeError::OtherProvider { .. }) => false,
            Self::Refresh(error) => error.was_refused_as_used(),
        }
    }

    /// Whether somebody else may have redeemed the refresh token.
    pub(crate) fn refresh_token_was_used(&self) -> bool {
        matches!(self, Self::Refresh(error) if error.was_refused_as_used())
    }
}

/// Groups S and D judge the ID token; the others, and S16, judge what a sign-in doesn't change.
fn is_about_the_id_token(error: &TokenError) -> bool {
    let is_about_it = |id: &str| id.starts_with(['S', 'D']) && id != "S16";
    error.rules().iter().any(|rule| is_about_it(rule.id.as_str()))
}

impl<P: RelyingParty> UserApplication<P> {
    /// An application whose users sign in at `provider`, and whose tokens are of `application`'s
    /// platform.
    ///
    /// # Errors
    ///
    /// [`PairingError`] when that environment of the platform doesn't trust that environment of
    /// the provider, as far as both are known.
    pub fn new(application: Application, provider: P) -> Result<Self, PairingError> {
        let (token_url, issuer) = (application.endpoint().url(), provider.issuer().with_port());
        if let Some(distrust) = Distrust::of(&issuer, token_url) {
            return Err(PairingError {
                token_url: token_url.to_owned(),
                issuer: provider.issuer().to_string(),
                reason: distrust.message,
                hint: distrust.fix,
            });
        }
        let tokens = Arc::new(TokenClient::new());
        Ok(Self { application, provider, client_secret: None, tokens })
    }

    /// The same with the secret that the portal shows beside the API key: with it, tokens are
    /// renewed by refresh tokens. Without it, by exchanging the ID token again while that lives.
    pub fn with_client_secret(mut self, secret: ClientSecret) -> Self {
        self.client_secret = Some(secret);
        self
    }

    /// The same by another clock, randomness or time-out.
    pub fn with_token_client(mut self, tokens: Arc<TokenClient>) -> Self {
        self.tokens = tokens;
        self
    }

    /// Who it is at the platform.
    pub fn application(&self) -> &Application {
        &self.application
    }

    /// Who it is at the provider.
    pub fn provider(&self) -> &P {
        &self.provider
    }

    /// What asks the platform for it.
    pub(crate) fn token_client(&self) -> &TokenClient {
        &self.tokens
    }

    /// Exchanges a user's ID token for an access token.
    ///
    /// # Errors
    ///
    /// [`ExchangeError`].
    pub async fn exchange(&self, id_token: &IdToken) -> Result<UserTokens, ExchangeError> {
        let is_ours = id_token.provider() == self.provider.provider()
            && self.provider.issuer().is_named(id_token.issuer());
        if !is_ours {
            return Err(ExchangeError::OtherProvider {
                found: id_token.issuer().to_owned(),
                expected: self.provider.issuer().to_string(),
            });
        }
        // The provider has told its time at the sign-in, and the platform perhaps not yet.
        self.tokens.wire().suppose(self.provider.clock_skew());
        self.tokens.exchange(&self.application, &SubjectToken::from(id_token)).await
    }

    /// Gets a user's next access token: by the refresh token where there is one and a client
    /// secret; and else, or when that was refused or its answer lost, by the ID token while it
    /// lives.
    ///
    /// Store what this returns before the old tokens are dropped.
    ///
    /// # Errors
    ///
    /// [`RenewError`]; its [`needs_sign_in`](RenewError::needs_sign_in) says whether only a new
    /// sign-in helps.
    pub async fn renew(
        &self,
        tokens: &UserTokens,
        id_token: &IdToken,
    ) -> Result<UserTokens, RenewError> {
        let wire = self.tokens.wire();
        // The one time is the provider's and the platform's, the other was counted by our clock.
        let may_exchange = wire.earliest_now() < id_token.expires_at().to_millis();
        let redeemable = tokens.refreshable(wire.clock.now()).zip(self.client_secret.as_ref());
        let Some((refresh_token, secret)) = redeemable else {
            if !may_exchange {
                return Err(RenewError::SignInAgain);
            }
            return Ok(self.exchange(id_token).await?);
        };
        let (endpoint, api_key) = (self.application.endpoint(), self.application.api_key());
        match self.tokens.refresh(endpoint, api_key, secret, refresh_token).await {
            Ok(tokens) => Ok(tokens),
            Err(error) if may_exchange && !matches!(error, RefreshError::Unused(_)) => {
                tracing::warn!("{error}; the ID token is exchanged again");
                Ok(self.exchange(id_token).await?)
            }
            Err(error) => Err(error.into()),
        }
    }
}
