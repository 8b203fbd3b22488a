//! An ID token becomes an access token (RFC 8693 §2.1, as the platform has it).

use nhs_auth_rules::{ID_TOKEN_TYPE, TOKEN_EXCHANGE_GRANT};

use super::preflight::{PreflightError, SubjectToken};
use super::tokens::UserTokens;
use crate::token::{Body, Form, Grant, Means};
use crate::{Application, ErrorClass, TokenClient, TokenError};

/// Why an ID token was not exchanged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// The ID token is another provider's than the one that the application signs in with. Nothing
    /// was sent.
    #[error("the ID token is of `{found}`, and this application signs in with `{expected}`")]
    OtherProvider {
        /// Whose it is.
        found: String,
        /// Whose it should be.
        expected: String,
    },
    /// The platform would refuse the token. Nothing was sent.
    #[error(transparent)]
    Preflight(#[from] PreflightError),
    /// The platform gave no token.
    #[error(transparent)]
    Token(#[from] TokenError),
}

impl ExchangeError {
    /// Who has to act.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::OtherProvider { .. } => ErrorClass::Local,
            Self::Preflight(error) => error.class(),
            Self::Token(error) => error.class(),
        }
    }

    /// What to do next, the best first.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::OtherProvider { .. } => {
                vec!["exchange it by the application that the user signed in to".to_owned()]
            }
            Self::Preflight(error) => error.hints(),
            Self::Token(error) => {
                let mut hints = error.hints();
                // One text for two JWTs: the other hints are about the assertion.
                if let Some(rule) = error.rules().into_iter().find(|rule| rule.id.as_str() == "S14")
                {
                    hints.insert(0, format!("possible: the subject token was changed, or is not the provider's; {} (S14)", rule.fix));
                }
                hints
            }
        }
    }
}

impl TokenClient {
    /// Exchanges an ID token for a user's access token, after a look at whether the platform would
    /// take it. Each attempt has an assertion of its own; the ID token may be sent again.
    ///
    /// # Errors
    ///
    /// [`ExchangeError`].
    pub async fn exchange(
        &self,
        application: &Application,
        subject_token: &SubjectToken,
    ) -> Result<UserTokens, ExchangeError> {
        subject_token.check(application.endpoint(), self.wire().earliest_now())?;
        Ok(self.exchange_unchecked(application, subject_token).await?)
    }

    /// The same without that look: for those who pass on the platform's own words of what is wrong
    /// with an ID token, and the `message_id` beside them.
    ///
    /// # Errors
    ///
    /// [`TokenError`].
    pub async fn exchange_unchecked(
        &self,
        application: &Application,
        subject_token: &SubjectToken,
    ) -> Result<UserTokens, TokenError> {
        let issued = self.ask(&TokenExchange { application, subject_token }).await?;
        Ok(UserTokens::of(issued))
    }
}

struct TokenExchange<'a> {
    application: &'a Application,
    subject_token: &'a SubjectToken,
}

impl Grant for TokenExchange<'_> {
    fn url(&self) -> &str {
        self.application.endpoint().url()
    }

    fn form<'a>(&'a self, means: Means<'a>) -> Body<'a> {
        Box::pin(async move {
            let signing = self.application.sign_assertion(means.clock, means.skew, means.entropy);
            let assertion = signing.await?;
            tracing::debug!(jti = assertion.jti(), "token exchange");
            Ok(Form::of_grant(TOKEN_EXCHANGE_GRANT)
                .with("subject_token_type", ID_TOKEN_TYPE)
                .with("subject_token", self.subject_token.expose())
                .with_assertion(assertion)
                .into_bytes())
        })
    }
}
