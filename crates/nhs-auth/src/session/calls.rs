//! Calling an API as a session's user.

use bytes::Bytes;
use http::{Request, StatusCode};

use super::error::SessionError;
use super::id::SessionId;
use super::sessions::Sessions;
use crate::{ApiClient, ApiResponse, CallError, RelyingParty, UserApplication};

/// Why a call as a user has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionCallError {
    /// The API was not called, or gave no answer.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The session has no token to call it with.
    #[error(transparent)]
    Session(#[from] SessionError),
}

impl SessionCallError {
    /// Whether only a new sign-in helps.
    pub fn needs_sign_in(&self) -> bool {
        matches!(self, Self::Session(error) if error.needs_sign_in())
    }
}

impl Sessions {
    /// Sends a request as the session's user. When the API answers 401, that token is dropped and
    /// the request sent once more with a new one, under the same `X-Request-ID`. It doesn't count
    /// as the user's own activity, as [`Sessions::find`] does.
    ///
    /// # Errors
    ///
    /// [`SessionCallError`]. An answer of any status is no error.
    pub async fn send<P: RelyingParty>(
        &self,
        id: &SessionId,
        application: &UserApplication<P>,
        api: &ApiClient,
        mut request: Request<Bytes>,
    ) -> Result<ApiResponse, SessionCallError> {
        api.name(request.headers_mut());
        let token = self.access_token(id, application).await?;
        let response = api.send_as(&token, request.clone()).await?;
        if response.status() != StatusCode::UNAUTHORIZED || !self.reject(id, &token) {
            return Ok(response);
        }
        let Ok(token) = self.access_token(id, application).await else {
            // The API's own answer tells more than that there is no other token.
            return Ok(response);
        };
        let response = api.send_as(&token, request).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            self.renewal_was_in_vain(id);
        }
        Ok(response)
    }
}
