//! The logout token, with which CIS2 ends a session (OpenID Connect Back-Channel Logout 1.0 §2.6).

use nhs_auth_rules::UnixSeconds;
use nhs_auth_rules::logout_token::LOGOUT_EVENT;
use serde_json::{Map, Value};

use super::discovery::DiscoveryError;
use super::id_token::seconds;
use super::id_token_claims::{LEEWAY_S, check_audience, check_issuer};
use super::signed_jwt::SignedJwtError;
use crate::ErrorClass;

/// How far from now a logout token may have been issued, in seconds.
const FRESH_FOR_S: i64 = 300;

/// A provider's word that a session is over, validated.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogoutToken {
    /// `iss`, to the letter.
    pub issuer: String,
    /// `sid`: which session.
    pub session_id: String,
    /// `sub`: whose, where it says so.
    pub subject: Option<String>,
    /// `iat`: a session that began later is another.
    pub issued_at: UnixSeconds,
}

/// Why a logout token ends nothing. The answer to it is 400 (OpenID Connect Back-Channel Logout
/// 1.0 §2.8), or 503 where the provider can't be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogoutTokenError {
    /// The provider is not known.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// It is no logout token: `events` doesn't say that it is one.
    #[error("`events` does not say that this is a logout")]
    Event,
    /// It is for another client.
    #[error("the logout token is for another client")]
    Audience,
    /// It is another issuer's.
    #[error("the logout token is of another issuer")]
    Issuer,
    /// It has a `nonce`, as an ID token has and a logout token may not.
    #[error("the logout token has a `nonce`, as ID tokens have")]
    Nonce,
    /// It names no session.
    #[error("the logout token has no `sid`")]
    NoSession,
    /// The provider did not sign it.
    #[error("the logout token can't be trusted: {0}")]
    Signature(#[from] SignedJwtError),
    /// It is too old, of a time to come, or older than the session.
    #[error("the logout token is stale: {0}")]
    Stale(String),
}

impl LogoutTokenError {
    /// Who has to act.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Discovery(error) => error.class(),
            Self::Signature(error) => error.class(),
            _ => ErrorClass::Refused,
        }
    }
}

/// Holds the claims of a logout token against the client that it should be for.
pub(super) fn check(
    claims: &Map<String, Value>,
    issuer: &str,
    client_id: &str,
    now_s: i64,
) -> Result<LogoutToken, LogoutTokenError> {
    check_issuer(claims, issuer).map_err(|_| LogoutTokenError::Issuer)?;
    check_audience(claims, client_id).map_err(|_| LogoutTokenError::Audience)?;
    let is_logout = claims.get("events").and_then(|events| events.get(LOGOUT_EVENT));
    if !is_logout.is_some_and(Value::is_object) {
        return Err(LogoutTokenError::Event);
    }
    if claims.contains_key("nonce") {
        return Err(LogoutTokenError::Nonce);
    }
    let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    let session_id =
        text("sid").filter(|sid| !sid.is_empty()).ok_or(LogoutTokenError::NoSession)?;
    let issued_at = check_times(claims, now_s)?;
    Ok(LogoutToken { issuer: issuer.to_owned(), session_id, subject: text("sub"), issued_at })
}

fn check_times(claims: &Map<String, Value>, now_s: i64) -> Result<UnixSeconds, LogoutTokenError> {
    let stale = |why: &str| LogoutTokenError::Stale(why.to_owned());
    let iat = claims.get("iat").and_then(seconds).ok_or_else(|| stale("it has no `iat`"))?;
    if now_s.saturating_sub(iat).abs() > FRESH_FOR_S {
        return Err(stale("`iat` is more than 5 minutes from now"));
    }
    match claims.get("exp").map(seconds) {
        None => Ok(UnixSeconds(iat)),
        Some(Some(exp)) if now_s < exp.saturating_add(LEEWAY_S) => Ok(UnixSeconds(iat)),
        Some(_) => Err(stale("`exp` is past, or no number")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW_S: i64 = 1_800_000_000;

    fn checked(change: &Value) -> Result<LogoutToken, LogoutTokenError> {
        let mut claims = json!({
            "iss": "https://cis2.example.org", "aud": "client", "sub": "user", "sid": "s-1",
            "iat": NOW_S, "exp": NOW_S + 120, "events": {LOGOUT_EVENT: {}},
        });
        for (name, value) in change.as_object().unwrap() {
            match value {
                Value::Null => claims.as_object_mut().unwrap().remove(name),
                value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
            };
        }
        check(claims.as_object().unwrap(), "https://cis2.example.org", "client", NOW_S)
    }

    #[test]
    fn a_good_one_names_its_session() {
        let token = checked(&json!({})).unwrap();
        assert_eq!((token.session_id.as_str(), token.issued_at), ("s-1", UnixSeconds(NOW_S)));
        assert!(checked(&json!({"aud": ["client"], "exp": null, "sub": null})).is_ok());
    }

    #[test]
    fn each_fault_by_its_name() {
        for (change, error) in [
            (json!({"iss": "https://other.example.org"}), LogoutTokenError::Issuer),
            (json!({"aud": "another"}), LogoutTokenError::Audience),
            (json!({"aud": ["another", "client"]}), LogoutTokenError::Audience),
            (json!({"events": null}), LogoutTokenError::Event),
            (json!({"events": {LOGOUT_EVENT: null}}), LogoutTokenError::Event),
            (
                json!({"events": {"http://schemas.openid.net/event/other": {}}}),
                LogoutTokenError::Event,
            ),
            (json!({"nonce": "n"}), LogoutTokenError::Nonce),
            (json!({"sid": null}), LogoutTokenError::NoSession),
            (json!({"sid": ""}), LogoutTokenError::NoSession),
        ] {
            assert_eq!(checked(&change), Err(error), "{change}");
        }
    }

    #[test]
    fn a_stale_one_is_refused() {
        for (change, is_fresh) in [
            (json!({"iat": NOW_S - 300}), true),
            (json!({"iat": NOW_S - 301}), false),
            (json!({"iat": NOW_S + 300}), true),
            (json!({"iat": NOW_S + 301}), false),
            (json!({"iat": null}), false),
            (json!({"exp": NOW_S - 10}), false),
            (json!({"exp": "soon"}), false),
        ] {
            let result = checked(&change);
            assert_eq!(result.is_ok(), is_fresh, "{change}");
            assert!(is_fresh || matches!(result, Err(LogoutTokenError::Stale(_))), "{change}");
        }
    }
}
