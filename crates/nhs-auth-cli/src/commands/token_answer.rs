//! A token response, as programs want it.

use nhs_auth::{IssuedToken, UnixMillis, UserTokens};
use serde_json::{Map, Value};

use super::rfc3339;

/// RFC 6749 §5.1, with `expires_in` counted from now, and `expires_at` beside it.
pub(super) fn as_json(issued: &IssuedToken, now: UnixMillis) -> Value {
    let mut members = Map::new();
    members.insert("access_token".into(), issued.access_token.expose().into());
    members.insert("token_type".into(), issued.token_type.clone().into());
    if let Some(expires_at) = issued.expires_at() {
        let left_ms = expires_at.0.saturating_sub(now.0).max(0);
        members.insert("expires_in".into(), (left_ms + 999).div_euclid(1000).into());
        members.insert("expires_at".into(), rfc3339(expires_at).into());
    }
    for (name, value) in &issued.others {
        members.entry(name.clone()).or_insert_with(|| value.clone());
    }
    Value::Object(members)
}

/// The same of a user's tokens, with the refresh token beside them.
pub(super) fn user_as_json(tokens: &UserTokens, now: UnixMillis) -> Value {
    let mut answer = as_json(tokens.issued(), now);
    if let Some(token) = tokens.refresh_token() {
        answer["refresh_token"] = token.expose().into();
    }
    answer
}
