//! The user info (OpenID Connect Core 1.0 §5.3).

use serde_json::{Map, Value};

use super::discovery::{FetchError, fetch_object};
use crate::wire::Wire;
use crate::{AccessToken, ErrorClass};

/// Why there is no user info.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UserInfoError {
    /// It could not be got, or is no JSON: a signed user info is not asked for here.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// It doesn't say whose it is.
    #[error("{url} answered with no user info: it has no `sub`")]
    NoSubject {
        /// Where it came from.
        url: String,
    },
    /// It is somebody else's: its `sub` is not the ID token's.
    #[error("the user info of {url} is not of the user who signed in: its `sub` is another")]
    OtherSubject {
        /// Where it came from.
        url: String,
    },
}

impl UserInfoError {
    /// Who has to act.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Fetch(error) => error.class(),
            Self::NoSubject { .. } => ErrorClass::Unavailable,
            Self::OtherSubject { .. } => ErrorClass::Refused,
        }
    }
}

/// What the provider says of the user of an access token, who must be the ID token's.
pub(super) async fn user_info(
    wire: &Wire,
    url: &str,
    access_token: &AccessToken,
    subject: &str,
) -> Result<Map<String, Value>, UserInfoError> {
    tracing::debug!(url, "user info");
    let claims = fetch_object(wire, url, access_token).await?;
    match claims.get("sub").and_then(Value::as_str) {
        Some(sub) if sub == subject => Ok(claims),
        None => Err(UserInfoError::NoSubject { url: url.to_owned() }),
        Some(_) => Err(UserInfoError::OtherSubject { url: url.to_owned() }),
    }
}
