//! What an ID token has to say (OpenID Connect Core 1.0 §3.1.3.7).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, SHA512, digest};
use nhs_auth_rules::SignatureAlgorithm;
use serde_json::{Map, Value};

use super::assurance::AssuranceError;
use super::id_token::seconds;
use super::signed_jwt::{SignedJwtError, shown};
use crate::ErrorClass;
use crate::key::base64url;

/// How far apart two clocks may be, in seconds, after what was learned of them.
pub(super) const LEEWAY_S: i64 = 10;

/// The longest `sub` (OpenID Connect Core 1.0 §2), in characters.
const LONGEST_SUBJECT: usize = 255;

/// Why an ID token is not the answer to this sign-in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdTokenError {
    /// The user has not proven what was asked for.
    #[error(transparent)]
    Assurance(#[from] AssuranceError),
    /// It is for another client.
    #[error("the ID token is for another client: `aud` is {0}")]
    Audience(String),
    /// It was issued to another client.
    #[error("the ID token was issued to another client: `azp` is {0}")]
    AuthorizedParty(String),
    /// It is past its `exp`.
    #[error("the ID token expired {0} s ago")]
    Expired(i64),
    /// It doesn't belong to what it came with.
    #[error("`{0}` does not belong to what the ID token came with")]
    Hash(&'static str),
    /// It is of a time to come.
    #[error("the ID token is of a time to come: `{claim}` is {by} s ahead")]
    InFuture {
        /// The claim.
        claim: &'static str,
        /// By how much, in seconds.
        by: i64,
    },
    /// It is another issuer's.
    #[error("the ID token is of `{found}`, and not of `{expected}`")]
    Issuer {
        /// Its `iss`.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// A claim is missing, or of another type.
    #[error("the ID token has no `{0}`, or not one of the right type")]
    Missing(&'static str),
    /// There is no ID token in the answer.
    #[error("the provider answered with no ID token")]
    NotThere,
    /// It is not of this sign-in.
    #[error("`nonce` is not the one that the sign-in was begun with")]
    Nonce,
    /// The provider did not sign it.
    #[error("the ID token can't be trusted: {0}")]
    Signature(#[from] SignedJwtError),
}

impl IdTokenError {
    /// Who has to act.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Signature(error) => error.class(),
            Self::NotThere => ErrorClass::Unavailable,
            _ => ErrorClass::Refused,
        }
    }
}

/// What an ID token's claims are held against.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    pub(super) access_token: &'a str,
    pub(super) code: &'a str,
    pub(super) algorithm: SignatureAlgorithm,
    /// By the provider's clock.
    pub(super) now_s: i64,
}

pub(super) fn check(
    claims: &Map<String, Value>,
    expected: &Expected<'_>,
) -> Result<(), IdTokenError> {
    check_issuer(claims, expected.issuer)?;
    check_audience(claims, expected.client_id)?;
    check_times(claims, expected.now_s)?;
    let nonce = claims.get("nonce").and_then(Value::as_str).ok_or(IdTokenError::Nonce)?;
    verify_slices_are_equal(nonce.as_bytes(), expected.nonce.as_bytes())
        .map_err(|_| IdTokenError::Nonce)?;
    let sub = claims.get("sub").and_then(Value::as_str).unwrap_or_default();
    if sub.is_empty() || sub.chars().count() > LONGEST_SUBJECT {
        return Err(IdTokenError::Missing("sub"));
    }
    check_hash(claims, "at_hash", expected.access_token, expected.algorithm)?;
    check_hash(claims, "c_hash", expected.code, expected.algorithm)
}

/// To the letter: CIS2's has a port in it.
pub(super) fn check_issuer(claims: &Map<String, Value>, issuer: &str) -> Result<(), IdTokenError> {
    let found = claims.get("iss").and_then(Value::as_str).ok_or(IdTokenError::Missing("iss"))?;
    if found == issuer {
        return Ok(());
    }
    Err(IdTokenError::Issuer { found: shown(found), expected: issuer.to_owned() })
}

/// This client, and no other: a token for several is one that others have too.
pub(super) fn check_audience(
    claims: &Map<String, Value>,
    client_id: &str,
) -> Result<(), IdTokenError> {
    let is_ours = |one: &Value| one.as_str() == Some(client_id);
    let aud = claims.get("aud").ok_or(IdTokenError::Missing("aud"))?;
    let is_for_us = match aud {
        Value::Array(all) => !all.is_empty() && all.iter().all(is_ours),
        one => is_ours(one),
    };
    if !is_for_us {
        return Err(IdTokenError::Audience(shown(&aud.to_string())));
    }
    match claims.get("azp") {
        Some(azp) if !is_ours(azp) => Err(IdTokenError::AuthorizedParty(shown(&azp.to_string()))),
        _ => Ok(()),
    }
}

fn check_times(claims: &Map<String, Value>, now_s: i64) -> Result<(), IdTokenError> {
    let time = |claim| claims.get(claim).and_then(seconds);
    let exp = time("exp").ok_or(IdTokenError::Missing("exp"))?;
    if now_s >= exp.saturating_add(LEEWAY_S) {
        return Err(IdTokenError::Expired(now_s - exp));
    }
    time("iat").ok_or(IdTokenError::Missing("iat"))?;
    for claim in ["iat", "nbf"] {
        let by = time(claim).unwrap_or(now_s).saturating_sub(now_s);
        if by > LEEWAY_S {
            return Err(IdTokenError::InFuture { claim, by });
        }
    }
    Ok(())
}

/// `at_hash` and `c_hash` bind the token to what it came with (OpenID Connect Core 1.0 §3.1.3.8,
/// §3.3.2.11); both may be left out.
fn check_hash(
    claims: &Map<String, Value>,
    name: &'static str,
    of: &str,
    algorithm: SignatureAlgorithm,
) -> Result<(), IdTokenError> {
    let Some(claim) = claims.get(name) else { return Ok(()) };
    let hash = match algorithm {
        SignatureAlgorithm::Rs512 => digest(&SHA512, of.as_bytes()),
        _ => digest(&SHA256, of.as_bytes()),
    };
    let left_half = &hash.as_ref()[..hash.as_ref().len() / 2];
    if claim.as_str() == Some(&base64url(left_half)) {
        Ok(())
    } else {
        Err(IdTokenError::Hash(name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW_S: i64 = 1_800_000_000;

    fn checked(change: &Value) -> Result<(), IdTokenError> {
        let mut claims = json!({
            "iss": "https://cis2.example.org:443/realm", "aud": "client", "azp": "client",
            "sub": "user", "nonce": "n", "iat": NOW_S, "exp": NOW_S + 3600,
        });
        for (name, value) in change.as_object().unwrap() {
            match value {
                Value::Null => claims.as_object_mut().unwrap().remove(name),
                value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
            };
        }
        let expected = Expected {
            issuer: "https://cis2.example.org:443/realm",
            client_id: "client",
            nonce: "n",
            access_token: "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y",
            code: "code",
            algorithm: SignatureAlgorithm::Rs256,
            now_s: NOW_S,
        };
        check(claims.as_object().unwrap(), &expected)
    }

    #[test]
    fn a_good_one() {
        assert_eq!(checked(&json!({})), Ok(()));
        assert_eq!(checked(&json!({"azp": null, "aud": ["client"]})), Ok(()));
    }

    #[test]
    fn issuer_and_audience_are_exact() {
        for iss in [json!("https://cis2.example.org/realm"), json!(null), json!(7)] {
            assert!(checked(&json!({"iss": iss})).is_err(), "{iss}");
        }
        for aud in [json!("another"), json!([]), json!(["client", "another"]), json!(null)] {
            assert!(checked(&json!({"aud": aud})).is_err(), "{aud}");
        }
        let error = checked(&json!({"azp": "another"})).unwrap_err();
        assert!(matches!(error, IdTokenError::AuthorizedParty(_)));
    }

    #[test]
    fn times_within_a_small_leeway() {
        for (change, is_good) in [
            (json!({"exp": NOW_S - 9}), true),
            (json!({"exp": NOW_S - 10}), false),
            (json!({"exp": (NOW_S + 60).to_string()}), false),
            (json!({"exp": null}), false),
            (json!({"exp": 1_800_000_000.5}), true),
            (json!({"exp": 1e300}), false),
            (json!({"iat": NOW_S + 10}), true),
            (json!({"iat": NOW_S + 11}), false),
            (json!({"iat": null}), false),
            (json!({"nbf": NOW_S + 11}), false),
            (json!({"nbf": NOW_S}), true),
        ] {
            assert_eq!(checked(&change).is_ok(), is_good, "{change}");
        }
    }

    #[test]
    fn the_nonce_is_the_one_of_this_sign_in() {
        for nonce in [json!("m"), json!(""), json!(null), json!(["n"])] {
            assert_eq!(checked(&json!({"nonce": nonce})), Err(IdTokenError::Nonce), "{nonce}");
        }
    }

    #[test]
    fn there_is_a_subject() {
        for sub in [json!(""), json!(null), json!(7), json!("x".repeat(256))] {
            assert_eq!(checked(&json!({"sub": sub})), Err(IdTokenError::Missing("sub")), "{sub}");
        }
    }

    /// The value is that of the example in OpenID Connect Core 1.0, appendix A.3.
    #[test]
    fn a_token_that_belongs_to_another_access_token_is_refused() {
        assert_eq!(checked(&json!({"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"})), Ok(()));
        for at_hash in [json!("77QmUPtjPfzWtF2AnpK9RR"), json!(""), json!(7)] {
            let error = checked(&json!({"at_hash": at_hash})).unwrap_err();
            assert_eq!(error, IdTokenError::Hash("at_hash"));
        }
        assert_eq!(checked(&json!({"c_hash": "AAAA"})), Err(IdTokenError::Hash("c_hash")));
    }
}
