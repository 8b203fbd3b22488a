//! Combined sign-in: the platform signs the user in, and issues its tokens at once.

use std::fmt;

use nhs_auth_rules::{ApiKey, UnixMillis};
use serde_json::{Map, Value};
use url::Url;
use zeroize::Zeroizing;

use super::refresh::{RefreshError, RefreshToken};
use super::tokens::UserTokens;
use crate::entropy::unguessable;
use crate::relying_party::{CallbackError, FetchError, check_patience, fetch_object};
use crate::token::{Body, Form, Grant, Means};
use crate::{
    AccessToken, Acr, Callback, ClientSecret, RedirectUri, TokenClient, TokenEndpoint, TokenError,
};

/// 32 bytes in base64url.
const STATE_LENGTH: usize = 43;

/// An application that lets the platform sign its users in (combined authentication and
/// authorisation): one redirect, and the platform's tokens for the code.
///
/// The platform is the client of CIS2 and NHS login here, so the application needs neither a client
/// id there nor a key: it has its API key and client secret.
#[derive(Clone)]
pub struct CombinedSignIn {
    endpoint: TokenEndpoint,
    api_key: ApiKey,
    client_secret: ClientSecret,
    redirect_uri: RedirectUri,
}

/// Whom the platform signs in, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CombinedWith {
    /// Healthcare workers, with CIS2; `None` is `AAL3_ANY`.
    Cis2(Option<Acr>),
    /// The public, with NHS login.
    NhsLogin,
}

/// A combined sign-in that has begun: where the browser goes, and what is remembered until it comes
/// back.
#[derive(Debug)]
#[non_exhaustive]
pub struct BegunCombined {
    /// Where the browser is sent to.
    pub url: String,
    /// What the server remembers, for this browser alone.
    pub pending: PendingCombined,
}

/// What has to be remembered of a combined sign-in that is under way, on the server, for the
/// browser that it belongs to. It is used once: completing the sign-in consumes it.
pub struct PendingCombined {
    state: Zeroizing<String>,
    begun_at: UnixMillis,
}

impl PendingCombined {
    /// A sign-in that was kept: its `state`, and when it was begun. `None` for a `state` that is
    /// none of [`CombinedSignIn::begin`]'s.
    pub fn kept(state: &str, begun_at: UnixMillis) -> Option<Self> {
        let state = Zeroizing::new(state.to_owned());
        (state.len() == STATE_LENGTH).then_some(Self { state, begun_at })
    }

    /// The `state`, which the browser has to bring back.
    pub fn state(&self) -> &str {
        &self.state
    }

    /// When it was begun, by our clock.
    pub fn begun_at(&self) -> UnixMillis {
        self.begun_at
    }
}

impl fmt::Debug for PendingCombined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingCombined").field("begun_at", &self.begun_at).finish_non_exhaustive()
    }
}

/// Why there are no tokens.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CombinedError {
    /// The browser came back, and not with the answer to this sign-in.
    #[error(transparent)]
    Callback(#[from] CallbackError),
    /// The platform sent the browser back with an error.
    #[error("the platform answered {error}")]
    Refused {
        /// The `error`, and its description where there is one.
        error: String,
    },
    /// The code was not redeemed.
    #[error(transparent)]
    Token(#[from] TokenError),
}

impl CombinedSignIn {
    /// An application with that API key and secret, and that callback URL, as the portal has them.
    pub fn new(
        endpoint: TokenEndpoint,
        api_key: ApiKey,
        client_secret: ClientSecret,
        redirect_uri: RedirectUri,
    ) -> Self {
        Self { endpoint, api_key, client_secret, redirect_uri }
    }

    /// Begins a sign-in.
    pub fn begin(&self, with: CombinedWith, tokens: &TokenClient) -> BegunCombined {
        let state = unguessable(&*tokens.wire().entropy);
        let mut url = Url::parse(&self.beside_the_token_endpoint("authorize"))
            .expect("a token endpoint is a URL");
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", self.api_key.as_str())
            .append_pair("redirect_uri", self.redirect_uri.as_str())
            .append_pair("state", &state);
        match with {
            CombinedWith::Cis2(acr) => {
                url.query_pairs_mut().append_pair("scope", "nhs-cis2");
                if let Some(acr) = acr {
                    url.query_pairs_mut().append_pair("acr_values", acr.name());
                }
            }
            CombinedWith::NhsLogin => {
                url.query_pairs_mut().append_pair("scope", "nhs-login");
            }
        }
        let begun_at = tokens.wire().clock.now();
        let pending = PendingCombined { state: Zeroizing::new(state), begun_at };
        BegunCombined { url: url.into(), pending }
    }

    /// Completes a sign-in with what the browser came back with. The code is sent once.
    ///
    /// # Errors
    ///
    /// [`CombinedError`], and there are no tokens.
    pub async fn complete(
        &self,
        pending: PendingCombined,
        callback: &Callback,
        tokens: &TokenClient,
    ) -> Result<UserTokens, CombinedError> {
        callback.check_state(&pending.state)?;
        check_patience(pending.begun_at, tokens.wire().clock.now())?;
        if let Some(error) = callback.error_text() {
            return Err(CombinedError::Refused { error });
        }
        let code = callback.code().ok_or(CallbackError::NoCode)?;
        Ok(UserTokens::of(tokens.ask(&Redemption { sign_in: self, code }).await?))
    }

    /// The next tokens of a user. Store them before the old ones are dropped: a refresh token works
    /// once.
    ///
    /// # Errors
    ///
    /// [`RefreshError`], which says what has become of the refresh token.
    pub async fn refresh(
        &self,
        refresh_token: &RefreshToken,
        tokens: &TokenClient,
    ) -> Result<UserTokens, RefreshError> {
        tokens.refresh(&self.endpoint, &self.api_key, &self.client_secret, refresh_token).await
    }

    /// The user info of a healthcare worker who has signed in so (`GET /userinfo`), for which the
    /// platform asks CIS2. NHS login's users have none here.
    ///
    /// # Errors
    ///
    /// [`FetchError`].
    pub async fn user_info(
        &self,
        access_token: &AccessToken,
        tokens: &TokenClient,
    ) -> Result<Map<String, Value>, FetchError> {
        let url = self.beside_the_token_endpoint("userinfo");
        fetch_object(tokens.wire(), &url, access_token).await
    }

    fn beside_the_token_endpoint(&self, name: &str) -> String {
        format!("{}{name}", self.endpoint.url().trim_end_matches("token"))
    }
}

impl fmt::Debug for CombinedSignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CombinedSignIn")
            .field("endpoint", &self.endpoint)
            .field("api_key", &self.api_key)
            .field("redirect_uri", &self.redirect_uri)
            .finish_non_exhaustive()
    }
}

struct Redemption<'a> {
    sign_in: &'a CombinedSignIn,
    code: &'a str,
}

impl Grant for Redemption<'_> {
    fn url(&self) -> &str {
        self.sign_in.endpoint.url()
    }

    fn works_once(&self) -> bool {
        true
    }

    fn form<'a>(&'a self, _: Means<'a>) -> Body<'a> {
        Box::pin(async move {
            Ok(Form::of_grant("authorization_code")
                .with("client_id", self.sign_in.api_key.as_str())
                .with("client_secret", self.sign_in.client_secret.expose())
                .with("redirect_uri", self.sign_in.redirect_uri.as_str())
                .with("code", self.code)
                .into_bytes())
        })
    }
}
