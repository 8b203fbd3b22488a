//! The tokens of a user's session: an access token and, for the next one, a refresh token.

use std::sync::Arc;

use nhs_auth_rules::limits::{
    ACCESS_TOKEN_LIFETIME_MS, CIS2_REFRESH_TOKEN_LIFETIME_MS, CIS2_REFRESH_WINDOW_MS,
    NHS_LOGIN_REFRESH_TOKEN_LIFETIME_MS, NHS_LOGIN_REFRESH_WINDOW_MS,
};
use nhs_auth_rules::{Form, IdentityProvider, UnixMillis};

use crate::random;
use crate::state::State;
use crate::state::sessions::{Refresh, Session};
use crate::state::tokens::Grant;

/// How long an expired refresh token is still known to have been one: a day.
const EXPIRED_MEMORY_MS: i64 = 24 * 60 * 60 * 1000;

/// Tokens that were issued. Every number is text, as on the platform.
pub(super) struct Issued {
    pub(super) access_token: String,
    pub(super) expires_in: i64,
    pub(super) refresh_token: String,
    pub(super) refresh_token_expires_in: i64,
    pub(super) refresh_count: u64,
}

/// Issues the tokens of a session that has been refreshed that often.
pub(super) fn issue(
    state: &State,
    now: UnixMillis,
    form: &Form,
    session: &Arc<Session>,
    refresh_count: u64,
) -> Issued {
    let lifetime_ms = access_token_lifetime_ms(form);
    let access_token = state.tokens.issue(Grant {
        application_id: Arc::clone(&session.application_id),
        expires_at: now.plus(lifetime_ms),
        user: Some(Arc::clone(session)),
    });
    let refresh_lifetime_ms =
        shortened(form.get("_refresh_token_expiry_ms"), refresh_lifetime_ms(session.provider));
    let left_ms = window_end(session, form).0.saturating_sub(now.0).max(0);
    let refresh_lifetime_ms = refresh_lifetime_ms.min(left_ms);
    let expires_at = now.plus(refresh_lifetime_ms);
    let refresh_token = random::alphanumeric(32);
    state.sessions.refresh_tokens.put(
        &refresh_token,
        Refresh { session: Arc::clone(session), expires_at, count: refresh_count },
        expires_at.plus(EXPIRED_MEMORY_MS),
    );
    Issued {
        access_token,
        expires_in: told_seconds(lifetime_ms),
        refresh_token,
        refresh_token_expires_in: told_seconds(refresh_lifetime_ms),
        refresh_count,
    }
}

/// An access token's lifetime. A client may shorten it, and not lengthen it.
pub(super) fn access_token_lifetime_ms(form: &Form) -> i64 {
    shortened(form.get("_access_token_expiry_ms"), ACCESS_TOKEN_LIFETIME_MS)
}

/// When a session can be refreshed no longer: so long after the first sign-in, or as much sooner
/// as a refresh asks for.
pub(super) fn window_end(session: &Session, form: &Form) -> UnixMillis {
    let window_ms = match session.provider {
        IdentityProvider::NhsLogin => NHS_LOGIN_REFRESH_WINDOW_MS,
        IdentityProvider::Cis2 => CIS2_REFRESH_WINDOW_MS,
    };
    let is_refresh = form.get("grant_type") == Some("refresh_token");
    let asked = form.get("_refresh_tokens_validity_ms").filter(|_| is_refresh);
    session.first_issued().plus(shortened(asked, window_ms))
}

/// `expires_in`: a second less than what is left of it, of which a part counts as whole.
pub(super) fn told_seconds(lifetime_ms: i64) -> i64 {
    (lifetime_ms.saturating_add(999) / 1000 - 1).max(0)
}

/// A refresh token's own lifetime.
fn refresh_lifetime_ms(provider: IdentityProvider) -> i64 {
    match provider {
        IdentityProvider::NhsLogin => NHS_LOGIN_REFRESH_TOKEN_LIFETIME_MS,
        IdentityProvider::Cis2 => CIS2_REFRESH_TOKEN_LIFETIME_MS,
    }
}

fn shortened(asked: Option<&str>, usual_ms: i64) -> i64 {
    asked
        .and_then(|ms| ms.parse::<u64>().ok())
        .and_then(|ms| i64::try_from(ms).ok())
        .map_or(usual_ms, |ms| ms.min(usual_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_shortened_and_never_lengthened() {
        for (wanted, given) in [
            ("5000", 5000),
            ("0", 0),
            ("600000", 600_000),
            ("600001", 600_000),
            ("99999999999999999999", 600_000),
            ("9223372036854775808", 600_000),
            ("-1", 600_000),
            ("1.5", 600_000),
            ("soon", 600_000),
            ("", 600_000),
        ] {
            let form: Form = [("_access_token_expiry_ms", wanted)].into_iter().collect();
            assert_eq!(access_token_lifetime_ms(&form), given, "{wanted}");
        }
        assert_eq!(access_token_lifetime_ms(&Form::default()), 600_000);
    }

    #[test]
    fn what_is_told_is_a_second_less() {
        for (lifetime_ms, told) in [(600_000, 599), (599_999, 599), (599_000, 598), (1, 0), (0, 0)]
        {
            assert_eq!(told_seconds(lifetime_ms), told, "{lifetime_ms}");
        }
    }
}
