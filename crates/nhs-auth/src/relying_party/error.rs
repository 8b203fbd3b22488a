//! Why nobody has signed in.

use super::callback::CallbackError;
use super::discovery::DiscoveryError;
use super::id_token_claims::IdTokenError;
use super::signed_jwt::SignedJwtError;
use super::user_info::UserInfoError;
use super::{AssuranceError, signed_jwt};
use crate::{ErrorClass, TokenError};

/// Why nobody has signed in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignInError {
    /// The browser came back, and not with the answer to this sign-in.
    #[error(transparent)]
    Callback(#[from] CallbackError),
    /// The code was not redeemed.
    #[error(transparent)]
    Code(TokenError),
    /// The provider is not known.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// The ID token is not the answer to this sign-in.
    #[error(transparent)]
    IdToken(#[from] IdTokenError),
    /// The provider sent the browser back with an error (RFC 6749 §4.1.2.1).
    #[error("the provider answered {error}{}", described(description.as_deref()))]
    Refused {
        /// The `error`.
        error: String,
        /// The `error_description`.
        description: Option<String>,
    },
    /// There is no user info, or it is somebody else's.
    #[error(transparent)]
    UserInfo(#[from] UserInfoError),
}

impl SignInError {
    pub(super) fn refused(error: &str, description: Option<&str>) -> Self {
        Self::Refused {
            error: signed_jwt::shown(error),
            description: description.map(signed_jwt::shown),
        }
    }

    /// Who has to act.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Refused { error, .. }
                if ["server_error", "temporarily_unavailable"].contains(&&**error) =>
            {
                ErrorClass::Unavailable
            }
            Self::Callback(_) | Self::Refused { .. } => ErrorClass::Refused,
            Self::Code(error) => error.class(),
            Self::Discovery(error) => error.class(),
            Self::IdToken(error) => error.class(),
            Self::UserInfo(error) => error.class(),
        }
    }

    /// What to do next, the best first.
    pub fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Callback(
                CallbackError::OtherIssuer { .. } | CallbackError::OtherProvider { .. },
            ) => "complete a sign-in at the provider at which it was begun, and with no other",
            Self::Callback(_) => "begin the sign-in again, in the same browser",
            Self::Code(error) => {
                let mut hints = error.hints();
                if error.sent && error.class() != ErrorClass::Refused {
                    hints.insert(0, "begin the sign-in again: the code may be used up".to_owned());
                }
                return hints;
            }
            Self::Discovery(DiscoveryError::Unusable { .. }) => {
                "check the issuer: its URL is what the provider's ID tokens have as `iss`"
            }
            Self::Discovery(DiscoveryError::Fetch(_)) => {
                "check the issuer's URL, the network and a proxy (HTTPS_PROXY)"
            }
            Self::IdToken(error) => return id_token_hints(error),
            Self::Refused { error, .. } => return refusal_hint(error).into_iter().collect(),
            Self::UserInfo(UserInfoError::OtherSubject { .. }) => {
                "don't use it, and tell the provider's support"
            }
            Self::UserInfo(_) => "begin the sign-in again: the code is used up",
        };
        vec![hint.to_owned()]
    }
}

fn described(description: Option<&str>) -> String {
    description.map(|text| format!(": {text}")).unwrap_or_default()
}

/// What NHS login and CIS2 mean by their errors (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6).
fn refusal_hint(error: &str) -> Option<String> {
    let hint = match error {
        "access_denied" => "the user cancelled, or did not consent",
        "invalid_scope" => "ask only for scopes that the client is registered with",
        "unauthorized_client" => {
            "check that the client is registered at this provider for the authorization code flow"
        }
        "login_required"
        | "sso_login_required"
        | "interaction_required"
        | "consent_required"
        | "account_selection_required" => "the user has to be asked: leave `prompt=none` out",
        "redirect_uri_mismatch" => "send the registered redirect URI, character for character",
        "server_error" | "temporarily_unavailable" => "try again later",
        _ => return None,
    };
    Some(hint.to_owned())
}

fn id_token_hints(error: &IdTokenError) -> Vec<String> {
    let hint = match error {
        IdTokenError::Assurance(
            AssuranceError::LevelTooLow { .. }
            | AssuranceError::AcrNotAsked { .. }
            | AssuranceError::VectorNotAsked { .. },
        ) => "let the user sign in again at the level that was asked for",
        IdTokenError::Assurance(AssuranceError::NotFresh(_)) => {
            "let the user sign in again: the provider must ask for it each time"
        }
        IdTokenError::Assurance(AssuranceError::LevelMissing {
            claim: "identity_proofing_level",
        }) => "NHS login gives it with the scopes `profile` and `basic_demographics`",
        IdTokenError::Expired(_) | IdTokenError::InFuture { .. } => {
            "check this machine's clock, and begin the sign-in again"
        }
        IdTokenError::Signature(SignedJwtError::Algorithm { .. }) => {
            "CIS2 signs with RS256 unless the client is registered with another algorithm, and NHS \
             login with RS512"
        }
        IdTokenError::Issuer { .. } => {
            "the provider's own configuration is at odds with its ID tokens: tell its support"
        }
        IdTokenError::Signature(SignedJwtError::KeysUnavailable(_)) => {
            "begin the sign-in again when the provider's key set can be had"
        }
        IdTokenError::Signature(SignedJwtError::UnknownKey(_)) => {
            "the provider may have changed its keys just now: try again in two minutes"
        }
        IdTokenError::Nonce | IdTokenError::Hash(_) => {
            "the ID token is of another sign-in: begin again, and tell the provider if it lasts"
        }
        _ => return Vec::new(),
    };
    vec![hint.to_owned()]
}
